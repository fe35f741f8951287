"""What computes operations of networks over NumPy's arrays in one go, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad.backend import alignment, convolution, recurrent
from gpugrad.backend.attention import attention, attention_gradient
from gpugrad.backend.classes import cross_entropy, cross_entropy_gradient, nll, nll_gradient
from gpugrad.backend.normalization import normalize, normalize_gradient

FUSED: dict[str, Callable[..., Any]] = {
    "attention": attention,
    "convolve": convolution.convolve,
    "convolve_transposed": convolution.transposed,
    "convolve_weigh": convolution.weigh,
    "attention_gradient": attention_gradient,
    "ctc": alignment.ctc,
    "ctc_gradient": alignment.ctc_gradient,
    "cross_entropy": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
    "nll": nll,
    "nll_gradient": nll_gradient,
    "normalize": normalize,
    "normalize_gradient": normalize_gradient,
    "lstm": recurrent.lstm,
    "lstm_gradient": recurrent.lstm_gradient,
    "gru": recurrent.gru,
    "gru_gradient": recurrent.gru_gradient,
    "rnn": recurrent.rnn,
    "rnn_gradient": recurrent.rnn_gradient,
}
