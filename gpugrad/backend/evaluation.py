"""Formulas computed over NumPy's arrays: small ones, large ones in blocks, halves by tables."""

from __future__ import annotations

import builtins
import functools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad._dtype import is_half
from gpugrad.backend import choices, compiled, elementary, half, large, many, special
from gpugrad.backend.arrays import assign
from gpugrad.backend.pool import pooled
from gpugrad.backend.quiet import quiet
from gpugrad.backend.reductions import sum_to_shape
from gpugrad.errors import summed_axes
from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    INTEGER,
    Formula,
    is_constant,
    lowered,
    ordered,
)
from gpugrad.formulas import FUNCTIONS as formulas  # noqa: N811  ours have this name

Array = Any
Shape = tuple[int, ...]

FLOAT16, FLOAT32, _BOOL = np.dtype(np.float16), np.dtype(np.float32), np.dtype(bool)
_INT64 = np.dtype(np.int64)


def _binade(x: Array) -> Array:
    known = np.finfo(x.dtype)
    exponent = np.where(np.isfinite(x), np.frexp(x)[1] - 1, known.maxexp - 1)
    exponent = np.maximum(exponent, known.minexp)
    return np.where(x == 0, x.dtype.type(1), np.ldexp(x.dtype.type(1), exponent))


def _power(x: Array, y: Array) -> Array:
    kind = np.result_type(x).kind
    if kind == "f":
        return large.power(x, y)
    if kind in "iub" and np.any(np.less(y, 0)):
        # as PyTorch: an integer to a negative power is what truncation leaves of it
        odd = np.where(np.equal(np.remainder(y, 2), 0), 1, x)
        small = np.where(np.equal(x, 1), 1, np.where(np.equal(x, -1), odd, 0))
        return np.where(np.less(y, 0), small, np.power(x, np.maximum(y, 0))).astype(
            np.result_type(x)
        )
    result = np.power(x, y)
    if kind == "c":  # NumPy multiplies for a small whole exponent, and divides 1 by what overflowed
        lost = np.isnan(result) & np.isfinite(x) & np.isfinite(y) & (x != 0)
        if np.any(lost):
            return np.where(lost, np.exp(y * np.log(x)), result).astype(result.dtype)
    return result


def _whole(x: Array) -> Array:
    return np.asarray(x).astype(_INT64)


# Under NumPy's names: its elementwise functions, what else a formula's text names, and our own.
FUNCTIONS = {
    **{name: function for name, function in vars(np).items() if isinstance(function, np.ufunc)},
    **{n: getattr(np, n) for n in ("copy", "full_like", "imag", "inf", "nan", "real", "where")},
    "int64": np.int64,
} | {
    "binade": _binade, "power": _power, "whole": _whole,
    **choices.FUNCTIONS, **elementary.FUNCTIONS, **many.SMALL_FORMULAS, **special.FUNCTIONS,
}  # fmt: skip


# What takes the place of NumPy's functions where an operand has LARGE elements or more.
LARGE = large.LARGE
LARGE_FUNCTIONS = (
    FUNCTIONS
    | choices.LARGE_FUNCTIONS
    | elementary.LARGE_FUNCTIONS
    | many.FUNCTIONS
    | many.FORMULAS
    | {
        "cos": large.cos,
        "maximum": large.maximum,
        "minimum": large.minimum,
        "sin": large.sin,
        "where": large.where,
    }
)


class _Compiled(NamedTuple):
    """A formula as a function of arrays, and what is asked of it at every call."""

    compute: Callable[..., Any]
    kinds: tuple[str, ...]  # of the inputs
    typed: bool  # whether it depends on the type to compute in
    steps: int  # how many functions it calls, each of which makes an array
    is_product: bool  # of its two inputs, and nothing else


@functools.cache
def _compiled(formula: Formula, many: bool, real: np.dtype[Any] | None = None) -> _Compiled:
    """Return a formula as a function; one with integers is told the type of real numbers."""
    output, steps = formula.outputs[0], ordered(lowered(formula.outputs, python=True))
    functions = LARGE_FUNCTIONS if many else FUNCTIONS
    if real is not None:
        functions = functions | {"number": lambda x: np.asarray(x).astype(real)}
    return _Compiled(
        formula.compiled(functions),
        tuple(v.kind for v in formula.inputs),
        any(e.kind == INTEGER or e.function == "number" for e in steps),
        builtins.sum(bool(e.args) for e in steps),
        output.function == "mul" and set(output.args) == set(formula.inputs),
    )


