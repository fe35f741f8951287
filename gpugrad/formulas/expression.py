"""Scalar expressions: what they are made of, how they are built, simplified and taken apart."""

from __future__ import annotations

import functools
import math
import re
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Number = bool | int | float | complex

# What an expression is worth: the order is the order of promotion.
BOOL, INTEGER, REAL, COMPLEX = "bool", "integer", "real", "complex"
KINDS = (BOOL, INTEGER, REAL, COMPLEX)

# Whose gradients a formula has at points without a derivative.
CONVENTIONS = TORCH, MATH = "torch", "math"


class Expression:
    """A scalar expression: a variable, a constant, or a function of expressions.

    Equal expressions are one object (they are interned, weakly), so a shared part is recognised by
    identity; ``==`` therefore means identity and :func:`eq` builds the comparison.
    """

    __slots__ = ("__weakref__", "args", "function", "kind", "value")

    function: str
    args: tuple[Expression, ...]
    kind: str
    value: Number | str

    def __add__(self, other: Operand) -> Expression:
        return call("add", self, other)

    def __radd__(self, other: Operand) -> Expression:
        return call("add", other, self)

    def __sub__(self, other: Operand) -> Expression:
        return call("sub", self, other)

    def __rsub__(self, other: Operand) -> Expression:
        return call("sub", other, self)

    def __mul__(self, other: Operand) -> Expression:
        return call("mul", self, other)

    def __rmul__(self, other: Operand) -> Expression:
        return call("mul", other, self)

    def __truediv__(self, other: Operand) -> Expression:
        return call("div", self, other)

    def __rtruediv__(self, other: Operand) -> Expression:
        return call("div", other, self)

    def __pow__(self, other: Operand) -> Expression:
        return call("pow", self, other)

    def __rpow__(self, other: Operand) -> Expression:
        return call("pow", other, self)

    def __neg__(self) -> Expression:
        return call("neg", self)

    def __lt__(self, other: Operand) -> Expression:
        return call("lt", self, other)

    def __le__(self, other: Operand) -> Expression:
        return call("le", self, other)

    def __gt__(self, other: Operand) -> Expression:
        return call("gt", self, other)

    def __ge__(self, other: Operand) -> Expression:
        return call("ge", self, other)

    def __repr__(self) -> str:
        if self.function in ("variable", "constant"):
            return str(self.value)
        template = FUNCTIONS[self.function].python or f"{self.function}({{}})"
        args = list(map(repr, self.args))
        return (
            template.format(*args)
            if FUNCTIONS[self.function].python
            else (template.format(", ".join(args)))
        )


Operand = Expression | Number

_INTERNED: weakref.WeakValueDictionary[tuple[object, ...], Expression] = (
    weakref.WeakValueDictionary()
)
_INTERNING = threading.Lock()  # two threads must not make two objects of one expression


def _intern(
    function: str, args: tuple[Expression, ...], kind: str, value: Number | str
) -> Expression:
    # repr tells 1 from 1.0 from True and 0.0 from -0.0, which == does not
    key = (function, args, kind, type(value), repr(value))
    with _INTERNING:
        found = _INTERNED.get(key)
        if found is None:
            found = Expression()
            found.function, found.args, found.kind, found.value = function, args, kind, value
            _INTERNED[key] = found
    return found


def variable(name: str, kind: str = REAL) -> Expression:
    """Return the variable ``name`` of a kind: "bool", "integer", "real" or "complex".

    Integers have 64 bits whatever the others are computed in, and meet these only as ``number``.
    """
    return _intern("variable", (), kind, name)


def constant(value: Number, kind: str = "") -> Expression:
    """Return the constant ``value``, which takes the type of what it meets.

    A whole number is real where no ``kind`` is given.
    """
    found = BOOL if isinstance(value, bool) else COMPLEX if isinstance(value, complex) else REAL
    return _intern("constant", (), kind or found, value)


def is_constant(e: Expression, value: Number) -> bool:
    """Tell whether ``e`` is the constant ``value``."""
    return e.function == "constant" and e.value == value


# --------------------------------------------------------------------------- functions


