"""What a kernel's text became: formulas, and between them reads of raw arrays, and loops.

Loops whose number of turns is known are part of a formula.  The others run turn by turn: each turn
is one fused operation on the elements' variables, and elements that have left the loop keep theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import Batched
from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    FUNCTIONS,
    INTEGER,
    REAL,
    Expression,
    Formula,
    call,
    constant,
    ordered,
    variable,
)
from gpugrad.graph import TensorBase
from gpugrad.op import Elementwise, expand_to
from gpugrad.op.promotion import as_scalar
from gpugrad.op.saved import up_to_date
from gpugrad.ops.indexing import getitem

DType = np.dtype[Any]
Shape = tuple[int, ...]
Values = dict[Expression, Any]


NUMBER = variable("i_", INTEGER)  # that of the element


@dataclass(frozen=True)
class Read:
    """An element of a raw array: ``variable`` is what stands at ``index``."""

    variable: Expression
    raw: str
    index: Expression


@dataclass(frozen=True)
class Turns:
    """A loop that runs turn by turn.

    ``alive`` marks the elements that take another turn; the body's outputs are its next value, and
    those of ``carried``, which begin as ``starts`` and end as ``results``.
    """

    alive: Expression
    carried: tuple[Expression, ...]
    starts: tuple[Expression, ...]
    body: Program
    results: tuple[Expression, ...]


@dataclass(frozen=True)
class Write:
    """What goes to a raw array where ``holds``: it is set, or added."""

    raw: str
    index: Expression
    value: Expression
    holds: Expression
    added: bool


@dataclass(eq=False)
class Program:
    """Steps, and then the outputs."""

    steps: tuple[Read | Turns, ...]
    outputs: tuple[Expression, ...]
    writes: tuple[Write, ...] = ()
    fused: dict[tuple[Expression, ...], Fused] = field(default_factory=dict)
    alone: dict[Expression, Formula] = field(default_factory=dict)

    def formula(self, e: Expression) -> Formula:
        """Return an expression as a formula of the variables in it."""
        if e not in self.alone:
            used = [p for p in ordered((e,)) if p.function == "variable"]
            self.alone[e] = Formula("number", used, (e,))
        return self.alone[e]

    @cached_property
    def is_complex(self) -> bool:
        """Whether complex numbers occur in it, be it on the way."""
        roots = [*self.outputs, *(w.value for w in self.writes)]
        loops = [step for step in self.steps if isinstance(step, Turns)]
        inner = any(loop.body.is_complex for loop in loops)
        return inner or any(e.kind == COMPLEX for e in ordered(roots))

    def computed_in(self, compute: DType) -> DType:
        """Return the type to compute in, where that of all real numbers is ``compute``."""
        if not self.is_complex or compute.kind == "c":
            return compute
        return np.result_type(_dtype.accumulation(compute), np.complex64)


@dataclass(frozen=True)
class Fused:
    """Some expressions as one operation, and the variables that it is given."""

    op: Elementwise
    inputs: tuple[Expression, ...]
    constants: Mapping[Expression, Any]


@dataclass
class Call:
    """One call of a kernel: how its values are computed.

    ``skips`` says that a branch that is not taken is not run, as in C++: it sends nothing back.
    """

    name: str
    compute: DType
    shape: Shape
    raws: Mapping[str, Any]
    arguments: Mapping[Expression, str]  # the users' names of variables
    skips: bool = True

    def run(self, program: Program, values: Values) -> None:
        """Take the steps of a program; what they compute is added to ``values``."""
        for step in program.steps:
            if isinstance(step, Read) and step.index is NUMBER:
                values[step.variable] = self.own(step.raw)
            elif isinstance(step, Read):
                (index,) = self.computed(program, (step.index,), values)
                values[step.variable] = self.read(step.raw, index)
            else:
                self.repeat(program, step, values)

    def repeat(self, program: Program, step: Turns, values: Values) -> None:
        """Run a loop until no element takes another turn."""
        alive, *carried = self.computed(program, step.starts, values)
        while _any(alive):
            values[step.alive] = alive
            values.update(zip(step.carried, carried, strict=True))
            self.run(step.body, values)
            alive, *carried = self.computed(step.body, step.body.outputs, values)
        values.update(zip(step.results, carried, strict=True))

    def own(self, name: str) -> Any:
        """Return of a raw array the element of each element's own number."""
        flat, count = self.raws[name].reshape(-1), prod(self.shape)
        check_place(name, 0, count - 1, flat.shape[0])
        return (flat if flat.shape[0] == count else flat[:count]).reshape(self.shape)

    def read(self, name: str, index: Any) -> Any:
        """Return the elements of a raw array at flat places."""
        flat = self.raws[name].reshape(-1)
        if not isinstance(index, TensorBase):
            place = int(index)
            check_place(name, place, place, flat.shape[0])
            return getitem(flat, place)
        least, greatest = bounds(index)
        check_place(name, least, greatest, flat.shape[0])
        return getitem(flat, index)

    def computed(
        self,
        program: Program,
        expressions: Sequence[Expression],
        values: Values,
        dtypes: Sequence[DType] | None = None,
    ) -> list[Any]:
        """Return the values of expressions: what depends on tensors by one fused operation."""
        kinds = dtypes or [self.dtype_of(e) for e in expressions]
        found: list[Any] = [None] * len(expressions)
        fused: list[int] = []
        for k, (e, kind) in enumerate(zip(expressions, kinds, strict=True)):
            formula = program.formula(e)
            if any(isinstance(values[v], TensorBase) for v in formula.inputs):
                if e.function == "variable" and values[e]._array.dtype == kind:
                    found[k] = values[e]
                else:
                    fused.append(k)
            else:
                found[k] = self._on_host(formula, kind, values)
        if fused:
            chosen = tuple(expressions[k] for k in fused)
            for k, out in zip(
                fused, self._fused(program, chosen, [kinds[k] for k in fused], values), strict=True
            ):
                found[k] = out
        return found

    def dtype_of(self, e: Expression) -> DType:
        """Return the element type of what is computed on the way."""
        if e.kind == BOOL:
            return np.dtype(np.bool_)
        if e.kind == INTEGER:
            return np.dtype(np.int64)
        if e.kind == COMPLEX or self.compute.kind != "c":
            return _dtype.accumulation(self.compute)
        return np.dtype(f"f{self.compute.itemsize // 2}")

    def _on_host(self, formula: Formula, kind: DType, values: Values) -> Any:
        (e,) = formula.outputs
        if e.function == "constant":
            return np.asarray(e.value).astype(kind)[()]
        arrays = [np.asarray(values[v]) for v in formula.inputs]
        compute = _dtype.accumulation(self.compute)
        return backend.cpu_backend.evaluate(formula, arrays, compute, (kind,))[0][()]

    def _fused(
        self,
        program: Program,
        expressions: tuple[Expression, ...],
        kinds: Sequence[DType],
        values: Values,
    ) -> list[Any]:
        made = program.fused.get(expressions)
        if made is None:
            made = program.fused[expressions] = self._operation(expressions)
        operands = [
            as_scalar(made.constants[v], self.dtype_of(v)) if v in made.constants else values[v]
            for v in made.inputs
        ]
        tensors: list[Any] = [o for o in operands if isinstance(o, TensorBase)]
        for tensor in tensors:
            up_to_date(tensor)
        if len(expressions) > 1:
            shapes = {t._array.shape for t in tensors}
            if len(shapes) > 1:  # each output has the shape of all, and so has its gradient
                shape = np.broadcast_shapes(*shapes)
                operands = [
                    expand_to(o, shape=shape) if isinstance(o, TensorBase) else o for o in operands
                ]
        return made.op.evaluate(operands, self.compute, kinds)

    def _operation(self, expressions: tuple[Expression, ...]) -> Fused:
        expressions, constants = _lifted(expressions)
        steps = ordered(expressions)
        inputs = tuple(e for e in steps if e.function == "variable")
        branches = self.skips and any(e.function == "where" for e in steps)
        formula = Formula(self.name, inputs, expressions)
        op = Elementwise(f"{self.name}Backward0", formula.in_math if branches else formula)
        op.arguments = tuple(self.arguments.get(v, str(v.value)) for v in inputs)
        return Fused(op, inputs, constants)


