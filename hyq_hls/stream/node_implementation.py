"""The implementation of the nodes of a graph: circuit, folding, size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.folding import Folding
from hyq_hls.support import aligned


@dataclass(frozen=True)
class NodeImplementation:
    """The implementation of one node.

    Attributes:
        name: name of the node.
        function: C++ function, and SystemVerilog module without its prefix.
        stream: name of its output in the generated code.
        folding: the lanes.
        macs: multiply-accumulates per frame.
        cycles: cycles per frame.
        rom_bits: bits of constant memory.
        accumulator_bits: width of the widest sum.
    """

    name: str
    function: str
    stream: str
    folding: Folding
    macs: int
    cycles: int
    rom_bits: int
    accumulator_bits: int

    @classmethod
    def of(cls, stage: OperationStage) -> NodeImplementation:
        """Return the implementation of the node of a stage."""
        return cls(
            stage.node.name,
            stage.circuit.module,
            stage.name,
            stage.folding,
            stage.circuit.macs,
            stage.cycles,
            sum(rom.size_bits for rom in stage.arguments.roms),
            stage.node.accumulator.bits,
        )


def nodes_text(nodes: Sequence[NodeImplementation]) -> str:
    """Return a table with one line per node, and the sums."""
    rows = [("node", "circuit", "folding", "MAC", "cycles", "ROM bits", "acc bits")]
    rows += [
        (
            n.name,
            n.function,
            str(n.folding),
            f"{n.macs:,}",
            f"{n.cycles:,}",
            f"{n.rom_bits:,}",
            str(n.accumulator_bits),
        )
        for n in nodes
    ]
    slowest = max(nodes, key=lambda n: n.cycles)
    return "\n".join(
        [
            *aligned(rows),
            f"{sum(n.macs for n in nodes):,} MAC, "
            f"{sum(n.rom_bits for n in nodes) / 8192:,.1f} KiB of constant memory; "
            f"slowest: {slowest.name} with {slowest.cycles:,} cycles per frame",
        ]
    )
