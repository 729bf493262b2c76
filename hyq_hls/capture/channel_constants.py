"""Constants that meet a value of the image element by element.

A constant becomes a node of its own here. ``absorption.py`` then puts it into the weights before
or after it where that changes no value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.drafts import Draft, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.float_op import Array
from hyq_hls.capture.layouts import seen, whole, whole_without_picks
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.score_factors import scaled_heads
from hyq_hls.capture.scores import is_scores, score_constant


def batch_norm(call: Call) -> View:
    """Capture a normalization in evaluation mode, which is a factor and a summand per channel."""
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
    shape = [1, count, *[1] * (len(view.shape) - 2)]
    return _affine(call, view, *(torch.from_numpy(a).reshape(shape) for a in (scale, offset)))


def scale_by(call: Call, view: View, constant: torch.Tensor) -> View:
    """Capture a product with a constant tensor, usually one of a value for each channel."""
    return _affine(call, view, constant, torch.zeros(()))


def shift_by(call: Call, view: View, constant: torch.Tensor) -> View:
    """Capture a sum with a constant, which may differ from element to element."""
    return _affine(call, view, torch.ones(()), constant) if bool(constant.any()) else view


def as_constant(value: Any) -> torch.Tensor | None:
    """Return a number or constant tensor as float64 tensor, None for a value of the image."""
    if isinstance(value, (int, float)):
        return torch.tensor(float(value), dtype=torch.float64)
    return value.double() if isinstance(value, torch.Tensor) else None


def unwrapped(draft: Draft) -> tuple[Draft, Array, Array]:
    """Return the draft below constants per channel, with their product and sum for each channel."""
    multiplier, offset = np.ones(draft.shape[-1]), np.zeros(draft.shape[-1])
    while isinstance(draft.op, ChannelAffine):
        offset = offset + multiplier * draft.op.offset
        multiplier = multiplier * draft.op.multiplier
        (draft,) = draft.inputs
    return draft, multiplier, offset


def _affine(call: Call, view: View, multiplier: torch.Tensor, offset: torch.Tensor) -> View:
    """Return ``multiplier * view + offset``, with constants that broadcast to the view."""
    one = multiplier.numel() == offset.numel() == 1 and view.source.op is not None
    try:
        view = (whole_without_picks if one else whole)(call.drafts, view)
    except LayoutUnsupported:
        if not one:
            raise
        # One constant for a part, as a channel of the image: the other elements are not shown.
        op = ChannelAffine(
            *(np.full(view.source.shape[-1], float(c)) for c in (multiplier, offset))
        )
        return replace(view, source=call.add(op, (view.source,), "affine"))
    if view.source.op is None:
        raise LayoutUnsupported("a constant behind an unsupported node", "a supported node", "")
    factors, summands = (_table(view, constant) for constant in (multiplier, offset))
    if is_scores(view.source):
        return _on_scores(call, view, factors, summands)
    if not np.isfinite(summands).all():
        raise Unsupported(
            f"a constant {tuple(offset.shape)} with infinite values; it meets {view.source.base!r}",
            "finite constants, or a mask that is added to the scores of an attention",
            "add masks between the product of queries and keys and its softmax",
        )
    draft = view.source
    if not _by_channel(factors):
        learned = call.add(Constant(factors.reshape(draft.shape)), (), "factors", own=False)
        draft = call.add(Multiply(), (draft, learned), "multiply", own=False)
        factors = np.ones_like(factors)
    if not summands.any() and (factors == 1).all():
        return seen(draft, view.index, view)
    if _by_channel(summands):
        op = ChannelAffine(factors[0], summands[0])
        return seen(call.add(op, (draft,), "affine"), view.index, view)
    if not (factors == 1).all():
        draft = call.add(ChannelAffine(factors[0], 0 * factors[0]), (draft,), "affine")
    constant = PositionConstant(summands.reshape(draft.shape))
    return seen(call.add(constant, (draft,), "constant"), view.index, view)


def _on_scores(call: Call, view: View, factors: Array, summands: Array) -> View:
    """Capture factors of heads, biases of positions, or a mask, where they meet scores."""
    draft = view.source
    if not (factors == 1).all():
        draft = scaled_heads(call.drafts, draft, factors.reshape(draft.shape))
    if not summands.any():
        return seen(draft, view.index, view)
    constant = score_constant(summands.reshape(draft.shape))
    return seen(call.add(constant, (draft,), "bias", own=False), view.index, view)


def _table(view: View, constant: torch.Tensor) -> Array:
    """Return a constant that meets ``view`` in the order of its source: (positions, channels)."""
    try:
        spread = constant.double().expand(view.shape)
    except RuntimeError as error:
        raise Unsupported(
            f"a constant tensor {tuple(constant.shape)} that meets a value {view.shape}",
            "constants that broadcast to the shape of the value",
            "give the constant the shape of the value; torch.cat joins learned tokens with others",
        ) from error
    table = np.empty(view.source.size)
    table[view.index.reshape(-1).numpy()] = spread.reshape(-1).numpy()
    return table.reshape(-1, view.source.shape[-1])


def _by_channel(table: Array) -> bool:
    return bool((table == table[0]).all())