def is_typed(formula: Formula) -> bool:
    """Tell whether a formula depends on the type in which it is computed."""
    return _compiled(formula, False).typed


_OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "neg": operator.neg,
}  # fmt: skip


def function_of(formula: Formula) -> Any:
    """Return a formula as a function of small arrays, or of any where it does not gain."""
    output, *others = formula.outputs
    if not others and output.function in _OPERATORS and output.args == formula.inputs:
        return _OPERATORS[output.function]
    function: Callable[..., Any] = _compiled(formula, False).compute
    return function


# One step of arithmetic is written straight into the memory of an in-place operation.
_DIRECT: dict[str, Any] = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
_UFUNCS = _DIRECT | {
    name: FUNCTIONS[called]
    for name, function in formulas.items()
    if isinstance(FUNCTIONS.get(called := function.python.partition("(")[0]), np.ufunc)
}
# their third argument by position is deprecated
_UFUNCS["maximum"] = lambda x, y, out: np.maximum(x, y, out=out)
_UFUNCS["minimum"] = lambda x, y, out: np.minimum(x, y, out=out)


def writer_of(formula: Formula) -> Callable[..., Any]:
    """Return a function of small arrays, and of the array that a formula's output is written to.

    Only the last step writes, so that this array may be one of the others.
    """
    (output,) = lowered(formula.outputs, python=True)
    step = _UFUNCS.get(output.function)
    if step is None:
        compute = function_of(formula)
        return lambda *arrays: np.copyto(arrays[-1], compute(*arrays[:-1]))
    if output.args == formula.inputs:
        return step
    return formula.writer(FUNCTIONS | {"step": step}, "step")


# NumPy computes with its arrays in a third of the time that it takes for numbers.
NUMBERS: dict[np.dtype[Any], dict[float, Array]] = {
    np.dtype(kind): {} for kind in (np.float32, np.float64, np.int64)
}
_MOST_NUMBERS = 1000


def number(kind: np.dtype[Any], value: float) -> Array:
    """Return a number as an array, for reading only; the latest are kept in :data:`NUMBERS`."""
    made = np.array(value, kind)
    if value:  # 0 and -0 are equal
        known = NUMBERS[kind]
        if len(known) >= _MOST_NUMBERS:
            known.clear()
        known[value] = made
    return made


@quiet
def evaluate(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
    sum_to: Shape | None = None,
    out: Array | None = None,
    summed: int = 0,
) -> Sequence[Array]:
    """Return the formula's outputs, computed in ``compute`` and stored as ``results``."""
    if are_many(arrays):
        return pooled(_evaluate, True, formula, arrays, compute, results, sum_to, out, summed)
    return _evaluate(False, formula, arrays, compute, results, sum_to, out, summed)


def _evaluate(
    many: bool,
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
    sum_to: Shape | None,
    out: Array | None,
    summed: int,
) -> Sequence[Array]:
    values: Sequence[Array] | None
    if many and (compute.char in "fd" or is_half(compute)):
        values = compiled.evaluate(formula, arrays, compute, sum_to, summed, out)
        if values is not None:
            return _given(values, results, out)
    if sum_to is not None and len(results) > 1:
        return _evaluate_apart(formula, arrays, compute, results, sum_to, summed)
    if out is not None and out.dtype is compute and compute is not FLOAT16:
        step = formula.outputs[0]
        if step.function in _DIRECT and step.args == formula.inputs:
            _DIRECT[step.function](*arrays, out=out, casting="unsafe")
            return (out,)
    if compute.itemsize == 2 and is_half(compute):  # every step in 32 bits, rounded once
        narrow, compute = compute, FLOAT32
        if many and sum_to is None and narrow is FLOAT16 and not _compiled(formula, True).typed:
            halves = _of_halves(formula, arrays, results)
            if out is None:
                return halves
            np.copyto(out, halves[0], casting="unsafe")
            return (out,)
    function = _compiled(formula, many)
    if function.typed:
        function = _compiled(formula, many, _real(compute))
    if not many:
        values = _outputs(function, arrays, compute)
        if sum_to is not None:
            values = (sum_to_shape(values[0], sum_to),)
    elif sum_to is not None and _is_first(formula):
        values = (sum_to_shape(arrays[0].astype(compute, copy=False), sum_to),)
    elif sum_to is not None:
        values = (_sum(function, arrays, compute, sum_to),)
    elif function.steps >= _MANY_STEPS and builtins.max([a.size for a in arrays]) >= IN_BLOCKS:
        values = _in_blocks(function, arrays, compute, results)
    else:
        values = _outputs(function, arrays, compute)
    return _given(values, results, out)


