"""The class ``ndarray``: a tensor with NumPy's promotion, operators, methods and attributes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._tensor import Tensor
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy import operands
from gpugrad.numpy.operands import dtype_of, lowered, own, plain, raised, sent
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import ufunc
from gpugrad.op import saved
from gpugrad.op.promotion import is_operand
from gpugrad.ops import complex as complex_
from gpugrad.ops import filled, indexing, inplace
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import to

_FUNCTIONS: dict[str, Any] = {}  # of the namespace, which needs the class: by name, when asked for


def function(name: str) -> Any:
    """Return a function of the namespace."""
    found = _FUNCTIONS.get(name)
    if found is None:
        found = _FUNCTIONS[name] = getattr(importlib.import_module("gpugrad.numpy"), name)
    return found


class ndarray(Tensor):  # noqa: N801  NumPy's name
    """A tensor that is NumPy's array in all it does, with a device and, where asked for, gradients.

    Operators, methods and functions of :mod:`gpugrad.numpy` promote as NumPy's do, and mean what
    NumPy's do: ``repeat`` repeats elements, ``std`` divides by the number of elements.  What
    NumPy returns as a scalar is an array without dimensions, since a scalar has no gradient.
    Names that only PyTorch has, such as ``requires_grad_`` and ``backward``, are PyTorch's.
    """

    def __new__(
        cls, shape: Any, dtype: Any = float, *, device: Any = None, buffer: Any = None
    ) -> Any:
        """Return an array whose values are not defined; use ``array`` or ``zeros``."""
        if buffer is not None:
            raise TypeError(
                "ndarray(buffer=...) is not supported; use gpugrad.numpy.frombuffer(...).reshape"
            )
        sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        made = filled.empty(sizes, dtype=_dtype.of(dtype_of(dtype)), device=device)
        return saved.of_class(made, cls)

    # ----------------------------------------------------------------------- what it is

    @property
    def dtype(self) -> Any:
        """NumPy's type of the elements."""
        return self._array.dtype

    @property
    def shape(self) -> Any:
        """The lengths of the dimensions, as a tuple."""
        return self._array.shape

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of elements."""
        return int(np.prod(self._array.shape))

    @property
    def itemsize(self) -> int:
        """The size of an element in bytes."""
        return self._array.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """The distance of neighbours in bytes, for each dimension."""
        return saved.own_array(self).strides

    @property
    def flags(self) -> Any:
        """How the elements lie in memory."""
        return saved.own_array(self).flags

    @property
    def base(self) -> Any:
        """The array that it was made of as a view, or ``None``."""
        return self._base

    @property
    def flat(self) -> Any:
        """The elements in order: iterated, indexed and assigned as in one dimension."""
        return Flat(self)

    @property
    def T(self) -> Any:
        """A view with the dimensions in reverse order."""
        return shapes.permute(self, tuple(reversed(range(self._array.ndim))))

    @property
    def mT(self) -> Any:
        """A view with the last two dimensions exchanged."""
        return function("matrix_transpose")(self)

    @property
    def real(self) -> Any:
        """A view of the real part; of a real array the array itself."""
        return complex_.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        complex_.real(self)[...] = value

    @property
    def imag(self) -> Any:
        """A view of the imaginary part; of a real array zeros."""
        if self._array.dtype.kind != "c":
            return raised(filled.zeros_like(lowered(self)), type(self))
        return complex_.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self._array.dtype.kind != "c":
            raise TypeError("array does not have imaginary part to set")
        complex_.imag(self)[...] = value

    @property
    def grad(self) -> Any:
        """The accumulated gradient, as an ndarray; ``None`` before the first backward."""
        found = Tensor.grad.fget(self)  # type: ignore[attr-defined]
        if found is not None and found.__class__ is saved.tensor_class:
            found = self._grad = saved.of_class(found, ndarray)
        return found

    @grad.setter
    def grad(self, value: Any) -> None:
        Tensor.grad.fset(self, value)  # type: ignore[attr-defined]

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    # ----------------------------------------------------------------------- elements

    def __getitem__(self, key: Any) -> Any:
        return item_at(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item(self, key, value)

    def __contains__(self, value: Any) -> bool:
        return bool(function("any")(UFUNCS["equal"](self, value)))

    def __divmod__(self, other: Any) -> Any:
        return UFUNCS["divmod"](self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return UFUNCS["divmod"](other, self)

    def __bool__(self) -> bool:
        if self._array.size > 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() "
                "or a.all()"
            )
        if not self._array.size:
            raise ValueError(
                "The truth value of an empty array is ambiguous. Use `array.size > 0` to check "
                "that an array is not empty."
            )
        return super().__bool__()

    def __repr__(self) -> str:
        if self._array.__class__ not in backend.BACKENDS:
            return super().__repr__()
        saved.up_to_date(self)
        text = np.array_repr(operands.on_host(self.detach()))
        node, where = self.grad_fn, self.device
        notes = [] if where.type == "cpu" else [f"device='{where}'"]
        if node is not None:
            notes.append(f"grad_fn=<{node.name().split('::')[-1]}>")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return ", ".join([text[:-1], *notes]) + ")"

    def __str__(self) -> str:
        return str(operands.on_host(self.detach()))

    def __format__(self, spec: str) -> str:
        if not self._array.ndim:
            return format(self.detach().item(), spec)
        return object.__format__(self, spec)

    # ----------------------------------------------------------------------- methods of its own

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
        copy: bool = True, *, device: Any = None,
    ) -> Any:  # fmt: skip
        """Return a copy of another type; with ``copy=False`` itself where that is the same.

        Raises:
            TypeError: The ``casting`` does not allow it.
        """
        kind = dtype_of(dtype)
        if not np.can_cast(self._array.dtype, kind, casting):  # type: ignore[arg-type]
            raise TypeError(
                f"Cannot cast array data from {self._array.dtype!r} to {kind!r} according to the "
                f"rule {casting!r}"
            )
        same = kind == self._array.dtype and device is None
        if same and not copy:
            return self
        found = to(lowered(self), dtype=_dtype.of(kind), device=device, copy=True)
        return raised(found, type(self))

    def copy(self, order: str = "C") -> Any:
        """Return a copy with its history and memory of its own."""
        return function("copy")(self, order)

    def view(self, dtype: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        """Return a view of the same memory; as another type it has no history.

        Raises:
            TypeError: It requires grad, and another type is asked for.
        """
        if isinstance(dtype, builtin_type) and issubclass(dtype, TensorBase):
            dtype, type = None, dtype
        if dtype is not None and dtype_of(dtype) != self._array.dtype:
            if self.requires_grad:
                raise TypeError(
                    "view(dtype): the bytes of numbers have no gradient; call detach() first"
                )
            return shapes.view(self, dtype=_dtype.of(dtype_of(dtype)))
        return self.as_subclass(type) if type is not None else shapes.alias(self)

    def fill(self, value: Any) -> None:
        """Set all elements to a value."""
        set_item(self, ..., value)

    def item(self, *index: Any) -> Any:
        """Return one element as a Python number: the only one, or that at an index.

        Raises:
            TypeError: An operator such as ``grad`` differentiates by it.
        """
        _check_kept(self, "item()")
        if not index:
            if self._array.size != 1:
                raise ValueError("can only convert an array of size 1 to a Python scalar")
            return super().item()
        if len(index) == 1 and isinstance(index[0], int):
            index = np.unravel_index(index[0], self._array.shape)
        key = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
        return Tensor.item(self[tuple(key)])

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers; of a 0-d array the number.

        Raises:
            TypeError: An operator such as ``grad`` differentiates by it.
        """
        _check_kept(self, "tolist()")
        return super().tolist()

    def __float__(self) -> float:
        _check_kept(self, "float()")
        return super().__float__()

    def __complex__(self) -> complex:
        _check_kept(self, "complex()")
        return super().__complex__()

    def tobytes(self, order: str = "C") -> bytes:
        """Return the elements as bytes.

        Raises:
            RuntimeError: It requires grad.
        """
        return self.numpy(force=not self.requires_grad).tobytes(order)  # type: ignore[arg-type]

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """Return the array on a device; itself where it is there."""
        found = to(self, device=device)
        return found if found is self else raised(found, builtin_type(self))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return own(array)

    # ----------------------------------------------------------------------- in place

    def sort(
        self, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None
    ) -> None:
        """Sort in place along an axis; the history is that of the sorted elements."""
        set_item(self, ..., function("sort")(self, axis, kind, order, stable=stable))

    def partition(
        self, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None
    ) -> None:
        """Sort in place so far that the ``kth`` element is where it belongs."""
        set_item(self, ..., function("partition")(self, kth, axis, kind, order))

    def resize(self, *shape: Any, refcheck: bool = True) -> None:
        """Refuse: the memory of a tensor may be that of others.

        Raises:
            NotImplementedError: Always; ``gpugrad.numpy.resize`` returns a new array.
        """
        raise NotImplementedError("ndarray.resize: use gpugrad.numpy.resize(a, new_shape)")


