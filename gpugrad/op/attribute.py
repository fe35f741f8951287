"""PyTorch's attributes of a node: what the call saved, under the names of its arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad.graph import Node
from gpugrad.op.saved import wrap

SAVED, RAW = "_saved_", "_raw_saved_"
_NAMES = {"input": "self", "out": "result", "factor": "other"}  # as PyTorch's formulas call them

# Those that are numbers to PyTorch; other numbers among the operands it keeps as tensors.
_NUMBERS = {
    SAVED + name
    for name in ("alpha", "beta", "eps", "exponent", "lambd", "max", "min", "threshold", "value")
}

# Nodes all of whose numbers are that.
_OF_NUMBERS = (
    "Pow", "DivBackward1", "LerpBackward0", "MulBackward1", "SpecialZetaBackward1",
    "XlogyBackward1", "XlogyBackward2",
)  # fmt: skip

# Which inputs of a call have an edge in PyTorch, where not all have: others are always numbers, or
# conditions.
_EDGES = {
    "AddBackward0": (0, 1),
    "ClampBackward1": (0,),
    "DivBackward1": (0,),
    "IndexFillBackward0": (0,),
    "MaskedFillBackward0": (0,),
    "MulBackward1": (0,),
    "PowBackward2": (1,),
    "RsubBackward1": (1,),
    "ScatterBackward1": (0,),
    "SubBackward0": (0, 1),
    "WhereBackward0": (1, 2),
}

# What nodes know besides, by PyTorch's names: a parameter, or a property of the first input.
_REDUCED = {"dim": "axes", "keepdim": "keepdims"}
_SIZED = {"self_sym_sizes": "input shape"}
_ALONG = {"dim": "axis"}
_CHOSEN = {"dim": "place", "index": "entry"}  # of an index, what is no whole dimension
_SLICED = {"dim": "place", "start": "start", "end": "stop", "step": "step"}
_WINDOWS = {
    "kernel_size": "windows.kernel",
    "stride": "windows.stride",
    "dilation": "windows.dilation",
}
_SPREAD = {**_REDUCED, "correction": "correction"}
_TRANSFORMED = {"dim": "axes", "normalization": "normalization"}
_FACTS: dict[str, dict[str, str]] = {
    "AmaxBackward0": _REDUCED,
    "AminBackward0": _REDUCED,
    "AminmaxBackward0": _REDUCED,
    "AsStridedBackward0": {
        "size": "layout.shape",
        "stride": "layout.strides",
        "storage_offset": "layout.offset",
    },
    "CatBackward0": {"dim": "axis"},
    "CdistBackward0": {"p": "order"},
    "CholeskyBackward0": {"upper": "upper"},
    "CholeskyInverseBackward0": {"upper": "upper"},
    "CummaxBackward0": _ALONG,
    "CumminBackward0": _ALONG,
    "CumprodBackward0": _ALONG,
    "CumsumBackward0": _ALONG,
    "Col2ImBackward0": _WINDOWS,
    "ConvolutionBackward0": {"stride": "windows.stride", "dilation": "windows.dilation"},
    "DiagEmbedBackward0": {"offset": "offset", "dim1": "first", "dim2": "second"},
    "DiagonalBackward0": {"offset": "offset", "dim1": "first", "dim2": "second", **_SIZED},
    "DiagonalScatterBackward0": {"offset": "offset", "dim1": "first", "dim2": "second"},
    "DistBackward0": {"p": "order"},
    "EmbeddingBackward0": {"indices": "entry"},
    "ExpandBackward0": _SIZED,
    "FftC2CBackward0": {**_TRANSFORMED, "forward": "forward"},
    "FftC2RBackward0": _TRANSFORMED,
    "FftR2CBackward0": _TRANSFORMED,
    "FlipBackward0": {"dims": "axes"},
    "Im2ColBackward0": _WINDOWS,
    "IndexAddBackward0": {**_CHOSEN, "source_dim": "second ndim"},
    "IndexBackward0": {"indices": "index", **_SIZED},
    "IndexCopyBackward0": {**_CHOSEN, "source_dim": "second ndim"},
    "IndexReduceBackward0": {"include_self": "include_self"},
    "IndexSelectBackward0": {**_CHOSEN, **_SIZED},
    "KthvalueBackward0": {**_ALONG, "keepdim": "keepdims", **_SIZED},
    "LinalgCholeskyExBackward0": {"upper": "upper"},
    "LinalgCrossBackward0": _ALONG,
    "LinalgQrBackward0": {"mode": "kind"},
    "LinalgSolveTriangularBackward0": {"upper": "upper", "unitriangular": "unit"},
    "LinalgSvdBackward0": {"full_matrices": "full", "S_sym_argsize_minus_1": "rank"},
    "LinalgVectorNormBackward0": {**_REDUCED, "ord": "order"},
    "LogSoftmaxBackward0": _ALONG,
    "LogcumsumexpBackward0": _ALONG,
    "LogsumexpBackward0": _REDUCED,
    "MaskedFillBackward0": {"mask": "mask"},
    "MaskedFillBackward1": {"mask": "mask"},
    "MaskedScatterBackward0": {"mask": "mask"},
    "MaskedSelectBackward0": {"mask": "entry"},
    "MaxBackward0": {"dim": "axis", "keepdim": "keepdims", **_SIZED},
    "MeanBackward0": {**_SIZED, "self_sym_numel": "input size"},
    "MeanBackward1": {**_REDUCED, **_SIZED, "self_sym_numel": "input size"},
    "MedianBackward1": {**_ALONG, "keepdim": "keepdims", **_SIZED},
    "MinBackward0": {"dim": "axis", "keepdim": "keepdims", **_SIZED},
    "MmBackward0": {**_SIZED, "mat2_sym_sizes": "second shape"},
    "ModeBackward0": {**_ALONG, "keepdim": "keepdims", **_SIZED},
    "NanmedianBackward1": {**_ALONG, "keepdim": "keepdims", **_SIZED},
    "NansumBackward0": _REDUCED,
    "NormBackward1": {**_REDUCED, "p": "order"},
    "PermuteBackward0": {"dims": "axes"},
    "ProdBackward1": {"dim": "axes", "keepdim": "keepdims"},
    "PutBackward0": {"accumulate": "accumulate", "index": "entry"},
    "RepeatBackward0": {"repeats": "repeats", **_SIZED},
    "RollBackward0": {"shifts": "shifts", "dims": "axes"},
    "Rot90Backward0": {"k": "k", "dims": "dims"},
    "ScatterReduceBackward0": {"include_self": "include_self"},
    "SelectBackward0": {"dim": "axis", "index": "index", **_SIZED},
    "SelectScatterBackward0": _CHOSEN,
    "SliceBackward0": {**_SLICED, **_SIZED},
    "SliceScatterBackward0": _SLICED,
    "SoftmaxBackward0": _ALONG,
    "SortBackward0": {**_ALONG, **_SIZED},
    "SortBackward1": {**_ALONG, **_SIZED},
    "SplitBackward0": {"dim": "axis", **_SIZED},
    "SplitWithSizesBackward0": {"dim": "axis", "split_sizes": "sizes", **_SIZED},
    "SqueezeBackward0": _SIZED,
    "SqueezeBackward1": {"dim": "axes", **_SIZED},
    "SqueezeBackward2": {"dim": "axes", **_SIZED},
    "StackBackward0": {"dim": "axis"},
    "StdBackward0": _SPREAD,
    "StdMeanBackward0": _SPREAD,
    "SumBackward0": _SIZED,
    "SumBackward1": {**_REDUCED, **_SIZED},
    "TakeBackward0": {"index": "entry"},
    "TopkBackward0": {**_ALONG, **_SIZED},
    "TraceBackward0": _SIZED,
    "TransposeBackward0": {"dim0": "first", "dim1": "second"},
    "TrilBackward0": {"diagonal": "diagonal"},
    "TriuBackward0": {"diagonal": "diagonal"},
    "UnbindBackward0": {"dim": "axis"},
    "UnfoldBackward0": {"dimension": "axis", "size": "length", "step": "step", **_SIZED},
    "UnsafeSplitBackward0": {"dim": "place", **_SIZED},
    "UnsafeSplitWithSizesBackward0": {"dim": "place", **_SIZED},
    "UnsafeViewBackward0": _SIZED,
    "UnsqueezeBackward0": {"dim": "axis"},
    "VarBackward0": _SPREAD,
    "VarMeanBackward0": _SPREAD,
    "ViewBackward0": _SIZED,
}
# What the values that a node saved are called in PyTorch, where that is not the argument's name.
_CALLED = {
    "CholeskyBackward0": {"L": "result"},
    "ConvolutionBackward0": {"self": "input"},
    "DotBackward0": {"other": "tensor"},
    "LinalgDetBackward0": {"self": "A"},
    "LinalgEigBackward0": {"values": "eigenvalues", "vectors": "eigenvectors"},
    "LinalgEighBackward0": {"values": "eigenvalues", "vectors": "eigenvectors"},
    "LinalgHouseholderProductBackward0": {"self": "input"},
    "LinalgLstsqBackward0": {"other": "b"},
    "LinalgPinvBackward0": {"inverse": "result"},
    "LinalgSlogdetBackward0": {"self": "A"},
    "LinalgSolveExBackward0": {"self": "A"},
    "NativeBatchNormBackward0": {"self": "input"},
    "NativeGroupNormBackward0": {"self": "input"},
    "NativeLayerNormBackward0": {"self": "input"},
    "StdMeanBackward0": {"result": "result0"},
}
_ONE_DIMENSION = {
    "AminmaxBackward0",
    "ProdBackward1",
    "SqueezeBackward1",
}  # which they name without a tuple


def missing(node: Node, name: str) -> AttributeError:
    """Return the error for an attribute that a node does not have."""
    return AttributeError(f"'{node.name()}' object has no attribute '{name}'")


class Named:
    """What stands for an operation where a node has nothing but a name."""

    def __init__(self, name: str):
        self.name = name

    def attribute(self, node: Node, name: str) -> Any:
        """Return no attribute.

        Raises:
            AttributeError: Always.
        """
        raise missing(node, name)

    def saved_names(self, node: Node) -> Sequence[str | None]:
        """Return that no values are saved."""
        return ()

    def facts(self, node: Node) -> Mapping[str, Any]:
        """Return that nothing is known."""
        return {}


def pytorchs(names: Sequence[str | None]) -> list[str | None]:
    """Return PyTorch's names of attributes for saved arguments and results."""
    return [None if name is None else SAVED + _NAMES.get(name, name) for name in names]


