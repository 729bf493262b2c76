"""Timing diagrams of a recorded simulation: with matplotlib, and as WaveJSON for WaveDrom.

A recording is a sequence of samples, one per clock cycle; a sample maps names of signals to their
values: 0 or 1 for a wire, any number or text for a bus, None for a bus without a valid value.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyq_hls.errors import InputError, MissingPackageError
from hyq_hls.plots import palette
from hyq_hls.plots.look import new_axes, style
from hyq_hls.support import user_path, write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Value = int | str | None
Recording = Sequence[Mapping[str, Value]]
#: Ends of names of signals that are one wire.
WIRES = ("valid", "ready", "last", "clk", "enable")
#: Characters of a value that have room in a cycle of the usual width.
_SHORT = 4


@dataclass(frozen=True)
class TimingDiagram:
    """A timing diagram that a notebook shows, as WaveDrom draws it.

    Attributes:
        wave_json: the diagram in WaveDrom's own format; https://wavedrom.com/editor.html opens it.
    """

    wave_json: Mapping[str, Any]

    def svg(self) -> str:
        """Return the drawing.

        Raises:
            MissingPackageError: the renderer is not installed.
        """
        try:
            render = import_module("yowasp_wavedrom").render
        except ImportError as error:
            raise MissingPackageError(
                f"drawing WaveJSON needs yowasp-wavedrom, which cannot be imported ({error}); "
                'install it with: pip install "hyq_hls[waveforms]" (Python 3.12 or older), draw '
                "the recording with hyq_hls.plots.waveform, or open the file of save(...json) in "
                "the editor of wavedrom.com"
            ) from error
        return str(render(dict(self.wave_json)))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the diagram, as WaveJSON to a ``.json`` file and as a drawing to an ``.svg`` file.

        Raises:
            InputError: the name ends in neither.
            FileFormatError: the file cannot be written.
            MissingPackageError: the renderer is not installed.
        """
        file = user_path(path)
        if file.suffix not in (".json", ".svg"):
            raise InputError(f"{file.name}: a name that ends in .json or .svg is wanted")
        text = self.svg() if file.suffix == ".svg" else json.dumps(self.wave_json, indent=1)
        write_file(file, f"{text}\n")
        return file

    def _repr_svg_(self) -> str:
        return self.svg()


def timing_diagram(
    recording: Recording,
    signals: Iterable[str] | None = None,
    *,
    first: int = 0,
    title: str = "",
) -> TimingDiagram:
    """Make a WaveDrom timing diagram of recorded signals.

    Names that end in one of ``WIRES`` are wires, the others buses, whose value stands in the
    diagram wherever it changes. Up to about 40 cycles are easily read.

    Args:
        recording: samples, one per cycle.
        signals: names of the signals from top to bottom; by default all of the first sample.
        first: number of the first cycle.
        title: text above the diagram.

    Returns:
        The diagram; a notebook shows it, ``save`` writes it.

    Raises:
        InputError: the recording is empty, lacks a signal, or a wire is neither 0 nor 1.
    """
    names = _checked(recording, signals)
    lanes: list[dict[str, Any]] = []
    for name in names:
        values = [sample[name] for sample in recording]
        lane: dict[str, Any] = {"name": name, "wave": ""}
        data = []
        for i, value in enumerate(values):
            if i and value == values[i - 1]:
                lane["wave"] += "."
            elif value is None:
                lane["wave"] += "x"
            elif is_wire(name):
                lane["wave"] += str(value)
            else:
                lane["wave"] += "="
                data.append(str(value))
        lanes.append({**lane, "data": data} if data else lane)
    longest = max((len(text) for lane in lanes for text in lane.get("data", ())), default=0)
    head: dict[str, Any] = {"tick": first, "every": 2}
    document = {
        "signal": [{"name": "clock", "wave": "p" + "." * (len(recording) - 1)}, *lanes],
        "head": {**head, "text": title} if title else head,
        "config": {"hscale": 1 if longest <= _SHORT else 2},  # a cycle holds its value
    }
    return TimingDiagram(document)


def waveform(
    recording: Recording,
    signals: Iterable[str] | None = None,
    *,
    first: int = 0,
    title: str = "",
    colours: Mapping[str, str] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Plot recorded signals over the clock cycles, also of long recordings.

    A row is a signal. Wires are steps between 0 and 1; buses are boxes with their value, and a thin
    line where they have none.

    Args:
        recording: samples, one per cycle.
        signals: names of the signals from top to bottom; by default all of the first sample.
        first: number of the first cycle.
        title: title of the plot.
        colours: colour by name of the signal; by default all are blue.
        axes: axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        InputError: the recording is empty, lacks a signal, or a wire is neither 0 nor 1.
    """
    names = _checked(recording, signals)
    time = np.arange(first, first + len(recording) + 1)
    rows = -1.5 * np.arange(len(names))
    with style():
        axes = new_axes(axes, 0.6 + 0.38 * len(names))
        for y, name in zip(rows, names, strict=True):
            colour = (colours or {}).get(name, palette.INTEGER)
            values = [sample[name] for sample in recording]
            if is_wire(name):
                level = y + 0.9 * np.array([*values, values[-1]], dtype=float)
                axes.step(time, level, where="post", color=colour, lw=1.3)
                axes.fill_between(time, y, level, step="post", color=colour, alpha=0.13, lw=0)
            else:
                _bus(axes, time, y, values, colour)
        axes.set_yticks(rows + 0.45, names)
        axes.set(xlim=(time[0], time[-1]), ylim=(rows[-1] - 0.4, 1.6), xlabel="clock cycle")
        axes.set_title(title)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
    return axes


def is_wire(name: str) -> bool:
    """Return whether a signal is one wire, by the end of its name."""
    return name.endswith(WIRES)


def _bus(axes: Axes, time: Any, y: float, values: Sequence[Value], colour: str) -> None:
    changes = [0, *(i for i in range(1, len(values)) if values[i] != values[i - 1]), len(values)]
    for begin, end in itertools.pairwise(changes):
        a, b = float(time[begin]), float(time[end])
        if values[begin] is None:
            axes.plot([a, b], [y + 0.45, y + 0.45], color=palette.LIGHT_GREY, lw=1)
            continue
        x = [a, a + 0.15, b - 0.15, b, b - 0.15, a + 0.15]
        box = y + np.array([0.45, 0.9, 0.9, 0.45, 0, 0])
        axes.fill(x, box, fc="white", ec=colour, lw=1)
        text = str(values[begin])
        axes.text((a + b) / 2, y + 0.42, text, ha="center", va="center", fontsize=6)


def _checked(recording: Recording, signals: Iterable[str] | None) -> list[str]:
    """Return the names of the signals of a recording that can be drawn."""
    if not recording:
        raise InputError("an empty recording cannot be drawn; record at least one cycle")
    names = list(recording[0] if signals is None else signals)
    for i, sample in enumerate(recording):
        for name in names:
            if name not in sample:
                raise InputError(
                    f"sample {i} lacks the signal {name!r}; it has {', '.join(sample)}; give the "
                    "names that every sample has"
                )
            if is_wire(name) and sample[name] not in (0, 1):
                raise InputError(
                    f"{name} is {sample[name]!r} in sample {i}; a name that ends in "
                    f"{', '.join(WIRES)} is a wire, which is 0 or 1; rename a bus"
                )
    return names
