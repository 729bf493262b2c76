"""The larger of two elements, such as the two lines of a dynamic ReLU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.aligned_pair import AlignedPair, bounds_of


@dataclass(frozen=True, eq=False)
class Maximum(AlignedPair):
    """``y = requantize(max(multiplier_i * (x_i - zero_point_i)))`` of two inputs."""

    name: ClassVar[str] = "maximum"

    def reference(self, *codes: Codes) -> Codes:
        return self.requantize(np.maximum(*self.terms(*codes)))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        # The circuit holds both terms before it compares them.
        first, second = (bounds_of(*ends) for ends in self.term_bounds(*inputs))
        return first | second
