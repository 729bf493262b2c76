"""Separable attention of MobileViTv2: a softmax over tokens weighs keys, whose sum is a context.

Mehta and Rastegari, arXiv:2206.02680, write ``(softmax(q, tokens) * k).sum(tokens)``. The softmax
and the product are captured as they come, and the sum replaces both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.float_ops import Softmax
from hyq_hls.capture.layouts import rows, shown
from hyq_hls.capture.multiply import Multiply

#: The axis of the tokens in scores (P, N, 1).
_TOKENS = -2


@dataclass(frozen=True, eq=False, repr=False)
class SeparableContext(FloatOp):
    """``sum_n softmax(q)_n * k_n``: scores ``(P, N, 1)``, keys ``(P, N, C)`` -> ``(P, 1, C)``."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(P, 1, C)`` for ``(P, N, 1)``, ``(P, N, C)``."""
        ok = len(shapes) == 2 and len(shapes[1]) == 3 and shapes[0] == (*shapes[1][:2], 1)
        self._expect(ok, shapes, "scores (P, N, 1) and keys (P, N, C)")
        return (shapes[1][0], 1, shapes[1][2])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, P, N, 1)``, ``(B, P, N, C)`` to ``(B, P, 1, C)``."""
        scores, keys = inputs
        return (functional.softmax(scores, dim=_TOKENS) * keys).sum(dim=_TOKENS, keepdim=True)


def softmax_over_tokens(call: Call, view: View, axis: int) -> View | None:
    """Capture a softmax of one channel over all tokens of a pixel; None where it is none."""
    axis %= len(view.shape)
    for channels in (1, len(view.shape) - 1):
        if channels == axis or view.shape[channels] != 1:
            continue
        try:
            draft, order = rows(call.drafts, view, channels)
        except Unsupported:
            continue
        if len(draft.shape) != 3 or not draft.tokens:
            continue
        places = order.reshape(view.shape).movedim(axis, -1).reshape(-1, view.shape[axis])
        if _tokens_of_pixels(places, draft.shape[1]):
            softmax = call.add(Softmax(_TOKENS), (draft,), "softmax")
            return shown(softmax, order, view, channels)
    return None


def context(call: Call, view: View, axes: list[int]) -> View | None:
    """Capture the sum over tokens of keys that a softmax weighs; None for any other sum."""
    product = view.source
    if not isinstance(product.op, Multiply):
        return None
    keys, softmax = product.inputs
    if not isinstance(softmax.op, Softmax) or softmax.op.axis != _TOKENS:
        return None
    count, tokens = keys.shape[-1], keys.shape[1]
    kept = [axis for axis in range(len(view.shape)) if axis not in axes]
    groups = view.index.permute(*kept, *axes).flatten(0, len(kept) - 1).flatten(1)
    channel = groups[:, :1] % count
    places = groups // count
    if not _tokens_of_pixels(places, tokens) or not torch.equal(groups, places * count + channel):
        return None
    draft = call.add(SeparableContext(), (softmax.inputs[0], keys), "context", own=False)
    index = places[:, 0] // tokens * count + channel[:, 0]
    return View(draft, index.reshape(call.node.meta["val"].shape), view.factor)


def _tokens_of_pixels(places: torch.Tensor, tokens: int) -> bool:
    """Return whether each row of places holds all tokens of one pixel, in any order."""
    pixels = places[:, :1] // tokens
    every = pixels * tokens + torch.arange(tokens)
    return places.shape[1] == tokens and torch.equal(places.sort(dim=1).values, every)
