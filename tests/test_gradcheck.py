"""``gradcheck``: what passes, what does not, and in which words; beside PyTorch's own."""

from __future__ import annotations

import itertools
import re
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from snippets import ours, raised, run

import gpugrad
from comparison import pytorch
from gpugrad.autograd import GradcheckError, gradcheck
from gpugrad.autograd.gradcheck import central_difference
from gpugrad.op import linear

START = (
    "gradcheck, gradgradcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck\n"
    "x = torch.tensor([1.0, 2.0], dtype=torch.double, requires_grad=True)\n"
    "y = torch.tensor([[0.5, 3.0]], dtype=torch.double, requires_grad=True)\n"
    "z = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128, requires_grad=True)\n"
)

OK = [
    "gradcheck(lambda x, y: (x * y, x.exp().sum(), y @ x), (x, y))",
    "gradcheck(lambda z: (z * z.conj(), z.abs(), z.exp().imag), z)",
    "gradgradcheck(lambda x, y: (x * y).sum() ** 2, (x, y))",
    "gradgradcheck(lambda z: z**3 / (z + 2), z)",
    "gradcheck(lambda x, y: (x * y, x.exp().sum(), y @ x), (x, y), check_forward_ad=True)",
    "gradcheck(lambda z: (z * z.conj(), z.abs(), z.exp().imag), z, check_forward_ad=True)",
    "gradgradcheck(lambda x, y: (x * y).sum() ** 2, (x, y), check_fwd_over_rev=True)",
    "gradgradcheck(lambda z: z**3 / (z + 2), z, check_fwd_over_rev=True)",
    "gradcheck(lambda x, y: (x * y, x.exp().sum(), y @ x), (x, y), fast_mode=True)",
    "gradcheck(lambda z: (z * z.conj(), z.abs(), z.exp().imag), z, fast_mode=True)",
    "gradgradcheck(lambda x, y: (x * y).sum() ** 2, (x, y), fast_mode=True)",
    "gradgradcheck(lambda z: z**3 / (z + 2), z, fast_mode=True)",
    "gradcheck(lambda x, y: (x * y, x.exp().sum(), y @ x), (x, y), fast_mode=True, "
    "check_forward_ad=True)",
    "gradcheck(lambda z: (z * z.conj(), z.abs(), z.exp().imag), z, fast_mode=True, "
    "check_forward_ad=True)",
    "gradgradcheck(lambda x, y: (x * y).sum() ** 2, (x, y), fast_mode=True, "
    "check_fwd_over_rev=True)",
    "gradgradcheck(lambda z: z**3 / (z + 2), z, fast_mode=True, check_fwd_over_rev=True)",
    "gradcheck(lambda x: x, torch.zeros(0, 3, dtype=torch.double, requires_grad=True))",
    "gradcheck(lambda x: x.detach() * 0, x)",
    "gradcheck(lambda x: [x, x * 2], [x])",
    "gradcheck(lambda x: x.detach() * x, x, raise_exception=False)",
    "gradgradcheck(lambda x: x**3, x, gen_non_contig_grad_outputs=True)",
    "gradgradcheck(lambda x: x**3, x, torch.ones(2, dtype=torch.double))",
    "gradgradcheck(lambda x: x**3, x, check_rev_over_rev=False, check_fwd_over_rev=True, "
    "check_undefined_grad=False)",
    "gradcheck(lambda x: x**3, x, check_backward_ad=False, check_forward_ad=True)",
    "gradcheck(lambda x, y: (x * y, x.exp().sum(), y @ x), (x, y), check_batched_grad=True)",
    "gradcheck(lambda x, y: (x.sum(), y * 2), (x, y), check_batched_grad=True, fast_mode=True)",
    "gradcheck(lambda z: (z * z.conj(), z.abs(), z.exp().imag), z, check_batched_grad=True)",
    "gradgradcheck(lambda x, y: (x * y).sum() ** 2, (x, y), check_batched_grad=True)",
    "gradgradcheck(lambda z: z**3 / (z + 2), z, check_batched_grad=True)",
    "gradcheck(lambda x, y: (x * y, x.exp().sum(), y @ x), (x, y), check_batched_grad=True, "
    "check_forward_ad=True, check_batched_forward_grad=True)",
    "gradcheck(lambda x: (x.sum(), torch.ones(2)), x, check_batched_grad=True, "
    "check_forward_ad=True, check_batched_forward_grad=True)",
    "gradcheck(lambda x: x, torch.zeros(0, 3, dtype=torch.double, requires_grad=True), "
    "check_batched_grad=True)",
]

