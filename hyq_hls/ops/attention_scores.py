"""Attention scores: dot products of every query with every key, head by head."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points, plain_integers


def sum_of_products(terms: int, a: Bounds, b: Bounds) -> Bounds:
    """Return the bounds of a sum of ``terms`` products, and of every partial sum.

    Both factors can be zero (``low <= 0 <= high``), so a partial sum never leaves the bounds.
    """
    corners = [x * y for x, y in product((a.low, a.high), (b.low, b.high))]
    return Bounds(terms * min(corners), terms * max(corners))


def check_tokens(x: TensorType, heads: int, what: str) -> None:
    """Raise ``GraphError`` unless ``x`` has affine codes (P, N, C) with C a multiple of heads."""
    check_affine(x, what)
    if len(x.shape) != 3:
        raise GraphError(f"{what}: tokens (pixels, tokens, channels) are wanted, found {x.shape}")
    if x.channels % heads:
        raise GraphError(
            f"{what}: {x.channels} channels do not divide into {heads} heads; choose a number of "
            "heads that divides the channels"
        )


@dataclass(frozen=True, eq=False)
class AttentionScores(Operation):
    """``y[p, i, h, j] = requantize(sum_{c in head h} (q[p, i, c] - z_q) * (k[p, j, c] - z_k))``.

    Takes queries (P, N, C) and keys (P, M, C); gives (P, N, heads, M): pixel, query, head, key. In
    self-attention, queries and keys are as many; tokens that attend to a map have other keys.
    The factor ``1/sqrt(C/heads)`` is part of the weights before it or of the requantization.

    Attributes:
        heads: number of heads; head h owns channels ``h * C/heads`` up to the next head's.
        zero_points: zero points of queries and of keys, one each.
        requantize: accumulator to score, one entry for the whole tensor, as a softmax needs.

    Raises:
        GraphError: heads or the requantization do not fit.
    """

    name: ClassVar[str] = "attention_scores"
    arity: ClassVar[int | None] = 2

    heads: int
    zero_points: tuple[int, int]
    requantize: Requantize

    def __post_init__(self) -> None:
        plain_integers(self, "heads")
        if self.heads < 1:
            raise GraphError(f"attention needs one head or more, found {self.heads}")
        if len(self.zero_points) != 2:
            raise GraphError(
                f"one zero point of queries and one of keys are wanted, found {self.zero_points}"
            )
        if self.requantize.channels != 1:
            raise GraphError(
                f"attention scores are requantized per tensor, found {self.requantize.channels} "
                "entries; give one scale, zero point, shift and multiplier"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        query, key = inputs
        for x, zero_point, what in zip(inputs, self.zero_points, ("queries", "keys"), strict=True):
            check_tokens(x, self.heads, what)
            check_zero_points((zero_point,), x, what)
        if (query.shape[0], query.channels) != (key.shape[0], key.channels):
            raise GraphError(
                f"queries {query.shape} and keys {key.shape} differ in more than their number; the "
                "same pixels and channels are wanted"
            )
        self.requantize.check(self.accumulator(*inputs), 1)
        pixels, queries, _ = query.shape
        return TensorType((pixels, queries, self.heads, key.shape[1]), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        query, key = (
            (x - zero_point).reshape(*x.shape[:-1], self.heads, -1)  # (B, P, N, heads, C/heads)
            for x, zero_point in zip(codes, self.zero_points, strict=True)
        )
        return self.requantize(np.einsum("bpihc,bpjhc->bpihj", query, key, optimize=True))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        query, key = inputs
        return sum_of_products(query.channels // self.heads, centred(query), centred(key))

    def macs(self, *inputs: TensorType) -> int:
        query, key = inputs
        return query.size * key.shape[1]
