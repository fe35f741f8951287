// Softmax along rows, each of which stays in a cache; below frames.cpp, and the mathematics.

namespace {

// Rows of `length` numbers: the input, or a gradient and what it is the gradient of; and the result.
template <typename T> struct Rows {
  struct Memory {
    const bool block = true;  // there is nothing to make
    explicit Memory(const Rows &) {}
  };
  const T *first, *second;
  T *out;
  long count, length, each, units;
  bool log, gradient;
};

template <typename T> T largest(const T *values, long count) {  // nan wins
  T lanes[LANES];
  for (long k = 0; k < LANES; k++) lanes[k] = T(-CUDART_INF);
  long j = 0;
  for (; j + LANES <= count; j += LANES)
    #pragma omp simd
    for (long k = 0; k < LANES; k++) lanes[k] = gpugrad::maximum(values[j + k], lanes[k]);
  for (long k = 0; j + k < count; k++) lanes[k] = gpugrad::maximum(values[j + k], lanes[k]);
  T found = lanes[0];
  for (long k = 1; k < LANES; k++) found = gpugrad::maximum(lanes[k], found);
  return found;
}

// The exponentials of up to LANES numbers less the largest, added to the lanes of their sum.
template <typename T> void exponentials(const T *values, T top, T *out, T *lanes) {
  #pragma omp simd
  for (long k = 0; k < LANES; k++) {
    const T found = exp(values[k] - top);
    out[k] = found;
    lanes[k] += found;
  }
}

template <typename T> void softmax(const T *values, T *out, long count, bool log_) {
  const T top = largest(values, count);
  T lanes[LANES], rest[LANES], thrown[LANES];
  for (long k = 0; k < LANES; k++) lanes[k] = T(0);
  long j = 0;
  for (; j + LANES <= count; j += LANES)
    exponentials(values + j, top, log_ ? thrown : out + j, lanes);
  if (j < count) {
    for (long k = 0; k < LANES; k++) rest[k] = j + k < count ? values[j + k] : T(-CUDART_INF);
    exponentials(rest, top, rest, lanes);
    if (!log_) memcpy(out + j, rest, (count - j) * sizeof(T));
  }
  const T total = sum_in_lanes<T, LANES>(lanes, LANES);
  if (log_) {
    const T below = log(total);
    #pragma omp simd
    for (long k = 0; k < count; k++) out[k] = values[k] - top - below;
  } else {
    #pragma omp simd
    for (long k = 0; k < count; k++) out[k] = out[k] / total;
  }
}

template <typename T> T product(const T *x, const T *y, long count) {
  T lanes[LANES];
  for (long k = 0; k < LANES; k++) lanes[k] = T(0);
  long j = 0;
  for (; j + LANES <= count; j += LANES)
    #pragma omp simd
    for (long k = 0; k < LANES; k++) lanes[k] += x[j + k] * y[j + k];
  for (long k = 0; j + k < count; k++) lanes[k] += x[j + k] * y[j + k];
  return sum_in_lanes<T, LANES>(lanes, LANES);
}

template <typename T> void slope(const T *g, const T *found, T *out, long count, bool log_) {
  if (!log_) {
    const T total = product(g, found, count);
    #pragma omp simd
    for (long k = 0; k < count; k++) out[k] = (g[k] - total) * found[k];
    return;
  }
  const T total = sum(g, count);
  long j = 0;
  for (; j + LANES <= count; j += LANES)
    #pragma omp simd
    for (long k = 0; k < LANES; k++) out[j + k] = g[j + k] - exp(found[j + k]) * total;
  if (j == count) return;
  T rest[LANES];
  for (long k = 0; k < LANES; k++) rest[k] = j + k < count ? found[j + k] : T(0);
  #pragma omp simd
  for (long k = 0; k < LANES; k++) rest[k] = exp(rest[k]);
  for (long k = 0; j + k < count; k++) out[j + k] = g[j + k] - rest[k] * total;
}

template <typename T>
void worked(const Rows<T> &rows, const typename Rows<T>::Memory &, long unit) {
  const long last = (unit + 1) * rows.each < rows.count ? (unit + 1) * rows.each : rows.count;
  for (long row = unit * rows.each; row < last; row++) {
    const long at = row * rows.length;
    if (rows.gradient)
      slope(rows.first + at, rows.second + at, rows.out + at, rows.length, rows.log);
    else
      softmax(rows.first + at, rows.out + at, rows.length, rows.log);
  }
}

template <typename T>
void soft(Array *const *arrays, long count, long length, bool log, bool gradient, int threads) {
  Rows<T> rows;
  rows.first = reinterpret_cast<const T *>(arrays[0]->data);
  rows.second = reinterpret_cast<const T *>(arrays[1]->data);
  rows.out = reinterpret_cast<T *>(arrays[2]->data);
  rows.count = count, rows.length = length, rows.log = log, rows.gradient = gradient;
  rows.each = length < RUN ? (RUN + length - 1) / length : 1;
  rows.units = (count + rows.each - 1) / rows.each;
  shared(rows, threads);
}

}  // namespace

// Compute softmax along the rows of contiguous arrays, or the gradient of that.
//
// The arrays are the input, or a gradient; the result of which it is the gradient; and what is
// written.
extern "C" void gpugrad_soft(
    Array *const *arrays, int item, long count, long length, int log, int gradient, int threads) {
  if (item == 4) soft<float>(arrays, count, length, log, gradient, threads);
  else soft<double>(arrays, count, length, log, gradient, threads);
}
