"""The same elements in other shapes: views where NumPy's are, and copies that are arranged anew."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.numpy.creation import as_shape, zeros
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import (
    also,
    cast,
    door,
    dtype_of,
    on_host,
    own,
    place_of,
    plain,
    sent,
    tensors_in,
    written,
)
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.ops import complex as complex_
from gpugrad.ops import indexing, joining, part
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone

# --------------------------------------------------------------------------- views


@door
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    """Return the elements in another shape: a view where the memory allows."""
    a = own(a)
    if copy:
        a = clone(plain(a))
    if order == "F":
        return transpose(reshape(transpose(a), as_shape(shape)[::-1]))
    size, wanted = a._array.size, as_shape(shape)
    known = int(np.prod([n for n in wanted if n != -1]))
    if wanted.count(-1) > 1:
        raise ValueError("can only specify one unknown dimension")
    if (known != size) if -1 not in wanted else (not known and size) or (known and size % known):
        raise ValueError(f"cannot reshape array of size {size} into shape {wanted}")
    found = shapes.reshape(a, wanted)
    if copy is False and not np.shares_memory(found._array, a._array):
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return found


@door
def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, -1, order="F" if order == "F" else "C")


@door
def transpose(a: Any, axes: Any = None) -> Any:
    """Return a view with the dimensions in another order, by default in reverse."""
    a = own(a)
    ndim = a._array.ndim
    order = tuple(range(ndim))[::-1] if axes is None else as_shape(axes)
    if len(order) != ndim:
        raise ValueError("axes don't match array")
    return shapes.permute(a, normal_axes(order, ndim))


also(transpose, "permute_dims")


@door
def matrix_transpose(x: Any, /) -> Any:
    x = own(x)
    if x._array.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x._array.ndim}")
    return shapes.transpose(x, -2, -1)


@door
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    a = own(a)
    first, second = (normal_axes(k, a._array.ndim)[0] for k in (axis1, axis2))
    return shapes.transpose(a, first, second)


@door
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    a = own(a)
    before, behind = (normal_axes(k, a._array.ndim) for k in (source, destination))
    if len(before) != len(behind):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    return shapes.movedim(a, before, behind)


@door
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    a = own(a)
    n = a._array.ndim
    (axis,) = normal_axes(axis, n)
    start = start + n if start < 0 else start
    if not 0 <= start <= n:
        raise np.exceptions.AxisError(start, n)
    return shapes.movedim(a, axis, start - 1 if axis < start else start)


@door
def squeeze(a: Any, axis: Any = None) -> Any:
    a = own(a)
    if axis is None:
        return shapes.squeeze(a)
    axes = normal_axes(axis, a._array.ndim)
    if any(a._array.shape[k] != 1 for k in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return shapes.squeeze(a, axes)


@door
def expand_dims(a: Any, axis: Any) -> Any:
    a = own(a)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    for k in sorted(normal_axes(axes, a._array.ndim + len(axes))):
        a = shapes.unsqueeze(a, k)
    return a


@door
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    array = own(array)
    try:
        fits = np.broadcast_shapes(array._array.shape, as_shape(shape)) == as_shape(shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            "operands could not be broadcast together with remapped shapes [original->remapped]: "
            f"{tuple(array._array.shape)} and requested shape {as_shape(shape)}"
        )
    return shapes.broadcast_to(array, as_shape(shape))


@door
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    arrays = [own(a) for a in args]
    shape = np.broadcast_shapes(*(a._array.shape for a in arrays))
    return tuple([shapes.broadcast_to(a, shape) for a in arrays])


@door
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = own(a)
    if a._array.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    first, second = (normal_axes(k, a._array.ndim)[0] for k in (axis1, axis2))
    if first == second:
        raise ValueError("axis1 and axis2 cannot be the same")
    return part.diagonal(a, offset, first, second)


@door
def real(val: Any) -> Any:
    return complex_.real(own(val))


@door
def imag(val: Any) -> Any:
    val = own(val)
    return complex_.imag(val) if val._array.dtype.kind == "c" else val * 0


def _at_least(ndim: int, *arys: Any) -> Any:
    found = []
    for a in map(own, arys):
        shape = tuple(a._array.shape)
        if len(shape) < ndim:
            row = shape or (1,)
            full = {1: row, 2: (1, *row), 3: (*shape, 1) if len(shape) == 2 else (1, *row, 1)}[ndim]
            a = shapes.reshape(a, full)
        found.append(a)
    return found[0] if len(found) == 1 else tuple(found)


@door
def atleast_1d(*arys: Any) -> Any:
    return _at_least(1, *arys)


@door
def atleast_2d(*arys: Any) -> Any:
    return _at_least(2, *arys)


@door
def atleast_3d(*arys: Any) -> Any:
    return _at_least(3, *arys)


# --------------------------------------------------------------------------- parts


@door
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Return parts along an axis: so many of them, or up to given places."""
    ary = own(ary)
    (k,) = normal_axes(axis, ary._array.ndim)
    n = ary._array.shape[k]
    given = on_host(indices_or_sections)
    if np.ndim(given):
        ends = [0, *(int(i) for i in given), n]
    else:
        sections = int(given)
        if sections <= 0:
            raise ValueError("number sections must be larger than 0.")
        each, extra = divmod(n, sections)
        ends = [0, *np.cumsum([each + 1] * extra + [each] * (sections - extra)).tolist()]
    before = (slice(None),) * k
    return [
        indexing.getitem(ary, (*before, slice(*slice(a, b).indices(n)[:2])))
        for a, b in itertools.pairwise(ends)
    ]


