"""Places of the nodes of a graph in a picture: layers from top to bottom, few crossings.

The method is that of Sugiyama, Tagawa and Toda (1981): longest-path layers, an invisible place in
every layer that an edge passes, orders by the mean of the neighbours, and columns by isotonic
regression. The picture is cut into panels of some layers each, which stand side by side on a wide
screen and below each other on a narrow one or on paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import isotonic_regression

#: Sizes in the units of the picture.
NODE_WIDTH, NODE_HEIGHT, LAYER, GAP = 166, 38, 56, 10
_PASSING_WIDTH = 10
#: Layers of a panel.
PANEL = 14
_SWEEPS = 12
#: How much an edge that passes a layer holds its place: long edges are straight.
_STIFF = 6.0
#: How much a passing edge counts beside nodes: a chain of nodes is straight.
_PASSING_WEIGHT = 0.02


@dataclass(frozen=True)
class Box:
    """A node in the picture.

    Attributes:
        name: name of the node.
        x, y: its upper left corner.
        number: its number in the order of the graph; 0 is the image.
    """

    name: str
    x: float
    y: float
    number: int


@dataclass(frozen=True)
class Panel:
    """Some layers of the picture.

    Attributes:
        x, y, width, height: the part of the picture that it shows.
        boxes: its nodes.
        lines: its edges as paths of SVG; an edge that enters or leaves is in both panels.
    """

    x: float
    y: float
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """A graph as a picture.

    Attributes:
        panels: its parts, from top to bottom.
        node_width, node_height: sizes of a node.
    """

    panels: tuple[Panel, ...]
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT


@dataclass(frozen=True)
class _Place:
    """A node, or the place where an edge passes a layer.

    Attributes:
        name: name of the node; of a passing edge its two ends.
        layer: number of the layer.
        passing: whether it is a passing edge.
    """

    name: str | tuple[str, str]
    layer: int
    passing: bool = False

    @property
    def width(self) -> float:
        """Width in the picture."""
        return _PASSING_WIDTH if self.passing else NODE_WIDTH


def drawn(inputs: Mapping[str, Sequence[str]]) -> Drawing:
    """Return the picture of a graph.

    Args:
        inputs: the tensors that every node reads, by name of the node and in topological order; the
            image is a node that reads none.
    """
    layers_of = _layers(inputs)
    places, edges = _with_passing(inputs, layers_of)
    rows = _ordered(places, edges)
    x = _columns(rows, edges)
    numbers = {name: number for number, name in enumerate(inputs)}
    panels = []
    for start in range(0, len(rows), PANEL):
        shown = range(start, min(start + PANEL, len(rows)))
        panels.append(_panel(shown, len(rows), rows, edges, x, numbers))
    return Drawing(tuple(panels))


def _layers(inputs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the layer of every node: one below the lowest that it reads."""
    layers: dict[str, int] = {}
    for name, read in inputs.items():
        layers[name] = max((layers[other] + 1 for other in read), default=0)
    readers: dict[str, list[str]] = {}
    for name, read in inputs.items():
        for other in read:
            readers.setdefault(other, []).append(name)
    first = next(iter(inputs))
    for name, read in inputs.items():
        if not read and name != first and name in readers:  # a constant stands above its reader
            layers[name] = max(0, min(layers[reader] for reader in readers[name]) - 1)
    return layers


def _with_passing(
    inputs: Mapping[str, Sequence[str]], layers: Mapping[str, int]
) -> tuple[list[_Place], list[tuple[_Place, _Place]]]:
    """Return all places, and edges between places of neighbouring layers."""
    nodes = {name: _Place(name, layers[name]) for name in inputs}
    places, edges = list(nodes.values()), []
    for name, read in inputs.items():
        for other in dict.fromkeys(read):
            above = nodes[other]
            for layer in range(layers[other] + 1, layers[name]):
                below = _Place((other, name), layer, passing=True)
                places.append(below)
                edges.append((above, below))
                above = below
            edges.append((above, nodes[name]))
    return places, edges


