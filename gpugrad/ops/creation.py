"""New tensors from data, and from arrays and other memory that exists."""

from __future__ import annotations

import array
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import chosen, device, get_default_device
from gpugrad._dtype import INEXACT, dtype
from gpugrad.backend.exchange import foreign
from gpugrad.backend.exchange import from_dlpack as on_memory
from gpugrad.graph import LEAF, TensorBase, inferring, mark
from gpugrad.op import public
from gpugrad.op.number import check_number, check_word, checked_integer, checked_number
from gpugrad.op.saved import descended, wrap
from gpugrad.ops.copy import detach, to

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
    if device is None and not isinstance(data, TensorBase):
        device = chosen()
    if isinstance(data, TensorBase):
        result = wrap(backend.of(data._array).copy(data._array))
        mark(result, data)
    elif backend.is_array(data):
        door = backend.of(data) if not isinstance(data, np.ndarray) else backend.cpu_backend
        result = wrap(door.copy(_checked_array(data), "C"))
    elif isinstance(data, bool | int | float | complex):
        result = placed(_from_sequence(data, _dtype.chosen(dtype, _dtype.of_number(data))), device)
    elif (array := foreign(data)) is not None:
        result = wrap(backend.of(array).copy(_checked_array(array), "C"))
    else:
        wanted = None if dtype is None else _dtype.chosen(dtype, _dtype.float32)
        result = placed(_from_sequence(data, wanted), device)
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
def from_cupy(array: Any) -> Tensor:
    """Return a tensor that shares the memory of a CuPy array.

    It may be any object with CUDA's array interface, such as Numba's and RAPIDS' arrays.

    Raises:
        TypeError: It has none, or is of a type that tensors do not have.
    """
    if isinstance(array, (np.ndarray | np.generic, TensorBase)):
        raise TypeError(f"expected cupy.ndarray (got {type(array).__name__})")
    found = array if backend.is_array(array) else foreign(array)
    if found is None or isinstance(found, np.ndarray):
        raise TypeError(f"expected cupy.ndarray (got {type(array).__name__})")
    backend.of(found)
    return finish(wrap(_checked_array(found)), False)


