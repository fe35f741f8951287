// Recurrent layers over NumPy's arrays, and their gradients: steps in time, one after the other.
// Below the mathematics.
//
// A row has the gates of one sequence, `hidden` numbers each.  It is taken by blocks of columns; the
// last one is filled up to whole vectors, so that a value depends on what it is computed from alone.
// Of each step `rows` has how many sequences there are, which is the first of their rows, and the
// step's number in the order of time.

extern "C" {
void *aligned_alloc(unsigned long alignment, unsigned long bytes);
void free(void *memory);
void *memcpy(void *to, const void *from, unsigned long bytes);
}

namespace {

const long BLOCK = 64;

// `COUNT` operands of a block of columns, which are copied where they are not whole.
template <typename T, int COUNT> struct Columns {
  T *there[COUNT], *memory[COUNT];
  T room[COUNT][BLOCK];
  long count;

  explicit Columns(long count) : count(count) {}
  void read(int k, const T *values) {
    there[k] = memory[k] = const_cast<T *>(values);
    if (count == BLOCK) return;
    memory[k] = room[k];
    for (long j = 0; j < BLOCK; j++) room[k][j] = j < count ? values[j] : T(0);
  }
  void write(int k, T *values) {
    there[k] = values;
    memory[k] = count == BLOCK ? values : room[k];
  }
  void stored(int k) const {
    if (count != BLOCK) memcpy(there[k], room[k], count * sizeof(T));
  }
};

template <typename T> inline T sigmoid(T x) {
  const T small = exp(-abs(x));  // never infinite
  const T found = T(1) / (T(1) + small);
  return x < T(0) ? small * found : found;
}

// --------------------------------------------------------------------------- products

#ifdef __AVX512F__
const long BYTES = 64;
#else
const long BYTES = 32;
#endif
typedef REAL Vector __attribute__((vector_size(BYTES)));
typedef REAL Unaligned __attribute__((vector_size(BYTES), aligned(sizeof(REAL))));
const long LANES = BYTES / sizeof(REAL);
const long PANEL = 2 * LANES;  // columns of a matrix that lie together
const long DEPTH = 16384 / (2 * BYTES);  // so many rows of them fill half of the first cache
const long TALL = 6;           // rows of a tile: its sums stay in registers

// Some rows times some columns; the products are added to `out` where it has sums already.
template <int ROWS>
void tile(
    const REAL *rows, long stride, const REAL *panel, long depth, bool more, REAL *out, long width,
    long columns) {
  Vector sums[ROWS][2] = {};
  REAL room[PANEL] = {};
  const bool whole = columns == PANEL;
  if (more)
    for (int r = 0; r < ROWS; r++) {
      const REAL *from = out + r * width;
      if (!whole) from = (const REAL *)memcpy(room, from, columns * sizeof(REAL));
      for (int k = 0; k < 2; k++) sums[r][k] = *(const Unaligned *)(from + k * LANES);
    }
  for (long j = 0; j < depth; j++, panel += PANEL) {
    const Vector first = *(const Vector *)panel, second = *(const Vector *)(panel + LANES);
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++) {
      sums[r][0] += first * rows[r * stride + j];
      sums[r][1] += second * rows[r * stride + j];
    }
  }
  for (int r = 0; r < ROWS; r++) {
    REAL *to = whole ? out + r * width : room;
    for (int k = 0; k < 2; k++) *(Unaligned *)(to + k * LANES) = sums[r][k];
    if (!whole) memcpy(out + r * width, room, columns * sizeof(REAL));
  }
}

// A matrix of `depth` rows and `width` columns, by panels, that rows are multiplied with.
struct Weights {
  REAL *memory;
  long depth, width;

  // Row j and column k are at j * down + k * right.
  Weights(const REAL *matrix, long depth, long width, long down, long right)
      : memory(0), depth(depth), width(width) {
    const long count = (width + PANEL - 1) / PANEL * PANEL * depth;
    if (!matrix) return;
    REAL *next = memory = (REAL *)aligned_alloc(BYTES, count * sizeof(REAL) + BYTES);
    if (!memory) return;
    for (long k = 0; k < width; k += PANEL)
      for (long j = 0; j < depth; j++)
        for (long c = k; c < k + PANEL; c++)
          *next++ = c < width ? matrix[j * down + c * right] : REAL(0);
  }
  ~Weights() { free(memory); }

