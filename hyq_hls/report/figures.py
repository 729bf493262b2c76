"""The charts of the page: SVG that stands inside the HTML and takes its text colour from it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullFormatter

from hyq_hls.plots.palette import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION, YELLOW
from hyq_hls.report.content import Fifo, Fill, NodeFacts, ParetoPoint
from hyq_hls.verify import NodeLevels
from hyq_hls.verify.sensitivity import NodeSensitivity

_GREY = "#8a8f98"
#: A colour that nothing else has; the page puts that of its text in its place.
_TEXT = "#010203"
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a dollar sign in a name is one
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _TEXT
    ),
}
_WIDTH = 7.6
#: Rows of a chart of bars: the largest ones; tables hold all.
LARGEST = 18
#: Rows of the picture of activity that have a name.
_NAMED = 34
_LONGEST_NAME = 34
#: A logarithmic axis of a smaller range has hardly a number at it.
_DECADE = 10
#: The line of a whole frame beside bars that are far shorter would hide their differences.
_NEAR = 2


def fill_chart(fill: Sequence[Fill]) -> Markup:
    """Return the shares of the part that RTL and C++ take, by resource."""

    def draw(axes: Axes) -> None:
        places = np.arange(len(fill))[::-1].astype(float)
        series = [("RTL", BLUE, [f.rtl / f.has for f in fill])]
        planned = [f.hls for f in fill if f.hls is not None]
        if planned:
            shares = [h / f.has for h, f in zip(planned, fill, strict=True)]
            series.append(("HLS C++", ORANGE, shares))
        height = 0.8 / len(series)
        for index, (label, colour, values) in enumerate(series):
            at = places + (0.5 * (len(series) - 1) - index) * height
            bars = axes.barh(at, [100 * v for v in values], height * 0.9, color=colour, label=label)
            axes.bar_label(bars, [f"{v:.0%}" for v in values], padding=4)
        axes.axvline(100, color=_TEXT, linewidth=1, linestyle="--")
        axes.set_yticks(places, [f.resource for f in fill])
        top = max([100.0, *(100 * v for _, _, values in series for v in values)])
        axes.set_xlim(0, top * 1.12)
        axes.set_xlabel("% of the part; the dashed line is the whole part")
        _legend_above(axes)

    return _svg(draw, 2.6, "fill")


def cycles_chart(rows: Sequence[tuple[str, int, int | None]], frame: int) -> Markup:
    """Return the cycles of the slowest nodes: name, cycles of the RTL, cycles of the C++."""
    shown = sorted(rows, key=lambda row: -row[1])[:LARGEST]
    near = frame < _NEAR * shown[0][1]  # the nodes of an engine share the frame

    def draw(axes: Axes) -> None:
        places = np.arange(len(shown))[::-1]
        two = any(row[2] is not None for row in shown)
        height = 0.4 if two else 0.7
        axes.barh(places + (0.2 if two else 0), [r[1] for r in shown], height, color=BLUE)
        if two:
            beside = [r[2] or 0 for r in shown]
            axes.barh(places - 0.2, beside, height, color=ORANGE)
        if near:
            axes.axvline(frame, color=_TEXT, linewidth=1, linestyle="--")
        axes.set_yticks(places, [_short(r[0]) for r in shown])
        line = "; the dashed line is the whole frame" if near else ""
        axes.set_xlabel(f"cycles per frame{line}")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_major_locator(MaxNLocator(6))
        _keys(axes, [("RTL", BLUE), *([("HLS C++", ORANGE)] if two else [])])

    return _svg(draw, 0.9 + 0.24 * len(shown), "cycles")


def sqnr_chart(nodes: Sequence[NodeLevels]) -> Markup:
    """Return the signal-to-noise of every node, in the order of the graph."""

    def draw(axes: Axes) -> None:
        numbers = np.arange(1, len(nodes) + 1)
        for label, colour, marker, values in (
            ("quantized float", SKY_BLUE, "o", [n.quantized_db for n in nodes]),
            ("integers", VERMILLION, "s", [n.integer_db for n in nodes]),
        ):
            finite = [v if v is not None and isfinite(v) else np.nan for v in values]
            axes.plot(
                numbers, finite, color=colour, marker=marker, markersize=3, linewidth=1, label=label
            )
        axes.set_xlabel("number of the node, as in the table of nodes")
        axes.set_ylabel("SQNR against float, dB")
        axes.grid(axis="y", color=_GREY, alpha=0.35, linewidth=0.6)
        axes.set_xlim(0, len(nodes) + 1)
        axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
        _legend_above(axes)

    return _svg(draw, 3.0, "sqnr")


def sensitivity_chart(found: Sequence[NodeSensitivity]) -> Markup:
    """Return the nodes that cause most of the error of the output."""
    shown = sorted(found, key=lambda s: -s.share)[:LARGEST]

    def draw(axes: Axes) -> None:
        places = np.arange(len(shown))[::-1]
        bars = axes.barh(places, [100 * s.share for s in shown], 0.7, color=GREEN)
        axes.bar_label(bars, [f"{s.share:.1%}" for s in shown], padding=4)
        axes.set_yticks(places, [_short(s.node) for s in shown])
        axes.set_xlabel("% of the squared error of the output")
        axes.margins(x=0.12)

    return _svg(draw, 0.8 + 0.24 * len(shown), "cost")


def fifo_chart(fifos: Sequence[Fifo]) -> Markup:
    """Return words that waited beside the depth, of the FIFOs with the most bits."""
    shown = sorted(fifos, key=lambda f: -f.depth * f.word_bits)[:LARGEST]

    def draw(axes: Axes) -> None:
        places = np.arange(len(shown))[::-1]
        axes.barh(places, [f.depth for f in shown], 0.75, color=SKY_BLUE, alpha=0.45)
        axes.barh(places, [f.occupancy for f in shown], 0.4, color=BLUE)
        axes.set_xscale("log")
        axes.set_xlim(0.8, 1.4 * max(max(f.depth, f.occupancy, 1) for f in shown))
        axes.set_yticks(places, [_short(f.name) for f in shown])
        axes.set_xlabel("words (logarithmic)")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        _keys(axes, [("depth", SKY_BLUE), ("most words that waited", BLUE)])

    return _svg(draw, 0.9 + 0.24 * len(shown), "fifo")


def activity_chart(activity: Mapping[str, Sequence[int]], bin_cycles: int) -> Markup:
    """Return when each node writes its words, over one frame."""
    names = list(activity)
    rows = np.array([activity[name] for name in names], dtype=float)
    # Every row by its own most words in a bin: streams have words of different sizes.
    peaks = rows.max(axis=1, keepdims=True)
    shades = np.divide(rows, peaks, out=np.zeros_like(rows), where=peaks > 0)
    step = -(-len(names) // _NAMED)

    def draw(axes: Axes) -> None:
        axes.imshow(
            shades,
            aspect="auto",
            interpolation="nearest",
            cmap="cividis",
            extent=(0, rows.shape[1] * bin_cycles, len(names), 0),
        )
        axes.set_yticks(np.arange(0, len(names), step) + 0.5, [_short(n) for n in names[::step]])
        axes.set_xlabel("cycle; yellow: as many words as the stream ever takes")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_major_locator(MaxNLocator(6))

    return _svg(draw, 0.9 + 0.21 * min(len(names), _NAMED), "activity")


def units_chart(units: Mapping[str, Sequence[float]], bin_cycles: float) -> Markup:
    """Return which unit of an engine works when, over one frame."""
    names = [name for name, shares in units.items() if any(shares)]

    def draw(axes: Axes) -> None:
        count = len(units[names[0]])
        edges = np.repeat(np.arange(count + 1) * bin_cycles, 2)[1:-1]
        stacked = [np.repeat(100 * np.array(units[name]), 2) for name in names]
        colours = [BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY_BLUE]
        axes.stackplot(edges, stacked, colors=colours[: len(names)], linewidth=0)
        axes.set_ylim(0, 100)
        axes.set_xlim(0, edges[-1])
        axes.set_ylabel("% of the cycles")
        axes.set_xlabel("cycle of the frame, by formula")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_major_locator(MaxNLocator(6))
        _keys(axes, list(zip(names, colours, strict=False)))

    return _svg(draw, 3.2, "units")


def pareto_chart(points: Sequence[ParetoPoint], luts: int) -> Markup:
    """Return frames per second against LUTs; ``luts`` are those of the part."""
    front = [
        p for p in points if not any(q.fps >= p.fps and q.used.lut < p.used.lut for q in points)
    ]
    rates = [p.fps for p in points]

    def draw(axes: Axes) -> None:
        luts_of_front, rates_of_front = [p.used.lut for p in front], [p.fps for p in front]
        axes.plot(luts_of_front, rates_of_front, color=BLUE, marker="o", label="front")
        for point in points:
            if point.chosen:
                place = [point.used.lut], [point.fps]
                axes.plot(*place, "D", color=VERMILLION, markersize=8, label="this design")
        axes.axvline(luts, color=_TEXT, linewidth=1, linestyle="--", label="LUTs of the part")
        if max(rates) > _DECADE * min(rates):
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_ylim(0, 1.12 * max(rates))
        axes.set_xlim(0, None)
        axes.set_xlabel("LUT")
        axes.set_ylabel("frames per second")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.grid(color=_GREY, alpha=0.35, linewidth=0.6)
        _legend_above(axes)

    return _svg(draw, 3.4, "pareto")


def work_chart(nodes: Sequence[NodeFacts]) -> Markup:
    """Return the multiply-accumulates by operation."""
    sums: dict[str, int] = {}
    for node in nodes:
        sums[node.operation] = sums.get(node.operation, 0) + node.macs
    shown = sorted(((name, n) for name, n in sums.items() if n), key=lambda item: -item[1])
    total = max(sum(n for _, n in shown), 1)

    def draw(axes: Axes) -> None:
        places = np.arange(len(shown))[::-1]
        bars = axes.barh(places, [100 * n / total for _, n in shown], 0.7, color=PURPLE)
        axes.bar_label(bars, [f"{n:,}" for _, n in shown], padding=4)
        axes.set_yticks(places, [name for name, _ in shown])
        axes.set_xlabel("% of the multiply-accumulates")
        axes.set_xlim(0, 118 * max((n / total for _, n in shown), default=1))

    return _svg(draw, 0.8 + 0.26 * len(shown), "work")


def _short(name: str) -> str:
    """Return a name that has room beside a chart: its beginning and its end."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)


def _keys(axes: Axes, keys: Sequence[tuple[str, str]]) -> None:
    """Put a legend of colours above a chart."""
    patches = [Patch(color=colour, label=label) for label, colour in keys]
    axes.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2
    )


def _svg(draw: Callable[[Axes], None], height: float, name: str) -> Markup:
    """Draw into SVG that can stand inside a page beside others."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure((_WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        stream = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=nothing)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # HTML knows the names of SVG by itself, and a page must not name what it could load.
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = text.replace(_TEXT, "currentColor")
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r" font-family: [^;\"]*;", "", text)
    return Markup(text)  # the writer of XML has escaped its names
