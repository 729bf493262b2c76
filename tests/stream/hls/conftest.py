"""One small compiled project that the tests share; those that change it take a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Add, Dense, GlobalAveragePool
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.csim import CSimulation
from hyq_hls.stream.hls.project import build_model
from tests.ahead import quick_project

BYTE = Quantization(8, False)
ONE = np.array([1])


def dense(rng: np.random.Generator, in_channels: int, out_channels: int) -> Dense:
    """A random layer on bytes whose output spreads over all bytes."""
    q = Quantization(8, False, zero_point=(128,))
    weight = rng.integers(-128, 128, (out_channels, in_channels))
    bias = -128 * weight.sum(axis=1)
    return Dense(weight, 8, bias, Requantize(q, np.array([8]), ONE))


def small_graph(seed: int = 0) -> Graph:
    """(4, 4, 3) bytes to (5,): a, b (reads a), c = a + b, pool, head."""
    rng = np.random.default_rng(seed)
    graph = Graph("image", TensorType((4, 4, 3), BYTE), {"model": "Small"})
    graph.add("a", dense(rng, 3, 4), "image")
    graph.add("b", dense(rng, 4, 4), "a")
    q = Quantization(8, False, zero_point=(128,))
    graph.add("c", Add((ONE, ONE), ((128,), (128,)), Requantize(q, ONE, ONE)), "a", "b")
    graph.add("pool", GlobalAveragePool((128,), Requantize(q, np.array([2]), ONE)), "c")
    graph.add("head", dense(rng, 4, 5), "pool")
    return graph


def images(count: int = 6, seed: int = 1) -> np.ndarray:
    """Random bytes (count, 4, 4, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)


def expected(graph: Graph, pixels: np.ndarray) -> np.ndarray:
    """Output codes of the reference."""
    return dict(graph.reference(pixels.astype(np.int64)))[graph.output_name]


def assert_cpp_equal(graph: Graph, codes: np.ndarray, folder: Path) -> None:
    """Every tensor of ``graph`` is the same in the reference and in the C++."""
    flow = build_dataflow(graph, {})
    build_model(flow, folder, "top", "xc7z020clg400-1", 150).write()
    library = quick_project(folder, "top", ("-O1",))
    streams = {name: (flow.names[name], node.type) for name, node in graph.nodes.items()}
    simulation = CSimulation(library, graph.input_type, graph.output_type, streams)
    wanted = dict(graph.reference(codes))
    for i in range(len(codes)):
        for name, found in simulation.trace(codes[i : i + 1]).items():
            assert np.array_equal(found[0], wanted[name][i]), f"sample {i}, {name}"


def convert_small(folder: Path, project: str = "net") -> Accelerator:
    """The project of ``small_graph`` with all lanes, so that a word is a position."""
    lanes = {"a": (4, 3), "b": (4, 4), "c": (4, 4), "pool": (4, 4), "head": (5, 4)}
    folding = {name: Folding(*pair) for name, pair in lanes.items()}
    model = QuantizedModel(small_graph())
    return convert(model, output_dir=folder, project=project, folding=folding)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """The project of ``small_graph``, compiled; not to be changed.

    Its path has a space and a variable of the shell, and its top function is called as a variable
    around it is.
    """
    folder = tmp_path_factory.mktemp("hls") / "shared $HOME project"
    return convert_small(folder, "sink").compile("-O1")


@pytest.fixture
def copied(project: Accelerator, tmp_path: Path) -> Accelerator:
    """A copy of the project, for edits."""
    shutil.copytree(project.folder, tmp_path / "copy")
    return Accelerator.open(tmp_path / "copy")


def edit(accelerator: Accelerator, name: str, old: str, new: str) -> None:
    """Replace text in a generated file."""
    path = accelerator.folder / name
    content = path.read_text()
    assert old in content, f"{old!r} is not in {name}"
    path.write_text(content.replace(old, new))
