"""The resource report of an engine: rows are units, and the busiest one is the bottleneck."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cost import engine_report, engine_utilization
from hyq_hls.engine.cost.report import array_macs
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.machine import Labels, ResourceReport
from hyq_hls.parts import part
from tests.golden.network import golden_graph
from tests.ops.examples import example_graph

SIZES = Sizes(pixels=2)


@pytest.fixture(scope="module")
def report() -> ResourceReport:
    graph = golden_graph()
    program = compile_graph(graph, SIZES)
    used = engine_utilization(SIZES)
    return engine_report(graph, program, predict(program), part("xc7z020"), 150, used, "estimate")


def test_cycles_of_units_and_frames(report: ResourceReport) -> None:
    prediction = predict(compile_graph(golden_graph(), SIZES))
    assert report.cycles_per_frame == prediction.cycles
    assert sum(report.cycles.values()) == prediction.instructions.sum()
    assert report.cycles["norm unit"] == 0  # the graph has no LayerNorm
    assert report.fps == pytest.approx(150e6 / prediction.cycles)


def test_the_busiest_unit_is_the_bottleneck(report: ResourceReport) -> None:
    assert report.cycles[report.bottleneck] == max(report.cycles.values())


def test_multipliers_and_how_busy_they_are(report: ResourceReport) -> None:
    assert report.multipliers == 16 * 3 * 2
    macs = golden_graph().macs()  # all of them run on the array
    assert report.busy == pytest.approx(macs / (96 * report.cycles_per_frame))


def test_macs_of_the_norm_unit_are_not_the_array_s() -> None:
    graph = example_graph("layer_norm", np.random.default_rng(0))
    assert array_macs(graph) == 0 < graph.macs()


def test_it_reads_as_an_engine(report: ResourceReport) -> None:
    text = str(report)
    head, *rows = text.splitlines()
    assert head.split() == ["per", "cycle", "cycles", "LUT", "FF", "DSP", "BRAM36"]
    assert any(row.startswith("array") and "16x3x2" in row for row in rows)
    assert any(row.startswith("feature memory") for row in rows)
    assert "folding" not in text
    assert "node" not in text


def test_a_busiest_unit_that_does_not_multiply_is_not_called_idle(report: ResourceReport) -> None:
    cycles = {**dict.fromkeys(report.cycles, 0), "load unit": 600, "array": 300}
    of_array = replace(report, cycles=cycles, bottleneck="array", bottleneck_busy=0.5)
    assert "; 50% in the busiest unit, array; " in str(of_array)
    of_load = replace(of_array, cycles_per_frame=1000, bottleneck="load unit", bottleneck_busy=0.0)
    assert (
        "; the busiest unit, load unit, limits the speed and has none; "
        "at work by prediction: load unit 60%, array 30%; "
    ) in str(of_load)
    of_stream = replace(of_load, labels=Labels())
    assert "; the slowest node, load unit, has none; " in str(of_stream)


def test_every_row_of_a_unit_has_cycles_and_lanes(report: ResourceReport) -> None:
    assert report.design.operations.keys() == report.cycles.keys() == report.foldings.keys()


def test_it_is_saved_as_numbers(report: ResourceReport, tmp_path: Path) -> None:
    saved = json.loads(report.save(tmp_path / "report.json").read_text(encoding="utf-8"))
    assert saved["cycles"] == report.cycles
    assert "labels" not in saved
