"""Elementwise operations: what runs for plain operands, written out once per operation.

Most calls have float32, float64 or float16 operands, of one type, or a number.
For these the text of one function holds the whole way from the operands to the recorded node, and
of another that from the gradient of the result to the gradients of the inputs; both are generated
from the formula.  The texts for a GPU differ from those for NumPy in that one kernel computes each
value, and all gradients.  NumPy's halves take these, too: a value is computed in single precision
and rounded once.  NumPy's integers and truth values, of which nothing is recorded, take a shorter
text.  Everything else takes the general way of :mod:`gpugrad.op`.

>>> import gpugrad
>>> print(gpugrad.mul.op.source)  # doctest: +ELLIPSIS
def mul(input, other):
    if input.__class__ is not Tensor and input.__class__ is not Parameter:
        return general(input, other)
...
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.backend import cpu
from gpugrad.backend.batched import BatchedBackend
from gpugrad.formulas import BOOL, Expression, Formula, Product
from gpugrad.op import saved
from gpugrad.op.autocast import guarded
from gpugrad.op.generated.template import (
    EDGE,
    Case,
    Head,
    defined,
    filled,
    known,
    marks,
    masks,
    new_tensor,
    plain_head,
    recorded,
    was_written,
    written_first,
)
from gpugrad.op.rule import recorded_total

FLOATS = frozenset(map(np.dtype, (np.float32, np.float64)))
EXACT = frozenset(map(np.dtype, ("?", "u1", "i1", "i2", "i4", "i8")))  # PyTorch's common ones
HOST = frozenset({np.ndarray, *(kind.type for kind in FLOATS | EXACT)})


# --------------------------------------------------------------------------- forward

# Errors are of shapes that do not broadcast, of numbers out of range, of another thread that
# computes quietly, and of too little memory.
CALL = """\
def {name}({head.parameters}):
    if {head.unusual}{first}.__class__ is not Tensor and {first}.__class__ is not Parameter:
        return {head.unusually}
    {x} = {first}._array
    if {x}.__class__ is not ndarray and {x}.__class__ not in HOST:
        return {elsewhere}({parameters})
    kind = {x}.dtype
    if {not_plain}:
        return {not_plainly}({parameters})
    {observed}
    {edge}
    try:
        {others}
        {result}
    except (ValueError, OverflowError, RuntimeError, MemoryError):
        return general({parameters})
    {new_tensor}
    if {nothing} or mode.enabled is not True:
        if inferring:
            mark(out, {parameters})
        return out if {nothing} or not mode.enabled else general({parameters})
    {same}
    {recorded}
"""

# No kernel is launched in vain where there is more to do than to record.
OBSERVED = """\
if mode.enabled is not True and mode.enabled:
    return general({parameters})
"""

OTHER = """\
{other}_class = {other}.__class__
if {other}_class is Tensor or {other}_class is Parameter:
    {y} = {other}._array
    if {y}.dtype is not kind or ({y}.__class__ is not ndarray and {y}.__class__ not in HOST):
        return general({parameters})
    {edge}
elif {is_number}:
    {y} = {number}
    {other}_edge = None
else:
    return general({parameters})
"""

# A tensor of truth values, which has no gradient; any other is told the general way.
CONDITION = """\
{other}_class = {other}.__class__
if {other}_class is not Tensor:
    return general({parameters})
{y} = {other}._array
if {y}.dtype is not truth or ({y}.__class__ is not ndarray and {y}.__class__ not in HOST):
    return general({parameters})
{other}_edge = None
"""

COMPUTED = "result = quietly(compute, {arrays})\n"
AMPLY = "result = (amply if {large} else quietly)(compute, {arrays})\n"
EVALUATED = "(result,) = evaluated(formula, ({arrays},){leading})\n"
BY_SIZE = """\
if {large}:
    {evaluated}
else:
    {computed}
"""

# Of two vectors, whose lengths do not broadcast; an overflow of their sum is no warning either.
TOTAL = """\
if {x}.ndim != 1 or {y}.shape != {x}.shape:
    return general({parameters})
