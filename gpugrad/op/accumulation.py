"""How gradients are added: on their way, and into the ``.grad`` of a leaf."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.graph import mode
from gpugrad.op.saved import wrap

_ACCUMULATING = threading.Lock()  # several threads may add to one leaf


class Arithmetic:
    """How gradients are added: in place where the walk owns the memory and records nothing."""

    def add(self, total: Any, grad: Any, owned: bool) -> Any:
        """Return the sum, in the memory of ``total`` if it is ``owned``."""
        if mode.enabled or not owned or isinstance(total._array, np.generic):
            return total + grad
        backend.of(total._array).add_into(total._array, grad._array)
        return total

    def accumulate(self, leaf: Any, grad: Any, fresh: bool) -> None:
        """Add to the ``.grad`` of a leaf: the first is kept if ``fresh``, else copied."""
        with _ACCUMULATING:
            before = leaf._grad
            if before is not None and mode.enabled:
                leaf._grad = before + grad
            elif before is not None:
                _add_in_place(before, grad)
            elif mode.enabled:
                leaf._grad = grad if fresh else grad.clone()
            else:
                leaf._grad = wrap(_laid_out(grad._array, leaf._array, fresh))


def _add_in_place(total: Any, grad: Any) -> None:
    if isinstance(total._array, np.generic):
        total._array = total._array + grad._array
    else:
        backend.of(total._array).add_into(total._array, grad._array)
    if total._counter is not None:
        total._counter.value += 1


def _laid_out(array: Any, leaf: Any, fresh: bool) -> Any:
    """Return a gradient in memory of its own, with the strides of its leaf where it is dense."""
    if array.ndim > 1 and array.strides != leaf.strides and array.size:
        door = backend.of(leaf)
        order = "K" if leaf.size == array.size and 0 not in leaf.strides else "C"
        result = door.xp.empty_like(leaf, order=order)
        if result.strides != array.strides or not fresh:
            door.assign(result, array)
            return result
    return array if fresh else backend.of(array).copy(array)


ARITHMETIC = Arithmetic()
