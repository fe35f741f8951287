"""Specialised functions: what runs for plain operands, written out once per operation.

Most calls have float32 or float64 operands (on a GPU float16, too), of one type, or a number.
For these the text of one function holds the whole way from the operands to the recorded node, and
of another that from the gradient of the result to the gradients of the inputs; both are generated
from the formula.  The texts for a GPU differ from those for NumPy in that one kernel computes each
value, and all gradients.  Everything else takes the general way of :mod:`gpugrad.op`.

>>> import gpugrad
>>> print(gpugrad.mul.op.source)  # doctest: +ELLIPSIS
def mul(input, other):
    if input.__class__ is not Tensor:
        return general(input, other)
...
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from types import CodeType
from typing import Any

import numpy as np

from gpugrad import backend, graph
from gpugrad.backend import cpu
from gpugrad.backend.batched import BatchedBackend
from gpugrad.formula import REAL, Expression, Formula, Product, python_lines
from gpugrad.op import saved

HOST = frozenset({np.ndarray, np.float32, np.float64})

NEW_TENSOR = """\
out = new(Tensor)
out._array = result
out._edge = out._grad = out._counter = out._view = None
"""

NEW_NODE = """\
node.params = {params}
node.hooks = None
node.sequence = next_sequence()
out._edge = node
return out
"""


def indented(text: str, levels: int) -> str:
    """Return the lines of a text moved to the right."""
    return "".join("    " * levels + line + "\n" for line in text.splitlines())


def renewed(parameter: str) -> str:
    """Return the lines that give a view of a rewritten base its new history."""
    view = f"{parameter}._view"
    return (
        f"if {view} is not None and {view}.base._edge is not {view}.edge:\n"
        f"    check_view({parameter})\n"
    )


def eligible(formula: Formula) -> bool:
    """Tell whether a formula is of real numbers only."""
    return all(e.kind == REAL for e in (*formula.inputs, *formula.outputs))


# --------------------------------------------------------------------------- forward


# Which second operands are no tensors: the user's numbers, none, or what a node has saved of them.
GIVEN = (
    "{parameter}.__class__ is float or {parameter}.__class__ is int",
    "quietly(kind.type, {parameter})",
)
NONE = "False", "None"
SAVED = "{parameter}.__class__ in HOST and {parameter}.dtype is kind", "{parameter}"


def forward_source(
    name: str,
    formula: Formula,
    parameters: Sequence[str],
    numbers: tuple[str, str] = GIVEN,
    kernels: bool = False,
) -> str:
    """Return the text of the public function.

    ``general`` in it takes operands of any kind, ``elsewhere`` those whose arrays are not NumPy's.
    With ``kernels`` it is the text for a GPU.
    """
    arguments = ", ".join(parameters)
    general = f"return general({arguments})"
    first, *others = parameters
    x, *ys = (f"{v.value}_" for v in formula.inputs)
    text = f"""\
def {name}({arguments}):
    if {first}.__class__ is not Tensor:
        {general}
    {x} = {first}._array
    if {x}.__class__ is not ndarray and {x}.__class__ not in HOST:
        return {"general" if kernels else "elsewhere"}({arguments})
    kind = {x}.dtype
    if kind is not float32 and kind is not float64{" and kind is not float16" if kernels else ""}:
        {general}
