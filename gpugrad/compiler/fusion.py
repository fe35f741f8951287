"""Programs made fast: steps that are formulas become loops, as few as there can be.

Steps are looked at one after the other.  Each map joins the latest loop over the same places that
it may stand in: nothing between the two may read what it writes, or write what it reads, and what
it reads of the loop's own results it must read where they are written.  Then the value it reads is
the loop's expression, and what nobody else reads is never written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad.compiler.access import Access, Dimension, Shape, common, identity, moved
from gpugrad.compiler.elements import Map, Reduction, Store, is_sound, maps, only_value, substituted
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.printing import text
from gpugrad.compiler.program import Program, Step, Value, values_in
from gpugrad.formulas import BOOL, REAL, Expression, Formula, call, constant, ordered, variable

DType = np.dtype[Any]

_MOST_OPERANDS = 48  # memory that one loop reads and writes
_MOST_PARTS = 300  # functions of one loop, for the compiler's sake
_FARTHEST = 200  # nodes that are looked at for one to join

# Steps that are for what they do besides their results.
_EFFECTS = ("host", "check_inside")
_ALLOCATIONS = ("empty", "empty_like")


class Fused(Program):
    """A program of which some steps are :class:`Loop`; as text it shows their formulas."""

    def __str__(self) -> str:
        return text(self)


def fused(program: Program) -> Fused:
    """Return a program that gives the same with fewer steps."""
    lasting = {value.root for value in (*program.inputs, *program.outputs)}
    items = _live(_items(program.steps), lasting)
    nodes = _clustered(items, _numbers(program.constants), lasting)
    nodes = _kept(nodes, lasting)
    given = {value.root for value in program.inputs} | {v for v, _ in program.constants}
    steps = list(_steps(nodes, given, _allocations(program.steps), lasting))
    used = {value.root for step in steps for value in step.reads} | lasting
    constants = [(v, a) for v, a in program.constants if v in used]
    return Fused(program.inputs, constants, steps, program.outputs)


# --------------------------------------------------------------------------- what is computed


class Call:
    """A step that stays what it is, and whose memory it reads and writes."""

    def __init__(self, step: Step):
        """Look at a step."""
        self.step = step
        self.written = {v.root for v in step.writes} | {v.root for v in values_in(step.outputs)}
        self.read = {v.root for v in step.reads}
        self.has_effects = step.name in _EFFECTS or step.function is not None or not self.written


class Loose:
    """A map that is in no loop yet."""

    def __init__(self, made: Map):
        """Look at a map."""
        self.map = made
        self.read = {a.root for _, a in made.inputs}
        self.written = {s.target.root for s in made.stores}
        self.written |= {r.target.root for r in made.reductions}
        self.has_effects = False


def _items(steps: Sequence[Step]) -> list[Call | Loose]:
    items: list[Call | Loose] = []
    for step in steps:
        if step.name in _ALLOCATIONS:
            continue
        found = maps(step)
        if found is None:
            items.append(Call(step))
        else:
            items += [Loose(m) if isinstance(m, Map) else Call(m) for m in found]
    return items


def _allocations(steps: Sequence[Step]) -> dict[Value, Step]:
    return {only_value(step): step for step in steps if step.name in _ALLOCATIONS}


def _live(items: Sequence[Call | Loose], lasting: set[Value]) -> list[Call | Loose]:
    """Return what is not in vain."""
    live, found = set(lasting), []
    for item in reversed(items):
        if item.has_effects or item.written & live:
            live |= item.read
            found.append(item)
    return found[::-1]


def _numbers(constants: Sequence[tuple[Value, Any]]) -> dict[Value, Expression]:
    """Return the constants that are one number."""
    found = {}
    for value, array in constants:
        if value.dtype.kind in "fb" and value.dtype.itemsize != 2 and math.prod(value.shape) == 1:
            number = np.asarray(backend.of(array).to_numpy(array)).item()
            found[value] = constant(number)
    return found


# --------------------------------------------------------------------------- loops


class Cluster:
    """A loop that is growing: what is computed at each place of a domain."""

    has_effects = False

    def __init__(self, sizes: Shape, compute: DType, where: device):
        """Begin with nothing."""
        self.sizes = sizes
        self.compute = compute
        self.device = where
        self.variables: dict[tuple[Access, str], Expression] = {}
        self.stores: dict[Access, Expression] = {}
        self.reductions: list[Reduction] = []
        self.parts = 0

    @property
    def read(self) -> set[Value]:
        """In whose memory it reads."""
        return {a.root for a, _ in self.variables}

    @property
    def written(self) -> set[Value]:
        """In whose memory it writes."""
        return {a.root for a in self.stores} | {r.target.root for r in self.reductions}

    def joined(self, found: Map) -> bool:
        """Take a map in, if it may be computed at the same places."""
        if self.compute != found.compute or self.parts > _MOST_PARTS:
            return False
        if len(self.variables) + len(self.stores) + len(found.inputs) > _MOST_OPERANDS:
            return False
        for dimensions in self._ways(found):
            if self._agrees(found, dimensions):
                self._take(found, dimensions)
                return True
        return False

    def _ways(self, found: Map) -> Iterator[Sequence[Dimension]]:
        """Go through the ways in which the domains may be one."""
        if found.sizes == self.sizes:
            yield identity(self.sizes)
        elif math.prod(found.sizes) != math.prod(self.sizes):
            return
        own = {a.root: a for a, _ in self.variables} | {a.root: a for a in self.stores}
        for a in (*(a for _, a in found.inputs), *(s.target for s in found.stores)):
            met = own.get(a.root)
            if met is not None and met.offset == a.offset:
                way = common((self.sizes, met.strides), (found.sizes, a.strides))
                if way is not None:
                    yield way

    def _agrees(self, found: Map, dimensions: Sequence[Dimension]) -> bool:
        """Tell whether a map reads and writes in place what this loop does, and touches it."""
        pair = self.reductions[:1] + list(found.reductions[:1])
        if len(pair) == 2 and self._axes(pair[0], dimensions, 0) != self._axes(
            pair[1], dimensions, 1
        ):
            return False
        stores = {a.root: moved(a, dimensions, 0) for a in self.stores}
        reads: dict[Value, set[Access]] = {}
        for a, _ in self.variables:
            reads.setdefault(a.root, set()).add(moved(a, dimensions, 0))
        totals = {r.target.root for r in self.reductions}
        touches = not self.sizes
        for a in (a for _, a in found.inputs):
            if a.root in totals:
                return False
            if a.root in stores:
                store = next(s for s in self.stores if s.root is a.root)
                if moved(a, dimensions, 1) != stores[a.root]:
                    return False
                if _as_stored(self.stores[store], store.dtype, self.compute) is None:
                    return False
            touches = touches or a.root in stores or a.root in reads
        for s in found.stores:
            root = s.target.root
            own = moved(s.target, dimensions, 1)
            if root in totals or stores.get(root, own) != own:
                return False
            if not reads.get(root, {own}) <= {own}:
                return False
            touches = touches or root in reads or root in stores
        for r in found.reductions:
            if r.target.root in totals or r.target.root in stores or r.target.root in reads:
                return False
        return touches

    def _axes(self, found: Reduction, dimensions: Sequence[Dimension], side: int) -> frozenset[int]:
        return frozenset([k for k, d in enumerate(dimensions) if d.places[side] in found.axes])

    def _take(self, found: Map, dimensions: Sequence[Dimension]) -> None:
        """Take a map in whose domain is that of the loop in this way."""
        if any(d.steps != (1, 1) or d.places[0] != k for k, d in enumerate(dimensions)) or len(
            dimensions
        ) != len(self.sizes):
            self._turn(dimensions)
        values = {v: self._value(moved(a, dimensions, 1), v.kind) for v, a in found.inputs}
        written: list[Store | Reduction] = [*found.stores, *found.reductions]
        outputs = substituted([w.value for w in written], values, self.compute)
        for w, e in zip(written, outputs, strict=True):
            target = moved(w.target, dimensions, 1)
            if isinstance(w, Reduction):
                axes = self._axes(w, dimensions, 1)
                self.reductions.append(Reduction(target, e, w.way, axes))
            else:
                self.stores.pop(target, None)
                self.stores[target] = e
        self.parts = len(ordered([*self.stores.values(), *(r.value for r in self.reductions)]))

    def _turn(self, dimensions: Sequence[Dimension]) -> None:
        """Have other dimensions."""
        self.variables = {
            (moved(a, dimensions, 0), kind): v for (a, kind), v in self.variables.items()
        }
        self.stores = {moved(a, dimensions, 0): e for a, e in self.stores.items()}
        self.reductions = [
            r._replace(target=moved(r.target, dimensions, 0), axes=self._axes(r, dimensions, 0))
            for r in self.reductions
        ]
        self.sizes = tuple([d.size for d in dimensions])

    def _value(self, a: Access, kind: str) -> Expression:
        """Return what is read: an expression of this loop, or a variable."""
        stored = self.stores.get(a)
        if stored is not None:
            found = _as_stored(stored, a.dtype, self.compute)
            assert found is not None
            return _of_kind(found, kind)
        return self.variable(a, kind)

    def variable(self, a: Access, kind: str) -> Expression:
        """Return the variable of what is read from memory."""
        known = self.variables.get((a, kind))
        if known is None:
            known = variable(f"x{len(self.variables)}", kind)
            self.variables[a, kind] = known
        return known

    def keep(self, live: set[Value]) -> bool:
        """Leave out what nobody reads; return whether anything is left."""
        self.stores = {a: e for a, e in self.stores.items() if a.root in live}
        self.reductions = [r for r in self.reductions if r.target.root in live]
        used = set(ordered([*self.stores.values(), *(r.value for r in self.reductions)]))
        self.variables = {key: v for key, v in self.variables.items() if v in used}
        return bool(self.stores or self.reductions)

    def step(self, number: int, made: set[Value]) -> Loop:
        """Return the loop as a step; ``made`` is the memory that is there before."""
        formula = Formula(
            f"loop{number}",
            list(self.variables.values()),
            [*self.stores.values(), *(r.value for r in self.reductions)],
        )
        return Loop(
            self.sizes, self.compute, self.device, formula, [a for a, _ in self.variables],
            [*self.stores], [(r.target, r.way, r.axes) for r in self.reductions], made,
        )  # fmt: skip


def _as_stored(e: Expression, dtype: DType, compute: DType) -> Expression | None:
    """Return what is read of an expression that was stored; ``None``: it was rounded."""
    if e.kind == BOOL:
        return e if dtype.kind == "b" else _as_number(e) if dtype == compute else None
    if e.function == "constant" and dtype == compute:
        return constant(float(dtype.type(e.value)))
    return e if dtype == compute else None


def _of_kind(e: Expression, kind: str) -> Expression:
    if e.kind == kind:
        return e
    if e.function == "constant":
        value: Any = e.value  # a number: it is a constant
        return constant(bool(value) if kind == BOOL else float(value))
    return _as_number(e) if kind == REAL else call("ne", e, 0)


def _as_number(e: Expression) -> Expression:
    """Return truth as 1 and 0, in a way that there are vectors for."""
    return call("where", e, 1.0, 0.0)


def _clustered(
    items: Sequence[Call | Loose], numbers: dict[Value, Expression], lasting: set[Value]
) -> list[Call | Cluster]:
    nodes: list[Call | Cluster] = []
    needed = lasting.union(*[item.read for item in items if isinstance(item, Call)])
    known: dict[Value, Map] = {}  # what is cheaper to compute than to read
    for item in items:
        if isinstance(item, Call):
            nodes.append(item)
        else:
            item = _recomputed(_simplified(item, numbers), known)
            if not _join(item, nodes):
                where = next(iter(item.written)).device
                new = Cluster(item.map.sizes, item.map.compute, where)
                new._take(item.map, identity(item.map.sizes))
                nodes.append(new)
        for root in item.written:
            numbers.pop(root, None)
        known = {
            root: made
            for root, made in known.items()
            if root not in item.written and not any(a.root in item.written for _, a in made.inputs)
        }
        if isinstance(item, Loose):
            _learn(item.map, numbers)
            known |= {root: made for root, made in _cheap(item.map) if root not in needed}
    return nodes


_CHEAP = frozenset(
    {
        "add", "sub", "mul", "div", "neg", "eq", "ne", "lt", "le", "gt", "ge", "both", "either",
        "untrue", "where", "abs", "maximum", "minimum", "number",
    }
)  # fmt: skip
_FEW_PARTS, _FEW_INPUTS = 16, 2


def _cheap(made: Map) -> Iterator[tuple[Value, Map]]:
    """Return what a map stores that is as soon computed again as it is read."""
    written = {s.target.root for s in made.stores}
    for target, e in made.stores:
        parts = ordered((e,))
        used = set(parts)
        inputs = tuple([(v, a) for v, a in made.inputs if v in used])
        if (
            len(parts) <= _FEW_PARTS
            and len(inputs) <= _FEW_INPUTS
            and all(p.function in _CHEAP for p in parts if p.args)
            and not any(a.root in written for _, a in inputs)  # which is not there any more
            and _as_stored(e, target.dtype, made.compute) is e
            and covers(target, made.sizes)
        ):
            yield target.root, Map(made.sizes, made.compute, inputs, (Store(target, e),))


def _recomputed(item: Loose, known: dict[Value, Map]) -> Loose:
    """Return a map that computes what is cheap instead of reading it."""
    made = item.map
    if not any(a.root in known for _, a in made.inputs):
        return item
    values: dict[Expression, Expression] = {}
    inputs: list[tuple[Expression, Access]] = []
    for v, a in made.inputs:
        found = _inlined(a, made, known.get(a.root))
        if found is None:
            found = v, [(v, a)]
        new = [
            (variable(f"operand{len(inputs) + k}", w.kind), b) for k, (w, b) in enumerate(found[1])
        ]
        renamed = {w: n for (w, _), (n, _) in zip(found[1], new, strict=True)}
        (e,) = substituted((found[0],), renamed, made.compute)
        values[v] = _of_kind(e, v.kind)
        inputs += new
    wider = _with(made, inputs, values)
    return wider if len(inputs) <= _MOST_OPERANDS and is_sound(wider.map) else item


def _inlined(
    a: Access, made: Map, source: Map | None
) -> tuple[Expression, list[tuple[Expression, Access]]] | None:
    """Return what an access reads as an expression of other accesses of the same domain."""
    if source is None or source.compute != made.compute or 0 in a.strides:
        return None
    target, e = source.stores[0]
    if target.offset != a.offset or target.dtype != a.dtype:
        return None
    dimensions = common((source.sizes, target.strides), (made.sizes, a.strides))
    if dimensions is None or len(dimensions) != len(made.sizes):
        return None
    turned = sorted(dimensions, key=lambda d: d.places[1])
    return e, [(v, moved(b, turned, 0)) for v, b in source.inputs]


def _with(
    made: Map, inputs: Sequence[tuple[Expression, Access]], values: dict[Expression, Expression]
) -> Loose:
    """Return a map of other inputs, in which its own are some expressions of these."""
    written: list[Store | Reduction] = [*made.stores, *made.reductions]
    outputs = substituted([w.value for w in written], values, made.compute)
    replaced = [w._replace(value=e) for w, e in zip(written, outputs, strict=True)]
    stores = tuple([w for w in replaced if isinstance(w, Store)])
    reductions = tuple([w for w in replaced if isinstance(w, Reduction)])
    return Loose(Map(made.sizes, made.compute, tuple(inputs), stores, reductions))


def _simplified(item: Loose, numbers: dict[Value, Expression]) -> Loose:
    """Return a map in which memory that is all one number is that number."""
    made = item.map
    values = {v: _of_kind(numbers[a.root], v.kind) for v, a in made.inputs if a.root in numbers}
    if not values:
        return item
    inputs = [(v, a) for v, a in made.inputs if a.root not in numbers]
    return _with(made, inputs, values | {v: v for v, _ in inputs})


def _learn(made: Map, numbers: dict[Value, Expression]) -> None:
    """Remember memory that a map fills with one number."""
    for target, e in made.stores:
        if e.function == "constant" and covers(target, made.sizes) and target.dtype.kind in "fb":
            numbers[target.root] = constant(target.dtype.type(e.value).item())


def covers(target: Access, sizes: Shape) -> bool:
    """Tell whether all of a root is written."""
    count = math.prod([n for n, s in zip(sizes, target.strides, strict=True) if s])
    return target.dtype == target.root.dtype and count == math.prod(target.root.shape)


def _join(item: Loose, nodes: Sequence[Call | Cluster]) -> bool:
    """Let a map join the latest loop that it may; return whether there is one."""
    where = next(iter(item.written)).device
    for node in nodes[: -_FARTHEST - 1 : -1]:
        if isinstance(node, Cluster) and node.device == where and node.joined(item.map):
            return True
        if item.read & node.written or item.written & (node.read | node.written):
            return False
    return False


def _kept(nodes: Sequence[Call | Cluster], lasting: set[Value]) -> list[Call | Cluster]:
    """Return the nodes without what nobody reads."""
    live, found = set(lasting), []
    for node in reversed(nodes):
        if isinstance(node, Cluster):
            if not node.keep(live):
                continue
        elif not (node.has_effects or node.written & live):
            continue
        live |= node.read
        found.append(node)
    return found[::-1]


def _steps(
    nodes: Sequence[Call | Cluster],
    made: set[Value],
    allocations: dict[Value, Step],
    lasting: set[Value],
) -> Iterator[Step]:
    count = 0
    for node in nodes:
        if isinstance(node, Call):
            for root in sorted(node.read | node.written, key=lambda v: v.number):
                if root in allocations and root not in made:
                    made.add(root)
                    yield allocations[root]
            yield node.step
        else:
            step = node.step(count, made)
            count += 1
            for a in step.partly:
                made.add(a.root)
                yield allocations[a.root]
            yield step
        made |= node.written
    for root, allocation in allocations.items():  # of what nobody writes
        if root in lasting and root not in made:
            yield allocation
