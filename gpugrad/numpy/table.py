"""The ufuncs: which operation each of NumPy's names is, on tensors of the types NumPy computes in.

Most are declared operations under another name; the functions here say where NumPy's meaning
differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import Batched
from gpugrad.numpy.operands import cast, on_host
from gpugrad.numpy.ufuncs import op, ufunc
from gpugrad.op import saved
from gpugrad.op.promotion import to_one_device
from gpugrad.ops import pointwise as pw
from gpugrad.ops import products, reduction, scan
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone, to
from gpugrad.ops.creation import finish
from gpugrad.ops.extremum import amax, amin
from gpugrad.ops.pointwise.choice import fmax, fmin
from gpugrad.ops.pointwise.division import fmod, modulo, quotient
from gpugrad.ops.pointwise.power import cbrt
from gpugrad.ops.scatter import gather

Tensor = Any


# --------------------------------------------------------------------------- where NumPy differs


def _of_arrays(name: str) -> Callable[..., Any]:
    """Return a function without a derivative, which is that of the array library itself."""

    def compute(*tensors: Tensor) -> Any:
        tensors = tuple(to_one_device([_tensor(t) for t in tensors]))
        for t in tensors:
            saved.read(t)
        arrays = [saved.own_array(t) for t in tensors]
        with np.errstate(all="ignore"):
            found = getattr(backend.of(arrays[0]).xp, name)(*arrays)
        return finish(saved.wrap(np.asarray(found) if isinstance(found, np.generic) else found),
                      False)  # fmt: skip

    return compute


def _tensor(value: Any) -> Any:
    return value if hasattr(value, "_array") else saved.wrap(np.asarray(value))


def _kind(*operands: Any) -> str:
    """Return the kind of the type that the operands have, of which one is a tensor."""
    return next(o._array.dtype.kind for o in operands if hasattr(o, "_array"))


def _whole(name: str, otherwise: Any) -> Callable[..., Any]:
    """Return a function that is the array library's own for integers, which have no gradients.

    NumPy divides by 0, raises to negative powers and shifts too far in its own way.
    """
    own = _of_arrays(name)

    def compute(*operands: Any) -> Any:
        whole = all(o._array.dtype.kind in "biu" if hasattr(o, "_array") else isinstance(o, int)
                    for o in operands)  # fmt: skip
        hidden = any(getattr(o, "_array", o).__class__ is Batched for o in operands)
        if not whole or (hidden and otherwise is not None):
            return otherwise(*operands)
        kind = next(o._array.dtype for o in operands if hasattr(o, "_array"))
        return own(*(
            o if hasattr(o, "_array") else saved.wrap(np.asarray(o, kind)) for o in operands
        ))  # fmt: skip

    return compute


def _power(x: Any, y: Any) -> Tensor:
    """Return x**y; a Python number as an exponent has the gradient of that power."""
    return op("pow")(x, y)


def _sign(x: Tensor) -> Tensor:
    """Return -1, 0 or 1, or the direction of a complex number; nan of nan."""
    kind = x._array.dtype.kind
    found = pw.sgn(x) if kind == "c" else pw.sign(x)
    return pw.where(pw.isnan(x), x, found) if kind in _dtype.INEXACT else found


def _negative(x: Tensor) -> Tensor:
    return pw.neg(x)


def _absolute(x: Tensor) -> Tensor:
    return clone(x) if x._array.dtype.kind == "b" else pw.abs(x)


def _divmod(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    return _floor_divide(x, y), _remainder(x, y)


def _modf(x: Tensor) -> tuple[Tensor, Tensor]:
    whole = op("trunc")(x)
    part = pw.where(pw.isinf(x), 0.0, pw.sub(x, whole))
    return op("copysign")(part, x), whole


def _frexp(x: Tensor) -> tuple[Tensor, Tensor]:
    found = op("frexp")(x)
    return found[0], found[1]


def _spacing(x: Tensor) -> Tensor:
    """Return how far the next number is, away from 0; it has no derivative."""
    x = x.detach()
    beyond = op("copysign")(pw.where(pw.isnan(x), x, np.inf), pw.add(x, 0.0))
    return pw.sub(op("nextafter")(x, beyond), x)


def _heaviside(x: Tensor, at_zero: Tensor) -> Tensor:
    x, at_zero = to_one_device([x, at_zero])
    return pw.where(pw.isnan(x), x, op("heaviside")(x, at_zero))


def _conjugate(x: Tensor) -> Tensor:
    return pw.conjugate(x) if x._array.dtype.kind == "c" else clone(x)


def _ldexp(x: Tensor, exponent: Tensor) -> Tensor:
    return cast(op("ldexp")(x, exponent), x._array.dtype)


def _rounded(name: str) -> Callable[..., Any]:
    """Return a rounding, which changes no integers; of complex numbers it rounds both parts."""

    def compute(x: Tensor) -> Tensor:
        if x._array.dtype.kind in "biu":
            return clone(x)
        if x._array.dtype.kind == "c":
            return op("complex")(op(name)(op("real")(x)), op(name)(op("imag")(x)))
        return op(name)(x)

    return compute


def _compared(name: str, compare: Callable[..., Any]) -> Callable[..., Any]:
    """Return a comparison, which NumPy has of integers with and without a sign, too."""
    own = _of_arrays(name)

    def compute(x: Any, y: Any) -> Any:
        both = hasattr(x, "_array") and hasattr(y, "_array")
        return (own if both and x._array.dtype != y._array.dtype else compare)(x, y)

    return compute


def _ordered(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a comparison or an extreme, which NumPy has of complex numbers, too."""
    less = name in ("less", "less_equal", "minimum", "fmin")
    strict = name in ("less", "greater")

    def compute(x: Any, y: Any) -> Any:
        if not any(hasattr(o, "_array") and o._array.dtype.kind == "c" for o in (x, y)):
            return real(x, y)
        x, y = (o if hasattr(o, "_array") else saved.wrap(np.asarray(complex(o))) for o in (x, y))
        x, y = to_one_device([x, y])
        (a, b), (c, d) = ((op("real")(o), op("imag")(o)) for o in (x, y))
        first, second = (pw.lt, pw.lt if strict else pw.le) if less else (
            pw.gt, pw.gt if strict else pw.ge)  # fmt: skip
        either, both = pw.logical_or, pw.logical_and
        found = either(first(a, c), both(pw.eq(a, c), second(b, d)))
        if name.endswith(("less", "greater", "equal")):
            return found
        taken, other = (x, y) if name.startswith("m") else (y, x)  # whose nan is returned, or not
        known = both(found, pw.logical_not(pw.isnan(other)))
        return pw.where(either(pw.isnan(taken), known), x, y)

    return compute


