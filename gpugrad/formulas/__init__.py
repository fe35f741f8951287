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

from gpugrad.formulas.expression import BOOL as BOOL
from gpugrad.formulas.expression import COMPLEX as COMPLEX
from gpugrad.formulas.expression import CONVENTIONS as CONVENTIONS
from gpugrad.formulas.expression import DERIVATIVES as DERIVATIVES
from gpugrad.formulas.expression import FUNCTIONS as FUNCTIONS
from gpugrad.formulas.expression import INTEGER as INTEGER
from gpugrad.formulas.expression import MATH as MATH
from gpugrad.formulas.expression import REAL as REAL
from gpugrad.formulas.expression import TORCH as TORCH
from gpugrad.formulas.expression import Derivative as Derivative
from gpugrad.formulas.expression import Expression as Expression
from gpugrad.formulas.expression import Function as Function
from gpugrad.formulas.expression import as_expression as as_expression
from gpugrad.formulas.expression import call as call
from gpugrad.formulas.expression import constant as constant
from gpugrad.formulas.expression import eq as eq
from gpugrad.formulas.expression import is_constant as is_constant
from gpugrad.formulas.expression import lowered as lowered
from gpugrad.formulas.expression import only_function as only_function
from gpugrad.formulas.expression import ordered as ordered
from gpugrad.formulas.expression import parse as parse
from gpugrad.formulas.expression import substitute as substitute
from gpugrad.formulas.expression import variable as variable
from gpugrad.formulas.formula import Formula as Formula
from gpugrad.formulas.formula import Product as Product
from gpugrad.formulas.formula import has_order as has_order
