"""``out=``: results that are written into tensors of the user's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from gpugrad import _dtype, backend, errors
from gpugrad.graph import TensorBase, mode
from gpugrad.op.dual import has_tangents
from gpugrad.op.operation import different_devices
from gpugrad.op.saved import note_write, own_array
from gpugrad.op.writable import SHARED, check_memory, check_scope, share_memory


def check(function: str, out: Any, operands: Sequence[Any]) -> None:
    """Raise where a function may not write into ``out``.

    Raises:
        RuntimeError: A gradient would be lost, or it may not be written in place either.
        NotImplementedError: A tangent would be.
        TypeError: ``out`` is no tensor, nor a tuple of them.
    """
    outs = out if isinstance(out, tuple | list) else (out,)
    if not all(isinstance(o, TensorBase) for o in outs):
        raise _not_a_tensor(function, out)
    parts = [p for o in operands for p in (o if isinstance(o, tuple | list) else (o,))]
    known: list[Any] = [t for t in (*parts, *outs) if isinstance(t, TensorBase)]
    if mode.enabled and any(t.requires_grad for t in known):
        raise RuntimeError(
            f"{function}(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad."
        )
    if mode.levels and has_tangents(known):
        raise NotImplementedError(
            f"Trying to use forward AD with {function}_out that does not support it because it is "
            "an out= function"
        )
    for o in outs:
        check_scope(o)
        # what a reduction reads may lie where its result is to be, as in PyTorch
        check_memory(o, *(p for p in known if p._array.size <= o._array.size))


def check_apart(out: Any, result: Any, operands: Sequence[Any], first: int) -> None:
    """Raise where ``out`` shares memory with an operand; it may be one of those before ``first``.

    It is asked of the memory that it has once it has grown to the size of the result.

    Raises:
        RuntimeError: It does.
    """
    targets = out if isinstance(out, tuple | list) else (out,)
    results = result if isinstance(result, tuple) else (result,)
    for target, r in zip(targets, results, strict=False):
        size = r._array.nbytes
        for place, o in enumerate(operands):
            if o is target and place < first:
                continue
            for part in o if isinstance(o, tuple | list) else (o,):
                if isinstance(part, TensorBase) and (
                    part is target or share_memory(target, part, size)
                ):
                    raise RuntimeError(SHARED)


def check_types(out: Any, result: Any, sentence: str = "") -> None:
    """Raise where ``out`` is of another type than a result; there may be a sentence for that.

    Raises:
        RuntimeError: It is.
    """
    check_type(out, _dtype.of(result._array.dtype), sentence)


def check_type(out: Any, wanted: _dtype.dtype, sentence: str = "") -> None:
    """Raise where ``out`` is of another type than the one that is wanted; see :func:`check_types`.

    Raises:
        RuntimeError: It is.
    """
    given = _dtype.of(out._array.dtype)
    if given is not wanted:
        raise RuntimeError(
            sentence.format(wanted=wanted.title, given=given.title)
            or f"Expected out tensor to have dtype {wanted.c_name}, but got {given.c_name} instead"
        )


def prepare(out: Any, options: dict[str, Any]) -> bool:
    """Give the options of a new tensor the type and the device of ``out``.

    Return whether that is to require grad.

    Raises:
        RuntimeError: Another type was asked for.
    """
    kind = _dtype.of(out._array.dtype)
    asked = options.get("dtype")
    if asked is not None and asked is not kind:
        raise RuntimeError(
            f"dtype {asked.title} does not match dtype of out parameter ({kind.title})"
        )
    options["dtype"] = kind
    if options.get("device") is None:
        options["device"] = out.device
    return bool(options.pop("requires_grad", False))


def _not_a_tensor(function: str, out: Any) -> TypeError:
    return TypeError(f"{function}(): argument 'out' must be Tensor, not {type(out).__name__}")


def written(function: str, out: Any, result: Any) -> Any:
    """Write a result, or a tuple of them, into ``out``, and return that.

    A tensor of another shape gets the memory of the result, as PyTorch resizes it.

    Raises:
        RuntimeError: The type of the result is of a higher category, or it is on another device.
        TypeError: There are not as many tensors as results.
    """
    if isinstance(out, tuple | list) is not isinstance(result, tuple):
        raise _not_a_tensor(function, out)
    if isinstance(result, tuple):
        if len(out) != len(result):
            raise TypeError(f"expected tuple of {len(result)} elements but got {len(out)}")
        for o, r in zip(out, result, strict=True):
            check_types(o, r)
            _check_fits(o, r)
        for o, r in zip(out, result, strict=True):
            _write(o, r)
        return type(result)(*out) if hasattr(result, "_fields") else tuple(out)
    _check_fits(out, result)
    _write(out, result)
    return out


def _check_fits(out: Any, result: Any) -> None:
    """Raise where a result cannot be written into ``out``.

    Raises:
        RuntimeError: Its type is of a higher category, or it is on another device.
    """
    source, target = _dtype.of(result._array.dtype), _dtype.of(out._array.dtype)
    if not _dtype.can_cast(source, target):
        raise RuntimeError(
            f"result type {source.title} can't be cast to the desired output type {target.title}"
        )
    here, there = (backend.of(t._array).device_of(t._array) for t in (out, result))
    if here != there:
        raise different_devices([here, there])


def _write(out: Any, result: Any) -> None:
    door, array = backend.of(out._array), result._array
    if out._array.shape == array.shape:
        door.assign(own_array(out), array)
    else:
        if out._array.size:
            warnings.warn(
                "An output with one or more elements was resized since it had shape "
                f"{errors.size(out._array.shape)}, which does not match the required output shape "
                f"{errors.size(array.shape)}. This behavior is deprecated, and in a future PyTorch "
                "release outputs will not be resized unless they have zero elements. You can "
                "explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
                "t.resize_(0).",
                UserWarning,
                stacklevel=5,
            )
        out._array = door.copy(door.astype(array, out._array.dtype))
    note_write(out)
