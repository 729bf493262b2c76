"""A factor and a summand per channel; the summand may differ from position to position too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import check_affine, check_fits, dot_bounds, freeze, partial_sum_bounds


@dataclass(frozen=True, eq=False)
class ChannelAffine(Operation):
    """``y = requantize(weight[c] * x + bias[position, c])``, element by element.

    One row of biases serves all positions of a BatchNorm or a layer scale. A position embedding has
    a row of biases for every position, and so have biases and masks of attention scores, whose
    positions are queries and heads, and whose channels are keys. Rows that repeat, as those of
    biases that are the same in every window, stand there once.

    Attributes:
        weight: factors, (1,) or (C,); they may be negative or zero.
        weight_bits: width of a weight, two's complement.
        bias: summands, (R, C) for R rows that divide the positions; position ``p`` in C order takes
            row ``p % R``. They hold ``-weight * zero_point``, so that raw codes are multiplied.
        requantize: accumulator to output code.

    Raises:
        GraphError: weights that do not fit their bits, or arrays whose lengths do not fit.
    """

    name: ClassVar[str] = "channel_affine"

    weight: Codes
    weight_bits: int
    bias: Codes
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "weight", 1)
        freeze(self, "bias", 2)
        if not self.bias.size or self.weight.size not in (1, self.bias.shape[1]):
            raise GraphError(
                f"channel_affine has {self.weight.size} weights and biases of shape "
                f"{self.bias.shape}; a row of biases with one entry per channel is wanted, and one "
                "weight, or one per channel"
            )
        check_fits(self.weight, self.weight_bits, "weights")

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of the input.

        Raises:
            GraphError: channels, positions or widths do not fit.
        """
        (x,) = inputs
        check_affine(x)
        rows, channels = self.bias.shape
        if x.channels != channels or x.words % rows:
            raise GraphError(
                f"channel_affine has {rows} rows of biases for {channels} channels, found an input "
                f"{x.shape}; a number of rows that divides its {x.words} positions is wanted"
            )
        self.requantize.check(self.accumulator(x), channels)
        return TensorType(x.shape, self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        acc = self.weight * x.reshape(len(x), -1, *self.bias.shape) + self.bias
        return self.requantize(acc).reshape(x.shape)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return self._bounds(dot_bounds, inputs[0])

    def partial_sums(self, *inputs: TensorType) -> Bounds:
        return self._bounds(partial_sum_bounds, inputs[0])

    def macs(self, *inputs: TensorType) -> int:
        return inputs[0].size

    def _bounds(self, bounds: Callable[..., Bounds], x: TensorType) -> Bounds:
        """Return the bounds over all positions: those at the least and the largest biases."""
        q, rows = x.quantization, self.weight[:, None]
        ends = (self.bias.min(axis=0), self.bias.max(axis=0))
        low, high = (bounds(rows, end, q.qmin, q.qmax) for end in ends)
        return low | high
