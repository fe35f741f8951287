"""NumPy's ufuncs in gpugrad.numpy: types and values are NumPy's, for each of them."""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.testing import as_numpy, check_gradient

NAMES = sorted({getattr(np, n).__name__ for n in dir(np) if isinstance(getattr(np, n), np.ufunc)})
OF_MATRICES = {"matmul", "matvec", "vecmat", "vecdot"}
TYPES = ("?", "i1", "u1", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16")
rng = np.random.default_rng(0)


def data(kind: str, shape: Any = (3, 4), seed: int = 0) -> Any:
    """Return numbers of a type: in (0.2, 0.7), or small integers that are not 0."""
    draw = np.random.default_rng(seed)
    t = np.dtype(kind)
    if t.kind == "b":
        return draw.random(shape) > 0.5
    if t.kind in "iu":
        return draw.integers(1, 5, shape).astype(t)
    found = draw.uniform(0.2, 0.7, shape)
    return (found + 1j * draw.uniform(0.2, 0.7, shape) if t.kind == "c" else found).astype(t)


def alike(ours: Any, theirs: Any, rtol: float | None = None) -> None:
    """Compare results in type, shape and value."""
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for o, t in zip(ours, theirs, strict=True):
            alike(o, t, rtol)
        return
    a, e = as_numpy(ours), np.asarray(theirs)
    assert a.dtype == e.dtype
    assert a.shape == e.shape
    if rtol is None:
        rtol = {2: 2e-3, 4: 1e-5, 8: 1e-12, 16: 1e-12}.get(
            e.itemsize // (2 if e.dtype.kind == "c" else 1), 0
        )
    np.testing.assert_allclose(a, e, rtol=rtol, atol=rtol)


def outcome(call: Any) -> Any:
    """Return what a call returns, or that it raises."""
    with np.errstate(all="ignore"):
        try:
            return call()
        except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
            return type(error)


@pytest.mark.parametrize("name", NAMES)
def test_each_ufunc_has_the_types_and_values_of_numpys(name: str) -> None:
    theirs, ours = getattr(np, name), getattr(gnp, name)
    shapes: list[Any] = [(3, 4), (4,)]
    if name in OF_MATRICES:
        shapes = {"matmul": [(2, 3, 4), (4, 2)], "matvec": [(3, 4), (4,)],
                  "vecmat": [(3,), (3, 4)], "vecdot": [(3, 4), (4,)]}[name]  # fmt: skip
    for first in TYPES:
        for second in ("?", "i4", "u8", "f2", "f8", "c8") if theirs.nin == 2 else ("f8",):
            operands = [data(first, shapes[0]), data(second, shapes[1], 1)][: theirs.nin]
            expected = outcome(lambda: theirs(*operands))  # noqa: B023
            found = outcome(lambda: ours(*operands))  # noqa: B023
            if isinstance(expected, type):
                assert isinstance(found, type), (first, second, found)
            else:
                assert not isinstance(found, type), (first, second, found)
                alike(found, expected)
        if theirs.nin == 2 and name not in OF_MATRICES:
            for number in (2, 2.5, 1j, True, np.float32(2), np.int64(3)):
                for pair in ((data(first), number), (number, data(first))):
                    expected = outcome(lambda: theirs(*pair))  # noqa: B023
                    found = outcome(lambda: ours(*pair))  # noqa: B023
                    if isinstance(expected, type):
                        assert isinstance(found, type), (first, number, found)
                    else:
                        assert not isinstance(found, type), (first, number, found)
                        alike(found, expected)


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.5, 2.5, 1e300, -1e-300])


@pytest.mark.parametrize("name", sorted({*NAMES} - OF_MATRICES))
def test_each_ufunc_agrees_at_special_values(name: str) -> None:
    theirs, ours = getattr(np, name), getattr(gnp, name)
    operands = [SPECIAL[:, None], SPECIAL][: theirs.nin]
    expected = outcome(lambda: theirs(*operands))
    found = outcome(lambda: ours(*operands))
    assert isinstance(found, type) is isinstance(expected, type), found
    if not isinstance(expected, type):
        alike(found, expected)
        if name not in ("divmod", "remainder", "fmod", "floor_divide", "modf", "frexp"):
            for o, e in zip(*([r] if theirs.nout == 1 else r for r in (found, expected)),
                            strict=True):  # fmt: skip
                assert (np.signbit(as_numpy(o)) == np.signbit(e))[~np.isnan(e)].all()


