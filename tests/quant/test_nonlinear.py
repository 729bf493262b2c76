"""Which operation and which table a choice of softmax and Swish gives."""

from __future__ import annotations

from math import log
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from hyq_hls.capture.elementwise import Silu
from hyq_hls.errors import GraphError, QuantizationError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import LinearSoftmax, ShiftSwish, TableSoftmax
from hyq_hls.ops.table_softmax import OUTPUTS, SoftmaxOutput
from hyq_hls.quant.config import Exponential
from hyq_hls.quant.lowering.nonlinear import SwishKind, softmax_operation, swish_values
from hyq_hls.quant.lowering.published import (
    exact_exponential,
    hyq_exponential,
    i_bert_swish,
    i_vit_swish,
    polynomial_exponential,
    released_shift_swish,
    shift_exponential,
)
from hyq_hls.quant.lowering.table import function_table, values_of

Real = NDArray[np.float64]

SCORES = Quantization(8, True, (0.0625,), (3,))
#: A step of the scores in nats.
NATS = 0.0625 * log(2)
DISTANCES = np.arange(256)


@pytest.mark.parametrize(
    ("exponential", "table"),
    [
        ("linear_released", hyq_exponential(DISTANCES, NATS, 30)),
        ("polynomial", polynomial_exponential(DISTANCES, NATS, 30)),
        ("shift", shift_exponential(DISTANCES, NATS, 15)),
    ],
)
@pytest.mark.parametrize("output", OUTPUTS)
def test_published_exponentials_fill_tables(
    exponential: Exponential, table: NDArray[np.int64], output: SoftmaxOutput
) -> None:
    operation = softmax_operation(exponential, SCORES, 4, output)
    assert isinstance(operation, TableSoftmax)
    assert (operation.bits, operation.output) == (4, output)
    assert np.array_equal(operation.table, table)


@pytest.mark.parametrize(("output", "precision"), [("log2", 17), ("uniform", 8)])
def test_the_exact_exponential_has_as_many_bits_as_the_output_deserves(
    output: SoftmaxOutput, precision: int
) -> None:
    operation = softmax_operation("table", SCORES, 4, output)
    assert isinstance(operation, TableSoftmax)
    assert np.array_equal(operation.table, exact_exponential(DISTANCES, NATS, precision))
    assert operation.exponential_bits == precision


@pytest.mark.parametrize(("scale", "fraction"), [(1.0, 0), (0.5, 1), (2.0**-7, 7)])
def test_linear_is_the_operation_with_shifts(scale: float, fraction: int) -> None:
    for output, shift in (("log2", 17), ("uniform", 8)):
        kind: SoftmaxOutput = "log2" if output == "log2" else "uniform"
        operation = softmax_operation("linear", Quantization(8, False, (scale,)), 4, kind)
        assert isinstance(operation, LinearSoftmax)
        found = operation.fraction, operation.shift_bits, operation.bits, operation.output
        assert found == (fraction, shift, 4, output)


@pytest.mark.parametrize("exponential", ["linear", "linear_released", "polynomial", "table"])
def test_probabilities_are_near_the_true_ones(exponential: Exponential) -> None:
    rng = np.random.default_rng(0)
    x = Quantization(8, False, (2.0**-4,), (9,))
    operation = softmax_operation(exponential, x, 12, "uniform")
    codes = rng.integers(0, 256, (200, 16))
    q = operation.output_type(TensorType((16,), x)).quantization
    real = np.exp2(x.dequantize(codes))
    real /= real.sum(axis=-1, keepdims=True)
    error = np.abs(q.dequantize(operation.reference(codes)) - real).max()
    assert error < (2.0**-12 if exponential == "table" else 0.02)


@pytest.mark.parametrize(
    ("exponential", "x", "output", "message"),
    [
        ("exp", SCORES, "log2", "unknown exponential 'exp'; one of .*'polynomial'"),
        ("linear", Quantization(8, False, (0.3,)), "log2", r"step of the scores is 0\.3 octaves"),
        ("linear", Quantization(8, False, (2.0,)), "log2", "a power of two up to 1"),
        ("linear", SCORES, "log2_rounded", "gives log2 or uniform, log2_rounded was asked for"),
        ("table", Quantization(11, False), "log2", "scores of 11 bits; .* takes at most 10"),
        ("table", Quantization(8, False, (1.0, 2.0)), "log2", "2 scales, 1 zero points"),
        ("shift", Quantization(4, False, encoding="log2"), "log2", "log2 codes; one affine"),
        ("linear_released", Quantization(8, False, (2.5,)), "log2", "an exponential of 0 bits"),
    ],
)
def test_scores_that_do_not_suit(
    exponential: Exponential, x: Quantization, output: SoftmaxOutput, message: str
) -> None:
    with pytest.raises(QuantizationError, match=message):
        softmax_operation(exponential, x, 4, output)


