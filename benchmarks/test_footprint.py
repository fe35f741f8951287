"""What does a library cost before it computes, and how much memory while it does?"""

from __future__ import annotations

import importlib.metadata
import os
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import gpugrad
from benchmarks import results
from benchmarks.peer import MODULES, NAMES, library
from benchmarks.rows import Row
from benchmarks.test_composition import CHAIN
from benchmarks.test_programs import COMPILED_CHAIN
from benchmarks.work import Work

ROOT = Path(__file__).parents[1]
IMPORTS = 3
IMPORT = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"

Keep = Callable[[Row], None]


@pytest.fixture(autouse=True)
def _cpu_only(request: pytest.FixtureRequest) -> None:
    if request.config.option.device != "cpu":
        pytest.skip("the same on every device, or measured on the CPU only")


@pytest.fixture
def modules(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the modules of those who are compared, by the names of the peers."""
    keys = [key for key in request.config.option.peers if key in MODULES]
    found = {NAMES[key]: MODULES[key] for key in keys if library(MODULES[key]) is not None}
    return {"gpugrad": "gpugrad", **found, "NumPy by hand": "numpy"}


def test_import_time(question: str, keep: Keep, modules: dict[str, str]) -> None:
    """The first import of each, which writes what later ones read, does not count."""
    times: dict[str, list[float]] = {name: [] for name in modules}
    for _ in range(IMPORTS + 1):
        for name, module in modules.items():
            times[name].append(float(said_by("-c", IMPORT.format(module))))

    medians = {name: statistics.median(found[1:]) for name, found in times.items()}

    keep(results.row(question, "import time", None, None, medians, target=0.10, rounds=IMPORTS))


def test_installed_size(question: str, keep: Keep, modules: dict[str, str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = Path(gpugrad.__file__).parent
    files = {path.resolve() for path in [*package.rglob("*"), *(package / "kernels").rglob("*")]}
    own = sum(size(path) for path in files)
    sizes = {"gpugrad": float(own + installed(project["dependencies"]))}
    for name, module in modules.items():
        if name not in sizes:
            sizes[name] = float(installed([module]))

    keep(results.row(question, "installed size", None, None, sizes, unit="B", target=0.10))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what a process holds")
@pytest.mark.parametrize("n", [10_000_000])
@pytest.mark.parametrize(
    ("work", "options", "target"),
    [(CHAIN, [], 1.0), (COMPILED_CHAIN, ["compiled"], 0.30)],  # of a program: its gradients alone
    ids=["eager", "compiled"],
)
def test_peak_memory(
    question: str,
    keep: Keep,
    request: pytest.FixtureRequest,
    work: Work,
    options: list[str],
    target: float,
    n: int,
) -> None:
    keys = [key for key in request.config.option.peers if key != "compile"]
    bytes_held = {}
    for key in ["gpugrad", *keys]:
        answer = said_by("-m", "benchmarks.memory", key, str(n), *options)
        if answer:
            name, held = answer.rsplit(maxsplit=1)
            bytes_held[name] = float(held)

    name = f"peak memory, {work.name}"
    keep(results.row(question, name, n, "float32", bytes_held, unit="B", target=target))


# --------------------------------------------------------------------------- how it is found out


def said_by(*arguments: str) -> str:
    """Return what Python prints, run as a user would, who has not forbidden it to write caches."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, text=True, check=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    return done.stdout.strip()


def installed(packages: Iterable[str]) -> int:
    """Return the bytes of packages and of all that they require, without compiled caches."""
    waiting, done, total = [Requirement(p) for p in packages], set[str](), 0
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if name in done or not wanted:
            continue
        done.add(name)
        found = importlib.metadata.distribution(name)
        total += sum(size(Path(str(file.locate()))) for file in found.files or ())
        waiting += [Requirement(r) for r in found.requires or ()]
    return total


def size(path: Path) -> int:
    """Return the bytes of a file that is no compiled cache."""
    return path.stat().st_size if path.is_file() and path.suffix != ".pyc" else 0
