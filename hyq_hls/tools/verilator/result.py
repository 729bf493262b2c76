"""The result of a co-simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StreamStatistics:
    """One stream during a run; cycles count from the reset.

    Attributes:
        name: name of the stream.
        written: beats that entered.
        read: beats that left.
        max_occupancy: most beats at a time between the two, in the FIFO and its output register.
        stalled: cycles in which the writer waited (valid, not ready), until the last output.
        starved: cycles in which the reader waited (ready, not valid), until the last output.
        first_write, last_write, first_read, last_read: int64 (B,), cycles of every frame.
    """

    name: str
    written: int
    read: int
    max_occupancy: int
    stalled: int
    starved: int
    first_write: Ints = field(repr=False)
    last_write: Ints = field(repr=False)
    first_read: Ints = field(repr=False)
    last_read: Ints = field(repr=False)


@dataclass(frozen=True)
class RunResult:
    """Outputs and times of a run; a cycle is a clock period, counted from the reset.

    Attributes:
        outputs: int64 (B, output codes).
        cycles: number of cycles up to and with the last output beat.
        first_input, last_input, first_output, last_output: int64 (B,), cycles of the transfers.
        frame_errors: frames whose TLAST came early or late, as the port of that name counts them.
        streams: one per stream, empty when the run was without statistics.
        activity: beats written per bin of ``activity_cycles`` cycles, int64 (bins,) by stream, with
            ``s_axis`` and ``m_axis`` for the ports; empty unless asked for.
        activity_cycles: cycles of such a bin; 0 where nothing was counted.
        captured: codes int64 (B, codes) of the streams asked for, by name.
    """

    outputs: Ints
    cycles: int
    first_input: Ints
    last_input: Ints
    first_output: Ints
    last_output: Ints
    frame_errors: int
    streams: tuple[StreamStatistics, ...]
    activity: dict[str, Ints] = field(default_factory=dict)
    activity_cycles: int = 0
    captured: dict[str, Ints] = field(default_factory=dict)

    @property
    def latency_cycles(self) -> int:
        """Cycles from the first input transfer to the last output transfer of frame 0."""
        return int(self.last_output[0] - self.first_input[0])

    @property
    def frame_intervals(self) -> Ints:
        """Cycles between the ends of successive frames, int64 (B - 1,)."""
        return np.diff(self.last_output)

    @property
    def cycles_per_frame(self) -> int | None:
        """Median interval of the second half of the frames; None for one frame."""
        intervals = self.frame_intervals
        if not len(intervals):
            return None
        steady = np.sort(intervals[len(intervals) // 2 :])
        return int(steady[len(steady) // 2])

    def stream(self, name: str) -> StreamStatistics:
        """Return the statistics of one stream.

        Raises:
            KeyError: there is no stream of that name.
        """
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(
            f"no stream {name!r} in this run; there are {[s.name for s in self.streams]}"
        )


@dataclass(frozen=True)
class StreamState:
    """A stream at a standstill.

    Attributes:
        name: name of the stream.
        occupancy: beats in it; None when they were not counted.
        written: beats that entered.
        wr_valid, wr_ready: handshake of the writer.
        rd_valid, rd_ready: handshake of the reader.
        endless: whether the writer waits for no frame, so that it always fills its stream.
    """

    name: str
    occupancy: int | None
    written: int
    wr_valid: bool
    wr_ready: bool
    rd_valid: bool
    rd_ready: bool
    endless: bool = False

    @property
    def full(self) -> bool:
        """The writer waits, and the reader does not take what lies there."""
        return self.wr_valid and not self.wr_ready and not self.endless

    @property
    def starving(self) -> bool:
        """The reader waits, and nothing lies there."""
        return self.rd_ready and not self.rd_valid

    def __str__(self) -> str:
        count = "" if self.occupancy is None else f"{self.occupancy} beats, "
        kind = "full" if self.full else "empty, its reader waits" if self.starving else "idle"
        if self.rd_valid and not self.rd_ready and not self.full:
            kind = "not read"
        return (
            f"{self.name}: {kind} ({count}wr_valid={self.wr_valid:d} wr_ready={self.wr_ready:d} "
            f"rd_valid={self.rd_valid:d} rd_ready={self.rd_ready:d})"
        )


def deadlock_report(
    states: Sequence[StreamState], quiet: int, progress: str, shown: int = 8
) -> str:
    """Say which streams are at fault; ``states`` are in the order of the data."""
    full = [s for s in states if s.full]
    starving = [s for s in states if s.starving]
    lines = [f"deadlock: no transfer for {quiet} cycles; {progress}"]
    if full:
        # All streams before the culprit fill up behind it: the last full one stands next to it.
        lines.append(
            f"stuck: the reader of '{full[-1].name}' does not take its beats, so it is full "
            f"and its writer waits; a deeper FIFO '{full[-1].name}', or the reader, is at fault"
        )
    if starving:
        lines.append(
            f"starving: the reader of '{starving[0].name}' waits for beats that do not come; "
            "its writer is at fault, or waits itself"
        )
    if not full and not starving:
        lines.append("no stream is full and none is waited for: an operation holds its data")
    others = [s for s in states if s.full or s.starving or (s.rd_valid and not s.rd_ready)]
    lines += [f"  {state}" for state in others[:shown]]
    if len(others) > shown:
        lines.append(f"  and {len(others) - shown} more")
    return "\n".join(lines)
