"""Saved results as tables and plots: the page benchmarks/README.md and a part of README.md.

    python benchmarks/report.py [NAME ...]

takes the newest results of each device in benchmarks/results, or those of the given names.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parent))

from benchmarks.rows import Results, Row, met, with_growth  # noqa: E402

UNITS = {
    "s": [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
    "B": [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")],
}


# --------------------------------------------------------------------------- rows as cells


def columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of the peers but gpugrad, the one that is compared with first."""
    names = dict.fromkeys(name for row in rows for name in [*row["medians"], *row["wrong"]])
    reference = rows[0]["reference"]
    return [reference, *(name for name in names if name not in (reference, "gpugrad"))]


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the table: what the reference takes, and the others as a ratio to it."""
    reference, *others = columns(rows)
    return [
        ["work", "n", "dtype", reference, "gpugrad", "target", "met", *others],
        *(
            [
                row["work"],
                f"{row['n']:,}" if row["n"] else "",
                row["dtype"] or "",
                quantity(row, reference),
                ratio(row, "gpugrad"),
                f"{row['target']:.2f}" if row["target"] else "",
                {None: "", True: "yes", False: "no"}[met(row)],
                *(ratio(row, name) for name in others),
            ]
            for row in rows
        ),
    ]


def ratio(row: Row, name: str) -> str:
    """Return a peer's ratio, or an empty cell where it has none."""
    if name in row["wrong"]:
        return "wrong"
    if name not in row["ratios"]:
        return ""
    value = row["ratios"][name]
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"


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


# --------------------------------------------------------------------------- pages


def page(results: Results, name: str) -> str:
    """Return the generated part of benchmarks/README.md that is about one device."""
    rows = with_growth(results["rows"])
    promised = [met(row) for row in rows if met(row) is not None]
    parts = [
        f"## {title(results)}",
        f"{describe(results)}; one thread each, medians.\nThe numbers are those of "
        f"[{name}.json](results/{name}.json).",
        f"![Ratios by size](plots/{name}-sizes.svg)",
    ]
    if promised:
        parts += [
            f"{sum(map(bool, promised))} of {len(promised)} targets are met.",
            f"![Ratios and targets of all works](plots/{name}-targets.svg)",
        ]
    for question in dict.fromkeys(row["question"] for row in rows):
        of_question = [row for row in rows if row["question"] == question]
        parts += [f"### {question}", table(cells(of_question), texts=(0, 2, 6))]
    wrong = [
        f"- {peer}, {row['work']}, n = {row['n']:,}, {row['dtype']}: {reason}"
        for row in rows
        for peer, reason in row["wrong"].items()
    ]
    wrong += [f"- {peer}: {reason}" for peer, reason in results["missing"].items()]
    if wrong:
        parts.append("Not timed:\n\n" + "\n".join(wrong))
    return "\n\n".join(parts)


def title(results: Results) -> str:
    """Return what the rows of a device stand under."""
    return {"cpu": "On the CPU", "cuda": "On CUDA"}[results["device"]]


def summary(results: Results, name: str) -> str:
    """Return what README.md says of a device: a table by size, and a line for each other work."""
    rows = [row for row in with_growth(results["rows"]) if _first_dtype(row, results["rows"])]
    sizes: dict[str, set[int]] = {}
    for row in rows:
        sizes.setdefault(row["work"], set()).add(row["n"])
    most = max(map(len, sizes.values()))
    swept = [row for row in rows if most > 1 and len(sizes[row["work"]]) == most]
    rest = [row for row in rows if row not in swept]
    reference, *_, by_hand = columns(rows)
    parts = [
        f"### {title(results)}",
        f"{describe(results)}; one thread each, medians.\n"
        f"gpugrad's time as a ratio to {reference}'s: below 1 is faster.\n"
        f"In brackets the same for {by_hand}.\nThe numbers are those of "
        f"[this run](benchmarks/results/{name}.json).",
    ]
    ns = sorted({row["n"] for row in swept})
    lines = [["forward + backward", *(f"n = {n:,}" for n in ns)]]
    for work in dict.fromkeys(row["work"] for row in swept):
        found = {row["n"]: row for row in swept if row["work"] == work}
        lines.append([work, *(_pair(found[n], by_hand) if n in found else "" for n in ns)])
    if swept:
        parts.append(table(lines, texts=(0,)))
    lines = [["work", "n", reference, "gpugrad"]]
    for work in dict.fromkeys(row["work"] for row in rest):
        of_work = [row for row in rest if row["work"] == work]
        lines.append([
            work,
            " / ".join(f"{row['n']:,}" for row in of_work if row["n"]),
            " / ".join(quantity(row, reference) for row in of_work),
            " / ".join(_pair(row, by_hand) for row in of_work),
        ])  # fmt: skip
    parts.append(table(lines, texts=(0,)))
    return "\n\n".join(parts)


def _first_dtype(row: Row, rows: Iterable[Row]) -> bool:
    """Return whether a row has the least wide dtype in which its work was done."""
    dtypes = [r["dtype"] for r in rows if r["work"] == row["work"] and r["dtype"]]
    return not dtypes or bool(row["dtype"] == min(dtypes))


def _pair(row: Row, by_hand: str) -> str:
    other = ratio(row, by_hand)
    return f"{ratio(row, 'gpugrad')} ({other})" if other else ratio(row, "gpugrad")


def table(lines: Sequence[Sequence[str]], texts: Sequence[int]) -> str:
    """Return a table in Markdown; ``texts`` are the columns that are no numbers."""
    head, *body = lines
    rule = ["---" if k in texts else "---:" for k in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *body])


def fill(text: str, generated: str) -> str:
    """Return a page with what is between its marks replaced."""
    before, rest = text.split("<!-- benchmark -->\n")
    _, after = rest.split("<!-- end of benchmark -->")
    return f"{before}<!-- benchmark -->\n{generated}\n<!-- end of benchmark -->{after}"


def pages(names: Sequence[str]) -> dict[Path, str]:
    """Return the texts of both pages, made of the saved results of some names."""
    found = {name: load(name) for name in names}
    paths = FOLDER / "README.md", FOLDER.parent / "README.md"
    generated = (
        "\n\n".join(made(r, name) for name, r in found.items()) for made in (page, summary)
    )
    return {
        path: fill(path.read_text(encoding="utf-8"), part)
        for path, part in zip(paths, generated, strict=True)
    }


def load(name: str) -> Results:
    """Return the saved results of that name."""
    path = FOLDER / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def newest() -> list[str]:
    """Return the names of the newest results of each device, the CPU first."""
    found: dict[str, tuple[str, str]] = {}
    for path in (FOLDER / "results").glob("*.json"):
        results = load(path.stem)
        latest = max(row["date"] for row in results["rows"])
        found[results["device"]] = max(found.get(results["device"], ("", "")), (latest, path.stem))
    return [found[device][1] for device in sorted(found)]


if __name__ == "__main__":
    from benchmarks import plot

    chosen = sys.argv[1:] or newest()
    for path, text_of_page in pages(chosen).items():
        path.write_text(text_of_page, encoding="utf-8")
    for name in chosen:
        plot.draw(load(name), name)
