"""`gpugrad.printing` writes what PyTorch writes: fixed texts, then PyTorch itself where it is."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from comparison import pytorch
from gpugrad.printing import (
    Array,
    format_array,
    format_tensor,
    get_printoptions,
    set_printoptions,
)

NAN, INF = math.nan, math.inf


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    set_printoptions(profile="default")


def float32(*values: object) -> Array:
    return np.array(values, np.float32)


def counting(*shape: int, dtype: str = "int64") -> Array:
    return np.arange(math.prod(shape)).reshape(shape).astype(dtype)


FIXED = {
    "fixed": (float32(1.5, 2), "tensor([1.5000, 2.0000])"),
    "integral": (float32(1, -2, 300), "tensor([  1.,  -2., 300.])"),
    "scientific": (float32(1e-8, 1), "tensor([1.0000e-08, 1.0000e+00])"),
    "1e-4 is fixed": (np.array([1e-4]), "tensor([0.0001], dtype=float64)"),
    "below 1e-4 is scientific": (float32(9e-5), "tensor([9.0000e-05])"),
    "a range of 1000 is fixed": (np.array([1e-3, 1]), "tensor([0.0010, 1.0000], dtype=float64)"),
    "1e8 is integral": (float32(1e8), "tensor([100000000.])"),
    "above 1e8 is scientific": (float32(1.00000008e8), "tensor([1.0000e+08])"),
    "the quotient of extremes overflows": (
        np.array([1e308, 1e-308]),
        "tensor([1.0000e+308, 1.0000e-308], dtype=float64)",
    ),
    "float16 beyond its range": (
        np.array([6e4, 6e-8], "float16"),
        "tensor([6.0000e+04, 5.9605e-08], dtype=float16)",
    ),
    "nonfinite only": (float32(NAN, INF, -INF), "tensor([nan, inf, -inf])"),
    "nonfinite among integral": (float32(NAN, 1, -INF), "tensor([nan, 1., -inf])"),
    "nonfinite among fixed": (float32(NAN, 1.5, -INF), "tensor([   nan, 1.5000,   -inf])"),
    "zeros": (float32(0, -0.0), "tensor([0., -0.])"),
    "negative zero sticks out": (float32(-0.0, 1.5), "tensor([-0.0000, 1.5000])"),
    "rounding widens no column": (float32(9.99999, 1.5), "tensor([10.0000,  1.5000])"),
    "scalar": (np.array(3.0, "float32"), "tensor(3.)"),
    "bool": (np.array([True, False]), "tensor([ True, False])"),
    "bool scalar": (np.array(True), "tensor(True)"),
    "int64": (np.array([[1, -20], [300, 4]]), "tensor([[  1, -20],\n        [300,   4]])"),
    "int8": (np.array([-128, 1], "int8"), "tensor([-128,    1], dtype=int8)"),
    "uint64": (np.array([2**64 - 1], "uint64"), "tensor([18446744073709551615], dtype=uint64)"),
    "complex scalar": (np.array(1 + 2j, "complex64"), "tensor(1.+2.j)"),
    "complex": (
        np.array([1 + 2.5j, -10 - 0.25j], "complex64"),
        "tensor([  1.+2.5000j, -10.-0.2500j])",
    ),
    "complex nonfinite": (
        np.array([complex(NAN, -INF), complex(-0.0, NAN), complex(0, -0.0)]),
        "tensor([nan-infj, -0.+nanj, 0.-0.j], dtype=complex128)",
    ),
    "empty": (float32(), "tensor([])"),
    "empty with size": (np.zeros((2, 0), "float32"), "tensor([], size=(2, 0))"),
    "empty int64": (np.zeros((0, 3), "int64"), "tensor([], size=(0, 3), dtype=int64)"),
    "empty bool": (np.zeros(0, "bool"), "tensor([], dtype=bool)"),
    "wrapped": (
        counting(20) * 111,
        "tensor([   0,  111,  222,  333,  444,  555,  666,  777,  888,  999, 1110, 1221,\n"
        "        1332, 1443, 1554, 1665, 1776, 1887, 1998, 2109])",
    ),
    "blocks": (
        counting(2, 1, 2, 2),
        "tensor([[[[0, 1],\n          [2, 3]]],\n\n\n        [[[4, 5],\n          [6, 7]]]])",
    ),
    "summarised": (counting(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    "summarised matrix": (
        counting(1001, 7, dtype="float32"),
        "tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 4.0000e+00, 5.0000e+00,\n"
        "         6.0000e+00],\n"
        "        [7.0000e+00, 8.0000e+00, 9.0000e+00,  ..., 1.1000e+01, 1.2000e+01,\n"
        "         1.3000e+01],\n"
        "        [1.4000e+01, 1.5000e+01, 1.6000e+01,  ..., 1.8000e+01, 1.9000e+01,\n"
        "         2.0000e+01],\n"
        "        ...,\n"
        "        [6.9860e+03, 6.9870e+03, 6.9880e+03,  ..., 6.9900e+03, 6.9910e+03,\n"
        "         6.9920e+03],\n"
        "        [6.9930e+03, 6.9940e+03, 6.9950e+03,  ..., 6.9970e+03, 6.9980e+03,\n"
        "         6.9990e+03],\n"
        "        [7.0000e+03, 7.0010e+03, 7.0020e+03,  ..., 7.0040e+03, 7.0050e+03,\n"
        "         7.0060e+03]])",
    ),
    "only what is shown decides the notation": (
        np.where(counting(2000) == 1000, 1e-9, 1).astype("float32"),
        "tensor([1., 1., 1.,  ..., 1., 1., 1.])",
    ),
}


@pytest.mark.parametrize(("array", "text"), FIXED.values(), ids=FIXED)
def test_a_tensor_prints_as(array: Array, text: str) -> None:
    assert format_tensor(array) == text.replace("dtype=", "dtype=gpugrad.")


@pytest.mark.parametrize(
    ("suffixes", "text"),
    [
        ({"requires_grad": True}, "tensor([1.5000], requires_grad=True)"),
        ({"requires_grad": True, "grad_fn": "MulBackward0"}, "[1.5000], grad_fn=<MulBackward0>)"),
        ({"device": "cuda:0"}, "tensor([1.5000], device='cuda:0')"),
        ({"tangent": "tensor([1.])"}, "tensor([1.5000], tangent=tensor([1.]))"),
        (
            {"default_dtype": "float64", "device": "cuda:1", "grad_fn": "AddBackward0"},
            "tensor([1.5000], device='cuda:1', dtype=gpugrad.float32, grad_fn=<AddBackward0>)",
        ),
    ],
)
def test_suffixes(suffixes: dict[str, Any], text: str) -> None:
    assert format_tensor(float32(1.5), **suffixes).endswith(text)


def test_a_suffix_that_does_not_fit_begins_a_line() -> None:
    array = np.ones(16) / 2
    rows = (", ".join(["0.5000"] * 9), ", ".join(["0.5000"] * 7))

    text = format_tensor(array, device="cuda:0", grad_fn="CloneBackward0")

    assert text == (
        f"tensor([{rows[0]},\n        {rows[1]}],\n"
        "       device='cuda:0', dtype=gpugrad.float64, grad_fn=<CloneBackward0>)"
    )


def test_an_array_alone_has_brackets_and_indent_only() -> None:
    assert format_array(counting(2, 2), indent=3) == "[[0, 1],\n    [2, 3]]"


def test_complex_numbers_follow_the_default_dtype() -> None:
    assert format_tensor(np.array(1j), default_dtype="float64") == "tensor(0.+1.j)"


def test_a_summary_needs_more_elements_than_the_threshold() -> None:
    assert "..." not in format_array(counting(1000), indent=7)
    assert "..." in format_array(counting(1001), indent=7)


def test_an_axis_is_cut_only_where_something_is_left_out() -> None:
    set_printoptions(threshold=5, edgeitems=1)

    assert format_array(counting(2, 3), indent=0) == "[[0,  ..., 2],\n [3,  ..., 5]]"


def test_without_edge_items_the_size_is_told() -> None:
    set_printoptions(threshold=5, edgeitems=0)

    assert format_tensor(counting(2, 3)) == "tensor([...], size=(2, 3))"


def test_a_line_holds_as_many_elements_as_fit() -> None:
    set_printoptions(linewidth=13)

    assert format_array(np.array([1 + 1j] * 3), indent=0) == "[1.+1.j,\n 1.+1.j,\n 1.+1.j]"
    assert format_array(np.array([10, 20, 30, 40]), indent=2) == "[10, 20,\n   30, 40]"


def test_only_what_is_shown_is_brought_to_the_host() -> None:
    sizes = []

    def to_host(array: Array) -> Array:
        sizes.append(array.size)
        return array

    format_tensor(counting(7, 1000), to_host=to_host)

    assert sizes == [36]


def test_options_are_kept_until_changed() -> None:
    set_printoptions(precision=2, linewidth=40, sci_mode=True)
    set_printoptions(edgeitems=1)

    assert get_printoptions() == {
        "precision": 2,
        "threshold": 1000,
        "edgeitems": 1,
        "linewidth": 40,
        "sci_mode": None,
    }


def test_a_profile_is_where_the_other_options_start() -> None:
    set_printoptions(linewidth=40)
    set_printoptions(profile="short", precision=3)

    assert get_printoptions() == {
        "precision": 3,
        "threshold": 1000,
        "edgeitems": 2,
        "linewidth": 80,
        "sci_mode": None,
    }


def test_options_read_are_options_to_set() -> None:
    set_printoptions(profile="full", sci_mode=False)
    options = get_printoptions()
    set_printoptions(profile="default")
    set_printoptions(**options)

    assert get_printoptions() == options


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="no profile named 'shrot'"):
        set_printoptions(profile="shrot")


# Against PyTorch

OPTIONS: list[dict[str, Any]] = [
    {"profile": "default"},
    {"profile": "short"},
    {"profile": "full"},
    {"sci_mode": True},
    {"sci_mode": False, "precision": 8},
    {"precision": 0, "linewidth": 120},
    {"threshold": 0, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"threshold": 20, "edgeitems": 2, "linewidth": 30},
]
INTEGRAL = ["bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]
FLOATING = ["float16", "float32", "float64", "complex64", "complex128"]
DTYPES = INTEGRAL + FLOATING
SHAPES: list[tuple[int, ...]] = [
    *[(), (), (0,), (2, 0), (0, 3), (1,), (1, 1)],
    *[(n,) for n in (2, 3, 5, 6, 7, 8, 9, 11, 13, 17, 30)],
    *[(2, 3), (5, 1), (1, 20), (3, 7), (8, 2), (2, 2, 2), (1, 3, 2), (2, 1, 2, 3), (1, 1, 1, 1, 2)],
]
SUMMARIZED_SHAPES = [(1001,), (1200, 1), (1, 2000), (6, 170), (7, 150), (11, 11, 11), (2, 3, 4, 50)]
SPECIAL = [0.0, -0.0, NAN, INF, -INF]
EDGES = [1e-4, 9.9e-5, 1e-3, 1, 0.5, 1e3, 1000.5, 1e8, 1.1e8, 9.99995, 99999.5, 1e-30, 1e30, 65504]


def random_reals(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return float64 values of one of the kinds that printing tells apart."""
    scale = 10.0 ** rng.integers(-6, 10)
    spread = 10.0 ** rng.uniform(-rng.integers(1, 50), rng.integers(1, 50), shape)
    kinds = [
        rng.normal(size=shape),
        rng.normal(size=shape) * scale,
        np.rint(rng.normal(size=shape) * scale),
        np.rint(rng.uniform(-3, 30, shape)),
        spread * rng.choice([-1, 1], shape),
        rng.choice(EDGES, shape),
        rng.choice(SPECIAL, shape),
    ]
    values = kinds[rng.integers(len(kinds))]
    is_special = rng.random(shape) < rng.choice([0, 0, 0.2])
    return np.where(is_special, rng.choice(SPECIAL, shape), values)


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    kind = np.dtype(dtype).kind
    if kind in "iu":
        info = np.iinfo(dtype)
        limit = min(info.max, 10 ** int(rng.integers(1, 20)))
        return rng.integers(max(info.min, -limit), limit, shape, dtype, endpoint=True)
    if kind == "b":
        return np.asarray(rng.random(shape) < rng.choice([0.5, 1]))
    with np.errstate(over="ignore"):
        if kind == "f":
            return random_reals(rng, shape).astype(dtype)
        array = np.empty(shape, dtype)
        array.real, array.imag = random_reals(rng, shape), random_reals(rng, shape)
        return array


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytorch()


