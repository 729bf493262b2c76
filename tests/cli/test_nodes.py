"""Folding and circuits of single nodes on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hyq_hls import Accelerator
from hyq_hls.stream.folding import Folding
from tests.cli.conftest import run


def test_lanes_and_circuits_arrive(network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    options = ("--folding", "0=2x3", "--folding", "4=1", "--memories", "embedded", "--no-compile")
    assert run("convert", network, "--output", folder, *options) == 0
    flow = Accelerator.open(folder).flow
    lanes = {stage.node.name: stage.folding for stage in flow.operations}
    assert (lanes["0"], lanes["4"]) == (Folding(2, 3), Folding(1, 1))
    assert (folder / "rtl" / "hyq" / "net_memories_pkg.sv").is_file()


def test_the_estimate_takes_them_too(network: Path, tmp_path: Path) -> None:
    cycles = []
    for lanes in ("1x1", "2x3"):
        report = tmp_path / f"{lanes}.json"
        assert run("estimate", network, "--folding", f"0={lanes}", "--report", report) == 0
        cycles.append(json.loads(report.read_text())["cycles"]["0"])
    assert cycles[0] > 5 * cycles[1], "six times the lanes, and the same rows of a border"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--folding", "0"), "--folding '0': the name of a node and a value are wanted, such as"),
        (("--folding", "0=2x"), "--folding '0=2x': lanes such as stem.conv=8x3 are wanted"),
        (("--folding", "0=0x3"), "--folding '0=0x3': lanes such as"),
        (("--folding", "=3"), "--folding '=3': the name of a node"),
        (("--folding", "0=7x7"), "0: "),
        (("--circuit", "0"), "--circuit '0': the name of a node and a value are wanted"),
        (("--circuit", "none=table"), "'none' matches no node"),
        (("--folding", "0=2x3", "--architecture", "engine"), "only the streaming machine"),
    ],
)
def test_what_cannot_be_meant(
    options: tuple[str, ...], message: str, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("estimate", network, *options) == 2
    assert message in capsys.readouterr().err
