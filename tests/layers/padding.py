"""Layers that add elements around their input."""

from typing import Any

from layers.layer import layer

_SHAPES = {1: (2, 3, 4), 2: (2, 3, 4, 5), 3: (1, 2, 3, 4, 3)}


def _of(name: str, n: int, *args: Any) -> Any:
    return layer(f"{name}{n}d {args}", lambda nn: getattr(nn, f"{name}{n}d")(*args), _SHAPES[n])


LAYERS = [
    *(_of(f"{mode}Pad", n, 2) for mode in ("Circular", "Reflection", "Replication", "Zero")
      for n in (1, 2, 3)),
    *(_of("ConstantPad", n, 1, 3.5) for n in (1, 2, 3)),
    _of("ReflectionPad", 2, (1, 0, 2, 3)),
    _of("ReplicationPad", 1, (3, -1)),
    _of("ZeroPad", 2, (-1, 2, 0, 1)),
]  # fmt: skip
