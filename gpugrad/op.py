"""The kinds of operation: what runs, what is saved, and how its gradient is found.

An elementwise operation is a formula, and everything about it is derived from the formula.
Every other operation has a function over arrays and one rule per input, written with operations
over tensors: that is why a gradient can be differentiated again.  What a rule names is what is
saved: ``g`` is the gradient that came in, ``out`` the result, the names of the inputs and of the
parameters stand for themselves, and ``like`` for the shape and type of the input.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from copy import copy
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend, errors, specialized
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad.accumulation import ARITHMETIC
from gpugrad.formula import (
    BOOL,
    COMPLEX,
    DERIVATIVES,
    FUNCTIONS,
    REAL,
    Derivative,
    Expression,
    Formula,
    Function,
    Product,
    as_expression,
    call,
    has_order,
    parse,
    substitute,
    variable,
)
from gpugrad.graph import (
    LEAF,
    Captured,
    Node,
    Output,
    TensorBase,
    View,
    edge_of,
    mode,
    record,
    recording,
    walk,
)
from gpugrad.saved import (
    Like,
    edges,
    like,
    own_array,
    saved_output,
    shared_counter,
    unpack,
    versions_of,
    wrap,
    zeros,
)

Array = Any
Shape = tuple[int, ...]

# --------------------------------------------------------------------------- fitting


def fit(grad: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Return a gradient with an input's shape and type.

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
        grad = cast(grad, dtype=dtype)
    return grad


def _expands(shape: Shape, target: Shape) -> bool:
    """Tell whether ``shape`` broadcasts to ``target``; sizes do not tell, 1 may become 0."""
    if len(shape) > len(target):
        return False
    return all(n in (1, m) for n, m in zip(reversed(shape), reversed(target), strict=False))


# --------------------------------------------------------------------------- elementwise


class _Part(NamedTuple):
    """Some gradients of one node that one kernel computes."""

    op: Elementwise | None  # None: the gradient is a value that is there already
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    sums: bool


class _Recorded(NamedTuple):
    """What the backward of an elementwise call must know besides what it saved."""

    compute: np.dtype[Any]
    shape: Shape
    shapes: tuple[Shape, ...] | None  # of the inputs; None: all have ``shape``
    dtypes: tuple[np.dtype[Any], ...]
    results: tuple[tuple[Shape, np.dtype[Any]], ...]  # shape and type of each output


class Elementwise:
    """A formula that can be run on tensors and differentiated."""

    def __init__(self, name: str, formula: Formula):
        """Make the operation whose backward node is called ``name``."""
        self.name = name
        self.formula = formula
        self.plans: dict[tuple[object, ...], tuple[_Part, ...]] = {}
        self.products: dict[Formula, Elementwise] = {}
        self.backwards: dict[tuple[bool, ...], Callable[..., list[Any]]] = {}

    def __repr__(self) -> str:
        return f"<elementwise {self.formula!r}>"

    def evaluate(
        self,
        operands: Sequence[Any],
        compute: np.dtype[Any],
        results: Sequence[np.dtype[Any]],
        sum_to: Shape | None = None,
    ) -> list[Any]:
        """Return the outputs as tensors, recorded where an operand needs a gradient.

        Operands are tensors or NumPy scalars, of one device; ``results`` are the element types of
        the outputs.  With ``sum_to`` the one output is summed to that shape.
        """
        arrays = [o._array if isinstance(o, TensorBase) else o for o in operands]
        door = _door(arrays)
        outs = [wrap(a) for a in door.evaluate(self.formula, arrays, compute, results, sum_to)]
        inputs = edges(operands)
        if inputs is not None:
            self.record(operands, arrays, inputs, outs, compute)
        return outs

    def record(
        self,
        operands: Sequence[Any],
        arrays: Sequence[Array],
        inputs: tuple[Any, ...],
        outs: Sequence[TensorBase],
        compute: np.dtype[Any],
    ) -> None:
        """Make the node of a call and attach it to the outputs."""
        count = len(outs)
        needs = tuple(e is not None for e in inputs)
        product = self.formula.vjp(needs, (True,) * count)
        saved: list[Any] = [None] * (len(operands) + count)
        for s in product.sources:
            if s >= count:
                k = s - count
                saved[k] = (
                    operands[k] if k < len(operands) else saved_output(outs[k - len(operands)])
                )
        if saved.count(None) == len(saved):
            saved = []
        shapes = tuple(a.shape for a in arrays)
        shape = shapes[0]
        equal = all(s == shape for s in shapes)
        if not equal:
            shape = np.broadcast_shapes(*shapes)
        params = _Recorded(
            compute,
            shape,
            None if equal else shapes,
            tuple(a.dtype for a in arrays),
            tuple((o._array.shape, o._array.dtype) for o in outs),
        )
        kept = tuple(saved)
        node = record(self, inputs, kept, versions_of(kept), params, count)
        for k, out in enumerate(outs):
            if out._array.dtype.kind in "fc":
                out._edge = node if count == 1 else Output(node, k)

    def backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> list[Any]:
        """Return the gradients of the inputs, by one kernel and one for each broadcast input."""
        if node.params is None and not mode.enabled:
            needed = tuple(needs)
            special = self.backwards.get(needed)
            if special is None:
                special = self.backwards[needed] = specialized.backward(self, needed)
            return special(node, grads)
        return self.general_backward(node, grads, needs)

    def general_backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> list[Any]:
        """Return the gradients for operands of any kind, recorded where that is asked for."""
        p: _Recorded = node.params or self._uniform(grads[0])
        count = len(self.formula.inputs)
        saved = unpack(node, count)
        values = (*grads, *saved)
        results: list[Any] = [None] * count
        reduced = () if p.shapes is None else tuple(s != p.shape for s in p.shapes)
        for part in self.plan(tuple(needs), tuple(g is not None for g in grads), reduced):
            shapes = [p.shape if p.shapes is None else p.shapes[k] for k in part.targets]
            if part.op is None:
                outs = [values[part.sources[0]]]
            else:
                operands = [values[s] for s in part.sources]
                dtypes = [p.dtypes[k] for k in part.targets]
                outs = part.op.evaluate(
                    operands, p.compute, dtypes, shapes[0] if part.sums else None
                )
            for k, shape, out in zip(part.targets, shapes, outs, strict=True):
                results[k] = fit(out, shape, p.dtypes[k])
        return results

    def _uniform(self, example: Any) -> _Recorded:
        """Return what is known of a call whose operands all have the shape and type of one."""
        shape, dtype = example._array.shape, example._array.dtype
        count = len(self.formula.inputs)
        return _Recorded(dtype, shape, None, (dtype,) * count, ((shape, dtype),))

    def plan(
        self, needs: tuple[bool, ...], defined: tuple[bool, ...], reduced: tuple[bool, ...]
    ) -> tuple[_Part, ...]:
        """Return how the needed gradients are computed: together, or as a sum of their own."""
        key = (needs, defined, reduced)
        parts = self.plans.get(key)
        if parts is None:
            parts = self.plans[key] = tuple(self._parts(needs, defined, reduced))
        return parts

    def _parts(
        self, needs: tuple[bool, ...], defined: tuple[bool, ...], reduced: tuple[bool, ...]
    ) -> list[_Part]:
        whole = self.formula.vjp(needs, defined)
        together, parts = [False] * len(needs), []
        for k, e in zip(whole.targets, whole.formula.outputs, strict=True):
            alone = tuple(j == k for j in range(len(needs)))
            if e.function == "variable":  # a value handed on: no arithmetic, no memory
                product = self.formula.vjp(alone, defined)
                parts.append(_Part(None, product.sources, product.targets, False))
            elif reduced and reduced[k]:
                product = self.formula.vjp(alone, defined)
                parts.append(_Part(self._derived(product), product.sources, product.targets, True))
            else:
                together[k] = True
        if any(together):
            product = self.formula.vjp(tuple(together), defined)
            parts.append(_Part(self._derived(product), product.sources, product.targets, False))
        return parts

    def _derived(self, product: Product) -> Elementwise:
        op = self.products.get(product.formula)
        if op is None:
            op = self.products[product.formula] = Elementwise(
                self.name.removesuffix("0") + "Backward0", product.formula
            )
        return op

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a node's outputs, ``None`` where they do not move."""
        p: _Recorded = node.params or self._uniform(next(t for t in tangents if t is not None))
        product = self.formula.jvp(tuple(t is not None for t in tangents))
        if not product.targets:
            return [None] * node.outputs
        values = (*tangents, *unpack(node, len(self.formula.inputs)))
        results = [p.results[k][1] for k in product.targets]
        shape = p.results[0][0]
        outs = self._derived(product).evaluate(
            [values[s] for s in product.sources],
            p.compute,
            results,
            shape if shape != p.shape else None,
        )
        found: list[Any] = [None] * node.outputs
        for k, out in zip(product.targets, outs, strict=True):
            found[k] = fit(out, *p.results[k])
        return found