def are_many(arrays: Sequence[Array]) -> bool:
    """Tell whether a formula of these has many elements: they may be more than each operand has."""
    if True in [a.size >= LARGE for a in arrays]:
        return True
    shapes = {a.shape for a in arrays if a.ndim}
    return len(shapes) > 1 and math.prod(np.broadcast_shapes(*shapes)) >= LARGE


def _given(
    values: Sequence[Array], results: Sequence[np.dtype[Any]], out: Array | None
) -> Sequence[Array]:
    """Return values in the types of results, or in the memory of ``out``."""
    if out is None:
        for v, d in zip(values, results, strict=True):
            if v.dtype is not d:
                return [_stored(v, d) for v, d in zip(values, results, strict=True)]
        return values
    if values[0] is not out:
        np.copyto(out, _stored(values[0], results[0]), casting="unsafe")
    return (out,)


def _evaluate_apart(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
    sum_to: Shape,
    summed: int,
) -> Sequence[Array]:
    """Return the outputs one by one, of which one is summed as it is made."""
    found: list[Array] = []
    for k, dtype in enumerate(results):
        one, used = formula.part((k,))
        some = [arrays[j] for j in used]
        shape = sum_to if k == summed else None
        found += evaluate(one, some, compute, (dtype,), shape)
    return found


def _outputs(
    function: _Compiled, arrays: Sequence[Array], compute: np.dtype[Any]
) -> Sequence[Array]:
    for a in arrays:
        if a.dtype is not compute:
            arrays = [
                a if a.dtype is compute or kind == BOOL else _converted(a, kind, compute)
                for a, kind in zip(arrays, function.kinds, strict=True)
            ]
            break
    values = function.compute(*arrays)
    return values if values.__class__ is tuple else (values,)


# What NumPy does with halves by vector units, computed in single precision and rounded once.
_OF_HALVES: dict[str, Callable[[Array], Array]] = {
    name: FUNCTIONS[name]
    for name in ("exp", "log", "log1p", "sin", "tan", "tanh")
    if large.vectorised(name, "float16")
} | {"abs": np.absolute, "neg": half.negated}
# The same for functions of halves and 0.
_OF_HALVES_AND_ZERO: dict[str, Callable[[Array], Array]] = {
    "maximum": half.at_least_zero,
    "gt": half.is_positive,
}
_TABLE = 1 << 17  # elements; there are half as many different halves


def _of_halves(
    formula: Formula, arrays: Sequence[Array], results: Sequence[np.dtype[Any]]
) -> Sequence[Array]:
    """Return a formula's outputs for many halves, computed in single precision and rounded once."""
    function = _compiled(formula, True)
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    # of a gradient of a sum all elements are one
    arrays = [a[(0,) * a.ndim] if a.size > 1 and not any(a.strides) else a for a in arrays]
    full = [a for a in arrays if a.ndim]
    if full and all(a.shape == shape for a in full):
        if all(a.flags.c_contiguous for a in full):
            return _of_plain_halves(formula, function, arrays, shape, results)
        if all(a.flags.f_contiguous for a in full):
            turned = [a.T if a.ndim else a for a in arrays]
            found = _of_plain_halves(formula, function, turned, shape[::-1], results)
            return [v.T for v in found]
    # what is for many elements writes into arrays, and NumPy's numbers are none
    values = _outputs(function if full else _compiled(formula, False), arrays, FLOAT32)
    return [
        _stored(v if v.shape == shape else np.broadcast_to(v, shape), d)
        for v, d in zip(values, results, strict=True)
    ]


