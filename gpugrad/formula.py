"""Scalar formulas: built from Python expressions, differentiated, printed as NumPy and as CUDA.

A formula is what one element of an elementwise operation computes.
Its vector-Jacobian product is again a formula, so the derivative of every order has the shape of
the first, and each is printed once as a Python function of NumPy ufuncs and once as the body of a
CUDA kernel.
This module knows neither NumPy nor CuPy: it builds and prints text.

>>> x, y = variable("x"), variable("y")
>>> print(Formula("example", (x, y), (x * y + 1,)).python())
def example_formula(x, y):
    return (x * y) + 1
"""

from __future__ import annotations

import ast
import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Number = bool | int | float | complex

# What an expression is worth: the order is the order of promotion.
BOOL, REAL, COMPLEX = "bool", "real", "complex"
KINDS = (BOOL, REAL, COMPLEX)


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
        return _Printer(PYTHON, {}).text(self)


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
    """Return the variable ``name``; ``kind`` is ``"bool"``, ``"real"`` or ``"complex"``."""
    return _intern("variable", (), kind, name)


def constant(value: Number) -> Expression:
    """Return the constant ``value``, which takes the type of what it meets."""
    kind = BOOL if isinstance(value, bool) else COMPLEX if isinstance(value, complex) else REAL
    return _intern("constant", (), kind, value)


def is_constant(e: Expression, value: Number) -> bool:
    """Tell whether ``e`` is the constant ``value``."""
    return e.function == "constant" and e.value == value


# --------------------------------------------------------------------------- functions


@dataclass(frozen=True)
class Function:
    """A scalar function: how it is written in each language, and what kind of value it has.

    One that is made of others has a ``definition`` instead: a function of expressions.
    """

    python: str = ""
    cuda: str = ""
    kind: str = ""  # of the result; empty: that of the arguments
    holomorphic: bool = True
    cuda_complex: str = ""  # where CUDA's complex needs another text
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
    "both": Function("logical_and({}, {})", "(gpugrad::truth({}) && gpugrad::truth({}))", BOOL),
    "either": Function("logical_or({}, {})", "(gpugrad::truth({}) || gpugrad::truth({}))", BOOL),
    "differ": Function("logical_xor({}, {})", "(gpugrad::truth({}) != gpugrad::truth({}))", BOOL),
    "untrue": Function("logical_not({})", "(!gpugrad::truth({}))", BOOL),
    "where": Function("where({}, {}, {})", "({} ? {} : {})"),
    "abs": Function("absolute({})", "abs({})", REAL, holomorphic=False),
    "sign": Function("sign({})", "gpugrad::sign({})", holomorphic=False),
    "conj": Function("conjugate({})", "conj({})", holomorphic=False),
    "real": Function("real({})", "real({})", REAL, holomorphic=False),
    "imag": Function("imag({})", "imag({})", REAL, holomorphic=False),
    "maximum": Function("maximum({}, {})", "gpugrad::maximum({}, {})"),
    "minimum": Function("minimum({}, {})", "gpugrad::minimum({}, {})"),
    "rsqrt": Function("(1 / sqrt({}))", "rsqrt({})", cuda_complex="({one} / sqrt({}))"),
    "isnan": Function("isnan({})", "gpugrad::isnan({})", BOOL),
    "isinf": Function("isinf({})", "gpugrad::isinf({})", BOOL),
    "bitand": _operator("&"),
    "bitor": _operator("|"),
    "bitxor": _operator("^"),
    "bitnot": Function("invert({})", "gpugrad::invert({})"),
}
for _name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "erf"):
    FUNCTIONS[_name] = Function(f"{_name}({{}})", f"{_name}({{}})")

Rule = Callable[..., Any]  # returns an expression or a number for each argument, or None


@dataclass(frozen=True)
class Derivative:
    """The rule of a function: its parameters by name, and what they are multiplied into."""

    rule: Rule
    names: tuple[
        str, ...
    ]  # of the function's arguments; the rule asks for these, ``g`` and ``out``
    asked: tuple[str, ...]

    def __call__(
        self, g: Expression, args: Sequence[Expression], out: Expression
    ) -> tuple[Expression | None, ...]:
        """Return, for each argument, the rule's expression in ``g`` (``None``: no dependence)."""
        values = {"g": g, "out": out, **dict(zip(self.names, args, strict=True))}
        result = self.rule(*(values[name] for name in self.asked))
        results = result if isinstance(result, tuple) else (result,)
        return tuple(None if r is None else as_expression(r) for r in results)


