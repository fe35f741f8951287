"""Losses as layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.nn import functional
from gpugrad.nn.modules.distance import PairwiseDistance
from gpugrad.nn.modules.linear import Linear
from gpugrad.nn.modules.module import Module
from gpugrad.ops.nn.reduced import worded


class _Loss(Module):
    """A loss, of which the mean, the sum or all values are returned."""

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ):
        super().__init__()
        self.reduction = worded(size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    """A loss with weights, which are a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """The mean of ``abs(input - target)``.

    Args:
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.l1_loss``."""
        return functional.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """The mean of ``(input - target) ** 2``.

    Args:
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.mse_loss``."""
        return functional.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """The mean of a parabola of the difference that goes on as straight lines, with slope 1.

    Args:
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
        beta: Where the lines begin.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.smooth_l1_loss``."""
        return functional.smooth_l1_loss(input, target, beta=self.beta, reduction=self.reduction)


class HuberLoss(_Loss):
    """The mean of a parabola of the difference that goes on as straight lines.

    Args:
        reduction: "mean", "sum" or "none".
        delta: Where the lines begin, and their slope.

    Raises:
        TypeError: ``delta`` is no number.
    """

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ):
        super().__init__(None, None, reduction)
        if not isinstance(delta, float | int):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.huber_loss``."""
        return functional.huber_loss(input, target, delta=self.delta, reduction=self.reduction)


class BCELoss(_WeightedLoss):
    """The mean of ``-(target * log(input) + (1 - target) * log(1 - input))``.

    Args:
        weight: Of a shape that broadcasts to the input's.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.binary_cross_entropy``."""
        return functional.binary_cross_entropy(
            input, target, weight=self.weight, reduction=self.reduction
        )


class BCEWithLogitsLoss(_Loss):
    """``BCELoss`` of ``sigmoid(input)``, exact also where that is 0 or 1.

    Args:
        weight: Of a shape that broadcasts to the input's.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
        pos_weight: What the terms with the target are multiplied by.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.binary_cross_entropy_with_logits``."""
        return functional.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(_WeightedLoss):
    """The weighted mean of minus the logarithms of softmax at the right classes.

    Args:
        weight: Of each class, of shape (classes,).
        size_average: An older word for ``reduction``.
        ignore_index: A class that is left out, and of the mean, too.
        reduce: Likewise an older word.
        reduction: "mean", "sum" or "none".
        label_smoothing: How much of the target is spread evenly over all classes.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.cross_entropy``."""
        return functional.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction=self.reduction,
        )


class NLLLoss(_WeightedLoss):
    """The weighted mean of minus the logarithms of the right classes' probabilities.

    Args:
        weight: Of each class, of shape (classes,).
        size_average: An older word for ``reduction``.
        ignore_index: A class that is left out, and of the mean, too.
        reduce: Likewise an older word.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.nll_loss``."""
        return functional.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class NLLLoss2d(NLLLoss):
    """The older name of :class:`NLLLoss` for pictures, which gives a warning."""

    def __init__(self, *args: Any, **options: Any):
        warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in "
            "replacement and see https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more "
            "details.",
            FutureWarning,
        )
        super().__init__(*args, **options)


