// Runs a kernel's grid on one CPU thread.
//
// Blocks run one after another.
// A block's threads run one after another too if the kernel has no barrier.
// Otherwise each is a fiber (a stack of its own), suspended wherever it waits for others.
#include "scheduler.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if !defined(__x86_64__) && !defined(HOSTCUDA_UCONTEXT)
#define HOSTCUDA_UCONTEXT
#endif
#ifdef HOSTCUDA_UCONTEXT
#include <ucontext.h>
#endif

namespace hostcuda {

Index thread_index, block_index;
Index block_shape, grid_shape;
alignas(128) char dynamic_shared[MAX_SHARED_BYTES];
unsigned long long exchange[MAX_THREADS_PER_BLOCK / WARP_SIZE][WARP_SIZE];

namespace {

// -DHOSTCUDA_REVERSE runs threads and blocks last to first: no result may depend on it.
unsigned in_order(unsigned k, unsigned count) {
#ifdef HOSTCUDA_REVERSE
  return count - 1 - k;
#else
  (void)count;
  return k;
#endif
}

// ---------------------------------------------------------------- switching stacks

#ifdef HOSTCUDA_UCONTEXT

using Context = ucontext_t;

void prepare(Context &context, char *stack, std::size_t size, void (*entry)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = size;
  context.uc_link = nullptr;
  makecontext(&context, entry, 0);
}

void switch_context(Context &from, Context &to) { swapcontext(&from, &to); }

#else

// swapcontext() makes two system calls; this takes a few nanoseconds.
struct Context {
  void *stack_pointer;
};

extern "C" __attribute__((visibility("hidden"))) void hostcuda_switch(void **save, void *load);
asm(R"(
  .text
  .hidden hostcuda_switch
  .globl hostcuda_switch
  .type hostcuda_switch, @function
hostcuda_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

void prepare(Context &context, char *stack, std::size_t size, void (*entry)()) {
  // What hostcuda_switch pops: six registers, then the address to return to.
  // Above it, an empty slot aligns the stack as a call would have.
  void **top = reinterpret_cast<void **>((reinterpret_cast<std::uintptr_t>(stack) + size) & ~15ul);
  *--top = nullptr;
  *--top = reinterpret_cast<void *>(entry);
  for (int saved = 0; saved < 6; saved++) *--top = nullptr;
  context.stack_pointer = top;
}

void switch_context(Context &from, Context &to) {
  hostcuda_switch(&from.stack_pointer, to.stack_pointer);
}

#endif

// ---------------------------------------------------------------- fibers

enum class State { ready, at_block_barrier, at_warp_barrier, done };

struct Fiber {
  Context context;
  Index index;
  State state;
};

struct Launch {
  const Kernel *kernel;
  void **arguments;
};

Launch current;
Context scheduler;
Fiber fibers[MAX_THREADS_PER_BLOCK];
Fiber *running = nullptr;

// Addresses of 1024 stacks are reserved at once; the kernel gives memory to those that are used.
constexpr std::size_t STACK_BYTES = 256 * 1024;
constexpr std::size_t GUARD_BYTES = 4096;  // overflowing a stack faults instead of corrupting another

char *stack_of(unsigned fiber) {
  static char *stacks = nullptr;
  if (!stacks) {
    const std::size_t size = MAX_THREADS_PER_BLOCK * STACK_BYTES;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      std::perror("hostcuda: no memory for the threads' stacks");
      std::abort();
    }
    stacks = static_cast<char *>(memory);
    for (unsigned i = 0; i < MAX_THREADS_PER_BLOCK; i++)
      mprotect(stacks + i * STACK_BYTES, GUARD_BYTES, PROT_NONE);
  }
  return stacks + fiber * STACK_BYTES;
}

void run_fiber() {
  current.kernel->run_thread(current.arguments);
  running->state = State::done;
  switch_context(running->context, scheduler);
}

void suspend(State state) {
  if (!running) return;  // a kernel whose source has no barrier
  running->state = state;
  switch_context(running->context, scheduler);
}

// Let fibers [first, last) go on if all that are not done wait at `barrier`.
bool release(unsigned first, unsigned last, State barrier) {
  bool anyone = false;
  for (unsigned i = first; i < last; i++) {
    if (fibers[i].state == State::done) continue;  // as on a GPU, who has returned is not awaited
    if (fibers[i].state != barrier) return false;
    anyone = true;
  }
  for (unsigned i = first; i < last; i++)
    if (fibers[i].state == barrier) fibers[i].state = State::ready;
  return anyone;
}

bool release_barriers(unsigned count) {
  bool released = release(0, count, State::at_block_barrier);
  for (unsigned first = 0; first < count; first += WARP_SIZE) {
    unsigned last = first + WARP_SIZE < count ? first + WARP_SIZE : count;
    released |= release(first, last, State::at_warp_barrier);
  }
  return released;
}

[[noreturn]] void report_deadlock() {
  std::fprintf(stderr,
               "hostcuda: kernel %s, block (%u, %u, %u): its threads wait at different barriers "
               "(__syncthreads in one, a warp's shuffle in another); a GPU would hang\n",
               current.kernel->name, block_index.x, block_index.y, block_index.z);
  std::abort();
}

void start_fibers(unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    Fiber &fiber = fibers[i];
    fiber.state = State::ready;
    fiber.index = {i % block_shape.x, i / block_shape.x % block_shape.y,
                   i / (block_shape.x * block_shape.y)};
    prepare(fiber.context, stack_of(i) + GUARD_BYTES, STACK_BYTES - GUARD_BYTES, run_fiber);
  }
}

// Run each fiber that is ready up to its next barrier; return whether any is not done.
bool run_ready_fibers(unsigned count) {
  bool unfinished = false;
  for (unsigned k = 0; k < count; k++) {
    Fiber &fiber = fibers[in_order(k, count)];
    if (fiber.state == State::ready) {
      running = &fiber;
      thread_index = fiber.index;
      switch_context(scheduler, fiber.context);
      running = nullptr;
    }
    unfinished |= fiber.state != State::done;
  }
  return unfinished;
}

void run_block_with_barriers() {
  const unsigned count = block_shape.x * block_shape.y * block_shape.z;
  start_fibers(count);
  while (run_ready_fibers(count))
    if (!release_barriers(count)) report_deadlock();
}

void run_block_without_barriers() {
  for (unsigned z = 0; z < block_shape.z; z++)
    for (unsigned y = 0; y < block_shape.y; y++)
      for (unsigned x = 0; x < block_shape.x; x++) {
        thread_index = {in_order(x, block_shape.x), in_order(y, block_shape.y),
                        in_order(z, block_shape.z)};
        current.kernel->run_thread(current.arguments);
      }
}

}  // namespace

void wait_for_block() { suspend(State::at_block_barrier); }
void wait_for_warp() { suspend(State::at_warp_barrier); }

void run_grid(const Kernel &kernel, Index grid, Index block, void **arguments) {
  current = {&kernel, arguments};
  grid_shape = grid;
  block_shape = block;
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        block_index = {in_order(x, grid.x), in_order(y, grid.y), in_order(z, grid.z)};
        if (kernel.has_barrier)
          run_block_with_barriers();
        else
          run_block_without_barriers();
      }
}

}  // namespace hostcuda
