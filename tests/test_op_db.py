"""The operations beside PyTorch, on PyTorch's own sample inputs and error inputs."""

from __future__ import annotations

from typing import Any

import op_db
import pytest

REGISTRY = op_db.registry()

# What differs and is meant to; an entry that agrees does not belong here.
REVIEWED = {
    "as_strided_scatter": "PyTorch's gradient by the input is that of another layout of memory",
}


def _named(ops: list[Any]) -> list[Any]:
    return [pytest.param(op, id=op_db.name_of(op)) for op in ops]


def _same(op: Any, report: op_db.Report) -> None:
    if op_db.name_of(op) in REVIEWED:
        assert report.differences, "it agrees: take it out of the reviewed list"
    else:
        assert not report.differences, "\n".join(report.differences[:5])


@pytest.mark.parametrize("op", _named(REGISTRY))
def test_samples_give_pytorchs_values_and_gradients(op: Any, device: str) -> None:
    _same(op, op_db.check(op, device))


@pytest.mark.parametrize("op", _named(REGISTRY))
def test_forms_give_pytorchs_values(op: Any, device: str) -> None:
    report = op_db.check_forms(op, device)
    assert not report.differences, "\n".join(report.differences[:5])


@pytest.mark.parametrize("op", _named([op for op in REGISTRY if op.error_inputs_func is not None]))
def test_errors_are_of_pytorchs_classes_and_words(op: Any) -> None:
    for report in op_db.check_errors(op):
        assert not report.differences, "\n".join(report.differences[:5])
