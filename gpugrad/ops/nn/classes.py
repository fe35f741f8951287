"""Losses of classes: the negative logarithms of their probabilities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import accumulation
from gpugrad.backend.batched import Batched, all_of
from gpugrad.graph import mode
from gpugrad.op import OPS, cast, composite, pointwise, public
from gpugrad.op.operation import Declared
from gpugrad.op.saved import Like, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.fused import fusible, gradients
from gpugrad.ops.indexing import gather_along, index_select, scatter_along
from gpugrad.ops.nn.linear import linear
from gpugrad.ops.nn.reduced import check_constant, chosen
from gpugrad.ops.reduction import sum
from gpugrad.ops.scatter import masked_fill
from gpugrad.ops.soft import log_softmax

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]
IGNORED = -100  # the class that is left out by default


# --------------------------------------------------------------------------- of logarithms


@pointwise("where(ne(left_out, 0), 0, -x * share)", parameters=("left_out", "share", "x"))
def term() -> None:
    pass


@composite("NllLossBackward0")
def _picked(
    door: backend.Backend,
    input: Array,
    places: Array,
    share: Array,
    left_out: Array,
    *,
    axis: int,
    reduction: str,
) -> Array:
    """Return minus what stands at places along an axis, times shares, or its sum or mean.

    It is 0 where it is left out, whatever stands there.
    """
    kind, wide = input.dtype, share.dtype
    index = door.reshape(places, (*places.shape[:axis], 1, *places.shape[axis:]))
    found = door.reshape(gather_along(door, input, index, axis), places.shape)
    values = OPS["term"].formula
    if reduction == "none":
        return door.evaluate(values, (left_out, share, found), wide, (kind,))[0]
    (total,) = door.evaluate(values, (left_out, share, found), wide, (wide,), ())
    if reduction == "sum":
        return door.astype(total, kind)
    whole = door.sum(share, tuple(range(share.ndim)), False, wide)
    return door.evaluate(OPS["true_divide"].formula, (total, whole), wide, (kind,))[0]


def _picked_slope(
    g: Any, like: Like, places: Any, share: Any, left_out: Any, axis: int, reduction: str
) -> Any:
    if reduction == "mean":
        g = pw.div(g, sum(share))
    terms = masked_fill(pw.neg(pw.mul(g, share)), left_out, 0)
    return scatter_along(terms.unsqueeze(axis), places.unsqueeze(axis), like.shape, axis)


_picked.gradient(_picked_slope, "input")


_picked_2d = _picked.named("NllLoss2DBackward0")


def _shares(dtype: np.dtype[Any], target: Any, weight: Any, ignored: int) -> tuple[Any, Any, Any]:
    """Return the place of each class, what its term is multiplied by, and which are ignored.

    The place and the share of these are 0.
    """
    left_out = pw.eq(target, ignored)
    places = masked_fill(target, left_out, 0)
    share = cast(pw.logical_not(left_out), dtype=accumulation(dtype))
    if weight is not None:
        flat = index_select(weight.detach(), 0, places.reshape(-1))
        share = masked_fill(pw.mul(share, flat.reshape(places._array.shape)), left_out, 0)
    return places, share, left_out


def _of_logarithms(input: Any, target: Any, weight: Any, ignored: int, reduction: str) -> Any:
    ndim = input._array.ndim
    shares = _shares(input._array.dtype, target, weight, ignored)
    op = _picked if ndim < 3 else _picked_2d
    return op(input, *shares, axis=min(1, ndim - 1), reduction=reduction)


def _nll_slope(
    g: Any,
    like: Like,
    target: Any,
    weight: Any,
    parts: Any,
    axis: int,
    reduction: str,
    ignored: int,
) -> Any:
    if mode.enabled or g._array.__class__ is Batched:
        shares = _shares(like.dtype, target, weight, ignored)
        return _picked_slope(g, like, *shares, axis, reduction)
    function: Any = backend.of(g._array).fused("nll_gradient")
    return wrap(function(g._array, parts._array, target._array, like.shape, axis))


@composite("NllLossBackward0", outputs=("out", "parts"))
def _nll(
    door: backend.Backend, input: Array, target: Array, *, axis: int, reduction: str, ignored: int
) -> tuple[Array, Array]:
    function: Any = door.fused("nll")
    return function(input, target, None, axis, reduction, ignored)


@composite("NllLossBackward0", outputs=("out", "parts"))
def _weighted_nll(
    door: backend.Backend,
    input: Array,
    target: Array,
    weight: Array,
    *,
    axis: int,
    reduction: str,
    ignored: int,
) -> tuple[Array, Array]:
    function: Any = door.fused("nll")
    return function(input, target, weight, axis, reduction, ignored)


@_nll.gradient
def input(
    g: Any, like: Like, target: Any, parts: Any, axis: int, reduction: str, ignored: int
) -> Any:
    return _nll_slope(g, like, target, None, parts, axis, reduction, ignored)


_weighted_nll.gradient(_nll_slope, "input")


def _sizes(tensor: Any) -> str:
    return f"{[*tensor._array.shape]}"


def _checked(input: Any, target: Any, weight: Any, ignored: int) -> Any:
    """Return the classes as integers of 64 bits, of the shape of the input without its classes.

    Raises:
        IndexError: A class is out of range; a GPU looks itself.
        RuntimeError: Types or shapes do not fit, or the weight requires a gradient.
        ValueError: Shapes do not fit.
    """
    shape, other = input._array.shape, target._array.shape
    ndim = len(shape)
    if not ndim:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if ndim > 1:
        found = other[0] if other else 0
        if not other or shape[0] != found:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size ({found})."
            )
    if ndim < 3 and len(other) > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if ndim == 1 and other not in ((), (1,)):
        raise ValueError(
            f"For 1D input, 1D target must have size 1, but got target size: {other[0]}"
        )
    wanted = (shape[0], *shape[2:])
    if ndim == 4 and len(other) != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{len(other)}"
        )
    if ndim == 4 and other != wanted:
        raise RuntimeError(f"size mismatch (got input: {_sizes(input)} , target: {_sizes(target)}")
    if ndim > 2 and other != wanted:
        raise RuntimeError(f"Expected target size {[*wanted]}, got {_sizes(target)}")
    classes = shape[min(1, ndim - 1)]
    kind, found = (_dtype.of(t._array.dtype) for t in (input, target))
    if weight is not None:
        if weight._array.shape != (classes,):
            raise RuntimeError(
                f"weight tensor should be defined either for all {classes} classes or no classes "
                f"but got weight tensor of shape: {_sizes(weight)}"
            )
        check_constant("nll_loss_forward", weight=weight)
    if not kind.is_floating_point:
        kernel = "nll_loss_out_frame" if ndim < 3 else "nll_loss2d_forward_out_frame"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.title}'")
    if found not in (_dtype.int64, _dtype.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {found.title}")
    if weight is not None and weight._array.dtype != input._array.dtype:
        given = _dtype.of(weight._array.dtype)
        raise RuntimeError(f"expected scalar type {kind.title} but found {given.title}")
    if found is not _dtype.int64:
        target = cast(target, dtype=_dtype.int64.numpy)
    if backend.of(input._array).type == "cpu":
        backend.check(lambda places: _check_range(places, classes, ignored), all_of(target._array))
    return target.reshape(()) if ndim == 1 else target


def _check_range(places: Array, classes: int, ignored: int) -> None:
    if (
        not places.size or np.maximum.reduce(places.view(np.uint64), None) < classes
    ):  # negative ones are large
        return
    wrong = places[((places < 0) | (places >= classes)) & (places != ignored)]
    if wrong.size:
        raise IndexError(f"Target {wrong[0]} is out of bounds.")


@public(method=False, name="nn.functional.nll_loss")
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = IGNORED,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the weighted mean of minus the logarithms of the right classes' probabilities.

    Args:
        input: Logarithms, of shape (examples, classes, ...), or (classes,).
        target: The right classes, of shape (examples, ...), or 0-d.
        weight: Of each class, of shape (classes,): it has no gradient.
        size_average: An older word for ``reduction``.
        ignore_index: A class that is left out, and of the mean, too.
        reduce: Likewise an older word.
        reduction: "mean", "sum" or "none".

    Raises:
        IndexError: A class is out of range.
        RuntimeError: Types or shapes do not fit, or the weight requires a gradient.
        ValueError: Shapes do not fit, or there is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    target = _checked(input, target, weight, ignore_index)
    if not fusible("nll", input, target, weight):
        return _of_logarithms(input, target, weight, ignore_index, reduction)
    return _at_once(_NLL, input, target, weight, ignore_index, reduction)


# --------------------------------------------------------------------------- of scores


def cross_entropy_plain(
    input: Any, target: Any, weight: Any, axis: int, reduction: str, ignored: int
) -> Any:
    """Return the definition: ``nll_loss`` of ``log_softmax``."""
    return _of_logarithms(log_softmax(input, axis), target, weight, ignored, reduction)


@composite("NllLossBackward0", outputs=("out", "terms", "total"))
def _entropy(
    door: backend.Backend, input: Array, target: Array, *, axis: int, reduction: str, ignored: int
) -> tuple[Array, Array, Array]:
    function: Any = door.fused("cross_entropy")
    return function(input, target, None, axis, reduction, ignored)


@composite("NllLossBackward0", outputs=("out", "terms", "total"))
def _weighted_entropy(
    door: backend.Backend,
    input: Array,
    target: Array,
    weight: Array,
    *,
    axis: int,
    reduction: str,
    ignored: int,
) -> tuple[Array, Array, Array]:
    function: Any = door.fused("cross_entropy")
    return function(input, target, weight, axis, reduction, ignored)


def _slope(
    g: Any,
    input: Any,
    terms: Any,
    total: Any,
    target: Any,
    weight: Any,
    axis: int,
    reduction: str,
    ignored: int,
) -> Any:
    def plain(input: Any) -> Any:
        return cross_entropy_plain(input, target, weight, axis, reduction, ignored)

    def fused(g: Array) -> list[Array]:
        function: Any = backend.of(input._array).fused("cross_entropy_gradient")
        arrays = [None if t is None else t._array for t in (input, terms, total, target, weight)]
        return [function(g, *arrays, axis, reduction, ignored)]

    return gradients(plain, fused, [input], [g], [True])[0]


@_entropy.gradient
def input(
    g: Any,
    input: Any,
    terms: Any,
    total: Any,
    target: Any,
    axis: int,
    reduction: str,
    ignored: int,
) -> Any:
    return _slope(g, input, terms, total, target, None, axis, reduction, ignored)


@_weighted_entropy.gradient
def input(
    g: Any,
    input: Any,
    terms: Any,
    total: Any,
    target: Any,
    weight: Any,
    axis: int,
    reduction: str,
    ignored: int,
) -> Any:
    return _slope(g, input, terms, total, target, weight, axis, reduction, ignored)


def _named(plain: Declared, weighted: Declared) -> dict[tuple[bool, bool], Declared]:
    """Return operations by whether there are weights, and more dimensions than that of classes."""
    return {
        (False, False): plain,
        (True, False): weighted,
        (False, True): plain.named("NllLoss2DBackward0"),
        (True, True): weighted.named("NllLoss2DBackward0"),
    }


_NLL, _ENTROPIES = _named(_nll, _weighted_nll), _named(_entropy, _weighted_entropy)


def _at_once(
    operations: dict[tuple[bool, bool], Declared],
    input: Any,
    target: Any,
    weight: Any,
    ignored: int,
    reduction: str,
) -> Any:
    ndim = input._array.ndim
    operands = (input, target) if weight is None else (input, target, weight)
    op = operations[weight is not None, ndim > 2]
    return op(*operands, axis=min(1, ndim - 1), reduction=reduction, ignored=ignored)[0]


def _of_classes(input: Any, target: Any, weight: Any, ignored: int, reduction: str) -> Any:
    if not fusible("cross_entropy", input, target, weight):
        axis = min(1, input._array.ndim - 1)
        return cross_entropy_plain(input, target, weight, axis, reduction, ignored)
    return _at_once(_ENTROPIES, input, target, weight, ignored, reduction)


def _each_class(weight: Any, ndim: int) -> Any:
    """Return the weights of classes along the dimension of an input's classes."""
    return weight.reshape((-1, *(1,) * max(ndim - 2, 0)))


