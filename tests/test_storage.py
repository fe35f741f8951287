"""The memory of tensors as a storage, what is written into it element by element, and settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import agree_on

X = "x = torch.arange(6.0).reshape(2, 3)\nu = x.untyped_storage()\ns = x.storage()\n"
STORAGES = (
    "u.size(), len(u), u.nbytes(), u.element_size(), u[7], u[-2], u.tolist(), list(u)",
    "u.device.type, u.is_cuda, u.data_ptr() == x.data_ptr(), u == u.untyped()",
    "x[1:].untyped_storage() == u, x.T.untyped_storage().data_ptr() == u.data_ptr()",
    "c = u.clone(); (c == u, c.tolist() == u.tolist(), u.cpu() is u, hash(u) == hash(u))",
    "s.size(), len(s), s.nbytes(), s.element_size(), s[2], s.tolist(), s.dtype == torch.float32",
    "s.device.type, s.data_ptr() == x.data_ptr(), s.untyped() == u",
    "torch.is_storage(u), torch.is_storage(s), torch.is_storage(x)",
    "y = torch.tensor([]).set_(u); z = torch.tensor([]).set_(u, 1, (2, 2), (3, 1)); (y, z)",
    "y = torch.tensor([]).set_(s); y += 1; x",
    "u.fill_(0); x", "u[3] = 64; x", "u[8:] = 0; x", "s[1] = 7.5; x", "s.fill_(2); x",
    "u.copy_(torch.ones(6).untyped_storage()); x", "repr(u[:2])[:6], repr(s)[:9]", "u[24]",
    "u['a']", "u[::2]", "s[7]", "s[1:]", "s['a']", "torch.UntypedStorage(5).size()",
    "w = x.clone().requires_grad_(); y = (w * 1).square(); y.sum()\nv = w * 1\nz = v.exp()\n"
    "v.untyped_storage().fill_(0)\nz.sum().backward(); w.grad",
)  # fmt: skip
MADE = "f = torch.zeros\ni = torch.zeros(2, 2, dtype=torch.int32)\n"
ELEMENTS = (
    "f(3, 3).fill_diagonal_(3)", "f(7, 3).fill_diagonal_(3)", "f(7, 3).fill_diagonal_(3, True)",
    "f(4, 3).fill_diagonal_(3, wrap=True)", "f(2, 7).fill_diagonal_(3, True)",
    "f(3, 3, 3).fill_diagonal_(1.5)", "f(3, 4).T.fill_diagonal_(2)", "i.fill_diagonal_(1.5)",
    "f(3).fill_diagonal_(1)", "f(3, 2, 3).fill_diagonal_(1)", "f(2, 2).fill_diagonal_('a')",
    "x = f(2, 2, requires_grad=True); y = x + 1; y.fill_diagonal_(3); y.sum().backward(); x.grad",
    "f(3).apply_(lambda v: v + 1)", "i.apply_(lambda v: 1.5)", "f(2, 3).T.apply_(lambda v: v - 2)",
    "f(2, requires_grad=True).apply_(abs)", "f(2).apply_(3)", "f(2).apply_(lambda v: 'a')",
    "f(3).map_(torch.ones(3), lambda a, b: a + b * 2)", "f(2, 3).map_(torch.ones(3), max)",
    "f(3).map_(torch.ones(2), max)", "f(2).map_(torch.ones(2).int(), max)", "f(2).map_(3, 4)",
    "f(2).map_(f(2, requires_grad=True), max)",
)  # fmt: skip
ORDERS = (
    "torch.ones(2, 3).dim_order()", "torch.ones(2, 3).T.dim_order()",
    "torch.tensor(3.0).dim_order()",
    "torch.ones(2, 3, 4).permute(2, 0, 1).dim_order()", "torch.ones(2, 1, 3, 1).mT.dim_order()",
    "torch.ones(2, 1, 3, 1).permute(3, 2, 1, 0).dim_order()",
    "torch.ones(2, 3).expand(4, 2, 3).dim_order()", "torch.ones(3, 1).expand(3, 4).T.dim_order()",
    "torch.empty(2, 3, 4, 5).to(memory_format=torch.channels_last).dim_order()",
    "torch.ones(2, 1, 3).dim_order(ambiguity_check=True)",
    "torch.ones(2, 3).dim_order(ambiguity_check=True)",
    "torch.ones(2, 1, 3).dim_order(ambiguity_check=[torch.contiguous_format])",
    "torch.ones(2, 3).dim_order(ambiguity_check=3)",
)  # fmt: skip
NAMES = (
    "torch.typename(torch.ones(2)).partition('.')[2]", "torch.typename(3)", "torch.typename([])",
    "torch.typename(torch.Tensor).partition('.')[2]", "torch.get_device(torch.ones(2))",
    "torch.typename(torch.float32).partition('.')[2]",
    "torch.typename(torch.ones(2).untyped_storage()).partition('.')[2]",
)  # fmt: skip
SETTINGS = (
    "torch.get_float32_matmul_precision()", "torch.set_float32_matmul_precision(3)",
    "torch.set_float32_matmul_precision('high')\nm = torch.get_float32_matmul_precision()\n"
    "torch.set_float32_matmul_precision('highest')\nm",
    "torch.set_deterministic_debug_mode('x')", "torch.set_deterministic_debug_mode(3)",
    "torch.set_deterministic_debug_mode(1.5)", "torch.set_flush_denormal(3)",
    "found = []\nfor m in (0, 1, 2, 'warn', 'error', 'default'):\n"
    "    torch.set_deterministic_debug_mode(m)\n"
    "    found.append((torch.get_deterministic_debug_mode(),\n"
    "                  torch.are_deterministic_algorithms_enabled(),\n"
    "                  torch.is_deterministic_algorithms_warn_only_enabled()))\nfound",
)  # fmt: skip


@pytest.fixture(autouse=True)
def settings_as_before() -> Iterator[None]:
    """What a test sets stays so for no other test."""
    yield
    gpugrad.use_deterministic_algorithms(True)
    gpugrad.set_default_device(None)


@pytest.mark.parametrize(
    "snippet",
    [
        *(X + s for s in STORAGES), *(MADE + s for s in ELEMENTS), *ORDERS, *NAMES, *SETTINGS,
    ],
)  # fmt: skip
def test_a_snippet_ends_as_in_pytorch(snippet: str) -> None:
    agree_on(snippet, "cpu")


def test_a_storage_is_the_memory_itself(device: str) -> None:
    x = gpugrad.ones(4, device=device)
    memory = x[1:].untyped_storage()
    memory.fill_(0)
    assert x.tolist() == [0] * 4
    assert memory.data_ptr() == x.data_ptr()
    assert memory.device == x.device
    assert memory.nbytes() >= x.nbytes  # a pool gives GPUs more than what was asked for


def test_memory_with_hidden_axes_has_no_storage() -> None:
    with pytest.raises(RuntimeError):
        gpugrad.vmap(lambda x: x.untyped_storage().size())(gpugrad.ones(2, 3))


MAKING: dict[str, Any] = {
    "zeros": lambda: gpugrad.zeros(2), "tensor": lambda: gpugrad.tensor([1.0]),
    "an array": lambda: gpugrad.tensor(np.ones(2)), "arange": lambda: gpugrad.arange(3),
    "as_tensor": lambda: gpugrad.as_tensor(np.ones(2)), "randn": lambda: gpugrad.randn(2),
    "linspace": lambda: gpugrad.linspace(0, 1, 3), "eye": lambda: gpugrad.eye(2),
    "a window": lambda: gpugrad.hann_window(4), "fftfreq": lambda: gpugrad.fft.fftfreq(4),
    "tril_indices": lambda: gpugrad.tril_indices(2, 2), "full": lambda: gpugrad.full((2,), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKING)
def test_new_tensors_are_made_on_the_chosen_device(name: str, device: str) -> None:
    x = gpugrad.ones(2)
    gpugrad.set_default_device(device)
    assert gpugrad.get_default_device() == gpugrad.device(device)
    assert MAKING[name]().device.type == device
    assert gpugrad.ones(2, device="cpu").device.type == "cpu"
    assert gpugrad.zeros_like(x).device.type == x.exp().device.type == "cpu"
    assert gpugrad.from_numpy(np.ones(2)).device.type == "cpu"
    with gpugrad.device("cpu"):
        assert MAKING[name]().device.type == "cpu"
    assert MAKING[name]().device.type == device


def test_each_thread_chooses_for_itself(device: str) -> None:
    gpugrad.set_default_device(device)
    found = []
    thread = threading.Thread(target=lambda: found.append(gpugrad.get_default_device().type))
    thread.start()
    thread.join()
    assert found == ["cpu"]