  void times(const REAL *rows, long count, REAL *out) const {
    const long tiles = (count + TALL - 1) / TALL;
    for (long k = 0; k < width; k += PANEL)
      for (long j = 0; j < depth; j += DEPTH) {
        const REAL *panel = memory + k * depth + j * PANEL;
        const long some = depth - j < DEPTH ? depth - j : DEPTH;
        const long columns = width - k < PANEL ? width - k : PANEL;
        for (long t = 0; t < tiles; t++) {
          const long row = count * t / tiles, end = count * (t + 1) / tiles;
          const REAL *from = rows + row * depth + j;
          REAL *to = out + row * width + k;
#define CASE(n) case n: tile<n>(from, depth, panel, some, j > 0, to, width, columns); break;
          switch (end - row) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) }
#undef CASE
        }
      }
  }
};

// --------------------------------------------------------------------------- steps

// Long short-term memory: gates become what they are of the sums, in the order in, forget, new, out.
void lstm(
    REAL *gates, const REAL *products, const REAL *bias, REAL *state, REAL *cell, REAL *cells,
    REAL *out, long rows, long hidden) {
  for (long row = 0; row < rows; row++)
    for (long at = 0; at < hidden; at += BLOCK) {
      Columns<REAL, 16> c(hidden - at < BLOCK ? hidden - at : BLOCK);
      for (int k = 0; k < 4; k++) {
        c.read(k, gates + (4 * row + k) * hidden + at);
        c.read(4 + k, products + (4 * row + k) * hidden + at);
        c.read(8 + k, bias + k * hidden + at);
      }
      c.read(12, cell + row * hidden + at);
      REAL *const whole[] = {cells, out, state};
      for (int k = 0; k < 3; k++) c.write(13 + k, whole[k] + row * hidden + at);
      REAL *const *m = c.memory;
      #pragma omp simd
      for (long j = 0; j < BLOCK; j++) {
        const REAL first = sigmoid(m[0][j] + m[4][j] + m[8][j]);
        const REAL forget = sigmoid(m[1][j] + m[5][j] + m[9][j]);
        const REAL made = tanh(m[2][j] + m[6][j] + m[10][j]);
        const REAL last = sigmoid(m[3][j] + m[7][j] + m[11][j]);
        const REAL now = forget * m[12][j] + first * made;
        m[0][j] = first, m[1][j] = forget, m[2][j] = made, m[3][j] = last;
        m[12][j] = m[13][j] = now;
        m[14][j] = m[15][j] = last * tanh(now);
      }
      for (int k = 0; k < 4; k++) c.stored(k);
      for (int k = 12; k < 16; k++) c.stored(k);
    }
}

// The gradients of the sums, by those of the outputs and cells; `of_c` becomes that of the cells
// before, and the gradients are added to `sums` row by row.
void lstm_slope(
    const REAL *gates, const REAL *before, const REAL *cells, const REAL *of_out, const REAL *of_h,
    REAL *of_c, REAL *of_gates, REAL *sums, long rows, long hidden) {
  for (long row = 0; row < rows; row++)
    for (long at = 0; at < hidden; at += BLOCK) {
      Columns<REAL, 17> c(hidden - at < BLOCK ? hidden - at : BLOCK);
      for (int k = 0; k < 4; k++) {
        c.read(k, gates + (4 * row + k) * hidden + at);
        c.write(4 + k, of_gates + (4 * row + k) * hidden + at);
        c.read(8 + k, sums + k * hidden + at);
      }
      const REAL *whole[] = {before, cells, of_out, of_h, of_c};
      for (int k = 0; k < 5; k++) c.read(12 + k, whole[k] + row * hidden + at);
      REAL *const *m = c.memory;
      #pragma omp simd
      for (long j = 0; j < BLOCK; j++) {
        const REAL first = m[0][j], forget = m[1][j], made = m[2][j], last = m[3][j];
        const REAL curve = tanh(m[13][j]), of_out_ = m[14][j] + m[15][j];
        const REAL of_cell = m[16][j] + of_out_ * last * (REAL(1) - curve * curve);
        const REAL of_first = of_cell * made * (first - first * first);
        const REAL of_forget = of_cell * m[12][j] * (forget - forget * forget);
        const REAL of_made = of_cell * first * (REAL(1) - made * made);
        const REAL of_last = of_out_ * curve * (last - last * last);
        m[4][j] = of_first, m[5][j] = of_forget, m[6][j] = of_made, m[7][j] = of_last;
        m[8][j] += of_first, m[9][j] += of_forget, m[10][j] += of_made, m[11][j] += of_last;
        m[16][j] = of_cell * forget;
      }
      for (int k = 4; k < 12; k++) c.stored(k);
      c.stored(16);
    }
}

