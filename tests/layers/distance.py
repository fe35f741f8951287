"""Distances as layers."""

from layers.layer import layer

LAYERS = [
    layer("PairwiseDistance", lambda nn: nn.PairwiseDistance(), (3, 4), (3, 4)),
    layer("PairwiseDistance, order", lambda nn: nn.PairwiseDistance(1, 0.1, True), (3, 4), (4,)),
    layer("CosineSimilarity", lambda nn: nn.CosineSimilarity(), (3, 4), (3, 4)),
    layer("CosineSimilarity, dim", lambda nn: nn.CosineSimilarity(dim=0, eps=1.0), (3, 4), (3, 1)),
]