@dataclass(eq=False)
class Function:
    """A scalar function: how it is written in each language, and what kind of value it has.

    One that is made of others has a ``definition`` instead: a function of expressions.  Where it
    has a text, too, that is how it is computed in this language.
    """

    python: str = ""
    cuda: str = ""
    kind: str = ""  # of the result; empty: that of the arguments
    holomorphic: bool = True
    cuda_complex: str = ""  # where CUDA's complex needs another text
    header: str = ""  # the files of kernels/ in which its text finds device functions of our own
    definition: Callable[..., Expression] | None = None


def _operator(python: str, cuda: str = "", kind: str = "", holomorphic: bool = True) -> Function:
    return Function(f"({{}} {python} {{}})", f"({{}} {cuda or python} {{}})", kind, holomorphic)


FUNCTIONS: dict[str, Function] = {
    "add": _operator("+"),
    "sub": _operator("-"),
    "mul": _operator("*"),
    "div": _operator("/"),
    "neg": Function("(-{})", "(-{})"),
    "pow": Function("power({}, {})", "gpugrad::power({}, {})", cuda_complex="pow({}, {})"),
    "eq": _operator("==", kind=BOOL),
    "ne": _operator("!=", kind=BOOL),
    "lt": _operator("<", kind=BOOL),
    "le": _operator("<=", kind=BOOL),
    "gt": _operator(">", kind=BOOL),
    "ge": _operator(">=", kind=BOOL),
    "both": Function("logical_and({}, {})", "(gpugrad::truth({}) & gpugrad::truth({}))", BOOL),
    "either": Function("logical_or({}, {})", "(gpugrad::truth({}) | gpugrad::truth({}))", BOOL),
    "differ": Function("logical_xor({}, {})", "(gpugrad::truth({}) != gpugrad::truth({}))", BOOL),
    "untrue": Function("logical_not({})", "(!gpugrad::truth({}))", BOOL),
    "where": Function("where({}, {}, {})", "({} ? {} : {})"),
    "hypot": Function("hypot({}, {})", "hypot({}, {})", holomorphic=False),
    "abs": Function("absolute({})", "gpugrad::absolute({})", REAL, holomorphic=False),
    "sign": Function("sign({})", "gpugrad::sign({})", holomorphic=False),
    "conj": Function("conjugate({})", "conj({})", holomorphic=False),
    "real": Function("real({})", "real({})", REAL, holomorphic=False),
    "imag": Function("imag({})", "imag({})", REAL, holomorphic=False),
    "angle": Function("angle({})", "gpugrad::angle({})", REAL, holomorphic=False),
    # the power of two that is at most a positive number, but no subnormal one; 1 for 0
    "binade": Function("binade({})", "gpugrad::binade({})"),
    "maximum": Function("maximum({}, {})", "gpugrad::maximum({}, {})"),
    "minimum": Function("minimum({}, {})", "gpugrad::minimum({}, {})"),
    "rsqrt": Function("(1 / sqrt({}))", "rsqrt({})", cuda_complex="({one} / sqrt({}))"),
    "isnan": Function("isnan({})", "gpugrad::isnan({})", BOOL),
    "isinf": Function("isinf({})", "gpugrad::isinf({})", BOOL),
    "bitand": _operator("&"),
    "bitor": _operator("|"),
    "bitxor": _operator("^"),
    "bitnot": Function("invert({})", "gpugrad::invert({})"),
    # from one kind to another: cut towards 0, and in the type that real numbers are computed in
    "whole": Function("whole({})", "gpugrad::int64({})", INTEGER),
    "number": Function("number({})", "{real}({})", REAL),
}
# The product of a gradient and a slope where 0 times anything is 0, infinity and nan included.
FUNCTIONS["chained"] = Function(
    definition=lambda x, y: call("where", call("either", eq(x, 0), eq(y, 0)), 0, x * y)
)
for _name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "erf"):
    FUNCTIONS[_name] = Function(f"{_name}({{}})", f"{_name}({{}})")

Rule = Callable[..., Any]  # returns an expression or a number for each argument, or None