result = quietly(compute, {arrays})
"""

# Which second operands are no tensors: the user's numbers, those where nothing is recorded, none,
# or what a node has saved of them.
GIVEN = (
    "{other}_class is float or {other}_class is int",
    "quietly({single}.type, {other})",
)
UNRECORDED = "{first}_edge is None and (" + GIVEN[0] + ")", GIVEN[1]
NONE = "False", "None"
SAVED = "{other}_class in HOST and {other}.dtype is kind", "{other}"


def forward_source(
    op: Any,
    numbers: tuple[str, str] = GIVEN,
    kernels: bool = False,
    head: Head | None = None,
) -> str:
    """Return the text of the function of an operation.

    ``general`` in it takes operands of any kind, ``elsewhere`` those whose arrays are not NumPy's,
    ``halves`` those of other types.  With ``kernels`` it is the text for a GPU, and for halves;
    with a ``head`` it takes more than operands.
    """
    formula, parameters = op.formula, op.parameters
    arguments = ", ".join(parameters)
    others = list(parameters)
    first = others.pop(op.leading)
    arrays = _arrays(formula)
    ys = list(arrays)
    x = ys.pop(op.leading)
    kinds = _kinds(formula, op.leading)
    result = _evaluated(arrays, op.leading) if kernels else _by_size(formula, op.leading)
    # kernels compute with halves in 32 bits, and with a number that 16 do not hold
    single = "(float32 if kind is float16 else kind)" if kernels else "kind"
    shapes = ", ".join(f"{v}.shape" for v in arrays)
    equal = " and ".join(
        f"({y}.shape == {x}.shape or {p}_class not in PLAIN)"
        for p, y in zip(others, ys, strict=True)
    )
    same, params = f"same = {equal}", f"None if same else ({shapes})"
    if not others:
        same, params = "", "None"
    elif op.total is not None:
        same = ""
        params = f"recorded_total(kind, {x}.shape)"
        result = filled(TOTAL, x=x, y=ys[0], arrays=", ".join(arrays), parameters=arguments)
    plain = ("float32", "float64", "float16") if kernels else ("float32", "float64")
    return filled(
        CALL,
        name=op.function,
        head=head or plain_head(parameters),
        parameters=arguments,
        first=first,
        x=x,
        elsewhere="general" if kernels else "elsewhere",
        not_plain=" and ".join(f"kind is not {kind}" for kind in plain),
        not_plainly="general" if kernels else EXACTLY if op.unrecorded else "halves",
        observed=filled(OBSERVED, parameters=arguments) if kernels else "",
        others=_others(first, others, ys, kinds, arguments, numbers, single, EDGE),
        result=result,
        new_tensor=new_tensor(),
        edge=filled(EDGE, input=first, arguments=arguments),
        nothing=" and ".join(f"{p}_edge is None" for p in parameters),
        same=same,
        recorded=recorded(parameters, lambda needs: _case(op, needs), x, params),
    )


def _arrays(formula: Formula) -> list[str]:
    """Return the names of the operands' arrays."""
    return [f"{v.value}_" for v in formula.inputs]


def _evaluated(arrays: Sequence[str], leading: int) -> str:
    """Return the line by which the backend computes a formula, in the type of one array."""
    place = f", {leading}" if leading else ""
    return filled(EVALUATED, arrays=", ".join(arrays), leading=place)


def _by_size(formula: Formula, leading: int = 0) -> str:
    """Return the lines that compute a formula, large arrays as the backend does."""
    names = _arrays(formula)
    arrays = ", ".join(names)
    if not cpu.gains(formula):
        large = " or ".join(f"{name}.size >= LARGE" for name in names)
        return filled(AMPLY, large=large, arrays=arrays)
    computed = filled(COMPUTED, arrays=arrays)
    large = f"{names[leading]}.size >= LARGE"
    if len(names) > 1:  # a column and a row make more than they are
        shapes = " != ".join(f"{a}.shape" for a in names)
        apart = shapes if len(names) == 2 else f"are_many(({arrays}))"
        large += f" or ({' * '.join(f'{a}.size' for a in names)} >= LARGE and {apart})"
    return filled(BY_SIZE, large=large, evaluated=_evaluated(names, leading), computed=computed)


# Integers and truth values have no gradients: no history is asked for, and only who watches calls
# takes more.  What NumPy refuses, or computes in another type, is told the general way.
SHORT = """\
def {name}({head.parameters}):
    if {head.unusual}{first}.__class__ is not Tensor and {first}.__class__ is not Parameter:
        return {head.unusually}
    {x} = {first}._array
    kind = {x}.dtype
    if kind not in KINDS or ({x}.__class__ is not ndarray and {x}.__class__ not in HOST):
        return general({parameters})
    {observed}
    {edge}
    try:
        {others}
        {untracked}
        {result}
    except (TypeError, ValueError, OverflowError, RuntimeError, MemoryError):
        return general({parameters})
    if result.dtype is not {expected}:
        return general({parameters})
    {new_tensor}
    if inferring:
        mark(out, {parameters})
    return out
"""

