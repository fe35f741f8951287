"""New tensors: from data, from arrays that exist, filled, and counted."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import CPU, device
from gpugrad._dtype import INEXACT, dtype
from gpugrad.errors import size
from gpugrad.graph import LEAF, TensorBase, inferring, mark
from gpugrad.op import public
from gpugrad.op.number import check_number, check_word, checked_integer, checked_number, half_for
from gpugrad.op.saved import descended, wrap
from gpugrad.ops.copy import to
from gpugrad.ops.shape import as_shape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

DeviceLike = str | int | device | None


def finish(tensor: Any, requires_grad: bool) -> Any:
    """Return a new tensor as a leaf that requires grad if asked.

    Raises:
        RuntimeError: Its type has no gradients.
    """
    if requires_grad:
        if tensor._array.dtype.kind not in INEXACT:
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        tensor._edge = LEAF
    if inferring:
        mark(tensor)
    array = tensor._array
    if array.__class__ is np.ndarray and not array.ndim and tensor._counter is None:
        tensor._array = array[()]  # NumPy computes with its scalars in a tenth of the time
    return tensor


# --------------------------------------------------------------------------- from data


def _checked_array(array: Any) -> Any:
    if array.dtype.byteorder not in "=|" and not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. "
            "Conversion between byte orders is currently not supported."
        )
    if any(stride % array.itemsize for stride in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy "
            "array to reallocate the memory."
        )
    _dtype.of(array.dtype)
    return array


def _depth(data: Any) -> tuple[int, ...]:
    """Return the shape of nested sequences.

    Raises:
        ValueError: They are ragged.
    """
    if isinstance(data, TensorBase):
        return ()  # an element: PyTorch takes tensors of one element for numbers
    if backend.is_array(data):
        return tuple(data.shape)
    if isinstance(data, str) or not isinstance(data, Sequence | range):
        return ()
    if not data:
        return (0,)
    shape = (len(data), *_depth(data[0]))
    _same_length(data, shape, 0)
    return shape


def _same_length(data: Any, shape: tuple[int, ...], dim: int) -> None:
    if dim == len(shape):
        return
    if not hasattr(data, "__len__"):
        raise TypeError("not a sequence")
    if len(data) != shape[dim]:
        raise ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    if dim + 1 < len(shape):
        for part in data:
            _same_length(part, shape, dim + 1)


def _flat(data: Any, depth: int) -> list[Any]:
    parts = [data]
    for _ in range(depth):
        parts = [e for part in parts for e in part]
    return parts


def _from_sequence(data: Any, wanted: dtype | None) -> Any:
    shape = _depth(data)
    elements = _flat(data, len(shape))
    kinds = {type(e): _kind(e, elements) for e in elements if not hasattr(e, "dtype")}
    found = {*kinds.values(), *(_kind(e, elements) for e in elements if hasattr(e, "dtype"))}
    if wanted is None:
        wanted = functools.reduce(_dtype.promote_types, found) if found else (
            _dtype.get_default_dtype()
        )  # fmt: skip
    numbers = [_number(e, wanted) for e in elements]
    array = np.empty(len(numbers), wanted.numpy)
    if numbers:
        with np.errstate(all="ignore"):
            array[:] = np.array(numbers, _widest(wanted)).astype(wanted.numpy)
    return array.reshape(shape)


def _widest(wanted: dtype) -> Any:
    return (bool, np.int64, np.float64, np.complex128)[wanted.category]


def _kind(e: Any, siblings: list[Any]) -> dtype:
    """Return the type of an element of the data.

    Raises:
        RuntimeError: It is no number.
        TypeError: It is a sequence beside numbers.
        ValueError: It is text.
    """
    if isinstance(e, TensorBase):
        return _dtype.of(e._array.dtype)
    if backend.is_array(e):
        return _dtype.of(e.dtype)
    if isinstance(e, bool | int | float | complex):
        return _dtype.of_number(e)
    if isinstance(e, str):
        raise ValueError(f"too many dimensions '{type(e).__name__}'")
    if isinstance(e, Sequence):
        whole = all(isinstance(s, bool | int | Sequence) for s in siblings)
        raise TypeError(
            f"'{type(e).__name__}' object cannot be interpreted as an integer" if whole
            else f"must be real number, not {type(e).__name__}"
        )  # fmt: skip
    raise RuntimeError(f"Could not infer dtype of {type(e).__name__}")


def _number(e: Any, wanted: dtype) -> Any:
    """Return an element as a Python number that can be stored as ``wanted``."""
    if isinstance(e, TensorBase):
        if e._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        e = e._array.item()
    elif hasattr(e, "dtype"):
        e = e.item()
    if wanted.category <= _dtype.INTEGER:
        check_word(e)
    if wanted.category == _dtype.BOOL:
        return bool(e)
    if wanted.category == _dtype.INTEGER:
        if isinstance(e, complex):
            raise TypeError("'complex' object cannot be interpreted as an integer")
        return checked_integer(e, wanted, wanted.name)
    if isinstance(e, complex) and wanted.category == _dtype.FLOAT:
        raise TypeError("must be real number, not complex")
    return e


@public(method=False)
def tensor(
    data: Any,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor with a copy of the data: numbers, nested sequences, or an array.

    Floats become the default dtype, integers int64; an array keeps its type.

    Raises:
        RuntimeError: ``requires_grad`` with a type that has no gradients; data of no known type.
        TypeError: An array of a type that tensors do not have.
        ValueError: Ragged sequences.
    """
    if isinstance(data, TensorBase):
        result = wrap(backend.of(data._array).copy(data._array))
        mark(result, data)
    elif backend.is_array(data):
        door = backend.of(data) if not isinstance(data, np.ndarray) else backend.cpu_backend
        result = wrap(door.copy(_checked_array(data), "C"))
    elif isinstance(data, bool | int | float | complex):
        result = wrap(_from_sequence(data, _dtype.chosen(dtype, _dtype.of_number(data))))
    else:
        wanted = None if dtype is None else _dtype.chosen(dtype, _dtype.float32)
        result = wrap(_from_sequence(data, wanted))
    return finish(to(result, device=device, dtype=dtype), requires_grad)


