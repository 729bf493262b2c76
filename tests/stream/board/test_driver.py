"""The PYNQ driver, its DMA simulated, its core our own RTL in Verilator."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Dense
from hyq_hls.parts import part
from hyq_hls.stream.board.project import write_board_files
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.verilator import Simulator
from tests.stream.board.fake_pynq import Board
from tests.stream.hls.conftest import small_graph
from tests.stream.rtl.conftest import planned, written
from tests.tools.verilator.conftest import QUICK

pytestmark = pytest.mark.slow

ONE = np.array([1])


def layer(inputs: Quantization, outputs: Quantization) -> Graph:
    """(2, 3, 3) codes to (2, 3, 6): one dense layer whose outputs fill their range."""
    rng = np.random.default_rng(outputs.bits)
    graph = Graph("image", TensorType((2, 3, 3), inputs), {"model": "Layer"})
    weight = rng.integers(-128, 128, (6, 3))
    bias = rng.integers(-1000, 1000, 6)
    shift = max(0, inputs.bits + 8 - outputs.bits)
    operation = Dense(weight, 8, bias, Requantize(outputs, np.array([shift]), ONE))
    graph.add("head", operation, "image")
    return graph


def turned(graph: Graph) -> Graph:
    """The same graph, whose user gets some codes in another order."""
    graph.output_index = np.array([[3, 0], [4, 4]])
    return graph


BYTE = Quantization(8, False)
#: Graph, foldings, and bytes of the words at the two ports.
CASES: dict[str, tuple[Graph, Mapping[str, Folding], tuple[int, int]]] = {
    "3 and 5 bytes": (small_graph(), {"a": Folding(4, 3), "head": Folding(5, 4)}, (4, 8)),
    "single bytes": (turned(small_graph(1)), {}, (1, 1)),
    "signed 5 to signed 12 bits": (
        layer(Quantization(5, True), Quantization(12, True)),
        {"head": Folding(3, 3)},
        (4, 8),
    ),
    "signed 16 bits": (layer(BYTE, Quantization(16, True)), {"head": Folding(2, 1)}, (1, 4)),
    "10 bits to signed 3": (
        layer(Quantization(10, False), Quantization(3, True)),
        {"head": Folding(6, 3)},
        (8, 8),
    ),
}


class Deployed:
    """A folder as overlay.tcl leaves it, and the design in a simulation."""

    def __init__(self, name: str, folder: Path) -> None:
        self.graph, foldings, self.word_bytes = CASES[name]
        flow = planned(self.graph, foldings)
        sources = written(flow, folder / "rtl")
        self.folder = folder / "board"
        write_board_files(flow, self.folder, "top", part("xc7z020"), 150.0)
        for kind in ("bit", "hwh"):
            (self.folder / f"top.{kind}").touch()
        wrapper = [self.folder / "hyq_dma_frames.sv", self.folder / "rtl" / "top_dma.v"]
        self.library = Simulator.build_library(
            [*sources, *wrapper],
            "top_dma",
            {"MemoryDir": str(folder / "rtl" / "memory")},
            folder=folder / "build",
            wires=False,  # the board sees the ports
            flags=QUICK,
        )

    def board(self, **options: Any) -> Board:
        simulation = Simulator(self.library)
        simulation.reset()
        return Board(simulation, self.word_bytes, **options)

    def codes(self, count: int, seed: int = 0) -> np.ndarray:
        """Random frames, the extreme codes among them."""
        q = self.graph.input_type.quantization
        shape = (count, *self.graph.input_type.shape)
        codes = np.random.default_rng(seed).integers(q.qmin, q.qmax + 1, shape)
        codes[0] = q.qmin
        codes[-1] = q.qmax
        return codes

    def reference(self, codes: np.ndarray) -> np.ndarray:
        last = dict(self.graph.reference(codes.astype(np.int64)))[self.graph.output_name]
        return self.graph.arranged(last)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Deployed]:
    """A deployed case by name, built once."""
    made: dict[str, Deployed] = {}

    def get(name: str) -> Deployed:
        if name not in made:
            made[name] = Deployed(name, tmp_path_factory.mktemp("driver"))
        return made[name]

    return get


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[Deployed, Board], Any]:
    """Imports the generated driver.py on a board."""

    def load_driver(deployed: Deployed, board: Board) -> Any:
        monkeypatch.setitem(sys.modules, "pynq", board.module())
        spec = importlib.util.spec_from_file_location("driver", deployed.folder / "driver.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_driver


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize("name", CASES)
def test_codes_of_the_board_are_those_of_the_reference(
    name: str, stalls: float, deployed: Any, load: Any
) -> None:
    case = deployed(name)
    board = case.board(stalls=stalls)
    codes = case.codes(7)
    wanted = case.reference(codes)
    assert len(np.unique(wanted)) > 5, "the outputs differ"
    with load(case, board).Driver(batch=3) as driver:
        for _ in range(2):  # the core is ready for more
            found = driver.codes(codes)
            assert found.dtype == np.int64
            assert found.shape == wanted.shape
            assert np.array_equal(found, wanted)
        assert np.array_equal(driver.codes(codes[2]), wanted[2:3]), "one frame, no batch axis"
        q = case.graph.output_type.quantization
        assert np.array_equal(driver.predict(codes[2]), q.dequantize(wanted[2:3]))
    frame = board.sendchannel.transfers[-1]
    assert board.sendchannel.transfers == [frame * n for n in (3, 3, 1, 3, 3, 1, 1, 1)]


def test_signed_codes_reach_both_ends(deployed: Any) -> None:
    case = deployed("signed 5 to signed 12 bits")
    wanted = case.reference(case.codes(50))
    assert wanted.min() < -1000
    assert wanted.max() > 1000


@pytest.mark.smoke
def test_buffers_are_freed_once(deployed: Any, load: Any) -> None:
    case = deployed("single bytes")
    board = case.board()
    driver = load(case, board).Driver(batch=2)
    assert board.bitfiles == [case.folder / "top.bit"]
    assert not any(buffer.freed for buffer in board.buffers)
    driver.close()
    driver.close()
    assert [buffer.freed for buffer in board.buffers] == [True, True]
    with pytest.raises(RuntimeError, match="closed; make a new one"):
        driver.codes(case.codes(1))


def test_buffers_are_freed_after_an_error(deployed: Any, load: Any) -> None:
    case = deployed("single bytes")
    board = case.board()
    with pytest.raises(TypeError), load(case, board).Driver() as driver:
        driver.codes(case.codes(1).astype(float))
    assert all(buffer.freed for buffer in board.buffers)


@pytest.mark.parametrize(
    ("codes", "error", "message"),
    [
        (np.zeros((2, 4, 4, 3)), TypeError, "integer codes are wanted, found dtype float64"),
        (np.zeros((0, 4, 4, 3), int), ValueError, r"\(B, 4, 4, 3\) with B >= 1 .* \(0, 4, 4, 3\)"),
        (np.zeros((2, 3, 4, 4), int), ValueError, r"\(B, 4, 4, 3\) .* found \(2, 3, 4, 4\)"),
        (np.full((1, 4, 4, 3), 256), ValueError, r"\[256, 256\] leave the range \[0, 255\]"),
        (np.full((1, 4, 4, 3), -1), ValueError, r"\[-1, -1\] leave the range \[0, 255\]"),
    ],
)
def test_unusable_codes(
    codes: np.ndarray, error: type[Exception], message: str, deployed: Any, load: Any
) -> None:
    case = deployed("single bytes")
    board = case.board()
    with load(case, board).Driver() as driver, pytest.raises(error, match=message):
        driver.codes(codes)
    assert board.sendchannel.transfers == []


@pytest.mark.parametrize("batch", [0, -1, 1_398_102])
def test_a_batch_that_fits_no_transfer(batch: int, deployed: Any, load: Any) -> None:
    case = deployed("single bytes")
    board = case.board()
    with pytest.raises(ValueError, match=rf"batch={batch}: 1 to 1398101 frames of 48 bytes fit"):
        load(case, board).Driver(batch=batch)
    assert board.buffers == []


def test_a_stream_description_of_another_project_is_noticed(
    deployed: Any, load: Any, tmp_path: Path
) -> None:
    """Frames of 96 beats instead of 48: the transfer goes on after its only frame."""
    case = deployed("single bytes")
    board = case.board()
    streams = json.loads((case.folder / "streams.json").read_text())
    streams["input"] |= {"shape": [4, 4, 6], "beats": 96}
    (tmp_path / "streams.json").write_text(json.dumps(streams))
    wrong = r"a transfer that was not 1 of its frames, .* check that streams\.json belongs"
    driver = load(case, board).Driver(streams=tmp_path / "streams.json")
    with driver, pytest.raises(RuntimeError, match=wrong):
        driver.codes(np.zeros((1, 4, 4, 6), np.uint8))


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize("words", [-49, -48, -47, -1, 1, 2, 47, 48, 49, 100])
def test_the_transfer_after_a_wrong_one_is_right(
    words: int, stalls: float, deployed: Any, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transfer of two frames of 48 words is some words short or long."""
    case = deployed("single bytes")
    board, codes = case.board(stalls=stalls), case.codes(5)
    wanted = case.reference(codes)
    transfer = board.sendchannel.transfer
    with load(case, board).Driver(batch=5) as driver:
        for _ in range(2):
            with monkeypatch.context() as patched:
                patched.setattr(
                    board.sendchannel,
                    "transfer",
                    lambda array, nbytes: transfer(array, nbytes=nbytes + words),
                )
                with pytest.raises(RuntimeError, match="not 2 of its frames"):
                    driver.codes(codes[:2])
            assert np.array_equal(driver.codes(codes), wanted)
    assert board.read(8) == 2


def test_missing_bytes_of_a_word_are_noticed(deployed: Any, load: Any) -> None:
    case = deployed("3 and 5 bytes")
    board, codes = case.board(), case.codes(2)
    with load(case, board).Driver() as driver:
        board.keep = 0b0111
        with pytest.raises(RuntimeError, match="not 2 of its frames"):
            driver.codes(codes)
        board.keep = 0b1111
        assert np.array_equal(driver.codes(codes), case.reference(codes))
