// What is computed along rows, each of which stays in a cache: softmax, cross entropy, normalization.
// Below frames.cpp, and the mathematics.  Short rows are taken in fewer lanes.

namespace {

// Rows that are independent of each other; `step` is given the row and the unit that it is in.
template <typename Step> struct Rows {
  struct Memory {
    const bool block = true;  // there is nothing to make
    explicit Memory(const Rows &) {}
  };
  const Step &step;
  long count, each, units;

  Rows(const Step &step, long count, long length) : step(step), count(count) {
    each = length < RUN ? RUN / (length > 0 ? length : 1) : 1;
    units = (count + each - 1) / each;
  }
};

template <typename Step>
void worked(const Rows<Step> &rows, const typename Rows<Step>::Memory &, long unit) {
  const long last = (unit + 1) * rows.each < rows.count ? (unit + 1) * rows.each : rows.count;
  for (long row = unit * rows.each; row < last; row++) rows.step(row, unit);
}

template <long N, typename T, typename Term> T added(long count, const Term &term) {
  T lanes[N];
  for (long k = 0; k < N; k++) lanes[k] = T(NOTHING);
  long j = 0;
  for (; j + N <= count; j += N)
    #pragma omp simd
    for (long k = 0; k < N; k++) lanes[k] += term(j + k);
  for (long k = 0; j + k < count; k++) lanes[k] += term(j + k);
  return joined<N>(lanes);
}

// The sum of what `term` gives for each number below `count`.
template <typename T, typename Term> T total(long count, const Term &term) {
  return count < 4 * LANES ? added<FEW_LANES, T>(count, term) : added<LANES, T>(count, term);
}

template <typename T> T added_up(const T *values, long count) {
  return total<T>(count, [=](long j) { return values[j]; });
}

// --------------------------------------------------------------------------- softmax

template <long N, typename T> T largest(const T *values, long count) {  // nan wins
  T lanes[N];
  for (long k = 0; k < N; k++) lanes[k] = T(-CUDART_INF);
  long j = 0;
  for (; j + N <= count; j += N)
    #pragma omp simd
    for (long k = 0; k < N; k++) lanes[k] = gpugrad::maximum(values[j + k], lanes[k]);
  for (long k = 0; j + k < count; k++) lanes[k] = gpugrad::maximum(values[j + k], lanes[k]);
  return Lanes<N>::joined(lanes, [](T x, T y) { return gpugrad::maximum(x, y); });
}

// The exponentials of up to N numbers less the largest, added to the lanes of their sum.
template <long N, typename T>
inline __attribute__((always_inline)) void exponentials(const T *values, T top, T *out, T *lanes) {
  #pragma omp simd
  for (long k = 0; k < N; k++) {
    const T found = exp(values[k] - top);
    out[k] = found;
    lanes[k] += found;
  }
}

// Write the exponentials of a row less its largest number, if anywhere, and return their sum.
template <long N, typename T> T exponentiated(const T *values, T top, T *out, long count) {
  T lanes[N], rest[N], thrown[N];
  for (long k = 0; k < N; k++) lanes[k] = T(0);
  long j = 0;
  for (; j + N <= count; j += N) exponentials<N>(values + j, top, out ? out + j : thrown, lanes);
  if (j < count) {
    // exp(-80) changes no sum of 1 and more, and is a normal number, which processors are quick at
    for (long k = 0; k < N; k++) rest[k] = j + k < count ? values[j + k] : top - T(80);
    exponentials<N>(rest, top, rest, lanes);
    if (out) memcpy(out + j, rest, (count - j) * sizeof(T));
  }
  return joined<N>(lanes);
}

// The same; `top` receives the largest number.
template <typename T> T exponentiated(const T *values, long count, T *out, T &top) {
  if (count < 4 * LANES) {
    top = largest<FEW_LANES>(values, count);
    return exponentiated<FEW_LANES>(values, top, out, count);
  }
  top = largest<LANES>(values, count);
  return exponentiated<LANES>(values, top, out, count);
}

template <typename T> void softmax(const T *values, T *out, long count, bool log_) {
  T top;
  const T sum = exponentiated(values, count, log_ ? (T *)0 : out, top);
  if (log_) {
    const T below = log(sum);
    #pragma omp simd
    for (long k = 0; k < count; k++) out[k] = values[k] - top - below;
  } else {
    #pragma omp simd
    for (long k = 0; k < count; k++) out[k] = out[k] / sum;
  }
}

template <long N, typename T>
void log_slope(const T *g, const T *found, T *out, long count, T sum) {
  long j = 0;
  for (; j + N <= count; j += N)
    #pragma omp simd
    for (long k = 0; k < N; k++) out[j + k] = g[j + k] - exp(found[j + k]) * sum;
  if (j == count) return;
  T rest[N];
  for (long k = 0; k < N; k++) rest[k] = j + k < count ? found[j + k] : T(0);
  #pragma omp simd
  for (long k = 0; k < N; k++) rest[k] = exp(rest[k]);
  for (long k = 0; j + k < count; k++) out[j + k] = g[j + k] - rest[k] * sum;
}

template <typename T> void slope(const T *g, const T *found, T *out, long count, bool log_) {
  if (log_) {
    const T all = added_up(g, count);
    if (count < 4 * LANES) log_slope<FEW_LANES>(g, found, out, count, all);
    else log_slope<LANES>(g, found, out, count, all);
    return;
  }
  const T all = total<T>(count, [=](long j) { return g[j] * found[j]; });
  #pragma omp simd
  for (long k = 0; k < count; k++) out[k] = (g[k] - all) * found[k];
}

template <typename T>
void soft(Array *const *arrays, long count, long length, bool log_, bool gradient, int threads) {
  const T *first = reinterpret_cast<const T *>(arrays[0]->data);
  const T *second = reinterpret_cast<const T *>(arrays[1]->data);
  T *out = reinterpret_cast<T *>(arrays[2]->data);
  const auto step = [=](long row, long) {
    const long at = row * length;
    if (gradient) slope(first + at, second + at, out + at, length, log_);
    else softmax(first + at, out + at, length, log_);
  };
  shared(Rows<decltype(step)>(step, count, length), threads);
}

// --------------------------------------------------------------------------- cross entropy

// A class that is ignored may become any that there is: its share is 0.
inline long inside(long place, long classes) {
  return (unsigned long)place < (unsigned long)classes ? place : classes - 1;
}

enum Reduction { NONE, SUM, MEAN };

// Write the sum or mean of losses; the scales of a mean, some for each row, are divided by the sum
// of the shares, but what is ignored stays 0.
template <typename T>
void reduced(
    const T *losses, const T *shares, const long *places, long ignored, long count, int reduction,
    T *found, T *scales, long many) {
  if (reduction == NONE) return;
  *found = added_up(losses, count);
  if (reduction == SUM) return;
  const T all = added_up(shares, count);
  *found /= all;
  #pragma omp simd
  for (long k = 0; k < many; k++) scales[k] /= all;
  if (T(0) / all == T(0)) return;
  for (long k = 0; k < many; k++)
    if (places[k % count] == ignored) scales[k] = T(0);
}

// Few numbers are read, so that no threads are worth it.
template <typename T>
void likelihood(
    Array *const *arrays, long count, long classes, bool weighted, long ignored, int reduction) {
  const T *values = reinterpret_cast<const T *>(arrays[0]->data);
  const long *places = reinterpret_cast<const long *>(arrays[1]->data);
  const T *weight = weighted ? reinterpret_cast<const T *>(arrays[2]->data) : 0;
  T *shares = reinterpret_cast<T *>(arrays[3]->data);
  T *losses = reinterpret_cast<T *>(arrays[4]->data);
  for (long row = 0; row < count; row++) {
    const long at = inside(places[row], classes);
    const bool left_out = places[row] == ignored;
    const T share = left_out ? T(0) : weight ? weight[at] : T(1);
    losses[row] = left_out ? T(0) : -share * values[row * classes + at];
    shares[row] = share;
  }
  T *found = reinterpret_cast<T *>(arrays[5]->data);
  reduced(losses, shares, places, ignored, count, reduction, found, shares, count);
}

template <typename T>
void likelihood_slope(Array *const *arrays, long count, long classes, bool each) {
  const T *g = reinterpret_cast<const T *>(arrays[0]->data);
  const T *shares = reinterpret_cast<const T *>(arrays[1]->data);
  const long *places = reinterpret_cast<const long *>(arrays[2]->data);
  T *out = reinterpret_cast<T *>(arrays[3]->data);
  for (long row = 0; row < count; row++)
    out[row * classes + inside(places[row], classes)] = T(0) - shares[row] * g[each ? row : 0];
}

template <typename T>
void entropy(
    Array *const *arrays, long count, long classes, bool weighted, long ignored, int reduction,
    int threads) {
  const T *values = reinterpret_cast<const T *>(arrays[0]->data);
  const long *places = reinterpret_cast<const long *>(arrays[1]->data);
  const T *weight = weighted ? reinterpret_cast<const T *>(arrays[2]->data) : 0;
  T *terms = reinterpret_cast<T *>(arrays[3]->data);
  T *scales = reinterpret_cast<T *>(arrays[4]->data);
  T *losses = reinterpret_cast<T *>(arrays[5]->data);
  T *shares = scales + count;
  const auto step = [=](long row, long) {
    const T *own = values + row * classes;
    T top;
    const T sum = exponentiated(own, classes, terms + row * classes, top);
    const long at = inside(places[row], classes);
    const bool left_out = places[row] == ignored;
    const T share = left_out ? T(0) : weight ? weight[at] : T(1);
    losses[row] = left_out ? T(0) : (log(sum) + top - own[at]) * share;
    scales[row] = share / sum;
    shares[row] = share;
  };
  shared(Rows<decltype(step)>(step, count, classes), threads);
  T *found = reinterpret_cast<T *>(arrays[6]->data);
  reduced(losses, shares, places, ignored, count, reduction, found, scales, 2 * count);
}

template <typename T>
void entropy_slope(Array *const *arrays, long count, long classes, bool each, int threads) {
  const T *g = reinterpret_cast<const T *>(arrays[0]->data);
  const T *terms = reinterpret_cast<const T *>(arrays[1]->data);
  const T *scales = reinterpret_cast<const T *>(arrays[2]->data);
  const long *places = reinterpret_cast<const long *>(arrays[3]->data);
  T *out = reinterpret_cast<T *>(arrays[4]->data);
  const auto step = [=](long row, long) {
    const T given = g[each ? row : 0], scale = scales[row] * given;
    const T *from = terms + row * classes;
    T *to = out + row * classes;
    #pragma omp simd
    for (long k = 0; k < classes; k++) to[k] = from[k] * scale;
    to[inside(places[row], classes)] -= scales[count + row] * given;
  };
  shared(Rows<decltype(step)>(step, count, classes), threads);
}

// --------------------------------------------------------------------------- normalization

template <typename T>
void normalize(
    Array *const *arrays, long count, long length, bool weighted, bool biased, double eps,
    bool centered, int threads) {
  const T *values = reinterpret_cast<const T *>(arrays[0]->data);
  const T *weight = weighted ? reinterpret_cast<const T *>(arrays[1]->data) : 0;
  const T *bias = biased ? reinterpret_cast<const T *>(arrays[2]->data) : 0;
  T *out = reinterpret_cast<T *>(arrays[3]->data);
  T *means = reinterpret_cast<T *>(arrays[4]->data);
  T *vars = reinterpret_cast<T *>(arrays[5]->data);
  const auto step = [=](long row, long) {
    const T *x = values + row * length;
    T *y = out + row * length;
    const T mean = centered ? added_up(x, length) / T(length) : T(0);
    const T squares = total<T>(length, [=](long j) { return (x[j] - mean) * (x[j] - mean); });
    const T var = squares / T(length), scale = T(1) / sqrt(var + T(eps));
    means[row] = mean, vars[row] = var;
    if (weight && bias)
      #pragma omp simd
      for (long k = 0; k < length; k++) y[k] = (x[k] - mean) * scale * weight[k] + bias[k];
    else
      #pragma omp simd
      for (long k = 0; k < length; k++) {
        const T found = (x[k] - mean) * scale;
        y[k] = weight ? found * weight[k] : bias ? found + bias[k] : found;
      }
  };
  shared(Rows<decltype(step)>(step, count, length), threads);
}

// The gradients by rows, weights and biases; of the last two, sums of some rows at first.
template <typename T>
bool normalize_slope(
    Array *const *arrays, long count, long length, bool weighted, unsigned wanted, double eps,
    bool centered, int threads) {
  const T *given = reinterpret_cast<const T *>(arrays[0]->data);
  const T *values = reinterpret_cast<const T *>(arrays[1]->data);
  const T *weight = weighted ? reinterpret_cast<const T *>(arrays[2]->data) : 0;
  const T *means = reinterpret_cast<const T *>(arrays[3]->data);
  const T *vars = reinterpret_cast<const T *>(arrays[4]->data);
  T *out = reinterpret_cast<T *>(arrays[5]->data);
  T *parts = 0;
  const bool summed = wanted & 6;
  const auto step = [&](long row, long unit) {
    const T *g = given + row * length, *x = values + row * length;
    const T mean = means[row], scale = T(1) / sqrt(vars[row] + T(eps));
    if (summed) {
      T *of_weight = parts + 2 * unit * length, *of_bias = of_weight + length;
      #pragma omp simd
      for (long k = 0; k < length; k++) {
        of_weight[k] += g[k] * ((x[k] - mean) * scale);
        of_bias[k] += g[k];
      }
    }
    if (!(wanted & 1)) return;
    T *y = out + row * length;
    const T each = T(1) / T(length);
    T along, level = T(0);
    if (weight) {
      along = total<T>(length, [=](long j) { return g[j] * weight[j] * (x[j] - mean); });
      if (centered) level = total<T>(length, [=](long j) { return g[j] * weight[j]; });
    } else {
      along = total<T>(length, [=](long j) { return g[j] * (x[j] - mean); });
      if (centered) level = added_up(g, length);
    }
    along *= scale * scale * each, level *= each;
    if (weight)
      #pragma omp simd
      for (long k = 0; k < length; k++)
        y[k] = (g[k] * weight[k] - level - (x[k] - mean) * along) * scale;
    else
      #pragma omp simd
      for (long k = 0; k < length; k++) y[k] = (g[k] - level - (x[k] - mean) * along) * scale;
  };
  const Rows<decltype(step)> rows(step, count, length);
  const long wide = 2 * length, bytes = rows.units * wide * sizeof(T);
  if (summed) {
    parts = static_cast<T *>(malloc(bytes));
    if (!parts) return false;
    memset(parts, 0, bytes);
  }
  shared(rows, threads);
  if (!summed) return true;
  for (long apart = 1; apart < rows.units; apart *= 2)  // by pairs
    for (long j = 0; j + apart < rows.units; j += 2 * apart)
      add(parts + j * wide, parts + (j + apart) * wide, wide);
  for (int k = 0; k < 2; k++)
    if (wanted & 2 << k) memcpy(arrays[6 + k]->data, parts + k * length, length * sizeof(T));
  free(parts);
  return true;
}

}  // namespace

