"""Turn a ``torch.nn.Module`` into a float graph: ``capture(model, (3, H, W))``."""

from hyq_hls.support import needs

needs("torch")

from hyq_hls.capture.capture import capture
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.inspection import copied, evaluation_copy, unwrapped
from hyq_hls.capture.report import CaptureReport, NodeReport, UnsupportedModelError

__all__ = [
    "CaptureReport",
    "FloatGraph",
    "FloatNode",
    "NodeReport",
    "UnsupportedModelError",
    "capture",
    "copied",
    "evaluation_copy",
    "unwrapped",
]
