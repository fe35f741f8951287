"""Functions that look at numbers to know what they compute: inside ``vmap``, example by example.

Operations compute all examples at once, and what is made of operations does.  A function of this
kind is called for each example of the innermost level in which an argument differs, with tensors
that have their histories, and what it gives is put together again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from gpugrad import tree
from gpugrad.autograd.batch import differing, levels
from gpugrad.backend.batched import differs, dynamic
from gpugrad.graph import TensorBase, mode
from gpugrad.op import saved
from gpugrad.op.batching import batched, is_batched, unbatched, unlifted
from gpugrad.ops.joining import stack

F = TypeVar("F", bound=Callable[..., Any])


def by_example(function: F) -> F:
    """Let a function that looks at numbers be called inside ``vmap``."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        if not mode.batches:
            return function(*args, **options)
        return in_turn(function.__name__, function, args, options)

    return called  # type: ignore[return-value]


def in_turn(
    name: str, function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Return what a function gives for all examples, of which it is given one after the other.

    Raises:
        RuntimeError: The results have several shapes.
    """
    given = [tuple(args), dict(options)]
    every = levels(given)
    if not every:
        return function(*args, **options)
    level = differing(given, every)
    if level is None:  # all examples are equal
        return in_turn(name, function, *tree.mapped(lambda a: _plain(a, every[-1]), given))
    bases: dict[int, Any] = {}
    whole = {
        id(a): unbatched(a, 0, level, bases)
        for a in tree.leaves(given) if isinstance(a, TensorBase) and differs(a._array, level)
    }  # fmt: skip

    def example(k: int) -> Any:
        return tree.mapped(
            lambda a: whole[id(a)].select(0, k) if id(a) in whole else _plain(a, level), given
        )

    results = [in_turn(name, function, *example(k)) for k in range(level.size)]
    columns = [_together(name, parts) for parts in zip(*map(tree.leaves, results), strict=True)]
    return tree.rebuilt(results[0], [batched(c, 0, level) for c in columns])


def _plain(value: Any, level: Any) -> Any:
    if isinstance(value, TensorBase) and is_batched(value, level):
        return unlifted(value, level)
    return value


def _together(name: str, parts: Sequence[Any]) -> Any:
    tensors: list[Any] = [
        p if isinstance(p, TensorBase) else saved.wrap(np.asarray(p)) for p in parts
    ]
    if len({tuple(t._array.shape) for t in tensors}) > 1:
        raise dynamic(name)
    return stack(tensors, 0)
