"""Where the boxes of a layered drawing stand, and which way its arrows go.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures" (1981): layers by the longest way, an order within each by the means of the neighbours,
and places as close to these means as the boxes' widths allow.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP, RISE = 22.0, 42.0  # between boxes of one layer, and between layers
SWEEPS = 8

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """The middle of each box's top edge, the points that each arrow passes, and the whole size."""

    boxes: dict[int, Point]
    arrows: list[list[Point]]
    width: float
    height: float


def placed(sizes: Mapping[int, Size], arrows: Sequence[tuple[int, int]]) -> Layout:
    """Return a layout of boxes of these sizes, in which arrows lead down.

    Boxes are numbered so that arrows lead from lower numbers to higher ones.
    """
    if not sizes:
        return Layout({}, [], 0.0, 0.0)
    layer = _layers(sizes, arrows)
    width = {k: s[0] for k, s in sizes.items()}
    rows: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
    for k in sorted(sizes):
        rows[layer[k]].append(k)
    # an arrow over several layers passes a point in each: a box without a size
    above: dict[int, list[int]] = {k: [] for k in sizes}
    below: dict[int, list[int]] = {k: [] for k in sizes}
    ways, free = [], max(sizes) + 1
    for a, b in arrows:
        way = [a]
        for row in range(layer[a] + 1, layer[b]):
            width[free] = 0.0
            layer[free] = row
            above[free], below[free] = [], []
            rows[row].append(free)
            way.append(free)
            free += 1
        way.append(b)
        for upper, lower in itertools.pairwise(way):
            below[upper].append(lower)
            above[lower].append(upper)
        ways.append(way)
    _order(rows, above, below)
    x = _across(rows, above, below, width)
    left = min(x[k] - width[k] / 2 for k in x)
    tops, top = [], 0.0
    heights = [max((sizes[k][1] for k in row if k in sizes), default=0.0) for row in rows]
    for height in heights:
        tops.append(top)
        top += height + RISE
    boxes = {k: (x[k] - left, tops[layer[k]]) for k in sizes}
    lines = []
    for way in ways:
        first, *between, last = way
        points = [(boxes[first][0], boxes[first][1] + sizes[first][1])]
        if sizes[first][1] < heights[layer[first]]:  # straight down to where the layer ends
            points.append((boxes[first][0], tops[layer[first]] + heights[layer[first]]))
        for k in between:
            points += [
                (x[k] - left, tops[layer[k]]),
                (x[k] - left, tops[layer[k]] + heights[layer[k]]),
            ]
        lines.append([*points, boxes[last]])
    right = max(x[k] + width[k] / 2 for k in x)
    return Layout(boxes, lines, right - left, top - RISE)


def _layers(sizes: Mapping[int, Size], arrows: Sequence[tuple[int, int]]) -> dict[int, int]:
    layer = dict.fromkeys(sizes, 0)
    has_source = {b for _, b in arrows}
    for a, b in sorted(arrows):
        layer[b] = max(layer[b], layer[a] + 1)
    for k in sizes:  # what begins stands right above who uses it first
        users = [layer[b] for a, b in arrows if a == k] if k not in has_source else []
        if users:
            layer[k] = min(users) - 1
    return layer


def _order(
    rows: list[list[int]], above: Mapping[int, list[int]], below: Mapping[int, list[int]]
) -> None:
    place = {k: float(i) for row in rows for i, k in enumerate(row)}
    for sweep in range(SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            means = {k: _mean([place[n] for n in near[k]], place[k]) for k in row}
            row.sort(key=means.__getitem__)
            place.update({k: float(i) for i, k in enumerate(row)})


def _across(
    rows: Sequence[Sequence[int]],
    above: Mapping[int, list[int]],
    below: Mapping[int, list[int]],
    width: Mapping[int, float],
) -> dict[int, float]:
    x: dict[int, float] = {}
    for row in rows:
        x.update(_apart(row, [0.0] * len(row), width))
    for sweep in range(6 * SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wish = []
            for k in row:
                near = (above if down else below)[k] or (below if down else above)[k]
                if sweep >= SWEEPS:
                    near = [*above[k], *below[k]]
                wish.append(_mean([x[n] for n in near], x[k]))
            x.update(_apart(row, wish, width))
    return x


def _apart(
    row: Sequence[int], wish: Sequence[float], width: Mapping[int, float]
) -> dict[int, float]:
    """Return places as close to the wishes as boxes that must not overlap can be.

    Less what stands before each, places only have to ascend: neighbours that would not share one.
    """
    before, offsets = 0.0, []
    for k in row:
        offsets.append(before + width[k] / 2)
        before += width[k] + GAP
    groups: list[list[float]] = []  # sums and counts
    for w, offset in zip(wish, offsets, strict=True):
        groups.append([w - offset, 1.0])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += count
    places = [total / count for total, count in groups for _ in range(int(count))]
    return {k: p + o for k, p, o in zip(row, places, offsets, strict=True)}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
