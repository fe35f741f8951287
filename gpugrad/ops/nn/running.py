"""Running means and variances of normalized batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.cpu import LARGE
from gpugrad.formulas import Formula, variable
from gpugrad.ops.updating import Update, plainly


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

    The variance found is multiplied by a factor.
    """
    kinds = {t._array.dtype for t in (*running, *found)}
    alike = len(running) == 2 and len(kinds) == 1 and plainly()
    if alike and running[0]._array.__class__ is np.ndarray and running[0]._array.size < LARGE:
        for r, f, by in zip(running, found, (1, factor), strict=True):
            r.copy_(r * (1 - momentum) + f * (momentum * by))
        return
    if alike:
        columns = [[t] for pair in zip(running, found, strict=True) for t in pair]
        _FOLLOWING(columns, [1 - momentum, momentum, momentum * factor])
        return
    for r, f, by in zip(running, found, (1, factor), strict=False):
        r.mul_(1 - momentum).add_(f * (momentum * by))
