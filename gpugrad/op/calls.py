"""Calls of whole-array operations, written out once per operation from its declaration.

The signature says which arguments are tensors and which parameters, the gradients' signatures
what is saved.  Operations with any number of tensors or several results are called by
:meth:`gpugrad.op.operation.Operation.general`.

>>> import gpugrad
>>> print(gpugrad.ops.linalg._mm.op.source)  # doctest: +ELLIPSIS
def call(input, mat2):
    if input.__class__ is not Tensor:
        return general(input, mat2)
...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from gpugrad import backend, graph
from gpugrad.backend import cpu
from gpugrad.op import saved
from gpugrad.op.specialized import (
    NEW_NODE,
    NEW_TENSOR,
    indented,
    joined,
    marks,
    recording,
    renewed,
    saving,
    stub,
    was_written,
)


def source(op: Any) -> str:
    """Return the text of the call of an operation with given tensors and one result."""
    tensors, parameters = op.input_names, op.parameters
    keywords = ", ".join(f"{p}={p}" for p in parameters)
    arrays = ", ".join(f"{t}_" for t in tensors)
    values = ", ".join([*tensors, *(f"{p}={p}" for p in parameters)])
    first = tensors[0]
    text = f"def call({', '.join([*tensors, *(['*'] if parameters else []), *parameters])}):\n"
    for t in tensors:
        text += f"    if {t}.__class__ is not Tensor:\n        return general({values})\n"
    for t in tensors:
        text += f"    {t}_ = {t}._array\n"
    if op.view:  # NumPy's scalars have no memory that a view could share
        text += f"    if {first}_.__class__ in SCALARS:\n        {first}_ = own_array({first})\n"
    text += f"    door = doors.get({first}_.__class__) or door_of_array({first}_)\n"
    for t in tensors[1:]:
        text += f"    if (doors.get({t}_.__class__) or door_of_array({t}_)) is not door:\n"
        text += f"        return general({values})\n"
    for t in tensors:
        text += indented(renewed(t), 1) + f"    {t}_edge = {t}._edge\n"
    nothing = " and ".join(f"{t}_edge is None" for t in tensors)
    text += f"    records = False if {nothing} else mode.enabled\n"
    text += "    if records is not True and records:\n"  # it is observed
    text += f"        return general({values})\n"
    text += f"    result = op.forward(door, {arrays}{', ' if keywords else ''}{keywords})\n"
    text += indented(NEW_TENSOR, 1)
    if op.view:
        text += f"    out._counter = {first}._counter or shared_counter({first})\n"
        text += f"    parent = {first}._view\n    out._view = view = new(View)\n"
        text += f"    view.base = base = {first} if parent is None else parent.base\n"
        text += "    view.edge = base._edge\n    view.origin = "
        text += "'no_grad' if not mode.enabled else '' if parent is None else parent.origin\n"
    text += "    if not records or result.dtype.kind not in 'fc':\n"
    text += (
        "        if inferring:\n            mark(out)\n        return out\n    node = new(Node)\n"
    )
    text += recording(tensors, lambda needs: _case(op, tensors, needs))
    likes = ", ".join(f"({t}_.shape, {t}_.dtype, door.device_of({t}_))" for t in tensors)
    out_likes = "((result.shape, result.dtype, door.device_of(result)),)"
    values = ", ".join(f"{p!r}: {p}" for p in parameters)
    params = f"({likes},), {out_likes if op.kind == 'composite' else '()'}, {{{values}}}"
    return text + indented(NEW_NODE.format(params=params), 1)


def _case(op: Any, tensors: Sequence[str], needs: tuple[bool, ...]) -> str:
    """Return the lines that record a call in which ``needs`` marks the inputs with gradients."""
    keeps = op.kept(needs, 1) or ()
    lines = joined(f"rule_{marks(needs)}", tensors, needs)
    values = [t if k else "None" for t, k in zip(tensors, keeps, strict=False)]
    if keeps and keeps[-1]:
        lines.append("kept = saved_output(out)")
        values.append("kept")
    written = [was_written(t) for t, k in zip(tensors, keeps, strict=False) if k]
    return "\n".join(lines + saving(values, written, f"{tensors[0]}_"))


def backward_source(op: Any, needs: tuple[bool, ...]) -> str:
    """Return the text of the backward of arrays for the inputs that ``needs`` marks."""
    saves = op.kept(needs, 1) is not None
    text = "def backward(node, g):\n"
    text += f"    if mode.enabled{' or node.saved is None' if saves else ''}:\n"
    text += "        return general(node, g)\n    result = g\n"
    text += indented(NEW_TENSOR, 1)
    text += "    likes, _, params = node.params\n"
    if saves:
        text += f"    saved = unpack(node, {len(needs)})\n"
    results = []
    for k, (t, needed) in enumerate(zip(op.input_names, needs, strict=True)):
        if not needed or t not in op.rules:
            results.append("None")
            continue
        values = ", ".join(_value(op, name, k) for name in op.rules[t].names)
        text += f"""\
    grad{k} = gradient_{t}({values})
    array{k} = grad{k}._array
    if array{k}.dtype is not likes[{k}][1] or array{k}.shape != likes[{k}][0]:
        array{k} = fit(grad{k}, likes[{k}][0], likes[{k}][1], node.inputs[{k}])._array
