"""What five notebooks written for PyTorch do, with ``import gpugrad as torch``.

The calls and their order are the notebooks'; where a printed number depended on chance, the
notebook's printed input is given instead, so that its printed output is what must come out.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import gpugrad as torch
from gpugrad.autograd import Variable

SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


def on(device: str, text: str) -> str:
    """Return what PyTorch prints on the CPU as it is printed for ``device``."""
    if device == "cpu":
        return text
    return re.sub(r"(, (?:grad_fn|requires_grad)=[^()]*)?\)$", r", device='cuda:0'\1)", text)


# --------------------------------------------------------------------------- the first: backward


def test_gradient_of_a_tensor_for_a_given_gradient_of_ones(device: str) -> None:
    rows = [[2.0, 2.0, 2.0], [3.0, 3.0, 3.0], [4.0, 4.0, 4.0], [5.0, 6.0, 7.0]]
    x = torch.tensor(rows, device=device, requires_grad=True)
    y: Any = x**2
    nothing = y.backward(torch.ones_like(x))

    assert nothing is None
    assert str(x.grad) == on(
        device,
        "tensor([[ 4.,  4.,  4.],\n"
        "        [ 6.,  6.,  6.],\n"
        "        [ 8.,  8.,  8.],\n"
        "        [10., 12., 14.]])",
    )


def test_gradients_of_a_line_by_point_slope_and_offset(device: str) -> None:
    x = torch.tensor(1.0, device=device, requires_grad=True)
    w = torch.tensor(2.0, device=device, requires_grad=True)
    b = torch.tensor(3.0, device=device, requires_grad=True)
    z = w * x + b
    z.backward()

    assert [str(t.grad) for t in (x, w, b)] == [
        on(device, text) for text in ("tensor(2.)", "tensor(1.)", "tensor(1.)")
    ]


def test_gradients_add_up_until_they_are_zeroed(device: str) -> None:
    w = torch.tensor(2.0, device=device, requires_grad=True)
    b = torch.tensor(3.0, device=device, requires_grad=True)
    x: Any = torch.tensor(4.0, device=device, requires_grad=True)

    printed = []
    for power in (2, 3, None):
        z = w * x if power is None else w * x**power + b
        z.backward()
        printed.append(str(x.grad))
    assert printed == [on(device, f"tensor({n}.)") for n in (16, 112, 114)]

    x.grad.zero_()
    printed = []
    x = torch.tensor(4.0, device=device, requires_grad=True)
    for power in (2, 3, None):
        z = w * x if power is None else w * x**power + b
        z.backward()
        printed.append(str(x.grad))
        x.grad.zero_()
    assert printed == [on(device, f"tensor({n}.)") for n in (16, 96, 2)]


def test_a_second_backward_says_what_to_do_about_it(device: str) -> None:
    x = torch.tensor(2.0, device=device, requires_grad=True)
    y = x**2
    y.backward()
    assert str(x.grad) == on(device, "tensor(4.)")

    with pytest.raises(RuntimeError) as caught:
        y.backward()
    assert str(caught.value) == SECOND_BACKWARD


def test_retain_graph_allows_a_second_backward(device: str, capsys: Any) -> None:
    x = torch.tensor(2.0, device=device, requires_grad=True)
    y = x**2
    y.backward(retain_graph=True)
    print("first:", x.grad)
    assert x.grad is not None
    x.grad.zero_()
    y.backward()
    print("second:", x.grad)

    four = on(device, "tensor(4.)")
    assert capsys.readouterr().out == f"first: {four}\nsecond: {four}\n"


def test_second_derivative_of_a_cube(device: str, capsys: Any) -> None:
    x = torch.tensor(3.0, device=device, requires_grad=True)
    y = x**3
    slope = torch.autograd.grad(y, x, create_graph=True)[0]
    curvature = torch.autograd.grad(slope, x)[0]
    print("slope:", slope.item())
    print("curvature:", curvature.item())

    assert capsys.readouterr().out == "slope: 27.0\ncurvature: 18.0\n"


def test_squared_error_and_its_gradient(device: str) -> None:
    x = torch.tensor(2.0, device=device, requires_grad=True)
    target = torch.tensor(3.0, dtype=torch.float32, device=device)
    loss = (x - target) ** 2
    loss.backward()

    assert x.grad is not None
    assert f"{loss.item()} {x.grad.item()}" == "1.0 -2.0"


# --------------------------------------------------------------------------- the second: printing


def test_what_is_printed_along_a_chain(device: str) -> None:
    x = torch.tensor([1.76027, -1.21762, 0.39858], device=device, requires_grad=True)
    y = x + 2
    assert str(x) == on(device, "tensor([ 1.7603, -1.2176,  0.3986], requires_grad=True)")
    assert x.grad_fn is None
    assert str(y) == on(device, "tensor([3.7603, 0.7824, 2.3986], grad_fn=<AddBackward0>)")
    assert re.fullmatch("<AddBackward0 object at 0x[0-9a-f]+>", str(y.grad_fn))

    z = y * 3
    assert str(z) == on(device, "tensor([11.2808,  2.3471,  7.1957], grad_fn=<MulBackward0>)")
    z = z + 3
    assert str(z) == on(device, "tensor([14.2808,  5.3471, 10.1957], grad_fn=<AddBackward0>)")
    z = z.mean()
    z.backward()
    assert str(x.grad) == on(device, "tensor([1., 1., 1.])")


def test_a_long_line_is_wrapped_before_grad_fn(device: str) -> None:
    values = np.array([-3686.8625, 922.6259, 488.6931, 359.5541, 4358.5483]) / 2048
    x = torch.tensor(values.tolist(), device=device, requires_grad=True)
    numbers = "tensor([-1.8002,  0.4505,  0.2386,  0.1756,  2.1282]"
    cpu = device == "cpu"
    where = "" if cpu else ", device='cuda:0',\n      "
    assert str(x) == f"{numbers}{where or ','} requires_grad=True)"
    y = x * 2
    for _ in range(10):
        y = y * 2

    numbers = "tensor([-3686.8625,   922.6259,   488.6931,   359.5541,  4358.5483],\n"
    where = "" if cpu else "device='cuda:0', "
    assert str(y) == f"{numbers}       {where}grad_fn=<MulBackward0>)"
    assert str(y.shape) == "gpugrad.Size([5])"

    w = torch.tensor([0.1, 1.0, 0.0001, 0.01, 0.001], dtype=torch.float32, device=device)
    y.backward(w)
    numbers = "tensor([2.0480e+02, 2.0480e+03, 2.0480e-01, 2.0480e+01, 2.0480e+00]"
    where = "" if cpu else ",\n       device='cuda:0'"
    assert str(x.grad) == f"{numbers}{where})"


# --------------------------------------------------------------------------- the third: a network


def test_variable_of_the_old_constructor_and_pythons_sum(device: str, capsys: Any) -> None:
    data = torch.Tensor([2, 4]).to(device)
    x: Any = Variable(data, requires_grad=True)
    y = x**2
    print("y:", y)
    o = (1 / 2) * sum(y)
    print("o:", o)
    o.backward()
    print("gradients:", x.grad)
    known = isinstance(x, Variable)
    assert known

    assert capsys.readouterr().out.splitlines() == [
        "y: " + on(device, "tensor([ 4., 16.], grad_fn=<PowBackward0>)"),
        "o: " + on(device, "tensor(10., grad_fn=<MulBackward0>)"),
        "gradients: " + on(device, "tensor([2., 4.])"),
    ]


def test_two_layer_network_learns_by_hand_written_descent(device: str, capsys: Any) -> None:
    torch.manual_seed(0)
    kind, where = torch.float32, torch.device(device)
    batch, inputs, hidden, outputs = 64, 1000, 100, 10
    x = torch.randn(batch, inputs, device=where, dtype=kind)
    y = torch.randn(batch, outputs, device=where, dtype=kind)
    w1 = torch.randn(inputs, hidden, device=where, dtype=kind, requires_grad=True)
    w2 = torch.randn(hidden, outputs, device=where, dtype=kind, requires_grad=True)

    rate = 1e-6
    losses = []
    for t in range(500):
        predicted = x.mm(w1).clamp(min=0).mm(w2)
        loss = (predicted - y).pow(2).sum()
        if t % 100 == 99:
            losses.append(loss.item())
            print("Loss of Epoch %d: \t%f3" % (t, loss.item()))  # noqa: UP031
        loss.backward()
        with torch.no_grad():
            assert w1.grad is not None
            assert w2.grad is not None
            w1 -= rate * w1.grad
            w2 -= rate * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    for k, line in enumerate(lines):
        assert re.fullmatch(rf"Loss of Epoch {100 * k + 99}: \t\d+\.\d{{7}}", line)
    assert losses[0] < 5000
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 1000
    assert (w1.is_leaf, w1.requires_grad, w1.grad_fn) == (True, True, None)


# --------------------------------------------------------------------------- the fourth: descent


def test_gradient_of_a_parabola_is_what_its_derivative_says(device: str) -> None:
    x = torch.tensor([0.6893], device=device)
    assert x.requires_grad_(True) is x
    f = x * x - 2 * x + 5
    f.backward()

    assert str(x.grad) == on(device, "tensor([-0.6214])")
    assert str(2 * x - 2) == on(device, "tensor([-0.6214], grad_fn=<SubBackward0>)")


def test_sgd_with_a_retained_graph_finds_the_minimum(device: str) -> None:
    x = torch.tensor([0.721825], device=device, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.1)

    printed = []
    for _ in range(100):
        optimizer.zero_grad()
        out = x * x - 2 * x + 5
        out.backward(retain_graph=True)
        optimizer.step()
        printed.append(str(x.detach()))

    approach = (
        "0.7775 0.8220 0.8576 0.8861 0.9088 0.9271 0.9417 0.9533 0.9627 0.9701 0.9761 0.9809 "
        "0.9847 0.9878 0.9902 0.9922 0.9937 0.9950 0.9960 0.9968 0.9974 0.9979 0.9984 0.9987 "
        "0.9989 0.9992 0.9993 0.9995 0.9996 0.9997 0.9997 0.9998 0.9998 0.9999 0.9999 0.9999 "
        "0.9999 0.9999 "
    )
    numbers = (approach + "1.0000 " * 62).split()
    assert printed == [on(device, f"tensor([{number}])") for number in numbers]
    assert x.requires_grad


def test_a_random_start_is_a_leaf_in_the_unit_interval(device: str) -> None:
    x = torch.rand(1, device=device, requires_grad=True)

    assert x.is_leaf
    assert x.requires_grad
    assert 0 <= x.item() < 1


# --------------------------------------------------------------------------- the fifth: the book


def test_gradient_of_twice_the_dot_product_is_four_times_the_vector(device: str) -> None:
    x: Any = torch.arange(4, dtype=torch.float32, device=device)
    assert repr(x) == on(device, "tensor([0., 1., 2., 3.])")
    x.requires_grad_(True)
    before = x.grad
    assert before is None
    y = 2 * torch.dot(x, x)
    assert repr(y) == on(device, "tensor(28., grad_fn=<MulBackward0>)")
    y.backward()
    assert repr(x.grad) == on(device, "tensor([ 0.,  4.,  8., 12.])")
    assert repr(x.grad == 4 * x) == on(device, "tensor([True, True, True, True])")

    y = x.sum()
    y.backward()
    assert repr(x.grad) == on(device, "tensor([ 1.,  5.,  9., 13.])")
    assert repr(y) == on(device, "tensor(6., grad_fn=<SumBackward0>)")

    x.grad.zero_()
    y = torch.dot(x, x)
    y.backward()
    assert repr(x.grad == 2 * x) == on(device, "tensor([True, True, True, True])")


def test_a_detached_factor_counts_as_a_constant(device: str) -> None:
    x = torch.arange(4.0, device=device, requires_grad=True)
    y = x * x
    u = y.detach()
    z = u * x
    z.sum().backward()
    assert repr(x.grad == u) == on(device, "tensor([True, True, True, True])")

    assert x.grad is not None
    x.grad.zero_()
    y.sum().backward()
    assert repr(x.grad == 2 * x) == on(device, "tensor([True, True, True, True])")


def doubled_until_large(a: Any) -> Any:
    b = a * 2
    while b.norm() < 1000:
        b = b * 2
    return b if b.sum() > 0 else 100 * b


@pytest.mark.parametrize("start", [0.3, -1.7, 1500.0])
def test_gradient_follows_pythons_control_flow(start: float, device: str) -> None:
    a = torch.tensor(start, device=device, requires_grad=True)
    d = doubled_until_large(a)
    d.backward()

    assert repr(a.grad == d / a) == on(device, "tensor(True)")


def test_a_random_scalar_is_asked_for_by_size(device: str) -> None:
    a = torch.randn(size=(), device=device, requires_grad=True)

    assert a.shape == ()
    assert a.is_leaf
    assert a.requires_grad
