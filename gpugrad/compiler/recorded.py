"""Arrays that are recorded: the backend that computes, and notes what it computes.

A :class:`Recorded` array is an ordinary one and its value in a program.
:class:`RecordingBackend` has every function of another backend: it calls that one with the ordinary
arrays, and adds a step to the program.  What no step can be (a number that Python is to know) ends
the recording, while the computation goes on: the results are right in any case.

Values being there, the shapes, strides and choices of a program are those of an ordinary run.
"""

from __future__ import annotations

import functools
import operator
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.compiler.program import Number, Step, Value
from gpugrad.errors import Unsupported
from gpugrad.graph import Line, users_line

Array = Any


class _Thread(threading.local):
    """What this thread records, ``None`` where it does not."""

    recorder: Recorder | None = None


current = _Thread()

# What looks at how arrays lie, and not at what they hold; and what gives no arrays.
QUERIES = frozenset({
    "own", "owns", "device_of", "address", "overlap", "memory", "lie_apart", "gains", "length",
    "function_of", "writer_of", "number", "source", "enter", "error_state", "is_pinned",
})  # fmt: skip
# What hands numbers to Python, or memory to other libraries.
EXITS = frozenset({"item", "to_numpy", "to_pinned"})
METHODS_OUT = frozenset({
    "item", "tolist", "tobytes", "get", "data", "ctypes", "toDlpack", "dump", "dumps", "tofile",
})  # fmt: skip
# Of which the shape of the result depends on the values.
DYNAMIC = frozenset({
    "nonzero", "flatnonzero", "argwhere", "unique", "extract", "compress", "trim_zeros",
    "intersect1d", "setdiff1d", "union1d", "compressed",
})  # fmt: skip
# Which of their arguments functions write to.
FIRST = frozenset({"assign", "add_into", "add_overlapping", "put", "add_at", "reduce_at"})
METHODS_IN_PLACE = frozenset({"fill", "sort", "partition", "put", "resize", "itemset"})


