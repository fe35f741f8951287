"""A recorded graph as a drawing: SVG by our own layout or by Graphviz, and its language DOT."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gpugrad.graph import TensorBase
from gpugrad.viz.layout import Layout, placed
from gpugrad.viz.picture import blocks, colors, png, sample
from gpugrad.viz.recorded import Box, Recorded, collected

MOST = 200  # boxes that our own layout is for
PAD, LINE, THUMB = 10, 15, 34
MONO, SANS = "ui-monospace,Menlo,Consolas,monospace", "system-ui,Helvetica,Arial,sans-serif"
# fill and border of each kind; the text is dark on all of them, so that any background will do
TONES = {
    "leaf": ("#e3eefb", "#4c78a8"),
    "call": ("#f6f6f8", "#8a94a6"),
    "result": ("#e2f3e5", "#4f9d55"),
}
IN_PLACE = ("#fdeedd", "#d9822b")
INK, SOFT, EDGE = "#1f2937", "#566173", "#8a94a6"


class Drawing:
    """A graph that notebooks show, and that can be saved.

    Attributes:
        recorded: Its boxes and arrows.
    """

    def __init__(self, recorded: Recorded):
        self.recorded = recorded
        self._own = _svg(recorded)  # at once: arrays may be written to later

    def __repr__(self) -> str:
        boxes, arrows = self.recorded.boxes, self.recorded.arrows
        return f"<drawing of {len(boxes)} boxes and {len(arrows)} arrows>"

    def _repr_svg_(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """Return the drawing as SVG text.

        Of more than 200 boxes Graphviz makes it, where its program and the package ``graphviz`` are
        installed (the extra ``viz``).
        """
        if len(self.recorded.boxes) > MOST and (made := _by_graphviz(self.to_dot(), "svg")):
            text = made.decode()
            return text[text.index("<svg") :]
        return self._own

    def save(self, path: str | Path) -> None:
        """Write the drawing to a file, by its name SVG, DOT, or another format of Graphviz.

        Raises:
            ImportError: The format needs Graphviz, and its program or its package is not installed.
        """
        path = Path(path)
        kind = path.suffix[1:].lower()
        if kind in ("dot", "gv"):
            path.write_text(self.to_dot(), encoding="utf-8")
        elif kind == "svg":
            path.write_text(self.svg(), encoding="utf-8")
        else:
            made = _by_graphviz(self.to_dot(), kind)
            if made is None:
                raise ImportError(
                    f"save(): a file {path.name!r} is drawn by Graphviz, which needs its program "
                    "`dot` and the package: pip install 'gpugrad[viz]'; .svg and .dot need neither"
                )
            path.write_bytes(made)

    def to_dot(self) -> str:
        """Return the drawing in Graphviz's language."""
        lines = ["digraph recorded {", '  node [shape=box style="rounded,filled" fontsize=10];']
        for k, box in self.recorded.boxes.items():
            fill, border = _tone(box)
            text = "\n".join([box.title, *box.tags, *box.lines])
            style = "rounded,filled,dashed" if "view" in box.tags else "rounded,filled"
            lines.append(
                f'  b{k} [label={_dot(text)} style="{style}" fillcolor="{fill}" color="{border}" '
                f'fontcolor="{INK}"];'
            )
        for a, b, label in self.recorded.arrows:
            lines.append(f'  b{a} -> b{b} [label={_dot(label)} color="{EDGE}" fontsize=9];')
        return "\n".join([*lines, "}"])


def graph(*roots: Any, params: Mapping[str, Any] | None = None) -> Drawing:
    """Return a drawing of what was recorded below some tensors: leaves on top, results at the foot.

    Leaves show their values and gradients.  Calls show what they returned, as far as something
    saved it, and each value that they saved, with its bytes; a dashed border marks a view, and an
    orange one what was written into a part of its base.  Nothing is computed, changed or freed.

    Args:
        roots: Tensors.
        params: Names of leaves, ``{"weight": w}``, also of results.

    Raises:
        TypeError: A root or a parameter is no tensor, or there is no root.
    """
    if not roots:
        raise TypeError("graph(): give at least one tensor")
    for root in roots:
        if not isinstance(root, TensorBase):
            raise TypeError(f"graph(): roots are tensors, got {type(root).__name__}")
    names = ["result"] if len(roots) == 1 else [f"result {k}" for k in range(len(roots))]
    return Drawing(collected(dict(zip(names, roots, strict=True)), params))


def _by_graphviz(text: str, kind: str) -> bytes | None:
    if shutil.which("dot") is None:
        return None
    try:
        import graphviz
    except ImportError:
        return None
    made: bytes = graphviz.Source(text).pipe(format=kind)
    return made


