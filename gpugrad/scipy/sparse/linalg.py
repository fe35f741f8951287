"""Equations with sparse matrices: ``scipy.sparse.linalg``'s solvers, with gradients.

A solution has gradients by the values of the matrix and by the right hand side, which solve the
adjoint equation by the same method, and so at every order.  SciPy solves on the host, also for
matrices of a GPU.

Source: the implicit function theorem; M. Giles, Collected Matrix Derivative Results for Forward
and Reverse Mode Algorithmic Differentiation, 2008, section 2.3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase, mode
from gpugrad.numpy.operands import class_of, on_host, own, place_of, promoted, raised, sent
from gpugrad.numpy.ufuncs import op
from gpugrad.scipy.sparse.arrays import SparseArray, is_theirs, sparse
from gpugrad.scipy.sparse.operations import conj, solved
from gpugrad.scipy.sparse.pattern import Pattern
from gpugrad.scipy.theirs import scipy


def _linalg() -> Any:
    return scipy("sparse.linalg")


def _equations(function: str, matrix: Any, right: Any) -> tuple[Any, Any]:
    """Return a matrix and right hand sides, of one floating point type.

    Raises:
        ValueError: The matrix is not square, or the shapes do not fit.
    """
    matrix, right = sparse(matrix), own(right)
    n, m = matrix.shape
    if n != m:
        raise ValueError(
            f"{function}: the matrix must be square, and is of {n} rows and {m} columns"
        )
    if right.ndim not in (1, 2) or right.shape[0] != n:
        raise ValueError(
            f"{function}: the right hand side has shape {tuple(right.shape)}, and the matrix {n} "
            "rows"
        )
    return matrix, right


def _floating(*operands: Any) -> list[Any]:
    found = promoted(*operands)
    kind = found[0]._array.dtype
    kind = np.result_type(kind, np.float32) if kind.kind in "fc" else np.dtype(np.float64)
    return promoted(*found, kind=kind)


class _Factors:
    """A way to solve equations: by the factors of a matrix, which are kept for its values."""

    def __init__(self, options: dict[str, Any]):
        self.options = options
        self.known: dict[bytes, Any] = {}

    def of(self, pattern: Pattern, values: Any) -> Any:
        """Return SciPy's factors of a matrix.

        Raises:
            RuntimeError: It is singular.
        """
        key = values.dtype.char.encode() + np.ascontiguousarray(values).tobytes()
        if key not in self.known:
            matrix = pattern.filled(np.asarray(values)).tocsc()
            self.known[key] = _linalg().splu(matrix, **self.options)
        return self.known[key]

    def solve(self, pattern: Pattern, values: Any, other: Any, adjoint: bool) -> Any:
        """Return the solution for a vector, or for columns."""
        return self.of(pattern, values).solve(np.asarray(other), "H" if adjoint else "N")


class SuperLU:
    """The factors of a sparse matrix, which solve any number of equations with it.

    ``solve`` has gradients by the values of the matrix, too; see :func:`splu`.
    """

    def __init__(self, matrix: Any, options: dict[str, Any]):
        if matrix.shape[0] != matrix.shape[1]:
            raise ValueError("can only factor square matrices")
        self._matrix = matrix
        self._way = _Factors(options)
        self.shape = matrix.shape
        (values,) = _floating(matrix.data)
        if not mode.batches:  # inside vmap each example has factors of its own
            self._way.of(matrix.pattern, on_host(values.detach()))

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """Return x of A x = rhs; of the transpose if ``trans`` is "T", of the adjoint if "H".

        Raises:
            ValueError: The shapes do not fit, or ``trans`` is none of these.
        """
        if trans not in ("N", "T", "H"):
            raise ValueError(f"trans must be N, T, or H, and not {trans!r}")
        matrix, right = _equations("splu", self._matrix, rhs)
        kind = class_of((matrix.data, rhs))
        values, b = _floating(matrix.data, right)
        if trans == "T":  # of the conjugates it is the adjoint
            b = conj(b)
        found = solved(values, b, pattern=matrix.pattern, way=self._way, adjoint=trans != "N")
        return raised(conj(found) if trans == "T" else found, kind)


def splu(A: Any, **options: Any) -> SuperLU:
    """Return the factors of a sparse matrix, by which equations with it are solved.

    The options are those of SciPy's ``splu``.

    Raises:
        RuntimeError: The matrix is singular.
        ValueError: It is not square.
    """
    return SuperLU(sparse(A), options)


def factorized(A: Any) -> Callable[[Any], Any]:
    """Return the function that solves A x = b for a right hand side b."""
    return splu(A).solve


def spsolve(A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:
    """Return x of A x = b, for a vector or for the columns of a matrix.

    A sparse right hand side is taken as a dense one; ``use_umfpack`` changes nothing.

    Raises:
        RuntimeError: The matrix is singular, for which SciPy gives nan and a warning.
        ValueError: It is not square, or the shapes do not fit.
    """
    if isinstance(b, SparseArray) or is_theirs(b):
        b = sparse(b).toarray()
    matrix, right = _equations("spsolve", A, b)
    options = {} if permc_spec is None else {"permc_spec": permc_spec}
    return SuperLU(matrix, options).solve(b if isinstance(b, TensorBase) else right)


# --------------------------------------------------------------------------- by iteration


class _Iteration:
    """A way to solve equations: by one of SciPy's iterations."""

    def __init__(self, name: str, options: dict[str, Any], operator: Any = None):
        self.name = name
        self.options = options
        self.operator = operator  # which stands in place of a matrix with values
        self.start: Any = None
        self.told: list[Any] = []  # what SciPy says of the solutions, the first of which is asked

    def solve(self, pattern: Pattern, values: Any, other: Any, adjoint: bool) -> Any:
        """Return the solution for a vector, or for columns, as exactly as it is found."""
        options = dict(self.options)
        matrix = pattern.filled(np.asarray(values)) if self.operator is None else self.operator
        if adjoint:
            matrix = matrix.H if self.operator is not None else matrix.conj().T
            options.pop("callback", None)
            if options.get("M") is not None:
                options["M"] = _linalg().aslinearoperator(options["M"]).H
        start = self.start if not self.told else None
        found = []
        for column in other.T if other.ndim > 1 else (other,):
            x, info = getattr(_linalg(), self.name)(matrix, column, start, **options)
            found.append(x)
            self.told.append(info)
        return np.asarray(np.stack(found, -1) if other.ndim > 1 else found[0], other.dtype)


