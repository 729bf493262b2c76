"""Scores that a mask hides: integers give them a code whose exponential is zero.

The scale of scores comes from those that are seen, and so do their codes. Below these, the result
of the constant gets one code more, so far away that the exponential of the distance is zero. That
takes one bit more where the exponential is a table, because every distance beyond those of two
scores that are seen has a zero in the table. HyQ's line falls to zero by itself, after 32 octaves
at most.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
import torch

from hyq_hls.capture.channel_affine import PositionConstant
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.errors import QuantizationError
from hyq_hls.graph.types import MAX_BITS, Quantization
from hyq_hls.quant.config import QuantConfig

#: HyQ's line has at most 32 bits at a row's maximum, so it is zero 32 octaves below.
_OCTAVES = 32
#: With finer steps, 32 octaves beside the codes of 15 bits take more than 16 bits.
FINEST_EXPONENT = -10


def hides(op: FloatOp) -> bool:
    """Return whether an operation hides some elements of its result from a softmax."""
    return isinstance(op, PositionConstant) and bool(op.hidden.any())


def stored(op: FloatOp, seen: Quantization, config: QuantConfig) -> Quantization:
    """Return the codes of a result in memory: those of ``seen`` on top, and a hidden one below.

    The smallest code is the hidden one.

    Args:
        op: the operation; one that hides nothing needs no more codes.
        seen: quantization of what no mask hides.
        config: says which exponential reads the codes.

    Raises:
        QuantizationError: 16 bits do not hold the codes.
    """
    if not hides(op):
        return seen
    codes = 1 << seen.bits
    distance = codes if config.exponential != "linear" else ceil(_OCTAVES / seen.scale[0])
    bits = (codes + distance - 1).bit_length()
    if bits > MAX_BITS:
        raise QuantizationError(
            f"masked scores of {seen.bits} bits and steps of {seen.scale[0]} octaves need {bits} "
            f"bits, {MAX_BITS} are wanted; give them fewer bits, or choose exponential='table'"
        )
    wider = replace(seen, bits=bits, zero_point=(0,))
    moved = wider.qmax - seen.qmax
    return replace(wider, zero_point=tuple(z + moved for z in seen.zero_point))


def visible(op: FloatOp, value: torch.Tensor) -> torch.Tensor:
    """Return a result in which others of the same row stand in the place of hidden elements.

    So statistics and comparisons see nothing but scores that take part.

    Args:
        op: the operation.
        value: its result ``(B, ..., C)``.
    """
    if not hides(op):
        return value
    assert isinstance(op, PositionConstant)
    rows = op.hidden.reshape(-1, op.hidden.shape[-1])
    first = np.argsort(rows, axis=-1, kind="stable")  # those that are seen come first
    counts = (~rows).sum(axis=-1, keepdims=True)
    places = np.take_along_axis(first, np.arange(rows.shape[-1]) % counts, axis=-1)
    index = torch.from_numpy(places.reshape(op.hidden.shape)).expand(value.shape)
    return value.gather(-1, index)
