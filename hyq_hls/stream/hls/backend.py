"""The hls4ml backend ``HyQ``: integer layers only, and no optimizer passes of hls4ml."""

from __future__ import annotations

from hls4ml.backends import VitisBackend, VivadoBackend
from hls4ml.model.flow import register_flow
from hls4ml.model.layers import register_layer

from hyq_hls.stream.hls.check import CheckLayers
from hyq_hls.stream.hls.layers import LAYERS, NAME, OperationConfig, StageCall


class HyqBackend(VitisBackend):
    """Vitis HLS projects of the integer templates in ``hls_templates/``.

    None of hls4ml's optimizer passes run: they rewrite float layers, and the integer graph has
    none. Streams and types are hls4ml's own.
    """

    def __init__(self) -> None:
        super(VivadoBackend, self).__init__(name=NAME)
        for cls in LAYERS:
            register_layer(cls.__name__, cls)
        for template in (OperationConfig, StageCall):
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
