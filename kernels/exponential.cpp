// Exponentials, logarithms, tanh and the error function in vectors without a call, and without the
// slow way that the library's vectors have where results are subnormal, infinite or 0, which is where
// softmax masks and sigmoid saturates.  They are inlined always: no loop of vectors has a call.
namespace gpugrad {

// x * y + z, by one instruction where there is one
inline float fused(float x, float y, float z) {
#ifdef __FMA__
  return __builtin_fmaf(x, y, z);
#else
  return x * y + z;
#endif
}
inline double fused(double x, double y, double z) {
#ifdef __FMA__
  return __builtin_fma(x, y, z);
#else
  return x * y + z;
#endif
}

// exp(x) = 2 ** n * exp(r) with r at most log(2) / 2 from 0; within 1 unit in the last place.
// Source: S. L. Moshier, Cephes, expf.c and logf.c, for the polynomials and for log(2) in two parts.
struct FloatPower {
  float rest;  // exp(r) - 1
  int power;   // n

  [[gnu::always_inline]] explicit FloatPower(float x) {
    union { float number; int bits; } whole;
    whole.number = fused(x, 1.44269504088896341f, 12582912.0f);  // whose last bits are n
    const float n = whole.number - 12582912.0f;
    const float r = fused(n, 2.12194440e-4f, fused(n, -0.693359375f, x));
    float y = 1.9875691500e-4f;
    y = fused(y, r, 1.3981999507e-3f);
    y = fused(y, r, 8.3334519073e-3f);
    y = fused(y, r, 4.1665795894e-2f);
    y = fused(y, r, 1.6666665459e-1f);
    y = fused(y, r, 5.0000001201e-1f);
    rest = fused(y, r * r, r);
    power = whole.bits - 0x4b400000;
  }
};

[[gnu::always_inline]] inline float bounded_exp(float x) {
  float inside = x > 89.0f ? 89.0f : x;  // infinite
  inside = inside < -104.0f ? -104.0f : inside;  // 0
  const FloatPower found(inside);
  union { float number; int bits; } half, rest;
  half.bits = ((found.power >> 1) + 127) << 23;  // two factors, neither subnormal nor infinite
  rest.bits = (found.power - (found.power >> 1) + 127) << 23;
  return (found.rest + 1.0f) * half.number * rest.number;
}

// Half of 2 ** n * (exp(r) - 1) + (2 ** n - 1), doubled, since 2 ** 128 is infinite.
[[gnu::always_inline]] inline float bounded_expm1(float x) {
  float inside = x > 89.0f ? 89.0f : x;
  inside = inside < -18.0f ? -18.0f : inside;  // -1
  const FloatPower found(inside);
  union { float number; int bits; } half;
  half.bits = (found.power + 126) << 23;
  const float far = 2.0f * fused(half.number, found.rest, half.number - 0.5f);
  const float near = fabs(x) < 1e-30f ? x : found.rest;
  return found.power == 0 ? near : far;
}

[[gnu::always_inline]] inline double bounded_expm1(double x) { return ::expm1(x); }

// The same of doubles: the polynomial is the sum of 14 terms.
struct DoublePower {
  double rest;
  unsigned long power;  // n + 2048, positive

