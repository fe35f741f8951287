"""Every function of the table beside PyTorch's, at two sizes, the slowest first.

    python benchmarks/table.py                 # all of them: minutes
    python benchmarks/table.py sort cumsum     # some
    python benchmarks/table.py --backward      # with the gradients of their sums

A function is called with the first of some calls that PyTorch accepts: of one, two or three arrays
of so many elements, of an array and a dimension, and so on.  The time is the least of several,
taken in turns.  What has no such call is named at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

for name in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS":
    os.environ.setdefault(name, "1")  # read when NumPy and PyTorch are imported
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np  # noqa: E402  after what it reads, as gpugrad and the folder it lies in

import gpugrad  # noqa: E402
from gpugrad.op.forms import declared_in  # noqa: E402

SIZES = 1_000, 100_000
ROUNDS, LEAST = 7, 0.002  # seconds of each round
SLOW = 0.5  # seconds of one call, which is not repeated
# What does nothing that grows with its arrays, is random, or prints.
WITHOUT = {"is_tensor", "can_cast", "result_type", "promote_types", "manual_seed", "seed"}

Library = Any
Call = Callable[[Library, Any], Any]


class Arrays:
    """The operands of calls: so many numbers between 0.5 and 1.5, in several shapes and types."""

    def __init__(self, library: Library, n: int):
        random = np.random.default_rng(0)
        side = round(n**0.5)

        def floats(*shape: int) -> Any:
            return library.tensor(random.uniform(0.5, 1.5, shape).astype(np.float32))

        self.x, self.y, self.z = floats(n), floats(n), floats(n)
        self.a, self.b = floats(side, side), floats(side, side)
        self.spd = self.a @ self.a.T + side * library.eye(side)
        self.column = floats(side)
        self.batch, self.other = floats(4, side // 2, side // 2), floats(4, side // 2, side // 2)
        self.i = library.tensor(random.integers(1, 30, n))
        self.j = library.tensor(random.integers(1, 30, n))
        self.places = library.tensor(random.integers(0, n, n))
        self.rows = library.tensor(random.integers(0, side, side))
        self.mask = library.tensor(random.uniform(size=n) < 0.5)
        self.complex = library.complex(self.x, self.y)
        self.half_spectrum = library.complex(self.x[: n // 2 + 1], self.y[: n // 2 + 1])


# In this order, so that the first that is accepted is the one that is meant.
CALLS: dict[str, Call] = {
    "x": lambda f, v: f(v.x),
    "x, y": lambda f, v: f(v.x, v.y),
    "x, y, z": lambda f, v: f(v.x, v.y, v.z),
    "x, dim": lambda f, v: f(v.x, 0),
    "matrix": lambda f, v: f(v.a),
    "definite matrix": lambda f, v: f(v.spd),
    "matrices": lambda f, v: f(v.a, v.b),
    "matrix, dim": lambda f, v: f(v.a, 0),
    "matrix, column": lambda f, v: f(v.a, v.column),
    "column, matrix, column": lambda f, v: f(v.column, v.a, v.column),
    "matrix, matrix, matrix": lambda f, v: f(v.a, v.a, v.b),
    "matrix, batch, batch": lambda f, v: f(v.batch[0], v.batch, v.other),
    "batch, batch": lambda f, v: f(v.batch, v.other),
    "batch, batch, batch": lambda f, v: f(v.batch, v.batch, v.other),
    "integers": lambda f, v: f(v.i),
    "integers, integers": lambda f, v: f(v.i, v.j),
    "x, dim, places": lambda f, v: f(v.x, 0, v.places),
    "x, dim, places, y": lambda f, v: f(v.x, 0, v.places, v.y),
    "x, places": lambda f, v: f(v.x, v.places),
    "x, mask": lambda f, v: f(v.x, v.mask),
    "x, mask, y": lambda f, v: f(v.x, v.mask, v.y),
    "list": lambda f, v: f([v.x, v.y]),
    "complex": lambda f, v: f(v.complex),
    "matrix, two dims": lambda f, v: f(v.a, 0, 1),
    "x, shape": lambda f, v: f(v.a, (v.a.shape[0] * v.a.shape[1],)),
    "x, number, number": lambda f, v: f(v.x, 0.3, 0.6),
    "order, x": lambda f, v: f(2, v.x),
}
# Where the first call that is accepted is not what is meant.
MEANT: dict[str, Call] = {
    "where": lambda f, v: f(v.mask, v.x, v.y),
    "quantile": lambda f, v: f(v.x, 0.3),
    "nanquantile": lambda f, v: f(v.x, 0.3),
    "kthvalue": lambda f, v: f(v.x, 5),
    "topk": lambda f, v: f(v.x, 10),
    "gather": lambda f, v: f(v.x, 0, v.places),
    "scatter_reduce": lambda f, v: f(v.x, 0, v.places, v.y, "sum"),
    "index_reduce": lambda f, v: f(v.x, 0, v.places, v.y, "mean"),
    "searchsorted": lambda f, v: f(v.x.sort()[0], v.y),
    "bucketize": lambda f, v: f(v.y, v.x.sort()[0]),
    "cross": lambda f, v: f(v.x[: len(v.x) // 3 * 3].reshape(-1, 3), v.y[: len(v.y) // 3 * 3]
                            .reshape(-1, 3), dim=-1),
    "einsum": lambda f, v: f("ij,kj->ik", v.a, v.b),
    "tensordot": lambda f, v: f(v.a, v.b, 1),
    "kron": lambda f, v: f(v.column, v.column),
    "outer": lambda f, v: f(v.column, v.column),
    "ger": lambda f, v: f(v.column, v.column),
    "addr": lambda f, v: f(v.a, v.column, v.column),
    "vander": lambda f, v: f(v.column, 30),
    "linalg.vander": lambda f, v: f(v.column, N=30),
    "cartesian_prod": lambda f, v: f(v.column, v.column),
    "meshgrid": lambda f, v: f(v.column, v.column, indexing="ij"),
    "combinations": lambda f, v: f(v.column),
    "diag": lambda f, v: f(v.column),
    "diagflat": lambda f, v: f(v.column),
    "diag_embed": lambda f, v: f(v.column),
    "cdist": lambda f, v: f(v.a[:, :8], v.b[:, :8]),
    "repeat_interleave": lambda f, v: f(v.x, 3),
    "tile": lambda f, v: f(v.x, (3,)),
    "roll": lambda f, v: f(v.x, 7),
    "histc": lambda f, v: f(v.x, 50, 0.5, 1.5),
    "histogram": lambda f, v: f(v.x, 50),
    "polygamma": lambda f, v: f(2, v.x),
    "special.polygamma": lambda f, v: f(2, v.x),
    "clamp": lambda f, v: f(v.x, 0.7, 1.2),
    "lerp": lambda f, v: f(v.x, v.y, 0.3),
    "pow": lambda f, v: f(v.x, v.y),
    "bmm": lambda f, v: f(v.batch, v.other),
    "matmul": lambda f, v: f(v.a, v.b),
    "isin": lambda f, v: f(v.i, v.j[:20]),
    "linalg.lstsq": lambda f, v: f(v.spd, v.b)[0],
    "linalg.solve": lambda f, v: f(v.spd, v.b),
    "cholesky_solve": lambda f, v: f(v.b, v.spd),
    "fft.irfft": lambda f, v: f(v.half_spectrum),
    "renorm": lambda f, v: f(v.a, 2, 0, 1.0),
    "linalg.matrix_power": lambda f, v: f(v.a, 3),
    "matrix_power": lambda f, v: f(v.a, 3),
    "linalg.multi_dot": lambda f, v: f([v.a, v.b, v.a]),
    "chain_matmul": lambda f, v: f(v.a, v.b, v.a),
    "unfold_copy": lambda f, v: f(v.x, 0, 3, 1),
    "gradient": lambda f, v: f(v.x)[0],
    "movedim": lambda f, v: f(v.a, 0, 1),
}  # fmt: skip


def functions() -> Iterator[tuple[str, Any, Any]]:
    """Yield the names of the functions that both libraries have, with the functions."""
    import torch

    for module in ("", "linalg", "fft", "special"):
        theirs: Any = getattr(torch, module) if module else torch
        ours: Any = getattr(gpugrad, module) if module else gpugrad
        for short in sorted(declared_in(module)):
            name = f"{module}.{short}" if module else short
            if hasattr(theirs, short) and name not in WITHOUT and not short.endswith("_"):
                yield name, getattr(theirs, short), getattr(ours, short)


def tensors_of(result: Any) -> list[Any]:
    """Return the tensors of a result."""
    if hasattr(result, "requires_grad"):
        return [result]
    if isinstance(result, list | tuple):
        return [t for r in result for t in tensors_of(r)]
    return []


def call_of(name: str, function: Any, arrays: Any) -> tuple[str, Call] | None:
    """Return a call that the function accepts, and what it is called."""
    if name in MEANT:
        return "", MEANT[name]
    for title, call in CALLS.items():
        try:
            if tensors_of(call(function, arrays)):
                return title, call
        except Exception:
            continue
    return None


def task(library: Library, function: Any, call: Call, n: int, backward: bool) -> Callable[[], Any]:
    """Return what is timed: the call, and the gradients of the sum of its first result."""
    arrays = Arrays(library, n)
    if not backward:
        return lambda: call(function, arrays)
    leaves = [t for t in vars(arrays).values() if t.is_floating_point() or t.is_complex()]
    for t in leaves:
        t.requires_grad_()

    def run() -> None:
        result = next(t for t in tensors_of(call(function, arrays)) if t.requires_grad)
        total = result.abs().sum() if result.is_complex() else result.sum()
        library.autograd.grad(total, leaves, allow_unused=True)

    return run


def least(tasks: list[Callable[[], Any]]) -> list[float]:
    """Return the least time of each task, in seconds, measured in turns."""
    counts, best = [], []
    for run in tasks:
        run()
        start = time.process_time()
        run()
        once = max(time.process_time() - start, 1e-7)
        counts.append(max(1, int(LEAST / once)))
        best.append(once)
    for _ in range(ROUNDS if max(best) < SLOW else 1):
        for k, run in enumerate(tasks):
            start = time.process_time()
            for _ in range(counts[k]):
                run()
            best[k] = min(best[k], (time.process_time() - start) / counts[k])
    return best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Every function beside PyTorch's.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--backward", action="store_true", help="with the gradients of the sum")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows, unknown, failing = [], [], []
    for name, theirs, ours in functions():
        if given.names and name not in given.names:
            continue
        found = call_of(name, theirs, Arrays(torch, SIZES[0]))
        if found is None:
            unknown.append(name)
            continue
        times = []
        try:
            for n in SIZES:
                pair = (torch, theirs), (gpugrad, ours)
                times += least([task(lib, f, found[1], n, given.backward) for lib, f in pair])
        except StopIteration:
            continue  # no result has a gradient
        except Exception as error:
            failing.append(f"{name}: {type(error).__name__}: {str(error)[:80]}")
            continue
        rows.append((times[3] / times[2], name, found[0], times))
    print(f"{'function':<36}{'call':<26}{'1e3, us':>12}{'ratio':>8}{'1e5, us':>12}{'ratio':>8}")
    for ratio, name, title, (a, b, _, d) in sorted(rows, reverse=True):
        print(f"{name:<36}{title:<26}{b * 1e6:>12.1f}{b / a:>8.2f}{d * 1e6:>12.1f}{ratio:>8.2f}")
    ratios = [row[0] for row in rows]
    print(
        f"{sum(r <= 2 for r in ratios)} of {len(ratios)} take at most twice PyTorch's time at 1e5"
    )
    if failing:
        print("raised:", *failing, sep="\n  ")
    if unknown:
        print("no call is known for:", ", ".join(unknown))


if __name__ == "__main__":
    main()
