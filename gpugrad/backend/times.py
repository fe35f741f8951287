"""Where sequences lie in memory: the rows of one time after those of the time before.

Of ``sizes[t]`` sequences there is a row at the time ``t``, and no size is larger than the one
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any


def times(sizes: Sequence[int], backwards: bool) -> list[tuple[int, int, int]]:
    """Return for each time how many sequences there are, and from where to where their rows lie."""
    found, start = [], 0
    for n in sizes:
        found.append((n, start, start + n))
        start += n
    return found[::-1] if backwards else found


def before(out: Array, first: Array, sizes: Sequence[int], backwards: bool) -> Array:
    """Return for each row of a state the state that it was computed from."""
    n = sizes[0]
    if sizes[-1] == n:
        return np.concatenate([out[n:], first] if backwards else [first, out[: len(out) - n]])
    found, state = np.empty_like(out), first.copy()
    for n, start, end in times(sizes, backwards):
        found[start:end] = state[:n]
        state[:n] = out[start:end]
    return found


class State:
    """The states of those sequences that are not over; rows are added, or are at their end."""

    def __init__(self, first: Array):
        self.first = first
        self.last = np.empty_like(first)
        self.now = first[:0]

    def of(self, n: int) -> Array:
        """Return the states of the first ``n`` sequences."""
        before = len(self.now)
        if n < before:
            self.last[n:before] = self.now[n:]
            self.now = self.now[:n]
        elif n > before:
            self.now = np.concatenate([self.now, self.first[before:n]])
        return self.now

    def end(self) -> Array:
        """Return the last states of all sequences."""
        self.last[: len(self.now)] = self.now
        return self.last
