"""Constant codes: they lie in DRAM beside the weights."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.graph.operation import Codes
from hyq_hls.ops import Constant


@dataclass(frozen=True, eq=False)
class ConstantCodes:
    """Codes that no instruction computes.

    Attributes:
        codes: stored codes of the shape of the tensor.
    """

    codes: Codes

    def execute(self) -> Codes:
        """Return the stored codes of one image."""
        return self.codes[None]


def constant(operation: Constant) -> ConstantCodes:
    """Return the codes of a constant."""
    return ConstantCodes(operation.codes - operation.quantization.qmin)
