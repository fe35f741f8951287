"""Averages of the parameters of a model over its training, under ``torch.optim.swa_utils``'s names.

>>> import gpugrad
>>> model = gpugrad.nn.Linear(1, 1, bias=False)
>>> averaged = AveragedModel(model)
>>> for value in 1.0, 2.0, 6.0:
...     _ = gpugrad.nn.init.constant_(model.weight, value)
...     averaged.update_parameters(model)
>>> averaged.module.weight.item()
3.0
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Literal

from gpugrad import _dtype
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.formulas import Formula, variable
from gpugrad.nn.modules.batchnorm import _BatchNorm
from gpugrad.nn.modules.module import Module
from gpugrad.ops.creation import tensor
from gpugrad.ops.updating import Update
from gpugrad.optim.cycles import check_strategy
from gpugrad.optim.optimizer import Optimizer
from gpugrad.optim.scheduler import LRScheduler, Rates, for_groups

Average = Callable[[Any, Any, Any], Any]

_average, _new, _weight = variable("average"), variable("value"), variable("weight")
_TOWARDS = Update(
    Formula("lerp", [_average, _new, _weight], [_average + _weight * (_new - _average)]), (0,)
)


@no_grad()
def _towards(averages: list[Any], new: list[Any], weight: float) -> None:
    """Move all averages by a part of the way to new values, which take one kernel on a GPU."""
    if averages[0].is_floating_point() or averages[0].is_complex():
        _TOWARDS([averages, new], [weight])
        return
    for average, value in zip(averages, new, strict=True):
        average.copy_(average * (1 - weight) + value * weight)


def _check_decay(decay: float) -> None:
    if decay < 0 or decay > 1:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_multi_avg_fn(decay: float = 0.999) -> Average:
    """Return what moves averages to new values, of which ``1 - decay`` counts: lists of tensors.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """
    _check_decay(decay)

    def ema_update(ema_param_list: Any, current_param_list: Any, _: Any) -> None:
        _towards(ema_param_list, current_param_list, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn() -> Average:
    """Return what moves means to those with one more value: lists of tensors."""

    def swa_update(averaged_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        _towards(averaged_param_list, current_param_list, 1 / (int(num_averaged) + 1))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return a function of an average and a new value, of which ``1 - decay`` counts.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """Return a function of a mean, a new value, and the number of those that there were."""

    @no_grad()
    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model, whose parameters are averages of that model's.

    Args:
        model: The model that is trained.
        device: Where the averages are; by default where the parameters are.
        avg_fn: A function of an average, a new value and their number; by default they are means.
        multi_avg_fn: One that writes lists of averages, in its place.
        use_buffers: Whether buffers are averaged, too, and not only copied.

    Raises:
        AssertionError: Both functions are given.

    Source: Izmailov et al. 2018, arXiv:1803.05407.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Average | None = None,
        use_buffers: bool = False,
    ):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=_dtype.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the model with the averages returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of the model into the averages."""
        own, new = _averaged(self.module, self.use_buffers), _averaged(model, self.use_buffers)
        pairs = [(a.detach(), v.detach().to(a.device)) for a, v in zip(own, new, strict=True)]
        if self.n_averaged == 0:
            for average, value in pairs:
                average.copy_(value)
        elif self.avg_fn is not None:
            for average, value in pairs:
                average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
        else:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            groups: dict[Any, tuple[list[Any], list[Any]]] = {}
            for average, value in pairs:
                some = groups.setdefault((average.device, average.dtype), ([], []))
                some[0].append(average)
                some[1].append(value)
            for (device, _), (averages, values) in groups.items():
                update(averages, values, self.n_averaged.to(device))
        if not self.use_buffers:
            for kept, value in zip(self.module.buffers(), model.buffers(), strict=True):
                kept.detach().copy_(value.detach().to(kept.device))
        self.n_averaged += 1


def _averaged(model: Module, buffers: bool) -> Iterable[Any]:
    return itertools.chain(model.parameters(), model.buffers() if buffers else ())


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the statistics of all batch normalisations anew, by one pass over the data.

    Args:
        loader: Gives batches: tensors, or lists whose first is the input.
        model: It is trained without gradients, and then as it was.
        device: Where inputs are moved to.
    """
    norms: list[Any] = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return
    momenta = [m.momentum for m in norms]
    training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # statistics become means of all batches
    for batch in loader:
        data = batch[0] if isinstance(batch, list | tuple) else batch
        model(data if device is None else data.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """Rates that go to ``swa_lr`` in some epochs, and stay there.

    Args:
        optimizer: Whose rates change.
        swa_lr: The last rate, of all groups or each.
        anneal_epochs: In how many epochs it is reached.
        anneal_strategy: "cos" or "linear".
        last_epoch: The number of steps that were made before: -1 to begin.

    Raises:
        ValueError: A strategy is unknown, or a number of epochs negative.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ):
        rates = for_groups("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        check_strategy(anneal_strategy)
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """Return how far the way is at a part of the epochs."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> Rates:
        """Return the rates that this step is to set."""
        self._warn_outside()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (
            self.anneal_func(max(0, min(1, k / max(1, self.anneal_epochs))))
            for k in (step - 1, step)
        )
        rates = []
        for group in self.optimizer.param_groups:
            last = group["swa_lr"]
            first = last if before == 1 else (group["lr"] - before * last) / (1 - before)
            rates.append(last * now + first * (1 - now))
        return rates
