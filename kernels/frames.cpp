// Loops over NumPy's arrays: that of a formula is given blocks of elements, one after the other.
//
// The elements of the full shape are numbered in row-major order and cut into blocks.  An operand
// that lies otherwise, or that is repeated, is copied for a block at a time, which stays in the
// first cache; so one loop of a formula serves for all operands, and for sums.  Blocks begin at
// fixed numbers, and what is added up is added in a fixed order: results do not depend on how many
// threads there are.
#include <pthread.h>

extern "C" {  // the library's headers have another abs than formulas
void *aligned_alloc(unsigned long alignment, unsigned long bytes);
void *malloc(unsigned long bytes);
void free(void *memory);
void *memcpy(void *to, const void *from, unsigned long bytes);
void *memset(void *to, int value, unsigned long bytes);
}

namespace {

const long BLOCK = 1024;   // elements
const long WIDTH = 64;     // a loop takes a multiple of so many
const long LANES = 64;     // sums within a block, which are added in the end
const long FEW_LANES = 16;
const long RUN = 16384;    // elements of a row that one thread adds up
const long ROWS = 128;     // rows that are added up one after the other
const long SHORT = 32;     // neighbours that no vectors are worth
const int OPERANDS = 16;
const int DIMENSIONS = 64;  // NumPy's most

// The beginning of NumPy's arrays, which is the same in all its versions.
struct Array {
  char head[HEAD];
  char *data;
  int ndim;
  long *sizes, *strides;
  void *base, *type;
  int flags;
};
const int ALIGNED = 0x100;

// The beginning of Python's lists.
struct List {
  char head[HEAD];
  long size;
  Array **arrays;
};

typedef void (*Loop)(long count, char *const *memory);

enum Way { WHOLE, ONE, WALKED };

struct Operand {
  char *data;
  long item;
  Way way;
  long strides[DIMENSIONS];
};

struct Scratch;

struct Job {
  typedef Scratch Memory;
  Loop loop;
  int inputs, outputs, summed;  // which output is summed; -1: none
  int ndim;
  long sizes[DIMENSIONS];
  Operand operands[OPERANDS];
  long total;                 // elements
  bool direct;                // nothing is copied: there are no blocks but for a cache
  long outer, middle, inner;  // the full shape where something is summed: along the middle
  long parts;                 // of each sum
  long units;                 // of work, which are independent of each other
  char *sums;                 // (outer, parts, inner)
  int item;                   // of a sum

