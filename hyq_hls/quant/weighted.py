"""Layers with trained weights, seen as a matrix whose rows make the output channels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import Conv2d, Linear

Array = NDArray[np.float64]


class WeightedLayer(ABC):
    """One layer as the quantizer sees it.

    Attributes:
        pointwise: whether every position is computed from its own channels alone, as by a 1x1
            convolution.
        depthwise: whether every output channel reads only the input channel of its own index.
        matrix: weights (O, n), a row per output channel.
        bias: biases (O,).
    """

    pointwise: ClassVar[bool]
    depthwise: bool

    def __init__(self, matrix: Array, bias: Array) -> None:
        self.matrix, self.bias = matrix, bias

    @abstractmethod
    def with_parameters(self, matrix: Array, bias: Array) -> FloatOp:
        """Return the operation with other weights (O, n) and biases (O,)."""

    @abstractmethod
    def columns(self) -> NDArray[np.int64]:
        """Return the input channel of each weight of a row: (n,), or (O, n) where rows differ."""

    @abstractmethod
    def forward(self, x: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute the layer with other weights (O, n) and biases (O,) for ``x`` (B, ..., I)."""

    @abstractmethod
    def windows(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Return the inputs from which some positions of the result are computed.

        Args:
            x: input (B, ..., I).
            positions: indices into the positions of the result; those of all images form one row.
        """

    @abstractmethod
    def sums(self, windows: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute the result (n, O) of some windows with other weights and biases."""


class LinearLayer(WeightedLayer):
    """A matrix product on the last axis."""

    pointwise = True
    depthwise = False

    def __init__(self, op: Linear) -> None:
        super().__init__(op.weight, op.bias)

    def with_parameters(self, matrix: Array, bias: Array) -> Linear:
        """Return the layer with other weights (O, I) and biases (O,)."""
        return Linear(matrix, bias)

    def columns(self) -> NDArray[np.int64]:
        """Return the indices: every weight of a row meets the input channel of its own index."""
        return np.arange(self.matrix.shape[1])

    def forward(self, x: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute (B, ..., O) from (B, ..., I)."""
        return functional.linear(x, matrix, bias)

    def windows(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Return the channels (n, I) of the positions."""
        return x.flatten(0, -2)[positions]

    def sums(self, windows: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute (n, O) from (n, I)."""
        return functional.linear(windows, matrix, bias)


class Convolution(WeightedLayer):
    """A convolution of a map."""

    pointwise = False

    def __init__(self, op: Conv2d) -> None:
        super().__init__(op.weight.reshape(len(op.weight), -1), op.bias)
        self.op = op
        self.depthwise = op.groups == len(op.weight) == op.in_channels > 1

    def with_parameters(self, matrix: Array, bias: Array) -> Conv2d:
        """Return the convolution with other weights (O, kh * kw * I) and biases (O,)."""
        return replace(self.op, weight=matrix.reshape(self.op.weight.shape), bias=bias)

    def columns(self) -> NDArray[np.int64]:
        """Return the channels: weights of a row stand by kernel position, then by input channel."""
        outputs, height, width, inputs = self.op.weight.shape
        of_group = np.tile(np.arange(inputs), height * width)
        if self.op.groups == 1:
            return of_group
        first: NDArray[np.int64] = np.arange(outputs) * self.op.groups // outputs * inputs
        return first[:, None] + of_group

    def forward(self, x: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute (B, H', W', O) from (B, H, W, I)."""
        op = self.op
        return functional.conv2d(
            x.permute(0, 3, 1, 2),
            matrix.reshape(op.weight.shape).permute(0, 3, 1, 2),
            bias,
            op.stride,
            op.padding,
            op.dilation,
            op.groups,
        ).permute(0, 2, 3, 1)

    def windows(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Return patches (n, kh * kw, I) around the positions, padded with zeros."""
        (ph, pw), (sh, sw) = self.op.padding, self.op.stride
        (height, width), (dh, dw) = self.op.extent, self.op.dilation
        padded = functional.pad(x, (0, 0, pw, pw, ph, ph))
        patches = padded.unfold(1, height, sh).unfold(2, width, sw)[..., ::dh, ::dw]
        _, height, width = patches.shape[:3]
        place = positions % (height * width)
        found = patches[positions // (height * width), place // width, place % width]
        return found.flatten(2).transpose(1, 2).contiguous()  # ``found`` is (n, I, kh, kw).

    def sums(self, windows: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute (n, O) from (n, kh * kw, I)."""
        groups = self.op.groups
        if groups == 1:
            return functional.linear(windows.flatten(1), matrix, bias)
        taps = windows.unflatten(2, (groups, -1))
        rows = matrix.reshape(groups, len(matrix) // groups, taps.shape[1], -1)
        return torch.einsum("nkgc,gokc->ngo", taps, rows).flatten(1) + bias


class ChannelAffineLayer(WeightedLayer):
    """A factor and a summand per channel: a depthwise convolution of one tap."""

    pointwise = True
    depthwise = True

    def __init__(self, op: ChannelAffine) -> None:
        super().__init__(op.multiplier[:, None], op.offset)

    def with_parameters(self, matrix: Array, bias: Array) -> ChannelAffine:
        """Return the operation with other factors (C, 1) and summands (C,)."""
        return ChannelAffine(matrix[:, 0], bias)

    def columns(self) -> NDArray[np.int64]:
        """Return the indices (C, 1): every factor meets the channel of its own index."""
        return np.arange(len(self.bias))[:, None]

    def forward(self, x: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute (B, ..., C) from (B, ..., C)."""
        return x * matrix[:, 0] + bias

    def windows(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Return the channels (n, C) of the positions."""
        return x.flatten(0, -2)[positions]

    def sums(self, windows: torch.Tensor, matrix: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Compute (n, C) from (n, C)."""
        return windows * matrix[:, 0] + bias
