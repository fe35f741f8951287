"""Attention by several heads, each of its own projections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype
from gpugrad.graph import recording, warn
from gpugrad.op import cast, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.added import baddbmm
from gpugrad.ops.joining import cat, chunk, split
from gpugrad.ops.nn.attention import INF, dropped, scaled_dot_product_attention
from gpugrad.ops.nn.linear import linear
from gpugrad.ops.part import constant_pad_nd
from gpugrad.ops.products import bmm
from gpugrad.ops.reduction import mean
from gpugrad.ops.shape import (
    expand,
    permute,
    reshape,
    squeeze,
    transpose,
    unsqueeze,
    view,
)
from gpugrad.ops.soft import softmax

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def canonical_mask(
    mask: Any,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Any:
    """Return a mask as what is added to scores: -inf where one of truth values holds.

    Raises:
        AssertionError: It is of integers.
    """
    if mask is None:
        return None
    kind = _dtype.of(mask._array.dtype)
    if kind is not _dtype.bool_ and not kind.is_floating_point:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and kind is not other_type:
        warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for "
            "both instead."
        )
    if kind.is_floating_point:
        return mask
    with recording(False):
        return cast(pw.where(mask, -INF, 0.0), dtype=target_type.numpy)


def _is_batched(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Tell whether there are several sequences.

    Raises:
        AssertionError: The numbers of dimensions do not fit.
    """
    dims = query._array.ndim
    if dims not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor"
        )
    which = "batched" if dims == 3 else "unbatched"
    both = [t._array.ndim for t in (key, value)]
    if both != [dims, dims]:
        raise AssertionError(
            f"For {which} ({dims}-D) `query`, expected `key` and `value` to be {dims}-D but found "
            f"{both[0]}-D and {both[1]}-D tensors respectively"
        )
    if padding is not None and padding._array.ndim != dims - 1:
        raise AssertionError(
            f"For {which} ({dims}-D) `query`, expected `key_padding_mask` to be `None` or "
            f"{dims - 1}-D but found {padding._array.ndim}-D tensor instead"
        )
    if mask is not None:
        if mask._array.ndim not in (2, 3):
            raise AssertionError(
                f"For {which} ({dims}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D "
                f"but found {mask._array.ndim}-D tensor instead"
            )
        wanted = heads, query._array.shape[0], key._array.shape[0]
        if dims == 2 and mask._array.ndim == 3 and mask._array.shape != wanted:
            raise AssertionError(f"Expected `attn_mask` shape to be {wanted} but got {mask.size()}")
    return dims == 3


