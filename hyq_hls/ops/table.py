"""Any function of one code, as a list with an entry for every input code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.ops.checks import freeze

#: A table of more entries costs more memory than arithmetic costs logic.
MAX_TABLE_BITS = 12


@dataclass(frozen=True, eq=False)
class Table(Operation):
    """``y = values[x - first]``, element by element.

    Attributes:
        values: int64 (2**bits,), output codes of the input codes in ascending order.
        quantization: quantization of the output.
        first: the smallest input code, which ``values[0]`` answers: 0 for unsigned codes,
            ``-2**(bits - 1)`` for signed ones.

    Raises:
        GraphError: the number of values is no power of two, or a value is no output code.
    """

    name: ClassVar[str] = "table"

    values: Codes
    quantization: Quantization
    first: int = 0

    def __post_init__(self) -> None:
        freeze(self, "values", 1)
        size = self.values.size
        if size < 1 or size & (size - 1):
            raise GraphError(f"table: 2**bits values are wanted, one per input code, found {size}")
        q = self.quantization
        if self.values.min() < q.qmin or self.values.max() > q.qmax:
            raise GraphError(
                f"table: values in [{self.values.min()}, {self.values.max()}] leave the output "
                f"range [{q.qmin}, {q.qmax}]; saturate them"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of the input.

        Raises:
            GraphError: an input code has no value.
        """
        (x,) = inputs
        q = x.quantization
        if (q.qmin, q.qmax) != (self.first, self.first + self.values.size - 1):
            raise GraphError(
                f"the table answers codes [{self.first}, {self.first + self.values.size - 1}], the "
                f"input has [{q.qmin}, {q.qmax}]; make one value for every input code"
            )
        return TensorType(x.shape, self.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        return self.values[x - self.first]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return Bounds(int(self.values.min()), int(self.values.max()))
