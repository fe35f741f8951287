"""Maxima over windows, with their places, and the way back from these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.backend.taps import Taps, table_of
from gpugrad.errors import size
from gpugrad.op import composite, linear, public
from gpugrad.op.operation import Declared
from gpugrad.op.saved import Like, descended, read, wrap
from gpugrad.ops.nn import pool

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_INT64 = np.dtype(np.int64)
Shape = tuple[int, ...]
Named = tuple[Taps, ...]


# ---------------------------------------------------------------------------- by places


def _flat(array: Array, ndim: int) -> Array:
    """Return an array whose last axes are one, and so are those before them."""
    shape = array.shape
    first = len(shape) - ndim
    ends = math.prod(shape[:first]), math.prod(shape[first:])
    return backend.of(array).reshape(array, ends)


def _index(door: backend.Backend, places: Array, ndim: int) -> tuple[Array, Array]:
    flat = _flat(places, ndim)
    return door.count(flat.shape[0], door.device_of(places)).reshape((-1, 1)), flat


@linear("IndexPutBackward0", arrays="places")
def _put_back(
    door: backend.Backend, input: Array, *, shape: Shape, places: Array, ndim: int
) -> Array:
    """Return zeros of a shape with elements added at places in the last axes."""
    ends = math.prod(shape[: len(shape) - ndim]), math.prod(shape[len(shape) - ndim :])
    result = door.full(ends, 0, input.dtype, door.device_of(input))
    door.add_at(result, _index(door, places, ndim), _flat(input, ndim))
    return door.reshape(result, shape)


@_put_back.gradient
def input(g: Any, places: Array, ndim: int) -> Any:
    return picked(g, places=places, ndim=ndim)


@linear("GatherBackward0", arrays="places")
def picked(door: backend.Backend, input: Array, *, places: Array, ndim: int) -> Array:
    """Return the elements at places in the last axes."""
    found = door.take(_flat(input, ndim), _index(door, places, ndim))
    return door.reshape(found, places.shape)


@picked.gradient
def input(g: Any, like: Like, places: Array, ndim: int) -> Any:
    return _put_back(g, shape=like.shape, places=places, ndim=ndim)


# ---------------------------------------------------------------------------- by windows


def _places(numbers: Array, named: Named) -> Array:
    """Return the int64 places of elements with these numbers in their windows."""
    door = backend.of(numbers)
    where = door.device_of(numbers)
    table = door.from_numpy(table_of(named), where)
    index = []
    ndim = len(named)
    for k, taps in enumerate(named):
        line = door.count(len(taps), where)
        index.append(line.reshape((-1, *(1,) * (ndim - 1 - k))))
    return door.take(table, (*index, door.astype(numbers, _INT64)))


@linear("MaxPoolBackward0", arrays="numbers")
def _spread(door: backend.Backend, input: Array, *, numbers: Array, named: Named) -> Array:
    """Return zeros with each element added at that of its window whose number is given."""
    return door.spread(input, numbers, named)


@_spread.gradient
def input(g: Any, numbers: Array, named: Named) -> Any:
    return picked(g, places=_places(numbers, named), ndim=len(named))


@cache
def _largest(name: str) -> Declared:
    """Return the operation of maxima over windows, whose node has a name."""

    @composite(name, outputs=("out", "numbers"))
    def computed(door: backend.Backend, input: Array, *, named: Named) -> tuple[Array, Array]:
        return door.largest_in(input, named)

    @computed.gradient
    def input(g: Any, numbers: Any, named: Named) -> Any:
        return _spread(g, numbers=numbers._array, named=named)

    return computed


def _maxima(name: str, input: Any, named: Named) -> tuple[Any, Any]:
    """Return maxima over windows, and a function that makes their places."""
    out, numbers = _largest(name)(input, named=named)
    return out, lambda: descended(wrap(_places(numbers._array, named)), (input,))


def _with_places(found: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
    """Return maxima with their places."""
    out, places = found
    return out, places()


# ---------------------------------------------------------------------------- of windows


def _pooled(
    function: str, ndim: int, input: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool,
) -> Any:  # fmt: skip
    """Return the maxima over windows and their places."""
    lengths = pool.numbers(function, "kernel_size", kernel, ndim)
    steps = lengths
    if stride is not None and stride != () and stride != []:
        steps = pool.numbers(function, "stride", stride, ndim)
    pads = pool.numbers(function, "padding", padding, ndim)
    rates = pool.numbers(function, "dilation", dilation, ndim)
    shape = tuple(input._array.shape)
    pool.check_dims(ndim, shape)
    axes = tuple(zip(shape[-ndim:], lengths, steps, rates, pads, strict=True))
    counts = tuple([pool.counted(*axis, ceil_mode) for axis in axes])
    spoken = f"{function}_with_indices_out_cpu_template"
    pool.check_windows(spoken, shape, lengths, steps, rates, counts)
    pool.check_kind(f"max_pool{ndim}d", input, "bcV")
    named = tuple([pool.of_maxima(*axis, n) for axis, n in zip(axes, counts, strict=True)])
    return _maxima(pool.node_of("MaxPool{}DWithIndices", ndim), input, named)


def _pooled_along(
    input: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    places: bool = False,
) -> Any:
    """Return the maxima over windows along one dimension, and their places."""
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{size(shape)}"
        )
    kind = "an int, list of ints or tuple of ints"
    found = {}
    stride = kernel if stride is None or stride in ((), []) else stride
    for name, given in (
        ("kernel_size", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation),
    ):  # fmt: skip
        several = (given,) if isinstance(given, int) else tuple(given)
        if len(several) != 1:
            what = "None, an int, list of ints, or tuple of ints" if name == "stride" else kind
            raise RuntimeError(
                f"max_pool1d() {name} must be {what} of size 1 but got size {len(several)}"
            )
        found[name] = several[0]
    for name in ("kernel_size", "stride", "dilation"):
        if found[name] <= 0:
            raise RuntimeError(
                f"max_pool1d() {name} must be greater than zero, but got {found[name]}"
            )
    length, pad = found["kernel_size"], found["padding"]
    if pad < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {pad}")
    if pad > ((length - 1) * found["dilation"] + 1) // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got padding="
            f"{pad} and kernel_size={length}"
        )
    axis = shape[-1], length, found["stride"], found["dilation"], pad
    count = pool.counted(*axis, ceil_mode)
    if count < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {count}")
    if places:
        pool.check_kind("max_pool2d", input, "bcV")
    else:
        pool.check_kind("max_pool1d_impl", input, "biucV")
    named = (pool.of_maxima(*axis, count),)
    return _maxima(pool.node_of("MaxPool{}DWithIndices", 1), input, named)


def largest_over(ndim: int, input: Tensor, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    """Return the maxima over windows without padding."""
    if ndim == 1:
        return _pooled_along(input, kernel, stride, 0, 1, ceil_mode)[0]
    return _pooled(f"max_pool{ndim}d", ndim, input, kernel, stride, 0, 1, ceil_mode)[0]


_DIMS = {1: "length", 2: "height, width", 3: "depth, height, width"}


def _declare(ndim: int) -> None:
    """Declare the pools over so many dimensions."""
    name = f"max_pool{ndim}d"

    def pooled(
        input: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
    ) -> Any:
        if ndim == 1:
            return _pooled_along(input, kernel, stride, padding, dilation, ceil_mode)
        return _pooled(name, ndim, input, kernel, stride, padding, dilation, ceil_mode)

    def max_pool(
        input: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        given = input, kernel_size, stride, padding, dilation, ceil_mode
        return _with_places(_pooled(name, ndim, *given)) if return_indices else pooled(*given)[0]

    max_pool.__doc__ = f"""Return the maxima over windows of the last dimensions.

    Of equal ones the first is found, which alone has a gradient; nan is greater than all.

    Args:
        input: Of shape (batch, channels, {_DIMS[ndim]}), or of one example.
        kernel_size: The length of a window, along each dimension.
        stride: How far windows are apart; by default their length.
        padding: How far before the first element windows may begin; nothing there is a maximum.
        dilation: How far the elements of a window are apart.
        ceil_mode: Whether a last window may reach beyond the padding.
        return_indices: Whether the int64 places of the maxima are returned as well, counted in
            the last dimensions as if they were one.

    Raises:
        NotImplementedError: The elements are bools or complex.
        RuntimeError: Shapes or numbers do not fit.
    """
    public(method=False, name=f"nn.functional.{name}")(max_pool)

    def plain(
        input: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = (),
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
    ) -> Tensor:
        result: Tensor = pooled(input, kernel_size, stride, padding, dilation, ceil_mode)[0]
        return result

    plain.__doc__ = f"""Return the maxima over windows; see ``nn.functional.{name}``."""
    public(method=False, name=name)(plain)

    def with_indices(
        input: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> tuple[Tensor, Tensor]:
        return _with_places(pooled(input, kernel_size, stride, padding, dilation, ceil_mode))

    with_indices.__doc__ = (
        f"""Return the maxima over windows and their places; see :func:`{name}`."""
    )
    public(method=False, name=f"nn.functional.{name}_with_indices")(with_indices)


for _ndim in (1, 2, 3):
    _declare(_ndim)


@public(method=False)
def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over windows and their places; see ``nn.functional.max_pool1d``."""
    return _with_places(
        _pooled_along(input, kernel_size, stride, padding, dilation, ceil_mode, True)
    )


