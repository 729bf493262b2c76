"""Recipes by name: those of the papers, those in common use, and our best.

>>> hyq_hls.quantize(model, images, presets.best(weight_bits=6, activation_bits=6))

Every recipe ends in integers only, also where its paper leaves LayerNorm, SiLU or softmax in
floating point. Differences from the paper are documented with the method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.methods.bias_correction import BiasCorrection
from hyq_hls.quant.methods.depthwise import DepthwiseRanges
from hyq_hls.quant.methods.mixed_precision import MixedPrecision
from hyq_hls.quant.methods.outlier_scaling import OutlierScaling
from hyq_hls.quant.methods.q_hyvit import QHyViT
from hyq_hls.quant.methods.qads import Qads
from hyq_hls.quant.methods.reconstruction import Reconstruction
from hyq_hls.quant.methods.repq import RepQ

#: Gain of ranges per channel that is worth a requantization: one and a half bits.
_WORTH = 8.0
#: Plain post-training quantization has real scales per tensor, and true functions in tables.
_PLAIN: dict[str, Any] = {
    "activation_granularity": "tensor",
    "preactivation_bits": 8,
    "scale": "dyadic",
    "softmax": "uniform",
    "softmax_bits": 8,
    "exponential": "table",
    "swish": "table",
    "layer_norm_factors": 0,
}
#: HyQ's functions of few gates, with one scale per tensor.
_LEAN: dict[str, Any] = {
    "activation_granularity": "tensor",
    "preactivation_bits": 8,
    "scale": "power_of_two",
    "softmax": "log2",
    "softmax_bits": 4,
    "swish": "shift",
}


def fast(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use the default: what ``best`` has without search and learning, in seconds.

    Scales are real and need shifts only, channels have scales of their own where that is free,
    functions are true and in tables, and probabilities are as fine as the rows are long. Behind a
    function channels have scales of their own too, at the price of a requantization, where a
    depthwise convolution amplifies the rounding of small channels.
    """
    methods = (DepthwiseRanges(_WORTH),)
    return QuantConfig(weight_bits, activation_bits, methods=methods)


