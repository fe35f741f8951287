"""Do the benchmarks compare right results, and would they notice a wrong one?"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks import (  # noqa: E402
    report,
    results,
    test_composition,
    test_derivatives,
    test_graph,
    test_networks,
    test_operations,
    test_overhead,
    test_training,
)
from benchmarks.comparison import SECONDS_PER_ROUND, TOLERANCES, Comparison, error, expected  # noqa: E402
from benchmarks.peer import NAMES, Peer, peers  # noqa: E402
from benchmarks.rows import Row, met, with_growth  # noqa: E402
from benchmarks.work import Work, by_size, gradients  # noqa: E402

FILES = [
    test_composition, test_derivatives, test_graph, test_networks, test_operations, test_overhead,
    test_training,
]  # fmt: skip
FEW = 2


def smallest(work: Work) -> int:
    """Return a size that takes no time: the operations have matrices of certain sizes only."""
    least = min(n for n, _ in work.targets)
    return least if work in test_operations.WORKS else min(FEW, least)


CASES = [
    (work, dtype, smallest(work))
    for module in FILES
    for work in module.WORKS
    for dtype in dict.fromkeys(dtype for _, dtype in work.targets)
]
QUICK = [key for key in NAMES if key != "compile"]
MUL = next(work for work in test_operations.WORKS if work.name == "mul")


@pytest.mark.parametrize(("work", "dtype", "n"), CASES, ids=str)
def test_every_peer_computes_the_same_numbers(work: Work, dtype: str, n: int, device: str) -> None:
    references = expected(work, n, dtype)

    errors = {p.name: error(p, references) for p in peers(work, n, dtype, device, QUICK)}

    assert "gpugrad" in errors
    assert work.by_hand is None or len(errors) > 1
    assert max(errors.values()) <= TOLERANCES[dtype], errors


@pytest.mark.parametrize(
    ("work", "dtype", "n"), [case for case in CASES if "step" not in case[0].name], ids=str
)
def test_a_second_round_computes_what_the_first_did(work: Work, dtype: str, n: int) -> None:
    references = expected(work, n, dtype)
    for peer in peers(work, n, dtype, "cpu", QUICK):
        peer.prepare()
        peer.round()

        assert error(peer, references) <= TOLERANCES[dtype], peer.name


def one_percent_off(xp: Any, x: Any) -> Any:
    return x.sum() * 1.01


def failing(xp: Any, x: Any) -> Any:
    raise ValueError("not today")


@pytest.mark.parametrize(
    ("function", "reason"),
    [(one_percent_off, "wrong by 1.0e-02"), (failing, "ValueError: not today")],
)
def test_who_is_wrong_is_not_timed(function: Any, reason: str) -> None:
    work = gradients(
        "sum", test_operations.vectors(1), 1, function, test_operations.total_by_hand,
        by_size({10: None}),
    )  # fmt: skip
    comparison = Comparison.of(work, 10, "float32", "cpu", ["hand"])

    assert comparison.wrong == {"gpugrad": reason}
    assert [peer.name for peer in comparison.peers] == ["NumPy by hand"]


def test_everyone_has_as_many_rounds(device: str) -> None:
    comparison = Comparison.of(MUL, 10, "float32", device, ["torch", "hand"])

    comparison.take_turns(time.perf_counter)
    row = comparison.row("What does it cost?")

    assert {len(peer.seconds) for peer in comparison.peers} == {row["rounds"]}
    promised = device == "cpu" and row["reference"] == "PyTorch"
    assert row["target"] == (MUL.targets[10, "float32"] if promised else None)
    assert row["ratios"][row["reference"]] == 1


def test_rounds_are_as_long_where_the_first_one_compiles() -> None:
    now, costs = [0.0], itertools.chain([0.5], itertools.repeat(1e-5))

    def run() -> list[Any]:
        now[0] += next(costs)
        return []

    ours, theirs = Peer("gpugrad", run), Peer("PyTorch", run)
    Comparison(MUL, 1000, "float32", "cpu", [ours, theirs]).take_turns(lambda: now[0])

    assert ours.repeats == theirs.repeats
    assert min(ours.seconds) >= SECONDS_PER_ROUND


def test_ratios_are_those_of_neighbouring_rounds() -> None:
    ours, theirs = peer_of("gpugrad"), peer_of("PyTorch")
    ours.seconds, theirs.seconds = [1e-6, 6e-6, 1e-6], [2e-6, 12e-6, 12e-6]
    row = Comparison(MUL, 1000, "float32", "cpu", [ours, theirs]).row("?")

    assert report.cells([row])[0][3:] == ["PyTorch", "gpugrad", "target", "met"]
    assert report.cells([row])[1] == ["mul", "1,000", "float32", "12.0 µs", "0.50", "0.35", "no"]
    assert report.cells([row | {"wrong": {"gpugrad": "by 9"}}])[1][4] == "wrong"


def peer_of(name: str) -> Peer:
    return Peer(name, run=list)


# --------------------------------------------------------------------------- saved, compared, shown


def row_of(work: str, n: int, ours: float, **more: Any) -> Row:
    return results.row("?", work, n, "float32", {"gpugrad": ours, "PyTorch": 1.0}, **more)


def test_exponent_of_growth_is_the_slope_of_the_logarithms() -> None:
    rows = [row_of("long", n, 3.0 * n**1.5, growth=1.1) for n in (100, 10, 1000)]

    *_, last = with_growth(rows)

    assert last["ratios"]["gpugrad"] == pytest.approx(1.5)
    assert last["ratios"]["PyTorch"] == pytest.approx(0)
    assert met(last) is False


def test_parts_of_a_run_are_saved_together(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    first = results.document([row_of("mul", 10, 0.5), row_of("add", 10, 0.4)], "cpu", "clock")
    again = results.document([row_of("mul", 10, 0.6), row_of("pow", 10, 0.3)], "cpu", "clock")

    results.save(first, "example")
    results.save(again, "example")
    saved = results.load("example")

    assert [(r["work"], r["ratios"]["gpugrad"]) for r in saved["rows"]] == [
        ("mul", 0.6), ("add", 0.4), ("pow", 0.3),
    ]  # fmt: skip
    assert saved["machine"]["cores"] > 0
    assert saved["versions"]["numpy"] == np.__version__
    assert report.describe(saved).startswith(saved["rows"][0]["date"])


def test_another_machine_is_another_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    document = results.document([row_of("mul", 10, 0.5)], "cpu", "clock")
    results.save(document, "example")

    with pytest.raises(ValueError, match="has another machine"):
        results.save(document | {"machine": {"cpu": "abacus", "cores": 1, "gpu": None}}, "example")
    with pytest.raises(ValueError, match="there are: example"):
        results.load("exmaple")


def test_slower_is_by_more_than_the_noise() -> None:
    before = row_of("mul", 10, 0.50)

    assert not results.slower(row_of("mul", 10, 0.57), before)
    assert not results.slower(row_of("mul", 10, 0.58), None)
    assert results.slower(row_of("mul", 10, 0.58), before)
    told = report.regressions([row_of("mul", 10, 0.58)], {("mul", 10, "float32"): before}, "then")
    assert "mul, n = 10, float32: 0.50 -> 0.58" in told


@pytest.mark.slow
@pytest.mark.needs("pytest_benchmark")
def test_a_run_is_saved_and_the_next_one_tells_what_got_slower(tmp_path: Path) -> None:
    name = str(tmp_path / "first")

    first = run_benchmarks("--save", name)
    assert first.returncode == 0, first.stdout + first.stderr
    saved = results.load(name)
    (row,) = saved["rows"]
    row["ratios"]["gpugrad"] /= 10
    (tmp_path / "fast.json").write_text(json.dumps(saved))
    row["ratios"]["gpugrad"] *= 100
    (tmp_path / "slow.json").write_text(json.dumps(saved))

    assert row["work"] == "mul"
    assert row["medians"].keys() == {"gpugrad", "NumPy by hand"}
    after_fast = run_benchmarks("--against", str(tmp_path / "fast"))
    assert after_fast.returncode == 1
    assert "Slower than in" in after_fast.stdout
    after_slow = run_benchmarks("--against", str(tmp_path / "slow"))
    assert after_slow.returncode == 0
    assert "Nothing got slower" in after_slow.stdout


def run_benchmarks(*options: str) -> subprocess.CompletedProcess[str]:
    chosen = ["benchmarks/test_operations.py", "-k", "mul-10-float32", "--peers", "hand"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, *options]
    # Not those of pytest-xdist, which would have pytest-benchmark time nothing.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False
    )


@pytest.mark.needs("matplotlib")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("target", [0.5, None])
def test_plots_show_what_there_is(
    tmp_path: Path, monkeypatch: Any, device: str, target: float | None
) -> None:
    from benchmarks import plot

    monkeypatch.setattr(plot, "FOLDER", tmp_path)
    rows = [row_of("mul", n, 0.4, target=target) for n in (10, 100, 1000)]
    document = {**results.document(rows, "cpu", "clock"), "device": device}

    paths = plot.draw(document, "example")

    shown = re.findall(r"\]\(plots/([^)]+)\)", report.page(document, "example"))
    assert sorted(path.name for path in paths) == sorted(shown)
    assert all(path.stat().st_size > 10_000 for path in paths)


def test_pages_are_those_of_the_results_that_they_name() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    names = list(dict.fromkeys(re.findall(r"results/([\w.-]+)\.json", text.split("<!-- b")[1])))

    for path, made in report.pages(names).items():
        assert path.read_text(encoding="utf-8") == made
    for picture in re.findall(r"\]\((plots/[^)]+)\)", text):
        assert (ROOT / "benchmarks" / picture).is_file()
