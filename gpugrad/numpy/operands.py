"""What the functions of :mod:`gpugrad.numpy` are given, and of which class their results are.

Operations compute with plain tensors: an operand is *lowered* on the way in, and results are
*raised* to the class of the operands by :func:`door` on the way out.  Views, and what writes in
place, are of the operand itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import CPU
from gpugrad._device import device as Device  # noqa: N812
from gpugrad.graph import LEAF, TensorBase, mode
from gpugrad.numpy.examples import in_turn
from gpugrad.op import saved
from gpugrad.op.follower import Follower
from gpugrad.ops import inplace
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone, to
from gpugrad.ops.creation import finish, from_numpy
from gpugrad.ops.joining import stack

F = TypeVar("F", bound=Callable[..., Any])

# The class of arrays, which is made of the functions that need it: ``arrays`` puts it here.
array_class: Any = None


def use_class(kind: type[TensorBase]) -> None:
    """Make a class that of the results."""
    global array_class
    array_class = kind


# --------------------------------------------------------------------------- classes


def tensors_in(values: Any) -> Iterator[Any]:
    """Yield the tensors among some values, and in their tuples, lists and dictionaries."""
    for v in values:
        if isinstance(v, TensorBase):
            yield v
        elif v.__class__ is tuple or v.__class__ is list:
            yield from tensors_in(v)
        elif v.__class__ is dict:
            yield from tensors_in(v.values())


def class_of(values: Any) -> type[TensorBase]:
    """Return the class of what is computed from some values.

    It is that of the tensors among them, by the rules for subclasses, and ``ndarray`` where there
    are none.

    Raises:
        TypeError: Two are of subclasses of which neither derives from the other.
    """
    found = list(tensors_in(values))
    if not found:
        return array_class
    return saved.heir(found) or saved.tensor_class


def raised(result: Any, kind: type[TensorBase], out: Any = None, given: Sequence[Any] = ()) -> Any:
    """Return a new result, or several in a tuple or list, as of a class.

    ``out`` is returned as it is; another one that was ``given`` by the user stays what it is, and
    is seen through a view.
    """
    if isinstance(result, TensorBase):
        if (
            result is out
            or result.__class__ is kind
            or not (saved.is_plain(result) or result.__class__ is array_class)
        ):
            return result
        if any(result is g for g in given):
            result = shapes.alias(result)
        return saved.of_class(result, kind)
    if isinstance(result, tuple | list):
        parts = [raised(r, kind, out, given) for r in result]
        return result._make(parts) if hasattr(result, "_make") else result.__class__(parts)
    return result


def lowered(tensor: Any) -> Any:
    """Return a tensor as a plain one with its history, for results that share no memory with it."""
    return tensor if tensor.__class__ is saved.tensor_class else twin(tensor)


def twin(tensor: Any) -> Any:
    """Return another plain tensor with the memory and the history of one.

    A leaf, which gradients are added to, is seen through a view.
    """
    view = tensor._view
    if view is not None:
        if isinstance(view.base, Follower):
            return saved.of_class(shapes.alias(tensor), saved.tensor_class)
        saved.check_view(tensor)
    if (tensor._edge is LEAF and mode.enabled) or saved.is_dual(tensor):
        return saved.of_class(shapes.alias(tensor), saved.tensor_class)
    plain = saved.wrap(tensor._array)
    plain._edge = tensor._edge
    plain._counter = saved.shared_counter(tensor)
    return plain


def door(function: F) -> F:
    """Put a function of NumPy's name into the namespace.

    Its results are of the class of what it is given; see :func:`class_of`.  What ``out=`` writes
    over is saved as it was.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    place = names.index("out") if "out" in names else len(names)  # where out= may be given

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        given = list(tensors_in((args, options)))
        kind = class_of(given)
        out = options.get("out", args[place] if place < len(args) else None)
        if out is not None:
            args = (*apart(args[:place], out), *args[place:])
        return raised(function(*args, **options), kind, out, given)

    if not called.__doc__:
        called.__doc__ = f"See numpy.{function.__name__}; it has gradients."
    DOORS.setdefault(_home(function.__module__), {})[function.__name__] = called
    called.__module__ = _home(function.__module__)
    return called  # type: ignore[return-value]


def also(function: Any, *names: str) -> None:
    """Give a function of the namespace more names."""
    for name in names:
        DOORS[function.__module__][name] = function


def _home(module: str) -> str:
    """Return the namespace to which the functions of a module belong."""
    end = module.rpartition(".")[2]
    own_ = end in ("linalg", "fft", "random") or module.startswith("gpugrad.scipy.")
    return module if own_ else "gpugrad.numpy"


DOORS: dict[str, dict[str, Any]] = {}  # the functions, by namespace and name


# --------------------------------------------------------------------------- of array libraries


def plain_of_arrays(value: Any) -> Any:
    """Return an argument with arrays in the place of tensors, and NumPy's types for ours."""
    if isinstance(value, TensorBase):
        saved.read(value)
        return saved.own_array(value)
    if value.__class__ is tuple or value.__class__ is list:
        return value.__class__(map(plain_of_arrays, value))
    return value.numpy if isinstance(value, _dtype.dtype) else value


