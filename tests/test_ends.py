"""Operands without dimensions or elements, and wrong arguments, of each function beside PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from snippets import ours as in_our_words

import gpugrad
from comparison import pytorch
from gpugrad.op.forms import PUBLIC, Public
from gpugrad.testing import assert_agree
from samples import SAMPLES, UNDERIVED, Sample

SHAPES = {"0-d": (), "empty": (0,), "no rows": (0, 3), "no columns": (3, 0), "one": (1,)}


def with_ends(sample: Sample) -> Iterator[tuple[str, list[Any]]]:
    """Return the inputs of a sample in other shapes: all of them, and one at a time."""
    for name, shape in SHAPES.items():
        yield name, [np.resize(a, shape).astype(a.dtype) for a in sample.inputs]
    for k in range(len(sample.inputs) if len(sample.inputs) > 1 else 0):
        for name, shape in (("0-d", ()), ("empty", (0,))):
            inputs = [*sample.inputs]
            inputs[k] = np.resize(inputs[k], shape).astype(inputs[k].dtype)
            yield f"{name} operand {k}", inputs


def outcome(lib: Any, sample: Sample, inputs: list[Any]) -> list[Any] | str:
    """Return results and gradients, or the class of the error."""
    tensors = [lib.tensor(a.copy()) for a in inputs]
    wanted = [t for t in tensors if sample.differentiable and t.dtype.is_floating_point]
    for t in wanted:
        t.requires_grad_()
    try:
        results = sample.function(lib, *tensors)
        results = list(results) if isinstance(results, tuple | list) else [results]
        recorded = [r for r in results if getattr(r, "requires_grad", False)]
        if recorded and wanted:
            ones = [lib.ones_like(r) for r in recorded]
            results += lib.autograd.grad(recorded, wanted, ones, allow_unused=True)
    except Exception as error:
        return type(error).__name__.lstrip("_")  # PyTorch's is _LinAlgError
    return results


# What differs, and why: by operation, its sample where it is one of several, and the beginning of
# the case.
DIFFERENT = {
    "polar": "the gradient of a size that is 0 or negative is right, PyTorch's is not",
    "clamp": "PyTorch fails in the backward where a bound is larger than the input",
    "scatter empty operand": "PyTorch fails in the backward where an empty index was accepted",
    "scatter_add empty operand": "likewise",
    "scatter_reduce empty operand": "likewise",
    "linalg.ldl_solve no columns": "PyTorch has no gradient of it",
    "linalg.householder_product empty operand 1": "where there is no reflection, ours is 0",
    "orgqr empty operand 1": "likewise",
    "index_fill empty operand 0": "PyTorch's error is one of its storage",
    "narrow_copy empty": "PyTorch's error is one of its insides",
    "narrow_copy one": "likewise",
    "einsum ij,jk,kl,lm": "opt_einsum, which PyTorch calls for so many, has errors of its own",
    "pdist no rows": "the backward of PyTorch ends the process by a segmentation fault",
    "addmv 0-d empty operand 2": "PyTorch fails where it says the length of a 0-d input",
    "cov fweights 0-d": "PyTorch writes into the operand and fails",
    "cov fweights one": "likewise",
    "cov aweights 0-d": "likewise",
    "cov aweights one": "likewise",
    "cummax empty": "PyTorch does not look at the dimension where there is nothing",
    "cummin empty": "likewise",
    "roll empty": "likewise",
    "roll several no": "likewise",
    "trapezoid empty": "where there is nothing to add PyTorch's result has no history",
    "trapezoid no": "likewise",
    "vander empty": "likewise, or its backward fails, as with one",
    "vander some one": "its backward needs what was written in place",
    "vander none one": "where there is nothing its result has no history",
    **{
        f"nn.functional.scaled_dot_product_attention {name}": "PyTorch looks at these last"
        for name in ("bools", "numbers", "learned", "groups")
    },
    "binary_cross_entropy_with_logits mean 0-d operand": "PyTorch fails in the backward of what "
    "broadcasts",
    "nn.functional.soft_margin_loss 0-d operand 0": "likewise",
    "nn.functional.multilabel_margin_loss no rows": "PyTorch's loss of nothing is not set",
    "nn.functional.embedding_bag": "PyTorch reads memory beyond its operands",
    "embedding_bag": "likewise",
    **dict.fromkeys(
        ("lstm", "gru", "rnn_tanh", "rnn_relu"), "PyTorch's errors are those of its insides"
    ),
    **{
        f"fft.{name} no": "PyTorch's error is one of the library that it calls"
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
    },
}
# These are functions of torch.nn.functional.
ELSEWHERE = {"gelu", "silu", "softmin", "softplus"}


@pytest.mark.parametrize("op", sorted(SAMPLES.keys() - ELSEWHERE))
def test_operands_without_dimensions_or_elements_do_what_pytorchs_do(op: str) -> None:
    """What a check or a reshape inside of an operation takes for granted of its operands."""
    torch = pytorch()
    wrong = []
    for sample in SAMPLES[op]:
        if op in UNDERIVED:
            sample = replace(sample, differentiable=False)
        if sample.layout != "plain" or sample.complex:
            continue
        for name, inputs in with_ends(sample):
            cases = f"{op} {name}", f"{op} {sample} {name}"
            if any(case.startswith(tuple(DIFFERENT)) for case in cases):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, theirs = (outcome(lib, sample, inputs) for lib in (gpugrad, torch))
            try:
                agree(ours, theirs)
            except AssertionError as error:
                wrong.append(f"{sample}, {name}: {error}")
    assert wrong == []


def agree(ours: Any, theirs: Any) -> None:
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
        return
    assert len(ours) == len(theirs)
    for o, t in zip(ours, theirs, strict=True):
        assert (o is None) == (t is None)
        if hasattr(t, "detach"):
            assert_agree(o.detach(), t.detach().numpy(force=True), 1e-6, 1e-8)


def forms(declared: Public) -> Iterator[tuple[str, Any, Any]]:
    """Return the functions and methods of a declaration, ours and PyTorch's, by their names."""
    torch = pytorch()
    if declared.is_function and hasattr(torch, declared.name):
        yield declared.name, getattr(gpugrad, declared.name), getattr(torch, declared.name)
    names = [declared.name] * declared.is_method + [declared.inplace_name] * bool(declared.inplace)
    for name in names:
        ours, theirs = gpugrad.ones(2, 2), torch.ones(2, 2)
        yield f".{name}", getattr(ours, name), getattr(theirs, name, None)


