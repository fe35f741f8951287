"""What gpugrad.numpy promises beside values: classes, ``out=``, methods, refusals, names."""

from __future__ import annotations

import functools
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.testing import as_numpy, assert_agree, check_gradient

theirs: Any = np  # whose functions return tensors, if they are given some

_FILES = "are of files on the host, text or memory, and have nothing to do with gradients"
_DATES = "dates are no numbers, and no tensors"
_STATE = "asks or sets NumPy itself, or describes this build of it"
_MATRIX = "matrices that are no arrays are discouraged by NumPy, too"
_TEXT = "objects and text are no tensors"
ABSENT = {
    **dict.fromkeys(("busday_count", "busday_offset", "is_busday", "datetime_as_string",
                     "datetime_data", "busdaycalendar", "datetime64", "timedelta64"), _DATES),
    **dict.fromkeys(("get_include", "getbufsize", "setbufsize", "geterrcall", "seterrcall", "info",
                     "show_config", "show_runtime", "test"), _STATE),
    **dict.fromkeys(("asmatrix", "bmat", "matrix"), _MATRIX),
    **dict.fromkeys(("bytes_", "character", "object_", "str_", "void", "flexible", "record",
                     "recarray", "chararray"), _TEXT),
    **dict.fromkeys(("memmap",), _FILES),
    **dict.fromkeys(("clongdouble", "longdouble", "complex256", "float128"),
                    "no device computes with these types"),
    **dict.fromkeys(("broadcast", "flatiter", "nditer", "nested_iters"),
                    "NumPy's iterators read memory; `x.flat` and `ndindex` are there"),
    "frompyfunc": "makes ufuncs of objects; `vectorize` keeps the history",
    "poly1d": "a class that stores NumPy's arrays; use the functions of coefficients",
    "asfortranarray": "results lie in memory in C's order",
}  # fmt: skip


@pytest.mark.parametrize("home", ["", "linalg", "fft"])
def test_what_is_absent_is_named_with_its_reason(home: str) -> None:
    theirs: Any = getattr(np, home) if home else np
    ours: Any = getattr(gnp, home) if home else gnp
    known = [
        n for n in dir(theirs) if callable(getattr(theirs, n)) and not n.startswith("_")
        and not inspect.ismodule(getattr(theirs, n))
    ]  # fmt: skip
    absent = {n for n in known if not hasattr(ours, n)}
    assert absent <= {*ABSENT}, "a name of NumPy's is neither there nor listed"
    if not home:
        there = {n for n in ABSENT if hasattr(gnp, n)}
        assert not there, "is listed as absent, but is there"


def test_signatures_have_numpys_names_in_numpys_order() -> None:
    for name in gnp.__all__:
        theirs, ours = getattr(np, name, None), getattr(gnp, name)
        try:
            wanted, found = inspect.signature(theirs), inspect.signature(ours)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if inspect.isclass(ours) or any(
            p.kind is p.VAR_POSITIONAL for p in found.parameters.values()
        ):
            continue  # of the array library: handed on as they come
        missing = {*wanted.parameters} - {*found.parameters} - {"kwargs", "ndmax", "einsum_call"}
        assert not missing, (name, missing)
        places = [
            [
                n
                for n, p in s.parameters.items()
                if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)
            ]
            for s in (wanted, found)
        ]
        assert places[1][: len(places[0])] == places[0], name


# --------------------------------------------------------------------------- classes


