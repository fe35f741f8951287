"""A program that is run with gpugrad and with PyTorch, and what must be the same in both.

A program is a function of the module, called ``torch``, of a function that makes leaves, and of a
function that notes values; what it notes is compared, and the error that ends it, class and text.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from snippets import ours, run

import gpugrad

VERSION = (2, 13)  # of PyTorch: texts and the order of events differ from one to the next

Program = Callable[[Any, Callable[..., Any], Callable[..., None]], Any]


class Programs(dict[str, Callable[..., Any]]):
    """Programs by their names."""

    def add(self, program: Callable[..., Any]) -> Callable[..., Any]:
        """Add a program; it decorates."""
        self[program.__name__] = program
        return program


@functools.cache
def problem() -> str | None:
    """Return why nothing can be compared with PyTorch, ``None`` where it can."""
    try:
        found = version("torch")
    except PackageNotFoundError:
        return "PyTorch is not installed"
    known = tuple(map(int, re.findall(r"\d+", found)[:2]))
    return None if known >= VERSION else f"PyTorch {found} is older than its texts that are known"


def pytorch() -> Any:
    """Return PyTorch; a test that asks for it is not collected where there is none."""
    return import_module("torch")


def plain(value: Any) -> Any:
    """Return what was noted, as something that can be compared: tensors as lists."""
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.detach().tolist())
    if isinstance(value, float):  # derivatives may be added up in another order
        return float(f"{value:.10g}")
    if isinstance(value, complex):
        return complex(plain(value.real), plain(value.imag))
    return value


def outcome(program: Program, torch: Any, device: str) -> list[Any]:
    """Return what a program notes, and how it ends."""
    noted: list[Any] = []

    def leaf(data: Any, dtype: str = "float64") -> Any:
        return torch.tensor(data, dtype=getattr(torch, dtype), device=device, requires_grad=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program(torch, leaf, lambda *values: noted.append(plain(values)))
        except Exception as error:
            noted.append((type(error).__name__, str(error).replace("torch.", "gpugrad.")))
    return noted


def agree(program: Program, device: str) -> list[Any]:
    """Check that a program does with gpugrad on a device what it does with PyTorch on the CPU.

    Returns:
        What it noted, lists but for the error that ended it, which is a tuple.
    """
    torch = pytorch()
    expected = outcome(program, torch, "cpu")
    assert expected, "a program that notes nothing compares nothing"
    found = outcome(program, gpugrad, device)
    assert found == [_on(device, e) for e in expected]
    return found


def _on(device: str, noted: Any) -> Any:
    if device == "cuda" and isinstance(noted, tuple):
        return noted[0], re.sub(r"gpugrad\.(?=[A-Z]\w*Tensor)", "gpugrad.cuda.", noted[1])
    return noted


def described(value: Any) -> Any:
    """Return a value as something that can be compared: a tensor as type, shape and elements."""
    if isinstance(value, dict):
        return {key: described(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [described(v) for v in value]
    if hasattr(value, "tolist"):
        return str(value.dtype).split(".")[-1], list(value.shape), plain(value)
    return value


def agree_on(snippet: str, device: str, warned: bool = False) -> Any:
    """Check that a snippet gives with gpugrad what it gives with PyTorch, or raises the same.

    Return it as :func:`described`, or the error's class and text; where it is to be ``warned`` of
    the same, with that.
    """
    torch = pytorch()
    expected, said = _ending(snippet, torch, "cpu")
    found, heard = _ending(snippet, gpugrad, device)
    assert found == expected
    if not warned:
        return found
    assert heard == said
    return found, heard


def _ending(snippet: str, library: Any, device: str) -> tuple[Any, list[Any]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = described(run(snippet, library, device))
        except Exception as error:
            found = type(error).__name__, ours(str(error))
    return found, [(w.category.__name__, ours(str(w.message))) for w in said]
