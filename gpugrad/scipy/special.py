"""``scipy.special`` with gradients, on the CPU and on CUDA.

Functions of elements are ufuncs, in the types that SciPy's say.  Their values are those of
gpugrad's operations where there is one, else SciPy's on the CPU and CuPy's on CUDA, with the rules
of :mod:`gpugrad.cupy.special`.  A derivative that is not implemented, such as that by the order of
a Bessel function, raises when it is asked for.
"""

from __future__ import annotations

import typing as _typing
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import gpugrad.numpy as _numpy
from gpugrad.cupy import special as _rules
from gpugrad.numpy.operands import cast as _cast
from gpugrad.numpy.operands import door as _door
from gpugrad.numpy.operands import on_host as _on_host
from gpugrad.numpy.operands import place_of as _place_of
from gpugrad.numpy.operands import plain as _plain
from gpugrad.numpy.operands import plains as _plains
from gpugrad.numpy.operands import promoted as _promoted
from gpugrad.numpy.operands import written as _written
from gpugrad.numpy.ufuncs import normal_axes as _normal_axes
from gpugrad.numpy.ufuncs import op as _op
from gpugrad.numpy.ufuncs import ufunc as _ufunc
from gpugrad.ops import pointwise as _pw
from gpugrad.scipy.theirs import scipy as _scipy

_theirs = _scipy("special")

# SciPy's names of operations.
_OPERATIONS = {
    "cbrt": "cbrt", "digamma": "digamma", "psi": "digamma", "entr": "special.entr", "erf": "erf",
    "erfc": "erfc", "erfcx": "special.erfcx", "erfinv": "erfinv", "exp2": "exp2",
    "expit": "sigmoid", "expm1": "expm1", "gammainc": "igamma", "gammaincc": "igammac",
    "gammaln": "lgamma", "i0": "i0", "i0e": "special.i0e", "i1": "special.i1",
    "i1e": "special.i1e", "j0": "special.bessel_j0", "j1": "special.bessel_j1",
    "k0": "special.modified_bessel_k0", "k0e": "special.scaled_modified_bessel_k0",
    "k1": "special.modified_bessel_k1", "k1e": "special.scaled_modified_bessel_k1",
    "log1p": "log1p", "log_ndtr": "special.log_ndtr", "logit": "logit", "ndtr": "special.ndtr",
    "ndtri": "special.ndtri", "xlog1py": "special.xlog1py", "xlogy": "xlogy",
    "y0": "special.bessel_y0", "y1": "special.bessel_y1",
}  # fmt: skip


def _operation(name: str) -> Callable[..., Any]:
    if name == "cbrt":
        return _numpy.cbrt.compute
    if name not in _rules.COMPLEX:
        return lambda *tensors: _op(_OPERATIONS[name])(*tensors)
    of_complex = _library(name)

    def compute(tensor: Any) -> Any:
        if tensor._array.dtype.kind == "c":
            return of_complex(tensor)
        return _op(_OPERATIONS[name])(tensor)

    return compute


def _library(name: str) -> Callable[..., Any]:
    """Return a function of plain tensors whose values are SciPy's, or CuPy's on a GPU."""

    def compute(*tensors: Any) -> Any:
        kinds = [t._array.dtype for t in tensors if t._array.dtype.kind in "fc"]
        if len(set(kinds)) > 1:  # of plain tensors, which promote as PyTorch's do
            kind = _op("result_type")(*tensors[:2]) if len(tensors) == 2 else None
            common = np.result_type(*kinds) if kind is None else kind.numpy
            tensors = tuple([_cast(t, common) if t._array.dtype.kind in "fc" else t
                             for t in tensors])  # fmt: skip
        return _rules.Recorded.apply(name, _kernel(name, _place_of(tensors)), *tensors)

    return compute


def _kernel(name: str, where: Any) -> Any:
    """Return the library's function for a device.

    Raises:
        NotImplementedError: CuPy has none.
    """
    if where is None:
        return getattr(_theirs, name)
    found = getattr(import_module("cupyx.scipy.special"), name, None)
    if found is None:
        raise NotImplementedError(
            f"{name}: CuPy has no such function, so that there is none on {where}; compute it on "
            "the CPU: x.cpu()"
        )
    return found


