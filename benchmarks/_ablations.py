"""Exchange or leave out one part of ``best`` to see what each part brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hyq_hls import QuantConfig
from hyq_hls.quant.methods import QHyViT, Reconstruction
from hyq_hls.quant.presets import best


def _with(**changes: Any) -> Callable[[int, int], QuantConfig]:
    return lambda weights, activations: replace(best(weights, activations), **changes)


def _without(method: type) -> Callable[[int, int], QuantConfig]:
    def configuration(weights: int, activations: int) -> QuantConfig:
        config = best(weights, activations)
        return replace(config, methods=tuple(m for m in config.methods if type(m) is not method))

    return configuration


#: Configurations by name, made from widths of weights and activations.
ABLATIONS: dict[str, Callable[[int, int], QuantConfig]] = {
    "best-dyadic": _with(scale="dyadic"),
    "best-power-of-two": _with(scale="power_of_two"),
    "best-per-tensor": _with(activation_granularity="tensor"),
    "best-preactivations-8": _with(preactivation_bits=8),
    "best-without-search": _without(QHyViT),
    "best-without-learning": _without(Reconstruction),
}
#: Words about each for the reader.
EXCHANGED = {
    "best-dyadic": "any real scale; multipliers in requantization",
    "best-power-of-two": "scales are powers of two",
    "best-per-tensor": "no factors per channel",
    "best-preactivations-8": "8 bits for what only SiLU reads (it has 10 at W8A8 only)",
    "best-without-search": "no search of steps and schemes",
    "best-without-learning": "no learned rounding",
}
