"""CuPy's own functions and kernels, called with tensors: values, derivatives, and what is refused.

The values are CuPy's for the same arrays, the derivatives are compared with differences of these.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from conftest import EMULATED

import gpugrad
from gpugrad import backend
from gpugrad.autograd import forward_ad
from gpugrad.cupy import hook

pytestmark = pytest.mark.cuda

SPECIAL = "cupyx.scipy.special"
# Where the operands of a ufunc lie; between 0.2 and 0.9 if it is not here.
DOMAINS = {"acosh": (1.1, 2.5), "arccosh": (1.1, 2.5), "zeta": (1.5, 3.0), "zetac": (1.5, 3.0)}
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
# These have no rule yet: they take tensors of which nothing is recorded.
NO_RULE = {
    "bdtr", "bdtrc", "bdtri", "beta", "betainc", "betaincinv", "betaln", "binom", "boxcox",
    "boxcox1p", "cbrt", "chdtr", "chdtrc", "chdtri", "cosdg", "cosm1", "cotdg", "ellipeinc",
    "ellipj", "ellipk", "ellipkinc", "ellipkm1", "erfcinv", "exp1", "exp10", "expi", "expn",
    "exprel", "fdtr", "fdtrc", "fdtri", "fix", "gamma", "gammainccinv", "gammaincinv", "gammasgn",
    "gdtr", "gdtrc", "huber", "inv_boxcox", "inv_boxcox1p", "j0", "j1", "k0", "k0e", "k1", "k1e",
    "kl_div", "log_expit", "loggamma", "lpmv", "nbdtr", "nbdtrc", "nbdtri", "pdtr", "pdtrc",
    "pdtri", "poch", "pseudo_huber", "radian", "rel_entr", "rgamma", "shichi", "sici", "sinc",
    "sindg", "tandg", "wright_bessel", "y0", "y1", "yn", "zetac",
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
    constant = CONSTANT.get(short, ())
    tensors = [
        gpugrad.from_cupy(a).requires_grad_(a.dtype.kind == "f" and k not in constant)
        for k, a in enumerate(arrays)
    ]
    expected = several(ufunc(*arrays))
    if hook.known(ufunc) is None:
        assert short in NO_RULE
        with pytest.raises(TypeError, match=f"{ufunc.name}.*has no rule.*tensor.detach"):
            ufunc(*tensors)
        found = several(ufunc(*[t.detach() for t in tensors]))
    else:
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


def test_types_and_casting_are_passed_on() -> None:
    cp, x = cupy(), tracked_tensor()
    assert cp.add(x, 1, dtype="f4").dtype is gpugrad.float32
    with pytest.raises(TypeError, match="casting rule 'no'"):
        cp.add(x, 1, out=gpugrad.zeros(2, device="cuda"), casting="no")


def test_nothing_is_recorded_where_nothing_is_tracked() -> None:
    cp, x = cupy(), tracked_tensor()
    with gpugrad.no_grad():
        assert not cp.exp(x).requires_grad
    assert not cp.exp(x.detach()).requires_grad
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x.detach(), gpugrad.ones_like(x.detach()))
        moved: Any = forward_ad.unpack_dual(cp.square(dual)).tangent
        assert moved.tolist() == [1, 4]
        with pytest.raises(TypeError, match="has no rule"):
            importlib.import_module(SPECIAL).ellipk(dual)
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