def _written(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return the arrays that a function of a backend writes to."""
    if name in FIRST:
        return [args[0]]
    if name == "add_all":
        return [args[0][0]] if kwargs.get("into_first", args[-1]) is True else []
    if name == "update":
        _, columns, targets, _ = args
        return [array for k in targets for array in columns[k]]
    out = kwargs.get("out")
    if out is None and name == "evaluate" and len(args) > 5:
        out = args[5]
    return [] if out is None else [*out] if isinstance(out, tuple) else [out]


def plain(found: Any) -> Any:
    """Return arguments with ordinary arrays in the place of recorded ones."""
    if isinstance(found, Recorded):
        return found.array
    if isinstance(found, tuple | list):
        parts = [plain(item) for item in found]
        return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
    if isinstance(found, dict):
        return {key: plain(item) for key, item in found.items()}
    return found


def _recorded_in(found: Any) -> Iterator[Recorded]:
    if isinstance(found, Recorded):
        yield found
    elif isinstance(found, tuple | list):
        for item in found:
            yield from _recorded_in(item)
    elif isinstance(found, dict):
        yield from _recorded_in(list(found.values()))


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """An ordinary array, and its value in the program that is recorded.

    The value is ``None`` before something is computed of it, where it is the array of a tensor
    that was there before: then it becomes an input, which is had from its ``source``.
    """

    __slots__ = ("array", "recorder", "source", "value")

    def __init__(self, array: Array, recorder: Recorder, value: Value | None, source: Any = None):
        self.array = array
        self.recorder = recorder
        self.value = value
        self.source = source

    def asked(self) -> Array:
        """Return the ordinary array, of which a program then depends on what it is like.

        The arguments of a call are like those of the recorded one in any case.
        """
        recorder = self.recorder
        if (
            self.value is None
            and current.recorder is recorder
            and recorder.records
            and not getattr(self.source, "is_given", True)
        ):
            recorder.value_of(self)
        return self.array

    def __repr__(self) -> str:
        return f"<Recorded array {self.value} of {self.shape}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.asked().shape

    @property
    def strides(self) -> tuple[int, ...]:
        """The strides, in bytes."""
        return self.asked().strides

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.asked().ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.asked().size

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self.asked().dtype

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self.asked().itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self.asked().nbytes

    @property
    def flags(self) -> Any:
        """How the elements lie in memory."""
        return self.asked().flags

    def __len__(self) -> int:
        return len(self.asked())

    def __iter__(self) -> Iterator[Any]:
        return iter([self[k] for k in range(len(self.array))])

    def __getitem__(self, index: Any) -> Any:
        if any(a.dtype.kind == "b" for a in _recorded_in(index)):
            self.exposed("indexing with a mask")
        return recorded_call("ndarray", operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        recorded_call("ndarray", operator.setitem, (self, index, value), {}, [self])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            if name in {"__cuda_array_interface__", "__array_interface__", "__dlpack__"}:
                return getattr(self.exposed(name), name)
            raise AttributeError(name)
        if name in METHODS_OUT or name in DYNAMIC:
            return getattr(self.exposed(f".{name}"), name)
        found = getattr(self.asked(), name)
        if backend.is_array(found):
            return recorded_call("ndarray", operator.attrgetter(name), (self,), {})
        if not callable(found):
            return found

        def method(*args: Any, **kwargs: Any) -> Any:
            writes = [self] if name in METHODS_IN_PLACE else []
            call = functools.partial(_method, name)
            return recorded_call("ndarray", call, (self, *args), kwargs, writes)

        return method

    def exposed(self, what: str = "reading the values of a tensor") -> Array:
        """Return the ordinary array for others than this library; the recording ends."""
        if current.recorder is not None:
            current.recorder.end(what)
        return self.array

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        found = self.exposed()
        host = backend.of(found).to_numpy(found)
        return np.array(host, *args, **kwargs)

    def __bool__(self) -> bool:
        return bool(self.exposed())

    def __int__(self) -> int:
        return int(self.exposed())

    def __index__(self) -> int:
        return operator.index(self.exposed())

    def __float__(self) -> float:
        return float(self.exposed())

    def __complex__(self) -> complex:
        return complex(self.exposed())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out") or ()
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        writes = [a for a in out if a is not None] or ([inputs[0]] if method == "at" else [])
        return recorded_call("ndarray", function, inputs, kwargs, writes)

    def __array_function__(self, function: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        return _of_module(function.__name__, function)(*args, **kwargs)


class HostRecorded(Recorded):
    """A recorded array of NumPy's."""

    __slots__ = ()


class CudaRecorded(Recorded):
    """A recorded array of CuPy's."""

    __slots__ = ()


def _method(name: str, array: Array, *args: Any, **kwargs: Any) -> Any:
    return getattr(array, name)(*args, **kwargs)


def recorded_call(
    name: str,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    writes: Sequence[Any] = (),
) -> Any:
    """Call a function of arrays, and record the call if this thread records."""
    recorder = current.recorder
    if recorder is None or not recorder.records:
        return function(*plain(list(args)), **plain(kwargs))
    return recorder.call(name, function, args, kwargs, writes)


def _of_module(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of an array module as one of recorded arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if name in DYNAMIC and current.recorder is not None:
            current.recorder.end(f"{name}, whose shape depends on values")
        writes = [args[0]] if name in {"copyto", "put", "putmask", "place"} else []
        out = kwargs.get("out")
        return recorded_call("ndarray", function, args, kwargs, writes if out is None else [out])

    return call


class _Module:
    """An array module, of whose functions the calls are recorded."""

    def __init__(self, inner: Any, kind: type[Recorded]):
        self.inner = inner
        self.ndarray = kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found) or isinstance(found, type):
            return found
        return _of_module(name, found)


class RecordingBackend:
    """The backend of recorded arrays, by way of that of the ordinary ones, ``plain``.

    Calls of other threads, and those after the recording, are ordinary ones.
    """

    def __init__(self, inner: Any, kind: type[Recorded]):
        self.plain = inner
        self.type: str = inner.type
        self.kind = kind
        self.xp: Any = _Module(inner.xp, kind)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.plain, name)
        if not callable(found) or isinstance(found, type):
            return found
        if name in QUERIES:
            made = _unrecorded(found)
        elif name in EXITS:
            made = _exit(name, found)
        else:
            made = _recorded(name, found)
        setattr(self, name, made)
        return made

    def own(self, array: Array) -> Array:
        """Return the array, which is an array object."""
        return array if isinstance(array, Recorded) else self.plain.own(array)

    def others(self, array: Array, axes: Any) -> None:
        """Return nothing: whether there would be something depends on the values."""

    def update(self, *args: Any) -> None:
        """Write a formula's outputs into some of the arrays that it is of."""
        function = _updated if self.type == "cpu" else self.plain.update
        recorded_call("update", function, args, {}, _written("update", args, {}))

    def fused(self, name: str) -> Callable[..., Any] | None:
        """Return what computes an operation of networks in one go."""
        found = self.plain.fused(name)
        if found is None:
            return None

        def call(*args: Any, **kwargs: Any) -> Any:
            return recorded_call("ndarray", found, args, kwargs)

        return call


