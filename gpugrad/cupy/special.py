"""Derivatives of special functions that gpugrad has not under a name of its own.

Their values are SciPy's on the CPU and CuPy's on CUDA.  A rule is the derivative by one operand,
of the operands and the results, in functions of tensors: in special functions as well, which are
recorded, so that there are derivatives of every order.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy

import gpugrad.numpy
import gpugrad.special
from gpugrad import backend
from gpugrad.autograd.function import Function
from gpugrad.backend.batched import Batched
from gpugrad.graph import TensorBase
from gpugrad.numpy.operands import door, place_of, written
from gpugrad.op import saved
from gpugrad.ops.creation import finish

np: Any = gpugrad.numpy
Rule = Callable[..., Any]

# PyTorch's names of some, and NumPy's.
NAMES: dict[str, Any] = {
    "cbrt": np.cbrt,
    **{
        ours: getattr(gpugrad.special, theirs)
        for ours, theirs in {
            "j0": "bessel_j0", "j1": "bessel_j1", "y0": "bessel_y0", "y1": "bessel_y1",
            "k0": "modified_bessel_k0", "k1": "modified_bessel_k1",
            "k0e": "scaled_modified_bessel_k0", "k1e": "scaled_modified_bessel_k1",
        }.items()
    },
}  # fmt: skip


def _of(name: str) -> Rule:
    """Return a special function by its name: CuPy's of a GPU, and SciPy's of the CPU."""

    def called(*operands: Any) -> Any:
        module = "gpugrad.scipy.special" if place_of(operands) is None else "cupyx.scipy.special"
        return getattr(import_module(module), name)(*operands)

    return called


digamma, gamma, beta, gammaln = map(_of, ("digamma", "gamma", "beta", "gammaln"))


def _series(z: Any, coefficients: tuple[float, ...], limit: float, elsewhere: Rule) -> Any:
    """Return a polynomial where ``z`` is small, and a function of it elsewhere."""
    small = np.absolute(z) < limit
    total: Any = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = c + z * total
    return np.where(small, total, elsewhere(np.where(small, 1.0, z)))


def _relative(z: Any) -> Any:
    """Return the derivative of ``exprel``, (exp(z) - exprel(z)) / z."""
    series = tuple(n / math.factorial(n + 1) for n in range(1, 9))
    return _series(z, series, 0.03, lambda z: (np.exp(z) - np.expm1(z) / z) / z)


def _transformed(x: Any, power: Any) -> Any:
    """Return the derivative of ``boxcox`` by its power."""
    log = np.log(x)
    return log * log * _relative(power * log)


def _integral(m: Any) -> Any:
    """Return the derivative of the complete elliptic integral of the first kind."""
    squares = [(math.comb(2 * n, n) / 4**n) ** 2 for n in range(9)]
    series = tuple(math.pi / 2 * n * squares[n] for n in range(1, 9))
    first, second = _of("ellipk"), _of("ellipeinc")

    def elsewhere(m: Any) -> Any:
        return (second(math.pi / 2, m) - (1 - m) * first(m)) / (2 * m * (1 - m))

    return _series(m, series, 0.01, elsewhere)


def _amplitude(phi: Any, m: Any) -> Any:
    return np.sqrt(1 - m * np.square(np.sin(phi)))


def _first_by_m(phi: Any, m: Any, out: Any) -> Any:
    def elsewhere(m: Any) -> Any:
        second = _of("ellipeinc")(phi, m)
        rest = np.sin(2 * phi) / (4 * (1 - m) * _amplitude(phi, m))
        return second / (2 * m * (1 - m)) - out / (2 * m) - rest

    small = np.absolute(m) < 1e-8
    limit = (2 * phi - np.sin(2 * phi)) / 8
    return np.where(small, limit, elsewhere(np.where(small, 0.5, m)))


def _second_by_m(phi: Any, m: Any, out: Any) -> Any:
    small = np.absolute(m) < 1e-8
    inner = np.where(small, 0.5, m)
    found = (out - _of("ellipkinc")(phi, m)) / (2 * inner)
    return np.where(small, -(2 * phi - np.sin(2 * phi)) / 8, found)


def _gamma_density(shape: Any, x: Any) -> Any:
    """Return the density of the gamma distribution: the derivative of ``gammainc``."""
    return np.exp((shape - 1) * np.log(x) - x - gammaln(shape))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return the density of the beta distribution: the derivative of ``betainc``."""
    log = (a - 1) * np.log(x) + (b - 1) * np.log1p(-x)
    return np.exp(log - _of("betaln")(a, b))


