"""The logic of the HLS C++: pipelines as Verilog, models that are not stale."""

from __future__ import annotations

import json
import re
from dataclasses import astuple
from pathlib import Path

import pytest

from benchmarks._operations_alone import ALONE
from benchmarks.characterize_hls import candidates, counted, verilog_of
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
from hyq_hls.stream.flow import OperationStage, build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.plumbing import Fork
from hyq_hls.tools.yosys import Job, Utilization, synthesize_modules
from tests.stream.hls.conftest import small_graph
from verif.area.verilog import verilog
from verif.intervals import source
from verif.intervals.ir import parse

POINTS = read_points(HLS_POINTS_FILE)
#: A loop that reads two bytes of a stream.
LOOP = """
declare i32 @hyq_read(ptr, i32)
declare i8 @_ZN3hyq8schedule4laneIDU8_EET_jj(i32, i32)
declare void @_ZN3hyq8schedule3putIDU32_EEvjT_(i32, i32)
declare i32 @llvm.ctpop.i32(i32)
declare void @hyq_pipeline(i32)
define void @f(ptr %stream) {
entry:
  br label %loop
loop:
  %i = phi i8 [ 0, %entry ], [ %next, %loop ]
  %total = phi i32 [ 0, %entry ], [ %more, %loop ]
  call void @hyq_pipeline(i32 1)
  %word = call i32 @hyq_read(ptr %stream, i32 16)
  %a = call i8 @_ZN3hyq8schedule4laneIDU8_EET_jj(i32 %word, i32 0)
  %b = call i8 @_ZN3hyq8schedule4laneIDU8_EET_jj(i32 %word, i32 1)
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
PUT = "\n  call void @_ZN3hyq8schedule3putIDU32_EEvjT_(i32 0, i32 %{})"
SUM = "  %sum = add i32 %wide_a, %wide_b"


def text_of(body: str, *leaving: str) -> str:
    """The Verilog of the loop with a body, from which values leave."""
    body += "".join(PUT.format(name) for name in leaving)
    if "%more" not in body:
        body += "\n  %more = add i32 %total, 0"
    return verilog(parse(LOOP.replace("BODY", body)), "f", "loop", 150)


def test_a_sum_has_the_bits_that_it_needs() -> None:
    text = text_of(SUM, "sum")
    assert re.search(r"wire \[8:0\] (\w+);\n  assign \1 = .* \+ ", text), "nine bits"
    assert "[31:0]" not in text


def test_constant_shifts_are_wires() -> None:
    assert text_of("  %x = shl i32 %wide_a, 3", "x").count("<<") == 1
    assert "reg [7:0]" not in text_of("  %x = shl i32 %wide_a, 3", "x").replace("reg [7:0] n6;", "")


def test_a_product_lies_in_a_dsp_slice() -> None:
    assert " * " not in text_of("  %p = mul i32 %wide_a, %wide_b", "p")
    assert " * " in text_of("  %p = mul i32 %wide_a, 5", "p")


def test_sums_around_a_product_lie_in_its_slice() -> None:
    before = text_of(SUM + "\n  %p = mul i32 %sum, %wide_b", "p")
    behind = text_of("  %p = mul i32 %wide_a, %wide_b\n  %x = add i32 %p, 64", "x")
    plain = text_of("  %p = mul i32 %wide_a, %wide_b", "p")
    assert before.count(" + ") == behind.count(" + ") == plain.count(" + ")
    shared = text_of(SUM + "\n  %p = mul i32 %sum, %wide_b", "p", "sum")
    assert shared.count(" + ") == plain.count(" + ") + 1, "it is read outside of the slice too"


def test_a_sum_of_shifted_factors_lies_in_the_slice_of_their_product() -> None:
    """Two weights in one factor: LLVM shifts them up, and the sum back with its sign."""
    pair = """
  %high = shl i32 %wide_a, 12
  %low = shl i32 %wide_b, 7
  %pair = add i32 %high, %low
  %weights = ashr exact i32 %pair, 7
  %p = mul i32 %weights, %wide_a"""
    plain = text_of("  %p = mul i32 %wide_a, %wide_b", "p").count(" + ")
    assert text_of(pair, "p").count(" + ") == plain
    rounded = pair.replace("ashr exact i32 %pair, 7", "ashr i32 %pair, 9")
    assert text_of(rounded, "p").count(" + ") == plain + 1, "no slice shifts behind that adder"


def test_a_sum_and_its_start_wait_for_the_term() -> None:
    """A state that is read before the term is there would have to wait in registers."""
    text = text_of(
        """
  %p = mul i32 %wide_a, %wide_b
  %first = icmp eq i8 %i, 0
  %before = select i1 %first, i32 77, i32 %total
  %more = add i32 %before, %p""",
        "more",
    )
    assert len(re.findall(r"reg \[(?:1[0-9]|[23][0-9]):0\]", text)) == 1, "the sum itself"


def test_what_waits_for_a_product_has_registers() -> None:
    """A product takes three cycles."""
    product = "  %p = mul i32 %wide_a, %wide_b\n  %s = add i32 %p, %wide_a"
    waiting, alone = text_of(product, "s"), text_of("  %p = mul i32 %wide_a, %wide_b", "p")
    assert waiting.count("reg [7:0]") == alone.count("reg [7:0]") + 3


def test_a_pipeline_stops_while_its_stream_is_empty() -> None:
    text = text_of(SUM, "sum")
    enable = re.search(r"assign (\w+) = ~\(1'b0 \| (\w+) & 1'b1 & (\w+)\);", text)
    assert enable
    assert f"input [0:0] {enable[3]}" in text
    assert f"({enable[1]} & {enable[2]})" in text, "the counter waits"


def test_an_operation_without_verilog() -> None:
    with pytest.raises(ValueError, match="there is no Verilog of ctpop"):
        text_of("  %x = call i32 @llvm.ctpop.i32(i32 %wide_a)", "x")


def test_a_function_with_logic_that_is_no_process() -> None:
    other = "define i32 @g(i32 %x) {\n  %y = add i32 %x, 1\n  ret i32 %y\n}\n"
    body = "  %x = call i32 @g(i32 %wide_a)\n  %more = add i32 %total, %x"
    with pytest.raises(ValueError, match="g is called in a loop; declare it as inline"):
        verilog(parse(LOOP.replace("BODY", body) + other), "f", "loop", 150)


@pytest.mark.slow
def test_an_adder_chooses_between_start_and_sum(tmp_path: Path) -> None:
    """A choice in front of the adder costs nothing, behind it a LUT for each of the eight bits."""
    in_front = """
  %first = icmp eq i8 %i, 0
  %before = select i1 %first, i32 77, i32 %total
  %more = add i32 %before, %wide_a"""
    behind = """
  %first = icmp eq i8 %i, 0
  %sum = add i32 %total, %wide_a
  %more = select i1 %first, i32 %wide_b, i32 %sum"""
    jobs = []
    for name, body in (("in_front", in_front), ("behind", behind)):
        source = tmp_path / f"{name}.sv"
        source.write_text(text_of(body, "more").replace("module loop", f"module {name}"))
        jobs.append(Job([source], name, {}, dsp=False))
    front, back = synthesize_modules(jobs, tmp_path / "synthesis")
    assert isinstance(front, Utilization)
    assert isinstance(back, Utilization)
    assert front.lut <= 32 + 20
    assert back.lut >= front.lut + 8


def test_the_table_belongs_to_these_templates() -> None:
    recorded = json.loads(HLS_POINTS_FILE.read_text(encoding="utf-8"))["templates"]
    stale = [m for m, known in recorded.items() if hls_hash(m) != known]
    assert not stale, "run benchmarks/characterize_hls.py: these templates have changed since"
    assert {p.model.split(",")[0] for p in POINTS} == set(recorded)


@pytest.mark.slow
def test_a_constant_of_one_entry_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zero point of a mean over a map is in the logic; without its value it is an input.

    Its factor is a power of two: a shift, which is a parameter of the template.
    """
    found = candidates(ALONE["multiply"](), "multiply", 1)
    stage = next(
        c.instance.circuit for c in found if isinstance(c.instance.circuit, OperationStage)
    )
    assert any(rom.entries == 1 for rom in stage.arguments.roms)
    known = verilog_of([stage])[0]
    monkeypatch.setattr(source, "_PROCESS", re.compile(r"(?!)"))
    unknown = verilog_of([stage])[0]
    assert unknown.count("input [") == known.count("input [") + 1


@pytest.mark.slow
def test_the_table_is_what_the_count_gives(tmp_path: Path) -> None:
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
    for area, (_, point) in zip(counted([c for c, _ in found], tmp_path), found, strict=True):
        assert (area.lut, area.ff) == (point.utilization.lut, point.utilization.ff)


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


def test_a_damaged_table_names_its_own_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hls_points.json"
    path.write_text('{"points": [{}]}')
    monkeypatch.setattr("hyq_hls.stream.cost.hls_area.HLS_POINTS_FILE", path)
    with pytest.raises(ConversionError, match=r"is damaged .*characterize_hls\.py makes it again"):
        hls_models.__wrapped__()
