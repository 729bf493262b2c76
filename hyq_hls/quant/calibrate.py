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
from hyq_hls.quant.traits import traits_of

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

    factors, products = _factors(graph)
    values: dict[str, torch.Tensor] = {}
    weights: dict[str, torch.Tensor] = {}

    def observe(name: str, value: torch.Tensor) -> None:
        statistics[name].update(visible(graph[name].op, value))
        if name in factors:
            values[name] = value
            weights[name] = torch.zeros_like(value)
        for factor in products.get(name, ()):
            weights[factor] += _squared_partner(value, values[factor])

    statistics = {node.name: TensorStatistics(node.name, momentum, count) for node in graph}
    with torch.no_grad():
        for batch in tqdm(
            batches(images, size), "calibrate", count, unit="batch", disable=not progress
        ):
            graph.run(batch, keep=(), observe=observe)
            for name in factors:
                statistics[name].weigh(weights[name])
    return statistics


def _factors(graph: FloatGraph) -> tuple[list[str], dict[str, list[str]]]:
    """Return the results with a pole that only products read, and their factors by product."""
    factors: list[str] = []
    products: dict[str, list[str]] = {}
    for node in graph:
        readers = graph.consumers(node.name)
        if (
            traits_of(node).pole
            and readers
            and all(traits_of(graph[r]).multiplies for r in readers)
        ):
            factors.append(node.name)
            for reader in readers:
                products.setdefault(reader, []).append(node.name)
    return factors, products


def _squared_partner(product: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Return the sums of squares of what each element of a factor is multiplied by.

    Args:
        product: (B, ..., C).
        factor: (B, ..., C) or (B, ..., 1), each of whose positions holds for equally many of the
            product. Nothing in it is zero.

    Returns:
        A tensor of the shape of ``factor``.
    """
    size, channels = len(factor), factor.shape[-1]
    divisors = factor.reshape(size, -1, 1, channels)
    partners = product.reshape(size, divisors.shape[1], -1, product.shape[-1]) / divisors
    sums = partners.square().sum(dim=2)
    return (sums if channels > 1 else sums.sum(dim=-1)).reshape(factor.shape)
