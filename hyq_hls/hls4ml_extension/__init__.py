"""Layers of HyQ for any project of hls4ml, which needs no network of ours.

>>> from hyq_hls import hls4ml_extension
>>> hls4ml_extension.register("Vitis")
>>> model = torch.nn.Sequential(torch.nn.Linear(16, 8), hls4ml_extension.LinearSoftmax())
>>> hls4ml.converters.convert_from_pytorch_model(model, ...)

``docs/hls4ml.md`` explains the layers and their limits.
"""

from hyq_hls.support import needs

needs("torch", "hls4ml")

from hyq_hls.hls4ml_extension.modules import LinearSoftmax, PowerOfTwoRequantize, ShiftSwish
from hyq_hls.hls4ml_extension.registration import register

__all__ = ["LinearSoftmax", "PowerOfTwoRequantize", "ShiftSwish", "register"]
