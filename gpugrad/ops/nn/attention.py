"""Attention: means of values, weighted by how well a query fits their keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.errors import normal_dim
from gpugrad.graph import recording
from gpugrad.op import composite, public
from gpugrad.op.generator import Generator, source
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.arrangement import repeat_interleave
from gpugrad.ops.chance import chosen
from gpugrad.ops.counted import arange
from gpugrad.ops.fused import fusible, gradients
from gpugrad.ops.nn.chance import dropout as dropout_of
from gpugrad.ops.products import matmul
from gpugrad.ops.reduction import all as all_of
from gpugrad.ops.shape import matrices_transposed, unsqueeze
from gpugrad.ops.soft import softmax

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Drawn = tuple[int, int, int]  # where random numbers begin, as kernels draw them
Chance = tuple[()] | tuple[float, Drawn]  # by which weights are dropped
INF = float("inf")


def plain(
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    scale: float,
    causal: bool,
    dropout: float = 0.0,
    drawn: Drawn | None = None,
) -> Any:
    """Return ``softmax(scale * query @ key.mT + mask) @ value``.

    A mask of truth values tells which scores count.  A query for which none does gets 0.  ``drawn``
    says where the random numbers were that dropped weights; without it they are new.
    """
    scores = matmul(query * scale, matrices_transposed(key))
    if causal:
        queries, keys = scores._array.shape[-2:]
        with recording(False):
            before = unsqueeze(arange(queries, device=scores.device), 1) >= arange(
                keys, device=scores.device
            )
        scores = pw.where(before, scores, -INF)
    if mask is None:
        return matmul(dropped(softmax(scores, -1), dropout, drawn), value)
    scores = pw.where(mask, scores, -INF) if mask._array.dtype.kind == "b" else scores + mask
    with recording(False):
        none = all_of(scores.detach() == -INF, -1, True)
    weights = pw.where(none, 0, softmax(pw.where(none, 0, scores), -1))
    return matmul(dropped(weights, dropout, drawn), value)


def _shared(tensor: Any, query: Any) -> Any:
    """Return keys or values, each head as often as it serves one of the queries'."""
    heads, own = (t._array.shape[-3:-2] for t in (query, tensor))
    few = own not in (heads, (), (0,), (1,))
    return repeat_interleave(tensor, heads[0] // own[0], -3) if few else tensor


def dropped(weights: Any, dropout: float, drawn: Drawn | None = None) -> Any:
    """Return weights of which some are 0, with the probability ``dropout``."""
    if drawn is None:
        return dropout_of(weights, dropout) if dropout else weights
    array = weights._array
    here = backend.of(array).device_of(array)
    if drawn[2]:
        raise RuntimeError(
            "scaled_dot_product_attention: with dropout_p, what is captured as a CUDA graph can be "
            "differentiated once only."
        )
    generator = Generator(here).manual_seed(drawn[0])
    generator.set_offset(drawn[1])
    kept = chosen(array.shape, 1 - dropout, here, generator, array.dtype)
    return weights * wrap(kept) / (1 - dropout)


def _computed(
    door: backend.Backend, operands: Sequence[Array | None], scale: float, causal: bool, chance: Any
) -> tuple[Array, Array]:
    function: Any = door.fused("attention")
    found: tuple[Array, Array] = function(*operands, scale, causal, *chance)
    return found


@composite("ScaledDotProductFlashAttentionForCpuBackward0", outputs=("out", "logs"))
def _attention(
    door: backend.Backend, query: Array, key: Array, value: Array, *,
    scale: float, causal: bool, chance: Chance,
) -> tuple[Array, Array]:  # fmt: skip
    return _computed(door, (query, key, value, None), scale, causal, chance)


@composite("ScaledDotProductFlashAttentionForCpuBackward0", outputs=("out", "logs"))
def _masked(
    door: backend.Backend, query: Array, key: Array, value: Array, mask: Array, *,
    scale: float, causal: bool, chance: Chance,
) -> tuple[Array, Array]:  # fmt: skip
    return _computed(door, (query, key, value, mask), scale, causal, chance)


def _gradients(
    g: Any, out: Any, logs: Any, needs: Any, scale: float, causal: bool, chance: Chance,
    *inputs: Any,
) -> Any:  # fmt: skip
    def definition(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        key, value = (_shared(t, query) for t in (key, value))
        return plain(query, key, value, mask, scale, causal, *chance)

    def fused(g: Array) -> Sequence[Array | None]:
        query, key, value, *mask = (t._array for t in inputs)
        function: Any = backend.of(query).fused("attention_gradient")
        operands = (query, key, value, mask[0] if mask else None, out._array, logs._array)
        found: tuple[Array | None, ...] = function(
            g, *operands, scale, causal, bool(mask) and needs[3], *chance
        )
        return found[: len(inputs)]

    return gradients(definition, fused, inputs, [g], needs)


_ASKED = ("g", "out", "logs", "needs", "scale", "causal", "chance")
for _op in _attention, _masked:
    _op.gradient(_gradients, "inputs", (*_ASKED, *_op.op.input_names))

# By whether there is a mask, and PyTorch's names: of its kernel, of matrices, of other stacks.
_OPERATIONS = {
    False: (_attention, _attention.named("MmBackward0"), _attention.named("UnsafeViewBackward0")),
    True: (_masked, _masked.named("MmBackward0"), _masked.named("UnsafeViewBackward0")),
}


def _check(query: Any, key: Any, value: Any, mask: Any, dropout: float) -> None:
    """Raise where operands of attention do not fit, in PyTorch's words.

    Raises:
        RuntimeError: They do not.
    """
    kinds = [_dtype.of(t._array.dtype) for t in (query, key, value)]
    if len(set(kinds)) > 1:
        q, k, v = (kind.c_name for kind in kinds)
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {q} "
            f"key.dtype: {k} and value.dtype: {v} instead."
        )
    dims = [t._array.ndim for t in (query, key, value)]
    if min(dims) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            "{} key.dim: {} and value.dim: {} instead.".format(*dims)
        )
    if mask is not None and mask._array.dtype.kind != "b" and mask._array.dtype not in (
        np.float32, query._array.dtype,
    ):  # fmt: skip
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {_dtype.of(mask._array.dtype).c_name} and  query.dtype: "
            f"{kinds[0].c_name} instead."
        )
    if not kinds[0].is_floating_point:
        raise RuntimeError(f"expected scalar type Float but found {kinds[0].title}")
    if not 0 <= dropout <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout:g}")