ERRORS: list[tuple[str, type[Exception], str]] = [
    (
        ("gradcheck(lambda x: x.detach() * x, x)"),
        GradcheckError,
        (
            "Jacobian mismatch for output 0 with respect to input 0,\n"
            "numerical:tensor([[2.0000, 0.0000],\n"
            "        [0.0000, 4.0000]], dtype=torch.float64)\n"
            "analytical:tensor([[1., 0.],\n"
            "        [0., 2.]], dtype=torch.float64)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda x: (x, x.detach() * x), (x,))"),
        GradcheckError,
        (
            "Jacobian mismatch for output 1 with respect to input 0,\n"
            "numerical:tensor([[2.0000, 0.0000],\n"
            "        [0.0000, 4.0000]], dtype=torch.float64)\n"
            "analytical:tensor([[1., 0.],\n"
            "        [0., 2.]], dtype=torch.float64)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda x: x.detach() * x, x, check_backward_ad=False, check_forward_ad=True)"),
        GradcheckError,
        (
            "Jacobian computed with forward mode mismatch for output 0 with respect to input 0,\n"
            "numerical:tensor([[2.0000, 0.0000],\n"
            "        [0.0000, 4.0000]], dtype=torch.float64)\n"
            "analytical:tensor([[1., 0.],\n"
            "        [0., 2.]], dtype=torch.float64)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda x, y: x * y.detach(), (x, y))"),
        GradcheckError,
        (
            "Jacobian mismatch for output 0 with respect to input 1,\n"
            "numerical:tensor([[1.0000, 0.0000],\n"
            "        [0.0000, 2.0000]], dtype=torch.float64)\n"
            "analytical:tensor([[0., 0.],\n"
            "        [0., 0.]], dtype=torch.float64)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda z: z.detach() * z, z)"),
        GradcheckError,
        (
            "While considering the imaginary part of complex outputs only, Jacobian mismatch "
            "for output 0 with respect to input 0,\n"
            "numerical:tensor([[ 4.0000+2.0000j,  0.0000+0.0000j],\n"
            "        [ 0.0000+0.0000j, -2.0000+6.0000j]], dtype=torch.complex128)\n"
            "analytical:tensor([[ 2.+1.j,  0.+0.j],\n"
            "        [ 0.+0.j, -1.+3.j]], dtype=torch.complex128)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda z: (z.detach() * z).real, z)"),
        GradcheckError,
        (
            "Jacobian mismatch for output 0 with respect to input 0,\n"
            "numerical:tensor([[2.0000-4.0000j, 0.0000+0.0000j],\n"
            "        [0.0000+0.0000j, 6.0000+2.0000j]], dtype=torch.complex128)\n"
            "analytical:tensor([[1.-2.j, 0.+0.j],\n"
            "        [0.+0.j, 3.+1.j]], dtype=torch.complex128)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda x: x * 2, torch.ones(2, dtype=torch.double))"),
        ValueError,
        (
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        ),
    ),
    (
        ("gradcheck(lambda x: x.detach(), x)"),
        GradcheckError,
        ("Numerical gradient for function expected to be zero"),
    ),
    (
        ("gradcheck(lambda x: x.detach(), x, fast_mode=True)"),
        GradcheckError,
        ("Numerical gradient for function expected to be zero"),
    ),
    (
        ("gradcheck(lambda x: x, torch.ones(1, dtype=torch.double).expand(3).requires_grad_())"),
        RuntimeError,
        (
            "The 0th input has a dimension with stride 0. gradcheck only supports inputs that "
            "are non-overlapping to be able to compute the numerical gradients correctly. You "
            "should call .contiguous on the input before passing it to gradcheck."
        ),
    ),
    (
        ("gradcheck(lambda x: x.relu(), torch.zeros(1, dtype=torch.double, requires_grad=True))"),
        GradcheckError,
        (
            "Jacobian mismatch for output 0 with respect to input 0,\n"
            "numerical:tensor([[0.5000]], dtype=torch.float64)\n"
            "analytical:tensor([[0.]], dtype=torch.float64)\n"
            ""
        ),
    ),
    (
        ("gradcheck(lambda x: x, x, check_backward_ad=False)"),
        AssertionError,
        ("Expected at least one of check_forward_ad or check_backward_ad to be True"),
    ),
    (
        (
            "gradcheck(lambda x: x, x, check_backward_ad=False, check_forward_ad=True, "
            "check_batched_grad=True)"
        ),
        AssertionError,
        ("Setting check_batched_grad=True requires check_backward_ad to be True"),
    ),
    (
        ("gradcheck(lambda x: x, x, check_batched_forward_grad=True)"),
        AssertionError,
        ("Setting check_batched_forward_grad=True requires check_forward_ad to be True"),
    ),
    (
        ("gradgradcheck(lambda x: x, x, check_rev_over_rev=False)"),
        AssertionError,
        ("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"),
    ),
    (
        ("gradgradcheck(lambda x: x, x, check_rev_over_rev=False, check_fwd_over_rev=True)"),
        AssertionError,
        ("Setting check_undefined_grad=True requires check_rev_over_rev to be True"),
    ),
]


