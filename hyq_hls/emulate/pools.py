"""Torch kernels of poolings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from hyq_hls import ops
from hyq_hls.emulate.exact import Kernel, exact_dtype, magnitude, requantizer
from hyq_hls.graph import Node, TensorType


def global_average_pool(
    op: ops.GlobalAveragePool, node: Node, inputs: Sequence[TensorType]
) -> Kernel | None:
    """Return the kernel of a mean over all positions."""
    dtype = exact_dtype(inputs[0].words << inputs[0].quantization.bits)
    if dtype is None:
        return None
    finish = requantizer(node.accumulator, op.requantize)
    zero = torch.tensor(op.zero_point, dtype=dtype) * inputs[0].words
    return lambda x: finish(x.to(dtype).sum(dim=(1, 2)) - zero)


def average_pool(op: ops.AveragePool, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    """Return the kernel of an average pooling."""
    dtype = exact_dtype(magnitude(node.accumulator))
    if dtype is None:
        return None
    finish = requantizer(node.accumulator, op.requantize)
    zero = torch.tensor(op.pad_value, dtype=dtype)
    rows, columns = op.inside(*inputs[0].shape[:2])
    factor = torch.tensor(op.factor[np.outer(rows, columns) - 1], dtype=dtype)[..., None]

    def run(x: torch.Tensor) -> torch.Tensor:
        centred = x.to(dtype) - zero
        # The divisor 1 makes a sum of the mean; a border of zeros adds nothing.
        sums = functional.avg_pool2d(
            centred.permute(0, 3, 1, 2), op.kernel, op.stride, op.padding, divisor_override=1
        )
        acc = sums.permute(0, 2, 3, 1) * factor
        return finish(acc.sub_(centred, alpha=op.centre) if op.centre else acc)

    return run


def max_pool(op: ops.MaxPool, node: Node, inputs: Sequence[TensorType]) -> Kernel:
    """Return the kernel of a max pooling."""

    def run(x: torch.Tensor) -> torch.Tensor:
        found = functional.max_pool2d(x.permute(0, 3, 1, 2), op.kernel, op.stride, op.padding)
        return found.permute(0, 2, 3, 1)

    return run
