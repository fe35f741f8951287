// Streams that are captured, and the graphs that come of it.
//
// A graph is the list of what was asked for, in the order in which it was asked for.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scheduler.h"

namespace hostcuda {

struct Step {
  std::string name;           // of a kernel, a copy ..., as a picture of the graph shows it
  std::function<bool()> run;  // false: a Python exception is set
};
using Steps = std::vector<Step>;

enum Mode { GLOBAL = 0, THREAD_LOCAL = 1, RELAXED = 2 };  // cudaStreamCaptureMode

// How much was asked of a stream, and how much of that some other stream has waited for.
struct Work {
  long asked = 0, joined = 0;
};

struct Capture {
  long origin;  // the stream that it began on
  Mode mode;
  unsigned long thread;
  std::map<long, Work> streams;  // those that belong to it
  bool valid = true;
  std::shared_ptr<Steps> steps = std::make_shared<Steps>();
};

// What a call returns that CUDA does not permit: its number of the error.
enum Status {
  PERMITTED = 0,
  UNSUPPORTED = 900,  // operation not permitted when stream is capturing
  INVALIDATED = 901,  // operation failed due to a previous error during capture
  UNMATCHED = 903,    // the operation cannot be performed on a stream that is not capturing
  UNJOINED = 904,     // capturing stream has unjoined work
  CAPTURED_EVENT = 907,
  WRONG_THREAD = 908,
};

Capture *capture_of(long stream);

// Take a step down if the stream is captured; otherwise run it.
Status submit(long stream, Step step, bool *fine);

// Of a kernel whose arguments are copied.
Step launch(const Kernel &kernel, Index grid, Index block, void **arguments,
            bool (*run)(const Kernel &, Index, Index, void **));

Status unsafe();                 // what waits implicitly, or allocates
Status synchronize();            // with the device
Status synchronize(long stream);
void record_event(long event, long stream);
Status wait_event(long stream, long event);
Status look_at(long event);
void forget_event(long event);

Status begin(long stream, int mode);
Status end(long stream, std::shared_ptr<Steps> *steps);
int exchange_mode(int mode);  // of this thread; returns the one before

}  // namespace hostcuda
