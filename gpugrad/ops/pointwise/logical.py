"""Logic: of truth values, and of numbers that are true where they are not 0."""

from __future__ import annotations

from typing import Any

from gpugrad.formulas import call
from gpugrad.op import pointwise, public


def both(x: Any, y: Any) -> Any:
    """Return, in a formula, the truth of both."""
    return call("both", x, y)


def either(x: Any, y: Any) -> Any:
    """Return, in a formula, the truth of at least one."""
    return call("either", x, y)


@public(inplace="values", out=True, tensors="input other")
@pointwise("both(x, y)", promotion="compare")
def logical_and():
    """Return where both are nonzero, as bool."""


@public(inplace="values", out=True, tensors="input other")
@pointwise("either(x, y)", promotion="compare")
def logical_or():
    """Return where at least one is nonzero, as bool."""


@public(inplace="values", out=True, tensors="input other")
@pointwise("differ(x, y)", promotion="compare")
def logical_xor():
    """Return where exactly one is nonzero, as bool."""


@public(inplace="values", out=True)
@pointwise("untrue(x)", promotion="compare")
def logical_not():
    """Return where input is zero, as bool."""