"""
    if kernels:  # none is launched in vain where there is more to do than to record
        text += f"    if mode.enabled is not True and mode.enabled:\n        {general}\n"
    result = f"result = quietly(compute, {', '.join([x, *ys])})\n"
    evaluated = f"(result,) = evaluated(formula, ({x}, {', '.join(ys)}))\n"
    if kernels:
        result = evaluated
    elif cpu.gains(formula):
        result = f"if {x}.size >= LARGE:\n{indented(evaluated, 1)}else:\n{indented(result, 1)}"
    if kernels:  # which compute in 32 bits with a number that 16 do not hold
        numbers = f"kind is not float16 and ({numbers[0]})", numbers[1]
    operands = "".join(_other(p, y, general, numbers) for p, y in zip(others, ys, strict=True))
    # shapes that do not broadcast, numbers out of range; another thread that computes quietly
    text += f"    try:\n{indented(operands + result, 2)}"
    text += f"    except (ValueError, OverflowError, RuntimeError):\n        {general}\n"
    text += indented(NEW_TENSOR, 1)
    text += indented(renewed(first), 1) + f"    {first}_edge = {first}._edge\n"
    nothing = " and ".join(f"{p}_edge is None" for p in parameters)
    text += f"    if {nothing} or mode.enabled is not True:\n"
    text += "        if inferring:\n            mark(out)\n"
    text += f"        return out if {nothing} or not mode.enabled else general({arguments})\n"
    text += "    node = new(Node)\n"
    if others:
        same = " and ".join(
            f"({y}.shape == {x}.shape or {p}.__class__ is not Tensor)"
            for p, y in zip(others, ys, strict=True)
        )
        text += f"    same = {same}\n"
    text += recording(parameters, lambda needs: _case(formula, parameters, ys, needs))
    shapes = ", ".join(f"{v}.shape" for v in (x, *ys))
    params = f"None if same else ({shapes})" if others else "None"
    return text + indented(NEW_NODE.format(params=params), 1)


def _other(parameter: str, y: str, general: str, numbers: tuple[str, str]) -> str:
    is_number, value = (text.format(parameter=parameter) for text in numbers)
    return f"""\
if {parameter}.__class__ is Tensor:
    {y} = {parameter}._array
    if {y}.dtype is not kind or ({y}.__class__ is not ndarray and {y}.__class__ not in HOST):
        {general}
{indented(renewed(parameter), 1)}\
    {parameter}_edge = {parameter}._edge
elif {is_number}:
    {y} = {value}
    {parameter}_edge = None
else:
    {general}
"""


def recording(parameters: Sequence[str], case: Callable[[tuple[bool, ...]], str]) -> str:
    """Return the lines that record a call: its ``case`` for each combination of needed inputs."""
    masks = [m for m in product((True, False), repeat=len(parameters)) if any(m)]
    if len(masks) == 1:
        return indented(case(masks[0]), 1)
    text = ""
    for k, needs in enumerate(masks[1:] + masks[:1]):
        conditions = " and ".join(
            f"{p}_edge is {'not ' if n else ''}None" for p, n in zip(parameters, needs, strict=True)
        )
        head = "else" if k == len(masks) - 1 else f"{'el' if k else ''}if {conditions}"
        text += f"    {head}:\n" + indented(case(needs), 2)
    return text


def _case(
    formula: Formula, parameters: Sequence[str], ys: Sequence[str], needs: tuple[bool, ...]
) -> str:
    """Return the lines that record a call in which ``needs`` marks the inputs with gradients."""
    sources = set(formula.vjp(needs, (True,)).sources)
    values, written = [], []
    for k, (p, needed) in enumerate(zip(parameters, needs, strict=True)):
        if k + 1 not in sources:
            values.append("None")
        elif k == 0 or needed:
            values.append(p)
            written.append(was_written(p))
        else:
            values.append(f"{p} if {p}.__class__ is Tensor else {ys[k - 1]}")
            written.append(
                f"({p}.__class__ is Tensor and {p}._counter is not None and {p}._counter.value)"
            )
    rule = f"rule_{marks(needs)}"
    rule = f"{rule} if same else wide_{marks(needs)}" if ys else rule
    lines = joined(rule, parameters, needs)
    if len(parameters) + 1 in sources:
        lines += [
            "out._counter = kept = new(SavedOutput)", "kept.value = 0", "kept.array = result",
        ]  # fmt: skip
        values.append("kept")
    else:
        values.append("None")
    return "\n".join(lines + saving(values, written, f"{formula.inputs[0].value}_"))


def joined(rule: str, parameters: Sequence[str], needs: Sequence[bool]) -> list[str]:
    """Return the lines that give a node its rule and join it to the inputs that need gradients."""
    edges = [
        f"{p} if {p}_edge is LEAF else {p}_edge" if needed else "None"
        for p, needed in zip(parameters, needs, strict=True)
    ]
    return [f"node.rule = {rule}", f"node.inputs = {_tuple(edges)}"]


def was_written(parameter: str) -> str:
    """Return the condition that the memory of an operand was written to."""
    return f"({parameter}._counter is not None and {parameter}._counter.value)"


def saving(values: Sequence[str], written: Sequence[str], array: str) -> list[str]:
    """Return the lines that save values, with their versions if one of them was ``written``.

    They also note the user's line where that takes little of the call's time: where the array is
    large, and where the node has versions.
    """
    if set(values) <= {"None"}:
        return ["node.saved = ()", "node.versions = None"]
    condition = f"{array}.size >= LARGE"
    versions = "None"
    if written:
        condition += " or node.versions is not None"
        versions = f"versions_of(node.saved) if {' or '.join(written)} else None"
    return [
        f"node.saved = {_tuple(values)}", f"node.versions = {versions}",
        f"if {condition}:\n    node._line = users_line()",
    ]  # fmt: skip


def _tuple(values: Sequence[str]) -> str:
    return f"({', '.join(values)}{',' * (len(values) == 1)})"


def marks(needs: Sequence[bool]) -> str:
    """Return, as a part of a name, which inputs need a gradient: 10 is the first of two."""
    return "".join("01"[needed] for needed in needs)


def forward(
    op: Any, general: Callable[..., Any], numbers: tuple[str, str] = GIVEN
) -> Callable[..., Any]:
    """Return the function of an operation, which is specialised when it is first called.

    The rule of one operation may name others that are declared after it, so the text can only be
    written later; it then takes the place of the function's code.
    """
    arguments = ", ".join(op.parameters)
    namespace = {"__name__": __name__, "Expression": Expression, "general": general}

    def filled(namespace: dict[str, Any], door: Any = None) -> Any:
        namespace.update(_known(door), formula=op.formula)
        for needs in product((False, True), repeat=len(op.parameters)):
            if any(needs):
                namespace[f"rule_{marks(needs)}"] = op.plain_rule(needs, False, door)
                namespace[f"wide_{marks(needs)}"] = op.plain_rule(needs, True, door)
        text = forward_source(op.function, op.formula, op.parameters, numbers, door is not None)
        return _defined(op.function, text, namespace)

    def specialize() -> None:
        namespace.update(compute=cpu.function_of(op.formula), elsewhere=elsewhere)
        function.__code__ = filled(namespace).__code__

    def elsewhere(*operands: Any) -> Any:
        door = backend.of(operands[0]._array)
        if door.type == "cpu" or isinstance(door, BatchedBackend):
            return general(*operands)
        made = filled({"__name__": __name__, "general": general}, door)
        namespace["elsewhere"] = made
        return made(*operands)

    namespace["specialize"] = specialize
    kinds = " or ".join(f"{p}.__class__ is Expression" for p in op.parameters)
    text = f"""\
