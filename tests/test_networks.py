"""Calls of networks and optimizers that end early, or barely do not: PyTorch's words for each."""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any

import numpy as np
from snippets import ours

import choice
import gpugrad
from comparison import pytorch

# o are ones of a shape, and i integers.
CALLS = """
F.avg_pool3d(o(1, 1, 3, 2, 2), 3, padding=1)
F.avg_pool3d(o(1, 1, 3, 2, 2), 3, ceil_mode=True)
F.avg_pool3d(o(1, 3, 2, 2), 50)
F.lp_pool3d(o(1, 1, 3, 2, 2), 2, 3, ceil_mode=True)
F.adaptive_avg_pool1d(o(1, 1, 3), (None,))
F.adaptive_avg_pool1d(o(1, 1, 3), None)
F.adaptive_avg_pool1d(o(1, 1, 4), -1)
F.adaptive_avg_pool1d(o(1, 1, 0), 1)
F.adaptive_max_pool1d(o(1, 1, 3), [None], return_indices=True)
F.adaptive_max_pool1d(o(1, 1, 4), np.int64(2))
F.adaptive_avg_pool2d(o(1, 1, 4, 4), (2.0, 2))
F.adaptive_avg_pool2d(o(3, 0), 2)
F.adaptive_avg_pool2d(o(1, 1, 0, 2), 1)
F.adaptive_avg_pool3d(o(3), 2)
F.adaptive_avg_pool3d(o(3, 0), 2)
F.adaptive_avg_pool3d(o(2, 2), -1)
F.fractional_max_pool2d(o(1, 1, 4, 4), 2, output_ratio=0.5)
F.fractional_max_pool2d(o(1, 1, 4, 4), 2, output_ratio=(0.5, 0.5, 0.5))
F.fractional_max_pool3d(o(1, 1, 4, 4, 4), 2, output_ratio=0.5)
nn.FractionalMaxPool2d(2, output_ratio=0.5)(o(1, 1, 4, 4))
F.relu(o(2), inplace=1)
F.hardtanh(o(2), inplace=None)
F.dropout(o(2), 0.0, inplace="yes")
F.conv_transpose2d(o(0, 2, 9, 2), o(2, 1, 2, 1), None, [2, 1], (0, 1), [1, 0], 1, [1, 3])
F.conv_transpose2d(o(0, 2, 9, 2), o(2, 1, 2, 1), None, [2, 1], (0, 2), [1, 0], 1, [1, 3])
F.conv_transpose1d(o(0, 2, 4), o(2, 3, 1), padding=3)
F.conv_transpose1d(o(1, 2, 4), o(2, 3, 1), padding=2)
F.conv1d(o(1, 1, 4), o(1, 1, 2), dilation=0)
F.conv2d(o(1, 1, 4, 4), o(1, 1, 2, 2), dilation=-1)
F.conv_transpose1d(o(1, 1, 4), o(1, 1, 2), dilation=0)
F.conv_transpose3d(o(1, 1, 4, 4, 4), o(1, 1, 2, 2, 2), dilation=0)
nn.ConvTranspose2d(1, 1, 2)(o(1, 1, 4, 4).double())
nn.ConvTranspose1d(1, 1, 2)(o(1, 1, 4).long())
F.conv2d(o(1, 1, 4, 4), o(1, 1, 3, 2), padding="same")
F.conv1d(o(1, 1, 4), o(1, 1, 2), padding="same")
F.conv2d(o(1, 1, 4, 4), o(1, 1, 2, 3), padding="same", dilation=2)
F.interpolate(o(1, 1, 2), size=0)
F.interpolate(o(1, 1, 2, 2), size=0, mode="bicubic")
F.interpolate(o(1, 1, 2, 2, 2), size=0)
F.pad(o(1, 1, 2, 2), [1, 1], mode="foo")
F.pad(o(1, 1, 2, 2), [1, 1, 1], mode="foo", value=2.0)
F.pad(o(1, 1, 2, 2), [1, 1], mode="reflect")
F.max_unpool2d(o(1, 1, 2, 2), i(1, 1, 2, 2), 2, output_size=[10, 10])
F.max_unpool2d(o(1, 1, 2, 2), i(1, 1, 2, 2), 2, output_size=torch.Size((1, 1, 9, 9)))
F.embedding(torch.tensor([True]), o(2, 2))
F.embedding(torch.tensor([1j]), o(2, 2))
F.poisson_nll_loss(o(2), o(2), reduction=None)
F.gaussian_nll_loss(o(2), o(2), o(2), reduction=None)
F.gaussian_nll_loss(o(2), o(2), o(2), reduction="foo")
F.multilabel_soft_margin_loss(o(2, 2), o(2, 2), reduction=3)
nn.LSTM(3, 4)(o(2, 1, 3), o(1, 2, 4))
nn.LSTM(3, 4)(o(2, 3), (o(1, 4),))
nn.LSTM(3, 4)(o(2, 3), o(2, 1, 4))[0]
nn.LSTMCell(3, 4)(o(2, 3), o(2, 2, 4))
nn.LSTMCell(3, 4)(o(2, 3), o(2, 4))
nn.LSTMCell(3, 4)(o(2, 3), [o(2, 4), o(2, 4)])[0]
nn.LSTMCell(3, 4)(o(3), o(2, 4))[0]
rnn.pad_sequence([o(3, 2), o(5, 3)])
rnn.pad_sequence([o(3, 1), o(5, 2)])
rnn.pad_sequence([o(3, 2), o(5, 2, 2)])
rnn.pad_sequence([o(3, 2), o(5, 1)], batch_first=True)
rnn.pad_sequence([o(3, 2), o(3, 1)]).sum().item()
rnn.pad_sequence([o(3, 2), torch.tensor(1.0)])
list(optim.lr_scheduler.LambdaLR(optim.SGD([o(2)]), lambda epoch: 0.5).state_dict())
list(optim.lr_scheduler.MultiplicativeLR(optim.SGD([o(2)]), lambda epoch: 0.5).state_dict())
nn.Transformer(8, 2, 1, 1, 8).encoder.use_nested_tensor
nn.Transformer(8, 1, 1, 1, 8, batch_first=True).encoder.use_nested_tensor
nn.Transformer(8, 2, 1, 1, 8, batch_first=True).encoder.use_nested_tensor
encoder(norm_first=True, batch_first=True).use_nested_tensor
encoder(activation=torch.tanh, batch_first=True).use_nested_tensor
encoder(activation=nn.GELU(), batch_first=True).use_nested_tensor
encoder(bias=False, batch_first=True).use_nested_tensor
nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8), 1, None, False).use_nested_tensor
nn.TransformerEncoder(nn.Linear(8, 2), 1).use_nested_tensor
stepped(optim.SGD([o(2)]), 3)
capturable(optim.Adam)
capturable(optim.Adam, foreach=True)
capturable(optim.Adamax, foreach=True)
capturable(optim.RMSprop, foreach=True)
capturable(optim.Rprop, foreach=True)
""".strip().splitlines()


