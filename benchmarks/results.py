"""What is kept of a run: a JSON file of rows, with the machine and the versions."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gpugrad
from benchmarks.peer import MODULES, NAMES, REFERENCE, problem
from benchmarks.rows import Row

FOLDER = Path(__file__).parent / "results"
PACKAGES = [
    "numpy", "torch", "jax", "autograd", "mygrad", "cupy-cuda12x", "cupy-cuda13x",
]  # fmt: skip
NOISE = 1.15  # ratios repeat within 10 to 15 per cent


def row(
    question: str,
    work: str,
    n: int | None,
    dtype: str | None,
    medians: Mapping[str, float],
    *,
    unit: str = "s",
    target: float | None = None,
    ratios: Mapping[str, float] | None = None,
    growth: float | None = None,
    rounds: int = 1,
    wrong: Mapping[str, str] | None = None,
) -> Row:
    """Return what is kept of one measurement.

    The ratios are those to PyTorch, or to the last peer.  Given ones are not the ratios of the
    medians, but the medians of the ratios of neighbouring rounds, which a machine that is busy for
    a while disturbs less.
    """
    reference = REFERENCE if REFERENCE in medians else list(medians)[-1]
    if ratios is None:
        ratios = {name: value / medians[reference] for name, value in medians.items()}
    return {
        "question": question, "work": work, "n": n, "dtype": dtype, "unit": unit,
        "medians": dict(medians), "reference": reference, "ratios": dict(ratios),
        "target": target, "growth": growth, "rounds": rounds, "wrong": dict(wrong or {}),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }  # fmt: skip


def key(row: Row) -> tuple[Any, ...]:
    """Return what a row has in common with that of another run."""
    return row["work"], row["n"], row["dtype"]


def document(
    rows: Sequence[Row], device: str, clock: str, peers: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the rows with the machine, the versions, and why which of the peers is missing.

    The peers are keys of ``peer.NAMES``; those that nobody asked for are not imported.
    """
    missing = {
        NAMES[key]: why for key in peers if key in MODULES and (why := problem(MODULES[key]))
    }
    return {
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "gpu": _gpu(device)},
        "versions": {
            "python": platform.python_version(), "gpugrad": gpugrad.__version__,
            **{name: v for name in PACKAGES if (v := _version(name))},
        },
        "missing": missing,
        "device": device,
        "threads": 1,
        "clock": clock,
        "rows": list(rows),
    }  # fmt: skip


def load(name: str) -> dict[str, Any]:
    """Return the saved results of that name.

    Raises:
        ValueError: There are none; the error lists those that there are.
    """
    try:
        return json.loads(_path(name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except FileNotFoundError:
        names = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json"))) or "none"
        raise ValueError(f"no results are called {name}; there are: {names}") from None


def save(results: dict[str, Any], name: str) -> Path:
    """Write the results to ``results/NAME.json``, and return the path.

    Rows of an earlier part of the run stay, unless they were measured again.

    Raises:
        ValueError: The file is of another machine, device or version.
    """
    path = _path(name)
    if path.exists():
        earlier = load(name)
        for part in ("machine", "versions", "device", "clock"):
            if earlier[part] != results[part]:
                raise ValueError(
                    f"{path} has another {part}: {earlier[part]}, and this run has "
                    f"{results[part]}. Save under another name."
                )
        rows = {key(r): r for r in earlier["rows"]} | {key(r): r for r in results["rows"]}
        missing = earlier["missing"] | results["missing"]
        results = results | {"rows": list(rows.values()), "missing": missing}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def slower(row: Row, earlier: Row | None) -> bool:
    """Return whether gpugrad's ratio is above that of an earlier run by more than the noise."""
    if earlier is None or row["reference"] != earlier["reference"]:
        return False
    before = earlier["ratios"].get("gpugrad")
    return before is not None and row["ratios"]["gpugrad"] > NOISE * before


def _path(name: str) -> Path:
    return FOLDER / f"{name}.json"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _gpu(device: str) -> str | None:
    if device == "cpu":
        return None
    from gpugrad import backend

    runtime = backend.cuda_backend().xp.cuda.runtime
    name = runtime.getDeviceProperties(runtime.getDevice())["name"].decode()
    try:
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        driver = subprocess.run(asked, text=True, check=True, stdout=subprocess.PIPE).stdout
    except (OSError, subprocess.CalledProcessError):
        return str(name)
    return f"{name}, driver {driver.split()[0]}"
