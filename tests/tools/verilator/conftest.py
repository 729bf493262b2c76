"""A small design by hand: ``add_one.sv``, with faults that a file chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.tools.verilator import RtlSimulation, StreamFormat, StreamInfo, build_cosimulation

HERE = Path(__file__).parent
ADD_ONE = HERE / "add_one.sv"
NESTED = HERE / "nested.sv"
BEATS, LANES = 4, 2
INPUT = StreamFormat(BEATS, LANES, bits=8, signed=True)
OUTPUT = StreamFormat(BEATS, LANES, bits=9, signed=True)
STREAMS = [StreamInfo("in", INPUT), StreamInfo("sum", OUTPUT)]
FAULTS = ["none", "swallow", "hang", "drop", "repeat", "fatal", "last", "frame_error"]
#: The tests build often and simulate little.
QUICK = ("-O0",)


def frames(count: int, seed: int = 0) -> np.ndarray:
    """Codes over the whole range, int64 (count, 8)."""
    return np.random.default_rng(seed).integers(-128, 128, (count, BEATS * LANES))


@pytest.fixture(scope="session")
def memory_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("memory")


@pytest.fixture(scope="session")
def library(memory_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_cosimulation(
        ADD_ONE,
        "add_one",
        tmp_path_factory.mktemp("add_one"),
        parameters={"MemoryDir": str(memory_dir), "Beats": BEATS},
        trace=True,
        flags=QUICK,
    )


@pytest.fixture
def with_fault(library: Path, memory_dir: Path) -> Callable[[str], RtlSimulation]:
    """A function: name of a fault -> simulation; the file is read when a run starts."""

    def choose(name: str) -> RtlSimulation:
        (memory_dir / "fault.hex").write_text(f"{FAULTS.index(name):02x}\n")
        return RtlSimulation(library, INPUT, OUTPUT, STREAMS)

    return choose


@pytest.fixture
def simulation(with_fault: Callable[[str], RtlSimulation]) -> RtlSimulation:
    return with_fault("none")
