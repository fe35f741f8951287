"""How an elementwise operation is declared: its formula as text, its rule as a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from gpugrad.formula import (
    COMPLEX,
    DERIVATIVES,
    FUNCTIONS,
    Derivative,
    Formula,
    Function,
    call,
    parse,
    variable,
)
from gpugrad.op import specialized
from gpugrad.op.elementwise import Pointwise

Array = Any
Shape = tuple[int, ...]


OPS: dict[str, Pointwise] = {}  # every declared formula, by the name of its function


def pointwise(
    text: str,
    name: str = "",
    promotion: str = "default",
    kinds: dict[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an elementwise operation by its formula; the decorated function is its rule.

    The rule's parameters are ``g`` (the cotangent), the inputs by the names they have in the
    formula, and ``out`` (the result); what it names is what is saved.  It returns, for each input,
    an expression that is linear in ``g``.  A rule without parameters leaves the derivative to the
    parts of the formula.

    Args:
        text: The formula, such as ``"x * y"``.
        name: The name of the backward node; empty where there is no gradient.
        promotion: See :class:`Pointwise`.
        kinds: Inputs that are not numbers, such as ``{"condition": "bool"}``.
    """
    names, built = parse(text)

    def declare(rule: Callable[..., Any]) -> Callable[..., Any]:
        function = rule.__name__
        asked = tuple(inspect.signature(rule).parameters)
        example = built(*(variable(n, COMPLEX) for n in names))
        # a second operation of one function (clamp is a maximum too) has a derivative of its own
        primitive = (
            all(a.function == "variable" for a in example.args)
            and example.function not in DERIVATIVES
        )
        make = built
        if asked and not primitive:
            FUNCTIONS[function] = Function(definition=built)
            make = partial(call, function)
        if asked:
            key = example.function if primitive else function
            DERIVATIVES[key] = Derivative(rule, names, asked)

        def build(kind: str) -> Formula:
            inputs = [variable(n, (kinds or {}).get(n, kind)) for n in names]
            return Formula(function, inputs, (make(*inputs),), by_rule=bool(asked))

        OPS[function] = op = Pointwise(name, function, build, promotion)
        return _public(op, rule.__doc__ or "")

    return declare


_PARAMETERS = {1: ("input",), 2: ("input", "other"), 3: ("input", "min", "max")}


def _public(op: Pointwise, doc: str) -> Callable[..., Any]:
    """Return the function that users call, generated so that it has PyTorch's parameter names."""
    names = [str(v.value) for v in op.formula.inputs]
    if names == ["condition", "x", "y"]:
        parameters: tuple[str, ...] = ("condition", "input", "other")
    else:
        parameters = _PARAMETERS[len(names)]
    op.parameters = parameters
    if op.specializes:
        function = specialized.forward(op, parameters)
        function.__doc__ = doc
        function.op = op  # type: ignore[attr-defined]
        return function
    arguments = ", ".join(parameters)
    namespace: dict[str, Any] = {"op": op}
    source = f"def {op.function}({arguments}):\n    return op({arguments})\n"
    exec(compile(source, f"<gpugrad {op.function}>", "exec"), namespace)
    function = namespace[op.function]
    function.__doc__ = doc
    function.op = op
    return function
