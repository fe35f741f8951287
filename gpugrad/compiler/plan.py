"""A recorded call as something to run: a program, where its inputs come from, where results go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._size import Size
from gpugrad.compiler.call import Input, Result, Run, Writer
from gpugrad.compiler.capture import Capture, Effects, Given, UnknownError, effects_of
from gpugrad.compiler.elements import dense
from gpugrad.compiler.execution import prepared
from gpugrad.compiler.fusion import fused
from gpugrad.compiler.gradient import Again, Gradient
from gpugrad.compiler.graphed import Graphed, is_for_graphs
from gpugrad.compiler.program import Program, Step, Value, values_in
from gpugrad.compiler.recorded import Recorded, recording
from gpugrad.graph import (
    LEAF,
    Inference,
    Node,
    Output,
    TensorBase,
    edge_of,
)
from gpugrad.op.saved import tensor_class, wrap
from gpugrad.tree import leaves as leaves_of
from gpugrad.tree import mapped

Array = Any


# What is the same whoever has it.
BY_VALUE = (bool, int, float, complex, str, bytes, type(None), _dtype.dtype, device, slice, type)


class _Results:
    """The results of a recorded call, as they are collected."""

    def __init__(self, capture: Capture, apart: bool):
        self.capture = capture
        self.apart = apart  # whether results with a history may not be copies of one another
        self.recorder = capture.recorder
        self.values: list[Value] = []
        self.history: list[tuple[Any, Result]] = []
        self.known: dict[int, Result] = {}
        self.kept: list[Any] = []  # tensors, so that their identities stay theirs
        self.inputs = dict(self.recorder.inputs)
        self.roots: dict[Value, tuple[Result, Value]] = {}

    def of(self, tensor: Any) -> Result:
        """Return a tensor as a result."""
        found = self.known.get(id(tensor))
        if found is None:
            found = self.known[id(tensor)] = self._made(tensor)
            self.kept.append(tensor)
        return found

    def _made(self, tensor: Any) -> Result:
        result = Result()
        before = self.capture.before.get(id(tensor))
        if before is not None:
            result.source = before.source
            return result
        if tensor.__class__ is not tensor_class:
            raise UnknownError(f"a result of the class {type(tensor).__name__}")
        history = tensor._edge is not None and tensor._edge is not LEAF
        node = tensor._edge.node if isinstance(tensor._edge, Output) else tensor._edge
        if (isinstance(node, Node) and node.hooks is not None) or hasattr(tensor, "_hooks"):
            raise UnknownError("a result with hooks, or one that retains its gradient")
        value = self.value_of(tensor._array)
        root = value.root
        self.inputs = dict(self.recorder.inputs)
        if root in self.inputs or root in self.roots:
            if history and root in self.inputs:
                raise UnknownError("a result with a history that is a view of an input")
            if history or (root in self.roots and self.roots[root][0].node_output >= 0):
                if self.apart:
                    raise UnknownError("variables with a history that share memory")
                value = self.copied(value)
            else:
                return self._view(result, value, tensor)
        if value.is_view and tensor._edge is None and value.root.dtype == value.dtype:
            self._hold(value.root, tensor)
            return self._view(result, value, tensor)
        result.index = self.output(value)
        result.leaf = tensor._edge is LEAF
        result.inferring = isinstance(tensor._counter, Inference)
        if history:
            result.node_output = len(self.history)
            self.history.append((tensor, result))
        self.roots.setdefault(value.root, (result, value))
        return result

    def _hold(self, root: Value, tensor: Any) -> None:
        """Have memory as a result that nobody has, since others may lie in it, too."""
        base = Result()
        base.index = self.output(root)
        self.roots[root] = base, root
        viewed: Any = None if tensor._view is None else tensor._view.base
        if isinstance(getattr(viewed, "_array", None), Recorded) and viewed._array.value is root:
            self.known[id(viewed)] = base
            self.kept.append(viewed)

    def _view(self, result: Result, value: Value, tensor: Any) -> Result:
        """Return a result that lies in the memory of an input, or of another result."""
        viewed = None if tensor._view is None else tensor._view.base
        known = self.capture.before.get(id(viewed))
        if known is not None:
            result.of = Result()
            result.of.source = known.source
            base = self.recorder.value_of(known.recorded)
        elif value.root in self.roots:
            result.of, base = self.roots[value.root]
            result.detached = self.known.get(id(viewed)) is not result.of
        else:
            base = value.root
            result.of = Result()
            result.of.source = self.inputs[base].source
            result.detached = True
        if base.dtype != value.dtype:
            raise UnknownError("a result that is a view of another type")
        if min(value.strides, default=0) < 0 and not result.detached:
            raise UnknownError("a result that goes backwards through memory")
        size = value.dtype.itemsize
        strides = tuple([s // size for s in value.strides])
        result.place = value.shape, strides, (value.offset - base.offset) // size
        return result

    def of_grad(self, tensor: Any) -> Result:
        """Return what became the gradient of another tensor as a result."""
        if tensor._edge is not None:
            raise UnknownError("a .grad with a history")
        return self.of(tensor)

    def copied(self, value: Value) -> Value:
        """Return the value of a copy."""
        copy = dense(value)
        self.recorder.steps.append(Step("copy", (value,), {}, [copy]))
        return copy

    def value_of(self, array: Array) -> Value:
        """Return the value of an array, which each run makes anew."""
        if isinstance(array, Recorded):
            value = self.recorder.value_of(array)
        elif backend.is_array(array):
            value = self.recorder.constant(backend.of(array).own(array))
        else:
            raise UnknownError("a result inside of vmap")
        self.recorder.own_at_each_run(value.root)
        return value

    def output(self, value: Value) -> int:
        """Return the place of a value among the program's outputs."""
        self.values.append(value)
        return len(self.values) - 1


