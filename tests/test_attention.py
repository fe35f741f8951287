"""Attention: long sequences in parts, queries that see nothing, and what does not fit."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from snippets import ours as renamed

import gpugrad
from comparison import pytorch
from gpugrad.backend import attention as of_arrays
from gpugrad.backend import queries
from gpugrad.ops.nn.attention import plain
from gpugrad.testing import assert_agree, count_kernels

attention: Any = gpugrad.nn.functional.scaled_dot_product_attention


def numbers(*shape: int, seed: int = 0) -> Any:
    return gpugrad.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_parts_of_long_sequences_give_what_the_plain_definition_gives(
    causal: bool, masked: bool
) -> None:
    """Results and gradients of several parts; a recorded gradient is that of the definition."""
    q, k, v = numbers(1, 2, 700, 4), numbers(1, 2, 900, 4, seed=1), numbers(1, 2, 900, 3, seed=2)
    seen = np.random.default_rng(3).random((700, 900)) > 0.5
    seen[5] = False
    mask = gpugrad.tensor(np.where(seen, 0.5, -np.inf), requires_grad=True) if masked else None
    given: Any = (q, k, v, mask) if masked else (q, k, v)
    out = attention(q, k, v, mask, is_causal=causal)
    weights = gpugrad.tensor(np.random.default_rng(4).normal(size=out.shape))
    loss = (out * weights).sum()
    found = gpugrad.autograd.grad(loss, given, retain_graph=True)
    recorded = gpugrad.autograd.grad(loss, given, create_graph=True)
    for one, other in zip(found, recorded, strict=True):
        assert other.requires_grad
        assert_agree(one, other.detach(), 1e-10, 1e-12)
    if masked:
        assert not out[..., 5, :].any()


@pytest.mark.parametrize("keys", [20, 2000])
def test_no_weight_is_subnormal(keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exponentials and products of subnormal numbers take ten times as long."""
    random, seen = np.random.default_rng(0), []
    q, k, v = (random.standard_normal((1, 1, n, 16)).astype("f") for n in (30, keys, keys))
    monkeypatch.setattr(queries, "MOST", -1)
    compute = of_arrays._computed

    def noted(formula: Any, *arrays: Any) -> Any:
        found = compute(formula, *arrays)
        if formula is of_arrays._WEIGHTS:
            seen.append(found.copy())
        return found

    monkeypatch.setattr(of_arrays, "_computed", noted)
    out, logs = of_arrays.attention(40 * q, k, v, None, 1.0, False)
    of_arrays.attention_gradient(out, 40 * q, k, v, None, out, logs, 1.0, False, False)
    assert len(seen) == 2
    for weights in seen:
        assert np.all((weights == 0) | (weights >= np.finfo(np.float32).tiny))


