"""Losses beside PyTorch: values of odd arguments, errors, and what is warned of."""

from __future__ import annotations

import pytest

from comparison import agree_on

_O, _I = "torch.ones(2, 3)", "torch.zeros(2, 3, dtype=torch.int64)"
_HALF = "torch.full((2, 3), 0.5)"
_GRAD = "torch.ones(2, 3, requires_grad=True)"
_NAMES = (
    "l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "soft_margin_loss", "kl_div", "poisson_nll_loss",
    "multilabel_soft_margin_loss",
)  # fmt: skip
_OLDER = [name for name in _NAMES if name != "huber_loss"]

# Of scores and classes.
_PAIRS = [
    (f"torch.ones({x})", y if y.startswith("torch") else f"torch.zeros({y}, dtype=torch.int64)")
    for x, y in (
        ("2, 3", "3"), ("3", "1"), ("3", "()"), ("3", "2"), ("()", "1"),
        ("2, 3", "torch.tensor([0, 3])"), ("2, 3", "torch.tensor([0, -1])"),
        ("2, 3", "torch.tensor([0, -100])"), ("2, 3", "torch.ones(2)"),
        ("2, 3", "torch.zeros(2, dtype=torch.int32)"),
        ("2, 3", "torch.zeros(2, dtype=torch.uint8)"), ("2, 3, 4", "2, 4"), ("2, 3, 4", "2, 3"),
        ("2, 3, 4, 5", "2, 5, 4"), ("2, 3, 4, 5", "2, 4"), ("2, 3, 1, 1, 1", "2, 1, 1, 1"),
        ("2, 3, 4, 5, 2", "2, 4, 5"), ("3, 4", "3, 1"),
        ("2, 3, dtype=torch.int64", "2"), ("2, 3, dtype=torch.float16", "2"),
    )
]  # fmt: skip
_OPTIONS = (
    "weight=torch.ones(2)", "weight=torch.ones(3).double()",
    "weight=torch.ones(3, requires_grad=True)", "reduction='middle'", "size_average=False",
    "torch.ones(3), ignore_index=0, reduction='sum'",
)  # fmt: skip

_SCORES = "torch.zeros(5, 2, 4).log_softmax(2)"
_TARGETS = "torch.tensor([[1, 2, 2], [3, 1, 1]])"

