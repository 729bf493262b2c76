"""The generated text of one small network, so that a change of a generator is a readable diff."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyq_hls import __version__
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.depths import safe_depths, safe_hls_flow
from hyq_hls.stream.hls.project import build_model
from hyq_hls.stream.rtl import write_rtl
from tests.golden.network import FOLDINGS, golden_graph

KEPT = Path(__file__).parent / "text"
FILES = (
    "hls/firmware/golden.cpp",
    "hls/firmware/golden.h",
    "hls/firmware/defines.h",
    "hls/firmware/parameters.h",
    "rtl/golden.sv",
    "rtl/memory/query_weight.mem",
    "engine/program.txt",
)
#: Stands for the version in the banner, which each release changes.
VERSION = b"hyq_hls VERSION"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both back ends' projects, and of the engine's program."""
    folder = tmp_path_factory.mktemp("golden")
    flow = build_dataflow(golden_graph(), FOLDINGS)
    hls_flow = safe_hls_flow(flow)
    build_model(hls_flow, folder / "hls", "golden", "xc7z020clg400-1", 150).write()
    program = compile_graph(golden_graph(), Sizes())
    (folder / "engine").mkdir()
    (folder / "engine/program.txt").write_text(program.text(), encoding="utf-8")
    write_rtl(flow.with_depths(safe_depths(flow)), folder / "rtl", "golden")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_generated_text(name: str, generated: Path, request: pytest.FixtureRequest) -> None:
    text = (generated / name).read_bytes().replace(f"hyq_hls {__version__}".encode(), VERSION)
    kept = KEPT / name
    if request.config.getoption("--update-golden"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(text)
    assert kept.is_file(), f"{kept} is missing; run `make golden` and commit what it writes"
    assert kept.read_bytes().splitlines() == text.splitlines(), (
        f"the generated {name} is not the kept one; if the change is wanted, run `make golden` and "
        "review its diff"
    )
    assert kept.read_bytes() == text, f"{name} differs in its line ends; run `make golden`"


def test_no_kept_text_is_stale() -> None:
    kept = {path.relative_to(KEPT).as_posix() for path in KEPT.rglob("*") if path.is_file()}
    assert kept == set(FILES), "remove what is no longer compared"
