"""Choose the cheapest of the circuits that give the same integers, or the one asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Node
from hyq_hls.machine.budget import RESOURCES, capacity
from hyq_hls.parts import Part
from hyq_hls.stream.choose.balance import balance
from hyq_hls.stream.circuits import AnyCircuit, circuits_of, node_circuits
from hyq_hls.stream.cost.costs import estimate
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.yosys import Utilization


def choose_circuits(
    graph: Graph, part: Part, forced: Mapping[str, str] | None = None
) -> dict[str, AnyCircuit]:
    """Return the cheapest circuit of every node, by name of the node.

    Circuits are compared in a balanced folding; they cost in proportion to their lanes.

    Args:
        graph: what is built.
        part: cost is the share of its resources, added.
        forced: pattern of node names (``fnmatch``) to the name of a circuit; the last match wins.

    Raises:
        ConversionError: a pattern names no node, or a node does not have that circuit.
    """
    wanted = _wanted(graph, forced or {})
    chosen = node_circuits(graph, wanted)
    foldings = balance(chosen)
    for name, node in graph.nodes.items():
        rivals = circuits_of(node.operation, *graph.input_types(node))
        if name not in wanted and len(rivals) > 1:
            chosen[name] = _cheapest(node, rivals.values(), foldings[name], part)
    return chosen


def _cheapest(
    node: Node, circuits: Iterable[AnyCircuit], folding: Folding, part: Part
) -> AnyCircuit:
    return min(circuits, key=lambda c: share(circuit_utilization(node, c, folding), part))


def circuit_utilization(node: Node, circuit: AnyCircuit, folding: Folding) -> Utilization:
    """Estimate of ``circuit`` in the place of ``node``."""
    return estimate(OperationStage(node.name, (), (), node, circuit, folding))


def share(used: Utilization, part: Part) -> float:
    """Add up the shares of a part's resources."""
    has = capacity(part)
    return sum(float(getattr(used, name)) / has[name] for name in RESOURCES)


def _wanted(graph: Graph, forced: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern, circuit in forced.items():
        names = [name for name in graph.nodes if fnmatchcase(name, pattern)]
        if not names:
            raise ConversionError(
                f"circuits: {pattern!r} matches no node; nodes have the model's names"
            )
        found |= dict.fromkeys(names, circuit)
    return found
