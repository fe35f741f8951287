"""Methods of plain tensors, called as NumPy's are: by position, and with NumPy's keywords."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch

VALUES = np.array([[0.5, 3.0, 1.25], [2.0, 0.75, 1.5]])

# Calls that NumPy's arrays take, and that give the same of tensors.
CALLS = (
    "x.sum(0, None, None, True)", "x.sum(None, None, None, False)", "x.sum(1, np.float32)",
    "x.sum(axis=0, out=None)", "x.prod((0, 1))", "x.prod(1, None, None, True)",
    "x.mean(axis=None, dtype=None, out=None, keepdims=True)", "x.mean(0, np.float32)",
    "x.var(ddof=0)", "x.var(axis=1, dtype=None, out=None, ddof=1, keepdims=True)",
    "x.var(0, None, None, 1)", "x.std(axis=0, ddof=0)", "x.std(None, None, None, 0, False)",
    "x.max(axis=0, out=None, keepdims=True)", "x.min(1, None, True)", "x.max(0, initial=2.0)",
    "x.argmax(axis=1, out=None)", "x.argmin(1, out=None)", "x.all(axis=0, out=None)",
    "x.any(axis=0, keepdims=True, out=None)", "x.sum(axis=0, where=x > 1)",
    "x.clip(0.6, 2, None)", "x.clip(None, 2, out=None)", "x.round(0)", "x.round(1, None)",
    "x.reshape((3, 2), order='F')", "x.reshape(3, 2, order='F')", "x.ravel('F')", "x.flatten('F')",
    "x.transpose()", "x.transpose(None)", "x.transpose((1, 0))", "x[None].transpose(2, 0, 1)",
    "x.swapaxes(0, 1)", "x[:1].squeeze(None)", "x[:1].squeeze(axis=0)",
    "x.dot(x.T, None)", "x.trace(1)", "x.trace(0, 1, 0, None, None)", "x.diagonal(1, 1, 0)",
    "x.diagonal(offset=1, axis1=1, axis2=0)", "x.take(np.array([0, 2]), axis=1)",
    "x.take(np.array([[4, 0]]), None, None)", "x.argsort(axis=0, kind='stable')",
    "x.cumsum(1, None)", "x.cumsum()", "x.cumprod(axis=0, out=None)", "x.cumsum(0, np.float32)",
    "x.compress(np.array([False, True]), 0)",
    "x.astype('f4')", "x.astype(int)", "x.astype(np.dtype('f8'), copy=False)", "x.copy()",
    "x.copy('F')", "(x > 1).astype(int).choose([np.zeros(3), np.ones(3)])",
    "x.argpartition(1)[:, 1]",
)  # fmt: skip


def evaluated(call: str, x: Any) -> Any:
    return eval(call, {"x": x, "np": np})


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_only_numpys_is_numpys(call: str) -> None:
    x = gpugrad.from_numpy(VALUES.copy()).requires_grad_()
    found, expected = evaluated(call, x), evaluated(call, VALUES)
    assert type(found) is gpugrad.Tensor
    assert (tuple(found.shape), found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-6)
    assert found.requires_grad is (expected.dtype.kind == "f" and "choose" not in call)


# Calls that both take: they are PyTorch's, and so are these errors.
BOTH = (
    "x.sum(0)", "x.sum(axis=0, keepdims=True)", "x.var(0)", "x.std()", "x.max(0).indices",
    "x.max(axis=0)[1]", "x.sort()[1]", "x.sort(0)[0]", "x.repeat(2, 1)", "x.nonzero()",
    "x.transpose(0, 1)", "x.flatten()", "x.squeeze()", "x.clip(1, 2)", "x.mean(1)",
    "x.sum(0, None)", "x.sum('a')", "x.transpose(0)", "x.max(0, None)",
    "x.reshape(3, 2)", "x.dot(x)", "x.take([0])", "x.flatten(None)", "x.argmax(0, foo=1)",
)  # fmt: skip


@pytest.mark.parametrize("call", BOTH)
def test_a_call_that_is_pytorchs_stays_that(call: str) -> None:
    torch = pytorch()
    outcomes: list[Any] = []
    for lib in torch, gpugrad:
        try:
            found = evaluated(call, lib.tensor(VALUES.tolist()))
            outcomes.append((found.shape, [f"{v:.5f}" for v in found.flatten().tolist()]))
        except (TypeError, RuntimeError) as error:
            outcomes.append(type(error))
    assert outcomes[1] == outcomes[0]


def test_numpys_in_place_methods_write_the_tensor(device: str) -> None:
    x = gpugrad.tensor([[3.0, 1.0], [2.0, 0.5]], device=device, requires_grad=True)
    y: Any = x * 1
    assert y.sort(axis=0, kind=None) is None
    assert y.tolist() == [[2, 0.5], [3, 1]]
    assert gpugrad.autograd.grad(y[0].sum(), x)[0].tolist() == [[0, 0], [1, 1]]
    z: Any = x * 1
    assert z.partition(0) is None
    assert z.tolist() == [[1, 3], [0.5, 2]]
    w: Any = x * 1
    w.put(np.array([0, 3]), np.array([5.0, 7.0]), mode="clip")
    assert w.tolist() == [[5, 1], [2, 7]]


def test_types_are_numpys_types_too() -> None:
    x = gpugrad.ones(2)
    assert x.dtype == np.float32
    assert x.dtype == np.dtype("f4")
    assert np.dtype("f4") == x.dtype
    assert x.dtype != np.float64
    assert x.dtype != float
    assert x.dtype != 4
    assert (x.dtype.kind, x.dtype.char, x.dtype.type) == ("f", "f", np.float32)
    assert np.zeros(1, x.dtype).dtype == np.float32
    assert {x.dtype: 1}[gpugrad.float32] == 1
    with pytest.raises(AttributeError, match="no attribute 'fields'"):
        _ = x.dtype.fields


def test_a_copy_has_a_history_and_memory_of_its_own(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
    for y in x.copy(), x.astype("f4"), x.astype(gpugrad.float32):
        assert y.data_ptr() != x.data_ptr()
        assert gpugrad.autograd.grad(y.sum(), x)[0].tolist() == [1, 1]
    assert x.astype(np.float32, copy=False) is x
    with pytest.raises(TypeError, match="according to the rule 'safe'"):
        x.astype("f2", casting="safe")
    with pytest.raises(TypeError, match="can't convert"):
        x.astype("U3")