@dataclass(eq=False)
class Derivative:
    """The rule of a function: its parameters by name, and what they are multiplied into."""

    rule: Rule
    names: tuple[str, ...]  # of the function's arguments
    asked: tuple[str, ...]  # some of these, ``g``, ``out`` and ``convention``

    def __call__(
        self, g: Expression, args: Sequence[Expression], out: Expression, convention: str
    ) -> tuple[Expression | None, ...]:
        """Return, for each argument, the rule's expression in ``g`` (``None``: no dependence)."""
        values: dict[str, Any] = {"g": g, "out": out, "convention": convention}
        values.update(zip(self.names, args, strict=True))
        result = self.rule(*(values[name] for name in self.asked))
        results = result if isinstance(result, tuple) else (result,)
        return tuple(None if r is None else as_expression(r) for r in results)


DERIVATIVES: dict[str, Derivative] = {}


def as_expression(value: Operand) -> Expression:
    """Return ``value`` itself, or the constant it is."""
    return value if isinstance(value, Expression) else constant(value)


def call(name: str, *operands: Operand) -> Expression:
    """Return ``name(*operands)``, simplified where that changes no value.

    ``1 * e``, ``e / 1``, arithmetic and functions of constants are folded.
    ``0 * e``, ``e - e`` and ``e / e`` are not: they are ``nan`` where ``e`` is infinite.
    """
    args = tuple(map(as_expression, operands))
    simpler = _simplified(name, args)
    if simpler is not None:
        return simpler
    function = FUNCTIONS[name]
    valued = args[1:] if name == "where" else args
    kind = function.kind or max((a.kind for a in valued), key=KINDS.index)
    if function.definition is not None:
        kind = function.definition(*args).kind
    elif name in ("add", "sub", "mul", "div", "neg", "pow") and kind == BOOL:
        kind = REAL  # arithmetic on truth values is arithmetic on numbers
    return _intern(name, args, kind, "")


_FOLD: dict[str, Callable[..., Any]] = {
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "both": lambda a, b: bool(a and b),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    # by name: NumPy's have a type, which what they meet would take
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh")},
}


def _simplified(name: str, args: tuple[Expression, ...]) -> Expression | None:
    if name in _FOLD and all(a.function == "constant" for a in args):
        with suppress(ArithmeticError, TypeError, ValueError):  # at a pole, or of complex numbers
            value = _FOLD[name](*(a.value for a in args))
            whole = INTEGER in (a.kind for a in args) and not isinstance(value, bool)
            return constant(value, INTEGER if whole else "")
    first, last = args[0], args[-1]
    match name:
        case "mul" if _is_neutral(first, last):
            return last
        case "mul" | "div" if _is_neutral(last, first):
            return first
        case "where" if first.function == "constant":
            return args[1] if first.value else args[2]
        case "neg" if first.function == "neg":
            return first.args[0]
        case "conj":
            return _conjugated(first)
        case "real" if first.kind != COMPLEX:
            return first
        case "imag" if first.kind != COMPLEX:
            return constant(0)
    return None


def _is_neutral(factor: Expression, e: Expression) -> bool:
    """Tell whether ``factor`` is a 1 that does not make ``e`` a number of another kind."""
    return is_constant(factor, 1) and KINDS.index(factor.kind) <= KINDS.index(e.kind)


# PyTorch's own shortcuts for a constant exponent, in value and in rounding.  They are taken when
# a formula is printed, not when it is built: the derivative of x ** 3 must depend on x for as many
# orders as PyTorch's does.
_POWERS: dict[Number | str, Callable[[Expression], Expression]] = {
    0: lambda x: constant(1),
    1: lambda x: x,
    2: lambda x: x * x,
    3: lambda x: x * x * x,
    0.5: lambda x: call("sqrt", x),
    -0.5: lambda x: call("rsqrt", x),
    -1: lambda x: 1 / x,
    -2: lambda x: 1 / (x * x),
}


