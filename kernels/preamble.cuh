// The few device functions that formulas use and CUDA's headers lack.
namespace gpugrad {

// types of one word, as a conversion T(x) needs
using uint8 = unsigned char;
using int8 = signed char;
using int64 = long long;

template <typename T> __device__ inline bool truth(T x) { return x != T(0); }

// for every type: CUDA's own are ambiguous for integers
template <typename T> __device__ inline bool isnan(T x) { return x != x; }
template <typename T> __device__ inline bool isinf(T x) { return x == x && x - x != x - x; }
template <typename T> __device__ inline bool isinf(complex<T> z) {
  return isinf(z.real()) || isinf(z.imag());
}

// nan wins, as in NumPy and PyTorch
template <typename T> __device__ inline T maximum(T x, T y) { return (x != x || x > y) ? x : y; }
template <typename T> __device__ inline T minimum(T x, T y) { return (x != x || x < y) ? x : y; }

// sign(nan) is 0 as in PyTorch
template <typename T> __device__ inline T sign(T x) { return T(T(0) < x) - T(x < T(0)); }
// A complex number's sign lies on the unit circle, also where its size is not in the range of T; it
// is nan where a part is infinite, as in PyTorch.
template <typename T> __device__ inline complex<T> sign(complex<T> z) {
  const T largest = maximum(fabs(z.real()), fabs(z.imag()));
  if (largest == T(0)) return complex<T>(0);
  const T unit = isinf(largest) ? T(CUDART_NAN) : largest;
  const complex<T> near_one(z.real() / unit, z.imag() / unit);
  return near_one / abs(near_one);
}

// of a real number 0 or pi, for -0 too; nan is nan
template <typename T> __device__ inline T angle(T x) {
  return x != x ? x : x < T(0) ? T(3.141592653589793) : T(0);
}
template <typename T> __device__ inline T angle(complex<T> z) { return atan2(z.imag(), z.real()); }

// exp(z) - 1 without the loss of what is small: exp(x) cos(y) - 1 is expm1(x) cos(y) - 2 sin(y/2)^2
template <typename T> __device__ inline complex<T> expm1(complex<T> z) {
  const T half = sin(z.imag() / T(2));
  return complex<T>(
      ::expm1(z.real()) * cos(z.imag()) - T(2) * half * half, exp(z.real()) * sin(z.imag()));
}

// the power of two that is at most a positive number, but no subnormal one; 1 for 0
__device__ inline float binade(float x) {
  if (x == 0.0f) return 1.0f;
  return x - x == 0.0f ? ldexpf(1.0f, ::max(ilogbf(x), -126)) : 1.7014118e38f;
}
__device__ inline double binade(double x) {
  if (x == 0.0) return 1.0;
  return x - x == 0.0 ? ldexp(1.0, ::max(ilogb(x), -1022)) : 8.98846567431158e307;
}

template <typename T> __device__ inline T invert(T x) { return ~x; }
__device__ inline bool invert(bool x) { return !x; }

__device__ inline float power(float x, float y) { return powf(x, y); }
__device__ inline double power(double x, double y) { return pow(x, y); }

// an integer to a negative power is what truncation leaves of it
template <typename T> __device__ inline T power(T x, T y) {
  if (y < T(0)) return x == T(1) ? T(1) : x == T(-1) ? (y % T(2) ? x : T(1)) : T(0);
  T result = 1;
  for (; y > T(0); y /= T(2), x *= x)
    if (y % T(2)) result *= x;
  return result;
}

}  // namespace gpugrad
