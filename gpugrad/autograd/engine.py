"""``backward`` and ``grad``: what is checked before the walk, and the arithmetic along it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._size import Size
from gpugrad._tensor import Tensor
from gpugrad.autograd.graph import GradientEdge, Metadata, metadata, target
from gpugrad.backend.batched import BatchedBackend, Level, levels_of
from gpugrad.graph import TensorBase, edge_of, leads_nowhere, mode, restoring, warn
from gpugrad.op import fit
from gpugrad.op.accumulation import differentiate
from gpugrad.op.batching import batched, batching, check_ends, levels_at, unbatched
from gpugrad.op.dual import seen_from
from gpugrad.op.generated.pointwise import HOST
from gpugrad.op.history import renew
from gpugrad.op.hooked import handed, one
from gpugrad.op.saved import heir, of_class, subclasses, up_to_date, wrap
from gpugrad.ops.filled import zeros_like

Roots = Tensor | GradientEdge | Sequence[Tensor | GradientEdge]


_ONE_PLACE = (TensorBase, GradientEdge)  # as a union of types it would be made at each call
_PLACES = (TensorBase, tuple, list)  # no mapping, which is a slow question


def _sequence(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, _ONE_PLACE) else tuple(value)


def _inputs(function: str, value: Any) -> tuple[Any, ...]:
    """Return the inputs that a function is given, which may be the values of a dictionary.

    Raises:
        RuntimeError: There are none.
        TypeError: It is another mapping.
    """
    if type(value) is dict:
        value = value.values()
    elif not isinstance(value, _PLACES) and isinstance(value, Mapping):
        raise TypeError(
            f"`inputs` argument to `{function}()` must be a dict, not {type(value).__name__}. "
            "Other Mapping types are not supported."
        )
    found = _sequence(value)
    if not found:
        raise RuntimeError(f"`inputs` argument to `{function}()` cannot be empty.")
    for place in found:
        backend.reveal(place)
    return found


def _roots(outputs: Sequence[Any], gradients: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the edges that a walk starts from, and the gradient of each, checked.

    Raises:
        RuntimeError: An output without gradient, or a gradient of another shape or kind.
        TypeError: A gradient that is no tensor.
    """
    for gradient in gradients:
        if gradient is not None:
            if not isinstance(gradient, TensorBase):
                raise _no_tensor(gradient)
            up_to_date(gradient)
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    edges, grads = [], []
    for k, gradient in enumerate(gradients):
        output = outputs[k]
        if isinstance(output, GradientEdge):
            edge = target(output)
            edges.append(edge)
            grads.append(_gradient_at(k, edge, output.ownership_token, gradient))
            continue
        if output._view is not None:
            renew(output)
        edge = edge_of(output)
        if gradient is not None:
            gradient = _fitting(k, output, edge, gradient)
        elif edge is not None:
            gradient = _implicit(output)
        if edge is None or leads_nowhere(edge):
            raise RuntimeError(
                f"element {k} of tensors does not require grad and does not have a grad_fn"
            )
        edges.append(edge)
        grads.append(gradient)
    return edges, grads


def _no_tensor(gradient: Any) -> TypeError:
    return TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")


def _gradient_at(k: int, edge: Any, kept: Metadata | None, gradient: Any) -> Any:
    """Return the gradient of an edge, checked as far as it is known what arrives there."""
    if kept is None:
        if gradient is None:
            raise RuntimeError(
                "grad can be implicitly created only for gradient edges that get_gradient_edge "
                f"returned, which know their shape; pass a gradient for outputs[{k}]"
            )
        return gradient
    if gradient is None:
        return _one(kept)
    _check_like(k, kept, gradient)
    return fit(gradient, kept.shape, kept.dtype, edge)


def _fitting(k: int, output: Any, edge: Any, gradient: Any) -> Any:
    """Return the gradient of a tensor, checked, in the type in which it goes to its edge."""
    array, given = output._array, gradient._array
    kind = given.__class__
    if (
        kind is array.__class__
        and kind in HOST
        and given.dtype is array.dtype
        and given.shape == array.shape
    ):
        return gradient
    _check_like(k, metadata(output), gradient)
    return fit(gradient, array.shape, array.dtype, edge)


