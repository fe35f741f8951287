"""Calls of networks and optimizers that end early, or barely do not: PyTorch's words for each."""

from __future__ import annotations

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
""".strip().splitlines()


def _ending(library: Any, call: str) -> tuple[Any, list[str]]:
    """Return what a call comes to, the shape of a tensor, and what it warns of."""
    names = {
        "torch": library, "nn": library.nn, "F": library.nn.functional, "np": np,
        "optim": library.optim, "rnn": library.nn.utils.rnn, "o": lambda *n: library.ones(n),
        "i": lambda *n: library.ones(n, dtype=library.int64),
    }  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = eval(call, names)
        except Exception as error:
            found = type(error), ours(_here(str(error)))
    told = [str(w.message).split(" (Triggered internally")[0] for w in caught]
    return (list(found.shape) if isinstance(found, library.Tensor) else found), told


def _here(text: str) -> str:
    """Return a text without the places of what it names."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


@choice.each("call", CALLS)
def test_a_call_ends_as_in_pytorch(call: str) -> None:
    assert _ending(gpugrad, call) == _ending(pytorch(), call)
