"""Do the benchmarks compare right results, and would they notice a wrong one?"""

from __future__ import annotations

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

from benchmarks import report, test_operations, test_overhead, test_training  # noqa: E402
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