def lean(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use the fewest gates: power-of-two scales, linear softmax, log2 codes, Shift-Swish.

    Attention has no multiplier but those of the scores. Its price: log2 codes of near-uniform rows
    have a gain of ``N * 2**-L`` for N keys, which is 1.0 at 16, 64 and 256 keys only.
    """
    return QuantConfig(weight_bits, activation_bits, **_LEAN)


def minmax(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use ranges of the calibration images: one real scale per tensor, one per output channel."""
    return QuantConfig(weight_bits, activation_bits, observer="minmax", **_PLAIN)


def percentile(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use ranges without the outermost values (99.99 % inside)."""
    return QuantConfig(weight_bits, activation_bits, observer="percentile", **_PLAIN)


def omse(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use ranges of least squared error (Choukroun et al. 2019)."""
    return QuantConfig(weight_bits, activation_bits, observer="mse", **_PLAIN)


def fq_vit(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Follow FQ-ViT (Lin et al. 2022): power-of-two factors, log-int-softmax of 4 bits.

    The factors belong to the inputs of LayerNorms. The 4-bit codes are as published, with the gain
    that :func:`lean` speaks of.
    """
    own = {"softmax": "log2_rounded", "softmax_bits": 4, "exponential": "polynomial"}
    return QuantConfig(
        weight_bits,
        activation_bits,
        observer="minmax",
        **{**_PLAIN, **own, "layer_norm_factors": 3},
    )


def i_bert(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use min-max and I-BERT's polynomial exponential (Kim et al. 2021) in softmax and SiLU."""
    own = {"exponential": "polynomial", "swish": "i_bert"}
    return QuantConfig(weight_bits, activation_bits, observer="minmax", **{**_PLAIN, **own})


def i_vit(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Use min-max and I-ViT's shift exponential (Li & Gu 2023) in softmax and SiLU."""
    own = {"exponential": "shift", "swish": "i_vit"}
    return QuantConfig(weight_bits, activation_bits, observer="minmax", **{**_PLAIN, **own})


def hyq(
    weight_bits: int = 8,
    activation_bits: int = 8,
    *,
    straight_through: bool = False,
    steps: int = 1000,
) -> QuantConfig:
    """Follow HyQ (Kim et al., IJCAI 2024).

    It has QADS, depthwise ranges, power-of-two factors and the linear softmax. It follows the
    release except where that is in floating point: SiLU is Shift-Swish here, and the classifier and
    the additions are integers. The 4-bit codes of probabilities are as published, with the gain
    that :func:`lean` speaks of.

    Args:
        weight_bits: width of weights.
        activation_bits: width of activations.
        straight_through: whether gradients pass rounding in QADS; they do not in the released code.
        steps: steps of QADS.
    """
    return QuantConfig(
        weight_bits,
        activation_bits,
        observer="minmax",
        exponential="linear_released",
        methods=(DepthwiseRanges(), Qads(steps, straight_through=straight_through)),
        **{**_LEAN, "scale": "dyadic", "softmax": "log2_rounded"},
    )


def outlier_pot(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Scale outliers by powers of two (Kim & Kim, ICCE 2025); requantize by shifts only."""
    methods = (DepthwiseRanges(), OutlierScaling())
    return QuantConfig(weight_bits, activation_bits, methods=methods, **_LEAN)


def qhyvit(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Follow Q-HyViT (Lee et al., IEEE IoT-J 2024): search by second-order cost.

    Bridge blocks are searched as a whole. In its main table the paper leaves softmax and LayerNorm
    in floating point; here everything is integer.
    """
    return QuantConfig(
        weight_bits, activation_bits, observer="minmax", methods=(QHyViT(),), **_PLAIN
    )


def repq_vit(weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Follow RepQ-ViT (Li et al. 2023): scales behind LayerNorms move into the layers around."""
    return QuantConfig(weight_bits, activation_bits, observer="minmax", methods=(RepQ(),), **_PLAIN)


def mixed_precision(
    weight_bits: int = 8, activation_bits: int = 8, *, average_bits: float = 7.9
) -> QuantConfig:
    """Mix precisions, with Shift-Swish (Kang et al., ICEIC 2024).

    Args:
        weight_bits: layers and tensors get at most the larger of this and ``activation_bits``; they
            get at least 4.
        activation_bits: see ``weight_bits``.
        average_bits: most bits of all weights and activations, on average.
    """
    fewest = min(4, weight_bits, activation_bits)
    choices = tuple(range(fewest, max(weight_bits, activation_bits) + 1))
    return QuantConfig(
        weight_bits,
        activation_bits,
        methods=(MixedPrecision(average_bits, choices=choices),),
        **{**_LEAN, "scale": "dyadic"},
    )


def best(
    weight_bits: int = 8,
    activation_bits: int = 8,
    *,
    average_bits: float | None = None,
    steps: int = 300,
) -> QuantConfig:
    """Use our best: real scales that need shifts only; a search, then learned rounding.

    On lattices of scales (``scale="shift"``) Q-HyViT's second-order cost chooses steps, zero points
    and schemes; then all layers learn rounding and biases together. Inputs of functions such as
    SiLU have two bits more than weights and operands, and at least 8, so that their rounding
    disappears in that of the results. At 8 bits their tables have 1024 entries.

    Args:
        weight_bits: width of weights.
        activation_bits: width of operands of multiplications.
        average_bits: if given, bits are chosen per layer and tensor with this average.
        steps: steps of learning, see :class:`~hyq_hls.quant.methods.reconstruction.Reconstruction`.
    """
    bits = () if average_bits is None else (MixedPrecision(average_bits),)
    return QuantConfig(
        weight_bits,
        activation_bits,
        methods=(*bits, QHyViT(function_price=0.05), BiasCorrection(), Reconstruction(steps)),
    )


#: Every recipe stands here under its name.
PRESETS: dict[str, Callable[..., QuantConfig]] = {
    function.__name__: function
    for function in (
        fast,
        lean,
        minmax,
        percentile,
        omse,
        fq_vit,
        i_bert,
        i_vit,
        repq_vit,
        hyq,
        outlier_pot,
        qhyvit,
        mixed_precision,
        best,
    )
}


def preset(name: str, weight_bits: int = 8, activation_bits: int = 8) -> QuantConfig:
    """Return the recipe of a name; raise ``QuantizationError`` when there is none."""
    if name not in PRESETS:
        raise QuantizationError(f"unknown preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name](weight_bits, activation_bits)


def as_config(config: Any) -> QuantConfig:
    """Return the configuration that a user means.

    Args:
        config: a configuration, the name of a recipe, a dict of fields that differ from those of
            :func:`fast`, or None for :func:`fast`.

    Raises:
        QuantizationError: it is none of these, or a name is unknown.
    """
    if config is None:
        return fast()
    if isinstance(config, QuantConfig):
        return config
    if isinstance(config, str):
        return preset(config)
    if isinstance(config, Mapping):
        known = [field.name for field in fields(QuantConfig)]
        unknown = [str(name) for name in config if name not in known]
        if unknown:
            raise QuantizationError(
                f"config has no {', '.join(unknown)}; its fields are {', '.join(known)}"
            )
        return replace(fast(), **config)
    if callable(config):
        name = getattr(config, "__name__", type(config).__name__)
        raise QuantizationError(
            f"config={name} is a function or a class; call it, as {name}(), or give its name"
        )
    raise QuantizationError(
        f"config of type {type(config).__name__} found; a QuantConfig, the name of a recipe "
        f"({', '.join(PRESETS)}), a dict of fields of QuantConfig, or None is wanted"
    )
