"""The network whose generated text is kept: a convolution, an attention and an addition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.stream import Folding

_ZERO = 128
_CODES = Quantization(8, False, (2.0**-4,), (_ZERO,))

#: Lanes of the convolution differ from those of its readers, so that a width converter appears.
FOLDINGS = {"conv": Folding(2, 3), "sum": Folding(4, 4)}


def golden_graph() -> Graph:
    """(4, 4, 3) bytes to (4, 4, 4); no library draws its numbers, so an update changes none."""
    image = TensorType((4, 4, 3), Quantization(8, False))
    graph = Graph("image", image, {"model": "Golden"})
    conv = ops.Conv2d(
        _numbers(4, 3, 3, 3), 8, _numbers(4), (1, 1), (1, 1), (0,), _to(23, 4, multiplier=40000)
    )
    graph.add("conv", conv, "image")
    graph.add("tokens", ops.Unfold((2, 2)), "conv")
    for name in ("query", "key", "value"):
        graph.add(name, _dense(len(graph.nodes)), "tokens")
    graph.add("scores", ops.AttentionScores(2, (_ZERO, _ZERO), _to(5)), "query", "key")
    softmax = ops.LinearSoftmax(4, 12, 4, "log2")
    graph.add("softmax", softmax, "scores")
    q = softmax.quantization
    values = ops.AttentionValues(2, (_ZERO,), q.encoding, q.bits, _to(10))
    graph.add("values", values, "softmax", "value")
    graph.add("map", ops.Fold((2, 2), 4, 4), "values")
    factors = np.array([1, 2, 4, 8]), np.array([3])
    graph.add("sum", ops.Add(factors, ((_ZERO,), (_ZERO,)), _to(2)), "map", "conv")
    return graph


def _numbers(*shape: int, start: int = 0) -> NDArray[np.int64]:
    """Integers in -127..127 that repeat after 255."""
    return ((start + np.arange(np.prod(shape))) * 71 % 255 - 127).reshape(shape)


def _to(shift: int, channels: int = 1, multiplier: int = 1) -> Requantize:
    return Requantize(_CODES, np.full(channels, shift), np.full(channels, multiplier))


def _dense(start: int) -> ops.Dense:
    return ops.Dense(_numbers(4, 4, start=start), 8, _numbers(4, start=start), _to(8, 4))
