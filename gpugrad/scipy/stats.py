"""The densities and distribution functions of ``scipy.stats`` with gradients, on both devices.

``norm.logpdf(x, loc, scale)`` and its kind are differentiable by the points and the parameters
wherever their special functions are: what the incomplete gamma and beta functions are called with
as shapes has no derivative, and raises.  Draws, moments and fits are SciPy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as _np

import gpugrad.numpy
from gpugrad.numpy.operands import on_host as _on_host
from gpugrad.scipy import special as _functions

np: Any = gpugrad.numpy
special: Any = _functions

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Distribution:
    """A distribution of numbers, or, with its parameters, a frozen one: ``norm(loc, scale)``.

    The methods take the points, the shapes, ``loc`` and ``scale``, as SciPy's do.
    """

    name = ""
    shapes: tuple[str, ...] = ()
    scaled = True

    def _parameters(self, args: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
        """Return the shapes, ``loc`` and ``scale``.

        Raises:
            TypeError: A shape is missing, or there are too many arguments.
        """
        names = (*self.shapes, "loc", "scale") if self.scaled else (*self.shapes, "loc")
        if len(args) > len(names):
            raise TypeError(f"{self.name}: takes {', '.join(names)}, but got {len(args)} arguments")
        given = dict(zip(names, args, strict=False))
        for key, value in options.items():
            if key in given or key not in names:
                raise TypeError(f"{self.name}: {key!r} is given twice, or is none of its arguments")
            given[key] = value
        missing = [n for n in self.shapes if n not in given]
        if missing:
            raise TypeError(f"{self.name}: missing {', '.join(missing)}")
        return [given.get(n, 1.0 if n == "scale" else 0.0) for n in (*self.shapes, "loc", "scale")]

    def __call__(self, *args: Any, **options: Any) -> Frozen:
        """Return the distribution with these parameters."""
        return Frozen(self, self._parameters(args, options))

    def freeze(self, *args: Any, **options: Any) -> Frozen:
        """Return the distribution with these parameters."""
        return self(*args, **options)

    # What a distribution says of its standard form; z is within the support.

    def _support(self, *shapes: Any) -> tuple[Any, Any]:
        return -math.inf, math.inf

    def _inner(self, *shapes: Any) -> Any:
        """Return a point within the support, which stands for those outside."""
        return 0.5

    def _valid(self, *shapes: Any) -> Any:
        valid: Any = True
        for s in shapes:
            valid = np.logical_and(valid, np.greater(s, 0))
        return valid

    def _logpdf(self, z: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _cdf(self, z: Any, *shapes: Any) -> Any:
        raise NotImplementedError(f"{self.name}: cdf has no formula here")

    def _sf(self, z: Any, *shapes: Any) -> Any:
        return 1 - self._cdf(z, *shapes)

    def _logcdf(self, z: Any, *shapes: Any) -> Any:
        return np.log(self._cdf(z, *shapes))

    def _logsf(self, z: Any, *shapes: Any) -> Any:
        return np.log(self._sf(z, *shapes))

    def _ppf(self, q: Any, *shapes: Any) -> Any:
        raise NotImplementedError(f"{self.name}: ppf has no formula here")

    def _isf(self, q: Any, *shapes: Any) -> Any:
        return self._ppf(1 - q, *shapes)

    # --------------------------------------------------------------------------- functions

    def _standard(self, x: Any, args: Any, options: Any) -> tuple[Any, ...]:
        *shapes, loc, scale = self._parameters(args, options)
        z = np.divide(np.subtract(x, loc), scale)
        return z, shapes, scale, np.logical_and(self._valid(*shapes), np.greater(scale, 0))

    def _of_points(
        self, rule: Callable[..., Any], below: float, above: float, x: Any, args: Any, options: Any
    ) -> Any:
        z, shapes, _, valid = self._standard(x, args, options)
        low, high = self._support(*shapes)
        inside = np.logical_and(np.greater_equal(z, low), np.less_equal(z, high))
        found = rule(np.where(inside, z, self._inner(*shapes)), *shapes)
        found = np.where(np.less(z, low), below, np.where(np.greater(z, high), above, found))
        return np.where(np.logical_or(np.isnan(z), np.logical_not(valid)), math.nan, found)

    def cdf(self, x: Any, *args: Any, **options: Any) -> Any:
        """Return the probability of at most ``x``."""
        return self._of_points(self._cdf, 0.0, 1.0, x, args, options)

    def sf(self, x: Any, *args: Any, **options: Any) -> Any:
        """Return the probability of more than ``x``."""
        return self._of_points(self._sf, 1.0, 0.0, x, args, options)

    def logcdf(self, x: Any, *args: Any, **options: Any) -> Any:
        """Return the logarithm of the probability of at most ``x``."""
        return self._of_points(self._logcdf, -math.inf, 0.0, x, args, options)

    def logsf(self, x: Any, *args: Any, **options: Any) -> Any:
        """Return the logarithm of the probability of more than ``x``."""
        return self._of_points(self._logsf, 0.0, -math.inf, x, args, options)


class Continuous(Distribution):
    """A distribution that has a density."""

    def _pdf(self, z: Any, *shapes: Any) -> Any:
        return np.exp(self._logpdf(z, *shapes))

    def logpdf(self, x: Any, *args: Any, **options: Any) -> Any:
        """Return the logarithm of the density at ``x``; minus infinity outside of the support."""
        scale = self._parameters(args, options)[-1]
        outside = -math.inf
        found = self._of_points(self._logpdf, outside, outside, x, args, options)
        return np.subtract(found, np.log(_positive(scale)))

    def pdf(self, x: Any, *args: Any, **options: Any) -> Any:
        """Return the density at ``x``."""
        scale = self._parameters(args, options)[-1]
        found = self._of_points(self._pdf, 0.0, 0.0, x, args, options)
        return np.divide(found, scale)

    def _of_shares(self, rule: Callable[..., Any], q: Any, args: Any, options: Any) -> Any:
        *shapes, loc, scale = self._parameters(args, options)
        valid = np.logical_and(self._valid(*shapes), np.greater(scale, 0))
        valid = np.logical_and(valid, np.logical_and(np.greater_equal(q, 0), np.less_equal(q, 1)))
        found = np.add(np.multiply(rule(np.where(valid, q, 0.5), *shapes), scale), loc)
        return np.where(valid, found, math.nan)

    def ppf(self, q: Any, *args: Any, **options: Any) -> Any:
        """Return the point below which is a share ``q``: the inverse of ``cdf``."""
        return self._of_shares(self._ppf, q, args, options)

    def isf(self, q: Any, *args: Any, **options: Any) -> Any:
        """Return the point above which is a share ``q``: the inverse of ``sf``."""
        return self._of_shares(self._isf, q, args, options)


class Discrete(Distribution):
    """A distribution of whole numbers; what lies between them has no probability."""

    scaled = False

    def _of_points(
        self, rule: Callable[..., Any], below: float, above: float, x: Any, args: Any, options: Any
    ) -> Any:
        *shapes, loc, _ = self._parameters(args, options)
        whole = np.floor(np.subtract(x, loc))
        return super()._of_points(rule, below, above, whole, tuple(shapes), {})

    def logpmf(self, k: Any, *args: Any, **options: Any) -> Any:
        """Return the logarithm of the probability of ``k``."""
        found = self._of_points(self._logpdf, -math.inf, -math.inf, k, args, options)
        loc = self._parameters(args, options)[-2]
        z = np.subtract(k, loc)
        between = np.logical_and(np.less(np.floor(z), z), np.logical_not(np.isnan(found)))
        return np.where(between, -math.inf, found)

    def _pmf(self, z: Any, *shapes: Any) -> Any:
        return np.exp(self._logpdf(z, *shapes))

    def pmf(self, k: Any, *args: Any, **options: Any) -> Any:
        """Return the probability of ``k``."""
        found = self._of_points(self._pmf, 0.0, 0.0, k, args, options)
        z = np.subtract(k, self._parameters(args, options)[-2])
        between = np.logical_and(np.less(np.floor(z), z), np.logical_not(np.isnan(found)))
        return np.where(between, 0.0, found)


class Frozen:
    """A distribution whose parameters are given: its methods take the points only."""

    def __init__(self, dist: Distribution, parameters: list[Any]):
        """Take the distribution, and its shapes, ``loc`` and ``scale``."""
        self.dist = dist
        self.args = tuple(parameters if dist.scaled else parameters[:-1])

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS or not hasattr(self.dist, name):
            raise AttributeError(f"{self.dist.name}: a frozen distribution has no {name!r}")
        method = getattr(self.dist, name)
        return lambda x: method(x, *self.args)


_METHODS = frozenset({
    "pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf",
})  # fmt: skip


def _positive(scale: Any) -> Any:
    return np.where(np.greater(scale, 0), scale, math.nan)


# --------------------------------------------------------------------------- on the real line


class _Norm(Continuous):
    name = "norm"

    def _logpdf(self, z: Any) -> Any:
        return -z * z / 2 - _HALF_LOG_TAU

    def _cdf(self, z: Any) -> Any:
        return special.ndtr(z)

    def _sf(self, z: Any) -> Any:
        return special.ndtr(-z)

    def _logcdf(self, z: Any) -> Any:
        return special.log_ndtr(z)

    def _logsf(self, z: Any) -> Any:
        return special.log_ndtr(-z)

    def _ppf(self, q: Any) -> Any:
        return special.ndtri(q)

    def _isf(self, q: Any) -> Any:
        return -special.ndtri(q)


class _Cauchy(Continuous):
    name = "cauchy"

    def _logpdf(self, z: Any) -> Any:
        return -math.log(math.pi) - np.log1p(z * z)

    def _cdf(self, z: Any) -> Any:
        return np.arctan2(1.0, -z) / math.pi

    def _sf(self, z: Any) -> Any:
        return np.arctan2(1.0, z) / math.pi

    def _ppf(self, q: Any) -> Any:
        return np.tan(math.pi * (q - 0.5))

    def _isf(self, q: Any) -> Any:
        return np.tan(math.pi * (0.5 - q))


class _Laplace(Continuous):
    name = "laplace"

    def _logpdf(self, z: Any) -> Any:
        return -np.abs(z) - math.log(2)

    def _cdf(self, z: Any) -> Any:
        half = np.exp(-np.abs(z)) / 2
        return np.where(np.greater(z, 0), 1 - half, half)

    def _sf(self, z: Any) -> Any:
        return self._cdf(-z)

    def _logcdf(self, z: Any) -> Any:
        log = -np.abs(z) - math.log(2)
        return np.where(np.greater(z, 0), np.log1p(-np.exp(log)), log)

    def _logsf(self, z: Any) -> Any:
        return self._logcdf(-z)

    def _ppf(self, q: Any) -> Any:
        upper = np.greater(q, 0.5)
        log = np.log(2 * np.where(upper, 1 - q, q))
        return np.where(upper, -log, log)

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)


class _Logistic(Continuous):
    name = "logistic"

    def _logpdf(self, z: Any) -> Any:
        size = -np.abs(z)
        return size - 2 * np.log1p(np.exp(size))

    def _pdf(self, z: Any) -> Any:
        return special.expit(z) * special.expit(-z)

    def _cdf(self, z: Any) -> Any:
        return special.expit(z)

    def _sf(self, z: Any) -> Any:
        return special.expit(-z)

    def _logcdf(self, z: Any) -> Any:
        return special.log_expit(z)

    def _logsf(self, z: Any) -> Any:
        return special.log_expit(-z)

    def _ppf(self, q: Any) -> Any:
        return special.logit(q)

    def _isf(self, q: Any) -> Any:
        return -special.logit(q)


class _T(Continuous):
    name = "t"
    shapes = ("df",)

    def _logpdf(self, z: Any, df: Any) -> Any:
        return -np.log(df) / 2 - special.betaln(np.divide(df, 2.0), 0.5) - (
            np.add(df, 1.0) / 2 * np.log1p(z * z / df)
        )  # fmt: skip

    def _cdf(self, z: Any, df: Any) -> Any:
        return special.stdtr(df, z)

    def _sf(self, z: Any, df: Any) -> Any:
        return special.stdtr(df, -z)

    def _ppf(self, q: Any, df: Any) -> Any:
        return special.stdtrit(df, q)

    def _isf(self, q: Any, df: Any) -> Any:
        return -special.stdtrit(df, q)


# --------------------------------------------------------------------------- of positive numbers


class _Positive(Continuous):
    def _support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, math.inf


class _Gamma(_Positive):
    name = "gamma"
    shapes = ("a",)

    def _logpdf(self, z: Any, a: Any) -> Any:
        return special.xlogy(np.subtract(a, 1.0), z) - z - special.gammaln(a)

    def _cdf(self, z: Any, a: Any) -> Any:
        return special.gammainc(a, z)

    def _sf(self, z: Any, a: Any) -> Any:
        return special.gammaincc(a, z)

    def _ppf(self, q: Any, a: Any) -> Any:
        return special.gammaincinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return special.gammainccinv(a, q)


class _Chi2(_Gamma):
    name = "chi2"
    shapes = ("df",)

    def _logpdf(self, z: Any, a: Any) -> Any:
        return super()._logpdf(z / 2, np.divide(a, 2.0)) - math.log(2)

    def _cdf(self, z: Any, a: Any) -> Any:
        return super()._cdf(z / 2, np.divide(a, 2.0))

    def _sf(self, z: Any, a: Any) -> Any:
        return super()._sf(z / 2, np.divide(a, 2.0))

    def _ppf(self, q: Any, a: Any) -> Any:
        return 2 * super()._ppf(q, np.divide(a, 2.0))

    def _isf(self, q: Any, a: Any) -> Any:
        return 2 * super()._isf(q, np.divide(a, 2.0))


class _Expon(_Positive):
    name = "expon"

    def _logpdf(self, z: Any) -> Any:
        return -z

    def _cdf(self, z: Any) -> Any:
        return -np.expm1(-z)

    def _sf(self, z: Any) -> Any:
        return np.exp(-z)

    def _logsf(self, z: Any) -> Any:
        return -z

    def _ppf(self, q: Any) -> Any:
        return -np.log1p(-q)

    def _isf(self, q: Any) -> Any:
        return -np.log(q)


class _Lognorm(_Positive):
    name = "lognorm"
    shapes = ("s",)

    def _log(self, z: Any, s: Any) -> tuple[Any, Any]:
        """Return the standard normal's point, and whether it is one."""
        at_zero = np.equal(z, 0)
        return np.log(np.where(at_zero, 1.0, z)) / s, at_zero

    def _logpdf(self, z: Any, s: Any) -> Any:
        y, at_zero = self._log(z, s)
        return np.where(at_zero, -math.inf, norm._logpdf(y) - np.log(s) - y * s)

    def _cdf(self, z: Any, s: Any) -> Any:
        y, at_zero = self._log(z, s)
        return np.where(at_zero, 0.0, norm._cdf(y))

    def _sf(self, z: Any, s: Any) -> Any:
        y, at_zero = self._log(z, s)
        return np.where(at_zero, 1.0, norm._sf(y))

    def _logcdf(self, z: Any, s: Any) -> Any:
        y, at_zero = self._log(z, s)
        return np.where(at_zero, -math.inf, norm._logcdf(y))

    def _logsf(self, z: Any, s: Any) -> Any:
        y, at_zero = self._log(z, s)
        return np.where(at_zero, 0.0, norm._logsf(y))

    def _ppf(self, q: Any, s: Any) -> Any:
        return np.exp(s * norm._ppf(q))

    def _isf(self, q: Any, s: Any) -> Any:
        return np.exp(s * norm._isf(q))


