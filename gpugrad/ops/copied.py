"""Copies of views: ``permute_copy(x, dims)`` is a copy of ``permute(x, dims)``, and so on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpugrad.graph import Node, Output
from gpugrad.op import public
from gpugrad.op.forms import PUBLIC
from gpugrad.ops import complex as complex_
from gpugrad.ops import copy, joining, part, shape, strided
from gpugrad.ops.copy import cloned_as

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _copy(view: Any) -> Any:
    """Return a copy of a view; its node bears the name of the view's."""
    edge = view._edge
    node = edge.node if isinstance(edge, Output) else edge
    name = f"{node.name()}_copy" if isinstance(node, Node) else "CloneBackward0"
    return cloned_as(name)(view, order="C")


def _copying(make: Callable[..., Any], name: str) -> Any:
    """Return the function that copies the view, or each of the views, which another one makes."""

    @functools.wraps(make)
    def function(*args: Any, **options: Any) -> Any:
        view = make(*args, **options)
        return tuple(map(_copy, view)) if isinstance(view, tuple) else _copy(view)

    function.__doc__ = f"Return a copy of what ``{name}`` makes a view of."
    return public(method=False, out=True, name=f"{name}_copy")(function)


def _alias(input: Tensor) -> Tensor:
    result: Tensor = shape.alias(input)
    return result


for _make in (
    _alias, complex_.view_as_complex, complex_.view_as_real, copy.detach, joining.split,
    joining.split_with_sizes, joining.unbind, part.diagonal, part.select, part.slice_,
    shape.expand, shape.permute, shape.squeeze, shape.t, shape.transpose, shape.unsqueeze,
    shape.view, strided.as_strided, strided.unfold,
):  # fmt: skip
    _copying(_make, _make.__name__.strip("_"))

diagonal_copy = PUBLIC["diagonal_copy"].plain
