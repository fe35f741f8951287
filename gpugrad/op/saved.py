"""Tensors as the operations see them: made from arrays, saved for backward, shared by views."""

from __future__ import annotations

import linecache
import weakref
from bisect import bisect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._device import device
from gpugrad._dtype import INEXACT
from gpugrad.backend.batched import Batched, all_of, differs, levels_of
from gpugrad.graph import (
    Counter,
    Detachment,
    Inference,
    Line,
    Node,
    Output,
    SavedOutput,
    TensorBase,
    Write,
    asked_times,
    edge_of,
    mode,
    next_sequence,
    output_of,
    users_line,
)

Array = Any
Shape = tuple[int, ...]

# The one place where the circle between tensors and operations is closed: ``_tensor`` gives its
# class to ``close_circle``, and results are made with it.
tensor_class: type[TensorBase] = TensorBase
dual_class: type[TensorBase] = TensorBase  # of tensors that have tangents; a subclass of the other
parameter_class: type[TensorBase] = TensorBase  # of parameters, which are as plain as the first are
moving: dict[type, type] = {}  # classes that are not to be taken for those of tensors with tangents
_new = object.__new__  # not the public constructor, which converts data


def close_circle(cls: type[TensorBase], dual: type[TensorBase]) -> None:
    """Make the results of all operations objects of ``cls``, or of ``dual`` if they move."""
    global tensor_class, dual_class
    tensor_class, dual_class = cls, dual
    moving[cls] = dual


def wrap(array: Array) -> Any:
    """Return a new tensor around an array, which needs no gradient."""
    t: Any = _new(tensor_class)
    t._array = array
    t._edge = t._grad = t._counter = t._view = None
    return t


# --------------------------------------------------------------------------- classes of the user's

subclasses: list[bool] = []  # an element where this process has defined a subclass of Tensor


def is_plain(tensor: TensorBase) -> bool:
    """Tell whether a tensor is of no class of the user's that results are to have."""
    kind: Any = tensor.__class__
    return kind is tensor_class or kind is dual_class or not kind._inherited


def heir(operands: Sequence[Any]) -> type[TensorBase] | None:
    """Return the class of the user's that results are to have, ``None`` where there is none.

    Raises:
        TypeError: Operands are of two, of which neither derives from the other.
    """
    found: type[TensorBase] | None = None
    for o in operands:
        if isinstance(o, TensorBase) and not is_plain(o):
            kind = o.__class__
            if found is None or issubclass(kind, found):
                found = kind
            elif not issubclass(found, kind):
                raise TypeError(
                    "Multiple dispatch failed: operands are of the tensor subclasses "
                    f"'{found.__name__}' and '{kind.__name__}', and neither derives from the other"
                )
    return found


def descended(result: Any, operands: Sequence[Any]) -> Any:
    """Return a new tensor, or some, as of the class of the user's that one of the operands has."""
    if not subclasses:
        return result
    kind = heir(operands)
    if kind is None:
        return result
    if isinstance(result, TensorBase):
        return of_class(result, kind)
    return result.__class__([None if t is None else of_class(t, kind) for t in result])


def at_rest(kind: type) -> type:
    """Return the class of tensors without tangents for a class of such with some."""
    return next((still for still, moves in moving.items() if moves is kind), kind)


def is_dual(tensor: Any) -> bool:
    """Tell whether a tensor has, or had, tangents."""
    return tensor.__class__ is dual_class or hasattr(tensor, "_tangents")


def of_class(tensor: Any, kind: type[TensorBase]) -> Any:
    """Return a new tensor as one of a class; it is made of the class without being initialised."""
    if kind in moving and is_dual(tensor):
        kind = moving[kind]
    try:
        tensor.__class__ = kind
    except TypeError:  # the class has slots of its own
        made: Any = _new(kind)
        for name in TensorBase.__slots__[1:]:
            if hasattr(tensor, name):
                setattr(made, name, getattr(tensor, name))
        return made
    return tensor