def _door(arrays: Sequence[Array]) -> backend.Backend:
    """Return the backend of the operands; NumPy's scalars may go with any.

    Raises:
        RuntimeError: They live on different devices.
    """
    door = backend.of(arrays[0])
    for a in arrays[1:]:
        other = backend.of(a)
        if other is not door:
            if isinstance(a, np.generic):
                continue
            if not isinstance(arrays[0], np.generic):
                raise different_devices([door.device_of(arrays[0]), other.device_of(a)])
            door = other
    return door


def different_devices(found: Sequence[device]) -> RuntimeError:
    """Return PyTorch's error for operands of several devices."""
    return RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{found[0]} and {found[1]}! Move them to one with .to(device) first."
    )


class Pointwise(Elementwise):
    """A public elementwise operation: a formula, and how its operands are promoted.

    ``promotion`` is "default" (the operands' common type), "float" (integers become the default
    floating point type) or "compare" (as default; the result is bool).
    """

    def __init__(
        self,
        name: str,
        function: str,
        build: Callable[[str], Formula],
        promotion: str,
    ):
        """Make the operation; ``build`` gives its formula over real or complex numbers."""
        super().__init__(name, build(REAL))
        self.function = function
        self.build = build
        self.promotion = promotion
        self.kinds: dict[bool, Elementwise] = {False: self}
        self.parameters: tuple[str, ...] = ()

    @property
    def specializes(self) -> bool:
        """Whether plain operands take a function generated for this operation."""
        known = specialized.eligible(self.formula) and self.promotion != "compare"
        return known and bool(self.name)

    @property
    def source(self) -> str:
        """The text of the function that runs for plain operands; empty where there is none."""
        if not self.specializes:
            return ""
        return specialized.forward_source(self.function, self.formula, self.parameters)

    def of_kind(self, complex_: bool) -> Elementwise:
        """Return the operation itself, or its form for complex operands."""
        found = self.kinds.get(complex_)
        if found is None:
            formula = self.build(COMPLEX)
            if has_order(formula):
                raise NotImplementedError(
                    f'"{self.function}" not implemented for complex numbers, which have no order'
                )
            found = self.kinds[complex_] = Elementwise(self.name, formula)
        return found

    def __call__(self, *operands: Any) -> Any:
        """Return the result of the operation on tensors, arrays and Python numbers.

        Inside a formula the operands are expressions, and so is the result.
        """
        if Expression in map(type, operands):
            inputs = self.formula.inputs
            values = dict(zip(inputs, map(as_expression, operands), strict=True))
            return substitute(self.formula.outputs[0], values)
        prepared, compute = self.prepare(operands)
        op = self.of_kind(compute.kind == "c")
        (out,) = op.evaluate(prepared, compute, [self.result_type(op, compute)])
        return out

    def result_type(self, op: Elementwise, compute: np.dtype[Any]) -> np.dtype[Any]:
        """Return the element type of the result, from the type the operands were promoted to."""
        kind = op.formula.outputs[0].kind
        if kind == BOOL or self.promotion == "compare":
            return _BOOL
        if kind == REAL and compute.kind == "c":
            return np.dtype(f"f{compute.itemsize // 2}")
        return compute

    def prepare(self, operands: Sequence[Any]) -> tuple[list[Any], np.dtype[Any]]:
        """Return the operands on one device, numbers as scalars, and the type to compute in."""
        inputs = self.formula.inputs
        values = [as_operand(self.function, str(v.value), k, o)
                  for k, (v, o) in enumerate(zip(inputs, operands, strict=True))]  # fmt: skip
        common = result_type([o for v, o in zip(inputs, values, strict=True) if v.kind != BOOL])
        if self.promotion == "float" and common.category < _dtype.FLOAT:
            common = _dtype.get_default_dtype()
        compute = common.numpy
        values = to_one_device(values)
        for k, v in enumerate(values):
            if not isinstance(v, TensorBase):
                values[k] = as_scalar(v, compute)
        check_shapes(values)
        return values, compute


