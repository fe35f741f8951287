"""NumPy's warnings, which are off while we compute, and its buffers, which are small."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from numpy._core import umath

# NumPy would warn the user of divisions by zero and overflows in our arithmetic.  np.errstate does
# this in 0.9 us a time; its two steps, taken directly, cost 0.05 us.  The state before is asked for
# and not kept as a token of the context variable: an interrupt may come just before that is kept.
#
# The same object says how many elements NumPy copies into a buffer at a time.  By its default of
# 8192 it copies broadcast operands of shorter rows, which takes longer than the arithmetic.
BUFFER = 1024
QUIET = umath._make_extobj(all="ignore", bufsize=BUFFER)
enter = umath._extobj_contextvar.set
error_state = umath._extobj_contextvar.get

# And one call in a context of its own costs 0.01 us.  A context can be entered by one thread at a
# time: while another thread is in it, which lets go of the interpreter only where arrays are large,
# this raises RuntimeError.
_quiet_context = contextvars.copy_context()
_quiet_context.run(enter, QUIET)
quietly = _quiet_context.run


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with NumPy's floating point warnings off while it runs."""

    def silenced(*args: Any, **kwargs: Any) -> Any:
        before = error_state()
        if before is QUIET:  # as during a walk
            return function(*args, **kwargs)
        try:
            enter(QUIET)
            return function(*args, **kwargs)
        finally:
            enter(before)

    silenced.__doc__ = function.__doc__
    return silenced
