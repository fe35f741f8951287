"""The functions that kernels call, in terms of declared operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from gpugrad.formulas import COMPLEX, INTEGER, REAL, Expression, call, constant
from gpugrad.kernel.arithmetic import binary, unary
from gpugrad.kernel.tokens import Unsupported
from gpugrad.kernel.types import (
    BOOLEAN,
    HALF,
    INT,
    LITERAL,
    Type,
    Value,
    chosen,
    common,
    converted,
    promoted,
    real,
    truth,
    whole,
)
from gpugrad.op import OPS

Maker = Callable[..., Expression]

# Names of C++ and CUDA beside those of the operations that they are.
_UNARY = {
    **{
        name: name
        for name in (
            "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sin", "cos",
            "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
            "cbrt", "ceil", "floor", "trunc", "rint", "erf", "erfc", "erfcx", "erfinv", "lgamma",
        )
    },
    "nearbyint": "rint", "normcdf": "ndtr", "normcdfinv": "ndtri", "j0": "bessel_j0",
    "j1": "bessel_j1", "y0": "bessel_y0", "y1": "bessel_y1", "cyl_bessel_i0": "i0",
    "cyl_bessel_i1": "i1", "digamma": "digamma",
}  # fmt: skip
_OF_COMPLEX = {
    "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos",
    "atan", "asinh", "acosh", "atanh",
}  # fmt: skip
_BINARY = {
    "pow": "power", "atan2": "atan2", "hypot": "hypot", "fmod": "fmod", "copysign": "copysign",
    "fmax": "fmax", "fmin": "fmin",
}  # fmt: skip
_TESTS = {"isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite", "signbit": "signbit"}
_FAST = {  # CUDA's functions of fewer digits
    "__expf": "exp", "__exp10f": "exp10", "__logf": "log", "__log2f": "log2", "__log10f": "log10",
    "__sinf": "sin", "__cosf": "cos", "__tanf": "tan", "__powf": "pow", "__fdividef": "fdivide",
    "__saturatef": "saturate", "__frcp_rn": "reciprocal", "__fsqrt_rn": "sqrt",
    "__frsqrt_rn": "rsqrt", "__fmaf_rn": "fma", "__fadd_rn": "add", "__fmul_rn": "mul",
    "__fdiv_rn": "fdivide", "__drcp_rn": "reciprocal", "__dsqrt_rn": "sqrt",
}  # fmt: skip

CONSTANTS = {
    "M_PI": math.pi, "M_E": math.e, "M_PI_2": math.pi / 2, "M_PI_4": math.pi / 4,
    "M_1_PI": 1 / math.pi, "M_2_PI": 2 / math.pi, "M_2_SQRTPI": 2 / math.sqrt(math.pi),
    "M_SQRT2": math.sqrt(2), "M_SQRT1_2": math.sqrt(0.5), "M_LN2": math.log(2),
    "M_LN10": math.log(10), "M_LOG2E": 1 / math.log(2), "M_LOG10E": 1 / math.log(10),
    "CUDART_PI": math.pi, "CUDART_PI_F": math.pi, "CUDART_INF": math.inf,
    "CUDART_INF_F": math.inf, "CUDART_NAN": math.nan, "CUDART_NAN_F": math.nan,
    "INFINITY": math.inf, "NAN": math.nan, "HUGE_VAL": math.inf,
    "FLT_MAX": float(np.finfo(np.float32).max), "FLT_MIN": float(np.finfo(np.float32).tiny),
    "FLT_EPSILON": float(np.finfo(np.float32).eps), "DBL_MAX": float(np.finfo(np.float64).max),
    "DBL_MIN": float(np.finfo(np.float64).tiny), "DBL_EPSILON": float(np.finfo(np.float64).eps),
    "INT_MAX": 2**31 - 1, "INT_MIN": -(2**31),
}  # fmt: skip
for _name in ("SQRT_TWO", "SQRT_HALF", "LN2_HI"):
    _known = {"SQRT_TWO": math.sqrt(2), "SQRT_HALF": math.sqrt(0.5), "LN2_HI": math.log(2)}
    CONSTANTS[f"CUDART_{_name}"] = CONSTANTS[f"CUDART_{_name}_F"] = _known[_name]


def _floating(x: Value) -> Value:
    """Return a value as the real or complex number that functions compute with."""
    return x if x.type.kind in (REAL, COMPLEX) else converted(x, LITERAL)


def _no_complex(name: str, values: Sequence[Value]) -> None:
    if any(v.type.kind == COMPLEX for v in values):
        raise Unsupported(f"{name}() of complex numbers")


def _round(x: Value) -> Value:
    cut = OPS["trunc"](x.expression)
    far = call("ge", call("abs", x.expression - cut), constant(0.5))
    away = OPS["copysign"](constant(1.0), x.expression)
    return Value(call("where", far, cut + away, cut), x.type)


def _tgamma(x: Value) -> Value:
    e = x.expression
    odd = call("ne", OPS["remainder"](OPS["floor"](e), constant(2.0)), constant(0))
    negative = call("both", call("lt", e, constant(0)), odd)
    size = call("exp", OPS["lgamma"](e))
    return Value(call("where", negative, -size, size), x.type)


def _remainder(x: Value, y: Value) -> Value:
    quotient = OPS["rint"](x.expression / y.expression)
    return Value(x.expression - quotient * y.expression, common(x.type, y.type))


def _saturate(x: Value) -> Value:
    low = OPS["fmax"](x.expression, constant(0.0))
    return Value(OPS["fmin"](low, constant(1.0)), x.type)


_MADE: dict[str, Callable[..., Value]] = {
    "round": _round, "tgamma": _tgamma, "remainder": _remainder,
    "saturate": _saturate,
    "rcbrt": lambda x: binary("/", real(1), Value(OPS["cbrt"](x.expression), x.type)),
    "exp10": lambda x: Value(OPS["power"](constant(10.0), x.expression), x.type),
    "sinpi": lambda x: Value(call("sin", x.expression * math.pi), x.type),
    "cospi": lambda x: Value(call("cos", x.expression * math.pi), x.type),
    "fdim": lambda x, y: Value(
        OPS["maximum"](x.expression - y.expression, constant(0.0)), common(x.type, y.type)
    ),
    "fdivide": lambda x, y: binary("/", x, y),
    "reciprocal": lambda x: binary("/", real(1), x),
    "fma": lambda x, y, z: binary("+", binary("*", x, y), z),
    "add": lambda x, y: binary("+", x, y),
    "mul": lambda x, y: binary("*", x, y),
    "ldexp": lambda x, n: Value(
        x.expression * OPS["power"](constant(2.0), n.expression), x.type
    ),
}  # fmt: skip
_MADE["scalbn"] = _MADE["ldexp"]


# --------------------------------------------------------------------------- complex numbers


def real_part(x: Value) -> Value:
    """Return the real part of a number."""
    if x.type.kind != COMPLEX:
        return _floating(x)
    return Value(call("real", x.expression), Type(REAL, x.type.bits // 2))


def imaginary_part(x: Value) -> Value:
    """Return the imaginary part of a number."""
    if x.type.kind != COMPLEX:
        return real(0.0)
    return Value(call("imag", x.expression), Type(REAL, x.type.bits // 2))


def complex_of(x: Value, y: Value, target: Type) -> Value:
    """Return the complex number of two parts."""
    part = Type(REAL, target.bits // 2)
    x, y = converted(x, part), converted(y, part)
    if x.known and y.known:
        return Value(constant(complex(x.number, y.number)), target)
    return Value(x.expression + y.expression * 1j, target)


def _norm(x: Value) -> Value:
    a, b = real_part(x), imaginary_part(x)
    return binary("+", binary("*", a, a), binary("*", b, b))


def _polar(size: Value, angle: Value) -> Value:
    wide = Type(COMPLEX, 2 * common(size.type, angle.type).bits)
    x, y = (Value(call(n, angle.expression), angle.type) for n in ("cos", "sin"))
    return complex_of(binary("*", size, x), binary("*", size, y), wide)


_PARTS: dict[str, Callable[..., Value]] = {
    "real": real_part, "imag": imaginary_part, "norm": _norm, "polar": _polar,
    "conj": lambda x: Value(call("conj", x.expression), x.type),
    "arg": lambda x: Value(OPS["angle"](x.expression), real_part(x).type),
}  # fmt: skip


# --------------------------------------------------------------------------- calls


def _absolute(x: Value) -> Value:
    if x.type.kind == COMPLEX:
        return Value(call("abs", x.expression), Type(REAL, x.type.bits // 2))
    kind = promoted(x.type)
    if kind.kind == INTEGER:
        x = converted(x, kind)
        negative = binary("<", x, Value(constant(0, INTEGER), INT))
        return Value(chosen(negative.expression, unary("-", x).expression, x.expression), kind)
    return Value(call("abs", x.expression), x.type)


def _extreme(name: str, x: Value, y: Value) -> Value:
    kind = common(x.type, y.type)
    _no_complex(name, (x, y))
    x, y = converted(x, kind), converted(y, kind)
    if kind.kind != INTEGER:
        return Value(OPS[f"f{name}"](x.expression, y.expression), kind)
    first = binary(">" if name == "max" else "<", x, y)
    if first.known:
        return x if first.number else y
    return Value(chosen(first.expression, x.expression, y.expression), kind)


def plain_name(name: str) -> str:
    """Return the name of a function without what tells its type: ``sinf`` is ``sin``."""
    if name in _FAST:
        return _FAST[name]
    short = name[:-1]
    if name == "sincosf":
        return "sincos"
    known = name in _UNARY or name in _BINARY or name in _MADE or name in _TESTS
    if (
        not known
        and name.endswith("f")
        and (
            short in _UNARY
            or short in _BINARY
            or short in _MADE
            or short == "fabs"
            or short in _TESTS
        )
    ):
        return short
    return name


def called(name: str, values: Sequence[Value]) -> Value | None:
    """Return what a function gives, None where none of this name is known.

    Raises:
        Unsupported: It does not take such values.
    """
    name = plain_name(name)
    if name in ("abs", "fabs", "labs", "llabs") and len(values) == 1:
        return _absolute(_floating(values[0]) if name == "fabs" else values[0])
    if name in ("max", "min") and len(values) == 2:
        return _extreme(name, *values)
    if name in _TESTS and len(values) == 1:
        return Value(OPS[_TESTS[name]](_floating(values[0]).expression), BOOLEAN)
    if name in _PARTS:
        return _PARTS[name](*map(_floating, values))
    floats = list(map(_floating, values))
    if name in _UNARY and len(values) == 1:
        if name not in _OF_COMPLEX:
            _no_complex(name, values)
        return Value(OPS[_UNARY[name]](floats[0].expression), floats[0].type)
    if name in _BINARY and len(values) == 2:
        if name != "pow":
            _no_complex(name, values)
        kind = common(floats[0].type, floats[1].type)
        return Value(OPS[_BINARY[name]](*(v.expression for v in floats)), kind)
    if name in _MADE:
        _no_complex(name, values)
        return _MADE[name](*floats)
    return None


def limit(kind: Type, word: str) -> Value:
    """Return what ``numeric_limits`` says of a type.

    Raises:
        Unsupported: It says nothing of this name, or the type has 16 bits, of which there are two.
    """
    if kind.kind == INTEGER:
        info = np.iinfo(kind.dtype)
        known = {"max": info.max, "min": info.min, "lowest": info.min, "epsilon": 0}
        if word in known:
            return whole(int(known[word]), kind)
    elif kind.kind == REAL and kind.bits > HALF.bits:
        inexact = np.finfo(kind.dtype)
        limits = {
            "max": inexact.max, "min": inexact.tiny, "lowest": inexact.min,
            "epsilon": inexact.eps, "infinity": math.inf, "quiet_NaN": math.nan,
        }  # fmt: skip
        if word in limits:
            return Value(constant(float(limits[word])), kind)
    raise Unsupported(f"numeric_limits<>::{word}() of this type")


def condition(value: Value) -> Expression:
    """Return the truth of a value."""
    return truth(value).expression
