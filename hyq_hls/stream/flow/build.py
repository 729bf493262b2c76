"""A graph and its foldings become stages and streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import gcd

from hyq_hls.errors import ConversionError, GraphError
from hyq_hls.graph import Graph, Node
from hyq_hls.stream.circuits import AnyCircuit, node_circuits
from hyq_hls.stream.flow.dataflow import (
    Dataflow,
    ForkStage,
    OperationStage,
    Stream,
    WidthConverterStage,
)
from hyq_hls.stream.flow.names import identifiers
from hyq_hls.stream.folding import Folding

#: Outputs of one fork; more readers take a chain of forks.
MAX_FORK = 4
#: Endings that the back ends append to an identifier: types, layers, functions, wires.
_SUFFIXES = frozenset(
    {"t", "word", "config", "layer", "fork", "fifo", "process"}
    | {f"{side}_{wire}" for side in ("wr", "rd") for wire in ("data", "valid", "ready")}
)


def build_dataflow(
    graph: Graph,
    foldings: Mapping[str, Folding],
    circuits: Mapping[str, AnyCircuit] | None = None,
) -> Dataflow:
    """Build the stages and streams of ``graph``; every FIFO is shallow.

    Args:
        graph: checked graph.
        foldings: foldings of the nodes by name; a node that is not named gets one lane.
        circuits: circuits of all nodes by name; by default the usual ones.

    Raises:
        ConversionError: an unknown node, a folding that does not divide its operation, or an
            operation without a circuit.
    """
    graph.check()
    unknown = sorted(set(foldings) - set(graph.nodes))
    if unknown:
        raise ConversionError(
            f"folding of unknown nodes {unknown[:5]}; nodes have the model's names"
        )
    return _Builder(graph, foldings, circuits or node_circuits(graph)).build()


class _Builder:
    def __init__(
        self,
        graph: Graph,
        foldings: Mapping[str, Folding],
        circuits: Mapping[str, AnyCircuit],
    ) -> None:
        self.graph, self.circuits = graph, circuits
        self.foldings = {name: foldings.get(name, Folding()) for name in graph.nodes}
        for name, folding in self.foldings.items():
            try:
                circuits[name].check_folding(folding)
            except GraphError as error:
                raise ConversionError(f"{name}: {error}") from error
        every = (circuits[name].arguments(folding) for name, folding in self.foldings.items())
        memories = {rom.name for arguments in every for rom in arguments.roms}
        names = identifiers([graph.input_name, *graph.nodes], _SUFFIXES | memories)
        self.flow = Dataflow(graph, names)
        self.taken = set(names.values())

    def build(self) -> Dataflow:
        graph, flow = self.graph, self.flow
        queues: dict[str, list[str]] = {}
        for tensor in [graph.input_name, *graph.nodes]:
            name = flow.names[tensor]
            readers = [
                (node, port)
                for node in graph.nodes.values()
                for port, read in enumerate(node.inputs)
                if read == tensor
            ]
            lanes = [self._lanes(node, port) for node, port in readers]
            if tensor in graph.nodes:
                width = self._operation(graph.nodes[tensor], name, queues)
            else:
                width = lanes[0]
                flow.source = name
            flow.streams[name] = Stream(name, tensor, graph.type(tensor), width)
            copies = self._copies(name, len(readers))
            queues[tensor] = [self._converted(c, n) for c, n in zip(copies, lanes, strict=True)]
        flow.sink = flow.names[graph.output_name]
        return flow

    def _lanes(self, node: Node, port: int) -> int:
        return self.circuits[node.name].input_lanes(self.foldings[node.name])[port]

    def _operation(self, node: Node, name: str, queues: dict[str, list[str]]) -> int:
        inputs = tuple(queues[i].pop(0) for i in node.inputs)
        circuit, folding = self.circuits[node.name], self.foldings[node.name]
        self.flow.stages.append(OperationStage(name, inputs, (name,), node, circuit, folding))
        return folding.outputs

    def _copies(self, name: str, readers: int) -> Sequence[str]:
        """Return the stream that each reader takes, behind as many forks as are needed."""
        if readers <= 1:
            return [name] * readers
        copies = [self._stream(name, f"{name}_copy{i + 1}") for i in range(readers)]
        remaining, source = list(copies), name
        while remaining:
            if len(remaining) <= MAX_FORK:
                outputs, remaining, rest = remaining, [], ""
            else:
                rest = self._stream(name, f"{name}_rest{readers - len(remaining) + 1}")
                outputs, remaining = [*remaining[: MAX_FORK - 1], rest], remaining[MAX_FORK - 1 :]
            self.flow.stages.append(ForkStage(f"{source}_fork", (source,), tuple(outputs)))
            source = rest
        return copies

    def _converted(self, name: str, lanes: int) -> str:
        """Return the stream behind as many width converters as lead to ``lanes``."""
        width = self.flow.streams[name].lanes
        for target in (gcd(width, lanes), lanes):
            if target != width:
                output = self._stream(name, f"{name}_x{target}", target)
                self.flow.stages.append(
                    WidthConverterStage(f"{output}_converter", (name,), (output,))
                )
                name, width = output, target
        return name

    def _stream(self, like: str, name: str, lanes: int = 0) -> str:
        """Return a new stream of the same tensor under a free name."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        stream = self.flow.streams[like]
        self.flow.streams[name] = replace(stream, name=name, lanes=lanes or stream.lanes)
        return name
