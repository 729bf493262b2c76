"""The C++ of an engine with its program: a network that takes codes and gives codes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.csim import CSimulation
from hyq_hls.engine.program import Program
from hyq_hls.graph import Graph
from hyq_hls.graph.operation import Codes


class EngineNetwork:
    """A program on the compiled C++ of its machine; thread-safe.

    Args:
        csim: the compiled engine.
        graph: the graph.
        program: its program.
    """

    def __init__(self, csim: CSimulation, graph: Graph, program: Program) -> None:
        self._csim, self._graph, self._program = csim, graph, program
        self._observed: Program | None = None

    def predict(
        self, codes: NDArray[np.integer[Any]], progress: Callable[[int], object] | None = None
    ) -> Codes:
        r"""Return the output codes (B, \*output shape) of input codes (B, \*input shape).

        Args:
            codes: integers in the range of the input type.
            progress: called with 1 after every sample.

        Raises:
            GraphError: wrong shape, dtype or range.
            SimulationError: the engine stopped with an error.
        """
        self._graph.input_type.check(codes, "csim input")
        shape = self._graph.output_type.shape
        found = np.zeros((len(codes), *shape), np.int64)

        def run(sample: int) -> None:
            output = self._csim.output(self._program, codes[sample].astype(np.int64))
            found[sample] = output.reshape(shape)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(run, range(len(codes))):
                if progress is not None:
                    progress(1)
        return found

    def trace(self, codes: Codes) -> dict[str, Codes]:
        r"""Return the codes (1, \*shape) of the nodes whose tensors lie in DRAM, by name.

        Another program of the same graph runs for it: it leaves all of them there.

        Args:
            codes: int64 (1, \*input shape).

        Raises:
            GraphError, SimulationError: as for :meth:`predict`.
        """
        self._graph.input_type.check(codes, "csim input")
        if self._observed is None:
            self._observed = compile_graph(self._graph, self._program.sizes, observed=True)
        behind_bases = self._csim.run(self._observed, codes[0])
        found = self._observed.tensors(behind_bases, self._graph)
        return {name: tensor[None] for name, tensor in found.items()}
