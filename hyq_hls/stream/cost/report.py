"""The resource report of a streaming design."""

from __future__ import annotations

from hyq_hls.machine.resource_report import DesignUtilization, ResourceReport
from hyq_hls.parts import Part
from hyq_hls.stream.flow import Dataflow, OperationStage


def resource_report(
    flow: Dataflow, design: DesignUtilization, part: Part, clock_mhz: float, method: str
) -> ResourceReport:
    """Return the report of a design whose utilization is known.

    Args:
        flow: the design.
        design: utilization of its circuits.
        part: the part it is for.
        clock_mhz: the clock at which frames are counted.
        method: how the utilization is known, for example "estimate".
    """
    multipliers = sum(_products(stage) for stage in flow.operations)
    frame = flow.cycles_per_frame
    multiplied = sum(_macs(stage) for stage in flow.operations if _products(stage))
    slowest = max(flow.operations, key=lambda stage: stage.cycles)
    slots = _products(slowest) * slowest.cycles
    return ResourceReport(
        part,
        clock_mhz,
        method,
        design,
        cycles={stage.node.name: stage.cycles for stage in flow.operations},
        foldings={stage.node.name: str(stage.folding) for stage in flow.operations},
        cycles_per_frame=frame,
        multipliers=multipliers,
        busy=multiplied / (multipliers * frame) if multipliers else 0.0,
        bottleneck=slowest.node.name,
        bottleneck_busy=_macs(slowest) / slots if slots else 0.0,
        macs_per_cycle_per_dsp=flow.graph.macs() / frame / max(design.total.dsp, 1),
    )


def _products(stage: OperationStage) -> int:
    return stage.circuit.products(stage.folding)


def _macs(stage: OperationStage) -> int:
    return stage.circuit.macs
