"""Concatenation and stacking of any number of tensors, constants among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from math import prod
from typing import Any

import numpy as np
import torch

from hyq_hls.capture import float_ops
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.channel_constants import shift_by, unwrapped
from hyq_hls.capture.compute import aligned
from hyq_hls.capture.drafts import Draft, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.index_maps import covers, is_identity
from hyq_hls.capture.layouts import fresh, rows, rows_with_columns, seen, shown, whole_without_picks
from hyq_hls.capture.positions import ConcatConstant, ConcatPositions

_Join = Callable[[list[torch.Tensor], int], torch.Tensor]
_Operand = View | torch.Tensor


def concat(call: Call) -> View:
    """Capture a concatenation of channels or of positions."""
    return concatenated(call, call.get("tensors"), int(call.get("dim")))


def concatenated(call: Call, values: Sequence[Any], dim: int) -> View:
    """Join tensors along an axis; some may be constants, not all."""
    operands = [_operand(call, value) for value in values]
    views = [operand for operand in operands if isinstance(operand, View)]
    axis = dim % len(views[0].shape)
    if len(operands) == 1:
        return views[0]
    if len(views) < len(operands):
        try:
            return _sequence(call, operands, axis)
        except Unsupported as problem:
            return _constant_channels(call, operands, axis, problem)
    again = _put_together(call, views, axis, torch.cat)
    if again is not None and covers(again.index, again.source.size):
        return again
    try:
        drafts, order, channels = aligned(call, views, (axis,))
    except Unsupported:
        return again or _of_several(call, views, axis, torch.cat)
    return shown(_side_by_side(call, list(drafts)), order, views[0], channels)


def stack(call: Call) -> View:
    """Capture a concatenation along a new axis."""
    views, axis = [call.as_view(value) for value in call.get("tensors")], int(call.get("dim"))
    again = _put_together(call, views, axis, torch.stack)
    return again or _of_several(call, views, axis, torch.stack)


def _operand(call: Call, value: Any) -> _Operand:
    return value.double() if isinstance(value, torch.Tensor) else call.as_view(value)


def _put_together(call: Call, views: list[View], axis: int, join: _Join) -> View | None:
    """Join parts of one tensor, which is a data movement; None where they are no such parts."""
    first = views[0]
    if any(v.source is not first.source or v.factor != first.factor for v in views):
        return _rescaled(call, views, axis, join)
    chain = tuple(dict.fromkeys(name for view in views for name in view.chain))
    index = join([v.index for v in views], axis)
    return View(first.source, index, first.factor, (*chain, call.node.name))


def _of_several(call: Call, views: list[View], axis: int, join: _Join) -> View:
    """Join views of several tensors along any axis.

    Positions are joined where they follow each other. Other tensors with the same number of
    positions become one tensor with all their channels, of which the result is a re-arrangement.
    """
    if join is torch.cat:
        for way in (_sequence, _grid):
            try:
                return way(call, views, axis)
            except Unsupported:
                continue
    views = [_trimmed(call, fresh(view)) for view in views]
    sources = list(dict.fromkeys(view.source for view in views))
    if len({source.shape[:-1] for source in sources}) != 1:
        shapes = " and ".join(f"{source.base!r} {source.shape}" for source in sources)
        raise LayoutUnsupported(
            f"{call.operation} of {shapes} along axis {axis}",
            "tensors with the same number of positions, or positions of one sequence or map behind "
            "those of another",
            "bring all to tokens (B, N, C), or to maps (B, C, H, W), first",
        )
    draft = _side_by_side(call, sources)
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


def _sequence(call: Call, operands: Sequence[_Operand], axis: int) -> View:
    """Join sequences along their tokens.

    All that an operand has at one place of ``axis`` are channels of one token, whatever axes they
    lie on: ``(B, N, C)``, ``(N, B, C)``, ``(B, C, N)`` and ``(B, heads, N, C / heads)`` are alike.
    """
    tables = [_table(operand, axis) for operand in operands]
    settled = {
        i: _as_tokens(call, table) for i, table in enumerate(tables) if isinstance(table, View)
    }
    columns = next(iter(settled.values()))[2]
    same = all(torch.equal(own, columns) for _, _, own in settled.values())
    kept = same and covers(columns, next(iter(settled.values()))[0].shape[-1])
    parts: list[Draft | torch.Tensor] = []
    for i, table in enumerate(tables):
        if isinstance(table, torch.Tensor):
            parts.append(table[:, columns.argsort()] if kept else table)
            continue
        draft, order, own = settled[i]
        if draft.shape[:-1] != (1, len(order)) or not is_identity(order):
            raise _orders(call, draft)
        parts.append(draft if kept else call.drafts.select(draft, own))
    draft = _concatenated_positions(call, parts, 1)
    columns = columns if kept else torch.arange(len(columns))
    index = torch.arange(draft.shape[1])[:, None] * len(columns) + columns
    first = next(operand for operand in operands if isinstance(operand, View))
    others = [size for place, size in enumerate(first.shape) if place != axis]
    return seen(draft, index.reshape(-1, *others).movedim(0, axis))


def _as_tokens(call: Call, table: View) -> tuple[Draft, torch.Tensor, torch.Tensor]:
    """Return tokens with their positions and channels, also where windows are read as maps."""
    draft, order, columns = rows_with_columns(call.drafts, table, -1)
    if len(draft.shape) == 3 and not draft.tokens and is_identity(order) and draft.shape[0] > 1:
        draft = call.drafts.unfold(draft, (1, 1), table)
    return draft, order, columns


def _table(operand: _Operand, axis: int) -> _Operand:
    """Return a view ``(1, N, C)`` whose N tokens lie along ``axis``, or constants ``(N, C)``."""
    if isinstance(operand, torch.Tensor):
        return operand.movedim(axis, 0).flatten(1)
    return replace(operand, index=operand.index.movedim(axis, 0).flatten(1)[None])


def _grid(call: Call, views: list[View], axis: int) -> View:
    """Join rows or columns of maps, or the tokens of every pixel of a patch."""
    rank = len(views[0].shape)
    failure: Unsupported | None = None
    for channels in {4: (1, 3), 3: (2,)}.get(rank, ()):
        if channels == axis:
            continue
        try:
            settled = [rows(call.drafts, view, channels) for view in views]
        except Unsupported as error:
            failure = failure or error
            continue
        lead = [size for place, size in enumerate(views[0].shape) if place != channels]
        place = axis - (channels < axis)
        before, after = prod(lead[:place]), prod(lead[place + 1 :])
        joined = 1 if after == 1 else 0
        for draft, order in settled:
            same = draft.shape[0] == before if joined else before == 1 and draft.shape[1] == after
            if len(draft.shape) != 3 or not (same and is_identity(order)):
                raise _orders(call, draft)
        result = _concatenated_positions(call, [draft for draft, _ in settled], joined)
        lead[place] = sum(view.shape[axis] for view in views)
        index = torch.arange(result.size).reshape(*lead, result.shape[-1])
        return seen(result, index.movedim(-1, channels))
    raise failure or _orders(call, views[0].source)


def _orders(call: Call, draft: Draft) -> LayoutUnsupported:
    return LayoutUnsupported(
        f"{call.operation} of positions of {draft.base!r} {draft.shape} in another order",
        "positions in their order, with whole channels",
        "bring all tensors to tokens (B, N, C), or to maps (B, C, H, W), first",
    )


def _concatenated_positions(call: Call, parts: Sequence[Draft | torch.Tensor], axis: int) -> Draft:
    """Append one node for all constants that follow each other, and one for every other part."""
    result: Draft | None = None
    before: torch.Tensor | None = None
    for constant, group in groupby(parts, lambda part: isinstance(part, torch.Tensor)):
        if constant:
            table = torch.cat([part for part in group if isinstance(part, torch.Tensor)])
            if result is None:
                before = table
            else:
                op = ConcatConstant(table.numpy(), first=False)
                result = call.add(op, (result,), "tokens", own=False)
            continue
        for part in group:
            assert isinstance(part, Draft)
            if result is None:
                result = part
                if before is not None:
                    op = ConcatConstant(before.numpy(), first=True)
                    result = call.add(op, (part,), "tokens", own=False)
            else:
                result = call.add(ConcatPositions(axis), (result, part), "concat", own=False)
    assert result is not None
    return result


def _constant_channels(
    call: Call, operands: Sequence[_Operand], axis: int, problem: Unsupported
) -> View:
    """Append constant channels: a layer makes room for them, and a constant fills it."""
    views = [operand for operand in operands if isinstance(operand, View)]
    try:
        settled = [rows_with_columns(call.drafts, view, axis) for view in views]
    except Unsupported:
        raise problem from None
    first, order, _ = settled[0]
    if any(d.shape[:-1] != first.shape[:-1] or not torch.equal(o, order) for d, o, _ in settled):
        raise problem
    # Each channel of a view takes its own from those of all drafts, side by side.
    ends = np.cumsum([draft.shape[-1] for draft, _, _ in settled])
    taken = [end - d.shape[-1] + c.numpy() for end, (d, _, c) in zip(ends, settled, strict=True)]
    filled = torch.cat([_like(operand, axis, isinstance(operand, View)) for operand in operands])
    weight = np.zeros((len(filled), ends[-1]))
    weight[filled.numpy(), np.concatenate(taken)] = 1.0
    op = float_ops.Linear(weight, np.zeros(len(filled)))
    source = _side_by_side(call, [draft for draft, _, _ in settled])
    draft = call.add(op, (source,), "channels", own=False)
    constants = [
        torch.zeros(operand.shape) if isinstance(operand, View) else operand for operand in operands
    ]
    return shift_by(call, shown(draft, order, views[0], axis), torch.cat(constants, axis))


def _like(operand: _Operand, axis: int, value: bool) -> torch.Tensor:
    return torch.full((operand.shape[axis],), value)


def _trimmed(call: Call, view: View) -> View:
    """Let the layer before compute the channels only that the view shows, where it can."""
    try:
        return whole_without_picks(call.drafts, view)
    except Unsupported:
        return view


def _side_by_side(call: Call, drafts: list[Draft]) -> Draft:
    """Append concatenations of pairs, because integers are concatenated in pairs."""
    result, *others = drafts
    for other in others:
        result = call.add(float_ops.Concat(), (result, other), "concat", own=False)
    return result
