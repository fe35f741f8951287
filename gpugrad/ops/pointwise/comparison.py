"""Comparisons of numbers, and what kind of number each is."""

from __future__ import annotations

from gpugrad import _dtype
from gpugrad.formulas import BOOL, Function
from gpugrad.op import pointwise, public


@public(inplace="values", out=True, operators="__eq__", tensors="input")
@pointwise("eq(x, y)", promotion="compare")
def eq():
    """Return where input equals other, as bool."""


@public(inplace="values", out=True, names="not_equal", operators="__ne__", tensors="input")
@pointwise("ne(x, y)", promotion="compare")
def ne():
    """Return where input differs from other, as bool."""


@public(inplace="values", out=True, names="less", operators="__lt__", tensors="input")
@pointwise("x < y", promotion="compare")
def lt():
    """Return where input is less than other, as bool."""


@public(inplace="values", out=True, names="less_equal", operators="__le__", tensors="input")
@pointwise("x <= y", promotion="compare")
def le():
    """Return where input is at most other, as bool."""


@public(inplace="values", out=True, names="greater", operators="__gt__", tensors="input")
@pointwise("x > y", promotion="compare")
def gt():
    """Return where input is greater than other, as bool."""


@public(inplace="values", out=True, names="greater_equal", operators="__ge__", tensors="input")
@pointwise("x >= y", promotion="compare")
def ge():
    """Return where input is at least other, as bool."""


@public()
@pointwise("isnan(x)", promotion="compare")
def isnan():
    """Return where input is nan, as bool."""


@public()
@pointwise("isinf(x)", promotion="compare")
def isinf():
    """Return where input is infinite, as bool."""


@public()
@pointwise("eq(imag(x), 0)", promotion="compare")
def isreal():
    """Return where the imaginary part is 0, as bool; everywhere for a real input."""


@public()
@pointwise(
    "isfinite(x)",
    promotion="compare",
    native=Function("isfinite({})", "gpugrad::isfinite({})", BOOL),
)
def isfinite():
    """Return where input is neither infinite nor nan, as bool."""


@public(out=True)
@pointwise(
    "both(isinf(x), x > 0)",
    promotion="compare",
    refused={_dtype.COMPLEX: RuntimeError("isposinf does not support complex inputs.")},
)
def isposinf():
    """Return where input is inf, as bool."""


@public(out=True)
@pointwise(
    "both(isinf(x), x < 0)",
    promotion="compare",
    refused={_dtype.COMPLEX: RuntimeError("isneginf does not support complex inputs.")},
)
def isneginf():
    """Return where input is -inf, as bool."""
