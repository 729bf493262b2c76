"""Collects instructions and constants while a graph is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.constants import Ring
from hyq_hls.engine.fields import QUEUES
from hyq_hls.engine.layout import RECORD, ceil_div
from hyq_hls.engine.machine_sizes import LANES, OUTPUTS, SOFTMAX_ENTRIES, TABLE_ENTRIES, Sizes
from hyq_hls.engine.program import Lying, Region, Tag
from hyq_hls.errors import ConversionError

#: Constants and tensors begin at multiples of this, as bursts like it.
ALIGNMENT = 64
#: Tables of the output stage that lie beside each other.
TABLE_BANKS = 2


@dataclass
class Emitter:
    """A program in the making.

    Constants are loaded when an instruction needs them and they do not lie in their memory yet.

    Attributes:
        sizes: the machine.
        instructions: what was emitted.
        tags: destinations by index of the instruction.
        forgotten: dead regions by index of the instruction before which they die.
        nodes: name of the node by the first instruction of every run of its instructions.
        lying: codes that lie in the feature memory behind the instruction of an index.
        stored: tensors that lie in DRAM as a whole behind the instruction of this index.
    """

    sizes: Sizes
    instructions: list[isa.Instruction] = field(default_factory=list)
    tags: dict[int, Tag] = field(default_factory=dict)
    forgotten: dict[int, list[Region]] = field(default_factory=dict)
    nodes: dict[int, str] = field(default_factory=dict)
    stored: dict[int, str] = field(default_factory=dict)
    lying: dict[int, list[Lying]] = field(default_factory=dict)
    _constants: bytearray = field(default_factory=bytearray)
    _known: dict[bytes, int] = field(default_factory=dict)
    _counts: list[int] = field(default_factory=lambda: [0] * len(QUEUES))
    _node: str = ""
    _run: str = ""

    def __post_init__(self) -> None:
        sizes = self.sizes
        self._weights = Ring(sizes.weight_words)
        self._parameters = Ring(sizes.parameter_groups)
        self._tables = Ring(TABLE_BANKS)
        self._single = {"exponentials": b"", "norm": b""}

    @property
    def node(self) -> str:
        """The node that the next instructions belong to."""
        return self._node

    def begin(self, node: str) -> None:
        """Say which node the next instructions belong to."""
        self._node = node

    def emit(self, instruction: isa.Instruction, tag: Tag | None = None) -> None:
        """Append an instruction that waits for all before it."""
        index = len(self.instructions)
        waits = tuple(count & 0xFFFF for count in self._counts)
        if tag is not None:
            self.tags[index] = tag
        if self._node != self._run:
            self.nodes[index] = self._run = self._node
        self._counts[instruction.queue] += 1
        self.instructions.append(replace(instruction, waits=waits))

    def note_stored(self, tensor: str) -> None:
        """Note that a tensor lies in DRAM as a whole from now on."""
        self.stored[len(self.instructions) - 1] = tensor

    def note_lying(self, codes: Lying) -> None:
        """Note that codes lie in the feature memory from now on."""
        self.lying.setdefault(len(self.instructions) - 1, []).append(codes)

    def constant(self, data: bytes) -> int:
        """Return the offset of constant bytes, which are kept once."""
        if data not in self._known:
            self._constants += bytes(-len(self._constants) % ALIGNMENT)
            self._known[data] = len(self._constants)
            self._constants += data
        return self._known[data]

    def weights(self, data: bytes) -> int:
        """Return the first word of weights, which are loaded unless they lie there."""
        return self._in_ring("weights", isa.WEIGHTS, self._weights, data, LANES)

    def weight_room(self, words: int) -> int:
        """Return the first of ``words`` weight words that instructions will write.

        The same words are given again while nothing else took them, which nothing does before
        ``free_weight_room`` is called.
        """
        key = b"%d words that instructions write" % words
        start = self._weights.find(key)
        if start is None:
            start, lost = self._weights.take(words, key)
            self._lose("weights", lost)
        self._weights.kept = (start, start + words)
        return start

    def free_weight_room(self) -> None:
        """Let weights take the words that instructions write."""
        self._weights.kept = (0, 0)

    def parameters(self, data: bytes) -> int:
        """Return the first group of channel records, which are loaded unless they lie there."""
        group = OUTPUTS * RECORD.itemsize
        return self._in_ring("parameters", isa.PARAMETERS, self._parameters, data, group)

    def table(self, data: bytes) -> int:
        """Return the bank of a table, which is loaded unless it lies there."""
        bank = self._tables.find(data)
        if bank is None:
            bank, lost = self._tables.take(1, data)
            self._lose("tables", [(a * TABLE_ENTRIES, b * TABLE_ENTRIES) for a, b in lost])
            self._load_block(isa.TABLES, data, bank * TABLE_ENTRIES)
        return bank

    def exponentials(self, data: bytes) -> None:
        """Load exponentials unless they lie there."""
        self._alone("exponentials", isa.EXPONENTIALS, data, SOFTMAX_ENTRIES)

    def norm(self, data: bytes) -> None:
        """Load the norm memory unless its bytes lie there."""
        self._alone("norm", isa.NORM, data, len(self._single["norm"]))

    def forget(self, memory: str, start: int, stop: int) -> None:
        """Note that nobody needs a part of a memory any more."""
        self.forgotten.setdefault(len(self.instructions), []).append(Region(memory, start, stop))

    @property
    def constants(self) -> NDArray[np.uint8]:
        """All constant bytes."""
        data = bytes(self._constants) + bytes(-len(self._constants) % ALIGNMENT)
        return np.frombuffer(data, np.uint8)

    def _in_ring(self, memory: str, target: int, ring: Ring, data: bytes, size: int) -> int:
        start = ring.find(data)
        if start is None:
            count = ceil_div(len(data), size)
            if count > ring.size:
                raise ConversionError(
                    f"{count} words or groups of {memory} are needed at a time, of {ring.size}; "
                    "take an engine with more, or fewer channels"
                )
            start, lost = ring.take(count, data)
            if start < ring.kept[1] and ring.kept[0] < start + count:
                raise ConversionError(
                    f"{count} {memory} are needed beside {ring.kept[1] - ring.kept[0]} that "
                    f"instructions write, of {ring.size}; take an engine with more"
                )
            self._lose(memory, lost)
            self._load_block(target, data, start)
        return start

    def _alone(self, memory: str, target: int, data: bytes, entries: int) -> None:
        """Load what fills a memory alone."""
        if self._single[memory] != data:
            self._lose(memory, [(0, entries)])
            self._single[memory] = data
            self._load_block(target, data, 0)

    def _lose(self, memory: str, parts: list[tuple[int, int]]) -> None:
        for start, stop in parts:
            self.forget(memory, start, stop)

    def _load_block(self, target: int, data: bytes, dest: int) -> None:
        offset = self.constant(data)
        self.emit(
            isa.LoadBlock(
                target=target, base=isa.CONSTANTS, offset=offset, count=len(data), dest=dest
            )
        )
