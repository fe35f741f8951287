// The CUDA calls that CuPy makes all the time, on host memory.
//
// driver.py puts these functions in the place of CuPy's own wrappers of the CUDA calls.
// They therefore have those wrappers' signatures (trailing parameters that no one needs are
// left out) and speak to Python directly: a null result means that an exception is set.
// The interpreter's lock is held in all of them.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "capture.h"

// Declared by hand, so that a Python without its headers will do.
struct PyObject;
extern "C" {
extern PyObject _Py_NoneStruct, *PyExc_RuntimeError;
void Py_IncRef(PyObject *);
void Py_DecRef(PyObject *);
PyObject *PyErr_Format(PyObject *exception, const char *format, ...);
char *PyBytes_AsString(PyObject *);
const char *PyUnicode_AsUTF8(PyObject *);
PyObject *PyUnicode_FromString(const char *);
PyObject *PyLong_FromLong(long);
int PyList_Append(PyObject *list, PyObject *item);
void PyErr_SetObject(PyObject *exception, PyObject *value);
PyObject *PyObject_CallNoArgs(PyObject *callable);
}

namespace {

constexpr int FRESH = 0xCB;      // fresh memory is not zero
constexpr size_t ALIGNMENT = 512;  // of cudaMalloc
long next_handle = 0x1000;
PyObject *traced = nullptr;  // the list that gathers the names of launched kernels
bool talkative = false;
int devices = 1, current_device = 0;
bool idle = false;  // launch, but run nothing
PyObject *error_class = nullptr;  // CuPy's
// never destroyed: what is left at the end of the process holds on to Python's objects
auto &graphs = *new std::map<long, std::shared_ptr<hostcuda::Steps>>;

PyObject *none() {
  Py_IncRef(&_Py_NoneStruct);
  return &_Py_NoneStruct;
}

bool fits(hostcuda::Index grid, hostcuda::Index block, unsigned shared_bytes) {
  const unsigned long long threads = 1ull * block.x * block.y * block.z;
  return grid.x && grid.y && grid.z && grid.x <= 0x7fffffff && grid.y <= 65535 &&
         grid.z <= 65535 && threads && threads <= hostcuda::MAX_THREADS_PER_BLOCK &&
         block.z <= 64 && shared_bytes <= hostcuda::MAX_SHARED_BYTES;
}

bool record(const hostcuda::Kernel &kernel, hostcuda::Index grid, hostcuda::Index block) {
  if (talkative)
    std::fprintf(stderr, "hostcuda: %s<<<(%u, %u, %u), (%u, %u, %u)>>>\n", kernel.name, grid.x,
                 grid.y, grid.z, block.x, block.y, block.z);
  if (!traced) return true;
  PyObject *name = PyUnicode_FromString(kernel.name);
  if (!name) return false;
  const bool appended = PyList_Append(traced, name) == 0;
  Py_DecRef(name);
  return appended;
}

// Set the Python exception for what CUDA does not permit; false where it does.
bool refused(hostcuda::Status status) {
  if (!status) return false;
  PyObject *number = PyLong_FromLong(status);
  PyErr_SetObject(error_class, number);
  Py_DecRef(number);
  return true;
}

PyObject *answer(hostcuda::Status status) { return refused(status) ? nullptr : none(); }

PyObject *submit(long stream, const char *name, std::function<bool()> run) {
  bool fine;
  const hostcuda::Status status = hostcuda::submit(stream, {name, std::move(run)}, &fine);
  return refused(status) || !fine ? nullptr : none();
}

long kept(std::shared_ptr<hostcuda::Steps> steps) {
  const long handle = next_handle += 8;
  graphs[handle] = std::move(steps);
  return handle;
}

}  // namespace