# --------------------------------------------------------------------------- of an interval


class _Interval(Continuous):
    def _support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0


class _Beta(_Interval):
    name = "beta"
    shapes = ("a", "b")

    def _logpdf(self, z: Any, a: Any, b: Any) -> Any:
        near = special.xlogy(np.subtract(a, 1.0), z)
        return near + special.xlog1py(np.subtract(b, 1.0), -z) - special.betaln(a, b)

    def _cdf(self, z: Any, a: Any, b: Any) -> Any:
        return special.betainc(a, b, z)

    def _sf(self, z: Any, a: Any, b: Any) -> Any:
        return special.betaincc(a, b, z)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return special.betaincinv(a, b, q)

    def _isf(self, q: Any, a: Any, b: Any) -> Any:
        return special.betainccinv(a, b, q)


class _Uniform(_Interval):
    name = "uniform"

    def _logpdf(self, z: Any) -> Any:
        return z * 0

    def _cdf(self, z: Any) -> Any:
        return z

    def _ppf(self, q: Any) -> Any:
        return q


# --------------------------------------------------------------------------- of whole numbers


def _log_power(n: Any, x: Any) -> Any:
    """Return the logarithm of ``x ** n``, which is constant where both are 0."""
    both = np.logical_and(np.equal(n, 0), np.equal(x, 0))
    return special.xlogy(n, np.where(both, 1.0, x))


