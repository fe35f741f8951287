"""Gradients that are too large made smaller."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.ops.nn.clipping import scale, total_of

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else [*tensors]


def _grads(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of the elements of several tensors together; 0 where there is none.

    Args:
        tensors: The tensors, on any devices; the result is on that of the first.
        norm_type: The order, which may be infinite.
        error_if_nonfinite: Raise where the norm is ``nan`` or infinite.
        foreach: For compatibility; it changes nothing.

    Raises:
        RuntimeError: See above.
    """
    found = _listed(tensors)
    norm_type = float(norm_type)
    if not found:
        return functions.tensor(0.0)
    total: Tensor = total_of(found, norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply all gradients by ``max_norm / (total_norm + 1e-6)`` where that is less than 1."""
    factor = functions.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
    scale(_grads(parameters), factor)


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of all parameters so that their norm together is at most ``max_norm``.

    Args:
        parameters: Tensors, of which those with a ``.grad`` count, or one.
        max_norm: The bound.
        norm_type: The order of the norm, which may be infinite.
        error_if_nonfinite: Raise where the norm is ``nan`` or infinite.
        foreach: For compatibility; it changes nothing.

    Returns:
        The norm before.

    Raises:
        RuntimeError: See above.
    """
    found = _listed(parameters)
    if isinstance(parameters, types.GeneratorType) and not found:
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2
        )
    total = get_total_norm(_grads(found), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(found, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Warn, and return ``clip_grad_norm_(...)``."""
    warnings.warn(
        "`gpugrad.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`gpugrad.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bound each element of the gradients of all parameters by ``clip_value`` in size."""
    clip_value = float(clip_value)
    for grad in _grads(parameters):
        grad.clamp_(-clip_value, clip_value)
