"""Predicted cycles: the formulas by hand on single instructions, and sums over a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.isa import Instruction, View
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import Rates, predict
from tests.engine.test_operations import layer_norm
from tests.golden.network import golden_graph

RATES = Rates(latency=30)
AT = View(0, 8, 4)


@pytest.mark.parametrize(
    ("instruction", "cycles"),
    [
        # The prologue of 15 steps waits for the parameters, which come after 21 cycles; then 3 rows
        # of 4 tiles of 30 steps; the second group begins with the 15 steps of its prologue, which
        # take less than its parameters; the last codes leave 31 cycles later.
        (
            isa.Array(
                src=AT, dst=AT, rows=3, pixels=7, groups=2, channels=32, bits=8, passes=2,
                kernel_x=3, steps=5, prologue=1, repeat=1,
            ),
            2 * (21 + 12 * 30) + 31,
        ),
        # The first tile of one step waits for the parameters, the others for two pixels that leave.
        (
            isa.Array(
                src=AT, dst=AT, rows=1, pixels=20, groups=1, channels=16, bits=8, depthwise=1
            ),
            21 + 9 * 2 + 28,
        ),
        # 200 bytes in a row are two bursts, but 25 beats take longer, and 50 words still longer.
        (
            isa.LoadMap(base=3, offset=0, rows=4, pixels=5, words=10, pitch=200, view=AT),
            6 + 30 + 4 * 25,
        ),
        (
            isa.LoadMap(base=3, offset=0, rows=4, pixels=10, words=5, pitch=200, view=AT),
            6 + 30 + 4 * 50,
        ),
        # Eight bursts of a beat are asked for in 16 cycles; the ninth waits until the first has
        # come, a cycle after the first latency.
        (
            isa.LoadMap(base=3, offset=0, rows=9, pixels=1, words=2, pitch=200, view=AT),
            6 + 30 + 1 + 30 + 1,
        ),
        (
            isa.LoadBlock(target=isa.TABLES, base=0, offset=0, count=256, dest=0),
            6 + 30 + 256,
        ),
        (
            isa.Store(base=3, offset=0, rows=4, pixels=5, words=10, pitch=200, view=AT),
            13 + 30 + 100,
        ),
        (
            isa.Store(base=3, offset=0, rows=4, pixels=10, words=5, pitch=200, view=AT),
            13 + 30 + 200,
        ),
        # The addresses of rows of a beat take two cycles each.
        (
            isa.Store(base=3, offset=0, rows=9, pixels=1, words=2, pitch=200, view=AT),
            13 + 30 + 2 * 9 - 5,
        ),
        # A row takes 4 cycles and 1 for its maximum, 16 and 1 for its sum; the unit is a row ahead
        # with maxima. A sum comes 11 cycles later, the last code 21 cycles behind 16 of the row.
        (
            isa.Softmax(kind=0, src=AT, dst=AT, rows=1, pixels=6, length=64, bits=8),
            4 + 6 * (5 + 17) - 1 + 11 + 16 + 21,
        ),
        # Short rows wait for their maxima and sums; two bytes of a code take a cycle more.
        (
            isa.Softmax(kind=0, src=AT, dst=AT, rows=1, pixels=1, length=4, bits=10),
            4 + 1 + 6 + 1 + 11 + 2 + 21 + 1,
        ),
        (isa.Move(kind=isa.KEYS, src=AT, tokens=6, channels=16), 9 + 6 * 16),
        (isa.Move(kind=isa.VALUES, src=AT, tokens=6, channels=20), 9 + 6 * 20),
    ],
)  # fmt: skip
def test_single_instructions(instruction: Instruction, cycles: int) -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    alone = replace(program, instructions=(instruction,), nodes={0: "it"})
    found = predict(alone, RATES)
    assert list(found.instructions) == [cycles]
    # 16 cycles and the latency until the program's first instruction is there.
    assert found.cycles == found.by_node["it"] == 16 + 30 + cycles


def test_a_softmax_of_one_lane_takes_a_code_per_cycle() -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2, softmax_lanes=1))
    row = isa.Softmax(kind=0, src=AT, dst=AT, rows=1, pixels=6, length=64, bits=8)
    found = predict(replace(program, instructions=(row,), nodes={0: "it"}), RATES)
    # The first sum is there after 37 cycles, the others while the codes before them are made.
    assert list(found.instructions) == [4 + 37 + 5 * 65 + 64 + 21]


def test_a_norm_hides_the_latency_of_its_roots() -> None:
    graph = layer_norm(np.random.default_rng(2))
    for lanes in (1, 4):
        program = compile_graph(graph, Sizes(pixels=2, norm_lanes=lanes))
        loads = (i for i in program.instructions if isinstance(i, isa.LoadBlock))
        (load,) = (i for i in loads if i.target == isa.NORM)
        header = program.constants[load.offset : load.offset + 32]
        channels, reciprocal = int(header[12]), int(header[9])
        steps = (1 if channels <= 4 else 2 * -(-channels // 8)) * 4 // lanes
        norm = isa.Norm(src=AT, dst=AT, rows=10, pixels=100, bits=8)
        alone = replace(program, instructions=(load, norm), nodes={0: "it"})
        per_pixel = predict(alone, RATES).instructions[1] / 1000
        assert per_pixel == pytest.approx(max(2 * (steps + 1), 32, reciprocal + 2), rel=0.1)


def test_fetches_between_instructions() -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    load = isa.LoadBlock(target=isa.TABLES, base=0, offset=0, count=256, dest=0)
    quick = isa.Move(kind=isa.KEYS, src=AT, tokens=1, channels=1)
    slow = isa.Move(kind=isa.KEYS, src=AT, tokens=100, channels=1)
    several = replace(program, instructions=(load, quick, slow, quick), nodes={0: "it"})
    found = predict(several, RATES)
    # Behind a load the fetch begins; a move shorter than a fetch waits for it.
    assert found.by_kind["load_block"] == 46 + found.instructions[0] + 14 + 30
    assert found.by_kind["move"] == (13 + 30) + (9 + 100 + 3) + (9 + 1)


def test_sums_of_a_program() -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    found = predict(program)
    assert found.cycles == sum(found.by_kind.values()) == sum(found.by_node.values())
    assert found.by_node.keys() == set(program.nodes.values())
    stores = [i for i in program.instructions if isinstance(i, isa.Store)]
    assert found.written == sum(4 * i.rows * i.pixels * i.words for i in stores)


def test_rows_that_end_inside_of_a_beat() -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    fields: dict[str, Any] = {"base": 3, "offset": 0, "view": AT}
    fields |= {"rows": 4, "pixels": 5, "words": 1, "pitch": 24}
    for move in (isa.LoadMap(**fields), isa.Store(**fields)):
        found = predict(replace(program, instructions=(move,), nodes={0: "it"}))
        assert found.read + found.written == isa.BYTES + 4 * 24
