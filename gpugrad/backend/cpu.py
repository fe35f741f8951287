"""NumPy's side of the door."""

from __future__ import annotations

import builtins
import contextvars
import ctypes
import functools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from sys import getrefcount
from typing import Any, NamedTuple

import numpy as np
from numpy._core import umath

from gpugrad._device import CPU, device
from gpugrad._dtype import accumulation, is_half
from gpugrad.backend import (
    choices,
    composed,
    elementary,
    half,
    lapack,
    large,
    many,
    places,
    products,
    scans,
    sorting,
    special,
)
from gpugrad.backend.chance import Source
from gpugrad.backend.large import triangle as triangle
from gpugrad.backend.places import all_inside
from gpugrad.backend.spectrum import fft as fft
from gpugrad.backend.spectrum import irfft as irfft
from gpugrad.backend.spectrum import rfft as rfft
from gpugrad.errors import out_of_bounds, summed_axes
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

xp = np
type = "cpu"

Array = Any
Shape = tuple[int, ...]

FLOAT16, FLOAT32, _BOOL = np.dtype(np.float16), np.dtype(np.float32), np.dtype(bool)
_INT64 = np.dtype(np.int64)


# NumPy would warn the user of divisions by zero and overflows in our arithmetic.  np.errstate does
# this in 0.9 us a time; its two steps, taken directly, cost 0.05 us.  The state before is asked for
# and not kept as a token of the context variable: an interrupt may come just before that is kept.
QUIET = umath._make_extobj(all="ignore")
enter = umath._extobj_contextvar.set
error_state = umath._extobj_contextvar.get

# And one call in a context of its own costs 0.01 us.  A context can be entered by one thread at a
# time: while another thread is in it, which lets go of the interpreter only where arrays are large,
# this raises RuntimeError.
_quiet_context = contextvars.copy_context()
_quiet_context.run(enter, QUIET)
quietly = _quiet_context.run


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with NumPy's floating point warnings off while it runs."""

    def silenced(*args: Any, **kwargs: Any) -> Any:
        before = error_state()
        try:
            enter(QUIET)
            return function(*args, **kwargs)
        finally:
            enter(before)

    silenced.__doc__ = function.__doc__
    return silenced


def own(array: Array) -> Array:
    """Return ``array`` as an array object: NumPy's scalars become 0-d arrays."""
    return np.asarray(array)


def owns(array: Array) -> bool:
    """Tell whether no other array lies in the memory of ``array``, as far as it is its view.

    It may be the only view of an array that it is all of, which nobody else holds.
    """
    base = array.base
    if base is None:
        return True
    whole = base.__class__ is np.ndarray and base.size == array.size and array.flags.forc
    return whole and base.base is None and getrefcount(base) == _VIEWED


def _viewed(view: Array) -> int:
    base = view.base
    return getrefcount(base)


_VIEWED = _viewed(np.empty(1)[...])  # what a base counts that one view holds, and a variable


def device_of(array: Array) -> device:
    """Return the device that holds ``array``."""
    return CPU


# --------------------------------------------------------------------------- formulas


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

    function: Callable[..., Any]
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


_OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "neg": operator.neg,
}  # fmt: skip


