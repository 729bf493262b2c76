"""Torch kernels of the operations; what has none runs its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from hyq_hls import ops
from hyq_hls.emulate import attention, layouts, pools
from hyq_hls.emulate.blocks import by_rows
from hyq_hls.emulate.exact import (
    Kernel,
    accumulation_dtype,
    exact_dtype,
    factor_and_offset,
    magnitude,
    multiply_add,
    requantizer,
    saturator,
)
from hyq_hls.emulate.softmax import softmax
from hyq_hls.graph import Bounds, Node, Operation, TensorType
from hyq_hls.graph.requantize import Requantize

Rule = Callable[[Any, Node, Sequence[TensorType]], Kernel | None]


def prepare(node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of a node, which takes and gives float32 codes."""
    rule = _RULES.get(type(node.operation))
    kernel = rule(node.operation, node, inputs) if rule is not None else None
    return kernel or _reference(node.operation)


def _reference(operation: Operation) -> Kernel:
    def run(*codes: torch.Tensor) -> torch.Tensor:
        arrays = (c.numpy().astype(np.int64) for c in codes)
        return torch.from_numpy(operation.reference(*arrays)).float()

    return run


def _scaled_weights(
    weight: np.ndarray[Any, Any],
    bias: np.ndarray[Any, Any],
    partial_sums: Bounds,
    requantize: Requantize,
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Fold the requantization into weights (O, ...) and biases (O,); None if that is inexact.

    Torch's kernels add terms and bias in an order of their own, so every partial sum counts.
    """
    dtype = accumulation_dtype(partial_sums, requantize)
    if dtype is None:
        return None
    factor, offset = factor_and_offset(requantize, dtype)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    weights = torch.tensor(weight, dtype=dtype) * factor.reshape(shape)
    return weights, torch.tensor(bias, dtype=dtype) * factor + offset


def _convolution(op: Any, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    depthwise = isinstance(op, ops.DepthwiseConv2d)
    weight = op.weight[..., None] if depthwise else op.weight
    folded = _scaled_weights(
        weight.transpose(0, 3, 1, 2), op.bias, op.partial_sums(*inputs), op.requantize
    )
    if folded is None:
        return None
    weights, bias = folded
    weights = weights.contiguous(memory_format=torch.channels_last)
    groups = op.in_channels // weight.shape[-1]
    finish = saturator(node.type.quantization)

    def run(x: torch.Tensor) -> torch.Tensor:
        x = layouts.pad(x, op.padding, op.pad_value).to(weights.dtype).permute(0, 3, 1, 2)
        y = functional.conv2d(x, weights, bias, op.stride, 0, op.dilation, groups)
        return finish(y.permute(0, 2, 3, 1))

    return run


def _dense(op: ops.Dense, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    folded = _scaled_weights(op.weight, op.bias, op.partial_sums(*inputs), op.requantize)
    if folded is None:
        return None
    weights, bias = folded
    finish = saturator(node.type.quantization)
    return lambda x: finish(functional.linear(x.to(weights.dtype), weights, bias))


def _channel_affine(
    op: ops.ChannelAffine, node: Node, inputs: Sequence[TensorType]
) -> Kernel | None:
    folded = _scaled_weights(op.weight, op.bias, op.partial_sums(*inputs), op.requantize)
    if folded is None:
        return None
    weights, bias = folded
    finish = saturator(node.type.quantization)
    if len(bias) == 1:
        return lambda x: finish(multiply_add(x.to(weights.dtype), weights, bias))

    def run(x: torch.Tensor) -> torch.Tensor:
        rows = x.to(weights.dtype).reshape(len(x), -1, *bias.shape)
        return finish(torch.addcmul(bias, rows, weights)).reshape(x.shape)

    return run


def _requantize(op: ops.RequantizeTensor, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    finish = requantizer(node.accumulator, op.requantize)
    zero = torch.tensor(op.zero_point, dtype=torch.float32)
    return lambda x: finish(x - zero)


def _lookup(op: Operation, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Tabulate a function of one code: its reference runs on every code once."""
    x = inputs[0]
    codes = x.quantization.codes()
    # One row per channel, because the output scale may differ between channels.
    rows = op.reference(np.broadcast_to(codes[:, None], (len(codes), x.channels)))
    per_channel = bool((rows != rows[:, :1]).any())
    table = torch.tensor(rows.T.ravel() if per_channel else rows[:, 0], dtype=torch.float32)
    base = torch.arange(x.channels, dtype=torch.int32) * (len(codes) if per_channel else 0)
    base = (base if per_channel else base[:1]) - x.quantization.qmin
    moved = bool(base.any())

    def run(q: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        index = q.to(torch.int32)
        index = index.add_(base) if moved else index
        return torch.index_select(table, 0, index.view(-1), out=out.view(-1))

    return by_rows(run)


def _add(op: ops.Add, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    # Raw products are summed before the zero points are subtracted, and reach further.
    reach = 2 * sum(
        int(np.max(m)) << t.quantization.bits for m, t in zip(op.multipliers, inputs, strict=True)
    )
    dtype = accumulation_dtype(Bounds(-reach, reach), op.requantize)
    if dtype is None:
        return None
    factor, offset = factor_and_offset(op.requantize, dtype)
    f0, f1 = (torch.tensor(m, dtype=dtype) * factor for m in op.multipliers)
    z0, z1 = (torch.tensor(z, dtype=dtype) for z in op.zero_points)
    constant, finish = offset - (f0 * z0 + f1 * z1), saturator(node.type.quantization)

    def run(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        first = multiply_add(a.to(dtype), f0, constant)
        return finish(multiply_add(b.to(dtype).reshape(a.shape), f1, first))

    return run


def _maximum(op: ops.Maximum, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    dtype = exact_dtype(magnitude(node.accumulator))
    if dtype is None:
        return None
    finish = requantizer(node.accumulator, op.requantize)
    m0, m1 = (torch.tensor(m, dtype=dtype) for m in op.multipliers)
    z0, z1 = (torch.tensor(z, dtype=dtype) for z in op.zero_points)

    def run(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        first, second = (a - z0).mul_(m0), (b - z1).mul_(m1)
        return finish(torch.maximum(first, second.reshape(a.shape)))

    return run


def _constant(op: ops.Constant, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    codes = torch.tensor(op.codes, dtype=torch.float32)
    return lambda images: codes.expand(len(images), *codes.shape)


def _multiply(op: ops.Multiply, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    dtype = exact_dtype(magnitude(node.accumulator))
    if dtype is None:
        return None
    finish = requantizer(node.accumulator, op.requantize)
    zeros = [torch.tensor(z, dtype=dtype) for z in op.zero_points]

    def run(*codes: torch.Tensor) -> torch.Tensor:
        a, b = (
            (x.to(dtype) - z).reshape(len(x), -1, x.shape[-1])
            for x, z in zip(codes, zeros, strict=True)
        )
        kept = a.reshape(len(a), b.shape[1], -1, a.shape[-1])
        return finish(kept * b[:, :, None]).reshape(codes[0].shape)

    return run


def _concat(op: ops.Concat, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    finish = [requantizer(node.accumulator, r) for r in op.requantize]
    zero = [torch.tensor(z, dtype=torch.float32) for z in op.zero_points]

    def run(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        b = b.reshape(*a.shape[:-1], b.shape[-1])
        return torch.cat([finish[0](a - zero[0]), finish[1](b - zero[1])], dim=-1)

    return run


def _layer_norm(op: ops.LayerNorm, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    # Below 2**52 a float64 square root or quotient, rounded correctly, has the exact floor.
    if magnitude(node.accumulator) >= 1 << 52:
        return None
    wide = torch.float64
    factor = torch.tensor(np.exp2(op.factor_shift.astype(np.float64)), dtype=wide)
    offset = torch.tensor(op.zero_point, dtype=wide) * factor
    gamma, beta = (torch.tensor(v, dtype=wide) for v in (op.gamma, op.beta))
    channels = inputs[0].channels
    root_scale, one = 4.0**op.root_bits, 2.0**op.reciprocal_bits
    normalize, finish = 2.0**-op.normalize_shift, requantizer(node.accumulator, op.requantize)

    def run(q: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        x = (q.to(wide) * factor).sub_(offset)
        total = x.sum(dim=-1, keepdim=True)
        variance = channels * x.square().sum(dim=-1, keepdim=True) - total.square() + op.epsilon
        std = variance.mul_(root_scale).sqrt_().floor_()
        reciprocal = (one / std).floor_()
        normalized = (x * channels).sub_(total).mul_(reciprocal * normalize).add_(0.5).floor_()
        return finish(normalized.mul_(gamma).add_(beta), out=out)

    return by_rows(run)


def _group_norm(op: ops.GroupNorm, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    # As for a LayerNorm.
    if magnitude(node.accumulator) >= 1 << 52:
        return None
    wide, count = torch.float64, inputs[0].size
    offset, gamma, beta = (torch.tensor(v, dtype=wide) for v in (op.zero_point, op.gamma, op.beta))
    root_scale, one = 4.0**op.root_bits, 2.0**op.reciprocal_bits
    to_mean, unit = op.mean_multiplier * 2.0**-op.mean_shift, 2.0**op.mean_bits
    normalize, finish = 2.0**-op.normalize_shift, requantizer(node.accumulator, op.requantize)

    def run(q: torch.Tensor) -> torch.Tensor:
        x = q.to(wide) - offset
        axes = tuple(range(1, x.ndim))
        total = x.sum(dim=axes, keepdim=True)
        variance = count * x.square().sum(dim=axes, keepdim=True) - total.square() + op.epsilon
        reciprocal = (one / variance.mul_(root_scale).sqrt_().floor_()).floor_()
        mean = total.mul_(to_mean).add_(0.5).floor_()
        normalized = x.mul_(unit).sub_(mean).mul_(reciprocal * normalize).add_(0.5).floor_()
        return finish(normalized.mul_(gamma).add_(beta))

    return run


_RULES: dict[type[Operation], Rule] = {
    ops.Add: _add,
    ops.AttentionScores: attention.scores,
    ops.AttentionValues: attention.values,
    ops.AveragePool: pools.average_pool,
    ops.ChannelAffine: _channel_affine,
    ops.Concat: _concat,
    ops.Constant: _constant,
    ops.Conv2d: _convolution,
    ops.Dense: _dense,
    ops.DepthwiseConv2d: _convolution,
    ops.Fold: layouts.fold,
    ops.GlobalAveragePool: pools.global_average_pool,
    ops.GroupNorm: _group_norm,
    ops.GroupedConv2d: _convolution,
    ops.LayerNorm: _layer_norm,
    ops.LinearSoftmax: softmax,
    ops.Maximum: _maximum,
    ops.MaxPool: pools.max_pool,
    ops.Multiply: _multiply,
    ops.PermutePositions: layouts.permute_positions,
    ops.RequantizeTensor: _requantize,
    ops.SeparableContext: attention.context,
    ops.ShiftSwish: _lookup,
    ops.Table: _lookup,
    ops.TableSoftmax: softmax,
    ops.Transpose: layouts.transpose,
    ops.Unfold: layouts.unfold,
    ops.Upsample: layouts.upsample,
}
