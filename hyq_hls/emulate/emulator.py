"""The emulator: one torch function per node, prepared once, run on batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.emulate.kernels import Kernel, prepare
from hyq_hls.graph import Graph

_BATCH = 64
#: The process that loaded torch. Torch's threads do not live on in a process that forked from it,
#: such as a worker of a ``DataLoader``, which would wait for them for ever.
_PROCESS = os.getpid()


class Emulator:
    """Runs an integer graph fast; equal to ``Graph.reference`` on every code.

    Codes travel as float32 tensors (they have at most 16 bits). A node whose bounds no float type
    holds, or whose operation has no kernel, runs its reference. In a process that was forked, torch
    gets one thread.

    Args:
        graph: the integer graph; it is not changed.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._kernels: dict[str, Kernel] = {
            node.name: prepare(node, graph.input_types(node)) for node in graph.nodes.values()
        }
        self._last_reader: dict[str, str] = {}
        for node in graph.nodes.values():
            for name in node.inputs:
                self._last_reader[name] = node.name

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
        for start in range(0, len(codes), _BATCH):
            batch = codes[start : start + _BATCH]
            for name, value in self._run(batch):
                if name == self.graph.output_name:
                    output[start : start + _BATCH] = value.numpy()
            if progress is not None:
                progress(len(batch))
        return output

    def trace(self, codes: NDArray[np.integer]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Yield ``(name, codes)`` of every tensor, like ``Graph.reference``."""
        self.graph.input_type.check(codes, self.graph.input_name)
        for name, value in self._run(codes):
            yield name, value.numpy().astype(np.int64)

    @torch.inference_mode()
    def _run(self, codes: NDArray[np.integer]) -> Iterator[tuple[str, torch.Tensor]]:
        if os.getpid() != _PROCESS:
            torch.set_num_threads(1)
        images = torch.from_numpy(codes.astype(np.float32))
        values = {self.graph.input_name: images}
        yield self.graph.input_name, images
        for node in self.graph.nodes.values():
            operands = [values[name] for name in node.inputs] or [images]
            value = self._kernels[node.name](*operands)
            values[node.name] = value
            yield node.name, value
            for name in set(node.inputs):
                if self._last_reader[name] == node.name:
                    del values[name]
