"""The logic of the HLS C++: operators, registers of pipelines, models that are not stale."""

from __future__ import annotations

import json
from dataclasses import astuple

import pytest

from benchmarks._operations_alone import ALONE
from benchmarks.characterize_hls import candidates, counted
from hyq_hls.errors import ConversionError
from hyq_hls.stream.arguments import IN_LUTS, Memory
from hyq_hls.stream.cost.costs import CostModel, Point, cost_models, fitted, read_points
from hyq_hls.stream.cost.features import features_of, model_of
from hyq_hls.stream.cost.hls_area import (
    HLS_POINTS_FILE,
    Counted,
    circuit_area,
    fifo_area,
    hls_hash,
    hls_models,
)
from hyq_hls.stream.cost.plan import plan_hls
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.plumbing import Fork
from hyq_hls.tools.yosys import Utilization
from tests.stream.hls.conftest import small_graph
from verif.area.count import Area, areas
from verif.intervals.ir import parse

POINTS = read_points(HLS_POINTS_FILE)
#: A loop that adds two bytes of a stream, and waits for a product with the sum.
LOOP = """
declare i8 @lane(i32)
declare void @put(i32)
declare void @hyq_pipeline(i32)
define void @f() {
entry:
  br label %loop
loop:
  %i = phi i8 [ 0, %entry ], [ %next, %loop ]
  call void @hyq_pipeline(i32 1)
  %a = call i8 @lane(i32 0)
  %b = call i8 @lane(i32 1)
  %wide_a = zext i8 %a to i32
  %wide_b = zext i8 %b to i32
BODY
  %next = add i8 %i, 1
  %end = icmp eq i8 %next, 100
  br i1 %end, label %out, label %loop
out:
  ret void
}
"""
#: A counter to 100: an adder of eight bits, a comparison, a register of seven bits.
COUNTER = Area(8 + 5, 7)


def area_of(body: str) -> Area:
    """The area of the loop with a body, less that of its counter and of its cycles."""
    found = areas(parse(LOOP.replace("BODY", body)), 150)["f"]
    return Area(found.lut - COUNTER.lut, found.ff - COUNTER.ff)


def test_a_sum_is_an_adder() -> None:
    text = "  %sum = add i32 %wide_a, %wide_b\n  call void @put(i32 %sum)"
    assert area_of(text) == Area(9, 1), "nine bits; one cycle, which has one flip-flop"


def test_equal_operations_are_one() -> None:
    twice = "  %sum = add i32 %wide_a, %wide_b\n  %same = add i32 %wide_a, %wide_b\n"
    assert area_of(twice + "  call void @put(i32 %sum)\n  call void @put(i32 %same)") == Area(9, 1)


def test_constant_shifts_are_wires() -> None:
    assert area_of("  %x = shl i32 %wide_a, 3\n  call void @put(i32 %x)") == Area(0, 1)
    shifted = area_of("  %x = lshr i32 %wide_a, %wide_b\n  call void @put(i32 %x)")
    assert shifted.lut > 8


def test_what_waits_for_a_product_has_registers() -> None:
    """A product takes three cycles; a byte that waits so long is in shift registers."""
    text = "  %p = mul i32 %wide_a, %wide_b\n  %s = add i32 %p, %wide_a\n  call void @put(i32 %s)"
    assert area_of(text) == Area(17 + 8, 4 + 2 * 8)


def test_the_table_belongs_to_these_templates() -> None:
    recorded = json.loads(HLS_POINTS_FILE.read_text(encoding="utf-8"))["templates"]
    stale = [m for m, known in recorded.items() if hls_hash(m) != known]
    assert not stale, "run benchmarks/characterize_hls.py: these templates have changed since"
    assert {p.model.split(",")[0] for p in POINTS} == set(recorded)


@pytest.mark.slow
def test_the_table_is_what_the_count_gives() -> None:
    network = "multiply"
    found = [
        (circuit, point)
        for candidate in candidates(ALONE[network](), network, 1)
        if isinstance(circuit := candidate.instance.circuit, Counted)
        for point in POINTS
        if point.model == model_of(circuit)
        and point.features == features_of(circuit)
        and point.origin["network"] == network
        and point.origin["instance"] == candidate.instance.name
    ]
    assert found
    for area, (_, point) in zip(counted([c for c, _ in found]), found, strict=True):
        assert (round(area.lut), round(area.ff)) == (point.utilization.lut, point.utilization.ff)


def modelled(models: dict[str, CostModel], point: Point) -> Utilization:
    return models[point.model].utilization(point.features, Utilization(), 0)


def test_points_that_were_not_fitted() -> None:
    for resource in ("lut", "ff"):
        estimated = found = 0
        for first in (0, 1):
            models = fitted(POINTS[first::2])
            # A template that was counted once is in one half only.
            for p in (p for p in POINTS[1 - first :: 2] if p.model in models):
                estimated += getattr(modelled(models, p), resource)
                found += getattr(p.utilization, resource)
        assert estimated == pytest.approx(found, rel=0.2), resource


def test_what_the_rtl_has_a_model_of_has_one_of_its_cpp() -> None:
    no_functions = {"hyq_fifo", "hyq_axis_input", "hyq_axis_output"}
    missing = set(cost_models()) - no_functions - set(hls_models())
    assert not missing, "run benchmarks/characterize_hls.py"


def test_a_plan_has_logic_for_every_function() -> None:
    plan = plan_hls(build_dataflow(small_graph(), {"a": Folding(4, 3)}))
    functions = {**plan.operations, **plan.plumbing}
    assert all(function.used.lut > 0 and function.used.ff > 0 for function in functions.values())


def test_a_template_that_was_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fork, "module", "hyq_magic")
    with pytest.raises(ConversionError, match=r"C\+\+ of hyq_magic was not counted; add points"):
        circuit_area(Fork(8, 2))


def test_fifos() -> None:
    """Shift registers hold 32 words in a LUT; a block RAM leaves only the control."""
    short = fifo_area(Memory(8, 32), 0)
    assert (short.lut, short.ff) == (8 + 2 * 6, 6 + 2)
    in_luts, in_block = (fifo_area(Memory(8, 512, luts_per_block=IN_LUTS), n) for n in (0, 1))
    assert in_luts.lut - in_block.lut == 4 * 3 * 8
    assert astuple(in_luts)[1] == in_block.ff
