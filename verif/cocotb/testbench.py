"""The cocotb side: whole frames through the AXI4-Streams of a design, both watched meanwhile.

Runs inside the simulator that ``simulate.py`` starts; ``HYQ_TASK`` names the file with the task.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Iterator

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject, LogicObject, PackedObject
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource

from verif.cocotb.protocol import Beat, StreamRules

_PERIOD = 10  # ns
_RESET_CYCLES = 4
#: Cycles after the last frame in which no further beat may come.
_SILENCE = 64


@cocotb.test()
async def frames(dut: HierarchyObject) -> None:
    """Frames back to back under random stalls; keeps what comes out, checks every cycle."""
    task = np.load(os.environ["HYQ_TASK"])
    source, sink = await _reset(dut, task)
    rules = [StreamRules(port, int(task[f"{port}_beats"])) for port in ("s_axis", "m_axis")]
    for rule in rules:
        cocotb.start_soon(_watch(dut, rule))
    for frame in task["frames"]:
        source.send_nowait(frame.tobytes())
    received = []
    for _ in task["frames"]:
        frame = await with_timeout(sink.recv(), _PERIOD * int(task["frame_cycles"]), "ns")
        received.append(np.frombuffer(bytes(frame.tdata), np.uint8))
    await ClockCycles(_wire(dut, "aclk"), _SILENCE)
    for rule in rules:
        assert rule.transfers == len(received) * rule.beats, rule
    errors = dut.frame_errors
    assert isinstance(errors, PackedObject)
    assert int(errors.value) == 0
    np.savez(os.environ["HYQ_RESULT"], frames=np.stack(received))


@cocotb.test()
async def speed(dut: HierarchyObject) -> None:
    """Seconds of a number of cycles with source and sink at work, and counters if asked for."""
    task = np.load(os.environ["HYQ_TASK"])
    source, _ = await _reset(dut, task)
    if len(task["streams"]):
        cocotb.start_soon(_count(dut, task["streams"].tolist()))
    for frame in task["frames"]:
        source.send_nowait(frame.tobytes())
    start = time.perf_counter()
    await ClockCycles(_wire(dut, "aclk"), int(task["cycles"]))
    np.savez(os.environ["HYQ_RESULT"], seconds=time.perf_counter() - start)


def _wire(dut: HierarchyObject, name: str) -> LogicObject:
    """The port ``name``, which is one bit."""
    port = getattr(dut, name)
    assert isinstance(port, LogicObject), f"{name} is a {type(port).__name__}"
    return port


async def _reset(
    dut: HierarchyObject, task: dict[str, np.ndarray]
) -> tuple[AxiStreamSource, AxiStreamSink]:
    """Source and sink of a design that has just left its reset."""
    # cocotbext-axi would print every frame.
    logging.getLogger(f"cocotb.{dut._name}").setLevel(logging.WARNING)
    clock, reset = _wire(dut, "aclk"), _wire(dut, "aresetn")
    Clock(clock, _PERIOD, unit="ns").start()
    reset.value = 0
    source, sink = (
        end(AxiStreamBus.from_prefix(dut, port), clock, reset, reset_active_level=False)
        for end, port in ((AxiStreamSource, "s_axis"), (AxiStreamSink, "m_axis"))
    )
    seeds = random.Random(int(task["seed"]))
    for end, stall in ((source, float(task["idle"])), (sink, float(task["backpressure"]))):
        if stall:
            end.set_pause_generator(pauses(random.Random(seeds.random()), stall))
    await ClockCycles(clock, _RESET_CYCLES)
    reset.value = 1
    return source, sink


async def _count(dut: HierarchyObject, streams: list[str]) -> None:
    """Beats into and out of every stream, what a run with statistics needs at least."""
    sides = [
        (getattr(dut, f"{stream}_{side}_valid"), getattr(dut, f"{stream}_{side}_ready"))
        for stream in streams
        for side in ("wr", "rd")
    ]
    counts = [0] * len(sides)
    edge = RisingEdge(_wire(dut, "aclk"))
    while True:
        await edge
        for i, (valid, ready) in enumerate(sides):
            counts[i] += valid.value == 1 and ready.value == 1


def pauses(generator: random.Random, probability: float) -> Iterator[bool]:
    """Whether a channel pauses, cycle by cycle."""
    while True:
        yield generator.random() < probability


async def _watch(dut: HierarchyObject, rules: StreamRules) -> None:
    valid, ready, data, last = (
        getattr(dut, f"{rules.name}_{wire}") for wire in ("tvalid", "tready", "tdata", "tlast")
    )
    edge = RisingEdge(_wire(dut, "aclk"))
    while True:
        await edge
        shown = Beat(valid.value == 1, ready.value == 1, int(data.value), last.value == 1)
        rules.observe(shown)