def test_the_class_of_the_operands_says_the_class_of_the_result() -> None:
    array, tensor = gnp.ones(2, np.float32), gpugrad.ones(2)
    assert type(gnp.sin(tensor)) is type(theirs.sin(tensor)) is gpugrad.Tensor
    assert type(gnp.add(array, tensor)) is type(tensor + array) is gnp.ndarray
    assert type(gnp.sin(np.ones(2))) is type(gnp.sin(1.0)) is gnp.ndarray
    assert type(theirs.concatenate([tensor, np.ones(2)])) is gpugrad.Tensor
    assert type(gpugrad.sin(array)) is gnp.ndarray
    assert {*map(type, gnp.atleast_1d(array, tensor))} == {gnp.ndarray}
    assert type(gnp.multiply.outer(array, tensor)) is gnp.ndarray
    out = gpugrad.zeros(2)
    for found in (gnp.sin(array, out=out), gnp.cumsum(array, out=out),
                  gnp.add.accumulate(array, out=out), gnp.cumsum(array, None, None, out),
                  theirs.add(array, 1, out=out)):  # fmt: skip
        assert found is out
    assert type(tensor) is type(out) is gpugrad.Tensor  # themselves they stay what they were

    class Own(gnp.ndarray):
        pass

    own = array.as_subclass(Own)
    assert type(gnp.sum(own)) is type(own[0]) is type(own * 2) is Own


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.int32])
def test_arrays_on_either_side_of_a_plain_tensor_agree(kind: Any) -> None:
    array = np.arange(1, 4).astype(kind)
    for dtype in (gpugrad.float32, gpugrad.int64, gpugrad.float16):
        t = gpugrad.tensor([1, 2, 3], dtype=dtype)
        assert_agree(array + t, t + array)
        assert_agree(array - t, -(t - array))
        assert_agree(array * t, t * array)
        assert_agree(np.multiply(array, t), t * array)
        assert_agree(array < t, t > array)
        assert_agree(array[0] * t, t * array[0])


def test_numbers_are_weak_and_numpys_scalars_are_not() -> None:
    x = gnp.array([1.0, 2.0], dtype=np.float32)
    assert (x * 2.0).dtype == (2 * x).dtype == (x + 1).dtype == np.float32
    assert (x * np.float64(2)).dtype == (np.float64(2) * x).dtype == np.float64
    assert (gnp.arange(3) / 2).dtype == np.float64
    with pytest.raises(OverflowError, match="300 out of bounds for uint8"):
        gnp.array([1], np.uint8) + 300
    assert bool((gnp.array([1], np.uint8) < 300).all())


def test_an_array_has_numpys_methods_and_attributes() -> None:
    host = np.arange(24.0).reshape(2, 3, 4)
    x = gnp.array(host)
    assert (x.size, x.shape, x.ndim, x.itemsize, x.nbytes) == (24, (2, 3, 4), 3, 8, 192)
    assert x.dtype == np.float64
    assert x.strides == host.strides
    for call in (
        lambda a: a.sum(0), lambda a: a.mean((1, 2)), lambda a: a.std(axis=1, ddof=1),
        lambda a: a.var(), lambda a: a.max(-1), lambda a: a.min(), lambda a: a.argmax(1),
        lambda a: a.transpose(), lambda a: a.transpose(1, 0, 2), lambda a: a.reshape(6, 4),
        lambda a: a.reshape((4, -1)), lambda a: a.repeat(2), lambda a: a.T, lambda a: a.mT,
        lambda a: a.flatten(), lambda a: a.ravel("F"), lambda a: a.swapaxes(0, 1),
        lambda a: a.clip(3, 5), lambda a: a.cumsum(), lambda a: a.cumprod(1),
        lambda a: a.dot(a[0].T),
        lambda a: a.round(1), lambda a: a.take([1, 2]), lambda a: a.diagonal(), lambda a: a.trace(),
        lambda a: a.astype("f4"), lambda a: a.astype(int), lambda a: a.any(0), lambda a: a.all(),
        lambda a: a.prod(2), lambda a: a.squeeze(), lambda a: a.nonzero(), lambda a: a.conj(),
        lambda a: a.real, lambda a: a.imag, lambda a: a.copy(), lambda a: a[0].argsort(0),
        lambda a: a[0, :, 0].searchsorted([3.0]), lambda a: a.compress([True, False], 0),
        lambda a: a[::-1, 1:, ::-2], lambda a: a[..., -1], lambda a: a[[0, 1], :, [1, 2]],
        lambda a: a[0, :, [1, 2]], lambda a: a[a > 5], lambda a: a[None, ..., ::-1, 0],
        lambda a: a[[[0, 1], [1, 0]], 1], lambda a: divmod(a, 3), lambda a: a // 2 ** a % 3,
        lambda a: abs(-a), lambda a: a @ a.mT if hasattr(a, "mT") else a, lambda a: a.flat[3],
        lambda a: a.flat[2:5], lambda a: 2 in a, lambda a: a.item(3), lambda a: a.tolist(),
    ):  # fmt: skip
        expected, found = call(host), call(x)
        if isinstance(expected, tuple):
            for e, f in zip(expected, tuple(found), strict=True):  # type: ignore[arg-type]
                np.testing.assert_array_equal(as_numpy(f), e)
        else:
            np.testing.assert_allclose(as_numpy(found), expected)
            if isinstance(expected, np.ndarray):
                assert as_numpy(found).dtype == expected.dtype
    ordered = gnp.array([3.0, 1.0, 2.0])
    assert ordered.sort() is None
    assert ordered.tolist() == [1.0, 2.0, 3.0]
    assert repr(ordered) == "array([1., 2., 3.])"
    assert repr(ordered.requires_grad_() * 2).startswith("array([2., 4., 6.], grad_fn=<Mul")
    assert pickle.loads(pickle.dumps(gnp.ones(2))).dtype == np.float64
    with pytest.raises(ValueError, match=r"Use a.any\(\) or a.all\(\)"):
        bool(gnp.ones(2))


