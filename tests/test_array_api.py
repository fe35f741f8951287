"""gpugrad.array_api: signatures, gradients, and where it says more than NumPy."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import array_api as xp
from gpugrad.testing import check_gradient

# The names of version 2024.12 of the standard, beside its types and its modules.
NAMES = [
    "abs", "acos", "acosh", "add", "all", "any", "arange", "argmax", "argmin", "argsort",
    "asarray", "asin", "asinh", "astype", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "broadcast_arrays", "broadcast_to", "can_cast", "ceil", "clip", "concat",
    "conj", "copysign", "cos", "cosh", "count_nonzero", "cumulative_prod", "cumulative_sum",
    "diff", "divide", "e", "empty", "empty_like", "equal", "exp", "expand_dims", "expm1",
    "eye", "finfo", "flip", "floor", "floor_divide", "from_dlpack", "full", "full_like",
    "greater", "greater_equal", "hypot", "iinfo", "imag", "inf", "isdtype", "isfinite",
    "isinf", "isnan", "less", "less_equal", "linspace", "log", "log10", "log1p", "log2",
    "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "matmul",
    "matrix_transpose", "max", "maximum", "mean", "meshgrid", "min", "minimum", "moveaxis",
    "multiply", "nan", "negative", "newaxis", "nextafter", "nonzero", "not_equal", "ones",
    "ones_like", "permute_dims", "pi", "positive", "pow", "prod", "real", "reciprocal",
    "remainder", "repeat", "reshape", "result_type", "roll", "round", "searchsorted", "sign",
    "signbit", "sin", "sinh", "sort", "sqrt", "square", "squeeze", "stack", "std", "subtract",
    "sum", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "tril", "triu",
    "trunc", "unique_all", "unique_counts", "unique_inverse", "unique_values", "unstack",
    "var", "vecdot", "where", "zeros", "zeros_like", "__array_namespace_info__",
]  # fmt: skip


def test_every_name_of_the_standard_is_there_and_nothing_else_of_functions() -> None:
    functions = {n for n in dir(xp) if inspect.isfunction(getattr(xp, n)) and n != "__getattr__"}
    assert functions <= {*NAMES}
    assert not [n for n in NAMES if not hasattr(xp, n)]


def test_signatures_are_the_standards() -> None:
    assert str(inspect.signature(xp.add)).startswith("(x1: 'Any', x2: 'Any', /)")
    with pytest.raises(TypeError, match="keyword"):
        xp.add(x1=1, x2=2)
    with pytest.raises(TypeError, match="positional"):
        xp.sum(xp.ones(2), 0)  # type: ignore[call-arg]


def test_tensors_of_both_classes_name_the_namespace() -> None:
    for x in gpugrad.ones(2), xp.ones(2):
        assert x.__array_namespace__() is x.__array_namespace__(api_version="2024.12") is xp
        with pytest.raises(ValueError, match=r"2024\.12"):
            x.__array_namespace__(api_version="1999.01")


def test_what_the_namespace_tells_of_itself() -> None:
    info = xp.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert xp.zeros(1).device == info.default_device() in info.devices()
    assert xp.zeros(1).dtype == info.default_dtypes()["real floating"]
    assert set(info.dtypes(kind="integral")) == {f"{u}int{k}" for u in ("", "u")
                                                 for k in (8, 16, 32, 64)}  # fmt: skip
    assert isinstance(xp.finfo(xp.float32).eps, float)
    assert xp.isdtype(xp.float32, ("integral", "real floating"))
    with pytest.raises(ValueError, match="no kind 'whole'"):
        xp.isdtype(xp.int8, "whole")


def logsumexp(x: Any) -> Any:
    """Return what a library that knows the standard only would compute."""
    space = x.__array_namespace__()
    top = space.max(x, axis=-1, keepdims=True)
    return space.squeeze(top, axis=-1) + space.log(space.sum(space.exp(x - top), axis=-1))


@pytest.mark.parametrize("kind", [gpugrad.tensor, gpugrad.numpy.array])
def test_a_function_of_the_standard_is_differentiable(kind: Any) -> None:
    x = kind(np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]))
    check_gradient(logsumexp, [x], order=2)
    assert type(logsumexp(x)) is type(x)


@pytest.mark.parametrize(("x", "y", "expected"), [
    (-0.0, 1.0, 0.0), (0.0, -1.0, -0.0), (6.0, -3.0, -0.0), (-6.0, 3.0, 0.0), (5.5, -3.0, -0.5),
])  # fmt: skip
def test_a_remainder_of_zero_has_the_sign_of_the_divisor(
    x: float, y: float, expected: float, device: str
) -> None:
    a, b = (xp.asarray(v, device=device).requires_grad_() for v in (x, y))
    found = a % b
    found.backward()
    found = found.detach()
    assert (float(found), bool(xp.signbit(found))) == (expected, bool(np.signbit(expected)))
    assert (float(a.grad), float(b.grad)) == (1.0, -np.floor(x / y))  # also where it is 0


def test_a_mask_without_elements_chooses_none() -> None:
    assert xp.ones((0, 1))[xp.ones((0, 0), dtype=xp.bool)].shape == (0,)
    with pytest.raises(IndexError, match="mask"):
        xp.ones((4, 5))[xp.ones((0, 3), dtype=xp.bool)]


def test_vectors_of_different_lengths_have_no_product() -> None:
    with pytest.raises(ValueError, match=r"vecdot: .*\(2, 3\) and \(1,\)"):
        xp.vecdot(xp.ones((2, 3)), xp.ones(1))


def test_descending_order_keeps_equal_elements_in_theirs() -> None:
    x = xp.asarray([1.0, 3.0, 1.0, 3.0])
    assert xp.argsort(x, descending=True).tolist() == [1, 3, 0, 2]
    assert xp.sort(x, descending=True).tolist() == [3.0, 3.0, 1.0, 1.0]


# What libraries compute with arrays of any namespace: each program prints a gradient, and the same
# by central differences.  SciPy reads its variable when it is imported, so it is another process.
PROGRAMS = {
    "scipy": """
        from scipy import integrate, signal, special, stats
        from scipy.spatial.transform import Rotation
        check(lambda x: special.logsumexp(x, axis=1))
        check(lambda x: special.softmax(x, axis=1) * x)
        check(lambda x: stats.skew(x, axis=1))
        check(lambda x: stats.zscore(x, axis=1) * x)
        check(lambda x: stats.gmean(x * x + 1, axis=1))
        check(lambda x: integrate.cumulative_trapezoid(x * x, axis=1))
        check(lambda x: signal.fftconvolve(x, x * x))
        check(lambda x: Rotation.from_rotvec(x).as_matrix())
    """,
    "sklearn": """
        import sklearn
        from sklearn.linear_model import Ridge
        from sklearn.metrics.pairwise import rbf_kernel
        with sklearn.config_context(array_api_dispatch=True):
            check(lambda x: rbf_kernel(x))
            check(lambda x: Ridge(solver="svd").fit(x, x[:, 0] * x[:, 1]).coef_)
    """,
    "einops": """
        from einops import array_api as einops
        check(lambda x: einops.rearrange(x, "a b -> (b a)") ** 2)
        check(lambda x: einops.reduce(x * x, "a b -> b", "mean"))
    """,
    "xarray": """
        import xarray
        def of(f):
            def function(x):
                arrays = x.as_subclass(gpugrad.numpy.ndarray)
                return f(xarray.DataArray(arrays, dims=("a", "b"), coords={"a": [1, 2, 4]})).data
            check(function)
        of(lambda x: x.mean("a") + (x * x).std() + x.prod("b").max())
        of(lambda x: x.where(x > 0, 0.0) * x.isel(a=1) + x.sel(a=4) ** 2)
        of(lambda x: xarray.concat([x, x * x], "a").stack(c=("a", "b")))
        of(lambda x: x.shift(a=1, fill_value=0.0) * x + x.roll(b=1))
        of(lambda x: x.pad(b=1, mode="edge") ** 2)
        of(lambda x: (x * x).groupby("a").sum() + x.differentiate("a").sum("b"))
        of(lambda x: x.coarsen(b=3).mean() * x.diff("a").sum() + x.quantile(0.3, "a").sum())
        of(lambda x: xarray.dot(x, x * x) + x.cumsum("a").integrate("a").sum())
        of(lambda x: xarray.apply_ufunc(np.sin, x))
        of(lambda x: xarray.Dataset({"v": x * x}).mean("b")["v"])
    """,
}
CHECK = """
    import numpy as np, gpugrad
    from gpugrad.testing import check_gradient
    x = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5], [1.0, 1.5, 0.125]])
    def check(f):
        for make in gpugrad.tensor, gpugrad.numpy.array:
            check_gradient(f, [make(x)])
"""


@pytest.mark.parametrize(
    "library", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROGRAMS]
)
def test_what_other_libraries_compute_is_differentiable(library: str) -> None:
    text = textwrap.dedent(CHECK) + textwrap.dedent(PROGRAMS[library])
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    subprocess.run([sys.executable, "-c", text], env=environment, check=True)


def test_what_a_library_overwrites_is_named() -> None:
    x = xp.asarray([1.0, 4.0]).requires_grad_()
    root = xp.sqrt(x)
    root += 1.0  # as a library normalises what it has just computed
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.* output 0 of Sqrt"):
        xp.sum(root).backward()
