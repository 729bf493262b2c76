"""The memories of the RTL as the arrays of the functional simulator, and their first difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.cosim.image import BASES
from hyq_hls.engine.cosim.library import EngineModel
from hyq_hls.engine.layout import NORM_CHANNEL, NORM_HEADER, RECORD
from hyq_hls.engine.machine_sizes import INPUTS, LANES, OUTPUTS, WORD, Sizes
from hyq_hls.engine.simulate.memories import Memories, Memory

_WEIGHT_BITS = 9
_WEIGHT_MASK = (1 << _WEIGHT_BITS) - 1
_WEIGHT_SIGN = 1 << (_WEIGHT_BITS - 1)
_SUB_BANKS = 4
#: Memories beside DRAM, by the targets of a load.
TARGETS = {
    isa.FEATURES: "features",
    isa.WEIGHTS: "weights",
    isa.PARAMETERS: "parameters",
    isa.TABLES: "tables",
    isa.EXPONENTIALS: "exponentials",
    isa.NORM: "norm",
}


def written_memory(instruction: isa.Instruction) -> str:
    """Return the name of the memory that an instruction writes, for :class:`Comparison`."""
    match instruction:
        case isa.Store():
            return BASES[instruction.base]
        case isa.LoadBlock():
            return TARGETS[instruction.target]
        case isa.Move():
            return "weights"
    return "features"


class Comparison:
    """Compares memories of the RTL with those of the functional simulator.

    The RTL may have larger memories than the program was made for.

    Attributes:
        names: memories that are compared.
    """

    names = (*TARGETS.values(), "output", "scratch")

    def __init__(self, engine: EngineModel, sizes: Sizes) -> None:
        self._engine, self._sizes = engine, sizes
        self._sub_banks = [
            [
                engine.memory(f"u_feature.gen_bank[{bank}].gen_sub_bank[{s}]", "memory")
                for s in range(_SUB_BANKS)
            ]
            for bank in range(sizes.pixels)
        ]
        self._lanes = [
            engine.memory(f"u_array.u_weights.gen_lanes[{lane}]", "memory")
            for lane in range(0, LANES, 2)
        ]
        parameters = "u_array.u_parameters"
        self._records = [engine.memory(parameters, name) for name in ("front", "back")]
        self._entries = [
            engine.memory(f"u_array.u_output.gen_table[{o}]", "memory")
            for o in range(0, OUTPUTS, 2)
        ]
        self._halves = [
            [
                engine.memory(f"u_softmax.u_exponentials.gen_table[{c}].gen_half[{half}]", "memory")
                for half in range(2)
            ]
            for c in (0, 2)
        ]
        self._norm_records = [
            [
                engine.memory(f"u_norm.u_records.gen_lane[{lane}]", name)
                for lane in range(sizes.norm_lanes)
            ]
            for name in ("front", "back")
        ]

    def found(self, name: str) -> list[NDArray[Any]]:
        """Return a memory of the RTL, of which some have copies, as the simulator keeps it."""
        if name in BASES:
            return [self._engine.image.bytes_of(name)]
        found: list[NDArray[Any]] = getattr(self, f"_{name}")()
        return found

    def _features(self) -> list[NDArray[Any]]:
        rows = self._sizes.feature_words // _SUB_BANKS
        banks = [np.stack([s[:rows] for s in parts], axis=-1) for parts in self._sub_banks]
        return [np.stack(banks).view(np.uint8).reshape(-1)]

    def _weights(self) -> list[NDArray[Any]]:
        words = self._sizes.weight_words
        lanes = np.empty((words, LANES), np.int16)
        for k, pair in enumerate(self._lanes):
            for half in range(2):
                bits = pair[:words] >> np.uint32(_WEIGHT_BITS * half) & _WEIGHT_MASK
                lanes[:, 2 * k + half] = (bits ^ _WEIGHT_SIGN).astype(np.int16) - _WEIGHT_SIGN
        return [lanes]

    def _tables(self) -> list[NDArray[Any]]:
        return self._entries

    def _exponentials(self) -> list[NDArray[Any]]:
        return [np.stack(halves, axis=-1).reshape(-1) for halves in self._halves]

    def _norm(self) -> list[NDArray[Any]]:
        # The registers of the header are not looked at: what a norm instruction writes shows them.
        channels = self._sizes.norm_channels
        records = np.zeros((channels, NORM_CHANNEL.itemsize), np.uint8)
        front, back = (
            np.stack(lanes, axis=-1).reshape(-1)[:channels] for lanes in self._norm_records
        )
        records[:, :8] = front.view(np.uint8).reshape(-1, 8)
        records[:, 8:11] = back.view(np.uint8).reshape(-1, 4)[:, :3]
        return [np.concatenate([np.zeros(NORM_HEADER.itemsize, np.uint8), records.reshape(-1)])]

    def _parameters(self) -> list[NDArray[Any]]:
        count = self._sizes.parameter_groups * OUTPUTS
        front, back = (part[:count] for part in self._records)
        records = np.zeros(count, RECORD)
        records["bias"] = (front & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
        records["zero"] = front >> np.uint64(32) & 0xFFFF
        records["multiplier"] = front >> np.uint64(48)
        records["shift"] = back
        return [records]

    @staticmethod
    def expected(memories: Memories, name: str) -> Memory:
        """Return a memory of the simulator."""
        if name in BASES:
            return memories.dram[BASES.index(name)]
        memory: Memory = getattr(memories, name)
        return memory

    def first_difference(self, memories: Memories, name: str) -> tuple[int, Any, Any] | None:
        """Return flat index, expected and found of the first number that differs, or None.

        What nobody wrote, or what is dead, may be anything.
        """
        memory = self.expected(memories, name)
        for found in self.found(name):
            wrong = (found != memory.data) & memory.written
            if name == "norm":
                wrong[: NORM_HEADER.itemsize] = False
            if wrong.any():
                at = int(wrong.argmax())
                return at, memory.data.reshape(-1)[at], found.reshape(-1)[at]
        return None

    def place(self, name: str, at: int) -> str:
        """Return where a flat index lies, in words."""
        if name == "features":
            word, byte = divmod(at, WORD)
            bank, word = divmod(word, self._sizes.feature_words)
            return f"byte {byte} of word {word} in bank {bank} of the feature memory"
        if name == "weights":
            word, lane = divmod(at, LANES)
            return f"output {lane // INPUTS}, input {lane % INPUTS} of weight word {word}"
        if name in BASES:
            address = self._engine.image.part(name).address + at
            return f"byte {at} of {name} (address {address:#010x})"
        return f"entry {at} of the {name}"
