"""Tensors made of other tensors: ``copy.copy``, and ``new_zeros`` and the like."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

import gpugrad
from comparison import agree_on, pytorch
from gpugrad.testing import assert_agree

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


# What `out=` says of a new tensor, and what must agree with it.
INTO = [
    "torch.zeros(2, out=torch.ones(3, dtype=torch.int32)[:2])",
    "torch.zeros(2, dtype=torch.float64, out=torch.ones(2))",
    "torch.full((2,), 1.5, out=torch.ones(2, dtype=torch.int64))",
    "torch.arange(3.5, out=torch.ones(4, dtype=torch.int64)[:4])",
    "torch.eye(2, out=torch.ones(2, 2, dtype=torch.int64))",
    "torch.zeros(2, out=torch.ones(2), requires_grad=True)",
]

STORED = [
    "torch.zeros(2, layout=torch.strided).layout is torch.strided",
    "torch.ones(2, layout='a')",
    "torch.ones(2, pin_memory=False)",
    "torch.zeros_like(torch.ones(2, 3).t()).stride()",
    "torch.zeros_like(torch.ones(2, 3).t(), memory_format=torch.contiguous_format).stride()",
    "torch.zeros_like(torch.ones(2, 3)[0].expand(2, 3)).stride()",
    "torch.full_like(torch.ones(2, 3, 4).permute(2, 0, 1), 2).stride()",
    "torch.ones_like(torch.ones(2, 3, 4, 5), memory_format=torch.channels_last).stride()",
    "torch.ones_like(torch.ones(2, 3), memory_format=torch.channels_last)",
    "torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).stride()",
    "torch.empty(2, memory_format=torch.preserve_format)",
    "torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last).stride()",
    "torch.ones(2, 3, 4, 5, 6).clone(memory_format=torch.channels_last_3d).stride()",
    "torch.ones(2, 3).clone(memory_format=torch.channels_last)",
    "x = torch.ones(2, 3, 4, 5); y = x.to(memory_format=torch.channels_last)\n"
    "y.stride(), y.is_contiguous(), y.is_contiguous(memory_format=torch.channels_last)",
    "x = torch.ones(2, 3).t(); x.to(memory_format=torch.contiguous_format) is x",
    "x = torch.ones(2, 3).t()\nx.to(torch.float64, memory_format=torch.contiguous_format).stride()",
    "x = torch.ones(2); x.to(torch.float32, False, True) is x, x.to('cpu', None, True) is x",
    "x = torch.ones(2, 3, 4, 5, requires_grad=True)\n"
    "x.clone(memory_format=torch.channels_last).mul(2).sum().backward()\nx.grad.sum()",
    "torch.empty_permuted((2, 3, 4), (1, 2, 0)).stride()",
    "torch.empty_permuted((2, 3), (1, 1))",
    "torch.empty_permuted((2, 3), (0, 2))",
    "torch.empty_permuted((2, 3), (1,))",
    "torch.empty_strided((2, 3), (7, 2)).stride(), torch.empty_strided((2, 0), (7, 1)).shape",
    "torch.empty_strided((2, 3), (1,))",
    "torch.empty_strided((2, 3), (1, -1))",
    "torch.ones(2).new_empty_strided((2, 3), (1, 2), dtype=torch.int32).zero_().stride()",
]

COUNTED = [
    "torch.arange(1, 2, 0.5, dtype=torch.int32), torch.arange(0.5, 3, dtype=torch.int64)",
    "torch.arange(0, 3, 0.5, dtype=torch.int64)",
    "torch.arange(3, dtype=torch.bool)",
    "torch.arange(2**62, 2**62 + 3), torch.arange(True), torch.arange(torch.tensor(2))",
    "torch.arange('a')",
    "torch.arange(1j)",
    "torch.range(3, 0)",
    "torch.linspace(3, 1, 5, dtype=torch.int32), torch.linspace(0, 10, 4, dtype=torch.int64)",
    "torch.linspace(math.inf, 1, 3), torch.linspace(0, 1, 1), torch.linspace(0, 1, 0)",
    "torch.linspace(1j, 2, 3), torch.linspace(torch.tensor(4.5), -3, 4, dtype=torch.float64)",
    "torch.linspace(1j, 2, 3, dtype=torch.float32)",
    "torch.linspace(torch.ones(2), 1, 3)",
    "torch.linspace(0, 300, 3, dtype=torch.uint8)",
    "torch.logspace(0, 2.5, 6, dtype=torch.int64), torch.logspace(0, 1, 1)",
    "torch.logspace(0, 1, 3, dtype=torch.bool)",
    "torch.eye(2, 3, dtype=torch.bool), torch.eye(0)",
    "torch.eye(2.5)",
    "torch.tril_indices(3, 3, -1), torch.triu_indices(2, 4, 1), torch.tril_indices(2, 2, -5)",
    "torch.triu_indices(-1, 2)",
    "torch.tril_indices(2, 3, dtype=torch.int16)",
    "torch.scalar_tensor(True), torch.scalar_tensor(3.7, dtype=torch.int64)",
    "torch.scalar_tensor('a')",
]

SHARED = [
    "x = torch.ones(2); torch.asarray(x) is x, torch.asarray(x, copy=True) is x",
    "torch.asarray(torch.ones(2), dtype=torch.float64, copy=False)",
    "torch.asarray([1, 2]), torch.asarray(3), torch.asarray(b'abcd', dtype=torch.uint8)",
    "torch.asarray(3, copy=False)",
    "torch.asarray([1.0], requires_grad=True).requires_grad",
    "torch.asarray(torch.ones(2, requires_grad=True), requires_grad=False).requires_grad",
    "a = np.arange(3.0); torch.asarray(a)[0] = 7; a.tolist()",
    "torch.asarray('a')",
    "b = bytearray(b'abcdefgh'); x = torch.frombuffer(b, dtype=torch.int32); x[0] = 0; bytes(b)",
    "torch.frombuffer(bytearray(8), dtype=torch.int32, count=1, offset=4)",
    "torch.frombuffer(bytearray(8), dtype=torch.int32, offset=5)",
    "torch.frombuffer(bytearray(8), dtype=torch.int32, offset=8)",
    "torch.frombuffer(bytearray(8), dtype=torch.int32, count=3)",
    "torch.frombuffer(bytearray(0), dtype=torch.int32)",
    "torch.frombuffer([1], dtype=torch.int32)",
    "torch.frombuffer(bytearray(4), dtype=torch.int32, requires_grad=True)",
]

# Two tensors joined into one of them.
JOINED = [
    "x = torch.ones(2, 3); torch.cat((x, x), out=x)",
    "x = torch.ones(4, 3); torch.cat((x[:2], torch.zeros(2, 3)), out=x)",
    "torch.cat((torch.ones(2), torch.zeros(1)), out=torch.ones(3, dtype=torch.float64))",
]

# The same memory as another type, in another size, or exchanged.
MEMORY = [
    "torch.ones(2).view(torch.int32), torch.ones(2, 4).view(dtype=torch.int16).shape",
    "torch.ones(4).view(torch.complex64), torch.ones(2, 6)[:, :4].view(torch.float64).stride()",
    "torch.ones(2, 3)[:, ::2].view(torch.int32).stride(), torch.tensor(1.0).view(torch.int32)",
    "x = torch.ones(2); x.view(torch.int32)[0] = 0; x, x._version",
    "torch.ones(2, requires_grad=True).view(torch.float32).requires_grad",
    "x = torch.ones(2, requires_grad=True); y = x.exp(); y.view(torch.int32).zero_()\n"
    "y.sum().backward()",
    "torch.ones(3).view(torch.float64)",
    "torch.ones(0).view(torch.float64)",
    "torch.ones(0, 4).view(torch.int16)",
    "torch.tensor(1.0).view(torch.int16)",
    "torch.ones(2, 4).t().view(torch.int16)",
    "torch.ones(2, 6)[:, 1:5].view(torch.float64)",
    "torch.ones(2, 5)[:, :4].view(torch.float64)",
    "torch.ones(2, dtype=torch.complex64).conj().view(torch.float32)",
    "x = torch.arange(6.0); y = x[1:5]; y.resize_(2, 2)[0, 0] = 9; x, y",
    "x = torch.arange(6.0).reshape(2, 3).t(); x.resize_(3, 2).stride(), x.resize_(2, 2)",
    "x = torch.arange(2.0); y = x.resize_(3, 2); y is x, x.shape, x.reshape(-1)[:2]",
    "x = torch.arange(6.0); v = x[4:]; v.resize_(3, 2); v.reshape(-1)[:2]",
    "torch.arange(4.0).resize_as_(torch.ones(2, 2))",
    "torch.ones(24).resize_(1, 2, 3, 4, memory_format=torch.channels_last).stride()",
    "torch.ones(2, requires_grad=True).resize_(1)",
    "(torch.ones(2, requires_grad=True) * 2).resize_(1)",
    "torch.ones(2).resize_(2.5)",
    "x = torch.ones(4); y = torch.zeros(2); x.set_(y)[0] = 5; x, y, x.is_set_to(y)",
    "torch.ones(4).set_().shape",
    "torch.ones(4).set_(torch.arange(6.0), 1, (2, 2), (1, 2)), "
    "torch.ones(4).set_(torch.arange(6.0), 1, (2, 2))",
    "torch.ones(4).set_(torch.ones(2, dtype=torch.int32))",
    "torch.ones(4).set_(torch.arange(6.0), -1, (2, 2))",
]

WINDOWS = [
    "torch.hann_window(-1)",
    "torch.signal.windows.general_cosine(5, a=[])",
    "torch.signal.windows.general_cosine(5, a=0.5)",
    "torch.signal.windows.exponential(5, center=1.0)",
    "torch.signal.windows.gaussian(5, std=0)",
    "torch.signal.windows.kaiser(5, beta=-1)",
    "torch.signal.windows.hann(-1)",
    "torch.signal.windows.hann(5, dtype=torch.float16)",
]


@pytest.mark.filterwarnings("ignore:gpugrad.range is deprecated")
@pytest.mark.parametrize("snippet", [*INTO, *STORED, *COUNTED, *SHARED, *JOINED, *MEMORY, *WINDOWS])
def test_what_is_made_is_pytorchs(snippet: str) -> None:
    agree_on(snippet, "cpu")


LENGTHS = (0, 1, 2, 7)
NEARLY: list[Any] = [
    *(
        lambda lib, name=name, kind=kind: [
            getattr(lib, f"{name}_window")(n, periodic, dtype=getattr(lib, kind))
            for n in LENGTHS for periodic in (True, False)
        ]
        for name in ("hann", "hamming", "blackman", "bartlett", "kaiser")
        for kind in ("float32", "float64", "float16")
    ),
    *(
        lambda lib, name=name, kind=kind: [
            getattr(lib.signal.windows, name)(n, sym=sym, dtype=getattr(lib, kind))
            for n in LENGTHS for sym in (True, False)
        ]
        for name in ("bartlett", "blackman", "cosine", "exponential", "gaussian", "hamming",
                     "hann", "kaiser", "nuttall")
        for kind in ("float32", "float64")
    ),
    lambda lib: [lib.hamming_window(5, True, 0.5, 0.4), lib.kaiser_window(5, True, 3.0)],
    lambda lib: [lib.signal.windows.general_hamming(5, alpha=0.3, dtype=lib.float64)],
    lambda lib: [lib.signal.windows.exponential(5, center=1.0, sym=False, tau=2.0)],
    lambda lib: [lib.logspace(0, 1, 3, base=-2.0), lib.logspace(0, 1j, 3)],
    lambda lib: [lib.logspace(lib.tensor(0), 1, 3, base=2), lib.linspace(0.1, 4.7, 9)],
]  # fmt: skip


@pytest.mark.parametrize("call", NEARLY, ids=range(len(NEARLY)))
def test_what_is_computed_is_nearly_pytorchs(call: Any) -> None:
    for found, expected in zip(call(gpugrad), call(pytorch()), strict=True):
        assert str(found.dtype).split(".")[1] == str(expected.dtype).split(".")[1]
        assert_agree(found, expected, atol=1e-7 if found.itemsize > 2 else 3e-3)


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


def test_a_saved_tensor_of_another_size_or_memory_is_noticed() -> None:
    changes: list[Any] = [
        lambda y: y.resize_(1),
        lambda y: y.resize_(9),
        lambda y: y.set_(gpugrad.zeros(2)),
        lambda y: y.set_(),
    ]
    for change in changes:
        x = gpugrad.ones(2, requires_grad=True)
        y = gpugrad.ones(2)
        z = (x * y).sum()
        change(y)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.backward()


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
