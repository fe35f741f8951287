"""``vmap``: every operation over a batch equals a loop, alone and under derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from snippets import ours, raised, run

import choice
import gpugrad
from comparison import pytorch
from gpugrad import autograd, func
from gpugrad.backend.batched import _doors
from gpugrad.func import vmap
from gpugrad.testing import as_numpy, assert_agree, flat
from samples import Sample

DOUBLE = np.dtype("f8")
BATCH = 3

# In these the shape of the result depends on values: on a mask, or on what is zero; or bins do.
UNKNOWN_SHAPES = (
    "nonzero", "nonzero_static", "argwhere", "masked_select", "unique", "unique_consecutive",
    "bincount", "histc", "histogram", "histogramdd",
)  # fmt: skip
BY_VALUE = [
    (op, s)
    for op, s in choice.plain(choice.EVERY)
    if op in UNKNOWN_SHAPES
    or (s.name == "indices" and op == "where")
    or (op == "getitem" and any(a.dtype.kind == "b" for a in s.inputs))
]
# These draw numbers, which vmap must be told how to.
RANDOM = ("svd_lowrank", "pca_lowrank")
BATCHED = [
    (op, s) for op, s in choice.without(choice.plain(choice.EVERY), BY_VALUE) if op not in RANDOM
]
BY_RULE = choice.by_rule([(op, s) for op, s in BATCHED if s.differentiable])
# What is hidden is hidden by the same code on CUDA, which calls another backend.
ON_CUDA = choice.of_each(BATCHED)


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
        assert_agree(as_numpy(f), as_numpy(e), rtol=1e-11, atol=1e-11)


# --------------------------------------------------------------------------- every operation


@choice.over(BY_VALUE, cuda=choice.of_each(BY_VALUE))
def test_a_shape_that_depends_on_values_is_refused(device: str, op: str, sample: Sample) -> None:
    with pytest.raises(RuntimeError, match=r"dynamic shape|Batching rule not implemented"):
        vmap(function_of(sample))(*map(gpugrad.stack, batch_of(sample, device)))


@choice.over([(op, s) for op, s in BY_VALUE if op == "getitem"], cuda=[])
def test_a_mask_that_is_the_same_for_all(device: str, op: str, sample: Sample) -> None:
    function, examples = function_of(sample), batch_of(sample, device)
    dims = (0, *(None for _ in examples[1:]))
    batch = gpugrad.stack(examples[0])
    masks = [e[0] for e in examples[1:]]
    expected = looped(function, [examples[0], *([m] * BATCH for m in masks)])
    assert_same(vmap(function, dims)(batch, *masks), expected)


# In these examples must lie one behind the other, or pairs be neighbours.
IN_MEMORY = (
    "view_as_complex", "view_as_complex_copy", "as_strided", "as_strided_copy",
    "as_strided_scatter",
)  # fmt: skip


@choice.over(BATCHED, cuda=ON_CUDA)
def test_every_operation_over_a_batch(device: str, op: str, sample: Sample) -> None:
    """An argument or an axis that is taken for one of all examples instead of each."""
    function, examples = function_of(sample), batch_of(sample, device)
    expected = looped(function, examples)
    assert_same(vmap(function)(*map(gpugrad.stack, examples)), expected)
    if op in IN_MEMORY:
        return
    last = [gpugrad.stack(e, -1) for e in examples]
    out = [t.movedim(-1, 0) for t in vmap(function, in_dims=-1, out_dims=-1)(*last)]
    assert_same(out, expected)


@choice.over([(op, s) for op, s in BATCHED if len(s.inputs) > 1], cuda=[])
def test_one_input_is_the_same_for_all(device: str, op: str, sample: Sample) -> None:
    """An operand without hidden axes that meets one with them in the wrong place."""
    function, examples = function_of(sample), batch_of(sample, device)
    for k in range(len(examples)):
        dims = tuple(None if j == k else 0 for j in range(len(examples)))
        inputs = [e[0] if j == k else gpugrad.stack(e) for j, e in enumerate(examples)]
        shared = [[e[0]] * BATCH if j == k else e for j, e in enumerate(examples)]
        assert_same(vmap(function, dims)(*inputs), looped(function, shared))


@choice.over(BY_RULE, cuda=[])
def test_two_levels(device: str, op: str, sample: Sample) -> None:
    """An operation that knows of one hidden axis only."""
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
            r = gpugrad.view_as_real(r.resolve_conj())
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


@choice.over(BY_RULE, cuda=choice.of_each(BY_RULE))
def test_gradient_of_each_example(device: str, op: str, sample: Sample) -> None:
    """A rule that computes something else of arrays with hidden axes."""
    function, examples = function_of(sample), batch_of(sample, device)
    grad = func.grad(lambda *t: weighted(function(*t)), moving(examples))
    found = vmap(grad)(*map(gpugrad.stack, examples))
    assert_same(list(found), looped(lambda *t: list(grad(*t)), examples))


@choice.over(BY_RULE, cuda=[])
def test_gradient_of_a_batch(device: str, op: str, sample: Sample) -> None:
    """A history that does not lead out of the batch, at the first or the second order."""
    function, examples = function_of(sample), batch_of(sample, device)
    wanted = moving(examples)
    batches = [gpugrad.stack(e).requires_grad_(k in wanted) for k, e in enumerate(examples)]
    loss = weighted(vmap(function)(*batches))
    rows = [b.detach().requires_grad_(b.requires_grad) for b in batches]
    # each with memory of its own, as that of an example is for what counts from its beginning
    single = [[e.clone() for e in r.unbind()] for r in rows]
    expected = weighted(looped(function, single))
    inputs = [b for b in batches if b.requires_grad]
    ends = [r for r in rows if r.requires_grad]
    found = gradients(loss, inputs)
    known = gradients(expected, ends)
    assert_same(found, known)
    first, second = weighted(found), weighted(known)
    assert first.requires_grad == second.requires_grad
    if first.requires_grad:
        assert_same(gradients(first, inputs), gradients(second, ends))


@choice.over([(op, s) for op, s in BY_RULE if len(s.inputs) > 1], cuda=[])
def test_what_is_the_same_for_all_receives_the_sum(device: str, op: str, sample: Sample) -> None:
    """A gradient of a lifted operand that is not summed over the examples."""
    function, examples = function_of(sample), batch_of(sample, device)
    for k in moving(examples):
        shared = examples[k][0].detach().requires_grad_()
        dims = tuple(None if j == k else 0 for j in range(len(examples)))
        inputs = [shared if j == k else gpugrad.stack(e) for j, e in enumerate(examples)]
        loss = weighted(vmap(function, dims)(*inputs))
        expected = weighted(
            looped(function, [[shared] * BATCH if j == k else e for j, e in enumerate(examples)])
        )
        assert loss.requires_grad == expected.requires_grad  # some read no more than a shape
        if loss.requires_grad:
            assert_same(gradients(loss, [shared]), gradients(expected, [shared]))


@choice.over(BY_RULE, cuda=[])
def test_tangents_of_each_example(device: str, op: str, sample: Sample) -> None:
    """A tangent with other hidden axes than its value."""
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


# --------------------------------------------------------------------------- beside PyTorch

# Each is an expression of the module, called ``torch``, and of what stands in START.
RESULTS = [
    # structure and dimensions
    "vmap(lambda x: x * 2)(X)",
    "vmap(lambda x: x * 2, in_dims=1, out_dims=1)(X)",
    "vmap(lambda x: x * 2, in_dims=-1, out_dims=-1)(X)",
    "vmap(lambda x: (x, x.sum()), out_dims=(1, 0))(X)",
    "vmap(lambda x: [x, {'s': x.sum()}], out_dims=-1)(X)[0]",
    "vmap(lambda d: {'o': d['a'] * d['b']}, in_dims=({'a': 0, 'b': None},))({'a': X, 'b': V})['o']",
    "vmap(lambda pair, k: pair[0] * pair[1] + k, in_dims=((0, None), None))((X, V), 3)",
    "vmap(lambda x, y=None: x * y)(X, y=V)",
    "vmap(vmap(lambda x: x.sin()))(X)",
    "vmap(vmap(lambda a, b: a * b, (None, 0)), (0, None))(V, W)",
    "vmap(lambda x: torch.ones(2))(X)",
    "vmap(lambda x: (x, torch.ones(2)), out_dims=(0, None))(X)[1]",
    "vmap(lambda x: (x, 3), out_dims=(0, None))(X)[1]",
    "vmap(lambda x: x * 2)(torch.ones(0, 2)).shape",
    "vmap(lambda x: x * 2, chunk_size=2)(X)",
    "vmap(lambda x: x * 2, in_dims=1, out_dims=1, chunk_size=1)(X)",
    "vmap(lambda x: x.shape[0] * x)(X)",
    "vmap(lambda x: sum(x))(X)",
    "vmap(lambda x: torch.stack([a * b for a, b in zip(x, x.flip(0))]))(X)",
    "vmap(lambda x: x.t())(X.reshape(3, 1, 2))",
    "vmap(lambda i: V[i])(I)",
    "vmap(lambda x, i: x[i])(X, I)",
    "vmap(lambda x, i: x[..., i, None])(X, I)",
    "vmap(lambda x, i: x[i, [0, 0]])(X.reshape(3, 2, 1), I)",
    "vmap(lambda x, i: x[:, i])(X.reshape(3, 1, 2), J)",
    "vmap(lambda x, i: x[i, :, i])(torch.arange(24.).reshape(3, 2, 2, 2), J)",
    "vmap(lambda x: x[[[0, 1], [1, 0]], None])(X)",
    "vmap(lambda n: V.repeat_interleave(n))(torch.tensor([[1, 2], [3, 0]]))",
    "vmap(lambda n: torch.repeat_interleave(n))(torch.tensor([[1, 2], [3, 0]]).int())",
    "vmap(vmap(lambda x, n: x.repeat_interleave(n), (None, 0)))(X, I.reshape(3, 1, 1) * 0 + 2)",
    "vmap(lambda x: x.max(0).indices)(X)",
    "vmap(lambda x: x.to(torch.float64))(X).dtype",
    "vmap(lambda x: x.dtype == torch.float32 and x)(X)",
    # products: of what is the same for all, and of what is not
    "vmap(lambda x: x @ M)(X)",
    "vmap(lambda x: M @ x)(X)",
    "vmap(torch.dot)(X, X)",
    "vmap(torch.dot, (0, None))(X, V)",
    "vmap(torch.mv, (None, 0))(M, X)",
    "vmap(torch.mm, (0, None))(torch.arange(12.).reshape(3, 2, 2), M)",
    "vmap(torch.mm, (None, 0))(M, torch.arange(12.).reshape(3, 2, 2))",
    "vmap(vmap(torch.dot, (0, None)), (None, 0))(X, X)",
    "vmap(lambda x: torch.outer(x, V))(X)",
    # written in place
    "vmap(lambda x: x.clone().add_(x))(X)",
    "vmap(lambda x: torch.zeros_like(x).add_(x))(X)",
    "vmap(lambda x: torch.zeros_like(x).copy_(V))(X)",
    "vmap(lambda x, i: x.clone().index_put_((i.reshape(1),), x[:1]))(X, I)",
    "vmap(lambda x: x.clone().masked_fill_(x > 2, -1.))(X)",
    "vmap(lambda x: x.masked_fill(x > 2, -1.))(X)",
    "vmap(lambda m: V.masked_fill(m, -1.))(X > 2)",
    "vmap(lambda x: x.clone().t_() if False else x.clone()[1:].mul_(2))(X)",
    "vmap(lambda x: setitem(x.clone(), 0, x[1]))(X)",
    "vmap(lambda x: setitem(x.clone(), slice(1, None), 7.))(X)",
    "vmap(lambda x: setitem(x.clone(), [0], x.sum()))(X)",
    "vmap(lambda x, i: setitem(x.clone(), i, 9.))(X, I)",
    "(lambda c: (vmap(lambda x: x.mul_(2))(c), c))(X.clone())",
    "(lambda c: (vmap(lambda x: x)(c).mul_(3), c))(X.clone())",
    # derivatives
    "vmap(grad(lambda x: (x ** 3).sum()))(X)",
    "grad(lambda x: vmap(lambda r: (r ** 3).sum())(x).sum())(X)",
    "vmap(grad(grad(lambda x: x ** 4)))(V)",
    "vmap(grad(lambda w, x: (w * x).sum() ** 2), (None, 0))(V, X)",
    "vmap(grad(lambda w, x: (w * x).sum() ** 2), (None, 0))(V.requires_grad_(), X).detach()",
    "vmap(grad_and_value(lambda w, x: (w * x).sum() ** 2), (None, 0))(V, X)",
    "grad(lambda w: vmap(lambda x: (w * x).sum() ** 2)(X).sum())(V)",
    "grad(lambda w: (vmap(grad(lambda w, x: (w * x).sin().sum()), (None, 0))(w, X) ** 2).sum())(V)",
    "vmap(lambda x: jvp(torch.sin, (x,), (x,))[1])(X)",
    "vmap(lambda t: jvp(lambda x: x.sin() * x.sum(), (V,), (t,))[1])(X)",
    "jvp(vmap(lambda x: x.prod()), (X,), (X,))[1]",
    "jvp(lambda w: vmap(lambda x: (x * w).sin())(X), (V,), (V,))[1]",
    "vmap(vjp(lambda x: x.sin() * x.sum(), V)[1])(X)[0]",
    "vmap(jacrev(lambda x: x.sin() * x.sum()))(X)",
    "vmap(jacfwd(lambda x: x.sin() * x.sum()))(X)",
    "vmap(hessian(lambda x: x.prod() * x.sum()))(X)",
    "jacrev(vmap(lambda x: x.prod()))(X)",
    "jacfwd(vmap(lambda x: x.prod()))(X)",
    "vmap(jacfwd(jacrev(lambda x, w: (x * w).sin().sum(), 1)), (0, None))(X, V)",
    "jacrev(lambda w: vmap(grad(lambda x: (x * w).prod()))(X))(V)",
    "vmap(lambda x: vmap(grad(lambda a, b: (a * b).sin()), (None, 0))(x.sum(), x))(X)",
    "vmap(lambda x: grad(lambda y: vmap(lambda z: (y * z).sum())(M).sum())(x))(X)",
    "vmap(grad(lambda x: x.norm() + x.std() + x.prod() + x.max()))(X)",
    "vmap(hessian(lambda x: x.norm() + x.std() + x.prod()))(X)",
    "vmap(grad(lambda x: setitem(x * 1, 0, x[1] ** 2).prod()))(X)",
    "vmap(grad(lambda x: x.clone().index_put_((I[1:2],), x[1:] ** 2).prod()))(X)",
    "hessian(lambda x: setitem(torch.zeros(2), 0, x.prod()).sin().sum())(V)",
]


START = """\
grad, grad_and_value, hessian = torch.func.grad, torch.func.grad_and_value, torch.func.hessian
jacfwd, jacrev, vmap = torch.func.jacfwd, torch.func.jacrev, torch.func.vmap
jvp, vjp = torch.func.jvp, torch.func.vjp
X, J = torch.arange(1.0, 7).reshape(3, 2), torch.tensor([[1, 0], [0, 0], [1, 1]])
V, W, I = torch.tensor([0.5, -2.0]), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1])
M, v = torch.tensor([[1.0, 2.0], [3.0, 5.0]]), torch.tensor([0.5, -2.0], requires_grad=True)
def setitem(x, index, value):
    x[index] = value
    return x
