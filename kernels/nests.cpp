// What the loops of a program call: sums of a block in a fixed order, their parts joined by pairs,
// and units of work shared out to threads.  Results do not depend on how many there are.
#include <pthread.h>

extern "C" void *memcpy(void *to, const void *from, unsigned long bytes);

namespace {

// The beginning of NumPy's arrays, which is the same in all its versions.
struct Array {
  char head[HEAD];
  char *data;
};

struct Sum {
  template <typename T> static T nothing() { return T(-0.0); }  // changes no sum
  template <typename T> static T of(T x, T y) { return x + y; }
};
struct Largest {
  template <typename T> static T nothing() { return T(-CUDART_INF); }
  template <typename T> static T of(T x, T y) { return gpugrad::maximum(x, y); }
};
struct Least {
  template <typename T> static T nothing() { return T(CUDART_INF); }
  template <typename T> static T of(T x, T y) { return gpugrad::minimum(x, y); }
};

#pragma omp declare reduction(sum : float : omp_out = Sum::of(omp_out, omp_in)) \
    initializer(omp_priv = Sum::nothing<float>())
#pragma omp declare reduction(largest : float : omp_out = Largest::of(omp_out, omp_in)) \
    initializer(omp_priv = Largest::nothing<float>())
#pragma omp declare reduction(least : float : omp_out = Least::of(omp_out, omp_in)) \
    initializer(omp_priv = Least::nothing<float>())
#pragma omp declare reduction(sum : double : omp_out = Sum::of(omp_out, omp_in)) \
    initializer(omp_priv = Sum::nothing<double>())
#pragma omp declare reduction(largest : double : omp_out = Largest::of(omp_out, omp_in)) \
    initializer(omp_priv = Largest::nothing<double>())
#pragma omp declare reduction(least : double : omp_out = Least::of(omp_out, omp_in)) \
    initializer(omp_priv = Least::nothing<double>())

// Put rows of partial results together, by pairs; the first row has what comes of it.
template <typename Way, typename T> inline void joined(T *rows, long count, long length) {
  for (long step = 1; step < count; step *= 2)
    for (long j = 0; j + step < count; j += 2 * step) {
      T *to = rows + j * length;
      const T *from = rows + (j + step) * length;
      #pragma omp simd
      for (long k = 0; k < length; k++) to[k] = Way::of(to[k], from[k]);
    }
}

typedef void (*Part)(char *const *m, long first, long last);

struct Share {
  Part part;
  char *const *m;
  long first, last;
};

void *run(void *given) {
  const Share &share = *static_cast<Share *>(given);
  share.part(share.m, share.first, share.last);
  return 0;
}

const int THREADS = 64;

void shared(Part part, char *const *m, long units, int threads) {
  if (threads > THREADS) threads = THREADS;
  if (threads > units) threads = int(units);
  if (threads <= 1) return part(m, 0, units);
  Share shares[THREADS];
  pthread_t ids[THREADS];
  bool started[THREADS];
  for (int k = threads - 1; k >= 0; k--) {
    shares[k] = {part, m, units * k / threads, units * (k + 1) / threads};
    started[k] = k && !pthread_create(&ids[k], 0, run, &shares[k]);
    if (!started[k]) run(&shares[k]);
  }
  for (int k = 1; k < threads; k++)
    if (started[k]) pthread_join(ids[k], 0);
}

}  // namespace