# ---------------------------------------------------------------------------- of parts


def _adapted(ndim: int, input: Tensor, output_size: Any) -> Any:
    """Return the maxima over equal parts of the last dimensions, and their places."""
    name = f"adaptive_max_pool{ndim}d"
    shape = tuple(input._array.shape)
    sizes = pool.adapted_sizes(name, ndim, shape, output_size)
    if ndim > 1 and len(shape) not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"{name}(): Expected {ndim + 1}D or {ndim + 2}D tensor, but got: {size(shape)}"
        )
    pool.check_parts(name, ndim, shape)
    if min(sizes) < 0:
        made = [*shape[:-ndim], *((1,) if ndim == 1 else ()), *sizes]
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(sizes)}: {size(made)}"
        )
    pool.check_kind(f"adaptive_max_pool{max(ndim, 2)}d", input, "biucV")
    named = [pool.of_adaptive_maxima(n, m) for n, m in zip(shape[-ndim:], sizes, strict=True)]
    return _maxima(pool.node_of("AdaptiveMaxPool{}D", ndim), input, tuple(named))


def _declare_adaptive(ndim: int) -> None:
    name = f"adaptive_max_pool{ndim}d"

    def adaptive_max_pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        found = _adapted(ndim, input, output_size)
        return _with_places(found) if return_indices else found[0]

    adaptive_max_pool.__doc__ = f"""Return the maxima over parts of the last dimensions.

    Args:
        input: Of shape (batch, channels, {_DIMS[ndim]}), or of one example.
        output_size: Into how many parts each dimension is divided, as equal as can be; ``None`` is
            as many as it has elements.
        return_indices: Whether the int64 places of the maxima are returned as well.

    Raises:
        NotImplementedError: The elements are no floating point numbers.
        RuntimeError: Shapes or numbers do not fit.
    """
    public(method=False, name=f"nn.functional.{name}")(adaptive_max_pool)

    def with_indices(
        input: Tensor, output_size: Any, return_indices: bool = False
    ) -> tuple[Tensor, Tensor]:
        return _with_places(_adapted(ndim, input, output_size))

    with_indices.__doc__ = f"""Return the maxima over parts and their places; see :func:`{name}`."""
    public(method=False, name=f"nn.functional.{name}_with_indices")(with_indices)


