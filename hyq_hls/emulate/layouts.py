"""Torch kernels of operations that move codes, or make codes between them; borders of maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from hyq_hls import ops
from hyq_hls.emulate.exact import Kernel
from hyq_hls.graph import Node, TensorType


def pad(x: torch.Tensor, padding: tuple[int, int], values: tuple[int, ...]) -> torch.Tensor:
    """Surround (B, H, W, C) by the zero point."""
    ph, pw = padding
    if not (ph or pw):
        return x
    if len(set(values)) == 1:
        return functional.pad(x, (0, 0, pw, pw, ph, ph), value=float(values[0]))
    zero = torch.tensor(values, dtype=x.dtype)
    return functional.pad(x - zero, (0, 0, pw, pw, ph, ph)) + zero


def unfold(op: ops.Unfold, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of an unfold."""
    (ph, pw), (height, width, channels) = op.patch, inputs[0].shape

    def run(x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(-1, height // ph, ph, width // pw, pw, channels)
        return x.permute(0, 2, 4, 1, 3, 5).reshape(len(x), *node.type.shape)

    return run


def fold(op: ops.Fold, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of a fold."""
    ph, pw = op.patch

    def run(x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(-1, ph, pw, op.height // ph, op.width // pw, x.shape[-1])
        return x.permute(0, 3, 1, 4, 2, 5).reshape(len(x), *node.type.shape)

    return run


def permute_positions(op: ops.PermutePositions, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of a permutation of positions."""
    order = torch.tensor(op.order.ravel())

    def run(x: torch.Tensor) -> torch.Tensor:
        moved = x.reshape(len(x), -1, x.shape[-1]).index_select(1, order)
        return moved.reshape(len(x), *node.type.shape)

    return run


def transpose(op: ops.Transpose, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of a transpose."""
    return lambda x: x.transpose(-1, -2).contiguous()


def upsample(op: ops.Upsample, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of an upsample: float32 holds sixteenths of codes of 16 bits."""

    def run(x: torch.Tensor) -> torch.Tensor:
        y = functional.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0, mode=op.mode)
        return y.permute(0, 2, 3, 1).add(0.5).floor_()

    return run
