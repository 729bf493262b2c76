"""Join the channels of several positions, as the patch merging of Swin does."""

from __future__ import annotations

from dataclasses import replace

import torch

from hyq_hls.capture.drafts import Draft, Drafts, View
from hyq_hls.capture.float_ops import Concat
from hyq_hls.capture.index_maps import covers, rows_and_columns
from hyq_hls.capture.selection import with_shown_positions


def with_merged_positions(drafts: Drafts, view: View, axis: int) -> View:
    """Return a view of one draft with the channels that ``view`` takes from several positions.

    The positions of each part, such as every second pixel of every second row, become a draft of
    their own. The result has the channels of all these drafts, part after part. It is the view
    itself where its channels do not come from such parts.

    Args:
        drafts: all drafts.
        view: a view whose places along ``axis`` show channels of some positions each.
        axis: the axis of the channels.
    """
    channels = view.source.shape[-1]
    table = view.index.movedim(axis, -1).reshape(-1, view.shape[axis])
    if table.shape[1] <= channels or table.shape[1] % channels or len(table) == 1:
        return view
    # The places of one part show the same position everywhere.
    parts, part_of = torch.unique(table // channels, dim=1, return_inverse=True)
    if parts.shape[1] * channels != table.shape[1]:
        return view
    joined: Draft | None = None
    index, offset = torch.empty_like(view.index), 0
    for part in dict.fromkeys(part_of.tolist()):
        places = (part_of == part).nonzero().reshape(-1)
        piece = replace(view, index=view.index.index_select(axis, places))
        piece = with_shown_positions(drafts, piece)
        found = rows_and_columns(piece.index, axis, channels)
        if found is None or not covers(found[0], piece.source.size // channels):
            return view
        own = piece.index // channels * table.shape[1] + offset + piece.index % channels
        index.index_copy_(axis % index.ndim, places, own)
        offset += channels
        if joined is None:
            joined = piece.source
        else:
            joined = drafts.layout(Concat(), (joined, piece.source), view, "concat")
    assert joined is not None
    return replace(view, source=joined, index=index)