def _ordered(
    places: Sequence[_Place], edges: Sequence[tuple[_Place, _Place]]
) -> list[list[_Place]]:
    """Return the places of every layer from left to right, with few crossings."""
    rows: list[list[_Place]] = [[] for _ in range(1 + max(place.layer for place in places))]
    for place in places:
        rows[place.layer].append(place)
    above, below = _neighbours(edges)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        beside = above if down else below
        for row in rows if down else reversed(rows):
            order = {p: i / max(len(r) - 1, 1) for r in rows for i, p in enumerate(r)}
            keys = {p: _mean([order[o] for o in beside.get(p, [p])]) for p in row}
            row.sort(key=keys.__getitem__)
    return rows


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _neighbours(
    edges: Sequence[tuple[_Place, _Place]],
) -> tuple[dict[_Place, list[_Place]], dict[_Place, list[_Place]]]:
    above: dict[_Place, list[_Place]] = {}
    below: dict[_Place, list[_Place]] = {}
    for upper, lower in edges:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _columns(
    rows: Sequence[Sequence[_Place]], edges: Sequence[tuple[_Place, _Place]]
) -> dict[_Place, float]:
    """Return the centre of every place: near its neighbours, in the order of its layer."""
    above, below = _neighbours(edges)
    centre: dict[_Place, float] = {}
    for row in rows:
        for place, offset in zip(row, _offsets(row), strict=True):
            centre[place] = offset - _offsets(row)[-1] / 2
    for sweep in range(_SWEEPS):
        beside = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            offsets = np.array(_offsets(row))
            wanted = [_wanted(beside.get(place, [place]), centre) for place in row]
            weights = [_weight(place, beside.get(place, ())) for place in row]
            moved = isotonic_regression(np.array(wanted) - offsets, weights=weights).x + offsets
            centre.update(zip(row, map(float, moved), strict=True))
    return centre


def _wanted(near: Sequence[_Place], centre: Mapping[_Place, float]) -> float:
    """Return where a place should be: below its nodes rather than below edges that pass."""
    weights = [_PASSING_WEIGHT if place.passing else 1.0 for place in near]
    return float(np.average([centre[place] for place in near], weights=weights))


def _weight(place: _Place, near: Sequence[_Place]) -> float:
    """Return how much a place insists on where it wants to be."""
    if not place.passing:
        return 1.0
    # An edge goes straight on, but where it begins or ends it makes room for the nodes.
    return _STIFF if any(other.passing for other in near) else _PASSING_WEIGHT


def _offsets(row: Sequence[_Place]) -> list[float]:
    """Return the least distances of the centres of a layer from its first."""
    found = [0.0]
    for left, right in pairwise(row):
        found.append(found[-1] + (left.width + right.width) / 2 + GAP)
    return found


def _panel(
    shown: range,
    count: int,
    rows: Sequence[Sequence[_Place]],
    edges: Sequence[tuple[_Place, _Place]],
    x: Mapping[_Place, float],
    numbers: Mapping[str, int],
) -> Panel:
    places = [place for layer in shown for place in rows[layer]]
    left = min(x[p] - p.width / 2 for p in places)
    right = max(x[p] + p.width / 2 for p in places)
    top = shown[0] * LAYER - (LAYER - NODE_HEIGHT if shown[0] else 2)
    bottom = shown[-1] * LAYER + NODE_HEIGHT + (LAYER - NODE_HEIGHT if shown[-1] + 1 < count else 2)
    boxes = tuple(
        Box(str(p.name), x[p] - p.width / 2, p.layer * LAYER, numbers[str(p.name)])
        for p in places
        if not p.passing
    )
    lines = tuple(
        _line(upper, lower, x)
        for upper, lower in edges
        if upper.layer in shown or lower.layer in shown
    )
    return Panel(left - 4, top, right - left + 8, bottom - top, boxes, lines)


def _line(upper: _Place, lower: _Place, x: Mapping[_Place, float]) -> str:
    """Return an edge as a path: a curve between two layers; a passing edge goes straight on."""
    begin, end = upper.layer * LAYER + NODE_HEIGHT, lower.layer * LAYER
    middle = (begin + end) / 2
    path = f"M{x[upper]:.1f} {begin}C{x[upper]:.1f} {middle} {x[lower]:.1f} {middle} "
    path += f"{x[lower]:.1f} {end}"
    return path + (f"V{end + NODE_HEIGHT}" if lower.passing else "")
