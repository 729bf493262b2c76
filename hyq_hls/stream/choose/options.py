"""A designer chooses from these: foldings of every node, with their cycles and their cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from hyq_hls.graph import Graph, Node
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.choose.balance import balance, regular_foldings
from hyq_hls.stream.circuits import AnyCircuit
from hyq_hls.stream.cost.costs import estimate
from hyq_hls.stream.cost.hls_area import circuit_area, stream_utilization
from hyq_hls.stream.cost.plan import plan_operation
from hyq_hls.stream.flow import OperationStage, build_dataflow
from hyq_hls.stream.flow.dataflow import SHALLOW
from hyq_hls.stream.flow.depths import safe_depths, safe_hls_depths
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.plumbing import Fifo, WidthConverter
from hyq_hls.tools.yosys import Utilization


@dataclass(frozen=True)
class Option:
    """One folding of one node.

    Attributes:
        folding: the lanes.
        cycles: cycles per frame.
        utilization: estimate of the circuit in RTL.
        planned: what its C++ takes by plan.
    """

    folding: Folding
    cycles: int
    utilization: Utilization
    planned: Utilization


@dataclass(frozen=True)
class Edge:
    """A tensor on its way to one of its readers.

    Attributes:
        writer: name of a node, or None for the input of the graph.
        reader: name of a node.
        port: number of the reader's input.
        bits: width of a code.
        waiting: bits that its FIFO must hold by analysis.
        hls_waiting: the same in the C++.
    """

    writer: str | None
    reader: str
    port: int
    bits: int
    waiting: int
    hls_waiting: int


def node_options(node: Node, circuit: AnyCircuit) -> list[Option]:
    """Return the foldings of a node whose lanes are powers of two or all that there are."""
    found = []
    for folding, cycles in regular_foldings(circuit).items():
        stage = OperationStage(node.name, (), (), node, circuit, folding)
        found.append(Option(folding, cycles, estimate(stage), plan_operation(stage).used))
    return found


def edges(graph: Graph, circuits: Mapping[str, AnyCircuit]) -> list[Edge]:
    """List every way from a tensor to a reader; FIFOs are those of the balanced design."""
    flow = build_dataflow(graph, balance(circuits), circuits)
    depths, hls_depths = safe_depths(flow), safe_hls_depths(flow)
    found = []
    for stage in flow.operations:
        for port, (name, tensor) in enumerate(zip(stage.inputs, stage.node.inputs, strict=True)):
            stream = flow.streams[name]
            bits = stream.type.quantization.bits
            waiting, hls_waiting = (
                found_depths[name] * stream.lanes * bits if found_depths[name] > SHALLOW else 0
                for found_depths in (depths, hls_depths)
            )
            writer = tensor if tensor in graph.nodes else None
            found.append(Edge(writer, stage.node.name, port, bits, waiting, hls_waiting))
    return found


def edge_utilization(edge: Edge, written: int, read: int) -> Utilization:
    """Estimate of a FIFO, and of a width converter with its own where lanes differ."""
    return _plumbing_utilization(edge.bits, edge.waiting, written, read)


def edge_plan(edge: Edge, written: int, read: int) -> Utilization:
    """Return the same for the C++, by plan."""
    return _plumbing_plan(edge.bits, edge.hls_waiting, written, read)


@cache  # Most edges of a network have the same few widths.
def _plumbing_utilization(bits: int, waiting: int, written: int, read: int) -> Utilization:
    return sum(map(estimate, _plumbing(bits, waiting, written, read)), Utilization())


@cache
def _plumbing_plan(bits: int, waiting: int, written: int, read: int) -> Utilization:
    return sum(map(_planned, _plumbing(bits, waiting, written, read)), Utilization())


def _plumbing(bits: int, waiting: int, written: int, read: int) -> Iterator[Fifo | WidthConverter]:
    """Yield what lies on an edge of codes of ``bits`` whose FIFO keeps ``waiting`` bits."""
    width = bits * read
    yield Fifo(width, max(SHALLOW, -(-waiting // width)))
    if written != read:
        yield WidthConverter(bits, written, read)
        yield Fifo(bits * written, SHALLOW)


def _planned(part: Fifo | WidthConverter) -> Utilization:
    if isinstance(part, Fifo):
        return stream_utilization(Memory(part.width, part.depth))
    return circuit_area(part)
