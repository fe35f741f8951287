"""Does ``python -m gpugrad`` train, check and time; and do the documents tell the truth?"""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import gpugrad
from gpugrad import __main__ as command
from gpugrad import backend, formulas
from gpugrad.op import OPS

ROOT = Path(__file__).parents[1]

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_ends_well_and_the_gradient_is_right(
    device: str, dtype: str, capsys: Capture
) -> None:
    status = command.main(["--device", device, "--steps", "200", "--dtype", dtype])

    out = capsys.readouterr().out
    losses = re.findall(r"^Loss of Epoch (\d+): \t(\d+\.\d{6})$", out, re.MULTILINE)
    assert status == 0
    assert [int(t) for t, _ in losses] == [99, 199]
    early, late = (float(loss) for _, loss in losses)
    assert 0 < late < early / 20  # whatever the distance that the random start is off
    assert f"on {device}, {dtype}, 200 steps" in out
    assert len(re.findall(r"\de-\d\d", out.partition("Relative errors")[2])) >= 5
    assert "PASS" in out
    assert re.search(r"Time per step: .* ms .*: forward .*, backward .*, update ", out)
    assert bool(re.search(r"Kernels per step: \d+: forward \d", out)) == (device == "cuda")


def test_devices_are_named(device: str, capsys: Capture) -> None:
    command.main(["--device", device, "--steps", "1"])

    out = capsys.readouterr().out
    assert re.search(r"^cpu    NumPy \d", out, re.MULTILINE)
    assert re.search(r"^loops  (none but NumPy's\. |.* kept in )", out, re.MULTILINE)
    assert re.search(r"^cuda   (CuPy \d.*, CUDA \d+\.\d|none\. )", out, re.MULTILINE)


@pytest.mark.parametrize(("threads", "slower"), [(2, 10), (2, 1), (1, 10), (None, 10)])
def test_threads_are_counted_and_one_is_advised_where_it_is_faster(
    threads: int | None, slower: float, monkeypatch: Any, capsys: Capture
) -> None:
    class Fake(command.Blas):
        threads: int | None = None

        @contextmanager
        def limited(self, threads: int) -> Iterator[None]:
            monkeypatch.setattr(command, "train", lambda n, steps, clock: took(clock, 1.0))
            yield

    def took(clock: command.Clock, seconds: float) -> float:
        clock.seconds = {"forward": [seconds]}
        return 0.0

    monkeypatch.setattr(Fake, "threads", threads)
    monkeypatch.setattr(command, "Blas", Fake)
    monkeypatch.setattr(command, "train", lambda n, steps, clock: took(clock, slower))

    assert command.main(["--device", "cpu"]) == 0

    out = capsys.readouterr().out
    assert (f"{threads} BLAS thread" in out) == (threads is not None)
    advice = "With one BLAS thread a step takes 1000.000 ms instead of 10000.000: .*OMP_NUM_THREADS"
    assert bool(re.search(advice, out)) == (threads == 2 and slower == 10)


@pytest.fixture
def blas() -> command.Blas:
    found = command.Blas()
    if found.threads is None:
        pytest.skip("NumPy has another BLAS than OpenBLAS")
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_nothing_but_products_of_matrices_depends_on_threads(blas: Any, dtype: Any) -> None:
    """Sums over rows are products with ones, too: their bits must not."""
    rng = np.random.default_rng(0)

    def sums(numbers: Any, threads: int) -> list[bytes]:
        with blas.limited(threads):
            assert blas.threads == threads
            x, row, column = (
                gpugrad.tensor(a, requires_grad=True)
                for a in (numbers, numbers[:1].copy(), numbers[..., :1].copy())
            )
            y = (x * row).exp() * column - x / (2 + column)
            y.sum().abs().backward()
            found = [x.sum(0), x.mean(-1), x.std(0), x.norm(), x.grad, row.grad, column.grad]
            return [t.detach().numpy().tobytes() for t in found if t is not None]

    for shape in (3000, 100), (200, 5000), (33, 5, 777):
        numbers = rng.standard_normal(shape).astype(dtype)
        assert sums(numbers, 1) == sums(numbers, 4)


