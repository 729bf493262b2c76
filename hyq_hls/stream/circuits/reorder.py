"""The common part of unfold and fold: a buffer of two frames that is read in another order."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import TypeVar

from hyq_hls.ops.fold import Fold
from hyq_hls.ops.unfold import Unfold
from hyq_hls.stream.arguments import Memory, TemplateArguments
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding

ReorderT = TypeVar("ReorderT", Fold, Unfold)


class ReorderCircuit(Circuit[ReorderT]):
    """A buffer that stores a frame, and sends it while the next one is stored."""

    @property
    @abstractmethod
    def map_shape(self) -> tuple[int, ...]:
        """Shape (H, W, C) of the map, at the input or at the output."""

    @property
    def frames_inside(self) -> Fraction:
        return 1 + Fraction(1, self.inputs[0].words)

    def memories(self, folding: Folding) -> list[Memory]:
        (x,) = self.inputs
        return [Memory(folding.inputs * x.quantization.bits, 2 * x.size // folding.inputs)]

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def latency(self, folding: Folding) -> int:
        return 2 * self.cycles(folding)  # The circuit stores a frame, then sends it.

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return two processes: one stores a frame in a page, one sends the other page."""
        words = self.cycles(folding)
        return one_loop(words, 2, wait=words - 1), one_loop(words, 2)

    def arrays(self, folding: Folding) -> list[Memory]:
        return self.memories(folding)

    def arguments(self, folding: Folding) -> TemplateArguments:
        height, width, channels = self.map_shape
        patch = self.operation.patch
        return TemplateArguments(
            constants={
                "height": height,
                "width": width,
                "channels": channels,
                "patch_height": patch[0],
                "patch_width": patch[1],
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
            }
        )
