"""Every machine answers through this interface, in these reports; machines are other rooms."""

from hyq_hls.machine.cosim_report import CosimReport, StreamReport
from hyq_hls.machine.machine import Codes, CompiledNetwork, Machine, SimulationOptions
from hyq_hls.machine.resource_report import DesignUtilization, ResourceReport

__all__ = [
    "Codes",
    "CompiledNetwork",
    "CosimReport",
    "DesignUtilization",
    "Machine",
    "ResourceReport",
    "SimulationOptions",
    "StreamReport",
]
