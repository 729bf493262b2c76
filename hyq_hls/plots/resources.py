"""Plots of what a design takes of a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hyq_hls.parts import Part
from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, style
from hyq_hls.plots.noise import block_of
from hyq_hls.plots.objects import FrontPoint, Resources
from hyq_hls.tools.yosys import Utilization

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def utilization(report: Resources, *, blocks: bool = True, axes: Axes | None = None) -> Axes:
    """Plot how far a design fills a part.

    A bar is a resource: LUTs, flip-flops, DSP slices and block RAMs. It is stacked from the blocks
    of the network and from what lies between them, such as FIFOs. Across is the share of the part
    in percent; the line at 100 is all of it. Where the report has a plan of the HLS C++, a hollow
    bar below shows what the whole C++ takes.

    Args:
        report: what ``Accelerator.estimate`` or ``Accelerator.synthesize`` returned.
        blocks: whether the nodes of a block are one piece of the stack; otherwise every node is.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    has, groups = sites_of(report.part), _stacked(report, blocks)
    colours = _colours(len(groups))
    with style():
        axes = new_axes(axes, 3.4)
        height = 0.8 if report.plan is None else 0.45
        place = 0.0 if report.plan is None else -0.2
        for row, resource in enumerate(palette.RESOURCES):
            left = 0.0
            for (name, used), (colour, hatch) in zip(groups.items(), colours, strict=True):
                share = 100 * getattr(used, resource) / has[resource]
                axes.barh(
                    row + place,
                    share,
                    height,
                    left=left,
                    color=colour,
                    hatch=hatch,
                    ec="white",
                    lw=0.3,
                    label=name if row == 0 else None,
                )
                left += share
            axes.text(left + 1, row + place, f"{left:.0f} %", va="center")
            if report.plan is not None:
                share = 100 * getattr(report.plan.total, resource) / has[resource]
                label = "HLS C++, by plan" if row == 0 else None
                axes.barh(row + 0.22, share, 0.3, fc="none", ec=palette.CPP, lw=1.2, label=label)
                axes.text(share + 1, row + 0.22, f"{share:.0f} %", va="center", fontsize=8)
        axes.axvline(100, color=palette.BLACK, lw=1)
        axes.set_yticks(range(len(has)), [label for label, _ in palette.RESOURCES.values()])
        axes.invert_yaxis()
        axes.set_xlabel(f"share of {report.part.name} [%]")
        axes.set_xlim(0, 1.08 * max(100.0, axes.get_xlim()[1]))
        axes.grid(axis="y", visible=False)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def design_front(
    front: Sequence[FrontPoint],
    chosen: Mapping[str, FrontPoint] | None = None,
    *,
    axes: Axes | None = None,
) -> Axes:
    """Plot the Pareto front of designs: the smallest one for every frame rate.

    Across are frames per second at the clock; up is the share of the part in percent, a line per
    resource. Both axes are logarithmic, and the line at 100 is all of the part.

    Args:
        front: what :func:`hyq_hls.stream.choose.pareto` returned.
        chosen: designs that get a mark at their fullest resource, by their label.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    part = front[0].part
    has = sites_of(part)
    with style():
        axes = new_axes(axes, 3.4)
        rates = [point.fps for point in front]
        for (resource, (label, colour)), mark in zip(
            palette.RESOURCES.items(), palette.MARKS, strict=False
        ):
            shares = [_share(point, resource) for point in front]
            axes.loglog(rates, shares, f"{mark}-", color=colour, ms=4, lw=1.2, label=label)
        for (label, point), mark in zip((chosen or {}).items(), "*PX", strict=False):
            fullest = max(_share(point, resource) for resource in has)
            axes.plot(point.fps, fullest, mark, color=palette.BLACK, ms=10, mfc="none", label=label)
        axes.axhline(100, color=palette.BLACK, lw=1)
        axes.text(rates[0], 104, f"all of {part.name}", va="bottom", fontsize=8)
        _plain_ticks(axes)
        axes.set(xlabel="frames per second", ylabel="share of the part [%]")
        axes.legend(loc="upper left", ncols=2)
    return axes


def estimate_and_synthesis(
    estimated: ArrayLike, synthesized: ArrayLike, *, label: str = "LUT", axes: Axes | None = None
) -> Axes:
    """Plot what a cost model says of circuits against what synthesis found.

    A point is a circuit. Across are its sites by synthesis, up those by estimate, one more than
    they are, so that zero has a place on logarithmic axes. On the line both are equal.

    Args:
        estimated: sites of every circuit by the model.
        synthesized: the same by synthesis.
        label: name of the resource.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    said, found = np.asarray(estimated, dtype=float), np.asarray(synthesized, dtype=float)
    with style():
        axes = new_axes(axes, 3.8, 4.6)
        ends = np.array([1, max(found.max(), said.max()) + 1])
        axes.loglog(ends, ends, color=palette.BLACK, lw=0.8, label="equal")
        axes.loglog(found + 1, said + 1, ".", color=palette.INTEGER, ms=4, label="a circuit")
        axes.set(xlabel=f"{label} by synthesis, plus 1", ylabel=f"{label} by estimate, plus 1")
        axes.set_title(f"{label} of {len(found)} circuits, sum {said.sum() / found.sum() - 1:+.1%}")
        axes.legend(loc="upper left")
    return axes


