"""The classes of several results that have names, such as those of ``max`` along a dimension."""

from typing import Any

from gpugrad import _tensor  # noqa: F401  which fills the table
from gpugrad.op.results import RESULTS


def __getattr__(name: str) -> Any:
    if name not in RESULTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return RESULTS[name].made


def __dir__() -> list[str]:
    return sorted({*globals(), *RESULTS})
