"""NumPy's side of the door: large arrays, blocks, sums of gradients."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad
from gpugrad.backend import blocks, cpu, elementary, evaluation, large, many
from gpugrad.backend.quiet import BUFFER
from gpugrad.errors import summed_axes
from gpugrad.formulas import Formula
from gpugrad.op import OPS, Pointwise
from gpugrad.op.generated import pointwise

Array = Any
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 3.5, -3.5, 1e-30, -1e30, 5e-324]


def random(*shape: int, dtype: Any = np.float64, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def special(dtype: Any) -> Array:
    """Return zeros, infinities, nan and numbers among them, many of each."""
    with np.errstate(over="ignore"):
        return np.resize(np.array(SPECIAL).astype(dtype), large.LARGE)


def same_bits(result: Array, expected: Array) -> bool:
    """Tell whether two arrays are equal, signs of zeros and nans included."""
    assert result.dtype == expected.dtype
    nans = np.isnan(expected)
    signs = np.signbit(result) == np.signbit(expected)
    return bool(np.all((np.isnan(result) & nans) | ((result == expected) & signs)))


def eps_between(result: Array, expected: Array) -> float:
    """Return the largest relative difference, in units of the type's eps."""
    with np.errstate(all="ignore"):
        found = np.abs((result.astype(np.float64) - expected) / expected)
    return float(np.nanmax(found) / np.finfo(result.dtype).eps)


# --------------------------------------------------------------------------- large arrays


@FLOATS
@pytest.mark.parametrize("kind", ["zero second", "zero first", "number", "two arrays", "scalar"])
@pytest.mark.parametrize("condition_shape", [(40, 50), (50,), (40, 1), (1, 1)])
def test_where_chooses_bits(dtype: Any, kind: str, condition_shape: tuple[int, ...]) -> None:
    x, y = (np.resize(special(dtype)[k:], (40, 50)) for k in (0, 1))
    operands: dict[str, tuple[Any, Any]] = {
        "zero second": (x, 0),
        "zero first": (0, x),
        "number": (x, -math.inf),
        "two arrays": (x, y),
        "scalar": (dtype(0.1), x),
    }
    condition = random(*condition_shape) > 0

    result = large.where(condition, *operands[kind])

    assert same_bits(result, np.where(condition, *operands[kind]))
    assert result.base is None  # memory of its own, which a gradient may be added to


def test_where_leaves_other_operands_to_numpy() -> None:
    condition, x = random(40, 50) > 0, random(40, 50)

    pairs: list[tuple[Any, Any]] = [
        (x, x[0]),
        (x.astype(np.float32), x),
        (x > 0, x < 1),
        (np.float64(1), np.float64(2)),
        (x * 1j, 0),
        (1, 0),
    ]
    for pair in pairs:
        expected = np.where(condition, *pair)
        result = large.where(condition, *pair)
        assert result.dtype == expected.dtype
        assert np.array_equal(result, expected)
    for truth in (True, np.False_, np.array(True)):
        result = large.where(truth, x, 0)
        assert np.array_equal(result, np.where(truth, x, 0))
        assert not np.shares_memory(result, x)
    assert np.array_equal(large.where(condition, x[0], 0), np.where(condition, x[0], 0))


@FLOATS
@pytest.mark.parametrize("bound", [0, 1.5, math.inf, -math.inf, math.nan])
def test_maximum_and_minimum_with_a_number(dtype: Any, bound: float) -> None:
    x = special(dtype)

    for number in (bound, dtype(bound), np.array(bound, dtype)):
        assert np.array_equal(large.maximum(x, number), np.maximum(x, number), equal_nan=True)
        assert np.array_equal(large.minimum(x, number), np.minimum(x, number), equal_nan=True)
        assert large.maximum(x, number).dtype == x.dtype


