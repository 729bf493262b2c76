"""The larger of two elements, as a float operation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hyq_hls.capture.pair import Pair


@dataclass(frozen=True, eq=False, repr=False)
class Maximum(Pair):
    """The larger of two elements, element by element."""

    def combine(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Compare two tensors of one shape."""
        return torch.maximum(a, b)
