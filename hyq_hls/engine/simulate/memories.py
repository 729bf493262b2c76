"""The memories of an engine as arrays that know what was written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import NORM_CHANNEL, NORM_HEADER, RECORD
from hyq_hls.engine.machine_sizes import (
    LANES,
    OUTPUTS,
    SOFTMAX_ENTRIES,
    TABLE_ENTRIES,
    WORD,
)
from hyq_hls.engine.program import Program, Region
from hyq_hls.errors import SimulationError

Index = NDArray[np.int64]
_ADDRESS = (1 << 16) - 1


class Memory:
    """Numbers, and whether each was written since it was last forgotten.

    Attributes:
        name: what messages call it.
        data: the numbers.
        written: bool, of the same shape.
    """

    def __init__(self, name: str, data: NDArray[Any], written: bool = False) -> None:
        self.name = name
        self.data = data
        self.written = np.full(data.shape, written)

    def read(self, index: Index, needed: NDArray[np.bool_] | bool = True) -> NDArray[Any]:
        """Return numbers at flat indices; those that are not needed may be anything.

        Raises:
            SimulationError: an address does not exist, or nobody wrote what is needed.
        """
        inside = (index >= 0) & (index < self.data.size)
        if not (inside | ~np.asarray(needed)).all():
            raise SimulationError(f"an address behind the {self.data.size} of the {self.name}")
        safe = np.where(inside, index, 0)
        wrong = ~self.written.ravel()[safe] & needed
        if wrong.any():
            first = int(index[np.unravel_index(wrong.argmax(), index.shape)])
            raise SimulationError(f"reads {self.name} at {first}, which nobody wrote")
        found: NDArray[Any] = self.data.ravel()[safe]
        return found

    def write(self, index: Index, values: NDArray[Any]) -> None:
        """Write numbers at flat indices.

        Raises:
            SimulationError: an address does not exist.
        """
        if index.min() < 0 or index.max() >= self.data.size:
            raise SimulationError(f"an address behind the {self.data.size} of the {self.name}")
        self.data.reshape(-1)[index] = values
        self.written.reshape(-1)[index] = True

    def block(self, start: int, values: NDArray[Any]) -> None:
        """Write neighbours from ``start`` on along the first axis."""
        if start + len(values) > len(self.data):
            raise SimulationError(
                f"{len(values)} entries from {start} on leave the {len(self.data)} of the "
                f"{self.name}"
            )
        self.data[start : start + len(values)] = values
        self.written[start : start + len(values)] = True

    def forget(self, start: int, stop: int) -> None:
        """Take a part along the first axis as unwritten."""
        self.written[start:stop] = False


class Memories:
    """All memories of an engine that runs a program.

    The feature memory is flat: byte b of word w in bank k has index ``(k * words + w) * 4 + b``.

    Attributes:
        sizes: the machine.
        features: codes.
        weights: (words, 48).
        parameters: channel records.
        tables: two tables, one after the other.
        exponentials: of the softmax unit.
        norm: bytes of the norm memory.
        dram: bytes behind each base register.
    """

    def __init__(self, program: Program) -> None:
        sizes = program.sizes
        self.sizes = sizes
        self.features = Memory(
            "feature memory", np.zeros(sizes.pixels * sizes.feature_words * WORD, np.uint8)
        )
        self.weights = Memory("weights", np.zeros((sizes.weight_words, LANES), np.int16))
        self.parameters = Memory("parameters", np.zeros(sizes.parameter_groups * OUTPUTS, RECORD))
        self.tables = Memory("tables", np.zeros(2 * TABLE_ENTRIES, np.uint8))
        self.exponentials = Memory("exponentials", np.zeros(SOFTMAX_ENTRIES, np.int64))
        norm = NORM_HEADER.itemsize + sizes.norm_channels * NORM_CHANNEL.itemsize
        self.norm = Memory("norm memory", np.zeros(norm, np.uint8))
        self.dram = (
            Memory("constants", program.constants.copy(), True),
            Memory("input", np.zeros(program.input.size, np.uint8), True),
            Memory("output", np.zeros(program.output.size, np.uint8)),
            Memory("scratch", np.zeros(program.scratch, np.uint8)),
        )

    def forget(self, region: Region) -> None:
        """Take a dead region as unwritten."""
        start, stop = region.start, region.stop
        if region.memory == "scratch":
            self.dram[isa.SCRATCH].forget(start, stop)
        elif region.memory == "features":
            banks = self.features.written.reshape(self.sizes.pixels, -1)
            banks[:, start * WORD : stop * WORD] = False
        elif region.memory == "parameters":
            self.parameters.forget(start * OUTPUTS, stop * OUTPUTS)
        else:
            memory: Memory = getattr(self, region.memory)
            memory.forget(start, stop)

    def _index(self, view: View, row: Index, position: Index, word: Index | int) -> Index:
        bank, group = position % self.sizes.pixels, position // self.sizes.pixels
        address = (view.base + row * view.row + group * view.group + word) & _ADDRESS
        # Beyond the bank: an index that exists nowhere.
        outside = address >= self.sizes.feature_words
        index = (bank * self.sizes.feature_words + address) * WORD
        return np.where(outside, self.features.data.size, index)

    def view_bytes(self, view: View, rows: int, pixels: int, channels: Index) -> Index:
        """Return the flat indices (rows, pixels, channels) of bytes of a view."""
        position = np.arange(pixels)[None, :, None]
        row = np.arange(rows)[:, None, None]
        index = self._index(view, row, view.x0 + position, channels // WORD)
        return index + channels % WORD

    def transfer(self, i: isa.LoadMap | isa.Store) -> tuple[Index, Index]:
        """Return the flat indices of bytes in the feature memory and in DRAM, of the same order."""
        row = np.arange(i.rows)[:, None, None]
        x = np.arange(i.pixels)[None, :, None]
        word = np.arange(i.words)[None, None]
        column = i.x_first + x
        position = i.view.x0 + column // i.planes
        index = self._index(i.view, row, position, column % i.planes * i.plane + word)
        dram = i.offset + row * i.pitch + WORD * (x * i.words + word)
        lanes = np.arange(WORD)
        return index[..., None] + lanes, dram[..., None] + lanes

    def row_weights(self, start: int, group: int, groups: int, steps: int) -> NDArray[np.int64]:
        """Return weight words (groups, steps, 16, 3) from ``start`` on, ``group`` words apart."""
        words = start + group * np.arange(groups)[:, None] + np.arange(steps)
        index = words[..., None] * LANES + np.arange(LANES)
        found = self.weights.read(index).astype(np.int64)
        return found.reshape(groups, steps, OUTPUTS, LANES // OUTPUTS)
