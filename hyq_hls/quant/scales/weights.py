"""Quantization of weights: a scale per row, and codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.graph import Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.traits import weighted

Array = NDArray[np.float64]

#: Powers of two that are tried below the scale that covers the largest weight.
_FINER = 3
#: Shares of the range that are tried for real-valued scales.
_SHARES = np.linspace(1.0, 0.7, 16)
#: Rows of zeros still get a scale.
_TINY = 2.0**-20
#: The finest accumulator, in steps of the output. BatchNorms leave factors such as 1e-30 in dead
#: channels, whose products change nothing and whose biases would not fit any accumulator.
_FINEST = 2.0**-31


@dataclass(frozen=True, eq=False)
class Weights:
    """Integer weights of one layer.

    Attributes:
        codes: int64 (O, n), a row per output channel.
        scales: real size (O,) of one step of an accumulator, that is of weight code times input
            code.
    """

    codes: NDArray[np.int64]
    scales: Array


def per_code(node: FloatNode, x: Quantization) -> Array:
    """Return the real weight (O, n) of one input code: scales of the input go into the weights."""
    layer = weighted(node)
    scale: Array = np.array(x.scale)
    scaled: Array = layer.matrix * (scale if len(scale) == 1 else scale[layer.columns()])
    return scaled


def weight_steps(node: FloatNode, x: Quantization, scales: Array) -> Array:
    """Return the real value (O, n) of one step of each weight's code.

    This is the reverse of :func:`per_code`.

    Args:
        node: a convolution or linear layer.
        x: quantization of its input.
        scales: scales (O,) of its accumulators.
    """
    meets = weighted(node).columns()
    steps = scales[:, None] / (np.asarray(x.scale)[meets] if len(x.scale) > 1 else x.scale[0])
    found: Array = np.broadcast_to(steps, (len(scales), meets.shape[-1]))
    return found


def quantize_weights(
    graph: FloatGraph,
    node: FloatNode,
    tensors: Mapping[str, Quantization],
    statistics: Mapping[str, TensorStatistics],
    config: QuantConfig,
) -> Weights:
    """Return the integer weights of a node, rounded to nearest.

    Args:
        graph: prepared float graph.
        node: a convolution or linear layer.
        tensors: quantization of its input and output.
        statistics: statistics of its input.
        config: configuration of this node.
    """
    x, y = tensors[node.inputs[0]], tensors[node.name]
    real = per_code(node, x)
    channels = weighted(node).columns()
    power = statistics[node.inputs[0]].power
    importance = (power / np.square(np.broadcast_to(x.scale, power.size)))[channels]
    scales = weight_scales(real, importance, config, np.broadcast_to(y.scale, len(real)))
    return Weights(round_codes(real, scales, config.weight_bits), scales)


def round_codes(real: Array, scales: Array, bits: int) -> NDArray[np.int64]:
    """Return the codes of real weights (O, n), rounded to nearest."""
    limit = 1 << (bits - 1)
    return np.clip(np.rint(real / scales[:, None]), -limit, limit - 1).astype(np.int64)


def weight_scales(weight: Array, importance: Array, config: QuantConfig, unit: Array) -> Array:
    """Return the scale of each row of ``weight`` (O, n), or one scale for all rows.

    The objective is the squared error of the products, ``sum(importance * (w - quantized w)**2)``,
    where ``importance`` (n,) is the mean square of the operand that meets the column.

    Args:
        weight: real value (O, n) of one input code, per weight.
        importance: mean squares (n,), or (O, n) where they differ by row.
        config: bits, granularity, observer; and whether rows get scales of ``unit * 2**k``, so that
            requantization is a shift, or any real scales.
        unit: output scales (O,).

    Returns:
        Scales (O,).
    """
    limit = (1 << (config.weight_bits - 1)) - 1
    lattice = config.scale != "dyadic"
    largest = np.abs(weight).max(axis=1)
    if lattice:
        largest = largest / unit
    if config.weight_granularity == "tensor":
        largest = np.full_like(largest, largest.max())
    largest = np.where(largest > 0, largest, _TINY)
    if lattice:
        covering = 2.0 ** np.ceil(np.log2(largest / (limit + 0.5)))
        candidates = [unit * covering / 2.0**k for k in range(_FINER)]
    else:
        candidates = [largest / limit * share for share in _SHARES]
    candidates = [np.maximum(scale, unit * _FINEST) for scale in candidates]
    if config.observer == "minmax":
        covered: Array = candidates[0]
        return covered
    errors = np.array([_error(weight, importance, s, limit) for s in candidates])
    if config.weight_granularity == "tensor":
        errors = np.broadcast_to(errors.sum(axis=1, keepdims=True), errors.shape)
    best = np.argmin(errors, axis=0)
    chosen: Array = np.array(candidates)[best, np.arange(len(weight))]
    return chosen


def _error(weight: Array, importance: Array, scale: Array, limit: int) -> Array:
    codes = np.clip(np.rint(weight / scale[:, None]), -limit - 1, limit)
    squares: Array = (codes * scale[:, None] - weight) ** 2
    error: Array = (squares * importance).sum(axis=1)
    return error
