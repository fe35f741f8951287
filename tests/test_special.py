"""Special functions: what their samples do not say."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import special

import gpugrad
from comparison import pytorch
from gpugrad import func
from gpugrad.backend.special import digamma, trigamma
from gpugrad.testing import assert_agree

# By the first operand there is no derivative.
REFUSING = {
    "igamma": lambda lib, a, x: lib.igamma(a, x),
    "igammac": lambda lib, a, x: lib.special.gammaincc(a, x),
    "zeta": lambda lib, a, x: lib.special.zeta(a, x),
    "igamma_": lambda lib, a, x: (a * 1).igamma_(x),
}


@pytest.mark.parametrize("function", REFUSING.values(), ids=REFUSING)
def test_what_has_no_derivative_refuses_in_pytorchs_words(function: Any) -> None:
    said = []
    for lib in gpugrad, pytorch():
        a, x = (lib.tensor([v], dtype=lib.float64, requires_grad=True) for v in (1.5, 2.0))
        y = function(lib, a, x)
        with pytest.raises(NotImplementedError) as error:
            y.sum().backward()
        said.append(str(error.value))
        (grad,) = lib.autograd.grad(function(lib, a.detach(), x).sum(), x)
        said.append(grad.item())
    assert said[0] == said[2]
    assert said[1] == pytest.approx(said[3])


def test_no_tangent_is_lost_where_there_is_no_derivative(device: str) -> None:
    a = gpugrad.tensor([1.5], device=device)
    with pytest.raises(NotImplementedError, match="the derivative for 'igamma: input'"):
        func.jvp(lambda a: gpugrad.igamma(a, a * 2), (a,), (a,))
    moved = func.jvp(lambda x: gpugrad.igamma(a, x), (a,), (a * 0 + 1,))[1]
    assert moved.item() == pytest.approx(np.exp(-1.5) * 1.5**0.5 / 0.886226925, rel=1e-5)


def test_without_scipy_a_sentence_says_how_to_install_it() -> None:
    code = """
import sys
sys.modules["scipy"] = None
import gpugrad
x = gpugrad.tensor([0.5])
assert abs(gpugrad.erf(x).item() - 0.5204999) < 1e-6
assert abs(gpugrad.erfc(x).item() - 0.4795001) < 1e-6
assert abs(gpugrad.digamma(x).item() + 1.9635100) < 1e-6
try:
    gpugrad.special.i0(x)
except ModuleNotFoundError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'gpugrad[scipy]'" in ran.stdout
    assert ran.stdout.startswith("i0: ")


@pytest.mark.parametrize("function", [digamma, trigamma])
def test_derivatives_of_the_gamma_function_are_scipys(function: Any) -> None:
    x = np.concatenate([np.arange(-20.37, 30, 0.05), [1e-8, 1e10, 1e300, np.inf]])
    expected = special.psi(x) if function is digamma else special.polygamma(1, x)
    with np.errstate(all="ignore"):
        found = function(x)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


# How many units in the last place the values of many numbers in single precision may be off, and
# between which of them.
MANY = {
    "erf": (2.5, -5, 5), "erfc": (5.5, -6, 10), "erfcx": (0.7, -9, 20),
    "erfinv": (0.9, -1, 1), "gammaln": (1, -3, 40),
    "i0": (5.5, -12, 92), "i0e": (5, -12, 92), "i1": (5.5, -12, 92), "i1e": (5, -12, 92),
    "gammainc": (0.5, 0, 22), "gammaincc": (0.6, 0, 22), "y0": (0.6, -1, 9), "y1": (0.6, -1, 9),
}  # fmt: skip
ENDS = [
    math.inf, -math.inf, math.nan, 0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 1.5, -1.5, 2.0, 1e30, 3.92,
    8.0, 88.0, 91.9, -91.9, 92.0, 1.00001, 1.99999,
]  # fmt: skip
ODD = "erf", "erfinv", "i1", "i1e"