# --------------------------------------------------------------------------- writing


def test_out_of_a_tensor_gets_the_history_and_a_plain_array_is_refused() -> None:
    x = gnp.array([1.0, 2.0]).requires_grad_()
    out = gnp.zeros(2)
    assert gnp.exp(x, out=out) is out
    out.sum().backward()
    assert_agree(x.grad, np.exp([1.0, 2.0]))
    assert np.multiply(x, 2, out=gnp.zeros(2)).requires_grad
    assert gnp.sum(x, out=gnp.zeros(())).requires_grad
    assert np.add(x.detach(), 1, out=(host := np.zeros(2))) is host
    assert host.tolist() == [2.0, 3.0]
    for refused in (
        lambda: np.add(x, 1, out=np.zeros(2)), lambda: gnp.cumsum(x, out=np.zeros(2)),
        lambda: np.copyto(np.zeros(2), x), lambda: np.put(np.zeros(2), 0, x[0]),
        lambda: np.add.at(np.zeros(2), [0, 1], x), lambda: np.ones(2).__iadd__(x),
        lambda: np.add(x, 1, out=np.zeros(2), where=[True, False]),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="plain array, which has no history"):
            refused()
    with pytest.raises(TypeError, match="casting rule 'same_kind'"):
        gnp.multiply(x, 0.5, out=gnp.zeros(2, int))
    with pytest.raises(ValueError, match=r"has shape \(3,\)"):
        gnp.exp(x, out=gnp.zeros(3))


def test_elements_that_a_mask_leaves_out_are_not_computed_and_have_no_gradient() -> None:
    x = gnp.array([4.0, 0.0, -1.0]).requires_grad_()
    out = gnp.full(3, 7.0)
    found = gnp.sqrt(x, where=x > 0, out=out)
    found.sum().backward()
    assert found.tolist() == [2.0, 7.0, 7.0]
    assert x.grad.tolist() == [0.25, 0.0, 0.0]
    assert gnp.sqrt(x, where=x > 0).tolist() == [2.0, 0.0, 0.0]


