"""The resource report of a streaming design."""

from __future__ import annotations

from collections.abc import Mapping

from hyq_hls.machine.hls_plan import HlsPlan
from hyq_hls.machine.resource_report import DesignUtilization, ResourceReport
from hyq_hls.parts import Part
from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.cost.plan import plan_hls
from hyq_hls.stream.flow import Dataflow, OperationStage


def estimate_report(
    flow: Dataflow, hls_flow: Dataflow, part: Part, clock_mhz: float
) -> ResourceReport:
    """Return the estimate of the RTL, and the plan of the HLS C++ beside it.

    Args:
        flow: the design with the FIFO depths of the RTL.
        hls_flow: the design with those of the C++.
        part: the part it is for.
        clock_mhz: the clock at which frames are counted.

    Raises:
        ConversionError: a module has no cost model.
    """
    used, plan = estimate_design(flow), plan_hls(hls_flow)
    return resource_report(flow, used, part, clock_mhz, "estimate", plan=plan)


def resource_report(
    flow: Dataflow,
    design: DesignUtilization,
    part: Part,
    clock_mhz: float,
    method: str,
    *,
    cycles: Mapping[str, int] | None = None,
    plan: HlsPlan | None = None,
) -> ResourceReport:
    """Return the report of a design whose utilization is known.

    Args:
        flow: the design.
        design: utilization of its circuits.
        part: the part it is for.
        clock_mhz: the clock at which frames are counted.
        method: how the utilization is known, for example "estimate".
        cycles: cycles per frame of nodes, by name, where they are not those of the RTL.
        plan: the HLS C++ of the design.
    """
    taken = {stage.node.name: stage.cycles for stage in flow.operations} | dict(cycles or {})
    multipliers = sum(_products(stage) for stage in flow.operations)
    frame = flow.cycles_per_frame if cycles is None else max(taken.values())
    multiplied = sum(_macs(stage) for stage in flow.operations if _products(stage))
    slowest = max(flow.operations, key=lambda stage: taken[stage.node.name])
    slots = _products(slowest) * taken[slowest.node.name]
    return ResourceReport(
        part,
        clock_mhz,
        method,
        design,
        cycles=taken,
        foldings={stage.node.name: str(stage.folding) for stage in flow.operations},
        cycles_per_frame=frame,
        multipliers=multipliers,
        busy=multiplied / (multipliers * frame) if multipliers else 0.0,
        bottleneck=slowest.node.name,
        bottleneck_busy=_macs(slowest) / slots if slots else 0.0,
        macs_per_cycle_per_dsp=flow.graph.macs() / frame / max(design.total.dsp, 1),
        plan=plan,
    )


def _products(stage: OperationStage) -> int:
    return stage.circuit.products(stage.folding)


def _macs(stage: OperationStage) -> int:
    return stage.circuit.macs
