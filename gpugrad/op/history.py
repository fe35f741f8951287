"""How the history of a tensor is rewritten where it is written in place, of its views and base too.

A tensor that was written receives the history of what was written (:func:`rewrite`).
If it is a view, what was written is now a part of its base, whose history becomes ``CopySlices``:
the old base with the written values at the place of the view.
The other views, and views of views, are not looked for.
Each knows the history of the base that its own belongs to; where that is no longer the base's,
its own becomes ``AsStrided`` of the base when it is next asked for (:func:`renew`).

No function that made a view is remembered: the two arrays lie in the same memory, and where one
lies in the other says all (:class:`Region`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad.backend.batched import Level, door_for, has_room, levels_of, shown, with_levels
from gpugrad.graph import (
    NOWHERE,
    UNRECORDED,
    Node,
    Output,
    TensorBase,
    View,
    edge_of,
    ends,
    mode,
    record,
    rehang,
)
from gpugrad.op import saved
from gpugrad.op.batching import hide, lift_itself, show
from gpugrad.op.dual import attach, tangent_of, tangents_of
from gpugrad.op.follower import follow as follow
from gpugrad.op.operation import Declared, linear, lower
from gpugrad.op.saved import function_name, own_array, shared_counter, type_name, wrap

Array = Any
Shape = tuple[int, ...]


class Place(NamedTuple):
    """How an array lies in a piece of memory: its first element and its strides, in bytes."""

    shape: Shape
    dtype: np.dtype[Any]
    offset: int
    strides: Shape

    def of(self, door: backend.Backend, memory: Array) -> Array:
        """Return the array that lies so in ``memory``."""
        return door.strided(memory, self.shape, self.dtype, self.offset, self.strides)


class Region(NamedTuple):
    """Where a view lies in its base: both places, in a piece of memory as long as the base's."""

    length: int
    base: Place
    view: Place
    plain: bool  # whether the base lies in the order of its indices, without gaps

    def wide(self) -> Region:
        """Return the same places for elements of float32 in the place of float16."""
        places = [
            Place(p.shape, np.dtype(np.float32), 2 * p.offset, tuple([2 * s for s in p.strides]))
            for p in (self.base, self.view)
        ]
        return Region(2 * self.length, *places, self.plain)


def region_of(view: TensorBase, base: TensorBase) -> Region:
    """Return where a view, with the axes that its base does not hide, lies in it.

    Raises:
        RuntimeError: It does not: the base was given other memory.
    """
    array, whole = view._array, base._array
    door = backend.of(whole)
    low, high = extent(door, whole)
    first, last = extent(door, array)
    if array.size and not low <= first <= last <= high:
        raise RuntimeError(
            f"a view [{type_name(view)} {list(array.shape)}] no longer lies in the memory of its "
            "base, whose .data was set. Take the view again."
        )
    start = door.address(array) - low if array.size else 0  # one without elements lies anywhere
    return Region(
        high - low,
        Place(whole.shape, whole.dtype, door.address(whole) - low, whole.strides),
        Place(array.shape, array.dtype, start, array.strides),
        whole.flags.c_contiguous,
    )


def extent(door: backend.Backend, array: Array) -> tuple[int, int]:
    """Return the addresses of the first byte of an array and of the one behind its last."""
    low = high = door.address(array)
    if not array.size:
        return low, high
    for n, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (n - 1) * stride
        else:
            high += (n - 1) * stride
    return low, high + array.itemsize


def overlaps_itself(array: Array) -> bool:
    """Tell whether two elements share memory."""
    place = Place(array.shape, array.dtype, 0, array.strides)
    if not array.size or array.flags.c_contiguous or not _repeating(place):
        return False
    first = np.zeros(1, np.int64)
    for n, stride in zip(place.shape, place.strides, strict=True):
        first = (first[:, None] + stride * np.arange(n)).reshape(-1)
    first.sort()
    return bool((first[1:] - first[:-1] < array.itemsize).any())


def _repeating(place: Place) -> list[int]:
    """Return axes without which no two elements share memory, the shortest that will do."""
    kept: list[tuple[int, int]] = []
    repeating = []
    for axis in sorted(range(len(place.shape)), key=lambda k: -place.shape[k]):
        n, stride = place.shape[axis], abs(place.strides[axis])
        if n == 1:
            continue
        end = place.dtype.itemsize  # of what the steps so far reach
        trial = sorted([*kept, (stride, n)])
        for step, count in trial:
            if step < end:
                repeating.append(axis)
                break
            end += step * (count - 1)
        else:
            kept = trial
    return repeating


