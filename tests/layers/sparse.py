"""Layers that look up rows of a table."""

import numpy as np

from layers.layer import layer

ROWS, FLAT = np.array([[1, 0, 4], [1, 3, 3]]), np.array([1, 0, 4, 1, 3, 3])
OFFSETS = np.array([0, 2, 2])

LAYERS = [
    layer("Embedding", lambda nn: nn.Embedding(5, 3), ROWS),
    layer("Embedding, padding", lambda nn: nn.Embedding(5, 3, padding_idx=-2), ROWS),
    layer("Embedding, norm", lambda nn: nn.Embedding(5, 3, max_norm=1.0, norm_type=1.0), ROWS),
    layer("Embedding, frequency", lambda nn: nn.Embedding(5, 3, scale_grad_by_freq=True), ROWS),
    layer("EmbeddingBag", lambda nn: nn.EmbeddingBag(5, 3), ROWS),
    layer("EmbeddingBag, sum", lambda nn: nn.EmbeddingBag(5, 3, mode="sum"), FLAT, OFFSETS),
    layer("EmbeddingBag, max", lambda nn: nn.EmbeddingBag(5, 3, mode="max", padding_idx=1), FLAT,
          OFFSETS),
    layer("EmbeddingBag, norm", lambda nn: nn.EmbeddingBag(5, 3, max_norm=1.0, norm_type=3.0),
          FLAT, OFFSETS),
    layer("EmbeddingBag, weights", lambda nn: nn.EmbeddingBag(5, 3, mode="sum"), ROWS, (2, 3),
          call=lambda bag, rows, weights: bag(rows, per_sample_weights=weights)),
    layer("EmbeddingBag, last offset",
          lambda nn: nn.EmbeddingBag(5, 3, include_last_offset=True), FLAT, np.array([0, 2, 6])),
]  # fmt: skip
