"""New tensors of numbers at equal distances, and of the places of matrices' elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad._dtype import dtype
from gpugrad.backend.cpu import quiet
from gpugrad.graph import TensorBase, warn
from gpugrad.op import public
from gpugrad.op.number import check_number, checked_number
from gpugrad.ops.creation import DeviceLike, finish, placed, plain_number
from gpugrad.ops.pointwise.operand import Operand

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

NumPy = np.ndarray[Any, np.dtype[Any]]


def sent(array: NumPy, where: DeviceLike, requires_grad: bool) -> Any:
    """Return a new array as a tensor on a device."""
    return finish(placed(array, where), requires_grad)


# --------------------------------------------------------------------------- by a step


@public(method=False, out=True, creates=True)
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, ... below end; int64 where all are integers.

    Raises:
        NotImplementedError: The type is bool or complex.
        RuntimeError: The step is 0 or leads away from the end.
        ValueError: The step is 0 as an integer.
    """
    if end is None:
        start, end, step = _real_ends("arange", end=start, start=0, step=step)
    else:
        start, end, step = _real_ends("arange", start=start, end=end, step=step)
    whole = all(isinstance(v, int) for v in (start, end, step))
    kind = _dtype.chosen(dtype, _dtype.int64 if whole else _dtype.get_default_dtype())
    _check_numeric("arange", kind)
    if kind.category == _dtype.INTEGER and not whole:
        if kind is _dtype.int64:
            start, end, step = int(start), int(end), int(step)
            if not step:
                raise ValueError("step must be nonzero")
        count = math.ceil((end - start) / step)
        start, step = int(start), int(step)
    else:
        count = -((start - end) // step) if whole else math.ceil((end - start) / step)
    return sent(_stepped(start, step, count, kind), device, requires_grad)


def _stepped(start: Any, step: Any, count: int, kind: dtype) -> NumPy:
    whole = isinstance(start, int) and isinstance(step, int)
    if whole and kind.category == _dtype.INTEGER and step == 1:
        return np.arange(start, start + count, dtype=np.int64).astype(kind.numpy, copy=False)
    values: NumPy = np.arange(count, dtype=np.int64 if whole else np.float64)
    if step != 1:
        values *= step
    if start:
        values += start
    return values.astype(kind.numpy, copy=False)


@public(method=False, out=True, creates=True)
def range(
    start: Any,
    end: Any,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, ... up to end, which is included; by default floats.

    Raises:
        NotImplementedError: The type is bool or complex.
        RuntimeError: The step is 0 or leads away from the end.
    """
    warn(
        "gpugrad.range is deprecated and will be removed in a future release because its behavior "
        "is inconsistent with Python's range builtin. Instead, use gpugrad.arange, which produces "
        "values in [start, end)."
    )
    start, end, step = _real_ends("range", start=start, end=end, step=step)
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    _check_numeric("range", kind)
    if kind.category == _dtype.INTEGER:
        start, end, step = int(start), int(end), int(step)
        if not step:
            raise RuntimeError("step must be nonzero")
    count = math.floor((end - start) / step) + 1
    return sent(_stepped(start, step, count, kind), device, requires_grad)


def _real_ends(function: str, **ends: Any) -> list[Any]:
    """Return start, end and step of a range, if there is one; they come in the user's order.

    Raises:
        RuntimeError: They make no range, or are complex.
        TypeError: One is no number.
    """
    found = {}
    for position, (name, given) in enumerate(ends.items(), 1):
        value = plain_number(given)
        check_number(value, function, name, position)
        if isinstance(value, complex):
            raise RuntimeError("value cannot be converted to type double without overflow")
        found[name] = int(value) if isinstance(value, bool) else value
    start, end, step = found["start"], found["end"], found["step"]
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    return [start, end, step]


def _check_numeric(function: str, kind: dtype, most: int = _dtype.FLOAT) -> None:
    if not _dtype.INTEGER <= kind.category <= most:
        raise NotImplementedError(f"\"{function}_cpu\" not implemented for '{kind.title}'")


# --------------------------------------------------------------------------- between two ends


def _between(more: str = "") -> tuple[str, ...]:
    options = (
        "*, Tensor out = None, gpugrad.dtype dtype = None, gpugrad.layout layout = None, "
        "gpugrad.device device = None, bool pin_memory = False, bool requires_grad = False"
    )
    return tuple(
        f"({start} start, {end} end, int steps, {more}{options})"
        for end in ("Tensor", "Number")
        for start in ("Tensor", "Number")
    )


@public(method=False, out=True, creates=True, signatures=_between())
def linspace(
    start: Operand,
    end: Operand,
    steps: int,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``steps`` values from start to end, both included, at equal distances.

    The ends are numbers or 0-d tensors.

    Raises:
        NotImplementedError: The type is bool.
        RuntimeError: ``steps`` is negative, an end does not fit into the type, or is complex and
            the type is not.
    """
    first, last, kind = _ends("linspace", start, end, steps, dtype)
    values = between(first, last, index(steps)).astype(kind.numpy, copy=False)
    return sent(values, device, requires_grad)


@public(method=False, out=True, creates=True, signatures=_between("float base = 10.0, "))
def logspace(
    start: Operand,
    end: Operand,
    steps: int,
    base: float = 10.0,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``base`` to the powers that :func:`linspace` gives for start and end.

    Raises:
        NotImplementedError: The type is bool.
        RuntimeError: ``steps`` is negative, an end does not fit into the type, or is complex and
            the type is not.
    """
    first, last, kind = _ends("logspace", start, end, steps, dtype)
    powers = between(first, last, index(steps))
    values = _powers(base + 0j if powers.dtype.kind == "c" else float(base), powers)
    return sent(_as_type(values, kind), device, requires_grad)


@quiet
def _powers(base: complex, powers: NumPy) -> NumPy:
    result: NumPy = np.power(base, powers)
    return result


@quiet
def _as_type(values: NumPy, kind: dtype) -> NumPy:
    return values.astype(kind.numpy, copy=False)


@quiet
def between(first: complex, last: complex, steps: int) -> NumPy:
    """Return values at equal distances, each counted from the end that is nearer.

    So the two are exact, and the values are symmetric.
    """
    step = (last - first) / max(steps - 1, 1)
    half = steps // 2 or steps
    result: NumPy = np.empty(steps, np.result_type(step, np.float64))
    np.multiply(np.arange(half), step, out=result[:half])
    result[:half] += first
    np.multiply(np.arange(half + 1 - steps, 1), step, out=result[half:])
    result[half:] += last
    return result


def _ends(function: str, start: Any, end: Any, steps: Any, kind: dtype | None) -> Any:
    """Return both ends as they are in the type of the result, and that."""
    tensors = {
        name: given._array.ndim
        for name, given in (("start", start), ("end", end))
        if isinstance(given, TensorBase)
    }
    if any(tensors.values()):
        found = " and ".join(f"{name} with {n} dimension(s)" for name, n in tensors.items())
        raise RuntimeError(
            f"{function} only supports 0-dimensional start and end tensors, but got {found}."
        )
    if index(steps) < 0:
        raise RuntimeError("number of steps must be non-negative")
    values = [v._array.item() if isinstance(v, TensorBase) else v for v in (start, end)]
    for position, (name, value) in enumerate(zip(("start", "end"), values, strict=True), 1):
        check_number(value, function, name, position)
    default = _dtype.get_default_dtype()
    if any(isinstance(v, complex) for v in values):
        default = default.to_complex()
        if kind is not None and not kind.is_complex:
            raise RuntimeError(
                f"gpugrad.{function}(): inferred dtype {default.c_name} can't be safely cast to "
                f"passed dtype {kind.title}"
            )
    kind = _dtype.chosen(kind, default)
    _check_numeric(function, kind, _dtype.COMPLEX)
    for value in values:
        checked_number(value, kind)
    if kind.category == _dtype.INTEGER:
        values = [int(v) for v in values]
    return *values, kind


# --------------------------------------------------------------------------- matrices


@public(method=False, out=True, creates=True)
def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a matrix with ones on the diagonal and zeros elsewhere.

    Raises:
        RuntimeError: A length is negative.
    """
    rows = length_of("eye", "n", 1, n)
    columns = rows if m is None else length_of("eye", "m", 2, m)
    for name, length in ("n", rows), ("m", columns):
        if length < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {length}")
    kind = _dtype.chosen(dtype, _dtype.get_default_dtype())
    return sent(np.eye(rows, columns, dtype=kind.numpy), device, requires_grad)


def length_of(function: str, name: str, position: int, given: Any) -> int:
    """Return a length that was given as an argument.

    Raises:
        TypeError: It is no integer.
    """
    try:
        return index(given)
    except TypeError:
        raise TypeError(
            f"{function}(): argument '{name}' (position {position}) must be int, not "
            f"{type(given).__name__}"
        ) from None


@public(method=False, creates=True)
def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: dtype | None = None, device: DeviceLike = None
) -> Tensor:
    """Return the rows and the columns of the elements on and below a diagonal, as two rows.

    Raises:
        NotImplementedError: The type is neither int32 nor int64.
        RuntimeError: A length is negative.
    """

    def ends(rows: NumPy) -> tuple[NumPy, NumPy]:
        return np.zeros_like(rows), np.clip(rows + offset + 1, 0, col)

    return _triangle("tril_indices", row, col, ends, dtype, device)


@public(method=False, creates=True)
def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: dtype | None = None, device: DeviceLike = None
) -> Tensor:
    """Return the rows and the columns of the elements on and above a diagonal, as two rows.

    Raises:
        NotImplementedError: The type is neither int32 nor int64.
        RuntimeError: A length is negative.
    """

    def ends(rows: NumPy) -> tuple[NumPy, NumPy]:
        return np.clip(rows + offset, 0, col), np.full_like(rows, col)

    return _triangle("triu_indices", row, col, ends, dtype, device)


def _triangle(
    function: str,
    row: int,
    col: int,
    ends: Callable[[NumPy], tuple[NumPy, NumPy]],
    kind: dtype | None,
    where: DeviceLike,
) -> Tensor:
    for name, length in ("row", row), ("col", col):
        if length < 0:
            raise RuntimeError(f"{name} must be non-negative, got{length}")
    kind = _dtype.chosen(kind, _dtype.int64)
    if kind not in (_dtype.int32, _dtype.int64):
        raise NotImplementedError(f"\"{function}\" not implemented for '{kind.title}'")
    rows = np.arange(row)
    first, last = ends(rows)
    counts = last - first
    places = np.empty((2, counts.sum()), kind.numpy)
    places[0] = np.repeat(rows, counts)
    places[1] = np.arange(places.shape[1])
    places[1] += np.repeat((last - np.cumsum(counts)).astype(kind.numpy), counts)
    found: Tensor = sent(places, where, False)
    return found
