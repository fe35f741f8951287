"""Indices out of bounds: errors on the CPU, and on a GPU by the next time that it is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gpugrad
from gpugrad.testing import count_kernels


def at(x: Any, *indices: int) -> Any:
    return gpugrad.tensor(indices, device=x.device)


def ones(x: Any, *shape: int) -> Any:
    return gpugrad.ones(shape, device=x.device)


def written(x: Any, index: Any) -> Any:
    y = x * 1
    y[index] = 1.0
    return y


# Programs over the numbers 0 to 4, with an index that is out of bounds where ``k`` is 5 or -6.
PROGRAMS: dict[str, Callable[[Any, int], Any]] = {
    "read": lambda x, k: x[at(x, 0, k)],
    "read by a list": lambda x, k: x[[k, 1]],
    "read by short integers": lambda x, k: x[at(x, k).to(gpugrad.int8)],
    "read by two": lambda x, k: x.expand(2, 5)[at(x, 0, 1), at(x, k, 0)],
    "read behind a number": lambda x, k: x.expand(2, 5)[1, at(x, k, 0)],
    "read by every other": lambda x, k: x[at(x, k, 9, k, 9)[::2]],
    "write": lambda x, k: written(x, at(x, k)),
    "index_put": lambda x, k: x.index_put((at(x, k),), ones(x, 1)),
    "index_put accumulate": lambda x, k: x.index_put((at(x, k),), ones(x, 1), accumulate=True),
    "index_fill": lambda x, k: x.index_fill(0, at(x, k), 2.0),
    "vmap": lambda x, k: gpugrad.func.vmap(lambda row, i: row[i])(x.expand(2, 5), at(x, k, 0)),
}
FROM_FRONT: dict[str, Callable[[Any, int], Any]] = {  # which count from the front only
    "gather": lambda x, k: x.gather(0, at(x, k)),
    "scatter": lambda x, k: x.scatter(0, at(x, k), 2.0),
    "scatter_add": lambda x, k: x.scatter_add(0, at(x, k), ones(x, 1)),
    "index_add": lambda x, k: x.index_add(0, at(x, k), ones(x, 1)),
    "index_select": lambda x, k: x.index_select(0, at(x, k)),
    "index_copy": lambda x, k: x.index_copy(0, at(x, k), ones(x, 1)),
}


def numbers(device: str) -> Any:
    return gpugrad.arange(5.0, device=device, requires_grad=True)


@pytest.mark.parametrize("k", [5, -6])
@pytest.mark.parametrize("name", [*PROGRAMS, *FROM_FRONT])
def test_an_index_out_of_bounds_is_an_error(name: str, k: int, device: str) -> None:
    program = (PROGRAMS | FROM_FRONT)[name]
    axis = 1 if name == "read by two" else 0
    words = rf"index {k} is out of bounds for dimension {axis} with size 5"
    if name in ("index_add", "index_select"):
        words = "index out of range in self"

    def run() -> None:
        program(numbers(device), k).sum().backward()
        gpugrad.cuda.synchronize()

    with pytest.raises((IndexError, RuntimeError), match=words) as found:
        run()
    with pytest.raises((IndexError, RuntimeError), match=words) as on_cpu:
        program(numbers("cpu"), k)
    assert found.type is on_cpu.type
    program(numbers(device), 4).sum().item()  # and it is said once
    if name in PROGRAMS:
        program(numbers(device), -5).sum().item()


# What brings numbers to the host, or waits for the device.
READS: dict[str, Callable[[Any], Any]] = {
    "item": lambda y: y.sum().item(),
    "tolist": lambda y: y.tolist(),
    "float": lambda y: float(y[0]),
    "bool": lambda y: bool(y.sum() > 0),
    "cpu": lambda y: y.cpu(),
    "print": repr,
    "another index": lambda y: y[at(y, 0)],
    "synchronize": lambda y: gpugrad.cuda.synchronize(),
}


@pytest.mark.cuda
@pytest.mark.parametrize("name", READS)
def test_whatever_waits_for_the_device_says_what_it_found(name: str) -> None:
    y = numbers("cuda").detach()[gpugrad.tensor([7], device="cuda")]
    if name == "another index":  # only what is known already
        gpugrad.backend.cuda.xp.cuda.runtime.deviceSynchronize()
    with pytest.raises(IndexError, match="index 7 is out of bounds for dimension 0") as found:
        READS[name](y)
    assert "in a call before this one" in found.value.__notes__[0]
    gpugrad.cuda.synchronize()


@pytest.mark.cuda
def test_to_look_at_an_index_is_one_kernel_and_none_in_backward() -> None:
    x = numbers("cuda")
    index = gpugrad.tensor([1, 3], device="cuda")
    with count_kernels() as launched:
        y = x[index]
    assert launched.total == 2
    with count_kernels() as launched:
        y.sum().backward()
    # the sum, and its gradient is added at the index: positions, their order, the rows
    assert launched.total == 4


@pytest.mark.cuda
def test_an_index_into_nothing_is_an_error_once() -> None:
    index = gpugrad.tensor([0], device="cuda")
    with pytest.raises(IndexError, match="index 0 is out of bounds for dimension 0 with size 0"):
        gpugrad.zeros(0, device="cuda")[index]
    gpugrad.cuda.synchronize()
    assert gpugrad.ones(3, device="cuda")[index].tolist() == [1]
