"""The circuits between operations: FIFOs, forks, width converters, ports."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, fields
from typing import ClassVar

from hyq_hls.graph import TensorType
from hyq_hls.stream.flow import Dataflow, ForkStage, Stage, Stream
from hyq_hls.stream.rtl.parameters import Parameter, camel


@dataclass(frozen=True)
class Plumbing(ABC):
    """A module whose parameters are the fields of the class, in UpperCamelCase."""

    #: SystemVerilog module.
    module: ClassVar[str]
    #: The word by which reports call its kind.
    kind: ClassVar[str]

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Parameters of the module."""
        return {camel(field.name): getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Fifo(Plumbing):
    """The queue of a stream.

    Attributes:
        width: bits of a word.
        depth: words.
    """

    module = "hyq_fifo"
    kind = "FIFOs"

    width: int
    depth: int

    @classmethod
    def of(cls, stream: Stream) -> Fifo:
        """Return the queue of ``stream``."""
        return cls(word_bits(stream), stream.depth)


@dataclass(frozen=True)
class Fork(Plumbing):
    """A circuit that copies every word for each of several readers.

    Attributes:
        width: bits of a word.
        outputs: number of readers.
    """

    module = "hyq_fork"
    kind = "forks"

    width: int
    outputs: int


@dataclass(frozen=True)
class WidthConverter(Plumbing):
    """A circuit that regroups the codes of words to words of other lanes.

    Attributes:
        bits: width of a code.
        in_lanes: codes of a word that is read.
        out_lanes: codes of a word that is written.
    """

    module = "hyq_width_converter"
    kind = "width converters"

    bits: int
    in_lanes: int
    out_lanes: int


@dataclass(frozen=True)
class AxisInput(Plumbing):
    """The AXI4-Stream port that brings frames.

    Attributes:
        lanes: codes of a beat.
        bits: width of a code.
        code_bytes: bytes that carry a code.
        beats: beats of a frame.
    """

    module = "hyq_axis_input"
    kind = "AXI4-Stream ports"

    lanes: int
    bits: int
    code_bytes: int
    beats: int

    @classmethod
    def of(cls, stream: Stream) -> AxisInput:
        """Return the port that writes ``stream``."""
        q = stream.type.quantization
        return cls(stream.lanes, q.bits, code_bytes(stream.type), stream.beats)


@dataclass(frozen=True)
class AxisOutput(AxisInput):
    """The AXI4-Stream port that takes results away.

    Attributes:
        signed: whether codes are extended by their sign.
    """

    module = "hyq_axis_output"

    signed: bool

    @classmethod
    def of(cls, stream: Stream) -> AxisOutput:
        """Return the port that reads ``stream``."""
        q = stream.type.quantization
        return cls(stream.lanes, q.bits, code_bytes(stream.type), stream.beats, q.signed)


def plumbing_of(flow: Dataflow, stage: Stage) -> Fork | WidthConverter:
    """Return the circuit of a stage that is no operation."""
    source = flow.streams[stage.inputs[0]]
    if isinstance(stage, ForkStage):
        return Fork(word_bits(source), len(stage.outputs))
    target = flow.streams[stage.outputs[0]]
    return WidthConverter(source.type.quantization.bits, source.lanes, target.lanes)


def code_bytes(tensor: TensorType) -> int:
    """Return the number of bytes that carry one code on an AXI4-Stream port."""
    return -(-tensor.quantization.bits // 8)


def word_bits(stream: Stream) -> int:
    """Return the width of a word in bits."""
    return stream.lanes * stream.type.quantization.bits
