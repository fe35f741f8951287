"""Softmax over very many classes, of which the rare ones share their probabilities."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.container import ModuleList, Sequential
from gpugrad.nn.modules.linear import Linear
from gpugrad.nn.modules.module import Module


class ASMOutput(NamedTuple):
    """What :class:`AdaptiveLogSoftmaxWithLoss` returns.

    Attributes:
        output: The logarithms of the probabilities of the targets.
        loss: Less their mean.
    """

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The logarithm of softmax over classes in clusters: the more often one occurs, the earlier.

    The first classes, and each cluster of the others, have a score each; within a cluster there are
    scores of features that it has fewer of than the one before.

    Args:
        in_features: The number of features.
        n_classes: The number of classes, in the order of how often they occur.
        cutoffs: Where clusters begin.
        div_value: By what the number of features is divided from cluster to cluster.
        head_bias: Whether the first scores have biases.
        device: Where the parameters are.
        dtype: Their type.

    Raises:
        ValueError: Cutoffs are not integers between 0 and the number of classes that increase.

    Source: Grave et al., "Efficient softmax approximation for GPUs", 2017.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        found = list(cutoffs)
        if not found:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            found != sorted(set(found))
            or found[0] <= 0
            or found[-1] > n_classes - 1
            or any(int(c) != c for c in found)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                "order, where each value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*found, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for k, (start, end) in enumerate(itertools.pairwise(self.cutoffs), 1):
            hidden = int(in_features // div_value**k)
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, False, device, dtype),
                    Linear(hidden, end - start, False, device, dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for layer in (self.head, *(layer for cluster in self.tail for layer in cluster)):
            layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> ASMOutput:
        """Return the logarithms of the probabilities of the targets, and less their mean.

        Args:
            input_: Of shape (examples, in_features), or (in_features,).
            target_: Of shape (examples,), or a number.

        Raises:
            RuntimeError: Shapes do not fit, or a target is no class.
        """
        dims = target_.dim()
        if dims > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if dims == 1 and input_.size(0) != target_.size(0):
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input_.dim() != dims + 1:
            raise RuntimeError(
                f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with "
                f"size {input_.size()}"
            )
        rows = input_ if dims else input_.unsqueeze(0)
        target = target_ if dims else target_.unsqueeze(0)
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        place = target
        within = functions.zeros(target.shape, dtype=rows.dtype, device=rows.device)
        for k, (start, end) in enumerate(itertools.pairwise(self.cutoffs)):
            here = (target >= start) & (target < end)
            (members,) = functions.nonzero(here, as_tuple=True)
            if not members.numel():
                continue
            place = functions.where(here, self.shortlist_size + k, place)
            scores = functional.log_softmax(self.tail[k](rows.index_select(0, members)), dim=1)
            own = scores.gather(1, (target.index_select(0, members) - start).unsqueeze(1))
            within = within.index_add(0, members, own.squeeze(1))
        head = functional.log_softmax(self.head(rows), dim=1)
        out = within + head.gather(1, place.unsqueeze(1)).squeeze(1)
        loss = (-out).mean()
        return ASMOutput(out if dims else out.squeeze(0), loss)

    def _all(self, input: Tensor, scores: Tensor) -> Tensor:
        head = functional.log_softmax(scores, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for k, cluster in enumerate(self.tail):
            of_cluster = head[:, self.shortlist_size + k].unsqueeze(1)
            parts.append(functional.log_softmax(cluster(input), dim=1) + of_cluster)
        found: Tensor = functions.cat(parts, 1)
        return found

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the logarithms of the probabilities of all classes, a row for each example."""
        return self._all(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """Return the most probable class of each example.

        All classes are looked at only where a cluster has the highest first score.
        """
        scores = self.head(input)
        found: Tensor = scores.argmax(1)
        (others,) = functions.nonzero(found >= self.shortlist_size, as_tuple=True)
        if others.numel():
            some = self._all(input.index_select(0, others), scores.index_select(0, others))
            found = found.index_copy(0, others, some.argmax(1))
        return found