builtin_type = type


class Flat:
    """The elements of an array in order, as NumPy's ``flatiter``."""

    def __init__(self, base: Any):
        """Make the elements of an array."""
        self.base = base

    def __len__(self) -> int:
        return int(self.base.size)

    def __iter__(self) -> Iterator[Any]:
        return iter(function("ravel")(self.base))

    def __getitem__(self, key: Any) -> Any:
        return function("ravel")(self.base)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        places = np.arange(self.base.size)[operands.on_host(key)]
        value = own(value, self.base.device)
        if value._array.size != 1:
            value = function("resize")(value, places.shape)
        function("put")(self.base, places, value)

    def copy(self) -> Any:
        """Return a copy in one dimension."""
        return self.base.flatten()


# --------------------------------------------------------------------------- indices


def _whole_key(key: Any, ndim: int) -> list[Any]:
    """Return an index as a list of one part for each dimension."""
    parts = list(key) if isinstance(key, tuple) else [key]
    spans = [0 if p is None or p is Ellipsis or isinstance(p, bool) else
             p.ndim if getattr(getattr(p, "dtype", None), "kind", "") == "b" else 1
             for p in parts]  # fmt: skip
    missing = ndim - sum(spans)
    place = next((k for k, p in enumerate(parts) if p is Ellipsis), len(parts))
    return [*parts[:place], *[slice(None)] * max(missing, 0), *parts[place + 1 :]]


