"""The numbers that artists of matplotlib hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray


def line(axes: Axes, label: str) -> Line2D:
    """The line of a series."""
    (found,) = (one for one in axes.get_lines() if one.get_label() == label)
    return found


def points(one: Line2D) -> NDArray[Any]:
    """Points (n, 2) of a line."""
    return np.column_stack([np.asarray(one.get_xdata()), np.asarray(one.get_ydata())])


def heights(one: Line2D) -> NDArray[Any]:
    """Values of a line along y."""
    return np.asarray(one.get_ydata())


def rectangles(axes: Axes) -> list[Rectangle]:
    """Bars from left to right."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return sorted(found, key=lambda bar: (bar.get_x(), bar.get_y()))


def row(axes: Axes, place: float) -> list[float]:
    """Widths of the horizontal bars of a row, from left to right."""
    middles = ((bar, bar.get_y() + bar.get_height() / 2) for bar in rectangles(axes))
    return [bar.get_width() for bar, middle in middles if abs(middle - place) < 1e-6]


def columns(axes: Axes) -> dict[float, float]:
    """Heights of the upright bars by the places of their middles."""
    return {round(b.get_x() + b.get_width() / 2, 6): b.get_height() for b in rectangles(axes)}


def labels(axes: Axes, which: str = "y") -> list[str]:
    """Texts at the ticks of an axis."""
    ticks = axes.get_yticklabels() if which == "y" else axes.get_xticklabels()
    return [tick.get_text() for tick in ticks]


def texts(axes: Axes) -> list[str]:
    """Texts within the axes."""
    return [text.get_text() for text in axes.texts]


def picture(axes: Axes) -> NDArray[Any]:
    """Values of the first image."""
    return np.asarray(axes.images[0].get_array())


def group(axes: Axes, index: int) -> list[Rectangle]:
    """Bars that were drawn by one call, in their order."""
    container = axes.containers[index]
    assert isinstance(container, BarContainer)
    return list(container.patches)


def lines_of(axes: Axes, index: int) -> NDArray[Any]:
    """Ends (n, 2, 2) of the lines of a collection."""
    collection = axes.collections[index]
    assert isinstance(collection, LineCollection)
    return np.array([np.asarray(segment) for segment in collection.get_segments()])
