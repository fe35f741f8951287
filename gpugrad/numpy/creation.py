"""New arrays: from data, filled, counted; copies and conversions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import device as Device  # noqa: N812
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy.operands import (
    array_of,
    cast,
    door,
    dtype_of,
    inexact,
    on_host,
    own,
    plain,
    plains,
    refuse_tracked,
    tensors_in,
)
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import op
from gpugrad.op.saved import wrap
from gpugrad.ops import joining
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone, contiguous, detach, to
from gpugrad.ops.creation import finish, place, placed


def new(array: Any, device: Any) -> Any:
    """Return a new array of NumPy's on a device."""
    _dtype.of(array.dtype)
    return finish(placed(array, device), False)


def as_shape(shape: Any) -> tuple[int, ...]:
    """Return a length, or several, as a tuple."""
    shape = on_host(shape)
    return (shape.__index__(),) if hasattr(shape, "__index__") and not getattr(
        shape, "ndim", 0) else tuple([int(n.__index__()) for n in shape])  # fmt: skip


# --------------------------------------------------------------------------- from data


@door
def array(
    object: Any, dtype: Any = None, *, copy: Any = True, order: str = "K", subok: bool = False,
    ndmin: int = 0, device: Any = None, like: Any = None,
) -> Any:  # fmt: skip
    """Return a new array of data: numbers, arrays, tensors, and nested sequences of these.

    Tensors among them keep their history.
    """
    found = converted(object, dtype, device, copy)
    missing = ndmin - found._array.ndim
    return shapes.reshape(found, ((1,) * missing + tuple(found._array.shape))) if (
        missing > 0) else found  # fmt: skip


def converted(value: Any, dtype: Any, device: Any, copy: Any) -> Any:
    """Return data as an array of a type on a device.

    Raises:
        ValueError: ``copy`` is false, and it must be copied.
    """
    has_memory = isinstance(value, TensorBase) or (
        backend.is_array(value) and not isinstance(value, np.generic)
    )
    if has_memory:
        source = own(value)
    elif dtype is not None and not any(True for _ in tensors_in((value,))):
        kind = dtype_of(dtype)  # before there are numbers of another type, which could overflow
        source = own(np.asarray(value, kind))
    else:
        source = own(value)
    where = None if device is None else Device(device)
    kind = source._array.dtype if dtype is None else dtype_of(dtype)
    found = to(source, dtype=_dtype.of(kind), device=where)
    if not has_memory:
        return found
    if copy is False and found is not source:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return clone(found) if copy and found is source else found


@door
def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None,
    like: Any = None,
) -> Any:  # fmt: skip
    """Return data as an array, itself or sharing its memory where that is possible."""
    found = converted(a, dtype, device, copy)
    if order == "C" and found._array.ndim and not found._array.flags.c_contiguous:
        return contiguous(found)
    return found


@door
def asanyarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None,
    like: Any = None,
) -> Any:  # fmt: skip
    return asarray(a, dtype, order, device=device, copy=copy)


@door
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    found = asarray(a, dtype, "C")
    return shapes.reshape(found, (1,)) if not found._array.ndim else found


@door
def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    found = asarray(a, dtype, order)
    values = found.detach()
    if values._array.dtype.kind in _dtype.INEXACT and not bool(
        np.all(np.isfinite(on_host(values)))
    ):
        raise ValueError("array must not contain infs or NaNs")
    return found


@door
def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    wanted = {str(r)[0].upper() for r in requirements or ()}
    return asarray(a, dtype, "C" if "C" in wanted else None)


@door
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """Return a copy, with its history."""
    return clone(plain(a))


@door
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    found = to(plain(x), dtype=_dtype.of(dtype_of(dtype)), device=device)
    if isinstance(x, TensorBase) and found._array is x._array:
        return clone(found) if copy else x
    return found


@door
def fromiter(
    iter: Any, dtype: Any, count: int = -1, *, device: Any = None, like: Any = None
) -> Any:
    parts = list(iter)
    parts = parts if count < 0 else parts[:count]
    if any(True for _ in tensors_in(parts)):
        return array(parts, dtype, device=device)
    return new(np.fromiter(parts, dtype_of(dtype)), device)


def _from_numpy(name: str) -> Callable[..., Any]:
    """Return a function of NumPy's that makes an array of what is no tensor."""
    theirs = getattr(np, name)

    def function(*args: Any, device: Any = None, like: Any = None, **options: Any) -> Any:
        if isinstance(options.get("dtype"), _dtype.dtype):
            options["dtype"] = dtype_of(options["dtype"])
        found = theirs(*args, **options)
        return new(found, device) if isinstance(found, np.ndarray) else found

    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = f"See numpy.{name}; the result is on ``device``."
    return door(function)


