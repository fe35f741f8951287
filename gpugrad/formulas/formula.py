"""Formulas, and the formulas of their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gpugrad.formulas import text
from gpugrad.formulas.expression import (
    COMPLEX,
    DERIVATIVES,
    FUNCTIONS,
    MATH,
    REAL,
    TORCH,
    Derivative,
    Expression,
    Number,
    call,
    constant,
    is_constant,
    lowered,
    ordered,
    substitute,
    variable,
)

_ORDER = ("lt", "le", "gt", "ge", "maximum", "minimum", "binade")


def has_order(formula: Formula) -> bool:
    """Tell whether a formula asks which of two complex numbers is greater, or how large one is."""
    return any(
        e.function in _ORDER and COMPLEX in (a.kind for a in e.args)
        for e in ordered(lowered(formula.outputs))
    )


@dataclass(eq=False)
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
    """Named scalar expressions of named inputs: the meaning of an elementwise operation.

    ``convention`` says whose gradients it has at points without a derivative; its gradients, which
    are formulas, have the same.
    """

    __slots__ = (
        "_math", "_outputs", "_parts", "_products", "by_rule", "convention", "inputs", "name",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        inputs: Sequence[Expression],
        outputs: Sequence[Expression] | Callable[[], Sequence[Expression]],
        by_rule: bool = False,
        convention: str = TORCH,
    ):
        """Make a formula; ``by_rule`` lets its own rule name ``out``, which is then saved.

        The outputs may be given as a function, which builds them when they are first asked for.
        """
        self.name = name
        self.inputs = tuple(inputs)
        self._outputs = outputs if callable(outputs) else tuple(outputs)
        self.by_rule = by_rule
        self.convention = convention
        self._math: Formula | None = None
        self._products: dict[tuple[object, ...], Product] = {}
        self._parts: dict[tuple[int, ...], tuple[Formula, tuple[int, ...]]] = {}

    def __repr__(self) -> str:
        inputs = ", ".join(str(v.value) for v in self.inputs)
        return f"{self.name}({inputs}) = {', '.join(map(repr, self.outputs))}"

    @property
    def outputs(self) -> tuple[Expression, ...]:
        """What the formula is, of its inputs."""
        found = self._outputs
        if callable(found):  # two threads build the same: equal expressions are one object
            found = self._outputs = tuple(found())
        return found

    @property
    def in_math(self) -> Formula:
        """The same formula, with the gradients of the convention "math"."""
        if self.convention == MATH:
            return self
        if self._math is None:
            self._math = Formula(self.name, self.inputs, self.outputs, self.by_rule, MATH)
        return self._math

    def bound(self, index: int, value: Number) -> Formula:
        """Return the formula with the constant ``value`` for one input, which disappears."""
        values = {self.inputs[index]: constant(value)}
        inputs = self.inputs[:index] + self.inputs[index + 1 :]
        outputs = tuple(substitute(e, values) for e in self.outputs)
        return Formula(self.name, inputs, outputs, convention=self.convention)

    def part(self, outputs: tuple[int, ...]) -> tuple[Formula, tuple[int, ...]]:
        """Return the formula of some outputs, and the indices of the inputs that these use."""
        if outputs not in self._parts:
            chosen = tuple(self.outputs[k] for k in outputs)
            used = {e for e in ordered(chosen) if e.function == "variable"}
            if any(e.function == "constant" for e in chosen):
                used.add(self.inputs[0])  # a constant takes its shape from this one
            kept = tuple(k for k, v in enumerate(self.inputs) if v in used)
            formula = Formula(self.name, [self.inputs[k] for k in kept], chosen)
            self._parts[outputs] = formula, kept
        return self._parts[outputs]

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

    def depends(self, needs: Sequence[bool], output: int | None = None) -> tuple[bool, ...]:
        """Return which of the inputs that ``needs`` marks have a gradient, of all outputs or one.

        One that only a comparison reads has none.
        """
        defined = tuple([output in (None, k) for k in range(len(self.outputs))])
        targets = self.vjp(needs, defined).targets
        return tuple([k in targets for k in range(len(needs))])

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
        inputs = [candidates[k] for k in sources]
        formula = Formula(name, inputs, outputs, convention=self.convention)
        return Product(formula, sources, targets)

    def headers(self) -> list[str]:
        """Return the names of the files in which the CUDA text finds device functions."""
        called = [FUNCTIONS[e.function] for e in ordered(lowered(self.outputs)) if e.args]
        return list(dict.fromkeys(name for f in called for name in f.header.split()))

    def python(self) -> str:
        """Return the text of a Python function over arrays, in terms of NumPy's ufuncs."""
        return text.python_function(self.name, self.inputs, self.outputs)

    def python_lines(self, inputs: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return statements that compute what is shared, and one expression for each output.

        ``inputs`` are the texts of the inputs.
        """
        return text.python_lines(self.inputs, self.outputs, inputs)

    def compiled(self, functions: Mapping[str, Any]) -> Callable[..., Any]:
        """Return :meth:`python` compiled over the given array functions."""
        return self._compiled(self.python(), functions)

    def writer(self, functions: Mapping[str, Any], last: str) -> Callable[..., Any]:
        """Return a function that writes the one output into its last argument.

        ``last`` names the function that takes the last step, and where its result goes.
        """
        (output,) = self.outputs
        made = text.python_writer(self.name, self.inputs, output, last)
        return self._compiled(made, functions)

    def _compiled(self, made: str, functions: Mapping[str, Any]) -> Callable[..., Any]:
        namespace = dict(functions)
        exec(compile(made, f"<gpugrad formula {self.name}>", "exec"), namespace)
        function: Callable[..., Any] = namespace[text.function_name(self.name)]
        return function

    def cuda(
        self, types: Mapping[str, str], inputs: Sequence[str], apart: bool = False
    ) -> tuple[list[str], list[str]]:
        """Return CUDA declarations of what is shared, and one expression for each output.

        ``types`` maps the kinds to C++ types, ``inputs`` are the texts of the inputs.  With
        ``apart`` every part is declared.
        """
        return text.cuda_lines(self.inputs, self.outputs, types, inputs, apart)


def contribution(
    function: str,
    g: Expression,
    args: Sequence[Expression],
    out: Expression,
    convention: str = TORCH,
) -> tuple[Expression | None, ...]:
    """Return what the cotangent ``g`` of one function call gives to each of its arguments."""
    if function not in DERIVATIVES:
        return (None,) * len(args)
    if FUNCTIONS[function].holomorphic and COMPLEX in (a.kind for a in args):
        results = _ruled(function, call("conj", g), args, out, convention)
        return tuple(None if r is None else call("conj", r) for r in results)
    return _ruled(function, g, args, out, convention)


def _ruled(
    function: str, g: Expression, args: Sequence[Expression], out: Expression, convention: str
) -> tuple[Expression | None, ...]:
    """Return what a function's rule says by a convention."""
    rule = DERIVATIVES[function]
    linear = FUNCTIONS[function].holomorphic or COMPLEX not in (a.kind for a in args)
    if convention != MATH or not linear:
        return rule(g, args, out, convention)
    # the products are found among variables: what stands for these may be of any size
    names = [
        a if a.function == "constant" else variable(f"argument{k}", a.kind)
        for k, a in enumerate(args)
    ]
    whole, cotangent = variable("whole", out.kind), variable("cotangent", g.kind)
    values = {**dict(zip(names, args, strict=True)), whole: out, cotangent: g}
    return tuple(
        None if r is None else substitute(r, values)
        for r in _products(rule, cotangent, tuple(names), whole)
    )


@lru_cache(maxsize=4096)
def _products(
    rule: Derivative, g: Expression, args: tuple[Expression, ...], out: Expression
) -> tuple[Expression | None, ...]:
    return tuple(None if r is None else chained(r, g) for r in rule(g, args, out, MATH))


def chained(e: Expression, g: Expression) -> Expression:
    """Return ``e``, which is linear in ``g``, with products of ``g`` in which 0 wins.

    Such a product is symmetric, and so is its derivative: what is 0 stays 0 at every order, in
    whichever order the factors of the chain rule are multiplied.
    """
    if e is g or e.function == "chained" or g not in ordered((e,)):
        return e
    if e.function in ("where", "add", "sub", "neg"):
        return call(e.function, *(chained(a, g) for a in e.args))
    slope = substitute(e, {g: constant(1)})
    if not any(part.function == "variable" for part in ordered((slope,))):
        return e
    return call("chained", g, slope)


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
                convention = self.formula.convention
                contributions = contribution(e.function, g, e.args, self.result(e), convention)
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
            if a in found
            and (term := _tangent(e, k, found[a], out, formula.convention)) is not None
        ]
        nonzero = [t for t in terms if not is_constant(t, 0)] or terms[:1]
        for term in nonzero:
            found[e] = found[e] + term if e in found else term
    return [found.get(e) for e in formula.outputs]


def _tangent(
    e: Expression, k: int, t: Expression, out: Expression, convention: str
) -> Expression | None:
    """Return the tangent of the call ``e`` when only its k-th argument moves, by ``t``."""
    if e.function not in DERIVATIVES:
        return None
    if e.args[k].kind == COMPLEX and e.kind == REAL:
        gradient = _ruled(e.function, constant(1), e.args, out, convention)[k]
        return None if gradient is None else call("real", call("conj", gradient) * t)
    return _ruled(e.function, t, e.args, out, convention)[k]