DERIVATIVES: dict[str, Derivative] = {}


def as_expression(value: Operand) -> Expression:
    """Return ``value`` itself, or the constant it is."""
    return value if isinstance(value, Expression) else constant(value)


def call(name: str, *operands: Operand) -> Expression:
    """Return ``name(*operands)``, simplified where that changes no value.

    ``1 * e``, ``e / 1`` and arithmetic of constants are folded.
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
}


def _simplified(name: str, args: tuple[Expression, ...]) -> Expression | None:
    if name in _FOLD and all(a.function == "constant" for a in args):
        return constant(_FOLD[name](*(a.value for a in args)))
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

    ``text`` uses Python's operators and the names of :data:`FUNCTIONS`.
    """
    tree = ast.parse(text, mode="eval")
    nodes = list(ast.walk(tree))
    functions = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    found = [n for n in nodes if isinstance(n, ast.Name) and id(n) not in functions]
    found.sort(key=lambda n: (n.lineno, n.col_offset))
    names = tuple(dict.fromkeys(n.id for n in found))
    called = {n.id for n in nodes if isinstance(n, ast.Name) and id(n) in functions}
    namespace = {"__builtins__": {}, **{name: _builder(name) for name in called}}
    code = compile(f"lambda {', '.join(names)}: {text}", text, "eval")
    built = eval(code, namespace)
    return names, lambda *operands: as_expression(built(*operands))


def _builder(name: str) -> Callable[..., Expression]:
    if name not in FUNCTIONS:
        raise NameError(f"formula: no function {name!r}; known are {', '.join(sorted(FUNCTIONS))}")
    return lambda *args: call(name, *args)


def substitute(e: Expression, values: Mapping[Expression, Expression]) -> Expression:
    """Return ``e`` with expressions replaced as ``values`` says."""
    done = dict(values)
    for part in ordered((e,)):
        if part not in done:
            args = tuple(done[a] for a in part.args)
            done[part] = part if args == part.args else call(part.function, *args)
    return done[e]


def lowered(outputs: Iterable[Expression]) -> list[Expression]:
    """Return the expressions in terms of functions that both languages have."""
    done: dict[Expression, Expression] = {}

    def lower(e: Expression) -> Expression:
        args = tuple(done[a] for a in e.args)
        definition = FUNCTIONS[e.function].definition
        if definition is not None:
            return lowered((definition(*args),))[0]
        if e.function == "pow" and args[1].function == "constant" and args[1].value in _POWERS:
            return _POWERS[args[1].value](args[0])
        return call(e.function, *args)

    roots = tuple(outputs)
    for part in ordered(roots):
        done[part] = lower(part) if part.args else part
    return [done[e] for e in roots]


def ordered(roots: Iterable[Expression]) -> list[Expression]:
    """Return every part of ``roots`` once, arguments before the functions of them."""
    done: dict[Expression, None] = {}
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        e, expanded = stack.pop()
        if e in done:
            continue
        if expanded:
            done[e] = None
        else:
            stack.append((e, True))
            stack.extend((a, False) for a in reversed(e.args))
    return list(done)


# --------------------------------------------------------------------------- formulas

_ORDER = ("lt", "le", "gt", "ge", "maximum", "minimum")


def has_order(formula: Formula) -> bool:
    """Tell whether a formula asks which of two complex numbers is greater."""
    return any(
        e.function in _ORDER and COMPLEX in (a.kind for a in e.args)
        for e in ordered(lowered(formula.outputs))
    )


@dataclass(frozen=True)
class Product:
    """A vector-Jacobian (or Jacobian-vector) product as a formula.

    ``sources[k]`` says where the k-th input of ``formula`` comes from: an index into the
    cotangents, then the inputs, then the outputs of the formula that was differentiated.
    ``targets`` are the indices of the inputs that have a gradient, one for each output of
    ``formula``: an input that nothing depends on is absent.
    """

    formula: Formula
    sources: tuple[int, ...]
    targets: tuple[int, ...]