def _lifted(
    expressions: Sequence[Expression],
) -> tuple[tuple[Expression, ...], dict[Expression, Any]]:
    """Return expressions with variables for the constants that functions are given, and these.

    Operators take numbers of Python's; functions take NumPy's, which have a type.
    """
    constants: dict[Expression, Any] = {}
    lifted: dict[Expression, Expression] = {}
    done: dict[Expression, Expression] = {}

    def lift(e: Expression) -> Expression:
        if e.function != "constant" or e.kind not in (REAL, COMPLEX):
            return done[e]
        if e not in lifted:
            lifted[e] = variable(f"constant{len(lifted)}_", e.kind)
            constants[lifted[e]] = e.value
        return lifted[e]

    for e in ordered(expressions):
        takes = e.args and e.function not in _OF_NUMBERS
        args = tuple(map(lift, e.args)) if takes else tuple(done[a] for a in e.args)
        done[e] = call(e.function, *args) if args else e
    return tuple(done[e] for e in expressions), constants


_OF_NUMBERS = {name for name, function in FUNCTIONS.items() if function.python.startswith("(")}
_OF_NUMBERS |= {"where", "pow", "both", "either", "differ", "untrue", "number", "whole", "chained"}


def zero(kind: str) -> Expression:
    """Return the 0 of a kind."""
    return constant({BOOL: False, COMPLEX: 0j}.get(kind, 0), kind)


def _array(value: Any) -> Any:
    array = value._array
    while isinstance(array, Batched):
        array = array.array
    return array


def _any(mask: Any) -> bool:
    """Tell whether any element holds, in whatever example of vmap's."""
    return bool(_array(mask).any() if isinstance(mask, TensorBase) else mask)


def bounds(index: Any) -> tuple[int, int]:
    """Return the least and the greatest of integers, in whatever example of vmap's."""
    array = _array(index)
    return (int(array.min()), int(array.max())) if array.size else (0, -1)


def check_place(name: str, least: int, greatest: int, size: int, does: str = "reads") -> None:
    """Raise where a place is not in an array.

    Raises:
        IndexError: One of those from ``least`` to ``greatest`` is not.
    """
    if greatest >= least and (least < 0 or greatest >= size):
        wrong = least if least < 0 else greatest
        raise IndexError(f"the kernel {does} element {wrong} of '{name}', which has {size}")
