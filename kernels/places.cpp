// Rows of an array at places that arrays of numbers name, below frames.cpp: read, written, or put
// together with values, which those of one place are in their order.

namespace {

const int CONTIGUOUS = 1;  // of an array's flags

enum What { READ, WRITE, SUM, PRODUCT, MOST, LEAST };

struct Sum {
  template <typename T> static T of(T x, T y) { return T(x + y); }
};
struct Product {
  template <typename T> static T of(T x, T y) { return T(x * y); }
};
struct Most {
  template <typename T> static T of(T x, T y) { return (x >= y) | (x != x) ? x : y; }
};
struct Least {
  template <typename T> static T of(T x, T y) { return (x <= y) | (x != x) ? x : y; }
};

// The number of a row is the sum of steps: so many of each part, or of its length more if negative.
// The job's inputs are the parts and, where rows are single elements that are not read, the values.
struct Rows : Job {
  int what, parts;
  char type;
  const long *lengths, *steps;
  char *array, *values;  // values lie one after the other where they are not the job's
  long size, bytes;      // elements of a row, and its bytes
  int moving;            // the only part that moves along neighbours, by one; -1: none
  long run;              // such neighbours, or all
};

// Return where the elements of an operand are from number `start` on.
const char *operand(const Rows &work, const Scratch &scratch, int k, long start, long count) {
  const Operand &own = work.operands[k];
  if (own.way == WHOLE) return own.data + start * own.item;
  if (own.way == WALKED) walked(work, own, start, count, scratch.memory[k]);
  return scratch.memory[k];
}

// Whether numbers, negative ones counted from the front, are less than a length.
bool inside(const char *data, const long *sizes, const long *strides, int ndim, long length) {
  const long count = ndim ? sizes[0] : 1, stride = ndim ? strides[0] : 0;
  if (ndim > 1) {
    for (long j = 0; j < (stride ? count : count > 0); j++)
      if (!inside(data + j * stride, sizes + 1, strides + 1, ndim - 1, length)) return false;
    return true;
  }
  unsigned long outside = 0;
  if (stride == 8) {
    const long *from = reinterpret_cast<const long *>(data);
    #pragma omp simd reduction(|:outside)
    for (long j = 0; j < count; j++)
      outside |= (from[j] + length) | (length - 1 - from[j]);  // negative, if one of them is
  } else {
    for (long j = 0; j < count; j++, data += stride) {
      const long number = *reinterpret_cast<const long *>(data);
      outside |= (number + length) | (length - 1 - number);
    }
  }
  return long(outside) >= 0;
}

inline long counted(long number, long length) { return number + (number >> 63 & length); }

// The numbers of rows.
struct Listed {
  const long *numbers;
  long operator()(long j) const { return numbers[j]; }
};

// The same where one part moves.
struct Moving {
  const long *part;
  long before, length, step;
  long operator()(long j) const { return before + counted(part[j], length) * step; }
};

// The same where it moves by one: what is multiplied by a step is not computed in vectors.
struct Next {
  const long *part;
  long before, length;
  long operator()(long j) const { return before + counted(part[j], length); }
};

void list(const Rows &work, const Scratch &scratch, long start, long count, long *numbers) {
  for (int k = 0; k < work.parts; k++) {
    const long length = work.lengths[k], step = work.steps[k], kept = k ? -1 : 0;
    const long *from = reinterpret_cast<const long *>(operand(work, scratch, k, start, count));
    #pragma omp simd
    for (long j = 0; j < count; j++)
      numbers[j] = (numbers[j] & kept) + counted(from[j], length) * step;
  }
}

Moving moving(const Rows &work, long start) {
  Moving found = {0, 0, work.lengths[work.moving], work.steps[work.moving]};
  for (int k = 0; k < work.parts; k++) {
    const char *at = work.operands[k].data;
    long rest = start;
    for (int d = work.ndim - 1; d >= 0; d--) {
      at += rest % work.sizes[d] * work.operands[k].strides[d];
      rest /= work.sizes[d];
    }
    const long *part = reinterpret_cast<const long *>(at);
    if (k == work.moving) found.part = part;
    else found.before += counted(*part, work.lengths[k]) * work.steps[k];
  }
  return found;
}

template <typename T, typename Numbers>
void read(const Rows &work, const Numbers &row, long count, char *values) {
  const Loose<T> *rows = reinterpret_cast<const Loose<T> *>(work.array);
  Loose<T> *to = reinterpret_cast<Loose<T> *>(values);
  #pragma omp simd
  for (long j = 0; j < count; j++) to[j] = rows[row(j)];
}

template <typename T, typename Numbers>
void write(const Rows &work, const Numbers &row, long count, const char *values) {
  Loose<T> *rows = reinterpret_cast<Loose<T> *>(work.array);
  const Loose<T> *from = reinterpret_cast<const Loose<T> *>(values);
  for (long j = 0; j < count; j++) rows[row(j)] = from[j];
}

template <bool READS, typename Numbers>
void moved(const Rows &work, const Numbers &row, long count, char *values) {
  const long bytes = work.bytes;
  #define OF(T) READS ? read<T>(work, row, count, values) : write<T>(work, row, count, values)
  if (bytes == 4) return OF(int);
  if (bytes == 8) return OF(long);
  if (bytes == 1) return OF(char);
  if (bytes == 2) return OF(short);
  if (bytes == 16) return OF(Sixteen);
  #undef OF
  for (long j = 0; j < count; j++, values += bytes) {
    char *there = work.array + row(j) * bytes;
    memcpy(READS ? values : there, READS ? there : values, bytes);
  }
}

template <typename Kind, typename T>
void put_together(const Rows &work, const Listed &row, long count, const char *values) {
  T *rows = reinterpret_cast<T *>(work.array);
  const T *from = reinterpret_cast<const T *>(values);
  const long size = work.size;
  if (size == 1) {
    for (long j = 0; j < count; j++) {
      T &there = rows[row(j)];
      there = Kind::of(there, from[j]);
    }
    return;
  }
  for (long j = 0; j < count; j++, from += size) {
    T *there = rows + row(j) * size;
    #pragma omp simd
    for (long k = 0; k < size; k++) there[k] = Kind::of(there[k], from[k]);
  }
}

template <typename T>
void put_together(const Rows &work, const Listed &row, long count, const char *values) {
  if (work.what == SUM) put_together<Sum, T>(work, row, count, values);
  else if (work.what == PRODUCT) put_together<Product, T>(work, row, count, values);
  else if (work.what == MOST) put_together<Most, T>(work, row, count, values);
  else put_together<Least, T>(work, row, count, values);
}

void put_together(const Rows &work, const Listed &row, long count, const char *values) {
  if (work.type == 'f') put_together<float>(work, row, count, values);
  else if (work.type == 'd') put_together<double>(work, row, count, values);
  else if (work.type == 'l') put_together<long>(work, row, count, values);
  else put_together<int>(work, row, count, values);
}

template <typename Numbers>
void moved(const Rows &work, const Numbers &row, long count, char *values) {
  if (work.what == READ) moved<true>(work, row, count, values);
  else moved<false>(work, row, count, values);
}

void worked(const Rows &work, const Scratch &scratch, long unit) {
  const long blocks = (work.run + BLOCK - 1) / BLOCK, from = unit % blocks * BLOCK;
  const long start = unit / blocks * work.run + from;
  const long count = work.run - from < BLOCK ? work.run - from : BLOCK;
  char *values = work.values + start * work.bytes;
  if (work.inputs > work.parts)
    values = const_cast<char *>(operand(work, scratch, work.parts, start, count));
  const bool moves = work.what == READ || work.what == WRITE;
  if (moves && work.moving >= 0) {
    const Moving found = moving(work, start);
    if (found.step != 1) return moved(work, found, count, values);
    return moved(work, Next{found.part, found.before, found.length}, count, values);
  }
  long numbers[BLOCK];
  if (work.moving >= 0) {  // apart from sums, which wait to know what others write
    const Moving found = moving(work, start);
    #pragma omp simd
    for (long j = 0; j < count; j++) numbers[j] = found(j);
  } else {
    list(work, scratch, start, count, numbers);
  }
  if (moves) moved(work, Listed{numbers}, count, values);
  else put_together(work, Listed{numbers}, count, values);
}

// Find the part that alone moves along neighbours.
void find_moving(Rows &work) {
  const int inner = work.ndim - 1;
  work.moving = -1, work.run = work.total;
  if (inner < 0 || work.sizes[inner] < SHORT) return;
  int found = -1;
  for (int k = 0; k < work.parts; k++) {
    const long stride = work.operands[k].strides[inner];
    if (!stride) continue;
    if (found >= 0 || stride != work.operands[k].item) return;
    found = k;
  }
  if (found >= 0) work.moving = found, work.run = work.sizes[inner];
}

}  // namespace

