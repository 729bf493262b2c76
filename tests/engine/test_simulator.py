"""The simulator finds what breaks a rule: it is the judge of compilers and of hardware."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.layout import empty_records
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Program, Region
from hyq_hls.engine.simulate import Simulator
from hyq_hls.engine.simulate.array import run_array
from hyq_hls.engine.simulate.memories import Memories
from hyq_hls.errors import SimulationError
from hyq_hls.graph import Graph
from tests.golden.network import golden_graph

IMAGE = np.arange(48).reshape(4, 4, 3) * 5 % 256


@pytest.fixture(scope="module")
def graph() -> Graph:
    return golden_graph()


@pytest.fixture(scope="module")
def program(graph: Graph) -> Program:
    return compile_graph(graph, Sizes(pixels=4))


def changed(program: Program, index: int, **fields: object) -> Program:
    """The program with other fields in one instruction."""
    instructions = list(program.instructions)
    instructions[index] = replace(instructions[index], **fields)  # type: ignore[arg-type]
    return replace(program, instructions=tuple(instructions))


def first(program: Program, kind: str, after: int = 0) -> int:
    """Index of the first instruction of a kind."""
    kinds = [i.kind_name for i in program.instructions]
    return kinds.index(kind, after)


def test_a_frame_leaves_nothing_behind(graph: Graph, program: Program) -> None:
    simulator = Simulator(program, graph)
    once = simulator.run(IMAGE)
    simulator.run(255 - IMAGE)
    assert np.array_equal(simulator.run(IMAGE), once)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["load_map", "load_block", "array", "move", "store"])
def test_without_an_instruction_something_is_read_that_nobody_wrote(
    graph: Graph, program: Program, kind: str
) -> None:
    """Every instruction is needed; one that writes nothing here stands for a missing one."""
    quiet = isa.LoadBlock(target=isa.NORM, base=isa.CONSTANTS, offset=0, count=8)
    for index, instruction in enumerate(program.instructions):
        last = index == len(program.instructions) - 1
        if instruction.kind_name != kind or last:
            continue
        instructions = list(program.instructions)
        instructions[index] = quiet
        free = tuple(replace(i, waits=(0,) * 6) for i in instructions)
        broken = replace(program, instructions=free)
        with pytest.raises(SimulationError, match="which nobody wrote"):
            Simulator(broken, graph).run(IMAGE)


@pytest.mark.parametrize(
    "memory", ["features", "weights", "parameters", "tables", "exponentials", "norm", "scratch"]
)
def test_what_is_dead_counts_as_unwritten(program: Program, memory: str) -> None:
    memories = Memories(replace(program, scratch=64))
    cells = memories.dram[isa.SCRATCH] if memory == "scratch" else getattr(memories, memory)
    cells.written[:] = True
    memories.forget(Region(memory, 1, 3))
    of_one = cells.written.size - cells.written.sum()
    memories.forget(Region(memory, 4, 8))
    assert cells.written.size - cells.written.sum() == 3 * of_one > 0
    with pytest.raises(SimulationError, match="which nobody wrote"):
        cells.read(np.arange(cells.written.size))
    cells.read(np.flatnonzero(cells.written))


def test_an_overlap_is_found(graph: Graph, program: Program) -> None:
    index = first(program, "store") - 1
    array = program.instructions[index]
    assert isinstance(array, isa.Array)
    broken = changed(program, index, dst=array.src)
    with pytest.raises(SimulationError, match=r"instruction \d+ \(conv\): source and destination"):
        Simulator(broken, graph).run(IMAGE)


def test_a_wait_for_a_later_instruction_is_found(graph: Graph, program: Program) -> None:
    index = first(program, "store")
    waits = (*program.instructions[index].waits[:1], 1, 0, 0, 0, 0)
    with pytest.raises(SimulationError, match="waits for 1 of queue store; 0 stand before it"):
        Simulator(changed(program, index, waits=waits), graph).run(IMAGE)


def test_a_store_to_constants_is_found(graph: Graph, program: Program) -> None:
    broken = changed(program, first(program, "store"), base=isa.CONSTANTS)
    with pytest.raises(SimulationError, match="read only"):
        Simulator(broken, graph).run(IMAGE)


def test_an_address_outside_is_found(graph: Graph, program: Program) -> None:
    index = first(program, "load_map")
    view = isa.View(program.sizes.feature_words - 1, 1, 1)
    with pytest.raises(SimulationError, match="an address behind"):
        Simulator(changed(program, index, view=view), graph).run(IMAGE)


def test_a_signed_depthwise_sum_is_found(graph: Graph, program: Program) -> None:
    index = next(k for k, i in enumerate(program.instructions) if getattr(i, "depthwise", 0))
    with pytest.raises(SimulationError, match="depthwise sum has a prologue, or signed"):
        Simulator(changed(program, index, source=isa.FROM_FEATURES, signed=1), graph).run(IMAGE)


@pytest.mark.parametrize(
    ("byte", "signed", "weight", "fits"),
    [
        (255, 0, 128, True),
        (255, 0, -128, True),
        (255, 0, 129, False),
        (128, 0, -255, True),
        (129, 0, 129, False),
        (129, 0, -129, False),
        (255, 1, 255, True),
        (0, 1, -255, True),
        (0, 0, 256, False),
    ],
)
def test_two_products_must_fit_a_multiplier(
    program: Program, byte: int, signed: int, weight: int, fits: bool
) -> None:
    memories = Memories(program)
    memories.features.block(0, np.full(4, byte, np.uint8))
    memories.weights.block(0, np.full((1, 48), weight, np.int16))
    memories.parameters.block(0, empty_records(16))
    at = isa.View(0, 1, 1)
    array = isa.Array(
        src=at, dst=replace(at, base=8), rows=1, pixels=1, groups=1, channels=16, bits=8,
        signed=signed,
    )  # fmt: skip
    if fits:
        run_array(memories, array)
    else:
        with pytest.raises(SimulationError, match="two such products do not fit a multiplier"):
            run_array(memories, array)