@pytest.mark.parametrize("name", MANY)
def test_functions_of_many_numbers_in_single_precision_are_scipys(name: str) -> None:
    most, low, high = MANY[name]
    generator = np.random.default_rng(0)
    near = 1 - 10 ** generator.uniform(-7.5, 0, 2000)  # which is where erfinv is steep
    small = 10 ** generator.uniform(-30, 0, 2000)
    x = np.concatenate([generator.uniform(low, high, 16_000), near, -near, small, -small])
    if name == "erfinv":
        x[:100] = generator.uniform(-3, 3, 100)
    x = np.concatenate([x, np.resize(ENDS, 2000)]).astype(np.float32).reshape(50, -1)
    operands = [x, generator.permutation(x, 1)] if "inc" in name else [x]
    with np.errstate(all="ignore"):
        wide = [v.astype(np.float64) for v in operands]
        functions: Any = special
        expected = getattr(functions, name)(*wide)
        if name == "gammaln":
            expected[np.isneginf(x)] = math.inf
        expected = expected.astype(np.float32)
    module: Any = gpugrad.special
    called = f"bessel_{name}" if name in ("y0", "y1") else name
    views: list[Any] = [lambda v: v, lambda v: v.T, lambda v: v[:, ::2]]
    for see in views:
        given = [gpugrad.from_numpy(see(v)) for v in operands]
        found, wanted = getattr(module, called)(*given).numpy(), see(expected)
        assert found.dtype == np.float32
        finite = np.isfinite(wanted)
        np.testing.assert_array_equal(found[~finite], wanted[~finite])
        if name in ODD:
            signs = np.signbit(see(x)[finite])
            np.testing.assert_array_equal(np.signbit(found[finite]), signs)
        found, wanted = found[finite], wanted[finite]
        assert np.max(np.abs(found - wanted) / np.spacing(np.abs(wanted))) <= most + 0.5


POLYNOMIALS = [n for n in dir(gpugrad.special) if "polynomial" in n]


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials_of_many_numbers_are_those_of_few(name: str) -> None:
    generator = np.random.default_rng(0)
    x = np.append(generator.uniform(-2, 2, 5997), [math.inf, -math.inf, math.nan])
    x = x.astype(np.float32).astype(np.float64)
    n = generator.choice([-2.5, -0.5, 0, 1, 1.7, 2, 3, 5, 9], 6000)
    function = getattr(gpugrad.special, name)
    few = [
        function(gpugrad.tensor([v]), gpugrad.tensor([k]))
        for v, k in zip(x[-500:], n[-500:], strict=True)
    ]
    many = function(*(gpugrad.tensor(v, dtype=gpugrad.float32) for v in (x, n)))
    assert_agree(many[-500:], gpugrad.cat(few).float(), atol=1e-6, rtol=2e-6)
    for degree in 0, 1, 4, 20:
        whole = function(gpugrad.tensor(x, dtype=gpugrad.float32), degree)
        apart = function(gpugrad.tensor(x, dtype=gpugrad.float64), degree)
        known = np.isfinite(x)
        np.testing.assert_allclose(whole.numpy()[known], apart.numpy()[known], rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["chebyshev_polynomial_t", "chebyshev_polynomial_u", "legendre_polynomial_p"]
)
def test_a_polynomial_of_degree_1_is_infinite_at_infinities(name: str, device: str) -> None:
    x = gpugrad.tensor([math.inf, -math.inf], device=device)
    assert getattr(gpugrad.special, name)(x, 1).tolist() == [math.inf, -math.inf]


def test_airys_function_of_many_numbers_in_single_precision_is_scipys() -> None:
    ends = [math.inf, -math.inf, math.nan, 0, -0.0, -1e6, 1e6, 4.5, -4.5]
    generator = np.random.default_rng(0)
    x = np.concatenate([generator.uniform(-15, 25, 3000), generator.uniform(-4e3, 0, 300), ends])
    x = x.astype(np.float32)
    given = gpugrad.tensor(x, requires_grad=True)
    found = gpugrad.special.airy_ai(given)
    found.sum().backward()
    assert given.grad is not None
    expected, slope, *_ = special.airy(x.astype(np.float64))
    width = np.maximum(np.abs(x), 1) ** 0.25  # waves of size 1 / width, and slopes of size width
    for values, wanted, size in ((found.detach(), expected, 1 / width), (given.grad, slope, width)):
        usual = (np.abs(x) < 1e5) & ~(np.abs(wanted) < 1e-37)
        least = np.maximum(np.abs(wanted), np.where(x < 0, size / 2, 0))[usual]
        assert np.max(np.abs(values.numpy() - wanted)[usual] / least) < 1e-7
        np.testing.assert_allclose(values.numpy()[~usual], wanted[~usual], rtol=1e-6, atol=1e-37)


