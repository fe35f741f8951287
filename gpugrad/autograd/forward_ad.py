"""``torch.autograd.forward_ad``: dual tensors, whose tangents every operation carries along.

>>> import gpugrad
>>> with dual_level():
...     x = make_dual(gpugrad.tensor([1.0, 2.0]), gpugrad.tensor([1.0, 0.0]))
...     unpack_dual(x * x)
UnpackedDualTensor(primal=tensor([1., 4.]), tangent=tensor([2., 0.]))
"""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any, NamedTuple

from gpugrad import errors
from gpugrad._tensor import Tensor
from gpugrad.graph import TensorBase, mode
from gpugrad.op.dual import attach, close_level, open_level, primal, tangent_of
from gpugrad.op.history import settled
from gpugrad.ops.shape import identity


class UnpackedDualTensor(NamedTuple):
    """The two parts of a dual tensor; ``tangent`` is ``None`` where it does not move."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin to compute in forward mode in this thread; return the number of the level, 0.

    Raises:
        RuntimeError: A level was entered already; functions of :mod:`gpugrad.func` can be nested.
    """
    if mode.dual_level is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    mode.dual_level = open_level()
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level; dual tensors lose their tangents.

    Raises:
        RuntimeError: No level was entered, or another one.
    """
    current = -1 if mode.dual_level is None else 0
    if level is not None and level != current:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    if mode.dual_level is None:
        raise RuntimeError("Dual level must be a positive number.")
    close_level(mode.dual_level)
    mode.dual_level = None


class dual_level(ContextDecorator):  # noqa: N801  PyTorch's name
    """Compute in forward mode: ``with dual_level():``, or a decorator, in this thread."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exception: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Any:
    """Return a view of a tensor that moves by ``tangent``.

    The tangent is not copied where it lies in memory as the tensor does: a write into the dual
    tensor then writes it, too.  A tensor that is given a tangent by a write, as in ``x[0] = dual``,
    gives it to its views, and a view to its base.

    Args:
        tensor: Floating point or complex.
        tangent: Of the same shape and device.
        level: That of :func:`enter_dual_level`.

    Raises:
        RuntimeError: No level was entered, the shapes or devices differ, or one has a tangent.
        ValueError: One is not floating point or complex.
    """
    current = mode.dual_level
    if current is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    if tangent_of(tensor, current) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            "same level 0 is not supported."
        )
    if tangent_of(tangent, current) is not None:
        raise RuntimeError(
            "Setting a forward grad that itself has a forward gradient at the same level0 is not "
            "supported."
        )
    return dual_at(current, tensor, tangent)


def dual_at(level: int, tensor: Any, tangent: Any) -> Any:
    """Return a view of a tensor with a tangent at a level, both checked."""
    for name, t in (("primal", tensor), ("tangent", tangent)):
        if not (t.is_floating_point() or t.is_complex()):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {t.dtype}")
    if tensor._array.shape != tangent._array.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            "Tensor, this is not supported. Tensor is of size "
            f"{errors.size(tensor._array.shape)} while the given forward gradient is of size "
            f"{errors.size(tangent._array.shape)}."
        )
    if tensor.device != tangent.device:
        raise RuntimeError(
            f"Trying to set a forward gradient on {tangent.device} for a Tensor on "
            f"{tensor.device}. Move it there with .to(device) first."
        )
    made = tensor.view_as(tensor)
    alike = tangent._array.strides == tensor._array.strides
    attach(made, level, tangent if alike else settled(tangent, tensor))
    return made


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return a tensor without its tangent, as a view, and the tangent.

    Without a level, or where the tensor does not move, the tangent is ``None``.

    Raises:
        TypeError: It is no tensor.
    """
    if mode.dual_level is None:
        return UnpackedDualTensor(tensor, None)
    if not isinstance(tensor, TensorBase):
        raise errors.must_be_tensor("_unpack_dual", "dual", 1, tensor)
    return UnpackedDualTensor(
        identity(primal(tensor, mode.dual_level)), tangent_of(tensor, mode.dual_level)
    )
