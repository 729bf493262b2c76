"""A dataflow becomes an hls4ml ``ModelGraph`` of backend HyQ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hls4ml.model.graph import ModelGraph
from hls4ml.utils.config import create_config

from hyq_hls.errors import ConversionError
from hyq_hls.stream.flow import (
    Dataflow,
    ForkStage,
    OperationStage,
    Stage,
    WidthConverterStage,
)
from hyq_hls.stream.hls.check import check_layer_names, check_streams
from hyq_hls.stream.hls.compilers import Compiler
from hyq_hls.stream.hls.layers import (
    COMPILER,
    DATAFLOW,
    NAME,
    HyqFork,
    HyqOperation,
    HyqStage,
    HyqWidthConverter,
    precision,
)
from hyq_hls.stream.hls.plugin import ensure_registered

_CLASSES: dict[type[Stage], type[HyqStage]] = {
    OperationStage: HyqOperation,
    ForkStage: HyqFork,
    WidthConverterStage: HyqWidthConverter,
}


def build_model(
    flow: Dataflow,
    folder: Path,
    project: str,
    part: str,
    clock_mhz: float,
    compiler: Compiler = "vitis",
) -> Any:
    """Turn ``flow`` into hls4ml layers, one per stage.

    Args:
        flow: the machine.
        folder: where the project is written later.
        project: name of the top function.
        part: device of the project.
        clock_mhz: target clock.
        compiler: HLS compiler that the C++ is for.

    Raises:
        ConversionError: the project's name is taken, or a stage was lost on the way (hls4ml drops
            it silently; this does not).
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
    config[DATAFLOW] = flow
    config[COMPILER] = compiler
    config["HLSConfig"] = {
        "Model": {"Precision": "ap_int<32>", "ReuseFactor": 1},
        "LayerName": {
            flow.source: {"Precision": {"result": str(precision(flow.graph.input_type))}}
        },
    }
    check_layer_names(config, layers)
    model = ModelGraph.from_layer_list(config, layers, outputs=[_tensor_name(flow, flow.sink)])
    check_streams(flow, model)
    return model


def _check_project_name(flow: Dataflow, project: str) -> None:
    memories = {rom.name for stage in flow.operations for rom in stage.arguments.roms}
    suffixes = {"t", "word", "config", "layer", "fork", "process"} | memories
    inside = {f"{n}_{s}" for n in (*flow.streams, "input", "result") for s in suffixes}
    if project in inside:
        raise ConversionError(f"project name {project!r} is the name of a type or memory in it")


def _tensor_name(flow: Dataflow, stream: str) -> str:
    """Return hls4ml's name of a stream.

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
    return {
        "name": outputs[0] if len(outputs) == 1 else f"{stage.name}_layer",
        "inputs": [_tensor_name(flow, s) for s in stage.inputs],
        "outputs": outputs,
        "streams": [flow.streams[s] for s in stage.outputs],
        "stage": stage,
        "class_name": _CLASSES[type(stage)].__name__,
    }