for _ndim in (1, 2, 3):
    _declare_adaptive(_ndim)


@public(method=False)
def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """Return maxima over parts and their places; see ``nn.functional.adaptive_max_pool1d``."""
    return _with_places(_adapted(1, input, output_size))


# ---------------------------------------------------------------------------- the way back


@linear("MaxUnpoolBackward0", arrays="places")
def _unpooled(
    door: backend.Backend, input: Array, *, shape: Shape, places: Array, ndim: int
) -> Array:
    """Return zeros of a shape with elements at places in the last axes; of several the last."""
    ends = math.prod(shape[: len(shape) - ndim]), math.prod(shape[len(shape) - ndim :])
    result = door.full(ends, 0, input.dtype, door.device_of(input))
    door.put(result, _index(door, places, ndim), _flat(input, ndim))
    return door.reshape(result, shape)


@_unpooled.gradient
def input(g: Any, places: Array, ndim: int) -> Any:
    return picked(g, places=places, ndim=ndim)


def _back(
    ndim: int, input: Tensor, indices: Tensor, kernel: Any, stride: Any, padding: Any,
    output_size: Any,
) -> Tensor:  # fmt: skip
    lengths = pool.several(kernel, ndim)
    steps = lengths if stride is None else pool.several(stride, ndim)
    shape = tuple(input._array.shape)
    pads = pool.several(padding, ndim)
    given = [shape[k - ndim] for k in range(ndim)]
    axes = zip(given, lengths, steps, pads, strict=True)
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in axes]
    sizes = tuple(usual) if output_size is None else _given_sizes(usual, steps, output_size)
    kind = indices._array.dtype
    if kind != np.int64:
        raise RuntimeError(
            f"elements in indices should be type int64 but got: {_dtype.of(kind).title}"
        )
    if len(shape) not in (ndim + 1, ndim + 2):
        spoken = f"max_unpooling{max(ndim, 2)}d"
        raise RuntimeError(
            f"Input to {spoken} should be a {ndim + 1}d or {ndim + 2}d Tensor, but got a tensor "
            f"with {len(shape)} dimensions."
        )
    if indices._array.shape != shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({size(shape)}) but "
            f"got indices tensor with shape: {size(indices._array.shape)}"
        )
    for k in range(1, len(shape)):
        if not shape[k]:
            raise RuntimeError(
                f"max_unpooling{max(ndim, 2)}d_forward_out_cpu(): Expected input to have non-zero "
                f"size for non-batch dimensions, but got {size(shape)} with dimension {k} being "
                "empty."
            )
    pool.check_kind(f"max_unpool{max(ndim, 2)}d", input, "biuc")
    read(indices)
    whole = all_of(indices._array)
    if whole.size:
        _check_places(whole, sizes, ndim)
    result: Tensor = _unpooled(
        input, shape=(*shape[:-ndim], *sizes), places=indices._array, ndim=ndim
    )
    return result


