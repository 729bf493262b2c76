"""Two operands that are brought to a common scale. Factors are multipliers or shifts."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.ops.aligned_pair import AlignedPair
from hyq_hls.ops.checks import centred
from hyq_hls.stream.arguments import Rom, TemplateArguments, channel_rom, zero_point_rom
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding

AlignedPairT = TypeVar("AlignedPairT", bound=AlignedPair)


class AlignedPairCircuit(ElementwiseCircuit[AlignedPairT]):
    """Two operands, each of which is centred and multiplied, and what combines them."""

    ports = ("a", "b")
    #: The stages are: subtract zero points, factors, combination, requantization.
    stages = 3 + REQUANTIZE_STAGES

    def arguments(self, folding: Folding) -> TemplateArguments:
        pair, lanes = self.operation, folding.outputs
        operands = zip("ab", self.inputs, pair.zero_points, pair.multipliers, strict=True)
        integers: dict[str, tuple[int, bool]] = {}
        roms: list[Rom] = []
        products: list[tuple[int, int]] = []
        for letter, tensor, zero, factor in operands:
            centred_bits = centred(tensor).bits
            integers[f"centred_{letter}_t"] = (centred_bits, True)
            multiplier, exponent = _as_power_of_two(factor)
            if multiplier.max() > 1:
                products.append((centred_bits, int(multiplier.max()).bit_length() + 1))
            roms.append(zero_point_rom(zero, lanes, f"zero_point_{letter}"))
            for name, values in (("multiplier", multiplier), ("exponent", exponent)):
                bits = max(1, int(values.max()).bit_length())
                roms.append(channel_rom(f"{name}_{letter}", values, bits, lanes, signed=False))
        return requantized_arguments(
            self.sizes(folding),
            integers,
            roms,
            self.accumulator,
            pair.requantize,
            lanes,
            tuple(products),
        )


def _as_power_of_two(
    factor: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``(multiplier, exponent)`` with ``factor = multiplier << exponent``.

    One of them is trivial: the multiplier is 1 where all factors are powers of two, else the
    exponent is 0.
    """
    if (factor & (factor - 1)).any():
        return factor, np.zeros(1, np.int64)
    return np.ones(1, np.int64), np.array([int(f).bit_length() - 1 for f in factor])
