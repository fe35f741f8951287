"""Attention and transformers."""

from typing import Any

import numpy as np

from layers.layer import layer

HIDDEN = np.array([[False, False, False, True, True], [False] * 5])
ABOVE = np.triu(np.ones((5, 5), bool), 1)
SOME = np.random.default_rng(0).random((4, 5, 5)) > 0.8
SOME[..., 0] = False


def _heads(*args: Any, **options: Any) -> Any:
    return lambda nn: nn.MultiheadAttention(*args, **options)


def _masked(*names: str, **options: Any) -> Any:
    """Return a call of attention of a sequence to itself, whose other inputs are masks."""
    return lambda layer, x, *masks: layer(
        x, x, x, **dict(zip(names, masks, strict=True)), **options
    )


def _given(*names: str) -> Any:
    return lambda layer, x, *masks: layer(x, **dict(zip(names, masks, strict=True)))


def _decoded(*names: str) -> Any:
    return lambda layer, x, y, *masks: layer(x, y, **dict(zip(names, masks, strict=True)))


def _encoder(nn: Any, **options: Any) -> Any:
    made = nn.TransformerEncoderLayer(4, 2, 6, 0.0, **options)
    return nn.TransformerEncoder(made, 2, nn.LayerNorm(4), enable_nested_tensor=False)


LAYERS = [
    layer("MultiheadAttention", _heads(4, 2), (5, 2, 4), (3, 2, 4), (3, 2, 4)),
    layer("MultiheadAttention, itself", _heads(4, 2, bias=False, batch_first=True), (2, 5, 4),
          call=_masked()),
    layer("MultiheadAttention, one memory", _heads(4, 2), (5, 2, 4), (3, 2, 4),
          call=lambda layer, x, y: layer(x, y, y, average_attn_weights=False)),
    layer("MultiheadAttention, no weights", _heads(4, 2), (5, 2, 4),
          call=_masked(need_weights=False)),
    layer("MultiheadAttention, one sequence", _heads(4, 1), (5, 4), (3, 4), (3, 4)),
    layer("MultiheadAttention, other features", _heads(4, 2, kdim=3, vdim=6), (5, 2, 4), (3, 2, 3),
          (3, 2, 6)),
    layer("MultiheadAttention, added", _heads(4, 2, add_bias_kv=True, add_zero_attn=True),
          (5, 2, 4), HIDDEN, ABOVE, call=_masked("key_padding_mask", "attn_mask")),
    layer("MultiheadAttention, padded", _heads(4, 2), (5, 2, 4), HIDDEN,
          call=_masked("key_padding_mask", need_weights=False)),
    layer("MultiheadAttention, masks", _heads(4, 2, dropout=0.5), (5, 2, 4), SOME,
          call=_masked("attn_mask"), training=False, single=2e-6),
    layer("MultiheadAttention, causal", _heads(4, 2), (5, 2, 4), ABOVE,
          call=_masked("attn_mask", need_weights=False, is_causal=True)),
    layer("TransformerEncoderLayer", lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0),
          (5, 2, 4), single=1e-5),
    layer("TransformerEncoderLayer, gelu first",
          lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu", 1e-3, True, True, False),
          (2, 5, 4), single=1e-5),
    layer("TransformerEncoderLayer, a function",
          lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.1, activation=abs), (5, 4),
          training=False, single=1e-5),
    layer("TransformerEncoderLayer, masks", lambda nn: nn.TransformerEncoderLayer(4, 2, 6, 0.0),
          (5, 2, 4), ABOVE, HIDDEN, call=_given("src_mask", "src_key_padding_mask"), single=1e-5),
    layer("TransformerDecoderLayer", lambda nn: nn.TransformerDecoderLayer(4, 2, 6, 0.0),
          (5, 2, 4), (3, 2, 4), ABOVE, call=_decoded("tgt_mask"), single=1e-5),
    layer("TransformerDecoderLayer, first",
          lambda nn: nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True, norm_first=True),
          (2, 5, 4), (2, 5, 4), HIDDEN, HIDDEN,
          call=_decoded("tgt_key_padding_mask", "memory_key_padding_mask"), single=1e-5),
    layer("TransformerEncoder", _encoder, (5, 2, 4), HIDDEN,
          call=_given("src_key_padding_mask"), single=1e-5),
    layer("TransformerEncoder, causal", _encoder, (5, 2, 4),
          np.where(ABOVE, -np.inf, 0.0), call=_given("mask"), single=1e-5, grads=False),
    layer("TransformerDecoder",
          lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, 0.0), 2),
          (5, 2, 4), (3, 2, 4), single=1e-5),
    layer("Transformer", lambda nn: nn.Transformer(4, 2, 1, 2, 6, 0.0, batch_first=True),
          (2, 3, 4), (2, 5, 4),
          single=1e-5),
    layer("AdaptiveLogSoftmaxWithLoss",
          lambda nn: nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], 2.0), (5, 8),
          np.array([0, 11, 4, 2, 5])),
    layer("AdaptiveLogSoftmaxWithLoss, all",
          lambda nn: nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], 2.0, True), (5, 8),
          call=lambda layer, x: (layer.log_prob(x), layer.predict(x))),
    layer("AdaptiveLogSoftmaxWithLoss, one",
          lambda nn: nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], 2.0), (8,), np.array(7)),
]  # fmt: skip
