"""Plots of work and time: where multiplications and clock cycles go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, new_figure, style
from hyq_hls.plots.noise import mark_blocks
from hyq_hls.plots.objects import NodeCircuit, Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def work_by_node(
    nodes: Sequence[NodeCircuit], *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Plot what every node has to do and to keep, from the image to the output.

    From top to bottom: multiply-accumulates of a frame in thousands, clock cycles of a frame in
    thousands, and constant memory in KiB. Across are the nodes; the largest three have numbers.

    Args:
        nodes: ``Accelerator.nodes``.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    columns = {
        "MAC [thousand]": [n.macs / 1e3 for n in nodes],
        "cycles [thousand]": [n.cycles / 1e3 for n in nodes],
        "constants [KiB]": [n.rom_bits / 8192 for n in nodes],
    }
    with style():
        figure = new_figure(figure, 4.6)
        grid = figure.subplots(3, 1, sharex=True)
        for axes, (label, values) in zip(grid, columns.items(), strict=True):
            bars = axes.bar(range(len(nodes)), values, 0.85, color=palette.INTEGER)
            third = sorted(values)[-min(3, len(values))]
            axes.bar_label(bars, [f"{v:.0f}" if v >= third else "" for v in values], fontsize=7)
            axes.set(ylabel=label, ylim=(0, 1.18 * max(values)))
            axes.grid(axis="x", visible=False)
        mark_blocks(grid[0], [node.name for node in nodes])
        grid[2].set(xlabel="node, from image to output", xlim=(-1, len(nodes)))
    return figure


def cycles_by_node(
    nodes: Sequence[NodeCircuit], *, title: str = "", axes: Axes | None = None
) -> Axes:
    """Plot how many clock cycles every node works for a frame; the slowest one sets the pace.

    Across are the nodes from the image to the output; up are cycles per frame, logarithmic. Nodes
    that multiply are dark, the others pale, and the slowest one stands out with its name.

    Args:
        nodes: ``Accelerator.nodes``.
        title: title of the plot.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    cycles = [node.cycles for node in nodes]
    slowest = int(np.argmax(cycles))
    with style():
        axes = new_axes(axes, 3)
        for label, colour, multiplies in (
            ("multiplies", palette.INTEGER, True),
            ("does not", palette.LIGHT_GREY, False),
        ):
            x = [i for i, n in enumerate(nodes) if (n.macs > 0) == multiplies and i != slowest]
            axes.bar(x, [cycles[i] for i in x], 0.85, color=colour, label=label)
        label = f"slowest: {nodes[slowest].name}, {max(cycles):,} cycles"
        axes.bar(slowest, max(cycles), 0.85, color=palette.ALARM, label=label)
        axes.set(yscale="log", xlabel="node, from image to output", ylabel="cycles per frame")
        axes.set(xlim=(-1, len(nodes)), title=title)
        axes.set_ylim(top=6 * max(cycles))
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper left", ncols=3)
    return axes


def engine_cycles(
    prediction: Prediction, *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Plot where the cycles of a frame go on the engine, which computes one node after the other.

    Left: cycles in thousands of every block of the network. Right: the same by kind of instruction.

    Args:
        prediction: ``Accelerator.machine.prediction`` of an engine.
        figure: figure to draw into; by default a new one.

    Returns:
        The figure.
    """
    blocks: dict[str, float] = {}
    for name, count in prediction.by_node.items():
        block = _block(name)
        blocks[block] = blocks.get(block, 0) + count / 1e3
    kinds = {kind: count / 1e3 for kind, count in prediction.by_kind.items()}
    with style():
        figure = new_figure(figure)
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        left.bar(range(len(blocks)), list(blocks.values()), color=palette.INTEGER)
        left.set_xticks(range(len(blocks)), list(blocks), rotation=60, ha="right", fontsize=7)
        left.set(title="by block of the network", ylabel="thousand cycles")
        left.grid(axis="x", visible=False)
        right.barh(list(kinds), list(kinds.values()), color=palette.QUANTIZED)
        right.set(title="by kind of instruction", xlabel="thousand cycles")
        right.grid(axis="y", visible=False)
    return figure


def _block(name: str) -> str:
    """Return the block of a node with all its numbers, as ``stages.1.0``."""
    first, *others = name.split(".")
    numbers = takewhile(str.isdigit, others)
    return ".".join([first, *numbers])
