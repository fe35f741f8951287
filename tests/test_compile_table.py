"""Every operation in compiled functions: values and gradients are those of eager calls.

Samples are compiled many at a time, since it is each program that costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import choice
import gpugrad
from gpugrad import autograd
from gpugrad.backend import loops
from gpugrad.compiler.recorded import Recorder, recording
from gpugrad.testing import assert_agree, flat
from samples import Sample

SIZE = 50  # samples of one program
ALL = choice.plain(choice.EVERY) if choice.thorough else choice.of_each(choice.EVERY)

# Of these some samples ask for numbers of their tensors, with which calls are eager.
ASKS = frozenset({
    "argwhere", "bincount", "cholesky", "cholesky_inverse", "cholesky_solve", "cov", "ctc_loss",
    "getitem", "histc", "histogram", "histogramdd", "index_reduce", "inverse", "istft",
    "linalg.cholesky", "linalg.eig", "linalg.eigh", "linalg.eigvals", "linalg.ldl_factor",
    "linalg.lstsq", "linalg.lu", "linalg.lu_factor", "linalg.lu_factor_ex", "linalg.lu_solve",
    "linalg.solve", "linalg.svd", "linalg.tensorinv", "linalg.tensorsolve", "lu", "lu_solve",
    "lu_unpack", "masked_scatter", "masked_select", "matrix_power", "nanmean", "nanmedian",
    "nansum", "nn.functional.cross_entropy", "nn.functional.ctc_loss",
    "nn.functional.max_unpool1d", "nn.functional.max_unpool2d", "nn.functional.max_unpool3d",
    "nn.functional.multi_margin_loss", "nn.functional.multilabel_margin_loss",
    "nn.functional.nll_loss", "nn.functional.one_hot", "nonzero", "nonzero_static", "pca_lowrank",
    "pdist", "repeat_interleave", "scatter_reduce", "searchsorted", "svd_lowrank",
    "take_along_dim", "unique", "unique_consecutive", "where",
})  # fmt: skip


def asks(sample: Sample) -> bool:
    """Tell whether a sample, or its gradient, asks for numbers of tensors."""
    recorder = Recorder()
    with recording(recorder):
        given = sample.tensors()
        for t in given:
            t._array = recorder.lifted(t._array, None)
        gradients(values(sample, given), given)
    return not recorder.records


def values(sample: Sample, given: Sequence[Any]) -> list[Any]:
    """Return what a sample gives, in memory of its own."""
    return [t.clone() for t in flat(sample.function(gpugrad, *given))]


def gradients(results: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Return the gradients of some results by what moves of the inputs."""
    outputs = [t for t in results if t.requires_grad]
    moving = [t for t in given if t.requires_grad]
    if not outputs:
        return []
    ones = [o.detach().cos() for o in outputs]
    return list(autograd.grad(outputs, moving, ones, retain_graph=True, allow_unused=True))


def others(sample: Sample) -> list[Any]:
    """Return inputs of other numbers, where the sample is defined for these."""
    found = []
    for t in sample.tensors():
        moves = t.dtype.is_floating_point or t.dtype.is_complex
        other = t.detach() * 0.99 if moves else t.flip(0) if t.ndim else t
        found.append(other.requires_grad_(t.requires_grad))
    try:
        sample.function(gpugrad, *found)
    except (RuntimeError, ValueError, IndexError, NotImplementedError):
        return sample.tensors()
    return found


def check(samples: Sequence[tuple[str, Sample]], found: Any, expected: Any) -> None:
    """See that two lists of results are equal, those of each sample."""
    for (op, sample), some, others in zip(samples, found, expected, strict=True):
        assert len(some) == len(others)
        for a, b in zip(some, others, strict=True):
            try:
                if a is None or b is None:
                    assert a is b
                else:
                    assert a.requires_grad == b.requires_grad
                    assert_agree(a.detach(), b.detach(), 1e-11, 1e-11)
            except AssertionError as error:
                error.add_note(f"of {op}, {sample}")
                raise


@pytest.mark.parametrize("start", range(0, len(ALL), SIZE))
def test_values_and_gradients(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that a program does not have, or has with what they depended on at the first call."""
    if not choice.thorough:  # what the compiler makes of formulas is tested with these
        monkeypatch.setattr(loops, "frames", lambda: "none")
    samples = [(op, s) for op, s in ALL[start : start + SIZE] if op not in ASKS or not asks(s)]

    def all_values(given: Any) -> Any:
        return [values(s, ts) for (_, s), ts in zip(samples, given, strict=True)]

    def all_gradients(results: Any, given: Any) -> Any:
        return [gradients(v, ts) for v, ts in zip(results, given, strict=True)]

    outside = gpugrad.compile(all_values, fullgraph=True)
    inside = gpugrad.compile(lambda ts: all_gradients(all_values(ts), ts), fullgraph=True)

    for inputs in (lambda s: s.tensors(), others):
        given = [inputs(s) for _, s in samples]
        expected, found = all_values(given), outside(given)
        check(samples, found, expected)
        slopes = all_gradients(expected, given)
        check(samples, all_gradients(found, given), slopes)
        check(samples, inside(given), slopes)
