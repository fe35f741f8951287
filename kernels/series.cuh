namespace gpugrad {

// The sum of a Chebyshev series in t, from -1 to 1, by Clenshaw's recurrence.
template <int N, typename T> __device__ inline T chebyshev(T t, const double *c) {
  T last = T(0), before = T(0);
#pragma unroll
  for (int k = N - 1; k > 0; k--) {
    const T next = T(2) * t * last - before + T(c[k]);
    before = last;
    last = next;
  }
  return t * last - before + T(c[0]);
}

}  // namespace gpugrad
