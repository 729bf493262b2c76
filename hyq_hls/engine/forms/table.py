"""Functions of one code: a sum with weight one, whose codes go through a table."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, table_of
from hyq_hls.engine.forms.sums import Sums, planes_of
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import ShiftSwish, Table


def table(operation: Table | ShiftSwish, x: TensorType) -> tuple[Sums, ...]:
    """Return the lookup of a function, which the compiler moves behind a sum if it can."""
    zeros, channels = np.zeros(x.channels, np.int64), x.channels
    stage = OutputStage(zeros, zeros + 1, zeros, zeros, x.quantization.bits, table_of(operation, x))
    return (
        Sums(
            weight=np.ones((1, 1, 1, 1, channels), np.int64),
            depthwise=True,
            planes=planes_of(x.quantization),
            stage=stage,
        ),
    )
