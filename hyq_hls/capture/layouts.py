"""Turn a view of a draft into a draft in the layout that an operation needs.

Functions here look at index maps only, so it does not matter how the model wrote its reshapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from hyq_hls.capture.drafts import Draft, Drafts, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import Unfold
from hyq_hls.capture.index_maps import (
    covers,
    find_fold,
    find_unfold,
    inverse,
    is_identity,
    rows_and_columns,
)
from hyq_hls.capture.positions import PermutePositions
from hyq_hls.capture.scores import is_scores
from hyq_hls.capture.selection import with_shown_positions
from hyq_hls.capture.windows import regrouped

Grid = tuple[int, int]

_POSITIONS = "every position of one map, or of one set of tokens, exactly once"
_MOVEMENT = (
    "bring the tensor to (B, C, H, W), to tokens (B, N, C), or to patch tokens (B * P, N, C) as "
    "MobileViT unfolds them"
)


def fresh(view: View) -> View:
    """Return the view itself, or raise ``Unsupported`` if its values wait for a mean over more."""
    means = view.source.means
    if means is not None and means.shape[1] == view.source.inputs[0].size:
        raise LayoutUnsupported(
            f"a mean or sum over all elements of {view.source.base!r}, channels included",
            "a mean over all positions of each channel",
            "take the mean over positions, then nn.Linear with weights 1 / channels",
            view.source.origin,
        )
    if means is not None:
        raise LayoutUnsupported(
            f"a mean or sum over {means.shape[1]} elements at a time of "
            f"{view.source.base!r} {view.source.inputs[0].shape}",
            "a mean over all positions, in one step or in steps that follow each other",
            "take the mean over the whole map, or use nn.AvgPool2d to make a map smaller",
            view.source.origin,
        )
    return view


def whole(drafts: Drafts, view: View) -> View:
    """Return the view of all elements of a draft, each once.

    A part of its channels becomes a node of its own.
    """
    return _whole(with_shown_positions(drafts, view), drafts.select)


def whole_without_picks(drafts: Drafts, view: View) -> View:
    """Do what ``whole`` does, but only where a layer can compute a part of the channels alone.

    Raises:
        LayoutUnsupported: no layer can.
    """
    return _whole(with_shown_positions(drafts, view), drafts.part)


def _whole(view: View, choose: Callable[[Draft, torch.Tensor], Draft | None]) -> View:
    """Return the view of all elements; ``choose`` makes the draft of some channels, if it can."""
    view = fresh(view)
    if covers(view.index, view.source.size):
        return view
    for axis in (1, -1) if len(view.shape) == 4 else (-1,):
        found = rows_and_columns(view.index, axis, view.source.shape[-1])
        if found is None or not covers(found[0], _positions(view.source)):
            continue
        if (draft := choose(view.source, found[1])) is not None:
            return shown(draft, found[0], view, axis)
    found = _everywhere(view)
    if found is not None and (draft := choose(view.source, found[0])) is not None:
        return seen(draft, found[1], view)
    raise _scattered(view)


def _everywhere(view: View) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Find the channels that a view shows at every position once, in any arrangement.

    Returns:
        The channels, and the view's index into a draft of these alone; None where there are none.
    """
    width = view.source.shape[-1]
    shown_index = view.index.contiguous()
    columns = torch.unique(shown_index % width)
    index = torch.searchsorted(columns, shown_index % width)
    index += shown_index // width * len(columns)
    return (columns, index) if covers(index, _positions(view.source) * len(columns)) else None


def rows(drafts: Drafts, view: View, axis: int) -> tuple[Draft, torch.Tensor]:
    """Return the draft with channels along ``axis`` of the view, and the position at each place.

    A map seen as tokens gets an ``Unfold``, tokens seen as a map get a ``Fold``. An operation that
    treats positions alike may work on the draft whatever the order of the positions is.

    Raises:
        Unsupported: the view mixes channels and positions, or shows some positions only.
    """
    draft, order, columns = rows_with_columns(drafts, view, axis)
    return drafts.select(draft, columns), order


