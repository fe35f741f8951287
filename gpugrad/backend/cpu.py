"""NumPy's side of the door."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy._core import umath

from gpugrad._device import CPU, device
from gpugrad.errors import summed_axes
from gpugrad.formula import BOOL, COMPLEX, Formula, compile_python

xp = np
type = "cpu"

Array = Any
Shape = tuple[int, ...]

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)


# NumPy would warn the user of divisions by zero and overflows in our arithmetic.  np.errstate does
# this in 0.9 us a time; its two steps, taken directly, cost 0.05 us.
QUIET = umath._make_extobj(all="ignore")
enter = umath._extobj_contextvar.set
leave = umath._extobj_contextvar.reset
error_state = umath._extobj_contextvar.get


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with NumPy's floating point warnings off while it runs."""

    def silenced(*args: Any, **kwargs: Any) -> Any:
        token = enter(QUIET)
        try:
            return function(*args, **kwargs)
        finally:
            leave(token)

    silenced.__doc__ = function.__doc__
    return silenced


def own(array: Array) -> Array:
    """Return ``array`` as an array object: NumPy's scalars become 0-d arrays."""
    return np.asarray(array)


def device_of(array: Array) -> device:
    """Return the device that holds ``array``."""
    return CPU


# --------------------------------------------------------------------------- formulas


def _erf(x: Array) -> Array:
    try:
        from scipy.special import erf
    except ImportError:
        values = np.frompyfunc(math.erf, 1, 1)(x)
        return np.asarray(values).astype(np.result_type(x))
    return erf(x)


def _sign(x: Array) -> Array:
    return np.copy(x) if x.dtype.kind == "b" else np.sign(x)


def _power(x: Array, y: Array) -> Array:
    if np.result_type(x).kind in "iub" and np.any(np.less(y, 0)):
        # as PyTorch: an integer to a negative power is what truncation leaves of it
        odd = np.where(np.equal(np.remainder(y, 2), 0), 1, x)
        small = np.where(np.equal(x, 1), 1, np.where(np.equal(x, -1), odd, 0))
        return np.where(np.less(y, 0), small, np.power(x, np.maximum(y, 0))).astype(
            np.result_type(x)
        )
    return np.power(x, y)


FUNCTIONS = {
    name: getattr(np, name)
    for name in (
        "absolute", "conjugate", "copy", "cos", "exp", "full_like", "imag", "inf", "invert",
        "isinf", "isnan", "log", "log1p", "logical_and", "logical_not", "logical_or",
        "logical_xor", "maximum", "minimum", "nan", "real", "sin", "sqrt", "tan", "tanh",
        "where",
    )
} | {"erf": _erf, "power": _power, "sign": _sign}  # fmt: skip


@functools.cache
def _compiled(formula: Formula) -> Callable[..., Any]:
    return compile_python(formula, FUNCTIONS)


# One step of arithmetic is written straight into the memory of an in-place operation.
_DIRECT: dict[str, Any] = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}


@quiet
def evaluate(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
    sum_to: Shape | None = None,
    out: Array | None = None,
) -> Sequence[Array]:
    """Return the formula's outputs, computed in ``compute`` and stored as ``results``."""
    if out is not None and out.dtype is compute and compute is not FLOAT16:
        step = formula.outputs[0]
        if step.function in _DIRECT and step.args == formula.inputs:
            _DIRECT[step.function](*arrays, out=out, casting="unsafe")
            return (out,)
    function = _compiled(formula)
    if compute is FLOAT16:  # every step in 32 bits, rounded once, as on CUDA
        compute = FLOAT32
    values = function(
        *(
            a if a.dtype is compute or v.kind == BOOL else _converted(a, v.kind, compute)
            for a, v in zip(arrays, formula.inputs, strict=True)
        )
    )
    outputs = values if values.__class__ is tuple else (values,)
    if sum_to is not None:
        outputs = (sum_to_shape(outputs[0], sum_to),)
    if out is not None:
        np.copyto(out, _stored(outputs[0], results[0]), casting="unsafe")
        return (out,)
    return [o if o.dtype is d else _stored(o, d) for o, d in zip(outputs, results, strict=True)]


def summed(formula: Formula, arrays: Sequence[Array], shape: Shape) -> Array:
    """Return a formula's one output summed to ``shape``; all arrays are of one real type."""
    kind = arrays[0].dtype
    return evaluate(formula, arrays, kind, (kind,), shape)[0]


def _converted(array: Array, kind: str, compute: np.dtype[Any]) -> Array:
    if compute.kind == "c" and kind != COMPLEX:
        compute = np.dtype(f"f{compute.itemsize // 2}")
    return array.astype(compute, copy=False)