def from_library(value: Any) -> Any:
    """Return a result with tensors in the place of arrays."""
    if backend.is_array(value):
        return own(value)
    if isinstance(value, tuple | list):
        parts = [from_library(v) for v in value]
        return value._make(parts) if hasattr(value, "_make") else value.__class__(parts)
    return value


def library(name: str, hidden: Any = None) -> Any:
    """Put a function without a derivative into the namespace: the array library's own.

    Inside of ``vmap`` it is another one, ``hidden``, or is called for each example.

    Where CuPy has none of this name or not with these arguments, NumPy's computes on the host.
    """
    theirs = getattr(np, name)

    def function(*args: Any, **options: Any) -> Any:
        if mode.batches:
            if hidden is not None:  # operations know the hidden axes of vmap
                return hidden(*args, **options)
            return in_turn(name, on_arrays, args, options)
        return on_arrays(*args, **options)

    def on_arrays(*args: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        where = place_of(tensors_in((args, options)))
        given = [plain_of_arrays(a) for a in args]
        named = {key: plain_of_arrays(v) for key, v in options.items()}
        if where is None:
            found = theirs(*given, **named)
        else:
            found = _on_gpu(name, theirs, given, named, where)
        return written(name, out, from_library(found))

    functools.update_wrapper(function, theirs, ("__name__", "__qualname__"))
    del function.__wrapped__  # type: ignore[attr-defined]
    function.__doc__ = f"See numpy.{name}; it has no derivative."
    function.__module__ = "gpugrad.numpy.operands"
    return door(function)


def _on_gpu(name: str, theirs: Any, args: Any, options: Any, where: Device) -> Any:
    door_ = backend.of_device(where)
    own_ = getattr(door_.xp, name, None)
    if own_ is not None:
        try:
            return own_(*args, **options)
        except (AttributeError, NotImplementedError, TypeError):
            pass  # CuPy's knows fewer arguments; what NumPy does not know, raises there
    found = theirs(*map(on_host, args), **{key: on_host(v) for key, v in options.items()})

    def moved(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return value.__class__(map(moved, value))
        return door_.from_numpy(np.asarray(value), where) if backend.is_array(value) else value

    return moved(found)


# --------------------------------------------------------------------------- operands


def dtype_of(given: Any) -> np.dtype[Any]:
    """Return NumPy's type of what names one: NumPy's, gpugrad's, Python's or a name.

    Raises:
        TypeError: Arrays have no such type.
    """
    if isinstance(given, _dtype.dtype):
        return given.numpy
    kind = np.dtype(given)
    _dtype.of(kind)
    return kind


def own(value: Any, where: Device | None = None) -> Any:
    """Return a tensor as it is, and anything else as one, which shares the memory of an array.

    Raises:
        TypeError: It is of a type that arrays do not have.
    """
    if isinstance(value, TensorBase):
        return value
    if not backend.is_array(value):
        if any(True for _ in tensors_in((value,))):
            return joined(value)
        value = np.asarray(value)
        _dtype.of(value.dtype)
        if where is not None and where.type != "cpu":
            return finish(to(saved.wrap(value), where), False)
    if isinstance(value, np.generic):
        value = np.asarray(value)
    return saved.of_class(from_numpy(value), array_class)


def joined(parts: Any) -> Any:
    """Return nested sequences of numbers, arrays and tensors as one array, with its history."""
    places = {t.device for t in tensors_in((parts,))}
    where = next((p for p in places if p.type != "cpu"), CPU)
    found = [plain(p, where) for p in parts]
    kind = np.result_type(*(f._array.dtype for f in found))
    shapes_ = {f._array.shape for f in found}
    if len(shapes_) > 1:
        raise ValueError(
            "setting an array element with a sequence. The requested array has an inhomogeneous "
            f"shape: its elements are of the shapes {', '.join(map(str, sorted(shapes_)))}"
        )
    return stack([cast(to(f, where), kind) for f in found], 0)


def plain(value: Any, where: Device | None = None) -> Any:
    """Return a tensor, an array, or nested sequences, as a plain tensor with its history."""
    return lowered(own(value, where))


def array_of(value: Any, where: Device | None = None) -> Any:
    """Return a tensor, an array, or nested sequences, as an ndarray with its history.

    It is for results that share no memory with it.
    """
    if value.__class__ is array_class:
        return value
    found = plain(value, where)
    return saved.of_class(twin(found) if found is value else found, array_class)


def cast(tensor: Any, kind: np.dtype[Any]) -> Any:
    """Return a tensor as one of a type of NumPy's; itself where it is."""
    return tensor if tensor._array.dtype == kind else to(tensor, _dtype.of(kind))


def place_of(values: Any) -> Device | None:
    """Return the device of the first tensor or array of a GPU among some values."""
    for v in values:
        if isinstance(v, TensorBase) or (backend.is_array(v) and not isinstance(v, np.generic)):
            array = v._array if isinstance(v, TensorBase) else v
            where = backend.of(array).device_of(array)
            if where.type != "cpu":
                return where
    return None


def sent(array: Any, where: Device | None) -> Any:
    """Return an array that a function made on the host as a plain tensor on a device."""
    made = finish(saved.wrap(np.asarray(array)), False)
    return made if where is None else to(made, where)


def plains(*values: Any) -> list[Any]:
    """Return operands as plain tensors, of which sequences and numbers go where the others are."""
    where = place_of(values)
    return [plain(v, where) for v in values]


def promoted(*values: Any, kind: Any = None) -> list[Any]:
    """Return operands as plain tensors of one type, which NumPy promotes them to.

    Python's numbers do not widen what stands beside them.
    """
    found = plains(*values)
    if kind is None:
        kind = common_type(values, found)
    return [cast(f, kind) for f in found]


def common_type(values: Sequence[Any], tensors: Sequence[Any]) -> np.dtype[Any]:
    """Return the type that NumPy promotes operands to; the tensors are the same as tensors."""
    kinds = [
        v if isinstance(v, int | float | complex) and not isinstance(v, bool | np.generic)
        else t._array.dtype
        for v, t in zip(values, tensors, strict=True)
    ]  # fmt: skip
    return np.result_type(*kinds)


def inexact(kind: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which NumPy divides numbers of a type: integers as float64."""
    return kind if kind.kind in _dtype.INEXACT else np.dtype(np.float64)


# --------------------------------------------------------------------------- out=


def apart(values: Any, out: Any) -> Any:
    """Return operands with copies, which are recorded, of those that a result is written over.

    What is saved of them for a backward stays as it was.
    """
    outs = [o for o in (out if isinstance(out, tuple) else (out,)) if isinstance(o, TensorBase)]
    tracked = mode.enabled and any(t.requires_grad for t in tensors_in((values,)))
    if not outs or not tracked:
        return values
    counters = [saved.shared_counter(o) for o in outs]
    return values.__class__([
        clone(own(v))
        if isinstance(v, TensorBase) and any(v._counter is c for c in counters) else v
        for v in values
    ])  # fmt: skip


def written(function: str, out: Any, result: Any, casting: str = "same_kind") -> Any:
    """Write a result into ``out=``, and return that; the result itself where there is none.

    A tensor gets the history of the result.

    Raises:
        TypeError: ``out`` is no array, its type cannot hold the result, or it is NumPy's or
            CuPy's, which would lose the history.
        ValueError: Its shape is another one.
        RuntimeError: It is a leaf that requires grad.
    """
    if out is None:
        return result
    if isinstance(out, tuple) and len(out) == 1:
        return written(function, out[0], result, casting)
    result = own(result)
    check_out(function, out, result, casting)
    if not isinstance(out, TensorBase):
        backend.of(out).assign(out, result._array)
        return out
    target: Any = out
    inplace.copy_(target, lowered(result))
    return out


def check_out(function: str, out: Any, result: Any, casting: str) -> None:
    """Raise where a result cannot be written into ``out=``; see :func:`written`."""
    array = out._array if isinstance(out, TensorBase) else out
    if not backend.is_array(array) and not isinstance(out, TensorBase):
        raise TypeError(f"{function}: out= must be an array, not {type(out).__name__}")
    if not isinstance(out, TensorBase) and mode.enabled and result.requires_grad:
        raise TypeError(
            f"{function}: out= is a plain array, which has no history, but an operand requires "
            "grad. Give a tensor, such as gpugrad.numpy.empty_like(out), or no out=."
        )
    if not np.can_cast(result._array.dtype, array.dtype, casting):  # type: ignore[arg-type]
        raise TypeError(
            f"Cannot cast {function} output from {result._array.dtype!r} to {array.dtype!r} with "
            f"casting rule {casting!r}"
        )
    if result._array.shape != array.shape:
        try:
            fits = np.broadcast_shapes(result._array.shape, array.shape) == array.shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"{function}: out= has shape {tuple(array.shape)}, but the result has shape "
                f"{tuple(result._array.shape)}"
            )
    if not isinstance(out, TensorBase):
        if backend.of(array) is not backend.of(result._array):
            raise TypeError(f"{function}: out= and the result are on different devices")
    else:
        inplace.check_writable(out, result)


def refuse_tracked(function: str, why: str, *values: Any) -> None:
    """Raise where one of some arguments requires grad, and the result would lose that.

    Raises:
        TypeError: One does.
    """
    if mode.enabled and any(t.requires_grad for t in tensors_in(values)):
        raise TypeError(f"{function}: an argument requires grad, but {why}. Give it x.detach().")


def on_host(value: Any) -> Any:
    """Return an index, or data that says what is computed, as NumPy's arrays."""
    if isinstance(value, TensorBase):
        saved.read(value)
        return backend.of(value._array).to_numpy(saved.own_array(value))
    if isinstance(value, tuple):
        return tuple(map(on_host, value))
    if isinstance(value, list) and any(True for _ in tensors_in(value)):
        return [on_host(v) for v in value]
    return backend.of(value).to_numpy(value) if backend.is_array(value) else value
