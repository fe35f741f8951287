"""PyTorch's own sample inputs: its registry of operations, run with gpugrad beside PyTorch.

The registry is part of PyTorch's wheel (``op_db``); it has, for each operation, calls that must
work and calls that must fail.  ``python tests/op_db.py NAME...`` prints what differs.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from types import FunctionType
from typing import Any

import numpy as np
from snippets import ours as renamed

import gpugrad
from comparison import pytorch

# What is no function of arrays: other layouts of memory, tensors that carry masks (a prototype in
# PyTorch), PyTorch's own machinery.
ELSEWHERE = (
    "sparse.", "to_sparse", "jiterator", "torch.", "ops.", "_", "native_", "grid_sampler",
    "max_pool2d_with_indices_backward", "hash_tensor", "masked.",
)  # fmt: skip
DUNDERS = "__"  # __radd__ and its kind are not private

# Their values are by chance, or not set at all: types and shapes are compared.
RANDOM = {
    "bernoulli", "cauchy", "empty", "empty_like", "empty_permuted", "empty_strided", "exponential",
    "geometric", "log_normal", "multinomial", "new_empty", "new_empty_strided",
    "nn.functional.alpha_dropout", "nn.functional.dropout", "nn.functional.dropout1d",
    "nn.functional.dropout2d", "nn.functional.dropout3d", "nn.functional.feature_alpha_dropout",
    "nn.functional.fractional_max_pool2d", "nn.functional.fractional_max_pool3d",
    "nn.functional.rrelu", "normal", "pca_lowrank", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "resize_", "resize_as_", "svd_lowrank", "uniform",
}  # fmt: skip

# Of what decompositions return, only what the registry makes of it is one value.
UP_TO_GAUGE = {
    "linalg.eig", "linalg.eigh", "linalg.svd", "svd", "linalg.qr", "qr", "geqrf",
    "linalg.ldl_factor", "linalg.ldl_factor_ex",
}  # fmt: skip

# Which of several equal elements a position names is by chance in PyTorch.
POSITIONS = {"argsort", "kthvalue", "sort", "topk"}

# Their other tensors lie on the CPU, whatever the first one's device, in PyTorch as well.
ON_THE_HOST = {"tensor_split"}

MOST_DIMENSIONS = 64  # of NumPy's and CuPy's arrays

TOLERANCES = {
    "float64": 1e-7, "complex128": 1e-7, "float32": 2e-5, "complex64": 2e-5, "float16": 4e-3,
    "bfloat16": 1.6e-2,
}  # fmt: skip

TYPES = (
    "float64", "complex128", "float32", "int64", "bool", "float16", "int32", "uint8", "complex64",
    "int16", "int8", "bfloat16",
)  # fmt: skip


@cache
def registry() -> list[Any]:
    """Return the entries that concern arrays."""
    pytorch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
        from torch.testing._internal.opinfo import core
    # It looks for the running test on the stack, once a sample, which takes longer than all else.
    vars(core)["extract_test_fn"] = lambda: None
    return [op for op in op_db if _concerns(op.name)]


def _concerns(name: str) -> bool:
    network = name.removeprefix("nn.functional.")
    if network != name:  # a function of networks, of which there are not all yet
        return hasattr(gpugrad.nn.functional, network)
    return name.startswith(DUNDERS) or not name.startswith(ELSEWHERE)


def name_of(op: Any) -> str:
    """Return the name of an entry, one of its own for each."""
    return f"{op.name}-{op.variant_test_name}" if op.variant_test_name else str(op.name)


def family(op: Any) -> str:
    """Return which part of the library an entry is about."""
    first = op.name.partition(".")[0]
    return first if "." in op.name else "core"


@dataclass
class Report:
    """What of an entry was compared, and what differed."""

    name: str
    compared: int = 0
    differences: list[str] = field(default_factory=list)

    def note(self, what: str, call: str, message: str) -> None:
        self.differences.append(f"{what}: {call}\n      {message}")


# ----------------------------------------------------------------------- from PyTorch to gpugrad


class Translation:
    """Turns values of PyTorch's into gpugrad's, on one device; one tensor stays one tensor."""

    def __init__(self, device: str):
        self.device = device
        self.made: dict[int, Any] = {}
        self.memories: dict[int, Any] = {}
        self.kept: list[Any] = []

    def __call__(self, value: Any) -> Any:
        torch = pytorch()
        if isinstance(value, torch.Tensor):
            if id(value) not in self.made:
                self.made[id(value)] = self.tensor(value)
            return self.made[id(value)]
        if isinstance(value, torch.dtype | torch.layout | torch.memory_format):
            return getattr(gpugrad, str(value).partition(".")[2])
        if isinstance(value, torch.device):
            return gpugrad.device(self.device)
        if isinstance(value, torch.Size):
            return gpugrad.Size(value)
        if isinstance(value, torch.Generator):
            return gpugrad.Generator(self.device)
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self, value))
        if isinstance(value, list | tuple):
            return type(value)(map(self, value))
        if isinstance(value, dict):
            return {key: self.keyword(key, v) for key, v in value.items()}
        if value is torch.Tensor:
            return gpugrad.Tensor
        if isinstance(value, torch.nn.PairwiseDistance):
            return gpugrad.nn.functional.pairwise_distance
        return self.device if isinstance(value, str) and value == "cpu" else value

    def keyword(self, key: str, value: Any) -> Any:
        return self.device if key == "device" and value is not None else self(value)

    def call(self, op: Any, sample: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """Return the operand, the arguments and the options of a sample of an entry."""
        others = Translation("cpu") if op.name in ON_THE_HOST else self
        return self(sample.input), others(tuple(sample.args)), others(sample.kwargs)

    def tensor(self, value: Any) -> Any:
        """Return a tensor that lies in its memory as the other does, which it shares as well."""
        plain = value.detach().resolve_conj().resolve_neg()
        flat = pytorch().empty(0, dtype=plain.dtype).set_(plain.untyped_storage())
        memory = plain.untyped_storage().data_ptr()
        if memory == 0 or memory not in self.memories:
            self.memories[memory] = self.memory(flat)
            self.kept.append(flat)  # so that no other memory gets its address
        base = self.memories[memory]
        made = base.as_strided(plain.shape, plain.stride(), plain.storage_offset()).detach()
        return made.requires_grad_(value.requires_grad)

    def memory(self, flat: Any) -> Any:
        if flat.dtype is pytorch().bfloat16:
            made = gpugrad.tensor(flat.float().numpy(), device=self.device)
            return made.to(self(flat.dtype))
        # a copy: memory of which NumPy knows cannot be resized by out=
        return gpugrad.tensor(flat.clone().numpy(), device=self.device)


def counterpart(op: Any) -> Any:
    """Return what gpugrad has in the place of an entry's function."""
    torch = pytorch()
    theirs = op.op
    if op.name == "slice":  # a function of ATen's, which is an index here as in torch
        return _sliced
    if isinstance(theirs, FunctionType) and theirs.__module__.startswith("torch.testing"):
        return rebuilt(theirs)
    for home, found in ((torch, gpugrad), (torch.Tensor, gpugrad.Tensor)):
        there: Any = home
        here: Any = found
        for part in op.name.split("."):
            there = getattr(there, part, None)
            here = getattr(here, part, None)
        if here is not None and (there is theirs or found is gpugrad.Tensor or callable(there)):
            return here
    raise AttributeError(f"gpugrad has no {op.name}")


