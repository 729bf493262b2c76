"""The ONNX graph under construction: its nodes and constants, with names that people read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

Number = np.dtype[Any]
FLOAT32, FLOAT64, INT64 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)


class GraphWriter:
    """Collects nodes and constants; every tensor has a name of its own.

    Attributes:
        nodes: the nodes in the order in which they compute.
        constants: the constants.

    Args:
        reserved: names that are given already, such as those of inputs.
    """

    def __init__(self, reserved: Iterable[str]) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._names = set(reserved)

    def unique(self, name: str) -> str:
        """Return a name that nothing else has: this one, or this one with a number."""
        found, number = name, 1
        while found in self._names:
            number += 1
            found = f"{name}_{number}"
        self._names.add(found)
        return found

    def constant(self, values: NDArray[Any], name: str) -> str:
        """Add a constant and return the name of its tensor."""
        unique = self.unique(name)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), unique))
        return unique

    def operator(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node with one output and return the name of its tensor."""
        unique = self.unique(name)
        node = helper.make_node(kind, list(inputs), [unique], name=unique, **attributes)
        self.nodes.append(node)
        return unique

    def rename(self, old: str, new: str, start: int) -> bool:
        """Give a tensor that a node from ``start`` on computes another name, if one does.

        Args:
            old: the present name.
            new: the name to give, which is reserved.
            start: place of the first node that is looked at.
        """
        found = False
        for node in self.nodes[start:]:
            for i, name in enumerate(node.input):
                if name == old:
                    node.input[i] = new
            if node.output[0] == old:
                node.output[0], found = new, True
        return found


class Value:
    """A tensor of the ONNX graph, with the arithmetic of numpy: every operator adds a node.

    Attributes:
        name: name of the tensor.
        number: type of its elements.

    Args:
        graph: the graph under construction.
        scope: name of the integer node to which new nodes belong.
        name: name of the tensor.
        number: type of its elements.
    """

    def __init__(self, graph: GraphWriter, scope: str, name: str, number: Number) -> None:
        self._graph, self._scope = graph, scope
        self.name, self.number = name, number

    def apply(
        self, kind: str, *others: Value | ArrayLike, number: Number | None = None, **attributes: Any
    ) -> Value:
        """Return the result of an ONNX operator on this tensor and others.

        Args:
            kind: name of the operator.
            others: further operands; constants become tensors of this type, unless they are arrays
                of int64, such as shapes.
            number: type of the result, by default that of this tensor.
            attributes: attributes of the operator.
        """
        names = [self.name, *(self._operand(other, kind) for other in others)]
        name = self._graph.operator(kind, names, f"{self._scope}/{kind}", **attributes)
        return Value(self._graph, self._scope, name, self.number if number is None else number)

    def _operand(self, other: Value | ArrayLike, kind: str) -> str:
        if isinstance(other, Value):
            return other.name
        values = other if isinstance(other, np.ndarray) else np.asarray(other, self.number)
        return self._graph.constant(values, f"{self._scope}/{kind}.constant")

    def _with(self, kind: str, other: Value | ArrayLike, number: Number | None = None) -> Value:
        operand = other if isinstance(other, Value) else np.asarray(other).astype(self.number)
        return self.apply(kind, operand, number=number)

    def __add__(self, other: Value | ArrayLike) -> Value:
        return self._with("Add", other)

    def __sub__(self, other: Value | ArrayLike) -> Value:
        return self._with("Sub", other)

    def __mul__(self, other: Value | ArrayLike) -> Value:
        return self._with("Mul", other)

    def __matmul__(self, other: Value | ArrayLike) -> Value:
        return self._with("MatMul", other)

    def greater(self, other: Value | ArrayLike) -> Value:
        """Return int64, 1 where this tensor is greater and 0 elsewhere."""
        return self._with("Greater", other, np.dtype(bool)).cast(INT64)

    def greater_or_equal(self, other: Value | ArrayLike) -> Value:
        """Return int64, 1 where this tensor is greater or equal and 0 elsewhere."""
        return self._with("GreaterOrEqual", other, np.dtype(bool)).cast(INT64)

    def dividing(self, dividend: int) -> Value:
        """Return the quotients of a number and these values, rounded toward zero."""
        values = np.array(dividend, self.number)
        name = self._graph.constant(values, f"{self._scope}/Div.constant")
        return Value(self._graph, self._scope, name, self.number).apply("Div", self)

    def cast(self, number: Number) -> Value:
        """Return the same values in another type."""
        if number == self.number:
            return self
        to = helper.np_dtype_to_tensor_dtype(number)
        return self.apply("Cast", number=number, to=to)

    def clip(self, low: int, high: int) -> Value:
        """Return the values, saturated."""
        return self.apply("Clip", low, high)

    def reshape(self, *shape: int) -> Value:
        """Return the values in another shape; the batch axis stands before it."""
        return self.apply("Reshape", np.array([-1, *shape], np.int64))

    def transpose(self, *axes: int) -> Value:
        """Return the values with axes in this order; 0 is the batch axis."""
        return self.apply("Transpose", perm=list(axes))

    def take(self, index: NDArray[np.int64], axis: int) -> Value:
        """Return the entries of an axis that a constant index names."""
        return self.apply("Gather", np.asarray(index, np.int64), axis=axis)

    def look_up(self, table: NDArray[np.int64], number: Number, first: int = 0) -> Value:
        """Return the entries of a constant table that these values, less ``first``, name."""
        index = self.cast(INT64)
        index = index - first if first else index
        name = self._graph.constant(table.astype(number), f"{self._scope}/table")
        return Value(self._graph, self._scope, name, number).apply("Gather", index, axis=0)

    def sum(self, *axes: int, keep: bool = False) -> Value:
        """Return the sums over axes, up to 2**53: onnxruntime adds int64 in float64 too."""
        return self.apply("ReduceSum", np.array(axes, np.int64), keepdims=int(keep))

    def joined(self, other: Value, axis: int) -> Value:
        """Return this tensor and another one side by side."""
        return self.apply("Concat", other, axis=axis)
