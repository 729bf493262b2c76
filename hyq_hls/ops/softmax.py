"""Every softmax has one scale per row, makes three passes over it, and gives probabilities."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Codes, Operation
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.ops.checks import check_affine


class Softmax(Operation):
    """``y = e / sum(e)`` over the last axis; ``e`` depends on the distance from the maximum alone.

    Attributes:
        bits: width of a probability.
        output: ``uniform``, or powers of two.
    """

    bits: int
    output: str

    @abstractmethod
    def exponential(self, distance: Codes) -> Codes:
        """Return the exponential of codes that lie ``distance`` below their row's maximum."""

    @property
    def quantization(self) -> Quantization:
        """Quantization of the probabilities."""
        if self.output == "uniform":
            return Quantization(self.bits, False, scale=(2.0**-self.bits,))
        return Quantization(self.bits, False, encoding="log2")

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of the input.

        Raises:
            GraphError: channels differ in scale or zero point.
        """
        (x,) = inputs
        check_affine(x)
        q = x.quantization
        if len(set(q.scale)) > 1 or len(set(q.zero_point)) > 1:
            raise GraphError(
                f"a softmax over {x.channels} lanes needs one scale and one zero point, found "
                f"scales {q.scale} and zero points {q.zero_point}; requantize per tensor before it"
            )
        return TensorType(x.shape, self.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        e = self.exponential(x.max(axis=-1, keepdims=True) - x)
        total = e.sum(axis=-1, keepdims=True)
        top = self.quantization.qmax
        if self.output == "uniform":
            rounded: Codes = ((e << self.bits) + (total >> 1)) // total
            return np.minimum(rounded, top)
        # At e = 0 every threshold is passed, however many there are.
        return np.where(e == 0, top, self._thresholds_passed(e, total))

    def _thresholds_passed(self, e: Codes, total: Codes) -> Codes:
        """Number of ``j >= 0`` below the largest code with ``2 * total >= 3 * 2**j * e``."""
        # The total is shifted, so no integer grows with j; 62 shifts leave nothing of any sum.
        levels = [(2 * total) >> j >= 3 * e for j in range(min(self.quantization.qmax, 62))]
        passed: Codes = np.sum(levels, axis=0, dtype=np.int64)
        return passed
