"""Elements in their order: sorted, the largest of them, and where they belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpugrad import backend
from gpugrad.errors import integer, normal_dim
from gpugrad.op import composite, public
from gpugrad.op.operation import Declared
from gpugrad.op.results import results
from gpugrad.op.saved import Like, descended, door_of, read, wrap
from gpugrad.ops.creation import finish
from gpugrad.ops.extremum import to_chosen
from gpugrad.ops.indexing import gather_along

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_SORT, _TOPK = (results(name, "values", "indices") for name in ("sort", "topk"))


def _chosen(name: str) -> Callable[[Callable[..., Array]], Declared]:
    """Declare an operation that returns elements along an axis, and the places of these."""

    def declare(find: Callable[..., Array]) -> Declared:
        @composite(name, outputs=("values", "indices"))
        def chosen(door: backend.Backend, input: Array, *, axis: int, how: tuple[Any, ...]) -> Any:
            array = door.own(input)
            if not array.ndim:
                return door.copy(array), door.order(array, 0, False)
            indices = find(door, array, axis, *how)
            return gather_along(door, array, indices, axis), indices

        @chosen.gradient
        def input(g: Any, like: Like, indices: Any, axis: int) -> Any:
            return to_chosen(g, like, indices, axis, True)

        return chosen

    return declare


@_chosen("SortBackward0")
def _sorted(door: backend.Backend, input: Array, axis: int, descending: bool) -> Array:
    return door.order(input, axis, descending)


_sorted_stably = _sorted.named("SortBackward1")


@_chosen("TopkBackward0")
def _top(door: backend.Backend, input: Array, axis: int, count: int, largest: bool) -> Array:
    return door.top(input, count, axis, largest)


def check_ordered(function: str, input: Tensor) -> None:
    """Raise where there is no order.

    Raises:
        RuntimeError: The numbers are complex.
    """
    if input._array.dtype.kind == "c":
        device = input.device.type.upper()
        raise RuntimeError(f" {function} does not support complex dtypes on {device}")


@public(out=True)
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None
) -> Any:
    """Return the elements in their order along ``dim``, and their int64 indices.

    Elements that are equal stay in their order, whether that is asked for or not; nan is greater
    than all numbers.

    Raises:
        RuntimeError: The numbers are complex.
    """
    axis = normal_dim(dim, input._array.ndim)
    check_ordered("Sort", input)
    op = _sorted if stable is None else _sorted_stably
    return _SORT(*op(input, axis=axis, how=(bool(descending),)))


@public(out=True)
def msort(input: Tensor) -> Tensor:
    """Return the elements in their order along the first dimension."""
    return sort(input, 0)[0]


@public()
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """Return the indices that :func:`sort` returns, which is always stable."""
    axis = normal_dim(dim, input._array.ndim)
    check_ordered("Sort", input)
    read(input)
    found = door_of(input._array).order(input._array, axis, bool(descending))
    return descended(finish(wrap(found), False), (input,))


@public(out=True)
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return the ``k`` largest or smallest elements along ``dim``, and their int64 indices.

    They are in their order, whether that is asked for or not; nan is the largest.

    Raises:
        RuntimeError: There are not as many elements, or they are complex numbers or bools.
    """
    axis = normal_dim(dim, input._array.ndim)
    k = integer("topk", "k", 2, k)
    if not 0 <= k <= (input._array.shape[axis] if input._array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    check_ordered("topk", input)
    if input._array.dtype.kind == "b":
        raise RuntimeError(f"topk does not support bool dtypes on {input.device.type.upper()}")
    return _TOPK(*_top(input, axis=axis, how=(k, bool(largest))))
