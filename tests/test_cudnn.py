"""cuDNN, of whose front end there is a stand-in: what it is asked for, and what is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.kernels import convolution
from gpugrad.testing import assert_agree
from hostcuda.convolutions import FrontEnd, Graph

pytestmark = pytest.mark.emulated


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> FrontEnd:
    from gpugrad.backend.cuda import cudnn

    found = FrontEnd()
    monkeypatch.setattr(cudnn, "front_end", lambda: found)
    monkeypatch.setattr(cudnn, "_kept", cudnn._Kept())
    return found


def gradients(function: str, arrays: list[Any], device: str, options: Any, dtype: str) -> list[Any]:
    """Return a convolution and its gradients, in double precision."""
    kind = getattr(gpugrad, dtype)
    given = [gpugrad.tensor(a, device=device).to(kind).requires_grad_() for a in arrays]
    out = getattr(gpugrad, function)(*given, **options)
    (out * out).sum().backward()
    return [t.detach().cpu().double().numpy() for t in (out, *[x.grad for x in given])]


CASES: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("conv1d", (2, 4, 9), (6, 2, 3), {"stride": 2, "padding": 1, "groups": 2}),
    ("conv2d", (2, 3, 7, 6), (4, 3, 3, 2), {"stride": (2, 1), "padding": (1, 0)}),
    ("conv2d", (2, 3, 7, 6), (4, 3, 3, 2), {"padding": "same", "dilation": 2}),
    ("conv3d", (1, 2, 4, 5, 6), (3, 2, 2, 3, 2), {"padding": 1, "dilation": (1, 2, 1)}),
    ("conv_transpose1d", (2, 4, 5), (4, 3, 3), {"stride": 2, "output_padding": 1}),
    ("conv_transpose2d", (2, 4, 5, 4), (4, 2, 3, 3), {"stride": 2, "padding": 1, "groups": 2}),
    ("conv_transpose2d", (1, 2, 3, 3), (2, 2, 2, 2), {"stride": 3, "output_padding": (2, 0)}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize(("function", "shape", "filters", "options"), CASES)
def test_results_are_those_of_the_cpu(
    front: FrontEnd, function: str, shape: Any, filters: Any, options: Any, dtype: str
) -> None:
    random = np.random.default_rng(0)
    groups = options.get("groups", 1)
    biases = filters[1] * groups if "transpose" in function else filters[0]
    arrays = [random.standard_normal(s).round(1) for s in (shape, filters, (biases,))]
    found = gradients(function, arrays, "cuda", options, dtype)
    expected = gradients(function, arrays, "cpu", options, dtype)
    # of 16 bits, results and gradients are rounded once, but may be at the other side of a tie
    tolerance = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-3, "bfloat16": 8e-3}[dtype]
    for mine, theirs in zip(found, expected, strict=True):
        assert_agree(mine, theirs, tolerance, tolerance * np.abs(theirs).max())
    assert front.executed == 3
    for graph in front.planned:
        exact = {"TENSOR_CORE", "DOWN_CONVERT_INPUTS"} if dtype == "float32" else set()
        assert graph.refused == {"NONDETERMINISTIC", *exact}
        wide = "float64" if dtype == "float64" else "float32"
        assert graph.numbers["compute_data_type"] == wide


def test_a_plan_is_made_once_for_shapes_and_numbers(front: FrontEnd) -> None:
    w = gpugrad.ones(4, 3, 3, 3, device="cuda")
    for batch in 2, 2, 3, 2:
        gpugrad.conv2d(gpugrad.ones(batch, 3, 5, 5, device="cuda"), w)
    assert len(front.planned) == 2
    assert front.executed == 4
    gpugrad.use_deterministic_algorithms(False)
    try:
        gpugrad.conv2d(gpugrad.ones(2, 3, 5, 5, device="cuda"), w)
    finally:
        gpugrad.use_deterministic_algorithms(True)
    assert "NONDETERMINISTIC" not in front.planned[-1].refused


def test_kernels_are_launched_in_the_current_stream(front: FrontEnd) -> None:
    x, w = (gpugrad.ones(*s, device="cuda") for s in ((2, 3, 5, 5), (4, 3, 3, 3)))
    with gpugrad.cuda.stream(gpugrad.cuda.Stream()):
        gpugrad.conv2d(x, w)  # the stand-in compares streams
    gpugrad.conv2d(x, w)
    assert front.executed == 2


def test_what_no_engine_does_is_computed_by_ours(
    front: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Graph] = []

    def supports(graph: Graph) -> bool:
        asked.append(graph)
        return False

    monkeypatch.setattr(front, "supports", supports)
    x, w = (gpugrad.ones(*s, device="cuda") for s in ((2, 3, 5, 5), (4, 3, 3, 3)))
    for _ in range(2):
        assert (gpugrad.conv2d(x, w) == 27).all()
    assert len(asked) == 1
    assert not front.executed


@pytest.mark.parametrize("few", [True, False])  # filters, for which we have a kernel
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_rounded_once_where_no_engine_adds_a_bias(
    front: FrontEnd, dtype: str, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not few:
        monkeypatch.setattr(convolution, "COLUMNS", 0)
        monkeypatch.setattr(convolution, "PRODUCTS", 0)
    monkeypatch.setattr(front, "supports", lambda graph: graph.added is None)
    kind = getattr(gpugrad, dtype)
    values = {"float16": (2048.0, 1.0, 1.0), "bfloat16": (256.0, 1.0, 1.0)}[dtype]
    x = gpugrad.tensor([[[values[0], values[1]]]], device="cuda").to(kind)
    w = gpugrad.ones(1, 1, 2, device="cuda", dtype=kind)
    b = gpugrad.tensor([values[2]], device="cuda").to(kind)
    assert gpugrad.conv1d(x, w, b).item() == values[0] + 2  # not values[0], rounded twice
    assert front.executed == (not few)


def test_the_configuration_says_which_cudnn_there_is(
    front: FrontEnd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpugrad.backends.cudnn.version() == 92400
    gpugrad.show_config()
    assert "cuDNN  92400, front end stand-in" in capsys.readouterr().out
