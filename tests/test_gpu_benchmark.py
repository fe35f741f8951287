"""Does the script that measures a GPU measure, as far as that can be told without one?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are in the sources only", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks import gpu  # noqa: E402


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
    pytest.importorskip("pytest_benchmark")
    arguments = ["--device", "cpu", "-k", "test_operation and mul-10-float32"]

    found = gpu.benchmarks(120, arguments)
    assert found["status"] == 0, found
    assert [row["work"] for row in found["results"]["rows"]] == ["mul"]
    assert gpu.suite(120, ["tests/test_packaging.py"])["status"] == 0
    assert gpu.suite(0.01, ["tests/test_packaging.py"])["status"] < 0
