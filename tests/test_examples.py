"""The programs of examples/, run briefly: each says how well it did."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "examples"
pytestmark = [pytest.mark.sources, pytest.mark.needs("scipy")]


def example(name: str) -> Any:
    """Return a program as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_speed_of_waves_is_found(device: str) -> None:
    # it starts at 0.15, and is at 0.01 after 30 steps; few tell that it goes this way, and fewer on
    # an emulated GPU, which is slow
    count, least = ("10", 0.115) if device == "cpu" else ("3", 0.135)
    found = example("wave_inversion").main(["--device", device, "--iterations", count])
    assert found < least


def test_a_survival_model_is_fitted() -> None:
    found = example("survival").main(["--count", "500"])
    np.testing.assert_allclose(found, [np.log(1.7), 0.5, 0.8, -0.4], atol=0.15)  # 4 errors


def test_a_chain_of_atoms_comes_to_rest(device: str) -> None:
    assert example("custom_kernel").main(["--device", device, "--atoms", "6"]) < 1e-10


def test_a_rotation_is_found_through_scipy() -> None:
    # in another process, since SciPy reads its variable when it is imported
    found = subprocess.run(
        [sys.executable, str(FOLDER / "rotation_fit.py")],
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert float(found.stdout.split()[-1]) < 1e-6


def test_every_example_is_run() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [p.stem for p in FOLDER.glob("*.py") if p.stem not in text] == []
