"""Tensors made of other tensors: ``copy.copy``, and ``new_zeros`` and the like."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

import gpugrad
from comparison import agree_on, pytorch

COPIES = [
    "x = torch.tensor([1.0, 2.0], requires_grad=True); x.grad = torch.ones(2); c = copy.copy(x)\n"
    "c, c is x, c.grad, c.requires_grad, c.is_leaf, c.data_ptr() == x.data_ptr(), c._is_view()",
    "x = torch.tensor([1.0, 2.0], requires_grad=True); c = copy.copy(x); x.detach().add_(1)\nc",
    "x = torch.tensor([1.0, 2.0]); c = copy.copy(x); c.add_(1)\nx, c.requires_grad",
    "y = torch.tensor([1.0, 2.0], requires_grad=True) * 2; c = copy.copy(y)\n"
    "c, c.grad_fn, c.requires_grad, c.is_leaf, c.data_ptr() == y.data_ptr(), c._base is None",
    "x = torch.ones(2, requires_grad=True); c = copy.copy(x * 2); (c * c).sum().backward()\n"
    "c.grad, x.grad",
    "z = torch.ones(3); v = z[:2]; c = copy.copy(v); c.add_(1)\nz, c._is_view(), c.stride()",
    "t = torch.arange(6.0).reshape(2, 3).t(); c = copy.copy(t)\n"
    "c.stride(), c.data_ptr() == t.data_ptr(), c",
    "x = torch.ones(2, requires_grad=True); x.register_hook(lambda g: g * 2); c = copy.copy(x)\n"
    "c.sum().backward()\nc.grad, x.grad",
    "x = torch.ones(2, requires_grad=True); x.grad_dtype = torch.float64; c = copy.copy(x)\n"
    "c.grad_dtype == c.dtype",
    "c = copy.copy(torch.ones(2, requires_grad=True) * 2)\nc.mul_(2)",
    "x = torch.tensor(3.0, requires_grad=True); c = copy.copy(x); x.detach().add_(1)\nc",
    "with torch.inference_mode(): i = torch.ones(2)\ncopy.copy(i).is_inference()",
    "with torch.inference_mode(): i = copy.copy(torch.ones(2))\ni.is_inference()",
    "fa = torch.autograd.forward_ad\n"
    "with fa.dual_level():\n"
    "    d = fa.make_dual(torch.ones(2), torch.ones(2))\n"
    "    seen = fa.unpack_dual(copy.copy(d)).tangent\n"
    "seen",
    "torch.vmap(copy.copy)(torch.ones(2, 3))",
    "torch.func.grad(lambda t: copy.copy(t).sum())(torch.ones(3))",
    "torch.func.jacrev(lambda t: copy.copy(t * 2))(torch.ones(3))",
]

NEW = [
    "torch.ones(2).new_zeros(3)",
    "torch.ones(2).new_zeros((3, 2)), torch.ones(2).new_zeros(3, 2)",
    "torch.ones(2).new_zeros([]), torch.ones(2).new_zeros(size=(2,))",
    "torch.ones(2).new_zeros()",
    "torch.ones(2).new_zeros(-1)",
    "torch.ones(2).new_zeros(2.5)",
    "torch.ones(2, requires_grad=True).new_zeros(2).requires_grad",
    "torch.ones(2, dtype=torch.int64).new_ones(2)",
    "torch.ones(2, dtype=torch.int64).new_ones(2, requires_grad=True)",
    "torch.ones(2).new_ones(2, dtype=torch.int64)",
    "torch.ones(2).new_ones(2, requires_grad=True).requires_grad",
    "torch.ones(2, dtype=torch.int64).new_full((2,), 2.5)",
    "torch.ones(2).new_full((2,), fill_value=3)",
    "torch.ones(2).new_full((2,), torch.tensor(3.0))",
    "torch.ones(2).new_full((2,), torch.tensor([3.0]))",
    "torch.ones(2).new_full(2, 2)",
    "torch.ones(2).new_full((2,), 1j)",
    "torch.ones(2).new_full((2,), 'a')",
    "torch.ones(2).to(torch.uint8).new_full((2,), 300)",
    "list(torch.ones(2).new_empty(2).shape), torch.ones(2).new_empty((2, 3)).stride()",
    "torch.ones(2).new_empty((2, 3), dtype=torch.int64).zero_()",
    "torch.ones(2).new_tensor([1, 2]), torch.ones(2).new_tensor(1)",
    "torch.ones(2, dtype=torch.int64).new_tensor([1.5, 2])",
    "torch.ones(2).new_tensor([1, 2], dtype=torch.int64)",
    "torch.ones(2).new_tensor([1, 2], requires_grad=True).requires_grad",
    "torch.ones(2).new_tensor(torch.ones(2, dtype=torch.int64))",
    "torch.ones(2).new_tensor(np.arange(2))",
    "torch.ones(2, dtype=torch.int64).new_tensor(np.array([1.5]))",
    "torch.ones(2, dtype=torch.int64).new_tensor([1j])",
    "torch.ones(2, dtype=torch.int64).new_tensor([1], requires_grad=True)",
    "torch.ones(2).new_tensor('a')",
    "torch.vmap(lambda t: t.new_zeros(2))(torch.ones(3, 4))",
    "torch.vmap(lambda t: t.new_zeros(2).add_(t[:2]))(torch.ones(3, 4))",
    "torch.vmap(lambda t: t.new_ones(2).add_(t[:2]))(torch.ones(3, 4))",
    "torch.vmap(lambda t: t.new_full((2,), 3.0).add_(t[:2]))(torch.ones(3, 4))",
    "torch.vmap(lambda t: t.new_empty((2,)).copy_(t[:2]))(torch.ones(3, 4))",
    "torch.vmap(lambda t: t.new_tensor([1, 2]))(torch.ones(3, 4))",
]


@pytest.mark.parametrize("snippet", [*COPIES, *NEW])
def test_it_is_pytorchs(snippet: str, device: str) -> None:
    agree_on(snippet, device)


def test_new_tensors_are_on_the_device_of_the_old_one(device: str) -> None:
    x = gpugrad.ones(2, device=device)
    made = [
        x.new_zeros(2), x.new_ones(2), x.new_full((2,), 1), x.new_empty(2), x.new_tensor([1, 2]),
    ]  # fmt: skip
    assert [t.device.type for t in made] == [device] * 5
    assert x.new_zeros(2, device="cpu").device.type == "cpu"


def test_a_write_through_a_copy_is_noticed(device: str) -> None:
    """PyTorch's copy has a version of its own, and the gradient is wrong without a word."""
    x = gpugrad.ones(2, device=device, requires_grad=True)
    y = x.detach().exp()
    z = (x * y).sum()
    copy.copy(y).mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


