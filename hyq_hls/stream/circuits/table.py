"""A memory as any function of one code: a table, or a replacement of arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from hyq_hls.graph.operation import Codes
from hyq_hls.ops.requantize import RequantizeTensor
from hyq_hls.ops.shift_swish import ShiftSwish
from hyq_hls.ops.table import MAX_TABLE_BITS, Table
from hyq_hls.stream.arguments import Memory, Rom, Signed, TemplateArguments
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.folding import Folding


class TableCircuit(ElementwiseCircuit[Table | ShiftSwish | RequantizeTensor]):
    """A memory with an entry for every input code. Every lane has a copy of it.

    The memory lies in logic or in block RAM, whichever is cheaper.
    """

    #: The only stage is the read register of the memory.
    stages = 1

    @property
    def module(self) -> str:
        return "table"

    @property
    def possible(self) -> bool:
        """Whether one memory of at most ``2**MAX_TABLE_BITS`` entries answers all channels."""
        if isinstance(self.operation, Table):
            return True
        q = self.inputs[0].quantization
        one = len(set(q.zero_point)) == self.operation.requantize.channels == 1
        return one and q.bits <= MAX_TABLE_BITS

    @property
    def values(self) -> Codes:
        """Output codes of all input codes, in ascending order of the input."""
        codes = self.inputs[0].quantization.codes()
        return self.operation.reference(codes[:, np.newaxis])[:, 0]

    #: See :class:`~hyq_hls.stream.arguments.Memory`; None leaves the place to the template.
    luts_per_block: ClassVar[int | None] = None

    def memories(self, folding: Folding) -> list[Memory]:
        (values,) = super().memories(folding)
        return [replace(values, luts_per_block=self.luts_per_block)] * folding.outputs

    def arguments(self, folding: Folding) -> TemplateArguments:
        q = self.output.quantization
        given = self.luts_per_block
        placement = {} if given is None else {"luts_per_block": given}
        return TemplateArguments(
            constants={
                **self.sizes(folding),
                "code_first": Signed(self.inputs[0].quantization.qmin),
                **placement,
            },
            roms=(Rom("values", self.values, q.bits, q.signed, lookups=folding.outputs),),
        )


class BlockTableCircuit(TableCircuit):
    """A table that lies in block RAM, whatever its size."""

    luts_per_block = 0

    @property
    def name(self) -> str:
        return "block_table"
