"""From the dataflow to an hls4ml ``ModelGraph`` of backend HyQ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hls4ml.model.graph import ModelGraph
from hls4ml.utils.config import create_config

from hyq_hls.errors import ConversionError
from hyq_hls.stream.flow import Dataflow, ForkStage, OperationStage, Stage
from hyq_hls.stream.hls.backend import NAME
from hyq_hls.stream.hls.layers import precision
from hyq_hls.stream.hls.plugin import ensure_registered


def build_model(flow: Dataflow, folder: Path, project: str, part: str, clock_mhz: float) -> Any:
    """Lower ``flow`` to hls4ml layers, one per stage.

    Raises:
        ConversionError: a stage was lost on the way (hls4ml drops silently; this does not).
    """
    ensure_registered()
    _check_project_name(flow, project)
    layers = _layers(flow)
    config = create_config(
        output_dir=str(folder),
        project_name=project,
        backend=NAME,
        io_type="io_stream",
        part=part,
        clock_period=round(1000 / clock_mhz, 3),
    )
    config["HyqBanner"] = flow.banner
    config["HLSConfig"] = {
        "Model": {"Precision": "ap_int<32>", "ReuseFactor": 1},
        "LayerName": {
            flow.source: {"Precision": {"result": str(precision(flow.graph.input_type))}}
        },
    }
    _check_layer_names(config, layers)
    model = ModelGraph.from_layer_list(config, layers, outputs=[_tensor_name(flow, flow.sink)])
    _check_complete(flow, model)
    return model


def _check_project_name(flow: Dataflow, project: str) -> None:
    memories = {rom.name for stage in flow.operations for rom in stage.kernel.roms}
    suffixes = {"t", "word", "config", "layer", "fork"} | memories
    inside = {f"{n}_{s}" for n in (*flow.streams, "input", "result") for s in suffixes}
    if project in inside:
        raise ConversionError(f"project name {project!r} is the name of a type or memory in it")


def _tensor_name(flow: Dataflow, stream: str) -> str:
    """hls4ml's name of a stream.

    hls4ml keeps outputs among the attributes of a layer: a layer of the plain name ``kernel`` would
    overwrite its own kernel, hence ``kernel_layer``.
    """
    return stream if stream == flow.source else f"{stream}_layer"


def _layers(flow: Dataflow) -> list[dict[str, Any]]:
    source = flow.streams[flow.source]
    layers: list[dict[str, Any]] = [
        {
            "class_name": "Input",
            "name": flow.source,
            "input_shape": [source.beats, source.lanes],
        }
    ]
    return layers + [_layer(flow, stage) for stage in flow.stages]


def _layer(flow: Dataflow, stage: Stage) -> dict[str, Any]:
    outputs = [_tensor_name(flow, s) for s in stage.outputs]
    layer = {
        "name": outputs[0] if len(outputs) == 1 else f"{stage.name}_layer",
        "inputs": [_tensor_name(flow, s) for s in stage.inputs],
        "outputs": outputs,
        "streams": [flow.streams[s] for s in stage.outputs],
    }
    if isinstance(stage, OperationStage):
        return {"class_name": "HyqOperation", "stage": stage, **layer}
    if isinstance(stage, ForkStage):
        return {"class_name": "HyqFork", **layer}
    return {"class_name": "HyqWidthConverter", **layer}


def _check_layer_names(config: dict[str, Any], layers: list[dict[str, Any]]) -> None:
    """hls4ml accepts a configuration for a layer that does not exist; this does not."""
    known = {layer["name"] for layer in layers}
    unknown = set(config["HLSConfig"]["LayerName"]) - known
    if unknown:
        raise ConversionError(
            f"configuration names unknown layers {sorted(unknown)}; known are {sorted(known)}"
        )


def _check_complete(flow: Dataflow, model: Any) -> None:
    """Every stream must stand in the model, with its words, lanes and type."""
    found = {v.name: v for layer in model.get_layers() for v in layer.get_variables()}
    missing = [name for name in flow.streams if name not in found]
    if missing:
        raise ConversionError(f"hls4ml dropped the streams {missing}; the project is incomplete")
    for name, stream in flow.streams.items():
        shape, code = tuple(found[name].shape), found[name].type.precision
        if shape != (stream.beats, stream.lanes):
            raise ConversionError(
                f"{name}: hls4ml changed the words from {(stream.beats, stream.lanes)} to {shape}"
            )
        if code != precision(stream.type):
            raise ConversionError(
                f"{name}: hls4ml changed the codes from {precision(stream.type)} to {code}"
            )
