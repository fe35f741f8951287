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

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad._dtype import INEXACT, is_half
from gpugrad.backend.batched import (
    Batched,
    Level,
    door_for,
    has_room,
    levels_of,
    shown,
    with_levels,
)
from gpugrad.formulas import TORCH
from gpugrad.graph import (
    FAR,
    NOWHERE,
    UNRECORDED,
    Counter,
    Node,
    Output,
    SavedOutput,
    TensorBase,
    View,
    edge_of,
    ends,
    inferring,
    mode,
    next_sequence,
    record,
    recording,
    rehang,
)
from gpugrad.op import saved
from gpugrad.op.attribute import Named
from gpugrad.op.batching import hide, lift_itself, show
from gpugrad.op.dual import attach, tangent_of, tangents_of
from gpugrad.op.follower import brought_up, follower_of
from gpugrad.op.operation import Declared, linear, lower
from gpugrad.op.saved import function_name, note, own_array, shared_counter, type_name, wrap

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
    single: bool  # whether no two elements of the view share memory
    like: tuple[Shape, np.dtype[Any], device]  # what the base is like

    def wide(self) -> Region:
        """Return the same places for elements of float32 in the place of float16."""
        base, view = (
            Place(p.shape, np.dtype(np.float32), 2 * p.offset, tuple([2 * s for s in p.strides]))
            for p in (self.base, self.view)
        )
        return self._replace(length=2 * self.length, base=base, view=view)


def region_of(view: TensorBase, base: TensorBase) -> Region:
    """Return where a view, with the axes that its base does not hide, lies in it.

    Raises:
        RuntimeError: It does not: the base was given other memory.
    """
    array, whole = view._array, base._array
    door = backend.of(whole)
    address, start = door.address(whole), door.address(array)
    low, high = extent(address, whole)
    first, last = extent(start, array)
    if array.size and not low <= first <= last <= high:
        raise RuntimeError(
            f"a view [{type_name(view)} {list(array.shape)}] no longer lies in the memory of its "
            "base, whose .data was set. Take the view again."
        )
    start = start - low if array.size else 0  # one without elements lies anywhere
    return Region(
        high - low,
        Place(whole.shape, whole.dtype, address - low, whole.strides),
        Place(array.shape, array.dtype, start, array.strides),
        whole.flags.c_contiguous,
        not overlaps_itself(array),
        (whole.shape, whole.dtype, door.device_of(whole)),
    )


def _known_region(view: View, tensor: TensorBase, base: TensorBase) -> Region:
    """Return where a view lies in its base; the answer is kept as long as both are where they are.

    Raises:
        RuntimeError: See :func:`region_of`.
    """
    known: tuple[Array, Array, Region] | None = getattr(view, "region", None)
    if known is None or known[0] is not tensor._array or known[1] is not base._array:
        view.region = known = tensor._array, base._array, region_of(tensor, base)
    return known[2]


def extent(address: int, array: Array) -> tuple[int, int]:
    """Return the addresses of an array's first byte, given its first element's, and behind it."""
    low = high = address
    if not array.size:
        return low, high
    if array.flags.c_contiguous:
        return low, low + array.nbytes
    for n, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (n - 1) * stride
        else:
            high += (n - 1) * stride
    return low, high + array.itemsize