def _smoothed(
    input: Any, target: Any, weight: Any, ignored: int, reduction: str, smoothing: float
) -> Any:
    """Return the loss of classes, mixed with that of all classes evenly."""
    ndim = input._array.ndim
    axis = min(1, ndim - 1)
    classes = input._array.shape[axis]
    logarithms = log_softmax(input, axis)
    sharp = _of_logarithms(logarithms, target, weight, ignored, reduction)
    weighted = logarithms if weight is None else pw.mul(logarithms, _each_class(weight, ndim))
    left_out = pw.eq(target, ignored)
    even = masked_fill(pw.neg(sum(weighted, axis)), left_out, 0)
    if reduction == "mean":
        _, share, _ = _shares(input._array.dtype, target, weight, ignored)
        even = pw.div(sum(even), cast(sum(share), dtype=input._array.dtype))
    elif reduction == "sum":
        even = sum(even)
    each = smoothing / classes if classes else math.nan
    return pw.add(pw.mul(sharp, 1 - smoothing), pw.mul(even, each))


def _of_probabilities(
    input: Any, target: Any, weight: Any, reduction: str, smoothing: float
) -> Any:
    shape = input._array.shape
    ndim = len(shape)
    axis = min(1, ndim - 1)
    classes = shape[axis]
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or "
            f"no classes but got weight tensor of shape: {_sizes(weight)}"
        )
    logarithms = log_softmax(input, axis)
    if smoothing > 0:
        target = pw.add(pw.mul(target, 1 - smoothing), smoothing / max(classes, 1))
    terms = pw.mul(logarithms, target)
    if weight is not None:
        terms = pw.mul(terms, _each_class(weight, ndim))
    if reduction == "none":
        return pw.neg(sum(terms, axis))
    found = pw.neg(sum(terms))
    if reduction == "sum":
        return found
    divide = OPS["true_divide"]
    operands, kind = divide.prepare((found, math.prod(shape) // max(classes, 1)))
    return divide.named("DivBackward1").evaluate(operands, kind, [kind])[0]


@public(method=False, name="nn.functional.linear_cross_entropy")
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """Return ``cross_entropy`` of ``linear(input, linear_weight, linear_bias)``.

    Args:
        input: Of shape (examples, features), or (features,).
        linear_weight: Of shape (classes, ..., features).
        target: The right classes, of shape (examples, ...) or 0-d, or probabilities of all.
        linear_bias: Of shape (classes, ...), or none.
        weight: Of each class, of shape (classes,).
        reduction: "mean", "sum" or "none".
        ignore_index: A class that is left out, by default -100.
        label_smoothing: How much of the target is spread evenly over all classes.
        options: How PyTorch computes it by parts; here there is one way, with the same results.

    Raises:
        RuntimeError: Shapes do not fit, or a class is to be left out of probabilities.
    """
    shape, own = input._array.shape, linear_weight._array.shape
    if not 1 <= len(shape) <= 2:
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {len(shape)}")
    if len(own) < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {len(own)}")
    if shape[-1] != own[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), "
            f"got {shape[-1]} and {own[-1]}, respectively"
        )
    results = own[:-1]
    if linear_bias is not None and linear_bias._array.shape != results:
        raise RuntimeError(f"expected linear_bias shape {results}, got {linear_bias._array.shape}")
    if len(results) > 1 and len(shape) == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {own} requires batched input, "
            f"(N, {shape[-1]}), got unbatched input with shape {shape}"
        )
    whole = (*shape[:-1], *results)
    if target._array.shape == whole and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if len(results) > 1:
        linear_weight = linear_weight.reshape((math.prod(results), own[-1]))
        linear_bias = None if linear_bias is None else linear_bias.reshape(-1)
    scores = linear(input, linear_weight, linear_bias).reshape(whole)
    return cross_entropy(
        scores, target, weight, None, IGNORED if ignore_index is None else ignore_index, None,
        reduction, label_smoothing,
    )  # fmt: skip


