"""Formulas as compiled loops: are results those of NumPy, whatever lies how, and what is built."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import comparison
import gpugrad
from gpugrad import autograd
from gpugrad.backend import compiled, compiler, cpu, evaluation, loops, reductions
from gpugrad.formulas import FUNCTIONS, Formula, lowered, ordered, parse, variable
from gpugrad.kernels import host
from gpugrad.op import OPS
from samples import SAMPLES

Array = Any

pytestmark = pytest.mark.compiler
FLOATS = pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64)], ids=str)
ULPS = 4  # of the C library's functions for vectors


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every array a loop, however small it is."""
    monkeypatch.setattr(compiled, "_plans", {})
    monkeypatch.setattr(compiled, "LEAST", 1)
    monkeypatch.setattr(compiled, "_pays", lambda *_: True)


def formula(text: str) -> Formula:
    names, build = parse(text)
    inputs = [variable(name) for name in names]
    return Formula("tested", inputs, [build(*inputs)])


def numpys(f: Formula, arrays: Sequence[Array], dtype: Any, *args: Any, **kwargs: Any) -> Any:
    """Return what NumPy's functions give."""
    kinds = [np.dtype(bool) if e.kind == "bool" else dtype for e in f.outputs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "evaluate", lambda *_: None)
        return evaluation.evaluate(f, arrays, dtype, kinds, *args, **kwargs)


# --------------------------------------------------------------------------- all formulas


def calls() -> dict[Formula, list[list[Array]]]:
    """Return the formulas that samples and their gradients compute, each with its operands."""
    found: dict[Formula, list[list[Array]]] = {}
    compute = evaluation._evaluate

    def noted(many: bool, f: Formula, arrays: Any, *args: Any) -> Any:
        if not any(a.dtype.kind == "c" for a in arrays):
            found.setdefault(f, []).append(list(arrays))
        return compute(many, f, arrays, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "_evaluate", noted)  # which halves go through
        for samples in SAMPLES.values():
            for sample in samples:
                if sample.layout == "plain" and sample.half and not sample.complex:
                    _run(sample)
    return found


def _run(sample: Any) -> None:
    tensors = sample.tensors(np.float16)
    out = sample.function(gpugrad, *tensors)
    outs = [o for o in (out if isinstance(out, tuple | list) else [out]) if _tracked(o)]
    if outs:
        autograd.backward(outs, [gpugrad.ones_like(o) for o in outs])


def _tracked(out: Any) -> bool:
    return isinstance(out, gpugrad.Tensor) and out.requires_grad


def test_results_of_all_samples_are_those_of_numpy(always: None) -> None:
    """A function that is not the same in C++: at nan, infinities, zeros or singular points."""
    found = calls()
    wrong = []
    for dtype in map(np.dtype, (np.float32, np.float64)):
        formulas = [f for f in found if host.printable(f, dtype) and host.gains(f)]
        assert len(formulas) > 250
        loops.build(formulas, dtype)
        for f in formulas:
            for arrays in found[f][:3]:
                operands = [a if a.dtype == bool else np.asarray(a, dtype) for a in arrays]
                if 0 not in np.broadcast_shapes(*[a.shape for a in operands]):
                    wrong += [(str(f), str(dtype)) for _ in _differing(f, operands, dtype)]
    assert wrong == []


def _differing(f: Formula, operands: list[Array], dtype: Any) -> Iterator[Array]:
    results = compiled.evaluate(f, operands, dtype)
    assert results is not None
    found = zip(results, numpys(f, operands, dtype), _slack(f, operands, dtype), strict=True)
    texts = [FUNCTIONS[e.function].cuda for e in ordered(lowered(f.outputs)) if e.args]
    special = any(name in text for name in host._SINGLY for text in texts)
    for a, b, slack in found:
        if special:  # of which SciPy's lose more, near zeros above all
            slack = slack + 32 * np.finfo(dtype).eps * (1 + np.abs(b))
        b = np.broadcast_to(b, a.shape)
        if a.dtype == bool:
            near = a == b
        else:
            with np.errstate(all="ignore"):
                near = np.abs(a - b) <= ULPS * np.spacing(np.abs(b)) + 2 * slack
            near |= (a == b) | (np.isnan(a) & np.isnan(b))
            near &= (a != 0) | (np.signbit(a) == np.signbit(b)) | (slack > 0)
        if not near.all():
            yield a[~near]


