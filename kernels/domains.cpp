// The C library's functions, without the slow way that their vectors have for arguments at the edge
// of a domain or beyond it.  Elsewhere they are the library's.
namespace gpugrad {

// What a function is at the edge of its domain, and nan beyond.
template <typename T> inline T outside(bool edge, T value) { return edge ? value : T(CUDART_NAN); }

#define LOGARITHM(NAME, EDGE)                                   \
  template <typename T> inline T bounded_##NAME(T x) {          \
    const bool inside = x > T(EDGE);                            \
    const T found = ::NAME(inside ? x : T(1));                    \
    return inside ? found : outside(x == T(EDGE), T(-CUDART_INF)); \
  }
LOGARITHM(log, 0)  // what exponential.cpp lacks
LOGARITHM(log2, 0)
LOGARITHM(log10, 0)
LOGARITHM(log1p, -1)
#undef LOGARITHM

#define UP_TO_ONE(NAME)                                \
  template <typename T> inline T bounded_##NAME(T x) { \
    const bool inside = fabs(x) <= T(1);               \
    const T found = ::NAME(inside ? x : T(0));           \
    return inside ? found : T(CUDART_NAN);             \
  }
UP_TO_ONE(acos)
UP_TO_ONE(asin)
#undef UP_TO_ONE

template <typename T> inline T bounded_atanh(T x) {
  const bool inside = fabs(x) < T(1);
  const T found = ::atanh(inside ? x : T(0));
  return inside ? found : outside(fabs(x) == T(1), x * T(CUDART_INF));
}
template <typename T> inline T bounded_acosh(T x) {
  const bool inside = x >= T(1);
  const T found = ::acosh(inside ? x : T(1));
  return inside ? found : T(CUDART_NAN);
}

// The bits of the next number away from 0 are those of the next whole number.
template <typename T, typename Bits> inline T neighbour(T x, T y) {
  union { T number; Bits bits; } found, least;
  found.number = x;
  found.bits += (x < y) == (x > T(0)) ? 1 : -1;
  least.bits = 1;
  const T moved = x == T(0) ? (y > T(0) ? least.number : -least.number) : found.number;
  return x == y ? y : (x != x) | (y != y) ? x + y : moved;
}
inline float nextafter(float x, float y) { return neighbour<float, int>(x, y); }
inline double nextafter(double x, double y) { return neighbour<double, long>(x, y); }

}  // namespace gpugrad
#define nextafter(x, y) gpugrad::nextafter(x, y)
#define log(x) gpugrad::bounded_log(x)
#define log2(x) gpugrad::bounded_log2(x)
#define log10(x) gpugrad::bounded_log10(x)
#define log1p(x) gpugrad::bounded_log1p(x)
#define acos(x) gpugrad::bounded_acos(x)
#define asin(x) gpugrad::bounded_asin(x)
#define atanh(x) gpugrad::bounded_atanh(x)
#define acosh(x) gpugrad::bounded_acosh(x)
