// CUDA C++ for a host compiler: what CuPy's generated sources and our kernels use of it.
//
// Host code of CUDA's own cuda_fp16.h provides the half type.
// The rest is spelled out here: keywords, built-in variables, barriers, math, atomics, shuffles.
#pragma once

// Skip libstdc++'s special functions (Bessel, elliptic ...): instantiating them takes each
// kernel 30 ms, half of its compilation.  C++17 has no official switch, but the guard works.
#define _GLIBCXX_BITS_SPECFUN_H 1
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <type_traits>
#include <utility>

// CuPy's float16.cuh takes <cuda_fp16.h> only from a compiler that calls itself CUDA 9 or newer.
#define __CUDACC_VER_MAJOR__ 13
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "block.h"

// ---------------------------------------------------------------- keywords

#undef __host__
#undef __device__
#undef __global__
#undef __constant__
#undef __shared__
#undef __forceinline__
#undef __noinline__
#undef __launch_bounds__
#define __host__
#define __device__
#define __global__
#define __constant__
#define __shared__ static  // blocks run one after another: one copy is right
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)

// ---------------------------------------------------------------- built-in variables and barriers

#define threadIdx ::hostcuda::thread_index
#define blockIdx ::hostcuda::block_index
#define blockDim ::hostcuda::block_shape
#define gridDim ::hostcuda::grid_shape
#define warpSize 32

inline void __syncthreads() { hostcuda::wait_for_block(); }
inline void __syncwarp(unsigned = 0xffffffffu) { hostcuda::wait_for_warp(); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

// ---------------------------------------------------------------- math

// CUDA has these overloads in the global namespace.
using std::abs;
using std::acos;
using std::acosh;
using std::asin;
using std::asinh;
using std::atan;
using std::atan2;
using std::atanh;
using std::cbrt;
using std::ceil;
using std::copysign;
using std::cos;
using std::cosh;
using std::erf;
using std::erfc;
using std::exp;
using std::exp2;
using std::expm1;
using std::fabs;
using std::fdim;
using std::floor;
using std::fma;
using std::fmax;
using std::fmin;
using std::fmod;
using std::frexp;
using std::hypot;
using std::ilogb;
using std::isfinite;
using std::isinf;
using std::isnan;
using std::ldexp;
using std::lgamma;
using std::log;
using std::log10;
using std::log1p;
using std::log2;
using std::logb;
using std::modf;
using std::nearbyint;
using std::nextafter;
using std::pow;
using std::remainder;
using std::rint;
using std::round;
using std::scalbn;
using std::signbit;
using std::sin;
using std::sinh;
using std::sqrt;
using std::tan;
using std::tanh;
using std::tgamma;
using std::trunc;

// Unlike std::min and std::max, CUDA's take operands of different types, and skip a NaN.
template <class A, class B>
constexpr std::common_type_t<A, B> min(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>)
    return std::fmin(C(a), C(b));
  else
    return C(b) < C(a) ? C(b) : C(a);
}
template <class A, class B>
constexpr std::common_type_t<A, B> max(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>)
    return std::fmax(C(a), C(b));
  else
    return C(a) < C(b) ? C(b) : C(a);
}

inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float rsqrtf(float x) { return rsqrt(x); }
inline float sinpi(float x) { return std::sin(float(M_PI) * x); }
inline double sinpi(double x) { return std::sin(M_PI * x); }
inline float cospi(float x) { return std::cos(float(M_PI) * x); }
inline double cospi(double x) { return std::cos(M_PI * x); }

// j0, j1, y0 and y1 of double numbers are libm's; CUDA has them, and more, for both types.
inline float j0(float x) { return float(j0(double(x))); }
inline float j1(float x) { return float(j1(double(x))); }
inline float y0(float x) { return float(y0(double(x))); }
inline float y1(float x) { return float(y1(double(x))); }
inline double erfcx(double x) {
  if (x < 20.0) return std::exp(x * x) * std::erfc(x);
  const double y = 0.5 / (x * x);
  return (1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y)))) / (x * 1.7724538509055160);
}
inline double erfcinv(double y) {
  if (!(y > 0.0 && y < 2.0)) return y == 0.0 ? INFINITY : y == 2.0 ? -INFINITY : NAN;
  if (y > 1.0) return -erfcinv(2.0 - y);
  const double log_term = std::log(y * (2.0 - y)), half = 4.33 + log_term / 2;
  double x = std::sqrt(std::sqrt(half * half - log_term / 0.147) - half);
  for (int k = 0; k < 6; k++) {  // Halley's steps
    const double step = (y - std::erfc(x)) * std::exp(x * x) * 0.88622692545275801;
    x -= step / (1.0 + x * step);
  }
  return x;
}
inline double erfinv(double y) {
  if (!(std::fabs(y) < 0.5)) return std::copysign(erfcinv(1.0 - std::fabs(y)), y);
  double x = y * 0.88622692545275801;
  for (int k = 0; k < 6; k++) {
    const double step = (std::erf(x) - y) * std::exp(x * x) * 0.88622692545275801;
    x -= step / (1.0 + x * step);
  }
  return x;
}
inline double normcdfinv(double p) { return -1.4142135623730951 * erfcinv(2.0 * p); }
inline float erfcx(float x) { return float(erfcx(double(x))); }
inline float erfinv(float x) { return float(erfinv(double(x))); }
inline float normcdfinv(float x) { return float(normcdfinv(double(x))); }

// The fast intrinsics are exact here: a test cannot depend on their error.
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }

// ---------------------------------------------------------------- bits and loads

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }

namespace hostcuda {
template <class To, class From>
To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
}  // namespace hostcuda