def _dot(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _tone(box: Box) -> tuple[str, str]:
    return IN_PLACE if "in place" in box.tags else TONES[box.kind]


# --------------------------------------------------------------------------- our own


def thumbnail(array: Any) -> tuple[str, float]:
    """Return a small picture of an array as the address of a PNG, and how wide it is to be.

    Empty of a single number.
    """
    if array.size < 2:
        return "", 0.0
    values = sample(array).values
    values = values.reshape(1, -1) if values.ndim == 1 else values.reshape(values.shape[0], -1)
    shown = blocks(values, 32)
    rows, columns = shown.shape
    width = min(90.0, max(12.0, THUMB * columns / rows))
    large = png(colors(shown), max(1, 96 // max(rows, columns)))
    return "data:image/png;base64," + base64.b64encode(large).decode(), width


def _size(box: Box) -> tuple[float, float]:
    tags = " · ".join(box.tags)
    head = 8.0 * len(box.title) + (14 + 6.0 * len(tags) if tags else 0)
    width = max([head, *(6.35 * len(line) for line in box.lines)]) + 2 * PAD
    pictures = [thumbnail(a)[1] + 8 for a in (box.value, box.grad) if a is not None and a.size > 1]
    height = PAD + 18 + LINE * len(box.lines) + 4
    if pictures:
        width, height = max(width, sum(pictures) + 2 * PAD), height + THUMB + 6
    return max(width, 64.0), height


def _svg(recorded: Recorded) -> str:
    sizes = {k: _size(box) for k, box in recorded.boxes.items()}
    layout: Layout = placed(sizes, [(a, b) for a, b, _ in recorded.arrows])
    margin = 14
    width, height = layout.width + 2 * margin, layout.height + 2 * margin
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{-margin} {-margin} {width:.0f} {height:.0f}" font-family="{SANS}" role="img">',
        "<title>the recorded graph</title>",
        '<defs><marker id="gpugrad-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{EDGE}"/></marker></defs>',
    ]
    for (a, b, label), points in zip(recorded.arrows, layout.arrows, strict=True):
        parts.append(
            f'<path class="arrow" data-from="{a}" data-to="{b}" d="{_curve(points)}" fill="none" '
            f'stroke="{EDGE}" stroke-width="1.4" marker-end="url(#gpugrad-tip)"/>'
        )
        if label:
            (x0, y0), (x1, y1) = points[-2:]
            x, y = x0 + 0.72 * (x1 - x0), y0 + 0.62 * (y1 - y0)
            half = 3.2 * len(label) + 4
            parts.append(
                f'<g class="label"><rect x="{x - half:.1f}" y="{y - 8:.1f}" '
                f'width="{2 * half:.1f}" height="14" rx="7" fill="#eceef2"/><text x="{x:.1f}" '
                f'y="{y + 2.5:.1f}" font-size="10" text-anchor="middle" fill="{SOFT}">'
                f"{escape(label)}</text></g>"
            )
    for k, box in recorded.boxes.items():
        parts.append(_card(k, box, sizes[k], layout.boxes[k]))
    return "".join([*parts, "</svg>"])


def _curve(points: list[tuple[float, float]]) -> str:
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        middle = (y + to_y) / 2
        path += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return path


def _card(k: int, box: Box, size: tuple[float, float], place: tuple[float, float]) -> str:
    (width, height), (middle, top) = size, place
    left = middle - width / 2
    fill, border = _tone(box)
    dashed = ' stroke-dasharray="5 3"' if "view" in box.tags else ""
    tags = " · ".join(box.tags)
    told = "\n".join([box.title, *box.tags, *box.lines])
    parts = [
        f'<g class="{box.kind}" data-box="{k}" transform="translate({left:.1f} {top:.1f})">'
        f"<title>{escape(told)}</title>"
        f'<rect width="{width:.1f}" height="{height:.1f}" rx="8" fill="{fill}" stroke="{border}" '
        f'stroke-width="1.4"{dashed}/>'
        f'<text x="{PAD}" y="{PAD + 10}" font-size="13" font-weight="600" fill="{INK}">'
        f"{escape(box.title)}</text>"
    ]
    if tags:
        parts.append(
            f'<text x="{width - PAD:.1f}" y="{PAD + 10}" font-size="10.5" text-anchor="end" '
            f'fill="{border}" font-style="italic">{escape(tags)}</text>'
        )
    y = PAD + 26
    for line in box.lines:
        color = SOFT if line.startswith(("saved", "at ")) else INK
        parts.append(
            f'<text x="{PAD}" y="{y}" font-size="10.5" font-family="{MONO}" fill="{color}">'
            f"{escape(line)}</text>"
        )
        y += LINE
    x = float(PAD)
    for what, array in (("value", box.value), ("gradient", box.grad)):
        if array is None or array.size < 2:
            continue
        address, wide = thumbnail(array)
        parts.append(
            f"<g><title>{what}</title>"
            f'<image x="{x:.1f}" y="{y - 7}" width="{wide:.1f}" height="{THUMB}" '
            f'preserveAspectRatio="none" image-rendering="pixelated" href={quoteattr(address)}/>'
            f'<rect x="{x:.1f}" y="{y - 7}" width="{wide:.1f}" height="{THUMB}" fill="none" '
            f'stroke="{border}" stroke-width=".7"/></g>'
        )
        x += wide + 8
    return "".join([*parts, "</g>"])
