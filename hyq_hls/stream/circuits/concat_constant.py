"""Constant positions before or behind those of a stream, which waits meanwhile."""

from __future__ import annotations

from hyq_hls.ops.concat_constant import ConcatConstant
from hyq_hls.stream.arguments import Rom, TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding

#: The stages are the subtraction of zero points and the requantization.
_STAGES = 1 + REQUANTIZE_STAGES


class ConcatConstantCircuit(Circuit[ConcatConstant]):
    """A requantization, whose output takes turns with a memory of constants."""

    @property
    def positions_waiting(self) -> int:
        return len(self.operation.constant) + super().positions_waiting

    def cycles(self, folding: Folding) -> int:
        return self.output.size // folding.outputs

    def latency(self, folding: Folding) -> int:
        return self.cycles(folding) - 1 + _STAGES

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        return (one_loop(self.cycles(folding), _STAGES),)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), operation, lanes = self.inputs, self.operation, folding.outputs
        q = self.output.quantization
        positions = x.shape[-2]
        return requantized_arguments(
            {
                "rows": x.words // positions,
                "positions": positions,
                "channels": x.channels,
                "constant_first": int(operation.first),
                "in_lanes": lanes,
                "out_lanes": lanes,
            },
            {},
            (
                zero_point_rom(operation.zero_point, lanes),
                Rom("constant", operation.constant, q.bits, q.signed, lanes),
            ),
            self.accumulator,
            operation.requantize,
            lanes,
        )
