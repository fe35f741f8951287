"""Whose gradients operations have at points without a derivative: PyTorch's, or finite ones."""

from __future__ import annotations

from contextlib import ContextDecorator

from gpugrad.formulas import CONVENTIONS
from gpugrad.graph import mode
from gpugrad.op.observed import follow


class conventions(ContextDecorator):  # noqa: N801  a mode, spelled as PyTorch's modes are
    """Choose, for what this thread computes in a block, the gradients at points without derivative.

    By "torch", which holds outside of every block, they are PyTorch's numbers.
    By "math" they are right where a derivative or its limit exists, and otherwise a finite
    (sub)gradient where there is one: in the products of the chain rule 0 times infinity or nan is
    0, so that what a choice has not taken cannot spoil the gradient of what it has.
    CONVENTIONS.md lists the points.

    An operation is bound to the convention when it is called, which decides what is saved: its
    derivatives of all orders follow it, in reverse and in forward mode, wherever they are computed.
    Blocks may lie within each other, and one object may be entered again; it decorates as well.

    Args:
        name: "torch" or "math".

    Raises:
        ValueError: There is no such convention.

    >>> import gpugrad
    >>> x = gpugrad.tensor([0.0, 4.0], requires_grad=True)
    >>> with gpugrad.conventions("math"):
    ...     y = gpugrad.where(x > 0, x.sqrt(), 0.0)
    >>> gpugrad.autograd.grad(y.sum(), x)
    (tensor([0.0000, 0.2500]),)
    """

    def __init__(self, name: str):
        if name not in CONVENTIONS:
            known = " or ".join(f"'{c}'" for c in CONVENTIONS)
            raise ValueError(f"conventions(): argument 'name' must be {known}, but got {name!r}")
        self.name = name

    def __enter__(self) -> None:
        follow((*mode.conventions, self.name))

    def __exit__(self, *exception: object) -> None:
        follow(mode.conventions[:-1])
