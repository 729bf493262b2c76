"""Kernels of many passes work on blocks, so that no temporary grows with a tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hyq_hls.emulate import Emulator
from hyq_hls.emulate.blocks import BLOCK, by_rows
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Dense
from tests.ops.harness import random_codes

Layout = Callable[[torch.Tensor], torch.Tensor]
LAYOUTS: dict[str, Layout] = {
    "plain": lambda x: x,
    "heads before rows": lambda x: x.transpose(2, 1).contiguous().transpose(2, 1),
    "with gaps": lambda x: torch.cat([x, x], dim=-1)[..., : x.shape[-1]],
    "columns first": lambda x: x.transpose(3, 0).contiguous().transpose(3, 0),
    "one image again and again": lambda x: x[:1].expand(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_blocks_of_any_layout(layout: str) -> None:
    """Both operands and the result belong together, whatever the order in memory is."""
    generator = torch.Generator().manual_seed(0)
    a = LAYOUTS[layout](torch.rand(5, 60, 7, 130, generator=generator))
    b = torch.rand(a.shape, generator=generator)
    sizes = []

    def compute(x: torch.Tensor, y: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        sizes.append(x.numel())
        return torch.sub(x.cumsum(-1), y, out=out)

    with torch.inference_mode():
        found = by_rows(compute)(a, b)
    assert torch.equal(found, a.cumsum(-1) - b)
    assert len(sizes) > 1
    assert max(sizes) <= BLOCK < a.numel()


def test_a_row_longer_than_a_block() -> None:
    x = torch.arange(2.0 * (BLOCK + 3)).reshape(2, -1)
    found = by_rows(lambda a, out: torch.mul(a, 2, out=out))(x)
    assert torch.equal(found, 2 * x)


def wide_layer() -> Graph:
    """A layer with so many results that few images fit a batch."""
    rng = np.random.default_rng(0)
    graph = Graph("x", TensorType((500, 4), Quantization(8, False)))
    out = Requantize(Quantization(8, True), np.array([7]), np.array([1]))
    weight = rng.integers(-128, 128, (300, 4))
    graph.add("fc", Dense(weight, 8, np.zeros(300, int), out), "x")
    return graph


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_batches_are_small_where_tensors_are_large(threads: int) -> None:
    """Thirteen images of 150,000 elements fit 2**21; threads share the batches."""
    graph, before = wide_layer(), torch.get_num_threads()
    codes = random_codes(graph.input_type, np.random.default_rng(1), 20)
    seen: list[int] = []
    torch.set_num_threads(threads)
    try:
        found = Emulator(graph)(codes, seen.append)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert sum(seen) == len(codes)
    assert max(seen) == min(13, -(-len(codes) // threads))
    assert np.array_equal(found, dict(graph.reference(codes))["fc"])
