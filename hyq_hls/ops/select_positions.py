"""A part of the positions of a tensor, such as the class token or every second pixel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType


@dataclass(frozen=True, eq=False)
class SelectPositions(Operation):
    """``y = x[rows][:, columns]``: positions in their order, without arithmetic.

    Rows and columns are the first two of the three axes: those of a map, or pixels of a patch and
    tokens.

    Attributes:
        rows: rows that stay, in ascending order.
        columns: columns that stay, in ascending order.

    Raises:
        GraphError: none that stays, or not in ascending order.
    """

    name: ClassVar[str] = "select_positions"

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def __post_init__(self) -> None:
        for field in ("rows", "columns"):
            values = getattr(self, field)
            ascending = bool(values) and all(isinstance(v, int) for v in values) and values[0] >= 0
            if not ascending or any(a >= b for a, b in pairwise(values)):
                raise GraphError(
                    f"select_positions {field}: integers from 0 on in ascending order are wanted, "
                    f"found {values!r:.60}"
                )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the type of the input with fewer positions.

        Raises:
            GraphError: the input has other axes, or ends before the last row or column.
        """
        (x,) = inputs
        if len(x.shape) != 3 or self.rows[-1] >= x.shape[0] or self.columns[-1] >= x.shape[1]:
            raise GraphError(
                f"an input with more than {self.rows[-1]} rows and {self.columns[-1]} columns of "
                f"channels is wanted, found {x.shape}"
            )
        return TensorType((len(self.rows), len(self.columns), x.channels), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        return x[:, np.array(self.rows)[:, None], np.array(self.columns)]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)