def call({arguments}):
    if {kinds}:  # inside a rule: sin and cos would wait for each other
        return general({arguments})
    specialize()
    return again({arguments})
"""
    function: Any = stub(op.function, text, namespace)
    namespace["again"] = function
    return function


def general(op: Any, general: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of an operation that always takes the general way."""
    arguments = ", ".join(op.parameters)
    text = f"def call({arguments}):\n    return general({arguments})"
    return stub(op.function, text, {"__name__": __name__, "general": general})


# --------------------------------------------------------------------------- backward


def backward_source(
    formula: Formula, needs: tuple[bool, ...], wide: bool, kernels: bool = False
) -> str:
    """Return the text of the backward of arrays for the inputs that ``needs`` marks.

    It is ``wide`` where the operands had different shapes: what was broadcast is summed.
    With ``kernels`` it is the text for a GPU.
    """
    found = formula.vjp(needs, (True,))
    text = f"def {formula.name}_backward(node, g):\n"
    if any(found.sources):
        text += "    saved = node.saved\n    if g.__class__ not in HOST or saved is None:\n"
    else:
        text += "    if g.__class__ not in HOST:\n"
    text += "        return general(node, g)\n"
    names = {}
    for s, variable in zip(found.sources, found.formula.inputs, strict=True):
        names[s] = "g" if s == 0 else f"{variable.value}_"
        if s:
            text += indented(_loaded(names[s], s - 1, s > len(needs)), 1)
    results = ["None"] * len(needs)
    if wide and kernels:
        values = ", ".join(names.get(k, "None") for k in range(len(needs) + 2))
        return text + f"    return parted(needs, ({values}), node.params)\n"
    if wide:
        text += "    shape = g.shape\n    shapes = node.params\n"
        for k in found.targets:
            text += indented(_summed(formula, k, len(needs), names), 1)
            results[k] = f"grad{k}"
    elif kernels:
        lines, texts = _launched(found, names)
        text += lines
        for target, array in zip(found.targets, texts, strict=True):
            results[target] = array
    else:
        statements, texts = _lines(found, names)
        if cpu.gains(found.formula) and not set(texts) & set(names.values()):
            text += "    if g.size >= LARGE:\n"
            outs = [f"grad{k}" for k in range(len(needs))]
            made = ", ".join(outs[k] for k in found.targets)
            arrays = ", ".join(names[s] for s in found.sources)
            text += f"        {made}, = evaluated(formula, ({arrays},))\n"
            made = ", ".join(o if k in found.targets else "None" for k, o in enumerate(outs))
            text += f"        return {made},\n"
        text += "".join(f"    {line}\n" for line in statements)
        for target, array in zip(found.targets, texts, strict=True):
            results[target] = array
    return text + f"    return {', '.join(results)},\n"