@door
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    ary = own(ary)
    if hasattr(indices_or_sections, "__index__"):
        (k,) = normal_axes(axis, ary._array.ndim)
        if ary._array.shape[k] % indices_or_sections.__index__():
            raise ValueError("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


@door
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    ary = own(ary)
    if not ary._array.ndim:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(ary, indices_or_sections, 1 if ary._array.ndim > 1 else 0)


@door
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    if own(ary)._array.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


@door
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    if own(ary)._array.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


@door
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    x = own(x)
    if not x._array.ndim:
        raise ValueError("Input array must be at least 1-d.")
    return joining.unbind(x, normal_axes(axis, x._array.ndim)[0])


# --------------------------------------------------------------------------- joined


def joinable(arrays: Any, dtype: Any, casting: str, out: Any = None) -> list[Any]:
    """Return arrays as plain tensors of one type, on one device."""
    if isinstance(arrays, TensorBase):
        arrays = list(joining.unbind(own(arrays), 0))
    arrays = list(arrays)
    where = place_of(tensors_in((arrays,)))
    found = [plain(a, where) for a in arrays]
    if not found:
        raise ValueError("need at least one array to concatenate")
    kinds = [f._array.dtype for f in found]
    kind = dtype_of(dtype) if dtype is not None else np.result_type(*kinds)
    if dtype is None and out is not None:
        kind = np.dtype(out.dtype) if not isinstance(out, TensorBase) else out._array.dtype
    for k in kinds:
        if not np.can_cast(k, kind, casting):  # type: ignore[arg-type]
            raise TypeError(
                f"Cannot cast array data from {k!r} to {kind!r} according to the rule {casting!r}"
            )
    return [cast(f, kind) for f in found]


@door
def concatenate(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None,
    casting: str = "same_kind",
) -> Any:  # fmt: skip
    """Return arrays joined along an axis that they have; flattened ones for ``None``."""
    found = joinable(arrays, dtype, casting, out)
    if axis is None:
        found, axis = [shapes.reshape(f, (-1,)) for f in found], 0
    ndim = found[0]._array.ndim
    if not ndim:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    (k,) = normal_axes(axis, ndim)
    for number, f in enumerate(found):
        if f._array.ndim != ndim:
            raise ValueError(
                "all the input array dimensions must match exactly, but along dimension 0 the "
                f"array at index 0 has {ndim} dimension(s) and the array at index {number} has "
                f"{f._array.ndim} dimension(s)"
            )
        for axis_ in range(ndim):
            if axis_ != k and f._array.shape[axis_] != found[0]._array.shape[axis_]:
                raise ValueError(
                    "all the input array dimensions except for the concatenation axis must match "
                    f"exactly, but along dimension {axis_}, the array at index 0 has size "
                    f"{found[0]._array.shape[axis_]} and the array at index {number} has size "
                    f"{f._array.shape[axis_]}"
                )
    return written("concatenate", out, joining.cat(found, k), casting)


also(concatenate, "concat")


@door
def stack(
    arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    found = joinable(arrays, dtype, casting, out)
    if len({tuple(f._array.shape) for f in found}) > 1:
        raise ValueError("all input arrays must have the same shape")
    (k,) = normal_axes(axis, found[0]._array.ndim + 1)
    return written("stack", out, joining.stack(found, k), casting)


def _of_one_or_more(tup: Any, atleast: Any) -> list[Any]:
    if isinstance(tup, TensorBase):
        tup = list(joining.unbind(own(tup), 0))
    return [atleast(a) for a in tup]


@door
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return concatenate(_of_one_or_more(tup, atleast_2d), 0, dtype=dtype, casting=casting)


also(vstack, "row_stack")


@door
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = _of_one_or_more(tup, atleast_1d)
    axis = 0 if parts and parts[0].ndim == 1 else 1
    return concatenate(parts, axis, dtype=dtype, casting=casting)


@door
def dstack(tup: Any) -> Any:
    return concatenate(_of_one_or_more(tup, atleast_3d), 2)


@door
def column_stack(tup: Any) -> Any:
    parts = _of_one_or_more(tup, own)
    return concatenate([
        p if p._array.ndim > 1 else transpose(atleast_2d(p)) for p in parts
    ], 1)  # fmt: skip


@door
def block(arrays: Any) -> Any:
    """Return nested lists of blocks, joined from the innermost along the last axis outwards."""

    def depth(value: Any) -> int:
        return 1 + depth(value[0]) if isinstance(value, list) else 0

    levels = depth(arrays)

    def ndims(value: Any) -> int:
        return max(map(ndims, value)) if isinstance(value, list) else own(value)._array.ndim

    ndim = max(levels, ndims(arrays))

    def joined(value: Any, level: int) -> Any:
        if isinstance(value, list):
            if not value:
                raise ValueError("List at arrays cannot be empty")
            return concatenate([joined(v, level - 1) for v in value], -level)
        value = plain(value)
        return shapes.reshape(value, (1,) * (ndim - value._array.ndim) + tuple(value._array.shape))

    found = joined(arrays, levels)
    return clone(plain(found)) if not isinstance(arrays, list) else found


@door
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate((arr, values), axis)


# --------------------------------------------------------------------------- arranged anew


@door
def flip(m: Any, axis: Any = None) -> Any:
    """Return a copy with the elements along axes in reverse; NumPy's is a view."""
    m = plain(m)
    axes = normal_axes(axis, m._array.ndim)
    return indexing.flip(m, axes) if axes else clone(m)


@door
def fliplr(m: Any) -> Any:
    if own(m)._array.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return flip(m, 1)


@door
def flipud(m: Any) -> Any:
    if own(m)._array.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return flip(m, 0)


@door
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    m = plain(m)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    return op("rot90")(m, k, normal_axes(tuple(axes), m._array.ndim))


@door
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    a = plain(a)
    shift = on_host(shift)
    if axis is None:
        total = int(np.sum(shift))
        return shapes.reshape(op("roll")(shapes.reshape(a, (-1,)), total), a._array.shape)
    pairs = np.broadcast_arrays(np.asarray(shift), np.asarray(axis))
    axes = [normal_axes(int(k), a._array.ndim)[0] for k in pairs[1].reshape(-1)]
    return op("roll")(a, tuple(int(s) for s in pairs[0].reshape(-1)), tuple(axes))


@door
@by_example
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return each element repeated, along an axis or flattened."""
    a = plain(a)
    if axis is None:
        a, axis = shapes.reshape(a, (-1,)), 0
    (k,) = normal_axes(axis, a._array.ndim)
    counts = np.asarray(on_host(repeats))
    if not np.can_cast(counts.dtype, np.intp, "same_kind"):
        raise TypeError(
            f"Cannot cast array data from {counts.dtype!r} to dtype('int64') according to the "
            "rule 'safe'"
        )
    n = a._array.shape[k]
    places = np.repeat(np.arange(n), counts.reshape(-1) if counts.ndim else counts)
    return op("index_select")(a, k, sent(places, a.device))


@door
def tile(A: Any, reps: Any) -> Any:
    A = plain(A)
    counts = as_shape(reps)
    counts = (1,) * (A._array.ndim - len(counts)) + counts
    return op("tile")(A, counts) if counts else clone(A)


@door
def resize(a: Any, new_shape: Any) -> Any:
    """Return the elements in a new shape, repeated where there are more places."""
    a = shapes.reshape(plain(a), (-1,))
    shape = as_shape(new_shape)
    total, n = int(np.prod(shape)), a._array.size
    if not n:
        return zeros(shape, a._array.dtype, device=a.device)
    return shapes.reshape(op("index_select")(a, 0, sent(np.arange(total) % n, a.device)), shape)


@door
@by_example
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = plain(arr)
    if axis is None:
        arr, axis = shapes.reshape(arr, (-1,)), 0
    (k,) = normal_axes(axis, arr._array.ndim)
    places = np.delete(np.arange(arr._array.shape[k]), on_host(obj))
    return op("index_select")(arr, k, sent(places, arr.device))


@door
@by_example
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Return a copy with values before given places along an axis, or flattened."""
    arr = plain(arr)
    if axis is None:
        arr, axis = shapes.reshape(arr, (-1,)), 0
    (k,) = normal_axes(axis, arr._array.ndim)
    shape = arr._array.shape
    places, n = on_host(obj), shape[k]
    # where the old and the new elements come to be, said by numbers: new ones are below 0
    if isinstance(places, int | np.integer):
        count = own(values)._array
        new_ = plain(values, arr.device)
        if new_._array.ndim:
            ndmin = (1,) * (len(shape) - new_._array.ndim) + tuple(new_._array.shape)
            new_ = shapes.movedim(shapes.reshape(new_, ndmin), 0, k)
        del count
        length = new_._array.shape[k] if new_._array.ndim else 1
        if not -n <= places <= n:
            raise IndexError(f"index {places} is out of bounds for axis {k} with size {n}")
        places = np.full(length, places + n if places < 0 else places)
    else:
        index = np.arange(n)[places] if isinstance(places, slice) else np.asarray(places)
        index = np.flatnonzero(index) if index.dtype == bool else index
        places = np.where(index < 0, index + n, index).astype(int)
        new_ = plain(values, arr.device)
    whole = np.insert(np.arange(n), places, -1 - np.arange(len(places)))
    new_ = cast(new_, arr._array.dtype)
    new_ = shapes.broadcast_to(new_, (*shape[:k], len(places), *shape[k + 1 :]))
    both = joining.cat([arr, new_], k)
    return op("index_select")(both, k, sent(np.where(whole < 0, n - 1 - whole, whole), arr.device))


@door
@by_example
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Return the part between the first and the last element that is not 0."""
    given = filt
    filt = own(filt)
    there = np.nonzero(on_host(filt.detach()))
    axes = normal_axes(axis, filt._array.ndim)
    key = []
    for k, n in enumerate(filt._array.shape):
        first, last = (int(there[k].min()), int(there[k].max()) + 1) if len(there[k]) else (0, 0)
        if not len(there[k]):
            first, last = (n, n) if "f" in trim.lower() else (0, 0)
        if k not in axes:
            key.append(slice(None))
        else:
            key.append(slice(first if "f" in trim.lower() else 0,
                             last if "b" in trim.lower() else n))  # fmt: skip
    if isinstance(given, list | tuple):
        return given[key[0]]
    return indexing.getitem(filt, tuple(key))
