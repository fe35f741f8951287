"""Answers the CUDA calls of CuPy's two lowest modules on the host.

Cython modules import each other's C functions from a dictionary of capsules, ``__pyx_capi__``.
A capsule holds a function's address, and its C signature as its name.
Capsules with our functions, put there before the other modules of CuPy are imported, therefore
reach every caller inside CuPy; nothing of the wheel is changed.
Functions that run often are C++ (cuda/driver.cpp), the others are Python.
"""

from __future__ import annotations

import ctypes
import functools
import re
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .build import runtime_library
from .settings import COMPUTE_CAPABILITY, DEVICES, IDLE, TRACE

# Our C++ function, and CuPy's that it answers for.
_NATIVE = {
    "hostcuda_done": (
        "_ensure_context funcSetAttribute graphUpload moduleUnload profilerStart profilerStop "
        "streamDestroy"
    ),
    "hostcuda_zero": "deviceCanAccessPeer funcGetAttribute streamGetFlags streamGetPriority",
    "hostcuda_device_synchronize": "deviceSynchronize",
    "hostcuda_stream_synchronize": "streamSynchronize",
    "hostcuda_stream_query": "streamQuery",
    "hostcuda_event_record": "eventRecord",
    "hostcuda_event_wait": "streamWaitEvent",
    "hostcuda_event_synchronize": "eventSynchronize",
    "hostcuda_event_query": "eventQuery",
    "hostcuda_event_destroy": "eventDestroy",
    "hostcuda_begin_capture_from_c": "streamBeginCapture",
    "hostcuda_end_capture": "streamEndCapture",
    "hostcuda_is_capturing": "streamIsCapturing",
    "hostcuda_graph_instantiate": "graphInstantiate",
    "hostcuda_graph_launch": "graphLaunch",
    "hostcuda_graph_destroy": "graphDestroy graphExecDestroy",
    "hostcuda_graph_print": "graphDebugDotPrint",
    "hostcuda_one": "ctxGetCurrent",
    "hostcuda_device_count": "getDeviceCount",
    "hostcuda_get_device": "getDevice",
    "hostcuda_set_device": "setDevice",
    "hostcuda_handle": (
        "eventCreate eventCreateWithFlags streamCreate streamCreateWithFlags "
        "streamCreateWithPriority"
    ),
    "hostcuda_malloc": "malloc mallocAsync mallocManaged hostAlloc",
    "hostcuda_free": "free freeAsync freeHost",
    "hostcuda_memcpy": "memcpy",
    "hostcuda_memcpy_async": "memcpyAsync",
    "hostcuda_memcpy_peer": "memcpyPeer",
    "hostcuda_memcpy_peer_async": "memcpyPeerAsync",
    "hostcuda_memset": "memset",
    "hostcuda_memset_async": "memsetAsync",
    "hostcuda_module_load_data": "moduleLoadData",
    "hostcuda_module_get_function": "moduleGetFunction",
    "hostcuda_launch": "launchKernel",
}

_ATTRIBUTES = {  # by their numbers in cudaDeviceAttr
    1: 1024,  # threads a block
    2: 1024,  # its width
    3: 1024,  # its height
    4: 64,  # its depth
    5: 2**31 - 1,  # width of a grid
    6: 65535,  # its height
    7: 65535,  # its depth
    8: 49152,  # bytes of shared memory a block
    10: 32,  # threads a warp
    16: 132,  # multiprocessors
    41: 1,  # unified addressing
    75: COMPUTE_CAPABILITY // 10,
    76: COMPUTE_CAPABILITY % 10,
    83: 1,  # managed memory
    97: 232448,  # bytes of shared memory a block may ask for
}
_PROPERTIES = {
    "name": b"hostcuda (emulated on the CPU)",
    "major": COMPUTE_CAPABILITY // 10,
    "minor": COMPUTE_CAPABILITY % 10,
    "maxThreadsPerBlock": 1024,
    "multiProcessorCount": 132,
    "totalGlobalMem": 2**34,
    "warpSize": 32,
}
_DEVICE_MEMORY = 2  # cudaMemoryTypeDevice
RELAXED = 2  # cudaStreamCaptureModeRelaxed

