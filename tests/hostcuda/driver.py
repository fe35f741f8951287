"""Answers the CUDA calls of CuPy's two lowest modules on the host.

Cython modules import each other's C functions from a dictionary of capsules, ``__pyx_capi__``.
A capsule holds a function's address, and its C signature as its name.
Capsules with our functions, put there before the other modules of CuPy are imported, therefore
reach every caller inside CuPy; nothing of the wheel is changed.
Functions that run often are C++ (cuda/driver.cpp), the others are Python.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .build import runtime_library
from .settings import COMPUTE_CAPABILITY, DEVICES, IDLE, TRACE

# Our C++ function, and CuPy's that it answers for.
_NATIVE = {
    "hostcuda_done": (
        "_ensure_context deviceSynchronize eventDestroy eventRecord eventSynchronize "
        "funcSetAttribute moduleUnload profilerStart profilerStop streamDestroy "
        "streamSynchronize streamWaitEvent"
    ),
    "hostcuda_finished": "eventQuery streamQuery",
    "hostcuda_zero": (
        "deviceCanAccessPeer funcGetAttribute streamGetFlags streamGetPriority streamIsCapturing"
    ),
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
    "hostcuda_memcpy": "memcpy memcpyAsync",
    "hostcuda_memcpy_peer": "memcpyPeer memcpyPeerAsync",
    "hostcuda_memset": "memset memsetAsync",
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

    def owner(name: str) -> Any:
        return runtime if name in runtime.__pyx_capi__ else driver

    for native, names in _NATIVE.items():
        address = _address(getattr(_library, native))
        for name in names.split():
            _replace_by_native(owner(name), name, address)

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