def _check_places(places: Array, sizes: Shape, ndim: int) -> None:
    door = backend.of(places)
    axes = tuple(range(places.ndim))
    least, most = (int(door.item(f(places, axes, False))) for f in (door.min, door.max))
    if least < 0 or most >= math.prod(sizes):
        volume = "x".join(map(str, (*sizes, 1) if ndim == 1 else sizes))
        raise RuntimeError(
            f"Found an invalid max index: {least if least < 0 else most} (output volumes are of "
            f"size {volume})"
        )


def _given_sizes(usual: Sequence[int], steps: Shape, output_size: Any) -> Shape:
    ndim = len(usual)
    found = output_size[2:] if len(output_size) == ndim + 2 else output_size
    if len(found) != ndim:
        raise ValueError(
            f"output_size should be a sequence containing {ndim} or {ndim + 2} elements, but it "
            f"has a length of '{len(found)}'"
        )
    for k, (n, step, wanted) in enumerate(zip(usual, steps, found, strict=True)):
        if not n - step < wanted < n + step:
            raise ValueError(
                f'invalid output_size "{found}" (dim {k} must be between {n - step} and {n + step})'
            )
    return tuple(found)


def _declare_unpool(ndim: int) -> None:
    def max_unpool(
        input: Tensor,
        indices: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        output_size: Any = None,
    ) -> Tensor:
        return _back(ndim, input, indices, kernel_size, stride, padding, output_size)

    max_unpool.__doc__ = f"""Return zeros with elements where ``max_pool{ndim}d`` found them.

    Args:
        input: Of shape (batch, channels, {_DIMS[ndim]}), or of one example.
        indices: The place of each element; of several at one place the last remains.
        kernel_size: The length of the windows of the pool.
        stride: How far they were apart; by default their length.
        padding: The padding of the pool.
        output_size: The size of what the pool was of, where several have the same result.

    Raises:
        RuntimeError: A place is outside, or shapes do not fit.
        ValueError: No pool makes this of ``output_size``.
    """
    public(method=False, name=f"nn.functional.max_unpool{ndim}d")(max_unpool)


for _ndim in (1, 2, 3):
    _declare_unpool(_ndim)
