"""Operations over whole arrays: a function, and one gradient rule per input."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from gpugrad import backend, errors
from gpugrad._device import device
from gpugrad._dtype import INEXACT
from gpugrad.backend.batched import (
    Batched,
    BatchedBackend,
    Level,
    summed,
    with_levels,
)
from gpugrad.formulas import MATH, TORCH
from gpugrad.graph import (
    FAR,
    LEAF,
    UNRECORDED,
    Node,
    Output,
    SeenView,
    TensorBase,
    View,
    edge_of,
    inferring,
    mark,
    mode,
    reach_far,
    record,
    recording,
)
from gpugrad.hooks import has_grad_dtype
from gpugrad.op.accumulation import differentiate
from gpugrad.op.attribute import attribute, facts_of, pytorchs
from gpugrad.op.convention import conventions
from gpugrad.op.dual import carry, has_histories, has_tangents, plain
from gpugrad.op.exhaustion import tell
from gpugrad.op.generated import whole
from gpugrad.op.observed import watcher
from gpugrad.op.rule import Rule
from gpugrad.op.saved import (
    Like,
    check_open,
    descended,
    edges,
    own_array,
    saved_output,
    settle,
    shared_counter,
    subclasses,
    unpack,
    up_to_date,
    versions_of,
    wrap,
    zeros,
)

Array = Any
Shape = tuple[int, ...]
# shape, type and device of each input, the same of the outputs where that is needed, parameters
Call = tuple[tuple[Any, ...], tuple[Any, ...], dict[str, Any]]


def fit(grad: Any, shape: Shape, dtype: np.dtype[Any], edge: Any = None) -> Any:
    """Return a gradient with the shape of an input, and in the type in which it goes to its edge.

    Broadcasting is undone, and a complex gradient of a real input loses its imaginary part, here
    and nowhere else.
    """
    array = grad._array
    if array.shape != shape:
        if _expands(array.shape, shape):
            grad = expand_to(grad, shape=shape)
        else:
            grad = sum_to(grad, shape=shape)
    if array.dtype is not dtype and array.dtype != dtype:
        dtype = arriving(edge, dtype, array.dtype)
        if array.dtype != dtype:
            grad = cast(grad, dtype=dtype)
    return grad


def arriving(edge: Any, dtype: np.dtype[Any], computed: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which a gradient goes to the edge of an input of type ``dtype``.

    It is that type, but for a leaf with a ``grad_dtype``, which converts what was computed itself.
    """
    if not has_grad_dtype(edge) or computed.kind not in INEXACT:
        return dtype
    if computed.kind == "c" and dtype.kind != "c":
        return np.dtype(f"f{computed.itemsize // 2}")
    return computed


def _expands(shape: Shape, target: Shape) -> bool:
    """Tell whether ``shape`` broadcasts to ``target``; sizes do not tell, 1 may become 0."""
    if len(shape) > len(target):
        return False
    return all(n in (1, m) for n, m in zip(reversed(shape), reversed(target), strict=False))


def different_devices(found: Sequence[device]) -> RuntimeError:
    """Return PyTorch's error for operands of several devices."""
    return RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{found[0]} and {found[1]}! Move them to one with .to(device) first."
    )


# For calls with so many tensors what follows from which of them need a gradient is kept.  For more
# it is not: a program may join, or divide, one more of them at every step.
FEW = 10


@dataclass(eq=False)
class _Rule:
    """The gradient of one input, as a function of what it names."""

    function: Callable[..., Any]
    names: tuple[str, ...]


def together(
    operands: Sequence[Any], others: Sequence[Array] = ()
) -> tuple[backend.Backend, Sequence[Any], list[Array]]:
    """Return the backend that computes with operands, the operands, and their arrays.

    Operands are tensors, of which all are batched if one is or if one of the ``others``, and NumPy
    scalars, which go with any.

    Raises:
        RuntimeError: They live on different devices, or belong to a ``vmap`` that has ended.
    """
    arrays = [o._array if isinstance(o, TensorBase) else o for o in operands]
    door = backend.of(arrays[0])
    for a in (*arrays, *others):
        if backend.of(a) is not door:
            return _joined(operands, others)
    if isinstance(door, BatchedBackend):
        for a in (*arrays, *others):
            check_open(a)
    return door, operands, arrays