# A backward that raises is recorded.
UNTRACKED = """\
if not ({nothing}):
    return general({parameters})
"""
EXACTLY = "(exactly if kind in KINDS else halves)"
EXACT_NUMBERS = "{other}_class is int and kind is not truth", "quietly(kind.type, {other})"
ALL_NUMBERS = (
    f"({EXACT_NUMBERS[0]}) or ({{other}}_class is float and kind.kind == 'f')",
    EXACT_NUMBERS[1],
)


def short_source(op: Any, numbers: tuple[str, str] = GIVEN, head: Head | None = None) -> str:
    """Return the text of the function of an operation for NumPy's arrays, which records nothing.

    It takes those types that are :attr:`unrecorded <gpugrad.op.elementwise.Pointwise.unrecorded>`.
    """
    formula, parameters = op.formula, op.parameters
    arguments = ", ".join(parameters)
    others, ys = list(parameters), _arrays(formula)
    first, x = others.pop(op.leading), ys.pop(op.leading)
    if numbers is not NONE:
        numbers = ALL_NUMBERS if FLOATS & op.unrecorded else EXACT_NUMBERS
    edge = EDGE if op.name and FLOATS & op.unrecorded else ""
    nothing = " and ".join(f"{p}_edge is None" for p in parameters)
    return filled(
        SHORT,
        name=op.function,
        head=head or plain_head(parameters),
        parameters=arguments,
        first=first,
        x=x,
        observed=filled(OBSERVED, parameters=arguments),
        edge=filled(edge, input=first, arguments=arguments),
        others=_others(
            first, others, ys, _kinds(formula, op.leading), arguments, numbers, "kind", edge
        ),
        untracked=filled(UNTRACKED, nothing=nothing, parameters=arguments) if edge else "",
        result=_by_size(formula, op.leading),
        expected="truth" if op.tells else "kind",
        new_tensor=new_tensor(),
    )


def _others(
    first: str,
    others: Sequence[str],
    ys: Sequence[str],
    kinds: Sequence[str],
    arguments: str,
    numbers: tuple[str, str],
    single: str,
    edge: str,
) -> str:
    """Return the lines that take the operands beside the first."""
    is_number, number = numbers
    return "".join(
        filled(
            CONDITION if kind == BOOL else OTHER,
            other=p,
            y=y,
            parameters=arguments,
            edge=filled(edge, input=p, arguments=arguments),
            is_number=is_number.format(first=first, other=p),
            number=number.format(other=p, single=single),
        )
        for p, y, kind in zip(others, ys, kinds, strict=True)
    )


def _kinds(formula: Formula, leading: int) -> list[str]:
    """Return the kinds of the operands beside the leading one."""
    return [v.kind for k, v in enumerate(formula.inputs) if k != leading]


FACTORS = frozenset({"alpha", "beta", "factor"})  # parameters that are always numbers


def _case(op: Any, needs: tuple[bool, ...]) -> Case:
    """Return how a call is recorded in which ``needs`` marks the inputs with gradients."""
    formula, parameters = op.formula, op.parameters
    arrays = _arrays(formula)
    needs = formula.depends(needs)
    sources = set(formula.vjp(needs, (True,)).sources)
    values, written = [], []
    for k, (p, needed) in enumerate(zip(parameters, needs, strict=True)):
        if k + 1 not in sources:
            values.append("None")
        elif k == op.leading or needed:
            values.append(p)
            written.append(was_written(p))
        else:
            values.append(f"{p} if {p}_class in PLAIN else {arrays[k]}")
            written.append(f"({p}_class in PLAIN and {was_written(p)})")
    values.append("kept" if len(parameters) + 1 in sources else "None")
    rule = f"rule_{marks(needs)}"
    if len(arrays) > 1 and op.total is None:
        rule = f"{rule} if same else wide_{marks(needs)}"
    factors = FACTORS.intersection(parameters)
    named = itertools.zip_longest(values, parameters)
    numbers = bool(factors) and all(v == "None" for v, p in named if p not in factors)
    return Case(needs, rule, values, written, numbers)


# A rule of one operation may name others that are declared after it, so that a text can only be
# written when its function is first called.  Inside of a rule, where the operands are expressions,
# it must not be: sin and cos would wait for each other.
FIRST_CALL = """\
def call(*operands, **others):
    if Expression in map(type, operands):
        return general(*operands)
    specialize()
    return again(*operands, **others)
"""
ALWAYS_GENERAL = """\
def call({head.parameters}):
    return {head.unusually}
"""


