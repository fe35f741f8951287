"""Whole-array operations: their calls, written out once per operation from its declaration.

The signature says which arguments are tensors and which parameters, the gradients' signatures
what is saved.  Operations with any number of tensors, or several results that are no views of one
tensor, are called by :meth:`gpugrad.op.operation.Operation.general`.

>>> import gpugrad
>>> print(gpugrad.ops.products._mm.op.source)  # doctest: +ELLIPSIS
def call(input, mat2):
    if input.__class__ is not Tensor and input.__class__ is not Parameter:
        return general(input, mat2)
...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import backend, graph
from gpugrad._dtype import INEXACT
from gpugrad.op import saved
from gpugrad.op.generated.template import (
    EDGE,
    NEW_TENSOR,
    Case,
    defined,
    each,
    filled,
    known,
    marks,
    masks,
    recorded,
    was_written,
    written_first,
)

CALL = """\
def call({signature}):
    {tensors}
    {arrays}
    {own_memory}
    door = doors.get({first}_.__class__) or door_of_array({first}_)
    {doors}
    {edges}
    records = False if {nothing} else mode.enabled
    if records is not True and records:
        return general({arguments})
    try:
        result = op.forward(door, {forwarded})
    except MemoryError as error:
        tell(error)
        raise
    {new_tensor}
    {view}
    if not records or result.dtype.kind not in {inexact}:
        if inferring:
            mark(out, {operands})
        return out
    {recorded}
"""

IS_TENSOR = """\
if {input}.__class__ is not Tensor and {input}.__class__ is not Parameter:
    return general({arguments})
"""

# NumPy's scalars have no memory that a view could share.
OWN_MEMORY = """\
if {first}_.__class__ in SCALARS:
    {first}_ = own_array({first})
parent = {first}._view
if parent is not None and parent.__class__ is not View:
    return general({arguments})
"""

SAME_DOOR = """\
if (doors.get({input}_.__class__) or door_of_array({input}_)) is not door:
    return general({arguments})
"""

VIEW = """\
out._counter = {first}._counter or shared_counter({first})
out._view = view = new(View)
view.base = base = {first} if parent is None else parent.base
view.version = out._counter.value
if mode.enabled:
    view.edge = base._edge
    view.origin = '' if parent is None else parent.origin
else:
    view.edge = UNRECORDED
    view.origin = 'no_grad'
"""


# What one function returned of several views is alike but for the arrays.
VIEWS = """\
def call({signature}):
    {tensors}
    {arrays}
    {own_memory}
    door = doors.get({first}_.__class__) or door_of_array({first}_)
    {edges}
    records = False if {first}_edge is None else mode.enabled
    if records is not True and records:
        return general({arguments})
    results = op.forward(door, {forwarded})
    counter = {first}._counter or shared_counter({first})
    version = counter.value
    base = {first} if parent is None else parent.base
    edge, origin = (base._edge, 'multiple') if mode.enabled else (UNRECORDED, 'no_grad')
    outs = []
    for result in results:
        out = new(Tensor)
        out._array = result
        out._edge = out._grad = None
        out._counter = counter
        out._view = view = new(View)
        view.base = base
        view.edge = edge
        view.origin = origin
        view.version = version
        outs.append(out)
    if inferring:
        for out in outs:
            mark(out, {first})
    if records:
        kind, where = {first}_.dtype, door.device_of({first}_)
        node = new(Node)
        node.rule = op.rule((True,), len(outs))
        node.inputs = ({first} if {first}_edge is LEAF else {first}_edge,)
        node.saved = ()
        node.versions = None
        node.params = (
            (({first}_.shape, kind, where),),
            tuple([(result.shape, kind, where) for result in results]),
            {values},
        )
        node.hooks = None
        node.sequence = next_sequence()
        for index, out in enumerate(outs):
            out._edge = edge = new(Output)
            edge.node = node
            edge.index = index
        if len(outs) == 1:
            out._edge = node
    return tuple(outs)
