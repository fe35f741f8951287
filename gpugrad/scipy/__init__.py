"""SciPy's names, with gradients, on the CPU and on CUDA: ``from gpugrad.scipy import special``.

SciPy itself must be installed: ``pip install gpugrad[scipy]``.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

_PARTS = ("fft", "integrate", "linalg", "optimize", "signal", "sparse", "special", "stats")


def __getattr__(name: str) -> _Any:
    """Return a part, which is loaded when it is first asked for.

    Raises:
        AttributeError: There is none of this name.
        ModuleNotFoundError: SciPy is not installed.
    """
    if name not in _PARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PARTS})