"""


PYTORCH_WARNS = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:torch",
    "ignore:There is a performance drop:UserWarning",  # of its loops over examples
)


@pytest.mark.parametrize("program", RESULTS)
@PYTORCH_WARNS
def test_result_is_pytorchs(program: str, device: str) -> None:
    torch = pytorch()
    assert_alike(run(START + program, gpugrad, device), run(START + program, torch))


def assert_alike(found: Any, expected: Any) -> None:
    """Compare what is nested, of tensors, shapes, types and numbers."""
    if isinstance(expected, list | tuple) and not hasattr(expected, "numel"):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            assert_alike(f, e)
    elif hasattr(expected, "detach"):
        assert tuple(found.shape) == tuple(expected.shape)
        assert str(found.dtype).removeprefix("gpugrad.") == str(expected.dtype)[6:]
        assert_agree(as_numpy(found.detach()), expected.detach().numpy(), rtol=1e-6, atol=1e-6)
    else:
        assert str(found).replace("gpugrad", "torch") == str(expected)


ERRORS = [
    "vmap(lambda x: x.item())(X[:, 0])",
    "vmap(lambda x: float(x.sum()))(X)",
    "vmap(lambda x: x if x > 0 else -x)(X[:, 0])",
    "vmap(lambda x: x.tolist())(X)",
    "vmap(lambda x: x.numpy())(X)",
    "vmap(lambda x: x.data_ptr())(X)",
    "vmap(lambda x: x.data)(X)",
    "vmap(lambda x: x.requires_grad_())(X)",
    "vmap(lambda x: x[x > 0])(X)",
    "vmap(lambda x: setitem(x.clone(), x > 0, 1.))(X)",
    "vmap(lambda x: x.nonzero())(X)",
    "vmap(lambda n: V.repeat_interleave(n))(J)",
    "vmap(lambda n: V.repeat_interleave(n))(-J)",
    "vmap(lambda n: V.repeat_interleave(n, output_size=2))(J)",
    "vmap(vmap(lambda n: V.repeat_interleave(n)))(torch.tensor([[[1, 2], [1, 3]], [[1, 2]] * 2]))",
    "vmap(vmap(lambda n: V.repeat_interleave(n)))(torch.tensor([[[1, 2], [1, 3]]] * 2))",
    "vmap(lambda n: V.repeat_interleave(n))(J[:0])",
    "vmap(lambda x: torch.zeros(2).copy_(x))(X)",
    "vmap(lambda x: torch.zeros(2).fill_(x[0]))(X)",
    "vmap(lambda x: torch.zeros(2).index_put_((I[:1],), x[:1]))(X)",
    "vmap(lambda x: torch.zeros(2).index_fill_(0, I[:1], x[0]))(X)",
    "vmap(lambda x: torch.zeros(2).index_add_(0, I[:1], x[:1]))(X)",
    "vmap(lambda x: torch.zeros(2).scatter_add_(0, I[:1], x[:1]))(X)",
    "vmap(lambda i: setitem(torch.zeros(2), i, 1.0))(J)",
    "vmap(lambda x, y: jvp(lambda x: x.mul_(y), (x,), (V,)))(X.clone(), X)",
    "vmap(lambda t: jvp(lambda x, w: (x * 1).add_(w), (V, V), (V, t))[1])(X)",
    "vmap(lambda x: setitem(torch.zeros(2), 0, x[0]))(X)",
    "vmap(lambda x: torch.randn(2))(X)",
    "vmap(lambda x: torch.rand_like(x))(X)",
    "vmap(lambda x: torch.randint(0, 2, (2,)))(X)",
    "vmap(lambda x, y: x)(X, V)",
    "vmap(lambda x: x)(torch.ones(()))",
    "vmap(lambda x: 3)(X)",
    "vmap(lambda x: None)(X)",
    "vmap(lambda x: (x, 'a'))(X)",
    "vmap(lambda x: x, out_dims=None)(X)",
    "vmap(lambda: 3)()",
    "vmap(lambda x: x, in_dims=None)(X)",
    "vmap(lambda x: x, in_dims=(None,))(X)",
    "vmap(lambda x: x, in_dims=(0, 0))(X)",
    "vmap(lambda x: x, in_dims=((0, 0),))(X)",
    "vmap(lambda x: x, in_dims=(5,))(X)",
    "vmap(lambda x: x, in_dims=-3)(X)",
    "vmap(lambda x: x, in_dims=(0.5,))(X)",
    "vmap(lambda x, y: x, in_dims=(0, 0))(X, 3)",
    "vmap(lambda x, y: x, in_dims=[0, 0])(X, X)",
    "vmap(lambda x: x, in_dims='a')(X)",
    "vmap(lambda x: x)(3)",
    "vmap(lambda x: (x, x), out_dims=(0,))(X)",
    "vmap(lambda x: x, out_dims=(0, 1))(X)",
    "vmap(lambda x: x, out_dims=5)(X)",
    "vmap(lambda x: x, out_dims='a')(X)",
    "vmap(lambda x: x, randomness='foo')(X)",
    "vmap(lambda x: x, chunk_size=0)(X)",
    "vmap(lambda x: x, chunk_size=-1)(X)",
    "vmap(lambda x: torch.autograd.grad((v * x).sum(), v)[0])(X)",
    "torch.autograd.grad(v * 2, v, grad_outputs=torch.ones(2, 3), is_grads_batched=True)",
]


@pytest.mark.parametrize("program", ERRORS)
@PYTORCH_WARNS
def test_error_is_pytorchs(program: str) -> None:
    torch = pytorch()
    error, text = raised(START + program, torch)
    assert raised(START + program, gpugrad) == (error, ours(text))


# --------------------------------------------------------------------------- of its own


def test_where_pytorch_raises(device: str) -> None:
    x = gpugrad.arange(6.0, device=device).reshape(3, 2)
    v = gpugrad.ones(2, device=device)
    assert vmap(lambda x: v, out_dims=1)(x).tolist() == [[1] * 3] * 2
    chunked = vmap(lambda x: (x.sum(), v), out_dims=(0, None), chunk_size=2)(x)
    assert [c.tolist() for c in chunked] == [[1, 5, 9], [1, 1]]
    assert vmap(lambda r: func.linearize(gpugrad.sin, r)[1](r))(x).tolist() == (
        (x * x.cos()).tolist()
    )


def test_what_is_drawn(device: str) -> None:
    x = gpugrad.ones(3, 2, device=device)

    def draw(row: Any) -> Any:
        return gpugrad.rand_like(row) + 0 * row

    different = vmap(draw, randomness="different")(x)
    assert len({tuple(r) for r in different.tolist()}) == 3
    same = vmap(draw, randomness="same")(x)
    assert len({tuple(r) for r in same.tolist()}) == 1
    assert different[0, 0] != different[0, 1]
    inner = vmap(vmap(draw, randomness="same"), randomness="different")(x.reshape(3, 1, 2))
    assert tuple(inner.shape) == (3, 1, 2)
    outer = vmap(vmap(draw, randomness="different"), randomness="same")(
        gpugrad.ones(2, 3, 2, device=device)
    )
    assert outer[0].tolist() == outer[1].tolist()
    assert len({tuple(r) for r in outer[0].tolist()}) == 3
    whole = vmap(lambda r: gpugrad.randint(0, 1000, (5,), device=device), randomness="different")
    assert len({tuple(r) for r in whole(x).tolist()}) == 3


def test_a_function_is_called_once_or_once_for_each_chunk() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(tuple(x.shape))
        return x * 2

    x = gpugrad.ones(10, 4)
    vmap(counted)(x)
    assert calls == [(4,)]
    calls.clear()
    assert vmap(counted, chunk_size=4)(x).tolist() == (x * 2).tolist()
    assert calls == [(4,)] * 3
    calls.clear()
    func.jacfwd(counted)(x[0])
    assert calls == [(4,)]
    calls.clear()
    func.jacfwd(counted, chunk_size=3)(x[0])
    assert calls == [(4,)] * 2


def test_what_is_the_same_for_all_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    evaluate = gpugrad.backend.cpu.evaluate

    def seen(formula: Any, arrays: Any, *args: Any, **kwargs: Any) -> Any:
        found = evaluate(formula, arrays, *args, **kwargs)
        sizes.append(found[0].size)
        return found

    monkeypatch.setattr(gpugrad.backend.cpu, "evaluate", seen)
    w, x = gpugrad.ones(5), gpugrad.ones(3, 5)
    vmap(func.grad(lambda w, x: (w.sin() * x).sum()), (None, 0))(w, x)
    assert sizes == [5, 15, 15, 15]  # the sine of w, its products with each x, their gradients


# Lines of a function of x and y, of two elements each, that returns x.
WRITES = [
    "x = x * 1; x.mul_(y)",
    "x.mul_(y)",
    "x.add_(1)",
    "x.zero_()",
    "x.fill_(2.0)",
    "x.copy_(y)",
    "x[0] = y[1]",
    "x[0] = 7.0",
    "x.pow_(2)",
    "x[1:].mul_(y[:1])",
    "v = x[:]; w = v[1:]; w.mul_(y[:1]); v[:1].add_(w)",
    "v = x[1:]; x.mul_(y); x = x + v",
    "v = x[1:]; v.mul_(2); w = x[:1]; w.mul_(y[1:]); x = x * v",
    "v = x[1:]; w = x[1:]; v.mul_(y[1:]); x = x * w",
    "v = x.unsqueeze(0); v.mul_(y); x = x + v[0]",
    "v = x.expand(2, 2); x.mul_(y); x = v.sum(0)",
    "x.masked_fill_(torch.tensor([True, False]), 3.0)",
    "x.masked_fill_(y > 1, 3.0)",
    "x.index_put_((torch.tensor([1]),), y[:1])",
    "x.index_put_((torch.tensor([1, 1]),), y, accumulate=True)",
    "x[[1]] = y[:1]",
    "x.index_fill_(0, torch.tensor([0]), 2.0)",
    "x.index_add_(0, torch.tensor([0]), y[:1])",
    "x.scatter_add_(0, torch.tensor([0]), y[:1])",
    "x[:1].expand(2).mul_(2)",
    "x[1:].copy_(x[:1])",
    "x.detach().mul_(2)",
    "with torch.no_grad(): x.mul_(2)",
    "with torch.no_grad(): v = x[0:]\n    v.mul_(2)",
    "a, b = x.unbind(); a.mul_(2)",
    "a, b = x.split(1); x.mul_(2); x = x + a",
    "x = x * 1; v = x.view(1, 2); u = v[0]; u[1:].mul_(y[:1]); x = x + u + v[0]",
    "x = x * 1; z = x * x; x.mul_(y); x = x + z",
    "x = torch.outer(x, y); x.t_(); x[0].mul_(y); x.diagonal().mul_(y); x = x.sum(0)",
    "z = torch.zeros(2); z.copy_(x); x = z",
    "z = torch.zeros_like(y); z.copy_(x); z[0] = y[0]; x = z * x",
]
# What is done with it, and with X, Y and V.
USES = [
    "(lambda x: (vmap(f)(x, Y), x, x._version))(X.clone())",
    "(lambda z: [alike((vmap(f)(z, Y), z)), z._version])(X.clone().requires_grad_() * 1)",
    "(lambda z: vmap(f)(z, Y))(X.clone().requires_grad_())",
    "(lambda x: (vmap(f, (1, 0), 1)(x, Y), x))(X.t().clone())",
    "vmap(f, (None, 0))(V.clone(), Y)",
    "vmap(f, (0, None))(X, V)",
    "vmap(vmap(f))(B, B * 2)",
    "vmap(vmap(f, (0, None)), (0, None))(B, V)",
    "vmap(grad(lambda x, y: loss(f(x, y))))(X, Y)",
    "vmap(grad(lambda x, y: loss(f(x, y))))(X.clone().requires_grad_() * 1, Y)",
    "vmap(grad(lambda x, y: loss(f(x * 1, y))))(X.clone().requires_grad_() * 1, Y).detach()",
    "vmap(grad(lambda x, y: loss(f(x, y)), 1))(X, Y)",
    "vmap(grad(lambda x, y: loss(f(x * 1, y))), (None, 0))(V, Y)",
    "grad(lambda x: loss(vmap(f)(x, Y)))(X)",
    "grad(lambda x: loss(vmap(f)(x * 1, Y)))(X)",
    "grad(lambda x: loss(vmap(f, (1, 0), 1)(x * 1, Y)))(X.t().clone())",
    "grad(lambda b: loss(vmap(vmap(f))(b * 1, B * 2)))(B)",
    "vmap(vmap(grad(lambda x, y: loss(f(x * 1, y)))))(B, B * 2)",
    "jacrev(lambda x: vmap(f)(x * 1, Y))(X)",
    "vmap(jacrev(lambda x, y: f(x * 1, y)))(X, Y)",
    "jacfwd(lambda x: vmap(f)(x * 1, Y))(X)",
    "vmap(jacfwd(lambda x, y: f(x * 1, y)))(X, Y)",
    "vmap(hessian(lambda x, y: loss(f(x * 1, y))))(X, Y)",
    "jvp(lambda x, y: vmap(f)(x, y), (X.clone(), Y.clone()), (Y * 2, X * 3))",
    "vmap(lambda x, y, t: jvp(f, (x, y), (t, 2 * t)))(X.clone(), Y, Y + 1)",
    "vmap(lambda x, y: jvp(lambda x: f(x * 1, y), (x,), (V,)))(X, Y)",
]
WRITING = (
    START
    + """\