"""
        results.append(f"array{k}")
    return text + f"    return {', '.join(results)},\n"


def _value(op: Any, name: str, index: int) -> str:
    if name == "g":
        return "out"
    if name == "like":
        return f"new_tuple(Like, likes[{index}])"
    if name in op.places:
        return f"saved[{op.places[name]}]"
    return f"params[{name!r}]"


def backward(rule: Any) -> Callable[..., Any]:
    """Return the backward of a rule, which is compiled when it first runs."""
    op = rule.op

    def compile_first(node: graph.Node, g: Any) -> Sequence[Any]:
        namespace = {
            "Like": saved.Like, "Tensor": saved.tensor_class, "fit": op.fit,
            "general": rule.general, "mode": graph.mode, "new": object.__new__,
            "new_tuple": tuple.__new__, "unpack": saved.unpack,
            **{f"gradient_{t}": r.function for t, r in op.rules.items()},
        }  # fmt: skip
        rule.backward = _compiled("backward", backward_source(op, rule.needs), op, namespace)
        return rule.backward(node, g)

    return compile_first


def function(op: Any) -> Callable[..., Any]:
    """Return the function that calls an operation, whose code is written when it first runs.

    What is saved is known when the gradients have been declared.
    """
    namespace: dict[str, Any] = {"op": op}
    if not op.regular:
        text = "def call(*tensors, **params):\n    return op.general(*tensors, **params)\n"
        return stub("call", text, namespace)

    def write() -> None:
        namespace.update({
            "LEAF": graph.LEAF, "Node": graph.Node, "SCALARS": _SCALARS,
            "Tensor": saved.tensor_class, "View": graph.View, "check_view": saved.check_view,
            "door_of_array": backend.of, "doors": backend.BACKENDS,
            "inferring": graph.inferring, "mark": graph.mark,
            "general": op.general, "LARGE": cpu.LARGE, "users_line": graph.users_line,
            "mode": graph.mode, "new": object.__new__, "next_sequence": graph.next_sequence,
            "own_array": saved.own_array, "saved_output": saved.saved_output,
            "shared_counter": saved.shared_counter, "versions_of": saved.versions_of,
        })  # fmt: skip
        for needs in product((False, True), repeat=len(op.input_names)):
            namespace[f"rule_{marks(needs)}"] = op.rule(needs, 1)
        made.__code__ = _compiled("call", source(op), op, namespace).__code__

    text = "def call(*tensors, **params):\n    write()\n    return again(*tensors, **params)\n"
    made: Any = stub("call", text, namespace)
    made.__kwdefaults__ = op.forward.__kwdefaults__
    namespace.update(write=write, again=made)
    return made


def _compiled(name: str, text: str, op: Any, namespace: dict[str, Any]) -> Any:
    exec(compile(text, f"<gpugrad {op!r}>", "exec"), namespace)
    return namespace[name]


_SCALARS = frozenset(kind for kind in backend.BACKENDS if issubclass(kind, np.generic))
