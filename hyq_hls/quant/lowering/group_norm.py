"""Integer GroupNorm from float parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Quantization, TensorType
from hyq_hls.ops import GroupNorm
from hyq_hls.ops.checks import width_of
from hyq_hls.ops.group_norm import NORMALIZED_BITS, group_norm_precision
from hyq_hls.quant.factors import requantize
from hyq_hls.quant.lowering.layer_norm import integer_gammas

Array = NDArray[np.float64]


def group_norm(
    x: TensorType,
    weight: Array,
    bias: Array,
    epsilon: float,
    output: Quantization,
    weight_bits: int,
) -> GroupNorm:
    """Quantize the parameters of a GroupNorm with one group.

    Args:
        x: type of the input, which has one scale.
        weight: gamma (C,).
        bias: beta (C,).
        epsilon: number that is added to the variance.
        output: quantization of the result.
        weight_bits: width of a weight elsewhere; gammas have at least 8 bits.
    """
    # Gammas take up real-valued output scales, and what the normalized values are too large by.
    unit = 2 * np.frexp(np.asarray(output.scale))[0]
    growth = x.size / 2.0 ** (x.size - 1).bit_length()
    floor_variance = max(1, round(epsilon * (x.size / x.quantization.scale[0]) ** 2))
    gamma, gamma_bits, fraction = integer_gammas(weight * growth / unit, weight_bits)
    beta_fraction = fraction + NORMALIZED_BITS
    beta = np.rint(bias / unit * 2.0**beta_fraction).astype(np.int64)
    return GroupNorm(
        x.quantization.zero_point,
        floor_variance,
        *group_norm_precision(x, floor_variance),
        gamma,
        beta,
        gamma_bits,
        width_of(beta),
        requantize(unit * 2.0**-beta_fraction, output),
    )
