"""Tables beside PyTorch: rows without gradients, frequencies, norms, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.testing import assert_agree

TABLE = np.random.default_rng(0).normal(size=(6, 3))
ROWS = np.array([0, 3, 3, 1, 5, 2, 3])
OFFSETS = np.array([0, 2, 2, 5])

CALLS: dict[str, Callable[..., Any]] = {
    "padding": lambda nn, w, i, o: nn.embedding(i, w, padding_idx=3),
    "padding from the end": lambda nn, w, i, o: nn.embedding(i, w, padding_idx=-1),
    "frequency": lambda nn, w, i, o: nn.embedding(i, w, 1, scale_grad_by_freq=True),
    "norm": lambda nn, w, i, o: nn.embedding(i, w, max_norm=1.0, norm_type=1.5),
    "bags, norm": lambda nn, w, i, o: nn.embedding_bag(i, w, o, max_norm=0.5),
    "bags, int32": lambda nn, w, i, o: nn.embedding_bag(i.int(), w, o.int(), mode="sum"),
    "bags, ties": lambda nn, w, i, o: nn.embedding_bag(i, w.round(), o, mode="max"),
    "bags, only padding": lambda nn, w, i, o: nn.embedding_bag(i[1:3], w, o[:1], padding_idx=3),
    "no bags": lambda nn, w, i, o: nn.embedding_bag(i[:0], w, o[:0]),
    "no bags, max": lambda nn, w, i, o: nn.embedding_bag(i[:0], w, o[:0], mode="max"),
    "no rows, max": lambda nn, w, i, o: nn.embedding_bag(i[:0], w, o[:1], mode="max"),
}


@pytest.mark.parametrize("name", CALLS)
def test_rows_and_gradients_are_pytorchs(name: str) -> None:
    found = []
    for lib in gpugrad, pytorch():
        w = lib.tensor(TABLE, requires_grad=True)
        out = CALLS[name](lib.nn.functional, w, lib.tensor(ROWS), lib.tensor(OFFSETS))
        (g,) = lib.autograd.grad((out * out).sum(), w)
        found.append([t.detach().numpy() for t in (out, g, w)])
    for ours, theirs in zip(*found, strict=True):
        assert_agree(ours, theirs, 1e-12, 1e-12)


def test_gradients_of_bags_are_divided_by_frequencies() -> None:
    """PyTorch divides some by the frequency of another row."""
    rows = gpugrad.tensor([[0, 3, 3], [1, 5, 3]])
    w = gpugrad.tensor(TABLE, requires_grad=True)
    nn: Any = gpugrad.nn.functional
    outs = (
        nn.embedding_bag(rows, w, scale_grad_by_freq=True),
        nn.embedding(rows, w, scale_grad_by_freq=True).mean(1),
    )
    first, second = (gpugrad.autograd.grad((out * out).sum(), w)[0] for out in outs)
    assert_agree(first, second)


WRONG: dict[str, Callable[..., Any]] = {
    "row": lambda nn, w, t: nn.embedding(t([1, 6]), w),
    "negative row": lambda nn, w, t: nn.embedding(t([1, -1]), w),
    "type": lambda nn, w, t: nn.embedding(t([1.0]), w),
    "short": lambda nn, w, t: nn.embedding(t([1]).short(), w),
    "dimensions": lambda nn, w, t: nn.embedding(t([1]), w[0]),
    "padding": lambda nn, w, t: nn.embedding(t([1]), w, 7),
    "negative padding": lambda nn, w, t: nn.embedding(t([1]), w, -7),
    "offsets in a list": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w, [0, 1]),
    "first offset": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w, t([1, 1])),
    "last offset": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w, t([0, 5])),
    "type of offsets": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w, t([0.0, 1])),
    "row of a bag": lambda nn, w, t: nn.embedding_bag(t([1, 9]), w, t([0, 1])),
    "no offsets": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w),
    "offsets of rows": lambda nn, w, t: nn.embedding_bag(t([[1, 2]]), w, t([0]).reshape(1, 1)[:0]),
    "no last": lambda nn, w, t: nn.embedding_bag(t([1]), w, t([1])[:0], include_last_offset=True),
    "mode": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w, t([0]), mode="median"),
    "padding of bags": lambda nn, w, t: nn.embedding_bag(t([1, 2]), w, t([0]), padding_idx=9),
    "weights": lambda nn, w, t: nn.embedding_bag(
        t([1, 2]), w, t([0]), mode="sum", per_sample_weights=w[0]
    ),
    "type of weights": lambda nn, w, t: nn.embedding_bag(
        t([1, 2]), w, t([0]), mode="sum", per_sample_weights=w[0, :2].double()
    ),
    "mean of weights": lambda nn, w, t: nn.embedding_bag(
        t([1, 2]), w, t([0]), per_sample_weights=w[0, :2]
    ),
    "frequency of maxima": lambda nn, w, t: nn.embedding_bag(
        t([1, 2]), w, t([0]), mode="max", scale_grad_by_freq=True
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_raises_pytorchs_error(name: str) -> None:
    said = []
    for lib in gpugrad, pytorch():
        table = lib.tensor(TABLE).float()
        with pytest.raises(Exception) as caught:  # noqa: PT011  its class is compared
            WRONG[name](lib.nn.functional, table, lib.tensor)
        text = str(caught.value).replace("gpugrad.", "torch.")
        said.append((type(caught.value), text.replace("gpugrad", "torch").split("\n")[0]))
    assert said[0] == said[1]


def test_sparse_gradients_are_refused() -> None:
    table, rows = gpugrad.ones(3, 2), gpugrad.tensor([1])
    nn: Any = gpugrad.nn.functional
    sentence = "sparse=False the gradient is the same"
    with pytest.raises(NotImplementedError, match=sentence):
        nn.embedding(rows, table, sparse=True)
    with pytest.raises(NotImplementedError, match=sentence):
        nn.embedding_bag(rows, table, rows - 1, sparse=True)


@pytest.mark.parametrize("mode", ["sum", "max"])
def test_examples_of_bags_begin_at_the_first_row(mode: str) -> None:
    """Rows in front of the first bag, which would count as those of the last."""
    rows, w = gpugrad.tensor(ROWS), gpugrad.tensor(TABLE)
    bags: Any = gpugrad.nn.functional.embedding_bag
    with pytest.raises(IndexError, match="out of range"):
        gpugrad.func.vmap(lambda o: bags(rows, w, o, mode=mode))(gpugrad.tensor([[0, 2], [1, 3]]))
