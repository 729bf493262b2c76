"""Global average pooling: a map becomes one vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points


@dataclass(frozen=True, eq=False)
class GlobalAveragePool(Operation):
    """``y = requantize(sum over all positions of (x - zero_point))``, (H, W, C) to (C,).

    The division by the number of positions is part of the requantization factor.

    Attributes:
        zero_point: zero point of the input, (1,) or (C,).
        requantize: accumulator to output code.
    """

    name: ClassVar[str] = "global_average_pool"

    zero_point: tuple[int, ...]
    requantize: Requantize

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_affine(x)
        if len(x.shape) != 3:
            raise GraphError(f"a map (H, W, C) is wanted, found {x.shape}")
        check_zero_points(self.zero_point, x)
        self.requantize.check(self.accumulator(x), x.channels)
        return TensorType((x.channels,), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        return self.requantize((x - np.asarray(self.zero_point)).sum(axis=(1, 2)))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        one = centred(inputs[0])
        return Bounds(min(0, one.low) * inputs[0].words, max(0, one.high) * inputs[0].words)
