"""Recipes: published and own presets at a choice of bit widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.presets import preset
from hyq_hls.quant.qads import Qads

#: HyQ's code learns the factors of xs and s at a tenth of the rate of xxs (``convert_insert.py``).
_SLOWER_QADS = {"mobilevit_xs": 0.01, "mobilevit_s": 0.01}


@dataclass(frozen=True)
class Recipe:
    """A preset at a setting.

    Attributes:
        preset: name of the preset.
        weight_bits: width of the weights.
        activation_bits: width of the activations that are multiplied.
        config: what the quantizer is given.
    """

    preset: str
    weight_bits: int
    activation_bits: int
    config: QuantConfig

    @property
    def setting(self) -> str:
        """Both widths in the usual notation, such as ``W8A8``."""
        return f"W{self.weight_bits}A{self.activation_bits}"

    @property
    def name(self) -> str:
        """Name of the recipe's files, without a suffix."""
        return f"{self.preset}-{self.setting}"


def recipes(
    model: str, presets: Sequence[str], settings: Sequence[tuple[int, int]]
) -> list[Recipe]:
    """Make a recipe of every preset at every setting, as its paper has it for this network.

    Args:
        model: public name of the network; HyQ learns more slowly on some of them.
        presets: names of presets.
        settings: bits of weights and of activations.

    Raises:
        QuantizationError: a preset is unknown, or a width is out of range.
    """
    made = []
    for name in presets:
        for weight_bits, activation_bits in settings:
            config = preset(name, weight_bits, activation_bits)
            if name == "hyq" and model in _SLOWER_QADS:
                rate = _SLOWER_QADS[model]
                methods = tuple(
                    replace(m, learning_rate=rate) if isinstance(m, Qads) else m
                    for m in config.methods
                )
                config = replace(config, methods=methods)
            made.append(Recipe(name, weight_bits, activation_bits, config))
    return made
