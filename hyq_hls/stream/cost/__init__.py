"""The cost of a streaming design."""

from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.cost.report import resource_report

__all__ = ["estimate_design", "resource_report"]
