"""Co-simulation: frames of codes through a Verilated design, checked and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike, fsencode
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import InputError, SimulationError
from hyq_hls.tools.verilator import library as c
from hyq_hls.tools.verilator.formats import StreamFormat, StreamInfo
from hyq_hls.tools.verilator.result import (
    Ints,
    RunResult,
    StreamState,
    StreamStatistics,
    deadlock_report,
)

_NO_LIMIT = (1 << 62) - 1
_LAST = ("frame", "never", "always")


@dataclass(frozen=True)
class Waveform:
    """A VCD file of a run, or of the part inside both windows.

    Attributes:
        path: the file.
        cycles: first cycle and one past the last, from the reset; None means all.
        frames: first frame and one past the last, from its first input to its last output; None
            means all.
    """

    path: str | PathLike[str]
    cycles: tuple[int, int] | None = None
    frames: tuple[int, int] | None = None


class RtlSimulation:
    """A Verilated design in this process; runs are independent and may be in many threads.

    Args:
        library: what :func:`~hyq_hls.tools.verilator.build_cosimulation` returned.
        input: format of ``s_axis``; a lane of ``tdata`` has ``bits`` rounded up to bytes.
        output: format of ``m_axis``.
        streams: streams inside, in the order of the data: producers before their readers.
    """

    def __init__(
        self,
        library: Path,
        input: StreamFormat,
        output: StreamFormat,
        streams: Sequence[StreamInfo] = (),
    ) -> None:
        self.input, self.output, self.streams = input, output, tuple(streams)
        self._library = c.load_cosimulation(library)

    def run(
        self,
        codes: NDArray[Any],
        *,
        idle: float = 0.0,
        backpressure: float = 0.0,
        seed: int = 0,
        pace: int = 0,
        statistics: bool = True,
        vcd: Waveform | str | PathLike[str] | None = None,
        progress: Callable[[int], object] | None = None,
        reset_after: int | None = None,
        last: str = "frame",
        capture: Sequence[str] = (),
        activity_cycles: int = 0,
        deadlock_cycles: int = 100_000,
    ) -> RunResult:
        r"""Send frames through the design and return what comes out.

        Args:
            codes: integers (B, \*), ``input.codes`` per frame, in the order of the stream.
            idle: probability of an idle cycle before a beat is offered, 0 <= idle < 1.
            backpressure: probability per cycle that the sink is not ready, 0 <= backpressure < 1.
            seed: seed of both stalls, and of the registers' values before the reset.
            pace: cycles per frame at which the beats are offered, evenly; 0: as fast as taken.
            statistics: watch every stream; without, a run is as fast as the bare model.
            vcd: a file for waveforms; the library needs ``trace=True``.
            progress: called with the number of frames that were finished since the last call.
            reset_after: begin, reset after this many cycles, and begin again with the first frame;
                all counts are those after the reset.
            last: ``s_axis_tlast`` comes with the last beat of a "frame", "never" or "always".
            capture: names of streams whose codes are kept.
            activity_cycles: cycles per bin of ``RunResult.activity``; 0: none.
            deadlock_cycles: this many cycles without any transfer, while input or output are due,
                are a deadlock.

        Raises:
            GraphError: wrong shape, dtype or range of the codes.
            InputError: an option is out of its range, or a stream to capture does not exist.
            SimulationError: a deadlock (with the streams at fault), a broken handshake, a wrong
                ``tlast``, ``frame_errors``, too many or too few beats, ``$fatal`` in the design.
        """
        self.input.check(codes, "co-simulation input")
        _check_options(
            idle, backpressure, pace, reset_after, last, activity_cycles, deadlock_cycles
        )
        self._check_capture(capture, statistics)
        frames = len(codes)
        inputs = np.ascontiguousarray(codes, dtype=np.int64)
        outputs = np.zeros((frames, self.output.codes), np.int64)
        frame_cycles = np.full((4, frames), -1, np.int64)
        stream_cycles = np.full((len(self.streams), 4, frames), -1, np.int64)
        streams = (c.CStreamConfig * len(self.streams))(
            *(
                c.CStreamConfig(
                    s.name.encode(),
                    _format(s.format, s.format.bits),
                    s.name in capture,
                    s.endless,
                )
                for s in self.streams
            )
        )
        wave = vcd if isinstance(vcd, Waveform) or vcd is None else Waveform(vcd)
        config = c.CConfig(
            input=_format(self.input, self.input.port_bits),
            output=_format(self.output, self.output.port_bits),
            streams=streams,
            stream_count=len(self.streams),
            frames=frames,
            codes=inputs.ctypes.data,
            outputs=outputs.ctypes.data,
            frame_cycles=frame_cycles.ctypes.data,
            stream_cycles=stream_cycles.ctypes.data,
            idle=idle,
            backpressure=backpressure,
            seed=seed,
            pace=pace,
            deadlock_cycles=deadlock_cycles,
            reset_after=reset_after or 0,
            activity_cycles=activity_cycles,
            statistics=statistics,
            last=_LAST.index(last),
            vcd=fsencode(wave.path) if wave else None,
            vcd_cycles=(wave and wave.cycles) or (0, _NO_LIMIT),
            vcd_frames=_frame_window(wave, frames),
        )
        with c.Bench(self._library, config) as bench:
            status, summary = bench.run(self.output.beats, progress)
            states = [bench.stream(i) for i in range(len(self.streams))]
            if status == c.DEADLOCK:
                raise SimulationError(
                    self._deadlock(summary, states, frames, statistics, deadlock_cycles)
                )
            activity, captured = self._samples(bench, frames, capture, activity_cycles)
        _check_outputs(outputs, self.output)
        first_input, last_input, first_output, last_output = frame_cycles
        return RunResult(
            outputs=outputs,
            cycles=summary.cycles,
            first_input=first_input,
            last_input=last_input,
            first_output=first_output,
            last_output=last_output,
            frame_errors=int(summary.frame_errors),
            streams=tuple(map(_statistics, self.streams, states, stream_cycles))
            if statistics
            else (),
            activity=activity,
            activity_cycles=activity_cycles,
            captured=captured,
        )

    def _check_capture(self, capture: Sequence[str], statistics: bool) -> None:
        names = [s.name for s in self.streams]
        unknown = [name for name in capture if name not in names]
        if unknown:
            raise InputError(f"capture: no stream {unknown[0]!r}; there are {names}")
        if capture and not statistics:
            raise InputError("capture: needs statistics=True, which watch the streams")

    def _samples(
        self, bench: c.Bench, frames: int, capture: Sequence[str], activity_cycles: int
    ) -> tuple[dict[str, Ints], dict[str, Ints]]:
        names = [s.name for s in self.streams]
        activity = {
            name: bench.activity(i)
            for i, name in enumerate([*names, "s_axis", "m_axis"])
            if activity_cycles
        }
        captured = {name: bench.captured(names.index(name), frames) for name in capture}
        return activity, captured

    def _deadlock(
        self,
        summary: c.CSummary,
        results: Sequence[c.CStreamResult],
        frames: int,
        statistics: bool,
        quiet: int,
    ) -> str:
        states = [
            StreamState(
                stream.name,
                r.written - r.read if statistics else None,
                r.written,
                bool(r.wr_valid),
                bool(r.wr_ready),
                bool(r.rd_valid),
                bool(r.rd_ready),
                stream.endless,
            )
            for stream, r in zip(self.streams, results, strict=True)
        ]
        progress = (
            f"{summary.sent} of {frames * self.input.beats} input beats went in "
            f"(s_axis_tvalid={summary.input_valid} s_axis_tready={summary.input_ready}), "
            f"{summary.received} of {frames * self.output.beats} output beats came out "
            f"(m_axis_tvalid={summary.output_valid} m_axis_tready={summary.output_ready})"
        )
        return deadlock_report(states, quiet, progress)


def _format(stream: StreamFormat, lane_bits: int) -> c.CFormat:
    return c.CFormat(stream.beats, stream.lanes, lane_bits, stream.signed)


def _frame_window(wave: Waveform | None, frames: int) -> tuple[int, int]:
    # All frames means also the cycles before the first and after the last.
    return (wave and wave.frames) or (0, frames + 1)


def _statistics(info: StreamInfo, result: c.CStreamResult, cycles: Ints) -> StreamStatistics:
    return StreamStatistics(
        info.name,
        result.written,
        result.read,
        result.max_occupancy,
        result.stalled,
        result.starved,
        *cycles,
    )


def _check_options(
    idle: float,
    backpressure: float,
    pace: int,
    reset_after: int | None,
    last: str,
    activity_cycles: int,
    deadlock_cycles: int,
) -> None:
    for name, value in (("idle", idle), ("backpressure", backpressure)):
        if not 0 <= value < 1:
            raise InputError(f"{name}: a probability 0 <= p < 1 is wanted, found {value}")
    if pace < 0 or activity_cycles < 0:
        raise InputError(
            f"cycles >= 0 are wanted, found pace={pace}, activity_cycles={activity_cycles}"
        )
    for name, cycles in (("reset_after", reset_after), ("deadlock_cycles", deadlock_cycles)):
        if cycles is not None and cycles < 1:
            raise InputError(f"{name}: a positive number of cycles is wanted, found {cycles}")
    if last not in _LAST:
        raise InputError(f"last: one of {_LAST} is wanted, found {last!r}")


def _check_outputs(outputs: Ints, stream: StreamFormat) -> None:
    """Check that the bits above a code are its sign or zero extension, as the ports promise."""
    if outputs.min() < stream.low or outputs.max() > stream.high:
        raise SimulationError(
            f"m_axis_tdata: lanes in [{outputs.min()}, {outputs.max()}] are no extended codes in "
            f"[{stream.low}, {stream.high}]"
        )
