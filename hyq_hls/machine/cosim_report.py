"""The report of a co-simulation: equality, cycles, and the streams that stall."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import FileFormatError
from hyq_hls.graph.operation import Codes
from hyq_hls.plots import activity, fifo_occupancy
from hyq_hls.support import Shown, aligned, user_path, write_file
from hyq_hls.tools.verilator import RunResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def equal_frames(found: Codes, expected: Codes) -> NDArray[np.bool_]:
    r"""Return which frames (B,) of codes (B, \*shape) are equal in every code."""
    return np.asarray((found == expected).reshape(len(found), -1).all(axis=1))


@dataclass(frozen=True)
class StreamReport:
    """One FIFO during a co-simulation; cycles are of the whole run.

    Attributes:
        name: name of the stream.
        depth: words of its FIFO.
        word_bits: width of a word.
        max_occupancy: most words that waited at a time.
        stalled: cycles in which its writer waited.
        starved: cycles in which its reader waited.
    """

    name: str
    depth: int
    word_bits: int
    max_occupancy: int
    stalled: int
    starved: int


@dataclass
class CosimReport(Shown):
    """The result of :meth:`hyq_hls.Accelerator.cosimulate`.

    Attributes:
        images: frames that were simulated.
        rtl_equal_images: frames whose codes equal the integer emulation's.
        csim_equal_images: frames whose codes equal the HLS C++'s.
        latency_cycles: cycles from the first input beat to the last output beat of the first frame.
        cycles_per_frame: cycles per frame in steady state; None for a single frame.
        predicted_cycles: cycles of a frame by formula.
        bottleneck: what takes most cycles: the slowest stage, or the busiest unit.
        cycles: cycles of the whole run.
        clock_mhz: clock at which ``fps`` is given.
        idle, backpressure: probabilities of a stall at the source and at the sink.
        streams: every FIFO, in the order of the data; empty for a machine without streams.
        first_difference: place of the first difference between RTL and emulation; None when they
            agree.
        details: more lines about where the time goes.
        activity_cycles: cycles of a bin of ``activity``; 0 where nobody counted.
        activity: words that every stream takes per bin, by name, from the first input to the last
            output of the first frame, which other frames follow; ``s_axis`` and ``m_axis`` are the
            ports.
        result: the raw times and counts of the run.
    """

    images: int
    rtl_equal_images: int
    csim_equal_images: int
    latency_cycles: int
    cycles_per_frame: int | None
    predicted_cycles: int
    bottleneck: str
    cycles: int
    clock_mhz: float
    idle: float
    backpressure: float
    streams: list[StreamReport]
    first_difference: str | None = None
    details: list[str] = field(default_factory=list)
    activity_cycles: int = 0
    activity: dict[str, list[int]] = field(default_factory=dict)
    result: RunResult | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether RTL, emulation and C++ agree on every code."""
        return self.rtl_equal_images == self.csim_equal_images == self.images

    @property
    def fps(self) -> float | None:
        """Frames per second in steady state; None for a single frame."""
        return self.clock_mhz * 1e6 / self.cycles_per_frame if self.cycles_per_frame else None

    @property
    def latency_us(self) -> float:
        """Latency of the first frame in microseconds."""
        return self.latency_cycles / self.clock_mhz

    def to_json(self) -> dict[str, Any]:
        """Return everything but the raw result in the types of JSON."""
        data = {k: v for k, v in asdict(self).items() if k != "result"}
        return data | {"fps": self.fps, "latency_us": self.latency_us, "ok": self.ok}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything but the raw result as JSON.

        Raises:
            FileFormatError: the file cannot be written.
        """
        target = user_path(path)
        # A list of numbers takes a line, not one for each of them.
        text = json.dumps(self.to_json(), indent=1)
        text = re.sub(r"\[[\d,\s]+\]", lambda m: " ".join(m[0].split()), text)
        write_file(target, text + "\n")
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CosimReport:
        """Read what :meth:`save` wrote; the raw result stays behind.

        Raises:
            FileFormatError: the file cannot be read, or it is damaged.
        """
        source = user_path(path)
        try:
            data = json.loads(source.read_text(encoding="utf-8"))
            known = {entry.name for entry in fields(cls)} - {"streams", "result"}
            streams = [StreamReport(**entry) for entry in data["streams"]]
            return cls(streams=streams, **{k: v for k, v in data.items() if k in known})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileFormatError(
                f"{source} is no report of a co-simulation ({type(error).__name__}: {error}); "
                "hyq-hls cosim writes it again"
            ) from error

    def plot(self, axes: Axes | None = None) -> Axes:
        """Plot when stages work, or where no activity was counted, how full the FIFOs got.

        See :func:`hyq_hls.plots.activity` and :func:`hyq_hls.plots.fifo_occupancy`.

        Raises:
            InputError: the machine has no streams.
            MissingPackageError: matplotlib is not installed.
        """
        if self.result is not None and self.result.activity:
            return activity(self, axes=axes)
        return fifo_occupancy(self, axes=axes)

    def __repr__(self) -> str:
        verdict = "all codes equal" if self.ok else "codes DIFFER"
        return f"CosimReport({self.images} images, {verdict}, {self.cycles:,} cycles)"

    def __str__(self) -> str:
        """Say whether all are equal, how long it took, and which streams stall most."""
        lines = [
            f"RTL == emulation  {self.rtl_equal_images} of {self.images} images",
            f"RTL == HLS C++    {self.csim_equal_images} of {self.images} images",
            f"latency           {self.latency_cycles:,} cycles, {self.latency_us:,.1f} us",
        ]
        if self.cycles_per_frame and self.fps:
            lines.append(
                f"steady state      {self.cycles_per_frame:,} cycles per frame "
                f"(predicted {self.predicted_cycles:,}), {self.fps:,.0f} frames/s "
                f"at {self.clock_mhz:g} MHz"
            )
        lines.append(f"bottleneck        {self.bottleneck}")
        if self.idle or self.backpressure:
            lines.append(f"random stalls     {self.idle:.0%} source, {self.backpressure:.0%} sink")
        if self.first_difference:
            lines.append(self.first_difference)
        if self.details:
            lines += ["", *self.details]
        if not self.streams:
            return "\n".join(lines)
        slow = sorted(self.streams, key=lambda s: -s.stalled)[:8]
        rows = [("where it stalls", "depth", "occupancy", "writer waits", "reader waits")]
        rows += [
            (
                s.name,
                f"{s.depth:,}",
                f"{s.max_occupancy:,}",
                f"{s.stalled / self.cycles:.0%}",
                f"{s.starved / self.cycles:.0%}",
            )
            for s in slow
        ]
        return "\n".join([*lines, "", *aligned(rows)])
