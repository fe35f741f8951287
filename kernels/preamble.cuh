// The few device functions that formulas use and CUDA's headers lack.  What is compared is compared
// without branches where a formula may be a loop of the CPU's.
namespace gpugrad {

// types of one word, as a conversion T(x) needs
using uint8 = unsigned char;
using int8 = signed char;
using uint16 = unsigned short;
using uint32 = unsigned int;
using int64 = long long;
using uint64 = unsigned long long;

template <typename T> __device__ inline bool truth(T x) { return x != T(0); }

// for every type: CUDA's own are ambiguous for integers
template <typename T> __device__ inline bool isnan(T x) { return x != x; }
template <typename T> __device__ inline bool isinf(T x) { return (x == x) & (x - x != x - x); }
template <typename T> __device__ inline bool isinf(complex<T> z) {
  return isinf(z.real()) || isinf(z.imag());
}

// CUDA's own is ambiguous for these
template <typename T> __device__ inline T absolute(T x) { return abs(x); }
template <typename T> __device__ inline T absolute(complex<T> z) { return abs(z); }
__device__ inline uint32 absolute(uint32 x) { return x; }
__device__ inline uint64 absolute(uint64 x) { return x; }

// nan wins, as in NumPy and PyTorch
template <typename T> __device__ inline T maximum(T x, T y) { return (x != x) | (x > y) ? x : y; }
template <typename T> __device__ inline T minimum(T x, T y) { return (x != x) | (x < y) ? x : y; }

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

// powers and logarithms to base 2, which CUDA's complex lacks
template <typename T> __device__ inline complex<T> exp2(complex<T> z) {
  return exp(z * T(0.6931471805599453));
}
template <typename T> __device__ inline complex<T> log2(complex<T> z) {
  return log(z) * T(1.4426950408889634);
}

// Whole numbers near a number: integers are whole already.
template <typename T> __device__ inline T ceil(T x) { return x; }
template <typename T> __device__ inline T floor(T x) { return x; }
template <typename T> __device__ inline T trunc(T x) { return x; }
template <typename T> __device__ inline T rint(T x) { return x; }
__device__ inline float ceil(float x) { return ceilf(x); }
__device__ inline float floor(float x) { return floorf(x); }
__device__ inline float trunc(float x) { return truncf(x); }
__device__ inline float rint(float x) { return rintf(x); }
__device__ inline double ceil(double x) { return ::ceil(x); }
__device__ inline double floor(double x) { return ::floor(x); }
__device__ inline double trunc(double x) { return ::trunc(x); }
__device__ inline double rint(double x) { return ::rint(x); }

// Quotients and what they leave.  Those of floating point numbers follow from the remainder, which
// is exact; integers divided by 0 give 0.
template <typename T> __device__ inline T fmod(T x, T y) { return y == T(0) ? T(0) : T(x % y); }
__device__ inline float fmod(float x, float y) { return fmodf(x, y); }
__device__ inline double fmod(double x, double y) { return ::fmod(x, y); }
template <typename T> __device__ inline T remainder(T x, T y) {
  const T rest = fmod(x, y);
  return rest != T(0) && (rest < T(0)) != (y < T(0)) ? T(rest + y) : rest;
}
template <typename T> __device__ inline T modulo(T x, T y) {  // a 0 has the sign of y
  const T rest = remainder(x, y);
  return rest == T(0) ? (y < T(0) ? -T(0) : T(0)) : rest;
}
template <typename T> __device__ inline T trunc_divide(T x, T y) {
  return y == T(0) ? T(0) : T(x / y);
}
__device__ inline float trunc_divide(float x, float y) { return truncf(x / y); }
__device__ inline double trunc_divide(double x, double y) { return ::trunc(x / y); }
template <typename T> __device__ inline T floor_divide(T x, T y) {
  if (y == T(0)) return T(0);
  return T(x / y - T(x % y != T(0) && (x < T(0)) != (y < T(0))));
}
template <typename T> __device__ inline T floor_quotient(T x, T y) {
  if (y == T(0)) return x / y;
  const T rest = fmod(x, y);
  T quotient = (x - rest) / y;
  if (rest != T(0) && (rest < T(0)) != (y < T(0))) quotient -= T(1);
  if (quotient == T(0)) return copysign(T(0), x / y);
  const T below = floor(quotient);
  return quotient - below > T(0.5) ? below + T(1) : below;
}
__device__ inline float floor_divide(float x, float y) { return floor_quotient(x, y); }
__device__ inline double floor_divide(double x, double y) { return floor_quotient(x, y); }

// what is no nan wins
template <typename T> __device__ inline T fmax(T x, T y) { return (y != y) | (x >= y) ? x : y; }
template <typename T> __device__ inline T fmin(T x, T y) { return (y != y) | (x <= y) ? x : y; }

template <typename T> __device__ inline bool isfinite(T x) { return x - x == T(0); }
template <typename T> __device__ inline bool isfinite(complex<T> z) {
  return isfinite(z.real()) && isfinite(z.imag());
}
// other numbers for nan, inf and -inf, in each part of a complex number
template <typename T> __device__ inline T replacing(T x, T lost, T high, T low) {
  return x != x ? lost : !isinf(x) ? x : x > T(0) ? high : low;
}
template <typename T> __device__ inline complex<T> replacing(complex<T> z, T lost, T high, T low) {
  return complex<T>(replacing(z.real(), lost, high, low), replacing(z.imag(), lost, high, low));
}

template <typename T> __device__ inline bool signbit(T x) { return x < T(0); }
__device__ inline bool signbit(float x) { return copysignf(1.0f, x) < 0.0f; }
__device__ inline bool signbit(double x) { return ::copysign(1.0, x) < 0.0; }

// Fraction and exponent; those of inf and nan are the number itself and 0.
__device__ inline float fraction(float x) {
  int exponent;
  return x - x == 0.0f ? frexpf(x, &exponent) : x;
}
__device__ inline double fraction(double x) {
  int exponent;
  return x - x == 0.0 ? frexp(x, &exponent) : x;
}
__device__ inline float exponent(float x) {
  int exponent = 0;
  if (x - x == 0.0f) frexpf(x, &exponent);
  return exponent;
}
__device__ inline double exponent(double x) {
  int exponent = 0;
  if (x - x == 0.0) frexp(x, &exponent);
  return exponent;
}

// Bits moved by any number of places; integers narrower than int are computed in that.
template <typename T> __device__ inline T left_shift(T x, T y) {
  const bool inside = T(0) <= y && y < T(8 * sizeof(T));
  return inside ? T((unsigned long long)(x) << y) : T(0);
}
template <typename T> __device__ inline T right_shift(T x, T y) {
  const bool inside = T(0) <= y && y < T(8 * sizeof(T));
  return inside ? T(x >> y) : x < T(0) ? T(-1) : T(0);
}

template <typename T> __device__ inline T gcd(T x, T y) {
  while (y != T(0)) {
    const T rest = x % y;
    x = y;
    y = rest;
  }
  return x < T(0) ? T(-x) : x;
}
template <typename T> __device__ inline T lcm(T x, T y) {
  const T divisor = gcd(x, y);
  if (divisor == T(0)) return T(0);
  const auto multiple = x / divisor * y;  // of few bits are int here, as in PyTorch
  return T(multiple < 0 ? -multiple : multiple);
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
