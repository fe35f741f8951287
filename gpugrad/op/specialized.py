"""Specialised functions: what runs for plain operands, written out once per operation.

Most calls have float32 or float64 operands of NumPy's, of one type and shape, or a number.
For these the text of one function holds the whole way from the operands to the recorded node, and
of another that from the gradient of the result to the gradients of the inputs; both are generated
from the formula.  Everything else takes the general way of :mod:`gpugrad.op`.

>>> import gpugrad
>>> print(gpugrad.mul.op.source)  # doctest: +ELLIPSIS
def mul(input, other):
    if input.__class__ is not Tensor:
        return op(input, other)
...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from gpugrad import graph
from gpugrad.backend import cpu
from gpugrad.formula import REAL, Expression, Formula, python_lines
from gpugrad.op import saved

HOST = frozenset({np.ndarray, np.float32, np.float64})

_NEW_TENSOR = """\
{name} = new(Tensor)
{name}._array = {array}
{name}._edge = {name}._grad = {name}._counter = {name}._view = None
"""

_NEW_NODE = """\
node = new(Node)
node.op = op
node.outputs = 1
node.params = None
node.hooks = None
node.sequence = next_sequence()
"""


def indented(text: str, levels: int) -> str:
    """Return the lines of a text moved to the right."""
    return "".join("    " * levels + line + "\n" for line in text.splitlines())


def eligible(formula: Formula) -> bool:
    """Tell whether a formula is of real numbers only, and of one or two of them."""
    return len(formula.inputs) <= 2 and all(
        e.kind == REAL for e in (*formula.inputs, *formula.outputs)
    )


# --------------------------------------------------------------------------- forward


def forward_source(name: str, formula: Formula, parameters: Sequence[str]) -> str:
    """Return the text of the public function; ``op`` in it is the general way."""
    arguments = ", ".join(parameters)
    general = f"return op({arguments})"
    first, *others = parameters
    x, *ys = (f"{v.value}_" for v in formula.inputs)
    lines = [
        f"def {name}({arguments}):",
        f"    if {first}.__class__ is not Tensor:",
        f"        {general}",
        f"    {x} = {first}._array",
        f"    kind = {x}.dtype",
        "    if (",
        f"        {x}.__class__ not in HOST",
        "        or (kind is not float32 and kind is not float64)",
        f"        or {_stale(first)}",
        "    ):",
        f"        {general}",
    ]
    text = "\n".join(lines) + "\n"
    for parameter, y in zip(others, ys, strict=True):
        text += _second(parameter, y, x, general)
    statements, (result,) = python_lines(formula, [x, *ys])
    body = "".join(f"{line}\n" for line in [*statements, f"result = {result}"])
    text += "    token = enter(quiet)\n    try:\n"
    for parameter, y in zip(others, ys, strict=True):
        text += f"        if {parameter}_edge is number:\n"
        text += f"            {y} = kind.type({y})\n"
        text += f"            {parameter}_edge = None\n"
    text += indented(body, 2) + "    finally:\n        leave(token)\n"
    text += indented(_NEW_TENSOR.format(name="out", array="result"), 1)
    text += f"    {first}_edge = {first}._edge\n"
    nothing = " and ".join(f"{p}_edge is None" for p in parameters)
    text += f"    if not mode.enabled or ({nothing}):\n        return out\n"
    text += indented(_NEW_NODE, 1)
    text += _recording(formula, parameters, ys)
    text += "    out._edge = node\n    return out\n"
    return text


def _stale(parameter: str) -> str:
    """Return the condition that a view's base has got another history; see ``check_view``."""
    view = f"{parameter}._view"
    return f"({view} is not None and {view}.base._edge is not {view}.edge)"


def _second(parameter: str, y: str, x: str, general: str) -> str:
    return indented(
        f"""\
if {parameter}.__class__ is Tensor:
    {y} = {parameter}._array
    if (
        {y}.__class__ not in HOST
        or {y}.dtype is not kind
        or {y}.shape != {x}.shape
        or {_stale(parameter)}
    ):
        {general}
    {parameter}_edge = {parameter}._edge
elif {parameter}.__class__ is float or {parameter}.__class__ is int:
    {y} = {parameter}
    {parameter}_edge = number
else:
    {general}
""",
        1,
    )


def _recording(formula: Formula, parameters: Sequence[str], ys: Sequence[str]) -> str:
    """Return the lines that say, for each combination of needed inputs, what is saved."""
    text = ""
    masks = [m for m in product((True, False), repeat=len(parameters)) if any(m)]
    for k, needs in enumerate(masks):
        conditions = [
            f"{p}_edge is {'not ' if n else ''}None" for p, n in zip(parameters, needs, strict=True)
        ]
        last = k == len(masks) - 1
        head = "else:" if last and k else f"{'el' if k else ''}if {' and '.join(conditions)}:"
        edges = ", ".join(
            f"{p} if {p}_edge is LEAF else {p}_edge" if n else "None"
            for p, n in zip(parameters, needs, strict=True)
        )
        edges += "," if len(parameters) == 1 else ""
        lines = f"node.inputs = ({edges})\nnode.needs = {needs}\n"
        lines += f"node.saved = {_saved(formula, parameters, ys, needs)}\n"
        text += indented(lines, 1) if len(masks) == 1 else f"    {head}\n{indented(lines, 2)}"
    counters = " or ".join(f"{p}._counter is not None" for p in _tensors(parameters))
    text += f"    node.versions = versions_of(node.saved) if {counters} else None\n"
    return text


