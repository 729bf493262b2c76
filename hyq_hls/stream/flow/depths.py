"""Analyse safe FIFO depths: no deadlock, and no stall of the slowest stage.

Stages are determinate: which words a stage reads and writes, and in which order, does not depend on
time. So whether bounded FIFOs deadlock does not depend on time either, and one complete run shows
it for every pattern of stalls. Only reconvergent paths can deadlock or stall: a join waits for the
longer path while the shorter one fills up. There the shorter path's FIFO holds everything that the
longer path may keep inside at once.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hyq_hls.stream.circuits.process import PIPELINE_LATENCY
from hyq_hls.stream.flow.dataflow import SHALLOW, Dataflow, OperationStage, Stage


def safe_depths(flow: Dataflow, pipeline: int = 0) -> dict[str, int]:
    """Return the depth of every stream in words.

    A stream into an operation holds what may come while the operation takes nothing, so that a
    pause does not stop its writer. A stream into a join (an operation with several inputs) holds as
    many frames as all stages between the fork and the join keep inside, and one more.

    Args:
        flow: the machine.
        pipeline: most stages of a process that keep their words when no input comes. The circuits
            of our RTL say themselves what they keep; an HLS compiler chooses its own stages.
    """
    depths = dict.fromkeys(flow.streams, SHALLOW)
    # Streams that no image reaches are in neither: their writers wait for nobody but their readers.
    least, most = _frames_kept(flow, 0), _frames_kept(flow, pipeline)
    for stage in flow.operations:
        for index, name in enumerate(stage.inputs):
            stream = flow.streams[name]
            positions = stage.circuit.positions_waiting
            burst = max(SHALLOW, positions * stream.type.channels // stream.lanes)
            others = [s for i, s in enumerate(stage.inputs) if i != index and s in most]
            if not others or name not in least:
                depths[name] = min(burst, stream.beats)
            else:
                ahead = max(most[other] for other in others) - least[name]
                depths[name] = max(burst, ceil(stream.beats * (1 + max(ahead, Fraction(0)))))
    return depths


def safe_hls_depths(flow: Dataflow) -> dict[str, int]:
    """Return depths in words by stream with which the C++ cannot deadlock."""
    return safe_depths(flow, PIPELINE_LATENCY)


def safe_hls_flow(flow: Dataflow) -> Dataflow:
    """Return the machine with these depths."""
    return flow.with_depths(safe_hls_depths(flow))


def _frames_kept(flow: Dataflow, pipeline: int) -> dict[str, Fraction]:
    """Return the frames that may be on the longest way from the source to each stream."""
    kept = {flow.source: Fraction(0)}
    for stage in flow.stages:
        before = [kept[s] for s in stage.inputs if s in kept]
        if not before:
            continue
        most = max(before) + _frames_inside(flow, stage)
        most += Fraction(pipeline * _pipelines(stage), flow.cycles(stage))
        kept |= dict.fromkeys(stage.outputs, most)
    return kept


def _pipelines(stage: Stage) -> int:
    return stage.circuit.pipelines(stage.folding) if isinstance(stage, OperationStage) else 1


def _frames_inside(flow: Dataflow, stage: Stage) -> Fraction:
    """Return the frames that a stage, with the FIFOs before it, may keep inside at once."""
    streams = [flow.streams[s] for s in stage.inputs]
    if all(stream.type.words == 1 for stream in streams):
        return _vectors_inside(flow, stage)
    if not isinstance(stage, OperationStage):
        return Fraction(SHALLOW, min(stream.beats for stream in streams))
    waiting = max(Fraction(2, s.type.words) for s in streams if s.type.words > 1)
    return stage.circuit.frames_inside + waiting


def _vectors_inside(flow: Dataflow, stage: Stage) -> Fraction:
    """Return the frames during which a stage works on a vector, which comes once per frame."""
    if not isinstance(stage, OperationStage):
        return Fraction(0)
    return Fraction(stage.circuit.latency(stage.folding), flow.cycles_per_frame)
