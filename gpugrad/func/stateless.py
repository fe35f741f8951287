"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gpugrad.graph import TensorBase
from gpugrad.ops.joining import stack

Values = Mapping[str, Any]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Values | Sequence[Values],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Return what a module computes with other parameters and buffers; it keeps its own.

    A dictionary that is given has, after the call, the tensors that the module put in their places.

    Args:
        module: What has parameters and buffers by name, as PyTorch's modules do.
        parameter_and_buffer_dicts: Tensors by the names of ``named_parameters`` and
            ``named_buffers``; or several dictionaries that share no name.
        args: Arguments of the call: a tuple, or one.
        kwargs: Arguments by name.
        tie_weights: What is one tensor in the module under several names is one in the call, too.
        strict: Raise unless all and only names of the module are given.

    Raises:
        AttributeError: There is no module of a name.
        RuntimeError: ``strict``, and names are missing or unexpected.
        TypeError: A value is no tensor.
        ValueError: There is neither a dictionary nor a sequence of them, a name is given twice, or
            two values to one tensor.
    """
    values = _merged(parameter_and_buffer_dicts)
    own = _named(module)
    if strict:
        _check_names(module, values, own)
    if tie_weights:
        values = _tied(values, own)
    if args is None:
        args = ()
    given = parameter_and_buffer_dicts
    with _replaced(module, values, given if isinstance(given, dict) else {}):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


def _named(module: Any) -> dict[str, Any]:
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _merged(given: Values | Sequence[Values]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, Sequence):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(given)}"
        )
    if not all(isinstance(d, Mapping) for d in given):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in given for name in d]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is "
            "ambiguous"
        )
    return {name: value for d in given for name, value in d.items()}


def _check_names(module: Any, values: Values, own: Values) -> None:
    missing, unexpected = (
        ", ".join(map(repr, sorted(set(a) - set(b)))) for a, b in ((own, values), (values, own))
    )
    lines = []
    if unexpected:
        lines.append(f"Unexpected key(s): {unexpected}.")
    if missing:
        lines.append(f"Missing key(s): {missing}.")
    if lines:
        name = type(module).__name__
        raise RuntimeError("\n\t".join([f"Error(s) in reparametrizing for {name}:", *lines]))


def _tied(values: dict[str, Any], own: Values) -> dict[str, Any]:
    """Return the values with those of one tensor given to all of its names."""
    found = dict(values)
    for name, tensor in own.items():
        same = [n for n, t in own.items() if t is tensor and n in values]
        if len({id(values[n]) for n in same}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(same)}, which are tied. "
                "Consider using tie_weights=False"
            )
        if same:
            found[name] = values[same[0]]
    return found


_MISSING: Any = object()


@contextmanager
def _replaced(module: Any, values: Values, given: dict[str, Any]) -> Iterator[None]:
    """Put other tensors into a module for the block.

    What stands in their places at its end is noted in ``given``, where they come from.
    """
    undo: list[tuple[Any, str, str, Any]] = []
    try:
        for path, value in values.items():
            holder = module
            *owners, name = path.split(".")
            for part in owners:
                if not hasattr(holder, part):
                    raise AttributeError(f"{type(holder).__name__} has no attribute `{part}`")
                holder = getattr(holder, part)
            undo.append((holder, name, path, _swapped(holder, name, value)))
        yield
    finally:
        for holder, name, path, before in reversed(undo):
            after = _swapped(holder, name, before)
            if path in given:
                given[path] = after


def _swapped(holder: Any, name: str, value: Any) -> Any:
    """Put a tensor into a module, where it is an attribute for others, and return what was there.

    Raises:
        TypeError: It is, or was, no tensor.
    """
    if not (value is _MISSING or value is None or isinstance(value, TensorBase)):
        raise TypeError(f"{value} is not an instance of gpugrad.Tensor")
    for tensors in holder._parameters, holder._buffers:
        if name in tensors:
            before = tensors[name]
            tensors[name] = value
            return before
    before = getattr(holder, name, _MISSING)
    if not (before is _MISSING or before is None or isinstance(before, TensorBase)):
        raise TypeError(f"attribute `{name}`: {before} is not an instance of gpugrad.Tensor")
    if value is not _MISSING:
        setattr(holder, name, value)
    elif before is not _MISSING:
        delattr(holder, name)
    return before


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of several modules, stacked along a new first axis.

    Args:
        models: Modules of one class, all training or none, on the same devices.

    Returns:
        Two dictionaries by name; the parameters are new leaves that require grad where they did.

    Raises:
        RuntimeError: There is no module, or they do not go together.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    return (
        _stacked([dict(m.named_parameters()) for m in models]),
        _stacked([dict(m.named_buffers()) for m in models]),
    )


def _stacked(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for name, first in states[0].items():
        tensors = [state[name] for state in states]
        if len({t.requires_grad for t in tensors}) > 1:
            raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
        found[name] = stack([t.detach() for t in tensors], 0).requires_grad_(first.requires_grad)
    return found


__all__ = ["functional_call", "stack_module_state"]


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Have all batch norms of a network do without running means and variances; return it.

    With these, each example of :func:`vmap` would move what all examples share.
    """
    from gpugrad.nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
