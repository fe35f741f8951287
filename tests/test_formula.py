"""Formulas: what is simplified and what is not, all derivatives, the text of both languages."""

from __future__ import annotations

import ast
import functools
import gc
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad  # noqa: F401  declares the derivatives
from gpugrad import _dtype
from gpugrad.backend import cpu
from gpugrad.formulas import (
    BOOL,
    COMPLEX,
    DERIVATIVES,
    FUNCTIONS,
    REAL,
    Expression,
    Formula,
    Product,
    as_expression,
    call,
    constant,
    eq,
    lowered,
    ordered,
    parse,
    substitute,
    variable,
)
from gpugrad.formulas.expression import _INTERNED
from gpugrad.op import OPS

Array = Any
x, y, z = variable("x"), variable("y"), variable("z")


def run(formula: Formula, values: Sequence[Array]) -> tuple[Array, ...]:
    """Return a formula's outputs, by its Python text."""
    function = formula.compiled(cpu.FUNCTIONS)
    with np.errstate(all="ignore"):
        found = function(*map(np.asarray, values))
    return found if isinstance(found, tuple) else (found,)


# --------------------------------------------------------------------------- building


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (1 * x, x),
        (x * 1, x),
        (1.0 * x, x),
        (x / 1, x),
        (call("neg", call("neg", x)), x),
        (constant(2) + 3, constant(5)),
        (constant(2) * 3, constant(6)),
        (constant(2) - 5, constant(-3)),
        (-constant(2), constant(-2)),
        (call("where", True, x, y), x),
        (call("where", constant(1) < 0, x, y), y),
        (call("conj", x), x),
        (call("real", x), x),
    ],
)
def test_what_changes_no_value_is_simplified(built: Expression, expected: Expression) -> None:
    assert built is expected


@pytest.mark.parametrize(
    ("built", "at"),
    [(0 * x, math.inf), (x * 0, math.nan), (x - x, math.inf), (x / x, 0.0), (0 / x, 0.0)],
    ids=repr,
)
def test_what_is_nan_somewhere_is_not_simplified(built: Expression, at: float) -> None:
    assert built.args
    (found,) = run(Formula("f", (x,), (built,)), [at])
    assert np.isnan(found)


def test_adding_zero_is_kept_for_the_sign_of_zero() -> None:
    (found,) = run(Formula("f", (x,), (x + 0,)), [-0.0])
    assert not np.signbit(found)


def test_a_function_of_constants_takes_the_type_of_what_it_meets() -> None:
    _, build = parse("log(x) / log(2)")
    assert build(x) is call("log", x) / math.log(2)
    assert call("log", 0).function == "log"  # a pole is the array library's


def test_a_constant_has_the_type_that_was_written() -> None:
    kinds = [constant(v) for v in (1, 1.0, True, 1 + 0j)]
    assert len({id(c) for c in kinds}) == 4
    assert [type(c.value) for c in kinds] == [int, float, bool, complex]
    assert [c.kind for c in kinds] == [REAL, REAL, BOOL, COMPLEX]
    assert constant(0.0) is not constant(-0.0)


def test_simplifying_changes_no_kind() -> None:
    assert (constant(1 + 0j) * x).kind == COMPLEX
    assert (1 * (x < y)).kind == REAL
    assert (True * x) is x


def test_equal_expressions_are_one_object() -> None:
    assert x + y is variable("x") + variable("y")
    assert x + y is not y + x
    assert variable("x", COMPLEX) is not x
    assert (x == y) is False  # == means identity, as everywhere in Python
    assert eq(x, y).function == "eq"


def test_expressions_are_held_weakly() -> None:
    gc.collect()
    before = len(_INTERNED)
    found: Expression | None = call("exp", variable("name of this test")) * 123.456
    assert len(_INTERNED) == before + 4
    del found
    assert len(_INTERNED) == before


def test_kinds_are_promoted() -> None:
    w = variable("w", COMPLEX)
    condition = variable("c", BOOL)
    assert (x + w).kind == COMPLEX
    assert (x < y).kind == BOOL
    assert call("abs", w).kind == REAL
    assert call("where", condition, x, w).kind == COMPLEX
    assert call("where", condition, x, y).kind == REAL
    assert (condition + condition).kind == REAL


def test_conjugation_moves_to_the_variables_and_meets_itself() -> None:
    u, v = variable("u", COMPLEX), variable("v", COMPLEX)
    assert call("conj", call("conj", u) * v) is u * call("conj", v)
    assert call("conj", constant(1 + 2j)) is constant(1 - 2j)
    assert call("conj", call("exp", u)).function == "conj"


