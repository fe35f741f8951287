"""Formulas that other operations and their gradients are made of."""

from __future__ import annotations

from gpugrad.op import pointwise


@pointwise("where(isnan(x), x, 1)", "MulBackward0")
def one_for(g, x):
    return 0


@pointwise("chained(x, y)", "MulBackward0")
def chained(g, x, y):
    """Return input * other, 0 where one of them is 0, whatever the other is."""
    return chained(g, y), chained(g, x)


@pointwise(
    "where(finite, chained(x, y), x * y)",
    "MulBackward0",
    kinds={"finite": "bool"},
    parameters=("finite", "input", "other"),
)
def product_in(g, finite, x, y):
    """Return input * other; in a product of finite numbers, of which they are parts, 0 wins."""
    return None, product_in(finite, g, y), product_in(finite, g, x)


@pointwise("real((x - y) * conj(x - y))")
def squared_distance():
    pass


# The product comes last: slope / size may be out of range where slope times the direction is not.
@pointwise("where(eq(size, 0), 0, slope) * where(eq(size, 0), 0, x / size)", "MulBackward0")
def along():
    """Return slope times the direction x / size, 0 where size is 0.

    There its derivative by slope is 0, those by size and x are nan, and its tangents are 0; by
    "math" all are 0.
    """


@pointwise("where(eq(size, 0), 0, slope) * (x / where(eq(size, 0), 1, size))", "MulBackward0")
def along_or_flat():
    """Return slope times the direction x / size, 0 where size is 0, and so are all derivatives."""


@pointwise("binade(x)", promotion="real")
def binade():
    """Return the power of two that is at most input, a positive number, but no subnormal one.

    That of 0 is 1, and that of inf the largest.
    """


@pointwise(
    "pow(x / where(either(eq(size, 0), isinf(size)), 1, size), y)",
    promotion="float",
    kinds={"size": "real"},
)
def reduced_power():
    pass


@pointwise(
    "where(either(eq(size, 0), isinf(size)), 1, size) * pow(x, y)",
    promotion="float",
    kinds={"size": "real"},
)
def enlarged_power():
    pass


@pointwise("x / binade(size)", promotion="float", kinds={"size": "real"})
def reduced():
    pass


@pointwise("x / degrees * binade(size) * binade(size)", promotion="float", kinds={"size": "real"})
def enlarged_variance():
    pass


@pointwise("sqrt(x / degrees) * binade(size)", promotion="float", kinds={"size": "real"})
def enlarged_deviation():
    pass


@pointwise("sqrt(x / degrees)", promotion="float")
def deviation():
    pass


@pointwise(
    "exp(x - where(isinf(largest), 0, largest))",
    promotion="float",
    kinds={"largest": "real"},
    parameters=("input", "largest"),
)
def exp_below():
    pass


@pointwise(
    "log(x) + where(isinf(largest), 0, largest)",
    promotion="float",
    kinds={"largest": "real"},
    parameters=("input", "largest"),
)
def log_above():
    pass


@pointwise(
    "size * conj(exp(x - y))", "MulBackward0", "float", parameters=("size", "input", "other")
)
def sized_exp_difference():
    pass


@pointwise("where(eq(x, 0), 0, 1)")
def nonzero_as_one():
    pass
