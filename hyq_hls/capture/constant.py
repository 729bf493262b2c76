"""A value that is the same for every image, as a float operation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hyq_hls.capture.float_op import Array, FloatOp, Shape, as_tensor


@dataclass(frozen=True, eq=False, repr=False)
class Constant(FloatOp):
    """A constant that no other operation takes up, such as learned tokens that attend to a map.

    Attributes:
        value: the constant in the shape of a value without batch.
    """

    value: Array

    def __post_init__(self) -> None:
        self._freeze(value=self.value.ndim)

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the constant; takes no inputs."""
        self._expect(not shapes, shapes, "no input")
        return self.value.shape

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Return ``(B, *shape)`` for a batch of B images."""
        (images,) = inputs
        return as_tensor(self.value, images).expand(len(images), *self.value.shape)
