"""Cycles of a program by formula: one instruction after the other, as the first engine runs them.

The formulas count what a unit must do and a fixed time to start it. They know nothing of stalls.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hyq_hls.engine import isa
from hyq_hls.engine.layout import BEAT, RECORD, ceil_div
from hyq_hls.engine.machine_sizes import LANES, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Program

#: Beats of the longest burst of an AXI3 port.
BURST = 16


@dataclass(frozen=True)
class Rates:
    """What the units of an engine and the memory behind it do per cycle.

    Attributes:
        start: cycles from the end of an instruction to the first work of the next.
        latency: cycles from a request to the first beat of DRAM.
        outstanding: bursts that are requested before the first has arrived.
        drained: pixels of 16 channels that leave the array in a cycle.
        moved: codes that the move unit takes in a cycle.
        softmax_lanes: codes of a softmax in a cycle; it takes three passes over a row.
        norm_lanes: codes of a LayerNorm in a cycle; it takes two passes over a pixel.
        norm_steps: cycles of root and reciprocal of a pixel, at least.
    """

    start: int = 24
    latency: int = 40
    outstanding: int = 4
    drained: int = 2
    moved: int = 3
    softmax_lanes: int = 2
    norm_lanes: int = 1
    norm_steps: int = 50


@dataclass(frozen=True)
class Prediction:
    """Cycles of a frame.

    Attributes:
        cycles: all of them.
        by_kind: cycles by kind of instruction.
        by_node: cycles by node of the graph.
        read: bytes that are read from DRAM.
        written: bytes that are written.
    """

    cycles: int
    by_kind: dict[str, int]
    by_node: dict[str, int]
    read: int
    written: int


def predict(program: Program, rates: Rates | None = None) -> Prediction:
    """Return the cycles of a program, with all instructions one after the other."""
    rates = rates or Rates()
    by_kind: Counter[str] = Counter()
    by_node: Counter[str] = Counter()
    read = written = 0
    starts = {start: name for name, start in program.nodes.items()}
    node, channels = "", 0
    for index, instruction in enumerate(program.instructions):
        node = starts.get(index, node)
        if isinstance(instruction, isa.LoadBlock) and instruction.target == isa.NORM:
            channels = (instruction.count - 32) // RECORD.itemsize
        cycles = rates.start + _work(instruction, program.sizes, rates, channels)
        by_kind[instruction.kind_name] += cycles
        by_node[node] += cycles
        if isinstance(instruction, isa.LoadBlock):
            read += instruction.count
        elif isinstance(instruction, isa.LoadMap):
            read += _bytes(instruction)
        elif isinstance(instruction, isa.Store):
            written += _bytes(instruction)
    read += len(program.instructions) * isa.BYTES
    return Prediction(by_kind.total(), dict(by_kind), dict(by_node), read, written)


def _bytes(i: isa.LoadMap | isa.Store) -> int:
    return i.rows * i.pixels * i.words * WORD


def _work(i: isa.Instruction, sizes: Sizes, rates: Rates, channels: int) -> int:
    """Return the cycles of an instruction after its start."""
    match i:
        case isa.LoadMap() | isa.Store():
            # A row is bursts of its own; its words enter or leave the feature memory one by one.
            words = i.pixels * i.words
            return i.rows * max(words, _bursts(words * WORD, rates)) + rates.latency
        case isa.LoadBlock():
            width = LANES if i.target == isa.WEIGHTS else BEAT
            beats = ceil_div(i.count, BEAT)
            return max(beats, ceil_div(i.count, width), _bursts(i.count, rates)) + rates.latency
        case isa.Array():
            steps = i.passes * i.kernel_y * i.kernel_x * i.steps
            drain = sizes.pixels // min(rates.drained, sizes.pixels)
            tiles = i.rows * ceil_div(i.pixels, sizes.pixels)
            return i.groups * (tiles * max(steps, drain) + i.prologue * steps)
        case isa.Move():
            per_token = ceil_div(i.channels, rates.moved if i.kind == isa.KEYS else OUTPUTS)
            return i.tokens * per_token
        case isa.Softmax():
            return i.rows * i.pixels * 3 * ceil_div(i.length, rates.softmax_lanes)
        case isa.Norm():
            row = max(2 * ceil_div(channels, rates.norm_lanes), rates.norm_steps)
            return i.rows * i.pixels * row
    raise AssertionError(f"no formula for {i.kind_name}")


def _bursts(size: int, rates: Rates) -> int:
    """Return the cycles in which bursts of ``size`` bytes are answered."""
    each = max(BURST, ceil_div(rates.latency + BURST, rates.outstanding))
    return ceil_div(size, BURST * BEAT) * each
