"""The functions of networks, ``torch.nn.functional``'s, made from the table of declarations.

>>> import gpugrad
>>> linear(gpugrad.ones(2), gpugrad.tensor([[1.0, 2.0]]), gpugrad.tensor([0.5]))
tensor([3.5000])
"""

import pkgutil as _pkgutil
from importlib import import_module as _import_module

from gpugrad import _tensor  # noqa: F401  which fills the table
from gpugrad.op.forms import declared_in, functions
from gpugrad.ops import nn as _operations

for _module in _pkgutil.iter_modules(_operations.__path__, "gpugrad.ops.nn."):
    _import_module(_module.name)

__all__ = [*declared_in("nn.functional")]
__getattr__, __dir__ = functions("nn.functional", globals())
