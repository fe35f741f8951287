"""CuPy's own functions and kernels, called with tensors: values, derivatives, and what is refused.

The values are CuPy's for the same arrays, the derivatives are compared with differences of these.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

import numpy as np
import pytest
from conftest import EMULATED

import gpugrad
from gpugrad import backend
from gpugrad.autograd import forward_ad
from gpugrad.cupy import hook, special

pytestmark = pytest.mark.cuda

SPECIAL = "cupyx.scipy.special"
# Where the operands of a ufunc lie; between 0.2 and 0.9 if it is not here.
DOMAINS = {"acosh": (1.1, 2.5), "arccosh": (1.1, 2.5), "zeta": (1.5, 3.0), "zetac": (1.5, 3.0)}
ORDERS: dict[str, list[list[float]]] = {  # whole numbers, in the places of the first operands
    "expn": [[1, 2, 3]], "yn": [[0, 1, 2]], "lpmv": [[0, 1, 2], [2, 3, 3]],
    **{name: [[0, 1, 2], [5, 4, 3]] for name in ("bdtr", "bdtrc", "bdtri")},
    **{name: [[0, 1, 2], [2, 3, 4]] for name in ("nbdtr", "nbdtrc", "nbdtri")},
}  # fmt: skip
INTEGERS = {
    "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "gcd", "invert", "lcm", "left_shift",
    "right_shift",
}  # fmt: skip
# Operands by which there is no derivative, as in PyTorch: to ask for it is an error.
CONSTANT = {
    "floor_divide": (0, 1), "gammainc": (0,), "gammaincc": (0,), "heaviside": (0, 1),
    "ldexp": (1,), "nextafter": (0, 1), "zeta": (0,),
}  # fmt: skip
# The host's compiler refuses what CuPy has of these: NVRTC takes it.
NOT_EMULATED = {"ellipj", "i0", "i0e", "i1", "i1e", "k0", "k0e", "k1", "k1e", "log_ndtr", "ndtr"}


def ufuncs() -> dict[str, Any]:
    """Return CuPy's public ufuncs by the names of their modules and their own."""
    if backend.cuda_problem() is not None:
        return {}
    xp = backend.cuda_backend().xp
    found: dict[int, tuple[str, Any]] = {}
    for module in "cupy", SPECIAL:
        for name, value in sorted(vars(importlib.import_module(module)).items()):
            if isinstance(value, xp.ufunc):
                found.setdefault(id(value), (f"{module}.{name}", value))
    return dict(found.values())


UFUNCS = ufuncs()


def operands(name: str, ufunc: Any) -> list[Any]:
    """Return arrays that a ufunc takes."""
    xp = backend.cuda_backend().xp
    rng = np.random.default_rng(3)
    short = name.rpartition(".")[2]
    if short in INTEGERS:
        return [xp.asarray(rng.integers(1, 5, (2, 3))) for _ in range(ufunc.nin)]
    found = [
        xp.asarray(rng.uniform(*DOMAINS.get(short, (0.2, 0.9)), (2, 3))) for _ in range(ufunc.nin)
    ]
    orders = [xp.asarray(o, float) for o in ORDERS.get(short, [])]
    found[: len(orders)] = orders
    return [found[0], xp.asarray([1, 2, 3])] if short == "ldexp" else found


