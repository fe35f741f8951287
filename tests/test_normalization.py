"""Normalization beside PyTorch: running means, types, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.backend import channels, rows
from gpugrad.testing import assert_agree, count_kernels, devices_agree


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0.3, 1.2, shape)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_means_and_variances_follow_the_batch(name: str, training: bool) -> None:
    found = []
    for lib in gpugrad, pytorch():
        x = lib.tensor(numbers(4, 3, 5), requires_grad=True)
        mean, var = lib.tensor(numbers(3, seed=1)), lib.tensor(numbers(3, seed=2) ** 2)
        function = getattr(lib.nn.functional, name)
        for _ in range(2):
            out = function(x, mean, var, None, None, training, 0.3)
        (g,) = lib.autograd.grad((out * out * out).sum(), x)
        found.append([t.detach().numpy() for t in (out, g, mean, var)])
    for ours, theirs in zip(*found, strict=True):
        assert_agree(ours, theirs, 1e-10, 1e-10)


@pytest.mark.parametrize("shape", [(8, 16), (4, 16, 40), (2, 16, 7, 9)])
@pytest.mark.parametrize("name", ["layer_norm", "group_norm", "batch_norm", "rms_norm"])
def test_many_numbers_and_halves_are_normalized_as_pytorchs(
    name: str, shape: tuple[int, ...]
) -> None:
    """Sums over many elements, which other functions add up than those of few."""
    arguments: dict[str, tuple[Any, ...]] = {
        "layer_norm": (shape[1:],),
        "rms_norm": (shape[1:],),
        "group_norm": (4,),
        "batch_norm": (None, None),
    }
    options = {"training": True} if name == "batch_norm" else {}
    affine = shape[1:] if name in ("layer_norm", "rms_norm") else shape[1:2]
    for kind, tolerance in ("float64", 1e-10), ("float32", 2e-5), ("float16", 4e-3):
        found = []
        for lib in gpugrad, pytorch():
            dtype = getattr(lib, kind)
            x = lib.tensor(numbers(*shape), dtype=dtype, requires_grad=True)
            w = lib.tensor(numbers(*affine, seed=1), dtype=dtype, requires_grad=True)
            out = getattr(lib.nn.functional, name)(x, *arguments[name], weight=w, **options)
            out.backward(lib.tensor(numbers(*shape, seed=2), dtype=dtype))
            found.append([t.detach().numpy() for t in (out, x.grad, w.grad)])
        for ours, theirs in zip(*found, strict=True):
            size = max(1.0, float(np.abs(theirs).max()))
            assert_agree(ours / size, theirs / size, tolerance, tolerance)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["layer_norm", "group_norm", "batch_norm"])
def test_halves_are_counted_beyond_what_a_half_can_tell(name: str, dtype: str) -> None:
    x, weights = (
        gpugrad.tensor(numbers(1, 2, 70001, seed=k) + 3).to(getattr(gpugrad, dtype)) for k in (0, 1)
    )
    arguments: dict[str, tuple[Any, ...]] = {
        "layer_norm": (x.shape[2:],), "group_norm": (2,), "batch_norm": (None, None),
    }  # fmt: skip
    options = {"training": True} if name == "batch_norm" else {}
    found = []
    for kind in x, x.double():
        leaf = kind.requires_grad_()
        out = getattr(gpugrad.nn.functional, name)(leaf, *arguments[name], **options)
        (g,) = gpugrad.autograd.grad(out, leaf, weights.to(leaf.dtype))
        found.append([t.detach().double().numpy() for t in (out, g)])
    tolerance = {"float16": 1e-3, "bfloat16": 8e-3}[dtype]
    for halves, doubles in zip(*found, strict=True):
        assert_agree(halves, doubles, tolerance, tolerance)


@pytest.mark.compiler
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("groups", [0, 3])
def test_loops_over_channels_give_what_numpy_gives(
    groups: int, affine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for least in 1, 1 << 62:
        monkeypatch.setattr(channels, "LEAST", least)
        monkeypatch.setattr(rows, "LEAST", least)
        x = gpugrad.tensor(numbers(3, 6, 7, 3) + 100, requires_grad=True)
        parameters = [gpugrad.tensor(numbers(6, seed=k), requires_grad=True) for k in (1, 2)]
        weight, bias = parameters if affine else (None, None)
        mean, var = gpugrad.zeros(6, dtype=x.dtype), gpugrad.ones(6, dtype=x.dtype)
        if groups:
            out = gpugrad.nn.functional.group_norm(x, groups, weight, bias)
        else:
            out = gpugrad.nn.functional.batch_norm(x, mean, var, weight, bias, training=True)
        g = gpugrad.tensor(numbers(3, 6, 7, 3, seed=3))
        for wanted in [x, *parameters] if affine else [x], parameters[:1] if affine else [x]:
            found = gpugrad.autograd.grad(out, wanted, g, retain_graph=True)
            results.append([t.detach().numpy() for t in (out, mean, var, *found)])
    half = len(results) // 2
    for ours, theirs in zip(results[:half], results[half:], strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert_agree(a, b, 1e-10, 1e-10)  # NumPy's sums cancel 100 * 100


WRONG: dict[str, Callable[[Any, Any], Any]] = {
    "other shape": lambda nn, t: nn.layer_norm(t(2, 3), (4,)),
    "no shape": lambda nn, t: nn.layer_norm(t(2, 3), ()),
    "longer shape": lambda nn, t: nn.layer_norm(t(3), (2, 3)),
    "weight": lambda nn, t: nn.layer_norm(t(2, 3), (3,), t(4)),
    "bias": lambda nn, t: nn.layer_norm(t(2, 3), (3,), t(3), t(4)),
    "no tuple": lambda nn, t: nn.layer_norm(t(2, 3), 3),
    "integers": lambda nn, t: nn.layer_norm(t(2, 3).long(), (3,)),
    "other types": lambda nn, t: nn.layer_norm(t(2, 3), (3,), t(3).double()),
    "squares: shape": lambda nn, t: nn.rms_norm(t(2, 3), (4,)),
    "squares: weight": lambda nn, t: nn.rms_norm(t(2, 3), (3,), t(4)),
    "squares: 0-d": lambda nn, t: nn.rms_norm(t(), (1,)),
    "squares: integers": lambda nn, t: nn.rms_norm(t(2, 3).long(), (3,)),
    "groups": lambda nn, t: nn.group_norm(t(2, 4, 3), 3),
    "negative groups": lambda nn, t: nn.group_norm(t(2, 4, 3), -2),
    "no channels": lambda nn, t: nn.group_norm(t(4), 2),
    "one value": lambda nn, t: nn.group_norm(t(1, 4), 4),
    "group weight": lambda nn, t: nn.group_norm(t(2, 4, 3), 2, t(3)),
    "no mean": lambda nn, t: nn.batch_norm(t(2, 3), None, None),
    "no variance": lambda nn, t: nn.batch_norm(t(2, 3), t(3), None),
    "mean": lambda nn, t: nn.batch_norm(t(2, 3), t(4), t(3)),
    "variance": lambda nn, t: nn.batch_norm(t(2, 3), t(3), t(4)),
    "batch weight": lambda nn, t: nn.batch_norm(t(2, 3), t(3), t(3), t(4)),
    "one value of a batch": lambda nn, t: nn.batch_norm(t(1, 3), None, None, training=True),
    "tracked mean": lambda nn, t: nn.batch_norm(t(2, 3), t(3).requires_grad_(), t(3)),
    "mean alone": lambda nn, t: nn.batch_norm(t(2, 3), t(3), None, training=True),
    "variance alone": lambda nn, t: nn.batch_norm(t(2, 3), None, t(3), training=True),
    "instances' mean alone": lambda nn, t: nn.instance_norm(t(2, 3, 4), t(3), None),
    "variance without input's": lambda nn, t: nn.instance_norm(
        t(2, 3, 4), None, t(3), use_input_stats=False
    ),
    "batch integers": lambda nn, t: nn.batch_norm(t(2, 3).long(), t(3), t(3)),
    "eps": lambda nn, t: nn.batch_norm(t(2, 3), None, None, training=True, eps=0),
    "negative eps": lambda nn, t: nn.batch_norm(t(2, 3), t(3), t(3), eps=-1),
    "one of two": lambda nn, t: nn.instance_norm(t(2, 3, 4), t(3), None),
    "none of two": lambda nn, t: nn.instance_norm(t(2, 3, 4), use_input_stats=False),
    "one place": lambda nn, t: nn.instance_norm(t(2, 3, 1)),
    "instance weight": lambda nn, t: nn.instance_norm(t(2, 3, 4), None, None, t(4)),
    "response": lambda nn, t: nn.local_response_norm(t(2, 3), 2),
    "no size": lambda nn, t: nn.local_response_norm(t(2, 3, 4, 5), 0),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_raises_pytorchs_error(case: str) -> None:
    said = []
    for lib in gpugrad, pytorch():

        def ones(*shape: int, lib: Any = lib) -> Any:
            return lib.ones(shape)

        with pytest.raises(Exception) as caught:  # noqa: PT011  its class is compared
            WRONG[case](lib.nn.functional, ones)
        said.append((type(caught.value), str(caught.value).replace("torch.Size", "gpugrad.Size")))
    assert said[0] == said[1]


@pytest.mark.parametrize("kind", ["BatchNorm", "InstanceNorm"])
def test_lazy_layers_take_the_channels_of_their_first_input(kind: str) -> None:
    for n, shape in enumerate([(3, 4, 5), (3, 4, 5, 2), (3, 4, 5, 2, 2)], 1):
        options = {"affine": True, "track_running_stats": True}
        lazy = getattr(gpugrad.nn, f"Lazy{kind}{n}d")(**options)
        x = gpugrad.tensor(numbers(*shape)).float()
        out = lazy(x)
        known = getattr(gpugrad.nn, f"{kind}{n}d")(4, **options)
        assert type(lazy) is type(known)
        assert repr(lazy) == repr(known)
        assert_agree(out, known(x))
        assert [*lazy.state_dict()] == [*known.state_dict()]


def test_layers_refuse_inputs_of_other_dimensions() -> None:
    for name, shape in (
        ("BatchNorm1d", (4,)), ("BatchNorm2d", (3, 4)), ("BatchNorm3d", (3, 4, 5)),
        ("InstanceNorm1d", (4,)), ("InstanceNorm2d", (3, 4)), ("InstanceNorm3d", (3, 4, 5)),
    ):  # fmt: skip
        said = []
        for lib in gpugrad, pytorch():
            with pytest.raises(ValueError, match="expected") as caught:
                getattr(lib.nn, name)(4)(lib.ones(shape))
            said.append(str(caught.value))
        assert said[0] == said[1]
    with pytest.raises(ValueError, match="to match num_features"):
        gpugrad.nn.InstanceNorm1d(3, affine=True)(gpugrad.ones(2, 4, 5))


# The function, how many weights there are, and how many kernels; parameters that several rows have
# in common take a sum each.
LAUNCHES: dict[str, tuple[Callable[..., Any], int, tuple[int, int]]] = {
    "layer_norm": (lambda nn, x, w, b: nn.layer_norm(x, (5,), w, b), 5, (1, 3)),
    "group_norm": (lambda nn, x, w, b: nn.group_norm(x, 2, w, b), 4, (1, 3)),
    "rms_norm": (lambda nn, x, w, b: nn.rms_norm(x, (5,), w), 5, (1, 2)),
    "batch_norm": (lambda nn, x, w, b: nn.batch_norm(x, None, None, w, b, True), 4, (1, 1)),
}


@pytest.mark.cuda
@pytest.mark.parametrize("name", LAUNCHES)
def test_one_kernel_normalizes_and_one_finds_the_gradient(name: str) -> None:
    function, length, expected = LAUNCHES[name]
    x = gpugrad.ones((6, 4, 5), device="cuda", requires_grad=True)
    w, b = (gpugrad.ones(length, device="cuda", requires_grad=True) for _ in range(2))
    with count_kernels() as forward:
        out = function(gpugrad.nn.functional, x, w, b)
    g = gpugrad.ones_like(out)
    with count_kernels() as backward:
        gpugrad.autograd.grad(out, [x, w, b][: 2 if name == "rms_norm" else 3], g)
    assert (forward.total, backward.total) == expected


@pytest.mark.cuda
@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 4, 1), (300, 2, 5), (3, 4, 700), (2, 600, 1)])
def test_rows_of_all_lengths_are_those_of_the_cpu(shape: tuple[int, int, int]) -> None:
    nn: Any = gpugrad.nn.functional
    x, w = numbers(*shape), numbers(shape[1], seed=1)
    for function in (
        lambda x, w: nn.layer_norm(x, shape[1:], eps=0.1),
        lambda x, w: nn.rms_norm(x, shape[2:], eps=0.1),
        lambda x, w: gpugrad.group_norm(x, 1, w, eps=0.1),
        lambda x, w: gpugrad.batch_norm(x, w, None, None, None, True, 0.1, 0.1, True),
    ):
        devices_agree(function, x, w)
