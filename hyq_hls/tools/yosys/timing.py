"""Slowest paths of a mapped netlist, with an estimate of its wires.

Yosys' ``sta`` adds up cells alone, and three quarters of a routed path are wires. Here each net
takes ``WIRE_NS + FANOUT_NS * log2(loads)``. docs/timing.md compares the result with periods that
were measured after placement and routing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import log2
from pathlib import Path
from typing import Any

from hyq_hls.errors import CompilationError
from hyq_hls.tools.yosys.cells import (
    CLOCK_TO_Q,
    LUT_DELAY,
    SETUP,
    Arc,
    Endpoint,
    arc,
    endpoint,
    start_delay,
)

WIRE_NS, FANOUT_NS = 0.40, 0.12


@dataclass(frozen=True)
class Wires:
    """The delay of a net that leaves its slice.

    Attributes:
        each: nanoseconds of a net with one load.
        per_octave: nanoseconds more whenever the number of loads doubles.
    """

    each: float = WIRE_NS
    per_octave: float = FANOUT_NS

    def delay(self, loads: int) -> float:
        """Return the nanoseconds of a net with this number of loads."""
        return self.each + self.per_octave * log2(max(loads, 1))


@dataclass(frozen=True)
class TimedPath:
    """The slowest path to endpoints of one kind.

    Attributes:
        kind: ``D`` (data of a register), ``enable`` (clock enable, reset, write enable),
            ``memory`` (address or data), ``DSP`` or ``port``.
        start, end: names of the first and the last net.
        delay: nanoseconds through cells, setup included.
        wires: nanoseconds through nets, estimated.
        levels: LUTs and carry chains.
    """

    kind: str
    start: str
    end: str
    delay: float
    wires: float
    levels: int

    @property
    def period(self) -> float:
        """Nanoseconds that a clock needs at least, estimated."""
        return self.delay + self.wires


@dataclass
class _Arrival:
    """The time at which the value of a net is there, at its driver.

    Attributes:
        start: the first net.
        delay, wires, levels: values of the path so far.
        local: whether a LUT drives the net, so that the carry chain of its slice takes it directly.
        chained: whether a carry chain drives it.
    """

    start: int
    delay: float = 0.0
    wires: float = 0.0
    levels: int = 0
    local: bool = False
    chained: bool = False

    @property
    def time(self) -> float:
        """Nanoseconds after the clock."""
        return self.delay + self.wires


@dataclass
class _Cell:
    kind: str
    parameters: dict[str, int]
    inputs: list[tuple[str, int]] = field(default_factory=list)
    outputs: list[tuple[str, int]] = field(default_factory=list)

    @cached_property
    def arcs(self) -> list[tuple[str, int, Arc, int]]:
        """Paths through the cell: input pin and its net, the arc, the net of the output."""
        return [
            (pin, net, through, target)
            for pin, net in self.inputs
            for out, target in self.outputs
            if (through := arc(self.kind, pin, out)) is not None
        ]


class Netlist:
    """The cells and nets of a flat module.

    Args:
        module: the module as ``write_json`` of Yosys prints it.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        self.cells = [_cell(data) for data in module["cells"].values()]
        self.inputs = _port_nets(module, "input")
        self.outputs = _port_nets(module, "output")
        self.names = _names(module["netnames"])
        self.loads: dict[int, int] = defaultdict(int)
        for cell in self.cells:
            for _, net in cell.inputs:
                self.loads[net] += 1
        for bit in self.outputs:
            self.loads[bit] += 1

    def slowest(self, wires: Wires) -> dict[str, TimedPath]:
        """Return the slowest path to each kind of endpoint."""
        found: dict[str, TimedPath] = {}
        arrivals = self._arrivals(wires)
        for net, end, name in self._ends():
            arrival = arrivals.get(net)
            if arrival is None:
                continue
            # A register takes its data from the LUT or the carry chain of its own slice.
            near = end.kind == "D" and (arrival.local or arrival.chained)
            path = TimedPath(
                end.kind,
                self.names.get(arrival.start, ""),
                name or self.names.get(net, ""),
                arrival.delay + end.setup,
                arrival.wires + (0.0 if near else wires.delay(self.loads[net])),
                arrival.levels,
            )
            if end.kind not in found or path.period > found[end.kind].period:
                found[end.kind] = path
        return found

    def _ends(self) -> Iterator[tuple[int, Endpoint, str]]:
        for cell in self.cells:
            to = next((self.names.get(n, "") for _, n in cell.outputs), "")
            for pin, net in cell.inputs:
                end = endpoint(cell.kind, pin, cell.parameters)
                if end is not None:
                    yield net, end, f"{to} {cell.kind}.{pin}"
        for net in self.outputs:
            yield net, Endpoint("port", SETUP), ""

    def _arrivals(self, wires: Wires) -> dict[int, _Arrival]:
        arrivals = {net: _Arrival(net, CLOCK_TO_Q) for net in self.inputs}
        for cell in self.cells:
            for pin, net in cell.outputs:
                delay = start_delay(cell.kind, pin, cell.parameters)
                if delay is not None:
                    arrivals[net] = _Arrival(net, delay)
        for cell in self._logic():
            for pin, net, through, target in cell.arcs:
                before = arrivals.get(net)
                if before is None:  # It is a constant, or a loop that no register starts.
                    continue
                after = _through(before, cell.kind, pin, through, wires.delay(self.loads[net]))
                if target not in arrivals or after.time > arrivals[target].time:
                    arrivals[target] = after
        return arrivals

    def _logic(self) -> Iterator[_Cell]:
        """Yield the cells with paths through them, each behind the cells that drive it."""
        logic = [cell for cell in self.cells if cell.arcs]
        driven = {target for cell in logic for *_, target in cell.arcs}
        readers: dict[int, list[int]] = defaultdict(list)
        missing: list[int] = []
        for index, cell in enumerate(logic):
            nets = {net for _, net, *_ in cell.arcs if net in driven}
            missing.append(len(nets))
            for net in nets:
                readers[net].append(index)
        waiting = [index for index, count in enumerate(missing) if not count]
        while waiting:
            cell = logic[waiting.pop()]
            yield cell
            for reader in (r for net in {t for *_, t in cell.arcs} for r in readers[net]):
                missing[reader] -= 1
                if not missing[reader]:
                    waiting.append(reader)


