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