def _matmul(a: Tensor, b: Tensor) -> Tensor:
    """Return the matrix product, with NumPy's error for arrays of no dimensions."""
    if not a._array.ndim or not b._array.ndim:
        raise ValueError(
            "matmul: Input operand does not have enough dimensions (has 0, gufunc core with "
            "signature (n?,k),(k,m?)->(n?,m?) requires 1)"
        )
    inner = b._array.shape[max(b._array.ndim - 2, 0)]
    if a._array.shape[-1] != inner:
        raise ValueError(
            "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
            f"(n?,k),(k,m?)->(n?,m?) (size {inner} is different from {a._array.shape[-1]})"
        )
    if a._array.dtype.kind in "biu":
        return _of_arrays("matmul")(a, b)
    return products.matmul(a, b)


def _vecdot(a: Tensor, b: Tensor) -> Tensor:
    """Return the inner products of vectors.

    Raises:
        ValueError: They are of different lengths.
    """
    lengths = a._array.shape[-1:], b._array.shape[-1:]
    if lengths[0] != lengths[1] or not lengths[0]:
        raise ValueError(
            "vecdot: the vectors must have the same length, but the operands have the shapes "
            f"{tuple(a._array.shape)} and {tuple(b._array.shape)}"
        )
    product = pw.mul(_conjugate(a), b)
    found = reduction.sum(product, -1)
    return cast(found, product._array.dtype)


def _matvec(a: Tensor, b: Tensor) -> Tensor:
    return shapes.squeeze(_matmul(a, shapes.unsqueeze(b, -1)), -1)


def _vecmat(a: Tensor, b: Tensor) -> Tensor:
    return shapes.squeeze(_matmul(shapes.unsqueeze(_conjugate(a), -2), b), -2)


# --------------------------------------------------------------------------- along axes


