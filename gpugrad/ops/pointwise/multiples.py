"""Multiples of tensors by numbers, and sums of them, as matrix products add them."""

from __future__ import annotations

from gpugrad.op import pointwise


# What PyTorch computes of a number within a function of its own; no such number is freed.
@pointwise("x * y", "MulBackward1", function="mul", parameters=("input", "factor"))
def times(g, x, y):
    return g * y, None


@pointwise("x / y", "DivBackward1", function="div", parameters=("input", "factor"))
def over(g, x, y):
    return g / y, None


OPERANDS = ("input", "beta", "product", "alpha")


@pointwise("x * beta + y * alpha", "AddmmBackward0", parameters=OPERANDS)
def scaled_sum(g, x, beta, y, alpha):
    return g * beta, None, g * alpha, None


@pointwise("x + y * z", "AddrBackward0", parameters=("input", "vec1", "vec2"))
def added_product(g, x, y, z):
    return g, g * z, g * y


@pointwise(
    "x * beta + y * z * alpha",
    "AddrBackward0",
    parameters=("input", "beta", "vec1", "vec2", "alpha"),
)
def scaled_product(g, x, beta, y, z, alpha):
    return g * beta, None, g * z * alpha, g * y * alpha, None
