"""What the top level instantiates: modules with the values of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.graph import TensorType
from hyq_hls.stream.flow import Dataflow, ForkStage, OperationStage, Stage, Stream
from hyq_hls.stream.rtl.parameters import parameter_values
from hyq_hls.tools.systemverilog import Value


@dataclass(frozen=True)
class Instance:
    """One circuit of a design.

    Args:
        name: in the top level, without ``u_``.
        owner: the stage or stream that it is; None for an AXI4-Stream port.
        module: SystemVerilog module.
        parameters: plain values; a text is the path of a memory file.
    """

    name: str
    owner: Stage | Stream | None
    module: str
    parameters: Mapping[str, Value]


def instances(flow: Dataflow, memory_dir: Path) -> Iterator[Instance]:
    """Every instance of the top level of ``flow``, whose memories lie in ``memory_dir``."""
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    yield Instance("s_axis", None, "hyq_axis_input", axis_input_parameters(source))
    for stream in flow.streams.values():
        yield Instance(f"{stream.name}_fifo", stream, "hyq_fifo", fifo_parameters(stream))
    for stage in flow.stages:
        if isinstance(stage, OperationStage):
            parameters: Mapping[str, Value] = parameter_values(stage, str(memory_dir))
        else:
            parameters = plumbing_parameters(flow, stage)
        yield Instance(stage.name, stage, module_of(stage), parameters)
    yield Instance("m_axis", None, "hyq_axis_output", axis_output_parameters(sink))


def module_of(stage: Stage) -> str:
    """The module of a stage."""
    if isinstance(stage, OperationStage):
        return f"hyq_{stage.circuit.module}"
    return "hyq_fork" if isinstance(stage, ForkStage) else "hyq_width_converter"


def code_bytes(tensor: TensorType) -> int:
    """Bytes that carry one code on an AXI4-Stream port."""
    return -(-tensor.quantization.bits // 8)


def word_bits(stream: Stream) -> int:
    """Width of a word."""
    return stream.lanes * stream.type.quantization.bits


def fifo_parameters(stream: Stream) -> dict[str, int]:
    """Of the FIFO that a stream is."""
    return {"Width": word_bits(stream), "Depth": stream.depth}


def plumbing_parameters(flow: Dataflow, stage: Stage) -> dict[str, int]:
    """Of a fork or a width converter."""
    source = flow.streams[stage.inputs[0]]
    if isinstance(stage, ForkStage):
        return {"Width": word_bits(source), "Outputs": len(stage.outputs)}
    return {
        "Bits": source.type.quantization.bits,
        "InLanes": source.lanes,
        "OutLanes": flow.streams[stage.outputs[0]].lanes,
    }


def axis_input_parameters(stream: Stream) -> dict[str, int]:
    """Of the port that brings the codes of ``stream``."""
    return {
        "Lanes": stream.lanes,
        "Bits": stream.type.quantization.bits,
        "CodeBytes": code_bytes(stream.type),
        "Beats": stream.beats,
    }


def axis_output_parameters(stream: Stream) -> dict[str, int]:
    """Of the port that takes the codes of ``stream`` away."""
    return {**axis_input_parameters(stream), "Signed": int(stream.type.quantization.signed)}
