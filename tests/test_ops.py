"""Every operation by its samples: values, gradients of three orders, forward mode, PyTorch.

``choice`` says which of the samples a test runs on; each says here what only it can find.
"""

from __future__ import annotations

import contextlib
import math
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import gpugrad
from choice import (
    DIFFERENTIABLE,
    EVERY,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    by_rule,
    over,
    plain,
    types,
    without,
)
from comparison import pytorch
from gpugrad import _dtype, autograd, testing
from gpugrad.backend import evaluation
from gpugrad.graph import SavedOutput, TensorBase
from gpugrad.op import OPS, Elementwise, Operation
from gpugrad.testing import assert_agree, check_gradient, flat
from samples import REFERENCE, SAMPLES, UNDERIVED, Sample

SMOOTH = [(op, s) for op, s in DIFFERENTIABLE if not s.coarse]
BY_RULE = by_rule(SMOOTH)
# Of each operation one sample in which it does something: the first, but for these.
TELLING = {"conj": "complex", "contiguous": "transposed", "to": "complex"}
FIRST = [
    (op, next(s for s in samples if s.name == TELLING.get(op, s.name)))
    for op, samples in SAMPLES.items()
    if samples[0].differentiable
]


def of(sample: Sample) -> Callable[..., Any]:
    """Return the sample's function of tensors."""
    return lambda *tensors: sample.function(gpugrad, *tensors)


