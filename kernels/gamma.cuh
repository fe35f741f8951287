// The logarithmic derivative of the gamma function, Hurwitz' zeta function, and the incomplete
// gamma functions.
namespace gpugrad {

// After steps of the recurrence up to 10 the asymptotic series, below 0 the reflection: formulas
// 5.5.2, 5.5.4 and 5.11.2 of the NIST Digital Library of Mathematical Functions (DLMF).
template <typename T> __device__ inline T digamma(T x) {
  if (x == T(0)) return copysign(T(CUDART_INF), -x);
  T sum = T(0);
  if (x < T(0)) {
    const T part = x - floor(x);
    if (part == T(0)) return T(CUDART_NAN);
    sum = T(-3.1415926535897932) / tan(T(3.1415926535897932) * part);
    x = T(1) - x;
  }
  for (; x < T(10); x += T(1)) sum -= T(1) / x;
  const T y = T(1) / (x * x);
  const T series =
      y * (T(1. / 12) - y * (T(1. / 120) - y * (T(1. / 252) - y * (T(1. / 240) - y * (T(1. / 132) -
      y * (T(691. / 32760) - y * T(1. / 12)))))));
  return sum + log(x) - T(0.5) / x - series;
}

// The derivative of digamma, by the derivatives of the same formulas.
template <typename T> __device__ inline T trigamma(T x) {
  T sign = T(1), sum = T(0);
  if (x < T(0.5)) {
    const T slope = T(3.1415926535897932) / sin(T(3.1415926535897932) * (x - floor(x)));
    sum = -slope * slope;
    sign = T(-1);
    x = T(1) - x;
  }
  for (; x < T(10); x += T(1)) sum += T(1) / (x * x);
  const T y = T(1) / (x * x);
  const T series =
      y * (T(1. / 6) - y * (T(1. / 30) - y * (T(1. / 42) - y * (T(1. / 30) - y * (T(5. / 66) -
      y * (T(691. / 2730) - y * T(7. / 6)))))));
  return sign * (sum + (T(1) + T(0.5) / x + series) / x);
}

// B(2 j) / (2 j)! for j = 1, 2, ..., where B are Bernoulli's numbers
__device__ const double ZETA_TERMS[] = {
    1. / 12, -1. / 720, 1. / 30240, -1. / 1209600, 1. / 47900160, -691. / 1307674368000,
    1. / 74724249600, -3617. / 10670622842880000, 43867. / 5109094217170944000,
    -174611. / 802857662698291200000.,
};

// The sum of (q + k) ** -s over k = 0, 1, ..., by the formula of Euler and Maclaurin: DLMF 25.11.5.
// At s = 1 and at q = 0, -1, ... inf; nan where s < 1, and where s is no integer and q < 0.
template <typename T> __device__ inline T zeta(T s, T q) {
  if (s == T(1)) return T(CUDART_INF);
  if (s < T(1)) return T(CUDART_NAN);
  if (q <= T(0)) {
    if (q == floor(q)) return T(CUDART_INF);
    if (s != floor(s)) return T(CUDART_NAN);
  }
  if (isnan(s)) return s;
  if (isinf(q)) return T(0);
  if (isinf(s)) return power(q, -s);
  T sum = T(0);
  for (int k = 0; k < 9 || q < T(10); k++, q += T(1)) sum += power(q, -s);
  const T last = power(q, -s);
  sum += last * (q / (s - T(1)) + T(0.5));
  T factor = last * s / q;
  for (int j = 0; j < 10; j++) {
    const T term = factor * T(ZETA_TERMS[j]);
    sum += term;
    if (fabs(term) < T(1e-17) * fabs(sum)) break;
    factor *= (s + T(2 * j + 1)) * (s + T(2 * j + 2)) / (q * q);
  }
  return sum;
}

namespace incomplete {

// x - log(1 + x) without the loss of what is small
__device__ inline double excess(double x) {
  if (!(fabs(x) < 0.05)) return x - log1p(x);
  double sum = 0;
  for (int k = 14; k > 1; k--) sum = 1.0 / k - x * sum;
  return x * x * sum;
}

// log(gamma(1 + a)) for a > 0, by its power series where it is small: DLMF 5.7.3
__device__ inline double lgamma1p(double a) {
  if (a > 0.005) return lgamma(1.0 + a);
  return a * (-0.57721566490153286 + a * (0.82246703342411322 + a * (-0.40068563438653143 +
      a * (0.27058080842778455 + a * (-0.20738555102867399 + a * 0.16955717699740819)))));
}

// x ** a exp(-x) / gamma(a + 1), for a large by Stirling's series: DLMF 5.11.1
__device__ inline double density(double a, double x) {
  if (a < 20) return exp(a * log(x) - x - lgamma1p(a));
  const double y = 1 / (a * a);
  const double rest = (1. / 12 - y * (1. / 360 - y * (1. / 1260 - y * (1. / 1680)))) / a;
  return exp(-a * excess((x - a) / a) - rest) / sqrt(6.2831853071795865 * a);
}

// P by its power series: DLMF 8.7.1 and 8.5.1
__device__ inline double lower(double a, double x) {
  double term = 1, sum = 1;
  for (int k = 1; k < 20000 && term > 1e-17 * sum; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return density(a, x) * sum;
}

// Q for small a and x, where it is the small difference of 1 and P: DLMF 8.7.3
__device__ inline double small_upper(double a, double x) {
  const double log_power = a * log(x) - lgamma1p(a);
  double factor = 1, sum = 0;
  for (int k = 1; k < 100; k++) {
    factor *= -x / k;
    const double term = factor * (a / (a + k));
    sum += term;
    if (fabs(term) <= 1e-17 * fabs(sum)) break;
  }
  return -::expm1(log_power) - exp(log_power) * sum;
}

// Q by its continued fraction, DLMF 8.9.2, in the way of Lentz 1976
__device__ inline double fraction(double a, double x) {
  double b = x + 1 - a, c = 1e300, d = 1 / b, found = d;
  for (int k = 1; k < 20000; k++) {
    const double numerator = k * (a - k);
    b += 2;
    d = numerator * d + b;
    c = b + numerator / c;
    d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    if (fabs(c) < 1e-300) c = 1e-300;
    found *= d * c;
    if (fabs(d * c - 1) < 1e-16) break;
  }
  return density(a, x) * a * found;
}

// Coefficients of the expansion for large a by powers of eta: Temme 1979, "The Asymptotic Expansion
// of the Incomplete Gamma Functions", SIAM J. Math. Anal. 10; DLMF 8.12.
__device__ const double TEMME_0[] = {
    -0.33333333333333333, 0.083333333333333333, -0.014814814814814815, 0.0011574074074074073,
    0.00035273368606701940, -0.00017875514403292180, 3.9192631785224378e-05,
    -2.1854485106799922e-06, -1.8540622107151600e-06, 8.2967113409530860e-07,
};
__device__ const double TEMME_1[] = {
    -0.0018518518518518519, -0.0034722222222222222, 0.0026455026455026455, -0.00099022633744855967,
    0.00020576131687242798, -4.0187757201646091e-07, -1.8098550334489978e-05,
};

// P, or Q, for a > 20000
__device__ inline double large(double a, double x, bool upper) {
  const double mu = (x - a) / a, eta = copysign(sqrt(2 * excess(mu)), mu);
  const double tail = erfc((upper ? eta : -eta) * sqrt(a / 2)) / 2;
  if (fabs(eta) > 0.3) return tail;  // what follows has vanished
  double first = 0, second = 0;
  for (int k = 9; k >= 0; k--) first = TEMME_0[k] + eta * first;
  for (int k = 6; k >= 0; k--) second = TEMME_1[k] + eta * second;
  const double sum = first + (second + 0.0041335978835978836 / a) / a;
  const double rest = exp(-a * eta * eta / 2) / sqrt(6.2831853071795865 * a) * sum;
  return upper ? tail + rest : tail - rest;
}

__device__ inline double gamma(double a, double x, bool upper) {
  if (!(a >= 0) || !(x >= 0)) return CUDART_NAN;
  if (a == 0) return x > 0 ? double(!upper) : CUDART_NAN;
  if (x == 0) return double(upper);
  if (isinf(a)) return isinf(x) ? CUDART_NAN : double(upper);
  if (isinf(x)) return double(!upper);
  if (a > 20000) return large(a, x, upper);
  if (!upper) return x > 1 && x > a ? 1 - fraction(a, x) : lower(a, x);
  if (x > 1.1) return x > a ? fraction(a, x) : 1 - lower(a, x);
  return a > (x > 0.5 ? 1.1 * x : -0.4 / log(x)) ? 1 - lower(a, x) : small_upper(a, x);
}

}  // namespace incomplete

// In double precision, whatever the type: powers lose digits.
template <typename T> __device__ inline T gammainc(T a, T x) {
  return T(incomplete::gamma(double(a), double(x), false));
}
template <typename T> __device__ inline T gammaincc(T a, T x) {
  return T(incomplete::gamma(double(a), double(x), true));
}

}  // namespace gpugrad
