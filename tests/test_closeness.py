"""``equal``, ``isclose`` and ``allclose``: values and refusals are PyTorch's."""

from __future__ import annotations

import pytest

import gpugrad
from comparison import agree_on

AGREES = [
    "torch.equal(torch.ones(2), torch.ones(2)), torch.ones(2).equal(torch.ones(2))",
    "torch.equal(torch.ones(2), torch.ones(3)), torch.equal(torch.ones(2), torch.ones(1, 2))",
    "torch.equal(torch.ones(2), torch.ones(2, dtype=torch.float64))",
    "torch.equal(torch.ones(2), torch.ones(2, dtype=torch.int64))",
    "torch.equal(torch.zeros(0), torch.zeros(0)), torch.equal(torch.zeros(0), torch.zeros(0, 1))",
    "x = torch.tensor([1.0, float('nan')])\ntorch.equal(x, x)",
    "torch.equal(torch.tensor([1j]), torch.tensor([1j]))",
    "torch.equal(torch.tensor([1j]), torch.tensor([2j]))",
    "torch.equal(torch.ones(2, requires_grad=True), torch.ones(2))",
    "torch.equal(torch.tensor(1), torch.tensor(1.0))",
    "torch.equal(torch.ones(2), 1)",
    "torch.equal(1, torch.ones(2))",
    "torch.vmap(lambda t: torch.equal(t, t))(torch.ones(2, 3))",
    "torch.vmap(lambda t: torch.equal(torch.ones(3), t))(torch.ones(2, 3))",
    "torch.vmap(lambda t: t * torch.equal(torch.ones(3), torch.ones(3)))(torch.ones(2, 3))",
    "torch.func.grad(lambda t: t.sum() * torch.equal(t, t))(torch.ones(3))",
    "torch.func.grad(lambda t: t.sum() * torch.allclose(t, t))(torch.ones(3))",
    "torch.func.jvp(lambda t: t * torch.allclose(t, t), (torch.ones(3),), (torch.ones(3),))",
    "torch.func.jvp(lambda t: t * torch.isclose(t, t), (torch.ones(3),), (torch.ones(3),))",
    "torch.allclose(torch.ones(2), torch.ones(2) + 1e-6), torch.ones(2).allclose(torch.ones(2))",
    "torch.allclose(torch.ones(2), torch.ones(2) + 1e-4)",
    "torch.allclose(torch.ones(2, 1), torch.ones(3))",
    "torch.allclose(torch.ones(2), torch.ones(3))",
    "torch.allclose(torch.ones(2), torch.ones(2, dtype=torch.float64))",
    "torch.allclose(torch.ones(2), 1)",
    "torch.allclose(torch.ones(2), torch.ones(2), rtol=-1)",
    "torch.allclose(torch.ones(2), torch.ones(2), atol=-0.5)",
    "x = torch.tensor([float('nan')])\ntorch.allclose(x, x), torch.allclose(x, x, equal_nan=True)",
    "torch.vmap(lambda t: torch.allclose(t, t))(torch.ones(2, 3))",
    "torch.vmap(lambda t: torch.isclose(t, t))(torch.ones(2, 3))",
    "torch.vmap(lambda t: torch.isclose(t, torch.ones(3)))(torch.arange(6.0).reshape(2, 3))",
    "torch.isclose(torch.ones(2), torch.ones(2), rtol=float('nan'))",
    "torch.isclose(torch.ones(2), torch.ones(2), atol=-1)",
    "torch.isclose(torch.ones(2), 1)",
    "torch.isclose(torch.ones(2), torch.ones(3))",
    "torch.isclose(torch.ones(2), torch.ones(2, dtype=torch.float64))",
    "torch.isclose(torch.ones(2, requires_grad=True), torch.ones(2)).requires_grad",
    "n = float('nan')\ntorch.isclose(torch.tensor([n, 1.0]), torch.tensor([n, n]), equal_nan=True)",
    "i = float('inf')\ntorch.isclose(torch.tensor([i, i, 1.0, -i]), torch.tensor([i, -i, i, 1.0]))",
    "torch.isclose(torch.tensor([1, 2, 10**9]), torch.tensor([1, 3, 10**9 + 1]))",
    "torch.isclose(torch.tensor([1, 2]), torch.tensor([2, 3]), rtol=0.5)",
    "torch.isclose(torch.tensor([1, 2]), torch.tensor([2, 3]), atol=1)",
    "torch.isclose(torch.tensor([1, 2]), torch.tensor([2, 3]), rtol=0, atol=0)",
    "torch.isclose(torch.tensor([True, False]), torch.tensor([True, True]))",
    "torch.isclose(torch.tensor([True, False]), torch.tensor([True, True]), atol=2)",
    "torch.isclose(torch.tensor([1 + 1j, 2]), torch.tensor([1 + 1.00001j, 2.1]))",
    "n = float('nan')\n"
    "x = torch.tensor([complex(n, 1), complex(1, n)])\n"
    "y = torch.tensor([complex(n, 2), complex(n, 1)])\n"
    "torch.isclose(x, y, equal_nan=True)",
    "torch.isclose(torch.ones(2).to(torch.uint8), 3 * torch.ones(2).to(torch.uint8), atol=1)",
    "torch.isclose(torch.ones(2).half(), torch.ones(2).half() * 1.001)",
    "torch.isclose(torch.tensor([0.0, 0.0]), torch.tensor([1e-8, 1.1e-8]))",
    "torch.isclose(torch.tensor([1e30, 1e38]), torch.tensor([1.00001e30, -3e38]), rtol=5.0)",
    "torch.isclose(torch.tensor(127, dtype=torch.int8), torch.tensor(-127, dtype=torch.int8))",
    "torch.isclose(torch.ones(2), torch.zeros(2), rtol=float('inf'))",
    "torch.isclose(torch.ones(2), torch.zeros(2), atol=float('inf'))",
    "torch.isclose(torch.zeros(0), torch.zeros(0))",
    "torch.ones(2).isclose(torch.ones(2), 1e-5, 1e-8, True)",
]


@pytest.mark.parametrize("snippet", AGREES)
def test_it_is_pytorchs(snippet: str, device: str) -> None:
    agree_on(snippet, device)


@pytest.mark.cuda
def test_tensors_on_two_devices_are_not_compared() -> None:
    here, there = gpugrad.ones(2), gpugrad.ones(2, device="cuda")
    with pytest.raises(
        RuntimeError, match="Expected all tensors to be on the same device, but fou"
    ):
        gpugrad.equal(here, there)