def _slack(f: Formula, operands: list[Array], dtype: Any) -> list[Array]:
    """Return by how much outputs change where each function in a formula is some units off."""
    found = numpys(f, operands, dtype)
    most = [np.zeros_like(a, dtype) for a in found]
    f = Formula(f.name, f.inputs, lowered(f.outputs))  # of the functions that C++ has
    for seed in range(2):
        rng = np.random.default_rng(seed)
        functions = {n: _off(function, rng, dtype) for n, function in cpu.FUNCTIONS.items()}
        with np.errstate(all="ignore"):
            others = f.compiled(functions | {"where": np.where})(*operands)
            others = others if isinstance(others, tuple) else (others,)
            for k, (a, b) in enumerate(zip(found, others, strict=True)):
                if a.dtype != bool:
                    change = np.abs(a - b)
                    most[k] = np.where(np.isfinite(change), np.maximum(most[k], change), most[k])
    return most


def _off(function: Any, rng: np.random.Generator, dtype: Any) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if np.asarray(result).dtype != dtype:
            return result
        sign = rng.choice((-ULPS, ULPS), np.shape(result))
        return (result * (1 + sign * np.finfo(dtype).eps)).astype(dtype)

    return called if callable(function) else function


def wide(dtype: Any) -> Array:
    """Return numbers of every size, and what is none."""
    known = np.finfo(dtype)
    least, most = np.log10([known.smallest_subnormal, known.max])
    with np.errstate(all="ignore"):
        parts: list[Any] = [
            10 ** np.linspace(least, most, 2000),
            np.linspace(0, 20, 2000), np.linspace(0, 800, 4000),
            1 + np.linspace(-1e-3, 1e-3, 500), [0, np.inf, known.max, known.tiny],
        ]  # fmt: skip
        x = np.concatenate(parts).astype(dtype)
    return np.concatenate([x, -x, [np.nan]], dtype=dtype)


@pytest.mark.parametrize("name", ["log", "log2", "log1p", "acos", "asin", "atanh", "acosh"])
def test_functions_at_the_edges_of_their_domains(name: str, always: None) -> None:
    """A value there, or beyond, that is another one than the C library's."""
    function = FUNCTIONS[name].python.partition("(")[0]
    for dtype in map(np.dtype, (np.float32, np.float64)):
        known: Any = np.finfo(dtype)
        near = [1 - known.eps, 1 + known.eps, known.smallest_subnormal, known.tiny, 0.0, 2, 1]
        x = np.array([*near, np.inf, *np.negative([*near, np.inf]), np.nan], dtype)
        (found,) = compiled.evaluate(formula(f"{name}(x)"), [x], dtype) or ()
        with np.errstate(all="ignore"):
            expected = getattr(np, function)(x)
        np.testing.assert_array_max_ulp(found, expected, ULPS)
        assert (np.signbit(found) == np.signbit(expected))[~np.isnan(expected)].all()


@FLOATS
def test_functions_of_numbers_of_every_size(dtype: Any, always: None) -> None:
    """A function that is right in the middle of its range only, or at no infinity."""
    names = [n for n in host.MATHEMATICS if n in FUNCTIONS]
    formulas = {n: formula(f"{n}({', '.join('xy'[: host.arguments(n)])})") for n in names}
    loops.build(formulas.values(), dtype)
    x = wide(dtype)
    y = np.random.default_rng(0).permutation(x)
    for name, f in formulas.items():
        operands = [x, y][: len(f.inputs)]
        (result,) = compiled.evaluate(f, operands, dtype) or ()
        double = [a.astype(np.float64) for a in operands]
        (expected,) = numpys(f, double, np.dtype(np.float64))
        if name == "erfc":  # of which SciPy's loses hundreds of units
            expected = np.array([math.erfc(v) for v in x])
        with np.errstate(all="ignore"):
            near = np.abs(result - expected) <= ULPS * np.spacing(np.abs(expected).astype(dtype))
            expected = expected.astype(dtype)
        near |= (result == expected) | (np.isnan(result) & np.isnan(expected))
        near &= (np.signbit(result) == np.signbit(expected)) | np.isnan(result)
        worst = [operand[~near][:3] for operand in operands]
        assert near.all(), (name, worst, result[~near][:3], expected[~near][:3])


