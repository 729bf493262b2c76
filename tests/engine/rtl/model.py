"""What docs/engine.md says that an instruction of the array does, in numpy, for one machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.engine.rtl.bench import Ints

#: Fields of an instruction of the array: word, highest and lowest bit.
ARRAY_FIELDS = {
    "queue": (0, 2, 0),
    "version": (0, 15, 8),
    **{
        f"{view}_{name}": (word + k // 2, 31 if k % 2 else 15, 16 if k % 2 else 0)
        for view, word in (("src", 4), ("dst", 6))
        for k, name in enumerate(("base", "row", "group", "x0"))
    },
    "rows": (8, 15, 0),
    "pixels": (8, 31, 16),
    "ky_stride": (9, 15, 0),
    "pass_stride": (9, 31, 16),
    "kx_words": (10, 15, 0),
    "wrap_words": (10, 31, 16),
    "kx_shift": (11, 7, 0),
    "kx_plane": (11, 11, 8),
    "planes": (11, 15, 12),
    "c0": (11, 31, 16),
    "steps": (12, 15, 0),
    "kernel_y": (12, 23, 16),
    "kernel_x": (12, 31, 24),
    "groups": (13, 7, 0),
    "depthwise": (13, 8, 8),
    "source": (13, 10, 9),
    "signed": (13, 11, 11),
    "prologue": (13, 12, 12),
    "passes": (13, 14, 13),
    "hold": (13, 15, 15),
    "bits": (13, 20, 16),
    "table": (13, 21, 21),
    "bank": (13, 22, 22),
    "high": (13, 23, 23),
    "one_hot": (13, 28, 24),
    "digits": (13, 29, 29),
    "repeat": (13, 30, 30),
    "weights": (14, 15, 0),
    "weight_group": (14, 31, 16),
    "param": (15, 7, 0),
    "constant": (15, 16, 8),
    "first": (15, 20, 17),
    "channels": (15, 31, 21),
}
OUTPUTS, INPUTS = 16, 3
MEMORY, CONSTANT, ONE_HOT = range(3)

Fields = dict[str, int]


def encoded(fields: Fields, layout: Mapping[str, tuple[int, int, int]]) -> int:
    """Return an instruction of 512 bits; ``passes`` is stored less one."""
    word = 0
    for name, value in fields.items():
        index, high, low = layout[name]
        stored = value - (name == "passes")
        assert -(1 << (high - low)) <= stored < 1 << (high - low + 1), (name, value)
        word |= (stored & ((1 << (high - low + 1)) - 1)) << (32 * index + low)
    return word


@dataclass
class Memories:
    """Contents of a machine.

    Attributes:
        feature: bytes (banks, words, 4).
        weights: (words, 16, 3).
        bias, zero, multiplier, shift: of every record; ``shift`` is the stored field.
        tables: (2, 1024).
    """

    feature: Ints
    weights: Ints
    bias: Ints
    zero: Ints
    multiplier: Ints
    shift: Ints
    tables: Ints
    touched: set[tuple[int, int]] = field(default_factory=set)

    def place(self, fields: Fields, view: str, offset: int, x: int) -> tuple[int, int]:
        """Return bank and address of pixel ``x`` of a view, ``offset`` words further."""
        banks = len(self.feature)
        q = (fields[f"{view}_x0"] + x) & 0xFFFF
        address = fields[f"{view}_base"] + offset + q // banks * fields[f"{view}_group"]
        return q % banks, address & 0xFFFF

    def byte(self, bank: int, address: int, channel: int) -> int:
        """Read a byte and remember its word.

        Raises:
            IndexError: the address lies behind the memory.
        """
        word = (address + channel // 4) & 0xFFFF
        self.touched.add((bank, word))
        return int(self.feature[bank, word, channel % 4])


def kernel_columns(f: Fields) -> list[tuple[int, int]]:
    """Return shift and plane_words for every kx."""
    plane = shift = words = 0
    columns = []
    for _ in range(f["kernel_x"]):
        columns.append((shift, words))
        plane, shift, words = plane + f["kx_plane"], shift + f["kx_shift"], words + f["kx_words"]
        if plane >= f["planes"]:
            plane, shift, words = plane - f["planes"], shift + 1, words - f["wrap_words"]
    return columns


def steps_of(f: Fields) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield digit, ky, shift, plane_words and step."""
    for d in range(f["passes"]):
        for ky in range(f["kernel_y"]):
            for shift, words in kernel_columns(f):
                for s in range(f["steps"]):
                    yield d, ky, shift, words, s


