"""The methods and operators of tensors, made from the table of declarations."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy

from gpugrad import Generator, Tensor, device, dtype, layout, memory_format
from gpugrad.graph import TensorBase

class Methods(TensorBase):
    """What can be done with a tensor; what a tensor is, :class:`gpugrad.Tensor` says."""

    def __abs__(self) -> Tensor: ...
    def __add__(self, other: Any) -> Tensor: ...
    def __and__(self, other: Any) -> Tensor: ...
    def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
    def __floordiv__(self, other: Any) -> Tensor: ...
    def __ge__(self, other: Any) -> Tensor: ...
    def __getitem__(self, key: Any) -> Tensor: ...
    def __gt__(self, other: Any) -> Tensor: ...
    def __iadd__(self, other: Any) -> Tensor: ...
    def __iand__(self, other: Any) -> Tensor: ...
    def __ifloordiv__(self, other: Any) -> Tensor: ...
    def __ilshift__(self, other: Any) -> Tensor: ...
    def __imod__(self, other: Any) -> Tensor: ...
    def __imul__(self, other: Any) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __ior__(self, other: Any) -> Tensor: ...
    def __ipow__(self, other: Any) -> Tensor: ...
    def __irshift__(self, other: Any) -> Tensor: ...
    def __isub__(self, other: Any) -> Tensor: ...
    def __itruediv__(self, other: Any) -> Tensor: ...
    def __ixor__(self, other: Any) -> Tensor: ...
    def __le__(self, other: Any) -> Tensor: ...
    def __lshift__(self, other: Any) -> Tensor: ...
    def __lt__(self, other: Any) -> Tensor: ...
    def __matmul__(self, other: Any) -> Tensor: ...
    def __mod__(self, other: Any) -> Tensor: ...
    def __mul__(self, other: Any) -> Tensor: ...
    def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor: ...
    def __or__(self, other: Any) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __pow__(self, other: Any) -> Tensor: ...
    def __radd__(self, other: Any) -> Tensor: ...
    def __rand__(self, other: Any) -> Tensor: ...
    def __rdiv__(self, other: Any) -> Tensor: ...
    def __rfloordiv__(self, other: Any) -> Tensor: ...
    def __rlshift__(self, other: Any) -> Tensor: ...
    def __rmatmul__(self, other: Any) -> Tensor: ...
    def __rmod__(self, other: Any) -> Tensor: ...
    def __rmul__(self, other: Any) -> Tensor: ...
    def __ror__(self, other: Any) -> Tensor: ...
    def __rpow__(self, other: Any) -> Tensor: ...
    def __rrshift__(self, other: Any) -> Tensor: ...
    def __rshift__(self, other: Any) -> Tensor: ...
    def __rsub__(self, other: Any) -> Tensor: ...
    def __rtruediv__(self, other: Any) -> Tensor: ...
    def __rxor__(self, other: Any) -> Tensor: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def __sub__(self, other: Any) -> Tensor: ...
    def __truediv__(self, other: Any) -> Tensor: ...
    def __xor__(self, other: Any) -> Tensor: ...
    def abs(self) -> Tensor:
        """Return the absolute value, real for a complex input; the gradient at 0 is 0."""

    def abs_(self) -> Tensor:
        """Write the result of ``abs`` into the tensor, and return that."""

    def absolute(self) -> Tensor:
        """Return the absolute value, real for a complex input; the gradient at 0 is 0."""

    def absolute_(self) -> Tensor:
        """Write the result of ``abs`` into the tensor, and return that."""

    def acos(self) -> Tensor:
        """Return the inverse cosine, in [0, pi]: nan for a real input outside [-1, 1]."""

    def acos_(self) -> Tensor:
        """Write the result of ``acos`` into the tensor, and return that."""

    def acosh(self) -> Tensor:
        """Return the inverse hyperbolic cosine, at least 0: nan for a real input below 1."""

    def acosh_(self) -> Tensor:
        """Write the result of ``acosh`` into the tensor, and return that."""

    def add(
        self, other: Any, *, alpha: builtins.bool | builtins.int | builtins.float | complex = 1
    ) -> Tensor:
        """Return input + alpha * other."""

    def add_(
        self, other: Any, *, alpha: builtins.bool | builtins.int | builtins.float | complex = 1
    ) -> Tensor:
        """Write the result of ``add`` into the tensor, and return that."""

    def addbmm(
        self,
        batch1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        batch2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return ``beta * input`` and ``alpha`` times the sum of the products of two stacks."""

    def addbmm_(
        self,
        batch1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        batch2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``addbmm`` into the tensor, and return that."""

    def addcdiv(
        self,
        tensor1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        tensor2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        value: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return input + value * tensor1 / tensor2."""

    def addcdiv_(
        self,
        tensor1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        tensor2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        value: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``addcdiv`` into the tensor, and return that."""

    def addcmul(
        self,
        tensor1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        tensor2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        value: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return input + value * tensor1 * tensor2."""

    def addcmul_(
        self,
        tensor1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        tensor2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        value: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``addcmul`` into the tensor, and return that."""

    def addmm(
        self,
        mat1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return ``beta * input + alpha * (mat1 @ mat2)``."""

    def addmm_(
        self,
        mat1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``addmm`` into the tensor, and return that."""

    def addmv(
        self,
        mat: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        vec: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return ``beta * input + alpha * (mat @ vec)``; see :func:`addmm`."""

    def addmv_(
        self,
        mat: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        vec: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``addmv`` into the tensor, and return that."""

    def addr(
        self,
        vec1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return ``beta * input + alpha * outer(vec1, vec2)``, in the type that all promote to."""

    def addr_(
        self,
        vec1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``addr`` into the tensor, and return that."""

    def adjoint(self, *, name: str = "adjoint()") -> Tensor:
        """Return a view of the conjugate of the matrices in the last two dimensions, transposed."""

    def all(
        self,
        dim: builtins.int | Sequence[builtins.int] | None = None,
        keepdim: builtins.bool = False,
    ) -> Tensor:
        """Return whether all elements are nonzero, over ``dim`` (all by default), as bool."""

    def allclose(
        self,
        other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> builtins.bool:
        """Return whether :func:`isclose` holds everywhere."""

    def amax(
        self, dim: builtins.int | Sequence[builtins.int] | None = (), keepdim: builtins.bool = False
    ) -> Tensor:
        """Return the maxima over ``dim`` (all by default); ties share the gradient evenly."""

    def amin(
        self, dim: builtins.int | Sequence[builtins.int] | None = (), keepdim: builtins.bool = False
    ) -> Tensor:
        """Return the minima over ``dim`` (all by default); ties share the gradient evenly."""

    def aminmax(self, *, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Any:
        """Return the minima and the maxima, of all or along ``dim``; ties share the gradient evenly."""

    def angle(self) -> Tensor:
        """Return the angle of a complex input in radians, in [-pi, pi]; of a real one 0 or pi."""

    def any(
        self,
        dim: builtins.int | Sequence[builtins.int] | None = None,
        keepdim: builtins.bool = False,
    ) -> Tensor:
        """Return whether at least one element is nonzero, over ``dim`` (all by default), as bool."""

    def apply_(self, callable: Callable[..., Any]) -> Tensor:
        """Write what a function of Python's gives for each element into the tensor; on the CPU only."""

    def arccos(self) -> Tensor:
        """Return the inverse cosine, in [0, pi]: nan for a real input outside [-1, 1]."""

    def arccos_(self) -> Tensor:
        """Write the result of ``acos`` into the tensor, and return that."""

    def arccosh(self) -> Tensor:
        """Return the inverse hyperbolic cosine, at least 0: nan for a real input below 1."""

    def arccosh_(self) -> Tensor:
        """Write the result of ``acosh`` into the tensor, and return that."""

    def arcsin(self) -> Tensor:
        """Return the inverse sine, in [-pi / 2, pi / 2]: nan for a real input outside [-1, 1]."""

    def arcsin_(self) -> Tensor:
        """Write the result of ``asin`` into the tensor, and return that."""

    def arcsinh(self) -> Tensor:
        """Return the inverse hyperbolic sine."""

    def arcsinh_(self) -> Tensor:
        """Write the result of ``asinh`` into the tensor, and return that."""

    def arctan(self) -> Tensor:
        """Return the inverse tangent, in [-pi / 2, pi / 2]."""

    def arctan2(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the angle of the point (other, input) in radians, in [-pi, pi]."""

    def arctan2_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``atan2`` into the tensor, and return that."""

    def arctan_(self) -> Tensor:
        """Write the result of ``atan`` into the tensor, and return that."""

    def arctanh(self) -> Tensor:
        """Return the inverse hyperbolic tangent: nan for a real input outside [-1, 1]."""

    def arctanh_(self) -> Tensor:
        """Write the result of ``atanh`` into the tensor, and return that."""

    def argmax(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Return the int64 index of the first maximum: of all, flattened, or along ``dim``."""

    def argmin(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Return the int64 index of the first minimum: of all, flattened, or along ``dim``."""

    def argpartition(self, kth: Any, axis: Any = -1) -> Tensor:
        """Return the places of the elements in an order that puts the ``kth`` where it belongs."""

    def argsort(
        self,
        dim: builtins.int = -1,
        descending: builtins.bool = False,
        *,
        stable: builtins.bool = False,
    ) -> Tensor:
        """Return the indices that :func:`sort` returns, which is always stable."""

    def argwhere(self) -> Tensor:
        """Return the int64 indices of the nonzero elements, a row for each."""

    def as_strided(
        self,
        size: Sequence[builtins.int],
        stride: Sequence[builtins.int],
        storage_offset: builtins.int | None = None,
    ) -> Tensor:
        """Return a view of the memory of a tensor, of a size and with strides of its own."""

    def as_strided_(
        self,
        size: Sequence[builtins.int],
        stride: Sequence[builtins.int],
        storage_offset: builtins.int | None = None,
    ) -> Tensor:
        """Change the tensor itself as ``as_strided`` does its result, and return it."""

    def as_strided_scatter(
        self,
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        size: Sequence[builtins.int],
        stride: Sequence[builtins.int],
        storage_offset: builtins.int | None = None,
    ) -> Tensor:
        """Return a copy with the values of ``src`` at the place of ``input.as_strided(...)``."""

    def asin(self) -> Tensor:
        """Return the inverse sine, in [-pi / 2, pi / 2]: nan for a real input outside [-1, 1]."""

    def asin_(self) -> Tensor:
        """Write the result of ``asin`` into the tensor, and return that."""

    def asinh(self) -> Tensor:
        """Return the inverse hyperbolic sine."""

    def asinh_(self) -> Tensor:
        """Write the result of ``asinh`` into the tensor, and return that."""

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: str = "unsafe",
        subok: builtins.bool = True,
        copy: builtins.bool = True,
    ) -> Tensor:
        """Return a copy as another type, NumPy's or ours; ``copy=False`` makes it only where it must."""

    def atan(self) -> Tensor:
        """Return the inverse tangent, in [-pi / 2, pi / 2]."""

    def atan2(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the angle of the point (other, input) in radians, in [-pi, pi]."""

    def atan2_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``atan2`` into the tensor, and return that."""

    def atan_(self) -> Tensor:
        """Write the result of ``atan`` into the tensor, and return that."""

    def atanh(self) -> Tensor:
        """Return the inverse hyperbolic tangent: nan for a real input outside [-1, 1]."""

    def atanh_(self) -> Tensor:
        """Write the result of ``atanh`` into the tensor, and return that."""

    def baddbmm(
        self,
        batch1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        batch2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Return ``beta * input + alpha * (batch1 @ batch2)`` for stacks of matrices."""

    def baddbmm_(
        self,
        batch1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        batch2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        beta: builtins.bool | builtins.int | builtins.float | complex = 1,
        alpha: builtins.bool | builtins.int | builtins.float | complex = 1,
    ) -> Tensor:
        """Write the result of ``baddbmm`` into the tensor, and return that."""

    def bernoulli(
        self, p: builtins.float | None = None, *, generator: Generator | None = None
    ) -> Tensor:
        """Return ones with the probabilities in ``input``, or with one of ``p``, and zeros."""

    def bernoulli_(self, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
        """Fill the tensor with ones, with probability ``p`` or those in a tensor, and zeros."""

    def bfloat16(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as bfloat16; itself where it is that."""

    def bincount(self, weights: Any = None, minlength: builtins.int = 0) -> Tensor:
        """Return how often each integer from 0 on occurs; with ``weights`` their sums."""

    def bitwise_and(self, other: Any) -> Tensor:
        """Return input & other, of bools or integers."""

    def bitwise_and_(self, other: Any) -> Tensor:
        """Write the result of ``bitwise_and`` into the tensor, and return that."""

    def bitwise_left_shift(self, other: Any) -> Tensor:
        """Return the bits of integers moved up by other places: 0 by a negative or too large number."""

    def bitwise_left_shift_(self, other: Any) -> Tensor:
        """Write the result of ``bitwise_left_shift`` into the tensor, and return that."""

    def bitwise_not(self) -> Tensor:
        """Return ~input, of bools or integers."""

    def bitwise_not_(self) -> Tensor:
        """Write the result of ``bitwise_not`` into the tensor, and return that."""

    def bitwise_or(self, other: Any) -> Tensor:
        """Return input | other, of bools or integers."""

    def bitwise_or_(self, other: Any) -> Tensor:
        """Write the result of ``bitwise_or`` into the tensor, and return that."""

    def bitwise_right_shift(self, other: Any) -> Tensor:
        """Return the bits of integers moved down by other places, the sign kept."""

    def bitwise_right_shift_(self, other: Any) -> Tensor:
        """Write the result of ``bitwise_right_shift`` into the tensor, and return that."""

    def bitwise_xor(self, other: Any) -> Tensor:
        """Return input ^ other, of bools or integers."""

    def bitwise_xor_(self, other: Any) -> Tensor:
        """Write the result of ``bitwise_xor`` into the tensor, and return that."""

    def bmm(self, mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the products of two stacks of matrices."""

    def bool(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as bool; itself where it is that."""

    def broadcast_to(self, *size: Any) -> Tensor:
        """Return a view with the shape ``size``, which the input's broadcasts to."""

    def byte(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as uint8; itself where it is that."""

    def cauchy_(
        self,
        median: builtins.float = 0,
        sigma: builtins.float = 1,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fill the tensor with numbers of a Cauchy distribution."""

    def cdouble(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as complex128; itself where it is that."""

    def ceil(self) -> Tensor:
        """Return the least whole number that is not below input; the gradient is 0."""

    def ceil_(self) -> Tensor:
        """Write the result of ``ceil`` into the tensor, and return that."""

    def celu_(self, alpha: builtins.bool | builtins.int | builtins.float | complex = 1.0) -> Tensor:
        """Write the result of ``celu`` into the tensor, and return that."""

    def cfloat(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as complex64; itself where it is that."""

    def char(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as int8; itself where it is that."""

    def cholesky(self, upper: builtins.bool = False) -> Tensor:
        """Return what :func:`linalg.cholesky` does."""

    def cholesky_inverse(self, upper: builtins.bool = False) -> Tensor:
        """Return the inverses of the matrices that ``input`` are the Cholesky factors of."""

    def cholesky_solve(
        self, input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], upper: builtins.bool = False
    ) -> Tensor:
        """Return X of A X = ``input``, where ``input2`` is the Cholesky factor of A."""

    def choose(self, choices: Any, out: Any = None, mode: str = "raise") -> Tensor:
        """Return at each place the element of the one of several tensors that the input names."""

    def chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Return at most ``chunks`` views of equal size, the last smaller where it must be."""

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Return input limited to [min, max], numbers or tensors; where min > max the result is max."""

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """Write the result of ``clamp`` into the tensor, and return that."""

    def clamp_max(self, max: Any) -> Tensor:
        """Return input, but at most max; the gradient is that of :func:`clamp`."""

    def clamp_max_(self, max: Any) -> Tensor:
        """Write the result of ``clamp_max`` into the tensor, and return that."""

    def clamp_min(self, min: Any) -> Tensor:
        """Return input, but at least min; the gradient is that of :func:`clamp`."""

    def clamp_min_(self, min: Any) -> Tensor:
        """Write the result of ``clamp_min`` into the tensor, and return that."""

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Return input limited to [min, max], numbers or tensors; where min > max the result is max."""

    def clip_(self, min: Any = None, max: Any = None) -> Tensor:
        """Write the result of ``clamp`` into the tensor, and return that."""

    def clone(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return a copy with memory of its own; the gradient passes through."""

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Tensor:
        """Return the slices along an axis for which a condition is true, of all elements by default."""

    def conj(self) -> Tensor:
        """Return a view of the complex conjugate; the tensor itself where it is real."""

    def conj_physical(self) -> Tensor:
        """Return the complex conjugate; the tensor itself where it is real."""

    def conj_physical_(self) -> Tensor:
        """Conjugate the tensor in place."""

    def contiguous(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor itself if its memory is in the order of a format, else a copy that is."""

    def copy(self, order: str = "C") -> Tensor:
        """Return a copy with its history and memory of its own; order "K" keeps the layout."""

    def copy_(self, src: Any, non_blocking: builtins.bool = False) -> Tensor:
        """Copy the values of another tensor in place: broadcast, cast, moved between devices."""

    def copysign(self, other: Any) -> Tensor:
        """Return the size of input with the sign of other, that of -0 and of nan included."""

    def copysign_(self, other: Any) -> Tensor:
        """Write the result of ``copysign`` into the tensor, and return that."""

    def corrcoef(self) -> Tensor:
        """Return the correlations of variables, which are rows; their observations are columns."""

    def cos(self) -> Tensor:
        """Return the cosine of input, in radians."""

    def cos_(self) -> Tensor:
        """Write the result of ``cos`` into the tensor, and return that."""

    def cosh(self) -> Tensor:
        """Return the hyperbolic cosine."""

    def cosh_(self) -> Tensor:
        """Write the result of ``cosh`` into the tensor, and return that."""

    def count_nonzero(self, dim: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """Return how many elements are not 0, over ``dim`` (all by default), as int64."""

    def cov(
        self, *, correction: builtins.int = 1, fweights: Any = None, aweights: Any = None
    ) -> Tensor:
        """Return the covariances of variables, which are rows; their observations are columns."""

    def cpu(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor on the CPU; itself where it is there."""

    def cross(
        self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: builtins.int | None = None
    ) -> Tensor:
        """Return :func:`linalg.cross`, by default along the first dimension of three elements."""

    def cuda(
        self,
        device: Any = None,
        non_blocking: builtins.bool = False,
        *,
        memory_format: memory_format | None = None,
    ) -> Tensor:
        """Return the tensor on a GPU, the current one by default; itself where it is there."""

    def cummax(self, dim: builtins.int) -> Any:
        """Return the maxima up to each place along ``dim``, and where the last of each is; nan wins."""

    def cummin(self, dim: builtins.int) -> Any:
        """Return the minima up to each place along ``dim``, and where the last of each is; nan wins."""

    def cumprod(self, dim: builtins.int, *, dtype: dtype | None = None) -> Tensor:
        """Return at each place the product of the elements up to it along ``dim``."""

    def cumprod_(self, dim: builtins.int, *, dtype: dtype | None = None) -> Tensor:
        """Write the result of ``cumprod`` into the tensor, and return that."""

    def cumsum(self, dim: builtins.int, *, dtype: dtype | None = None) -> Tensor:
        """Return at each place the sum of the elements up to it along ``dim``."""

    def cumsum_(self, dim: builtins.int, *, dtype: dtype | None = None) -> Tensor:
        """Write the result of ``cumsum`` into the tensor, and return that."""

    def deg2rad(self) -> Tensor:
        """Return an angle of that many degrees, in radians."""

    def deg2rad_(self) -> Tensor:
        """Write the result of ``deg2rad`` into the tensor, and return that."""

    def det(self) -> Tensor:
        """Return the determinants of square matrices, the last two dimensions."""

    def diag(self, diagonal: builtins.int = 0) -> Tensor:
        """Return a matrix with a vector as one of its diagonals, or a copy of a diagonal of a matrix."""

    def diag_embed(
        self, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1
    ) -> Tensor:
        """Return zeros with the last dimension of ``input`` as diagonals over two new dimensions."""

    def diagflat(self, offset: builtins.int = 0) -> Tensor:
        """Return a matrix with the elements of ``input`` as one of its diagonals."""

    def diagonal(
        self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1
    ) -> Tensor:
        """Return a view of the diagonals over two dimensions, which a last one replaces."""

    def diagonal_scatter(
        self,
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        offset: builtins.int = 0,
        dim1: builtins.int = 0,
        dim2: builtins.int = 1,
    ) -> Tensor:
        """Return a copy with ``src`` at the diagonals over two dimensions."""

    def diff(
        self, n: builtins.int = 1, dim: builtins.int = -1, prepend: Any = None, append: Any = None
    ) -> Tensor:
        """Return the differences of neighbours along ``dim``, taken ``n`` times; of bools they are xor."""

    def digamma(self) -> Tensor:
        """Return the derivative of lgamma: -inf at 0, inf at -0, nan at -1, -2 and so on."""

    def digamma_(self) -> Tensor:
        """Write the result of ``digamma`` into the tensor, and return that."""

    def dim_order(
        self, *, ambiguity_check: builtins.bool | Sequence[memory_format] = False
    ) -> tuple[builtins.int, ...]:
        """Return the dimensions as they lie in memory, from the outermost to the innermost."""

    def dist(
        self,
        other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        p: builtins.bool | builtins.int | builtins.float | complex = 2,
    ) -> Tensor:
        """Return the norm of input - other, of any order."""

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Return input / other, rounded as is asked for."""

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Write the result of ``div`` into the tensor, and return that."""

    def divide(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Return input / other, rounded as is asked for."""

    def divide_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Write the result of ``div`` into the tensor, and return that."""

    def dot(self, tensor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the inner product of two vectors, without conjugation."""

    def double(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as float64; itself where it is that."""

    def dsplit(
        self, indices_or_sections: builtins.int | Sequence[builtins.int]
    ) -> tuple[Tensor, ...]:
        """Return the parts of :func:`tensor_split`, of equal size, along the third dimension."""

    def eq(self, other: Any) -> Tensor:
        """Return where input equals other, as bool."""

    def eq_(self, other: Any) -> Tensor:
        """Write the result of ``eq`` into the tensor, and return that."""

    def equal(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> builtins.bool:
        """Return whether two tensors have the same shape and values; their types may differ."""

    def erf(self) -> Tensor:
        """Return the error function."""

    def erf_(self) -> Tensor:
        """Write the result of ``erf`` into the tensor, and return that."""

    def erfc(self) -> Tensor:
        """Return 1 - erf(input), accurate where it is small."""

    def erfc_(self) -> Tensor:
        """Write the result of ``erfc`` into the tensor, and return that."""

    def erfinv(self) -> Tensor:
        """Return the inverse of :func:`erf`: inf at 1, -inf at -1, with gradients inf; nan beyond."""

    def erfinv_(self) -> Tensor:
        """Write the result of ``erfinv`` into the tensor, and return that."""

    def exp(self) -> Tensor:
        """Return e to the power input."""

    def exp2(self) -> Tensor:
        """Return 2 to the power input."""

    def exp2_(self) -> Tensor:
        """Write the result of ``exp2`` into the tensor, and return that."""

    def exp_(self) -> Tensor:
        """Write the result of ``exp`` into the tensor, and return that."""

    def expand(self, *sizes: Any) -> Tensor:
        """Return a view with dimensions of size 1 repeated; -1 keeps a size."""

    def expand_as(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return a view with the shape of another tensor."""

    def expm1(self) -> Tensor:
        """Return e to the power input, less 1, accurate near 0."""

    def expm1_(self) -> Tensor:
        """Write the result of ``expm1`` into the tensor, and return that."""

    def exponential_(
        self, lambd: builtins.float = 1, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill the tensor with numbers of an exponential distribution."""

    def fill_(self, value: Any) -> Tensor:
        """Fill the tensor with a number, or with a 0-d tensor, in place."""

    def fill_diagonal_(
        self,
        fill_value: builtins.bool | builtins.int | builtins.float | complex,
        wrap: builtins.bool = False,
    ) -> Tensor:
        """Write a number where all indices are equal."""

    def fix(self) -> Tensor:
        """Return the whole part of input, cut towards 0; the gradient is 0."""

    def fix_(self) -> Tensor:
        """Write the result of ``trunc`` into the tensor, and return that."""

    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """Return dimensions start_dim to end_dim as one."""

    def flip(self, *dims: Any) -> Tensor:
        """Return a copy with the order of the elements reversed along ``dims``."""

    def fliplr(self) -> Tensor:
        """Return a copy with the order of the columns reversed."""

    def flipud(self) -> Tensor:
        """Return a copy with the order of the rows reversed."""

    def float(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as float32; itself where it is that."""

    def float_power(self, exponent: Any) -> Tensor:
        """Return input to the power exponent, computed in double precision, real or complex."""

    def float_power_(self, exponent: Any) -> Tensor:
        """Write the tensor to the power exponent into it, a tensor of double precision."""

    def floor(self) -> Tensor:
        """Return the largest whole number that is not above input; the gradient is 0."""

    def floor_(self) -> Tensor:
        """Write the result of ``floor`` into the tensor, and return that."""

    def floor_divide(self, other: Any) -> Tensor:
        """Return input / other rounded downwards; it has no derivative, as in PyTorch."""

    def floor_divide_(self, other: Any) -> Tensor:
        """Write the result of ``floor_divide`` into the tensor, and return that."""

    def fmax(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the larger of the two, that which is no nan; at a tie the gradient goes to input."""

    def fmin(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the smaller of the two, that which is no nan; at a tie the gradient goes to input."""

    def fmod(self, other: Any) -> Tensor:
        """Return input - other * trunc(input / other), which has the sign of input."""

    def fmod_(self, other: Any) -> Tensor:
        """Write the result of ``fmod`` into the tensor, and return that."""

    def frac(self) -> Tensor:
        """Return what :func:`trunc` cuts off, with the sign of input."""

    def frac_(self) -> Tensor:
        """Write the result of ``frac`` into the tensor, and return that."""

    def frexp(self) -> tuple[Tensor, Tensor]:
        """Return a mantissa and an exponent, of which input is mantissa * 2**exponent."""

    def gather(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        sparse_grad: builtins.bool = False,
    ) -> Tensor:
        """Return, at each place of ``index``, the element that it names along ``dim``."""

    def gcd(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the greatest common divisor, at least 0; that of 0 and 0 is 0."""

    def gcd_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``gcd`` into the tensor, and return that."""

    def ge(self, other: Any) -> Tensor:
        """Return where input is at least other, as bool."""

    def ge_(self, other: Any) -> Tensor:
        """Write the result of ``ge`` into the tensor, and return that."""

    def geometric_(self, p: builtins.float, *, generator: Generator | None = None) -> Tensor:
        """Fill the tensor with how many attempts it takes until one succeeds, with probability ``p``."""

    def geqrf(self) -> Any:
        """Return R with the vectors of reflections below it, and their factors; see :func:`orgqr`."""

    def ger(self, vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the products of each element of one vector with each of another."""

    def get_device(self) -> builtins.int:
        """Return the number of the GPU that holds a tensor, -1 for NumPy's arrays."""

    def greater(self, other: Any) -> Tensor:
        """Return where input is greater than other, as bool."""

    def greater_(self, other: Any) -> Tensor:
        """Write the result of ``gt`` into the tensor, and return that."""

    def greater_equal(self, other: Any) -> Tensor:
        """Return where input is at least other, as bool."""

    def greater_equal_(self, other: Any) -> Tensor:
        """Write the result of ``ge`` into the tensor, and return that."""

    def gt(self, other: Any) -> Tensor:
        """Return where input is greater than other, as bool."""

    def gt_(self, other: Any) -> Tensor:
        """Write the result of ``gt`` into the tensor, and return that."""

    def half(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as float16; itself where it is that."""

    def hardshrink(
        self, lambd: builtins.bool | builtins.int | builtins.float | complex = 0.5
    ) -> Tensor:
        """Return input, and 0 where it lies in [-lambd, lambd], where the gradient is 0, too."""

    def heaviside(self, values: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return 0 where input is below 0 or nan, 1 above, and values at 0; there is no derivative."""

    def heaviside_(self, values: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``heaviside`` into the tensor, and return that."""

    def histc(
        self,
        bins: builtins.int = 100,
        min: builtins.bool | builtins.int | builtins.float | complex = 0,
        max: builtins.bool | builtins.int | builtins.float | complex = 0,
    ) -> Tensor:
        """Return how many elements lie in each of so many bins of equal width between two numbers."""

    def histogram(
        self,
        bins: Any = 100,
        *,
        range: Any = None,
        weight: Any = None,
        density: builtins.bool = False,
    ) -> Any:
        """Return how many elements lie in each bin, or the sum of their weights, and the bins' edges."""

    def hsplit(
        self, indices_or_sections: builtins.int | Sequence[builtins.int]
    ) -> tuple[Tensor, ...]:
        """Return the parts of :func:`tensor_split`, of equal size, along the second dimension."""

    def hypot(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the square root of input**2 + other**2, without overflow."""

    def hypot_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``hypot`` into the tensor, and return that."""

    def i0(self) -> Tensor:
        """Return the modified Bessel function of the first kind of order 0."""

    def i0_(self) -> Tensor:
        """Write the result of ``i0`` into the tensor, and return that."""

    def igamma(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the regularized lower incomplete gamma function P(input, other)."""

    def igamma_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``igamma`` into the tensor, and return that."""

    def igammac(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the regularized upper incomplete gamma function Q(input, other), 1 - P."""

    def igammac_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``igammac`` into the tensor, and return that."""

    def index_add(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        alpha: complex = 1,
    ) -> Tensor:
        """Return a copy with ``alpha`` times the slices of ``source`` added where ``index`` names."""

    def index_add_(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        alpha: complex = 1,
    ) -> Tensor:
        """Write the result of ``index_add`` into the tensor, and return that."""

    def index_copy(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Return a copy with the slices of ``source`` in the places that ``index`` names."""

    def index_copy_(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Write the result of ``index_copy`` into the tensor, and return that."""

    def index_fill(
        self, dim: builtins.int, index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], value: Any
    ) -> Tensor:
        """Return a copy with a number, or a 0-d tensor, in the slices that ``index`` names."""

    def index_fill_(
        self, dim: builtins.int, index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], value: Any
    ) -> Tensor:
        """Write the result of ``index_fill`` into the tensor, and return that."""

    def index_put(
        self,
        indices: Sequence[Tensor],
        values: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        accumulate: builtins.bool = False,
    ) -> Tensor:
        """Return a copy with values written at indices; see :func:`index_put_`."""

    def index_put_(
        self,
        indices: Sequence[Tensor],
        values: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        accumulate: builtins.bool = False,
    ) -> Tensor:
        """Write values at indices in place, or add them, where ``accumulate``, each as often as named."""

    def index_reduce(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        reduce: str,
        *,
        include_self: builtins.bool = True,
    ) -> Tensor:
        """Return a copy with the slices of ``source`` put together in the places that are named."""

    def index_reduce_(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        reduce: str,
        *,
        include_self: builtins.bool = True,
    ) -> Tensor:
        """Write the result of ``index_reduce`` into the tensor, and return that."""

    def index_select(
        self, dim: builtins.int, index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]
    ) -> Tensor:
        """Return a copy of the slices that a 1-d tensor of integers names along ``dim``."""

    def inner(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the sums of products over the last dimensions; with a number, the multiple."""

    def int(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as int32; itself where it is that."""

    def inverse(self) -> Tensor:
        """Return the inverses of square matrices."""

    def is_complex(self) -> builtins.bool:
        """Return whether the type of a tensor is complex."""

    def is_conj(self) -> builtins.bool:
        """Return whether a tensor is a view of the conjugate of another: of ``conj``, ``mH``, ..."""

    def is_floating_point(self) -> builtins.bool:
        """Return whether the type of a tensor is a floating point type."""

    def is_neg(self) -> builtins.bool:
        """Return False: no tensor here is a view of the negative of another."""

    def is_nonzero(self) -> builtins.bool:
        """Return whether the one element of a tensor is not 0."""

    def is_pinned(self, device: Any = None) -> builtins.bool:
        """Return whether the tensor lies in memory from which a GPU copies without a detour."""

    def is_same_size(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> builtins.bool:
        """Return whether two tensors have the same shape."""

    def is_set_to(self, tensor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> builtins.bool:
        """Return whether two tensors have the same elements in memory, in the same shape."""

    def is_signed(self) -> builtins.bool:
        """Return whether the type of a tensor has negative numbers."""

    def isclose(
        self,
        other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> Tensor:
        """Return where ``|input - other| <= atol + rtol |other|``, as bool."""

    def isfinite(self) -> Tensor:
        """Return where input is neither infinite nor nan, as bool."""

    def isinf(self) -> Tensor:
        """Return where input is infinite, as bool."""

    def isnan(self) -> Tensor:
        """Return where input is nan, as bool."""

    def isneginf(self) -> Tensor:
        """Return where input is -inf, as bool."""

    def isposinf(self) -> Tensor:
        """Return where input is inf, as bool."""

    def isreal(self) -> Tensor:
        """Return where the imaginary part is 0, as bool; everywhere for a real input."""

    def istft(
        self,
        n_fft: builtins.int,
        hop_length: builtins.int | None = None,
        win_length: builtins.int | None = None,
        window: Tensor | None = None,
        center: builtins.bool = True,
        normalized: builtins.bool = False,
        onesided: builtins.bool | None = None,
        length: builtins.int | None = None,
        return_complex: builtins.bool = False,
    ) -> Tensor:
        """Return the signal whose short-time transforms, by :func:`stft`, come nearest to these."""

    def kron(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the Kronecker product: each element of ``input`` times all of ``other``."""

    def kthvalue(
        self, k: builtins.int, dim: builtins.int = -1, keepdim: builtins.bool = False
    ) -> Any:
        """Return the elements of which ``k`` - 1 are smaller along ``dim``, and where the first is."""

    def lcm(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the least common multiple, at least 0."""

    def lcm_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``lcm`` into the tensor, and return that."""

    def ldexp(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return input * 2**other, of integers also where 2**other alone is out of range."""

    def ldexp_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``ldexp`` into the tensor, and return that."""

    def le(self, other: Any) -> Tensor:
        """Return where input is at most other, as bool."""

    def le_(self, other: Any) -> Tensor:
        """Write the result of ``le`` into the tensor, and return that."""

    def lerp(self, end: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], weight: Any) -> Tensor:
        """Return input + weight * (end - input), which is end itself where the weight is 1."""

    def lerp_(self, end: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], weight: Any) -> Tensor:
        """Write the result of ``lerp`` into the tensor, and return that."""

    def less(self, other: Any) -> Tensor:
        """Return where input is less than other, as bool."""

    def less_(self, other: Any) -> Tensor:
        """Write the result of ``lt`` into the tensor, and return that."""

    def less_equal(self, other: Any) -> Tensor:
        """Return where input is at most other, as bool."""

    def less_equal_(self, other: Any) -> Tensor:
        """Write the result of ``le`` into the tensor, and return that."""

    def lgamma(self) -> Tensor:
        """Return log(abs(gamma(input))): inf at 0, -1, -2 and so on, and at both infinities."""

    def lgamma_(self) -> Tensor:
        """Write the result of ``lgamma`` into the tensor, and return that."""

    def log(self) -> Tensor:
        """Return the natural logarithm: -inf at 0, nan below; the gradient is 1 / input everywhere."""

    def log10(self) -> Tensor:
        """Return the logarithm to base 10: -inf at 0, nan below."""

    def log10_(self) -> Tensor:
        """Write the result of ``log10`` into the tensor, and return that."""

    def log1p(self) -> Tensor:
        """Return log(1 + input), accurate near 0."""

    def log1p_(self) -> Tensor:
        """Write the result of ``log1p`` into the tensor, and return that."""

    def log2(self) -> Tensor:
        """Return the logarithm to base 2: -inf at 0, nan below."""

    def log2_(self) -> Tensor:
        """Write the result of ``log2`` into the tensor, and return that."""

    def log_(self) -> Tensor:
        """Write the result of ``log`` into the tensor, and return that."""

    def log_normal_(
        self,
        mean: builtins.float = 1,
        std: builtins.float = 2,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fill the tensor with numbers whose logarithms are of a normal distribution."""

    def log_softmax(self, dim: builtins.int, dtype: dtype | None = None) -> Tensor:
        """Return the logarithm of :func:`softmax`, also where that is 0."""

    def logaddexp(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return log(exp(input) + exp(other)), without overflow."""

    def logaddexp2(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return log2(2**input + 2**other), without overflow."""

    def logcumsumexp(self, dim: builtins.int) -> Tensor:
        """Return at each place the logarithm of the sum of the exponentials up to it along ``dim``."""

    def logdet(self) -> Tensor:
        """Return the logarithms of determinants, ``nan`` of negative ones."""

    def logical_and(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return where both are nonzero, as bool."""

    def logical_and_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``logical_and`` into the tensor, and return that."""

    def logical_not(self) -> Tensor:
        """Return where input is zero, as bool."""

    def logical_not_(self) -> Tensor:
        """Write the result of ``logical_not`` into the tensor, and return that."""

    def logical_or(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return where at least one is nonzero, as bool."""

    def logical_or_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``logical_or`` into the tensor, and return that."""

    def logical_xor(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return where exactly one is nonzero, as bool."""

    def logical_xor_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``logical_xor`` into the tensor, and return that."""

    def logit(self, eps: builtins.float | None = None) -> Tensor:
        """Return log(input / (1 - input)), of numbers in [0, 1]: nan outside, as is the gradient."""

    def logit_(self, eps: builtins.float | None = None) -> Tensor:
        """Write the result of ``logit`` into the tensor, and return that."""

    def logsumexp(
        self, dim: builtins.int | Sequence[builtins.int], keepdim: builtins.bool = False
    ) -> Tensor:
        """Return log(exp(input).sum(dim)), without overflow."""

    def long(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as int64; itself where it is that."""

    def lt(self, other: Any) -> Tensor:
        """Return where input is less than other, as bool."""

    def lt_(self, other: Any) -> Tensor:
        """Write the result of ``lt`` into the tensor, and return that."""

    def lu(self, pivot: builtins.bool = True, get_infos: builtins.bool = False) -> Any:
        """Return what :func:`linalg.lu_factor` does, or :func:`linalg.lu_factor_ex` with infos."""

    def lu_solve(
        self,
        LU_data: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        LU_pivots: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Return what :func:`linalg.lu_solve` does, with its arguments in another order."""

    def map_(
        self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], callable: Callable[..., Any]
    ) -> Tensor:
        """Write what a function gives for each element and one of another tensor, as :meth:`apply_`."""

    def masked_fill(
        self, mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], value: Any
    ) -> Tensor:
        """Return a copy with a number, or a 0-d tensor, where the mask holds; both are broadcast."""

    def masked_fill_(
        self, mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], value: Any
    ) -> Tensor:
        """Write the result of ``masked_fill`` into the tensor, and return that."""

    def masked_scatter(
        self,
        mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Return a copy with the first values of ``source``, in their order, where the mask holds."""

    def masked_scatter_(
        self,
        mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Write the result of ``masked_scatter`` into the tensor, and return that."""

    def masked_select(self, mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the elements where the mask holds, in one dimension; both are broadcast."""

    def matmul(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the matrix product: of vectors, matrices, or stacks of matrices that broadcast."""

    def matrix_exp(self) -> Tensor:
        """Return the exponentials of square matrices."""

    def matrix_power(self, n: builtins.int) -> Tensor:
        """Return square matrices multiplied ``n`` times; their inverses, ``-n`` times, if negative."""

    def max(
        self, dim: builtins.int | Tensor = ..., keepdim: builtins.bool = False, *, other: Any = None
    ) -> Any:
        """Return the maximum of all; with ``dim`` the maxima along it and their indices."""

    def maximum(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the larger of the two, nan if either is; a tie shares the gradient in halves."""

    def mean(
        self,
        dim: builtins.int | Sequence[builtins.int] | None = ...,
        keepdim: builtins.bool = False,
        *,
        dtype: dtype | None = None,
    ) -> Tensor:
        """Return the mean over ``dim`` (all of them by default); nan of no elements."""

    def median(self, dim: builtins.int = ..., keepdim: builtins.bool = False) -> Any:
        """Return the median of all; with ``dim`` the medians along it and their indices."""

    def min(
        self, dim: builtins.int | Tensor = ..., keepdim: builtins.bool = False, *, other: Any = None
    ) -> Any:
        """Return the minimum of all; with ``dim`` the minima along it and their indices."""

    def minimum(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the smaller of the two, nan if either is; a tie shares the gradient in halves."""

    def mm(self, mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the product of two matrices."""

    def mode(self, dim: builtins.int = -1, keepdim: builtins.bool = False) -> Any:
        """Return what occurs most often along ``dim``, and where it occurs last."""

    def moveaxis(
        self,
        source: builtins.int | Sequence[builtins.int],
        destination: builtins.int | Sequence[builtins.int],
    ) -> Tensor:
        """Return a view with some dimensions at other positions; the others keep their order."""

    def movedim(
        self,
        source: builtins.int | Sequence[builtins.int],
        destination: builtins.int | Sequence[builtins.int],
    ) -> Tensor:
        """Return a view with some dimensions at other positions; the others keep their order."""

    def msort(self) -> Tensor:
        """Return the elements in their order along the first dimension."""

    def mul(self, other: Any) -> Tensor:
        """Return input * other."""

    def mul_(self, other: Any) -> Tensor:
        """Write the result of ``mul`` into the tensor, and return that."""

    def multinomial(
        self,
        num_samples: builtins.int,
        replacement: builtins.bool = False,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Return indices that are drawn with the weights in ``input``, or in each of its rows."""

    def multiply(self, other: Any) -> Tensor:
        """Return input * other."""

    def multiply_(self, other: Any) -> Tensor:
        """Write the result of ``mul`` into the tensor, and return that."""

    def mv(self, vec: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the product of a matrix and a vector."""

    def mvlgamma(self, p: builtins.int) -> Tensor:
        """Return the logarithm of the gamma function of p dimensions."""

    def mvlgamma_(self, p: builtins.int) -> Tensor:
        """Write the result of ``mvlgamma`` into the tensor, and return that."""

    def nan_to_num(
        self,
        nan: builtins.float | None = None,
        posinf: builtins.float | None = None,
        neginf: builtins.float | None = None,
    ) -> Tensor:
        """Return input with other numbers for nan, inf and -inf, where the gradient is 0."""

    def nan_to_num_(
        self,
        nan: builtins.float | None = None,
        posinf: builtins.float | None = None,
        neginf: builtins.float | None = None,
    ) -> Tensor:
        """Write the result of ``nan_to_num`` into the tensor, and return that."""

    def nanmean(
        self,
        dim: builtins.int | Sequence[builtins.int] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: dtype | None = None,
    ) -> Tensor:
        """Return the mean over ``dim`` (all of them by default) of what is not nan."""

    def nanmedian(self, dim: builtins.int = ..., keepdim: builtins.bool = False) -> Any:
        """Return the median of what is not nan; see :func:`median`."""

    def nanquantile(
        self,
        q: Any,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        interpolation: str = "linear",
    ) -> Tensor:
        """Return the quantiles of what is not nan; see :func:`quantile`."""

    def nansum(
        self,
        dim: builtins.int | Sequence[builtins.int] | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: dtype | None = None,
    ) -> Tensor:
        """Return the sum over ``dim`` (all of them by default) of what is not nan."""

    def narrow(
        self, dim: builtins.int, start: builtins.int | Tensor, length: builtins.int
    ) -> Tensor:
        """Return a view of ``length`` slices from ``start`` on, which may be a 0-d tensor."""

    def narrow_copy(self, dim: builtins.int, start: builtins.int, length: builtins.int) -> Tensor:
        """Return a copy of what :func:`narrow` makes a view of."""

    def ne(self, other: Any) -> Tensor:
        """Return where input differs from other, as bool."""

    def ne_(self, other: Any) -> Tensor:
        """Write the result of ``ne`` into the tensor, and return that."""

    def neg(self) -> Tensor:
        """Return -input."""

    def neg_(self) -> Tensor:
        """Write the result of ``neg`` into the tensor, and return that."""

    def negative(self) -> Tensor:
        """Return -input."""

    def negative_(self) -> Tensor:
        """Write the result of ``neg`` into the tensor, and return that."""

    def new_empty(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: dtype | None = None,
        device: str | builtins.int | device | None = None,
        requires_grad: builtins.bool = False,
        layout: layout | None = None,
        pin_memory: builtins.bool = False,
    ) -> Tensor:
        """Return undefined values of a shape, with the type and device of ``input``."""

    def new_empty_strided(
        self,
        size: Sequence[builtins.int],
        stride: Sequence[builtins.int],
        *,
        dtype: dtype | None = None,
        device: str | builtins.int | device | None = None,
        requires_grad: builtins.bool = False,
        layout: layout | None = None,
        pin_memory: builtins.bool = False,
    ) -> Tensor:
        """Return undefined values with given strides, with the type and device of ``input``."""

    def new_full(
        self,
        size: Sequence[builtins.int],
        fill_value: Any,
        *,
        dtype: dtype | None = None,
        device: str | builtins.int | device | None = None,
        requires_grad: builtins.bool = False,
        layout: layout | None = None,
        pin_memory: builtins.bool = False,
    ) -> Tensor:
        """Return a number, or that of a 0-d tensor, in every element of a shape."""

    def new_ones(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: dtype | None = None,
        device: str | builtins.int | device | None = None,
        requires_grad: builtins.bool = False,
        layout: layout | None = None,
        pin_memory: builtins.bool = False,
    ) -> Tensor:
        """Return ones of a shape, with the type and device of ``input``."""

    def new_tensor(
        self,
        data: Any,
        *,
        dtype: dtype | None = None,
        device: str | builtins.int | device | None = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """Return a copy of the data as :func:`tensor` does, with the type and device of ``input``."""

    def new_zeros(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: dtype | None = None,
        device: str | builtins.int | device | None = None,
        requires_grad: builtins.bool = False,
        layout: layout | None = None,
        pin_memory: builtins.bool = False,
    ) -> Tensor:
        """Return zeros of a shape, with the type and device of ``input``."""

    def nextafter(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the number of the type that is next to input on the way to other."""

    def nextafter_(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Write the result of ``nextafter`` into the tensor, and return that."""

    def nonzero(self, *, as_tuple: builtins.bool = False) -> Any:
        """Return the int64 indices of the nonzero elements, a row for each; or a tuple of columns."""

    def nonzero_static(self, *, size: builtins.int, fill_value: builtins.int = -1) -> Tensor:
        """Return the first ``size`` rows of :func:`nonzero`, filled up with ``fill_value``."""

    def norm(
        self,
        p: builtins.float | str | None = "fro",
        dim: builtins.int | Sequence[builtins.int] | None = None,
        keepdim: builtins.bool = False,
        dtype: dtype | None = None,
    ) -> Tensor:
        """Return the p-norm of the elements as a vector, over ``dim`` (all by default)."""

    def normal_(
        self,
        mean: builtins.float = 0,
        std: builtins.float = 1,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fill the tensor with numbers of a normal distribution."""

    def not_equal(self, other: Any) -> Tensor:
        """Return where input differs from other, as bool."""

    def not_equal_(self, other: Any) -> Tensor:
        """Write the result of ``ne`` into the tensor, and return that."""

    def orgqr(self, input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return :func:`linalg.householder_product`."""

    def ormqr(
        self,
        input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        input3: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        left: builtins.bool = True,
        transpose: builtins.bool = False,
    ) -> Tensor:
        """Return the product of reflections, or with ``transpose`` its adjoint, times ``input3``."""

    def outer(self, vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the products of each element of one vector with each of another."""

    def partition(self, kth: Any, axis: builtins.int = -1) -> None:
        """Sort in place along an axis so far that the ``kth`` element is where it belongs."""

    def permute(self, *dims: Any) -> Tensor:
        """Return a view with the dimensions in another order."""

    def pin_memory(self, device: Any = None) -> Tensor:
        """Return the tensor in memory of the host from which a GPU copies without a detour."""

    def pinverse(self, rcond: builtins.float = 1e-15) -> Tensor:
        """Return :func:`linalg.pinv` with a relative tolerance."""

    def poisson(self, generator: Generator | None = None) -> Tensor:
        """Return how often something happens, at the rates in ``input``."""

    def polygamma(self, n: builtins.int) -> Tensor:
        """Return the n-th derivative of :func:`digamma`, of any order from 0."""

    def polygamma_(self, n: builtins.int) -> Tensor:
        """Write the result of ``polygamma`` into the tensor, and return that."""

    def positive(self) -> Tensor:
        """Return input itself."""

    def pow(self, exponent: Any) -> Tensor:
        """Return input to the power exponent, either of which may be a number."""

    def pow_(self, exponent: Any) -> Tensor:
        """Write the result of ``pow`` into the tensor, and return that."""

    def prelu(self, weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return input where it is positive, else weight * input."""

    def prod(
        self, dim: builtins.int = ..., keepdim: builtins.bool = False, *, dtype: dtype | None = None
    ) -> Tensor:
        """Return the product of all elements, or along one dimension."""

    def ptp(self, axis: Any = None, out: Any = None, keepdims: builtins.bool = False) -> Tensor:
        """Return the difference of maximum and minimum along axes, of all by default."""

    def put(
        self,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        accumulate: builtins.bool = False,
    ) -> Tensor:
        """Return a copy with the elements of ``source`` where ``index`` names, among all, flattened."""

    def put_(
        self,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        accumulate: builtins.bool = False,
    ) -> Tensor:
        """Write the result of ``put`` into the tensor, and return that."""

    def qr(self, some: builtins.bool = True) -> Any:
        """Return what :func:`linalg.qr` does, with a square Q where not ``some``."""

    def quantile(
        self,
        q: Any,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        interpolation: str = "linear",
    ) -> Tensor:
        """Return the elements of which the part ``q`` is smaller, of all or along ``dim``."""

    def rad2deg(self) -> Tensor:
        """Return an angle of that many radians, in degrees."""

    def rad2deg_(self) -> Tensor:
        """Write the result of ``rad2deg`` into the tensor, and return that."""

    def random_(
        self, *bounds: Any, to: builtins.int | None = None, generator: Generator | None = None
    ) -> Tensor:
        """Fill the tensor with integers drawn evenly: ``random_(to)`` from those of [0, to)."""

    def ravel(self) -> Tensor:
        """Return the elements as a vector: a view where they lie in order, else a copy."""

    def reciprocal(self) -> Tensor:
        """Return 1 / input."""

    def reciprocal_(self) -> Tensor:
        """Write the result of ``reciprocal`` into the tensor, and return that."""

    def relu(self) -> Tensor:
        """Return max(input, 0); the gradient at 0 is 0."""

    def relu_(self) -> Tensor:
        """Write the result of ``relu`` into the tensor, and return that."""

    def remainder(self, other: Any) -> Tensor:
        """Return input - other * floor(input / other), which has the sign of other."""

    def remainder_(self, other: Any) -> Tensor:
        """Write the result of ``remainder`` into the tensor, and return that."""

    def renorm(
        self,
        p: builtins.bool | builtins.int | builtins.float | complex,
        dim: builtins.int,
        maxnorm: builtins.bool | builtins.int | builtins.float | complex,
    ) -> Tensor:
        """Return the slices along ``dim``, shortened to ``maxnorm`` where their norm is larger."""

    def renorm_(
        self,
        p: builtins.bool | builtins.int | builtins.float | complex,
        dim: builtins.int,
        maxnorm: builtins.bool | builtins.int | builtins.float | complex,
    ) -> Tensor:
        """Write the result of ``renorm`` into the tensor, and return that."""

    def repeat(self, *repeats: Any) -> Tensor:
        """Return a copy in which the tensor lies as often along each dimension as is said."""

    def repeat_interleave(
        self,
        repeats: builtins.int | Tensor = ...,
        dim: builtins.int | None = None,
        *,
        output_size: builtins.int | None = None,
    ) -> Tensor:
        """Return each slice along a dimension as often as is said, one after the other."""

    def reshape(self, *shape: Any) -> Tensor:
        """Return the elements in another shape: a view where strides allow, else a copy."""

    def reshape_as(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the elements in the shape of another tensor."""

    def resize_(self, *size: Any, memory_format: memory_format | None = None) -> Tensor:
        """Give the tensor another shape, of the elements that lie in its memory from its first on."""

    def resize_as_(
        self,
        the_template: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        *,
        memory_format: memory_format | None = None,
    ) -> Tensor:
        """Give the tensor the shape of another, as :meth:`resize_` does."""

    def resolve_conj(self) -> Tensor:
        """Return a copy of a conjugate that is a view, and any other tensor itself."""

    def resolve_neg(self) -> Tensor:
        """Return the tensor itself: negatives are no views here."""

    def roll(
        self,
        shifts: builtins.int | Sequence[builtins.int],
        dims: builtins.int | Sequence[builtins.int] | None = None,
    ) -> Tensor:
        """Return a copy with the elements moved along ``dims``, those beyond the end to the beginning."""

    def rot90(self, k: builtins.int = 1, dims: Sequence[builtins.int] = (0, 1)) -> Tensor:
        """Return a copy turned ``k`` times by 90 degrees, from the first of two ``dims`` to the second."""

    def round(self, *, decimals: builtins.int = 0) -> Tensor:
        """Return the nearest number of so many decimals, of two that are as near the even one."""

    def round_(self, *, decimals: builtins.int = 0) -> Tensor:
        """Write the result of ``round`` into the tensor, and return that."""

    def rsqrt(self) -> Tensor:
        """Return 1 / sqrt(input)."""

    def rsqrt_(self) -> Tensor:
        """Write the result of ``rsqrt`` into the tensor, and return that."""

    def scatter(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        src: Any = None,
        *,
        reduce: str | None = None,
        value: Any = None,
    ) -> Tensor:
        """Return a copy with elements of ``src``, or a number, where ``index`` names along ``dim``."""

    def scatter_(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        src: Any = None,
        *,
        reduce: str | None = None,
        value: Any = None,
    ) -> Tensor:
        """Write the result of ``scatter`` into the tensor, and return that."""

    def scatter_add(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Return a copy with elements of ``src`` added where ``index`` names along ``dim``."""

    def scatter_add_(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ) -> Tensor:
        """Write the result of ``scatter_add`` into the tensor, and return that."""

    def scatter_reduce(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        reduce: str,
        *,
        include_self: builtins.bool = True,
    ) -> Tensor:
        """Return a copy with elements of ``src`` put together where ``index`` names along ``dim``."""

    def scatter_reduce_(
        self,
        dim: builtins.int,
        index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        reduce: str,
        *,
        include_self: builtins.bool = True,
    ) -> Tensor:
        """Write the result of ``scatter_reduce`` into the tensor, and return that."""

    def select(self, dim: builtins.int, index: builtins.int) -> Tensor:
        """Return a view of the slice at ``index``, without that dimension."""

    def select_scatter(
        self,
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        dim: builtins.int,
        index: builtins.int,
    ) -> Tensor:
        """Return a copy with ``src`` at the slice ``index`` of a dimension."""

    def selu_(self) -> Tensor:
        """Write the result of ``selu`` into the tensor, and return that."""

    def set_(
        self,
        source: Any = None,
        storage_offset: builtins.int | None = None,
        size: Sequence[builtins.int] | None = None,
        stride: Sequence[builtins.int] | None = None,
    ) -> Tensor:
        """Give the tensor the memory of another, which it shares then; or none."""

    def sgn(self) -> Tensor:
        """Return the sign, for a complex input x / abs(x), which is 0 at 0."""

    def sgn_(self) -> Tensor:
        """Write the result of ``sgn`` into the tensor, and return that."""

    def short(self, *, memory_format: memory_format | None = None) -> Tensor:
        """Return the tensor as int16; itself where it is that."""

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-input)): 0 and 1 far out, without overflow."""

    def sigmoid_(self) -> Tensor:
        """Write the result of ``sigmoid`` into the tensor, and return that."""

    def sign(self) -> Tensor:
        """Return -1, 0 or 1, of nan 0; the gradient is 0."""

    def sign_(self) -> Tensor:
        """Write the result of ``sign`` into the tensor, and return that."""

    def signbit(self) -> Tensor:
        """Return where the sign is minus, that of -0 and of nan included, as bool."""

    def sin(self) -> Tensor:
        """Return the sine of input, in radians."""

    def sin_(self) -> Tensor:
        """Write the result of ``sin`` into the tensor, and return that."""

    def sinc(self) -> Tensor:
        """Return sin(pi input) / (pi input), and 1 at 0, where the gradient is 0."""

    def sinc_(self) -> Tensor:
        """Write the result of ``sinc`` into the tensor, and return that."""

    def sinh(self) -> Tensor:
        """Return the hyperbolic sine."""

    def sinh_(self) -> Tensor:
        """Write the result of ``sinh`` into the tensor, and return that."""

    def slice_scatter(
        self,
        src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        dim: builtins.int = 0,
        start: builtins.int | None = None,
        end: builtins.int | None = None,
        step: builtins.int = 1,
    ) -> Tensor:
        """Return a copy with ``src`` at a slice of a dimension, ``start:end:step``."""

    def slogdet(self) -> Any:
        """Return what :func:`linalg.slogdet` does."""

    def softmax(self, dim: builtins.int, dtype: dtype | None = None) -> Tensor:
        """Return exp(input) / exp(input).sum(dim), without overflow."""

    def sort(
        self,
        dim: builtins.int = -1,
        descending: builtins.bool = False,
        *,
        stable: builtins.bool | None = None,
    ) -> Any:
        """Return the elements in their order along ``dim``, and their int64 indices."""

    def split(
        self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0
    ) -> tuple[Tensor, ...]:
        """Return views of consecutive parts, of one size (the last may be smaller) or of given ones."""

    def split_with_sizes(
        self, split_sizes: Sequence[builtins.int], dim: builtins.int = 0
    ) -> tuple[Tensor, ...]:
        """Return views of consecutive parts of given sizes."""

    def sqrt(self) -> Tensor:
        """Return the square root, nan below 0; the gradient at 0 is inf."""

    def sqrt_(self) -> Tensor:
        """Write the result of ``sqrt`` into the tensor, and return that."""

    def square(self) -> Tensor:
        """Return input to the power 2."""

    def square_(self) -> Tensor:
        """Write the result of ``square`` into the tensor, and return that."""

    def squeeze(self, dim: builtins.int | Sequence[builtins.int] = ...) -> Tensor:
        """Return a view without dimensions of size 1: all of them, or those of ``dim`` that are."""

    def squeeze_(self, dim: builtins.int | Sequence[builtins.int] = ...) -> Tensor:
        """Change the tensor itself as ``squeeze`` does its result, and return it."""

    def std(
        self,
        dim: Any = None,
        unbiased: builtins.bool | None = None,
        keepdim: builtins.bool = False,
        *,
        correction: builtins.float | None = None,
    ) -> Tensor:
        """Return the square root of :func:`var`; the gradient of constant values is 0."""

    def stft(
        self,
        n_fft: builtins.int,
        hop_length: builtins.int | None = None,
        win_length: builtins.int | None = None,
        window: Tensor | None = None,
        center: builtins.bool = True,
        pad_mode: str = "reflect",
        normalized: builtins.bool = False,
        onesided: builtins.bool | None = None,
        return_complex: builtins.bool | None = None,
        align_to_window: builtins.bool | None = None,
    ) -> Tensor:
        """Return the Fourier transforms of windows of a signal that overlap, as columns."""

    def storage(self) -> Any:
        """Return the memory that the tensor lies in, as elements of its type: a ``TypedStorage``."""

    def storage_offset(self) -> builtins.int:
        """Return how many elements lie in memory before the first one of the tensor."""

    def sub(
        self, other: Any, *, alpha: builtins.bool | builtins.int | builtins.float | complex = 1
    ) -> Tensor:
        """Return input - alpha * other."""

    def sub_(
        self, other: Any, *, alpha: builtins.bool | builtins.int | builtins.float | complex = 1
    ) -> Tensor:
        """Write the result of ``sub`` into the tensor, and return that."""

    def subtract(
        self, other: Any, *, alpha: builtins.bool | builtins.int | builtins.float | complex = 1
    ) -> Tensor:
        """Return input - alpha * other."""

    def subtract_(
        self, other: Any, *, alpha: builtins.bool | builtins.int | builtins.float | complex = 1
    ) -> Tensor:
        """Write the result of ``sub`` into the tensor, and return that."""

    def sum(
        self,
        dim: builtins.int | Sequence[builtins.int] | None = ...,
        keepdim: builtins.bool = False,
        *,
        dtype: dtype | None = None,
    ) -> Tensor:
        """Return the sum over ``dim`` (all of them by default); integers and bools give int64."""

    def sum_to_size(self, *size: Any) -> Tensor:
        """Return the sums over what must be broadcast for ``size`` to become the input's shape."""

    def svd(self, some: builtins.bool = True, compute_uv: builtins.bool = True) -> Any:
        """Return U, S and V of A = U diag(S) V^H; without ``compute_uv`` U and V are zeros."""

    def swapaxes(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Return a view with two dimensions exchanged."""

    def swapaxes_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Change the tensor itself as ``transpose`` does its result, and return it."""

    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Return a view with two dimensions exchanged."""

    def swapdims_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Change the tensor itself as ``transpose`` does its result, and return it."""

    def t(self) -> Tensor:
        """Return a view of a matrix with rows and columns exchanged; a vector as it is."""

    def t_(self) -> Tensor:
        """Exchange the rows and columns of the tensor itself, and return it."""

    def take(self, index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the elements that ``index`` names among all, flattened, in its shape."""

    def take_along_dim(
        self,
        indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        dim: builtins.int | None = None,
    ) -> Tensor:
        """Return the elements that ``indices`` names along ``dim``, or among all of them, flattened."""

    def tan(self) -> Tensor:
        """Return the tangent of input, in radians."""

    def tan_(self) -> Tensor:
        """Write the result of ``tan`` into the tensor, and return that."""

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""

    def tanh_(self) -> Tensor:
        """Write the result of ``tanh`` into the tensor, and return that."""

    def tensor_split(
        self,
        indices_or_sections: builtins.int | Sequence[builtins.int] | Tensor,
        dim: builtins.int = 0,
    ) -> tuple[Tensor, ...]:
        """Return views of consecutive parts: of almost equal size, or beginning at given indices."""

    def threshold_(
        self,
        threshold: builtins.bool | builtins.int | builtins.float | complex,
        value: builtins.bool | builtins.int | builtins.float | complex,
    ) -> Tensor:
        """Write the result of ``threshold`` into the tensor, and return that."""

    def tile(self, *dims: Any) -> Tensor:
        """Return what :meth:`repeat` does; where numbers are missing in front, they are 1."""

    def to(
        self,
        *args: Any,
        other: Tensor | None = None,
        dtype: dtype | None = None,
        device: Any = None,
        copy: builtins.bool = False,
        non_blocking: builtins.bool = False,
        memory_format: memory_format | None = None,
    ) -> Tensor:
        """Return the tensor with another dtype or on another device; itself where nothing changes."""

    def topk(
        self,
        k: builtins.int,
        dim: builtins.int = -1,
        largest: builtins.bool = True,
        sorted: builtins.bool = True,
    ) -> Any:
        """Return the ``k`` largest or smallest elements along ``dim``, and their int64 indices."""

    def trace(self) -> Tensor:
        """Return the sum of the diagonal of a matrix; int64 for integers."""

    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Return a view with two dimensions exchanged."""

    def transpose_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Change the tensor itself as ``transpose`` does its result, and return it."""

    def triangular_solve(
        self,
        A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
        upper: builtins.bool = True,
        transpose: builtins.bool = False,
        unitriangular: builtins.bool = False,
    ) -> Any:
        """Return X of A X = ``input``, where A is what one triangle says, and a copy of A."""

    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """Return matrices with zeros above a diagonal."""

    def tril_(self, diagonal: builtins.int = 0) -> Tensor:
        """Write the result of ``tril`` into the tensor, and return that."""

    def triu(self, diagonal: builtins.int = 0) -> Tensor:
        """Return matrices with zeros below a diagonal."""

    def triu_(self, diagonal: builtins.int = 0) -> Tensor:
        """Write the result of ``triu`` into the tensor, and return that."""

    def true_divide(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Return input / other, rounded as is asked for."""

    def true_divide_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Write the result of ``div`` into the tensor, and return that."""

    def trunc(self) -> Tensor:
        """Return the whole part of input, cut towards 0; the gradient is 0."""

    def trunc_(self) -> Tensor:
        """Write the result of ``trunc`` into the tensor, and return that."""

    def type_as(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the tensor with the type of another."""

    def unbind(self, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Return a view of each slice along a dimension, which disappears."""

    def unflatten(self, dim: builtins.int, sizes: Sequence[builtins.int]) -> Tensor:
        """Return a view with one dimension as several; one of their sizes may be -1."""

    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """Return a view of all windows along a dimension, whose elements are a new last dimension."""

    def uniform_(
        self, from_: Any = 0, to: builtins.float = 1, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill the tensor with numbers drawn evenly from [from_, to)."""

    def unique(
        self,
        sorted: builtins.bool = True,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
    ) -> Any:
        """Return each element once, or each slice along ``dim``, always in their order."""

    def unique_consecutive(
        self,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
    ) -> Any:
        """Return the first of each run of equal elements, or of equal slices along ``dim``."""

    def unsafe_chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Return the parts of :func:`chunk`, each of them a view that may be written."""

    def unsafe_split(self, split_size: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Return the parts of :func:`split`, each of them a view that may be written in place."""

    def unsafe_split_with_sizes(
        self, split_sizes: Sequence[builtins.int], dim: builtins.int = 0
    ) -> tuple[Tensor, ...]:
        """Return the parts of :func:`split_with_sizes`, each of them a view that may be written."""

    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """Return a view with a new dimension of size 1 at ``dim``."""

    def unsqueeze_(self, dim: builtins.int) -> Tensor:
        """Change the tensor itself as ``unsqueeze`` does its result, and return it."""

    def untyped_storage(self) -> Any:
        """Return the memory that the tensor lies in, as bytes: an ``UntypedStorage``."""

    def var(
        self,
        dim: Any = None,
        unbiased: builtins.bool | None = None,
        keepdim: builtins.bool = False,
        *,
        correction: builtins.float | None = None,
    ) -> Tensor:
        """Return the variance over ``dim``, divided by the count less ``correction`` (1 by default)."""

    def vdot(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the inner product of two vectors, of which the first is conjugated."""

    def view(self, *shape: Any, dtype: dtype | None = None) -> Tensor:
        """Return the elements in another shape, sharing memory."""

    def view_as(self, other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
        """Return the same memory in the shape of another tensor."""

    def vsplit(
        self, indices_or_sections: builtins.int | Sequence[builtins.int]
    ) -> tuple[Tensor, ...]:
        """Return the parts of :func:`tensor_split`, of equal size, along the first dimension."""

    def where(self, condition: Any, other: Any = None) -> Any:
        """Return input where condition holds, else other."""

    def xlogy(self, other: Any) -> Tensor:
        """Return input * log(other), 0 where input is 0, whatever other is, and nan where other is."""

    def xlogy_(self, other: Any) -> Tensor:
        """Write the result of ``xlogy`` into the tensor, and return that."""

    def zero_(self) -> Tensor:
        """Fill the tensor with zeros in place."""

def methods() -> Iterator[tuple[str, Callable[[], Callable[..., Any]]]]: ...