def _through(before: _Arrival, cell: str, pin: str, through: Arc, wire: float) -> _Arrival:
    """Return the arrival behind a cell; some of its inputs need no wire of the fabric."""
    delay = through.delay
    if cell == "CARRY4" and pin in ("S", "DI"):
        if before.local:
            wire = 0.0
        else:
            delay += LUT_DELAY  # A carry chain is fed through a LUT of its slice.
    elif _is_direct(cell, pin):
        wire = 0.0
    return _Arrival(
        before.start,
        before.delay + delay,
        before.wires + wire,
        before.levels + through.levels,
        cell.startswith(("LUT", "MUXF")),
        cell == "CARRY4",
    )


def _is_direct(cell: str, pin: str) -> bool:
    """Return whether an input is reached inside a slice, or its cell is no cell of the device."""
    if cell == "CARRY4":
        return pin == "CI"
    return cell == "INV" or (cell.startswith("MUXF") and pin != "S")


def read_netlists(path: Path) -> dict[str, Netlist]:
    """Return the flat modules of a file that ``write_json`` wrote, by name.

    Raises:
        CompilationError: the file cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CompilationError(f"cannot read the netlist {path}: {error}") from error
    return {name: Netlist(module) for name, module in data["modules"].items() if "cells" in module}


def _port_nets(module: Mapping[str, Any], direction: str) -> list[int]:
    ports = [port for port in module["ports"].values() if port["direction"] == direction]
    return [bit for port in ports for bit in port["bits"] if isinstance(bit, int)]


def _cell(data: Mapping[str, Any]) -> _Cell:
    cell = _Cell(data["type"], {k: _number(v) for k, v in data["parameters"].items()})
    for pin, bits in data["connections"].items():
        side = cell.inputs if data["port_directions"][pin] == "input" else cell.outputs
        side += [(pin, bit) for bit in bits if isinstance(bit, int)]
    return cell


def _number(value: str | int) -> int:
    if isinstance(value, int):
        return value
    return int(value, 2) if value and set(value) <= set("01") else int(value == "TRUE")


def _names(netnames: Mapping[str, Any]) -> dict[int, str]:
    """Return the shortest name of every net."""
    names: dict[int, str] = {}
    for name, data in netnames.items():
        for index, bit in enumerate(data["bits"]):
            full = f"{name}[{index}]" if len(data["bits"]) > 1 else name
            if isinstance(bit, int) and len(full) < len(names.get(bit, f"{full} ")):
                names[bit] = full
    return names