def _copy(door: backend.Backend, region: Region, input: Array) -> Array:
    memory = door.empty((region.length,), np.dtype(np.uint8), door.device_of(input))
    door.assign(region.base.of(door, memory), input)
    return memory


@linear("AsStridedBackward0")
def as_strided(door: backend.Backend, input: Array, *, region: Region) -> Array:
    """View what lies in the input as a view lay in its base; in a copy, if that lies elsewise."""
    base, view = region.base, region.view
    alike = input.strides == base.strides or (region.plain and input.flags.c_contiguous)
    if alike and input.__class__ is door.xp.ndarray:
        return view._replace(offset=view.offset - base.offset).of(door, input)
    return view.of(door, _copy(door, region, input))


@as_strided.gradient
def input(g: Any, region: Region) -> Any:
    return _put_strided(g, region=region)


@linear("AsStridedScatterBackward0")
def _put_strided(door: backend.Backend, input: Array, *, region: Region) -> Array:
    """Return zeros like the base, with the input added at the place of the view.

    Of elements that lie on each other all are added.
    """
    if input.dtype == np.float16 and _repeating(region.view):  # each addition would round
        wide = door.astype(input, np.dtype(np.float32))
        return door.astype(_put_strided.op.forward(door, wide, region=region.wide()), input.dtype)
    memory = door.full((region.length,), 0, np.dtype(np.uint8), door.device_of(input))
    place = region.view.of(door, memory)
    repeating = _repeating(region.view)
    if not repeating:
        door.assign(place, input)
        return region.base.of(door, memory)
    whole = tuple(k for k in repeating if place.strides[k] == 0)
    if whole:
        input = door.sum(input, whole, True, input.dtype)
        place = place[tuple(slice(0, 1 if k in whole else None) for k in range(place.ndim))]
    for index in np.ndindex(*(place.shape[k] for k in repeating)):
        at = dict(zip(repeating, index, strict=True))
        part = (*(at.get(k, slice(None)) for k in range(place.ndim)), ...)
        door.add_into(place[part], input[part])
    return region.base.of(door, memory)


@_put_strided.gradient
def input(g: Any, region: Region) -> Any:
    return as_strided(g, region=region)


@linear("torch::autograd::CopySlices")
def copy_slices(door: backend.Backend, input: Array, value: Array, *, region: Region) -> Array:
    """Return a copy of the base with ``value`` at the place of the view."""
    memory = _copy(door, region, input)
    door.assign(region.view.of(door, memory), value)
    return region.base.of(door, memory)


@copy_slices.gradient
def input(g: Any, region: Region) -> Any:
    array = g._array
    door = backend.of(array)
    nothing = door.full((), 0, region.view.dtype, door.device_of(array))
    return copy_slices(g, wrap(nothing), region=region)


@copy_slices.gradient
def value(g: Any, region: Region) -> Any:
    return as_strided(g, region=region)


def belong(tensor: TensorBase) -> None:
    """Give a view that is about to be written a history that ends in its base, if it has none.

    What is written is a part of the base.  A view by strides may reach beyond the view that it was
    made of, whose history says nothing of what lies there.
    """
    renew(tensor)
    view = tensor._view
    assert view is not None
    node, end = tensor._edge, view.base._edge
    while isinstance(node, Node) and node is not end:
        below = node.inputs[0] if node.inputs else None
        if node.op.name.startswith("AsStrided") and below is not end:
            _replay(tensor, view)
            return
        node = below  # type: ignore[assignment]


def rewrite(tensor: TensorBase, edge: Node | Output | None) -> None:
    """Give a tensor whose memory was written the history ``edge`` of what was written.

    The base of a view receives the history that makes this true.

    Raises:
        RuntimeError: A view does not lie in its base, or the base in several places at once.
    """
    view = tensor._view
    if view is None:
        rehang(tensor, edge)
        return
    base = view.base
    if base._edge is None and edge is None:
        return
    written = wrap(tensor._array)
    written._edge = edge
    arrays = _uncovered(tensor, base)[1:]
    for level, array in zip(reversed(hidden_of(tensor, base)), arrays, strict=True):
        written = _made(show, [written], array, axis=0, level=level)
    region = region_of(written, base)
    new = _made(copy_slices, [base, written], base._array, region=region)
    rehang(base, new._edge)
    _replay(tensor, view)


def renew(tensor: TensorBase) -> None:
    """Give a view the history that belongs to its base's, if that was rewritten.

    Raises:
        RuntimeError: It is a view whose history PyTorch does not rewrite.
    """
    view = tensor._view
    if view is None or view.base._edge is view.edge:
        return
    _share_levels(tensor, view.base)
    end = view.base._edge
    unrecorded = view.edge is UNRECORDED
    if unrecorded and end is None:
        return
    written = shared_counter(tensor).written_since(view.version)
    if view.origin and (written or not (unrecorded or ends(end))):
        raise forbidden(tensor, view, "its base or another view of its base has been")
    if unrecorded:
        if tensor._edge is None:
            tensor._edge = _nowhere()
    elif written or not ends(end) or tensor._edge is None:
        _replay(tensor, view)
    # else the base was detached: its views keep what they had until they are written


