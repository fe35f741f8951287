"""``gpugrad.scipy.integrate``: SciPy's values, and gradients by the adjoint equation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.testing import check_gradient

pytest.importorskip("scipy")

import scipy.integrate

from gpugrad.scipy import integrate

TIGHT: Any = {"rtol": 1e-12, "atol": 1e-12}
START, TIMES, RATES = np.array([1.0, 0.5]), np.array([0.1, 0.4, 0.4, 0.9]), np.array([0.7, 1.1])


def tensor(value: Any) -> gpugrad.Tensor:
    return gpugrad.tensor(np.asarray(value))


def slope(y: Any, t: Any, rates: Any, scale: Any = 1.0) -> Any:
    return gnp.stack([rates[0] * y[1] * t, -gnp.sin(y[0]) * rates[1]]) * scale


def theirs(y: Any, t: Any, rates: Any, scale: Any = 1.0) -> Any:
    return np.stack([rates[0] * y[1] * t, -np.sin(y[0]) * rates[1]]) * scale


def test_odeint_by_the_start_the_times_and_the_parameters() -> None:
    wanted = scipy.integrate.odeint(theirs, START, TIMES, (RATES, 1.2), **TIGHT)
    found = integrate.odeint(slope, START, TIMES, (RATES, 1.2), **TIGHT)
    np.testing.assert_allclose(found.numpy(), wanted)
    turned = integrate.odeint(lambda t, *r: slope(r[0], t, *r[1:]), START, TIMES, (RATES, 1.2),
                              tfirst=True, **TIGHT)  # fmt: skip
    np.testing.assert_allclose(turned.numpy(), wanted)
    times = TIMES[[0, 1, 3]]

    def solved(y: Any, t: Any, r: Any) -> Any:
        return integrate.odeint(slope, y, t, (r, 1.2), **TIGHT)

    check_gradient(solved, [tensor(START), tensor(times), tensor(RATES)])
    check_gradient(
        lambda y, r: integrate.odeint(slope, y, times[:2], (r,), **TIGHT),
        [tensor(START), tensor(RATES)], 2,
    )  # fmt: skip
    check_gradient(lambda y: integrate.odeint(slope, y, TIMES, (RATES,), **TIGHT), [tensor(START)])


@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA"])
def test_solve_ivp_by_the_start_and_the_parameters(method: str) -> None:
    def turned(t: Any, y: Any, rates: Any) -> Any:
        return slope(y, t, rates)

    for t_eval in (None, TIMES[[0, 1, 3]]):
        wanted = scipy.integrate.solve_ivp(
            lambda t, y: theirs(y, t, RATES), (0.1, 0.9), START, method, t_eval, **TIGHT
        )
        found = integrate.solve_ivp(
            turned, (0.1, 0.9), START, method, t_eval, args=(RATES,), **TIGHT
        )
        np.testing.assert_allclose(found.y.numpy(), wanted.y)
        np.testing.assert_allclose(found.t, wanted.t)
    check_gradient(
        lambda y, r: integrate.solve_ivp(turned, (0.1, 0.9), y, method, [0.3, 0.9], args=(r,),
                                         **TIGHT).y,
        [tensor(START), tensor(RATES)],
    )  # fmt: skip


def test_what_would_lose_a_gradient_is_refused() -> None:
    hidden = tensor(RATES).requires_grad_()
    with pytest.raises(ValueError, match="args="):
        integrate.odeint(lambda y, t: slope(y, t, hidden), START, TIMES)
    with pytest.raises(ValueError, match="args="):
        integrate.solve_ivp(lambda t, y: slope(y, t, hidden), (0, 1), START)
    with pytest.raises(NotImplementedError, match="events"):
        integrate.solve_ivp(lambda t, y: y, (0, 1), START, events=lambda t, y: y[0])
    with pytest.raises(TypeError, match="tensor"):
        integrate.odeint(lambda y, t: [0.0, 1.0], START, TIMES)


def test_integrals_of_samples() -> None:
    y, x = np.random.default_rng(0).normal(size=(3, 5)), np.array([0.0, 0.4, 1.0, 1.1, 2.0])
    for name in ("trapezoid", "cumulative_trapezoid"):
        ours, other = getattr(integrate, name), getattr(scipy.integrate, name)
        for args in ((y, x), (y, None, 0.3), (y, None, 1.0, 0), (y.T, x, 1.0, 0)):
            np.testing.assert_allclose(ours(*args).numpy(), other(*args))
        check_gradient(ours, [tensor(y), tensor(x)], 2)
    for axis in (0, 1, -1):
        np.testing.assert_allclose(
            integrate.cumulative_trapezoid(y, axis=axis, initial=0).numpy(),
            scipy.integrate.cumulative_trapezoid(y, axis=axis, initial=0),
        )


@pytest.mark.emulated
def test_on_cuda() -> None:
    rates = tensor(RATES).cuda().requires_grad_()
    found = integrate.odeint(slope, tensor(START).cuda(), tensor(TIMES).cuda(), (rates,))
    found.sum().backward()
    assert found.is_cuda
    assert rates.grad is not None
    assert rates.grad.is_cuda
    np.testing.assert_allclose(
        found.detach().cpu().numpy(), scipy.integrate.odeint(theirs, START, TIMES, (RATES,))
    )


def test_what_solve_ivp_has_no_gradients_by_is_refused() -> None:
    times = gpugrad.tensor([0.5, 1.0], requires_grad=True)
    decay = lambda t, y: -y  # noqa: E731  a slope
    with pytest.raises(TypeError, match="solve_ivp: an argument requires grad, but times"):
        integrate.solve_ivp(decay, (0.0, 1.0), [1.0], t_eval=times)
    with pytest.raises(NotImplementedError, match="dense_output"):
        integrate.solve_ivp(decay, (0.0, 1.0), times, dense_output=True)


def number(value: float) -> gpugrad.Tensor:
    return gpugrad.tensor(value, dtype=gpugrad.float64)


def bell(x: Any, k: Any, c: Any) -> Any:
    return gnp.exp(-k * x * x) * c


EXACT: Any = {"epsabs": 1e-12, "epsrel": 1e-12}


def test_quad_by_the_limits_and_the_parameters() -> None:
    found, error = integrate.quad(bell, 0.2, 1.5, (1.3, 2.0))
    wanted, bound = scipy.integrate.quad(lambda x: np.exp(-1.3 * x * x) * 2, 0.2, 1.5)
    assert float(found) == wanted
    assert error == bound
    check_gradient(
        lambda a, b, k, c: integrate.quad(bell, a, b, (k, c), **EXACT)[0],
        [number(0.2), number(1.5), number(1.3), number(2.0)], 2,
    )  # fmt: skip
    check_gradient(
        lambda k, c: integrate.quad(bell, -np.inf, np.inf, (k, c), **EXACT)[0],
        [number(1.3), number(2.0)], 2,
    )  # fmt: skip
    kinked, _, info = integrate.quad(lambda x: abs(x - 0.5), 0, 1, full_output=1, points=[0.5])
    assert float(kinked) == pytest.approx(0.25)
    assert info["last"] >= 1
    k = gpugrad.tensor(2.0, requires_grad=True)  # constant limits are of its class and device
    area = integrate.quad(lambda x, k: x * k, 0, 1, k)[0]
    area.backward()
    assert type(area) is gpugrad.Tensor
    assert k.grad == 0.5


def test_quad_vec_and_fixed_quad() -> None:
    rates = tensor([1.3, 2.0])
    found, _ = integrate.quad_vec(lambda x, k: gnp.cos(k * x), 0.2, 1.5, args=(rates,))
    np.testing.assert_allclose(found.numpy(), (np.sin(1.5 * rates) - np.sin(0.2 * rates)) / rates)
    check_gradient(
        lambda a, b, k: integrate.quad_vec(lambda x, k: gnp.cos(k * x), a, b, args=(k,))[0],
        [number(0.2), number(1.5), rates], 2,
    )  # fmt: skip
    ours, none = integrate.fixed_quad(gnp.cos, 0, 1, n=4)
    assert none is None
    assert float(ours) == pytest.approx(scipy.integrate.fixed_quad(np.cos, 0, 1, n=4)[0])
    check_gradient(
        lambda a, b, k: integrate.fixed_quad(lambda x, k: gnp.cos(k * x), a, b, (k,))[0],
        [number(0.2), number(1.5), number(1.3)], 2,
    )  # fmt: skip


def test_integrals_that_would_lose_a_gradient_raise() -> None:
    hidden = number(2.0).requires_grad_()
    calls: list[tuple[type[Exception], str, Any]] = [
        (TypeError, "must return a tensor", lambda: integrate.quad(lambda x: 1.0, 0, 1)),
        (ValueError, "see quad_vec", lambda: integrate.quad(lambda x: x * RATES, 0, 1)),
        (ValueError, "among its arguments", lambda: integrate.quad(lambda x: x * hidden, 0, 1)),
        (ValueError, "among its arguments", lambda: integrate.quad_vec(lambda x: x * hidden, 0, 1)),
        (
            NotImplementedError,
            "weight",
            lambda: integrate.quad(gnp.cos, 0, 1, weight="cos", wvar=1),
        ),
    ]
    for kind, match, call in calls:
        with pytest.raises(kind, match=match):
            call()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9])
def test_simpson_is_scipys(n: int) -> None:
    rng = np.random.default_rng(n)
    y, x = rng.normal(size=(3, n)), np.arange(n) + 0.4 * rng.random(n)
    each = np.arange(n) + 0.4 * rng.random((3, n))
    every: list[dict[str, Any]] = [{}, {"dx": 0.3}, {"x": x}, {"x": each}]
    for options in every:
        wanted = scipy.integrate.simpson(y, **options)
        np.testing.assert_allclose(integrate.simpson(y, **options).numpy(), wanted)
        turned = {k: v.T if np.ndim(v) > 1 else v for k, v in options.items()}
        np.testing.assert_allclose(integrate.simpson(y.T, axis=0, **turned).numpy(), wanted)
    if n > 1:
        check_gradient(integrate.simpson, [tensor(y), tensor(x)], 2)
        check_gradient(integrate.simpson, [tensor(y), tensor(each)], 2)
        twice = np.repeat(x, 2)[:n]  # points at one place
        np.testing.assert_allclose(integrate.simpson(y, twice).numpy(),
                                   scipy.integrate.simpson(y, x=twice))  # fmt: skip
    with pytest.raises(ValueError, match="length of x"):
        integrate.simpson(y, np.ones(n + 1))
    with pytest.raises(ValueError, match="shape of x"):
        integrate.simpson(y, np.ones((1, 1, n)))
