"""Torch kernels of the products of attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hyq_hls import ops
from hyq_hls.emulate.blocks import by_rows
from hyq_hls.emulate.exact import (
    Kernel,
    accumulation_dtype,
    exact_dtype,
    factor_and_offset,
    magnitude,
    requantizer,
    saturator,
)
from hyq_hls.graph import Bounds, Node, TensorType
from hyq_hls.ops.checks import centred
from hyq_hls.ops.softmax import Softmax


def _heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Split the channels of (B, P, N, C) into heads: (B, P, heads, N, C / heads)."""
    *lead, channels = x.shape
    return x.reshape(*lead, heads, channels // heads).transpose(2, 3)


def scores(op: ops.AttentionScores, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    """Return the kernel of the products of queries and keys."""
    # No partial sum leaves the bounds of the sum, because a product of codes may be zero.
    dtype = accumulation_dtype(node.accumulator, op.requantize)
    if dtype is None:
        return None
    factor, offset = factor_and_offset(op.requantize, dtype)
    finish = saturator(op.requantize.quantization)
    zq, zk = op.zero_points

    def run(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        queries = _heads((q - zq).to(dtype), op.heads)
        keys = _heads((k - zk).to(dtype).mul_(factor), op.heads)
        acc = queries @ keys.transpose(-1, -2)
        return finish(acc.add_(offset)).transpose(2, 3)

    return run


def bounds_behind_softmax(op: ops.AttentionValues, softmax: Softmax, value: TensorType) -> Bounds:
    """Return bounds of every partial sum of values, weighted by the codes of a softmax.

    A uniform code is at most half a step above its probability, so that the codes of M keys sum up
    to ``2**bits + M / 2`` at most. A power of two is below 1.5 times its probability. No weight is
    negative: a sum of some products goes no further than the sum of all weights does.
    """
    keys, reach = value.shape[1], centred(value)
    total = (1 << op.bits) + keys // 2
    if softmax.output != "uniform":
        total = 3 * op.weights.high // 2
    weights = min(total, keys * op.weights.high)
    return Bounds(min(0, weights * reach.low), max(0, weights * reach.high))


def values(op: ops.AttentionValues, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    """Return the kernel of the sums of values, weighted by probabilities."""
    dtype = exact_dtype(magnitude(node.accumulator))
    if dtype is None:
        return None
    finish = requantizer(node.accumulator, op.requantize)
    zero = torch.tensor(op.zero_point, dtype=torch.float32)
    weights = _weights(op, dtype)

    def run(p: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        centred_values = _heads((v - zero).to(dtype), op.heads)
        acc = weights(p).transpose(2, 3) @ centred_values
        return finish(acc.transpose(2, 3).flatten(-2))

    return run


def _weights(op: ops.AttentionValues, dtype: torch.dtype) -> Kernel:
    """Return the function from codes of probabilities to their weights."""
    if op.encoding != "log2":
        zero = op.probability_zero_point
        return lambda p: (p - zero if zero else p).to(dtype)
    top = op.probability.qmax
    powers = torch.tensor([2.0 ** (top - 1 - c) for c in range(top)] + [0.0])

    def weigh(p: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        return torch.index_select(powers, 0, p.to(torch.int32).view(-1), out=out.view(-1))

    weigh_rows = by_rows(weigh)
    return lambda p: weigh_rows(p).to(dtype)


def context(op: ops.SeparableContext, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    """Return the kernel of the context vector of separable attention."""
    # Below 2**52 a float64 quotient, rounded correctly, has the exact floor.
    if magnitude(node.accumulator) >= 1 << 52:
        return None
    table = torch.tensor(op.table, dtype=torch.float64)
    zero = torch.tensor(op.zero_point, dtype=torch.float64)
    finish = requantizer(op.result(inputs[1]), op.requantize)
    unit = 2.0**op.mean_bits

    def run(scores: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        index = scores.to(torch.int32) - op.first
        e = table.index_select(0, index.reshape(-1)).reshape(scores.shape)
        total = e.sum(dim=2, keepdim=True)
        weighted = e.transpose(2, 3) @ (keys.double() - zero)
        half = (total / 2).floor_()
        return finish(weighted.mul_(unit).add_(half).div_(total).floor_())

    return run