def _is_usual(query: Any, key: Any, value: Any, mask: Any) -> bool:
    """Tell whether shapes fit without being broadcast, but for heads and the mask."""
    q, k, v = (t._array.shape for t in (query, key, value))
    heads, own = q[-3:-2], k[-3:-2]
    if heads != own and not (heads and own and heads[0] % max(own[0], 1) == 0):
        return False
    fit = q[:-3] == k[:-3] and k[:-1] == v[:-1] and q[-1] == k[-1]
    if not fit or 0 in (*q, *k, *v):
        return False
    if mask is None:
        return True
    shape, whole = mask._array.shape, (*q[:-1], k[-2])
    return len(shape) <= len(whole) and all(
        n in (1, m) for n, m in zip(reversed(shape), reversed(whole), strict=False)
    )


def _drawn(query: Any, keys: int) -> Drawn:
    """Return where the random numbers begin that drop weights: for each score there is one."""
    array = query._array
    stream = source(None, backend.of(array).device_of(array))
    found: Drawn = stream.taken(math.prod(array.shape[:-1]) * keys)
    return found


@public(method=False, name="nn.functional.scaled_dot_product_attention")
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return ``softmax(scale * query @ key.mT + attn_mask) @ value``.

    The matrix of scores is never there as a whole: some queries are taken at a time, and again for
    the gradients, on a GPU by one kernel each; but that of a mask that needs a gradient, and on the
    CPU where weights are dropped.

    Args:
        query: Of shape (..., queries, features).
        key: Of shape (..., keys, features).
        value: Of shape (..., keys, results).
        attn_mask: What is added to the scores, or, of type bool, which of them count; it broadcasts
            to (..., queries, keys).  With ``is_causal`` both hold; PyTorch refuses that where
            it does not take its fast kernel.
        dropout_p: The probability with which a weight becomes 0; the others are divided by
            1 - dropout_p.
        is_causal: Whether a query sees no keys behind its own place.
        scale: The factor of scores, by default ``1 / sqrt(features)``.
        enable_gqa: Whether keys and values may have fewer heads, in the third dimension from the
            end: each serves several of the queries'.

    Returns:
        Of shape (..., queries, results); 0 for queries for which no key counts.

    Raises:
        RuntimeError: Shapes or types do not fit.

    Source: Vaswani et al., "Attention is all you need", 2017.
    """
    _check(query, key, value, attn_mask, dropout_p)
    grouped = False
    if enable_gqa:
        heads = [t._array.shape[normal_dim(-3, t._array.ndim)] for t in (query, key, value)]
        if all(heads) and (heads[0] % heads[1] or heads[0] % heads[2]):
            raise RuntimeError(
                "Number of heads in key and value must divide the number of heads in "
            )
        grouped = heads[1] == heads[2]
    shape = query._array.shape
    factor = 1 / math.sqrt(shape[-1] or 1) if scale is None else float(scale)
    tensors = (query, key, value) if attn_mask is None else (query, key, value, attn_mask)
    same = grouped or query._array.shape[-3:-2] == key._array.shape[-3:-2]
    usual = same and dropout_p < 1 and _is_usual(query, key, value, attn_mask)
    if usual and fusible("attention_dropped" if dropout_p else "attention", *tensors):
        flash = len(shape) == 4 and value._array.shape[-1] == shape[-1]
        operations = _OPERATIONS[attn_mask is not None]
        operation: Any = operations[0 if flash else 1 if len(shape) == 2 else 2]
        chance = (dropout_p, _drawn(query, key._array.shape[-2])) if dropout_p else ()
        found: Tensor = operation(*tensors, scale=factor, causal=is_causal, chance=chance)[0]
        return found
    if enable_gqa:
        key, value = (_shared(t, query) for t in (key, value))
    whole: Tensor = plain(query, key, value, attn_mask, factor, is_causal, dropout_p)
    return whole