@public(method=False)
def from_numpy(ndarray: Any) -> Tensor:
    """Return a tensor that shares the memory of a NumPy array, or of a CuPy array.

    Negative strides and read-only arrays are accepted, which PyTorch refuses or warns of.

    Raises:
        TypeError: Not an array, or of a type that tensors do not have.
        ValueError: The byte order is foreign, or strides are no multiples of an element's size.
    """
    if isinstance(ndarray, np.generic) or not backend.is_array(ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    return finish(wrap(_checked_array(ndarray)), False)


@public(method=False)
def as_tensor(data: Any, *, dtype: dtype | None = None, device: DeviceLike = None) -> Tensor:
    """Return the data as a tensor, sharing memory where type and device allow.

    A tensor is returned as it is; a NumPy or CuPy array is shared; anything else is copied.
    """
    if isinstance(data, TensorBase):
        result: Any = data
    elif backend.is_array(data) and not isinstance(data, np.generic):
        backend.of(data)
        result = finish(wrap(_checked_array(data)), False)
    else:
        return tensor(data, dtype=dtype, device=device)
    return to(result, device=device, dtype=dtype)


# --------------------------------------------------------------------------- filled


def place(where: DeviceLike) -> device:
    """Return the device that an argument means; the CPU by default."""
    return CPU if where is None else device(where)


def _sizes(sizes: tuple[Any, ...], keyword: Any = None, function: str = "") -> tuple[int, ...]:
    if not sizes and keyword is None:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    shape = as_shape(sizes if keyword is None else (keyword,), function)
    for n in shape:
        if n < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {n}: {size(shape)}"
            )
    return shape


def _filled(
    shape: tuple[int, ...],
    value: complex,
    kind: dtype | None,
    where: DeviceLike,
    requires_grad: bool,
    door: backend.Backend | None = None,
) -> Any:
    here = place(where)
    kind = _dtype.chosen(kind, _dtype.get_default_dtype())
    door = door or backend.of_device(here)
    return finish(wrap(door.full(shape, value, kind.numpy, here)), requires_grad)


def _filled_like(
    input: TensorBase, value: complex, kind: dtype | None, where: DeviceLike, requires_grad: bool
) -> Any:
    shape, kind, here = _like(input, kind, where)
    door = backend.on(here, backend.of(input._array))
    return descended(_filled(shape, value, kind, here, requires_grad, door), (input,))