def test_remainders_are_exact(always: None) -> None:
    """A quotient that is rounded up to a whole number, or is of more bits than a number has."""
    random, single = np.random.default_rng(0), np.dtype(np.float32)
    ends = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 2**-149], single)
    first, second = (a.ravel() for a in np.meshgrid(ends, ends))
    some = random.uniform(-100, 100, 20_000).astype(single)
    parts = (some / random.integers(1, 1 << 26, some.size)).astype(single)
    x, y = wide(single), random.permutation(wide(single))
    x = np.concatenate([first, x, some, some])
    y = np.concatenate([second, y, parts, np.nextafter(parts, single.type(0))])
    (found,) = compiled.evaluate(OPS["fmod"].formula, [x, y], single) or ()
    with np.errstate(all="ignore"):
        expected = np.fmod(x, y)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found[x == x]), np.signbit(expected[x == x]))


@FLOATS
def test_neighbours_of_numbers_of_every_size(dtype: Any, always: None) -> None:
    """A step over 0, to infinity, or from nan."""
    x = wide(dtype)
    ends = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0], dtype)
    first, second = (a.ravel() for a in np.meshgrid(ends, ends))
    x, y = np.concatenate([first, x, x]), np.concatenate([second, x[::-1], x])
    (result,) = compiled.evaluate(OPS["neighbour"].formula, [x, y], dtype) or ()
    np.testing.assert_array_equal(result, expected := np.nextafter(x, y))
    assert (np.signbit(result) == np.signbit(expected))[~np.isnan(expected)].all()


# --------------------------------------------------------------------------- operands

X, Y = (np.random.default_rng(k).standard_normal((40, 60)) for k in (0, 1))
ROW, COLUMN, NUMBER = Y[0], Y[:, :1], np.array(0.7)

OPERANDS: dict[str, Callable[[Array], tuple[Array, ...]]] = {
    "plain": lambda x: (x, x + 1),
    "number": lambda x: (x, x.dtype.type(0.7)),
    "number first": lambda x: (np.array(0.7, x.dtype), x),
    "row": lambda x: (x, x[0]),
    "column": lambda x: (x, x[:, :1]),
    "row and column": lambda x: (x[:, :1], x[0]),
    "transposed": lambda x: (x.T.copy().T, x.T.copy().T + 1),
    "transposed and plain": lambda x: (x.T.copy().T, x),
    "transposed and row": lambda x: (x.T, x[:, 0]),
    "gaps": lambda x: (x[::2, ::3], x[1::2, 1::3]),
    "backwards": lambda x: (x[::-1], x[:, ::-1]),
    "turned around": lambda x: (x[::-1, ::-1], x[::-1, ::-1]),
    "flat and backwards": lambda x: (x.ravel(), x.ravel()[::-1]),
    "one number under many": lambda x: (np.broadcast_to(x[0, 0], x.shape), x),
    "rows of one array": lambda x: (np.broadcast_to(x[0], x.shape), x[:, :1]),
    "three dimensions": lambda x: (x.reshape(8, 5, 60), x[:8, None, :1]),
    "dimensions in another order": lambda x: (x.reshape(8, 5, 60).transpose(2, 0, 1), x[0, 0]),
    "short rows": lambda x: (x.reshape(800, 3), x[0, :3]),
    "many dimensions": lambda x: (x.reshape(2, 4, 5, 3, 4, 5), x[:5, :15].reshape(5, 3, 1, 5)),
    "a dimension of one": lambda x: (x[:, None], x[:1, None]),
    "unaligned": lambda x: (np.frombuffer(b"1" + x.tobytes(), x.dtype, offset=1), x.ravel()),
    "other types": lambda x: (x, x > 0),
}


@FLOATS
@pytest.mark.parametrize("case", OPERANDS)
def test_operands_may_lie_in_any_way(case: str, dtype: Any, always: None) -> None:
    """Elements that are read in a wrong place, and results that lie otherwise than NumPy's."""
    operands = OPERANDS[case](X.astype(dtype))
    f = formula("exp(x) * y")
    (result,) = compiled.evaluate(f, operands, dtype) or ()
    (expected,) = numpys(f, operands, dtype)
    assert result.dtype == dtype
    assert result.strides == expected.strides
    np.testing.assert_allclose(result, expected, 10 * np.finfo(dtype).eps)