def _is_back(part: Any) -> bool:
    return isinstance(part, slice) and part.step is not None and part.step.__index__() < 0


def _forward(part: slice, n: int) -> slice:
    """Return the slice of the same elements in the order of their indices."""
    places = range(*part.indices(n))
    if not places:
        return slice(0, 0)
    return slice(places[-1], places[0] + 1, -places.step)


def _is_number(part: Any) -> bool:
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def usual_key(key: Any) -> Any:
    """Return an index with NumPy's arrays for lists, and one number for a number beside arrays.

    Beside an array NumPy takes a number for one, which says where its dimensions go.
    """
    parts = key if isinstance(key, tuple) else (key,)
    found = [
        np.asarray(p, np.intp if not len(p) else None)
        if isinstance(p, list) and not any(True for _ in operands.tensors_in((p,)))
        else plain(p)
        if isinstance(p, list)
        else p
        for p in parts
    ]
    if any(getattr(p, "ndim", 0) for p in found) and any(
        isinstance(p, slice) or p is Ellipsis or p is None for p in found
    ):
        found = [np.asarray([p]) if _is_number(p) else p for p in found]
    return tuple(found) if isinstance(key, tuple) else found[0]


def _chosen(key: Any, shape: tuple[int, ...]) -> Any:
    """Return an index with no places for a mask without elements, which need not be as large."""
    if getattr(getattr(key, "dtype", None), "kind", "") != "b" or not key.ndim or key.size:
        return key
    fits = all(k in (0, n) for k, n in zip(key.shape, shape, strict=False))
    if key.ndim > len(shape) or not fits:
        return key
    return (np.empty(0, np.intp),) * key.ndim


def _check_kept(array: Any, asked: str) -> None:
    """Raise where an array that an operator differentiates becomes a number, and a constant."""
    if mode.transforms and mode.enabled and array.requires_grad:
        raise TypeError(
            f"{asked} of an array that is being differentiated: a Python number has no derivative, "
            "and the gradient would be lost. Compute with the array, or ask array.detach()."
        )


def item_at(array: Any, key: Any) -> Any:
    """Return ``array[key]``: a view where NumPy's is, but for steps back, which are copied.

    Raises:
        IndexError: The index does not fit.
    """
    if key.__class__ is int or (key.__class__ is slice and key.step is None):
        return indexing.getitem(array, key)
    key = _chosen(usual_key(key), array._array.shape)
    parts = key if isinstance(key, tuple) else (key,)
    if any(_is_back(p) for p in parts):
        whole = _whole_key(key, array._array.ndim)
        sizes = iter(array._array.shape)
        first: list[Any] = []
        for p in whole:
            if p is None or isinstance(p, bool):
                continue
            span = p.ndim if getattr(getattr(p, "dtype", None), "kind", "") == "b" else 1
            lengths = [next(sizes) for _ in range(span)]
            first += [_forward(p, lengths[0])] if _is_back(p) else [slice(None)] * span
        axes, k = [], 0
        for p in whole:
            if p is None or isinstance(p, bool):
                continue
            if _is_back(p):
                axes.append(k)
            k += p.ndim if getattr(getattr(p, "dtype", None), "kind", "") == "b" else 1
        turned = indexing.flip(lowered(indexing.getitem(array, tuple(first))), axes)
        rest = tuple([slice(None) if _is_back(p) else p for p in whole])
        return raised(indexing.getitem(turned, rest), array.__class__)
    return indexing.getitem(array, key)


