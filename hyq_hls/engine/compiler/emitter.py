"""Collects instructions, constants and places in DRAM while a graph is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.fields import QUEUES
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Region, Tag
from hyq_hls.errors import ConversionError

#: Constants and tensors begin at multiples of this, as bursts like it.
ALIGNMENT = 64


@dataclass
class Emitter:
    """A program in the making.

    Attributes:
        sizes: the machine.
        instructions: what was emitted.
        tags: destinations by index of the instruction.
        forgotten: dead regions by index of the instruction before which they die.
    """

    sizes: Sizes
    instructions: list[isa.Instruction] = field(default_factory=list)
    tags: dict[int, Tag] = field(default_factory=dict)
    forgotten: dict[int, list[Region]] = field(default_factory=dict)
    _constants: bytearray = field(default_factory=bytearray)
    _known: dict[bytes, int] = field(default_factory=dict)
    _counts: list[int] = field(default_factory=lambda: [0] * len(QUEUES))
    _top: int = 0

    def emit(self, instruction: isa.Instruction, tag: Tag | None = None) -> None:
        """Append an instruction that waits for all before it."""
        waits = tuple(count & 0xFFFF for count in self._counts)
        if tag is not None:
            self.tags[len(self.instructions)] = tag
        self._counts[instruction.queue] += 1
        self.instructions.append(replace(instruction, waits=waits))

    def constant(self, data: bytes) -> int:
        """Return the offset of constant bytes, which are kept once."""
        if data not in self._known:
            self._constants += bytes(-len(self._constants) % ALIGNMENT)
            self._known[data] = len(self._constants)
            self._constants += data
        return self._known[data]

    def load_block(self, target: int, data: bytes, dest: int = 0) -> None:
        """Load constants into a memory that is not the feature memory."""
        offset = self.constant(data)
        self.emit(
            isa.LoadBlock(
                target=target, base=isa.CONSTANTS, offset=offset, count=len(data), dest=dest
            )
        )

    def forget(self, memory: str, start: int, stop: int) -> None:
        """Note that nobody needs a part of a memory any more."""
        self.forgotten.setdefault(len(self.instructions), []).append(Region(memory, start, stop))

    def begin_tile(self) -> None:
        """Begin with an empty feature memory."""
        self.forget("features", 0, self.sizes.feature_words)
        self._top = 0

    def reserve(self, words: int) -> int:
        """Return the first of ``words`` free words of every bank.

        Raises:
            ConversionError: the feature memory is full.
        """
        start = self._top
        self._top += words
        if self._top > self.sizes.feature_words:
            raise ConversionError(
                f"{self._top} words of every bank are needed at a time, of "
                f"{self.sizes.feature_words}; take an engine with a larger feature memory, or a "
                "smaller image"
            )
        return start

    @property
    def free(self) -> int:
        """Words of every bank that are free in this tile."""
        return self.sizes.feature_words - self._top

    @property
    def constants(self) -> NDArray[np.uint8]:
        """All constant bytes."""
        data = bytes(self._constants) + bytes(-len(self._constants) % ALIGNMENT)
        return np.frombuffer(data, np.uint8)
