"""Checks where hls4ml is silent: its graph must hold what the dataflow holds, and nothing else."""

from __future__ import annotations

from typing import Any

from hls4ml.model.layers import Input
from hls4ml.model.optimizer import GlobalOptimizerPass

from hyq_hls.errors import ConversionError
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.hls.layers import NAME, HyqStage, precision
from hyq_hls.stream.hls.text import word_type


class CheckLayers(GlobalOptimizerPass):
    """Every layer must be a stage with a line of C++: hls4ml drops a layer without a template."""

    def transform(self, model: Any, node: Any) -> bool:
        """Check one layer; nothing is transformed.

        Raises:
            ConversionError: the layer is foreign, or it has no call.
        """
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


def check_layer_names(config: dict[str, Any], layers: list[dict[str, Any]]) -> None:
    """Refuse a configuration for a layer that does not exist, which hls4ml accepts.

    Raises:
        ConversionError: the configuration names an unknown layer.
    """
    known = {layer["name"] for layer in layers}
    unknown = set(config["HLSConfig"]["LayerName"]) - known
    if unknown:
        raise ConversionError(
            f"configuration names unknown layers {sorted(unknown)}; known are {sorted(known)}"
        )


def check_streams(flow: Dataflow, model: Any) -> None:
    """Check that every stream stands in hls4ml's graph with its words, lanes, codes and type.

    The C++ is printed from the dataflow. So a graph that says anything else would be a lie about
    the project.

    Raises:
        ConversionError: hls4ml dropped, added or changed a stream.
    """
    found = {v.name: v for layer in model.get_layers() for v in layer.get_variables()}
    missing = [name for name in flow.streams if name not in found]
    if missing:
        raise ConversionError(f"hls4ml dropped the streams {missing}; the project is incomplete")
    added = sorted(set(found) - set(flow.streams))
    if added:
        raise ConversionError(f"hls4ml added the streams {added}, which the dataflow does not have")
    for name, stream in flow.streams.items():
        variable = found[name]
        pairs = {
            "words": ((stream.beats, stream.lanes), tuple(variable.shape)),
            "codes": (precision(stream.type), variable.type.precision),
            "type": (word_type(flow, name), variable.type.name),
        }
        for what, (wanted, given) in pairs.items():
            if given != wanted:
                raise ConversionError(f"{name}: hls4ml changed the {what} from {wanted} to {given}")