def test_parse_gives_the_names_in_order_of_appearance() -> None:
    names, build = parse("b * exp(a) + b")
    assert names == ("b", "a")
    assert build(x, y) is x * call("exp", y) + x


@pytest.mark.parametrize("text", ["unknown(x)", "__import__('os')", "print(x)"])
def test_parse_knows_formula_functions_only(text: str) -> None:
    with pytest.raises(NameError, match="no function"):
        parse(text)


def test_substitute_replaces_parts() -> None:
    e = call("exp", x) * x
    assert substitute(e, {x: y}) is call("exp", y) * y
    assert substitute(e, {call("exp", x): z}) is z * x


def test_ordered_gives_each_part_once_and_its_arguments_before_it() -> None:
    shared = x * y
    parts = ordered((shared + shared, shared))
    assert len(parts) == len(set(parts)) == 4
    for k, e in enumerate(parts):
        assert all(parts.index(a) < k for a in e.args)


def test_an_expression_may_be_deep() -> None:
    e: Expression = x
    for _ in range(3000):
        e = e * y
    assert len(ordered((e,))) == 3002
    assert substitute(e, {x: z}).args[1] is y
    product = Formula("deep", (x, y), (e,)).vjp((True, False), (True,))
    assert len(product.targets) == 1


# --------------------------------------------------------------------------- products


def test_a_product_computes_only_what_is_needed() -> None:
    formula = Formula("f", (x, y), (x * y * y,))
    assert formula.vjp((True, False), (True,)).targets == (0,)
    assert formula.vjp((False, True), (True,)).targets == (1,)
    both = formula.vjp((True, True), (True,))
    assert both.targets == (0, 1)
    assert len(both.formula.outputs) == 2


def test_an_input_that_nothing_depends_on_has_no_gradient() -> None:
    condition = variable("condition", BOOL)
    formula = Formula("f", (condition, x, y), (call("where", condition, x, 1),))
    assert formula.vjp((False, True, True), (True,)).targets == (1,)
    assert Formula("f", (x, y), (x < y,)).vjp((True, True), (True,)).targets == ()


def saved(name: str, *needs: bool) -> set[str]:
    """Return what an operation saves for its backward when ``needs`` of its inputs need one."""
    formula = OPS[name].formula
    product = formula.vjp(needs, (True,))
    values = ["g", *(str(v.value) for v in formula.inputs), "out"]
    return {values[s] for s in product.sources} - {"g"}


@pytest.mark.parametrize(
    ("name", "needs", "expected"),
    [
        ("plus", (True, True), set()),
        ("minus", (True, True), set()),
        ("negative", (True,), set()),
        ("mul", (True, True), {"x", "y"}),
        ("mul", (True, False), {"y"}),
        ("mul", (False, True), {"x"}),
        ("true_divide", (True, False), {"y"}),
        ("true_divide", (True, True), {"x", "y"}),
        ("power", (True, False), {"x", "y"}),
        ("power", (False, True), {"x", "y", "out"}),
        ("exp", (True,), {"out"}),
        ("tanh", (True,), {"out"}),
        ("sigmoid", (True,), {"out"}),
        ("sqrt", (True,), {"out"}),
        ("relu", (True,), {"out"}),
        ("reciprocal", (True,), {"out"}),
        ("log", (True,), {"x"}),
        ("sin", (True,), {"x"}),
        ("gelu_exact", (True,), {"x"}),
        ("silu_formula", (True,), {"x"}),
        ("choose", (False, True, True), {"condition"}),
        ("maximum", (True, True), {"x", "y"}),
        ("abs", (True,), {"x"}),
    ],
)
def test_what_is_saved_is_what_the_rule_names(
    name: str, needs: tuple[bool, ...], expected: set[str]
) -> None:
    assert saved(name, *needs) == expected


def products(formula: Formula, orders: int) -> list[Formula]:
    """Return a formula and its vector-Jacobian products up to an order, of all real inputs."""
    found = [formula]
    for _ in range(orders):
        last = found[-1]
        needs = [v.kind != BOOL for v in last.inputs]
        product = last.vjp(needs, (True,) * len(last.outputs))
        if not product.targets:
            break
        found.append(product.formula)
    return found


