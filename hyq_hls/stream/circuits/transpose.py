"""Transpose. A matrix is stored, and leaves column by column while the next one is stored."""

from __future__ import annotations

import math
from fractions import Fraction

from hyq_hls.ops.transpose import Transpose
from hyq_hls.stream.arguments import Memory, TemplateArguments
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Loop, Process
from hyq_hls.stream.folding import Folding


class TransposeCircuit(Circuit[Transpose]):
    """A buffer of two matrices, with one code per cycle.

    More lanes would need a bank for each of them. The product of queries and keys in front of it
    has a multiplication for every channel of a head, so that one code per cycle keeps up with as
    many multipliers.
    """

    @property
    def foldings(self) -> list[Folding]:
        return [Folding(1, 1)]

    @property
    def _matrices(self) -> int:
        return math.prod(self.inputs[0].shape[:-2])

    @property
    def frames_inside(self) -> Fraction:
        # One matrix is stored, and a part of the next one, before the first word leaves.
        rows = self.inputs[0].shape[-2]
        return Fraction(rows + 2, self.inputs[0].words)

    @property
    def positions_waiting(self) -> int:
        return 2 * self.inputs[0].shape[-2]

    def memories(self, folding: Folding) -> list[Memory]:
        (x,) = self.inputs
        return [Memory(x.quantization.bits, 2 * x.size // self._matrices)]

    def arrays(self, folding: Folding) -> list[Memory]:
        (x,) = self.inputs
        return [Memory(x.quantization.bits, x.size // self._matrices)] * 2

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size

    def latency(self, folding: Folding) -> int:
        # The last matrix is stored before it leaves, which takes two more cycles.
        (x,) = self.inputs
        return x.size + x.size // self._matrices

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return one process: an iteration stores a word of a matrix, and sends one of the last."""
        (x,) = self.inputs
        stored = x.size // self._matrices
        return (Process(2, (Loop(x.size + stored),), wait=stored),)

    def arguments(self, folding: Folding) -> TemplateArguments:
        *_, rows, columns = self.inputs[0].shape
        return TemplateArguments(
            constants={
                "matrices": self._matrices,
                "rows": rows,
                "columns": columns,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
            }
        )
