"""Linear softmax. An exponential is one adder and one shift."""

from __future__ import annotations

from hyq_hls.ops.linear_softmax import LinearSoftmax
from hyq_hls.stream.arguments import Memory, Signed, TemplateArguments
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.softmax import SoftmaxCircuit, SoftmaxStages, log2_stages
from hyq_hls.stream.folding import Folding


class LinearSoftmaxCircuit(SoftmaxCircuit[LinearSoftmax]):
    """A softmax that keeps exponentials as mantissa and shift, which are fewer bits."""

    def stages(self, folding: Folding) -> SoftmaxStages:
        softmax = self.operation
        log2 = log2_stages(softmax.fraction + 1, self._total_bits)
        return SoftmaxStages(
            maximum=tree_stages(folding.inputs) + 1,
            exponential=2 + 1,
            total=1 + tree_stages(folding.inputs) + 1 + 1,
            probability=log2 if softmax.output == "log2" else 2 + softmax.bits + 1,
        )

    @property
    def _total_bits(self) -> int:
        softmax = self.operation
        largest = softmax.line_offset << softmax.shift_bits
        return (self.inputs[0].channels * largest).bit_length()

    def memories(self, folding: Folding) -> list[Memory]:
        """Return the memories of codes and of exponentials that wait for a result of their row."""
        softmax = self.operation
        exponential = softmax.fraction + 1 + max(1, softmax.shift_bits.bit_length())
        bits = self.inputs[0].quantization.bits
        return [
            Memory(folding.inputs * bits, self.code_depth(folding)),
            Memory(folding.inputs * exponential, self.exponential_depth(folding)),
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
                "fraction": softmax.fraction,
                "line_offset": softmax.line_offset,
                "shift_bits": softmax.shift_bits,
                "exponential_bits": softmax.exponential_bits,
                "total_bits": self._total_bits,
                "bits": softmax.bits,
                "is_log2": int(softmax.output == "log2"),
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
        )