def rows_with_columns(
    drafts: Drafts, view: View, axis: int
) -> tuple[Draft, torch.Tensor, torch.Tensor]:
    """Do what ``rows`` does, but also give the channel at each place of ``axis``."""
    view = fresh(view)
    found = rows_and_columns(view.index, axis, view.source.shape[-1])
    if found is None or not covers(found[0], _positions(view.source)):
        part = with_shown_positions(drafts, view)
        if part is view:
            raise _scattered(view)
        return rows_with_columns(drafts, part, axis)
    order, columns = found
    draft = view.source
    if len(draft.shape) == 3 and drafts.windows:
        draft, order = regrouped(drafts, view, order, _lead(view, axis))
    elif len(draft.shape) == 3:
        settle = _settle_tokens if draft.tokens else _settle_map
        draft, order = settle(drafts, view, order, _grid(view, axis))
    return draft, order, columns


def _settle_map(
    drafts: Drafts, view: View, order: torch.Tensor, grid: Grid | None
) -> tuple[Draft, torch.Tensor]:
    draft = view.source
    height, width = draft.shape[:2]
    rank = len(view.shape)
    if drafts.sequence_first and rank == 3 and grid is not None and grid[1] == 1:
        # Tokens (N, 1, C) are one sequence in PyTorch's sequence-first layout. As (P, N, C) they
        # are P sequences of a single position: those of a map that is as large as one patch.
        grid = (1, grid[0])
    # Only a tensor (B, N, C) or (B, P, N, C) says that its author sees tokens in it.
    whole_map = rank == 4 and grid == (height, width)
    untouched = whole_map or rank not in (3, 4) or height * width == 1
    if not (untouched and is_identity(order)):
        unfold = find_unfold(order, height, width, grid)
        if unfold is not None:
            return drafts.unfold(draft, unfold[0], view), unfold[1]
    return draft, order


def _settle_tokens(
    drafts: Drafts, view: View, order: torch.Tensor, grid: Grid | None
) -> tuple[Draft, torch.Tensor]:
    draft = view.source
    pixels, count = draft.shape[:2]
    if len(view.shape) != 4 or grid is None:
        return draft, order
    swapped = grid == (count, pixels) and is_identity(order.reshape(grid).T)
    if swapped or (grid == (pixels, count) and is_identity(order)):
        return draft, order
    patch = find_fold(order, pixels, count, *grid)
    if patch is None:
        return draft, order
    return drafts.fold(draft, patch, grid, view), torch.arange(len(order))


def reordered_channels(view: View, axis: int) -> torch.Tensor | None:
    """Return the channel at each place of ``axis`` where all are there in another order."""
    found = rows_and_columns(view.index, axis, view.source.shape[-1])
    if found is None or is_identity(found[1]) or not covers(found[1], view.source.shape[-1]):
        return None
    return found[1]


def feature_map(drafts: Drafts, view: View) -> Draft:
    """Return the draft ``(H, W, C)`` of a view ``(1, C, H, W)``; tokens get a ``Fold``."""
    draft, columns = map_with_columns(drafts, view)
    return drafts.select(draft, columns)


def map_with_columns(drafts: Drafts, view: View) -> tuple[Draft, torch.Tensor]:
    """Do what ``feature_map`` does, but also give the channel at each place of the channel axis."""
    view = fresh(view)
    if len(view.shape) != 4 or view.shape[0] != 1:
        raise Unsupported(
            f"a tensor of shape {view.shape}", "a feature map (1, C, H, W)", "add the batch axis"
        )
    height, width = view.shape[2:]
    found = rows_and_columns(view.index, 1, view.source.shape[-1])
    if found is None:
        raise _scattered(view)
    order, columns = found
    draft = view.source
    if len(draft.shape) == 3:
        if draft.shape[:2] == (height, width) and is_identity(order) and not draft.tokens:
            return draft, columns
        part = with_shown_positions(drafts, view)
        if part is not view:
            return map_with_columns(drafts, part)
        if not covers(columns, draft.shape[-1]):
            draft, columns = drafts.select(draft, columns), torch.arange(len(columns))
        if is_identity(order) and not draft.tokens:
            # A map whose rows follow each other in one long row, or that is cut into other rows.
            draft = drafts.unfold(draft, (1, 1), view)
        patch = find_fold(order, draft.shape[0], draft.shape[1], height, width)
        if patch is not None:
            return drafts.fold(draft, patch, (height, width), view), columns
        if drafts.windows and covers(order, _positions(draft)):
            return drafts.permute(draft, order.reshape(height, width), False, view), columns
    raise _scattered(view)


