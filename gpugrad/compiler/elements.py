"""Steps as maps: what each element of a step's results is, where that is a formula.

A :class:`Map` says for each place of a domain what is written where, and what is added up.
Most steps are one map; a mean is two, softmax three or four.  What is no formula, or is one that no
loop of the CPU's can have, stays the call that it is.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from gpugrad.backend import Backend, cpu
from gpugrad.backend.arrays import lie_apart
from gpugrad.compiler.access import Access, Shape, access, without_ones
from gpugrad.compiler.program import Step, Value, values_in
from gpugrad.formulas import BOOL, REAL, Expression, Formula, call, constant, ordered, variable
from gpugrad.kernels import host

DType = np.dtype[Any]

_BOOL, FLOAT32, FLOAT64 = np.dtype(bool), np.dtype(np.float32), np.dtype(np.float64)


class Store(NamedTuple):
    """What is written at each place of a domain."""

    target: Access
    value: Expression


class Reduction(NamedTuple):
    """What is put together along some dimensions; ``way`` is "sum", "max" or "min"."""

    target: Access
    value: Expression
    way: str
    axes: frozenset[int]


class Map(NamedTuple):
    """Expressions of the elements at each place of a domain, computed in one type."""

    sizes: Shape
    compute: DType
    inputs: tuple[tuple[Expression, Access], ...]
    stores: tuple[Store, ...]
    reductions: tuple[Reduction, ...] = ()


class _RefusalError(Exception):
    """A step that is no map."""


def maps(step: Step) -> list[Map | Step] | None:
    """Return a step as maps, one after the other; ``None`` where it is none.

    Among the maps are steps that put numbers of Python's into memory.
    """
    make = _MAKERS.get(step.name)
    if make is None or (step.function is not None and step.name != "update"):
        return None
    if step.writes and step.name not in _WRITERS:
        return None
    try:
        named = _signature(step.name).bind(None, *step.args, **step.kwargs)
        named.apply_defaults()
        found = make(step, *list(named.arguments.values())[1:])
    except (_RefusalError, TypeError):
        return None
    return found if all(is_sound(m) for m in found if isinstance(m, Map)) else None


@cache
def _signature(name: str) -> inspect.Signature:
    if name == "update":  # which NumPy's backend has alone
        return inspect.signature(lambda self, formula, columns, targets, numbers: None)
    return inspect.signature(getattr(Backend, name))


def is_sound(made: Map) -> bool:
    """Tell whether no place reads what another one writes, and there is a place at all."""
    written = {s.target.root: s.target for s in made.stores}
    return (
        0 not in made.sizes
        and all(_lies_apart(s.target, made.sizes) for s in made.stores)
        and all(written.get(a.root, a) == a for _, a in made.inputs)
        and not any(a.root is r.target.root for r in made.reductions for _, a in made.inputs)
    )


def _lies_apart(target: Access, sizes: Shape) -> bool:
    """Tell whether no two places write one element."""
    return 0 not in target.strides and lie_apart(
        [(abs(s), n) for s, n in zip(target.strides, sizes, strict=True)]
    )


# --------------------------------------------------------------------------- parts


def _computable(dtype: DType) -> DType:
    if dtype not in (FLOAT32, FLOAT64):
        raise _RefusalError
    return dtype


def only_value(step: Step) -> Value:
    """Return the one value that a step makes."""
    found = list(values_in(step.outputs))
    if len(found) != 1:
        raise _RefusalError
    return found[0]


class _Operands:
    """What a map reads: values, which become variables, and numbers, which are constants."""

    def __init__(self, shape: Shape):
        self.shape = shape
        self.inputs: list[tuple[Expression, Access]] = []

    def read(self, operand: Any, kind: str = REAL) -> Expression:
        """Return the expression of an operand, in the kind in which it is computed with."""
        if isinstance(operand, Value):
            if operand.dtype.kind not in "fiub" or operand.dtype.itemsize == 2:
                raise _RefusalError
            found = variable(f"operand{len(self.inputs)}", kind)
            self.inputs.append((found, access(operand, self.shape)))
            return found
        array = np.asarray(operand)
        if array.ndim or array.dtype.kind not in "fiub":
            raise _RefusalError
        return constant(bool(array) if kind == BOOL else float(array))


def _store(target: Value, shape: Shape, value: Expression) -> Store:
    """Return how a value is stored: numbers as numbers, and as truth; truth as anything."""
    kind = target.dtype.kind
    if kind == "c" or target.dtype.itemsize == 2 or (value.kind != BOOL and kind not in "fb"):
        raise _RefusalError
    return Store(access(target, shape), value)


def _reduced(target: Value, value: Expression, shape: Shape, axes: Shape, way: str) -> Reduction:
    """Return a reduction over axes of ``shape``, whose result may have them with length 1."""
    kept = [k for k in range(len(shape)) if k not in axes]
    own = dict(zip(kept, target.strides, strict=False))
    if len(target.shape) == len(shape):
        own = dict(enumerate(target.strides))
    real = [k for k, n in enumerate(shape) if n != 1]
    strides = tuple([0 if k in axes else own[k] for k in real])
    along = frozenset([j for j, k in enumerate(real) if k in axes])
    return Reduction(Access(target.root, target.offset, strides, target.dtype), value, way, along)


def fresh(like: Value, shape: Shape | None = None) -> Value:
    """Return a value with memory of its own, in plain order."""
    shape = like.shape if shape is None else shape
    strides, step = [], like.dtype.itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return Value(shape, like.dtype, tuple(reversed(strides)), like.device)


def dense(like: Value) -> Value:
    """Return a value with memory of its own: in the same order, and without gaps."""
    step = like.dtype.itemsize
    strides = [0] * len(like.shape)
    for k in sorted(range(len(strides)), key=lambda k: (abs(like.strides[k]), -k)):
        strides[k] = step
        step *= like.shape[k]
    return Value(like.shape, like.dtype, tuple(strides), like.device)


# --------------------------------------------------------------------------- steps


def _evaluate(
    step: Step,
    formula: Formula,
    arrays: Sequence[Any],
    compute: DType,
    results: Sequence[DType],
    sum_to: Shape | None,
    out: Value | None,
    summed: int,
) -> list[Map]:
    targets = list(values_in(step.outputs)) if out is None else [out]
    if compute == _BOOL and all(e.kind == BOOL for e in formula.outputs):
        compute = FLOAT32  # nothing is computed with numbers
    if not host.printable(formula, _computable(compute)) or len(targets) != len(formula.outputs):
        raise _RefusalError
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    if out is not None:
        shape = np.broadcast_shapes(shape, out.shape)
    whole = [k for k in range(len(targets)) if sum_to is None or k != summed]
    if len(targets) > 1 and any(targets[k].shape != shape for k in whole):
        return [
            found
            for k in range(len(targets))
            for found in _evaluate_part(step, formula, arrays, compute, results, sum_to, k, summed)
        ]
    operands = _Operands(shape)
    values = {v: operands.read(a, v.kind) for v, a in zip(formula.inputs, arrays, strict=True)}
    outputs = substituted(formula.outputs, values, compute)
    stores, reductions = [], []
    for k, (target, e) in enumerate(zip(targets, outputs, strict=True)):
        axes: Shape = ()
        if k not in whole:
            assert sum_to is not None
            ones = (1,) * (len(shape) - len(sum_to)) + tuple(sum_to)
            axes = tuple([j for j, n in enumerate(shape) if ones[j] == 1 != n])
        if axes:
            if target.dtype != compute or len(target.shape) not in (len(shape), len(sum_to or ())):
                raise _RefusalError
            own = Value(ones, target.dtype, _padded(target, len(ones)), target.device, target.root,
                        target.offset)  # fmt: skip
            reductions.append(_reduced(own, e, shape, axes, "sum"))
        else:
            stores.append(_store(target, shape, e))
    made = tuple(operands.inputs)
    return [Map(without_ones(shape), compute, made, tuple(stores), tuple(reductions))]


def _padded(value: Value, ndim: int) -> Shape:
    return (0,) * (ndim - len(value.strides)) + value.strides


def _evaluate_part(
    step: Step,
    formula: Formula,
    arrays: Sequence[Any],
    compute: DType,
    results: Sequence[DType],
    sum_to: Shape | None,
    k: int,
    summed: int,
) -> list[Map]:
    part, used = formula.part((k,))
    own = Step(step.name, (), {}, [list(values_in(step.outputs))[k]])
    to = sum_to if k == summed else None
    return _evaluate(own, part, [arrays[j] for j in used], compute, (results[k],), to, None, 0)


def substituted(
    outputs: Sequence[Expression], values: dict[Expression, Expression], compute: DType
) -> tuple[Expression, ...]:
    """Return expressions of some variables as expressions of others, or as numbers."""
    done = dict(values)
    for part in ordered(outputs):
        if part not in done:
            args = tuple([done[a] for a in part.args])
            found = part if args == part.args else call(part.function, *args)
            if part.function == "number" and args[0].kind == BOOL:
                found = call("where", args[0], 1.0, 0.0)  # compilers have vectors for that
            if args and found.args and all(a.function == "constant" for a in args):
                found = _number(found, compute)
            done[part] = found
    return tuple([done[e] for e in outputs])


def _number(e: Expression, compute: DType) -> Expression:
    """Return what a function of constants is, as a constant of the type it is computed in."""
    names = [variable(f"x{k}", a.kind) for k, a in enumerate(e.args)]
    function = cpu.function_of(Formula("number", names, [call(e.function, *names)]))
    with np.errstate(all="ignore"):
        found = function(*[np.asarray(a.value) for a in e.args])
        return constant(bool(found) if e.kind == BOOL else float(compute.type(found)))


def _copied(target: Value, source: Any, plus: bool = False) -> list[Map]:
    """Return how a value is written with another one, or increased by it."""
    kind = target.dtype
    if kind == _BOOL and not plus:
        own = source.dtype if isinstance(source, Value) else np.asarray(source).dtype
        compute = own if own in (FLOAT32, FLOAT64) else FLOAT32
        read = REAL if own in (FLOAT32, FLOAT64) else BOOL
        if own.kind not in "fb":
            raise _RefusalError
    else:
        compute, read = _computable(kind), REAL
    operands = _Operands(target.shape)
    value = operands.read(source, read)
    if plus:
        value = operands.read(target) + value
    store = _store(target, target.shape, value)
    return [Map(without_ones(target.shape), compute, tuple(operands.inputs), (store,))]


def _astype(step: Step, array: Value, dtype: DType) -> list[Map]:
    return _copied(only_value(step), array)


def _copy(step: Step, array: Value, order: str) -> list[Map]:
    return _copied(only_value(step), array)


def _assign(step: Step, target: Value, source: Any) -> list[Map]:
    return _copied(target, source)


def _add_into(step: Step, target: Value, source: Any) -> list[Map]:
    return _copied(target, source, plus=True)


def _reshape(step: Step, array: Value, shape: Shape) -> list[Map]:
    out = only_value(step)
    plain = fresh(array)
    if out.strides != fresh(out).strides:
        raise _RefusalError
    return _copied(
        Value(array.shape, out.dtype, plain.strides, out.device, out.root, out.offset), array
    )


def _full(step: Step, shape: Shape, value: complex, dtype: DType, where: Any) -> list[Map]:
    out = only_value(step)
    return _copied(out, np.asarray(value).astype(dtype))


def _add_all(step: Step, arrays: Sequence[Value], into_first: bool) -> list[Map]:
    target = next(values_in(step.outputs), None) or step.writes[0]
    operands = _Operands(target.shape)
    total = operands.read(arrays[0])
    for a in arrays[1:]:
        total = total + operands.read(a)
    store = _store(target, target.shape, total)
    compute = _computable(target.dtype)
    return [Map(without_ones(target.shape), compute, tuple(operands.inputs), (store,))]


def reduction(
    way: str, array: Value, axes: Shape, target: Value, build: Callable[..., Expression], *more: Any
) -> Map:
    """Return what is put together of an expression of an array, and of others, along axes."""
    compute = _computable(target.dtype)
    if array.dtype != compute and way != "sum":
        raise _RefusalError
    operands = _Operands(array.shape)
    value = build(operands.read(array), *map(operands.read, more))
    reduced = _reduced(target, value, array.shape, axes, way)
    sizes = without_ones(array.shape)
    if not reduced.axes:
        return Map(sizes, compute, tuple(operands.inputs), (Store(reduced.target, value),))
    return Map(sizes, compute, tuple(operands.inputs), (), (reduced,))


def elementwise(target: Value, build: Callable[..., Expression], *arrays: Any) -> Map:
    """Return the map of an expression of some operands."""
    operands = _Operands(target.shape)
    value = build(*map(operands.read, arrays))
    store = _store(target, target.shape, value)
    compute = _computable(target.dtype)
    return Map(without_ones(target.shape), compute, tuple(operands.inputs), (store,))


def _same(x: Expression) -> Expression:
    return x


def _sum(step: Step, array: Value, axes: Shape, keepdims: bool, dtype: DType) -> list[Map]:
    return [reduction("sum", array, axes, only_value(step), _same)]


def _mean(step: Step, array: Value, axes: Shape, keepdims: bool, dtype: DType) -> list[Map]:
    out = only_value(step)
    total = fresh(out)
    count = float(math.prod([array.shape[k] for k in axes]))
    return [
        reduction("sum", array, axes, total, _same),
        elementwise(out, lambda x: x / count, total),
    ]


def _max(step: Step, array: Value, axes: Shape, keepdims: bool) -> list[Map]:
    return [reduction("max", array, axes, only_value(step), _same)]


def _min(step: Step, array: Value, axes: Shape, keepdims: bool) -> list[Map]:
    return [reduction("min", array, axes, only_value(step), _same)]


def _kept(array: Value, axes: Shape) -> Value:
    """Return a new value for what is reduced over axes, which keep length 1."""
    return fresh(array, tuple([1 if k in axes else n for k, n in enumerate(array.shape)]))


def _softmax(step: Step, array: Value, axis: int, log: bool, dtype: DType) -> list[Map]:
    out = only_value(step)
    if array.dtype != dtype:
        raise _RefusalError
    axes = (axis % len(array.shape),) if array.shape else ()
    top, total = _kept(array, axes), _kept(array, axes)
    found = [
        reduction("max", array, axes, top, _same),
        reduction("sum", array, axes, total, lambda x, m: call("exp", x - m), top),
    ]
    if log:
        below = fresh(total)
        found.append(elementwise(below, lambda x: call("log", x), total))
        found.append(elementwise(out, lambda x, m, b: x - m - b, array, top, below))
    else:
        found.append(elementwise(out, lambda x, m, t: call("exp", x - m) / t, array, top, total))
    return found


def _softmax_gradient(step: Step, g: Value, out: Value, axis: int, log: bool) -> list[Map]:
    target = only_value(step)
    axes = (axis % len(g.shape),) if g.shape else ()
    total = _kept(g, axes)
    if log:
        return [
            reduction("sum", g, axes, total, _same),
            elementwise(target, lambda x, y, t: x - call("exp", y) * t, g, out, total),
        ]
    return [
        reduction("sum", g, axes, total, lambda x, y: x * y, out),
        elementwise(target, lambda x, y, t: (x - t) * y, g, out, total),
    ]


def _update(
    step: Step,
    formula: Formula,
    columns: Sequence[Sequence[Value]],
    targets: Sequence[int],
    numbers: Sequence[Any],
) -> list[Map | Step]:
    """Return what an optimizer's step writes: one map for each row of arrays."""
    compute = columns[0][0].dtype
    if not host.printable(formula, _computable(compute)):
        raise _RefusalError
    found: list[Map | Step] = []
    placed: list[Any] = []
    where = columns[0][0].device
    for n in numbers:
        if isinstance(n, float | int):
            placed.append(n)
            continue
        memory = Value((), FLOAT64, (), where)
        found.append(Step("host", (n,), {}, [memory], (), _in_memory))
        placed.append(memory)
    for row in zip(*columns, strict=True):
        operands = _Operands(row[0].shape)
        given = [operands.read(a) for a in (*row, *placed)]
        outputs = substituted(
            formula.outputs, dict(zip(formula.inputs, given, strict=True)), compute
        )
        stores = [_store(row[k], operands.shape, e) for k, e in zip(targets, outputs, strict=True)]
        sizes = without_ones(operands.shape)
        found.append(Map(sizes, compute, tuple(operands.inputs), tuple(stores)))
    return found


def _in_memory(number: float) -> Any:
    return np.asarray(number, FLOAT64)


_WRITERS = ("assign", "add_into", "add_all", "evaluate", "update")
_MAKERS: dict[str, Callable[..., Any]] = {
    "evaluate": _evaluate, "astype": _astype, "copy": _copy, "assign": _assign,
    "add_into": _add_into, "reshape": _reshape, "full": _full, "add_all": _add_all, "sum": _sum,
    "mean": _mean, "max": _max, "min": _min, "softmax": _softmax,
    "softmax_gradient": _softmax_gradient, "update": _update,
}  # fmt: skip


def accesses(made: Map) -> Iterator[Access]:
    """Go through all accesses of a map."""
    yield from (a for _, a in made.inputs)
    yield from (s.target for s in made.stores)
    yield from (r.target for r in made.reductions)
