"""Dense 2-D convolution of a feature map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.graph.operation import Codes
from hyq_hls.ops.convolution import Convolution


@dataclass(frozen=True, eq=False)
class Conv2d(Convolution):
    """``y[o] = requantize(bias[o] + sum(weight[o] * x))`` over a sliding window.

    ``weight`` is (out channels, kernel height, kernel width, in channels); the other parameters
    are those of :class:`Convolution`.
    """

    name: ClassVar[str] = "conv2d"
    weight_axes: ClassVar[int] = 4

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return int(self.weight.shape[3])

    def reference(self, *codes: Codes) -> Codes:
        acc = np.einsum("bhwcyx,oyxc->bhwo", self.windows(codes[0]), self.weight, optimize=True)
        return self.requantize(acc + self.bias)