@FLOATS
@pytest.mark.parametrize(
    "exponent", [-5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 8, 0.5, 2.5, -1.5, math.inf]
)
def test_powers_of_one_exponent_keep_signs_and_singular_points(dtype: Any, exponent: float) -> None:
    x = special(dtype)

    with np.errstate(all="ignore"):
        for y in (exponent, dtype(exponent), np.array(exponent, dtype)):
            result, expected = large.power(x, y), np.power(x, dtype(exponent))
            infinite = ~np.isfinite(expected) | (expected == 0)
            assert same_bits(result[infinite], expected[infinite])
            assert np.all(np.isfinite(result[~infinite]))


@pytest.mark.parametrize("exponent", [-1, 0.5, 2, 3, 4, 5, 2.5])
def test_powers_of_arrays_without_dimensions(exponent: float) -> None:
    assert large.power(np.array(4.0), exponent) == 4.0**exponent
    assert large.power(np.float64(4), exponent) == 4.0**exponent


@FLOATS
@pytest.mark.parametrize("exponent", [-3, -1, 2, 3, 4, 5, 8])
def test_powers_are_accurate(dtype: Any, exponent: int) -> None:
    x = random(10_000, dtype=dtype) + dtype(0.01)
    exact = x.astype(np.longdouble) ** exponent

    # 3 roundings at most by multiplication; NumPy's own float32 and float64 powers have 1.2 eps
    assert eps_between(large.power(x, dtype(exponent)), exact) <= 1.5


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(-1.6, 1.6, 20_011),
        np.linspace(-1e5, 1e5, 20_011),
        np.arange(-9000, 9000) * math.pi,
        (np.arange(-9000, 9000) + 0.5) * math.pi,
        (np.arange(9000) + 0.5) * math.pi + np.logspace(-16, -1, 9000),
        np.logspace(-300, 300, 20_011),
        np.array(SPECIAL * 1000),
    ],
    ids=["small", "wide", "zeros of sin", "zeros of cos", "near them", "all scales", "special"],
)
def test_sines_and_cosines_are_accurate(x: Array) -> None:
    with np.errstate(invalid="ignore"):
        for function, numpys, bound in ((large.sin, np.sin, 1.5), (large.cos, np.cos, 2.0)):
            expected = numpys(x)
            result = function(x)
            nans = np.isnan(expected)
            assert np.array_equal(np.isnan(result), nans)
            assert np.array_equal(np.signbit(result[~nans]), np.signbit(expected[~nans]))
            zero = np.abs(expected) < np.finfo(float).tiny  # x / 2 loses a bit of a subnormal x
            assert np.all(np.abs(result - expected)[zero] <= 5e-324)
            # NumPy's own are right to 0.5 eps
            assert eps_between(result[~zero & ~nans], expected[~zero & ~nans]) <= bound + 0.5


def test_sine_keeps_shape_and_leaves_other_layouts_to_numpy() -> None:
    x = random(3, blocks.BLOCK)

    assert large.sin(x).shape == x.shape
    assert np.array_equal(large.sin(x.T), np.sin(x.T))
    assert large.cos(x.astype(np.float32)).dtype == np.float32


def formulas() -> list[Formula]:
    """Return the formulas of all elementwise operations on floats, and their gradients."""
    found = []
    for op in OPS.values():
        if isinstance(op, Pointwise) and op.promotion not in ("integer", "whole"):
            found.append(op.formula)
            product = op.formula.vjp((True,) * len(op.formula.inputs), (True,))
            if product.targets:
                found.append(product.formula)
    return found


def operands_of(formula: Formula, *shape: int, dtype: Any = np.float64) -> list[Array]:
    return [
        random(*shape, seed=k) > 0 if v.kind == "bool" else random(*shape, dtype=dtype, seed=k)
        for k, v in enumerate(formula.inputs)
    ]