def forward(
    op: Any,
    general: Callable[..., Any],
    numbers: tuple[str, str] = GIVEN,
    head: Head | None = None,
) -> Callable[..., Any]:
    """Return the function of an operation, which is specialised when it is first called.

    One that neither :attr:`specializes <Pointwise.specializes>` nor has types that are
    :attr:`unrecorded <Pointwise.unrecorded>` takes the general way always.
    """
    namespace = {"__name__": __name__, "Expression": Expression, "general": general}

    def written(namespace: dict[str, Any], door: Any = None, head: Head | None = None) -> Any:
        namespace.update(_known(door), formula=op.formula)
        for needs in masks(len(op.parameters)):
            namespace[f"rule_{marks(needs)}"] = op.plain_rule(needs, False, door)
            namespace[f"wide_{marks(needs)}"] = op.plain_rule(needs, True, door)
        text = forward_source(op, numbers, door is not None, head)
        return defined(op.function, text, namespace)

    def short(namespace: dict[str, Any], head: Head | None = None) -> Any:
        namespace.update(
            _known(), compute=cpu.function_of(op.formula), formula=op.formula, KINDS=op.unrecorded
        )
        return defined(op.function, short_source(op, numbers, head), namespace)

    def specialized() -> Any:
        if not op.specializes:
            if op.unrecorded:
                return short(namespace, head)
            text = filled(ALWAYS_GENERAL, head=head or plain_head(op.parameters))
            return defined("call", text, namespace)
        if op.unrecorded:
            own = {"__name__": __name__, "general": general}
            exactly = written_first(op.function, lambda: short(own), own)
            namespace.update(exactly=exactly, KINDS=op.unrecorded)
        if op.total is None and BOOL not in _kinds(op.formula, op.leading):
            compute = cpu.function_of(op.formula)
            namespace.update(compute=compute, elsewhere=elsewhere, halves=halves)
        else:
            compute = op.total or cpu.function_of(op.formula)
            namespace.update(compute=compute, elsewhere=general, halves=general)
            namespace.update(recorded_total=recorded_total)
        return written(namespace, head=head)

    def elsewhere(*operands: Any) -> Any:
        door = backend.of(operands[op.leading]._array)
        if door.type == "cpu" or isinstance(door, BatchedBackend):
            return general(*operands)
        made = written({"__name__": __name__, "general": general}, door)
        namespace["elsewhere"] = made = guarded(op.function, made)
        return made(*operands)

    def halves(*operands: Any) -> Any:
        if operands[op.leading]._array.dtype != np.float16:
            return general(*operands)
        made = written({"__name__": __name__, "general": general}, cpu)
        namespace["halves"] = made = guarded(op.function, made)
        return made(*operands)

    return written_first(op.function, specialized, namespace, FIRST_CALL)


# --------------------------------------------------------------------------- backward

BACKWARD = """\
def {name}(node, g):
    {saved}
    if {not_plain}:
        return general(node, g)
    {loaded}
    {gradients}
"""

# What was saved: an array where it is not as it was is not seen as written, the general way says.
LOADED_INPUT = """\
{array} = saved[{place}]
if {array}.__class__ is Tensor or {array}.__class__ is Parameter:
    if {array}._counter is not None and {array}._counter.value != {expected}:
        return general(node, g)
    {array} = {array}._array
"""
LOADED_OUTPUT = """\
{array} = saved[{place}]
if {array}.value != {expected}:
    return general(node, g)
{array} = {array}.array
"""

SAME_SHAPES = """\
{large}
{statements}
return {results},
"""
LARGE_SAME_SHAPES = """\
if {last}.size >= LARGE:
    {computed}
    return {results},
"""
POOLED = "{targets} = pooled(compute, {arrays})\n"

# What was broadcast is summed.
SEVERAL_SHAPES = """\
shape = g.shape
shapes = node.params
{sums}
return {results},
"""
SUM = """\
if g.size >= LARGE:
    grad{index} = summed(formula{index}, ({arrays}), shapes[{index}])
else:
    {statements}
    grad{index} = {gradient}
    if shapes[{index}] != shape:
        grad{index} = sum_to_shape(grad{index}, shapes[{index}])
"""

ONE_KERNEL = """\
{launched}
return {results},
"""
LAUNCHED = "{targets}, = evaluated(formula, ({arrays},))\n"
KERNEL_AND_SUMS = "return parted(needs, ({values}), node.params)\n"


