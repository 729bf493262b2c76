"""Figures of a design that a page draws: paths, clock, and the units of an engine over a frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import QuantizedModel, convert
from hyq_hls.engine.machine import EngineMachine
from hyq_hls.report.content import Hardware, Unmeasured
from hyq_hls.report.hardware import hardware
from tests.stream.hls.conftest import small_graph

NOTHING = Unmeasured("why", "remedy")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EngineMachine:
    folder: Path = tmp_path_factory.mktemp("engine") / "net"
    accelerator = convert(QuantizedModel(small_graph()), output_dir=folder, architecture="engine")
    assert isinstance(accelerator.machine, EngineMachine)
    return accelerator.machine


@pytest.fixture(scope="module")
def figures(engine: EngineMachine) -> Hardware:
    return hardware(small_graph(), engine, NOTHING)


def test_the_longest_path_comes_first(engine: EngineMachine, figures: Hardware) -> None:
    delays = [used.delay_ns for used in engine.estimate().design.operations.values()]
    assert [path.delay_ns for path in figures.paths] == sorted(delays, reverse=True)[:5]


@pytest.mark.parametrize(("supported", "met"), [(101.0, True), (100.0, True), (99.0, False)])
def test_a_clock_is_met_up_to_what_the_estimate_supports(
    supported: float, met: bool, figures: Hardware
) -> None:
    assert replace(figures, clock_mhz=100.0, supported_mhz=supported).clock_met is met


def test_one_unit_of_the_engine_works_at_a_time(engine: EngineMachine, figures: Hardware) -> None:
    work = np.array(list(figures.units.values()))
    assert (work >= 0).all()
    assert work.sum(axis=0).max() <= 1 + 1e-9
    cycles = work.sum() * figures.unit_bin_cycles
    assert cycles == pytest.approx(float(engine.prediction.instructions.sum()))
