"""Saved results as pictures: ratios by size, and all ratios beside their targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
mpl.rcParams["svg.hashsalt"] = "gpugrad"  # the same picture is the same file

import matplotlib.pyplot as plt  # noqa: E402

from benchmarks.rows import Results, Row, met, with_growth  # noqa: E402

FOLDER = Path(__file__).parent / "plots"

# Okabe and Ito 2008, "Color universal design": colours that the colour-blind tell apart.
COLORS = {
    "gpugrad": "#D55E00",
    "PyTorch": "#000000",
    "PyTorch compiled": "#999999",
    "JAX": "#0072B2",
    "HIPS autograd": "#009E73",
    "MyGrad": "#CC79A7",
    "NumPy by hand": "#56B4E9",
    "CuPy by hand": "#56B4E9",
}
MET, MISSED = COLORS["JAX"], COLORS["gpugrad"]
PANELS_PER_ROW = 4


def draw(results: Results, name: str) -> list[Path]:
    """Write the plots of saved results, and return their paths."""
    FOLDER.mkdir(exist_ok=True)
    figures = {"sizes": sizes(results)}
    if any(met(row) is not None for row in results["rows"]):
        figures["targets"] = targets(results)
    paths = {kind: FOLDER / f"{name}-{kind}.svg" for kind in figures}
    for kind, figure in figures.items():
        figure.savefig(paths[kind], facecolor="white", metadata={"Date": None})
        plt.close(figure)
    return list(paths.values())


def sizes(results: Results) -> Any:
    """Return a figure with a panel for each work that was done at three sizes or more."""
    panels = [rows for rows in _by_work(results["rows"]) if len(rows) > 2]
    height = math.ceil(max(len(panels), 1) / PANELS_PER_ROW)
    figure, axes = plt.subplots(
        height, PANELS_PER_ROW, figsize=(11, 2.5 * height + 0.6), squeeze=False, sharey=True,
        layout="constrained",
    )  # fmt: skip
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax, rows in zip(axes.flat, panels, strict=False):
        _panel(ax, rows)
    lines = {line.get_label(): line for ax in figure.axes for line in ax.get_lines()}
    lines = {label: lines[label] for label in [*COLORS, "target"] if label in lines}
    figure.legend(
        lines.values(), lines.keys(), loc="outside lower center", ncols=8, frameon=False, fontsize=9
    )
    figure.supylabel(f"ratio to {results['rows'][0]['reference']}, below 1 is faster", fontsize=10)
    return figure


def _panel(ax: Any, rows: Sequence[Row]) -> None:
    reference = rows[0]["reference"]
    ax.axhline(1, color=COLORS.get(reference), linewidth=1, label=reference)
    for name, color in COLORS.items():
        points = [(row["n"], row["ratios"][name]) for row in rows if name in row["ratios"]]
        if not points or name == reference:
            continue
        ours = name == "gpugrad"
        ax.plot(
            *zip(*points, strict=True), color=color, label=name, marker="o",
            linewidth=2.2 if ours else 1.1, markersize=5 if ours else 3, zorder=3 if ours else 2,
        )  # fmt: skip
    promised = [(row["n"], row["target"]) for row in rows if row["target"] is not None]
    if promised:
        ax.plot(
            *zip(*promised, strict=True), color=COLORS["gpugrad"], label="target", linestyle="",
            marker="_", markersize=14, markeredgewidth=1.6, zorder=4,
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([row["n"] for row in rows])
    ax.minorticks_off()
    ax.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    ax.set_title(rows[0]["work"], fontsize=9)
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.25, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)


def targets(results: Results) -> Any:
    """Return a figure with a line for each work and size that has a target."""
    grouped = _by_work(with_growth(results["rows"]))
    rows = [row for rows in grouped for row in rows if met(row) is not None]
    questions = list(dict.fromkeys(row["question"] for row in rows))
    places = [k + questions.index(row["question"]) for k, row in enumerate(rows)]  # gaps between
    found = [row["ratios"]["gpugrad"] for row in rows]
    wanted = [row["target"] for row in rows]
    colors = [MET if met(row) else MISSED for row in rows]

    figure, ax = plt.subplots(figsize=(9, 0.19 * places[-1] + 1.5), layout="constrained")
    ax.axvline(1, color=COLORS["PyTorch"], linewidth=1)
    ax.hlines(places, wanted, found, colors=colors, linewidth=1.2, alpha=0.5)
    for color, marker, label in (
        (MET, "o", "gpugrad, target met"), (MISSED, "X", "gpugrad, target missed"),
    ):  # fmt: skip
        points = [(x, y) for x, y, c in zip(found, places, colors, strict=True) if c == color]
        if points:
            ax.plot(*zip(*points, strict=True), marker, color=color, markersize=6, label=label)
    ax.plot(wanted, places, "|", color="black", markersize=9, markeredgewidth=1.8, label="target")
    ax.set_yticks(places, [_label(row) for row in rows], fontsize=8)
    ax.set_ylim(places[-1] + 1, -1)
    ax.set_xscale("log")
    low, high = min(*wanted, *found) / 1.2, max(*wanted, *found) * 1.2
    ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5) if low <= t <= high]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.25, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel(f"ratio to {rows[0]['reference']}, below 1 is faster")
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, frameon=False, fontsize=9)
    return figure


def _label(row: Row) -> str:
    return f"{row['work']}, n = {row['n']:,}" if row["n"] else row["work"]


def _by_work(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each work by size, in its least wide dtype."""
    works: dict[str, list[Row]] = {}
    for row in rows:
        works.setdefault(row["work"], []).append(row)
    found = []
    for of_work in works.values():
        dtype = min(row["dtype"] or "" for row in of_work)
        narrow = [row for row in of_work if (row["dtype"] or "") == dtype]
        found.append(sorted(narrow, key=lambda row: row["n"] or 0))
    return found