def _f_density(a: Any, b: Any, x: Any) -> Any:
    share = a * x / (a * x + b)
    return _beta_density(a / 2, b / 2, share) * a * b / np.square(a * x + b)


def _binomial(k: Any, n: Any, p: Any) -> Any:
    k = np.floor(k)
    return _beta_density(n - k, k + 1, 1 - p)


def _poisson(k: Any, m: Any) -> Any:
    return _gamma_density(np.floor(k) + 1, m)


def _degrees(f: Rule) -> tuple[Rule]:
    return (lambda x, out: f(x, out) * (math.pi / 180),)


def _exponential_integral(n: Any, x: Any) -> Any:
    """Return the derivative of ``expn``, which is minus the one of a lower order."""
    first = -np.exp(-x) * (1 / x + 1 / np.square(x))  # of order 0
    if not isinstance(n, TensorBase):
        return first if n == 0 else -_of("expn")(n - 1, x)
    zero = np.equal(n, 0)
    return np.where(zero, first, -_of("expn")(np.where(zero, 0, np.subtract(n, 1)), x))


def _legendre(m: Any, v: Any, x: Any, out: Any) -> Any:
    return (v * x * out - (v + m) * _of("lpmv")(m, v - 1, x)) / (x * x - 1)


def _complete(m: Any) -> Any:
    """Return the derivative of the complete elliptic integral of the second kind."""
    squares = [(math.comb(2 * n, n) / 4**n) ** 2 for n in range(9)]
    series = tuple(-math.pi / 2 * n * squares[n] / (2 * n - 1) for n in range(1, 9))
    return _series(m, series, 0.01, lambda m: (_of("ellipe")(m) - _of("ellipk")(m)) / (2 * m))


def _dilogarithm(z: Any) -> Any:
    """Return the derivative of ``spence``, log(z) / (1 - z)."""
    series = tuple((-1) ** (n + 1) / (n + 1) for n in range(9))
    return _series(z - 1, series, 0.01, lambda w: -np.log1p(w) / w)


def _t_density(df: Any, t: Any) -> Any:
    """Return the density of Student's t distribution: the derivative of ``stdtr``."""
    log = -np.log(df) / 2 - _of("betaln")(df / 2, 0.5) - (df + 1) / 2 * np.log1p(t * t / df)
    return np.exp(log)


def _root(delta: Any, r: Any) -> Any:
    return np.sqrt(1 + np.square(r / delta))