  bool is_sum(int k) const { return summed >= 0 && k == inputs + summed; }
};

// --------------------------------------------------------------------------- operands

void broadcast(Job &job, Array *const *arrays) {
  const int count = job.inputs + job.outputs;
  int ndim = 0;
  for (int k = 0; k < job.inputs; k++)
    if (arrays[k]->ndim > ndim) ndim = arrays[k]->ndim;
  for (int d = 0; d < ndim; d++) job.sizes[d] = 1;
  for (int k = 0; k < job.inputs; k++)
    for (int d = 0; d < arrays[k]->ndim; d++) {
      const long size = arrays[k]->sizes[d];
      if (size != 1) job.sizes[ndim - arrays[k]->ndim + d] = size;
    }
  job.total = 1;
  for (int d = 0; d < ndim; d++) job.total *= job.sizes[d];
  for (int k = 0; k < count; k++) {
    Operand &own = job.operands[k];
    own.data = arrays[k]->data;
    if (job.is_sum(k)) continue;
    const int missing = ndim - arrays[k]->ndim;
    for (int d = 0; d < ndim; d++) {
      const bool repeats = d < missing || arrays[k]->sizes[d - missing] == 1;
      own.strides[d] = repeats ? 0 : arrays[k]->strides[d - missing];
    }
  }
  // dimensions that lie as one are one
  int last = -1;
  for (int d = 0; d < ndim; d++) {
    if (job.sizes[d] == 1) continue;
    bool joined = last >= 0;
    for (int k = 0; k < count && joined; k++)
      if (!job.is_sum(k))
        joined = job.operands[k].strides[last] == job.operands[k].strides[d] * job.sizes[d];
    if (joined) {
      job.sizes[last] *= job.sizes[d];
    } else {
      last++;
      job.sizes[last] = job.sizes[d];
    }
    for (int k = 0; k < count; k++) job.operands[k].strides[last] = job.operands[k].strides[d];
  }
  job.ndim = last + 1;
  job.direct = true;
  for (int k = 0; k < count; k++) {
    Operand &own = job.operands[k];
    if (job.is_sum(k)) continue;
    bool one = true, whole = true;
    long run = own.item;
    for (int d = job.ndim - 1; d >= 0; d--) {
      one = one && own.strides[d] == 0;
      whole = whole && own.strides[d] == run;
      run *= job.sizes[d];
    }
    own.way = one ? ONE : whole ? WHOLE : WALKED;
    job.direct = job.direct && own.way == WHOLE;
  }
  if (job.summed >= 0 && job.loop) job.direct = false;
}

// What is moved as one, but is aligned as its parts are, and is of their type.
template <typename T> using Loose [[gnu::aligned(1), gnu::may_alias]] = T;

template <typename T> void run_copied(char *target, const char *source, long stride, long count) {
  Loose<T> *to = reinterpret_cast<Loose<T> *>(target);
  if (stride == 0) {
    const T value = *reinterpret_cast<const Loose<T> *>(source);
    #pragma omp simd
    for (long j = 0; j < count; j++) to[j] = value;
  } else if (stride == long(sizeof(T))) {
    const Loose<T> *from = reinterpret_cast<const Loose<T> *>(source);
    #pragma omp simd
    for (long j = 0; j < count; j++) to[j] = from[j];
  } else if (stride == -long(sizeof(T))) {
    const Loose<T> *from = reinterpret_cast<const Loose<T> *>(source);
    #pragma omp simd
    for (long j = 0; j < count; j++) to[j] = from[-j];
  } else {
    for (long j = 0; j < count; j++) to[j] = *reinterpret_cast<const Loose<T> *>(source + j * stride);
  }
}

// Rows, one after the other; without a stride they are all the same.
template <typename T>
void rows_copied(char *target, const char *source, long stride, long inner, long rows, long count) {
  Loose<T> *to = reinterpret_cast<Loose<T> *>(target);
  if (stride == 0) {
    run_copied<T>(target, source, inner, count);
    const long end = rows * count;
    for (long have = count; have < end; have *= 2)
      memcpy(to + have, to, (end - have < have ? end - have : have) * sizeof(T));
  } else if (count >= SHORT) {
    for (long j = 0; j < rows; j++)
      run_copied<T>(target + j * count * sizeof(T), source + j * stride, inner, count);
  } else {
    for (long j = 0; j < rows; j++, source += stride)
      for (long k = 0; k < count; k++)
        *to++ = *reinterpret_cast<const Loose<T> *>(source + k * inner);
  }
}

struct [[gnu::packed]] Sixteen { long first, second; };

void copied(
    char *target, const char *source, long stride, long inner, long rows, long count, long item) {
  if (item == 4) rows_copied<int>(target, source, stride, inner, rows, count);
  else if (item == 8) rows_copied<long>(target, source, stride, inner, rows, count);
  else if (item == 1) rows_copied<char>(target, source, stride, inner, rows, count);
  else if (item == 2) rows_copied<short>(target, source, stride, inner, rows, count);
  else rows_copied<Sixteen>(target, source, stride, inner, rows, count);
}

// Copy the elements of an operand from number `start` on.
void walked(const Job &job, const Operand &own, long start, long count, char *target) {
  const int inner = job.ndim - 1;
  const long length = job.sizes[inner];
  long at[DIMENSIONS];
  const char *source = own.data;
  for (int d = inner; d >= 0; d--) {
    at[d] = start % job.sizes[d];
    start /= job.sizes[d];
    source += at[d] * own.strides[d];
  }
  while (count > 0) {
    if (inner > 0 && at[inner] == 0 && count >= length) {
      long rows = job.sizes[inner - 1] - at[inner - 1];
      if (rows > count / length) rows = count / length;
      const long stride = own.strides[inner - 1];
      copied(target, source, stride, own.strides[inner], rows, length, own.item);
      target += rows * length * own.item;
      count -= rows * length;
      source += rows * stride;
      at[inner - 1] += rows;
    } else {
      long run = length - at[inner];
      if (run > count) run = count;
      copied(target, source, 1, own.strides[inner], 1, run, own.item);
      target += run * own.item;
      count -= run;
      source += run * own.strides[inner];
      at[inner] += run;
      if (inner > 0 && at[inner] == length) {
        source += own.strides[inner - 1] - length * own.strides[inner];
        at[inner] = 0;
        at[inner - 1]++;
      }
    }
    for (int d = inner - 1; d > 0 && at[d] == job.sizes[d]; d--) {
      source += own.strides[d - 1] - job.sizes[d] * own.strides[d];
      at[d] = 0;
      at[d - 1]++;
    }
  }
}

// What a thread needs for itself.
struct Scratch {
  char *memory[OPERANDS];
  char *block;

