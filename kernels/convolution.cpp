// Convolutions of NumPy's arrays: products with windows, over one to three dimensions.
//
// All three of a family (forward, by the input, by the weight) are sums of x[position + term] times
// a weight of the term, over many terms, for many positions; the tables of both are made in Python
// (backend/convolution.py).  Lanes of a vector are either several filters (x is one number for all)
// or neighbours in x (the weight is one number for all).
#pragma GCC optimize("fp-contract=fast")

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

typedef REAL Vector __attribute__((vector_size(BYTES)));
typedef REAL Unaligned __attribute__((vector_size(BYTES), aligned(sizeof(REAL))));

namespace {

const long LANES = BYTES / sizeof(REAL);
const long TILE = 8, PAIRS = BYTES == 64 ? 8 : 6;  // positions whose sums stay in registers
const long TERMS = 256;      // whose weights stay in the nearest cache
const long POSITIONS = 512;  // whose sums stay in the next one
const long RESULTS = 2048;   // which are turned at a time

struct Plan {
  long images, groups, inputs, outputs;      // the last two of a group
  long sizes[3], before[3], framed[3];       // of a plane; what is around it; with that
  long phases, pitch;                        // a framed row is its elements 0, p, 2p, ...; 1, ...
  long direct;                               // nothing is around, and rows lie as they are
  long weight_group, weight_output;          // distances in the weight
  long target;                               // the elements of a plane of the result
  long along;                                // whether lanes are neighbours in x
  long step;                                 // the distance of what these lanes are written to
  long room;                                 // numbers for framed images
  long batch;                                // images at a time, where results weigh
  long jobs;
};

// Some results, the sums of the same terms.
struct Job {
  long positions, terms, first_position, first_term;
};

struct Tables {
  const long *positions, *places, *lanes;    // in x; in the result, and how many of them
  const long *terms, *indices;               // in x; in the weight
};

inline long least(long a, long b) { return a < b ? a : b; }

template <typename T> T *aligned(T *p) {
  return reinterpret_cast<T *>((reinterpret_cast<unsigned long>(p) + 63) & ~63ul);
}

inline void fill(REAL *to, long count) { __builtin_memset(to, 0, count * sizeof(REAL)); }

template <bool ONE> inline Vector read(const REAL *from);
template <> inline Vector read<false>(const REAL *from) { return *(const Unaligned *)from; }
template <> inline Vector read<true>(const REAL *from) { return *from - Vector{}; }  // -0 stays

// Adds to sums[t][v] the products x[positions[t] + terms[j]] * weights[j][v].  Each of the two may
// be one number for all lanes.
template <bool X_IS_ONE, bool WEIGHT_IS_ONE, int V, int T>
void tile(const REAL *x, const long *positions, const long *terms, long count,
          const REAL *weights, Vector *sums) {
  const long width = WEIGHT_IS_ONE ? 1 : LANES;
  Vector total[T][V];
  const REAL *at[T];
  for (int t = 0; t < T; t++) at[t] = x + positions[t];
  for (int t = 0; t < T; t++)
    for (int v = 0; v < V; v++) total[t][v] = sums[t * V + v];
  for (long j = 0; j < count; j++, weights += V * width) {
    const long term = terms[j];
    Vector weight[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) weight[v] = read<WEIGHT_IS_ONE>(weights + v * width);
#pragma GCC unroll 8
    for (int t = 0; t < T; t++) {
      Vector value = read<X_IS_ONE>(at[t] + term);
      if (V > 1) asm("" : "+v"(value));  // read once, not by each product
#pragma GCC unroll 2
      for (int v = 0; v < V; v++) total[t][v] += weight[v] * value;
    }
  }
  for (int t = 0; t < T; t++)
    for (int v = 0; v < V; v++) sums[t * V + v] = total[t][v];
}

template <bool X_IS_ONE, bool WEIGHT_IS_ONE, int V>
void tiles(const REAL *x, const long *positions, long number, const long *terms, long count,
           const REAL *weights, Vector *sums) {
  const long most = V == 1 ? TILE : PAIRS, parts = (number + most - 1) / most;
  for (long part = 0; part < parts; part++) {
    const long first = part * number / parts, size = (part + 1) * number / parts - first;
#define CASE(n)                                                                               \
  case n:                                                                                     \
    tile<X_IS_ONE, WEIGHT_IS_ONE, V, n <= (V == 1 ? TILE : PAIRS) ? n : 1>(                   \
        x, positions + first, terms, count, weights, sums + first * V);                       \
    break;
    switch (size) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
#undef CASE
  }
}

// The same for all terms, those of one cache at a time.
template <bool X_IS_ONE, bool WEIGHT_IS_ONE>
void summed(long vectors, const REAL *x, const long *positions, long number, const long *terms,
            long count, const REAL *weights, Vector *sums) {
  const long width = vectors * (WEIGHT_IS_ONE ? 1 : LANES);
  for (long j = 0; j < count; j += TERMS) {
    const long some = count - j < TERMS ? count - j : TERMS;
    if (vectors == 1)
      tiles<X_IS_ONE, WEIGHT_IS_ONE, 1>(x, positions, number, terms + j, some, weights + j * width,
                                        sums);
    else
      tiles<X_IS_ONE, WEIGHT_IS_ONE, 2>(x, positions, number, terms + j, some, weights + j * width,
                                        sums);
  }
}

// Writes elements from a place of a row of two phases on.
inline void halved(REAL *line, long place, long pitch, const REAL *x, long count) {
  REAL *one = line + place % 2 * pitch + place / 2;
  REAL *other = line + (place + 1) % 2 * pitch + (place + 1) / 2;
#pragma omp simd
  for (long i = 0; i < count / 2; i++) {
    one[i] = x[2 * i];
    other[i] = x[2 * i + 1];
  }
  if (count % 2) one[count / 2] = x[count - 1];
}

// Returns one or several images with what is around them; what is 0 there stays so.
const REAL *framed(const REAL *x, const Plan &p, long images, REAL *room) {
  if (p.direct) return x;
  const long high = p.framed[1], wide = p.framed[2], row = p.phases * p.pitch;
  const long from = p.before[2] < 0 ? -p.before[2] : 0;
  const long to = least(wide - p.before[2], p.sizes[2]);
  for (long c = 0; c < images * p.groups * p.inputs; c++, room += p.framed[0] * high * row)
    for (long d = 0; d < p.sizes[0]; d++)
      for (long h = 0; h < p.sizes[1]; h++, x += p.sizes[2]) {
        const long down = d + p.before[0], right = h + p.before[1];
        if (down < 0 || down >= p.framed[0] || right < 0 || right >= high || to <= from) continue;
        REAL *line = room + (down * high + right) * row;
        if (p.phases == 1)
          __builtin_memcpy(line + p.before[2] + from, x + from, (to - from) * sizeof(REAL));
        else if (p.phases == 2)
          halved(line, p.before[2] + from, p.pitch, x + from, to - from);
        else
          for (long first = from; first < to && first < from + p.phases; first++) {
            const long place = p.before[2] + first;
            REAL *phase = line + place % p.phases * p.pitch + place / p.phases;
            for (long w = first; w < to; w += p.phases) *phase++ = x[w];
          }
      }
  return nullptr;
}

long plane_of(const Plan &p) {
  return p.direct ? p.sizes[0] * p.sizes[1] * p.sizes[2]
                  : p.framed[0] * p.framed[1] * p.phases * p.pitch;
}


// Returns what is added to sums: numbers of some filters, or one of them for all lanes.
inline Vector starts(const REAL *bias, long vector, long count, bool along) {
  Vector found = {};
  if (bias)
    for (long l = 0; l < LANES; l++)
      if (along || l < count) found[l] = bias[along ? vector : vector * LANES + l];
  return found;
}

// How many vectors the next results take, and how many results these are.
inline long vectors_of(const Plan &p, long left) {
  return left > (p.along ? 1 : LANES) ? 2 : 1;
}

}  // namespace

