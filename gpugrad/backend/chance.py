"""Random numbers on the CPU, drawn from NumPy's PCG64."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, ...]


class Source:
    """A stream of random numbers that a seed begins.

    Its ``state`` says where it stands, as bytes.
    """

    SIZE = 37  # bytes of a state: two numbers of 128 bits, and half of a drawn number

    def __init__(self, seed: int):
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
        return self._generator.standard_normal(shape, dtype)

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
