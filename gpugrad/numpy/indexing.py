"""Elements at indices and by conditions, read and written; grids of indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.numpy import operands
from gpugrad.numpy.creation import arange, linspace, new, zeros_like
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import (
    array_of,
    cast,
    class_of,
    common_type,
    door,
    library,
    on_host,
    own,
    place_of,
    plain,
    plains,
    promoted,
    raised,
    sent,
    tensors_in,
    written,
)
from gpugrad.numpy.shapes import concatenate, transpose
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.op import saved
from gpugrad.ops import indexing, inplace
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone, to
from gpugrad.ops.scatter import gather

# --------------------------------------------------------------------------- read


def _within(places: Any, n: int, mode: str, name: str) -> Any:
    """Return places counted from the front, by one of NumPy's modes for those outside.

    Raises:
        IndexError: One is outside, by the mode "raise".
    """
    places = np.asarray(on_host(places))
    if places.dtype.kind not in "biu":
        if places.size:
            raise TypeError(f"Cannot cast array data from {places.dtype!r} to dtype('int64') "
                            "according to the rule 'safe'")  # fmt: skip
        places = places.astype(np.intp)
    places = places.astype(np.intp)
    if mode == "wrap":
        return places % max(n, 1)
    if mode == "clip":
        return np.clip(places, 0, n - 1)
    if places.size and not (-n <= places.min() and places.max() < n):
        wrong = places[(places < -n) | (places >= n)].reshape(-1)[0]
        raise IndexError(f"index {wrong} is out of bounds for axis 0 with size {n}")
    return np.where(places < 0, places + n, places)


@door
def take(
    a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Any:
    """Return the elements at places along an axis, or of the flattened array."""
    a = plain(a)
    if axis is None:
        a, axis = shapes.reshape(a, (-1,)), 0
    (k,) = normal_axes(axis, a._array.ndim)
    places = _within(indices, a._array.shape[k], mode, "take")
    found = op("index_select")(a, k, sent(places.reshape(-1), a.device))
    shape = a._array.shape
    return written("take", out, shapes.reshape(found, (*shape[:k], *places.shape, *shape[k + 1 :])))


@door
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    arr, places = plains(arr, indices)
    if axis is None:
        arr, axis = shapes.reshape(arr, (-1,)), 0
    if arr._array.ndim != places._array.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    if places._array.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    (k,) = normal_axes(axis, arr._array.ndim)
    both = [
        np.broadcast_shapes((n,), (m,))[0] if j != k else -1
        for j, (n, m) in enumerate(zip(arr._array.shape, places._array.shape, strict=True))
    ]
    arr = shapes.broadcast_to(
        arr, [arr._array.shape[k] if j == k else n for j, n in enumerate(both)]
    )
    places = shapes.broadcast_to(
        places, [places._array.shape[k] if j == k else n for j, n in enumerate(both)]
    )
    n = arr._array.shape[k]
    places = cast(places, np.dtype(np.int64))
    return gather(arr, k, pw.where(pw.lt(places, 0), pw.add(places, n), places))


@door
@by_example
def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    return take(a, np.flatnonzero(np.asarray(on_host(condition))), axis, out)


@door
@by_example
def extract(condition: Any, arr: Any) -> Any:
    return take(arr, np.flatnonzero(np.asarray(on_host(condition))))


@door
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Return elements of ``x`` where the condition is true, and of ``y`` elsewhere."""
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    place = place_of((condition, x, y))
    mask = plain(condition, place)
    mask = mask if mask._array.dtype.kind == "b" else pw.ne(mask, 0)
    numbers = [v.__class__ in (int, float, complex) for v in (x, y)]
    traced = condition.__class__ not in (saved.tensor_class, operands.array_class)
    if True not in numbers or (all(numbers) and not traced):
        return pw.where(mask, *(plain(p, place) for p in promoted(x, y)))
    # numbers stay what they are, so that they are a part of a formula
    kind = common_type((x, y), plains(x, y))
    if all(numbers):
        return pw.where(mask, x, pw.mul(cast(pw.logical_not(mask), kind), y))
    parts = [v if n else cast(plain(v, place), kind) for v, n in zip((x, y), numbers, strict=True)]
    return pw.where(mask, *parts)


nonzero = library("nonzero")


@door
@by_example
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    if isinstance(choices, TensorBase):
        choices = list(choices)  # type: ignore[call-overload]
    parts = [to(p, place_of((a, *choices))) for p in promoted(*choices)]
    which = _within(a, len(parts), mode, "choose") if mode != "raise" else np.asarray(on_host(a))
    if which.size and not 0 <= which.min() <= which.max() < len(parts):
        raise ValueError("invalid entry in choice array")
    shape = np.broadcast_shapes(which.shape, *(p._array.shape for p in parts))
    parts = [shapes.broadcast_to(p, shape) for p in parts]
    stacked = op("stack")(parts, 0)
    places = np.broadcast_to(which, shape)[None]
    found = gather(stacked, 0, sent(np.ascontiguousarray(places), stacked.device))
    return written("choose", out, shapes.squeeze(found, 0))


