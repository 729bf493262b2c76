"""The layers as modules of PyTorch, which hls4ml's converter knows.

A module computes the function in floating point. The codes come with the types of HLSConfig.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log
from typing import Any, Literal

import torch
from hls4ml.utils.torch import HLS4MLModule

Handler = Callable[..., tuple[dict[str, Any], list[int]]]


class LinearSoftmax(HLS4MLModule):
    """Softmax over the last axis, in hls4ml by :class:`.layers.HyqLinearSoftmax`.

    Args:
        bits: width of a code of probability.
        output: ``log2`` or ``uniform``.
        base: ``e`` or ``2``.
    """

    def __init__(
        self,
        bits: int = 4,
        output: Literal["log2", "uniform"] = "log2",
        base: Literal["e", "2"] = "e",
    ) -> None:
        super().__init__()
        self.bits, self.output, self.base = bits, output, base

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the softmax of floats."""
        return torch.softmax(x if self.base == "e" else x * log(2), dim=-1)


class ShiftSwish(HLS4MLModule):
    """Swish, in hls4ml by :class:`.layers.HyqShiftSwish`.

    Args:
        sigmoid_bits: fraction bits of the sigmoid; None for four more than the input has bits.
    """

    def __init__(self, sigmoid_bits: int | None = None) -> None:
        super().__init__()
        self.sigmoid_bits = sigmoid_bits

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the Swish of floats."""
        return torch.nn.functional.silu(x)


class PowerOfTwoRequantize(HLS4MLModule):
    """Multiplication by ``2**exponent``, in hls4ml by :class:`.layers.HyqRequantize`.

    Args:
        exponent: an integer, or one for every channel: axis 1 of a map (B, C, H, W), the last axis
            of anything else.
    """

    def __init__(self, exponent: int | Sequence[int] = 0) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the product of floats."""
        factor = torch.exp2(torch.as_tensor(self.exponent, dtype=x.dtype, device=x.device))
        return x * (factor.reshape(-1, 1, 1) if x.dim() == 4 else factor)


def _handler(class_name: str, *options: str) -> Handler:
    """Return the function that hls4ml's converter calls for a module."""

    def handle(
        operation: str,
        layer_name: str,
        input_names: list[str],
        input_shapes: list[list[int]],
        node: Any,
        class_object: torch.nn.Module,
        data_reader: Any,
        config: Any,
    ) -> tuple[dict[str, Any], list[int]]:
        layer = {"class_name": class_name, "name": layer_name, "inputs": input_names}
        given = {option: getattr(class_object, option) for option in options}
        return layer | {k: v for k, v in given.items() if v is not None}, input_shapes[0]

    return handle


#: Handlers by the class of the module.
HANDLERS: dict[type[torch.nn.Module], Handler] = {
    LinearSoftmax: _handler("HyqLinearSoftmax", "bits", "output", "base"),
    ShiftSwish: _handler("HyqShiftSwish", "sigmoid_bits"),
    PowerOfTwoRequantize: _handler("HyqRequantize", "exponent"),
}
