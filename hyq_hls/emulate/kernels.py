"""Torch kernels of the operations; what has none runs its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from hyq_hls import ops
from hyq_hls.emulate.exact import (
    accumulation_dtype,
    exact_dtype,
    factor_and_offset,
    magnitude,
    requantizer,
)
from hyq_hls.graph import Node, Operation, TensorType
from hyq_hls.graph.requantize import Requantize

Kernel = Callable[..., torch.Tensor]
Rule = Callable[[Any, Node, Sequence[TensorType]], Kernel | None]


def prepare(node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Kernel of a node: float32 codes in, float32 codes out."""
    rule = _RULES.get(type(node.operation))
    kernel = rule(node.operation, node, inputs) if rule is not None else None
    return kernel or _reference(node.operation)


def _reference(operation: Operation) -> Kernel:
    def run(*codes: torch.Tensor) -> torch.Tensor:
        arrays = (c.numpy().astype(np.int64) for c in codes)
        return torch.from_numpy(operation.reference(*arrays)).float()

    return run


def _scaled_weights(
    weight: np.ndarray[Any, Any], bias: np.ndarray[Any, Any], node: Node, requantize: Requantize
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Weights (O, ...) and biases (O,) with the requantization folded in, or None if inexact."""
    dtype = accumulation_dtype(node.accumulator, requantize)
    if dtype is None:
        return None
    factor, offset = factor_and_offset(requantize, dtype)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    weights = torch.tensor(weight, dtype=dtype) * factor.reshape(shape)
    return weights, torch.tensor(bias, dtype=dtype) * factor + offset


def _finish(node: Node) -> Callable[[torch.Tensor], torch.Tensor]:
    q = node.type.quantization
    return lambda x: x.floor_().clamp_(q.qmin, q.qmax).float()


def _pad(x: torch.Tensor, padding: tuple[int, int], values: tuple[int, ...]) -> torch.Tensor:
    """Surround (B, H, W, C) by the zero point."""
    ph, pw = padding
    if not (ph or pw):
        return x
    if len(set(values)) == 1:
        return functional.pad(x, (0, 0, pw, pw, ph, ph), value=float(values[0]))
    zero = torch.tensor(values, dtype=x.dtype)
    return functional.pad(x - zero, (0, 0, pw, pw, ph, ph)) + zero


def _convolution(op: Any, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    depthwise = isinstance(op, ops.DepthwiseConv2d)
    weight = op.weight[..., None] if depthwise else op.weight
    folded = _scaled_weights(weight.transpose(0, 3, 1, 2), op.bias, node, op.requantize)
    if folded is None:
        return None
    weights, bias = folded
    weights = weights.contiguous(memory_format=torch.channels_last)
    groups = len(weight) if depthwise else 1
    finish = _finish(node)

    def run(x: torch.Tensor) -> torch.Tensor:
        x = _pad(x, op.padding, op.pad_value).to(weights.dtype).permute(0, 3, 1, 2)
        y = functional.conv2d(x, weights, bias, stride=op.stride, groups=groups)
        return finish(y.permute(0, 2, 3, 1))

    return run


def _dense(op: ops.Dense, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    folded = _scaled_weights(op.weight, op.bias, node, op.requantize)
    if folded is None:
        return None
    weights, bias = folded
    finish = _finish(node)
    return lambda x: finish(functional.linear(x.to(weights.dtype), weights, bias))


def _requantize(op: ops.RequantizeTensor, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    finish = requantizer(node.accumulator, op.requantize)
    zero = torch.tensor(op.zero_point, dtype=torch.float32)
    return lambda x: finish(x - zero)


_RULES: dict[type[Operation], Rule] = {
    ops.Conv2d: _convolution,
    ops.Dense: _dense,
    ops.RequantizeTensor: _requantize,
}

__all__ = ["Kernel", "exact_dtype", "magnitude", "prepare"]
