"""What every schedule of learning rates has: when it changes them, and what can be stored."""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpugrad import backend
from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.optim.optimizer import Optimizer

Rates = list[Any]  # numbers, or tensors where the optimizer has tensors

WITH_EPOCH = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_SEE = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
_REPLACED = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. "
    + _SEE
)
_TOO_EARLY = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, "
    "you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  "
    "Failure to do this will result in PyTorch skipping the first value of the learning rate "
    "schedule. " + _SEE
)


class LRScheduler:
    """The base of the schedules, which change the rates of an optimizer's groups.

    A class says in :meth:`get_lr` which rates follow those that there are, and where there is a
    closed form, in ``_get_closed_form_lr`` which rates belong to ``last_epoch``.

    Args:
        optimizer: Whose groups' "lr" change; what they are now becomes their "initial_lr".
        last_epoch: The number of steps that were made before: -1 to begin.

    Raises:
        TypeError: ``optimizer`` is none.
        KeyError: Steps were made, and a group has no "initial_lr".
    """

    _get_lr_called_within_step = False
    _is_initial = False
    last_epoch: int
    _step_count: int
    _last_lr: Rates

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{k}] when resuming "
                    "scheduler with last_epoch >= 0.\nThis typically happens when:\n1. You're "
                    "trying to resume training from a checkpoint but haven't properly loaded the "
                    "optimizer state\n2. You're using last_epoch >= 0 for a fresh training run "
                    "(not recommended)"
                )
        self.base_lrs: Rates = values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the rates of the beginning."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule knows, but its optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave; the optimizer's rates are in its own state."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> Rates:
        """Return the rates that the last step set."""
        return self._last_lr

    def get_lr(self) -> Rates:
        """Return the rates that this step is to set; the last ones are in :meth:`get_last_lr`."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Set the next rates, or those of an epoch."""
        backend.interrupt("a scheduler's step")
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warn(_REPLACED)
            elif not getattr(self.optimizer, "_opt_called", False):
                warn(_TOO_EARLY)
        self._step_count += 1
        if epoch is not None:
            warn(WITH_EPOCH)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates that follow, or those of an epoch."""
        with self._asking():
            if epoch is None:
                self.last_epoch += 1
                found = self.get_lr()
            else:
                self.last_epoch = epoch
                closed = getattr(self, "_get_closed_form_lr", None)
                found = self.get_lr() if closed is None else closed()
        self._set(found)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Have :meth:`get_lr` know that a step asks."""
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside(self) -> None:
        """Warn where :meth:`get_lr` is not asked by a step."""
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`."
            )

    def _set(self, rates: Rates) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            put(group, "lr", lr)
        self._last_lr = self._rates()

    def _rates(self) -> Rates:
        """Return the rates that there are."""
        return values(self.optimizer, "lr")

    def _times(self, factor: float) -> Rates:
        """Return the rates that there are, times a number."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]


def check_optimizer(optimizer: Any) -> None:
    """Raise where something is no optimizer.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def copied(value: Any) -> Any:
    """Return an option that later writes do not change."""
    return value.clone() if isinstance(value, Tensor) else value


def values(optimizer: Optimizer, key: str) -> Rates:
    """Return an option of all groups."""
    return [copied(group[key]) for group in optimizer.param_groups]


def put(group: dict[str, Any], key: str, value: Any) -> None:
    """Set an option of a group, in the tensor that it is if it is one."""
    if isinstance(group[key], Tensor):
        group[key].fill_(value.squeeze() if isinstance(value, Tensor) else value)
    else:
        group[key] = value


def for_groups(name: str, optimizer: Optimizer, value: Any) -> Rates:
    """Return an argument's value for each group.

    Raises:
        ValueError: It is a list of another length.
    """
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [copied(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
            f"values, param_groups has {count}."
        )
    return [copied(v) for v in value]


def _watch(optimizer: Any) -> None:
    """Have an optimizer note that it was asked for a step."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    method = optimizer.step.__func__
    reference = weakref.ref(optimizer)

    @functools.wraps(method)
    def step(*args: Any, **kwargs: Any) -> Any:
        own: Any = reference()
        own._opt_called = True
        return method(own, *args, **kwargs)

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = step


# --------------------------------------------------------------------------- functions of a user's


def states_of(functions: Sequence[Callable[..., Any]]) -> list[Any]:
    """Return what is stored of functions: the attributes of objects, nothing of functions."""
    return [None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in functions]


def restore(functions: Sequence[Callable[..., Any]], states: Sequence[Any]) -> None:
    """Give functions back what was stored of them."""
    for function, state in zip(functions, states, strict=True):
        if state is not None:
            function.__dict__.update(state)