@pytest.mark.compiler
@pytest.mark.parametrize("kind", ["float32", "float64", "float16"])
@pytest.mark.parametrize("causal", [False, True])
def test_loops_over_few_queries_give_what_numpy_gives(
    causal: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    for heads, sizes in (2, (5, 3)), (4, (3, 5)), (2, (1, 1)):
        q, k, v, g = (
            (3 * random.standard_normal(shape)).astype(kind)
            for shape in (
                (2, 4, sizes[0], 6), (2, heads, sizes[1], 6), (2, heads, sizes[1], 7),
                (2, 4, sizes[0], 7),
            )
        )  # fmt: skip
        results = []
        for most in 1 << 15, -1:
            monkeypatch.setattr(queries, "MOST", most)
            out, logs = of_arrays.attention(q, k, v, None, 2.0, causal)
            grads = of_arrays.attention_gradient(g, q, k, v, None, out, logs, 2.0, causal, False)
            results.append((out, logs, *grads[:3]))
        tolerance = {"float32": 2e-4, "float64": 1e-12, "float16": 4e-3}[kind]
        for ours, numpys in zip(*results, strict=True):
            assert ours.dtype == numpys.dtype
            size = max(np.abs(numpys).max(), 1)
            assert_agree(ours / size, numpys / size, tolerance, tolerance)


def test_memory_is_not_that_of_all_scores() -> None:
    q, k, v = (numbers(2, 3000, 4, seed=n).float().detach().requires_grad_() for n in range(3))
    tracemalloc.start()
    attention(q, k, v).sum().backward()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 * 3000 * 3000 * 4 / 4


def test_halves_are_computed_in_single_precision() -> None:
    q, k, v = (numbers(1, 2, 5, 8, seed=n).detach() for n in range(3))
    halves = [t.half().requires_grad_() for t in (q, k, v)]
    singles = [t.detach().float().requires_grad_() for t in halves]
    one, other = attention(*halves), attention(*singles)
    assert one.dtype is gpugrad.float16
    assert_agree(one.float(), other.half().float(), 1e-3, 1e-3)
    for a, b in zip(
        gpugrad.autograd.grad(one.sum(), halves), gpugrad.autograd.grad(other.sum(), singles),
        strict=True,
    ):  # fmt: skip
        assert a.dtype is gpugrad.float16
        assert_agree(a.float(), b, 2e-3, 2e-3)


CASES: dict[str, dict[str, Any]] = {
    "one tile": {},
    "several tiles": {"queries": 33, "keys": 70},
    "causal": {"queries": 70, "keys": 40, "causal": True},
    "which count": {"mask": (20, 19), "kind": "bool"},
    "added": {"mask": (3, 1, 1, 19), "kind": "float64"},
    "learned": {"mask": (2, 1, 19), "kind": "float64", "learned": True, "causal": True},
    "groups": {"heads": 4, "mask": (4, 20, 1), "kind": "bool"},
    "dropped": {"dropout": 0.4, "heads": 4, "keys": 35},
    "many results": {"results": 130, "features": 3},
    "one dimension less": {"lead": ()},
    "five": {"lead": (3, 2)},
}


@pytest.mark.cuda
@pytest.mark.parametrize("name", CASES)
def test_kernels_give_what_the_plain_definition_gives(name: str) -> None:
    """Results, first gradients, which one kernel computes, and their gradients."""

    def run(
        queries: int = 20, keys: int = 19, features: int = 5, results: int = 6, heads: int = 2,
        lead: tuple[int, ...] = (3,), mask: Any = None, kind: str = "", learned: bool = False,
        causal: bool = False, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        shapes = (heads, queries, features), (2, keys, features), (2, keys, results)
        given = [
            numbers(*lead, *shape, seed=n).detach().cuda().requires_grad_()
            for n, shape in enumerate(shapes)
        ]
        if mask is not None:
            seen = np.random.default_rng(3).normal(size=mask)
            seen[..., :1, :] -= 0.5
            array = seen > 0 if kind == "bool" else seen
            if kind == "bool" and array.shape[-2] > 1:
                array[..., 1, :] = False
            given.append(gpugrad.tensor(array, device="cuda", requires_grad=learned))
        gpugrad.manual_seed(1)
        start = gpugrad.cuda.get_rng_state()
        options = {"scale": 0.7, "is_causal": causal, "enable_gqa": heads > 2}
        with count_kernels() as launched:
            out = attention(*given, dropout_p=dropout, **options)
        assert launched.total == 1
        wanted = [t for t in given if t.requires_grad]
        g = numbers(*out.shape, seed=4).detach().cuda()
        with count_kernels() as launched:
            found = gpugrad.autograd.grad(out, wanted, g, retain_graph=True)
        assert launched.total == 1 + (len(wanted) > 3)  # and the sum of a broadcast mask's
        recorded = gpugrad.autograd.grad(out, wanted, g, create_graph=True)
        gpugrad.cuda.set_rng_state(start)
        q, k, v, *masks = given
        k, v = (t.repeat_interleave(heads // 2, -3) for t in (k, v))
        other = plain(q, k, v, masks[0] if masks else None, 0.7, causal, dropout)
        assert_agree(out, other, 1e-12, 1e-12)
        derived = gpugrad.autograd.grad(other, wanted, g, create_graph=True)
        for one, two, three in zip(found, recorded, derived, strict=True):
            assert_agree(one, three, 1e-11, 1e-11)
            assert_agree(two, three, 1e-11, 1e-11)
        ends = zip(
            *(
                gpugrad.autograd.grad([t.sum() for t in some], wanted)
                for some in (recorded, derived)
            ),
            strict=True,
        )
        for one, two in ends:
            assert_agree(one, two, 1e-10, 1e-10)
        again = attention(*given, dropout_p=0.0, **options)
        assert dropout == 0 or not (again == out).all()

    run(**CASES[name])


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_kernels_of_fewer_bits_add_up_in_single_precision(dtype: str) -> None:
    """In memory that is laid out as that of several heads of one projection is."""
    kind = getattr(gpugrad, dtype)
    given = (numbers(40, 2, 2, 20, seed=n).detach().to(kind).cuda() for n in range(3))
    some = [t.permute(1, 2, 0, 3).requires_grad_() for t in given]
    exact = [t.detach().cpu().double().requires_grad_() for t in some]
    out, other = attention(*some, is_causal=True), attention(*exact, is_causal=True)
    assert out.dtype is kind
    assert out.permute(2, 0, 1, 3).is_contiguous()
    near = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1e-6}[dtype]  # a rounding of results
    assert_agree(out.detach().cpu().double(), other.detach(), near, near)
    for a, b in zip(
        gpugrad.autograd.grad(out.sum(), some), gpugrad.autograd.grad(other.sum(), exact),
        strict=True,
    ):  # fmt: skip
        assert a.dtype is kind
        assert_agree(a.cpu().double(), b, 4 * near, 4 * near)


def test_weights_are_dropped() -> None:
    gpugrad.manual_seed(0)
    q, k, v = numbers(1, 4, 3), numbers(1, 6, 3, seed=1), numbers(1, 6, 3, seed=2)
    assert not attention(q, k, v, dropout_p=1.0).any()
    mean = sum(attention(q, k, v, dropout_p=0.5) for _ in range(2000)) / 2000
    assert_agree(mean, attention(q, k, v), 0, 0.1)


@pytest.mark.parametrize("shapes", [((0, 5, 4), (0, 3, 4)), ((2, 0, 5, 4), (2, 0, 3, 4))])
def test_there_may_be_no_heads_to_group(shapes: Any) -> None:
    query, key = (gpugrad.ones(s, requires_grad=True) for s in shapes)
    out = gpugrad.nn.functional.scaled_dot_product_attention(query, key, key, enable_gqa=True)
    assert out.shape == shapes[0]
    out.sum().backward()
    for leaf, shape in zip((query, key), shapes, strict=True):
        assert leaf.grad is not None
        assert leaf.grad.shape == shape


WRONG: dict[str, Callable[..., Any]] = {
    "one dimension": lambda lib, f, t: f(t(5), t(5), t(5)),
    "types": lambda lib, f, t: f(t(2, 4, 5), t(2, 6, 5).double(), t(2, 6, 5)),
    "type of the mask": lambda lib, f, t: f(*[t(2, 4, 5)] * 3, t(4, 4).double()),
    "integers as a mask": lambda lib, f, t: f(*[t(2, 4, 5)] * 3, t(4, 4).long()),
    "shape of the mask": lambda lib, f, t: f(*[t(1, 2, 4, 5)] * 3, t(4, 3)),
    "stacks": lambda lib, f, t: f(t(2, 3, 4, 5), t(3, 3, 6, 5), t(2, 3, 6, 5)),
    "heads": lambda lib, f, t: f(t(2, 4, 4, 5), t(2, 2, 6, 5), t(2, 2, 6, 5)),
    "groups": lambda lib, f, t: f(t(2, 5, 4, 5), t(2, 2, 6, 5), t(2, 2, 6, 5), enable_gqa=True),
    "groups of matrices": lambda lib, f, t: f(*[t(4, 5)] * 3, enable_gqa=True),
    "dropout": lambda lib, f, t: f(*[t(2, 4, 5)] * 3, dropout_p=1.5),
    "integers": lambda lib, f, t: f(*[t(2, 4, 5).long()] * 3),
    "no heads": lambda lib, f, t: lib.nn.MultiheadAttention(4, 0),
    "uneven heads": lambda lib, f, t: lib.nn.MultiheadAttention(4, 3),
    "features": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(*[t(3, 2, 6)] * 3),
    "dimensions": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(*[t(4)] * 3),
    "dimensions of keys": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(
        t(3, 2, 4), t(3, 4), t(3, 2, 4)
    ),
    "causal without a mask": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(
        *[t(3, 2, 4)] * 3, is_causal=True
    ),
    "mask": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(*[t(3, 2, 4)] * 3, attn_mask=t(2, 2)),
    "mask of each": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(
        *[t(3, 2, 4)] * 3, attn_mask=t(2, 3, 3)
    ),
    "padding": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(
        *[t(3, 2, 4)] * 3, key_padding_mask=t(2, 4)
    ),
    "integers as padding": lambda lib, f, t: lib.nn.MultiheadAttention(4, 2)(
        *[t(3, 2, 4)] * 3, key_padding_mask=t(2, 3).long()
    ),
    "activation": lambda lib, f, t: lib.nn.TransformerEncoderLayer(4, 2, activation="sin"),
    "examples": lambda lib, f, t: lib.nn.Transformer(4, 2, 1, 1, 4, batch_first=True)(
        t(2, 3, 4), t(3, 3, 4)
    ),
    "model": lambda lib, f, t: lib.nn.Transformer(4, 2, 1, 1, 4, batch_first=True)(
        t(2, 3, 4), t(2, 3, 6)
    ),
    "cutoffs": lambda lib, f, t: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [6, 3]),
    "no cutoffs": lambda lib, f, t: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 12, []),
    "classes": lambda lib, f, t: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3], 2.0)(
        t(2, 8), lib.tensor([3, 12])
    ),
    "targets": lambda lib, f, t: lib.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3], 2.0)(
        t(2, 8), lib.tensor([3])
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_raises_pytorchs_error(name: str) -> None:
    said = []
    for lib in gpugrad, pytorch():

        def ones(*shape: int, lib: Any = lib) -> Any:
            return lib.ones(shape)

        with pytest.raises(Exception) as caught:  # noqa: PT011  its class is compared
            WRONG[name](lib, lib.nn.functional.scaled_dot_product_attention, ones)
        said.append((type(caught.value), renamed(str(caught.value))))
    assert said[0] == said[1]


def test_masks_of_transformers_are_pytorchs() -> None:
    mask = gpugrad.nn.Transformer.generate_square_subsequent_mask(3)
    theirs = pytorch().nn.Transformer.generate_square_subsequent_mask(3)
    np.testing.assert_array_equal(mask.numpy(), theirs.numpy())
