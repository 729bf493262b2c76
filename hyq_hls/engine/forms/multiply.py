"""Products of two tensors: codes of the second become weights, as keys of attention do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.engine.forms.attended import check_byte
from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Multiply


@dataclass(frozen=True, eq=False)
class Products:
    """``out = stage((a - zero_a) * (b - zero_b))``, element by element.

    Attributes:
        zeros: stored zero points (C,) of both inputs.
        run: neighbouring positions of the first input that meet the same of the second.
        single: whether the second input has one channel, which holds for all.
        stage: what follows a product.
    """

    zeros: tuple[Codes, Codes]
    run: int
    single: bool
    stage: OutputStage

    def execute(self, first: Codes, second: Codes) -> Codes:
        """Return the stored output codes (B, positions, C) of the stored inputs."""
        a, b = (x.reshape(len(x), -1, x.shape[-1]) for x in (first, second))
        factors = b.repeat(self.run, axis=1) - self.zeros[1]
        return self.stage((a - self.zeros[0]) * factors)


def multiply(operation: Multiply, *inputs: TensorType) -> Products:
    """Return the products of two inputs.

    Raises:
        ConversionError: codes of more than a byte, or runs that are neither rows nor parts of them.
    """
    a, b = inputs
    check_byte(a, "factors")
    check_byte(b, "factors")
    run, pixels = a.words // b.words, a.shape[-2] if len(a.shape) > 1 else 1
    if run % pixels and pixels % run:
        raise ConversionError(
            f"a factor for {run} positions each of {a.shape}; the engine multiplies whole rows, or "
            "equal parts of a row; choose the streaming architecture"
        )
    zeros = [
        stored_zero(zero, x.quantization, a.channels)
        for x, zero in zip(inputs, operation.zero_points, strict=True)
    ]
    stage = OutputStage.of(operation.requantize, np.zeros(a.channels, np.int64))
    return Products((zeros[0], zeros[1]), run, b.channels < a.channels, stage)
