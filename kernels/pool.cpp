// Memory of large arrays, as NumPy asks for it: aligned to what processors read at once, and kept
// for the next array of its size, since the system clears every page that it gives.
//
// What is kept and what is used together hardly exceed the most that was ever used: memory that is
// kept goes back to the system before a process takes much more of it than it would without a pool.
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace {

const size_t HEAD = 64;  // bytes before an array, which say what its memory is
const size_t PAGE = 4096;
const size_t LARGE = 1 << 16;      // bytes; smaller arrays are the C library's
const size_t HUGE_PAGE = 1 << 21;  // bytes, which the system can give and clear at once
const size_t MOST_KEPT = 1 << 28;  // bytes
const size_t SPARE = 1 << 25;      // bytes, beyond what was used at once: arrays differ in size
const int MOST_BLOCKS = 64;

struct Block {
  size_t bytes;  // its own, with the head
  bool pooled;   // otherwise it is the C library's
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
Block *kept[MOST_BLOCKS];  // the oldest first
int count = 0;
size_t used = 0, most_used = 0, all_kept = 0;

// Take what is kept at a place.
Block *removed(int k) {
  Block *block = kept[k];
  all_kept -= block->bytes;
  count--;
  memmove(kept + k, kept + k + 1, (count - k) * sizeof(Block *));
  return block;
}

void drop(Block *block) { munmap(block, block->bytes); }

Block *fresh(size_t bytes) {
  void *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
#ifdef MADV_HUGEPAGE
  if (bytes >= 2 * HUGE_PAGE) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  Block *block = static_cast<Block *>(memory);
  *block = {bytes, true};
  return block;
}

// Return a block of so many bytes; `clear` is whether they are zeros.
Block *taken(size_t bytes, bool *clear) {
  *clear = false;
  pthread_mutex_lock(&lock);
  used += bytes;
  if (used > most_used) most_used = used;
  Block *block = 0;
  for (int k = count - 1; k >= 0 && !block; k--)  // what was left last is in a cache
    if (kept[k]->bytes == bytes) block = removed(k);
  if (!block) {
    while (count && used + all_kept > most_used + SPARE) drop(removed(0));
    *clear = true;
    block = fresh(bytes);
    if (!block) {
      while (count) drop(removed(0));
      block = fresh(bytes);
    }
    if (!block) used -= bytes;
  }
  pthread_mutex_unlock(&lock);
  return block;
}

void left(Block *block) {
  pthread_mutex_lock(&lock);
  used -= block->bytes;
  if (block->bytes > MOST_KEPT) {
    drop(block);
  } else {
    all_kept += block->bytes;
    if (count == MOST_BLOCKS) drop(removed(0));
    kept[count++] = block;
    while (all_kept > MOST_KEPT) drop(removed(0));
  }
  pthread_mutex_unlock(&lock);
}

// Return memory for an array.
void *made(size_t bytes, bool zeros) {
  if (bytes > SIZE_MAX - HEAD - PAGE) return 0;
  const size_t all = bytes + HEAD;
  Block *block;
  if (bytes < LARGE) {
    block = static_cast<Block *>(zeros ? calloc(1, all) : malloc(all));
    if (!block) return 0;
    *block = {all, false};
  } else {
    bool clear;
    block = taken((all + PAGE - 1) / PAGE * PAGE, &clear);
    if (!block) return 0;
    if (zeros && !clear) memset(reinterpret_cast<char *>(block) + HEAD, 0, bytes);
  }
  return reinterpret_cast<char *>(block) + HEAD;
}

Block *block_of(void *memory) {
  return reinterpret_cast<Block *>(static_cast<char *>(memory) - HEAD);
}

// --------------------------------------------------------------------------- as NumPy calls it

void *allocated(void *, size_t bytes) { return made(bytes, false); }

void *cleared(void *, size_t elements, size_t each) {
  size_t bytes;
  return __builtin_mul_overflow(elements, each, &bytes) ? 0 : made(bytes, true);
}

void freed(void *, void *memory, size_t) {
  if (!memory) return;
  Block *block = block_of(memory);
  if (block->pooled) left(block);
  else free(block);
}

void *resized(void *, void *memory, size_t bytes) {
  void *moved = made(bytes, false);
  if (memory && moved) {
    const size_t before = block_of(memory)->bytes - HEAD;
    memcpy(moved, memory, before < bytes ? before : bytes);
    freed(0, memory, bytes);
  }
  return moved;
}

// A child may be forked while another thread is in here.
void begin() { pthread_mutex_lock(&lock); }
void end() { pthread_mutex_unlock(&lock); }
__attribute__((constructor)) void prepare() { pthread_atfork(begin, end, end); }

}  // namespace

// As NumPy's header has it.
extern "C" {
struct {
  char name[127];
  uint8_t version;
  void *context;
  void *(*malloc)(void *, size_t);
  void *(*calloc)(void *, size_t, size_t);
  void *(*realloc)(void *, void *, size_t);
  void (*free)(void *, void *, size_t);
} gpugrad_pool = {"gpugrad", 1, 0, allocated, cleared, resized, freed};

// Give what is kept back to the system.
void gpugrad_give_back() {
  pthread_mutex_lock(&lock);
  while (count) drop(removed(0));
  pthread_mutex_unlock(&lock);
}
}
