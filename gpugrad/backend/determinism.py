"""Whether the same program gives the same bits each time it runs, which it does by default."""

from __future__ import annotations

_enabled, _warn_only = True, False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Set whether the same program gives the same bits each time it runs, in all threads.

    Unlike in PyTorch it does by default, and nothing has to be refused for that.  Without it, a GPU
    adds what an index names twice in the order in which its threads come by, which is faster; this
    concerns the gradients of ``x[index]``, ``gather`` and ``index_select``, ``index_add``,
    ``scatter_add`` and sums by ``scatter_reduce``.  Of several values that are written to one
    place, by ``x[index] = values``, ``index_copy``, ``put`` or ``scatter``, the last remains, and
    without it any of them.

    Args:
        mode: Whether it does.
        warn_only: Kept for :func:`is_deterministic_algorithms_warn_only_enabled`.

    Raises:
        TypeError: ``mode`` is no bool.
    """
    global _enabled, _warn_only
    for place, (name, value) in enumerate((("mode", mode), ("warn_only", warn_only)), 1):
        if not isinstance(value, bool):
            raise TypeError(
                f"_set_deterministic_algorithms(): argument '{name}' (position {place}) must be "
                f"bool, not {type(value).__name__}"
            )
    _enabled, _warn_only = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """Return whether the same program gives the same bits each time it runs."""
    return _enabled


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return what :func:`use_deterministic_algorithms` was last told."""
    return _enabled and _warn_only
