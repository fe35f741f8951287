"""How an elementwise operation is declared: its formula as text, its rule as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from gpugrad.formulas import (
    DERIVATIVES,
    FUNCTIONS,
    Derivative,
    Formula,
    Function,
    call,
    only_function,
    parse,
    variable,
)
from gpugrad.op.elementwise import Pointwise, Underivable
from gpugrad.op.generated import pointwise as generated
from gpugrad.op.generated.template import Head

Array = Any
Shape = tuple[int, ...]


OPS: dict[str, Pointwise] = {}  # every declared formula, by the name of its function


def pointwise(
    text: str,
    name: str = "",
    promotion: str = "default",
    kinds: dict[str, str] | None = None,
    function: str = "",
    parameters: tuple[str, ...] = (),
    native: Function | None = None,
    refused: Mapping[int, RuntimeError] = MappingProxyType({}),
    kernel: str = "",
    derivable: bool = True,
    numbered: Mapping[int, str] = MappingProxyType({}),
    needs_tensor: bool = False,
    leading: int = 0,
    host: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an elementwise operation by its formula; the decorated function is its rule.

    The rule's parameters are ``g`` (the cotangent), the inputs by the names they have in the
    formula, ``out`` (the result), and ``convention`` where it depends on that; what it names is
    what is saved.  It returns, for each input, an expression that is linear in ``g``.  A rule
    without parameters leaves the derivative to the parts of the formula.

    Args:
        text: The formula, such as ``"x * y"``.
        name: The name of the backward node; empty where there is no gradient.
        promotion: See :class:`Pointwise`.
        kinds: Inputs that are not numbers, such as ``{"condition": "bool"}``.
        function: What users call it, where that is another name than the rule's.
        parameters: PyTorch's names of the operands, where they are not input and other.
        native: How NumPy and CUDA write the one function of the formula, if no formula had it yet.
        refused: What is raised for operands of a category.
        kernel: PyTorch's name of it in errors of types, where that is not the function's, with
            ``{}`` for the device.
        numbered: The names of the backward node where operands are numbers, by their places.
        needs_tensor: Whether numbers alone are no operands.
        leading: The place of an operand that is a tensor, where it is not the first.
        host: How the whole formula is written for NumPy, where the backend has a function for it.
        derivable: Whether it has a derivative where it has a name; if not, a backward raises.
    """
    if native is not None:
        FUNCTIONS[text.partition("(")[0]] = native
    names, built = parse(text)

    def declare(rule: Callable[..., Any]) -> Callable[..., Any]:
        key = rule.__name__
        asked = rule.__code__.co_varnames[: rule.__code__.co_argcount]
        only = only_function(text)
        # a second operation of one function (clamp is a maximum too) has a derivative of its own
        primitive = bool(only) and only not in DERIVATIVES
        make = built
        if asked and not primitive:
            FUNCTIONS[key] = Function(host, definition=built)
            make = partial(call, key)
        if asked:
            DERIVATIVES[only if primitive else key] = Derivative(rule, names, asked)

        def build(kind: str) -> Formula:
            inputs = [variable(n, (kinds or {}).get(n, kind)) for n in names]
            return Formula(key, inputs, lambda: (make(*inputs),), by_rule=bool(asked))

        kind = Pointwise if derivable else Underivable
        op = OPS[key] = kind(
            name, function or key, build, promotion, parameters, refused, kernel, numbered,
            needs_tensor, leading,
        )  # fmt: skip
        made = function_of(op, rule.__doc__ or "")
        made.__module__ = rule.__module__
        return made

    return declare


def function_of(op: Pointwise, doc: str = "") -> Callable[..., Any]:
    """Return the function of an operation, generated so that it has PyTorch's parameter names."""
    function = defined(op, op)
    function.__doc__ = doc
    function.op = op
    return function


def defined(
    op: Pointwise,
    general: Callable[..., Any],
    numbers: tuple[str, str] = generated.GIVEN,
    head: Head | None = None,
) -> Any:
    """Return a function of an operation that calls ``general`` for operands that are not plain.

    With a ``head`` it takes more than operands.
    """
    if op.numbered:  # what the node is called depends on what the operands are
        numbers = generated.UNRECORDED
    return generated.forward(op, general, numbers, head)
