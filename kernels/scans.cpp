// What is made of the elements up to each place along an axis, below frames.cpp: sums, products,
// recurrences, and extremes with where they are; and products of all.  Arrays are (outer, length,
// inner), contiguous.
//
// All but extremes are made in double precision.  Along neighbours eight are taken together, and
// what comes before these goes into all of them, so that a place need not wait for the one before.

namespace {

const long GROUP = 8;
const long COLUMNS = 64;

struct Sum {
  static double nothing() { return NOTHING; }
  static double of(double x, double y) { return x + y; }
  // a sum of a group may leave the range of numbers where what comes before brings it back
  static bool is_safe(const double *group) { return fabs(group[GROUP - 1]) < CUDART_INF; }
};

struct Product {
  static double nothing() { return 1.0; }
  static double of(double x, double y) { return x * y; }
  static bool is_safe(const double *group) {
    bool safe = true;
    #pragma GCC unroll 8
    for (long k = 0; k < GROUP; k++)
      safe &= (fabs(group[k]) >= 2.2250738585072014e-308) & (fabs(group[k]) < CUDART_INF);
    return safe;
  }
};

struct Most {
  template <typename T> static bool takes(T x, T best) { return (x >= best) | (x != x); }
};
struct Least {
  template <typename T> static bool takes(T x, T best) { return (x <= best) | (x != x); }
};

template <typename Kind, long STEP, typename T> void line(const T *x, T *out, long length) {
  double before = Kind::nothing();
  long j = 0;
  for (; j + GROUP <= length; j += GROUP) {
    double group[GROUP];
    group[0] = x[j * STEP];
    #pragma GCC unroll 8
    for (long k = 1; k < GROUP; k++) group[k] = Kind::of(group[k - 1], x[(j + k) * STEP]);
    if (Kind::is_safe(group)) {
      #pragma GCC unroll 8
      for (long k = 0; k < GROUP; k++) out[(j + k) * STEP] = T(Kind::of(before, group[k]));
      before = Kind::of(before, group[GROUP - 1]);
    } else {
      for (long k = 0; k < GROUP; k++) {
        before = Kind::of(before, x[(j + k) * STEP]);
        out[(j + k) * STEP] = T(before);
      }
    }
  }
  for (; j < length; j++) {
    before = Kind::of(before, x[j * STEP]);
    out[j * STEP] = T(before);
  }
}

template <typename Kind, typename T>
void columns(const T *x, T *out, long length, long step, long count) {
  double before[COLUMNS];
  for (long k = 0; k < COLUMNS; k++) before[k] = Kind::nothing();
  for (long j = 0; j < length; j++, x += step, out += step)
    #pragma omp simd
    for (long k = 0; k < count; k++) {
      before[k] = Kind::of(before[k], x[k]);
      out[k] = T(before[k]);
    }
}

// y[j] = factors[j] * y[j - 1] + x[j]
template <long STEP, typename T>
void recurrent_line(const T *factors, const T *x, T *out, long length) {
  double before = out[0] = x[0];
  long j = 1;
  for (; j + GROUP <= length; j += GROUP) {
    double products[GROUP], group[GROUP];
    products[0] = factors[j * STEP], group[0] = x[j * STEP];
    #pragma GCC unroll 8
    for (long k = 1; k < GROUP; k++) {
      const double factor = factors[(j + k) * STEP];
      products[k] = factor * products[k - 1];
      group[k] = factor * group[k - 1] + x[(j + k) * STEP];
    }
    if (Product::is_safe(products) & Sum::is_safe(group)) {
      #pragma GCC unroll 8
      for (long k = 0; k < GROUP; k++) out[(j + k) * STEP] = T(products[k] * before + group[k]);
      before = products[GROUP - 1] * before + group[GROUP - 1];
    } else {
      for (long k = 0; k < GROUP; k++) {
        before = factors[(j + k) * STEP] * before + x[(j + k) * STEP];
        out[(j + k) * STEP] = T(before);
      }
    }
  }
  for (; j < length; j++) {
    before = factors[j * STEP] * before + x[j * STEP];
    out[j * STEP] = T(before);
  }
}

template <typename T>
void recurrent_columns(
    const T *factors, const T *x, T *out, long length, long step, long count) {
  double before[COLUMNS];
  for (long k = 0; k < count; k++) before[k] = out[k] = x[k];
  for (long j = 1; j < length; j++) {
    factors += step, x += step, out += step;
    #pragma omp simd
    for (long k = 0; k < count; k++) {
      before[k] = factors[k] * before[k] + x[k];
      out[k] = T(before[k]);
    }
  }
}

template <typename Kind, typename T>
void extremes(const T *x, T *out, long long *places, long length, long step, long count) {
  T best[COLUMNS];
  long long place[COLUMNS];
  for (long k = 0; k < count; k++) best[k] = x[k], place[k] = 0;
  for (long j = 0; j < length; j++, x += step, out += step, places += step)
    #pragma omp simd
    for (long k = 0; k < count; k++) {
      const T value = x[k];
      const bool takes = Kind::takes(value, best[k]);
      best[k] = takes ? value : best[k];
      place[k] = takes ? j : place[k];
      out[k] = best[k];
      places[k] = place[k];
    }
}

template <typename Kind, typename T>
void extreme_line(const T *x, T *out, long long *places, long length) {
  T best = x[0];
  long long place = 0;
  for (long j = 0; j < length; j++) {
    const bool takes = Kind::takes(x[j], best);
    best = takes ? x[j] : best;
    place = takes ? j : place;
    out[j] = best;
    places[j] = place;
  }
}

enum { SUM, PRODUCT, MOST, LEAST, RECURRENCE };

template <typename T> struct Scan {
  struct Memory {
    const bool block = true;  // there is nothing to make
    explicit Memory(const Scan &) {}
  };
  int kind;
  bool reverse;
  const T *x;
  T *out;
  long long *places;
  const T *factors;
  long length, inner, parts, units;  // parts of the columns, which are independent
};

template <typename Kind, typename T> void totals(const Scan<T> &scan, long start, long count) {
  const long last = (scan.length - 1) * scan.inner;
  const T *x = scan.x + start;
  T *out = scan.out + start;
  if (scan.inner == 1 && !scan.reverse) line<Kind, 1>(x, out, scan.length);
  else if (scan.inner == 1) line<Kind, -1>(x + last, out + last, scan.length);
  else if (!scan.reverse) columns<Kind>(x, out, scan.length, scan.inner, count);
  else columns<Kind>(x + last, out + last, scan.length, -scan.inner, count);
}

template <typename T> void recurrent(const Scan<T> &scan, long start, long count) {
  const long length = scan.length, step = scan.reverse ? -scan.inner : scan.inner;
  const long from = start + (scan.reverse ? (length - 1) * scan.inner : 0);
  const T *factors = scan.factors + from, *x = scan.x + from;
  T *out = scan.out + from;
  if (scan.inner > 1) recurrent_columns(factors, x, out, length, step, count);
  else if (scan.reverse) recurrent_line<-1>(factors, x, out, length);
  else recurrent_line<1>(factors, x, out, length);
}

template <typename Kind, typename T> void found(const Scan<T> &scan, long start, long count) {
  const T *x = scan.x + start;
  T *out = scan.out + start;
  long long *places = scan.places + start;
  if (scan.inner == 1) extreme_line<Kind>(x, out, places, scan.length);
  else extremes<Kind>(x, out, places, scan.length, scan.inner, count);
}

template <typename T>
void worked(const Scan<T> &scan, const typename Scan<T>::Memory &, long unit) {
  const long column = unit % scan.parts * COLUMNS;
  const long start = unit / scan.parts * scan.length * scan.inner + column;
  const long count = scan.inner - column < COLUMNS ? scan.inner - column : COLUMNS;
  if (scan.kind == SUM) totals<Sum>(scan, start, count);
  else if (scan.kind == PRODUCT) totals<Product>(scan, start, count);
  else if (scan.kind == RECURRENCE) recurrent(scan, start, count);
  else if (scan.kind == MOST) found<Most>(scan, start, count);
  else found<Least>(scan, start, count);
}

template <typename T>
void scanned(
    Array *const *arrays, long outer, long length, long inner, int kind, bool reverse, int threads) {
  Scan<T> scan;
  scan.kind = kind, scan.reverse = reverse;
  scan.x = reinterpret_cast<const T *>(arrays[0]->data);
  scan.out = reinterpret_cast<T *>(arrays[1]->data);
  scan.places = reinterpret_cast<long long *>(arrays[2]->data);
  scan.factors = reinterpret_cast<const T *>(arrays[2]->data);
  scan.length = length, scan.inner = inner;
  scan.parts = (inner + COLUMNS - 1) / COLUMNS;
  scan.units = outer * scan.parts;
  shared(scan, threads);
}

// Products of all elements, as numbers between 1/2 and 1 and exponents of 2 of their own: parts may
// leave the range of numbers.

const long ABREAST = 16;

// Take the exponent out of a number, unless that is 0, infinite or nan.
inline void normalize(double &x, long long &exponent) {
  union { double number; long long bits; } word;
  word.number = x;
  const long long found = word.bits >> 52 & 0x7ff;
  const bool special = (found == 0) | (found == 0x7ff);
  word.bits = (word.bits & ~(0x7ffLL << 52)) | 1022LL << 52;
  x = special ? x : word.number;
  exponent += special ? 0 : found - 1022;
}

inline void multiply(double &x, long long &exponent, double factor) {
  const bool subnormal = fabs(factor) < 2.2250738585072014e-308;
  double own = subnormal ? factor * 18014398509481984.0 : factor;  // 2 ** 54
  long long more = subnormal & (factor != 0.0) ? -54 : 0;
  normalize(own, more);
  x *= own;
  exponent += more;
  normalize(x, exponent);
}

// The products of some rows, unless one of the numbers has a size that more of them may not have.
const long ROWS_AT_ONCE = 8;
const double SMALL = 8.673617379884035e-19, BIG = 1.152921504606847e18;  // 2 ** -60 and 2 ** 60

inline double larger(double x, double y) { return x > y ? x : y; }
inline double smaller(double x, double y) { return x < y ? x : y; }

// Whether no number is below a limit, and none above another; nan is neither.
inline bool within(double *least, double *most, double low, double high) {
  #pragma GCC unroll 8
  for (long half = ABREAST / 2; half > 0; half /= 2)
    #pragma omp simd
    for (long k = 0; k < half; k++) {
      least[k] = smaller(least[k + half], least[k]);
      most[k] = larger(most[k + half], most[k]);
    }
  return least[0] >= low && most[0] <= high;
}

template <typename T> bool usual(const T *values, long step, double *found) {
  double least[ABREAST], most[ABREAST];
  #pragma omp simd
  for (long k = 0; k < ABREAST; k++) {
    const double a = values[k], b = values[step + k], c = values[2 * step + k];
    const double d = values[3 * step + k], e = values[4 * step + k], f = values[5 * step + k];
    const double g = values[6 * step + k], h = values[7 * step + k];
    const double first = a * b * (c * d), second = e * f * (g * h);
    found[k] = first * second;
    if (sizeof(T) == 4) {  // of which four cannot leave the range of doubles
      const double p = fabs(first), q = fabs(second);
      most[k] = larger(p, q);
      least[k] = smaller(p, q);
    } else {
      const double p = fabs(a), q = fabs(b), r = fabs(c), s = fabs(d);
      const double t = fabs(e), u = fabs(f), v = fabs(g), w = fabs(h);
      most[k] = larger(larger(larger(p, q), larger(r, s)), larger(larger(t, u), larger(v, w)));
      least[k] =
          smaller(smaller(smaller(p, q), smaller(r, s)), smaller(smaller(t, u), smaller(v, w)));
    }
  }
  return sizeof(T) == 4 ? within(least, most, 1e-75, 1e75) : within(least, most, SMALL, BIG);
}

// Whether no product is so far from 1 that with another such it might leave the range.
inline bool near(const double *products, double low, double high) {
  double least[ABREAST], most[ABREAST];
  #pragma omp simd
  for (long k = 0; k < ABREAST; k++) least[k] = most[k] = fabs(products[k]);
  return within(least, most, low, high);
}

// Multiply by as many rows as are read at once; false: one by one, which the caller is to do.
template <typename T>
bool multiplied(const T *values, long step, double *products, long long *exponents) {
  double found[ABREAST];
  if (!usual(values, step, found)) return false;
  #pragma omp simd
  for (long k = 0; k < ABREAST; k++) products[k] *= found[k];
  if (!near(products, 1e-150, 1e150))  // one product more might leave the range
    for (long k = 0; k < ABREAST; k++) normalize(products[k], exponents[k]);
  return true;
}

// Multiply by at most so many rows, or one of at most so many numbers; what is not there is 1.
template <typename T>
void multiplied(
    const T *values, long rows, long step, long count, double *products, long long *exponents) {
  if (rows == ROWS_AT_ONCE && count == ABREAST) {
    if (multiplied(values, step, products, exponents)) return;
  } else {
    T filled[ROWS_AT_ONCE * ABREAST];
    for (long k = 0; k < ROWS_AT_ONCE * ABREAST; k++) filled[k] = 1;
    for (long j = 0; j < rows; j++)
      for (long k = 0; k < count; k++) filled[j * ABREAST + k] = values[j * step + k];
    if (multiplied(filled, ABREAST, products, exponents)) return;
  }
  for (long j = 0; j < rows; j++)
    for (long k = 0; k < count; k++)
      multiply(products[k % ABREAST], exponents[k % ABREAST], values[j * step + k]);
}

template <typename T> struct Products {
  struct Memory {
    const bool block = true;  // there is nothing to make
    explicit Memory(const Products &) {}
  };
  const T *x;
  T *out;
  long length, inner, parts, units;
};

template <typename T> T joined(double x, long long exponent) {
  if (!exponent) return T(x);
  const long long most = 4096;
  const long long bounded = exponent > most ? most : exponent < -most ? -most : exponent;
  return T(ldexp(x, int(bounded)));
}

template <typename T>
void worked(const Products<T> &work, const typename Products<T>::Memory &, long unit) {
  double products[ABREAST];
  long long exponents[ABREAST];
  for (long k = 0; k < ABREAST; k++) products[k] = 1.0, exponents[k] = 0;
  const long length = work.length, inner = work.inner;
  if (inner > 1) {
    const long column = unit % work.parts * ABREAST;
    const long count = inner - column < ABREAST ? inner - column : ABREAST;
    const long outer = unit / work.parts;
    const T *x = work.x + outer * length * inner + column;
    for (long row = 0; row < length; row += ROWS_AT_ONCE, x += ROWS_AT_ONCE * inner) {
      const long rows = length - row < ROWS_AT_ONCE ? length - row : ROWS_AT_ONCE;
      multiplied(x, rows, inner, count, products, exponents);
    }
    for (long k = 0; k < count; k++)
      work.out[outer * inner + column + k] = joined<T>(products[k], exponents[k]);
    return;
  }
  const T *x = work.x + unit * length;
  const long all = ROWS_AT_ONCE * ABREAST, rest = length % all;
  for (const T *end = x + length - rest; x < end; x += all)
    multiplied(x, ROWS_AT_ONCE, ABREAST, ABREAST, products, exponents);
  if (rest) multiplied(x, 1, 0, rest, products, exponents);
  const bool safe = near(products, SMALL, BIG);
  for (long k = 1; k < ABREAST; k++) {
    exponents[0] += exponents[k];
    if (!safe) multiply(products[0], exponents[0], products[k]);
  }
  for (long half = ABREAST / 2; safe && half > 0; half /= 2)
    for (long k = 0; k < half; k++) products[k] *= products[k + half];
  work.out[unit] = joined<T>(products[0], exponents[0]);
}

template <typename T>
void product(Array *const *arrays, long outer, long length, long inner, int threads) {
  Products<T> work;
  work.x = reinterpret_cast<const T *>(arrays[0]->data);
  work.out = reinterpret_cast<T *>(arrays[1]->data);
  work.length = length, work.inner = inner;
  work.parts = (inner + ABREAST - 1) / ABREAST;
  work.units = outer * work.parts;
  shared(work, threads);
}

}  // namespace

// The arrays are the elements; and, to be written, what is made of them, and places of extremes, or
// the factors of a recurrence.
extern "C" void gpugrad_scan(
    Array *const *arrays, int item, long outer, long length, long inner, int kind, int reverse,
    int threads) {
  if (item == 4) scanned<float>(arrays, outer, length, inner, kind, reverse, threads);
  else scanned<double>(arrays, outer, length, inner, kind, reverse, threads);
}

// The arrays are the elements, and the products along the length, which are written.
extern "C" void gpugrad_product(
    Array *const *arrays, int item, long outer, long length, long inner, int threads) {
  if (item == 4) product<float>(arrays, outer, length, inner, threads);
  else product<double>(arrays, outer, length, inner, threads);
}
