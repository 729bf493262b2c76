"""Choice of circuit: of those that give the same integers, the cheapest, or the one asked for."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Folding, Graph, Node, Operation
from hyq_hls.parts import Part
from hyq_hls.stream.cost.budget import RESOURCES, capacity
from hyq_hls.stream.cost.costs import estimate
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.rtl.instances import Instance, module_of
from hyq_hls.tools.yosys import Utilization


def with_circuits(
    graph: Graph,
    part: Part,
    foldings: Mapping[str, Folding],
    forced: Mapping[str, str] | None = None,
) -> Graph:
    """The same graph, every node in its cheapest circuit.

    Args:
        graph: what is built.
        part: cost is the share of its resources, added.
        foldings: at which circuits are compared; they cost in proportion to their lanes.
        forced: pattern of node names (``fnmatch``) to the name of a circuit; the last match wins.

    Raises:
        ConversionError: a pattern names no node, or a node does not have that circuit.
    """
    wanted = _wanted(graph, forced or {})
    chosen = {}
    for node in graph.nodes.values():
        circuits = node.operation.circuits(*graph.input_types(node))
        if node.name in wanted:
            if wanted[node.name] not in circuits:
                raise ConversionError(
                    f"{node.name}: circuit {wanted[node.name]!r} is wanted, this "
                    f"{node.operation.name} has {', '.join(circuits)}"
                )
            chosen[node.name] = circuits[wanted[node.name]]
        elif len(circuits) > 1:
            folding = foldings[node.name]
            costs = {
                name: share(circuit_utilization(graph, node, operation, folding), part)
                for name, operation in circuits.items()
            }
            chosen[node.name] = circuits[min(costs, key=lambda name: costs[name])]
    return graph.with_operations(chosen)


def circuit_utilization(
    graph: Graph, node: Node, operation: Operation, folding: Folding
) -> Utilization:
    """Estimate of ``operation`` in the place of ``node``."""
    types = tuple(graph.input_types(node))
    kernel = operation.kernel(folding, *types)
    place = Node(node.name, operation, node.inputs, node.type, operation.accumulator(*types))
    stage = OperationStage(node.name, (), (), place, types, folding, kernel)
    return estimate(Instance(node.name, stage, module_of(stage), {}))


def share(used: Utilization, part: Part) -> float:
    """Shares of a part's resources, added."""
    has = capacity(part)
    return sum(getattr(used, name) / has[name] for name in RESOURCES)


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