_BOOL = np.dtype(bool)


def as_operand(function: str, argument: str, position: int, value: Any) -> Any:
    """Return a tensor as it is, an array as a tensor, a number as a Python number.

    Raises:
        TypeError: ``value`` is none of these.
    """
    if isinstance(value, TensorBase | bool | int | float | complex):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if backend.is_array(value):
        return wrap(value)
    raise errors.must_be_tensor(function, argument, position + 1, value)


def result_type(operands: Sequence[Any]) -> dtype:
    """Return the type that the operands promote to, by PyTorch's rules."""
    found: list[dtype | None] = [None, None, None]  # of tensors with dimensions, 0-d ones, numbers
    for o in operands:
        if isinstance(o, TensorBase):
            d, rank = _dtype.of(o._array.dtype), 0 if o._array.ndim else 1
        else:
            d, rank = _dtype.of_number(o), 2
        before = found[rank]
        found[rank] = d if before is None else _dtype.promote_types(before, d)
    return _dtype.combine(*found)


def as_scalar(value: complex, compute: np.dtype[Any]) -> Any:
    """Return a Python number as a NumPy scalar of the type the operands are computed in."""
    if compute.kind == "f" and compute.itemsize == 2:
        compute = np.dtype(np.float32)
    with np.errstate(all="ignore"):
        if compute.kind in "iu":
            return np.asarray(value).astype(compute)[()]  # wraps around, as PyTorch's does
        return compute.type(value)


