"""The same elements in another shape: most of it are views, and each is linear."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

from gpugrad import backend, errors
from gpugrad._dtype import chosen, dtype
from gpugrad._dtype import dtype as DType  # noqa: N812
from gpugrad.backend.batched import all_of
from gpugrad.errors import ALL, normal_dim, size
from gpugrad.op import expand_to, linear, public
from gpugrad.op.saved import Like
from gpugrad.ops.copy import contiguous
from gpugrad.ops.retyped import reinterpreted

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


_SEQUENCES = tuple, list, Sequence  # of which the first are told at once


def as_shape(sizes: tuple[Any, ...], function: str = "", argument: str = "size") -> Shape:
    """Return the shape that was given as one sequence or as several numbers.

    Raises:
        TypeError: Nothing was given, or something other than integers.
    """
    if not sizes:
        raise errors.missing(function, [argument])
    if len(sizes) == 1 and isinstance(sizes[0], _SEQUENCES) and not isinstance(sizes[0], str):
        sizes = tuple(sizes[0])
    try:
        return tuple(map(index, sizes))
    except TypeError:
        wrong = next(k for k, n in enumerate(sizes) if not hasattr(n, "__index__"))
        kind = type(sizes[wrong]).__name__
        name = f"{function}(): argument '{argument}'"
        raise TypeError(
            f"{name} (position 1) must be tuple of ints, not {kind}" if wrong == 0
            else f"{name} failed to unpack the object at pos {wrong + 1} with error "
            f'"type must be tuple of ints,but got {kind}"'
        ) from None  # fmt: skip


@linear("ViewBackward0", view=True)
def _view(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    return door.reshape(input, shape)


@_view.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


@linear("UnsafeViewBackward0")
def _copied_view(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    return door.reshape(input, shape)


@_copied_view.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


@linear("PermuteBackward0", view=True)
def _permute(door: backend.Backend, input: Array, *, axes: Shape) -> Array:
    return input.transpose(axes)


@_permute.gradient
def input(g: Any, axes: Shape) -> Any:
    return _permute(g, axes=tuple(axes.index(k) for k in range(len(axes))))


@linear("TransposeBackward0", view=True)
def _transpose(door: backend.Backend, input: Array, *, first: int, second: int) -> Array:
    return input.swapaxes(first, second) if input.ndim else input[...]


@_transpose.gradient
def input(g: Any, first: int, second: int) -> Any:
    return _transpose(g, first=first, second=second)


@linear("TBackward0", view=True)
def _t(door: backend.Backend, input: Array) -> Array:
    return input.T


@_t.gradient
def input(g: Any) -> Any:
    return _t(g)


@linear("SqueezeBackward0", view=True)
def _squeeze(door: backend.Backend, input: Array, *, axes: Shape) -> Array:
    return input.squeeze(axes)


@_squeeze.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


_squeeze_one, _squeeze_some = _squeeze.named("SqueezeBackward1"), _squeeze.named("SqueezeBackward2")


@linear("UnsqueezeBackward0", view=True)
def _unsqueeze(door: backend.Backend, input: Array, *, axis: int) -> Array:
    return door.reshape(input, (*input.shape[:axis], 1, *input.shape[axis:]))


@_unsqueeze.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


@linear("AliasBackward0", view=True)
def alias(door: backend.Backend, input: Array) -> Array:
    """Return a view of the whole."""
    return input[...]


@alias.gradient
def input(g: Any) -> Any:
    return g


def inferred(shape: Shape, count: int) -> Shape:
    """Return a shape with its one -1 replaced by what ``count`` elements leave.

    Raises:
        RuntimeError: There are several -1, or the elements do not fit.
    """
    if not shape or min(shape) >= 0:
        if math.prod(shape) != count:
            raise _misfit(shape, count)
        return shape
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        k = next(k for k, n in enumerate(shape) if n < -1)
        raise RuntimeError(
            f"invalid shape dimension {shape[k]} at index {k} of shape {size(shape)}"
        )
    known = -math.prod(shape)
    if known == count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {size(shape)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    if known == 0 or count % known:
        raise _misfit(shape, count)
    return tuple([count // known if n == -1 else n for n in shape])


def _misfit(shape: Shape, count: int) -> RuntimeError:
    return RuntimeError(f"shape '{size(shape)}' is invalid for input of size {count}")


@public()
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Return the elements in another shape: a view where strides allow, else a copy."""
    wanted = as_shape(shape, "reshape", "shape")
    return _reshaped(input, inferred(wanted, input._array.size), "reshape")


