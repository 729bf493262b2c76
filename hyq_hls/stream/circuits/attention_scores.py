"""Attention scores. Queries pass by the keys of their pixel."""

from __future__ import annotations

from hyq_hls.ops.attention_scores import AttentionScores
from hyq_hls.ops.checks import centred
from hyq_hls.stream.arguments import Memory, Signed, TemplateArguments
from hyq_hls.stream.circuits.attention import AttentionCircuit
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding


class AttentionScoresCircuit(AttentionCircuit[AttentionScores]):
    """A product of a query with ``outputs`` keys, ``inputs`` channels of a head per cycle."""

    ports = ("query", "key")

    @property
    def matrix(self) -> tuple[int, int]:
        """Keys, and channels of a head."""
        _, keys, channels = self.inputs[1].shape
        return keys, channels // self.operation.heads

    def products(self, folding: Folding) -> int:
        return folding.outputs * folding.inputs

    def memories(self, folding: Folding) -> list[Memory]:
        query, key = self.inputs
        _, tokens, channels = key.shape
        words = tokens // folding.outputs * channels // folding.inputs
        keys = Memory(folding.inputs * centred(key).bits, 2 * words)
        memories = [keys] * folding.outputs + super().memories(folding)
        if folding.outputs < tokens:  # A query meets one group of keys after the other.
            depth = channels // self.operation.heads // folding.inputs
            memories.append(Memory(folding.inputs * centred(query).bits, depth))
        return memories

    def matrix_banks(self, folding: Folding) -> tuple[int, int]:
        return folding.outputs, folding.inputs

    def reused_operand(self, folding: Folding) -> Memory:
        query = self.inputs[0]
        depth = query.channels // self.operation.heads // folding.inputs
        return Memory(folding.inputs * centred(query).bits, depth)

    def latency(self, folding: Folding) -> int:
        _, tokens, channels = self.inputs[1].shape
        first_keys = tokens * channels // folding.inputs
        # The operands are registered before they are multiplied.
        return first_keys + self.cycles(folding) - 1 + 1 + self.product_stages(folding)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (query, key), scores = self.inputs, self.operation
        pixels, keys, channels = key.shape
        return requantized_arguments(
            {
                "pixels": pixels,
                "queries": self.queries,
                "keys": keys,
                "channels": channels,
                "heads": scores.heads,
                "depth": channels // scores.heads,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "code_query_zero": Signed(scores.zero_points[0]),
                "code_key_zero": Signed(scores.zero_points[1]),
            },
            {
                "query_operand_t": (centred(query).bits, True),
                "key_operand_t": (centred(key).bits, True),
            },
            (),
            self.accumulator,
            scores.requantize,
            folding.outputs,
        )
