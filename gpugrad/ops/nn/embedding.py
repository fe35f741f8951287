"""Rows of a table, looked up by their numbers, and put together in bags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import accumulation
from gpugrad.errors import NO_DIMENSIONS
from gpugrad.graph import recording, warn
from gpugrad.op import cast, linear, public
from gpugrad.op.operation import Index
from gpugrad.op.saved import Like, older_name, own_array, read, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.counted import arange
from gpugrad.ops.indexing import add_at, beside, check_inside, taken
from gpugrad.ops.norms import linalg_vector_norm
from gpugrad.ops.search import searchsorted
from gpugrad.ops.segment import index_reduce
from gpugrad.ops.shape import reshape, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

SPARSE = (
    "{}: sparse=True asks for gradients that are sparse tensors, which gpugrad has not; with "
    "sparse=False the gradient is the same, as a whole table"
)


@linear("EmbeddingBackward0", arrays="index")
def _looked_up(
    door: backend.Backend, weight: Array, *, index: Any, padding: int, by_frequency: bool
) -> Array:
    return door.take(weight, index)


@_looked_up.gradient
def weight(g: Any, like: Like, index: Any, padding: int, by_frequency: bool) -> Any:
    places = wrap(index[0])
    if by_frequency:
        g = g / unsqueeze(_frequencies(places, like.shape[0], g), -1)
    if padding >= 0:
        g = pw.where(unsqueeze(places == padding, -1), 0, g)
    return add_at(g, shape=like.shape, index=index)


def _frequencies(places: Any, rows: int, like: Any) -> Any:
    """Return how often each of some numbers occurs among them, in the type of a tensor."""
    index = (places._array,)
    with recording(False):
        ones = pw.where(places >= 0, 1.0, 0.0).to(like.dtype)
        return taken(add_at(ones, shape=(rows,), index=index), index=index)


def _places(function: str, indices: Any, weight: Any, *others: Any) -> Any:
    """Return indices, which are integers, on the device of a table.

    Raises:
        RuntimeError: They are of another type.
    """
    for t in (indices, *others):
        if t._array.dtype not in (np.int32, np.int64):
            raise RuntimeError(
                "Expected tensor for argument #1 'indices' to have one of the following scalar "
                f"types: Long, Int; but got {older_name(t)} instead (while checking "
                f"arguments for {function})"
            )
    read(indices)
    return beside(indices, weight)


@public(method=False)
def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return rows of a table: what ``nn.functional.embedding`` does, with the table first.

    A ``padding_idx`` that is negative stands for none.
    """
    if not weight._array.ndim and weight.requires_grad:
        raise IndexError(NO_DIMENSIONS)
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if sparse:
        raise NotImplementedError(SPARSE.format("embedding"))
    places = _places("embedding", indices, weight)
    array = own_array(places)
    check_inside(array, 0, weight._array.shape[0], 0, "index out of range in self", IndexError)
    found: Tensor = _looked_up(
        weight,
        index=Index.of((array,), (places,)),
        padding=padding_idx,
        by_frequency=scale_grad_by_freq,
    )
    return found


@public(method=False)
def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shorten those rows of a table that indices name to a norm, where theirs is larger.

    The table is written, without a history, and returned.
    """
    if input._array.ndim != 2:
        raise RuntimeError("'self' must be 2-D")
    kind = _dtype.of(input._array.dtype)
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{kind.title} instead."
        )
    places = _places("embedding_renorm_", indices, input)
    with recording(False):
        rows = reshape(places, (-1,))  # one that is named twice is written twice, with the same
        found = embedding(input, rows)
        size = linalg_vector_norm(found, norm_type, 1, True)
        input[rows] = pw.where(size > max_norm, found * (max_norm / (size + 1e-7)), found)
    return input


def _normal_padding(padding: int | None, rows: int) -> int:
    if padding is None:
        return -1
    assert -rows <= padding < rows, "Padding_idx must be within num_embeddings"
    return padding % rows


@public(method=False, name="nn.functional.embedding")
def embedding_of(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of a table that are named.

    Args:
        input: The numbers of rows, int32 or int64, of any shape.
        weight: The table, of shape (rows, features).
        padding_idx: The number of a row that gets no gradient, or none; negative ones count from
            the end.
        max_norm: To which norm those rows are shortened first, in the table itself, that are
            longer.
        norm_type: The order of that norm.
        scale_grad_by_freq: Whether the gradient of a row is divided by how often it is named.
        sparse: Is refused: there are no sparse tensors.

    Raises:
        AssertionError: There is no row ``padding_idx``.
        IndexError: There is no row of a number.
        NotImplementedError: ``sparse``.
        RuntimeError: The numbers are of another type, or the table has not two dimensions.
    """
    padding = _normal_padding(padding_idx, weight._array.shape[0] if padding_idx else 1)
    if max_norm is not None:
        embedding_renorm_(weight.detach(), input, max_norm, norm_type)
    return embedding(weight, input, padding, scale_grad_by_freq, sparse)