def _joined(
    operands: Sequence[Any], others: Sequence[Array]
) -> tuple[backend.Backend, Sequence[Any], list[Array]]:
    arrays = [*(o._array for o in operands if isinstance(o, TensorBase)), *others]
    doors = [backend.of(a) for a in arrays]
    door = backend.joined(doors)
    if door is None:
        raise different_devices([d.device_of(a) for d, a in zip(doors, arrays, strict=True)])
    for a in arrays:
        if isinstance(a, Batched):
            check_open(a)
    operands = [lifted(o, door) if isinstance(o, TensorBase) else o for o in operands]
    return door, operands, [o._array if isinstance(o, TensorBase) else o for o in operands]


def lifted(tensor: Any, door: backend.Backend) -> Any:
    """Return a tensor with the hidden axes of the arrays of a backend."""
    known = backend.of(tensor._array)
    if not isinstance(door, BatchedBackend) or known is door:
        return tensor
    before = known.levels if isinstance(known, BatchedBackend) else ()
    levels = tuple([level for level in door.levels if level not in before])
    if not levels:
        return tensor
    result = lift(tensor, levels=levels)
    result._counter = shared_counter(tensor)
    return result


def _batched(index: Any) -> list[Array]:
    """Return the batched arrays of an index."""
    items = index if isinstance(index, tuple) else (index,)
    return [i for i in items if i.__class__ is Batched]


class Index(tuple[Any, ...]):
    """An index with arrays that need not be copied where it is recorded.

    Those of ``owners`` are saved with the call, so that a backward notices when they were written;
    the others are nobody else's.
    """

    owners: tuple[TensorBase, ...]

    @classmethod
    def of(cls, index: tuple[Any, ...], given: Sequence[Any]) -> tuple[Any, ...]:
        """Return an index of arrays that come from what the user gave, or were made of it."""
        if any(backend.is_array(g) for g in given) or _batched(index):
            return index  # no writes to these are noticed
        found = cls(index)
        tensors = [g for g in given if isinstance(g, TensorBase)]
        found.owners = tuple([t for t in tensors if any(t._array is a for a in index)])
        return found


def _copied(index: Any) -> Any:
    """Return an index, or an array, with copies of its arrays."""
    if isinstance(index, tuple):
        return tuple(map(_copied, index))
    return backend.of(index).copy(index) if hasattr(index, "dtype") else index