# What NumPy reads without asking the tensor's class, and what the error says of it.
READERS: dict[str, Any] = {
    "np.array": lambda x: np.array([1.0, x[0]]),
    "np.asarray": lambda x: np.asarray(x),
    "np.kaiser": lambda x: np.kaiser(5, x[0]),
    "np.hanning": lambda x: np.hanning(x[0]),
    "np.full": lambda x: np.full(
        (3,), x[0]
    ),
    "np.arange": lambda x: np.arange(x[0]),
    "np.vectorize(abs)": lambda x: np.vectorize(abs)(x),
    "np.float32": lambda x: np.float32(x[0]),
    "np.random.normal": lambda x: np.random.normal(x),  # noqa: NPY002  what users call
    "np.testing.assert_allclose": lambda x: np.testing.assert_allclose(x, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_the_error_names_the_function_that_reads_a_tracked_tensor(name: str) -> None:
    with pytest.raises(RuntimeError, match="Can't call numpy") as caught:
        READERS[name](gpugrad.tensor([1.0, 2.0], requires_grad=True))
    (note,) = caught.value.__notes__
    assert note.startswith(f"{name} reads the tensor as an array of NumPy's")
    last = name.split(".")[-1]
    assert note.endswith(f"; try gpugrad.numpy.{last}.") is (name.count(".") == 1 and last in OURS)


OURS = {"array", "asarray", "kaiser", "hanning", "full", "arange"}


@pytest.mark.parametrize("read", [np.float64, lambda x: np.fromiter([x], float), np.ones(1).fill])
def test_what_reads_a_tracked_tensor_as_a_number_warns(read: Any) -> None:
    with pytest.warns(UserWarning, match="Converting a tensor with requires_grad=True to a scalar"):
        read(gpugrad.tensor(1.0, requires_grad=True))


def test_written_in_place_operators_and_indices_keep_the_history() -> None:
    x = gnp.array([1.0, 2.0, 3.0]).requires_grad_()
    y = x * 1
    view = np.reshape(y, (3, 1))
    view *= 2
    y[[0, 0]] = 5.0
    y[::-2] = gnp.stack([x[0], x[1]])  # the last and the first
    np.put(y, [1], x[2] * 3)
    y.sum().backward()
    assert y.tolist() == [2.0, 9.0, 1.0]
    assert x.grad.tolist() == [1.0, 1.0, 3.0]
    z = gnp.zeros((2, 2))
    z.real[0] = 4
    z[0, 0] += 1
    assert z.tolist() == [[5.0, 4.0], [0.0, 0.0]]
    whole = gnp.arange(3)
    with pytest.raises(TypeError, match="same_kind"):
        whole += 0.5


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "logaddexp", "subtract", "hypot"])
def test_the_methods_of_ufuncs_are_numpys(name: str) -> None:
    ours, original = getattr(gnp, name), getattr(np, name)
    host = np.random.default_rng(1).permutation(24).reshape(2, 3, 4) / 7
    x = gnp.array(host).requires_grad_()
    calls: Any = (
        lambda f, a: f.reduce(a), lambda f, a: f.reduce(a, axis=-1, keepdims=True),
        lambda f, a: f.accumulate(a, 1), lambda f, a: f.reduceat(a, [0, 2, 1], axis=2),
        lambda f, a: f.outer(a[0], a[1, 0]), lambda f, a: f.reduce(a, 0, initial=2.0),
    )  # fmt: skip
    for call in calls:
        expected = call(original, host)
        for function in (ours, original):  # by NumPy's own ufunc, too
            found = call(function, x)
            np.testing.assert_allclose(as_numpy(found), expected)
            assert found.requires_grad
    target, values = gnp.zeros(3), gnp.array([1.0, 2.0, 4.0]).requires_grad_()
    kept = np.zeros(3)
    ours.at(target, [0, 2, 0], values)
    original.at(kept, [0, 2, 0], [1.0, 2.0, 4.0])
    np.testing.assert_allclose(as_numpy(target), kept)
    assert target.requires_grad


# --------------------------------------------------------------------------- refusals


def test_sums_from_a_start_of_what_a_mask_takes() -> None:
    x = np.array([1.0, 2.0, 4.0])
    mask = np.array([True, False, True])
    assert gnp.sum(x, initial=5.0, where=mask).item() == np.sum(x, initial=5.0, where=mask)
    assert gnp.prod(x, initial=5.0, where=mask).item() == 20.0
    assert gnp.subtract.reduce(x, initial=10.0).item() == np.subtract.reduce(x, initial=10.0)


def test_what_has_no_rule_is_refused_by_name_for_every_tensor() -> None:
    for t in (gpugrad.ones(2), gnp.ones(2), gpugrad.ones(2, requires_grad=True)):
        with pytest.raises(TypeError, match="has no rule for tensors"):
            np.frompyfunc(lambda a: a, 1, 1)(t)
        with pytest.raises(TypeError, match=r"numpy.*busday_count has no rule"):
            np.busday_count(t, t)
    x = gpugrad.ones(2, requires_grad=True)
    reads: Any = (lambda: np.array([x, x]), lambda: np.asarray(x), lambda: np.array(x))
    for read in reads:
        with pytest.raises(RuntimeError, match=r"Use tensor.detach\(\).numpy\(\) instead"):
            read()
    with pytest.raises(TypeError, match="an argument requires grad"):
        np.savetxt("nowhere", x)
    with pytest.raises(TypeError, match="of several directions there are no derivatives"):
        np.histogram2d(x, x, weights=x)


