"""The end of most circuits: a requantization of the accumulator, with its constant memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hyq_hls.graph import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.stream.arguments import RequantizeRom, Rom, Signed, TemplateArguments

#: Number of register stages of ``hyq_requantize``.
REQUANTIZE_STAGES = 3


def requantize_rom(requantize: Requantize, lanes: int, name: str = "requantize") -> RequantizeRom:
    """Return the entries of a requantization as a constant memory.

    A word holds ``lanes`` channels.
    """
    zero_point = np.asarray(requantize.quantization.zero_point, dtype=np.int64)
    shift, multiplier = requantize.shift, requantize.multiplier
    words = lanes if max(shift.size, multiplier.size, zero_point.size) > 1 else 1
    factors = None if requantize.is_shift else multiplier
    return RequantizeRom(name, factors, shift, zero_point, words)


def requantize_product(rom: RequantizeRom, acc: Bounds) -> tuple[tuple[int, int], ...]:
    """Return the widths of the factors of a product with an accumulator; none for a shift."""
    (_, _, (_, bits, _)) = rom.columns
    return ((acc.bits, bits + 1),) if bits else ()


def requantized_arguments(
    constants: Mapping[str, int],
    integers: Mapping[str, tuple[int, bool]],
    roms: Sequence[Rom],
    acc: Bounds,
    requantize: Requantize,
    lanes: int,
    constant_products: tuple[tuple[int, int], ...] = (),
) -> TemplateArguments:
    """Return the arguments of a circuit that ends in a requantization.

    The requantization adds its types, range, memory and product. It takes ``lanes`` channels at
    once.
    """
    q = requantize.quantization
    rom = requantize_rom(requantize, lanes)
    return TemplateArguments(
        constants={**constants, "code_min": Signed(q.qmin), "code_max": Signed(q.qmax)},
        integers={
            **integers,
            "accumulator_t": (acc.bits, True),
            "scaled_t": (requantize.scaled_bits(acc), True),
        },
        roms=(*roms, rom),
        constant_products=(*constant_products, *requantize_product(rom, acc)),
    )
