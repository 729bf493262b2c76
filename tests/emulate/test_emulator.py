"""The emulator gives the reference's integers, for every operation and for bounds of any width."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls import QuantizedModel
from hyq_hls.emulate import Emulator
from hyq_hls.emulate.exact import accumulation_dtype
from hyq_hls.errors import GraphError
from hyq_hls.graph import Bounds, Graph, Operation, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import OPERATIONS, Conv2d, Dense, DepthwiseConv2d
from tests.ops.examples import example_graph
from tests.ops.harness import random_codes


def check_every_node(graph: Graph, codes: np.ndarray) -> None:
    emulated = dict(Emulator(graph).trace(codes))
    for name, expected in graph.reference(codes):
        assert np.array_equal(emulated[name], expected), name


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_every_operation(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = example_graph(name, rng)
    check_every_node(graph, random_codes(graph.input_type, rng, 8))


@pytest.mark.slow
@given(
    bits=st.integers(2, 16),
    weight_bits=st.integers(2, 16),
    length=st.integers(1, 40),
    channels=st.integers(1, 4),
    dyadic=st.booleans(),
    seed=st.integers(0, 1 << 30),
)
@settings(max_examples=150, deadline=None)
def test_dense_of_any_width(
    bits: int, weight_bits: int, length: int, channels: int, dyadic: bool, seed: int
) -> None:
    """Bounds below 2**24 run in float32, below 2**53 in float64, wider ones in the reference."""
    rng = np.random.default_rng(seed)
    limit = 1 << (weight_bits - 1)
    x = TensorType((3, length), Quantization(bits, bool(seed % 2)))
    zero = tuple(rng.integers(0, 1 << 8, channels).tolist())
    shift = rng.integers(-3, bits + weight_bits + 6, channels)
    multiplier = rng.integers(1, 1 << 16, channels) if dyadic else np.array([1])
    out = Requantize(Quantization(8, False, zero_point=zero), shift, multiplier)
    weight = rng.integers(-limit, limit, (channels, length))
    bias = rng.integers(-(1 << 20), 1 << 20, channels)
    graph = Graph("x", x)
    graph.add("fc", Dense(weight, weight_bits, bias, out), "x")
    check_every_node(graph, random_codes(x, rng))


@pytest.mark.parametrize("low", [-(1 << 23), -(1 << 24), -(1 << 52), -(1 << 54)])
def test_precision_is_chosen_by_bounds(low: int) -> None:
    out = Requantize(Quantization(8, True), np.array([10]), np.array([1]))
    wanted = {23: torch.float32, 24: torch.float64, 52: torch.float64, 54: None}
    assert accumulation_dtype(Bounds(low, 0), out) == wanted[(-low).bit_length() - 1]


@pytest.mark.parametrize(
    ("kind", "shape", "bits", "weight_bits"),
    [
        (DepthwiseConv2d, (8, 3, 3), 8, 16),
        (Conv2d, (8, 3, 3, 4), 10, 12),
        (Conv2d, (4, 3, 3, 120), 8, 8),
        (Dense, (8, 24), 10, 12),
        (Dense, (4, 1100), 8, 8),
        # The same, past the mantissa of float64: only the reference is exact.
        (Dense, (2, 1 << 11), 16, 30),
    ],
)
def test_partial_sums_reach_further_than_the_sum(
    kind: type[Dense | Conv2d | DepthwiseConv2d],
    shape: tuple[int, ...],
    bits: int,
    weight_bits: int,
) -> None:
    """A bias of ``-zero_point * sum(weight)`` cancels products; without it they pass 2**24."""
    rng = np.random.default_rng(0)
    top, zero = (1 << bits) - 1, 1 << (bits - 1)
    weight = rng.integers(3 << (weight_bits - 4), 1 << (weight_bits - 1), shape)
    products = weight.reshape(len(weight), -1).sum(axis=1)
    mantissa = 24 if weight_bits <= 16 else 53
    weight = weight * (1.3 * 2**mantissa / top) // products.reshape(-1, *[1] * (weight.ndim - 1))
    weight = np.maximum(weight.astype(np.int64), 1)
    bias = -zero * weight.reshape(len(weight), -1).sum(axis=1)
    out = Requantize(Quantization(16, True), np.array([mantissa - 14]), np.array([1]))
    x = TensorType(
        (6, 6, shape[-1] if kind is not DepthwiseConv2d else shape[0]),
        Quantization(bits, False, (1.0,), (zero,)),
    )
    operation: Operation
    if issubclass(kind, Dense):
        operation = kind(weight, weight_bits, bias, out)
    else:
        operation = kind(weight, weight_bits, bias, (1, 1), (1, 1), (zero,), out)
    graph = Graph("x", x)
    node = graph.add("sum", operation, "x")
    reach = node.operation.partial_sums(x)
    assert accumulation_dtype(node.accumulator, out) != accumulation_dtype(reach, out)
    check_every_node(graph, rng.integers(int(0.8 * top), top + 1, (20, *x.shape)))


@pytest.mark.parametrize(("reach", "weight_bits"), [(24, 16), (53, 40)])
def test_sums_that_are_shifted_left(reach: int, weight_bits: int) -> None:
    """Large products cancel; the half and the zero point beside them must not be lost."""
    rng = np.random.default_rng(0)
    zero = 1 << 9
    weight = rng.integers(1, (1 << reach) // (40 << 10), (4, 40))
    x = TensorType((40,), Quantization(10, False, (1.0,), (zero,)))
    out = Requantize(Quantization(16, True, (1.0,), (7,)), np.array([-3]), np.array([1]))
    graph = Graph("x", x)
    graph.add("fc", Dense(weight, weight_bits, -zero * weight.sum(axis=1), out), "x")
    codes = zero + rng.integers(-1, 2, (100, 40)) * (rng.random((100, 40)) < 0.02)
    assert len(np.unique(dict(graph.reference(codes))["fc"])) > 2
    check_every_node(graph, codes)


def test_per_channel_padding() -> None:
    rng = np.random.default_rng(2)
    zero = (3, 250, 17)
    x = TensorType((5, 4, 3), Quantization(8, False, (1.0,) * 3, zero))
    out = Requantize(Quantization(8, True), np.array([9]), np.array([1]))
    graph = Graph("x", x)
    weight = rng.integers(-128, 128, (4, 3, 3, 3))
    graph.add("conv", Conv2d(weight, 8, rng.integers(-9, 9, 4), (2, 1), (1, 1), zero, out), "x")
    check_every_node(graph, random_codes(x, rng))


def test_wrong_input() -> None:
    emulator = Emulator(example_graph("dense", np.random.default_rng(0)))
    shape = emulator.graph.input_type.shape
    with pytest.raises(GraphError, match="leave the range"):
        emulator(np.full((1, *shape), 256))
    with pytest.raises(GraphError, match="integers are wanted, found dtype float64"):
        emulator(np.zeros((1, *shape)))  # type: ignore[arg-type]  # refused by its dtype
    with pytest.raises(GraphError, match="shape"):
        emulator(np.zeros((1, 2, 2), int))


FORK = """
import os
import numpy as np, torch
from hyq_hls.emulate import Emulator
from tests.emulate.test_emulator import wide_convolution
torch.set_num_threads(2)
graph = wide_convolution()
codes = np.random.default_rng(0).integers(0, 256, (64, *graph.input_type.shape))
wanted = Emulator(graph)(codes)
child = os.fork()
if not child:
    os._exit(0 if np.array_equal(Emulator(graph)(codes), wanted) else 1)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def wide_convolution() -> Graph:
    """Large enough for several threads."""
    rng = np.random.default_rng(0)
    graph = Graph("x", TensorType((16, 16, 16), Quantization(8, False)))
    out = Requantize(Quantization(8, True), np.array([12]), np.array([1]))
    weight = rng.integers(-128, 128, (16, 3, 3, 16))
    graph.add("c", Conv2d(weight, 8, np.zeros(16, int), (1, 1), (1, 1), (0,), out), "x")
    return graph


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_in_a_process_that_was_forked() -> None:
    """Torch's threads are not there: whoever waits for them waits for ever."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", FORK], timeout=120, check=False, env=environment)
    assert done.returncode == 0


def test_a_quantized_model_can_be_pickled() -> None:
    graph = wide_convolution()
    codes = np.random.default_rng(0).integers(0, 256, (2, *graph.input_type.shape))
    model = QuantizedModel(graph)
    wanted = model.emulator(codes)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(again.emulator(codes), wanted)


def test_batches_and_progress() -> None:
    rng = np.random.default_rng(1)
    graph = example_graph("conv2d", rng)
    codes = random_codes(graph.input_type, rng, 148)
    seen: list[int] = []
    found = Emulator(graph)(codes, seen.append)
    assert sum(seen) == len(codes) == 150
    assert np.array_equal(found, dict(graph.reference(codes))[graph.output_name])