def _lines(found: Product, names: Mapping[int, str]) -> tuple[list[str], list[str]]:
    """Return the lines that compute some gradients; what is handed on needs no copy."""
    statements, texts = python_lines(found.formula, [names[s] for s in found.sources])
    for k, e in enumerate(found.formula.outputs):
        if e.function == "variable":
            texts[k] = names[found.sources[found.formula.inputs.index(e)]]
    return statements, texts


def _launched(found: Product, names: Mapping[int, str]) -> tuple[str, list[str]]:
    """Return the line that has one kernel compute some gradients, and what they are called."""
    texts = _lines(found, names)[1]
    computed, _, used = _computed(found)
    for k in computed:
        texts[k] = f"grad{found.targets[k]}"
    if not computed:
        return "", texts
    arrays = ", ".join(names[found.sources[k]] for k in used)
    outs = ", ".join(texts[k] for k in computed)
    return f"    {outs}, = evaluated(formula, ({arrays},))\n", texts


def _computed(found: Product) -> tuple[tuple[int, ...], Formula, tuple[int, ...]]:
    """Return which gradients are not just handed on, their formula, and which inputs it has."""
    outputs = [k for k, e in enumerate(found.formula.outputs) if e.function != "variable"]
    return tuple(outputs), *found.formula.part(tuple(outputs))


def _summed(formula: Formula, index: int, count: int, names: Mapping[int, str]) -> str:
    """Return the lines for one gradient where operands were broadcast."""
    found = formula.vjp(tuple(k == index for k in range(count)), (True,))
    statements, (text,) = _lines(found, names)
    arrays = "".join(f"{names[s]}, " for s in found.sources)
    lines = "".join(f"    {line}\n" for line in [*statements, f"grad{index} = {text}"])
    small = f"grad{index} = sum_to_shape({text}, shapes[{index}])"
    small = "".join(f"    {line}\n" for line in [*statements, small])
    return f"""\
if shapes[{index}] == shape:
{lines}elif g.size < LARGE:
{small}else:
    grad{index} = summed(formula{index}, ({arrays}), shapes[{index}])
"""


def _loaded(variable: str, index: int, output: bool) -> str:
    expected = f"(node.versions[{index}] if node.versions else 0)"
    if output:
        return f"""\
{variable} = saved[{index}]
if {variable}.value != {expected}:
    return general(node, g)
{variable} = {variable}.array
"""
    return f"""\
{variable} = saved[{index}]
if {variable}.__class__ is Tensor:
    if {variable}._counter is not None and {variable}._counter.value != {expected}:
        return general(node, g)
    {variable} = {variable}._array
"""


def backward(rule: Any, wide: bool, door: Any = None) -> Callable[..., Any]:
    """Return the specialised backward of a rule, for arrays of NumPy or of a GPU's backend."""
    formula, needs = rule.op.formula, rule.needs
    found = formula.vjp(needs, (True,))
    namespace = _known(door)
    if door is None:
        namespace |= {"sum_to_shape": cpu.sum_to_shape, "summed": cpu.summed}
        namespace["formula"] = found.formula
        namespace["general"] = recorded(rule, wide)
        for k in range(len(needs)):
            alone = tuple(j == k for j in range(len(needs)))
            namespace[f"formula{k}"] = formula.vjp(alone, (True,)).formula
    else:
        namespace |= {"needs": needs, "parted": rule.op.parted, "formula": _computed(found)[1]}
        namespace["general"] = rule.general
    text = backward_source(formula, needs, wide, door is not None)
    return _defined(f"{formula.name}_backward", text, namespace)


