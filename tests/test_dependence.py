"""What a derivative depends on, and what it frees: beside PyTorch, and for what only compares."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.autograd import grad
from samples import SAMPLES, UNDERIVED, Sample

# PyTorch's first derivative of a determinant of at most one row, and its second of a product of
# one, are computed by other formulas, which depend on less or on more; and what is not included
# in a product takes part in its derivative.  Its vander of no powers has no derivative, and its
# gradients of some continuations depend on the signal, whose zeros alone are passed on.
OTHER_THAN_PYTORCH = {
    ("det", "(1, 1)"), ("det", "(0, 2, 2)"), ("det", "(2, 0, 0)"), ("prod", "of one"),
    ("scatter_reduce", "prod, alone"), ("index_reduce", "prod, alone"),
    ("matrix_power", "0"), ("linalg.vander", "square"), ("vander", "none"),
    ("stft", "reflect"), ("stft", "replicate"),
    # That of a bias is a sum of the signal, where PyTorch has one node for all three.
    ("nn.functional.layer_norm", "both"), ("nn.functional.layer_norm", "two dims"),
    ("nn.functional.layer_norm", "bias"), ("layer_norm", "both"),
    ("nn.functional.batch_norm", "both"), ("nn.functional.batch_norm", "running"),
    ("nn.functional.batch_norm", "running, plain"), ("nn.functional.instance_norm", "both"),
    ("nn.functional.batch_norm", "running, halves"),
}  # fmt: skip


# Made of other operations, through which several of its gradients go.
SHARED = {"ormqr", "nn.functional.multi_head_attention_forward"}


def tensors(result: Any) -> list[Any]:
    return [t for r in result for t in tensors(r)] if isinstance(result, list | tuple) else [result]


def leaves_of(lib: Any, sample: Sample) -> tuple[list[Any], list[Any]]:
    """Return the inputs of a sample as tensors, and those of them that require grad."""
    arrays = [np.array(a) for a in sample.arrays()]
    leaves = [lib.tensor(a.tolist(), dtype=getattr(lib, str(a.dtype))) for a in arrays]
    leaves = [t.reshape(a.shape) for t, a in zip(leaves, arrays, strict=True)]
    return leaves, [t.requires_grad_() for t in leaves if t.is_floating_point() or t.is_complex()]


def dependence(lib: Any, sample: Sample) -> Any:
    """Return which gradients of the first and second order require grad; None is no gradient."""
    leaves, wanted = leaves_of(lib, sample)
    outs = [t for t in tensors(sample.function(lib, *leaves)) if t.requires_grad]
    found = []
    for _ in range(2):
        if not outs:
            break
        ones = [lib.ones_like(t) for t in outs]
        grads = lib.autograd.grad(outs, wanted, ones, create_graph=True, allow_unused=True)
        found.append([None if g is None else g.requires_grad for g in grads])
        outs = [g for g in grads if g is not None and g.requires_grad]
    return found


def differentiable_apart(lib: Any, outs: list[Any], wanted: list[Any]) -> list[bool]:
    """Return of each gradient whether it can be differentiated once those before it have been."""
    ones = [lib.ones_like(t).requires_grad_() for t in outs]
    grads = lib.autograd.grad(outs, wanted, ones, create_graph=True, allow_unused=True)
    found = []
    for g in grads:
        if g is not None and g.requires_grad:
            try:
                lib.autograd.grad(g, [*wanted, *ones], lib.ones_like(g), allow_unused=True)
                found.append(True)
            except RuntimeError:
                found.append(False)
    return found


@pytest.mark.parametrize("op", SAMPLES)
def test_gradients_require_grad_where_pytorchs_do(op: str) -> None:
    torch = pytorch()
    different = []
    for sample in SAMPLES[op]:
        if not sample.differentiable or (op, sample.name) in OTHER_THAN_PYTORCH or op in UNDERIVED:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = dependence(torch, sample)
        except (AttributeError, RuntimeError):  # it is elsewhere in PyTorch, or refused
            continue
        found = dependence(gpugrad, sample)
        if found != expected:
            different.append((sample.name, found, expected))
    assert different == []


@pytest.mark.parametrize("op", SAMPLES)
def test_gradients_of_one_call_are_freed_apart_where_pytorchs_are(op: str) -> None:
    torch = pytorch()
    different = []
    for sample in SAMPLES[op]:
        if not sample.differentiable or len(sample.inputs) < 2 or op in SHARED | UNDERIVED:
            continue
        found = []
        for lib in (torch, gpugrad):
            leaves, wanted = leaves_of(lib, sample)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    outs = [t for t in tensors(sample.function(lib, *leaves)) if t.requires_grad]
                    found.append(differentiable_apart(lib, outs, wanted))
            except (AttributeError, RuntimeError):  # it is elsewhere in PyTorch, or refused
                break
        else:
            if any(e and not f for e, f in zip(*found, strict=True)):
                different.append((sample.name, *found))
    assert different == []


@pytest.mark.parametrize("dtype", ["float64", "float16", "complex64"])
@pytest.mark.parametrize("shapes", [((3,), (3,)), ((300, 300), (300, 1))])
@pytest.mark.parametrize("name", ["mul", "div", "where"])
def test_gradients_of_one_kernel_are_freed_apart(
    name: str, shapes: tuple[tuple[int, ...], ...], dtype: str, device: str
) -> None:
    options = {"dtype": getattr(gpugrad, dtype), "device": device, "requires_grad": True}
    x, y = (gpugrad.full(shape, 2.0, **options) for shape in shapes)
    if name == "where":
        out = gpugrad.where(gpugrad.tensor(True, device=device), x, y)
    else:
        out = getattr(gpugrad, name)(x, y)
    assert differentiable_apart(gpugrad, [out], [x, y]) == [True, True]


# Functions whose gradient reads its operands only to compare them.
CHOOSING: dict[str, Callable[[Any, Any], Any]] = {
    "clamp": lambda x, y: x.clamp(-1, 1),
    "clamp by tensors": lambda x, y: x.clamp(y, y + 1),
    "clamp_": lambda x, y: (x * 1).clamp_(min=0),
    "maximum": lambda x, y: x.maximum(y),
    "minimum": lambda x, y: gpugrad.minimum(x, y),
    "maximum of broadcast": lambda x, y: gpugrad.maximum(x, y[:1]),
    "where": lambda x, y: gpugrad.where(x > y, x, y),
    "max": lambda x, y: x.max() + y.amin(0),
    "max along": lambda x, y: x.max(0)[0] + y.min(0)[0],
    "masked_fill": lambda x, y: x.masked_fill(x > 0, y.sum()),
    "vmap": lambda x, y: gpugrad.func.vmap(gpugrad.maximum)(x, y),
}


@pytest.mark.parametrize("dtype", ["float64", "float16"])  # generated, and by the general way
@pytest.mark.parametrize("name", CHOOSING)
def test_what_is_only_compared_is_no_edge(name: str, dtype: str, device: str) -> None:
    kind = getattr(gpugrad, dtype)
    x = gpugrad.tensor([0.5, -2.0, 3.0], dtype=kind, device=device, requires_grad=True)
    y = gpugrad.tensor([0.25, -1.0, 4.0], dtype=kind, device=device, requires_grad=True)
    out = CHOOSING[name](x, y)
    ones = gpugrad.ones_like(out)
    grads = grad(out, (x, y), ones, create_graph=True, allow_unused=True)
    assert not any(g.requires_grad for g in grads if g is not None)
    # what comes in is all that a recorded gradient depends on
    weights = ones.requires_grad_()
    out = CHOOSING[name](x, y)
    (g,) = grad(out, x, weights, create_graph=True)
    (h,) = grad(g.sum(), weights, create_graph=True)
    assert not h.requires_grad
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        grad(g.sum(), x)


def test_a_gradient_keeps_nothing_alive_that_it_only_compared() -> None:
    x = gpugrad.tensor([0.5, -2.0], requires_grad=True)
    (g,) = grad((x * 2).clamp(-1, 1).sum(), x, create_graph=True)
    assert g.grad_fn is None
    (g,) = grad(x.relu().sum(), x, create_graph=True)  # as in PyTorch
    assert grad(g.sum(), x)[0].tolist() == [0.0, 0.0]