def same_place(first: Array, second: Array) -> bool:
    """Tell whether two arrays of one device have the same elements."""
    address = backend.of(first).address
    return bool(
        first.shape == second.shape
        and first.strides == second.strides
        and first.dtype == second.dtype
        and address(first) == address(second)
    )


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
    if is_half(input.dtype) and _repeating(region.view):  # each addition would round
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

    What is written is a part of the base.
    """
    renew(tensor)
    view = tensor._view
    assert view is not None
    if view.edge is FAR and view.base._edge is not None:
        _replay(tensor, view)


class Placed:
    """The rule of a node whose result was written into a part of a base, of which it makes the new.

    Its one input that is the old value of the part is the old base.

    Args:
        rule: How the gradients of the inputs follow from that of the part.
        region: Where the part lies.
        place: Which input is the old base.
    """

    __slots__ = ("needs", "place", "region", "rule")

    always = False
    outputs = 1

    def __init__(self, rule: Any, region: Region, place: int):
        self.rule = rule
        self.region = region
        self.place = place
        self.needs = rule.needs

    @property
    def op(self) -> Any:
        """The operation: what was called, and then written."""
        return PlacedOperation(self.rule.op, self.region, self.place)

    def narrowed(self, needs: tuple[bool, ...]) -> Any:
        """Return the rule for some of these inputs."""
        rule = self.rule.narrowed(needs)
        return Placed(rule, self.region, self.place) if True in needs else rule

    def backward(self, node: Node, g: Any) -> list[Any]:
        """Return the gradients: that of the old base is ``g``, but for the part."""
        region, place = self.region, self.place
        if mode.enabled:
            grads = list(self.rule.backward(node, as_strided(g, region=region)))
            if self.needs[place]:
                own = _nothing(g) if grads[place] is None else grads[place]
                grads[place] = copy_slices(g, own, region=region)
            return grads
        door = backend.of(g)
        if g.__class__ is Batched or not self.needs[place]:
            part = as_strided.op.forward(door, g, region=region)
            grads = list(self.rule.backward(node, door.copy(part)))
            return self._whole(g, grads) if self.needs[place] else grads
        plain = region.plain and g.__class__ is door.xp.ndarray and g.dtype is region.base.dtype
        memory = door.copy(g, "C") if plain else _copy(door, region, g)
        part = region.view.of(door, memory)
        grads = list(self.rule.backward(node, door.copy(part)))
        if grads[place].__class__ is Batched:  # by what was saved
            return self._whole(g, grads)
        door.assign(part, 0 if grads[place] is None else grads[place])
        grads[place] = memory if plain else region.base.of(door, memory)
        return grads

    def _whole(self, g: Array, grads: list[Any]) -> list[Any]:
        """Return the gradients with that of the base, for every example that ``g`` or they tell."""
        whole = wrap(g)
        part = grads[self.place]
        own = _nothing(whole) if part is None else wrap(part)
        grads[self.place] = copy_slices(whole, own, region=self.region)._array
        return grads


class PlacedOperation(Named):
    """What such a node was made by; it tells of no more than its name."""

    def __init__(self, op: Any, region: Region, place: int):
        super().__init__("torch::autograd::CopySlices")
        self.op, self.region, self.place = op, region, place

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangent of the new base."""
        moving = list(tangents)
        whole = moving[self.place]
        if whole is not None:
            moving[self.place] = as_strided(whole, region=self.region)
        (part,) = self.op.jvp(node, moving)
        if whole is None and part is None:
            return [None]
        if whole is None:
            base = self.region.base
            door = backend.of(part._array)
            whole = wrap(door.full(base.shape, 0, base.dtype, door.device_of(part._array)))
        return [copy_slices(whole, _nothing(whole) if part is None else part, region=self.region)]


def _nothing(like: Any) -> Any:
    """Return a tensor with the number 0."""
    door = backend.of(like._array)
    return wrap(door.full((), 0, like._array.dtype, door.device_of(like._array)))


def _place(old: Any, edge: Any, region: Region, base: TensorBase, begun: float) -> bool:
    """Make the node of what was written into a view that of its base, if that is all there is.

    It is where the node was made since ``begun`` and nobody knows it, and reads the old value of
    the view, which has the node ``old``, once.
    """
    if (
        not isinstance(edge, Node)
        or not isinstance(old, Node)
        or edge.sequence < begun
        or edge.rule.outputs != 1
        or edge.hooks is not None
        or mode.enabled is not True
        or mode.calls
    ):
        return False
    place, inputs = -1, edge.inputs
    for k, e in enumerate(inputs):
        if e is old:
            if place >= 0:
                return False
            place = k
    if place < 0:
        return False
    for s in edge.saved or ():
        if s.__class__ is SavedOutput:
            return False
    edge.rule = Placed(edge.rule, region, place)  # type: ignore[assignment]
    edge.inputs = (*inputs[:place], base._edge, *inputs[place + 1 :])  # type: ignore[arg-type]
    rehang(base, edge)
    return True


def write_part(
    function: Any, tensor: Any, operands: Sequence[Any], options: Any, lost: bool = False
) -> bool:
    """Write ``function(tensor, *operands)`` into a view whose base has a history, if that is plain.

    It is the short way of what :func:`rewrite` is for, without transforms and observers, and tells
    whether it did so; nothing is done where it did not.  A view that is ``lost`` afterwards needs
    no history.
    """
    view, array = tensor._view, tensor._array
    base = view.base
    end, whole, counter = base._edge, base._array, tensor._counter
    if (
        mode.enabled is not True
        or not isinstance(end, Node)
        or inferring
        or mode.levels
        or view.origin
        or counter.__class__ is not Counter
        or tensor.__class__ is not saved.tensor_class
        or base.__class__ is not saved.tensor_class
        or array.__class__ is not whole.__class__
        or array.__class__ is Batched
        or not whole.flags.c_contiguous
        or not array.size
        or array.dtype.kind not in INEXACT
    ):
        return False
    for o in operands:
        if isinstance(o, TensorBase):
            if o._view is not None and o._view.base.__class__ is not saved.tensor_class:
                return False
            if o._counter is counter and (o is tensor or not same_place(o._array, array)):
                return False
    known: Any = getattr(view, "region", None)
    if known is not None and known[0] is array and known[1] is whole:
        region = known[2]
    else:
        region = _known_region(view, tensor, base)
    if not region.single:
        return False
    begun = next_sequence()
    edge = tensor._edge
    if view.edge is not end or not isinstance(edge, Node) or edge.inputs[0] is not end:
        edge = _strided_node(base, region)
    old = wrap(array)
    old._edge = edge
    result = function(old, *operands, **options)
    found = result._array
    if (
        found.__class__ is Batched
        or found.shape != array.shape
        or found.dtype is not array.dtype
        or not _place(edge, result._edge, region, base, begun)
    ):
        return False
    door = backend.of(array)
    for s in result._edge.saved:
        if s is old:
            old._array = door.copy(array)
    door.assign(array, found)
    if not lost:
        rehang(tensor, _strided_node(base, region))
    view.edge = base._edge
    note(counter, array)
    view.version = counter.value
    return True