// Gated units: gates become what they are of the sums, in the order reset, update, new; `resets` are
// the products that the new ones were reset from, and `state` becomes the output.
void gru(
    REAL *gates, const REAL *products, const REAL *bias, const REAL *bias_of_products,
    REAL *resets, REAL *state, REAL *out, long rows, long hidden) {
  for (long row = 0; row < rows; row++)
    for (long at = 0; at < hidden; at += BLOCK) {
      Columns<REAL, 15> c(hidden - at < BLOCK ? hidden - at : BLOCK);
      for (int k = 0; k < 3; k++) {
        c.read(k, gates + (3 * row + k) * hidden + at);
        c.read(3 + k, products + (3 * row + k) * hidden + at);
        c.read(6 + k, bias + k * hidden + at);
        c.read(9 + k, bias_of_products + k * hidden + at);
      }
      c.read(12, state + row * hidden + at);
      c.write(13, resets + row * hidden + at);
      c.write(14, out + row * hidden + at);
      REAL *const *m = c.memory;
      #pragma omp simd
      for (long j = 0; j < BLOCK; j++) {
        const REAL reset = sigmoid(m[0][j] + m[6][j] + (m[3][j] + m[9][j]));
        const REAL update = sigmoid(m[1][j] + m[7][j] + (m[4][j] + m[10][j]));
        const REAL given = m[5][j] + m[11][j];
        const REAL made = tanh(m[2][j] + m[8][j] + reset * given);
        const REAL found = (m[12][j] - made) * update + made;
        m[0][j] = reset, m[1][j] = update, m[2][j] = made;
        m[13][j] = given;
        m[12][j] = m[14][j] = found;
      }
      for (int k = 0; k < 3; k++) c.stored(k);
      for (int k = 12; k < 15; k++) c.stored(k);
    }
}

// The gradients of the sums, and in `of_new` those of the new ones that are not reset; `of_h` becomes
// what the output before has beside the products.
void gru_slope(
    const REAL *gates, const REAL *before, const REAL *resets, const REAL *of_out,
    REAL *of_h, REAL *of_gates, REAL *of_new, REAL *sums, long rows, long hidden) {
  for (long row = 0; row < rows; row++)
    for (long at = 0; at < hidden; at += BLOCK) {
      Columns<REAL, 15> c(hidden - at < BLOCK ? hidden - at : BLOCK);
      for (int k = 0; k < 3; k++) {
        c.read(k, gates + (3 * row + k) * hidden + at);
        c.write(3 + k, of_gates + (3 * row + k) * hidden + at);
      }
      for (int k = 0; k < 4; k++) c.read(6 + k, sums + k * hidden + at);
      const REAL *whole[] = {before, resets, of_out, of_h};
      for (int k = 0; k < 4; k++) c.read(10 + k, whole[k] + row * hidden + at);
      c.write(14, of_new + row * hidden + at);
      REAL *const *m = c.memory;
      #pragma omp simd
      for (long j = 0; j < BLOCK; j++) {
        const REAL reset = m[0][j], update = m[1][j], made = m[2][j];
        const REAL of_state = m[12][j] + m[13][j];
        const REAL of_made = of_state * (REAL(1) - update) * (REAL(1) - made * made);
        const REAL of_reset = of_made * m[11][j] * (reset - reset * reset);
        const REAL of_update = of_state * (m[10][j] - made) * (update - update * update);
        const REAL of_given = of_made * reset;
        m[3][j] = of_reset, m[4][j] = of_update, m[5][j] = of_given, m[14][j] = of_made;
        m[6][j] += of_reset, m[7][j] += of_update, m[8][j] += of_given, m[9][j] += of_made;
        m[13][j] = of_state * update;
      }
      for (int k = 3; k < 10; k++) c.stored(k);
      c.stored(13), c.stored(14);
    }
}

}  // namespace

