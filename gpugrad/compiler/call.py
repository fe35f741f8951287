"""Calls of a plan, as a function written for it: is it for this call, run it, hand out results.

The text has a line for each tensor that the plan is about, and none for what it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import backend
from gpugrad.compiler.capture import Captured, Given, GradOf, end_of
from gpugrad.compiler.gradient import Made
from gpugrad.compiler.memory import size_of
from gpugrad.graph import LEAF, Inference, Output, SavedOutput, edge_of, next_sequence, record
from gpugrad.graph import recording as grad_mode
from gpugrad.op.history import renew
from gpugrad.op.saved import own_array, shared_counter, versions_of, wrap
from gpugrad.ops.strided import as_strided
from gpugrad.ops.updating import note_all

if TYPE_CHECKING:
    from gpugrad.compiler.plan import Plan

Array = Any
# of the leaves of the arguments, and the arguments as they are
Run = Callable[[Sequence[Any], tuple[Any, ...], dict[str, Any]], Any]


class MISSED:
    """What a plan returns of a call that it is not for, and of which it has done nothing."""


class Input:
    """An array that a program reads: where it comes from, and what it must be like."""

    __slots__ = ("dtype", "end", "kind", "shape", "source", "strides", "where")

    def __init__(self, source: Any, array: Array, end: tuple[bool, bool, bool]):
        """Describe an array of a tensor whose history has such an end."""
        self.source = source
        self.shape, self.strides, self.dtype = array.shape, array.strides, array.dtype
        self.where = backend.of(array).device_of(array)
        self.kind = type(array)
        self.end = end


class Result:
    """A tensor that a call returns, or gives to another one as its gradient or memory.

    It is the tensor of a ``source``, or the output ``index`` of the program, or lies in the memory
    ``of`` another result: as a view, or ``detached``.
    """

    __slots__ = ("detached", "index", "inferring", "leaf", "node_output", "of", "place", "source")

    def __init__(self) -> None:
        """Make one of which nothing is known yet."""
        self.source: Any = None
        self.index = -1
        self.of: Result | None = None
        self.place: Any = None  # shape, strides and offset in elements, in the other's memory
        self.detached = False
        self.inferring = False
        self.leaf = False
        self.node_output = -1  # which output of the node


class Writer:
    """Writes the function of a plan.

    Tensors are found before the program runs; what the call does to them comes after.
    """

    def __init__(self, plan: Plan):
        """Begin with nothing."""
        self.plan = plan
        self.names: dict[str, Any] = {
            "MISSED": MISSED, "LEAF": LEAF, "Made": Made, "Output": Output, "edge_of": edge_of,
            "wrap": wrap, "SavedOutput": SavedOutput, "shared_counter": shared_counter,
            "versions_of": versions_of, "record": record, "renew": renew, "note_all": note_all,
            "owned": _owned, "distance": _distance, "lie_apart": _lie_apart, "viewed": _viewed,
            "detached": _detached, "infer": _infer, "version": _version, "device_of": _device_of,
            "taken": _taken, "given_back": _given_back, "end_of": end_of,
        }  # fmt: skip
        self.before: list[str] = []
        self.after: list[str] = []
        self.tensors: dict[Any, str] = {}
        self.made: dict[Result, str] = {}

    def function(self) -> Run:
        """Return the function, which returns what the call does, or ``MISSED``."""
        exec(compile(self.text(), "<gpugrad call>", "exec"), self.names)
        run: Run = self.names["call"]
        return run

    def text(self) -> str:
        """Return the text of the function."""
        plan = self.plan
        for condition in plan.conditions:
            self._missed(f"not {self.bound('condition', condition)}()")
        for source, without in plan.without:
            self._missed(f"{self.tensor(source)}._grad is {'not ' if without else ''}None")
        arrays = [self._array(k, i) for k, i in enumerate(plan.inputs)]
        for k, root, distance in plan.overlaps:
            self._missed(f"distance(a{root}, a{k}) != {distance}")
        if plan.apart:
            self._missed(f"not lie_apart([{', '.join(arrays[k] for k in plan.apart)}])")
        noted: list[str] = []
        for source, count in plan.writes:
            t = self.tensor(source)
            noted += [f"note_all([{t}], [{t}._array])"] * count
        self.after += noted
        if plan.gradient is not None:
            self._node()
        result = self._structure(plan.result)
        for source, index in plan.arrays:
            self.after.append(f"{self.tensor(source)}.data = wrap(o{index})")
        for source, r in plan.grads:
            self.after.append(f"{self.tensor(source)}._grad = {self.result(r) if r else None}")
        self.after.append(f"return {result}")
        outputs = "".join(f"o{k}, " for k in range(len(plan.program.outputs)))
        given = [f"[{', '.join(arrays)}]"]
        spare = dict(self._spare())
        if spare:
            taken = ", ".join(f"{k}: taken({text})" for k, (_, text) in spare.items())
            self.before.append(f"spare = {{{taken}}}")
            given.append("spare")
            noted += [f"given_back({t}, spare.get({k}))" for k, (t, _) in spare.items()]
        ran = f"{self.bound('run', plan.run)}({', '.join(given)})"
        lines = [f"{outputs}= {ran}" if outputs else ran]
        if noted:  # also where it raises midway
            lines = [f"try: {lines[0]}", "except BaseException:", *[f"    {n}" for n in noted]]
            lines.append("    raise")
        lines = [*self.before, *lines, *self.after]
        return "\n    ".join(["def call(leaves, args, kwargs):", *lines]) + "\n"

    def _spare(self) -> Iterator[tuple[int, tuple[str, str]]]:
        """Take large gradients that others replace from their tensors, as memory of these.

        They are given back where the program raises before it has used them.
        """
        for source, r in self.plan.grads:
            if r is None or r.index < 0 or (source, False) not in self.plan.without:
                continue
            value = self.plan.program.outputs[r.index]
            if (
                value.device.type == "cpu" and size_of(value) >= _WORTH and not value.is_view
                and _identity(GradOf(source)) not in self.tensors
            ):  # fmt: skip
                facts = f"{value.shape}, {self.bound('dtype', value.dtype)}, {value.strides}"
                t = self.tensor(source)
                yield r.index, (t, f"{t}, {facts}")

    def bound(self, name: str, value: Any) -> str:
        """Have a name for an object; return it."""
        name = f"{name}_{len(self.names)}"
        self.names[name] = value
        return name

    def _missed(self, condition: str) -> None:
        self.before.append(f"if {condition}: return MISSED")

    # ------------------------------------------------------------------------- what there is

    def tensor(self, source: Any) -> str:
        """Return the name of a tensor from before the call."""
        key = _identity(source)
        if key in self.tensors:
            return self.tensors[key]
        if isinstance(source, Given):
            found = f"leaves[{source.place}]"
        elif isinstance(source, Captured):
            found = f"{self.bound('found', source.found)}()"
        else:
            found = f"{self.tensor(source.source)}._grad"
        name = self.tensors[key] = f"t{len(self.tensors)}"
        self.before.append(f"{name} = {found}")
        if not isinstance(source, Given):
            self._missed(f"{name} is None")
        return name

    def _array(self, k: int, i: Input) -> str:
        """Return the name of an array that the program reads.

        Those of arguments are known to be like that, since the plan was found by what they are.
        """
        t, a = self.tensor(i.source), f"a{k}"
        if isinstance(i.source, Given) and i.shape:
            self.before.append(f"{a} = {t}._array")
            return a
        kind, dtype = self.bound("kind", i.kind), self.bound("dtype", i.dtype)
        self.before += [
            f"if {t}._view is not None: renew({t})",
            f"{a} = {t}._array",
            f"if {a}.__class__ is not {kind}: {a} = owned({t})",
        ]
        self._missed(
            f"{a} is None or {a}.shape != {i.shape} or {a}.dtype != {dtype}"
            f" or {a}.strides != {i.strides} or end_of({t}) != {i.end}"
        )
        if i.kind is not np.ndarray:
            self._missed(f"device_of({a}) != {self.bound('device', i.where)}")
        return a

    # ------------------------------------------------------------------------- what is made

    def result(self, r: Result) -> str:
        """Return the name of a tensor that the call returns, or gives to another one."""
        if r in self.made:
            return self.made[r]
        if r.source is not None:
            name = self.made[r] = self.tensor(r.source)
            return name
        if r.of is not None:
            way = "detached" if r.detached else "viewed"
            made = [f"{way}({', '.join([self.result(r.of), *map(str, r.place)])})"]
            name = f"r{len(self.made)}"
        else:
            name = f"r{len(self.made)}"
            made = [f"wrap(o{r.index})"]
            if r.leaf:
                made.append(f"{name}._edge = LEAF")
            elif r.inferring:
                made.append(f"infer({name})")
        self.made[r] = name
        self.after += [f"{name} = {made[0]}", *made[1:]]
        return name

    def _node(self) -> None:
        """Make the node of the call, and the results that it is of."""
        plan = self.plan
        outs = [r for r in plan.results if r.__class__ is Result and r.node_output >= 0]
        made = [self.result(r) for r in outs]
        saved = [self._saved(k, s) for k, s in enumerate(plan.saved)]
        edges = "".join(f"edge_of({self.tensor(source)}), " for source in plan.ends)
        states = "[]"
        if plan.generators:  # a second derivative draws again what the call drew
            generators = [self.bound("generator", g) for g in plan.generators]
            self.before.append(f"states = [{', '.join(f'({g}, {g}._state)' for g in generators)}]")
            states = "states"
        versions = ", ".join(f"version({self.tensor(i.source)})" for i in plan.inputs)
        self.after += [
            f"saved = ({''.join(f'{s}, ' for s in saved)})",
            f"node = record({self.bound('gradient', plan.gradient)}, ({edges}), saved,"
            f" versions_of(saved), Made((args, kwargs), leaves, {states}, [{versions}]))",
        ]
        several = plan.gradient is not None and plan.gradient.outputs > 1
        for r, name in zip(outs, made, strict=True):
            edge = f"Output(node, {r.node_output})" if several else "node"
            self.after.append(f"{name}._edge = {edge}")

    def _saved(self, k: int, saved: Any) -> str:
        """Return the name of what the node saves: a tensor from before, or what was computed."""
        if not isinstance(saved, tuple):
            return self.tensor(saved)
        index, result = saved
        name = f"s{k}"
        if result is None:
            self.after += [f"{name} = SavedOutput()", f"{name}.array = o{index}"]
        else:
            counter = f"shared_counter({self.result(result)})"
            self.after += [f"{name} = wrap(o{index})", f"{name}._counter = {counter}"]
        return name

    def _structure(self, tree: Any) -> str:
        """Return the text of what the call returns."""
        if tree.__class__ is Result:
            return self.result(tree)
        if isinstance(tree, dict):
            pairs = [f"({self._structure(k)}, {self._structure(v)})" for k, v in tree.items()]
            return f"{self.bound('kind', type(tree))}([{', '.join(pairs)}])"
        if not isinstance(tree, tuple | list):
            return repr(tree) if tree.__class__ in _WRITTEN else self.bound("leaf", tree)
        items = "".join(f"{self._structure(item)}, " for item in tree)
        if type(tree) in (tuple, list):
            return f"({items})" if isinstance(tree, tuple) else f"[{items}]"
        kind = self.bound("kind", type(tree))
        return f"{kind}({items})" if hasattr(tree, "_fields") else f"{kind}(({items}))"


_WORTH = 1 << 16  # bytes of memory that the system may have to be asked for
_WRITTEN = (bool, int, str, type(None))  # whose text gives them back


def _identity(source: Any) -> tuple[Any, ...]:
    """Return what sources of one tensor have in common."""
    if isinstance(source, Given):
        return ("given", source.place)
    if isinstance(source, Captured):
        return ("captured", id(source.found))
    return ("grad of", *_identity(source.source))


def _owned(tensor: Any) -> Array | None:
    """Return the array of a tensor that was a number, ``None`` if it is of another library."""
    return own_array(tensor) if isinstance(tensor._array, np.generic) else None


def _device_of(array: Array) -> Any:
    return backend.of(array).device_of(array)


def _distance(root: Array, array: Array) -> int:
    """Return how many bytes lie between the beginnings of two arrays."""
    address = backend.of(array).address
    found: int = address(array) - address(root)
    return found


def _taken(tensor: Any, shape: Any, dtype: Any, strides: Any) -> Array | None:
    """Take the gradient of a tensor; return its memory if it is like that, and nobody else's."""
    grad = tensor._grad
    array = grad._array
    if (
        array.__class__ is np.ndarray and array.base is None
        and array.shape == shape and array.dtype == dtype and array.strides == strides
        and getrefcount(grad) <= _ONE + 1 and getrefcount(array) <= _ONE + 1  # the tensor's
    ):  # fmt: skip
        tensor._grad = None
        return array
    return None


