"""Average pooling: a line buffer in front of one multiplier per lane."""

from __future__ import annotations

import numpy as np

from hyq_hls.ops.average_pool import AveragePool
from hyq_hls.ops.checks import centred, width_of
from hyq_hls.stream.arguments import Rom, TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.circuits.sliding_window import SlidingWindowCircuit
from hyq_hls.stream.folding import Folding


class AveragePoolCircuit(SlidingWindowCircuit[AveragePool]):
    """Centred codes, each of which is multiplied by the factor of its window, and their sum.

    A memory of rows and one of columns say together which factor belongs to a window.
    """

    def terms(self, folding: Folding) -> int:
        return 1  # One tap of every channel per cycle.

    def stages(self, folding: Folding) -> int:
        return 1 + super().stages(folding)  # Codes are centred before they are multiplied.

    def dsps(self, folding: Folding) -> int:
        return self.products(folding) * product_dsps(centred(self.inputs[0]).bits, self._tap_bits)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), pool = self.inputs, self.operation
        rows, columns = pool.inside(*x.shape[:2])
        high, wide = (1 + np.arange(size) for size in pool.kernel)
        table = pool.factor[np.outer(high, wide) - 1]  # by rows and columns inside
        rows, columns = (rows - 1) * len(wide), columns - 1
        places = {"rows": rows, "columns": columns, "factor": table}
        return requantized_arguments(
            {**self.geometry(folding), "centre": pool.centre},
            {
                "operand_t": (x.quantization.bits, x.quantization.signed),
                "centred_t": (centred(x).bits, True),
                "tap_t": (self._tap_bits, True),
            },
            (
                *(Rom(name, v, _unsigned(v), signed=False) for name, v in places.items()),
                zero_point_rom(pool.pad_value, folding.inputs, "pad"),
            ),
            self.accumulator,
            pool.requantize,
            folding.outputs,
        )

    @property
    def _tap_bits(self) -> int:
        """Width of the factors of taps, also of that in the middle."""
        factor = self.operation.factor
        return width_of(np.concatenate([factor, factor - self.operation.centre]))


def _unsigned(values: np.ndarray) -> int:
    return max(1, int(values.max()).bit_length())