extern "C" {

// ---------------------------------------------------------------- for hostcuda itself

long hostcuda_launches = 0;

namespace {

bool run_kernel(const hostcuda::Kernel &kernel, hostcuda::Index grid, hostcuda::Index block,
                void **arguments) {
  hostcuda_launches++;
  if (!record(kernel, grid, block)) return false;
  if (!idle) hostcuda::run_grid(kernel, grid, block, arguments);
  return true;
}

}  // namespace

void hostcuda_errors(PyObject *kind) {
  Py_IncRef(kind);
  error_class = kind;
}

// Have a Python function called when a captured stream's graph is replayed; 0 where the stream is
// not captured, and the caller shall do so itself.
PyObject *hostcuda_defer(long stream, PyObject *function) {
  if (!hostcuda::capture_of(stream)) return PyLong_FromLong(0);
  Py_IncRef(function);
  std::shared_ptr<PyObject> held(function, Py_DecRef);
  const auto run = [held] {
    PyObject *result = PyObject_CallNoArgs(held.get());
    if (result) Py_DecRef(result);
    return result != nullptr;
  };
  PyObject *done = submit(stream, "library", run);
  if (!done) return nullptr;
  Py_DecRef(done);
  return PyLong_FromLong(1);
}

// Append the names of kernels to `list` from now on; None stops that.
PyObject *hostcuda_trace(PyObject *list) {
  if (traced) Py_DecRef(traced);
  traced = list == &_Py_NoneStruct ? nullptr : list;
  if (traced) Py_IncRef(traced);
  return none();
}

void hostcuda_talk() { talkative = true; }
void hostcuda_idle() { idle = true; }
void hostcuda_pretend(int count) { devices = count; }

// ---------------------------------------------------------------- calls that need no device

PyObject *hostcuda_done() { return none(); }
long hostcuda_zero() { return 0; }
long hostcuda_one() { return 1; }
long hostcuda_device_count() { return devices; }
long hostcuda_get_device() { return current_device; }
PyObject *hostcuda_set_device(int device) {
  if (device < 0 || device >= devices)
    return PyErr_Format(PyExc_RuntimeError, "cudaErrorInvalidDevice: invalid device ordinal");
  current_device = device;
  return none();
}
long hostcuda_handle() { return next_handle += 8; }  // of a stream or an event: all are the same

// ---------------------------------------------------------------- streams, events and graphs

PyObject *hostcuda_device_synchronize() { return answer(hostcuda::synchronize()); }
PyObject *hostcuda_stream_synchronize(long stream) {
  return answer(hostcuda::synchronize(stream));
}
PyObject *hostcuda_stream_query(long stream) {
  return refused(hostcuda::synchronize(stream)) ? nullptr : PyLong_FromLong(0);  // cudaSuccess
}
PyObject *hostcuda_event_record(long event, long stream) {
  hostcuda::record_event(event, stream);
  return none();
}
PyObject *hostcuda_event_wait(long stream, long event) {
  return answer(hostcuda::wait_event(stream, event));
}
PyObject *hostcuda_event_synchronize(long event) { return answer(hostcuda::look_at(event)); }
PyObject *hostcuda_event_query(long event) {
  return refused(hostcuda::look_at(event)) ? nullptr : PyLong_FromLong(0);
}
PyObject *hostcuda_event_destroy(long event) {
  hostcuda::forget_event(event);
  return none();
}

PyObject *hostcuda_begin_capture(long stream, int mode) {
  return answer(hostcuda::begin(stream, mode));
}
struct OptionalMode {
  int given, mode;
};
PyObject *hostcuda_begin_capture_from_c(long stream, int, OptionalMode *optional) {
  const bool given = optional && optional->given;
  return hostcuda_begin_capture(stream, given ? optional->mode : hostcuda::RELAXED);
}
long hostcuda_end_capture(long stream) {
  std::shared_ptr<hostcuda::Steps> steps;
  return refused(hostcuda::end(stream, &steps)) ? 0 : kept(steps);
}
int hostcuda_is_capturing(long stream) { return hostcuda::capture_of(stream) != nullptr; }
int cudaThreadExchangeStreamCaptureMode(int *mode) {
  *mode = hostcuda::exchange_mode(*mode);
  return 0;
}

long hostcuda_graph_instantiate(long graph) {
  return kept(std::make_shared<hostcuda::Steps>(*graphs.at(graph)));
}
PyObject *hostcuda_graph_launch(long graph, long stream) {
  const auto steps = graphs.at(graph);
  return submit(stream, "graph", [steps] {
    for (const auto &step : *steps)
      if (!step.run()) return false;
    return true;
  });
}
PyObject *hostcuda_graph_destroy(long graph) {
  graphs.erase(graph);
  return none();
}
PyObject *hostcuda_graph_print(long graph, PyObject *path, unsigned) {
  std::FILE *file = std::fopen(PyUnicode_AsUTF8(path), "w");
  if (!file) return PyErr_Format(PyExc_RuntimeError, "hostcuda: cannot write a picture there");
  std::fputs("digraph dot {\n", file);
  int k = 0;
  for (const auto &step : *graphs.at(graph)) {
    std::fprintf(file, "\"%d\" [label=\"%s\"];\n", k, step.name.c_str());
    if (k) std::fprintf(file, "\"%d\" -> \"%d\";\n", k - 1, k);
    k++;
  }
  std::fputs("}\n", file);
  std::fclose(file);
  return none();
}

// ---------------------------------------------------------------- memory

long hostcuda_malloc(size_t size) {
  if (refused(hostcuda::unsafe())) return 0;
  void *memory;
  if (posix_memalign(&memory, ALIGNMENT, size ? size : 1)) {
    PyErr_Format(PyExc_RuntimeError, "hostcuda: no memory for %zu bytes", size);
    return 0;
  }
  std::memset(memory, FRESH, size);
  return reinterpret_cast<long>(memory);
}

PyObject *hostcuda_free(long memory) {
  if (refused(hostcuda::unsafe())) return nullptr;
  std::free(reinterpret_cast<void *>(memory));
  return none();
}

PyObject *hostcuda_memcpy_async(long destination, long source, size_t size, int, long stream) {
  return submit(stream, "memcpy", [=] {
    std::memmove(reinterpret_cast<void *>(destination), reinterpret_cast<void *>(source), size);
    return true;
  });
}
PyObject *hostcuda_memcpy(long destination, long source, size_t size) {
  if (refused(hostcuda::unsafe())) return nullptr;
  return hostcuda_memcpy_async(destination, source, size, 0, 0);
}
PyObject *hostcuda_memcpy_peer(long destination, int, long source, int, size_t size) {
  return hostcuda_memcpy(destination, source, size);
}
PyObject *hostcuda_memcpy_peer_async(long destination, int, long source, int, size_t size,
                                     long stream) {
  return hostcuda_memcpy_async(destination, source, size, 0, stream);
}

PyObject *hostcuda_memset_async(long memory, int value, size_t size, long stream) {
  return submit(stream, "memset", [=] {
    std::memset(reinterpret_cast<void *>(memory), value, size);
    return true;
  });
}
PyObject *hostcuda_memset(long memory, int value, size_t size) {
  if (refused(hostcuda::unsafe())) return nullptr;
  return hostcuda_memset_async(memory, value, size, 0);
}

// ---------------------------------------------------------------- kernels

// A "cubin" here is the path of the shared library that compiler.py built.
long hostcuda_module_load_data(PyObject *path) {
  const char *file = PyBytes_AsString(path);
  if (!file) return 0;
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) PyErr_Format(PyExc_RuntimeError, "hostcuda: %s", dlerror());
  return reinterpret_cast<long>(library);
}