class LinearCrossEntropyLoss(_WeightedLoss):
    """``CrossEntropyLoss`` of an affine map, whose parameters are in the layer ``linear``.

    Args:
        in_features: The length of the last dimension of the input.
        num_classes: The number of classes.
        out_features: The sizes of other dimensions of the scores.
        bias: Whether there is one.
        device: Where the parameters are.
        dtype: Their type.
        reduction: "mean", "sum" or "none".
        weight: Of each class, of shape (classes,).
        ignore_index: A class that is left out, by default -100.
        label_smoothing: How much of the target is spread evenly over all classes.
        options: How PyTorch computes it by parts; here there is one way, with the same results.

    Raises:
        RuntimeError: The weights' shape does not fit, or the smoothing is not in [0, 1].
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ):
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if label_smoothing < 0 or label_smoothing > 1.0:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, None, None, reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        count = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, count, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.linear_cross_entropy``."""
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return functional.linear_cross_entropy(
            input,
            self.linear.weight.reshape((*shape, self.linear.in_features)),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        """Return what it was made with."""
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class PoissonNLLLoss(_Loss):
    """The mean of the negative logarithms of counts' Poisson probabilities.

    Args:
        log_input: Whether the input is logarithms of rates.
        full: Whether the logarithm of the factorial is added, by Stirling's formula.
        size_average: An older word for ``reduction``.
        eps: Added to rates before their logarithm.
        reduce: Likewise an older word.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.poisson_nll_loss``."""
        return functional.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """The mean of the negative logarithms of normal densities.

    Args:
        full: Whether their constant is added.
        eps: What variances are at least.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ):
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Any) -> Tensor:
        """Return the loss; see ``nn.functional.gaussian_nll_loss``."""
        return functional.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    """The mean of ``target * (log(target) - input)``, the divergence from ``exp(input)``.

    Args:
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
        log_target: Whether the target is logarithms.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.kl_div``."""
        return functional.kl_div(
            input, target, log_target=self.log_target, reduction=self.reduction
        )


class SoftMarginLoss(_Loss):
    """The mean of ``log(1 + exp(-target * input))``.

    Args:
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.soft_margin_loss``."""
        return functional.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """The mean of how far other classes are ahead of where they may be, of several right ones.

    Args:
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.multilabel_margin_loss``."""
        return functional.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over examples of ``BCEWithLogitsLoss``, averaged over classes.

    Args:
        weight: Of each class, of shape (classes,).
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.multilabel_soft_margin_loss``."""
        return functional.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


class MultiMarginLoss(_WeightedLoss):
    """The mean of how far other classes are ahead of where they may be.

    Args:
        p: 1 or 2, the power of that.
        margin: By how much others shall be behind.
        weight: Of each right class, of shape (classes,).
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: There is no such power, or the weight is not one-dimensional.
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(
                "MultiMarginLoss: expected weight to be None or 1D tensor, got "
                f"{weight.dim()}D instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.multi_margin_loss``."""
        return functional.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class HingeEmbeddingLoss(_Loss):
    """The mean of distances of pairs that belong together, and of what others lack of a margin.

    Args:
        margin: How far apart the others shall be.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.hinge_embedding_loss``."""
        return functional.hinge_embedding_loss(
            input, target, margin=self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(_Loss):
    """The mean of ``1 - cos`` of pairs that belong together, else of ``max(cos - margin, 0)``.

    Args:
        margin: What the cosine of the others may be.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.cosine_embedding_loss``."""
        return functional.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_Loss):
    """The mean of ``max(-target * (input1 - input2) + margin, 0)``.

    Args:
        margin: By how much the one shall be greater.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.margin_ranking_loss``."""
        return functional.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """The mean of ``max(distance to the positive - distance to the negative + margin, 0)``.

    Args:
        margin: By how much the positive shall be nearer.
        p: The order of the norm that is the distance.
        eps: Added to each difference.
        swap: Whether the distance of positive and negative is taken where that is less.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: The margin is not positive.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.triplet_margin_loss``."""
        return functional.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """``TripletMarginLoss`` with a distance of one's own.

    Args:
        distance_function: Of two tensors; by default ``PairwiseDistance()``.
        margin: By how much the positive shall be nearer.
        swap: Whether the distance of positive and negative is taken where that is less.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: The margin is not positive.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ):
        super().__init__(None, None, reduction)
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got "
                f"{margin} instead"
            )
        self.distance_function: Any = distance_function or PairwiseDistance()
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss; see ``nn.functional.triplet_margin_with_distance_loss``."""
        return functional.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CTCLoss(_Loss):
    """Minus the logarithm of the probability that labels are read, blanks between them.

    Args:
        blank: The class that stands for no label.
        reduction: "mean", of losses divided by the numbers of labels, "sum" or "none".
        zero_infinity: Whether examples with too few times for their labels give 0.
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(None, None, reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """Return the loss; see ``nn.functional.ctc_loss``."""
        return functional.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