def _conjugated(e: Expression) -> Expression | None:
    """Carry a conjugation towards the variables, so that two of them meet and vanish."""
    if e.kind != COMPLEX:
        return e
    if e.function == "conj":
        return e.args[0]
    if e.function in ("add", "sub", "mul", "div", "neg"):
        return call(e.function, *(call("conj", a) for a in e.args))
    if e.function == "where":
        return call("where", e.args[0], call("conj", e.args[1]), call("conj", e.args[2]))
    if e.function == "constant":
        return constant(complex(e.value).conjugate())
    return None


def eq(x: Operand, y: Operand) -> Expression:
    """Return the truth of ``x == y`` (``==`` itself compares identities)."""
    return call("eq", x, y)


def parse(text: str) -> tuple[tuple[str, ...], Callable[..., Expression]]:
    """Return the names in ``text``, in order of appearance, and a function that builds it of them.

    ``text`` uses Python's operators and the names of :data:`FUNCTIONS`.  It is compiled when it is
    first built of something: importing gpugrad declares some 200 formulas, of which few are used.
    """
    words = dict.fromkeys(_WORD.findall(text))
    names = tuple([w for w in words if not w.endswith("(")])
    called = [w[:-1] for w in words if w.endswith("(")]
    for name in called:
        if name not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise NameError(f"formula: no function {name!r}; known are {known}")

    function: Callable[..., Operand] | None = None

    def build(*operands: Operand) -> Expression:
        nonlocal function
        if function is None:
            functions = {name: functools.partial(call, name) for name in called}
            code = compile(f"lambda {', '.join(names)}: {text}", text, "eval")
            function = eval(code, {"__builtins__": {}, **functions})
        return as_expression(function(*operands))

    return names, build


_WORD = re.compile(r"\b[A-Za-z_]\w*\(?")  # of a formula; that of a function has its parenthesis
_OPERATORS = {
    function.python[1:-1]: name
    for name, function in FUNCTIONS.items()
    if function.python.startswith("(")
}


def only_function(text: str) -> str:
    """Return the name of the function that a formula is of its variables, or an empty text.

    >>> only_function("hypot(x, y)"), only_function("x * y"), only_function("maximum(x, 0)")
    ('hypot', 'mul', '')
    """
    written = _WORD.sub(lambda word: word[0] if word[0].endswith("(") else "{}", text)
    name, _, operands = written.partition("(")
    if operands == f"{', '.join(['{}'] * written.count('{}'))})":
        return name
    return _OPERATORS.get(written, "")


def substitute(e: Expression, values: Mapping[Expression, Expression]) -> Expression:
    """Return ``e`` with expressions replaced as ``values`` says."""
    done = dict(values)
    for part in ordered((e,)):
        if part not in done:
            args = tuple(done[a] for a in part.args)
            done[part] = part if args == part.args else call(part.function, *args)
    return done[e]


def lowered(outputs: Iterable[Expression], python: bool = False) -> list[Expression]:
    """Return the expressions in terms of functions that both languages have, or only Python."""

    def lower(e: Expression, done: Mapping[Expression, Expression]) -> Expression:
        args = tuple(done[a] for a in e.args)
        function = FUNCTIONS[e.function]
        if function.definition is not None and not (python and function.python):
            return settle((function.definition(*args),), dict(zip(args, args, strict=True)))[0]
        if e.function == "pow" and args[1].function == "constant" and args[1].value in _POWERS:
            return _POWERS[args[1].value](args[0])
        return call(e.function, *args)

    def settle(
        roots: tuple[Expression, ...], done: dict[Expression, Expression]
    ) -> list[Expression]:
        for part in ordered(roots, done):
            done[part] = lower(part, done) if part.args else part
        return [done[e] for e in roots]

    return settle(tuple(outputs), {})


def ordered(roots: Iterable[Expression], known: Collection[Expression] = ()) -> list[Expression]:
    """Return every part of ``roots`` once, arguments before the functions of them.

    Those that are ``known`` are left out, and so is what only they are made of.
    """
    done: dict[Expression, None] = {}
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        e, expanded = stack.pop()
        if e in done or e in known:
            continue
        if expanded:
            done[e] = None
        else:
            stack.append((e, True))
            stack.extend((a, False) for a in reversed(e.args))
    return list(done)