def _of_plain_halves(
    formula: Formula,
    function: _Compiled,
    arrays: Sequence[Array],
    shape: Shape,
    results: Sequence[np.dtype[Any]],
) -> Sequence[Array]:
    """Return the same for arrays of one shape in plain order, and numbers."""
    direct = _direct(formula)
    if direct is not None:
        return [direct(arrays[0])]
    choice = _choice(formula)
    if choice is not None:
        some = [arrays[k] for k in choice.used]
        (holds,) = evaluate(choice.condition, some, FLOAT16, (_BOOL,))
        values = [0 if k is None else arrays[k] for k in choice.values]
        # a number may be of a wider type
        x, y = [v if np.ndim(v) else np.asarray(v).astype(FLOAT16) for v in values]
        if not (np.ndim(x) or np.ndim(y)):
            x = np.full(shape, x, FLOAT16)
        return [large.where(holds, x, y)]
    outs: list[Array] = [np.empty(shape, d) for d in results]
    flat = [o.reshape(-1) for o in outs]
    lines = [a.reshape(-1) if a.ndim else a for a in arrays]
    variable = [a for a in lines if a.ndim]
    if len(variable) == 1 and variable[0].size >= _TABLE and variable[0].dtype == FLOAT16:
        alone = len(lines) == 1
        operands = [half.every() if a.ndim else a for a in lines]
        tables = _table(formula) if alone else _tables(formula, operands)
        half.look_up(tables, variable[0], flat)
        return outs
    for block, parts in _blocks(lines, flat[0].shape):
        for o, v in zip(flat, _outputs(function, parts, FLOAT32), strict=True):
            assign(o[block], v)
    return outs


@functools.lru_cache(maxsize=64)
def _table(formula: Formula) -> Sequence[Array]:
    return _tables(formula, [half.every()])


def _tables(formula: Formula, operands: Sequence[Array]) -> Sequence[Array]:
    """Return what a formula gives for each half."""
    values = _outputs(_compiled(formula, True), operands, FLOAT32)
    tables = [v if v.dtype == _BOOL else half.rounded(v, FLOAT16) for v in values]
    return [np.broadcast_to(t, half.every().shape) for t in tables]


@functools.cache
def _direct(formula: Formula) -> Callable[[Array], Array] | None:
    """Return the function of halves that a formula is."""
    output, *others = lowered(formula.outputs, python=True)
    if others:
        return None
    if output.args == formula.inputs:
        return _OF_HALVES.get(output.function)
    if output.args[:1] == formula.inputs and is_constant(output.args[-1], 0):
        return _OF_HALVES_AND_ZERO.get(output.function)
    return None


@functools.cache
def _choice(formula: Formula) -> _Choice | None:
    """Return how a formula chooses among values that are there already, if it does nothing else."""
    output = lowered(formula.outputs, python=True)[0]
    number = {v: k for k, v in enumerate(formula.inputs)}
    if len(formula.outputs) > 1 or output.function != "where":
        return None
    condition, *values = output.args
    if not all(v in number or is_constant(v, 0) for v in values):
        return None
    asked, used = Formula(formula.name, formula.inputs, [condition]).part((0,))
    return _Choice(asked, used, tuple([number.get(v) for v in values]))


class _Choice(NamedTuple):
    """A choice among operands: the condition, of which operands, and which two; None is 0."""

    condition: Formula
    used: tuple[int, ...]
    values: tuple[int | None, ...]


# Arrays of this many elements come from the system, with every page to be cleared, and a formula of
# several steps makes one for each; a block stays in a cache.  NumPy itself reuses the memory of
# what a short formula computes on its way.
IN_BLOCKS = 1 << 21
_MANY_STEPS = 4
_BLOCK = 1 << 16


