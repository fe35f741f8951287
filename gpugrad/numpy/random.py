"""``numpy.random`` on gpugrad's generators, on the CPU and on CUDA.

What is made of uniform or normal numbers by a formula is differentiable by its parameters.  Of the
other distributions NumPy draws, on the host, from a seed that the generator gives; their parameters
must not require grad.  The numbers of a seed are not NumPy's.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad._device import device as Device  # noqa: N812
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy import linalg
from gpugrad.numpy.creation import as_shape, new
from gpugrad.numpy.indexing import take, take_along_axis
from gpugrad.numpy.operands import (
    array_of,
    class_of,
    dtype_of,
    on_host,
    own,
    place_of,
    plain,
    raised,
    tensors_in,
    written,
)
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.op import generator as generators
from gpugrad.ops import inplace
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import clone
from gpugrad.ops.creation import place
from gpugrad.ops.draw import integers as _integers
from gpugrad.ops.draw import rand as _uniform
from gpugrad.ops.draw import randn as _normal

log, log1p, sqrt, exp, expm1, tan = (
    UFUNCS[name] for name in ("log", "log1p", "sqrt", "exp", "expm1", "tan")
)


def _waiting(u: Any) -> Any:
    return -log1p(-u)


def _laplace(u: Any, loc: Any, scale: Any) -> Any:
    below = plain(log(2 * u))
    above = plain(-log(2 * (1 - u)))
    return loc + scale * array_of(pw.where(plain(u < 0.5), below, above))


def _triangular(u: Any, left: Any, mode: Any, right: Any) -> Any:
    base = right - left
    rising = plain(left + sqrt(u * base * (mode - left)))
    falling = plain(right - sqrt((1 - u) * base * (right - mode)))
    return array_of(pw.where(plain(u < (mode - left) / base), rising, falling))


# What is drawn, the function of that and of the parameters, and these with their defaults.
FORMULAS: dict[str, tuple[str, Callable[..., Any], dict[str, Any]]] = {
    "uniform": ("uniform", lambda u, low, high: low + (high - low) * u, {"low": 0.0, "high": 1.0}),
    "normal": ("normal", lambda n, loc, scale: loc + scale * n, {"loc": 0.0, "scale": 1.0}),
    "lognormal": ("normal", lambda n, mean, sigma: exp(mean + sigma * n),
                  {"mean": 0.0, "sigma": 1.0}),
    "exponential": ("uniform", lambda u, scale: scale * _waiting(u), {"scale": 1.0}),
    "laplace": ("uniform", _laplace, {"loc": 0.0, "scale": 1.0}),
    "logistic": ("uniform", lambda u, loc, scale: loc + scale * (log(u) - log1p(-u)),
                 {"loc": 0.0, "scale": 1.0}),
    "gumbel": ("uniform", lambda u, loc, scale: loc - scale * log(_waiting(u)),
               {"loc": 0.0, "scale": 1.0}),
    "rayleigh": ("uniform", lambda u, scale: scale * sqrt(2 * _waiting(u)), {"scale": 1.0}),
    "weibull": ("uniform", lambda u, a: _waiting(u) ** (1.0 / a), {"a": Parameter.empty}),
    "pareto": ("uniform", lambda u, a: expm1(_waiting(u) / a), {"a": Parameter.empty}),
    "power": ("uniform", lambda u, a: u ** (1.0 / a), {"a": Parameter.empty}),
    "triangular": ("uniform", _triangular,
                   dict.fromkeys(("left", "mode", "right"), Parameter.empty)),
    "standard_cauchy": ("uniform", lambda u: tan(math.pi * (u - 0.5)), {}),
}  # fmt: skip
POSITIVE = {"scale", "sigma", "a"}  # parameters that may not be below 0

HOST = {  # of NumPy: the names of the parameters, and the defaults that there are
    "beta": {"a": Parameter.empty, "b": Parameter.empty},
    "binomial": {"n": Parameter.empty, "p": Parameter.empty},
    "chisquare": {"df": Parameter.empty},
    "dirichlet": {"alpha": Parameter.empty},
    "f": {"dfnum": Parameter.empty, "dfden": Parameter.empty},
    "geometric": {"p": Parameter.empty},
    "hypergeometric": dict.fromkeys(("ngood", "nbad", "nsample"), Parameter.empty),
    "logseries": {"p": Parameter.empty},
    "multinomial": {"n": Parameter.empty, "pvals": Parameter.empty},
    "negative_binomial": {"n": Parameter.empty, "p": Parameter.empty},
    "noncentral_chisquare": {"df": Parameter.empty, "nonc": Parameter.empty},
    "noncentral_f": dict.fromkeys(("dfnum", "dfden", "nonc"), Parameter.empty),
    "poisson": {"lam": 1.0},
    "standard_gamma": {"shape": Parameter.empty},
    "standard_t": {"df": Parameter.empty},
    "vonmises": {"mu": Parameter.empty, "kappa": Parameter.empty},
    "wald": {"mean": Parameter.empty, "scale": Parameter.empty},
    "zipf": {"a": Parameter.empty},
}


class Generator:
    """A source of random arrays on one device; ``default_rng`` makes one."""

    def __init__(self, generator: Any = None):
        """Make what draws from one of gpugrad's generators, or from the default ones."""
        self.generator = generator

    def _place(self, device: Any, values: Any = ()) -> Device:
        if self.generator is not None:
            return self.generator.device
        if device is not None:
            return Device(device)
        return place_of(tensors_in((values,))) or place(None)

    def _draw(self, what: str, shape: Any, dtype: Any, where: Device) -> Any:
        kind = dtype_of(dtype)
        if kind not in (np.float64, np.float32):
            raise TypeError(f"Unsupported dtype {kind!r} for {what}")
        draw = _uniform if what == "uniform" else _normal
        return draw(
            size=tuple(shape), generator=self.generator, dtype=_dtype.of(kind), device=where
        )

    def _host(self) -> np.random.Generator:
        """Return NumPy's generator, from a seed that this one draws."""
        where = self._place(None)
        seed = _integers(0, 2**62, (2,), _dtype.int64, where, self.generator)
        return np.random.Generator(np.random.Philox(np.asarray(on_host(seed)).tolist()))

    # ------------------------------------------------------------------- plain numbers

    def random(
        self, size: Any = None, dtype: Any = np.float64, out: Any = None, *, device: Any = None
    ) -> Any:
        """Return numbers that are even in [0, 1)."""
        return self._plain("uniform", size, dtype, out, device)

    def standard_normal(
        self, size: Any = None, dtype: Any = np.float64, out: Any = None, *, device: Any = None
    ) -> Any:
        """Return normal numbers of mean 0 and variance 1."""
        return self._plain("normal", size, dtype, out, device)

    def standard_exponential(
        self, size: Any = None, dtype: Any = np.float64, method: str = "zig", out: Any = None, *,
        device: Any = None,
    ) -> Any:  # fmt: skip
        """Return waiting times of mean 1."""
        found = _waiting(self._plain("uniform", size, dtype, None, device))
        return written("standard_exponential", out, found)

    def _plain(self, what: str, size: Any, dtype: Any, out: Any, device: Any) -> Any:
        where = self._place(device, (out,))
        shape = out.shape if size is None and out is not None else _sizes(size)
        found = raised(self._draw(what, shape, dtype, where), class_of((out,)))
        return written(what, out, found)

    def integers(
        self, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64,
        endpoint: bool = False, *, device: Any = None,
    ) -> Any:  # fmt: skip
        """Return whole numbers that are even in [low, high), up to high by ``endpoint``."""
        if high is None:
            low, high = 0, low
        bounds = [np.asarray(on_host(v)) for v in (low, high)]
        kind = dtype_of(dtype)
        if kind.kind == "b" or bounds[0].ndim or bounds[1].ndim:
            found = self._host().integers(
                bounds[0], bounds[1], None if size is None else _sizes(size),
                kind, endpoint,
            )  # fmt: skip
            return _new(found, self._place(device, (low, high)))
        first, last = int(bounds[0]), int(bounds[1]) + bool(endpoint)
        if last <= first:
            raise ValueError("low >= high" if not endpoint else "low > high")
        made = _integers(
            first, last, _sizes(size), _dtype.of(kind), self._place(device), self.generator
        )
        return array_of(made)

    def bytes(self, length: int) -> bytes:
        """Return random bytes."""
        return self._host().bytes(length)

    # ------------------------------------------------------------------- orders and choices

    def permutation(self, x: Any, axis: int = 0, *, device: Any = None) -> Any:
        """Return the numbers below ``x``, or the slices of an array, in a random order."""
        if not isinstance(x, TensorBase) and np.ndim(x) == 0:
            return self._order(int(x), self._place(device))
        kind, array = class_of((x,)), plain(x)
        order = self._order(array._array.shape[axis], array.device)
        return raised(plain(take(array, order, axis)), kind)

    def _order(self, n: int, where: Device) -> Any:
        return array_of(op("randperm")(n, generator=self.generator, device=where))

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Bring the slices of an array into a random order, in place, with their history."""
        if isinstance(x, TensorBase):
            inplace.copy_(own(x), plain(self.permutation(x, axis)))
        else:
            order = on_host(self._order(len(x) if axis == 0 else x.shape[axis], self._place(None)))
            if isinstance(x, np.ndarray):
                x[...] = np.take(x, order, axis)
            else:
                x[:] = [x[k] for k in order]

    def permuted(self, x: Any, axis: Any = None, out: Any = None) -> Any:
        """Return the elements in a random order, along an axis in each line another one."""
        kind, array = class_of((x, out)), plain(x)
        where = self._place(None, (x,))
        shape = array._array.shape
        if axis is None:
            found = plain(self.permutation(array.reshape((-1,)))).reshape(tuple(shape))
        else:
            (k,) = normal_axes(axis, array._array.ndim)
            order = self._draw("uniform", shape, np.float64, where).argsort(k)
            found = plain(take_along_axis(array, order, k))
        return raised(written("permuted", out, found), kind)

    def choice(
        self, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0,
        shuffle: bool = True, *, device: Any = None,
    ) -> Any:  # fmt: skip
        """Return slices that are chosen at random, with the probabilities ``p``.

        Raises:
            ValueError: There are too few to choose from.
        """
        whole = isinstance(a, TensorBase) or np.ndim(a) > 0
        array: Any = plain(a) if whole else None
        n = array._array.shape[axis] if whole else int(a)
        if p is None and replace:
            places = self.integers(0, n, size, device=device)
        else:
            weights = None if p is None else np.asarray(on_host(p), float)
            found = self._host().choice(n, size, replace, weights, shuffle=shuffle)
            places = _new(np.asarray(found), self._place(device, (a,)))
        return raised(plain(take(array, places, axis)), class_of((a,))) if whole else places

    # ------------------------------------------------------------------- of other ones

    def gamma(self, shape: Any, scale: Any = 1.0, size: Any = None, *, device: Any = None) -> Any:
        """Return gamma distributed numbers; it is differentiable by the scale."""
        scale_ = array_of(scale, self._place(device, (shape, scale)))
        if size is None:
            size = np.broadcast_shapes(np.shape(on_host(shape)), scale_.shape)
        drawn = self.standard_gamma(shape, size, device=device)  # type: ignore[attr-defined]
        return raised(scale_ * array_of(drawn), class_of((shape, scale)))

    def multivariate_normal(
        self, mean: Any, cov: Any, size: Any = None, check_valid: str = "warn", tol: float = 1e-8,
        *, method: str = "cholesky", device: Any = None,
    ) -> Any:  # fmt: skip
        """Return normal vectors; it is differentiable by the mean and the covariances."""
        where = self._place(device, (mean, cov))
        center, spread = array_of(mean, where), array_of(cov, where)
        n = center.shape[-1]
        if spread.shape != (n, n):
            raise ValueError("mean and cov must have same length")
        draws = array_of(self._draw("normal", (*_sizes(size), n), np.float64, where))
        try:
            factor = linalg.cholesky(spread)
        except linalg.LinAlgError:  # not all directions have a variance
            values, vectors = linalg.eigh(spread)
            factor = vectors * sqrt(UFUNCS["maximum"](values, 0.0))
        found = center + UFUNCS["matmul"](draws, array_of(factor).T)
        return raised(found, class_of((mean, cov)))

    def spawn(self, n_children: int) -> list[Generator]:
        """Return new generators, each from a seed that this one draws."""
        seeds = np.asarray(on_host(self.integers(0, 2**62, n_children)))
        return [default_rng(int(s), device=self._place(None)) for s in seeds]


def _sizes(size: Any) -> tuple[int, ...]:
    return () if size is None else as_shape(size)


def _fits(natural: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(natural) <= len(shape) and all(
        n in (1, m) for n, m in zip(reversed(natural), reversed(shape), strict=False)
    )


def _new(array: Any, where: Device) -> Any:
    return array_of(new(np.asarray(array), where))


def _with_signature(function: Any, name: str, parameters: Any) -> Any:
    names = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)]
    kind = Parameter.POSITIONAL_OR_KEYWORD
    names += [Parameter(n, kind, default=d) for n, d in parameters.items()]
    names.append(Parameter("size", kind, default=None))
    names.append(Parameter("device", Parameter.KEYWORD_ONLY, default=None))
    function.__signature__ = Signature(names)
    function.__name__, function.__qualname__ = name, f"Generator.{name}"
    return function


def _bound(signature: Signature, self: Any, args: Any, options: Any) -> Any:
    found = signature.bind(self, *args, **options)
    found.apply_defaults()
    values = dict(found.arguments)
    del values["self"]
    return values, values.pop("size"), values.pop("device")


def _by_formula(name: str) -> Any:
    base, formula, parameters = FORMULAS[name]

    def method(self: Any, *args: Any, **options: Any) -> Any:
        values, size, device = _bound(method.__signature__, self, args, options)  # type: ignore[attr-defined]
        kind = class_of((values,))
        where = self._place(device, values)
        given = {n: array_of(v, where) for n, v in values.items()}
        for n in POSITIVE & {*given}:
            if bool((np.asarray(on_host(given[n].detach())) < 0).any()):
                raise ValueError(f"{n} < 0")
        natural = np.broadcast_shapes(*(t.shape for t in given.values()))
        shape = natural if size is None else _sizes(size)
        if size is not None and not _fits(natural, shape):
            raise ValueError(
                f"Output size {shape} is not compatible with broadcast dimensions of inputs "
                f"{natural}."
            )
        drawn = array_of(self._draw(base, shape, np.float64, where))
        found = array_of(formula(drawn, *given.values()))
        return raised(clone(plain(found)) if found is drawn else found, kind)

    method.__doc__ = f"See numpy.random.Generator.{name}; it is differentiable by its parameters."
    return _with_signature(method, name, parameters)


def _on_host(name: str) -> Any:
    parameters = HOST[name]

    def method(self: Any, *args: Any, **options: Any) -> Any:
        values, size, device = _bound(method.__signature__, self, args, options)  # type: ignore[attr-defined]
        if mode.enabled and any(t.requires_grad for t in tensors_in((values,))):
            raise TypeError(
                f"random.{name} has no derivative by its parameters, of which one requires grad. "
                "Give it x.detach()."
            )
        where = self._place(device, values)
        given = {n: on_host(v) for n, v in values.items()}
        found = getattr(self._host(), name)(**given, size=None if size is None else _sizes(size))
        return raised(_new(found, where), class_of((values,)))

    method.__doc__ = f"See numpy.random.Generator.{name}; the parameters must not require grad."
    return _with_signature(method, name, parameters)


for _name in FORMULAS:
    setattr(Generator, _name, _by_formula(_name))
for _name in HOST:
    setattr(Generator, _name, _on_host(_name))


# --------------------------------------------------------------------------- of the module


def default_rng(seed: Any = None, *, device: Any = None) -> Generator:
    """Return a new generator on a device, from a seed or from one of the operating system's."""
    if isinstance(seed, Generator):
        return seed
    if isinstance(seed, generators.Generator):
        return Generator(seed)
    made = generators.Generator(place(device))
    if seed is None:
        made.seed()
    else:
        made.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> 1))
    return Generator(made)


