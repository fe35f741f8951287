"""The SciPy that computes values on the CPU and says names, signatures and types."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def scipy(part: str) -> Any:
    """Return a part of SciPy's.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    try:
        return import_module(f"scipy.{part}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "gpugrad.scipy needs SciPy, which is not installed: pip install gpugrad[scipy]",
            name=error.name,
        ) from error
