"""Padded and packed sequences beside PyTorch's, and recurrent layers that refuse what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from snippets import ours as renamed

import gpugrad
from comparison import pytorch
from gpugrad.testing import assert_agree

CALLS: dict[str, Callable[..., Any]] = {
    "pad": lambda rnn, a, b, c: rnn.pad_sequence([a, b, c]),
    "pad, rows first": lambda rnn, a, b, c: rnn.pad_sequence([a, b, c], True, -1.0),
    "pad left": lambda rnn, a, b, c: rnn.pad_sequence([a, b, c], padding_side="left"),
    "pack": lambda rnn, a, b, c: rnn.pack_sequence([a, b, c]),
    "pack any order": lambda rnn, a, b, c: rnn.pack_sequence([b, c, a], enforce_sorted=False),
    "pack padded": lambda rnn, a, b, c: rnn.pack_padded_sequence(
        rnn.pad_sequence([a, b], True), [4, 2], batch_first=True
    ),
    "unpack": lambda rnn, a, b, c: rnn.unpack_sequence(rnn.pack_sequence([a, b, c])),
    "unpack any order": lambda rnn, a, b, c: rnn.unpack_sequence(
        rnn.pack_sequence([c, a, b], enforce_sorted=False)
    ),
    "pad packed": lambda rnn, a, b, c: rnn.pad_packed_sequence(
        rnn.pack_sequence([c, a, b], enforce_sorted=False), True, 7.0, 6
    ),
    "packed, of a type": lambda rnn, a, b, c: rnn.pack_sequence([a, b]).float(),
}


def _leaves(found: Any) -> list[Any]:
    if isinstance(found, tuple | list):
        return [leaf for part in found for leaf in _leaves(part)]
    return [found]


@pytest.mark.parametrize("name", CALLS)
def test_sequences_and_gradients_are_pytorchs(name: str) -> None:
    results = []
    for lib in gpugrad, pytorch():
        rng = np.random.default_rng(0)
        rows = [lib.tensor(rng.normal(size=(n, 2)), requires_grad=True) for n in (4, 2, 1)]
        found = _leaves(CALLS[name](lib.nn.utils.rnn, *rows))
        loss = sum((t * t).sum() for t in found if t is not None and t.dtype.is_floating_point)
        grads = lib.autograd.grad(loss, rows, allow_unused=True)
        results.append([None if t is None else t.detach().numpy() for t in (*found, *grads)])
    assert len(results[0]) == len(results[1])
    for ours, theirs in zip(*results, strict=True):
        assert (ours is None) is (theirs is None)
        if theirs is not None:
            assert_agree(ours, theirs)


WRONG: dict[str, Callable[..., Any]] = {
    "not sorted": lambda lib, rnn: rnn.pack_sequence([lib.ones(1), lib.ones(2)]),
    "no length": lambda lib, rnn: rnn.pack_padded_sequence(lib.ones(2, 2), [2, 0]),
    "other lengths": lambda lib, rnn: rnn.pack_padded_sequence(lib.ones(2, 2), [2]),
    "nothing": lambda lib, rnn: rnn.pack_padded_sequence(lib.ones(0, 2), [2, 1]),
    "too short": lambda lib, rnn: rnn.pad_packed_sequence(
        rnn.pack_sequence([lib.ones(2)]), total_length=1
    ),
    "no sequences": lambda lib, rnn: rnn.pad_sequence([]),
    "other side": lambda lib, rnn: rnn.pad_sequence([lib.ones(2)], padding_side="up"),
    "no size": lambda lib, rnn: lib.nn.LSTM(0, 2),
    "no number": lambda lib, rnn: lib.nn.GRU(2.0, 2),
    "no bool": lambda lib, rnn: lib.nn.GRU(2, 2, bias=1),
    "no layers": lambda lib, rnn: lib.nn.GRU(2, 2, 0),
    "dropout": lambda lib, rnn: lib.nn.GRU(2, 2, dropout=1.5),
    "projection": lambda lib, rnn: lib.nn.LSTM(2, 2, proj_size=2),
    "projected units": lambda lib, rnn: lib.nn.GRU(2, 2, proj_size=1),
    "nonlinearity": lambda lib, rnn: lib.nn.RNN(2, 2, nonlinearity="sin"),
    "dimensions": lambda lib, rnn: lib.nn.LSTM(2, 2)(lib.ones(2)),
    "dimensions of units": lambda lib, rnn: lib.nn.RNN(2, 2)(lib.ones(2)),
    "features": lambda lib, rnn: lib.nn.GRU(2, 2)(lib.ones(3, 1, 3)),
    "type": lambda lib, rnn: lib.nn.GRU(2, 2)(lib.ones(3, 1, 2).double()),
    "state": lambda lib, rnn: lib.nn.GRU(2, 2)(lib.ones(3, 1, 2), lib.ones(1, 2, 2)),
    "state of rows": lambda lib, rnn: lib.nn.GRU(2, 2)(lib.ones(3, 1, 2), lib.ones(1, 2)),
    "state of a row": lambda lib, rnn: lib.nn.GRU(2, 2)(lib.ones(3, 2), lib.ones(1, 1, 2)),
    "cell": lambda lib, rnn: lib.nn.LSTM(2, 2)(lib.ones(3, 1, 2), (lib.ones(1, 1, 2),) * 1 + (
        lib.ones(1, 1, 3),)),
    "cell of rows": lambda lib, rnn: lib.nn.LSTM(2, 2)(
        lib.ones(3, 1, 2), (lib.ones(1, 2), lib.ones(1, 2))),
    "step": lambda lib, rnn: lib.nn.LSTMCell(2, 2)(lib.ones(1, 1, 2)),
    "state of a step": lambda lib, rnn: lib.nn.GRUCell(2, 2)(lib.ones(1, 2), lib.ones(1, 1, 2)),
    "nonlinearity of a step": lambda lib, rnn: lib.nn.RNNCell(2, 2, True, "sin")(lib.ones(1, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_raises_pytorchs_error(name: str) -> None:
    said = []
    for lib in gpugrad, pytorch():
        with pytest.raises(Exception) as caught:  # noqa: PT011  its class is compared
            WRONG[name](lib, lib.nn.utils.rnn)
        said.append((type(caught.value), renamed(str(caught.value))))
    assert said[0] == said[1]


def test_dropout_after_the_only_layer_is_warned_of() -> None:
    for lib in gpugrad, pytorch():
        with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
            lib.nn.LSTM(2, 2, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gpugrad.nn.LSTM(2, 2, 2, dropout=0.5)


@pytest.mark.cuda
def test_all_of_a_packed_sequence_is_pinned() -> None:
    rnn = gpugrad.nn.utils.rnn
    packed = rnn.pack_sequence([gpugrad.ones(2, 3), gpugrad.zeros(4, 3)], enforce_sorted=False)
    pinned = packed.pin_memory()
    assert pinned.is_pinned()
    assert all(t.is_pinned() for t in pinned)
    for given, found in zip(packed, pinned, strict=True):
        assert given is not None
        assert found is not None
        assert gpugrad.equal(given, found)