"""


def source(op: Any) -> str:
    """Return the text of the call of an operation with given tensors and one result.

    Or of one that returns views of one tensor, and saves nothing.
    """
    tensors, parameters = op.input_names, op.parameters
    first = tensors[0]
    keywords = [f"{p}={p}" for p in parameters]
    arguments = ", ".join([*tensors, *keywords])
    inputs = [{"input": t, "arguments": arguments} for t in tensors]
    arrays = ", ".join(f"{t}_" for t in tensors)
    likes = ", ".join(f"({t}_.shape, {t}_.dtype, door.device_of({t}_))" for t in tensors)
    of_result = "((result.shape, result.dtype, door.device_of(result)),)"
    values = f"{{{', '.join(f'{p!r}: {p}' for p in parameters)}}}"
    usual = {
        "signature": ", ".join([*tensors, *(["*"] if parameters else []), *parameters]),
        "arguments": arguments,
        "first": first,
        "tensors": each(IS_TENSOR, inputs),
        "arrays": each("{input}_ = {input}._array", inputs),
        "own_memory": filled(OWN_MEMORY, first=first, arguments=arguments) if op.view else "",
        "edges": each(EDGE, inputs),
        "forwarded": ", ".join([arrays, *keywords]),
    }
    if not op.output_names:
        return filled(VIEWS, values=values, **usual)
    return filled(
        CALL,
        **usual,
        operands=", ".join(tensors),
        doors=each(SAME_DOOR, inputs[1:]),
        nothing=" and ".join(f"{t}_edge is None" for t in tensors),
        new_tensor=NEW_TENSOR,
        inexact=repr(INEXACT),
        view=filled(VIEW, first=first) if op.view else "",
        recorded=recorded(
            tensors,
            lambda needs: _case(op, tensors, needs),
            f"{first}_",
            f"({likes},), {of_result if op.kind == 'composite' else '()'}, {values}",
        ),
    )


def _case(op: Any, tensors: Sequence[str], needs: tuple[bool, ...]) -> Case:
    """Return how a call is recorded in which ``needs`` marks the inputs with gradients."""
    keeps = op.kept(needs, 1) or ()
    kept = [t for t, k in zip(tensors, keeps, strict=False) if k]
    values = [t if t in kept else "None" for t in tensors]
    values += ["kept"] if keeps and keeps[-1] else []
    return Case(needs, f"rule_{marks(needs)}", values, [was_written(t) for t in kept])


BACKWARD = """\
def backward(node, g):
    if {not_plain}:
        return general(node, g)
    result = g
    {new_tensor}
    likes, _, params = node.params
    {saved}
    {gradients}
    return {results},
"""

GRADIENT = """\
grad{index} = gradient_{input}({values})
array{index} = grad{index}._array
if array{index}.dtype is not likes[{index}][1] or array{index}.shape != likes[{index}][0]:
    array{index} = fit(grad{index}, {like}, node.inputs[{index}])._array
"""


def backward_source(op: Any, needs: tuple[bool, ...]) -> str:
    """Return the text of the backward of arrays for the inputs that ``needs`` marks."""
    saves = op.kept(needs, 1) is not None
    found = {
        k: t
        for k, (t, needed) in enumerate(zip(op.input_names, needs, strict=True))
        if needed and t in op.rules
    }
    return filled(
        BACKWARD,
        not_plain="mode.enabled" + (" or node.saved is None" if saves else ""),
        new_tensor=NEW_TENSOR,
        saved=f"saved = unpack(node, {len(needs)})" if saves else "",
        gradients=each(
            GRADIENT,
            (
                {
                    "index": str(k),
                    "input": t,
                    "like": f"likes[{k}][0], likes[{k}][1]",
                    "values": ", ".join(_value(op, name, k) for name in op.rules[t].names),
                }
                for k, t in found.items()
            ),
        ),
        results=", ".join(f"array{k}" if k in found else "None" for k in range(len(needs))),
    )


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
            **known(),
            "Like": saved.Like,
            "fit": op.fit,
            "general": rule.general,
            "new_tuple": tuple.__new__,
            "unpack": saved.unpack,
            **{f"gradient_{t}": r.function for t, r in op.rules.items()},
        }
        rule.backward = defined("backward", backward_source(op, rule.needs), namespace, repr(op))
        return rule.backward(node, g)

    return compile_first


ALWAYS_GENERAL = """\
def call(*tensors, **params):
    return general(*tensors, **params)
"""


def function(op: Any) -> Callable[..., Any]:
    """Return the function that calls an operation, whose code is written when it first runs.

    What is saved is known when the gradients have been declared.
    """
    namespace: dict[str, Any] = {"op": op, "general": op.general}

    def written() -> Any:
        if not (op.regular or op.divides):
            return defined("call", ALWAYS_GENERAL, namespace)
        namespace.update(
            known(),
            Output=graph.Output,
            SCALARS=backend.SCALARS,
            UNRECORDED=graph.UNRECORDED,
            View=graph.View,
            door_of_array=saved.door_of,
            doors=backend.BACKENDS,
            own_array=saved.own_array,
            shared_counter=saved.shared_counter,
        )
        for needs in masks(len(op.input_names)) if op.regular else ():
            namespace[f"rule_{marks(needs)}"] = op.rule(needs, 1)
        return defined("call", source(op), namespace, repr(op))

    made = written_first("call", written, namespace)
    made.__kwdefaults__ = op.forward.__kwdefaults__
    return made
