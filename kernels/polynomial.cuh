// Orthogonal polynomials by their recurrences, formulas 18.9.1 and 18.9.2 of the NIST Digital
// Library of Mathematical Functions.  A degree is cut to a whole number; below 0 there is nothing.
namespace gpugrad {

// The polynomial of degree n, of those of degrees 0 and 1 and of what that of k + 1 is by those of
// k and k - 1.
template <typename T, typename Step> __device__ inline T by_recurrence(T n, T first, Step step) {
  if (!(n > T(-1))) return T(0);
  T before = T(1), last = first;
  if (n < T(1)) return before;
  const long long degree = n;
  for (long long k = 1; k < degree && last == last; k++) {
    const T next = step(T(k), last, before);
    before = last;
    last = next;
  }
  return last;
}

template <typename T> __device__ inline T chebyshev_t(T x, T n) {
  return by_recurrence(n, x, [x](T, T last, T before) { return T(2) * x * last - before; });
}

// Gegenbauer's: Legendre's for a = 1/2, Chebyshev's of the second kind for a = 1
template <typename T> __device__ inline T gegenbauer(T x, T n, T a) {
  return by_recurrence(n, T(2) * a * x, [x, a](T k, T last, T before) {
    return (T(2) * (k + a) * x * last - (k + T(2) * a - T(1)) * before) / (k + T(1));
  });
}

template <typename T> __device__ inline T hermite_h(T x, T n) {
  return by_recurrence(n, T(2) * x, [x](T k, T last, T before) {
    return T(2) * (x * last - k * before);
  });
}

template <typename T> __device__ inline T hermite_he(T x, T n) {
  return by_recurrence(n, x, [x](T k, T last, T before) { return x * last - k * before; });
}

template <typename T> __device__ inline T laguerre(T x, T n, T a) {
  return by_recurrence(n, T(1) + a - x, [x, a](T k, T last, T before) {
    return ((T(2) * k + T(1) + a - x) * last - (k + a) * before) / (k + T(1));
  });
}

}  // namespace gpugrad
