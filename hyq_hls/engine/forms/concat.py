"""Concatenation: each input is requantized to its own channels of the output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyq_hls.engine.forms.requantize import requantized
from hyq_hls.engine.forms.sums import Sums
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Concat

#: A depthwise sum writes whole words, and no lane reads the channel of another.
WORD = 4


def concat(operation: Concat, *inputs: TensorType) -> tuple[Sums, ...]:
    """Return a sum for each input.

    Where the second input begins inside a word, it is multiplied by an identity matrix, because
    output lanes of a dense sum may take any channel.
    """
    found, channel = [], 0
    for which, (x, requantize, zero, _) in enumerate(operation.parts(inputs)):
        sums = requantized(requantize, zero, x, which, channel)
        if channel % WORD:
            identity = np.eye(x.channels, dtype=np.int64)[None, None, None, None]
            sums = replace(sums, weight=identity, depthwise=False)
        found.append(sums)
        channel += x.channels
    return tuple(found)
