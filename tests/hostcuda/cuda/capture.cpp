#include "capture.h"

#include <pthread.h>

#include <cstdint>
#include <cstring>
#include <map>

namespace hostcuda {
namespace {

// never destroyed: what is left at the end of the process holds on to Python's objects
auto &captures = *new std::vector<std::unique_ptr<Capture>>;  // those under way

struct Mark {
  Capture *capture;  // null where that has ended
  long stream, asked;
};
auto &events = *new std::map<long, Mark>;  // those last recorded in a captured stream
thread_local Mode thread_mode = GLOBAL;

unsigned long this_thread() { return static_cast<unsigned long>(pthread_self()); }

Status spoil(Capture *capture, Status status) {
  capture->valid = false;
  return status;
}

}  // namespace

Capture *capture_of(long stream) {
  for (auto &capture : captures)
    if (capture->streams.count(stream)) return capture.get();
  return nullptr;
}

Status submit(long stream, Step step, bool *fine) {
  Capture *capture = capture_of(stream);
  *fine = true;
  if (!capture)
    *fine = step.run();
  else if (!capture->valid)
    return INVALIDATED;
  else {
    capture->steps->push_back(std::move(step));
    capture->streams[stream].asked++;
  }
  return PERMITTED;
}

Step launch(const Kernel &kernel, Index grid, Index block, void **arguments,
            bool (*run)(const Kernel &, Index, Index, void **)) {
  constexpr size_t ALIGNMENT = 64;  // of any parameter
  size_t total = ALIGNMENT;
  std::vector<size_t> offsets;
  for (unsigned k = 0; k < kernel.parameters; k++) {
    offsets.push_back(total - ALIGNMENT);
    total += (kernel.sizes[k] + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
  auto memory = std::make_shared<std::vector<char>>(total);
  auto start = reinterpret_cast<uintptr_t>(memory->data());
  char *first = memory->data() + (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
  auto pointers = std::make_shared<std::vector<void *>>();
  for (unsigned k = 0; k < kernel.parameters; k++) {
    std::memcpy(first + offsets[k], arguments[k], kernel.sizes[k]);
    pointers->push_back(first + offsets[k]);
  }
  return {kernel.name, [=, &kernel] {
            (void)memory;
            return run(kernel, grid, block, pointers->data());
          }};
}

Status unsafe() {
  for (auto &capture : captures) {
    if (thread_mode == RELAXED || capture->mode == RELAXED) continue;
    const bool ours = capture->thread == this_thread();
    if (ours || (capture->mode == GLOBAL && thread_mode == GLOBAL))
      return spoil(capture.get(), UNSUPPORTED);
  }
  return PERMITTED;
}

Status synchronize() {
  for (auto &capture : captures) return spoil(capture.get(), UNSUPPORTED);
  return PERMITTED;
}

Status synchronize(long stream) {
  Capture *capture = capture_of(stream);
  return capture ? spoil(capture, UNSUPPORTED) : PERMITTED;
}

void record_event(long event, long stream) {
  if (Capture *capture = capture_of(stream))
    events[event] = {capture, stream, capture->streams[stream].asked};
  else
    events.erase(event);
}

Status wait_event(long stream, long event) {
  const auto found = events.find(event);
  Capture *capture = capture_of(stream);
  if (found == events.end()) return capture ? spoil(capture, UNSUPPORTED) : PERMITTED;
  const Mark &mark = found->second;
  if (!mark.capture) return CAPTURED_EVENT;
  Work &work = mark.capture->streams[mark.stream];
  if (mark.stream != stream && mark.asked > work.joined) work.joined = mark.asked;
  if (!mark.capture->streams.count(stream)) mark.capture->streams[stream].asked = 1;  // to wait
  return PERMITTED;
}

Status look_at(long event) {
  const auto found = events.find(event);
  if (found == events.end()) return PERMITTED;
  if (found->second.capture) spoil(found->second.capture, CAPTURED_EVENT);
  return CAPTURED_EVENT;
}

void forget_event(long event) { events.erase(event); }

Status begin(long stream, int mode) {
  if (!stream || capture_of(stream)) return UNSUPPORTED;
  auto capture = std::make_unique<Capture>();
  capture->origin = stream;
  capture->mode = static_cast<Mode>(mode);
  capture->thread = this_thread();
  capture->streams[stream] = {};
  captures.push_back(std::move(capture));
  return PERMITTED;
}

Status end(long stream, std::shared_ptr<Steps> *steps) {
  Capture *capture = capture_of(stream);
  if (!capture || capture->origin != stream) return UNMATCHED;
  if (capture->mode != RELAXED && capture->thread != this_thread()) return WRONG_THREAD;
  Status status = capture->valid ? PERMITTED : INVALIDATED;
  for (const auto &[other, work] : capture->streams)
    if (!status && other != stream && work.joined < work.asked) status = UNJOINED;
  *steps = capture->steps;
  for (auto &[event, mark] : events)
    if (mark.capture == capture) mark.capture = nullptr;
  for (auto place = captures.begin(); place != captures.end(); ++place)
    if (place->get() == capture) {
      captures.erase(place);
      break;
    }
  return status;
}

int exchange_mode(int mode) {
  const int before = thread_mode;
  thread_mode = static_cast<Mode>(mode);
  return before;
}

}  // namespace hostcuda
