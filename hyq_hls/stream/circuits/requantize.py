"""Requantization on its own: the zero point is subtracted, and the result is requantized."""

from __future__ import annotations

from hyq_hls.ops.requantize import RequantizeTensor
from hyq_hls.stream.arguments import TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding


class RequantizeCircuit(ElementwiseCircuit[RequantizeTensor]):
    """A requantization of centred codes."""

    #: The stages are the subtraction of zero points and the requantization.
    stages = 1 + REQUANTIZE_STAGES

    def arguments(self, folding: Folding) -> TemplateArguments:
        operation, lanes = self.operation, folding.outputs
        return requantized_arguments(
            self.sizes(folding),
            {},
            (zero_point_rom(operation.zero_point, lanes),),
            self.accumulator,
            operation.requantize,
            lanes,
        )
