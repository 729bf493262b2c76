"""Take FIFO depths from what a simulation saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hyq_hls.stream.flow.dataflow import SHALLOW, Dataflow
from hyq_hls.support import Shown


def shrunk_depths(
    flow: Dataflow, occupancy: Mapping[str, int], slack: float = 1.0
) -> dict[str, int]:
    """Return depths for the most words that waited at a time, plus an eighth and two words.

    Args:
        flow: a dataflow with depths that were not the limit.
        occupancy: most words in each FIFO, its output register included.
        slack: factor of the occupancy, where the plain margin was too little.
    """
    depths = {}
    for name, stream in flow.streams.items():
        waited = int(occupancy[name] * slack)
        wanted = SHALLOW if waited <= SHALLOW else waited + waited // 8 + 2
        depths[name] = min(stream.depth, wanted)
    return depths


@dataclass(frozen=True)
class FifoSizing(Shown):
    """The savings of a sizing of FIFOs.

    Attributes:
        words_before, words_after: sum of all depths.
        bits_before, bits_after: sum of depth times word width.
        cycles_before, cycles_after: cycles per frame in steady state.
    """

    words_before: int
    words_after: int
    bits_before: int
    bits_after: int
    cycles_before: int
    cycles_after: int

    @classmethod
    def of(cls, before: Dataflow, after: Dataflow, cycles: tuple[int, int]) -> FifoSizing:
        """Compare two depths of the same machine."""
        words = [sum(flow.depths.values()) for flow in (before, after)]
        bits = [fifo_bits(flow) for flow in (before, after)]
        return cls(words[0], words[1], bits[0], bits[1], cycles[0], cycles[1])

    def __str__(self) -> str:
        saved = 1 - self.bits_after / self.bits_before
        return (
            f"FIFOs: {self.bits_before / 8192:,.1f} KiB by analysis, {self.bits_after / 8192:,.1f} "
            f"KiB by measurement ({saved:.0%} saved); {self.cycles_before:,} -> "
            f"{self.cycles_after:,} cycles per frame"
        )


def fifo_bits(flow: Dataflow) -> int:
    """Return the bits of all FIFOs between the stages."""
    return sum(s.depth * s.lanes * s.type.quantization.bits for s in flow.streams.values())
