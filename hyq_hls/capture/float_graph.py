"""The float graph: named float operations in topological order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.float_ops import Input
from hyq_hls.errors import GraphError, ShapeError

Layout = Literal["auto", "nchw", "nhwc"]
Observer = Callable[[str, torch.Tensor], torch.Tensor | None]
Compute = Callable[["FloatNode", list[torch.Tensor]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class FloatNode:
    """One operation under a name.

    Attributes:
        name: name of the node, unique in its graph.
        op: the operation.
        inputs: names of the nodes that it reads.
    """

    name: str
    op: FloatOp
    inputs: tuple[str, ...] = ()


class FloatGraph:
    """Nodes in topological order, with one ``Input`` and one output.

    A graph never changes; ``replace`` and ``with_nodes`` return a new one.

    Args:
        nodes: the nodes; each reads only nodes before it.
        output: name of the node whose value is the result.
        output_index: where the module's output lies in that value. It has the shape of the module's
            output for one image, and each entry is a flat index into the value. None means that
            the output is the value as it is.

    Raises:
        GraphError: a name is used twice or unknown, a shape does not fit, or there is not one
            ``Input``.
    """

    def __init__(
        self,
        nodes: Iterable[FloatNode],
        output: str,
        output_index: NDArray[np.int64] | None = None,
    ) -> None:
        self.nodes: tuple[FloatNode, ...] = tuple(nodes)
        self.output = output
        self.output_index = output_index
        self._by_name: dict[str, FloatNode] = {}
        self._shapes: dict[str, Shape] = {}
        for node in self.nodes:
            self._check_in(node)
        inputs = [node.name for node in self.nodes if isinstance(node.op, Input)]
        if len(inputs) != 1:
            raise GraphError(f"a float graph has exactly one Input, found {inputs}")
        self.input = inputs[0]
        if output not in self._by_name:
            raise GraphError(f"output {output!r} is not a node of the graph")
        self._consumers: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                self._consumers[name].append(node.name)

    def _check_in(self, node: FloatNode) -> None:
        if node.name in self._by_name:
            raise GraphError(f"two nodes are named {node.name!r}")
        unknown = [name for name in node.inputs if name not in self._by_name]
        if unknown:
            raise GraphError(f"{node.name!r} reads {unknown}, which no earlier node produces")
        try:
            shape = node.op.output_shape(*(self._shapes[name] for name in node.inputs))
        except ShapeError as error:
            raise GraphError(f"node {node.name!r} reading {list(node.inputs)}: {error}") from error
        self._by_name[node.name] = node
        self._shapes[node.name] = shape

    def __iter__(self) -> Iterator[FloatNode]:
        """Iterate over the nodes in topological order."""
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> FloatNode:
        """Return the node of that name.

        Raises:
            GraphError: there is no such node.
        """
        if name not in self._by_name:
            raise GraphError(f"the graph has no node {name!r}")
        return self._by_name[name]

    def shape(self, name: str) -> Shape:
        """Return the shape of a node's value, channels-last and without batch."""
        return self._shapes[self[name].name]

    def consumers(self, name: str) -> tuple[str, ...]:
        """Return the names of the nodes that read ``name``, in topological order, each once."""
        return tuple(self._consumers[self[name].name])

    @property
    def output_shape(self) -> Shape:
        """Shape of the module's output for one image."""
        index = self.output_index
        return self.shape(self.output) if index is None else tuple(index.shape)

    def with_nodes(self, nodes: Iterable[FloatNode], output: str | None = None) -> FloatGraph:
        """Build a graph of other nodes.

        The output stays as it is, unless another node is named, whose value is then the output.
        """
        if output is None or output == self.output:
            return FloatGraph(nodes, self.output, self.output_index)
        return FloatGraph(nodes, output)

    def replace(self, ops: Mapping[str, FloatOp]) -> FloatGraph:
        """Return the same graph with the operations of the named nodes replaced."""
        for name in ops:
            self[name]
        return self.with_nodes(
            FloatNode(node.name, ops.get(node.name, node.op), node.inputs) for node in self.nodes
        )

    def run(
        self,
        images: torch.Tensor,
        *,
        keep: Collection[str] | None = None,
        observe: Observer | None = None,
        compute: Compute | None = None,
        layout: Layout = "auto",
    ) -> dict[str, torch.Tensor]:
        """Compute the values of the nodes for a batch of images.

        Args:
            images: float tensor ``(B, C, H, W)`` or ``(B, H, W, C)``. Gradients flow if it needs
                them.
            keep: names whose values are returned; all when None. Every other value is freed as soon
                as its last reader has run.
            observe: called as ``observe(name, value)`` for each node in order, the input included.
                A tensor that it returns takes the place of the value for all readers.
            compute: called as ``compute(node, inputs)`` for every node but the input, instead of
                its operation's ``forward(*inputs)``.
            layout: "auto" takes NCHW when the shape allows it, else NHWC.

        Returns:
            The kept values by name, batched and channels-last.

        Raises:
            ShapeError: the images do not fit the input.
            GraphError: ``keep`` names an unknown node.
        """
        kept = set(self._by_name if keep is None else (self[name].name for name in keep))
        waiting = {name: len(readers) for name, readers in self._consumers.items()}
        values: dict[str, torch.Tensor] = {}
        for node in self.nodes:
            if isinstance(node.op, Input):
                value = node.op.forward(self._channels_last(images, node.op.shape, layout))
            else:
                inputs = [values[name] for name in node.inputs] or [images]
                value = compute(node, inputs) if compute else node.op.forward(*inputs)
            if observe is not None:
                replaced = observe(node.name, value)
                value = value if replaced is None else replaced
            values[node.name] = value
            for name in dict.fromkeys(node.inputs):
                waiting[name] -= 1
            for name in (*dict.fromkeys(node.inputs), node.name):
                if waiting[name] == 0 and name not in kept:
                    del values[name]
        return values

    def __call__(self, images: torch.Tensor, layout: Layout = "auto") -> torch.Tensor:
        """Return what the module returns for a batch of images; see ``run``."""
        value = self.run(images, keep=(self.output,), layout=layout)[self.output]
        if self.output_index is None:
            return value
        return value.flatten(1)[:, torch.from_numpy(self.output_index).to(value.device)]

    def output_with(
        self, values: Mapping[str, torch.Tensor], name: str, value: torch.Tensor
    ) -> torch.Tensor:
        """Return the output when one node has another value; only what depends on it is computed.

        Args:
            values: values of all nodes, as :meth:`run` returns them.
            name: the node.
            value: its other value.
        """
        changed = {name: value}
        for node in self:
            if node.name != name and not changed.keys().isdisjoint(node.inputs):
                inputs = (changed.get(i, values[i]) for i in node.inputs)
                changed[node.name] = node.op.forward(*inputs)
        return changed.get(self.output, values[self.output])

    @staticmethod
    def _channels_last(images: torch.Tensor, shape: Shape, layout: Layout) -> torch.Tensor:
        height, width, channels = shape
        found = tuple(images.shape[1:])
        if layout in ("auto", "nchw") and images.ndim == 4 and found == (channels, height, width):
            return images.permute(0, 2, 3, 1)
        if layout in ("auto", "nhwc") and images.ndim == 4 and found == shape:
            return images
        raise ShapeError(
            f"images must be (B, {channels}, {height}, {width}) or (B, {height}, {width}, "
            f"{channels}), layout {layout!r}; found {tuple(images.shape)}"
        )

    def __str__(self) -> str:
        """Return one line per node with its name, operation, inputs and shape."""
        width = max(len(node.name) for node in self.nodes)
        lines = [
            f"{node.name:<{width}}  {self._shapes[node.name]!s:<18} {node.op!r}"
            + (f" <- {', '.join(node.inputs)}" if node.inputs else "")
            for node in self.nodes
        ]
        return "\n".join([*lines, f"output: {self.output}"])