inline int __float_as_int(float x) { return hostcuda::bits<int>(x); }
inline unsigned __float_as_uint(float x) { return hostcuda::bits<unsigned>(x); }
inline float __int_as_float(int x) { return hostcuda::bits<float>(x); }
inline float __uint_as_float(unsigned x) { return hostcuda::bits<float>(x); }
inline long long __double_as_longlong(double x) { return hostcuda::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return hostcuda::bits<double>(x); }
inline int __double2hiint(double x) { return int(hostcuda::bits<unsigned long long>(x) >> 32); }
inline int __double2loint(double x) { return int(hostcuda::bits<unsigned long long>(x)); }
inline double __hiloint2double(int hi, int lo) {
  return hostcuda::bits<double>((unsigned long long)(unsigned)hi << 32 | (unsigned)lo);
}

template <class T>
T __ldg(const T *p) {
  return *p;
}
template <class T>
T __ldcs(const T *p) {
  return *p;
}
template <class T>
void __stcs(T *p, std::common_type_t<T> value) {
  *p = value;
}

// ---------------------------------------------------------------- atomics

// Threads switch at barriers only, so an ordinary read, change and write is atomic.
#define HOSTCUDA_ATOMIC(NAME, NEW)                                                    \
  template <class T>                                                                  \
  std::enable_if_t<std::is_arithmetic_v<T>, T> NAME(T *p, std::common_type_t<T> v) {  \
    T old = *p;                                                                       \
    *p = T(NEW);                                                                      \
    return old;                                                                       \
  }
HOSTCUDA_ATOMIC(atomicAdd, old + v)
HOSTCUDA_ATOMIC(atomicSub, old - v)
HOSTCUDA_ATOMIC(atomicExch, v)
HOSTCUDA_ATOMIC(atomicMin, v < old ? v : old)
HOSTCUDA_ATOMIC(atomicMax, v > old ? v : old)
HOSTCUDA_ATOMIC(atomicAnd, old & v)
HOSTCUDA_ATOMIC(atomicOr, old | v)
HOSTCUDA_ATOMIC(atomicXor, old ^ v)
#undef HOSTCUDA_ATOMIC

template <class T>
T atomicCAS(T *p, std::common_type_t<T> expected, std::common_type_t<T> value) {
  T old = *p;
  if (old == expected) *p = value;
  return old;
}

// ---------------------------------------------------------------- warp shuffles

namespace hostcuda {

template <class T>
T shuffle(T value, unsigned source) {
  static_assert(sizeof(T) <= sizeof exchange[0][0]);
  auto &slots = exchange[warp()];
  std::memcpy(&slots[lane()], &value, sizeof value);
  wait_for_warp();  // every lane has written
  T result;
  std::memcpy(&result, &slots[source % WARP_SIZE], sizeof result);
  wait_for_warp();  // every lane has read: the slots may be used again
  return result;
}

// A shuffle's width cuts the warp into groups; a lane never reads from another group.
inline unsigned group(unsigned width) { return lane() / width * width; }

}  // namespace hostcuda

template <class T>
T __shfl_sync(unsigned, T value, int source, int width = 32) {
  return hostcuda::shuffle(value, hostcuda::group(width) + unsigned(source) % width);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask, int width = 32) {
  unsigned source = hostcuda::lane() ^ mask;
  bool inside = source < hostcuda::group(width) + width;
  return hostcuda::shuffle(value, inside ? source : hostcuda::lane());
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta, int width = 32) {
  unsigned source = hostcuda::lane() + delta;
  bool inside = source < hostcuda::group(width) + width;
  return hostcuda::shuffle(value, inside ? source : hostcuda::lane());
}
template <class T>
T __shfl_up_sync(unsigned, T value, unsigned delta, int width = 32) {
  unsigned here = hostcuda::lane();
  bool inside = here >= hostcuda::group(width) + delta;
  return hostcuda::shuffle(value, inside ? here - delta : here);
}

inline unsigned __ballot_sync(unsigned, int predicate) {
  unsigned votes = 0;
  for (unsigned source = 0; source < hostcuda::WARP_SIZE; source++)
    votes |= unsigned(hostcuda::shuffle(predicate != 0, source)) << source;
  return votes;
}
inline int __any_sync(unsigned mask, int predicate) {
  return (__ballot_sync(mask, predicate) & mask) != 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return (__ballot_sync(mask, predicate) & mask) == mask;
}

// ---------------------------------------------------------------- entry

namespace hostcuda {

// cuLaunchKernel passes an array of pointers to arguments; a kernel wants the arguments.
template <auto kernel>
struct Entry;

template <class... Parameters, void (*kernel)(Parameters...)>
struct Entry<kernel> {
  template <std::size_t... I>
  static void call(void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<std::remove_reference_t<Parameters>> *>(arguments[I])...);
  }
  static void run_thread(void **arguments) {
    call(arguments, std::index_sequence_for<Parameters...>{});
  }
  static constexpr unsigned parameters = sizeof...(Parameters);
  static constexpr unsigned sizes[parameters + 1] = {
      sizeof(std::remove_cv_t<std::remove_reference_t<Parameters>>)..., 0};
};

}  // namespace hostcuda

// A source ends with one of these a kernel.  They alone stay visible under -fwhole-program.
#define HOSTCUDA_EXPORT(SYMBOL, POINTER, NAME, HAS_BARRIER)                              \
  extern "C" __attribute__((externally_visible, used)) const hostcuda::Kernel SYMBOL = { \
      hostcuda::Entry<POINTER>::run_thread, HAS_BARRIER, #NAME,                            \
      hostcuda::Entry<POINTER>::parameters, hostcuda::Entry<POINTER>::sizes};
