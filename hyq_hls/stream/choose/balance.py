"""Balanced folding: every node just parallel enough for one frame in a given number of cycles."""

from __future__ import annotations

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Folding, Graph, Node

#: Multiply-accumulates per cycle of a design that nobody asked to be larger or smaller.
DEFAULT_MACS_PER_CYCLE = 200


def balance(graph: Graph, max_cycles: int | None = None) -> dict[str, Folding]:
    """The smallest folding of every node that takes at most ``max_cycles`` cycles per frame.

    Lanes are powers of two, or all channels, so that neighbours fit by one width converter that
    keeps their rate.

    Args:
        graph: what is folded.
        max_cycles: cycles per frame; by default those of a machine that does about 200
            multiply-accumulates per cycle.

    Raises:
        ConversionError: a node cannot be that fast; the message names it and its fastest folding.
    """
    if max_cycles is None:
        max_cycles = max(fastest(graph), -(-graph.macs() // DEFAULT_MACS_PER_CYCLE))
    if max_cycles < 1:
        raise ConversionError(f"cycles per frame: at least 1 is wanted, found {max_cycles}")
    return {node.name: _smallest(graph, node, max_cycles) for node in graph.nodes.values()}


def fastest(graph: Graph) -> int:
    """Fewest cycles per frame that any folding of ``graph`` reaches."""
    return max(min(regular_foldings(graph, node).values()) for node in graph.nodes.values())


def _smallest(graph: Graph, node: Node, max_cycles: int) -> Folding:
    cycles = regular_foldings(graph, node)
    fitting = [folding for folding, count in cycles.items() if count <= max_cycles]
    if not fitting:
        best = min(cycles, key=lambda f: cycles[f])
        raise ConversionError(
            f"{node.name}: {node.operation.name} takes {cycles[best]:,} cycles per frame at its "
            f"fastest folding {best}, {max_cycles:,} are wanted; allow more cycles per frame"
        )
    types = graph.input_types(node)

    def size(folding: Folding) -> tuple[int, int, int]:
        dsps = node.operation.dsps(folding, *types)
        return dsps, folding.outputs * max(1, folding.inputs // 4), folding.inputs

    return min(fitting, key=size)


def regular_foldings(graph: Graph, node: Node) -> dict[Folding, int]:
    """Cycles of every folding whose lanes are powers of two or all that there are."""
    types = graph.input_types(node)
    legal = node.operation.foldings(*types)
    widest = max(f.outputs for f in legal), max(f.inputs for f in legal)
    return {
        f: node.operation.cycles(f, *types)
        for f in legal
        if _is_regular(f.outputs, widest[0]) and _is_regular(f.inputs, widest[1])
    }


def _is_regular(lanes: int, widest: int) -> bool:
    return lanes == widest or lanes & (lanes - 1) == 0