def backward_source(
    formula: Formula, needs: tuple[bool, ...], wide: bool, kernels: bool = False
) -> str:
    """Return the text of the backward of arrays for the inputs that ``needs`` marks.

    It is ``wide`` where the operands had different shapes: what was broadcast is summed.
    With ``kernels`` it is the text for a GPU.
    """
    found = formula.vjp(needs, (True,))
    names = {
        s: f"{variable.value}_" if s else "g"
        for s, variable in zip(found.sources, found.formula.inputs, strict=True)
    }
    saves = any(found.sources)
    write = _kernels_written if kernels else _arrays_written
    return filled(
        BACKWARD,
        name=f"{formula.name}_backward",
        saved="saved = node.saved" if saves else "",
        not_plain="g.__class__ not in HOST" + (" or saved is None" if saves else ""),
        loaded="".join(
            filled(
                LOADED_OUTPUT if s > len(needs) else LOADED_INPUT,
                array=names[s],
                place=str(s - 1),
                expected=f"(node.versions[{s - 1}] if node.versions else 0)",
            )
            for s in found.sources
            if s
        ),
        gradients=write(formula, found, needs, wide, names),
    )


def _arrays_written(
    formula: Formula,
    found: Product,
    needs: tuple[bool, ...],
    wide: bool,
    names: Mapping[int, str],
) -> str:
    """Return the lines that compute and return the gradients as NumPy's arrays."""
    if wide:
        grads = {k: f"grad{k}" for k in found.targets}
        sums = "".join(_summed(formula, k, len(needs), names) for k in found.targets)
        return filled(SEVERAL_SHAPES, sums=sums, results=_results(needs, grads))
    statements, texts = _lines(found, names)
    large = ""
    computed, some, used = _computed(found)
    if computed and all(e.args for e in some.outputs):
        handed_on = dict(zip(found.targets, texts, strict=True))
        made = {found.targets[k]: f"grad{found.targets[k]}" for k in computed}
        large = filled(
            LARGE_SAME_SHAPES,
            computed=filled(
                LAUNCHED if cpu.gains(some) else POOLED,
                targets=", ".join(made.values()),
                arrays=", ".join(names[found.sources[k]] for k in used),
            ),
            last=names[found.sources[used[-1]]],  # of a dot product, g is one number
            results=_results(needs, handed_on | made),
        )
    return filled(
        SAME_SHAPES,
        large=large,
        statements="\n".join(statements),
        results=_results(needs, dict(zip(found.targets, texts, strict=True))),
    )


def _kernels_written(
    formula: Formula,
    found: Product,
    needs: tuple[bool, ...],
    wide: bool,
    names: Mapping[int, str],
) -> str:
    """Return the lines that compute and return the gradients as arrays of a GPU."""
    if wide:
        values = ", ".join(names.get(k, "None") for k in range(len(needs) + 2))
        return filled(KERNEL_AND_SUMS, values=values)
    _, texts = _lines(found, names)
    computed, _, used = _computed(found)
    for k in computed:
        texts[k] = f"grad{found.targets[k]}"
    launched = filled(
        LAUNCHED,
        targets=", ".join(texts[k] for k in computed),
        arrays=", ".join(names[found.sources[k]] for k in used),
    )
    results = _results(needs, dict(zip(found.targets, texts, strict=True)))
    return filled(ONE_KERNEL, launched=launched if computed else "", results=results)


def _results(needs: tuple[bool, ...], texts: Mapping[int, str]) -> str:
    return ", ".join(texts.get(k, "None") for k in range(len(needs)))


def _lines(found: Product, names: Mapping[int, str]) -> tuple[list[str], list[str]]:
    """Return the lines that compute some gradients; what is handed on needs no copy."""
    statements, texts = found.formula.python_lines([names[s] for s in found.sources])
    for k, e in enumerate(found.formula.outputs):
        if e.function == "variable":
            texts[k] = names[found.sources[found.formula.inputs.index(e)]]
    return statements, texts


def _computed(found: Product) -> tuple[tuple[int, ...], Formula, tuple[int, ...]]:
    """Return which gradients are not just handed on, their formula, and which inputs it has."""
    outputs = [k for k, e in enumerate(found.formula.outputs) if e.function != "variable"]
    return tuple(outputs), *found.formula.part(tuple(outputs))


def _alone(index: int, count: int) -> tuple[bool, ...]:
    return tuple(k == index for k in range(count))