Y = torch.tensor([[0.5, 2.0], [3.0, -1.0], [1.5, 4.0]])
B = torch.arange(1.0, 13).reshape(2, 3, 2)
def loss(out):
    return (out * out).sum()
def alike(outs):
    loss(outs[0] + outs[1]).backward()
    return outs
def f(x, y):
    LINES
    return x
"""
)


@pytest.mark.parametrize(("lines", "use"), choice.pairs(WRITES, USES, 6))
@PYTORCH_WARNS
def test_a_write_inside_is_pytorchs(lines: str, use: str) -> None:
    """A write, or a view of what is written, that sees the examples otherwise than PyTorch's."""
    torch = pytorch()
    program = WRITING.replace("LINES", lines) + use
    expected = ending(program, torch)
    found = ending(program, gpugrad)
    if isinstance(expected, str):
        assert str(found) == ours(expected)
    else:
        assert_alike(found, expected)


def ending(program: str, library: Any, device: str = "cpu") -> Any:
    """Return what a program gives, or the class and the text of the error that it raises."""
    try:
        return run(program, library, device)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def test_what_a_function_is_differentiated_by_is_not_written(device: str) -> None:
    """Whether gradients of the gradient are wanted, too, or not."""
    x = gpugrad.ones(2, device=device, requires_grad=True) * 1
    for write in (lambda t: t.mul_(2), lambda t: t[1:].mul_(2)):
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used"):
            func.grad(lambda t, write=write: write(t).sum())(x)
    assert x.tolist() == [1, 1]