def _log_power_1p(n: Any, x: Any) -> Any:
    """Return the logarithm of ``(1 + x) ** n``, which is constant where both are 0."""
    both = np.logical_and(np.equal(n, 0), np.equal(x, -1))
    return special.xlog1py(n, np.where(both, 0.0, x))


def _at_ends(ends: Any, p: Any, exact: Callable[..., Any], other: Callable[..., Any]) -> Any:
    """Return a function of ``p``: an exact one where it is at an end, where logarithms are not."""
    inside = np.logical_not(ends)
    found = other(np.where(inside, p, 0.5))
    return np.where(inside, found, exact(np.where(inside, 0.0, p)))


class _Poisson(Discrete):
    name = "poisson"
    shapes = ("mu",)

    def _valid(self, mu: Any) -> Any:
        return np.greater_equal(mu, 0)

    def _support(self, mu: Any) -> tuple[Any, Any]:
        return 0, math.inf

    def _inner(self, mu: Any) -> Any:
        return 1.0

    def _logpdf(self, z: Any, mu: Any) -> Any:
        return _log_power(z, mu) - special.gammaln(z + 1) - mu

    def _pmf(self, z: Any, mu: Any) -> Any:
        return _at_ends(
            np.equal(mu, 0), mu,
            lambda mu: np.power(mu, z) * np.exp(-mu) / special.gamma(z + 1),
            lambda mu: np.exp(self._logpdf(z, mu)),
        )  # fmt: skip

    def _cdf(self, z: Any, mu: Any) -> Any:
        return special.gammaincc(z + 1, mu)

    def _sf(self, z: Any, mu: Any) -> Any:
        return special.gammainc(z + 1, mu)