def test_numpys_functions_leave_other_libraries_objects_to_them() -> None:
    class Other:
        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
            return "theirs"

    assert theirs.concatenate([gpugrad.ones(2), Other()]) == "theirs"
    assert type(theirs.zeros(3, like=gpugrad.ones(2))) is gpugrad.Tensor


# --------------------------------------------------------------------------- with the rest


def test_arrays_are_taken_by_transforms_checks_and_functions_of_pytorchs_names() -> None:
    x = gnp.array([1.0, 2.0, 3.0])
    func = gpugrad.func
    assert_agree(func.grad(lambda v: gnp.sum(v * v))(x), 2 * np.arange(1.0, 4))
    assert_agree(func.hessian(gnp.prod)(x), [[0.0, 3, 2], [3, 0, 1], [2, 1, 0]])
    assert_agree(func.jacfwd(lambda v: gnp.cumsum(v))(x), np.tri(3))
    assert_agree(func.vmap(lambda v: gnp.sum(v) / gnp.max(v))(gnp.ones((2, 3))), [3.0, 3.0])
    _, tangent = func.jvp(gnp.exp, (x,), (gnp.ones(3),))
    assert_agree(tangent, np.exp(as_numpy(x)))
    leaf = x.copy().requires_grad_()
    assert gpugrad.autograd.gradcheck(gnp.sin, (leaf,))
    assert gpugrad.autograd.gradgradcheck(gnp.sin, (leaf,))
    first = gpugrad.autograd.grad(gnp.sum(leaf**3), leaf, create_graph=True)[0]
    assert_agree(gpugrad.autograd.grad(first.sum(), leaf)[0], 6 * as_numpy(x))
    gnp.sum(gnp.sort(leaf)[::-1] * leaf).backward()
    assert type(leaf.grad) is gnp.ndarray
    gpugrad.optim.SGD([leaf], lr=0.1).step()
    assert_agree(leaf.detach(), as_numpy(x) - 0.2 * as_numpy(x)[::-1])
    for found in (
        gpugrad.quantile(x, 0.5), gpugrad.linalg.slogdet(gnp.eye(2))[1], gpugrad.histc(x, 3),
        gpugrad.einsum("i,i", x, x), gpugrad.scatter(x, 0, gnp.array([1]), 2.0), x.type_as(x),
        gpugrad.searchsorted(x, x), gpugrad.zeros_like(x), gpugrad.cdist(x[None], x[None]),
        gpugrad.linalg.eigh(gnp.eye(2) + 0j)[0], gpugrad.sum(gnp.arange(3)),
    ):  # fmt: skip
        assert type(found) is gnp.ndarray
    with gpugrad.inference_mode():
        assert (gnp.ones(2) + 1).is_inference()
    with gpugrad.conventions("math"):
        zero = gnp.zeros(1).requires_grad_()
        gnp.sum(gnp.sqrt(zero * zero)).backward()
        assert zero.grad.tolist() == [0.0]