def _ending(library: Any, call: str) -> tuple[Any, list[str]]:
    """Return what a call comes to, the shape of a tensor, and what it warns of."""
    names = {
        "torch": library, "nn": library.nn, "F": library.nn.functional, "np": np,
        "optim": library.optim, "rnn": library.nn.utils.rnn, "o": lambda *n: library.ones(n),
        "i": lambda *n: library.ones(n, dtype=library.int64), "stepped": _stepped,
        "capturable": functools.partial(_capturable, library),
        "encoder": functools.partial(_encoder, library.nn),
    }  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = eval(call, names)
        except Exception as error:
            found = type(error), ours(_here(str(error)))
    told = [str(w.message).split(" (Triggered internally")[0] for w in caught]
    return (list(found.shape) if isinstance(found, library.Tensor) else found), told


def _stepped(optimizer: Any, found: Any) -> None:
    """Make a step before which a hook returns something."""
    optimizer.register_step_pre_hook(lambda *_: found)
    optimizer.step()


def _capturable(library: Any, kind: Any, **options: Any) -> None:
    """Make a step on the CPU that is to be captured by a GPU."""
    p = library.nn.Parameter(library.ones(2))
    p.grad = library.ones(2)
    kind([p], lr=0.1, capturable=True, **options).step()


def _encoder(nn: Any, **options: Any) -> Any:
    """Return an encoder of one layer with some options."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, **options), 1)


def _here(text: str) -> str:
    """Return a text without the places of what it names."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


@choice.each("call", CALLS)
def test_a_call_ends_as_in_pytorch(call: str) -> None:
    torch = pytorch()
    torch.set_warn_always(True)  # some it gives once in a process
    try:
        assert _ending(gpugrad, call) == _ending(torch, call)
    finally:
        torch.set_warn_always(False)
