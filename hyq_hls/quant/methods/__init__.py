"""Published and own methods that change a plan of quantization."""

from hyq_hls.quant.judge.bridges import bridge_blocks
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.methods.bias_correction import BiasCorrection
from hyq_hls.quant.methods.depthwise import DepthwiseRanges
from hyq_hls.quant.methods.mixed_precision import MixedPrecision
from hyq_hls.quant.methods.outlier_scaling import OutlierScaling
from hyq_hls.quant.methods.q_hyvit import QHyViT
from hyq_hls.quant.methods.qads import Qads
from hyq_hls.quant.methods.reconstruction import Reconstruction
from hyq_hls.quant.methods.repq import RepQ

__all__ = [
    "BiasCorrection",
    "DepthwiseRanges",
    "Method",
    "MixedPrecision",
    "OutlierScaling",
    "QHyViT",
    "Qads",
    "Reconstruction",
    "RepQ",
    "bridge_blocks",
]