def _nowhere() -> Node:
    return record(NOWHERE, (), (), None, None)


def _replay(tensor: TensorBase, view: View) -> None:
    base: Any = view.base
    if tensor._array.dtype.kind in "fc":
        if base._edge is None:  # it was detached: the view requires grad, and that leads nowhere
            base = wrap(base._array)
            base._edge = _nowhere()
        arrays = _uncovered(tensor, base)
        new = wrap(arrays.pop())
        new = _made(as_strided, [base], new._array, region=region_of(new, base))
        for level in hidden_of(tensor, base):
            new = _made(hide, [new], arrays.pop(), axis=0, level=level)
        rehang(tensor, new._edge)
    view.edge = view.base._edge
    view.version = shared_counter(tensor).value


def _share_levels(view: TensorBase, base: TensorBase) -> None:
    """Give a view the hidden axes of its base, which may have been lifted since it was made."""
    known = levels_of(view._array)
    levels = [level for level in levels_of(base._array) if level not in known]
    if levels:
        lift_itself(view, door_for(backend.of(own_array(view)), [*known, *levels]))


# --------------------------------------------------------------------------- tangents


def move_with_base(tensor: Any) -> None:
    """Give a view the parts of the tangents that its base has and it has not.

    They are views of those, so that a write of the one moves the other.
    """
    view = tensor._view
    base = view.base
    own = tensor._tangents if saved.is_dual(tensor) else {}
    missing = [
        level
        for level in base._tangents
        if level in mode.levels and level < view.outside and level not in own
    ]
    if not missing or tensor._array.dtype.kind not in "fc":
        return
    _share_levels(tensor, base)
    settle(base)
    for level in missing:
        attach(tensor, level, part_of(base._tangents[level], tensor, base))


def settle(tensor: Any) -> None:
    """Have the tangents of a tensor that is no view lie in memory as it does itself.

    Its views will share that memory, so this comes before the first of them is taken.
    """
    for level in mode.levels if tensor._view is None else ():
        tangent = tangent_of(tensor, level)
        if tangent is not None:
            attach(tensor, level, settled(tangent, tensor))


def settled(tangent: Any, tensor: TensorBase) -> Any:
    """Return a tangent that lies in memory as a tensor does: itself, or a copy.

    It has memory for each example of the tensor.
    """
    array, whole = tangent._array, tensor._array
    if has_room(array, whole) and (array.strides == whole.strides or not array.ndim):
        return tangent
    known = levels_of(array)
    levels = tuple([level for level in levels_of(whole) if level not in known])
    return _settled(tangent, levels=levels, place=_place_of(whole))


@linear("CloneBackward0")
def _settled(
    door: backend.Backend, input: Array, *, levels: tuple[Level, ...], place: tuple[int, Place]
) -> Array:
    """Copy into memory for each example of some more levels, where it lies at a place."""
    if levels:
        input = with_levels(input, door, levels)
        door = input.door
    return _laid(door, place, input, door.device_of(input))


@_settled.gradient
def input(g: Any, levels: tuple[Level, ...]) -> Any:
    return lower(g, levels=levels) if levels else g


def _place_of(array: Array) -> tuple[int, Place]:
    """Return how long the memory is in which an array lies, and how it lies in it."""
    door = backend.of(array)
    low, high = extent(door, array)
    return high - low, Place(array.shape, array.dtype, door.address(array) - low, array.strides)


def _laid(door: backend.Backend, place: tuple[int, Place], value: Any, where: device) -> Array:
    """Return a value in new memory, at a place in it."""
    length, lies = place
    array = lies.of(door, door.empty((length,), np.dtype(np.uint8), where))
    door.assign(array, value)
    return array


def still(tensor: Any, level: int, written: Any) -> Any:
    """Give a tensor, and the one that it is a view of, the tangent zero, and return it.

    It has memory for each example of the tangent that is ``written`` to it.
    """
    base = tensor if tensor._view is None else tensor._view.base
    if level not in tangents_of(base):
        array = base._array
        own = levels_of(tensor._array)
        levels = [k for k in levels_of(written._array) if k not in own]
        door = backend.of(array)
        wide = door_for(door, [*levels, *levels_of(array)]) if levels else door
        attach(base, level, wrap(_laid(wide, _place_of(array), 0, door.device_of(array))))
    return tangents_of(tensor)[level]