@public(function=False)
def view(input: Tensor, *shape: Any, dtype: dtype | None = None) -> Tensor:
    """Return the elements in another shape, sharing memory.

    With a ``dtype`` in the place of a shape the bytes are seen as elements of that type; the result
    has no gradient, and is no view to the history, as in PyTorch.

    Raises:
        RuntimeError: The strides do not allow it, or the shape does not fit.
    """
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], DType)):
        return reinterpreted(input, shape[0] if dtype is None else chosen(dtype, dtype))
    return _reshaped(input, inferred(as_shape(shape, "view"), input._array.size), "view")


def _reshaped(input: Tensor, shape: Shape, function: str) -> Tensor:
    if viewable(input, shape) or (input._array.shape == shape and function != "view"):
        return _view(input, shape=shape)
    if function == "view":
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return _copied_view(input, shape=shape)


def viewable(input: Tensor, shape: Shape) -> bool:
    """Tell whether the strides of a tensor allow a view of ``shape``, which has as many elements.

    NumPy's ways to ask copy where they do not.
    """
    array = input._array
    if array.ndim == 0 or array.flags.c_contiguous or array.size == 0:
        return True
    whole = all_of(array)
    target = [*whole.shape[: whole.ndim - array.ndim], *shape]
    dims = [(n, s) for n, s in zip(whole.shape, whole.strides, strict=True) if n != 1]
    while dims:
        # dimensions that lie as one, from the last on, are to be some of the last of the target
        count, step = dims.pop()
        while dims and dims[-1][1] == count * step:
            count *= dims.pop()[0]
        while count > 1 and target and count % target[-1] == 0:
            count //= target.pop()
        if count != 1:
            return False
    return True


def unsafe_view(input: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the elements of a new tensor in another shape: no view, since it is forgotten."""
    return _copied_view(input, shape=tuple(shape))


@public()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return dimensions start_dim to end_dim as one."""
    shape = input._array.shape
    first, last = normal_dim(start_dim, len(shape)), normal_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, 1)
    if first == last:
        return input
    joined = math.prod(shape[first : last + 1])
    return _reshaped(input, (*shape[:first], joined, *shape[last + 1 :]), "flatten")


