"""Programs as text, so that gpugrad and PyTorch can run the same one."""

from __future__ import annotations

import copy
import functools
import pickle
import re
from typing import Any

import numpy as np
import pytest

FACTORIES = frozenset(
    ["tensor", "ones", "zeros", "full", "empty", "arange", "linspace", "eye", "rand", "randn"]
)


class On:
    """A library whose factories put their tensors on one device."""

    def __init__(self, library: Any, device: str):
        self._library = library
        self._device = device

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._library, name)
        if name not in FACTORIES or self._device == "cpu":
            return found

        @functools.wraps(found)
        def here(*args: Any, **kwargs: Any) -> Any:
            return found(*args, **{"device": self._device, **kwargs})

        return here


def run(snippet: str, library: Any, device: str = "cpu") -> object:
    """Return the value of the snippet's last line, if that is an expression."""
    names = {"torch": On(library, device), "np": np, "copy": copy, "pickle": pickle}
    *statements, last = snippet.split("\n")
    exec("\n".join(statements), names)
    try:
        code: Any = compile(last, "<snippet>", "eval")
    except SyntaxError:
        code = compile(last, "<snippet>", "exec")
    return eval(code, names)


def ours(text: str) -> str:
    """Return PyTorch's text with gpugrad's name where PyTorch names itself."""
    return re.sub(r"(?<![#/])\btorch\.(?!cat\(\)|clamp:|_C)", "gpugrad.", text)


def raised(snippet: str, library: Any, device: str = "cpu") -> tuple[type[BaseException], str]:
    """Return the class and the text of what a snippet raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  the class is what is asked for
        run(snippet, library, device)
    error = caught.value
    return type(error), str(error.args[0]) if isinstance(error, KeyError) else str(error)
