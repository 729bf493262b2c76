"""The instances of the top level as one list, for text, synthesis, estimate and simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.stream.flow import Dataflow, ForkStage, OperationStage, Stage, Stream
from hyq_hls.stream.rtl.parameters import Parameter, operation_parameters, placed
from hyq_hls.stream.rtl.plumbing import AxisInput, AxisOutput, Fifo, Plumbing, plumbing_of
from hyq_hls.tools.systemverilog import Value


@dataclass(frozen=True)
class Instance:
    """One circuit of a design.

    Attributes:
        name: name in the top level, without ``u_``.
        circuit: the operation or the plumbing that it is.
        ports: connection of every port, clock and reset included.
        writes: the streams that it feeds.
    """

    name: str
    circuit: OperationStage | Plumbing
    ports: Mapping[str, str]
    writes: tuple[Stream, ...] = ()

    @property
    def module(self) -> str:
        """Its SystemVerilog module."""
        return module_of(self.circuit)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Its parameters, as values."""
        if isinstance(self.circuit, OperationStage):
            return operation_parameters(self.circuit)
        return self.circuit.parameters

    def parameters_alone(self, memory_dir: Path) -> dict[str, Value]:
        """Return its parameters outside the top level, with memory files in ``memory_dir``."""
        return placed(self.parameters, memory_dir)


def module_of(circuit: OperationStage | Plumbing) -> str:
    """Return the SystemVerilog module of a circuit."""
    if isinstance(circuit, OperationStage):
        return f"hyq_{circuit.circuit.module}"
    return circuit.module


def instances(flow: Dataflow) -> Iterator[Instance]:
    """Yield every instance of the top level, in the order of the data, each before its FIFOs."""
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    ports = {**_axis("s"), **_written(source.name), "frame_errors_o": "frame_errors"}
    yield Instance("s_axis", AxisInput.of(source), _clocked(ports), (source,))
    yield _fifo(source)
    for stage in flow.stages:
        outputs = tuple(flow.streams[name] for name in stage.outputs)
        circuit = stage if isinstance(stage, OperationStage) else plumbing_of(flow, stage)
        yield Instance(stage.name, circuit, _clocked(_stage_ports(stage)), outputs)
        yield from map(_fifo, outputs)
    ports = {**_read(sink.name), **_axis("m")}
    yield Instance("m_axis", AxisOutput.of(sink), _clocked(ports))


def _fifo(stream: Stream) -> Instance:
    """Return the FIFO between the writer's side (wr) of a stream and the reader's side (rd)."""
    name = stream.name
    ports = {**_side("in", name, "wr", takes=True), **_side("out", name, "rd", takes=False)}
    return Instance(f"{name}_fifo", Fifo.of(stream), _clocked(ports))


def _stage_ports(stage: Stage) -> dict[str, str]:
    if isinstance(stage, OperationStage):
        ports: dict[str, str] = {}
        for port, stream in zip(stage.circuit.ports, stage.inputs, strict=True):
            ports |= _read(stream, port)
        return {**ports, **_written(stage.outputs[0])}
    (source,) = stage.inputs
    if not isinstance(stage, ForkStage):
        return {**_read(source), **_written(stage.outputs[0])}
    ports = _read(source)
    for wire, direction in (("data", "o"), ("valid", "o"), ("ready", "i")):
        joined = ", ".join(f"{s}_wr_{wire}" for s in reversed(stage.outputs))
        ports[f"out_{wire}_{direction}"] = f"{{{joined}}}"
    return ports


def _read(stream: str, port: str = "in") -> dict[str, str]:
    return _side(port, stream, "rd", takes=True)


def _written(stream: str) -> dict[str, str]:
    return _side("out", stream, "wr", takes=False)


def _side(port: str, stream: str, side: str, *, takes: bool) -> dict[str, str]:
    """Return the connections of a port to one side of a stream.

    With ``takes``, words go into the port.
    """
    data, ready = ("i", "o") if takes else ("o", "i")
    return {
        f"{port}_data_{data}": f"{stream}_{side}_data",
        f"{port}_valid_{data}": f"{stream}_{side}_valid",
        f"{port}_ready_{ready}": f"{stream}_{side}_ready",
    }


def _axis(letter: str) -> dict[str, str]:
    wires = (f"{letter}_axis_{wire}" for wire in ("tdata", "tvalid", "tready", "tlast"))
    return {wire: wire for wire in wires}


def _clocked(ports: Mapping[str, str]) -> dict[str, str]:
    return {"clk_i": "aclk", "rst_ni": "aresetn", **ports}
