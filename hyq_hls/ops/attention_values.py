"""Attention values: sums of values, weighted by the probabilities of a softmax."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Memory, Signed, zero_point_rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize, requantized_kernel
from hyq_hls.graph.types import Encoding, Quantization, TensorType
from hyq_hls.ops.attention_scores import check_tokens, sum_of_products
from hyq_hls.ops.checks import centred, check_zero_points, plain_integers
from hyq_hls.ops.matrix import matrix_lanes, tree_stages


@dataclass(frozen=True, eq=False)
class AttentionValues(Operation):
    """``y[p, i, c] = requantize(sum_j w[p, i, h, j] * (v[p, j, c] - z_v))``, c in head h.

    Takes probabilities (P, N, heads, N) and values (P, N, C); gives (P, N, C). The weight ``w`` of
    a probability code, with ``top = 2**bits - 1``, is

    - ``log2``: ``1 << (top - 1 - code)``, and 0 for ``code = top``; a shift, not a multiplication.
      The accumulator has ``top - 1`` fraction bits.
    - ``affine``: the code itself; the accumulator has the fraction bits of the probabilities.

    Args:
        heads: number of heads; head h owns channels ``h * C/heads`` up to the next head's.
        zero_point: of the values, (1,) or (C,).
        encoding: of the probabilities.
        bits: width of a probability.
        requantize: accumulator to output code, one entry or one per channel.

    Raises:
        GraphError: heads, encoding, bits or the requantization do not fit.
    """

    name: ClassVar[str] = "attention_values"
    arity: ClassVar[int | None] = 2
    ports: ClassVar[tuple[str, ...]] = ("probability", "value")

    heads: int
    zero_point: tuple[int, ...]
    encoding: Encoding
    bits: int
    requantize: Requantize

    def __post_init__(self) -> None:
        plain_integers(self, "heads", "bits")
        if self.heads < 1:
            raise GraphError(f"attention needs one head or more, found {self.heads}")
        _ = self.probability  # checks encoding and bits

    @property
    def probability(self) -> Quantization:
        """Quantization of the probabilities, but for the scale."""
        return Quantization(self.bits, False, encoding=self.encoding)

    @property
    def _weights(self) -> Bounds:
        top = self.probability.qmax
        return Bounds(0, 1 << (top - 1) if self.encoding == "log2" else top)

    def output_type(self, *inputs: TensorType) -> TensorType:
        probability, value = inputs
        check_tokens(value, self.heads, "values")
        check_zero_points(self.zero_point, value, "values")
        pixels, tokens, channels = value.shape
        wanted = (pixels, tokens, self.heads, tokens)
        if probability.shape != wanted:
            raise GraphError(
                f"probabilities {wanted} (pixel, query, head, key) are wanted for values "
                f"{value.shape}, found {probability.shape}"
            )
        self._check_probability(probability.quantization)
        self.requantize.check(self.accumulator(*inputs), channels)
        return TensorType(value.shape, self.requantize.quantization)

    def _check_probability(self, found: Quantization) -> None:
        if (found.bits, found.signed, found.encoding) != (self.bits, False, self.encoding):
            sign = "signed" if found.signed else "unsigned"
            raise GraphError(
                f"probabilities are {sign} {found.encoding} codes of {found.bits} bits, the "
                f"operation was built for unsigned {self.encoding} codes of {self.bits} bits"
            )
        if set(found.zero_point) != {0} or len(set(found.scale)) > 1:
            raise GraphError(
                f"probabilities need zero point 0 and one scale, found zero points "
                f"{found.zero_point} and scales {found.scale}"
            )

    def reference(self, *codes: Codes) -> Codes:
        probability, value = codes
        if self.encoding == "log2":
            shift = self.probability.qmax - 1 - probability
            probability = np.where(shift < 0, 0, np.int64(1) << np.maximum(shift, 0))
        centred_value = value - np.asarray(self.zero_point)
        split = centred_value.reshape(
            *value.shape[:-1], self.heads, -1
        )  # (B, P, N, heads, C/heads)
        acc = np.einsum("bpihj,bpjhc->bpihc", probability, split, optimize=True)
        return self.requantize(acc.reshape(value.shape))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        _, value = inputs
        return sum_of_products(value.shape[1], self._weights, centred(value))

    def macs(self, *inputs: TensorType) -> int:
        return inputs[0].size * inputs[1].channels // self.heads

    def foldings(self, *inputs: TensorType) -> list[Folding]:
        """Output lanes divide the channels of a head, input lanes the keys."""
        _, tokens, channels = inputs[1].shape
        return matrix_lanes(channels // self.heads, tokens)

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        return folding.inputs, folding.outputs

    def frames_inside(self, *inputs: TensorType) -> Fraction:
        values = Fraction(2, inputs[1].shape[0])  # of two pixels
        return values + super().frames_inside(*inputs)

    def products(self, folding: Folding, *inputs: TensorType) -> int:
        return 0 if self.encoding == "log2" else folding.outputs * folding.inputs

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        probability, value = inputs
        _, tokens, channels = value.shape
        words = tokens // folding.inputs * channels // folding.outputs
        values = Memory(folding.outputs * centred(value).bits, 2 * words)
        memories = [values] * folding.inputs + super().memories(folding, *inputs)
        if folding.outputs < channels // self.heads:  # probabilities meet one group after the other
            word = folding.inputs * probability.quantization.bits
            memories.append(Memory(word, tokens // folding.inputs))
        return memories

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        """Values never take longer than the products that they are loaded behind."""
        return self.macs(*inputs) // (folding.outputs * folding.inputs)

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        _, tokens, channels = inputs[1].shape
        first_values = tokens * channels // folding.outputs
        # Zero point, memory, product, adder tree, accumulator, requantization in three stages.
        pipeline = 1 + 1 + 1 + tree_stages(folding.inputs) + 1 + 3
        return first_values + self.cycles(folding, *inputs) - 1 + pipeline

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        _, value = inputs
        pixels, tokens, channels = value.shape
        return requantized_kernel(
            {
                "pixels": pixels,
                "tokens": tokens,
                "channels": channels,
                "heads": self.heads,
                "depth": channels // self.heads,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "is_log2": int(self.encoding == "log2"),
                "code_top": Signed(self.probability.qmax),
            },
            {
                "probability_operand_t": (self.bits, False),
                "value_operand_t": (centred(value).bits, True),
            },
            (zero_point_rom(self.zero_point, folding.outputs),),
            self.accumulator(*inputs),
            self.requantize,
            folding.outputs,
        )
