"""The emulator: one torch function per node, prepared once, run on batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.emulate.attention import bounds_behind_softmax
from hyq_hls.emulate.exact import Kernel
from hyq_hls.emulate.kernels import prepare
from hyq_hls.graph import Graph, Node
from hyq_hls.ops import AttentionValues
from hyq_hls.ops.softmax import Softmax

#: Most images of a batch, and most elements of its largest tensor, as far as one image allows.
_BATCH, _ELEMENTS = 64, 1 << 21
#: The process that loaded torch. Torch's threads do not live on in a process that forked from it,
#: such as a worker of a ``DataLoader``, which would wait for them for ever.
_PROCESS = os.getpid()


class Emulator:
    """Runs an integer graph fast; equal to ``Graph.reference`` on every code.

    Codes travel as float32 tensors (they have at most 16 bits). A node whose bounds no float type
    holds, or whose operation has no kernel, runs its reference.

    Several batches run side by side, each in one thread. So threads meet once per batch and not at
    every operation, where one that has no core to run on would keep all others waiting. In a
    process that was forked, torch gets one thread.

    Args:
        graph: the integer graph; it is not changed.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._kernels: dict[str, Kernel] = {
            node.name: prepare(_within_bounds(graph, node), graph.input_types(node))
            for node in graph.nodes.values()
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
        threads = torch.get_num_threads() if os.getpid() == _PROCESS else 1
        size = min(self.graph.batch_size(_BATCH, _ELEMENTS), -(-len(codes) // threads))
        starts = range(0, len(codes), max(1, size))

        def run(start: int) -> int:
            batch = codes[start : start + size]
            for name, value in self._run(batch):
                if name == self.graph.output_name:
                    output[start : start + size] = value.numpy()
            return len(batch)

        for count in _side_by_side(run, starts, min(threads, len(starts))):
            if progress is not None:
                progress(count)
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


def _within_bounds(graph: Graph, node: Node) -> Node:
    """Return the node with the bounds of its sums that follow from what writes its inputs."""
    operation = node.operation
    if not isinstance(operation, AttentionValues) or node.inputs[0] not in graph.nodes:
        return node
    writer = graph.nodes[node.inputs[0]].operation
    if not isinstance(writer, Softmax):
        return node
    bounds = bounds_behind_softmax(operation, writer, graph.input_types(node)[1])
    return replace(node, accumulator=bounds)


def _side_by_side(run: Callable[[int], int], starts: range, threads: int) -> Iterator[int]:
    """Yield the results of ``run`` in order; every thread computes alone, without torch's own."""
    if threads <= 1:
        yield from map(run, starts)
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # New threads take it over.
    try:
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(run, starts)
    finally:
        torch.set_num_threads(before)
