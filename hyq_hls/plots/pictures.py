"""Plots of images and of feature maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.plots.look import new_figure, style
from hyq_hls.plots.objects import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def images(
    pixels: ArrayLike | Mapping[str, ArrayLike],
    titles: Sequence[str] = (),
    *,
    columns: int = 10,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show images as they are.

    Args:
        pixels: bytes (B, H, W, C) or (B, H, W), which fill rows of the figure one after the other;
            or a mapping of such arrays, each of which is a row with its name beside it.
        titles: text above every image, in their order.
        columns: number of images in a row; a mapping shows at most so many of each array.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    if isinstance(pixels, Mapping):
        rows = {name: list(np.asarray(some)[:columns]) for name, some in pixels.items()}
    else:
        some = list(np.asarray(pixels))
        rows = {f"_{i}": some[i : i + columns] for i in range(0, len(some), columns)}
    width = max(map(len, rows.values()))
    with style():
        figure = new_figure(figure, len(rows) * (1.2 if len(titles) else 0.95) + 0.2)
        grid = figure.subplots(len(rows), max(width, 1), squeeze=False)
        for axes in grid.flat:
            _bare(axes)
        shown = 0
        for line, (name, row) in zip(grid, rows.items(), strict=True):
            if not name.startswith("_"):
                line[0].set_ylabel(name)
            for axes, image in zip(line, row, strict=False):
                _image(axes, image)
                if shown < len(titles):
                    axes.set_title(titles[shown], fontsize=8, loc="center")
                shown += 1
    return figure


def feature_maps(
    levels: Mapping[str, Trace],
    nodes: Sequence[str],
    *,
    channels: Sequence[int] = (0, 3),
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show feature maps of one image on several levels of the road, one level below the other.

    A row is a level, such as C++ and emulation; side by side are some channels of some nodes. The
    grey of a code is the same on all levels of a node: dark is its smallest code, light its
    largest.

    Args:
        levels: codes (1, H, W, C) of nodes by name, for every level by its name.
        nodes: names of nodes whose tensors are maps.
        channels: channels of each map.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(figure, 1.15 * len(levels) + 0.3)
        grid = figure.subplots(len(levels), len(nodes) * len(channels), squeeze=False)
        for row, (level, trace) in enumerate(levels.items()):
            for column, axes in enumerate(grid[row]):
                _bare(axes)
                node, k = nodes[column // len(channels)], column % len(channels)
                maps = [np.asarray(found[node])[0, :, :, channels[k]] for found in levels.values()]
                low, high = min(m.min() for m in maps), max(m.max() for m in maps)
                axes.imshow(trace[node][0, :, :, channels[k]], cmap="cividis", vmin=low, vmax=high)
                if row == 0 and k == 0:
                    axes.set_title(node, fontsize=8)
            grid[row, 0].set_ylabel(level)
    return figure


def _image(axes: Axes, image: NDArray[Any]) -> None:
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim == 2:
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    else:
        axes.imshow(image)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
