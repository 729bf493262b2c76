"""Any function of one code, as a memory with an entry for every input code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Memory, Rom, Signed
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.ops.checks import freeze

#: Stages of the circuit: the memory's read register.
TABLE_STAGES = 1
#: A table of more entries costs more memory than arithmetic costs logic.
MAX_TABLE_BITS = 12
TABLE_CIRCUITS = ("table", "block_table")


def table_kernel(
    values: Codes, x: TensorType, output: Quantization, lanes: int, circuit: str
) -> Kernel:
    """Kernel of a table: ``values`` (2**bits,) for the codes of ``x`` in ascending order.

    Every lane has a copy of the memory. It lies where it is cheaper, or, in circuit
    ``"block_table"``, in block RAM.
    """
    forced = {"luts_per_block": 0} if circuit == "block_table" else {}
    return Kernel(
        constants={
            "words": x.words,
            "channels": x.channels,
            "in_lanes": lanes,
            "out_lanes": lanes,
            "code_first": Signed(x.quantization.qmin),
            **forced,
        },
        roms=(Rom("values", values, output.bits, output.signed),),
    )


@dataclass(frozen=True, eq=False)
class Table(Operation):
    """``y = values[x - first]``, element by element.

    Args:
        values: int64 (2**bits,), output codes of the input codes in ascending order.
        quantization: of the output.
        first: the smallest input code, which ``values[0]`` answers: 0 for unsigned codes,
            ``-2**(bits - 1)`` for signed ones.
        circuit: ``"table"``, a memory in logic or block RAM, whichever is cheaper, or
            ``"block_table"``, in block RAM.

    Raises:
        GraphError: the number of values is no power of two, a value is no output code, or the
            circuit is unknown.
    """

    name: ClassVar[str] = "table"

    values: Codes
    quantization: Quantization
    first: int = 0
    circuit: str = "table"

    def __post_init__(self) -> None:
        freeze(self, "values", 1)
        size = self.values.size
        if size < 1 or size & (size - 1):
            raise GraphError(f"table: 2**bits values are wanted, one per input code, found {size}")
        if self.circuit not in TABLE_CIRCUITS:
            raise GraphError(
                f"table: unknown circuit {self.circuit!r}; one of {TABLE_CIRCUITS} is wanted"
            )
        q = self.quantization
        if self.values.min() < q.qmin or self.values.max() > q.qmax:
            raise GraphError(
                f"table: values in [{self.values.min()}, {self.values.max()}] leave the output "
                f"range [{q.qmin}, {q.qmax}]; saturate them"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Shape of the input. Raises ``GraphError`` unless every input code has its value."""
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

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        lanes = folding.outputs
        return table_kernel(self.values, inputs[0], self.quantization, lanes, self.circuit)

    def circuits(self, *inputs: TensorType) -> dict[str, Operation]:
        return {name: replace(self, circuit=name) for name in TABLE_CIRCUITS}

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        (values,) = super().memories(folding, *inputs)
        return [values] * folding.outputs

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        return inputs[0].size // folding.outputs

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        return self.cycles(folding, *inputs) - 1 + TABLE_STAGES
