"""PyTorch's settings of a process that change little here, or nothing: what they say, and are told.

>>> import gpugrad
>>> gpugrad.set_float32_matmul_precision("high")
>>> gpugrad.get_float32_matmul_precision()
'high'
>>> gpugrad.set_float32_matmul_precision("highest")
"""

from __future__ import annotations

import numpy as np

from gpugrad.backend import cuda_problem, determinism, loops
from gpugrad.graph import warn

_DEBUG_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")
_precision = "highest"


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Set whether the same program gives the same bits: 0 or ``default``, if it need not.

    With 1 or ``warn``, and 2 or ``error``, it does; nothing here has to warn or raise for that.
    See :func:`gpugrad.use_deterministic_algorithms`.

    Raises:
        RuntimeError: It is none of these.
        TypeError: It is neither a text nor a number.
    """
    if not isinstance(debug_mode, int | str):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
                f"{debug_mode}"
            )
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    determinism.use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """Return whether the same bits are given: 0 if not, 1 if only to warn was asked for, or 2."""
    if not determinism.are_deterministic_algorithms_enabled():
        return 0
    return 1 if determinism.is_deterministic_algorithms_warn_only_enabled() else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 matrices to be computed less precisely; here they never are.

    Raises:
        RuntimeError: It is no text.
    """
    global _precision
    if not isinstance(precision, str):
        raise RuntimeError(
            f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}"
        )
    if precision in _PRECISIONS:
        _precision = precision
    else:
        warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
            "setFloat32MatmulPrecision call has no effect."
        )


def get_float32_matmul_precision() -> str:
    """Return what :func:`set_float32_matmul_precision` was last told."""
    return _precision


def set_flush_denormal(mode: bool) -> bool:
    """Return whether numbers too small for full precision are now 0, or not, as was asked.

    NumPy computes with them always.

    Raises:
        RuntimeError: It is no bool.
    """
    if not isinstance(mode, bool):
        raise RuntimeError(f"flush_denormal expects a bool, but got {type(mode).__name__}")
    return not mode


def get_num_threads() -> int:
    """Return among how many threads the CPU's large arrays are shared out.

    That is as many as there are cores, or what ``OMP_NUM_THREADS`` says.
    """
    return loops.threads()


def set_num_threads(num_threads: int) -> None:
    """Share large arrays of the CPU out to so many threads, where formulas are compiled.

    Results do not depend on it.  Products of matrices have NumPy's threads.

    Raises:
        RuntimeError: It is no whole number, or not positive.
    """
    if not isinstance(num_threads, int) or isinstance(num_threads, bool):
        kind = type(num_threads).__name__
        raise RuntimeError(f"set_num_threads expects an int, but got {kind}")
    if num_threads < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    loops.set_threads(num_threads)


def show_config() -> None:
    """Print what computes: NumPy, loops of which compiler, with a GPU cuDNN, or why none does."""
    print(f"NumPy  {np.__version__}\nloops  {loops.described()}")
    if cuda_problem() is None:
        from gpugrad.backend.cuda import cudnn  # which imports CuPy

        print(f"cuDNN  {cudnn.described()}")
