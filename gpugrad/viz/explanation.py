"""A backward told step by step: which call, its rule, what arrives, and what it passes on."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.backend.batched import all_of
from gpugrad.graph import (
    Node,
    Output,
    TensorBase,
    below,
    edge_of,
    leads_nowhere,
    place_of,
    recording,
)
from gpugrad.op.attribute import edges_of
from gpugrad.op.history import Placed
from gpugrad.op.node import ShownNode
from gpugrad.op.saved import wrap
from gpugrad.viz.drawing import Drawing, thumbnail
from gpugrad.viz.recorded import called, collected, described, inputs_of, names_of_leaves

FEW = 12  # numbers that are written out


@dataclass
class Arrival:
    """The gradients that came to one place, and from which step each."""

    terms: list[tuple[int, Any]] = field(default_factory=list)

    @property
    def total(self) -> Any:
        """Their sum."""
        total = self.terms[0][1]
        for _, term in self.terms[1:]:
            total = total + term
        return total

    def text(self) -> str:
        """Return the sum, with its terms where there are several."""
        if len(self.terms) == 1:
            return written(self.terms[0][1]._array)
        terms = " + ".join(written(t._array) for _, t in self.terms)
        steps = ", ".join(str(step) for step, _ in self.terms)
        return f"{terms} = {written(self.total._array)}  (from steps {steps})"


@dataclass(frozen=True)
class Step:
    """One recorded call that the backward passes.

    Attributes:
        number: From 1, in the order of the walk.
        node: The name of the node, as in ``MulBackward0``.
        operation: The name of the operation, as in ``mul``.
        value: The formula that the call computed; ``""`` where it is none.
        rules: For each input with a gradient, the text of its rule.
        arrivals: What came to each output, as text.
        incoming: The gradients that came to the outputs, tensors, ``None`` where none came.
        results: For each input that received one: its name, where it leads, the gradient, a tensor.
    """

    number: int
    node: str
    operation: str
    value: str
    rules: tuple[str, ...]
    arrivals: tuple[str, ...]
    incoming: tuple[Any, ...]
    results: tuple[tuple[str, str, Any], ...]

    def text(self) -> str:
        """Return the step as some lines of text."""
        lines = [f"{self.number}. {self.operation}  ({self.node})"]
        lines += [f"   computed  {self.value}"] if self.value else []
        several = len(self.arrivals) > 1
        for k, text in enumerate(self.arrivals):
            lines.append(f"   arrives   {f'output {k}: ' if several else ''}{text}")
        for rule in self.rules:
            lines.append("   rule      " + rule.replace("\n", "\n" + " " * 13))
        for name, where, grad in self.results:
            to = f"{name} -> {where}" if name else where
            lines.append(f"   sends     {to}: {written(grad._array)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class End:
    """What arrives at a leaf: its name, what it has, what is added, as text, and the tensor."""

    name: str
    before: Any
    added: Any
    text: str


class Explanation:
    """What :func:`explain` found: it prints as text, and notebooks show it with pictures.

    Attributes:
        steps: The calls, in the order of the walk.
        ends: The leaves.
        drawing: The graph, in which each box has the gradient that arrived there.
    """

    def __init__(self, head: str, steps: list[Step], ends: list[End], drawing: Drawing):
        self.head = head
        self.steps = steps
        self.ends = ends
        self.drawing = drawing

    def __str__(self) -> str:
        return "\n\n".join([self.head, *[s.text() for s in self.steps],
                            "\n".join(e.text for e in self.ends)]).rstrip()  # fmt: skip

    __repr__ = __str__

    def _repr_html_(self) -> str:
        blocks = [_html(s.text(), [t for t in s.incoming if t is not None],
                        [t for _, _, t in s.results]) for s in self.steps]  # fmt: skip
        blocks += [_html(e.text, [], [e.added]) for e in self.ends]
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:18px;align-items:flex-start">'
            f'<div style="flex:none">{self.drawing.svg()}</div><div style="flex:1;min-width:320px">'
            f"<p>{escape(self.head)}</p>{''.join(blocks)}</div></div>"
        )

    def save(self, path: Any) -> None:
        """Write the drawing to a file; see :meth:`gpugrad.viz.Drawing.save`."""
        self.drawing.save(path)


def explain(
    output: Any,
    gradient: Any = None,
    *,
    params: Mapping[str, Any] | None = None,
    backward: bool = False,
) -> Explanation:
    """Return what ``output.backward(gradient)`` does, step by step.

    Each step is a recorded call: the formula that it computed and the rule of its gradient, as
    the operation declares them, the gradient that arrives, what it sends on to each input, and at
    the end what is added to the ``.grad`` of leaves.  The numbers are computed here, by the same
    rules.  No ``.grad`` is changed and nothing is freed.  Hooks are not called; the ``backward`` of
    a ``Function`` of your own is.

    Args:
        output: A tensor that requires grad.
        gradient: One of its shape, 1 for a single number by default.
        params: Names of leaves, ``{"weight": w}``.
        backward: Call ``output.backward(gradient)`` afterwards.

    Raises:
        TypeError: The output is no tensor.
        RuntimeError: It requires no gradient, is no single number and ``gradient`` is not given,
            ``gradient`` has another shape, or what was saved is freed.
    """
    if not isinstance(output, TensorBase):
        raise TypeError(f"explain(): expected a tensor, got {type(output).__name__}")
    edge = edge_of(output)
    if edge is None or leads_nowhere(edge):
        raise RuntimeError("explain(): the tensor does not require grad and has no grad_fn")
    given = gradient
    if gradient is None:
        if output._array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        array = output._array
        door = backend.of(array)
        gradient = wrap(door.full(array.shape, 1, array.dtype, door.device_of(array)))
    elif gradient._array.shape != output._array.shape:
        raise RuntimeError(
            f"explain(): the gradient has shape {tuple(gradient._array.shape)}, and the output "
            f"{tuple(output._array.shape)}"
        )
    names = names_of_leaves(params)
    recorded = collected({"result": output}, params)
    steps, leaves, arrived = _walked(edge, gradient, names)
    for node, step in steps:
        box = recorded.boxes[recorded.number[id(node)]]
        box.tags.append(f"step {step.number}")
        (grad,) = step.incoming if len(step.incoming) == 1 else (None,)
        if grad is not None:
            box.grad = all_of(grad._array)
            box.lines = [line for line in box.lines if not line.startswith(("grad ", "at "))]
            box.lines.append(f"arrives {described(grad._array)}")
    ends = []
    for leaf in leaves:
        arrival = arrived[place_of(leaf)]
        box = recorded.boxes[recorded.number[id(leaf)]]
        box.grad = all_of(arrival.total._array)
        box.lines.append(f"arrives {described(box.grad)}")
        ends.append(_end(leaf, names.get(id(leaf), "a leaf"), arrival))
    shape = ", ".join(map(str, output._array.shape))
    head = (
        f"The backward from {output._array.dtype.name}[{shape}] passes {len(steps)} recorded "
        f"call{'s' * (len(steps) != 1)}, the latest first, and ends in {len(ends)} "
        f"lea{'f' if len(ends) == 1 else 'ves'}."
    )
    if backward:
        tensor: Any = output
        tensor.backward(given)
    return Explanation(head, [s for _, s in steps], ends, Drawing(recorded))


def _walked(
    start: Any, gradient: Any, names: Mapping[int, str]
) -> tuple[list[tuple[Node, Step]], list[TensorBase], dict[tuple[int, int], Arrival]]:
    """Return the steps with their nodes, the leaves, and what arrived at each place."""
    arrived: dict[tuple[int, int], Arrival] = {
        place_of(start): Arrival([(0, wrap(gradient._array))])
    }
    leaves: dict[int, TensorBase] = {id(start): start} if isinstance(start, TensorBase) else {}
    steps: list[tuple[Node, Step]] = []
    with recording(False):
        for _, node in sorted(below([start]).items(), reverse=True):
            places = [(id(node), k) for k in range(node.outputs)]
            arrivals = [arrived.get(p) for p in places]
            if leads_nowhere(node) or not any(arrivals):
                continue
            number = len(steps) + 1
            incoming = tuple([None if a is None else a.total for a in arrivals])
            found = ShownNode.__call__(node, *incoming)  # type: ignore[arg-type]
            inputs = edges_of(node)
            grads = (found,) if len(inputs) == 1 else found
            called_inputs = inputs_of(node.rule.op)
            results = []
            for k, grad in zip(inputs, grads, strict=True):
                edge = node.inputs[k]
                if edge is None or grad is None or leads_nowhere(edge):
                    continue
                arrived.setdefault(place_of(edge), Arrival()).terms.append((number, grad))
                if isinstance(edge, TensorBase):
                    leaves.setdefault(id(edge), edge)
                name = called_inputs[k] if k < len(called_inputs) else ""
                results.append((name, _where(edge, names), grad))
            texts = tuple(["nothing" if a is None else a.text() for a in arrivals])
            value, rules = rule_of(node)
            step = Step(number, node.name().split("::")[-1], called(node), value, rules, texts,
                        incoming, tuple(results))  # fmt: skip
            steps.append((node, step))
    return steps, list(leaves.values()), arrived


def _where(edge: Any, names: Mapping[int, str]) -> str:
    if isinstance(edge, TensorBase):
        return names.get(id(edge), "a leaf")
    if isinstance(edge, Output):
        return f"output {edge.index} of {called(edge.node)}"
    return called(edge)


def _end(leaf: TensorBase, name: str, arrival: Arrival) -> End:
    with recording(False):
        total = arrival.total
        before = None
        if leaf._grad is not None:  # as it is now: the next backward adds to it
            before = wrap(backend.of(leaf._grad._array).copy(leaf._grad._array))
        if before is None:
            text = f"{name}.grad: None becomes {arrival.text()}"
        else:
            text = (
                f"{name}.grad: {written(before._array)} + {written(total._array)} becomes "
                f"{written((before + total)._array)}"
            )
    return End(name, before, total, text)


def rule_of(node: Node) -> tuple[str, tuple[str, ...]]:
    """Return the formula of a call, and the rule of each input's gradient, as text."""
    rule = node.rule
    if isinstance(rule, Placed):
        return "", ("the gradient of the part that was written goes through the call; the rest of "
                    "it goes on to the base as it was",)  # fmt: skip
    op = rule.op
    formula = getattr(op, "formula", None)
    if formula is not None:
        product = formula.vjp(rule.needs, (True,) * len(formula.outputs))
        rules = [
            f"d{formula.inputs[k].value} = {_bare(repr(e))}"
            for k, e in zip(product.targets, product.formula.outputs, strict=True)
        ]
        names, _, text = repr(formula).partition(" = ")
        return f"{names} = {_bare(text)}", tuple(rules)
    declared = getattr(op, "rules", None)
    if isinstance(declared, dict) and declared:
        wanted = [n for n, needed in zip(inputs_of(op), rule.needs, strict=False) if needed]
        if "inputs" in declared:
            return "", ("of all inputs: " + _source(declared["inputs"].function),)
        return "", tuple(f"d{n} = {_source(declared[n].function)}" for n in wanted if n in declared)
    made_by = getattr(op, "cls", None)  # a class of the user's
    return "", (f"{made_by.__name__}.backward",) if isinstance(made_by, type) else ()


