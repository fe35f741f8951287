"""Kernels of users': values as C++ gives them, and derivatives of every order from the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

import gpugrad as torch
from gpugrad import ElementwiseKernel, ReductionKernel
from gpugrad.autograd import gradcheck, gradgradcheck
from gpugrad.formulas import Formula


class Case(NamedTuple):
    """A kernel, what it computes, and what it is given."""

    kernel: Any
    expected: Any  # a function of NumPy's arrays
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = MappingProxyType({})


X = np.array([0.5, -1.2, 2.0])
Y = np.array([1.5, 0.2, -2.0])
Z = X + 1j * Y
M = np.array([[0.5, -1.2, 2.0], [1.0, 3.0, -0.7]])


def newton(x: Any) -> Any:
    root = x.copy() * 0 + 1
    for _ in range(50):
        root = np.where(
            np.abs(root**3 + root - x) > 1e-3, root - (root**3 + root - x) / (3 * root**2 + 1), root
        )
    return root


def convolved(image: Any) -> Any:
    padded = np.pad(image, 1)
    rows, columns = image.shape
    return sum(
        padded[r : r + rows, c : c + columns] * (0.5, 1, 2)[r] * (c + 1)
        for r in range(3)
        for c in range(3)
    )


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
    Case(  # a sum over neighbours in two dimensions
        ElementwiseKernel(
            "raw T image, int32 w",
            "T z",
            """const int r = i / w, c = i % w;
            z = 0;
            for (int dr = -1; dr <= 1; dr++)
              for (int dc = -1; dc <= 1; dc++) {
                const int row = r + dr, column = c + dc;
                if (row < 0 || row >= _ind.size() / w || column < 0 || column >= w) continue;
                const T value = __ldg(&image[row * w + column]);
                z += value * value * weight[dr + 1] * (dc + 2);
              }""",
            "stencil",
            loop_prep="const double weight[3] = {0.5, 1, 2};",
        ),
        lambda image, w: convolved(image**2).ravel(),
        (M, 3),
        {"size": 6},
    ),
    Case(  # a picture read between its points
        ElementwiseKernel(
            "raw T image, T x, T y, int32 h, int32 w",
            "T z",
            """int c = floor(x), r = floor(y);
            c = min(max(c, 0), w - 2); r = min(max(r, 0), h - 2);
            const T s = x - c, t = y - r;
            const ptrdiff_t k = r * w + c;
            z = mix(mix(image[k], image[k + 1], s), mix(image[k + w], image[k + w + 1], s), t);""",
            "bilinear",
            preamble="""template <typename T> __device__ T mix(T a, T b, T t) {
              return a + (b - a) * t;
            }""",
        ),
        lambda image, x, y, h, w: (
            (1 - y) * ((1 - (x - 1)) * image[0, 1] + (x - 1) * image[0, 2])
            + y * ((1 - (x - 1)) * image[1, 1] + (x - 1) * image[1, 2])
        ),
        (M, np.array([1.3, 1.7]), np.array([0.2, 0.6]), 2, 3),
    ),
    Case(
        ElementwiseKernel(
            "T x",
            "T z",
            "complex<T> c(x, x * x), e = exp(c) * conj(c); z = e.real() + abs(e) * c.imag();",
            "complex_temporaries",
        ),
        lambda x: (e := np.exp(x + 1j * x * x) * (x - 1j * x * x)).real + np.abs(e) * x * x,
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

REDUCTIONS = [
    Case(  # CuPy's tutorial
        ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "l2norm"),
        lambda x, **at: np.sqrt((x * x).sum(**at)),
        (M,),
    ),
    Case(
        ReductionKernel("T x, T w", "T y", "x * w", "a * b", "y = a", "1", "product"),
        lambda x, w, **at: (x * w).prod(**at),
        (M, Y),
    ),
    Case(  # the identity takes part, too
        ReductionKernel("T x", "T y", "x", "max(a, b)", "y = a * a", "0.6", "greatest"),
        lambda x, **at: x.max(initial=0.6, **at) ** 2,
        (M,),
    ),
    Case(
        ReductionKernel("T x", "T y", "x * x", "min(a, b)", "y = exp(a)", None, "least"),
        lambda x, **at: np.exp((x * x).min(**at)),
        (M,),
    ),
    Case(  # no reduction of a name: by pairs
        ReductionKernel(
            "T x", "T y", "x", "max(a, b) + log1p(exp(-fabs(a - b)))", "y = a", "-1e300", "logsum"
        ),
        lambda x, **at: np.log(np.exp(x).sum(**at)),
        (M,),
    ),
    Case(
        ReductionKernel(
            "T x, T s", "T y", "x * s", "a + b", "y = s * a / (_in_ind.size() / _out_ind.size())",
            "0", "scaled_mean",
        ),
        lambda x, s, **at: s * s * x.mean(**at),
        (M, 2.5),
    ),
]  # fmt: skip


def placed(value: Any, device: str, **options: Any) -> Any:
    return torch.tensor(value, device=device, **options) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.kernel.name)
def test_kernel_has_the_values_of_its_text_and_derivatives(case: Case, device: str) -> None:
    check(case, device, case.options, {})


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, {}),
        ({"axis": -1}, {"axis": 1}),
        ({"axis": (1, 0), "keepdims": True}, {"keepdims": True}),
    ],
)
@pytest.mark.parametrize("case", REDUCTIONS, ids=lambda c: c.kernel.name)
def test_reduction_has_the_values_of_its_text_and_derivatives(
    case: Case, given: Any, meant: Any, device: str
) -> None:
    check(case, device, given, meant)


def check(case: Case, device: str, given: Mapping[str, Any], meant: Mapping[str, Any]) -> None:
    arguments = [placed(a, device, requires_grad=True) for a in case.arguments]

    def function(*operands: Any) -> Any:
        return case.kernel(*operands, **given)

    found, expected = function(*arguments), case.expected(*case.arguments, **meant)
    for one, other in zip(
        *(v if isinstance(v, tuple) else (v,) for v in (found, expected)), strict=True
    ):
        np.testing.assert_allclose(one.detach().cpu().numpy(), other, rtol=1e-13)
    gradcheck(function, arguments, check_forward_ad=True, check_batched_grad=True)
    gradgradcheck(function, arguments)


@pytest.mark.cuda
def test_kernels_of_cupy_differentiate_themselves() -> None:
    import cupy

    kernel = cupy.ElementwiseKernel(
        "T x, raw T w, int32 m", "T z", "z += x * w[i % m] * s;", "weighted",
        preamble="#define TWO 2", loop_prep="T s = TWO;", after_loop="s = 0;",
    )  # fmt: skip
    own = torch.kernel.differentiable(kernel)
    assert own is torch.kernel.differentiable(kernel)
    x, w = (torch.tensor(a, device="cuda", requires_grad=True) for a in (X, Y))

    def function(x: Any, w: Any) -> Any:
        return own(x, w, 3, torch.ones(3, dtype=torch.float64, device="cuda"))

    np.testing.assert_allclose(function(x, w).detach().cpu().numpy(), 1 + 2 * X * Y)
    gradcheck(function, (x, w))

    norm = cupy.ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "norm")
    gradcheck(torch.kernel.differentiable(norm), (x,))
    with pytest.raises(TypeError, match="got int"):
        torch.kernel.differentiable(3)


def formulas_of(program: Any) -> Iterator[Formula]:
    """Return the formulas of a program that has run, and those of its loops."""
    for made in program.fused.values():
        yield made.op.formula
    for step in program.steps:
        if hasattr(step, "body"):
            yield from formulas_of(step.body)


@pytest.mark.nvrtc
@pytest.mark.slow
@pytest.mark.parametrize("arch", [75, 90])
def test_kernels_and_their_derivatives_compile_for_real_gpus(arch: int) -> None:
    from gpugrad.kernels import dense
    from gpugrad.kernels.layout import WHOLE, Way
    from gpugrad.kernels.source import kind_dtype
    from hostcuda import nvrtc

    sources: dict[str, str] = {}
    for case in CASES:
        case.kernel(*(placed(a, "cpu") for a in case.arguments), **case.options)
        programs = [followed.program for followed in case.kernel._followed.values()]
        dtype = programs[0].computed_in(case.arguments[0].dtype)
        for formula in {f for program in programs for f in formulas_of(program)}:
            needs = tuple(v.kind in ("real", "complex") for v in formula.inputs)
            first = formula.vjp(needs, (True,) * len(formula.outputs)).formula
            again = (True,) * len(first.outputs)
            second = first.vjp(tuple(v.kind in ("real", "complex") for v in first.inputs), again)
            for order, f in enumerate((formula, first, second.formula)):
                if not f.outputs:
                    continue
                ways = tuple(Way(WHOLE, kind_dtype(v.kind, dtype)) for v in f.inputs)
                results = tuple(kind_dtype(e.kind, dtype) for e in f.outputs)
                made = dense.raw(f, ways, dtype, results, 1, False)
                sources[f"{case.kernel.name}, order {order}, {len(sources)}"] = made.code
    assert len(sources) >= 3 * len(CASES)
    nvrtc.compile_many(sources, arch, options=nvrtc.fast_options())


def test_a_plain_output_is_refused_where_an_input_is_tracked() -> None:
    square = ElementwiseKernel("T x", "T z", "z = x * x", "square")
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    array = np.zeros(2, np.float32)
    with pytest.raises(TypeError, match="square: an output is a plain array, which has no history"):
        square(x, array)
    assert array.tolist() == [0, 0]
    square(x.detach(), array)
    assert array.tolist() == [1, 4]


def test_no_output_is_written_where_one_of_several_cannot_be() -> None:
    both = ElementwiseKernel("T x", "T a, T b", "a = x; b = x * x", "both")
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    first, leaf = torch.zeros(2), torch.zeros(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable"):
        both(x, first, leaf)
    assert first.tolist() == [0, 0]
    squares = ReductionKernel("T x", "T y", "x * x", "a + b", "y = a", "0", "squares")
    with pytest.raises(TypeError, match="squares: an output is a plain array"):
        squares(x, out=np.zeros((), np.float32))
