// Maxima over windows of NumPy's arrays, and the way back from these.

// Windows of three dimensions, of which some may be of one element; -1 is the place of none.
struct Pool {
  long count, sizes[3], windows[3], elements[3];
};

namespace {

template <int SIZE> struct Integer { typedef int Type; };
template <> struct Integer<8> { typedef long Type; };
typedef Integer<sizeof(REAL)>::Type Bits;

template <typename To, typename From> inline To as(From from) {
  To to;
  __builtin_memcpy(&to, &from, sizeof(to));
  return to;
}

// The maximum of one window, and its number there.  Rows begin at `lines` and have the numbers of
// their first elements; of a window at the border some elements are missing.
template <int WIDE, bool WHOLE>
inline REAL largest(const REAL *const *lines, const long *firsts, long count, const long *across,
                    long width, long *number) {
  const long wide = WIDE ? WIDE : width;
  Bits best = 0, found = -1;
  for (long e = 0; e < count; e++) {
#pragma GCC unroll 3
    for (long w = 0; w < wide; w++) {
      if (!WHOLE && across[w] < 0) continue;
      const REAL value = lines[e][across[w]];
      // by bits and not by a branch, which numbers in any order would mislead
      const Bits better = -Bits((value > as<REAL>(best)) | (value != value) | (found < 0));
      best = (as<Bits>(value) & better) | (best & ~better);
      found = (Bits(firsts[e] + w) & better) | (found & ~better);
    }
  }
  *number = found;
  return as<REAL>(best);
}

}  // namespace

// Writes the maxima over windows, and their numbers in these: the first of equal ones, and the last
// of those that are nan.
extern "C" void gpugrad_largest(const REAL *x, const long *depth, const long *height,
                                const long *width, const Pool *pool, REAL *out,
                                unsigned char *numbers) {
  const Pool p = *pool;
  const long whole = p.sizes[0] * p.sizes[1] * p.sizes[2], wide = p.elements[2];
  for (long o = 0; o < p.count; o++, x += whole)
    for (long a = 0; a < p.windows[0]; a++)
      for (long b = 0; b < p.windows[1]; b++) {
        const REAL *lines[256];
        long firsts[256], count = 0;
        for (long d = 0; d < p.elements[0]; d++)
          for (long h = 0; h < p.elements[1]; h++) {
            const long plane = depth[a * p.elements[0] + d], row = height[b * p.elements[1] + h];
            if (plane < 0 || row < 0) continue;
            lines[count] = x + (plane * p.sizes[1] + row) * p.sizes[2];
            firsts[count++] = (d * p.elements[1] + h) * wide;
          }
        const long *across = width;
        for (long c = 0; c < p.windows[2]; c++, across += wide) {
          long number;
          const bool inside = across[0] >= 0 && across[wide - 1] >= 0;  // and all between
          *out++ = !inside     ? largest<0, false>(lines, firsts, count, across, wide, &number)
                   : wide == 2 ? largest<2, true>(lines, firsts, count, across, wide, &number)
                   : wide == 3 ? largest<3, true>(lines, firsts, count, across, wide, &number)
                               : largest<0, true>(lines, firsts, count, across, wide, &number);
          *numbers++ = number;
        }
      }
}

// Adds each element to that of its window whose number is given.
extern "C" void gpugrad_spread(const REAL *grad, const long *depth, const long *height,
                               const long *width, const Pool *pool, REAL *out,
                               const unsigned char *numbers) {
  const Pool p = *pool;
  const long whole = p.sizes[0] * p.sizes[1] * p.sizes[2];
  unsigned char planes[256], rows[256], columns[256];  // of the elements of a window
  long k = 0;
  for (long d = 0; d < p.elements[0]; d++)
    for (long h = 0; h < p.elements[1]; h++)
      for (long w = 0; w < p.elements[2]; w++, k++) planes[k] = d, rows[k] = h, columns[k] = w;
  for (long o = 0; o < p.count; o++, out += whole)
    for (long a = 0; a < p.windows[0]; a++)
      for (long b = 0; b < p.windows[1]; b++) {
        const long *across = width;
        for (long c = 0; c < p.windows[2]; c++, across += p.elements[2]) {
          const long number = *numbers++;
          const long plane = depth[a * p.elements[0] + planes[number]];
          const long row = height[b * p.elements[1] + rows[number]];
          out[(plane * p.sizes[1] + row) * p.sizes[2] + across[columns[number]]] += *grad++;
        }
      }
}
