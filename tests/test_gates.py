"""Recurrent layers by loops in C++ give what NumPy's steps do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpugrad.backend import compiler, gates, recurrent

SIZES = {"equal": (3, 3, 3), "packed": (4, 2, 2, 1)}


@pytest.fixture(autouse=True, scope="module")
def _needs_a_compiler() -> None:
    try:
        compiler.found()
    except compiler.BuildError as error:
        pytest.skip(str(error))


def both(monkeypatch: pytest.MonkeyPatch, compute: Any) -> list[Any]:
    """Return what NumPy's steps compute, and what loops do."""
    monkeypatch.setattr(gates, "LEAST", 1 << 40)
    numpys = compute()
    monkeypatch.setattr(gates, "LEAST", 0)
    return [numpys, compute()]


def agree(one: Any, other: Any, kind: str) -> None:
    # sums of a few dozen products, and functions within 4 units in the last place
    tolerance = {"float32": 2e-6, "float64": 1e-14}[kind]
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(b, a, rtol=0, atol=tolerance * max(1, np.abs(a).max()))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("name", "count", "states"), [("lstm", 4, 2), ("gru", 3, 1)])
@pytest.mark.parametrize(
    ("hidden", "kind", "most"),
    [(5, "float32", 1000), (70, "float64", 1 << 17), (64, "float32", 0), (1, "float64", 1000)],
)
def test_loops_agree_with_numpys_steps(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int, states: int, hidden: int, kind: str,
    most: int, sizes: tuple[int, ...], backwards: bool,
) -> None:  # fmt: skip
    """Those that multiply, too, and those whose products are large, and NumPy's."""
    monkeypatch.setattr(gates, "MOST", most)
    random = np.random.default_rng(hidden)

    def draw(*shape: int) -> Any:
        return random.standard_normal(shape).astype(kind)

    state = [draw(sizes[0], hidden) for _ in range(states)]
    weights = draw(count * hidden, 7), draw(count * hidden, hidden) / hidden**0.5
    biases = [draw(count * hidden) for _ in range(3 - states)]
    operands = (draw(sum(sizes), 7), *state, *weights)
    forward, back = getattr(recurrent, name), getattr(recurrent, f"{name}_gradient")
    numpys, ours = both(monkeypatch, lambda: forward(*operands, *biases, sizes, backwards))
    agree(numpys, ours, kind)
    grads = [draw(*a.shape) for a in numpys[: 1 + states]]
    kept = (numpys[0], *numpys[1 + states :])
    for given, needs in (grads, [True]), ([None, *grads[1:]], [False]):
        numpys, ours = both(
            monkeypatch, lambda g=given, n=needs: back(g, *operands, *kept, sizes, backwards, n)
        )
        agree(numpys, ours, kind)


def test_loops_take_any_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    x, h, c = (random.standard_normal((n, 6)).T[::2] for n in (8, 5, 5))
    w_ih, w_hh = random.standard_normal((8, 20)).T, random.standard_normal((5, 20)).T
    bias = np.zeros(40)[::2]
    numpys, ours = both(monkeypatch, lambda: recurrent.lstm(x, h, c, w_ih, w_hh, bias, (3,), False))
    agree(numpys, ours, "float64")
    out, _, _, gates_, cells = numpys
    rest = (out, gates_, cells, (3,), False, [True])
    grads = [np.broadcast_to(1.0, (3, 5)), None, random.standard_normal((5, 3)).T]
    back = recurrent.lstm_gradient
    numpys, ours = both(monkeypatch, lambda: back(grads, x, h, c, w_ih, w_hh, *rest))
    agree(numpys, ours, "float64")


@pytest.mark.parametrize("value", [200.0, -200.0, np.inf, -np.inf, np.nan])
def test_saturated_gates_are_what_they_are_in_numpy(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    x, h, c = np.full((1, 1), value), np.zeros((1, 4)), np.ones((1, 4))
    w_ih, w_hh = np.ones((16, 1)), np.zeros((16, 4))
    numpys, ours = both(monkeypatch, lambda: recurrent.lstm(x, h, c, w_ih, w_hh, None, (1,), False))
    for a, b in zip(numpys, ours, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-15)
