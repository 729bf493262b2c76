"""Softmax by a table. Every lane reads its exponential from a copy of the table."""

from __future__ import annotations

from hyq_hls.ops.table_softmax import TableSoftmax
from hyq_hls.stream.arguments import Memory, Rom, Signed, TemplateArguments
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.softmax import (
    SoftmaxCircuit,
    SoftmaxStages,
    log2_rounded_stages,
    log2_stages,
)
from hyq_hls.stream.folding import Folding


class TableSoftmaxCircuit(SoftmaxCircuit[TableSoftmax]):
    """A softmax that keeps exponentials as they are."""

    def stages(self, folding: Folding) -> SoftmaxStages:
        probability = {
            "log2": log2_stages(self.operation.exponential_bits, self._total_bits),
            "log2_rounded": log2_rounded_stages(self._total_bits),
            "uniform": 2 + self.operation.bits + 1,
        }
        return SoftmaxStages(
            maximum=tree_stages(folding.inputs) + 1,
            exponential=2 + 1,
            total=tree_stages(folding.inputs) + 1 + 1,
            probability=probability[self.operation.output],
        )

    @property
    def _total_bits(self) -> int:
        return (self.inputs[0].channels * self.operation.largest).bit_length()

    def memories(self, folding: Folding) -> list[Memory]:
        """Return the memories of waiting codes and exponentials, and the tables."""
        bits = self.inputs[0].quantization.bits
        return [
            Memory(folding.inputs * bits, self.code_depth(folding)),
            Memory(
                folding.inputs * self.operation.exponential_bits, self.exponential_depth(folding)
            ),
            *super().memories(folding) * folding.inputs,
        ]

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), softmax = self.inputs, self.operation
        widest = self.accumulator.bits
        return TemplateArguments(
            constants={
                "words": x.words,
                "channels": x.channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "exponential_bits": softmax.exponential_bits,
                "total_bits": self._total_bits,
                "bits": softmax.bits,
                "is_log2": int(softmax.output != "uniform"),
                "is_rounded": int(softmax.output == "log2_rounded"),
                "code_max": Signed(softmax.quantization.qmax),
                "search_steps": (widest - 2).bit_length(),  # A leading one lies at 0 .. widest - 2.
                "code_depth": self.code_depth(folding),
                "exponential_depth": self.exponential_depth(folding),
            },
            integers={
                "operand_t": (x.quantization.bits, x.quantization.signed),
                "distance_t": (x.quantization.bits, False),
                "exponential_t": (softmax.exponential_bits, False),
                "total_t": (self._total_bits, False),
                "accumulator_t": (widest, True),
            },
            roms=(
                Rom(
                    "exponentials",
                    softmax.table,
                    softmax.exponential_bits,
                    signed=False,
                    lookups=folding.inputs,
                ),
            ),
        )
