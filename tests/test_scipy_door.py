"""``gpugrad.scipy`` beside SciPy: values, and gradients to the second order."""

from __future__ import annotations

import functools
import importlib
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.testing import assert_agree, check_gradient

pytest.importorskip("scipy")

import scipy.fft
import scipy.linalg
import scipy.special
import scipy.stats

from gpugrad.cupy.special import COMPLEX, RULES
from gpugrad.scipy import fft, integrate, linalg, signal, special, stats

rng = np.random.default_rng(0)


def tensor(value: Any) -> gpugrad.Tensor:
    return gpugrad.tensor(np.asarray(value))


def agree(ours: Any, theirs: Any, rtol: float = 1e-9, atol: float = 1e-13) -> None:
    if isinstance(theirs, tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            agree(a, b, rtol, atol)
        return
    value = ours.detach().cpu().numpy() if isinstance(ours, gpugrad.Tensor) else ours
    np.testing.assert_allclose(value, theirs, rtol, atol)
    assert np.shape(value) == np.shape(theirs)
    assert np.asarray(value).dtype == np.asarray(theirs).dtype


# --------------------------------------------------------------------------- special

X, Y, Z = np.array([0.21, 0.43, 0.64]), np.array([0.72, 0.31, 0.55]), np.array([0.3, 0.6, 0.7])
WHOLE = np.array([1.0, 2.0, 3.0])
POINTS: dict[str, tuple[Any, ...]] = {  # where those below do not do
    "bdtr": (1.0, 4, X), "bdtrc": (1.0, 4, X), "bdtri": (1.0, 4, X), "expn": (WHOLE, X),
    "jn": (WHOLE, X), "kn": (WHOLE, X), "yn": (WHOLE, X), "lpmv": (1.0, WHOLE, X),
    "nbdtr": (1, 4, X), "nbdtrc": (1, 4, X), "nbdtri": (1, 4, X), "ndtri_exp": (-X,),
    "pdtri": (1, X), "fdtri": (2.0, 3.0, np.array([0.4, 0.5])),
    "stdtrit": (3.0, np.array([0.35, 0.6])),
}  # fmt: skip
CONSTANT = {"gammainc": {0}, "gammaincc": {0}, "zetac": {0}}  # what has no derivative
UFUNCS = [n for n in special.__all__ if isinstance(getattr(scipy.special, n), np.ufunc)]


def movable(name: str, count: int) -> list[int]:
    name = "jv" if name == "jn" else name
    rules = None if name in special._OPERATIONS else RULES.get(name)
    fixed = CONSTANT.get(name, set())
    return [k for k in range(count) if k not in fixed and (rules is None or rules[k] is not None)]


@pytest.mark.parametrize("name", UFUNCS)
def test_special_functions_have_scipys_values_and_two_derivatives(name: str) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    points = POINTS.get(name, (X, Y, Z, np.array([0.2, 0.35, 0.5]))[: theirs.nin])
    agree(ours(*points), theirs(*points), 1e-10)
    agree(ours(*map(tensor, points)), theirs(*points), 1e-10)
    if theirs.nin == 1 and theirs.nout == 1:
        assert ours(points[0].astype(np.float32)).dtype == np.float32
    free = movable(name, theirs.nin)
    if not free:
        return

    def function(*moved: Any) -> Any:
        given = list(map(tensor, points))
        for k, m in zip(free, moved, strict=True):
            given[k] = m
        return ours(*given)

    check_gradient(function, [tensor(points[k]) for k in free], 2)


A23 = rng.normal(size=(2, 3))


@pytest.mark.parametrize("axis", [None, 0, (0, 1), -1])
def test_sums_of_exponentials_along_axes(axis: Any) -> None:
    for name in ("softmax", "log_softmax"):
        agree(getattr(special, name)(A23, axis), getattr(scipy.special, name)(A23, axis))
        check_gradient(lambda a, name=name: getattr(special, name)(a, axis), [tensor(A23)], 2)
    b = np.array([[1.0, -2.0, 0.0], [0.5, 0.1, 2.0]])
    for keep in (False, True):
        agree(
            special.logsumexp(A23, axis, None, keep), scipy.special.logsumexp(A23, axis, None, keep)
        )
        signed = special.logsumexp(A23, axis, b, keep, True)
        agree(signed, tuple(scipy.special.logsumexp(A23, axis, b, keep, True)))
    check_gradient(lambda a, b: special.logsumexp(a, axis, b, return_sign=True)[0],
                   [tensor(A23), tensor(b + 0.3)], 2)  # fmt: skip
    with np.errstate(all="ignore"):
        wanted = scipy.special.logsumexp([-np.inf, 1e3, 1e3])
    agree(special.logsumexp([-np.inf, 1e3, 1e3], b=[1.0, 1.0, 1.0]), wanted)


def test_functions_of_the_gamma_functions_kind() -> None:
    for n in (0, 2, [0, 1, 3]):
        agree(special.polygamma(n, Y), scipy.special.polygamma(n, Y))
        check_gradient(lambda x, n=n: special.polygamma(n, x), [tensor(Y + 1.2)], 2)
    agree(special.multigammaln(4.5, 3), scipy.special.multigammaln(4.5, 3))
    check_gradient(lambda a: special.multigammaln(a, 3), [tensor(Y + 2)], 2)
    with pytest.raises(ValueError, match="not met"):
        special.multigammaln(0.5, 3)
    agree(special.zeta(2.5, Y), scipy.special.zeta(2.5, Y))
    agree(special.zeta(2.5), scipy.special.zeta(2.5))
    agree(special.sinc(X), scipy.special.sinc(X))


def test_a_derivative_that_there_is_not_raises() -> None:
    order = tensor(X).requires_grad_()
    for function in (special.jv, special.gammainc):
        with pytest.raises(NotImplementedError, match="derivative"):
            function(order, tensor(Y)).sum().backward()


def test_scipys_own_functions_are_these_for_tensors() -> None:
    x = tensor(X).requires_grad_()
    scipy.special.jv(1.5, x).sum().backward()
    agree(x.grad, scipy.special.jvp(1.5, X))


# --------------------------------------------------------------------------- stats

SHAPES: dict[str, tuple[float, ...]] = {
    "norm": (), "cauchy": (), "laplace": (), "logistic": (), "expon": (), "uniform": (),
    "t": (2.5,), "gamma": (1.7,), "chi2": (3.2,), "lognorm": (0.8,), "beta": (1.5, 2.5),
    "poisson": (1.7,), "binom": (4, 0.3), "bernoulli": (0.3,), "geom": (0.3,),
}  # fmt: skip
INCOMPLETE = {"t", "gamma", "chi2", "beta"}  # their integrals have no derivative by the shapes


@pytest.mark.parametrize("name", SHAPES)
def test_distributions_have_scipys_values_and_two_derivatives(name: str) -> None:
    ours, theirs, shapes = getattr(stats, name), getattr(scipy.stats, name), SHAPES[name]
    discrete = isinstance(ours, stats.Discrete)
    parameters = (*shapes, 0.0) if discrete else (*shapes, -0.3, 1.7)
    methods = "pmf logpmf" if discrete else "pdf logpdf ppf isf"
    for method in (*methods.split(), "cdf", "sf", "logcdf", "logsf"):
        shares = method in ("ppf", "isf")
        points = np.array([-1.0, 0, 1, 2, 2.5, 4, 6, np.nan] if discrete else
                          [-1.3, 0.2, 0.6, 0.9, 3.0, np.nan])  # fmt: skip
        points = np.array([0.35, 0.45, 0.62]) if shares else points
        with np.errstate(all="ignore"):
            wanted = getattr(theirs, method)(points, *parameters)
        if discrete:
            wanted = np.where(np.isnan(points), np.nan, wanted)
        agree(getattr(ours, method)(tensor(points), *parameters), wanted)
        agree(getattr(ours, method)(points, *parameters), wanted)
        agree(getattr(ours(*parameters), method)(points), wanted)
        found = getattr(ours, method)(points, *shapes[:-1], *([-1.0] if shapes else [0.0, -1.0]))
        assert np.isnan(found.numpy()).all()
        good = np.isfinite(wanted) & ((points == np.floor(points)) | (not discrete))
        free = list(range(len(parameters) - discrete))
        if name in INCOMPLETE and method not in ("pdf", "logpdf"):
            free = free[len(shapes) :]
        free = [1] if name == "binom" else free

        def function(x: Any, *moved: Any, method: str = method, free: Any = free) -> Any:
            given = list(parameters)
            for k, m in zip(free, moved, strict=True):
                given[k] = m
            return getattr(ours, method)(x, *given)

        moved = [tensor(np.float64(parameters[k])) for k in free]
        if discrete:
            x = points[good]
            check_gradient(lambda *m, f=function, x=x: f(x, *m), moved, 2)
        else:
            check_gradient(function, [tensor(points[good]), *moved], 2)
    with pytest.raises(TypeError, match="none of its arguments"):
        ours.cdf(0.5, *parameters, size=3)


def test_distributions_of_vectors() -> None:
    ours, theirs = stats.multivariate_normal, scipy.stats.multivariate_normal
    mean, half, x = rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=(4, 3))
    cov = half @ half.T + np.eye(3)
    for method in ("pdf", "logpdf"):
        function = getattr(ours, method)
        for args in (
            (x, mean, cov),
            (x[0], mean, cov),
            (x[:, 0], 0.3, 2.0),
            (x, mean, [1.0, 2, 3]),
        ):
            agree(getattr(ours, method)(*args), getattr(theirs, method)(*args))
        check_gradient(lambda x, m, c, f=function: f(x, m, (c + c.T) / 2),
                       [tensor(x), tensor(mean), tensor(cov)], 2)  # fmt: skip
    agree(ours.entropy(mean, cov), theirs.entropy(mean, cov))
    flat = np.diag([1.0, 2.0, 0.0])
    with pytest.raises(np.linalg.LinAlgError, match="allow_singular"):
        ours.pdf(x, mean, flat)
    for point in ([0.3, 0.2, 0.0], [0.3, 0.2, 0.1]):
        singular = (np.array(point), np.zeros(3), flat, True)
        agree(ours.logpdf(*singular), theirs.logpdf(*singular))
    alpha, shares = np.array([1.2, 2.3, 0.7]), np.array([0.2, 0.5, 0.3])
    for method in ("pdf", "logpdf"):
        function = getattr(stats.dirichlet, method)
        for given in (shares, shares[:2]):
            agree(function(given, alpha), getattr(scipy.stats.dirichlet, method)(given, alpha))
        check_gradient(
            lambda x, a, f=function: f(x / x.sum(), a), [tensor(shares), tensor(alpha)], 2
        )
    with pytest.raises(ValueError, match="sum to 1"):
        stats.dirichlet.pdf(shares * 2, alpha)


