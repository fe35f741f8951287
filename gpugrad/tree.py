"""Nested tuples, lists and dictionaries: their leaves, their structure, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpugrad._tensor import Tensor


def _children(tree: Any) -> list[Any] | None:
    """Return what a container holds; ``None`` for a leaf."""
    if isinstance(tree, dict):
        return list(tree.values())
    return list(tree) if isinstance(tree, tuple | list) else None


def leaves(tree: Any) -> list[Any]:
    """Return what is no container, from left to right."""
    children = _children(tree)
    return [tree] if children is None else [leaf for c in children for leaf in leaves(c)]


def rebuilt(tree: Any, values: Sequence[Any]) -> Any:
    """Return a tree of the same structure with other leaves."""
    return _rebuilt(tree, iter(values))


def _rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    children = _children(tree)
    if children is None:
        return next(values)
    found = [_rebuilt(c, values) for c in children]
    if isinstance(tree, dict):
        return type(tree)(zip(tree, found, strict=True))
    return type(tree)(*found) if hasattr(tree, "_fields") else type(tree)(found)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return a tree with a function applied to its leaves."""
    return rebuilt(tree, [function(leaf) for leaf in leaves(tree)])


def same_structure(tree: Any, other: Any) -> bool:
    """Tell whether two trees differ in their leaves at most."""
    return structure(tree) == structure(other)


def structure(tree: Any, indent: int = 2) -> str:
    """Return the structure as PyTorch writes it: ``TreeSpec(tuple, None, [*])``."""
    children = _children(tree)
    if children is None:
        return "*"
    context = list(tree) if isinstance(tree, dict) else None
    inner = f",\n{' ' * indent}".join(structure(c, indent + 2) for c in children)
    return f"TreeSpec({type(tree).__name__}, {context}, [{inner}])"


class _Star:
    def __repr__(self) -> str:
        return "*"


def outline(tree: Any) -> str:
    """Return the structure in Python's own words: ``(*, *)``."""
    return repr(mapped(lambda _: _Star(), tree))


def check_tensors(tree: Any, function: str) -> None:
    """Raise unless a function returned tensors only.

    Raises:
        RuntimeError: There is something else.
    """
    for leaf in leaves(tree):
        if not isinstance(leaf, Tensor):
            raise RuntimeError(
                f"{function}: expected f(*primals) to return only tensors, got unsupported type "
                f"{type(leaf)}"
            )


def check_real(tree: Any, function: str, what: str) -> None:
    """Raise where a matrix of derivatives would have complex elements.

    Raises:
        RuntimeError: A tensor is complex.
    """
    for k, leaf in enumerate(leaves(tree)):
        if isinstance(leaf, Tensor) and leaf.is_complex():
            raise RuntimeError(
                f"{function}: Expected all {what} to be real but received complex tensor at "
                f"flattened input idx: {k}"
            )


# --------------------------------------------------------------------------- arguments

Argnums = int | tuple[int, ...]


def chosen(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """Return the arguments that a function is differentiated by: one, or a tuple.

    Raises:
        RuntimeError: ``argnums`` is neither an integer nor a tuple of different ones, or too large.
    """
    if not isinstance(argnums, int | tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if isinstance(argnums, int):
        return args[_place(argnums, len(args))]
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    places = [_place(k, len(args)) for k in argnums]
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return tuple([args[k] for k in places])


def others(args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Argnums) -> list[Any]:
    """Return what a function is given besides the arguments that :func:`chosen` has chosen."""
    places = (argnums,) if isinstance(argnums, int) else argnums
    known = {_place(k, len(args)) for k in places}
    return leaves(([arg for k, arg in enumerate(args) if k not in known], kwargs))


def replaced(args: tuple[Any, ...], argnums: Argnums, values: Any) -> list[Any]:
    """Return the arguments with others in the places that :func:`chosen` has chosen."""
    found = list(args)
    if isinstance(argnums, int):
        found[argnums] = values
    else:
        for k, value in zip(argnums, values, strict=True):
            found[k] = value
    return found


def _place(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnums must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def with_aux(result: Any, has_aux: bool, function: str) -> tuple[Any, Any]:
    """Return what is differentiated, and what a function returned besides.

    Raises:
        RuntimeError: ``has_aux``, and it is no pair.
    """
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{function}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    for leaf in leaves(result[1]):
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
    return result


def spread(values: Any, tree: Any) -> list[Any] | None:
    """Return a value for each leaf of a tree, from one for each or for parts of it as a whole.

    It is ``None`` if the structures do not fit.
    """
    inner, children = _children(values), _children(tree)
    if inner is None:
        return [values] * len(leaves(tree))
    if children is None or type(values) is not type(tree) or len(inner) != len(children):
        return None
    if isinstance(tree, dict):
        if values.keys() != tree.keys():
            return None
        inner = [values[key] for key in tree]
    found: list[Any] = []
    for value, child in zip(inner, children, strict=True):
        part = spread(value, child)
        if part is None:
            return None
        found += part
    return found
