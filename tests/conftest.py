"""What is collected: what this machine can run, in the combinations that can find something.

A test that asks for ``device`` runs on the CPU, and on CUDA where there is one;
``GPUGRAD_HOSTCUDA=1`` puts an emulated device under the real CuPy (``tests/hostcuda``).
What cannot run here is not collected; a line at the end says what that was, and why.
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the cores are taken by pytest's workers
EMULATED = os.environ.get("GPUGRAD_HOSTCUDA", "") not in ("", "0")
if EMULATED:
    import hostcuda

    hostcuda.install()  # before anything imports CuPy
pytest.register_assert_rewrite("comparison")  # before it is imported, so that it says what differs

import choice  # noqa: E402
import comparison  # noqa: E402
from gpugrad import backend  # noqa: E402
from gpugrad.backend import loops  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough", action="store_true",
        help="run every test on all samples, types and devices that it can run on: for nights",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    choice.thorough = config.getoption("thorough")
    config.stash[NOT_COLLECTED] = Counter()


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> str:
    """Return the device that a test runs on."""
    return str(request.param)


# --------------------------------------------------------------------------- what cannot run here

MARKS = ("cuda", "nvrtc", "emulated", "sources", "pytorch", "compiler")
# These cannot even be imported without what they are about.
WHOLE_FILES = {
    "test_hostcuda.py": "emulated", "test_cudnn.py": "emulated",
    "test_benchmarks.py": "sources", "test_op_db.py": "registry",
}  # fmt: skip
NOT_COLLECTED = pytest.StashKey[Counter[str]]()


@functools.cache
def missing(mark: str) -> str | None:
    """Return why tests with a mark cannot run here, ``None`` where they can."""
    if mark == "cuda":
        return backend.cuda_problem()
    if mark == "nvrtc":
        return _problem_of_nvrtc()
    if mark == "compiler":
        found = loops.frames()
        return f"formulas are not compiled: {found}" if isinstance(found, str) else None
    if mark == "emulated":
        return None if EMULATED else "no device is emulated: GPUGRAD_HOSTCUDA is not set"
    if mark == "registry":  # of PyTorch's, which imports this package
        there = importlib.util.find_spec("expecttest") is not None
        return comparison.problem() or (None if there else "expecttest is not installed")
    if mark == "sources":
        there = (Path(__file__).parent.parent / "README.md").exists()
        return None if there else "the tests run without the sources"
    return comparison.problem()


def _problem_of_nvrtc() -> str | None:
    from hostcuda import nvrtc

    try:
        nvrtc.version()
    except Exception as error:
        return f"there is no NVRTC: {error}"
    return None


def problem_of(item: pytest.Item) -> str | None:
    """Return why a test cannot run here, ``None`` where it can."""
    for mark in item.iter_markers("needs"):
        for module in mark.args:
            if importlib.util.find_spec(module) is None:
                return f"{module} is not installed"
    marks = [m for m in MARKS if item.get_closest_marker(m)]
    return next(filter(None, map(missing, marks)), None)


def uses_pytorch(item: pytest.Item) -> bool:
    """Tell whether a test, its fixtures or what they call ask for PyTorch."""
    fixtures = getattr(item, "_fixtureinfo", None)
    functions = [getattr(item, "function", None)]
    if fixtures is not None:
        functions += [d.func for found in fixtures.name2fixturedefs.values() for d in found]
    return any(map(_asks_for_pytorch, functions))


@functools.cache
def _asks_for_pytorch(function: Any) -> bool:
    reached: dict[Any, None] = {function: None}
    pending = [function]
    while pending:
        for callee in _called(pending.pop()):
            if callee is comparison.pytorch:
                return True
            if callee not in reached:
                reached[callee] = None
                pending.append(callee)
    return False


def _called(function: Any) -> Iterator[Callable[..., Any]]:
    """Return the functions of our tests that a function of them names."""
    function = inspect.unwrap(function)
    if hasattr(function, "hypothesis"):
        function = function.hypothesis.inner_test
    if isinstance(function, FunctionType):
        for name in _names(function.__code__):
            found = function.__globals__.get(name)
            if isinstance(found, FunctionType) and _OURS in found.__code__.co_filename:
                yield found


_OURS = str(Path(__file__).parent)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def pytest_itemcollected(item: pytest.Item) -> None:
    if uses_pytorch(item):
        item.add_marker("pytorch")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    mark = WHOLE_FILES.get(collection_path.name)
    problem = None if mark is None else missing(mark)
    if problem is None:
        return None
    config.stash[NOT_COLLECTED][f"in {collection_path.name}: {problem}"] += 1
    return True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    problems = list(map(problem_of, items))
    items[:] = [item for item, problem in zip(items, problems, strict=True) if problem is None]
    config.stash[NOT_COLLECTED].update(problem for problem in problems if problem is not None)


@pytest.fixture(scope="module", autouse=True)
def nothing_from_before() -> None:
    """Keep what there is from collections, and from those who look through all objects."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)  # of a worker of pytest-xdist
    if output is not None:
        found: Counter[str] = session.config.stash[NOT_COLLECTED]
        output["not collected"] = dict(found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    found = getattr(node, "workeroutput", {}).get("not collected", {})
    counts: Counter[str] = node.config.stash[NOT_COLLECTED]
    counts |= Counter(found)  # in place; each worker has collected the same


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reasons = config.stash[NOT_COLLECTED].most_common()
    if reasons:
        listed = "; ".join(
            reason if reason.startswith("in ") else f"{n} test{'s' * (n > 1)}: {reason}"
            for reason, n in reasons
        )
        terminalreporter.write_line(f"Not collected: {listed}.")
