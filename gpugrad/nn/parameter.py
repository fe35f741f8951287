"""Parameters and buffers of modules, also such whose shape is not known yet.

>>> import gpugrad
>>> w = Parameter(gpugrad.ones(2))
>>> w
Parameter containing:
tensor([1., 1.], requires_grad=True)
>>> w * 2
tensor([2., 2.], grad_fn=<MulBackward0>)
"""

from __future__ import annotations

from typing import Any

from gpugrad import _parameter, functions
from gpugrad._tensor import Tensor
from gpugrad.graph import LEAF, TensorBase
from gpugrad.op import saved

Parameter = _parameter.Parameter


class _BufferMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return type.__instancecheck__(cls, instance) or (
            cls is Buffer and isinstance(instance, Tensor) and "_is_buffer" in vars(instance)
        )


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a module has as a buffer: a state of it that is not trained.

    ``Buffer(data, persistent=True)`` is of the class of ``data`` and on its memory; modules take
    what is assigned to them and an instance of this class as a buffer, which is in their
    ``state_dict`` if it is ``persistent``.
    """

    _inherited = False
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        """Return the buffer."""
        if data is None:
            data = functions.empty(0)
        made: Any = data.detach().requires_grad_(data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


_PLACE: Any = vars(TensorBase)["_array"]  # which the class below closes


class UninitializedTensorMixin:
    """What tensors are without a shape: they have a type and a device, and nothing else."""

    __slots__ = ()
    _inherited = False
    cls_to_become: type[Tensor]
    _edge: Any

    is_leaf = True
    grad_fn = None

    @property
    def _array(self) -> Any:
        raise ValueError(
            "Attempted to use an uninitialized parameter in an operation. This error happens when "
            "you are using a `LazyModule` or explicitly manipulating "
            f"`gpugrad.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call "
            "`forward` with a dummy batch to initialize the parameters before calling gpugrad "
            "functions"
        )

    @_array.setter
    def _array(self, value: Any) -> None:
        _PLACE.__set__(self, value)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an uninitialised tensor of a shape, by default of the type and on the device.

        It is of the class ``cls_to_become`` then.
        """
        made = functions.empty(shape, device=device or self.device, dtype=dtype or self.dtype)
        self._array = made._array
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def data(self) -> Tensor:
        """A tensor without elements, of the type and on the device."""
        return saved.wrap(_PLACE.__get__(self))

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array = value._array

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self.data.dtype

    _kind = dtype

    @property
    def device(self) -> Any:
        """The device that is to hold the array."""
        return self.data.device

    @property
    def shape(self) -> Any:
        """There is none.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for it."""
        return self._edge is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self._edge = LEAF if value else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)  # type: ignore[call-arg]
        return memo[id(self)]

    def __reduce__(self) -> Any:
        return type(self), (self.requires_grad,)


def _of_data(name: str) -> Any:
    """Return the method of a name of what has no shape: that of its data."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = getattr(self.data, name)(*args, **kwargs)
        if not isinstance(found, Tensor) or isinstance(self, Parameter):
            return found
        found = saved.of_class(found, type(self))  # what converts a module replaces its buffers
        vars(found).update(vars(self))
        return found

    method.__name__ = name
    method.__doc__ = f"Return what ``{name}`` gives of a tensor without elements."
    return method


for _name in (
    "bfloat16", "char", "cpu", "cuda", "double", "float", "get_device", "half", "int",
    "is_complex", "is_floating_point", "long", "short", "size", "to",
):  # fmt: skip
    setattr(UninitializedTensorMixin, _name, _of_data(_name))


def is_lazy(param: Any) -> bool:
    """Return whether something is an uninitialized parameter or buffer."""
    return isinstance(param, UninitializedTensorMixin)


def _uninitialized(kind: Any, requires_grad: bool, device: Any, dtype: Any) -> Any:
    made = saved.of_class(functions.empty(0, device=device, dtype=dtype), kind)
    made.requires_grad = requires_grad
    return made


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet: a lazy module chooses it in its first call.

    Nothing can be done with it but to choose its type and device, and to ``materialize`` it.
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """Return it, of a type and for a device."""
        return _uninitialized(cls, requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet; see :class:`UninitializedParameter`."""

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Any:
        """Return it, of a type and for a device."""
        made = _uninitialized(cls, requires_grad, device, dtype)
        made.persistent = persistent
        made._is_buffer = True
        return made


__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]
