// The exponential, without the slow way that its vectors have where it is subnormal or 0, which is
// where softmax masks and sigmoid saturates.  Elsewhere it is the library's.
namespace gpugrad {

template <typename T> inline T exponential(T x, T low, T shift, T factor) {
  const bool small = x < low;
  T inside = small ? x + shift : x;  // exact
  inside = inside < low ? low : inside;  // times the factor that is 0, too
  return exp(inside) * (small ? factor : T(1));
}
// the factors are exp(-64) and exp(-512)
inline float bounded_exp(float x) { return exponential(x, -87.0f, 64.0f, 1.6038109e-28f); }
inline double bounded_exp(double x) {
  return exponential(x, -708.0, 512.0, 4.377491037053051e-223);
}

}  // namespace gpugrad
#define exp gpugrad::bounded_exp
