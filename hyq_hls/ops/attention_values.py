"""Attention values: sums of values, weighted by probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Encoding, Quantization, TensorType
from hyq_hls.ops.attention_scores import check_tokens, sum_of_products
from hyq_hls.ops.checks import centred, check_zero_points, plain_integers


@dataclass(frozen=True, eq=False)
class AttentionValues(Operation):
    """``y[p, i, c] = requantize(sum_j w[p, i, h, j] * (v[p, j, c] - z_v))``, c in head h.

    Takes probabilities (P, N, heads, M) of N queries and M keys, and values (P, M, C); gives
    (P, N, C). The weight ``w`` of a probability code, with ``top = 2**bits - 1``, is

    - ``log2``: ``1 << (top - 1 - code)``, and 0 for ``code = top``; a shift, not a multiplication.
      The accumulator has ``top - 1`` fraction bits.
    - ``affine``: the code less its zero point; the accumulator has the fraction bits of the
      probabilities. A softmax gives unsigned codes with zero point 0. Where talking heads mix its
      probabilities, some are negative.

    Attributes:
        heads: number of heads; head h owns channels ``h * C/heads`` up to the next head's.
        zero_point: zero point of the values, (1,) or (C,).
        encoding: encoding of the probabilities.
        bits: width of a probability.
        requantize: accumulator to output code, one entry or one per channel.
        signed: whether probability codes are signed.
        probability_zero_point: zero point of the probabilities.

    Raises:
        GraphError: heads, encoding, bits, zero point or the requantization do not fit.
    """

    name: ClassVar[str] = "attention_values"
    arity: ClassVar[int | None] = 2

    heads: int
    zero_point: tuple[int, ...]
    encoding: Encoding
    bits: int
    requantize: Requantize
    signed: bool = False
    probability_zero_point: int = 0

    def __post_init__(self) -> None:
        plain_integers(self, "heads", "bits", "probability_zero_point")
        if self.heads < 1:
            raise GraphError(f"attention needs one head or more, found {self.heads}")
        _ = self.probability  # checks encoding, bits and zero point

    @property
    def probability(self) -> Quantization:
        """Quantization of the probabilities, apart from the scale."""
        zero = (self.probability_zero_point,)
        return Quantization(self.bits, self.signed, zero_point=zero, encoding=self.encoding)

    @property
    def weights(self) -> Bounds:
        """Bounds of the weight of a probability."""
        q, zero = self.probability, self.probability_zero_point
        if self.encoding == "log2":
            return Bounds(0, 1 << (q.qmax - 1))
        return Bounds(q.qmin - zero, q.qmax - zero)

    def output_type(self, *inputs: TensorType) -> TensorType:
        probability, value = inputs
        check_tokens(value, self.heads, "values")
        check_zero_points(self.zero_point, value, "values")
        pixels, keys, channels = value.shape
        found = probability.shape
        if len(found) != 4 or (found[0], *found[2:]) != (pixels, self.heads, keys):
            raise GraphError(
                f"probabilities ({pixels}, queries, {self.heads}, {keys}) (pixel, query, head, "
                f"key) are wanted for values {value.shape}, found {found}"
            )
        self._check_probability(probability.quantization)
        self.requantize.check(self.accumulator(*inputs), channels)
        return TensorType((pixels, found[1], channels), self.requantize.quantization)

    def _check_probability(self, found: Quantization) -> None:
        wanted = self.probability
        if (found.bits, found.signed, found.encoding) != (
            wanted.bits,
            wanted.signed,
            wanted.encoding,
        ):
            signs = ("signed" if q.signed else "unsigned" for q in (found, wanted))
            raise GraphError(
                f"probabilities are {next(signs)} {found.encoding} codes of {found.bits} bits, the "
                f"operation was built for {next(signs)} {self.encoding} codes of {self.bits} bits"
            )
        if set(found.zero_point) != {self.probability_zero_point} or len(set(found.scale)) > 1:
            raise GraphError(
                f"probabilities need zero point {self.probability_zero_point} and one scale, found "
                f"zero points {found.zero_point} and scales {found.scale}"
            )

    def reference(self, *codes: Codes) -> Codes:
        probability, value = codes
        if self.encoding == "log2":
            shift = self.probability.qmax - 1 - probability
            probability = np.where(shift < 0, 0, np.int64(1) << np.maximum(shift, 0))
        else:
            probability = probability - self.probability_zero_point
        centred_value = value - np.asarray(self.zero_point)
        split = centred_value.reshape(
            *value.shape[:-1], self.heads, -1
        )  # (B, P, N, heads, C/heads)
        acc = np.einsum("bpihj,bpjhc->bpihc", probability, split, optimize=True)
        return self.requantize(acc.reshape(*acc.shape[:3], -1))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        _, value = inputs
        return sum_of_products(value.shape[1], self.weights, centred(value))

    def macs(self, *inputs: TensorType) -> int:
        return inputs[0].size * inputs[1].channels // self.heads