@pytest.mark.parametrize("kind", [REAL, COMPLEX])
@choice.each("name", OPS)
def test_the_inputs_of_every_order_have_names_of_their_own(name: str, kind: str) -> None:
    for formula in products(OPS[name].build(kind), 3):
        names = [v.value for v in formula.inputs]
        assert len(names) == len(set(names)), formula


def test_cotangents_of_two_orders_are_different_variables() -> None:
    first = Formula("f", (x,), (x * x * x,)).vjp((True,), (True,)).formula
    second = first.vjp((True, True), (True,)).formula
    assert [str(v.value) for v in first.inputs] == ["g", "x"]
    assert [str(v.value) for v in second.inputs] == ["g_", "g", "x"]


def test_an_input_may_be_called_as_a_cotangent_is() -> None:
    g, t = variable("g"), variable("t")
    formula = Formula("f", (g, t), (g * t,))
    values = [np.float64(v) for v in (2.0, 3.0, 5.0)]
    product = formula.vjp((True, True), (True,))
    assert evaluated(product, formula, values[2:], values[:2], []) == (15, 10)
    tangents = formula.jvp((True, True))
    assert evaluated(tangents, formula, [np.float64(7), np.float64(11)], values[:2], []) == (43,)


def test_a_formula_keeps_its_products() -> None:
    formula = Formula("f", (x, y), (x * y,))
    assert formula.vjp((True, True), (True,)) is formula.vjp((True, True), (True,))
    assert formula.jvp((True, False)) is formula.jvp((True, False))


def test_binding_an_input_removes_it() -> None:
    formula = Formula("f", (x, y), (call("pow", x, y),)).bound(1, 3)
    assert formula.inputs == (x,)
    assert run(formula, [2.0]) == (8.0,)


# --------------------------------------------------------------------------- derivatives

Draw = Callable[[np.random.Generator, int], Array]


def between(low: float, high: float) -> Draw:
    return lambda random, n: random.uniform(low, high, n)


POSITIVE, MODEST = between(0.3, 1.2), between(-1.4, 1.4)


def truth(random: np.random.Generator, n: int) -> Array:
    return random.integers(0, 2, n) == 1


# Where a function is to be differentiated; `MODEST` for those that are not here.
DOMAINS: dict[str, tuple[Draw, ...]] = {
    "pow": (POSITIVE, MODEST),
    "div": (MODEST, POSITIVE),
    "reciprocal": (POSITIVE,),
    "log": (POSITIVE,),
    "log1p": (POSITIVE,),
    "sqrt": (POSITIVE,),
    "rsqrt": (POSITIVE,),
    "abs": (POSITIVE,),
    "sign": (POSITIVE,),
    "relu": (POSITIVE,),
    "where": (truth, MODEST, MODEST),
    "clamp_both": (MODEST, between(-1, -0.5), between(0.5, 1)),
    "softplus_formula": (MODEST, between(1, 1.1), between(20, 21)),
}
PARAMETERS = {"condition", "alpha", "beta", "threshold"}  # these have no derivative
COUNT = 12  # elements at which all is checked at once
STEP = 1e-4


def evaluated(
    product: Product,
    formula: Formula,
    cotangents: Sequence[Array],
    inputs: Sequence[Array],
    outs: Sequence[Array],
) -> tuple[Array, ...]:
    values = [*cotangents, *inputs, *outs]
    return run(product.formula, [values[s] for s in product.sources])


def function_of(name: str, kind: str) -> Formula:
    """Return the formula that is one call of a function, with its own rule."""
    names = DERIVATIVES[name].names
    inputs = [variable(n, BOOL if n == "condition" else kind) for n in names]
    return Formula(name, inputs, (call(name, *inputs),), by_rule=True)


def moving(formula: Formula) -> list[bool]:
    """Return which inputs can have a gradient."""
    return [v.value not in PARAMETERS for v in formula.inputs]


def drawn(formula: Formula, name: str, random: np.random.Generator) -> list[Array]:
    draws = DOMAINS.get(name, (MODEST,) * len(formula.inputs))
    found = []
    for v, draw in zip(formula.inputs, draws, strict=True):
        value = draw(random, COUNT)
        if v.kind == COMPLEX:
            value = value + 1j * MODEST(random, COUNT)
        found.append(value)
    return found


def like(v: Expression, random: np.random.Generator) -> Array:
    value = random.uniform(0.5, 1.5, COUNT)
    return value + 1j * random.uniform(0.5, 1.5, COUNT) if v.kind == COMPLEX else value