def _check_like(k: int, output: Metadata, gradient: Any) -> None:
    kind = output.dtype
    if gradient._array.shape != output.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{k}] has a shape of {gradient.shape!r} and "
            f"output[{k}] has a shape of {Size(output.shape)!r}."
        )
    if (gradient._array.dtype.kind == "c") != (kind.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{k}] has a dtype of {gradient.dtype!r} and "
            f"output[{k}] has a dtype of {_dtype.of(kind)!r}."
        )
    if gradient.device != output.device:
        raise RuntimeError(
            f"invalid gradient at index {k} - expected device {output.device} but got "
            f"{gradient.device}. Move it there with .to(device) first."
        )


def _implicit(output: Any) -> Any:
    array = output._array
    host = array.__class__ is np.ndarray or isinstance(array, np.floating)
    if host and not array.ndim and array.dtype.kind == "f":
        return wrap(array.dtype.type(1))
    return _one(metadata(output))


def _one(output: Metadata) -> Any:
    shape, kind, device, door = output
    if math.prod(shape) != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if kind.kind == "c":
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got "
            f"{_dtype.of(kind)!r}"
        )
    return wrap(one(door, shape, kind, device))


def backward(
    tensors: Roots,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Roots | dict[Any, Any] | None = None,
) -> None:
    """Add the gradients of the tensors to the ``.grad`` of the leaves they were computed from.

    Args:
        tensors: One tensor or several, on any device, or gradient edges.
        grad_tensors: For each a gradient of its shape; ``None`` stands for 1 of a real scalar.
        retain_graph: Keep the saved values for another call; by default as ``create_graph``.
        create_graph: Record the gradients, so that they can be differentiated.
        grad_variables: The older name of ``grad_tensors``.
        inputs: Where given, only the ``.grad`` of these is added to; they need not be leaves.
            Of gradient edges, only those of leaves have one.  A dictionary stands for its values.

    Raises:
        RuntimeError: A tensor has no graph, or it was freed; a gradient does not fit; a saved
            value was modified in place; a transform runs, such as ``vmap`` or ``func.grad``.
        TypeError: A gradient is no tensor.
    """
    if mode.transforms:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use "
            "gpugrad.func.grad or gpugrad.func.vjp instead or call backward() outside of functorch "
            "transforms."
        )
    if grad_variables is not None:
        warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    outputs = _sequence(tensors)
    if grad_tensors is None:
        gradients: tuple[Any, ...] = (None,) * len(outputs)
    else:
        gradients = _sequence(grad_tensors)
    wanted = None if inputs is None else _inputs("backward", inputs)
    keep = create_graph if retain_graph is None else retain_graph
    edges, grads = _roots(outputs, gradients)
    ends = None
    if wanted is not None:
        for t in wanted:
            if isinstance(t, TensorBase):
                t.retain_grad()  # type: ignore[attr-defined]
        ends = list(map(target, wanted))
    differentiate(edges, grads, keep, create_graph, ends, accumulates=True)