def test_a_result_is_written_as_any_other(device: str) -> None:
    x = gpugrad.arange(6.0, device=device).reshape(3, 2).requires_grad_()
    y = vmap(lambda r: (r * 2).flip(0))(x)
    y += 1
    y[:, 0] *= 10
    (y**2).sum().backward()
    u = x.detach().requires_grad_()
    z = (u * 2).flip(1) + 1
    z = gpugrad.stack([z[:, 0] * 10, z[:, 1]], 1)
    (z**2).sum().backward()
    assert x.grad is not None
    assert u.grad is not None
    assert x.grad.tolist() == u.grad.tolist()


def test_a_view_that_is_a_result_belongs_to_what_it_is_a_view_of(device: str) -> None:
    x = gpugrad.arange(6.0, device=device).reshape(3, 2).requires_grad_()
    whole, part = vmap(lambda r: (lambda t: (t, t[1:]))(r * 2))(x)
    part.mul_(x[:, 1:])  # rewrites the history of the whole
    whole.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2, 4], [2, 12], [2, 20]]
    leaf = gpugrad.ones(3, 2, device=device)
    vmap(lambda r: r[:1])(leaf).mul_(5)
    assert leaf.tolist() == [[5, 1]] * 3


def test_a_saved_value_that_is_overwritten_is_noticed(device: str) -> None:
    x = gpugrad.ones(3, 2, device=device, requires_grad=True)
    y = vmap(lambda r: r.exp())(x)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    w = gpugrad.ones(2, device=device)
    y = vmap(lambda r: r * w)(x)
    w.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_graph_is_freed_by_counting(device: str) -> None:
    import gc
    import weakref

    x = gpugrad.ones(3, 2, device=device, requires_grad=True)
    w = gpugrad.ones(2, device=device, requires_grad=True)
    gc.collect()
    gc.disable()
    before = len(_doors)
    try:
        y = vmap(lambda r: (r * w).exp().sum())(x)
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
        assert len(_doors) == before  # nor is anything left of the level
    finally:
        gc.enable()


