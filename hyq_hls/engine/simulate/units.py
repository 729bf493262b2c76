"""Load, store, move, softmax and norm: the other sections of ``docs/engine.md``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.forms import KINDS, NormRows, SoftmaxRows
from hyq_hls.engine.forms.output_stage import SHIFT_OFFSET
from hyq_hls.engine.layout import BEAT, NORM_CHANNEL, NORM_HEADER, RECORD, ceil_div, words_of
from hyq_hls.engine.machine_sizes import INPUTS, LANES, OUTPUTS, TABLE_ENTRIES, WORD
from hyq_hls.engine.simulate.memories import Memories
from hyq_hls.errors import SimulationError

Codes = NDArray[np.int64]


def run_load_map(memories: Memories, i: isa.LoadMap) -> None:
    """Copy rows from DRAM to the feature memory."""
    features, dram = _transfer(memories, i)
    memories.features.write(features, memories.dram[i.base].read(dram))


def run_store(memories: Memories, i: isa.Store) -> None:
    """Copy rows from the feature memory to DRAM."""
    if i.base in (isa.CONSTANTS, isa.INPUT):
        raise SimulationError(f"a store behind base register {i.base}, which is read only")
    features, dram = _transfer(memories, i)
    memories.dram[i.base].write(dram, memories.features.read(features))


def _transfer(memories: Memories, i: isa.LoadMap | isa.Store) -> tuple[Codes, Codes]:
    if i.offset % BEAT or i.pitch % BEAT or i.x_first >= i.planes or i.target != isa.FEATURES:
        raise SimulationError(
            f"offset {i.offset}, pitch {i.pitch}, x_first {i.x_first} of {i.planes} planes: "
            f"multiples of {BEAT}, and a plane that exists, are wanted"
        )
    return memories.transfer(i)


def run_load_block(memories: Memories, i: isa.LoadBlock) -> None:
    """Copy constants to one of the other memories."""
    if i.count % BEAT or i.offset % BEAT:
        raise SimulationError(f"{i.count} bytes from {i.offset}: multiples of {BEAT} are wanted")
    data = memories.dram[i.base].read(np.arange(i.offset, i.offset + i.count)).tobytes()
    if i.target == isa.WEIGHTS:
        words = np.frombuffer(data, np.int8).reshape(-1, LANES)
        memories.weights.block(i.dest, words.astype(np.int16))
    elif i.target == isa.PARAMETERS:
        memories.parameters.block(i.dest * OUTPUTS, np.frombuffer(data, RECORD))
    elif i.target == isa.TABLES:
        if i.dest // TABLE_ENTRIES != (i.dest + i.count - 1) // TABLE_ENTRIES:
            raise SimulationError("a table that leaves its bank")
        memories.tables.block(i.dest, np.frombuffer(data, np.uint8))
    elif i.target == isa.EXPONENTIALS:
        memories.exponentials.block(i.dest, np.frombuffer(data, "<u4").astype(np.int64))
    elif i.target == isa.NORM:
        memories.norm.block(i.dest, np.frombuffer(data, np.uint8))
    else:
        raise SimulationError(f"unknown target {i.target}")


def run_move(memories: Memories, i: isa.Move) -> None:
    """Turn keys or values into weights."""
    view = isa.View(i.src.base, 0, i.src.group, i.src.x0)
    index = memories.view_bytes(view, 1, i.tokens, i.c0 + np.arange(i.channels))
    codes = memories.features.read(index)[0].astype(np.int64)
    lanes = i.param * OUTPUTS + np.arange(i.channels)
    values = codes - memories.parameters.read(lanes)["bias"].astype(np.int64)
    if values.min() < -255 or values.max() > 255:
        raise SimulationError(f"weights in [{values.min()}, {values.max()}] leave 9 bits")
    n, c = np.arange(i.tokens)[:, None], np.arange(i.channels)
    if i.kind == isa.KEYS:
        output, which = n % OUTPUTS, c % INPUTS
        word = n // OUTPUTS * ceil_div(i.channels, INPUTS) + c // INPUTS
    else:
        lane = i.first + c
        output, which = lane % OUTPUTS, n % INPUTS
        word = lane // OUTPUTS * ceil_div(i.tokens, INPUTS) + n // INPUTS
    moved = np.zeros((int(word.max()) + 1, LANES), np.int16)
    moved[word, np.broadcast_to(INPUTS * output + which, word.shape)] = values
    memories.weights.block(i.weights, moved)


def run_softmax(memories: Memories, i: isa.Softmax) -> Codes:
    """Compute probabilities; returns them (rows, pixels, length)."""
    if i.length > memories.sizes.softmax_length:
        raise SimulationError(f"rows of {i.length} codes, of {memories.sizes.softmax_length}")
    lanes = np.arange(i.length)
    index = memories.view_bytes(i.src, i.rows, i.pixels, lanes)
    codes = memories.features.read(index).astype(np.int64)
    used = int((codes.max(axis=-1, keepdims=True) - codes).max()) + 1
    exponentials = memories.exponentials.read(np.arange(used))
    found = SoftmaxRows(KINDS[i.kind], i.bits, exponentials).execute(codes)
    whole = ceil_div(i.length, WORD) * WORD
    _check_places(memories, i, whole)
    for shift, start in [(0, 0)] + ([(8, i.high)] if i.bits > 8 else []):
        view = isa.View((i.dst.base + start) & 0xFFFF, i.dst.row, i.dst.group, i.dst.x0)
        _write(memories, view, found >> shift & 255, whole)
    return found


def run_norm(memories: Memories, i: isa.Norm) -> Codes:
    """Normalize rows; returns them (rows, pixels, channels)."""
    data = memories.norm.data
    memories.norm.read(np.arange(NORM_HEADER.itemsize))
    header = np.frombuffer(data[: NORM_HEADER.itemsize].tobytes(), NORM_HEADER)[0]
    channels = int(header["channels"])
    end = NORM_HEADER.itemsize + channels * NORM_CHANNEL.itemsize
    memories.norm.read(np.arange(end))
    fields = np.frombuffer(data[NORM_HEADER.itemsize : end].tobytes(), NORM_CHANNEL)
    form = NormRows(
        epsilon=int(header["epsilon"]),
        root_bits=int(header["t"]),
        reciprocal_bits=int(header["N"]),
        normalized_bits=int(header["F"]),
        zero_in=fields["zero_in"].astype(np.int64),
        factor_shift=fields["k"].astype(np.int64),
        gamma=fields["gamma"].astype(np.int64),
        beta=fields["beta"].astype(np.int64),
        shift=fields["shift"].astype(np.int64) - SHIFT_OFFSET,
        zero_out=fields["zero_out"].astype(np.int64),
        bits=i.bits,
    )
    index = memories.view_bytes(i.src, i.rows, i.pixels, np.arange(channels))
    found = form.execute(memories.features.read(index).astype(np.int64))
    whole = words_of(channels) * WORD
    _check_places(memories, i, whole)
    _write(memories, i.dst, found, whole)
    return found


def _write(memories: Memories, view: isa.View, codes: Codes, whole: int) -> None:
    """Write rows of codes, and zeros behind them, ``whole`` bytes in all."""
    rows, pixels, count = codes.shape
    padded = np.zeros((rows, pixels, whole), np.uint8)
    padded[..., :count] = codes
    memories.features.write(memories.view_bytes(view, rows, pixels, np.arange(whole)), padded)


def _check_places(memories: Memories, i: isa.Softmax | isa.Norm, whole: int) -> None:
    """Raise ``SimulationError`` unless source and destination are one or lie apart."""
    if i.src == i.dst:
        return
    lanes = np.arange(whole)
    source, target = (memories.view_bytes(v, i.rows, i.pixels, lanes) for v in (i.src, i.dst))
    if np.intersect1d(source, target).size:
        raise SimulationError("source and destination overlap")
