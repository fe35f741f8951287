// Attention by tiles of TILE queries and TILE keys, of which each thread takes EACH by EACH scores:
// those of rows y, y + 16, ... and of columns x, x + 16, ...; sums of rows of another matrix have
// WIDTH columns, of which each thread takes x, x + 16, ...
struct Place { long long outer, head, row, column; };  // by how many elements each index steps

struct Sizes {
  long long heads, group, queries, keys, features, results;  // group: heads that share keys
  double scale;
  long long causal;
  double kept, chance;  // what kept weights are multiplied by, and how likely one is kept
  unsigned long long seed, count;  // of the first weight's random number
  const unsigned long long *there;  // or of the first of a CUDA graph, from which count goes on

  __device__ unsigned long long seed_of() const { return there ? there[0] : seed; }
  __device__ unsigned long long first() const { return there ? there[1] + count : count; }
};

namespace {
constexpr int TILE = 16 * EACH, WIDE = WIDTH / 16;

struct Memory {
  Value left[TILE][17], right[TILE][17], weights[TILE][TILE + 1], rows[16][WIDTH];
  Value logs[TILE], along[TILE];
};

// an element's matrix, and how many rows and columns of it there are from here on
template <class T> struct Matrix {
  T *start;
  long long row, column, rows, columns;

  __device__ Matrix(T *array, const Place &place, long long stack, long long heads,
                    long long first, long long count, long long length)
      : start(array + stack / heads * place.outer + stack % heads * place.head +
              first * place.row),
        row(place.row), column(place.column), rows(count - first), columns(length) {}

  __device__ T &at(long long r, long long c) const { return start[r * row + c * column]; }
  __device__ Value read(long long r, long long c) const {
    return r < rows && c < columns ? Value(at(r, c)) : Value(0);
  }
};

// the inner products of rows of two matrices
template <class T>
__device__ inline void products(Value (&found)[EACH][EACH], const Matrix<T> &left,
                                const Matrix<T> &right, Memory &memory, int x, int y) {
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < EACH; ++j) found[i][j] = Value(0);
  for (long long from = 0; from < left.columns; from += 16) {
    __syncthreads();
    for (int i = 0; i < EACH; ++i) {
      memory.left[y + 16 * i][x] = left.read(y + 16 * i, from + x);
      memory.right[y + 16 * i][x] = right.read(y + 16 * i, from + x);
    }
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < 16; ++k) {
      Value a[EACH], b[EACH];
      for (int i = 0; i < EACH; ++i) a[i] = memory.left[y + 16 * i][k];
      for (int j = 0; j < EACH; ++j) b[j] = memory.right[x + 16 * j][k];
      for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < EACH; ++j) found[i][j] += a[i] * b[j];
    }
  }
}

// adds the rows of a matrix, from a column on, each as often as the weights in memory say
template <class T>
__device__ inline void add_rows(Value (&sums)[EACH][WIDE], const Matrix<T> &matrix, int column,
                                Memory &memory, int x, int y) {
  for (int from = 0; from < TILE && from < matrix.rows; from += 16) {
    __syncthreads();
    for (int j = 0; j < WIDE; ++j)
      memory.rows[y][x + 16 * j] = matrix.read(from + y, column + x + 16 * j);
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < 16; ++k) {
      Value a[EACH];
      for (int i = 0; i < EACH; ++i) a[i] = memory.weights[y + 16 * i][from + k];
      for (int j = 0; j < WIDE; ++j) {
        const Value b = memory.rows[k][x + 16 * j];
        for (int i = 0; i < EACH; ++i) sums[i][j] += a[i] * b;
      }
    }
  }
}

template <class T>
__device__ inline void write(const Matrix<T> &matrix, const Value (&sums)[EACH][WIDE], int column,
                             int x, int y) {
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < WIDE; ++j) {
      const long long r = y + 16 * i, c = column + x + 16 * j;
      if (r < matrix.rows && c < matrix.columns) matrix.at(r, c) = T(sums[i][j]);
    }
}

// a score as the mask has it; minus infinity where it does not count
__device__ inline Value seen(Value product, const Mask *mask, const Place &place, long long query,
                             long long key, const Sizes &sizes) {
  if (query >= sizes.queries || key >= sizes.keys || (sizes.causal && key > query))
    return -Value(CUDART_INF);
  const Value score = product * Value(sizes.scale);
  return MASKED;
}

// what the weight of a score is multiplied by: 0 where it is dropped
__device__ __noinline__ Value kept(long long stack, long long query, long long key, const Sizes &sizes) {
  return KEPT;
}

// the sum over the 16 threads that have a row together
__device__ inline Value total(Value own) {
  for (int half = 8; half > 0; half /= 2) own += __shfl_xor_sync(0xffffffffu, own, half, 16);
  return own;
}
__device__ inline Value largest(Value own) {
  for (int half = 8; half > 0; half /= 2) {
    const Value other = __shfl_xor_sync(0xffffffffu, own, half, 16);
    own = own > other ? own : other;
  }
  return own;
}
}
