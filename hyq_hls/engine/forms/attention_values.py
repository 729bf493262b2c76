"""Attention values: values become weights, and probabilities are read in one of three ways."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.attended import AttendedSums, Operand, check_byte
from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, stored_zero
from hyq_hls.engine.forms.sums import MAX_PASSES
from hyq_hls.errors import ConversionError
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import AttentionValues


def attention_values(
    operation: AttentionValues, probability: TensorType, value: TensorType
) -> AttendedSums:
    """Return the sums of attention values.

    A log2 probability is a power of two, of which every pass takes one byte.
    """
    check_byte(value, "values")
    q = probability.quantization
    if q.encoding == "affine":
        operand = Operand.affine(q, operation.probability_zero_point)
    else:
        exponent = q.qmax - 1
        passes = exponent // BYTE + 1
        if passes > MAX_PASSES:
            raise ConversionError(
                f"log2 probabilities of {q.bits} bits reach down to 2**-{exponent}; the engine "
                f"takes {MAX_PASSES} bytes of them; use 4 bits"
            )
        operand = Operand(q.bits, False, 0, exponent, passes)
    return AttendedSums(
        values=True,
        heads=operation.heads,
        operand=operand,
        zero=stored_zero(operation.zero_point, value.quantization, value.channels),
        terms=value.shape[1],
        stage=OutputStage.of(operation.requantize, np.zeros(value.channels, np.int64)),
    )