_UFUNCS: dict[str, Any] = {}
for _name in sorted({*_OPERATIONS, *_rules.RULES}):
    _own = getattr(_theirs, _name, None)
    if isinstance(_own, np.ufunc):
        _compute = _operation(_name) if _name in _OPERATIONS else _library(_name)
        _UFUNCS[_name] = _ufunc(_own, _compute)
        _UFUNCS[_name].__module__ = __name__
        _UFUNCS[_name].__doc__ = f"See scipy.special.{_name}; it has gradients."
_UFUNCS["jn"] = _UFUNCS["jv"]


# --------------------------------------------------------------------------- along axes


def _floating(x: Any) -> Any:
    t = _plain(x)
    return t if t._array.dtype.kind in "fc" else _cast(t, np.dtype(np.float64))


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """Return log(sum(b * exp(a))) along axes; with ``return_sign`` of its size, and the sign.

    A negative sum has the logarithm nan where its sign is not asked for.
    """
    t = _floating(a)
    if b is None and not return_sign:
        axes = _normal_axes(axis, t._array.ndim)
        return _op("logsumexp")(t, axes, keepdims) if axes else t + 0
    t, weights = _promoted(t, 1.0 if b is None else b)
    t, weights = _op("broadcast_tensors")(t, weights)
    axes = _normal_axes(axis, t._array.ndim)
    zero = _pw.eq(weights, 0)
    counted = _pw.where(zero, -np.inf, t)
    top = _op("amax")(counted.detach(), axes, True) if axes else counted.detach()
    top = _pw.where(_pw.isfinite(top), top, 0.0)
    parts = _pw.mul(weights, _pw.exp(_pw.sub(counted, top)))
    total = _op("sum")(parts, axes, True) if axes else parts
    size = _pw.add(_op("log")(_pw.abs(total) if return_sign else total), top)
    found = (size, _pw.sgn(total).detach()) if return_sign else (size,)
    if not keepdims and axes:
        found = tuple([_op("squeeze")(f, axes) for f in found])
    return found if return_sign else found[0]


def _along(name: str) -> Callable[..., Any]:
    def function(x: Any, axis: Any = None) -> Any:
        t = _floating(x)
        axes = _normal_axes(axis, t._array.ndim)
        if len(axes) == 1:
            return _op(name)(t, axes[0])
        total = _op("logsumexp")(t, axes, True) if axes else t
        log = _pw.sub(t, total)
        return log if name == "log_softmax" else _pw.exp(log)

    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    return function


softmax, log_softmax = map(_along, ("softmax", "log_softmax"))


# --------------------------------------------------------------------------- of the gamma function


def multigammaln(a: Any, d: int) -> Any:
    """Return the logarithm of the multivariate gamma function.

    Raises:
        ValueError: ``d`` is no positive integer, or ``a`` is not above (d - 1) / 2.
    """
    if d != int(d) or d < 1:
        raise ValueError("d should be a positive integer (dimension)")
    t = _floating(a)
    if bool(_op("any")(_pw.le(t.detach(), 0.5 * (d - 1)))):
        raise ValueError(f"condition a > 0.5 * (d-1) = {0.5 * (d - 1):f} not met")
    return _op("mvlgamma")(t, int(d))


def polygamma(n: Any, x: Any) -> Any:
    """Return derivatives of the digamma function; orders are whole numbers, one or an array."""
    orders, t = np.asarray(_on_host(n)), _floating(x)
    if orders.ndim == 0:
        return _op("polygamma")(int(orders), t)
    order = _plains(orders, t)[0]
    found: Any = _op("digamma")(t)
    for k in sorted({int(v) for v in orders.flat} - {0}):
        found = _pw.where(_pw.eq(order, k), _op("polygamma")(k, t), found)
    return _op("broadcast_to")(found, np.broadcast_shapes(orders.shape, t._array.shape))


def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    """Return the Hurwitz zeta function, by default Riemann's; only ``q`` has a derivative."""
    s, shift = _promoted(_floating(x), 1.0 if q is None else q)
    return _written("zeta", out, _op("special.zeta")(s, shift))


for _function in (logsumexp, softmax, log_softmax, multigammaln, polygamma, zeta):
    _UFUNCS[_function.__name__] = _door(_function)
_UFUNCS["sinc"] = _numpy.sinc
_UFUNCS["round"] = _numpy.round

globals().update(_UFUNCS)

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Return a function of SciPy's name."""


__all__ = sorted(_UFUNCS)
