"""Upsample: a sum of the codes around it for every pixel of a pair of rows and of columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage
from hyq_hls.engine.forms.sums import Region, Sliding, Sums, planes_of
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Upsample

#: A pixel of the result lies a quarter of a pixel beside the nearest one.
_NEARER, _FARTHER = 3, 1


def upsample(operation: Upsample, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums for every other row and column; a border, which repeats, has its own.

    The factors of all taps sum up to a power of two, so that stored codes need no bias.
    """
    (height, width, channels), bilinear = x.shape, operation.mode == "bilinear"
    zeros = np.zeros(channels, np.int64)
    found = []
    for phase in product(range(2), range(2)):
        axes = (_lines(size, k, bilinear) for size, k in zip((height, width), phase, strict=True))
        for (y0, y1, up, down), (x0, x1, left, across) in product(*axes):
            taps = np.outer(down, across)
            weight = np.broadcast_to(taps[None, None, :, :, None], (1, 1, *taps.shape, channels))
            shift = zeros + (int(taps.sum()).bit_length() - 1)
            found.append(
                Sums(
                    weight=weight,
                    depthwise=True,
                    planes=planes_of(x.quantization),
                    stage=OutputStage(zeros, zeros + 1, shift, zeros, x.quantization.bits),
                    sliding=Sliding((len(down), len(across)), padding=(up, left)),
                    region=Region(y0, y1, x0, x1, 2, *phase),
                )
            )
    return tuple(found)


def _lines(size: int, phase: int, bilinear: bool) -> Iterator[tuple[int, int, int, Codes]]:
    """Yield runs of lines of a phase: first, last plus one, lines before the first tap, factors."""
    if not bilinear:
        yield 0, size, 0, np.ones(1, np.int64)
        return
    edge = np.array([_NEARER + _FARTHER])
    if phase == 0:
        yield 0, 1, 0, edge
        if size > 1:
            yield 1, size, 1, np.array([_FARTHER, _NEARER])
    else:
        if size > 1:
            yield 0, size - 1, 0, np.array([_NEARER, _FARTHER])
        yield size - 1, size, 0, edge
