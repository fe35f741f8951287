"""Polynomials by their coefficients, of which the highest is the first."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import array_of, door, on_host, place_of, plain, sent
from gpugrad.numpy.shapes import concatenate
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import op
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import to

add, multiply = UFUNCS["add"], UFUNCS["multiply"]


def _coefficients(p: Any) -> Any:
    p = array_of(p)
    return array_of(shapes.reshape(plain(p), (1,))) if not p.ndim else p


def _pair(first: Any, second: Any) -> tuple[Any, Any]:
    """Return coefficients of two polynomials, of which sequences go where the others are."""
    where = place_of((first, second))
    a, b = (_coefficients(array_of(p, where)) for p in (first, second))
    return a, b


def _filled(p: Any, length: int) -> Any:
    """Return coefficients with zeros before them, up to a length."""
    missing = length - p.shape[0]
    if missing <= 0:
        return p
    return array_of(concatenate([sent(np.zeros(missing, p.dtype), p.device), p]))


@door
def polyval(p: Any, x: Any) -> Any:
    p, x = _coefficients(p), array_of(x)
    found = x * 0
    for k in range(p.shape[0]):
        found = found * x + p[k]
    return found


@door
def polyadd(a1: Any, a2: Any) -> Any:
    a, b = _pair(a1, a2)
    length = max(a.shape[0], b.shape[0])
    return _filled(a, length) + _filled(b, length)


@door
def polysub(a1: Any, a2: Any) -> Any:
    a, b = _pair(a1, a2)
    length = max(a.shape[0], b.shape[0])
    return _filled(a, length) - _filled(b, length)


@door
@by_example
def polymul(a1: Any, a2: Any) -> Any:
    from gpugrad.numpy.calculus import convolve

    a, b = _pair(a1, a2)
    return convolve(_trimmed(a), _trimmed(b))


def _trimmed(p: Any) -> Any:
    """Return coefficients without zeros before the first that is none."""
    there = np.flatnonzero(np.asarray(on_host(p.detach())))
    first = int(there[0]) if there.size else max(p.shape[0] - 1, 0)
    return p[first:]


@door
@by_example
def polydiv(u: Any, v: Any) -> Any:
    """Return the quotient and the remainder."""
    u, v = _pair(u, v)
    kind = (u[0] * 1.0 + v[0] * 1.0).dtype
    u, v = u.astype(kind), v.astype(kind)
    m, n = u.shape[0] - 1, v.shape[0] - 1
    parts = [u[k] for k in range(m + 1)]
    quotient = []
    for k in range(m - n + 1):
        d = parts[k] / v[0]
        quotient.append(d)
        for j in range(n + 1):
            parts[k + j] = parts[k + j] - d * v[j]
    stack = op("stack")
    q = array_of(stack([plain(d) for d in quotient])) if quotient else array_of(
        np.zeros(1, kind))  # fmt: skip
    r = array_of(stack([plain(p) for p in parts]))
    values = np.asarray(on_host(r.detach()))
    first = 0
    while first < len(values) - 1 and np.allclose(values[first], 0, rtol=1e-14):
        first += 1
    return q, r[first:]


@door
def polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    p = _coefficients(p)
    for _ in range(m):
        n = p.shape[0] - 1
        powers = array_of(sent(np.arange(n, 0, -1), p.device))
        p = p[:-1] * powers
    return p


@door
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(m) if k is None else None
    if constants is None:
        given = _coefficients(k)
        constants = given if given.shape[0] == m else array_of(np.ones(m)) * given
        if m > 1 and given.shape[0] not in (1, m):
            raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    p = _coefficients(p)
    for j in range(m):
        n = p.shape[0]
        powers = array_of(sent(np.arange(n, 0, -1), p.device))
        end = shapes.reshape(plain(to(plain(constants[j]), p.device)), (1,))
        p = array_of(concatenate([p / powers, end]))
    return p


@door
@by_example
def poly(seq_of_zeros: Any) -> Any:
    """Return the coefficients of the polynomial with given roots, or that of a matrix."""
    from gpugrad.numpy import linalg
    from gpugrad.numpy.calculus import convolve

    zeros = _coefficients(seq_of_zeros)
    if zeros.ndim == 2:
        if zeros.shape[0] != zeros.shape[1] or not zeros.shape[0]:
            raise ValueError("input must be 1d or non-empty square 2d array.")
        zeros = array_of(linalg.eigvals(zeros))
    kind = zeros.dtype if zeros.dtype.kind in "fc" else np.dtype(float)
    if not zeros.shape[0]:
        return array_of(np.float64(1.0))
    zeros = zeros.astype(kind)
    found = array_of(sent(np.ones(1, kind), zeros.device))
    one = sent(np.ones(1, kind), zeros.device)
    for k in range(zeros.shape[0]):
        factor = concatenate([one, shapes.reshape(plain(-zeros[k]), (1,))])
        found = array_of(convolve(found, factor))
    values = on_host(zeros.detach())
    if kind.kind == "c" and np.all(np.sort(values) == np.sort(values.conj())):
        return op("real")(plain(found))
    return found


@door
@by_example
def roots(p: Any) -> Any:
    """Return the roots of a polynomial: the eigenvalues of its companion matrix."""
    from gpugrad.numpy import linalg

    p = _coefficients(p)
    if p.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    there = np.flatnonzero(np.asarray(on_host(p.detach())))
    if not there.size:
        return array_of(np.array([]))
    behind = p.shape[0] - int(there[-1]) - 1
    p = p[int(there[0]) : int(there[-1]) + 1]
    p = p.astype(p.dtype if p.dtype.kind in "fc" else float)
    n = p.shape[0]
    found = None
    if n > 1:
        first = shapes.reshape(plain(-p[1:] / p[0]), (1, -1))
        below = sent(np.eye(n - 2, n - 1, dtype=p.dtype), p.device)
        found = plain(linalg.eigvals(concatenate([first, below], 0)))
    zero = sent(np.zeros(behind, p.dtype if found is None else found._array.dtype), p.device)
    return zero if found is None else concatenate([found, zero])


@door
@by_example
def polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None,
    cov: Any = False,
) -> Any:  # fmt: skip
    """Return the coefficients of the polynomial that is nearest to points, by least squares.

    Raises:
        TypeError: There is nothing to fit, or the lengths differ.
    """
    from gpugrad.numpy import linalg
    from gpugrad.numpy.creation import vander

    order = int(deg) + 1
    x, y = (array_of(v) + 0.0 for v in (x, y))
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1:
        raise TypeError("expected 1D vector for x")
    if not x.size:
        raise TypeError("expected non-empty vector for x")
    if y.ndim < 1 or y.ndim > 2:
        raise TypeError("expected 1D or 2D array for y")
    if x.shape[0] != y.shape[0]:
        raise TypeError("expected x and y to have same length")
    rcond = x.shape[0] * np.finfo(x.dtype).eps if rcond is None else rcond
    left = array_of(vander(x, order))
    right = y
    if w is not None:
        w = array_of(w, x.device) + 0.0
        left = left * w[:, None]
        right = right * w[:, None] if right.ndim == 2 else right * w
    scale = UFUNCS["sqrt"](add.reduce(multiply(left, left), 0))
    left = left / scale
    c, residuals, rank, s = linalg.lstsq(left, right, rcond)
    c = array_of(c)
    c = (c.T / scale).T
    if full:
        return c, residuals, rank, s, rcond
    if cov:
        inverse = array_of(linalg.inv(UFUNCS["matmul"](left.T, left)))
        inverse = inverse / UFUNCS["multiply"].outer(scale, scale)
        if cov == "unscaled":
            return c, inverse
        if x.shape[0] <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance "
                             "matrix")  # fmt: skip
        factor = array_of(residuals) / (x.shape[0] - order)
        if y.ndim == 1:
            return c, inverse * factor
        return c, inverse[:, :, None] * factor
    return c