def several(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def total(results: Any, tracked: list[bool]) -> Any:
    """Return a number that is made of all results that have derivatives."""
    parts = [(r * (k + 1)).sum() for k, r in enumerate(results) if tracked[k]]
    return sum(parts[1:], parts[0])


@pytest.mark.parametrize("name", UFUNCS)
def test_a_ufunc_of_cupys_is_recorded(name: str) -> None:
    """Its value, its type, and its derivative in a random direction."""
    ufunc, short = UFUNCS[name], name.rpartition(".")[2]
    if EMULATED and short in NOT_EMULATED:
        with pytest.raises(Exception, match="error"):
            ufunc(*operands(name, ufunc))
        return
    arrays = operands(name, ufunc)
    rules = special.RULES.get(short, ())
    constant = CONSTANT.get(short, [k for k, rule in enumerate(rules) if rule is None])
    tensors = [
        gpugrad.from_cupy(a).requires_grad_(a.dtype.kind == "f" and k not in constant)
        for k, a in enumerate(arrays)
    ]
    expected = several(ufunc(*arrays))
    found = several(ufunc(*tensors))
    for f, e in zip(found, expected, strict=True):
        assert isinstance(f, gpugrad.Tensor)
        assert (f.shape, f.dtype) == (e.shape, e.dtype)
        np.testing.assert_allclose(f.detach().cpu().numpy(), e.get(), rtol=1e-9, atol=1e-12)
    tracked = [f.requires_grad for f in found]
    if not any(tracked):
        return
    wanted = [t for t in tensors if t.requires_grad]
    grads = gpugrad.autograd.grad(total(found, tracked), wanted, materialize_grads=True)
    rng = np.random.default_rng(4)
    xp = backend.cuda_backend().xp
    ways = [xp.asarray(rng.normal(size=t.shape)) if t.requires_grad else 0 for t in tensors]

    def moved(by: float) -> float:
        given = [a + by * w if t.requires_grad else a
                 for a, w, t in zip(arrays, ways, tensors, strict=True)]  # fmt: skip
        return float(total(several(ufunc(*given)), tracked))

    slope = (moved(1e-6) - moved(-1e-6)) / 2e-6
    along = [w for w, t in zip(ways, tensors, strict=True) if t.requires_grad]
    assert sum(float((g.array * w).sum()) for g, w in zip(grads, along, strict=True)) == (
        pytest.approx(slope, rel=1e-6, abs=1e-8)
    )


# --------------------------------------------------------------------------- operands and results


def cupy() -> Any:
    return backend.cuda_backend().xp


def tracked_tensor(values: Any = (0.5, 2.0)) -> Any:
    return gpugrad.tensor(values, device="cuda", dtype=gpugrad.float64, requires_grad=True)


def gradient(result: Any, x: Any) -> Any:
    return gpugrad.autograd.grad(result.sum(), x)[0].tolist()


def test_arrays_numbers_and_tensors_are_operands_on_either_side() -> None:
    cp, x = cupy(), tracked_tensor()
    a = cp.asarray([3.0, 4.0])
    results = [
        cp.multiply(a, x), cp.multiply(x, a), np.multiply(a, x), np.multiply(x, a), a * x, x * a,
        cp.multiply(gpugrad.from_cupy(a), x),
    ]  # fmt: skip
    for result in results:
        assert isinstance(result, gpugrad.Tensor)
        assert result.tolist() == [1.5, 8]
        assert gradient(result, x) == [3, 4]
    assert gradient(cp.where(cp.asarray([True, False]), x, 0.0), x) == [1, 0]
    assert gradient(cp.add(1, x), x) == gradient(cp.add(x, np.float64(1)), x) == [1, 1]
    assert gradient(cp.subtract(cp.float32(1), x), x) == [-1, -1]
    assert gradient(cp.multiply(gpugrad.tensor(2.0), x), x) == [2, 2]  # a number of the CPU's


def test_host_and_device_are_not_mixed_silently() -> None:
    cp, x = cupy(), tracked_tensor()
    with pytest.raises(TypeError, match=r"tensors of the CPU.*tensor\.cuda.*gpugrad\.numpy"):
        cp.exp(x.cpu())
    for other in np.ones(2), gpugrad.ones(2):
        with pytest.raises(RuntimeError, match="two devices, cuda:0 and cpu"):
            cp.add(x, other)


def test_out_gets_a_history_or_is_refused() -> None:
    cp, x = cupy(), tracked_tensor()
    writes: list[Any] = [lambda o: cp.exp(x, o), lambda o: cp.exp(x, out=o)]
    for write in writes:
        out = gpugrad.zeros(2, device="cuda", dtype=gpugrad.float64)
        assert write(out) is out
        assert gradient(out, x) == pytest.approx(np.exp([0.5, 2.0]))
        array = cp.zeros(2)
        with pytest.raises(TypeError, match=r"out= is a plain array.*requires grad"):
            write(array)
        assert not array.any()
    plain = cp.empty(2)
    assert cp.exp(x.detach(), out=plain) is plain
    assert plain.tolist() == pytest.approx(np.exp([0.5, 2.0]))


def test_what_is_added_at_indices_has_a_history() -> None:
    cp, x = cupy(), tracked_tensor((1.0, 2.0, 3.0))
    import cupyx

    places = cp.asarray([0, 0, 2])
    adding: list[Any] = [cp.add.at, cupyx.scatter_add]
    for add in adding:
        y = gpugrad.zeros(3, device="cuda", dtype=gpugrad.float64)
        add(y, places, x)
        assert y.tolist() == [3, 0, 3]
        assert gradient(y * y, x) == [6, 6, 6]
    y = x * 1
    cp.maximum.at(y, places, cp.asarray([0.5, 4.0, 1.0]))
    assert y.tolist() == [4, 2, 3]
    with pytest.raises(RuntimeError, match="requires grad"):
        cp.add.at(cp.zeros(3), places, x)


def test_ufuncs_without_a_public_name_of_cupys_own() -> None:
    import cupyx

    cp, x = cupy(), tracked_tensor((0.25, 4.0))
    assert gradient(cupyx.rsqrt(x), x) == [-4, -1 / 16]
    assert cp.add(x, 1, _where=cp.asarray([True, False])).tolist() == [1.25, 0]


def test_types_and_casting_are_passed_on() -> None:
    cp, x = cupy(), tracked_tensor()
    assert cp.add(x, 1, dtype="f4").dtype is gpugrad.float32
    with pytest.raises(TypeError, match="casting rule 'no'"):
        cp.add(x, 1, out=gpugrad.zeros(2, device="cuda"), casting="no")


def test_nothing_is_recorded_where_nothing_is_tracked() -> None:
    cp, x = cupy(), tracked_tensor()
    own = cp._core.create_ufunc("own", ("d->d",), "out0 = in0 + 1")  # which nobody knows
    with pytest.raises(TypeError, match=r"'own'.*has no rule.*tensor\.detach"):
        own(x)
    assert own(x.detach()).tolist() == [1.5, 3]
    with gpugrad.no_grad():
        assert not cp.exp(x).requires_grad
        assert own(x).tolist() == [1.5, 3]
    assert not cp.exp(x.detach()).requires_grad
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x.detach(), gpugrad.ones_like(x.detach()))
        moved: Any = forward_ad.unpack_dual(cp.square(dual)).tangent
        assert moved.tolist() == [1, 4]
        with pytest.raises(TypeError, match=r"'own'.*has no rule.*tensor\.detach"):
            own(dual)
    assert gpugrad.vmap(cp.square)(x.detach()).tolist() == [0.25, 4]
    assert gpugrad.func.grad(lambda t: cp.exp(t).sum())(x.detach()).tolist() == (
        pytest.approx(np.exp([0.5, 2.0]))
    )


