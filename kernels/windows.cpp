// Products with windows of images, for NumPy's arrays: a vector has one result of each of several
// filters, and a tile several of them side by side, which stay in registers.
#pragma GCC optimize("fp-contract=fast")

typedef REAL Vector __attribute__((vector_size(64)));
typedef REAL Unaligned __attribute__((vector_size(64), aligned(sizeof(REAL))));

namespace {

const int LANES = 64 / sizeof(REAL);
const int TILE = 14;  // results side by side

struct Shape {
  long count, channels, height, width;       // of the images, with what is around them
  long filters, kernel_height, kernel_width;
  long rows, columns;                        // of the results
  long step_down, step_right, apart_down, apart_right;
};

// The results of one row from a column on, of some filters.  Weights lie by channel, element of a
// filter, and filter.
template <int COUNT, bool DENSE>
void tile(const REAL *image, const REAL *weights, const Shape &s, Vector *sums) {
  const long step = DENSE ? 1 : s.step_right;
  Vector total[COUNT];
  for (int t = 0; t < COUNT; t++) total[t] = sums[t];
  for (long c = 0; c < s.channels; c++)
    for (long p = 0; p < s.kernel_height; p++) {
      const REAL *row = image + (c * s.height + p * s.apart_down) * s.width;
      for (long q = 0; q < s.kernel_width; q++, row += s.apart_right, weights += LANES) {
        const Vector weight = *(const Vector *)weights;
#pragma GCC unroll 14
        for (int t = 0; t < COUNT; t++) total[t] += weight * row[t * step];
      }
    }
  for (int t = 0; t < COUNT; t++) sums[t] = total[t];
}

template <bool DENSE>
void tiles(long count, const REAL *image, const REAL *weights, const Shape &s, Vector *sums) {
#define CASE(n) case n: tile<n, DENSE>(image, weights, s, sums); return;
  switch (count) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11)
    CASE(12) CASE(13) CASE(14)
  }
#undef CASE
}

// The gradient by the filters: each element of one is a sum over all results.
template <int HIGH, int WIDE, bool DENSE>
void summed(const REAL *image, const Vector *results, const Shape &s, REAL *target) {
  const long step = DENSE ? 1 : s.step_right;
  for (long c = 0; c < s.channels; c++, image += s.height * s.width) {
    Vector total[HIGH * WIDE];
    for (int k = 0; k < HIGH * WIDE; k++) total[k] = ((Vector *)target)[c * HIGH * WIDE + k];
    for (long i = 0; i < s.rows; i++) {
      const REAL *row = image + i * s.step_down * s.width;
      const Vector *line = results + i * s.columns;
      for (long j = 0; j < s.columns; j++, row += step) {
        const Vector result = line[j];
#pragma GCC unroll 5
        for (int p = 0; p < HIGH; p++)
#pragma GCC unroll 5
          for (int q = 0; q < WIDE; q++)
            total[p * WIDE + q] += result * row[p * s.apart_down * s.width + q];
      }
    }
    for (int k = 0; k < HIGH * WIDE; k++) ((Vector *)target)[c * HIGH * WIDE + k] = total[k];
  }
}

template <bool DENSE>
bool summed_by_size(const REAL *image, const Vector *results, const Shape &s, REAL *target) {
#define CASE(h, w)                                          \
  if (s.kernel_height == h && s.kernel_width == w) {        \
    summed<h, w, DENSE>(image, results, s, target);         \
    return true;                                            \
  }
  CASE(3, 3) CASE(5, 5) CASE(2, 2) CASE(4, 4) CASE(1, 3) CASE(1, 5)
#undef CASE
  return false;
}

}  // namespace

// Writes the products of windows with filters; what was written before is a bias.
extern "C" void gpugrad_convolve(const REAL *images, const REAL *weights, const REAL *bias,
                                 const Shape *shape, REAL *out) {
  const Shape s = *shape;
  const long blocks = (s.filters + LANES - 1) / LANES, plane = s.rows * s.columns;
  const long filter = s.channels * s.kernel_height * s.kernel_width * LANES;
  const long parts = (s.columns + TILE - 1) / TILE;
  for (long n = 0; n < s.count; n++)
    for (long b = 0; b < blocks; b++) {
      const Vector start = *(const Vector *)(bias + b * LANES);
      const long left = s.filters - b * LANES, lanes = left < LANES ? left : LANES;
      for (long i = 0; i < s.rows; i++)
        for (long part = 0; part < parts; part++) {
          const long first = part * s.columns / parts;
          const long count = (part + 1) * s.columns / parts - first;
          const REAL *image = images + (n * s.channels * s.height + i * s.step_down) * s.width +
                              first * s.step_right;
          Vector sums[TILE];
          for (long t = 0; t < count; t++) sums[t] = start;
          if (s.step_right == 1)
            tiles<true>(count, image, weights + b * filter, s, sums);
          else
            tiles<false>(count, image, weights + b * filter, s, sums);
          REAL *target = out + (n * s.filters + b * LANES) * plane + i * s.columns + first;
          for (long l = 0; l < lanes; l++, target += plane)
            for (long t = 0; t < count; t++) target[t] = sums[t][l];
        }
    }
}

