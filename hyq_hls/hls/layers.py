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

MAX_FORK = 4


def precision(tensor: TensorType) -> IntegerPrecisionType:
    """hls4ml's name for the codes of a tensor."""
    return IntegerPrecisionType(tensor.quantization.bits, tensor.quantization.signed)


class HyqOperation(Layer):
    """Any integer operation; attributes ``node`` (graph node), ``kernel``, ``identifier``."""

    def initialize(self) -> None:
        """Declare the output stream under the name of the node."""
        tensor: TensorType = self.get_attr("node").type
        identifier = self.get_attr("identifier")
        self.add_output_variable(
            list(tensor.shape),
            var_name=identifier,
            type_name=f"{identifier}_word",  # POSIX has many types *_t
            precision=precision(tensor),
        )


class HyqFork(Layer):
    """Copies of one stream; attributes ``tensor``, ``identifiers`` (one per output)."""

    def initialize(self) -> None:
        """Declare one output stream per reader, of the type of the input."""
        tensor: TensorType = self.get_attr("tensor")
        for output, identifier in zip(self.outputs, self.get_attr("identifiers"), strict=True):
            self.add_output_variable(
                list(tensor.shape),
                out_name=output,
                var_name=identifier,
                type_name=self.get_attr("type_name"),
                precision=precision(tensor),
            )


class OperationConfig(LayerConfigTemplate):
    """The configuration structure of an operation, in ``parameters.h``."""

    def __init__(self) -> None:
        super().__init__(HyqOperation)

    def format(self, node: Any) -> str:
        """Sizes, types and memory lengths of one operation."""
        kernel, identifier = node.get_attr("kernel"), node.get_attr("identifier")
        lines = [f"struct {identifier}_config {{"]
        for name, value in kernel.constants.items():
            kind = "int" if value < 0 or name.startswith("code_") else "unsigned"
            lines.append(f"    static const {kind} {name} = {value};")
        lines += [f"    static const unsigned {r.name}_entries = {r.entries};" for r in kernel.roms]
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
        identifier = node.get_attr("identifier")
        inputs = [node.get_input_variable(name) for name in node.inputs]
        output = node.get_output_variable()
        arguments = [*(v.name for v in inputs), output.name]
        arguments += [f"{identifier}_{rom.name}" for rom in node.get_attr("kernel").roms]
        function = node.get_attr("node").operation.name
        return f"hyq::{function}<{identifier}_config>({', '.join(arguments)});"


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


def integer_cpp(bits: int, signed: bool, kind: str = "integer") -> str:
    """C++ name of an integer type of the templates; ``kind`` is ``integer`` or ``rom``."""
    return f"hyq::{kind}<{bits}>" if signed else f"hyq::{kind}<{bits}, false>"


def rom_type_cpp(rom: Rom | RequantizeRom) -> str:
    """C++ type of an entry of a constant memory."""
    if isinstance(rom, RequantizeRom):
        return "hyq::power_of_two" if rom.multiplier is None else "hyq::dyadic"
    return integer_cpp(rom.bits, rom.signed, "rom")
