"""Operations of matrices where there is no result: what is raised, and what tells it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad import linalg
from gpugrad.backend import lapack
from gpugrad.testing import assert_agree

t: Any = gpugrad  # as users see it who do not check types

EYE, ZEROS, NONE = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, -1.0]]
NAN = [[float("nan"), 0.0], [0.0, 1.0]]

# Functions of a library and its tensors, for which both raise.
FAILURES: list[tuple[Callable[..., Any], list[Any]]] = [
    (lambda lib, x: lib.linalg.cholesky(x), [NONE]),
    (lambda lib, x: lib.linalg.cholesky(x), [[EYE, NONE]]),
    (lambda lib, x: lib.cholesky(x), [ZEROS]),
    (lambda lib, x: lib.linalg.cholesky_ex(x, check_errors=True), [NONE]),
    (lambda lib, x: lib.linalg.inv(x), [[EYE, ZEROS]]),
    (lambda lib, x: lib.linalg.inv_ex(x, check_errors=True), [ZEROS]),
    (lambda lib, x: lib.inverse(x), [[[1.0, 2.0], [2.0, 4.0]]]),
    (lambda lib, x: lib.linalg.matrix_power(x, -1), [ZEROS]),
    (lambda lib, x: lib.cholesky_inverse(x), [ZEROS]),
    (lambda lib, x: lib.linalg.solve(x, x), [ZEROS]),
    (lambda lib, x, y: lib.linalg.solve(x, y), [[EYE, ZEROS], EYE]),
    (lambda lib, x, y: lib.linalg.solve_ex(x, y, check_errors=True), [ZEROS, EYE]),
    (lambda lib, x: lib.linalg.lu_factor(x), [ZEROS]),
    (lambda lib, x: lib.linalg.svd(x), [NAN]),
    (lambda lib, x: lib.linalg.svdvals(x), [NAN]),
    (lambda lib, x: lib.linalg.pinv(x), [NAN]),
    (lambda lib, x: lib.linalg.matrix_rank(x), [NAN]),
    (lambda lib, x: lib.linalg.cond(x), [NAN]),
    (lambda lib, x: lib.linalg.cond(x, 3), [EYE]),
    (lambda lib, x: lib.linalg.matrix_norm(x, "foo"), [EYE]),
    (lambda lib, x: lib.linalg.matrix_norm(x, dim=(0, 0)), [EYE]),
    (lambda lib, x: lib.linalg.norm(x, 1), [[EYE, EYE]]),
    (lambda lib, x: lib.linalg.vector_norm(x, dtype=lib.complex64), [EYE]),
    (lambda lib, x: lib.linalg.eigh(x, "X"), [EYE]),
    (lambda lib, x: lib.linalg.qr(x, "foo"), [EYE]),
    (lambda lib, x: lib.linalg.svd(x, driver="gesvd"), [EYE]),
    (lambda lib, x: lib.linalg.lu(x, pivot=False), [EYE]),
    (lambda lib, x: lib.linalg.tensorinv(x, 0), [EYE]),
    (lambda lib, x: lib.linalg.multi_dot([x]), [EYE]),
    (lambda lib, x, y: lib.linalg.cross(x, y), [EYE, EYE]),
    (lambda lib, x: lib.linalg.det(x.to(lib.int64)), [EYE]),
    (lambda lib, x: lib.linalg.slogdet(x.to(lib.float16)), [EYE]),
    (lambda lib, x: lib.linalg.eigh(x.to(lib.float16)), [EYE]),
    (lambda lib, x: lib.linalg.svd(x.to(lib.int64)), [EYE]),
    (lambda lib, x: lib.logdet(x[0]), [EYE]),
    (lambda lib, x: lib.linalg.eig(x[:1]), [EYE]),
    (lambda lib, x, y: lib.linalg.solve(x, y[0, :1]), [EYE, EYE]),
]  # fmt: skip


def raised(call: Callable[[], Any]) -> tuple[list[str], str]:
    """Return the names of the classes of an error, without those of a library, and its text."""
    try:
        call()
    except Exception as error:
        kinds = [kind.__name__.lstrip("_") for kind in type(error).__mro__]
        return kinds, re.sub(r"\b(torch|gpugrad)\b", "lib", str(error))
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(("function", "inputs"), FAILURES)
def test_failures_are_pytorchs(function: Callable[..., Any], inputs: list[Any]) -> None:
    ours = raised(lambda: function(t, *map(t.tensor, inputs)))
    theirs = raised(lambda: function(pytorch(), *map(pytorch().tensor, inputs)))
    assert ours == theirs


def test_failures_are_told_on_either_device(device: str) -> None:
    with pytest.raises(linalg.LinAlgError, match="leading minor of order 2"):
        t.linalg.cholesky(t.tensor(NONE, device=device))
    with pytest.raises(linalg.LinAlgError, match=re.escape("(Batch element 1): The diagonal")):
        t.linalg.inv(t.tensor([EYE, ZEROS], device=device))
    with pytest.raises(RuntimeError, match="singular"):
        t.linalg.solve(t.tensor(ZEROS, device=device), t.ones(2, device=device))


def test_where_a_factorization_ended_is_told(device: str) -> None:
    found, info = t.linalg.cholesky_ex(t.tensor([EYE, NONE, ZEROS], device=device))
    assert info.tolist() == [0, 2, 1]
    assert_agree(found[0], np.eye(2, dtype=np.float32))
    found, info = t.linalg.inv_ex(t.tensor([EYE, ZEROS], device=device))
    assert info.tolist() == [0, 1]
    assert_agree(found[0], np.eye(2, dtype=np.float32))
    _, info = t.linalg.solve_ex(t.tensor([EYE, ZEROS], device=device), t.ones(2, 1, device=device))
    assert info.tolist() == [0, 1]
    info = t.linalg.lu_factor_ex(t.tensor([EYE, ZEROS], device=device))[2]
    assert info.tolist() == [0, 1]


# Losses that depend on what is not defined, and what both libraries say of them.
UNDEFINED = [
    lambda lib, x: lib.linalg.eigh(x + x.mH)[1].real.sum(),
    lambda lib, x: lib.linalg.eig(x)[1].real.sum(),
    lambda lib, x: lib.linalg.svd(x)[0].real.sum(),
    lambda lib, x: lib.linalg.qr(x.real, "r")[1].sum(),
    lambda lib, x: lib.linalg.qr(x.real[:, :1], "complete")[1].sum(),
]


@pytest.mark.parametrize("loss", UNDEFINED)
def test_losses_that_are_not_defined_are_told_in_pytorchs_words(loss: Callable[..., Any]) -> None:
    values = np.array([[1 + 2j, 0.5 - 1j], [-0.3j, 2 + 1j]])
    ours = t.tensor(values, requires_grad=True)
    theirs = pytorch().tensor(values, requires_grad=True)
    assert raised(loss(t, ours).backward) == raised(loss(pytorch(), theirs).backward)


def test_what_has_no_derivative_says_so() -> None:
    x = t.tensor(EYE, requires_grad=True)
    with pytest.raises(NotImplementedError, match="the derivative for 'geqrf' is not implemented"):
        t.geqrf(x)[0].sum().backward()
    with pytest.raises(NotImplementedError, match="ldl_factor_ex"):
        t.linalg.ldl_factor(x)[0].sum().backward()


def test_results_have_names_and_are_written(device: str) -> None:
    x = t.tensor(EYE, device=device)
    found = t.linalg.eigh(x)
    assert repr(found).startswith("gpugrad.return_types.linalg_eigh(\neigenvalues=tensor([1., 1.]")
    values, vectors = t.empty(2, device=device), t.empty(2, 2, device=device)
    written = t.linalg.eigh(x, out=(values, vectors))
    assert written.eigenvalues is values
    assert_agree(values, np.ones(2, np.float32))


def test_a_triangle_with_a_zero_divides_by_it(device: str) -> None:
    a = t.tensor([[1.0, 2.0], [0.0, 0.0]], device=device)
    found = t.linalg.solve_triangular(a, t.ones(2, 1, device=device), upper=True)
    assert_agree(found, np.array([[-np.inf], [np.inf]], np.float32))


def test_eigenvalues_of_what_is_not_finite_are_nan() -> None:
    found = t.linalg.eigvalsh(t.tensor([EYE, NAN]))
    assert_agree(found[0], np.ones(2, np.float32))
    assert found[1].isnan().all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 0, 3), (0, 2, 2)])
def test_matrices_of_nothing(shape: tuple[int, ...], device: str) -> None:
    x = t.zeros(shape, device=device, requires_grad=True)
    for function in (t.linalg.svd, t.linalg.qr, t.linalg.pinv, t.linalg.lu):
        found = function(x)
        parts = found if isinstance(found, tuple) else (found,)
        sum(p.sum() for p in parts if p.requires_grad).backward()
    assert x.grad.shape == x.shape


def _side(n: int, kind: str, stack: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(n)
    values = random.standard_normal((*stack, n, n))
    if kind.startswith("complex"):
        values = values + 1j * random.standard_normal((*stack, n, n))
    return values.astype(kind)


def _found(a: Any, b: Any) -> dict[str, Any]:
    """Return what functions find of matrices, in a form in which it is the same however found."""
    definite = a @ a.mH + t.eye(a.shape[-1], dtype=a.dtype)
    symmetric, tall = a + a.mH, t.cat([a, b], -2)
    factors, pivots, _ = t.linalg.ldl_factor_ex(symmetric, hermitian=True)
    upper = t.linalg.cholesky(definite, upper=True)
    changed = definite.clone()
    changed[..., 50, 50] = -1
    return {
        "cholesky": t.linalg.cholesky(definite), "upper": upper,
        "minor": t.linalg.cholesky_ex(changed), "lu": t.linalg.lu(tall), "qr": t.linalg.qr(tall),
        "inverse": t.linalg.inv_ex(a), "solve": t.linalg.solve_ex(a, b),
        "ldl": t.linalg.ldl_solve(factors, pivots, b, hermitian=True),
        "triangle": t.linalg.solve_triangular(definite, b, upper=False),
        "unit": t.linalg.solve_triangular(a / 50, b, upper=True, unitriangular=True),
        "product": t.linalg.householder_product(*t.geqrf(tall)),
        "of factor": t.cholesky_inverse(upper, upper=True),
        "of lower": t.cholesky_inverse(upper.mH),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("stack", [(), (2,)])
def test_large_matrices_are_the_same_without_scipy(
    kind: str, stack: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (t.tensor(_side(n, kind, stack)[..., :60, :60]) for n in (60, 61))
    fast = _found(a, b)
    monkeypatch.setattr(lapack, "_scipys", lambda name, kind: None)
    slow = _found(a, b)
    near = 2e-3 if kind == "float32" else 1e-9  # times the condition of random matrices
    for name, found in fast.items():
        parts = (
            zip(found, slow[name], strict=True)
            if isinstance(found, tuple)
            else [(found, slow[name])]
        )
        for x, y in parts:
            assert x.dtype is y.dtype
            scale = float(y.abs().max())
            assert float((x - y).abs().max()) <= near * max(scale, 1), name


@pytest.mark.parametrize("kind", ["float32", "complex128"])
def test_many_small_matrices_are_what_each_is(kind: str) -> None:
    values = _side(4, kind, (300,))
    values[7] = 0
    values[9, :, 1] = 0
    a = t.tensor(values)
    factors, pivots, infos = t.linalg.lu_factor_ex(a)
    inverses, failed = t.linalg.inv_ex(a)
    for k in (0, 7, 9, 299):
        one = t.linalg.lu_factor_ex(a[k])
        assert_agree(factors[k], one.LU)
        assert pivots[k].tolist() == one.pivots.tolist()
        assert int(infos[k]) == int(one.info) == int(failed[k])
        if failed[k]:
            assert inverses[k].isnan().all()
    regular = failed == 0
    assert_agree((a @ inverses)[regular], t.eye(4, dtype=a.dtype).expand(298, 4, 4), atol=1e-3)


def test_the_gradient_of_reflections_is_pytorchs_for_large_matrices() -> None:
    x = _side(60, "float64")[:, :50]
    gradients = []
    for lib in (t, pytorch()):
        a, tau = (v.detach().requires_grad_() for v in lib.geqrf(lib.tensor(x)))
        lib.linalg.householder_product(a, tau).sin().sum().backward()
        gradients.append((a.grad.numpy(), tau.grad.numpy()))
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)