// Adds the products of windows with results to `target`, which lies by block of filters, channel,
// element of a filter, and filter; `room` is for the results of one block.
extern "C" int gpugrad_weigh(const REAL *images, const REAL *results, const Shape *shape,
                             REAL *room, REAL *target) {
  const Shape s = *shape;
  const long blocks = (s.filters + LANES - 1) / LANES, plane = s.rows * s.columns;
  const long filter = s.channels * s.kernel_height * s.kernel_width * LANES;
  for (long n = 0; n < s.count; n++)
    for (long b = 0; b < blocks; b++) {
      const long left = s.filters - b * LANES, lanes = left < LANES ? left : LANES;
      const REAL *given = results + (n * s.filters + b * LANES) * plane;
      for (long k = 0; k < plane; k++)
        for (long l = 0; l < LANES; l++) room[k * LANES + l] = l < lanes ? given[l * plane + k] : 0;
      const REAL *image = images + n * s.channels * s.height * s.width;
      const bool known = s.step_right == 1
          ? summed_by_size<true>(image, (const Vector *)room, s, target + b * filter)
          : summed_by_size<false>(image, (const Vector *)room, s, target + b * filter);
      if (!known) return 1;
    }
  return 0;
}

// Windows of three dimensions, of which some may be of one element; -1 is the place of none.
struct Pool {
  long count, sizes[3], windows[3], elements[3];
};

// Writes the maxima over windows, and their numbers in these: the first of equal ones, and the last
// of those that are nan.
extern "C" void gpugrad_largest(const REAL *x, const long *depth, const long *height,
                                const long *width, const Pool *pool, REAL *out,
                                unsigned char *numbers) {
  const Pool p = *pool;
  const long whole = p.sizes[0] * p.sizes[1] * p.sizes[2];
  for (long o = 0; o < p.count; o++, x += whole)
    for (long a = 0; a < p.windows[0]; a++)
      for (long b = 0; b < p.windows[1]; b++)
        for (long c = 0; c < p.windows[2]; c++) {
          const long *across = width + c * p.elements[2];
          REAL best = 0;
          int number = -1, k = 0;
          for (long d = 0; d < p.elements[0]; d++)
            for (long h = 0; h < p.elements[1]; h++) {
              const long plane = depth[a * p.elements[0] + d], row = height[b * p.elements[1] + h];
              const REAL *line = x + (plane * p.sizes[1] + row) * p.sizes[2];
              for (long w = 0; w < p.elements[2]; w++, k++) {
                if (plane < 0 || row < 0 || across[w] < 0) continue;
                const REAL value = line[across[w]];
                // no branch, which numbers in any order would mislead
                const bool better = (value > best) | (value != value) | (number < 0);
                best = better ? value : best;
                number = better ? k : number;
              }
            }
          *out++ = best;
          *numbers++ = number;
        }
}

// Adds each element to that of its window whose number is given.
extern "C" void gpugrad_spread(const REAL *grad, const long *depth, const long *height,
                               const long *width, const Pool *pool, REAL *out,
                               const unsigned char *numbers) {
  const Pool p = *pool;
  const long whole = p.sizes[0] * p.sizes[1] * p.sizes[2];
  const unsigned wide = p.elements[2], high = p.elements[1];
  for (long o = 0; o < p.count; o++, out += whole)
    for (long a = 0; a < p.windows[0]; a++)
      for (long b = 0; b < p.windows[1]; b++)
        for (long c = 0; c < p.windows[2]; c++) {
          const unsigned number = *numbers++, line = number / wide;
          const long plane = depth[a * p.elements[0] + line / high];
          const long row = height[b * high + line % high], column = width[c * wide + number % wide];
          out[(plane * p.sizes[1] + row) * p.sizes[2] + column] += *grad++;
        }
}