// Arrays are contiguous, of one type but for places of 64 bits; `item` are the bytes of an element.

// Compute softmax along rows, or the gradient of that.
//
// The arrays are the input, or a gradient; the result of which it is the gradient; and what is
// written.
extern "C" void gpugrad_soft(
    Array *const *arrays, int item, long count, long length, int log, int gradient, int threads) {
  if (item == 4) soft<float>(arrays, count, length, log, gradient, threads);
  else soft<double>(arrays, count, length, log, gradient, threads);
}

// The arrays are scores, places and weights; and, to be written, exponentials of rows, by what these
// are multiplied in the gradient and what is taken away at the places, losses, and their sum or mean.
extern "C" void gpugrad_entropy(
    Array *const *arrays, int item, long count, long classes, int weighted, long ignored,
    int reduction, int threads) {
  if (item == 4) entropy<float>(arrays, count, classes, weighted, ignored, reduction, threads);
  else entropy<double>(arrays, count, classes, weighted, ignored, reduction, threads);
}

// The arrays are the gradient of the losses, of `each` or of their sum or mean, what was written
// before, the places, and what is written.
extern "C" void gpugrad_entropy_gradient(
    Array *const *arrays, int item, long count, long classes, int each, int threads) {
  if (item == 4) entropy_slope<float>(arrays, count, classes, each, threads);
  else entropy_slope<double>(arrays, count, classes, each, threads);
}

