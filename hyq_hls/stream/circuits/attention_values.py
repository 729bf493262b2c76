"""Attention values. Probabilities pass by the values of their pixel."""

from __future__ import annotations

from hyq_hls.ops.attention_values import AttentionValues
from hyq_hls.ops.checks import centred
from hyq_hls.stream.arguments import Memory, Signed, TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.attention import AttentionCircuit
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding


class AttentionValuesCircuit(AttentionCircuit[AttentionValues]):
    """A product of ``inputs`` probabilities with ``outputs`` channels of their values per cycle."""

    ports = ("probability", "value")

    @property
    def variant(self) -> str:
        return "log2" if self._is_log2 else "uniform"

    @property
    def _is_log2(self) -> bool:
        return self.operation.encoding == "log2"

    @property
    def matrix(self) -> tuple[int, int]:
        """Channels of a head, and keys."""
        _, keys, channels = self.inputs[1].shape
        return channels // self.operation.heads, keys

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        return folding.inputs, folding.outputs

    @property
    def _operand(self) -> tuple[int, bool]:
        """Width and sign of a code less its zero point; a softmax needs no sign."""
        operation = self.operation
        if operation.signed or operation.probability_zero_point:
            return operation.weights.bits, True
        return operation.bits, False

    def products(self, folding: Folding) -> int:
        return 0 if self._is_log2 else folding.outputs * folding.inputs

    def memories(self, folding: Folding) -> list[Memory]:
        _, value = self.inputs
        _, tokens, channels = value.shape
        words = tokens // folding.inputs * channels // folding.outputs
        values = Memory(folding.outputs * centred(value).bits, 2 * words)
        memories = [values] * folding.inputs + super().memories(folding)
        # Probabilities meet one group of channels after the other.
        if folding.outputs < channels // self.operation.heads:
            memories.append(Memory(folding.inputs * self._operand[0], tokens // folding.inputs))
        return memories

    def matrix_banks(self, folding: Folding) -> tuple[int, int]:
        return folding.inputs, folding.outputs

    def reused_operand(self, folding: Folding) -> Memory:
        word = folding.inputs * self._operand[0]
        return Memory(word, self.inputs[1].shape[1] // folding.inputs)

    def latency(self, folding: Folding) -> int:
        _, tokens, channels = self.inputs[1].shape
        first_values = tokens * channels // folding.outputs
        # A stage before the memory subtracts the zero point. A stage behind it holds the operands.
        return first_values + self.cycles(folding) - 1 + 2 + self.product_stages(folding)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (_, value), operation = self.inputs, self.operation
        pixels, keys, channels = value.shape
        return requantized_arguments(
            {
                "pixels": pixels,
                "queries": self.queries,
                "keys": keys,
                "channels": channels,
                "heads": operation.heads,
                "depth": channels // operation.heads,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "is_log2": int(self._is_log2),
                "code_top": Signed(operation.probability.qmax),
                "code_probability_zero": Signed(operation.probability_zero_point),
            },
            {
                "probability_operand_t": self._operand,
                "value_operand_t": (centred(value).bits, True),
            },
            (zero_point_rom(operation.zero_point, folding.outputs),),
            self.accumulator,
            operation.requantize,
            folding.outputs,
        )