def test_bits_out_of_range() -> None:
    with pytest.raises(GraphError, match="a tensor has 1 bits"):
        softmax_operation("table", SCORES, 1, "log2")


def swish(x: Real) -> Real:
    result: Real = x / (1 + np.exp(-x))
    return result


INPUT = Quantization(8, False, (0.05,), (120,))
OUTPUT = Quantization(8, False, (0.03,), (10,))
CODES = np.arange(256) - 120


def test_tables_hold_the_published_integers() -> None:
    pairs = np.stack([CODES, np.zeros_like(CODES)], axis=-1)
    expected: dict[SwishKind, Real] = {
        "i_vit": i_vit_swish(pairs, 0.05)[:, 0] * np.float64(0.05 / 128),
        "i_bert": i_bert_swish(CODES, 0.05) * np.float64(0.05 / 256),
        "shift_released": released_shift_swish(CODES, 0.05),
    }
    assert set(expected) == set(get_args(SwishKind))
    for kind, real in expected.items():
        assert np.array_equal(swish_values(kind, INPUT), real), kind


def test_a_table_serves_an_operation_with_signed_codes() -> None:
    x = Quantization(6, True, (0.125,), (-3,))
    (operation,) = function_table("swish", Silu(), values_of(Silu()), x, OUTPUT)
    graph = Graph("x", TensorType((64,), x))
    graph.add("swish", operation, "x")
    codes = np.arange(-32, 32)[None]
    assert np.array_equal(
        dict(graph.reference(codes))["swish"],
        OUTPUT.quantize(swish((codes + 3) * np.float64(0.125))),
    )


def test_errors_of_the_kinds_in_steps_of_the_output() -> None:
    """I-ViT's short reciprocal and M = 41 cost many steps; I-BERT's and ours one or two."""
    x = Quantization(8, False, (2.0**-5,), (128,))
    real = swish(x.dequantize(np.arange(256)))
    scale = float(real.max() - real.min()) / 255
    y = Quantization(8, False, (scale,), (int(np.rint(-real.min() / scale)),))
    exact = y.quantize(values_of(Silu())(x))
    kinds: tuple[SwishKind, ...] = get_args(SwishKind)
    lost = {kind: int(np.abs(y.quantize(swish_values(kind, x)) - exact).max()) for kind in kinds}
    fine = Requantize(Quantization(16, True, (2.0**-11,)), np.array([6]), np.array([1]))
    ours = y.quantize(ShiftSwish(5, 128, 12, fine).reference(np.arange(256)) * 2.0**-11)
    assert np.abs(ours - exact).max() <= 2
    assert lost["i_bert"] <= 2
    assert lost["shift_released"] > 10
    assert lost["i_vit"] > 10


@pytest.mark.parametrize(
    ("kind", "x", "message"),
    [
        ("shift", INPUT, "unknown Swish 'shift'; one of .*'shift_released'"),
        ("i_bert", Quantization(8, False, (3.0,)), "an exponential of 0 bits"),
        ("shift_released", Quantization(8, False, (3.0,)), "rounds to 0"),
    ],
)
def test_scales_that_do_not_suit(kind: SwishKind, x: Quantization, message: str) -> None:
    with pytest.raises(QuantizationError, match=message):
        swish_values(kind, x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (Quantization(13, False), "act: a table of Silu .* at most 12 bits .* found 13 bits"),
        (Quantization(8, False, (1.0, 2.0)), "one scale, found 8 bits, 2 scales and 1 zero"),
    ],
)
def test_codes_that_no_table_takes(x: Quantization, message: str) -> None:
    with pytest.raises(QuantizationError, match=message):
        function_table("act", Silu(), values_of(Silu()), x, OUTPUT)
