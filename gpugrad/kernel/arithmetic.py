"""The operators of C++ on values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    INTEGER,
    Expression,
    call,
    constant,
)
from gpugrad.kernel.tokens import Unsupported
from gpugrad.kernel.types import (
    BOOLEAN,
    INT,
    Type,
    Value,
    common,
    converted,
    promoted,
    real,
    truth,
    untrue,
    whole,
    wrapped,
)
from gpugrad.op import OPS

_NAMES = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "&": "bitand", "|": "bitor",
    "^": "bitxor",
}  # fmt: skip
_OPERATIONS = {
    "/": "cut_quotient", "%": "fmod", "<<": "bitwise_left_shift", ">>": "bitwise_right_shift",
}  # fmt: skip
_COMPARED = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _cut_quotient(x: int, y: int) -> int:
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


_FOLDED: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y,
    "/": _cut_quotient, "%": lambda x, y: x - y * _cut_quotient(x, y), "&": lambda x, y: x & y,
    "|": lambda x, y: x | y, "^": lambda x, y: x ^ y, "<<": lambda x, y: x << y,
    ">>": lambda x, y: x >> y,
    "==": lambda x, y: x == y, "!=": lambda x, y: x != y, "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y, ">": lambda x, y: x > y, ">=": lambda x, y: x >= y,
}  # fmt: skip


def binary(sign: str, x: Value, y: Value) -> Value:
    """Return ``x sign y`` in the type that C++ computes it in.

    Raises:
        Unsupported: The operator does not belong to the types.
    """
    kind = promoted(x.type) if sign in ("<<", ">>") else common(x.type, y.type)
    if sign in _COMPARED:
        return _compared(sign, converted(x, kind), converted(y, kind), kind)
    if sign not in _NAMES and sign not in _OPERATIONS:
        raise Unsupported(f"the operator {sign!r}")
    if kind.kind == INTEGER:
        return _of_integers(sign, converted(x, kind), converted(y, kind), kind)
    if sign not in ("+", "-", "*", "/"):
        raise Unsupported(f"{sign!r} of real numbers")
    x, y = _plain(x, kind), _plain(y, kind)
    if sign == "/" and y.known and y.number == 0 and x.known:
        return real(_over_zero(x.number))
    return Value(call(_NAMES[sign], x.expression, y.expression), kind)


def _plain(x: Value, kind: Type) -> Value:
    """Return an operand: a real one stays real beside a complex one."""
    if kind.kind == COMPLEX and x.type.kind != COMPLEX:
        return converted(x, Type("real", kind.bits // 2))
    return converted(x, kind)


def _over_zero(x: float) -> float:
    return math.nan if x == 0 or x != x else math.copysign(math.inf, x)


def _compared(sign: str, x: Value, y: Value, kind: Type) -> Value:
    if kind.kind == COMPLEX and sign not in ("==", "!="):
        raise Unsupported(f"{sign!r} of complex numbers, which have no order")
    a, b = x.expression, y.expression
    if x.known and y.known:
        left, right = (_unsigned(v.number, kind) for v in (x, y))
        return Value(constant(bool(_FOLDED[sign](left, right))), BOOLEAN)
    if kind.bits == 64 and not kind.signed and sign not in ("==", "!="):
        a, b = _turned(a), _turned(b)
    return Value(call(_COMPARED[sign], a, b), BOOLEAN)


def _unsigned(value: Any, kind: Type) -> Any:
    return value % (1 << kind.bits) if kind.kind == INTEGER and not kind.signed else value


def _turned(e: Expression) -> Expression:
    """Return an integer whose order among signed ones is that of ``e`` among unsigned ones."""
    return call("bitxor", e, constant(-(1 << 63), INTEGER))


def _of_integers(sign: str, x: Value, y: Value, kind: Type) -> Value:
    a, b = x.expression, y.expression
    if x.known and y.known:
        if sign in "/%" and y.number == 0:
            raise Unsupported("a division of integers by 0")
        left, right = _unsigned(x.number, kind), _unsigned(y.number, kind)
        return Value(wrapped(constant(_FOLDED[sign](left, right), INTEGER), kind), kind)
    if sign == "/":
        neutral = y.known and y.number == 1
        e = a if neutral else _quotient("/", a, b, kind)
    elif sign == "%":
        e = _quotient("%", a, b, kind)
    elif sign in "+-" and y.known and y.number == 0:
        e = a
    elif sign == "+" and x.known and x.number == 0:
        e = b
    elif sign == ">>" and kind.bits == 64 and not kind.signed:
        raise Unsupported("'>>' of an unsigned integer of 64 bits")
    elif sign in _OPERATIONS:
        e = OPS[_OPERATIONS[sign]](a, b)
    else:
        e = call(_NAMES[sign], a, b)
    narrow = not kind.signed and sign in ("+", "-", "*", "<<")
    return Value(wrapped(e, kind) if narrow else e, kind)


def _quotient(sign: str, a: Expression, b: Expression, kind: Type) -> Expression:
    if kind.bits < 64 or kind.signed:
        return OPS[_OPERATIONS[sign]](a, b)
    if not (b.function == "constant" and isinstance(b.value, int) and b.value > 0):
        raise Unsupported("a quotient of unsigned integers of 64 bits; make them int")
    # what is at least 2**63 is kept as a negative number: half of it is none
    one, two = constant(1, INTEGER), constant(2, INTEGER)
    shifted = OPS["bitwise_right_shift"](a, one)
    half = call("bitand", shifted, constant((1 << 63) - 1, INTEGER))
    quotient = call("mul", OPS["cut_quotient"](half, b), two)
    rest = call("sub", a, call("mul", quotient, b))
    more = call("ge", _turned(rest), _turned(b))
    quotient = call("where", more, call("add", quotient, one), quotient)
    return quotient if sign == "/" else call("sub", a, call("mul", quotient, b))


def unary(sign: str, x: Value) -> Value:
    """Return ``sign x``.

    Raises:
        Unsupported: There is no such operator of a number.
    """
    if sign == "!":
        return Value(untrue(truth(x).expression), BOOLEAN)
    kind = promoted(x.type)
    x = converted(x, kind)
    if sign == "+":
        return x
    if sign == "-":
        if x.known:
            number = constant(-x.number, INTEGER if kind.kind == INTEGER else "")
            e = wrapped(number, kind) if kind.kind == INTEGER else number
            return Value(e, kind)
        e = call("neg", x.expression)
        return Value(wrapped(e, kind) if kind.kind == INTEGER and not kind.signed else e, kind)
    if sign == "~" and kind.kind == INTEGER:
        if x.known:
            return Value(wrapped(constant(~x.number, INTEGER), kind), kind)
        return Value(wrapped(call("bitnot", x.expression), kind), kind)
    raise Unsupported(f"{sign!r} of a number")


def incremented(x: Value, sign: str) -> Value:
    """Return ``x + 1`` or ``x - 1``."""
    one = whole(1, INT) if x.type.kind in (BOOL, INTEGER) else real(1)
    return converted(binary(sign, x, one), x.type)