def test_a_logarithm_at_minus_infinity_changes_no_other() -> None:
    found = gpugrad.lgamma(gpugrad.tensor([-math.inf, 1.5]))
    assert_agree(found, gpugrad.tensor([math.inf, -0.12078224]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 10])
def test_the_inverse_of_the_error_function_is_nan_beyond_its_ends(dtype: Any, count: int) -> None:
    x = np.resize(np.array([0.5, 2.0, -1.5, 1.0, -1.0, math.nan], dtype), 6 * count)
    found = gpugrad.erfinv(gpugrad.tensor(x)).numpy()
    expected = [0.47693628, math.nan, math.nan, math.inf, -math.inf, math.nan]
    np.testing.assert_allclose(found, np.resize(expected, 6 * count), rtol=1e-6)
    assert gpugrad.erfinv(gpugrad.tensor(2.0)).isnan()


# The gradients at ends of domains, at poles and at 0, where a rule chooses.
POINTS: dict[str, list[float]] = {
    "erfcx": [0.0], "entr": [-1.0, 0.0], "ndtri": [0.0, 1.0], "erfinv": [-1.0, 1.0, 1.5],
    "log_ndtr": [-30.0, 0.0, 30.0], "i0": [0.0], "i0e": [-1.0, 0.0], "i1": [0.0], "i1e": [0.0],
    "gammaln": [0.0, -0.5, -1.5], "digamma": [0.0, -0.5],
}  # fmt: skip


@pytest.mark.parametrize("name", POINTS)
def test_gradients_at_singular_points_are_pytorchs(name: str, device: str) -> None:
    torch = pytorch()
    x = gpugrad.tensor(POINTS[name], dtype=gpugrad.float64, device=device, requires_grad=True)
    z = torch.tensor(POINTS[name], dtype=torch.float64, requires_grad=True)
    getattr(gpugrad.special, name)(x).sum().backward()
    getattr(torch.special, name)(z).sum().backward()
    assert_agree(x.grad, z.grad, 1e-9, 1e-9)


def test_second_derivatives_at_zero_are_finite(device: str) -> None:
    for name, second in (("i1", 0), ("i1e", -1), ("bessel_j1", 0), ("spherical_bessel_j0", -1 / 3)):
        x = gpugrad.zeros(1, dtype=gpugrad.float64, device=device, requires_grad=True)
        y = getattr(gpugrad.special, name)(x)
        (first,) = gpugrad.autograd.grad(y.sum(), x, create_graph=True)
        (found,) = gpugrad.autograd.grad(first.sum(), x)
        assert np.isfinite(found.item()), name
        if name != "i1e":  # whose second derivative jumps at 0
            assert found.item() == pytest.approx(second, abs=1e-12)


def test_a_polynomial_needs_no_gradient_of_its_degree(device: str) -> None:
    x = gpugrad.tensor([0.3, -0.7], device=device, requires_grad=True)
    n = gpugrad.tensor([2.0, 3.0], device=device, requires_grad=True)
    gpugrad.special.legendre_polynomial_p(x, n).sum().backward()
    assert n.grad is None
    assert_agree(x.grad, np.array([0.9, 7.5 * 0.49 - 1.5], np.float32))


@pytest.mark.parametrize("name", ["zeta", "xlog1py", "chebyshev_polynomial_t"])
def test_one_operand_must_be_a_tensor(name: str) -> None:
    with pytest.raises(TypeError, match="received an invalid combination of arguments"):
        getattr(gpugrad.special, name)(2, 3)