  explicit Scratch(const Job &job) {
    const int count = job.inputs + job.outputs;
    long bytes = 0;
    for (int k = 0; k < count; k++) bytes += BLOCK * job.operands[k].item;
    block = static_cast<char *>(aligned_alloc(64, bytes));
    if (!block) return;
    char *next = block;
    for (int k = 0; k < count; k++) {
      const Operand &own = job.operands[k];
      memory[k] = next;
      next += BLOCK * own.item;
      if (k < job.inputs && own.way == ONE)
        copied(memory[k], own.data, 1, 0, 1, BLOCK, own.item);
    }
  }
  ~Scratch() { free(block); }
};

// Compute a block; return where the values are that are to be summed.
char *computed(const Job &job, const Scratch &scratch, long start, long count) {
  char *memory[OPERANDS];
  if (!job.loop && job.operands[0].way == WHOLE)
    return job.operands[0].data + start * job.operands[0].item;
  const long padded = (count + WIDTH - 1) / WIDTH * WIDTH;
  for (int k = 0; k < job.inputs + job.outputs; k++) {
    const Operand &own = job.operands[k];
    char *there = own.data + start * own.item;
    if (k >= job.inputs) {
      const bool direct = own.way == WHOLE && padded == count && !job.is_sum(k);
      memory[k] = direct ? there : scratch.memory[k];
    } else if (own.way == WHOLE && padded == count) {
      memory[k] = there;
    } else {
      memory[k] = scratch.memory[k];
      if (own.way == WHOLE) memcpy(memory[k], there, count * own.item);
      else if (own.way == WALKED) walked(job, own, start, count, memory[k]);
      if (own.way != ONE) memset(memory[k] + count * own.item, 0, (padded - count) * own.item);
    }
  }
  if (!job.loop) return memory[0];
  job.loop(padded, memory);
  for (int k = job.inputs; k < job.inputs + job.outputs; k++) {
    const Operand &own = job.operands[k];
    if (memory[k] == scratch.memory[k] && !job.is_sum(k))
      memcpy(own.data + start * own.item, memory[k], count * own.item);
  }
  return job.summed < 0 ? 0 : memory[job.inputs + job.summed];
}

// --------------------------------------------------------------------------- sums

const double NOTHING = -0.0;  // changes no sum, not even that of negative zeros

// N lanes become one by pairs.
template <long N> struct Lanes {
  template <typename T, typename Join> static T joined(T *lanes, const Join &join) {
    #pragma omp simd
    for (long k = 0; k < N / 2; k++) lanes[k] = join(lanes[k], lanes[k + N / 2]);
    return Lanes<N / 2>::joined(lanes, join);
  }
};
template <> struct Lanes<1> {
  template <typename T, typename Join> static T joined(T *lanes, const Join &) { return lanes[0]; }
};

template <long N, typename T> T joined(T *lanes) {
  return Lanes<N>::joined(lanes, [](T x, T y) { return x + y; });
}

template <typename T, long N> T sum_in_lanes(const T *values, long count) {
  T lanes[N];
  for (long k = 0; k < N; k++) lanes[k] = T(NOTHING);
  long j = 0;
  for (; j + N <= count; j += N)
    #pragma omp simd
    for (long k = 0; k < N; k++) lanes[k] += values[j + k];
  for (long k = 0; j + k < count; k++) lanes[k] += values[j + k];
  return joined<N>(lanes);
}

template <typename T> T sum(const T *values, long count) {
  return count < 4 * LANES ? sum_in_lanes<T, FEW_LANES>(values, count)
                           : sum_in_lanes<T, LANES>(values, count);
}

// Few elements, one after the other.
template <typename T> T short_sum(const T *values, long count) {
  T total = values[0];
  for (long k = 1; k < count; k++) total += values[k];
  return total;
}

template <typename T> void add(T *to, const T *from, long count) {
  #pragma omp simd
  for (long k = 0; k < count; k++) to[k] += from[k];
}

long grouped(const Job &job) {  // outer indices whose elements are one block
  const long each = job.middle * job.inner;
  return each <= BLOCK / 2 ? BLOCK / each : 1;
}

template <typename T> void sum_unit(const Job &job, const Scratch &scratch, long unit) {
  T *sums = reinterpret_cast<T *>(job.sums);
  const long middle = job.middle, inner = job.inner, each = middle * inner;
  const long group = grouped(job);
  if (group > 1) {
    const long first = unit * group;
    const long count = job.outer - first < group ? job.outer - first : group;
    const T *values = reinterpret_cast<T *>(computed(job, scratch, first * each, count * each));
    for (long k = 0; k < count; k++, values += each) {
      T *own = sums + (first + k) * inner;
      if (inner == 1) {
        *own = middle <= SHORT ? short_sum(values, middle) : sum(values, middle);
        continue;
      }
      for (long j = 0; j < inner; j++) own[j] = values[j];
      for (long row = 1; row < middle; row++) add(own, values + row * inner, inner);
    }
    return;
  }
  const long outer = unit / job.parts, part = unit % job.parts;
  T *own = sums + unit * inner;
  if (inner == 1) {
    const long start = part * RUN, end = middle - start < RUN ? middle : start + RUN;
    T total = T(NOTHING);
    const long block = job.direct ? RUN : BLOCK;
    for (long j = start; j < end; j += block) {
      const long count = end - j < block ? end - j : block;
      total += sum(reinterpret_cast<T *>(computed(job, scratch, outer * each + j, count)), count);
    }
    *own = total;
    return;
  }
  const long start = part * ROWS, end = middle - start < ROWS ? middle : start + ROWS;
  for (long j = 0; j < inner; j++) own[j] = T(NOTHING);
  const long rows = inner <= BLOCK ? BLOCK / inner : 1;
  for (long from = 0; from < inner; from += BLOCK) {
    const long columns = inner - from < BLOCK ? inner - from : BLOCK;
    for (long j = start; j < end; j += rows) {
      const long count = end - j < rows ? end - j : rows;
      const long number = outer * each + j * inner + from;
      const T *values = reinterpret_cast<T *>(computed(job, scratch, number, count * columns));
      for (long row = 0; row < count; row++) add(own + from, values + row * columns, columns);
    }
  }
}

template <typename T> void join(const Job &job, T *target) {  // by pairs
  T *sums = reinterpret_cast<T *>(job.sums);
  const long parts = job.parts, inner = job.inner;
  for (long k = 0; k < job.outer; k++) {
    T *own = sums + k * parts * inner;
    for (long step = 1; step < parts; step *= 2)
      for (long j = 0; j + step < parts; j += 2 * step)
        add(own + j * inner, own + (j + step) * inner, inner);
    memcpy(target + k * inner, own, inner * sizeof(T));
  }
}

// --------------------------------------------------------------------------- threads

const long UNIT = 16;  // blocks of a unit where nothing is summed

void elements(const Job &job, const Scratch &scratch, long unit) {
  long start = unit * UNIT * BLOCK, end = start + UNIT * BLOCK;
  if (end > job.total) end = job.total;
  if (job.direct) {
    const long whole = (end - start) / WIDTH * WIDTH;
    if (whole) computed(job, scratch, start, whole);
    start += whole;
  }
  for (; start < end; start += BLOCK)
    computed(job, scratch, start, end - start < BLOCK ? end - start : BLOCK);
}

void worked(const Job &job, const Scratch &scratch, long unit) {
  if (job.summed < 0) elements(job, scratch, unit);
  else if (job.item == 4) sum_unit<float>(job, scratch, unit);
  else sum_unit<double>(job, scratch, unit);
}

template <typename Work> struct Share {
  const Work *work;
  long first, end;
  bool failed;
};

template <typename Work> void *run(void *given) {
  Share<Work> &share = *static_cast<Share<Work> *>(given);
  const typename Work::Memory scratch(*share.work);
  share.failed = !scratch.block;
  for (long unit = share.first; unit < share.end && !share.failed; unit++)
    worked(*share.work, scratch, unit);
  return 0;
}

const int THREADS = 256;

// Share units of work out to threads; return whether there was memory enough.
template <typename Work> bool shared(const Work &work, int threads) {
  if (threads > THREADS) threads = THREADS;
  if (threads > work.units) threads = int(work.units);
  if (threads < 1) threads = 1;
  Share<Work> shares[THREADS];
  pthread_t ids[THREADS];
  bool started[THREADS];
  bool done = true;
  for (int k = threads - 1; k >= 0; k--) {
    shares[k] = {&work, work.units * k / threads, work.units * (k + 1) / threads, false};
    started[k] = k && !pthread_create(&ids[k], 0, run<Work>, &shares[k]);
    if (!started[k]) run<Work>(&shares[k]);
  }
  for (int k = 0; k < threads; k++) {
    if (started[k]) pthread_join(ids[k], 0);
    done = done && !shares[k].failed;
  }
  return done;
}

}  // namespace

