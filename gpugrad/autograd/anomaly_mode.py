"""Anomaly mode: which call of the forward made a backward fail, or return nan."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from gpugrad.graph import mode, warn
from gpugrad.op.observed import observe

F = TypeVar("F", bound=Callable[..., Any])


class set_detect_anomaly:  # noqa: N801  PyTorch's name
    """Turn anomaly mode on or off in this thread, from now on; as a context, until it ends.

    Each recorded call remembers where it was made.  Where a backward fails, or with ``check_nan``
    returns nan, the error tells the call, its shapes, and, for a gradient of a gradient, the call
    whose backward made it.

    Raises:
        RuntimeError: In the walk, a gradient has nan.
    """

    def __init__(self, mode: bool, check_nan: bool = True):
        self._set(mode, check_nan)

    def _set(self, on: bool, check_nan: bool) -> None:
        self._before = mode.anomaly, mode.check_nan
        mode.check_nan = check_nan
        observe(mode.hooks, on)

    def __enter__(self) -> None:
        """Do nothing: the mode is on since the call."""

    def __exit__(self, *exception: object) -> None:
        anomaly, mode.check_nan = self._before
        observe(mode.hooks, anomaly)


class detect_anomaly(set_detect_anomaly):  # noqa: N801  PyTorch's name
    """Turn anomaly mode on while the block, or the decorated function, runs."""

    def __init__(self, check_nan: bool = True):
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging."
        )
        self.check_nan = check_nan

    def __enter__(self) -> None:
        """Turn the mode on."""
        self._set(True, self.check_nan)

    def __call__(self, function: F) -> F:
        """Return the function with the mode on while it runs."""

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with set_detect_anomaly(True, self.check_nan):
                return function(*args, **kwargs)

        return decorated  # type: ignore[return-value]


def is_anomaly_enabled() -> bool:
    """Return whether anomaly mode is on in this thread."""
    return mode.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Return whether gradients are searched for nan in anomaly mode."""
    return mode.check_nan


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Turn anomaly mode on or off in this thread, as :class:`set_detect_anomaly` does."""
    set_detect_anomaly(enabled, check_nan)


__all__ = [
    "detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_anomaly_enabled",
    "set_detect_anomaly",
]  # fmt: skip
