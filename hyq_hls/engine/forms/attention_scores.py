"""Attention scores: keys become weights, and queries are read as signed codes."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.attended import AttendedSums, Operand, check_byte
from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import AttentionScores


def attention_scores(
    operation: AttentionScores, query: TensorType, key: TensorType
) -> AttendedSums:
    """Return the sums of attention scores."""
    check_byte(query, "queries")
    check_byte(key, "keys")
    return AttendedSums(
        values=False,
        heads=operation.heads,
        operand=Operand.affine(query.quantization, operation.zero_points[0]),
        zero=stored_zero(operation.zero_points[1], key.quantization, key.channels),
        terms=query.channels // operation.heads,
        stage=OutputStage.of(operation.requantize, np.zeros(1, np.int64)),
    )