class Formula:
    """Named scalar expressions of named inputs: the meaning of an elementwise operation."""

    __slots__ = ("_products", "by_rule", "inputs", "name", "outputs")

    def __init__(
        self,
        name: str,
        inputs: Sequence[Expression],
        outputs: Sequence[Expression],
        by_rule: bool = False,
    ):
        """Make a formula; ``by_rule`` lets its own rule name ``out``, which is then saved."""
        self.name = name
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.by_rule = by_rule
        self._products: dict[tuple[object, ...], Product] = {}

    def __repr__(self) -> str:
        inputs = ", ".join(str(v.value) for v in self.inputs)
        return f"{self.name}({inputs}) = {', '.join(map(repr, self.outputs))}"

    def bound(self, index: int, value: Number) -> Formula:
        """Return the formula with the constant ``value`` for one input, which disappears."""
        values = {self.inputs[index]: constant(value)}
        inputs = self.inputs[:index] + self.inputs[index + 1 :]
        return Formula(self.name, inputs, tuple(substitute(e, values) for e in self.outputs))

    def vjp(self, needs: Sequence[bool], defined: Sequence[bool]) -> Product:
        """Return the fused gradient formula of the inputs that ``needs`` marks.

        ``defined`` marks the outputs that have a cotangent.
        """
        key = ("vjp", *needs, "|", *defined)
        if key not in self._products:
            cotangents = [self._fresh(f"g{k or ''}", e.kind) for k, e in enumerate(self.outputs)]
            results = _Reverse(self, cotangents, needs, defined).gradients()
            given = [g for g, d in zip(cotangents, defined, strict=True) if d]
            self._products[key] = self._product("vjp", cotangents, given, results, needs)
        return self._products[key]

    def jvp(self, moving: Sequence[bool]) -> Product:
        """Return the tangents of the outputs, given those of the inputs that ``moving`` marks.

        A pointwise Jacobian is its own transpose (up to conjugation): the rules are the same.
        """
        key = ("jvp", *moving)
        if key not in self._products:
            tangents = [self._fresh(f"t{k or ''}", v.kind) for k, v in enumerate(self.inputs)]
            results = _forward(self, tangents, moving)
            given = [t for t, m in zip(tangents, moving, strict=True) if m]
            needs = [True] * len(results)
            self._products[key] = self._product("jvp", tangents, given, results, needs)
        return self._products[key]

    def _fresh(self, name: str, kind: str) -> Expression:
        # A derivative of a derivative has the first one's cotangents among its inputs: a shared
        # name would silently mix the two.
        taken = {str(v.value) for v in self.inputs} | {"out", "i", "n"}
        while name in taken:
            name += "_"
        return variable(name, kind)

    def _product(
        self,
        kind: str,
        names: Sequence[Expression],
        given: Sequence[Expression],
        results: Sequence[Expression | None],
        needs: Sequence[bool],
    ) -> Product:
        pairs = [(k, e) for k, (e, n) in enumerate(zip(results, needs, strict=True)) if n and e]
        targets = tuple(k for k, _ in pairs)
        outputs = tuple(e for _, e in pairs)
        # only a rule of its own asks for an output; else `out` is an input, that of a lower order
        outs = [variable("out", e.kind) for e in self.outputs] if self.by_rule else []
        candidates = [*names, *self.inputs, *outs]
        used = {e for e in ordered(outputs) if e.function == "variable"}
        if any(e.function == "constant" for e in outputs):
            used.add(given[0])  # a constant gradient takes its shape from this one
        sources = tuple(k for k, v in enumerate(candidates) if v in used)
        name = f"{self.name}_{kind}"
        formula = Formula(name, [candidates[k] for k in sources], outputs)
        return Product(formula, sources, targets)

    def python(self) -> str:
        """Return the text of a Python function over arrays, in terms of NumPy's ufuncs."""
        return _function_text(self)

    def cuda(self, types: Mapping[str, str], inputs: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return CUDA declarations of what is shared, and one expression for each output.

        ``types`` maps the kinds to C++ types, ``inputs`` are the texts of the inputs.
        """
        printer = _Printer(CUDA, types)
        printer.names.update(zip(self.inputs, inputs, strict=True))
        outputs = lowered(self.outputs)
        lines = printer.statements(outputs)
        return lines, [printer.text(e) for e in outputs]


def contribution(
    function: str, g: Expression, args: Sequence[Expression], out: Expression
) -> tuple[Expression | None, ...]:
    """Return what the cotangent ``g`` of one function call gives to each of its arguments."""
    derivative = DERIVATIVES.get(function)
    if derivative is None:
        return (None,) * len(args)
    if FUNCTIONS[function].holomorphic and COMPLEX in (a.kind for a in args):
        results = derivative(call("conj", g), args, out)
        return tuple(None if r is None else call("conj", r) for r in results)
    return derivative(g, args, out)


class _Reverse:
    """Reverse accumulation over the expressions of one formula."""

    def __init__(
        self,
        formula: Formula,
        cotangents: Sequence[Expression],
        needs: Sequence[bool],
        defined: Sequence[bool],
    ):
        self.formula = formula
        self.order = ordered(formula.outputs)
        self.wanted = {v for v, n in zip(formula.inputs, needs, strict=True) if n}
        self.depends: set[Expression] = set()
        for e in self.order:
            if e in self.wanted or any(a in self.depends for a in e.args):
                self.depends.add(e)
        self.pending: dict[Expression, Expression] = {}
        for e, g, d in zip(formula.outputs, cotangents, defined, strict=True):
            if d:
                self.give(e, g)

    def give(self, e: Expression, g: Expression | None) -> None:
        """Add a contribution to the cotangent of ``e``."""
        if g is None or e not in self.depends:
            return
        if e.kind == REAL:  # what reaches a real quantity through a complex one is its real part
            g = call("real", g)
        before = self.pending.get(e)
        if before is None or is_constant(before, 0):
            self.pending[e] = g
        elif not is_constant(g, 0):
            self.pending[e] = before + g

    def gradients(self) -> list[Expression | None]:
        """Return the gradient of each input, ``None`` where there is none."""
        for e in reversed(self.order):
            if e.function in ("variable", "constant") or e not in self.pending:
                continue
            g = self.pending[e]
            if is_constant(g, 0):
                contributions: Iterable[Expression | None] = [g] * len(e.args)
            else:
                contributions = contribution(e.function, g, e.args, self.result(e))
            for argument, given in zip(e.args, contributions, strict=True):
                self.give(argument, given)
        return [self.pending.get(v) for v in self.formula.inputs]

    def result(self, e: Expression) -> Expression:
        """Return what a rule calls ``out``: the saved output if this is it, else ``e`` again."""
        if self.formula.by_rule and e is self.formula.outputs[0]:
            return variable("out", e.kind)
        return e


def _forward(
    formula: Formula, tangents: Sequence[Expression], moving: Sequence[bool]
) -> list[Expression | None]:
    found: dict[Expression, Expression] = {
        v: t for v, t, m in zip(formula.inputs, tangents, moving, strict=True) if m
    }
    for e in ordered(formula.outputs):
        if not any(a in found for a in e.args):
            continue
        out = variable("out", e.kind) if formula.by_rule and e is formula.outputs[0] else e
        terms = [
            term
            for k, a in enumerate(e.args)
            if a in found and (term := _tangent(e, k, found[a], out)) is not None
        ]
        nonzero = [t for t in terms if not is_constant(t, 0)] or terms[:1]
        for term in nonzero:
            found[e] = found[e] + term if e in found else term
    return [found.get(e) for e in formula.outputs]


def _tangent(e: Expression, k: int, t: Expression, out: Expression) -> Expression | None:
    """Return the tangent of the call ``e`` when only its k-th argument moves, by ``t``."""
    derivative = DERIVATIVES.get(e.function)
    if derivative is None:
        return None
    if e.args[k].kind == COMPLEX and e.kind == REAL:
        gradient = derivative(constant(1), e.args, out)[k]
        return None if gradient is None else call("real", call("conj", gradient) * t)
    return derivative(t, e.args, out)[k]


# --------------------------------------------------------------------------- printing

PYTHON, CUDA = "python", "cuda"


def _literal(value: Number | str, kind: str, language: str, types: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return str(value) if language == PYTHON else str(value).lower()
    if isinstance(value, complex):
        if language == PYTHON:
            return repr(value)
        real = types[REAL]
        return f"{types[COMPLEX]}({real}({value.real!r}), {real}({value.imag!r}))"
    if isinstance(value, float) and not math.isfinite(value):
        name = "nan" if math.isnan(value) else "inf"
        text = name if language == PYTHON else {"nan": "CUDART_NAN", "inf": "CUDART_INF"}[name]
        text = f"-{text}" if value < 0 else text
    else:
        text = repr(value)
    return text if language == PYTHON else f"{types[REAL]}({text})"


class _Printer:
    """Writes expressions in one language; what is used more than once becomes a local name."""

    def __init__(self, language: str, types: Mapping[str, str]):
        self.language = language
        self.types = types
        self.names: dict[Expression, str] = {}

    def text(self, e: Expression) -> str:
        if e in self.names:
            return self.names[e]
        if e.function == "variable":
            return str(e.value)
        if e.function == "constant":
            return _literal(e.value, e.kind, self.language, self.types)
        function = FUNCTIONS[e.function]
        args = [self.text(a) for a in e.args]
        if self.language == PYTHON:
            return function.python.format(*args)
        valued = range(1, 3) if e.function == "where" else range(len(args))
        common = max((e.args[k].kind for k in valued), key=KINDS.index)
        if e.function in ("where", "maximum", "minimum", "pow"):
            for k in valued:  # C++ does not choose a common type for the branches of a choice
                args[k] = f"{self.types[common]}({args[k]})"
        template = (function.cuda_complex if common == COMPLEX else "") or function.cuda
        return template.format(*args, one=f"{self.types[REAL]}(1)")

    def statements(self, outputs: Sequence[Expression]) -> list[str]:
        """Name every shared part of ``outputs`` and return the lines that compute them."""
        order = ordered(outputs)
        uses: dict[Expression, int] = dict.fromkeys(order, 0)
        for used in (*outputs, *(a for e in order for a in e.args)):
            uses[used] += 1
        lines: list[str] = []
        for e in order:
            if uses[e] > 1 and e.args:
                text = self.text(e)
                name = f"t{len(lines)}_"
                declared = name if self.language == PYTHON else f"const {self.types[e.kind]} {name}"
                end = "" if self.language == PYTHON else ";"
                lines.append(f"{declared} = {text}{end}")
                self.names[e] = name
        return lines


def function_name(formula: Formula) -> str:
    """Return a name that no function the text calls can have."""
    return f"{formula.name}_formula"


def python_lines(formula: Formula, inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return statements that compute what is shared, and one Python expression per output."""
    printer = _Printer(PYTHON, {})
    printer.names.update(zip(formula.inputs, inputs, strict=True))
    outputs = lowered(formula.outputs)
    lines = printer.statements(outputs)
    return lines, list(_result_texts(inputs, outputs, printer))


def _function_text(formula: Formula) -> str:
    inputs = [str(v.value) for v in formula.inputs]
    lines, results = python_lines(formula, inputs)
    lines.append(f"return {', '.join(results)}")
    body = "".join(f"    {line}\n" for line in lines)
    return f"def {function_name(formula)}({', '.join(inputs)}):\n{body}".rstrip()


def _result_texts(
    inputs: Sequence[str], outputs: Sequence[Expression], printer: _Printer
) -> Iterator[str]:
    seen: set[Expression] = set()
    for e in outputs:
        text = printer.text(e)
        if e.function == "constant":
            text = f"full_like({inputs[0]}, {text})"
        elif e.function in ("variable", "real", "imag") or e in seen:
            text = f"copy({text})"  # each output is memory of its own: its owner may add to it
        elif text.startswith("(") and text.endswith(")") and e.args:
            text = text[1:-1] if _outer(text) else text
        seen.add(e)
        yield text


def _outer(text: str) -> bool:
    """Tell whether the first and the last character are one pair of parentheses."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return k == len(text) - 1
    return False


def compile_python(formula: Formula, functions: Mapping[str, Any]) -> Callable[..., Any]:
    """Return :meth:`Formula.python` compiled over the given array functions."""
    namespace = dict(functions)
    exec(compile(formula.python(), f"<gpugrad formula {formula.name}>", "exec"), namespace)
    function: Callable[..., Any] = namespace[function_name(formula)]
    return function