def output(drafts: Drafts, view: View) -> View:
    """Return the view of a module's output, which may have any shape and order.

    Where the view shows a part of a layer's channels, the layer computes no others.
    """
    view = fresh(view)
    try:
        return _whole(view, drafts.part)
    except Unsupported:
        return view


def shown(draft: Draft, order: torch.Tensor, view: View, axis: int) -> View:
    """Return the view of ``draft`` with the positions ``order`` at the places of ``view``."""
    channels = draft.shape[-1]
    lead = _lead(view, axis)
    index = (order[:, None] * channels + torch.arange(channels)).reshape(*lead, channels)
    return seen(draft, index.movedim(-1, axis), view)


def seen(draft: Draft, index: torch.Tensor, before: View | None = None) -> View:
    """Return the view of the present value of ``draft``.

    Rearrangements that are not settled yet stay in its chain.
    """
    chain = before.chain if before is not None and not is_identity(index) else ()
    return View(draft, index, 1.0, chain)


def sequences_of(
    view: View, places: torch.Tensor, windows: bool
) -> tuple[FloatOp | None, torch.Tensor]:
    """Find the movement of the source into sequences of positions ``places`` ``(L, N)``.

    Args:
        view: a view of a map or of tokens.
        places: the positions of each sequence; sequences may come several times.
        windows: whether positions may be grouped in any way.

    Returns:
        The movement, None if the source is already such tokens, and ``places`` as token indices.
    """
    draft = view.source
    if len(draft.shape) != 3:
        raise _scattered(view)
    count = places.shape[1]
    of_rows = torch.equal(places, places[:, :1] // count * count + torch.arange(count))
    if windows and count == 1:
        raise _single(draft)
    if draft.tokens and draft.shape[1] == count and (of_rows or not windows):
        return None, places
    height, width = draft.shape[:2]
    distinct = torch.unique(places, dim=0)
    # Sequences in the order of their first pixel, which is that of the patch pixels.
    distinct = distinct[distinct[:, 0].argsort()]
    if covers(distinct, height * width):
        order = inverse(distinct.reshape(-1))
        grid = (len(distinct), count)
        found = None if draft.tokens else find_unfold(distinct.reshape(-1), height, width, grid)
        if found is not None and is_identity(found[1]) and math.prod(found[0]) == grid[0]:
            return Unfold(found[0]), order[places]
        if windows or (draft.tokens and count > 1 and is_identity(distinct)):
            return PermutePositions(tuple(map(tuple, distinct.tolist()))), order[places]
    if count == 1:
        raise _single(draft)
    raise LayoutUnsupported(
        f"attention over sequences of {count} positions of {draft.base!r} {draft.shape}",
        "attention over all positions, over one pixel of every patch, or over windows",
        "windows that overlap, or leave positions out, are not supported; " + _MOVEMENT,
    )


def _single(draft: Draft) -> LayoutUnsupported:
    return LayoutUnsupported(
        f"attention over sequences of a single position of {draft.base!r} {draft.shape}",
        "attention over the positions of an image",
        "see which axis is the batch: nn.MultiheadAttention takes (B, N, C) with "
        "batch_first=True, and (N, B, C) without it",
    )


def _positions(draft: Draft) -> int:
    return draft.size // draft.shape[-1]


def _lead(view: View, axis: int) -> list[int]:
    return [size for place, size in enumerate(view.shape) if place != axis % len(view.shape)]


def _grid(view: View, axis: int) -> Grid | None:
    lead = _lead(view, axis)
    if len(lead) < 2 or math.prod(lead[:-2]) != 1:
        return None
    return lead[-2], lead[-1]


def _scattered(view: View) -> LayoutUnsupported:
    if is_scores(view.source):
        return LayoutUnsupported(
            f"the product {view.shape} of two activations, {view.source.base!r}, as channels",
            "a softmax of such a product, or its product with values, as attention has it",
            "write attention as F.scaled_dot_product_attention(q, k, v); where it is a weighted "
            "sum over the positions of a map, take their mean and fine-tune",
        )
    count = len(torch.unique(view.index))
    part = "all" if count == view.source.size else f"{count}"
    return LayoutUnsupported(
        f"a tensor {view.shape} made of {part} of the {view.source.size} elements of "
        f"{view.source.base!r} {view.source.shape} in an order that mixes channels and positions, "
        "or with a part of the positions",
        _POSITIONS + ", with whole channels along one axis",
        _MOVEMENT,
    )
