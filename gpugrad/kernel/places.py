"""Where a kernel's values are kept while its text is followed."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpugrad.formulas import Expression
from gpugrad.kernel.types import FALSE, Type, Value


@dataclass(eq=False)
class Slot:
    """A variable; ``default`` is its value where nothing set it."""

    name: str
    type: Type
    default: Value | None = None


@dataclass(eq=False)
class Row:
    """An array of variables, of one dimension or more."""

    slots: list[Slot]
    sizes: tuple[int, ...]


@dataclass(eq=False)
class Raw:
    """A raw parameter: all of an array."""

    name: str
    type: Type
    ndim: int
    output: bool


@dataclass(frozen=True)
class Element:
    """An element of a raw parameter, by the expression of its place."""

    raw: Raw
    index: Expression
    type: Type
    default: Value | None = None


@dataclass(frozen=True)
class Added:
    """What is added to an element of a raw parameter."""

    raw: Raw
    index: Expression
    type: Type
    default: Value | None = None


@dataclass(frozen=True)
class Flag:
    """Whether an element was written."""

    of: Element | Added
    type: Type = FALSE.type
    default: Value | None = FALSE


Place = Slot | Element | Added | Flag
State = dict[Place, Value | None]


@dataclass
class Frame:
    """What ``break`` and ``continue`` mean in the innermost loop or switch; None: nothing."""

    broken: Slot | None = None
    continued: Slot | None = None


@dataclass
class Scope:
    """What a function sees: its names in blocks within each other, and where its result goes."""

    blocks: list[dict[str, object]]
    types: dict[str, Type] = field(default_factory=dict)
    returned: Slot | None = None
    value: Slot | None = None
    frames: list[Frame] = field(default_factory=list)
