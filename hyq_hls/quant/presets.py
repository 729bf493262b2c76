"""Recipes by name: what the papers do, what people use instead, and our best.

>>> hyq_hls.quantize(model, images, presets.best(weight_bits=6, activation_bits=6))

Every recipe ends in integers only, also where its paper leaves LayerNorm, SiLU or softmax in
floating point; what differs from the paper stands with the method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.bias_correction import BiasCorrection
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.depthwise import DepthwiseRanges
from hyq_hls.quant.outlier_scaling import OutlierScaling
from hyq_hls.quant.qads import Qads
from hyq_hls.quant.reconstruction import Reconstruction

#: Plain post-training quantization: real scales per tensor, true functions in tables.
_PLAIN: dict[str, Any] = {
    "scale": "dyadic",
    "softmax": "uniform",
    "softmax_bits": 8,
    "exponential": "table",
    "swish": "table",
    "layer_norm_factors": 0,
}


def minmax(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Ranges of the calibration images: one real scale per tensor, one per output channel."""
    return QuantConfig(weight_bits, activation_bits, observer="minmax", **_PLAIN)


def percentile(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Ranges without the outermost values (99.99 % inside)."""
    return QuantConfig(weight_bits, activation_bits, observer="percentile", **_PLAIN)


def omse(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Ranges of least squared error (Choukroun et al. 2019)."""
    return QuantConfig(weight_bits, activation_bits, observer="mse", **_PLAIN)


def fq_vit(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """FQ-ViT (Lin et al. 2022): power-of-two factors at LayerNorms, log-int-softmax of 4 bits."""
    own = {"softmax": "log2_rounded", "softmax_bits": 4, "exponential": "polynomial"}
    return QuantConfig(
        weight_bits,
        activation_bits,
        observer="minmax",
        **{**_PLAIN, **own, "layer_norm_factors": 3},
    )


def i_bert(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Min-max with the polynomial exponential of I-BERT (Kim et al. 2021) in softmax and SiLU."""
    own = {"exponential": "polynomial", "swish": "i_bert"}
    return QuantConfig(weight_bits, activation_bits, observer="minmax", **{**_PLAIN, **own})


def i_vit(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Min-max with the shift exponential of I-ViT (Li & Gu 2023) in softmax and SiLU."""
    own = {"exponential": "shift", "swish": "i_vit"}
    return QuantConfig(weight_bits, activation_bits, observer="minmax", **{**_PLAIN, **own})


def hyq(
    weight_bits: int = 8,
    activation_bits: int = 8,
    *,
    straight_through: bool = False,
    steps: int = 1000,
) -> QuantConfig:
    """HyQ (Kim et al., IJCAI 2024): QADS, depthwise ranges, power-of-two factors, linear softmax.

    As released but for what it leaves in floating point: SiLU is Shift-Swish here, the classifier
    and the additions are integers.

    Args:
        weight_bits: of weights.
        activation_bits: of activations.
        straight_through: gradients through rounding in QADS, which the released code has not.
        steps: of QADS.
    """
    return QuantConfig(
        weight_bits,
        activation_bits,
        observer="minmax",
        scale="dyadic",
        softmax="log2_rounded",
        exponential="linear_released",
        methods=(DepthwiseRanges(), Qads(steps, straight_through=straight_through)),
    )


def outlier_pot(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Outlier scaling by powers of two (Kim & Kim, ICCE 2025); all requantization by shifts."""
    return QuantConfig(weight_bits, activation_bits, methods=(DepthwiseRanges(), OutlierScaling()))


def best(weight_bits: int = 8, activation_bits: int = 8, *, steps: int = 300) -> QuantConfig:
    """Our best: real scales that need shifts only, outlier channels absorbed, learned rounding.

    Args:
        weight_bits: of weights.
        activation_bits: of activations.
        steps: of learning, see :class:`~hyq_hls.quant.reconstruction.Reconstruction`.
    """
    return QuantConfig(
        weight_bits,
        activation_bits,
        scale="shift",
        activation_granularity="absorbed",
        softmax="uniform",
        softmax_bits=8,
        swish="table",
        methods=(BiasCorrection(), Reconstruction(steps)),
    )


#: Every recipe by name.
PRESETS: dict[str, Callable[..., QuantConfig]] = {
    function.__name__: function
    for function in (minmax, percentile, omse, fq_vit, i_bert, i_vit, hyq, outlier_pot, best)
}


def preset(name: str, weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """The recipe of a name; raises ``QuantizationError`` when there is none."""
    if name not in PRESETS:
        raise QuantizationError(f"unknown preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name](weight_bits, activation_bits)