def place_of(node: Node, name: str) -> int | None:
    """Return which of the values that a node saved has this name, ``None`` where none has."""
    names = names_of(node)
    return names.index(name) if name in names else None


def names_of(node: Node) -> list[str | None]:
    """Return PyTorch's names of the values that a node saved, ``None`` where there is none."""
    names = node.rule.op.saved_names(node)
    called = _CALLED.get(node.name())
    if called is None:
        return list(names)
    return [n and SAVED + called.get(n[len(SAVED) :], n[len(SAVED) :]) for n in names]


def attributes_of(node: Node) -> list[str]:
    """Return the names of all that a node knows of its call."""
    saved = [name for name in names_of(node) if name is not None]
    raw = [name.replace(SAVED, RAW, 1) for name in saved]
    return [*saved, *raw, *node.rule.op.facts(node)]


def attribute(node: Node, name: str) -> Any:
    """Return what a node saved, or knows besides, under a name; ``None`` where it was not needed.

    Raises:
        AttributeError: Nothing of this name is saved.
        RuntimeError: The values were freed, or written in place since.
    """
    op = node.rule.op
    place = place_of(node, name)
    if place is None:
        facts = op.facts(node)
        if name not in facts:
            raise missing(node, name)
        return facts[name]
    values = op.unpacked(node)
    value = values[place] if values else None
    if not isinstance(value, np.generic):
        return value
    if name not in _NUMBERS and not node.name().startswith(_OF_NUMBERS):
        return wrap(value)
    number = value.item()
    if isinstance(number, complex) and not number.imag:
        number = number.real
    whole = isinstance(number, float) and number.is_integer()
    return int(number) if whole else number


