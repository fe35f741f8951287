"""Conjugates, angles and parts of complex numbers, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad.formulas import COMPLEX, call
from gpugrad.graph import TensorBase, recording
from gpugrad.op import pointwise, public
from gpugrad.op.follower import following
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@pointwise("conj(x)", "ConjBackward0", function="conj")
def conjugate(g, x):
    return call("conj", g)


@public()
def conj(input: Tensor) -> Tensor:
    """Return a view of the complex conjugate; the tensor itself where it is real.

    Unlike PyTorch's, it has memory of its own, which follows what is written into the tensor, and
    may not be written itself.
    """
    given: Any = input
    if not isinstance(given, TensorBase):  # inside of a rule
        return conjugate(given)
    if given._array.dtype.kind != "c":
        return input
    with recording(True):  # what is known of the conjugate itself says whether it was
        view = input[...]
    return following(conjugate, given, view)


@public(out=True)
@pointwise("angle(x)", "AngleBackward0", "float")
def angle(g, x):
    """Return the angle of a complex input in radians, in [-pi, pi]; of a real one 0 or pi.

    The gradient is 0 for a real input, at 0 and, on the CPU, where one part is infinite (there
    PyTorch's is nan).
    """
    if x.kind != COMPLEX:
        return 0
    return where(eq(x, 0), 0, g * 1j / call("conj", x))


@pointwise("real(x)")
def real_part(g, x):
    return g


@pointwise("imag(x)")
def imaginary_part(g, x):
    return g * 1j  # in this order: a Python complex times numpy.float64 is a Python complex


@pointwise("x * cos(y)", promotion="float")
def polar_real():
    pass


@pointwise("x * sin(y)", promotion="float")
def polar_imaginary():
    pass