_default = Generator()


def seed(seed: Any = None) -> None:
    """Let the default generators of all devices start again from a seed."""
    if seed is None:
        generators.seed()
    else:
        generators.manual_seed(int(seed))


def get_state() -> Any:
    """Return where the CPU's default generator stands, as a tensor of bytes."""
    return generators.get_rng_state()


def set_state(state: Any) -> None:
    """Let the CPU's default generator stand where it once stood."""
    generators.set_rng_state(state)


def rand(*shape: int, device: Any = None) -> Any:
    """Return numbers that are even in [0, 1), of a shape that is given by its lengths."""
    return _default.random(shape, device=device)


def randn(*shape: int, device: Any = None) -> Any:
    """Return normal numbers, of a shape that is given by its lengths."""
    return _default.standard_normal(shape, device=device)


def randint(
    low: Any, high: Any = None, size: Any = None, dtype: Any = int, *, device: Any = None
) -> Any:
    """Return whole numbers that are even in [low, high)."""
    return _default.integers(low, high, size, dtype, device=device)


def random(size: Any = None, *, device: Any = None) -> Any:
    """Return numbers that are even in [0, 1)."""
    return _default.random(size, device=device)


random_sample = ranf = sample = random
_METHODS = [
    name for name, value in inspect.getmembers(Generator, callable)
    if not name.startswith("_") and name not in ("random", "integers", "spawn", "permuted")
]  # fmt: skip
globals().update({name: getattr(_default, name) for name in _METHODS})
RandomState = np.random.RandomState  # draws NumPy's own numbers, as NumPy's arrays

__all__ = sorted([
    "RandomState",
    *_METHODS, "Generator", "default_rng", "get_state", "rand", "randint", "randn", "random",
    "random_sample", "ranf", "sample", "seed", "set_state",
])  # fmt: skip
