"""Complex autograd is PyTorch's, on every operation that PyTorch has for complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad
from comparison import pytorch
from gpugrad import _dtype, func, testing
from gpugrad.op import OPS
from gpugrad.op.forms import PUBLIC
from gpugrad.testing import assert_agree
from samples import Sample

Arrays = list[np.ndarray[Any, Any]]


def complex_(array: Any, seed: int = 1) -> Any:
    """Return an array with an imaginary part, if it is one of floating point numbers."""
    if array.dtype.kind != "f":
        return array
    return array + 1j * np.random.default_rng(seed).standard_normal(array.shape)


# None of these is there for complex numbers in PyTorch, or in gpugrad.
REAL = {"mvlgamma", "softplus", "softmin", "max", "min", "amax", "amin", "silu"} | {
    op.function
    for op in OPS.values()
    if op.promotion in ("real", "floating") or op.taken[1] < _dtype.COMPLEX
}
# PyTorch refuses complex inputs, or does not differentiate by them.
REFUSED = {"complex", "polar", "view_as_complex"}
# Those that need an order, or are of real numbers only, refuse complex ones in both libraries.
NONE = {
    "view_as_complex_copy", "aminmax", "sort", "msort", "topk", "median", "nanmedian", "kthvalue",
    "mode", "quantile", "nanquantile", "cummax", "cummin", "clamp_min", "clamp_max", "threshold",
    "remainder", "fmod", "frexp", "cdist", "pdist", "nansum", "nanmean",
    "softmax", "log_softmax",
    "fft.rfft", "fft.rfft2", "fft.rfftn", "fft.ihfft", "fft.ihfft2", "fft.ihfftn",
}  # fmt: skip
# So do these samples of operations that take complex numbers otherwise, by a word of their names.
NONE_OF = {"div": ("floor", "trunc"), "scatter_reduce": ("amax", "amin")}
NONE_OF["index_reduce"] = NONE_OF["scatter_reduce"]
# PyTorch computes these, and says that it has no gradient of them; that of vander overwrites what
# it saved.
UNDIFFERENTIATED = {
    "select_copy", "slice_copy", "select_scatter", "slice_scatter", "nan_to_num", "scatter_reduce",
    "index_reduce", "vander",
}  # fmt: skip
BY_RULE = [(op, s) for op, s in choice.by_rule(choice.DIFFERENTIABLE) if not s.coarse]
REFUSING = [
    (op, s)
    for op, s in BY_RULE
    if (op in NONE and s.name != "dtype")  # which makes them real first
    or any(word in s.name for word in NONE_OF.get(op, ()))
]
BEYOND = [
    (op, s)
    for op, s in choice.without(BY_RULE, REFUSING)
    if op in UNDIFFERENTIATED and s.name != "none"
]
EVERY = [
    (op, s)
    for op, s in choice.without(BY_RULE, REFUSING + BEYOND)
    if op.removeprefix("special.") not in REAL | REFUSED
    and op != "as_strided_scatter"  # whose gradient in PyTorch is that of what was overwritten
    and (op, s.name) != ("logaddexp", "far out")  # where PyTorch's second derivatives overflow
    and op != "linalg.ldl_solve"  # which has no gradient in PyTorch
    and (op, s.name) != ("linalg.svd", "only vectors")  # whose phases are not defined
    # of real parts, whose gradient in PyTorch is computed with the imaginary ones
    and (op, s.name) != ("cumprod", "dtype")
]


def cases(sample: Sample) -> list[Arrays]:
    """Return the inputs of a sample, all complex, or only the first of several."""
    arrays = sample.arrays()
    if sample.complex:
        return [arrays]
    found = [[complex_(a) for a in arrays]]
    # PyTorch does not look at the types of factors where there is nothing to multiply
    if sum(a.dtype.kind == "f" for a in arrays) > 1 and all(a.size for a in arrays):
        found.append([complex_(a) if k == 0 else a for k, a in enumerate(arrays)])
    return found


def weights_for(outputs: Sequence[Any], seed: int) -> Arrays:
    return [
        testing.as_numpy(w)
        for w in testing.random_like([gpugrad.tensor(testing.as_numpy(t)) for t in outputs], seed)
    ]


def derivatives(library: Any, sample: Sample, arrays: Arrays) -> list[Any]:
    """Return outputs, gradients, and the gradients of these, of random complex weights."""
    inputs = [
        library.tensor(a).requires_grad_(a.dtype.kind in "fc") if a.dtype.kind in "fc"
        else library.tensor(a)
        for a in arrays
    ]  # fmt: skip
    result = sample.function(library, *inputs)
    results = result if isinstance(result, tuple | list) else [result]
    outputs = [t for t in results if t.requires_grad]
    weights = [library.tensor(w).requires_grad_() for w in weights_for(outputs, 2)]
    wanted = [t for t in inputs if t.requires_grad]
    grads = library.autograd.grad(
        outputs, wanted, weights, create_graph=True, materialize_grads=True
    )
    moving = [g for g in grads if g.requires_grad]
    if not moving:
        return [*outputs, *grads, *map(library.zeros_like, [*wanted, *weights])]
    seconds = library.autograd.grad(
        moving, [*wanted, *weights], [library.tensor(w) for w in weights_for(moving, 3)],
        materialize_grads=True,
    )  # fmt: skip
    return [*outputs, *grads, *seconds]


@pytest.mark.filterwarnings("ignore")  # PyTorch's, about parts that it throws away
@choice.over(EVERY)
def test_two_orders_are_pytorchs(op: str, sample: Sample) -> None:
    """A conjugate, or a real part, that a rule forgets at the first or the second order."""
    torch = pytorch()
    compared = 0
    for arrays in cases(sample):
        try:
            theirs = derivatives(torch, sample, arrays)
        except (RuntimeError, NotImplementedError, TypeError, ValueError):
            continue  # PyTorch has it for operands of one type only
        ours = derivatives(gpugrad, sample, arrays)
        for a, b in zip(ours, theirs, strict=True):
            assert_agree(a, b.detach(), 1e-9, 1e-9)
        compared += 1
    if not compared:  # most functions of networks are there for real numbers only
        assert PUBLIC[op].home.startswith("gpugrad.ops.nn.")
        complex_gradients_are_refused_or_right(sample)


def complex_gradients_are_refused_or_right(sample: Sample) -> None:
    arrays, *_ = cases(sample)
    inputs = [gpugrad.tensor(a).requires_grad_(a.dtype.kind in "fc") for a in arrays]
    try:
        sample.function(gpugrad, *inputs)
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return
    gpugrad.autograd.gradcheck(lambda *x: sample.function(gpugrad, *x), inputs)


@choice.over(REFUSING)
def test_complex_numbers_are_refused_as_by_pytorch(op: str, sample: Sample) -> None:
    arrays, *_ = cases(sample)
    with pytest.raises(RuntimeError) as ours:
        sample.function(gpugrad, *map(gpugrad.tensor, arrays))
    if sample.name in ("0-d", "zero-size"):
        return  # PyTorch copies one element or none without a look at its type
    torch = pytorch()
    with pytest.raises(RuntimeError) as theirs:
        sample.function(torch, *map(torch.tensor, arrays))
    assert ours.type is theirs.type
    assert str(ours.value).replace("gpugrad.", "torch.") == str(theirs.value)


@choice.over(BEYOND)
def test_what_pytorch_does_not_differentiate_moves_as_differences_say(
    op: str, sample: Sample
) -> None:
    torch = pytorch()
    arrays, *_ = cases(sample)
    with pytest.raises(RuntimeError):  # else it can be compared
        derivatives(torch, sample, arrays)
    inputs = [gpugrad.tensor(a).requires_grad_(a.dtype.kind in "fc") for a in arrays]
    gpugrad.autograd.gradcheck(lambda *x: sample.function(gpugrad, *x), inputs)
    gpugrad.autograd.gradgradcheck(lambda *x: sample.function(gpugrad, *x), inputs)


ORDERED: dict[str, Any] = {
    **{name: lambda lib, z, name=name: getattr(lib, name)(z, z)
       for name in ("lt", "le", "gt", "ge", "maximum", "minimum")},
    **{f"{name}_": lambda lib, z, name=name: getattr(z, f"{name}_")(z)
       for name in ("lt", "le", "gt", "ge")},
    **{name: lambda lib, z, name=name: getattr(lib, name)(z)
       for name in ("max", "min", "amax", "amin", "argmax", "argmin", "relu", "sign", "erf")},
    **{f"{name} along a dimension": lambda lib, z, name=name: getattr(lib, name)(z, 0)
       for name in ("max", "min", "amax", "amin", "argmax", "argmin")},
    "clamp": lambda lib, z: lib.clamp(z, 0, 1),
    "clamp_": lambda lib, z: z.clamp_(0),
    "abs_": lambda lib, z: z.abs_(),
    "number": lambda lib, z: z < 1,
}  # fmt: skip


@pytest.mark.parametrize("function", ORDERED.values(), ids=ORDERED)
def test_what_needs_an_order_is_refused_as_by_pytorch(function: Any, device: str) -> None:
    torch = pytorch()
    # PyTorch's class is that of the kernel that lacks: RuntimeError, or NotImplementedError, one
    with pytest.raises(RuntimeError):
        function(torch, torch.tensor([1 + 2j, 3j]))
    with pytest.raises(RuntimeError, match=r"[cC]omplex"):
        function(gpugrad, gpugrad.tensor([1 + 2j, 3j], device=device))


PARTS = (0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan)
POINTS = np.array([complex(a, b) for a in PARTS for b in PARTS])
OF_ONE = (
    "abs", "angle", "sgn", "conj", "conj_physical", "real", "imag", "square", "neg", "isreal",
    "isnan", "isinf", "reciprocal", "exp", "log", "sqrt", "tanh", "sin", "cos", "tan", "sigmoid",
    "rsqrt", "log1p",
)  # fmt: skip
# Here gpugrad has the limit at an infinity, where PyTorch has nan.
LIMITS = ("abs", "angle", "sgn", "log1p")


@pytest.mark.parametrize("name", OF_ONE)
def test_singular_points_are_pytorchs(name: str) -> None:
    """Zeros of both signs, infinities and nan in both parts: values and gradients."""
    torch = pytorch()
    found = []
    for library in (gpugrad, torch):
        z = library.tensor(POINTS).requires_grad_()
        out = getattr(library, name)(z)
        if out.requires_grad:
            out.backward(library.ones_like(out))
            found.append([testing.as_numpy(out), testing.as_numpy(z.grad)])
        else:
            found.append([testing.as_numpy(out)])
    for ours, theirs in zip(*found, strict=True):
        free = np.isinf(POINTS) & np.isnan(theirs) if name in LIMITS else np.zeros(49, bool)
        assert_agree(ours[~free], theirs[~free], 1e-14, 1e-14)


@pytest.mark.parametrize("angle", [0.0, 1.0, -4.0])
def test_polar_is_right_where_the_absolute_value_is_0_or_negative(
    angle: float, device: str
) -> None:
    """PyTorch takes the sign of the result for the direction."""
    radius = gpugrad.tensor([0.0, -2.0, 1.5], dtype=gpugrad.float64, device=device)
    turned = gpugrad.full((3,), angle, dtype=gpugrad.float64, device=device)
    radius.requires_grad_()
    turned.requires_grad_()
    gpugrad.autograd.gradcheck(gpugrad.polar, (radius, turned))
    gpugrad.autograd.gradgradcheck(gpugrad.polar, (radius, turned))


def test_parts_share_memory_and_versions(device: str) -> None:
    z = gpugrad.tensor([1 + 2j, 3 - 1j], device=device)
    real, imag, pairs = z.real, z.imag, gpugrad.view_as_real(z)
    real.mul_(2)
    imag[0] = 7.0
    pairs[1].add_(1)

    assert z.tolist() == [2 + 7j, 7 + 0j]
    assert gpugrad.view_as_complex(pairs).tolist() == z.tolist()
    assert z._version == real._version == pairs._version == 3


def test_a_part_that_was_saved_and_overwritten_is_noticed(device: str) -> None:
    x = gpugrad.tensor([1 + 2j], device=device, requires_grad=True)
    y = x * 2
    z = y.real * y.real
    y.imag.zero_()  # another part of the memory
    z.sum().backward(retain_graph=True)
    assert x.grad is not None
    assert x.grad.tolist() == [8 + 0j]
    y.real.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_parts_of_dual_tensors_move(device: str) -> None:
    z = gpugrad.tensor([1 + 2j], device=device)
    t = gpugrad.tensor([3 - 1j], device=device)

    def swapped(z: Any) -> Any:
        copy = z.clone()
        copy.real = z.imag
        copy.imag = z.real
        return copy

    assert func.jvp(swapped, (z,), (t,))[1].tolist() == [-1 + 3j]
    assert func.jvp(gpugrad.angle, (z,), (t,))[1].tolist() == pytest.approx([-7 / 5])


def test_a_finite_part_beside_one_that_is_replaced_keeps_its_gradient(device: str) -> None:
    nan, inf = np.nan, np.inf
    z = gpugrad.tensor(
        [complex(nan, 2), complex(1, inf), complex(-inf, nan), 1 + 2j], device=device
    )
    t = gpugrad.full_like(z, 3 + 4j).requires_grad_()
    expected = [4j, 3, 0, 3 + 4j]

    _, moved = func.jvp(gpugrad.nan_to_num, (z,), (t.detach(),))
    z.requires_grad_()
    (g,) = gpugrad.autograd.grad(z.nan_to_num(), z, t, create_graph=True)
    (second,) = gpugrad.autograd.grad(g, t, gpugrad.full_like(z, 3 + 4j))

    assert moved.tolist() == g.tolist() == second.tolist() == expected


@pytest.mark.parametrize("name", ["sign", "erf", "logit"])
def test_functions_of_real_numbers_refuse_complex_ones(name: str, device: str) -> None:
    with pytest.raises(NotImplementedError, match=r"complex numbers|ComplexFloat"):
        getattr(gpugrad, name)(gpugrad.tensor([1j], device=device))


def test_sign_names_the_way_out() -> None:
    torch = pytorch()
    with pytest.raises(NotImplementedError) as ours:
        gpugrad.sign(gpugrad.tensor([1j]))
    with pytest.raises(NotImplementedError) as theirs:
        torch.sign(torch.tensor([1j]))
    assert str(ours.value) == str(theirs.value).replace("torch.", "gpugrad.")


@pytest.mark.parametrize("swapped", [False, True])
def test_a_power_of_real_and_complex_moves_as_differences_say(swapped: bool, device: str) -> None:
    # PyTorch 2.13 drops a part of the imaginary tangent here
    operands: list[Any] = [np.array([1.3, 0.4]), np.array([0.7 + 0.4j, 1.2 - 0.3j])]
    tangents: list[Any] = [np.array([0.9, -0.2]), np.array([0.3 - 1.1j, 0.5 + 0.1j])]
    if swapped:
        operands, tangents = operands[::-1], tangents[::-1]
    (x, y), (v, w) = (
        [gpugrad.tensor(a, device=device) for a in arrays] for arrays in (operands, tangents)
    )
    _, moved = func.jvp(gpugrad.pow, (x, y), (v, w))
    h = 1e-6
    ahead, behind = (
        np.power(operands[0] + s * tangents[0], operands[1] + s * tangents[1]) for s in (h, -h)
    )
    assert_agree(moved, (ahead - behind) / (2 * h), 1e-8, 1e-8)


@pytest.mark.filterwarnings("ignore:.*0-D:UserWarning")  # of PyTorch
def test_matrices_without_dimensions_are_transposed_as_pytorchs(device: str) -> None:
    x, theirs = gpugrad.tensor(1 + 2j, device=device), pytorch().tensor(1 + 2j)

    for name in ("mT", "mH", "H"):
        assert getattr(x, name).item() == getattr(theirs, name).item()
    assert x.adjoint().item() == gpugrad.adjoint(x).item() == theirs.adjoint().item()