@public(method=False, name="nn.functional.cross_entropy")
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = IGNORED,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the weighted mean of minus the logarithms of softmax at the right classes.

    Args:
        input: Scores, of shape (examples, classes, ...), or (classes,).
        target: The right classes, of shape (examples, ...) or 0-d; or probabilities of all classes,
            of the input's shape.
        weight: Of each class, of shape (classes,); with classes for a target it has no gradient.
        size_average: An older word for ``reduction``.
        ignore_index: A class that is left out, and of the mean, too.
        reduce: Likewise an older word.
        reduction: "mean", "sum" or "none".
        label_smoothing: How much of the target is spread evenly over all classes.

    Raises:
        IndexError: A class is out of range.
        RuntimeError: Types or shapes do not fit, or the weight requires a gradient.
        ValueError: Shapes do not fit, or there is no such reduction.

    Source: Szegedy et al. 2015, arXiv:1512.00567, for the smoothing.
    """
    reduction = chosen(size_average, reduce, reduction)
    if input._array.shape == target._array.shape:
        kind = _dtype.of(target._array.dtype)
        if not kind.is_floating_point:
            raise RuntimeError(
                "Expected floating point type for target with class probabilities, got "
                f"{kind.title}"
            )
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        _check_smoothing(label_smoothing)
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    _check_smoothing(label_smoothing)
    if not _dtype.of(input._array.dtype).is_floating_point or not input._array.ndim:
        log_softmax(input, 0 if input._array.ndim == 1 else 1)  # which raises
    target = _checked(input, target, weight, ignore_index)
    if label_smoothing > 0:
        return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)
    return _of_classes(input, target, weight, ignore_index, reduction)


def _check_smoothing(smoothing: float) -> None:
    if smoothing > 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing:g}")
