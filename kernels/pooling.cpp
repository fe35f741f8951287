// Maxima over windows of NumPy's arrays, and the way back from these.

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