def test_a_function_of_cupys_ufuncs_has_second_derivatives() -> None:
    cp = cupy()
    erf = importlib.import_module(SPECIAL).erf

    def code(x: Any) -> Any:  # knows nothing of gpugrad
        return cp.exp(-cp.square(x)) * cp.sqrt(1 + x) + erf(cp.maximum(x, 1.0)) / (2 + cp.sin(x))

    x = tracked_tensor()
    assert code(x).tolist() == code(cp.asarray([0.5, 2.0])).tolist()
    assert gpugrad.autograd.gradcheck(code, x)
    assert gpugrad.autograd.gradgradcheck(code, x)


# --------------------------------------------------------------------------- kernels of the user's


def test_kernels_of_the_users_differentiate_themselves() -> None:
    cp, x = cupy(), tracked_tensor()
    kernel = cp.ElementwiseKernel("T x, T z", "T y", "y = x * x * z + sin(x)", "own")
    assert gradient(kernel(x, 3.0), x) == pytest.approx([3 + np.cos(0.5), 12 + np.cos(2)])
    assert gpugrad.autograd.gradgradcheck(lambda t: kernel(t, 3.0), x)
    plain = kernel(x.detach(), 3.0)
    assert isinstance(plain, gpugrad.Tensor)
    assert plain.tolist() == pytest.approx(kernel(x.detach().array, 3.0).tolist())
    out = gpugrad.zeros(2, device="cuda", dtype=gpugrad.float64)
    version = out._version
    assert kernel(x.detach(), 3.0, out) is out
    assert out.tolist() == plain.tolist()
    assert out._version > version
    raw = cp.ElementwiseKernel("raw T x", "raw T y", "y[i] = x[i]", "raw_only")
    with pytest.raises(TypeError, match=r"size=.*gpugrad\.kernel\.differentiable"):
        raw(x, gpugrad.zeros_like(x), size=2)