class Operation:
    """An operation over whole arrays, with one gradient rule per input.

    ``forward(door, *arrays, **params)`` computes on raw arrays.  ``kind`` says how tangents pass:
    "linear" and "bilinear" operations are their own forward mode, for a "composite" one it is
    derived by transposing its backward.  ``arrays`` names the parameter that is an array or has
    arrays in a tuple, an index or a mask: it may be batched, and as a backward reads it, it is
    copied where that is recorded, since its owner may write to it.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        kind: str,
        view: bool = False,
        outputs: tuple[str, ...] = ("out",),
        arrays: str = "",
    ):
        """Make the operation whose backward node is called ``name``."""
        self.name = name
        self.forward = forward
        self.kind = kind
        self.view = view
        self.output_names = outputs
        self.arrays = arrays
        self.convention = TORCH
        code = forward.__code__
        count = code.co_argcount
        self.parameters = code.co_varnames[count : count + code.co_kwonlyargcount]
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.input_names = code.co_varnames[1:count]
        # where a saved input or output stands among the saved values
        self.places = {n: k for k, n in enumerate((*self.input_names, *outputs))}
        self.rules: dict[str, _Rule] = {}
        self.keeps: dict[tuple[tuple[bool, ...], int], tuple[bool, ...] | None] = {}
        self.nodes: dict[tuple[tuple[bool, ...], int], Rule] = {}
        self.function = whole.function(self)

    def __repr__(self) -> str:
        return f"<{self.kind} operation {self.name.removesuffix('0').removesuffix('Backward')}>"

    def named(self, name: str) -> Operation:
        """Return the same operation with another name of its backward node."""
        other = copy(self)  # the gradients are shared, also those that are declared later
        other.name = name
        other.nodes = {}
        other.function = whole.function(other)
        return other

    @cached_property
    def in_math(self) -> Operation:
        """The operation whose rules run by the convention "math"."""
        other = self.named(self.name)
        other.convention = MATH
        for name in ("_transposed", "_moved"):
            setattr(other, name, conventions(MATH)(getattr(self, name)))
        return other

    @property
    def regular(self) -> bool:
        """Whether a call has given tensors and results, and is generated.

        Of those with an index, it is that of linear ones, which save no operands.
        """
        several = len(self.output_names) > 1 and self.view
        indexed = self.arrays and self.kind != "linear"
        return not (self.variadic or indexed or not self.output_names or several)

    @property
    def results(self) -> list[str]:
        """How the names of the results end in generated texts, which tells several apart."""
        return [""] if len(self.output_names) == 1 else [f"_{n}" for n in self.output_names]

    @property
    def divides(self) -> bool:
        """Whether a call returns any number of views of its one tensor, and is generated."""
        one = not self.variadic and len(self.input_names) == 1
        return self.view and not self.output_names and one and not self.arrays

    def rule(self, needs: tuple[bool, ...], outputs: int) -> Rule:
        """Return how calls are differentiated by the inputs that ``needs`` marks."""
        if len(needs) + outputs > FEW:
            return Rule(self, needs, outputs, self.rule)
        key = needs, outputs
        if key not in self.nodes:
            self.nodes[key] = rule = Rule(self, needs, outputs, self.rule)
            if self.regular and self.convention == TORCH:
                rule.backward = whole.backward(rule)
        return self.nodes[key]

    def gradient(
        self, function: Callable[..., Any], name: str = "", asked: tuple[str, ...] = ()
    ) -> Callable[..., Any]:
        """Declare the gradient of the input that the function is named after.

        One that was made of a formula is given the ``name``, and what it asks for.

        ``g`` is the gradient of the first result, ``g_L`` that of the one called ``L``, which is
        ``None`` where nothing came to it.
        With any number of results or of inputs the function is called ``inputs`` and receives and
        returns tuples, by this name the inputs themselves; also for a few inputs it may be one
        function of this name, where gradients have a part in common, which asks for those that
        ``needs`` marks.
        """
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.rules[name or function.__name__] = _Rule(function, asked or names)
        return function

    @property
    def source(self) -> str:
        """The text of what runs when the operation is called; empty where it is not generated."""
        return whole.source(self) if self.regular or self.divides else ""

    def __call__(self, *tensors: Any, **params: Any) -> Any:
        """Return the result as a tensor, or a tuple of them, recorded where needed."""
        return self.function(*tensors, **params)

    def general(self, *operands: Any, **params: Any) -> Any:
        """Return the result or results of an operation with any number of tensors."""
        tensors: Sequence[Any] = operands
        for t in tensors:
            up_to_date(t)
        first = tensors[0]
        if self.view:
            own_array(first)
            if mode.levels and has_tangents((first,)):
                settle(first)
        others = _batched(params[self.arrays]) if self.arrays else ()
        door, tensors, arrays = together(tensors, others)
        watching = watcher(self.name, tensors) if mode.calls else None
        found = watching.kept(self.name) if watching else None
        if found is None:
            try:
                result = self.forward(door, *arrays, **params)
            except MemoryError as error:
                tell(error)
                raise
        else:
            result = found[0] if self.output_names == ("out",) else found
        several = result.__class__ is tuple
        outs = tuple(map(wrap, result)) if several else (wrap(result),)
        if subclasses:
            outs = descended(outs, tensors)
        if found is None and mode.replay is not None:
            mode.replay.all_made(outs, tensors)
        if mode.enabled:
            inputs = edges(tensors)
            if inputs is not None:
                self.record(tensors, inputs, outs, params)
        if self.view:
            self._mark_views(first, outs)
        if inferring:
            for out in outs:
                mark(out)
        if mode.levels and has_tangents(tensors):
            call = self._described(tensors, outs, params)
            carry(tensors, outs, lambda values, moving, _: self._moved(call, values, moving))
        if watching:
            watching.made(self.name, tensors, params, outs if several else outs[0])
        return outs if several else outs[0]

    fit = staticmethod(fit)
    batched = staticmethod(_batched)
    copied = staticmethod(_copied)
    index_class = Index

    def _mark_views(self, tensor: TensorBase, outs: Sequence[TensorBase]) -> None:
        parent = tensor._view
        base = tensor if parent is None else parent.base
        counter = shared_counter(tensor)
        origin = "multiple" if not self.output_names else "" if parent is None else parent.origin
        for out in outs:
            out._counter = counter
            out._view = (
                View(base, origin, base._edge, counter.value)
                if mode.enabled
                else View(base, "no_grad", UNRECORDED, counter.value)
            )
            if mode.enabled and parent is not None and parent.edge is FAR:
                reach_far(out._view)
            if isinstance(parent, SeenView):
                out._view = SeenView(out._view, parent.outside)

    def record(
        self,
        tensors: Sequence[Any],
        inputs: tuple[Any, ...],
        outs: Sequence[TensorBase],
        params: dict[str, Any],
    ) -> None:
        """Make the node of a call and attach it to the outputs; ``inputs`` are edges."""
        needs = tuple([e is not None for e in inputs])
        keeps = self.kept(needs, len(outs))
        saved: tuple[Any, ...] = ()
        if keeps is not None:
            kept = [plain(t) if k else None for t, k in zip(tensors, keeps, strict=False)]
            kept += [
                saved_output(o) if k else None
                for o, k in zip(outs, keeps[len(tensors) :], strict=True)
            ]
            saved = tuple(kept)
        op = self if mode.conventions[-1] == TORCH else self.in_math
        rule = op.rule(needs, len(outs))
        if self.arrays:
            index = params[self.arrays]
            if index.__class__ is Index:
                saved = (*index.owners, *(None for _ in outs)) if index.owners else ()
            else:
                params = {**params, self.arrays: _copied(index)}
        call = self._described(tensors, outs, params)
        node = record(rule, inputs, saved, versions_of(saved), call)
        for k, out in enumerate(outs):
            if out._array.dtype.kind in INEXACT:
                out._edge = node if len(outs) == 1 else Output(node, k)
            elif mode.scope is not None and out._counter is not None:
                out._counter.born = node.sequence  # which an edge would tell

    def _described(
        self, tensors: Sequence[Any], outs: Sequence[TensorBase], params: dict[str, Any]
    ) -> Call:
        """Return what the derivatives of a call must know besides its inputs and outputs."""
        door = backend.of(tensors[0]._array)
        likes = tuple([(t._array.shape, t._array.dtype, door.device_of(t._array)) for t in tensors])
        several = self.output_names != ("out",)
        out_likes: tuple[Any, ...] = ()
        if several or self.kind == "composite":
            where = door.device_of(outs[0]._array) if outs else None
            out_likes = tuple([(o._array.shape, o._array.dtype, where) for o in outs])
        return likes, out_likes, params

    def kept(self, needs: tuple[bool, ...], outputs: int) -> tuple[bool, ...] | None:
        """Return which inputs and outputs are saved where these inputs need a gradient."""
        if len(needs) + outputs > FEW:
            return self._kept(needs, outputs)
        key = needs, outputs
        if key not in self.keeps:
            self.keeps[key] = self._kept(needs, outputs)
        return self.keeps[key]

    def _kept(self, needs: tuple[bool, ...], outputs: int) -> tuple[bool, ...] | None:
        known = ("inputs",) * len(needs) if self.variadic else self.input_names
        named = {n for n, needed in zip(known, needs, strict=True) if needed}
        rules = [r for n, r in self.rules.items() if n in named or n == "inputs"]
        asked = {name for rule in rules for name in rule.names}
        results = self.output_names or ("out",) * outputs
        keeps = tuple(n in asked for n in (*known, *results))
        return keeps if True in keeps else None

    def backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> list[Any]:
        """Return the gradients of the inputs that ``needs`` marks."""
        return self._transposed(node.params, self.unpacked(node), grads, needs, node.inputs)

    def _transposed(
        self,
        call: Call,
        saved: Sequence[Any],
        grads: Sequence[TensorBase | None],
        needs: Sequence[bool],
        inputs: Sequence[Any],
    ) -> list[Any]:
        likes, out_likes, params = call
        count = len(likes)
        g: Any = grads[0]
        if not self.output_names:
            missing = {o for x, o in zip(grads, out_likes, strict=True) if x is None}
            nothing = {o: zeros(Like(*o)) for o in missing}  # one for all, as it is only read
            g = grads = tuple(
                [nothing[o] if x is None else x for x, o in zip(grads, out_likes, strict=True)]
            )
        if self.variadic:
            known = {"g": g, "likes": [Like(*o) for o in likes], "needs": needs, **params}
            known["inputs"] = saved[:count]
            known |= zip(self.output_names, saved[count:], strict=False)
            known |= {f"g_{n}": x for n, x in zip(self.output_names, grads, strict=False)}
            rule = self.rules["inputs"]
            results = list(rule.function(*[known[n] for n in rule.names]))
        else:
            results = [None] * count
            if "inputs" in self.rules:
                results = self._ruled(self.rules["inputs"], grads, needs, saved, params)
            for k, name in enumerate(self.input_names):
                if needs[k] and name in self.rules:
                    results[k] = self._ruled(self.rules[name], grads, likes[k], saved, params)
        for k, result in enumerate(results):
            if result is not None:
                results[k] = fit(result, likes[k][0], likes[k][1], inputs[k])
        return results

    def _ruled(
        self,
        rule: _Rule,
        grads: Sequence[Any],
        known: Sequence[Any],
        saved: Sequence[Any],
        params: Any,
    ) -> Any:
        """Return what a rule gives for the values that it names."""
        values: list[Any] = []
        for name in rule.names:
            if name == "g":
                values.append(grads[0] if self.output_names else grads)
            elif name.startswith("g_"):
                values.append(grads[self.output_names.index(name[2:])])
            elif name == "like":
                values.append(Like(*known))
            elif name == "needs":
                values.append(known)
            elif name in self.places:
                values.append(saved[self.places[name]])
            else:
                values.append(params[name])
        return rule.function(*values)

    attribute = staticmethod(attribute)

    def facts(self, node: Node) -> Mapping[str, Any]:
        """Return what is known of a call besides what it saved, by PyTorch's names."""
        return facts_of(node)

    def saved_names(self, node: Node) -> list[str | None]:
        """Return PyTorch's names of what calls save; ``None`` for what none does."""
        if self.arrays or self.variadic:
            return [None] * len(node.saved or ())
        known = (*self.input_names, *self.output_names)
        keeps = self.kept((True,) * len(self.input_names), len(self.output_names)) or ()
        return pytorchs([n if k else None for n, k in zip(known, keeps, strict=False)])

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """Return what a call saved."""
        if self.arrays and node.saved:  # by whom an index is owned
            return unpack(node, len(node.saved) - node.outputs)
        return unpack(node, len(node.params[0]))

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a node's outputs, ``None`` where they do not move."""
        return self._moved(node.params, self.unpacked(node), tangents)

    def _moved(self, call: Call, saved: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a call's outputs; ``saved`` are its inputs and outputs."""
        likes, _, params = call
        if self.kind == "linear":
            filled = [
                zeros(Like(*o)) if t is None else t for t, o in zip(tangents, likes, strict=True)
            ]
            result = self.function(*filled, **params)
            return list(result) if isinstance(result, tuple) else [result]
        if self.kind == "bilinear":
            terms = [
                self.function(
                    *(t if j == k else s for j, s in enumerate(saved[: len(likes)])), **params
                )
                for k, t in enumerate(tangents)
                if t is not None
            ]
            return [terms[0] if len(terms) == 1 else terms[0] + terms[1]]
        return self._transposed_twice(call, saved, tangents)

    def _transposed_twice(
        self, call: Call, saved: Sequence[Any], tangents: Sequence[Any]
    ) -> list[Any]:
        """Return the tangents by differentiating the backward, which is linear in its gradient.

        Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
        """
        _, out_likes, _ = call
        moving = [t is not None for t in tangents]
        # leaves that rules make on their way are no reason to record: nobody knows them
        recorded = has_histories((*saved, *tangents))
        with recording(True):
            dummies = []
            grads: list[Any] = []
            for k, o in enumerate(out_likes):
                if k and o[1].kind not in INEXACT:
                    grads.append(None)
                    continue
                dummy = zeros(Like(*o))
                known = [t for t in (dummy, *saved, *tangents) if t is not None]
                dummy = together(known)[1][0]  # of no gradient, but with its hidden axes
                dummy._edge = LEAF
                dummies.append(dummy)
                grads.append(dummy)
            results = self._transposed(call, saved, grads, moving, tangents)
            ends, given = [], []
            for g, t in zip(results, tangents, strict=True):
                edge = None if g is None else edge_of(g)
                if edge is not None and t is not None:
                    ends.append(edge)
                    given.append(t)
        found = iter(differentiate(ends, given, True, recorded, dummies, accumulates=False))
        return [None if g is None else next(found) for g in grads]


Forward = Callable[..., Any]


class Declared(Protocol):
    """The function that calls an operation, and what its declaration needs."""

    op: Operation

    def __call__(self, *tensors: Any, **params: Any) -> Any:
        """Return the result as a tensor, or a tuple of them, recorded where needed."""

    def gradient(
        self, function: Callable[..., Any], name: str = "", asked: tuple[str, ...] = ()
    ) -> Callable[..., Any]:
        """See :meth:`Operation.gradient`."""

    def named(self, name: str) -> Declared:
        """See :meth:`Operation.named`."""


def declared(op: Operation) -> Declared:
    """Return the function that calls an operation, with what a declaration needs beside it."""
    function: Any = op.function
    function.op = op
    function.gradient = op.gradient
    function.named = lambda name: declared(op.named(name))
    return function


def linear(
    name: str, view: bool = False, outputs: tuple[str, ...] = ("out",), arrays: str = ""
) -> Callable[[Forward], Declared]:
    """Declare an operation that is linear in its tensors: its rule is its transpose."""
    return lambda forward: declared(Operation(name, forward, "linear", view, outputs, arrays))


def bilinear(name: str) -> Callable[[Forward], Declared]:
    """Declare an operation that is linear in each of two tensors."""
    return lambda forward: declared(Operation(name, forward, "bilinear"))


def composite(
    name: str, outputs: tuple[str, ...] = ("out",), arrays: str = ""
) -> Callable[[Forward], Declared]:
    """Declare an operation whose gradient is composed of other operations."""
    return lambda forward: declared(Operation(name, forward, "composite", False, outputs, arrays))


# The linear operations by which a gradient is made to fit its input.


@linear("SumBackward0")
def sum_to(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    """Sum to a shape that broadcasts to the input's."""
    axes = errors.summed_axes(input.shape, shape)
    return door.sum(input, axes, True, input.dtype).reshape(shape)


@sum_to.gradient
def input(g: Any, like: Like) -> Any:
    return expand_to(g, shape=like.shape)


@linear("ExpandBackward0", view=True)
def expand_to(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    """View with a larger shape that the input's broadcasts to."""
    return door.broadcast_to(input, shape)


@expand_to.gradient
def input(g: Any, like: Like) -> Any:
    return sum_to(g, shape=like.shape)


@linear("ToCopyBackward0")
def cast(door: backend.Backend, input: Array, *, dtype: np.dtype[Any]) -> Array:
    """Copy with another element type."""
    return door.astype(input, dtype)


@cast.gradient
def input(g: Any, like: Like) -> Any:
    return cast(g, dtype=like.dtype)


@linear("ToCopyBackward0")
def move(door: backend.Backend, input: Array, *, where: device) -> Array:
    """Copy to another device."""
    return backend.moved(input, where)


@move.gradient
def input(g: Any, like: Like) -> Any:
    return move(g, where=like.device)


@linear("ExpandBackward0")
def lift(door: backend.Backend, input: Array, *, levels: tuple[Level, ...]) -> Array:
    """View of an array as one that is the same for every example of some levels."""
    return with_levels(input, door, levels)


@lift.gradient
def input(g: Any, levels: tuple[Level, ...]) -> Any:
    return lower(g, levels=levels)


@linear("SumBackward1")
def lower(door: backend.Backend, input: Array, *, levels: tuple[Level, ...]) -> Array:
    """Sum over the examples of some levels, which disappear."""
    return summed(input, door, levels)


@lower.gradient
def input(g: Any, levels: tuple[Level, ...]) -> Any:
    return lift(g, levels=levels)