@pytest.mark.sources
def test_the_recipe_makes_torch_a_name_of_gpugrad() -> None:
    recipe = next(
        b["code"] for b in FENCED.finditer(document("README.md")) if "sys.modules" in b["code"]
    )
    lines = [line[4:] for line in recipe.splitlines() if line.startswith(">>> ")]
    program = """
import torch
import torch.autograd.forward_ad
import torch.autograd.functional as functional
from torch.autograd import Variable, gradcheck
from torch.autograd.function import Function, once_differentiable
from torch.func import vmap
from torch.optim import SGD
from torch.utils.checkpoint import checkpoint
x = Variable(torch.ones(2), requires_grad=True)
assert type(x) is torch.Tensor and torch.__name__ == "gpugrad"
assert torch.autograd.functional is functional and Function is torch.autograd.Function
checkpoint(torch.sin, x, use_reentrant=False).sum().backward()
assert x.grad is not None
import torch.nn as nn
from torch.nn.modules.module import Module
from torch.optim.lr_scheduler import StepLR
from torch.utils.data.dataloader import DataLoader
assert issubclass(nn.Linear, Module) and DataLoader is torch.utils.data.DataLoader
assert StepLR(SGD(nn.Linear(1, 1).parameters()), 1).last_epoch == 0
assert torch.nn is sys.modules["gpugrad.nn"], "there is one of each module"
print("works")
"""
    code = "\n".join([*lines[:2], program])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "works\n", done.stderr


def test_seed_decides_the_numbers(capsys: Capture) -> None:
    losses = []
    for seed in ["1", "1", "2"]:
        command.main(["--device", "cpu", "--steps", "3", "--seed", seed])
        losses.append(re.findall("Last loss: .*", capsys.readouterr().out))

    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("factor", [1.001, float("nan")])
def test_wrong_gradient_fails(factor: float, monkeypatch: Any, capsys: Capture) -> None:
    right = gpugrad.autograd.grad
    monkeypatch.setattr(
        gpugrad.autograd, "grad", lambda *args: tuple(g * factor for g in right(*args))
    )

    status = command.main(["--device", "cpu", "--steps", "2"])

    assert status == 1
    assert "FAIL" in capsys.readouterr().out


def test_cuda_that_is_missing_is_a_sentence(monkeypatch: Any, capsys: Capture) -> None:
    monkeypatch.setattr(backend, "cuda_problem", lambda: "CuPy is not installed.")

    status = command.main(["--device", "cuda"])

    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err == "python -m gpugrad --device cuda: CuPy is not installed.\n"


def test_auto_takes_the_cpu_without_cuda(monkeypatch: Any, capsys: Capture) -> None:
    monkeypatch.setattr(backend, "cuda_problem", lambda: "CuPy is not installed.")

    assert command.main(["--steps", "1"]) == 0
    assert "cuda   none. CuPy is not installed.\n" in capsys.readouterr().out


@pytest.mark.parametrize("steps", ["0", "-1", "many"])
def test_number_of_steps_is_checked(steps: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main([f"--steps={steps}"])

    assert stop.value.code == 2
    assert f"{steps} is no number of steps" in capsys.readouterr().err


@pytest.mark.needs("tqdm")
@pytest.mark.parametrize("terminal", [True, False])
def test_bar_is_for_terminals_with_tqdm(terminal: bool, monkeypatch: Any, capsys: Capture) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)

    command.main(["--device", "cpu", "--steps", "100"])

    out, err = capsys.readouterr()
    assert ("training" in err) == terminal
    assert "Loss of Epoch 99" in out


def test_terminal_without_tqdm_gets_plain_lines(monkeypatch: Any, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    assert command.main(["--device", "cpu", "--steps", "100"]) == 0
    out, err = capsys.readouterr()
    assert "Loss of Epoch 99" in out
    assert err == ""


def test_module_runs_from_the_command_line() -> None:
    arguments = ["-m", "gpugrad", "--device", "cpu", "--steps", "1"]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"gpugrad {gpugrad.__version__}, Python 3.")


