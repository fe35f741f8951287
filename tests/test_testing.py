"""The tools that other tests rely on: each must fail where it should."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad import testing
from gpugrad.op import Operation
from gpugrad.testing import (
    assert_agree,
    assert_close,
    check_gradient,
    count_kernels,
    devices_agree,
    jvp,
)
from samples import SAMPLES, Sample

# --------------------------------------------------------------------------- assert_close


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.array([1.0, 2.0], "float32"), np.array([1.0, 2.0], "float32")),
        (np.array([1.0], "float32"), np.array([1.000001], "float32")),
        (np.array([1.0], "float16"), np.array([1.001], "float16")),
        (np.array([math.nan, math.inf], "float64"), np.array([math.nan, math.inf], "float64")),
        (np.array([1 + 2j], "complex64"), np.array([1 + 2.000001j], "complex64")),
        (np.array([complex(math.inf, math.nan)]), np.array([complex(math.inf, math.nan)])),
        (np.array([1], "int64"), np.array([1], "int64")),
        (gpugrad.tensor([1.0, 2.0], requires_grad=True), np.array([1.0, 2.0], "float32")),
        (gpugrad.tensor([1.0, 2.0]), [1.0, 2.0]),
        (gpugrad.tensor(3), 3),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_assert_agree_accepts(actual: Any, expected: Any) -> None:
    assert_agree(actual, expected)


NAN, INF = math.nan, math.inf
DIFFERENCES: list[tuple[Any, Any, str]] = [
    ([1.0, 2.0], [[1.0], [2.0]], "float64"), ([1.0], 1.0, "float32"),
    ([[1.0, 2.0], [3.0, 4.5]], [[1.0, 2.0], [3.0, 4.0]], "float64"), ([1.0], [1.0001], "float32"),
    ([1.0], [1.0 + 1e-4], "float64"), ([NAN, 1.0], [1.0, 2.0], "float64"),
    ([1.0], [NAN], "float64"), ([INF], [-INF], "float64"), ([INF], [1e308], "float64"),
    ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.5, 4.0]], "float32"),
    ([1 + 2j], [1 - 2j], "complex128"), ([2**62 + 3], [0], "int64"),
    ([True, False], [False, False], "bool"),
    (2.0, 2.5, "float32"), (1.5, 0.0, "float64"), (3, 2, "int64"), (1 + 1j, 2.0, "complex64"),
]  # fmt: skip


def difference(lib: Any, actual: Any, expected: Any, **options: Any) -> str:
    check = assert_close if lib is gpugrad else lib.testing.assert_close
    with pytest.raises(AssertionError) as caught:
        check(actual, expected, **options)
    return str(caught.value).replace("torch.", "gpugrad.")


@pytest.mark.parametrize(("actual", "expected", "kind"), DIFFERENCES)
@pytest.mark.parametrize("rtol", [0.0, 1e-6])
def test_assert_close_says_what_pytorchs_says(
    actual: Any, expected: Any, kind: str, rtol: float
) -> None:
    found, wanted = (
        difference(
            lib, *(lib.tensor(v, dtype=getattr(lib, kind)) for v in (actual, expected)),
            rtol=rtol, atol=10 * rtol, equal_nan=True,
        )
        for lib in (gpugrad, pytorch())
    )  # fmt: skip
    assert found == wanted


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: (lib.ones(2), lib.ones(2, dtype=lib.float64), {}),
        lambda lib: (lib.ones(2, 2), lib.ones(2, 2).T, {"check_stride": True}),
        lambda lib: (lib.tensor([NAN]), lib.tensor([NAN]), {"equal_nan": False}),
        lambda lib: (lib.ones(2), lib.zeros(2), {"msg": "differs"}),
        lambda lib: (lib.ones(2), lib.zeros(2), {"msg": lambda text: f"here: {text}"}),
        lambda lib: (lib.ones(1), lib.zeros(1, dtype=lib.float64), {"check_dtype": False}),
    ],
)
def test_what_assert_close_is_asked_to_look_at_is_told_as_in_pytorch(make: Any) -> None:
    texts = []
    for lib in (gpugrad, pytorch()):
        actual, expected, options = make(lib)
        texts.append(difference(lib, actual, expected, rtol=1e-6, atol=1e-6, **options))
    assert texts[0] == texts[1]


STRUCTURES: dict[str, Any] = {
    "a list": lambda lib: ([lib.ones(2)], [lib.ones(2) * 2], {}),
    "lengths": lambda lib: ([lib.ones(2)], (lib.ones(2), lib.ones(1)), {}),
    "in a list of a mapping": lambda lib: (
        {"a": lib.ones(2), "b": [1.0]}, {"a": lib.ones(2), "b": [2.0]}, {},
    ),
    "keys": lambda lib: ({"a": 1}, {"b": 1}, {}),
    "a mapping and a list": lambda lib: ({"a": 1}, [1], {}),
    "a text of an item": lambda lib: (
        [1.0], [2.0], {"msg": lambda text: f"here: {text}"},
    ),
    "tensor and number": lambda lib: (lib.ones(2), 1.0, {}),
    "array and tensor": lambda lib: (np.ones(2), lib.ones(2), {}),
    "arrays": lambda lib: (np.ones(2), np.zeros(2), {}),
    "strings": lambda lib: ("a", "a", {}),
    "one tolerance": lambda lib: (lib.ones(2), lib.ones(2), {"rtol": 1e-3}),
    "the other tolerance": lambda lib: (lib.ones(2), lib.ones(2), {"atol": 1e-3}),
    "kinds of numbers": lambda lib: (1, 1.0, {}),
    "integers": lambda lib: (1, 2, {}),
    "truth values": lambda lib: (True, False, {}),
    "None": lambda lib: (None, lib.ones(1), {}),
    "nan": lambda lib: (lib.tensor([NAN]), lib.tensor([NAN]), {}),
    "a number that is nan": lambda lib: (NAN, NAN, {}),
    "float64": lambda lib: (lib.ones(1).double(), lib.ones(1).double() + 1e-6, {}),
    "a subclass": lambda lib: (
        lib.ones(1), lib.nn.Parameter(lib.ones(1)), {"allow_subclasses": False},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STRUCTURES)
def test_assert_close_goes_into_structures_as_pytorchs_does(case: str) -> None:
    texts = []
    for lib in (gpugrad, pytorch()):
        check = assert_close if lib is gpugrad else lib.testing.assert_close
        actual, expected, options = STRUCTURES[case](lib)
        with pytest.raises((AssertionError, TypeError, ValueError)) as caught:
            check(actual, expected, **options)
        texts.append((caught.type, str(caught.value).replace("gpugrad", "torch")))
    assert texts[0] == texts[1]


def test_assert_close_accepts_what_is_close() -> None:
    ones = gpugrad.ones(2, 3)
    assert_close(ones, ones.T.contiguous().T)
    assert_close(ones, gpugrad.ones(2, 3, dtype=gpugrad.float64), check_dtype=False)
    assert_close({"a": [ones, 1.0], "b": None}, {"b": None, "a": (ones + 1e-7, 1.0 + 1e-8)})
    assert_close(gpugrad.nn.Parameter(ones), ones)
    assert_close(gpugrad.tensor([NAN]), gpugrad.tensor([NAN]), equal_nan=True)
    assert_close(1, 1.0, check_dtype=False)


def test_assert_agree_compares_what_is_of_any_library() -> None:
    assert_agree(gpugrad.tensor(2.0), 2)
    assert_agree(gpugrad.tensor([NAN]), np.array([NAN], np.float32))
    with pytest.raises(AssertionError, match=r"Expected 2.5 but got 2.0"):
        assert_agree(gpugrad.tensor(2.0), 2.5)
    with pytest.raises(AssertionError):  # nan meets nan in each part
        assert_agree(np.array([complex(0, NAN)]), np.array([complex(NAN, 0)]))
    with pytest.raises(AssertionError):
        assert_agree(np.array([2**62 + 1]), np.array([2**62]), rtol=0.1)


@pytest.mark.cuda
def test_assert_close_looks_at_devices() -> None:
    here, there = gpugrad.ones(2), gpugrad.ones(2, device="cuda")
    assert_agree(here, there)
    assert_close(here, there, check_device=False)
    with pytest.raises(AssertionError, match="'device' do not match: cpu != cuda:0"):
        assert_close(here, there)


def test_assert_agree_takes_tolerances() -> None:
    assert_agree(np.array([1.0]), np.array([1.1]), rtol=0.2)
    assert_agree(np.array([1.0]), np.array([1.1]), rtol=0, atol=0.2)
    with pytest.raises(AssertionError):
        assert_agree(np.array([1.0]), np.array([1.0 + 1e-15]), 0, 0)


# --------------------------------------------------------------------------- derivatives


def double(seed: int, *shape: int) -> Any:
    return gpugrad.tensor(np.random.default_rng(seed).uniform(0.5, 2, shape))


def broken(kind: str, forward: Any, rule: Any) -> Operation:
    """Return an operation of one input with this gradient."""
    op = Operation("BrokenBackward0", forward, kind)
    rule.__name__ = "input"
    op.gradient(rule)
    return op


def test_check_gradient_finds_a_wrong_factor() -> None:
    wrong = broken("linear", lambda door, input: input * 2.0, lambda g: g * 2.001)
    with pytest.raises(AssertionError, match="differences say"):
        check_gradient(wrong, [double(0, 3)])


def test_check_gradient_finds_a_wrong_second_derivative() -> None:
    """The gradient is right, but is not recorded as depending on the input."""
    square = broken(
        "composite", lambda door, input: input * input, lambda g, input: g * 2 * input.detach()
    )
    check_gradient(square, [double(0, 3)])
    with pytest.raises(AssertionError, match="differences say"):
        check_gradient(square, [double(0, 3)], order=2)


def test_check_gradient_finds_a_missing_dependence() -> None:
    with pytest.raises(AssertionError, match="differences say"):
        check_gradient(lambda x: x * x.detach(), [double(0, 3)])
    with pytest.raises(AssertionError, match="differences say"):
        check_gradient(lambda x, y: (x * y, y.detach()), [double(0, 3), double(1, 3)])


def test_check_gradient_finds_a_missing_conjugate() -> None:
    wrong = broken("linear", lambda door, input: input * 1j, lambda g: g * 1j)
    right = broken("linear", lambda door, input: input * 1j, lambda g: g * -1j)
    z = gpugrad.tensor(np.array([1 + 2j, 3 - 1j]))
    check_gradient(right, [z], order=2)
    with pytest.raises(AssertionError, match="differences say"):
        check_gradient(wrong, [z])


def test_check_gradient_of_several_inputs_and_outputs() -> None:
    def function(x: Any, i: Any, y: Any) -> Any:
        return (x[i] * y).sum(), [x.exp(), (y / x[0]).tanh()]

    inputs = [double(0, 3), gpugrad.tensor([0, 2, 2]), double(1, 3)]
    check_gradient(function, inputs, order=3)
    assert inputs[0].grad is None
    assert not inputs[0].requires_grad


def test_check_gradient_needs_something_to_differentiate() -> None:
    with pytest.raises(AssertionError, match="no input"):
        check_gradient(lambda i: i, [gpugrad.tensor([1])])
    with pytest.raises(AssertionError, match="no output"):
        check_gradient(lambda x: x > 0, [double(0, 2)])


def test_check_gradient_accepts_a_constant() -> None:
    check_gradient(lambda x: x.sign(), [double(0, 2)], order=3)
    check_gradient(lambda x: gpugrad.ones(2, dtype=gpugrad.float64), [double(0, 2)])


def test_jvp_of_a_known_function(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, device=device)
    y = gpugrad.tensor([3.0, 4.0], dtype=gpugrad.float64, device=device)
    (out,), (tangent,) = jvp(lambda x, y: x * y + x**2, [x, y], [gpugrad.ones_like(x), None])
    assert_agree(out, [4.0, 12.0])
    assert_agree(tangent, [5.0, 8.0])
    _, (tangent,) = jvp(lambda x, y: x * y, [x, y], [None, gpugrad.ones_like(y)])
    assert_agree(tangent, x)
    _, (tangent,) = jvp(lambda x, y: x * 2, [x, y], [None, gpugrad.ones_like(y)])
    assert tangent is None
    _, (tangent,) = jvp(lambda x, y: x, [x, y], [y, None])
    assert_agree(tangent, y)


def test_jvp_of_matrices_by_differences() -> None:
    a, b = double(0, 3, 4), double(1, 4, 2)
    va, vb = double(2, 3, 4), double(3, 4, 2)

    def function(a: Any, b: Any) -> Any:
        return (a @ b).std(0) * a.prod(1).sum()

    (_, (tangent,)) = jvp(function, [a, b], [va, vb])
    step = 1e-6
    quotient = (function(a + va * step, b + vb * step) - function(a - va * step, b - vb * step)) / (
        2 * step
    )
    assert_agree(tangent, quotient, 1e-7, 1e-8)


def test_jvp_records_nothing_and_changes_no_input() -> None:
    x = double(0, 3)
    _, (tangent,) = jvp(lambda x: x.exp(), [x], [x])
    assert tangent.grad_fn is None
    assert not x.requires_grad


# --------------------------------------------------------------------------- devices and kernels


@pytest.mark.cuda
def test_devices_agree_notices_values_and_gradients() -> None:
    x = np.linspace(1, 2, 5)
    devices_agree(lambda x: x.exp().sum(), x)
    with pytest.raises(AssertionError, match="not close"):
        devices_agree(lambda x: x * (1.0 if x.is_cuda else 1.001), x)
    with pytest.raises(AssertionError, match="not close"):  # the gradients only
        devices_agree(lambda x: x * x if x.is_cuda else x * x.detach(), x)


@pytest.mark.cuda
def test_count_kernels_on_cuda() -> None:
    x = gpugrad.ones(3, device="cuda", requires_grad=True)
    with count_kernels() as launched:
        assert launched.total == 0
        y = x.exp()
        assert launched.total == 1
        y.sum()
    assert launched.total == 2
    x.exp()
    assert launched.total == 2


def test_count_kernels_on_the_cpu_is_zero() -> None:
    with count_kernels() as launched:
        gpugrad.ones(3).exp()
    assert launched.total == 0


def test_counts_nest() -> None:
    from gpugrad.kernels import launches

    with count_kernels() as outer:
        launches.add(2)
        with count_kernels() as inner:
            launches.add(3)
    assert (outer.total, inner.total) == (5, 3)


def test_importing_the_tools_imports_neither_cupy_nor_a_test_runner() -> None:
    code = (
        "import sys, gpugrad.testing as t\n"
        "with t.count_kernels(): pass\n"
        "print([m for m in ('cupy', 'torch', 'pytest') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert found.strip() == "[]"


# --------------------------------------------------------------------------- the table


def test_operations_are_the_public_ones() -> None:
    names = testing.operations()
    assert {"mul", "pow", "where", "sum", "matmul", "getitem", "view", "to"} <= set(names)
    assert not {"zeros", "rand", "backward", "add_", "tensor"} & set(names)


def test_samples_do_not_depend_on_each_other() -> None:
    """A sample's arrays are its own: no test can change another's."""
    sample = SAMPLES["exp"][0]
    first, second = sample.arrays(), sample.arrays()
    first[0][:] = 0
    assert second[0].any()
    assert sample.inputs[0].any()


@pytest.mark.parametrize("layout", ["plain", "transposed", "sliced"])
def test_layouts_keep_the_values(layout: str, device: str) -> None:
    array = np.arange(12.0).reshape(3, 4)
    sample = Sample("any", lambda lib, x: x, (array,), layout=layout)
    (tensor,) = sample.tensors(np.float32, device)
    assert_agree(tensor, array.astype(np.float32))
    assert tensor.requires_grad
    assert tensor.stride() == {"plain": (4, 1), "transposed": (1, 3), "sliced": (8, 1)}[layout]
