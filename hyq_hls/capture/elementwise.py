"""Functions of each element alone.

The quantizer makes a table of each from its ``forward``, so a function is written once, here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from hyq_hls.capture.float_ops import FloatOp, Shape


class Elementwise(FloatOp):
    """A function of each element alone."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Shape of the only input."""
        self._expect(len(shapes) == 1, shapes, "one input")
        return shapes[0]


@dataclass(frozen=True, eq=False, repr=False)
class Silu(Elementwise):
    """x * sigmoid(x), any shape."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply to each element."""
        (x,) = inputs
        return functional.silu(x)


@dataclass(frozen=True, eq=False, repr=False)
class Gelu(Elementwise):
    """x * Phi(x), any shape; `approximate` is "none" (erf) or "tanh", as PyTorch names them."""

    approximate: str = "none"

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply to each element."""
        (x,) = inputs
        return functional.gelu(x, approximate=self.approximate)


@dataclass(frozen=True, eq=False, repr=False)
class Relu(Elementwise):
    """max(x, 0), any shape."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply to each element."""
        (x,) = inputs
        return functional.relu(x)
