"""The component of a block in IP-XACT, IEEE 1685-2009, the version that Vivado's catalogue takes.

The names of buses are those of AMD's own definitions, so that Vivado connects them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from hyq_hls.block.component import BusInterface, Component, Register

NAMESPACE = "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"
#: Library of AMD's definition of a bus, by kind.
_LIBRARY = {
    **dict.fromkeys(("axis", "aximm"), "interface"),
    **dict.fromkeys(("clock", "reset", "interrupt"), "signal"),
}
_FILE_TYPES = {".sv": "systemVerilogSource", ".v": "verilogSource"}
_VIEWS = {
    "xilinx_anylanguagesynthesis": ":vivado.xilinx.com:synthesis",
    "xilinx_anylanguagebehavioralsimulation": ":vivado.xilinx.com:simulation",
}
_SOURCES = "sources"
_REGISTERS = "registers"
#: Vivado gives no slave less.
_RANGE = 4096
_SPACE = 1 << 32


def component_xml(component: Component) -> str:
    """Return ``component.xml``."""
    ElementTree.register_namespace("spirit", NAMESPACE)
    root = _node("component", _identifier("hyq_hls", "hyq", component.project, component.version))
    masters = [bus for bus in component.buses if bus.kind == "aximm" and bus.mode == "master"]
    root.append(_node("busInterfaces", map(_bus, component.buses)))
    if masters:
        root.append(_node("addressSpaces", map(_address_space, masters)))
    if component.registers:
        root.append(_node("memoryMaps", [_memory_map(component.registers)]))
    root.append(_model(component))
    root.append(_node("fileSets", [_file_set(component)]))
    root.append(_leaf("description", component.description))
    root.append(_node("parameters", [_parameter("Component_Name", component.project)]))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {component.banner} -->\n{text}\n'


def _node(name: str, children: Iterable[Element] = ()) -> Element:
    element = Element(f"{{{NAMESPACE}}}{name}")
    element.extend(children)
    return element


def _leaf(name: str, text: object, **attributes: str) -> Element:
    element = _node(name)
    element.text = str(text)
    for key, value in attributes.items():
        element.set(f"{{{NAMESPACE}}}{key}", value)
    return element


def _identifier(vendor: str, library: str, name: str, version: str) -> list[Element]:
    fields = {"vendor": vendor, "library": library, "name": name, "version": version}
    return [_leaf(key, value) for key, value in fields.items()]


def _reference(tag: str, library: str, name: str) -> Element:
    element = _node(tag)
    for key, value in (
        ("vendor", "xilinx.com"), ("library", library), ("name", name), ("version", "1.0")
    ):  # fmt: skip
        element.set(f"{{{NAMESPACE}}}{key}", value)
    return element


def _parameter(name: str, value: str) -> Element:
    return _node("parameter", [_leaf("name", name), _leaf("value", value)])


def _parameters(values: Mapping[str, str]) -> list[Element]:
    if not values:
        return []
    return [_node("parameters", [_parameter(name, value) for name, value in values.items()])]


def _bus(bus: BusInterface) -> Element:
    maps = []
    for logical, physical in bus.ports.items():
        ends = [
            _node("logicalPort", [_leaf("name", logical)]),
            _node("physicalPort", [_leaf("name", physical)]),
        ]
        maps.append(_node("portMap", ends))
    mode = _node(bus.mode)
    if bus.kind == "aximm":
        name, target = (
            ("memoryMapRef", _REGISTERS) if bus.mode == "slave" else ("addressSpaceRef", bus.name)
        )
        reference = _node(name)
        reference.set(f"{{{NAMESPACE}}}{name}", target)
        mode.append(reference)
    library = _LIBRARY[bus.kind]
    children = [
        _leaf("name", bus.name),
        _reference("busType", library, bus.kind),
        _reference("abstractionType", library, f"{bus.kind}_rtl"),
        mode,
        _node("portMaps", maps),
        *_parameters(bus.parameters),
    ]
    return _node("busInterface", children)


def _address_space(bus: BusInterface) -> Element:
    return _node(
        "addressSpace",
        [
            _leaf("name", bus.name),
            _leaf("range", _SPACE, format="long"),
            _leaf("width", bus.parameters["DATA_WIDTH"], format="long"),
        ],
    )


def _memory_map(registers: tuple[Register, ...]) -> Element:
    block = [
        _leaf("name", _REGISTERS),
        _leaf("baseAddress", 0, format="long"),
        _leaf("range", _RANGE, format="long"),
        _leaf("width", 32, format="long"),
        _leaf("usage", "register"),
        _leaf("access", "read-write"),
    ]
    for register in registers:
        described = [
            _leaf("name", register.name),
            _leaf("description", register.text),
            _leaf("addressOffset", f"0x{register.offset:02X}"),
            _leaf("size", 32, format="long"),
            _leaf("access", register.access),
        ]
        block.append(_node("register", described))
    return _node("memoryMap", [_leaf("name", _REGISTERS), _node("addressBlock", block)])


def _model(component: Component) -> Element:
    views = []
    for name, environment in _VIEWS.items():
        view = [
            _leaf("name", name),
            _leaf("envIdentifier", environment),
            _leaf("language", "Verilog"),
            _leaf("modelName", component.top),
            _node("fileSetRef", [_leaf("localName", _SOURCES)]),
        ]
        views.append(_node("view", view))
    ports = []
    for port in component.ports:
        wire = [_leaf("direction", port.direction)]
        if port.width > 1:
            ends = [
                _leaf("left", port.width - 1, format="long"),
                _leaf("right", 0, format="long"),
            ]
            wire.append(_node("vector", ends))
        ports.append(_node("port", [_leaf("name", port.name), _node("wire", wire)]))
    children = [_node("views", views), _node("ports", ports)]
    if component.parameters:
        given = []
        for name, value in component.parameters.items():
            parameter = [
                _leaf("name", name),
                _leaf("value", value, format="string", resolve="user", id=f"PARAM_VALUE.{name}"),
            ]
            given.append(_node("modelParameter", parameter))
        children.append(_node("modelParameters", given))
    return _node("model", children)


def _file_set(component: Component) -> Element:
    files = [_leaf("name", _SOURCES)]
    for path in component.sources:
        kind = _leaf("fileType", _FILE_TYPES[PurePosixPath(path).suffix])
        files.append(_node("file", [_leaf("name", path), kind]))
    for path in component.memories:
        files.append(_node("file", [_leaf("name", path), _leaf("userFileType", "mem")]))
    return _node("fileSet", files)