def _stored(array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype.kind == "c" and dtype.kind != "c":
        array = array.real
    return array.astype(dtype, copy=False)


def sum_to_shape(array: Array, shape: Shape) -> Array:
    """Return ``array`` summed to a shape that broadcasts to its own."""
    axes = summed_axes(array.shape, shape)
    return np.add.reduce(array, axis=axes, keepdims=True).reshape(shape)


# --------------------------------------------------------------------------- arrays


def from_numpy(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array."""
    return np.array(array)


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return the array itself."""
    return np.asarray(array)


@quiet
def astype(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return a copy with another element type; complex to real keeps the real part."""
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    return array.astype(dtype)


def copy(array: Array, order: str = "K") -> Array:
    """Return a copy with memory of its own."""
    return np.array(array, order=order)  # type: ignore[call-overload]


@quiet
def assign(target: Array, source: Array) -> None:
    """Write ``source`` into ``target``, broadcasting and casting."""
    if target.dtype.kind != "c" and getattr(source, "dtype", target.dtype).kind == "c":
        source = source.real
    np.copyto(target, source, casting="unsafe")


@quiet
def add_into(target: Array, source: Array) -> None:
    """Add ``source`` to ``target`` in its memory."""
    np.add(target, source, out=target, casting="unsafe")


MOST_TERMS = 2  # a third one costs as much alone, and finds the sum in the cache


def add_all(arrays: Sequence[Array], into_first: bool) -> Array:
    """Return the sum of arrays of one shape, in the memory of the first where it may be used."""
    first, *others = arrays
    for k, array in enumerate(others):
        if (into_first or k) and first.size > 1000:  # below, adding in place is dearer
            np.add(first, array, out=first)
        else:
            first = first + array
    return first


def address(array: Array) -> int:
    """Return the address of the first element."""
    return int(array.__array_interface__["data"][0])


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
    """Return an array in the memory of another, which has no gaps; all sizes are in bytes."""
    return np.ndarray(shape, dtype, memory, offset, strides)


def broadcast_to(array: Array, shape: Shape) -> Array:
    """Return a view of another shape, with stride 0 where it repeats."""
    array = np.asarray(array)
    if array.ndim == 0 and 0 not in shape:
        return np.ndarray(shape, array.dtype, array, 0, (0,) * len(shape))
    extra = len(shape) - array.ndim
    strides = (0,) * extra + tuple(
        0 if n == 1 != m else s
        for n, m, s in zip(array.shape, shape[extra:], array.strides, strict=True)
    )
    if 0 in shape:
        return np.broadcast_to(array, shape)
    if not array.flags.c_contiguous:
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
multiply_reduce: Any = np.multiply.reduce
maximum_reduce: Any = np.maximum.reduce
minimum_reduce: Any = np.minimum.reduce


def _accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return FLOAT32 if dtype == FLOAT16 else dtype


@quiet
def sum(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes`` as ``dtype``."""
    result: Array = add_reduce(array, axis=axes, keepdims=keepdims, dtype=_accumulator(dtype))
    return result if result.dtype == dtype else result.astype(dtype)


@quiet
def mean(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the mean over ``axes`` as ``dtype``."""
    accumulator = _accumulator(dtype)
    count = math.prod(array.shape[k] for k in axes)
    total = add_reduce(array, axis=axes, keepdims=keepdims, dtype=accumulator)
    return np.true_divide(total, accumulator.type(count)).astype(dtype, copy=False)


@quiet
def prod(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes`` as ``dtype``."""
    result: Array = multiply_reduce(array, axis=axes, keepdims=keepdims, dtype=_accumulator(dtype))
    return result if result.dtype == dtype else result.astype(dtype)


@quiet
def max(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the maximum over ``axes``; nan wins."""
    return maximum_reduce(array, axis=axes, keepdims=keepdims)


@quiet
def min(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the minimum over ``axes``; nan wins."""
    return minimum_reduce(array, axis=axes, keepdims=keepdims)


def argmax(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first maximum, over all where ``axis`` is None."""
    return np.int64(np.argmax(array)) if axis is None else np.argmax(array, axis=axis)


def argmin(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first minimum, over all where ``axis`` is None."""
    return np.int64(np.argmin(array)) if axis is None else np.argmin(array, axis=axis)


@quiet
def matmul(a: Array, b: Array) -> Array:
    """Return the matrix product, stacked over leading dimensions."""
    if a.dtype == FLOAT16:
        return np.matmul(a.astype(FLOAT32), b.astype(FLOAT32)).astype(FLOAT16)
    return np.matmul(a, b)


@quiet
def dot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays."""
    if a.dtype == FLOAT16:
        return np.dot(a.astype(FLOAT32), b.astype(FLOAT32)).astype(FLOAT16)
    return np.dot(a, b)


def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined along an existing axis."""
    return np.concatenate(arrays, axis=axis)


def full(shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array filled with ``value``."""
    return np.full(shape, value, dtype)


def empty(shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array whose values are not defined."""
    return np.empty(shape, dtype)


def take(array: Array, index: Any) -> Array:
    """Return ``array[index]`` where ``index`` has arrays: a copy."""
    return np.asarray(array)[index]


def put(array: Array, index: Any, values: Array) -> None:
    """Write ``values`` at ``index``."""
    array[index] = values


def count(stop: int, where: device) -> Array:
    """Return the int64 numbers from 0 up to ``stop``."""
    return np.arange(stop)


def add_at(array: Array, index: Any, values: Array) -> None:
    """Add ``values`` at ``index``; what is named twice receives both."""
    if array.dtype == FLOAT16:  # each addition would round
        total = array.astype(FLOAT32)
        np.add.at(total, index, values.astype(FLOAT32))
        np.copyto(array, total, casting="unsafe")
    else:
        np.add.at(array, index, values)