def to_one_device(values: list[Any]) -> list[Any]:
    """Return the operands with 0-d tensors of the CPU moved to where the others are."""
    tensors = [v for v in values if isinstance(v, TensorBase)]
    doors = [backend.of(t._array) for t in tensors]
    if all(d is doors[0] for d in doors):
        return values
    elsewhere = [
        d.device_of(t._array) for d, t in zip(doors, tensors, strict=True) if d.type != "cpu"
    ]
    large = [d for d, t in zip(doors, tensors, strict=True) if d.type == "cpu" and t._array.ndim]
    if large:
        raise different_devices([elsewhere[0], device("cpu")])
    return [
        move(v, where=elsewhere[0])
        if isinstance(v, TensorBase) and backend.of(v._array).type == "cpu" else v
        for v in values
    ]  # fmt: skip


def check_shapes(values: Sequence[Any]) -> None:
    """Raise PyTorch's error where the operands' shapes do not broadcast."""
    shapes = [v._array.shape for v in values if isinstance(v, TensorBase)]
    if any(s != shapes[0] for s in shapes[1:]):
        errors.broadcast_shape(*shapes)


# --------------------------------------------------------------------------- everything else


@dataclass
class _Rule:
    """The gradient of one input, as a function of what it names."""

    function: Callable[..., Any]
    names: tuple[str, ...]