def operands(m: Memories, f: Fields, g: int, r: int, x: int, step: tuple[int, ...]) -> Ints:
    """Return the operands (16, 3) of a pixel in a step."""
    d, ky, shift, words, s = step
    if f["source"] == CONSTANT:
        return np.full((OUTPUTS, INPUTS), f["constant"])
    offset = r * f["src_row"] + d * f["pass_stride"] + ky * f["ky_stride"] + words
    bank, address = m.place(f, "src", offset, shift + x)
    if f["depthwise"]:
        first = f["c0"] + OUTPUTS * g
        read = np.array([m.byte(bank, address, first + o) for o in range(OUTPUTS)])[:, None]
    else:
        first = f["c0"] + INPUTS * s
        read = np.array([m.byte(bank, address, first + i) for i in range(INPUTS)])[None]
    if f["source"] == ONE_HOT:
        e = f["one_hot"] - read
        read = np.where((e >= 0) & (e // 8 == f["passes"] - 1 - d), 1 << (e % 8), 0)
    elif f["signed"] and d == f["passes"] - 1:
        read = read - 128
    return np.broadcast_to(read, (OUTPUTS, INPUTS))


def output_stage(m: Memories, f: Fields, v: Ints, record: Ints) -> Ints:
    """Return the bytes of sums with their biases."""
    v = v * np.maximum(m.multiplier[record], 1)
    v = (((v << 8) >> m.shift[record]) + 1) >> 1
    code = (v + m.zero[record]).clip(0, (1 << f["bits"]) - 1)
    if f["table"]:
        code = m.tables[f["bank"]][code]
    return code >> 8 if f["high"] else code & 255


def run(m: Memories, f: Fields) -> dict[tuple[int, int], dict[int, int]]:
    """Return what an instruction writes: bytes by bank and address of their word.

    Raises:
        IndexError: an address lies behind a memory.
        OverflowError: a sum does not fit 32 bits, or an operand and its weight fit no form.
    """
    written: dict[tuple[int, int], dict[int, int]] = {}
    steps = list(steps_of(f))
    for g in range(f["groups"]):
        record = OUTPUTS * (f["param"] + g) + np.arange(OUTPUTS)
        pass_steps = len(steps) // f["passes"]
        n = np.arange(len(steps)) % (pass_steps if f["repeat"] else len(steps))
        weights = m.weights[f["weights"] + g * f["weight_group"] + n * (not f["hold"])]
        bias = m.bias[record]
        if f["prologue"]:
            bias = bias + f["constant"] * weights[:pass_steps].sum(axis=(0, 2))
        for r in range(f["rows"]):
            for x in range(f["pixels"]):
                acc, before = np.zeros(OUTPUTS, np.int64), 0
                for step, weight in zip(steps, weights, strict=True):
                    if step[0] != before and f["digits"]:
                        acc = acc << 8
                    before = step[0]
                    operand = operands(m, f, g, r, x, step)
                    if ((operand > 128) & (np.abs(weight) > 128)).any():
                        raise OverflowError
                    acc = acc + (operand * weight).sum(axis=1)
                for sums in (acc, acc + bias):
                    if np.abs(sums).max() >= 1 << 31:
                        raise OverflowError
                codes = output_stage(m, f, acc + bias, record)
                bank, address = m.place(f, "dst", r * f["dst_row"], x)
                for o in range(OUTPUTS):
                    channel = OUTPUTS * g + o
                    if f["first"] <= channel < f["first"] + f["channels"]:
                        word = (address + channel // 4) & 0xFFFF
                        if word >= m.feature.shape[1]:
                            raise IndexError(word)
                        written.setdefault((bank, word), {})[channel % 4] = int(codes[o])
    return written


#: Fields of an instruction of the load unit or the store unit.
TRANSFER_FIELDS = {
    "queue": (0, 2, 0),
    "version": (0, 15, 8),
    "target": (0, 18, 16),
    "base": (0, 21, 20),
    "offset": (4, 31, 0),
    "rows": (5, 15, 0),
    "pixels": (5, 31, 16),
    "words": (6, 15, 0),
    "planes": (6, 23, 16),
    "x_first": (6, 31, 24),
    "pitch": (7, 31, 0),
    "view_base": (8, 15, 0),
    "view_row": (8, 31, 16),
    "view_group": (9, 15, 0),
    "view_x0": (9, 31, 16),
    "plane": (10, 15, 0),
}


def words_of(f: Fields, banks: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the offset of every word of a load or store in DRAM, and its bank and address."""
    for r in range(f["rows"]):
        for x in range(f["pixels"]):
            column = f["x_first"] + x
            q = f["view_x0"] + column // f["planes"]
            address = f["view_base"] + r * f["view_row"] + column % f["planes"] * f["plane"]
            address += q // banks * f["view_group"]
            for w in range(f["words"]):
                byte = f["offset"] + r * f["pitch"] + 4 * (x * f["words"] + w)
                yield byte, (q % banks, address + w)
