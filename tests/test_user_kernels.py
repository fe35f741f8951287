"""Kernels of users': values as C++ gives them, and derivatives of every order from the text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

import gpugrad as torch
from gpugrad import ElementwiseKernel
from gpugrad.autograd import gradcheck, gradgradcheck


class Case(NamedTuple):
    """A kernel, what it computes, and what it is given."""

    kernel: ElementwiseKernel
    expected: Any  # a function of NumPy's arrays
    arguments: tuple[Any, ...]
    options: Mapping[str, int] = MappingProxyType({})


X = np.array([0.5, -1.2, 2.0])
Y = np.array([1.5, 0.2, -2.0])
Z = X + 1j * Y


def newton(x: Any) -> Any:
    root = x.copy() * 0 + 1
    for _ in range(50):
        root = np.where(
            np.abs(root**3 + root - x) > 1e-3, root - (root**3 + root - x) / (3 * root**2 + 1), root
        )
    return root


CASES = [
    Case(
        ElementwiseKernel("T x, T y", "T z", "z = x * y + sin(x)", "product"),
        lambda x, y: x * y + np.sin(x),
        (X, Y),
    ),
    Case(  # CuPy's tutorial
        ElementwiseKernel("T x, T y", "T z", "z = (x - y) * (x - y)", "squared_diff"),
        lambda x, y: (x - y) ** 2,
        (X[:, None], Y),
    ),
    Case(  # CuPy's tutorial: a raw argument, and the number of the element
        ElementwiseKernel("T x, raw T y", "T z", "z = x + y[_ind.size() - i - 1]", "add_reverse"),
        lambda x, y: x + y[::-1],
        (X, Y),
    ),
    Case(
        ElementwiseKernel(
            "T x, T y",
            "T z",
            "T t = x*y; t += x; t *= t; z = t > 1 ? t : -sqrt(fabs(t));",
            "temporaries",
        ),
        lambda x, y: np.where((t := (x * y + x) ** 2) > 1, t, -np.sqrt(t)),
        (X, Y),
    ),
    Case(
        ElementwiseKernel(
            "T x, T y",
            "T z",
            "if (x > 0) { z = log(x) * y; } else if (x < -1) z = x * x * y; else { z = y; }",
            "piecewise",
        ),
        lambda x, y: np.where(x > 0, np.log(np.abs(x)), x * x) * y,
        (X, Y),
    ),
    Case(
        ElementwiseKernel(
            "T x, T y",
            "T z",
            "T s = 0; for (int k = 0; k < 5; k++) { s = s * x + y / (k + 1); } z = s;",
            "horner",
        ),
        lambda x, y: sum(y / (k + 1) * x ** (4 - k) for k in range(5)),
        (X, Y),
    ),
    Case(  # how often the loop runs is told by a number
        ElementwiseKernel(
            "T x, int32 m",
            "T z",
            """T s = 1;
            for (int k = 0; k < m; k++) { if (k == 2) continue; s *= x; if (k > 3) break; }
            z = s;""",
            "leaving",
        ),
        lambda x, m: x**4,
        (X, 7),
    ),
    Case(  # how often the loop runs is told by the elements
        ElementwiseKernel(
            "T x",
            "T z",
            """T r = 1;
            while (fabs(r*r*r + r - x) > 1e-3) {
              const T slope = 3 * r * r + 1;
              r -= (r*r*r + r - x) / slope;
            }
            z = r;""",
            "newton",
        ),
        newton,
        (X,),
    ),
    Case(
        ElementwiseKernel("T x, T y", "T z, T w", "z = x * y; w = sin(x);", "two_outputs"),
        lambda x, y: (x * y, np.sin(x)),
        (X, Y),
    ),
    Case(
        ElementwiseKernel(
            "raw T x",
            "T z",
            "z = (i > 0 ? x[i - 1] : x[n - 1]) - 2 * x[i] * x[i] + x[(i + 1) % x.size()]",
            "laplace",
        ),
        lambda x: np.roll(x, 1) - 2 * x * x + np.roll(x, -1),
        (X,),
        {"size": 3},
    ),
    Case(
        ElementwiseKernel(
            "T x",
            "T z",
            "z = scaled(x, 2) + cubed<T>(x)",
            "functions",
            preamble="""
            #define SQUARE(a) ((a) * (a))
            template <typename T> __device__ T scaled(T a, int k) {
              if (a < 0) return a * k;
              return sin(a);
            }
            template <typename U> __device__ U cubed(U a) { return SQUARE(a) * a; }
            """,
        ),
        lambda x: np.where(x < 0, 2 * x, np.sin(x)) + x**3,
        (X,),
    ),
    Case(
        ElementwiseKernel("T x", "T z", "z = conj(x) * x + exp(x) * T(0, 1)", "complex_body"),
        lambda x: np.conj(x) * x + np.exp(x) * 1j,
        (Z,),
    ),
    Case(
        ElementwiseKernel("T x", "float64 z", "z = norm(x) + x.real() * arg(x)", "to_real"),
        lambda x: np.abs(x) ** 2 + x.real * np.angle(x),
        (Z,),
    ),
]


def placed(value: Any, device: str, **options: Any) -> Any:
    return torch.tensor(value, device=device, **options) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.kernel.name)
def test_kernel_has_the_values_of_its_text_and_derivatives(case: Case, device: str) -> None:
    arguments = [placed(a, device, requires_grad=True) for a in case.arguments]

    def function(*given: Any) -> Any:
        return case.kernel(*given, **case.options)

    found, expected = function(*arguments), case.expected(*case.arguments)
    for one, other in zip(
        *(v if isinstance(v, tuple) else (v,) for v in (found, expected)), strict=True
    ):
        np.testing.assert_allclose(one.detach().cpu().numpy(), other, rtol=1e-13)
    gradcheck(function, arguments, check_forward_ad=True, check_batched_grad=True)
    gradgradcheck(function, arguments)
