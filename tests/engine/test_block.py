"""The engine of a project as a block: what other tools read agrees with the RTL and the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from hyq_hls import QuantizedModel, convert
from hyq_hls.block.ipxact import NAMESPACE
from hyq_hls.engine import Sizes
from hyq_hls.engine.block import REGISTERS
from hyq_hls.engine.rtl import TOP, module_file, module_sources, rtl_folders
from tests.golden.network import golden_graph

ROOT = Path(__file__).parents[2]
SIZES = Sizes(pixels=2, feature_words=1024, weight_words=256, parameter_groups=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("engine") / "net"
    model = QuantizedModel(golden_graph())
    return convert(model, output_dir=place, architecture="engine", engine=SIZES).folder


def texts(root: ElementTree.Element, path: str) -> list[str]:
    found = root.findall("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))
    return [str(element.text) for element in found]


def test_the_component_has_the_ports_of_the_engine(folder: Path) -> None:
    root = ElementTree.parse(folder / "component.xml").getroot()
    found = {}
    for port in root.iter(f"{{{NAMESPACE}}}port"):
        left = texts(port, "wire/vector/left")
        found[texts(port, "name")[0]] = (
            texts(port, "wire/direction")[0],
            int(left[0]) + 1 if left else 1,
        )
    header = module_file(TOP, rtl_folders()).read_text().split(") (\n")[1].split(");")[0]
    declared = re.findall(
        r"^  (in|out)put +logic +(?:\[(\d+):0\] +)?(\w+),?$", header, re.MULTILINE
    )
    assert found == {name: (way, int(high or 0) + 1) for way, high, name in declared}
    buses = "busInterfaces/busInterface"
    assert texts(root, f"{buses}/name") == ["s_axi", "m_axi", "clk_i", "rst_ni", "interrupt_o"]
    assert sorted(texts(root, f"{buses}/portMaps/portMap/physicalPort/name")) == sorted(found)
    assert texts(root, "addressSpaces/addressSpace/width") == ["64"]


def test_all_lists_name_the_files_of_the_engine(folder: Path) -> None:
    lines = (folder / "net.f").read_text().splitlines()[1:]
    wanted = [*module_sources([TOP], [folder / "rtl"]), folder / "rtl" / "net.v"]
    assert lines == [path.relative_to(folder).as_posix() for path in wanted]
    assert {folder / line for line in lines} == {*folder.glob("rtl/*.sv"), *folder.glob("rtl/*.v")}
    root = ElementTree.parse(folder / "component.xml").getroot()
    assert texts(root, "fileSets/fileSet/file/name") == lines
    core = yaml.safe_load((folder / "net.core").read_text().split("\n", 1)[1])
    assert list(core["filesets"]) == ["rtl"]
    assert len(core["filesets"]["rtl"]["files"]) == len(lines)


def test_the_registers_are_those_of_the_module_and_of_the_page(folder: Path) -> None:
    module = (ROOT / "rtl_templates" / "engine" / "hyq_engine_registers.sv").read_text()
    selected = {int(h, 16) for h in re.findall(r"8'h(\w\w): +read_data =", module)}
    counters = re.search(r"Counters = (\d+);", module)
    assert counters is not None
    selected |= {0x40 + 4 * i for i in range(int(counters[1]))}
    assert {r.offset for r in REGISTERS} == selected
    page = (ROOT / "docs" / "engine.md").read_text()
    for register in REGISTERS:
        name = re.sub(r"\d$", "", register.name)
        assert f"`{name}" in page, register.name


def test_the_page_has_the_numbers_of_the_program(folder: Path) -> None:
    page, described = (
        (folder / "integration.md").read_text(),
        json.loads((folder / "engine.json").read_text()),
    )
    assert f"A frame takes {described['cycles_per_frame']:,} cycles" in page
    assert f"write {described['program']['instructions']} to LENGTH" in page
    scratch = described["memory"]["scratch"]["bytes"]
    assert f"| BASE3 | scratch, which the host leaves alone | {scratch} |" in page