def grad(
    outputs: Roots,
    inputs: Roots | dict[Any, Any],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """Return the gradients of the outputs with respect to the inputs; no ``.grad`` is touched.

    They are in a tuple, or in a dictionary where the inputs are.

    Hooks on the inputs have run on what is returned.  (PyTorch's have not where another input lies
    further down.)

    Args:
        outputs: One tensor or several, or gradient edges.
        inputs: The tensors or gradient edges to differentiate by, leaves or not, also as the
            values of a dictionary.
        grad_outputs: For each output a gradient of its shape; ``None`` stands for 1 of a scalar.
        retain_graph: Keep the saved values for another call; by default as ``create_graph``.
        create_graph: Record the gradients, so that they can be differentiated.
        only_inputs: Of no effect; no other gradients are computed.
        allow_unused: Give ``None`` for an input that the outputs do not depend on.
        is_grads_batched: The first dimension of each of ``grad_outputs`` counts vectors, for all of
            which one walk computes gradients; they have that dimension, too.  ``None`` stands for
            the same 1 with all of them.
        materialize_grads: Give zeros instead of ``None``.

    Raises:
        RuntimeError: An input was not used; and as :func:`backward`.
        ValueError: ``materialize_grads`` with ``allow_unused=False``; batched gradients of
            different numbers of vectors, or none.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    results, wanted = _sequence(outputs), _inputs("grad", inputs)
    if type(inputs) is dict:
        options = retain_graph, create_graph, only_inputs, allow_unused, is_grads_batched
        derived = grad(results, wanted, grad_outputs, *options, materialize_grads)
        return dict(zip(inputs, derived, strict=True))
    if not only_inputs:
        warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use "
            "gpugrad.autograd.backward.",
            FutureWarning,
        )
    gradients = (None,) * len(results) if grad_outputs is None else _sequence(grad_outputs)
    if is_grads_batched:
        _check_vectors(results, gradients)
        return _batched_grad(
            results, wanted, gradients, retain_graph, create_graph, True, allow_unused, False,
            materialize_grads,
        )  # fmt: skip
    keep = create_graph if retain_graph is None else retain_graph
    edges, starts = _roots(results, gradients)
    for t in wanted:
        if isinstance(t, TensorBase):
            if t._view is not None:
                renew(t)
            if t._edge is None:
                raise RuntimeError("One of the differentiated Tensors does not require grad")
    if mode.batches:
        check_ends(list(map(_levels, results)), list(map(_levels, wanted)))
    ends = list(map(target, wanted))
    grads = differentiate(edges, starts, keep, create_graph, ends, accumulates=False)
    derived = [
        _result(k, t, g, bool(allow_unused), materialize_grads, create_graph)
        for k, (t, g) in enumerate(zip(wanted, grads, strict=True))
    ]
    kind = heir((*results, *wanted)) if subclasses else None
    if kind is not None:  # not the tensors themselves, which others may hold
        derived = [None if g is None else of_class(seen_from(g, math.inf), kind) for g in derived]
    return tuple(derived)


@restoring
def _batched_grad(
    outputs: Sequence[Any], inputs: Sequence[Any], grad_outputs: Sequence[Any], *options: Any
) -> tuple[Any, ...]:
    """Return what :func:`grad` gives for each of the vectors that the gradients hold."""
    with batching(_count(grad_outputs)) as level:
        given = [g if g is None else batched(g, 0, level) for g in grad_outputs]
        found = grad(outputs, inputs, given, *options)
        bases: dict[int, Any] = {}
        return tuple([None if g is None else unbatched(g, 0, level, bases) for g in found])


def _levels(place: Any) -> Sequence[Level]:
    """Return the levels of ``vmap`` of a tensor or an edge."""
    if isinstance(place, TensorBase):
        return levels_of(place._array)
    if place.ownership_token is None:
        return levels_at(target(place))
    door = place.ownership_token.door
    return door.levels if isinstance(door, BatchedBackend) else ()


def _check_vectors(outputs: Sequence[Any], gradients: Sequence[Any]) -> None:
    """Raise where a gradient does not hold vectors of the shape of its output.

    Raises:
        IndexError: It has no dimension that could count them.
        RuntimeError: The sizes after the first differ.
        TypeError: It is no tensor.
    """
    for k, (output, g) in enumerate(zip(outputs, gradients, strict=False)):
        if g is None:
            continue
        if not isinstance(g, TensorBase):
            raise _no_tensor(g)
        shape = g._array.shape
        if not shape:
            raise IndexError(errors.NO_DIMENSION)
        if isinstance(output, GradientEdge):
            if output.ownership_token and shape[1:] != output.ownership_token.shape:
                raise RuntimeError("Batched grads are not supported with GradientEdge")
        elif shape[1:] != output._array.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output "
                "as the batch dimension. The sizes of the remaining dimensions are expected to "
                "match the shape of corresponding output, but a mismatch was detected: "
                # PyTorch leaves two dimensions out, not one
                f"grad_output[{k}] has a shape of {Size(shape[2:])!r} and "
                f"output[{k}] has a shape of {Size(output._array.shape)!r}. "
                "If you only want some tensors in `grad_output` to be considered batched, consider "
                "using vmap."
            )


def _count(gradients: Sequence[Any]) -> int:
    """Return how many vectors the gradients hold.

    Raises:
        ValueError: Not the same number, or there is none with a first dimension.
    """
    counts = [g._array.shape[0] for g in gradients if g is not None]
    if not counts:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(counts)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{counts} for the mapped dimension"
        )
    return counts[0]


def _result(k: int, wanted: Any, found: Any, unused: bool, zeros: bool, recorded: bool) -> Any:
    if found is not None:
        return handed(found)
    if zeros:
        if isinstance(wanted, GradientEdge):
            raise RuntimeError(
                "materialize_grads cannot be used when the given input is a GradientEdge"
            )
        return zeros_like(wanted, requires_grad=recorded)
    if unused:
        return None
    raise RuntimeError(
        f"The differentiated Tensor at index {k} appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior."
    )
