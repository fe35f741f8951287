"""Attention by several heads."""

from __future__ import annotations

from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn import functional, init
from gpugrad.nn.modules.linear import NonDynamicallyQuantizableLinear
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter


class MultiheadAttention(Module):
    """Attention by several heads, each with its own projections of queries, keys and values.

    Args:
        embed_dim: The number of features, which the heads share.
        num_heads: The number of heads.
        dropout: The probability with which a weight becomes 0 in training.
        bias: Whether projections have biases.
        add_bias_kv: Whether a key and a value are added that are parameters.
        add_zero_attn: Whether a key and a value of zeros are added.
        kdim: The number of features of keys, by default ``embed_dim``.
        vdim: That of values.
        batch_first: Whether inputs are of shape (sequences, time, features), and not (time,
            sequences, features).
        device: Where the parameters are.
        dtype: Their type.

    Raises:
        AssertionError: The features cannot be shared evenly.
        ValueError: There are no features, or no heads.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def add(name: str, there: bool, *shape: int) -> None:
            empty = functions.empty(shape, device=device, dtype=dtype) if there else None
            self.register_parameter(name, None if empty is None else Parameter(empty))

        apart = not self._qkv_same_embed_dim
        add("q_proj_weight", apart, embed_dim, embed_dim)
        add("k_proj_weight", apart, embed_dim, self.kdim)
        add("v_proj_weight", apart, embed_dim, self.vdim)
        add("in_proj_weight", not apart, 3 * embed_dim, embed_dim)
        add("in_proj_bias", bias, 3 * embed_dim)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        add("bias_k", add_bias_kv, 1, 1, embed_dim)
        add("bias_v", add_bias_kv, 1, 1, embed_dim)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            for weight in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what the heads give for each query, and the weights if they are needed.

        See ``nn.functional.multi_head_attention_forward`` for the arguments.
        """
        turned = self.batch_first and query.dim() == 3
        if turned:  # what is one tensor stays so, and is projected at once
            known = {id(t): t.transpose(1, 0) for t in (query, key, value)}
            query, key, value = (known[id(t)] for t in (query, key, value))
        found, weights = functional.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return found.transpose(1, 0) if turned else found, weights
