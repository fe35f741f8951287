"""Results as a table and as a file: the medians, and on what machine they were taken.

    python -m benchmarks.report NAME

puts the saved results/NAME.json into README.md, between its benchmark marks.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gpugrad
from benchmarks.comparison import Comparison

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]


def row(comparison: Comparison) -> dict[str, Any]:
    """Return what is kept of a comparison; the seconds are those of one operation.

    The ratios are not those of the medians, but the medians of the ratios of neighbouring rounds,
    which a machine that is busy for a while disturbs less.
    """
    work = comparison.work
    return {
        "work": work.name,
        "n": comparison.n,
        "dtype": comparison.dtype,
        "seconds": {name: s / work.calls for name, s in comparison.medians().items()},
        "reference": comparison.reference.name,
        "ratios": comparison.ratios(),
        "rounds": len(comparison.peers[0].seconds),
        "wrong": comparison.wrong,
    }


def document(rows: Sequence[dict[str, Any]], device: str, clock: str) -> dict[str, Any]:
    """Return the rows with the date, the machine and the versions."""
    packages = ["numpy", "torch", "cupy-cuda12x", "cupy-cuda13x"]
    versions = {name: v for name in packages if (v := _version(name))}
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "gpu": _gpu(device)},
        "versions": {
            "python": platform.python_version(), "gpugrad": gpugrad.__version__, **versions,
        },
        "device": device,
        "threads": 1,
        "clock": clock,
        "rows": list(rows),
    }  # fmt: skip


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
    return str(runtime.getDeviceProperties(runtime.getDevice())["name"].decode())


def save(results: dict[str, Any], name: str) -> Path:
    """Write the results to ``results/NAME.json``, and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    return path


# --------------------------------------------------------------------------- tables


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the names of the peers, the one that the others are compared with first."""
    names = list(dict.fromkeys(name for r in rows for name in [*r["seconds"], *r["wrong"]]))
    reference = rows[0]["reference"]
    return [reference, *(name for name in names if name != reference)]


def cells(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the table: the time of the reference, and the others as a ratio to it."""
    reference, *others = columns(rows)
    table = [["work", "n", "dtype", reference, *others]]
    for r in rows:
        own = r["reference"] == reference
        time = _time(r["seconds"][reference]) if own else "wrong"
        ratios = [_ratio(r, name) if own else "-" for name in others]
        table.append([r["work"], f"{r['n']:,}", r["dtype"], time, *ratios])
    return table


def _ratio(row: dict[str, Any], name: str) -> str:
    return "wrong" if name in row["wrong"] else f"{row['ratios'][name]:.2f}"


def _time(seconds: float) -> str:
    unit, name = next(((u, n) for u, n in UNITS if seconds >= u), UNITS[-1])
    return f"{seconds / unit:.3g} {name}"


def text(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table for a terminal."""
    table = cells(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(c.ljust(w) if k == 0 else c.rjust(w)
                  for k, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in table
    )  # fmt: skip


def markdown(results: dict[str, Any]) -> str:
    """Return the part of README.md: ratios by size in float32, then everything else in full."""
    rows = results["rows"]
    reference, *_, by_hand = _ordered(columns(rows))
    swept = [r for r in rows if r["n"] >= 10 and r["work"] in _swept(rows)]
    sizes = sorted({r["n"] for r in swept})
    ratios = [["float32, forward + backward", *(f"n = {n:,}" for n in sizes)]]
    for work in dict.fromkeys(r["work"] for r in swept):
        found = {r["n"]: r for r in swept if r["work"] == work and r["dtype"] == "float32"}
        ratios.append([work, *(_pair(found[n], by_hand) if n in found else "" for n in sizes)])
    rest = cells([r for r in rows if r not in swept])
    return "\n".join([
        f"{describe(results)}; one thread each, medians.",
        f"gpugrad's time as a ratio to {reference}'s: below 1 is faster.",
        f"In brackets the same for {by_hand}.",
        "",
        _table(ratios, texts=(0,)),
        "",
        _table(rest, texts=(0, 2)),
    ])  # fmt: skip


def _ordered(names: Sequence[str]) -> list[str]:
    """Return the peers with the one that works by hand last."""
    return sorted(names, key=lambda name: name.endswith("by hand"))


def _swept(rows: Sequence[dict[str, Any]]) -> set[str]:
    """Return the works that were done at several sizes."""
    sizes: dict[str, set[int]] = {}
    for r in rows:
        sizes.setdefault(r["work"], set()).add(r["n"])
    return {work for work, found in sizes.items() if len(found) > 1}


def _pair(row: dict[str, Any], by_hand: str) -> str:
    return f"{_ratio(row, 'gpugrad')} ({_ratio(row, by_hand)})"


def _table(lines: Sequence[Sequence[str]], texts: Sequence[int]) -> str:
    head, *body = lines
    rule = ["---" if k in texts else "---:" for k in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *body])


def describe(results: dict[str, Any]) -> str:
    """Return, in a line, the date, the machine and the versions."""
    machine, versions = results["machine"], results["versions"]
    place = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    return f"{results['date']}, {place}, " + ", ".join(f"{k} {v}" for k, v in versions.items())


def fill(text: str, name: str) -> str:
    """Return a README with the table of the saved results."""
    results = json.loads((RESULTS / f"{name}.json").read_text())
    before, rest = text.split("<!-- benchmark -->\n")
    _, after = rest.split("<!-- end of benchmark -->")
    after = re.sub(r"benchmarks/results/[\w.-]+\.json", f"benchmarks/results/{name}.json", after)
    marks = "<!-- benchmark -->\n", "\n<!-- end of benchmark -->"
    return f"{before}{marks[0]}{markdown(results)}{marks[1]}{after}"


if __name__ == "__main__":
    README.write_text(fill(README.read_text(encoding="utf-8"), sys.argv[1]), encoding="utf-8")
