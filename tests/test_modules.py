"""Each layer gives PyTorch's outputs and gradients, given PyTorch's state.

The rows are in ``tests/layers/``; a file there has a list ``LAYERS``.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import layers
import numpy as np
import pytest
from layers.layer import Layer
from snippets import ours

import gpugrad
from comparison import pytorch

LAYERS: list[Layer] = [
    row
    for found in pkgutil.iter_modules(layers.__path__, "layers.")
    for row in getattr(import_module(found.name), "LAYERS", [])
]
TYPES = ("float64", "float32")


def made(row: Layer, library: Any, dtype: str, device: str) -> Any:
    """Return the layer of a library, of a type and on a device, in its mode."""
    layer = row.make(library.nn).to(getattr(library, dtype)).to(device)
    return layer.train(row.training)


def tensors(row: Layer, library: Any, dtype: str, device: str) -> list[Any]:
    """Return the inputs as tensors of a library."""
    found = []
    for array in row.arrays(dtype):
        tensor = library.tensor(array, device=device)
        found.append(tensor.requires_grad_(row.grads and array.dtype.kind == "f"))
    return found


def results(row: Layer, library: Any, layer: Any, dtype: str, device: str) -> dict[str, Any]:
    """Return all that a call of a layer and its backward leave, as arrays by name."""
    inputs = tensors(row, library, dtype, device)
    outputs = [leaf for leaf in _leaves(row.call(layer, *inputs)) if hasattr(leaf, "detach")]
    found = {f"output {k}": out for k, out in enumerate(outputs)}
    for k, out in enumerate(outputs):
        if out.requires_grad:
            weights = np.random.default_rng(k).uniform(0.5, 2.0, tuple(out.shape)).astype(dtype)
            out.backward(library.tensor(weights, device=device), retain_graph=True)
    found |= {f"gradient of input {k}": x.grad for k, x in enumerate(inputs)}
    found |= {f"gradient of {name}": p.grad for name, p in layer.named_parameters()}
    found |= {f"{name} afterwards": buffer for name, buffer in layer.named_buffers()}
    return {
        name: None if tensor is None else tensor.detach().cpu().numpy()
        for name, tensor in found.items()
    }


def _leaves(output: Any) -> list[Any]:
    """Return the tensors of a result, nested as it may be."""
    if isinstance(output, tuple | list):
        return [leaf for part in output for leaf in _leaves(part)]
    return [output]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("row", LAYERS, ids=lambda row: row.name)
def test_a_layer_gives_pytorchs_outputs_and_gradients(row: Layer, dtype: str, device: str) -> None:
    tolerance = row.double if dtype == "float64" else row.single
    if tolerance is None:
        return
    torch = pytorch()
    torch.manual_seed(0)
    theirs = made(row, torch, dtype, "cpu")
    layer = made(row, gpugrad, dtype, device)
    state = {name: gpugrad.from_numpy(t.numpy().copy()) for name, t in theirs.state_dict().items()}
    assert [*layer.state_dict()] == [*state]
    layer.load_state_dict(state)

    expected = results(row, torch, theirs, dtype, "cpu")
    found = results(row, gpugrad, layer, dtype, device)

    assert [*found] == [*expected]
    for name, value in expected.items():
        same(found[name], value, tolerance, name)


def same(found: Any, expected: Any, tolerance: float, name: str) -> None:
    """Check that two arrays are of one type and shape, and as close as all of their size can be."""
    if expected is None:
        assert found is None, name
        return
    assert found is not None, name
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape), name
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected, name)
        return
    finite = expected[np.isfinite(expected)]
    size = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
    np.testing.assert_allclose(found, expected, tolerance, tolerance * size, err_msg=name)


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: row.name)
def test_a_layer_has_pytorchs_text_and_names(row: Layer) -> None:
    torch = pytorch()
    theirs, layer = row.make(torch.nn), row.make(gpugrad.nn)
    assert repr(layer) == ours(repr(theirs))
    for members in "parameters", "buffers", "modules":
        expected = [name for name, _ in getattr(theirs, f"named_{members}")()]
        assert [name for name, _ in getattr(layer, f"named_{members}")()] == expected
    shapes = {name: tuple(t.shape) for name, t in theirs.state_dict().items()}
    assert {name: tuple(t.shape) for name, t in layer.state_dict().items()} == shapes