def _arrays(door: backend.Backend, tensors: Sequence[Any]) -> list[Array]:
    """Return the arrays of the tensors.

    Raises:
        RuntimeError: One is not of this backend.
    """
    arrays = [t._array for t in tensors]
    for a in arrays:
        other = backend.of(a)
        if other is not door:
            raise different_devices([door.device_of(arrays[0]), other.device_of(a)])
    return arrays


class Operation:
    """An operation over whole arrays, with one gradient rule per input.

    ``forward(door, *arrays, **params)`` computes on raw arrays.  ``kind`` says how tangents pass:
    "linear" and "bilinear" operations are their own forward mode, for a "composite" one it is
    derived by transposing its backward.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        kind: str,
        view: bool = False,
        outputs: tuple[str, ...] = ("out",),
    ):
        """Make the operation whose backward node is called ``name``."""
        self.name = name
        self.forward = forward
        self.kind = kind
        self.view = view
        self.output_names = outputs
        parameters = list(inspect.signature(forward).parameters.values())[1:]
        self.variadic = bool(parameters) and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
        self.input_names = tuple(
            p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        # where a saved input or output stands among the saved values
        self.places = {n: k for k, n in enumerate((*self.input_names, *outputs))}
        self.rules: dict[str, _Rule] = {}
        self.keeps: dict[tuple[tuple[bool, ...], int], tuple[bool, ...] | None] = {}

    def __repr__(self) -> str:
        return f"<{self.kind} operation {self.name.removesuffix('0').removesuffix('Backward')}>"

    def named(self, name: str) -> Operation:
        """Return the same operation with another name of its backward node."""
        other = copy(self)  # the rules are shared, also those that are declared later
        other.name = name
        return other

    def gradient(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the gradient of the input that the function is named after.

        With several results or any number of inputs the function is called ``inputs`` and
        receives and returns tuples.
        """
        names = tuple(inspect.signature(function).parameters)
        self.rules[function.__name__] = _Rule(function, names)
        return function

    def __call__(self, *tensors: Any, **params: Any) -> Any:
        """Return the result as a tensor, or a tuple of them, recorded where needed."""
        first = tensors[0]
        if self.view:
            own_array(first)
        door = backend.of(first._array)
        if len(tensors) == 1:
            result = self.forward(door, first._array, **params)
        else:
            result = self.forward(door, *_arrays(door, tensors), **params)
        several = result.__class__ is tuple
        outs = tuple(map(wrap, result)) if several else (wrap(result),)
        if mode.enabled:
            inputs = edges(tensors)
            if inputs is not None:
                self._record(door, tensors, inputs, outs, params)
        if self.view:
            self._mark_views(first, outs)
        return outs if several else outs[0]

    def _mark_views(self, tensor: TensorBase, outs: Sequence[TensorBase]) -> None:
        base = tensor if tensor._view is None else tensor._view.base
        counter = shared_counter(tensor)
        multiple = "" if self.output_names else self.name
        for out in outs:
            out._counter = counter
            out._view = View(base, multiple, mode.enabled)

    def _record(
        self,
        door: backend.Backend,
        tensors: Sequence[Any],
        inputs: tuple[Any, ...],
        outs: Sequence[TensorBase],
        params: dict[str, Any],
    ) -> None:
        keeps = self._kept(tuple([e is not None for e in inputs]), len(outs))
        saved: tuple[Any, ...] = ()
        if keeps is not None:
            kept = [t if k else None for t, k in zip(tensors, keeps, strict=False)]
            kept += [
                saved_output(o) if k else None
                for o, k in zip(outs, keeps[len(tensors) :], strict=True)
            ]
            saved = tuple(kept)
        likes = tuple([(t._array.shape, t._array.dtype, door.device_of(t._array)) for t in tensors])
        out_likes = tuple(map(like, outs)) if len(outs) > 1 or self.kind == "composite" else ()
        node = record(
            self, inputs, saved, versions_of(saved), (likes, out_likes, params), len(outs)
        )
        for k, out in enumerate(outs):
            if out._array.dtype.kind in "fc":
                out._edge = node if len(outs) == 1 else Output(node, k)

    def _kept(self, needs: tuple[bool, ...], outputs: int) -> tuple[bool, ...] | None:
        """Return which inputs and outputs are saved where these inputs need a gradient."""
        key = (needs, outputs)
        if key not in self.keeps:
            known = ("inputs",) * len(needs) if self.variadic else self.input_names
            named = {n for n, needed in zip(known, needs, strict=True) if needed}
            rules = [r for n, r in self.rules.items() if n in named or n == "inputs"]
            asked = {name for rule in rules for name in rule.names}
            results = self.output_names or ("out",) * outputs
            keeps = tuple(n in asked for n in (*known, *results))
            self.keeps[key] = keeps if True in keeps else None
        return self.keeps[key]

    def backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> list[Any]:
        """Return the gradients of the inputs that ``needs`` marks."""
        likes, out_likes, params = node.params
        count = len(likes)
        saved = unpack(node, count)
        g: Any = grads[0]
        if not self.output_names:
            g = tuple(
                zeros(Like(*o)) if x is None else x for x, o in zip(grads, out_likes, strict=True)
            )
        if self.variadic:
            known = {"g": g, "likes": [Like(*o) for o in likes], "needs": needs, **params}
            rule = self.rules["inputs"]
            results = list(rule.function(*[known[n] for n in rule.names]))
        else:
            results = [None] * count
            for k, name in enumerate(self.input_names):
                if needs[k] and name in self.rules:
                    results[k] = self._ruled(self.rules[name], g, likes[k], saved, params)
        for k, result in enumerate(results):
            if result is not None:
                results[k] = fit(result, likes[k][0], likes[k][1])
        return results

    def _ruled(
        self, rule: _Rule, g: Any, known: tuple[Any, ...], saved: Sequence[Any], params: Any
    ) -> Any:
        """Return what a rule gives for the values that it names."""
        values = []
        for name in rule.names:
            if name == "g":
                values.append(g)
            elif name == "like":
                values.append(Like(*known))
            elif name in self.places:
                values.append(saved[self.places[name]])
            else:
                values.append(params[name])
        return rule.function(*values)

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a node's outputs, ``None`` where they do not move."""
        likes, _, params = node.params
        if self.kind == "linear":
            filled = [
                zeros(Like(*o)) if t is None else t for t, o in zip(tangents, likes, strict=True)
            ]
            result = self(*filled, **params)
            return list(result) if isinstance(result, tuple) else [result]
        if self.kind == "bilinear":
            saved = unpack(node, len(likes))
            terms = [
                self(*(t if j == k else s for j, s in enumerate(saved[: len(likes)])), **params)
                for k, t in enumerate(tangents)
                if t is not None
            ]
            return [terms[0] if len(terms) == 1 else terms[0] + terms[1]]
        return self._transposed_twice(node, tangents)

    def _transposed_twice(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents by differentiating the backward, which is linear in its gradient.

        Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
        """
        _, out_likes, _ = node.params
        moving = [t is not None for t in tangents]
        with recording(True):
            dummy = zeros(Like(*out_likes[0]))
            dummy._edge = LEAF
            grads = [dummy, *(None for _ in out_likes[1:])]
            results = self.backward(node, grads, moving)
            roots = []
            for g, t in zip(results, tangents, strict=True):
                edge = None if g is None else edge_of(g)
                if edge is not None and t is not None:
                    roots.append((edge, t))
            captured = Captured([dummy])
            walk(roots, ARITHMETIC, True, captured)
        return [captured.results()[0], *(None for _ in out_likes[1:])]


Forward = Callable[..., Any]


def linear(
    name: str, view: bool = False, outputs: tuple[str, ...] = ("out",)
) -> Callable[[Forward], Operation]:
    """Declare an operation that is linear in its tensors: its rule is its transpose."""
    return lambda forward: Operation(name, forward, "linear", view, outputs)


def bilinear(name: str) -> Callable[[Forward], Operation]:
    """Declare an operation that is linear in each of two tensors."""
    return lambda forward: Operation(name, forward, "bilinear")


def composite(name: str, outputs: tuple[str, ...] = ("out",)) -> Callable[[Forward], Operation]:
    """Declare an operation whose gradient is composed of other operations."""
    return lambda forward: Operation(name, forward, "composite", False, outputs)


# The four linear operations by which a gradient is made to fit its input.


@linear("SumBackward0")
def sum_to(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    """Sum to a shape that broadcasts to the input's."""
    extra = input.ndim - len(shape)
    axes = tuple(
        k for k, n in enumerate(input.shape) if k < extra or (shape[k - extra] == 1 and n != 1)
    )
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
    return backend.of_device(where).from_numpy(door.to_numpy(input), where)


@move.gradient
def input(g: Any, like: Like) -> Any:
    return move(g, where=like.device)


# --------------------------------------------------------------------------- declaring formulas

OPS: dict[str, Pointwise] = {}  # every declared formula, by the name of its function


def pointwise(
    text: str,
    name: str = "",
    promotion: str = "default",
    kinds: dict[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an elementwise operation by its formula; the decorated function is its rule.

    The rule's parameters are ``g`` (the cotangent), the inputs by the names they have in the
    formula, and ``out`` (the result); what it names is what is saved.  It returns, for each input,
    an expression that is linear in ``g``.  A rule without parameters leaves the derivative to the
    parts of the formula.

    Args:
        text: The formula, such as ``"x * y"``.
        name: The name of the backward node; empty where there is no gradient.
        promotion: See :class:`Pointwise`.
        kinds: Inputs that are not numbers, such as ``{"condition": "bool"}``.
    """
    names, built = parse(text)

    def declare(rule: Callable[..., Any]) -> Callable[..., Any]:
        function = rule.__name__
        asked = tuple(inspect.signature(rule).parameters)
        example = built(*(variable(n, COMPLEX) for n in names))
        # a second operation of one function (clamp is a maximum too) has a derivative of its own
        primitive = (
            all(a.function == "variable" for a in example.args)
            and example.function not in DERIVATIVES
        )
        make = built
        if asked and not primitive:
            FUNCTIONS[function] = Function(definition=built)
            make = partial(call, function)
        if asked:
            key = example.function if primitive else function
            DERIVATIVES[key] = Derivative(rule, names, asked)

        def build(kind: str) -> Formula:
            inputs = [variable(n, (kinds or {}).get(n, kind)) for n in names]
            return Formula(function, inputs, (make(*inputs),), by_rule=bool(asked))

        OPS[function] = op = Pointwise(name, function, build, promotion)
        return _public(op, rule.__doc__ or "")

    return declare


_PARAMETERS = {1: ("input",), 2: ("input", "other"), 3: ("input", "min", "max")}


def _public(op: Pointwise, doc: str) -> Callable[..., Any]:
    """Return the function that users call, generated so that it has PyTorch's parameter names."""
    names = [str(v.value) for v in op.formula.inputs]
    if names == ["condition", "x", "y"]:
        parameters: tuple[str, ...] = ("condition", "input", "other")
    else:
        parameters = _PARAMETERS[len(names)]
    op.parameters = parameters
    if op.specializes:
        function = specialized.forward(op, parameters)
        function.__doc__ = doc
        function.op = op  # type: ignore[attr-defined]
        return function
    arguments = ", ".join(parameters)
    namespace: dict[str, Any] = {"op": op}
    source = f"def {op.function}({arguments}):\n    return op({arguments})\n"
    exec(compile(source, f"<gpugrad {op.function}>", "exec"), namespace)
    function = namespace[op.function]
    function.__doc__ = doc
    function.op = op
    return function
