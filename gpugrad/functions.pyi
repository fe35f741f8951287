"""The functions of gpugrad, made from the table of declarations."""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy

from gpugrad import Generator, Size, Tensor, device, dtype, layout, memory_format

def abs(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the absolute value, real for a complex input; the gradient at 0 is 0."""

def abs_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``abs`` into the tensor, and return that."""

def absolute(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the absolute value, real for a complex input; the gradient at 0 is 0."""

def absolute_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``abs`` into the tensor, and return that."""

def acos(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse cosine, in [0, pi]: nan for a real input outside [-1, 1]."""

def acos_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``acos`` into the tensor, and return that."""

def acosh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse hyperbolic cosine, at least 0: nan for a real input below 1."""

def acosh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``acosh`` into the tensor, and return that."""

def adaptive_avg_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], output_size: Any
) -> Tensor:
    """Return the means over parts of the last dimensions."""

def adaptive_max_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], output_size: Any
) -> tuple[Tensor, Tensor]:
    """Return maxima over parts and their places; see ``nn.functional.adaptive_max_pool1d``."""

def add(
    input: Any,
    other: Any,
    *,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return input + alpha * other."""

def addbmm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    batch1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    batch2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    beta: bool | int | float | builtins.complex = 1,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return ``beta * input`` and ``alpha`` times the sum of the products of two stacks."""

def addcdiv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tensor1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tensor2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    value: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return input + value * tensor1 / tensor2."""

def addcmul(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tensor1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tensor2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    value: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return input + value * tensor1 * tensor2."""

def addmm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mat1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    beta: bool | int | float | builtins.complex = 1,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return ``beta * input + alpha * (mat1 @ mat2)``."""

def addmv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mat: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    beta: bool | int | float | builtins.complex = 1,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return ``beta * input + alpha * (mat @ vec)``; see :func:`addmm`."""

def addmv_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mat: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    beta: bool | int | float | builtins.complex = 1,
    alpha: bool | int | float | builtins.complex = 1,
) -> Tensor:
    """Write the result of ``addmv`` into the tensor, and return that."""

def addr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    beta: bool | int | float | builtins.complex = 1,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return ``beta * input + alpha * outer(vec1, vec2)``, in the type that all promote to."""

def adjoint(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, name: str = "adjoint()"
) -> Tensor:
    """Return a view of the conjugate of the matrices in the last two dimensions, transposed."""

def affine_grid_generator(
    theta: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], size: Sequence[int], align_corners: bool
) -> Tensor:
    """Return the places that affine maps give to each place of a result."""

def alias_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``alias`` makes a view of."""

def all(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return whether all elements are nonzero, over ``dim`` (all by default), as bool."""

def allclose(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Return whether :func:`isclose` holds everywhere."""

def alpha_dropout(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool
) -> Tensor:
    """Return elements, or SELU's least value instead, scaled as they were."""

def alpha_dropout_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool
) -> Tensor:
    """Write what :func:`alpha_dropout` returns into the tensor, and return that."""

def amax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = (),
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the maxima over ``dim`` (all by default); ties share the gradient evenly."""

def amin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = (),
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the minima over ``dim`` (all by default); ties share the gradient evenly."""

def aminmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    dim: int | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return the minima and the maxima, of all or along ``dim``; ties share the gradient evenly."""

def angle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the angle of a complex input in radians, in [-pi, pi]; of a real one 0 or pi."""

