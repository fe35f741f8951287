"""``vmap``: every operation over a batch equals a loop, alone and under derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import autograd, func
from gpugrad.func import vmap
from gpugrad.testing import SAMPLES, Sample, as_numpy, assert_close, flat

DOUBLE = np.dtype("f8")
BATCH = 3

EVERY = [(op, s) for op, samples in SAMPLES.items() for s in samples]
# In these the shape of the result depends on values: on a mask, or on what is zero.
BY_VALUE = [
    (op, s)
    for op, s in EVERY
    if op == "nonzero"
    or s.name == "indices"
    and op == "where"
    or op == "getitem"
    and any(a.dtype.kind == "b" for a in s.inputs)
]
BATCHED = [pair for pair in EVERY if pair not in BY_VALUE]
DIFFERENTIABLE = [(op, s) for op, s in BATCHED if s.differentiable]


def over(pairs: list[tuple[str, Sample]]) -> pytest.MarkDecorator:
    """Parametrise a test over operations and their samples."""
    return pytest.mark.parametrize(
        ("op", "sample"), pairs, ids=[f"{op}-{s}".replace(" ", "_") for op, s in pairs]
    )


def function_of(sample: Sample) -> Callable[..., list[Any]]:
    """Return the sample's function of tensors, with a list of results."""
    return lambda *tensors: flat(sample.function(gpugrad, *tensors))


def batch_of(sample: Sample, device: str, requires_grad: bool = False) -> list[list[Any]]:
    """Return for each input of a sample the examples: the input, and others in its domain."""
    examples = []
    for k, t in enumerate(sample.tensors(DOUBLE, device, requires_grad=False)):
        kind = t.array.dtype.kind
        # the same elements in other places stay in the domain, away from kinks, and distinct
        others = [t.detach().clone()]
        for n in range(1, BATCH):
            flat_ = t.reshape(-1)
            moved = gpugrad.cat([flat_[n:], flat_[:n]]) if flat_.numel() > 1 else flat_
            others.append(moved.reshape(t.shape).clone())
        examples.append([e.requires_grad_(requires_grad and kind in "fc") for e in others])
        assert k < len(sample.inputs)
    return examples


def looped(function: Callable[..., list[Any]], examples: list[list[Any]]) -> list[Any]:
    """Return what a function gives example by example, stacked."""
    results = [function(*example) for example in zip(*examples, strict=True)]
    return [gpugrad.stack(column) for column in zip(*results, strict=True)]


def assert_same(found: list[Any], expected: list[Any], name: str = "") -> None:
    """Compare results in double precision with those of the loop."""
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        assert f.dtype == e.dtype
        assert tuple(f.shape) == tuple(e.shape), name
        assert_close(as_numpy(f), as_numpy(e), rtol=1e-11, atol=1e-11)


# --------------------------------------------------------------------------- every operation


@over(BY_VALUE)
def test_a_shape_that_depends_on_values_is_refused(op: str, sample: Sample, device: str) -> None:
    with pytest.raises(RuntimeError, match="dynamic shape"):
        vmap(function_of(sample))(*map(gpugrad.stack, batch_of(sample, device)))