long hostcuda_module_get_function(long library, PyObject *name) {
  const char *kernel = PyUnicode_AsUTF8(name);
  if (!kernel) return 0;
  char symbol[1024];
  std::snprintf(symbol, sizeof symbol, "hostcuda_%s", kernel);
  void *found = dlsym(reinterpret_cast<void *>(library), symbol);
  if (!found)
    PyErr_Format(PyExc_RuntimeError, "CUDA_ERROR_NOT_FOUND: named symbol not found (%s)", kernel);
  return reinterpret_cast<long>(found);
}

PyObject *hostcuda_launch(long function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                          unsigned block_x, unsigned block_y, unsigned block_z,
                          unsigned shared_bytes, long stream, long arguments) {
  const auto &kernel = *reinterpret_cast<const hostcuda::Kernel *>(function);
  const hostcuda::Index grid{grid_x, grid_y, grid_z}, block{block_x, block_y, block_z};
  if (!fits(grid, block, shared_bytes))
    return PyErr_Format(PyExc_RuntimeError,
                        "CUDA_ERROR_INVALID_VALUE: invalid argument (kernel %s, grid (%u, %u, %u), "
                        "block (%u, %u, %u), %u bytes of shared memory)",
                        kernel.name, grid_x, grid_y, grid_z, block_x, block_y, block_z,
                        shared_bytes);
  const auto pointers = reinterpret_cast<void **>(arguments);
  if (!hostcuda::capture_of(stream))
    return run_kernel(kernel, grid, block, pointers) ? none() : nullptr;
  auto step = hostcuda::launch(kernel, grid, block, pointers, run_kernel);
  return submit(stream, kernel.name, step.run);
}

}  // extern "C"
