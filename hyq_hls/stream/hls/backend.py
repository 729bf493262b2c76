"""The hls4ml backend ``HyQ``: integer layers only, and a check where hls4ml is silent."""

from __future__ import annotations

from typing import Any

from hls4ml.backends import VitisBackend, VivadoBackend
from hls4ml.model.flow import register_flow
from hls4ml.model.layers import Input, register_layer
from hls4ml.model.optimizer import GlobalOptimizerPass

from hyq_hls.errors import ConversionError
from hyq_hls.stream.hls.layers import (
    ForkCall,
    HyqFork,
    HyqOperation,
    HyqStage,
    HyqWidthConverter,
    OperationCall,
    OperationConfig,
    WidthConverterCall,
)

NAME = "HyQ"


class CheckLayers(GlobalOptimizerPass):
    """Every layer must have become a line of C++: hls4ml drops a layer that has no template."""

    def transform(self, model: Any, node: Any) -> bool:
        """Raise ``ConversionError`` for a foreign layer or one without a call."""
        if isinstance(node, Input):
            return False
        if not isinstance(node, HyqStage):
            raise ConversionError(
                f"{node.name}: layer class {node.class_name} is not one of backend {NAME}; build "
                "the project with hyq_hls.convert"
            )
        if not node.get_attr("function_cpp"):
            raise ConversionError(
                f"{node.name}: no C++ call was generated for {node.class_name}, hls4ml would drop "
                "the layer without a word; register its template with the backend"
            )
        return False


class HyqBackend(VitisBackend):
    """Vitis HLS projects of the integer templates in ``hls_templates/``.

    None of hls4ml's optimizer passes run: they rewrite float layers, and the integer graph has
    none. Streams and types are hls4ml's own.
    """

    def __init__(self) -> None:
        super(VivadoBackend, self).__init__(name=NAME)
        for cls in (HyqOperation, HyqFork, HyqWidthConverter):
            register_layer(cls.__name__, cls)
        for template in (OperationConfig, OperationCall, ForkCall, WidthConverterCall):
            self.register_template(template)
        self.register_pass("check_layers", CheckLayers)
        self._register_flows()

    def _register_flows(self) -> None:
        types = register_flow("types", ["vivado:transform_types"], backend=self.name)
        templates = register_flow(
            "apply_templates", self._get_layer_templates, requires=[types], backend=self.name
        )
        check = register_flow(
            "check", ["hyq:check_layers"], requires=[templates], backend=self.name
        )
        self._default_flow = register_flow("ip", None, requires=[check], backend=self.name)
        self._writer_flow = register_flow(
            "write", ["make_stamp", "hyq:write_hls"], requires=["hyq:ip"], backend=self.name
        )