def test_functions_are_taken_example_by_example_inside_of_vmap() -> None:
    rows = np.array([[3.0, 1.0, 2.0], [5.0, 6.0, 4.0]])
    calls: Any = (
        lambda np, v: np.argmax(v), lambda np, v: np.argsort(v), lambda np, v: np.sort(v),
        lambda np, v: np.median(v), lambda np, v: np.std(v), lambda np, v: np.convolve(v, v),
        lambda np, v: np.where(v > 2, v, 0) @ v, lambda np, v: np.pad(v, 1), lambda np, v: v[::-1],
        lambda np, v: np.power(v.astype(int), 2), lambda np, v: np.abs(np.fft.fft(v)),
        lambda np, v: np.cov(v, v * v), lambda np, v: np.linalg.norm(v), lambda np, v: np.diff(v),
    )  # fmt: skip
    for call in calls:
        found = gpugrad.func.vmap(lambda v: call(gnp, v))(gnp.array(rows))  # noqa: B023
        np.testing.assert_allclose(as_numpy(found), [call(np, row) for row in rows])
    looking: Any = (  # at numbers, to know what they compute
        lambda np, v: np.isclose(v, v + 1e-9), lambda np, v: np.allclose(v, v[0]),
        lambda np, v: np.interp(v, [0.0, 3.0, 5.0], v), lambda np, v: np.unwrap(v * 3),
        lambda np, v: np.digitize(v, [1.5, 4.5]), lambda np, v: np.searchsorted([2.0], v),
        lambda np, v: np.linalg.lstsq(np.vander(v, 2), v, rcond=None)[0],
        lambda np, v: np.polymul(v, v), lambda np, v: np.polyfit(v, v * v, 1),
        lambda np, v: np.polydiv(v, v[:2])[1], lambda np, v: np.roots(v),
        lambda np, v: np.piecewise(v, [v < 3], [0.0, lambda u: u * u]),
        lambda np, v: np.histogram(v, 2)[1], lambda np, v: np.unique(v),
        lambda np, v: np.array_equal(v, v),
    )  # fmt: skip
    for call in looking:
        of_one = functools.partial(call, gnp)
        found = gpugrad.func.vmap(of_one)(gnp.array(rows))
        np.testing.assert_allclose(as_numpy(found), [call(np, row) for row in rows], atol=1e-12)
        nested = gpugrad.func.vmap(gpugrad.func.vmap(of_one))(gnp.array(rows[None]))
        np.testing.assert_allclose(as_numpy(nested)[0], as_numpy(found))
    slope = gpugrad.func.vmap(gpugrad.func.grad(lambda v: gnp.interp(2.5, v, v * v)))
    found, knots = slope(gnp.array(rows[:, [1, 2, 0]])), rows[0][[1, 2, 0]]
    np.testing.assert_allclose(found[0], gnp.grad(lambda v: gnp.interp(2.5, v, v * v))(knots))
    with pytest.raises(RuntimeError, match="dynamic shape"):
        gpugrad.func.vmap(gnp.unique)(gnp.array([[1.0, 1.0], [1.0, 2.0]]))


@pytest.mark.cuda
def test_numpys_functions_stay_on_the_gpu_and_never_mix_devices() -> None:
    host = np.array([0.5, 1.5, -1.0])
    for kind in (gpugrad.Tensor, gnp.ndarray):
        x = gpugrad.tensor(host, device="cuda").as_subclass(kind).requires_grad_()
        calls: Any = (
            lambda a: theirs.sin(a), lambda a: theirs.add.reduce(a),
            lambda a: theirs.where(a > 0, a, 0),
            lambda a: theirs.concatenate([a, a]), lambda a: theirs.einsum("i,i", a, a),
            lambda a: theirs.fft.fft(a), lambda a: theirs.median(a), lambda a: theirs.clip(a, 0, 1),
            lambda a: theirs.linalg.norm(a), lambda a: theirs.cumsum(a), lambda a: a[::-1] if (
                isinstance(a, np.ndarray | gnp.ndarray)) else theirs.flip(a),
            lambda a: theirs.multiply.outer(a, [1.0, 2.0]),
            lambda a: theirs.interp(a, [0, 1], [0, 2]),
        )  # fmt: skip
        for call in calls:
            found: Any = call(x)
            assert found.is_cuda
            assert found.requires_grad
            assert type(found) is kind
            assert_agree(found, call(host))
        device_array = x.detach().array
        for found in (device_array * x, x * device_array, theirs.multiply(device_array, x),
                      gnp.multiply(x, device_array)):  # fmt: skip
            assert found.requires_grad
            assert_agree(found, host * host)
        assert_agree(np.float64(2.0) * x, 2 * host)
        mixtures: Any = (
            lambda: host * x, lambda: x * host, lambda: theirs.add(host, x),  # noqa: B023
            lambda: gnp.dot(x, host),  # noqa: B023
            lambda: theirs.concatenate([x, host]), lambda: gnp.add(x, gnp.ones(3)),  # noqa: B023
        )  # fmt: skip
        for mixed in mixtures:
            with pytest.raises(RuntimeError, match="found at least two devices"):
                mixed()
    assert gnp.zeros(2, device="cuda").device == gnp.zeros_like(x).device


def test_singular_values_of_least_squares_have_gradients() -> None:
    a = gnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    check_gradient(lambda a: gnp.linalg.lstsq(a, gnp.ones(3))[3], [a])


@pytest.mark.parametrize("equation", ["ii->i", "ij->ji", "ij"])
@pytest.mark.parametrize("einsum", [gnp.einsum, np.einsum])
def test_a_write_into_a_view_of_einsums_has_a_history(equation: str, einsum: Any) -> None:
    x = gnp.ones((2, 2)).requires_grad_()
    z = x * 1
    view = einsum(equation, z)
    view *= 3
    (grad,) = gpugrad.autograd.grad(z.sum(), x)
    assert grad.tolist() == z.tolist()  # each element is a multiple of one that was 1


