"""Integer LayerNorm from float parameters."""

from __future__ import annotations

from math import floor, log2

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.ops import LayerNorm
from hyq_hls.ops.checks import width_of
from hyq_hls.ops.layer_norm import layer_norm_precision
from hyq_hls.quant.factors import requantize

Array = NDArray[np.float64]

#: Gammas are few and scale whole channels: they keep 8 bits even where weights have fewer.
_MIN_GAMMA_BITS = 8
#: A gamma of 2**-8 or less of an output step has no effect; more fraction bits are useless.
_MAX_GAMMA_FRACTION = 16


def layer_norm(
    x: TensorType,
    weight: Array,
    bias: Array,
    epsilon: float,
    output: Quantization,
    weight_bits: int,
    name: str,
) -> LayerNorm:
    """Quantize the parameters of a LayerNorm.

    Args:
        x: type of the input; channel scales may differ by powers of two.
        weight: gamma (C,).
        bias: beta (C,).
        epsilon: number that is added to the variance.
        output: quantization of the result.
        weight_bits: width of a weight elsewhere; gammas have at least 8 bits.
        name: name of the node, for messages.

    Raises:
        QuantizationError: channel scales do not differ by powers of two.
    """
    # Gammas take up real-valued output scales; requantization keeps a power of two.
    unit = 2 * np.frexp(np.asarray(output.scale))[0]
    weight, bias = weight / unit, bias / unit
    finest = min(x.quantization.scale)
    factors = np.log2(np.asarray(x.quantization.scale) / finest)
    shift = np.rint(factors).astype(np.int64)
    if not np.array_equal(factors, shift):
        raise QuantizationError(
            f"{name}: input scales of a LayerNorm must differ by powers of two, found "
            f"{x.quantization.scale}; set layer_norm_factors or per-tensor activations"
        )
    floor_variance = max(1, round(epsilon * (x.channels / finest) ** 2))
    precision = layer_norm_precision(x, shift, floor_variance)
    gamma, gamma_bits, fraction = integer_gammas(weight, weight_bits)
    beta_fraction = fraction + precision.normalized_bits
    beta = np.rint(bias * 2.0**beta_fraction).astype(np.int64)
    return LayerNorm(
        shift,
        x.quantization.zero_point,
        floor_variance,
        *precision,
        gamma,
        beta,
        gamma_bits,
        width_of(beta),
        requantize(unit * 2.0**-beta_fraction, output),
    )


def integer_gammas(weight: Array, weight_bits: int) -> tuple[NDArray[np.int64], int, int]:
    """Quantize factors (C,) of a normalization, in units of the output.

    Args:
        weight: factors (C,).
        weight_bits: width of a weight elsewhere; gammas have at least 8 bits.

    Returns:
        Integer gammas (C,), their width, and their fraction bits.
    """
    bits = max(_MIN_GAMMA_BITS, weight_bits)
    limit = (1 << (bits - 1)) - 1
    largest = float(np.abs(weight).max())
    fraction = floor(log2(limit / largest)) if largest > 0 else _MAX_GAMMA_FRACTION
    fraction = min(fraction, _MAX_GAMMA_FRACTION)
    return np.rint(weight * 2.0**fraction).astype(np.int64), bits, fraction
