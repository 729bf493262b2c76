"""The softmax that integers compute. Its scores are in octaves."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch.nn import functional

from hyq_hls.capture.float_ops import Softmax


@dataclass(frozen=True, eq=False, repr=False)
class OctaveSoftmax(Softmax):
    """``2**x / sum(2**x)``: softmax of scores that carry the factor log2(e) already."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Normalize the last axis."""
        (x,) = inputs
        return functional.softmax(x * log(2), dim=-1)