def test_reduction_kernels_name_the_way_out() -> None:
    cp, x = cupy(), tracked_tensor()
    kernel = cp.ReductionKernel("T x", "T y", "x * x", "a + b", "y = a", "0", "squares")
    with pytest.raises(RuntimeError, match=r"gpugrad\.kernel\.differentiable\(kernel\)"):
        kernel(x)
    assert gradient(gpugrad.kernel.differentiable(kernel)(x), x) == [1, 4]
    assert float(kernel(x.detach())) == 4.25


# --------------------------------------------------------------------------- the hook itself


def test_it_is_told_where_cupy_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hook.problem() is None
    monkeypatch.delattr(hook._Asked, "__cupy_override_elementwise_kernel__")
    hook.problem.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"does not ask.*Use those of gpugrad\.cupy"):
            cupy().asarray(tracked_tensor())
    finally:
        monkeypatch.undo()
        hook.problem.cache_clear()


# --------------------------------------------------------------------------- functions

# Functions that call the method of their name, with CuPy's arguments.
METHODS: dict[str, Any] = {
    "sum": lambda cp, x: (cp.sum(x), cp.sum(x, 0), cp.sum(x, axis=(0, 1), keepdims=True)),
    "sum as": lambda cp, x: (cp.sum(x, dtype="f4"), cp.sum(x > 1), cp.add.reduce(x, 1)),
    "prod": lambda cp, x: (cp.prod(x), cp.prod(x, 1), cp.prod(x, axis=(0, 1))),
    "mean": lambda cp, x: (cp.mean(x), cp.mean(x, axis=0, keepdims=True)),
    "var": lambda cp, x: (cp.var(x), cp.var(x, 0), cp.var(x, axis=1, ddof=1, keepdims=True)),
    "std": lambda cp, x: (cp.std(x), cp.std(x, 1), cp.std(x, 0, ddof=1)),
    "max": lambda cp, x: (cp.max(x), cp.amax(x, 1), cp.max(x, axis=0, keepdims=True)),
    "min": lambda cp, x: (cp.min(x), cp.amin(x, 1), cp.ptp(x, 0), cp.ptp(x)),
    "argmax": lambda cp, x: (cp.argmax(x), cp.argmax(x, 1), cp.argmin(x, 0), cp.argmin(x)),
    "nanmax": lambda cp, x: (cp.nanmax(x), cp.nanmin(x, 0), cp.count_nonzero(x)),
    "clip": lambda cp, x: (cp.clip(x, 0.6, 2.5), cp.clip(x, None, 1), cp.clip(x, 1, None)),
    "reshape": lambda cp, x: (cp.reshape(x, (3, 2)), cp.reshape(x, -1), cp.reshape(x, 6, "F")),
    "transpose": lambda cp, x: (cp.transpose(x), cp.permute_dims(x, (1, 0))),
    "axes": lambda cp, x: (cp.swapaxes(x, 0, 1), cp.matrix_transpose(x), cp.squeeze(x[:1])),
    "ravel": lambda cp, x: (cp.ravel(x), cp.ravel(x, "F"), cp.outer(x, x)),
    "dot": lambda cp, x: (cp.dot(x, x.T), cp.dot(x[0], x[1]), cp.dot(x, x[0])),
    "trace": lambda cp, x: (cp.trace(x), cp.trace(x, 1), cp.diagonal(x), cp.diagonal(x, 1, 1, 0)),
    "take": lambda cp, x: (cp.take(x, 4), cp.take(x, cp.asarray([[0, 2]]), axis=1)),
    "repeat": lambda cp, x: (cp.repeat(x, 2), cp.repeat(x, 2, axis=1), cp.repeat(x, [1, 2], 0)),
    "sort": lambda cp, x: (cp.sort(x), cp.sort(x, axis=0), cp.sort(x, None)),
    "argsort": lambda cp, x: (cp.argsort(x), cp.argsort(x, 0), cp.argsort(x, None)),
    "partition": lambda cp, x: (cp.max(cp.partition(x, 1), 1), cp.min(cp.partition(x, 1, 0), 0)),
    "compress": lambda cp, x: cp.compress(cp.asarray([True, False]), x, 0),
    "where": lambda cp, x: (cp.where(x > 1, x, 0.0), cp.where(x > 1, x, cp.square(x))),
    "copy": lambda cp, x: (cp.copy(x), x.astype("f4"), x.astype(float, copy=False)),
    "accumulate": lambda cp, x: (cp.add.accumulate(x, 1), cp.multiply.accumulate(x, 0)),
    "norm": lambda cp, x: (cp.linalg.norm(x), cp.linalg.norm(x, axis=1)),
    "softmax": lambda cp, x: importlib.import_module(SPECIAL).softmax(x, 1),
    "angle": lambda cp, x: (cp.angle(x), cp.fix(x), cp.sinc(x)),
    "fuse": lambda cp, x: cp.fuse(kernel_name="fused")(lambda a: cp.sqrt(a) + a * 2)(x),
}  # fmt: skip
# Functions that would read the tensor's memory, and must not.  Those that CuPy wrote in C refuse
# everything that is not its own array, in their own words.
READERS: dict[str, Any] = {
    name: (lambda cp, x, name=name: getattr(cp, name)(x))
    for name in (
        "asarray",
        "around",
        "average",
        "allclose",
        "argwhere",
        "atleast_2d",
        "corrcoef",
        "cov",
        "cumprod",
        "cumsum",
        "diag",
        "diff",
        "ediff1d",
        "expand_dims",
        "flatnonzero",
        "gradient",
        "histogram",
        "imag",
        "median",
        "nan_to_num",
        "nanmean",
        "nanstd",
        "nansum",
        "nonzero",
        "quantile",
        "real",
        "roll",
        "tril",
        "unique",
        "all",
        "any",
        "ascontiguousarray",
    )
} | {
    "all of it": lambda cp, x: cp.asnumpy(x),
    "array": lambda cp, x: cp.array([x, x]),
    "broadcast_to": lambda cp, x: cp.broadcast_to(x, (2, 2, 3)),
    "concatenate": lambda cp, x: cp.concatenate([x, x]),
    "convolve": lambda cp, x: cp.convolve(x[0], x[1]),
    "cross": lambda cp, x: cp.cross(x, x),
    "einsum": lambda cp, x: cp.einsum("ij->i", x),
    "fft": lambda cp, x: cp.fft.fft(x),
    "fill": lambda cp, x: cp.zeros(1).fill(x[0, 0]),
    "inner": lambda cp, x: cp.inner(x, x),
    "interp": lambda cp, x: cp.interp(x, cp.asarray([0.0, 1.0]), cp.asarray([0.0, 2.0])),
    "inv": lambda cp, x: cp.linalg.inv(x[:, :2]),
    "isclose": lambda cp, x: cp.isclose(x, x),
    "kron": lambda cp, x: cp.kron(x, x),
    "matmul": lambda cp, x: cp.matmul(x, x.T),
    "moveaxis": lambda cp, x: cp.moveaxis(x, 0, 1),
    "numpy": lambda cp, x: np.asarray(x),
    "percentile": lambda cp, x: cp.percentile(x, 50),
    "copyto": lambda cp, x: cp.copyto(cp.zeros((2, 3)), x),
    "in place": lambda cp, x: cp.zeros((2, 3)).__iadd__(x),
    "putmask": lambda cp, x: cp.putmask(cp.zeros((2, 3)), cp.ones((2, 3), bool), x),
    "select": lambda cp, x: cp.select([cp.ones((2, 3), bool)], [x]),
    "set": lambda cp, x: cp.zeros((2, 3)).set(x),
    "raw": lambda cp, x: cp.RawKernel('extern "C" __global__ void read(double* x) {}', "read")(
        (1,), (1,), (x,)
    ),
    "searchsorted": lambda cp, x: cp.searchsorted(cp.asarray([0.0, 1.0]), x),
    "setitem": lambda cp, x: cp.zeros((2, 3)).__setitem__(..., x),
    "split": lambda cp, x: cp.split(x, 2),
    "stack": lambda cp, x: cp.stack([x, x]),
    "tensordot": lambda cp, x: cp.tensordot(x, x, 2),
    "tile": lambda cp, x: cp.tile(x, 2),
    "ufunc.outer": lambda cp, x: cp.multiply.outer(x, x),
    "vdot": lambda cp, x: cp.vdot(x, x),
}