def _tensors(parameters: Sequence[str]) -> list[str]:
    first, *others = parameters
    return [first, *(f"{p}.__class__ is Tensor and {p}" for p in others)]


def _saved(
    formula: Formula, parameters: Sequence[str], ys: Sequence[str], needs: tuple[bool, ...]
) -> str:
    sources = set(formula.vjp(needs, (True,)).sources)
    parts = []
    for k, p in enumerate(parameters):
        tensor = p if k == 0 or needs[k] else f"{p} if {p}.__class__ is Tensor else {ys[k - 1]}"
        parts.append(tensor if k + 1 in sources else "None")
    parts.append("saved_output(out)" if len(parameters) + 1 in sources else "None")
    return f"({', '.join(parts)})" if set(parts) != {"None"} else "()"


def forward(op: Any) -> Callable[..., Any]:
    """Return the public function of an operation, which is specialised when it is first called.

    The rule of one operation may name others that are declared after it, so the text can only be
    written later; it then takes the place of the function's code.
    """
    arguments = ", ".join(op.parameters)
    namespace = _namespace(op)

    def specialize() -> None:
        namespace["Tensor"] = saved.tensor_class
        text = forward_source(op.function, op.formula, op.parameters)
        function.__code__ = _defined(op.function, text, namespace).__code__

    namespace["specialize"] = specialize
    kinds = " or ".join(f"{p}.__class__ is Expression" for p in op.parameters)
    stub = f"""\
def {op.function}({arguments}):
    if {kinds}:  # inside a rule: sin and cos would wait for each other
        return op({arguments})
    specialize()
    return again({arguments})
"""
    function: Any = _defined(op.function, stub, namespace)
    namespace["again"] = function
    return function


def general(op: Any) -> Callable[..., Any]:
    """Return the public function of an operation that always takes the general way."""
    arguments = ", ".join(op.parameters)
    text = f"def {op.function}({arguments}):\n    return op({arguments})"
    function: Callable[..., Any] = _defined(op.function, text, _namespace(op))
    return function


# --------------------------------------------------------------------------- backward


def backward_source(name: str, formula: Formula, needs: tuple[bool, ...]) -> str:
    """Return the text of the unrecorded backward for the inputs that ``needs`` marks."""
    count = len(formula.inputs)
    found = formula.vjp(needs, (True,))
    names = [f"{v.value}_" for v in found.formula.inputs]
    text = f"def {name}(node, grads):\n"
    text += "    saved = node.saved\n    g = grads[0]\n"
    text += "    if saved is None or node.versions is not None:\n"
    text += f"        return general(node, grads, {needs})\n"
    for s, variable in zip(found.sources, names, strict=True):
        text += f"    {variable} = g._array\n" if s == 0 else _loaded(variable, s - 1, needs)
    statements, results = python_lines(found.formula, names)
    tensors = ["None"] * count
    made = ""
    for k, (target, e, array) in enumerate(
        zip(found.targets, found.formula.outputs, results, strict=True)
    ):
        if e.function == "variable":
            tensors[target] = "g"
        else:
            statements.append(f"result{k} = {array}")
            made += _NEW_TENSOR.format(name=f"grad{k}", array=f"result{k}")
            tensors[target] = f"grad{k}"
    if made:
        body = "".join(f"{line}\n" for line in statements)
        text += "    token = enter(quiet)\n    try:\n" + indented(body, 2)
        text += "    finally:\n        leave(token)\n" + indented(made, 1)
    return text + f"    return ({', '.join(tensors)},)\n"


def _loaded(variable: str, index: int, needs: tuple[bool, ...]) -> str:
    return indented(
        f"""\
{variable} = saved[{index}]
if {variable}.__class__ is Tensor:
    if {variable}._counter is not None and {variable}._counter.value:
        return general(node, grads, {needs})
    {variable} = {variable}._array
""",
        1,
    )


def backward(op: Any, needs: tuple[bool, ...]) -> Callable[..., Any]:
    """Return the specialised backward of an operation; ``general`` in it is the other way."""
    name = f"{op.formula.name}_backward"
    return _defined(name, backward_source(name, op.formula, needs), _namespace(op))


# --------------------------------------------------------------------------- compiling


def _namespace(op: Any) -> dict[str, Any]:
    """Return what the generated texts name."""
    return {
        **cpu.FUNCTIONS,
        "Tensor": saved.tensor_class,
        "Expression": Expression,
        "HOST": HOST,
        "LEAF": graph.LEAF,
        "Node": graph.Node,
        "new": object.__new__,
        "number": object(),
        "float32": np.dtype(np.float32),
        "float64": np.dtype(np.float64),
        "enter": cpu.enter,
        "leave": cpu.leave,
        "quiet": cpu.QUIET,
        "mode": graph.mode,
        "next_sequence": graph.next_sequence,
        "saved_output": saved.saved_output,
        "versions_of": saved.versions_of,
        "op": op,
        "general": op.general_backward,
    }


def _defined(name: str, text: str, namespace: dict[str, Any]) -> Any:
    exec(compile(text, f"<gpugrad {name}>", "exec"), namespace)
    made = namespace[name]
    namespace.update(cpu.FUNCTIONS)  # the text of tanh calls NumPy's tanh
    return made
