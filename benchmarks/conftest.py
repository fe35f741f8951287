"""How benchmarks are run: every peer in turns, in one process, on one thread.

pytest-benchmark times gpugrad; before each of its rounds the others have one of their own, so that
whatever disturbs the machine disturbs all.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
if "numpy" in sys.modules and any(os.environ.get(name) != "1" for name in THREADS):
    raise pytest.UsageError(
        f"NumPy is loaded, and its threads can no longer be limited: set {'=1 '.join(THREADS)}=1"
    )
os.environ.update(dict.fromkeys(THREADS, "1"))  # read when NumPy and PyTorch are imported

from benchmarks import report  # noqa: E402
from benchmarks.comparison import Comparison, Work, torch  # noqa: E402
from gpugrad import backend  # noqa: E402

if torch is not None:
    torch.set_num_threads(1)

# The processor's time is that of a quiet machine; what a GPU does is not in it.
CLOCKS = {"cpu": time.process_time, "cuda": time.perf_counter}
LARGE = 1_000_000  # needs --full
ROUNDS = (7, 100)
SECONDS = 0.5  # of a comparison, if these rounds allow it

ROWS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gpugrad")
    group.addoption("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute")
    group.addoption("--full", action="store_true", help="also the largest sizes: minutes more")
    group.addoption("--save", metavar="NAME", help="write benchmarks/results/NAME.json")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.option.benchmark_quiet = True  # our table stands in for that of pytest-benchmark
    config.stash[ROWS] = []
    if config.getoption("device") == "cuda":
        problem = backend.cuda_problem()
        if problem is not None:
            raise pytest.UsageError(f"--device cuda: {problem}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    large = [] if config.getoption("full") else [i for i in items if _size(i) >= LARGE]
    config.hook.pytest_deselected(items=large)
    items[:] = [i for i in items if i not in large]
    for item in items:
        item.add_marker(pytest.mark.benchmark(timer=CLOCKS[config.getoption("device")]))


def _size(item: pytest.Item) -> int:
    return int(item.callspec.params.get("n", 0)) if hasattr(item, "callspec") else 0


@pytest.fixture
def compare(request: pytest.FixtureRequest, benchmark: Any) -> Callable[[Work, int, str], None]:
    """Return a function that checks and times a work, of size n and in a dtype."""

    def measure(work: Work, n: int, dtype: str) -> None:
        device = request.config.getoption("device")
        comparison = Comparison.of(work, n, dtype, device)
        if "gpugrad" in comparison.wrong:
            pytest.fail(f"gpugrad's numbers are wrong by {comparison.wrong['gpugrad']:.1e}")
        time_in_turns(comparison, benchmark, CLOCKS[device])
        found = report.row(comparison)
        benchmark.group = work.name
        benchmark.extra_info.update(found, device=device, repeats=comparison.peers[0].repeats)
        request.config.stash[ROWS].append(found)

    return measure


def time_in_turns(comparison: Comparison, benchmark: Any, clock: Callable[[], float]) -> None:
    """Fill in the seconds of every peer's rounds."""
    rounds = int(SECONDS / comparison.calibrate(clock))
    ours, *others = comparison.peers
    turns = itertools.count()

    def rounds_of_the_others() -> None:
        first = next(turns) % max(len(others), 1)
        for peer in others[first:] + others[:first]:
            peer.prepare()
            start = clock()
            peer.round()
            peer.seconds.append(clock() - start)
        ours.prepare()

    rounds = min(max(rounds, ROUNDS[0]), ROUNDS[1])
    benchmark.pedantic(ours.round, setup=rounds_of_the_others, rounds=rounds)
    ours.seconds = list(benchmark.stats.stats.data)
    for peer in others:
        del peer.seconds[rounds:]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    device = config.getoption("device")
    results = report.document(rows, device, CLOCKS[device].__name__)
    reference, *_ = report.columns(rows)
    terminalreporter.section("medians")
    terminalreporter.write_line(report.describe(results))
    terminalreporter.write_line(f"The time of {reference}, and the others' as a ratio to it.\n")
    terminalreporter.write_line(report.text(rows))
    name = config.getoption("save")
    if name:
        terminalreporter.write_line(f"\nSaved as {report.save(results, name)}")
