"""Shift-Swish by arithmetic: two exponentials that are made of shifts, a divider, a product."""

from __future__ import annotations

import numpy as np

from hyq_hls.graph import Bounds
from hyq_hls.ops.checks import centred
from hyq_hls.ops.shift_swish import ShiftSwish, exponent
from hyq_hls.stream.arguments import Signed, TemplateArguments
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding


class ShiftSwishCircuit(ElementwiseCircuit[ShiftSwish]):
    """A sigmoid by a divider that gives one bit per stage, and one product per lane."""

    @property
    def name(self) -> str:
        return "arithmetic"

    @property
    def stages(self) -> int:
        """Count the registers in front of the result.

        There is one for the subtraction of the zero point, four before the divider, then those of
        the divider, the product and the requantization.
        """
        return 1 + 4 + (self.operation.precision + 1) + 1 + REQUANTIZE_STAGES

    def products(self, folding: Folding) -> int:
        """Return one product per lane, ``I * sigmoid``."""
        return folding.outputs

    def arguments(self, folding: Folding) -> TemplateArguments:
        swish = self.operation
        bounds = centred(self.inputs[0])
        largest = max(-bounds.low, bounds.high)
        power = int(exponent(np.int64(-largest)))
        return requantized_arguments(
            {
                **self.sizes(folding),
                "fraction": swish.fraction,
                "precision": swish.precision,
                "code_zero": Signed(swish.zero_point),
            },
            {
                "centred_t": (Bounds(-largest, largest).bits, True),
                # The type also holds 2 << fraction, and can be shifted by ``fraction``.
                "exponent_t": (max(Bounds(0, power).bits, swish.fraction + 3), True),
                "exponential_t": (swish.exponential_bits, False),
                "numerator_t": (swish.numerator_bits, False),
                "sigmoid_t": (swish.precision + 1, False),
            },
            (),
            self.accumulator,
            swish.requantize,
            folding.outputs,
        )