@choice.each("formula", formulas())
def test_large_arrays_have_the_values_of_small_ones(formula: Formula) -> None:
    dtype = np.dtype(float)
    arrays = operands_of(formula, large.LARGE)
    results = [np.dtype(bool) if e.kind == "bool" else dtype for e in formula.outputs]

    of_many = cpu.evaluate(formula, arrays, dtype, results)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(evaluation, "LARGE", 10 * large.LARGE)
        of_few = cpu.evaluate(formula, arrays, dtype, results)

    for found, expected in zip(of_many, of_few, strict=True):
        # a few eps for each function, more where differences cancel, as x * cos(x) - sin(x) near 0
        few = 5e-12 if formula.name == "sinc_vjp" else 1e-14
        assert np.allclose(found, expected, rtol=1e-13, atol=few, equal_nan=True)


# --------------------------------------------------------------------------- blocks


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    def choose(blocks: bool) -> None:
        monkeypatch.setattr(evaluation, "IN_BLOCKS", 1 if blocks else 1 << 60)
        monkeypatch.setattr(evaluation, "LARGE", 1)
        monkeypatch.setattr(evaluation, "_BLOCK", 24)

    return choose


SOME = [f for f in formulas() if evaluation._compiled(f, False).steps >= 4]


@choice.each("formula", SOME)
@pytest.mark.parametrize("others", ["full", "rows", "columns", "numbers"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_blocks_give_the_same_numbers(
    formula: Formula, others: str, dtype: Any, small_blocks: Callable[[bool], None]
) -> None:
    index: Any = {"full": ..., "rows": 0, "columns": np.s_[:, :1], "numbers": (0, 0)}[others]
    first, *rest = operands_of(formula, 7, 5, dtype=dtype)  # in a gradient g has the full shape
    arrays = [first, *(a[index] for a in rest)]
    results = [np.dtype(bool) if e.kind == "bool" else np.dtype(dtype) for e in formula.outputs]
    found = []
    for divided in (False, True):
        small_blocks(divided)
        found.append(cpu.evaluate(formula, arrays, np.dtype(dtype), results))

    for whole, in_blocks in zip(*found, strict=True):
        assert whole.shape == in_blocks.shape
        assert same_bits(in_blocks, whole)


@pytest.mark.parametrize("sum_to", [(), (5,), (1, 5), (7, 1), (1, 1)])
@pytest.mark.parametrize("transposed", [False, True])
def test_sums_in_blocks(
    sum_to: Any, transposed: bool, small_blocks: Callable[[bool], None]
) -> None:
    formula = OPS["true_divide"].formula
    x = random(5, 7).T if transposed else random(7, 5)
    found: list[Array] = []
    for divided in (False, True):
        small_blocks(divided)
        found += cpu.evaluate(formula, [x, x[:1] + 5], x.dtype, [np.dtype(np.float32)], sum_to)

    assert [f.shape for f in found] == [sum_to, sum_to]
    assert [f.dtype for f in found] == [np.float32, np.float32]
    assert np.allclose(found[0], found[1], rtol=1e-6)


def test_gradients_of_many_elements_are_summed_as_those_of_few() -> None:
    """Also constant ones: the sign of ``copysign`` has the gradient 0."""
    rng = np.random.default_rng(0)
    constant = False
    for op in OPS.values():
        count = len(op.formula.inputs)
        if count < 2 or not op.specializes:
            continue
        for k in range(count):
            found = op.formula.vjp([j == k for j in range(count)], (True,))
            if not found.targets:
                continue
            constant = constant or not found.formula.outputs[0].args
            arrays = [rng.uniform(0.5, 1.5, (80, 80)) for _ in found.sources]
            expected = cpu.sum_to_shape(cpu.function_of(found.formula)(*arrays), (1, 80))
            sums = cpu.summed(found.formula, arrays, (1, 80))
            assert np.allclose(sums, expected, 1e-9, 0, equal_nan=True), (op.name, k)
    assert constant
    x, sign = gpugrad.ones(80, 1, requires_grad=True), gpugrad.ones(80, requires_grad=True)
    gpugrad.copysign(x, sign).sum().backward()
    assert sign.grad is not None
    assert not sign.grad.any()


# --------------------------------------------------------------------------- sums


@FLOATS
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((100_000,), (0,)),
        ((100, 1100), (0, 1)),
        ((300, 100), (1,)),
        ((30, 2500), (1,)),
        ((20, 30, 40), (2, 1)),
        ((300, 100), (0,)),
        ((100_000, 3), (0,)),
        ((3000, 1000), (0,)),
        ((20, 30, 40), (0, 1)),
        ((20, 30, 40), (1,)),
        ((20, 30, 40), ()),
    ],
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_and_means(dtype: Any, shape: Any, axes: Any, keepdims: bool) -> None:
    x = np.random.default_rng(0).random(shape).astype(dtype)
    exact = np.sum(x, axis=axes, keepdims=keepdims, dtype=np.longdouble)
    count = math.prod(shape[k] for k in axes)

    total = cpu.sum(x, axes, keepdims, np.dtype(dtype))
    mean = cpu.mean(x, axes, keepdims, np.dtype(dtype))

    assert total.dtype == mean.dtype == dtype
    assert total.shape == mean.shape == exact.shape
    # NumPy's pairwise sum has 2 eps here; its sum of 100,000 rows has 50
    assert eps_between(total, exact) <= 12
    assert eps_between(mean, exact / count) <= 12


@FLOATS
def test_one_sum_is_as_accurate_as_numpys(dtype: Any) -> None:
    x = np.random.default_rng(0).random(3_000_000).astype(dtype)
    exact = math.fsum(x)

    assert abs(float(cpu.sum(x, (0,), False, x.dtype)) / exact - 1) <= 2 * np.finfo(dtype).eps


def test_sums_of_nothing_and_of_infinities() -> None:
    x = np.full((2000, 20), np.inf, np.float32)
    x[3, 4] = np.nan
    dtype = x.dtype

    assert np.array_equal(cpu.sum(x, (0,), False, dtype), x.max(0), equal_nan=True)
    assert np.array_equal(cpu.sum(x, (1,), False, dtype), x.max(1), equal_nan=True)
    assert cpu.sum(x[:0], (0,), False, dtype).tolist() == [0.0] * 20
    assert np.isnan(cpu.mean(x[:0], (0,), False, dtype)).all()
    assert cpu.sum(x[:, :0], (0, 1), True, dtype).shape == (1, 1)


def test_float16_sums_in_float32() -> None:
    x = np.ones(5000, np.float16)

    assert cpu.sum(x, (0,), False, x.dtype) == 5000
    assert cpu.mean(x, (0,), True, x.dtype).tolist() == [1]


# --------------------------------------------------------------------------- gradients added up


@pytest.mark.parametrize("count", [2, 3, 300])
@pytest.mark.parametrize("length", [4, 2000])
@pytest.mark.parametrize("owned", [False, True])
def test_add_all_writes_to_no_array_but_the_first(count: int, length: int, owned: bool) -> None:
    arrays = [random(length, seed=k) for k in range(count)]
    before = [a.copy() for a in arrays]

    total = cpu.add_all(arrays, owned)

    assert np.allclose(total, np.sum(before, axis=0), rtol=1e-12)
    assert not any(np.shares_memory(total, a) for a in arrays[1:])
    assert np.shares_memory(total, arrays[0]) == (owned and length > 1000)
    rest = slice(int(owned), None)
    assert all(np.array_equal(a, b) for a, b in zip(arrays[rest], before[rest], strict=True))
    assert cpu.add_all([np.float32(1), np.float32(2), np.float32(3)], owned) == 6


@FLOATS
@pytest.mark.parametrize("shape", [(3, 2), (100, 10), (5000, 30), (40, 50, 60)])
@pytest.mark.parametrize("layout", ["plain", "expanded", "transposed"])
def test_sums_of_products(dtype: Any, shape: Any, layout: str) -> None:
    x, g = random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    if layout == "expanded":
        g = cpu.broadcast_to(np.array(2, dtype), shape)
    if layout == "transposed":
        g = np.asfortranarray(g)
    kind = np.dtype(dtype)

    for sum_to in (shape[-1:], (1,) * (len(shape) - 1) + shape[-1:], (*shape[:-1], 1), ()):
        (found,) = cpu.evaluate(OPS["mul"].formula, [x, g], kind, [kind], sum_to)

        axes = summed_axes(shape, sum_to)
        terms = x.astype(np.longdouble) * g
        exact = terms.sum(axes, keepdims=True).reshape(sum_to)
        size = np.abs(terms).sum(axes, keepdims=True).reshape(sum_to)
        assert found.shape == sum_to
        assert found.dtype == dtype
        assert np.all(np.abs(found - exact) <= 12 * np.finfo(dtype).eps * size)


# --------------------------------------------------------------------------- floating point errors


def test_a_users_hook_has_numpys_buffers_as_they_are_outside() -> None:
    x = gpugrad.ones(3, requires_grad=True)
    seen = []
    y = x * 2
    y.register_hook(lambda g: seen.append(np.getbufsize()))
    before = np.getbufsize()
    assert cpu.quietly(np.getbufsize) == BUFFER != before
    y.sum().backward()
    assert seen == [before] == [np.getbufsize()]


def test_a_call_while_the_quiet_context_is_taken_is_as_quiet() -> None:
    x = gpugrad.tensor([1e30, 2.0], requires_grad=True)

    taken = cpu.quietly(lambda: (x * x, x * 1e300, x / 0, gpugrad.tensor(1e30) * 1e30))

    assert [t.tolist() for t in taken] == [
        [math.inf, 4], [math.inf, math.inf], [math.inf, math.inf], math.inf,
    ]  # fmt: skip
    assert taken[0].grad_fn is not None


def test_threads_that_compute_at_once_are_right_and_quiet() -> None:
    x = gpugrad.full((200_000,), 1e30, requires_grad=True)
    found: list[bool] = []

    def work() -> None:
        for _ in range(20):
            y = x * x
            found.append(y.grad_fn is not None and bool(np.isinf(y.detach().numpy()).all()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [True] * 80


# --------------------------------------------------------------------------- views over themselves


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.complex64])
@pytest.mark.parametrize(
    ("shape", "strides"),
    [
        ((9, 3), (1, 1)),
        ((3, 9), (2, 1)),
        ((4, 5), (5, 1)),
        ((2, 3, 9, 4), (30, 10, 1, 1)),
        ((5, 2, 4), (0, 7, 1)),
        ((4, 4, 3, 3), (6, 1, 6, 1)),
        ((3, 1, 5), (1, 1, 2)),
        ((0, 3), (1, 1)),
        ((), ()),
    ],
    ids=str,
)
def test_what_lies_on_each_other_is_added_up(shape: Any, strides: Any, dtype: Any) -> None:
    memory, expected = np.zeros(70, dtype), np.zeros(70, dtype)
    view = np.lib.stride_tricks.as_strided(memory, shape, [s * memory.itemsize for s in strides])
    values = (np.random.default_rng(0).standard_normal(shape) * 9).astype(dtype)
    places = np.zeros(shape, int)
    for k, step in enumerate(strides):
        places += step * np.arange(shape[k]).reshape(
            [-1 if j == k else 1 for j in range(len(shape))]
        )

    assert cpu.add_overlapping(view, values)

    np.add.at(expected, places, values)
    assert np.allclose(memory, expected)


def test_too_many_passes_are_left_to_indices() -> None:
    memory = np.zeros(500)
    view = np.lib.stride_tricks.as_strided(memory, (200, 200), (8, 8))
    assert not cpu.add_overlapping(view, np.ones((200, 200)))
    assert not memory.any()


# --------------------------------------------------------------------------- what division leaves


@FLOATS
@pytest.mark.parametrize("name", ["fmod", "remainder", "floor_divide"])
def test_what_division_leaves_of_many_is_exact(name: str, dtype: Any) -> None:
    generator = np.random.default_rng(3)
    x, y = (random(large.LARGE, dtype=dtype, seed=k) for k in (1, 2))
    multiples = (y * generator.integers(-1000, 1000, y.size)).astype(dtype)
    few, many = elementary.FUNCTIONS[name], elementary.LARGE_FUNCTIONS[name]
    with np.errstate(all="ignore"):
        for dividends, divisors in (
            (x, y), (x * 1000, y), (multiples, y), (np.nextafter(multiples, y), y),
            (np.nextafter(multiples, -y), y), (x * dtype(1e20), y), (x, y[0]),
            (special(dtype), y), (x, special(dtype)), (special(dtype), special(dtype)[::-1].copy()),
        ):  # fmt: skip
            assert same_bits(many(dividends, divisors), few(dividends, divisors))


def test_integers_are_not_divided_by_zero() -> None:
    x = gpugrad.arange(3)
    for divide in (x.floor_divide_, x.remainder_, x.fmod_):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            divide(0)
    assert x.tolist() == [0, 1, 2]


@pytest.mark.parametrize("length", [1, 2, 5, 33])
@pytest.mark.parametrize("layout", ["plain", "windows", "transposed"])
def test_sums_and_extrema_of_many_short_rows_are_numpys(length: int, layout: str) -> None:
    random = np.random.default_rng(0)
    count = 6000
    if layout == "windows":
        line = random.standard_normal(count + length - 1)
        rows = np.lib.stride_tricks.sliding_window_view(line, length)
    elif layout == "transposed":
        rows = random.standard_normal((length, count)).T
    else:
        rows = random.standard_normal((count, length))
    with_nan = np.where(np.arange(count)[:, None] == 7, np.nan, rows)
    for keepdims in False, True:
        found = cpu.sum(rows, (1,), keepdims, rows.dtype)
        np.testing.assert_allclose(found, rows.sum(1, keepdims=keepdims), 1e-13, 1e-13)
        for array in rows, with_nan:
            for ours, theirs in (cpu.max, np.max), (cpu.min, np.min):
                expected = theirs(array, axis=1, keepdims=keepdims)
                assert np.array_equal(ours(array, (1,), keepdims), expected, equal_nan=True)


# Units in the last place that results may be apart from those of double precision.
APART = {"expm1": 6, "log10": 5, "log1p": 6, "sinh": 6, "arctanh": 6, "tan": 4}


@pytest.mark.parametrize("name", many.OURS)
def test_functions_of_many_numbers_are_right_within_a_few_units(name: str) -> None:
    generator = np.random.default_rng(5)
    points = np.array([*SPECIAL, 88, 89, 89.3, -100, -104, 0.5, -0.9999999, 1e-45, 1e-8, 3e38])
    with np.errstate(all="ignore"):
        x = np.concatenate([
            generator.standard_normal(large.LARGE) * 10.0 ** generator.integers(-9, 2, large.LARGE),
            generator.uniform(-1, 1, large.LARGE), generator.uniform(-88, 88, large.LARGE),
            np.resize(points, large.LARGE),
        ]).astype(np.float32)  # fmt: skip
        arrays = [x, generator.permutation(x)] if name in ("arctan2", "hypot") else [x]
        result = many.OURS[name](*arrays)
        exact = getattr(np, name)(*(a.astype(np.float64) for a in arrays)).astype(np.float32)
        assert np.array_equal(np.isfinite(result), np.isfinite(exact))
        finite = np.isfinite(exact)
        assert same_bits(result[~finite], exact[~finite])
        assert np.array_equal(np.signbit(result[finite]), np.signbit(exact[finite]))
        distance = np.abs(result[finite] - exact[finite]) / np.spacing(np.abs(exact[finite]))
    assert distance.max() <= APART.get(name, 3)


# --------------------------------------------------------------------------- choices


WIDE = np.concatenate([SPECIAL, [-1e-30, -0.5, 0.5, 2e-45, -2e-45, 7, -100]])
CHOICES = {
    "angle": 0, "arctanh": 0, "copysign": 1, "elu": (1, 0.75, 0.75),
    "elu_slope": (1.0, 2.0, 0.5), "frac": 0,
    "hardshrink": (0.5,), "lerp": (0.25, 1.5), "logaddexp": 1, "logaddexp2": 1, "logical_and": 1,
    "logical_not": 0, "logical_or": 1, "logical_xor": 1, "nextafter": 1, "prelu": (0.25,),
    "sigmoid": 0, "sign": 0, "thresholded": (0.0, -2.0),
}  # fmt: skip


ROUNDED = {"arctanh", "elu", "elu_slope", "logaddexp", "logaddexp2"}  # otherwise than of few


@FLOATS
@pytest.mark.parametrize("side", ["mixed", "positive", "transposed", "strided"])
@pytest.mark.parametrize("name", CHOICES)
def test_choices_among_many_numbers_are_those_among_few(name: str, side: str, dtype: Any) -> None:
    generator = np.random.default_rng(0)
    x = np.concatenate([generator.choice(WIDE, 50_000), generator.normal(size=100_000)])
    with np.errstate(all="ignore"):
        x = x.astype(dtype).reshape(300, 500)
        y = generator.permutation(x, 1)
        y[::3] = x[::3]
        if side == "positive":
            x, y = (np.where(np.isfinite(v), abs(v) + 1, 2).astype(dtype) for v in (x, y))
        if side in ("transposed", "strided"):
            x, y = (v.T if side == "transposed" else v[:, ::2] for v in (x, y))
        more: Any = CHOICES[name]
        operands = [y] * more if isinstance(more, int) else [np.array(v, dtype) for v in more]
        expected = cpu.FUNCTIONS[name](x, *operands)
        result = cpu.LARGE_FUNCTIONS[name](x, *operands)
        assert cpu.LARGE_FUNCTIONS[name] is not cpu.FUNCTIONS[name]
        if name in ROUNDED:
            few = 10 * np.finfo(dtype).eps
            np.testing.assert_allclose(result, expected, few, few if "log" in name else 0)
            same = np.isnan(expected) | (np.signbit(result) == np.signbit(expected))
            assert same.all() or "log" in name
        else:
            assert (
                np.array_equal(result, expected)
                if expected.dtype == bool
                else (same_bits(result, expected))
            )
        for number in operands if isinstance(more, int) else ():
            one = number[7, 11]
            expected = cpu.FUNCTIONS[name](x, one)
            found = cpu.LARGE_FUNCTIONS[name](x, one)
            if name in ROUNDED:
                np.testing.assert_allclose(found, expected, 1e-5, 1e-5)
            else:
                assert np.array_equal(found, expected, equal_nan=True)


@FLOATS
@pytest.mark.parametrize("weight", [(0.25, 0.5), (2.0, 0.5), (0.0, 1.0), (-1.0, math.inf)])
def test_weights_of_channels_bend_many_numbers(weight: tuple[float, ...], dtype: Any) -> None:
    x = np.resize(special(dtype), (large.LARGE, 2))
    with np.errstate(all="ignore"):
        given = np.array(weight, dtype)
        expected = cpu.FUNCTIONS["prelu"](x, given)
        assert same_bits(cpu.LARGE_FUNCTIONS["prelu"](x, given), expected)
        assert same_bits(
            cpu.LARGE_FUNCTIONS["prelu"](x + 9, given), cpu.FUNCTIONS["prelu"](x + 9, given)
        )


def test_a_gradient_beside_one_that_is_handed_on_takes_the_functions_of_many() -> None:
    source = pointwise.backward_source(OPS["remainder"].formula, (True, True), False)
    assert "grad1, = evaluated(formula, (g, x_, y_,))\n        return g, grad1," in source
