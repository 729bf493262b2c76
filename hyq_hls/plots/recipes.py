"""Plots of accuracy: recipes beside each other, and answers of two networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_COLOURS = (palette.INTEGER, palette.QUANTIZED, palette.CPP, palette.RTL)


def accuracy(
    found: Mapping[str, Mapping[str, float]],
    *,
    floating: float | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Plot the accuracy of recipes.

    Across are the recipes, with a bar for every network; up is top-1 accuracy in percent. The
    dashed line is the float network.

    Args:
        found: top-1 in percent by recipe and network.
        floating: top-1 in percent of the float network; by default there is no line.
        title: title of the plot.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    networks = list(dict.fromkeys(name for row in found.values() for name in row))
    width = 0.8 / len(networks)
    with style():
        axes = new_axes(axes)
        for i, (network, colour) in enumerate(zip(networks, _COLOURS, strict=False)):
            here = [k for k, row in enumerate(found.values()) if network in row]
            heights = [row[network] for row in found.values() if network in row]
            places = [k + (i - (len(networks) - 1) / 2) * width for k in here]
            hatch = ("", "///", "...", "xxx")[i]
            bars = axes.bar(
                places, heights, width, color=colour, hatch=hatch, ec="white", label=network
            )
            axes.bar_label(bars, fmt="%.1f", fontsize=7)
        if floating is not None:
            axes.axhline(floating, color=palette.FLOAT, lw=1, ls="--", label="float")
        axes.set_xticks(range(len(found)), list(found))
        axes.set(ylabel="top-1 [%]", ylim=(0, 118), title=title)
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper left", ncols=len(networks) + 1)
    return axes


def accuracy_and_noise(
    found: Mapping[str, Mapping[str, tuple[float, float]]],
    *,
    floating: float | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot SQNR and accuracy of configurations beside each other.

    A row is a configuration, such as a number of bits, with a mark for every variant. Left is the
    SQNR of the logits in dB, right the top-1 accuracy in percent; the dashed line is float.

    Args:
        found: pairs of SQNR in dB and top-1 in percent, by configuration and variant.
        floating: top-1 in percent of the float network; by default there is no line.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    variants = list(dict.fromkeys(name for row in found.values() for name in row))
    with style():
        figure = new_figure(figure, 1.1 + 0.45 * len(found))
        left, right = figure.subplots(1, 2, sharey=True)
        for i, (variant, colour, mark) in enumerate(
            zip(variants, _COLOURS, palette.MARKS, strict=False)
        ):
            rows = [k for k, row in enumerate(found.values()) if variant in row]
            places = [k + 0.22 * (i - (len(variants) - 1) / 2) for k in rows]
            pairs = np.array([row[variant] for row in found.values() if variant in row])
            for axes, values in zip((left, right), pairs.T, strict=True):
                axes.plot(values, places, mark, color=colour, ms=6, label=variant)
        if floating is not None:
            right.axvline(floating, color=palette.FLOAT, lw=1, ls="--", label="float")
        left.set_yticks(range(len(found)), list(found))
        left.set_ylim(len(found) - 0.4, -0.6)
        left.set_xlabel("SQNR of the logits [dB]")
        right.set_xlabel("top-1 [%]")
        right.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def confusion(
    first: ArrayLike,
    second: ArrayLike,
    classes: int,
    *,
    names: tuple[str, str] = ("float", "integer"),
    axes: Axes | None = None,
) -> Axes:
    """Plot how often two networks give which pair of answers.

    A row is the answer of the first network, a column that of the second one; the number says on
    how many images. Places off the diagonal, where they differ, are coloured by it.

    Args:
        first: answers of the first network, integers (B,) from 0.
        second: answers of the second network on the same images.
        classes: number of classes.
        names: names of the networks.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (np.asarray(first), np.asarray(second)), 1)
    off = np.where(np.eye(classes, dtype=bool), 0, counts)
    with style():
        axes = new_axes(axes, 3.8, 4.2)
        shown = np.ma.masked_equal(off, 0)
        axes.imshow(shown, cmap="Oranges", vmin=0, vmax=max(2 * int(off.max()), 1))
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = palette.GREY if row == column else palette.BLACK
                axes.text(
                    column, row, f"{count}", ha="center", va="center", fontsize=7, color=colour
                )
        axes.set(xticks=range(classes), yticks=range(classes))
        axes.set(xlabel=f"{names[1]} says", ylabel=f"{names[0]} says")
        axes.grid(visible=False)
    return axes


def margins(logits: ArrayLike, differ: ArrayLike, *, axes: Axes | None = None) -> Axes:
    """Plot how decided a network was, and how decided where another one answers otherwise.

    Across is the margin: the largest logit less the second largest one. Up is the number of images,
    logarithmic.

    Args:
        logits: logits (B, classes) of the network.
        differ: whether the other network answers otherwise, for every image (B,).
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    top = np.sort(np.asarray(logits, dtype=float), axis=1)
    margin, mask = top[:, -1] - top[:, -2], np.asarray(differ, bool)
    with style():
        axes = new_axes(axes)
        bins = np.linspace(0, margin.max(), 60).tolist()
        axes.hist(margin, bins, color=palette.LIGHT_GREY, label="all images", log=True)
        axes.hist(margin[mask], bins, color=palette.QUANTIZED, label="answers differ", log=True)
        axes.set(xlabel="margin: best logit less the second", ylabel="images")
        axes.legend()
    return axes
