"""Modules of the engine, each alone in Verilator, and the bits of their ports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.engine import rtl as sources_of
from hyq_hls.support import template_dir
from hyq_hls.tools.verilator import Simulator

Ints = NDArray[np.int64]

TEMPLATES = template_dir("rtl_templates")
FOLDERS = (*sources_of.rtl_folders(), Path(__file__).parent)


def module_file(module: str) -> Path:
    """Return the file of a module, in whichever folder it lies."""
    return sources_of.module_file(module, FOLDERS)


def sources(*modules: str) -> list[Path]:
    """Return the files of modules and of all that they need, packages first."""
    return sources_of.module_sources(modules, FOLDERS)


def simulator(
    module: str,
    folder: Path,
    *more: Path,
    flags: Sequence[str] = (),
    optimize: str = "-O0",
    **parameters: int,
) -> Simulator:
    """Build a module and take it out of its reset.

    Args:
        module: its name.
        folder: where it is built.
        *more: further sources.
        flags: further flags of Verilator.
        optimize: flag of the C++ compiler.
        **parameters: the parameters of the module.
    """
    sim = Simulator.build(
        [*sources(module), *more],
        module,
        parameters,
        folder=folder / "-".join([module, *map(str, parameters.values())]),
        wires=False,
        watch=(),
        flags=(optimize,),
        verilator_flags=flags,
    )
    if "rst_ni" in dir(sim.io):
        sim.reset()
    return sim


def pack(values: ArrayLike, bits: int) -> list[int]:
    """Pack every row of fields into a word, the first field in its lowest bits.

    Args:
        values: integers (rows, ...), negative ones in two's complement.
        bits: bits of a field.
    """
    rows = np.asarray(values, dtype=np.int64)
    fields = rows.reshape(len(rows), -1, 1)
    stream = ((fields >> np.arange(bits)) & 1).astype(np.uint8).reshape(len(rows), -1)
    packed = np.packbits(stream, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def unpack(words: Sequence[int], count: int, bits: int, *, signed: bool = False) -> Ints:
    """Return the fields (words, count) of words that :func:`pack` could have made."""
    length = -(-count * bits // 8)
    raw = np.frombuffer(b"".join(w.to_bytes(length, "little") for w in words), np.uint8)
    stream = np.unpackbits(raw.reshape(len(words), length), axis=1, bitorder="little")
    fields = stream[:, : count * bits].reshape(len(words), count, bits).astype(np.int64)
    values: Ints = (fields << np.arange(bits)).sum(axis=2)
    return values - ((values >> (bits - 1)) << bits) if signed else values


def write_feature(sim: Simulator, feature: Ints) -> None:
    """Fill the feature memory (banks, words, 4) through the port ``write_i``."""
    for bank, words in enumerate(feature.astype(np.uint8)):
        for address in range(0, len(words), 4):
            data = int.from_bytes(words[address : address + 4].tobytes(), "little")
            sim.io.write_i = data | 0xFFFF << 128 | address << 144 | bank << 160 | 1 << 163
            sim.clock.tick()
    sim.io.write_i = 0


def read_feature(sim: Simulator, banks: int, words: int) -> Ints:
    """Read the feature memory (banks, words, 4) through the port ``read_i``, five cycles late."""
    found = []
    for address in range(0, words + 20, 4):
        sim.io.read_i = address % words << 16 | 1 << 35
        sim.clock.tick()
        if address >= 16:
            found.append(sim.io.window_o)
    sim.io.read_i = 0
    sim.clock.tick(6)
    read = unpack(found[: words // 4], banks * 16, 8).reshape(words // 4, banks, 4, 4)
    feature: Ints = read.swapaxes(0, 1).reshape(banks, words, 4)
    return feature
