"""Whole-array operations: their calls, written out once per operation from its declaration.

The signature says which arguments are tensors and which parameters, the gradients' signatures
what is saved.  Operations with any number of tensors, with views for several results that are not
of one tensor, or with an index that are not linear, are called by
:meth:`gpugrad.op.operation.Operation.general`.

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
    Case,
    defined,
    each,
    filled,
    known,
    marks,
    masks,
    new_tensor,
    recorded,
    tuple_of,
    was_written,
    written_first,
)

CALL = """\
def call({signature}):
    {tensors}
    {unbatched}
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
    {owned}
    {recorded}
"""

# Where results are marked, an integer among them is told by its counter when it was made.
SEVERAL = """\
def call({signature}):
    {tensors}
    {arrays}
    door = doors.get({first}_.__class__) or door_of_array({first}_)
    {doors}
    {edges}
    records = False if {nothing} else mode.enabled
    if inferring or (records is not True and records):
        return general({arguments})
    try:
        {results} = op.forward(door, {forwarded})
    except MemoryError as error:
        tell(error)
        raise
    {new_tensors}
    if not records:
        return {outs}
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

UNBATCHED = """\
if batched({index}):
    return general({arguments})
"""

# An index that its owner may write to is copied, or saved with the call.
OWNED = """\
owned = ()
if {index}.__class__ is not Index:
    {index} = copied({index})
elif {index}.owners:
    owned = (*{index}.owners, None)
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
    """Return the text of the call of an operation with given tensors and results.

    Or of one that returns views of one tensor, and saves nothing.
    """
    tensors, parameters = op.input_names, op.parameters
    first = tensors[0]
    keywords = [f"{p}={p}" for p in parameters]
    arguments = ", ".join([*tensors, *keywords])
    inputs = [{"input": t, "arguments": arguments} for t in tensors]
    arrays = ", ".join(f"{t}_" for t in tensors)
    likes = ", ".join(f"({t}_.shape, {t}_.dtype, door.device_of({t}_))" for t in tensors)
    results = op.results
    where = f"door.device_of(result{results[0]})" if results else ""
    of_results = tuple_of([f"(result{r}.shape, result{r}.dtype, {where})" for r in results])
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
    several = len(results) > 1
    usual |= {
        "doors": each(SAME_DOOR, inputs[1:]),
        "nothing": " and ".join(f"{t}_edge is None" for t in tensors),
        "recorded": recorded(
            tensors,
            lambda needs: _case(op, tensors, needs),
            f"{first}_",
            f"({likes},), {of_results if several or op.kind == 'composite' else '()'}, {values}",
            results,
        ),
    }
    if several:
        return filled(
            SEVERAL,
            **usual,
            results=", ".join(f"result{r}" for r in results),
            new_tensors="".join(map(new_tensor, results)),
            outs=", ".join(f"out{r}" for r in results),
        )
    return filled(
        CALL,
        **usual,
        operands=", ".join(tensors),
        unbatched=filled(UNBATCHED, index=op.arrays, arguments=arguments) if op.arrays else "",
        owned=filled(OWNED, index=op.arrays) if op.arrays else "",
        new_tensor=new_tensor(),
        inexact=repr(INEXACT),
        view=filled(VIEW, first=first) if op.view else "",
    )


def _case(op: Any, tensors: Sequence[str], needs: tuple[bool, ...]) -> Case:
    """Return how a call is recorded in which ``needs`` marks the inputs with gradients."""
    if op.arrays:
        return Case(needs, f"rule_{marks(needs)}", ["*owned"], ["owned"])
    names = [*tensors, *(f"kept{r}" for r in op.results)]
    keeps = op.kept(needs, len(op.results)) or (False,) * len(names)
    values = [n if k else "None" for n, k in zip(names, keeps, strict=True)]
    kept = [t for t in tensors if t in values]
    return Case(needs, f"rule_{marks(needs)}", values, [was_written(t) for t in kept])


BACKWARD = """\
def backward(node, g):
    {elsewhere}
    {arrived}
    likes, _, params = node.params
    {saved}
    {together}
    {gradients}
    return {results},
