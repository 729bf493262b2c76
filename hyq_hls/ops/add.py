"""Residual addition: two tensors on a common grid of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.aligned_pair import AlignedPair, bounds_of


@dataclass(frozen=True, eq=False)
class Add(AlignedPair):
    """``y = requantize(sum(multiplier_i * (x_i - zero_point_i)))`` of two inputs."""

    name: ClassVar[str] = "add"

    def reference(self, *codes: Codes) -> Codes:
        a, b = self.terms(*codes)
        return self.requantize(a + b)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        # Either term may be zero, and so lies inside the bounds of the sum too.
        (low_a, high_a), (low_b, high_b) = self.term_bounds(*inputs)
        return bounds_of(low_a + low_b, high_a + high_b)