frombuffer, fromfile, fromstring, loadtxt, genfromtxt, load, fromregex = map(
    _from_numpy,
    ("frombuffer", "fromfile", "fromstring", "loadtxt", "genfromtxt", "load", "fromregex"),
)
hanning, hamming, blackman, bartlett = map(
    _from_numpy, ("hanning", "hamming", "blackman", "bartlett")
)
tri, indices = _from_numpy("tri"), _from_numpy("indices")
tril_indices, triu_indices = _from_numpy("tril_indices"), _from_numpy("triu_indices")


@door
def kaiser(M: int, beta: Any, *, device: Any = None) -> Any:
    """Return the Kaiser window; it is differentiable by ``beta``."""
    if not isinstance(beta, TensorBase):
        return new(np.kaiser(M, beta), device)
    if M == 1:
        return new(np.ones(1), device)
    half = (M - 1) / 2
    by = array_of(beta)
    n = array_of(placed(((np.arange(M) - half) / half) ** 2, by.device))
    return i0(by * UFUNCS["sqrt"](1 - n)) / i0(by)


@door
def i0(x: Any) -> Any:
    x = plain(x)
    return op("i0")(cast(x, inexact(x._array.dtype)))


@door
def from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Any:
    """Return an array on the memory of another library's.

    Raises:
        BufferError: It requires grad there.
    """
    if isinstance(x, TensorBase):
        if mode.enabled and own(x).requires_grad:
            raise BufferError("from_dlpack: the tensor requires grad; use detach() first")
        found = detach(own(x))
    elif x.__dlpack_device__()[0] == 2:
        found = own(backend.cuda_backend().xp.from_dlpack(x))
    else:
        found = own(np.from_dlpack(x))
    found = to(found, device=device)
    return clone(found) if copy else found


@door
def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, device: Any = None,
    like: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    return function(*indices(shape, dtype=dtype_of(dtype), device=device), **kwargs)


# --------------------------------------------------------------------------- filled


@door
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None,
    like: Any = None,
) -> Any:  # fmt: skip
    """Return an array filled with a value, which may be a tensor."""
    value = plain(fill_value)
    value = cast(value, value._array.dtype if dtype is None else dtype_of(dtype))
    if device is not None:
        value = to(value, Device(device))
    return clone(shapes.broadcast_to(value, as_shape(shape)))


def _filled(shape: Any, value: Any, dtype: Any, device: Any) -> Any:
    where = place(device)
    kind = dtype_of(float if dtype is None else dtype)
    return finish(wrap(backend.of_device(where).full(as_shape(shape), value, kind, where)), False)