def _blocks(arrays: Sequence[Array], shape: Shape) -> Iterator[tuple[slice, list[Array]]]:
    """Return slices of the first axis of ``shape``, and there the arrays that broadcast to it."""
    ndim, rows = len(shape), builtins.max(1, _BLOCK // math.prod(shape[1:]))
    for start in range(0, shape[0], rows):
        block = slice(start, start + rows)
        yield block, [a[block] if a.ndim == ndim and len(a) == shape[0] else a for a in arrays]


def _in_blocks(
    function: _Compiled,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
) -> Sequence[Array]:
    shape = np.broadcast(*arrays).shape
    outs: list[Array] = [np.empty(shape, d) for d in results]
    flat = outs
    if all(a.ndim == 0 or (a.shape == shape and a.flags.c_contiguous) for a in arrays):
        arrays = [a.reshape(-1) if a.ndim else a for a in arrays]
        flat = [o.reshape(-1) for o in outs]
    for block, parts in _blocks(arrays, flat[0].shape):
        for o, v in zip(flat, _outputs(function, parts, compute), strict=True):
            assign(o[block], v)
    return outs


def _sum(
    function: _Compiled, arrays: Sequence[Array], compute: np.dtype[Any], sum_to: Shape
) -> Array:
    """Return the output summed to a shape, without writing all of it first where it is large.

    A product is summed as it is made.
    """
    shape = np.broadcast(*arrays).shape
    axes = summed_axes(shape, sum_to)
    if function.is_product and arrays[0].dtype is compute:
        found = large.sums_of_products(arrays[0], arrays[-1], axes)
        if found is not None:
            return large.shaped(found, sum_to)
    if math.prod(shape) < IN_BLOCKS or 0 not in axes:
        return sum_to_shape(_outputs(function, arrays, compute)[0], sum_to)
    sums = (
        sum_to_shape(_outputs(function, parts, compute)[0], sum_to)
        for _, parts in _blocks(arrays, shape)
    )
    return functools.reduce(operator.add, sums)


@quiet
def summed(formula: Formula, arrays: Sequence[Array], shape: Shape) -> Array:
    """Return a formula's one output summed to ``shape``; all arrays are of one real type.

    The first array has the shape of all elements, which are many.
    """
    first = arrays[0]
    kind = first.dtype
    if shape == first.shape:
        return first if _is_first(formula) else evaluated(formula, arrays)[0]
    if _is_first(formula) and not is_half(kind):
        return pooled(sum_to_shape, first, shape)
    return pooled(_evaluate, True, formula, arrays, kind, (kind,), shape, None, 0)[0]


def _is_first(formula: Formula) -> bool:
    """Tell whether a formula is its first operand."""
    return formula.outputs == formula.inputs[:1]


@quiet
def evaluated(formula: Formula, arrays: Sequence[Array], leading: int = 0) -> Sequence[Array]:
    """Return a formula's outputs, of many elements; of halves they may be few.

    All arrays are of one real type, that of the ``leading``, but numbers, which may be of another;
    outputs are of this type, or bools.
    """
    kind = arrays[leading].dtype
    results = [_BOOL if e.kind == BOOL else kind for e in formula.outputs]
    if kind is FLOAT16 and not are_many(arrays):
        return _evaluate(False, formula, arrays, kind, results, None, None, 0)
    return pooled(_evaluate, True, formula, arrays, kind, results, None, None, 0)


def gains(formula: Formula) -> bool:
    """Tell whether :func:`evaluate` does more for large arrays than the formula says."""
    if compiled.gains(formula):
        return True
    steps = ordered(lowered(formula.outputs, python=True))
    slow = {name for name, function in LARGE_FUNCTIONS.items() if FUNCTIONS[name] is not function}
    return (
        any(formulas[e.function].python.partition("(")[0] in slow for e in steps if e.args)
        or builtins.sum(bool(e.args) for e in steps) >= _MANY_STEPS
    )


def _real(compute: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"f{compute.itemsize // 2}") if compute.kind == "c" else compute


def _converted(array: Array, kind: str, compute: np.dtype[Any]) -> Array:
    if kind == INTEGER:
        return array.astype(_INT64, copy=False)
    if kind != COMPLEX:
        compute = _real(compute)
    if compute == FLOAT32 and is_half(array.dtype):
        return half.widened(array)
    return array.astype(compute, copy=False)


def _stored(array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype.kind == "c" and dtype.kind != "c":
        array = array.real
    if array.dtype == FLOAT32 and is_half(dtype):
        return half.rounded(array, dtype)
    return array.astype(dtype, copy=False)
