"""Comparisons of numbers, and what kind of number each is."""

from __future__ import annotations

from gpugrad.op import pointwise, public


@public(inplace="values", out=True, operators="__eq__")
@pointwise("eq(x, y)", promotion="compare")
def eq():
    """Return where input equals other, as bool."""


@public(inplace="values", out=True, names="not_equal", operators="__ne__")
@pointwise("ne(x, y)", promotion="compare")
def ne():
    """Return where input differs from other, as bool."""


@public(inplace="values", out=True, names="less", operators="__lt__")
@pointwise("x < y", promotion="compare")
def lt():
    """Return where input is less than other, as bool."""


@public(inplace="values", out=True, names="less_equal", operators="__le__")
@pointwise("x <= y", promotion="compare")
def le():
    """Return where input is at most other, as bool."""


@public(inplace="values", out=True, names="greater", operators="__gt__")
@pointwise("x > y", promotion="compare")
def gt():
    """Return where input is greater than other, as bool."""


@public(inplace="values", out=True, names="greater_equal", operators="__ge__")
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


@pointwise("eq(x * 0, 0)", promotion="compare")
def is_finite():
    """Return where input is neither infinite nor nan, as bool."""
