"""A block as values: its ports, the buses that they make, its registers and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["axis", "aximm", "clock", "reset", "interrupt"]
Mode = Literal["master", "slave"]


@dataclass(frozen=True)
class Port:
    """A port of the top module.

    Attributes:
        name: its name.
        direction: ``in`` or ``out``.
        width: its bits; a port of one bit is no vector.
    """

    name: str
    direction: Literal["in", "out"]
    width: int = 1

    @property
    def verilog(self) -> str:
        """Its declaration in Verilog, without a comma."""
        way = {"in": "input ", "out": "output"}[self.direction]
        return f"{way} wire {f'[{self.width - 1}:0] ' if self.width > 1 else ''}{self.name}"


@dataclass(frozen=True)
class BusInterface:
    """Ports that belong together, under the names that the bus has for them.

    Attributes:
        name: name of the interface.
        kind: ``axis`` (AXI4-Stream), ``aximm`` (AXI4 and AXI4-Lite), ``clock``, ``reset`` or
            ``interrupt``.
        mode: ``master`` or ``slave``.
        ports: physical port by the name that the bus has for it.
        parameters: what the bus must know beside, as text.
    """

    name: str
    kind: Kind
    mode: Mode
    ports: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Register:
    """A register of 32 bits behind the AXI4-Lite port.

    Attributes:
        offset: its byte address.
        name: its name.
        access: ``read-only``, ``write-only`` or ``read-write``.
        text: its bits and what they mean.
    """

    offset: int
    name: str
    access: Literal["read-only", "write-only", "read-write"]
    text: str


@dataclass(frozen=True)
class Component:
    """A block that other designs can take.

    Attributes:
        project: name of the project, which its files bear.
        top: name of the top module.
        version: version of the generator, ``major.minor.patch``.
        banner: the line that says who wrote a file.
        description: one sentence for catalogues.
        ports: ports of the top module, in order.
        buses: what these ports are.
        registers: what lies behind ``s_axi``.
        sources: SystemVerilog and Verilog in compile order, relative to the folder of the project.
        memories: files that ``$readmemh`` reads, relative to the folder of the project.
        parameters: text parameters of the top module with their default values.
        extras: modules that lie beside the block and that its top does not instantiate.
    """

    project: str
    top: str
    version: str
    banner: str
    description: str
    ports: tuple[Port, ...]
    buses: tuple[BusInterface, ...]
    registers: tuple[Register, ...]
    sources: tuple[str, ...]
    memories: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()


def axi_stream(name: str, mode: Mode, *, keep: bool = False) -> BusInterface:
    """Return an AXI4-Stream whose ports are called ``<name>_tdata`` and so on."""
    wires = ["TDATA", *(["TKEEP"] if keep else []), "TVALID", "TREADY", "TLAST"]
    return BusInterface(name, "axis", mode, _named(name, wires))


def axi_memory(name: str, mode: Mode, ports: tuple[Port, ...], protocol: str) -> BusInterface:
    """Return an AXI4 or AXI4-Lite bus of all ports whose names begin with ``<name>_``.

    Args:
        name: name of the bus.
        mode: master or slave.
        ports: all ports of the module.
        protocol: ``AXI4`` or ``AXI4LITE``.
    """
    wires = [p.name.removeprefix(f"{name}_") for p in ports if p.name.startswith(f"{name}_")]
    data = next(p.width for p in ports if p.name == f"{name}_wdata")
    parameters = {"PROTOCOL": protocol, "DATA_WIDTH": str(data)}
    return BusInterface(name, "aximm", mode, _named(name, [w.upper() for w in wires]), parameters)


def clock_and_reset(clock: str, reset: str, buses: list[str]) -> tuple[BusInterface, BusInterface]:
    """Return the clock of some buses, and the reset, which is active low."""
    associated = {"ASSOCIATED_BUSIF": ":".join(buses), "ASSOCIATED_RESET": reset}
    return (
        BusInterface(clock, "clock", "slave", {"CLK": clock}, associated),
        BusInterface(reset, "reset", "slave", {"RST": reset}, {"POLARITY": "ACTIVE_LOW"}),
    )


def interrupt(name: str) -> BusInterface:
    """Return an interrupt that is high while something waits."""
    parameters = {"SENSITIVITY": "LEVEL_HIGH"}
    return BusInterface(name, "interrupt", "master", {"INTERRUPT": name}, parameters)


def _named(bus: str, wires: list[str]) -> dict[str, str]:
    return {wire: f"{bus}_{wire.lower()}" for wire in wires}
