"""Sums of a tensor and a product, each multiplied by a number, as matrix products add them."""

from __future__ import annotations

from gpugrad.op import pointwise

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
