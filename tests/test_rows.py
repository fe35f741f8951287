"""Softmax, cross entropy and normalization by loops in C++ give what NumPy does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.backend import classes, compiled, compiler, cpu, loops, normalization, rows
from gpugrad.formulas import Formula, call, variable

KINDS = pytest.mark.parametrize("kind", ["float32", "float64"])


@pytest.fixture(autouse=True, scope="module")
def _needs_a_compiler() -> None:
    try:
        compiler.found()
    except compiler.BuildError as error:
        pytest.skip(str(error))


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    def computed(function: Callable[[], Any]) -> Any:
        """Return what NumPy computes, and what loops do."""
        found = []
        for least in 1 << 40, 0:
            monkeypatch.setattr(rows, "LEAST", least)
            found.append(function())
        return found

    return computed


def agree(numpys: Any, ours: Any) -> None:
    """Compare within some units in the last place of sums of a few hundred numbers."""
    for a, b in zip(numpys, ours, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            scale = max(1.0, np.abs(a[np.isfinite(a)]).max(initial=0.0))
            np.testing.assert_allclose(b, a, rtol=0, atol=100 * np.finfo(a.dtype).eps * scale)


@KINDS
@pytest.mark.parametrize("length", [1, 15, 64, 100, 1000])
@pytest.mark.parametrize("log", [False, True])
def test_softmax(length: int, log: bool, kind: str, both: Any) -> None:
    """Numbers that are masked, infinite or nan, and the end of a row."""
    random = np.random.default_rng(0)
    x = (3 * random.standard_normal((50, length))).astype(kind)
    x[0, 5:], x[1], x[2, -1], x[3, 0], x[4, -1] = -np.inf, -np.inf, np.inf, np.nan, 300
    g = random.standard_normal(x.shape).astype(kind)
    numpys, ours = both(lambda: [cpu.softmax(x, 1, log, x.dtype)])
    agree(numpys, ours)
    agree(*both(lambda: [cpu.softmax_gradient(g, numpys[0], 1, log)]))


@KINDS
@pytest.mark.parametrize("length", [1, 5, 100, 300])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy(length: int, kind: str, reduction: str, weighted: bool, both: Any) -> None:
    random = np.random.default_rng(length)
    x = (3 * random.standard_normal((40, length))).astype(kind)
    x[0], x[1, 0], x[2] = -np.inf, np.inf, 200
    places = random.integers(length, size=40)
    places[[0, 1, 5, 9]] = -100
    weight = random.uniform(0, 1, length).astype(kind) if weighted else None
    rest = (places, weight, 1, reduction, -100)
    numpys, ours = both(lambda: classes.cross_entropy(x, *rest))
    finite = np.isfinite(numpys[1]).all(1)  # the exponentials of the others are nan in both
    agree(numpys[:1], ours[:1])
    agree([numpys[1][finite], numpys[2][:, finite]], [ours[1][finite], ours[2][:, finite]])
    g = random.standard_normal(numpys[0].shape).astype(kind)
    agree(*both(lambda: [classes.cross_entropy_gradient(g, x, *numpys[1:], *rest)[finite]]))
    numpys, ours = both(lambda: classes.nll(x, *rest))
    agree(numpys, ours)
    agree(*both(lambda: [classes.nll_gradient(g, numpys[1], places, x.shape, 1)]))


@KINDS
def test_a_mean_of_no_class_has_no_gradient(kind: str, both: Any) -> None:
    x, places = np.ones((3, 4), kind), np.full(3, 7)
    numpys, ours = both(lambda: classes.cross_entropy(x, places, None, 1, "mean", 7))
    assert np.isnan(numpys[0])
    assert np.isnan(ours[0])
    assert not ours[2].any()
    numpys, ours = both(lambda: classes.nll(x, places, None, 1, "mean", 7))
    assert np.isnan(numpys[0])
    assert np.isnan(ours[0])
    assert not ours[1].any()


@KINDS
@pytest.mark.parametrize("length", [2, 5, 100, 300])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("centered", [False, True])
def test_normalization(
    length: int, kind: str, weighted: bool, biased: bool, centered: bool, both: Any
) -> None:
    random = np.random.default_rng(length)
    x, g = (random.standard_normal((400, length)).astype(kind) for _ in range(2))
    weight = random.standard_normal(length).astype(kind) if weighted else None
    bias = random.standard_normal(length).astype(kind) if biased else None
    last = ((1,), 1e-3, centered)
    numpys, ours = both(lambda: normalization.normalize(x, weight, bias, *last))
    agree(numpys, ours)
    mean, var = numpys[1:]
    whole = (x.shape, (length,) if weighted else None, (length,) if biased else None)
    for shapes in whole, (None, *whole[1:]), (x.shape, None, None):
        agree(
            *both(
                lambda s=shapes: normalization.normalize_gradient(g, x, weight, mean, var, *last, s)
            )
        )


def test_operands_may_lie_in_any_way(both: Any) -> None:
    random = np.random.default_rng(0)
    x, g = (random.standard_normal((20, 30)).T for _ in range(2))
    w = random.standard_normal(40)[::2]
    numpys, ours = both(lambda: normalization.normalize(x, w, w, (1,), 1e-5, True))
    agree(numpys, ours)
    shapes = (x.shape, w.shape, w.shape)
    rest = (w, *numpys[1:], (1,), 1e-5, True, shapes)
    agree(*both(lambda: normalization.normalize_gradient(g, x, *rest)))
    one = np.broadcast_to(1.0, x.shape)
    agree(*both(lambda: normalization.normalize_gradient(one, x, *rest)))
    agree(*both(lambda: [cpu.softmax(x, 1, False, x.dtype)]))


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_SHARED", 1)
    monkeypatch.setattr(loops, "_SHARE", 1)
    random = np.random.default_rng(0)
    x, g = random.standard_normal((2, 400, 500))
    places = random.integers(500, size=400)
    before = gpugrad.get_num_threads()
    found = []
    try:
        for count in 1, 3:
            gpugrad.set_num_threads(count)
            _, mean, var = normalization.normalize(x, x[0], x[1], (1,), 1e-5, True)
            shapes = (x.shape, (500,), (500,))
            results = normalization.normalize_gradient(
                g, x, x[0], mean, var, (1,), 1e-5, True, shapes
            )
            results += classes.cross_entropy(x, places, None, 1, "mean", -100)
            found.append([*results, cpu.softmax(x, 1, False, x.dtype)])
    finally:
        gpugrad.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        assert (a == b).all()


def test_the_exponential_is_within_a_unit_in_the_last_place() -> None:
    """Of floats: also where it is subnormal, 0 or infinite."""
    x = np.linspace(-110, 95, 400_000, dtype=np.float32)
    a, b = variable("a"), variable("b")
    formula = Formula("difference", [a, b], [call("exp", a - b)])  # two steps, for which is a loop
    y: Any
    (y,) = compiled.evaluate(formula, [x, np.zeros_like(x)], x.dtype) or [None]
    with np.errstate(over="ignore"):
        expected = np.exp(x.astype(float))
        rounded = expected.astype(np.float32)
    assert (np.isinf(y) == np.isinf(rounded)).all()
    units = np.spacing(rounded, where=np.isfinite(rounded), out=np.ones_like(rounded))
    finite = np.isfinite(y)
    assert (np.abs(y - expected)[finite] <= 1.01 * units[finite]).all()
