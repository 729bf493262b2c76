"""Constants per channel go into the weights of the layer before them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import LayoutUnsupported, Unsupported, View
from hyq_hls.capture.float_ops import Array, Conv2d, Linear
from hyq_hls.capture.index_maps import covers, is_identity, rows_and_columns
from hyq_hls.capture.layouts import fresh


def batch_norm(call: Call) -> View:
    """Let the layer before a normalization in evaluation mode absorb it."""
    view = call.view("input")
    if call.get("running_mean") is None or call.get("training"):
        raise Unsupported(
            "BatchNorm that normalizes with the statistics of its batch",
            "running statistics",
            "train with track_running_stats=True",
        )
    count = view.shape[1]
    variance = call.array("running_var", 1.0, count) + float(call.get("eps"))
    scale = call.array("weight", 1.0, count) / np.sqrt(variance)
    offset = call.array("bias", 0.0, count) - call.array("running_mean", 0.0, count) * scale
    return _absorb(view, scale, offset, 1, "BatchNorm")


def scale_channels(view: View, constant: torch.Tensor) -> View:
    """Multiply by a constant tensor that has one value for each channel."""
    values, axis = _per_channel(view, constant)
    return _absorb(view, values, np.zeros_like(values), axis, "a constant factor")


def shift_channels(view: View, constant: torch.Tensor) -> View:
    """Add a constant tensor that has one value for each channel."""
    values, axis = _per_channel(view, constant)
    return _absorb(view, np.ones_like(values), values, axis, "a constant summand")


def as_constant(value: Any) -> torch.Tensor | None:
    """Return a number or constant tensor as float64 tensor, None for a value of the image."""
    if isinstance(value, (int, float)):
        return torch.tensor(float(value), dtype=torch.float64)
    return value.double() if isinstance(value, torch.Tensor) else None


def _per_channel(view: View, constant: torch.Tensor) -> tuple[Array, int]:
    rank = len(view.shape)
    shape = (1,) * (rank - constant.ndim) + tuple(constant.shape)
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    if len(shape) != rank or len(axes) > 1 or any(shape[a] != view.shape[a] for a in axes):
        raise Unsupported(
            f"a constant tensor {tuple(constant.shape)} that meets a value {view.shape}",
            "constants of one value per channel, which the layer before absorbs",
            "learned tokens, masks, and position or attention biases are not supported",
        )
    axis = axes[0] if axes else (1 if rank == 4 else rank - 1)
    values = constant.reshape(-1).expand(view.shape[axis])
    return np.asarray(values.numpy(), np.float64), axis


def _absorb(view: View, scale: Array, offset: Array, axis: int, what: str) -> View:
    view = fresh(view)
    layer = view.source
    op = layer.op
    found = rows_and_columns(view.index, axis, layer.shape[-1])
    if not isinstance(op, (Conv2d, Linear)) or found is None or not is_identity(found[1]):
        kind = LayoutUnsupported if layer.tainted else Unsupported
        raise kind(
            f"{what} after {op.kind if op else 'an unsupported node'}",
            f"{what} directly after a convolution or a linear layer, which absorbs it",
            "move it behind such a layer, or leave it out and fine-tune",
        )
    if layer.readers or not covers(found[0], layer.size // layer.shape[-1]):
        raise Unsupported(
            f"{what} on {layer.base!r}, whose value before it is read elsewhere or in parts",
            "a layer whose only reader is the operation that it absorbs",
            "read the value after the operation",
        )
    weight = op.weight * scale.reshape(-1, *[1] * (op.weight.ndim - 1))
    bias = op.bias * scale + offset
    if isinstance(op, Conv2d):
        layer.op = Conv2d(weight, bias, op.stride, op.padding, op.groups)
    else:
        layer.op = Linear(weight, bias)
    layer.revision += 1
    return View(layer, view.index, layer.revision, 1.0, view.chain)
