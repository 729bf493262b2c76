"""Handlers of products of two values of the image, element by element."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.compute import aligned
from hyq_hls.capture.drafts import Draft, LayoutUnsupported, Unsupported, View, first_captured
from hyq_hls.capture.index_maps import covers, inverse, is_identity, rows_and_columns
from hyq_hls.capture.layouts import reordered_channels, rows, shown
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.selection import with_shown_positions


def multiply(call: Call, first: View, second: View) -> View:
    """Capture ``first * second``; constant factors of both go to the product."""
    factor = first.factor * second.factor
    a, b = (without_copies(replace(view, factor=1.0)) for view in (first, second))
    rank = max(len(a.shape), len(b.shape))
    a, b = (
        replace(view, index=view.index.reshape((1,) * (rank - len(view.shape)) + view.shape))
        for view in (a, b)
    )
    shape = torch.broadcast_shapes(a.shape, b.shape)
    for large, small in ((a, b), (b, a)):
        if large.shape == shape:
            return replace(_product(call, large, small), factor=factor)
    raise _unsupported(a, b)


def without_copies(view: View) -> View:
    """Return a view with one place where all places along an axis show the same elements."""
    index = view.index
    for axis in range(index.ndim):
        first = index.narrow(axis, 0, 1)
        if torch.equal(index, first.expand_as(index)):
            index = first
    return replace(view, index=index)


def _product(call: Call, large: View, small: View) -> View:
    """Try each axis that may hold the channels, and all of them together.

    The first problem is told.
    """
    axes = {4: (1, -1), 3: (-1, 1)}.get(len(large.shape), (-1,))
    try:
        return first_captured(partial(_product_along, call, large, small, axis) for axis in axes)
    except Unsupported:
        found = _product_anywhere(call, large, small)
        if found is None:
            raise
        return found


def _product_anywhere(call: Call, large: View, small: View) -> View | None:
    """Multiply in the layout of the larger operand's source, since elements may lie anywhere."""
    large, small = (with_shown_positions(call.drafts, view) for view in (large, small))
    order = large.index.reshape(-1).argsort()
    shape = (1, *large.source.shape[:-1], -1)
    if len(shape) != 4 or len(order) % (large.source.size // large.source.shape[-1]):
        return None
    arranged = [
        replace(view, index=view.index.expand(large.shape).reshape(-1)[order].reshape(shape))
        for view in (large, small)
    ]
    try:
        found = _product_along(call, arranged[0], without_copies(arranged[1]), -1)
    except Unsupported:
        return None
    index = found.index.reshape(-1)[inverse(order)].reshape(large.shape)
    return replace(found, index=index)


def _product_along(call: Call, large: View, small: View, axis: int) -> View:
    channels = reordered_channels(large, axis)
    if channels is not None:
        # The smaller operand takes the order of the larger one, such as shuffled channels.
        places = channels.argsort()
        operands = _taken(large, axis, places), _taken(small, axis, places)
        return _taken(_product_along(call, *operands, axis), axis, channels)
    if _positions(large, axis) == _positions(small, axis):
        drafts, order, _ = aligned(call, [large, small], (axis,))
    else:
        drafts, order = _repeated(call, large, small, axis)
    draft = call.add(Multiply(), drafts, "multiply", own=False)
    return shown(draft, order, large, axis)


def _taken(view: View, axis: int, places: torch.Tensor) -> View:
    """Return the view with other places along an axis; one place for all stays."""
    axis %= len(view.shape)
    if view.shape[axis] == 1:
        return view
    return replace(view, index=view.index.index_select(axis, places))


def _repeated(
    call: Call, large: View, small: View, axis: int
) -> tuple[tuple[Draft, Draft], torch.Tensor]:
    """Return both drafts where a position of the second holds for several of the first."""
    draft, order = rows(call.drafts, large, axis)
    found = rows_and_columns(small.index, axis, small.source.shape[-1])
    count = small.source.size // small.source.shape[-1]
    if found is None or not covers(found[0], count):
        raise _unsupported(large, small)
    kept, columns = found
    spread = kept.reshape(_positions(small, axis)).expand(_positions(large, axis)).reshape(-1)
    if not torch.equal(spread, order // (len(order) // count)):
        raise _unsupported(large, small)
    if not (len(columns) == small.source.shape[-1] and is_identity(columns)):
        return (draft, call.drafts.select(small.source, columns)), order
    return (draft, small.source), order


def _positions(view: View, axis: int) -> tuple[int, ...]:
    """Return the shape without the axis of the channels."""
    place = axis % len(view.shape)
    return view.shape[:place] + view.shape[place + 1 :]


def _unsupported(a: View, b: View) -> LayoutUnsupported:
    return LayoutUnsupported(
        f"a product of {a.shape} and {b.shape}, made of {a.source.base!r} {a.source.shape} and "
        f"{b.source.base!r} {b.source.shape}",
        "two tensors of one shape, or one of which is a vector for all positions, a vector for "
        "every sequence of tokens, or a single channel",
        "bring both to the same layout first",
    )
