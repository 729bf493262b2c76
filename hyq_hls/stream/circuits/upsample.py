"""Upsample. Two rows and two pixels wait, between which the others lie."""

from __future__ import annotations

from hyq_hls.ops.upsample import Upsample
from hyq_hls.stream.arguments import Memory, TemplateArguments
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding

#: Register stages between the rows, and as many between the columns: word, operands, sum.
_INTERPOLATION_STAGES = 3


class UpsampleCircuit(Circuit[Upsample]):
    """Rows are doubled first, then columns; a word leaves in every cycle."""

    @property
    def variant(self) -> str:
        return self.operation.mode

    @property
    def _is_bilinear(self) -> bool:
        return self.operation.mode == "bilinear"

    @property
    def positions_waiting(self) -> int:
        """Positions that come while the circuit takes none: two rows of the result at the most."""
        return 2 + self.inputs[0].shape[1]

    def cycles(self, folding: Folding) -> int:
        return self.output.size // folding.outputs

    def latency(self, folding: Folding) -> int:
        return self.cycles(folding) - 1 + self._stages

    @property
    def _stages(self) -> int:
        return 2 * _INTERPOLATION_STAGES if self._is_bilinear else 0

    def memories(self, folding: Folding) -> list[Memory]:
        row, pixel = self._row(folding), self._pixel(folding)
        if self._is_bilinear:
            return 2 * [
                Memory(row.width, max(2, row.depth)),
                Memory(pixel.width, max(2, pixel.depth)),
            ]
        return [memory for memory in (row, pixel) if memory.depth > 1]

    def arrays(self, folding: Folding) -> list[Memory]:
        return 2 * [self._row(folding), self._pixel(folding)]

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        return (one_loop(self.cycles(folding), max(2, self._stages)),)

    def arguments(self, folding: Folding) -> TemplateArguments:
        height, width, channels = self.inputs[0].shape
        q = self.inputs[0].quantization
        return TemplateArguments(
            constants={
                "height": height,
                "width": width,
                "channels": channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "is_bilinear": int(self._is_bilinear),
            },
            integers={
                "operand_t": (q.bits, q.signed),
                "quarters_t": (self._pixel_bits, q.signed),
                "accumulator_t": (self.accumulator.bits, True),
            },
        )

    @property
    def _pixel_bits(self) -> int:
        """Width of a code between two rows, in quarters of a step."""
        return self.inputs[0].quantization.bits + 2 * self._is_bilinear

    def _row(self, folding: Folding) -> Memory:
        (x,) = self.inputs
        words = x.shape[1] * x.channels // folding.inputs
        return Memory(folding.inputs * x.quantization.bits, words)

    def _pixel(self, folding: Folding) -> Memory:
        words = self.inputs[0].channels // folding.inputs
        return Memory(folding.inputs * self._pixel_bits, words)
