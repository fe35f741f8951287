"""A stand-in for cuDNN's front end: graphs of one convolution, to which a bias may be added.

It has the names of the package ``cudnn`` that gpugrad uses, in the order in which they must be
called, and computes with NumPy at the addresses that it is given.  Whatever cuDNN refuses, or a
test asks it to, raises :class:`NotSupportedError`.
"""

from __future__ import annotations

import ctypes
import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np

_STEPS = ["validate", "build_operation_graph", "create_execution_plans", "check_support",
          "build_plans"]  # fmt: skip
_BYTES = 64  # of the memory that a plan says it works in


class NotSupportedError(RuntimeError):
    """There is no engine for a graph."""


class Tensor:
    """A tensor of a graph."""

    def __init__(self, **facts: Any):
        self.facts = facts

    def _set(self, name: str, value: Any) -> Tensor:
        self.facts[name] = value
        return self

    def set_output(self, value: bool) -> Tensor:
        return self._set("output", value)

    def set_dim(self, value: list[int]) -> Tensor:
        return self._set("dim", value)

    def set_stride(self, value: list[int]) -> Tensor:
        return self._set("stride", value)

    def set_data_type(self, value: Any) -> Tensor:
        return self._set("data_type", value)

    def set_uid(self, value: int) -> Tensor:
        return self._set("uid", value)

    def at(self, address: int) -> Any:
        """Return the elements, which begin there."""
        dim, kind = self.facts["dim"], np.dtype(self.facts["data_type"])
        assert self.facts["stride"] == [math.prod(dim[k + 1 :]) for k in range(len(dim))]
        memory = (ctypes.c_char * (math.prod(dim) * kind.itemsize)).from_address(address)
        return np.frombuffer(memory, kind).reshape(dim)


