"""The whole RTL of the engine beside the functional simulator; faults are named where they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls import QuantizedModel, quantize
from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cosim import DramModel, EngineRun, Image, build_engine, cosimulate, cycle_lines
from hyq_hls.engine.cosim.library import STOPPED, EngineModel
from hyq_hls.engine.cosim.run import CONTROL, ENDED, PATIENCE, register_writes
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import Rates, predict
from hyq_hls.engine.program import Program
from hyq_hls.errors import InputError, SimulationError
from hyq_hls.graph import Graph
from hyq_hls.models import digits, mobilevit_xxs
from tests.engine.family_graphs import maximum
from tests.engine.graphs import random_codes
from tests.engine.members import MEMBERS, member
from tests.engine.test_operations import CASES, layer_norm
from tests.golden.network import golden_graph

SIZES = Sizes(pixels=2)
SOFT_RESET, FRAMES, FRAME_ERRORS = 2, 0x2C, 0x30
IMAGE = np.random.default_rng(0).integers(0, 256, (4, 4, 3))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_engine(SIZES, tmp_path_factory.mktemp("engine"))


@pytest.fixture
def graph() -> Graph:
    return golden_graph()


@pytest.fixture
def program(graph: Graph) -> Program:
    return compile_graph(graph, SIZES)


def check_frame(
    library: Path, graph: Graph, codes: Any, sizes: Sizes, dram: DramModel
) -> EngineRun:
    """Co-simulate a frame, and compare its codes and, on an ideal memory, its cycles."""
    program = compile_graph(graph, sizes)
    run = cosimulate(library, program, graph, codes, dram)
    assert np.array_equal(run.outputs, dict(graph.reference(codes[None]))[graph.output_name][0])
    prediction = predict(program, Rates(latency=dram.latency))
    assert (8 * run.read, 8 * run.written) == (prediction.read, prediction.written)
    if not dram.read_stall and not dram.write_stall and dram.bandwidth == 1:
        alone = run.instructions[1] - run.instructions[0]
        assert np.array_equal(alone, prediction.instructions)
        assert run.cycles == prediction.cycles
    else:
        assert run.cycles > prediction.cycles
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "dram",
    [
        DramModel(),
        DramModel(latency=1),
        DramModel(latency=100),
        DramModel(read_stall=0.5, write_stall=0.5, seed=1),
        DramModel(bandwidth=0.3),
    ],
    ids=["ideal", "quick", "late", "stalls", "narrow"],
)
def test_the_golden_network(library: Path, graph: Graph, dram: DramModel) -> None:
    check_frame(library, graph, IMAGE, SIZES, dram)


@pytest.mark.slow
@pytest.mark.parametrize("stall", [0.0, 0.2])
def test_the_default_network(library: Path, default_qmodel: QuantizedModel, stall: float) -> None:
    codes = digits.calibration(1)[0].astype(np.int64)
    dram = DramModel(read_stall=stall, write_stall=stall)
    check_frame(library, default_qmodel.graph, codes, SIZES, dram)


@pytest.mark.slow
@pytest.mark.parametrize("stall", [0.0, 0.2])
@pytest.mark.parametrize("name", MEMBERS)
def test_members_of_other_families(library: Path, name: str, stall: float) -> None:
    dram = DramModel(read_stall=stall, write_stall=stall)
    check_frame(library, *member(name), SIZES, dram)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_operations(library: Path, case: Callable[[np.random.Generator], Graph]) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        graph = case(rng)
        stall = 0.3 * (seed % 2)
        dram = DramModel(30, read_stall=stall, write_stall=stall / 2, seed=seed)
        sizes = Sizes(pixels=2, feature_words=1024, weight_words=256)
        check_frame(library, graph, random_codes(rng, graph.input_type), sizes, dram)


@pytest.mark.slow
def test_more_pixels(graph: Graph, tmp_path: Path) -> None:
    """Four of them go the whole road in test_machine.py."""
    sizes = Sizes(pixels=8, softmax_lanes=1, norm_lanes=4, feature_words=512)
    wide = build_engine(sizes, tmp_path, flags=("-O0",))
    norms = layer_norm(np.random.default_rng(2))
    codes = random_codes(np.random.default_rng(2), norms.input_type)
    for dram in (DramModel(), DramModel(read_stall=0.4, write_stall=0.4, seed=2)):
        check_frame(wide, graph, IMAGE, sizes, dram)
        check_frame(wide, norms, codes, sizes, dram)


@pytest.mark.slow
def test_mobilevit_xxs(library: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    graph = quantize(mobilevit_xxs().eval(), images, progress=False).graph
    check_frame(library, graph, images[0].astype(np.int64), SIZES, DramModel())


@pytest.mark.slow
def test_the_report(library: Path, graph: Graph, program: Program) -> None:
    run = cosimulate(library, program, graph, IMAGE)
    text = "\n".join(cycle_lines(program, run, predict(program)))
    assert re.search(rf"all +{len(program.instructions)} +{run.cycles:,} +{run.cycles:,} ", text)
    assert f"{8 * run.read:,} bytes read" in text
    assert f"array {100 * run.busy['array'] / run.cycles:.1f} %" in text


def index_of(program: Program, kind: type[isa.Instruction], **fields: int) -> int:
    return next(
        k
        for k, i in enumerate(program.instructions)
        if isinstance(i, kind) and all(getattr(i, n) == v for n, v in fields.items())
    )


def changed(program: Program, index: int, **fields: Any) -> Image:
    """An image whose program differs in one instruction."""
    instructions = list(program.instructions)
    instructions[index] = replace(instructions[index], **fields)
    return Image.of(replace(program, instructions=tuple(instructions)), IMAGE)


def fault(library: Path, program: Program, graph: Graph, image: Image) -> str:
    with pytest.raises(SimulationError) as error:
        cosimulate(library, program, graph, IMAGE, image=image)
    return str(error.value)


@pytest.mark.slow
def test_a_flipped_weight_is_named(library: Path, graph: Graph, program: Program) -> None:
    index = index_of(program, isa.LoadBlock, target=isa.WEIGHTS)
    load = program.instructions[index]
    assert isinstance(load, isa.LoadBlock)
    image = Image.of(program, IMAGE)
    at = load.offset + 48 + 3 * 2 + 1  # word 1, output 2, input 1
    image.bytes_of("constants")[at] ^= 0x80
    weight = int(program.constants[at].astype(np.int8))
    assert fault(library, program, graph, image) == (
        f"instruction {index} (conv): output 2, input 1 of weight word {load.dest + 1} is "
        f"{weight ^ -128 if weight >= 0 else weight + 128}; {weight} was expected\n"
        f"  {isa.show(load)}"
    )


@pytest.mark.slow
def test_a_wrong_sum_is_named(library: Path, graph: Graph, program: Program) -> None:
    index = min(i for i, tag in program.tags.items() if tag.node == "conv")
    array = program.instructions[index]
    assert isinstance(array, isa.Array)
    message = fault(library, program, graph, changed(program, index, bits=array.bits - 1))
    found = re.match(
        rf"instruction {index} \(conv\): byte \d of word \d+ in bank \d of the feature memory, "
        r"conv\[(\d+), (\d+), (\d+)\], is (\d+); (\d+) was expected\n  array ",
        message,
    )
    assert found, message
    *where, got, expected = map(int, found.groups())
    conv = dict(graph.reference(IMAGE[None]))["conv"][0]
    assert conv[tuple(where)] - graph.type("conv").quantization.qmin == expected
    assert got == (1 << (array.bits - 1)) - 1


@pytest.mark.slow
def test_a_wrong_sum_between_two_sums_is_named_by_its_place(library: Path) -> None:
    graph = maximum(np.random.default_rng(0))
    program = compile_graph(graph, SIZES)
    index = min(i for i, tag in program.tags.items() if not tag.node and not tag.behind_table)
    instructions = list(program.instructions)
    array = instructions[index]
    assert isinstance(array, isa.Array)
    instructions[index] = replace(array, constant=255, source=isa.FROM_CONSTANT)
    codes = random_codes(np.random.default_rng(0), graph.input_type)
    image = Image.of(replace(program, instructions=tuple(instructions)), codes)
    with pytest.raises(SimulationError) as error:
        cosimulate(library, program, graph, codes, image=image)
    assert re.match(
        rf"instruction {index} \(y\): byte \d of word \d+ in bank \d of the feature memory is \d+; "
        r"\d+ was expected\n  array ",
        str(error.value),
    )


@pytest.mark.slow
def test_a_wrong_store_is_named(library: Path, graph: Graph, program: Program) -> None:
    index = index_of(program, isa.Store)
    store = program.instructions[index]
    assert isinstance(store, isa.Store)
    view = replace(store.view, base=store.view.base + 1)
    message = fault(library, program, graph, changed(program, index, view=view))
    assert re.match(
        rf"instruction {index} \(conv\): byte \d+ of scratch \(address 0x[0-9a-f]{{8}}\), "
        r"conv at row \d+, pixel \d+, channel \d+, is \d+; \d+ was expected\n  store ",
        message,
    )


@pytest.mark.slow
def test_a_transfer_outside_is_refused(library: Path, graph: Graph, program: Program) -> None:
    index = index_of(program, isa.Store)
    image = Image.of(program, IMAGE)
    address = image.part("scratch").address - 0x1000
    offset = 0x1_0000_0000 - 0x1000
    found = fault(library, program, graph, changed(program, index, offset=offset))
    assert re.match(
        rf"instruction {index} \(conv\): write of \d+ bytes at {address:#010x} lies outside of "
        r"output 0x\w+ to 0x\w+, scratch 0x\w+ to 0x\w+\n  store ",
        found,
    )
    index = index_of(program, isa.LoadMap)
    found = fault(library, program, graph, changed(program, index, offset=1 << 20))
    assert re.match(rf"instruction {index} \(conv\): read of \d+ bytes at 0x\w+ lies", found)


@pytest.mark.slow
def test_an_error_of_the_engine_is_told(library: Path, graph: Graph, program: Program) -> None:
    image = Image.of(program, IMAGE)
    image.bytes_of("program")[3 * isa.BYTES + 1] = 2
    found = fault(library, program, graph, image)
    assert found.startswith("instruction 3 (conv): the engine stopped with error 1 (version)")


@pytest.mark.slow
def test_after_soft_resets_a_frame_is_right(library: Path, graph: Graph, program: Program) -> None:
    """A reset comes behind any instruction and some cycles; DRAM refuses what it must not see."""
    image = Image.of(program, IMAGE)
    dram = DramModel(latency=20, read_stall=0.3, write_stall=0.3)
    with EngineModel(library, image, dram) as engine:
        for stops in range(0, len(program.instructions), 2):
            for address, value in register_writes(image):
                engine.write(address, value)
            for _ in range(stops):
                assert engine.advance(stops=True, patience=PATIENCE) == STOPPED
            for _ in range(stops % 7):
                engine.read(ENDED)
            engine.write(CONTROL, SOFT_RESET)
            while engine.read(CONTROL):
                pass
            assert engine.read(ENDED) == 0
        image.bytes_of("output")[:] = 0
        for address, value in register_writes(image):
            engine.write(address, value)
        engine.advance(stops=False, patience=PATIENCE)
        assert (engine.read(FRAMES), engine.read(FRAME_ERRORS)) == (1, 0)
    found = program.output.unpack(image.bytes_of("output"))
    assert np.array_equal(found, dict(graph.reference(IMAGE[None]))[graph.output_name][0])


@pytest.mark.slow
def test_everything_is_compared_at_the_end(
    library: Path, graph: Graph, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyq_hls.engine.cosim.run.written_memory", lambda _: "exponentials")
    image = Image.of(program, IMAGE)
    loads = [i for i in program.instructions if isinstance(i, isa.LoadBlock)]
    last = [i for i in loads if i.target == isa.PARAMETERS][-1]
    image.bytes_of("constants")[last.offset] ^= 1  # the bias of a record
    assert re.match(
        r"at the end byte \d of word \d+ in bank \d of the feature memory is \d+; \d+ was expected",
        fault(library, program, graph, image),
    )


def test_a_memory_that_cannot_be() -> None:
    with pytest.raises(InputError, match="latency >= 1"):
        DramModel(latency=0)
    with pytest.raises(InputError, match="stalls 0 <= p < 1"):
        DramModel(write_stall=1.0)
