"""``once_differentiable``: gradients that refuse to be differentiated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from gpugrad.graph import mode, recording
from gpugrad.op.refusal import refusing
from gpugrad.op.saved import edges


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward that is not recorded: to differentiate its gradients is an error.

    Inside of transforms it is one, too, where no incoming gradient depends on anything: PyTorch
    takes the gradients for constants there, and gives 0.

    Args:
        fn: A ``backward`` of a :class:`Function`, which may compute with anything.

    Raises:
        RuntimeError: When a walk differentiates a gradient that it returned.
    """

    @functools.wraps(fn)
    def backward(ctx: Any, *grads: Any) -> Any:
        with recording(False):
            found = fn(ctx, *grads)
        inputs = edges(grads)
        if inputs is None and mode.enabled and mode.transforms:
            inputs = ctx._node.inputs
        if inputs is None:
            return found
        refused = tuple([
            _refusing(g, inputs) for g in (found if isinstance(found, tuple) else (found,))
        ])  # fmt: skip
        return refused if isinstance(found, tuple) else refused[0]

    return backward


def _refusing(grad: Any, inputs: tuple[Any, ...]) -> Any:
    return None if grad is None else refusing(grad, inputs, _TWICE)


_TWICE = RuntimeError(
    "trying to differentiate twice a function that was marked with @once_differentiable"
)
