// As much of cuBLAS as is called without CuPy; what computes is Python (libraries.py).
#include <cstddef>

namespace {

using Handle = long *;  // of the stream that it works in
using Product = void (*)(long stream, int op_a, int op_b, int m, int n, int k, const void *alpha,
                         const void *a, int a_type, int lda, long long stride_a, const void *b,
                         int b_type, int ldb, long long stride_b, const void *beta, void *c,
                         int c_type, int ldc, long long stride_c, int batch, int compute);
Product product = nullptr;

}  // namespace

extern "C" {

void hostcuda_set_product(Product function) { product = function; }

int cublasCreate_v2(Handle *handle) {
  *handle = new long(0);
  return 0;
}
int cublasDestroy_v2(Handle handle) {
  delete handle;
  return 0;
}
int cublasSetStream_v2(Handle handle, long stream) {
  *handle = stream;
  return 0;
}
int cublasSetWorkspace_v2(Handle, void *, size_t) { return 0; }

int cublasGemmStridedBatchedEx(Handle handle, int op_a, int op_b, int m, int n, int k,
                               const void *alpha, const void *a, int a_type, int lda,
                               long long stride_a, const void *b, int b_type, int ldb,
                               long long stride_b, const void *beta, void *c, int c_type, int ldc,
                               long long stride_c, int batch, int compute, int) {
  product(*handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, stride_a, b, b_type, ldb, stride_b,
          beta, c, c_type, ldc, stride_c, batch, compute);
  return 0;
}

}  // extern "C"