"""

ARRIVED = "out{of} = None if g[{index}] is None else wrap(g[{index}])\n"
HANDED_ON = "out{of} = g[{index}]\n"

IS_RECORDED = """\
if mode.enabled:
    return recorded(node, g)
"""
IS_FREED = """\
if node.saved is None:
    return general(node, g)
"""

SAVED = "saved = unpack(node, {count})\n"

# An index is a parameter, and what is saved are its owners.
OWNERS_CHECKED = """\
if node.saved:
    unpack(node, len(node.saved) - 1)
"""

GRADIENT = """\
grad{index} = {value}
if grad{index} is not None:
    if grad{index}._array.dtype is not {like}[1] or grad{index}._array.shape != {like}[0]:
        grad{index} = fit(grad{index}, {like}[0], {like}[1], node.inputs[{index}])
    {unwrapped}
"""


def backward_source(op: Any, needs: tuple[bool, ...], recorded: bool) -> str:
    """Return the text of the backward for the inputs that ``needs`` marks.

    It is of tensors where gradients are ``recorded``, and else of arrays.
    """
    saves = op.kept(needs, len(op.results)) is not None
    saved = filled(SAVED, count=len(needs)) if saves else ""
    if len(op.results) == 1:
        arrived = "out = g\n" if recorded else "result = g\n" + new_tensor()
    else:
        asked = {n for rule in op.rules.values() for n in rule.names}
        places = {r: k for k, r in enumerate(op.results)}
        arrived = each(
            HANDED_ON if recorded else ARRIVED,
            (
                {"of": r, "index": str(k)}
                for r, k in places.items()
                if f"g{r}" in asked or (k == 0 and "g" in asked)
            ),
        )
    one = "inputs" in op.rules
    found = {
        k: t
        for k, (t, needed) in enumerate(zip(op.input_names, needs, strict=True))
        if needed and (one or t in op.rules)
    }
    return filled(
        BACKWARD,
        elsewhere=("" if recorded else IS_RECORDED) + IS_FREED * (saves or bool(op.arrays)),
        arrived=arrived,
        saved=OWNERS_CHECKED if op.arrays else saved,
        together=f"grads = {_called(op, 'inputs', 0)}" if one else "",
        gradients=each(
            GRADIENT,
            (
                {
                    "index": str(k),
                    "like": f"likes[{k}]",
                    "value": _called(op, t, k) if t in op.rules else f"grads[{k}]",
                    "unwrapped": "" if recorded else f"grad{k} = grad{k}._array",
                }
                for k, t in found.items()
            ),
        ),
        results=", ".join(f"grad{k}" if k in found else "None" for k in range(len(needs))),
    )


def _called(op: Any, rule: str, index: int) -> str:
    """Return the call of the rule of an input, or of that of all."""
    values = ", ".join(_value(op, name, index) for name in op.rules[rule].names)
    return f"gradient_{rule}({values})"


def _value(op: Any, name: str, index: int) -> str:
    if name == "g":
        return f"out{op.results[0]}"
    if name.startswith("g_"):
        return f"out_{name[2:]}"
    if name == "needs":
        return name
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
            "needs": rule.needs,
            "new_tuple": tuple.__new__,
            "unpack": saved.unpack,
            "wrap": saved.wrap,
            **{f"gradient_{t}": r.function for t, r in op.rules.items()},
        }

        def written(recorded: bool) -> Any:
            text = backward_source(op, rule.needs, recorded)
            return defined("backward", text, namespace, repr(op))

        namespace["recorded"] = written_first("backward", lambda: written(True), namespace)
        rule.backward = written(False)
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
            SCALARS=backend.SCALARS,
            UNRECORDED=graph.UNRECORDED,
            View=graph.View,
            door_of_array=saved.door_of,
            doors=backend.BACKENDS,
            batched=op.batched,
            copied=op.copied,
            Index=op.index_class,
            own_array=saved.own_array,
            shared_counter=saved.shared_counter,
        )
        for needs in masks(len(op.input_names)) if op.regular else ():
            namespace[f"rule_{marks(needs)}"] = op.rule(needs, len(op.results))
        return defined("call", source(op), namespace, repr(op))

    made = written_first("call", written, namespace)
    made.__kwdefaults__ = op.forward.__kwdefaults__
    return made