# Calls of functions of ``torch.nn.functional``.
CALLS = [
    *(f"{name}({_HALF}, {_O}, reduction='{word}')" for name in _NAMES
      for word in ("none", "middle", "elementwise_mean")),
    *(f"{name}({_HALF}, {_O}, {word})" for name in _OLDER
      for word in ("size_average=False", "reduce=False", "size_average=True, reduce=True")),
    *(f"{name}({_HALF}, torch.ones({shape}))" for name in _NAMES
      for shape in ("3", "2, 2", "2, 1")),
    *(f"{name}({a}, {b}, reduction='none')" for name in _NAMES
      for a, b in ((_HALF, _I), (_I, _HALF), (_I, _I), (_HALF, f"{_O}.double()"),
                   (_HALF, f"{_O}.to(torch.complex64)"))
      # whose other part PyTorch computes in single precision, or in complex numbers
      if name != "binary_cross_entropy_with_logits" or _O not in b),
    *(f"{name}(torch.ones(0), torch.ones(0)).isnan()" for name in _NAMES),
    f"smooth_l1_loss({_O}, {_HALF}, beta=-1)", f"smooth_l1_loss({_O}, {_HALF}, beta=0)",
    f"huber_loss({_O}, {_HALF}, delta=0)",
    *(f"{name}({_O}, {_HALF}, weight={w}, reduction='{word}')"
      for name in ("l1_loss", "mse_loss", "huber_loss") for w in (_HALF, "torch.ones(3)")
      for word in ("none", "sum", "mean", "middle")),
    f"binary_cross_entropy(2 * {_O}, {_O})", f"binary_cross_entropy({_HALF}, 2 * {_O})",
    f"binary_cross_entropy(-{_O}, {_O})",
    *(f"{name}({_HALF}, {_O}, {w})"
      for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits")
      for w in ("torch.ones(3)", "torch.ones(4, 2, 3)", f"{_O}.double()", _GRAD)),
    f"binary_cross_entropy_with_logits({_HALF}, {_O}, pos_weight={_GRAD})",
    f"binary_cross_entropy_with_logits({_HALF}, {_O}, pos_weight=torch.ones(2))",
    *(f"gaussian_nll_loss({_HALF}, {_O}, {v})"
      for v in ("2.0", "-1.0", f"-{_O}", "torch.ones(2)", "torch.ones(3)", "torch.ones(2, 1)",
                "torch.ones(1, 1)", f"{_O} * 0")),
    f"gaussian_nll_loss({_HALF}, {_O}, {_O}, reduction='middle')",
    *(f"{name}({x}, {y})" for name in ("nll_loss", "cross_entropy") for x, y in _PAIRS),
    *(f"{name}(torch.ones(2, 3), torch.zeros(2, dtype=torch.int64), {options})"
      for name in ("nll_loss", "cross_entropy") for options in _OPTIONS),
    *(f"{name}(torch.ones(2, 3), torch.tensor([-100, -100])).isnan()"
      for name in ("nll_loss", "cross_entropy")),
    *(f"{name}(torch.ones(0, 3), torch.zeros(0, dtype=torch.int64)).isnan()"
      for name in ("nll_loss", "cross_entropy")),
    *(f"cross_entropy({_O}, {_HALF}, {options})" for options in (
        "weight=torch.ones(2)", "ignore_index=1", "label_smoothing=1.5", "reduction='none'",
        "weight=torch.tensor([1., 2., 3.]), label_smoothing=0.5, reduction='sum'")),
    f"cross_entropy({_O}, {_I})", "cross_entropy(torch.ones(()), torch.tensor(0))",
    *(f"ctc_loss({_SCORES}, {call})" for call in (
        f"{_TARGETS}, torch.tensor([5, 5]), torch.tensor([3, 3])",
        f"{_TARGETS}, (5, 5), (3, 3), reduction='none'",
        f"{_TARGETS}, torch.tensor([5, 0]), torch.tensor([3, 3]), reduction='none'",
        f"{_TARGETS}, (5, 0), (3, 0), reduction='none'", f"{_TARGETS}.view(-1), (5, 5), (3, 3)",
        f"{_TARGETS}, (5, 1), (3, 3), reduction='none', zero_infinity=True",
        f"{_TARGETS}[0], (5, 5), (3, 3)", f"{_TARGETS}, (5,), (3, 3)",
        f"{_TARGETS}, (5, 6), (3, 3)",
        f"{_TARGETS}, (5, 5), (3, 4)", f"{_TARGETS}, (5, 5), (3,)", f"{_TARGETS}, (5, 5), (3, -1)",
        f"{_TARGETS}, (5, -5), (3, 3)", f"{_TARGETS}, (5, 5), (3, 3), blank=4",
        f"{_TARGETS}, torch.tensor([5., 5.]), torch.tensor([3, 3])",
        f"{_TARGETS}.unsqueeze(2), (5, 5), (3, 3)", f"{_TARGETS}.double(), (5, 5), (3, 3)",
        f"{_TARGETS}, (5, 5), (3, 3), reduction='middle'",
        f"{_TARGETS}.repeat(2, 1), (5, 5), (3, 3)")),
    f"ctc_loss({_SCORES}[:, 0], {_TARGETS}[0], torch.tensor(5), torch.tensor(3), reduction='none')",
    f"ctc_loss({_SCORES}[0, 0], {_TARGETS}[0], (5,), (3,))",
    f"ctc_loss({_SCORES}[:0], {_TARGETS}, (0, 0), (0, 0))",
    f"ctc_loss({_SCORES}.half(), {_TARGETS}, (5, 5), (3, 3))",
    *(f"linear_cross_entropy({call})" for call in (
        "torch.ones(2, 2, 2), torch.ones(3, 2), torch.tensor([0, 1])",
        "torch.ones(2, 2), torch.ones(3), torch.tensor([0, 1])",
        "torch.ones(2, 2), torch.ones(3, 4), torch.tensor([0, 1])",
        "torch.ones(2, 2), torch.ones(3, 2), torch.tensor([0, 1]), linear_bias=torch.ones(2)",
        "torch.ones(2), torch.ones(3, 4, 2), torch.tensor([0, 1])",
        "torch.ones(2, 2), torch.ones(3, 2), torch.ones(2, 3), ignore_index=1",
        "torch.ones(2, 2), torch.ones(3, 2), torch.ones(2, 3)")),
    f"kl_div({_HALF}, {_O}, reduction='batchmean')", "kl_div(torch.ones(()), torch.ones(()))",
    f"kl_div({_HALF}, {_O}, reduction='batchmean', size_average=False)",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_values_errors_and_warnings_are_pytorchs(call: str) -> None:
    agree_on(f"torch.nn.functional.{call}", "cpu", warned=True)