def _given_back(tensor: Any, array: Array | None) -> None:
    """Give a tensor the gradient that was taken, if nothing has used its memory."""
    if array is not None:
        tensor._grad = wrap(array)


def _held_once() -> int:
    value = object()
    return getrefcount(value)


_ONE = _held_once()  # what a value counts that only a variable holds


def _infer(tensor: Any) -> None:
    """Make a tensor one of inference mode."""
    tensor._counter = Inference()
    tensor._counter.born = next_sequence()


def _lie_apart(arrays: Sequence[Array]) -> bool:
    if all(a.__class__ is np.ndarray and a.base is None for a in arrays):
        memory: set[Any] = set(map(id, arrays))
    else:
        doors = map(backend.of, arrays)
        memory = {(d.type, d.memory(a)[0]) for d, a in zip(doors, arrays, strict=True)}
    return len(memory) == len(arrays)


def _viewed(base: Any, shape: Any, strides: Any, offset: int) -> Any:
    with grad_mode(False):
        return as_strided(base, shape, strides, base.storage_offset() + offset)


def _detached(base: Any, shape: Any, strides: Any, offset: int) -> Any:
    array = own_array(base)
    size = array.itemsize
    steps = tuple([s * size for s in strides])
    tensor = wrap(backend.of(array).strided(array, shape, array.dtype, offset * size, steps))
    tensor._counter = shared_counter(base)
    return tensor


def _version(tensor: Any) -> tuple[Any, int]:
    counter = shared_counter(tensor)
    return counter, counter.value
