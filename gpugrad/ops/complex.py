"""Complex numbers and their parts: views of each other, and made from each other.

Gradients are PyTorch's: that of a real L with respect to a + bi is dL/da + i dL/db.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, Pointwise, composite, function_of, linear, public
from gpugrad.op.saved import own_array
from gpugrad.ops.copy import clone, contiguous
from gpugrad.ops.part import select
from gpugrad.ops.pointwise import conjugate, cos, sin

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_PARTS = {np.dtype(c): np.dtype(r) for c, r in (("c8", "f4"), ("c16", "f8"))}
_WHOLE = {r: c for c, r in _PARTS.items()}


# --------------------------------------------------------------------------- declarations


@linear("ViewAsRealBackward0", view=True)
def _view_as_real(door: backend.Backend, input: Array) -> Array:
    return door.xp.expand_dims(input, -1).view(_PARTS[input.dtype])


@_view_as_real.gradient
def input(g: Any) -> Any:
    return _view_as_complex(contiguous(g))


@linear("ViewAsComplexBackward0", view=True)
def _view_as_complex(door: backend.Backend, input: Array) -> Array:
    return input.view(_WHOLE[input.dtype])[..., 0]  # the parts are neighbours in memory


@_view_as_complex.gradient
def input(g: Any) -> Any:
    return _view_as_real(g)


@linear("ComplexBackward0")
def _complex(door: backend.Backend, real: Array, imag: Array) -> Array:
    shape = errors.broadcast_shape(real.shape, imag.shape)
    parts = door.empty((*shape, 2), real.dtype, door.device_of(real))
    door.assign(parts[..., 0], real)
    door.assign(parts[..., 1], imag)
    return parts.view(_WHOLE[real.dtype])[..., 0]


@_complex.gradient
def real(g: Any) -> Any:
    return select(_view_as_real(g), -1, 0)


@_complex.gradient
def imag(g: Any) -> Any:
    return select(_view_as_real(g), -1, 1)


@composite("PolarBackward0")
def _polar(door: backend.Backend, abs: Array, angle: Array) -> Array:
    real, imag = (
        door.evaluate(OPS[part].formula, (abs, angle), abs.dtype, (abs.dtype,))[0]
        for part in ("polar_real", "polar_imaginary")
    )
    return _complex.op.forward(door, real, imag)


@_polar.gradient
def abs(g: Any, angle: Any) -> Any:
    return real(g) * cos(angle) + imag(g) * sin(angle)


@_polar.gradient
def angle(g: Any, out: Any) -> Any:
    return real(conjugate(g) * (out * 1j))


_conj_physical = function_of(
    Pointwise("ConjPhysicalBackward0", "conj_physical", OPS["conjugate"].build, "default")
)


# --------------------------------------------------------------------------- public


@public(method=False)
def view_as_real(input: Tensor) -> Tensor:
    """Return a view of a complex tensor as real numbers, with a last dimension of two parts.

    Raises:
        RuntimeError: ``input`` is real.
    """
    if input._array.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    if input.is_conj():
        raise RuntimeError(
            "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate "
            "tensor so you can view it as real, use self.resolve_conj(); however, be warned that "
            "the resulting tensor will NOT alias the original."
        )
    return _view_as_real(input)


@public(method=False)
def view_as_complex(input: Tensor) -> Tensor:
    """Return a view of pairs of real numbers as complex numbers, without the last dimension.

    Raises:
        RuntimeError: ``input`` is neither float32 nor float64, its last dimension is not one of
            pairs, or these do not lie in memory as complex numbers do.
    """
    array = own_array(input)
    if array.dtype not in _WHOLE:
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a "
            f"tensor of scalar type: {_dtype.of(array.dtype).title}"
            if array.dtype != np.float16
            else "view_as_complex: there is no complex type of two float16; use .float() first"
        )
    if not array.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if array.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    pair = 2 * array.itemsize
    if not array.size:  # which may have any strides
        return _view_as_complex(input)
    if array.strides[-1] != array.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % pair for s in array.strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if backend.of(array).address(array) % pair:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return _view_as_complex(input)


@public(method=False)
def real(input: Tensor) -> Tensor:
    """Return a view of the real part; the tensor itself where it is real."""
    return select(_view_as_real(input), -1, 0) if input._array.dtype.kind == "c" else input


@public(method=False)
def imag(input: Tensor) -> Tensor:
    """Return a view of the imaginary part.

    Raises:
        RuntimeError: ``input`` is real.
    """
    if input._array.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return select(_view_as_real(input), -1, 1)


_UNLIKE = "Expected object of scalar type {wanted} but got scalar type {given} for argument 'out'"


@public(method=False, out="apart", unlike=_UNLIKE)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """Return complex numbers of given real and imaginary parts, which broadcast.

    Raises:
        RuntimeError: The parts are not both float32 or both float64.
        TypeError: One is not a tensor.
    """
    _check_parts("complex", real=real, imag=imag)
    return _complex(real, imag)


@public(method=False, out=True)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Return complex numbers of given absolute values and angles in radians, which broadcast.

    Unlike PyTorch's, the gradient of ``abs`` is right where that is 0 or negative, too.

    Raises:
        RuntimeError: The two are not both float32 or both float64.
        TypeError: One is not a tensor.
    """
    _check_parts("polar", abs=abs, angle=angle)
    errors.broadcast_shape(abs._array.shape, angle._array.shape)
    return _polar(abs, angle)


def _check_parts(function: str, **parts: Any) -> None:
    for position, (name, part) in enumerate(parts.items(), 1):
        if not isinstance(part, TensorBase):
            raise errors.must_be_tensor(function, name, position, part)
    first, second = (_dtype.of(part._array.dtype) for part in parts.values())
    if first.numpy.kind != "f" or second.numpy.kind != "f":
        raise RuntimeError(
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{first.title} and {second.title}"
        )
    if first is not second:
        raise RuntimeError(
            f"Expected object of scalar type {first.title} but got scalar type {second.title} "
            "for second argument"
        )
    if first.numpy not in _WHOLE:
        raise RuntimeError(
            f"{function}: there is no complex type of two float16; use .float() first"
        )


@public(out=True)
def conj_physical(input: Tensor) -> Tensor:
    """Return the complex conjugate; the tensor itself where it is real."""
    return _conj_physical(input) if input._array.dtype.kind == "c" else input


@public()
def resolve_neg(input: Tensor) -> Tensor:
    """Return the tensor itself: negatives are no views here."""
    return input


@public()
def resolve_conj(input: Tensor) -> Tensor:
    """Return a copy of a conjugate that is a view, and any other tensor itself."""
    return clone(input) if input.is_conj() else input
