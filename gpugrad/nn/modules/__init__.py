"""The classes of layers, in files by what they are about; all of them have their names here, too.

>>> from gpugrad.nn.modules import Linear
>>> Linear(2, 3)
Linear(in_features=2, out_features=3, bias=True)
"""

from __future__ import annotations

from typing import Any

from gpugrad.nn.modules import utils as utils


def __getattr__(name: str) -> Any:
    from gpugrad import nn

    found = vars(nn).get(name)
    if isinstance(found, type) and issubclass(found, nn.Module):
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