def test_a_range_of_tracked_bounds_is_refused() -> None:
    x = gnp.array(1.0).requires_grad_()
    for given in (x,), (x, 4), (0, 4, x):
        with pytest.raises(TypeError, match="arange: an argument requires grad"):
            gnp.arange(*given)
    assert gnp.arange(x.detach(), 4).tolist() == [1, 2, 3]


@pytest.mark.parametrize("key", [[0, 0, 1], [0, -3, 1], np.array([[0, 1], [0, 0]]), ([0, 0],)])
def test_of_values_for_one_place_the_last_has_the_gradient(key: Any) -> None:
    shape = np.zeros(3)[key].shape
    values = gnp.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)

    def assigned(v: Any) -> Any:
        y = gnp.zeros(3)
        y[key] = v
        return y

    wanted = np.zeros(3)
    wanted[key] = as_numpy(values)
    assert_agree(assigned(values), wanted)
    check_gradient(assigned, [values])


@pytest.mark.parametrize("second", [
    lambda: gnp.zeros(3), lambda: np.zeros(2), lambda: gnp.zeros(2).requires_grad_(),
])  # fmt: skip
def test_no_out_is_written_where_one_of_several_cannot_be(second: Any) -> None:
    x, first = gnp.array([1.5, 2.5]).requires_grad_(), gnp.zeros(2)
    with pytest.raises((ValueError, TypeError, RuntimeError), match=r"out=|leaf Variable"):
        gnp.divmod(x, 2.0, out=(first, second()))
    assert (first.tolist(), first.requires_grad) == ([0, 0], False)


def test_bins_and_periods_have_gradients() -> None:
    x = gnp.array([1.0, 2.0, 4.0])
    check_gradient(lambda x: gnp.histogram(x, 2, density=True, weights=x)[0], [x])
    check_gradient(lambda x: gnp.histogram_bin_edges(x, 3), [x])
    check_gradient(
        lambda b: gnp.histogram([1.0, 2.0, 4.0], b, density=True)[0], [gnp.array([0.0, 3.0, 5.0])]
    )
    check_gradient(lambda p: gnp.unwrap([1.0, 9.0, 3.0], period=p), [gnp.array(5.0)])
    assert_agree(gnp.unwrap([1.0, 9.0, 3.0], period=gnp.array(5.0).requires_grad_()).detach(),
                 np.unwrap([1.0, 9.0, 3.0], period=5.0))  # fmt: skip
    tracked = gnp.array([1.0, 2.0]).requires_grad_()
    refusals: Any = (
        lambda: gnp.histogram(tracked, "auto"), lambda: gnp.histogram(x, 2, (0.0, tracked[1])),
        lambda: gnp.histogram2d(tracked, x[:2]), lambda: gnp.histogramdd([tracked, x[:2]]),
    )  # fmt: skip
    for refused in refusals:
        with pytest.raises(TypeError, match=r"an argument requires grad.*detach"):
            refused()


def test_singular_values_of_least_squares_move() -> None:
    a = gnp.array([[1.0, 2.0], [3.0, 5.0], [1.0, 1.0]])
    by = [
        gpugrad.func.jvp(f, (a,), (gnp.ones((3, 2)),))[1]
        for f in (lambda a: gnp.linalg.lstsq(a, gnp.ones(3))[3], gnp.linalg.svdvals)
    ]
    assert_agree(*by)


@pytest.mark.cuda
def test_sequences_go_where_the_other_polynomial_is() -> None:
    p = gnp.array([1.0, 2.0, 3.0]).cuda()
    for name in ("polymul", "polyadd", "polysub"):
        for given, known in (((p, [1.0, 2.0]), 0), (([1.0, 2.0], p), 1)):
            found = getattr(gnp, name)(*given)
            assert found.is_cuda
            plain = [as_numpy(g) if k == known else g for k, g in enumerate(given)]
            np.testing.assert_allclose(as_numpy(found), getattr(np, name)(*plain))
    assert gnp.polydiv(p, [1.0, 2.0])[1].is_cuda