def _sliced(t: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return t[(*[slice(None)] * (dim % t.dim()), slice(start, end, step))]


def rebuilt(function: Any) -> Any:
    """Return a function of the registry that calls gpugrad wherever it called PyTorch."""
    if isinstance(function, partial):
        return partial(rebuilt(function.func), *function.args, **function.keywords)
    if not isinstance(function, FunctionType):
        return function
    names = {
        **function.__globals__,
        "torch": gpugrad,
        "wrapper_set_seed": lambda op, *args, **options: op(*args, **options),
    }
    made = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


# ------------------------------------------------------------------------------------ comparing


def difference(theirs: Any, ours: Any, chance: bool = False) -> str | None:
    """Return in what a value of gpugrad's differs from PyTorch's, ``None`` if in nothing."""
    torch = pytorch()
    if isinstance(theirs, torch.Tensor):
        return _tensors(theirs, ours, chance)
    if isinstance(theirs, list | tuple) and not isinstance(theirs, torch.Size):
        if not isinstance(ours, list | tuple) or len(theirs) != len(ours):
            return f"expected {len(theirs)} values, got {_shown(ours)}"
        for k in dir(theirs) if hasattr(type(theirs), "n_fields") else ():
            if not k.startswith(("_", "n_")) and not hasattr(ours, k):
                return f"the result has no field {k}"
        found = (difference(a, b, chance) for a, b in zip(theirs, ours, strict=True))
        return next((d for d in found if d is not None), None)
    if isinstance(theirs, float | complex) and isinstance(ours, float | complex):
        if np.isclose(theirs, ours, rtol=1e-6, atol=1e-7, equal_nan=True):
            return None
    elif isinstance(theirs, torch.dtype):
        if str(theirs).partition(".")[2] == str(ours).partition(".")[2]:
            return None
    elif isinstance(theirs, torch.Size):
        if isinstance(ours, tuple) and tuple(theirs) == tuple(ours):
            return None
    elif type(theirs) is type(ours) and theirs == ours:
        return None
    return f"expected {_shown(theirs)}, got {_shown(ours)}"


def _tensors(theirs: Any, ours: Any, chance: bool) -> str | None:
    if not isinstance(ours, gpugrad.Tensor):
        return f"expected a tensor, got {_shown(ours)}"
    kind = str(theirs.dtype).partition(".")[2]
    if str(ours.dtype).partition(".")[2] != kind:
        return f"expected {theirs.dtype}, got {ours.dtype}"
    if tuple(theirs.shape) != tuple(ours.shape):
        return f"expected the shape {tuple(theirs.shape)}, got {tuple(ours.shape)}"
    if chance:
        return None
    a, b = (_array(t.detach().cpu().resolve_conj(), kind) for t in (theirs.resolve_neg(), ours))
    if kind in TOLERANCES:
        tolerance = TOLERANCES[kind]
        with np.errstate(all="ignore"):
            if np.allclose(b, a, rtol=tolerance, atol=tolerance, equal_nan=True):
                return None
    elif np.array_equal(a, b):
        return None
    return f"expected {_shown(theirs)}, got {_shown(ours)}"


def _array(t: Any, kind: str) -> Any:
    return (t.float() if kind == "bfloat16" else t).numpy(force=True)


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 200 else f"{text[:200]} ..."


def described(sample: Any) -> str:
    """Return a call of the registry in few words."""

    def short(value: Any) -> str:
        if isinstance(value, pytorch().Tensor):
            kind = str(value.dtype).partition(".")[2]
            return f"{kind}{list(value.shape)}" if value.dim() else f"{kind}({value.item()})"
        if isinstance(value, list | tuple):
            return f"({', '.join(map(short, value))})"
        return repr(value)[:60]

    parts = [short(sample.input), *map(short, sample.args)]
    parts += [f"{k}={short(v)}" for k, v in sample.kwargs.items()]
    return f"({', '.join(parts)})"


def ending(error: BaseException) -> str:
    """Return how a call ended, class and text."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {renamed(text)}"


def where(error: BaseException) -> str:
    """Return the last line of ours that an error passed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "gpugrad" in frame.filename:
            return f" [{frame.filename.rpartition('/')[2]}:{frame.lineno}]"
    return ""


# ------------------------------------------------------------------------------------- the checks


def types_of(op: Any) -> list[str]:
    """Return the types that an entry knows and gpugrad has, those first that find most."""
    torch = pytorch()
    return [t for t in TYPES if getattr(torch, t) in op.dtypes and hasattr(gpugrad, t)]


def check(op: Any, device: str = "cpu", others: int = 3, limit: int | None = None) -> Report:
    """Compare an entry's samples: all in its first types, ``others`` of them in each other type.

    In the first real and the first complex type with gradients first and second gradients too.
    """
    report = Report(name_of(op))
    try:
        function = counterpart(op)
    except AttributeError as error:
        report.note("missing", op.name, str(error))
        return report
    found = types_of(op)
    whole = {*found[:1], *(t for t in found if t == "complex128")}
    for kind in found:
        for sample in islice(samples(op, kind, device), limit if kind in whole else others):
            report.compared += 1
            gradients = kind in whole and op.supports_autograd
            _check_sample(report, op, function, sample, kind, device, gradients)
    return report


def samples(op: Any, kind: str, device: str) -> Iterator[Any]:
    """Yield an entry's sample inputs of one type, PyTorch's own, on its CPU."""
    torch = pytorch()
    differentiable = op.supports_autograd and kind in ("float64", "complex128")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in op.sample_inputs("cpu", getattr(torch, kind), requires_grad=differentiable):
            sample.input, sample.kwargs = _owned(sample.input), _owned(sample.kwargs)
            sample.args = _owned(tuple(sample.args))
            yield sample


def _owned(value: Any) -> Any:
    """Return tensors that are leaves; the registry makes some as views of leaves, unrecorded.

    Those say that they require grad, but PyTorch has no node for them, and so no gradient.
    """
    if isinstance(value, pytorch().Tensor):
        unrecorded = value.requires_grad and value.is_leaf and value._is_view()
        return value.detach().requires_grad_() if unrecorded else value
    if isinstance(value, dict):
        return {k: _owned(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_owned, value))
    return value


def _check_sample(
    report: Report, op: Any, function: Any, sample: Any, kind: str, device: str, gradients: bool
) -> None:
    torch = pytorch()
    call = f"{kind} {described(sample)}"
    translate = Translation(device)
    try:
        mine = translate.call(op, sample)
    except Exception as error:
        report.note("cannot translate", call, ending(error) + where(error))
        return
    theirs = _outcome(lambda: op.op(sample.input, *sample.args, **sample.kwargs))
    ours = _outcome(partial(settled, device, function, mine[0], *mine[1], **mine[2]))
    if isinstance(theirs, Exception):  # what PyTorch cannot do we may
        return
    if any(t.dtype is torch.complex32 for t in _tensors_in(theirs)):  # no array library has it
        return
    if isinstance(ours, Exception):
        report.note("raises", call, ending(ours) + where(ours))
        return
    if op.name in UP_TO_GAUGE:
        theirs = _outcome(lambda: sample.output_process_fn_grad(theirs))
        ours = _outcome(lambda: rebuilt(sample.output_process_fn_grad)(ours))
        if isinstance(ours, Exception):
            report.note("its process", call, ending(ours) + where(ours))
            return
    elsewhere = [t for t in _tensors_in(ours) if t.device.type != device]
    if elsewhere and any(t.device.type == device for t in _tensors_in(mine)):
        report.note("device", call, f"the result is on {elsewhere[0].device}")
        return
    chance = op.name in RANDOM
    if op.name in POSITIONS and _has_equals(sample.input):
        chance = op.name == "argsort"
        theirs, ours = (r if chance else r[0] for r in (theirs, ours))
    found = difference(theirs, ours, chance)
    if found is not None:
        report.note("value", call, found)
        return
    if not gradients or chance:
        return
    leaves = [t for t in _tensors_in((sample.input, sample.args, sample.kwargs)) if t.requires_grad]
    if not leaves:
        return
    here = [translate(t) for t in leaves]
    if op.name not in UP_TO_GAUGE and sample.output_process_fn_grad is not None:
        try:
            theirs = sample.output_process_fn_grad(theirs)
            ours = rebuilt(sample.output_process_fn_grad)(ours)
        except Exception as error:
            report.note("its process", call, ending(error) + where(error))
            return
    for order in (1, 2):
        expected = _outcome(partial(_gradient, torch, theirs, leaves))
        found = _outcome(partial(_gradient, gpugrad, ours, here))
        what = f"gradient {order}"
        if isinstance(expected, Exception):  # what PyTorch cannot do we may
            return
        if isinstance(found, Exception):
            report.note(what, call, ending(found) + where(found))
            return
        theirs, ours = _filled(torch, expected, leaves), _filled(gpugrad, found, here)
        problem = difference(theirs, ours)
        if problem is not None:
            report.note(what, call, problem)
            return
        if not op.supports_gradgrad:
            return


def _has_equals(t: Any) -> bool:
    return int(t.detach().unique().numel()) < int(t.numel())


def _filled(library: Any, gradients: Any, inputs: list[Any]) -> list[Any]:
    """Return gradients with zeros where there is none."""
    if gradients is None:
        return [library.zeros_like(t) for t in inputs]
    return [
        library.zeros_like(t) if g is None else g for g, t in zip(gradients, inputs, strict=True)
    ]


def _outcome(function: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function()
        except Exception as error:
            return error


def settled(device: str, function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
    """Call a function, and wait for a GPU: it may find only then that an index was wrong."""
    try:
        return function(*args, **options)
    finally:
        if device != "cpu":
            gpugrad.cuda.synchronize()


def _tensors_in(value: Any) -> Iterator[Any]:
    if hasattr(value, "requires_grad") and hasattr(value, "detach"):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from _tensors_in(v)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _tensors_in(v)


def _gradient(library: Any, outputs: Any, inputs: list[Any]) -> Any:
    """Return the gradients of all outputs, with cotangents that are the same in both libraries."""
    ends = [t for t in _tensors_in(outputs) if t.requires_grad]
    if not ends:
        return None
    cotangents = []
    for t in ends:
        shape = tuple(t.shape)
        count = int(np.prod(shape))
        numbers = np.cos(np.arange(1, count + 1)).reshape(shape)
        if t.is_complex():
            numbers = numbers + 1j * np.sin(np.arange(1, count + 1)).reshape(shape)
        cotangents.append(library.tensor(numbers, device=t.device).to(t.dtype))
    return library.autograd.grad(ends, inputs, cotangents, allow_unused=True, create_graph=True)


# -------------------------------------------------------------------------------- forms and errors


def check_forms(op: Any, device: str = "cpu", limit: int = 4) -> Report:
    """Compare an entry's method, its in-place form and ``out=``, each with a few samples."""
    report = Report(name_of(op))
    kinds = types_of(op)
    if not kinds or op.name in RANDOM:
        return report
    for sample in islice(samples(op, kinds[0], device), limit):
        for form, theirs, ours in _forms(op):
            _check_form(report, op, sample, form, theirs, ours, device)
    return report


def _forms(op: Any) -> Iterator[tuple[str, Any, Any]]:
    if op.method_variant is not None and callable(op.method_variant):
        name = getattr(op.method_variant, "__name__", op.name)
        yield "method", op.method_variant, lambda t, *a, **k: getattr(t, name)(*a, **k)
    if op.inplace_variant is not None and callable(op.inplace_variant):
        name_ = getattr(op.inplace_variant, "__name__", f"{op.name}_")
        if op.name.startswith("nn."):
            network = partial(counterpart(op), inplace=True)
            yield "in place", op.inplace_variant, network
        else:
            yield "in place", op.inplace_variant, lambda t, *a, **k: getattr(t, name_)(*a, **k)
    if op.supports_out:
        yield (
            "out",
            _into(pytorch(), op.op),
            _into(gpugrad, lambda *a, **k: counterpart(op)(*a, **k)),
        )


def _into(library: Any, function: Any) -> Callable[..., Any]:
    def called(*args: Any, **options: Any) -> Any:
        with library.no_grad():
            result = function(*args, **options)
            if isinstance(result, library.Tensor):
                out: Any = library.empty_like(result)
            else:
                out = tuple(library.empty_like(t) for t in result)
            function(*args, out=out, **options)
        return out

    return called


def _check_form(
    report: Report, op: Any, sample: Any, form: str, theirs: Any, ours: Any, device: str
) -> None:
    call = f"{form} {described(sample)}"
    torch = pytorch()
    if not isinstance(sample.input, torch.Tensor) and form != "out":
        return
    translate = Translation(device)
    value = sample.input.detach() if isinstance(sample.input, torch.Tensor) else sample.input
    try:
        mine = translate(value), *translate.call(op, sample)[1:]
    except Exception:
        return  # said by the check of the function
    start = value
    if form == "in place":  # of its own memory
        start, mine = value.clone(), (mine[0].clone(), *mine[1:])
    expected = _outcome(lambda: _unrecorded(torch, theirs, start, sample.args, sample.kwargs))
    if isinstance(expected, Exception):
        return
    report.compared += 1
    found = _outcome(partial(settled, device, _unrecorded, gpugrad, ours, *mine))
    if isinstance(found, Exception):
        report.note("raises", call, ending(found) + where(found))
        return
    if op.name in UP_TO_GAUGE:
        return
    problem = difference(expected, found)
    if problem is not None:
        report.note("value", call, problem)
    elif form == "in place" and found is not mine[0]:
        report.note("value", call, "the in-place form does not return its tensor")


def _unrecorded(library: Any, function: Any, start: Any, args: Any, options: Any) -> Any:
    with library.no_grad():
        return function(start, *args, **options)


def check_errors(op: Any, device: str = "cpu") -> tuple[Report, Report]:
    """Compare how calls fail that must fail: their classes, and their texts.

    A text is right if it has what the registry looks for in PyTorch's.
    """
    classes, texts = Report(name_of(op)), Report(name_of(op))
    if op.error_inputs_func is None:
        return classes, texts
    pytorch().manual_seed(0)
    function = _outcome(lambda: counterpart(op))
    if isinstance(function, Exception):
        classes.note("missing", op.name, str(function))
        return classes, texts
    for wrong in op.error_inputs("cpu"):
        sample, translate = wrong.sample_input, Translation(device)
        given = [*_tensors_in((sample.input, sample.args, sample.kwargs))]
        if any(t.dim() > MOST_DIMENSIONS or t.device.type == "meta" for t in given):
            continue  # there is no such array
        mine = translate.call(op, sample)
        call = described(sample)
        expected = _outcome(partial(op.op, sample.input, *sample.args, **sample.kwargs))
        found = _outcome(partial(settled, device, function, mine[0], *mine[1], **mine[2]))
        if not isinstance(expected, Exception):  # elsewhere than on the CPU it is one
            continue
        classes.compared += 1
        texts.compared += 1
        if not isinstance(found, Exception):
            classes.note("does not raise", call, ending(expected))
            continue
        message = f"expected {ending(expected)}\n      got      {ending(found)}{where(found)}"
        if type(found).__name__ != type(expected).__name__:
            classes.note("class", call, message)
        if not re.search(renamed(wrong.error_regex), renamed(str(found))):
            texts.note("text", call, message)
    return classes, texts


# ----------------------------------------------------------------------------------------- by hand


def main() -> None:
    """Print what differs for the entries that are named, for all if none is."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(main))
    parser.add_argument("names", nargs="*", help="names, or beginnings of names with a * behind")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shown", type=int, default=4, help="differences shown of each kind")
    parser.add_argument("--limit", type=int, help="samples of each entry")
    parser.add_argument("--brief", action="store_true", help="names only")
    given = parser.parse_args()
    if os.environ.get("GPUGRAD_HOSTCUDA", "0") != "0":
        import hostcuda

        hostcuda.install()
    passed = counted = 0
    errors: dict[str, list[Report]] = {"classes": [], "texts": []}
    for op in registry():
        asked = [n for n in given.names if n in (op.name, name_of(op)) or _begins(op.name, n)]
        if given.names and not asked:
            continue
        counted += 1
        reports = {
            "samples": check(op, given.device, limit=given.limit),
            "forms": check_forms(op, given.device),
        }
        for kind, report in zip(errors, check_errors(op, given.device), strict=True):
            reports[f"error {kind}"] = report
            errors[kind].append(report)
        bad = {k: r for k, r in reports.items() if r.differences}
        passed += not bad
        counts = ", ".join(f"{k} {len(r.differences)} of {r.compared}" for k, r in bad.items())
        print(f"{name_of(op)}: {counts or 'agrees'}", flush=True)
        if not given.brief:
            for k, r in bad.items():
                for line in r.differences[: given.shown]:
                    print(f"  {k}: {line}")
    print(f"{passed} of {counted} entries agree")
    for kind, found in errors.items():
        compared = sum(r.compared for r in found)
        right = compared - sum(len(r.differences) for r in found)
        print(f"error inputs: {right} of {compared} {kind} are PyTorch's")


def _begins(name: str, pattern: str) -> bool:
    return pattern.endswith("*") and name.startswith(pattern[:-1])


if __name__ == "__main__":
    main()
