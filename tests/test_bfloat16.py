"""bfloat16, NumPy's by way of ml_dtypes: computed in float32 and rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from choice import EVERY, FLOAT32, of_each, over
from comparison import agree_on
from gpugrad.testing import flat
from samples import Sample

pytestmark = pytest.mark.needs("ml_dtypes")

ULP = 2.0**-8  # of numbers just above 1
FLOATING = [
    (op, s) for op, s in EVERY
    if s.half and not s.coarse and not s.complex and any(a.dtype.kind == "f" for a in s.inputs)
    and "dtype" not in s.name
]  # fmt: skip


def outcome(sample: Sample, tensors: list[Any]) -> list[Any]:
    """Return the results and the gradients of their sum, as NumPy's arrays in double precision."""
    results = flat(sample.function(gpugrad, *tensors))
    inexact = [t for t in results if t.requires_grad]
    leaves = [t for t in tensors if t.requires_grad]
    found = [*results]
    if inexact:
        total = sum((t.float() * _weights(t)).sum() for t in inexact)
        found += gpugrad.autograd.grad(total, leaves, materialize_grads=True)
    return found


def _weights(t: Any) -> Any:
    """Return numbers of different sizes, so that no gradient is 0 by what others cancel."""
    shape = tuple(t.shape)
    numbers = np.linspace(1, 2, t.numel(), dtype=np.float32).reshape(shape)
    return gpugrad.tensor(numbers, device=t.device)


@over(of_each(FLOATING), cuda=of_each(FLOATING))
def test_an_operation_rounds_what_it_computes_in_float32(
    device: str, op: str, sample: Sample
) -> None:
    """An operation that computes in 16 bits, or in another type."""
    narrow = sample.tensors(gpugrad.bfloat16.numpy, device)
    wide = [
        t.detach().float().requires_grad_(t.requires_grad) if t.is_floating_point() else t
        for t in narrow
    ]
    for found, expected in zip(outcome(sample, narrow), outcome(sample, wide), strict=True):
        kind = gpugrad.bfloat16 if expected.dtype.numpy == FLOAT32 else expected.dtype
        assert found.dtype == kind
        a, b = (np.asarray(t.detach().cpu().double().array) for t in (found, expected))
        # gradients read what was rounded on the way
        largest = np.nanmax(np.abs(b), initial=0)
        assert np.allclose(a, b, rtol=8 * ULP, atol=8 * ULP * largest, equal_nan=True)


PROGRAMS = {
    "with half": "torch.ones(2, dtype=torch.bfloat16) + torch.ones(2, dtype=torch.float16)",
    "with float": "torch.ones(2, dtype=torch.bfloat16) + torch.ones(2)",
    "with integer": "torch.ones(2, dtype=torch.bfloat16) + torch.ones(2, dtype=torch.int64)",
    "with complex": "torch.ones(2, dtype=torch.bfloat16) * 1j",
    "with number": "torch.ones(2, dtype=torch.bfloat16) / 3",
    "long sum": "torch.ones(5000, 3, dtype=torch.bfloat16).sum(0)",
    "long scan": "torch.ones(5000, dtype=torch.bfloat16).cumsum(0)[-1]",
    "product": "torch.full((2, 300), 1.0, dtype=torch.bfloat16) @ torch.ones(300, 2).bfloat16()",
    "print": "str(torch.tensor([1.0, 2.5, 3.14159]).bfloat16().cpu()).partition('dtype')[0]",
    "number": "torch.tensor(3.14159, dtype=torch.bfloat16).item()",
    "list": "torch.tensor([0.1, 3.0]).bfloat16().tolist()",
    "overflow": "torch.full((2,), 1e39, dtype=torch.bfloat16)",
    "in place": "torch.ones(2, dtype=torch.bfloat16).mul_(0.3).add_(1)",
    "finfo": "f = torch.finfo(torch.bfloat16)\n(f.eps, f.max, f.min, f.tiny, f.bits)",
    "grad": "x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)\n"
    "(x.float() * 0.3).sum().backward(); x.grad",
    "index": "x = torch.arange(4.0).bfloat16(); x[torch.tensor([0, 3, 3])]",
    "compare": "torch.tensor([1.0, 2.0]).bfloat16() > 1.5",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_what_it_gives_with_pytorch(name: str, device: str) -> None:
    agree_on(PROGRAMS[name], device)


def test_numpys_arrays_come_in_and_go_out() -> None:
    array = np.arange(3.0).astype(gpugrad.bfloat16.numpy)
    t = gpugrad.from_numpy(array)
    assert t.dtype is gpugrad.bfloat16
    assert t.numpy() is array
