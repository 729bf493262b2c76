"""The integer graph: tensor types, the interface of operations, nodes, checks, file format."""

from hyq_hls.graph.graph import Graph, Node
from hyq_hls.graph.operation import Bounds, Operation
from hyq_hls.graph.reference import ReferenceEmulator
from hyq_hls.graph.types import Quantization, TensorType

__all__ = [
    "Bounds",
    "Graph",
    "Node",
    "Operation",
    "Quantization",
    "ReferenceEmulator",
    "TensorType",
]
