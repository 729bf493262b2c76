"""Context vector of separable attention. Sums over tokens lie in a memory, as for a pooling."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.ops.checks import width_of
from hyq_hls.ops.separable_context import SeparableContext
from hyq_hls.stream.arguments import Memory, Rom, Signed, TemplateArguments, channel_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding, equal_lanes


class SeparableContextCircuit(Circuit[SeparableContext]):
    """Exponentials times keys, their sums, and a pipelined division for every lane."""

    ports = ("score", "key")

    @property
    def foldings(self) -> list[Folding]:
        return equal_lanes(self.inputs[1].channels)

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        return 1, folding.inputs

    @property
    def stages(self) -> int:
        """Number of stages.

        They are: table, product (4), sum, dividend, division, offset, requantization.
        """
        return 1 + 4 + 1 + 1 + self._quotient_bits + 1 + REQUANTIZE_STAGES

    @property
    def frames_inside(self) -> Fraction:
        keys = self.inputs[1]
        return Fraction(1, keys.shape[0]) + Fraction(self.stages, keys.words)

    def memories(self, folding: Folding) -> list[Memory]:
        keys = self.inputs[1]
        word = folding.inputs * self.operation.weighted(keys).high.bit_length()
        sums = Memory(word, keys.channels // folding.inputs)
        return [sums, *super().memories(folding)]

    def products(self, folding: Folding) -> int:
        return folding.inputs

    def dsps(self, folding: Folding) -> int:
        key_bits = self.inputs[1].quantization.bits
        return folding.inputs * product_dsps(self.operation.exponential_bits + 1, key_bits + 1)

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        _, tokens, channels = self.inputs[1].shape
        waiting = (tokens - 1) * channels // folding.inputs
        return (one_loop(self.cycles(folding), self.stages, waiting),)

    def arrays(self, folding: Folding) -> list[Memory]:
        return self.memories(folding)[:1]

    def cycles(self, folding: Folding) -> int:
        return self.inputs[1].size // folding.inputs

    def latency(self, folding: Folding) -> int:
        return self.cycles(folding) - 1 + self.stages

    @property
    def _quotient_bits(self) -> int:
        """Number of bits of a weighted mean, unsigned: a key, and its fraction."""
        return self.inputs[1].quantization.bits + self.operation.mean_bits

    def arguments(self, folding: Folding) -> TemplateArguments:
        (_, keys), context, lanes = self.inputs, self.operation, folding.inputs
        pixels, tokens, channels = keys.shape
        offset = context.offset(keys)
        return requantized_arguments(
            {
                "pixels": pixels,
                "tokens": tokens,
                "channels": channels,
                "in_lanes": lanes,
                "out_lanes": folding.outputs,
                "mean_fraction": context.mean_bits,
                "score_first": Signed(self.inputs[0].quantization.qmin),
                "key_first": Signed(keys.quantization.qmin),
            },
            {
                "weight_t": (context.exponential_bits, False),
                "weighted_t": (context.weighted(keys).high.bit_length(), False),
                "total_t": (context.total(keys).high.bit_length(), False),
                "dividend_t": (context.dividend(keys).high.bit_length(), False),
                "quotient_t": (self._quotient_bits, False),
            },
            (
                Rom("exponential", context.table, context.exponential_bits, signed=False),
                channel_rom("offset", offset, width_of(offset), lanes),
            ),
            context.result(keys),
            context.requantize,
            lanes,
        )
