"""Python functions as fused operations, and kernels that are launched by hand, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad as torch
from gpugrad.autograd import GradcheckError, gradcheck, gradgradcheck

X = np.array([0.5, -1.2, 2.0])
Y = np.array([[1.5], [0.2], [-2.0]])
Z = X + 1j * Y[:, 0]

FUNCTIONS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (lambda x, y: x * y + torch.sin(x), (X, Y)),
    (lambda x, y: (x * y, x.exp() + y), (X, Y)),
    (lambda x, n=3: x**n + np.cos(x), (X,)),
    (lambda x, y: np.where(x > y, x * y, 0.5) + np.where(x > 0, 1, y), (X, Y)),
    (lambda x, y: torch.where((x > y) & (x > 0), x * x, -y).clamp(-3, 3), (X, Y)),
    (lambda z: z * z.conj() + z.exp(), (Z,)),
    (lambda z: z.real * torch.imag(z) + z.abs(), (Z,)),
    (lambda x: torch.complex(x, x * x).exp() + torch.polar(x, x), (X,)),
    (lambda z, x: z * x, (Z, X)),
    (lambda x: torch.lerp(x, x.sigmoid(), 0.3), (X,)),
]


@pytest.mark.parametrize(("function", "given"), FUNCTIONS)
def test_fused_function_is_the_function_with_derivatives(
    function: Callable[..., Any], given: tuple[Any, ...], device: str
) -> None:
    fused = torch.formula(function)
    arguments = [torch.tensor(a, device=device, requires_grad=True) for a in given]
    found, expected = fused(*arguments), function(*arguments)
    for f, e in zip(*(v if isinstance(v, tuple) else (v,) for v in (found, expected)), strict=True):
        assert f.dtype == e.dtype
        assert f.shape == e.shape
        np.testing.assert_allclose(f.detach().cpu().numpy(), e.detach().cpu().numpy(), rtol=1e-13)
    gradcheck(fused, arguments, check_forward_ad=True, check_batched_grad=True)
    gradgradcheck(fused, arguments)


@pytest.mark.cuda
def test_fused_function_is_one_kernel_and_so_is_its_backward() -> None:
    from gpugrad.kernels import launches

    fused = torch.formula(lambda x, y: torch.tanh(x * y) * x + y)
    x, y = (torch.ones(8, device="cuda", requires_grad=True) for _ in range(2))
    out = fused(x, y)
    before = launches.total
    out = fused(x, y)
    assert launches.total - before == 1
    g = torch.ones(8, device="cuda")
    before = launches.total
    torch.autograd.grad(out, (x, y), g)
    assert launches.total - before == 1


def test_types_and_conventions_of_a_fused_function_are_its_own(device: str) -> None:
    fused = torch.formula(lambda x: torch.where(x > 0, x.sqrt(), 0) * 0.5)
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert fused(torch.ones(2, dtype=kind, device=device)).dtype == kind
    whole = torch.ones(2, dtype=torch.int32, device=device)
    assert fused(whole).dtype == torch.float32
    assert torch.formula(lambda k: k * 3 - torch.where(k > 0, 1, 0))(whole).tolist() == [2, 2]
    x = torch.zeros(1, device=device, requires_grad=True)
    assert torch.autograd.grad(fused(x).sum(), x)[0].isnan().all()
    with torch.conventions("math"):
        out = fused(x)
    assert torch.autograd.grad(out.sum(), x)[0].tolist() == [0]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x.sum(), "'sum' is not elementwise"),
        (lambda x: x[0], "an index"),
        (lambda x: x + torch.ones(3), "a tensor that is none of its arguments"),
        (lambda x: x.add_(1), "a write in place"),
        (lambda x: x.numpy(), "asks for its elements"),
        (lambda x: (x, x.view(1, 3)), "asks for its elements"),
    ],
)
def test_what_is_no_formula_is_refused(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(NotImplementedError, match=says):
        torch.formula(function)(torch.tensor(X, requires_grad=True))


def test_fused_function_needs_a_tensor_and_returns_one() -> None:
    with pytest.raises(TypeError, match="takes tensors"):
        torch.formula(lambda x: x * 2)(3)
    with pytest.raises(TypeError, match="does not depend on its arguments"):
        torch.formula(lambda x: 3)(torch.ones(2))


# --------------------------------------------------------------------------- kernels by hand


def square_of(x: Any, y: Any) -> Any:
    return x * x * y


def gradient_of(g: Any, x: Any, y: Any) -> Any:
    return 2 * g * x * y, g * x * x


def test_paired_functions_are_checked_against_each_other() -> None:
    pair = torch.raw_kernel(backward=gradient_of, host=square_of, host_backward=gradient_of)
    right = pair(square_of)
    x, y = (torch.tensor(a, requires_grad=True) for a in (X, X + 1))
    assert right.gradcheck(x, y)
    assert right.gradcheck(x.detach(), y)
    np.testing.assert_allclose(right(x, y).detach().numpy(), X * X * (X + 1))
    with pytest.raises(RuntimeError, match="differentiate twice"):
        right.gradcheck(x, y, second=True)

    wrong = torch.raw_kernel(
        backward=gradient_of, host=square_of, host_backward=lambda g, x, y: (g * x * y, g * x * x)
    )(square_of)
    with pytest.raises(GradcheckError):
        wrong.gradcheck(x, y)
    with pytest.raises(NotImplementedError, match="host="):
        torch.raw_kernel(backward=gradient_of)(square_of)(x, y)
    with pytest.raises(TypeError, match="asks for 'z'"):
        torch.raw_kernel(backward=lambda g, z: g)(square_of)


def test_backward_that_is_a_pair_has_gradients_of_its_own() -> None:
    def second(g0: Any, g1: Any, g: Any, x: Any, y: Any) -> Any:
        return 2 * x * y * g0 + x * x * g1, 2 * g * y * g0 + 2 * g * x * g1, 2 * g * x * g0

    inner = torch.raw_kernel(backward=second, host=gradient_of, host_backward=second)(gradient_of)
    outer = torch.raw_kernel(backward=inner, host=square_of)(square_of)
    x, y = (torch.tensor(a, requires_grad=True) for a in (X, X + 1))
    assert outer.gradcheck(x, y)


@pytest.mark.cuda
def test_raw_kernels_of_cupy_are_paired() -> None:
    import cupy

    forward = cupy.RawKernel(
        """extern "C" __global__ void sines(const double *x, double *out, int n) {
          const int i = blockIdx.x * blockDim.x + threadIdx.x;
          if (i < n) out[i] = sin(x[i]);
        }""",
        "sines",
    )
    backward = cupy.RawKernel(
        """extern "C" __global__ void slopes(const double *g, const double *x, double *out, int n) {
          const int i = blockIdx.x * blockDim.x + threadIdx.x;
          if (i < n) out[i] = g[i] * cos(x[i]);
        }""",
        "slopes",
    )

    def slope(g: Any, x: Any) -> Any:
        out = cupy.empty_like(x)
        backward((1,), (128,), (g, x, out, np.int32(x.size)))
        return out

    @torch.raw_kernel(backward=slope)
    def sine(x: Any) -> Any:
        out = cupy.empty_like(x)
        forward((1,), (128,), (x, out, np.int32(x.size)))
        return out

    x = torch.tensor(X, device="cuda", requires_grad=True)
    assert sine.gradcheck(x)
    (found,) = torch.autograd.grad(sine(x).sum(), x)  # the gradient that comes in is one number
    np.testing.assert_allclose(found.cpu().numpy(), np.cos(X))


class Stepped(torch.autograd.Function):
    """A function with a backward of its own."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 100


def _apart(x: Any) -> Any:
    with torch.no_grad():
        y = x * x
    return x * y


@pytest.mark.parametrize("function", [
    lambda x: x * x.detach(), lambda x: x * x.data, _apart, Stepped.apply,
    torch.no_grad()(lambda x: x * x),
])  # fmt: skip
def test_what_would_not_be_differentiated_is_refused(function: Any) -> None:
    x = torch.tensor(3.0, requires_grad=True)
    refused: Any = torch.formula(function, name="refused")
    square: Any = torch.formula(lambda x: x * x)
    with pytest.raises(NotImplementedError, match=r"gpugrad\.formula: (detach|no_grad)\("):
        refused(x)
    with torch.no_grad():  # outside it is as ever
        assert square(x).item() == 9.0