class _Binom(Discrete):
    name = "binom"
    shapes: tuple[str, ...] = ("n", "p")

    def _valid(self, n: Any, p: Any) -> Any:
        share = np.logical_and(np.greater_equal(p, 0), np.less_equal(p, 1))
        whole = np.logical_and(np.greater_equal(n, 0), np.equal(n, np.floor(n)))
        return np.logical_and(share, whole)

    def _support(self, n: Any, p: Any) -> tuple[Any, Any]:
        return 0, n

    def _inner(self, n: Any, p: Any) -> Any:
        return 0.0

    def _logpdf(self, z: Any, n: Any, p: Any) -> Any:
        n = np.multiply(n, 1.0)
        ways = special.gammaln(n + 1) - special.gammaln(z + 1) - special.gammaln(n - z + 1)
        return ways + _log_power(z, p) + _log_power_1p(n - z, np.negative(p))

    def _pmf(self, z: Any, n: Any, p: Any) -> Any:
        n = np.multiply(n, 1.0)
        return _at_ends(
            np.logical_or(np.equal(p, 0), np.equal(p, 1)), p,
            lambda p: special.binom(n, z) * np.power(p, z) * np.power(1 - p, n - z),
            lambda p: np.exp(self._logpdf(z, n, p)),
        )  # fmt: skip

    def _cdf(self, z: Any, n: Any, p: Any) -> Any:
        return self._tail(z, n, p, special.betaincc, 1.0)

    def _sf(self, z: Any, n: Any, p: Any) -> Any:
        return self._tail(z, n, p, special.betainc, 0.0)

    def _tail(self, z: Any, n: Any, p: Any, share: Any, last: float) -> Any:
        """Return a sum of probabilities, which is an incomplete beta function."""
        rest = np.subtract(n, z) * 1.0
        whole = np.less(rest, 1)
        return np.where(whole, last, share(z + 1.0, np.where(whole, 1.0, rest), p))


