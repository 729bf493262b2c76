"""Tensors in blocks of rows that stay in the cache, however large the tensors are.

A kernel of many passes makes temporaries. Those of a whole tensor are as large as the tensor, or
twice as large in float64, and every pass reads and writes main memory. Those of a block are small,
and every pass reads and writes the cache.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from hyq_hls.emulate.exact import Kernel, RowKernel

#: Elements of a block: a few temporaries fit the last cache, and calls of torch do not weigh.
BLOCK = 1 << 17


def dense(x: torch.Tensor) -> torch.Tensor:
    """Return ``x`` where its rows lie side by side in memory, in any order, else a copy."""
    return x if x.permute(_order(x)).is_contiguous() else x.contiguous()


def row_blocks(*tensors: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield views (n, C) of the same rows of all tensors, in the memory order of the first.

    Args:
        tensors: tensors (..., C) of the same leading axes; the first is dense.
    """
    order = _order(tensors[0])
    rows = [x.permute(order).reshape(-1, x.shape[-1]) for x in tensors]
    step = max(1, BLOCK // max(x.shape[1] for x in rows))
    return zip(*(x.split(step) for x in rows), strict=True)


def by_rows(compute: RowKernel) -> Kernel:
    """Return the kernel that computes block by block what treats every row by itself."""

    def run(*operands: torch.Tensor) -> torch.Tensor:
        first = dense(operands[0])
        out = torch.empty_like(first, dtype=torch.float32)
        for *blocks, into in row_blocks(first, *operands[1:], out):
            compute(*blocks, out=into)
        return out

    return run


def _order(x: torch.Tensor) -> tuple[int, ...]:
    """Return the leading axes from the farthest apart in memory to the nearest, then the last."""
    strides = x.stride()
    leading = sorted(range(x.ndim - 1), key=lambda axis: -strides[axis])
    return (*leading, x.ndim - 1)
