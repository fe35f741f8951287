"""Functions of the user's that a walk calls, where they are kept, and how they are removed."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any


class Table(dict[int, Any]):
    """Hooks by their number, in the order in which they were registered."""

    __slots__ = ("__weakref__",)

    def add(self, hook: Any, *about: dict[int, Any], first: bool = False) -> RemovableHandle:
        """Register a hook and return what removes it again.

        Args:
            hook: The function.
            about: Tables of what is known of hooks, by the same numbers.
            first: It is to run before those that are registered already.
        """
        handle = RemovableHandle(self, *about)
        later = dict(self) if first else {}
        if first:
            self.clear()
        self[handle.id] = hook
        self.update(later)
        return handle


class RemovableHandle:
    """What registering a hook returns: ``remove()``, or the end of a ``with`` block, undoes it.

    The handle keeps no hook alive.
    """

    __slots__ = ("_tables", "id")

    _numbers = itertools.count()

    def __init__(self, *tables: dict[int, Any]):
        self.id = next(self._numbers)
        self._tables = [weakref.ref(table) for table in tables]

    def remove(self) -> None:
        """Remove the hook; nothing happens where it was removed before."""
        for table in self._tables:
            if (found := table()) is not None:
                found.pop(self.id, None)

    def __getstate__(self) -> tuple[int, list[Any]]:
        return self.id, [table() for table in self._tables]

    def __setstate__(self, state: tuple[int, list[Any]]) -> None:
        self.id, tables = state
        self._tables = [weakref.ref(table) for table in tables if table is not None]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """All hooks of one node, or of one leaf."""

    __slots__ = (
        "__weakref__", "accumulated", "accumulation", "after", "before", "grad_dtype", "metadata",
        "retained", "tensor",
    )  # fmt: skip

    # of leaves only, and not there before they are asked for
    grad_dtype: Any  # the type of the .grad, None for any
    accumulation: weakref.ref[Any]  # what stands in the graph for the leaf, where that is shown
    metadata: dict[str, Any]

    def __init__(self) -> None:
        self.tensor = Table()  # (index of the output, function of its gradient)
        self.retained: dict[int, weakref.ref[Any]] = {}  # which output fills the .grad of whom
        self.before = Table()  # functions of the gradients of the outputs
        self.after = Table()  # functions of the gradients of the inputs and of the outputs
        self.accumulated = Table()  # functions of a leaf whose .grad was added to

    def of_the_tensor(self) -> Hooks:
        """Return those that run where a gradient arrives, whatever becomes of it."""
        some = Hooks()
        some.tensor = self.tensor
        return some


# The hooks of all leaves that have some: a walk looks for such leaves where there are any at all.
of_leaves: set[weakref.ref[Hooks]] = set()


def about(leaf: Any) -> Hooks:
    """Return what is kept for a leaf, made if there is nothing; walks need not look for it."""
    found: Hooks | None = getattr(leaf, "_hooks", None)
    if found is None:
        found = leaf._hooks = Hooks()
    return found


def of_leaf(leaf: Any) -> Hooks:
    """Return the hooks of a leaf, made if it has none, for which walks will look."""
    found = about(leaf)
    of_leaves.add(weakref.ref(found, of_leaves.discard))
    return found


def has_grad_dtype(edge: Any) -> bool:
    """Tell whether an edge is a leaf for which the type of gradients was chosen."""
    return bool(of_leaves) and hasattr(getattr(edge, "_hooks", None), "grad_dtype")


def of_node(node: Any) -> Hooks:
    """Return the hooks of a node, made if it has none."""
    if node.hooks is None:
        node.hooks = Hooks()
    hooks: Hooks = node.hooks
    return hooks


Hook = Callable[..., Any]