def _updated(formula: Any, columns: Any, targets: Sequence[int], numbers: Sequence[float]) -> None:
    door: Any = backend.cpu_backend
    if not door.update_by_loop(formula, columns, tuple(targets), numbers):
        door.update(formula, columns, targets, numbers)


def _unrecorded(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        for array in _recorded_in((args, kwargs)):
            array.asked()
        return function(*plain(list(args)), **plain(kwargs))

    return call


def _exit(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(array: Array, *args: Any) -> Any:
        if isinstance(array, Recorded):
            what = "Tensor.item()" if name == "item" else "copying a tensor to Python"
            array = array.exposed(what)
        return function(array, *args)

    return call


def _recorded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = current.recorder
        if recorder is None or not recorder.records:
            return function(*plain(list(args)), **plain(kwargs))
        if name == "take" and any(a.dtype.kind == "b" for a in _recorded_in(args[1])):
            recorder.end("indexing with a mask, whose shape depends on values")
            return function(*plain(list(args)), **plain(kwargs))
        return recorder.call(name, function, args, kwargs, _written(name, args, kwargs))

    return call


_doors: dict[str, RecordingBackend] = {}


def recording_door(inner: Any) -> RecordingBackend:
    """Return the backend that records what an ordinary one computes."""
    found = _doors.get(inner.type)
    if found is None:
        kind = HostRecorded if inner.type == "cpu" else CudaRecorded
        found = _doors[inner.type] = RecordingBackend(inner, kind)
        backend.BACKENDS[kind] = found
    return found


def nothing_known(tensor: Any, hooked: bool) -> None:
    """Leave a tensor as it is."""


class Recorder:
    """What this thread computes, as the steps of a program.

    ``records`` is false once something came that no program can have, for the ``reason``.
    """

    def __init__(self, full: bool = False):
        """Make a recorder; where it is ``full``, what ends the recording raises."""
        self.full = full
        self.records = True
        self.reason = ""
        self.line: Line | None = None
        self.lines: dict[CodeType, int] = {}  # in which each function was then
        self.closed = False  # whether what is written may no longer be made by a first step
        self.generators: dict[Any, None] = {}  # that are drawn from
        self.versions: Callable[[], dict[int, int]] = dict  # of what there was before, by counters
        self.reveal: Callable[[Any, bool], None] = nothing_known  # the history of what was there
        self.absent: set[int] = set()  # of which it was asked what gradient they have: none
        self.apart: Counter[int] = Counter()  # of these writes, those that are no steps
        self.conditions: list[Callable[[], bool]] = []  # under which a program is for a call
        self.steps: list[Step] = []
        self.constants: dict[Value, Array] = {}
        self.inputs: list[tuple[Value, Recorded]] = []
        self._known: dict[int, Value] = {}  # by the identity of constant arrays, which are kept
        self._owners: dict[Any, tuple[Value, int]] = {}  # by the memory that inputs lie in

    # ------------------------------------------------------------------------- what comes in

    def lifted(self, array: Array, source: Any) -> Recorded:
        """Return the array of a tensor that was there before as a recorded one."""
        inner = backend.of(array)
        return recording_door(inner).kind(inner.own(array), self, None, source)

    def _wrapped(self, array: Array, value: Value) -> Recorded:
        return recording_door(backend.of(array)).kind(array, self, value)

    def value_of(self, array: Recorded) -> Value:
        """Return the value of an array, which becomes an input when it is first asked for."""
        value = array.value
        if value is None:
            value = array.value = self._input(array)
        return value

    def value_in(self, array: Array) -> Value:
        """Return the value of a recorded array, or of a constant one."""
        return self.value_of(array) if isinstance(array, Recorded) else self.constant(array)

    def _input(self, array: Recorded) -> Value:
        own = array.array
        door = backend.of(own)
        where = door.device_of(own)
        memory = (door.type, *door.memory(own))
        if own.size and memory in self._owners:
            root, address = self._owners[memory]
            offset = door.address(own) - address
            value = Value(own.shape, own.dtype, own.strides, where, root, offset)
        else:
            value = Value(own.shape, own.dtype, own.strides, where)
            if own.size:
                self._owners[memory] = value, door.address(own)
        self.inputs.append((value, array))
        return value

    def constant(self, array: Array) -> Value:
        """Return the value of an array that no tensor had, which is the same in all runs."""
        value = self._known.get(id(array))
        if value is None:
            where = backend.of(array).device_of(array)
            value = self._known[id(array)] = Value(array.shape, array.dtype, array.strides, where)
            self.constants[value] = array
        return value

    def _taken(self, found: Any) -> Any:
        """Return arguments with values in the place of arrays."""
        if isinstance(found, Recorded):
            return self.value_of(found)
        if isinstance(found, tuple | list):
            parts = [self._taken(item) for item in found]
            return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
        if isinstance(found, dict):
            return {key: self._taken(item) for key, item in found.items()}
        if found.__class__ is Moving:
            return found.name
        if backend.is_array(found) and not isinstance(found, np.generic):
            return self.constant(found)
        return found

    def own_at_each_run(self, root: Value) -> None:
        """Have a constant that is written, or handed out, made anew at each run."""
        if root not in self.constants:
            return
        if self.closed:
            self.end("writing to a constant in a backward")
            return
        array = self.constants.pop(root)
        kept = Value(root.shape, root.dtype, root.strides, root.device)
        self.constants[kept] = backend.of(array).copy(array)
        self.steps.insert(0, Step("copy", (kept,), {}, [root]))

    # ------------------------------------------------------------------------- what is computed

    def call(
        self,
        name: str,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        writes: Sequence[Any] = (),
        always: bool = False,
    ) -> Any:
        """Call a function of ordinary arrays and record the call; return recorded arrays.

        ``name`` is a backend's function, or anything else where the step has its own function.
        """
        args = list(args)
        taken, options = self._taken(args), self._taken(kwargs)
        written = [self._taken(a) for a in writes if a is not None]
        for value in written:
            self.own_at_each_run(value.root)
        found = function(*plain(args), **plain(kwargs))
        operands = list(_recorded_in((args, kwargs)))
        outputs: list[Value | Number | None] = []
        result = self._results(found, operands, outputs)
        if any(outputs) or written or always or name == "check_inside":
            own = None if name in _BACKENDS_OWN else function
            kind = name if own is None or name == "update" else "host"
            self.steps.append(Step(kind, taken, options, outputs, written, own))
        return result

    def _results(
        self, found: Any, operands: Sequence[Recorded], outputs: list[Value | Number | None]
    ) -> Any:
        if isinstance(found, tuple | list):
            parts = [self._results(item, operands, outputs) for item in found]
            return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
        if isinstance(found, Recorded) or not backend.is_array(found):
            outputs.append(None)
            return found
        door = backend.of(found)
        fresh = isinstance(found, np.generic)
        array = door.own(found)
        viewed = None if fresh else self._view(door, array, operands)
        if viewed is not None:
            outputs.append(None)
            return self._wrapped(array, viewed)
        value = Value(array.shape, array.dtype, array.strides, door.device_of(array))
        outputs.append(value)
        return self._wrapped(array, value)

    def _view(self, door: Any, array: Array, operands: Iterable[Recorded]) -> Value | None:
        """Return the value of a result that lies in the memory of an operand."""
        if not array.size:
            return None
        memory = None
        for operand in operands:
            own = operand.array
            if own is array:
                return self.value_of(operand)
            if array.base is None or not own.size or backend.of(own) is not door:
                continue
            memory = door.memory(array) if memory is None else memory
            if door.memory(own) == memory:
                value = self.value_of(operand)
                offset = value.offset + door.address(array) - door.address(own)
                where = value.device
                return Value(array.shape, array.dtype, array.strides, where, value.root, offset)
        return None

    def host(self, function: Callable[[], Sequence[float]], count: int) -> list[Moving]:
        """Call a function that each run of the program calls, too; return the numbers it gives.

        It may do what it likes outside of the program.
        """
        before = self.versions()
        with paused():
            found = function()
        for counter, value in self.versions().items():
            self.apart[counter] += value - before.get(counter, 0)
        names = [Number() for _ in range(count)]
        self.steps.append(Step("host", (), {}, names, (), function))
        return [moving(float(v), name) for v, name in zip(found, names, strict=True)]

    # ------------------------------------------------------------------------- what ends it

    def end(self, what: str) -> None:
        """Record no more: something came that is no step of a program.

        Raises:
            Unsupported: The program is to be recorded as a whole.
        """
        if not self.records or current.recorder is not self:
            return
        self.records = False
        self.reason = what
        self.line = users_line()
        self.lines = dict(_lines())
        self.steps = []
        if self.full:
            from gpugrad.op.saved import shown

            raise Unsupported(
                f"compile: {what} cannot be part of a compiled program (fullgraph=True). It is "
                f"asked for by:\n{shown(self.line)}\nKeep that out of the function, or pass "
                "fullgraph=False, with which the function then runs eagerly."
            )


def _lines() -> Iterator[tuple[CodeType, int]]:
    """Go through the functions that run, the innermost last, and the lines in which they are."""
    frame: FrameType | None = sys._getframe(1)
    frames = []
    while frame is not None:
        frames.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return reversed(frames)


_BACKENDS_OWN = frozenset(name for name in vars(backend.Backend) if not name.startswith("_"))


def moving(value: float, name: Number) -> Any:
    """Return a number of Python's of which a program has the name."""
    found = Moving(value)
    found.name = name
    return found


class Moving(float):
    """A number that is another one in each run of the program."""

    name: Number

    def array(self, kind: np.dtype[Any]) -> Array:
        """Return the number as an array of some type."""

        def made(number: float) -> Array:
            return np.asarray(number, kind)

        return recorded_call("number", made, (self,), {})


class paused:  # noqa: N801  used as a block
    """Compute ordinarily while the block runs."""

    def __enter__(self) -> None:
        self.before = current.recorder
        current.recorder = None

    def __exit__(self, *error: object) -> None:
        current.recorder = self.before


class Drawing:
    """A generator's stream of random numbers, of which each run draws anew."""

    def __init__(self, generator: Any):
        self.generator = generator

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.generator.source, name)
        recorder = current.recorder
        if recorder is None or not recorder.records or not callable(found):
            return found
        generator = self.generator

        def draw(*args: Any, **kwargs: Any) -> Any:
            def drawn(*given: Any, **options: Any) -> Any:
                return getattr(generator.source, name)(*given, **options)

            recorder.generators[generator] = None
            return recorder.call("drawn", drawn, args, kwargs, always=True)

        return draw


class _Recorders:
    """What ``backend`` asks while some thread records."""

    def door(self, inner: Any) -> Any:
        """Return the backend for new arrays of this thread."""
        recorder = current.recorder
        return inner if recorder is None or not recorder.records else recording_door(inner)

    def check(self, function: Callable[..., None], arrays: Sequence[Array]) -> None:
        """Call a function that raises for some values."""
        recorder = current.recorder
        if recorder is None or not recorder.records:
            function(*plain(list(arrays)))
        else:
            recorder.call("check", function, arrays, {}, always=True)

    def numbers(
        self, function: Callable[[], list[float]], count: int, alike: Callable[[], bool]
    ) -> list[float]:
        """Return numbers that each run of a program computes anew, where it is ``alike``."""
        recorder = current.recorder
        if recorder is None or not recorder.records:
            return function()
        recorder.conditions.append(alike)
        found: list[Any] = recorder.host(function, count)
        return found

    def absent(self, tensor: Any) -> None:
        """Note that a tensor was asked for its gradient, and has none."""
        if current.recorder is not None:
            current.recorder.absent.add(id(tensor))

    def reveal(self, tensor: Any, hooked: bool) -> None:
        """Give a tensor the history in which its hooks are, or will be if it is to be ``hooked``.

        What this thread records ends then.
        """
        if current.recorder is not None:
            current.recorder.reveal(tensor, hooked)

    def asked(self, tensor: Any) -> None:
        """Note that a tensor was asked what it is like."""
        if isinstance(tensor._array, Recorded):
            tensor._array.asked()

    def interrupt(self, what: str) -> None:
        """End what this thread records."""
        if current.recorder is not None:
            current.recorder.end(what)

    def drawing(self, generator: Any) -> Any:
        """Return the stream of a generator for this thread."""
        recorder = current.recorder
        return generator.source if recorder is None else Drawing(generator)


_recorders = _Recorders()


class recording:  # noqa: N801  used as a block
    """Record what this thread computes while the block runs."""

    def __init__(self, recorder: Recorder):
        self.recorder = recorder

    def __enter__(self) -> Recorder:
        backend.recorders.append(_recorders)
        current.recorder = self.recorder
        return self.recorder

    def __exit__(self, *error: object) -> None:
        current.recorder = None
        backend.recorders.remove(_recorders)