def expected_type(result: Any, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that a result of double precision has where inputs are of ``dtype``."""
    wide = np.asarray(result).dtype
    return {"f": dtype, "c": np.result_type(dtype, np.complex64)}.get(wide.kind, wide)


def chooses_type(op: str, sample: Sample) -> bool:
    return op in ("to", "float_power") or "dtype" in sample.name or sample.coarse


# --------------------------------------------------------------------------- completeness


def test_every_operation_has_samples() -> None:
    assert set(testing.operations()) <= set(SAMPLES)
    assert set(SAMPLES) <= set(testing.operations())


def declared() -> dict[int, tuple[str, Any]]:
    """Return everything that was declared as an operation, by identity."""
    package = import_module("gpugrad.ops")
    names = [m.name for m in pkgutil.walk_packages(package.__path__, "gpugrad.ops.")]
    modules = [import_module(name) for name in names]
    modules.append(import_module("gpugrad.op"))
    found: dict[int, tuple[str, Any]] = {id(op): (name, op) for name, op in OPS.items()}
    for module in modules:
        for name, value in vars(module).items():
            op = getattr(value, "op", None)
            if isinstance(op, Operation):
                found[id(op)] = (f"{module.__name__}.{name}", op)
    return found


# Not reached by samples, each for a reason.
ELSEWHERE = {
    "gpugrad.op.move": "needs two devices: the CUDA lane of the sample to-device",
    "gpugrad.ops.inplace": "writes in place: tested with the engine",
    "gpugrad.ops.chance": "by chance: tested with random numbers",
    "gpugrad.ops.shape._identity": "a part of a dual tensor: tested with forward mode",
    "binade": "a part of scaled reductions only, of which nothing is recorded: tested with ranges",
    "chained": "a part of gradients by another convention: tested with these",
    "gpugrad.ops.segment._once": "refuses second derivatives: tested with segments",
    "gpugrad.ops.strided._read": "a part of second derivatives: those of the samples of as_strided",
    "where_positive": "a part of relu's gradient only",
    "selu_slope": "a part of selu's gradient only",
    "celu_slope": "a part of celu's gradient only",
    "where_above": "a part of threshold's gradient only",
    "where_beyond": "a part of hardshrink's gradient only",
    "where_between": "a part of hardtanh's gradient only",
    "sloped": "a part of the gradients of leaky_relu and rrelu only",
    "within": "a part of hardsigmoid's gradient only",
    "one_for": "a part of the gradient of prod, as product_in",
    "product_in": "likewise",
    "reduced": "a part of norm and var far from 1: tested with ranges",
    "enlarged": "likewise",
    "fraction": "a part of frexp",
    "neighbour": "a part of nextafter in more than 16 bits",
    "real_part": "a part of formulas only, as imaginary_part",
    "imaginary_part": "a part of formulas only",
    "airy_ai_slope": "a part of a gradient only",
    "gegenbauer": "a part of polynomials and their gradients",
    "laguerre": "likewise",
    "spherical_bessel_j1": "a part of a gradient only",
    "along_difference": "a part of cdist's gradient only, which has no half precision",
    "modulo": "NumPy's remainder: tested with gpugrad.numpy, as cbrt",
    "cbrt": "likewise",
    "shortening": "a part of renorm: of a norm and a number, which always run specialised",
    "over": "a part of trapezoid: likewise",
}


class Subclass(gpugrad.Tensor):
    """What takes the general way."""


def test_every_declaration_is_reached_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[int] = set()
    evaluate = Elementwise.evaluate

    def running(op: Operation, forward: Any, *args: Any, **kwargs: Any) -> Any:
        reached.add(id(op))
        return forward(*args, **kwargs)

    def evaluating(self: Elementwise, *args: Any, **kwargs: Any) -> Any:
        reached.add(id(self))
        return evaluate(self, *args, **kwargs)

    def computing(many: bool, formula: Any, *args: Any) -> Any:
        reached.update(parts.get(formula, ()))  # of an operation that runs it itself
        return compute(many, formula, *args)

    parts: dict[Any, list[int]] = {}
    for op in OPS.values():
        for kind in (
            (False, True) if op.promotion != "real" and op.taken[1] == _dtype.COMPLEX else ()
        ):
            with contextlib.suppress(NotImplementedError):
                parts.setdefault(op.of_kind(kind).formula, []).append(id(op))
        parts.setdefault(op.formula, []).append(id(op))
    compute = evaluation._evaluate
    monkeypatch.setattr(evaluation, "_evaluate", computing)  # which halves go through
    for _, op in declared().values():
        if isinstance(op, Operation):
            noting: Any = partial(running, op, op.forward)
            noting.__kwdefaults__ = op.forward.__kwdefaults__  # which another name of it asks for
            monkeypatch.setattr(op, "forward", noting)
    monkeypatch.setattr(Elementwise, "evaluate", evaluating)
    for _, sample in EVERY:
        tensors = sample.tensors(
            FLOAT16 if sample.half else FLOAT32
        )  # the way that is not specialised
        tensors = [t if t.is_floating_point() else t.as_subclass(Subclass) for t in tensors]
        outputs = [t for t in flat(of(sample)(*tensors)) if t.requires_grad]
        if outputs:
            autograd.backward(outputs, [gpugrad.ones_like(t) for t in outputs])
    kinds = {id(kind): id(op) for op in OPS.values() for kind in op.kinds.values()}
    reached |= {kinds[k] for k in reached if k in kinds}
    missing = [name for key, (name, _) in declared().items() if key not in reached]
    missing = [n for n in missing if not n.startswith(tuple(ELSEWHERE))]
    assert missing == []


# --------------------------------------------------------------------------- values


@over(EVERY, cuda=[])
def test_value(op: str, sample: Sample, device: str) -> None:
    """A value that is not NumPy's in a type, or where an operand has gaps or is transposed."""
    for dtype in types(sample):
        with saying(f"in {dtype}"):
            check_values(op, sample, dtype, device)


@contextmanager
def saying(where: str) -> Iterator[None]:
    """Add to an error where it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(where)
        raise


def check_values(op: str, sample: Sample, dtype: np.dtype[Any], device: str) -> None:
    results = flat(of(sample)(*sample.tensors(dtype, device, requires_grad=False)))
    expected = sample.expected(dtype)
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    assert len(results) == len(expected)
    for result, e in zip(results, expected, strict=True):
        if not chooses_type(op, sample):
            assert result.dtype.numpy == expected_type(e, dtype)
        assert_agree(result, np.asarray(e).astype(result.dtype.numpy))
        if op not in ("to", "_") or sample.name not in ("device", "cpu"):
            assert result.device.type == device


class _Methods:
    """The library, but with what is a method called as one."""

    def __getattr__(self, name: str) -> Any:
        if name == "where" or not callable(getattr(gpugrad.Tensor, name, None)):
            return getattr(gpugrad, name)
        return lambda x, *args, **kwargs: (
            getattr(x, name)(*args, **kwargs)
            if isinstance(x, TensorBase) and (name != "repeat_interleave" or args)
            else getattr(gpugrad, name)(x, *args, **kwargs)
        )  # fmt: skip


@over(plain(EVERY))
def test_methods_are_the_functions(op: str, sample: Sample) -> None:
    """A method that hands its arguments on in another way than the function takes them."""
    tensors = sample.tensors()
    here, there = (flat(sample.function(lib, *tensors)) for lib in (gpugrad, _Methods()))
    for a, b in zip(there, here, strict=True):
        assert_agree(a, b, 0, 0)
        assert (a.grad_fn and a.grad_fn.name()) == (b.grad_fn and b.grad_fn.name())


@over(BY_RULE)
def test_nothing_is_recorded_without_need(op: str, sample: Sample) -> None:
    """A node that is made though no input needs a gradient, or nothing is recorded."""
    for t in flat(of(sample)(*sample.tensors(requires_grad=False))):
        assert t.grad_fn is None
    with gpugrad.no_grad():
        for t in flat(of(sample)(*sample.tensors())):
            assert t.grad_fn is None


@over(plain([(op, s) for op, s in EVERY if not (s.differentiable or s.singular)]))
def test_no_gradient_where_there_is_none(op: str, sample: Sample) -> None:
    """A comparison or a position whose result says that it requires grad."""
    assert not any(t.requires_grad for t in flat(of(sample)(*sample.tensors())))


# --------------------------------------------------------------------------- derivatives


@over(without(SMOOTH, BY_RULE))
def test_gradient(op: str, sample: Sample) -> None:
    """A first gradient that is wrong for some arguments, values or layouts."""
    check_gradient(of(sample), sample.tensors())


@over(BY_RULE)
def test_gradient_and_those_of_second_and_third_order(op: str, sample: Sample) -> None:
    """A rule that is right, and has a wrong derivative itself."""
    check_gradient(of(sample), sample.tensors(), 3)


@over(by_rule(DIFFERENTIABLE), cuda=BY_RULE)
def test_forward_mode_is_the_transpose_of_reverse_mode(
    op: str, sample: Sample, device: str
) -> None:
    """A tangent that is not what the same rule makes of a gradient."""
    inputs = sample.tensors(device=device)
    tangents = testing.random_like(inputs, 1)
    moving = [x.requires_grad for x in inputs]
    outputs, moved = testing.jvp(
        of(sample), inputs, [t if m else None for t, m in zip(tangents, moving, strict=True)]
    )
    starts = testing.leaves(inputs)
    outputs = flat(of(sample)(*starts))
    for output, tangent in zip(outputs, moved, strict=True):
        assert tangent is None or (tangent.shape, tangent.dtype) == (output.shape, output.dtype)
    weights = testing.random_like(outputs, 2)
    wanted = [x for x in starts if x.requires_grad]
    grads = testing.gradients(outputs, wanted, weights)
    forward, scale = testing.inner(
        [w for w, m in zip(weights, moved, strict=True) if m is not None],
        [m for m in moved if m is not None],
    )
    backward, _ = testing.inner(grads, [t for t, m in zip(tangents, moving, strict=True) if m])
    coarse = 1e-3 if sample.coarse else 1e-12  # float16 rounds what passes through it
    assert abs(forward - backward) <= coarse * (scale + 1)


@over([(op, s) for op, s in BY_RULE if sum(a.dtype.kind in "fc" for a in s.inputs) > 1])
def test_only_one_input_needs_a_gradient(op: str, sample: Sample) -> None:
    """A rule for one of several inputs that saves too little, or computes something else."""
    inputs = sample.tensors()
    outputs = flat(of(sample)(*inputs))
    weights = testing.random_like(outputs)
    wanted = [k for k, t in enumerate(inputs) if t.requires_grad]
    together = testing.gradients(outputs, [inputs[k] for k in wanted], weights)
    for k, grad in zip(wanted, together, strict=True):
        alone = [t.detach().requires_grad_(j == k) for j, t in enumerate(inputs)]
        outputs = flat(of(sample)(*alone))
        assert_agree(testing.gradients(outputs, [alone[k]], weights)[0], grad, 1e-15, 1e-15)


@over([(op, s) for op, s in BY_RULE if not s.complex], cuda=[])
def test_gradient_in_single_precision(op: str, sample: Sample, device: str) -> None:
    """A gradient of float32 that has another type, or is not that of float64.

    The sizes of the terms are near 1.
    """
    found = []
    for dtype in (FLOAT32, FLOAT64):
        arrays = [a.astype(FLOAT32) if a.dtype.kind == "f" else a for a in sample.arrays()]
        rounded = Sample(sample.name, sample.function, tuple(arrays), layout=sample.layout)
        inputs = rounded.tensors(dtype, device)
        outputs = [t for t in flat(of(sample)(*inputs)) if t.requires_grad]
        wanted = [x for x in inputs if x.requires_grad]
        weights = [
            w.to(t.dtype) for w, t in zip(testing.random_like(outputs), outputs, strict=True)
        ]
        weights = [w.to(gpugrad.float32).to(w.dtype) for w in weights]
        found.append(testing.gradients(outputs, wanted, weights))
    for single, double in zip(*found, strict=True):
        assert single.dtype is gpugrad.float32
        # each of a few operations rounds: 4e-7 of the terms, which are below 10
        assert_agree(testing.as_numpy(single).astype(FLOAT64), double, 5e-6, 2e-5)


# --------------------------------------------------------------------------- on CUDA


@pytest.mark.cuda
@over(EVERY)
def test_cuda_agrees_with_numpy(op: str, sample: Sample) -> None:
    """A kernel that computes something else than NumPy does, as a value or a first gradient."""
    kinds = types(sample) if (op, sample.name) in KERNELS else [FLOAT32]
    for dtype in kinds:
        with saying(f"in {dtype}"):
            testing.devices_agree(of(sample), *sample.arrays(dtype))


KERNELS = {(op, sample.name) for op, sample in BY_RULE}


@pytest.mark.cuda
@over(BY_RULE)
def test_second_derivative_on_cuda_agrees_with_numpy(op: str, sample: Sample) -> None:
    """A kernel of a gradient's gradient that computes something else than NumPy does."""

    def gradient(*starts: Any) -> Any:
        outputs = [t for t in flat(of(sample)(*starts)) if t.requires_grad]
        wanted = [x for x in starts if x.requires_grad]
        weights = testing.random_like(outputs, 1)
        return tuple(testing.gradients(outputs, wanted, weights, create_graph=True))

    testing.devices_agree(gradient, *sample.arrays(FLOAT32))


# --------------------------------------------------------------------------- what is saved

# For the first sample of some operations of each kind, all inputs needing a gradient: the inputs
# and the output that the last node keeps.  What a rule names is saved, whatever the operation.
SAVED = {
    "add": "", "sub": "", "rsub": "", "mul": "0 1", "div": "0 1", "pow": "0 1 out", "neg": "",
    "abs": "0", "reciprocal": "out", "square": "0", "sign": "", "sgn": "", "conj": "", "real": "",
    "imag": "", "conj_physical": "", "resolve_conj": "number", "angle": "",
    "complex": "", "polar": "1 out", "exp": "out", "log": "0", "log1p": "0",
    "sqrt": "out", "rsqrt": "out", "sin": "0", "cos": "0",
    "tan": "out", "tanh": "out", "sigmoid": "out", "erf": "0", "relu": "out",
    "gelu": "0", "silu": "0", "softplus": "0 number number", "maximum": "0 1", "minimum": "0 1",
    "clamp": "0 number number", "where": "0", "sum": "", "mean": "", "prod": "0", "max": "0 out",
    "min": "0 out", "amax": "0 out", "amin": "0 out", "var": "0", "std": "0 out", "norm": "0 out",
    "hypot": "0 1 out", "logaddexp": "0 1", "logsumexp": "0 out", "det": "0",
    "dot": "0 1", "mv": "0 1", "mm": "0 1", "bmm": "0 1", "matmul": "0 1", "outer": "0 1",
    **dict.fromkeys((
        "diagonal", "movedim", "unflatten", "view_as_real", "view_as_complex",
        "as_strided", "unfold", "tensor_split", "split_with_sizes", "hsplit", "vsplit", "dsplit",
        "ravel", "as_strided_scatter", "slice_scatter", "select_scatter", "diagonal_scatter",
        "masked_fill", "masked_scatter", "index_fill",
        "reshape", "view", "flatten", "transpose", "adjoint", "t", "permute", "squeeze",
        "unsqueeze", "expand", "broadcast_to", "cat", "stack", "split", "chunk", "unbind", "select",
        "narrow", "flip", "getitem", "clone", "contiguous", "to",
    ), ""),
    # the index
    **dict.fromkeys(("index_select", "masked_select", "gather"), "1"),
    **dict.fromkeys(("index_copy", "index_add", "scatter", "scatter_add"), "2"),
}  # fmt: skip


def saved_names(inputs: list[Any], output: Any) -> str:
    """Return what the node of ``output`` keeps: the places of inputs, numbers, outputs."""
    node = output.grad_fn
    count = len(node.inputs)
    names = []
    for k, value in enumerate(node.saved):
        if value is None:
            continue
        if k >= count:
            assert isinstance(value, SavedOutput), "a node that holds its own output is a cycle"
            names.append("out")
        elif not isinstance(value, TensorBase):
            names.append("number")
        else:
            memory = value._array
            (place,) = {j for j, t in enumerate(inputs) if np.may_share_memory(t._array, memory)}
            names.append(str(place))
    return " ".join(names)


@over([(op, sample) for op, sample in FIRST if op in SAVED])
def test_the_minimum_is_saved(op: str, sample: Sample) -> None:
    inputs = sample.tensors()
    assert saved_names(inputs, flat(of(sample)(*inputs))[0]) == SAVED[op]


@pytest.mark.parametrize(
    ("function", "needs", "expected"),
    [
        (gpugrad.mul, (True, False), "1"),
        (gpugrad.mul, (False, True), "0"),
        (gpugrad.div, (True, False), "1"),
        (gpugrad.div, (False, True), "0 1"),
        (gpugrad.pow, (True, False), "0 1"),
        (gpugrad.pow, (False, True), "0 1 out"),
        (lambda x, y: x**2, (True, False), "0"),
        (lambda x, y: x**1, (True, False), "0"),  # as x**n: PyTorch goes on for any n
        (lambda x, y: x**2.5, (True, False), "0 number"),
        (lambda x, y: 2**y, (False, True), "1 number out"),
        (lambda x, y: x * 3, (True, False), "number"),
        (lambda x, y: x / 3, (True, False), "number"),
        (lambda x, y: x + 3, (True, False), ""),
        (lambda x, y: 3 - x, (True, False), ""),
        (gpugrad.matmul, (True, False), "1"),
        (gpugrad.matmul, (False, True), "0"),
        (lambda x, y: gpugrad.dot(x[0], y[0]), (True, False), "1"),
        (lambda x, y: x.max(0)[0], (True, False), "out"),
        (lambda x, y: x.clamp(min=0), (True, False), "0 number"),
        (lambda x, y: x.norm(1), (True, False), "0 out"),
    ],
)
def test_only_what_is_needed_is_saved(
    function: Any, needs: tuple[bool, bool], expected: str
) -> None:
    arrays = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 5.0]])
    inputs = [gpugrad.tensor(a).requires_grad_(n) for a, n in zip(arrays, needs, strict=True)]
    names = saved_names(inputs, function(*inputs))
    assert sorted(names.split()) == sorted(expected.split())


