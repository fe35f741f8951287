"""New tensors that are filled with one number, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad._layout import Order, memory_format, order_of
from gpugrad.errors import size
from gpugrad.graph import TensorBase
from gpugrad.op import public
from gpugrad.op.number import check_number, checked_number, half_for
from gpugrad.op.saved import descended, wrap
from gpugrad.ops.copy import inverse
from gpugrad.ops.creation import DeviceLike, finish, place, plain_number
from gpugrad.ops.shape import as_shape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


def sizes_of(sizes: tuple[Any, ...], keyword: Any = None, function: str = "") -> Shape:
    """Return the shape that was given by position, as one sequence or several numbers, or by name.

    Raises:
        RuntimeError: A length is negative.
        TypeError: Nothing was given, or both, or no integers.
    """
    if not sizes and keyword is None:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    if sizes and keyword is not None:
        raise TypeError(f"{function}() got multiple values for argument 'size'")
    if isinstance(keyword, int):
        raise TypeError(f"{function}(): argument 'size' must be tuple of ints, not int")
    shape = as_shape(sizes if keyword is None else (keyword,), function)
    for n in shape:
        if n < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {n}: {size(shape)}"
            )
    return shape


def laid_out(
    door: backend.Backend, shape: Shape, kind: dtype, here: device, order: Order, value: Any = None
) -> Array:
    """Return a new array with dimensions in an order in memory, filled if there is a value."""
    within = shape if order is None else tuple([shape[k] for k in order])
    if value is None:
        array = door.empty(within, kind.numpy, here)
    else:
        array = door.full(within, value, kind.numpy, here)
    return array if order is None else array.transpose(inverse(order))


def _filled(
    shape: Shape,
    value: complex | None,
    kind: dtype | None,
    where: DeviceLike,
    requires_grad: bool,
    form: memory_format | None = None,
) -> Any:
    here = place(where)
    kind = _dtype.chosen(kind, _dtype.get_default_dtype())
    array = laid_out(backend.of_device(here), shape, kind, here, order_of(form, shape), value)
    return finish(wrap(array), requires_grad)


def like(input: TensorBase, dtype: dtype | None, device: DeviceLike) -> tuple[Shape, dtype, device]:
    """Return the shape, type and device of a tensor, but what is given instead.

    Raises:
        TypeError: ``input`` is no tensor.
    """
    if not isinstance(input, TensorBase):
        raise TypeError(f"expected a Tensor to be like, but got {type(input).__name__}")
    array = input._array
    here = place(device) if device is not None else backend.of(array).device_of(array)
    return tuple(array.shape), _dtype.chosen(dtype, _dtype.of(array.dtype)), here


def _filled_like(
    input: TensorBase, value: complex | None, kind: dtype | None, where: DeviceLike,
    requires_grad: bool, form: memory_format | None,
) -> Any:  # fmt: skip
    shape, kind, here = like(input, kind, where)
    order = order_of(form, shape, input._array.strides)
    array = laid_out(backend.on(here, backend.of(input._array)), shape, kind, here, order, value)
    return descended(finish(wrap(array), requires_grad), (input,))


def _filled_new(
    input: TensorBase, shape: Shape, value: complex | None, kind: dtype | None, where: DeviceLike,
    requires_grad: bool,
) -> Any:  # fmt: skip
    _, kind, here = like(input, kind, where)
    array = laid_out(backend.on(here, backend.of(input._array)), shape, kind, here, None, value)
    return descended(finish(wrap(array), requires_grad), (input,))


# --------------------------------------------------------------------------- of a shape


@public(method=False, out=True, creates=True)
def zeros(
    *sizes: Any, size: Any = None, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return zeros of a shape."""
    return _filled(sizes_of(sizes, size, "zeros"), 0, dtype, device, requires_grad)


