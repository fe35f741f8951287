"""The loss of sequences whose alignment with labels is not known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.graph import TensorBase
from gpugrad.op import composite, public
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.filled import full_like
from gpugrad.ops.fused import fusible, gradients
from gpugrad.ops.indexing import scatter_along
from gpugrad.ops.joining import cat, stack
from gpugrad.ops.nn.reduced import REDUCTIONS, chosen, reduced
from gpugrad.ops.pointwise.choice import clamp_min
from gpugrad.ops.scatter import gather
from gpugrad.ops.shape import expand
from gpugrad.ops.soft import logsumexp

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
_CHECKED = " (while checking arguments for ctc_loss_allocate_outputs)"
_NOTHING = -1e30  # the logarithm of 0, but of finite derivatives


def ctc_plain(scores: Any, labels: Any, skips: Any, times: Any, sizes: Any) -> Any:
    """Return the definition: the recursion over time, step by step.

    Args:
        scores: Logarithms, of shape (times, examples, classes).
        labels: The classes with blanks between them, of shape (examples, 2 * most labels + 1).
        skips: Where the blank before a label may be left out.
        times: How many steps each example has.
        sizes: How many labels.
    """
    steps, count, _ = scores._array.shape
    length = labels._array.shape[1]
    own = gather(scores, 2, expand(labels.unsqueeze(0), steps, count, length))
    places = _counted(length, labels)
    first = pw.lt(places, clamp_min(sizes * 2 + 1, 0).unsqueeze(1))
    first = pw.logical_and(first, pw.lt(places, 2))
    nothing = full_like(own[0].detach(), _NOTHING)
    begun = pw.where(first, own[0], nothing)
    for t in range(1, steps):
        before = cat((nothing[:, :1], begun[:, :-1]), 1)
        skipped = nothing
        if length > 2:
            skipped = pw.where(skips, cat((nothing[:, :2], begun[:, :-2]), 1), nothing)
        found = own[t] + logsumexp(stack((begun, before, skipped)), 0)
        begun = pw.where(pw.gt(times, t).unsqueeze(1), found, begun)
    last = pw.logical_or(
        pw.eq(places, (sizes * 2).unsqueeze(1)), pw.eq(places, (sizes * 2 - 1).unsqueeze(1))
    )
    losses = pw.neg(logsumexp(pw.where(last, begun, nothing), 1))
    losses = pw.where(pw.gt(losses.detach(), -_NOTHING / 2), math.inf, losses)
    empty = pw.where(pw.eq(sizes, 0), 0.0, math.inf)
    return pw.where(pw.eq(times, 0), empty, losses)


def _counted(length: int, like: Any) -> Any:
    door = backend.of(like._array)
    return wrap(door.count(length, door.device_of(like._array)))


@composite("CtcLossBackward0", outputs=("out", "begun"))
def _ctc(
    door: backend.Backend,
    scores: Array,
    labels: Array,
    skips: Array,
    times: Array,
    sizes: Array,
) -> tuple[Array, Array]:
    function: Any = door.fused("ctc")
    return function(door.xp, scores, labels, skips, times, sizes)


@_ctc.gradient
def scores(
    g: Any, scores: Any, out: Any, begun: Any, labels: Any, skips: Any, times: Any, sizes: Any
) -> Any:
    def plain(scores: Any) -> Any:
        return ctc_plain(scores, labels, skips, times, sizes)

    def fused(g: Array) -> list[Array]:
        door = backend.of(scores._array)
        function: Any = door.fused("ctc_gradient")
        given = (scores, out, begun, labels, skips, times, sizes)
        found = wrap(function(door.xp, g, *(t._array for t in given)))
        shape = scores._array.shape
        places = expand(labels.unsqueeze(0), *found._array.shape)
        return [scatter_along(found, places, shape, 2)._array]

    return gradients(plain, fused, [scores], [g], [True])[0]


# --------------------------------------------------------------------------- what is given


def _lengths(name: str, given: Any, count: int, most: int | None) -> Array:
    """Return lengths as integers on the host.

    Raises:
        RuntimeError: They are no integers, of another number, or out of range.
    """
    if isinstance(given, TensorBase):
        array = given._array
        if array.dtype.kind not in "iu":
            raise RuntimeError(f"{name} must be integral")
        door = backend.of(all_of(array))
        found = door.to_numpy(all_of(array)).reshape(-1).astype(np.int64)
    else:
        found = np.asarray(given, np.int64).reshape(-1)
    if len(found) != count:
        raise RuntimeError(f"{name} must be of size batch_size")
    for value in found:
        if value < 0:
            raise RuntimeError(
                f"Expected {name} to have value at least 0, but got value {value}{_CHECKED}"
            )
        if most is not None and value > most:
            raise RuntimeError(
                f"Expected {name} to have value at most {most}, but got value {value}{_CHECKED}"
            )
    return found


def _labels(targets: Any, sizes: Array, count: int, classes: int, blank: int) -> Array:
    """Return the classes of examples with blanks between, before and behind them.

    Raises:
        RuntimeError: The targets are of another shape, or no classes.
    """
    array = all_of(targets._array)
    shape = array.shape
    if not 1 <= len(shape) <= 2:
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {len(shape)}-dimensional tensor for argument #2 "
            f"'targets'{_CHECKED}"
        )
    most = int(sizes.max(initial=0))
    if len(shape) == 2:
        wanted, dim, least = count, 0, ""
        if shape[0] == count and shape[1] < most:
            wanted, dim, least = most, 1, "at least "
        if shape[dim] != wanted:
            raise RuntimeError(
                f"Expected tensor to have size {least}{wanted} at dimension {dim}, but got size "
                f"{shape[dim]} for argument #2 'targets'{_CHECKED}"
            )
    elif shape[0] != sizes.sum():
        raise RuntimeError(
            f"Expected tensor to have size {sizes.sum()} at dimension 0, but got size {shape[0]} "
            f"for argument #2 'targets'{_CHECKED}"
        )
    found = backend.of(array).to_numpy(array).astype(np.int64)
    result = np.full((count, 2 * most + 1), blank)
    starts = np.cumsum(sizes) - sizes
    for k, size in enumerate(sizes):
        row = found[k, :size] if found.ndim == 2 else found[starts[k] : starts[k] + size]
        result[k, 1 : 2 * size : 2] = row
    if result.size and (result.min() < 0 or result.max() >= classes):
        raise RuntimeError(f"ctc_loss: targets must be classes, from 0 to {classes - 1}")
    return result


def _values(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int
) -> tuple[Any, Any]:
    """Return the loss of each example, and how many labels each has."""
    kind = _dtype.of(log_probs._array.dtype)
    single = log_probs._array.ndim < 3
    if single:
        log_probs = log_probs.unsqueeze(1)
        targets = targets.unsqueeze(0) if targets._array.ndim == 1 else targets
    shape = log_probs._array.shape
    if len(shape) != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {len(shape)}-dimensional tensor for argument "
            f"#1 'log_probs'{_CHECKED}"
        )
    if not math.prod(shape):
        raise RuntimeError("log_probs tensor must not be empty")
    if kind not in (_dtype.float32, _dtype.float64):
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{kind.title}'")
    steps, count, classes = shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    times = _lengths("input_lengths", input_lengths, count, steps)
    sizes = _lengths("target_lengths", target_lengths, count, None)
    labels = _labels(targets, sizes, count, classes, blank)
    skips = np.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    where, door = log_probs.device, backend.of(all_of(log_probs._array))
    given = [wrap(door.from_numpy(a, where)) for a in (labels, skips, times, sizes)]
    if fusible("ctc", log_probs):
        values = _ctc(log_probs, *given)[0]
    else:
        values = ctc_plain(log_probs, *given)
    return values[0] if single else values, given[3][0] if single else given[3]


def _loss(values: Any, sizes: Any, reduction: str, zero_infinity: bool) -> Any:
    if zero_infinity:
        values = pw.where(pw.eq(values, math.inf), 0.0, values)
    if reduction == "mean":
        values = pw.div(values, clamp_min(sizes, 1))
    return reduced(values, reduction)


@public(method=False, name="nn.functional.ctc_loss")
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return minus the logarithm of the probability that labels are read, blanks between them.

    The gradient is the derivative by the logarithms themselves.  PyTorch's has their exponential
    added, which goes where ``log_softmax`` made them.

    Args:
        log_probs: Logarithms of probabilities, of shape (times, examples, classes), or without
            examples.
        targets: The labels, of shape (examples, most labels), or those of all examples one after
            the other.
        input_lengths: How many times each example has.
        target_lengths: How many labels.
        blank: The class that stands for no label.
        reduction: "mean", of losses divided by the numbers of labels, "sum" or "none".
        zero_infinity: Whether examples with too few times for their labels give 0.

    Raises:
        NotImplementedError: The type is not single or double precision.
        RuntimeError: Shapes, lengths or labels do not fit.
        ValueError: There is no such reduction.

    Source: Graves et al., "Connectionist temporal classification", 2006.
    """
    reduction = chosen(None, None, reduction)
    values, sizes = _values(log_probs, targets, input_lengths, target_lengths, blank)
    return _loss(values, sizes, reduction, zero_infinity)


@public(method=False, name="ctc_loss")
def ctc_loss_of_tensors(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """Return what ``nn.functional.ctc_loss`` does.

    Args:
        log_probs: Logarithms of probabilities, of shape (times, examples, classes).
        targets: The labels.
        input_lengths: How many times each example has.
        target_lengths: How many labels.
        blank: The class that stands for no label.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
        zero_infinity: Whether examples with too few times for their labels give 0.
    """
    values, sizes = _values(log_probs, targets, input_lengths, target_lengths, blank)
    return _loss(values, sizes, REDUCTIONS[reduction], zero_infinity)
