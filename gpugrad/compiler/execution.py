"""Programs that run: one Python function, written for the program, and compiled loops below it.

On the CPU, where there is a C++ compiler, loops that follow one another are one function of C++,
built when the program first runs.  What they leave to each other lies in one arena, planned from
the steps that each value lives through; outputs are new memory in each run, or that of gradients
which they replace.  All other steps are calls of the backend.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from gpugrad import backend
from gpugrad.backend import loops as frames
from gpugrad.compiler.elements import only_value
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.memory import lives, placed, size_of
from gpugrad.compiler.native import Segment, built
from gpugrad.compiler.program import Number, Program, Step, Value, door_of, owned, values_in

Array = Any
NONE: dict[int, Array | None] = {}  # of which nothing can be taken out


class Run(Protocol):
    """What runs a program on its inputs, and returns its outputs.

    ``spare`` is memory that outputs may lie in, by their places; what is used is taken out.
    """

    def __call__(
        self, arrays: Sequence[Array], spare: dict[int, Array | None] = ..., /
    ) -> list[Array]:
        """Run it."""


def prepared(program: Program) -> Run:
    """Return a function of a program's inputs that returns its outputs.

    Several threads may call it at once.  It is built when it is first called.
    """
    building = threading.Lock()
    run: Run | None = None

    def first(arrays: Sequence[Array], spare: dict[int, Array | None] = NONE, /) -> list[Array]:
        nonlocal run
        if run is None:
            with building:
                if run is None:
                    run = _built(program)
        return run(arrays, spare)

    return first


def _built(program: Program) -> Run:
    """Return the function of a program; what the compiler refuses is computed by the backend."""
    from gpugrad.backend.compiler import BuildError

    compiles = not isinstance(frames.frames(), str)
    try:
        return Writer(program, compiles).function()
    except BuildError:
        return Writer(program, False).function()


class Writer:
    """Writes the function of a program."""

    def __init__(self, program: Program, compiles: bool = True):
        """Group loops, if they are compiled, and place what they leave to each other."""
        self.program = program
        self.names: dict[str, Any] = {"ndarray": np.ndarray, "empty": np.empty}
        self.lasting = {v.root for v in (*program.inputs, *program.outputs)}
        self.lasting |= {v for v, _ in program.constants}
        self.parts = _segmented(program.steps, compiles)
        users: dict[Value, set[int]] = {}
        for step in program.steps:
            for value in values_in((step.args, step.kwargs, step.writes, step.outputs)):
                users.setdefault(value.root, set()).add(id(step))
        for part in self.parts:
            if isinstance(part, Segment):
                part.arrange(users, self.lasting)
        self.segments = [part for part in self.parts if isinstance(part, Segment)]
        self.fresh = [root for part in self.parts for root in self._made(part)]
        self._plan()

    def _made(self, part: Step | Segment) -> list[Value]:
        """Return the memory that must be there before a step writes it."""
        steps = part.loops if isinstance(part, Segment) else [part]
        return [
            v for step in steps if isinstance(part, Segment) or _is_allocation(step)
            or _takes_memory(step)
            for v in values_in(step.outputs)
        ]  # fmt: skip

    def _plan(self) -> None:
        """Place memory that nobody has after a run in an arena, with the parts of sums."""
        order = [s for part in self.parts for s in _steps_of(part)]
        alive = lives(order)
        local = {root for segment in self.segments for root in segment.local}
        temporary = [r for r in self.fresh if r not in self.lasting and r not in local]
        blocks = [(size_of(root), alive[root]) for root in temporary]
        at = {id(step): k for k, step in enumerate(order)}
        self.scratch: list[tuple[Loop, int]] = []
        for segment in self.segments:
            for loop in segment.loops:
                for k, bytes_ in enumerate(segment.nests[loop].scratch):
                    self.scratch.append((loop, k))
                    blocks.append((bytes_, (at[id(loop)],) * 2))
        offsets, self.bytes = placed(blocks)
        count = len(temporary)
        self.offsets = dict(zip(temporary, offsets, strict=False))
        self.places = dict(zip(self.scratch, offsets[count:], strict=True))

    # ----------------------------------------------------------------------- text

    def function(self) -> Run:
        """Return the function that runs the program."""
        text = self.text()
        exec(compile(text, "<gpugrad program>", "exec"), self.names)
        run: Run = self.names["run"]
        return run

    def text(self) -> str:
        """Return the text of the function."""
        self.known: dict[Value | Number, str] = {}
        self.views: dict[Value, str] = {}  # of the arena, made once for each
        if self.segments:
            self.functions = built(self.segments, self.offsets, self.places)
        body = list(self._body())
        self.names["NONE"] = NONE
        lines = ["def run(arrays, spare=NONE):"]
        inputs = [f"i{k}" for k in range(len(self.program.inputs))]
        if inputs:
            lines.append(f"    {', '.join(inputs)}, = arrays")
        if self.bytes or self.views:  # those of no elements need no bytes
            self.names |= {"pool": [], "made": self._arena}
            lines += [
                "    try:",
                "        own = pool.pop()",
                "    except IndexError:",
                "        own = made()",
                f"    {', '.join(['arena', *self.views.values()])}, = own",
            ]
        lines += [f"    {line}" for line in body]
        if self.bytes or self.views:
            lines.append("    pool.append(own)")
        outputs = ", ".join(self.read(v) for v in self.program.outputs)
        lines += [f"    {line}" for line in self._late]
        lines.append(f"    return [{outputs}]")
        return "\n".join(lines) + "\n"

    def _arena(self) -> tuple[Array, ...]:
        """Return an arena, and the views of it that calls take."""
        arena = np.empty(self.bytes, np.uint8)
        views = [
            np.ndarray(v.shape, v.dtype, arena, self.offsets[v.root] + v.offset, v.strides)
            for v in self.views
        ]
        return arena, *views

    def _body(self) -> Iterator[str]:
        self._late: list[str] = []
        for k, value in enumerate(self.program.inputs):
            self.known[value] = f"i{k}"
            if not value.shape and value.device.type == "cpu":
                self.names["own"] = np.asarray
                yield f"if i{k}.__class__ is not ndarray: i{k} = own(i{k})"
        for k, (value, array) in enumerate(self.program.constants):
            self.known[value] = self.bound(f"k{k}", backend.of(array).own(array))
        order = [s for part in self.parts for s in _steps_of(part)]
        self.ends = {root: last for root, (_, last) in lives(order).items()}
        self.now = -1
        for part in self.parts:
            self._late = []
            self.now += len(_steps_of(part))
            lines = list(self._segment(part) if isinstance(part, Segment) else self._call(part))
            yield from self._late
            yield from lines
            yield from self._freed(part)
        self._late = []

    def bound(self, name: str, value: Any) -> str:
        """Have a name for an object; return it."""
        name = f"{name}_{len(self.names)}"
        self.names[name] = value
        return name

    def _freed(self, part: Step | Segment) -> Iterator[str]:
        """Let go of memory that is not needed any more."""
        if isinstance(part, Segment):
            return
        gone = [v for v in self.known if isinstance(v, Value) and self._ends(v.root)]
        if gone:
            yield f"del {', '.join([self.known.pop(v) for v in gone])}"

    def _ends(self, root: Value) -> bool:
        """Tell whether the latest step was the last one of memory that is not planned."""
        planned = root in self.lasting or root in self.offsets
        return not planned and self.ends.get(root) == self.now

    def _new(self, root: Value) -> Iterator[str]:
        """Make memory that outputs of the program lie in."""
        if root in self.known or root in self.offsets:
            return
        name = self.known[root] = f"o{root.number}"
        shape, kind = self.bound("shape", root.shape), self.bound("dtype", root.dtype)
        if _is_plain(root):
            made = f"{name} = empty({shape}, {kind})"
            if root in self.program.outputs:
                yield f"{name} = spare.pop({self.program.outputs.index(root)}, None)"
                made = f"if {name} is None: {made}"
            yield made
        else:
            strides = self.bound("strides", root.strides)
            count = size_of(root) // root.dtype.itemsize
            yield f"{name} = ndarray({shape}, {kind}, empty({count}, {kind}), 0, {strides})"

    def _segment(self, segment: Segment) -> Iterator[str]:
        for loop in segment.loops:
            for root in values_in(loop.outputs):
                if root not in segment.local:
                    yield from self._new(root)
        function, pointers = self.functions[segment]
        names = ["arena" if root is None else self.known[root] for root in pointers]
        pointer = self.bound("Pointers", ctypes.c_void_p * len(names))
        called = self.bound("segment", function)
        threads = ", threads()" if segment.is_large else ", 1"
        self.names["threads"] = frames.threads
        yield f"{called}({pointer}({', '.join(f'id({n})' for n in names)}){threads})"

    def _call(self, step: Step) -> Iterator[str]:
        if _is_allocation(step):
            yield from self._new(only_value(step))
            return
        if _takes_memory(step):
            out = only_value(step)
            yield from self._new(out)
            a, b = (self.read(v) for v in step.args)
            self.names["product"] = np.matmul
            yield f"product({a}, {b}, {self.read(out)})"
            return
        args = [self.argument(a) for a in step.args]
        args += [f"{key}={self.argument(a)}" for key, a in step.kwargs.items()]
        function = step.function
        if function is None:
            function = getattr(door_of(step), step.name)
        called = self.bound(step.name, function)
        text = f"{called}({', '.join(args)})"
        targets = []
        for v in step.outputs:
            if v is not None:
                self.known[v] = f"c{v.number}"
            targets.append("_" if v is None else self.known[v])
        if not any(step.outputs):
            yield text
        elif len(targets) == 1:
            yield f"{targets[0]} = {self.bound('first', _first)}({text})"
        else:
            yield f"{', '.join(targets)}, = {self.bound('several', _several)}({text})"
        for v in values_in(step.outputs):
            if v.shape and v.device.type == "cpu":
                yield from self._checked(v)

    def _checked(self, root: Value) -> Iterator[str]:
        """See that the result of a call lies as it did: loops know its strides as numbers."""
        name, like = self.known[root], self.bound("like", (root.shape, root.strides))
        laid = self.bound("laid", _laid)
        yield f"if ({name}.shape, {name}.strides) != {like}: {name} = {laid}({name}, {like})"

    def argument(self, found: Any) -> str:
        """Return the text of an argument."""
        if found.__class__ is Value:
            return self.read(found)
        if found.__class__ is Number:
            return self.known[found]
        if isinstance(found, tuple) and hasattr(found, "_fields"):
            return f"{self.bound('kind', type(found))}({', '.join(map(self.argument, found))})"
        if isinstance(found, list):
            return f"[{', '.join(map(self.argument, found))}]"
        if isinstance(found, tuple):
            return f"({''.join(f'{self.argument(a)}, ' for a in found)})"
        if isinstance(found, dict):
            pairs = [f"{key!r}: {self.argument(a)}" for key, a in found.items()]
            return f"{{{', '.join(pairs)}}}"
        if found is None or found.__class__ in (bool, int, str):
            return repr(found)
        return self.bound("given", found)

    def read(self, value: Value) -> str:
        """Return the name of a value; a view is made when it is first asked for."""
        known = self.known.get(value) or self.views.get(value)
        if known is not None:
            return known
        root = value.root
        if root in self.offsets:
            name = self.views[value] = f"t{value.number}"
            return name
        name = f"w{value.number}"
        if root.device.type == "cpu":
            function = self.bound("view", _view)
        else:
            function = self.bound("view", backend.of_device(root.device).strided)
        more = [self.bound("fact", f) for f in (value.shape, value.dtype)]
        strides = self.bound("fact", value.strides)
        self._late.append(
            f"{name} = {function}({self.known[root]}, {', '.join(more)}, {value.offset}, {strides})"
        )
        self.known[value] = name
        return name


def _view(root: Array, shape: Any, dtype: Any, offset: int, strides: Any) -> Array:
    return backend.cpu_backend.strided(root, shape, dtype, offset, strides)


def _first(found: Any) -> Array:
    """Return the one result of a step, as an array."""
    if isinstance(found, tuple | list):
        found = found[0]
    return owned(found)


def _several(found: Any) -> list[Array]:
    return [owned(a) for a in found]


def _laid(array: Array, like: tuple[Any, Any]) -> Array:
    """Return an array of a shape in memory of certain strides.

    Raises:
        RuntimeError: It has another shape: what computes it is no step of a program.
    """
    shape, strides = like
    if array.shape != shape:
        raise RuntimeError(
            f"compile: a step gave an array of shape {array.shape} where it gave {shape} when the "
            "function was recorded; its shape depends on values. Keep it out of the function"
        )
    reach = sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + array.itemsize
    memory = np.empty(reach if array.size else 0, np.uint8)
    found = np.ndarray(shape, array.dtype, memory, 0, strides)
    found[...] = array
    return found


def _is_plain(root: Value) -> bool:
    step = root.dtype.itemsize
    for n, stride in zip(reversed(root.shape), reversed(root.strides), strict=True):
        if n != 1 and stride != step:
            return False
        step *= n
    return True


def _steps_of(part: Step | Segment) -> Sequence[Step]:
    return part.loops if isinstance(part, Segment) else [part]


def _is_allocation(step: Step) -> bool:
    return (
        step.name in ("empty", "empty_like") and next(values_in(step.outputs)).device.type == "cpu"
    )


def _takes_memory(step: Step) -> bool:
    """Tell whether a product of matrices can be written where it is planned."""
    if step.name != "matmul" or len(step.args) != 2:
        return False
    a, b = step.args
    out = only_value(step)
    return (
        a.__class__ is Value and b.__class__ is Value and out.device.type == "cpu"
        and len(a.shape) == 2 == len(b.shape) and a.shape[1] > 1
        and a.dtype == b.dtype == out.dtype and out.dtype.char in "fd" and _is_plain(out)
    )  # fmt: skip


def _segmented(steps: Sequence[Step], compiles: bool) -> list[Step | Segment]:
    """Return steps with loops that follow one another as one."""
    parts: list[Step | Segment] = []
    for step in steps:
        if not (compiles and isinstance(step, Loop) and step.device.type == "cpu"):
            parts.append(step)
        elif parts and isinstance(parts[-1], Segment):
            parts[-1].loops.append(step)
        else:
            segment = Segment()
            segment.loops.append(step)
            parts.append(segment)
    return parts
