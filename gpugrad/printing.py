"""How a tensor is written: PyTorch's text, character for character.

All numbers of a tensor share one notation, chosen from those that are finite and not zero:
integral (``3.``), fixed (``3.1416``) or scientific (``3.1416e+00``). Each is padded to the widest
of them, so that columns line up. A tensor of more than ``threshold`` elements shows only the
first and last ``edgeitems`` along each axis, and only these decide the notation.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Writer = Callable[[Any], str]


@dataclass(frozen=True, eq=False)
class PrintOptions:
    """The options that `set_printoptions` chooses."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}

_options = PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors are printed from now on; ``None`` leaves an option as it is.

    As in PyTorch, ``sci_mode`` is the exception: every call that does not name it makes the
    choice of notation automatic again.

    Args:
        precision: Digits after the decimal point.
        threshold: The number of elements above which a tensor is summarised.
        edgeitems: Elements shown at each end of an axis of a summarised tensor.
        linewidth: Characters per line.
        profile: ``"default"``, ``"short"`` or ``"full"``: where to start from instead of the
            present options.
        sci_mode: Whether to use scientific notation; ``None`` decides for each tensor.

    Raises:
        ValueError: There is no such profile (PyTorch ignores the name).
    """
    global _options
    if profile is not None and profile not in PROFILES:
        raise ValueError(
            f"set_printoptions: no profile named {profile!r}. Choose one of {', '.join(PROFILES)}."
        )
    start = _options if profile is None else PROFILES[profile]
    named = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    _options = replace(start, **given, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """Return the options in force, as keyword arguments of `set_printoptions`."""
    return asdict(_options)


def format_tensor(
    array: Array,
    *,
    name: str = "tensor",
    default_dtype: str = "float32",
    device: str = "cpu",
    grad_fn: str | None = None,
    requires_grad: bool = False,
    tangent: str | None = None,
    to_host: Callable[[Any], Array] = np.asarray,
) -> str:
    """Return the ``repr`` of the tensor that holds ``array``.

    Args:
        array: On any device.
        name: What stands before the bracket.
        default_dtype: The name of the floating-point dtype that need not be mentioned.
        device: Mentioned unless it is ``"cpu"``.
        grad_fn: The name of the node that made the tensor, mentioned in place of
            ``requires_grad``.
        requires_grad: Whether the tensor is a leaf that wants a gradient.
        tangent: The ``repr`` of the tangent of a dual tensor.
        to_host: Brings what is shown of ``array`` to NumPy.

    >>> format_tensor(np.ones(2), requires_grad=True)
    'tensor([1., 1.], dtype=gpugrad.float64, requires_grad=True)'
    """
    prefix = f"{name}("
    text = prefix + format_array(array, len(prefix), to_host)
    suffixes = [*_storage_suffixes(array, default_dtype, device)]
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    return _append(text, suffixes, len(prefix)) + ")"


def format_array(array: Array, indent: int, to_host: Callable[[Any], Array] = np.asarray) -> str:
    """Return the brackets and numbers between ``tensor(`` and the suffixes.

    Args:
        array: On any device; only what is shown of it is given to ``to_host``.
        indent: The column at which the text begins.
        to_host: Brings an array to NumPy.

    >>> format_array(np.array([1.5, np.nan, -2.0]), indent=7)
    '[ 1.5000,     nan, -2.0000]'
    """
    if array.size == 0:
        return "[]"
    summarized = array.size > _options.threshold
    cut = [summarized and length > 2 * _options.edgeitems for length in array.shape]
    shown = to_host(_corners(array, cut))
    if shown.dtype.kind not in "biuc":
        # bfloat16 is no kind of NumPy's own; the conversion is exact.
        shown = shown.astype(np.float64)
    write, width = _notation(shown)
    return _block(shown.tolist(), cut, indent, write, width)


def _storage_suffixes(array: Array, default_dtype: str, device: str) -> Iterator[str]:
    """Yield device, size and dtype, where the numbers alone do not tell them."""
    if device != "cpu":
        yield f"device='{device}'"
    if array.size == 0:
        # `[]` reads as a tensor of shape (0,) and default dtype.
        shape_is_seen, inferred = array.ndim == 1, {default_dtype}
    else:
        # Without edge items a summary is only `[...]`; PyTorch then tells the size of any tensor.
        shape_is_seen = _options.edgeitems > 0
        default_complex = "complex128" if default_dtype == "float64" else "complex64"
        inferred = {default_dtype, default_complex, "int64", "bool"}
    if not shape_is_seen:
        yield f"size={tuple(array.shape)}"
    if array.dtype.name not in inferred:
        yield f"dtype=gpugrad.{array.dtype.name}"


def _append(text: str, suffixes: list[str], indent: int) -> str:
    """Return ``text`` and its suffixes, with a line break before each that would not fit."""
    # Lines break where PyTorch's do. Its count begins two characters too high, and its name is
    # two characters shorter than ours.
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        length = len(suffix.replace("gpugrad.", "torch."))
        if used + length + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + length
        else:
            text += ", " + suffix
            used += length + 2
    return text


def _corners(array: Array, cut: list[bool]) -> Array:
    """Return ``array`` with only the edge items of each axis that is cut."""
    # Longest axis first: the first index makes the largest copy.
    for axis in sorted(range(array.ndim), key=lambda axis: -array.shape[axis]):
        if cut[axis]:
            length = array.shape[axis]
            edges = np.r_[: _options.edgeitems, length - _options.edgeitems : length]
            array = array[(slice(None),) * axis + (edges,)]  # take copies what is not contiguous
    return array


def _block(items: Any, cut: list[bool], indent: int, write: Writer, width: int) -> str:
    """Return nested lists as text; ``cut`` says of each level whether its middle is left out."""
    if not cut:
        return write(items)
    if len(cut) == 1:
        return _row([write(item) for item in items], cut[0], indent, width)
    blocks = [_block(item, cut[1:], indent + 1, write, width) for item in items]
    if cut[0]:
        blocks.insert(_options.edgeitems, "...")
    return _bracket(blocks, "\n" * (len(cut) - 1), indent)


def _row(words: list[str], cut: bool, indent: int, width: int) -> str:
    """Return one vector, broken into lines of as many elements of ``width`` as fit."""
    if cut:
        words.insert(_options.edgeitems, " ..." if words else "...")
    per_line = max(1, (_options.linewidth - indent) // (width + len(", ")))
    starts = range(0, len(words), per_line)
    return _bracket([", ".join(words[i : i + per_line]) for i in starts], "\n", indent)


def _bracket(parts: list[str], newlines: str, indent: int) -> str:
    return "[" + ("," + newlines + " " * (indent + 1)).join(parts) + "]"


def _notation(values: Array) -> tuple[Writer, int]:
    """Return what writes one element of ``values``, and how wide it writes."""
    if values.dtype.kind == "c":
        real, real_width = _notation(values.real)
        imag, imag_width = _notation(values.imag)
        return lambda z: _complex(real(z.real), imag(z.imag)), real_width + imag_width + len("j")
    if values.dtype.kind != "f":
        return _padded(str, values)
    ordinary = values[np.isfinite(values) & (values != 0)]
    return _padded(_float_writer(ordinary), ordinary)


def _padded(write: Writer, measured: Array) -> tuple[Writer, int]:
    """Return ``write`` with padding to the widest of ``measured``, and that width.

    Zeros and nonfinite floats are not measured, so that ``-0.0000`` may stick out.
    """
    width = max((len(write(value)) for value in measured.ravel().tolist()), default=1)
    return lambda value: write(value).rjust(width), width


def _float_writer(ordinary: Array) -> Writer:
    """Return the notation for floats of which ``ordinary`` are those finite and not zero."""
    if ordinary.size == 0:
        return _integral
    # As Python floats, whose quotient of extremes is silently inf.
    smallest, largest = float(abs(ordinary).min()), float(abs(ordinary).max())
    scientific = _options.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return f"{{:.{_options.precision}e}}".format
    if np.all(ordinary == np.ceil(ordinary)):
        return _integral
    return f"{{:.{_options.precision}f}}".format


def _integral(value: float) -> str:
    """Return ``3.``, ``-0.``, ``nan`` or ``inf``."""
    return f"{value:.0f}." if math.isfinite(value) else f"{value}"


def _complex(real: str, imag: str) -> str:
    imag = imag.lstrip()
    return real + ("" if imag.startswith("-") else "+") + imag + "j"
