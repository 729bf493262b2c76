"""Dense 2-D convolution of a feature map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.convolution import Convolution
from hyq_hls.ops.matrix import matrix_dsps, matrix_lanes, matrix_rom


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
        return self.weight.shape[3]

    def reference(self, *codes: Codes) -> Codes:
        acc = np.einsum("bhwcyx,oyxc->bhwo", self.windows(codes[0]), self.weight, optimize=True)
        return self.requantize(acc + self.bias)

    def terms(self, folding: Folding) -> int:
        return folding.inputs

    def foldings(self, *inputs: TensorType) -> list[Folding]:
        return matrix_lanes(self.weight.shape[0], self.in_channels)

    def dsps(self, folding: Folding, *inputs: TensorType) -> int:
        return matrix_dsps(folding, self.weight_bits, inputs[0].quantization.bits)

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        matrix = self.weight.reshape(self.weight.shape[0], -1)
        sizes = {"out_channels": matrix.shape[0], "length": matrix.shape[1]}
        rom = matrix_rom(matrix, self.weight_bits, folding)
        return self.window_kernel(inputs[0], folding, sizes, rom)