extern "C" void gpugrad_sizes(long *found) {
  found[0] = LANES;
  found[1] = POSITIONS;
  found[2] = RESULTS;
}

// Writes the sums for all jobs; the weights of each of these lie by term and result.
extern "C" void gpugrad_convolve(const Plan *plan, const Job *jobs, const Tables *tables,
                                 const REAL *x, const REAL *weight, const REAL *bias, REAL *out,
                                 REAL *room, REAL *packed) {
  const Plan p = *plan;
  const Tables given = *tables;
  room = aligned(room);
  packed = aligned(packed);
  Vector *sums = (Vector *)packed;
  REAL *const first_weight = packed + 2 * POSITIONS * LANES;
  const long each = p.along ? 1 : LANES, plane = plane_of(p);
  REAL *to = first_weight;
  for (long g = 0; g < p.groups; g++)
    for (long k = 0; k < p.jobs; k++)
      for (long o = 0; o < p.outputs;) {
        const long width = vectors_of(p, p.outputs - o) * each, some = least(width, p.outputs - o);
        const REAL *from = weight + g * p.weight_group + o * p.weight_output;
        const long *indices = given.indices + jobs[k].first_term;
        for (long j = 0; j < jobs[k].terms; j++, to += width)
          for (long l = 0; l < width; l++)
            to[l] = l < some ? from[l * p.weight_output + indices[j]] : 0;
        o += width;
      }
  if (!p.direct) fill(room, p.room);
  for (long n = 0; n < p.images; n++, x += p.groups * p.inputs * p.sizes[0] * p.sizes[1] * p.sizes[2]) {
    framed(x, p, 1, room);
    const REAL *weights = first_weight;
    for (long g = 0; g < p.groups; g++) {
      const REAL *image = (p.direct ? x : room) + g * p.inputs * plane;
      for (long k = 0; k < p.jobs; k++) {
        const Job job = jobs[k];
        const long *terms = given.terms + job.first_term;
        for (long o = 0; o < p.outputs;) {
          const long vectors = vectors_of(p, p.outputs - o);
          const long some = least(vectors * each, p.outputs - o);
          REAL *planes = out + ((n * p.groups + g) * p.outputs + o) * p.target;
          const REAL *start = bias ? bias + g * p.outputs + o : nullptr;
          for (long q = 0; q < job.positions; q += POSITIONS) {
            const long number = least(POSITIONS, job.positions - q);
            const long at = job.first_position + q;
            const long *places = given.places + at;
            for (long v = 0; v < vectors; v++) {
              const Vector first = starts(start, v, p.along ? 1 : some - v * LANES, p.along);
              for (long t = 0; t < number; t++) sums[t * vectors + v] = first;
            }
            if (p.along) {
              summed<false, true>(vectors, image, given.positions + at, number, terms, job.terms,
                                  weights, sums);
              for (long v = 0; v < some; v++)
                for (long t = 0; t < number; t++) {
                  REAL *target = planes + v * p.target + places[t];
                  const Vector found = sums[t * vectors + v];
                  if (p.step == 1 && given.lanes[at + t] == LANES)
                    *(Unaligned *)target = found;
                  else
                    for (long l = 0; l < given.lanes[at + t]; l++) target[l * p.step] = found[l];
                }
            } else {
              summed<true, false>(vectors, image, given.positions + at, number, terms, job.terms,
                                  weights, sums);
              for (long l = 0; l < some; l++) {
                const REAL *found = (REAL *)sums + l;
                REAL *target = planes + l * p.target;
                for (long t = 0; t < number; t++)
                  target[places[t]] = found[t * vectors * LANES];
              }
            }
          }
          weights += job.terms * vectors * each;
          o += vectors * each;
        }
      }
    }
  }
}

