"""Plots of functions in integers: Swish, softmax and their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hyq_hls.plots import palette
from hyq_hls.plots.look import new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_COLOURS = (palette.INTEGER, palette.QUANTIZED, palette.CPP, palette.RTL)


def approximation(
    x: ArrayLike,
    exact: ArrayLike,
    found: Mapping[str, ArrayLike],
    *,
    step: float = 1.0,
    label: str = "y",
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot a function beside what integers make of it, and the error in steps of the output.

    Left: the function over x; the wide line is the exact one. Right: what an approximation has too
    much, in steps of the output's codes. The band is half a step, which rounding costs anyway.

    Args:
        x: real values of the input.
        exact: the function there.
        found: values of every approximation by its label.
        step: size of a step of the output, as ``Quantization.scale`` says.
        label: name of the output, for the axis.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    x, exact = np.asarray(x, dtype=float), np.asarray(exact, dtype=float)
    with style():
        figure = new_figure(figure)
        left, right = figure.subplots(1, 2)
        left.plot(x, exact, color=palette.FLOAT, lw=4, alpha=0.4, label="exact")
        right.axhspan(-0.5, 0.5, color=palette.PALE_GREY, label="half a step")
        for (name, values), colour in zip(found.items(), _COLOURS, strict=False):
            y = np.asarray(values, dtype=float)
            left.plot(x, y, color=colour, lw=1.2, drawstyle="steps-mid", label=name)
            right.plot(x, (y - exact) / step, color=colour, lw=1.2, label=name)
        left.set(xlabel="x", ylabel=label)
        right.set(xlabel="x", ylabel="error [output steps]")
        left.legend()
        right.legend()
    return figure


def probabilities(
    exact: ArrayLike,
    found: ArrayLike,
    row: Sequence[int],
    *,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot what the codes of a softmax make of probabilities.

    Left: every probability that is not rounded to zero, exact across and as its code stands for it
    up; both axes are logarithmic. Right: one row of them, over its keys.

    Args:
        exact: probabilities (..., keys) of a true softmax.
        found: the values that the codes stand for, of the same shape.
        row: place of the row that is shown, an index of all axes but the last.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    true, near = np.asarray(exact, dtype=float), np.asarray(found, dtype=float)
    with style():
        figure = new_figure(figure)
        left, right = figure.subplots(1, 2)
        seen = near > 0
        least = min(true[seen].min(), near[seen].min())
        left.loglog([least, 1], [least, 1], color=palette.FLOAT, lw=4, alpha=0.4, label="equal")
        left.loglog(true[seen], near[seen], ".", color=palette.INTEGER, ms=2, label="a probability")
        left.set(xlabel="exact probability", ylabel="value of its code")
        left.set_xscale("log", base=2)
        left.set_yscale("log", base=2)
        left.legend()
        keys = np.arange(true.shape[-1])
        place = tuple(row)
        right.bar(keys - 0.2, true[place], 0.4, color=palette.FLOAT, label="exact")
        right.bar(keys + 0.2, near[place], 0.4, color=palette.INTEGER, label="its code")
        right.set(xlabel="key", ylabel="probability", title="one row")
        right.grid(axis="x", visible=False)
        right.legend()
    return figure
