"""The functional simulator: it runs an encoded program on arrays of bytes and checks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.fields import QUEUES
from hyq_hls.engine.forms.output_stage import BYTE
from hyq_hls.engine.forms.sums import planes_of
from hyq_hls.engine.layout import TensorLayout
from hyq_hls.engine.program import Lying, Program, Tag
from hyq_hls.engine.simulate.array import run_array
from hyq_hls.engine.simulate.memories import Memories
from hyq_hls.engine.simulate.units import (
    run_load_block,
    run_load_map,
    run_move,
    run_norm,
    run_softmax,
    run_store,
)
from hyq_hls.errors import SimulationError
from hyq_hls.graph import Graph

Codes = NDArray[np.int64]


class Simulator:
    """Runs a program, one instruction after the other, in the order of the list.

    Attributes:
        program: the program; its encoded instructions are what runs.
        memories: the memories of the engine.
        trace: codes of nodes by name in the last frame: of tensors in DRAM what lies there, of
            those in the feature memory what lay there, of the others what instructions computed.
    """

    def __init__(self, program: Program, graph: Graph) -> None:
        self.program = program
        self.memories = Memories(program)
        self.trace: dict[str, Codes] = {}
        self._graph = graph
        code = program.code
        self._instructions = [
            isa.decode(code[start : start + isa.BYTES]) for start in range(0, len(code), isa.BYTES)
        ]

    def run(self, codes: Codes) -> Codes:
        r"""Return the output codes (\*output shape of the last tensor) of one sample's codes.

        Raises:
            SimulationError: an instruction breaks a rule. The message names it.
        """
        for _ in self.steps(codes):
            pass
        shape = self._graph.output_type.shape
        return self.program.output.unpack(self.memories.dram[isa.OUTPUT].data).reshape(shape)

    def steps(self, codes: Codes) -> Iterator[tuple[int, isa.Instruction]]:
        """Run a frame; yields index and instruction after each of them."""
        self.memories = Memories(self.program)
        self.memories.dram[isa.INPUT].data[:] = self.program.input.pack(codes)
        self.trace = {}
        for name, place in self.program.places.items():
            if place.base == isa.CONSTANTS:
                self._note_stored(name)
        counts = [0] * len(QUEUES)
        for index, instruction in enumerate(self._instructions):
            for region in self.program.forgotten.get(index, ()):
                self.memories.forget(region)
            try:
                self._check_waits(instruction, counts)
                self._run(index, instruction)
                for lying in self.program.lying.get(index, ()):
                    self._note_lying(lying)
            except SimulationError as error:
                raise SimulationError(
                    f"instruction {index} ({self.node_of(index)}): {error}\n"
                    f"  {isa.show(instruction)}"
                ) from error
            counts[instruction.queue] += 1
            if index in self.program.stored:
                self._note_stored(self.program.stored[index])
            yield index, instruction

    def _run(self, index: int, instruction: isa.Instruction) -> None:
        memories = self.memories
        match instruction:
            case isa.LoadMap():
                run_load_map(memories, instruction)
            case isa.LoadBlock():
                run_load_block(memories, instruction)
            case isa.Store():
                run_store(memories, instruction)
            case isa.Array():
                before, behind = run_array(memories, instruction)
                self._note(self.program.tags.get(index), before, behind)
            case isa.Move():
                run_move(memories, instruction)
            case isa.Softmax():
                found = run_softmax(memories, instruction)
                self._note(self.program.tags.get(index), found, found)
            case isa.Norm():
                found = run_norm(memories, instruction)
                self._note(self.program.tags.get(index), found, found)

    @staticmethod
    def _check_waits(instruction: isa.Instruction, counts: list[int]) -> None:
        """Raise ``SimulationError`` where an instruction waits for one that stands behind it."""
        for queue, wait, count in zip(QUEUES, instruction.waits, counts, strict=True):
            if (count - wait) & 0xFFFF >= 1 << 15:
                raise SimulationError(f"waits for {wait} of queue {queue}; {count} stand before it")

    def _note(self, tag: Tag | None, before: Codes, behind: Codes) -> None:
        if tag is None:
            return
        found = [
            (tag.node, before, tag.qmin, tag.index),
            (tag.behind_table, behind, tag.table_qmin, tag.index),
            *((name, before, tag.qmin, index) for name, index in tag.copies),
        ]
        for name, codes, qmin, index in found:
            if not name:
                continue
            trace, shape = self._traced(name), self._graph.type(name).shape
            slot = trace.reshape(shape if len(shape) > 1 else (1, 1, *shape))[index]
            new = codes[..., slice(*tag.lanes)].reshape(slot.shape)
            if name == tag.behind_table:
                # The bytes above it are there.
                lower = tag.byte < self._bytes(name) - 1
                new = (new << BYTE * tag.byte) + (slot - qmin if lower else 0)
            slot[:] = new + qmin

    def _bytes(self, name: str) -> int:
        """Return the bytes of a code of a node."""
        return planes_of(self._graph.type(name).quantization)

    def _note_lying(self, lying: Lying) -> None:
        """Note codes that lie in the feature memory."""
        layout = TensorLayout.of(self._graph.type(lying.tensor))
        rows, columns = lying.index
        pixels = len(range(layout.pixels)[columns])
        stored = np.zeros((rows.stop - rows.start, pixels, layout.channels), np.int64)
        channels = np.arange(layout.channels)
        for plane in range(lying.planes):
            view = replace(lying.view, base=lying.view.base + plane * lying.apart)
            index = self.memories.view_bytes(view, len(stored), pixels, channels)
            stored = (stored << BYTE) + self.memories.features.read(index)
        trace = self._traced(lying.tensor)
        trace.reshape(layout.rows, layout.pixels, -1)[lying.index] = stored + layout.qmin

    def _traced(self, name: str) -> Codes:
        """Return the codes of a node that are known so far."""
        shape = self._graph.type(name).shape
        if name not in self.trace:
            self.trace[name] = np.full(shape, np.iinfo(np.int64).min)
        return self.trace[name]

    def _note_stored(self, name: str) -> None:
        """Note a tensor that lies in DRAM, which stores brought there."""
        place = self.program.places[name]
        end = place.offset + place.layout.size
        data = self.memories.dram[place.base].data[place.offset : end]
        self.trace[name] = place.layout.unpack(data).reshape(self._graph.type(name).shape)

    def node_of(self, index: int) -> str:
        """Return the name of the node that an instruction belongs to."""
        return self.program.node_of(index)