# --------------------------------------------------------------------------- bags


_added = add_at.named("EmbeddingBagBackward0")
_MODES = {"sum": 0, "mean": 1, "max": 2}


@public(method=False, signatures=(
    "(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, "
    "bool sparse, Tensor per_sample_weights, bool include_last_offset, int padding_idx)",
    "(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq = False, "
    "int mode = 0, bool sparse = False, Tensor per_sample_weights = None, "
    "bool include_last_offset = False)",
))  # fmt: skip
def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Return what ``nn.functional.embedding_bag`` does, and how the bags are made up.

    The mode is 0 for sums, 1 for means and 2 for maxima.  Beside the result there are, for each
    index, the bag that it is in; for each bag, how many rows there are in it; and for maxima, the
    numbers of the rows that they are taken from.
    """
    places = _places("embedding_bag", indices, weight, offsets)
    if sparse:
        raise NotImplementedError(SPARSE.format("embedding_bag"))
    rows, given = weight._array.shape[0], _dtype.of(weight._array.dtype)
    if not given.is_floating_point:
        spoken = f"gpugrad.{given.title}Tensor" if given.numpy.kind in "iu" else ""
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: "
            f"Half, BFloat16, Float, Double; but got {spoken or f'CPU{given.title}Type'} instead "
            "(while checking arguments for embedding_bag)"
        )
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, "
                f"but got {padding_idx}"
            )
        padding_idx %= rows
    if per_sample_weights is not None and per_sample_weights._array.dtype != weight._array.dtype:
        known = [_dtype.of(t._array.dtype).title for t in (weight, per_sample_weights)]
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument "
            "#1 'per_sample_weights'; but type gpugrad.{}Tensor does not equal gpugrad.{}Tensor "
            "(while checking arguments for embedding_bag)".format(*known)
        )
    if include_last_offset and not offsets._array.size:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    _check_bags(indices, offsets, rows, "embedding_bag")
    bags = offsets._array.shape[0] - bool(include_last_offset)
    if not bags:
        sizes = unsqueeze(places, -1)[:0, 0]
        return embedding(weight, sizes), places * 0, sizes, sizes
    count = places._array.shape[0]
    bounds = beside(offsets, weight)
    with recording(False):
        bag = searchsorted(bounds, arange(count, device=weight.device), right=True) - 1
        if include_last_offset:
            bag = bag.clamp(max=bags - 1)
        if bag._array.__class__ is not np.ndarray:  # what was not looked at: rows before all bags
            check_inside(bag._array, 0, bags, 0, "index out of range in self", IndexError)
        padded = None if padding_idx is None else places == padding_idx
        kept = pw.where(places >= 0, 1, 0) if padded is None else pw.where(padded, 0, 1)
        sizes = add_at(kept, shape=(bags,), index=(bag._array,))
    if mode == _MODES["max"]:
        out, taken_from = _maxima(weight, places, bag, bags, padded, sizes)
        return out, bag, sizes, taken_from
    found = embedding(
        weight, places, -1 if padding_idx is None else padding_idx, scale_grad_by_freq
    )
    narrow, wide = weight._array.dtype, accumulation(weight._array.dtype)
    found = found if wide == narrow else cast(found, dtype=wide)
    if per_sample_weights is not None:
        found = found * unsqueeze(per_sample_weights, -1)
    if mode == _MODES["mean"]:
        with recording(False):
            each = taken(sizes.clamp(min=1), index=(bag._array,)).to(found.dtype)
        found = found / unsqueeze(each, -1)
    if padded is not None:
        found = pw.where(unsqueeze(padded, -1), 0, found)
    out = _added(found, shape=(bags, weight._array.shape[1]), index=(bag._array,))
    return out if wide == narrow else cast(out, dtype=narrow), bag, sizes, sizes


def _check_bags(indices: Any, offsets: Any, rows: int, function: str) -> None:
    """Raise where bags do not begin at 0, or end too late; a GPU is not waited for."""
    array, starts = indices._array, offsets._array
    if array.__class__ is not np.ndarray or starts.__class__ is not np.ndarray:
        return
    read(offsets)
    if starts.size and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {starts[0]}"
        )
    if starts.size and starts[-1] > array.size:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {array.size} but got offsets[-1] "
            f"of {starts[-1]}"
        )
    wrong = np.flatnonzero((array < 0) | (array >= rows))
    if wrong.size:
        raise RuntimeError(
            f"Index {wrong[0]} of input takes value {array[wrong[0]]} which is not in the valid "
            f"range [0, {rows})"
        )


def _maxima(
    weight: Any, places: Any, bag: Any, bags: int, padded: Any, sizes: Any
) -> tuple[Any, Any]:
    """Return the largest elements of the rows of each bag, and in which rows they are.

    Of several that are equal it is the first, and nan is the largest; of a bag without rows the
    elements are 0.
    """
    count, features = places._array.shape[0], weight._array.shape[1]
    with recording(False):
        rows = embedding(weight.detach(), places)
        if padded is not None:
            rows = pw.where(unsqueeze(padded, -1), -np.inf, rows)
        least = pw.where(unsqueeze(sizes, -1) < 0, weight.detach()[:1], -np.inf)
        largest = index_reduce(least.expand(bags, features), 0, bag, rows, "amax")
        order = unsqueeze(arange(count, device=weight.device), -1)
        if padded is not None:
            order = pw.where(unsqueeze(padded, -1), count, order)
        order = pw.where((rows == taken(largest, index=(bag._array,))) | rows.isnan(), order, count)
        none = pw.where(largest == largest, count, count)
        first = index_reduce(none, 0, bag, order, "amin")
        at = taken(places, index=(first.clamp(max=count - 1)._array,)) if count else none
        at = pw.where(unsqueeze(sizes, -1) > 0, at, 0)
        columns = arange(features, device=weight.device)
    found = taken(weight, index=(at._array, columns._array))
    return pw.where(unsqueeze(sizes, -1) > 0, found, 0), at


@public(method=False, name="nn.functional.embedding_bag")
def embedding_bag_of(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the sum, the mean or the maximum of the rows of a table in each bag; 0 of no rows.

    Args:
        input: The numbers of rows: a row of them for each bag, or all in one dimension.
        weight: The table, of shape (rows, features).
        offsets: Where each bag begins, if ``input`` has one dimension.
        max_norm: See :func:`embedding`.
        norm_type: See :func:`embedding`.
        scale_grad_by_freq: See :func:`embedding`; not of maxima.
        mode: "sum", "mean" or "max".
        sparse: Is refused: there are no sparse tensors.
        per_sample_weights: What each row is multiplied by before sums are taken, of the shape of
            ``input``, or none.
        include_last_offset: Whether the last of ``offsets`` is where the last bag ends.
        padding_idx: The number of a row that belongs to no bag, or none.

    Raises:
        NotImplementedError: Weights of rows for other modes than "sum", or ``sparse``.
        RuntimeError: Numbers of rows or offsets are out of range, or of another type.
        ValueError: Dimensions do not fit, or there is no such mode.
    """
    if weight._array.dtype == np.int64 and _dtype.of(input._array.dtype).is_floating_point:
        warn(
            "Argument order of nn.functional.embedding_bag was changed. "
            "Usage `embedding_bag(weight, input, ...)` is deprecated, "
            "and should now be `embedding_bag(input, weight, ...)`."
        )
        weight, input = input, weight
    ndim, factors = input._array.ndim, per_sample_weights
    if factors is not None and input.size() != factors.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({factors.size()}) is not None, "
            f"then it must have the same shape as the input ({input.size()})"
        )
    if weight._array.ndim != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight._array.ndim}"
        )
    if ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                f"of fixed length sequences. However, found offsets of type {type(offsets)}"
            )
        count, length = input._array.shape
        offsets = arange(0, count * length, length, dtype=input.dtype, device=input.device)
        include_last_offset = False
        input = reshape(input, (-1,))
        factors = None if factors is None else reshape(factors, (-1,))
    elif ndim == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {ndim}")
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        embedding_renorm_(weight.detach(), input, max_norm, norm_type)
    if factors is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    found: Tensor = embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        _MODES[mode],
        sparse,
        factors,
        include_last_offset,
        padding_idx,
    )[0]
    return found
