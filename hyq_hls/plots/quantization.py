"""Plots of ranges, scales and codes: how real values become integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.plots import palette
from hyq_hls.plots.look import new_figure, style
from hyq_hls.plots.objects import Statistics
from hyq_hls.support import sqnr_db

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from hyq_hls.graph import Quantization

_CHOICES = (palette.INTEGER, palette.QUANTIZED, *palette.OKABE_ITO[2:])


def channel_ranges(
    tensors: Mapping[str, Statistics],
    choices: Mapping[str, Mapping[str, Quantization]],
    *,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot how the channels of tensors differ, and how many codes each of them uses.

    Every tensor has two plots, whose x axis is the channel, sorted by range. Above are the real
    values: thin lines are the whole range, thick lines hold the middle 98 % of the values. Below is
    the number of codes in that range, one bar per quantization, of all that a tensor has.

    Args:
        tensors: statistics of every tensor by its name.
        choices: quantization of every tensor by its name, for every choice by its label; the choice
            with the most codes comes first, because the next ones are drawn over it.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    with style():
        figure = new_figure(figure, 4.8)
        grid = figure.subplots(2, len(tensors), height_ratios=(1.7, 1), sharex="col", squeeze=False)
        for (name, tensor), (top, bottom) in zip(tensors.items(), grid.T, strict=True):
            width = tensor.high - tensor.low
            order, x = np.argsort(width), np.arange(width.size)
            low, high = np.percentile(tensor.rows, [1, 99], axis=0)
            top.vlines(x, tensor.low[order], tensor.high[order], color=palette.FLOAT, lw=1)
            top.vlines(x, low[order], high[order], color=palette.FLOAT, lw=5)
            top.axhline(0, color=palette.BLACK, lw=0.6)
            top.set(ylabel="value", title=f"{name}, {width.size} channels")
            most = 0
            for (label, found), colour in zip(choices.items(), _CHOICES, strict=False):
                q = found[name]
                most = max(most, 1 << q.bits)
                codes = np.minimum(width / np.broadcast_to(q.scale, width.size), 1 << q.bits)
                bottom.bar(x, codes[order], color=colour, label=label)
            bottom.set(xlabel="channel, sorted by range", ylabel="codes in use")
            bottom.set(yticks=[0, most // 2, most], ylim=(0, 1.4 * most))
            bottom.grid(axis="x", visible=False)
        grid[1, 0].legend(loc="upper left", ncols=2, borderaxespad=0.1)
    return figure


def code_coverage(
    values: ArrayLike,
    choices: Mapping[str, Quantization],
    *,
    chosen: str = "",
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot what the codes of several quantizations of one tensor cover, and what each costs.

    Left, above: from the smallest to the largest value that has a code, a row per quantization.
    Left, below: how often the values of the tensor occur, with dotted lines at these ends. Right:
    the signal-to-quantization-noise ratio (SQNR) of the values in dB.

    Args:
        values: real values of the tensor.
        choices: quantizations by label, such as the observer that chose them; each has one scale.
        chosen: label of the one that is emphasized.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    values = np.asarray(values, dtype=float)
    with style():
        figure = new_figure(figure, 3.6)
        grid = figure.subplots(2, 2, width_ratios=(2.4, 1))
        cover, noise, counts = grid[0, 0], grid[0, 1], grid[1, 0]
        grid[1, 1].remove()
        cover.sharex(counts)
        worth = [sqnr_db(values, q.dequantize(q.quantize(values))) for q in choices.values()]
        for row, ((label, q), decibels) in enumerate(zip(choices.items(), worth, strict=True)):
            low, high = q.dequantize(q.qmin).item(), q.dequantize(q.qmax).item()
            colour = palette.INTEGER if label == chosen else palette.QUANTIZED
            cover.plot([low, high], [row, row], "|-", color=colour, ms=12, mew=2, lw=2)
            cover.annotate(
                _step(q), (high, row), (6, 0), textcoords="offset points", va="center", fontsize=8
            )
            noise.plot(decibels, row, "o", color=colour)
            noise.annotate(
                f"{decibels:.1f} dB",
                (decibels, row),
                (7, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
            for end in (low, high):
                counts.axvline(end, color=colour, lw=1, ls=":")
        cover.set_yticks(range(len(choices)), list(choices))
        cover.set_title("what the codes cover")
        noise.set(yticks=[], title="SQNR [dB]", xlim=(min(worth) - 2, max(worth) + 4))
        for axes in (cover, noise):
            axes.set_ylim(len(choices) - 0.4, -0.6)
        counts.hist(values.ravel(), bins=160, color=palette.FLOAT, log=True)
        counts.set(xlabel="value", ylabel="count in the sample")
    return figure


def code_usage(
    values: ArrayLike,
    choices: Mapping[str, Quantization],
    *,
    outliers: ArrayLike | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot how recipes spread the values of one tensor over its codes.

    Every recipe has two plots. Above: how often every code occurs, logarithmic; outlier channels
    are an outline of their own. Below: the bits that every channel uses, the binary logarithm of
    the number of codes from its smallest to its largest one.

    Args:
        values: real values (n, C) of the tensor.
        choices: quantizations of the tensor by the name of their recipe.
        outliers: whether a channel is an outlier (C,); by default none is.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    rows = np.asarray(values, dtype=float)
    large = np.zeros(rows.shape[1], bool) if outliers is None else np.asarray(outliers, bool)
    with style():
        figure = new_figure(figure, 4.2)
        grid = figure.subplots(2, len(choices), sharey="row", squeeze=False)
        for (name, q), (top, bottom) in zip(choices.items(), grid.T, strict=True):
            codes = q.quantize(rows)
            bins = np.linspace(q.qmin, q.qmax + 1, 65)
            label = f"{(~large).sum()} channels"
            top.hist(codes[:, ~large].ravel(), bins, color=palette.INTEGER, log=True, label=label)
            if large.any():
                top.hist(
                    codes[:, large].ravel(),
                    bins,
                    color=palette.ALARM,
                    log=True,
                    label=f"{large.sum()} outliers",
                    histtype="step",
                    lw=1.5,
                )
            top.set(title=name, xlabel="code")
            colours = np.where(large, palette.ALARM, palette.INTEGER).tolist()
            bottom.bar(range(len(large)), bits_in_use(codes), color=colours)
            bottom.axhline(q.bits, color=palette.BLACK, lw=0.6)
            bottom.set(xlabel="channel", ylim=(0, q.bits + 0.4))
            bottom.grid(axis="x", visible=False)
        grid[0, 0].set_ylabel("count")
        grid[1, 0].set_ylabel("bits in use")
        grid[0, 0].legend(loc="upper right", fontsize=7, handlelength=1)
    return figure


def bits_in_use(codes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the bits (C,) that channels use of codes (n, C), from the smallest to the largest."""
    return np.asarray(np.log2(np.ptp(codes, axis=0) + 1))


def _step(q: Quantization) -> str:
    scale = q.scale[0]
    return f"step 1/{1 / scale:.0f}" if scale < 1 else f"step {scale:g}"
