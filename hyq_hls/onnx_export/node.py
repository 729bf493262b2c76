"""One integer node as an exporter sees it: its operands, their types, and its result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Bounds, Node, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.onnx_export.arithmetic import code_type, exact_type, requantized
from hyq_hls.onnx_export.writer import GraphWriter, Number, Value


@dataclass(frozen=True)
class NodeExport:
    """An integer node on its way to ONNX.

    Attributes:
        graph: the ONNX graph under construction.
        node: the node.
        types: types of its inputs.
        names: ONNX tensors of its inputs, as codes.
        images: ONNX tensor of the network's input, from which constants learn the batch.
    """

    graph: GraphWriter
    node: Node
    types: tuple[TensorType, ...]
    names: tuple[str, ...]
    images: str

    @property
    def sums(self) -> Bounds:
        """Bounds of the accumulator and of all partial sums."""
        return self.node.accumulator | self.node.operation.partial_sums(*self.types)

    @property
    def number(self) -> Number:
        """The number type in which all sums are exact."""
        return exact_type(self.sums.magnitude)

    def input(self, i: int = 0) -> Value:
        """Return the codes of an input in their own type."""
        number = code_type(self.types[i].quantization)
        return Value(self.graph, self.node.name, self.names[i], number)

    def centred(self, number: Number, i: int = 0) -> Value:
        """Return the codes of an input less their zero point."""
        return without_zero(self.input(i).cast(number), self.types[i].quantization.zero_point)

    def requantized(
        self, acc: Value, requantize: Requantize, bounds: Bounds | None = None
    ) -> Value:
        """Return codes for accumulators, whose bounds are by default those of the node."""
        return requantized(acc, self.sums if bounds is None else bounds, requantize)

    def repeated(self, codes: NDArray[np.int64]) -> Value:
        """Return constant codes once for every image of the batch."""
        number = code_type(self.node.type.quantization)
        scope = self.node.name
        batch = self.graph.operator("Shape", [self.images], f"{scope}/batch", start=0, end=1)
        shape = Value(self.graph, scope, batch, np.dtype(np.int64))
        shape = shape.apply("Concat", np.array(codes.shape, np.int64), axis=0)
        constant = self.graph.constant(codes[None].astype(number), f"{scope}/codes")
        return Value(self.graph, scope, constant, number).apply("Expand", shape)


def without_zero(value: Value, zero_point: tuple[int, ...]) -> Value:
    """Return values less their zero points; where all are 0, there is nothing to do."""
    return value - np.asarray(zero_point) if any(zero_point) else value


def times(value: Value, factor: NDArray[np.int64]) -> Value:
    """Return products with a constant; where all factors are 1, there is nothing to do."""
    return value * factor if (factor != 1).any() else value
