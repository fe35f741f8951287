"""Dropout layers; what they drop is by chance, which ``tests/test_dropout.py`` is about."""

from layers.layer import layer

LAYERS = [
    *(layer(f"{name}, not trained", lambda nn, name=name: getattr(nn, name)(0.3),  # type: ignore[misc]
            (2, 3, 4, 2), training=False)
      for name in ("Dropout", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")),
    layer("Dropout1d, not trained", lambda nn: nn.Dropout1d(inplace=True), (2, 3, 4),
          training=False),
    layer("Dropout of nothing", lambda nn: nn.Dropout(0.0), (2, 3)),
    layer("Dropout of all", lambda nn: nn.Dropout(1), (2, 3)),
]  # fmt: skip
