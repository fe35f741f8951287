"""The operations beside PyTorch, on PyTorch's own sample inputs and error inputs.

What differs and is meant to is listed with its reason; an entry that agrees may not be there.
"""

from __future__ import annotations

from typing import Any

import op_db
import pytest

import choice

pytestmark = pytest.mark.pytorch

REGISTRY = op_db.registry()

_ROUNDED = "16-bit products are added in float32 and rounded once, PyTorch's after each step"
_UNREAD = "the triangle that is not read has no gradient; PyTorch gives it that of the other"
_POLES = "inf at the poles, where PyTorch has a large number"
_NEAR_ROOTS = "PyTorch's value is off by up to 9e-7 near its roots"
_NO_VALUE = "PyTorch's elements beyond the input are not defined with out="
SAMPLES = {
    "addbmm": _ROUNDED, "baddbmm": _ROUNDED, "cross": _ROUNDED, "linalg.cross": _ROUNDED,
    "as_strided_scatter": "PyTorch's gradient by the input is that of another layout of memory",
    "nn.functional.conv_transpose1d": _ROUNDED, "nn.functional.conv_transpose2d": _ROUNDED,
    "nn.functional.conv_transpose3d": _ROUNDED,
    "cholesky_inverse": _UNREAD, "cholesky_solve": _UNREAD,
    "matrix_exp": "float16 is finite where PyTorch has nan; one float32 sample differs by 1.5e-5",
    **dict.fromkeys([f"polygamma-polygamma_n_{n}" for n in range(5)], _POLES),
    "special.polygamma-special_polygamma_n_0": _POLES,
    "special.bessel_j0": _NEAR_ROOTS, "special.bessel_y1": _NEAR_ROOTS,
    "nn.functional.ctc_loss": "PyTorch's gradient has the exponential of its input added",
    "nn.functional.hinge_embedding_loss": "PyTorch rounds the margin to bfloat16 first",
    "nn.functional.linear_cross_entropy-chunked": "PyTorch's second gradients of it are 0",
    "nn.functional.linear_cross_entropy-chunked_none": "likewise",
    "nn.functional.soft_margin_loss": "float16 is finite where PyTorch's exponential is not",
    "nn.functional.scaled_dot_product_attention": "weights are dropped by other random numbers",
    "nn.functional.multi_head_attention_forward": "likewise",
}  # fmt: skip
FORMS = {
    "addbmm": "PyTorch's in-place form gives its tensor another shape; ours refuses",
    "chalf": "no array library has complex numbers of 32 bits",
    "fft.ihfft2": _NO_VALUE, "fft.ihfftn": _NO_VALUE,
    "special.bessel_j0": _NEAR_ROOTS, "special.bessel_y1": _NEAR_ROOTS,
}  # fmt: skip


def _entries(ops: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("op", [pytest.param(op, id=op_db.name_of(op)) for op in ops])


_devices = pytest.mark.parametrize(
    "device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]
)  # fmt: skip


def _few(device: str, **few: int) -> dict[str, int]:
    """Return how few samples are taken, nothing where all are.

    On a GPU the registry's samples reach few kernels that ours do not, and many thousands to build.
    """
    return {} if device == "cpu" or choice.thorough else few


def _agrees(report: op_db.Report, reviewed: dict[str, str], few: dict[str, int]) -> None:
    if report.name not in reviewed:
        assert not report.differences, "\n".join(report.differences[:5])
    # Of few none may differ, and what processors round apart agrees on some of them.
    elif not few and reviewed[report.name] is not _ROUNDED:
        assert report.differences, "it agrees: take it out of the list"


@_devices
@_entries(REGISTRY)
def test_samples_give_pytorchs_values_and_gradients(op: Any, device: str) -> None:
    few = _few(device, limit=2, others=0)
    _agrees(op_db.check(op, device, **few), SAMPLES, few)


@_devices
@_entries(REGISTRY)
def test_forms_give_pytorchs_values(op: Any, device: str) -> None:
    few = _few(device, limit=1)
    _agrees(op_db.check_forms(op, device, **few), FORMS, few)


@_devices
@_entries([op for op in REGISTRY if op.error_inputs_func is not None])
def test_errors_are_of_pytorchs_classes_and_words(op: Any, device: str) -> None:
    classes, texts = op_db.check_errors(op, device)
    assert not classes.differences + texts.differences


def test_the_lists_are_short() -> None:
    networks = {name for name in SAMPLES if name.startswith("nn.functional.")}
    assert len(SAMPLES.keys() - networks) <= 20
    assert len(networks) <= 10
    assert {*SAMPLES, *FORMS} <= {op_db.name_of(op) for op in REGISTRY}
