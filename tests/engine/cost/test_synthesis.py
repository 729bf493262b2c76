"""Synthesis of the engine, unit by unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.characterize_engine import SMALL as BASE
from hyq_hls.engine.cost import engine_utilization, synthesize_engine
from hyq_hls.engine.cost.units import units
from hyq_hls.engine.cost.utilization import unit_job
from hyq_hls.engine.rtl import rtl_folders
from hyq_hls.errors import CompilationError
from hyq_hls.tools.yosys import Job, Utilization, synthesize_modules
from tests.engine.cost.test_points import point_of, unit_of

TWO = """
module inner (input logic clk_i, input logic [7:0] a_i, output logic [7:0] q_o);
  always_ff @(posedge clk_i) q_o <= a_i + 8'd3;
endmodule
module outer (input logic clk_i, input logic [7:0] a_i, input logic pick_i,
              output logic [7:0] q_o);
  logic [7:0] first, second;
  inner u_first (.clk_i, .a_i, .q_o(first));
  inner u_second (.clk_i, .a_i(first), .q_o(second));
  assign q_o = pick_i ? first : second;
endmodule
"""


@pytest.mark.slow
def test_only_what_lies_between_hollow_modules_is_mapped(tmp_path: Path) -> None:
    source = tmp_path / "two.sv"
    source.write_text(TWO)
    whole, inner, between = (
        Job([source], "outer", {}),
        Job([source], "inner", {}),
        Job([source], "outer", {}, apart=("inner",)),
    )
    assert len({job.name for job in (whole, inner, between)}) == 3
    found = synthesize_modules([whole, inner, between], tmp_path)
    assert all(isinstance(used, Utilization) for used in found)
    used_whole, used_inner, used_between = found
    assert isinstance(used_whole, Utilization)
    assert isinstance(used_inner, Utilization)
    assert isinstance(used_between, Utilization)
    assert used_inner.ff == 8
    assert (used_between.ff, used_between.lut) == (0, 8)
    assert used_whole.ff == 2 * used_inner.ff + used_between.ff


@pytest.mark.slow
def test_a_module_apart_that_is_not_there(tmp_path: Path) -> None:
    source = tmp_path / "two.sv"
    source.write_text(TWO)
    (found,) = synthesize_modules([Job([source], "outer", {}, apart=("other",))], tmp_path)
    assert isinstance(found, CompilationError)


@pytest.mark.slow
def test_a_point_is_what_synthesis_gives(tmp_path: Path) -> None:
    unit = unit_of("hyq_engine_bursts", BASE)
    job = unit_job(unit, rtl_folders())
    (found,) = synthesize_modules([job], tmp_path)
    assert found == point_of(unit).utilization


def test_results_of_units_are_gathered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every unit gets its parameters; where synthesis finds the points, it equals the estimate."""
    points = {
        unit_job(unit, rtl_folders()).name: point_of(unit).utilization for unit in units(BASE)
    }

    def known(jobs: list[Job], *_: object) -> list[Utilization]:
        return [points[job.name] for job in jobs]

    monkeypatch.setattr("hyq_hls.engine.cost.utilization.synthesize_modules", known)
    written = tmp_path / "rtl"
    for folder in rtl_folders():
        target = written / folder.name
        target.mkdir(parents=True)
        for path in folder.glob("*.sv"):
            (target / path.name).write_bytes(path.read_bytes())
    assert synthesize_engine(BASE, written, tmp_path) == engine_utilization(BASE)


def test_units_that_fail_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failing(jobs: list[Job], *_: object) -> list[Utilization | CompilationError]:
        return [CompilationError("no such cell") for _ in jobs]

    monkeypatch.setattr("hyq_hls.engine.cost.utilization.synthesize_modules", failing)
    folder = rtl_folders()[1]
    with pytest.raises(CompilationError, match=r"units were not synthesized: array \(hyq_engine_"):
        synthesize_engine(BASE, folder, tmp_path)


def test_a_folder_without_the_engine(tmp_path: Path) -> None:
    with pytest.raises(CompilationError, match="is not in exactly one of"):
        synthesize_engine(BASE, tmp_path, tmp_path)
