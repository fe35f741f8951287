"""A tensor as a notebook shows it."""

from __future__ import annotations

from html import escape
from typing import Any

from gpugrad.backend.batched import levels_of
from gpugrad.graph import LEAF, TensorBase
from gpugrad.viz.picture import ACCENT, drawing, sample, short

CHIP = (
    '<span style="border:1px solid #8a94a6;border-radius:9px;padding:1px 7px;margin-right:4px;'
    'font-size:11px">{}</span>'
)
PART = (
    '<div style="display:inline-block;vertical-align:top;margin:5px 16px 3px 0">'
    '<div style="font-size:11px;opacity:.75;margin-bottom:3px">{label}</div>{body}'
    '<div style="font-size:11px;opacity:.75;margin-top:2px">{text}</div></div>'
)


def of_tensor(tensor: Any) -> str | None:
    """Return a tensor as HTML: its type, a picture of its values and of its gradient, its text.

    Of more than a quarter of a million elements a sample is shown.  ``None``, which has a notebook
    take the text, inside ``vmap``.
    """
    if levels_of(tensor._array):
        return None
    text = repr(tensor)
    array = tensor._array
    shape = " x ".join(map(str, array.shape)) if array.shape else "one number"
    chips = [shape, array.dtype.name, str(tensor.device)]
    try:
        node = tensor.grad_fn
        chips += [f"grad_fn={node.name().split('::')[-1]}"] if node is not None else []
    except RuntimeError:
        chips.append("a view that must not be used any more")
    if tensor._edge is LEAF:
        chips.append("requires_grad")
    head = f'<b style="margin-right:8px;color:{ACCENT}">{escape(type(tensor).__name__)}</b>'
    parts = _part("values", array)
    if isinstance(tensor._grad, TensorBase):
        parts += _part("grad", tensor._grad._array)
    return (
        '<div style="font-family:ui-sans-serif,system-ui,sans-serif;font-size:12px">'
        f"<div>{head}{''.join(CHIP.format(escape(c)) for c in chips)}</div>{parts}"
        '<details><summary style="font-size:11px;opacity:.75;cursor:pointer">as text</summary>'
        f'<pre style="font-size:11px;margin:2px 0">{escape(text)}</pre></details></div>'
    )


def _part(label: str, array: Any) -> str:
    found = sample(array)
    if found.values.size == 1:
        number = short(found.values.item())
        body = f'<span style="font-size:18px">{escape(number)}</span>'
        return PART.format(label=label, body=body, text="a magnitude" * found.magnitudes)
    return PART.format(label=label, body=drawing(found), text=escape(found.statistics()))
