"""NumPy's ufuncs as objects: called on tensors, with ``out=``, ``where=`` and types, and methods.

A ufunc of an ndarray computes in the types that NumPy's own ufunc says; one of plain tensors
promotes as their operators do.  What it computes, :mod:`gpugrad.numpy.table` says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.backend import is_array
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy import operands as known
from gpugrad.numpy.cores import moved
from gpugrad.numpy.operands import (
    apart,
    cast,
    check_out,
    class_of,
    dtype_of,
    lowered,
    own,
    place_of,
    plain,
    raised,
    twin,
    written,
)
from gpugrad.op import saved
from gpugrad.op.forms import PUBLIC
from gpugrad.op.promotion import is_operand
from gpugrad.ops import inplace, joining
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone, to
from gpugrad.ops.filled import zeros
from gpugrad.ops.indexing import getitem

NO_VALUE: Any = np._NoValue

# Classes of operands that have no function of their own for ufuncs.
_KNOWN = {int, float, complex, bool, list, tuple, np.ndarray, np.float64}

BY_NUMPY: dict[Any, ufunc] = {}  # ours, by NumPy's ufunc; that of another library may be added
_WEAK = {int: int, float: float, complex: complex}


def _answers(operand: Any) -> bool:
    """Tell whether an operand holds a tensor and answers NumPy's ufuncs itself, as xarray's do.

    It calls NumPy's ufunc again, with what it holds.
    """
    return (
        getattr(type(operand), "__array_ufunc__", None) is not None
        and not isinstance(operand, TensorBase)
        and not is_array(operand)
        and isinstance(getattr(operand, "data", None), TensorBase)
    )


class ufunc:  # noqa: N801  NumPy's name
    """A function of elements, as NumPy's of the same name.

    ``gpugrad.numpy.add(x, y, out=z, where=mask, dtype=float)``; where the mask is false, ``out``
    stays as it was, and without one the result is 0.
    """

    def __init__(
        self,
        theirs: Any,
        compute: Callable[..., Any],
        numbers: bool = False,
        reduction: Callable[..., Any] | None = None,
        accumulation: Callable[..., Any] | None = None,
    ):
        """Make the ufunc that is NumPy's, or another library's, and computes with plain tensors.

        Args:
            theirs: The one which says the types, the number of operands and the identity.
            compute: A function of plain tensors of these types.
            numbers: Whether it takes Python numbers, too.
            reduction: Its ``reduce`` over axes: ``f(tensor, axes, keepdims)``.
            accumulation: Its ``accumulate`` along an axis: ``f(tensor, axis)``.
        """
        self.theirs, self.compute, self.numbers = theirs, compute, numbers
        self.reduction, self.accumulation = reduction, accumulation
        self.__name__ = self.__qualname__ = theirs.__name__
        self.__module__ = "gpugrad.numpy"
        self.__doc__ = f"See numpy.{theirs.__name__}; it has gradients."
        self.nin, self.nout, self.nargs = theirs.nin, theirs.nout, theirs.nargs
        self.identity, self.signature = theirs.identity, theirs.signature
        self.ntypes, self.types = theirs.ntypes, theirs.types
        self._found: dict[Any, Any] = {}  # types by types, as NumPy said once
        BY_NUMPY[theirs] = self

    def __repr__(self) -> str:
        return f"<ufunc '{self.__name__}' of gpugrad.numpy>"

    def __reduce__(self) -> str:
        return self.__name__

    # ----------------------------------------------------------------------- types

    def resolve_dtypes(self, dtypes: Any, **options: Any) -> Any:
        """Return the types in which NumPy computes; see ``numpy.ufunc.resolve_dtypes``."""
        return self.theirs.resolve_dtypes(dtypes, **options)

    def _types(self, values: Sequence[Any], dtype: Any, signature: Any, casting: str) -> Any:
        """Return the types of the operands and the results, as NumPy's ufunc says.

        Raises:
            TypeError: It has none for these operands.
        """
        kinds = tuple([
            _WEAK[v.__class__] if v.__class__ in _WEAK
            else v._array.dtype if isinstance(v, TensorBase) else np.result_type(v)
            for v in values
        ])  # fmt: skip
        key = kinds, dtype, signature, casting
        found = self._found.get(key)
        if found is None:
            if all(isinstance(k, type) for k in kinds):  # numbers among themselves are arrays
                kinds = tuple([np.result_type(k) for k in kinds])
            options = {"casting": casting} if casting != "same_kind" else {}
            if dtype is not None:
                signature = (*(None,) * self.nin, *(dtype_of(dtype),) * self.nout)
            elif isinstance(signature, str):
                signature = tuple(map(np.dtype, signature.replace("->", "")))
            if signature is not None:
                options["signature"] = signature
            found = self.theirs.resolve_dtypes((*kinds, *(None,) * self.nout), **options)
            for kind in found:
                _dtype.of(kind)
            self._found[key] = found
        return found

    def _operand(self, value: Any, kind: np.dtype[Any], where: Any) -> Any:
        """Return an operand as a plain tensor of a type, or as a number."""
        if value.__class__ in _WEAK:
            number = np.asarray(value, kind) if kind.kind in "iu" else value
            if self.numbers and kind.kind in "iufc":
                return value
            with np.errstate(all="ignore"):
                return saved.wrap(np.asarray(number).astype(kind)[()])
        return cast(plain(value, where), kind)

    # ----------------------------------------------------------------------- calls

    def __call__(
        self,
        *inputs: Any,
        out: Any = None,
        where: Any = True,
        casting: str = "same_kind",
        order: str = "K",
        dtype: Any = None,
        subok: bool = True,
        signature: Any = None,
        **cores: Any,
    ) -> Any:
        """Return the result, or a tuple of several, written into ``out`` where there is one.

        Ufuncs of matrices and vectors also know ``axes``, ``axis`` and ``keepdims``.

        Raises:
            TypeError: A wrong number of operands, or NumPy has no types for them; ``out`` is a
                plain array and an operand requires grad.
        """
        nin = self.nin
        if len(inputs) > nin:
            if out is not None or len(inputs) > self.nargs:
                raise TypeError(
                    f"{self.__name__}() takes from {nin} to {self.nargs} positional arguments but "
                    f"{len(inputs)} were given"
                )
            inputs, rest = inputs[:nin], inputs[nin:]
            out = (*rest, *(None,) * (self.nout - len(rest)))
        elif len(inputs) < nin:
            raise TypeError(
                f"{self.__name__}() takes from {nin} to {self.nargs} positional arguments but "
                f"{len(inputs)} were given"
            )
        for v in inputs:
            if v.__class__ not in _KNOWN and _answers(v):
                given = {
                    "out": out, "where": where, "casting": casting, "order": order,
                    "dtype": dtype, "subok": subok, "signature": signature,
                }  # fmt: skip
                defaults: Any = type(self).__call__.__kwdefaults__
                named = {k: g for k, g in given.items() if g is not defaults[k]}
                return self.theirs(*inputs, **named)
        if cores:
            if out is not None:
                inputs = apart(inputs, out)

            def call(*given: Any) -> Any:
                return self(*given, casting=casting, dtype=dtype, signature=signature)

            found = moved(self.__name__, self.signature, call, inputs, **cores)
            out = out[0] if isinstance(out, tuple) else out
            return written(self.__name__, out, found, casting)
        outs = out if isinstance(out, tuple) else (out,) * self.nout
        if len(outs) != self.nout:
            raise TypeError("The 'out' tuple must have exactly one entry per ufunc output")
        kind = class_of(inputs if out is None else (inputs, outs))
        if out is not None:
            inputs = apart(inputs, outs)
        if where is not True:
            return self._masked(inputs, outs, where, casting, dtype, signature, kind)
        results = self._computed(inputs, kind, dtype, signature, casting)
        if out is not None:
            for o, r in zip(outs, results, strict=True):  # before one of them is written
                if o is not None:
                    check_out(self.__name__, o, r, casting)
            results = tuple([
                written(self.__name__, o, r, casting) for o, r in zip(outs, results, strict=True)
            ])  # fmt: skip
        found = tuple([raised(r, kind, o) for r, o in zip(results, outs, strict=True)])
        return found if self.nout > 1 else found[0]

    def _computed(
        self, inputs: Sequence[Any], kind: Any, dtype: Any, signature: Any, casting: str
    ) -> tuple[Any, ...]:
        """Return the results, in a tuple, for operands whose class says the rules."""
        where = place_of(inputs)
        if not issubclass(kind, known.array_class) and dtype is None and signature is None:
            operator = OPERATORS.get(self.__name__)
            if operator is not None:
                return (self._by_operator(operator, inputs, where),)
            operands = known.plains(*inputs)
            results = self.compute(*operands)
            results = results if isinstance(results, tuple) else (results,)
        else:
            values = [
                v if v.__class__ in _WEAK or isinstance(v, TensorBase | np.generic)
                else own(v, where) for v in inputs
            ]  # fmt: skip
            if self.numbers and not any(isinstance(v, TensorBase) for v in values):
                values[0] = own(values[0])
            types = self._types(values, dtype, signature, casting)
            try:
                operands = [self._operand(v, t, where) for v, t in zip(values, types, strict=False)]
            except OverflowError:
                found = self._beyond(values, types)
                if found is None:
                    raise
                return (found,)
            results = self.compute(*operands)
            results = results if isinstance(results, tuple) else (results,)
            results = tuple([
                cast(r, t) for r, t in zip(results, types[self.nin :], strict=True)
            ])  # fmt: skip
        return tuple([clone(r) if any(r is o for o in operands) else r for r in results])

    def _by_operator(self, operator: str, inputs: Sequence[Any], where: Any) -> Any:
        """Return what the operator of plain tensors gives, whichever of the operands is one."""
        a, b = [v if is_operand(v) else plain(v, where) for v in inputs]
        if isinstance(a, TensorBase):
            found = getattr(saved.tensor_class, f"__{operator}__")(a, b)
        else:
            found = getattr(saved.tensor_class, f"__{REFLECTED.get(operator, operator)}__")(b, a)
        if found is NotImplemented:
            raise TypeError(
                f"{self.__name__}: unsupported operands {type(a).__name__} and {type(b).__name__}"
            )
        return found

    def _beyond(self, values: Sequence[Any], types: Any) -> Any:
        """Return a comparison with a Python integer that the type does not hold, or ``None``."""
        if self.__name__ not in COMPARISONS:
            return None
        wide = [
            cast(lowered(v), np.dtype(np.float64)) if isinstance(v, TensorBase)
            else np.copysign(np.inf, v) for v in values
        ]  # fmt: skip
        return self.compute(*wide)

    def _masked(
        self,
        inputs: Sequence[Any],
        outs: Sequence[Any],
        where: Any,
        casting: str,
        dtype: Any,
        signature: Any,
        kind: Any,
    ) -> Any:
        """Return results that are computed where a mask is true, and nowhere else."""
        place = place_of((*inputs, *outs))
        mask = plain(where, place)
        if mask._array.dtype.kind != "b":
            raise TypeError(
                f"Cannot cast array data from {mask._array.dtype!r} to dtype('bool') according to "
                "the rule 'safe'"
            )
        tensors = [None if v.__class__ in _WEAK else own(v, place) for v in inputs]
        whole = [t._array.shape for t in (*tensors, mask) if t is not None]
        shape = np.broadcast_shapes(*whole, *(o.shape for o in outs if o is not None))
        mask = shapes.broadcast_to(mask, shape)
        chosen = [
            v if t is None else raised(
                getitem(shapes.broadcast_to(lowered(t), shape), mask), t.__class__
            )
            for v, t in zip(inputs, tensors, strict=True)
        ]  # fmt: skip
        results = self._computed(chosen, kind, dtype, signature, casting)
        found = []
        for o, r in zip(outs, results, strict=True):
            if o is None:
                target = (
                    zeros(*shape, dtype=_dtype.of(r._array.dtype), device=r.device)
                    if (shape)
                    else zeros((), dtype=_dtype.of(r._array.dtype), device=r.device)
                )
            else:
                target = o
                if not isinstance(o, TensorBase):
                    if mode.enabled and r.requires_grad:
                        written(self.__name__, o, r, casting)
                    o[mask.numpy(force=True)] = r.numpy(force=True)
                    found.append(o)
                    continue
                if not np.can_cast(r._array.dtype, o._array.dtype, casting):  # type: ignore[arg-type]
                    written(self.__name__, o, r, casting)
            inplace.setitem(target, mask, r)
            found.append(raised(target, kind) if o is None else o)
        return tuple(found) if self.nout > 1 else found[0]

    # ----------------------------------------------------------------------- methods

    def _check_method(self, method: str) -> None:
        if self.signature is not None:
            raise RuntimeError(f"{method} is not defined on ufuncs with core dimensions")
        if self.nin != 2 or self.nout != 1:
            raise ValueError(f"{method} only supported for binary functions that return one value")

    def _fold_type(self, tensor: Any, dtype: Any) -> np.dtype[Any]:
        """Return the type in which elements are put together."""
        if dtype is not None:
            return dtype_of(dtype)
        kind = tensor._array.dtype
        if self.__name__ in ("add", "multiply") and kind.kind in "biu" and kind.itemsize < 8:
            return np.dtype(np.uint64 if kind.kind == "u" else np.int64)
        if self.__name__.startswith("logical_"):
            return np.dtype(bool)
        return self.theirs.resolve_dtypes((kind, kind, None))[-1]

    def _begun(self, array: Any, dtype: Any) -> tuple[Any, np.dtype[Any]]:
        tensor = plain(array)
        kind = self._fold_type(tensor, dtype)
        return cast(tensor, kind), kind

    def reduce(
        self,
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = NO_VALUE,
        where: Any = True,
    ) -> Any:
        """Return the elements along axes, put together; see ``numpy.ufunc.reduce``.

        Raises:
            ValueError: There are no elements, and it has no identity; it has no such method.
        """
        self._check_method("reduce")
        kind_of_result = class_of((array, out, initial))
        tensor, kind = self._begun(array, dtype)
        ndim = tensor._array.ndim
        axes = normal_axes(axis, ndim)
        if where is not True:
            given = None if initial is NO_VALUE else initial
            start = given if self.identity is None else self.identity
            if start is None:
                raise ValueError(
                    f"reduction operation '{self.__name__}' does not have an identity, so to use a "
                    "where mask one has to specify 'initial'"
                )
            tensor = pw.where(plain(where, tensor.device), tensor, cast(plain(start), kind))
        empty = any(tensor._array.shape[k] == 0 for k in axes)
        if empty and initial is NO_VALUE and self.identity is None:
            raise ValueError(
                f"zero-size array to reduction operation {self.__name__} which has no identity"
            )
        if not axes:
            found = clone(tensor)
        elif empty:
            start = self.identity if initial is NO_VALUE or initial is None else initial
            left = [1 if k in axes else n for k, n in enumerate(tensor._array.shape)]
            found = shapes.broadcast_to(to(cast(plain(start), kind), tensor.device), left)
            found = clone(found if keepdims else shapes.squeeze(found, axes))
        elif self.reduction is not None:
            found = self.reduction(tensor, axes, keepdims)
        else:
            found, parts = tensor, list[Any]()
            for k in sorted(axes, reverse=True):
                if initial is not NO_VALUE and initial is not None:  # which is the first
                    parts, initial = [cast(to(plain(initial), tensor.device), kind)], None
                found = functools.reduce(self._pair(kind), (*parts, *joining.unbind(found, k)))
                parts = []
                if keepdims:
                    found = shapes.unsqueeze(found, k)
        if initial is not NO_VALUE and initial is not None and not empty:
            found = self._pair(kind)(cast(to(plain(initial), tensor.device), kind), found)
        found = cast(found, kind)
        return raised(written(f"{self.__name__}.reduce", out, found), kind_of_result, only(out))

    def _pair(self, kind: np.dtype[Any]) -> Callable[[Any, Any], Any]:
        return lambda a, b: cast(self.compute(a, b), kind)

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """Return at each place the elements up to it, put together; see ``numpy``'s."""
        self._check_method("accumulate")
        kind_of_result = class_of((array, out))
        tensor, kind = self._begun(array, dtype)
        if not tensor._array.ndim:
            raise TypeError("cannot accumulate on a scalar")
        (k,) = normal_axes(axis, tensor._array.ndim)
        if not tensor._array.size:
            found = clone(tensor)
        elif self.accumulation is not None:
            found = self.accumulation(tensor, k)
        else:
            parts, pair = list(joining.unbind(tensor, k)), self._pair(kind)
            for j in range(1, len(parts)):
                parts[j] = pair(parts[j - 1], parts[j])
            found = joining.stack(parts, k)
        found = written(f"{self.__name__}.accumulate", out, cast(found, kind))
        return raised(found, kind_of_result, only(out))

    def reduceat(
        self, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
    ) -> Any:
        """Return slices of an axis, each put together; see ``numpy.ufunc.reduceat``.

        Raises:
            IndexError: An index is out of bounds.
        """
        self._check_method("reduceat")
        kind_of_result = class_of((array, out))
        tensor, kind = self._begun(array, dtype)
        (k,) = normal_axes(axis, tensor._array.ndim)
        n = tensor._array.shape[k]
        starts = [int(i) for i in np.asarray(known.on_host(indices))]
        for i in starts:
            if not 0 <= i < n:
                raise IndexError(f"index {i} out-of-bounds in {self.__name__}.reduceat [0, {n})")
        parts = []
        for j, first in enumerate(starts):
            last = starts[j + 1] if j + 1 < len(starts) else n
            part = getitem(tensor, (*(slice(None),) * k, slice(first, max(last, first + 1))))
            parts.append(self.reduce(part, k, kind))
        found = joining.stack(parts, k)
        return raised(written(f"{self.__name__}.reduceat", out, found), kind_of_result, only(out))

    def outer(self, a: Any, b: Any, /, **options: Any) -> Any:
        """Return the result for each pair of an element of one and one of the other."""
        self._check_method("outer")
        x, y = (v if isinstance(v, TensorBase) else own(v, place_of((a, b))) for v in (a, b))
        behind = (1,) * y._array.ndim
        kind = class_of((a, b))
        left = raised(shapes.reshape(lowered(x), (*x._array.shape, *behind)), kind)
        return self(left, raised(twin(y), kind), **options)

    def at(self, a: Any, indices: Any, b: Any = None, /) -> None:
        """Write the result at indices of ``a``, in turn for what is named twice.

        Raises:
            TypeError: ``a`` is a plain array and ``b`` requires grad.
        """
        if self.signature is not None or self.nout > 1 or self.nin > 2:
            raise TypeError(f"{self.__name__}.at is not defined")
        if not isinstance(a, TensorBase):
            tracked = any(mode.enabled and t.requires_grad for t in known.tensors_in((b,)))
            if tracked:
                raise TypeError(
                    f"{self.__name__}.at writes into a plain array, which has no history, but an "
                    "operand requires grad. Give a tensor in its place."
                )
            whole = own(a)
            self.at(whole, indices, b)  # on the same memory
            return
        target: Any = a
        shape, device = target._array.shape, target.device
        numbers = np.arange(target._array.size).reshape(shape)
        places = numbers[known.on_host(indices)]
        operands = [None] if b is None else [
            shapes.reshape(shapes.broadcast_to(plain(b, device), places.shape), (-1,))
        ]  # fmt: skip
        flat = places.reshape(-1)
        if self.__name__ == "add" and shape:  # at once, however often a place is named
            added: Any = operands[0]
            if not np.can_cast(added._array.dtype, target._array.dtype, "same_kind"):
                written("add.at", target, added)
            at = [known.sent(w, device) for w in np.unravel_index(flat, shape)]
            inplace.index_put_(target, at, cast(added, target._array.dtype), True)
            return
        for turn in turns(flat):
            where = np.unravel_index(flat[turn], shape)
            index = tuple([known.sent(w, device) for w in where]) if shape else (...,)
            before = raised(getitem(lowered(target), index), known.array_class)
            values = [
                raised(getitem(o, known.sent(turn, device)), known.array_class)
                for o in operands if o is not None
            ]  # fmt: skip
            after = self(before, *values)
            if not np.can_cast(after._array.dtype, target._array.dtype, "same_kind"):
                written(f"{self.__name__}.at", before, after)
            inplace.setitem(target, index, lowered(after))


