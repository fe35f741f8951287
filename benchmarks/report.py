"""Saved results as tables and plots: the page benchmarks/README.md and a part of README.md.

    python benchmarks/report.py [NAME ...]

takes the newest results of each device in benchmarks/results, or those of the given names.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
UNITS = {
    "s": [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
    "B": [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")],
}

Row = dict[str, Any]
Results = dict[str, Any]


# --------------------------------------------------------------------------- rows as cells


def with_growth(rows: Sequence[Row]) -> list[Row]:
    """Return the rows by question and work, and with each work's exponent of growth, if asked for.

    The exponent is the slope of a straight line through the logarithms of the sizes and times.
    """
    found = []
    for work in dict.fromkeys((row["question"], row["work"]) for row in rows):
        of_work = [row for row in rows if (row["question"], row["work"]) == work]
        of_work.sort(key=lambda row: (row["n"] or 0, row["dtype"] or ""))
        found += of_work
        if of_work[0]["growth"] is not None and len(of_work) > 2:
            found.append(_growth(of_work))
    return found


def _growth(rows: Sequence[Row]) -> Row:
    names = [name for name in rows[0]["medians"] if all(name in row["medians"] for row in rows)]
    x = [math.log(row["n"]) for row in rows]
    centre = sum(x) / len(x)
    exponents = {}
    for name in names:
        y = [math.log(row["medians"][name]) for row in rows]
        products = sum((a - centre) * b for a, b in zip(x, y, strict=True))
        exponents[name] = products / sum((a - centre) ** 2 for a in x)
    return rows[0] | {
        "work": f"{rows[0]['work']}: exponent of growth", "n": None, "unit": "",
        "medians": exponents, "ratios": exponents, "target": rows[0]["growth"], "growth": None,
        "wrong": {},
    }  # fmt: skip


def columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of the peers but gpugrad, the one that is compared with first."""
    names = dict.fromkeys(name for row in rows for name in [*row["medians"], *row["wrong"]])
    reference = rows[0]["reference"]
    return [reference, *(name for name in names if name not in (reference, "gpugrad"))]


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the table: what the reference takes, and the others as a ratio to it."""
    reference, *others = columns(rows)
    table = [["work", "n", "dtype", reference, "gpugrad", "target", "met", *others]]
    for row in rows:
        table.append([
            row["work"],
            f"{row['n']:,}" if row["n"] else "",
            row["dtype"] or "",
            quantity(row, reference),
            ratio(row, "gpugrad"),
            f"{row['target']:.2f}" if row["target"] else "",
            {None: "", True: "yes", False: "no"}[met(row)],
            *(ratio(row, name) for name in others),
        ])  # fmt: skip
    return table


def met(row: Row) -> bool | None:
    """Return whether gpugrad's ratio is at most the target; None where there is no target."""
    if row["target"] is None or "gpugrad" not in row["ratios"]:
        return None
    return bool(row["ratios"]["gpugrad"] <= row["target"])


def ratio(row: Row, name: str) -> str:
    """Return a peer's ratio, or an empty cell where it has none."""
    if name in row["wrong"]:
        return "wrong"
    return f"{row['ratios'][name]:.2f}" if name in row["ratios"] else ""


def quantity(row: Row, name: str) -> str:
    """Return a peer's seconds or bytes, with three digits."""
    if name not in row["medians"]:
        return ratio(row, name)
    value = row["medians"][name]
    units = UNITS.get(row["unit"])
    if units is None:
        return f"{value:.2f}"
    scale, unit = next((u for u in units if value >= u[0]), units[-1])
    digits = max(0, 2 - math.floor(math.log10(max(value / scale, 1))))
    return f"{value / scale:.{digits}f} {unit}"


def text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    table = cells(with_growth(rows))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(c.ljust(w) if k == 0 else c.rjust(w)
                  for k, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in table
    )  # fmt: skip


def regressions(rows: Sequence[Row], earlier: Mapping[Any, Row], name: str) -> str:
    """Return a line for each row that got slower since the results of that name."""
    if not rows:
        return f"Nothing got slower since {name}."
    lines = [f"Slower than in {name}, as ratios to {rows[0]['reference']}:"]
    for row in rows:
        before = earlier[row["work"], row["n"], row["dtype"]]
        lines.append(
            f"  {row['work']}, n = {row['n']:,}, {row['dtype']}: "
            f"{ratio(before, 'gpugrad')} -> {ratio(row, 'gpugrad')}"
        )
    return "\n".join(lines)


def describe(results: Results) -> str:
    """Return, in a line, the dates, the machine and the versions."""
    machine, versions = results["machine"], results["versions"]
    place = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    dates = sorted({row["date"] for row in results["rows"]})
    date = " to ".join(dict.fromkeys([dates[0], dates[-1]]))
    return f"{date}, {place}, " + ", ".join(f"{k} {v}" for k, v in versions.items())
