"""How near do gradients and sums come to the bandwidth of a GPU's memory?

The time of large ones is that of moving their arrays, so beside them stands a copy on the device
that moves as many bytes: what must be read and written, each array once.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gpugrad
from benchmarks import results
from benchmarks.comparison import as_numpy
from benchmarks.peer import REFERENCE, library
from benchmarks.rows import Row
from gpugrad import backend

SIZE = 2**26
COLUMNS = 1024
ROUNDS = 20
COPY = "a copy"  # of as many bytes
AHEAD = 2**30  # bytes that are copied first, while the CPU asks for what is timed
DTYPES = {"float32": 1e-5, "float16": 2e-3}  # with tolerances, relative to the largest element

Tensor = Any


@dataclass(frozen=True)
class Move:
    """A gradient or a value, and how many arrays of full size it must move."""

    name: str
    function: Callable[..., Tensor]
    operands: int
    arrays: int
    backward: bool = True
    row: bool = False  # whether the last operand is one

    def __str__(self) -> str:
        return self.name

    def numbers(self, size: int, dtype: str) -> list[np.ndarray[Any, Any]]:
        """Return the operands and, for a gradient, that of the result."""
        columns = min(COLUMNS, size)
        shapes: list[tuple[int, ...]]
        shapes = [(size // columns, columns)] * (self.operands + self.backward)
        if self.row:
            shapes[self.operands - 1] = (columns,)
        return [_numbers(shape, dtype, seed) for seed, shape in enumerate(shapes)]

    def prepared(self, lib: Any, numbers: Sequence[Any]) -> Callable[[], Sequence[Tensor]]:
        """Return what is timed: the value, or the gradients of a value that is there already."""
        tensors = [lib.tensor(a, device="cuda") for a in numbers]
        if not self.backward:
            return lambda: (self.function(lib, *tensors),)
        *operands, g = tensors
        out = self.function(lib, *[x.requires_grad_() for x in operands])
        return lambda: lib.autograd.grad(out, operands, g, retain_graph=True)


def _numbers(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray[Any, Any]:
    # few different ones: drawing 2**26 of them would take most of the time
    some = np.random.default_rng(seed).uniform(0.5, 1.5, min(4099, math.prod(shape)))
    return np.resize(some.astype(dtype), shape)


def gelu(lib: Any, x: Tensor) -> Tensor:
    return lib.gelu(x) if lib is gpugrad else lib.nn.functional.gelu(x)


MOVES = [
    Move("gradients of pow", lambda lib, x, y: x**y, 2, 6),  # g, x, y, out; and two gradients
    Move("gradients of mul", lambda lib, x, y: x * y, 2, 5),
    Move("gradients of mul by a row", lambda lib, x, y: x * y, 2, 3, row=True),
    Move("gradient of tanh", lambda lib, x: x.tanh(), 1, 3),
    Move("gradient of gelu", gelu, 1, 3),
    Move("sum of all", lambda lib, x: x.sum(), 1, 1, backward=False),
    Move("mean of each row", lambda lib, x: x.mean(1), 1, 1, backward=False),
    Move("sum of each column", lambda lib, x: x.sum(0), 1, 1, backward=False),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("move", MOVES, ids=str)
def test_bandwidth(
    question: str,
    keep: Callable[[Row], None],
    request: pytest.FixtureRequest,
    move: Move,
    dtype: str,
) -> None:
    if request.config.option.device != "cuda":
        pytest.skip("a question about GPUs")
    numbers = move.numbers(SIZE, dtype)
    functions = {name: move.prepared(lib, numbers) for name, lib in libraries().items()}
    agree([function() for function in functions.values()], DTYPES[dtype])
    times = seconds(functions | {COPY: copy(move.arrays * numbers[0].nbytes)})
    if 0 in times.values():
        pytest.skip("this device has no clock: it is emulated")

    keep(results.row(question, move.name, SIZE, dtype, times, rounds=ROUNDS))


@functools.cache
def libraries() -> dict[str, Any]:
    """Return those who can be measured on CUDA."""
    torch = library("torch")
    able = torch is not None and torch.cuda.is_available()
    return {"gpugrad": gpugrad} | ({REFERENCE: torch} if able else {})


def agree(found: Sequence[Sequence[Tensor]], tolerance: float) -> None:
    """Check that all computed the same numbers."""
    first, *others = [[as_numpy(t).astype(np.float32) for t in tensors] for tensors in found]
    for tensors in others:
        for one, other in zip(first, tensors, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.max(np.abs(other)))


def copy(moved: int) -> Callable[[], object]:
    """Return the function that copies half as many bytes: it reads them and writes them."""
    cupy = backend.cuda_backend().xp
    source, target = cupy.ones(moved // 2, np.uint8), cupy.empty(moved // 2, np.uint8)
    return lambda: cupy.copyto(target, source)


def seconds(
    functions: Mapping[str, Callable[[], object]], rounds: int = ROUNDS, ahead: int = AHEAD
) -> dict[str, float]:
    """Return the median seconds by the GPU's clock, of rounds in turns; on the default stream.

    The GPU has something to do while the CPU asks for what is timed: the CPU's time does not count.
    """
    cuda = backend.cuda_backend().xp.cuda
    busy = copy(2 * ahead)
    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + 2):
        for name, function in functions.items():
            start, stop = cuda.Event(), cuda.Event()
            busy()
            start.record()
            function()
            stop.record()
            stop.synchronize()
            if number >= 2:  # the first rounds compile and allocate
                found[name].append(cuda.get_elapsed_time(start, stop) / 1e3)
    return {name: statistics.median(times) for name, times in found.items()}
