"""hls4ml layers: one class carries every integer operation, one copies streams.

An operation describes its own C++ call (:class:`hyq_hls.graph.kernel.Kernel`), so that a new
operation needs no new layer class here.
"""

from __future__ import annotations

from math import prod
from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer
from hls4ml.model.types import IntegerPrecisionType

from hyq_hls.graph.kernel import RequantizeRom, Rom
from hyq_hls.graph.types import TensorType
from hyq_hls.stream.flow import Stream


def precision(tensor: TensorType) -> IntegerPrecisionType:
    """hls4ml's name for the codes of a tensor."""
    return IntegerPrecisionType(tensor.quantization.bits, tensor.quantization.signed)


class HyqStage(Layer):
    """A stage of the dataflow; attribute ``streams``, one per output.

    hls4ml sees a tensor (words, lanes) where the graph has one of its own shape.
    """

    def initialize(self) -> None:
        """Declare the output streams under their names."""
        streams: list[Stream] = self.get_attr("streams")
        for output, stream in zip(self.outputs, streams, strict=True):
            self.add_output_variable(
                [stream.beats, stream.lanes],
                out_name=output,
                var_name=stream.name,
                type_name=f"{stream.name}_word",  # POSIX has many types *_t
                precision=precision(stream.type),
            )


class HyqOperation(HyqStage):
    """Any integer operation; attribute ``stage``."""


class HyqFork(HyqStage):
    """Copies of one stream."""


class HyqWidthConverter(HyqStage):
    """The same codes in words of other lanes."""


class OperationConfig(LayerConfigTemplate):
    """The configuration structure of an operation, in ``parameters.h``."""

    def __init__(self) -> None:
        super().__init__(HyqOperation)

    def format(self, node: Any) -> str:
        """Sizes, types and memory lengths of one operation."""
        stage = node.get_attr("stage")
        kernel, identifier = stage.kernel, stage.name
        lines = [f"struct {identifier}_config {{"]
        for name, value in kernel.constants.items():
            kind = "int" if value < 0 or name.startswith("code_") else "unsigned"
            lines.append(f"    static const {kind} {name} = {value};")
        for rom in kernel.roms:
            lines.append(f"    static const unsigned {rom.name}_entries = {rom.entries};")
            lines.append(f"    static const unsigned {rom.name}_lanes = {rom.lanes};")
        lines += [
            f"    typedef {integer_cpp(bits, signed)} {name};"
            for name, (bits, signed) in kernel.integers.items()
        ]
        lines += [f"    typedef {rom_type_cpp(rom)} {rom.name}_t;" for rom in kernel.roms]
        return "\n".join([*lines, "};"]) + "\n"


class OperationCall(FunctionCallTemplate):
    """The one line of an operation in the top function."""

    def __init__(self) -> None:
        super().__init__(HyqOperation)

    def format(self, node: Any) -> str:
        """``hyq::dense<fc_config>(in, fc, fc_weight, fc_bias, fc_requantize);``."""
        stage = node.get_attr("stage")
        inputs = [node.get_input_variable(name) for name in node.inputs]
        output = node.get_output_variable()
        arguments = [*(v.name for v in inputs), output.name]
        arguments += [f"{stage.name}_{rom.name}" for rom in stage.kernel.roms]
        function = stage.node.operation.module
        return f"hyq::{function}<{stage.name}_config>({', '.join(arguments)});"


class ForkCall(FunctionCallTemplate):
    """The one line of a fork in the top function."""

    def __init__(self) -> None:
        super().__init__(HyqFork)

    def format(self, node: Any) -> str:
        """``hyq::fork<64>(x, x_copy1, x_copy2);``."""
        source = node.get_input_variable()
        words = prod(source.shape[:-1])
        names = [source.name, *(node.get_output_variable(o).name for o in node.outputs)]
        return f"hyq::fork<{words}>({', '.join(names)});"


class WidthConverterCall(FunctionCallTemplate):
    """The one line of a width converter in the top function."""

    def __init__(self) -> None:
        super().__init__(HyqWidthConverter)

    def format(self, node: Any) -> str:
        """``hyq::convert_width<64>(x, x_x4);`` with the words of the wider side."""
        source, result = node.get_input_variable(), node.get_output_variable()
        words = min(source.shape[0], result.shape[0])
        return f"hyq::convert_width<{words}>({source.name}, {result.name});"


def integer_cpp(bits: int, signed: bool, kind: str = "integer") -> str:
    """C++ name of an integer type of the templates; ``kind`` is ``integer`` or ``rom``."""
    return f"hyq::{kind}<{bits}>" if signed else f"hyq::{kind}<{bits}, false>"


def rom_type_cpp(rom: Rom | RequantizeRom) -> str:
    """C++ type of an entry of a constant memory."""
    if isinstance(rom, RequantizeRom):
        return "hyq::power_of_two" if rom.multiplier is None else "hyq::dyadic"
    return integer_cpp(rom.bits, rom.signed, "rom")