# By the names of the functions, the derivative by each operand, None where there is none.  What
# they are given are the operands and the result; of several results a tuple for each operand.
RULES: dict[str, tuple[Rule | None, ...]] = {
    "gamma": (lambda x, out: out * digamma(x),),
    "rgamma": (lambda x, out: -out * digamma(x),),
    "loggamma": (lambda x, out: digamma(x),),
    "beta": (
        lambda a, b, out: out * (digamma(a) - digamma(a + b)),
        lambda a, b, out: out * (digamma(b) - digamma(a + b)),
    ),
    "betaln": (
        lambda a, b, out: digamma(a) - digamma(a + b),
        lambda a, b, out: digamma(b) - digamma(a + b),
    ),
    "binom": (
        lambda n, k, out: out * (digamma(n + 1) - digamma(n - k + 1)),
        lambda n, k, out: out * (digamma(n - k + 1) - digamma(k + 1)),
    ),
    "poch": (
        lambda z, m, out: out * (digamma(z + m) - digamma(z)),
        lambda z, m, out: out * digamma(z + m),
    ),
    "gammasgn": (lambda x, out: np.zeros_like(x),),
    "exp10": (lambda x, out: out * math.log(10),),
    "exprel": (lambda x, out: _relative(x),),
    "cosm1": (lambda x, out: -np.sin(x),),
    "cosdg": _degrees(lambda x, out: -_of("sindg")(x)),
    "sindg": _degrees(lambda x, out: _of("cosdg")(x)),
    "tandg": _degrees(lambda x, out: 1 + np.square(out)),
    "cotdg": _degrees(lambda x, out: -1 - np.square(out)),
    "radian": (
        lambda d, m, s, out: math.pi / 180,
        lambda d, m, s, out: math.pi / 180 / 60,
        lambda d, m, s, out: math.pi / 180 / 3600,
    ),
    "log_expit": (lambda x, out: _of("expit")(-x),),
    "erfcinv": (lambda x, out: -math.sqrt(math.pi) / 2 * np.exp(np.square(out)),),
    "expi": (lambda x, out: np.exp(x) / x,),
    "exp1": (lambda x, out: -np.exp(-x) / x,),
    "expn": (None, lambda n, x, out: _exponential_integral(n, x)),
    "sici": (lambda x, out: (np.sin(x) / x, np.cos(x) / x),),
    "shichi": (lambda x, out: (np.sinh(x) / x, np.cosh(x) / x),),
    "yn": (None, lambda n, x, out: (_of("yn")(n - 1, x) - _of("yn")(n + 1, x)) / 2),
    "lpmv": (None, None, _legendre),
    "wright_bessel": (None, None, lambda a, b, x, out: _of("wright_bessel")(a, a + b, x)),
    "ellipk": (lambda m, out: _integral(m),),
    "ellipkm1": (lambda p, out: -_integral(1 - p),),
    "ellipkinc": (lambda phi, m, out: 1 / _amplitude(phi, m), _first_by_m),
    "ellipeinc": (lambda phi, m, out: _amplitude(phi, m), _second_by_m),
    "ellipj": (
        lambda u, m, out: (out[1] * out[2], -out[0] * out[2], -m * out[0] * out[1], out[2]), None,
    ),
    "zetac": (None,),
    "boxcox": (
        lambda x, power, out: np.power(x, power - 1.0),
        lambda x, power, out: _transformed(x, power),
    ),
    "boxcox1p": (
        lambda x, power, out: np.power(1 + x, power - 1.0),
        lambda x, power, out: _transformed(1 + x, power),
    ),
    "inv_boxcox": (
        lambda y, power, out: np.power(out, 1.0 - power),
        lambda y, power, out: -_transformed(out, power) * np.power(out, 1.0 - power),
    ),
    "inv_boxcox1p": (
        lambda y, power, out: np.power(1 + out, 1.0 - power),
        lambda y, power, out: -_transformed(1 + out, power) * np.power(1 + out, 1.0 - power),
    ),
    "huber": (
        lambda d, r, out: np.where(np.absolute(r) <= d, 0.0, np.absolute(r) - d),
        lambda d, r, out: np.where(np.absolute(r) <= d, r, d * np.sign(r)),
    ),
    "pseudo_huber": (
        lambda d, r, out: 2 * d * (_root(d, r) - 1) - r * r / (d * _root(d, r)),
        lambda d, r, out: r / _root(d, r),
    ),
    "kl_div": (lambda x, y, out: np.log(x / y), lambda x, y, out: 1 - x / y),
    "rel_entr": (lambda x, y, out: np.log(x / y) + 1, lambda x, y, out: -x / y),
    "betainc": (None, None, lambda a, b, x, out: _beta_density(a, b, x)),
    "betaincinv": (None, None, lambda a, b, y, out: 1 / _beta_density(a, b, out)),
    "gammaincinv": (None, lambda a, y, out: 1 / _gamma_density(a, out)),
    "gammainccinv": (None, lambda a, y, out: -1 / _gamma_density(a, out)),
    "gdtr": (
        lambda a, b, x, out: x * _gamma_density(b, a * x), None,
        lambda a, b, x, out: a * _gamma_density(b, a * x),
    ),
    "gdtrc": (
        lambda a, b, x, out: -x * _gamma_density(b, a * x), None,
        lambda a, b, x, out: -a * _gamma_density(b, a * x),
    ),
    "pdtr": (None, lambda k, m, out: -_poisson(k, m)),
    "pdtrc": (None, lambda k, m, out: _poisson(k, m)),
    "pdtri": (None, lambda k, y, out: -1 / _poisson(k, out)),
    "chdtr": (None, lambda v, x, out: _gamma_density(v / 2, x / 2) / 2),
    "chdtrc": (None, lambda v, x, out: -_gamma_density(v / 2, x / 2) / 2),
    "chdtri": (None, lambda v, p, out: -2 / _gamma_density(v / 2, out / 2)),
    "fdtr": (None, None, lambda a, b, x, out: _f_density(a, b, x)),
    "fdtrc": (None, None, lambda a, b, x, out: -_f_density(a, b, x)),
    "fdtri": (None, None, lambda a, b, p, out: 1 / _f_density(a, b, out)),
    "bdtr": (None, None, lambda k, n, p, out: -_binomial(k, n, p)),
    "bdtrc": (None, None, lambda k, n, p, out: _binomial(k, n, p)),
    "bdtri": (None, None, lambda k, n, y, out: -1 / _binomial(k, n, out)),
    "nbdtr": (None, None, lambda k, n, p, out: _beta_density(n, np.floor(k) + 1, p)),
    "nbdtrc": (None, None, lambda k, n, p, out: -_beta_density(n, np.floor(k) + 1, p)),
    "nbdtri": (None, None, lambda k, n, y, out: 1 / _beta_density(n, np.floor(k) + 1, out)),
    "jv": (None, lambda v, z, out: (_of("jv")(v - 1, z) - _of("jv")(v + 1, z)) / 2),
    "yv": (None, lambda v, z, out: (_of("yv")(v - 1, z) - _of("yv")(v + 1, z)) / 2),
    "iv": (None, lambda v, z, out: (_of("iv")(v - 1, z) + _of("iv")(v + 1, z)) / 2),
    "ive": (
        None,
        lambda v, z, out: (_of("ive")(v - 1, z) + _of("ive")(v + 1, z)) / 2 - np.sign(z) * out,
    ),
    "kv": (None, lambda v, z, out: -(_of("kv")(v - 1, z) + _of("kv")(v + 1, z)) / 2),
    "kve": (None, lambda v, z, out: out - (_of("kve")(v - 1, z) + _of("kve")(v + 1, z)) / 2),
    "kn": (None, lambda n, z, out: -(_of("kv")(n - 1.0, z) + _of("kv")(n + 1.0, z)) / 2),
    "struve": (None, lambda v, x, out: _of("struve")(v - 1, x) - v / x * out),
    "modstruve": (None, lambda v, x, out: _of("modstruve")(v - 1, x) - v / x * out),
    "airy": (lambda x, out: (out[1], x * out[0], out[3], x * out[2]),),
    "ellipe": (lambda m, out: _complete(m),),
    "erfi": (lambda x, out: 2 / math.sqrt(math.pi) * np.exp(np.square(x)),),
    "dawsn": (lambda x, out: 1 - 2 * x * out,),
    "spence": (lambda z, out: _dilogarithm(z),),
    "fresnel": (
        lambda x, out: (
            np.sin(math.pi / 2 * np.square(x)), np.cos(math.pi / 2 * np.square(x))
        ),
    ),
    "wrightomega": (lambda z, out: out / (1 + out),),
    "owens_t": (
        lambda h, a, out: np.exp(-h * h / 2) * _of("erf")(a * h / math.sqrt(2)) * (
            -0.5 / math.sqrt(2 * math.pi)
        ),
        lambda h, a, out: np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a)),
    ),
    "ndtri_exp": (lambda y, out: np.exp(y + np.square(out) / 2) * math.sqrt(2 * math.pi),),
    "stdtr": (None, lambda df, t, out: _t_density(df, t)),
    "stdtrit": (None, lambda df, p, out: 1 / _t_density(df, out)),
    "betaincc": (None, None, lambda a, b, x, out: -_beta_density(a, b, x)),
    "betainccinv": (None, None, lambda a, b, y, out: -1 / _beta_density(a, b, out)),
    "hyp0f1": (None, lambda v, z, out: _of("hyp0f1")(v + 1, z) / v),
    "hyp1f1": (None, None, lambda a, b, z, out: a / b * _of("hyp1f1")(a + 1, b + 1, z)),
    "hyp2f1": (
        None, None, None,
        lambda a, b, c, z, out: a * b / c * _of("hyp2f1")(a + 1, b + 1, c + 1, z),
    ),
}  # fmt: skip


