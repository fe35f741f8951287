// The exponential: of floats in vectors without a call, of doubles the library's without the slow
// way that its vectors have where it is subnormal or 0, which is where softmax masks and sigmoid
// saturates.
namespace gpugrad {

// x * y + z, by one instruction where there is one
inline float fused(float x, float y, float z) {
#ifdef __FMA__
  return __builtin_fmaf(x, y, z);
#else
  return x * y + z;
#endif
}

// exp(x) = 2 ** n * exp(r) with r at most log(2) / 2 from 0; within 1 unit in the last place.
// Source: S. L. Moshier, Cephes, expf.c, for the polynomial and for log(2) in two parts.
inline float bounded_exp(float x) {
  float inside = x > 89.0f ? 89.0f : x;  // infinite
  inside = inside < -104.0f ? -104.0f : inside;  // 0
  union { float number; int bits; } whole, half, rest;
  whole.number = fused(inside, 1.44269504088896341f, 12582912.0f);  // whose last bits are n
  const float n = whole.number - 12582912.0f;
  const float r = fused(n, 2.12194440e-4f, fused(n, -0.693359375f, inside));
  float y = 1.9875691500e-4f;
  y = fused(y, r, 1.3981999507e-3f);
  y = fused(y, r, 8.3334519073e-3f);
  y = fused(y, r, 4.1665795894e-2f);
  y = fused(y, r, 1.6666665459e-1f);
  y = fused(y, r, 5.0000001201e-1f);
  y = fused(y, r * r, r) + 1.0f;
  const int power = whole.bits - 0x4b400000;
  half.bits = ((power >> 1) + 127) << 23;  // two factors, of which none is subnormal or infinite
  rest.bits = (power - (power >> 1) + 127) << 23;
  return y * half.number * rest.number;
}

inline double bounded_exp(double x) {
  const bool small = x < -708.0;
  double inside = small ? x + 512.0 : x;  // exact
  inside = inside < -708.0 ? -708.0 : inside;  // times the factor that is 0, too
  return exp(inside) * (small ? 4.377491037053051e-223 : 1.0);  // exp(-512)
}

}  // namespace gpugrad
#define exp gpugrad::bounded_exp
