// Attention over NumPy's arrays where there are few scores: stacks of matrices, query by query.
// The shape is that of stacks, queries, keys, features and results of a key.
#pragma GCC optimize("fp-contract=fast")

namespace {

inline float exponential(float x) { return __builtin_expf(x); }
inline double exponential(double x) { return __builtin_exp(x); }

// Weights are 0 below the exponential of what is least.
inline REAL weight(REAL below, REAL least) {
  return below < least ? REAL(0) : exponential(below);
}

inline REAL dot(const REAL *x, const REAL *y, long count) {
  REAL sum = 0;
#pragma omp simd reduction(+ : sum)
  for (long i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

inline void add(REAL *to, REAL factor, const REAL *x, long count) {
#pragma omp simd
  for (long i = 0; i < count; i++) to[i] += factor * x[i];
}

// How many keys a query sees.
inline long seen(long query, long keys, long causal) {
  return causal && query < keys ? query + 1 : keys;
}

}  // namespace

// `out` are zeros at first; `room` has a number for each key.
extern "C" void gpugrad_attention(const long *shape, double scale, double least, long causal,
                                  const REAL *q, const REAL *k, const REAL *v, REAL *out,
                                  REAL *logs, REAL *room) {
  const long stacks = shape[0], queries = shape[1], keys = shape[2];
  const long features = shape[3], results = shape[4];
  for (long s = 0; s < stacks; s++, k += keys * features, v += keys * results)
    for (long i = 0; i < queries; i++, q += features, out += results) {
      const long count = seen(i, keys, causal);
      REAL most = -__builtin_inf(), sum = 0;
      for (long j = 0; j < count; j++) {
        room[j] = dot(q, k + j * features, features) * REAL(scale);
        if (room[j] > most) most = room[j];
      }
      for (long j = 0; j < count; j++) {
        const REAL found = weight(room[j] - most, REAL(least));
        sum += found;
        add(out, found, v + j * results, results);
      }
      for (long c = 0; c < results; c++) out[c] /= sum;
      *logs++ = __builtin_log(sum) + most;
    }
}

// The gradients, which are zeros at first.
extern "C" void gpugrad_attention_gradient(const long *shape, double scale, double least,
                                           long causal, const REAL *g, const REAL *q,
                                           const REAL *k, const REAL *v, const REAL *out,
                                           const REAL *logs, REAL *of_q, REAL *of_k,
                                           REAL *of_v) {
  const long stacks = shape[0], queries = shape[1], keys = shape[2];
  const long features = shape[3], results = shape[4];
  for (long s = 0; s < stacks; s++) {
    for (long i = 0; i < queries; i++) {
      const long count = seen(i, keys, causal);
      const REAL mean = dot(g, out, results), log = *logs++;
      for (long j = 0; j < count; j++) {
        const REAL *key = k + j * features;
        const REAL found = weight(dot(q, key, features) * REAL(scale) - log, REAL(least));
        const REAL slope = (dot(g, v + j * results, results) - mean) * found * REAL(scale);
        add(of_v + j * results, found, g, results);
        add(of_q, slope, key, features);
        add(of_k + j * features, slope, q, features);
      }
      g += results, out += results, q += features, of_q += features;
    }
    k += keys * features, of_k += keys * features;
    v += keys * results, of_v += keys * results;
  }
}