class _Bernoulli(_Binom):
    name = "bernoulli"
    shapes = ("p",)

    def _valid(self, p: Any) -> Any:  # type: ignore[override]
        return np.logical_and(np.greater_equal(p, 0), np.less_equal(p, 1))

    def _support(self, p: Any) -> tuple[Any, Any]:  # type: ignore[override]
        return 0, 1

    def _inner(self, p: Any) -> Any:  # type: ignore[override]
        return 0.0

    def _logpdf(self, z: Any, p: Any) -> Any:  # type: ignore[override]
        return _log_power(z, p) + _log_power_1p(1 - z, np.negative(p))

    def _pmf(self, z: Any, p: Any) -> Any:  # type: ignore[override]
        return np.where(np.equal(z, 0), np.subtract(1, p), p)

    def _cdf(self, z: Any, p: Any) -> Any:  # type: ignore[override]
        return super()._cdf(z, 1, p)

    def _sf(self, z: Any, p: Any) -> Any:  # type: ignore[override]
        return super()._sf(z, 1, p)


class _Geom(Discrete):
    name = "geom"
    shapes = ("p",)

    def _valid(self, p: Any) -> Any:
        return np.logical_and(np.greater(p, 0), np.less_equal(p, 1))

    def _support(self, p: Any) -> tuple[Any, Any]:
        return 1, math.inf

    def _inner(self, p: Any) -> Any:
        return 1.0

    def _logpdf(self, z: Any, p: Any) -> Any:
        return _log_power_1p(z - 1, np.negative(p)) + np.log(p)

    def _pmf(self, z: Any, p: Any) -> Any:
        return _at_ends(
            np.equal(p, 1), p, lambda p: p * np.power(1 - p, z - 1),
            lambda p: np.exp(self._logpdf(z, p)),
        )  # fmt: skip

    def _cdf(self, z: Any, p: Any) -> Any:
        return -np.expm1(self._logsf(z, p))

    def _sf(self, z: Any, p: Any) -> Any:
        return np.exp(self._logsf(z, p))

    def _logsf(self, z: Any, p: Any) -> Any:
        return z * np.log1p(np.negative(p))


