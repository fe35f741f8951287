"""Modules of modules."""

from collections import OrderedDict
from typing import Any

from layers.layer import layer


def _calls_each(modules: Any, x: Any) -> Any:
    for module in modules:
        x = module(x)
    return x


LAYERS = [
    layer("Sequential", lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), (2, 3)),
    layer(
        "Sequential, names",
        lambda nn: nn.Sequential(OrderedDict(first=nn.Linear(3, 3), last=nn.Flatten())),
        (2, 4, 3),
    ),
    layer("Sequential, empty", lambda nn: nn.Sequential(), (2, 3)),
    layer("Sequential, one twice", lambda nn: nn.Sequential(*[nn.Linear(3, 3)] * 2), (2, 3)),
    layer("ModuleList", lambda nn: nn.ModuleList([nn.Linear(3, 3) for _ in range(3)]), (2, 3),
          call=_calls_each),
    layer("ModuleDict", lambda nn: nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Flatten()}), (2, 3),
          call=lambda modules, x: modules["b"](modules["a"](x))),
    layer("Flatten", lambda nn: nn.Flatten(), (2, 3, 4)),
    layer("Flatten, some", lambda nn: nn.Flatten(0, 1), (2, 3, 4)),
    layer("Unflatten", lambda nn: nn.Unflatten(1, (2, 3)), (2, 6)),
]  # fmt: skip