def _projected_together(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> Sequence[Any]:
    """Return the projections of queries, keys and values by the thirds of one weight."""
    length = query._array.shape[-1]
    if key is value and query is key:
        return chunk(linear(query, weight, bias), 3, -1)
    if key is value:
        first, rest = split(weight, [length, 2 * length])
        b_first, b_rest = (None, None) if bias is None else split(bias, [length, 2 * length])
        return linear(query, first, b_first), *chunk(linear(key, rest, b_rest), 2, -1)
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    return [
        linear(t, w, b)
        for t, w, b in zip((query, key, value), chunk(weight, 3), biases, strict=True)
    ]


def _projected_apart(
    query: Any, key: Any, value: Any, weights: Sequence[Any], bias: Any
) -> Sequence[Any]:
    """Return the projections of queries, keys and values by a weight each."""
    length = query._array.shape[-1]
    for t, w, name in zip((query, key, value), weights, ("query", "key", "value"), strict=True):
        wanted = length, t._array.shape[-1]
        if w._array.shape != wanted:
            raise AssertionError(f"expecting {name} weights shape of {wanted}, but got {w.size()}")
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    return [linear(t, w, b) for t, w, b in zip((query, key, value), weights, biases, strict=True)]


def _with_static(projected: Any, static: Any, name: str, stacks: int, length: int) -> Any:
    """Return keys or values with their heads first: those that are given, or projected ones."""
    if static is None:
        return transpose(reshape(projected, (projected._array.shape[0], stacks, length)), 0, 1)
    for dim, wanted in (0, stacks), (2, length):
        if static._array.shape[dim] != wanted:
            raise AssertionError(
                f"expecting {name}.size({dim}) of {wanted}, but got {static._array.shape[dim]}"
            )
    return static


@public(method=False, name="nn.functional.multi_head_attention_forward")
def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """Return attention by several heads, each of its own projections, and the weights or ``None``.

    Args:
        query: Of shape (queries, sequences, features), or (queries, features).
        key: Of shape (keys, sequences, key features).
        value: Of shape (keys, sequences, value features).
        embed_dim_to_check: The number of features.
        num_heads: The number of heads, which share the features.
        in_proj_weight: Of shape (3 * features, features): for queries, keys and values.
        in_proj_bias: Of shape (3 * features,), or none.
        bias_k: A key that is added, of shape (1, 1, features), or none.
        bias_v: The value to that key.
        add_zero_attn: Whether a key and a value of zeros are added.
        dropout_p: The probability with which a weight becomes 0 in training.
        out_proj_weight: Of shape (features, features): by which heads are put together.
        out_proj_bias: Of shape (features,), or none.
        training: Whether weights are dropped.
        key_padding_mask: Of shape (sequences, keys): what is added to the scores of a key, or of
            type bool, which keys do not count.
        need_weights: Whether the weights are returned.
        attn_mask: The same for each query and key, of shape (queries, keys) or (sequences * heads,
            queries, keys).
        use_separate_proj_weight: Whether projections are by the next three weights.
        q_proj_weight: Of shape (features, features).
        k_proj_weight: Of shape (features, key features).
        v_proj_weight: Of shape (features, value features).
        static_k: Keys that are taken as they are, of shape (sequences * heads, keys, features /
            heads).
        static_v: Values that are taken so.
        average_attn_weights: Whether weights are means over the heads, of shape (sequences,
            queries, keys), or of each head.
        is_causal: That ``attn_mask`` hides the keys behind each query; a hint.

    Raises:
        AssertionError: Shapes do not fit.
        RuntimeError: A mask does not fit.

    Source: Vaswani et al., "Attention is all you need", 2017.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        itself, together = query is key, key is value
        query = unsqueeze(query, 1)
        key = query if itself else unsqueeze(key, 1)
        value = key if together else unsqueeze(value, 1)
        if key_padding_mask is not None:
            key_padding_mask = unsqueeze(key_padding_mask, 0)
    queries, count, length = query._array.shape
    keys = key._array.shape[0]
    kind = query.dtype
    padding = canonical_mask(
        key_padding_mask, "key_padding_mask", None if attn_mask is None else attn_mask.dtype,
        "attn_mask", kind,
    )  # fmt: skip
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    mask: Any = None
    if not (is_causal and padding is None and not need_weights):
        mask = canonical_mask(attn_mask, "attn_mask", None, "", kind, False)
        is_causal = is_causal and padding is None
    if length != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {length}"
        )
    each = length // num_heads
    if each * num_heads != length:
        raise AssertionError(f"embed_dim {length} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key._array.shape[:2] != value._array.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.size()[:2]} do not match value's "
                f"{value.size()[:2]}"
            )
        weights = q_proj_weight, k_proj_weight, v_proj_weight
        for w, name in zip(weights, "qkv", strict=True):
            if w is None:
                raise AssertionError(
                    f"use_separate_proj_weight is True but {name}_proj_weight is None"
                )
        q, k, v = _projected_apart(query, key, value, weights, in_proj_bias)
    else:
        if key._array.shape != value._array.shape:
            raise AssertionError(
                f"key shape {key.size()} does not match value shape {value.size()}"
            )
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _projected_together(query, key, value, in_proj_weight, in_proj_bias)
    if mask is not None:
        dims = mask._array.ndim
        wanted = (queries, keys) if dims == 2 else (count * num_heads, queries, keys)
        if mask._array.shape != wanted:
            raise RuntimeError(
                f"The shape of the {dims}D attn_mask is {mask.size()}, but should be {wanted}."
            )
        mask = unsqueeze(mask, 0) if dims == 2 else mask

    def longer(given: Any) -> Any:
        return None if given is None else constant_pad_nd(given, [0, 1])

    if (bias_k is None) is not (bias_v is None):
        given, missing = ("k", "v") if bias_v is None else ("v", "k")
        raise AssertionError(f"bias_{given} is set but bias_{missing} is None")
    if bias_k is not None and bias_v is not None:
        for static, name in (static_k, "key"), (static_v, "value"):
            if static is not None:
                raise AssertionError(f"bias cannot be added to static {name}.")
        k = cat([k, bias_k.repeat(1, count, 1)])
        v = cat([v, bias_v.repeat(1, count, 1)])
        mask, padding = longer(mask), longer(padding)
    stacks = count * num_heads
    q = transpose(reshape(q, (queries, stacks, each)), 0, 1)
    k = _with_static(k, static_k, "static_k", stacks, each)
    v = _with_static(v, static_v, "static_v", stacks, each)
    if add_zero_attn:
        k, v = (constant_pad_nd(t, [0, 0, 0, 1]) for t in (k, v))
        mask, padding = longer(mask), longer(padding)
    keys = k._array.shape[1]
    if padding is not None:
        for dim, wanted_size in enumerate((count, keys)):
            if padding._array.shape[dim] != wanted_size:
                raise AssertionError(
                    f"Expected key_padded_mask.shape[{dim}] to be {wanted_size}, but got "
                    f"{padding._array.shape[dim]}"
                )
        padding = expand(view(padding, (count, 1, 1, keys)), (count, num_heads, 1, keys))
        padding = reshape(padding, (stacks, 1, keys))
        mask = padding if mask is None else mask + padding
    dropout = dropout_p if training else 0.0
    if need_weights:
        q = q * math.sqrt(1.0 / each)
        scores = (
            bmm(q, transpose(k, 1, 2)) if mask is None else baddbmm(mask, q, transpose(k, 1, 2))
        )
        weighted = dropped(softmax(scores, -1), dropout)
        found = transpose(bmm(weighted, v), 0, 1)
    else:
        if mask is not None:
            alike = mask._array.shape[0] == 1
            mask = unsqueeze(mask, 0) if alike else view(mask, (count, num_heads, -1, keys))
        q, k, v = (reshape(t, (count, num_heads, t._array.shape[1], each)) for t in (q, k, v))
        found = scaled_dot_product_attention(q, k, v, mask, dropout, is_causal)
        found = permute(found, (2, 0, 1, 3))
    found = linear(reshape(found, (queries, count, length)), out_proj_weight, out_proj_bias)
    found = found if batched else squeeze(found, 1)
    if not need_weights:
        return found, None
    weighted = view(weighted, (count, num_heads, queries, keys))
    weighted = mean(weighted, 1) if average_attn_weights else weighted
    return found, weighted if batched else squeeze(weighted, 0)
