// One step in time of recurrent layers over NumPy's arrays, and its gradient; below the mathematics.
//
// A row has the gates of one sequence, `hidden` numbers each.  It is taken by blocks of columns; the
// last one is filled up to whole vectors, so that a value depends on what it is computed from alone.

extern "C" void *memcpy(void *to, const void *from, unsigned long bytes);

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

}  // namespace

// Long short-term memory: gates become what they are of the sums, in the order in, forget, new, out.
extern "C" void gpugrad_lstm(
    REAL *gates, const REAL *products, const REAL *bias, const REAL *before, REAL *cells,
    REAL *out, long rows, long hidden) {
  for (long row = 0; row < rows; row++)
    for (long at = 0; at < hidden; at += BLOCK) {
      Columns<REAL, 15> c(hidden - at < BLOCK ? hidden - at : BLOCK);
      for (int k = 0; k < 4; k++) {
        c.read(k, gates + (4 * row + k) * hidden + at);
        c.read(4 + k, products + (4 * row + k) * hidden + at);
        c.read(8 + k, bias + k * hidden + at);
      }
      c.read(12, before + row * hidden + at);
      c.write(13, cells + row * hidden + at);
      c.write(14, out + row * hidden + at);
      REAL *const *m = c.memory;
      #pragma omp simd
      for (long j = 0; j < BLOCK; j++) {
        const REAL first = sigmoid(m[0][j] + m[4][j] + m[8][j]);
        const REAL forget = sigmoid(m[1][j] + m[5][j] + m[9][j]);
        const REAL made = tanh(m[2][j] + m[6][j] + m[10][j]);
        const REAL last = sigmoid(m[3][j] + m[7][j] + m[11][j]);
        const REAL cell = forget * m[12][j] + first * made;
        m[0][j] = first, m[1][j] = forget, m[2][j] = made, m[3][j] = last;
        m[13][j] = cell;
        m[14][j] = last * tanh(cell);
      }
      for (int k = 0; k < 4; k++) c.stored(k);
      c.stored(13), c.stored(14);
    }
}

// The gradients of the sums, by those of the outputs and cells; `of_c` becomes that of the cells
// before, and the gradients are added to `sums` row by row.
extern "C" void gpugrad_lstm_gradient(
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
extern "C" void gpugrad_gru(
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
extern "C" void gpugrad_gru_gradient(
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
