"""Make the FIFOs of a project as small as a simulation allows, in its RTL and in its C++."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hyq_hls.errors import SimulationError
from hyq_hls.machine import Codes, CosimReport, SimulationOptions
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.flow.sizing import FifoSizing, shrunk_depths
from hyq_hls.stream.hls.depths import size_hls_fifos
from hyq_hls.stream.machine import StreamMachine

Simulate = Callable[[StreamMachine, SimulationOptions], CosimReport]


def size_fifos(
    machine: StreamMachine, folder: Path, codes: Codes, simulate: Simulate
) -> tuple[StreamMachine, FifoSizing]:
    r"""Shrink the FIFOs to the depths that they need, and prove that codes and speed stay.

    Frames come at the rate of the slowest stage. Every FIFO keeps the largest number of words that
    waited, plus a margin. The result must be as fast (within 1 %), and equal under stalls on both
    sides.

    Args:
        machine: the machine of the project.
        folder: the project; its RTL is that of the result afterwards.
        codes: int64 (B, \*input shape), some frames.
        simulate: co-simulates the project in ``folder`` as the RTL of a machine.

    Raises:
        SimulationError: no smaller depths keep the frame rate, or codes differ; then, as after any
            other exception, the RTL is that of ``machine`` again.
    """
    try:
        return _sized(machine, folder, codes, simulate)
    except BaseException:
        machine.rewrite_rtl(folder)
        raise


def _sized(
    machine: StreamMachine, folder: Path, codes: Codes, simulate: Simulate
) -> tuple[StreamMachine, FifoSizing]:
    safe = machine.with_depths(safe_depths(machine.flow))
    free, stalled = SimulationOptions(), SimulationOptions(idle=0.3, backpressure=0.3)
    safe.rewrite_rtl(folder)
    before = simulate(safe, free)
    paced = safe.rtl_simulation(folder, frames=len(codes)).run(
        codes.reshape(len(codes), -1), pace=safe.cycles_per_frame
    )
    occupancy = {s.name: s.max_occupancy for s in paced.streams}
    for slack in (1.0, 1.5, 2.0):
        small = safe.with_depths(shrunk_depths(safe.flow, occupancy, slack))
        small.rewrite_rtl(folder)
        after, disturbed = simulate(small, free), simulate(small, stalled)
        if not (after.ok and disturbed.ok):
            difference = after.first_difference or disturbed.first_difference
            raise SimulationError(f"with smaller FIFOs codes differ: {difference}")
        rates = before.cycles_per_frame or 0, after.cycles_per_frame or 0
        if rates[1] <= 1.01 * rates[0]:
            return small, FifoSizing.of(safe.flow, small.flow, rates)
    raise SimulationError("no smaller FIFO depths keep the frame rate; those of before stay")


def resize_hls_fifos(machine: StreamMachine, folder: Path) -> tuple[StreamMachine, FifoSizing]:
    """Shrink the FIFOs of the C++ and write its top function again.

    See :func:`hyq_hls.stream.hls.depths.size_hls_fifos`.

    Args:
        machine: the machine of the project.
        folder: the project.

    Raises:
        CompilationError: g++ is missing or fails.
        SimulationError: no smaller depths keep the frame rate, or codes differ; the C++ stays.
    """
    flow, sizing = size_hls_fifos(machine.flow, machine.timed_simulation(folder))
    small = machine.with_hls_depths(flow.depths)
    small.rewrite_hls_top(folder)
    return small, sizing
