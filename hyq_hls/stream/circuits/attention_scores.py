"""Attention scores. Queries pass by the keys of their pixel."""

from __future__ import annotations

from hyq_hls.ops.attention_scores import AttentionScores
from hyq_hls.ops.checks import centred
from hyq_hls.stream.arguments import Memory, Signed, TemplateArguments
from hyq_hls.stream.circuits.attention import AttentionCircuit
from hyq_hls.stream.circuits.matrix import matrix_lanes
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding


class AttentionScoresCircuit(AttentionCircuit[AttentionScores]):
    """A product of a query with ``outputs`` keys, ``inputs`` channels of a head per cycle."""

    ports = ("query", "key")

    @property
    def foldings(self) -> list[Folding]:
        """Legal foldings: output lanes divide the keys, input lanes the channels of a head."""
        _, keys, channels = self.inputs[1].shape
        return matrix_lanes(keys, channels // self.operation.heads)

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
        # The operands are registered before they are multiplied.
        return self.busy(folding) - 1 + 1 + self.product_stages(folding)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (query, key), scores = self.inputs, self.operation
        pixels, queries, channels = query.shape
        return requantized_arguments(
            {
                "pixels": pixels,
                "queries": queries,
                "keys": key.shape[1],
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