def _summed(formula: Formula, index: int, count: int, names: Mapping[int, str]) -> str:
    """Return the lines for one gradient where operands were broadcast."""
    found = formula.vjp(_alone(index, count), (True,))
    statements, (text,) = _lines(found, names)
    return filled(
        SUM,
        index=str(index),
        statements="\n".join(statements),
        gradient=text,
        arrays="".join(f"{names[s]}, " for s in found.sources),
    )


def backward(rule: Any, wide: bool, door: Any = None) -> Callable[..., Any]:
    """Return the specialised backward of a rule, for arrays of NumPy or of a GPU's backend."""
    formula, needs = rule.op.formula, rule.needs
    found = formula.vjp(needs, (True,))
    namespace = _known(door)
    if door is None:
        namespace |= {name: getattr(cpu, name) for name in ("pooled", "sum_to_shape", "summed")}
        namespace["formula"] = some = _computed(found)[1]
        if some.outputs:
            namespace["compute"] = cpu.function_of(some)
        namespace["general"] = backward_of_tensors(rule, wide)
        for k in range(len(needs)):
            namespace[f"formula{k}"] = formula.vjp(_alone(k, len(needs)), (True,)).formula
    else:
        namespace |= {"needs": needs, "parted": rule.op.parted, "formula": _computed(found)[1]}
        namespace["general"] = rule.general
    text = backward_source(formula, needs, wide, door is not None)
    return defined(f"{formula.name}_backward", text, namespace)


# One call for each gradient, which is recorded.
RECORDED_BACKWARD = """\
def {name}(node, g):
    if {not_plain}:
        return general(node, g)
    {saved}
    {gradients}
    return {results},
"""
DERIVED = """\
grad{index} = {gradient}
{fitted}
"""
FITTED = "grad{index} = fit(grad{index}, node.params[{index}], g._array.dtype)\n"


def recorded_source(formula: Formula, needs: tuple[bool, ...], wide: bool) -> str:
    """Return the text of the backward of tensors, one call for each gradient."""
    count = len(needs)
    texts = {}
    for k in range(count):
        found = formula.vjp(_alone(k, count), (True,))
        if needs[k] and found.targets:
            values = ["g" if s == 0 else f"saved[{s - 1}]" for s in found.sources]
            handed_on = found.formula.outputs[0].function == "variable"
            texts[k] = values[0] if handed_on else f"derived{k}({', '.join(values)})"
    large = " or g._array.size >= LARGE" if wide else ""
    saves = any(formula.vjp(needs, (True,)).sources)
    return filled(
        RECORDED_BACKWARD,
        name=f"{formula.name}_recorded",
        not_plain=f"g.__class__ is not Tensor or g._array.__class__ not in HOST{large}",
        saved=f"saved = unpack(node, {count})" if saves else "",
        gradients="".join(
            filled(
                DERIVED,
                index=str(k),
                gradient=text,
                fitted=filled(FITTED, index=str(k)) if wide else "",
            )
            for k, text in texts.items()
        ),
        results=_results(needs, {k: f"grad{k}" for k in texts}),
    )


def backward_of_tensors(rule: Any, wide: bool) -> Callable[..., Any]:
    """Return the backward of a rule for gradients that are recorded.

    The derivative of a plain call by one operand is a plain call, too.
    """
    op, needs = rule.op, rule.needs
    namespace = {**_known(), "general": rule.general, "unpack": saved.unpack, "fit": op.fit}
    for k in range(len(needs)):
        found = op.formula.vjp(_alone(k, len(needs)), (True,))
        if found.targets:
            namespace[f"derived{k}"] = op.derived(found).plain_function
    text = recorded_source(op.formula, needs, wide)
    return defined(f"{op.formula.name}_recorded", text, namespace)


# --------------------------------------------------------------------------- functions


def _known(door: Any = None) -> dict[str, Any]:
    """Return what the texts name, for arrays of NumPy or of a GPU's backend."""
    return {
        **cpu.FUNCTIONS,
        **known(),
        "HOST": HOST if door is None else frozenset({door.xp.ndarray}),
        "LARGE": cpu.LARGE if door is None or door is cpu else 0,
        "amply": cpu.amply,
        "are_many": cpu.are_many,
        "evaluated": cpu.evaluated if door is None else door.evaluated,
        "float16": np.dtype(np.float16),
        "float32": np.dtype(np.float32),
        "float64": np.dtype(np.float64),
        "ndarray": np.ndarray if door is None else door.xp.ndarray,
        "quietly": cpu.quietly,
        "truth": np.dtype(bool),
    }
