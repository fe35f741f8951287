"""Norms of many gradients, and what all of them are multiplied by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.backend import cpu
from gpugrad.backend.reductions import squares_of
from gpugrad.formulas import Formula, variable
from gpugrad.op.saved import wrap
from gpugrad.ops.joining import stack
from gpugrad.ops.norms import linalg_vector_norm
from gpugrad.ops.updating import Update, plainly

_g, _factor = variable("g"), variable("factor")
_SCALED = Update(Formula("scale", [_g, _factor], [_g * _factor]), (0,))


def norms_of(tensors: Sequence[Any], order: float) -> Any:
    """Return the norm of each tensor, where the first one lives.

    On the CPU the usual ones are found without a tensor for each.
    """
    arrays = [t._array for t in tensors]
    kind = arrays[0].dtype
    if (
        order == 2
        and kind.char in "fd"
        and plainly()
        and all(a.__class__ is np.ndarray and a.flags.c_contiguous for a in arrays)
        and {a.dtype for a in arrays} == {kind}
    ):
        squares, limits = squares_of(arrays), np.finfo(kind)
        if ((squares >= limits.tiny / limits.eps) & (squares <= limits.max)).all():
            return wrap(np.sqrt(squares))  # of which no digit is lost
    where = tensors[0].device
    return stack([linalg_vector_norm(t, order).to(where) for t in tensors])


def scale(grads: Sequence[Any], factor: Any) -> None:
    """Multiply gradients by a tensor that is one number."""
    here = backend.of(factor._array)
    if here is cpu and {backend.of(g._array) for g in grads} == {cpu}:
        _SCALED([grads], [factor.item()])
        return
    by_device = {factor.device: factor}
    for grad in grads:
        where = grad.device
        if where not in by_device:
            by_device[where] = factor.to(where)
        grad.mul_(by_device[where])