def test_a_result_does_not_depend_on_where_it_is(always: None) -> None:
    """The last elements, of which there are fewer than a vector has."""
    x = np.resize(X, 5000)
    f = formula("sin(x) * exp(x)")
    (whole,) = compiled.evaluate(f, [x], x.dtype) or ()
    for n in (1, 63, 64, 65, 1023, 1025, 4999):
        (part,) = compiled.evaluate(f, [x[:n].copy()], x.dtype) or ()
        assert (part == whole[:n]).all()


# --------------------------------------------------------------------------- sums

SUMS = [
    ((100_000,), ()), ((300, 400), (1, 400)), ((300, 400), (300, 1)), ((300, 400), ()),
    ((30, 40, 50), (40, 1)), ((30, 40, 50), (30, 1, 1)), ((30, 40, 50), (1, 40, 1)),
    ((30, 40, 50), (30, 1, 50)), ((2, 30_000), (2, 1)), ((30_000, 2), (2,)), ((5000, 3), (5000, 1)),
    ((3, 2000, 3), (3, 1, 3)), ((4, 1, 3000), (4, 1, 1)), ((700, 1500), (1500,)), ((1, 7), (7,)),
    ((6, 5, 4, 30), (6, 1, 4, 1)), ((6, 5, 4, 30), (1, 5, 1, 30)), ((2000, 1), (2000, 1)),
]  # fmt: skip


@FLOATS
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("shape", "kept"), SUMS, ids=str)
def test_sums(
    shape: tuple[int, ...], kept: tuple[int, ...], transposed: bool, dtype: Any, always: None
) -> None:
    """A sum over wrong elements, or less precise than sums of pairs are."""
    x, y = (np.random.default_rng(k).standard_normal(shape).astype(dtype) for k in (0, 1))
    if transposed:
        x, y = x.T.copy().T, y.T.copy().T
    f = formula("x * y")
    (result,) = compiled.evaluate(f, [x, y], dtype, kept) or ()
    exact, sizes = (numpys(f, [a, b], np.dtype(np.float64), kept)[0] for a, b in (
        (x.astype(np.float64), y.astype(np.float64)),
        (abs(x).astype(np.float64), abs(y).astype(np.float64)),
    ))  # fmt: skip
    assert result.shape == exact.shape
    assert result.dtype == dtype
    assert (np.abs(result - exact) <= 4 * np.finfo(dtype).eps * sizes).all()


def test_sums_of_many_equal_numbers_lose_little(always: None) -> None:
    """Numbers that are added up one after the other."""
    x = np.full((1 << 20, 4), 0.1, np.float32)
    for kept in (), (4,):
        (result,) = compiled.evaluate(formula("x * y"), [x, x], x.dtype, kept) or ()
        exact = np.float64(np.float32(0.1) * np.float32(0.1)) * (x.size // np.size(result))
        assert np.max(np.abs(result - exact) / exact) < 8 * np.finfo(np.float32).eps


@FLOATS
def test_one_pass_stores_one_output_and_sums_another(dtype: Any, always: None) -> None:
    """A gradient that is written where the sum of another one goes."""
    x, y, g = X.astype(dtype), ROW.astype(dtype), Y.astype(dtype)
    for needs, summed in ((True, True), 1), ((True, True), 0):
        f = formula("tanh(x) * y").vjp(needs, (True,)).formula
        values = {"g": g, "x": x, "y": y} if summed else {"g": g, "x": ROW.astype(dtype), "y": x}
        operands = [values[str(v.value)] for v in f.inputs]
        found = compiled.evaluate(f, operands, dtype, (60,), summed) or ()
        expected = numpys(f, operands, dtype, (60,), summed=summed)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, 1e3 * np.finfo(dtype).eps, 1e2 * np.finfo(dtype).eps)


# --------------------------------------------------------------------------- halves

HALVES = pytest.mark.parametrize("half", ["float16", "bfloat16"])


