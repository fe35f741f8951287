"""Optimizers, under ``torch.optim``'s names."""

from gpugrad.optim.optimizer import Optimizer as Optimizer
from gpugrad.optim.sgd import SGD as SGD
