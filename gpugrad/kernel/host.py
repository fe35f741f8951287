"""The text of a kernel that is launched by hand, compiled for the CPU by a C++ compiler.

Its threads run one after the other, so that a text whose threads wait for each other is refused.
As on a GPU, nothing looks whether a thread stays within its arrays.
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gpugrad.backend import compiler

_WAITS = re.compile(r"__shared__|__sync\w+|\w*_sync\s*\(|cooperative_groups|__threadfence\w*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAUNCH = """
extern "C" int gpugrad_launch(const unsigned int *sizes, void **arguments) {{
  return gpugrad::launch({name}, sizes, arguments);
}}
"""


class Missing(NotImplementedError):  # noqa: N818  it says what is missing
    """A text that cannot be compiled here."""


@functools.lru_cache(maxsize=256)
def _built(code: str, name: str, options: tuple[str, ...]) -> Any:
    """Return the function that launches a kernel of a text.

    Raises:
        Missing: Its threads wait for each other, or there is no compiler.
        RuntimeError: It does not compile.
    """
    waits = _WAITS.search(_COMMENT.sub(" ", code))
    if waits is not None:
        raise Missing(f"'{waits.group()}': threads that wait for each other")
    try:
        compiler.found()
    except compiler.BuildError as why:
        raise Missing(str(why)) from None
    header = Path(__file__).with_name("host.h").read_text(encoding="utf-8")
    macros = [o[2:].partition("=") for o in options if o.startswith("-D")]
    defined = "".join(f"#define {key} {value or 1}\n" for key, _, value in macros)
    text = f'{header}\n{defined}#line 1 "{name}"\n{code}\n{_LAUNCH.format(name=name)}'
    try:
        function = compiler.built(text).gpugrad_launch
    except compiler.BuildError as error:
        raise RuntimeError(f"the kernel '{name}' does not compile for the CPU: {error}") from None
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return function


def launch(
    code: str,
    name: str,
    options: Sequence[str],
    grid: Sequence[int],
    block: Sequence[int],
    arguments: Sequence[Any],
) -> None:
    """Run a kernel's threads on NumPy's arrays and numbers, which are given as CuPy takes them.

    Raises:
        NotImplementedError: The text cannot be compiled here.
        RuntimeError: It does not compile.
        TypeError: There are more or fewer arguments than parameters.
    """
    try:
        function = _built(code, name, tuple(options))
    except Missing as why:
        raise NotImplementedError(
            f"the kernel '{name}' has no form on the CPU: {why}. Move the arguments to a GPU"
        ) from None
    sizes = np.ones(6, np.uint32)
    sizes[: len(grid)], sizes[3 : 3 + len(block)] = grid, block
    count = function(sizes.ctypes.data, None)
    if len(arguments) != count:
        raise TypeError(f"the kernel '{name}' takes {count} arguments, and got {len(arguments)}")
    held = [_held(a) for a in arguments]
    places = np.array([h.ctypes.data for h in held], np.uintp)
    function(sizes.ctypes.data, places.ctypes.data)


def _held(argument: Any) -> np.ndarray[Any, Any]:
    """Return memory that holds an argument: the address of an array, or a number."""
    if isinstance(argument, np.ndarray):
        return np.array([argument.ctypes.data], np.uintp)
    if argument is None:
        return np.zeros(1, np.uintp)
    if isinstance(argument, int) and not isinstance(argument, bool):
        return np.array([argument], np.int64)
    return np.array([argument])
