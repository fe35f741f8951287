"""``gpugrad.scipy.optimize``: SciPy's searches with our derivatives, and gradients of roots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.testing import check_gradient

pytest.importorskip("scipy")

from gpugrad.scipy import optimize

START = np.array([-1.2, 1.0, 0.5])


def rosen(x: Any, scale: float = 100.0) -> Any:
    return (scale * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


METHODS = ["BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP", "Newton-CG", "trust-ncg", "trust-krylov",
           "trust-exact", "dogleg", "trust-constr", "Nelder-Mead", None]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_minimisers_get_derivatives(method: str | None, kind: str) -> None:
    start: Any = START if kind == "array" else gpugrad.tensor(START)
    if method == "dogleg":  # it wants a positive definite matrix everywhere
        start = start * 0 + 1.05
    options = {"maxfun": 2000} if method == "TNC" else None  # by default it ends too early
    found = optimize.minimize(rosen, start, (100.0,), method, options=options)
    # where the value, which is quadratic there, changes by 1e-7 and by 1e-6 these two end
    most = {"TNC": 1e-3, "SLSQP": 3e-4}.get(method or "", 1e-4)
    np.testing.assert_allclose(found.x.numpy(), 1, atol=most)
    assert type(found.x) is (gnp.ndarray if kind == "array" else gpugrad.Tensor)
    if method in ("Newton-CG", "trust-ncg", "trust-exact"):
        assert found.nhev > 0
    if method == "BFGS":
        assert found.nfev == found.njev  # no differences


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="one number"):
        optimize.minimize(lambda x: x, START)
    with pytest.raises(TypeError, match="history"):
        optimize.minimize(lambda x: 1.0, START)


def test_least_squares_gets_a_jacobian() -> None:
    times = gnp.linspace(0, 2, 9)
    seen = gnp.exp(-1.3 * times) * 2.5
    found = optimize.least_squares(lambda p: p[0] * gnp.exp(-p[1] * times) - seen, [1.0, 1.0])
    np.testing.assert_allclose(found.x.numpy(), [2.5, 1.3])
    assert found.njev > 0
    bounded = optimize.least_squares(
        lambda p: p[0] * gnp.exp(-p[1] * times) - seen, [1.0, 1.0], bounds=([0, 0], [2, 2])
    )
    assert bounded.x[0] <= 2


def test_roots_have_gradients_by_what_the_function_is_given() -> None:
    def equations(x: Any, a: Any, b: Any) -> Any:
        return gnp.stack([x[0] ** 2 + a * x[1] - 3.0, x[1] ** 3 + b.sum() * x[0] - 2.0])

    def solved(a: Any, b: Any) -> Any:
        start = gpugrad.tensor(np.array([1.0, 1.0]))
        return optimize.root(equations, start, (a, b), tol=1e-14).x

    a, b = gpugrad.tensor(np.array(1.3)), gpugrad.tensor(np.array([0.4, 0.5]))
    np.testing.assert_allclose(equations(solved(a, b), a, b).numpy(), 0, atol=1e-12)
    check_gradient(solved, [a, b], 2)


def test_fixed_points_have_gradients() -> None:
    def fixed(c: Any) -> Any:
        return optimize.fixed_point(lambda x, c: gnp.cos(c * x), 0.6, (c,), xtol=1e-14)

    c = gpugrad.tensor(np.array(1.1))
    np.testing.assert_allclose(fixed(c).numpy(), np.cos(1.1 * fixed(c).numpy()))
    check_gradient(fixed, [c], 2)
    hidden = c.requires_grad_()
    for search in (optimize.fixed_point, optimize.root):
        with pytest.raises(ValueError, match="args="):
            search(lambda x: gnp.cos(hidden * x), 0.6)


@pytest.mark.emulated
def test_on_cuda() -> None:
    start = gpugrad.tensor(START).cuda()
    found = optimize.minimize(rosen, start)
    assert found.x.is_cuda
    np.testing.assert_allclose(found.x.cpu().numpy(), 1, atol=1e-4)


@pytest.mark.parametrize("search", [optimize.minimize, optimize.least_squares])
def test_results_without_gradients_refuse_what_is_tracked(search: Any) -> None:
    a = gpugrad.tensor([1.3], requires_grad=True)
    with pytest.raises(ValueError, match=f"{search.__name__}: an argument in args= requires grad"):
        search(lambda x, a: ((x - a) ** 2).sum(), [1.0], args=(a,))
    with pytest.raises(ValueError, match="not among its arguments"):
        search(lambda x: ((x - a) ** 2).sum(), [1.0])
    with gpugrad.no_grad():
        found = search(lambda x, a: ((x - a) ** 2).sum(), [1.0], args=(a,)).x
    assert abs(float(found[0]) - 1.3) < 5e-3  # squared again, it is flat there
