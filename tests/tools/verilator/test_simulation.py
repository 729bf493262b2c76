"""Frames through a design of known latency: equality, times, counts, and every fault by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import CompilationError, GraphError, InputError, SimulationError
from hyq_hls.tools.verilator import (
    RtlSimulation,
    StreamFormat,
    StreamInfo,
    Waveform,
    build_cosimulation,
)
from tests.tools.verilator.conftest import ADD_ONE, BEATS, INPUT, OUTPUT, QUICK, STREAMS, frames

pytestmark = pytest.mark.slow

Fault = Callable[[str], RtlSimulation]

#: From a beat's input transfer to its output transfer, by construction.
BEAT_LATENCY = 3


def beats_of(count: int) -> np.ndarray:
    return np.arange(count * BEATS).reshape(count, BEATS)


# --- what comes out, and when ---


@pytest.mark.smoke
def test_outputs_and_times_without_stalls(simulation: RtlSimulation) -> None:
    codes = frames(5)
    result = simulation.run(codes)
    assert result.outputs.dtype == np.int64
    assert np.array_equal(result.outputs, codes + 1)
    beat = beats_of(5)
    assert np.array_equal(result.first_input, beat[:, 0])
    assert np.array_equal(result.last_input, beat[:, -1])
    assert np.array_equal(result.first_output, beat[:, 0] + BEAT_LATENCY)
    assert np.array_equal(result.last_output, beat[:, -1] + BEAT_LATENCY)
    assert result.latency_cycles == BEATS - 1 + BEAT_LATENCY
    assert result.cycles_per_frame == BEATS
    assert np.array_equal(result.frame_intervals, [BEATS] * 4)
    assert result.cycles == 5 * BEATS + BEAT_LATENCY
    assert result.frame_errors == 0


def test_streams_without_stalls(simulation: RtlSimulation) -> None:
    first, second = simulation.run(frames(3)).streams
    beat = beats_of(3)
    for stream, written, read in ((first, 0, 1), (second, 2, 3)):
        assert stream.written == stream.read == 3 * BEATS
        assert (stream.max_occupancy, stream.stalled) == (1, 0)
        assert stream.starved == BEAT_LATENCY, "the pipeline runs dry once at each end"
        assert np.array_equal(stream.first_write, beat[:, 0] + written)
        assert np.array_equal(stream.last_write, beat[:, -1] + written)
        assert np.array_equal(stream.first_read, beat[:, 0] + read)
        assert np.array_equal(stream.last_read, beat[:, -1] + read)


def test_one_frame_has_no_rate(simulation: RtlSimulation) -> None:
    result = simulation.run(frames(1))
    assert result.cycles_per_frame is None
    assert result.latency_cycles == BEATS - 1 + BEAT_LATENCY


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("idle", "backpressure"), [(0.7, 0.0), (0.0, 0.7), (0.4, 0.4), (0.9, 0.9)])
def test_outputs_under_stalls(
    simulation: RtlSimulation, idle: float, backpressure: float, seed: int
) -> None:
    codes = frames(20, seed)
    options: dict[str, Any] = {"idle": idle, "backpressure": backpressure, "seed": seed}
    result = simulation.run(codes, **options)
    assert np.array_equal(result.outputs, codes + 1)
    expected = 20 * BEATS / (1 - max(idle, backpressure))
    assert expected * 0.7 < result.cycles < expected * 1.6, "stalls come as often as wanted"
    again = simulation.run(codes, **options)
    assert np.array_equal(again.last_output, result.last_output), "a seed repeats a run"
    other = simulation.run(codes, **{**options, "seed": seed + 100})
    assert not np.array_equal(other.last_output, result.last_output)


def test_back_pressure_fills_the_streams(simulation: RtlSimulation) -> None:
    result = simulation.run(frames(20), backpressure=0.8)
    for stream in result.streams:
        assert stream.max_occupancy == 4, "the depth of both FIFOs"
        assert stream.stalled > 100


def test_statistics_change_nothing_else(simulation: RtlSimulation) -> None:
    with_them = simulation.run(frames(6), idle=0.3, backpressure=0.3)
    without = simulation.run(frames(6), idle=0.3, backpressure=0.3, statistics=False)
    assert without.streams == ()
    assert without.cycles == with_them.cycles
    assert np.array_equal(without.outputs, with_them.outputs)
    assert np.array_equal(without.last_output, with_them.last_output)


def test_pace_spreads_the_beats_of_a_frame(simulation: RtlSimulation) -> None:
    codes = frames(4)
    result = simulation.run(codes, pace=30, deadlock_cycles=5)
    assert np.array_equal(result.outputs, codes + 1)
    assert np.array_equal(result.first_input, [0, 30, 60, 90])
    assert np.array_equal(result.last_input, np.array([0, 30, 60, 90]) + 3 * 30 // BEATS)
    assert result.cycles_per_frame == 30


def test_activity_counts_every_transfer_once(simulation: RtlSimulation) -> None:
    result = simulation.run(frames(5), activity_cycles=4)
    assert result.activity_cycles == 4
    activity = result.activity
    assert list(activity) == ["in", "sum", "s_axis", "m_axis"]
    assert np.array_equal(activity["in"], [4, 4, 4, 4, 4, 0])
    assert np.array_equal(activity["s_axis"], [4, 4, 4, 4, 4, 0])
    assert np.array_equal(activity["sum"], [2, 4, 4, 4, 4, 2])
    assert np.array_equal(activity["m_axis"], [1, 4, 4, 4, 4, 3])
    assert simulation.run(frames(1)).activity == {}


def test_capture_keeps_the_codes_of_a_stream(simulation: RtlSimulation) -> None:
    codes = frames(3)
    result = simulation.run(codes, capture=["sum", "in"], idle=0.3, backpressure=0.3)
    assert np.array_equal(result.captured["in"], codes)
    assert np.array_equal(result.captured["sum"], codes + 1)


def test_progress_adds_up_to_the_frames(simulation: RtlSimulation) -> None:
    steps: list[int] = []
    simulation.run(frames(30), progress=steps.append)
    assert sum(steps) == 30


def test_an_interrupt_ends_a_run(simulation: RtlSimulation) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulation.run(frames(30), progress=interrupt)
    assert np.array_equal(simulation.run(frames(2)).outputs, frames(2) + 1)


@pytest.mark.parametrize("reset_after", range(1, 4 * BEATS))
def test_reset_in_mid_frame(simulation: RtlSimulation, reset_after: int) -> None:
    codes = frames(6)
    result = simulation.run(codes, reset_after=reset_after, backpressure=0.3)
    assert np.array_equal(result.outputs, codes + 1)
    assert result.first_input[0] == 0, "counts are those after the reset"
    assert [s.written for s in result.streams] == [6 * BEATS] * 2


def test_reset_after_the_last_frame_is_no_test_of_a_reset(simulation: RtlSimulation) -> None:
    with pytest.raises(SimulationError, match=r"ended in cycle 6, before the reset .* cycle 9000"):
        simulation.run(frames(1), reset_after=9000)


@pytest.mark.parametrize("lanes", [1, 5])
def test_widths_that_are_no_bytes(lanes: int, tmp_path: Path) -> None:
    """5-bit codes, sums of 6 bits, words of 5 to 40 bits, a frame of one beat."""
    library = build_cosimulation(
        ADD_ONE,
        "add_one",
        tmp_path,
        parameters={"Lanes": lanes, "Bits": 5, "Beats": 1},
        flags=QUICK,
    )
    narrow, wide = StreamFormat(1, lanes, 5, True), StreamFormat(1, lanes, 6, True)
    simulation = RtlSimulation(
        library, narrow, wide, [StreamInfo("in", narrow), StreamInfo("sum", wide)]
    )
    codes = np.random.default_rng(0).integers(-16, 16, (64, lanes))
    codes[0], codes[1] = -16, 15
    result = simulation.run(codes, capture=["sum"], idle=0.2, backpressure=0.2)
    assert np.array_equal(result.outputs, codes + 1)
    assert np.array_equal(result.captured["sum"], codes + 1)
    with pytest.raises(SimulationError, match=r"start.*cannot write .*built without tracing"):
        simulation.run(codes, vcd=tmp_path / "x.vcd")
    unsigned = RtlSimulation(library, narrow, StreamFormat(1, lanes, 6, False))
    with pytest.raises(SimulationError, match=r"lanes in \[0, 255\] are no extended codes"):
        unsigned.run(codes)


# --- what goes wrong ---


def test_a_reader_that_stops_is_named(with_fault: Fault) -> None:
    with pytest.raises(SimulationError) as caught:
        with_fault("hang").run(frames(8), deadlock_cycles=50)
    message = str(caught.value)
    assert "deadlock: no transfer for 50 cycles; 9 of 32 input beats went in" in message
    assert "5 of 32 output beats came out" in message
    assert "stuck: the reader of 'in' does not take its beats" in message
    assert "starving: the reader of 'sum' waits" in message
    assert "in: full (4 beats, wr_valid=1 wr_ready=0 rd_valid=1 rd_ready=0)" in message


@pytest.mark.parametrize("statistics", [True, False])
def test_a_swallowed_beat_is_named(with_fault: Fault, statistics: bool) -> None:
    with pytest.raises(SimulationError) as caught:
        with_fault("swallow").run(frames(3), deadlock_cycles=60, statistics=statistics)
    message = str(caught.value)
    assert "12 of 12 input beats went in" in message
    assert "11 of 12 output beats came out" in message
    assert "starving: the reader of 'in' waits" in message
    assert "stuck" not in message
    assert ("sum: empty, its reader waits (0 beats, " in message) == statistics


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("last", r"m_axis_tlast is 1 with beat 1 of 4, in frame 0, cycle 3$"),
        ("frame_error", r"frame_errors counts although .* cycle 1$"),
        ("fatal", r"add_one\.sv:\d+: the design called \$fatal"),
        ("repeat", r"stream 'sum' carries more than its 4 beats per frame, cycle"),
    ],
)
def test_faults_are_told(with_fault: Fault, fault: str, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        with_fault(fault).run(frames(3))


def test_a_beat_too_many_without_statistics(with_fault: Fault) -> None:
    with pytest.raises(SimulationError, match="a beat follows the last frame, in frame 3"):
        with_fault("repeat").run(frames(3), statistics=False)


def test_a_valid_that_falls_is_told(with_fault: Fault) -> None:
    with pytest.raises(SimulationError, match="sum_wr_valid fell before the transfer, cycle"):
        with_fault("drop").run(frames(8), backpressure=0.8)


def test_a_wrong_tlast_is_counted_and_no_more(simulation: RtlSimulation) -> None:
    for last, errors in (("never", 3), ("always", 3 * 3)):
        result = simulation.run(frames(3), last=last)
        assert result.frame_errors == errors
        assert np.array_equal(result.outputs, frames(3) + 1)


def test_a_missing_memory_file_is_told(simulation: RtlSimulation, memory_dir: Path) -> None:
    (memory_dir / "fault.hex").unlink()
    with pytest.raises(SimulationError, match=r"fault\.hex"):
        simulation.run(frames(1))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (frames(2).astype(float), "integers are wanted, found dtype float64"),
        (frames(2)[:, :-1], r"4 beats x 2 lanes = 8 codes are wanted.*found shape \(2, 7\)"),
        (frames(2)[0], r"found shape \(8,\)"),
        (frames(2)[:0], r"found shape \(0, 8\)"),
        (frames(2) + 100, r"leave the range \[-128, 127\]"),
    ],
)
def test_unusable_codes(simulation: RtlSimulation, codes: np.ndarray, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        simulation.run(codes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"idle": 1.0}, "idle: a probability 0 <= p < 1"),
        ({"backpressure": -0.1}, "backpressure: a probability"),
        ({"pace": -1}, "pace=-1"),
        ({"reset_after": 0}, "reset_after: a positive number"),
        ({"deadlock_cycles": 0}, "deadlock_cycles: a positive number"),
        ({"last": "sometimes"}, "last: one of"),
        ({"capture": ["nope"]}, r"capture: no stream 'nope'; there are \['in', 'sum'\]"),
        ({"capture": ["in"], "statistics": False}, "capture: needs statistics=True"),
    ],
)
def test_unusable_options(simulation: RtlSimulation, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulation.run(frames(1), **options)


def test_a_table_of_streams_that_does_not_fit(library: Path, simulation: RtlSimulation) -> None:
    codes = frames(1)
    for stream, message in (
        (StreamInfo("nope", INPUT), "stream 'nope': module add_one has no wire nope_wr_valid"),
        (StreamInfo("sum", INPUT), "sum_wr_data has 18 bits, 16 are wanted"),
        (StreamInfo("in", StreamFormat(3, 2, 8, True)), "'in' carries more than its 3 beats"),
        (StreamInfo("in", StreamFormat(5, 2, 8, True)), "of 5 beats 4 were written, 4 read"),
    ):
        wrong = RtlSimulation(library, INPUT, OUTPUT, [stream])
        with pytest.raises(SimulationError, match=re.escape(message)):
            wrong.run(codes, capture=[stream.name])
    wrong = RtlSimulation(library, StreamFormat(2, 4, 8, True), OUTPUT)
    with pytest.raises(SimulationError, match="s_axis_tdata of the design is not 32 bits wide"):
        wrong.run(codes)


def test_a_library_that_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "libx.so"
    broken.write_text("not a library")
    with pytest.raises(CompilationError, match="cannot be loaded"):
        RtlSimulation(broken, INPUT, OUTPUT, STREAMS)
    with pytest.raises(GraphError, match="beats=0"):
        StreamFormat(0, 1, 8, False)


# --- waveforms ---


def changes(path: Path, signal: str) -> list[tuple[int, str]]:
    """(time, value) of every change of a one-bit signal of the top module in a VCD file."""
    header, _, body = path.read_text().partition("$enddefinitions $end")
    (code,) = re.findall(rf"\$var wire +1 (\S+) {signal} \$end", header.split("$upscope")[0])[:1]
    time, found = 0, []
    for line in body.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line[1:] == code and line[0] in "01":
            found.append((time, line[0]))
    return found


def test_waveform_shows_the_run(simulation: RtlSimulation, tmp_path: Path) -> None:
    path = tmp_path / "run.vcd"
    simulation.run(frames(2), vcd=path)
    edges = [time for time, value in changes(path, "aclk") if value == "1"]
    assert len(edges) > 2 * BEATS + BEAT_LATENCY
    period = edges[1] - edges[0]
    assert np.array_equal(np.diff(edges), [period] * (len(edges) - 1))
    (released,) = [time for time, value in changes(path, "aresetn") if value == "1"]
    valid = [change for change in changes(path, "m_axis_tvalid") if change[0] >= released]
    rises = released + (BEAT_LATENCY - 1) * period + period // 2
    assert valid == [(rises, "1"), (rises + 2 * BEATS * period, "0")]


def test_waveform_of_a_window(simulation: RtlSimulation, tmp_path: Path) -> None:
    full, cycles, window = (tmp_path / name for name in ("full.vcd", "cycles.vcd", "frames.vcd"))
    simulation.run(frames(30), vcd=full)
    simulation.run(frames(30), vcd=Waveform(cycles, cycles=(40, 50)))
    simulation.run(frames(30), vcd=Waveform(window, frames=(10, 12)))
    start = changes(full, "aresetn")[-1][0]
    edges = {
        path: [time for time, value in changes(path, "aclk") if value == "1"]
        for path in (full, cycles, window)
    }
    period = edges[full][1] - edges[full][0]
    assert len(edges[cycles]) == 10
    assert edges[cycles][0] // period == start // period + 40
    assert len(edges[window]) == 2 * BEATS + BEAT_LATENCY
    assert edges[window][0] // period == start // period + 10 * BEATS


def test_a_waveform_that_cannot_be_written(simulation: RtlSimulation, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"cannot write .*nowhere/x\.vcd"):
        simulation.run(frames(1), vcd=tmp_path / "nowhere" / "x.vcd")
