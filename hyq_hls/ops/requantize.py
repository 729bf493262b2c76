"""Requantization on its own: the same values on another grid of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_zero_points


@dataclass(frozen=True, eq=False)
class RequantizeTensor(Operation):
    """``y = requantize(x - zero_point)``.

    Attributes:
        zero_point: zero point of the input, (1,) or (C,).
        requantize: accumulator to output code.
    """

    name: ClassVar[str] = "requantize"

    zero_point: tuple[int, ...]
    requantize: Requantize

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_zero_points(self.zero_point, x)
        self.requantize.check(self.accumulator(x), x.channels)
        return TensorType(x.shape, self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        return self.requantize(x - np.asarray(self.zero_point))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return centred(inputs[0])