// The list has parts, of int64, values and the array, which is contiguous; numbers are the elements
// of a row, and lengths and steps of parts.  Return 0, and have written nothing, where a row is not
// one of the array's, or there is no memory.
extern "C" int gpugrad_at(
    const List *list, const long *numbers, int what, int type, int item, int threads) {
  Rows work;
  const int parts = work.parts = int(list->size) - 2;
  Array *const *arrays = list->arrays;
  for (int k = 0; k < parts + 2; k++)
    if (!(arrays[k]->flags & ALIGNED)) return 0;
  work.what = what, work.type = char(type);
  work.size = numbers[0], work.bytes = numbers[0] * item;
  work.lengths = numbers + 1, work.steps = numbers + 1 + parts;
  work.values = arrays[parts]->data, work.array = arrays[parts + 1]->data;
  for (int k = 0; k < parts; k++) {
    const Array &part = *arrays[k];
    const long next = 8;
    long count = 1;
    for (int d = 0; d < part.ndim; d++) count *= part.sizes[d];
    const bool plain = part.flags & CONTIGUOUS;
    if (!inside(part.data, plain ? &count : part.sizes, plain ? &next : part.strides,
                plain ? 1 : part.ndim, work.lengths[k]))
      return 0;
  }
  work.loop = 0, work.outputs = 0, work.summed = -1;
  work.inputs = parts + (what != READ && work.size == 1);
  for (int k = 0; k < parts; k++) work.operands[k].item = 8;
  work.operands[parts].item = item;
  broadcast(work, arrays);
  if (!work.total) return 1;
  find_moving(work);
  work.units = work.total / work.run * ((work.run + BLOCK - 1) / BLOCK);
  return shared(work, what == READ ? threads : 1);  // what is written has an order
}
