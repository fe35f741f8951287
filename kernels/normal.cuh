namespace gpugrad {

// The logarithm of the normal distribution function: below -1 by erfcx, which does not vanish.
template <typename T> __device__ inline T log_ndtr(T x) {
  const T y = x * T(0.70710678118654752);
  if (x < T(-1)) return log(erfcx(-y) / T(2)) - y * y;
  return log1p(erfc(y) / T(-2));
}

}  // namespace gpugrad
