"""Losses: formulas of which the values, their sum or their mean are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from typing import Any

from gpugrad import _dtype, backend
from gpugrad._dtype import accumulation
from gpugrad.errors import broadcast_shape
from gpugrad.formulas import TORCH, Formula, call, variable
from gpugrad.graph import mode, warn
from gpugrad.op import OPS, Elementwise, cast, composite
from gpugrad.op.operation import Declared, together
from gpugrad.op.promotion import result_type
from gpugrad.op.saved import wrap
from gpugrad.ops.reduction import mean, restored, sum

Array = Any
REDUCTIONS = ("none", "mean", "sum")  # by PyTorch's numbers


def worded(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return a reduction in the newer words; the older ones are warned of."""
    if size_average is None and reduce is None:
        return reduction
    averages, reduces = size_average is not False, reduce is not False
    reduction = ("mean" if averages else "sum") if reduces else "none"
    warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{reduction}' instead."
    )
    return reduction


def chosen(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return the reduction that is asked for, also in PyTorch's older words.

    Raises:
        ValueError: There is no such reduction.
    """
    reduction = worded(size_average, reduce, reduction)
    if reduction == "elementwise_mean":
        warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.")
        return "mean"
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(values: Any, reduction: str) -> Any:
    """Return values, or their mean or sum."""
    if reduction == "none":
        return values
    return mean(values) if reduction == "mean" else sum(values)


def check_constant(function: str, **tensors: Any) -> None:
    """Raise where a tensor requires a gradient that PyTorch does not compute.

    Raises:
        RuntimeError: One does.
    """
    for name, tensor in tensors.items():
        if tensor is not None and mode.enabled and tensor.requires_grad:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )


def _are_alike(tensors: Sequence[Any]) -> bool:
    """Tell whether tensors are of one type, of floating point."""
    kind = tensors[0]._array.dtype
    others = [t for t in tensors if t._array.dtype is not kind]
    return not others and _dtype.of(kind).is_floating_point


def of_one_type(kernel: str, *tensors: Any) -> list[Any]:
    """Return tensors in the type that they promote to.

    Raises:
        NotImplementedError: That is not of floating point; PyTorch names its ``kernel``.
    """
    if _are_alike(tensors):
        return [*tensors]
    common = result_type(list(tensors))
    if not common.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{common.title}'")
    kind = common.numpy
    return [t if t._array.dtype == kind else cast(t, dtype=kind) for t in tensors]


def of_type_of(kernel: str, input: Any, *others: Any) -> list[Any]:
    """Return tensors in the type of the first, which they may not exceed in category.

    Raises:
        NotImplementedError: That is not of floating point; PyTorch names its ``kernel``.
        RuntimeError: One is of a higher category.
    """
    if _are_alike((input, *others)):
        return [input, *others]
    common, own = result_type([input, *others]), _dtype.of(input._array.dtype)
    if not _dtype.can_cast(common, own):
        raise RuntimeError(
            f"result type {common.title} can't be cast to the desired output type {own.title}"
        )
    if not own.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{own.title}'")
    kind = own.numpy
    return [t if t._array.dtype == kind else cast(t, dtype=kind) for t in (input, *others)]


# --------------------------------------------------------------------------- one node of a formula


Axes = tuple[int, ...]


def _computed(
    formula: Formula,
    door: backend.Backend,
    arrays: Sequence[Array],
    numbers: Sequence[float],
    shape: Axes,
    axes: Axes | None,
    count: int,
) -> Array:
    kind = arrays[0].dtype
    wide = accumulation(kind)
    operands = (*arrays, *map(wide.type, numbers))
    if axes is None:
        return door.evaluate(formula, operands, wide, (kind,))[0]
    whole = len(axes) == len(shape)
    sum_to = () if whole else tuple([1 if k in axes else n for k, n in enumerate(shape)])
    (total,) = door.evaluate(formula, operands, wide, (wide,), sum_to)
    if count > 1 and door is backend.cpu_backend:  # a formula of one number would take longer
        total = total / wide.type(count)
    elif count != 1:
        divided = OPS["true_divide"].formula
        (total,) = door.evaluate(divided, (total, wide.type(count)), wide, (wide,))
    if not whole:
        total = door.reshape(total, tuple([n for k, n in enumerate(shape) if k not in axes]))
    return total if wide == kind else door.astype(total, kind)


def _forward(formula: Formula, tensors: int) -> Callable[..., Any]:
    """Return the function of an operation's arrays, which are named in PyTorch's order."""

    def two(
        door: backend.Backend, input: Array, target: Array, *,
        numbers: Sequence[float], shape: Axes, axes: Axes | None, count: int,
    ) -> Array:  # fmt: skip
        return _computed(formula, door, (input, target), numbers, shape, axes, count)

    def three(
        door: backend.Backend, input: Array, target: Array, weight: Array, *,
        numbers: Sequence[float], shape: Axes, axes: Axes | None, count: int,
    ) -> Array:  # fmt: skip
        return _computed(formula, door, (input, target, weight), numbers, shape, axes, count)

    def four(
        door: backend.Backend, input: Array, target: Array, pos_weight: Array, weight: Array, *,
        numbers: Sequence[float], shape: Axes, axes: Axes | None, count: int,
    ) -> Array:  # fmt: skip
        arrays = (input, target, pos_weight, weight)
        return _computed(formula, door, arrays, numbers, shape, axes, count)

    forms: dict[int, Callable[..., Any]] = {2: two, 3: three, 4: four}
    return forms[tensors]


def loss(name: str, values: Any, numbers: int = 0) -> Callable[..., Any]:
    """Return the function of a loss, of tensors in one type, numbers and the ``reduction``.

    Its values are those of a declared formula, whose last operands are so many ``numbers``.  They
    may be added up along the last ``rows`` dimensions, and divided by how ``many`` there are, to be
    one for each example.  The gradient's formula divides, so that it is one kernel.
    """
    formula: Formula = values.op.formula
    tensors = len(formula.inputs) - numbers
    op: Declared = composite(name)(_forward(formula, tensors))

    @cache
    def slope(k: int, averaged: bool, convention: str) -> tuple[Elementwise, tuple[int, ...]]:
        of = formula if convention == TORCH else formula.in_math
        if averaged:
            share = variable("share")
            inputs, value = [*of.inputs, share], call("mul", of.outputs[0], share)
            of = Formula(of.name, inputs, [value], convention=of.convention)
        product = of.vjp([j == k for j in range(len(of.inputs))], (True,))
        return Elementwise(f"{name[:-1]}Backward0", product.formula), product.sources

    def rule(k: int) -> Callable[..., Any]:
        def gradient(
            g: Any,
            numbers: Sequence[float],
            shape: Axes,
            axes: Axes | None,
            count: int,
            *saved: Any,
        ) -> Any:
            op, sources = slope(k, count != 1, mode.conventions[-1])
            if axes is not None:
                g = restored(g, axes, False, len(shape))
            kind = g._array.dtype
            wide = accumulation(kind)
            known = (g, *saved, *map(wide.type, (*numbers, 1 / count if count else 1)))
            operands = [known[s] for s in sources]
            if mode.enabled:
                return op.evaluate(operands, wide, [kind])[0]
            door, _, arrays = together(operands)
            return wrap(door.evaluate(op.formula, arrays, wide, [kind])[0])

        return gradient

    for k, named in enumerate(op.op.input_names):
        asked = ("g", "numbers", "shape", "axes", "count", *op.op.input_names)
        op.gradient(rule(k), named, asked)

    def function(
        *operands: Any,
        reduction: str,
        numbers: Sequence[float] = (),
        rows: int = 0,
        many: int = 1,
    ) -> Any:
        shape = broadcast_shape(*(t._array.shape for t in operands))
        axes: Axes | None = tuple(range(len(shape)))
        if reduction == "mean":
            many *= prod(shape[: len(shape) - rows])
        elif reduction == "none":
            axes = tuple(range(len(shape) - rows, len(shape))) if rows else None
        return op(*operands, numbers=tuple(numbers), shape=shape, axes=axes, count=many)

    function.op = op.op  # type: ignore[attr-defined]
    return function