@public(method=False, out=True, creates=True)
def ones(
    *sizes: Any, size: Any = None, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ones of a shape."""
    return _filled(sizes_of(sizes, size, "ones"), 1, dtype, device, requires_grad)


@public(method=False, out=True, creates=True)
def full(
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a number in every element; without a dtype the number's own.

    Raises:
        RuntimeError: The number does not fit into the type.
        TypeError: It is no number.
    """
    value = plain_number(fill_value)
    check_number(value, "full", "fill_value", 2)
    kind = _dtype.chosen(dtype, _dtype.of_number(value))
    shape = sizes_of((size,), None, "full")
    value = checked_number(value, kind, half_for(shape))
    return _filled(shape, value, kind, device, requires_grad)


@public(method=False, out=True, creates=True)
def empty(
    *sizes: Any, size: Any = None, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False, memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return a tensor whose values are not defined."""
    shape = sizes_of(sizes, size, "empty")
    return _filled(shape, None, dtype, device, requires_grad, memory_format)


@public(method=False, creates=True)
def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return undefined values with dimensions in a given order in memory, the outermost first.

    Raises:
        RuntimeError: The order does not name each dimension once, from 0 on.
    """
    shape = sizes_of((size,), None, "empty_permuted")
    order = as_shape((physical_layout,), "empty_permuted", "physical_layout")
    if len(shape) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for k, d in enumerate(order):
        if not 0 <= d < len(shape):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got "
                f"{d} at index {k}).  NB: negative dims not currently supported; file an issue if "
                "you want it."
            )
        if d in order[:k]:
            raise RuntimeError("Duplicate dim not allowed")
    here = place(device)
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    array = laid_out(backend.of_device(here), shape, kind, here, order)
    return finish(wrap(array), requires_grad)


@public(method=False, creates=True)
def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return undefined values with given strides, counted in elements.

    Raises:
        RuntimeError: There are not as many strides as dimensions, or something is negative.
    """
    here = place(device)
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    array = _strided("empty_strided", backend.of_device(here), size, stride, kind, here)
    return finish(wrap(array), requires_grad)


def _strided(
    function: str, door: backend.Backend, given: Any, strides: Any, kind: dtype, here: device
) -> Array:
    shape = as_shape((given,), function)
    steps = as_shape((strides,), function, "stride")
    if len(shape) != len(steps):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
            f"({len(steps)})"
        )
    sizes_of((shape,))
    if any(s < 0 for s in steps):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={size(shape)} and "
            f"strides={size(steps)}"
        )
    end = 1 + sum([(n - 1) * s for n, s in zip(shape, steps, strict=True)])
    memory = door.empty((0 if 0 in shape else end,), kind.numpy, here)
    return door.laid_out(memory, shape, 0, tuple([s * kind.itemsize for s in steps]))


# --------------------------------------------------------------------------- like another


@public(method=False, creates=True)
def zeros_like(
    input: Tensor, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False, memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return zeros with the shape, type and device of ``input``, and in memory as it is."""
    return _filled_like(input, 0, dtype, device, requires_grad, memory_format)


@public(method=False, creates=True)
def ones_like(
    input: Tensor, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False, memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return ones with the shape, type and device of ``input``, and in memory as it is."""
    return _filled_like(input, 1, dtype, device, requires_grad, memory_format)


@public(method=False, creates=True)
def full_like(
    input: Tensor, fill_value: Any, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False, memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return a number in every element, with the shape, type and device of ``input``.

    Raises:
        RuntimeError: The number does not fit into the type.
        TypeError: It is no number.
    """
    kind = _dtype.chosen(dtype, _dtype.of(input._array.dtype))
    value = plain_number(fill_value)
    check_number(value, "full_like")
    value = checked_number(value, kind, half_for(input._array.shape))
    return _filled_like(input, value, dtype, device, requires_grad, memory_format)


@public(method=False, creates=True)
def empty_like(
    input: Tensor, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False, memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return undefined values with the shape, type and device of ``input``."""
    return _filled_like(input, None, dtype, device, requires_grad, memory_format)


@public(function=False, creates=True)
def new_zeros(
    input: Tensor, *sizes: Any, size: Any = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return zeros of a shape, with the type and device of ``input``."""
    shape = sizes_of(sizes, size, "new_zeros")
    return _filled_new(input, shape, 0, dtype, device, requires_grad)


@public(function=False, creates=True)
def new_ones(
    input: Tensor, *sizes: Any, size: Any = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ones of a shape, with the type and device of ``input``."""
    shape = sizes_of(sizes, size, "new_ones")
    return _filled_new(input, shape, 1, dtype, device, requires_grad)


@public(function=False, creates=True)
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
    value = plain_number(fill_value)
    check_number(value, "new_full")
    kind = _dtype.chosen(dtype, _dtype.of(input._array.dtype))
    shape = sizes_of((size,), None, "new_full")
    value = checked_number(value, kind, half_for(shape))
    return _filled_new(input, shape, value, kind, device, requires_grad)


@public(function=False, creates=True)
def new_empty(
    input: Tensor, *sizes: Any, size: Any = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return undefined values of a shape, with the type and device of ``input``."""
    shape = sizes_of(sizes, size, "new_empty")
    return _filled_new(input, shape, None, dtype, device, requires_grad)


@public(function=False, creates=True)
def new_empty_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], *, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return undefined values with given strides, with the type and device of ``input``.

    Raises:
        RuntimeError: There are not as many strides as dimensions, or something is negative.
    """
    _, kind, here = like(input, dtype, device)
    array = _strided("new_empty_strided", backend.of_device(here), size, stride, kind, here)
    return descended(finish(wrap(array), requires_grad), (input,))