_CTYPES: dict[str, Any] = {
    "CUdevice": ctypes.c_int,
    "cudaMemcpyKind": ctypes.c_int,
    "float": ctypes.c_float,
    "int": ctypes.c_int,
    "intptr_t": ctypes.c_ssize_t,
    "size_t": ctypes.c_size_t,
    "uintmax_t": ctypes.c_size_t,
    "unsigned int": ctypes.c_uint,
    "void": None,
}

_library: ctypes.PyDLL | None = None
_alive: list[Any] = []  # capsules point at these; none may be collected


def replace_calls(runtime: Any, driver: Any) -> None:
    """Put our functions in the place of CuPy's.

    Args:
        runtime: The module cupy_backends.cuda.api.runtime.
        driver: The module cupy_backends.cuda.api.driver.
    """
    global _library
    # Kernels look for the scheduler, and for libm, among the symbols that are global.
    _library = ctypes.PyDLL(str(runtime_library()), mode=ctypes.RTLD_GLOBAL)
    _library.hostcuda_trace.argtypes = [ctypes.py_object]
    _library.hostcuda_trace.restype = ctypes.py_object
    if TRACE:
        _library.hostcuda_talk()
    if IDLE:
        _library.hostcuda_idle()
    _library.hostcuda_pretend(DEVICES)
    _library.hostcuda_errors.argtypes = [ctypes.py_object]
    _library.hostcuda_errors(runtime.CUDARuntimeError)
    _library.hostcuda_defer.argtypes = [ctypes.c_long, ctypes.py_object]
    _library.hostcuda_defer.restype = ctypes.py_object

    def owner(name: str) -> Any:
        return runtime if name in runtime.__pyx_capi__ else driver

    for native, names in _NATIVE.items():
        address = _address(getattr(_library, native))
        for name in names.split():
            _replace_by_native(owner(name), name, address)

    # The mode is optional, and CuPy hands it over in a structure of its own.
    begin = _library.hostcuda_begin_capture
    begin.argtypes, begin.restype = [ctypes.c_long, ctypes.c_int], ctypes.py_object
    runtime.streamBeginCapture = lambda stream, mode=RELAXED: begin(stream, mode)

    def attributes(pointer: int) -> Any:
        return runtime.PointerAttributes(0, pointer, pointer, _DEVICE_MEMORY)

    in_python: dict[str, Callable[..., Any]] = {
        "deviceGetAttribute": lambda attribute, device: _ATTRIBUTES.get(attribute, 0),
        "driverGetVersion": lambda: 13000,
        "eventElapsedTime": lambda start, end: 0.0,
        "getDeviceProperties": lambda device: dict(_PROPERTIES),
        "memGetInfo": lambda: (2**34, 2**34),
        "pointerGetAttributes": attributes,
        "pointerGetMemoryType": lambda pointer: _DEVICE_MEMORY,
        "runtimeGetVersion": lambda: 13000,
    }
    for name, function in in_python.items():
        _replace_by_python(owner(name), name, function)


def launches() -> int:
    """Return how many kernels this process has launched."""
    return ctypes.c_long.in_dll(_loaded(), "hostcuda_launches").value


def submit(stream: int, function: Callable[[], None]) -> None:
    """Call a function, or have it called by each replay where the stream is captured."""
    if not _loaded().hostcuda_defer(stream, function):
        function()


def queued(function: Callable[..., None]) -> Callable[..., None]:
    """Have a function that computes on the device do so when the current stream comes to it."""

    @functools.wraps(function)
    def called(*arguments: Any) -> None:
        submit(_current_stream(), functools.partial(function, *arguments))

    return called


def is_captured() -> bool:
    """Tell whether the current stream is captured."""
    return bool(_loaded().hostcuda_is_capturing(ctypes.c_long(_current_stream())))


def _current_stream() -> int:
    import cupy

    return int(cupy.cuda.get_current_stream().ptr)