@over([(op, s) for op, s in BY_VALUE if op == "getitem"])
def test_a_mask_that_is_the_same_for_all(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    dims = (0, *(None for _ in examples[1:]))
    batch = gpugrad.stack(examples[0])
    masks = [e[0] for e in examples[1:]]
    expected = looped(function, [examples[0], *([m] * BATCH for m in masks)])
    assert_same(vmap(function, dims)(batch, *masks), expected)


@over(BATCHED)
def test_every_operation_over_a_batch(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    expected = looped(function, examples)
    assert_same(vmap(function)(*map(gpugrad.stack, examples)), expected)
    last = [gpugrad.stack(e, -1) for e in examples]
    out = [t.movedim(-1, 0) for t in vmap(function, in_dims=-1, out_dims=-1)(*last)]
    assert_same(out, expected)


@over([(op, s) for op, s in BATCHED if len(s.inputs) > 1])
def test_one_input_is_the_same_for_all(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    for k in range(len(examples)):
        dims = tuple(None if j == k else 0 for j in range(len(examples)))
        inputs = [e[0] if j == k else gpugrad.stack(e) for j, e in enumerate(examples)]
        shared = [[e[0]] * BATCH if j == k else e for j, e in enumerate(examples)]
        assert_same(vmap(function, dims)(*inputs), looped(function, shared))


@over(DIFFERENTIABLE)
def test_two_levels(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    expected = looped(function, examples)
    rows = [gpugrad.stack(e) for e in examples]
    twice = [gpugrad.stack([r, r.flip(0)]) for r in rows]
    found = vmap(vmap(function))(*twice)
    assert_same([f[0] for f in found], expected)
    assert_same([f[1].flip(0) for f in found], expected)


def weighted(results: list[Any]) -> Any:
    """Return a real scalar of results that depends on each element differently."""
    total = 0
    for r in results:
        if r.dtype.is_complex:
            r = gpugrad.view_as_real(r)
        if r.dtype.is_floating_point:
            weights = gpugrad.arange(1, r.numel() + 1, dtype=r.dtype, device=r.device)
            total = total + (r.reshape(-1) * weights.cos()).sum()
    return total


def gradients(loss: Any, inputs: list[Any]) -> list[Any]:
    """Return the gradients of a scalar, which can be differentiated; zeros where there is none."""
    return list(autograd.grad(loss, inputs, create_graph=True, materialize_grads=True))


def moving(examples: list[list[Any]]) -> tuple[int, ...]:
    """Return which inputs have gradients."""
    return tuple(k for k, e in enumerate(examples) if e[0].dtype.is_floating_point
                 or e[0].dtype.is_complex)  # fmt: skip


@over(DIFFERENTIABLE)
def test_gradient_of_each_example(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    grad = func.grad(lambda *t: weighted(function(*t)), moving(examples))
    found = vmap(grad)(*map(gpugrad.stack, examples))
    assert_same(list(found), looped(lambda *t: list(grad(*t)), examples))


@over(DIFFERENTIABLE)
def test_gradient_of_a_batch(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    wanted = moving(examples)
    batches = [gpugrad.stack(e).requires_grad_(k in wanted) for k, e in enumerate(examples)]
    loss = weighted(vmap(function)(*batches))
    rows = [b.detach().requires_grad_(b.requires_grad) for b in batches]
    expected = weighted(looped(function, [list(r.unbind()) for r in rows]))
    inputs = [b for b in batches if b.requires_grad]
    ends = [r for r in rows if r.requires_grad]
    found = gradients(loss, inputs)
    known = gradients(expected, ends)
    assert_same(found, known)
    first, second = weighted(found), weighted(known)
    assert first.requires_grad == second.requires_grad
    if first.requires_grad:
        assert_same(gradients(first, inputs), gradients(second, ends))


@over([(op, s) for op, s in DIFFERENTIABLE if len(s.inputs) > 1])
def test_what_is_the_same_for_all_receives_the_sum(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    for k in moving(examples):
        shared = examples[k][0].detach().requires_grad_()
        dims = tuple(None if j == k else 0 for j in range(len(examples)))
        inputs = [shared if j == k else gpugrad.stack(e) for j, e in enumerate(examples)]
        loss = weighted(vmap(function, dims)(*inputs))
        expected = weighted(
            looped(function, [[shared] * BATCH if j == k else e for j, e in enumerate(examples)])
        )
        assert_same(gradients(loss, [shared]), gradients(expected, [shared]))


@over(DIFFERENTIABLE)
def test_tangents_of_each_example(op: str, sample: Sample, device: str) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    wanted = moving(examples)

    def moved(*tensors: Any) -> list[Any]:
        some = tuple(tensors[k] for k in wanted)

        def of_some(*values: Any) -> Any:
            inputs = list(tensors)
            for k, value in zip(wanted, values, strict=True):
                inputs[k] = value
            return tuple(r for r in function(*inputs)
                         if r.dtype.is_floating_point or r.dtype.is_complex)  # fmt: skip

        tangents = tuple(t * 0.5 + 0.25 for t in some)
        return list(func.jvp(of_some, some, tangents)[1])

    assert_same(vmap(moved)(*map(gpugrad.stack, examples)), looped(moved, examples))