def slope(formula: Formula, values: list[Array], k: int, way: complex) -> list[Array]:
    """Return the derivative of every output when input k moves along ``way``."""

    def at(step: float) -> tuple[Array, ...]:
        moved = [v + step * way if j == k else v for j, v in enumerate(values)]
        return run(formula, moved)

    by = {s: at(s * STEP) for s in (-2, -1, 1, 2)}
    return [
        (8 * (b - a) - (d - c)) / (12 * STEP)
        for a, b, c, d in zip(by[-1], by[1], by[-2], by[2], strict=True)
    ]


def check_product(formula: Formula, values: list[Array], random: np.random.Generator) -> None:
    """Compare a vector-Jacobian product with differences, in PyTorch's convention.

    The gradient of a complex input is that of Re(conj(g) f), its parts by the input's parts.
    """
    needs = moving(formula)
    outs = run(formula, values)
    cotangents = [like(e, random) for e in formula.outputs]
    product = formula.vjp(needs, (True,) * len(outs))
    grads = evaluated(product, formula, cotangents, values, outs) if product.targets else ()
    found = dict(zip(product.targets, grads, strict=True))
    for k, v in enumerate(formula.inputs):
        if not needs[k]:
            continue
        ways: tuple[complex, ...] = (1, 1j) if v.kind == COMPLEX else (1,)
        expected: Array = 0
        for way in ways:
            moves = slope(formula, values, k, way)
            along = sum((np.conj(g) * d).real for g, d in zip(cotangents, moves, strict=True))
            expected = expected + along * way
        got = found.get(k, np.zeros(COUNT))
        np.testing.assert_allclose(got, expected, rtol=2e-7, atol=2e-7, err_msg=f"{formula} {v}")


# The domains of other operations are those of their samples, with which test_ops.py does the same.
KNOWN = [n for n in DERIVATIVES if n not in OPS or n in DOMAINS]


@pytest.mark.parametrize("order", [1, 2, 3])
@choice.each("name", [n for n in KNOWN if n != "imag"])
def test_the_derivative_of_every_function_agrees_with_differences(name: str, order: int) -> None:
    random = np.random.default_rng(7)
    formula = function_of(name, REAL)
    values = drawn(formula, name, random)
    for _ in range(order - 1):
        outs = run(formula, values)
        needs = moving(formula)
        product = formula.vjp(needs, (True,) * len(outs))
        if not product.targets:
            return
        sources = [*(like(e, random) for e in formula.outputs), *values, *outs]
        formula, values = product.formula, [sources[s] for s in product.sources]
    check_product(formula, values, random)


REAL_ONLY = {
    *(
        n
        for n, op in OPS.items()
        if op.promotion in ("real", "number", "floating", "whole") or op.taken[1] < _dtype.COMPLEX
    ),
    "softplus_formula",
}


@pytest.mark.parametrize("order", [1, 2])
@choice.each("name", [n for n in KNOWN if n not in REAL_ONLY])
def test_the_complex_derivative_of_every_function_has_pytorchs_convention(
    name: str, order: int
) -> None:
    random = np.random.default_rng(8)
    formula = function_of(name, COMPLEX)
    values = drawn(formula, name, random)
    if order == 2:
        outs = run(formula, values)
        needs = moving(formula)
        product = formula.vjp(needs, (True,))
        sources = [*(like(e, random) for e in formula.outputs), *values, *outs]
        formula, values = product.formula, [sources[s] for s in product.sources]
    check_product(formula, values, random)