def _bare(text: str) -> str:
    """Return a text without the brackets around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for k, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and k < len(text) - 1:
            return text
    return text[1:-1]


def _source(function: Any) -> str:
    """Return what a declared rule returns, and all of its text where that is more."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # no file is there, as in an interactive session
        return f"by {function.__qualname__}"
    lines = text.splitlines()
    while lines and not lines[0].startswith("def "):
        lines.pop(0)
    while lines and not lines[0].rstrip().endswith(":"):  # a signature of several lines
        lines.pop(0)
    body = textwrap.dedent("\n".join(lines[1:])).strip()
    return body.removeprefix("return ") if body.startswith("return ") else "\n" + body


def written(array: Any) -> str:
    """Return the numbers of an array where they are few, and its type and shape otherwise."""
    array = all_of(array)
    if not 0 < array.size <= FEW:
        return described(array)
    host = np.asarray(backend.of(array).to_numpy(array))
    if host.dtype.kind not in "biufc":
        host = host.astype(np.float64)
    text = np.array2string(
        host, precision=4, separator=", ", suppress_small=False, floatmode="maxprec"
    )
    return re.sub(r" (?=[],])|(?<=\[) ", "", " ".join(text.split()))


def _html(text: str, before: list[Any], after: list[Any]) -> str:
    pictures = [_picture(t) for t in before]
    arrow = ["&rarr;"] if pictures and after else []
    pictures += [*arrow, *[_picture(t) for t in after]]
    return (
        '<div style="border-left:3px solid #4c78a8;padding:2px 0 2px 10px;margin:0 0 10px">'
        f'<pre style="margin:0;font-size:12px;white-space:pre-wrap">{escape(text)}</pre>'
        f'<div style="margin-top:3px">{" ".join(pictures)}</div></div>'
    )


def _picture(tensor: Any) -> str:
    address, width = thumbnail(all_of(tensor._array))
    return address and (
        f'<img src="{address}" style="width:{width:.0f}px;height:34px;image-rendering:pixelated;'
        'vertical-align:middle" alt="a gradient">'
    )
