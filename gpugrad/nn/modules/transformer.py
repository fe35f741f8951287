"""Transformers: layers of attention with what comes after each, put together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.nn import functional, init
from gpugrad.nn.modules.activation import GELU, ReLU
from gpugrad.nn.modules.attention import MultiheadAttention
from gpugrad.nn.modules.container import ModuleList
from gpugrad.nn.modules.dropout import Dropout
from gpugrad.nn.modules.linear import Linear
from gpugrad.nn.modules.module import Module
from gpugrad.nn.modules.normalization import LayerNorm
from gpugrad.ops.nn.heads import canonical_mask

Activation = str | Callable[[Tensor], Tensor]


def _causal_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    full = functions.full((size, size), float("-inf"), dtype=dtype, device=device)
    found: Tensor = functions.triu(full, diagonal=1)
    return found


def _is_causal(mask: Tensor | None, is_causal: bool | None, size: int) -> bool:
    """Tell whether a mask hides the keys behind each query: by its numbers, if it is not said."""
    if is_causal is not None or mask is None:
        return is_causal is True
    wanted = _causal_mask(size, mask.device, mask.dtype)
    return tuple(mask.shape) == tuple(wanted.shape) and bool((mask == wanted).all())


def _length(rows: Tensor, batch_first: bool) -> int:
    return int(rows.shape[1 if batch_first and rows.dim() == 3 else 0])


def _canonical(mask: Any, name: str, other: Any, other_name: str, like: Tensor) -> Any:
    other_type = None if other is None else other.dtype
    return canonical_mask(mask, name, other_type, other_name, like.dtype, other_name != "")


def _activation(given: Activation) -> Any:
    if not isinstance(given, str):
        return given
    known = {"relu": functional.relu, "gelu": functional.gelu}
    if given not in known:
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return known[given]


class _Layer(Module):
    """What layers of encoders and decoders have in common: what comes after attention.

    Args:
        d_model: The number of features.
        nhead: The number of heads.
        dim_feedforward: The number of features between the two affine maps.
        dropout: The probability with which an element becomes 0 in training.
        activation: "relu", "gelu", or a function, between the two.
        layer_norm_eps: What is added to variances.
        batch_first: Whether sequences are of shape (sequences, time, features), and not (time,
            sequences, features).
        norm_first: Whether inputs are normalized before each part, and not sums after it.
        bias: Whether affine maps and norms have biases.
        device: Where the parameters are.
        dtype: Their type.
    """

    _attentions: tuple[str, ...] = ("self_attn",)

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        for name in self._attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        parts = range(1, len(self._attentions) + 2)
        for k in parts:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
            setattr(self, f"norm{k}", norm)
        for k in parts:
            setattr(self, f"dropout{k}", Dropout(dropout))
        self.activation = _activation(activation)

    @property
    def activation_relu_or_gelu(self) -> int:
        """Which of the two the activation is, by PyTorch's numbers: 1, 2, or 0 for another."""
        given = self.activation
        if given is functional.relu or isinstance(given, ReLU):
            return 1
        return 2 if given is functional.gelu or isinstance(given, GELU) else 0

    def _fed_forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return found

    def _through(self, x: Tensor, parts: list[Callable[[Tensor], Tensor]]) -> Tensor:
        """Return the input with what each part adds, normalized before or after."""
        for k, part in enumerate(parts, 1):
            norm, dropout = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
            x = x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))
        return x


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then two affine maps, each added to its input.

    Args:
        d_model: The number of features.
        nhead: The number of heads.
        dim_feedforward: The number of features between the two affine maps.
        dropout: The probability with which an element becomes 0 in training.
        activation: "relu", "gelu", or a function, between the two.
        layer_norm_eps: What is added to variances.
        batch_first: Whether sequences are of shape (sequences, time, features), and not (time,
            sequences, features).
        norm_first: Whether inputs are normalized before each part, and not sums after it.
        bias: Whether affine maps and norms have biases.
        device: Where the parameters are.
        dtype: Their type.
    """

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return the sequences, of their shape.

        Args:
            src: The sequences.
            src_mask: See ``attn_mask`` of :class:`MultiheadAttention`.
            src_key_padding_mask: See ``key_padding_mask`` there.
            is_causal: That ``src_mask`` hides the keys behind each query.
        """
        padding = _canonical(
            src_key_padding_mask, "src_key_padding_mask", src_mask, "src_mask", src
        )
        mask = _canonical(src_mask, "src_mask", None, "", src)

        def attended(x: Tensor) -> Tensor:
            found: Tensor = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0]
            return found

        return self._through(src, [attended, self._fed_forward])


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself, then to a memory, then two affine maps.

    See :class:`TransformerEncoderLayer` for the arguments.
    """

    _attentions = "self_attn", "multihead_attn"

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the sequences, of their shape.

        Args:
            tgt: The sequences.
            memory: What an encoder made of others.
            tgt_mask: See ``attn_mask`` of :class:`MultiheadAttention`.
            memory_mask: The same for the memory.
            tgt_key_padding_mask: See ``key_padding_mask`` there.
            memory_key_padding_mask: The same for the memory.
            tgt_is_causal: That ``tgt_mask`` hides the keys behind each query.
            memory_is_causal: The same for the memory.
        """

        def attended(x: Tensor) -> Tensor:
            found: Tensor = self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )[0]
            return found

        def remembered(x: Tensor) -> Tensor:
            found: Tensor = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask,
                is_causal=memory_is_causal,
            )[0]  # fmt: skip
            return found

        return self._through(tgt, [attended, remembered, self._fed_forward])


