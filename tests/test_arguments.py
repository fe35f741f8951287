"""Arguments of another kind, and too many of them: every public function beside PyTorch."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import Any

import numpy as np
import pytest
from snippets import ours

import gpugrad
from comparison import agree_on, pytorch
from gpugrad.op.arguments import SYNONYMS
from gpugrad.op.forms import PUBLIC, Public
from gpugrad.op.kind import KINDS
from gpugrad.op.numpys import PARAMETERS

VALUES = ["a", 0.5, True, None, 1, [1.5], [0, "a"], [True], object]
SCALARS = [np.int64(1), np.float32(0.5), np.bool_(True)]  # which are arrays to us

# Whose arguments PyTorch checks in another function, or under another name, or after others.
ELSEWHERE = {
    "bucketize", "dsplit", "hsplit", "istft", "lu", "nonzero_static", "norm", "pca_lowrank",
    "repeat_interleave", "set_", "split", "split_copy", "stft", "svd_lowrank", "tensor_split",
    "to_dlpack", "uniform_", "unique", "unique_consecutive", "vsplit",
}  # fmt: skip
# What PyTorch takes, or does not, where we do not, or do.
DIFFERENT = {
    "m=None": "as many columns as rows, likewise",
    "high=None": "likewise",
    "output_size=None": "likewise",
    "p=None": "likewise",
    "unbiased=None": "likewise",
    "requires_grad=None": "PyTorch takes it for False in some functions",
    "max=": "a number and a tensor may be the bounds of clamp",
    "self=": "the parameter of what is written, as a function, is input in PyTorch",
    "requires_grad=": "PyTorch looks at the other arguments first",
    "non_blocking=": "likewise",
}


def usual(torch: Any, parameter: Parameter) -> Any:
    """Return an argument that a function of matrices takes."""
    kind = str(parameter.annotation)
    if kind in ("Tensor", "Operand"):
        return torch.ones(2, 2)
    if kind.startswith("Sequence[Tensor]"):
        return [torch.ones(2, 2)]
    if parameter.name in ("fill_value", "value"):
        return 1.0
    if parameter.name in ("dim", "dim0", "dim1", "start_dim"):
        return 0
    if kind.startswith("Sequence"):
        return [1]
    return {"int": 1, "bool": True, "float": 1.0, "Number": 1, "str": "a"}.get(kind.split(" ")[0])


def outcome(function: Callable[..., Any], args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return the class and the words of the error, or nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(*args, **keywords)
        except Exception as error:
            return type(error), ours(str(error))
    return None


def forms(declared: Public) -> Iterator[tuple[str, list[Parameter], Any, Any]]:
    """Return the functions and methods of a declaration, ours and PyTorch's, as functions."""
    torch = pytorch()
    parameters = [p for p in declared.parameters if p.kind is not Parameter.VAR_POSITIONAL]
    if len(parameters) < len(declared.parameters):
        return  # of any number of arguments
    if declared.is_function and hasattr(torch, declared.name):
        function = getattr(gpugrad, declared.name)
        yield declared.name, parameters, function, getattr(torch, declared.name)
    parameters = sorted(parameters, key=lambda p: p.name != "input")
    names = [declared.name] * declared.is_method + [declared.inplace_name] * bool(declared.inplace)
    for name in names:
        if hasattr(torch.Tensor, name):
            mine, theirs = getattr(gpugrad.Tensor, name), getattr(torch.Tensor, name)
            yield f".{name}", parameters, mine, theirs


