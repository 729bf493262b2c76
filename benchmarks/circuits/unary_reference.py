"""Integer references of the unary circuits, and their errors against the true SiLU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Quantization
from hyq_hls.graph.requantize import Requantize

Codes = NDArray[np.int64]

#: x in [-8.31, 7.63] and SiLU(x) in [-0.28, 7.62]: no output code saturates, few are unused.
INPUT = Quantization(8, False, scale=(2.0**-4,), zero_point=(133,))
OUTPUT = Quantization(8, False, scale=(2.0**-5,), zero_point=(9,))
FRACTION = 4  # of INPUT
CODES = INPUT.codes()


def silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute ``x * sigmoid(x)``."""
    return x / (1.0 + np.exp(-x))


def errors(codes: Codes) -> tuple[float, float]:
    """Return the worst and mean error of an output code for each of the 256 input codes.

    The unit is the step of an output code (2**-5): a perfect table is 0.5 off at worst.
    """
    found, wanted = OUTPUT.dequantize(codes), silu(INPUT.dequantize(CODES))
    distance = np.abs(found - wanted) / OUTPUT.scale[0]
    return float(distance.max()), float(distance.mean())


def true_table() -> Codes:
    """Return the output code (256,) nearest to SiLU, for every input code."""
    return OUTPUT.quantize(silu(INPUT.dequantize(CODES)))


def hard_sigmoid(x: Codes, fraction: int, precision: int) -> Codes:
    """Compute ``relu6(x + 3) / 6`` with 1/6 ~ 171/1024, rounded down.

    Args:
        x: integers in units of ``2**-fraction``.
        fraction: fraction bits of ``x``.
        precision: fraction bits of the result.
    """
    ramp = np.clip(x + (3 << fraction), 0, 6 << fraction)
    return (171 * ramp) >> (fraction + 10 - precision)


def piecewise_sigmoid(x: Codes, fraction: int, precision: int) -> Codes:
    """Compute the sigmoid by four lines of slopes 1/4, 1/8, 1/32, 0 (PLAN, Amin et al. 1997).

    The lines meet at 1, 2.375 and 5. :func:`hard_sigmoid` explains the arguments, of which
    ``precision`` is at least ``fraction + 5``.
    """
    size = np.abs(x)
    one, point = 1 << precision, precision - fraction
    line = np.select(
        [8 * size < 8 << fraction, 8 * size < 19 << fraction, 8 * size < 40 << fraction],
        [
            one // 2 + (size << (point - 2)),
            5 * one // 8 + (size << (point - 3)),
            27 * one // 32 + (size << (point - 5)),
        ],
        one,
    )
    return np.where(x < 0, one - line, line)


def sigmoid_entries(x: NDArray[np.floating], precision: int) -> Codes:
    """Round a sigmoid to ``precision`` fraction bits as hls4ml's tables do (nnet_activation.h).

    It is computed in float, and rounded down as ap_fixed does by default.
    """
    single = np.asarray(x, dtype=np.float32)
    sigmoid = np.asarray(1.0 / (np.float32(1) + np.exp(-single)), dtype=np.float32)
    entries: Codes = np.floor(np.float64(2.0**precision) * sigmoid).astype(np.int64)
    return entries


def range_entries(entries: int, precision: int) -> Codes:
    """Return hls4ml's table (entries,): the sigmoid of ``16 * (i - entries/2) / entries``."""
    return sigmoid_entries(16.0 * (np.arange(entries) - entries / 2) / entries, precision)


def range_table(x: Codes, fraction: int, precision: int, entries: int = 1024) -> Codes:
    """Read the sigmoid from :func:`range_entries`; :func:`hard_sigmoid` has the arguments."""
    index = (x << (int(log2(entries)) - 4 - fraction)) + entries // 2
    found: Codes = range_entries(entries, precision)[np.clip(index, 0, entries - 1)]
    return found


def code_table(x: Codes, fraction: int, precision: int) -> Codes:
    """Read the sigmoid from a table with an entry for every ``x``; see :func:`hard_sigmoid`."""
    return sigmoid_entries(x * 2.0**-fraction, precision)


@dataclass(frozen=True)
class GatedProduct:
    """``code = requantize(x * gate(x))`` with ``x = code - zero_point``.

    Attributes:
        gate: name in the module unary_gated_product.
        function: its integers, ``function(x, fraction, precision)``.
        precision: its fraction bits.
        stages: registers of its circuit.
    """

    gate: str
    function: Callable[[Codes, int, int], Codes]
    precision: int
    stages: int

    @property
    def shift(self) -> int:
        """Shift from an accumulator with FRACTION + precision fraction bits to the output."""
        return FRACTION + self.precision + int(log2(OUTPUT.scale[0]))

    @property
    def centred(self) -> Codes:
        """Every input code minus the zero point."""
        return CODES - INPUT.zero_point[0]

    @property
    def accumulators(self) -> Codes:
        """``x * gate(x)`` for every input code."""
        return self.centred * self.function(self.centred, FRACTION, self.precision)

    @property
    def codes(self) -> Codes:
        """Output code for every input code."""
        return Requantize(OUTPUT, np.array([self.shift]), np.array([1]))(self.accumulators)


GATED = {
    "hard_swish": GatedProduct("hard", hard_sigmoid, 8, 3),
    "piecewise": GatedProduct("piecewise", piecewise_sigmoid, 9, 4),
    # ap_fixed<18, 8>, hls4ml's default, has 10 fraction bits.
    "sigmoid_table_1024": GatedProduct("range_table", range_table, 10, 2),
    "sigmoid_table_256": GatedProduct("table", code_table, 10, 0),
}