def function_of(formula: Formula) -> Any:
    """Return a formula of one output as a function of small arrays."""
    (output,) = formula.outputs
    if output.function in _OPERATORS and output.args == formula.inputs:
        return _OPERATORS[output.function]
    function: Callable[..., Any] = _compiled(formula, False).function
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
NUMBERS: dict[np.dtype[Any], dict[float, Array]] = {FLOAT32: {}, np.dtype(np.float64): {}}
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
    if sum_to is not None and len(results) > 1:
        return _evaluate_apart(formula, arrays, compute, results, sum_to, summed)
    if out is not None and out.dtype is compute and compute is not FLOAT16:
        step = formula.outputs[0]
        if step.function in _DIRECT and step.args == formula.inputs:
            _DIRECT[step.function](*arrays, out=out, casting="unsafe")
            return (out,)
    many = True in [a.size >= LARGE for a in arrays]
    values: Sequence[Array]
    if compute.itemsize == 2 and is_half(compute):  # every step in 32 bits, rounded once
        narrow, compute = compute, FLOAT32
        if many and sum_to is None and narrow is FLOAT16 and not _compiled(formula, True).typed:
            halves = _of_halves(formula, arrays, results)
            if out is None:
                return halves
            np.copyto(out, halves[0], casting="unsafe")
            return (out,)
    compiled = _compiled(formula, many)
    if compiled.typed:
        compiled = _compiled(formula, many, _real(compute))
    if not many:
        values = _outputs(compiled, arrays, compute)
        if sum_to is not None:
            values = (sum_to_shape(values[0], sum_to),)
    elif sum_to is not None:
        values = (_sum(compiled, arrays, compute, sum_to),)
    elif compiled.steps >= _MANY_STEPS and builtins.max([a.size for a in arrays]) >= IN_BLOCKS:
        values = _in_blocks(compiled, arrays, compute, results)
    else:
        values = _outputs(compiled, arrays, compute)
    if out is not None:
        np.copyto(out, _stored(values[0], results[0]), casting="unsafe")
        return (out,)
    return [v if v.dtype is d else _stored(v, d) for v, d in zip(values, results, strict=True)]


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
    compiled: _Compiled, arrays: Sequence[Array], compute: np.dtype[Any]
) -> Sequence[Array]:
    values = compiled.function(
        *[
            a if a.dtype is compute or kind == BOOL else _converted(a, kind, compute)
            for a, kind in zip(arrays, compiled.kinds, strict=True)
        ]
    )
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
    compiled = _compiled(formula, True)
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    # of a gradient of a sum all elements are one
    arrays = [a[(0,) * a.ndim] if a.ndim and not any(a.strides) else a for a in arrays]
    full = [a for a in arrays if a.ndim]
    if full and all(a.shape == shape for a in full):
        if all(a.flags.c_contiguous for a in full):
            return _of_plain_halves(formula, compiled, arrays, shape, results)
        if all(a.flags.f_contiguous for a in full):
            turned = [a.T if a.ndim else a for a in arrays]
            found = _of_plain_halves(formula, compiled, turned, shape[::-1], results)
            return [v.T for v in found]
    values = _outputs(compiled, arrays, FLOAT32)
    return [
        _stored(v if v.shape == shape else np.broadcast_to(v, shape), d)
        for v, d in zip(values, results, strict=True)
    ]


