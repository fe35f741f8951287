"""Products with windows, as products of matrices whose columns or rows are the windows.

The three are one family: with the products ``C(x, w)`` of windows with filters, ``T(y, w)`` and
``W(x, y)`` are such that the sum of ``y C(x, w)`` is that of ``x T(y, w)`` and of ``w W(x, y)``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from gpugrad import backend
from gpugrad._dtype import FLOAT32, is_half
from gpugrad.backend.batched import copy_to_write, has_room
from gpugrad.ops.nn.geometry import Windows, framed, views

Array = Any

_FEW = 16  # elements in a row of a window's channels; fewer are copied one by one
_SEVERAL = 6  # channels; the products for fewer are added where they belong
_BLOCK = {"cpu": 1 << 22, "cuda": 1 << 29}  # bytes of windows that are written out at a time


# ---------------------------------------------------------------------------- windows as matrices


def _by_planes(channels: int, windows: Windows) -> bool:
    """Tell whether windows are copied plane by plane, and not with the channels last.

    That is faster where a row of a window has few numbers, and copies none of one element.
    """
    return windows.elements == 1 or channels * windows.kernel[-1] < _FEW


def _blocks(array: Array, channels: int, windows: Windows) -> Iterator[slice]:
    """Yield parts of the batch of an array, whose windows together take little memory."""
    one = channels * windows.elements * math.prod(windows.counts) * array.itemsize
    most = max(1, _BLOCK[backend.of(array).type] // max(one, 1))
    for start in range(0, array.shape[0], most):
        yield slice(start, start + most)


def _columns(x: Array, windows: Windows, groups: int, planes: bool) -> Array:
    """Return all windows of a batch as the columns of a matrix for each example, or as rows.

    There is one for each of several groups; rows are those of all examples.
    """
    door = backend.of(x)
    count, channels = x.shape[:2]
    ndim, each = len(windows.kernel), channels // groups
    inner = each * windows.elements
    none = ((0, 0),)
    if planes:
        x = framed(door, x, (*none, *none, *windows.pads), (1,) * x.ndim)
        view = views(door, x, windows, 2)
        order = (0, 1, *range(2 + ndim, 2 + 2 * ndim), *range(2, 2 + ndim))
        stack = (count, groups) if groups > 1 else (count,)
        return door.reshape(view.transpose(order), (*stack, inner, math.prod(windows.counts)))
    x = x.transpose((0, *range(2, 2 + ndim), 1))
    if any(map(any, windows.pads)):
        x = framed(door, x, (*none, *windows.pads, *none), (1,) * x.ndim)
    else:
        x = door.copy(x, "C")
    view = views(door, door.reshape(x, (*x.shape[:-1], groups, each)), windows, 1)
    kernel = range(3 + ndim, 3 + 2 * ndim)
    order = (1 + ndim, *range(1 + ndim), *kernel, 2 + ndim)
    rows = (groups,) if groups > 1 else ()
    return door.reshape(view.transpose(order), (*rows, -1 if count else 0, inner))


def _rows(y: Array, groups: int) -> Array:
    """Return the elements of results as rows, those of a group, by their place."""
    door = backend.of(y)
    count, channels = y.shape[:2]
    each, size = channels // groups, math.prod(y.shape[2:])
    split = door.reshape(y, (count, groups, each, size)).transpose((1, 0, 3, 2))
    return door.reshape(split, ((groups,) if groups > 1 else ()) + (count * size, each))


def _filters(weight: Array, groups: int) -> Array:
    """Return a weight as the matrix by which rows of windows are multiplied, for each group."""
    door = backend.of(weight)
    count, each, *kernel = weight.shape
    ndim = len(kernel)
    split = door.reshape(weight, (groups, count // groups, each, *kernel))
    moved = split.transpose((0, *range(3, 3 + ndim), 2, 1))
    stack = (groups,) if groups > 1 else ()
    return door.reshape(moved, (*stack, each * math.prod(kernel), count // groups))


def _plus(door: backend.Backend, out: Array, bias: Array) -> Array:
    """Return results with a number for each channel added, in their memory where it has room."""
    if bias is None:
        return out
    if not has_room(out, bias):
        out = copy_to_write(out, door, (bias,))
    door.add_into(out, backend.of(bias).reshape(bias, (-1, *(1,) * (out.ndim - 2))))
    return out


def _product(name: str) -> Callable[[Any], Any]:
    """Return what makes a product of what computes it by matrices.

    Whatever the device has of its own for that is asked first.  Halves are computed with in single
    precision, but on a GPU products of windows with filters add up float16 so themselves.
    """

    def of(compute: Any) -> Any:
        def product(
            door: backend.Backend,
            a: Array,
            b: Array,
            windows: Windows,
            groups: int,
            bias: Array = None,
        ) -> Array:
            own: Any = door.fused(name)
            if own is not None:
                given = (a, b) if bias is None else (a, b, bias)
                found = own(windows, groups, *given)
                if found is not None:
                    return found
            kind = a.dtype
            alone = door.type == "cuda" and kind.kind == "f" and name == "convolve"
            if not is_half(kind) or (alone and bias is None):
                return _plus(door, compute(door, a, b, windows, groups), bias)
            a, b, bias = (
                None if x is None else backend.of(x).astype(x, FLOAT32) for x in (a, b, bias)
            )
            return door.astype(product(door, a, b, windows, groups, bias), kind)

        return product

    return of


# ---------------------------------------------------------------------------- the three products


@_product("convolve")
def convolved(
    door: backend.Backend, x: Array, weight: Array, windows: Windows, groups: int
) -> Array:
    """Return the products of windows with each filter, of shape (batch, filters, *counts)."""
    count, channels = x.shape[:2]
    filters, each = weight.shape[:2]
    counts = windows.counts
    shape = (count, filters, *counts)
    where = door.device_of(x)
    if not channels or not math.prod(shape):
        return door.full(shape, 0, x.dtype, where)
    split = (groups, filters // groups)
    planes = _by_planes(each, windows)
    if planes:
        stack = (groups,) if groups > 1 else ()
        flat = (*stack, filters // groups, each * windows.elements)
        matrix = backend.of(weight).reshape(weight, flat)
    else:
        matrix = _filters(weight, groups)
    result = None
    for block in _blocks(x, channels, windows):
        columns = _columns(x[block], windows, groups, planes)
        if planes:
            found = door.reshape(door.matmul(matrix, columns), (-1, *split, *counts))
        else:
            product = door.reshape(door.matmul(columns, matrix), (groups, -1, *counts, split[1]))
            ndim = product.ndim
            found = product.transpose((1, 0, ndim - 1, *range(2, ndim - 1)))
        if planes and block.stop >= count == len(range(count)[block]):
            return door.reshape(found, shape)
        if result is None:
            result = door.empty((count, *split, *counts), x.dtype, where)
        door.assign(result[block], found)
    return door.reshape(result, shape)


@_product("convolve_weigh")
def weighed(door: backend.Backend, x: Array, y: Array, windows: Windows, groups: int) -> Array:
    """Return the products of windows with results, of the shape of a weight."""
    channels, filters = x.shape[1], y.shape[1]
    each = channels // groups
    shape = (filters, each, *windows.kernel)
    if not math.prod(x.shape) or not math.prod(y.shape):
        return door.full(shape, 0, x.dtype, door.device_of(x))
    planes = _by_planes(each, windows)
    total = None
    for block in _blocks(x, channels, windows):
        columns = _columns(x[block], windows, groups, planes)
        part = y[block]
        if planes:
            stack = (groups,) if groups > 1 else ()
            size = math.prod(windows.counts)
            flat = backend.of(y).reshape(part, (part.shape[0], *stack, filters // groups, size))
            products = door.matmul(flat, columns.swapaxes(-1, -2))
            found = door.sum(products, (0,), False, products.dtype)
        else:
            found = door.matmul(columns.swapaxes(-1, -2), _rows(part, groups))
        if total is None:
            total = found
        else:
            door.add_into(total, found)
    if planes:
        return door.reshape(total, shape)
    split = door.reshape(total, (groups, *windows.kernel, each, filters // groups))
    last = split.ndim - 1
    return door.reshape(split.transpose((0, last, last - 1, *range(1, last - 1))), shape)


@_product("convolve_transposed")
def transposed(
    door: backend.Backend, y: Array, weight: Array, windows: Windows, groups: int
) -> Array:
    """Return zeros with windows added at their places: multiples of the filters."""
    filters, each = weight.shape[:2]
    count, channels = y.shape[0], each * groups
    shape = (count, channels, *windows.sizes)
    if not math.prod(shape) or not math.prod(y.shape):
        return door.full(shape, 0, y.dtype, door.device_of(y))
    many = channels >= min(_SEVERAL, filters // 2)
    if max(windows.stride) == 1 and (many or door.type == "cuda"):
        return _by_convolution(door, y, weight, windows, groups)
    inside = backend.of(weight)
    stack = (groups,) if groups > 1 else ()
    flat = (*stack, filters // groups, each * windows.elements)
    matrix = inside.reshape(weight, flat).swapaxes(-1, -2)
    result = _framed_zeros(door, count, channels, windows, y)
    for block in _blocks(y, channels, windows):
        part = y[block]
        columns = (part.shape[0], *stack, filters // groups, math.prod(windows.counts))
        found = door.matmul(matrix, backend.of(y).reshape(part, columns))
        found = door.reshape(found, (-1, channels, *windows.kernel, *windows.counts))
        _add_windows(door, result[block], found, windows)
    return _cropped(door, result, windows)


def _framed_zeros(
    door: backend.Backend, count: int, channels: int, windows: Windows, like: Array
) -> Array:
    """Return zeros for images with what is around them."""
    ends = [n + a + max(b, 0) for n, (a, b) in zip(windows.sizes, windows.pads, strict=True)]
    return door.full((count, channels, *ends), 0, like.dtype, door.device_of(like))


def _add_windows(door: backend.Backend, target: Array, found: Array, windows: Windows) -> None:
    """Add windows to framed images, one of their elements after the other."""
    whole = (slice(None), slice(None))
    for place in itertools.product(*map(range, windows.kernel)):
        door.add_into(target[(*whole, *windows.at(place))], found[(*whole, *place)])


def _cropped(door: backend.Backend, framed: Array, windows: Windows) -> Array:
    """Return images without what is around them."""
    inner = [slice(a, a + n) for (a, _), n in zip(windows.pads, windows.sizes, strict=True)]
    if framed.shape[2:] == windows.sizes:
        return framed
    return door.copy(framed[(slice(None), slice(None), *inner)], "C")


def unfolded(x: Array, windows: Windows) -> Array:
    """Return windows of a batch as columns."""
    return backend.of(x).copy(_columns(x, windows, 1, True), "C")


def folded(door: backend.Backend, columns: Array, windows: Windows) -> Array:
    """Return zeros with windows, which are columns, added at their places."""
    kind = columns.dtype
    wide = door.astype(columns, FLOAT32) if is_half(kind) else columns
    count, rows = columns.shape[:2]
    channels = rows // windows.elements
    result = _framed_zeros(door, count, channels, windows, wide)
    split = (count, channels, *windows.kernel, *windows.counts)
    _add_windows(door, result, door.reshape(wide, split), windows)
    found = _cropped(door, result, windows)
    return door.astype(found, kind) if is_half(kind) else found


def _by_convolution(
    door: backend.Backend, y: Array, weight: Array, windows: Windows, groups: int
) -> Array:
    """Return the same as the products of turned filters with windows of what lies in zeros."""
    filters, each, *kernel = weight.shape
    ndim = len(kernel)
    turned = backend.of(weight).reshape(weight, (groups, filters // groups, each, *kernel))
    turned = turned[(slice(None),) * 3 + (slice(None, None, -1),) * ndim]
    turned = turned.transpose((0, 2, 1, *range(3, 3 + ndim)))
    turned = backend.of(weight).reshape(turned, (each * groups, filters // groups, *kernel))
    if max(windows.stride) > 1:
        inside = backend.of(y)
        y = framed(inside, y, ((0, 0),) * y.ndim, (1, 1, *windows.stride))
    sizes = tuple(y.shape[2:])
    pads = tuple(
        [
            (r - a, n - m + a)
            for r, (a, _), n, m in zip(
                windows.reach, windows.pads, windows.sizes, sizes, strict=True
            )
        ]
    )
    there = Windows(sizes, windows.kernel, (1,) * ndim, windows.dilation, pads)
    return convolved(door, y, turned, there, groups)