@public(method=False)
def from_dlpack(ext_tensor: Any, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """Return a tensor on the memory of another library's, which exports it by DLPack.

    It may be of PyTorch, JAX, CuPy, NumPy or any other library, or a capsule.  Memory that its
    library says may not be written is not written.

    Args:
        ext_tensor: An object with ``__dlpack__``, or a capsule.
        device: Where the tensor is to be; by default where the memory is.
        copy: Whether it has memory of its own; ``None`` is only where it must.

    Raises:
        AttributeError: It is neither.
        TypeError: It is of a type that tensors do not have.
        ValueError: ``copy`` is false, and it cannot be shared.
    """
    result: Any = finish(wrap(_checked_array(on_memory(ext_tensor))), False)
    moved: Any = to(result, device=device, copy=bool(copy))
    if copy is False and moved is not result:
        raise ValueError(
            f"cannot move DLPack tensor from device {result.device} to {device} without copying. "
            "Set copy=None or copy=True."
        )
    return moved


@public(method=False)
def to_dlpack(tensor: Tensor) -> Any:
    """Return a capsule of DLPack's of the tensor's memory, which one library may take.

    Raises:
        BufferError: The tensor has a history, tangents, or is a view of a conjugate.
    """
    return tensor.__dlpack__()


@public(method=False)
def as_tensor(data: Any, *, dtype: dtype | None = None, device: DeviceLike = None) -> Tensor:
    """Return the data as a tensor, sharing memory where type and device allow.

    A tensor is returned as it is; a NumPy or CuPy array is shared, and so is what has CUDA's array
    interface, as Numba's and RAPIDS' arrays have, or exports by DLPack; anything else is copied.
    """
    if device is None and not isinstance(data, TensorBase):
        device = chosen()
    if isinstance(data, TensorBase):
        result: Any = data
    elif backend.is_array(data) and not isinstance(data, np.generic):
        backend.of(data)
        result = finish(wrap(_checked_array(data)), False)
    elif (array := foreign(data)) is not None:
        result = finish(wrap(_checked_array(array)), False)
    else:
        return tensor(data, dtype=dtype, device=device)
    if dtype is None and device is None:
        return result
    return to(result, device=device, dtype=dtype)


@public(method=False)
def asarray(
    obj: Any,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """Return what is given as a tensor, sharing its memory where that is possible.

    Args:
        obj: A tensor, an array, what another library exports by DLPack or CUDA's array interface,
            bytes or another buffer, a number, or a nested sequence.
        dtype: The type; of a buffer that of its elements, by default floats.
        device: Where the tensor is to be.
        copy: Whether it has memory of its own; ``None`` is only where it must.
        requires_grad: Whether it requires grad; ``None`` is whether a given tensor does.

    Raises:
        RuntimeError: The data is of no known type, or of one that has no gradients.
        TypeError: The data is text.
        ValueError: ``copy`` is false, and it cannot be shared; a sequence is ragged.
    """
    if isinstance(obj, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(obj, TensorBase):
        shared: Any = obj
    elif backend.is_array(obj) and not isinstance(obj, np.generic):
        shared = as_tensor(obj)
    elif isinstance(obj, bytes | bytearray | memoryview | array.array):
        shared = frombuffer(obj, dtype=_dtype.chosen(dtype, _dtype.get_default_dtype()))
    elif (found := foreign(obj)) is not None:
        shared = finish(wrap(_checked_array(found)), False)
    elif copy is False:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    else:
        return tensor(obj, dtype=dtype, device=device, requires_grad=bool(requires_grad))
    if copy is False and dtype is not None and dtype is not shared.dtype:
        raise ValueError(
            f"can't alias tensor with dtype '{shared.dtype.title}' into dtype '{dtype.title}'."
        )
    if copy is False and device is not None and to(shared, device=device) is not shared:
        raise ValueError(f"can't alias tensor from device '{shared.device}' to '{device}'.")
    result: Any = shared
    if copy or dtype is not None or device is not None:
        result = to(shared, device=device, dtype=dtype, copy=bool(copy))
    if requires_grad is not None and requires_grad is not result.requires_grad:
        return finish(detach(result), requires_grad)
    return result


@public(method=False)
def frombuffer(
    buffer: Any, *, dtype: dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """Return a tensor on the memory of an object with Python's buffer interface.

    Args:
        buffer: ``bytes``, a ``bytearray``, an ``array.array``, ...
        dtype: The type of the elements.
        count: How many there are; all that there is room for where it is negative.
        offset: How many bytes lie before the first one.
        requires_grad: Whether the tensor requires grad.

    Raises:
        RuntimeError: ``requires_grad`` with a type that has no gradients.
        ValueError: It is no buffer, or the elements do not lie in it.
    """
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    try:
        length = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % kind.itemsize:
        raise ValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a "
            f"multiple of element size ({kind.itemsize})"
        )
    if count > 0 and offset + count * kind.itemsize > length:
        raise ValueError(
            f"requested buffer length ({count} * {kind.itemsize} bytes) after offset ({offset} "
            f"bytes) must not be greater than actual buffer length ({length} bytes)"
        )
    return finish(wrap(np.frombuffer(buffer, kind.numpy, count, offset)), requires_grad)


@public(method=False)
def scalar_tensor(
    s: Any, *, dtype: dtype | None = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """Return a number as a 0-d tensor, a float by default.

    Raises:
        RuntimeError: It does not fit into the type.
        TypeError: It is no number.
    """
    value = plain_number(s)
    check_number(value, "scalar_tensor", "s", 1)
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    return tensor(
        checked_number(value, kind), dtype=kind, device=device, requires_grad=requires_grad
    )


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
    array = input._array
    kind = _dtype.chosen(dtype, _dtype.of(array.dtype))
    here = place(device) if device is not None else backend.of(array).device_of(array)
    result = tensor(data, dtype=kind, device=here, requires_grad=requires_grad)
    return descended(result, (input,))


def place(where: DeviceLike) -> device:
    """Return the device that an argument means; the chosen one by default, which is the CPU."""
    return get_default_device() if where is None else device(where)


def placed(array: Any, where: DeviceLike) -> Any:
    """Return a new array of NumPy's, of the program's own numbers, as a tensor on a device.

    The replays of a CUDA graph that is captured find them there, where numbers of a user's that are
    moved would have to be moved again.
    """
    where = place(where)
    door = backend.of_device(where)
    return wrap(array if where.type == "cpu" else door.from_numpy(array, where))


def plain_number(value: Any) -> Any:
    """Return the number of a 0-d tensor without a gradient, and anything else as it is."""
    if isinstance(value, TensorBase) and not value._array.ndim and value._edge is None:
        return value._array.item()
    return value
