"""Layers of pools."""

from typing import Any

import numpy as np

from layers.layer import layer

_SHAPES = {1: (2, 3, 7), 2: (2, 3, 7, 6), 3: (1, 2, 5, 6, 4)}


def _of(name: str, n: int, *args: Any, label: str = "", **options: Any) -> Any:
    return layer(f"{name}{n}d{label}", lambda nn: getattr(nn, f"{name}{n}d")(*args, **options),
                 _SHAPES[n])  # fmt: skip


def _unpool(n: int) -> Any:
    shape = (2, 3, *(2, 3, 2)[:n])
    count = int(np.prod(shape[2:]))
    places = np.arange(6 * count).reshape(shape) * 2 % (count * 2**n)
    return layer(f"MaxUnpool{n}d", lambda nn: getattr(nn, f"MaxUnpool{n}d")(2), shape, places)


def _fractional(n: int) -> Any:
    """Give a layer the numbers that it would draw, as floats of its input's type."""

    def call(layer: Any, x: Any, numbers: Any) -> Any:
        layer._random_samples = numbers.detach()
        found = layer(x)
        layer._random_samples = None
        return found

    name = f"FractionalMaxPool{n}d"
    shape = _SHAPES[n]
    numbers = np.random.default_rng(n).uniform(0.1, 0.9, (shape[0], shape[1], n))
    return layer(name, lambda nn: getattr(nn, name)(2, output_size=2), shape, numbers, call=call)


LAYERS = [
    *(_of("MaxPool", n, 2) for n in (1, 2, 3)),
    _of("MaxPool", 2, (3, 2), (2, 1), (1, 0), (1, 2), label=", all", ceil_mode=True),
    _of("MaxPool", 2, 2, label=", with places", return_indices=True),
    *map(_unpool, (1, 2, 3)),
    *(_of("AvgPool", n, 2) for n in (1, 2, 3)),
    _of("AvgPool", 1, 3, 2, 1, True, False, label=", all"),
    _of("AvgPool", 2, 3, 2, 1, True, False, label=", all"),
    _of("AvgPool", 3, 2, divisor_override=5, label=", divided"),
    *(_of("LPPool", n, 2, 3, stride=2) for n in (1, 2, 3)),
    *(_of("AdaptiveMaxPool", n, 3) for n in (1, 2, 3)),
    _of("AdaptiveMaxPool", 2, (None, 2), label=", with places", return_indices=True),
    *(_of("AdaptiveAvgPool", n, 3) for n in (1, 2, 3)),
    _of("AdaptiveAvgPool", 2, (None, 4), label=", one whole"),
    *map(_fractional, (2, 3)),
]