# Of functions that are operations for real numbers, the derivatives by complex ones.
COMPLEX: dict[str, tuple[Rule | None, ...]] = {
    "erf": (lambda z, out: 2 / math.sqrt(math.pi) * np.exp(-np.square(z)),),
    "erfc": (lambda z, out: -2 / math.sqrt(math.pi) * np.exp(-np.square(z)),),
    "erfcx": (lambda z, out: 2 * z * out - 2 / math.sqrt(math.pi),),
    "ndtr": (lambda z, out: np.exp(-np.square(z) / 2) / math.sqrt(2 * math.pi),),
    "log_ndtr": (lambda z, out: np.exp(-np.square(z) / 2 - out) / math.sqrt(2 * math.pi),),
}


class Recorded(Function):
    """A call of a ufunc of CuPy's or SciPy's that has rules."""

    @staticmethod
    def forward(name: str, kernel: Any, *operands: Any) -> Any:
        """Return the results, which are the library's."""
        arrays = [_array(o) for o in operands]
        results = kernel(*arrays)
        found = tuple(finish(saved.wrap(_whole(r)), False) for r in _several(results))
        return found if isinstance(results, tuple) else found[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the operands, and the results."""
        ctx.set_materialize_grads(False)
        ctx.name, _, *operands = inputs
        outs = _several(output)
        tensors = [o for o in operands if isinstance(o, TensorBase)]
        ctx.save_for_backward(*tensors, *outs)
        ctx.save_for_forward(*tensors, *outs)
        ctx.numbers = [None if isinstance(o, TensorBase) else o for o in operands]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the gradients by the operands."""
        operands, outs = _kept(ctx)
        if all(g is None for g in grads):
            return (None,) * (len(operands) + 2)
        found: list[Any] = [None, None]
        for k, operand in enumerate(operands):
            if not ctx.needs_input_grad[k + 2]:
                found.append(None)
                continue
            slopes = _slopes(ctx.name, k, operands, outs)
            parts = [
                g * _conjugate(slope)
                for g, slope in zip(grads, slopes, strict=True)
                if g is not None
            ]
            total = functools.reduce(lambda a, b: a + b, parts)
            found.append(total.sum_to_size(operand.shape))
        return tuple(found)

    @staticmethod
    def vmap(info: Any, in_dims: Any, name: str, kernel: Any, *operands: Any) -> Any:
        """Return the results of all examples, whose elements broadcast as those of one do."""
        dims = in_dims[2:]
        pairs: Any = [
            (o, dim) for o, dim in zip(operands, dims, strict=True) if isinstance(o, TensorBase)
        ]
        ndim = max(o.ndim - isinstance(dim, int) for o, dim in pairs)
        given = []
        for o, dim in zip(operands, dims, strict=True):
            if isinstance(dim, int):
                moved = o.movedim(dim, 0)
                inner = tuple(moved.shape[1:])
                o = moved.reshape((moved.shape[0], *(1,) * (ndim - len(inner)), *inner))
            given.append(o)
        return Recorded.apply(name, kernel, *given), 0

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Return the tangents of the results."""
        operands, outs = _kept(ctx)
        totals: list[Any] = [0.0] * len(outs)
        for k, tangent in enumerate(tangents[2:]):
            if tangent is not None:
                slopes = _slopes(ctx.name, k, operands, outs)
                totals = [t + tangent * s for t, s in zip(totals, slopes, strict=True)]
        return tuple(totals) if len(outs) > 1 else totals[0]


def _whole(result: Any) -> Any:
    """Return a result as an array, which NumPy's scalars are not."""
    return numpy.asarray(result) if isinstance(result, numpy.generic) else result


def _conjugate(slope: Any) -> Any:
    """Return what the gradient of a function of complex numbers is multiplied by."""
    return slope.conj() if isinstance(slope, TensorBase) and slope.is_complex() else slope  # type: ignore[attr-defined]


def _several(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)


def _array(operand: Any) -> Any:
    if not isinstance(operand, TensorBase):
        return operand
    array = saved.own_array(operand)
    if array.__class__ is Batched:
        raise RuntimeError("vmap: a special function of SciPy's or CuPy's has no rule for it")
    return array


def _kept(ctx: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """Return the operands and the results of a call."""
    tensors = iter(ctx.saved_tensors)
    operands = [next(tensors) if n is None else n for n in ctx.numbers]
    return operands, tuple(tensors)


def _slopes(name: str, k: int, operands: list[Any], outs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the derivatives of all results by one operand.

    Raises:
        NotImplementedError: There is none.
    """
    rule = (RULES.get(name) or COMPLEX[name])[k]
    if rule is None:
        raise NotImplementedError(
            f"the derivative of {name} by its operand {k + 1} is not implemented; where none is "
            "needed, give it tensor.detach()"
        )
    return _several(rule(*operands, outs if len(outs) > 1 else outs[0]))


def recorded(name: str, kernel: Any) -> Callable[..., Any] | None:
    """Return the function for a ufunc of CuPy's that has rules, ``None`` where it has none."""
    if name in NAMES:
        return NAMES[name]
    if name not in RULES:
        return None

    @door
    def function(*operands: Any, out: Any = None) -> Any:
        given = [
            saved.wrap(o) if not isinstance(o, TensorBase) and backend.is_array(o) else o
            for o in operands
        ]
        results = Recorded.apply(name, kernel, *given)
        if out is None:
            return results
        outs = out if isinstance(out, tuple) else (out,)
        found = tuple(map(functools.partial(written, name), outs, _several(results)))
        return found if len(found) > 1 else found[0]

    return function
