"""Losses that are scaled, so that gradients of float16 do not vanish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

from gpugrad import _dtype, cuda
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.graph import warn
from gpugrad.ops.creation import tensor
from gpugrad.optim.optimizer import Optimizer


class OptState(Enum):
    """How far an optimizer is in an iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _begun() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """A factor of losses, which falls where gradients overflow, and rises where they do not.

    In each iteration: ``scaler.scale(loss).backward()``, ``scaler.step(optimizer)``, which divides
    the gradients by the factor and leaves out the step where one is infinite or nan, and
    ``scaler.update()``.

    Args:
        device: "cpu" or "cuda".
        init_scale: The factor at first.
        growth_factor: What it is multiplied by.
        backoff_factor: The same where a gradient was not finite.
        growth_interval: After how many iterations without such a gradient it grows.
        enabled: Whether it has an effect.

    Raises:
        AssertionError: A factor is out of range.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ):
        self._device = device
        self._enabled = enabled
        if device == "cuda" and enabled and not cuda.is_available():
            warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.")
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._scale: Tensor | None = None  # made where the first loss is
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._growth_tracker: Tensor | None = None
        self._per_optimizer_states: dict[int, dict[str, Any]] = defaultdict(_begun)

    def scale(self, outputs: Any) -> Any:
        """Return a tensor, or some, times the factor.

        Raises:
            ValueError: Something is neither a tensor nor holds tensors.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                on = outputs.device
                self._scale = tensor(self._init_scale, dtype=_dtype.float32, device=on)
                count = self._init_growth_tracker
                self._growth_tracker = tensor(count, dtype=_dtype.int32, device=on)
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, Iterable) and not isinstance(outputs, str):
            found = map(self.scale, outputs)
            return type(outputs)(found) if isinstance(outputs, list | tuple) else found
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _known(self, function: str) -> tuple[Tensor, Tensor]:
        """Return the factor and the number of iterations since it changed."""
        why = (
            "This may indicate your script did not use scaler.scale(loss or outputs) earlier in "
            "the iteration."
        )
        if self._scale is None:
            raise AssertionError(f"Attempted {function} but _scale is None.  {why}")
        if self._growth_tracker is None:
            raise AssertionError(f"Attempted {function} but _growth_tracker is None.  {why}")
        return self._scale, self._growth_tracker

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of an optimizer's parameters by the factor, to clip them, say.

        Raises:
            AssertionError: Nothing was scaled before.
            RuntimeError: It was done in this iteration, or the step was.
            ValueError: A gradient is of float16.
        """
        if not self._enabled:
            return
        scale, _ = self._known("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        state["found_inf_per_device"] = _unscaled(optimizer, inverse, False)
        state["stage"] = OptState.UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Call ``optimizer.step`` with the arguments, unless a gradient is not finite.

        Gradients are divided by the factor first, if they were not yet.  An optimizer that says
        that it does so itself, by an attribute ``_step_supports_amp_scaling``, is given the tensors
        ``grad_scale`` and ``found_inf`` as attributes instead.

        Raises:
            RuntimeError: There is a closure, or the step was made in this iteration.
            AssertionError: Nothing was scaled before, or no parameter has a gradient.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        scale, _ = self._known("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            if state["stage"] is OptState.READY:
                one = tensor(1.0, dtype=_dtype.float32, device=scale.device)
                state["found_inf_per_device"] = _unscaled(optimizer, one, True)
                optimizer.grad_scale = scale * getattr(optimizer, "grad_scale", 1)
            else:
                optimizer.grad_scale = getattr(optimizer, "grad_scale", None)
            found = [t.to(scale.device) for t in state["found_inf_per_device"].values()]
            optimizer.found_inf = sum(found)
            result = optimizer.step(*args, **kwargs)
            state["stage"] = OptState.STEPPED
            del optimizer.grad_scale, optimizer.found_inf
            return result
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if not state["found_inf_per_device"]:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None
        if not sum(t.item() for t in state["found_inf_per_device"].values()):
            result = optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Change the factor by what was found in this iteration, or set it.

        Raises:
            AssertionError: Nothing was scaled or looked at before, or ``new_scale`` is a tensor
                that is elsewhere, has several elements, or needs a gradient.
        """
        if not self._enabled:
            return
        scale, tracker = self._known("update")
        if isinstance(new_scale, float):
            scale.fill_(new_scale)
        elif new_scale is not None:
            fits = (
                isinstance(new_scale, Tensor)
                and new_scale.device.type == self._device
                and new_scale.numel() == 1
                and not new_scale.requires_grad
            )
            if not fits:
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or "
                    "torch.FloatTensor with requires_grad=False."
                )
            scale.copy_(new_scale)
        else:
            states = self._per_optimizer_states.values()
            found = [t.to(scale.device) for s in states for t in s["found_inf_per_device"].values()]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._adapt(scale, tracker, sum(found[1:], found[0]))
        self._per_optimizer_states = defaultdict(_begun)

    @no_grad()
    def _adapt(self, scale: Tensor, tracker: Tensor, found: Any) -> None:
        """Change the factor, and count; the host need not know which way."""
        bad = found != 0
        grown = scale * self._growth_factor
        full = tracker + 1 >= self._growth_interval
        # a factor that has become infinite would never come back
        may = full & (grown.abs() < float("inf"))
        scale.copy_(_chosen(bad, scale * self._backoff_factor, _chosen(may, grown, scale)))
        tracker.copy_(_chosen(bad | full, tracker * 0, tracker + 1))

    def get_scale(self) -> float:
        """Return the factor, for which a GPU is waited for; 1 if it is not enabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """Return what the factor is multiplied by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the factor is multiplied by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Return what it is multiplied by where a gradient is not finite."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what it is multiplied by where a gradient is not finite."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Return after how many iterations it grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many iterations it grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        tracker = self._growth_tracker
        return self._init_growth_tracker if tracker is None else tracker.item()

    def is_enabled(self) -> bool:
        """Return whether it has an effect."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Return the factor, how it changes, and since when it has not; empty if not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor, "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave.

        Raises:
            RuntimeError: It is empty.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, "
                    "or at the end after scaler.update()."
                )
            state.update(
                _init_scale=self.get_scale(), _init_growth_tracker=self._get_growth_tracker(),
                _scale=None, _growth_tracker=None,
            )  # fmt: skip
        return state


def _chosen(condition: Any, first: Any, second: Any) -> Any:
    return first.where(condition, second)


@no_grad()
def _unscaled(optimizer: Any, inverse: Tensor, halves: bool) -> dict[Any, Tensor]:
    """Multiply all gradients, and return for each device whether one was not finite, as 1.0."""
    found: dict[Any, Tensor] = {}
    for group in optimizer.param_groups:
        for p in group["params"]:
            if not isinstance(p, Tensor):
                raise AssertionError(f"expected param to be torch.Tensor, got {type(p).__name__}")
            g: Any = p.grad
            if g is None:
                continue
            if g.dtype is _dtype.float16 and not halves:
                raise ValueError("Attempting to unscale FP16 gradients.")
            bad = (~g.isfinite()).any().float()
            known = found.get(g.device)
            found[g.device] = bad if known is None else known.maximum(bad)
            factor = inverse.to(g.device)
            g.mul_(factor.to(g.dtype) if halves else factor)
    return found