# --------------------------------------------------------------------------- of vectors


def _matrix(cov: Any, d: int) -> Any:
    cov = np.asarray(cov)
    if cov.ndim == 0:
        return cov * np.eye(d, device=cov.device)
    if cov.ndim == 1:
        return np.diag(cov)
    return cov


class _MultivariateNormal:
    """Normal distributions of vectors."""

    name = "multivariate_normal"

    def _parts(self, mean: Any, cov: Any, d: int | None, allow_singular: bool) -> tuple[Any, ...]:
        """Return the mean, a matrix W with W W^T = cov^-1, the rank and log det of cov.

        Raises:
            ValueError: The shapes do not fit; ``cov`` is no positive definite matrix.
        """
        size = d or max(_np.size(_on_host(np.asarray(mean).detach())) if mean is not None else 1,
                        np.asarray(cov).shape[-1] if np.asarray(cov).ndim else 1)  # fmt: skip
        cov = _matrix(cov, size)
        mean = np.zeros(size, device=cov.device) if mean is None else np.asarray(mean)
        mean = mean.reshape(-1)
        if cov.shape != (size, size) or mean.shape not in ((size,), (1,)):
            raise ValueError(
                f"multivariate_normal: the mean has shape {tuple(mean.shape)} and the covariance "
                f"{tuple(cov.shape)}, but the points have {size} components"
            )
        values, vectors = np.linalg.eigh(cov)
        found = _np.asarray(_on_host(values.detach()))
        kind = _np.finfo(found.dtype)
        limit = kind.eps * (1e3 if kind.bits == 32 else 1e6) * _np.abs(found).max(initial=0)
        if found.min(initial=0) < -limit:
            raise ValueError("The input matrix must be symmetric positive semidefinite.")
        kept = _np.flatnonzero(found > limit)
        if len(kept) == size:
            lower = np.linalg.cholesky(cov)
            log = 2 * np.sum(np.log(np.diagonal(lower)))
            return mean, np.linalg.inv(lower).T, size, log
        if not allow_singular:
            raise np.linalg.LinAlgError(
                "When `allow_singular is False`, the input matrix must be symmetric positive "
                "definite."
            )
        first = size - len(kept)
        values, vectors = values[first:], vectors[:, first:]
        return mean, vectors / np.sqrt(values), len(kept), np.sum(np.log(values))

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """Return the logarithm of the density at points, whose last axis has the components.

        With ``allow_singular`` the density is that within the subspace which the covariance
        spans, minus infinity outside of it, and has no derivative by a singular covariance of
        which two kept eigenvalues are equal.
        """
        given = np.asarray(x)
        known = [np.asarray(v) for v in (mean, cov) if v is not None]
        sizes = [v.shape[-1] for v in known if v.ndim]
        d = sizes[0] if sizes else 1
        points = given
        if given.ndim == 0:
            points = given.reshape(1, 1)
        elif given.ndim == 1:
            points = given.reshape(-1, 1) if d == 1 else given.reshape(1, -1)
        mean, white, rank, log = self._parts(mean, cov, d, allow_singular)
        away = points - mean
        found = -0.5 * (rank * math.log(2 * math.pi) + log
                        + np.sum(np.square(np.matmul(away, white)), -1))  # fmt: skip
        if rank < d:
            inside = np.matmul(np.matmul(away, white), np.linalg.pinv(white)).detach()
            distance = np.sqrt(np.sum(np.square(away.detach() - inside), -1))
            found = np.where(np.less(distance, 1e3 * _np.finfo(found.dtype).eps), found, -math.inf)
        return found.reshape(()) if found.size == 1 and given.ndim < 2 else found

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """Return the density at points, whose last axis has the components."""
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """Return the differential entropy."""
        _, _, rank, log = self._parts(mean, cov, None, True)
        return 0.5 * (rank * (math.log(2 * math.pi) + 1) + log)