@HALVES
def test_halves_are_read_and_rounded_to_the_last_bit(half: str, always: None) -> None:
    """A half that is another number, and a number that is rounded otherwise than NumPy does."""
    dtype = numpys_type(half)
    x = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    rng = np.random.default_rng(0)
    sizes = (rng.uniform(-1, 1, x.size) * 10.0 ** rng.uniform(-9, 9, x.size)).astype(np.float32)
    for y in (np.array(1, dtype), np.array(1.0371, np.float32), sizes):
        (found,) = compiled.evaluate(formula("x * y"), [x, y], dtype) or ()
        with np.errstate(all="ignore"):
            expected = (x.astype(np.float32) * y.astype(np.float32)).astype(dtype)
            nan = np.isnan(expected)
        assert found.dtype == dtype
        assert np.isnan(found[nan]).all()
        assert (found.view(np.uint16) == expected.view(np.uint16))[~nan].all()


@HALVES
@pytest.mark.parametrize("case", OPERANDS)
def test_halves_may_lie_in_any_way(case: str, half: str, always: None) -> None:
    dtype = numpys_type(half)
    x = X.astype(np.float32)
    operands = [
        o if o.dtype == bool else o.astype(dtype) for o in map(np.asarray, OPERANDS[case](x))
    ]
    if case == "unaligned":
        operands[0] = np.frombuffer(b"1" + operands[1].tobytes(), dtype, offset=1)
    f = formula("tanh(x) * y")
    (found,) = compiled.evaluate(f, operands, dtype) or ()
    wide = [o if o.dtype == bool else o.astype(np.float32) for o in operands]
    (expected,) = compiled.evaluate(f, wide, np.dtype(np.float32)) or ()
    assert (found == expected.astype(dtype)).all()


@HALVES
@pytest.mark.parametrize(("kept", "axes"), [((), (0, 1)), ((60,), (0,)), ((400, 1), (1,))])
def test_halves_are_added_up_in_single_precision(
    kept: Any, axes: Any, half: str, always: None
) -> None:
    """Sums that are rounded at each step."""
    dtype = numpys_type(half)
    x = np.resize(X, (400, 60)).astype(dtype)
    for f, exact in (
        (formula("x * x"), np.square(x.astype(np.float64)).sum(axes)),
        (reductions._ITSELF, x.astype(np.float64).sum(axes)),
    ):
        (found,) = compiled.evaluate(f, [x], dtype, kept) or ()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.reshape(exact.shape), exact, 1e-5, 1e-4)
    assert reductions.sum(x, axes, False, dtype).dtype == dtype


def numpys_type(name: str) -> Any:
    return gpugrad.ones(1, dtype=getattr(gpugrad, name)).array.dtype


# --------------------------------------------------------------------------- threads