def only(out: Any) -> Any:
    """Return the one array of ``out=``, which NumPy's protocol gives in a tuple."""
    return out[0] if isinstance(out, tuple) else out


def turns(places: Any) -> list[Any]:
    """Return which of some places are taken in which turn, so that each turn names none twice."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    fresh = np.ones(len(ordered), bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    counts = np.arange(len(ordered)) - np.maximum.accumulate(
        np.where(fresh, np.arange(len(ordered)), 0)
    )  # fmt: skip
    return [np.sort(order[counts == k]) for k in range(int(counts.max(initial=-1)) + 1)]


def normal_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return axes counted from the front; all for ``None``.

    Raises:
        AxisError: There is no such axis.
        ValueError: One is named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if ndim == 0 and not isinstance(axis, tuple | list) and axis in (0, -1):
        return ()
    given = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    found = []
    for k in given:
        k = k.__index__()
        if not -ndim <= k < ndim:
            raise np.exceptions.AxisError(k, ndim)
        found.append(k % ndim)
    if len(set(found)) < len(found):
        raise ValueError("duplicate value in 'axis'")
    return tuple(found)


# Of plain tensors these ufuncs are the operators; the second table has those with the operands
# exchanged.
OPERATORS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "power": "pow",
    "floor_divide": "floordiv", "remainder": "mod", "matmul": "matmul", "bitwise_and": "and",
    "bitwise_or": "or", "bitwise_xor": "xor", "left_shift": "lshift", "right_shift": "rshift",
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge",
}  # fmt: skip
REFLECTED = {
    "lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne",
    **{name: f"r{name}" for name in (
        "add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "matmul", "and", "or", "xor",
        "lshift", "rshift",
    )},
}  # fmt: skip
COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}


def op(name: str) -> Any:
    """Return a declared operation on tensors by its public name."""
    return PUBLIC[name].plain