class _Dirichlet:
    """Dirichlet distributions."""

    name = "dirichlet"

    def rvs(self, alpha: Any, size: Any = 1) -> Any:
        """Return draws, of shape ``size`` and the components; they have no gradient."""
        return np.random.dirichlet(alpha, size)

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """Return the logarithm of the density; components stand along the first axis.

        The last component may be left out: it is what is missing to 1.

        Raises:
            ValueError: The components do not sum to 1, or one is negative; ``alpha`` is not
                positive or does not fit.
        """
        alpha, x = np.asarray(alpha), np.asarray(x)
        if alpha.ndim != 1 or not bool(np.all(np.greater(alpha.detach(), 0))):
            raise ValueError("dirichlet: alpha must be a vector of positive numbers")
        if x.shape[0] == alpha.shape[0] - 1:
            x = np.concatenate([x, 1 - np.sum(x, 0, keepdims=True)], 0)
        if x.shape[0] != alpha.shape[0]:
            raise ValueError(
                f"dirichlet: alpha has {alpha.shape[0]} components, but x has {x.shape[0]}"
            )
        total = np.sum(x.detach(), 0)
        if not bool(np.all(np.less_equal(np.abs(total - 1), 1e-9))) or bool(
            np.any(np.less(x.detach(), 0))
        ):
            raise ValueError("dirichlet: the components of x must be positive and sum to 1")
        scale = np.sum(special.gammaln(alpha)) - special.gammaln(np.sum(alpha))
        return np.sum(special.xlogy(alpha - 1, x.T), -1) - scale

    def pdf(self, x: Any, alpha: Any) -> Any:
        """Return the density; see ``logpdf``."""
        return np.exp(self.logpdf(x, alpha))


norm, cauchy, laplace, logistic, t = _Norm(), _Cauchy(), _Laplace(), _Logistic(), _T()
gamma, chi2, expon, lognorm = _Gamma(), _Chi2(), _Expon(), _Lognorm()
beta, uniform = _Beta(), _Uniform()
poisson, binom, bernoulli, geom = _Poisson(), _Binom(), _Bernoulli(), _Geom()
multivariate_normal, dirichlet = _MultivariateNormal(), _Dirichlet()

__all__ = [
    "bernoulli", "beta", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma", "geom",
    "laplace", "logistic", "lognorm", "multivariate_normal", "norm", "poisson", "t", "uniform",
]  # fmt: skip
