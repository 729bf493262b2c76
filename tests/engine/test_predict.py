"""Predicted cycles: the formulas by hand on single instructions, and sums over a program."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.isa import Instruction, View
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import Rates, predict
from tests.golden.network import golden_graph

RATES = Rates(start=10, latency=40, outstanding=4, softmax_lanes=2)
AT = View(0, 8, 4)


@pytest.mark.parametrize(
    ("instruction", "cycles"),
    [
        # 3 rows of 7 pixels are 3 * 4 tiles; 2 groups of 2 * 3 * 5 steps, and one prologue each
        (
            isa.Array(
                src=AT, dst=AT, rows=3, pixels=7, groups=2, channels=32, bits=8, passes=2,
                kernel_x=3, steps=5, prologue=1, repeat=1,
            ),
            10 + 2 * (12 * 30 + 30),
        ),
        # 200 bytes in a row are two bursts, but 50 words take longer
        (
            isa.LoadMap(base=3, offset=0, rows=4, pixels=10, words=5, pitch=200, view=AT),
            10 + 4 * 50 + 40,
        ),
        (isa.Softmax(kind=0, src=AT, dst=AT, rows=1, pixels=6, length=9, bits=8), 10 + 6 * 3 * 5),
        (isa.Move(kind=isa.KEYS, src=AT, tokens=6, channels=16), 10 + 6 * 6),
        (isa.Move(kind=isa.VALUES, src=AT, tokens=6, channels=20), 10 + 6 * 2),
    ],
)  # fmt: skip
def test_single_instructions(instruction: Instruction, cycles: int) -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    alone = replace(program, instructions=(instruction,), nodes={"it": 0})
    found = predict(alone, RATES)
    assert found.cycles == found.by_node["it"] == cycles


def test_sums_of_a_program() -> None:
    program = compile_graph(golden_graph(), Sizes(pixels=2))
    found = predict(program)
    assert found.cycles == sum(found.by_kind.values()) == sum(found.by_node.values())
    assert found.by_node.keys() == program.nodes.keys()
    stores = [i for i in program.instructions if isinstance(i, isa.Store)]
    assert found.written == sum(4 * i.rows * i.pixels * i.words for i in stores)
    wider = predict(compile_graph(golden_graph(), Sizes(pixels=8)))
    assert wider.by_kind["array"] < found.by_kind["array"]
