"""Optimizers, under ``torch.optim``'s names."""

import typing as _typing
from importlib import import_module as _import_module

from gpugrad.optim import lr_scheduler as lr_scheduler
from gpugrad.optim.adadelta import Adadelta as Adadelta
from gpugrad.optim.adafactor import Adafactor as Adafactor
from gpugrad.optim.adagrad import Adagrad as Adagrad
from gpugrad.optim.adam import Adam as Adam
from gpugrad.optim.adam import AdamW as AdamW
from gpugrad.optim.adamax import Adamax as Adamax
from gpugrad.optim.asgd import ASGD as ASGD
from gpugrad.optim.lbfgs import LBFGS as LBFGS
from gpugrad.optim.muon import Muon as Muon
from gpugrad.optim.nadam import NAdam as NAdam
from gpugrad.optim.optimizer import Optimizer as Optimizer
from gpugrad.optim.radam import RAdam as RAdam
from gpugrad.optim.rmsprop import RMSprop as RMSprop
from gpugrad.optim.rprop import Rprop as Rprop
from gpugrad.optim.sgd import SGD as SGD
from gpugrad.optim.sparse_adam import SparseAdam as SparseAdam

if _typing.TYPE_CHECKING:
    from gpugrad.optim import swa_utils as swa_utils


def __getattr__(name: str) -> _typing.Any:
    if name != "swa_utils":  # which imports the networks
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _import_module("gpugrad.optim.swa_utils")
