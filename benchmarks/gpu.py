"""Is a GPU's memory as busy as it can be, does the suite pass on it, and who is faster?

    python -m benchmarks.gpu                        # at most eight minutes
    python -m benchmarks.gpu --parts bandwidth      # one of bandwidth, calls, suite, benchmarks

Everything goes into one file, ``benchmarks/results/DATE-GPU.json``, which is written anew after
each part.  Without a GPU ``HOSTCUDA_IDLE=1`` (see ``tests/hostcuda/README.md``) leaves the CPU's
part of each call, which ``--parts calls`` measures.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import gpugrad
from gpugrad import backend
from gpugrad.testing import count_kernels

try:
    import torch
except ImportError:
    torch = None

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"

SIZE = 2**26
COLUMNS = 1024
ROUNDS = 20
DTYPES = ("float32", "float16")
CALLS = 1000

Array = Any
Tensor = Any


# --------------------------------------------------------------------------- bandwidth


class Gradient(NamedTuple):
    """A backward whose time is that of its memory: how much it must move, each array once."""

    name: str
    function: Callable[..., Tensor]
    row: bool  # the second operand is a row
    operands: int
    arrays: int  # of full size, that are read or written


GRADIENTS = [
    Gradient("pow", lambda lib, x, y: x**y, False, 2, 6),  # g, x, y, out; two gradients
    Gradient("mul", lambda lib, x, y: x * y, False, 2, 5),
    Gradient("mul, row", lambda lib, x, y: x * y, True, 2, 3),  # g, x; one in full size
    Gradient("tanh", lambda lib, x: x.tanh(), False, 1, 3),
    Gradient("gelu", lambda lib, x: _gelu(lib)(x), False, 1, 3),
]


def _gelu(lib: Any) -> Callable[[Tensor], Tensor]:
    found: Callable[[Tensor], Tensor] = lib.gelu if lib is gpugrad else lib.nn.functional.gelu
    return found


FORWARDS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "sum": lambda lib, x: x.sum(),
    "mean of rows": lambda lib, x: x.mean(1),
    "sum of columns": lambda lib, x: x.sum(0),
}


def libraries() -> dict[str, Any]:
    """Return those who can be measured on CUDA."""
    found = {"gpugrad": gpugrad}
    if torch is not None and torch.cuda.is_available():
        found["PyTorch"] = torch
    return found


def seconds(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float | None]:
    """Return the median seconds by the GPU's clock, in turns; None where the clock stands still.

    All work on CUDA's default stream.
    """
    import cupy

    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + 2):
        for name, function in functions.items():
            start, stop = cupy.cuda.Event(), cupy.cuda.Event()
            start.record()
            function()
            stop.record()
            stop.synchronize()
            if number >= 2:  # the first rounds compile and allocate
                found[name].append(cupy.cuda.get_elapsed_time(start, stop) / 1e3)
    return {name: statistics.median(times) or None for name, times in found.items()}


def bandwidth(size: int = SIZE, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Return the bandwidths of gradients and sums beside those of a device copy."""
    rows: list[dict[str, Any]] = []
    for dtype in DTYPES:
        copied = _copy(size, dtype, rounds)
        found = [copied]
        found += [_gradient(gradient, size, dtype, rounds) for gradient in GRADIENTS]
        found += [_forward(name, size, dtype, rounds) for name in FORWARDS]
        for row in found:
            row["of copy"] = _ratio(row["bandwidth"], copied["bandwidth"])
        rows += found
    return rows


def _row(
    name: str, dtype: str, moved: int, times: Mapping[str, float | None], kernels: int
) -> dict[str, Any]:
    ours = times["gpugrad"]
    return {
        "name": name,
        "dtype": dtype,
        "bytes": moved,
        "kernels": kernels,
        "seconds": times,
        "bandwidth": _ratio(moved, ours),
        "PyTorch's time / ours": _ratio(times.get("PyTorch"), ours),
    }


def _ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a and b else None


def _copy(size: int, dtype: str, rounds: int) -> dict[str, Any]:
    import cupy

    source, target = cupy.ones(size, dtype), cupy.empty(size, dtype)
    times = seconds({"gpugrad": lambda: cupy.copyto(target, source)}, rounds)
    return _row("device copy", dtype, 2 * source.nbytes, times, 0)


def _matrix(size: int) -> tuple[int, int]:
    columns = min(COLUMNS, size)
    return size // columns, columns


def _numbers(shape: tuple[int, ...], dtype: str, seed: int) -> Any:
    # few different ones: drawing 2**26 of them would take most of the time
    some = np.random.default_rng(seed).uniform(0.5, 1.5, min(4099, int(np.prod(shape))))
    return np.resize(some.astype(dtype), shape)


def _gradient(gradient: Gradient, size: int, dtype: str, rounds: int) -> dict[str, Any]:
    shape = _matrix(size)
    shapes = [shape, shape[1:] if gradient.row else shape][: gradient.operands]
    values = [_numbers(s, dtype, k) for k, s in enumerate(shapes)]
    functions: dict[str, Callable[[], object]] = {}
    for name, lib in libraries().items():
        operands = [lib.tensor(v, device="cuda", requires_grad=True) for v in values]
        out = gradient.function(lib, *operands)
        functions[name] = _differentiation(lib, out, operands, lib.ones_like(out))
    with count_kernels() as launched:
        functions["gpugrad"]()
    moved = gradient.arrays * values[0].nbytes
    times = seconds(functions, rounds)
    return _row(f"{gradient.name}, backward", dtype, moved, times, launched.total)


def _differentiation(lib: Any, out: Tensor, operands: Sequence[Tensor], g: Tensor) -> Any:
    return lambda: lib.autograd.grad(out, operands, g, retain_graph=True)


