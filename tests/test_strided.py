"""Views by strides, windows, and splits beside PyTorch: what the table of samples cannot say."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from snippets import run

import gpugrad
from comparison import Programs, agree, agree_on
from gpugrad.ops.shape import viewable

X = "x = torch.arange(12.0).reshape(3, 4)\n"

SNIPPETS = {
    "too few strides": X + "x.as_strided((2, 2), (1,))",
    "negative stride": X + "x.as_strided((2, 2), (1, -1))",
    "negative size": X + "x.as_strided((2, -2), (1, 1))",
    "negative offset": X + "x.as_strided((2, 2), (1, 1), -1)",
    "out of bounds": X + "x.as_strided((2, 20), (1, 1))",
    "offset out of bounds": X + "x.as_strided((2,), (1,), storage_offset=11)",
    "nothing out of bounds": X + "x.as_strided((0, 200), (1, 1))",
    "of nothing": "torch.ones(3, 0).as_strided((1,), (1,))",
    "offset of a part": X + "x[1:, 1:].as_strided((2, 2), (1, 1))",
    "offset in the memory": X + "x[1:, 1:].as_strided((2, 2), (1, 1), 0)",
    "of a detached part": X + "x[1:, 1:].detach().as_strided((2, 2), (1, 1), 1)",
    "of windows": X + "x.unfold(1, 2, 1).as_strided((3,), (5,), 1)",
    "of transposed windows": X + "x.t().unfold(1, 2, 1).detach().as_strided((3,), (5,), 1)",
    "of a real part": "x = torch.tensor([1 + 2j, 3 + 4j])\nx.real.as_strided((2,), (1,), 1)",
    "storage offsets": X + "[y.storage_offset() for y in (x, x[1:, 2:], x.t()[1])]",
    "what memory tells": X
    + "parts = x, x.t(), x[:, 1:], x[0].to(torch.uint8)\n"
    "[(y.is_contiguous(), y.element_size(), y.dtype.is_signed) for y in parts]",
    "window too long": X + "x.unfold(1, 5, 1)",
    "window of negative length": X + "x.unfold(1, -1, 1)",
    "window without step": X + "x.unfold(1, 2, 0)",
    "window along no dimension": X + "x.unfold(3, 2, 1)",
    "window of a number": "torch.tensor(1.0).unfold(0, 1, 1)",
    "window of too little": "torch.tensor(1.0).unfold(0, 2, 1)",
    "windows named": X + "x.unfold(dimension=0, size=2, step=1)",
    "no parts": X + "x.tensor_split(0)",
    "parts of a number": "torch.tensor(1.0).tensor_split(1)",
    "parts by a tensor": X + "x.tensor_split(torch.from_numpy(np.array([1, 3])), 1)",
    "parts by a number": X + "x.tensor_split(torch.from_numpy(np.array(3)), 1)",
    "parts by floats": X + "x.tensor_split(torch.from_numpy(np.array(2.0)), 1)",
    "parts by a matrix": X + "x.tensor_split(torch.from_numpy(np.array([[2]])), 1)",
    "parts from the end": X + "x.tensor_split((-1,), 1)",
    "hsplit that does not divide": X + "x.hsplit(3)",
    "hsplit by nothing": X + "x.hsplit(0)",
    "hsplit of a number": "torch.tensor(1.0).hsplit(1)",
    "hsplit of a vector": "torch.arange(4.0).hsplit((1,))",
    "vsplit of a vector": "torch.arange(4.0).vsplit(2)",
    "vsplit that does not divide": X + "x.vsplit(2)",
    "dsplit of a matrix": X + "x.dsplit(2)",
    "dsplit": "torch.arange(8.0).reshape(1, 2, 4).dsplit(2)",
    "parts that do not add up": X + "x.split_with_sizes((1, 2), 1)",
    "negative part": X + "x.split_with_sizes((1, -1, 4), 1)",
    "negative part of split": X + "x.split((1, -1, 4), 1)",
    "ravel is a view": X + "y = x.ravel()\ny[0] = 5\nx[0, 0]",
    "ravel is a copy": X + "y = x.t().ravel()\ny[0] = 5\nx[0, 0]",
    "scatter by strides": X + "x.as_strided_scatter(torch.ones(2, 2), (2, 2), (1, 5))",
    "scatter on each other": X
    # at one place equal values only: a GPU writes in any order
    + "x.as_strided_scatter(torch.tensor([[7.0, 8.0], [8.0, 9.0]]), (2, 2), (1, 1))",
    "scatter of another size": X + "x.as_strided_scatter(torch.ones(4), (2, 2), (1, 5))",
    "scatter beside": X + "x[:, ::2].as_strided_scatter(torch.ones(4), (4,), (1,))",
    "scatter beside of another type": X
    + "x[:, ::2].as_strided_scatter(torch.ones(4, dtype=torch.int64), (4,), (1,))",
    "windows of a number of no length": "x = torch.tensor(1.0, requires_grad=True)\n"
    "torch.autograd.grad(x.unfold(0, 0, 1).sum(), x)",
    "scatter into a repetition": "x = torch.ones(1).expand(3)\n"
    "x.as_strided_scatter(torch.zeros(1), (1,), (1,))",
    "scatter into nothing": X + "x[:0].as_strided_scatter(torch.ones(2), (2,), (1,))",
    "slice of another size": X + "x.slice_scatter(torch.ones(2, 4))",
    "slice backwards": X + "x.slice_scatter(torch.ones(3, 2), 1, 0, 4, -1)",
    "slice of a number": "torch.tensor(1.0).slice_scatter(torch.tensor(1.0))",
    "slice of another type": X + "x.slice_scatter(torch.ones(2, 4, dtype=torch.int64), 0, 1)",
    "slice into integers": "torch.arange(6).slice_scatter(torch.tensor([1.5, 2.5]), 0, 0, 2)",
    "slice that would broadcast": X + "x.slice_scatter(torch.ones(3, 1), 1, 0, 2)",
    "select of another size": X + "x.select_scatter(torch.ones(3), 0, 1)",
    "select outside": X + "x.select_scatter(torch.ones(3), 1, 7)",
    "select of a number": "torch.tensor(1.0).select_scatter(torch.tensor(1.0), 0, 0)",
    "diagonal of another size": X + "x.diagonal_scatter(torch.ones(4))",
    "diagonal of one dimension": X + "x.diagonal_scatter(torch.ones(3), 0, 1, 1)",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SNIPPETS))
def test_a_snippet_gives_what_it_gives_with_pytorch(name: str, device: str) -> None:
    agree_on(SNIPPETS[name], device)


# --------------------------------------------------------------------------- gradients

PROGRAMS = Programs()
program = PROGRAMS.add


def strided(*layout: Any, of: Any = lambda x: x) -> Any:
    """Return a program with the first and second derivatives of a view by strides."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([[0.5, 0.25, 1.5], [0.125, 1.0, 2.0]])
        y = of(x * 1).as_strided(*layout)
        note(y, str(y.grad_fn.name()))
        (g,) = torch.autograd.grad((y * y * y).sum(), x, create_graph=True)
        note(g)
        note(torch.autograd.grad((g * g).sum(), x))

    return run


