"""gpugrad.numpy.random: distributions, seeds, and gradients by the parameters."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.testing import as_numpy

random: Any = gnp.random
ABSENT = {
    "BitGenerator", "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64",
    "SeedSequence", "get_bit_generator", "set_bit_generator", "test",  # states are gpugrad's
    "random_integers",  # deprecated by NumPy
}  # fmt: skip
PARAMETERS: dict[str, tuple[Any, ...]] = {
    "uniform": (-1.0, 2.0), "normal": (1.0, 2.0), "lognormal": (0.1, 0.5), "exponential": (2.0,),
    "laplace": (1.0, 2.0), "logistic": (1.0, 2.0), "gumbel": (1.0, 2.0), "rayleigh": (2.0,),
    "weibull": (1.5,), "pareto": (3.5,), "power": (2.5,), "triangular": (-1.0, 0.5, 2.0),
    "gamma": (2.0, 3.0), "beta": (2.0, 3.0), "binomial": (7, 0.3), "chisquare": (3.0,),
    "f": (4.0, 9.0), "geometric": (0.3,), "hypergeometric": (9, 4, 5), "logseries": (0.6,),
    "negative_binomial": (4, 0.4), "noncentral_chisquare": (3.0, 1.0),
    "noncentral_f": (4.0, 9.0, 1.0),
    "poisson": (3.0,), "standard_gamma": (2.0,), "standard_t": (5.0,), "vonmises": (0.5, 2.0),
    "wald": (2.0, 3.0), "zipf": (4.5,), "random": (), "standard_normal": (),
    "standard_exponential": (),
}  # fmt: skip
DERIVED = sorted(
    {"uniform", "normal", "lognormal", "exponential", "laplace", "logistic", "gumbel", "rayleigh",
     "weibull", "pareto", "power", "triangular"}
)  # fmt: skip


def test_numpys_names_are_there_but_for_those_of_its_own_states() -> None:
    theirs = {n for n in dir(np.random) if not n.startswith("_")}
    called = {n for n in theirs if callable(getattr(np.random, n))}
    assert {n for n in called if not hasattr(random, n)} == ABSENT
    methods = {n for n in dir(np.random.Generator) if not n.startswith("_")} - {"bit_generator"}
    assert methods - {*dir(random.Generator)} == {"multivariate_hypergeometric"}
    theirs_of, ours_of = np.random.default_rng(0), random.default_rng(0)
    for name in PARAMETERS:
        wanted = getattr(theirs_of, name).__doc__.strip().splitlines()[0]
        found = [n for n in inspect.signature(getattr(ours_of, name)).parameters if n != "device"]
        names = [p.split("=")[0].strip() for p in wanted[len(name) + 1 : -1].split(",")]
        assert found == names[: len(found)]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_the_mean_and_the_spread_are_those_of_the_distribution(name: str) -> None:
    parameters, n = PARAMETERS[name], 4000
    drawn = getattr(random.default_rng(5), name)(*parameters, size=n)
    wanted = getattr(np.random.default_rng(6), name)(*parameters, size=40_000)
    assert type(drawn) is gnp.ndarray
    assert drawn.dtype == wanted.dtype
    found = as_numpy(drawn)
    deviation = np.std(wanted)
    assert abs(np.mean(found) - np.mean(wanted)) < 6 * deviation / n**0.5
    low, middle, high = np.quantile(wanted, (0.1, 0.5, 0.9))
    for bound in (low, middle, high):
        assert abs(np.mean(found <= bound) - np.mean(wanted <= bound)) < 6 * 0.5 / n**0.5


@pytest.mark.parametrize("name", DERIVED)
def test_numbers_move_with_the_parameters_as_differences_say(name: str) -> None:
    values = np.array(PARAMETERS[name])

    def drawn(*parameters: Any) -> Any:
        return getattr(random.default_rng(3), name)(*parameters, size=50)

    leaves = [gnp.array(v).requires_grad_() for v in values]
    gradients = gpugrad.autograd.grad(drawn(*leaves).sum(), leaves)
    for k, g in enumerate(gradients):
        step = np.eye(len(values))[k] * 1e-6
        numeric = (drawn(*(values + step)).sum() - drawn(*(values - step)).sum()) / 2e-6
        np.testing.assert_allclose(g.item(), numeric.item(), rtol=1e-6, atol=1e-6)


def test_a_seed_gives_the_same_numbers_again() -> None:
    gnp.random.seed(3)
    first = [random.rand(2), random.randn(2), random.poisson(3.0, 4), random.permutation(5)]
    gnp.random.seed(3)
    again = [random.rand(2), random.randn(2), random.poisson(3.0, 4), random.permutation(5)]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(as_numpy(a), as_numpy(b))
    state = random.get_state()
    x = random.rand(3)
    random.set_state(state)
    np.testing.assert_array_equal(as_numpy(random.rand(3)), as_numpy(x))
    a, b = random.default_rng(7).normal(size=3), random.default_rng(7).normal(size=3)
    np.testing.assert_array_equal(as_numpy(a), as_numpy(b))
    assert len({as_numpy(g.random()).item() for g in random.default_rng(1).spawn(3)}) == 3


def test_orders_and_choices_keep_the_history() -> None:
    rng = random.default_rng(2)
    x = gnp.arange(6.0).requires_grad_()
    for found in (
        rng.permutation(x), rng.choice(x, 4), rng.choice(x, 4, replace=False), rng.permuted(x),
        rng.choice(x, 5, p=np.array([0, 0.5, 0, 0, 0.5, 0])),
    ):  # fmt: skip
        assert found.requires_grad
        assert {*as_numpy(found.detach()).tolist()} <= {*range(6)}
    assert sorted(rng.permutation(x).tolist()) == [0, 1, 2, 3, 4, 5]
    assert {*rng.choice(3, 50, p=[0.5, 0, 0.5]).tolist()} == {0, 2}
    y = x * 1
    rng.shuffle(y)
    (y * gnp.arange(6.0)).sum().backward()
    assert sorted(x.grad.tolist()) == [0, 1, 2, 3, 4, 5]
    rows = rng.permuted(np.arange(20).reshape(2, 10), axis=1)
    assert [sorted(r) for r in rows.tolist()] == [[*range(10)], [*range(10, 20)]]
    assert {*rng.integers(2, 4, 50).tolist()} == {2, 3}
    assert {*rng.integers(2, 4, 90, endpoint=True).tolist()} == {2, 3, 4}
    assert len(rng.bytes(5)) == 5


def test_vectors_have_the_covariances_that_were_asked_for() -> None:
    mean = gnp.array([1.0, -1.0]).requires_grad_()
    cov = gnp.array([[2.0, 0.5], [0.5, 1.0]]).requires_grad_()
    drawn = random.default_rng(0).multivariate_normal(mean, cov, 20_000)
    np.testing.assert_allclose(np.cov(as_numpy(drawn.detach()).T), as_numpy(cov.detach()), atol=0.1)
    gpugrad.autograd.grad(drawn.sum(), [mean, cov])
    flat = random.default_rng(0).multivariate_normal([0, 0], [[1, 1], [1, 1]], 3)
    np.testing.assert_allclose(as_numpy(flat)[:, 0], as_numpy(flat)[:, 1], atol=1e-7)


def test_parameters_without_a_derivative_are_refused_where_they_require_grad() -> None:
    rate = gnp.array(3.0).requires_grad_()
    with pytest.raises(TypeError, match=r"random.poisson has no derivative by its parameters"):
        random.poisson(rate)
    with pytest.raises(ValueError, match="scale < 0"):
        random.normal(0, -1)
    with pytest.raises(ValueError, match="not compatible with broadcast dimensions"):
        random.normal(np.zeros(3), size=2)
    with gpugrad.no_grad():
        random.poisson(rate)


@pytest.mark.cuda
def test_numbers_are_drawn_on_the_device_of_the_generator_or_the_parameters() -> None:
    rng = random.default_rng(0, device="cuda")
    for found in (rng.normal(size=3), rng.poisson(2.0, 3), rng.permutation(4), rng.choice(4, 2)):
        assert found.is_cuda
    assert random.normal(gnp.zeros(2, device="cuda")).is_cuda
    assert random.rand(2, device="cuda").is_cuda
