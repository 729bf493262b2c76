"""The generated top level as text: streams, then one instance per operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hyq_hls.stream.flow import Dataflow, ForkStage, OperationStage, Stage, Stream
from hyq_hls.stream.flow.names import comment
from hyq_hls.stream.rtl.instances import (
    axis_input_parameters,
    axis_output_parameters,
    code_bytes,
    fifo_parameters,
    module_of,
    plumbing_parameters,
    word_bits,
)
from hyq_hls.stream.rtl.parameters import module_parameters


def modules_of(flow: Dataflow) -> set[str]:
    """Modules that the top level instantiates."""
    return {module_of(stage) for stage in flow.stages} | {
        "hyq_fifo",
        "hyq_axis_input",
        "hyq_axis_output",
    }


def top_sv(flow: Dataflow, project: str) -> str:
    """The top level of ``flow`` under the name ``project``."""
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    lines = [
        f"// {flow.banner}",
        "//",
        f"// {flow.graph.macs():,} multiply-accumulates per frame; slowest stage: "
        f"{comment(flow.bottleneck.name)}, {flow.cycles_per_frame:,} cycles per frame.",
        "",
        f"module {project} #(",
        "  // Folder of the memory files.",
        '  parameter MemoryDir = "memory"',
        ") (",
        "  input  logic aclk,",
        "  input  logic aresetn,",
        f"  // {_shape(source)}; {code_bytes(source.type)} byte(s) a code",
        f"  input  logic [{_tdata(source) - 1}:0] s_axis_tdata,",
        "  input  logic s_axis_tvalid,",
        "  output logic s_axis_tready,",
        "  input  logic s_axis_tlast,",
        f"  // {_shape(sink)}; {code_bytes(sink.type)} byte(s) a code",
        f"  output logic [{_tdata(sink) - 1}:0] m_axis_tdata,",
        "  output logic m_axis_tvalid,",
        "  input  logic m_axis_tready,",
        "  output logic m_axis_tlast,",
        "  // Rises for good when s_axis_tlast was not where a frame ends.",
        "  output logic frame_error",
        ");",
        "",
        "  // Each stage below is followed by its streams: a FIFO between the writer's side (wr)",
        "  // and the reader's (rd).",
    ]
    lines += ["", *_wires(source), *_instance("hyq_axis_input", "s_axis", _axis_input(source))]
    lines += _fifo(source)
    section = ""
    for stage in flow.stages:
        if isinstance(stage, OperationStage):
            prefix = stage.node.name.rpartition(".")[0]
            if prefix != section:
                section = prefix
                lines += ["", f"  // {comment(section)}"]
        outputs = [flow.streams[name] for name in stage.outputs]
        note, instance = _stage(flow, stage)
        lines += ["", *note]
        for stream in outputs:
            lines += _wires(stream)
        lines += instance
        for stream in outputs:
            lines += _fifo(stream)
    lines += ["", *_instance("hyq_axis_output", "m_axis", _axis_output(sink))]
    return "\n".join([*lines, "", "endmodule", ""])


def _shape(stream: Stream) -> str:
    shape = " x ".join(map(str, stream.type.shape))
    return f"{comment(stream.tensor)}: {shape}, {stream.lanes} lane(s) a beat, {stream.beats} beats"


def _tdata(stream: Stream) -> int:
    return 8 * stream.lanes * code_bytes(stream.type)


def _wires(stream: Stream) -> list[str]:
    name, width = stream.name, word_bits(stream)
    return [
        f"  logic [{width - 1}:0] {name}_wr_data, {name}_rd_data;",
        f"  logic {name}_wr_valid, {name}_wr_ready, {name}_rd_valid, {name}_rd_ready;",
    ]


def _fifo(stream: Stream) -> list[str]:
    ports = {**_side("in", stream.name, "wr"), **_side("out", stream.name, "rd", reader=False)}
    connections = fifo_parameters(stream), _clocked(ports)
    return _instance("hyq_fifo", f"{stream.name}_fifo", connections)


def _side(port: str, stream: str, side: str, reader: bool = True) -> dict[str, str]:
    """Connections of a port to one side of a stream; ``reader``: the port takes words."""
    data, ready = ("i", "o") if reader else ("o", "i")
    return {
        f"{port}_data_{data}": f"{stream}_{side}_data",
        f"{port}_valid_{data}": f"{stream}_{side}_valid",
        f"{port}_ready_{ready}": f"{stream}_{side}_ready",
    }


def _clocked(ports: Mapping[str, str]) -> dict[str, str]:
    return {"clk_i": "aclk", "rst_ni": "aresetn", **ports}


Connections = tuple[Mapping[str, int | str], Mapping[str, str]]


def _axis_input(stream: Stream) -> Connections:
    axis = {f"s_axis_{wire}": f"s_axis_{wire}" for wire in ("tdata", "tvalid", "tready", "tlast")}
    ports = {
        **axis,
        **_side("out", stream.name, "wr", reader=False),
        "frame_error_o": "frame_error",
    }
    return axis_input_parameters(stream), _clocked(ports)


def _axis_output(stream: Stream) -> Connections:
    axis = {f"m_axis_{wire}": f"m_axis_{wire}" for wire in ("tdata", "tvalid", "tready", "tlast")}
    return axis_output_parameters(stream), _clocked({**_side("in", stream.name, "rd"), **axis})


def _stage(flow: Dataflow, stage: Stage) -> tuple[list[str], list[str]]:
    """Comment and instance of a stage."""
    if isinstance(stage, OperationStage):
        operation = stage.node.operation
        ports: dict[str, str] = {}
        for port, stream in zip(operation.ports, stage.inputs, strict=True):
            ports |= _side(port, stream, "rd")
        ports |= _side("out", stage.outputs[0], "wr", reader=False)
        macs = operation.macs(*stage.types)
        note = f"{operation.name}, folding {stage.folding}, {stage.cycles:,} cycles per frame" + (
            f", {macs:,} MAC" if macs else ""
        )
        body = _instance(module_of(stage), stage.name, (module_parameters(stage), _clocked(ports)))
        return [f"  // {comment(stage.node.name)}: {note}"], body
    (source,) = stage.inputs
    if isinstance(stage, ForkStage):
        ports = _side("in", source, "rd")
        for wire, direction in (("data", "o"), ("valid", "o"), ("ready", "i")):
            joined = ", ".join(f"{s}_wr_{wire}" for s in reversed(stage.outputs))
            ports[f"out_{wire}_{direction}"] = f"{{{joined}}}"
    else:
        ports = {**_side("in", source, "rd"), **_side("out", stage.outputs[0], "wr", reader=False)}
    connections = plumbing_parameters(flow, stage), _clocked(ports)
    return [], _instance(module_of(stage), stage.name, connections)


def _instance(module: str, name: str, connections: Connections) -> list[str]:
    parameters, ports = connections
    return [
        f"  {module} #(",
        *_listed(f".{key}({value})" for key, value in parameters.items()),
        f"  ) u_{name} (",
        *_listed(f".{key}({value})" for key, value in ports.items()),
        "  );",
    ]


def _listed(items: Iterable[str]) -> list[str]:
    lines = [f"    {item}," for item in items]
    return [*lines[:-1], lines[-1].removesuffix(",")]
