"""What users get of the declarations: functions, methods, in-place and ``out=`` forms, stubs."""

from __future__ import annotations

import inspect
import pickle
import re
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
import stubs

import gpugrad
from comparison import agree_on, pytorch
from gpugrad.op.forms import PUBLIC, Public
from gpugrad.testing import assert_agree
from samples import SAMPLES

FUNCTIONS = [d for d in PUBLIC.values() if d.is_function]
INPLACE = [d for d in PUBLIC.values() if d.inplace]


@pytest.mark.parametrize("path", sorted(stubs.files()), ids=lambda path: path.name)
def test_stub_files_are_current(path: Any) -> None:
    assert path.read_text() == stubs.files()[path], "run: python tests/stubs.py"


def test_every_form_is_there_under_each_of_its_names() -> None:
    for d in PUBLIC.values():
        for name in (d.name, *d.names):
            module, _, last = name.rpartition(".")
            where = attrgetter(module)(gpugrad) if module else gpugrad
            assert hasattr(where, last) or not d.is_function, name
            assert module or hasattr(gpugrad.Tensor, name) or not d.is_method, name
            assert module or hasattr(gpugrad.Tensor, f"{name}_") or not d.inplace, name
        assert all(hasattr(gpugrad.Tensor, name) for name in (*d.operators, *d.reflected))


def test_editors_and_type_checkers_are_told_what_there_is() -> None:
    for d in FUNCTIONS:
        for name in (d.name, *d.names):
            module, _, last = name.rpartition(".")
            assert last in dir(attrgetter(module)(gpugrad) if module else gpugrad)
    with pytest.raises(AttributeError, match="module 'gpugrad' has no attribute 'nope'"):
        gpugrad.nope  # type: ignore[attr-defined]  # noqa: B018  unused if it were Any


def test_forms_are_documented_and_can_be_pickled() -> None:
    for d in FUNCTIONS:
        assert inspect.getdoc(d.function), d.name
        assert pickle.loads(pickle.dumps(d.function)) is d.function
        assert d.function.__qualname__ == d.name
    text = inspect.getdoc(gpugrad.Tensor.exp_) or ""
    assert text.startswith("Write the result of ``exp`` into the tensor")
    assert str(inspect.signature(gpugrad.Tensor.exp_)) == "(self) -> 'Tensor'"
    assert list(inspect.signature(gpugrad.Tensor.where).parameters) == [
        "self",
        "condition",
        "other",
    ]


# Of PyTorch's parameters we have these under another name, or not.
OLD = {  # functions whose pages have other names than they take
    "triangular_solve": {"b"}, "lu_solve": {"b"}, "orgqr": {"tau"}, "ormqr": {"tau", "other"},
}  # fmt: skip
UNKNOWN = {"memory_format", "layout", "pin_memory", "sparse_grad", "reduce", "shape"}


# As users see it who do not check types.
t: Any = gpugrad


@pytest.mark.parametrize("declared", FUNCTIONS, ids=lambda d: d.name)
def test_parameters_have_pytorchs_names_and_order(declared: Public) -> None:
    """The first line of PyTorch's documentation lists them; what is not there is not compared."""
    theirs = getattr(pytorch(), declared.name, None)
    line = re.match(rf"\s*{declared.name}\(([^()]*)\)", (theirs and theirs.__doc__) or "")
    if line is None or declared.name == "unsafe_split":  # whose page has the names of split
        return
    words = [w.split("=")[0].split(":")[0].strip() for w in line[1].split(",")]
    unknown = UNKNOWN | OLD.get(declared.name, set())
    names = [w for w in words if re.fullmatch(r"[a-z_0-9]+", w) and w not in unknown]
    ours = inspect.signature(declared.function).parameters
    if declared.name == "searchsorted":  # its page has another name than the function
        names.remove("values")
    if declared.name in (
        "var_mean",
        "std_mean",
        "histogramdd",
    ):  # their pages have what they do not take
        names.remove("out")
    positional = [n for n, p in ours.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert set(names) <= set(ours)
    assert [n for n in positional if n in names] == [n for n in names if n in positional]


def test_numpys_keywords_mean_pytorchs() -> None:
    x: Any = t.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert_agree(t.sum(x, axis=1, keepdims=True), [[3.0], [8.0]])
    assert_agree(x.sum(axis=0), [4.0, 7.0])
    assert_agree(x.amax(axis=-1, keepdims=True), [[2.0], [5.0]])
    assert_agree(t.add(x1=x, x2=1), [[2.0, 3.0], [4.0, 6.0]])
    assert_agree(t.exp(a=x), np.exp(x.array))
    assert_agree(x.unbind(axis=1)[1], [2.0, 5.0])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: t.sin(), 'sin() missing 1 required positional arguments: "input"'),
        (
            lambda: t.mm(t.ones(2, 2)),
            'mm() missing 1 required positional arguments: "mat2"',
        ),
        (lambda: t.exp(t.ones(2), foo=1), "exp() got an unexpected keyword argument"),
        (lambda: t.ones(2).sum(foo=1), "sum() received an invalid combination of arguments"),
        (lambda: t.sum(t.ones(2), 0, axis=0), "unexpected keyword argument 'axis'"),
        (
            lambda: t.exp(3.0),
            "exp(): argument 'input' (position 1) must be Tensor, not float",
        ),
        (lambda: t.exp("a"), "exp(): argument 'input' (position 1) must be Tensor, not str"),
    ],
)
def test_wrong_arguments_are_told_in_pytorchs_words(call: Any, text: str) -> None:
    with pytest.raises(TypeError, match=re.escape(text)):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: t.unsqueeze(x, 0.5),
        lambda x: t.transpose(x, 0, 1.0),
        lambda x: t.cat([x, x], dim=0.5),
        lambda x: t.chunk(x, 2, dim=0.0),
        lambda x: x.flatten(0.5),
        lambda x: x.cumsum(0.5),
        lambda x: x.diagonal(0, 0.0, 1),
        lambda x: x.select(0.5, 0),
        lambda x: x.unfold(0.5, 1, 1),
        lambda x: t.full_like(x, None),
        lambda x: t.full((2,), "a"),
        lambda x: x.masked_fill(x > 0, None),
        lambda x: x.index_fill_(0, t.tensor([0]), "a"),
        lambda x: t.linspace("a", 1, 2),
    ],
)
def test_what_is_no_integer_or_no_number_is_refused_as_by_pytorch(call: Any) -> None:
    with pytest.raises(TypeError):
        call(t.ones(2, 2))


