"""Layers that resize, fold and shuffle images."""

from layers.layer import layer

_IMAGE = (2, 4, 6, 4)

LAYERS = [
    layer("Upsample", lambda nn: nn.Upsample(scale_factor=2), (2, 3, 4)),
    layer("Upsample, bilinear",
          lambda nn: nn.Upsample((5, 9), mode="bilinear", align_corners=True), _IMAGE, single=1e-5),
    layer("Upsample, factors", lambda nn: nn.Upsample(scale_factor=(1.5, 0.7), mode="bicubic"),
          _IMAGE, single=1e-5),
    layer("UpsamplingNearest2d", lambda nn: nn.UpsamplingNearest2d(5), _IMAGE),
    layer("UpsamplingBilinear2d", lambda nn: nn.UpsamplingBilinear2d(scale_factor=2), _IMAGE,
          single=1e-5),
    layer("Fold", lambda nn: nn.Fold((4, 5), (2, 3), 1, 1, 2), (2, 12, 9)),
    layer("Unfold", lambda nn: nn.Unfold((2, 3), dilation=2, padding=1, stride=2), _IMAGE),
    layer("PixelShuffle", lambda nn: nn.PixelShuffle(2), _IMAGE),
    layer("PixelUnshuffle", lambda nn: nn.PixelUnshuffle(2), _IMAGE),
    layer("ChannelShuffle", lambda nn: nn.ChannelShuffle(2), _IMAGE),
]  # fmt: skip
