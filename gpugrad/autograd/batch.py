"""A user's ``Function`` inside ``vmap``: which way it goes, and its own rule.

A class with ``generate_vmap_rule`` computes with batched tensors as any operation does.  Another
has a method ``vmap`` that computes all examples of the innermost level in which an argument
differs by example; inside of it that level is closed, and those within it are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from gpugrad import backend, errors, tree
from gpugrad.backend.batched import Batched, Level, differs, door_for
from gpugrad.graph import Scope, TensorBase, mode, scoped
from gpugrad.op.batching import batched, unbatched, unlifted
from gpugrad.op.operation import lifted

_MORE = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"


class Info(NamedTuple):
    """What a method ``vmap`` is told of the ``vmap`` that it is called in."""

    batch_size: int
    randomness: str


def check_class(name: str, has_setup: bool, generated: bool, has_rule: bool) -> None:
    """Raise where a class cannot be applied inside of the transforms that run.

    Raises:
        RuntimeError: It has no ``setup_context``, or inside ``vmap`` no rule, or two.
    """
    if not has_setup:
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, "
            f"jacrev, ...), it must override the setup_context staticmethod. {_MORE}"
        )
    if not any(isinstance(transform, Level) for transform in mode.transforms):
        return
    if generated and has_rule:
        raise RuntimeError(
            f"You tried to vmap over {name}, but it has both generate_vmap_rule=True and an "
            "overridden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            f"overridden vmap staticmethod to avoid ambiguity. {_MORE}"
        )
    if not generated and not has_rule:
        raise RuntimeError(
            f"You tried to vmap over {name}, but it does not have vmap support. Please override "
            f"and implement the vmap staticmethod or set generate_vmap_rule=True. {_MORE}"
        )


def check_keywords(kwargs: Mapping[str, Any]) -> None:
    """Raise where a tensor is given to a method ``vmap`` by keyword.

    Raises:
        NotImplementedError: One is, as it has no place among the dimensions of the arguments.
    """
    if any(isinstance(transform, Level) for transform in mode.transforms) and any(
        isinstance(leaf, TensorBase) for leaf in tree.leaves(kwargs)
    ):
        raise NotImplementedError(
            "Run vmap on autograd.Function with kwarg-only Tensor args. Please do not pass "
            f"kwarg-only Tensors to autograd.Function. Got: {kwargs}"
        )


def levels(args: Sequence[Any]) -> tuple[Level, ...]:
    """Return the levels of all tensors in the arguments, the innermost last."""
    found = [a._array.door.levels for a in tree.leaves(args)
             if isinstance(a, TensorBase) and a._array.__class__ is Batched]  # fmt: skip
    if not found:
        return ()
    return tuple(sorted(set().union(*found), key=lambda level: level.number))


def in_levels(args: Sequence[Any], every: tuple[Level, ...]) -> Sequence[Any]:
    """Return the arguments with all tensors that require grad in some levels.

    What a gradient has beyond the levels of its tensor is then summed.
    """
    return [
        lifted(a, door_for(backend.of(a._array), every))
        if isinstance(a, TensorBase) and a._edge is not None
        else a
        for a in args
    ]


def differing(args: Sequence[Any], every: tuple[Level, ...]) -> Level | None:
    """Return the innermost of some levels in which an argument differs by example."""
    return next(
        (level for level in reversed(every)
         if any(isinstance(a, TensorBase) and differs(a._array, level) for a in tree.leaves(args))),
        None,
    )  # fmt: skip


def differentiated_in(level: Level | None) -> bool:
    """Tell whether one of the transforms that run inside of a level takes a derivative."""
    running = mode.transforms
    return level is None or (
        level in running
        and not all(isinstance(inner, Level) for inner in running[running.index(level) :])
    )


def by_rule(cls: Any, level: Level | None, args: tuple[Any, ...]) -> Any:
    """Return what a class's method ``vmap`` gives for all examples of a level.

    Without a level no argument differs by example: it is what ``forward`` gives.

    Args:
        cls: The class.
        level: The innermost level in which an argument differs by example.
        args: The arguments: tensors, in nested tuples, lists and dictionaries, and anything else.

    Raises:
        RuntimeError: The method does not return its outputs and where their examples are.
    """
    bases: dict[int, Any] = {}
    leaves = tree.leaves(args)
    dims = [
        0 if level and isinstance(a, TensorBase) and differs(a._array, level) else None
        for a in leaves
    ]
    given = [
        _peeled(a, level, dim, bases) if isinstance(a, TensorBase) else a
        for a, dim in zip(leaves, dims, strict=True)
    ]
    values = tree.rebuilt(args, given)
    with _outside_of(level):
        if level is None:
            return _same(cls.forward(*values), given, leaves)
        in_dims = tree.rebuilt(args, dims)
        result = cls.vmap(Info(level.size, level.randomness), in_dims, *values)
    outputs, out_dims = _checked(result)
    found = [
        _hidden(o, dim, level, given) if dim is not None and isinstance(o, TensorBase) else o
        for o, dim in zip(tree.leaves(outputs), out_dims, strict=True)
    ]
    return _same(tree.rebuilt(outputs, found), given, leaves)


def _hidden(output: Any, dim: int, level: Level, given: Sequence[Any]) -> Any:
    axis = _axis(output, dim, level.size)
    if output._edge is None and any(output is a for a in given):
        return output
    return batched(output, axis, level)


def _peeled(tensor: Any, level: Level | None, dim: int | None, bases: dict[int, Any]) -> Any:
    """Return a tensor without the levels from one on; the examples of that at ``dim``."""
    if dim is not None:
        assert level is not None
        tensor = unbatched(tensor, dim, level, bases)
    for other in levels([tensor]):
        if level is None or other.number >= level.number:
            tensor = unlifted(tensor, other)
    return tensor


def _same(result: Any, given: Sequence[Any], args: Sequence[Any]) -> Any:
    """Return outputs, with the arguments themselves in place of what was given of them."""
    pairs = list(zip(given, args, strict=True))
    return tree.mapped(lambda o: next((a for g, a in pairs if g is o), o), result)


def in_every(result: Any, every: tuple[Level, ...], args: Sequence[Any]) -> Any:
    """Return outputs in all levels of the arguments, so that their gradients are not summed."""
    if isinstance(result, tuple):
        return tuple([in_every(o, every, args) for o in result])
    if not isinstance(result, TensorBase) or any(result is a for a in args):
        return result
    return lifted(result, door_for(backend.of(result._array), every))


def _axis(output: Any, dim: int, count: int) -> int:
    """Return a dimension of an output, counted from the first.

    Raises:
        RuntimeError: It does not count the examples.
    """
    shape = output._array.shape
    if not -len(shape) <= dim < len(shape):
        found = f"has no dimension {dim}"
    elif shape[dim] != count:
        found = f"has {shape[dim]} examples instead of {count} in dimension {dim}"
    else:
        return dim % len(shape)
    raise RuntimeError(
        "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) "
        f"tuple: an output of shape {errors.size(shape)} {found}, where out_dims says that they "
        "are."
    )


@contextmanager
def _outside_of(level: Level | None) -> Iterator[None]:
    """Compute as outside of a level of ``vmap``, or of all, and of the transforms within it."""
    running = mode.transforms
    first = 0
    if level is not None:
        first = running.index(level) if level in running else len(running)
    closed = (level, *running[first:])
    with _in([other for other in mode.batches if other not in closed], running[:first]):
        yield


@contextmanager
def outside_of_derivatives() -> Iterator[None]:
    """Compute as outside of all derivatives that are taken, but inside of ``vmap``."""
    with _in(mode.batches, [level for level in mode.transforms if isinstance(level, Level)]):
        yield


@contextmanager
def reopened(levels: Sequence[Level]) -> Iterator[None]:
    """Compute as inside of levels of ``vmap`` that were left, as the backward of a call in them."""
    left = [level for level in levels if level not in mode.batches]
    with _in((*mode.batches, *left), (*mode.transforms, *left)):
        yield


@contextmanager
def _in(batches: Sequence[Level], transforms: Sequence[Any]) -> Iterator[None]:
    before = mode.batches, mode.transforms
    try:
        mode.batches, mode.transforms = tuple(batches), tuple(transforms)
        with scoped(mode.scope and Scope(None)):
            yield
    finally:
        mode.batches, mode.transforms = before


def _checked(result: Any) -> tuple[Any, list[int | None]]:
    """Return the outputs, and a dimension or ``None`` for each tensor in them.

    Raises:
        RuntimeError: There is something else.
    """
    what = (
        "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree "
        "structure compatible with the output. "
    )
    if not isinstance(result, tuple):
        raise RuntimeError(f"{what}Got a {type(result)} instead")
    if len(result) != 2:
        raise RuntimeError(f"{what}Got {len(result)} returns instead")
    outputs, out_dims = result
    dims = tree.spread(out_dims, outputs)
    if dims is None or not all(isinstance(dim, int | None) for dim in dims):
        raise RuntimeError(
            "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) "
            f"tuple. Expected out_dims={out_dims} to be compatible with the structure of `output`. "
            f"out_dims has structure {tree.structure(out_dims)} but output has structure "
            f"{tree.structure(outputs)}. {_MORE}"
        )
    return outputs, dims
