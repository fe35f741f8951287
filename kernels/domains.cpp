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
LOGARITHM(log, 0)
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

}  // namespace gpugrad
#define log(x) gpugrad::bounded_log(x)
#define log2(x) gpugrad::bounded_log2(x)
#define log10(x) gpugrad::bounded_log10(x)
#define log1p(x) gpugrad::bounded_log1p(x)
#define acos(x) gpugrad::bounded_acos(x)
#define asin(x) gpugrad::bounded_asin(x)
#define atanh(x) gpugrad::bounded_atanh(x)
#define acosh(x) gpugrad::bounded_acosh(x)
