"""All options of ``backward`` and ``grad`` together, as PyTorch takes them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from comparison import agree

BOOLS = (False, True)


class Graph:
    """Leaves, what was computed from them, and roots of every kind."""

    def __init__(self, torch: Any, leaf: Any):
        self.torch = torch
        self.x = leaf([1.0, 2.0])
        self.w = leaf([[0.5], [0.25]])
        self.c = leaf([1.0 + 2.0j, 3.0 - 1.0j], "complex128")
        self.unused = leaf([7.0])
        self.middle = self.x * self.w  # 2 x 2
        self.parts = (self.middle.exp() + self.x).unbind()
        self.scalar = (self.parts[0] * self.parts[1]).sum() + (self.middle * self.w).mean()
        self.vector = self.parts[0] * self.x + self.w.sum()
        self.complex = self.c * self.c * self.x
        self.magnitude = (self.c * self.c.conj()).real.sum() * self.x[1]
        self.device = self.x.device

    def weight(self, values: Any, dtype: str = "float64", requires_grad: bool = False) -> Any:
        return self.torch.tensor(
            values, dtype=getattr(self.torch, dtype), device=self.device,
            requires_grad=requires_grad,
        )  # fmt: skip

    def edge(self, tensor: Any) -> Any:
        return self.torch.autograd.graph.get_gradient_edge(tensor)


Roots = Callable[[Graph], tuple[list[Any], Any]]

ROOTS: dict[str, Roots] = {
    "scalar": lambda g: ([g.scalar], None),
    "two scalars": lambda g: ([g.scalar, g.magnitude], None),
    "none and given": lambda g: ([g.scalar, g.vector], [None, g.weight([1.0, -2.0])]),
    "one twice": lambda g: ([g.scalar, g.scalar], [None, g.weight(3.0)]),
    "a root below another": lambda g: ([g.scalar, g.middle], [None, g.weight([[1.0, 2], [3, 4]])]),
    "complex": lambda g: ([g.complex], [g.weight([1.0 + 1.0j, 2.0 - 3.0j], "complex128")]),
    "complex and real": lambda g: (
        [g.complex, g.scalar], [g.weight([1.0j, 0.5], "complex128"), None],
    ),
    "a recorded weight": lambda g: ([g.vector], [g.weight([1.0, 2.0], requires_grad=True) * 2]),
    "edge": lambda g: ([g.edge(g.vector)], [g.weight([1.0, 2.0])]),
    "edge of a scalar": lambda g: ([g.edge(g.scalar)], None),
    "edge of a leaf": lambda g: ([g.edge(g.x), g.scalar], [g.weight([5.0, 6.0]), None]),
    "leaf": lambda g: ([g.x, g.scalar], [g.weight([5.0, 6.0]), None]),
    "one output of several": lambda g: ([g.parts[1]], [g.weight([5.0, 6.0])]),
    "vector without weight": lambda g: ([g.vector], None),
    "complex without weight": lambda g: ([g.complex.sum()], None),
    "too few weights": lambda g: ([g.scalar, g.vector], [None]),
    "a weight of another shape": lambda g: ([g.vector], [g.weight([1.0])]),
    "a real weight of a complex root": lambda g: ([g.complex], [g.weight([1.0, 2.0])]),
    "no root that requires grad": lambda g: ([g.vector.detach()], [g.weight([1.0, 2.0])]),
}  # fmt: skip

INPUTS: dict[str, Callable[[Graph], Any]] = {
    "leaf": lambda g: g.x,
    "leaves": lambda g: [g.w, g.x],
    "computed": lambda g: [g.middle],
    "computed and leaf": lambda g: [g.middle, g.x],
    "outputs of one node": lambda g: [g.parts[1], g.parts[0]],
    "the root itself": lambda g: [g.scalar, g.x],
    "edges": lambda g: [g.edge(g.middle), g.edge(g.w)],
    "edge and tensor": lambda g: (g.edge(g.parts[0]), g.x),
    "one twice": lambda g: [g.x, g.x],
    "complex": lambda g: [g.c, g.x],
    "unused": lambda g: [g.unused, g.x],
    "only unused": lambda g: [g.unused],
    "nothing": lambda g: [],
    "requires no grad": lambda g: [g.vector.detach()],
}


def attempt(note: Any, call: Callable[[], Any]) -> Any:
    """Note what a call returns, or its error: options go on to be compared after it."""
    try:
        found = call()
    except Exception as error:
        note(type(error).__name__, str(error).replace("torch.", "gpugrad."))
        return None
    note(found)
    return found


def second(g: Graph, note: Any, found: Any) -> None:
    """Differentiate what was found once more, where it can be."""
    again = [t for t in found or () if t is not None and t.requires_grad]
    note(len(again))
    if again:
        total = sum((t.abs() ** 2).sum() for t in again)
        attempt(note, lambda: g.torch.autograd.grad(total, [g.x, g.w], allow_unused=True))


def every(inputs: Sequence[str | None]) -> pytest.MarkDecorator:
    """Parametrise a test: all roots and inputs on the CPU, and on CUDA the telling roots."""
    telling = "none and given", "complex and real"
    cases = [pytest.param(r, i, "cpu", id=f"{r}-{i}-cpu") for r in ROOTS for i in inputs]
    cases += [
        pytest.param(r, i, "cuda", id=f"{r}-{i}-cuda", marks=pytest.mark.cuda)
        for r in telling
        for i in inputs
    ]
    return pytest.mark.parametrize(("roots", "inputs", "device"), cases)


@every(list(INPUTS))
def test_grad_with_all_options(roots: str, inputs: str, device: str) -> None:
    def program(torch: Any, leaf: Any, note: Any) -> None:
        for retain, create, unused, zeros in itertools.product(
            (None, *BOOLS), BOOLS, (None, *BOOLS), BOOLS
        ):
            g = Graph(torch, leaf)
            outputs, weights = ROOTS[roots](g)
            wanted = INPUTS[inputs](g)

            def call(
                g: Any = g, outputs: Any = outputs, weights: Any = weights, wanted: Any = wanted,
                retain: Any = retain, create: Any = create, unused: Any = unused,
                zeros: Any = zeros,
            ) -> Any:  # fmt: skip
                return g.torch.autograd.grad(
                    outputs, wanted, weights, retain_graph=retain, create_graph=create,
                    allow_unused=unused, materialize_grads=zeros,
                )  # fmt: skip

            second(g, note, attempt(note, call))
            attempt(note, call)  # again: freed or not
            note(g.x.grad, g.w.grad, g.c.grad)

    agree(program, device)


@every([None, *INPUTS])
def test_backward_with_all_options(roots: str, inputs: str | None, device: str) -> None:
    def program(torch: Any, leaf: Any, note: Any) -> None:
        for retain, create in itertools.product((None, *BOOLS), BOOLS):
            g = Graph(torch, leaf)
            g.middle.retain_grad()
            outputs, weights = ROOTS[roots](g)
            wanted = None if inputs is None else INPUTS[inputs](g)
            leaves = [g.x, g.w, g.c, g.unused]

            def call(
                outputs: Any = outputs, weights: Any = weights, wanted: Any = wanted,
                retain: Any = retain, create: Any = create,
            ) -> Any:  # fmt: skip
                return torch.autograd.backward(outputs, weights, retain, create, inputs=wanted)

            attempt(note, call)
            note([t.grad for t in leaves], g.middle.grad)
            second(g, note, [t.grad for t in leaves])
            attempt(note, call)
            note([t.grad for t in leaves], g.middle.grad)
            for t in leaves:
                t.grad = None

    agree(program, device)