def calls(
    name: str, parameters: list[Parameter], torch: Any
) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Return calls with one argument that is of another kind: a text, its positions, keywords."""
    positional = [p for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    required = sum(p.default is Parameter.empty for p in positional)
    for k, p in enumerate(parameters):
        if str(p.annotation) not in KINDS or (name.startswith(".") and not k):
            continue
        scalars = [] if p.annotation in ("Tensor", "Operand") else SCALARS
        for value in [*VALUES, *scalars]:
            given = [usual(torch, q) for q in positional]
            if p in positional:
                args = [*given[:k], value, *given[k + 1 : required]]
                yield f"{p.name}={value!r}", args, {}
            else:
                yield f"{p.name}={value!r}", given[:required], {p.name: value}


def agree(mine: Any, theirs: Any) -> bool:
    """Tell whether an outcome is PyTorch's, where that is about the kinds of arguments.

    Instead of its lists of signatures we say what is wrong.  Of an argument that was given by
    keyword we say its position, too.
    """
    if theirs is None:
        return mine is None or mine[0] is not TypeError
    if theirs[0] is not TypeError:
        return True
    if mine is None or mine[0] is not TypeError:
        return False
    known = re.search(r"\(\): argument '|positional argument", theirs[1])
    return known is None or "invalid combination" in theirs[1] or mine[1] == theirs[1]


@pytest.mark.parametrize("declared", PUBLIC.values(), ids=lambda d: d.name)
def test_an_argument_of_another_kind_raises_what_pytorch_raises(declared: Public) -> None:
    torch = pytorch()
    wrong = []
    for name, parameters, function, theirs in forms(declared):
        if declared.name in ELSEWHERE:
            continue
        lists = zip(calls(name, parameters, gpugrad), calls(name, parameters, torch), strict=True)
        for (call, args, keywords), (_, their_args, their_keywords) in lists:
            if call.startswith(tuple(DIFFERENT)) or f"{name}({call})" == ".squeeze(dim=None)":
                continue
            expected = outcome(theirs, their_args, their_keywords)
            found = outcome(function, args, keywords)
            if not agree(found, expected):
                wrong.append((f"{name}({call})", found, expected))
    assert wrong == []


@pytest.mark.parametrize("declared", PUBLIC.values(), ids=lambda d: d.name)
def test_too_many_arguments_are_an_error_where_they_are_in_pytorch(declared: Public) -> None:
    torch = pytorch()
    for name, parameters, function, theirs in forms(declared):
        positional = [p for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
        numpys = PARAMETERS.get(name[1:], [])
        if len(numpys) >= len(positional) or "*axes" in numpys:
            continue  # it is NumPy's method that takes so many
        expected = outcome(theirs, [*(usual(torch, p) for p in positional), 1], {})
        if expected is not None and expected[0] is TypeError:
            found = outcome(function, [*(usual(gpugrad, p) for p in positional), 1], {})
            assert found is not None, name
            assert found[0] is TypeError, name


CALLS = (
    "torch.exp(x, 1)", "torch.mul(x, x, x)", "torch.flatten(x, 0, 1, 2)",
    "torch.cumsum(x, 0, 1)", "torch.as_tensor(x, torch.float64)",
    "x.flatten(0, 1, 2)", "x.mm(x, x)", 'x.mul_("a")', 'x.mul("a")', 'torch.mul(x, "a")',
    "x.transpose(0.5, 1)", "x.transpose(True, 1)", "torch.maximum(x, 1.0)", "x.logical_and(1)",
    "torch.atan2(1.0, x)", "x.hypot(2.0)", "torch.swapaxes(x, axis0=0, axis1=1)",
    "x.sum(np.int64(0))", "x.sum([0, np.int64(1)])", "x.sum((0, 1.5))", "x.amax((1.5, 0))",
    "x.cumsum(torch.tensor(0))", "x.unsqueeze(np.int32(1))", "x.isclose(x, rtol=1)",
    "torch.index_put(x, [1], x)", "torch.cat(x)", "torch.histc(x, 5, 1j, 2)",
    "torch.rot90(x, 1, (5, 5))", "torch.tensordot(x, x, ([0, 5], [0, 1]))",
    "torch.quantile(x, torch.tensor([3.0]), 5)",
    # of several signatures
    "torch.linspace(0, 3, 1.0)", "torch.linspace('a', 3, 1)", "torch.linspace(0, 3)",
    "torch.linspace(0, 3, 5, 1, 2, 3)", "torch.linspace(0, 3, 5, foo=3)",
    "torch.logspace(x, 3, 1.0)", "torch.hsplit(x, 'abc')", "x.vsplit(0.5)", "x.dsplit(None)",
    "torch.hsplit(x)", "torch.hsplit(x, [1.5])", "torch.hsplit(3, 2)", "x.tensor_split('a')",
    "torch.squeeze(x, None)", "x.squeeze((0, 1.5))", "x.squeeze(x)",
    "torch.sum(x, keepdim=True)", "x.sum(keepdim=False)", "torch.mean(x, keepdim=True)",
    "x.mean(keepdim=True)", "torch.prod(x, keepdim=True)", "x.prod(keepdim=True)",
    "torch.max(x, keepdim=True)", "x.min(keepdim=False)", "x.median(keepdim=True)",
    "x.sum(None, True)", "x.mean(dim=None, keepdim=True)", "torch.sum(x, True)", "x.sum('a')",
    "torch.mean(x, 1.5)", "torch.mean(x, 0, 1)", "x.sum(foo=1)", "torch.all(x, 'a')",
    "x.any(1.5)", "x.all(keepdim=True)", "torch.all(x, 0, True, 1)",
    "torch.squeeze(3)", "x.squeeze(foo=1)", "x.max(None)", "x.min('a')", "torch.max(x, None)",
    "torch.max('a')", "x.max(foo=1)", "x.max(0, None)", "x.prod(None)", "x.prod(None, True)",
    "torch.prod(x, None)", "x.median(None)", "x.nanmedian('a')", "x.repeat_interleave()",
    "torch.repeat_interleave()", "x.repeat_interleave(1.5, 0)", "torch.repeat_interleave(x, None)",
    "x.repeat_interleave(x, 0, output_size='a')",
    # out= of another type, or where an operand lies once it has grown
    "torch.amax(x, 0, out=x.int())", "torch.multinomial(x * 0, 2, out=torch.ones(2))",
    "torch.complex(x.double(), x, out=x)", "torch.complex(x, x, out=x)",
    "i = torch.tensor([1, 2, 0]); torch.gather(i, 0, i[1:], out=i[:1])",
    "torch.narrow_copy(x, -4, 0, 0)", "torch.narrow_copy(x, 0, 0, -1)", "x.narrow(0, 0, -1)",
    "torch.narrow_copy(x[0, 0], 0, 0, 0)", "x.narrow_copy(0, 4, -1)",
)  # fmt: skip


@pytest.mark.parametrize("declared", PUBLIC.values(), ids=lambda d: d.name)
def test_one_argument_is_not_taken_by_two_names(declared: Public) -> None:
    """Also where one of them is the default: then it cannot be told from what was not given."""
    if not declared.is_function:
        return
    known = {p.name for p in declared.parameters}
    for p in declared.parameters:
        renamed = [s for s, name in SYNONYMS.items() if name == p.name and s not in known]
        value = 0 if p.default in (Parameter.empty, ...) else p.default
        for synonym in renamed:
            text = f"unexpected keyword argument '{synonym}'|{synonym}="
            with pytest.raises(TypeError, match=text):
                declared.function(**{p.name: value, synonym: value})


@pytest.mark.parametrize("call", CALLS)
def test_what_is_wrong_with_arguments_is_told_in_pytorchs_words(call: str) -> None:
    agree_on(f"x = torch.ones(2, 2)\n{call}", "cpu")
