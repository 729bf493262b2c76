"""Positions in another order. Blocks are stored, and leave while the next ones are stored."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hyq_hls.ops.permute_positions import PermutePositions
from hyq_hls.stream.arguments import Memory, Rom, TemplateArguments
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding

#: Cycles after reset until the first address is known.
_PRIMING = 2


class PermutePositionsCircuit(Circuit[PermutePositions]):
    """A buffer of two blocks, and a memory with the order of the positions of a block.

    A block is the smallest part of a frame whose positions stay together. That of windows is a row
    of windows; that of shifted windows is the whole map.
    """

    @property
    def _order(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """The order of the positions of the first block; that of all others is the same."""
        order = self.operation.order.ravel()
        places = np.arange(order.size)
        sizes = (size for size in range(1, order.size + 1) if order.size % size == 0)
        block = next(
            size
            for size in sizes
            if np.array_equal(order, order[:size][places % size] + places // size * size)
        )
        return order[:block]

    def _block_words(self, folding: Folding) -> int:
        return self._order.size * self._beats(folding)

    def _beats(self, folding: Folding) -> int:
        return self.inputs[0].channels // folding.inputs

    @property
    def frames_inside(self) -> Fraction:
        return Fraction(self._order.size + 1, self.inputs[0].words)

    def memories(self, folding: Folding) -> list[Memory]:
        width = folding.inputs * self.inputs[0].quantization.bits
        return [Memory(width, 2 * self._block_words(folding)), *super().memories(folding)]

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def latency(self, folding: Folding) -> int:
        # The last block is stored, then sent.
        return self.cycles(folding) + max(self._block_words(folding), _PRIMING)

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return two processes: one stores a frame in a page, one sends the other page."""
        words = self.cycles(folding)
        return one_loop(words, 2, wait=words - 1), one_loop(words, 2)

    def arrays(self, folding: Folding) -> list[Memory]:
        width = folding.inputs * self.inputs[0].quantization.bits
        return [Memory(width, 2 * self.cycles(folding))]

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), first_words = self.inputs, self._order * self._beats(folding)
        bits = max(int(first_words.max()).bit_length(), 1)
        return TemplateArguments(
            constants={
                "words": x.words,
                "channels": x.channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
            },
            roms=(Rom("order", first_words, bits, signed=False),),
        )
