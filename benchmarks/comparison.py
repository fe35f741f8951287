"""Peers at the same work: first their numbers are compared, then their times, taken in turns."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.peer import NAMES, REFERENCE, Peer, judge, peers
from benchmarks.rows import Row
from benchmarks.work import Array, Work
from gpugrad import backend

# relative to the largest element
TOLERANCES = {"float16": 3e-3, "float32": 1e-4, "float64": 1e-10}
SECONDS_PER_ROUND = 2e-3  # so that the clock's resolution does not matter
SECONDS = 0.3  # of a comparison, if these rounds allow it
ROUNDS = (5, 100)
SLOW = 5.0  # seconds of a round of all, of which there are only
SLOW_ROUNDS = 3


# --------------------------------------------------------------------------- right, then fast


def as_numpy(value: Any) -> Array:
    """Return a tensor of any library, an array or a number as a NumPy array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return backend.of(value).to_numpy(value) if backend.is_array(value) else np.asarray(value)


def expected(work: Work, n: int, dtype: str) -> list[Array]:
    """Return the results in float64, from inputs that ``dtype`` holds exactly."""
    arrays = work.arrays(n, dtype)
    inputs = [a if a.dtype.kind in "iu" else a.astype(np.float64) for a in arrays]
    if work.by_hand is not None:
        return [np.asarray(r) for r in work.by_hand(np, *inputs)]
    peer = judge(work, inputs)
    peer.prepare()
    return [as_numpy(r) for r in peer.run()]


def error(peer: Peer, references: Sequence[Array]) -> float:
    """Return a peer's largest error, relative to the largest element of each result."""
    peer.prepare()
    found = [as_numpy(r) for r in peer.run()]
    errors = []
    for result, reference in zip(found, references, strict=True):
        if result.shape != reference.shape:
            return float("inf")
        difference = np.max(np.abs(result - reference), initial=0)
        errors.append(float(difference / np.max(np.abs(reference), initial=1e-300)))
    return max(errors) if all(e == e for e in errors) else float("inf")


@dataclass
class Comparison:
    """The peers of one work, and how they did."""

    work: Work
    n: int
    dtype: str
    device: str
    peers: list[Peer]
    wrong: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, work: Work, n: int, dtype: str, device: str, only: Sequence[str] = tuple(NAMES)
    ) -> Comparison:
        """Return the comparison of those whose numbers are right; ``wrong`` names the others."""
        comparison = cls(work, n, dtype, device, peers(work, n, dtype, device, only))
        references = expected(work, n, dtype)
        for peer in list(comparison.peers):
            try:
                found = error(peer, references)
            except Exception as failure:
                comparison.wrong[peer.name] = f"{type(failure).__name__}: {failure}"
            else:
                if not found <= TOLERANCES[dtype]:
                    comparison.wrong[peer.name] = f"wrong by {found:.1e}"
        comparison.peers = [p for p in comparison.peers if p.name not in comparison.wrong]
        return comparison

    def take_turns(self, clock: Callable[[], float], benchmark: Any = None) -> None:
        """Fill in the seconds of every peer's rounds.

        Given pytest-benchmark's fixture, which can be used once, that times the first peer.
        """
        seconds = self._calibrate(clock)
        rounds = min(max(int(SECONDS / seconds), ROUNDS[0]), ROUNDS[1])
        rounds = rounds if seconds < SLOW else SLOW_ROUNDS
        ours, *others = self.peers
        turns = itertools.count()

        def round_of(peer: Peer) -> None:
            peer.prepare()
            start = clock()
            peer.round()
            peer.seconds.append(clock() - start)

        def rounds_of_the_others() -> None:
            first = next(turns) % max(len(others), 1)
            for peer in others[first:] + others[:first]:
                round_of(peer)
            ours.prepare()

        for peer in self.peers:
            peer.seconds = []
        if benchmark is not None:
            benchmark.pedantic(ours.round, setup=rounds_of_the_others, rounds=rounds)
            ours.seconds = list(benchmark.stats.stats.data)
            return
        for _ in range(rounds):
            rounds_of_the_others()
            round_of(ours)

    def _calibrate(self, clock: Callable[[], float]) -> float:
        """Choose the repeats of each peer, and return the seconds that a round of all takes."""
        total = 0.0
        for peer in self.peers:
            seconds = self._quickest(peer, clock)
            while not self.work.prepared and seconds < SECONDS_PER_ROUND:
                peer.repeats *= 2
                seconds = self._quickest(peer, clock)
            total += seconds
        return total

    def _quickest(self, peer: Peer, clock: Callable[[], float]) -> float:
        """Return the least seconds of three rounds, two where they are long.

        The first ones may be slow, since they compile, and say nothing of those that follow.
        """
        found: list[float] = []
        for _ in range(3):
            peer.prepare()
            start = clock()
            peer.round()
            found.append(clock() - start)
            if len(found) > 1 and min(found) > 100 * SECONDS_PER_ROUND:
                break
        return min(found)

    @property
    def reference(self) -> Peer:
        """Whom the others are compared with: PyTorch, or the last one."""
        return next((p for p in self.peers if p.name == REFERENCE), self.peers[-1])

    def row(self, question: str) -> Row:
        """Return what is kept of the rounds; the seconds are those of one operation."""
        work, compared = self.work, self.reference
        promised = self.device == "cpu" and compared.name == REFERENCE
        target = work.targets.get((self.n, self.dtype)) if promised else None
        medians = {p.name: statistics.median(p.seconds) / p.repeats for p in self.peers}
        ratios = {
            p.name: statistics.median(
                (ours / p.repeats) / (theirs / compared.repeats)
                for ours, theirs in zip(p.seconds, compared.seconds, strict=True)
            )
            for p in self.peers
        }
        return results.row(
            question, work.name, self.n, self.dtype,
            {name: seconds / work.calls for name, seconds in medians.items()},
            target=target, ratios=ratios, growth=work.growth, rounds=len(compared.seconds),
            wrong=self.wrong,
        )  # fmt: skip
