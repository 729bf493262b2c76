"""Channels in the place of positions: attention over channels, and layers over positions.

Cross-covariance attention (El-Nouby et al., arXiv 2106.09681) takes the channels of a head for
tokens, whose elements are its values at all positions. Linear attention (Katharopoulos et al.,
arXiv 2006.16236) is the same with values, keys and queries in other places: the products of values
and keys over all positions weigh the queries. MLP-Mixer (Tolstikhin et al., arXiv 2105.01601) has
linear layers over positions. All read a transposed value, and what follows is what it is for
tokens.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from hyq_hls.capture.drafts import Draft, Drafts, View
from hyq_hls.capture.index_maps import covers, is_identity
from hyq_hls.capture.transpose import Transpose


def turned(drafts: Drafts, view: View, axis: int) -> View | None:
    """Return the view of a transposed draft, whose channels lie along an axis of the view.

    Args:
        drafts: all drafts.
        view: a view of a map or of tokens.
        axis: the axis; its places have to show all positions of one channel, in the same order
            everywhere.

    Returns:
        The view of tokens ``(1, channels, positions)``; None where the axis shows anything else.
    """
    source = view.source
    if len(source.shape) != 3 or source.means is not None:
        return None
    count, width = source.shape[0] * source.shape[1], source.shape[2]
    table = view.index.movedim(axis, -1).reshape(-1, view.shape[axis])
    channel, order = table[:, 0] % width, table[0] // width
    if count == 1 or not covers(order, count):
        return None
    if not torch.equal(table, order * width + channel[:, None]):
        return None
    columns = torch.unique(channel)
    if len(columns) != len(channel):
        return None
    row = _one_row(drafts, drafts.select(source, columns), view)
    draft = drafts.layout(Transpose(), (row,), view, "transpose")
    index = torch.searchsorted(columns, channel)[:, None] * count + order
    lead = [size for place, size in enumerate(view.shape) if place != axis % len(view.shape)]
    index = index.reshape(*lead, count).movedim(-1, axis)
    return View(draft, index, view.factor, view.chain if not is_identity(index) else ())


def turned_matrices(drafts: Drafts, view: View) -> View:
    """Return an operand ``(..., N, D)`` of a product whose tokens are channels as one of tokens.

    Every matrix becomes a sequence of its own. It is the view itself where the last axis shows
    anything else than all positions of a channel.
    """
    found = turned(drafts, view, -1)
    if found is None or not is_identity(found.index):
        return view
    count = view.shape[-2]
    groups = torch.arange(math.prod(view.shape[:-1])).reshape(-1, count)
    if len(groups) == 1:
        return found
    return replace(found, source=drafts.permute(found.source, groups, True, view))


def turned_back(drafts: Drafts, view: View) -> View:
    """Return the view of channels ``(P, N, C)`` as one of tokens ``(1, C, P * N)``."""
    source = view.source
    count = source.shape[2]
    draft = drafts.layout(Transpose(), (_one_row(drafts, source, view),), view, "transpose")
    index = view.index % count * draft.shape[2] + view.index // count
    return replace(view, source=draft, index=index)


def _one_row(drafts: Drafts, draft: Draft, view: View) -> Draft:
    """Return all positions as one sequence."""
    if not draft.tokens:
        return drafts.unfold(draft, (1, 1), view)
    if draft.shape[0] == 1:
        return draft
    count = draft.shape[0] * draft.shape[1]
    return drafts.permute(draft, torch.arange(count).reshape(1, -1), True, view)
