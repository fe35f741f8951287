// float16 and bfloat16 as single precision and back, rounded to the nearest: by their bits, float16
// where the processor has instructions by these, which GCC takes for no vectors itself.
namespace gpugrad {

union Word {
  float number;
  unsigned bits;
};

struct float16 { unsigned short bits; };
struct bfloat16 { unsigned short bits; };

// The exponents' biases differ by 112; infinities and nan have the largest exponent in both.
inline float read(float16 x) {
  Word word, plain;
  plain.bits = (x.bits & 0x7fffu) << 13;
  word.number = plain.number * 5.192296858534828e33f;
  const unsigned endless = plain.bits | 0x7f800000u;
  word.bits = (x.bits & 0x7c00u) == 0x7c00u ? endless : word.bits;
  word.bits |= (x.bits & 0x8000u) << 16;
  return word.number;
}

inline void write(float16 &out, float x) {
  Word word, small;
  word.number = x;
  const unsigned sign = word.bits >> 16 & 0x8000u, size = word.bits & 0x7fffffffu;
  const unsigned normal = (size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13;
  small.bits = size;
  small.number += 0.5f;  // whose last bit is that of a subnormal half
  unsigned found = size < 0x38800000u ? small.bits - 0x3f000000u : normal;
  found = size >= 0x477ff000u ? 0x7c00u : found;
  found = size > 0x7f800000u ? 0x7e00u : found;
  out.bits = (unsigned short)(found | sign);
}

inline float read(bfloat16 x) {
  Word word;
  word.bits = (unsigned)x.bits << 16;
  return word.number;
}

inline void write(bfloat16 &out, float x) {
  Word word;
  word.number = x;
  const unsigned nearest = (word.bits + 0x7fffu + (word.bits >> 16 & 1u)) >> 16;
  const unsigned nan = (word.bits >> 16 & 0x8000u) | 0x7fc0u;
  out.bits = (unsigned short)(x != x ? nan : nearest);
}

// So many at once.
#ifdef __F16C__
typedef short Halves __attribute__((vector_size(16), aligned(2), may_alias));
typedef float Singles __attribute__((vector_size(32), aligned(4), may_alias));

template <long COUNT> inline void widen(const float16 *from, float *to) {
  for (long k = 0; k < COUNT; k += 8)
    *(Singles *)(to + k) = __builtin_ia32_vcvtph2ps256(*(const Halves *)(from + k));
}
template <long COUNT> inline void narrow(const float *from, float16 *to) {
  for (long k = 0; k < COUNT; k += 8)
    *(Halves *)(to + k) = __builtin_ia32_vcvtps2ph256(*(const Singles *)(from + k), 0);
}
#else
template <long COUNT> inline void widen(const float16 *from, float *to) {
  #pragma omp simd
  for (long k = 0; k < COUNT; k++) to[k] = read(from[k]);
}
template <long COUNT> inline void narrow(const float *from, float16 *to) {
  #pragma omp simd
  for (long k = 0; k < COUNT; k++) write(to[k], from[k]);
}
#endif

}  // namespace gpugrad
