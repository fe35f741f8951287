"""Numbers for samples: drawn in a domain, the same at each call."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
Draw = Callable[[Shape, int], Array]  # of a shape and a seed


def _generator(shape: Shape, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, *shape))


def uniform(low: float, high: float) -> Draw:
    """Draw between two numbers."""
    return lambda shape, seed: np.asarray(_generator(shape, seed).uniform(low, high, shape))


def lattice(offset: float, reach: int = 20) -> Draw:
    """Draw multiples of 0.1 plus an offset: two lattices keep their distance, and from 0."""
    return lambda shape, seed: np.asarray(
        _generator(shape, seed).integers(-reach, reach, shape) * 0.1 + offset
    )


def signed(low: float, high: float) -> Draw:
    """Draw a size between two numbers and a sign."""

    def draw(shape: Shape, seed: int) -> Array:
        generator = _generator(shape, seed)
        return np.asarray(generator.uniform(low, high, shape) * generator.choice((-1, 1), shape))

    return draw


def distinct(shape: Shape, seed: int = 0) -> Array:
    """Draw numbers of which no two are close, none of them close to 0."""
    count = math.prod(shape)
    values = (np.arange(count) - count // 2 + 0.4) * (4 / max(count, 1))
    return _generator(shape, seed).permutation(values).reshape(shape)


def whole(low: int, high: int) -> Draw:
    """Draw integers below ``high``."""
    return lambda shape, seed: np.asarray(_generator(shape, seed).integers(low, high, shape))


def truth(shape: Shape, seed: int = 0) -> Array:
    """Draw truth values."""
    return np.asarray(_generator(shape, seed).integers(0, 2, shape) == 1)


def around(draw: Draw, imaginary: Draw | None = None) -> Draw:
    """Draw complex numbers, their parts by one or two draws."""
    return lambda shape, seed: np.asarray(
        draw(shape, seed) + 1j * (imaginary or draw)(shape, seed + 100)
    )


ANY = uniform(-2, 2)


POSITIVE = uniform(0.3, 3)


AWAY = signed(0.4, 2)  # from 0


PLANE = around(AWAY)


RIGHT = around(POSITIVE, ANY)  # of the imaginary axis
