"""Calibration: the float graph runs over images, and statistics of every tensor are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.quant.hidden import visible
from hyq_hls.quant.scales.statistics import TensorStatistics

_BATCH = 32
#: Most elements of the largest tensor of a batch, as far as one image allows: 256 MiB in float32.
_ELEMENTS = 1 << 26


def to_float(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return the float images (B, C, H, W) in [0, 1] for a model, of bytes (B, H, W, C)."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float() / 255


def batches(images: NDArray[np.uint8], size: int = _BATCH) -> Iterator[torch.Tensor]:
    """Yield float batches of image bytes."""
    for start in range(0, len(images), size):
        yield to_float(images[start : start + size])


def batch_size(graph: FloatGraph) -> int:
    """Return the images of a batch whose tensors do not grow beyond the memory."""
    largest = max(math.prod(graph.shape(node.name)) for node in graph)
    return max(1, min(_BATCH, _ELEMENTS // largest))


def calibrate(
    graph: FloatGraph, images: NDArray[np.uint8], momentum: float, progress: bool = True
) -> dict[str, TensorStatistics]:
    """Return the statistics of every node's output.

    Args:
        graph: prepared float graph.
        images: bytes (B, H, W, C), checked by the caller.
        momentum: weight of a new batch in the moving averages.
        progress: whether to show a progress bar.

    Raises:
        QuantizationError: a tensor is not finite.
    """
    size = batch_size(graph)
    count = -(-len(images) // size)

    def observe(name: str, value: torch.Tensor) -> None:
        statistics[name].update(visible(graph[name].op, value))

    statistics = {node.name: TensorStatistics(node.name, momentum, count) for node in graph}
    with torch.no_grad():
        for batch in tqdm(
            batches(images, size), "calibrate", count, unit="batch", disable=not progress
        ):
            graph.run(batch, keep=(), observe=observe)
    return statistics