PROGRAMS["plain"] = strided((2, 2), (1, 3))
PROGRAMS["overlapping"] = strided((4, 2), (1, 1))
PROGRAMS["repeated"] = strided((3, 2), (0, 4), 1)
PROGRAMS["beside_the_input"] = strided((2, 2), (1, 2), 0, of=lambda x: x[:, 1:])
PROGRAMS["of_a_repetition"] = strided((2, 2), (1, 1), of=lambda x: x[:1].expand(4, 3))
PROGRAMS["of_windows"] = strided((2, 2), (2, 1), of=lambda x: x.unfold(1, 2, 1))


@program
def a_write_through_strides(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0, 3.0, 4.0])
    y = x * 1
    z = y.as_strided((2,), (2,), 1)
    z.mul_(3)
    note(y, z, y._version)
    note(torch.autograd.grad((y * y).sum() + z.sum(), x))


@program
def a_write_through_windows(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0, 3.0, 4.0])
    y = x * 1
    y.unfold(0, 2, 2).mul_(x.reshape(2, 2))
    note(y, torch.autograd.grad((y * y).sum(), x))


@program
def the_strides_of_the_tensor_itself(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0, 3.0, 4.0])
    y = x * 1
    z = y.as_strided_((2,), (2,), 1)
    note(z is y, y, list(y.stride()), y.storage_offset(), y._version)
    note(torch.autograd.grad((y * y).sum(), x))
    x.as_strided_((2,), (1,))


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_does_with_pytorch(name: str, device: str) -> None:
    agree(PROGRAMS[name], device)