@door
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return elements of the first choice whose condition is true."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not len(condlist):
        raise ValueError("select with an empty condition list is not possible")
    conditions = plains(*condlist)
    for k, c in enumerate(conditions):
        if c._array.dtype.kind != "b":
            raise TypeError(f"invalid entry {k} in condlist: should be boolean ndarray")
    *choices, found = promoted(*choicelist, default)
    for c, v in zip(reversed(conditions), reversed(choices), strict=True):
        found = pw.where(c, v, found)
    shape = np.broadcast_shapes(*(t._array.shape for t in (*conditions, *choices)))
    return shapes.broadcast_to(found, shape) if found._array.shape != shape else found


@door
@by_example
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Return what functions, or values, give where their conditions are true."""
    x = array_of(x)
    if isinstance(condlist, TensorBase):
        condlist = list(condlist) if own(condlist).ndim > x.ndim else [condlist]  # type: ignore[call-overload]
    elif not isinstance(condlist, list | tuple) or (
        not isinstance(condlist[0], list | tuple | TensorBase | np.ndarray) and x.ndim
    ):
        condlist = [condlist]
    masks = [np.broadcast_to(np.asarray(on_host(c), bool), x.shape) for c in condlist]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.logical_or.reduce(masks))
    elif len(funclist) != len(masks):
        raise ValueError(
            f"with {len(masks)} condition(s), either {len(masks)} or {len(masks) + 1} functions "
            "are expected"
        )
    found = array_of(zeros_like(x))
    for mask, function in zip(masks, funclist, strict=True):
        if not mask.any():
            continue
        there = sent(mask, x.device)
        value = function(x[there], *args, **kw) if callable(function) else function
        found[there] = value
    return found


# --------------------------------------------------------------------------- written


def _target(name: str, array: Any, *values: Any) -> Any:
    """Return an array that is written in place, seen as a tensor.

    Raises:
        TypeError: It is NumPy's or CuPy's, and what is written requires grad.
    """
    if isinstance(array, TensorBase):
        return array
    for t in tensors_in(values):
        if t.requires_grad:
            written(name, array, plain(t))  # which refuses it, where that is recorded
    return own(array)


@door
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values at places of the flattened array, in place, with their history."""
    a = _target("put", a, v)
    places = _within(ind, a._array.size, mode, "put").reshape(-1)
    values = shapes.reshape(plain(v, a.device), (-1,))
    if not places.size or not values._array.size:
        return
    values = op("index_select")(
        values, 0, sent(np.arange(places.size) % values._array.size, a.device)
    )
    last = {int(p): k for k, p in enumerate(places)}  # of places named twice the last one counts
    order = np.asarray([*last.values()])
    index = tuple(sent(k, a.device) for k in np.unravel_index(places[order], a._array.shape))
    inplace.setitem(a, index if a._array.ndim else ..., op("index_select")(
        values, 0, sent(order, a.device)) if a._array.ndim else values[-1])  # fmt: skip


@door
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    target = _target("put_along_axis", arr, values)
    shape = target._array.shape
    numbers = np.arange(target._array.size).reshape(shape)
    if axis is None:
        numbers, axis = numbers.reshape(-1), 0
    places = np.take_along_axis(numbers, np.asarray(on_host(indices)), axis)
    put(target, places, shapes.broadcast_to(plain(values, target.device), places.shape))


@door
def place(arr: Any, mask: Any, vals: Any) -> None:
    put(arr, np.flatnonzero(np.asarray(on_host(mask))), vals)


@door
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    target = _target("putmask", a, values)
    values = shapes.reshape(plain(values, target.device), (-1,))
    places = np.flatnonzero(np.asarray(on_host(mask)))
    if values._array.size and places.size:
        put(target, places, op("index_select")(
            values, 0, sent(places % values._array.size, target.device)))  # fmt: skip


