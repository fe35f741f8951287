// Neighbouring elements that one instruction loads or stores: up to 16 bytes, aligned to their size.
namespace gpugrad {

template <typename T, int N> struct alignas(sizeof(T) * N) Pack {
  T at[N];
};

template <int N, typename T> __device__ inline Pack<T, N> load(const T *p) {
  return *reinterpret_cast<const Pack<T, N> *>(p);
}

template <int N, typename T> __device__ inline void store(T *p, const Pack<T, N> &values) {
  *reinterpret_cast<Pack<T, N> *>(p) = values;
}

}  // namespace gpugrad