def test_the_gradient_of_what_was_overwritten_is_zero(device: str) -> None:
    x = gpugrad.ones(4, device=device, requires_grad=True)
    y = gpugrad.zeros(2, device=device, requires_grad=True)
    weights = gpugrad.arange(1.0, 5, device=device)
    z = x.as_strided_scatter(y, (2,), (2,), 1)
    of_x, of_y = gpugrad.autograd.grad((z * weights).sum(), [x, y])
    assert of_x.tolist() == [1.0, 0.0, 3.0, 0.0]
    assert of_y.tolist() == [2.0, 4.0]


def test_in_vmap_the_strides_are_those_of_one_example(device: str) -> None:
    rows = gpugrad.arange(12.0, device=device).reshape(3, 4)
    found = gpugrad.vmap(lambda row: row.as_strided((2, 2), (1, 2)))(rows)
    assert found.tolist() == [row.as_strided((2, 2), (1, 2)).tolist() for row in rows]
    with pytest.raises(RuntimeError, match="can access memory outside of `tensor`"):
        gpugrad.vmap(lambda row: row.as_strided((2, 2), (1, 4)))(rows)


def test_views_share_the_memory_of_arrays_that_are_no_tensors() -> None:
    array = np.arange(12.0).reshape(3, 4)
    x = gpugrad.from_numpy(array.T)
    x.as_strided((3,), (5,))[1] = -1
    assert array[1, 1] == -1
    x.unfold(0, 2, 1)[0, 0, 1] = -2
    assert array[0, 1] == -2