def edges_of(node: Node) -> Sequence[int]:
    """Return which inputs of a node have an edge that is shown, and a gradient for hooks."""
    return _EDGES.get(node.name()) or range(len(node.inputs))


def facts_of(node: Node) -> dict[str, Any]:
    """Return what the node of a call knows besides what it saved."""
    likes, _, params = node.params
    shape, second = tuple(likes[0][0]), tuple(likes[-1][0])
    known = {**params, "input shape": shape, "input size": math.prod(shape)}
    known |= {"second shape": second, "second ndim": len(second)}
    known |= _only(params.get("index")) | _otherwise(shape, params)
    facts = {}
    for name, own in _FACTS.get(node.name(), {}).items():
        own, _, part = own.partition(".")
        if own in known:
            facts[name] = getattr(known[own], part) if part else known[own]
    for name in {"mask", "index"} & {*facts}:  # PyTorch has a tensor
        facts[name] = wrap(facts[name]) if hasattr(facts[name], "dtype") else facts[name]
    if node.name() in _ONE_DIMENSION and len(facts["dim"]) == 1:
        facts["dim"] = facts["dim"][0]
    given = facts.get("indices")
    if isinstance(given, tuple):  # PyTorch has tensors
        facts["indices"] = tuple([wrap(i) if hasattr(i, "dtype") else i for i in given])
    elif given is not None:
        facts["indices"] = wrap(given)
    return {SAVED + name: value for name, value in facts.items()}


def _only(index: Any) -> dict[str, Any]:
    """Return the place and what is there, where an index chooses along one dimension only."""
    if not isinstance(index, tuple):
        return {}
    chosen = [(k, i) for k, i in enumerate(index) if not _is_whole(i)]
    if len(chosen) != 1:
        return {}
    ((place, entry),) = chosen
    found = {"place": place, "entry": entry}
    if isinstance(entry, slice):
        found["start"] = entry.start or 0
        found["stop"] = 2**63 - 1 if entry.stop is None else entry.stop
        found["step"] = entry.step or 1
    return found


def _otherwise(shape: Sequence[int], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what PyTorch says of the same in another way."""
    found: dict[str, Any] = {}
    if "inverse" in params:
        found["forward"] = not params["inverse"]
    if "scale" in params:
        found["normalization"] = _SCALES.index(params["scale"])
    if "degrees" in params:
        found["correction"] = math.prod(shape[k] for k in params["axes"]) - params["degrees"]
    if "full" in params:
        found["rank"] = min(shape[-2:])
    if "k" in params:
        found["dims"] = params.get("first"), params.get("second")
    return found


_SCALES = "none", "root", "all"  # by PyTorch's numbers


def _is_whole(entry: Any) -> bool:
    return isinstance(entry, slice) and entry == slice(None)
