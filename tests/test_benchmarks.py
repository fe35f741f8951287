"""Do the benchmarks compare right results, and would they notice a wrong one?"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are in the sources only", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks import gpu, report, test_operations, test_overhead, test_training  # noqa: E402
from benchmarks.comparison import TOLERANCES, Comparison, Peer, Work, error, expected, peers  # noqa: E402

VECTORS = [*test_operations.WORKS, *test_overhead.WORKS, *test_training.WORKS]
CASES = [(work, 10) for work in VECTORS] + [(w, 1000) for w in test_operations.BROADCAST_WORKS]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("work", "n"), CASES, ids=str)
def test_every_peer_computes_the_same_numbers(work: Work, n: int, dtype: str, device: str) -> None:
    references = expected(work, n, dtype)

    errors = {peer.name: error(peer, references) for peer in peers(work, n, dtype, device)}

    assert {"gpugrad"} < errors.keys()
    assert max(errors.values()) <= TOLERANCES[dtype], errors


def test_a_second_round_computes_what_the_first_did() -> None:
    for work in [*test_operations.WORKS, *test_overhead.WORKS]:
        references = expected(work, 10, "float64")
        for peer in peers(work, 10, "float64", "cpu"):
            peer.prepare()
            peer.round()
            assert error(peer, references) <= TOLERANCES["float64"]


def test_who_is_wrong_is_not_timed() -> None:
    def wrong(lib: Any, x: Any) -> Any:
        return x.sum() * 1.01, x * 0 + 1

    by_hand = test_operations.total_by_hand
    comparison = Comparison.of(
        Work("sum", test_operations.vectors(1), 1, wrong, by_hand), 10, "float32", "cpu"
    )

    assert comparison.wrong["gpugrad"] == pytest.approx(0.01, rel=1e-3)
    assert [peer.name for peer in comparison.peers] == ["NumPy by hand"]


def test_table_gives_ratios_of_neighbouring_rounds() -> None:
    comparison = Comparison(
        test_operations.WORKS[1], 1000, "float32", "cpu", [peer_of("gpugrad"), peer_of("PyTorch")]
    )
    ours, theirs = comparison.peers
    ours.seconds, theirs.seconds = [1e-6, 6e-6, 1e-6], [2e-6, 12e-6, 12e-6]
    row = report.row(comparison)

    assert report.cells([row])[0][3:] == ["PyTorch", "gpugrad"]
    assert report.cells([row])[1] == ["mul", "1,000", "float32", "12 µs", "0.50"]
    assert report.cells([row | {"wrong": {"gpugrad": 9.0}}])[1][-1] == "wrong"


def peer_of(name: str) -> Peer:
    return Peer(name, run=list, wait=list, prepare=list)


def test_results_are_saved_with_the_machine(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    work = test_operations.WORKS[0]
    comparison = Comparison.of(work, 10, "float32", "cpu")
    for peer in comparison.peers:
        peer.seconds = [3.0, 1.0, 2.0]

    results = report.document([report.row(comparison)], "cpu", "process_time")

    assert results["rows"][0]["seconds"]["gpugrad"] == 2.0
    assert results["machine"]["cores"] > 0
    assert "numpy" in results["versions"]
    assert report.save(results, "example").read_text().startswith("{")
    assert report.describe(results).startswith(results["date"])


def test_readme_has_the_table_of_the_results_that_it_names() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (name,) = set(re.findall(r"benchmarks/results/([\w.-]+)\.json", text))

    assert report.fill(text, name) == text


@pytest.mark.cuda
def test_what_a_gpu_reaches_is_measured_into_one_file(tmp_path: Path) -> None:
    file = gpu.main(["--size", "4096", "--folder", str(tmp_path), "--parts", "bandwidth", "calls"])

    results = json.loads(file.read_text())
    rows = {(row["name"], row["dtype"]): row for row in results["bandwidth"]}
    assert rows["device copy", "float16"]["bytes"] == 2 * 4096 * 2
    assert rows["pow, backward", "float32"]["bytes"] == 6 * 4096 * 4
    assert [row["kernels"] for row in rows.values() if "backward" in row["name"]] == [1] * 10
    assert all(row["seconds"].keys() == gpu.libraries().keys() for row in rows.values())
    assert min(results["calls"].values()) > 0
    assert results["machine"]["multiprocessors"] > 0


def test_ratios_are_left_out_where_the_clock_stands_still() -> None:
    times = {"gpugrad": 2e-3, "PyTorch": 3e-3}
    row = gpu._row("mul", "float32", 10**9, times, 1)

    assert (row["bandwidth"], row["PyTorch's time / ours"]) == (5e11, 1.5)
    row = gpu._row("mul", "float32", 10**9, {"gpugrad": None}, 1)
    assert (row["bandwidth"], row["PyTorch's time / ours"]) == (None, None)


@pytest.mark.slow
def test_other_commands_are_run_for_a_limited_time() -> None:
    arguments = ["--device", "cpu", "-k", "test_operation and mul-10-float32"]

    found = gpu.benchmarks(120, arguments)
    assert found["status"] == 0, found
    assert [row["work"] for row in found["results"]["rows"]] == ["mul"]
    assert gpu.suite(120, ["tests/test_packaging.py"])["status"] == 0
    assert gpu.suite(0.01, ["tests/test_packaging.py"])["status"] < 0
