"""Affine and bilinear layers."""

from layers.layer import layer

LAYERS = [
    layer("Identity", lambda nn: nn.Identity(54, unused=True), (2, 3)),
    layer("Linear", lambda nn: nn.Linear(3, 4), (2, 3)),
    layer("Linear, no bias", lambda nn: nn.Linear(3, 4, bias=False), (5, 2, 3)),
    layer("Linear, vector", lambda nn: nn.Linear(3, 4), (3,)),
    layer("Linear, no rows", lambda nn: nn.Linear(3, 4), (0, 3)),
    layer("Bilinear", lambda nn: nn.Bilinear(3, 2, 4), (5, 3), (5, 2)),
    layer("Bilinear, no bias", lambda nn: nn.Bilinear(3, 2, 4, bias=False), (6, 5, 3), (6, 5, 2)),
    layer("Bilinear, vectors", lambda nn: nn.Bilinear(3, 2, 4), (3,), (2,)),
]