def by_hand(tensor: Any) -> Any:
    edge = autograd.graph.get_gradient_edge(tensor)
    return autograd.graph.GradientEdge(edge.node, edge.output_nr)


ENDS: dict[str, Callable[[Any], Any]] = {
    "the tensor": lambda t: t,
    "its edge": autograd.graph.get_gradient_edge,
    "an edge by hand": by_hand,
}
MEETINGS: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda w, row: w * row,
    "where": lambda w, row: gpugrad.where(row > 2, w, w * 2),
    "index": lambda w, row: w[(row[:1] > 3).long()],
    "cat": lambda w, row: gpugrad.cat([w, row]),
    "dot": lambda w, row: w @ row,
    "expand": lambda w, row: (w * 1).expand(2, 2) * row,
    "write": lambda w, row: (w * row).mul_(2),
}


@pytest.mark.parametrize("meeting", MEETINGS)
@pytest.mark.parametrize("outputs", ENDS)
@pytest.mark.parametrize("inputs", ENDS)
def test_gradients_are_not_summed_over_examples_unasked(
    outputs: str, inputs: str, meeting: str, device: str
) -> None:
    w = gpugrad.ones(2, device=device, requires_grad=True)

    def by_what_is_outside(row: Any) -> Any:
        out = MEETINGS[meeting](w, row)
        weight = gpugrad.ones(out.shape, device=device)
        return autograd.grad(ENDS[outputs](out), ENDS[inputs](w), weight)[0]

    with pytest.raises(RuntimeError, match="does not require grad"):
        vmap(by_what_is_outside)(gpugrad.ones(3, 2, device=device))


