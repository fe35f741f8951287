"""The same work by gpugrad, by hand and by PyTorch: checked, and timed in turns.

A :class:`Work` says what is computed: once with PyTorch's names, which are also gpugrad's, and once
by hand with the array library alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import gpugrad
from gpugrad import backend

try:
    import torch as torch
except ImportError:
    torch = None

Array = Any
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}  # relative to the largest element
SECONDS_PER_ROUND = 2e-3  # so that the clock's resolution does not matter


@dataclass(frozen=True)
class Work:
    """What is computed, by everyone.

    ``inputs(n, random)`` returns NumPy arrays, of which the first ``leaves`` require gradients.
    ``automatic(lib, *tensors)`` and ``by_hand(xp, *arrays)`` return the same numbers in the same
    order.  ``prepared(lib, *tensors)``, where given, runs first and is not timed; what it returns
    is the only operand of ``automatic``.  ``.grad`` is emptied before each call, unless
    ``keeps_grad``.
    """

    name: str
    inputs: Callable[[int, np.random.Generator], Sequence[Array]]
    leaves: int
    automatic: Callable[..., Sequence[Any]]
    by_hand: Callable[..., Sequence[Any]]
    prepared: Callable[..., Any] | None = None
    keeps_grad: bool = False
    calls: int = 1  # how many operations it consists of, for the time of one

    def __str__(self) -> str:
        return self.name


class Peer:
    """One of those who do the work."""

    def __init__(
        self,
        name: str,
        run: Callable[[], Sequence[Any]],
        wait: Callable[[], object],
        prepare: Callable[[], object],
    ):
        self.name = name
        self.run = run
        self.wait = wait  # until the device has finished
        self.prepare = prepare  # untimed, before each round
        self.repeats = 1
        self.seconds: list[float] = []

    def round(self) -> None:
        """Do the work as often as a round asks for."""
        for _ in range(self.repeats):
            self.run()
        self.wait()


def peers(work: Work, n: int, dtype: str, device: str) -> list[Peer]:
    """Return those who can do the work on the device, gpugrad first, each with inputs of its own.

    The numbers are the same for all, and the same every time.
    """
    inputs = [a.astype(dtype) for a in work.inputs(n, np.random.default_rng(n))]
    door = backend.of_device(gpugrad.device(device))
    arrays = [door.from_numpy(a, gpugrad.device(device)) for a in inputs]
    wait = gpugrad.cuda.synchronize if device == "cuda" else _nothing
    hand = "CuPy" if device == "cuda" else "NumPy"
    found = [
        _automatic("gpugrad", gpugrad, work, inputs, device, wait),
        Peer(f"{hand} by hand", lambda: work.by_hand(door.xp, *arrays), wait, _nothing),
    ]
    if torch is not None and (device == "cpu" or torch.cuda.is_available()):
        wait = torch.cuda.synchronize if device == "cuda" else _nothing
        found.append(_automatic("PyTorch", torch, work, inputs, device, wait))
    return found


def _nothing() -> None:
    pass


def _automatic(
    name: str,
    lib: Any,
    work: Work,
    inputs: Sequence[Array],
    device: str,
    wait: Callable[[], object],
) -> Peer:
    tensors = [lib.tensor(a, device=device) for a in inputs]
    leaves = [t.requires_grad_() for t in tensors[: work.leaves]]
    emptied = [] if work.keeps_grad else leaves
    operands = tensors

    def prepare() -> None:
        nonlocal operands
        if work.prepared is not None:
            operands = [work.prepared(lib, *tensors)]

    def run() -> Sequence[Any]:
        for leaf in emptied:
            leaf.grad = None
        return work.automatic(lib, *operands)

    return Peer(name, run, wait, prepare)


# --------------------------------------------------------------------------- right, then fast


def as_numpy(value: Any) -> Array:
    """Return a tensor of either library, an array or a number as a NumPy array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return backend.of(value).to_numpy(value) if backend.is_array(value) else np.asarray(value)


def expected(work: Work, n: int, dtype: str) -> list[Array]:
    """Return the results in float64, from inputs that ``dtype`` holds exactly."""
    inputs = [a.astype(dtype).astype(np.float64) for a in work.inputs(n, np.random.default_rng(n))]
    return [np.asarray(r) for r in work.by_hand(np, *inputs)]


def error(peer: Peer, references: Sequence[Array]) -> float:
    """Return a peer's largest error, relative to the largest element of each result."""
    peer.prepare()
    results = [as_numpy(r) for r in peer.run()]
    errors = []
    for result, reference in zip(results, references, strict=True):
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
    wrong: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Work, n: int, dtype: str, device: str) -> Comparison:
        """Return the comparison of those whose numbers are right; ``wrong`` names the others."""
        comparison = cls(work, n, dtype, device, peers(work, n, dtype, device))
        references = expected(work, n, dtype)
        for peer in list(comparison.peers):
            found = error(peer, references)
            if not found <= TOLERANCES[dtype]:
                comparison.wrong[peer.name] = found
                comparison.peers.remove(peer)
        return comparison

    def calibrate(self, clock: Callable[[], float]) -> float:
        """Choose the repeats of each peer, and return the seconds that a round of all takes."""
        total = 0.0
        for peer in self.peers:
            seconds = self._quickest(peer, clock)
            while self.work.prepared is None and seconds < SECONDS_PER_ROUND:
                peer.repeats *= 2
                seconds = self._quickest(peer, clock)
            total += seconds
        return total

    def _quickest(self, peer: Peer, clock: Callable[[], float]) -> float:
        """Return the least seconds of three rounds: the first ones may be slow."""
        found = []
        for _ in range(3):
            peer.prepare()
            start = clock()
            peer.round()
            found.append(clock() - start)
            if found[0] > 100 * SECONDS_PER_ROUND:
                break
        return min(found)

    @property
    def reference(self) -> Peer:
        """Whom the others are compared with: PyTorch, or what is written by hand, or ourselves."""
        return self.peers[-1]

    def ratios(self) -> dict[str, float]:
        """Return the median ratios to the reference, of rounds that were neighbours."""
        compared = self.reference
        return {
            p.name: statistics.median(
                (ours / p.repeats) / (theirs / compared.repeats)
                for ours, theirs in zip(p.seconds, compared.seconds, strict=True)
            )
            for p in self.peers
        }

    def medians(self) -> dict[str, float]:
        """Return the median seconds that each peer takes for the work once."""
        return {p.name: statistics.median(p.seconds) / p.repeats for p in self.peers}
