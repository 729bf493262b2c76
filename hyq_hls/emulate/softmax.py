"""Torch kernels of the softmax operations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from hyq_hls.emulate.blocks import by_rows
from hyq_hls.emulate.exact import Kernel, magnitude
from hyq_hls.graph import Node, TensorType
from hyq_hls.ops.softmax import Softmax

#: Bits below the exponent of a float64, and what its exponent has too much.
_FRACTION, _EXCESS = 52, 1023


def softmax(op: Softmax, node: Node, inputs: Sequence[TensorType]) -> Kernel | None:
    """Return the kernel of a softmax: float64 divides its integers.

    Below 2**52 a quotient of integers that is rounded correctly has the floor of the exact one. It
    is at least a power of two where the exact one is.
    """
    if magnitude(node.accumulator) >= 1 << _FRACTION:
        return None
    values = op.exponential(np.arange(1 << inputs[0].quantization.bits))
    table = torch.tensor(values, dtype=torch.float64)
    top = float(node.type.quantization.qmax)
    # The exponentials of a uniform softmax are dividends at once.
    unit = 2.0**op.bits if op.output == "uniform" else 1.0
    table = table * unit

    def exponentials(x: torch.Tensor) -> torch.Tensor:
        index = (x.amax(dim=-1, keepdim=True) - x).to(torch.int32)
        return table.index_select(0, index.reshape(-1)).reshape(x.shape)

    def uniform(x: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        e = exponentials(x)
        total = e.sum(dim=-1, keepdim=True).div_(unit)
        code = e.add_((total / 2).floor_()).div_(total).floor_()
        return out.copy_(code).clamp_(max=top)

    def log2(x: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        e = exponentials(x)
        total = e.sum(dim=-1, keepdim=True)
        return out.copy_(_floor_log2((4 * total).div(e.mul_(3)))).clamp_(0, top)

    def log2_rounded(x: torch.Tensor, *, out: torch.Tensor) -> torch.Tensor:
        e = exponentials(x)
        twice = 2 * e.sum(dim=-1, keepdim=True)
        code = _floor_log2((twice + e).mul_(2).div_(3 * e))
        code -= ((twice < 3 * e) | (twice == 5 * e)).long()  # a threshold too many
        return out.copy_(code).clamp_(0, top)

    return by_rows({"log2": log2, "log2_rounded": log2_rounded, "uniform": uniform}[op.output])


def _floor_log2(x: torch.Tensor) -> torch.Tensor:
    """Return the int64 floor of the logarithm of positive float64.

    It is the exponent; that of infinity, a quotient of a zero exponential, is 1024.
    """
    return (x.view(torch.int64) >> _FRACTION).sub_(_EXCESS)
