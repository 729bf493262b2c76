"""The machine both back ends describe: operations, forks, width converters, streams."""

from hyq_hls.dataflow.plan import (
    Dataflow,
    ForkStage,
    OperationStage,
    Stage,
    Stream,
    WidthConverterStage,
    plan,
)

__all__ = [
    "Dataflow",
    "ForkStage",
    "OperationStage",
    "Stage",
    "Stream",
    "WidthConverterStage",
    "plan",
]
