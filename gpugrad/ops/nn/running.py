"""Running means and variances of normalized batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.cpu import LARGE
from gpugrad.backend.quiet import quiet
from gpugrad.formulas import Formula, variable
from gpugrad.op.saved import wrap
from gpugrad.ops.shape import reshape
from gpugrad.ops.updating import Update, plainly

Array = Any


def _following() -> Update:
    """Return by what a running mean and a running variance are replaced."""
    before, found, var_before, var_found, kept, part, more = map(
        variable, ("before", "found", "var_before", "var_found", "kept", "part", "more")
    )
    values = [before * kept + found * part, var_before * kept + var_found * more]
    inputs = [before, found, var_before, var_found, kept, part, more]
    return Update(Formula("follow", inputs, values), (0, 2))


_FOLLOWING = _following()


def follow(running: Sequence[Any], found: Sequence[Any], momentum: float, factor: float) -> None:
    """Let a running mean and a running variance follow what was found, in one go where it may be.

    The variance found is multiplied by a factor.  What was found has the elements of what follows
    it, in any shape; it has no gradient from here.
    """
    alike = plainly() and len({t._array.dtype for t in (*running, *found)}) == 1
    if alike and running[0]._array.__class__ is np.ndarray and running[0]._array.size < LARGE:
        for r, f, by in zip(running, found, (1, factor), strict=True):
            r.copy_(wrap(_followed(r._array, f._array, 1 - momentum, momentum * by)))
        return
    found = [reshape(f.detach(), r._array.shape) for r, f in zip(running, found, strict=True)]
    if alike:
        columns = [[t] for pair in zip(running, found, strict=True) for t in pair]
        _FOLLOWING(columns, [1 - momentum, momentum, momentum * factor])
        return
    for r, f, by in zip(running, found, (1, factor), strict=True):
        r.mul_(1 - momentum).add_(f * (momentum * by))


@quiet
def _followed(before: Array, found: Array, kept: float, part: float) -> Array:
    return before * kept + found.reshape(before.shape) * part