@pytest.mark.parametrize("outputs", ENDS)
@pytest.mark.parametrize("inputs", ENDS)
def test_edges_of_what_is_batched_give_gradients_of_each_example(
    outputs: str, inputs: str, device: str
) -> None:
    w = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
    rows = gpugrad.arange(6.0, device=device).reshape(3, 2).requires_grad_()
    one = gpugrad.ones((), device=device)

    def by_what_is_inside(row: Any) -> Any:
        middle = row * 1
        out = (w * middle * middle).sum()
        return autograd.grad(ENDS[outputs](out), ENDS[inputs](middle), one)[0]

    assert_agree(vmap(by_what_is_inside)(rows), 2 * w * rows)

    def by_what_is_outside_of_both(vector: Any) -> Any:
        return autograd.grad(ENDS[outputs](w * w), ENDS[inputs](w), vector)[0]

    vectors = gpugrad.eye(2, device=device)
    assert_agree(vmap(by_what_is_outside_of_both)(vectors), vectors * 2 * w)


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_anomaly_mode_looks_at_every_example(device: str) -> None:
    x = gpugrad.tensor([[4.0, 1.0], [0.0, 1.0]], device=device)
    w = gpugrad.ones(2, device=device, requires_grad=True)

    def loss(row: Any) -> Any:
        return (w * row).sqrt().sum()

    with autograd.detect_anomaly():
        good = vmap(loss)(x[:1]).sum()
        assert autograd.grad(good, w)[0].tolist() == [1, 0.5]
        with pytest.raises(RuntimeError, match=r"'MulBackward0' returned nan values"):
            vmap(loss)(x).sum().backward()


