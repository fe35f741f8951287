"""The types of C++ that a kernel's values have, and values: an expression with its type.

Real and complex numbers are computed in the one type of the whole kernel, so of theirs only the
widest matters.  Integers have 64 bits and are cut to their own width where C++ cuts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    INTEGER,
    REAL,
    Expression,
    call,
    constant,
)
from gpugrad.kernel.tokens import Unsupported


@dataclass(frozen=True)
class Type:
    """A type of numbers."""

    kind: str
    bits: int
    signed: bool = True

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type of arrays of it."""
        letter = {BOOL: "?", INTEGER: "i" if self.signed else "u", REAL: "f", COMPLEX: "c"}
        size = "" if self.kind == BOOL else str(self.bits // 8)
        return np.dtype(letter[self.kind] + size)


BOOLEAN = Type(BOOL, 8)
INT, UNSIGNED = Type(INTEGER, 32), Type(INTEGER, 32, False)
LONG, UNSIGNED_LONG = Type(INTEGER, 64), Type(INTEGER, 64, False)
HALF, FLOAT, DOUBLE = Type(REAL, 16), Type(REAL, 32), Type(REAL, 64)
LITERAL = Type(REAL, 0)  # of a number with a point: it takes the type of what it meets
VOID = Type(BOOL, 0)

NAMES: dict[str, Type] = {
    "void": VOID, "bool": BOOLEAN,
    "char": Type(INTEGER, 8), "int": INT, "short": Type(INTEGER, 16), "long": LONG,
    "char signed": Type(INTEGER, 8), "char unsigned": Type(INTEGER, 8, False),
    "short unsigned": Type(INTEGER, 16, False), "int short": Type(INTEGER, 16),
    "int short unsigned": Type(INTEGER, 16, False),
    "unsigned": UNSIGNED, "int unsigned": UNSIGNED, "signed": INT, "int signed": INT,
    "int long": LONG, "long long": LONG, "int long long": LONG,
    "long unsigned": UNSIGNED_LONG, "int long unsigned": UNSIGNED_LONG,
    "long long unsigned": UNSIGNED_LONG, "int long long unsigned": UNSIGNED_LONG,
    "ptrdiff_t": LONG, "ssize_t": LONG, "size_t": UNSIGNED_LONG, "uint": UNSIGNED,
    **{f"int{b}_t": Type(INTEGER, b) for b in (8, 16, 32, 64)},
    **{f"uint{b}_t": Type(INTEGER, b, False) for b in (8, 16, 32, 64)},
    **{f"int{b}": Type(INTEGER, b) for b in (8, 16, 32, 64)},
    **{f"uint{b}": Type(INTEGER, b, False) for b in (8, 16, 32, 64)},
    "float16": HALF, "half": HALF, "__half": HALF, "bfloat16": HALF,
    "float": FLOAT, "float32": FLOAT, "double": DOUBLE, "float64": DOUBLE,
    "complex": Type(COMPLEX, 0), "complex64": Type(COMPLEX, 64), "complex128": Type(COMPLEX, 128),
}  # fmt: skip


def of_dtype(dtype: np.dtype[Any]) -> Type:
    """Return the type of an array's elements."""
    kinds = {"b": BOOL, "i": INTEGER, "u": INTEGER, "c": COMPLEX}
    kind = kinds.get(dtype.kind, REAL)
    return Type(kind, 8 * dtype.itemsize, dtype.kind != "u")


@dataclass(frozen=True)
class Value:
    """An expression, and the type that C++ gives it."""

    expression: Expression
    type: Type

    @property
    def known(self) -> bool:
        """Whether it is a constant."""
        return self.expression.function == "constant"

    @property
    def number(self) -> Any:
        """The constant that it is."""
        return self.expression.value


TRUE, FALSE = Value(constant(True), BOOLEAN), Value(constant(False), BOOLEAN)


def whole(value: int, type_: Type = LONG) -> Value:
    """Return an integer."""
    return Value(constant(value, INTEGER), type_)


def real(value: float) -> Value:
    """Return a real number."""
    return Value(constant(value), LITERAL)


def constant_of(value: Any, kind: Type) -> Value:
    """Return a number of Python's as a value of a type."""
    if kind.kind == BOOL:
        return Value(constant(bool(value)), kind)
    if kind.kind == INTEGER:
        return Value(constant(int(value), INTEGER), kind)
    return Value(constant(complex(value) if kind.kind == COMPLEX else float(value)), kind)


# --------------------------------------------------------------------------- truth


def both(x: Expression, y: Expression) -> Expression:
    """Return ``x && y``."""
    for one, other in ((x, y), (y, x)):
        if one.function == "constant":
            return other if one.value else one
    return x if x is y else call("both", x, y)


def either(x: Expression, y: Expression) -> Expression:
    """Return ``x || y``."""
    for one, other in ((x, y), (y, x)):
        if one.function == "constant":
            return one if one.value else other
    return x if x is y else call("either", x, y)


def untrue(x: Expression) -> Expression:
    """Return ``!x``."""
    if x.function == "constant":
        return constant(not x.value)
    return x.args[0] if x.function == "untrue" else call("untrue", x)


def chosen(condition: Expression, yes: Expression, no: Expression) -> Expression:
    """Return ``condition ? yes : no``."""
    if yes is no:
        return yes
    if yes.kind == BOOL and no.kind == BOOL:
        if yes.function == "constant":
            return either(condition, no) if yes.value else both(untrue(condition), no)
        if no.function == "constant":
            return either(untrue(condition), yes) if no.value else both(condition, yes)
    return call("where", condition, yes, no)


# --------------------------------------------------------------------------- conversions


def converted(value: Value, target: Type) -> Value:
    """Return a value as C++ converts it where a variable of type ``target`` is set.

    Raises:
        Unsupported: A complex number is asked to be a real one.
    """
    source, e = value.type, value.expression
    if source.kind == COMPLEX and target.kind != COMPLEX:
        raise Unsupported("a complex number where a real one is stored; take .real() of it")
    if target.kind == BOOL:
        return truth(value)
    if target.kind == INTEGER:
        return _cut(whole_of(value), source, target)
    if target.kind == COMPLEX and source.kind == COMPLEX:
        return Value(e, target)
    if e.kind in (BOOL, INTEGER):
        e = constant(int(value.number)) if value.known else _number(e, source)
    if target.kind == COMPLEX:
        e = e + constant(0j)
    return Value(e, target)


def _number(e: Expression, source: Type) -> Expression:
    if source.bits == 64 and not source.signed:
        sign = call("lt", e, constant(0, INTEGER))
        return call("number", e) + call("where", sign, constant(2.0**64), constant(0.0))
    return call("number", e)


def truth(value: Value) -> Value:
    """Return whether a value is not 0."""
    e = value.expression
    if e.kind == BOOL:
        return Value(e, BOOLEAN)
    if value.known:
        return Value(constant(bool(e.value)), BOOLEAN)
    zero = constant(0, INTEGER) if e.kind == INTEGER else constant(0)
    return Value(call("ne", e, zero), BOOLEAN)


def whole_of(value: Value) -> Expression:
    """Return a value cut to an integer of 64 bits."""
    e = value.expression
    if e.kind == INTEGER:
        return e
    return constant(int(value.number), INTEGER) if value.known else call("whole", e)


def _cut(e: Expression, source: Type, target: Type) -> Value:
    """Return an integer of 64 bits as one of ``target``."""
    fits = source.kind == BOOL or (
        source.kind == INTEGER
        and source.bits + (target.signed and not source.signed) <= target.bits
        and (source.signed is False or target.signed)
    )
    return Value(e if fits else wrapped(e, target), target)


def wrapped(e: Expression, target: Type) -> Expression:
    """Return an integer of 64 bits as the bits of ``target`` say."""
    if e.function == "constant":
        number: Any = e.value
        span = 1 << target.bits
        value = int(number) % span
        # 64 unsigned bits are kept as the signed number of the same bits
        signed = target.signed or target.bits == 64
        return constant(value - span if signed and value >= span // 2 else value, INTEGER)
    if target.bits == 64:
        return e
    mask = constant((1 << target.bits) - 1, INTEGER)
    if not target.signed:
        return call("bitand", e, mask)
    half = constant(1 << (target.bits - 1), INTEGER)
    return call("sub", call("bitand", call("add", e, half), mask), half)


def promoted(type_: Type) -> Type:
    """Return the type in which C++ computes with one."""
    if type_.kind == BOOL or (type_.kind == INTEGER and type_.bits < 32):
        return INT
    return type_


_RANK = (BOOL, INTEGER, REAL, COMPLEX)


def common(x: Type, y: Type) -> Type:
    """Return the type in which C++ computes with two."""
    x, y = promoted(x), promoted(y)
    if x.kind != y.kind:
        return x if _RANK.index(x.kind) > _RANK.index(y.kind) else y
    if x.bits != y.bits:
        return x if x.bits > y.bits else y
    return x if not x.signed else y
