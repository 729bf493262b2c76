"""Functions of one code: a sum with weight one, whose codes go through a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, table_of
from hyq_hls.engine.forms.staged import StagedSums
from hyq_hls.engine.forms.sums import Sums, planes_of
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import ShiftSwish, Table


def table(operation: Table, x: TensorType) -> tuple[Sums, ...]:
    """Return the lookup of a function, which the compiler moves behind a sum if it can."""
    return (_lookup(table_of(operation, x)[:, 0], x),)


def shift_swish(operation: ShiftSwish, x: TensorType) -> tuple[Sums, ...] | StagedSums:
    """Return the lookup of a Shift-Swish; where channels differ, its requantization follows.

    The engine has one table for all channels. So the table holds the accumulators before the
    requantization, which are the same for all of them.
    """
    codes = table_of(operation, x)
    if (codes == codes[:, :1]).all():
        return (_lookup(codes[:, 0], x),)
    scale, dropped = _without_low_bits(operation.requantize)
    accumulators = operation.swish(x.quantization.codes()) >> dropped
    least = int(accumulators.min())
    stored = accumulators - least
    largest = int(stored.max())
    planes = max(1, -(-largest.bit_length() // BYTE))
    return StagedSums(
        _lookup(stored, x),
        Sums(
            weight=np.ones((1, 1, 1, 1, x.channels), np.int64),
            depthwise=True,
            planes=planes,
            stage=OutputStage.of(scale, np.full(x.channels, least)),
            highest=largest >> BYTE * (planes - 1),
        ),
    )


def _lookup(values: Codes, x: TensorType) -> Sums:
    zeros = np.zeros(x.channels, np.int64)
    return Sums(
        weight=np.ones((1, 1, 1, 1, x.channels), np.int64),
        depthwise=True,
        planes=planes_of(x.quantization),
        stage=OutputStage(zeros, zeros + 1, zeros, zeros, x.quantization.bits, values),
    )


def _without_low_bits(requantize: Requantize) -> tuple[Requantize, int]:
    """Return a requantization of accumulators without their lowest bits, and how many these are.

    Half of a step is the lowest bit that a shift by more than one looks at, so that what lies
    below it changes no code. A multiplier looks at all bits.
    """
    dropped = max(0, int(requantize.shift.min()) - 1) if requantize.is_shift else 0
    return replace(requantize, shift=requantize.shift - dropped), dropped