def rewrite(tensor: TensorBase, edge: Node | Output | None, begun: float = inf) -> None:
    """Give a tensor whose memory was written the history ``edge`` of what was written.

    The base of a view receives the history that makes this true.  A node that was made since
    ``begun`` has no other use than this.

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
    if not hidden_of(tensor, base):
        region = _known_region(view, tensor, base)
        if _place(tensor._edge, edge, region, base, begun):
            _replay(tensor, view)
            return
    written = wrap(tensor._array)
    written._edge = edge
    arrays = _uncovered(tensor, base)[1:]
    for level, array in zip(reversed(hidden_of(tensor, base)), arrays, strict=True):
        written = _made(show, [written], array, axis=0, level=level)
    region = _known_region(view, written, base)
    new = _made(copy_slices, [base, written], base._array, region=region)
    rehang(base, new._edge)
    _replay(tensor, view)


def renew(tensor: TensorBase) -> None:
    """Give a view the history that belongs to its base's, if that was rewritten.

    That of a :class:`FarView` is renewed once the memory was written, too.  A base that follows
    another tensor is first given the history that belongs to that one's, also where nothing is
    recorded now.

    Raises:
        RuntimeError: It is a view whose history PyTorch does not rewrite.
    """
    if follower_of(tensor) is not None:
        with recording(not mode.inference):
            follow(tensor)
    renew_by_base(tensor)


def renew_by_base(tensor: TensorBase) -> None:
    """Do what :func:`renew` does with a view whose base has its own history."""
    view = tensor._view
    if view is None or view.base._edge is view.edge:
        return
    end = view.base._edge
    written = shared_counter(tensor).written_since(view.version)
    if view.edge is FAR and view.known is end and not (written and end is not None):
        return
    _share_levels(tensor, view.base)
    unrecorded = view.edge is UNRECORDED
    if unrecorded and end is None:
        return
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
    if tensor._array.dtype.kind in INEXACT:
        if base._edge is None:  # it was detached: the view requires grad, and that leads nowhere
            base = wrap(base._array)
            base._edge = _nowhere()
        hidden = hidden_of(tensor, base)
        arrays = _uncovered(tensor, base) if hidden else [tensor._array]
        new = wrap(arrays.pop())
        new._edge = _strided_node(base, _known_region(view, new, base))
        for level in hidden:
            new = _made(hide, [new], arrays.pop(), axis=0, level=level)
        rehang(tensor, new._edge)
    view.edge = view.base._edge
    view.version = shared_counter(tensor).value


def _strided_node(base: TensorBase, region: Region) -> Node:
    """Return the node of :func:`as_strided`."""
    op = as_strided.op if mode.conventions[-1] == TORCH else as_strided.op.in_math
    call = (region.like,), (), {"region": region}
    return record(op.rule((True,), 1), (edge_of(base),), (), None, call)


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
    if not missing or tensor._array.dtype.kind not in INEXACT:
        return
    _share_levels(tensor, base)
    settle(base)
    for level in missing:
        attach(tensor, level, part_of(base._tangents[level], tensor, base))


def follow(tensor: Any) -> None:
    """Bring a view of a copy that follows another tensor up to date, with its base.

    Tangents that it has of an earlier copy are dropped: it is given those of its base.
    """
    base = follower_of(tensor)
    if base is None:
        return
    made = brought_up(base)
    if not mode.levels:
        return
    for level in mode.levels if made is not None else ():
        tangent = tangent_of(made, level)
        if tangent is not None:
            attach(base, level, settled(tangent, base))
    if saved.is_dual(base) and saved.is_dual(tensor):
        for level, whole in base._tangents.items():
            own: Any = tensor._tangents.get(level, whole)
            if own is not whole and (own._view is None or own._view.base is not whole):
                del tensor._tangents[level]


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
    address = door.address(array)
    low, high = extent(address, array)
    return high - low, Place(array.shape, array.dtype, address - low, array.strides)


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
        wide: Any = door_for(door, [*levels, *levels_of(array)]) if levels else door
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
