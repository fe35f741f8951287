"""Schedules that rise and fall: cycles, one cycle, and annealing with restarts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from gpugrad import backend
from gpugrad.optim.optimizer import Optimizer
from gpugrad.optim.scheduler import (
    LRScheduler,
    Rates,
    check_optimizer,
    for_groups,
    put,
    restore,
    states_of,
)


class _Cycling(LRScheduler):
    """A schedule that also moves the momentum, or the first of Adam's ``betas``."""

    cycle_momentum: bool
    use_beta1: bool

    def _take_momenta(
        self, optimizer: Optimizer, base_momentum: Any, max_momentum: Any, last_epoch: int
    ) -> tuple[Rates, Rates]:
        """Note the least and the largest momentum of each group, which begins with the latter."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        least = for_groups("base_momentum", optimizer, base_momentum)
        most = for_groups("max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for low, high, group in zip(least, most, optimizer.param_groups, strict=True):
                self._put_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return least, most

    def _put_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_Cycling):
    """Rates that rise and fall between two bounds, and momenta that fall and rise.

    Args:
        optimizer: Whose rates change.
        base_lr: The least rate, of all groups or each.
        max_lr: The largest rate.
        step_size_up: How many steps it rises.
        step_size_down: How many it falls; as many if not given.
        mode: How cycles change: not at all ("triangular"), each half as high as the one before
            ("triangular2"), or by a power of ``gamma`` ("exp_range").
        gamma: The number whose powers these are.
        scale_fn: A function that scales cycles, in place of a ``mode``.
        scale_mode: Whether that is a function of the "cycle" or of the number of "iterations".
        cycle_momentum: Whether momenta move.
        base_momentum: The least momentum.
        max_momentum: The largest.
        last_epoch: The number of steps that were made before: -1 to begin.

    Raises:
        TypeError: ``optimizer`` is none.
        ValueError: The mode is unknown, the optimizer has no momentum, or an argument is a list
            whose length is not the number of groups.

    Source: Smith 2015, arXiv:1506.01186.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = for_groups("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                put(group, "lr", lr)
        self.max_lrs = for_groups("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode: str = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._take_momenta(
                optimizer, base_momentum, max_momentum, last_epoch
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Return what the height of a cycle is multiplied by."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / (2.0 ** (x - 1))
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> Rates:
        """Return the rates that this step is to set, and set the momenta."""
        self._warn_outside()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        rising = x <= self.step_ratio
        height = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momenta = zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            )
            for group, low, high in momenta:
                self._put_momentum(group, high - (high - low) * height * scale)
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in bounds]

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule knows; of a function, only an object's attributes."""
        custom = self._scale_fn_custom
        (stored,) = (None,) if custom is None else states_of([custom])
        return {**super().state_dict(), "_scale_fn_custom": stored}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if self._scale_fn_custom is not None:
            restore([self._scale_fn_custom], [state_dict["_scale_fn_custom"]])


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a period of a cosine from the first rate to ``eta_min``, again and again.

    Args:
        optimizer: Whose rates change.
        T_0: The epochs of the first period.
        T_mult: How much longer each is than the one before.
        eta_min: The least rate.
        last_epoch: The number of steps that were made before: -1 to begin.

    Raises:
        ValueError: An argument is out of range, or no integer.

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803  PyTorch's names
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ):
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, float | int):
            raise ValueError(
                f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """Return the rates that this step is to set."""
        self._warn_outside()
        factor = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * factor for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Set the next rates, or those of an epoch, which may be a part of one.

        Raises:
            ValueError: The epoch is negative.
        """
        backend.interrupt("a scheduler's step")
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        elif epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            period = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            start = self.T_0 * (self.T_mult**period - 1) / (self.T_mult - 1)
            self.T_cur, self.T_i = epoch - start, self.T_0 * self.T_mult**period
        self.last_epoch = math.floor(epoch)
        with self._asking():
            rates = self.get_lr()
        self._set(rates)


class OneCycleLR(_Cycling):
    """One rise of the rate and its fall far below where it began, with momenta the other way.

    Args:
        optimizer: Whose rates change.
        max_lr: The largest rate, of all groups or each.
        total_steps: The number of steps, or
        epochs: the number of epochs, and
        steps_per_epoch: how many steps each has.
        pct_start: Which part of the steps the rate rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: Whether momenta move.
        base_momentum: The least momentum.
        max_momentum: The largest.
        div_factor: How much less than the largest rate the first one is.
        final_div_factor: How much less than the first the last one is.
        three_phase: Whether the fall stops at the first rate, and then goes on.
        last_epoch: The number of steps that were made before: -1 to begin.

    Raises:
        TypeError: ``optimizer`` is none.
        ValueError: An argument is out of range, or the optimizer has no momentum; in a step: there
            are no more.

    Source: Smith and Topin 2017, arXiv:1708.07120.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        rise = float(pct_start * self.total_steps) - 1
        up = _phase(rise, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        last = self.total_steps - 1
        self._schedule_phases = [
            up, _phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum"),
        ]  # fmt: skip
        if three_phase:
            fall = float(2 * pct_start * self.total_steps) - 2
            self._schedule_phases = [
                up,
                _phase(fall, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                _phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        check_strategy(anneal_strategy)
        self._anneal_func_type = anneal_strategy
        most = for_groups("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for lr, group in zip(most, optimizer.param_groups, strict=True):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._take_momenta(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """Return the rates that this step is to set, and set the momenta."""
        self._warn_outside()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        start = 0.0
        phase = self._schedule_phases[0]
        for following in self._schedule_phases[1:]:
            if step <= phase["end_step"]:
                break
            start, phase = phase["end_step"], following
        part = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._put_momentum(group, self._between(*ends, part))
        return rates

    def _between(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


def check_strategy(name: str) -> None:
    """Raise where a way from one rate to another is unknown.

    Raises:
        ValueError: It is.
    """
    if name not in ("cos", "linear"):
        raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {name}")


def _phase(
    end_step: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str
) -> dict[str, Any]:
    return {
        "end_step": end_step, "start_lr": start_lr, "end_lr": end_lr,
        "start_momentum": start_momentum, "end_momentum": end_momentum,
    }  # fmt: skip


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    """Return the number of steps, of which one is asked for."""
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    given = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if value <= 0 or not isinstance(value, int):
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())
