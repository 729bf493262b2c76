"""Every module of the engine passes Verilator's lint and is read by Yosys."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hyq_hls.tools.verilator.tool import find_verilator
from hyq_hls.tools.yosys import run_yosys
from tests.engine.rtl.bench import TEMPLATES, sources

ENGINE = {
    "Pixels": 2,
    "FeatureWords": 1024,
    "WeightWords": 256,
    "ParameterGroups": 8,
    "NormChannels": 64,
    "NormLanes": 2,
    "SoftmaxLength": 256,
    "SoftmaxLanes": 2,
    "Multiply": 1,
}
OTHER = {
    "Pixels": 8,
    "FeatureWords": 512,
    "NormLanes": 4,
    "SoftmaxLength": 70,
    "SoftmaxLanes": 4,
    "Multiply": 0,
}

pytestmark = pytest.mark.slow


def test_the_engine_is_made_of_all_modules() -> None:
    used = {path.stem for path in sources("hyq_engine") if path.parent.name == "engine"}
    assert used == {path.stem for path in (TEMPLATES / "engine").glob("*.sv")}


@pytest.mark.parametrize("changed", [{}, OTHER], ids=["small", "wide"])
def test_lint(changed: dict[str, int]) -> None:
    verilator = find_verilator()
    values = [f"-G{name}={value}" for name, value in (ENGINE | changed).items()]
    command = [verilator.binary, "--lint-only", "-Wall", "--assert", "--top-module", "hyq_engine"]
    result = subprocess.run(
        [*map(str, command), *values, *map(str, sources("hyq_engine"))],
        env=verilator.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_elaboration_for_synthesis(tmp_path: Path) -> None:
    values = " ".join(f"-G {name}={value}" for name, value in ENGINE.items())
    files = " ".join(map(str, sources("hyq_engine")))
    commands = [
        f"read_slang --top hyq_engine {values} {files}",
        "hierarchy -check -top hyq_engine",
        "proc",
        "check -assert",  # no loop without a register, no wire with two drivers or none
        "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$sr",
    ]
    run_yosys(commands, tmp_path / "yosys.log", tmp_path)