def _obstacle(layer: Any) -> str:
    """Return why PyTorch would not use nested tensors for copies of a layer, "" if it would."""
    if not isinstance(layer, TransformerEncoderLayer):
        return " was not TransformerEncoderLayer"
    attention: Any = layer.self_attn
    found = {
        ".norm_first was True": layer.norm_first,
        ".self_attn.batch_first was not True(use batch_first for better inference performance)": (
            not attention.batch_first
        ),
        ".self_attn._qkv_same_embed_dim was not True": not attention._qkv_same_embed_dim,
        ".self_attn was passed bias=False": attention.in_proj_bias is None,
        ".activation_relu_or_gelu was not True": not layer.activation_relu_or_gelu,
        ".norm1.eps was not equal to encoder_layer.norm2.eps": layer.norm1.eps != layer.norm2.eps,
        ".self_attn.num_heads is odd": attention.num_heads % 2,
    }
    return next((words for words, holds in found.items() if holds), "")


class TransformerEncoder(Module):
    """Layers on each other.

    Args:
        encoder_layer: Of which there are copies.
        num_layers: How many.
        norm: What the output is given to last, or none.
        enable_nested_tensor: Changes nothing but ``use_nested_tensor``, and a warning where the
            layer is none that PyTorch has them for: there are no nested tensors, for which PyTorch,
            in evaluation and without gradients, has zeros in the place of what is padded.
        mask_check: Likewise.
    """

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        obstacle = _obstacle(encoder_layer)
        self.use_nested_tensor = enable_nested_tensor and not obstacle
        if enable_nested_tensor and obstacle:
            warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because "
                f"encoder_layer{obstacle}"
            )
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return what the layers make of sequences; see :class:`TransformerEncoderLayer`.

        Whether the mask is causal is found by its numbers, if it is not said.
        """
        padding = _canonical(src_key_padding_mask, "src_key_padding_mask", mask, "mask", src)
        mask = _canonical(mask, "mask", None, "", src)
        causal = False
        if mask is not None:
            first: Any = self.layers[0]
            causal = _is_causal(mask, is_causal, _length(src, first.self_attn.batch_first))
        elif is_causal:
            causal = True
        out = src
        for layer in self.layers:
            out = layer(out, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """Layers on each other, which see a memory.

    Args:
        decoder_layer: Of which there are copies.
        num_layers: How many.
        norm: What the output is given to last, or none.
    """

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return what the layers make of sequences; see :class:`TransformerDecoderLayer`."""
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, first.self_attn.batch_first))
        out = tgt
        for layer in self.layers:
            out = layer(
                out, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                causal, memory_is_causal,
            )  # fmt: skip
        return out if self.norm is None else self.norm(out)


class Transformer(Module):
    """An encoder of sequences, and a decoder that sees what it made of them.

    Args:
        d_model: The number of features.
        nhead: The number of heads.
        num_encoder_layers: How many layers the encoder has.
        num_decoder_layers: How many the decoder has.
        dim_feedforward: See :class:`TransformerEncoderLayer`, also for the arguments below.
        dropout: See there.
        activation: See there.
        custom_encoder: The encoder, where there is one.
        custom_decoder: The decoder, where there is one.
        layer_norm_eps: See there.
        batch_first: See there.
        norm_first: See there.
        bias: See there.
        device: See there.
        dtype: See there.

    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        options = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)

        if custom_encoder is None:
            layer = TransformerEncoderLayer(*options)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        self.encoder = custom_encoder
        if custom_decoder is None:
            other = TransformerDecoderLayer(*options)
            custom_decoder = TransformerDecoder(other, num_decoder_layers, norm())
        self.decoder = custom_decoder
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return what the decoder makes of ``tgt``, given what the encoder makes of ``src``.

        Raises:
            RuntimeError: There are not as many of both, or they have another number of features.
        """
        dim = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(dim) != tgt.size(dim):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        found: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return found

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return a mask that hides the keys behind each query: -inf there, else 0."""
        return _causal_mask(sz, device, dtype)