class Numbers(tuple[Any, ...]):
    """The saved values of a node that are numbers: there is nothing to free, and so they stay."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def unpacked(
        self, node: Node, outputs_from: int, outputs: Mapping[int, int] | None
    ) -> tuple[Any, ...]:
        """Return the values; see :func:`unpack`."""
        return checked(node, tuple(self), node.versions, outputs_from, outputs)


class Like(NamedTuple):
    """What a rule may know of an input without the input being saved."""

    shape: Shape
    dtype: np.dtype[Any]
    device: device


def like(tensor: TensorBase) -> Like:
    """Return the shape, type and device of a tensor."""
    array = tensor._array
    return Like(array.shape, array.dtype, backend.of(array).device_of(array))


# --------------------------------------------------------------------------- saving


def shared_counter(tensor: TensorBase) -> Counter:
    """Return the tensor's counter of in-place writes, made if it has none."""
    counter = tensor._counter
    if counter is None:
        counter = tensor._counter = Counter()
    if mode.scope is not None and not hasattr(counter, "born"):
        node = _maker(tensor)
        if node is not None:
            counter.born = node.sequence
    return counter


def counters_of(values: Sequence[Any]) -> list[Counter]:
    """Return the counters of the tensors among some values."""
    return [shared_counter(t) for t in values if isinstance(t, TensorBase)]


def _maker(tensor: TensorBase) -> Node | None:
    """Return the node that computed what lies in the memory of a tensor."""
    edge = (tensor if tensor._view is None else tensor._view.base)._edge
    edge = edge.node if isinstance(edge, Output) else edge
    return edge if isinstance(edge, Node) else None


def saved_output(tensor: TensorBase) -> SavedOutput:
    """Return what the node of a new tensor keeps of it: its array, and its counter of writes."""
    kept: SavedOutput = _new(SavedOutput)
    kept.value = 0
    kept.array = tensor._array
    if mode.replay is not None:
        mode.replay.kept(tensor._counter, kept)
    tensor._counter = kept
    return kept


def _writes(saved: Any) -> int:
    """Return how often the memory of a saved value was written."""
    counter = saved._counter if isinstance(saved, TensorBase) else saved
    return counter.value if isinstance(counter, Counter) else 0


