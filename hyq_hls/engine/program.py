"""A program with its constants, and what is known of every instruction's destination."""

from __future__ import annotations

from bisect import bisect_right
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
        memory: "features" (words of a bank), "weights" (words), "parameters" (groups), "tables" and
            "exponentials" (entries), "norm" and "scratch" (bytes).
        start: first address.
        stop: address behind the last.
    """

    memory: str
    start: int
    stop: int


@dataclass(frozen=True)
class Tag:
    """The meaning of the codes that an instruction computes or stores.

    Attributes:
        node: node of the graph, whose codes these are before a table; of a store the tensor.
        index: where in its tensor (without the batch axis) they belong.
        lanes: first and last plus one of the channels of the instruction that count.
        behind_table: node of the codes behind the table, or None.
        qmin: the smallest code of the node.
        table_qmin: the smallest code behind the table.
        byte: which byte of the codes behind the table the instruction looks up, from the lowest
            one on; the instruction of the highest byte comes first.
        copies: other nodes that show the same codes, and where they belong there.
    """

    node: str
    index: tuple[slice | int, ...]
    lanes: tuple[int, int]
    behind_table: str | None = None
    qmin: int = 0
    table_qmin: int = 0
    byte: int = 0
    copies: tuple[tuple[str, tuple[slice | int, ...]], ...] = ()


@dataclass(frozen=True)
class Lying:
    """Codes that lie in the feature memory as soon as an instruction has ended.

    Attributes:
        tensor: the tensor that they belong to.
        index: its rows and pixels.
        view: place of their highest bytes.
        planes: bytes of a code.
        apart: words from byte to byte.
    """

    tensor: str
    index: tuple[slice, slice]
    view: isa.View
    planes: int
    apart: int


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
        nodes: names of nodes by the first instruction of every run of their instructions, in order;
            a node whose rows come in bands has several. A table behind a sum belongs to the sum,
            and scores and softmax to their values.
        places: the places of the tensors that lie in DRAM at some time, by name.
        lying: codes that lie in the feature memory behind the instruction of an index.
        stored: tensors that lie there as a whole behind the instruction of an index.
        tags: destination of instructions by index.
        forgotten: regions whose content is dead before the instruction of this index.
    """

    sizes: Sizes
    instructions: tuple[isa.Instruction, ...]
    constants: NDArray[np.uint8]
    scratch: int
    input: TensorLayout
    output: TensorLayout
    nodes: dict[int, str]
    places: dict[str, Place]
    stored: dict[int, str]
    lying: dict[int, list[Lying]] = field(default_factory=dict)
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
        for name, place in self.places.items():
            data = behind_bases[place.base][place.offset :]
            found[name] = place.layout.unpack(data).reshape(graph.type(name).shape)
        return found

    @property
    def code(self) -> bytes:
        """The encoded instructions."""
        return isa.assemble(self.instructions)

    def node_of(self, index: int) -> str:
        """Return the name of the node that an instruction belongs to."""
        run = bisect_right(list(self.nodes), index) - 1
        return list(self.nodes.values())[max(run, 0)]

    def text(self) -> str:
        """Return the disassembly, with the names of the nodes."""
        lines = isa.disassemble(self.code).splitlines()
        shown = []
        for index, line in enumerate(lines):
            if index in self.nodes:
                shown.append(f"# {self.nodes[index]}")
            shown.append(line)
        return "\n".join(shown) + "\n"
