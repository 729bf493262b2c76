"""LayerNorm: a unit of its own, with the formula of its reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.engine.forms.output_stage import (
    BYTE,
    MAX_STORED_SHIFT,
    SHIFT_OFFSET,
    saturated,
    stored_zero,
)
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import LayerNorm
from hyq_hls.ops.layer_norm import integer_root

MAX_GAMMA_BITS, MAX_BETA_BITS = 16, 32


@dataclass(frozen=True, eq=False)
class NormRows:
    """Normalized rows of codes, by the norm unit; the fields are those of its memory.

    Attributes:
        epsilon: summand of the variance.
        root_bits: t.
        reciprocal_bits: N.
        normalized_bits: F.
        zero_in: stored zero points (C,) of the input.
        factor_shift: k (C,).
        gamma: factors (C,).
        beta: summands (C,).
        shift: shifts (C,) of the output stage.
        zero_out: stored zero points (C,) of the output.
        bits: width of an output code.
    """

    epsilon: int
    root_bits: int
    reciprocal_bits: int
    normalized_bits: int
    zero_in: Codes
    factor_shift: Codes
    gamma: Codes
    beta: Codes
    shift: Codes
    zero_out: Codes
    bits: int

    @property
    def channels(self) -> int:
        """Length of a row."""
        return self.gamma.size

    def execute(self, codes: Codes) -> Codes:
        """Return the stored output codes of stored codes (..., C)."""
        x = (codes - self.zero_in) << self.factor_shift
        total = x.sum(axis=-1, keepdims=True)
        squares = (x * x).sum(axis=-1, keepdims=True)
        variance = self.channels * squares - total * total + self.epsilon
        root = integer_root(variance << (2 * self.root_bits))
        reciprocal = np.int64(1 << self.reciprocal_bits) // root
        down = self.reciprocal_bits - self.root_bits - self.normalized_bits
        deviation = self.channels * x - total
        normalized = (deviation * reciprocal + (1 << (down - 1))) >> down
        acc = self.gamma * normalized + self.beta
        return saturated(acc, self.shift + SHIFT_OFFSET, self.zero_out, self.bits)


def layer_norm(operation: LayerNorm, x: TensorType) -> NormRows:
    """Return the rows of a LayerNorm.

    Raises:
        ConversionError: its integers are wider than those of the unit.
    """
    requantize, channels = operation.requantize, x.channels
    bits = max(x.quantization.bits, requantize.quantization.bits)
    if bits > BYTE:
        raise ConversionError(
            f"a LayerNorm with codes of {bits} bits; the engine's unit has {BYTE}; quantize its "
            f"input and output to {BYTE} bits"
        )
    if not requantize.is_shift:
        raise ConversionError(
            "a LayerNorm whose output has a real scale; the engine's unit shifts; give its output "
            "a scale that is a power of two, as all recipes do"
        )
    if operation.gamma_bits > MAX_GAMMA_BITS or operation.beta_bits > MAX_BETA_BITS:
        raise ConversionError(
            f"a LayerNorm with gammas of {operation.gamma_bits} and betas of {operation.beta_bits} "
            f"bits; the engine's unit has {MAX_GAMMA_BITS} and {MAX_BETA_BITS}; use fewer bits"
        )
    shift = np.broadcast_to(requantize.shift, channels)
    if shift.min() < -SHIFT_OFFSET or shift.max() > MAX_STORED_SHIFT - SHIFT_OFFSET:
        raise ConversionError(
            f"a LayerNorm with shifts in [{shift.min()}, {shift.max()}]; the engine shifts by "
            f"-{SHIFT_OFFSET} to {MAX_STORED_SHIFT - SHIFT_OFFSET}; use another output scale"
        )
    quantization = requantize.quantization
    return NormRows(
        epsilon=operation.epsilon,
        root_bits=operation.root_bits,
        reciprocal_bits=operation.reciprocal_bits,
        normalized_bits=operation.normalized_bits,
        zero_in=stored_zero(operation.zero_point, x.quantization, channels),
        factor_shift=np.broadcast_to(operation.factor_shift, channels),
        gamma=operation.gamma,
        beta=operation.beta,
        shift=shift,
        zero_out=stored_zero(quantization.zero_point, quantization, channels),
        bits=quantization.bits,
    )