def _iterative(name: str, exact: str = "") -> Callable[..., tuple[Any, int]]:
    def function(
        A: Any, b: Any, x0: Any = None, *, M: Any = None, **options: Any
    ) -> tuple[Any, int]:
        if x0 is not None:
            x0 = on_host(own(x0).detach())
        if isinstance(M, SparseArray):
            M = M.detach().get()
        options["M"] = M
        kind = class_of((b, A.data if isinstance(A, SparseArray) else A))
        operator = A if isinstance(A, _linalg().LinearOperator) else None
        if operator is None:
            matrix, right = _equations(name, A, b)
            values, right = _floating(matrix.data, right)
            pattern = matrix.pattern
        else:
            right, *_ = _floating(b, np.zeros((), operator.dtype or float))
            pattern = Pattern.at([], [], operator.shape)
            values = sent(np.zeros(0, right._array.dtype), place_of((right,)))
        if right.ndim == 2:
            if right.shape[1] != 1:
                raise ValueError(f"{name}: b must be a vector, and has shape {tuple(right.shape)}")
            right = op("reshape")(right, (-1,))
        way = _Iteration(name, options, operator)
        way.start = x0
        found = solved(values, right, pattern=pattern, way=way, adjoint=False)
        return raised(found, kind), int(way.told[0])

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Return x of A x = b by SciPy's iteration, and whether it is found: 0.

    ``A`` is a sparse matrix, a dense one, or a ``LinearOperator`` of SciPy's, which is constant.
    The options are those of SciPy's ``{name}``.  Gradients are by the values of ``A`` and by
    ``b``; they solve the adjoint equation by the same iteration, from zeros, with the same
    tolerances, and are as exact as these say.{exact}

    Raises:
        ValueError: The matrix is not square, or the shapes do not fit.
    """
    return function


bicg = _iterative("bicg")
bicgstab = _iterative("bicgstab")
cg = _iterative("cg", "  The matrix must be Hermitian and positive, as SciPy demands.")
cgs = _iterative("cgs")
gcrotmk = _iterative("gcrotmk")
gmres = _iterative("gmres")
lgmres = _iterative("lgmres")
minres = _iterative("minres", "  The matrix must be Hermitian, as SciPy demands.")
tfqmr = _iterative("tfqmr")

__all__ = [
    "SuperLU", "bicg", "bicgstab", "cg", "cgs", "factorized", "gcrotmk", "gmres", "lgmres",
    "minres", "splu", "spsolve", "tfqmr",
]  # fmt: skip