# Views of a matrix y of 2 x 3, and the places in its memory of what they show.
LAYOUTS: dict[str, tuple[Any, Any]] = {
    "windows": (lambda y: y.unfold(1, 2, 1), [[[0, 1], [1, 2]], [[3, 4], [4, 5]]]),
    "windows of a transposed view": (
        lambda y: y.t().unfold(0, 2, 1), [[[0, 1], [3, 4]], [[1, 2], [4, 5]]]
    ),
    "windows of windows": (
        lambda y: y.view(-1).unfold(0, 4, 1).unfold(1, 3, 1),
        [[[0, 1, 2], [1, 2, 3]], [[1, 2, 3], [2, 3, 4]], [[2, 3, 4], [3, 4, 5]]],
    ),
    "strides": (lambda y: y.as_strided((3, 2), (1, 2), 1), [[1, 3], [2, 4], [3, 5]]),
    "a repetition": (lambda y: y.as_strided((3, 2), (0, 4), 1), [[1, 5]] * 3),
    "windows of a repetition": (
        lambda y: y[:1].expand(2, 3).unfold(1, 2, 1), [[[0, 1], [1, 2]]] * 2
    ),
    "beside the view": (lambda y: y[:, 1:].as_strided((2, 2), (1, 2), 0), [[0, 2], [1, 3]]),
    "a view of what is beside": (lambda y: y[:, 0].as_strided((2, 2), (1, 1), 1)[1:], [[2, 3]]),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_view_shows_of_a_written_base_has_the_gradient_of_its_places(
    name: str, device: str
) -> None:
    view, places = LAYOUTS[name]
    where = gpugrad.tensor(places, device=device)

    def written(x: Any) -> Any:
        y = x * 1
        v = view(y)
        y.mul_(x)
        return (v**3).sum()

    def named(x: Any) -> Any:
        return ((x * x).reshape(-1)[where] ** 3).sum()

    x = gpugrad.tensor([[0.5, 0.25, 1.5], [0.125, 1.0, 2.0]], dtype=gpugrad.float64, device=device)
    func = gpugrad.func
    derivatives: list[Any] = [func.grad, lambda f: lambda x: func.jvp(f, (x,), (x + 1,))[1]]
    if "beside" not in name:  # which vmap refuses, as in PyTorch
        many = gpugrad.stack([x, x + 1])
        derivatives.append(lambda f: lambda _: func.vmap(func.grad(f))(many))
        derivatives += [func.hessian, lambda f: func.jacrev(func.grad(f))]
    for derivative in derivatives:
        assert gpugrad.allclose(derivative(written)(x), derivative(named)(x))


def _without_recording(y: Any) -> None:
    with gpugrad.no_grad():
        y.mul_(2)


# Writes that no history tells of: y is twice what it was.
UNRECORDED: dict[str, Any] = {
    "detach": lambda y: y.detach().mul_(2),
    "no_grad": _without_recording,
    "data": lambda y: y.data.mul_(2),
    "out": lambda y: gpugrad.mul(y.detach(), 2, out=y.detach()),
    "a part": lambda y: [row.mul_(2) for row in y.detach()],
}


@pytest.mark.parametrize("write", UNRECORDED)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_write_that_is_not_recorded_leaves_a_view_the_gradient_of_its_places(
    name: str, write: str, device: str
) -> None:
    """Also of those beside the view that it was taken of, which had none before the write."""
    view, places = LAYOUTS[name]
    x = gpugrad.tensor([[0.5, 0.25, 1.5], [0.125, 1.0, 2.0]], dtype=gpugrad.float64, device=device)
    x.requires_grad_()
    y = x * 1
    v = view(y)
    UNRECORDED[write](y)
    w = v.view_as(v)
    expected = y.reshape(-1)[gpugrad.tensor(places, device=device)]

    (named,) = gpugrad.autograd.grad((expected**3).sum(), x, retain_graph=True)
    for found in (v, w):
        (g,) = gpugrad.autograd.grad((found**3).sum(), x, retain_graph=True)
        assert g.tolist() == named.tolist()


BESIDE = "x = torch.arange(1.0, 7.0, requires_grad=True); y = x * 1\n"
BY_VERSION = {
    "unwritten": "v = y[1:].as_strided((4,), (1,), 0)[:3]",
    "written beside": "v = y[1:].as_strided((4,), (1,), 0)[:3]; y.detach()[5:].mul_(2)",
    "itself written": "v = y[1:].as_strided((4,), (1,), 0); v.detach().mul_(2)",
    "its own shape": "v = y[1:]; v.as_strided_((4,), (1,), 0)",
    "its own shape, written": "v = y[1:]; v.as_strided_((4,), (1,), 0); y.detach().mul_(2)",
    "of a leaf": "v = x[1:].as_strided((4,), (1,), 0)\nwith torch.no_grad(): x.mul_(2)",
    "a history of its own": "y = y.detach(); v = y[1:].as_strided((4,), (1,), 0); y.mul_(x)",
    "memory of NumPy's": "v = y[1:].as_strided((4,), (1,), 0); y.detach().numpy()[:] = 2",
}


@pytest.mark.parametrize("name", BY_VERSION)
def test_the_history_of_a_view_that_reaches_beyond_another_goes_by_writes(
    name: str, device: str
) -> None:
    if "NumPy" not in name or device == "cpu":
        ending = "\n(v.grad_fn.name(), torch.autograd.grad((v**3).sum(), x))"
        agree_on(BESIDE + BY_VERSION[name] + ending, device)


def test_one_of_several_views_that_reach_beyond_another_is_refused_after_a_write(
    device: str,
) -> None:
    program = "v, _ = y[1:].as_strided((2,), (1,), 0)\ny.detach().mul_(2)\nv * 2"
    assert "multiple views" in agree_on(BESIDE + program, device)[1]


def test_a_view_without_history_that_reaches_beyond_another_gets_none_by_a_write(
    device: str,
) -> None:
    program = (
        "y = torch.ones(4); v = y[1:].as_strided((4,), (1,), 0); y.mul_(2)\n(v * 2, v.grad_fn)"
    )
    agree_on(program, device)


@pytest.mark.parametrize("name", [name for name in LAYOUTS if "a repetition" not in name])
def test_what_is_written_into_a_part_of_a_view_is_written_into_its_base(
    name: str, device: str
) -> None:
    view, places = LAYOUTS[name]
    x = gpugrad.tensor([[0.5, 0.25, 1.5], [0.125, 1.0, 2.0]], dtype=gpugrad.float64, device=device)
    x.requires_grad_()
    y = x * 1
    v = view(y)
    v[0, 0].mul_(x[0, 0])
    flat = x.reshape(-1)
    other = gpugrad.tensor([k in np.ravel(places[0][0]) for k in range(6)], device=device)
    flat = gpugrad.where(other, flat * x[0, 0], flat)
    named = flat[gpugrad.tensor(places, device=device)]

    assert v.tolist() == named.tolist()
    for found, expected in (v, named), (y, flat):
        first, second = [
            gpugrad.autograd.grad((t**3).sum(), x, retain_graph=True) for t in (found, expected)
        ]
        assert first[0].tolist() == second[0].tolist()


ON_EACH_OTHER = (
    "y.unfold(0, 2, 1).mul_(2)",
    "y.unfold(0, 2, 1).copy_(x[:2])",
    "y.as_strided((2, 2), (1, 1)).fill_(x[0])",
    "y.unfold(0, 2, 1)[:] = x[:2]",
    "y.detach().unfold(0, 2, 1).add_(x[0])",
    "y.detach().unfold(0, 2, 1).detach()[0].mul_(x[0])",
    "torch.func.jvp(lambda t: torch.zeros(3).unfold(0, 2, 1).copy_(t), (x[:2],), (x[:2],))",
    "torch.vmap(torch.func.grad(lambda t: (t * 1).unfold(0, 2, 1).mul_(2).sum()))(x.view(1, 3))",
)


@pytest.mark.parametrize("write", ON_EACH_OTHER)
def test_what_has_a_gradient_is_not_written_into_elements_on_each_other(
    write: str, device: str
) -> None:
    """One value remains, and the gradient would be that of all.  PyTorch does not look."""
    program = f"x = torch.ones(3, requires_grad=True); y = x * 1\n{write}"
    with pytest.raises(RuntimeError, match="to a single memory location"):
        run(program, gpugrad, device)


@pytest.mark.parametrize("write", ["fill_(3)", "zero_()", "__setitem__(slice(None), 3.0)"])
def test_one_number_may_be_written_into_elements_on_each_other(write: str, device: str) -> None:
    program = (
        f"y = x * 1; y.as_strided((2, 2), (1, 1)).{write}\ntorch.autograd.grad((y * y).sum(), x)"
    )
    agree_on(f"x = torch.ones(3, requires_grad=True)\n{program}", device)


def test_whether_a_reshape_is_a_view_is_what_numpy_finds() -> None:
    x = np.zeros((4, 1, 6, 2))
    layouts = [
        x, x.transpose(2, 1, 0, 3), x.transpose(0, 3, 1, 2), x[::2], x[:, :, ::2], x[..., ::-1],
        np.broadcast_to(x[:1], x.shape), x[:, :, :1],
    ]  # fmt: skip
    for array in layouts:
        for shape in itertools.product((1, 2, 3, 4, 6, 8, 12, 24, 48), repeat=2):
            if math.prod(shape) == array.size:
                known = np.shares_memory(array.reshape(shape), array)
                assert viewable(gpugrad.as_tensor(array), shape) == known, (array.strides, shape)