# --------------------------------------------------------------------------- what fits

NUMBERS = [
    300, -1, -129, 128, 255, -256, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 1.5,
    300.5, -1.5, 1e40, -1e40, 1e10, 65504.0, 65519.0, 65520.0, 70000, 1e308, math.inf, -math.inf,
    math.nan, 1j, 1 + 0j, 300 + 0j, 1e40 + 0j, 1e40j, True, False,
]  # fmt: skip
KINDS = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip


def set_item(zero: Any, index: Any, value: Any) -> Any:
    zero[index] = value
    return zero


FILLING: dict[str, Any] = {
    "full": lambda lib, zero, v: lib.full((1,), v, dtype=zero.dtype),
    "full of its own type": lambda lib, zero, v: lib.full((1,), v),
    "full_like": lambda lib, zero, v: lib.full_like(zero, v),
    "new_full": lambda lib, zero, v: zero.new_full((1,), v),
    "fill_": lambda lib, zero, v: zero.fill_(v),
    "fill_ by a tensor": lambda lib, zero, v: zero.fill_(lib.tensor(v)),
    "masked_fill": lambda lib, zero, v: zero.masked_fill(lib.tensor([True]), v),
    "masked_fill_": lambda lib, zero, v: zero.masked_fill_(lib.tensor([True]), v),
    "masked_fill by a tensor": lambda lib, zero, v: zero.masked_fill(
        lib.tensor([True]), lib.tensor(v)
    ),
    "index_fill": lambda lib, zero, v: zero.index_fill(0, lib.tensor([0]), v),
    "index_fill by a tensor": lambda lib, zero, v: zero.index_fill(
        0, lib.tensor([0]), lib.tensor(v)
    ),
    "scatter": lambda lib, zero, v: zero.scatter(0, lib.tensor([0]), v),
    "an element": lambda lib, zero, v: set_item(zero, 0, v),
    "by a mask": lambda lib, zero, v: set_item(zero, lib.tensor([True]), v),
    "by an index": lambda lib, zero, v: set_item(zero, lib.tensor([0]), v),
}


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("name", FILLING)
def test_a_number_fits_or_does_not_as_in_pytorch(name: str) -> None:
    torch = pytorch()

    def outcome(lib: Any, kind: str, value: Any) -> str:
        try:
            found = FILLING[name](lib, lib.zeros(1, dtype=getattr(lib, kind)), value)
        except Exception as error:
            return f"{type(error).__name__}: {error}".split("\n")[0]
        return f"{str(found.dtype).split('.')[-1]} {found.tolist()}"

    different = {
        (kind, value): (found, expected)
        for kind in KINDS
        for value in NUMBERS
        if (found := outcome(gpugrad, kind, value)) != (expected := outcome(torch, kind, value))
    }
    assert different == {}