def _of_plain_halves(
    formula: Formula,
    compiled: _Compiled,
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
        x, y = [0 if k is None else arrays[k] for k in choice.values]
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
        for o, v in zip(flat, _outputs(compiled, parts, FLOAT32), strict=True):
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
    compiled: _Compiled,
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
        for o, v in zip(flat, _outputs(compiled, parts, compute), strict=True):
            assign(o[block], v)
    return outs


def _sum(
    compiled: _Compiled, arrays: Sequence[Array], compute: np.dtype[Any], sum_to: Shape
) -> Array:
    """Return the output summed to a shape, without writing all of it first where it is large.

    A product is summed as it is made.
    """
    shape = np.broadcast(*arrays).shape
    axes = summed_axes(shape, sum_to)
    if compiled.is_product and arrays[0].dtype is compute:
        found = large.sums_of_products(arrays[0], arrays[-1], axes)
        if found is not None:
            return large.shaped(found, sum_to)
    if math.prod(shape) < IN_BLOCKS or 0 not in axes:
        return sum_to_shape(_outputs(compiled, arrays, compute)[0], sum_to)
    sums = (
        sum_to_shape(_outputs(compiled, parts, compute)[0], sum_to)
        for _, parts in _blocks(arrays, shape)
    )
    return functools.reduce(operator.add, sums)


def summed(formula: Formula, arrays: Sequence[Array], shape: Shape) -> Array:
    """Return a formula's one output summed to ``shape``; all arrays are of one real type."""
    kind = arrays[0].dtype
    return evaluate(formula, arrays, kind, (kind,), shape)[0]


def evaluated(formula: Formula, arrays: Sequence[Array]) -> Sequence[Array]:
    """Return a formula's outputs; all arrays are of one real type, and so are the outputs."""
    kind = arrays[0].dtype
    return evaluate(formula, arrays, kind, [kind] * len(formula.outputs))


def gains(formula: Formula) -> bool:
    """Tell whether :func:`evaluate` does more for large arrays than the formula says."""
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


def sum_to_shape(array: Array, shape: Shape) -> Array:
    """Return ``array`` summed to a shape that broadcasts to its own."""
    return large.shaped(_summed(array, summed_axes(array.shape, shape), array.dtype), shape)


# --------------------------------------------------------------------------- arrays


def from_numpy(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array."""
    return np.array(array)


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return the array itself."""
    return np.asarray(array)


def to_pinned(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy: there is nothing to copy faster to."""
    return np.array(array)


@quiet
def astype(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return a copy with another element type; complex to real keeps the real part."""
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    if dtype == FLOAT32 and is_half(array.dtype):
        return half.widened(array)
    if array.dtype == FLOAT32 and is_half(dtype):
        return half.rounded(array, dtype)
    return array.astype(dtype)


def copy(array: Array, order: str = "K") -> Array:
    """Return a copy with memory of its own."""
    if array.__class__ is np.ndarray:
        return array.copy(order)  # type: ignore[arg-type]
    return np.array(array)


def assign(target: Array, source: Array) -> None:
    """Write ``source`` into ``target``, broadcasting and casting."""
    if getattr(source, "dtype", None) is target.dtype:
        np.copyto(target, source)
    else:
        _assign_cast(target, source)


@quiet
def _assign_cast(target: Array, source: Array) -> None:
    if target.dtype.kind != "c" and getattr(source, "dtype", target.dtype).kind == "c":
        source = source.real
    if target.dtype == FLOAT16 and getattr(source, "shape", None) == target.shape:
        half.rounded(source, FLOAT16, target)
    else:
        np.copyto(target, source, casting="unsafe")


def add_into(target: Array, source: Array) -> None:
    """Add ``source`` to ``target`` in its memory."""
    before = error_state()
    try:
        enter(QUIET)
        if target.dtype is FLOAT16 and source.dtype is FLOAT16 and source.size >= LARGE:
            half.add_into(target, source)
        else:
            np.add(target, source, target, casting="unsafe")
    finally:
        enter(before)


_MOST_PASSES = 128


@quiet
def add_overlapping(view: Array, values: Array) -> bool:
    """Add values to a view whose elements may lie on each other: some dimensions one by one."""
    if is_half(view.dtype):  # each addition would round
        return False
    steps = [(abs(s), n) for s, n in zip(view.strides, view.shape, strict=True)]
    by_length = sorted(range(view.ndim), key=lambda k: view.shape[k])
    apart = list(by_length)
    while not lie_apart([steps[k] for k in apart]):
        del apart[0]
    for k in reversed(by_length[: view.ndim - len(apart)]):
        if lie_apart([steps[j] for j in (k, *apart)]):
            apart.append(k)
    looped = sorted(set(by_length) - set(apart))
    lengths = [view.shape[k] for k in looped]
    if math.prod(lengths) > _MOST_PASSES:
        return False
    targets = view.transpose((*looped, *sorted(apart)))
    sources = np.broadcast_to(values, view.shape).transpose((*looped, *sorted(apart)))
    for place in np.ndindex(*lengths):
        target = targets[(*place, ...)]
        np.add(target, sources[place], out=target)
    return True


def lie_apart(steps: Sequence[tuple[int, int]]) -> bool:
    """Tell whether no two elements are one, by the distances and numbers along dimensions."""
    reach = 0
    for distance, count in sorted(steps):
        if count > 1:
            if distance <= reach:
                return False
            reach += distance * (count - 1)
    return True


MOST_TERMS = 2  # a third one costs as much alone, and finds the sum in the cache


def add_all(arrays: Sequence[Array], into_first: bool) -> Array:
    """Return the sum of arrays of one shape, in the memory of the first where it may be used."""
    first, *others = arrays
    for k, array in enumerate(others):
        if first.dtype is FLOAT16 and first.size >= LARGE:
            first = half.rounded(half.widened(first) + half.widened(array), FLOAT16)
        elif (into_first or k) and first.size > 1000:  # below, adding in place is dearer
            np.add(first, array, out=first)
        else:
            first = first + array
    return first


def address(array: Array) -> int:
    """Return the address of the first element."""
    if array.flags.c_contiguous and array.size:
        try:
            return _address_of(_first_byte(array))
        except (TypeError, ValueError):  # it may not be written, or is of another library's type
            pass
    return int(array.__array_interface__["data"][0])


# A quarter of the time that NumPy takes to describe an array.
_address_of, _first_byte = ctypes.addressof, ctypes.c_char.from_buffer


shares_memory: Any = np.shares_memory  # NumPy's annotations know two values of max_work


def overlap(a: Array, b: Array) -> bool:
    """Tell whether two arrays have an element in common; true where that is not known."""
    try:
        return shares_memory(a, b, max_work=10_000)  # the question is hard in theory
    except np.exceptions.TooHardError:
        return True


def strided(
    memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
) -> Array:
    """Return an array that begins ``offset`` bytes after another one, in its memory."""
    if memory.flags.c_contiguous:
        return np.ndarray(shape, dtype, memory, offset, strides)
    return np.asarray(_Strided(memory, shape, dtype, offset, strides))


class _Strided:
    """What NumPy must know of an array in the memory of another one, which has gaps."""

    def __init__(
        self, memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
    ):
        self.base = memory
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
            "data": (memory.ctypes.data + offset, not memory.flags.writeable),
        }


def memory(array: Array) -> tuple[int, int]:
    """Return the address of the memory that an array lies in, and the one behind it."""
    owner = _owner(array)
    low, high = np.lib.array_utils.byte_bounds(owner)
    return int(low), int(high) if owner.size else int(low)


def bytes_of(array: Array) -> Array:
    """Return a view of all of the memory that an array lies in, as bytes."""
    owner = _owner(array)
    low, high = memory(array)
    by_strides = np.lib.stride_tricks.as_strided
    return by_strides(owner, ((high - low) // owner.itemsize,), (owner.itemsize,)).view(np.uint8)


def laid_out(array: Array, shape: Shape, offset: int, strides: Shape) -> Array:
    """Return a view of an array's memory, which begins ``offset`` bytes after that does."""
    flat = bytes_of(array).view(array.dtype)
    return np.lib.stride_tricks.as_strided(flat[offset // array.itemsize :], shape, strides)


def _owner(array: Array) -> Array:
    """Return the array that has the memory of another one, which may be a view of it."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array = base
        base = getattr(base, "base", None)  # as_strided puts other objects between two arrays
    return array


def broadcast_to(array: Array, shape: Shape) -> Array:
    """Return a view of another shape, with stride 0 where it repeats."""
    array = np.asarray(array)
    if array.ndim == 0 and 0 not in shape:
        return np.ndarray(shape, array.dtype, array, 0, (0,) * len(shape))
    extra = len(shape) - array.ndim
    strides = array.strides
    if array.shape != shape[extra:]:
        strides = tuple(
            [
                0 if n == 1 != m else s
                for n, m, s in zip(array.shape, shape[extra:], strides, strict=True)
            ]
        )
    strides = (0,) * extra + strides
    if not array.flags.c_contiguous or 0 in shape:
        return np.lib.stride_tricks.as_strided(array, shape, strides)
    return np.ndarray(shape, array.dtype, array, 0, strides)  # np.broadcast_to costs 3 us


def diagonal(array: Array, offset: int, first: int, second: int) -> Array:
    """Return a view of the diagonals over two axes, which a last one replaces."""
    result = array.diagonal(offset, first, second)
    result.flags.writeable = array.flags.writeable  # NumPy hands out diagonals for reading
    return result


def reshape(array: Array, shape: Shape) -> Array:
    """Return a view where strides allow, else a copy."""
    return np.asarray(array).reshape(shape)


# --------------------------------------------------------------------------- reductions

# NumPy's annotations know no `keepdims` that is not a literal.
add_reduce: Any = np.add.reduce
maximum_reduce: Any = np.maximum.reduce
minimum_reduce: Any = np.minimum.reduce


def _summed(array: Array, axes: Shape, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes``, which disappear, in ``dtype``."""
    if dtype == FLOAT32 and is_half(array.dtype):
        array = half.widened(array)
    if array.size >= 1024 and array.dtype == dtype:
        found = large.sums(array, axes)
        if found is not None:
            return found
    return add_reduce(array, None if len(axes) == array.ndim else axes, dtype)


def _stored_as(result: Array, array: Array, axes: Shape, keepdims: bool, dtype: Any) -> Array:
    """Return what a reduction of ``array`` gave, in its final shape and type."""
    if keepdims:
        result = result.reshape([1 if k in axes else n for k, n in enumerate(array.shape)])
    return result if result.dtype == dtype else result.astype(dtype)


def sum(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes`` as ``dtype``."""
    if array.size < 1024 and array.dtype is dtype and dtype.itemsize > 2 and not keepdims:
        along = None if len(axes) == array.ndim else axes
        try:
            return quietly(add_reduce, array, along, dtype)
        except RuntimeError:  # another thread is in that context
            return quiet(add_reduce)(array, along, dtype)
    before = error_state()
    try:
        enter(QUIET)
        result = _summed(array, axes, accumulation(dtype))
        return _stored_as(result, array, axes, keepdims, dtype)
    finally:
        enter(before)


def mean(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the mean over ``axes`` as ``dtype``."""
    accumulator = accumulation(dtype)
    count = array.size if len(axes) == array.ndim else math.prod([array.shape[k] for k in axes])
    before = error_state()
    try:
        enter(QUIET)
        result = _summed(array, axes, accumulator) / accumulator.type(count)
        return _stored_as(result, array, axes, keepdims, dtype)
    finally:
        enter(before)


@quiet
def length(array: Array, axes: Shape, keepdims: bool, low: float, high: float) -> Array | None:
    """Return the root of the sum of squares over axes; ``None`` if one is not in a range."""
    total = large.sums_of_products(array, array, axes) if array.size >= 1024 else None
    if total is None:
        total = _summed(array * array, axes, array.dtype)
    if total.ndim:
        if not (total.size and low <= total.min() and total.max() <= high):
            return None
    elif not low <= total <= high:
        return None
    return _stored_as(np.sqrt(total), array, axes, keepdims, array.dtype)


@quiet
def prod(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes`` as ``dtype``."""
    if array.dtype == dtype and is_half(dtype):
        array = half.widened(array)
    found = products.product(np.asarray(array), axes, accumulation(dtype))
    if not keepdims:
        found = found.reshape([n for k, n in enumerate(array.shape) if k not in axes])
    return found if found.dtype == dtype else found.astype(dtype)


@quiet
def others(array: Array, axes: Shape) -> Array | None:
    """Return at each element the product of all others along ``axes``, where no part overflows."""
    if is_half(array.dtype):
        found = products.others(half.widened(np.asarray(array)), axes)
        return None if found is None else half.rounded(found, array.dtype)
    return products.others(np.asarray(array), axes)


@quiet
def max(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the maximum over ``axes``; nan wins."""
    return _extreme(np.maximum, array, axes, keepdims)


@quiet
def min(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the minimum over ``axes``; nan wins."""
    return _extreme(np.minimum, array, axes, keepdims)


def _extreme(function: Any, array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the extreme over ``axes``; that of many short rows is the one of their columns."""
    ndim = array.ndim
    if axes == (ndim - 1,) and array.size >= LARGE and 1 < array.shape[-1] <= large.SHORT:
        found = function(array[..., 0], array[..., 1])
        for k in range(2, array.shape[-1]):
            function(found, array[..., k], out=found)
        return found[..., None] if keepdims else found
    return function.reduce(array, axis=axes, keepdims=keepdims)


@quiet
def largest(array: Array, axes: Shape, least: bool = False) -> Array:
    """Return the largest or the least size over ``axes``, which stay with length 1."""
    size = np.absolute(array)
    if least:
        return minimum_reduce(size, axis=axes, keepdims=True, initial=math.inf)
    return maximum_reduce(size, axis=axes, keepdims=True, initial=0)


def argmax(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first maximum, over all where ``axis`` is None."""
    return np.int64(np.argmax(array)) if axis is None else np.argmax(array, axis=axis)


def argmin(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first minimum, over all where ``axis`` is None."""
    return np.int64(np.argmin(array)) if axis is None else np.argmin(array, axis=axis)


@quiet
def order(array: Array, axis: int, descending: bool) -> Array:
    """Return the int64 places of the elements in their order along an axis, which is stable."""
    return sorting.ordered(np.asarray(array), axis, descending)


@quiet
def top(array: Array, count: int, axis: int, largest: bool) -> Array:
    """Return the places of so many of the largest or smallest elements, in their order."""
    return sorting.top(array, count, axis, largest)


@quiet
def count_at(places: Array, length: int, weights: Array | None, dtype: np.dtype[Any]) -> Array:
    """Return how often each of the numbers below ``length`` occurs, or sums of weights."""
    return np.bincount(places, weights, length).astype(dtype, copy=False)


@quiet
def kth(array: Array, axis: int, ranks: Shape) -> Sequence[Array]:
    """Return the elements of some ranks along an axis, which stays with length 1."""
    own = array.dtype
    if is_half(own):
        array = half.widened(array)
    found = np.partition(array, ranks, axis)
    rows = [np.take(found, (rank,), axis) for rank in ranks]
    return [half.rounded(r, own) for r in rows] if is_half(own) else rows


@quiet
def order_of_rows(rows: Array) -> Array:
    """Return the places of the rows of a matrix in their order: by the first that differs."""
    return sorting.of_rows(rows)


@quiet
def search(bounds: Array, values: Array, right: bool) -> Array:
    """Return the int64 places where values belong among sorted bounds."""
    return sorting.found(bounds, np.asarray(values), right)


@quiet
def scan(kind: str, arrays: Sequence[Array], axis: int, reverse: bool = False) -> Array:
    """Return at each place what is made of the elements up to it along an axis."""
    return scans.scan(kind, arrays, axis, reverse)


@quiet
def scan_extreme(array: Array, axis: int, greatest: bool) -> tuple[Array, Array]:
    """Return the maxima or minima up to each place, and where the last of them is."""
    return scans.extreme(array, axis, greatest)


@quiet
def softmax(array: Array, axis: int, log: bool, dtype: np.dtype[Any]) -> Array:
    """Return exp(array) divided by its sum along an axis, or the logarithm of that."""
    if not array.size:
        return np.empty(array.shape, dtype)
    wide = accumulation(dtype)
    if array.dtype != wide:
        halves = is_half(array.dtype) and wide == FLOAT32
        array = half.widened(array) if halves else array.astype(wide)
    below = array - maximum_reduce(array, axis=axis, keepdims=True)
    if log:
        below -= np.log(sum(np.exp(below), (axis,), True, wide))
    else:
        np.exp(below, out=below)
        below /= sum(below, (axis,), True, wide)
    return half.rounded(below, dtype) if is_half(dtype) else below


@quiet
def softmax_gradient(g: Array, out: Array, axis: int, log: bool) -> Array:
    """Return the gradient of what ``softmax`` computed, ``out``."""
    kind = g.dtype
    if is_half(kind):
        found = softmax_gradient(half.widened(g), half.widened(out), axis, log)
        return half.rounded(found, kind)
    if log:
        found = np.exp(out)
        found *= sum(g, (axis,), True, kind)
        return np.subtract(g, found, out=found)
    found = g * out
    total = sum(found, (axis,), True, kind)
    np.subtract(g, total, out=found)
    found *= out
    return found


@quiet
def matmul(a: Array, b: Array) -> Array:
    """Return the matrix product, stacked over leading dimensions.

    One matrix is multiplied once with all of a stack that lie as one, or that are narrow.
    """
    if is_half(a.dtype):
        return half.rounded(matmul(half.widened(a), half.widened(b)), a.dtype)
    if a.ndim > 2 or b.ndim > 2 or a.shape[-1:] == (1,):
        return _stacked(a, b)
    if b.ndim == 1 and not b.strides[0]:  # of one number, which BLAS does not take
        b = np.ascontiguousarray(b)
    return np.matmul(a, b)


_NARROW = 16  # columns; below, a product with each of a stack reads the other matrix too often


def _stacked(a: Array, b: Array) -> Array:
    if 1 in (a.ndim, b.ndim):
        return np.matmul(a, b)
    rows, length = a.shape[-2:]
    columns = b.shape[-1]
    if length == 1:
        return np.multiply(a, b)  # one term each, for which BLAS takes ten times as long
    if _is_one(b) and not _is_one(a) and (rows <= _NARROW or a.flags.c_contiguous):
        stack = (1,) * (b.ndim - a.ndim) + a.shape[:-2]
        below = a.reshape(math.prod(stack) * rows, length)
        return (below @ b.reshape(length, columns)).reshape(*stack, rows, columns)
    if _is_one(a) and not _is_one(b) and columns <= _NARROW:
        stack = (1,) * (a.ndim - b.ndim) + b.shape[:-2]
        beside = np.moveaxis(b, -2, 0).reshape(length, math.prod(stack) * columns)
        product = (a.reshape(rows, length) @ beside).reshape(rows, *stack, columns)
        return np.ascontiguousarray(np.moveaxis(product, 0, -2))
    return np.matmul(a, b)


def _is_one(matrices: Array) -> bool:
    return math.prod(matrices.shape[:-2]) == 1


@quiet
def dot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays."""
    if is_half(a.dtype):
        return np.dot(half.widened(a), half.widened(b)).astype(a.dtype)
    return np.dot(a, b)


@quiet
def matrices(name: str, *arrays: Array, **options: Any) -> Any:
    """Return what a function of ``lapack`` gives of stacks of matrices."""
    return composed.called(lapack, name, *arrays, **options)


@quiet
def vdot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, of which the first is conjugated."""
    return np.vdot(a, b) if a.dtype.kind == "c" else dot(a, b)


def source(seed: int, where: device) -> Source:
    """Return a stream of random numbers."""
    return Source(seed)


def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined along an existing axis."""
    return np.concatenate(arrays, axis=axis)


def full(shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array filled with ``value``."""
    if isinstance(value, int) and not value:  # in a fifth of the time
        return np.zeros(shape, dtype)
    return _full(shape, value, dtype)


@quiet
def _full(shape: Shape, value: complex, dtype: np.dtype[Any]) -> Array:
    return np.full(shape, value, dtype)


def empty(shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array whose values are not defined."""
    return np.empty(shape, dtype)


def empty_like(array: Array, order: str) -> Array:
    """Return a new array of the shape and type of another one."""
    return np.empty_like(array, order=order)  # type: ignore[call-overload]


def item(array: Array) -> Any:
    """Return the one element as a Python number."""
    return array.item()


def check_inside(
    indices: Array, low: int, n: int, axis: int, function: str, error: builtins.type[Exception]
) -> None:
    """Raise where an index is below ``low`` or not below ``n``."""
    if all_inside(indices, n):
        return
    least, most = int(indices.min()), int(indices.max())
    if least < low or most >= n:
        raise out_of_bounds(error, function, most if most >= n else least, axis, n)


def take(array: Array, index: Any) -> Array:
    """Return ``array[index]`` where ``index`` has arrays: a copy."""
    return places.taken(np.asarray(array), index)


def put(array: Array, index: Any, values: Array) -> None:
    """Write ``values`` at ``index``."""
    places.put(array, index, values)


def count(stop: int, where: device) -> Array:
    """Return the int64 numbers from 0 up to ``stop``."""
    return np.arange(stop)


def add_at(array: Array, index: Any, values: Array) -> None:
    """Add ``values`` at ``index``; what is named twice receives both."""
    reduce_at(array, index, values, "sum")


@quiet
def reduce_at(array: Array, index: Any, values: Array, way: str) -> None:
    """Put ``values`` together with what is at ``index``."""
    if is_half(array.dtype) and way in ("sum", "prod"):  # each step would round
        total = half.widened(array)
        places.reduce(total, index, half.widened(values), way)
        half.rounded(total, array.dtype, array)
    else:
        places.reduce(array, index, values, way)