def _forward(name: str, size: int, dtype: str, rounds: int) -> dict[str, Any]:
    values = _numbers(_matrix(size), dtype, 0)
    functions = {
        who: _call(FORWARDS[name], lib, lib.tensor(values, device="cuda"))
        for who, lib in libraries().items()
    }
    with count_kernels() as launched:
        functions["gpugrad"]()
    return _row(name, dtype, values.nbytes, seconds(functions, rounds), launched.total)


def _call(function: Callable[..., Tensor], *arguments: Any) -> Callable[[], Tensor]:
    return lambda: function(*arguments)


# --------------------------------------------------------------------------- calls


def calls(number: int = CALLS) -> dict[str, float]:
    """Return the microseconds of the CPU that small calls take, the best of many batches."""
    import cupy

    door: Any = backend.cuda_backend()
    float32 = np.dtype(np.float32)
    x = cupy.ones((64, 64), float32)
    formula = gpugrad.op.OPS["mul"].formula.vjp((True, True), (True,)).formula
    kernel = cupy.ElementwiseKernel(
        "float32 g, float32 x, float32 y", "float32 gx, float32 gy", "gx = g * y; gy = g * x",
        "gpugrad_benchmark",
    )  # fmt: skip
    two = (float32, float32)

    def evaluated(*arrays: Array) -> Callable[[], object]:
        return lambda: door.evaluate(formula, arrays, float32, two)

    functions: dict[str, Callable[[], object]] = {
        "gradients of mul": evaluated(x, x, x),
        "the same by an ElementwiseKernel": lambda: kernel(x, x, x),
        "gradients of mul, a row": evaluated(x, x, x[0]),
        "gradients of mul, transposed": evaluated(x, x.T, x),
        "add_all of 4": lambda: door.add_all((x, x, x, x), False),
        "sum": lambda: door.sum(x, (0, 1), False, float32),
        "the same by CuPy": lambda: x.sum(),
        "an array": lambda: cupy.ndarray((64, 64), float32),
    }
    for name, lib in libraries().items():
        functions[f"tanh, forward and backward, {name}"] = _trained(lib)
    return {name: _microseconds(f, number) for name, f in functions.items()}


def _trained(lib: Any) -> Callable[[], object]:
    x = lib.ones(64, 64, device="cuda", requires_grad=True)
    g = lib.ones(64, 64, device="cuda")
    return lambda: lib.autograd.grad(x.tanh(), x, g)


def _microseconds(function: Callable[[], object], number: int) -> float:
    function()
    best = float("inf")
    for _ in range(max(1, number // 50)):
        gpugrad.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(50):
            function()
        best = min(best, time.perf_counter() - start)
    return best / 50 * 1e6


# --------------------------------------------------------------------------- other commands


def command(arguments: Sequence[str], limit: float) -> dict[str, Any]:
    """Run pytest in a process of its own, for at most ``limit`` seconds."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.terminate()
        output, _ = process.communicate()
    return {
        "arguments": [*arguments],
        "status": process.returncode,  # negative: the time was up
        "seconds": time.perf_counter() - start,
        "last lines": output.splitlines()[-20:],
    }


def suite(limit: float, arguments: Sequence[str] = ("-m", "cuda", "tests")) -> dict[str, Any]:
    """Return what became of the tests on this device."""
    return command(arguments, limit)


def benchmarks(limit: float, arguments: Sequence[str] = ("--device", "cuda", "--full")) -> Any:
    """Return the tables of the other benchmarks."""
    name = f"unfinished-{time.time_ns()}"
    found = command(["benchmarks", *arguments, "--save", name], limit)
    file = RESULTS / f"{name}.json"
    if file.exists():
        found["results"] = json.loads(file.read_text())
        file.unlink()
    return found


# --------------------------------------------------------------------------- the file


def machine() -> dict[str, Any]:
    """Return what was measured, and with which versions."""
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties(0)
    versions = {"python": platform.python_version()}
    for package in ("numpy", "cupy-cuda12x", "cupy-cuda13x", "torch", "jax"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "gpu": properties["name"].decode(),
        "multiprocessors": properties["multiProcessorCount"],
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "versions": versions,
    }


def main(arguments: Sequence[str] | None = None) -> Path:
    """Measure what the command line asks for, and return the file with the results."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parts = ("bandwidth", "calls", "suite", "benchmarks")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--size", type=int, default=SIZE, help="elements of a large array")
    parser.add_argument("--limit", type=float, default=460, help="seconds for everything")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where the file goes")
    options = parser.parse_args(arguments)
    backend.cuda_backend()  # says what is missing
    start = time.perf_counter()
    date = datetime.date.today().isoformat()
    results: dict[str, Any] = {"date": date, "size": options.size, "machine": machine()}
    slug = re.sub(r"[^a-z0-9]+", "-", results["machine"]["gpu"].lower()).strip("-")
    file: Path = options.folder / f"{date}-{slug}.json"

    def left() -> float:
        limit: float = options.limit
        return max(1.0, limit - (time.perf_counter() - start))

    measured: dict[str, Callable[[], Any]] = {
        "bandwidth": lambda: bandwidth(options.size),
        "calls": calls,
        "suite": lambda: suite(left() * 0.6 if "benchmarks" in options.parts else left()),
        "benchmarks": lambda: benchmarks(left()),
    }
    for part in parts:
        if part in options.parts:
            results[part] = measured[part]()
            file.write_text(json.dumps(results, indent=1) + "\n")
            print(f"{part}: {time.perf_counter() - start:.0f} s, in {file}", flush=True)
    return file


if __name__ == "__main__":
    main()