MADE: dict[str, tuple[str, str]] = {
    "a holomorphic function of others": ("exp(x) * sin(x) / (x + 3)", COMPLEX),
    "a square of the absolute value": ("real(x * conj(x))", COMPLEX),
    "a product with a conjugate": ("x * conj(y) + abs(x)", COMPLEX),
    "parts": ("real(x) * imag(y) + imag(x * y)", COMPLEX),
    "a choice": ("where(real(x) > 0, x * y, conj(x))", COMPLEX),
    "a distance": ("sqrt(real((x - y) * conj(x - y)))", COMPLEX),
    "a constant": ("x * 2 + 3", REAL),
    "shared parts": ("(x * y) * (x * y) + exp(x * y)", REAL),
    "a quotient": ("(x + y) / (1 + x * x)", REAL),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("order", [1, 2])
def test_the_derivative_of_a_formula_made_of_others_agrees_with_differences(
    name: str, order: int
) -> None:
    text, kind = MADE[name]
    names, build = parse(text)
    inputs = [variable(n, kind) for n in names]
    random = np.random.default_rng(9)
    formula = Formula("made", inputs, (build(*inputs),))
    values = [like(v, random) for v in inputs]
    if order == 2:
        product = formula.vjp((True,) * len(inputs), (True,))
        sources = [*(like(e, random) for e in formula.outputs), *values]
        formula, values = product.formula, [sources[s] for s in product.sources]
    check_product(formula, values, random)


@choice.each(
    "name, kind",
    [(name, REAL) for name in DERIVATIVES if name != "imag"]
    + [(name, COMPLEX) for name in DERIVATIVES if name not in REAL_ONLY],
)
def test_forward_mode_is_the_transpose_of_reverse_mode(name: str, kind: str) -> None:
    random = np.random.default_rng(10)
    formula = function_of(name, kind)
    values = drawn(formula, name, random)
    outs = list(run(formula, values))
    needs = moving(formula)
    tangents = [like(v, random) for v in formula.inputs]
    cotangents = [like(e, random) for e in formula.outputs]
    back, forth = formula.vjp(needs, (True,)), formula.jvp(needs)
    grads = evaluated(back, formula, cotangents, values, outs) if back.targets else ()
    moves = evaluated(forth, formula, tangents, values, outs) if forth.targets else ()
    one = sum((np.conj(g) * t).real for g, t in zip(cotangents, moves, strict=False))
    other = sum(
        (np.conj(grad) * tangents[k]).real for k, grad in zip(back.targets, grads, strict=True)
    )
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@choice.each("name", [n for n in DERIVATIVES if n != "imag"])
def test_every_rule_is_linear_in_its_gradient(name: str) -> None:
    # by an infinite cotangent where the factor is 0, a rule that multiplies by a mask gives nan
    random = np.random.default_rng(11)
    formula = function_of(name, REAL)
    values = drawn(formula, name, random)
    outs = list(run(formula, values))
    product = formula.vjp(moving(formula), (True,))
    if not product.targets:
        return
    g = like(formula.outputs[0], random)
    once = evaluated(product, formula, [g], values, outs)
    twice = evaluated(product, formula, [2 * g], values, outs)
    none = evaluated(product, formula, [0 * g], values, outs)
    for a, b, c in zip(once, twice, none, strict=True):
        np.testing.assert_array_equal(2 * a, b)
        np.testing.assert_array_equal(c, 0 * c)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("relu", (-1.0,)),
        ("where", (False, 1.0, 2.0)),
        ("clamp_both", (5.0, -1.0, 1.0)),
        ("maximum", (1.0, 2.0)),
    ],
)
def test_an_infinite_gradient_leaves_the_branch_that_was_not_taken_at_zero(
    name: str, at: tuple[Any, ...]
) -> None:
    formula = function_of(name, REAL)
    outs = run(formula, at)
    product = formula.vjp(moving(formula), (True,))
    found = evaluated(product, formula, [np.inf], at, outs)
    assert 0 in [float(f) for f in found]
    assert not any(np.isnan(f) for f in found)


# --------------------------------------------------------------------------- the two languages


def _moved_twice(formula: Formula) -> list[Formula]:
    """Return the formulas of forward mode, and of forward mode over that, of all real inputs."""
    found: list[Formula] = []
    for _ in range(2):
        product = formula.jvp([v.kind != BOOL for v in formula.inputs])
        if not product.targets:
            break
        formula = product.formula
        found.append(formula)
    return found


@functools.cache
def derived(name: str, kind: str) -> list[Formula]:
    """Return an operation's formula and those of its derivatives, up to the second."""
    formula = OPS[name].build(kind)
    return [*products(formula, 2), *_moved_twice(formula)]


EVERY_FORMULA = choice.each(
    "name, kind",
    [(n, kind) for n in OPS for kind in (REAL, COMPLEX) if kind == REAL or n not in REAL_ONLY],
)


@EVERY_FORMULA
def test_the_python_text_is_one_function_of_known_names(name: str, kind: str) -> None:
    """A text that names what the namespace of generated functions lacks, or writes its input."""
    for formula in derived(name, kind):
        tree = ast.parse(formula.python())
        (function,) = tree.body
        assert isinstance(function, ast.FunctionDef)
        parameters = {a.arg for a in function.args.args}
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
        local = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        assert {n.id for n in names} <= parameters | local | set(cpu.FUNCTIONS)
        assert not parameters & local, "an input would be overwritten"