def test_threads_batch_by_themselves(device: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    x = gpugrad.arange(6.0, device=device).reshape(3, 2)

    def work(k: int) -> Any:
        return vmap(func.grad(lambda r: (r**2).sum() * k))(x).tolist()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(16)))
    assert found == [(2.0 * k * x).tolist() for k in range(16)]


def test_debug_unwrap() -> None:
    seen = []

    def look(t: Any) -> Any:
        seen.extend([func.debug_unwrap(t), func.debug_unwrap(t, recurse=False)])
        return t

    x = gpugrad.arange(6.0).reshape(2, 1, 3)
    vmap(vmap(look))(x)
    assert seen[0].tolist() == x.tolist()
    assert tuple(seen[1].shape) == (1, 3)
    assert func.debug_unwrap(seen[1]).tolist() == x.tolist()
    assert func.debug_unwrap(x) is x
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        func.debug_unwrap(3)  # type: ignore[arg-type]


def test_repr() -> None:
    shown = []

    def show(t: Any) -> Any:
        shown.append(repr(t))
        return t

    w = gpugrad.ones(2, requires_grad=True)
    vmap(lambda r: show(r * w))(gpugrad.ones(3, 2))
    vmap(vmap(show))(gpugrad.ones(2, 1))
    assert shown == [
        "BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[1., 1.],\n            [1., 1.],\n"
        "            [1., 1.]], grad_fn=<MulBackward0>)\n)",
        "BatchedTensor(lvl=2, bdim=0, value=\n    BatchedTensor(lvl=1, bdim=0, value=\n"
        "        tensor([[1.],\n                [1.]])\n    )\n)",
    ]