@pytest.mark.parametrize("program", OK)
def test_what_passes(program: str, device: str) -> None:
    assert run(START + program, gpugrad, device) is ("raise_exception" not in program)


@pytest.mark.filterwarnings("ignore")  # PyTorch's, of its own ways of doing it
@pytest.mark.parametrize("program", OK)
def test_pytorch_still_passes_it(program: str) -> None:
    torch = pytorch()
    assert run(START + program, torch) is ("raise_exception" not in program)


def same_jacobians(text: str) -> str:
    """Return a message without the ``grad_fn`` that PyTorch's own matrices have."""
    return text.replace(", grad_fn=<CopySlices>", "")


@pytest.mark.parametrize(("program", "error", "text"), ERRORS)
def test_error(program: str, error: type[Exception], text: str, device: str) -> None:
    cls, message = raised(START + program, gpugrad, device)
    assert cls.__name__ == error.__name__
    assert message == ours(same_jacobians(text))


@pytest.mark.parametrize(("program", "error", "text"), ERRORS)
def test_pytorch_still_says_so(program: str, error: type[Exception], text: str) -> None:
    torch = pytorch()
    cls, message = raised(START + program, torch)
    assert (cls.__name__, message) == (error.__name__, text)


def test_single_precision_is_warned_about(device: str) -> None:
    x = gpugrad.ones(2, device=device, requires_grad=True)
    with (
        pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double"),
        pytest.raises(GradcheckError, match="Jacobian mismatch for output 0"),
    ):
        gradcheck(lambda x: x.float().double() * 1, x)


def at(*values: float) -> Any:
    return gpugrad.tensor(values, dtype=gpugrad.float64, requires_grad=True)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_a_point_without_derivative_is_named(fast_mode: bool) -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x: (x - 1).relu(), at(3.0, 1.0), fast_mode=fast_mode)
    assert any(
        "where input 0[1] is 1.0, its slope is 0 from below and 1 from above" in note
        for note in caught.value.__notes__
    )


def test_a_wrong_derivative_is_not_blamed_on_the_point() -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x: x * x.detach(), at(3.0, 1.0))
    assert not hasattr(caught.value, "__notes__")


def test_fast_mode_shows_the_whole_jacobians() -> None:
    with pytest.raises(GradcheckError, match="computed \nin fast mode") as caught:
        gradcheck(lambda x: x * x.detach(), at(3.0, 1.0), fast_mode=True)
    assert "Analytical:\ntensor([[3., 0.],\n        [0., 1.]]" in str(caught.value)
    assert "The max per-element difference (slow mode) is: " in str(caught.value)


def test_outputs_without_derivative_may_be_bools(device: str) -> None:
    # PyTorch 2.13 fails here: it subtracts bools
    x = gpugrad.tensor([1.0, -2.0], dtype=gpugrad.float64, device=device, requires_grad=True)
    assert gradcheck(lambda x: (x.exp(), x > 0), x, check_forward_ad=True)


def test_a_backward_that_changes_is_found() -> None:
    offsets = (k * 1e-9 for k in itertools.count())

    @linear("UnsteadyBackward0")
    def unsteady(door: Any, input: Any) -> Any:
        return door.copy(input)

    @unsteady.gradient
    def input(g: Any) -> Any:
        return g * (1 + next(offsets))

    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(unsteady, at(1.0, 2.0))
    assert gradcheck(unsteady, at(1.0, 2.0), nondet_tol=1e-6)


