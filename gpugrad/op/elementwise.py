"""Elementwise operations: a formula that runs on tensors and is differentiated."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT
from gpugrad.backend import cpu
from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    REAL,
    TORCH,
    Expression,
    Formula,
    Product,
    as_expression,
    has_order,
    substitute,
)
from gpugrad.graph import (
    Node,
    Output,
    TensorBase,
    inferring,
    mark,
    mode,
    record,
)
from gpugrad.op.attribute import attribute, pytorchs
from gpugrad.op.dual import carry, has_tangents, plain
from gpugrad.op.exhaustion import tell
from gpugrad.op.generated import inplace
from gpugrad.op.generated import pointwise as generated
from gpugrad.op.observed import watcher
from gpugrad.op.operation import arriving, fit, together
from gpugrad.op.promotion import as_operand, as_scalar, check_shapes, result_type, to_one_device
from gpugrad.op.rule import Recorded, Rule
from gpugrad.op.saved import (
    Numbers,
    descended,
    edges,
    like,
    saved_output,
    subclasses,
    unpack,
    up_to_date,
    versions_of,
    wrap,
    zeros,
)

Array = Any
Shape = tuple[int, ...]


class _Output(NamedTuple):
    """An output of several that has a node of its own."""

    op: Elementwise  # which computes it alone
    sources: tuple[int, ...]  # its operands among those of all


class _Part(NamedTuple):
    """Some gradients of one node that one kernel computes."""

    op: Elementwise | None  # None: the gradient is a value that is there already, or all zeros
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    summed: int | None  # which of them is summed, to the shape of its input
    apart: tuple[_Output, ...] = ()  # how each is recorded, so that they can be freed one by one


class Elementwise:
    """A formula that can be run on tensors and differentiated."""

    constants: Mapping[str, Any] = {}  # attributes of all its nodes, by PyTorch's names
    leading = 0  # the operand that is a tensor where a call is plain
    total: Callable[..., Any] | None = None  # of NumPy's vectors, where a call is its sum over them

    def __init__(self, name: str, formula: Formula):
        """Make the operation whose backward node is called ``name``."""
        self.name = name
        self.formula = formula
        self.function = formula.name
        self.parameters = tuple(f"operand{k}" for k in range(len(formula.inputs)))
        self.arguments = tuple(str(v.value) for v in formula.inputs)  # by PyTorch's names
        self.plans: dict[tuple[object, ...], tuple[_Part, ...]] = {}
        self.products: dict[tuple[Formula, tuple[str, ...]], Elementwise] = {}
        self.others: dict[str, Elementwise] = {}
        self.rules: dict[tuple[tuple[bool, ...], int], Rule] = {}
        self.plain: dict[tuple[tuple[bool, ...], bool, Any], Rule] = {}

    def __repr__(self) -> str:
        return f"<elementwise {self.formula!r}>"

    def named(self, name: str) -> Elementwise:
        """Return the same operation with another name of its backward node."""
        if name not in self.others:
            self.others[name] = other = Elementwise(name, self.formula)
            other.arguments, other.constants = self.arguments, self.constants
            other.parameters = self.parameters
        return self.others[name]

    @functools.cached_property
    def in_math(self) -> Elementwise:
        """The operation as it is differentiated by the convention "math"."""
        formula = self.formula.in_math
        if formula is self.formula:
            return self
        op = Elementwise(self.name, formula)
        op.arguments = self.arguments
        return op

    def evaluate(
        self,
        operands: Sequence[Any],
        compute: np.dtype[Any],
        results: Sequence[np.dtype[Any]],
        sum_to: Shape | None = None,
        summed: int = 0,
        apart: Sequence[_Output] = (),
    ) -> list[Any]:
        """Return the outputs as tensors, recorded where an operand needs a gradient.

        Operands are tensors or NumPy scalars, of one device; ``results`` are the element types of
        the outputs.  With ``sum_to`` the output ``summed`` is summed to that shape.  Outputs that
        are ``apart`` have a node each.
        """
        door, operands, arrays = together(operands)
        watching = watcher(self.name, operands) if mode.calls else None
        known: Sequence[Array] | None = watching.kept(self.name) if watching else None
        if known is None:
            try:
                found = door.evaluate(self.formula, arrays, compute, results, sum_to, summed=summed)
            except MemoryError as error:
                tell(error)
                raise
            outs = [wrap(a) for a in found]
            if mode.replay is not None:
                mode.replay.all_made(outs, operands)
        else:
            outs = [wrap(a) for a in known]
        if subclasses:
            outs = descended(outs, operands)
        self.finish(operands, arrays, outs, compute, apart)
        if watching:
            watching.made(self.name, operands, {}, outs[0] if len(outs) == 1 else tuple(outs))
        return outs

    def finish(
        self,
        operands: Sequence[Any],
        arrays: Sequence[Array],
        outs: Sequence[TensorBase],
        compute: np.dtype[Any],
        apart: Sequence[_Output] = (),
    ) -> None:
        """Record a call where an operand needs a gradient, and carry the operands' tangents."""
        inputs = edges(operands) if self.name else None  # without it there is no gradient
        if inputs is not None and not apart:
            self.record(operands, arrays, inputs, outs, compute)
        elif inputs is not None:
            for out, (op, sources) in zip(outs, apart, strict=True):
                own = tuple([inputs[s] for s in sources])
                if any(edge is not None for edge in own):
                    values = [operands[s] for s in sources]
                    op.record(values, [arrays[s] for s in sources], own, [out], compute)
        if inferring:
            for out in outs:
                if out._edge is None:
                    mark(out)
        if mode.levels and has_tangents(operands):
            op = self if mode.conventions[-1] == TORCH else self.in_math
            call = _described(arrays, outs, compute)
            carry(operands, outs, lambda values, moving, _: op._moved(call, values, moving))

    def record(
        self,
        operands: Sequence[Any],
        arrays: Sequence[Array],
        inputs: tuple[Any, ...],
        outs: Sequence[TensorBase],
        compute: np.dtype[Any],
    ) -> None:
        """Make the node of a call and attach it to the outputs."""
        if mode.conventions[-1] != TORCH and self.in_math is not self:
            self.in_math.record(operands, arrays, inputs, outs, compute)
            return
        count = len(outs)
        needs = self.formula.depends(tuple(e is not None for e in inputs))
        if True not in needs:
            return
        inputs = tuple([e if needed else None for e, needed in zip(inputs, needs, strict=True)])
        product = self.formula.vjp(needs, (True,) * count)
        saved: list[Any] = [None] * (len(operands) + count)
        for s in product.sources:
            if s >= count:
                k = s - count
                own = k < len(operands)
                saved[k] = plain(operands[k]) if own else saved_output(outs[k - len(operands)])
        if saved.count(None) == len(saved):
            saved = []
        params = _described(arrays, outs, compute)
        factors = generated.FACTORS.intersection(self.parameters)
        scaled = factors and not any(
            s is not None
            for s, p in itertools.zip_longest(saved, self.parameters)
            if p not in factors
        )
        kept = Numbers(saved) if scaled else tuple(saved)
        node = record(self.rule(needs, count), inputs, kept, versions_of(kept), params)
        for k, out in enumerate(outs):
            if out._array.dtype.kind in INEXACT and (
                count == 1 or any(self.formula.depends(needs, k))
            ):
                out._edge = node if count == 1 else Output(node, k)

    def rule(self, needs: tuple[bool, ...], outputs: int) -> Rule:
        """Return how calls are differentiated by the inputs that ``needs`` marks."""
        key = needs, outputs
        if key not in self.rules:
            self.rules[key] = Rule(self, needs, outputs, self.rule)
        return self.rules[key]

    def plain_rule(self, needs: tuple[bool, ...], wide: bool, door: Any = None) -> Rule:
        """Return the same for plain operands, whose shapes differ where it is ``wide``.

        They are NumPy's, or those of a GPU's backend.
        """
        key = needs, wide, door
        if key not in self.plain:
            rule = Rule(self, needs, 1, lambda needs, outputs: self.plain_rule(needs, wide, door))

            def specialize(node: Node, g: Any) -> Sequence[Any]:
                rule.backward = generated.backward(rule, wide, door)
                return rule.backward(node, g)

            rule.backward = specialize
            self.plain[key] = rule
        return self.plain[key]

    def backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> list[Any]:
        """Return the gradients of the inputs, by one kernel and one for each broadcast input."""
        p = self._recorded(node, grads[0])
        count = len(self.formula.inputs)
        saved = unpack(node, count)
        values = (*grads, *saved)
        results: list[Any] = [None] * count
        dtypes = [arriving(e, d, p.compute) for e, d in zip(node.inputs, p.dtypes, strict=True)]
        reduced = () if p.shapes is None else tuple(s != p.shape for s in p.shapes)
        for part in self.plan(tuple(needs), tuple(g is not None for g in grads), reduced):
            shapes = [p.shape if p.shapes is None else p.shapes[k] for k in part.targets]
            if not part.sources:
                example = next(g for g in grads if g is not None)
                outs = [zeros(like(example)._replace(shape=shapes[0]))]
            elif part.op is None:
                outs = [values[part.sources[0]]]
            else:
                operands = [values[s] for s in part.sources]
                kinds = [dtypes[k] for k in part.targets]
                sum_to = None if part.summed is None else shapes[part.summed]
                outs = part.op.evaluate(
                    operands, p.compute, kinds, sum_to, part.summed or 0, part.apart
                )
            for k, shape, out in zip(part.targets, shapes, outs, strict=True):
                results[k] = fit(out, shape, p.dtypes[k], node.inputs[k])
        return results

    def parted(
        self, needs: tuple[bool, ...], values: Sequence[Array], shapes: Sequence[Shape]
    ) -> list[Any]:
        """Return the gradients of inputs of these shapes as :meth:`backward` does, as arrays.

        ``values`` are the gradient and what was saved, arrays of one type.
        """
        g = values[0]
        door, kind = backend.of(g), g.dtype
        results: list[Any] = [None] * len(shapes)
        reduced = tuple([shape != g.shape for shape in shapes])
        for part in self.plan(needs, (True,), reduced):
            arrays = [values[s] for s in part.sources]
            first = part.targets[0]
            found: Sequence[Any]
            if not part.sources:
                found = [door.full(shapes[first], 0, kind, door.device_of(g))]
            elif part.op is not None:
                sum_to = None if part.summed is None else shapes[part.targets[part.summed]]
                kinds = (kind,) * len(part.targets)
                found = door.evaluate(
                    part.op.formula, arrays, kind, kinds, sum_to, summed=part.summed or 0
                )
            elif reduced[first]:
                formula = self.formula.vjp(_only(first, needs), (True,)).formula
                found = door.evaluate(formula, arrays, kind, (kind,), shapes[first])
            else:
                found = arrays
            for k, array in zip(part.targets, found, strict=True):
                results[k] = array
        return results

    def _recorded(self, node: Node, example: Any) -> Recorded:
        """Return what is known of a call; a plain one has operands of the type of ``example``."""
        if isinstance(node.params, Recorded):
            return node.params
        dtype, count = example._array.dtype, len(self.formula.inputs)
        shapes: tuple[Shape, ...] | None = node.params
        shape = example._array.shape if shapes is None else np.broadcast_shapes(*shapes)
        return Recorded(dtype, shape, shapes, (dtype,) * count, ((shape, dtype),))

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
        together, summed, parts = [False] * len(needs), list[int](), []
        for k, e in zip(whole.targets, whole.formula.outputs, strict=True):
            if e.function == "variable":  # a value handed on: no arithmetic, no memory
                product = self.formula.vjp(_only(k, needs), defined)
                parts.append(_Part(None, product.sources, product.targets, None))
            elif (
                e.function == "constant" and reduced and reduced[k]
            ):  # which no cotangent's shape has
                parts.append(_Part(None, (), (k,), None))
            elif reduced and reduced[k]:
                summed.append(k)
            else:
                together[k] = True
        if any(together):
            # one pass over the operands also adds up the gradient of one that was broadcast
            for k in summed[:1]:
                together[k] = True
            parts.append(self._part(together, defined, summed[:1]))
            del summed[:1]
        # A sum's formula is linear in a cotangent of full shape, so that what is summed has the
        # full shape, too, at every order.
        parts += [self._part(_only(k, needs), defined, [k]) for k in summed]
        return parts

    def _part(
        self, needs: Sequence[bool], defined: tuple[bool, ...], summed: Sequence[int]
    ) -> _Part:
        product = self.formula.vjp(tuple(needs), defined)
        index = product.targets.index(summed[0]) if summed else None
        apart = []
        for k in product.targets if len(product.targets) > 1 else ():
            own = self.formula.vjp(_only(k, needs), defined)
            places = tuple([product.sources.index(s) for s in own.sources])
            apart.append(_Output(self.derived(own), places))
        return _Part(self.derived(product), product.sources, product.targets, index, tuple(apart))

    fit = staticmethod(fit)

    @property
    def specializes(self) -> bool:
        """Whether plain operands take a function generated for this operation."""
        return True

    @property
    def unrecorded(self) -> frozenset[np.dtype[Any]]:
        """The types whose plain operands take a generated function that records nothing."""
        return frozenset()

    @functools.cached_property
    def plain_function(self) -> Callable[..., Any]:
        """The formula as a function of tensors, generated for plain ones of one type."""

        def general(*operands: Any) -> Any:
            dtype = operands[0]._array.dtype
            return self.evaluate(operands, dtype, [dtype])[0]

        return generated.forward(self, general, generated.SAVED)

    def derived(self, product: Product, tangents: int | None = None) -> Elementwise:
        """Return the operation that computes some gradients, or outputs' tangents, of this one.

        Its factors are called as they are here.
        """
        start = len(self.formula.outputs) if tangents is None else tangents
        known = dict(enumerate(self.parameters, start))
        names = [known.get(s) for s in product.sources]
        parameters = tuple(
            [n if n in generated.FACTORS else f"operand{k}" for k, n in enumerate(names)]
        )
        op = self.products.get((product.formula, parameters))
        if op is None:
            op = self.products[product.formula, parameters] = Elementwise(
                self.name.removesuffix("0") + "Backward0", product.formula
            )
            op.parameters = parameters
        return op

    attribute = staticmethod(attribute)

    def facts(self, node: Node) -> Mapping[str, Any]:
        """Return what is known of a call besides what it saved, by PyTorch's names."""
        return _ABSENT.get(self.name, self.constants)

    def saved_names(self, node: Node) -> list[str | None]:
        """Return PyTorch's names of what calls save; ``None`` for what none does."""
        count, outputs = len(self.formula.inputs), node.outputs
        sources = self.formula.vjp((True,) * count, (True,) * outputs).sources
        known = (*self.arguments, *("out",) * outputs)
        return pytorchs([n if k + outputs in sources else None for k, n in enumerate(known)])

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """Return what a call saved."""
        return unpack(node, len(self.formula.inputs))

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a node's outputs, ``None`` where they do not move."""
        call = self._recorded(node, next(t for t in tangents if t is not None))
        return self._moved(call, self.unpacked(node), tangents)

    def _moved(self, p: Recorded, known: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a call's outputs; ``known`` are its operands and outputs."""
        product = self.formula.jvp(tuple(t is not None for t in tangents))
        found: list[Any] = [None] * len(p.results)
        if not product.targets:
            return found
        values = (*tangents, *known)
        shapes = [p.results[k][0] for k in product.targets]
        summed = next((k for k, shape in enumerate(shapes) if shape != p.shape), None)
        outs = self.derived(product, len(tangents)).evaluate(
            [values[s] for s in product.sources],
            p.compute,
            [p.results[k][1] for k in product.targets],
            None if summed is None else shapes[summed],
            summed or 0,
        )
        for k, out in zip(product.targets, outs, strict=True):
            found[k] = fit(out, *p.results[k])
        return found


def _only(index: int, needs: Sequence[bool]) -> tuple[bool, ...]:
    return tuple(k == index for k in range(len(needs)))


def _described(
    arrays: Sequence[Array], outs: Sequence[TensorBase], compute: np.dtype[Any]
) -> Recorded:
    """Return what the derivatives of a call must know besides its operands and outputs."""
    shapes = tuple(a.shape for a in arrays)
    shape = shapes[0]
    equal = all(s == shape for s in shapes)
    if not equal:
        shape = np.broadcast_shapes(*shapes)
    return Recorded(
        compute,
        shape,
        None if equal else shapes,
        tuple(a.dtype for a in arrays),
        tuple((o._array.shape, o._array.dtype) for o in outs),
    )


# Attributes of nodes whose calls had no such operand.
_ONE, _NONE = {"_saved_alpha": 1}, {"_saved_min": None, "_saved_max": None}
_BOTH, _VALUE = {"_saved_alpha": 1, "_saved_beta": 1}, {"_saved_value": 1}
_ABSENT: dict[str, dict[str, Any]] = {
    "AddBackward0": _ONE, "SubBackward0": _ONE, "RsubBackward1": _ONE, "ClampBackward0": _NONE,
    "ClampBackward1": _NONE, "AddbmmBackward0": _BOTH, "AddmmBackward0": _BOTH,
    "AddmvBackward0": _BOTH, "AddrBackward0": _BOTH, "BaddbmmBackward0": _BOTH,
    "AddcdivBackward0": _VALUE, "AddcmulBackward0": _VALUE, "LogitBackward0": {"_saved_eps": None},
}  # fmt: skip
_BOOL = np.dtype(bool)
# Of which categories operands are taken, from the lowest to the highest.
_TAKEN = {
    "real": (_dtype.BOOL, _dtype.FLOAT),
    "integer": (_dtype.BOOL, _dtype.INTEGER),
    "whole": (_dtype.INTEGER, _dtype.INTEGER),
    "number": (_dtype.INTEGER, _dtype.FLOAT),
    "numeric": (_dtype.INTEGER, _dtype.COMPLEX),
    "floating": (_dtype.FLOAT, _dtype.FLOAT),
    "inexact": (_dtype.FLOAT, _dtype.COMPLEX),
}
_PARAMETERS = {1: ("input",), 2: ("input", "other"), 3: ("input", "min", "max")}


class Pointwise(Elementwise):
    """A public elementwise operation: a formula, and how its operands are promoted.

    ``promotion`` is "default" (the operands' common type), "float" (integers become the default
    floating point type), "real" (as float; complex numbers are not taken), "compare" (as default;
    the result is bool), or as default of some types only: "integer" (integers and bools), "whole"
    (integers), "number" (integers and floating point types), "numeric" (these and complex ones),
    "inexact" (floating point and complex types) or "floating" (floating point types; numbers among
    the operands are none that promote).
    ``refused`` is what PyTorch raises for the types of a category, where that is another error, and
    ``kernel`` what it calls the function in that of other types, where that is another name; in it
    ``{}`` is the type of the device.
    ``numbered`` are names of the backward node where operands are numbers, by their places.
    ``needs_tensor`` says that numbers alone are no operands.
    ``leading`` is the place of the operand that is a tensor where a call is plain.
    """

    def __init__(
        self,
        name: str,
        function: str,
        build: Callable[[str], Formula],
        promotion: str,
        parameters: tuple[str, ...] = (),
        refused: Mapping[int, RuntimeError] = MappingProxyType({}),
        kernel: str = "",
        numbered: Mapping[int, str] = MappingProxyType({}),
        needs_tensor: bool = False,
        leading: int = 0,
    ):
        """Make the operation that users call ``function``, with parameters of these names.

        ``build`` gives its formula over real or complex numbers.
        """
        super().__init__(name, build(REAL))
        self.function = function
        self.parameters = parameters or _PARAMETERS[len(self.formula.inputs)]
        self.arguments = self.parameters
        self.build = build
        self.promotion = promotion
        self.refused = refused
        self.kernel = kernel or f"{function}_{{}}"
        self.numbered = numbered
        self.needs_tensor = needs_tensor
        self.leading = leading
        self.kinds: dict[bool, Elementwise] = {False: self}

    @property
    def specializes(self) -> bool:
        """Whether plain operands take a function generated for this operation.

        It has a gradient, and is of real numbers only.
        """
        return bool(self.name) and self._of_real and self.promotion != "compare"

    @functools.cached_property
    def unrecorded(self) -> frozenset[np.dtype[Any]]:
        """The types whose plain operands take a generated function that records nothing.

        They are those in which the formula itself is computed, and floating point types only where
        the operation does not specialize.
        """
        if not self._of_real or self.total is not None or cpu.is_typed(self.formula):
            return frozenset()
        kinds = frozenset() if self.specializes else generated.FLOATS
        if self.promotion not in ("float", "real"):
            kinds |= generated.EXACT
        lowest, highest = self.taken
        return frozenset(
            kind
            for kind in kinds
            if lowest <= (category := _dtype.of(kind).category) <= highest
            and category not in self.refused
        )

    @property
    def tells(self) -> bool:
        """Whether the result is a truth value."""
        return self.promotion == "compare" or self.formula.outputs[0].kind == BOOL

    @property
    def _of_real(self) -> bool:
        return all(v.kind in (REAL, BOOL) for v in self.formula.inputs)

    @property
    def source(self) -> str:
        """The text of the function that runs for plain operands; empty where there is none."""
        if self.specializes:
            return generated.forward_source(self)
        return generated.short_source(self) if self.unrecorded else ""

    @property
    def inplace_source(self) -> str:
        """The text of the function that writes into plain operands; empty where there is none."""
        if not self.specializes:
            return ""
        return inplace.source(f"{self.function}_", self.formula, self.parameters)

    def of_kind(self, complex_: bool) -> Elementwise:
        """Return the operation itself, or its form for complex operands."""
        found = self.kinds.get(complex_)
        if found is None:
            found = self.kinds[complex_] = Elementwise(self.name, self.build(COMPLEX))
            found.arguments, found.constants = self.arguments, self.constants
            found.parameters = self.parameters
        return found

    @functools.cached_property
    def taken(self) -> tuple[int, int]:
        """The lowest and the highest category of operands; those that have an order are real."""
        lowest, highest = _TAKEN.get(self.promotion, (_dtype.BOOL, _dtype.COMPLEX))
        if _dtype.COMPLEX in self.refused or (
            highest == _dtype.COMPLEX and has_order(self.build(COMPLEX))
        ):
            highest = _dtype.FLOAT
        return lowest, highest

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
        for place, name in self.numbered.items():
            if not isinstance(prepared[place], TensorBase):
                op = op.named(name)
        (out,) = op.evaluate(prepared, compute, [self.result_type(op, compute)])
        return out

    def result_type(self, op: Elementwise, compute: np.dtype[Any]) -> np.dtype[Any]:
        """Return the element type of the result, from the type the operands were promoted to."""
        if self.tells:
            return _BOOL
        if op.formula.outputs[0].kind == REAL and compute.kind == "c":
            return np.dtype(f"f{compute.itemsize // 2}")
        return compute

    def prepare(self, operands: Sequence[Any]) -> tuple[list[Any], np.dtype[Any]]:
        """Return the operands on one device, numbers as scalars, and the type to compute in."""
        inputs = self.formula.inputs
        values = [
            as_operand(self.function, parameter, k, o)
            for k, (parameter, o) in enumerate(zip(self.parameters, operands, strict=True))
        ]
        for v in values:
            if isinstance(v, TensorBase):
                up_to_date(v)
        if self.needs_tensor:
            self.check_tensor(values)
        typed = [o for v, o in zip(inputs, values, strict=True) if v.kind != BOOL]
        if self.promotion == "floating":
            typed = [o for o in typed if isinstance(o, TensorBase)]
        common = result_type(typed)
        error = self.refused.get(common.category)
        if self.promotion in ("float", "real") and common.category < _dtype.FLOAT:
            common = _dtype.get_default_dtype()
        compute = common.numpy
        values = to_one_device(values)
        check_shapes(values)
        if error is not None:
            raise type(error)(*error.args)
        lowest, highest = self.taken
        if not lowest <= common.category <= highest:
            tensors = [v for v in values if isinstance(v, TensorBase)]
            where = backend.of(tensors[0]._array).type if tensors else "cpu"
            kernel = self.kernel.format(where)
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{common.title}'")
        for k, v in enumerate(values):
            if not isinstance(v, TensorBase):
                values[k] = as_scalar(v, self.type_of(k, compute))
        if not any(isinstance(v, TensorBase) for v in values):
            given = ", ".join(type(v).__name__ for v in operands)
            raise TypeError(
                f"{self.function}() received an invalid combination of arguments - got ({given}), "
                "but expected one of them to be a Tensor"
            )
        return values, compute

    def check_tensor(self, values: Sequence[Any]) -> None:
        """Raise where all operands are numbers.

        Raises:
            TypeError: They are.
        """
        if not any(isinstance(v, TensorBase) for v in values):
            kinds = ", ".join(type(v).__name__ for v in values)
            raise TypeError(
                f"{self.function}() received an invalid combination of arguments - got ({kinds})"
            )

    def type_of(self, place: int, compute: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of a number among operands that are computed in ``compute``."""
        if compute.kind == "c" and self.of_kind(True).formula.inputs[place].kind == REAL:
            return np.dtype(f"f{compute.itemsize // 2}")
        return compute


class Underivable(Pointwise):
    """An operation whose derivative is not known, in PyTorch neither: a backward raises."""

    specializes = False

    def record(
        self,
        operands: Sequence[Any],
        arrays: Sequence[Array],
        inputs: tuple[Any, ...],
        outs: Sequence[TensorBase],
        compute: np.dtype[Any],
    ) -> None:
        """Make the node of a call; it saves nothing."""
        if compute.kind in INEXACT:
            needs = tuple([e is not None for e in inputs])
            params = _described(arrays, outs, compute)
            outs[0]._edge = record(self.rule(needs, 1), inputs, (), (), params)

    def backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> list[Any]:
        """Raise that there is no derivative.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(f"derivative for aten::{self.function} is not implemented")

    def _moved(self, p: Recorded, known: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        raise NotImplementedError(
            f"Trying to use forward AD with aten::{self.function} that does not support it."
        )
