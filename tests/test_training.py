"""The programs of examples/training/, run briefly: they learn, as PyTorch does, and resume."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comparison import pytorch

FOLDER = Path(__file__).parent.parent / "examples" / "training"
pytestmark = [
    pytest.mark.sources,
    *(pytest.mark.needs(name) for name in ("sklearn", "tqdm", "safetensors")),
]

# How many steps are run, and which share of the first loss is left after them at most.
PROGRAMS = {
    "logistic_regression": (60, 0.8),
    "mlp": (60, 0.6),
    "convolutional": (20, 0.8),
    "transformer": (4, 0.97),
    "lstm": (15, 0.5),
    "physics": (60, 0.5),
    "autoencoder": (60, 0.9),
}
RESULTS = {"logistic_regression", "mlp", "convolutional", "lstm", "physics", "autoencoder"}


class Program:
    """A program, with the library that it trains by."""

    def __init__(self, name: str, library: str, monkeypatch: pytest.MonkeyPatch):
        self.run = _module("run", library)
        monkeypatch.setitem(sys.modules, "run", self.run)
        self.module = _module(name, library)
        self.weights: dict[str, Any] = {}
        self.given: dict[str, Any] | None = None
        fit = self.run.fit

        def noted(model: Any, *args: Any, **kwargs: Any) -> Any:
            if self.given is not None:
                state = {k: self.run.torch.tensor(v) for k, v in self.given.items()}
                model.load_state_dict(state)
            self.weights = {k: v.numpy(force=True).copy() for k, v in model.state_dict().items()}
            return fit(model, *args, **kwargs)

        self.run.fit = noted

    def main(self, *arguments: object) -> Any:
        return self.module.main([str(a) for a in arguments])


def _module(name: str, library: str) -> Any:
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    module = types.ModuleType(name)
    module.__file__ = str(FOLDER / f"{name}.py")
    exec(text.replace("import gpugrad as torch", f"import {library} as torch"), vars(module))
    return module


@pytest.fixture(params=PROGRAMS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_learns(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str) -> None:
    steps, share = PROGRAMS[name]
    picture = tmp_path / "picture.png"
    drawn = ["--picture", picture] if _drawable() else []
    program = Program(name, "gpugrad", monkeypatch)
    losses, _ = program.main("--steps", steps, "--device", device, *drawn)
    assert np.mean(losses[-3:]) < share * losses[0]
    assert not drawn or picture.read_bytes().startswith(b"\x89PNG")


def test_it_learns_as_pytorch_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytorch()
    steps = min(PROGRAMS[name][0], 20)
    ours = Program(name, "gpugrad", monkeypatch)
    losses, result = ours.main("--steps", steps)
    theirs = Program(name, "torch", monkeypatch)
    theirs.given = ours.weights
    expected, expected_result = theirs.main("--steps", steps)
    # in float32, whose last bits differ, and each step starts where the one before it ended
    np.testing.assert_allclose(losses, expected, rtol=2e-4)
    if name in RESULTS:
        # two of 397 digits may lie at the border between two classes
        assert result == pytest.approx(expected_result, rel=1e-2, abs=5.1e-3)


def test_it_goes_on_where_it_was(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, _ = Program(name, "gpugrad", monkeypatch).main("--steps", 4)
    kept = ["--checkpoint", tmp_path / "state"]
    Program(name, "gpugrad", monkeypatch).main("--steps", 2, *kept)
    losses, _ = Program(name, "gpugrad", monkeypatch).main("--steps", 4, *kept)
    assert losses == whole


@pytest.fixture(autouse=True)
def no_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the thread that watches progress bars: it would go on beside all later tests."""
    from tqdm import tqdm

    monkeypatch.setattr(tqdm, "monitor_interval", 0)


def _drawable() -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def test_every_program_is_run() -> None:
    assert {p.stem for p in FOLDER.glob("*.py")} == {*PROGRAMS, "run"}
