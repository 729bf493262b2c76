"""Sizes of an engine: what a program may use, and what the hardware is built with."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.engine.forms.softmax import MAX_LENGTH as _MAX_LENGTH
from hyq_hls.engine.forms.sums import OUTPUTS as _OUTPUTS
from hyq_hls.errors import ConversionError

OUTPUTS, INPUTS = _OUTPUTS, 3
LANES = OUTPUTS * INPUTS
WORD = 4
TABLE_ENTRIES = 1024
SOFTMAX_ENTRIES = 256
#: Addresses of an instruction have 16 bits.
MAX_WORDS = 1 << 16
MAX_GROUPS = 1 << 8
MAX_LENGTH = _MAX_LENGTH
#: Fewer channels would leave a lane of the norm unit without records.
_MIN_CHANNELS = 8


@dataclass(frozen=True)
class Sizes:
    """The parameters of a machine (section 1 of ``docs/engine.md``).

    Attributes:
        pixels: P, pixels of the array and banks of the feature memory: 2, 4 or 8.
        feature_words: words of four codes in each bank.
        weight_words: words of 48 weights.
        parameter_groups: groups of 16 channel records.
        softmax_length: longest row of the softmax unit.
        softmax_lanes: codes that the softmax unit writes in a cycle: 1, 2 or 4. No program depends
            on it.
        norm_channels: most channels of the norm unit; a power of two, 8 or more.
        norm_lanes: codes that the norm unit reads or writes in a cycle: 1, 2 or 4. No program
            depends on it.
        multiplier: whether the output stage multiplies.

    Raises:
        ConversionError: a size that no instruction can address, or that no unit can be built for.
    """

    pixels: int = 2
    feature_words: int = 0
    weight_words: int = 2048
    parameter_groups: int = 64
    softmax_length: int = 1024
    softmax_lanes: int = 4
    norm_channels: int = 512
    norm_lanes: int = 2
    multiplier: bool = True

    def __post_init__(self) -> None:
        if self.pixels not in (2, 4, 8):
            raise ConversionError(f"engine: {self.pixels} pixels; 2, 4 or 8 are wanted")
        for unit, lanes in (("softmax", self.softmax_lanes), ("norm", self.norm_lanes)):
            if lanes not in (1, 2, 4):
                raise ConversionError(f"engine: {lanes} {unit} lanes; 1, 2 or 4 are wanted")
        if not self.feature_words:
            object.__setattr__(self, "feature_words", MAX_WORDS // self.pixels)
        for name, most in (
            ("feature_words", MAX_WORDS),
            ("weight_words", MAX_WORDS),
            ("parameter_groups", MAX_GROUPS),
            ("softmax_length", MAX_LENGTH),
        ):
            if not 1 <= getattr(self, name) <= most:
                raise ConversionError(
                    f"engine: {name} of {getattr(self, name)}; 1 to {most} are possible"
                )
        if self.norm_channels < _MIN_CHANNELS or self.norm_channels.bit_count() != 1:
            raise ConversionError(
                f"engine: norm_channels of {self.norm_channels}; a power of two from "
                f"{_MIN_CHANNELS} on is wanted"
            )
