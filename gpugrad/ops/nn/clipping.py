"""Norms of many gradients, and what all of them are multiplied by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._dtype import accumulation
from gpugrad.backend import cpu
from gpugrad.backend.reductions import squares_of
from gpugrad.formulas import Formula, variable
from gpugrad.op import cast
from gpugrad.op.saved import wrap
from gpugrad.ops.joining import stack
from gpugrad.ops.norms import linalg_vector_norm
from gpugrad.ops.updating import Update, plainly

_g, _factor = variable("g"), variable("factor")
_SCALED = Update(Formula("scale", [_g, _factor], [_g * _factor]), (0,))


def total_of(tensors: Sequence[Any], order: float) -> Any:
    """Return the norm of all tensors together, where the first one lives.

    The usual one is found without a tensor for each, on a GPU by one kernel.
    """
    arrays = [t._array for t in tensors]
    kind = arrays[0].dtype
    usual = order == 2 and kind.kind in "fV" and plainly() and {a.dtype for a in arrays} == {kind}
    if usual and len({t.device for t in tensors}) == 1 and all(a.flags.forc for a in arrays):
        function: Any = backend.of(arrays[0]).fused("norm_of_all")
        if function is not None:
            return wrap(function(arrays))
    return linalg_vector_norm(_norms_of(tensors, order), order)


def _norms_of(tensors: Sequence[Any], order: float) -> Any:
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


def scale(grads: list[Any], factor: Any) -> None:
    """Multiply gradients by a tensor that is one number."""
    here = backend.of(factor._array)
    if here is cpu and {backend.of(g._array) for g in grads} == {cpu}:
        _SCALED([[*grads]], [factor.item()])
        return
    by_device: dict[Any, list[Any]] = {}
    for grad in grads:
        by_device.setdefault(grad.device, []).append(grad)
    for where, some in by_device.items():
        there, kind = factor.to(where), some[0]._array.dtype
        if where.type == "cuda" and kind.kind != "c":
            wide = accumulation(kind)
            _SCALED([some], [there if there._array.dtype == wide else cast(there, dtype=wide)])
            continue
        for grad in some:
            grad.mul_(there)