LITERAL = re.compile(r"(?<![\w.])\d+\.?\d*(?:[eE][-+]?\d+)?")
TYPED = re.compile(r"\b(?:float|complex<float>)\(-?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|CUDART_\w+)\)")


@EVERY_FORMULA
def test_the_cuda_text_has_no_literal_of_another_type(name: str, kind: str) -> None:
    """A kernel of float32 that computes in double, which is slow and no error."""
    types = {BOOL: "bool", REAL: "float", COMPLEX: "complex<float>"}
    for formula in derived(name, kind):
        lines, results = formula.cuda(types, [str(v.value) for v in formula.inputs])
        text = "\n".join([*lines, *results])
        assert not LITERAL.findall(TYPED.sub("", text)), text
        assert "double" not in text


@EVERY_FORMULA
def test_every_output_of_the_python_text_is_memory_of_its_own(name: str, kind: str) -> None:
    """A gradient that is another one's memory, or an operand's: its owner may add to it."""
    random = np.random.default_rng(12)
    for formula in derived(name, kind):
        complex_ = COMPLEX in (v.kind for v in formula.inputs)
        if complex_ and any(f in formula.python() for f in ("erf(", "hypot(", "binade_")):
            continue  # NumPy has them for real numbers only
        whole = name in OPS and OPS[name].promotion in ("integer", "whole")
        values = [
            random.integers(0, 9, COUNT) if whole
            else truth(random, COUNT) if v.kind == BOOL else like(v, random)
            for v in formula.inputs
        ]  # fmt: skip
        found = run(formula, values)
        for k, a in enumerate(found):
            assert not any(np.shares_memory(a, b) for b in [*found[:k], *values])


def test_a_shared_part_is_computed_once() -> None:
    shared = call("exp", x)
    formula = Formula("f", (x, y), (shared * y, shared + 1))
    assert formula.python().count("exp(") == 1
    lines, _ = formula.cuda({REAL: "float"}, ["x", "y"])
    assert len(lines) == 1


def test_a_constant_output_takes_its_shape_from_an_input() -> None:
    (found,) = run(Formula("f", (x,), (constant(3),)), [np.zeros(4)])
    assert found.tolist() == [3] * 4


def test_infinities_and_nan_are_written_in_both_languages() -> None:
    for value, text in (
        (math.inf, "CUDART_INF"),
        (-math.inf, "-CUDART_INF"),
        (math.nan, "CUDART_NAN"),
    ):
        formula = Formula("f", (x,), (x + value,))
        np.testing.assert_equal(run(formula, [1.0]), (value,))
        assert text in formula.cuda({REAL: "float"}, ["x"])[1][0]


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, -0.5, -1, -2])
def test_a_constant_exponent_is_lowered_to_products_and_roots(exponent: float) -> None:
    power = call("pow", x, constant(exponent))
    assert power.function == "pow"  # it is kept for the derivatives ...
    (e,) = lowered((power,))  # ... and lowered for the printing
    assert "pow" not in [part.function for part in ordered((e,))]
    values = np.array([0.25, 1.0, 3.0])
    (found,) = run(Formula("f", (x,), (power,)), [values])
    np.testing.assert_allclose(found, values**exponent, rtol=1e-15)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, 2.5, -1])
def test_a_constant_power_depends_on_its_base_for_as_many_orders_as_pytorchs(
    exponent: float,
) -> None:
    formula = Formula("f", (x,), (call("pow", x, constant(exponent)),))
    random = np.random.default_rng(13)
    check_product(formula, [POSITIVE(random, COUNT)], random)


def test_every_function_has_both_languages_or_a_definition() -> None:
    for name, function in FUNCTIONS.items():
        if function.definition is None:
            assert function.python, name
            assert function.cuda, name
        else:
            assert name in DERIVATIVES, name


def test_lowering_leaves_only_functions_of_both_languages() -> None:
    for name in OPS:
        for part in ordered(lowered(OPS[name].formula.outputs)):
            assert not part.args or FUNCTIONS[part.function].definition is None


def test_numbers_become_expressions() -> None:
    assert as_expression(2) is constant(2)
    assert as_expression(x) is x


def test_the_text_of_an_expression_is_pythons() -> None:
    assert repr((x + 1) * -y) == "((x + 1) * (-y))"
    assert repr(Formula("f", (x,), (x * 2,))) == "f(x) = (x * 2)"