# --------------------------------------------------------------------------- singular points

INF, NAN = math.inf, math.nan


def _along(name: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    return lambda lib, *x: getattr(lib, name)(*x, *args, **kwargs)


# What PyTorch gives in float64: the gradients of the sum of the result.
SINGULAR: list[tuple[str, Callable[..., Any], list[Any], list[Any]]] = [
    ("x**0 at 0", lambda lib, x: x**0, [0.0], [0.0]),
    ("x**0.5 at 0", lambda lib, x: x**0.5, [0.0], [INF]),
    ("sqrt at 0", _along("sqrt"), [0.0], [INF]),
    ("log at 0", _along("log"), [0.0], [INF]),
    ("1/x at 0", lambda lib, x: 1 / x, [0.0], [-INF]),
    ("x**2.5 at -3", lambda lib, x: x**2.5, [-3.0], [NAN]),
    ("sqrt at -1", _along("sqrt"), [-1.0], [NAN]),
    ("log at -1", _along("log"), [-1.0], [-1.0]),
    ("pow at (0, 0)", _along("pow"), [0.0, 0.0], [0.0, 0.0]),
    ("pow at (0, 2)", _along("pow"), [0.0, 2.0], [0.0, 0.0]),
    ("pow at (0, 0.5)", _along("pow"), [0.0, 0.5], [INF, 0.0]),
    ("pow at (-2, 3)", _along("pow"), [-2.0, 3.0], [12.0, NAN]),
    ("pow at (0, -1)", _along("pow"), [0.0, -1.0], [-INF, -INF]),
    ("x*log(x) at 0", lambda lib, x: x * lib.log(x), [0.0], [NAN]),
    ("x/y at (0, 0)", lambda lib, x, y: x / y, [0.0, 0.0], [INF, NAN]),
    ("abs at 0", _along("abs"), [0.0], [0.0]),
    ("relu at 0", _along("relu"), [0.0], [0.0]),
    ("relu at nan", _along("relu"), [NAN], [1.0]),
    ("clamp(0, 1) at 1", _along("clamp", 0, 1), [1.0], [1.0]),
    ("clamp(min=0) at 0", _along("clamp", min=0), [0.0], [1.0]),
    ("clamp at nan", _along("clamp", 0, 1), [NAN], [0.0]),
    ("clamp, min above max", _along("clamp", 2, 1), [1.5], [0.0]),
    ("clamp, bounds that meet", _along("clamp"), [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]),
    ("maximum of equals", _along("maximum"), [1.0, 1.0], [0.5, 0.5]),
    ("minimum of equals", _along("minimum"), [1.0, 1.0], [0.5, 0.5]),
    ("maximum(nan, 1)", _along("maximum"), [NAN, 1.0], [1.0, 1.0]),
    ("max of equals", _along("max"), [[2.0, 2.0, 1.0]], [[0.5, 0.5, 0.0]]),
    ("amax of equals", _along("amax"), [[2.0, 2.0, 1.0]], [[0.5, 0.5, 0.0]]),
    ("amin of equals", _along("amin", 0), [[2.0, 1.0, 1.0]], [[0.0, 0.5, 0.5]]),
    ("max along a dim of equals", lambda lib, x: lib.max(x, 0)[0], [[2.0, 2.0, 1.0]],
     [[1.0, 0.0, 0.0]]),
    ("max with nan", _along("max"), [[1.0, NAN, 2.0]], [[0.0, 1.0, 0.0]]),
    ("max along a dim with nan", lambda lib, x: lib.max(x, 0)[0], [[1.0, NAN, NAN]],
     [[0.0, 1.0, 0.0]]),
    ("eigenvalues that are equal", lambda lib, x: lib.linalg.eigvalsh(x),
     [[[1.0, 0.0], [0.0, 1.0]]], [[[1.0, 0.0], [0.0, 1.0]]]),
    ("singular values that are equal", lambda lib, x: lib.linalg.svdvals(x),
     [[[1.0, 0.0], [0.0, 1.0]]], [[[1.0, 0.0], [0.0, 1.0]]]),
    ("eigenvectors of equal values", lambda lib, x: lib.linalg.eigh(x)[1],
     [[[1.0, 0.0], [0.0, 1.0]]], [[[NAN, NAN], [NAN, NAN]]]),
    ("singular vectors of equal values", lambda lib, x: lib.linalg.svd(x)[0],
     [[[1.0, 0.0], [0.0, 1.0]]], [[[NAN, NAN], [NAN, NAN]]]),
    ("norm at 0", _along("norm"), [[0.0, 0.0]], [[0.0, 0.0]]),
    ("norm 1 at 0", _along("norm", 1), [[0.0, 0.0]], [[0.0, 0.0]]),
    ("norm 3 at 0", _along("norm", 3), [[0.0, 0.0]], [[0.0, 0.0]]),
    ("norm 0.5 at 0", _along("norm", 0.5), [[0.0, 0.0]], [[0.0, 0.0]]),
    ("norm inf of equals", _along("norm", INF), [[2.0, -2.0, 1.0]], [[0.5, -0.5, 0.0]]),
    ("std of equals", _along("std"), [[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]]),
    ("prod with one zero", _along("prod"), [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
    ("prod with two zeros", _along("prod"), [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
    ("softplus far out", _along("softplus"), [[1000.0, -1000.0]], [[1.0, 0.0]]),
    ("tanh far out", _along("tanh"), [1000.0], [0.0]),
    ("sigmoid far out", _along("sigmoid"), [[-1000.0, 1000.0]], [[0.0, 0.0]]),
    ("silu far out", _along("silu"), [[-1000.0, 1000.0]], [[0.0, 1.0]]),
    ("gelu far out", _along("gelu"), [[-1000.0, 1000.0]], [[0.0, 1.0]]),
    ("gelu tanh far out", _along("gelu", approximate="tanh"), [[-1000.0, 1000.0]], [[0.0, 1.0]]),
    ("where beside sqrt", lambda lib, x: lib.where(x > 0, lib.sqrt(x), 0.0), [[-1.0, 0.0]],
     [[NAN, NAN]]),
    ("repeated index", lambda lib, x: x[[0, 0]], [[1.0, 2.0]], [[2.0, 0.0]]),
    ("sum of nothing", _along("sum"), [[]], [[]]),
    ("mean of nothing", _along("mean"), [[]], [[]]),
    ("sign at 0", _along("sign"), [0.0], [0.0]),
    ("abs at 0, complex", _along("abs"), [0j], [0j]),
    ("sgn at 0, complex", lambda lib, z: lib.real(lib.sgn(z)), [0j], [0j]),
    ("sqrt at 0, complex", lambda lib, z: lib.real(lib.sqrt(z)), [0j], [complex(INF, NAN)]),
    ("log at 0, complex", lambda lib, z: lib.real(lib.log(z)), [0j], [complex(INF, NAN)]),
    ("z**2 at 0", lambda lib, z: lib.real(z**2), [0j], [0j]),
    ("|z|**2", lambda lib, z: lib.abs(z) ** 2, [1 + 2j], [2 + 4j]),
    ("Re z**2", lambda lib, z: lib.real(z**2), [1 + 2j], [2 - 4j]),
    ("Im z", _along("imag"), [1 + 2j], [1j]),
    ("second derivative of relu(x)**2", lambda lib, x: second(lib, lambda x: lib.relu(x) ** 2, x),
     [[0.0, 1.0, -1.0]], [[0.0, 2.0, 0.0]]),
    ("second derivative of abs(x)**3", lambda lib, x: second(lib, lambda x: lib.abs(x) ** 3, x),
     [[0.0, 1.0, -1.0]], [[0.0, 6.0, 6.0]]),
    *((f"second derivative of {name} at 0", lambda lib, x, f=f: second(lib, lambda x: f(lib, x), x),
       [[0.0, -0.0, 1.0]], [[0.0, 0.0, 0.0]]) for name, f in
      {"elu": lambda lib, x: lib.nn.functional.elu(x, 2.0),
       "celu": lambda lib, x: lib.nn.functional.celu(x, 2.0),
       "selu": lambda lib, x: lib.nn.functional.selu(x)}.items()),
    ("second derivative of prod", lambda lib, x: second(lib, lib.prod, x), [[0.0, 2.0, 3.0]],
     [[5.0, 3.0, 2.0]]),
    ("second derivative of norm at 0", lambda lib, x: second(lib, lib.norm, x), [[0.0, 0.0]],
     [[NAN, NAN]]),
    ("third derivative of x**3", lambda lib, x: second(lib, lambda x: second(
        lib, lambda x: x**3, x), x), [[0.0, 2.0]], [[6.0, 6.0]]),
    ("fourth derivative of x**3", lambda lib, x: second(lib, lambda x: second(
        lib, lambda x: second(lib, lambda x: x**3, x), x), x), [2.0], [0.0]),
]  # fmt: skip


def second(lib: Any, function: Callable[..., Any], x: Any) -> Any:
    """Return the gradient of a sum, recorded, so that its own gradient is the next derivative."""
    total = function(x)
    (grad,) = lib.autograd.grad(total.sum(), x, create_graph=True)
    return grad


SINGULAR_POINTS = pytest.mark.parametrize(
    ("function", "inputs", "expected"), [s[1:] for s in SINGULAR], ids=[s[0] for s in SINGULAR]
)


@SINGULAR_POINTS
def test_singular_point(function: Any, inputs: Any, expected: Any, device: str) -> None:
    if device == "cuda" and any(np.isinf(e).any() for e in expected if isinstance(e, complex)):
        return  # CuPy's complex quotient by 0 is nan in both parts
    tensors = []
    for value in inputs:
        kind = gpugrad.complex128 if isinstance(value, complex) else gpugrad.float64
        tensors.append(gpugrad.tensor(value, dtype=kind, device=device, requires_grad=True))
    function(gpugrad, *tensors).sum().backward()
    for tensor, e in zip(tensors, expected, strict=True):
        assert_agree(testing.as_numpy(tensor.grad), np.asarray(e), 1e-14, 0)


def test_reference_covers_what_samples_call() -> None:
    assert not [name for name in vars(REFERENCE) if not hasattr(gpugrad, name) and
                not hasattr(gpugrad.Tensor, name)]  # fmt: skip


# --------------------------------------------------------------------------- against PyTorch


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch and its functional module as one library; the test is skipped without it."""
    found = pytorch()

    class Both:
        def __getattr__(self, name: str) -> Any:
            return getattr(found if hasattr(found, name) else found.nn.functional, name)

    return Both()


def in_torch(torch: Any, array: Any, requires_grad: bool = True) -> Any:
    t = torch.from_numpy(array)
    return t.requires_grad_(requires_grad and array.dtype.kind in "fc")


# Where PyTorch's last node has another name, because it does something else.
OTHER_NAMES = {
    "rsub": "we exchange the operands of a difference",
    "nn.functional.linear": "it is one operation, also of stacks",
    "norm_except_dim": "PyTorch reshapes around a norm of rows",
    "bilinear": "PyTorch reshapes around a product of three operands",
    "matmul": "PyTorch reshapes around one product of matrices",
    "einsum": "PyTorch reshapes after every product",
    "chain_matmul": "likewise",
    **dict.fromkeys(
        ("lstm", "gru", "rnn_tanh", "rnn_relu"), "all steps are one operation, and then reshaped"
    ),
    **dict.fromkeys(
        (
            *(f"{way}_pool1d" for way in ("max", "avg", "adaptive_max", "adaptive_avg")),
            *(f"nn.functional.{way}_pool1d" for way in ("max", "adaptive_max")),
            "nn.functional.adaptive_max_pool1d_with_indices",
            "nn.functional.max_pool1d_with_indices",
            "max_pool1d_with_indices",
            "nn.functional.lp_pool1d",
        ),
        "PyTorch pools an image of one row",
    ),
    **dict.fromkeys(
        (
            *(f"nn.functional.max_unpool{n}d" for n in (1, 2, 3)),
            "nn.functional.grid_sample",
            "grid_sampler",
            "nn.functional.affine_grid",
            "affine_grid_generator",
            "conv_tbc",
        ),
        "composed of other operations, on either side",
    ),
    **dict.fromkeys(
        ("conv2d", "conv_transpose2d"), "PyTorch convolves the parts of complex numbers"
    ),
    "nn.functional.pad": "PyTorch's circular padding writes copies",
    "nn.functional.scaled_dot_product_attention": "PyTorch reshapes around one product, or we do",
    "nn.functional.multi_head_attention_forward": "likewise",
    "nn.functional.embedding_bag": "of maxima those of bags without rows are replaced last",
    **dict.fromkeys(
        (
            "trapezoid",
            "cumulative_trapezoid",
            "quantile",
            "nanquantile",
            "cdist",
            "pdist",
            "dist",
            "renorm",
            "cov",
            "corrcoef",
        ),
        "composed of other operations",
    ),
    "fft.ifft": "PyTorch conjugates what is the transform of real numbers",
    "stft": "PyTorch transforms several signals, and takes the one of them",
    "istft": "likewise",
    "fft.ihfft2": "we conjugate last",
    "fft.ihfftn": "likewise",
    **dict.fromkeys(
        (
            "linalg.eig",
            "linalg.svd",
            "linalg.solve",
            "linalg.tensorinv",
            "linalg.multi_dot",
            "linalg.matrix_norm",
            "linalg.cond",
        ),
        "PyTorch reshapes last, or we do",
    ),
    **dict.fromkeys(
        (
            "linalg.lu",
            "lu_unpack",
            "linalg.lu_solve",
            "lu_solve",
            "linalg.ldl_solve",
            "linalg.lstsq",
            "linalg.householder_product",
            "orgqr",
            "ormqr",
            "linalg.solve_triangular",
            "triangular_solve",
            "cholesky_solve",
            "cholesky_inverse",
            "linalg.vander",
        ),
        "composed of other operations",
    ),
}

# Where PyTorch itself fails.
FAILS = {
    "det-singular": "its gradient is 0 where the matrix is singular",
    "det-some_singular": "likewise",
    "linalg.svd-beyond": "its gradient drops that of vectors which belong to no singular value",
    "linalg.ldl_solve-square": "it has no gradient",
    "linalg.cond-order_fro": "its backward finds that it has written to the inverse itself",
    "linalg.cond-order_1": "likewise",
    "matrix_power-0": "its result needs a gradient, which is 0",
    "nn.functional.nll_loss-one_of_one": "its backward needs a 0-d target",
    "nn.functional.cross_entropy-one_of_one": "likewise",
    "nn.functional.hardsigmoid-ordinary": "its slope is a sixth in single precision",
    "nn.functional.hardsigmoid-in_place": "likewise",
    "clamp-tensors_broadcast": "its backward needs bounds that broadcast to the input's shape",
    "where-complex_with_real": "its backward does not take the real part",
    "nan_to_num-complex": "it has no gradient of complex numbers",
    "nan_to_num-strange_complex": "likewise",
    "polar-negative": "its backward has the other sign",
    "scatter-larger_source": "its backward needs a source of the index's shape",
    "scatter_add-larger_source": "likewise",
    "scatter_reduce-complex": "its gradient is not implemented",
    "as_strided_scatter-ordinary": "its gradient is that of the elements which were overwritten",
    "as_strided_scatter-complex": "likewise",
    "slice_scatter-complex": "it has no gradient of complex numbers",
    "select_scatter-complex": "likewise",
    "diagonal_scatter-complex": "likewise",
    "fft.fft-empty": "its library refuses what has no elements",
    "fft.irfft2-empty": "likewise",
    "view_as_complex_copy-ordinary": "it has no gradient",
    "vander-ordinary": "its backward needs what was written in place",
    "vander-complex": "likewise",
    "vander-some": "likewise",
    "vander-none": "it has no gradient",
    "detach_copy-ordinary": "its result requires grad, and a backward through it fails",
    "digamma-ordinary": "its trigamma has errors of 1e-9, as it adds up few terms",
    "polygamma-order_0": "likewise",
    "polygamma-order_1": "likewise",
    "igamma-points": "it has errors of 1e-10 of large numbers",
    "igammac-points": "likewise",
    "special.bessel_j0-points": "it has errors of 1e-7 between 5 and 8",
    "special.bessel_j1-points": "likewise",
    "special.airy_ai-ordinary": "it has errors of 1e-8 of negative numbers",
    "special.airy_ai-points": "it has errors of 1e-8 of negative numbers",
}


def torch_flat(result: Any) -> list[Any]:
    return (
        [result] if hasattr(result, "detach") else [t for part in result for t in torch_flat(part)]
    )


@over([(op, s) for op, s in plain(EVERY) if f"{op}-{s}".replace(" ", "_") not in FAILS])
def test_agrees_with_pytorch(op: str, sample: Sample, torch: Any) -> None:
    """A type, a shape, a name of a node or a number that is not PyTorch's."""
    for dtype in FLOAT32, FLOAT64:
        with saying(f"in {dtype}"):
            check_against_pytorch(op, sample, dtype, torch)


def check_against_pytorch(op: str, sample: Sample, dtype: np.dtype[Any], torch: Any) -> None:
    ours = sample.tensors(dtype)
    theirs = [in_torch(torch, a) for a in sample.arrays(dtype)]
    results = flat(of(sample)(*ours))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of var of no elements
        expected = torch_flat(sample.function(torch, *theirs))
    assert len(results) == len(expected)
    for result, e in zip(results, expected, strict=True):
        assert str(result.dtype).removeprefix("gpugrad.") == str(e.dtype).removeprefix("torch.")
        assert tuple(result.shape) == tuple(e.shape)
        assert_agree(result, e)
        assert result.requires_grad == (
            e.requires_grad or (op in UNDERIVED and sample.differentiable)
        )
        if op not in {*OTHER_NAMES, *UNDERIVED}:
            assert (result.grad_fn and result.grad_fn.name()) == (e.grad_fn and e.grad_fn.name())
    pairs = [(a, b) for a, b in zip(results, expected, strict=True) if b.requires_grad]
    if not pairs:
        return
    weights = testing.random_like([a for a, _ in pairs])
    autograd.backward([a for a, _ in pairs], weights)
    torch.autograd.backward(
        [b for _, b in pairs], [in_torch(torch, w.numpy(), False) for w in weights]
    )
    for a, b in zip(ours, theirs, strict=True):
        if a.requires_grad:
            if b.grad is None:  # its norm of order 0 has no gradient; ours is zero
                assert a.grad is None or not a.grad.any()
            else:
                assert_agree(a.grad, b.grad)


@SINGULAR_POINTS
def test_singular_point_is_pytorchs(function: Any, inputs: Any, expected: Any, torch: Any) -> None:
    tensors = []
    for value in inputs:
        kind = torch.complex128 if isinstance(value, complex) else torch.float64
        tensors.append(torch.tensor(value, dtype=kind, requires_grad=True))
    function(torch, *tensors).sum().backward()
    for tensor, e in zip(tensors, expected, strict=True):
        assert_agree(tensor.grad, np.asarray(e), 1e-14, 0)


# ---- promotion

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
          "complex64", "complex128")  # fmt: skip
NUMBERS = (True, 2, 2.5, 1 + 2j)
BINARY = (
    "add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "lt", "ge", "logical_and",
    "bitwise_and", "bitwise_xor",
)  # fmt: skip
UNARY = (
    "abs", "neg", "exp", "log", "sqrt", "rsqrt", "reciprocal", "sin", "tanh", "sigmoid", "relu",
    "sign", "square", "gelu", "silu", "softplus", "erf", "logical_not", "bitwise_not", "isnan",
    "sum", "mean", "prod", "amax", "argmax", "var", "norm", "all", "any", "max", "conj", "real",
)  # fmt: skip


NO_ORDER = ("maximum", "minimum", "lt", "ge", "relu", "amax", "argmax", "max", "<")


def outcome(function: Any, *operands: Any) -> Any:
    """Return the type and value of a result, or that there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's half precision complex numbers are experimental
        try:
            result = function(*operands)
            return str(result.dtype).split(".")[1], testing.as_numpy(result)
        except (RuntimeError, TypeError, NotImplementedError, ValueError):
            return "raises"


def same(name: str, operands: tuple[Any, ...], ours: Any, theirs: Any) -> bool:
    """Tell whether two outcomes agree; where PyTorch lacks a kernel we may have one.

    But complex numbers have no order.
    """
    if isinstance(theirs, str):
        ordered = name in NO_ORDER and any(np.iscomplexobj(o) for o in operands)
        return isinstance(ours, str) or not ordered
    if isinstance(ours, str) or ours[0] != theirs[0]:
        return False
    try:
        assert_agree(ours[1], theirs[1])
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("name", BINARY)
def test_binary_promotion_is_pytorchs(name: str, torch: Any) -> None:
    ours, theirs = getattr(gpugrad, name), getattr(torch, name)
    wrong = []
    for first in DTYPES:
        x = np.array([1, 2, 3]).astype(first)
        arrays = [np.array([2, 1, 3]).astype(second) for second in DTYPES]
        scalars = [np.array(2).astype(second) for second in DTYPES]
        pairs: list[tuple[Any, Any]] = [(x, y) for y in (*arrays, *scalars, *NUMBERS)]
        pairs += [(y, x) for y in (*scalars, *NUMBERS)]
        for left, right in pairs:
            a = outcome(ours, _ours(left), _ours(right))
            b = outcome(theirs, _theirs(torch, left), _theirs(torch, right))
            if not same(name, (left, right), a, b):
                wrong.append((_word(left), _word(right), a, b))
    assert not wrong, f"{len(wrong)}: " + "\n".join(map(str, wrong[:12]))


def _ours(value: Any) -> Any:
    return gpugrad.from_numpy(value) if isinstance(value, np.ndarray) else value


def _theirs(torch: Any, value: Any) -> Any:
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


def _word(value: Any) -> str:
    return f"{value.dtype} {value.ndim}-d" if isinstance(value, np.ndarray) else repr(value)


@pytest.mark.parametrize("name", UNARY)
def test_unary_types_are_pytorchs(name: str, torch: Any) -> None:
    wrong = []
    for kind in DTYPES:
        x = np.array([1, 0, 3]).astype(kind)
        a = outcome(getattr(gpugrad, name), _ours(x))
        b = outcome(getattr(torch, name), _theirs(torch, x))
        if not same(name, (x,), a, b):
            wrong.append((kind, a, b))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "**", "==", "<", "&", "|", "^"])
def test_operator_promotion_is_pytorchs(operator: str, torch: Any) -> None:
    function = eval(f"lambda x, y: x {operator} y")
    wrong = []
    for kind in DTYPES:
        x = np.array([1, 2, 3]).astype(kind)
        for number in NUMBERS:
            for left, right in ((x, number), (number, x)):
                a = outcome(function, _ours(left), _ours(right))
                b = outcome(function, _theirs(torch, left), _theirs(torch, right))
                if not same(operator, (left, right), a, b):
                    wrong.append((_word(left), _word(right), a, b))
    assert not wrong, f"{len(wrong)}: " + "\n".join(map(str, wrong[:12]))


# --------------------------------------------------------------------------- comparisons

COMPARED = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
            "eq": np.equal, "ne": np.not_equal}  # fmt: skip


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_comparisons_of_plain_operands_are_generated(name: str, dtype: Any) -> None:
    function, theirs = getattr(gpugrad, name), COMPARED[name]
    assert "general(input, other)" in OPS[name].source
    a, b = (np.array(v, dtype) for v in ([1.0, 2.0, math.nan], [2.0, 2.0, 0.1]))
    x = gpugrad.tensor(a, requires_grad=True)
    for given, known in (
        (gpugrad.tensor(b), b), (gpugrad.tensor(b[:, None]), b[:, None]), (2, 2), (0.1, dtype(0.1)),
        (math.inf, math.inf), (gpugrad.nn.Parameter(gpugrad.tensor(b)), b), (True, True),
    ):  # fmt: skip
        found = function(x, given)
        assert type(found) is gpugrad.Tensor
        assert (found.dtype, found.requires_grad) == (gpugrad.bool, False)
        np.testing.assert_array_equal(found.numpy(), theirs(a, known))
    with gpugrad.inference_mode():
        assert function(x, 1.0).is_inference()
    with pytest.raises(OverflowError):
        function(x, 10**400)
    base = gpugrad.ones(3, 2, dtype=x.dtype)
    view = base[:, 0]
    base.mul_(x.detach()[:, None])
    np.testing.assert_array_equal(function(view, 2.0).numpy(), theirs(a, 2.0))
    batched = gpugrad.func.vmap(lambda row: function(row, 2.0))(x.detach()[:, None])
    np.testing.assert_array_equal(batched.numpy()[:, 0], theirs(a, 2.0))