class Plan:
    """A program, and all that a call does besides running it."""

    def __init__(
        self,
        capture: Capture,
        result: Any,
        function: Callable[..., Any],
        graphs: bool = False,
        is_part: bool = False,
    ):
        """Make the plan of a call of a function that was recorded, and returned ``result``.

        With ``graphs`` it is replayed as a CUDA graph, if it runs on a GPU.  Results of what
        ``is_part`` of a function are variables, which the rest of it may write to.

        Raises:
            UnknownError: It did something that a program does not do.
        """
        recorder = capture.recorder
        self.graphs = graphs
        results = _Results(capture, is_part)
        _check_structure(result)
        self.result = mapped(lambda x: results.of(x) if isinstance(x, TensorBase) else x, result)
        self.results = leaves_of(self.result)
        effects = effects_of(capture)
        self.grads = [
            (source, None if grad is None else results.of_grad(grad))
            for source, grad in effects.grads
        ]
        self.arrays = [
            (source, results.output(results.value_of(a))) for source, a in effects.arrays
        ]
        self.writes = effects.writes
        self.without = [(s, grad is None) for s, grad in effects.before]
        self.gradient: Gradient | None = None
        self.ends: list[Any] = []
        self.saved: list[Any] = []
        saved: list[Value] = []
        if results.history:
            saved = self._differentiate(capture, results)
            gradient: Any = self.gradient
            gradient.again = Again(
                function,
                self.ends,
                [r.node_output if r.__class__ is Result else -1 for r in self.results],
                self._once(effects),
            )
        constants = list(recorder.constants.items())
        read = [(value, array) for value, array in recorder.inputs if array.source is not None]
        ends = {id(b.recorded): b.end for b in capture.before.values()}
        self.inputs = [Input(a.source, a.array, ends[id(a)]) for _, a in read]
        values = [value for value, _ in read]
        self.overlaps = _overlaps(values)
        self.apart = _apart(values, recorder.steps)
        self.program = _program(values, constants, recorder.steps, [*results.values, *saved])
        stays = [not isinstance(i.source, Given) for i in self.inputs]
        self.run = self._runner(self.program, stays)
        self.conditions = tuple(recorder.conditions)
        self.generators = list(recorder.generators)
        self.kept = results.kept
        self._called: Run | None = None

    def __call__(self, leaves: Sequence[Any], args: Any, kwargs: Any) -> Any:
        """Return what a call returns, or ``MISSED`` where the plan is not for it."""
        called = self._called
        if called is None:
            called = self._called = Writer(self).function()
        return called(leaves, args, kwargs)

    def _once(self, effects: Effects) -> str:
        """Return why a call may not be computed again, to be differentiated more than once."""
        if effects.writes or effects.arrays:
            return "writes to tensors from outside of it"
        return "sets a .grad" if effects.grads else ""

    def _differentiate(self, capture: Capture, results: _Results) -> list[Value]:
        """Record the backward; return what it reads of the values that the call computes."""
        from gpugrad.autograd import grad

        recorder = capture.recorder
        tensors = [t for t, _ in results.history]
        ends = capture.ends_of([edge_of(t) for t in tensors])
        forward = recorder.steps
        recorder.steps, recorder.closed = [], True
        cotangents = []
        for t in tensors:
            array = t._array.array
            door = backend.of(array)
            one = door.full(array.shape, 1, array.dtype, door.device_of(array))
            cotangents.append(wrap(recorder.lifted(one, None)))
        values = [recorder.value_of(c._array) for c in cotangents]
        try:
            with recording(recorder), capture.without_hooks():
                found = grad(
                    tensors,
                    [b.tensor for b in ends],
                    cotangents,
                    retain_graph=True,
                    allow_unused=True,
                )
        except (RuntimeError, ValueError, TypeError) as error:
            if "a second time" in str(error):
                recorder.steps = forward
                return self._spent(error, ends, [(v.shape, v.dtype, v.device) for v in values])
            raise UnknownError(f"a result whose gradient cannot be computed: {error}") from error
        if not recorder.records:
            raise UnknownError(recorder.reason)
        there = [g is not None for g in found]
        steps = recorder.steps
        made = {v for step in steps for v in values_in(step.outputs)}
        outputs: list[Value] = []
        for g in found:
            if g is None:
                continue
            value = recorder.value_in(g._array)
            if value.root not in made or value.root in [v.root for v in outputs]:
                value = results.copied(value)  # what is handed on may be written by the walk
                made.add(value)
            outputs.append(value)
        recorder.steps = forward
        read = [v for step in steps for v in values_in((step.args, step.kwargs, step.writes))]
        roots = dict.fromkeys(v.root for v in [*read, *outputs])
        constants = [(v, a) for v, a in recorder.constants.items() if v in roots]
        known = {*made, *values, *(v for v, _ in constants)}
        needed = [v for v in roots if v not in known]
        inputs = dict(recorder.inputs)
        handed = {value.root for value in results.values}
        saved: list[Value] = []
        for v in needed:
            if v in inputs:
                self.saved.append(inputs[v].source)
            else:
                place = self._result_in(results, v)
                self.saved.append((len(results.values) + len(saved), place))
                saved.append(v)
                if v in handed and place is None:
                    raise UnknownError("a backward that reads what the call gave as a gradient")
        written = {v.root for step in steps for v in step.writes}
        if written & set(needed):
            raise UnknownError("a backward that writes to what the call computed")
        self.ends = [b.source for b in ends]
        program = _program([*values, *needed], constants, steps, outputs)
        like = [(v.shape, v.dtype, v.device) for v in values]
        self.backward = program
        self.gradient = Gradient(self._runner(program, [False] * len(program.inputs)), like, there)
        return saved

    def _spent(self, error: Exception, ends: Sequence[Any], like: Sequence[Any]) -> list[Value]:
        """Have a backward raise what it does eagerly: the call has freed the history itself."""
        kind, words = type(error), error.args  # the error itself keeps what the call made

        def raised(arrays: list[Array]) -> list[Array]:
            raise kind(*words)

        self.ends = [b.source for b in ends]
        self.gradient = Gradient(raised, like, [True] * len(ends))
        return []

    def _runner(self, program: Program, stays: Sequence[bool]) -> Callable[..., list[Array]]:
        """Return what runs a program; ``stays`` says which inputs lie in the same memory often."""
        run = prepared(program)
        return Graphed(program, run, stays) if self.graphs and is_for_graphs(program) else run

    def _result_in(self, results: _Results, root: Value) -> Result | None:
        """Return the result in whose memory a saved value is, if there is one."""
        found = results.roots.get(root)
        return None if found is None else found[0]