@door
def zeros(
    shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Any:
    return _filled(shape, 0, dtype, device)


@door
def ones(
    shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Any:
    return _filled(shape, 1, dtype, device)


@door
def empty(
    shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Any:
    """Return an array whose values are not defined."""
    where, kind = place(device), dtype_of(float if dtype is None else dtype)
    return finish(wrap(backend.of_device(where).empty(as_shape(shape), kind, where)), False)


def _like(a: Any, value: Any, dtype: Any, shape: Any, device: Any) -> Any:
    found = own(a)
    return _filled(
        found._array.shape if shape is None else shape,
        value,
        found._array.dtype if dtype is None else dtype,
        found.device if device is None else device,
    )


@door
def zeros_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _like(a, 0, dtype, shape, device)


@door
def ones_like(
    a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _like(a, 1, dtype, shape, device)


@door
def empty_like(
    prototype: Any, /, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None,
    *, device: Any = None,
) -> Any:  # fmt: skip
    return _like(prototype, 0, dtype, shape, device)


@door
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
    shape: Any = None, *, device: Any = None,
) -> Any:  # fmt: skip
    found = own(a)
    return full(
        found._array.shape if shape is None else shape,
        fill_value,
        found._array.dtype if dtype is None else dtype,
        device=found.device if device is None else device,
    )


@door
def eye(
    N: int, M: int | None = None, k: int = 0, dtype: Any = float, order: str = "C", *,
    device: Any = None, like: Any = None,
) -> Any:  # fmt: skip
    return new(np.eye(N, M, k, dtype_of(dtype)), device)


@door
def identity(n: int, dtype: Any = None, *, device: Any = None, like: Any = None) -> Any:
    return eye(n, dtype=float if dtype is None else dtype, device=device)


# --------------------------------------------------------------------------- counted


@door
def arange(
    start_or_stop: Any, /, stop: Any = None, step: Any = 1, dtype: Any = None, *,
    device: Any = None, like: Any = None,
) -> Any:  # fmt: skip
    refuse_tracked(
        "arange", "how many elements there are depends on it: use start + step * arange(n)",
        start_or_stop, stop, step,
    )  # fmt: skip
    given = [on_host(v) for v in (start_or_stop, stop, step)]
    kind = None if dtype is None else dtype_of(dtype)
    found = np.arange(given[0], dtype=kind) if stop is None and step == 1 else (
        np.arange(*given, dtype=kind) if stop is not None
        else np.arange(0, given[0], given[2], dtype=kind))  # fmt: skip
    return new(found, device)


@door
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """Return numbers of equal distances between two, of which both may be tensors."""
    num = num.__index__()
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    count = num - 1 if endpoint else num
    if not any(True for _ in tensors_in((start, stop))):
        counted: Any = np.linspace
        kind = None if dtype is None else dtype_of(dtype)
        found, step = counted(start, stop, num, endpoint, True, kind, axis)
        made = new(found, device)
        return (made, new(np.asarray(step), device)) if retstep else made
    first, last = plains(start, stop)
    if device is not None:
        first, last = to(first, Device(device)), to(last, Device(device))
    kind = np.result_type(first._array.dtype, last._array.dtype, float(num))
    first, last = array_of(cast(first, kind)), array_of(cast(last, kind))
    step = (last - first) / count if count > 0 else (last - first) * np.nan
    behind = (-1,) + (1,) * (last - first).ndim
    places = array_of(placed(np.arange(num).astype(kind).reshape(behind), first.device))
    found = places * step + first if count > 0 else places * (last - first) + first
    if dtype is not None:
        wanted = dtype_of(dtype)
        found = UFUNCS["floor"](found) if wanted.kind in "iu" else found
        found = found.astype(wanted, copy=False)
    found = shapes.movedim(found, 0, axis) if axis else found
    return (found, step) if retstep else found


@door
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    powers = linspace(start, stop, num, endpoint, axis=axis, device=device)
    found = UFUNCS["power"](array_of(base, powers.device), array_of(powers))
    return found if dtype is None else found.astype(dtype)


@door
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    if not any(True for _ in tensors_in((start, stop))):
        kind = None if dtype is None else dtype_of(dtype)
        return new(np.geomspace(start, stop, num, endpoint, kind, axis), device)
    first, last = map(array_of, plains(start, stop))
    sign = UFUNCS["sign"](first)
    powers = linspace(
        UFUNCS["log10"](first / sign), UFUNCS["log10"](last / sign), num, endpoint, axis=axis
    )
    found = sign * UFUNCS["power"](10.0, array_of(powers))
    return found if dtype is None else found.astype(dtype)


# --------------------------------------------------------------------------- triangles, diagonals


@door
def tril(m: Any, k: int = 0) -> Any:
    m = plain(m)
    m = shapes.broadcast_to(m, (m._array.shape[0],) * 2) if m._array.ndim == 1 else m
    return op("tril")(m, k)


@door
def triu(m: Any, k: int = 0) -> Any:
    m = plain(m)
    m = shapes.broadcast_to(m, (m._array.shape[0],) * 2) if m._array.ndim == 1 else m
    return op("triu")(m, k)


@door
def diag(v: Any, k: int = 0) -> Any:
    """Return the diagonal of a matrix, or a matrix with a diagonal."""
    v = plain(v)
    if v._array.ndim not in (1, 2):
        raise ValueError("Input must be 1- or 2-d.")
    return op("diag")(v, k)


@door
def diagflat(v: Any, k: int = 0) -> Any:
    return diag(shapes.reshape(plain(v), (-1,)), k)


@door
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = array_of(x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    n = x.size if N is None else N
    kind = np.promote_types(x.dtype, int)
    powers = np.arange(n) if increasing else np.arange(n)[::-1].copy()
    base = shapes.reshape(x.astype(kind, copy=False), (-1, 1))
    parts = [plain(base) * 0 + 1 if p == 0 else plain(UFUNCS["power"](base, int(p)))
             for p in powers]  # fmt: skip
    return joining.cat([cast(p, kind) for p in parts], 1) if parts else empty((x.size, 0), kind)
