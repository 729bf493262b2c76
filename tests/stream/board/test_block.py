"""The block of a project: what other tools read agrees with the RTL, and its registers work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.block.ipxact import NAMESPACE
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Table
from hyq_hls.stream.board.block import REGISTERS, block_ports, design_number
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.verilator.tool import find_verilator
from hyq_hls.version import __version__
from tests.stream.hls.conftest import convert_small, small_graph

NAMES = {"spirit": NAMESPACE}
Ports = dict[str, tuple[str, int]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    return convert_small(tmp_path_factory.mktemp("block") / "my project")


def component(project: Accelerator) -> ElementTree.Element:
    return ElementTree.parse(project.folder / "component.xml").getroot()


def texts(root: ElementTree.Element, path: str) -> list[str]:
    found = root.findall("/".join(f"spirit:{part}" for part in path.split("/")), NAMES)
    return [str(element.text) for element in found]


def component_ports(project: Accelerator) -> Ports:
    ports: Ports = {}
    for port in component(project).findall("spirit:model/spirit:ports/spirit:port", NAMES):
        left = texts(port, "wire/vector/left")
        (name,), (way,) = texts(port, "name"), texts(port, "wire/direction")
        ports[name] = (way, int(left[0]) + 1 if left else 1)
    return ports


def file_list(folder: Path) -> list[str]:
    lines = (folder / "net.f").read_text().splitlines()
    return [line for line in lines if not line.startswith("//")]


def test_the_component_has_the_ports_of_the_wrapper(project: Accelerator) -> None:
    text = (project.folder / "block" / "net_axi.v").read_text()
    header = text.split(");")[0]
    found = {
        name: ({"input": "in", "output": "out"}[way], int(high or 0) + 1)
        for way, high, name in re.findall(
            r"^  (input|output) +wire (?:\[(\d+):0\] )?(\w+),?$", header, re.MULTILINE
        )
    }
    assert found == component_ports(project)
    assert found == {p.name: (p.direction, p.width) for p in block_ports(project.flow)}
    assert (found["s_axis_tdata"], found["m_axis_tdata"]) == (("in", 24), ("out", 40))


def test_buses_have_ports_that_exist_and_one_clock(project: Accelerator) -> None:
    root, ports = component(project), component_ports(project)
    used: list[str] = []
    buses = root.findall("spirit:busInterfaces/spirit:busInterface", NAMES)
    for bus in buses:
        physical = texts(bus, "portMaps/portMap/physicalPort/name")
        logical = texts(bus, "portMaps/portMap/logicalPort/name")
        used += physical
        kind = bus.find("spirit:busType", NAMES)
        assert kind is not None
        if kind.get(f"{{{NAMESPACE}}}name") == "axis":
            assert set(logical) == {"TDATA", "TVALID", "TREADY", "TLAST"}
            # A master gives data, a slave takes them.
            master = bus.find("spirit:master", NAMES) is not None
            assert ports[physical[0]][0] == ("out" if master else "in")
    assert sorted(used) == sorted(ports), "every port belongs to one bus"
    (clock,) = (bus for bus in buses if texts(bus, "name") == ["aclk"])
    values = dict(
        zip(
            texts(clock, "parameters/parameter/name"),
            texts(clock, "parameters/parameter/value"),
            strict=True,
        )
    )
    assert values == {"ASSOCIATED_BUSIF": "s_axi:s_axis:m_axis", "ASSOCIATED_RESET": "aresetn"}
    (reset,) = (bus for bus in buses if texts(bus, "name") == ["aresetn"])
    assert texts(reset, "parameters/parameter/value") == ["ACTIVE_LOW"]


def test_all_lists_name_the_same_files(project: Accelerator) -> None:
    folder, sources = project.folder, file_list(project.folder)
    memories = sorted(p.relative_to(folder).as_posix() for p in folder.glob("rtl/memory/*"))
    assert len(memories) > 5
    assert all((folder / source).is_file() for source in sources)
    assert sources[0] == "rtl/hyq/hyq_pkg.sv"
    assert set(sources) == {
        *(p.relative_to(folder).as_posix() for p in folder.glob("rtl/hyq/*.sv")),
        *("rtl/net.sv", "block/hyq_axi_lite.sv", "block/hyq_block_control.sv"),
        "block/net_axi.v",
    }
    root = component(project)
    assert texts(root, "fileSets/fileSet/file/name") == [*sources, *memories]
    assert texts(root, "model/views/view/modelName") == ["net_axi"] * 2
    text = (folder / "net.core").read_text()
    assert text.startswith("CAPI=2:\n")
    core = yaml.safe_load(text.split("\n", 1)[1])
    files = core["filesets"]["rtl"]["files"]
    assert [f if isinstance(f, str) else next(iter(f)) for f in files] == sources
    copies = {k: v["copyto"] for f in core["filesets"]["memories"]["files"] for k, v in f.items()}
    assert copies == {name: f"memory/{Path(name).name}" for name in memories}
    for target in core["targets"].values():
        assert target["toplevel"] == "net_axi"
        assert target["filesets"] == ["rtl", "memories"]


def test_the_component_has_the_registers(project: Accelerator) -> None:
    path = "memoryMaps/memoryMap/addressBlock/register"
    offsets = [int(text, 16) for text in texts(component(project), f"{path}/addressOffset")]
    names = texts(component(project), f"{path}/name")
    assert list(zip(offsets, names, strict=True)) == [(r.offset, r.name) for r in REGISTERS]
    page = (project.folder / "integration.md").read_text()
    assert all(f"| 0x{r.offset:02X} | `{r.name}` |" in page for r in REGISTERS)


def test_the_page_says_what_the_design_is(project: Accelerator) -> None:
    page = (project.folder / "integration.md").read_text()
    flow = project.flow
    for line in (
        f"A frame takes {flow.cycles_per_frame} cycles",
        "`s_axis` takes 16 words per frame",
        "`m_axis` gives 1 word per frame",
        "| codes of a word | 5, the first in the lowest byte |",
        "| zero point | 128 |",
        "`aresetn` is active low",
    ):
        assert line in page
    for stream in (flow.source, flow.sink):
        assert f"| bits of a word | {8 * flow.streams[stream].lanes} |" in page


def test_other_constants_and_foldings_have_another_number(project: Accelerator) -> None:
    one = design_number(project.flow)
    assert one == design_number(project.flow)
    others = {one}
    for seed, lanes in ((1, {}), (0, {}), (0, {"a": Folding(2, 1)})):
        model = QuantizedModel(small_graph(seed))
        folder = project.folder.parent / f"{seed} {len(lanes)}"
        others.add(design_number(convert(model, output_dir=folder, folding=lanes).flow))
    assert len(others) == 4


@pytest.mark.slow
def test_the_file_list_compiles_without_warnings(project: Accelerator) -> None:
    """Verilator reads the list as it stands, and sees the ports of the component."""
    tool, folder = find_verilator(), project.folder
    command = [str(tool.binary), "--lint-only", "-Wall", "--assert", "-f", "net.f"]
    run = subprocess.run(
        command, cwd=folder, env=tool.environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    sources = [folder / name for name in file_list(folder)]
    # One more file in the folder, or one less, is another list.
    without = [str(path) for path in sources if path.stem != "hyq_counter"]
    run = subprocess.run(
        [str(tool.binary), "--lint-only", *without, "--top-module", "net_axi"],
        env=tool.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "hyq_counter" in run.stderr


@pytest.mark.slow
def test_registers_streams_and_resets(tmp_path: Path) -> None:
    """A small network under cocotbext-axi, all channels pausing at random; it reads no file."""
    pytest.importorskip("cocotbext.axi", reason="pip install cocotb==2.1.0 cocotbext-axi==0.1.28")
    from verif.cocotb.simulate import CocotbSimulation  # noqa: PLC0415

    graph = Graph("x", TensorType((3, 4), Quantization(8, False)))
    graph.add("invert", Table(np.arange(255, -1, -1), Quantization(8, False)), "x")
    model, lanes = QuantizedModel(graph), {"invert": Folding(1, 1)}
    made = convert(
        model, output_dir=tmp_path / "p", folding=lanes, project="tiny", memories="embedded"
    )
    flow, folder = made.flow, made.folder
    shutil.rmtree(folder / "rtl" / "memory")
    lines = (folder / "tiny.f").read_text().splitlines()
    sources = [folder / line for line in lines if not line.startswith("//")]
    ports = ("aclk", "aresetn", "irq", "s_axi_*", "*_axis_t*")
    simulation = CocotbSimulation(sources, "tiny_axi", tmp_path / "sim", {}, ("-O0",), ports)
    frames = np.random.default_rng(0).integers(0, 256, (4, 12), np.uint8)
    beats = (flow.streams[flow.source].beats, flow.streams[flow.sink].beats)
    found = simulation.block(frames, beats, 1000)
    major, minor, patch = (int(part) for part in __version__.split("."))
    assert found["constants"].tolist() == [
        0x48595131,
        1 << 24 | major << 16 | minor << 8 | patch,
        design_number(flow),
        *beats,
        flow.cycles_per_frame,
        0,
        0,
    ]
    wanted = 255 - frames
    whole, broken = found["frames"][[0, 1, 2, 3, 4, 6, 7]], found["frames"][5]
    assert np.array_equal(whole, wanted[[0, 1, 2, 3, 0, 0, 2]])
    # Half of the frame had left before the sink waited, and some words were waiting.
    (changed,) = np.nonzero(broken != wanted[0])
    assert beats[1] // 2 <= changed[0] < beats[1]
    assert not broken[changed[0] :].any()
