"""Concatenation and stacking of any number of tensors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from hyq_hls.capture import float_ops
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.channel_constants import unwrapped
from hyq_hls.capture.compute import aligned
from hyq_hls.capture.drafts import Draft, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.index_maps import covers
from hyq_hls.capture.layouts import fresh, shown, whole

_Join = Callable[[list[torch.Tensor], int], torch.Tensor]


def concat(call: Call) -> View:
    """Capture a concatenation, usually one of channels."""
    views = [call.as_view(value) for value in call.get("tensors")]
    axis = int(call.get("dim"))
    if len(views) == 1:
        return views[0]
    try:
        drafts, order, axis = aligned(call, views, (axis,))
    except Unsupported:
        return _joined(call, views, axis, torch.cat)
    return shown(_concatenated(call, list(drafts)), order, views[0], axis)


def stack(call: Call) -> View:
    """Capture a concatenation along a new axis."""
    views = [call.as_view(value) for value in call.get("tensors")]
    return _joined(call, views, int(call.get("dim")), torch.stack)


def _joined(call: Call, views: list[View], axis: int, join: _Join) -> View:
    """Join views along any axis.

    Parts of one tensor that are put together again are a data movement. Tensors with the same
    number of positions become one tensor with all their channels, of which the result is a
    re-arrangement.
    """
    first = views[0]
    if all(v.source is first.source and v.factor == first.factor for v in views):
        chain = tuple(dict.fromkeys(name for view in views for name in view.chain))
        index = join([v.index for v in views], axis)
        return View(first.source, index, first.factor, (*chain, call.node.name))
    scaled = _rescaled(call, views, axis, join)
    if scaled is not None:
        return scaled
    views = [_trimmed(call, fresh(view)) for view in views]
    sources = list(dict.fromkeys(view.source for view in views))
    if len({source.shape[:-1] for source in sources}) != 1:
        shapes = " and ".join(f"{source.base!r} {source.shape}" for source in sources)
        raise LayoutUnsupported(
            f"{call.operation} of {shapes} along axis {axis}",
            "tensors with the same number of positions",
            "concatenate channels of maps of one size, or tokens of one number",
        )
    draft = _concatenated(call, sources)
    channels = draft.shape[-1]
    offsets, offset = {}, 0
    for source in sources:
        offsets[source] = offset
        offset += source.shape[-1]
    parts = []
    for view in views:
        own = view.source.shape[-1]
        parts.append(view.index // own * channels + view.index % own + offsets[view.source])
    return View(draft, join(parts, axis))


def _rescaled(call: Call, views: list[View], axis: int, join: _Join) -> View | None:
    """Put channels of one tensor together again, each of which has a factor and a summand.

    So torchvision's ``transform_input`` normalizes the channels of an image one by one. None where
    the parts are anything else.
    """
    found = [unwrapped(view.source) for view in views]
    root = found[0][0]
    if root.op is None or any(draft is not root for draft, _, _ in found):
        return None
    index = join([view.index for view in views], axis)
    if not covers(index, root.size):
        return None
    shown_channels = [(view.index % root.shape[-1]).unique().numpy() for view in views]
    multiplier, offset = np.ones(root.shape[-1]), np.zeros(root.shape[-1])
    for channels, (_, factors, summands) in zip(shown_channels, found, strict=True):
        multiplier[channels], offset[channels] = factors[channels], summands[channels]
    for channels, (_, factors, summands) in zip(shown_channels, found, strict=True):
        if not np.array_equal(multiplier[channels], factors[channels]):
            return None  # two parts of one channel differ
        if not np.array_equal(offset[channels], summands[channels]):
            return None
    return View(call.add(ChannelAffine(multiplier, offset), (root,), "affine"), index)


def _trimmed(call: Call, view: View) -> View:
    """Let the layer before compute the channels only that the view shows, where it can."""
    try:
        return whole(call.drafts, view)
    except Unsupported:
        return view


def _concatenated(call: Call, drafts: list[Draft]) -> Draft:
    """Append concatenations of pairs, because integers are concatenated in pairs."""
    result, *others = drafts
    for other in others:
        result = call.add(float_ops.Concat(), (result, other), "concat", own=False)
    return result
