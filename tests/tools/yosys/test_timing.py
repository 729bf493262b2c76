"""Slowest paths: what counts as a cell, a wire, a level and an endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hyq_hls.stream.synthesis import template_job
from hyq_hls.tools.yosys import slowest_paths
from hyq_hls.tools.yosys.cells import CLOCK_TO_Q, LUT_DELAY, SETUP
from hyq_hls.tools.yosys.timing import Netlist, Wires

WIRES = Wires(each=1.0, per_octave=0.5)


def cell(kind: str, **pins: tuple[str, list[int]]) -> dict[str, Any]:
    return {
        "type": kind,
        "parameters": {},
        "port_directions": {name: direction for name, (direction, _) in pins.items()},
        "connections": {name: bits for name, (_, bits) in pins.items()},
    }


def register(data: int, output: int, enable: int | None = None) -> dict[str, Any]:
    pins = {"D": ("input", [data]), "Q": ("output", [output])}
    return cell("FDRE", **pins, **({} if enable is None else {"CE": ("input", [enable])}))


def netlist(*cells: dict[str, Any]) -> Netlist:
    return Netlist({"ports": {}, "netnames": {}, "cells": dict(enumerate(cells))})


def test_path_through_two_tables() -> None:
    found = netlist(
        register(5, 1),
        cell("LUT1", I0=("input", [1]), O=("output", [2])),
        cell("LUT1", I0=("input", [2]), O=("output", [3])),
        register(3, 4),
    ).slowest(WIRES)["D"]
    assert found.levels == 2
    assert found.delay == pytest.approx(CLOCK_TO_Q + 2 * LUT_DELAY + SETUP)
    assert found.wires == pytest.approx(2.0)  # the register lies beside the last table


def test_loads_slow_a_net_down() -> None:
    readers = [register(9, 10 + i, enable=1) for i in range(4)]
    found = netlist(register(9, 1), *readers).slowest(WIRES)["enable"]
    assert found.levels == 0
    assert found.wires == pytest.approx(1.0 + 2 * 0.5)


def test_carry_chain_is_one_level() -> None:
    chain = [
        cell(
            "CARRY4",
            CI=("input", [20 + i]),
            S=("input", [2] if i == 0 else []),
            CO=("output", [21 + i]),
            O=("output", [30 + i]),
        )
        for i in range(3)
    ]
    table = cell("LUT1", I0=("input", [1]), O=("output", [2]))
    found = netlist(register(9, 1), table, *chain, register(32, 8)).slowest(WIRES)["D"]
    assert found.levels == 2
    assert found.wires == pytest.approx(1.0)


@pytest.mark.slow
def test_module_of_the_templates(tmp_path: Path) -> None:
    job = template_job("hyq_fifo", {"Width": 8, "Depth": 40})
    paths = slowest_paths(job, tmp_path)
    assert {path.kind for path in paths} == {"D", "enable", "memory", "port"}
    assert paths[0].period == max(path.period for path in paths)
    assert paths == slowest_paths(job, tmp_path)  # from the file
