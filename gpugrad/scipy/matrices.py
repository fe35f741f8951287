"""Functions of matrices and equations that SciPy solves on the host, with their derivatives.

The derivative of each is given by functions of the same kind, so that there is one of every order.
Matrices of a GPU are sent to the host and the result back.

Sources: of the square root and Sylvester's equation, the implicit function theorem, as in N. J.
Higham, Functions of Matrices, SIAM 2008, section 3; of the logarithm, the block triangular form of
Frechet derivatives of theorem 3.6 there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import gpugrad.numpy
from gpugrad.numpy.operands import on_host, sent
from gpugrad.scipy.signal import convolve
from gpugrad.scipy.theirs import InTurn, scipy

np: Any = gpugrad.numpy


def _adjoint(x: Any) -> Any:
    return x.mT.conj() if x.ndim > 1 else x.conj()


def _like(gradient: Any, operand: Any) -> Any:
    """Return the gradient of an operand, which is real where that is."""
    return gradient.real if gradient.is_complex() and not operand.is_complex() else gradient


def _on_host(function: Callable[..., Any], *tensors: Any) -> Any:
    """Return what a function of SciPy's gives for the values, where the first tensor is."""
    found = numpy.asarray(function(*map(on_host, tensors)))
    return sent(found, tensors[0].device)


class SquareRoot(InTurn):
    """The principal square root X of A: dX X + X dX = dA."""

    @staticmethod
    def forward(a: Any) -> Any:
        """Return SciPy's root."""
        return _on_host(scipy("linalg").sqrtm, a)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the matrix and the root."""
        ctx.save_for_backward(*inputs, output)
        ctx.save_for_forward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the solution of the adjoint equation."""
        a, root = ctx.saved_tensors
        adjoint = _adjoint(root)
        return _like(Sylvester.apply(adjoint, adjoint, grad), a)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        """Return the solution of the equation."""
        _, root = ctx.saved_tensors
        return Sylvester.apply(root, root, tangent)


class Logarithm(InTurn):
    """The principal logarithm, whose derivative is a block of that of a larger matrix."""

    @staticmethod
    def forward(a: Any) -> Any:
        """Return SciPy's logarithm."""
        return _on_host(scipy("linalg").logm, a)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the matrix."""
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the derivative at the adjoint matrix."""
        (a,) = ctx.saved_tensors
        return _like(_moved(_adjoint(a), grad), a)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        """Return the derivative at the matrix."""
        (a,) = ctx.saved_tensors
        return _moved(a, tangent)


def _moved(a: Any, direction: Any) -> Any:
    n = a.shape[-1]
    upper = np.concatenate([a, direction], -1)
    lower = np.concatenate([np.zeros_like(a), a], -1)
    return Logarithm.apply(np.concatenate([upper, lower], -2))[..., :n, n:]