// Steps of long short-term memory; where there is no weight, the products of states and weights are
// given, or are left to others.  Each function returns whether there was memory.
extern "C" int gpugrad_lstm(
    const REAL *weight, REAL *gates, REAL *products, const REAL *bias, REAL *state, REAL *cell,
    REAL *cells, REAL *out, const long *rows, long steps, long hidden) {
  const Weights weights(weight, hidden, 4 * hidden, 1, hidden);
  if (weight && !weights.memory) return 0;
  for (const long *end = rows + 3 * steps; rows < end; rows += 3) {
    const long count = rows[0], at = rows[1] * hidden;
    if (weight) weights.times(state, count, products);
    lstm(gates + 4 * at, products, bias, state, cell, cells + at, out + at, count, hidden);
  }
  return 1;
}

extern "C" int gpugrad_lstm_gradient(
    const REAL *weight, const REAL *gates, const REAL *before, const REAL *cells,
    const REAL *of_out, REAL *of_h, REAL *of_c, REAL *of_gates, REAL *sums, const long *rows,
    long steps, long hidden) {
  const Weights weights(weight, 4 * hidden, hidden, hidden, 1);
  if (weight && !weights.memory) return 0;
  for (const long *end = rows + 3 * steps; rows < end; rows += 3) {
    const long count = rows[0], at = rows[1] * hidden;
    lstm_slope(gates + 4 * at, before + at, cells + at, of_out + at, of_h, of_c, of_gates + 4 * at,
               sums + rows[2] * 4 * hidden, count, hidden);
    if (weight) weights.times(of_gates + 4 * at, count, of_h);
  }
  return 1;
}

// Likewise of gated units.
extern "C" int gpugrad_gru(
    const REAL *weight, REAL *gates, REAL *products, const REAL *bias,
    const REAL *bias_of_products, REAL *resets, REAL *state, REAL *out, const long *rows,
    long steps, long hidden) {
  const Weights weights(weight, hidden, 3 * hidden, 1, hidden);
  if (weight && !weights.memory) return 0;
  for (const long *end = rows + 3 * steps; rows < end; rows += 3) {
    const long count = rows[0], at = rows[1] * hidden;
    if (weight) weights.times(state, count, products);
    gru(gates + 3 * at, products, bias, bias_of_products, resets + at, state, out + at, count,
        hidden);
  }
  return 1;
}

// `products` receives those of the gradients of gates and weights, which are added to `of_h`.
extern "C" int gpugrad_gru_gradient(
    const REAL *weight, const REAL *gates, REAL *products, const REAL *before, const REAL *resets,
    const REAL *of_out, REAL *of_h, REAL *of_gates, REAL *of_new, REAL *sums, const long *rows,
    long steps, long hidden) {
  const Weights weights(weight, 3 * hidden, hidden, hidden, 1);
  if (weight && !weights.memory) return 0;
  for (const long *end = rows + 3 * steps; rows < end; rows += 3) {
    const long count = rows[0], at = rows[1] * hidden;
    gru_slope(gates + 3 * at, before + at, resets + at, of_out + at, of_h, of_gates + 3 * at,
              of_new + at, sums + rows[2] * 4 * hidden, count, hidden);
    if (!weight) continue;
    weights.times(of_gates + 3 * at, count, products);
    #pragma omp simd
    for (long k = 0; k < count * hidden; k++) of_h[k] += products[k];
  }
  return 1;
}