class Graph:
    """A graph of one convolution, to which a bias may be added."""

    def __init__(self, front: FrontEnd, handle: Any, **types: Any):
        self.front, self.handle, self.types = front, handle, types
        self.done: list[str] = []
        self.added: Tensor | None = None

    def tensor(self, **facts: Any) -> Tensor:
        return Tensor(**facts)

    def _node(self, kind: str, first: Tensor, second: Tensor, numbers: Any) -> Tensor:
        self.kind, self.tensors, self.numbers = kind, [first, second, Tensor()], numbers
        sizes = len(first.facts["dim"]) - 2
        assert sizes in (2, 3)
        for name in ("pre_padding", "post_padding", "stride", "dilation"):
            assert len(numbers[name]) == sizes
            assert min(numbers[name]) >= ("padding" not in name)
        return self.tensors[2]

    def conv_fprop(self, *, image: Tensor, weight: Tensor, **numbers: Any) -> Tensor:
        return self._node("fprop", image, weight, numbers)

    def conv_dgrad(self, *, loss: Tensor, filter: Tensor, **numbers: Any) -> Tensor:
        return self._node("dgrad", loss, filter, numbers)

    def conv_wgrad(self, *, image: Tensor, loss: Tensor, **numbers: Any) -> Tensor:
        return self._node("wgrad", image, loss, numbers)

    def bias(self, *, input: Tensor, bias: Tensor, compute_data_type: str) -> Tensor:
        assert input is self.tensors[2]
        assert input.facts["data_type"] == compute_data_type  # not rounded between
        self.added, self.tensors[2] = bias, Tensor()
        return self.tensors[2]

    def _step(self, name: str) -> None:
        assert name == _STEPS[len(self.done)]
        self.done.append(name)

    def validate(self) -> None:
        self._step("validate")
        assert self.tensors[2].facts["output"] is True
        assert [t.facts["uid"] for t in self.tensors] == [1, 2, 3]

    def build_operation_graph(self) -> None:
        self._step("build_operation_graph")

    def create_execution_plans(self, modes: list[str]) -> None:
        self._step("create_execution_plans")
        assert modes

    def deselect_numeric_notes(self, notes: list[str]) -> None:
        assert self.done[-1] == "create_execution_plans"
        self.refused = set(notes)

    def check_support(self) -> None:
        self._step("check_support")
        if not self.front.supports(self):
            raise NotSupportedError("No valid engine configs")

    def build_plans(self, policy: str) -> None:
        self._step("build_plans")
        self.front.planned.append(self)

    def get_workspace_size(self) -> int:
        return _BYTES

    def execute(self, operands: dict[int, int], workspace: Any, handle: Any) -> None:
        import cupy

        assert self.done == _STEPS
        assert workspace.nbytes >= _BYTES
        assert handle.stream == cupy.cuda.get_current_stream().ptr
        arrays = [t.at(operands[t.facts["uid"]]) for t in self.tensors]
        images, filters, results = {
            "fprop": (0, 1, 2), "dgrad": (2, 1, 0), "wgrad": (0, 2, 1),
        }[self.kind]  # fmt: skip
        wide = [a.astype(self.numbers["compute_data_type"]) for a in arrays]
        wide[2][...] = 0
        self._add(wide[images], wide[filters], wide[results])
        if self.added is not None:
            wide[2] += self.added.at(operands[4]).astype(wide[2].dtype)
        arrays[2][...] = wide[2].astype(arrays[2].dtype)
        self.front.executed += 1

    def _add(self, images: Any, filters: Any, results: Any) -> None:
        """Add the products to the operand that is looked for."""
        n = self.numbers
        around = [(0, 0)] * 2 + list(zip(n["pre_padding"], n["post_padding"], strict=True))
        framed, counts = np.pad(images, around), results.shape[2:]
        groups = images.shape[1] // filters.shape[1]
        each, channels = filters.shape[0] // groups, filters.shape[1]
        for g in range(groups):
            y = results[:, g * each : (g + 1) * each]
            for place in itertools.product(*map(range, filters.shape[2:])):
                w = filters[(slice(g * each, (g + 1) * each), slice(None), *place)]
                parts = [
                    slice(k * d, k * d + s * (m - 1) + 1, s)
                    for k, d, s, m in zip(place, n["dilation"], n["stride"], counts, strict=True)
                ]
                x = framed[(slice(None), slice(g * channels, (g + 1) * channels), *parts)]
                if self.kind == "fprop":
                    y += np.einsum("nc...,fc->nf...", x, w)
                elif self.kind == "dgrad":
                    x += np.einsum("nf...,fc->nc...", y, w)
                else:
                    axes = (0, *range(2, y.ndim))
                    w += np.tensordot(y, x, (axes, axes))
        if self.kind == "dgrad":
            inner = [slice(a, a + k) for (a, _), k in zip(around, images.shape, strict=True)]
            images[...] = framed[tuple(inner)]


class FrontEnd:
    """What the package ``cudnn`` is to gpugrad."""

    __version__ = "stand-in"
    cudnnGraphNotSupportedError = NotSupportedError  # noqa: N815  its name there
    data_type = SimpleNamespace(
        HALF="float16", BFLOAT16="bfloat16", FLOAT="float32", DOUBLE="float64"
    )
    heur_mode = SimpleNamespace(A="A", FALLBACK="FALLBACK")
    build_plan_policy = SimpleNamespace(HEURISTICS_CHOICE="HEURISTICS_CHOICE")
    numerical_note = SimpleNamespace(
        NONDETERMINISTIC="NONDETERMINISTIC",
        TENSOR_CORE="TENSOR_CORE",
        DOWN_CONVERT_INPUTS="DOWN_CONVERT_INPUTS",
    )

    def __init__(self) -> None:
        self.planned: list[Graph] = []
        self.executed = 0

    def supports(self, graph: Graph) -> bool:
        """Tell whether there is an engine; tests replace it."""
        return True

    def backend_version(self) -> int:
        return 92400

    def create_handle(self) -> Any:
        return SimpleNamespace(stream=None)

    def set_stream(self, handle: Any, stream: int) -> None:
        handle.stream = stream

    def pygraph(self, *, name: str, handle: Any, **types: Any) -> Graph:
        return Graph(self, handle, **types)