DERIVED = [
    n for n in NAMES
    if getattr(np, n).nout == 1 and n not in OF_MATRICES | {
        "heaviside", "nextafter", "spacing", "ldexp", "floor_divide", "signbit", "isfinite",
        "isinf", "isnan", "isnat", "equal", "not_equal", "less", "less_equal", "greater",
        "greater_equal", "gcd", "lcm", "invert",
    } and not n.startswith(("logical", "bitwise", "left", "right"))
]  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_each_ufunc_has_its_gradient_also_when_it_is_numpys(name: str) -> None:
    ours, theirs = getattr(gnp, name), getattr(np, name)
    shift = 1.0 if name == "arccosh" else 0.0
    inputs = [
        gpugrad.tensor(data("f8", s, k) + shift)
        for k, s in zip(range(ours.nin), ((3, 4), (4,)), strict=False)
    ]
    check_gradient(ours, inputs, order=2)
    check_gradient(theirs, inputs)
    whole = [gnp.ndarray, gpugrad.Tensor]
    for kind in whole:
        leaf = inputs[0].as_subclass(kind).requires_grad_()
        assert type(theirs(leaf, *inputs[1:])) is kind


@pytest.mark.needs("xarray")
def test_operands_of_libraries_that_answer_ufuncs_are_asked() -> None:
    xarray = importlib.import_module("xarray")
    scale = gnp.array(2.0).requires_grad_()
    labelled = xarray.DataArray(np.array([-1.0, -2.0]), dims="x") * scale
    for found in (gnp.abs(labelled), gnp.maximum(1.0, labelled), gnp.exp(labelled, dtype=float)):
        assert isinstance(found, xarray.DataArray)
        assert found.dims == ("x",)
    gnp.abs(labelled).data.sum().backward()
    assert scale.grad == 3.0


R = np.random.default_rng(3)
CORES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("matmul", (R.random((2, 3, 4)), R.random((4, 5, 2))), {"axes": [(1, 2), (0, 1), (2, 0)]}),
    ("matmul", (R.random((2, 3, 4)), R.random(4)), {"axes": [(1, 2), 0, 0]}),
    ("vecdot", (R.random((3, 4)), R.random((3, 4))), {"axis": 0}),
    ("vecdot", (R.random((3, 4)), R.random((3, 4))), {"axis": 0, "keepdims": True}),
    ("vecdot", (R.random((3, 4)), R.random((3, 4))), {"axes": [0, 0, 1], "keepdims": True}),
    ("vecdot", (R.random((3, 4)), R.random((4, 3))), {"axes": [0, 1]}),
    ("matvec", (R.random((2, 3, 4)), R.random((3, 2))), {"axes": [(2, 1), 0, 0]}),
    ("vecmat", (R.random((3, 2)), R.random((2, 3, 4))), {"axes": [0, (1, 2), 1]}),
]


@pytest.mark.parametrize(("name", "operands", "options"), CORES)
def test_axes_of_matrices_and_vectors(name: str, operands: Any, options: Any) -> None:
    ours, theirs = getattr(gnp, name), getattr(np, name)
    wanted = theirs(*operands, **options)
    found = ours(*operands, **options)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted)
    tensors = [gpugrad.tensor(v) for v in operands]
    assert type(theirs(*tensors, **options)) is gpugrad.Tensor
    check_gradient(lambda *t: theirs(*t, **options), tensors, 2)
    out = gnp.zeros(wanted.shape)
    assert ours(*operands, out=out, **options) is out
    np.testing.assert_allclose(out.numpy(), wanted)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("add", {"axis": 0}), ("matmul", {"axis": 0}), ("matmul", {"keepdims": True}),
        ("vecdot", {"axis": 0, "axes": [0, 0]}), ("vecdot", {"axes": [0]}),
        ("vecdot", {"axes": [(0, 1), 0]}), ("matvec", {"axes": [(0, 1), 0]}),
    ],
)  # fmt: skip
def test_axes_that_do_not_fit_raise_as_in_numpy(name: str, options: Any) -> None:
    pair = np.ones((2, 2)), np.ones((2, 2))
    with pytest.raises(Exception, match=r".") as theirs:
        getattr(np, name)(*pair, **options)
    with pytest.raises(type(theirs.value), match=re.escape(str(theirs.value))):
        getattr(gnp, name)(*pair, **options)


def test_a_plain_output_under_a_mask_is_refused_as_one_without_history() -> None:
    x = gpugrad.tensor([1.0, -1.0, 4.0], requires_grad=True)
    mask = np.array([True, False, True])
    with pytest.raises(TypeError, match="plain array, which has no history"):
        np.sqrt(x, where=mask, out=np.zeros(3, np.float32))
    found = np.sqrt(x.detach(), where=mask, out=np.zeros(3, np.float32))
    assert found.tolist() == [1.0, 0.0, 2.0]


@pytest.mark.needs("pandas")
def test_columns_of_tables_are_arrays() -> None:
    pandas = importlib.import_module("pandas")
    column = pandas.Series([1.0, 2.0])
    x = gnp.array([3.0, 4.0]).requires_grad_()
    for found in (gnp.add(column, x), gnp.add(x, column), np.add(x, column)):
        assert type(found) is gnp.ndarray
        (slope,) = gpugrad.autograd.grad(found.sum(), x)
        assert slope.tolist() == [1.0, 1.0]
    assert type(gnp.sin(column)) is gnp.ndarray
    assert gnp.grad(lambda w: gnp.sum(gnp.multiply(column, w)))(2.0) == 3.0