@contextmanager
def both_with(torch: Any, options: dict[str, Any]) -> Iterator[None]:
    """Set the print options of both libraries, and restore PyTorch's."""
    set_printoptions(**options)
    torch.set_printoptions(**options)
    try:
        yield
    finally:
        torch.set_printoptions(profile="default")


def torch_text(tensor: Any) -> str:
    return str(tensor).replace("torch.", "gpugrad.")


def from_numpy(torch: Any, array: Array) -> Any:
    return torch.from_numpy(array.copy(order="K"))


def same_values_from_a_node_called(torch: Any, name: str, tensor: Any) -> Any:
    """Return a copy of ``tensor`` whose ``grad_fn`` prints as ``<nameBackward>``."""
    members = {
        "forward": staticmethod(lambda ctx, x: x.clone()),
        "backward": staticmethod(lambda ctx, g: g),
    }
    function: Any = type(name, (torch.autograd.Function,), members)
    return function.apply(tensor)


@pytest.mark.parametrize("array", [array for array, _ in FIXED.values()], ids=FIXED)
def test_the_fixed_texts_are_torchs(torch: Any, array: Array) -> None:
    assert format_tensor(array) == torch_text(from_numpy(torch, array))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_random_arrays_print_as_in_torch(torch: Any, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    with both_with(torch, options):
        for round_ in range(20):
            for shape in SHAPES:
                dtype = str(rng.choice(DTYPES))
                array = random_array(rng, shape, dtype)
                if round_ % 4 == 0:
                    array = array.T
                assert format_tensor(array) == torch_text(from_numpy(torch, array))


@pytest.mark.parametrize("options", [o for o in OPTIONS if o != {"profile": "full"}], ids=str)
def test_summaries_print_as_in_torch(torch: Any, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    with both_with(torch, options):
        for shape in SUMMARIZED_SHAPES:
            for dtype in rng.choice(DTYPES, 4, replace=False):
                array = random_array(rng, shape, str(dtype))
                assert format_tensor(array) == torch_text(from_numpy(torch, array))


@pytest.mark.parametrize("default_dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_suffixes_break_as_in_torch(
    torch: Any, options: dict[str, Any], default_dtype: str
) -> None:
    rng = np.random.default_rng(2)
    torch.set_default_dtype(getattr(torch, default_dtype))
    try:
        with both_with(torch, options):
            for shape in SHAPES:
                array = random_array(rng, shape, str(rng.choice(FLOATING)))
                name = "N" * int(rng.integers(1, 60))
                leaf = from_numpy(torch, array).requires_grad_()
                made = same_values_from_a_node_called(torch, name, leaf)

                assert format_tensor(
                    array, default_dtype=default_dtype, requires_grad=True
                ) == torch_text(leaf)
                assert format_tensor(
                    array, default_dtype=default_dtype, grad_fn=f"{name}Backward"
                ) == torch_text(made)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_device_is_mentioned_as_in_torch(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # PyTorch mentions a device that is not the default one: so it mentions the CPU, without CUDA.
    monkeypatch.setattr(torch._C, "_get_default_device", lambda: "cuda")
    rng = np.random.default_rng(3)
    for shape in SHAPES * 4:
        array = random_array(rng, shape, str(rng.choice(DTYPES)))
        want = torch_text(from_numpy(torch, array)).replace("device='cpu'", "device='gpu'")
        assert format_tensor(array, device="gpu") == want


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_a_tangent_is_mentioned_as_in_torch(torch: Any) -> None:
    forward_ad = torch.autograd.forward_ad
    primal, tangent = torch.ones(8) / 3, torch.ones(8)
    with forward_ad.dual_level():
        want = torch_text(forward_ad.make_dual(primal, tangent))
    assert format_tensor(primal.numpy(), tangent=str(tangent)) == want
