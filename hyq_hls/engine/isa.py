"""Instructions of the engine: 64 bytes each, encoded, decoded and shown as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from hyq_hls.engine.fields import FIELDS, QUEUES, VERSION, WORDS, Field
from hyq_hls.errors import ConversionError

BYTES = 4 * WORDS
CONSTANTS, INPUT, OUTPUT, SCRATCH = range(4)
FEATURES, WEIGHTS, PARAMETERS, TABLES, EXPONENTIALS, NORM = range(6)
FROM_FEATURES, FROM_CONSTANT, FROM_ONE_HOT = range(3)
KEYS, VALUES = range(2)
_NO_WAITS = (0,) * len(QUEUES)
_WAITS = tuple(Field("wait", 1 + q // 2, 16 * (q % 2), 16) for q in range(len(QUEUES)))


@dataclass(frozen=True)
class View:
    """The place of a tensor's pixels in the feature memory.

    Word w of pixel x in row r lies in bank ``(x0 + x) % P`` at
    ``base + r * row + ((x0 + x) // P) * group + w``.

    Attributes:
        base: first word.
        row: words from row to row.
        group: words from P pixels to the next P.
        x0: first pixel.
    """

    base: int = 0
    row: int = 0
    group: int = 0
    x0: int = 0


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """The common part.

    Attributes:
        kind_name: which table of fields holds.
        queue_name: its queue.
        waits: for each queue, how many of its instructions must have ended, modulo 2**16.
    """

    kind_name: ClassVar[str]
    queue_name: ClassVar[str]
    waits: tuple[int, ...] = _NO_WAITS

    @property
    def queue(self) -> int:
        """Number of the queue."""
        return QUEUES.index(self.queue_name)


@dataclass(frozen=True, kw_only=True)
class _MapTransfer(Instruction):
    """Rows of pixels between DRAM and the feature memory.

    Attributes:
        base: number of the base register.
        offset: bytes from there to the first row.
        rows: number of rows.
        pixels: pixels of a row.
        words: words of a pixel.
        pitch: bytes from row to row.
        view: place in the feature memory.
        planes: number of planes of columns.
        x_first: plane of the first column.
        plane: words from plane to plane.
        target: the feature memory.
    """

    base: int
    offset: int
    rows: int
    pixels: int
    words: int
    pitch: int
    view: View
    planes: int = 1
    x_first: int = 0
    plane: int = 0
    target: int = FEATURES


@dataclass(frozen=True, kw_only=True)
class LoadMap(_MapTransfer):
    """DRAM to feature memory."""

    kind_name = "load_map"
    queue_name = "load"


@dataclass(frozen=True, kw_only=True)
class Store(_MapTransfer):
    """Feature memory to DRAM."""

    kind_name = "store"
    queue_name = "store"


@dataclass(frozen=True, kw_only=True)
class LoadBlock(Instruction):
    """DRAM to one of the other memories.

    Attributes:
        target: number of the memory.
        base: number of the base register.
        offset: bytes from there to the block.
        count: bytes of the block.
        dest: first word, group or entry of the memory.
    """

    kind_name = "load_block"
    queue_name = "load"

    target: int
    base: int
    offset: int
    count: int
    dest: int = 0


@dataclass(frozen=True, kw_only=True)
class Array(Instruction):
    """Sums of products.

    Attributes:
        src, dst: places of the operands and of the results.
        rows, pixels: size of the result.
        groups: groups of output channels.
        first, channels: first lane that is written, and number of channels that are.
        bits: width of a code before the table.
        steps: steps of channels.
        kernel_y, kernel_x: size of the kernel.
        passes: passes over bytes of operands or digits of weights.
        ky_stride, pass_stride: words from one kernel row, or one pass, to the next.
        kx_words, kx_shift, kx_plane: words, pixels and planes from one kernel column to the next.
        wrap_words, planes: words of all planes, and their number.
        c0: first channel of the operands.
        depthwise: 1 where each output channel has an operand of its own.
        source: feature memory, constant, or powers of two.
        signed: 1 where operands are ``byte - 128``.
        prologue: 1 where the constant times the weights is a part of the bias.
        hold: 1 where one weight word serves all steps.
        table, bank: 1 where a table replaces the code, and which.
        high: 1 where the high byte of a code is written.
        one_hot: exponent of code 0, for powers of two.
        digits: 1 where a pass is worth 256 of the next.
        repeat: 1 where each pass takes the same weights.
        weights, weight_group: first weight word, and words from group to group.
        param: first group of channel records.
        constant: the constant operand.
    """

    kind_name = "array"
    queue_name = "array"

    src: View
    dst: View
    rows: int
    pixels: int
    groups: int
    channels: int
    bits: int
    steps: int = 1
    kernel_y: int = 1
    kernel_x: int = 1
    passes: int = 1
    ky_stride: int = 0
    pass_stride: int = 0
    kx_words: int = 0
    wrap_words: int = 0
    kx_shift: int = 0
    kx_plane: int = 0
    planes: int = 1
    c0: int = 0
    depthwise: int = 0
    source: int = FROM_FEATURES
    signed: int = 0
    prologue: int = 0
    hold: int = 0
    table: int = 0
    bank: int = 0
    high: int = 0
    one_hot: int = 0
    digits: int = 0
    repeat: int = 0
    weights: int = 0
    weight_group: int = 0
    param: int = 0
    constant: int = 0
    first: int = 0


@dataclass(frozen=True, kw_only=True)
class Move(Instruction):
    """Codes to weights.

    Attributes:
        kind: keys or values.
        src: place of the codes.
        tokens, channels: number of tokens, and of channels of each.
        c0: first channel of the codes.
        first: lane of the first channel, for values.
        param: first group of the records that hold the zero points.
        weights: first weight word.
    """

    kind_name = "move"
    queue_name = "move"

    kind: int
    src: View
    tokens: int
    channels: int
    c0: int = 0
    first: int = 0
    param: int = 0
    weights: int = 0


@dataclass(frozen=True, kw_only=True)
class Softmax(Instruction):
    """Probabilities of rows.

    Attributes:
        kind: uniform, log2 or log2_rounded.
        src, dst: places of the scores and of the probabilities.
        rows, pixels: number of softmax rows, as rows and pixels of the views.
        length: codes of a softmax row.
        bits: width of a probability.
        high: words from the low bytes to the high bytes of wide probabilities; 0 for narrow ones.
    """

    kind_name = "softmax"
    queue_name = "softmax"

    kind: int
    src: View
    dst: View
    rows: int
    pixels: int
    length: int
    bits: int
    high: int = 0


@dataclass(frozen=True, kw_only=True)
class Norm(Instruction):
    """Normalized rows.

    Attributes:
        src, dst: places of the codes and of the results.
        rows, pixels: number of normalized rows, as rows and pixels of the views.
        bits: width of a result.
    """

    kind_name = "norm"
    queue_name = "norm"

    src: View
    dst: View
    rows: int
    pixels: int
    bits: int


_CLASSES: dict[str, type[Instruction]] = {
    cls.kind_name: cls for cls in (LoadMap, LoadBlock, Store, Array, Move, Softmax, Norm)
}


def encode(instruction: Instruction) -> bytes:
    """Return the 64 bytes of an instruction.

    Raises:
        ConversionError: a value does not fit its field.
    """
    words = [0] * WORDS
    words[0] = instruction.queue | VERSION << 8
    for field, value in zip(_WAITS, instruction.waits, strict=True):
        _put(words, field, value, instruction.kind_name)
    for field in FIELDS[instruction.kind_name]:
        _put(words, field, attrgetter(field.name)(instruction), instruction.kind_name)
    return np.array(words, dtype="<u4").tobytes()


def decode(data: bytes) -> Instruction:
    """Return the instruction of 64 bytes.

    Raises:
        ConversionError: an unknown version or queue, or bits that no field names.
    """
    words = [int(w) for w in np.frombuffer(data, dtype="<u4", count=WORDS)]
    version, queue = words[0] >> 8 & 255, words[0] & 7
    if version != VERSION or queue >= len(QUEUES):
        raise ConversionError(
            f"instruction of version {version} for queue {queue}; version {VERSION} and queues 0 "
            f"to {len(QUEUES) - 1} are known; write the project again"
        )
    name = QUEUES[queue]
    if name == "load":
        name = "load_map" if words[0] >> 16 & 7 == FEATURES else "load_block"
    values: dict[str, Any] = {}
    for field in FIELDS[name]:
        _set(values, field.name, _get(words, field))
    views = {k: View(**v) if isinstance(v, dict) else v for k, v in values.items()}
    waits = tuple(_get(words, field) for field in _WAITS)
    instruction = _CLASSES[name](waits=waits, **views)
    if encode(instruction) != bytes(data[:BYTES]):
        raise ConversionError(f"{name}: an instruction has bits that no field names: {data.hex()}")
    return instruction


def assemble(instructions: Iterable[Instruction]) -> bytes:
    """Return the bytes of a program."""
    return b"".join(encode(i) for i in instructions)


def disassemble(data: bytes) -> str:
    """Return a line of text for every instruction of a program.

    ``after all`` stands for waits that name every earlier instruction.
    """
    lines, counts = [], [0] * len(QUEUES)
    for index, start in enumerate(range(0, len(data), BYTES)):
        instruction = decode(data[start : start + BYTES])
        lines.append(f"{index:5d}  {show(instruction, tuple(counts))}")
        counts[instruction.queue] = (counts[instruction.queue] + 1) & 0xFFFF
    return "\n".join(lines) + "\n"


def show(instruction: Instruction, earlier: tuple[int, ...] = _NO_WAITS) -> str:
    """Return an instruction as text: its kind, the fields that are not at rest, its waits.

    Args:
        instruction: the instruction.
        earlier: how many instructions of every queue stand before it.
    """
    parts = [f"{instruction.kind_name:10s}"]
    for field in fields(instruction):
        value = getattr(instruction, field.name)
        if field.name == "waits" or value == field.default:
            continue
        if isinstance(value, View):
            value = f"[{value.base}+{value.row}r+{value.group}g @{value.x0}]"
        parts.append(f"{field.name}={value}")
    if instruction.waits == earlier:
        parts.append("after all")
    else:
        waits = zip(QUEUES, instruction.waits, strict=True)
        parts += ["after", *(f"{q}:{n}" for q, n in waits)]
    return " ".join(parts)


def _put(words: list[int], field: Field, value: int, kind: str) -> None:
    if not field.smallest <= value <= field.largest:
        raise ConversionError(
            f"{kind}: {field.name} is {value}, the field holds {field.smallest} to "
            f"{field.largest}; a smaller image or fewer channels would fit"
        )
    stored = int(value - field.offset) & ((1 << field.width) - 1)
    words[field.word] |= stored << field.low


def _get(words: list[int], field: Field) -> int:
    value = words[field.word] >> field.low & ((1 << field.width) - 1)
    if field.signed and value >> (field.width - 1):
        value -= 1 << field.width
    return value + field.offset


def _set(values: dict[str, Any], name: str, value: int) -> None:
    head, _, part = name.partition(".")
    if part:
        values.setdefault(head, {})[part] = value
    else:
        values[head] = value
