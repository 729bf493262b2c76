"""Predicted cycles: the formulas by hand on single instructions, and sums over a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.isa import Instruction, View
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import Rates, predict
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
        # 200 bytes in a row are two bursts, but 50 words take longer
        (
            isa.LoadMap(base=3, offset=0, rows=4, pixels=10, words=5, pitch=200, view=AT),
            5 + 30 + 4 * 50,
        ),
        # Eight bursts of a beat are asked for in 16 cycles; the ninth waits until the first has
        # come, two cycles after the first latency
        (
            isa.LoadMap(base=3, offset=0, rows=9, pixels=1, words=2, pitch=200, view=AT),
            5 + 30 + 2 + 30 + 2,
        ),
        (
            isa.LoadBlock(target=isa.TABLES, base=0, offset=0, count=256, dest=0),
            5 + 30 + 256,
        ),
        (
            isa.Store(base=3, offset=0, rows=4, pixels=10, words=5, pitch=200, view=AT),
            13 + 30 + 200,
        ),
        (
            isa.Softmax(kind=0, src=AT, dst=AT, rows=1, pixels=6, length=9, bits=8),
            4 + 6 * (2 * 3 + 6 + 46),
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
    # 15 cycles and the latency until the program's first instruction is there.
    assert found.cycles == found.by_node["it"] == 15 + 30 + cycles


def test_fetches_between_instructions() -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    load = isa.LoadBlock(target=isa.TABLES, base=0, offset=0, count=256, dest=0)
    quick = isa.Move(kind=isa.KEYS, src=AT, tokens=1, channels=1)
    slow = isa.Move(kind=isa.KEYS, src=AT, tokens=100, channels=1)
    several = replace(program, instructions=(load, quick, slow, quick), nodes={0: "it"})
    found = predict(several, RATES)
    # Behind a load the fetch begins; a move shorter than a fetch waits for it.
    assert found.by_kind["load_block"] == 45 + found.instructions[0] + 13 + 30
    assert found.by_kind["move"] == (12 + 30) + (9 + 100 + 3) + (9 + 1)


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
        found = predict(replace(program, instructions=(move,), nodes={"it": 0}))
        assert found.read + found.written == isa.BYTES + 4 * 24
