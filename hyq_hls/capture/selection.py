"""Leave out the positions of a map, or of tokens, that a view does not show."""

from __future__ import annotations

from dataclasses import replace

import torch

from hyq_hls.capture.drafts import Draft, Drafts, View


def with_shown_positions(drafts: Drafts, view: View) -> View:
    """Return the view of a draft that has no other positions than those that the view shows.

    It is the view itself where they are all positions, or cannot be told by rows and columns.
    """
    draft = view.source
    if len(draft.shape) != 3:
        return view
    channels = draft.shape[-1]
    shown = torch.zeros(draft.size // channels, dtype=torch.bool)
    shown[view.index.reshape(-1) // channels] = True
    if bool(shown.all()):
        return view
    if not draft.tokens and (len(view.shape) == 3 or not _is_grid(shown, draft)):
        draft = drafts.unfold(draft, (1, 1), view)  # The positions stay in their order.
    if not _is_grid(shown, draft):
        return view
    grid = shown.reshape(draft.shape[:2])
    rows, columns = (grid.any(dim=axis).nonzero().reshape(-1) for axis in (1, 0))
    part = drafts.select_positions(draft, rows, columns, view)
    place = shown.cumsum(0) - 1
    index = place[view.index // channels] * channels + view.index % channels
    return replace(view, source=part, index=index)


def _is_grid(shown: torch.Tensor, draft: Draft) -> bool:
    """Return whether the shown positions are all crossings of some rows and some columns."""
    grid = shown.reshape(draft.shape[:2])
    return torch.equal(grid, grid.any(dim=1)[:, None] & grid.any(dim=0))