# --------------------------------------------------------------------------- linalg

M = rng.normal(size=(4, 4)) + 3 * np.eye(4)
P = M @ M.T + np.eye(4)
C = M + 1j * rng.normal(size=(4, 4))
T = np.tril(M)
B, V = rng.normal(size=(4, 2)), rng.normal(size=4)
TALL = np.linalg.qr(rng.normal(size=(5, 3)))[0] * [1.0, 2.2, 3.5] + 0.1
BANDS = rng.normal(size=(4, 5)) + np.array([[0], [0], [5], [0]])


def symmetric(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, *rest: function((a + a.mT.conj()) / 2, *rest)


def of_symmetric(function: Callable[..., Any], a: Any, b: Any) -> Any:
    return function((a + a.mT) / 2, (b + b.mT) / 2)


CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "inv": [((M,), {}), ((P,), {"assume_a": "pos"}), ((C,), {})],
    "solve": [((M, V), {}), ((M, B), {"transposed": True}), ((P, B), {"assume_a": "pos"}),
              ((P, B), {"assume_a": "sym", "lower": True}), ((C, B), {}),
              ((M, B), {"assume_a": "upper triangular"})],
    "solve_triangular": [((T, V), {"lower": True}), ((T, B), {"lower": True, "trans": "T"}),
                         ((M, B), {"unit_diagonal": True}),
                         ((C, B), {"trans": "C"}), ((C, B), {"trans": 1, "lower": True})],
    "cholesky": [((P,), {}), ((P,), {"lower": True})],
    "lu": [((M,), {}), ((M,), {"permute_l": True}), ((M,), {"p_indices": True})],
    "lu_factor": [((M,), {})],
    "qr": [((M,), {}), ((TALL,), {"mode": "economic"}), ((TALL,), {"mode": "r"}),
           ((M,), {"pivoting": True})],
    "svdvals": [((TALL,), {})],
    "svd": [((TALL,), {"compute_uv": False})],
    "eigvalsh": [((P,), {}), ((P, P + np.eye(4)), {}), ((M + M.T, P), {"type": 2}),
                 ((M + M.T, P), {"type": 3}), ((P,), {"subset_by_index": [1, 2]}),
                 ((P,), {"subset_by_value": [1.0, 10.0]})],
    "det": [((M,), {}), ((C,), {})],
    "pinv": [((TALL,), {}), ((TALL,), {"return_rank": True})],
    "lstsq": [((TALL, rng.normal(size=5)), {}), ((TALL, rng.normal(size=(5, 2))), {})],
    "norm": [((M,), {}), ((M, 1), {}), ((M, "nuc"), {}), ((V, 3), {}), ((M, 2, 0), {})],
    "expm": [((M / 3,), {}), ((C / 3,), {})],
    "sqrtm": [((P,), {}), ((M,), {}), ((C,), {})],
    "logm": [((P,), {}), ((C,), {})],
    "cosm": [((M / 3,), {}), ((C / 3,), {})],
    "sinm": [((M / 3,), {})],
    "tanm": [((M / 9,), {})],
    "coshm": [((M / 3,), {})],
    "sinhm": [((M / 3,), {})],
    "tanhm": [((M / 3,), {})],
    "polar": [((M,), {}), ((TALL,), {"side": "left"}), ((C,), {})],
    "solve_sylvester": [((M, P[:2, :2], B), {}), ((C, P[:2, :2], B), {})],
    "solve_banded": [(((1, 2), BANDS, rng.normal(size=5)), {}),
                     (((1, 2), BANDS, rng.normal(size=(5, 2))), {}),
                     (((1, 2), BANDS + 0.1j, rng.normal(size=(5, 2))), {})],
    "solve_continuous_lyapunov": [((M, P), {}), ((C, P), {})],
    "solve_discrete_lyapunov": [((M / 9, P), {}), ((C / 9, P), {}),
                                ((M / 9, P), {"method": "bilinear"}),
                                ((C / 9, P), {"method": "bilinear"})],
    "expm_frechet": [((M / 3, P / 3), {}), ((C / 3, P / 3), {"compute_expm": False})],
    "toeplitz": [((V,), {}), ((V, rng.normal(size=3)), {}), ((C[0],), {})],
    "hankel": [((V,), {}), ((V, rng.normal(size=3)), {})],
    "circulant": [((V,), {}), ((M,), {})],
    "block_diag": [((M, V, TALL), {})],
}  # fmt: skip
WIDE = {"polar": {1}, "lstsq": set()}  # the calls that are not differentiated


