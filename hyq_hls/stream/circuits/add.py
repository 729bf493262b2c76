"""Residual addition: each lane has one adder."""

from __future__ import annotations

from hyq_hls.ops.add import Add
from hyq_hls.stream.circuits.aligned_pair import AlignedPairCircuit


class AddCircuit(AlignedPairCircuit[Add]):
    """Two aligned operands, and their sum."""
