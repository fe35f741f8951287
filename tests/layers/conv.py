"""Layers of convolutions."""

from functools import partial
from typing import Any

from layers.layer import layer

# The numbers of single precision are added in another order.
_COARSE: dict[str, Any] = {"single": 1e-5}


def _around(mode: str, nn: Any) -> Any:
    return nn.Conv2d(2, 3, (3, 2), padding=(1, 2), padding_mode=mode)


def _lazy(name: str, *args: Any, **options: Any) -> Any:
    """Make a layer that has met its input, as one that is not lazy has its parameters."""

    def make(nn: Any) -> Any:
        lazy = getattr(nn, f"Lazy{name}")(*args, **options)
        ndim = int(name[-2])
        shape = (1, 4, *(6,) * ndim)
        lazy(nn.Parameter(nn.Linear(1, 1).weight.detach().new_ones(shape)))
        return lazy

    return make


LAYERS = [
    layer("Conv1d", lambda nn: nn.Conv1d(3, 4, 3), (2, 3, 7), **_COARSE),
    layer("Conv1d, same", lambda nn: nn.Conv1d(3, 4, 4, padding="same", dilation=2), (3, 7),
          **_COARSE),
    layer("Conv2d", lambda nn: nn.Conv2d(3, 4, (3, 2)), (2, 3, 7, 6), **_COARSE),
    layer("Conv2d, all", lambda nn: nn.Conv2d(4, 6, 3, 2, (1, 2), (1, 2), 2, False),
          (2, 4, 7, 8), **_COARSE),
    *(layer(f"Conv2d, {mode}",
            partial(_around, mode),
            (2, 2, 5, 6), **_COARSE)
      for mode in ("reflect", "replicate", "circular")),
    layer("Conv2d, same and reflected",
          lambda nn: nn.Conv2d(2, 3, (3, 4), padding="same", padding_mode="reflect"),
          (2, 2, 5, 6), **_COARSE),
    layer("Conv2d, every channel alone", lambda nn: nn.Conv2d(4, 4, 3, groups=4), (2, 4, 5, 5),
          **_COARSE),
    layer("Conv2d, one element", lambda nn: nn.Conv2d(4, 5, 1), (2, 4, 5, 5), **_COARSE),
    layer("Conv3d", lambda nn: nn.Conv3d(2, 3, 2, stride=2, padding=1), (2, 2, 4, 5, 3), **_COARSE),
    layer("ConvTranspose1d", lambda nn: nn.ConvTranspose1d(3, 4, 3, 2), (2, 3, 5), **_COARSE),
    layer("ConvTranspose2d, all", lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, True, 2),
          (2, 4, 4, 5), **_COARSE),
    layer("ConvTranspose2d, of a size", lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, 1, bias=False),
          (2, 4, 4, 5), call=lambda layer, x: layer(x, output_size=(8, 9)), **_COARSE),
    layer("ConvTranspose3d", lambda nn: nn.ConvTranspose3d(2, 3, 2, 2), (2, 2, 2, 3, 2), **_COARSE),
    *(layer(f"Lazy{name}", _lazy(name, 3, 2, 2, bias=bias), (2, 4, *(6,) * n), **_COARSE)
      for n, bias in ((1, True), (2, False), (3, True))
      for name in (f"Conv{n}d", f"ConvTranspose{n}d")),
]  # fmt: skip
