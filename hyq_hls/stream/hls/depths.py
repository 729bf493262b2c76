"""FIFO depths of the HLS C++: by analysis, then by its timed simulation.

The C++ keeps the same words inside as our RTL: its templates have the line buffers, pages and row
buffers of the circuits. But nobody knows how many stages an HLS compiler will give a pipeline, and
a pipeline that waits for its input keeps all words in it. So the C++ must run with any latency of
every process, from 0 to :data:`~hyq_hls.stream.circuits.process.PIPELINE_LATENCY`. Latencies
work in both directions: those of the longer way keep words back, those of the shorter way give it
more room. Therefore mixtures of 0 and the longest are simulated, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hyq_hls.errors import SimulationError
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.flow.depths import safe_hls_flow
from hyq_hls.stream.flow.sizing import FifoSizing, shrunk_depths
from hyq_hls.stream.hls.timed import TimedSimulation

#: Mixtures of latencies for each sizing, and as many others for its proof.
_MIXTURES = 6


def latencies(processes: int, seed: int = 0) -> Iterator[list[int]]:
    """Give latencies for every process: all 0, all the longest, then mixtures of both."""
    yield [0] * processes
    yield [PIPELINE_LATENCY] * processes
    draws = np.random.default_rng(seed)
    for _ in range(_MIXTURES):
        yield (PIPELINE_LATENCY * draws.integers(0, 2, processes)).tolist()


def size_hls_fifos(flow: Dataflow, simulation: TimedSimulation) -> tuple[Dataflow, FifoSizing]:
    """Shrink the FIFOs to what the timed simulation needs, and simulate the result again.

    Frames come at the rate that the C++ keeps with room for two frames in every FIFO. A FIFO keeps
    the largest number of words that waited under any latencies, plus a margin. The result must run
    under these and other latencies, and be as fast (within 1 %). Where FIFOs by analysis were too
    small for that rate, the words are counted again with that room.

    Args:
        flow: the machine.
        simulation: timed simulation of its C++, with any depths.

    Returns:
        The machine with the new depths, and what they save.

    Raises:
        SimulationError: no smaller depths keep the frame rate.
    """
    safe = safe_hls_flow(flow)
    roomy = flow.with_depths({s.name: max(s.depth, 2 * s.beats) for s in safe.streams.values()})
    patterns = list(latencies(len(simulation.processes)))
    cycles = [_cycles(roomy, simulation, pattern) for pattern in patterns]
    for start in (safe, roomy):
        peaks = [
            simulation.run(depths=start.depths, latency=pattern, pace=pace).peaks
            for pattern, pace in zip(patterns, cycles, strict=True)
        ]
        most = {name: max(peak[name] for peak in peaks) for name in flow.streams}
        for slack in (1.0, 1.5):
            small = flow.with_depths(shrunk_depths(start, most, slack))
            found = _cycles_of_all(small, simulation, patterns)
            if found and all(new <= 1.01 * old for new, old in zip(found, cycles, strict=True)):
                return small, FifoSizing.of(safe, small, (cycles[0], found[0]))
    raise SimulationError("no smaller FIFO depths keep the frame rate; those of before stay")


def _cycles(flow: Dataflow, simulation: TimedSimulation, latency: Sequence[int]) -> int:
    return simulation.run(depths=flow.depths, latency=latency).cycles_per_frame


def _cycles_of_all(
    flow: Dataflow, simulation: TimedSimulation, patterns: Sequence[Sequence[int]]
) -> list[int]:
    """Return the cycles per frame for every pattern of latencies; nothing after a deadlock.

    Other patterns must not deadlock either.
    """
    try:
        for pattern in latencies(len(simulation.processes), seed=1):
            simulation.run(depths=flow.depths, latency=pattern)
        return [_cycles(flow, simulation, pattern) for pattern in patterns]
    except SimulationError:
        return []