@public(method=False, out=True)
def zeros(
    *sizes: Any, size: Any = None, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return zeros of a shape."""
    return _filled(_sizes(sizes, size, "zeros"), 0, dtype, device, requires_grad)


@public(method=False, out=True)
def ones(
    *sizes: Any, size: Any = None, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ones of a shape."""
    return _filled(_sizes(sizes, size, "ones"), 1, dtype, device, requires_grad)


@public(method=False, out=True)
def full(
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a number in every element; without a dtype the number's own."""
    value = _plain(fill_value)
    if not isinstance(value, bool | int | float | complex):
        raise TypeError(
            f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}"
        )
    kind = _dtype.chosen(dtype, _dtype.of_number(value))
    shape = _sizes((size,), None, "full")
    value = checked_number(value, kind, half_for(shape))
    return _filled(shape, value, kind, device, requires_grad)


@public(method=False, out=True)
def empty(
    *sizes: Any, size: Any = None, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a tensor whose values are not defined."""
    here = place(device)
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    array = backend.of_device(here).empty(_sizes(sizes, size, "empty"), kind.numpy, here)
    return finish(wrap(array), requires_grad)


def _like(
    input: TensorBase, dtype: dtype | None, device: DeviceLike
) -> tuple[tuple[int, ...], dtype, device]:
    if not isinstance(input, TensorBase):
        raise TypeError(f"expected a Tensor to be like, but got {type(input).__name__}")
    array = input._array
    here = place(device) if device is not None else backend.of(array).device_of(array)
    return tuple(array.shape), _dtype.chosen(dtype, _dtype.of(array.dtype)), here


@public(method=False)
def zeros_like(
    input: Tensor, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return zeros with the shape, type and device of ``input``."""
    return _filled_like(input, 0, dtype, device, requires_grad)


@public(method=False)
def ones_like(
    input: Tensor, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ones with the shape, type and device of ``input``."""
    return _filled_like(input, 1, dtype, device, requires_grad)


@public(method=False)
def full_like(
    input: Tensor, fill_value: Any, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a number in every element, with the shape, type and device of ``input``."""
    kind = _dtype.chosen(dtype, _dtype.of(input._array.dtype))
    value = _plain(fill_value)
    check_number(value, "full_like")
    value = checked_number(value, kind, half_for(input._array.shape))
    return _filled_like(input, value, dtype, device, requires_grad)


@public(method=False)
def empty_like(
    input: Tensor, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return undefined values with the shape, type and device of ``input``."""
    shape, kind, here = _like(input, dtype, device)
    door = backend.on(here, backend.of(input._array))
    result = wrap(door.empty(shape, kind.numpy, here))
    return descended(finish(result, requires_grad), (input,))


def _filled_new(
    function: str, input: TensorBase, sizes: tuple[Any, ...], size: Any, value: complex,
    kind: dtype | None, where: DeviceLike, requires_grad: bool,
) -> Any:  # fmt: skip
    _, kind, here = _like(input, kind, where)
    door = backend.on(here, backend.of(input._array))
    shape = _sizes(sizes, size, function)
    return descended(_filled(shape, value, kind, here, requires_grad, door), (input,))


@public(function=False)
def new_zeros(
    input: Tensor, *sizes: Any, size: Any = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return zeros of a shape, with the type and device of ``input``."""
    return _filled_new("new_zeros", input, sizes, size, 0, dtype, device, requires_grad)


@public(function=False)
def new_ones(
    input: Tensor, *sizes: Any, size: Any = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ones of a shape, with the type and device of ``input``."""
    return _filled_new("new_ones", input, sizes, size, 1, dtype, device, requires_grad)


@public(function=False)
def new_full(
    input: Tensor, size: Sequence[int], fill_value: Any, *, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a number, or that of a 0-d tensor, in every element of a shape.

    Type and device are those of ``input``.

    Raises:
        RuntimeError: The number does not fit into the type.
        TypeError: It is no number, or ``size`` is one.
    """
    if isinstance(size, int):
        raise TypeError("new_full(): argument 'size' (position 1) must be tuple of ints, not int")
    single = isinstance(fill_value, TensorBase) and not fill_value._array.ndim
    if not single:
        check_number(fill_value, "new_full")
    kind = _dtype.chosen(dtype, _dtype.of(input._array.dtype))
    value = checked_number(_plain(fill_value), kind, half_for(size))
    return _filled_new("new_full", input, (size,), None, value, kind, device, requires_grad)


@public(function=False)
def new_empty(
    input: Tensor, *sizes: Any, size: Any = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return undefined values of a shape, with the type and device of ``input``."""
    _, kind, here = _like(input, dtype, device)
    door = backend.on(here, backend.of(input._array))
    array = door.empty(_sizes(sizes, size, "new_empty"), kind.numpy, here)
    return descended(finish(wrap(array), requires_grad), (input,))


@public(function=False)
def new_tensor(
    input: Tensor, data: Any, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a copy of the data as :func:`tensor` does, with the type and device of ``input``.

    Raises:
        TypeError: The data is text.
    """
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    _, kind, here = _like(input, dtype, device)
    result = tensor(data, dtype=kind, device=here, requires_grad=requires_grad)
    return descended(result, (input,))


# --------------------------------------------------------------------------- counted


@public(method=False, out=True)
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, ... below end; int64 where all are integers.

    Raises:
        RuntimeError: The step is 0 or leads away from the end.
    """
    if end is None:
        start, end = 0, start
    start, end, step = map(_plain, (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, int) for v in (start, end, step))
    kind = _dtype.chosen(dtype, _dtype.int64 if whole else _dtype.get_default_dtype())
    count = math.ceil((end - start) / step)
    values = start + np.arange(count, dtype=np.int64 if whole else np.float64) * step
    return _sent(values.astype(kind.numpy), device, requires_grad)


def _plain(value: Any) -> Any:
    return value._array.item() if isinstance(value, TensorBase) else value


def _sent(array: Any, where: DeviceLike, requires_grad: bool) -> Any:
    return finish(to(wrap(array), device=place(where)), requires_grad)


@public(method=False, out=True)
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``steps`` values from start to end, both included, at equal distances."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    for position, (name, value) in enumerate((("start", start), ("end", end)), 1):
        check_number(_plain(value), "linspace", name, position)
        checked_number(_plain(value), kind)
    values = np.linspace(start, end, steps).astype(kind.numpy)
    return _sent(values, device, requires_grad)


@public(method=False, out=True)
def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a matrix with ones on the diagonal and zeros elsewhere."""
    for name, length in ("n", n), ("m", m):
        if length is not None and length < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {length}")
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    return _sent(np.eye(n, m, dtype=kind.numpy), device, requires_grad)