def versions_of(saved: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the state of each saved value, ``None`` where none was ever written in place.

    Raises:
        RuntimeError: One was made in inference mode.
    """
    versions = tuple([
        0 if s is None
        else s._counter.value if isinstance(s, TensorBase) and s._counter is not None
        else _writes(s)
        for s in saved
    ])  # fmt: skip
    if min(versions, default=0) < 0 and mode.scope is None:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
            "inference mode in computation tracked by autograd. To work around this, you can make "
            "a clone to get a normal tensor and use it in autograd, or use "
            "`gpugrad.no_grad()` instead of `gpugrad.inference_mode()`."
        )
    if not any(versions):
        return None
    for s in saved:
        counter = s._counter if isinstance(s, TensorBase) else s
        if isinstance(counter, Counter):
            counter.latest = None  # when and where it is written next is to be noted
    return versions


def unpack(
    node: Node, outputs_from: int, outputs: Mapping[int, int] | None = None
) -> tuple[Any, ...]:
    """Return a node's saved values; from ``outputs_from`` on they are its own outputs.

    ``outputs`` tells which of the others are outputs, too.

    Raises:
        RuntimeError: They were freed, or written in place since.
    """
    saved: Any = node.saved
    if saved.__class__ is not tuple:
        if saved is None:
            raise RuntimeError(errors.SECOND_BACKWARD)
        return saved.unpacked(node, outputs_from, outputs)  # they are op.observed.PackedValues
    return checked(node, saved, node.versions, outputs_from, outputs)


def checked(
    node: Node,
    saved: tuple[Any, ...],
    versions: Sequence[int] | None,
    outputs_from: int,
    outputs: Mapping[int, int] | None,
) -> tuple[Any, ...]:
    """Return saved values of these versions, which were not packed, as :func:`unpack` does."""
    for k, s in enumerate(saved):
        if s is None or (versions is None and s.__class__ is tensor_class and s._counter is None):
            continue
        expected = 0 if versions is None else versions[k]
        if _writes(s) != expected:
            # a user's function has reason to save it if its backward is not recorded
            if (outputs is None or mode.enabled) and _was_detached(s, expected):
                raise RuntimeError(
                    "Trying to use a saved tensor that has been detached in-place, i.e. with "
                    ".detach_().This is not supported, please use out-of-place `.detach()` instead"
                )
            write = _overwriting(s, expected)
            if write is not UNTOUCHED:
                output = k - outputs_from if k >= outputs_from else (outputs or {}).get(k)
                raise overwritten(node, s, output, expected, write)
    outputs_saved = saved[outputs_from:]
    if not any(outputs_saved):
        return saved
    rewrapped = [None if s is None else _rewrapped(node, k, s) for k, s in enumerate(outputs_saved)]
    return (*saved[:outputs_from], *rewrapped)


def _rewrapped(node: Node, index: int, saved: SavedOutput) -> Any:
    """Return a saved output as a tensor with the history it had, for a recorded backward."""
    t: Any = wrap(saved.array)
    t._counter = saved
    if mode.enabled:
        t._edge = output_of(node, index)
    if mode.levels and hasattr(saved, "tangents"):
        t.__class__ = dual_class
        t._tangents = saved.tangents
    return t


def _overwriting(saved: Any, version: int) -> Write | None:
    """Return the last write after a version of memory that a saved value lies in.

    It is ``None`` where that is not known, and :data:`UNTOUCHED` where there was no such write.
    """
    tensor = isinstance(saved, TensorBase)
    counter: Any = saved._counter if tensor else saved
    array = saved._array if tensor else saved.array
    writes = counter.since(version)
    if writes is None:
        return None
    overlap = backend.of(array).overlap
    for w in reversed(writes):
        if w.__class__ is not Detachment and overlap(w.array, array):
            return w
    return UNTOUCHED


def _was_detached(saved: Any, version: int) -> bool:
    """Tell whether a saved value is a tensor that lost its history since."""
    if not isinstance(saved, TensorBase):
        return False
    counter: Any = saved._counter
    writes = counter.since(version) or ()
    return any(isinstance(w, Detachment) and w.tensor() is saved for w in writes)


def note_detachment(tensor: TensorBase) -> None:
    """Note that a tensor which was computed is about to lose its history."""
    counter = shared_counter(tensor)
    counter.value += 1
    write = Detachment()
    write.array, write.tensor = None, weakref.ref(tensor)
    write.first = write.last = counter.value
    write.time = next_sequence()
    counter.writes = [*getattr(counter, "writes", ()), write]


def version_of(tensor: TensorBase) -> int:
    """Return how often the memory of a tensor was written in place."""
    counter = tensor._counter
    if counter is None:
        return 0
    return counter.value - sum(isinstance(w, Detachment) for w in getattr(counter, "writes", ()))


UNTOUCHED = Write()


def note_write(tensor: TensorBase, *sources: Any) -> None:
    """Note that the memory of a tensor was written, and on which line of the user's.

    What was written was computed from the ``sources``.
    """
    counter = shared_counter(tensor)
    if isinstance(counter, Inference):
        counter.value -= 1
        return
    replay = mode.replay
    stale = None if replay is None else replay.first_stale(sources)
    write = note(counter, own_array(tensor))
    view = tensor._view
    if view is not None and view.edge is view.base._edge:  # its history says so already
        view.version = counter.value
    if replay is not None:
        replay.writes[write] = stale


def note(counter: Counter, array: Array) -> Write:
    """Note that an array was written, and return the write that this is, or belongs to.

    Writes of one array are one write.  When and where it was is noted again if since the last time
    something was saved, or asked when writes were: what was saved before the first of several
    writes is overwritten by that one.
    """
    counter.value = version = counter.value + 1
    write = _write_of(counter, array)
    write.last = version
    if write is not getattr(counter, "latest", None):
        write.line = users_line()
        write.time = next_sequence()
        counter.latest = write
    return write


def _write_of(counter: Counter, array: Array) -> Write:
    """Return the last of the known writes, if the one of an array now belongs to it, or another."""
    writes = getattr(counter, "writes", None)
    if writes is None or len(writes) == Write.MOST:
        counter.writes = writes = []
    if writes:
        last = writes[-1]
        if last.array is array and last.last == counter.value - 1 and last.time > Write.apart:
            return last
        _join_unasked(writes)
    write = Write()
    write.array = array
    write.first = counter.value
    writes.append(write)
    return write


def _join_unasked(writes: list[Write]) -> None:
    """Make neighbours among some writes one, if nobody asks any more what was between them.

    Else a loop with a checkpoint would leave a write in each step.  These are the last two, and all
    whenever there are twice as many: what was still asked when they were the last may be no more.
    """
    count = len(writes)
    if count < 2 or mode.replay is not None:
        return
    start = 0 if count & (count - 1) == 0 else count - 2
    asked = asked_times()
    kept = [writes[start]]
    for write in writes[start + 1 :]:
        before = kept[-1]
        if (
            before.array is write.array
            and before.last == write.first - 1
            and before.__class__ is write.__class__ is Write
            and bisect(asked, before.time) == bisect(asked, write.time)
        ):
            write.first = before.first
            kept[-1] = write
        else:
            kept.append(write)
    writes[start:] = kept


def read(tensor: TensorBase) -> None:
    """Note that Python reads the values of a tensor, or that they say what is computed.

    Raises:
        RuntimeError: A checkpoint is computed again, and they were overwritten meanwhile.
    """
    up_to_date(tensor)
    if mode.replay is not None:
        mode.replay.check(tensor)


def up_to_date(tensor: TensorBase) -> None:
    """See that a tensor shows what it is now.

    A copy may follow another tensor, and the levels of hidden axes may have ended.
    """
    if tensor._array.__class__ is Batched:
        own_array(tensor)
    if tensor._view is not None and tensor._view.base.__class__ is not tensor_class:
        from gpugrad.op import history

        history.follow(tensor)


def shown(noted: Line) -> str:
    """Return a line as in a traceback."""
    code, at = noted
    lines = [n for start, end, n in code.co_lines() if start <= at < end and n]
    line = lines[0] if lines else code.co_firstlineno
    text = linecache.getline(code.co_filename, line).strip()
    place = f'  File "{code.co_filename}", line {line}, in {code.co_name}'
    return f"{place}\n    {text}" if text else place


def overwritten(
    node: Node | None, saved: Any, output: int | None, expected: int, write: Write | None
) -> RuntimeError:
    """Return PyTorch's error for a value that a node saved, or Python read, at another version.

    ``output`` says which output of the node it was, if it was one.
    """
    writes = _writes(saved)
    maker = node if output is not None else saved._edge
    maker = maker.node if isinstance(maker, Output) else maker
    if not isinstance(saved, TensorBase):
        saved = wrap(saved.array)
    origin = (  # of what was made by another node PyTorch does not know which output it was
        f", which is output {output or 0} of {function_name(maker)},"
        if isinstance(maker, Node) and saved._array.dtype.kind in INEXACT else ""
    )  # fmt: skip
    what = f"{older_name(saved)} {errors.size(_seen(saved._array))}"
    error = RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{what}]{origin} is at version {writes}; "
        f"expected version {expected} instead. Hint: {_hint()}"
    )
    error.add_note(_story(node, write))
    return error


def _seen(array: Array) -> Shape:
    """Return the shape of an array where it is now: with the hidden axes of levels that ended."""
    hidden = zip(levels_of(array), all_of(array).shape, strict=False)
    return (*(n for level, n in hidden if level not in mode.batches), *array.shape)


def _story(node: Node | None, write: Write | None) -> str:
    """Return on which lines a value was saved and overwritten, as far as that is known."""
    writing = f":\n{shown(write.line)}" if write is not None else " a write that was not noted."
    if node is None:
        return (
            f"A checkpoint read it when it was computed again, and it was overwritten by{writing}"
        )
    if hasattr(node, "_line"):
        return (
            f"It was saved for {node.name()} by:\n{shown(node._line)}\nand overwritten by{writing}"
        )
    return (
        f"It was saved for {node.name()}, and overwritten by{writing}\n"
        "The line that saved it was not noted: that costs time where tensors are small. It is "
        "noted under gpugrad.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def function_name(node: Node) -> str:
    """Return the name of a node as PyTorch's errors shorten it: ``Mul``, ``Fill2``."""
    name, found, number = node.name().rpartition("Backward")
    return name + number.removeprefix("0") if found and number != "s" else node.name()


def _hint() -> str:
    if mode.anomaly:
        return (
            "the backtrace further above shows the operation that failed to compute its gradient. "
            "The variable in question was changed in there or anywhere later. Good luck!"
        )
    return (
        "enable anomaly detection to find the operation that failed to compute its gradient, with "
        "gpugrad.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def type_name(tensor: TensorBase) -> str:
    """Return PyTorch's old name of a tensor's type: ``gpugrad.FloatTensor``."""
    where = "" if backend.of(tensor._array).type == "cpu" else "cuda."
    return f"gpugrad.{where}{_dtype.of(tensor._array.dtype).title}Tensor"


def older_name(tensor: TensorBase) -> str:
    """Return the name of a tensor's type in errors: of bools it is ``CPUBoolType``."""
    kind = _dtype.of(tensor._array.dtype)
    if kind.category in (_dtype.BOOL, _dtype.COMPLEX):  # of which there are no such classes
        return f"{backend.of(tensor._array).type.upper()}{kind.title}Type"
    return type_name(tensor)


def door_of(array: Array) -> Any:
    """Return the backend that computes with an array, where it may be computed with.

    Raises:
        RuntimeError: It differs by example of a ``vmap`` that has ended.
    """
    if array.__class__ is Batched:
        check_open(array)
    return backend.of(array)


def check_open(array: Batched) -> None:
    """Raise where an array differs by example of a ``vmap`` that has ended.

    What was recorded in it is still walked, forward and backward.

    Raises:
        RuntimeError: It does.
    """
    if mode.walk is None and not mode.reaching:
        for level in array.door.levels:
            if level.ended and differs(array, level):
                raise RuntimeError(errors.ESCAPED)


def check_view(tensor: Any) -> bool:
    """Give a view what belongs to its base now: its history, if this is recording, its tangents.

    Every operation asks this before it records a view, and the new history is itself made of
    operations: these two need each other, whatever file they stand in.

    Returns:
        Whether it is a dual tensor, so that what is plain is not for it.

    Raises:
        RuntimeError: It is a view whose history PyTorch does not rewrite.
    """
    from gpugrad.op import history

    history.follow(tensor)
    if mode.enabled:
        history.renew_by_base(tensor)
    if mode.levels and tensor._view is not None and is_dual(tensor._view.base):
        history.move_with_base(tensor)
    return tensor.__class__ is not tensor_class and tensor.__class__ is not parameter_class


def settle(tensor: Any) -> None:
    """Have the tangents of a tensor lie in memory as it does, before a view of it is taken."""
    from gpugrad.op import history

    history.settle(tensor)


def edges(tensors: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the edges of the operands, ``None`` where nothing is to be recorded."""
    if not mode.enabled:
        return None
    found = False
    result = []
    for t in tensors:
        edge = None
        if isinstance(t, TensorBase):
            if t._view is not None and t._view.base._edge is not t._view.edge:
                check_view(t)
            if t._edge is not None:
                edge = edge_of(t)
                found = True
        result.append(edge)
    return tuple(result) if found else None


def own_array(tensor: TensorBase) -> Array:
    """Return the tensor's array as an array object that views and writes can share."""
    array = tensor._array
    if isinstance(array, np.generic):
        array = tensor._array = np.asarray(array)
    elif array.__class__ is Batched and mode.walk is None:  # all examples may be equal
        axes = [
            k
            for k, level in enumerate(levels_of(array))
            if level.ended and not differs(array, level)
        ]
        if axes:
            array = tensor._array = array.without(axes)
    return array


def zeros(o: Like) -> Any:
    """Return a tensor of zeros like the one that ``o`` describes."""
    return wrap(backend.of_device(o.device).full(o.shape, 0, o.dtype, o.device))