def recorded_source(formula: Formula, needs: tuple[bool, ...], wide: bool) -> str:
    """Return the text of the backward of tensors, one call for each gradient."""
    name = f"{formula.name}_recorded"
    large = " or g._array.size >= LARGE" if wide else ""
    text = f"def {name}(node, g):\n"
    text += f"    if g.__class__ is not Tensor or g._array.__class__ not in HOST{large}:\n"
    text += "        return general(node, g)\n"
    if any(formula.vjp(needs, (True,)).sources):
        text += f"    saved = unpack(node, {len(needs)})\n"
    results = []
    for k, needed in enumerate(needs):
        found = formula.vjp(tuple(j == k for j in range(len(needs))), (True,))
        if not needed or not found.targets:
            results.append("None")
            continue
        values = ["g" if s == 0 else f"saved[{s - 1}]" for s in found.sources]
        handed_on = found.formula.outputs[0].function == "variable"
        made = values[0] if handed_on else f"derived{k}({', '.join(values)})"
        text += f"    grad{k} = {made}\n"
        if wide:
            text += f"    grad{k} = fit(grad{k}, node.params[{k}], g._array.dtype)\n"
        results.append(f"grad{k}")
    return text + f"    return {', '.join(results)},\n"


def recorded(rule: Any, wide: bool) -> Callable[..., Any]:
    """Return the backward of a rule for gradients that are recorded.

    The derivative of a plain call by one operand is a plain call, too.
    """
    op, needs = rule.op, rule.needs
    name = f"{op.formula.name}_recorded"
    namespace = {**_known(), "general": rule.general, "unpack": saved.unpack, "fit": op.fit}
    for k in range(len(needs)):
        found = op.formula.vjp(tuple(j == k for j in range(len(needs))), (True,))
        if found.targets:
            namespace[f"derived{k}"] = op.derived(found).plain_function
    return _defined(name, recorded_source(op.formula, needs, wide), namespace)


# --------------------------------------------------------------------------- compiling


def _known(door: Any = None) -> dict[str, Any]:
    """Return what the generated texts name, for arrays of NumPy or of a GPU's backend."""
    return {
        **cpu.FUNCTIONS,
        "Tensor": saved.tensor_class,
        "HOST": HOST if door is None else frozenset({door.xp.ndarray}),
        "ndarray": np.ndarray if door is None else door.xp.ndarray,
        "LARGE": cpu.LARGE if door is None else 0,
        "evaluated": cpu.evaluated if door is None else door.evaluated,
        "LEAF": graph.LEAF,
        "Node": graph.Node,
        "SavedOutput": graph.SavedOutput,
        "new": object.__new__,
        "float16": np.dtype(np.float16),
        "float32": np.dtype(np.float32),
        "float64": np.dtype(np.float64),
        "quietly": cpu.quietly,
        "inferring": graph.inferring,
        "mark": graph.mark,
        "mode": graph.mode,
        "next_sequence": graph.next_sequence,
        "users_line": graph.users_line,
        "check_view": saved.check_view,
        "versions_of": saved.versions_of,
    }


def stub(name: str, text: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return the function ``call`` of a text that many operations share, by a name of its own."""
    exec(_code(text), namespace)
    function: Callable[..., Any] = namespace.pop("call")
    function.__name__ = function.__qualname__ = name
    return function


@functools.cache  # importing gpugrad makes more than a hundred stubs, of a few texts
def _code(text: str) -> CodeType:
    return compile(text, "<gpugrad>", "exec")


def _defined(name: str, text: str, namespace: dict[str, Any]) -> Any:
    exec(compile(text, f"<gpugrad {name}>", "exec"), namespace)
    made = namespace[name]
    namespace.update(cpu.FUNCTIONS)  # the text of tanh calls NumPy's tanh
    return made
