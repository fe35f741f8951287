"""PyTorch's older types of tensors, which name an element type and a device: ``FloatTensor``."""

from __future__ import annotations

from typing import Any

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype
from gpugrad._size import Size
from gpugrad.graph import TensorBase
from gpugrad.ops import copy, creation
from gpugrad.ops import filled as filled_


def filled(kind: dtype, data: tuple[Any, ...], device: Any) -> Any:
    """Return a tensor of a type, of data or of sizes as PyTorch's older constructors took them.

    Raises:
        TypeError: It is neither, or a tensor of another type.
    """
    first = data[0] if data else 0
    if isinstance(first, Size):
        data = first
    if all(isinstance(n, int) and not isinstance(n, bool) for n in data):
        return filled_.empty(data or (0,), dtype=kind, device=device)
    if len(data) == 1 and isinstance(first, TensorBase):
        given = _dtype.of(first._array.dtype)
        if given is not kind:
            raise TypeError(
                f"expected a tensor of type {kind.c_name} (got one of {given.c_name}); convert it "
                f"with .to({kind!r})"
            )
        return copy.detach(first)  # type: ignore[arg-type]
    if isinstance(first, str):
        raise TypeError("new(): invalid data type 'str'")
    if len(data) != 1 or not (hasattr(first, "__len__") or backend.is_array(first)):
        raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
    return creation.tensor(first, dtype=kind, device=device)


class tensortype(type):  # noqa: N801  PyTorch's name
    """A class of which tensors of one element type, on one type of device, are instances.

    Called, it makes one: of data, or of given sizes with values that are not defined.
    """

    dtype: dtype
    where: str

    def __instancecheck__(cls, value: object) -> bool:
        """Tell whether a tensor is of that type, and on such a device."""
        if not isinstance(value, TensorBase):
            return False
        array = value._array
        return _dtype.of(array.dtype) is cls.dtype and backend.of(array).type == cls.where

    def __call__(cls, *data: Any, device: Any = None) -> Any:
        """Return a tensor of that type."""
        return filled(cls.dtype, data, cls.where if device is None else device)


def made(kind: dtype, where: str = "cpu") -> Any:
    """Return the type of tensors of an element type."""
    name = f"{kind.title}Tensor"
    module = "gpugrad" if where == "cpu" else f"gpugrad.{where}"
    doc = f"Tensors of {kind.name} on {where}."
    return tensortype(
        name, (), {"dtype": kind, "where": where, "__module__": module, "__doc__": doc}
    )


FloatTensor = made(_dtype.float32)
DoubleTensor = made(_dtype.float64)
HalfTensor = made(_dtype.float16)
BFloat16Tensor = made(_dtype.bfloat16)
ByteTensor = made(_dtype.uint8)
CharTensor = made(_dtype.int8)
ShortTensor = made(_dtype.int16)
IntTensor = made(_dtype.int32)
LongTensor = made(_dtype.int64)
BoolTensor = made(_dtype.bool_)

BY_NAME: dict[str, Any] = {
    t.__name__: t
    for t in (FloatTensor, DoubleTensor, HalfTensor, BFloat16Tensor, ByteTensor, CharTensor,
              ShortTensor, IntTensor, LongTensor, BoolTensor)
}  # fmt: skip
OF_CUDA: dict[str, Any] = {name: made(t.dtype, "cuda") for name, t in BY_NAME.items()}


def named(name: str) -> Any:
    """Return the type of tensors that has a name, ``gpugrad.FloatTensor`` or PyTorch's for it.

    Raises:
        ValueError: There is none.
    """
    module, _, last = name.rpartition(".")
    table = {"torch": BY_NAME, "gpugrad": BY_NAME, "torch.cuda": OF_CUDA, "gpugrad.cuda": OF_CUDA}
    found = table.get(module, {}).get(last)
    if found is None:
        raise ValueError(f"invalid type: '{name}'")
    return found


def set_default_tensor_type(t: Any, /) -> None:
    """Make the element type of a type of tensors, or of its name, the default.

    Raises:
        TypeError: It is no such type, none of floating point numbers, or one of CUDA, which here
            is chosen where tensors are made.
    """
    kind = named(t) if isinstance(t, str) else t
    if not isinstance(kind, tensortype):
        raise TypeError("invalid type object")
    if kind.where != "cpu":
        raise TypeError(
            f"set_default_tensor_type: {kind.__module__}.{kind.__name__} is on a GPU; write "
            "set_default_dtype(...) and device='cuda' where tensors are made"
        )
    _dtype.set_default_dtype(kind.dtype)