  [[gnu::always_inline]] explicit DoublePower(double x) {
    union { double number; unsigned long bits; } whole;
    whole.number = fused(x, 1.4426950408889634, 6755399441055744.0);
    const double n = whole.number - 6755399441055744.0;
    const double r = fused(n, -1.9082149292705877e-10, fused(n, -6.93147180369123816490e-1, x));
    double y = 1.6059043836821613e-10;  // 1 / 13!
    y = fused(y, r, 2.08767569878681e-9);
    y = fused(y, r, 2.505210838544172e-8);
    y = fused(y, r, 2.755731922398589e-7);
    y = fused(y, r, 2.7557319223985893e-6);
    y = fused(y, r, 2.48015873015873e-5);
    y = fused(y, r, 1.984126984126984e-4);
    y = fused(y, r, 1.388888888888889e-3);
    y = fused(y, r, 8.333333333333333e-3);
    y = fused(y, r, 4.1666666666666664e-2);
    y = fused(y, r, 1.6666666666666666e-1);
    y = fused(y, r, 0.5);
    rest = fused(y, r * r, r);
    power = whole.bits - 0x4338000000000000 + 2048;
  }
};

[[gnu::always_inline]] inline double bounded_exp(double x) {
  double inside = x > 710.0 ? 710.0 : x;
  inside = inside < -746.0 ? -746.0 : inside;
  const DoublePower found(inside);
  union { double number; unsigned long bits; } half, rest;
  half.bits = ((found.power >> 1) - 1024 + 1023) << 52;
  rest.bits = (found.power - (found.power >> 1) - 1024 + 1023) << 52;
  return (found.rest + 1.0) * half.number * rest.number;
}

// tanh(|x|) = -e / (2 + e) with e = exp(-2 * |x|) - 1; within 2.6 units in the last place.
[[gnu::always_inline]] inline double bounded_tanh(double x) {
  const double twice = -2.0 * fabs(x);
  const DoublePower found(twice < -40.0 ? -40.0 : twice);  // -1
  union { double number; unsigned long bits; } scale;
  scale.bits = (found.power - 2048 + 1023) << 52;
  const double e = fused(scale.number, found.rest, scale.number - 1.0);
  return copysign(e / (e + 2.0), x);
}

#ifdef __AVX512F__  // in which the library is quicker
[[gnu::always_inline]] inline float bounded_tanh(float x) { return ::tanh(x); }
#else
[[gnu::always_inline]] inline float bounded_tanh(float x) {
  const float twice = -2.0f * fabs(x);
  const FloatPower found(twice < -20.0f ? -20.0f : twice);
  union { float number; int bits; } scale;
  scale.bits = (found.power + 127) << 23;
  const float e = fused(scale.number, found.rest, scale.number - 1.0f);
  return copysign(e / (e + 2.0f), x);
}
#endif

// erf(x) is x and x times a polynomial of x * x, or far from 0 1 - exp(-(x and x times one of x));
// within 1.5 units in the last place.  The polynomials are fitted by least squares whose weights were
// changed until the largest relative error was least: 5e-10 and 8e-10.
[[gnu::always_inline]] inline float bounded_erf(float x) {
  const float size = fabs(x), square = x * x;
  float near = 8.316774466e-5f;
  near = fused(near, square, -8.130012493e-4f);
  near = fused(near, square, 5.199906654e-3f);
  near = fused(near, square, -2.685894150e-2f);
  near = fused(near, square, 1.128368719e-1f);
  near = fused(near, square, -3.761263319e-1f);
  near = fused(near, square, 1.283791666e-1f);
  near = fused(near, x, x);
  const float t = size > 4.0f ? 4.0f : size;  // 1
  float far = 1.083826874e-5f;
  far = fused(far, t, -3.188822562e-4f);
  far = fused(far, t, 3.626568129e-3f);
  far = fused(far, t, -2.372857689e-2f);
  far = fused(far, t, 1.061981546e-1f);
  far = fused(far, t, 6.351746321e-1f);
  far = fused(far, t, 1.286427747e-1f);
  const FloatPower power(-fused(far, t, t));
  union { float number; int bits; } scale;
  scale.bits = (power.power + 127) << 23;
  far = 1.0f - fused(power.rest, scale.number, scale.number);
  far = x < 0.0f ? -far : far;
  return size > 0.93f ? far : near;
}
[[gnu::always_inline]] inline double bounded_erf(double x) { return ::erf(x); }

// log(x) = n * log(2) + log(1 + f) with 1 + f between the roots of 1/2 and of 2; within 1 unit in
// the last place.
#ifdef __AVX512F__  // of shorter vectors the library is quicker
[[gnu::always_inline]] inline float bounded_log(float x) {
  const bool small = x < 1.17549435e-38f;
  union { float number; int bits; } scaled;
  scaled.number = small ? x * 8388608.0f : x;
  const int power = (scaled.bits - 0x3f3504f3) >> 23;
  scaled.bits -= power << 23;
  const float n = float(power - (small ? 23 : 0));
  const float f = scaled.number - 1.0f;
  float y = 7.0376836292e-2f;
  y = fused(y, f, -1.1514610310e-1f);
  y = fused(y, f, 1.1676998740e-1f);
  y = fused(y, f, -1.2420140846e-1f);
  y = fused(y, f, 1.4249322787e-1f);
  y = fused(y, f, -1.6668057665e-1f);
  y = fused(y, f, 2.0000714765e-1f);
  y = fused(y, f, -2.4999993993e-1f);
  y = fused(y, f, 3.3333331174e-1f);
  y = fused(n, -2.12194440e-4f, y * f * (f * f));
  y = fused(f * f, -0.5f, y);
  y = fused(n, 0.693359375f, f + y);
  y = x < CUDART_INF ? y : x;  // infinite, or nan
  return x > 0.0f ? y : x == 0.0f ? float(-CUDART_INF) : float(CUDART_NAN);
}
#endif

// Source: Sun Microsystems 1993, FDLIBM, e_log.c.
[[gnu::always_inline]] inline double bounded_log(double x) {
  const bool small = x < 2.2250738585072014e-308;
  union { double number; long bits; } scaled, known;
  scaled.number = small ? x * 18014398509481984.0 : x;
  const unsigned long above = scaled.bits - 0x3fe6a09e667f3bcd + (1022l << 52);  // positive
  const unsigned long power = above >> 52;
  scaled.bits -= (long(power) - 1022) << 52;
  known.bits = 0x4330000000000000 + long(power);  // 2 ** 52 more
  const double n = known.number - (small ? 4503599627371572.0 : 4503599627371518.0);
  const double f = scaled.number - 1.0;
  const double s = f / (2.0 + f), z = s * s;
  double y = 1.479819860511658591e-1;
  y = fused(y, z, 1.531383769920937332e-1);
  y = fused(y, z, 1.818357216161805012e-1);
  y = fused(y, z, 2.222219843214978396e-1);
  y = fused(y, z, 2.857142874366239149e-1);
  y = fused(y, z, 3.999999999940941908e-1);
  y = fused(y, z, 6.666666666666735130e-1);
  const double square = 0.5 * f * f;
  y = fused(s, fused(y, z, square), n * 1.90821492927058770002e-10);
  y = fused(n, 6.93147180369123816490e-1, f - (square - y));
  y = x < CUDART_INF ? y : x;
  return x > 0.0 ? y : x == 0.0 ? -CUDART_INF : CUDART_NAN;
}

}  // namespace gpugrad
#define exp gpugrad::bounded_exp
#define erf(x) gpugrad::bounded_erf(x)
#define expm1(x) gpugrad::bounded_expm1(x)
#define tanh(x) gpugrad::bounded_tanh(x)
