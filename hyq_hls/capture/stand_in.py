"""Stand-ins for the values of unsupported nodes, so that the nodes behind them are examined."""

from __future__ import annotations

import torch
from torch import fx

from hyq_hls.capture.drafts import Drafts, View


class Missing:
    """Stands for a value of which nothing is known; nodes that read it are not examined."""


def stand_in(drafts: Drafts, node: fx.Node) -> View | Missing:
    """Return a value whose shape suggests its layout, a map or tokens."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or value.ndim not in (2, 3, 4):
        return Missing()
    shape = tuple(value.shape)
    if value.ndim == 4:
        if shape[0] != 1:
            return Missing()
        stored = (*shape[2:], shape[1])
        draft = drafts.add_opaque(stored, node.name, tokens=False)
        index = torch.arange(draft.size).reshape(1, *stored)
        return View(draft, index.permute(0, 3, 1, 2))
    if value.ndim == 2 and shape[0] != 1:
        return Missing()
    draft = drafts.add_opaque(shape if value.ndim == 3 else shape[1:], node.name, tokens=True)
    return View(draft, torch.arange(draft.size).reshape(shape))
