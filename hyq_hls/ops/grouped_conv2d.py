"""Grouped 2-D convolution: every group of channels of a feature map has its own filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Codes
from hyq_hls.ops.convolution import Convolution


@dataclass(frozen=True, eq=False)
class GroupedConv2d(Convolution):
    """``y[g, o] = requantize(bias[g, o] + sum(weight[g, o] * x[g]))`` over a sliding window.

    Input and output channels are split into ``groups`` of neighbours, and output channels see the
    input channels of their own group alone. A depthwise convolution with a channel multiplier has
    groups of one input channel and several output channels. ``weight`` is (out channels, kernel
    height, kernel width, in channels / groups); the other parameters are those of
    :class:`Convolution`.

    Attributes:
        groups: number of groups, which divides both numbers of channels.

    Raises:
        GraphError: the groups do not divide the output channels.
    """

    name: ClassVar[str] = "grouped_conv2d"
    weight_axes: ClassVar[int] = 4

    groups: int

    def __post_init__(self) -> None:
        super().__post_init__()
        outputs = self.weight.shape[0]
        if self.groups < 1 or outputs % self.groups:
            raise GraphError(
                f"{outputs} output channels do not fall into {self.groups} groups; choose a number "
                "that divides them"
            )

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return int(self.weight.shape[3]) * self.groups

    def reference(self, *codes: Codes) -> Codes:
        windows = self.windows(codes[0])
        batch, height, width, _, *window = windows.shape
        windows = windows.reshape(batch, height, width, self.groups, -1, *window)
        weight = self.weight.reshape(self.groups, -1, *self.weight.shape[1:])
        acc = np.einsum("bhwgcyx,goyxc->bhwgo", windows, weight, optimize=True)
        return self.requantize(acc.reshape(batch, height, width, -1) + self.bias)