def set_item(array: Any, key: Any, value: Any) -> None:
    """Write a value at an index, cast to the type of the array, with its history.

    Raises:
        IndexError: The index does not fit.
        RuntimeError: A leaf that requires grad.
        ValueError: The value does not broadcast to what is there.
    """
    key = usual_key(key)
    parts = key if isinstance(key, tuple) else (key,)
    if not isinstance(value, bool | int | float | complex) or isinstance(value, np.generic):
        value = plain(value, array.device)
    tracked = mode.enabled and isinstance(value, TensorBase) and value._edge is not None
    numbered = tracked and any(
        getattr(getattr(p, "dtype", None), "kind", "") in ("i", "u") for p in parts
    )
    if numbered or any(_is_back(p) for p in parts):
        numbers = np.arange(array.size).reshape(array._array.shape)
        places = numbers[operands.on_host(key)]
        if numbered:
            places, value = _last_written(places, value)
        key = tuple([
            to(plain(k), device=array.device)
            for k in np.unravel_index(places, array._array.shape)
        ])  # fmt: skip
    inplace.setitem(array, key, value)


def _last_written(places: Any, value: Any) -> tuple[Any, Any]:
    """Return places of an array and their values without those that are written again.

    The last value remains, and it alone has a gradient.
    """
    order = places.ravel()[::-1]
    found, first = np.unique(order, return_index=True)
    if len(found) == len(order):
        return places, value
    value = shapes.reshape(shapes.expand(value, places.shape), (-1,))
    kept = sent(len(order) - 1 - first, value.device)
    return found, indexing.getitem(value, kept)


# --------------------------------------------------------------------------- operators


_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
    "floordiv": "floor_divide", "mod": "remainder", "matmul": "matmul", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift",
}  # fmt: skip
_COMPARED = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}  # fmt: skip
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _known(value: Any) -> bool:
    return is_operand(value) or isinstance(value, list | tuple)


def _operators(made: ufunc) -> tuple[Callable[..., Any], ...]:
    def forward(self: Any, other: Any) -> Any:
        return made(self, other) if _known(other) else NotImplemented

    def backward(self: Any, other: Any) -> Any:
        return made(other, self) if _known(other) else NotImplemented

    def written(self: Any, other: Any) -> Any:
        return made(self, other, out=self) if _known(other) else NotImplemented

    return forward, backward, written


def _unary(made: ufunc) -> Callable[..., Any]:
    return lambda self: made(self)


def _give(name: str, operator: Callable[..., Any]) -> None:
    operator.__name__, operator.__qualname__ = name, f"ndarray.{name}"
    setattr(ndarray, name, operator)


for _name, _ufunc in _BINARY.items():
    for _prefix, _made in zip(("", "r", "i"), _operators(UFUNCS[_ufunc]), strict=True):
        _give(f"__{_prefix}{_name}__", _made)
for _name, _ufunc in _COMPARED.items():
    _give(f"__{_name}__", _operators(UFUNCS[_ufunc])[0])
for _name, _ufunc in _UNARY.items():
    _give(f"__{_name}__", _unary(UFUNCS[_ufunc]))
ndarray.__hash__ = Tensor.__hash__  # type: ignore[method-assign]

# --------------------------------------------------------------------------- functions as methods

METHODS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "clip",
    "conj", "conjugate", "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min", "nonzero",
    "prod", "put", "ravel", "repeat", "round", "searchsorted", "squeeze", "std", "sum",
    "swapaxes", "take", "trace", "var",
)  # fmt: skip


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **options: Any) -> Any:
        return function(name)(self, *args, **options)

    method.__doc__ = f"See numpy.ndarray.{name}."
    return method


def _sizes(shape: tuple[Any, ...]) -> Any:
    return shape[0] if len(shape) == 1 else shape


def _reshape(self: Any, *shape: Any, **options: Any) -> Any:
    """Return the elements in another shape: a view where that is possible."""
    if "shape" in options:
        shape = (options.pop("shape"),)
    return function("reshape")(self, _sizes(shape), **options)


def _transpose(self: Any, *axes: Any) -> Any:
    """Return a view with the dimensions in another order, without one in reverse."""
    return function("transpose")(self, None if not axes else _sizes(axes))


def _flatten(self: Any, order: str = "C") -> Any:
    """Return a copy in one dimension."""
    return function("ravel")(self.copy(), order)


def _compress(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
    """Return the elements along an axis where a condition is true."""
    return function("compress")(condition, self, axis, out)


for _name in METHODS:
    _give(_name, _method(_name))
for _name, _made in (
    ("reshape", _reshape), ("transpose", _transpose), ("flatten", _flatten),
    ("compress", _compress),
):  # fmt: skip
    _give(_name, _made)

operands.use_class(ndarray)
