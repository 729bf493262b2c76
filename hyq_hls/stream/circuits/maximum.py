"""The larger of two elements: each lane has one comparison."""

from __future__ import annotations

from hyq_hls.ops.maximum import Maximum
from hyq_hls.stream.circuits.aligned_pair import AlignedPairCircuit


class MaximumCircuit(AlignedPairCircuit[Maximum]):
    """Two aligned operands, and the larger of them."""
