"""The text of the generated top level: streams, then one instance per operation."""

from __future__ import annotations

from collections.abc import Iterable

from hyq_hls.stream.flow import Dataflow, OperationStage, Stream
from hyq_hls.stream.flow.names import comment
from hyq_hls.stream.rtl.instances import Instance, instances
from hyq_hls.stream.rtl.parameters import printed
from hyq_hls.stream.rtl.plumbing import Fifo, code_bytes, word_bits


def modules_of(flow: Dataflow) -> set[str]:
    """Return the modules that the top level instantiates."""
    return {instance.module for instance in instances(flow)}


#: What the parameter says where the memories are files, and where they are not.
_MEMORY_DIR = ("  // Folder of the memory files.", '  parameter MemoryDir = "memory"')
_NO_MEMORY_DIR = (
    "  // Without effect: the memories stand in a package.",
    "  // verilator lint_off UNUSEDPARAM",
    '  parameter MemoryDir = "memory"',
    "  // verilator lint_on UNUSEDPARAM",
)


def top_sv(flow: Dataflow, project: str, package: str | None = None) -> str:
    """Return the top level of ``flow`` under the name ``project``.

    Args:
        flow: stages and streams.
        project: name of the module.
        package: the package that holds the memories, where they are no files.
    """
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    lines = [
        f"// {flow.banner}",
        "//",
        f"// {flow.graph.macs():,} multiply-accumulates per frame; slowest stage: "
        f"{comment(flow.bottleneck.name)}, {flow.cycles_per_frame:,} cycles per frame.",
        "",
        f"module {project} #(",
        *(_MEMORY_DIR if package is None else _NO_MEMORY_DIR),
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
        "  // Frames that were made whole because s_axis_tlast was not where a frame ends.",
        "  output logic [15:0] frame_errors",
        ");",
        "",
        "  // Each stage below is followed by its streams: a FIFO between the writer's side (wr)",
        "  // and the reader's (rd).",
    ]
    section = ""
    for instance in instances(flow):
        circuit = instance.circuit
        if isinstance(circuit, OperationStage):
            prefix = circuit.node.name.rpartition(".")[0]
            if prefix != section:
                section = prefix
                lines += ["", f"  // {comment(section)}"]
        if not isinstance(circuit, Fifo):
            lines.append("")
        if isinstance(circuit, OperationStage):
            lines.append(_note(circuit))
        for stream in instance.writes:
            lines += _wires(stream)
        lines += _instance(instance, package)
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


def _note(stage: OperationStage) -> str:
    """Return the comment above the instance of an operation."""
    work = f", {stage.circuit.macs:,} MAC" if stage.circuit.macs else ""
    return (
        f"  // {comment(stage.node.name)}: {stage.node.operation.name}, folding {stage.folding}, "
        f"{stage.cycles:,} cycles per frame{work}"
    )


def _instance(instance: Instance, package: str | None) -> list[str]:
    return [
        f"  {instance.module} #(",
        *_listed(
            f".{key}({value})" for key, value in printed(instance.parameters, package).items()
        ),
        f"  ) u_{instance.name} (",
        *_listed(f".{key}({value})" for key, value in instance.ports.items()),
        "  );",
    ]


def _listed(items: Iterable[str]) -> list[str]:
    lines = [f"    {item}," for item in items]
    return [*lines[:-1], lines[-1].removesuffix(",")]
