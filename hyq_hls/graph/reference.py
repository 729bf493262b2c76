"""Run an integer graph in numpy alone, where torch is not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph.graph import Graph

#: Most images of a batch, and most elements of its largest tensor, as far as one image allows.
_BATCH, _ELEMENTS = 16, 1 << 20


class ReferenceEmulator:
    """Runs the references of a graph batch by batch; it has the interface of the emulator.

    The codes are those of :class:`hyq_hls.emulate.Emulator`, which is many times faster and needs
    torch.

    Args:
        graph: the integer graph; it is not changed.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __call__(
        self, codes: NDArray[np.integer], progress: Callable[[int], object] | None = None
    ) -> NDArray[np.int64]:
        r"""Return the output codes (B, \*output shape) of input codes (B, \*input shape).

        Args:
            codes: integers in the range of the graph's input.
            progress: called with the number of samples after each batch.

        Raises:
            GraphError: wrong shape, dtype or range.
        """
        self.graph.input_type.check(codes, self.graph.input_name)
        output = np.empty((len(codes), *self.graph.output_type.shape), dtype=np.int64)
        size = self.graph.batch_size(_BATCH, _ELEMENTS)
        for start in range(0, len(codes), size):
            batch = codes[start : start + size]
            for name, value in self.trace(batch):
                if name == self.graph.output_name:
                    output[start : start + size] = value
            if progress is not None:
                progress(len(batch))
        return output

    def trace(self, codes: NDArray[np.integer]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Yield ``(name, codes)`` of every tensor, as :meth:`Graph.reference` does."""
        self.graph.input_type.check(codes, self.graph.input_name)
        yield from self.graph.reference(codes.astype(np.int64))
