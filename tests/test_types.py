"""Element types and what is asked of them, beside PyTorch: limits, promotion, older names."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad
from comparison import agree_on, pytorch
from gpugrad.formulas import BOOL
from gpugrad.op.declaration import OPS, defined
from gpugrad.op.elementwise import Pointwise

NAMES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
    "float64", "complex64", "complex128", "uint16", "uint32", "uint64",
)  # fmt: skip


@pytest.mark.needs("ml_dtypes")
@pytest.mark.parametrize("name", NAMES)
def test_types_promote_and_cast_as_pytorchs(name: str) -> None:
    for other in NAMES:
        pair = f"torch.{name}, torch.{other}"
        agree_on(f"str(torch.promote_types({pair})).split('.')[1]", "cpu")
        agree_on(f"torch.can_cast({pair})", "cpu")


PROGRAMS = (
    "str(torch.finfo(torch.float32))",
    "str(torch.finfo())",
    "str(torch.finfo(torch.float16))",
    "str(torch.finfo(torch.complex128))",
    "f = torch.finfo(torch.float64)\n[f.eps, f.max, f.min, f.tiny, f.smallest_normal, f.bits]",
    "torch.finfo(torch.float64).resolution, torch.finfo(torch.float64).dtype",
    "torch.finfo(torch.float32) == torch.finfo(torch.float32)",
    "[str(torch.iinfo(t)) for t in (torch.int8, torch.int64, torch.uint8, torch.uint64)]",
    "torch.iinfo(torch.int16).max, torch.iinfo(torch.int16).min, torch.iinfo(torch.int16).bits",
    "torch.finfo(torch.int8)",
    "torch.iinfo(torch.float32)",
    "torch.iinfo(torch.bool)",
    "torch.finfo(3)",
    "torch.can_cast(1, torch.int8)",
    "str(torch.result_type(torch.ones(2, dtype=torch.int32), 1.5)).split('.')[1]",
    "str(torch.result_type(torch.tensor(1.0).double(), torch.ones(2))).split('.')[1]",
    "str(torch.result_type(3, 2)).split('.')[1]",
    "torch.is_tensor(torch.ones(2)), torch.is_tensor(1), torch.is_tensor([])",
    "torch.is_nonzero(torch.tensor([1.0])), torch.tensor(0).is_nonzero()",
    "torch.is_nonzero(torch.ones(2))",
    "torch.is_nonzero(torch.ones(0))",
    "torch.is_nonzero(3)",
    "x = torch.ones(2)\nx.is_cpu, x.is_signed(), x.is_neg(), x.byte().is_signed(), x.get_device()",
    "torch.FloatTensor([1, 2])",
    "torch.DoubleTensor(2, 3).shape",
    "torch.LongTensor([1.5])",
    "torch.BoolTensor([1, 0])",
    "torch.HalfTensor()",
    "isinstance(torch.ones(2), torch.FloatTensor), isinstance(torch.ones(2), torch.IntTensor)",
    "isinstance(1, torch.FloatTensor)",
    "torch.ones(2).type().split('.')[1]",
    "torch.ones(2).type(torch.DoubleTensor)",
    "torch.ones(2).type('torch.IntTensor')",
    "torch.ones(2).type(torch.uint8)",
    "torch.ones(2).type('foo')",
    "torch.tensor([-1], dtype=torch.uint16)",
    "torch.tensor([70000], dtype=torch.uint16)",
    "torch.ones(2, dtype=torch.uint32) * torch.ones(2, dtype=torch.uint32)",
    "torch.ones(2, dtype=torch.uint64).sum()",
    "torch.ones(2, dtype=torch.uint16) + torch.ones(2)",
    "torch.ones(2, dtype=torch.uint16) + torch.ones(2, dtype=torch.int32)",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gives_what_it_gives_with_pytorch(program: str) -> None:
    agree_on(program, "cpu")


def test_a_default_type_is_set_by_a_type_of_tensors() -> None:
    try:
        gpugrad.set_default_tensor_type(gpugrad.DoubleTensor)
        assert gpugrad.tensor(1.0).dtype is gpugrad.float64
    finally:
        gpugrad.set_default_tensor_type("torch.FloatTensor")
    with pytest.raises(TypeError, match="device='cuda' where tensors are made"):
        gpugrad.set_default_tensor_type(gpugrad.cuda.FloatTensor)


def test_types_of_tensors_are_pytorchs() -> None:
    torch = pytorch()
    found = {n for n in dir(torch) if n.endswith("Tensor") and n not in ("Tensor", "is_tensor")}
    assert {n for n in found if hasattr(gpugrad, n)} == found - {"ComplexFloatTensor"}


def test_numbers_of_every_pair_of_types_are_those_of_numpy() -> None:
    for a, b in itertools.product((gpugrad.uint16, gpugrad.uint32, gpugrad.uint64), (2, 3)):
        x = gpugrad.tensor([1, b], dtype=a)
        assert (x * x).tolist() == [1, b * b]
        assert (x + 1).dtype is a


@pytest.mark.parametrize("kind", ["uint16", "uint32", "uint64"])
def test_types_whose_names_in_cuda_are_two_words_are_computed_with(kind: str, device: str) -> None:
    x = gpugrad.tensor([1, 60000], dtype=getattr(gpugrad, kind), device=device)
    for found in x.abs(), gpugrad.maximum(x, x), gpugrad.where(x > 1, x, x), x.cummax(0).values:
        assert found.dtype is x.dtype
        assert found.tolist() == [1, 60000]
    assert (x.sum().item(), (x * x).sum().item() % 2**16) == (60001, (60000**2 + 1) % 2**16)


def test_what_few_bits_do_not_hold_is_cut_off_as_by_pytorch(device: str) -> None:
    x, y = (
        gpugrad.tensor(v, dtype=gpugrad.int8, device=device)
        for v in ([-84, 12, 126, 50], [43, 110, 55, 127])
    )
    assert gpugrad.lcm(x, y).tolist() == [28, -108, 18, -50]


UNRECORDED = [op for op in OPS.values() if op.unrecorded]


@choice.each("op", UNRECORDED)
def test_what_records_nothing_is_what_the_general_way_gives(op: Pointwise) -> None:
    """A short text that computes in another type, or what the general way refuses."""
    short = defined(op, op)
    for kind in sorted(op.unrecorded, key=str):
        ends = (0, 1) if kind.kind == "b" else (np.finfo if kind.kind == "f" else np.iinfo)(kind)
        low, high = ends if isinstance(ends, tuple) else (ends.min, ends.max)
        x = np.array([[0, 1, high], [low, high, 1]], kind)
        y = np.array([1, high, 1], kind)
        others = (
            y,
            y[:2],
            x[0],
            x[0, 1],
            x.astype(bool).astype("f2"),
            3,
            -1,
            300,
            True,
            2.5,
            2**70,
        )
        count = len(op.formula.inputs) - 1
        for start in range(len(others) if count else 1):
            given = [others[(start + 3 * k) % len(others)] for k in range(count)]
            operands = [gpugrad.tensor(v) if hasattr(v, "dtype") else v for v in given]
            operands.insert(op.leading, gpugrad.tensor(x))
            for k, variable in enumerate(op.formula.inputs):
                if variable.kind == BOOL:
                    operands[k] = gpugrad.tensor(x > 0)
            assert outcome(short, operands) == outcome(op, operands), (kind, given)


def outcome(function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """Return what a call gives, or raises, as something that can be compared."""
    try:
        result = function(*operands)
    except Exception as error:
        return type(error), str(error)
    return result._array.__class__, result.dtype, result._array.tobytes(), result.shape


def test_powers_and_limits_of_bools_are_refused_and_division_of_nothing_is_not() -> None:
    truth, none = gpugrad.tensor([True, False]), gpugrad.zeros((0, 3), dtype=gpugrad.int32)
    calls: Sequence[tuple[Callable[[], Any], str]] = (
        (lambda: True**truth, "pow"),
        (lambda: gpugrad.clamp(truth, True), "clamp_min_scalar_cpu"),
        (lambda: gpugrad.clamp(truth, max=True), "clamp_max_scalar_cpu"),
        (lambda: gpugrad.clamp(truth, False, True), "clamp_scalar_cpu"),
        (lambda: truth.clamp_min(True), "clamp_min_scalar_cpu"),
        (lambda: truth.clamp_max(True), "clamp_max_scalar_cpu"),
    )
    for call, kernel in calls:
        with pytest.raises(NotImplementedError, match=f"\"{kernel}\" not implemented for 'Bool'"):
            call()
    assert (2**truth).tolist() == [2, 1]
    assert truth.clamp_min(1).tolist() == [1, 1]
    for divided in (none // 0, none % 0, none % gpugrad.zeros((1, 3), dtype=gpugrad.int32)):
        assert divided.shape == (0, 3)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        gpugrad.ones(3, dtype=gpugrad.int32) % 0