def provide_libraries(names: Sequence[str], product: Callable[..., None]) -> None:
    """Have our library found where NVIDIA's are looked for by cuda.pathfinder.

    Args:
        names: Of the libraries.
        product: What computes cuBLAS's products; see cuda/cublas.cpp.
    """
    from cuda import pathfinder

    find = pathfinder.load_nvidia_dynamic_lib
    ours = types.SimpleNamespace(abs_path=str(runtime_library()))
    pathfinder.load_nvidia_dynamic_lib = lambda name: ours if name in names else find(name)
    i, p, n = ctypes.c_int, ctypes.c_void_p, ctypes.c_longlong
    kinds = [ctypes.c_long, i, i, i, i, i, p, p, i, i, n, p, i, i, n, p, p, i, i, n, i, i]
    callback = ctypes.CFUNCTYPE(None, *kinds)(product)
    _alive.append(callback)
    _loaded().hostcuda_set_product(callback)


_innermost: list[str] | None = None


@contextmanager
def trace() -> Iterator[list[str]]:
    """Collect the names of the kernels launched in the block, in order.

    >>> with trace() as names:  # doctest: +SKIP
    ...     cupy.ones(3) + 1
    >>> names  # doctest: +SKIP
    ['cupy_fill', 'cupy_add__float64_float_float64']
    """
    global _innermost
    outer, names = _innermost, list[str]()
    _loaded().hostcuda_trace(names)
    _innermost = names
    try:
        yield names
    finally:
        _innermost = outer
        if outer is not None:
            outer.extend(names)
        _loaded().hostcuda_trace(outer)


def _loaded() -> ctypes.PyDLL:
    if _library is None:
        raise RuntimeError("hostcuda is not installed: call hostcuda.install() before import cupy")
    return _library


# ---------------------------------------------------------------- capsules

_get_name = ctypes.pythonapi.PyCapsule_GetName
_get_name.restype = ctypes.c_char_p
_get_name.argtypes = [ctypes.py_object]
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_incref = ctypes.pythonapi.Py_IncRef
_incref.argtypes = [ctypes.py_object]


def _replace_by_native(module: Any, name: str, address: int) -> None:
    if name not in module.__pyx_capi__:
        return  # not in this version of CuPy
    result, parameters, _ = _signature(module, name)
    _set_address(module, name, address)
    if hasattr(module, name):
        # Callers in Python too: CuPy's wrapper for them leads to the old function.
        setattr(module, name, ctypes.PYFUNCTYPE(result, *parameters)(address))


def _replace_by_python(module: Any, name: str, function: Callable[..., Any]) -> None:
    if name not in module.__pyx_capi__:
        return
    result, parameters, hidden = _signature(module, name)
    returns_object = result is ctypes.py_object

    def called_from_c(*arguments: Any) -> Any:
        value = function(*arguments[: len(parameters)])
        if not returns_object:
            return value
        _incref(value)  # the caller owns what it gets
        return id(value)

    c_result = ctypes.c_void_p if returns_object else result
    callback = ctypes.PYFUNCTYPE(c_result, *parameters, *hidden)(called_from_c)
    _alive.append(callback)
    _set_address(module, name, _address(callback))
    if hasattr(module, name):
        setattr(module, name, function)


def _set_address(module: Any, name: str, address: int) -> None:
    capsule = module.__pyx_capi__[name]
    signature = _get_name(capsule)
    _alive.extend((signature, capsule))
    module.__pyx_capi__[name] = _new_capsule(address, signature, None)


def _address(function: Any) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


def _signature(module: Any, name: str) -> tuple[Any, list[Any], list[Any]]:
    """Types of a C function's result, of its parameters, and of Cython's own last parameters."""
    text = _get_name(module.__pyx_capi__[name]).decode()
    match = re.fullmatch(r"(.*?)\((.*)\)", text)
    if match is None:
        raise RuntimeError(f"hostcuda cannot read the signature of CuPy's {name}: {text}")
    declared = [p for p in match[2].split(", ") if p != "void"]
    hidden = [p for p in declared if "__pyx_skip_dispatch" in p or "__pyx_optional_args" in p]
    shown = [p for p in declared if p not in hidden]
    result = match[1].strip()
    return (
        ctypes.py_object if result.endswith("*") else _ctype(result),
        [_ctype(p) for p in shown],
        [ctypes.c_int if "skip_dispatch" in p else ctypes.c_void_p for p in hidden],
    )


def _ctype(declaration: str) -> Any:
    if declaration.startswith("PyObject"):
        return ctypes.py_object
    return ctypes.c_void_p if "*" in declaration else _CTYPES[declaration.strip()]
