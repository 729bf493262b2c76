"""What a design costs, and what a part offers."""

from hyq_hls.estimate.design import estimate_design
from hyq_hls.estimate.parts import Part, all_parts, part
from hyq_hls.estimate.report import ResourceReport

__all__ = ["Part", "ResourceReport", "all_parts", "estimate_design", "part"]