def any(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return whether at least one element is nonzero, over ``dim`` (all by default), as bool."""

def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return start, start + step, ... below end; int64 where all are integers."""

def arccos(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse cosine, in [0, pi]: nan for a real input outside [-1, 1]."""

def arccos_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``acos`` into the tensor, and return that."""

def arccosh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse hyperbolic cosine, at least 0: nan for a real input below 1."""

def arccosh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``acosh`` into the tensor, and return that."""

def arcsin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse sine, in [-pi / 2, pi / 2]: nan for a real input outside [-1, 1]."""

def arcsin_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``asin`` into the tensor, and return that."""

def arcsinh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse hyperbolic sine."""

def arcsinh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``asinh`` into the tensor, and return that."""

def arctan(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse tangent, in [-pi / 2, pi / 2]."""

def arctan2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the angle of the point (other, input) in radians, in [-pi, pi]."""

def arctan_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``atan`` into the tensor, and return that."""

def arctanh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse hyperbolic tangent: nan for a real input outside [-1, 1]."""

def arctanh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``atanh`` into the tensor, and return that."""

def argmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the int64 index of the first maximum: of all, flattened, or along ``dim``."""

def argmin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the int64 index of the first minimum: of all, flattened, or along ``dim``."""

def argsort(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,
) -> Tensor:
    """Return the indices that :func:`sort` returns, which is always stable."""

def argwhere(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the int64 indices of the nonzero elements, a row for each."""

def as_strided(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """Return a view of the memory of a tensor, of a size and with strides of its own."""

def as_strided_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """Change the tensor itself as ``as_strided`` does its result, and return it."""

def as_strided_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``as_strided`` makes a view of."""

def as_strided_scatter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """Return a copy with the values of ``src`` at the place of ``input.as_strided(...)``."""

def as_tensor(
    data: Any, *, dtype: dtype | None = None, device: str | int | device | None = None
) -> Tensor:
    """Return the data as a tensor, sharing memory where type and device allow."""

def asarray(
    obj: Any,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """Return what is given as a tensor, sharing its memory where that is possible."""

def asin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse sine, in [-pi / 2, pi / 2]: nan for a real input outside [-1, 1]."""

def asin_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``asin`` into the tensor, and return that."""

def asinh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse hyperbolic sine."""

def asinh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``asinh`` into the tensor, and return that."""

def atan(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse tangent, in [-pi / 2, pi / 2]."""

def atan2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the angle of the point (other, input) in radians, in [-pi, pi]."""

def atan_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``atan`` into the tensor, and return that."""

def atanh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse hyperbolic tangent: nan for a real input outside [-1, 1]."""

def atanh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``atanh`` into the tensor, and return that."""

def atleast_1d(*tensors: Any) -> Any:
    """Return a view with at least one dimension, or a tuple of those of several tensors."""

def atleast_2d(*tensors: Any) -> Any:
    """Return a view with at least two dimensions, or a tuple of those of several tensors."""

def atleast_3d(*tensors: Any) -> Any:
    """Return a view with at least three dimensions, or a tuple of those of several tensors."""

def avg_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the means over windows of the last dimensions."""

def baddbmm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    batch1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    batch2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    beta: bool | int | float | builtins.complex = 1,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return ``beta * input + alpha * (batch1 @ batch2)`` for stacks of matrices."""

def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``1 - |2 n / N - 1|``, of which N is the length, or one less if symmetric."""

def batch_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return what ``nn.functional.batch_norm`` does; ``cudnn_enabled`` changes nothing."""

def bernoulli(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return ones with the probabilities in ``input``, or with one of ``p``, and zeros."""

def bilinear(
    input1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
) -> Tensor:
    """Return ``input1 @ weight[k] @ input2 + bias[k]`` for each ``k``, for vectors of two inputs."""

def binary_cross_entropy_with_logits(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.binary_cross_entropy_with_logits`` does."""

def bincount(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], weights: Any = None, minlength: int = 0
) -> Tensor:
    """Return how often each integer from 0 on occurs; with ``weights`` their sums."""

def binomial(
    count: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    prob: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    generator: Generator | None = None,
) -> Tensor:
    """Return how many of some attempts succeed, with the probabilities in a tensor."""

def bitwise_and(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input & other, of bools or integers."""

def bitwise_left_shift(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the bits of integers moved up by other places: 0 by a negative or too large number."""

def bitwise_not(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return ~input, of bools or integers."""

def bitwise_or(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input | other, of bools or integers."""

def bitwise_right_shift(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the bits of integers moved down by other places, the sign kept."""

def bitwise_xor(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input ^ other, of bools or integers."""

def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)``."""

def block_diag(*tensors: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a matrix with tensors of at most two dimensions along its diagonal."""

def bmm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the products of two stacks of matrices."""

def broadcast_shapes(*shapes: Any) -> Size:
    """Return the :class:`Size` that tensors of these shapes broadcast to; a number is a shape, too."""

def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return the tensors in the shape that they broadcast to: themselves, or views of them."""

def broadcast_to(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *size: Any) -> Tensor:
    """Return a view with the shape ``size``, which the input's broadcasts to."""

def bucketize(
    input: Any,
    boundaries: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return between which of the sorted boundaries the elements lie; see :func:`searchsorted`."""

def can_cast(from_: dtype, to: dtype) -> bool:
    """Return whether results of one type may be written into tensors of the other."""

def cartesian_prod(*tensors: Any) -> Tensor:
    """Return all choices of one element of each vector, as rows; of one vector, that itself."""

def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the tensors joined along an existing dimension."""

def cdist(
    x1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """Return the distances of all rows of matrices from all rows of others, by a norm."""

def ceil(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the least whole number that is not below input; the gradient is 0."""

def ceil_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``ceil`` into the tensor, and return that."""

def celu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    alpha: bool | int | float | builtins.complex = 1.0,
) -> Tensor:
    """Return input where it is positive, else alpha * (exp(input / alpha) - 1)."""

def celu_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    alpha: bool | int | float | builtins.complex = 1.0,
) -> Tensor:
    """Write the result of ``celu`` into the tensor, and return that."""

def chain_matmul(*matrices: Any, out: Tensor | None = None) -> Tensor:
    """Return the product of matrices, in the order that takes the fewest steps."""

def channel_shuffle(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], groups: int) -> Tensor:
    """Return the channels in another order: the first of each group, then the second, and so on."""

def cholesky(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    upper: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return what :func:`linalg.cholesky` does."""

def cholesky_inverse(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    upper: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverses of the matrices that ``input`` are the Cholesky factors of."""

def cholesky_solve(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    upper: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return X of A X = ``input``, where ``input2`` is the Cholesky factor of A."""

def chunk(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], chunks: int, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return at most ``chunks`` views of equal size, the last smaller where it must be."""

def clamp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    min: Any = None,
    max: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input limited to [min, max], numbers or tensors; where min > max the result is max."""

def clamp_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], min: Any = None, max: Any = None
) -> Tensor:
    """Write the result of ``clamp`` into the tensor, and return that."""

def clamp_max(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], max: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return input, but at most max; the gradient is that of :func:`clamp`."""

def clamp_max_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], max: Any) -> Tensor:
    """Write the result of ``clamp_max`` into the tensor, and return that."""

def clamp_min(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], min: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return input, but at least min; the gradient is that of :func:`clamp`."""

def clamp_min_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], min: Any) -> Tensor:
    """Write the result of ``clamp_min`` into the tensor, and return that."""

def clip(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    min: Any = None,
    max: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input limited to [min, max], numbers or tensors; where min > max the result is max."""

def clip_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], min: Any = None, max: Any = None
) -> Tensor:
    """Write the result of ``clamp`` into the tensor, and return that."""

def clone(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    memory_format: memory_format | None = None,
) -> Tensor:
    """Return a copy with memory of its own; the gradient passes through."""

def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined side by side, vectors as columns."""

def combinations(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], r: int = 2, with_replacement: bool = False
) -> Tensor:
    """Return all choices of ``r`` elements of a vector in their order, as rows."""

def complex(
    real: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    imag: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return complex numbers of given real and imaginary parts, which broadcast."""

def concat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the tensors joined along an existing dimension."""

def concatenate(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the tensors joined along an existing dimension."""

def conj(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a view of the complex conjugate; the tensor itself where it is real."""

def conj_physical(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the complex conjugate; the tensor itself where it is real."""

def conj_physical_(self: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Conjugate the tensor in place."""

def constant_pad_nd(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pad: Sequence[int],
    value: builtins.complex = 0,
) -> Tensor:
    """Return the tensor with a number around it."""

def conv1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input."""

def conv2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input."""

def conv3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input."""

def conv_tbc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pad: int = 0,
) -> Tensor:
    """Return the convolution of sequences whose first dimension is time."""

def conv_transpose1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input."""

def conv_transpose2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input."""

def conv_transpose3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input."""

def convolution(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """Return a convolution, or what is transposed to it, over as many dimensions as filters have."""

def copysign(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return the size of input with the sign of other, that of -0 and of nan included."""

def corrcoef(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the correlations of variables, which are rows; their observations are columns."""

def cos(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the cosine of input, in radians."""

def cos_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``cos`` into the tensor, and return that."""

def cosh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the hyperbolic cosine."""

def cosh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``cosh`` into the tensor, and return that."""

def cosine_embedding_loss(
    input1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 0.0,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.cosine_embedding_loss`` does."""

def cosine_similarity(
    x1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = 1,
    eps: float = 1e-08,
) -> Tensor:
    """Return the cosine of the angle between vectors along a dimension."""

def count_nonzero(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int | Sequence[int] | None = None
) -> Tensor:
    """Return how many elements are not 0, over ``dim`` (all by default), as int64."""

def cov(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    correction: int = 1,
    fweights: Any = None,
    aweights: Any = None,
) -> Tensor:
    """Return the covariances of variables, which are rows; their observations are columns."""

def cross(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return :func:`linalg.cross`, by default along the first dimension of three elements."""

def ctc_loss(
    log_probs: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    targets: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """Return what ``nn.functional.ctc_loss`` does."""

def cummax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, *, out: Tensor | None = None
) -> Any:
    """Return the maxima up to each place along ``dim``, and where the last of each is; nan wins."""

def cummin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, *, out: Tensor | None = None
) -> Any:
    """Return the minima up to each place along ``dim``, and where the last of each is; nan wins."""

def cumprod(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return at each place the product of the elements up to it along ``dim``."""

def cumsum(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return at each place the sum of the elements up to it along ``dim``."""

def cumulative_trapezoid(
    y: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x: Any = None,
    *,
    dx: Any = None,
    dim: int = -1,
) -> Tensor:
    """Return the integrals of samples up to each but the first, by the trapezoidal rule."""

def deg2rad(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return an angle of that many degrees, in radians."""

def deg2rad_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``deg2rad`` into the tensor, and return that."""

def det(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the determinants of square matrices, the last two dimensions."""

def detach(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Any:
    """Return a tensor on the same memory without history; writes to either are seen by both."""

def detach_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Any:
    """Return a copy of what ``detach`` makes a view of."""

def diag(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    diagonal: int = 0,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a matrix with a vector as one of its diagonals, or a copy of a diagonal of a matrix."""

def diag_embed(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    offset: int = 0,
    dim1: int = -2,
    dim2: int = -1,
) -> Tensor:
    """Return zeros with the last dimension of ``input`` as diagonals over two new dimensions."""

def diagflat(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], offset: int = 0) -> Tensor:
    """Return a matrix with the elements of ``input`` as one of its diagonals."""

def diagonal(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    offset: int = 0,
    dim1: int = 0,
    dim2: int = 1,
) -> Tensor:
    """Return a view of the diagonals over two dimensions, which a last one replaces."""

def diagonal_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    offset: int = 0,
    dim1: int = 0,
    dim2: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``diagonal`` makes a view of."""

def diagonal_scatter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    offset: int = 0,
    dim1: int = 0,
    dim2: int = 1,
) -> Tensor:
    """Return a copy with ``src`` at the diagonals over two dimensions."""

def diff(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int = 1,
    dim: int = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the differences of neighbours along ``dim``, taken ``n`` times; of bools they are xor."""

def digamma(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the derivative of lgamma: -inf at 0, inf at -0, nan at -1, -2 and so on."""

def dist(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: bool | int | float | builtins.complex = 2,
) -> Tensor:
    """Return the norm of input - other, of any order."""

def div(
    input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None
) -> Tensor:
    """Return input / other, rounded as is asked for."""

def divide(
    input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None
) -> Tensor:
    """Return input / other, rounded as is asked for."""

def dot(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tensor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inner product of two vectors, without conjugation."""

def dropout(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool) -> Tensor:
    """Return elements divided by 1 - p, or 0 with the probability p."""

def dropout_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool) -> Tensor:
    """Write what :func:`dropout` returns into the tensor, and return that."""

def dsplit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], indices_or_sections: int | Sequence[int]
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the third dimension."""

def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined along the third dimension."""

def einsum(equation: Any = None, *operands: Any) -> Tensor:
    """Return the sum of products of operands, whose dimensions an equation names."""

def embedding(
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return rows of a table: what ``nn.functional.embedding`` does, with the table first."""

def embedding_bag(
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    offsets: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Return what ``nn.functional.embedding_bag`` does, and how the bags are made up."""

def embedding_renorm_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    max_norm: float,
    norm_type: float,
) -> Tensor:
    """Shorten those rows of a table that indices name to a norm, where theirs is larger."""

def empty(
    *sizes: Any,
    size: Any = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a tensor whose values are not defined."""

def empty_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return undefined values with the shape, type and device of ``input``."""

def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return undefined values with dimensions in a given order in memory, the outermost first."""

def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return undefined values with given strides, counted in elements."""

def eq(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input equals other, as bool."""

def equal(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> bool:
    """Return whether two tensors have the same shape and values; their types may differ."""

def erf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the error function."""

def erf_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``erf`` into the tensor, and return that."""

def erfc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 - erf(input), accurate where it is small."""

def erfc_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``erfc`` into the tensor, and return that."""

def erfinv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse of :func:`erf`: inf at 1, -inf at -1, with gradients inf; nan beyond."""

def exp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return e to the power input."""

def exp2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 2 to the power input."""

def exp2_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``exp2`` into the tensor, and return that."""

def exp_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``exp`` into the tensor, and return that."""

def expand_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *sizes: Any, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``expand`` makes a view of."""

def expm1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return e to the power input, less 1, accurate near 0."""

def expm1_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``expm1`` into the tensor, and return that."""

def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a matrix with ones on the diagonal and zeros elsewhere."""

def feature_alpha_dropout(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool
) -> Tensor:
    """Return features, or SELU's least value instead, scaled as they were."""

def feature_alpha_dropout_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool
) -> Tensor:
    """Write what :func:`feature_alpha_dropout` returns into the tensor, and return that."""

def feature_dropout(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool
) -> Tensor:
    """Return features, along the second dimension, divided by 1 - p, or 0."""

def feature_dropout_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float, train: bool
) -> Tensor:
    """Write what :func:`feature_dropout` returns into the tensor, and return that."""

def fill(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], value: Any) -> Tensor:
    """Return a copy filled with a number, or with a 0-d tensor; the gradient of ``input`` is 0."""

def fill_(self: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], value: Any) -> Tensor:
    """Fill the tensor with a number, or with a 0-d tensor, in place."""

def fix(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the whole part of input, cut towards 0; the gradient is 0."""

def fix_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``trunc`` into the tensor, and return that."""

def flatten(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], start_dim: int = 0, end_dim: int = -1
) -> Tensor:
    """Return dimensions start_dim to end_dim as one."""

def flip(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *dims: Any) -> Tensor:
    """Return a copy with the order of the elements reversed along ``dims``."""

def fliplr(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a copy with the order of the columns reversed."""

def flipud(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a copy with the order of the rows reversed."""

def float_power(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input to the power exponent, computed in double precision, real or complex."""

def floor(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the largest whole number that is not above input; the gradient is 0."""

def floor_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``floor`` into the tensor, and return that."""

def floor_divide(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input / other rounded downwards; it has no derivative, as in PyTorch."""

def fmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the larger of the two, that which is no nan; at a tie the gradient goes to input."""

def fmin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the smaller of the two, that which is no nan; at a tie the gradient goes to input."""

def fmod(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return input - other * trunc(input / other), which has the sign of input."""

def frac(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return what :func:`trunc` cuts off, with the sign of input."""

def frac_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``frac`` into the tensor, and return that."""

def frexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return a mantissa and an exponent, of which input is mantissa * 2**exponent."""

def from_cupy(array: Any) -> Tensor:
    """Return a tensor that shares the memory of a CuPy array."""

def from_dlpack(
    ext_tensor: Any, *, device: str | int | device | None = None, copy: bool | None = None
) -> Tensor:
    """Return a tensor on the memory of another library's, which exports it by DLPack."""

def from_numpy(ndarray: Any) -> Tensor:
    """Return a tensor that shares the memory of a NumPy array, or of a CuPy array."""

def frombuffer(
    buffer: Any, *, dtype: dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """Return a tensor on the memory of an object with Python's buffer interface."""

def full(
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a number in every element; without a dtype the number's own."""

def full_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    fill_value: Any,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a number in every element, with the shape, type and device of ``input``."""

def gather(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    sparse_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return, at each place of ``index``, the element that it names along ``dim``."""

def gcd(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the greatest common divisor, at least 0; that of 0 and 0 is 0."""

def gcd_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> Tensor:
    """Write the result of ``gcd`` into the tensor, and return that."""

def ge(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is at least other, as bool."""

def gelu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    approximate: str = "none",
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input times the normal distribution function of input."""

def geqrf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Any:
    """Return R with the vectors of reflections below it, and their factors; see :func:`orgqr`."""

def ger(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the products of each element of one vector with each of another."""

def get_device(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> int:
    """Return the number of the GPU that holds a tensor, -1 for NumPy's arrays."""

def gradient(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    spacing: Any = 1,
    dim: Any = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """Return estimates of the partial derivatives of a function by its samples, one for each dim."""

def greater(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is greater than other, as bool."""

def greater_equal(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is at least other, as bool."""

def grid_sampler(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    grid: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Return images sampled at the places that a grid names."""

def grid_sampler_2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    grid: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Return images sampled at the places that a grid names."""

def grid_sampler_3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    grid: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Return images sampled at the places that a grid names."""

def group_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Return what ``nn.functional.group_norm`` does, also where a group has one value."""

def gru(*given: Any) -> Any:
    """Return the outputs of layers of gated recurrent units, and the last ones."""

def gru_cell(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    hx: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_ih: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_hh: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return the next output of gated recurrent units, with the gates reset, update and new."""

def gt(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is greater than other, as bool."""

def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``alpha - beta cos(2 pi n / N)``, of which N is the length, or one less if symmetric."""

def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``0.5 - 0.5 cos(2 pi n / N)``, of which N is the length, or one less if symmetric."""

def hardshrink(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lambd: bool | int | float | builtins.complex = 0.5,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input, and 0 where it lies in [-lambd, lambd], where the gradient is 0, too."""

def heaviside(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    values: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return 0 where input is below 0 or nan, 1 above, and values at 0; there is no derivative."""

def hinge_embedding_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 1.0,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.hinge_embedding_loss`` does."""

def histc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bins: int = 100,
    min: bool | int | float | builtins.complex = 0,
    max: bool | int | float | builtins.complex = 0,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return how many elements lie in each of so many bins of equal width between two numbers."""

def histogram(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bins: Any = 100,
    *,
    range: Any = None,
    weight: Any = None,
    density: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return how many elements lie in each bin, or the sum of their weights, and the bins' edges."""

def histogramdd(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bins: Any,
    range: Any = None,
    weight: Any = None,
    density: bool = False,
) -> Any:
    """Return how many points lie in each box, and the edges of the boxes in each dimension."""

def hsplit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], indices_or_sections: int | Sequence[int]
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the second dimension."""

def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined side by side: vectors along their dimension, others along the second."""

def hypot(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the square root of input**2 + other**2, without overflow."""

def i0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0."""

def i0_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``i0`` into the tensor, and return that."""

def igamma(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the regularized lower incomplete gamma function P(input, other)."""

def igammac(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the regularized upper incomplete gamma function Q(input, other), 1 - P."""

def imag(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a view of the imaginary part."""

def index_add(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    alpha: builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with ``alpha`` times the slices of ``source`` added where ``index`` names."""

def index_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with the slices of ``source`` in the places that ``index`` names."""

def index_fill(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    value: Any,
) -> Tensor:
    """Return a copy with a number, or a 0-d tensor, in the slices that ``index`` names."""

def index_put(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Sequence[Tensor],
    values: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    accumulate: bool = False,
) -> Tensor:
    """Return a copy with values written at indices; see :func:`index_put_`."""

def index_reduce(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with the slices of ``source`` put together in the places that are named."""

def index_select(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of the slices that a 1-d tensor of integers names along ``dim``."""

def inner(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sums of products over the last dimensions; with a number, the multiple."""

def instance_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return what ``nn.functional.instance_norm`` does; ``cudnn_enabled`` changes nothing."""

def inverse(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverses of square matrices."""

def is_complex(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> bool:
    """Return whether the type of a tensor is complex."""

def is_conj(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> bool:
    """Return whether a tensor is a view of the conjugate of another: of ``conj``, ``mH``, ..."""

def is_floating_point(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> bool:
    """Return whether the type of a tensor is a floating point type."""

def is_neg(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> bool:
    """Return False: no tensor here is a view of the negative of another."""

def is_nonzero(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> bool:
    """Return whether the one element of a tensor is not 0."""

def is_same_size(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> bool:
    """Return whether two tensors have the same shape."""

def is_signed(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> bool:
    """Return whether the type of a tensor has negative numbers."""

def is_storage(obj: object) -> bool:
    """Return whether an object is a storage."""

def is_tensor(obj: object) -> bool:
    """Return whether an object is a tensor; arrays are none."""

def isclose(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Return where ``|input - other| <= atol + rtol |other|``, as bool."""

def isfinite(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return where input is neither infinite nor nan, as bool."""

def isin(
    elements: Any,
    test_elements: Any,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return which elements are among ``test_elements``, or are not where asked to ``invert``."""

def isinf(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return where input is infinite, as bool."""

def isnan(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return where input is nan, as bool."""

def isneginf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return where input is -inf, as bool."""

def isposinf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return where input is inf, as bool."""

def isreal(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return where the imaginary part is 0, as bool; everywhere for a real input."""

def istft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """Return the signal whose short-time transforms, by :func:`stft`, come nearest to these."""

def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``i0(beta sqrt(1 - (2 n / N - 1)^2)) / i0(beta)`` with the Bessel function i0."""

def kl_div(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    reduction: int = 0,
    *,
    log_target: bool = False,
) -> Tensor:
    """Return what ``nn.functional.kl_div`` does."""

def kron(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Kronecker product: each element of ``input`` times all of ``other``."""

def kthvalue(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    k: int,
    dim: int = -1,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return the elements of which ``k`` - 1 are smaller along ``dim``, and where the first is."""

def layer_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> Tensor:
    """Return what ``nn.functional.layer_norm`` does; ``cudnn_enable`` changes nothing."""

def lcm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the least common multiple, at least 0."""

def lcm_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> Tensor:
    """Write the result of ``lcm`` into the tensor, and return that."""

def ldexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input * 2**other, of integers also where 2**other alone is out of range."""

def ldexp_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> Tensor:
    """Write the result of ``ldexp`` into the tensor, and return that."""

def le(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is at most other, as bool."""

def lerp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    end: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Any,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input + weight * (end - input), which is end itself where the weight is 1."""

def less(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is less than other, as bool."""

def less_equal(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is at most other, as bool."""

def lgamma(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return log(abs(gamma(input))): inf at 0, -1, -2 and so on, and at both infinities."""

def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``steps`` values from start to end, both included, at equal distances."""

def log(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the natural logarithm: -inf at 0, nan below; the gradient is 1 / input everywhere."""

def log10(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm to base 10: -inf at 0, nan below."""

def log10_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``log10`` into the tensor, and return that."""

def log1p(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return log(1 + input), accurate near 0."""

def log1p_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``log1p`` into the tensor, and return that."""

def log2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm to base 2: -inf at 0, nan below."""

def log2_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``log2`` into the tensor, and return that."""

def log_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``log`` into the tensor, and return that."""

def log_softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the logarithm of :func:`softmax`, also where that is 0."""

def logaddexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(exp(input) + exp(other)), without overflow."""

def logaddexp2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log2(2**input + 2**other), without overflow."""

def logcumsumexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, *, out: Tensor | None = None
) -> Tensor:
    """Return at each place the logarithm of the sum of the exponentials up to it along ``dim``."""

def logdet(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the logarithms of determinants, ``nan`` of negative ones."""

def logical_and(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return where both are nonzero, as bool."""

def logical_not(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return where input is zero, as bool."""

def logical_or(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return where at least one is nonzero, as bool."""

def logical_xor(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return where exactly one is nonzero, as bool."""

def logit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    eps: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(input / (1 - input)), of numbers in [0, 1]: nan outside, as is the gradient."""

def logit_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], eps: float | None = None
) -> Tensor:
    """Write the result of ``logit`` into the tensor, and return that."""

def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``base`` to the powers that :func:`linspace` gives for start and end."""

def logsumexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(exp(input).sum(dim)), without overflow."""

def lstm(*given: Any) -> Any:
    """Return the outputs of layers of long short-term memory, the last outputs and the last cells."""

def lstm_cell(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    hx: Sequence[Tensor],
    w_ih: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_hh: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Any:
    """Return the next output and the next cell of long short-term memory."""

def lt(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input is less than other, as bool."""

def lu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pivot: bool = True,
    get_infos: bool = False,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return what :func:`linalg.lu_factor` does, or :func:`linalg.lu_factor_ex` with infos."""

def lu_solve(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    LU_data: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    LU_pivots: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return what :func:`linalg.lu_solve` does, with its arguments in another order."""

def lu_unpack(
    LU_data: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    LU_pivots: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    unpack_data: bool = True,
    unpack_pivots: bool = True,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return P, L and U of what :func:`linalg.lu_factor` returns; those not asked for are empty."""

def margin_ranking_loss(
    input1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 0.0,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.margin_ranking_loss`` does."""

def masked_fill(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    value: Any,
) -> Tensor:
    """Return a copy with a number, or a 0-d tensor, where the mask holds; both are broadcast."""

def masked_scatter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> Tensor:
    """Return a copy with the first values of ``source``, in their order, where the mask holds."""

def masked_select(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mask: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the elements where the mask holds, in one dimension; both are broadcast."""

def matmul(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the matrix product: of vectors, matrices, or stacks of matrices that broadcast."""

def matrix_exp(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the exponentials of square matrices."""

def matrix_power(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], n: int, *, out: Tensor | None = None
) -> Tensor:
    """Return square matrices multiplied ``n`` times; their inverses, ``-n`` times, if negative."""

def max(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Tensor = ...,
    keepdim: bool = False,
    *,
    other: Any = None,
    out: Tensor | None = None,
) -> Any:
    """Return the maximum of all; with ``dim`` the maxima along it and their indices."""

def max_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the maxima over windows; see ``nn.functional.max_pool1d``."""

def max_pool1d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over windows and their places; see ``nn.functional.max_pool1d``."""

def max_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the maxima over windows; see ``nn.functional.max_pool2d``."""

def max_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the maxima over windows; see ``nn.functional.max_pool3d``."""

def maximum(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the larger of the two, nan if either is; a tie shares the gradient in halves."""

def mean(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = ...,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the mean over ``dim`` (all of them by default); nan of no elements."""

def median(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = ...,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return the median of all; with ``dim`` the medians along it and their indices."""

def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return views of vectors in the shape that has a dimension for each of them."""

def min(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Tensor = ...,
    keepdim: bool = False,
    *,
    other: Any = None,
    out: Tensor | None = None,
) -> Any:
    """Return the minimum of all; with ``dim`` the minima along it and their indices."""

def minimum(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the smaller of the two, nan if either is; a tie shares the gradient in halves."""

def mm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mat2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the product of two matrices."""

def mode(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = -1,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return what occurs most often along ``dim``, and where it occurs last."""

def moveaxis(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: int | Sequence[int],
    destination: int | Sequence[int],
) -> Tensor:
    """Return a view with some dimensions at other positions; the others keep their order."""

def movedim(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: int | Sequence[int],
    destination: int | Sequence[int],
) -> Tensor:
    """Return a view with some dimensions at other positions; the others keep their order."""

def msort(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the elements in their order along the first dimension."""

def mul(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input * other."""

def multinomial(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return indices that are drawn with the weights in ``input``, or in each of its rows."""

def multiply(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input * other."""

def mv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the product of a matrix and a vector."""

def mvlgamma(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: int, *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm of the gamma function of p dimensions."""

def nan_to_num(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input with other numbers for nan, inf and -inf, where the gradient is 0."""

def nan_to_num_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Write the result of ``nan_to_num`` into the tensor, and return that."""

def nanmean(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the mean over ``dim`` (all of them by default) of what is not nan."""

def nanmedian(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = ...,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return the median of what is not nan; see :func:`median`."""

def nanquantile(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """Return the quantiles of what is not nan; see :func:`quantile`."""

def nansum(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sum over ``dim`` (all of them by default) of what is not nan."""

def narrow(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, start: int | Tensor, length: int
) -> Tensor:
    """Return a view of ``length`` slices from ``start`` on, which may be a 0-d tensor."""

def narrow_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    start: int,
    length: int,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what :func:`narrow` makes a view of."""

def native_channel_shuffle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], groups: int
) -> Tensor:
    """Return the channels in another order: the first of each group, then the second, and so on."""

def ne(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input differs from other, as bool."""

def neg(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return -input."""

def neg_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``neg`` into the tensor, and return that."""

def negative(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return -input."""

def negative_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``neg`` into the tensor, and return that."""

def nextafter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the number of the type that is next to input on the way to other."""

def nonzero(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    as_tuple: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return the int64 indices of the nonzero elements, a row for each; or a tuple of columns."""

def nonzero_static(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    size: int,
    fill_value: int = -1,
    out: Tensor | None = None,
) -> Tensor:
    """Return the first ``size`` rows of :func:`nonzero`, filled up with ``fill_value``."""

def norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float | str | None = "fro",
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the p-norm of the elements as a vector, over ``dim`` (all by default)."""

def norm_except_dim(
    v: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], pow: int = 2, dim: int = 0
) -> Tensor:
    """Return the norms of a tensor over all dimensions but one, which keep these with length 1."""

def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return numbers of normal distributions, with means and deviations of tensors or numbers."""

def not_equal(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], other: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return where input differs from other, as bool."""

def numel(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> int:
    """Return the number of elements."""

def ones(
    *sizes: Any,
    size: Any = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ones of a shape."""

def ones_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ones with the shape, type and device of ``input``, and in memory as it is."""

def orgqr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return :func:`linalg.householder_product`."""

def ormqr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input3: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    left: bool = True,
    transpose: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the product of reflections, or with ``transpose`` its adjoint, times ``input3``."""

def outer(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    vec2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the products of each element of one vector with each of another."""

def pairwise_distance(
    x1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 2,
    eps: float = 1e-06,
    keepdim: bool = False,
) -> Tensor:
    """Return the norm of x1 - x2 + eps along the last dimension."""

def pca_lowrank(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    q: int | None = None,
    center: bool = True,
    niter: int = 2,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return :func:`svd_lowrank` of matrices whose columns are centered first, if ``center``."""

def pdist(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float = 2) -> Tensor:
    """Return the distances of the rows of a matrix from those behind them."""

def permute(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *dims: Any) -> Tensor:
    """Return a view with the dimensions in another order."""

def permute_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *dims: Any, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``permute`` makes a view of."""

def pinverse(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], rcond: float = 1e-15) -> Tensor:
    """Return :func:`linalg.pinv` with a relative tolerance."""

def pixel_shuffle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], upscale_factor: int
) -> Tensor:
    """Return images that are larger by a factor, of which groups of channels are the places."""

def pixel_unshuffle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], downscale_factor: int
) -> Tensor:
    """Return images that are smaller by a factor, whose places become channels."""

def poisson(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], generator: Generator | None = None
) -> Tensor:
    """Return how often something happens, at the rates in ``input``."""

def poisson_nll_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    log_input: bool,
    full: bool,
    eps: float,
    reduction: int,
) -> Tensor:
    """Return what ``nn.functional.poisson_nll_loss`` does."""

def polar(
    abs: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    angle: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return complex numbers of given absolute values and angles in radians, which broadcast."""

def polygamma(
    n: int, input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the n-th derivative of :func:`digamma`, of any order from 0."""

def positive(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return input itself."""

def pow(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input to the power exponent, either of which may be a number."""

def prelu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> Tensor:
    """Return input where it is positive, else weight * input."""

def prod(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = ...,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the product of all elements, or along one dimension."""

def put(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    source: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    accumulate: bool = False,
) -> Tensor:
    """Return a copy with the elements of ``source`` where ``index`` names, among all, flattened."""

def qr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    some: bool = True,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return what :func:`linalg.qr` does, with a square Q where not ``some``."""

def quantile(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """Return the elements of which the part ``q`` is smaller, of all or along ``dim``."""

def rad2deg(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return an angle of that many radians, in degrees."""

def rad2deg_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``rad2deg`` into the tensor, and return that."""

def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return numbers drawn evenly from [0, 1)."""

def rand_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return :func:`rand` with the shape, type and device of ``input``."""

def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return whole numbers drawn evenly from [low, high); ``randint(high, size)`` starts at 0."""

def randint_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    low: Any = 0,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return :func:`randint` with the shape, type and device of ``input``."""

def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return numbers drawn from the standard normal distribution."""

def randn_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return :func:`randn` with the shape, type and device of ``input``."""

def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the integers below ``n`` in an order that is drawn."""

def range(
    start: Any,
    end: Any,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return start, start + step, ... up to end, which is included; by default floats."""

def ravel(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the elements as a vector: a view where they lie in order, else a copy."""

def real(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a view of the real part; the tensor itself where it is real."""

def reciprocal(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 / input."""

def reciprocal_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``reciprocal`` into the tensor, and return that."""

def relu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return max(input, 0); the gradient at 0 is 0."""

def relu_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``relu`` into the tensor, and return that."""

def remainder(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input - other * floor(input / other), which has the sign of other."""

def renorm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: bool | int | float | builtins.complex,
    dim: int,
    maxnorm: bool | int | float | builtins.complex,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the slices along ``dim``, shortened to ``maxnorm`` where their norm is larger."""

def repeat_interleave(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    repeats: int | Tensor = ...,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Return each slice along a dimension as often as is said, one after the other."""

def reshape(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *shape: Any) -> Tensor:
    """Return the elements in another shape: a view where strides allow, else a copy."""

def resize_as_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    the_template: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    memory_format: memory_format | None = None,
) -> Tensor:
    """Give the tensor the shape of another, as :meth:`resize_` does."""

def resolve_conj(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a copy of a conjugate that is a view, and any other tensor itself."""

def resolve_neg(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the tensor itself: negatives are no views here."""

def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """Return the type that an operation of two operands, tensors or numbers, computes in."""

def rms_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return ``input / sqrt(mean(input ** 2) + eps) * weight`` over the last dimensions."""

def rnn_relu(*given: Any) -> Any:
    """Return what :func:`rnn_tanh` does, with ``relu`` for ``tanh``."""

def rnn_relu_cell(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    hx: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_ih: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_hh: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return what :func:`rnn_tanh_cell` does, with ``relu`` for ``tanh``."""

def rnn_tanh(*given: Any) -> Any:
    """Return the outputs of layers of plain recurrent units, and the last ones; see :func:`gru`."""

def rnn_tanh_cell(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    hx: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_ih: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    w_hh: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return ``tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``; see :func:`lstm_cell`."""

def roll(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    shifts: int | Sequence[int],
    dims: int | Sequence[int] | None = None,
) -> Tensor:
    """Return a copy with the elements moved along ``dims``, those beyond the end to the beginning."""

def rot90(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], k: int = 1, dims: Sequence[int] = (0, 1)
) -> Tensor:
    """Return a copy turned ``k`` times by 90 degrees, from the first of two ``dims`` to the second."""

def round(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    decimals: int = 0,
    out: Tensor | None = None,
) -> Tensor:
    """Return the nearest number of so many decimals, of two that are as near the even one."""

def round_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, decimals: int = 0) -> Tensor:
    """Write the result of ``round`` into the tensor, and return that."""

def row_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined one below the other, vectors as rows."""

def rrelu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lower: bool | int | float | builtins.complex = 0.125,
    upper: bool | int | float | builtins.complex = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return input where it is positive, else input times a slope."""

def rrelu_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lower: bool | int | float | builtins.complex = 0.125,
    upper: bool | int | float | builtins.complex = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Write what ``rrelu`` returns into the tensor, and return that."""

def rsqrt(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 / sqrt(input)."""

def rsqrt_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``rsqrt`` into the tensor, and return that."""

def rsub(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Any,
    *,
    alpha: bool | int | float | builtins.complex = 1,
) -> Tensor:
    """Return other - alpha * input."""

def scalar_tensor(
    s: Any,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a number as a 0-d tensor, a float by default."""

def scatter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Any = None,
    *,
    reduce: str | None = None,
    value: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with elements of ``src``, or a number, where ``index`` names along ``dim``."""

def scatter_add(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with elements of ``src`` added where ``index`` names along ``dim``."""

def scatter_reduce(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with elements of ``src`` put together where ``index`` names along ``dim``."""

def searchsorted(
    sorted_sequence: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return where the elements of ``input`` would be inserted into a sorted sequence."""

def select(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, index: int) -> Tensor:
    """Return a view of the slice at ``index``, without that dimension."""

def select_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: int,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``select`` makes a view of."""

def select_scatter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    index: int,
) -> Tensor:
    """Return a copy with ``src`` at the slice ``index`` of a dimension."""

def selu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return input, where it is negative exp(input) - 1, times constants that keep its variance."""

def selu_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``selu`` into the tensor, and return that."""

def sgn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the sign, for a complex input x / abs(x), which is 0 at 0."""

def sigmoid(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 / (1 + exp(-input)): 0 and 1 far out, without overflow."""

def sigmoid_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``sigmoid`` into the tensor, and return that."""

def sign(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return -1, 0 or 1, of nan 0; the gradient is 0."""

def signbit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return where the sign is minus, that of -0 and of nan included, as bool."""

def silu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return input * sigmoid(input)."""

def sin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the sine of input, in radians."""

def sin_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``sin`` into the tensor, and return that."""

def sinc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return sin(pi input) / (pi input), and 1 at 0, where the gradient is 0."""

def sinc_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``sinc`` into the tensor, and return that."""

def sinh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the hyperbolic sine."""

def sinh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``sinh`` into the tensor, and return that."""

def slice_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``slice`` makes a view of."""

def slice_scatter(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    src: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with ``src`` at a slice of a dimension, ``start:end:step``."""

def slogdet(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Any:
    """Return what :func:`linalg.slogdet` does."""

def softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return exp(input) / exp(input).sum(dim), without overflow."""

def softmin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, dtype: dtype | None = None
) -> Tensor:
    """Return :func:`softmax` of -input."""

def softplus(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    beta: float = 1.0,
    threshold: float = 20.0,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(1 + exp(beta * input)) / beta, and input itself where beta * input > threshold."""

def sort(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
    out: Tensor | None = None,
) -> Any:
    """Return the elements in their order along ``dim``, and their int64 indices."""

def split(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    split_size_or_sections: int | Sequence[int],
    dim: int = 0,
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts, of one size (the last may be smaller) or of given ones."""

def split_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    split_size_or_sections: int | Sequence[int],
    dim: int = 0,
    *,
    out: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Return a copy of what ``split`` makes a view of."""

def split_with_sizes(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts of given sizes."""

def split_with_sizes_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    split_sizes: Sequence[int],
    dim: int = 0,
    *,
    out: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Return a copy of what ``split_with_sizes`` makes a view of."""

def sqrt(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the square root, nan below 0; the gradient at 0 is inf."""

def sqrt_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``sqrt`` into the tensor, and return that."""

def square(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return input to the power 2."""

def square_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``square`` into the tensor, and return that."""

def squeeze(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int | Sequence[int] = ...
) -> Tensor:
    """Return a view without dimensions of size 1: all of them, or those of ``dim`` that are."""

def squeeze_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] = ...,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``squeeze`` makes a view of."""

def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return tensors of equal size joined along a new dimension."""

def std(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the square root of :func:`var`; the gradient of constant values is 0."""

def std_mean(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return :func:`std` and :func:`mean`."""

def stft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Return the Fourier transforms of windows of a signal that overlap, as columns."""

def sub(
    input: Any,
    other: Any,
    *,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return input - alpha * other."""

def subtract(
    input: Any,
    other: Any,
    *,
    alpha: bool | int | float | builtins.complex = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return input - alpha * other."""

def sum(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int] | None = ...,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sum over ``dim`` (all of them by default); integers and bools give int64."""

def svd(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    some: bool = True,
    compute_uv: bool = True,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return U, S and V of A = U diag(S) V^H; without ``compute_uv`` U and V are zeros."""

def svd_lowrank(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    q: int | None = 6,
    niter: int | None = 2,
    M: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return U, S and V of nearly A = U diag(S) V^H, or of A - M, with ``q`` singular values."""

def swapaxes(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged."""

def swapdims(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged."""

def t(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a view of a matrix with rows and columns exchanged; a vector as it is."""

def t_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``t`` makes a view of."""

def take(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    index: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the elements that ``index`` names among all, flattened, in its shape."""

def take_along_dim(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the elements that ``indices`` names along ``dim``, or among all of them, flattened."""

def tan(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the tangent of input, in radians."""

def tan_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``tan`` into the tensor, and return that."""

def tanh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the hyperbolic tangent."""

def tanh_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``tanh`` into the tensor, and return that."""

def tensor(
    data: Any,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor with a copy of the data: numbers, nested sequences, or an array."""

def tensor_split(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices_or_sections: int | Sequence[int] | Tensor,
    dim: int = 0,
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts: of almost equal size, or beginning at given indices."""

def tensordot(
    a: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    b: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dims: Any = 2,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sum of products over several dimensions."""

def threshold(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    threshold: bool | int | float | builtins.complex,
    value: bool | int | float | builtins.complex,
) -> Tensor:
    """Return input where it is above the threshold, else value, where the gradient is 0."""

def threshold_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    threshold: bool | int | float | builtins.complex,
    value: bool | int | float | builtins.complex,
) -> Tensor:
    """Write the result of ``threshold`` into the tensor, and return that."""

def tile(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *dims: Any) -> Tensor:
    """Return what :meth:`repeat` does; where numbers are missing in front, they are 1."""

def to_dlpack(tensor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Any:
    """Return a capsule of DLPack's of the tensor's memory, which one library may take."""

def topk(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return the ``k`` largest or smallest elements along ``dim``, and their int64 indices."""

def trace(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the sum of the diagonal of a matrix; int64 for integers."""

def transpose(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged."""

def transpose_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim0: int,
    dim1: int,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``transpose`` makes a view of."""

def trapezoid(
    y: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x: Any = None,
    *,
    dx: Any = None,
    dim: int = -1,
) -> Tensor:
    """Return the integral of samples along ``dim`` by the trapezoidal rule."""

def trapz(
    y: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x: Any = None,
    *,
    dx: Any = None,
    dim: int = -1,
) -> Tensor:
    """Return the integral of samples along ``dim`` by the trapezoidal rule."""

def triangular_solve(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return X of A X = ``input``, where A is what one triangle says, and a copy of A."""

def tril(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    diagonal: int = 0,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return matrices with zeros above a diagonal."""

def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the rows and the columns of the elements on and below a diagonal, as two rows."""

def triplet_margin_loss(
    anchor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    positive: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    negative: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.triplet_margin_loss`` does."""

def triu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    diagonal: int = 0,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return matrices with zeros below a diagonal."""

def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the rows and the columns of the elements on and above a diagonal, as two rows."""

def true_divide(
    input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None
) -> Tensor:
    """Return input / other, rounded as is asked for."""

def trunc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the whole part of input, cut towards 0; the gradient is 0."""

def trunc_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``trunc`` into the tensor, and return that."""

def typename(obj: Any) -> str:
    """Return the name of the type of an object: of a tensor such as ``gpugrad.FloatTensor``."""

def unbind(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return a view of each slice along a dimension, which disappears."""

def unbind_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int = 0, *, out: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Return a copy of what ``unbind`` makes a view of."""

def unflatten(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, sizes: Sequence[int]
) -> Tensor:
    """Return a view with one dimension as several; one of their sizes may be -1."""

def unfold_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dimension: int,
    size: int,
    step: int,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``unfold`` makes a view of."""

def unique(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return each element once, or each slice along ``dim``, always in their order."""

def unique_consecutive(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the first of each run of equal elements, or of equal slices along ``dim``."""

def unravel_index(
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], shape: int | Sequence[int]
) -> tuple[Tensor, ...]:
    """Return the coordinates of elements that are counted in the order of a shape."""

def unsafe_chunk(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], chunks: int, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`chunk`, each of them a view that may be written."""

def unsafe_split(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], split_size: int, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`split`, each of them a view that may be written in place."""

def unsafe_split_with_sizes(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`split_with_sizes`, each of them a view that may be written."""

def unsqueeze(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int) -> Tensor:
    """Return a view with a new dimension of size 1 at ``dim``."""

def unsqueeze_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int, *, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``unsqueeze`` makes a view of."""

def vander(
    x: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], N: int | None = None, increasing: bool = False
) -> Tensor:
    """Return the powers of the elements of a vector as rows, the highest first."""

def var(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the variance over ``dim``, divided by the count less ``correction`` (1 by default)."""

def var_mean(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return :func:`var` and :func:`mean`."""

def vdot(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inner product of two vectors, of which the first is conjugated."""

def view_as_complex(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a view of pairs of real numbers as complex numbers, without the last dimension."""

def view_as_complex_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``view_as_complex`` makes a view of."""

def view_as_real(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return a view of a complex tensor as real numbers, with a last dimension of two parts."""

def view_as_real_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return a copy of what ``view_as_real`` makes a view of."""

def view_copy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *shape: Any,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy of what ``view`` makes a view of."""

def vsplit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], indices_or_sections: int | Sequence[int]
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the first dimension."""

def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return tensors joined one below the other, vectors as rows."""

def where(
    condition: Any, input: Any = None, other: Any = None, *, out: Tensor | None = None
) -> Any:
    """Return input where condition holds, else other."""

def xlogy(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input * log(other), 0 where input is 0, whatever other is, and nan where other is."""

def xlogy_(input: Any, other: Any) -> Tensor:
    """Write the result of ``xlogy`` into the tensor, and return that."""

def zero_(self: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Fill the tensor with zeros in place."""

def zeros(
    *sizes: Any,
    size: Any = None,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return zeros of a shape."""

def zeros_like(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    memory_format: memory_format | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return zeros with the shape, type and device of ``input``, and in memory as it is."""
