"""What a streaming design costs."""

from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.cost.report import ResourceReport

__all__ = ["ResourceReport", "estimate_design"]
