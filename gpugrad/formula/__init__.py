"""Scalar formulas: built from Python expressions, differentiated, printed as NumPy and as CUDA.

A formula is what one element of an elementwise operation computes.
Its vector-Jacobian product is again a formula, so the derivative of every order has the shape of
the first, and each is printed once as a Python function of NumPy ufuncs and once as the body of a
CUDA kernel.
This module knows neither NumPy nor CuPy: it builds and prints text.

>>> x, y = variable("x"), variable("y")
>>> print(Formula("example", (x, y), (x * y + 1,)).python())
def example_formula(x, y):
    return (x * y) + 1
"""

from __future__ import annotations

from gpugrad.formula.expression import BOOL as BOOL
from gpugrad.formula.expression import COMPLEX as COMPLEX
from gpugrad.formula.expression import CONVENTIONS as CONVENTIONS
from gpugrad.formula.expression import DERIVATIVES as DERIVATIVES
from gpugrad.formula.expression import FUNCTIONS as FUNCTIONS
from gpugrad.formula.expression import MATH as MATH
from gpugrad.formula.expression import REAL as REAL
from gpugrad.formula.expression import TORCH as TORCH
from gpugrad.formula.expression import Derivative as Derivative
from gpugrad.formula.expression import Expression as Expression
from gpugrad.formula.expression import Function as Function
from gpugrad.formula.expression import as_expression as as_expression
from gpugrad.formula.expression import call as call
from gpugrad.formula.expression import constant as constant
from gpugrad.formula.expression import eq as eq
from gpugrad.formula.expression import is_constant as is_constant
from gpugrad.formula.expression import lowered as lowered
from gpugrad.formula.expression import ordered as ordered
from gpugrad.formula.expression import parse as parse
from gpugrad.formula.expression import substitute as substitute
from gpugrad.formula.expression import variable as variable
from gpugrad.formula.formula import Formula as Formula
from gpugrad.formula.formula import Product as Product
from gpugrad.formula.formula import has_order as has_order