// What is computed over which kind of arrays.
struct Call {
  Loop loop;                  // 0: the only input is summed itself
  long outer, middle, inner;  // the full shape, where an output is summed along the middle
  int inputs, outputs, summed;  // which output is summed; -1: none
  char items[OPERANDS];         // the bytes of an element of each
};

enum { NO_MEMORY, DONE, UNALIGNED };

// Compute a formula over a list of arrays, which are its inputs and its outputs.
extern "C" int gpugrad_run(const Call *call, const List *list, int threads) {
  Array *const *arrays = list->arrays;
  const int inputs = call->inputs, outputs = call->outputs, summed = call->summed;
  const long outer = call->outer, middle = call->middle, inner = call->inner;
  for (int k = 0; k < inputs + outputs; k++)
    if (!(arrays[k]->flags & ALIGNED)) return UNALIGNED;
  Job job;
  job.loop = call->loop;
  job.inputs = inputs, job.outputs = outputs, job.summed = summed;
  for (int k = 0; k < inputs + outputs; k++) job.operands[k].item = call->items[k];
  broadcast(job, arrays);
  if (summed < 0) {
    job.units = (job.total + UNIT * BLOCK - 1) / (UNIT * BLOCK);
    return shared(job, threads) ? DONE : NO_MEMORY;
  }
  Array *target = arrays[inputs + summed];
  job.outer = outer, job.middle = middle, job.inner = inner;
  job.item = call->items[inputs + summed];
  const long group = grouped(job);
  job.parts = 1;
  if (group == 1) job.parts = inner == 1 ? (middle + RUN - 1) / RUN : (middle + ROWS - 1) / ROWS;
  job.units = group > 1 ? (outer + group - 1) / group : outer * job.parts;
  job.sums = target->data;
  if (job.parts > 1) {
    job.sums = static_cast<char *>(malloc(outer * job.parts * inner * job.item));
    if (!job.sums) return NO_MEMORY;
  }
  const bool done = shared(job, threads);
  if (job.parts > 1) {
    if (done && job.item == 4) join(job, reinterpret_cast<float *>(target->data));
    if (done && job.item == 8) join(job, reinterpret_cast<double *>(target->data));
    free(job.sums);
  }
  return done ? DONE : NO_MEMORY;
}
