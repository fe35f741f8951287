"""What is refused of a first operand of another type or shape: every sample beside PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from snippets import ours

import gpugrad
from comparison import pytorch
from gpugrad.op.forms import PUBLIC
from samples import SAMPLES, Sample

# Whose words differ, and why; of which the class does, too, it is said.
_CASTS = "PyTorch names the type of the tensor otherwise: long int for Long"
_FOUND = "which of several errors is told, or which index"
REVIEWED = {
    "clamp_": _CASTS, "clamp_min_": _CASTS, "clamp_max_": _CASTS,
    "addr_": "PyTorch has two sentences for a tensor of another shape",
    "masked_scatter_": "PyTorch expands the mask, and we the tensor",
    "as_strided_": "of a part of a tensor, whose place in its memory PyTorch reads",
    "ldexp_": "PyTorch's words lack some: ldexp can't be cast", "mvlgamma_": "likewise",
    "igamma_": _FOUND, "igammac_": _FOUND, "scatter_reduce_": _FOUND, "index_add_": _FOUND,
    "index_reduce_": _FOUND, "einsum": _FOUND,
    "histc": "PyTorch's kernel for the bounds is named (the class is the same)",
    "histogram": _FOUND, "histogramdd": _FOUND, "svd_lowrank": _FOUND, "cdist": _FOUND,
    "cross": "types are promoted",
    "stft": "the padding's error is told", "pinverse": "PyTorch writes the tensor otherwise",
    "ormqr": "PyTorch lacks a space",
    **dict.fromkeys(
        (f"conv{way}{n}d" for way in ("", "_transpose") for n in (1, 2, 3)),
        "of several types PyTorch's sentence is that of the library which convolves",
    ),
    "convolution": "likewise", "conv_tbc": "likewise",
    "affine_grid_generator": "places are made on the CPU, in any type",
}  # fmt: skip


def others(array: Any, inplace: bool) -> Iterator[Any]:
    """Yield an array as one of other types and, where it would be written, of other shapes."""
    if inplace:
        yield array.take(0, 0) if array.ndim and len(array) else array[None]
        yield array[:1] if array.ndim else array
    yield array.astype(np.complex128)
    yield array.astype(bool)
    if array.dtype.kind != "c":
        yield array.astype(np.int64)
        yield array.astype(np.float16)


class Written:
    """A library in which a function is its in-place form."""

    def __init__(self, lib: Any, name: str):
        self.lib, self.name = lib, name

    def __getattr__(self, name: str) -> Any:
        if name != self.name:
            return getattr(self.lib, name)
        return lambda t, *args, **options: getattr(t, f"{name}_")(*args, **options)


def outcome(lib: Any, call: Callable[..., Any], arrays: list[Any], library: Any) -> Any:
    """Return the class and the words of the error that a call ends with, if it does."""
    tensors = [
        library.tensor(a.tolist(), dtype=getattr(library, str(a.dtype))).reshape(a.shape)
        for a in arrays
    ]
    try:
        call(lib, *tensors)
    except Exception as error:
        return type(error).__name__, ours(str(error))
    return None


def differences(name: str, sample: Sample, inplace: bool) -> Iterator[Any]:
    """Yield the errors that PyTorch raises and we do not, for all other first operands."""
    first, *rest = [np.asarray(a) for a in sample.arrays()]
    for other in others(first, inplace):
        found = [
            outcome(Written(lib, name) if inplace else lib, sample.function, [other, *rest], lib)
            for lib in (gpugrad, pytorch())
        ]
        if found[1] is not None and found[0] != found[1]:
            yield sample.name, str(other.dtype), other.shape, *found


CASES = [
    (name, inplace)
    for name, declared in PUBLIC.items()
    if name in SAMPLES and "." not in name
    for inplace in (False, True)
    if (bool(declared.inplace) if inplace else declared.is_function)
]


@pytest.mark.parametrize(
    ("name", "inplace"), CASES, ids=[f"{name}{'_' * inplace}" for name, inplace in CASES]
)
def test_what_pytorch_refuses_is_refused_in_its_words(name: str, inplace: bool) -> None:
    torch = pytorch()
    if not hasattr(torch.Tensor if inplace else torch, f"{name}{'_' * inplace}"):
        pytest.skip("PyTorch has no such function")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [
            d
            for sample in SAMPLES[name]
            if sample.inputs
            for d in differences(name, sample, inplace)
        ]
    assert bool(wrong) == (f"{name}{'_' * inplace}" in REVIEWED), wrong[:4]


# Taken where PyTorch refuses: what has a value in any type.
TAKEN = {
    "lstm_cell": "PyTorch writes the gates in place", "gru_cell": "likewise",
    "nn.functional.hinge_embedding_loss": "what is compared with the margin is of its type",
    "linalg.cross": "types are promoted", "cross": "likewise",
    "matmul": "products of bools are where any are",
}  # fmt: skip


def named(lib: Any, name: str) -> Any:
    for part in name.split("."):
        lib = getattr(lib, part, None)
    return lib


@pytest.mark.parametrize("name", [n for n in SAMPLES if n not in TAKEN])
@pytest.mark.parametrize("kind", [np.int64, bool], ids=["int64", "bool"])
def test_whole_numbers_are_refused_where_pytorch_refuses_them(name: str, kind: Any) -> None:
    """Also where all operands are, which a first operand of another type does not show."""
    torch = pytorch()
    home = torch if named(torch, name) else torch.nn.functional
    if home is not torch and not hasattr(home, name):
        pytest.skip("PyTorch has no such function")
    sample = SAMPLES[name][0]
    arrays = [np.asarray(a) for a in sample.arrays()]
    whole = [
        np.nan_to_num(a).clip(-9, 9).astype(kind) if a.dtype.kind == "f" else a for a in arrays
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = outcome(home, sample.function, whole, torch)
        found = outcome(gpugrad, sample.function, whole, gpugrad)
    assert expected is None or found is not None, expected
