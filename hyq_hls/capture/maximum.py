"""The larger of two elements, as a float operation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hyq_hls.capture.float_op import FloatOp, Shape


@dataclass(frozen=True, eq=False, repr=False)
class Maximum(FloatOp):
    """The larger of the elements of two tensors of one shape, without broadcasting."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of both inputs."""
        self._expect(len(shapes) == 2 and shapes[0] == shapes[1], shapes, "two equal shapes")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Compare the two inputs."""
        return torch.maximum(*inputs)
