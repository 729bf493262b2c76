"""Estimate when the words of one frame leave, from what every stage does alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hyq_hls.stream.flow.dataflow import Dataflow, Stage


class Timing(NamedTuple):
    """The times of a stage whose input always comes, and whose output is always taken.

    Attributes:
        lead: cycles from the first input of a frame to its first output, at least 1.
        work: cycles from there to its last output.
    """

    lead: int
    work: int


def frame_latency(flow: Dataflow, timing: Callable[[Stage], Timing]) -> int:
    """Estimate the cycles from the first input word of a frame to its last output word.

    The first word of a stage leaves when the share of its input has come that it waits for: when
    it is alone, it takes a word per cycle while it waits. The last word leaves after the last
    input, and not before the stage has done all its work.

    Args:
        flow: stages and streams.
        timing: returns the times of a stage.
    """
    first = {flow.source: 0.0}
    last = {flow.source: float(flow.streams[flow.source].beats)}
    for stage in flow.stages:
        inputs = [name for name in stage.inputs if name in first]
        if not inputs:
            continue  # What no image reaches is there before it.
        lead, work = timing(stage)
        beats = max(flow.streams[name].beats for name in inputs)
        came = max(first[name] for name in inputs)
        ended = max(last[name] for name in inputs)
        left = max(came + lead, came + min(1.0, lead / beats) * (ended - came))
        done = max(ended + 1, left + work)
        first |= dict.fromkeys(stage.outputs, left)
        last |= dict.fromkeys(stage.outputs, done)
    return round(last[flow.sink])