# --------------------------------------------------------------------------- documents

FENCED = re.compile(r"(?:^<!-- (?P<marker>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$",
                    re.MULTILINE | re.DOTALL)  # fmt: skip


# what stands in docs/ and has examples; those with CuPy need a GPU, and SciPy's page SciPy
_MARKS = {
    "cupy.md": [pytest.mark.cuda],
    "scipy.md": [pytest.mark.needs("scipy")],
    "files.md": [pytest.mark.needs("safetensors")],
}
PAGES = [
    pytest.param(f"docs/{page.name}", marks=_MARKS.get(page.name, []))
    for page in sorted((ROOT / "docs").glob("*.md"))
    if "```pycon" in page.read_text(encoding="utf-8")
]


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.sources
def test_what_is_said_to_be_missing_is() -> None:
    text = document("README.md").partition("Not yet, in the order")[2].partition("\nA program")[0]
    text = re.sub(r"(beside|beyond)[^,:;]*", "", text)  # what there is
    names = [name for name in re.findall(r"`(.+?)`", text) if name[0].isalpha()]
    assert len(names) >= 6
    for name in names:
        *path, last = name.split(".")
        owners = [getattr(gpugrad, path[0], None)] if path else [gpugrad, gpugrad.Tensor]
        assert not any(hasattr(owner, last) for owner in owners), name


@contextmanager
def pytorchs_name() -> Iterator[None]:
    """Give the modules called torch back; others that are imported meanwhile stay, once loaded."""
    before = {n: m for n, m in sys.modules.items() if n.partition(".")[0] == "torch"}
    yield
    for name in [n for n in sys.modules if n.partition(".")[0] == "torch"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.mark.sources
@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONVENTIONS.md", *PAGES])
def test_examples_print_what_they_say(name: str) -> None:
    text = document(name)
    examples = [(b.start("code"), b["code"]) for b in FENCED.finditer(text)
                if b["language"] == "pycon"]  # fmt: skip
    kept, end = "", 0
    for start, code in examples:  # the lines between are empty, so that line numbers are right
        kept += "\n" * text.count("\n", end, start) + code
        end = start + len(code)
    runner = doctest.DocTestRunner()

    # what the documents declare is gone after them
    with (
        patch.dict(OPS), patch.dict(formulas.FUNCTIONS), patch.dict(formulas.DERIVATIVES),
        pytorchs_name(),
    ):  # fmt: skip
        runner.run(doctest.DocTestParser().get_doctest(kept, {}, name, name, 0))

    assert runner.tries > 3
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.sources
def test_every_block_of_the_readme_is_run() -> None:
    """Examples by the tests around this one, commands by .ci/run."""
    blocks = [b for b in FENCED.finditer(document("README.md")) if b["language"] == "sh"]

    assert {b["marker"] for b in blocks} == {"main command", "test command"}
    assert all(b["code"].count("\n") == 1 for b in blocks)


@pytest.mark.sources
@pytest.mark.needs("sklearn")
def test_the_network_of_the_readme_reads_digits() -> None:
    program, *others = (
        b["code"] for b in FENCED.finditer(document("README.md")) if b["language"] == "python"
    )
    (printed,) = (
        b["code"] for b in FENCED.finditer(document("README.md")) if b["language"] == "text"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)

    assert not others
    assert program.count("\n") == 20
    found, expected = (
        re.fullmatch(r"loss (\S+), (\S+)%( .*)\n", t) for t in (done.stdout, printed)
    )
    assert found is not None
    assert expected is not None
    assert found[3] == expected[3]
    # the last bits of sums differ from one processor to another, and the network learns from them
    assert float(found[1]) == pytest.approx(float(expected[1]), abs=0.03)
    assert float(found[2]) == pytest.approx(float(expected[2]), abs=1)
