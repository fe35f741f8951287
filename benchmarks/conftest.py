"""How benchmarks are run: every peer in turns, in one process, on one thread.

pytest-benchmark times gpugrad; before each of its rounds the others have one of their own, so that
whatever disturbs the machine disturbs all.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
if "numpy" in sys.modules and any(os.environ.get(name) != "1" for name in THREADS):
    raise pytest.UsageError(
        f"NumPy is loaded, and its threads can no longer be limited: set {'=1 '.join(THREADS)}=1"
    )
os.environ.update(dict.fromkeys(THREADS, "1"))  # read when NumPy and PyTorch are imported
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

from benchmarks import report, results  # noqa: E402
from benchmarks.comparison import Comparison  # noqa: E402
from benchmarks.peer import NAMES, library  # noqa: E402
from benchmarks.rows import Row  # noqa: E402
from benchmarks.work import LARGE, Work  # noqa: E402
from gpugrad import backend, set_num_threads  # noqa: E402

# The processor's time is that of a quiet machine; what a GPU does is not in it.
CLOCKS = {"cpu": time.process_time, "cuda": time.perf_counter}
TRIES = 3  # of what seems to have become slower

ROWS = pytest.StashKey[list[Row]]()
EARLIER = pytest.StashKey[dict[Any, Row]]()
SAVED = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gpugrad")
    group.addoption("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute")
    group.addoption(
        "--full", action="store_true", help="also the largest sizes and torch.compile: minutes more"
    )
    group.addoption(
        "--peers", type=_peers, metavar="KEYS", help=f"whom to compare with: {','.join(NAMES)}"
    )
    group.addoption("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    group.addoption(
        "--against", metavar="NAME", help="tell what got slower since benchmarks/results/NAME.json"
    )


def _peers(text: str) -> list[str]:
    keys = text.split(",")
    for key in keys:
        if key not in NAMES:
            raise argparse.ArgumentTypeError(f"{key} is none of {', '.join(NAMES)}")
    return keys


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.option.benchmark_quiet = True  # our table stands in for that of pytest-benchmark
    config.stash[ROWS] = []
    config.stash[EARLIER] = {}
    if config.option.device == "cuda":
        problem = backend.cuda_problem()
        if problem is not None:
            raise pytest.UsageError(f"--device cuda: {problem}")
    if config.option.peers is None:
        without = [] if config.option.full else ["compile"]
        config.option.peers = [key for key in NAMES if key not in without]
    set_num_threads(1)
    if {"torch", "compile"} & {*config.option.peers} and library("torch") is not None:
        library("torch").set_num_threads(1)
    if config.option.against is not None:
        try:
            earlier = results.load(config.option.against)
        except ValueError as error:
            raise pytest.UsageError(f"--against: {error}") from None
        if earlier["device"] != config.option.device:
            raise pytest.UsageError(f"--against: these are results of {earlier['device']}")
        config.stash[EARLIER] = {results.key(row): row for row in earlier["rows"]}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    large = [] if config.option.full else [i for i in items if _size(i) >= LARGE]
    config.hook.pytest_deselected(items=large)
    items[:] = [i for i in items if i not in large]
    # Long graphs come last: large arrays of later works would fit into the heap that they leave,
    # and those who else ask the system for fresh memory would seem fast.
    items.sort(key=_is_long)
    for item in items:
        item.add_marker(pytest.mark.benchmark(timer=CLOCKS[config.option.device]))
        # Peers may be behind NumPy's and Python's deprecations.
        item.add_marker(pytest.mark.filterwarnings("default"))


def _size(item: pytest.Item) -> int:
    return int(item.callspec.params.get("n", 0)) if hasattr(item, "callspec") else 0


def _is_long(item: pytest.Item) -> bool:
    work = item.callspec.params.get("work") if hasattr(item, "callspec") else None
    return work is not None and work.growth is not None


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """Return the question that a file answers: the first line of its docstring."""
    return str(request.module.__doc__).partition("\n")[0]


def document(config: pytest.Config, rows: Sequence[Row]) -> dict[str, Any]:
    """Return rows of this run as they are saved."""
    device = config.option.device
    return results.document(rows, device, CLOCKS[device].__name__, config.option.peers)


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Return a function that puts a row into the table and, with ``--save``, into the file."""

    def kept(row: Row) -> None:
        config = request.config
        config.stash[ROWS].append(row)
        if config.option.save:
            config.stash[SAVED] = str(results.save(document(config, [row]), config.option.save))

    return kept


@pytest.fixture
def compare(
    request: pytest.FixtureRequest,
    benchmark: Any,
    question: str,
    keep: Callable[[Row], None],
) -> Callable[[Work, int, str], None]:
    """Return a function that checks and times a work, of size n and in a dtype."""

    def measure(work: Work, n: int, dtype: str) -> None:
        config = request.config
        clock = CLOCKS[config.option.device]
        comparison = Comparison.of(work, n, dtype, config.option.device, config.option.peers)
        if "gpugrad" in comparison.wrong:
            pytest.fail(f"gpugrad: {comparison.wrong['gpugrad']}")
        comparison.take_turns(clock, benchmark)
        row = comparison.row(question)
        earlier = config.stash[EARLIER].get(results.key(row))
        for _ in range(TRIES - 1):
            if not results.slower(row, earlier):
                break
            comparison.take_turns(clock)
            row = min(row, comparison.row(question), key=lambda row: row["ratios"]["gpugrad"])
        benchmark.group = work.name
        benchmark.extra_info.update(
            row, device=config.option.device, repeats=comparison.peers[0].repeats
        )
        keep(row)

    return measure


def regressions(config: pytest.Config) -> list[Row]:
    """Return the rows that are slower than those of ``--against``."""
    earlier = config.stash[EARLIER]
    return [r for r in config.stash[ROWS] if results.slower(r, earlier.get(results.key(r)))]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and regressions(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    terminalreporter.section("medians")
    terminalreporter.write_line(report.describe(document(config, rows)))
    terminalreporter.write_line(report.text(rows))
    if config.option.against is not None:
        earlier, found = config.stash[EARLIER], regressions(config)
        terminalreporter.write_line(
            "\n" + report.regressions(found, earlier, config.option.against)
        )
    if SAVED in config.stash:
        terminalreporter.write_line(f"\nSaved as {config.stash[SAVED]}")