@pytest.fixture
def shared(always: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Share every array out to threads."""
    monkeypatch.setattr(compiled, "_SHARED", 1)
    monkeypatch.setattr(compiled, "_SHARE", 1)
    before = gpugrad.get_num_threads()
    yield
    gpugrad.set_num_threads(before)


@pytest.mark.parametrize("kept", [None, (), (500,), (400, 1)])
def test_threads_change_no_bit(kept: Any, shared: None) -> None:
    """Elements that no thread computes, and sums in another order."""
    x, y = (np.random.default_rng(k).standard_normal((400, 500)) for k in (0, 1))
    results: list[Array] = []
    for count in 1, 2, 3, 64:
        gpugrad.set_num_threads(count)
        results += compiled.evaluate(formula("exp(x) * y"), [x, y], x.dtype, kept) or ()
    assert len(results) == 4
    assert all((r == results[0]).all() for r in results)


@pytest.mark.pytorch
@pytest.mark.parametrize("count", ["0", "-1", "2.0", "'2'", "True", "None", "3"])
def test_threads_are_set_as_in_pytorch(count: str) -> None:
    before = gpugrad.get_num_threads()
    try:
        comparison.agree_on(f"torch.set_num_threads({count})\ntorch.get_num_threads()", "cpu")
    finally:
        gpugrad.set_num_threads(before)


# --------------------------------------------------------------------------- in place


def test_results_are_written_where_nothing_is_read_any_more(always: None) -> None:
    """An operand that is overwritten before it is read."""
    for case in "same", "shifted", "row", "transposed", "number":
        x = np.arange(16.0).reshape(4, 4) / 8
        y = {
            "same": x, "shifted": x.ravel()[:-1], "row": x[1], "transposed": x.T, "number": x[1, 1]
        }[case]  # fmt: skip
        out = x.ravel()[1:] if case == "shifted" else x
        f = formula("exp(x) * y")
        (expected,) = numpys(f, [out.copy(), y.copy()], x.dtype)
        evaluation.evaluate(f, [out, np.asarray(y)], x.dtype, (x.dtype,), out=out)
        np.testing.assert_allclose(out, expected, 1e-14)


# --------------------------------------------------------------------------- operations

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "cross entropy": lambda x, y: x.clamp(min=0) - x * y + gpugrad.log1p((-x.abs()).exp()),
    "power": lambda x, y: x.abs() ** y,
    "row": lambda x, y: (x * y[0]).tanh() * y[0],
    "column": lambda x, y: gpugrad.sigmoid(x[:, :1] * y),
    "transposed": lambda x, y: (x.T.exp() + y.T).sin(),
    "second": lambda x, y: autograd.grad((x**3 * y.sin()).sum(), x, create_graph=True)[0] * y,
    "mean": lambda x, y: gpugrad.nn.functional.mse_loss(x, y) * x.mean(0)
    if hasattr(gpugrad.nn.functional, "mse_loss") else (x - y).square().mean(0),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_with_large_arrays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backward that a loop does not fit: its types, shapes, or what is handed on."""

    def results() -> list[Array]:
        x, y = (gpugrad.tensor(np.resize(a, (300, 200))).requires_grad_() for a in (X, Y))
        out = PROGRAMS[name](x, y)
        return [out.detach().array, *(g.array for g in autograd.grad(out.sum(), (x, y)))]

    found = results()
    assert not loops._refused
    monkeypatch.setattr(compiled, "evaluate", lambda *_: None)
    for a, b in zip(found, results(), strict=True):
        np.testing.assert_allclose(a, b, 1e-12, 1e-12)


LARGE_RESULTS: dict[str, Callable[[Any, Any], Any]] = {
    "column and row": lambda x, y: gpugrad.logaddexp(x[:250, None], y[:250]),
    "of several types": lambda x, y: gpugrad.logaddexp(x[:250, None].float(), y[:250]),
    "of three": lambda x, y: gpugrad.addcmul(x[:1], x[:250, None], y[:250]),
    "logic": gpugrad.logical_and,
    "neighbours": gpugrad.nextafter,
    "backwards": lambda x, y: gpugrad.flip(x, 0),
}


@pytest.mark.parametrize("name", LARGE_RESULTS)
def test_large_results_have_loops(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operands of few elements that give many, and what is no number."""
    runs: list[Any] = []
    run = compiled._run

    def noted(*args: Any) -> int:
        runs.append(args)
        return run(*args)

    monkeypatch.setattr(compiled, "_run", noted)
    x, y = (gpugrad.tensor(np.resize(np.abs(a), 40_000)) for a in (X, Y))
    LARGE_RESULTS[name](x, y)
    assert runs


@pytest.mark.parametrize("kind", ["int16", "int32", "float64", "complex64"])
def test_copies_of_what_lies_backwards(kind: str) -> None:
    x = np.arange(60_000).astype(kind).reshape(200, 300)
    for turned in x[:, ::-1], x[::-1, ::-1], x.T[:, ::-1], x[:, ::2][:, ::-1], x.ravel()[::-1]:
        copied = cpu.copy(turned, "C")
        assert copied.dtype == x.dtype
        assert copied.flags.c_contiguous
        np.testing.assert_array_equal(copied, turned)


@pytest.mark.parametrize("exponent", [2, 4, 5, 2.5, -1])
def test_powers_of_one_exponent_are_numpys(exponent: float) -> None:
    """A fourth power by logarithms: slower than by products, and not exact."""
    x = gpugrad.tensor(np.arange(-50_000.0, 50_000.0)).requires_grad_()
    power = OPS["power"].formula
    y = np.array(float(exponent))
    assert compiled.evaluate(power, [x.array, y], x.array.dtype) is None
    (gradient,) = power.vjp((True, False), (True,)).formula.part((0,))[:1]
    operands = {"g": np.ones_like(x.array), "x": x.array, "y": y}
    arrays = [operands[str(v.value)] for v in gradient.inputs]
    assert compiled.evaluate(gradient, arrays, x.array.dtype) is None


def test_small_arrays_have_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small program that waits for a compiler."""
    monkeypatch.setattr(compiled, "_run", None)
    x = gpugrad.ones(compiled.LEAST - 1, requires_grad=True)
    (x.exp() * x).tanh().sum().backward()


# --------------------------------------------------------------------------- building

PROGRAM = """
import hashlib, gpugrad
x = gpugrad.arange(40000.0).div(40000).requires_grad_()
x.sigmoid().erf().sum().backward()
print(hashlib.sha256(x.grad.array.tobytes()).hexdigest())
gpugrad.show_config()
"""


def started(folder: Any, **variables: str) -> subprocess.Popen[str]:
    known = {**os.environ, "GPUGRAD_CACHE_DIR": str(folder), "GPUGRAD_COMPILE": "1", **variables}
    command = [sys.executable, "-c", PROGRAM]
    root = Path(__file__).parents[1]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=known, stdout=pipe, stderr=pipe, text=True, cwd=root)


def said(process: subprocess.Popen[str]) -> list[str]:
    out, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    return out.splitlines()


def test_what_was_built_is_kept_and_what_is_broken_built_again(tmp_path: Path) -> None:
    first, second = started(tmp_path), started(tmp_path)  # at once
    bits, *_ = said(first)
    assert said(second)[0] == bits
    files = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert len(files) == 4  # the frames, the pool, and two formulas with their gradients
    broken = sorted(tmp_path.iterdir())[1]
    broken.write_bytes(broken.read_bytes()[:-100])
    result = said(started(tmp_path))
    assert result[0] == bits
    assert f"kept in {tmp_path}" in result[2]
    again = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert {name for name in files if files[name] != again[name]} == {broken.name}
    assert files.keys() == again.keys()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"GPUGRAD_COMPILE": "0"}, "none but NumPy's. GPUGRAD_COMPILE=0"),
        ({"CXX": "no-such-compiler"}, "none but NumPy's. there is no compiler: no-such-compiler"),
        ({"CXX": "false"}, "none but NumPy's. /"),
        ({"GPUGRAD_CACHE_DIR": "/dev/null/folder"}, "kept in /"),
    ],
    ids=["off", "none", "failing", "no folder"],
)
def test_without_a_compiler_or_a_folder(
    variables: dict[str, str], says: str, tmp_path: Path
) -> None:
    result = said(started(tmp_path, **variables))
    assert says in result[2]
    assert not list(tmp_path.iterdir())