@pytest.fixture(params=["Tensor", "ndarray"])
def kind(request: pytest.FixtureRequest) -> type[gpugrad.Tensor]:
    """Return a class of tensors."""
    return gpugrad.Tensor if request.param == "Tensor" else gpugrad.numpy.ndarray


VALUES = ((0.5, 2.9, 1.25), (1.9, 0.75, 1.5))


@pytest.mark.parametrize("name", METHODS)
def test_a_function_that_is_a_method_has_cupys_meaning(name: str, kind: Any) -> None:
    cp, x = cupy(), tracked_tensor(VALUES)
    array, function = x.detach().array, METHODS[name]
    given = x.as_subclass(kind)
    rng = np.random.default_rng(5)
    way = cp.asarray(rng.normal(size=array.shape))
    parts = zip(
        several(function(cp, given)), several(function(cp, array)),
        several(function(cp, array + 1e-6 * way)), several(function(cp, array - 1e-6 * way)),
        strict=True,
    )  # fmt: skip
    for found, expected, more, less in parts:
        assert isinstance(found, kind)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        single = expected.dtype == np.float32
        np.testing.assert_allclose(
            found.detach().cpu().numpy(), expected.get(), rtol=1e-6 if single else 1e-12, atol=1e-12
        )
        if expected.dtype.kind != "f":
            assert not found.requires_grad
        elif single:
            assert gpugrad.autograd.grad(found.sum(), x)[0].any()
        else:
            (grad,) = gpugrad.autograd.grad((found * found).sum(), x)
            slope = float(((more * more).sum() - (less * less).sum()) / 2e-6)
            assert float((grad.array * way).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-7)
    assert array.tolist() == [list(row) for row in VALUES]  # nothing was sorted in place


