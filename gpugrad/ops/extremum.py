"""Maxima and minima, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.errors import ALL, must_be_tensor, normal_dim, normal_dims
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, composite, pointwise, public
from gpugrad.op.operation import Declared
from gpugrad.op.results import results
from gpugrad.op.saved import Like, descended, door_of, read, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.creation import finish
from gpugrad.ops.indexing import gather_along, scatter_along
from gpugrad.ops.reduction import restored
from gpugrad.ops.shape import unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]
Dim = int | Sequence[int] | None


def _extreme(name: str, extreme: str) -> Declared:
    """Return the operation of a maximum or minimum over some dimensions."""

    @composite(name)
    def reduced(door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool) -> Array:
        return getattr(door, extreme)(input, axes, keepdims)

    @reduced.gradient
    def input(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool) -> Any:
        return shared_among_equals(g, input, out, axes, keepdims)

    return reduced


_max, _min = _extreme("MaxBackward1", "max"), _extreme("MinBackward1", "min")
_amax, _amin = _max.named("AmaxBackward0"), _min.named("AminBackward0")


def shared_among_equals(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool) -> Any:
    """Return the gradient of one of the elements: its equals share it evenly, and so do nans."""
    ndim = input._array.ndim
    g, out = restored(g, axes, keepdims, ndim), restored(out, axes, keepdims, ndim).detach()
    kind, shape = g._array.dtype, out._array.shape
    (count,) = backend.of(input._array).evaluate(
        OPS["one_of_attained"].formula, (input._array, out._array), kind, (kind,), sum_to=shape
    )
    return where_attained(input.detach(), out, g / wrap(count))


_ATTAINED = "either(eq(x, y), both(isnan(x), isnan(y)))"


@pointwise(_ATTAINED, promotion="compare")
def attained() -> None:
    """Return where input equals other, nan equalling nan, as bool."""


@pointwise(f"where({_ATTAINED}, 1, 0)")
def one_of_attained() -> None:
    """Return 1 where input equals other, nan equalling nan, else 0."""


@pointwise(
    f"where({_ATTAINED}, z, 0)",
    "WhereBackward0",
    parameters=("input", "other", "value"),
)
def where_attained() -> None:
    """Return the value where input equals other, nan equalling nan, else 0."""


_MAX, _MIN = (results(name, "values", "indices") for name in ("max", "min"))


def with_indices(
    door: backend.Backend, input: Array, indices: Array, axis: int, keepdims: bool
) -> Any:
    """Return the elements at indices along an axis, and the indices, both without that axis."""
    where = door.xp.expand_dims(indices, axis) if input.ndim else indices
    values = gather_along(door, input, where, axis) if input.ndim else door.copy(input)
    if not keepdims and input.ndim:
        values, where = values.squeeze(axis), where.squeeze(axis)
    return values, where


def _extreme_along(name: str, place: str) -> Declared:
    """Return the operation of a maximum or minimum along a dimension, and of where it is."""

    @composite(name, outputs=("values", "indices"))
    def reduced(door: backend.Backend, input: Array, *, axis: int, keepdims: bool) -> Any:
        indices = getattr(door, place)(input, axis if input.ndim else None)
        return with_indices(door, input, indices, axis, keepdims)

    @reduced.gradient
    def input(g: Any, like: Like, indices: Any, axis: int, keepdims: bool) -> Any:
        return to_chosen(g, like, indices, axis, keepdims)

    return reduced


_max_along = _extreme_along("MaxBackward0", "argmax")
_min_along = _extreme_along("MinBackward0", "argmin")


def to_chosen(g: Any, like: Like, indices: Any, axis: int, keepdims: bool) -> Any:
    """Return the gradient of elements that were chosen along an axis."""
    if not like.shape:
        return g
    if not keepdims:
        g, indices = unsqueeze(g, axis), unsqueeze(indices, axis)
    return scatter_along(g, indices, like.shape, axis)


def needs_elements(name: str, input: Tensor, dim: Any) -> None:
    """Raise where there is nothing to choose from."""
    shape = input._array.shape
    if dim is None:
        if 0 in shape:
            kind = IndexError if name.startswith("arg") else RuntimeError
            tail = (
                "" if name.startswith("arg")
                else " Specify the reduction dim with the 'dim' argument."
            )  # fmt: skip
            raise kind(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0.{tail}"
            )
        return
    for d in (dim,) if isinstance(dim, int) else dim:
        if shape and shape[normal_dim(d, len(shape))] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def needs_order(name: str, input: Tensor, kernel: str = "") -> None:
    """Raise for complex numbers: where PyTorch finds that out in a kernel, it names that."""
    if input._array.dtype.kind == "c":
        if kernel:
            title = _dtype.of(input._array.dtype).title
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{title}'")
        raise RuntimeError(f"{name}(): does not support complex input")


def _extremum(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    if isinstance(dim, TensorBase):
        return (pw.maximum if name == "max" else pw.minimum)(input, dim)
    needs_elements(name, input, None if dim is ALL else dim)
    needs_order(name, input, f"{name}_all" if dim is ALL else "")
    if dim is ALL:
        axes = tuple(range(input._array.ndim))
        return (_max if name == "max" else _min)(input, axes=axes, keepdims=False)
    axis = normal_dim(dim, input._array.ndim)
    if name == "max":
        return _MAX(*_max_along(input, axis=axis, keepdims=keepdim))
    return _MIN(*_min_along(input, axis=axis, keepdims=keepdim))


def _second(name: str, dim: Any, other: Any) -> Any:
    """Return the tensor that was given by keyword, instead of a dimension.

    Raises:
        TypeError: It is none, or there is a dimension, too.
    """
    if dim is not ALL:
        raise TypeError(f"{name}() got an unexpected keyword argument 'other'")
    if not isinstance(other, TensorBase):
        raise must_be_tensor(name, "other", 2, other)
    return other


_SIGNATURES = (
    "(Tensor input, *, Tensor out = None)",
    "(Tensor input, Tensor other, *, Tensor out = None)",
    "(Tensor input, int dim, bool keepdim = False, *, tuple of Tensors out = None)",
)


@public(out=True, signatures=_SIGNATURES)
def max(input: Tensor, dim: int | Tensor = ALL, keepdim: bool = False, *, other: Any = None) -> Any:
    """Return the maximum of all; with ``dim`` the maxima along it and their indices.

    With a tensor as the second argument, the elementwise maximum of the two.
    nan wins.  Ties of the maximum of all share the gradient; along a dimension the first takes it.

    Raises:
        IndexError: The dimension is empty.
        RuntimeError: There are no elements at all.
    """
    return _extremum("max", input, dim if other is None else _second("max", dim, other), keepdim)


@public(out=True, signatures=_SIGNATURES)
def min(input: Tensor, dim: int | Tensor = ALL, keepdim: bool = False, *, other: Any = None) -> Any:
    """Return the minimum of all; with ``dim`` the minima along it and their indices.

    See :func:`max`.
    """
    return _extremum("min", input, dim if other is None else _second("min", dim, other), keepdim)


_UNLIKE = (
    "Expected the dtype for input and out to match, but got {wanted} for input's dtype and {given} "
    "for out's dtype."
)


@public(out=True, unlike=_UNLIKE)
def amax(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """Return the maxima over ``dim`` (all by default); ties share the gradient evenly."""
    needs_elements("amax", input, dim if dim != () else None)
    needs_order("amax", input, f"max_values_{backend.of(input._array).type}")
    return _amax(input, axes=normal_dims(dim, input._array.ndim), keepdims=keepdim)


@public(out=True, unlike=_UNLIKE)
def amin(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """Return the minima over ``dim`` (all by default); ties share the gradient evenly."""
    needs_elements("amin", input, dim if dim != () else None)
    needs_order("amin", input, f"min_values_{backend.of(input._array).type}")
    return _amin(input, axes=normal_dims(dim, input._array.ndim), keepdims=keepdim)


_AMINMAX = results("aminmax", "min", "max")
_BOTH = _min.named("AminmaxBackward0"), _max.named("AminmaxBackward0")


@public(out=True)
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the minima and the maxima, of all or along ``dim``; ties share the gradient evenly.

    Raises:
        IndexError: The dimension is empty.
        NotImplementedError: The input is complex.
        RuntimeError: There are no elements at all.
    """
    shape = input._array.shape
    if dim is None and 0 in shape:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    if dim is not None:
        axis = normal_dim(dim, len(shape))
        if shape and not shape[axis]:
            raise IndexError(f"aminmax: Expected reduction dim {dim} to have non-zero size.")
    needs_order("aminmax", input, f"aminmax_{backend.of(input._array).type}")
    axes = normal_dims(dim, len(shape))
    return _AMINMAX(*(op(input, axes=axes, keepdims=keepdim) for op in _BOTH))


def _position(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    needs_order(name, input)
    if input._array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    needs_elements(name, input, dim)
    read(input)
    array = input._array
    door = door_of(array)
    axis = None if dim is None else normal_dim(dim, array.ndim)
    find = door.argmax if name == "argmax" else door.argmin
    result = find(array, axis if array.ndim else None)
    if keepdim:
        ones = (1,) * array.ndim if axis is None else None
        result = door.reshape(result, ones) if ones is not None else (
            door.xp.expand_dims(result, axis) if array.ndim else result
        )  # fmt: skip
    return descended(finish(wrap(result), False), (input,))


@public(out=True)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the first maximum: of all, flattened, or along ``dim``."""
    return _position("argmax", input, dim, keepdim)


@public(out=True)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the first minimum: of all, flattened, or along ``dim``."""
    return _position("argmin", input, dim, keepdim)
