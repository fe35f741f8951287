"""``vmap``: a function of one example applied to a batch of them at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import tree
from gpugrad._tensor import Tensor
from gpugrad.graph import restoring, transforming
from gpugrad.op.batching import batched, batching, every_example, is_batched, unbatched
from gpugrad.op.dual import leave
from gpugrad.ops.joining import cat

Function = Callable[..., Any]


def vmap(
    func: Function,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Function:
    """Return a function that applies ``func`` to every example of a batch, at once.

    ``func`` is called once (with ``chunk_size`` once for each chunk), with tensors that have the
    shape of one example; each operation in it computes all examples together.  It may be a
    derivative, such as ``grad(f)``, and the result may be differentiated, in either mode; tensors
    from outside that require grad receive the sum of the gradients of all examples.

    What depends on the values of one example cannot be computed so: ``if``, ``item()``, an index by
    a mask, ``nonzero``.

    Args:
        func: A function of tensors, in nested tuples, lists and dictionaries, and of anything else.
        in_dims: Which dimension of an argument counts the examples; ``None`` for what is the same
            for all.  One number for all arguments, or a tuple of the structure of the arguments.
            Arguments by name are the same for all.
        out_dims: Where the dimension is put in the results, likewise.
        randomness: What random functions do: raise an "error", draw numbers that are "different"
            for each example, or the "same" for all.
        chunk_size: How many examples are computed at once at most, to save memory; all by default.

    Returns:
        A function of the batch.

    Raises:
        RuntimeError: ``randomness`` is another word; when called: as above.
        ValueError: ``chunk_size`` is not positive, or ``out_dims`` are no numbers; when called:
            arguments without examples, of different numbers of them or that do not fit
            ``in_dims``; results that are no tensors, or do not fit ``out_dims``.
    """
    check_randomness(randomness)
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    @restoring
    def of_batch(*args: Any, **kwargs: Any) -> Any:
        _check_out_dims(out_dims, func)
        every = (args, kwargs)
        dims, size = _dims_of_inputs(in_dims, args, kwargs, func)
        count = size if chunk_size is None else min(chunk_size, size)
        try:
            parts = [
                _applied(func, _chunk(every, dims, k, min(count, size - k)), dims,
                         out_dims, randomness, min(count, size - k))
                for k in range(0, size, count)
            ] if size else [_applied(func, every, dims, out_dims, randomness, 0)]  # fmt: skip
        finally:
            leave(tree.leaves(every))
        return parts[0] if len(parts) == 1 else _joined(parts, out_dims)

    return of_batch


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """Return what ``vmap`` shows a function one example of: all of them, without history.

    Args:
        tensor: Any tensor; one that is not batched is returned as it is.
        recurse: Show the examples of all calls of ``vmap``, the outermost first; else only of the
            innermost.

    Raises:
        TypeError: ``tensor`` is something else.
    """
    return every_example(tensor, recurse)


def check_randomness(randomness: str) -> None:
    """Raise unless it is one of the three words.

    Raises:
        RuntimeError: It is not.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )


def _applied(
    func: Function,
    every: tuple[tuple[Any, ...], dict[str, Any]],
    dims: Sequence[Any],
    out_dims: Any,
    randomness: str,
    size: int,
) -> Any:
    """Return what a function gives for all examples of some arguments."""
    with batching(size, randomness) as level, transforming(level):
        inputs = [
            leaf if dim is None else batched(leaf, dim, level)
            for leaf, dim in zip(tree.leaves(every), dims, strict=True)
        ]
        args, kwargs = tree.rebuilt(every, inputs)
        output = func(*args, **kwargs)
        bases: dict[int, Any] = {}
        found = []
        for leaf, dim in zip(tree.leaves(output), _dims_of_outputs(output, out_dims, func),
                             strict=True):  # fmt: skip
            if dim is None and isinstance(leaf, Tensor) and is_batched(leaf, level):
                raise ValueError(
                    f"vmap({_name(func)}, ...): `{_name(func)}` can not return a BatchedTensor "
                    "when out_dim is None"
                )
            if dim is None:
                found.append(leaf)
                continue
            if not isinstance(leaf, Tensor):
                raise ValueError(
                    f"vmap({_name(func)}, ...): `{_name(func)}` must only return Tensors, got type "
                    f"{type(leaf)}. Did you mean to set out_dims= to None for output?"
                )
            found.append(unbatched(leaf, _out_dim(dim, leaf.ndim + 1), level, bases))
        return tree.rebuilt(output, found)


def _out_dim(dim: int, ndim: int) -> int:
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got "
            f"{dim})"
        )
    return dim % ndim


def _chunk(every: Any, dims: Sequence[Any], start: int, length: int) -> Any:
    """Return the arguments with some of the examples."""
    return tree.rebuilt(every, [
        leaf if dim is None or leaf.shape[dim] == length else leaf.narrow(dim, start, length)
        for leaf, dim in zip(tree.leaves(every), dims, strict=True)
    ])  # fmt: skip


def _joined(parts: Sequence[Any], out_dims: Any) -> Any:
    """Return the results of all chunks as one; what has no dimension for them is of the last."""
    dims = tree.spread(out_dims, parts[0])
    assert dims is not None  # they did fit
    columns = zip(*map(tree.leaves, parts), strict=True)
    return tree.rebuilt(parts[0], [
        column[-1] if dim is None else cat(column, dim)
        for column, dim in zip(columns, dims, strict=True)
    ])  # fmt: skip


# --------------------------------------------------------------------------- dimensions


def _name(func: Function) -> str:
    return getattr(func, "__name__", None) or repr(func)


def _dims_of_inputs(
    in_dims: Any, args: tuple[Any, ...], kwargs: dict[str, Any], func: Function
) -> tuple[list[int | None], int]:
    """Return the dimension of each argument that counts examples, and how many there are."""
    start = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, int | tuple):
        raise ValueError(
            f"{start}expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({_name(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you "
            "are trying to vmap over a function with no inputs. The latter is unsupported."
        )
    dims = tree.spread(in_dims, args)
    if dims is None:
        raise ValueError(
            f"{start}in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {tree.structure(in_dims)} but inputs has structure {tree.structure(args)}."
        )
    found: list[int | None] = []
    sizes: list[int] = []
    for leaf, dim in zip(tree.leaves(args), dims, strict=True):
        if dim is None:
            found.append(None)
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{start}Got in_dim={dim} for an input but in_dim must be either an integer "
                "dimension or None."
            )
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{start}Got in_dim={dim} for an input but the input is of type {type(leaf)}. We "
                "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -leaf.ndim <= dim < leaf.ndim:
            raise ValueError(
                f"{start}Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim "
                f"< {leaf.ndim}."
            )
        found.append(dim % leaf.ndim)
        sizes.append(leaf.shape[dim])
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return [*found, *(None for _ in tree.leaves(kwargs))], sizes[0]


def _check_out_dims(out_dims: Any, func: Function) -> None:
    if not all(isinstance(dim, int | None) for dim in tree.leaves(out_dims)):
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a "
            "python collection of ints representing where in the outputs the vmapped dimension "
            "should appear."
        )


def _dims_of_outputs(output: Any, out_dims: Any, func: Function) -> list[Any]:
    dims = tree.spread(out_dims, output)
    if dims is None:
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible "
            f"with the structure of `outputs`. out_dims has structure {tree.structure(out_dims)} "
            f"but outputs has structure {tree.structure(output)}."
        )
    return dims