@public(inplace="shape", names="swapaxes swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged."""
    ndim = input._array.ndim
    first, second = normal_dim(dim0, ndim), normal_dim(dim1, ndim)
    return _transpose(input, first=first, second=second)


@public()
def t(input: Tensor) -> Tensor:
    """Return a view of a matrix with rows and columns exchanged; a vector as it is."""
    check_matrix("t", input)
    return _t(input)


def check_matrix(function: str, input: Tensor) -> None:
    """Raise where a tensor has more than two dimensions."""
    if input._array.ndim > 2:
        raise RuntimeError(
            f"{function}() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D"
        )


def matrices_transposed(input: Tensor, name: str = "mT") -> Tensor:
    """Return the matrices in the last two dimensions transposed; without dimensions, the input.

    Raises:
        RuntimeError: There is one dimension; ``name`` is what was asked for.
    """
    ndim = input._array.ndim
    if ndim == 1:
        raise RuntimeError(
            f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return _transpose(input, first=ndim - 2, second=ndim - 1) if ndim else input


@public()
def adjoint(input: Tensor, *, name: str = "adjoint()") -> Tensor:
    """Return a view of the conjugate of the matrices in the last two dimensions, transposed.

    As for :func:`conj`, it may not be written.  Without dimensions it is the conjugate.

    Raises:
        RuntimeError: There is one dimension.
    """
    from gpugrad.ops.pointwise import conj

    result = matrices_transposed(input, name)
    return conj(result) if input._array.dtype.kind == "c" else result


@public()
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Return a view with the dimensions in another order."""
    wanted = as_shape(dims, "permute", "dims")
    ndim = input._array.ndim
    if len(wanted) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(wanted)}"
        )
    axes = tuple([normal_dim(d, ndim) for d in wanted])
    if len(set(axes)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, axes=axes)


@public(
    inplace="shape",
    signatures=("(Tensor input)", "(Tensor input, int dim)", "(Tensor input, tuple of ints dim)"),
)
def squeeze(input: Tensor, dim: int | Sequence[int] = ALL) -> Tensor:
    """Return a view without dimensions of size 1: all of them, or those of ``dim`` that are."""
    shape = input._array.shape
    dims: Sequence[int] = range(len(shape))
    if dim is not ALL:
        dims = errors.normal_dims(dim, len(shape)) if dim != () else ()
    op = _squeeze if dim is ALL else _squeeze_one if isinstance(dim, int) else _squeeze_some
    return op(input, axes=tuple(d for d in dims if shape[d] == 1))


@public(inplace="shape")
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Return a view with a new dimension of size 1 at ``dim``."""
    return _unsqueeze(input, axis=normal_dim(dim, input._array.ndim + 1))


@public(function=False)
def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Return a view with dimensions of size 1 repeated; -1 keeps a size.

    Raises:
        RuntimeError: A dimension of another size would have to change.
    """
    wanted, shape = as_shape(sizes, "expand"), input._array.shape
    extra = len(wanted) - len(shape)
    if extra < 0:
        raise RuntimeError(
            f"expand({type_and_size(input)}, size={size(wanted)}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
    target = list(wanted)
    for k, n in enumerate(wanted):
        old = shape[k - extra] if k >= extra else None
        if n == old:
            continue
        if n == -1 and old is not None:
            target[k] = old
        elif n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing "
                f"dimension {k}"
            )
        elif old not in (None, 1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at "
                f"non-singleton dimension {k}.  Target sizes: {size(wanted)}.  "
                f"Tensor sizes: {size(shape)}"
            )
    return expand_to(input, shape=tuple(target))


def type_and_size(input: Tensor) -> str:
    """Return PyTorch's short description of a tensor inside an error."""
    from gpugrad.op.saved import type_name

    return f"{type_name(input).replace('gpugrad.', 'gpugrad.')}{{{size(input._array.shape)}}}"


@public(function=False)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view with the shape of another tensor."""
    return expand(input, other._array.shape)


@public(function=False)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the same memory in the shape of another tensor."""
    return view(input, other._array.shape)


@public(function=False)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the elements in the shape of another tensor."""
    return reshape(input, other._array.shape)


@public()
def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """Return a view with the shape ``size``, which the input's broadcasts to."""
    return expand(input, as_shape(size, "broadcast_to"))


@public()
def ravel(input: Tensor) -> Tensor:
    """Return the elements as a vector: a view where they lie in order, else a copy."""
    return _view(contiguous(input), shape=(input._array.size,))


@public(names="moveaxis")
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return a view with some dimensions at other positions; the others keep their order.

    Raises:
        RuntimeError: A dimension or a position is repeated, or there are not equally many.
    """
    ndim = input._array.ndim
    old = (source,) if isinstance(source, int) else tuple(source)
    new = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(old) != len(new):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({size(old)} dims) should contain the same number of dims as destination "
            f"({size(new)} dims)"
        )
    moved = [normal_dim(d, ndim) for d in old]
    places = [normal_dim(d, ndim) for d in new]
    if len(set(moved)) != len(moved):
        raise RuntimeError(f"movedim: repeated dim in `source` ({size(old)})")
    there = dict(zip(places, moved, strict=True))
    if len(there) != len(places):
        raise RuntimeError(f"movedim: repeated dim in `destination` ({size(new)})")
    if not ndim:
        return alias(input)
    others = iter([d for d in range(ndim) if d not in moved])
    axes = tuple([there[k] if k in there else next(others) for k in range(ndim)])
    return _permute(input, axes=axes)


@public()
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Return a view with one dimension as several; one of their sizes may be -1.

    Raises:
        RuntimeError: The sizes do not multiply to that of the dimension.
    """
    shape = input._array.shape
    axis = normal_dim(dim, len(shape))
    if not shape:
        raise RuntimeError(f"unflatten got an unexpected error:\n{errors.NO_DIMENSIONS}")
    wanted = as_shape((sizes,), "unflatten", "sizes")
    if not wanted:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = math.prod(n for n in wanted if n != -1)
    if known != shape[axis] and not (-1 in wanted and known and shape[axis] % known == 0):
        raise RuntimeError(
            f"unflatten: Provided sizes {size(wanted)} don't multiply up to the size of dim "
            f"{axis} ({shape[axis]}) in the input tensor"
        )
    return view(input, *shape[:axis], *inferred(wanted, shape[axis]), *shape[axis + 1 :])


_identity = _view.named("Identity")


def identity(input: Tensor) -> Any:
    """Return a view of the same shape, as the primal of a dual tensor is one."""
    return _identity(input, shape=input._array.shape)
