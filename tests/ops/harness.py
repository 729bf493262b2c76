"""One operation in a graph of its own: reference, emulation and C++ on the same codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Operation, Quantization, TensorType
from hyq_hls.graph.file import load, save
from hyq_hls.graph.requantize import Requantize
from hyq_hls.hls.csim import CSimulation, compile_project
from hyq_hls.hls.project import build_model
from hyq_hls.ops import OPERATIONS, Dense

#: Small test projects compile faster than they would run faster.
FAST_COMPILE = ("-O1",)
BIT_ACCURATE = (*FAST_COMPILE, "-DHYQ_BIT_ACCURATE")


def random_codes(
    tensor: TensorType, rng: np.random.Generator, samples: int = 4
) -> NDArray[np.int64]:
    """Codes (samples + 2, \\*shape): random ones, then all smallest, then all largest."""
    q = tensor.quantization
    codes = rng.integers(q.qmin, q.qmax + 1, (samples + 2, *tensor.shape))
    codes[-2], codes[-1] = q.qmin, q.qmax
    return codes


def run_csim(
    graph: Graph, codes: NDArray[np.int64], folder: Path, flags: tuple[str, ...] = FAST_COMPILE
) -> NDArray[np.int64]:
    """Output codes of the compiled C++ of a whole graph."""
    model, _ = build_model(graph, folder, "top", "xc7z020clg400-1", 150)
    model.write()
    library = compile_project(folder, "top", flags)
    return CSimulation(library, graph.input_type, graph.output_type).predict(codes)


def reference(graph: Graph, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Output codes of the reference."""
    return dict(graph.reference(codes))[graph.output_name]


def several_inputs(
    operation: Operation, types: list[TensorType], rng: np.random.Generator
) -> Graph:
    """A graph that feeds ``operation`` with inputs of the given types.

    A graph has one input, so each operand is made from it by a random dense layer (operands must
    therefore agree in all but the last axis).
    """
    source = TensorType((*types[0].shape[:-1], 4), Quantization(8, True))
    graph = Graph("x", source)
    for i, t in enumerate(types):
        graph.add(f"operand{i}", dense_to(t, source.channels, rng), "x")
    graph.add("op", operation, *(f"operand{i}" for i in range(len(types))))
    return graph


def dense_to(tensor: TensorType, in_channels: int, rng: np.random.Generator) -> Dense:
    """A random dense layer whose output spreads over all codes of an affine ``tensor``."""
    weight = rng.integers(-128, 128, (tensor.channels, in_channels))
    shift = np.array([max(0, 15 + in_channels.bit_length() - tensor.quantization.bits - 1)])
    requantize = Requantize(tensor.quantization, shift, np.array([1]))
    return Dense(weight, 8, rng.integers(-999, 1000, tensor.channels), requantize)


def saved_and_loaded(graph: Graph, folder: Path) -> Graph:
    """The graph after a round trip through its file format."""
    return load(save(graph, folder / "graph.hyq"), OPERATIONS)
