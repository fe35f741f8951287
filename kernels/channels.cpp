// Each channel of NumPy's arrays less its mean, divided by its standard deviation, and the gradients.
// Channels are the second of three dimensions; those that there are no weights for have weight 1.
#pragma GCC optimize("fp-contract=fast")

namespace {

const long SOME = 2048;  // numbers that are added in their own precision

template <typename Term> inline double total(long images, long channels, long size, Term term) {
  double sum = 0;
  for (long n = 0; n < images; n++)
    for (long first = 0; first < size; first += SOME) {
      const long begin = n * channels * size + first;
      const long count = size - first < SOME ? size - first : SOME;
      REAL part = 0;
#pragma omp simd reduction(+ : part)
      for (long i = begin; i < begin + count; i++) part += term(i);
      sum += part;
    }
  return sum;
}

template <typename Value>
inline void write(long images, long channels, long size, REAL *out, Value value) {
  for (long n = 0; n < images; n++) {
    const long begin = n * channels * size;
#pragma omp simd
    for (long i = begin; i < begin + size; i++) out[i] = value(i);
  }
}

}  // namespace

// Means are taken for 0 where arrays are not centered.
extern "C" void gpugrad_normalize(const long *shape, double eps, long centered, const REAL *x,
                                  const REAL *weight, const REAL *bias, REAL *out, REAL *means,
                                  REAL *variances) {
  const long images = shape[0], channels = shape[1], size = shape[2], count = images * size;
  for (long c = 0; c < channels; c++, x += size, out += size) {
    const REAL mean =
        centered ? total(images, channels, size, [=](long i) { return x[i]; }) / count : 0;
    const REAL variance = total(images, channels, size, [=](long i) {
                            const REAL below = x[i] - mean;
                            return below * below;
                          }) / count;
    const REAL deviation = 1 / __builtin_sqrt(variance + REAL(eps));
    const REAL scale = weight ? deviation * weight[c] : deviation, shift = bias ? bias[c] : 0;
    write(images, channels, size, out, [=](long i) { return (x[i] - mean) * scale + shift; });
    means[c] = mean;
    variances[c] = variance;
  }
}

// The gradients by the array, unless that is null, the weights and the biases.
extern "C" void gpugrad_normalize_gradient(const long *shape, double eps, long centered,
                                           const REAL *x, const REAL *g, const REAL *weight,
                                           const REAL *means, const REAL *variances, REAL *out,
                                           double *of_weight, double *of_bias) {
  const long images = shape[0], channels = shape[1], size = shape[2];
  const double count = double(images) * size;
  for (long c = 0; c < channels; c++, x += size, g += size) {
    const REAL mean = means[c];
    const double scale = 1 / __builtin_sqrt(variances[c] + REAL(eps));
    const double sum = total(images, channels, size, [=](long i) { return g[i]; });
    const double products =
        total(images, channels, size, [=](long i) { return g[i] * (x[i] - mean); }) * scale;
    of_weight[c] = products;
    of_bias[c] = sum;
    if (!out) continue;
    const REAL factor = weight ? scale * weight[c] : scale;
    const REAL slope = -products * scale / count, shift = centered ? -sum / count : 0;
    write(images, channels, size, out + c * size,
          [=](long i) { return (g[i] + (x[i] - mean) * slope + shift) * factor; });
  }
}

// Groups of channels of each image: the shape is that of images, groups, channels of one and size.
// Weights and biases are those of channels, or none.
extern "C" void gpugrad_normalize_groups(const long *shape, double eps, long centered,
                                         const REAL *x, const REAL *weight, const REAL *bias,
                                         REAL *out, REAL *means, REAL *variances) {
  const long groups = shape[1], each = shape[2], size = shape[3], count = each * size;
  for (long row = 0; row < shape[0] * groups; row++) {
    const REAL mean = centered ? total(1, 1, count, [=](long i) { return x[i]; }) / count : 0;
    const REAL variance = total(1, 1, count, [=](long i) {
                            const REAL below = x[i] - mean;
                            return below * below;
                          }) / count;
    const REAL deviation = 1 / __builtin_sqrt(variance + REAL(eps));
    for (long k = 0, c = row % groups * each; k < each; k++, c++, x += size, out += size) {
      const REAL scale = weight ? deviation * weight[c] : deviation, shift = bias ? bias[c] : 0;
      write(1, 1, size, out, [=](long i) { return (x[i] - mean) * scale + shift; });
    }
    means[row] = mean;
    variances[row] = variance;
  }
}

// The gradients by the array, unless that is null, and, added to what is there, weights and biases.
extern "C" void gpugrad_normalize_groups_gradient(const long *shape, double eps, long centered,
                                                  const REAL *x, const REAL *g, const REAL *weight,
                                                  const REAL *means, const REAL *variances,
                                                  REAL *out, double *of_weight, double *of_bias) {
  const long groups = shape[1], each = shape[2], size = shape[3], count = each * size;
  for (long row = 0; row < shape[0] * groups; row++, x += count, g += count) {
    const REAL mean = means[row];
    const double scale = 1 / __builtin_sqrt(variances[row] + REAL(eps));
    const long first = row % groups * each;
    double sums = 0, products = 0;
    for (long k = 0, c = first; k < each; k++, c++) {
      const long begin = k * size;
      const double sum = total(1, 1, size, [=](long i) { return g[begin + i]; });
      const double product = scale * total(1, 1, size, [=](long i) {
                               return g[begin + i] * (x[begin + i] - mean);
                             });
      of_weight[c] += product;
      of_bias[c] += sum;
      sums += weight ? sum * weight[c] : sum;
      products += weight ? product * weight[c] : product;
    }
    if (!out) continue;
    const REAL slope = -products * scale * scale / count;
    const REAL shift = centered ? -sums * scale / count : 0;
    for (long k = 0, c = first; k < each; k++, c++) {
      const long begin = k * size;
      const REAL factor = weight ? scale * weight[c] : scale;
      write(1, 1, size, out + row * count + begin, [=](long i) {
        return g[begin + i] * factor + ((x[begin + i] - mean) * slope + shift);
      });
    }
  }
}