@pytest.mark.parametrize("name", READERS)
def test_what_would_read_a_tracked_tensor_raises(name: str, kind: Any) -> None:
    cp, x = cupy(), tracked_tensor(VALUES)
    with pytest.raises(
        (
            TypeError,
            RuntimeError,
            ValueError,
            AttributeError,
            NotImplementedError,
            cp.linalg.LinAlgError,
        )
    ):
        READERS[name](cp, x.as_subclass(kind))


def test_the_error_names_the_function_that_would_read(kind: Any) -> None:
    cp, x = cupy(), tracked_tensor(VALUES).as_subclass(kind)
    with pytest.raises(RuntimeError, match=r"^cp.concatenate would read the memory of a tensor"):
        cp.concatenate([x, x])
    with pytest.raises(RuntimeError, match=r"^cp.around would read the memory of a tensor"):
        cp.around(x)


def test_what_cupy_sorts_in_place_is_a_copy(kind: Any) -> None:
    """PyTorch's flatten may return the tensor itself, which CuPy would then sort."""
    cp, x = cupy(), gpugrad.tensor(VALUES, device="cuda").as_subclass(kind)
    reads: list[Any] = [cp.sort, lambda x: cp.percentile(x, 50), lambda x: cp.partition(x, 1)]
    for read in reads:
        with contextlib.suppress(TypeError):  # of a kernel that is given our method `size`
            read(x)
        assert x.tolist() == gpugrad.tensor(VALUES).tolist()
    ordered = cp.sort_complex(x)
    assert ordered.tolist() == cp.sort_complex(cp.asarray(VALUES, "f4")).tolist()


# --------------------------------------------------------------------------- the namespace


def test_the_namespace_is_numpys_with_new_arrays_on_the_gpu() -> None:
    import gpugrad.cupy as cg

    cp = cupy()
    new = [
        cg.zeros((2, 3)), cg.ones(2, "f4"), cg.asarray([1.0, 2.0]), cg.array(np.ones(2)), cg.eye(2),
        cg.arange(3), cg.linspace(0, 1, 3), cg.full((2,), 7), cg.empty(2),
        cg.zeros_like(cg.ones(2)), cg.fft.fftfreq(4),
    ]  # fmt: skip
    for array in new:
        assert isinstance(array, gpugrad.numpy.ndarray)
        assert array.device.type == "cuda"
    square = cg.asarray([[1.0, 2.0], [3.0, 5.0]])
    assert cg.allclose(cg.linalg.inv(square) @ square, cg.eye(2))
    assert cg.asarray(gpugrad.ones(2)).device.type == "cuda"
    assert cg.zeros(2, device="cpu").device.type == "cpu"
    assert cg.zeros_like(gpugrad.ones(2)).device.type == "cpu"
    assert cg.sin is gpugrad.numpy.sin
    assert cg.concatenate is gpugrad.numpy.concatenate
    assert cg.cuda is cp.cuda
    assert cg.ElementwiseKernel is gpugrad.kernel.ElementwiseKernel
    assert {"einsum", "linalg", "asnumpy", "RawKernel", "add"} <= set(dir(cg))
    x = cg.asarray(VALUES).requires_grad_()
    host = cg.asnumpy(x)
    assert isinstance(host, np.ndarray)
    assert host.tolist() == x.tolist() == cg.asnumpy(cp.asarray(VALUES)).tolist()
    assert cg.get_array_module(1, x) is cg.get_array_module(cp.ones(1)) is cg
    assert cg.get_array_module(1, np.ones(1)) is gpugrad.numpy
    with pytest.raises(AttributeError, match=r"gpugrad\.cupy.*no attribute 'nothing'"):
        _ = cg.nothing