def grouped_bars(
    groups: Mapping[str, Mapping[str, float]],
    *,
    ylabel: str,
    title: str = "",
    number: str | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Plot numbers of several series beside each other, in groups.

    Across are the groups, with a bar for every series that has a number in them; up is the number.

    Args:
        groups: numbers by group and series, such as LUTs by length of a row and circuit.
        ylabel: name and unit of the numbers.
        title: title of the plot.
        number: format of a number above its bar, such as ``%.1f``; by default there is none.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    series = list(dict.fromkeys(name for group in groups.values() for name in group))
    width = 0.8 / len(series)
    with style():
        axes = new_axes(axes)
        for i, (name, colour) in enumerate(zip(series, _colours(len(series)), strict=True)):
            here = [k for k, group in enumerate(groups.values()) if name in group]
            heights = [group[name] for group in groups.values() if name in group]
            places = [k + (i - (len(series) - 1) / 2) * width for k in here]
            bars = axes.bar(
                places, heights, width, color=colour[0], hatch=colour[1], ec="white", label=name
            )
            if number is not None:
                axes.bar_label(bars, fmt=number, fontsize=7)
        axes.set_xticks(range(len(groups)), list(groups))
        axes.set(ylabel=ylabel, title=title)
        axes.grid(axis="x", visible=False)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def sites_of(part: Part) -> dict[str, float]:
    """Return how much of every resource a part has, by the names of reports."""
    return {"lut": part.luts, "ff": part.ffs, "dsp": part.dsps, "bram18": 2 * part.bram36}


def _share(point: FrontPoint, resource: str) -> float:
    share: float = 100 * getattr(point.solution.used, resource) / sites_of(point.part)[resource]
    return share


def _stacked(report: Resources, blocks: bool) -> dict[str, Utilization]:
    groups: dict[str, Utilization] = {}
    for name, used in report.design.operations.items():
        group = block_of(name) if blocks else name
        groups[group] = groups.get(group, Utilization()) + used
    return {**groups, **report.design.plumbing}


def _colours(count: int) -> list[tuple[str, str]]:
    """Return colours and hatches that are told apart: the palette, then the palette hatched."""
    plain = [*palette.OKABE_ITO[:-1], palette.GREY]
    hatches = ("", "///", "...", "xxx")
    return [(plain[i % len(plain)], hatches[i // len(plain) % 4]) for i in range(count)]


def _plain_ticks(axes: Axes) -> None:
    """Label a logarithmic share with whole percents."""
    low, high = axes.get_ylim()
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low <= t <= high]
    axes.set_yticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
