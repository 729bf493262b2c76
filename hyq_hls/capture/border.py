"""Zeros around a map, as a depthwise convolution that copies it.

A convolution behind it takes the zeros up, even where one side has more of them than the other: its
kernel grows by zeros then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hyq_hls.capture.drafts import Draft
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import Conv2d

#: How many places are added before and behind, for each axis.
Sides = Sequence[tuple[int, int]]


def border(channels: int, sides: Sides) -> Conv2d:
    """Return the convolution that puts zeros around a map, ``sides`` of rows and columns."""
    # A window has to see a part of the map wherever it stands.
    weight = np.zeros((channels, *(1 + before + after for before, after in sides), 1))
    weight[:, sides[0][1], sides[1][1]] = 1.0
    padding = sum(sides[0]), sum(sides[1])
    return Conv2d(weight, np.zeros(channels), padding=padding, groups=channels)


def without_border(op: Conv2d, draft: Draft) -> tuple[Conv2d, Draft]:
    """Let a convolution take up the zeros that were put around its input.

    Args:
        op: the convolution.
        draft: its input.

    Returns:
        The convolution and its input, whose result is the same.
    """
    sides = _border_of(draft.op)
    if sides is None:
        return op, draft
    padding, widths = [], [(0, 0)]
    for own, (before, after) in zip(op.padding, sides, strict=True):
        most = own + max(before, after)
        padding.append(most)
        widths.append((most - own - before, most - own - after))
    if np.any(widths):
        op = op.undilated()
        op = replace(op, weight=np.pad(op.weight, (*widths, (0, 0))))
    return replace(op, padding=(padding[0], padding[1])), draft.inputs[0]


def _border_of(op: FloatOp | None) -> Sides | None:
    """Return the zeros that a depthwise convolution puts around a copy; None for any other."""
    if not isinstance(op, Conv2d) or op.bias.any() or (*op.stride, *op.dilation) != (1, 1, 1, 1):
        return None
    if not op.groups == op.in_channels == len(op.weight) or (op.weight != op.weight[:1]).any():
        return None
    places = np.argwhere(op.weight[0, :, :, 0])
    if len(places) != 1 or op.weight[0, places[0][0], places[0][1], 0] != 1:
        return None
    return [
        (around - int(place), around - (size - 1 - int(place)))
        for around, place, size in zip(op.padding, places[0], op.weight.shape[1:3], strict=True)
    ]