# --------------------------------------------------------------------------- out=


def test_results_are_written_to_out(device: str) -> None:
    x: Any = t.tensor([1.0, 2.0, 3.0], device=device)
    out = t.zeros(3, dtype=gpugrad.float64, device=device)
    part, version = out[:], out._version
    assert t.mul(x, 2, out=out) is out
    assert_agree(part, np.array([2.0, 4.0, 6.0]))
    assert out._version == version + 1
    empty = t.empty(0, device=device)
    assert t.matmul(x, x, out=empty).shape == ()
    values = (t.empty(0, device=device), t.empty(0, dtype=gpugrad.int64, device=device))
    found = t.max(x.reshape(1, 3), 1, out=values)
    assert found.values is values[0]
    assert found.indices is values[1]
    assert_agree(values[1], np.array([2]))


OUT = {
    **{
        f"{call} into {kind}": f"v = torch.zeros(2, dtype=torch.{kind})\ntorch.{call}, out=v)"
        for call in ("sum(x, 0", "mean(x, 0", "prod(x, 0", "cumsum(x, 0")
        for kind in ("float64", *["int32"] * (call[0] != "m"))
    },
    "another type than named": "v = torch.ones(2).double()\n"
    "torch.sum(x, 0, dtype=torch.float32, out=v)",
    "the first of another type": "v, i = torch.ones(2).double(), torch.ones(2).long()\n"
    "torch.max(x, 0, out=(v, i))",
    "the second of another type": "v, i = torch.ones(2, 2)\ntorch.max(x, 0, out=(v, i))",
}


@pytest.mark.parametrize("name", OUT)
def test_the_types_of_what_is_written_are_pytorchs(name: str) -> None:
    agree_on(f"x = torch.tensor([[3.7, 1.0], [2.6, 5.0]])\n{OUT[name]}", "cpu")


@pytest.mark.cuda
def test_of_several_results_none_is_written_where_one_cannot_be() -> None:
    x, values = t.ones(2, 2), t.zeros(2)
    indices = t.zeros(2, dtype=t.int64, device="cuda")
    with pytest.raises(RuntimeError, match="on the same device"):
        t.max(x, 0, out=(values, indices))
    assert values.tolist() == [0.0, 0.0]


def test_out_of_another_size_warns_and_of_a_lower_type_is_refused() -> None:
    x = t.ones(3)
    with pytest.warns(UserWarning, match=r"resized since it had shape \[2\]"):
        assert t.exp(x, out=t.zeros(2)).shape == (3,)
    whole = t.zeros(3, dtype=gpugrad.int64)
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output"):
        t.exp(x, out=whole)
    assert_agree(whole, np.zeros(3, np.int64))
    with pytest.raises(TypeError, match="argument 'out' must be Tensor, not list"):
        t.exp(x, out=[x])
    with pytest.raises(TypeError, match="argument 'out' must be Tensor, not int"):
        t.exp(x, out=1)


def test_out_loses_no_gradient() -> None:
    x = t.ones(3, requires_grad=True)
    for operand, out in [(x, t.zeros(3)), (x.detach(), t.zeros(3).requires_grad_())]:
        with pytest.raises(RuntimeError, match=r"out=\.\.\. arguments don't support automatic"):
            t.exp(operand, out=out)
    with gpugrad.no_grad():
        assert not t.exp(x, out=t.zeros(3)).requires_grad


# --------------------------------------------------------------------------- in place


def written(name: str, *given: Any, **options: Any) -> Any:
    """Call the method of the first tensor, with what else is given in its order."""
    place = next(k for k, v in enumerate(given) if isinstance(v, gpugrad.Tensor))
    return getattr(given[place], name)(*given[:place], *given[place + 1 :], **options)


@pytest.mark.parametrize("declared", INPLACE, ids=lambda d: d.inplace_name)
def test_an_in_place_form_is_the_function_written_into_its_tensor(declared: Public) -> None:
    """On one sample of each: the value, and that it is the tensor which is returned."""
    known = [s for s in SAMPLES.get(declared.name, ()) if not s.complex]
    for sample in known[:1]:
        first, *others = sample.tensors(np.float64)
        operands = {id(first): first * 1}
        expected = sample.function(gpugrad, first, *others)
        if expected.dtype != first.dtype and not expected.dtype.is_floating_point:
            continue  # a comparison's: tested with the engine

        class Written:
            def __getattr__(self, name: str) -> Any:
                return partial(written, f"{name}_")

        target = operands[id(first)]
        result = sample.function(Written(), target, *others)
        assert result is target or sample.function(gpugrad, first, *others) is not first
        assert_agree(result, expected)