// The arrays are logarithms, places and weights; and, to be written, by what each row's is multiplied
// in the result, losses, and their sum or mean.
extern "C" void gpugrad_likelihood(
    Array *const *arrays, int item, long count, long classes, int weighted, long ignored,
    int reduction) {
  if (item == 4) likelihood<float>(arrays, count, classes, weighted, ignored, reduction);
  else likelihood<double>(arrays, count, classes, weighted, ignored, reduction);
}

// The arrays are the gradient of the losses, of `each` or of their sum or mean, what was written
// before, the places, and zeros, of which some are written.
extern "C" void gpugrad_likelihood_gradient(
    Array *const *arrays, int item, long count, long classes, int each) {
  if (item == 4) likelihood_slope<float>(arrays, count, classes, each);
  else likelihood_slope<double>(arrays, count, classes, each);
}

// The arrays are rows, weights and biases; and, to be written, the result, means and variances.
extern "C" void gpugrad_normalize(
    Array *const *arrays, int item, long count, long length, int weighted, int biased, double eps,
    int centered, int threads) {
  if (item == 4) normalize<float>(arrays, count, length, weighted, biased, eps, centered, threads);
  else normalize<double>(arrays, count, length, weighted, biased, eps, centered, threads);
}

// The arrays are the gradient, rows, weights, means and variances; and, to be written where bits of
// `wanted` say so, the gradients of rows, weights and biases.  Returns whether there was memory.
extern "C" int gpugrad_normalize_gradient(
    Array *const *arrays, int item, long count, long length, int weighted, int wanted, double eps,
    int centered, int threads) {
  return item == 4
      ? normalize_slope<float>(arrays, count, length, weighted, wanted, eps, centered, threads)
      : normalize_slope<double>(arrays, count, length, weighted, wanted, eps, centered, threads);
}
