"""The place of a value that the capture does not know, in a graph of what it does know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import torch

from hyq_hls.capture.float_op import FloatOp, Shape


@dataclass(frozen=True, eq=False, repr=False)
class Unknown(FloatOp):
    """The value of an exported node that is not supported, or was not examined.

    Attributes:
        shape: shape of the value as the nodes behind it see it.
        origin: name of the exported node.
    """

    shape: Shape
    origin: str

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape; it takes no inputs."""
        self._expect(not shapes, shapes, "no input")
        return self.shape

    def forward(self, *inputs: torch.Tensor) -> NoReturn:
        """Refuse to compute.

        Raises:
            NotImplementedError: always, because nobody knows the value.
        """
        raise NotImplementedError(f"the value of {self.origin} is not known")
