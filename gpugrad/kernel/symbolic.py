"""Arrays of which only the formula is known: how a Python function becomes one operation.

A :class:`Symbol` stands for an array of a shape and a type, and holds the expression of its
elements.  Its backend, :class:`Writer`, writes formulas into each other where others compute; so
whatever is elementwise in gpugrad is in a function of ``gpugrad.formula``, with PyTorch's types.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, NoReturn, cast

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    INTEGER,
    REAL,
    Expression,
    Formula,
    call,
    constant,
    ordered,
    substitute,
)
from gpugrad.graph import mode
from gpugrad.kernel.types import Type, Value, constant_of, converted, of_dtype, wrapped

DType = np.dtype[Any]
Shape = tuple[int, ...]


def refuse(what: str) -> NoReturn:
    """Raise ``NotImplementedError`` for what no formula can have."""
    raise NotImplementedError(
        f"gpugrad.formula: {what}. A formula says what one element is: operations of elements, "
        "where() for conditions, and its arguments and numbers; compute everything else outside"
    )


class Symbol:
    """An array without elements: the expression that each has."""

    __slots__ = ("dtype", "expression", "shape")

    def __init__(self, expression: Expression, shape: Shape, dtype: DType):
        """Make an array of a shape and a type whose elements an expression says."""
        self.expression = expression
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def strides(self) -> Shape:
        """The steps in memory that the array would have."""
        steps = [self.dtype.itemsize]
        for n in self.shape[:0:-1]:
            steps.append(steps[-1] * n)
        return tuple(reversed(steps))[: self.ndim]

    def __getitem__(self, key: Any) -> Any:
        if key is Ellipsis:
            return Symbol(self.expression, self.shape, self.dtype)
        if _last(key, self.ndim) == 0 and self.shape[-1:] == (1,):
            return Symbol(self.expression, self.shape[:-1], self.dtype)
        refuse("an index, which asks for elements")

    def view(self, dtype: DType) -> Pair:
        """Return the parts of a complex symbol, along a last axis of length 1 that it has."""
        parts = [call(name, self.expression) for name in ("real", "imag")]
        return Pair(parts, (*self.shape[:-1], 2), dtype)

    def __getattr__(self, name: str) -> Any:
        refuse(f"'{name}' of an argument, which asks for its elements")

    def __bool__(self) -> bool:
        refuse("an argument's value decides what is run")


def _last(key: Any, ndim: int) -> Any:
    """Return the index of the last axis, if all others are whole."""
    if not isinstance(key, tuple):
        return None
    if key[-1] is Ellipsis and len(key) == ndim + 1:
        key = key[:-1]
    return key[-1] if all(k is Ellipsis or k == slice(None) for k in key[:-1]) else None


class Pair:
    """The two parts of a complex symbol, which lie along a last axis."""

    def __init__(self, parts: list[Expression], shape: Shape, dtype: DType):
        """Make them of expressions, or of none that are assigned later."""
        self.parts, self.shape, self.dtype = parts, shape, dtype
        self.ndim, self.size = len(shape), prod(shape)

    def __getitem__(self, key: Any) -> Any:
        index = _last(key, self.ndim)
        if index not in (0, 1):
            refuse("an index, which asks for elements")
        return Part(self, index)

    def view(self, dtype: DType) -> Symbol:
        """Return the complex symbol, with a last axis of length 1."""
        return Symbol(self.parts[0] + self.parts[1] * 1j, (*self.shape[:-1], 1), dtype)


class Part(Symbol):
    """One part of a pair, which may be assigned."""

    __slots__ = ("index", "pair")

    def __init__(self, pair: Pair, index: int):
        """Make the part of this index."""
        super().__init__(pair.parts[index], pair.shape[:-1], pair.dtype)
        self.pair, self.index = pair, index


class _Library:
    """What operations ask of the library of a symbol."""

    @staticmethod
    def expand_dims(array: Symbol, axis: int) -> Symbol:
        """Return a symbol with a last axis of length 1."""
        return Symbol(array.expression, (*array.shape, 1), array.dtype)

    def __getattr__(self, name: str) -> Any:
        refuse(f"the operation '{name}' is not elementwise")


class Writer:
    """The backend of symbols; what no formula can say raises."""

    type = "cpu"
    xp = _Library()
    plain = None  # nothing computes what it writes

    def __init__(self) -> None:
        """Begin with no type that anything was computed in."""
        self.computed: set[DType] = set()

    def device_of(self, array: Symbol) -> device:
        """Return a device, which is that of the arguments when the formula runs."""
        return device("cpu")

    def own(self, array: Symbol) -> Symbol:
        """Return the symbol itself."""
        return array

    def copy(self, array: Symbol, order: str = "K") -> Symbol:
        """Return an equal symbol."""
        return Symbol(array.expression, array.shape, array.dtype)

    def broadcast_to(self, array: Symbol, shape: Shape) -> Symbol:
        """Return the symbol with a larger shape."""
        np.broadcast_shapes(array.shape, shape)
        return Symbol(array.expression, tuple(shape), array.dtype)

    def full(self, shape: Shape, value: Any, dtype: DType, where: Any = None) -> Symbol:
        """Return a symbol of one number."""
        return Symbol(constant_of(value, of_dtype(dtype)).expression, tuple(shape), dtype)

    def empty(self, shape: Shape, dtype: DType, where: Any = None, order: Any = None) -> Pair:
        """Return room for the parts of a complex symbol."""
        if shape[-1:] != (2,):
            refuse("an array that is written")
        return Pair([constant(0), constant(0)], tuple(shape), dtype)

    def assign(self, target: Any, source: Symbol) -> None:
        """Set a part of a complex symbol."""
        if not isinstance(target, Part):
            refuse("a write in place")
        target.pair.parts[target.index] = source.expression

    def astype(self, array: Symbol, dtype: DType) -> Symbol:
        """Return a symbol with another element type; complex to real keeps the real part."""
        value = Value(array.expression, of_dtype(array.dtype))
        if array.dtype.kind == "c" and dtype.kind not in "cb":
            value = Value(call("real", value.expression), of_dtype(np.dtype(np.float64)))
        return Symbol(converted(value, of_dtype(dtype)).expression, array.shape, dtype)

    def evaluate(
        self,
        formula: Formula,
        arrays: Sequence[Any],
        compute: DType,
        results: Sequence[DType],
        sum_to: Shape | None = None,
        out: Any = None,
        summed: int = 0,
    ) -> list[Symbol]:
        """Return symbols of a formula whose inputs are symbols and NumPy's scalars."""
        if out is not None:
            refuse("a write in place")
        if sum_to is not None:
            refuse("a sum")
        if not mode.enabled:
            refuse("no_grad(), or an autograd.Function")
        if compute.kind not in "iub":
            self.computed.add(compute)
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        kind = of_dtype(compute)
        values = {v: _operand(a, v.kind, kind) for v, a in zip(formula.inputs, arrays, strict=True)}
        if kind.kind in (BOOL, INTEGER):
            for part in ordered(formula.outputs):
                if part.function == "constant" and part.kind == REAL:
                    if part.value != int(cast("Any", part.value)):
                        refuse(f"the number {part.value} of a formula of integers")
                    values[part] = constant(int(cast("Any", part.value)), INTEGER)
        found = []
        for e, dtype in zip(formula.outputs, results, strict=True):
            written = substitute(e, values)
            target = of_dtype(dtype)
            if written.kind == INTEGER and target.kind == INTEGER and target.bits < 64:
                written = wrapped(written, target)
            elif written.kind != target.kind and not (
                written.kind == REAL and target.kind == COMPLEX
            ):
                written = converted(Value(written, _type(written.kind, target)), target).expression
            found.append(Symbol(written, shape, dtype))
        return found

    def __getattr__(self, name: str) -> Any:
        refuse(f"the operation '{name}' is not elementwise")


