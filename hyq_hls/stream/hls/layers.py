"""The layers of the dataflow in hls4ml's graph: one class for each kind of stage.

A layer carries its :class:`hyq_hls.stream.flow.Stage`. A circuit describes its own C++ call
(:class:`hyq_hls.stream.arguments.TemplateArguments`), so that a new operation needs no new layer
class here.
"""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer
from hls4ml.model.types import IntegerPrecisionType

from hyq_hls.graph.types import TensorType
from hyq_hls.stream.flow import Dataflow, Stream
from hyq_hls.stream.hls import text
from hyq_hls.stream.hls.compilers import Compiler, check_compiler

#: Name of the backend in hls4ml.
NAME = "HyQ"
#: Entry of hls4ml's configuration that holds the :class:`hyq_hls.stream.flow.Dataflow`.
DATAFLOW = "HyqDataflow"
#: Entry with the name of the HLS compiler.
COMPILER = "HyqCompiler"


def dataflow_of(model: Any) -> Dataflow:
    """Return the dataflow that a ``ModelGraph`` of this backend was built from."""
    flow = model.config.get_config_value(DATAFLOW)
    assert isinstance(flow, Dataflow)
    return flow


def compiler_of(model: Any) -> Compiler:
    """Return the HLS compiler that a ``ModelGraph`` of this backend is for."""
    return check_compiler(model.config.get_config_value(COMPILER))


def precision(tensor: TensorType) -> IntegerPrecisionType:
    """Return hls4ml's name for the codes of a tensor."""
    return IntegerPrecisionType(tensor.quantization.bits, tensor.quantization.signed)


class HyqStage(Layer):
    """A stage of the dataflow: attribute ``stage``, and ``streams``, one per output.

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
                type_name=f"{stream.name}_word",
                precision=precision(stream.type),
            )


class HyqOperation(HyqStage):
    """Any integer operation."""


class HyqFork(HyqStage):
    """Copies of one stream."""


class HyqWidthConverter(HyqStage):
    """The same codes in words of other lanes."""


LAYERS = (HyqOperation, HyqFork, HyqWidthConverter)


class OperationConfig(LayerConfigTemplate):
    """Attribute ``config_cpp``: the configuration structure of an operation."""

    def __init__(self) -> None:
        super().__init__(HyqOperation)

    def format(self, node: Any) -> str:
        """Return the structure as it stands in ``parameters.h``."""
        return text.configuration(node.get_attr("stage"), compiler_of(node.model))


class StageCall(FunctionCallTemplate):
    """Attribute ``function_cpp``: the line of a stage in the top function."""

    def __init__(self) -> None:
        super().__init__(LAYERS)

    def format(self, node: Any) -> str:
        """Return the line as it stands in ``firmware/<project>.cpp``."""
        return text.call(dataflow_of(node.model), node.get_attr("stage"), compiler_of(node.model))
