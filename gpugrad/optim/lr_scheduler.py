"""Schedules of learning rates, under ``torch.optim.lr_scheduler``'s names."""

from gpugrad.optim.composed import ChainedScheduler as ChainedScheduler
from gpugrad.optim.composed import SequentialLR as SequentialLR
from gpugrad.optim.cycles import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from gpugrad.optim.cycles import CyclicLR as CyclicLR
from gpugrad.optim.cycles import OneCycleLR as OneCycleLR
from gpugrad.optim.decays import ConstantLR as ConstantLR
from gpugrad.optim.decays import CosineAnnealingLR as CosineAnnealingLR
from gpugrad.optim.decays import ExponentialLR as ExponentialLR
from gpugrad.optim.decays import LambdaLR as LambdaLR
from gpugrad.optim.decays import LinearLR as LinearLR
from gpugrad.optim.decays import MultiplicativeLR as MultiplicativeLR
from gpugrad.optim.decays import MultiStepLR as MultiStepLR
from gpugrad.optim.decays import PolynomialLR as PolynomialLR
from gpugrad.optim.decays import StepLR as StepLR
from gpugrad.optim.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from gpugrad.optim.scheduler import LRScheduler as LRScheduler

_LRScheduler = LRScheduler  # its older name

for _class in (
    LRScheduler, LambdaLR, MultiplicativeLR, StepLR, MultiStepLR, ConstantLR, LinearLR,
    ExponentialLR, PolynomialLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR,
    OneCycleLR, SequentialLR, ChainedScheduler, ReduceLROnPlateau,
):  # fmt: skip
    _class.__module__ = __name__  # where users find them, and pickles
