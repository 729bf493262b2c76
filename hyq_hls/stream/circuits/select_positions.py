"""Selection of positions: words of the others are dropped."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hyq_hls.ops.select_positions import SelectPositions
from hyq_hls.stream.arguments import Rom, TemplateArguments
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding

#: A word waits in one stage for the bit that says whether it stays; the other stage is the output.
_STAGES = 2


class SelectPositionsCircuit(Circuit[SelectPositions]):
    """A memory with a bit for every position, which says whether its words stay."""

    @property
    def frames_inside(self) -> Fraction:
        return 1 + super().frames_inside

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def latency(self, folding: Folding) -> int:
        beats = self.inputs[0].channels // folding.inputs
        return (int(np.flatnonzero(self._kept)[-1]) + 1) * beats - 1 + _STAGES

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        beats = self.inputs[0].channels // folding.inputs
        wait = int(np.flatnonzero(self._kept)[0]) * beats
        return (one_loop(self.cycles(folding), _STAGES, wait),)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,) = self.inputs
        return TemplateArguments(
            constants={
                "words": x.words,
                "channels": x.channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
            },
            roms=(Rom("kept", self._kept, 1, signed=False),),
        )

    @property
    def _kept(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """One for every position that stays, in the order of the stream."""
        kept = np.zeros(self.inputs[0].shape[:2], np.int64)
        kept[np.array(self.operation.rows)[:, None], np.array(self.operation.columns)] = 1
        return kept.ravel()
