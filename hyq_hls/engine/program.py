"""A program with its constants, and what is known of every instruction's destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.layout import Place, TensorLayout
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.graph import Graph
from hyq_hls.graph.operation import Codes


@dataclass(frozen=True)
class Region:
    """Part of a memory, whose content nobody needs any more.

    Attributes:
        memory: "features" (words of a bank), "weights" (words), "scratch" (bytes).
        start: first address.
        stop: address behind the last.
    """

    memory: str
    start: int
    stop: int


@dataclass(frozen=True)
class Tag:
    """The meaning of the codes that an instruction computes.

    Attributes:
        node: node of the graph, whose codes these are before a table.
        index: where in its tensor (without the batch axis) they belong.
        lanes: first and last plus one of the channels of the instruction that count.
        behind_table: node of the codes behind the table, or None.
        qmin: the smallest code of the node.
        table_qmin: the smallest code behind the table.
    """

    node: str
    index: tuple[slice | int, ...]
    lanes: tuple[int, int]
    behind_table: str | None = None
    qmin: int = 0
    table_qmin: int = 0


@dataclass(frozen=True, eq=False)
class Program:
    """All that the engine needs for one frame.

    Attributes:
        sizes: the machine that it was made for.
        instructions: the instructions in order.
        constants: bytes behind base register 0.
        scratch: bytes that base register 3 needs.
        input: layout of the input tensor behind base register 1.
        output: layout of the last tensor behind base register 2.
        nodes: first instruction of every node, by name, in order; a table behind a sum belongs to
            the sum, and scores and softmax to their values.
        stored: the tensor that lies in DRAM after a node of ``nodes``, and where.
        tags: destination of instructions by index.
        forgotten: regions whose content is dead before the instruction of this index.
    """

    sizes: Sizes
    instructions: tuple[isa.Instruction, ...]
    constants: NDArray[np.uint8]
    scratch: int
    input: TensorLayout
    output: TensorLayout
    nodes: dict[str, int]
    stored: dict[str, tuple[str, Place]]
    tags: dict[int, Tag] = field(default_factory=dict)
    forgotten: dict[int, tuple[Region, ...]] = field(default_factory=dict)

    def tensors(self, behind_bases: Sequence[NDArray[np.uint8]], graph: Graph) -> dict[str, Codes]:
        r"""Return the codes (\*shape) of the tensors in DRAM after the frame, by node.

        Those of an observed program are all there; in another one the places were used again.

        Args:
            behind_bases: the bytes behind the base registers.
            graph: the graph that it was made from.
        """
        found = {}
        for name, place in self.stored.values():
            data = behind_bases[place.base][place.offset :]
            found[name] = place.layout.unpack(data).reshape(graph.type(name).shape)
        return found

    @property
    def code(self) -> bytes:
        """The encoded instructions."""
        return isa.assemble(self.instructions)

    def text(self) -> str:
        """Return the disassembly, with the names of the nodes."""
        lines = isa.disassemble(self.code).splitlines()
        heads = {start: name for name, start in self.nodes.items()}
        shown = []
        for index, line in enumerate(lines):
            if index in heads:
                shown.append(f"# {heads[index]}")
            shown.append(line)
        return "\n".join(shown) + "\n"
