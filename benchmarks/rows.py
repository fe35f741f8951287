"""Rows of saved results, and what tables and plots ask of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
Results = dict[str, Any]


def with_growth(rows: Sequence[Row]) -> list[Row]:
    """Return the rows by question and work, and with each work's exponent of growth, if asked for.

    The exponent is the slope of a straight line through the logarithms of the sizes and times.
    """
    found = []
    questions = list(dict.fromkeys(row["question"] for row in rows))
    rows = sorted(rows, key=lambda row: questions.index(row["question"]))
    for work in dict.fromkeys(row["work"] for row in rows):
        of_work = [row for row in rows if row["work"] == work]
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


def met(row: Row) -> bool | None:
    """Return whether gpugrad's ratio, as printed, is at most the target; None without a target."""
    if row["target"] is None or "gpugrad" not in row["ratios"]:
        return None
    return bool(round(row["ratios"]["gpugrad"], 2) <= row["target"])