def _sum(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    return reduction.sum(x, axes, keepdims, dtype=_dtype.of(x._array.dtype))


def _prod(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    kind = _dtype.of(x._array.dtype)
    if len(axes) == x._array.ndim and not keepdims:
        return reduction.prod(x, dtype=kind)
    for k in sorted(axes, reverse=True):
        x = reduction.prod(x, k, keepdims, dtype=kind)
    return x


def _reducing(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axes, keepdims: function(x, axes, keepdims)


def _scanning(function: Callable[..., Any], place: int | None = None) -> Callable[..., Any]:
    def scanned(x: Tensor, axis: int) -> Tensor:
        if place is not None:
            return function(x, axis)[place]
        return function(x, axis, dtype=_dtype.of(x._array.dtype))

    return scanned


def _extreme_of(function: Callable[..., Any], pair: str) -> Callable[..., Any]:
    """Return ``function`` of real numbers; of complex ones, the fold of pairs."""

    def reduced(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
        if x._array.dtype.kind != "c":
            return function(x, axes, keepdims)
        return _greatest_complex(x, axes, keepdims, pair == "maximum")

    return reduced


def _greatest_complex(x: Any, axes: Any, keepdims: bool, greatest: bool) -> Any:
    """Return the extreme of complex numbers along axes; nan wins."""
    kept = [k for k in range(x._array.ndim) if k not in axes]
    moved = shapes.permute(x, (*kept, *axes))
    rows = shapes.reshape(moved, (*(x._array.shape[k] for k in kept), -1))
    lost = on_host(rows.detach())
    places = np.expand_dims(np.asarray((np.argmax if greatest else np.argmin)(lost, -1)), -1)
    found = shapes.squeeze(gather(rows, -1, _sent(places, x)), -1)
    if keepdims:
        found = shapes.reshape(
            found, tuple(1 if k in axes else n for k, n in enumerate(x._array.shape))
        )
    return found


def _sent(places: Any, like: Tensor) -> Tensor:
    return to(saved.wrap(places), like.device)


_floor_divide = _whole("floor_divide", quotient)
_remainder = _whole("remainder", modulo)
_NUMBERED = {
    "add": pw.add, "subtract": pw.sub, "multiply": pw.mul, "divide": pw.true_divide,
    "power": _whole("power", _power), "floor_divide": _floor_divide, "remainder": _remainder,
    "divmod": _divmod, "float_power": _power, "equal": _compared("equal", pw.eq),
    "not_equal": _compared("not_equal", pw.ne),
    **{name: _compared(name, _ordered(name, function)) for name, function in (
        ("less", pw.lt), ("less_equal", pw.le), ("greater", pw.gt), ("greater_equal", pw.ge),
    )},
}  # fmt: skip
_REDUCTIONS = {
    "add": _sum, "multiply": _prod, "maximum": _extreme_of(amax, "maximum"),
    "minimum": _extreme_of(amin, "minimum"), "logical_and": _reducing(reduction.all),
    "logical_or": _reducing(reduction.any),
}  # fmt: skip
_SCANS = {
    "add": _scanning(scan.cumsum), "multiply": _scanning(scan.cumprod),
    "maximum": _scanning(scan.cummax, 0), "minimum": _scanning(scan.cummin, 0),
}  # fmt: skip
_OTHERS: dict[str, Any] = {
    **{name: name for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "exp2", "expm1", "log", "log2", "log10",
        "log1p", "sqrt", "square", "isnan", "isinf",
        "isfinite", "signbit", "logaddexp", "logaddexp2", "hypot", "copysign", "nextafter",
        "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or",
        "bitwise_xor",
    )},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "arctan2": "atan2", "absolute": _absolute, "fabs": "abs",
    "rint": _rounded("round"), **{name: _rounded(name) for name in ("floor", "ceil", "trunc")},
    "deg2rad": "deg2rad", "rad2deg": "rad2deg", "radians": "deg2rad", "degrees": "rad2deg",
    "invert": "bitwise_not",
    "maximum": _ordered("maximum", pw.maximum), "minimum": _ordered("minimum", pw.minimum),
    "fmax": _ordered("fmax", fmax), "fmin": _ordered("fmin", fmin),
    "fmod": _whole("fmod", fmod), "left_shift": _whole("left_shift", op("bitwise_left_shift")),
    "right_shift": _whole("right_shift", op("bitwise_right_shift")),
    "gcd": _of_arrays("gcd"), "lcm": _of_arrays("lcm"),
    "bitwise_count": _of_arrays("bitwise_count"), "isnat": _of_arrays("isnat"),
    "cbrt": cbrt, "positive": clone, "negative": _negative, "conjugate": _conjugate, "sign": _sign,
    "reciprocal": _whole("reciprocal", pw.reciprocal), "spacing": _spacing,
    "heaviside": _heaviside, "ldexp": _ldexp, "modf": _modf, "frexp": _frexp,
    "matmul": _matmul, "vecdot": _vecdot, "matvec": _matvec, "vecmat": _vecmat,
}  # fmt: skip


def _made() -> dict[str, ufunc]:
    """Return our ufuncs, by all names that NumPy has for its own."""
    found: dict[str, ufunc] = {}
    by_theirs: dict[Any, ufunc] = {}
    for name in (*_NUMBERED, *_OTHERS):
        compute = _NUMBERED.get(name) or _OTHERS[name]
        theirs = getattr(np, name, None)
        if theirs is not None:  # some are younger than the oldest NumPy that we know
            by_theirs[theirs] = ufunc(
                theirs,
                op(compute) if isinstance(compute, str) else compute,
                name in _NUMBERED,
                _REDUCTIONS.get(name),
                _SCANS.get(name),
            )
    for name in dir(np):
        theirs = getattr(np, name)
        if isinstance(theirs, np.ufunc):
            found[name] = by_theirs[theirs]
    return found


UFUNCS = _made()
