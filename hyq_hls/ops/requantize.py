"""Requantization on its own: the same values on another grid of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, zero_point_rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize, requantized_kernel
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_zero_points
from hyq_hls.ops.table import MAX_TABLE_BITS, Table

#: Stages of the circuit: centre, and three of the requantization.
_STAGES = 4


@dataclass(frozen=True, eq=False)
class RequantizeTensor(Operation):
    """``y = requantize(x - zero_point)``.

    Args:
        zero_point: zero point of the input, (1,) or (C,).
        requantize: to the output code.
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

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        (x,) = inputs
        lanes = folding.outputs
        return requantized_kernel(
            {"words": x.words, "channels": x.channels, "in_lanes": lanes, "out_lanes": lanes},
            {},
            (zero_point_rom(self.zero_point, lanes),),
            self.accumulator(x),
            self.requantize,
            lanes,
        )

    def circuits(self, *inputs: TensorType) -> dict[str, Operation]:
        """A table too, where one serves all channels."""
        (x,) = inputs
        q = x.quantization
        found: dict[str, Operation] = {self.name: self}
        if len(self.zero_point) == self.requantize.channels == 1 and q.bits <= MAX_TABLE_BITS:
            values = self.reference(np.arange(q.qmin, q.qmax + 1))
            table = Table(values, self.requantize.quantization, q.qmin)
            found |= table.circuits(x)
        return found

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        return inputs[0].size // folding.outputs

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        return self.cycles(folding, *inputs) - 1 + _STAGES