def part_of(whole: Any, view: TensorBase, base: TensorBase) -> Any:
    """Return a view of a tensor that lies as the base of a view, at the place of the view in it."""
    part = as_strided(whole, region=region_of(wrap(_uncovered(view, base)[-1]), base))
    part._counter = shared_counter(whole)
    root = whole if whole._view is None else whole._view.base
    part._view = View(root, "", root._edge, part._counter.value)
    for level in hidden_of(view, base):
        part = hide(part, axis=0, level=level)
    return part


def hidden_of(view: TensorBase, base: TensorBase) -> list[Level]:
    """Return the levels that hide axes of a view which its base shows."""
    known = levels_of(base._array)
    return [level for level in levels_of(view._array) if level not in known]


def _uncovered(view: TensorBase, base: TensorBase) -> list[Array]:
    """Return the array of a view, and that with each more of the axes that its base shows."""
    arrays = [view._array]
    for level in reversed(hidden_of(view, base)):
        arrays.append(shown(arrays[-1], backend.of(arrays[-1]), 0, level))
    return arrays


def _made(function: Declared, inputs: list[Any], array: Array, **params: Any) -> Any:
    """Return a tensor around an array, recorded as what a function gives for the inputs."""
    out = wrap(array)
    edges = tuple(map(edge_of, inputs))
    if any(edge is not None for edge in edges):
        function.op.record(tuple(inputs), edges, (out,), params)
    return out


_SEVERAL = (
    "This view is the output of a function that returns multiple views. Such functions do not "
    "allow the output views to be modified inplace. You should replace the inplace operation by an "
    "out-of-place one."
)
_AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your "
    "code by moving both the view and the inplace either both inside the {0} block (if you don't "
    "want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
# By origin: the mode a view was made in, the mode it is written in, and the way out.
_CUSTOM = (
    "This view was created inside a custom Function (or because an input was returned as-is) and "
    "the autograd logic to handle view+inplace would override the custom backward associated with "
    "the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix "
    "this by cloning the output of the custom Function."
)
_REASONS = {
    "multiple": ("no_grad mode", "with grad mode enabled", _SEVERAL),
    "function": ("no_grad mode", "with grad mode enabled", _CUSTOM),
    "no_grad": ("no_grad mode", "with grad mode enabled", _AMBIGUOUS.format("no_grad")),
    "inference": ("inference mode", "in normal mode", _AMBIGUOUS.format("inference_mode")),
}


def forbidden(tensor: TensorBase, view: View, what: str) -> RuntimeError:
    """Return PyTorch's error for a view, of an origin that forbids it, that ``what`` modified."""
    if view.origin == "argument":
        return _leaf_written(tensor, view)
    before, now, reason = _REASONS[view.origin]
    edge = None if ends(tensor._edge) else tensor._edge
    made = f"A view was created in {before} and {what} modified inplace {now}."
    if isinstance(edge, Node | Output):
        node, number = (edge.node, edge.index) if isinstance(edge, Output) else (edge, 0)
        made = f"Output {number} of {function_name(node)} is a view"
        if view.origin in ("multiple", "function"):
            made += f" and {what} modified inplace."
        else:
            made += f" of a view which was created in {before} and {what} modified inplace {now}."
    return RuntimeError(f"{made} {reason}")


def check_rewritable(tensor: TensorBase) -> None:
    """Raise where PyTorch does not record a write into a view.

    Raises:
        RuntimeError: It is one of several that a function returned, or was made without recording,
            or is of a leaf that requires grad, or elements of its base share memory, so that a
            write of one is a write of others.
    """
    view = tensor._view
    assert view is not None
    if view.origin:
        raise forbidden(tensor, view, "is being")
    if overlaps_itself(view.base._array):
        raise RuntimeError(
            "unsupported operation: a view is being modified inplace whose base has several "
            "elements that refer to a single memory location. Please clone() the base before "
            "taking the view."
        )
    end = not isinstance(view.base._edge, Node | Output)
    if end and (tensor._edge is not None or view.base._edge is not None):
        raise _leaf_written(tensor, view)


def _leaf_written(tensor: TensorBase, view: View) -> RuntimeError:
    """Return PyTorch's error for a leaf: also for an argument, which is a view of it here."""
    edge: Any = tensor._edge
    if view.origin == "argument":
        (edge,) = edge.inputs
    while isinstance(edge, Node) and edge.op is hide.op:
        (edge,) = edge.inputs
    what = "" if edge is edge_of(view.base) else "a view of "
    return RuntimeError(
        f"{what}a leaf Variable that requires grad is being used in an in-place operation."
    )