class Sylvester(InTurn):
    """The solution x of a x + x b = q."""

    @staticmethod
    def forward(a: Any, b: Any, q: Any) -> Any:
        """Return SciPy's solution, of one equation or a batch."""
        return _on_host(_each, a, b, q)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the operands and the solution."""
        ctx.save_for_backward(*inputs, output)
        ctx.save_for_forward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the gradients, by the solution of the adjoint equation."""
        a, b, q, x = ctx.saved_tensors
        y = Sylvester.apply(_adjoint(a), _adjoint(b), grad)
        return (
            _like(-np.matmul(y, _adjoint(x)), a), _like(-np.matmul(_adjoint(x), y), b), _like(y, q)
        )  # fmt: skip

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Return the solution of the equation of the tangents."""
        a, b, _, x = ctx.saved_tensors
        da, db, dq = tangents
        return Sylvester.apply(a, b, dq - np.matmul(da, x) - np.matmul(x, db))


def _each(a: Any, b: Any, q: Any) -> Any:
    solve = scipy("linalg").solve_sylvester
    if q.ndim == 2:
        return solve(a, b, q)
    parts = [_each(*triple) for triple in zip(a, b, q, strict=True)]
    return numpy.stack(parts) if parts else q


class Banded(InTurn):
    """The solution x of A x = b, for the diagonals of A in rows."""

    @staticmethod
    def forward(bands: tuple[int, int], diagonals: Any, b: Any) -> Any:
        """Return SciPy's solution."""
        return _on_host(lambda d, v: scipy("linalg").solve_banded(bands, d, v), diagonals, b)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the operands and the solution."""
        ctx.bands = inputs[0]
        ctx.save_for_backward(*inputs[1:], output)
        ctx.save_for_forward(*inputs[1:], output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the gradients, by the solution of the adjoint equations."""
        diagonals, b, x = ctx.saved_tensors
        lower, upper = ctx.bands
        rows, columns, valid = _places((upper, lower), diagonals)
        adjoint = np.where(valid, diagonals[lower + upper - rows, columns], 0.0).conj()
        y = Banded.apply((upper, lower), adjoint, grad)
        rows, places, valid = _places((lower, upper), diagonals)
        parts = y[places] * x.conj()
        parts = np.sum(parts, -1) if x.ndim > 1 else parts
        return None, _like(-np.where(valid, parts, 0.0), diagonals), _like(y, b)

    @staticmethod
    def jvp(ctx: Any, bands: Any, moved: Any, tangent: Any) -> Any:
        """Return the solution of the equations of the tangents."""
        diagonals, _, x = ctx.saved_tensors
        columns = numpy.arange(diagonals.shape[-1])
        for row in range(diagonals.shape[0]):
            k = ctx.bands[1] - row  # the diagonal that stands in this row
            at = columns[(columns - k >= 0) & (columns - k < len(columns))]
            band = moved[row][sent(at, moved.device)]
            part = (band[:, None] if x.ndim > 1 else band) * x[sent(at, x.device)]
            tangent = tangent.index_add(0, sent(at - k, tangent.device), -part)
        return Banded.apply(ctx.bands, diagonals, tangent)


class Toeplitz(InTurn):
    """The solution x of T x = b, for the first column and row of a matrix of equal diagonals."""

    @staticmethod
    def forward(column: Any, row: Any, b: Any) -> Any:
        """Return SciPy's solution."""
        return _on_host(lambda c, r, v: scipy("linalg").solve_toeplitz((c, r), v), column, row, b)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the operands and the solution."""
        ctx.save_for_backward(*inputs, output)
        ctx.save_for_forward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the gradients: sums along diagonals, of the adjoint equation's solution."""
        column, row, b, x = ctx.saved_tensors
        n = column.shape[0]
        turned = np.concatenate([column[:1], row[1:]])  # the row's first element is not read
        y = Toeplitz.apply(turned.conj(), column.conj(), grad)
        first, second = (v.reshape(n, -1) for v in (y, x.conj()))
        sums = -convolve(first, second.flip(0), axes=([0], [0]), dot_axes=([1], [1]))
        by_row = np.concatenate([np.zeros_like(sums[:1]), sums[: n - 1].flip(0)])
        return _like(sums[n - 1 :], column), _like(by_row, row), _like(y, b)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Return the solution of the equation of the tangents."""
        column, row, _, x = ctx.saved_tensors
        by_column, by_row, by_right = tangents
        return Toeplitz.apply(column, row, by_right - diagonals_times(by_column, by_row, x))


def diagonals_times(column: Any, row: Any, x: Any) -> Any:
    """Return the product of a matrix of equal diagonals and a vector or columns."""
    diagonals = np.concatenate([row[1:].flip(0), column])
    parts = x.reshape(x.shape[0], -1)
    found = convolve(diagonals, parts, axes=([0], [0]))  # the columns, then what is convolved
    kept = found[:, row.shape[0] - 1 : row.shape[0] - 1 + column.shape[0]]
    return kept.T.reshape((column.shape[0], *x.shape[1:]))


def _places(bands: tuple[int, int], like: Any) -> tuple[Any, Any, Any]:
    """Return rows of the diagonals, the matrix's row at each place, and where there is one."""
    lower, upper = bands
    n = like.shape[-1]
    rows = numpy.arange(lower + upper + 1)[:, None]
    places = rows - upper + numpy.arange(n)
    valid = (places >= 0) & (places < n)
    found = numpy.broadcast_to(rows, places.shape), numpy.where(valid, places, 0), valid
    rows, places, valid = (sent(numpy.array(f), like.device) for f in found)
    return rows, places, valid
