"""Plots of a co-simulation: how full FIFOs get, and when stages work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hyq_hls.errors import InputError
from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, style
from hyq_hls.plots.objects import CosimulationRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours of successive frames.
_FRAMES = (palette.BLUE, palette.ORANGE, palette.GREEN)


def fifo_occupancy(report: CosimulationRun, *, fifos: int = 20, axes: Axes | None = None) -> Axes:
    """Plot how full the FIFOs got in a co-simulation, the deepest on top.

    Pale bars are the room of a FIFO, dark bars the most words that waited in it at a time. The
    axis counts words and is logarithmic. The output register of a FIFO counts as a word more.

    Args:
        report: what ``Accelerator.cosimulate`` returned.
        fifos: number of FIFOs.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        InputError: the machine has no FIFOs.
    """
    if not report.streams:
        raise InputError(
            "this run has no FIFOs, because an engine has none between its nodes; co-simulate a "
            'design of architecture="stream"'
        )
    deepest = sorted(report.streams, key=lambda s: -s.depth)[:fifos]
    room = {fifo.name: fifo.depth for fifo in deepest}
    waited = {fifo.name: fifo.max_occupancy for fifo in deepest}
    return _room(room, waited, ("room", "most words that waited"), axes)


def fifo_depths(
    before: Mapping[str, int],
    after: Mapping[str, int],
    *,
    fifos: int = 20,
    axes: Axes | None = None,
) -> Axes:
    """Plot the depths of FIFOs before and after they were sized, the deepest on top.

    Pale bars are the depths by analysis, dark bars those after the measurement. The axis counts
    words and is logarithmic.

    Args:
        before: depths by name, ``Accelerator.flow.depths`` before ``size_fifos``.
        after: the same after it.
        fifos: number of FIFOs.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.
    """
    deepest = sorted(before, key=lambda name: -before[name])[:fifos]
    return _room(
        {name: before[name] for name in deepest},
        {name: after[name] for name in deepest},
        ("by analysis", "measured, sized"),
        axes,
    )


def activity(
    report: CosimulationRun,
    *,
    stages: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    frames: int | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Plot which stages work when, and on which frame.

    A row is a stage, from the image to the output; across are clock cycles in thousands. The
    darker a place, the more words the stage writes there, relative to its busiest moment. The
    colour says which frame the words belong to.

    Args:
        report: what ``Accelerator.cosimulate`` returned, with ``activity_cycles`` given.
        stages: names of the streams, in order; by default all.
        labels: text beside the row of a stage, by its name.
        frames: the axis ends with the output of this frame; by default that of the last one.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        InputError: the run did not count activity.
    """
    result = report.result
    if result is None or not result.activity:
        raise InputError(
            "this run counted no activity; co-simulate with activity_cycles=1000, for example"
        )
    names = [s.name for s in report.streams] if stages is None else list(stages)
    width = result.activity_cycles
    counts = np.stack([result.activity[name] for name in names]).astype(float)
    counts /= np.maximum(counts.max(axis=1, keepdims=True), 1)
    middles = (np.arange(counts.shape[1]) + 0.5) * width
    begins = [result.stream(name).first_write for name in names]
    at_work = np.stack([np.searchsorted(begin, middles) - 1 for begin in begins])
    colours = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in _FRAMES])
    picture = 1 - counts[:, :, None] * (1 - colours[at_work % len(_FRAMES)])
    kilo = width / 1000
    end = result.last_output[-1 if frames is None else min(frames, len(result.last_output)) - 1]
    with style():
        axes = new_axes(axes, 4.8)
        axes.imshow(
            picture,
            aspect="auto",
            interpolation="nearest",
            extent=(0, counts.shape[1] * kilo, len(names) - 0.5, -0.5),
        )
        for k, begin in enumerate(result.first_input / 1000):
            if begin < end / 1000:
                colour = _FRAMES[k % len(_FRAMES)]
                axes.text(begin, -0.7, f"frame {k}", color=colour, fontsize=8, va="bottom")
        shown = {i: (labels or {})[n] for i, n in enumerate(names) if n in (labels or {})}
        axes.set_yticks(list(shown), list(shown.values()))
        axes.set(xlim=(0, end / 1000), xlabel="clock cycles [thousand]")
        axes.set_ylabel("stage, from image to output")
        axes.grid(visible=False)
    return axes


def _room(
    room: Mapping[str, int], used: Mapping[str, int], labels: tuple[str, str], axes: Axes | None
) -> Axes:
    """Draw pale bars of a room and dark bars of what is used of it."""
    rows = np.arange(len(room))
    with style():
        axes = new_axes(axes, 0.9 + 0.2 * len(room))
        axes.barh(rows, list(room.values()), 0.85, color=palette.LIGHT_GREY, label=labels[0])
        axes.barh(rows, [used[n] for n in room], 0.5, color=palette.INTEGER, label=labels[1])
        axes.set_yticks(rows, list(room), fontsize=8)
        axes.set(xscale="log", xlabel="words", xlim=(1, None))
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower right", ncols=2)
    return axes