@door
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write values into an array, in place, where a mask is true, with their history."""
    if where is True:
        written("copyto", dst, plain(src, own(dst).device), casting)
        return
    target = _target("copyto", dst, src)
    value = plain(src, target.device)
    if not np.can_cast(value._array.dtype, target._array.dtype, casting):  # type: ignore[arg-type]
        written("copyto", dst, value, casting)
    mask = shapes.broadcast_to(plain(where, target.device), target._array.shape)
    value = shapes.broadcast_to(value, target._array.shape)
    inplace.setitem(target, mask, indexing.getitem(value, mask))


@door
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    target = _target("fill_diagonal", a, val)
    shape = target._array.shape
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    numbers = np.zeros(shape, bool)
    np.fill_diagonal(numbers, True, wrap)
    put(target, np.flatnonzero(numbers), val)


@door
def ix_(*args: Any) -> Any:
    found = []
    for k, given in enumerate(args):
        part = np.asarray(on_host(given), None if len(given) else np.intp)
        if part.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        part = np.flatnonzero(part) if part.dtype == bool else part
        shape = (1,) * k + (part.size,) + (1,) * (len(args) - k - 1)
        found.append(sent(part.reshape(shape), place_of((given,))))
    return tuple(found)


# --------------------------------------------------------------------------- indices


ravel_multi_index = library("ravel_multi_index")
unravel_index = library("unravel_index")


@door
def diag_indices(n: int, ndim: int = 2, *, device: Any = None) -> Any:
    return tuple(new(k, device) for k in np.diag_indices(n, ndim))


@door
def diag_indices_from(arr: Any) -> Any:
    arr = own(arr)
    n = arr._array.shape
    if len(n) < 2:
        raise ValueError("input array must be at least 2-d")
    if len(set(n)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    return diag_indices(n[0], len(n), device=arr.device)


def _triangle_from(name: str) -> Callable[..., Any]:
    def function(arr: Any, k: int = 0) -> Any:
        arr = own(arr)
        if arr._array.ndim != 2:
            raise ValueError("input array must be 2-d")
        found = getattr(np, name)(arr._array.shape[0], k, arr._array.shape[1])
        return tuple(sent(p, arr.device) for p in found)

    function.__name__ = function.__qualname__ = f"{name}_from"
    function.__module__ = __name__
    return door(function)


tril_indices_from = _triangle_from("tril_indices")
triu_indices_from = _triangle_from("triu_indices")


@door
def mask_indices(n: int, mask_func: Callable[..., Any], k: Any = 0, *, device: Any = None) -> Any:
    found = on_host(mask_func(new(np.ones((n, n), int), device), k))
    return tuple(new(p, device) for p in np.nonzero(found))


@door
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Return the coordinates of the points of a grid."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    found = plains(*xi)
    n = len(found)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = [1, 0]
    parts = [
        shapes.reshape(x, tuple(-1 if order[j] == k else 1 for j in range(n)))
        for k, x in enumerate(found)
    ]
    if not sparse and parts:
        shape = np.broadcast_shapes(*(p._array.shape for p in parts))
        parts = [shapes.broadcast_to(p, shape) for p in parts]
    return tuple([clone(p) for p in parts] if copy else parts)


class _Grid:
    """Of ``mgrid`` and ``ogrid``: indexed by slices, with numbers of steps as complex numbers."""

    def __init__(self, theirs: Any):
        self.theirs = theirs

    def __getitem__(self, key: Any) -> Any:
        found = self.theirs[on_host(key)]
        if isinstance(found, tuple):
            return tuple(own(f) for f in found)
        return own(found)


mgrid, ogrid = _Grid(np.mgrid), _Grid(np.ogrid)


class _Joiner:
    """Of ``r_`` and ``c_``: what stands in brackets joined, slices as ranges."""

    def __init__(self, directive: str):
        self.directive = directive

    def __getitem__(self, key: Any) -> Any:
        return raised(self._joined(key), class_of((key,)))

    def _joined(self, key: Any) -> Any:
        parts = list(key) if isinstance(key, tuple) else [key]
        directive = self.directive
        if isinstance(parts[0], str):
            directive, *parts = parts
        if directive in ("r", "c"):
            raise TypeError("matrices are not supported; use r_ with numbers and c_")
        numbers = [int(n) for n in directive.split(",")]
        axis, ndmin, first = (*numbers, *(0, 1, -1)[len(numbers) :])
        found = []
        where = place_of(tensors_in((parts,)))
        for p in parts:
            if isinstance(p, slice):
                step = 1 if p.step is None else p.step
                start = 0 if p.start is None else p.start
                t = (linspace(start, p.stop, int(abs(step))) if isinstance(step, complex)
                     else arange(start, p.stop, step))  # fmt: skip
                dims = 1
            else:
                t = plain(p, where)
                dims = t._array.ndim
            t = to(plain(t), where)
            if dims == 0:
                t = shapes.reshape(t, (1,) * max(ndmin, 1))
            elif dims < ndmin:
                t = shapes.reshape(t, (1,) * (ndmin - dims) + tuple(t._array.shape))
                order = list(range(ndmin))
                start_ = first + 1 + (ndmin - dims) if first < 0 else first
                olds = order[ndmin - dims :]
                news = order[: ndmin - dims]
                t = transpose(t, (*news[:start_], *olds, *news[start_:]))
            found.append(t)
        return concatenate(found, axis)


r_, c_ = _Joiner("0"), _Joiner("-1,2,0")
s_, index_exp = np.s_, np.index_exp
