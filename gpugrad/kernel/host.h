// What a kernel's text finds on the CPU: CUDA's words, and its threads, which run in turn.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)

struct uint3 { unsigned int x, y, z; };
struct dim3 { unsigned int x, y, z; };
static thread_local uint3 threadIdx, blockIdx;
static thread_local dim3 blockDim, gridDim;
static const int warpSize = 32;

using std::isfinite;
using std::isinf;
using std::isnan;
using std::signbit;
#define GPUGRAD_OF_ONE(name) static inline float name(float x) { return std::name(x); }
GPUGRAD_OF_ONE(sin) GPUGRAD_OF_ONE(cos) GPUGRAD_OF_ONE(tan) GPUGRAD_OF_ONE(asin)
GPUGRAD_OF_ONE(acos) GPUGRAD_OF_ONE(atan) GPUGRAD_OF_ONE(sinh) GPUGRAD_OF_ONE(cosh)
GPUGRAD_OF_ONE(tanh) GPUGRAD_OF_ONE(exp) GPUGRAD_OF_ONE(log) GPUGRAD_OF_ONE(sqrt)
GPUGRAD_OF_ONE(floor) GPUGRAD_OF_ONE(ceil) GPUGRAD_OF_ONE(fabs)
#undef GPUGRAD_OF_ONE
static inline float pow(float x, float y) { return std::pow(x, y); }
static inline float abs(float x) { return std::fabs(x); }
static inline double abs(double x) { return std::fabs(x); }
template <class T> static inline T rsqrt(T x) { return 1 / std::sqrt(x); }
static inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
template <class T> static inline T rcbrt(T x) { return 1 / std::cbrt(x); }
// of fewer digits on a GPU; the C library has declared functions of these names
#define __expf(x) std::exp(float(x))
#define __logf(x) std::log(float(x))
#define __sinf(x) std::sin(float(x))
#define __cosf(x) std::cos(float(x))
#define __powf(x, y) std::pow(float(x), float(y))
#define __fdividef(x, y) (float(x) / float(y))
template <class A, class B> static inline auto max(A a, B b) -> std::common_type_t<A, B> {
  return a < b ? b : a;
}
template <class A, class B> static inline auto min(A a, B b) -> std::common_type_t<A, B> {
  return b < a ? b : a;
}
template <class T> static inline T __ldg(const T *place) { return *place; }

// Threads run in turn, so that nothing comes between.
#define GPUGRAD_ATOMIC(name, value) \
  template <class T> static inline T name(T *place, std::common_type_t<T> other) { \
    const T before = *place; \
    *place = value; \
    return before; \
  }
GPUGRAD_ATOMIC(atomicAdd, before + other)
GPUGRAD_ATOMIC(atomicSub, before - other)
GPUGRAD_ATOMIC(atomicMax, before < other ? other : before)
GPUGRAD_ATOMIC(atomicMin, other < before ? other : before)
GPUGRAD_ATOMIC(atomicExch, other)
#undef GPUGRAD_ATOMIC

namespace gpugrad {
template <class... P, std::size_t... I>
void run(void (*kernel)(P...), void **arguments, std::index_sequence<I...>) {
  for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
      for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
        for (threadIdx.z = 0; threadIdx.z < blockDim.z; ++threadIdx.z)
          for (threadIdx.y = 0; threadIdx.y < blockDim.y; ++threadIdx.y)
            for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x)
              kernel(*static_cast<std::remove_const_t<P> *>(arguments[I])...);
}

template <class... P> int launch(void (*kernel)(P...), const unsigned int *sizes, void **arguments) {
  if (arguments != nullptr) {
    gridDim = {sizes[0], sizes[1], sizes[2]};
    blockDim = {sizes[3], sizes[4], sizes[5]};
    run(kernel, arguments, std::index_sequence_for<P...>());
  }
  return sizeof...(P);
}
}  // namespace gpugrad
