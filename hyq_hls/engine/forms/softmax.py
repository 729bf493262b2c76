"""Softmax: one table of exponentials serves every kind, because they depend on distances alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.engine.forms.exponentials import narrowed
from hyq_hls.engine.forms.output_stage import BYTE, SUM_BITS
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.softmax import Softmax

#: Longest row: a sum of this many exponentials of 32 bits has 42 bits.
MAX_LENGTH = 1 << 10
#: Widest probability.
MAX_BITS = 12
#: Numbers of the kinds in instructions.
KINDS = ("uniform", "log2", "log2_rounded")


@dataclass(frozen=True, eq=False)
class SoftmaxRows:
    """Probabilities of rows of codes, by the softmax unit.

    Attributes:
        kind: one of :data:`KINDS`.
        bits: width of a probability.
        exponentials: int64 (2**bits of the input,), unsigned, of distances from the maximum.

    Raises:
        ConversionError: an exponential, an input code or a probability is too wide.
    """

    kind: str
    bits: int
    exponentials: Codes

    def execute(self, codes: Codes) -> Codes:
        """Return the stored probabilities of stored codes (..., length)."""
        e = self.exponentials[codes.max(axis=-1, keepdims=True) - codes]
        total = e.sum(axis=-1, keepdims=True)
        top = (1 << self.bits) - 1
        if self.kind == "uniform":
            rounded: Codes = ((e << self.bits) + (total >> 1)) // total
            return np.minimum(rounded, top)
        count = np.zeros_like(e)
        for n in range(top):
            # Exact: 3 * 2**n * e of at most 32 + 2 + n bits; beyond 2 * total nothing passes.
            passed = (2 * total) >> n >= 3 * e
            if self.kind == "log2_rounded" and n == 1:
                passed = 2 * total > 5 * e
            elif self.kind == "log2_rounded" and n >= 2:
                passed = (2 * total + e) >> n >= 3 * e
            if not passed.any():
                break
            count += passed
        return np.where(e == 0, top, count)


def softmax(operation: Softmax, x: TensorType) -> SoftmaxRows:
    """Return the rows of a softmax with any exponential and output.

    Raises:
        ConversionError: its integers are wider than those of the unit.
    """
    bits = x.quantization.bits
    if x.channels > MAX_LENGTH:
        raise ConversionError(
            f"a softmax over {x.channels} scores; the engine's unit takes {MAX_LENGTH} at most; "
            "use a smaller image, or the streaming architecture"
        )
    if bits > BYTE or operation.bits > MAX_BITS:
        raise ConversionError(
            f"a softmax from {bits} to {operation.bits} bits; the engine's unit goes from {BYTE} "
            f"to {MAX_BITS}; quantize with {BYTE} activation bits, and long rows with "
            "softmax='log2', or use a smaller image"
        )
    wide = operation.exponential(np.arange(1 << bits))
    top = (1 << operation.bits) - 1
    exponentials = narrowed(wide, SUM_BITS, x.channels, operation.output, top)
    width = int(exponentials.max()).bit_length()
    if width > SUM_BITS:
        raise ConversionError(
            f"exponentials of {width} bits; the engine's have {SUM_BITS}; take a softmax with "
            "fewer fraction bits, such as that of the default configuration"
        )
    return SoftmaxRows(operation.output, operation.bits, exponentials)
