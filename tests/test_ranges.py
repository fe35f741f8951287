"""Reductions and complex functions at every scale: no value leaves its type's range on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.autograd import grad
from gpugrad.func import hessian, jacfwd, jvp

INF, NAN = math.inf, math.nan

# The degree of a function: of numbers 2**k times as large it is 2**(degree * k) times as large, and
# its gradient 2**((degree - 1) * k) times.
Homogeneous = tuple[float, Callable[[Any], Any]]


def norm(p: float, x: Any) -> Any:
    return x.norm(p, -1)


OF_ALL: dict[str, Homogeneous] = {
    "sum": (1, lambda x: x.sum(-1)),
    "mean": (1, lambda x: x.mean(-1)),
    "std": (1, lambda x: x.std(-1)),
    "var": (2, lambda x: x.var(-1)),
    "prod": (2, lambda x: x[:, :2].prod(-1)),
    "abs": (1, lambda x: x.abs()),
    "sgn": (0, lambda x: x.sgn()),
    **{f"norm {p}": (1, partial(norm, p)) for p in (2, 1, 3, 1.5, -2, 200, INF, -INF)},
    "norm 0": (0, partial(norm, 0)),
}  # fmt: skip
OF_COMPLEX: dict[str, Homogeneous] = {
    "angle": (0, lambda x: x.angle()),
    "reciprocal": (-1, lambda x: x.reciprocal()),
    "quotient": (0, lambda x: x / x.flip(-1)),
    "sqrt": (0.5, lambda x: x.sqrt()),
}
TYPES = ["float16", "float32", "float64", "complex64", "complex128"]
# As parts of what the exponent of a type can be: the smallest normal number, and the largest.
SCALES = (-1.0, -0.7, -0.4, -0.1, 0.15, 0.45, 0.75, 0.98)


def base(complex_: bool) -> Any:
    rows = np.array([0.75, -1.5, 0.625, 1.25, -0.875, 1.0])
    rows = np.stack([rows, rows[::-1]])
    return rows + 0.75j * np.roll(rows, 1, -1) if complex_ else rows


def found(function: Callable[[Any], Any], numbers: Any, dtype: str, device: str) -> list[Any]:
    """Return the value of a function, and its gradient."""
    x = gpugrad.tensor(numbers, dtype=getattr(gpugrad, dtype), device=device, requires_grad=True)
    y = function(x)
    wide = y.real if y.is_complex() else y.double()
    (g,) = grad(wide.sum(), x, materialize_grads=True)  # a norm of order 0 has none
    return [y.detach().cpu().numpy(), g.cpu().numpy()]


CASES = [
    (name, dtype)
    for name in (*OF_ALL, *OF_COMPLEX)
    for dtype in TYPES
    if name in OF_ALL or dtype.startswith("complex")
]


ON_GPU = [
    c for c in CASES if c[0] in ("std", "var", "norm 2", "norm 3", "sgn") and c[1] != "complex128"
]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_function_is_right_at_every_scale(name: str, dtype: str) -> None:
    check_scales(name, dtype, "cpu")


@pytest.mark.cuda
@pytest.mark.parametrize(("name", "dtype"), ON_GPU)
def test_what_is_scaled_on_a_gpu_is_right_at_every_scale(name: str, dtype: str) -> None:
    check_scales(name, dtype, "cuda")


def check_scales(name: str, dtype: str, device: str) -> None:
    complex_ = dtype.startswith("complex")
    degree, function = (OF_ALL | OF_COMPLEX)[name]
    numbers, known = base(complex_), np.finfo(dtype)
    exact = found(function, numbers, "complex128" if complex_ else "float64", device)
    steepness = 200 if name == "norm 200" else 1  # what a power makes of an error
    wrong = []
    for scale in SCALES:
        k = 2 * int(scale * -known.minexp / 2)
        results = found(function, numbers * 2.0**k, dtype, device)
        for what, value, e, order in zip("vg", results, exact, (degree, degree - 1), strict=True):
            if abs(order * k) > -known.minexp:  # what is right itself leaves the range
                continue
            expected = e * 2.0 ** (order * k)
            error = np.abs(value - expected)
            allowed = 16 * steepness * known.eps * np.abs(expected) + 4 * known.smallest_subnormal
            if not (error <= allowed).all():
                wrong.append((what, k, value, expected))
    assert wrong == []


def test_the_least_and_the_largest_numbers_have_a_spread(device: str) -> None:
    for dtype in "float32", "float64":
        known = np.finfo(dtype)
        for size in float(known.smallest_subnormal) * 1024, float(known.max) / 8:
            x = gpugrad.tensor([size, -size, size, -size], dtype=getattr(gpugrad, dtype))
            x = x.to(device)
            if device == "cuda" and size < known.tiny and dtype == "float32":
                continue  # a GPU takes these for 0
            assert x.std(correction=0).item() == pytest.approx(size, rel=1e-5)
            assert x.norm().item() == pytest.approx(2 * size, rel=1e-5)


@pytest.mark.parametrize("layout", ["rows", "columns", "sliced"])
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((300_000, 3), 0), ((3, 100_000, 4), 1), ((100_000, 3, 5), (0, 2)), ((2, 300_000), 1)],
)
def test_sums_are_as_exact_as_those_of_pairs(shape: Any, dim: Any, layout: str) -> None:
    numbers = np.random.default_rng(0).random(shape, np.float32)
    exact = numbers.astype(np.float64).sum(dim)
    if layout == "columns":
        numbers = np.asfortranarray(numbers)
    elif layout == "sliced":
        numbers = np.repeat(numbers, 2, -1)[..., ::2]
    x = gpugrad.from_numpy(numbers)
    error = np.abs(x.sum(dim).numpy() / exact - 1)
    assert error.max() < 4 * np.finfo(np.float32).eps  # one after the other it is 30 and more


# --------------------------------------------------------------------------- where a size is 0


FLAT: dict[str, Callable[[Any], Any]] = {
    "std": lambda x: x.std(),
    "squared std": lambda x: x.std(correction=0) ** 2,
    "std of rows": lambda x: x.reshape(1, 3).std(1).sum(),
    "norm 3": lambda x: x.norm(3),
    "norm 4": lambda x: x.norm(4),
}


@pytest.mark.parametrize("name", FLAT)
def test_second_derivatives_are_0_where_a_size_is_0(name: str, device: str) -> None:
    function, zero = FLAT[name], np.zeros((3, 3))
    x = gpugrad.zeros(3, dtype=gpugrad.float64, device=device, requires_grad=True)
    (g,) = grad(function(x), x, create_graph=True)
    (h,) = grad((g * gpugrad.tensor([1.0, 2.0, 3.0], device=device)).sum(), x)
    assert h.tolist() == [0.0] * 3
    for twice in hessian, lambda f: jacfwd(jacfwd(f)):
        assert (twice(function)(x.detach()).cpu().numpy() == zero).all()


def test_a_norm_at_0_is_flat_in_forward_mode(device: str) -> None:
    def kernel(x: Any, y: Any) -> Any:
        return gpugrad.exp(-((x - y).norm() ** 2) / 2)

    p = gpugrad.tensor([1.0, 2.0], device=device)
    assert hessian(kernel)(p, p).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    rows = gpugrad.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=gpugrad.float64, device=device)
    curvature = hessian(lambda x: x.norm(dim=1).sum())(rows).reshape(4, 4).cpu().numpy()
    expected = np.zeros((4, 4))
    expected[2:, 2:] = np.array([[16, -12], [-12, 9]]) / 125
    assert np.allclose(curvature, expected)


# --------------------------------------------------------------------------- ends


def test_a_product_with_zeros_has_no_gradient_from_what_overflows(device: str) -> None:
    rows = [[1e13, 0, 0], [1e13, 1e13, 0], [1e13, 1e13, 1e13]]
    x = gpugrad.tensor(rows, device=device, requires_grad=True)
    assert grad(x.prod(), x)[0].tolist() == [[0.0] * 3] * 3
    x = gpugrad.tensor([[1e30, 0, 1e30, 1e30], [0, 2, 1e30, 3], [NAN, 0, 1, 1]], device=device)
    x.requires_grad_()
    (g,) = grad(x.prod(1).sum(), x, create_graph=True)
    assert g[0].tolist() == [0.0, INF, 0.0, 0.0]
    assert g[1].tolist() == [pytest.approx(6e30), 0.0, 0.0, 0.0]
    assert np.isnan(g[2].tolist()).tolist() == [False, True, True, True]
    (h,) = grad(g[1].sum(), x)
    assert h[1].tolist() == pytest.approx([5e30, 3e30, 6.0, 2e30])


def test_the_sign_of_what_is_out_of_range(device: str) -> None:
    one = 0.5**0.5
    parts = [3e38 + 3e38j, 3e38 - 3e38j, complex(-3e38, 3e38)]
    z = gpugrad.tensor(parts, dtype=gpugrad.complex64, device=device, requires_grad=True)
    expected = pytest.approx([one + one * 1j, one - one * 1j, -one + one * 1j])
    assert z.sgn().tolist() == expected
    assert grad(z.abs().sum(), z)[0].tolist() == expected
    endless = [complex(INF, 1), complex(1, -INF), complex(INF, INF), complex(NAN, 1)]
    found = gpugrad.tensor(endless, device=device).sgn()
    assert gpugrad.isnan(found.real).all()
    assert gpugrad.isnan(found.imag).all()
    for dtype in gpugrad.float16, gpugrad.float32, gpugrad.float64:
        x = gpugrad.tensor([NAN, INF, -0.0], dtype=dtype, device=device, requires_grad=True)
        assert x.sgn().tolist() == x.sign().tolist() == [0.0, 1.0, 0.0]  # as in PyTorch
        assert grad(x.abs().sum(), x)[0].tolist() == [0.0, 1.0, 0.0]


def test_softplus_far_below_has_the_gradient_of_its_value(device: str) -> None:
    far = -95.0 if device == "cpu" else -85.0  # a GPU takes subnormal numbers for 0
    x = gpugrad.tensor([far, -20.0, 50.0], device=device, requires_grad=True)
    y = gpugrad.softplus(x)
    (g,) = grad(y.sum(), x, create_graph=True)
    (h,) = grad(g.sum(), x)
    assert g.tolist() == pytest.approx([*y.tolist()[:2], 1.0], rel=1e-2, abs=0)
    assert h.tolist() == pytest.approx([*y.tolist()[:2], 0.0], rel=1e-2, abs=0)
    assert jvp(gpugrad.softplus, (x,), (gpugrad.ones_like(x),))[1].tolist() == g.tolist()


def test_what_is_constant_is_not_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column whose deviation is 0 because it is constant is in range; a tiny one is not."""
    reduced, evaluate = gpugrad.op.OPS["reduced"].formula, gpugrad.backend.cpu.evaluate
    computed = []

    def noted(formula: Any, *arguments: Any, **options: Any) -> Any:
        computed.append(formula)
        return evaluate(formula, *arguments, **options)

    monkeypatch.setattr(gpugrad.backend.cpu, "evaluate", noted)
    constant = gpugrad.tensor([[1.0, 0.0, 3.0], [2.0, 0.0, 3.0]])
    assert constant.std(0, correction=0).tolist() == [0.5, 0.0, 0.0]
    assert reduced not in computed
    tiny = gpugrad.tensor([[1.0, 0.0, 3e-30], [2.0, 0.0, -3e-30]])
    assert tiny.std(0, correction=0).tolist() == pytest.approx([0.5, 0.0, 3e-30], rel=1e-6, abs=0)
    assert reduced in computed


def test_powers_of_two_need_not_be_in_range_themselves() -> None:
    for dtype in ("f2", "f4", "f8"):
        x = np.array([0, -0.0, 1, 3e-6, -3, INF, -INF, NAN], dtype)
        for exponent in (-1100, -160, -20, 0, 13, 129, 200, 1100):
            e = np.full(len(x), exponent)
            with np.errstate(all="ignore"):
                expected = np.ldexp(x, e)
            found = gpugrad.ldexp(gpugrad.tensor(x), gpugrad.tensor(e)).numpy()
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
