"""Cycles of a program by formula: one instruction after the other, as ``hyq_engine`` runs them.

The numbers are those of the RTL, to the cycle, in front of a memory that never stalls and takes a
beat in every cycle; co-simulation compares them.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.layout import BEAT, NORM_HEADER, RECORD, ceil_div, words_of
from hyq_hls.engine.machine_sizes import WORD, Sizes
from hyq_hls.engine.program import Program

#: Beats of the longest burst of an AXI3 port.
BURST = 16
#: Control: cycles, beside the latency, from the start to the first instruction and from the last to
#: the end; from a load to the instruction that is fetched behind it; from the start of another
#: instruction to the next, fetched meanwhile; and between two instructions at least.
_FRAME, _AFTER_LOAD, _FETCH, _BETWEEN = 16, 14, 13, 3
#: Cycles of a unit beside its work.
_LOAD, _STORE, _MOVE, _ROWS = 7, 13, 9, 4
#: A row takes the address channel for two cycles or more; the addresses of stored rows come some
#: cycles before their data.
_ADDRESS, _EARLIER = 2, 5
#: The array: from the start to the parameters of a group, from the first tile to the fetch of the
#: next parameters, from the last tile to its codes; a depthwise sum skips the operand path, and an
#: output stage without multiplier has two stages less.
_PARAMETERS, _TAKEN, _DRAIN, _OPERANDS, _MULTIPLIER = 21, 19, 29, 3, 2
#: The softmax unit: cycles from the last codes of a row to its maximum, from its last exponential
#: to its sum, and from its last code to the write.
_MAXIMUM, _TOTAL, _CODES = 6, 11, 21
#: The norm unit: pixels that may be between their two passes; cycles from the last code of the
#: first pass to the root, from the start of the second until it takes a reciprocal, and from its
#: last code to the write.
_AHEAD, _RADICAND, _TAKES, _WRITE = 4, 17, 10, 23
#: Bits of a root, which is taken in as many cycles.
_ROOT = 31


@dataclass(frozen=True)
class Rates:
    """Facts that a prediction must know beside the program.

    Attributes:
        latency: cycles from the address of a burst to its first beat, or from its last beat to the
            answer of a write.
        outstanding: bursts that the memory takes before it has answered the first.
    """

    latency: int = 40
    outstanding: int = 8


@dataclass(frozen=True, eq=False)
class Prediction:
    """Cycles of a frame.

    Attributes:
        cycles: all of them.
        instructions: cycles (n,) of the instructions alone.
        by_kind: cycles by kind of instruction, each up to the start of the next.
        by_node: the same by node of the graph.
        read: bytes that are read from DRAM.
        written: bytes that are written.
    """

    cycles: int
    instructions: NDArray[np.int64]
    by_kind: dict[str, int]
    by_node: dict[str, int]
    read: int
    written: int


def predict(program: Program, rates: Rates | None = None) -> Prediction:
    """Return the cycles of a program, with all instructions one after the other."""
    rates = rates or Rates()
    by_kind: Counter[str] = Counter()
    by_node: Counter[str] = Counter()
    alone = []
    read = written = 0
    node, norm = "", (0, 0)
    last = len(program.instructions) - 1
    for index, instruction in enumerate(program.instructions):
        node = program.nodes.get(index, node)
        if isinstance(instruction, isa.LoadBlock) and instruction.target == isa.NORM:
            norm = _norm(program, instruction)
        work = _work(instruction, program.sizes, rates, norm)
        cycles = work if index == last else _to_next(instruction, work, rates)
        if index == 0:
            cycles += _FRAME + rates.latency
        alone.append(work)
        by_kind[instruction.kind_name] += cycles
        by_node[node] += cycles
        match instruction:
            case isa.LoadBlock():
                read += instruction.count
            case isa.LoadMap():
                read += _bytes(instruction)
            case isa.Store():
                written += _bytes(instruction)
    read += len(program.instructions) * isa.BYTES
    return Prediction(
        by_kind.total(), np.array(alone, np.int64), dict(by_kind), dict(by_node), read, written
    )


def _norm(program: Program, load: isa.LoadBlock) -> tuple[int, int]:
    """Return the channels of a norm memory and the bits of its reciprocal."""
    header = program.constants[load.offset : load.offset + NORM_HEADER.itemsize].view(NORM_HEADER)
    return (load.count - NORM_HEADER.itemsize) // RECORD.itemsize, int(header["N"][0])


def _to_next(i: isa.Instruction, work: int, rates: Rates) -> int:
    """Return the cycles from the start of an instruction to that of the next."""
    if isinstance(i, isa.LoadMap | isa.LoadBlock):
        return work + _AFTER_LOAD + rates.latency
    return max(work + _BETWEEN, _FETCH + rates.latency)


def _bytes(i: isa.LoadMap | isa.Store) -> int:
    """Return the bytes of a transfer, in whole beats."""
    return i.rows * ceil_div(i.pixels * i.words * WORD, BEAT) * BEAT


def _work(i: isa.Instruction, sizes: Sizes, rates: Rates, norm: tuple[int, int]) -> int:
    """Return the cycles of an instruction from its start on."""
    match i:
        case isa.LoadMap() | isa.LoadBlock():
            return _LOAD + _beats(i, rates)
        case isa.Store():
            steps = i.rows * i.pixels * i.words // _words_of_a_step(i)
            return _STORE + rates.latency + max(steps, _ADDRESS * i.rows - _EARLIER)
        case isa.Array():
            return _array(i, sizes)
        case isa.Move():
            return _MOVE + i.tokens * i.channels
        case isa.Softmax():
            return _ROWS + _softmax(i, sizes.softmax_lanes)
        case isa.Norm():
            channels, reciprocal = norm
            steps = words_of(channels) * WORD // sizes.norm_lanes
            return _ROWS + _norm_pixels(i.rows * i.pixels, steps, reciprocal)
    raise AssertionError(f"no formula for {i.kind_name}")


def _words_of_a_step(i: isa.LoadMap | isa.Store) -> int:
    """Return the words that are read or written in a cycle: those of a beat, if a pixel has it."""
    return 1 if i.words % 2 else BEAT // WORD


def _beats(i: isa.LoadMap | isa.LoadBlock, rates: Rates) -> int:
    """Return the cycles from the first burst that is asked for to the last beat that is taken."""
    if isinstance(i, isa.LoadMap):
        step = _words_of_a_step(i)
        rows, pitch, each = i.rows, i.pitch, BEAT // WORD // step
        units = i.pixels * i.words // step
    else:
        rows, pitch, each = 1, 0, BEAT if i.target == isa.TABLES else 1
        units = i.count // BEAT * each
    asked, done, offered = -1, 0, -_ADDRESS
    ends: deque[int] = deque(maxlen=rates.outstanding)
    for row in range(rows):
        offered = max(asked + 1, offered + _ADDRESS)
        asked = offered - 1
        place, left = (i.offset + row * pitch) // BEAT, units
        while left:
            taken = min(left, each * (BURST - place % BURST))
            asked = max(asked + 1, ends[0] + 1 if len(ends) == rates.outstanding else 0)
            done = max(done, asked - 1 + rates.latency) + taken
            ends.append(done)
            place, left = place + ceil_div(taken, each), left - taken
    return done


def _softmax(i: isa.Softmax, lanes: int) -> int:
    """Return the cycles of the softmax unit from the first row on.

    The first pass is a row ahead of the second. The buffer has room for two rows: the second pass
    waits until the third has ended with the row before the last, or has begun if it is as fast.
    """
    words = ceil_div(i.length, WORD)
    last = i.rows * i.pixels - 1
    codes = words * WORD // lanes + words % 2
    free_after = 0 if lanes == WORD else codes
    # When the first and the third pass of a row begin, and its half of the buffer is free.
    maxima, sums, free = [0], list[int](), list[int]()
    now = ceil_div(words, WORD) + 1  # the unit chooses what it does next
    for row in range(last + 1):
        if row < last:
            maxima.append(now)
            now += ceil_div(words, WORD) + 1
        begin = max(now, maxima[row] + ceil_div(words, WORD) + _MAXIMUM)
        if row > 1:
            begin = max(begin, free[row - 2])
        now = begin + words + 1
        total = begin + words + _TOTAL
        third = max(total, sums[-1] + codes + 1) if sums else total
        sums.append(third)
        free.append(third + free_after + 1)
    return sums[-1] + codes + _CODES + (1 if i.bits > 8 else 0)


def _norm_pixels(pixels: int, steps: int, reciprocal: int) -> int:
    """Return the cycles of the norm unit from the first pixel on.

    Args:
        pixels: how many.
        steps: cycles of a pass over the codes of a pixel.
        reciprocal: bits of the reciprocal.
    """
    now = begun = 0
    ended: deque[int] = deque()  # first passes
    root = reciprocal_at = quotient = taken = -1  # when each was ready, or taken, for the last time
    for _ in range(pixels):
        while begun < pixels and len(ended) < _AHEAD:
            ended.append(now + steps)
            now, begun = now + steps + 1, begun + 1
        # The results of root and reciprocal wait until the next takes them.
        root = max(max(ended.popleft() + _RADICAND, root + 1) + _ROOT, reciprocal_at)
        reciprocal_at = max(root, quotient) + 1
        quotient = max(reciprocal_at + reciprocal + 1, taken)
        now = max(now, quotient + 1)
        taken = now + _TAKES
        now += steps + 1
    return now + _WRITE


def _array(i: isa.Array, sizes: Sizes) -> int:
    kernel = i.kernel_y * i.kernel_x * i.steps
    # The sums of a tile leave pixel by pixel while the next one is computed.
    tile = max(i.passes * kernel, sizes.pixels)
    tiles = i.rows * ceil_div(i.pixels, sizes.pixels)
    dense = not i.depthwise or i.source == isa.FROM_CONSTANT
    short = 0 if dense else _OPERANDS
    first = kernel if i.prologue else i.passes * kernel
    rest = (tiles if i.prologue else tiles - 1) * tile
    # The first tile of a group, or its prologue, ends when the parameters of the group are there.
    ready = max(first, _PARAMETERS)
    end = ready + rest
    for _ in range(1, i.groups):
        fetch = max(end, ready + _TAKEN - short)
        ready = max(end + max(first, sizes.pixels), fetch + _PARAMETERS)
        end = ready + rest
    tail = _DRAIN + sizes.pixels - short - (0 if sizes.multiplier else _MULTIPLIER)
    return end + tail