def driver(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_a_compiler_of_c_is_taken_if_it_builds_c_plus_plus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is taken without being asked, and one that is there but not found."""
    known = compiler.found().command[0]
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    driver(tmp_path, "gcc", "exit 1")
    says = compiler._found.__wrapped__()
    assert isinstance(says, str)
    assert says.startswith("there is no compiler: c++ or g++ or cc or gcc or clang++ or clang; ")
    assert str(tmp_path / "gcc") in says
    clang = driver(tmp_path, "clang", f'exec {known} "$@"')
    says = compiler._found.__wrapped__()
    assert not isinstance(says, str)
    assert says.command == (str(clang),)
    own = driver(tmp_path, "own", f'exec {known} "$@"')
    monkeypatch.setenv("CC", f"{own} -g")
    says = compiler._found.__wrapped__()
    assert not isinstance(says, str)
    assert says.command == (str(own), "-g")
    monkeypatch.setenv("CC", str(own))  # with other options other files are built
    other = compiler._found.__wrapped__()
    assert not isinstance(other, str)
    assert other.key != says.key


def test_the_older_half_of_too_many_files_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "MOST_FILES", 4)
    for k in range(5):
        file = tmp_path / f"{k}.so"
        file.touch()
        os.utime(file, (k, k))
    compiler._thin_out(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2.so", "3.so", "4.so"]


def test_a_text_that_the_compiler_refuses_is_told() -> None:
    with pytest.raises(compiler.BuildError, match="error"):
        compiler.built("this is no C++")
