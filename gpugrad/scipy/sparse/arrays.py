"""Sparse matrices whose values are tensors."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.numpy.operands import (
    class_of,
    on_host,
    own,
    place_of,
    plain,
    promoted,
    raised,
)
from gpugrad.numpy.ufuncs import op
from gpugrad.ops.indexing import add_at, taken
from gpugrad.scipy.sparse.operations import conj, product
from gpugrad.scipy.sparse.pattern import FORMATS, Pattern
from gpugrad.scipy.theirs import scipy

INT = np.dtype(np.int64)


def is_theirs(value: Any) -> bool:
    """Tell whether a value is a sparse matrix or array of SciPy's or CuPy's."""
    if scipy("sparse").issparse(value):
        return True
    cupyx = sys.modules.get("cupyx.scipy.sparse")
    return cupyx is not None and bool(cupyx.issparse(value))


def _theirs(value: Any) -> tuple[Any, Pattern]:
    """Return the values of a matrix of SciPy's or CuPy's, and its pattern."""
    value = value if value.format in FORMATS else value.tocsr()
    if value.ndim != 2:
        raise ValueError(f"a sparse matrix has two axes, and this one has {value.ndim}")
    if value.format == "coo":
        host = [on_host(k) for k in (value.row, value.col)]
        return own(value.data), Pattern.at(host[0], host[1], value.shape)
    host = [on_host(k) for k in (value.indices, value.indptr)]
    return own(value.data), Pattern.of(value.format, tuple(host), value.shape)


def _dense(value: Any) -> tuple[Any, Pattern]:
    """Return the values of a dense matrix that are not zero, and where they are."""
    tensor = own(value)
    if tensor.ndim != 2:
        raise ValueError(f"a sparse matrix has two axes, and this array has {tensor.ndim}")
    rows, columns = np.nonzero(on_host(tensor.detach()))
    found = taken(plain(tensor), index=_index((rows, columns), tensor))
    return raised(found, tensor.__class__), Pattern.at(rows, columns, tensor.shape)


def _index(places: Any, tensor: Any) -> Any:
    """Return an index of arrays as one where the tensor is."""
    where = place_of((tensor,))
    if where is None:
        return tuple(places)
    return tuple([op("to")(own(np.asarray(p)), where)._array for p in places])


def moved(values: Any, places: Any, count: int) -> Any:
    """Return a vector with values at places, and zeros elsewhere; those at one place are added."""
    if np.array_equal(places, np.arange(count)):
        return values
    tensor = plain(values)
    found = add_at(tensor, shape=(count,), index=_index((places,), tensor))
    return raised(found, values.__class__)


class SparseArray:
    """A sparse matrix: a tensor of values, ``data``, at places that are constant.

    It is made as SciPy's arrays are: of ``(data, indices, indptr)`` or, in the format "coo" and
    for the others too, of ``(data, (row, column))``; of a sparse matrix of SciPy's or CuPy's; of a
    dense one, of which the values that are not zero are taken; or of a shape, without values.
    Values at one place are added, also by ``toarray`` and in products.

    Values that become zero stay where they are.  All results have gradients by ``data``.

    Raises:
        ValueError: The indices are not those of a matrix of the shape.
    """

    format = ""
    __array_ufunc__ = None  # arrays leave operators to this class
    __array_priority__ = 1000.0
    ndim = 2

    def __init__(self, arg: Any, shape: Any = None, dtype: Any = None):
        data, pattern = _given(arg, shape, self.format)
        if dtype is not None:
            kind = dtype.numpy if hasattr(dtype, "numpy") else np.dtype(dtype)
            data = raised(promoted(data, kind=kind)[0], data.__class__)
        if pattern.format != self.format:
            pattern, places = pattern.converted(self.format)
            data = moved(data, places, pattern.count)
        self.data = data
        self.pattern = pattern

    @classmethod
    def _made(cls, data: Any, pattern: Pattern) -> Any:
        """Return an array of the pattern's format."""
        found = object.__new__(CLASSES[pattern.format])
        found.data, found.pattern = data, pattern
        return found

    def __repr__(self) -> str:
        kind = self.data._array.dtype
        tracked = ", requires_grad=True" if self.requires_grad else ""
        return (
            f"<{self.format}_array of dtype '{kind}' with {self.nnz} stored elements and shape "
            f"{self.shape}{tracked}>"
        )

    # ------------------------------------------------------------------ what it is

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of columns."""
        return self.pattern.shape

    @property
    def nnz(self) -> int:
        """The number of stored values."""
        return self.pattern.count

    @property
    def dtype(self) -> Any:
        """The type of the values."""
        return self.data.dtype

    @property
    def device(self) -> Any:
        """The device of the values."""
        return self.data.device

    @property
    def requires_grad(self) -> bool:
        """Whether the values have a gradient."""
        return bool(self.data.requires_grad)

    @property
    def row(self) -> Any:
        """The row of each value."""
        return self.pattern.places[0]

    @property
    def col(self) -> Any:
        """The column of each value."""
        return self.pattern.places[1]

    # ------------------------------------------------------------------ other forms

    def with_data(self, data: Any) -> Any:
        """Return a matrix with other values at the same places.

        Raises:
            ValueError: They are not as many.
        """
        data = own(data)
        if data.shape != (self.nnz,):
            raise ValueError(f"{self.nnz} values are stored, and not {tuple(data.shape)}")
        return self._made(data, self.pattern)

    def detach(self) -> Any:
        """Return a matrix whose values have no history."""
        return self._made(self.data.detach(), self.pattern)

    def to(self, *args: Any, **options: Any) -> Any:
        """Return a matrix with ``data.to(...)``: of another type, or on another device."""
        return self._made(self.data.to(*args, **options), self.pattern)

    def astype(self, dtype: Any) -> Any:
        """Return a matrix with values of another type."""
        return self._made(self.data.astype(dtype), self.pattern)

    def _as(self, kind: str) -> Any:
        """Return the matrix in a format, with one value at each place but in "coo"."""
        if self.format == kind and (kind == "coo" or self.pattern.distinct):
            return self
        pattern, places = self.pattern.converted(kind)
        return self._made(moved(self.data, places, pattern.count), pattern)

    def _distinct(self) -> Any:
        return self if self.pattern.distinct else self.tocsr()

    def tocsr(self) -> Any:
        """Return the matrix in the format "csr"."""
        return self._as("csr")

    def tocsc(self) -> Any:
        """Return the matrix in the format "csc"."""
        return self._as("csc")

    def tocoo(self) -> Any:
        """Return the matrix in the format "coo"."""
        return self._as("coo")

    def get(self) -> Any:
        """Return SciPy's array with these values, on the host.

        Raises:
            RuntimeError: They require grad.
        """
        return self.pattern.filled(np.asarray(self.data.cpu().numpy())).copy()

    def toarray(self) -> Any:
        """Return the matrix as a dense one."""
        tensor = plain(self.data)
        found = add_at(tensor, shape=self.shape, index=_index(self.pattern.places, tensor))
        return raised(found, self.data.__class__)

    todense = toarray

    @property
    def T(self) -> Any:  # noqa: N802  NumPy's name
        """The transpose, with the same values."""
        return self._made(self.data, self.pattern.transposed)

    def transpose(self) -> Any:
        """Return the transpose, with the same values."""
        return self.T

    def conj(self) -> Any:
        """Return the matrix of the conjugates."""
        return self._made(raised(conj(plain(self.data)), self.data.__class__), self.pattern)

    @property
    def H(self) -> Any:  # noqa: N802  PyTorch's name
        """The conjugate transpose."""
        return self.conj().T

    # ------------------------------------------------------------------ arithmetic

    def __matmul__(self, other: Any) -> Any:
        """Return the product with a vector, a dense matrix or a sparse one.

        Raises:
            ValueError: The other has another number of rows, or more than two axes.
        """
        if isinstance(other, SparseArray) or is_theirs(other):
            return _sparse_product(self, sparse(other))
        tensor = own(other)
        if tensor.ndim not in (1, 2):
            raise ValueError(f"matmul: the other operand has {tensor.ndim} axes, and not 1 or 2")
        _check_inner(self.shape, tuple(tensor.shape))
        kind = class_of((self.data, tensor if isinstance(other, TensorBase) else None))
        return raised(product(*promoted(self.data, tensor), pattern=self.pattern), kind)

    dot = __matmul__

    def __rmatmul__(self, other: Any) -> Any:
        """Return the product of a vector, a dense matrix or a sparse one with this."""
        if isinstance(other, SparseArray) or is_theirs(other):
            return _sparse_product(sparse(other), self)
        tensor = own(other)
        if tensor.ndim not in (1, 2):
            raise ValueError(f"matmul: the other operand has {tensor.ndim} axes, and not 1 or 2")
        _check_inner(tuple(tensor.shape), self.shape)
        kind = class_of((self.data, tensor if isinstance(other, TensorBase) else None))
        turned = tensor if tensor.ndim == 1 else tensor.T
        operands = promoted(self.data, turned)
        found = product(*operands, pattern=self.pattern.transposed)
        return raised(found if tensor.ndim == 1 else op("transpose")(found, 0, 1), kind)

    def multiply(self, other: Any) -> Any:
        """Return the product element by element: with a number, a dense matrix or a sparse one.

        A dense one broadcasts to the shape.  Where this stores nothing, the result does not.

        Raises:
            ValueError: The shapes do not fit.
        """
        if isinstance(other, SparseArray) or is_theirs(other):
            return _common(self, sparse(other))
        return self.with_data(self.data * _at_places(other, self))

    def __mul__(self, other: Any) -> Any:
        """See :meth:`multiply`."""
        return self.multiply(other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        """Return the quotient by a number or a dense matrix, where this stores values.

        Raises:
            TypeError: The other is sparse, and most of its elements are zero.
        """
        if isinstance(other, SparseArray) or is_theirs(other):
            raise TypeError("a matrix is not divided by a sparse one; see its toarray()")
        return self.with_data(self.data / _at_places(other, self))

    def __neg__(self) -> Any:
        """Return the matrix of the negative values."""
        return self._made(-self.data, self.pattern)

    def __add__(self, other: Any) -> Any:
        """Return the sum with a sparse matrix, which is sparse, or with a dense one.

        Raises:
            NotImplementedError: It is a number, which would be added to what is not stored.
            ValueError: The shapes differ.
        """
        if not (isinstance(other, SparseArray) or is_theirs(other)):
            if np.ndim(other) == 0:
                if isinstance(other, int | float) and other == 0:
                    return self
                raise NotImplementedError(
                    "adding a nonzero scalar to a sparse array is not supported"
                )
            return self.toarray() + other
        other = sparse(other)
        if self.shape != other.shape:
            raise ValueError(f"inconsistent shapes: {self.shape} and {other.shape}")
        pairs = zip(self.pattern.places, other.pattern.places, strict=True)
        pattern = Pattern.of("coo", (tuple([np.concatenate(pair) for pair in pairs]),), self.shape)
        kind = class_of((self.data, other.data))
        values = raised(op("cat")(promoted(self.data, other.data), 0), kind)
        return self._made(values, pattern)._as(self.format)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        """Return the difference to a sparse matrix or a dense one."""
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        """Return the difference of a dense matrix, or a sparse one, and this."""
        return -self + other

    def power(self, n: Any) -> Any:
        """Return the matrix of powers, which must be positive.

        Raises:
            ValueError: The exponent is not positive, and zeros would not stay zero.
        """
        if not n > 0:
            raise ValueError("a power of a sparse matrix must be positive, or zeros would not stay")
        matrix = self._distinct()
        return matrix.with_data(matrix.data**n)

    __pow__ = power

    def __abs__(self) -> Any:
        """Return the matrix of absolute values."""
        matrix = self._distinct()
        return matrix.with_data(abs(matrix.data))

    # ------------------------------------------------------------------ sums and parts

    def sum(self, axis: int | None = None) -> Any:
        """Return the sum of all elements, or over the rows (0) or the columns (1).

        Raises:
            ValueError: There is no such axis.
        """
        if axis is None:
            return self.data.sum()
        if axis not in (-2, -1, 0, 1):
            raise ValueError(f"axis {axis} is none of a matrix")
        kept = 1 if axis in (0, -2) else 0
        return moved(self.data, self.pattern.places[kept], self.shape[kept])

    def mean(self, axis: int | None = None) -> Any:
        """Return the mean of all elements, or over the rows or the columns."""
        found = self.sum(axis)
        n, m = self.shape
        return found / (n * m if axis is None else n if axis in (0, -2) else m)

    def diagonal(self, k: int = 0) -> Any:
        """Return the ``k``-th diagonal as a vector."""
        rows, columns = self.pattern.places
        there = np.flatnonzero(columns - rows == k)
        n, m = self.shape
        length = max(0, min(n + min(k, 0), m - max(k, 0)))
        kept = _chosen(self.data, there)
        return moved(kept, rows[there] + min(k, 0), length)

    def trace(self) -> Any:
        """Return the sum of the diagonal."""
        return self.diagonal().sum()

    def __getitem__(self, index: Any) -> Any:
        """Return elements: two integers, or lists of them, give numbers, slices a sparse matrix.

        One row or column is a vector.

        Raises:
            IndexError: The index is out of bounds, or of another kind.
        """
        layout = self._as("csr")
        numbers = np.arange(1, layout.nnz + 1)  # 0 is what is not stored
        found = layout.pattern.filled(numbers)[index]
        if not scipy("sparse").issparse(found):
            flat = np.asarray(found).reshape(-1)
            there = np.flatnonzero(flat)
            values = moved(_chosen(layout.data, flat[there] - 1), there, len(flat))
            return values.reshape(np.shape(found))
        if found.ndim != 2:
            kept = _chosen(layout.data, found.data - 1)
            return moved(kept, found.coords[0], found.shape[0])
        found = found.tocsr()
        return CLASSES["csr"]._made(_chosen(layout.data, found.data - 1), Pattern(found))

    def __bool__(self) -> bool:
        """Refuse, as arrays of several elements do.

        Raises:
            ValueError: Always.
        """
        raise ValueError("The truth value of a sparse array is ambiguous; see nnz")

    def __eq__(self, other: object) -> bool:
        """Refuse, as the result would be dense.

        Raises:
            TypeError: Always.
        """
        raise TypeError("sparse arrays are not compared; compare what toarray() gives, or data")

    __hash__ = object.__hash__

    def __len__(self) -> int:
        """Refuse, as SciPy's arrays do.

        Raises:
            TypeError: Always.
        """
        raise TypeError("sparse array length is ambiguous; use .nnz or .shape")


def _chosen(values: Any, places: Any) -> Any:
    tensor = plain(values)
    return raised(taken(tensor, index=_index((places,), tensor)), values.__class__)


def _at_places(other: Any, matrix: SparseArray) -> Any:
    """Return a number, or the elements of a dense matrix at the places of a sparse one."""
    if np.ndim(other) == 0:
        return other
    tensor = own(other)
    shape = np.broadcast_shapes(tuple(tensor.shape), matrix.shape)
    if shape != matrix.shape:
        raise ValueError(f"inconsistent shapes: {matrix.shape} and {tuple(tensor.shape)}")
    places = matrix.pattern.places[2 - tensor.ndim :]
    index = [np.zeros_like(p) if n == 1 else p for p, n in zip(places, tensor.shape, strict=True)]
    found = taken(plain(tensor), index=_index(index, tensor))
    return raised(found, class_of((matrix.data, other)))


def _check_inner(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    if left[-1] != right[0]:
        raise ValueError(
            f"matmul: dimension mismatch: {left} has {left[-1]} columns, and {right} {right[0]} "
            "rows"
        )


def _common(a: SparseArray, b: SparseArray) -> Any:
    """Return the product element by element of two sparse matrices."""
    if a.shape != b.shape:
        raise ValueError(f"inconsistent shapes: {a.shape} and {b.shape}")
    first, second = a.tocsr(), b.tocsr()
    one, two = (m.row * a.shape[1] + m.col for m in (first, second))
    _, left, right = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    values = _chosen(first.data, left) * _chosen(second.data, right)
    pattern = Pattern.at(first.row[left], first.col[left], a.shape)
    return SparseArray._made(values, pattern)._as(a.format)


def _sparse_product(a: SparseArray, b: SparseArray) -> Any:
    """Return the product of two sparse matrices: the sum of the products of pairs of values."""
    _check_inner(a.shape, b.shape)
    right = b.tocsr()
    ends = right.indptr
    starts, counts = ends[a.col], np.diff(ends)[a.col]
    left = np.repeat(np.arange(a.nnz), counts)
    first = np.cumsum(counts) - counts
    pairs = np.arange(len(left)) - np.repeat(first - starts, counts)
    values = _chosen(a.data, left) * _chosen(right.data, pairs)
    pattern = Pattern.at(a.row[left], right.col[pairs], (a.shape[0], b.shape[1]))
    return SparseArray._made(values, pattern)._as("csr" if a.format == "coo" else a.format)


class _Compressed(SparseArray):
    @property
    def indices(self) -> Any:
        """The column of each value; in the format "csc" its row."""
        return self.pattern.layout.indices

    @property
    def indptr(self) -> Any:
        """Where each row, or column, begins among the values."""
        return self.pattern.layout.indptr


class csr_array(_Compressed):  # noqa: N801  SciPy's name
    """A matrix stored by rows; see :class:`SparseArray`."""

    format = "csr"


class csc_array(_Compressed):  # noqa: N801  SciPy's name
    """A matrix stored by columns; see :class:`SparseArray`."""

    format = "csc"


class coo_array(SparseArray):  # noqa: N801  SciPy's name
    """A matrix stored as places and values; see :class:`SparseArray`."""

    format = "coo"

    @property
    def coords(self) -> Any:
        """The rows and the columns."""
        return self.pattern.places


CLASSES: dict[str, Any] = {"csr": csr_array, "csc": csc_array, "coo": coo_array}


def _given(arg: Any, shape: Any, kind: str) -> tuple[Any, Pattern]:
    """Return the values and the pattern of what a sparse matrix is made of.

    Raises:
        ValueError: The indices are not those of a matrix of the shape, or the values not as many.
    """
    if isinstance(arg, SparseArray):
        return arg.data, arg.pattern
    if is_theirs(arg):
        return _theirs(arg)
    if not isinstance(arg, tuple):
        return _dense(arg)
    if len(arg) == 2 and all(isinstance(n, int | np.integer) for n in arg):
        nothing = np.zeros(0, np.intp)
        return own(np.zeros(0)), Pattern.at(nothing, nothing, arg)
    data = own(arg[0])
    if data.ndim != 1:
        raise ValueError(f"the values must be a vector, and have {data.ndim} axes")
    if len(arg) == 2:
        rows, columns = (np.asarray(on_host(k)) for k in arg[1])
        pattern = Pattern.at(rows, columns, shape)
    elif len(arg) == 3 and kind != "coo":
        indices = tuple([np.asarray(on_host(k)) for k in arg[1:]])
        pattern = Pattern.of(kind, indices, shape)
    else:
        raise ValueError(f"{kind}_array: a tuple of {len(arg)} parts is no matrix")
    if pattern.count != data.shape[0]:
        raise ValueError(f"{data.shape[0]} values are given for {pattern.count} places")
    return data, pattern


def sparse(value: Any) -> Any:
    """Return a sparse matrix as it is, and another one as ours."""
    if isinstance(value, SparseArray):
        return value
    if is_theirs(value) and value.format in FORMATS:
        return CLASSES[value.format](value)
    return csr_array(value)