# What CuPy's own functions refuse, under the names of the namespace.
NAMED: dict[str, Any] = {
    "matmul": lambda xp, x: (xp.matmul(x, x.T), xp.inner(x, x), xp.vdot(x, x), xp.kron(x, x)),
    "einsum": lambda xp, x: (xp.einsum("ij,kj->ik", x, x), xp.tensordot(x, x, 2)),
    "join": lambda xp, x: (xp.concatenate([x, x], 1), xp.stack([x, x]), xp.vstack([x, x])),
    "shape": lambda xp, x: (xp.expand_dims(x, 0), xp.moveaxis(x, 0, 1)),
    "broadcast": lambda xp, x: (xp.broadcast_to(x, (4, 2, 3)), xp.broadcast_arrays(x, x[:1])[1]),
    "order": lambda xp, x: (xp.flip(x, 1), xp.roll(x, 1), xp.tile(x, 2), xp.tril(x), xp.rot90(x)),
    "nan": lambda xp, x: (xp.nansum(x), xp.nanmean(x, 0), xp.nanstd(x), xp.nan_to_num(x)),
    "sums": lambda xp, x: (xp.cumsum(x, 1), xp.cumprod(x, 0), xp.diff(x), xp.average(x, 1)),
    "middle": lambda xp, x: (xp.median(x), xp.percentile(x, 40), xp.quantile(x, 0.3, 1)),
    "linalg": lambda xp, x: (xp.linalg.norm(x), xp.cov(x), xp.corrcoef(x), xp.trace(x)),
    "like": lambda xp, x: (xp.round(x, 3), xp.real(x), xp.ones_like(x), xp.cross(x, x)),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_the_names_of_cupys_functions_have_cupys_meaning(name: str) -> None:
    import gpugrad.cupy as cg

    cp, x = cupy(), tracked_tensor(VALUES).as_subclass(gpugrad.numpy.ndarray)
    array = x.detach().array
    way = cp.asarray(np.random.default_rng(6).normal(size=array.shape))
    moved = [array, array + 1e-6 * way, array - 1e-6 * way]
    expected = [several(NAMED[name](cp, a)) for a in moved]
    for found, e, more, less in zip(several(NAMED[name](cg, x)), *expected, strict=True):
        assert (found.shape, found.dtype, found.device.type) == (e.shape, e.dtype, "cuda")
        np.testing.assert_allclose(found.detach().cpu().numpy(), e.get(), rtol=1e-10, atol=1e-12)
        if found.requires_grad:
            (grad,) = gpugrad.autograd.grad((found * found).sum(), x)
            slope = float(((more * more).sum() - (less * less).sum()) / 2e-6)
            assert float((grad.array * way).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-7)


# --------------------------------------------------------------------------- special functions

# Calls whose second derivatives need the rules of others, and points where a rule is a limit.
TWICE: dict[str, Any] = {
    "gamma": lambda sp, x: sp.gamma(x) + sp.rgamma(x) + sp.beta(x, 1 + x),
    "binom": lambda sp, x: sp.binom(3 + x, x) + sp.poch(x, 0.5),
    "boxcox": lambda sp, x: sp.boxcox(x, 0.001 * x) + sp.inv_boxcox(x, 0.3) + sp.boxcox1p(x, x),
    "exprel": lambda sp, x: sp.exprel(0.01 * x) + sp.exprel(x) + sp.cosm1(x) + sp.sindg(30 * x),
    "integrals": lambda sp, x: sp.expi(x) + sp.exp1(x) + sp.expn(2, x) + sp.sici(x)[0],
    "elliptic": lambda sp, x: sp.ellipk(x) + sp.ellipkm1(x) + sp.ellipeinc(x, 0.5),
    "entropy": lambda sp, x: sp.kl_div(x, 1 - x) + sp.rel_entr(x, 2.0) + sp.pseudo_huber(1.0, x),
    "bessel": lambda sp, x: sp.j0(x) + sp.j1(x) + sp.y0(x) + sp.yn(2, x),
    "distributions": lambda sp, x: sp.betainc(2.0, 3.0, x) + sp.chdtr(3.0, x) + sp.fdtr(2, 5, x),
    "inverses": lambda sp, x: sp.betaincinv(2.0, 3.0, x) + sp.erfcinv(x) + sp.gammaincinv(2.0, x),
    "legendre": lambda sp, x: sp.lpmv(1, 3, x) + sp.wright_bessel(1.0, 1.5, x),
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE)
def test_special_functions_have_second_derivatives(name: str) -> None:
    sp = importlib.import_module(SPECIAL)
    x = tracked_tensor((0.3, 0.6))
    assert gpugrad.autograd.gradcheck(lambda t: TWICE[name](sp, t), x, check_forward_ad=True)
    assert gpugrad.autograd.gradgradcheck(lambda t: TWICE[name](sp, t), x)


def test_special_functions_take_numbers_arrays_and_out() -> None:
    cp, sp = cupy(), importlib.import_module(SPECIAL)
    x = tracked_tensor((0.3, 0.6)).as_subclass(gpugrad.numpy.ndarray)
    found = sp.beta(cp.asarray([[1.0], [2.0]]), x)
    assert isinstance(found, gpugrad.numpy.ndarray)
    assert found.shape == gpugrad.autograd.grad(found.sum(), found)[0].shape == (2, 2)
    out = gpugrad.zeros(2, device="cuda", dtype=gpugrad.float64)
    assert sp.gamma(x, out) is out
    assert out.requires_grad
    shi, chi = sp.shichi(x)
    assert gpugrad.autograd.grad(chi.sum(), x)[0].tolist() == pytest.approx(
        [np.cosh(v) / v for v in (0.3, 0.6)]
    )
    assert shi.requires_grad
    a = tracked_tensor((1.5, 2.5))
    with pytest.raises(
        NotImplementedError, match=r"derivative of betainc by its operand 1.*detach"
    ):
        sp.betainc(a, 2.0, 0.5).sum().backward()
    assert (
        sp.betainc(a.detach(), 2.0, 0.5).tolist() == sp.betainc(a.detach().array, 2.0, 0.5).tolist()
    )


def test_rules_are_limits_where_they_would_divide_by_zero() -> None:
    sp = importlib.import_module(SPECIAL)
    x = tracked_tensor((0.0, 1e-9, 0.009, 0.011, 0.0299, 0.0301))
    mpmath = [0.5, 0.5 + 1e-9 / 3]
    assert gradient(sp.exprel(x), x)[:2] == pytest.approx(mpmath, rel=1e-12)
    for f in sp.exprel, sp.ellipk:  # the two ways agree where one passes into the other
        (first,) = gpugrad.autograd.grad(f(x).sum(), x, create_graph=True)
        second = gradient(first, x)
        steps = np.diff(first.tolist())[[2, 4]] / np.diff(x.tolist())[[2, 4]]
        assert steps == pytest.approx([np.mean(second[2:4]), np.mean(second[4:6])], rel=1e-4)
    assert gradient(sp.ellipkinc(1.0, x), x)[:2] == pytest.approx([(2 - np.sin(2.0)) / 8] * 2)


def test_the_rule_of_elliptic_functions() -> None:
    """Which are not emulated: with SciPy's values."""
    from scipy.special import ellipj

    u, m, step = np.array([0.3, 1.2]), 0.4, 1e-6
    rule = special.RULES["ellipj"][0]
    assert rule is not None
    for found, more, less in zip(
        rule(u, m, ellipj(u, m)), ellipj(u + step, m), ellipj(u - step, m), strict=True
    ):
        np.testing.assert_allclose(found, (more - less) / (2 * step), rtol=1e-8)


def test_what_cupy_overwrites_after_it_was_saved_is_an_error() -> None:
    """Its logsumexp writes into the maxima that it has found."""
    x = tracked_tensor(VALUES)
    found = importlib.import_module(SPECIAL).logsumexp(x)
    assert float(found.detach()) == pytest.approx(float(x.detach().logsumexp((0, 1))))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.backward()
