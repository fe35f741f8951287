"""New tensors of random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad._layout import Order, memory_format, order_of
from gpugrad.errors import size as shown
from gpugrad.graph import TensorBase
from gpugrad.op import public
from gpugrad.op.generator import Generator, by_example, examples, source
from gpugrad.op.saved import descended, wrap
from gpugrad.ops.copy import inverse
from gpugrad.ops.creation import DeviceLike, finish, place
from gpugrad.ops.filled import like, sizes_of

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


# --------------------------------------------------------------------------- drawing


def drawn(what: str, shape: Shape, kind: dtype, here: device, generator: Any) -> Array:
    """Return "uniform" or "normal" numbers of a floating point or complex type.

    The parts of complex numbers are drawn; halves below 1 have the distance of those near it.
    """
    stream = source(generator, here)
    wide = np.dtype(np.float64) if kind.to_real().itemsize == 8 else np.dtype(np.float32)
    draw = getattr(stream, what)
    if kind.itemsize >= 4 and not kind.is_complex:
        return draw(shape, wide)
    with backend.at(here):
        if kind.is_complex:
            parts = draw((2, *shape), wide)
            array = parts[0] + parts[1] * kind.numpy.type(1j)
            return array * wide.type(0.5**0.5) if what == "normal" else array
        array = draw(shape, wide)
        if what == "uniform":
            steps = np.float32(2 ** (_dtype.limits(kind.numpy).nmant + 1))
            array = backend.of(array).xp.floor(array * steps) / steps
        return backend.of(array).astype(array, kind.numpy)


def check_floating(kind: dtype, kernel: str) -> None:
    """Raise for a type that a kernel of PyTorch's does not draw.

    Raises:
        NotImplementedError: It is of integers or truth values.
    """
    if kind.category < _dtype.FLOAT:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.title}'")


_KERNELS = {"uniform": "check_uniform_bounds", "normal": "normal_kernel_cpu"}


def new(
    what: str,
    shape: Shape,
    kind: dtype | None,
    here: device,
    generator: Any,
    requires_grad: bool,
    order: Order = None,
) -> Any:
    """Return a new tensor of "uniform" or "normal" numbers, laid out in an order of dimensions."""
    chosen = _dtype.chosen(kind, _dtype.get_default_dtype())
    check_floating(chosen, _KERNELS[what])
    array = _for_examples(lambda whole: drawn(what, whole, chosen, here, generator), shape, order)
    return finish(wrap(array), requires_grad)


def _for_examples(draw: Callable[[Shape], Array], shape: Shape, order: Order = None) -> Array:
    """Return what is drawn of a shape, by each example of ``vmap`` that has numbers of its own."""
    levels = examples()
    within = shape if order is None else tuple([shape[k] for k in order])
    array = by_example(draw((*(level.size for level in levels), *within)), levels)
    return array if order is None else array.transpose(inverse(order))


def integers(
    low: int, high: int, shape: Shape, kind: dtype, here: device, generator: Any,
    order: Order = None,
) -> Any:  # fmt: skip
    """Return a new tensor of integers of [low, high)."""
    check_range(low, high, kind)
    stream = source(generator, here)

    def draw(whole: Shape) -> Array:
        with backend.at(here):
            return stream.integers(low, high, whole).astype(kind.numpy, copy=False)

    return wrap(_for_examples(draw, shape, order))


def check_range(low: int, high: int, kind: dtype) -> None:
    """Raise for integers that cannot be drawn from a range, or not stored.

    Raises:
        RuntimeError: There are none, or the type does not hold them.
    """
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    if kind.is_complex:
        raise RuntimeError(
            "check_random_bounds handles only integral, floating-point and boolean types"
        )
    if kind.category == _dtype.BOOL:
        least, most = 0, 1
    elif kind.is_floating_point:
        most = int(float(_dtype.limits(kind.numpy).max))
        least = -most
    else:
        known = np.iinfo(kind.numpy)
        least, most = int(known.min), int(known.max)
    for name, value in ("from", low), ("to - 1", high - 1):
        if not least <= value <= most:
            raise RuntimeError(f"{name} is out of bounds for {kind.c_name}")


# --------------------------------------------------------------------------- what users call


@public(method=False, out=True, creates=True)
def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers drawn evenly from [0, 1).

    Raises:
        NotImplementedError: The type is not floating point.
    """
    shape = sizes_of(sizes, size, "rand")
    return new("uniform", shape, dtype, place(device), generator, requires_grad)


