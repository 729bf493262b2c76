"""The interface and the reports of every machine; the machines are in other rooms."""

from hyq_hls.machine.build_report import BuildReport
from hyq_hls.machine.cosim_report import CosimReport, StreamReport, equal_frames
from hyq_hls.machine.hls_plan import HlsPlan, PlannedFunction
from hyq_hls.machine.machine import Codes, CompiledNetwork, Machine, SimulationOptions
from hyq_hls.machine.resource_report import DesignUtilization, Labels, ResourceReport

__all__ = [
    "BuildReport",
    "Codes",
    "CompiledNetwork",
    "CosimReport",
    "DesignUtilization",
    "HlsPlan",
    "Labels",
    "Machine",
    "PlannedFunction",
    "ResourceReport",
    "SimulationOptions",
    "StreamReport",
    "equal_frames",
]