// Writes the sums over all images and positions of products of x there with results; here the terms
// are elements of a filter, and positions what is summed over, those of a batch of images.
extern "C" void gpugrad_weigh(const Plan *plan, const Job *job, const Tables *tables,
                              const REAL *x, const REAL *results, REAL *out, REAL *room,
                              REAL *packed) {
  const Plan p = *plan;
  const Tables given = *tables;
  const long each = p.along ? 1 : LANES, plane = plane_of(p), elements = job->terms;
  const long source = p.groups * p.inputs * p.sizes[0] * p.sizes[1] * p.sizes[2];
  room = aligned(room);
  packed = aligned(packed);
  // the results of a block, and then the sums of all groups
  const long positions = job->positions;
  const long most = p.batch > 1 ? positions : least(positions, RESULTS);
  Vector *const first_sums = (Vector *)(packed + p.batch * most * 2 * LANES);
  long whole = 0;
  for (long o = 0; o < p.outputs;) {
    const long vectors = vectors_of(p, p.outputs - o);
    whole += elements * vectors;
    o += vectors * each;
  }
  fill((REAL *)first_sums, p.groups * whole * LANES);
  if (!p.direct) fill(room, p.room);
  for (long n = 0; n < p.images; n += p.batch) {
    const long images = least(p.batch, p.images - n);
    framed(x + n * source, p, images, room);
    Vector *sums = first_sums;
    for (long g = 0; g < p.groups; g++) {
      const REAL *image = (p.direct ? x + n * source : room) + g * p.inputs * plane;
      for (long o = 0; o < p.outputs;) {
        const long vectors = vectors_of(p, p.outputs - o), width = vectors * LANES;
        const long some = least(vectors * each, p.outputs - o);
        for (long q = 0; q < positions; q += most) {
          const long number = least(most, positions - q);
          const long *places = given.places + q, *lanes = given.lanes + q;
          REAL *to = packed;
          for (long b = 0; b < images; b++, to += number * width) {
            const REAL *from = results + (((n + b) * p.groups + g) * p.outputs + o) * p.target;
            if (p.along)
              for (long t = 0; t < number; t++)
                for (long v = 0; v < vectors; v++) {
                  const REAL *row = from + v * p.target + places[t];
                  Vector found = {};
                  if (lanes[t] == LANES)
                    found = *(const Unaligned *)row;
                  else
                    for (long l = 0; l < lanes[t]; l++) found[l] = row[l];
                  ((Vector *)to)[t * vectors + v] = found;
                }
            else
              for (long l = 0; l < width; l++)
                for (long t = 0; t < number; t++)
                  to[t * width + l] = l < some ? from[l * p.target + places[t]] : 0;
          }
          if (p.along)
            summed<false, false>(vectors, image, given.terms, elements, given.positions + q,
                                 images * number, packed, sums);
          else
            summed<true, false>(vectors, image, given.terms, elements, given.positions + q,
                                images * number, packed, sums);
        }
        sums += elements * vectors;
        o += vectors * each;
      }
    }
  }
  const Vector *sums = first_sums;
  for (long g = 0; g < p.groups; g++)
    for (long o = 0; o < p.outputs;) {
      const long vectors = vectors_of(p, p.outputs - o);
      const long some = least(vectors * each, p.outputs - o);
      REAL *target = out + (g * p.outputs + o) * elements;
      for (long l = 0; l < some; l++)
        for (long k = 0; k < elements; k++) {
          if (p.along) {
            const Vector found = sums[k * vectors + l];
            REAL total = 0;
            for (long i = 0; i < LANES; i++) total += found[i];
            target[l * elements + k] = total;
          } else {
            target[l * elements + k] = ((const REAL *)sums)[k * vectors * LANES + l];
          }
        }
      sums += elements * vectors;
      o += vectors * each;
    }
}