@public(method=False, out=True, creates=True)
def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers drawn from the standard normal distribution.

    Raises:
        NotImplementedError: The type is not floating point.
    """
    shape = sizes_of(sizes, size, "randn")
    return new("normal", shape, dtype, place(device), generator, requires_grad)


def _new_like(
    what: str, input: TensorBase, kind: dtype | None, where: DeviceLike, generator: Any,
    requires_grad: bool, form: memory_format | None,
) -> Any:  # fmt: skip
    shape, found, here = like(input, kind, where)
    order = order_of(form, shape, input._array.strides)
    return descended(new(what, shape, found, here, generator, requires_grad, order), (input,))


@public(method=False, creates=True)
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return :func:`rand` with the shape, type and device of ``input``."""
    return _new_like("uniform", input, dtype, device, generator, requires_grad, memory_format)


@public(method=False, creates=True)
def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return :func:`randn` with the shape, type and device of ``input``."""
    return _new_like("normal", input, dtype, device, generator, requires_grad, memory_format)


def bound(function: str, name: str, value: Any, place: int) -> int:
    """Return a bound of integers, also that of a tensor without dimensions.

    Raises:
        TypeError: It is no integer.
    """
    if isinstance(value, TensorBase) and not value._array.ndim:
        value = backend.of(value._array).item(value._array)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(
            f"{function}(): argument '{name}' (position {place}) must be int, not "
            f"{type(value).__name__}"
        )
    return value


@public(method=False, out=True, creates=True)
def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return whole numbers drawn evenly from [low, high); ``randint(high, size)`` starts at 0.

    Raises:
        RuntimeError: The interval is empty, or the type does not hold its numbers.
        TypeError: A bound is no integer, or the size no tuple.
    """
    position = 3
    if size is None:
        low, high, size, position = 0, low, high, 2
    elif high is None:
        low, high = 0, low
    if isinstance(size, int) or size is None:
        raise TypeError(
            f"randint(): argument 'size' (position {position}) must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    low, high = (bound("randint", n, v, 1) for n, v in (("low", low), ("high", high)))
    kind = _dtype.chosen(dtype, _dtype.int64)
    shape = sizes_of((size,))
    return finish(integers(low, high, shape, kind, place(device), generator), requires_grad)


@public(method=False, creates=True)
def randint_like(
    input: Tensor, low: Any = 0, high: Any = None, *, generator: Generator | None = None,
    dtype: dtype | None = None, device: DeviceLike = None, requires_grad: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return :func:`randint` with the shape, type and device of ``input``."""
    if high is None:
        low, high = 0, low
    low, high = (bound("randint_like", n, v, 2) for n, v in (("low", low), ("high", high)))
    shape, kind, here = like(input, dtype, device)
    order = order_of(memory_format, shape, input._array.strides)
    made = finish(integers(low, high, shape, kind, here, generator, order), requires_grad)
    return descended(made, (input,))


@public(method=False, out=True, creates=True)
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the integers below ``n`` in an order that is drawn.

    Raises:
        NotImplementedError: The type is complex, or bool.
        RuntimeError: ``n`` is negative, or the type does not hold the integers.
    """
    kind = _dtype.chosen(dtype, _dtype.int64)
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(
            f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}"
        )
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {shown((n,))}")
    if kind.is_complex or kind is _dtype.bool_:
        raise NotImplementedError(f"\"randperm\" not implemented for '{kind.title}'")
    if kind.is_floating_point:
        most = 2 ** (_dtype.limits(kind.numpy).nmant + 1) + 1
        if n > most:
            raise RuntimeError(f"n cannot be greater than {most} for {kind.title} type.")
    elif n - 1 > np.iinfo(kind.numpy).max:
        name = f"{kind.name}_t" if kind is not _dtype.int32 else "int"
        raise RuntimeError(f"value cannot be converted to type {name} without overflow")
    here = place(device)
    stream = source(generator, here)
    array = _for_examples(stream.permutation, (n,))
    return finish(wrap(backend.of(array).astype(array, kind.numpy)), requires_grad)