def _moves(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_functions_of_matrices_have_scipys_values_and_two_derivatives(name: str) -> None:
    ours, theirs = getattr(linalg, name), getattr(scipy.linalg, name)
    for number, (args, options) in enumerate(CALLS[name]):
        wanted = theirs(*args, **options)
        found = ours(*args, **options)
        if name in ("lu", "lu_factor", "qr"):  # integers of another size
            found = tuple(f.numpy() if f.dtype.kind != "i" else np.asarray(f.numpy(), w.dtype)
                          for f, w in zip(found, wanted, strict=True))  # fmt: skip
        agree(found, tuple(wanted) if isinstance(wanted, list) else wanted, 1e-9, 1e-11)
        if number in WIDE.get(name, ()):
            continue
        free = [k for k, a in enumerate(args) if _moves(a)]

        def function(
            *moved: Any, args: Any = args, options: Any = options, free: Any = free
        ) -> Any:
            given = list(args)
            for k, m in zip(free, moved, strict=True):
                given[k] = m
            results = ours(*given, **options)
            return [r for r in results if isinstance(r, gpugrad.Tensor)] if isinstance(
                results, tuple) else results  # fmt: skip

        of_one = name in ("cholesky", "eigvalsh") or args[0] is P
        checked: Callable[..., Any] = function
        if of_one and len(free) == 1 and args[0].ndim == 2:
            checked = symmetric(function)
        elif name == "eigvalsh":
            checked = functools.partial(of_symmetric, function)
        check_gradient(checked, [tensor(args[k]) for k in free], 2)


DIAGONALS: list[tuple[str, Any, Any, Any]] = [
    ("solve_toeplitz", M[0], V, V), ("solve_toeplitz", C[0], C[1], B),
    ("solve_toeplitz", M[0], None, V), ("solve_toeplitz", C[0], None, V + 0j),
    ("matmul_toeplitz", V, rng.normal(size=6), rng.normal(size=6)),
    ("matmul_toeplitz", C[0], rng.normal(size=3), rng.normal(size=(3, 2))),
    ("matmul_toeplitz", C[0], None, B),
]  # fmt: skip


@pytest.mark.parametrize(("name", "column", "row", "other"), DIAGONALS)
def test_matrices_of_constant_diagonals(name: str, column: Any, row: Any, other: Any) -> None:
    ours, theirs = getattr(linalg, name), getattr(scipy.linalg, name)
    agree(ours(column, other) if row is None else ours((column, row), other),
          theirs(column, other) if row is None else theirs((column, row), other))  # fmt: skip

    def function(c: Any, b: Any, *r: Any) -> Any:
        return ours((c, *r) if r else c, b)

    given = [tensor(v) for v in (column, other, row) if v is not None]
    check_gradient(function, given, 2)
    if not any(g.is_complex() for g in given):
        every = tuple(range(len(given)))
        by_rows = gpugrad.func.jacrev(function, every)(*given)
        for a, b in zip(by_rows, gpugrad.func.jacfwd(function, every)(*given), strict=True):
            assert_agree(a, b)
    with pytest.raises(ValueError, match=r"dimensions|rows"):
        ours((V, V), np.ones(3))


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
def test_what_the_host_computes_is_computed_for_each_example() -> None:
    batch, first, last = tensor(np.stack([P, 2 * P])), tensor(P), tensor(2 * P)
    for function in (linalg.sqrtm, linalg.logm):
        assert_agree(gpugrad.func.vmap(function)(batch)[1], function(last))
        assert_agree(gpugrad.func.jacrev(function)(first), gpugrad.func.jacfwd(function)(first))
    solved = gpugrad.func.jacrev(lambda d, b: linalg.solve_banded((1, 2), d, b), (0, 1))
    moved = gpugrad.func.jacfwd(lambda d, b: linalg.solve_banded((1, 2), d, b), (0, 1))
    for a, b in zip(solved(tensor(BANDS), tensor(BANDS[2])), moved(tensor(BANDS), tensor(BANDS[2])),
                    strict=True):  # fmt: skip
        assert_agree(a, b)


def test_special_functions_compute_all_examples_at_once() -> None:
    a, b = tensor(rng.uniform(1, 2, (3, 4))), tensor(rng.uniform(1, 2, 4))
    vmap, grad = gpugrad.func.vmap, gpugrad.func.grad
    assert_agree(vmap(special.beta, (0, None))(a, b), special.beta(a, b))
    assert_agree(vmap(vmap(special.beta), (0, None))(a, b), special.beta(a, b))
    assert_agree(vmap(lambda a: special.beta(a[0], a))(a), special.beta(a[:, :1], a))
    each = vmap(grad(special.beta, (0, 1)), (0, None))(a[0], b[0])
    whole = grad(lambda a, b: special.beta(a, b).sum(), (0, 1))(a[0], b[:1].expand(4))
    for found, wanted in zip(each, whole, strict=True):
        assert_agree(found, wanted)
    assert len(vmap(special.airy)(a)) == 4


@pytest.mark.parametrize("name", COMPLEX)
def test_error_functions_take_complex_numbers(name: str) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    z = X + 1j * Y
    agree(ours(z), theirs(z), 1e-10)
    agree(ours(z.astype(np.complex64)), theirs(z.astype(np.complex64)), 1e-5)
    check_gradient(ours, [tensor(z)], 2)


# of probabilities at the ends of a parameter, where logarithms are infinite: the derivatives
ENDS: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "poisson": (lambda k, p: stats.poisson.pmf(k, p), 0.0, [-1.0, 1.0, 0.0, 0.0]),
    "binom at 0": (lambda k, p: stats.binom.pmf(k, 3, p), 0.0, [-3.0, 3.0, 0.0, 0.0]),
    "binom at 1": (lambda k, p: stats.binom.pmf(k, 3, p), 1.0, [0.0, 0.0, -3.0, 3.0]),
    "bernoulli at 0": (lambda k, p: stats.bernoulli.pmf(k, p), 0.0, [-1.0, 1.0, 0.0, 0.0]),
    "bernoulli at 1": (lambda k, p: stats.bernoulli.pmf(k, p), 1.0, [-1.0, 1.0, 0.0, 0.0]),
    "geom": (lambda k, p: stats.geom.pmf(k + 1, p), 1.0, [1.0, -1.0, 0.0, 0.0]),
    "log of poisson": (lambda k, p: stats.poisson.logpmf(k[:1], p[:1]), 0.0, [-1.0, 0, 0, 0]),
    "log of binom": (lambda k, p: stats.binom.logpmf(k[:1], 3, p[:1]), 0.0, [-3.0, 0, 0, 0]),
    "log of geom": (lambda k, p: stats.geom.logpmf(k[:1] + 1, p[:1]), 1.0, [1.0, 0, 0, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_probabilities_have_gradients_at_the_ends(name: str) -> None:
    function, end, wanted = ENDS[name]
    p = gpugrad.full((4,), end, dtype=gpugrad.float64, requires_grad=True)
    function(np.arange(4.0), p).sum().backward()
    assert p.grad is not None
    assert p.grad.tolist() == wanted


def test_factors_and_bases() -> None:
    for lower in (False, True):
        factor = linalg.cho_factor(P, lower)
        assert factor[1] is lower
        agree(linalg.cho_solve(factor, B), scipy.linalg.cho_solve(scipy.linalg.cho_factor(P), B))
        check_gradient(symmetric(lambda a, b, low=lower: linalg.cho_solve(
            linalg.cho_factor(a, low), b)), [tensor(P), tensor(V)], 2)  # fmt: skip
    for trans in (0, 1, 2):
        wanted = scipy.linalg.lu_solve(scipy.linalg.lu_factor(C), B, trans)
        agree(linalg.lu_solve(linalg.lu_factor(C), B, trans), wanted)
        check_gradient(lambda a, b, t=trans: linalg.lu_solve(linalg.lu_factor(a), b, t),
                       [tensor(C), tensor(B + 0j)], 2)  # fmt: skip
    for pair in ((P, None, 1), (M + M.T, P, 1), (M + M.T, P, 2), (M + M.T, P, 3)):
        values, vectors = linalg.eigh(*pair[:2], type=pair[2])
        theirs = scipy.linalg.eigh(*pair[:2], type=pair[2])
        agree(values, theirs[0])
        agree(abs(vectors), abs(theirs[1]))
    values, left, right = linalg.eig(M, left=True)
    np.testing.assert_allclose((M @ right).numpy(), (right * values).numpy())
    np.testing.assert_allclose((left.mH @ M).numpy(), (values[:, None] * left.mH).numpy())
    check_gradient(lambda a: abs(linalg.eig(a, left=True)[1]), [tensor(M)])
    assert linalg.eigvals(M, P).shape == (4,)
    wide = TALL.T
    base = linalg.null_space(wide)
    assert base.shape == (5, 2)
    np.testing.assert_allclose((wide @ base).numpy(), 0, atol=1e-12)
    agree(abs(linalg.orth(TALL)), abs(scipy.linalg.orth(TALL)))


FORWARD: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (linalg.sqrtm, (P,)), (linalg.sqrtm, (C,)), (linalg.logm, (P,)),
    (lambda a, q: linalg.solve_sylvester(a, P[:2, :2], q), (M, B)),
    (lambda a, b: linalg.solve_banded((1, 2), a, b), (BANDS, rng.normal(size=5))),
    (lambda a: linalg.solve_banded((1, 2), a, np.ones((5, 2))), (BANDS,)),
    (lambda x: special.betainc(2.0, 3.0, x), (X,)),
    (lambda x: special.airy(x)[0], (X,)),
    (lambda x, c: stats.norm.logcdf(x, 0.3, c), (X, np.array(1.3))),
]  # fmt: skip


@pytest.mark.parametrize(("function", "values"), FORWARD)
def test_forward_mode(function: Callable[..., Any], values: tuple[Any, ...]) -> None:
    given = tuple(tensor(v).requires_grad_() for v in values)
    assert gpugrad.autograd.gradcheck(function, given, check_forward_ad=True)


def test_what_cannot_be_computed_raises_as_in_scipy() -> None:
    with pytest.raises(ValueError, match="infs or NaNs"):
        linalg.inv([[np.nan, 1.0], [0.0, 1.0]])
    with pytest.raises(linalg.LinAlgError):
        linalg.inv(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="square"):
        linalg.expm(np.ones((2, 3)))
    with pytest.raises(ValueError, match="l\\+u\\+1"):
        linalg.solve_banded((1, 1), BANDS, np.ones(5))
    with pytest.raises(NotImplementedError, match="raw"):
        linalg.qr(M, mode="raw")


# --------------------------------------------------------------------------- fft, names


@pytest.mark.parametrize("name", [n for n in fft.__all__ if "freq" not in n and "len" not in n])
def test_transforms(name: str) -> None:
    x = rng.normal(size=(4, 6))
    x = x + 1j * x[::-1] if name.startswith(("h", "irfft")) else x
    agree(getattr(fft, name)(x), getattr(scipy.fft, name)(x), 1e-9, 1e-12)
    check_gradient(getattr(fft, name), [tensor(x)])


WAVES = [n for n in fft.__all__ if n.lstrip("i")[:3] in ("dct", "dst")]


@pytest.mark.parametrize("name", WAVES)
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_cosine_and_sine_transforms_of_each_kind(name: str, kind: int) -> None:
    ours, theirs = getattr(fft, name), getattr(scipy.fft, name)
    x = rng.normal(size=(4, 6))
    for norm in (None, "backward", "ortho", "forward"):
        for orthogonal in (None, True, False):
            options: dict[str, Any] = {"norm": norm, "orthogonalize": orthogonal}
            agree(ours(x, kind, **options), theirs(x, kind, **options), 1e-9, 1e-12)
    for size, axis in ((3, 0), (9, 1)):
        if name.endswith("n"):
            options = {"s": (size, 5), "axes": (axis, 1 - axis)}
        else:
            options = {"n": size, "axis": axis}
        agree(ours(x, kind, **options), theirs(x, kind, **options), 1e-9, 1e-12)
    agree(ours(x + 1j * x[::-1], kind), theirs(x + 1j * x[::-1], kind), 1e-9, 1e-12)
    agree(ours(np.arange(6), kind), theirs(np.arange(6), kind), 1e-9, 1e-12)
    assert ours(np.ones(3, np.float32), kind).dtype == gpugrad.float32
    check_gradient(lambda x: ours(x, kind, norm="ortho"), [tensor(x)], 2)
    wrong: dict[str, Callable[[], Any]] = {
        "type must be": lambda: ours(x, 5),
        "Invalid norm": lambda: ours(x, kind, norm="x"),
        "invalid number": lambda: ours(x, kind, *([(0, 0)] if name.endswith("n") else [0])),
    }
    for match, call in wrong.items():
        with pytest.raises(ValueError, match=match):
            call()


def test_signatures_are_scipys() -> None:
    for ours, theirs in ((linalg, scipy.linalg), (fft, scipy.fft), (special, scipy.special)):
        for name in ours.__all__:
            own, other = getattr(ours, name), getattr(theirs, name)
            if not inspect.isfunction(own) or name in ("fftfreq", "rfftfreq", "round", "sinc"):
                continue
            wanted = list(inspect.signature(other).parameters)
            assert list(inspect.signature(own).parameters) == wanted, name


@pytest.mark.needs("autograd")
def test_names_of_hips_autograd_are_there() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hips = importlib.import_module("autograd.scipy.special")
        hips_stats = importlib.import_module("autograd.scipy.stats")
    theirs = {n for n, v in vars(hips).items() if callable(v) and hasattr(scipy.special, n)}
    assert theirs <= {*special.__all__, "defvjp", "defjvp", "primitive"}
    for name in (
        "beta",
        "chi2",
        "dirichlet",
        "gamma",
        "multivariate_normal",
        "norm",
        "poisson",
        "t",
    ):
        wanted = {n for n, v in vars(getattr(hips_stats, name)).items()
                  if callable(v) and n in ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf",
                                           "logsf", "entropy")}  # fmt: skip
        assert all(hasattr(getattr(stats, name), n) for n in wanted), name


@pytest.mark.emulated
def test_on_cuda() -> None:
    x = tensor(X).cuda().requires_grad_()
    for function in (special.gammaln, special.xlogy, stats.norm.logpdf, stats.beta.logpdf):
        args: tuple[Any, ...] = (0.7, 1.2) if function is not special.gammaln else ()
        args = args[:1] if function is special.xlogy else args
        found = function(x, *args)
        agree(found, getattr(function(X, *args), "numpy", lambda: None)())
        assert gpugrad.autograd.grad(found.sum(), x)[0].is_cuda
    for name in ("solve_triangular", "cholesky", "sqrtm", "toeplitz", "solve_banded"):
        args = CALLS[name][0][0]
        moved = [tensor(a).cuda().requires_grad_() if _moves(a) else a for a in args]
        found = getattr(linalg, name)(*moved, **CALLS[name][0][1])
        agree(found, getattr(linalg, name)(*args, **CALLS[name][0][1]).numpy(), 1e-9, 1e-12)
        found.sum().backward()
        for m in moved:
            assert not isinstance(m, gpugrad.Tensor) or (m.grad is not None and m.grad.is_cuda)


def test_normal_distributions_of_vectors_need_no_mean() -> None:
    cov = [[2.0, 0.5], [0.5, 1.0]]
    found = gpugrad.scipy.stats.multivariate_normal.pdf([1.0, 2.0], cov=cov)
    assert_agree(found, scipy.stats.multivariate_normal.pdf([1.0, 2.0], cov=cov))


ON_GPU: dict[str, Callable[[Any, Any], Any]] = {
    "dct": lambda x, v: fft.dct(x, norm="ortho"),
    "dstn": lambda x, v: fft.dstn(x, 3),
    "fftconvolve": lambda x, v: signal.fftconvolve(x, x[:, :2], axes=1),
    "convolve2d": lambda x, v: signal.convolve2d(x, x[:2, :2], "same", "symm"),
    "simpson": lambda x, v: integrate.simpson(x),
    "quad": lambda x, v: integrate.quad(lambda t, k: (k * t).sum(), 0.0, 1.0, (v,))[0],
    "quad_vec": lambda x, v: integrate.quad_vec(lambda t, k: k * t, 0.0, 1.0, args=(v,))[0],
    "fixed_quad": lambda x, v: integrate.fixed_quad(lambda t, k: t * k[0], 0.0, 1.0, (v,))[0],
    "solve_toeplitz": lambda x, v: linalg.solve_toeplitz((v, v * 0.1), x),
    "matmul_toeplitz": lambda x, v: linalg.matmul_toeplitz(v, x),
    "solve_discrete_lyapunov": lambda x, v: linalg.solve_discrete_lyapunov(
        x[:, :4] * 0.1, x[:, :4]
    ),
    "poisson": lambda x, v: stats.poisson.pmf(2, v),
    "examples of gammaln": lambda x, v: gpugrad.func.vmap(special.gammaln)(x),
}  # fmt: skip


@pytest.mark.cuda
@pytest.mark.parametrize("name", ON_GPU)
def test_on_a_gpu_values_and_gradients_are_those_of_the_cpu(name: str) -> None:
    found = []
    for device in ("cpu", "cuda"):
        draw = np.random.default_rng(1)
        x, v = (
            gpugrad.tensor(a, device=device, requires_grad=True)
            for a in (draw.random((4, 5)), draw.random(4) + 1)
        )
        y = ON_GPU[name](x, v)
        assert y.device.type == device
        grads = gpugrad.autograd.grad(y.sum(), (x, v), allow_unused=True)
        found.append([t for t in (y.detach(), *grads) if t is not None])
    for ours, theirs in zip(*found, strict=True):
        assert_agree(theirs.cpu(), ours)
