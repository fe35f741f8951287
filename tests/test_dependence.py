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
    # Its gradients of what is written in place depend on the result, through which their zeros go
    # on to the input; ours depend on the input as it was.
    ("nn.functional.leaky_relu", "in place"), ("nn.functional.leaky_relu_", "ordinary"),
    ("nn.functional.leaky_relu_", "arguments 0"),
    ("nn.functional.rrelu", "in place"), ("rrelu_", "ordinary"),
    # The zeros of maxima over windows, see LINEAR, go on to the signal through its sizes.
    ("nn.functional.lp_pool1d", "largest"), ("nn.functional.lp_pool2d", "largest"),
    ("nn.functional.lp_pool3d", "largest"),
    # The nearest elements are picked from the image, and the grid's gradient is 0; PyTorch's two
    # gradients depend on both, by zeros or with no derivative.
    ("nn.functional.grid_sample", "2d nearest, zeros"),
    ("nn.functional.grid_sample", "2d nearest, border, corners"),
    ("nn.functional.grid_sample", "2d nearest, reflection"),
    ("nn.functional.grid_sample", "3d nearest, border"),
}  # fmt: skip


# Linear in the signal, or once it is known which of its elements are the largest: ours have a
# gradient that depends on nothing but what comes in, and keeps no signal alive.  PyTorch's are
# given the signal, from which they take shapes, and depend on it by zeros.
LINEAR = {
    *[f"{of}avg_pool{n}d" for of in ("nn.functional.", "nn.functional.adaptive_") for n in (2, 3)],
    *[f"nn.functional.{of}max_pool{n}d{more}" for of in ("", "adaptive_") for n in (1, 2, 3)
      for more in ("", "_with_indices")],
    *[f"nn.functional.fractional_max_pool{n}d{more}" for n in (2, 3)
      for more in ("", "_with_indices")],
    "avg_pool1d", "adaptive_avg_pool1d", "adaptive_max_pool1d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool3d",
    "nn.functional.nll_loss", "nn.functional.interpolate", "nn.functional.pad",
}  # fmt: skip


# The gradient of the third of their inputs, a bias, is a sum of what comes in, where PyTorch has
# one node for all three gradients.
BIASED = {f"conv{of}{n}d" for of in ("", "_transpose") for n in (1, 2, 3)}


# Made of other operations, through which several of its gradients go.
SHARED = {"ormqr", "bilinear", "nn.functional.multi_head_attention_forward"}


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


def differentiable_apart(lib: Any, outs: list[Any], wanted: list[Any]) -> list[bool | None]:
    """Return of each gradient whether it can be differentiated once those before it have been.

    It is ``None`` of what does not require grad.
    """
    ones = [lib.ones_like(t).requires_grad_() for t in outs]
    grads = lib.autograd.grad(outs, wanted, ones, create_graph=True, allow_unused=True)
    found: list[bool | None] = []
    for g in grads:
        if g is None or not g.requires_grad:
            found.append(None)
            continue
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
        if op in LINEAR and not any(expected[-1]):
            expected = [[g and False for g in expected[0]]]
        if op in BIASED and len(sample.inputs) == 3:
            expected[0][2] = False
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
