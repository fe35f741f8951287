"""``gpugrad.scipy.sparse`` beside SciPy: values, and derivatives to the second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import func
from gpugrad.testing import assert_agree, check_gradient

pytest.importorskip("scipy")

import scipy.sparse
import scipy.sparse.linalg

from gpugrad.scipy import sparse
from gpugrad.scipy.sparse import linalg

rng = np.random.default_rng(0)
FORMATS = ("csr", "csc", "coo")
KINDS = pytest.mark.parametrize("scale", [1.0, 1.0 + 0.5j], ids=["real", "complex"])


def matrix(scale: complex, n: int = 5, m: int = 5) -> Any:
    found = scipy.sparse.random_array((n, m), density=0.4, rng=np.random.default_rng(1)) * scale
    return (found + scipy.sparse.eye_array(n, m) * 4).tocoo()


def numbers(scale: complex, *shape: int) -> np.ndarray[Any, Any]:
    return rng.normal(size=shape) * scale


def dense(value: Any) -> Any:
    if isinstance(value, sparse.SparseArray):
        value = value.toarray()
    if isinstance(value, gpugrad.Tensor):
        return value.detach().cpu().numpy()
    return value.toarray() if scipy.sparse.issparse(value) else value


S = scipy.sparse
# what is computed of a matrix, a vector and a dense matrix; SciPy's where it is another call
CALLS: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
    "vector": (lambda A, x, X: A @ x, None),
    "columns": (lambda A, x, X: A @ X, None),
    "from the left": (lambda A, x, X: x @ A, None),
    "rows": (lambda A, x, X: X.T @ A, None),
    "transposed": (lambda A, x, X: A.T @ x, None),
    "adjoint": (lambda A, x, X: A.conj().T @ X, None),
    "dense": (lambda A, x, X: A.toarray(), None),
    "sparse product": (lambda A, x, X: A @ A.T @ A, None),
    "sum of two": (lambda A, x, X: A + A.T - 2 * A, None),
    "elements": (lambda A, x, X: A.multiply(A.T), None),
    "scaled": (lambda A, x, X: -A * 3 / 2.0, None),
    "row by row": (lambda A, x, X: A.multiply(x), None),
    "column by column": (lambda A, x, X: A.multiply(X[:, :1]), None),
    "divided": (lambda A, x, X: A / 2.0, None),
    "power": (lambda A, x, X: A.power(2), None),
    "sum": (lambda A, x, X: A.sum(), None),
    "sum of rows": (lambda A, x, X: A.sum(axis=0), None),
    "mean of columns": (lambda A, x, X: A.mean(axis=1), None),
    "diagonal": (lambda A, x, X: A.diagonal(1), None),
    "trace": (lambda A, x, X: A.trace(), None),
    "element": (lambda A, x, X: A.tocsr()[1, 1], None),
    "row": (lambda A, x, X: A.tocsr()[2], lambda A, x, X: A.tocsr()[2].toarray()),
    "part": (lambda A, x, X: A.tocsr()[1:4, [0, 3]], None),
    "single elements": (lambda A, x, X: A.tocsr()[[0, 1, 0], [1, 2, 0]], None),
    "masked": (lambda A, x, X: A.tocsr()[np.eye(5, dtype=bool)[::-1]], None),
    "squared": (lambda A, x, X: A**2, lambda A, x, X: A.power(2)),
    "other formats": (lambda A, x, X: A.tocsc().tocoo().tocsr().tocsc(), None),
    "spsolve": (
        lambda A, x, X: linalg.spsolve(A, x), lambda A, x, X: S.linalg.spsolve(A.tocsc(), x)
    ),
    "spsolve of columns": (
        lambda A, x, X: linalg.spsolve(A, X), lambda A, x, X: S.linalg.spsolve(A.tocsc(), X)
    ),
    "factors": (
        lambda A, x, X: linalg.factorized(A)(x), lambda A, x, X: S.linalg.splu(A.tocsc()).solve(x)
    ),
    "factors of the transpose": (
        lambda A, x, X: linalg.splu(A).solve(X, "T"),
        lambda A, x, X: S.linalg.splu(A.tocsc()).solve(X, "T"),
    ),
    "factors of the adjoint": (
        lambda A, x, X: linalg.splu(A).solve(x, "H"),
        lambda A, x, X: S.linalg.splu(A.tocsc()).solve(x, "H"),
    ),
}  # fmt: skip


@KINDS
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", CALLS)
def test_values_are_scipys_and_derivatives(name: str, kind: str, scale: complex) -> None:
    ours, theirs = CALLS[name]
    M = matrix(scale)
    x, X = numbers(scale, 5), numbers(scale, 5, 2)
    expected = dense((theirs or ours)(M.asformat(kind), x, X))
    given = [gpugrad.tensor(v) for v in (M.data, x, X)]

    def function(data: Any, *rest: Any) -> Any:
        found = ours(sparse.coo_array((data, M.coords), shape=M.shape)._as(kind), *rest)
        return found.toarray() if isinstance(found, sparse.SparseArray) else found

    found = function(*given)
    np.testing.assert_allclose(dense(found), expected, rtol=1e-10, atol=1e-12)
    assert tuple(found.shape) == np.shape(expected)
    check_gradient(function, given, 2)
    if scale.imag == 0:
        assert_agree(*[take(function)(*given) for take in (func.jacrev, func.jacfwd)])


@pytest.mark.parametrize("name", linalg.__all__)
def test_iterations_find_the_solution_and_its_derivatives(name: str) -> None:
    if name in ("SuperLU", "splu", "factorized", "spsolve"):
        return
    M = matrix(1.0)
    M = (M + M.T).tocoo() if name in ("cg", "minres") else M
    b = numbers(1.0, 5)
    values, right = gpugrad.tensor(M.data), gpugrad.tensor(b)

    def function(values: Any, right: Any) -> Any:
        A = sparse.coo_array((values, M.coords), shape=M.shape)
        A = (A + A.T) / 2 if name in ("cg", "minres") else A
        x, info = getattr(linalg, name)(A, right, rtol=1e-14)
        assert info == 0
        return x

    np.testing.assert_allclose(function(values, right).numpy(), np.linalg.solve(M.toarray(), b))
    check_gradient(function, [values, right], 2)


def test_iterations_take_dense_matrices_operators_starts_and_preconditioners() -> None:
    M, b = matrix(1.0).toarray(), numbers(1.0, 5)
    exact = np.linalg.solve(M, b)
    A, right = (gpugrad.tensor(v, requires_grad=True) for v in (M, b))
    x, info = linalg.gmres(A, right, exact + 1e-9, rtol=1e-13, M=np.diag(1 / np.diag(M)))
    assert info == 0
    wanted = gpugrad.linalg.solve(A, right)
    found = [gpugrad.autograd.grad(s.sum(), (A, right)) for s in (x, wanted)]
    full = A.detach() != 0  # a dense matrix is taken where it is not zero
    assert_agree(found[0][0], gpugrad.where(full, found[1][0], 0.0), 1e-9)
    assert_agree(found[0][1], found[1][1], 1e-9)
    operator = scipy.sparse.linalg.aslinearoperator(M)
    x, _ = linalg.gmres(operator, right, rtol=1e-13)
    (by_right,) = gpugrad.autograd.grad(x.sum(), right)
    assert_agree(by_right, found[1][1], 1e-9)
    x, info = linalg.bicgstab(A, right, maxiter=1, rtol=1e-13)
    assert info == 1


def test_batches_are_solved_one_by_one() -> None:
    M = matrix(1.0)
    values = gpugrad.tensor(np.stack([M.data, 2 * M.data]))
    right = gpugrad.tensor(numbers(1.0, 2, 5))
    for call in (lambda A, b: linalg.spsolve(A, b), lambda A, b: A @ b, lambda A, b: b @ A):

        def function(values: Any, b: Any, call: Any = call) -> Any:
            return call(sparse.csr_array((values, M.coords), shape=M.shape), b)

        for dims in ((0, 0), (None, 0), (0, None)):
            given = [v if d == 0 else v[0] for v, d in zip((values, right), dims, strict=True)]
            each = [
                function(*[v[k] if d == 0 else v for v, d in zip(given, dims, strict=True)])
                for k in range(2)
            ]
            assert_agree(func.vmap(function, dims)(*given), gpugrad.stack(each))


def test_one_factorization_serves_all_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    M = matrix(1.0)
    calls: list[Any] = []
    theirs = scipy.sparse.linalg.splu

    def counted(*args: Any, **options: Any) -> Any:
        calls.append(args)
        return theirs(*args, **options)

    monkeypatch.setattr(scipy.sparse.linalg, "splu", counted)
    values = gpugrad.tensor(M.data, requires_grad=True)
    solve = linalg.factorized(sparse.coo_array((values, M.coords), shape=M.shape))
    x = solve(solve(np.ones(5)))
    (g,) = gpugrad.autograd.grad(x.sum(), values, create_graph=True)
    gpugrad.autograd.grad((g * g).sum(), values)
    assert len(calls) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_what_matrices_are_made_of(kind: str) -> None:
    M = matrix(1.0, 4, 6)
    theirs = M.asformat(kind)
    make = getattr(sparse, f"{kind}_array")
    places = (M.coords,) if kind == "coo" else (theirs.indices, theirs.indptr)
    for given, shape in (
        (theirs, None), (M.toarray(), None), (gpugrad.tensor(M.toarray()), None), (M.tolil(), None),
        ((M.data, M.coords), M.shape), ((gpugrad.tensor(theirs.data), *places), M.shape),
        (make(theirs), None), ((M.data, tuple(map(gpugrad.tensor, M.coords))), M.shape),
    ):  # fmt: skip
        A = make(given, shape=shape)
        assert type(A) is make
        np.testing.assert_array_equal(dense(A), M.toarray())
        np.testing.assert_array_equal(A.get().toarray(), M.toarray())
    assert (make((3, 2)).shape, make((3, 2)).nnz) == ((3, 2), 0)
    np.testing.assert_array_equal(dense(make((3, 2)) @ np.ones(2)), np.zeros(3))
    assert make(theirs, dtype=np.float32).dtype == gpugrad.float32
    assert "stored elements" in repr(make(theirs))
    if kind != "coo":
        A = make(theirs)
        np.testing.assert_array_equal(A.indices, theirs.indices)
        np.testing.assert_array_equal(A.indptr, theirs.indptr)


def test_what_is_dense_has_a_gradient_where_it_is_not_zero() -> None:
    x = gpugrad.tensor([[1.0, 0.0], [2.0, 3.0]], requires_grad=True)
    (sparse.csr_array(x) @ np.array([1.0, 10.0], np.float32)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1.0, 0.0], [1.0, 10.0]]


def test_values_at_one_place_are_added() -> None:
    values = gpugrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    places = ([0, 0, 1], [1, 1, 0])
    A = sparse.coo_array((values, places), shape=(2, 2))
    B = sparse.csr_array((values, places), shape=(2, 2))
    assert (A.nnz, B.nnz, A.tocsc().nnz) == (3, 2, 2)
    for C in (A, B, A.tocsc()):
        assert C.toarray().tolist() == [[0.0, 3.0], [3.0, 0.0]]
        assert (C @ np.ones(2, np.float32)).tolist() == [3.0, 3.0]
        assert C.power(2).toarray().tolist() == [[0.0, 9.0], [9.0, 0.0]]
        assert abs(-C).toarray().tolist() == [[0.0, 3.0], [3.0, 0.0]]
        assert (C * C).toarray().tolist() == [[0.0, 9.0], [9.0, 0.0]]
        (g,) = gpugrad.autograd.grad(C.power(2).sum(), values)
        assert g.tolist() == [6.0, 6.0, 6.0]


def test_diagonals_are_those_of_scipy() -> None:
    one, two = numbers(1.0, 4), numbers(1.0, 3)
    for kind in FORMATS:
        ours = sparse.diags_array([one, two, [5.0]], offsets=[0, 1, -2], shape=(4, 4), format=kind)
        theirs = S.diags_array([one, two, [5.0]], offsets=[0, 1, -2], shape=(4, 4))
        np.testing.assert_array_equal(dense(ours), theirs.toarray())
    assert sparse.diags_array(one).shape == (4, 4)
    assert sparse.diags_array(two, offsets=-1).shape == (4, 4)
    np.testing.assert_array_equal(dense(sparse.eye_array(3, 4, k=1)), np.eye(3, 4, 1))
    check_gradient(
        lambda a, b: sparse.diags_array([a, b], offsets=[0, 1], shape=(4, 4)) @ a,
        [gpugrad.tensor(one), gpugrad.tensor(two)], 2,
    )  # fmt: skip


def test_results_are_of_the_class_and_type_of_the_operands() -> None:
    import gpugrad.numpy as gnp

    M = matrix(1.0)
    assert type(sparse.csr_array(M) @ np.ones(5)) is gnp.ndarray
    A = sparse.csr_array((gpugrad.tensor(M.data), M.coords), shape=M.shape)
    for found in (A @ np.ones(5), np.ones(5) @ A, A @ gpugrad.ones(5), A.sum(0), A.toarray()):
        assert type(found) is gpugrad.Tensor
        assert found.dtype == gpugrad.float64
    assert (A.astype(np.float32) @ gpugrad.ones(5)).dtype == gpugrad.float32
    assert (A.to(gpugrad.float32) @ np.ones(5)).dtype == gpugrad.float64
    assert (A @ (1j * np.ones(5))).dtype == gpugrad.complex128
    whole = sparse.csr_array(np.eye(3, dtype=np.int64))
    assert (whole @ np.arange(3)).dtype == gpugrad.int64
    assert linalg.spsolve(whole, np.arange(3)).dtype == gpugrad.float64
    half = A.to(gpugrad.float16) @ gpugrad.ones(5, dtype=gpugrad.float16)
    assert half.dtype == gpugrad.float16
    both = M @ sparse.csr_array(M)  # SciPy leaves it to us
    np.testing.assert_allclose(dense(both), (M @ M).toarray())
    np.testing.assert_allclose(dense(M + sparse.csr_array(M)), (M + M).toarray())


def test_scipys_own_matrices_lose_no_gradient() -> None:
    M = matrix(1.0).tocsr()
    x = gpugrad.ones(5, dtype=gpugrad.float64, requires_grad=True)
    for call in (
        lambda: M @ x, lambda: x @ M, lambda: M.dot(x), lambda: M * x, lambda: M.multiply(x),
        lambda: M.T @ x, lambda: S.csr_array((x[:1], ([0], [0])), shape=(1, 1)),
        lambda: S.linalg.spsolve(M.tocsc(), x), lambda: sparse.csr_array((x, np.eye(5))),
    ):  # fmt: skip
        with pytest.raises((RuntimeError, TypeError, ValueError)):
            call()
    with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\) instead"):
        sparse.diags_array(x).get()


ERRORS: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "rows": (ValueError, "dimension mismatch", lambda A: A @ np.ones(4)),
    "columns": (ValueError, "dimension mismatch", lambda A: np.ones(4) @ A),
    "axes": (ValueError, "3 axes", lambda A: A @ np.ones((5, 1, 1))),
    "sparse rows": (ValueError, "dimension mismatch", lambda A: A @ sparse.eye_array(4)),
    "shapes": (ValueError, "inconsistent shapes", lambda A: A + sparse.eye_array(4)),
    "elements": (ValueError, "inconsistent shapes", lambda A: A * sparse.eye_array(4)),
    "larger": (ValueError, "inconsistent shapes", lambda A: A * np.ones((2, 5, 5))),
    "number": (NotImplementedError, "nonzero scalar", lambda A: A + 1),
    "quotient": (TypeError, "not divided by a sparse one", lambda A: A / A),
    "power": (ValueError, "must be positive", lambda A: A.power(0)),
    "axis": (ValueError, "axis 2", lambda A: A.sum(2)),
    "values": (ValueError, "values are stored", lambda A: A.with_data(np.ones(3))),
    "length": (TypeError, "ambiguous", len),
    "truth": (ValueError, "ambiguous", bool),
    "comparison": (TypeError, "not compared", lambda A: A == A),
    "index": (IndexError, "out of range", lambda A: A[9]),
    "singular": (RuntimeError, "singular", lambda A: linalg.spsolve(A * 0, np.ones(5))),
    "not square": (ValueError, "square", lambda A: linalg.splu(A[:2])),
    "not square for cg": (ValueError, "cg: .*square", lambda A: linalg.cg(A[:2], np.ones(2))),
    "right": (ValueError, "spsolve: .*shape", lambda A: linalg.spsolve(A, np.ones(4))),
    "trans": (ValueError, "trans must", lambda A: linalg.splu(A).solve(np.ones(5), "X")),
    "two": (ValueError, "must be a vector", lambda A: linalg.cg(A, np.ones((5, 2)))),
    "places": (ValueError, "2 values are given for 1 places",
               lambda A: sparse.coo_array((np.ones(2), ([0], [0])), shape=(1, 1))),
    "outside": (ValueError, "exceeds",
                lambda A: sparse.coo_array((np.ones(1), ([2], [0])), shape=(1, 1))),
    "three axes": (ValueError, "two axes", lambda A: sparse.csr_array(np.ones((2, 2, 2)))),
    "matrix of values": (ValueError, "must be a vector",
                         lambda A: sparse.csr_array((np.ones((1, 1)), ([0], [0])))),
    "diagonals": (ValueError, "offsets", lambda A: sparse.diags_array([[1.0]], offsets=[0, 1])),
    "diagonal": (ValueError, "does not agree",
                 lambda A: sparse.diags_array([np.ones(2)], offsets=[0], shape=(3, 3))),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_does_not_fit(name: str) -> None:
    kind, text, call = ERRORS[name]
    with pytest.raises(kind, match=text):
        call(sparse.csr_array(matrix(1.0)))


@pytest.mark.cuda
def test_on_a_gpu_it_is_the_same() -> None:
    M = matrix(1.0)
    b = numbers(1.0, 5, 2)
    found = []
    for device in ("cpu", "cuda"):
        values, right = (gpugrad.tensor(v, device=device, requires_grad=True) for v in (M.data, b))
        A = sparse.csr_array((values, M.coords), shape=M.shape)
        y = (
            linalg.spsolve(A, right)
            + A @ right
            + A.T @ right
            + (A @ A).multiply(right[:, :1]) @ right
        )
        assert {y.device.type, A.device.type} == {device}
        gradients = gpugrad.autograd.grad((y * y).sum(), (values, right), create_graph=True)
        second = gpugrad.autograd.grad(sum(g.square().sum() for g in gradients), (values, right))
        found.append([v.detach().cpu() for v in (y, *gradients, *second)])
    for ours, theirs in zip(*found, strict=True):
        assert_agree(ours, theirs)


@pytest.mark.cuda
@pytest.mark.parametrize("kind", FORMATS)
def test_cupys_matrices_keep_their_values_on_the_gpu(kind: str) -> None:
    import cupy
    from cupyx.scipy import sparse as cupyx

    M = matrix(1.0).asformat(kind)
    theirs = getattr(cupyx, f"{kind}_matrix")
    try:
        given = theirs(M)
    except ImportError:  # CuPy's constructors load cuSPARSE, which emulation has not
        given = object.__new__(theirs)
        given._shape = M.shape
        for name in ("data", "indices", "indptr"):
            setattr(given, name, cupy.asarray(getattr(M, name)))
    A = getattr(sparse, f"{kind}_array")(given)
    assert A.device.type == "cuda"
    np.testing.assert_allclose(dense(A @ A.data.new_ones(5)), M @ np.ones(5))
