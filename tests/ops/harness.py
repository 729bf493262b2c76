"""One operation in a graph of its own: reference, emulation and C++ on the same codes."""

from __future__ import annotations

from itertools import accumulate
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
#: No warning in our headers. Labels and pragmas are for synthesis; the headers of ap_int are not
#: ours, and its default constructor reads what it was about to set.
STRICT = (
    *("-Wall", "-Wextra", "-Werror", "-Wno-unused-label", "-Wno-unknown-pragmas"),
    *("-Wno-uninitialized", "-Wno-maybe-uninitialized", "-isystem", "firmware/ap_types"),
)


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


def assert_csim_equal(graph: Graph, codes: NDArray[np.int64], folder: Path) -> None:
    """Every tensor of ``graph`` is the same in the reference and in both builds of the C++.

    Many operations in one graph cost one compilation for each build.
    """
    model, names = build_model(graph, folder, "top", "xc7z020clg400-1", 150)
    model.write()
    expected = dict(graph.reference(codes))
    streams = {name: (names[name], node.type) for name, node in graph.nodes.items()}
    for flags in (FAST_COMPILE, BIT_ACCURATE):
        library = compile_project(folder, "top", (*flags, *STRICT))
        simulation = CSimulation(library, graph.input_type, graph.output_type)
        for i in range(len(codes)):
            for name, found in simulation.trace(codes[i : i + 1], streams).items():
                same = np.array_equal(found[0], expected[name][i])
                assert same, f"sample {i}, {name}, flags {flags}"


def saved_and_loaded(graph: Graph, folder: Path) -> Graph:
    """The graph after a round trip through its file format."""
    return load(save(graph, folder / "graph.hyq"), OPERATIONS)


def chosen_operands(types: list[TensorType]) -> Graph:
    """A graph with nodes ``operand0``, ``operand1``, ... whose codes a test chooses freely.

    Its input carries all operands side by side (they must agree in all but the last axis); see
    :func:`operand_codes`.
    """
    ends = list(accumulate(t.channels for t in types))
    graph = Graph("x", TensorType((*types[0].shape[:-1], ends[-1]), Quantization(16, True)))
    for i, (tensor, end) in enumerate(zip(types, ends, strict=True)):
        q = tensor.quantization
        weight = np.eye(ends[-1], dtype=np.int64)[end - tensor.channels : end]
        # Input code -2**15 is the operand's smallest code.
        bias = np.full(tensor.channels, (1 << 15) + q.qmin) - np.asarray(q.zero_point)
        same = Requantize(q, np.array([0]), np.array([1]))
        graph.add(f"operand{i}", Dense(weight, 2, bias, same), "x")
    return graph


def operand_codes(types: list[TensorType], codes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Input codes of :func:`chosen_operands` that give the operands these codes."""
    parts = [c - t.quantization.qmin - (1 << 15) for t, c in zip(types, codes, strict=True)]
    return np.concatenate(parts, axis=-1)
