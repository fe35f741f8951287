"""Random numbers on the CPU, drawn from NumPy's PCG64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, ...]

LARGE = 1024  # elements; from here on NumPy's vector units are faster than its normal numbers


class Source:
    """A stream of random numbers that a seed begins.

    Its ``state`` says where it stands, as bytes.
    """

    SIZE = 37  # bytes of a state: two numbers of 128 bits, and half of a drawn number

    def __init__(self, seed: int):
        self.begin(seed)

    def begin(self, seed: int) -> None:
        """Begin the stream of another seed, or the same again."""
        self._generator = np.random.Generator(np.random.PCG64(seed))

    @property
    def state(self) -> bytes:
        """Where the stream stands; what was read before may be set again."""
        known: Any = self._generator.bit_generator.state
        numbers = known["state"]["state"], known["state"]["inc"]
        words = [n.to_bytes(16, "little") for n in numbers]
        words += [int(known["has_uint32"]).to_bytes(1, "little")]
        words += [int(known["uinteger"]).to_bytes(4, "little")]
        return b"".join(words)

    @state.setter
    def state(self, state: bytes) -> None:
        first, second, *rest = state[:16], state[16:32], state[32:33], state[33:]
        value, step, half, word = (int.from_bytes(b, "little") for b in (first, second, *rest))
        self._generator.bit_generator.state = {
            "bit_generator": "PCG64", "state": {"state": value, "inc": step},
            "has_uint32": half, "uinteger": word,
        }  # fmt: skip

    def uniform(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return numbers of [0, 1), of 32 or 64 bits."""
        return self._generator.random(shape, dtype)

    def normal(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return numbers of the standard normal distribution, of 32 or 64 bits."""
        count = math.prod(shape)
        if count < LARGE or dtype.itemsize > 4:
            return self._generator.standard_normal(shape, dtype)
        return self._pairs(-(-count // 2)).reshape(-1)[:count].reshape(shape)

    def _pairs(self, count: int) -> Array:
        """Return two rows of normal numbers, points of a plane by their distances and angles.

        Source: G. Box and M. Muller, "A note on the generation of random normal deviates", Annals
        of Mathematical Statistics, 1958.
        """
        distance, angle = self._generator.random((2, count), np.float32)
        np.log(np.subtract(1, distance, out=distance), out=distance)
        distance *= np.float32(-2)
        np.sqrt(distance, out=distance)
        angle *= np.float32(2 * math.pi)
        found = np.empty((2, count), np.float32)
        np.cos(angle, out=found[0])
        np.sin(angle, out=found[1])
        found *= distance
        return found

    def permutation(self, shape: Shape) -> Array:
        """Return the indices along the last axis in orders that are drawn, as int64."""
        indices = np.arange(shape[-1])
        if len(shape) == 1:
            return self._generator.permutation(indices)
        return self._generator.permuted(np.broadcast_to(indices, shape), axis=-1)

    def integers(self, low: int, high: int, shape: Shape) -> Array:
        """Return integers of [low, high), as int64."""
        return self._generator.integers(low, high, shape)

    def poisson(self, rates: Array) -> Array:
        """Return how often something happens that does so at a rate, as float64."""
        return np.asarray(self._generator.poisson(rates), np.float64)

    def binomial(self, counts: Array, chances: Array) -> Array:
        """Return how many of some attempts succeed, as float64."""
        found = self._generator.binomial(counts.astype(np.int64), chances)
        return np.asarray(found, np.float64)
