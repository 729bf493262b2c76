"""conv2d: reference == C++, native and bit-accurate; golden values from torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, reference, run_csim


def random_graph(seed: int) -> Graph:
    """A random convolution: shapes, bits, strides, padding, per-channel or dyadic factors."""
    rng = np.random.default_rng(seed)
    bits, weight_bits, out_bits = rng.integers(2, 17, 3).tolist()
    h, w, c, o = (*rng.integers(3, 9, 2).tolist(), *rng.integers(1, 6, 2).tolist())
    kh, kw = rng.integers(1, 4, 2).tolist()
    zero = int(rng.integers(0, 1 << bits))
    x = TensorType((h, w, c), Quantization(bits, False, zero_point=(zero,)))
    limit = 1 << (weight_bits - 1)
    weight = rng.integers(-limit, limit, (o, kh, kw, c))
    growth = bits + weight_bits + (kh * kw * c).bit_length()
    shift = rng.integers(growth - out_bits - 3, growth - out_bits + 1, o if seed % 2 else 1)
    multiplier = rng.integers(1, 1 << 4, o) if seed % 3 == 0 else np.array([1])
    out = Quantization(out_bits, bool(seed % 2), zero_point=(1,))
    graph = Graph("x", x)
    operation = Conv2d(
        weight,
        weight_bits,
        rng.integers(-1000, 1000, o),
        tuple(rng.integers(1, 3, 2).tolist()),
        tuple(rng.integers(0, 2, 2).tolist()),
        (zero,),
        Requantize(out, shift, multiplier),
    )
    graph.add("conv", operation, "x")
    return graph


@pytest.mark.parametrize("seed", range(6))
def test_csim_equals_reference(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    codes = random_codes(graph.input_type, np.random.default_rng(seed))
    flags = BIT_ACCURATE if seed % 2 else FAST_COMPILE
    assert np.array_equal(run_csim(graph, codes, tmp_path / "p", flags), reference(graph, codes))


def test_reference_equals_torch() -> None:
    rng = np.random.default_rng(0)
    x = TensorType((7, 6, 3), Quantization(8, False, zero_point=(9,)))
    weight = rng.integers(-128, 128, (4, 3, 3, 3))
    wide = Quantization(16, True)
    bias = -9 * weight.sum(axis=(1, 2, 3))
    operation = Conv2d(
        weight, 8, bias, (2, 1), (1, 1), (9,), Requantize(wide, np.array([4]), np.array([1]))
    )
    codes = random_codes(x, rng)
    real = torch.nn.functional.conv2d(
        torch.from_numpy(codes - 9).double().permute(0, 3, 1, 2),
        torch.from_numpy(weight).double().permute(0, 3, 1, 2),
        stride=(2, 1),
        padding=(1, 1),
    ).permute(0, 2, 3, 1)
    expected = torch.floor(real / 16 + 0.5).clamp(-(1 << 15), (1 << 15) - 1).long().numpy()
    assert np.array_equal(operation.reference(codes), expected)


def test_weights_out_of_range() -> None:
    out = Requantize(Quantization(8, True), np.array([1]), np.array([1]))
    with pytest.raises(GraphError, match=r"weights in \[128, 128\] do not fit 8 bits"):
        Conv2d(np.full((1, 1, 1, 1), 128), 8, np.array([0]), (1, 1), (0, 0), (0,), out)


def test_padding_must_be_the_zero_point() -> None:
    graph = Graph("x", TensorType((4, 4, 1), Quantization(8, False, zero_point=(3,))))
    out = Requantize(Quantization(8, True), np.array([1]), np.array([1]))
    operation = Conv2d(np.ones((1, 3, 3, 1), int), 8, np.array([0]), (1, 1), (1, 1), (0,), out)
    with pytest.raises(GraphError, match=r"conv: input has zero points \(3,\)"):
        graph.add("conv", operation, "x")
