"""FIFO depths of the HLS C++: by analysis, then by its timed simulation.

The C++ keeps the same words inside as our RTL: its templates have the line buffers, pages and row
buffers of the circuits. But nobody knows how many stages an HLS compiler will give a pipeline, and
a pipeline that waits for its input keeps all words in it. So the C++ must run with any latency of
every process, from 0 to :data:`hyq_hls.stream.hls.timed.PIPELINE_LATENCY`. Latencies work in both
directions: those of the longer way keep words back, those of the shorter way give it more room.
Therefore mixtures of 0 and the longest are simulated, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hyq_hls.errors import SimulationError
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.flow.sizing import FifoSizing, shrunk_depths
from hyq_hls.stream.hls.timed import PIPELINE_LATENCY, TimedSimulation

#: Mixtures of latencies for each sizing, and as many others for its proof.
_MIXTURES = 6


def safe_hls_depths(flow: Dataflow) -> dict[str, int]:
    """Return depths in words by stream with which the C++ cannot deadlock."""
    return safe_depths(flow, PIPELINE_LATENCY)


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
    under these and other latencies, and be as fast (within 1 %).

    Args:
        flow: the machine.
        simulation: timed simulation of its C++, with any depths.

    Returns:
        The machine with the new depths, and what they save.

    Raises:
        SimulationError: no smaller depths keep the frame rate.
    """
    safe = flow.with_depths(safe_hls_depths(flow))
    roomy = flow.with_depths({s.name: max(s.depth, 2 * s.beats) for s in safe.streams.values()})
    cycles, peaks = [], dict.fromkeys(flow.streams, 0)
    for chosen in latencies(len(simulation.processes)):
        cycles.append(simulation.run(depths=roomy.depths, latency=chosen).cycles_per_frame)
        paced = simulation.run(depths=roomy.depths, latency=chosen, pace=cycles[-1])
        peaks = {name: max(peak, paced.peaks[name]) for name, peak in peaks.items()}
    for slack in (1.0, 1.5, 2.0):
        small = flow.with_depths(shrunk_depths(roomy, peaks, slack))
        found = _cycles(small, simulation)
        if found and all(new <= 1.01 * old for new, old in zip(found, cycles, strict=True)):
            return small, FifoSizing.of(safe, small, (cycles[0], found[0]))
    raise SimulationError("no smaller FIFO depths keep the frame rate; those of before stay")


def _cycles(flow: Dataflow, simulation: TimedSimulation) -> list[int]:
    """Return the cycles per frame under all latencies; nothing where one of them deadlocks."""
    processes = len(simulation.processes)
    try:
        for chosen in latencies(processes, seed=1):
            simulation.run(depths=flow.depths, latency=chosen)
        return [
            simulation.run(depths=flow.depths, latency=chosen).cycles_per_frame
            for chosen in latencies(processes)
        ]
    except SimulationError:
        return []