def _overlaps(values: Sequence[Value]) -> list[tuple[int, int, int]]:
    """Return which inputs lie in the memory of which others, and how far from their beginning."""
    return [(k, values.index(v.root), v.offset) for k, v in enumerate(values) if v.is_view]


def _apart(values: Sequence[Value], steps: Sequence[Step]) -> list[int]:
    """Return the inputs of which none may lie in the memory of another one: one is written."""
    roots = [k for k, v in enumerate(values) if not v.is_view and 0 not in v.shape]
    written = {v.root for step in steps for v in step.writes}
    return roots if any(values[k] in written for k in roots) and len(roots) > 1 else []


_STRUCTURES = (tuple, list, dict, OrderedDict, Size)


def _check_structure(result: Any) -> None:
    """See that a result can be made anew: of tensors, structures and what never changes.

    Raises:
        UnknownError: It cannot.
    """
    kind = type(result)
    if isinstance(result, tuple | list | dict):
        if kind not in _STRUCTURES and not hasattr(result, "_fields"):
            raise UnknownError(f"a result of the class {kind.__name__}")
        for item in result.values() if isinstance(result, dict) else result:
            _check_structure(item)
    elif not isinstance(result, (TensorBase, *BY_VALUE)):
        raise UnknownError(f"a result of the class {kind.__name__}")


def _program(
    inputs: Sequence[Value],
    constants: Sequence[tuple[Value, Array]],
    steps: Sequence[Step],
    outputs: Sequence[Value],
) -> Program:
    return fused(Program(inputs, constants, steps, outputs))
