"""Random numbers that are written into a tensor."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype
from gpugrad.backend.batched import levels_of
from gpugrad.graph import TensorBase
from gpugrad.op import public
from gpugrad.op.generator import Generator, by_example, examples, source
from gpugrad.ops.chance import chosen, chosen_each
from gpugrad.ops.draw import bound, check_floating, check_range, drawn
from gpugrad.ops.inplace import check_writable, fill_with, zeroed
from gpugrad.ops.shape import broadcast_to

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


@functools.cache
def _zeroed_as(node: str) -> Any:
    return zeroed.named(node)


def _written(self: Any, node: str, make: Callable[[Shape], Array]) -> Any:
    """Write what ``make`` returns for a shape, of which each example of ``vmap`` has its own.

    Raises:
        RuntimeError: The tensor may not be written, or has no memory for each example.
    """
    check_writable(self)
    levels = examples()
    known = levels_of(self._array)
    if any(level not in known for level in levels):
        raise RuntimeError(
            "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will "
            "appear like same randomness. If this is necessary for your usage, please file an "
            "issue with functorch."
        )
    with backend.at(backend.of(self._array).device_of(self._array)):
        array = make((*(level.size for level in levels), *self._array.shape))
    return fill_with(self, by_example(array, levels), _zeroed_as(node))


def _kind(self: Any) -> dtype:
    return _dtype.of(self._array.dtype)


def _wide(kind: dtype) -> dtype:
    """Return the type in which numbers of a floating point or complex type are computed."""
    return _dtype.float32 if kind.itemsize < 4 else kind


def _even(self: Any, generator: Any, function: str) -> Callable[[Shape], tuple[Array, Any]]:
    """Return what draws evenly from [0, 1), in the type in which numbers for a tensor are made."""
    here = backend.of(self._array).device_of(self._array)
    stream = source(generator, here, function)
    kind = _kind(self)
    single = kind.is_floating_point and kind.itemsize < 8
    wide = np.dtype(np.float32 if single else np.float64)

    def draw(shape: Shape) -> tuple[Array, Any]:
        array = stream.uniform(shape, wide)
        return array, backend.of(array).xp

    return draw


def _number(function: str, name: str, value: Any, place: int) -> float:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, TensorBase) and not value._array.ndim:
        return float(backend.of(value._array).item(value._array))
    raise TypeError(
        f"{function}(): argument '{name}' (position {place}) must be float, not "
        f"{type(value).__name__}"
    )


def _continuous(self: Any, title: str, name: Callable[[dtype], str]) -> None:
    """Raise for a tensor that is not of floating point.

    Raises:
        RuntimeError: It is not.
    """
    kind = _kind(self)
    if not kind.is_floating_point:
        raise RuntimeError(
            f"{title} distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {name(kind)}"
        )


@public(function=False)
def uniform_(
    self: Tensor, from_: Any = 0, to: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill the tensor with numbers drawn evenly from [from_, to).

    Raises:
        NotImplementedError: It is of integers or truth values.
        RuntimeError: There are no such numbers.
    """
    low, high = _number("uniform_", "from", from_, 1), _number("uniform_", "to", to, 2)
    kind = _kind(self)
    check_floating(kind, "check_uniform_bounds")
    real = kind.to_real()
    most = float(_dtype.limits(real.numpy).max)
    for name, value in ("from", low), ("to", high):
        if not -most <= value <= most:
            raise RuntimeError(f"{name} is out of bounds for {real.c_name}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > most:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{real.title}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )
    here = backend.of(self._array).device_of(self._array)
    source(generator, here, "uniform_")

    def make(shape: Shape) -> Array:
        array = drawn("uniform", shape, kind, here, generator)
        if (low, high) == (0, 1):
            return array
        door = backend.of(array)
        if array.dtype.itemsize < 4:
            array = door.astype(array, _wide(kind).numpy)
        scalar = array.dtype.type
        array *= scalar(high - low)
        array += scalar(complex(low, low) if kind.is_complex else low)
        if kind.is_complex:
            return array
        if kind.itemsize < 4:  # rounds once more where it is written
            array = door.astype(array, kind.numpy)
        last = kind.numpy.type(high)
        return door.xp.where(array < last, array, kind.numpy.type(low)) if low < high else array

    return _written(self, "UniformBackward0", make)


@public(function=False)
def normal_(
    self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill the tensor with numbers of a normal distribution.

    Raises:
        NotImplementedError: It is of integers or truth values.
        RuntimeError: The deviation is negative.
    """
    mean, std = _number("normal_", "mean", mean, 1), _number("normal_", "std", std, 2)
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    kind = _kind(self)
    check_floating(kind, "normal_kernel_cpu")
    here = backend.of(self._array).device_of(self._array)
    source(generator, here, "normal_")

    def make(shape: Shape) -> Array:
        array = drawn("normal", shape, _wide(kind), here, generator)
        if (mean, std) != (0, 1):
            array *= array.dtype.type(std)
            array += array.dtype.type(mean)
        return array

    return _written(self, "NormalBackward0", make)


@public(function=False)
def log_normal_(
    self: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None
) -> Tensor:
    """Fill the tensor with numbers whose logarithms are of a normal distribution.

    Raises:
        NotImplementedError: It is not of floating point.
        RuntimeError: The deviation is not positive.
    """
    mean, std = _number("log_normal_", "mean", mean, 1), _number("log_normal_", "std", std, 2)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    kind = _kind(self)
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"log_normal_cpu\" not implemented for '{kind.title}'")
    here = backend.of(self._array).device_of(self._array)
    source(generator, here, "log_normal_")

    def make(shape: Shape) -> Array:
        array = drawn("normal", shape, _wide(kind), here, generator)
        with np.errstate(over="ignore"):
            array *= array.dtype.type(std)
            array += array.dtype.type(mean)
            return backend.of(array).xp.exp(array)

    return _written(self, "LogNormalBackward0", make)


@public(function=False)
def exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with numbers of an exponential distribution.

    Raises:
        RuntimeError: It is not of floating point, or the rate is not positive.
    """
    _continuous(self, "Exponential", lambda kind: kind.title)
    rate = _number("exponential_", "lambd", lambd, 1)
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    draw = _even(self, generator, "exponential_")

    def make(shape: Shape) -> Array:
        array, xp = draw(shape)
        return xp.log1p(-array) * array.dtype.type(-1 / rate)

    return _written(self, "ExponentialBackward0", make)


@public(function=False)
def cauchy_(
    self: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill the tensor with numbers of a Cauchy distribution.

    Raises:
        RuntimeError: It is not of floating point, or the width is not positive.
    """
    _continuous(self, "Cauchy", lambda kind: kind.c_name)
    median, sigma = _number("cauchy_", "median", median, 1), _number("cauchy_", "sigma", sigma, 2)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    draw = _even(self, generator, "cauchy_")

    def make(shape: Shape) -> Array:
        array, xp = draw(shape)
        scalar = array.dtype.type
        return xp.tan((array - scalar(0.5)) * scalar(math.pi)) * scalar(sigma) + scalar(median)

    return _written(self, "CauchyBackward0", make)


@public(function=False)
def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with how many attempts it takes until one succeeds, with probability ``p``.

    Raises:
        NotImplementedError: It is complex, or of truth values.
        RuntimeError: There is no such probability, or there are no attempts.
    """
    p = _number("geometric_", "p", p, 1)
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    kind = _kind(self)
    if kind.is_complex or kind is _dtype.bool_:
        raise NotImplementedError(f"\"geometric_cpu\" not implemented for '{kind.title}'")
    draw = _even(self, generator, "geometric_")
    known = _dtype.limits(kind.numpy) if kind.is_floating_point else np.iinfo(kind.numpy)

    def make(shape: Shape) -> Array:
        array, xp = draw(shape)
        attempts = xp.ceil(xp.log1p(-array) * array.dtype.type(1 / math.log1p(-p)))
        return xp.clip(attempts, 1, float(known.max) if kind.itemsize < 8 else None)

    return _written(self, "GeometricBackward0", make)


@public(function=False)
def random_(
    self: Tensor, *bounds: Any, to: int | None = None, generator: Generator | None = None
) -> Tensor:
    """Fill the tensor with integers drawn evenly: ``random_(to)`` from those of [0, to).

    ``random_(from, to)`` begins elsewhere.  Without an end they are all that the type has, of
    floating point all up to the last one after which one is missing.

    Raises:
        NotImplementedError: It is complex.
        RuntimeError: There are no such integers, or the type does not hold them.
    """
    kind = _kind(self)
    if len(bounds) > 2 or (len(bounds) == 2 and to is not None):
        raise TypeError("random_() takes a beginning and an end")
    node, low, high = "RandomBackward1", 0, to
    if len(bounds) == 1 and to is None:
        high = bounds[0]
    elif bounds:
        node, low, high = "RandomBackward0", bounds[0], to if len(bounds) == 1 else bounds[1]
    if high is None:
        node = node if bounds else "RandomBackward2"
        if kind.is_complex:
            raise NotImplementedError(f"\"random_kernel_cpu\" not implemented for '{kind.title}'")
        if kind.is_floating_point:
            high = 2 ** (_dtype.limits(kind.numpy).nmant + 1) + 1
        else:
            high = 2 if kind is _dtype.bool_ else int(np.iinfo(kind.numpy).max) + 1
    low, high = bound("random_", "from", low, 1), bound("random_", "to", high, 2)
    check_range(low, high, kind)
    here = backend.of(self._array).device_of(self._array)
    stream = source(generator, here, "random_")
    return _written(self, node, lambda shape: stream.integers(low, high, shape))


@public(function=False)
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill the tensor with ones, with probability ``p`` or those in a tensor, and zeros.

    Raises:
        NotImplementedError: It is complex, or the probabilities are not of floating point.
        RuntimeError: There are no such probabilities.
    """
    kind = _kind(self)
    here = backend.of(self._array).device_of(self._array)
    if not isinstance(p, TensorBase):
        chance = _number("bernoulli_", "p", p, 1)
        if kind.is_complex:
            raise NotImplementedError(
                f"\"bernoulli_scalar_cpu_\" not implemented for '{kind.title}'"
            )
        return _written(
            self, "BernoulliBackward2",
            lambda shape: chosen(shape, chance, here, generator, kind.numpy),
        )  # fmt: skip
    if kind.is_complex:
        raise NotImplementedError(
            f"\"bernoulli_tensor_cpu_self_\" not implemented for '{kind.title}'"
        )
    check_writable(self, p)
    chances = broadcast_to(cast("Tensor", p), *self._array.shape)
    found = chosen_each(chances._array, generator)
    return fill_with(self, found, _zeroed_as("BernoulliBackward1"))
