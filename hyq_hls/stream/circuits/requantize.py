"""Requantization on its own: the zero point is subtracted, the rest is a requantization."""

from __future__ import annotations

from hyq_hls.ops.requantize import RequantizeTensor
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_kernel
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.kernel import Kernel, zero_point_rom


class RequantizeCircuit(ElementwiseCircuit[RequantizeTensor]):
    """A requantization of centred codes."""

    #: Centre, requantization.
    stages = 1 + REQUANTIZE_STAGES

    def kernel(self, folding: Folding) -> Kernel:
        operation, lanes = self.operation, folding.outputs
        return requantized_kernel(
            self.sizes(folding),
            {},
            (zero_point_rom(operation.zero_point, lanes),),
            self.accumulator,
            operation.requantize,
            lanes,
        )
