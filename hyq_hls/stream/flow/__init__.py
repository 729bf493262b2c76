"""The machine that both back ends print: operations, forks, width converters, streams."""

from hyq_hls.stream.flow.build import build_dataflow
from hyq_hls.stream.flow.dataflow import (
    Dataflow,
    ForkStage,
    OperationStage,
    Stage,
    Stream,
    WidthConverterStage,
)

__all__ = [
    "Dataflow",
    "ForkStage",
    "OperationStage",
    "Stage",
    "Stream",
    "WidthConverterStage",
    "build_dataflow",
]
