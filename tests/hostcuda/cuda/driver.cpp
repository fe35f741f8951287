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

#include "scheduler.h"

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
}

namespace {

constexpr int FRESH = 0xCB;      // fresh memory is not zero
constexpr size_t ALIGNMENT = 512;  // of cudaMalloc
long next_handle = 0x1000;
PyObject *traced = nullptr;  // the list that gathers the names of launched kernels
bool talkative = false;
int devices = 1, current_device = 0;
bool idle = false;  // launch, but run nothing

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

}  // namespace

extern "C" {

// ---------------------------------------------------------------- for hostcuda itself

long hostcuda_launches = 0;

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
PyObject *hostcuda_finished() { return PyLong_FromLong(0); }  // cudaSuccess
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

// ---------------------------------------------------------------- memory

long hostcuda_malloc(size_t size) {
  void *memory;
  if (posix_memalign(&memory, ALIGNMENT, size ? size : 1)) {
    PyErr_Format(PyExc_RuntimeError, "hostcuda: no memory for %zu bytes", size);
    return 0;
  }
  std::memset(memory, FRESH, size);
  return reinterpret_cast<long>(memory);
}

PyObject *hostcuda_free(long memory) {
  std::free(reinterpret_cast<void *>(memory));
  return none();
}

PyObject *hostcuda_memcpy(long destination, long source, size_t size) {
  std::memmove(reinterpret_cast<void *>(destination), reinterpret_cast<void *>(source), size);
  return none();
}

PyObject *hostcuda_memcpy_peer(long destination, int, long source, int, size_t size) {
  return hostcuda_memcpy(destination, source, size);
}

PyObject *hostcuda_memset(long memory, int value, size_t size) {
  std::memset(reinterpret_cast<void *>(memory), value, size);
  return none();
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
                          unsigned shared_bytes, long, long arguments) {
  const auto &kernel = *reinterpret_cast<const hostcuda::Kernel *>(function);
  const hostcuda::Index grid{grid_x, grid_y, grid_z}, block{block_x, block_y, block_z};
  if (!fits(grid, block, shared_bytes))
    return PyErr_Format(PyExc_RuntimeError,
                        "CUDA_ERROR_INVALID_VALUE: invalid argument (kernel %s, grid (%u, %u, %u), "
                        "block (%u, %u, %u), %u bytes of shared memory)",
                        kernel.name, grid_x, grid_y, grid_z, block_x, block_y, block_z,
                        shared_bytes);
  hostcuda_launches++;
  if (!record(kernel, grid, block)) return nullptr;
  if (!idle) hostcuda::run_grid(kernel, grid, block, reinterpret_cast<void **>(arguments));
  return none();
}

}  // extern "C"
