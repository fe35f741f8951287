"""Modules made without filling their parameters."""

from __future__ import annotations

import inspect
from typing import Any

from gpugrad.nn import init
from gpugrad.nn.modules.module import Module


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``module_cls(*args, **kwargs)`` with parameters that are not filled.

    Raises:
        RuntimeError: It is no class of modules, or takes no ``device``.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with init.skipped():
        return module_cls(*args, **{"device": "cpu", **kwargs})