# a function that can compute its derivative only one by one: what it does otherwise is {}
BATCHED = """
class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        try:
            g.tolist()
        except RuntimeError:
            {}
        return g * 2
    @staticmethod
    def jvp(ctx, t):
        return Doubled.backward(ctx, t)
""".strip()
BATCHED_CHECKS = {
    "check_batched_grad": "gradcheck or gradgradcheck failed while testing batched gradient "
    "computation.",
    "check_forward_ad=True, check_batched_forward_grad": "gradcheck failed while testing batched "
    "gradient computation with forward-mode AD.",
}
PYTORCH_TOO = pytest.mark.parametrize(
    "library", ["gpugrad", pytest.param("torch", marks=pytest.mark.pytorch)]
)


@PYTORCH_TOO
@pytest.mark.parametrize("check", BATCHED_CHECKS)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_computed_at_once(library: str, check: str) -> None:
    module = import_module(library)
    call = f"\ngradcheck(Doubled.apply, x, {check}=True)"
    cls, message = raised(START + BATCHED.format("raise") + call, module)
    assert cls.__name__ == "GradcheckError"
    start = "While computing batched gradients, got: Cannot access data pointer of Tensor that "
    start += f"doesn't have storage\n\n{BATCHED_CHECKS[check]}"
    assert message.replace("\n", "").startswith(start.replace("\n", ""))


@PYTORCH_TOO
@pytest.mark.parametrize("check", BATCHED_CHECKS)
@pytest.mark.filterwarnings("ignore")
def test_what_differs_when_it_is_computed_at_once(library: str, check: str) -> None:
    module = import_module(library)
    call = f"\ngradcheck(Doubled.apply, x, {check}=True)"
    cls, message = raised(START + BATCHED.format("return g * 3") + call, module)
    assert cls.__name__ == "GradcheckError"
    assert re.sub("\n+", "\n", message).startswith(
        f"For output 0 and input 0:\n{BATCHED_CHECKS[check]}"
    )
    found, expected = re.findall(r":\n(tensor\(\[\[.*?\]\].*?\))", message, re.DOTALL)
    values = [eval(text, {"tensor": module.tensor, module.__name__: module})
              for text in (found, expected)]  # fmt: skip
    # four digits behind the point are printed
    assert (values[0] - 1.5 * values[1]).abs().max().item() < (1 + 1.5) * 0.51e-4


def test_differences_of_fourth_order_are_exact_for_quartics() -> None:
    assert central_difference(lambda t: [(1 + t) ** 2], 0.5) == [2.0]
    (found,) = central_difference(lambda t: [(1 + t) ** 4], 0.5, fourth_order=True)
    assert abs(found - 4.0) < 1e-14


@pytest.mark.parametrize("fast_mode", [False, True])
def test_what_a_function_knows_from_elsewhere_is_checked(fast_mode: bool) -> None:
    check = partial(gpugrad.autograd.gradcheck, fast_mode=fast_mode)
    w = gpugrad.rand(3, dtype=gpugrad.float64, requires_grad=True)
    z = gpugrad.rand(2, dtype=gpugrad.complex128, requires_grad=True)
    s = gpugrad.tensor(1.5, dtype=gpugrad.float64, requires_grad=True)
    before = [w.tolist(), z.tolist(), s.tolist()]
    assert check(lambda _: (gpugrad.ones(3, dtype=gpugrad.float64) * w).sum(), (w,))
    assert check(lambda _: (z * z).abs(), (z,))
    assert check(lambda _: s * s, (s,))
    assert gpugrad.autograd.gradgradcheck(lambda _: s**3, (s,), fast_mode=fast_mode)
    assert check(lambda x: x, (w,))
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        check(lambda _: (w.detach() * w).sum(), (w,))
    assert before == [w.tolist(), z.tolist(), s.tolist()]
    assert w._version == 0


def test_a_backward_that_takes_no_missing_gradient_is_found() -> None:
    class Doubled(gpugrad.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, bears: bool) -> Any:
            ctx.set_materialize_grads(False)
            ctx.bears = bears
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            if g is None and not ctx.bears:
                raise RuntimeError("no gradient")
            return None if g is None else g * 2, None

    x = gpugrad.rand(2, dtype=gpugrad.float64, requires_grad=True)
    assert gradcheck(lambda x: Doubled.apply(x, True), (x,))
    assert gradcheck(lambda x: Doubled.apply(x, False), (x,), check_undefined_grad=False)
    with pytest.raises(GradcheckError, match="handle undefined output grads"):
        gradcheck(lambda x: Doubled.apply(x, False), (x,))
