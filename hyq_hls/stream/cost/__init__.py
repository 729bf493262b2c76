"""The cost of a streaming design."""

from hyq_hls.support import needs

needs("scipy")

from hyq_hls.stream.cost.costs import compared_points
from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.cost.plan import plan_hls
from hyq_hls.stream.cost.report import estimate_report, resource_report

__all__ = ["compared_points", "estimate_design", "estimate_report", "plan_hls", "resource_report"]
