"""Group positions in any way: windows of a map, shifted or strided ones, and the map again.

``Unfold`` and ``Fold`` are the groups of MobileViT. Any others are a permutation of positions. This
reading of a network is tried where that of MobileViT does not fit: it makes tokens as early as a
model groups them, and a map as early as the model puts it together, so that one permutation serves
all operations in between.
"""

from __future__ import annotations

import math

import torch

from hyq_hls.capture.drafts import Draft, Drafts, View
from hyq_hls.capture.index_maps import find_fold, find_unfold, is_identity


def regrouped(
    drafts: Drafts, view: View, order: torch.Tensor, lead: list[int]
) -> tuple[Draft, torch.Tensor]:
    """Return the draft with its positions in groups as the view shows them.

    Args:
        drafts: all drafts.
        view: a view of a map or of tokens.
        order: the position at each place of the view.
        lead: the axes of the view without that of the channels.

    Returns:
        The draft, and its position at each place of the view.
    """
    draft = view.source
    if len(lead) < 2:
        return draft, order
    grid, tokens = _grid(draft, lead)
    if draft.shape[:2] == grid and is_identity(order) and (draft.tokens or lead[0] == 1):
        return draft, order
    places = torch.arange(len(order))
    height, width = draft.shape[:2]
    if draft.tokens:
        patch = find_fold(order, height, width, *grid)
        if patch is not None:
            return drafts.fold(draft, patch, grid, view), places
    else:
        found = find_unfold(order, height, width, grid)
        if found is not None and math.prod(found[0]) == grid[0] and is_identity(found[1]):
            return drafts.unfold(draft, found[0], view), places
    return drafts.permute(draft, order.reshape(grid), tokens, view), places


def _grid(draft: Draft, lead: list[int]) -> tuple[tuple[int, int], bool]:
    """Return the two axes of the positions, and whether they are sequences and not a map.

    A first axis of more than the one image counts sequences. Four axes and more end in those of a
    window. Two axes of one image are a map if the draft is tokens, and sequences if it is a map.
    One axis is all positions of a map.
    """
    first, *rest = lead
    if first > 1:
        return (first, math.prod(rest)), True
    if len(rest) == 1:
        size = _map_before(draft, rest[0])
        return ((1, rest[0]), True) if size is None else (size, False)
    if len(rest) == 2:
        return (rest[0], rest[1]), not draft.tokens
    return (math.prod(rest[:-2]), math.prod(rest[-2:])), True


def _map_before(draft: Draft, count: int) -> tuple[int, int] | None:
    """Return the size of the last map of ``count`` positions that the draft was made of."""
    while True:
        if not draft.tokens and len(draft.shape) == 3 and math.prod(draft.shape[:2]) == count:
            return draft.shape[0], draft.shape[1]
        if not draft.inputs:
            return None
        draft = draft.inputs[-1]
