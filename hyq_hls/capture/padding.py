"""Constants around a tensor: zeros around a map, and channels or tokens beside others."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch

from hyq_hls.capture.border import Sides, border
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_constants import shift_by
from hyq_hls.capture.drafts import LayoutUnsupported, Unsupported, View, first_captured
from hyq_hls.capture.joining import concatenated
from hyq_hls.capture.layouts import map_with_columns, seen


def pad(call: Call) -> View:
    """Capture a padding by a constant; negative widths crop."""
    mode, value = call.get("mode") or "constant", float(call.get("value") or 0.0)
    if mode != "constant" or not math.isfinite(value):
        raise Unsupported(
            f"padding with {value if mode == 'constant' else mode!r}",
            "padding with a finite constant, such as zero",
            "use padding_mode='zeros' and fine-tune, or padding= of the max pooling behind it",
        )
    view, widths = call.view("self"), list(call.get("pad"))
    sides = [(0, 0)] * len(view.shape)
    for place in range(len(widths) // 2):
        axis = len(view.shape) - 1 - place
        before, after = widths[2 * place : 2 * place + 2]
        start, stop = max(0, -before), view.shape[axis] - max(0, -after)
        view = replace(view, index=view.index.narrow(axis, start, stop - start))
        sides[axis] = max(0, before), max(0, after)
    if not value:
        return padded(call, view, sides)
    around = padded(call, shift_by(call, view, torch.tensor(-value)), sides)
    return shift_by(call, around, torch.tensor(value))


def padded(call: Call, view: View, sides: Sides) -> View:
    """Return a view with zeros around it.

    Raises:
        Unsupported: there is no operation that adds them.
    """
    if sides[0] != (0, 0):
        raise Unsupported(
            "padding along the axis of the batch", "padding of each image", "leave axis 0 as it is"
        )
    if len(view.shape) != 4:
        return _joined(call, view, sides)
    maps = [partial(_around_map, call, view, sides, channels) for channels in (1, 3)]
    return first_captured([*maps, partial(_of_heads, call, view, sides)])


def _around_map(call: Call, view: View, sides: Sides, channels: int) -> View:
    """Put zeros around a map whose channels lie along an axis, then beside these channels."""
    spatial = [side for axis, side in enumerate(sides) if axis not in (0, channels)]
    if any(count for side in spatial for count in side):
        moved = replace(view, index=view.index.movedim(channels, 1))
        source, columns = map_with_columns(call.drafts, moved)
        draft = call.add(border(source.shape[-1], spatial), (source,), "pad", own=False)
        index = torch.arange(draft.size).reshape(1, *draft.shape)[..., columns]
        view = seen(draft, index.movedim(-1, channels))
    rest = [side if axis == channels else (0, 0) for axis, side in enumerate(sides)]
    return _joined(call, view, rest)


def _of_heads(call: Call, view: View, sides: Sides) -> View:
    """Put zeros before and behind tokens whose channels are in heads, ``(1, heads, N, D)``."""
    together = replace(view, index=view.index.transpose(1, 2).flatten(2))
    if any(count for axis in (1, 3) for count in sides[axis]):
        raise LayoutUnsupported("padding of heads", "padding of tokens", "pad all channels at once")
    result = _joined(call, together, [(0, 0), sides[2], (0, 0)])
    index = result.index.unflatten(2, view.shape[1::2]).transpose(1, 2)
    return replace(result, index=index)


def _joined(call: Call, view: View, sides: Sides) -> View:
    """Put zeros before and behind a view, axis by axis."""
    for axis, counts in enumerate(sides):
        if any(counts):
            before, after = (
                torch.zeros(*view.shape[:axis], count, *view.shape[axis + 1 :]) for count in counts
            )
            parts = [part for part in (before, view, after) if math.prod(part.shape)]
            view = concatenated(call, parts, axis)
    return view


def box(inside: torch.Tensor) -> list[tuple[int, int]] | None:
    """Return how many places lie before and behind a box of true places; None for other forms."""
    sides = []
    filled = torch.ones((), dtype=torch.bool)
    for axis in range(inside.ndim):
        others = [other for other in range(inside.ndim) if other != axis]
        places = inside.any(dim=others) if others else inside
        first, last = (int(places.nonzero()[end]) for end in (0, -1))
        sides.append((first, len(places) - 1 - last))
        filled = filled[..., None] & places
    return sides if torch.equal(filled, inside) else None


def inner(view: View, sides: Sides) -> View:
    """Return the box of a view between its sides."""
    index = view.index
    for axis, (before, after) in enumerate(sides):
        index = index.narrow(axis, before, index.shape[axis] - before - after)
    return replace(view, index=index)
