"""The integer graph: nodes in topological order, checked when they are added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType

#: Wider sums would not fit the 64-bit integers of emulation and csim.
MAX_ACCUMULATOR_BITS = 62


#: Key of the metadata for the names of the outputs.
CLASS_NAMES = "class_names"


@dataclass(frozen=True)
class Node:
    """One operation in its place.

    Attributes:
        name: unique name, from the model (``stages.0.0.conv1_1x1.conv``).
        operation: what is computed.
        inputs: names of the producers, in the operation's order.
        type: type of the output.
        accumulator: proven bounds of the widest intermediate sum.
    """

    name: str
    operation: Operation
    inputs: tuple[str, ...]
    type: TensorType
    accumulator: Bounds


@dataclass
class Graph:
    """Integer operations from one input to one output.

    Attributes:
        input_name: name of the input tensor.
        input_type: its type; for images, bytes (H, W, C).
        metadata: what made this graph (model, configuration, versions); plain JSON values.
        nodes: the nodes by name, in topological order.
        output_index: where the user's output lies in the last tensor. It has the shape of the
            user's output of one sample, and each entry is a flat index into the last tensor. None
            means that the user's output is the last tensor as it is.
    """

    input_name: str
    input_type: TensorType
    metadata: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    output_index: NDArray[np.int64] | None = field(default=None, compare=False)

    def add(self, name: str, operation: Operation, *inputs: str) -> Node:
        """Append a node; its type and accumulator bounds are computed and checked here.

        Raises:
            GraphError: duplicate or unknown names, wrong number of inputs, shapes or quantizations
                that do not fit, or an accumulator wider than 62 bits. The message names the node.
        """
        if name in self.nodes or name == self.input_name:
            raise GraphError(f"{name}: a node of this name exists already; names must be unique")
        arity = operation.arity
        if (arity is not None and len(inputs) != arity) or (arity is None and len(inputs) < 2):
            wanted = "two or more" if arity is None else str(arity)
            raise GraphError(f"{name}: {operation.name} takes {wanted} inputs, found {len(inputs)}")
        try:
            types = [self.type(i) for i in inputs]
            output, bounds = operation.output_type(*types), operation.accumulator(*types)
            widest = bounds | operation.partial_sums(*types)
        except GraphError as error:
            raise GraphError(f"{name}: {error}") from error
        if widest.bits > MAX_ACCUMULATOR_BITS:
            raise GraphError(
                f"{name}: the accumulator needs {widest.bits} bits, {MAX_ACCUMULATOR_BITS} are "
                "supported; use fewer weight or activation bits for this node"
            )
        node = Node(name, operation, inputs, output, bounds)
        self.nodes[name] = node
        return node

    def with_operations(self, operations: Mapping[str, Operation]) -> Graph:
        """Return the same graph with other operations in some nodes, checked anew."""
        graph = Graph(
            self.input_name, self.input_type, dict(self.metadata), output_index=self.output_index
        )
        for node in self.nodes.values():
            graph.add(node.name, operations.get(node.name, node.operation), *node.inputs)
        return graph

    def type(self, name: str) -> TensorType:
        """Return the type of a node's output, or of the graph input."""
        if name == self.input_name:
            return self.input_type
        if name not in self.nodes:
            raise GraphError(f"unknown tensor {name!r}; nodes must be added after their inputs")
        return self.nodes[name].type

    def input_types(self, node: Node) -> list[TensorType]:
        """Return the types of a node's inputs."""
        return [self.type(i) for i in node.inputs]

    @property
    def output_name(self) -> str:
        """Name of the last node, whose output is the output of the graph."""
        if not self.nodes:
            raise GraphError("the graph has no nodes")
        return next(reversed(self.nodes))

    @property
    def output_type(self) -> TensorType:
        """Type of the graph's output."""
        return self.type(self.output_name)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the user's output of one sample."""
        index = self.output_index
        return self.output_type.shape if index is None else tuple(index.shape)

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        r"""Return values (B, \*last tensor) in the order and shape of the user's output."""
        if self.output_index is None:
            return values
        flat: NDArray[Any] = values.reshape(len(values), self.output_type.size)
        return flat[:, self.output_index]

    def consumers(self, name: str) -> list[Node]:
        """Return the nodes that read a tensor, in order, each once."""
        return [n for n in self.nodes.values() if name in n.inputs]

    def check(self) -> None:
        """Check the graph as a whole.

        Raises:
            GraphError: a node's output is read by nobody, or ``output_index`` does not point into
                the last tensor.
        """
        read = {name for node in self.nodes.values() for name in node.inputs}
        for name in [self.input_name, *self.nodes]:
            if name != self.output_name and name not in read:
                raise GraphError(f"{name}: nobody reads this output; remove it or connect it")
        index = self.output_index
        if index is None:
            return
        if index.dtype != np.int64 or not index.size:
            raise GraphError(
                f"output_index: int64 of at least one element is wanted, found {index.dtype} of "
                f"shape {index.shape}; quantize the model again"
            )
        if index.min() < 0 or index.max() >= self.output_type.size:
            raise GraphError(
                f"output_index: entries in [{index.min()}, {index.max()}] found, but "
                f"{self.output_name} has {self.output_type.size} elements; quantize the model again"
            )

    def reference(self, codes: Codes) -> Iterator[tuple[str, Codes]]:
        r"""Yield ``(name, codes)`` of every tensor, computed by the reference operations.

        Args:
            codes: input codes (B, \*input shape), int64.
        """
        self.input_type.check(codes, self.input_name)
        values = {self.input_name: codes}
        remaining = Counter(name for node in self.nodes.values() for name in set(node.inputs))
        yield self.input_name, codes
        for node in self.nodes.values():
            output = node.operation.reference(*([values[i] for i in node.inputs] or [codes]))
            node.type.check(output, node.name)
            values[node.name] = output
            yield node.name, output
            for name in set(node.inputs):
                remaining[name] -= 1
                if not remaining[name]:
                    del values[name]

    def batch_size(self, most: int, elements: int) -> int:
        """Return the images of a batch whose tensors are not too large for the memory.

        Args:
            most: most images of a batch.
            elements: most elements of its largest tensor, as far as one image allows.
        """
        types = [self.input_type, *(node.type for node in self.nodes.values())]
        return max(1, min(most, elements // max(t.size for t in types)))

    def macs(self) -> int:
        """Count the multiply-accumulates of one sample."""
        return sum(n.operation.macs(*self.input_types(n)) for n in self.nodes.values())
