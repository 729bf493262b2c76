"""Plots of quantization noise: along the network, by layer, and against bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hyq_hls.errors import InputError
from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, style
from hyq_hls.plots.objects import NodeErrors, Verification

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = {"weights": palette.INTEGER, "activations": palette.QUANTIZED}


def sqnr_by_node(
    report: Verification, *, mark: Iterable[str] = ("softmax",), axes: Axes | None = None
) -> Axes:
    """Plot how much quantization noise every node has, from the image to the logits.

    Across are the nodes in the order of the data, with a line where a block of the network begins.
    Up is the signal-to-quantization-noise ratio (SQNR) against float in dB; 6 dB are a bit. One
    line is quantized float, one the integers; a node that float does not have leaves a gap.

    Args:
        report: what :func:`hyq_hls.verify.verify` returned.
        mark: ends of names of nodes that get a mark and their name.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        InputError: the report has no SQNR, because the network was loaded without its float graph.
    """
    nodes = list(report.nodes)
    if all(node.integer_db is None for node in nodes):
        raise InputError(
            "no node of this report has an SQNR, because a network from a file has no float graph; "
            "verify the network that quantize returned"
        )
    x = np.arange(len(nodes))
    with style():
        axes = new_axes(axes)
        lines = (
            ("quantized float", palette.QUANTIZED, "--", [n.quantized_db for n in nodes]),
            ("integer", palette.INTEGER, "-", [n.integer_db for n in nodes]),
        )
        for label, colour, dashes, values in lines:
            decibels = np.array([np.nan if v is None else v for v in values], dtype=float)
            axes.plot(x, decibels, dashes, color=colour, lw=1.3, label=label)
        for i, node in enumerate(nodes):
            if node.integer_db is not None and node.node.endswith(tuple(mark)):
                label = node.node.rsplit(".", 1)[-1]
                axes.plot(i, node.integer_db, "o", color=palette.INTEGER, ms=5, mfc="white")
                axes.annotate(
                    label,
                    (i, node.integer_db),
                    (0, -8),
                    textcoords="offset points",
                    fontsize=8,
                    ha="center",
                    va="top",
                )
        mark_blocks(axes, [node.node for node in nodes])
        axes.margins(y=0.12)  # a name below the lowest node has room
        axes.set(xlabel="node, from image to output", ylabel="SQNR against float [dB]")
        axes.set_xlim(-1, len(nodes))
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper right", ncols=2)
    return axes


def sensitivity(
    found: Iterable[NodeErrors],
    *,
    bits: int | None = None,
    nodes: int = 12,
    axes: Axes | None = None,
) -> Axes:
    """Plot which layers and tensors cost most where they have few bits.

    A bar is one layer's weights or one tensor, rounded alone while all else stays float. Its length
    is the relative error of the logits: squared error over squared sum, on a logarithmic axis. The
    most sensitive one is on top.

    Args:
        found: what :func:`hyq_hls.quant.sensitivity_curve` returned.
        bits: width at which they are compared; by default the smallest that was measured.
        nodes: number of bars.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        InputError: nothing was measured, or not at this width.
    """
    curves = list(found)
    widths = sorted(set.intersection(*(set(s.errors) for s in curves))) if curves else []
    if not widths or (bits is not None and bits not in widths):
        raise InputError(
            f"bits={bits}: sensitivities were measured at {widths or 'no'} bits; choose one of "
            "these, or measure it by choices=... of sensitivity_curve"
        )
    width = widths[0] if bits is None else bits
    most = sorted(curves, key=lambda s: -s.errors[width])[:nodes]
    with style():
        axes = new_axes(axes, 0.8 + 0.22 * len(most))
        for kind, colour in _KINDS.items():
            rows = [i for i, s in enumerate(most) if s.kind == kind]
            hatch = "//" if kind == "activations" else ""
            lengths = [most[i].errors[width] for i in rows]
            axes.barh(rows, lengths, color=colour, hatch=hatch, ec="white", lw=0, label=kind)
        axes.set_yticks(range(len(most)), [s.node for s in most], fontsize=8)
        axes.set(xscale="log", xlabel="relative error of the logits")
        axes.set_title(f"rounded to {width} bits, alone")
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower right")
    return axes


def sensitivity_by_bits(found: Iterable[NodeErrors], *, axes: Axes | None = None) -> Axes:
    """Plot how the error of single layers and tensors falls with their bits.

    Across are the bits of one layer's weights, or of one tensor; up is the relative error of the
    logits, logarithmic. Lines are medians, and bands hold the middle 80 % of layers or tensors.

    Args:
        found: what :func:`hyq_hls.quant.sensitivity_curve` returned.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    curves = list(found)
    with style():
        axes = new_axes(axes)
        for (kind, colour), mark in zip(_KINDS.items(), palette.MARKS, strict=False):
            mine = [s.errors for s in curves if s.kind == kind]
            if not mine:
                continue
            widths = sorted(set.intersection(*(set(errors) for errors in mine)))
            errors = np.array([[one[bits] for bits in widths] for one in mine])
            low, middle, high = np.percentile(errors, [10, 50, 90], axis=0)
            axes.semilogy(widths, middle, f"{mark}-", ms=4, color=colour, lw=1.5, label=kind)
            axes.fill_between(widths, low, high, color=colour, alpha=0.2, lw=0)
            axes.set_xticks(widths)
        axes.set(xlabel="bits", ylabel="relative error of the logits")
        axes.set_title("one layer, or one tensor, at a time")
        axes.legend()
    return axes


def bits_front(
    predicted: Sequence[tuple[float, float]],
    measured: Mapping[str, Mapping[float, float]],
    *,
    axes: Axes | None = None,
) -> Axes:
    """Plot what bits buy where every layer has a width of its own.

    Across is the average number of bits; up is the SQNR of the logits in dB. The line is the
    prediction, marks are measured networks.

    Args:
        predicted: average bits and predicted SQNR in dB, as ascending pairs.
        measured: SQNR in dB by average bits, for every series by its label.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    with style():
        axes = new_axes(axes)
        bits, decibels = np.array(predicted, dtype=float).T
        axes.plot(bits, decibels, color=palette.FLOAT, lw=1.2, label="mixed, predicted")
        colours = (palette.INTEGER, palette.QUANTIZED, *palette.OKABE_ITO[2:])
        for (label, found), colour, mark in zip(
            measured.items(), colours, palette.MARKS, strict=False
        ):
            axes.plot(list(found), list(found.values()), mark, color=colour, label=label)
        axes.set(xlabel="average bits", ylabel="SQNR of the logits [dB]", title="what bits buy")
        axes.legend(loc="lower right")
    return axes


def block_of(name: str) -> str:
    """Return the block of the network that a node belongs to, as ``stages.1``."""
    first, _, rest = name.partition(".")
    second = rest.split(".")[0]
    return f"{first}.{second}" if second.isdigit() else first


def mark_blocks(axes: Axes, names: Sequence[str]) -> None:
    """Draw a line where a block begins along the x axis, and its name at the top."""
    blocks = [block_of(name) for name in names]
    last = -np.inf
    for i, block in enumerate(blocks):
        if i == 0 or block != blocks[i - 1]:
            axes.axvline(i - 0.5, color=palette.LIGHT_GREY, lw=0.8, zorder=0)
            if i - last < 0.05 * len(names):  # The name would lie on the one before.
                continue
            last = i
            axes.annotate(
                block,
                (i - 0.4, 1),
                xycoords=("data", "axes fraction"),
                fontsize=7,
                color=palette.GREY,
                va="bottom",
            )
