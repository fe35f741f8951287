"""Train a small network, check its gradient, and tell how long a step takes.

    python -m gpugrad --device auto --steps 500

The network is that of PyTorch's tutorials: 64 examples of 1000 numbers, 100 hidden units, 10
outputs, plain gradient descent on the squared error.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import numpy as np

import gpugrad
from gpugrad import Tensor, backend
from gpugrad.backend import loops

EXAMPLES, INPUTS, HIDDEN, OUTPUTS = 64, 1000, 100, 10
LEARNING_RATE = 1e-6

PROBED = 50  # steps with one BLAS thread
WORTH_SAYING = 0.8  # of the time of a step

DIRECTIONS = 5
STEP = 1e-5  # of the differences, in a space where the weights are about 300 from 0
TOLERANCE = 1e-5


class Network:
    """Random data, random weights and the squared error of what the weights make of the data."""

    def __init__(self, device: str, dtype: gpugrad.dtype):
        def draw(*size: int) -> Tensor:
            return gpugrad.randn(*size, device=device, dtype=dtype)

        self.x, self.y = draw(EXAMPLES, INPUTS), draw(EXAMPLES, OUTPUTS)
        self.w1 = draw(INPUTS, HIDDEN).requires_grad_()
        self.w2 = draw(HIDDEN, OUTPUTS).requires_grad_()

    def loss(self, w1: Tensor, w2: Tensor) -> Tensor:
        """Return the sum of the squared errors that some weights make."""
        y_pred = self.x.mm(w1).clamp(min=0).mm(w2)
        return (y_pred - self.y).pow(2).sum()

    def descend(self) -> None:
        """Move the weights against their gradients, and clear these."""
        with gpugrad.no_grad():
            for w in (self.w1, self.w2):
                assert w.grad is not None
                w -= LEARNING_RATE * w.grad
                w.grad.zero_()


class Clock:
    """The seconds and the kernels that each part of a step takes.

    A GPU works on after Python has moved on: it is waited for at the end of each part.
    """

    def __init__(self, device: str):
        self.device = device
        self.seconds: dict[str, list[float]] = {}
        self.kernels: dict[str, int] = {}  # of the last step; empty on the CPU
        self.start()

    def start(self) -> None:
        """Begin a part."""
        if self.device == "cuda":
            gpugrad.cuda.synchronize()
        self._launches = self._launched()
        self._time = time.perf_counter()

    def lap(self, part: str) -> None:
        """End a part, and begin the next."""
        if self.device == "cuda":
            gpugrad.cuda.synchronize()
            self.kernels[part] = self._launched() - self._launches
        self.seconds.setdefault(part, []).append(time.perf_counter() - self._time)
        self.start()

    def _launched(self) -> int:
        if self.device == "cpu":
            return 0
        from gpugrad.kernels import launches

        return launches.total


# --------------------------------------------------------------------------- the three parts


def train(network: Network, steps: int, clock: Clock) -> float:
    """Train the network, printing the loss every 100 steps, and return the last loss."""
    numbers, write = progress(steps)
    for t in numbers:
        clock.start()
        loss = network.loss(network.w1, network.w2)
        clock.lap("forward")
        if t % 100 == 99:
            write(f"Loss of Epoch {t:d}: \t{loss.item():f}")
        clock.start()
        loss.backward()
        clock.lap("backward")
        network.descend()
        clock.lap("update")
    return float(loss.item())


def progress(steps: int) -> tuple[Iterable[int], Callable[[str], object]]:
    """Return the numbers of the steps, behind a progress bar on a terminal, and how to print."""
    if sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ImportError:
            pass
        else:
            return tqdm(range(steps), desc="training", unit="step", leave=False), tqdm.write
    return range(steps), print


def gradient_errors(network: Network) -> list[float]:
    """Return the relative errors of the loss's slope in random directions of the weights.

    The slope is once the gradient times the direction, once a central difference, in float64.
    The weights are moved a little first: training may end on a kink of clamp, and there the loss
    has no derivative.
    """
    network.x, network.y = network.x.double(), network.y.double()
    trained = (network.w1.detach().double(), network.w2.detach().double())
    weights = [(w + 1e-3 * gpugrad.randn_like(w)).requires_grad_() for w in trained]
    gradients = gpugrad.autograd.grad(network.loss(*weights), weights)
    errors = []
    for _ in range(DIRECTIONS):
        direction = [gpugrad.randn_like(w) for w in weights]
        scale = STEP / inner(direction, direction) ** 0.5
        with gpugrad.no_grad():
            ahead = network.loss(*(w + scale * d for w, d in zip(weights, direction, strict=True)))
            behind = network.loss(*(w - scale * d for w, d in zip(weights, direction, strict=True)))
        expected = scale * inner(gradients, direction)
        found = float(ahead - behind) / 2
        errors.append(abs(found - expected) / max(abs(found), abs(expected)))
    return errors


def inner(xs: Sequence[Tensor], ys: Sequence[Tensor]) -> float:
    """Return the inner product of two lists of tensors."""
    return sum(float((x * y).sum()) for x, y in zip(xs, ys, strict=True))


# --------------------------------------------------------------------------- threads


class Blas:
    """The threads with which NumPy multiplies matrices; not known where that is not OpenBLAS."""

    def __init__(self) -> None:
        numpy = sys.modules["numpy._core._multiarray_umath"].__file__
        library = ctypes.CDLL(numpy)  # names are also found in what it needs
        for name in "scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads":
            if hasattr(library, name.format("get")):
                self._get = getattr(library, name.format("get"))
                self._set = getattr(library, name.format("set"))
                return
        self._get = self._set = None

    @property
    def threads(self) -> int | None:
        """How many there are."""
        return None if self._get is None else int(self._get())

    @contextmanager
    def limited(self, threads: int) -> Iterator[None]:
        """Multiply with so many threads while the block runs."""
        before = self._get()
        self._set(threads)
        try:
            yield
        finally:
            self._set(before)


def time_of_a_step(clock: Clock) -> float:
    """Return the median seconds of a step."""
    return sum(median(seconds) for seconds in clock.seconds.values())


def hint(blas: Blas, clock: Clock, dtype: gpugrad.dtype) -> str | None:
    """Return what to do where a step takes less time with one BLAS thread, on the CPU."""
    if clock.device != "cpu" or blas.threads in (None, 1):
        return None
    alone = Clock("cpu")
    with blas.limited(1):
        train(Network("cpu", dtype), PROBED, alone)
    before, after = time_of_a_step(clock), time_of_a_step(alone)
    if after > WORTH_SAYING * before:
        return None
    return (
        f"With one BLAS thread a step takes {1e3 * after:.3f} ms instead of {1e3 * before:.3f}: "
        "the matrices are small, or the cores are busy. Set OMP_NUM_THREADS=1 before Python starts."
    )


# --------------------------------------------------------------------------- what is printed


def devices(blas: Blas) -> list[str]:
    """Return lines for each kind of device: its array library, or what is missing."""
    lines = [f"cpu    NumPy {np.__version__}"]
    if blas.threads is not None:
        cores = "core" if (n := os.cpu_count() or 1) == 1 else "cores"
        lines[0] += f", {blas.threads} BLAS thread{'s' * (blas.threads > 1)}, {n} {cores}"
    lines.append(f"loops  {loops.described()}")
    problem = backend.cuda_problem()
    if problem is not None:
        return [*lines, f"cuda   none. {problem}"]
    xp = backend.cuda_backend().xp
    runtime = xp.cuda.runtime
    version = runtime.runtimeGetVersion()
    gpus = [
        runtime.getDeviceProperties(k)["name"].decode() for k in range(gpugrad.cuda.device_count())
    ]
    cuda_version = f"CUDA {version // 1000}.{version % 1000 // 10}"
    return [*lines, f"cuda   CuPy {xp.__version__}, {cuda_version}, {', '.join(gpus)}"]


def report(clock: Clock, steps: int) -> None:
    """Print the time of a step and, on CUDA, how many kernels it launches."""
    parts = ", ".join(f"{part} {1e3 * median(s):.3f}" for part, s in clock.seconds.items())
    of = "one step" if steps == 1 else f"median of {steps} steps"
    print(f"Time per step: {1e3 * time_of_a_step(clock):.3f} ms ({of}): {parts}")
    if clock.kernels:
        parts = ", ".join(f"{part} {n}" for part, n in clock.kernels.items())
        print(f"Kernels per step: {sum(clock.kernels.values())}: {parts}")


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""

    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text} is no number of steps: give 1 or more")
        return int(text)

    parser = argparse.ArgumentParser(
        "python -m gpugrad",
        description="Train a small network, check its gradient, and tell how long a step takes.",
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto",
                        help="auto takes a GPU where there is one")  # fmt: skip
    parser.add_argument("--steps", type=count, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 if the check fails, 2 without the device."""
    options = arguments(argv)
    problem = backend.cuda_problem() if options.device != "cpu" else "not asked for"
    if options.device == "cuda" and problem is not None:
        print(f"python -m gpugrad --device cuda: {problem}", file=sys.stderr)
        return 2
    device = "cpu" if problem is not None else "cuda"

    print(f"gpugrad {gpugrad.__version__}, Python {platform.python_version()}")
    blas = Blas()
    print(*devices(blas), sep="\n")
    print(
        f"\nTraining {EXAMPLES} x {INPUTS} -> {HIDDEN} -> {OUTPUTS} on {device}, {options.dtype}, "
        f"{options.steps} steps, seed {options.seed}"
    )
    gpugrad.manual_seed(options.seed)
    network = Network(device, getattr(gpugrad, options.dtype))
    clock = Clock(device)
    loss = train(network, options.steps, clock)
    print(f"Last loss: {loss:.6g}")

    print(f"\nGradient of the trained loss, against central differences in {DIRECTIONS} directions")
    errors = gradient_errors(network)
    passed = all(error <= TOLERANCE for error in errors)  # not where one is nan
    print("Relative errors:", ", ".join(f"{error:.1e}" for error in errors))
    print(f"{'PASS' if passed else 'FAIL'}: {'at most' if passed else 'more than'} {TOLERANCE:g}\n")

    report(clock, options.steps)
    if advice := hint(blas, clock, getattr(gpugrad, options.dtype)):
        print(advice)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
