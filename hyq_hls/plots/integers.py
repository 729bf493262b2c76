"""Plots of integers inside a network: sums, their widths, and how fast they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, new_figure, style
from hyq_hls.plots.objects import IntegerNetwork

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from hyq_hls.graph import Quantization


def requantization(
    weight: ArrayLike,
    sums: ArrayLike,
    codes: ArrayLike,
    quantization: Quantization,
    *,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Plot a layer in integers: its weights, its sums, and the codes that they become.

    Left: the weights as colours, output channels across and input channels up. Middle: how often
    sums occur, in thousands. Right: how often every code occurs after requantization, with the code
    that stands for zero.

    Args:
        weight: integer weights (outputs, inputs).
        sums: accumulators of some images.
        codes: the codes that they became.
        quantization: range and zero point of the codes.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    weights = np.asarray(weight)
    with style():
        figure = new_figure(figure, 2.9)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1, 1))
        largest = int(np.abs(weights).max())
        image = left.imshow(weights.T, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
        left.grid(visible=False)
        left.set(xlabel="output channel", ylabel="input channel", title="weights")
        figure.colorbar(image, ax=left, ticks=[-largest, 0, largest])
        middle.hist(np.asarray(sums).ravel() / 1000, bins=80, color=palette.INTEGER)
        middle.set(xlabel="accumulator [thousand]", ylabel="count", title="sums")
        bins = (np.arange(quantization.qmin, quantization.qmax + 2) - 0.5).tolist()
        right.hist(np.asarray(codes).ravel(), bins=bins, color=palette.INTEGER)
        right.axvline(quantization.zero_point[0], color=palette.ALARM, lw=1.2, label="zero point")
        right.set(xlabel="code", ylabel="count", title="codes after requantization")
        right.legend()
    return figure


def accumulator_widths(
    network: IntegerNetwork,
    seen: Mapping[str, tuple[int, int]] | None = None,
    *,
    axes: Axes | None = None,
) -> Axes:
    """Plot how wide the sums of the layers can get, and how wide they got.

    Across are the nodes that multiply, from the image to the output; up are the bits of the
    accumulator. A square is the width that is proven from the weights, a dot the width that the
    sums of some images needed. The dashed line is an integer of a CPU.

    Args:
        network: the quantized network.
        seen: smallest and largest sum that occurred, by name of the node; those nodes are shown. By
            default all nodes that multiply are.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    graph = network.graph
    if seen is None:
        nodes = [n for n in graph.nodes.values() if n.operation.macs(*graph.input_types(n))]
    else:
        nodes = [graph.nodes[name] for name in seen]
    proven = np.array([node.accumulator.bits for node in nodes])
    x = np.arange(len(nodes))
    with style():
        axes = new_axes(axes, 2.9)
        axes.axhline(32, color=palette.FLOAT, lw=1, ls="--", label="integer of a CPU")
        if seen is not None:
            needed = [signed_bits(*seen[node.name]) for node in nodes]
            axes.vlines(x, needed, proven, color=palette.LIGHT_GREY, lw=2)
            axes.plot(x, needed, "o", color=palette.QUANTIZED, ms=4, label="seen")
        axes.plot(x, proven, "s", color=palette.INTEGER, ms=4, label="proven")
        axes.set(xlabel="layers, from image to output", ylabel="accumulator [bits]")
        low, high = axes.get_ylim()
        axes.set_yticks(range(4 * round(low / 4), int(high) + 1, 4))
        axes.grid(axis="x", visible=False)
        axes.legend(loc="center right", bbox_to_anchor=(1, 0.8), ncols=3)
    return axes


def throughput(
    rates: Mapping[str, float], *, unit: str = "images per second", axes: Axes | None = None
) -> Axes:
    """Plot how fast several ways of computing the same are.

    Args:
        rates: speed by name.
        unit: unit of the speeds, for the axis.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    with style():
        axes = new_axes(axes, 0.7 + 0.3 * len(rates))
        bars = axes.barh(list(rates), list(rates.values()), 0.6, color=palette.INTEGER)
        axes.bar_label(bars, fmt="%.0f", padding=4)
        axes.set(xlabel=unit, xlim=(0, 1.12 * max(rates.values())))
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
    return axes


def signed_bits(low: int, high: int) -> int:
    """Return the bits of the narrowest two's complement integer that holds both."""
    return max(int(high).bit_length(), int(-low - 1).bit_length()) + 1