# Without arguments these are NumPy's methods, of all dimensions, which CuPy's functions call.
NUMPYS = {".cumprod", ".cumsum", ".transpose"}


@pytest.mark.parametrize("declared", PUBLIC.values(), ids=lambda d: d.name)
def test_arguments_that_are_missing_or_unknown_raise_what_pytorch_raises(declared: Public) -> None:
    for name, ours, theirs in forms(declared):
        if theirs is None or name in (".cuda", ".pin_memory"):  # which need a GPU
            continue
        for keywords in ({"wrong": 1}, {}):
            if name == ".repeat_interleave" and not keywords:
                continue  # as the function, which takes its input for the numbers of copies
            if name in NUMPYS and not keywords:
                ours()
                continue
            found = []
            for function in (ours, theirs):
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # PyTorch warns once only, of meshgrid
                        function(**keywords)
                    found.append("nothing")
                except Exception as error:
                    found.append(type(error).__name__.lstrip("_"))
            assert found[0] == found[1], (name, keywords)


class WithKeywords:
    """A library in which a function is given more keywords than a call says."""

    def __init__(self, lib: Any, name: str, keywords: dict[str, Any]):
        self.lib, self.name, self.keywords = lib, name, keywords

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.lib, name)
        if name != self.name:
            return function
        return lambda *args, **known: function(*args, **(known | self.keywords))


def refusal(
    lib: Any, name: str, sample: Sample, keywords: dict[str, Any]
) -> tuple[str, str] | None:
    """Return the class and the words of the error of a call with more keywords, if it is one."""
    tensors = [lib.tensor(a.copy()) for a in sample.arrays()]
    try:
        sample.function(WithKeywords(lib, name, keywords), *tensors)
    except Exception as error:
        return type(error).__name__.lstrip("_"), in_our_words(str(error))
    return None


KEYWORDS: tuple[dict[str, Any], ...] = (
    {"wrong": 1}, {"axis": 1}, {"axis": 1, "dim": -2}, {"keepdim": True}, {"keepdims": True},
    {"out": "a"}, {"dtype": 3}, {"other": 2},
)  # fmt: skip
# What we take, and PyTorch does not: what is kept of all dimensions, and NumPy's names where
# PyTorch's function is one of Python's.
TAKEN = {
    "sum", "mean", "norm", "norm_except_dim", "split", "split_copy", "unique",
    "unique_consecutive", "count_nonzero",
}  # fmt: skip
# What else we say: which argument is wrong instead of all signatures, which may be named instead,
# and what is a dtype or may be written.
OTHERWISE = "invalid combination", "missing 1", "argument 'dtype'", "argument 'out'"
# These say what a function inside of theirs would say.
INNER = {"norm", "unique", "unique_consecutive", "lu", "histogramdd"}


@pytest.mark.parametrize(
    "name", [n for n in SAMPLES if n in PUBLIC and PUBLIC[n].is_function and "." not in n]
)
def test_a_keyword_more_is_refused_as_pytorch_refuses_it(name: str) -> None:
    """Where PyTorch lists signatures only the class is compared: we say what is wrong."""
    torch = pytorch()
    if not hasattr(torch, name):
        pytest.skip("PyTorch has no such function")
    wrong = []
    for sample in SAMPLES[name][:1]:
        if sample.layout != "plain" or refusal(torch, name, sample, {}):
            continue
        for keywords in KEYWORDS:
            expected, found = (refusal(lib, name, sample, keywords) for lib in (torch, gpugrad))
            if expected is None or (name in TAKEN and "wrong" not in keywords):
                continue
            listed = len(keywords) > 1 or any(words in expected[1] for words in OTHERWISE)
            same = found is not None and found[0] == expected[0]
            if not same or not (listed or name in INNER or found == expected):
                wrong.append((str(sample), keywords, found, expected))
    assert wrong == []
