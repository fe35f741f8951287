// What generated kernels and the native runtime know about each other.
//
// The runtime (scheduler.cpp) is one shared library, loaded before any kernel.
// Every kernel is a small library of its own and finds these symbols there.
#pragma once

namespace hostcuda {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

constexpr unsigned WARP_SIZE = 32;
constexpr unsigned MAX_THREADS_PER_BLOCK = 1024;
constexpr unsigned MAX_SHARED_BYTES = 232448;  // sm_90's opt-in limit

// The thread that is running now.  Only one runs at a time.
extern Index thread_index, block_index;
extern Index block_shape, grid_shape;

// A block's dynamic shared memory.  Blocks run one after another, so one copy will do.
extern char dynamic_shared[MAX_SHARED_BYTES];

// Where the lanes of a warp leave the values that they exchange in a shuffle.
extern unsigned long long exchange[MAX_THREADS_PER_BLOCK / WARP_SIZE][WARP_SIZE];

// Suspend this thread until its block (or warp) has arrived here too.
void wait_for_block();
void wait_for_warp();

inline unsigned linear_thread() {
  return thread_index.x + block_shape.x * (thread_index.y + block_shape.y * thread_index.z);
}
inline unsigned lane() { return linear_thread() % WARP_SIZE; }
inline unsigned warp() { return linear_thread() / WARP_SIZE; }

// What cuModuleGetFunction returns a pointer to.
struct Kernel {
  void (*run_thread)(void **arguments);
  bool has_barrier;  // its threads must be suspendable, which is slower
  const char *name;
  unsigned parameters;  // how many
  const unsigned *sizes;  // bytes of each
};

}  // namespace hostcuda
