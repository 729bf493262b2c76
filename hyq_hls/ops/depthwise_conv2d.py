"""Depthwise 2-D convolution: every channel of a feature map has its own window of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.graph.operation import Codes
from hyq_hls.ops.convolution import Convolution


@dataclass(frozen=True, eq=False)
class DepthwiseConv2d(Convolution):
    """``y[c] = requantize(bias[c] + sum(weight[c] * x[c]))`` over a sliding window.

    ``weight`` is (channels, kernel height, kernel width); the other parameters are those of
    :class:`Convolution`.
    """

    name: ClassVar[str] = "depthwise_conv2d"
    weight_axes: ClassVar[int] = 3

    @property
    def in_channels(self) -> int:
        """Channels of the input, and of the output."""
        return int(self.weight.shape[0])

    def reference(self, *codes: Codes) -> Codes:
        acc = np.einsum("bhwcyx,cyx->bhwc", self.windows(codes[0]), self.weight, optimize=True)
        return self.requantize(acc + self.bias)
