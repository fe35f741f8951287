"""Halves on the CPU: converted by their bits, computed in single precision, rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import choice
import gpugrad
from gpugrad.backend import compiled, cpu, half
from gpugrad.formulas import REAL
from gpugrad.op import OPS
from gpugrad.op.rule import Recorded
from gpugrad.testing import assert_agree

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)
EVERY = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
LAYOUTS = ["plain", "transposed", "sliced", "one number", "rows"]


def same_bits(result: Any, expected: Any) -> bool:
    """Tell whether two arrays are equal, signs of zeros included; a nan is a nan."""
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    if result.dtype != FLOAT16:
        return bool(np.array_equal(result, expected))
    nans = np.isnan(result) & np.isnan(expected)
    return bool(np.all(nans | (result.view(np.uint16) == expected.view(np.uint16))))


def laid_out(array: Any, layout: str) -> Any:
    if layout == "transposed":
        return np.asfortranarray(array)
    if layout == "sliced":
        return np.repeat(array, 2, -1)[..., ::2]
    if layout == "one number":
        return np.broadcast_to(array[0, 7], array.shape)
    return np.broadcast_to(array[:1], array.shape) if layout == "rows" else array


def test_every_half_is_widened_exactly() -> None:
    assert np.array_equal(
        half.widened(EVERY).view(np.uint32), EVERY.astype(np.float32).view(np.uint32)
    )


def near_halves() -> Any:
    """Return singles on, between and just beside neighbouring halves, and what rounds to inf."""
    finite = EVERY[np.isfinite(EVERY)].astype(np.float32)
    between = (finite[:-1] + finite[1:]) / 2
    beside = [np.nextafter(between, np.float32(to)) for to in (-np.inf, np.inf)]
    few = np.resize(np.array([65519.996, 65520, -65520, 1e30, 1e-40, -1e-40, 0, -0.0], "f4"), 4096)
    return np.concatenate([finite, between, *beside, few])


def test_comparisons_with_zero_are_those_of_every_half() -> None:
    known = half.at_least_zero(EVERY)
    assert np.array_equal(known, np.maximum(EVERY, np.float16(0)), equal_nan=True)
    assert np.array_equal(half.is_positive(EVERY), EVERY.astype(np.float32) > 0)


@pytest.mark.parametrize("special", [[], [np.inf, -np.inf, np.nan]], ids=["finite", "endless"])
def test_singles_are_rounded_to_the_nearest_half(special: list[float]) -> None:
    values = np.concatenate([near_halves(), np.array(special, np.float32)])
    if not special:
        values = values[np.abs(values) < 65520]

    with np.errstate(over="ignore"):
        assert same_bits(half.rounded(values, FLOAT16), values.astype(np.float16))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_conversions_of_any_layout(layout: str, order: str) -> None:
    array = laid_out(np.random.default_rng(0).standard_normal((64, 200)).astype(np.float16), layout)
    wide = half.widened(array)
    assert np.array_equal(wide, array.astype(np.float32))
    assert same_bits(half.rounded(wide, FLOAT16), np.array(array))
    out = np.empty((64, 200), np.float16, order=order)  # type: ignore[call-overload]
    assert same_bits(half.rounded(wide, FLOAT16, out), np.array(array))


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (1, 70, 80)])
@pytest.mark.parametrize("copies", [1, 3])
def test_conversions_of_what_lies_in_both_orders_or_is_repeated(
    shape: tuple[int, ...], copies: int
) -> None:
    one = np.random.default_rng(0).standard_normal(shape).astype(np.float16)
    array = np.broadcast_to(one, (copies, *one.shape))
    for part in array, array[:, ::-1], array[..., ::-1]:
        assert np.array_equal(half.widened(part), part.astype(np.float32))
        assert same_bits(half.rounded(half.widened(part), FLOAT16), np.array(part))
    x = gpugrad.from_numpy(one).requires_grad_()
    (x.float() * 2).expand(copies, *shape).sum().backward()
    assert x.grad is not None
    assert x.grad.unique().tolist() == [2 * copies]


@pytest.mark.parametrize("layout", LAYOUTS)
@choice.each("name", [n for n, op in OPS.items() if op.formula.outputs[0].kind == REAL])
def test_formulas_of_many_halves_are_rounded_once(name: str, layout: str) -> None:
    value = OPS[name].formula
    gradient = value.vjp((True,) * len(value.inputs), (True,)).formula
    for formula in (value, gradient):
        random = np.random.default_rng(0)
        arrays = [
            random.standard_normal((64, 200)) > 0 if v.kind == "bool"
            else laid_out(random.standard_normal((64, 200)).astype(np.float16), layout)
            for v in formula.inputs
        ]  # fmt: skip
        if OPS[name].promotion in ("integer", "whole") or not arrays:
            continue
        count = len(formula.outputs)
        wide = [a.astype(np.float32) if a.dtype == FLOAT16 else a for a in arrays]
        expected = cpu.evaluate(formula, wide, FLOAT32, [FLOAT32] * count)

        found = cpu.evaluate(formula, arrays, FLOAT16, [FLOAT16] * count)

        direct = name in ("exp", "log", "sin")  # whose last bit in single precision may differ
        for result, wanted in zip(found, expected, strict=True):
            with np.errstate(over="ignore"):
                rounded = np.broadcast_to(wanted, result.shape).astype(np.float16)
            if direct:
                assert_agree(result, rounded)
            else:
                assert same_bits(result, rounded), formula
            assert not result.size or result.strides != (0, 0)  # memory of its own


@pytest.mark.parametrize("function", ["exp", "sigmoid", "relu", "abs", "neg", "silu"])
def test_functions_of_very_many_halves_are_looked_up(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "evaluate", lambda *_, **__: None)  # as without a compiler
    x = gpugrad.tensor(np.resize(EVERY, 3 << 16), requires_grad=True)
    few = [x[k << 12 : (k + 1) << 12].detach().requires_grad_() for k in range(16)]

    out = getattr(gpugrad, function)(x)
    out.sum().backward()

    outs = [getattr(gpugrad, function)(t) for t in few]
    for o in outs:
        o.sum().backward()
    assert same_bits(
        out.numpy(force=True)[: 1 << 16], np.concatenate([o.numpy(force=True) for o in outs])
    )
    assert x.grad is not None
    grads = [t.grad.numpy() for t in few if t.grad is not None]
    assert same_bits(x.grad.numpy()[: 1 << 16], np.concatenate(grads))


@pytest.mark.parametrize("rows", [64, 400])  # added by NumPy, and by a loop
def test_gradients_of_halves_are_added_as_their_numbers_are(rows: int) -> None:
    random = np.random.default_rng(0)
    shape = rows, 200
    a, b, c = (
        (random.standard_normal(shape) * 10.0 ** random.integers(-7, 4, shape)).astype(np.float16)
        for _ in range(3)
    )
    for target in (a.copy(), a.copy("F"), np.repeat(a, 2, axis=1)[:, ::2]):
        cpu.add_into(target, b)
        assert same_bits(target, a + b)
    row = a.copy()
    cpu.add_into(row, b[0])
    assert same_bits(row, a + b[0])
    twice = a.copy()
    cpu.add_into(twice, twice)
    assert same_bits(twice, a + a)
    assert same_bits(cpu.add_all([a, b, c], False), a + b + c)


@pytest.mark.parametrize("size", [30, 10_000])
def test_a_number_is_not_rounded_to_a_half(size: int, device: str) -> None:
    """0.1 as a half is off by 2e-4, within the tolerance of all comparisons of halves."""
    x = np.linspace(1, 2000, size).astype(FLOAT16)
    halves, singles = gpugrad.tensor(x, device=device), x.astype(FLOAT32)
    for result, expected in (
        (halves * 0.1, singles * np.float32(0.1)),
        (halves / 0.3, singles / np.float32(0.3)),
    ):
        assert same_bits(result.numpy(force=True), expected.astype(FLOAT16))


@pytest.mark.parametrize("function", ["mul", "tanh", "relu", "mul by a number"])
def test_calls_with_few_halves_are_generated(function: str) -> None:
    """They are recorded without a description, and give what single precision gives, rounded."""
    random = np.random.default_rng(0)
    some = [random.standard_normal((30, 20)).astype(FLOAT16), random.random(20).astype(FLOAT16)]
    some = some[: 2 if function == "mul" else 1]
    halves = [gpugrad.tensor(a).requires_grad_() for a in some]
    singles = [gpugrad.tensor(a.astype(FLOAT32)).requires_grad_() for a in some]
    name, _, number = function.partition(" ")
    more = [0.1] if number else []
    result, expected = (getattr(gpugrad, name)(*values, *more) for values in (halves, singles))
    assert result.grad_fn.params.__class__ is not Recorded
    assert same_bits(result.detach().numpy(), expected.detach().numpy().astype(FLOAT16))
    for out in result, expected:
        out.backward(gpugrad.full_like(out, 0.5))
    for h, s in zip(halves, singles, strict=True):
        assert h.grad is not None
        assert s.grad is not None
        assert_agree(h.grad.numpy().astype(FLOAT32), s.grad.numpy(), rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("size", [30, 10_000])
def test_a_choice_of_halves_and_a_number_is_of_halves(size: int, device: str) -> None:
    x = gpugrad.linspace(-1, 1, size, device=device).to(gpugrad.float16)
    for chosen in gpugrad.where(x > 0, x, -100.0), gpugrad.where(x > 0, 0.5, x):
        assert chosen.dtype is gpugrad.float16
        assert chosen.min() in (-100, -1)


def test_formulas_of_one_half_are_those_of_many() -> None:
    values = np.array([-1.5, -0.25, 0.0, 0.5, 2.0], np.float16)
    for op in OPS.values():
        if op.promotion in ("integer", "whole") or any(v.kind != REAL for v in op.formula.inputs):
            continue
        for shift in range(2):
            operands = [np.roll(values, k * shift) for k in range(len(op.formula.inputs))]
            many = cpu.evaluated(op.formula, operands)
            for place in range(len(values)):
                one = cpu.evaluated(op.formula, [np.asarray(a[place]) for a in operands])
                for found, expected in zip(one, many, strict=True):
                    assert found.dtype == expected.dtype, op.function
                    assert_agree(found, expected[place], rtol=1e-3)
