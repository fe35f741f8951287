"""Complex autograd is PyTorch's, on every operation that PyTorch has for complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import func, testing
from gpugrad.testing import SAMPLES, Sample, assert_close

Arrays = list[np.ndarray[Any, Any]]


def complex_(array: Any, seed: int = 1) -> Any:
    """Return an array with an imaginary part, if it is one of floating point numbers."""
    if array.dtype.kind != "f":
        return array
    return array + 1j * np.random.default_rng(seed).standard_normal(array.shape)


# None of these is there for complex numbers in PyTorch, or in gpugrad.
REAL = {"maximum", "minimum", "clamp", "relu", "softplus", "sign", "erf", "gelu", "max", "min",
        "amax", "amin", "silu", "hypot", "logaddexp"}  # fmt: skip
EVERY = [
    (op, s)
    for op, samples in SAMPLES.items()
    for s in samples
    if s.differentiable and not s.coarse and op not in REAL
]


def cases(sample: Sample) -> list[Arrays]:
    """Return the inputs of a sample, all complex, or only the first of several."""
    arrays = sample.arrays()
    if sample.complex:
        return [arrays]
    found = [[complex_(a) for a in arrays]]
    # PyTorch does not look at the types of factors where there is nothing to multiply
    if sum(a.dtype.kind == "f" for a in arrays) > 1 and all(a.size for a in arrays):
        found.append([complex_(a) if k == 0 else a for k, a in enumerate(arrays)])
    return found


def weights_for(outputs: Sequence[Any], seed: int) -> Arrays:
    return [
        testing.as_numpy(w)
        for w in testing.random_like([gpugrad.tensor(testing.as_numpy(t)) for t in outputs], seed)
    ]


def derivatives(library: Any, sample: Sample, arrays: Arrays) -> list[Any]:
    """Return outputs, gradients, and the gradients of these, of random complex weights."""
    inputs = [
        library.tensor(a).requires_grad_(a.dtype.kind in "fc") if a.dtype.kind in "fc"
        else library.tensor(a)
        for a in arrays
    ]  # fmt: skip
    result = sample.function(library, *inputs)
    results = result if isinstance(result, tuple | list) else [result]
    outputs = [t for t in results if t.requires_grad]
    weights = [library.tensor(w).requires_grad_() for w in weights_for(outputs, 2)]
    wanted = [t for t in inputs if t.requires_grad]
    grads = library.autograd.grad(
        outputs, wanted, weights, create_graph=True, materialize_grads=True
    )
    moving = [g for g in grads if g.requires_grad]
    if not moving:
        return [*outputs, *grads, *map(library.zeros_like, [*wanted, *weights])]
    seconds = library.autograd.grad(
        moving, [*wanted, *weights], [library.tensor(w) for w in weights_for(moving, 3)],
        materialize_grads=True,
    )  # fmt: skip
    return [*outputs, *grads, *seconds]


@pytest.mark.filterwarnings("ignore")  # PyTorch's, about parts that it throws away
@pytest.mark.parametrize(("op", "sample"), EVERY, ids=[f"{op}-{s}" for op, s in EVERY])
def test_two_orders_are_pytorchs(op: str, sample: Sample) -> None:
    torch = pytest.importorskip("torch")
    compared = 0
    for arrays in cases(sample):
        try:
            theirs = derivatives(torch, sample, arrays)
        except (RuntimeError, NotImplementedError, TypeError):
            continue  # PyTorch has it for operands of one type only
        ours = derivatives(gpugrad, sample, arrays)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b.detach(), 1e-9, 1e-9)
        compared += 1
    if not compared:
        pytest.skip("PyTorch refuses it")


@pytest.mark.parametrize("name", ["sign", "erf"])
def test_functions_of_real_numbers_refuse_complex_ones(name: str, device: str) -> None:
    with pytest.raises(NotImplementedError, match="complex numbers"):
        getattr(gpugrad, name)(gpugrad.tensor([1j], device=device))


def test_sign_names_the_way_out() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(NotImplementedError) as ours:
        gpugrad.sign(gpugrad.tensor([1j]))
    with pytest.raises(NotImplementedError) as theirs:
        torch.sign(torch.tensor([1j]))
    assert str(ours.value) == str(theirs.value).replace("torch.", "gpugrad.")


@pytest.mark.parametrize("swapped", [False, True])
def test_a_power_of_real_and_complex_moves_as_differences_say(swapped: bool, device: str) -> None:
    # PyTorch 2.13 drops a part of the imaginary tangent here
    operands: list[Any] = [np.array([1.3, 0.4]), np.array([0.7 + 0.4j, 1.2 - 0.3j])]
    tangents: list[Any] = [np.array([0.9, -0.2]), np.array([0.3 - 1.1j, 0.5 + 0.1j])]
    if swapped:
        operands, tangents = operands[::-1], tangents[::-1]
    (x, y), (v, w) = (
        [gpugrad.tensor(a, device=device) for a in arrays] for arrays in (operands, tangents)
    )
    _, moved = func.jvp(gpugrad.pow, (x, y), (v, w))
    h = 1e-6
    ahead, behind = (
        np.power(operands[0] + s * tangents[0], operands[1] + s * tangents[1]) for s in (h, -h)
    )
    assert_close(moved, (ahead - behind) / (2 * h), 1e-8, 1e-8)
