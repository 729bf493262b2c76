"""The C++ of the engine: its memories equal the simulator's after every node; checks of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hyq_hls import QuantizedModel
from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.csim import CSimulation, compile_csim, write_csim
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Program
from hyq_hls.engine.simulate import Simulator
from hyq_hls.errors import CompilationError, SimulationError
from hyq_hls.graph import Graph
from hyq_hls.models import digits
from tests.engine.graphs import random_codes
from tests.engine.members import MEMBERS, member
from tests.engine.test_operations import CASES
from tests.golden.network import golden_graph
from verif.schedule import check_project as check_schedule
from verif.vitis_subset import check_project as check_subset

pytestmark = pytest.mark.slow

#: The smallest and a larger machine; their feature memories make several tiles of most maps.
SIZES = {pixels: Sizes(pixels=pixels, feature_words=2048 // pixels) for pixels in (2, 4)}
IMAGE = np.arange(48).reshape(4, 4, 3) * 5 % 256
#: The vendor's types are system headers; two warnings about them appear in our code.
_FLAGS = (
    *("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"),
    *("-Wno-uninitialized", "-Wno-maybe-uninitialized", "-isystem", "firmware/ap_types"),
)


@pytest.fixture(scope="module", params=SIZES)
def sizes(request: pytest.FixtureRequest) -> Sizes:
    return SIZES[request.param]


@pytest.fixture(scope="module")
def project(sizes: Sizes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine") / "project"
    write_csim(sizes, folder)
    return folder


@pytest.fixture(scope="module")
def engine(project: Path) -> CSimulation:
    return compile_csim(project, _FLAGS)


def state(
    engine: CSimulation, program: Program, codes: NDArray[np.int64], count: int
) -> tuple[NDArray[np.uint8], ...]:
    """Output, scratch and feature memory after some instructions; a store brings the last."""
    banks, words = program.sizes.pixels, program.sizes.feature_words
    scratch, size = -(-program.scratch // 8) * 8, 4 * banks * words
    dump = isa.Store(
        base=isa.SCRATCH, offset=scratch, rows=1, pixels=banks, words=words, pitch=size,
        view=isa.View(),
    )  # fmt: skip
    instructions = (*program.instructions[:count], dump)
    longer = replace(program, instructions=instructions, scratch=scratch + size)
    found = engine.run(longer, codes)
    return found[isa.OUTPUT], found[isa.SCRATCH][: program.scratch], found[isa.SCRATCH][scratch:]


def check(engine: CSimulation, graph: Graph, codes: NDArray[np.int64], sizes: Sizes) -> None:
    """Compare DRAM and the feature memory after every node, and the output, with the simulator."""
    program = compile_graph(graph, sizes)
    simulator = Simulator(program, graph)
    stops = [*list(program.nodes)[1:], len(program.instructions)]
    last = {name: stop - 1 for name, stop in zip(program.nodes.values(), stops, strict=True)}
    for index, _ in simulator.steps(codes):
        if index not in last.values():
            continue
        memories = simulator.memories
        expected = memories.dram[isa.OUTPUT], memories.dram[isa.SCRATCH], memories.features
        for memory, found in zip(expected, state(engine, program, codes, index + 1), strict=True):
            equal = (found == memory.data) | ~memory.written
            assert equal.all(), f"{program.node_of(index)}: {memory.name}"
    output = program.output.unpack(simulator.memories.dram[isa.OUTPUT].data)
    assert np.array_equal(engine.output(program, codes), output)


def test_networks(engine: CSimulation, sizes: Sizes, default_qmodel: QuantizedModel) -> None:
    check(engine, golden_graph(), IMAGE, sizes)
    if sizes.pixels == 4:  # the state is compared behind every instruction, which takes long
        check(engine, default_qmodel.graph, digits.calibration(1)[0].astype(np.int64), sizes)


@pytest.mark.parametrize("name", MEMBERS)
def test_members_of_other_families(engine: CSimulation, sizes: Sizes, name: str) -> None:
    check(engine, *member(name), sizes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_random_graphs(
    engine: CSimulation, sizes: Sizes, case: Callable[[np.random.Generator], Graph]
) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        graph = case(rng)
        check(engine, graph, random_codes(rng, graph.input_type), sizes)


@pytest.mark.smoke
def test_exact_widths(tmp_path: Path) -> None:
    """The integers that Vitis HLS sees, as wide as the specification says."""
    sizes = SIZES[2]
    write_csim(sizes, tmp_path / "p")
    engine = compile_csim(tmp_path / "p", ("-O1", *_FLAGS, "-DHYQ_BIT_ACCURATE"))
    check(engine, golden_graph(), IMAGE, sizes)
    for case in CASES:
        rng = np.random.default_rng(1)
        graph = case(rng)
        check(engine, graph, random_codes(rng, graph.input_type), sizes)


def test_what_stops_the_engine(
    engine: CSimulation, sizes: Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = compile_graph(golden_graph(), sizes)
    wrong = isa.LoadBlock(target=6, base=isa.CONSTANTS, offset=0, count=8)
    broken = replace(program, instructions=(*program.instructions[:3], wrong))
    with pytest.raises(SimulationError, match="stopped at instruction 3: an unknown target"):
        engine.run(broken, IMAGE)
    monkeypatch.setattr(isa, "VERSION", 2)
    with pytest.raises(SimulationError, match="stopped at instruction 0: an unknown version"):
        engine.run(program, IMAGE)


def test_the_cpp_is_in_the_subset_and_reaches_its_intervals(project: Path, sizes: Sizes) -> None:
    found = check_subset(project)
    assert not found.findings, "\n".join(map(str, found.findings))
    headers = {path.name for path in (project / "firmware" / "hyq" / "engine").glob("*.h")}
    assert headers <= {path.name for path in found.files}, "a header was not read"
    if sizes.pixels == 2:  # the loops are the same
        reports = check_schedule(project)
        assert not [str(report) for report in reports if report.reasons]


def test_a_missing_compiler_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CompilationError, match="no-such-compiler was not found"):
        compile_csim(project)
