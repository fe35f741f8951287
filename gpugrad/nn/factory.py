"""The arguments of a module that say where its parameters are made, and of which type."""

from __future__ import annotations

from typing import Any

_KEYS = {"device", "dtype", "memory_format"}


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """Return keyword arguments for functions that make tensors, from those of a module.

    They are ``device``, ``dtype`` and ``memory_format``, given so or in the dictionary
    ``factory_kwargs`` among them.

    Raises:
        TypeError: There are others, or one is given in both ways.
    """
    given = {} if kwargs is None else kwargs
    if others := given.keys() - (_KEYS | {"factory_kwargs"}):
        raise TypeError(f"unexpected kwargs {others}")
    found = dict(given.get("factory_kwargs", {}))
    for key in _KEYS & given.keys():
        if key in found:
            raise TypeError(f"{key} specified twice, in **kwargs and in factory_kwargs")
        found[key] = given[key]
    return found