def _type(kind: str, target: Type) -> Type:
    return Type(kind, 64 if kind == INTEGER else max(target.bits, 8))


def _operand(array: Any, kind: str, compute: Type) -> Expression:
    """Return the expression of an operand as a formula's input of a kind computes with it."""
    if not isinstance(array, Symbol):
        return constant_of(
            array.item(), Type(kind, compute.bits) if kind == BOOL else compute
        ).expression
    value = Value(array.expression, of_dtype(array.dtype))
    target = compute
    if kind == BOOL:
        target = Type(BOOL, 8)
    elif compute.kind == COMPLEX and kind == REAL:
        target = Type(REAL, compute.bits // 2)
    elif compute.kind == BOOL:
        return value.expression
    return converted(value, target).expression


@contextmanager
def writing() -> Iterator[Writer]:
    """Have symbols be written by a new writer, which is returned, in this thread's turn."""
    with _TURN:
        writer = Writer()
        backend.BACKENDS |= dict.fromkeys(_KINDS, cast("backend.Backend", writer))
        try:
            yield writer
        except RuntimeError as error:
            if "to be on the same device" not in str(error):
                raise
            refuse("a tensor that is none of its arguments, so that no gradient would reach it")
        finally:
            for kind in _KINDS:
                del backend.BACKENDS[kind]


_KINDS: tuple[type, ...] = (Symbol, Part, Pair)

_TURN = threading.RLock()
