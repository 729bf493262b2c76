"""A map of twice the height and width: the float operation, and the handler that captures it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch.nn import functional

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import View
from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.layouts import feature_map, seen

Mode = Literal["bilinear", "nearest"]

#: Modes by the names of aten. At twice the size, both kinds of nearest are the same copies.
MODES: dict[str, Mode] = {
    "upsample_bilinear2d": "bilinear",
    "upsample_nearest2d": "nearest",
    "_upsample_nearest_exact2d": "nearest",
}


@dataclass(frozen=True, eq=False, repr=False)
class Upsample(FloatOp):
    """Map ``(H, W, C)`` to ``(2H, 2W, C)``, without aligned corners.

    Attributes:
        mode: ``bilinear``, or ``nearest`` for copies.
    """

    mode: Mode

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(2H, 2W, C)`` for ``(H, W, C)``."""
        self._expect(len(shapes) == 1 and len(shapes[0]) == 3, shapes, "(H, W, C)")
        height, width, channels = shapes[0]
        return (2 * height, 2 * width, channels)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, H, W, C)`` to ``(B, 2H, 2W, C)``."""
        (x,) = inputs
        y = functional.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0, mode=self.mode)
        return y.permute(0, 2, 3, 1)


def upsample(call: Call, size: tuple[int, ...]) -> View | None:
    """Capture a resize to the map ``size``; None where it is none that has an operation."""
    view = call.pending(next(iter(call.arguments.values())))
    if view.shape[2:] == (1, 1) and "upsample" in call.operation:  # The same value everywhere.
        copies = view.index.expand(*view.shape[:2], *size)
        return replace(view, index=copies, chain=(*view.chain, call.node.name))
    mode = MODES.get(call.operation)
    twice = tuple(2 * n for n in view.shape[2:])
    if mode is None or call.get("align_corners") or size != twice:
        return None
    draft = call.add(Upsample(mode), (feature_map(call.drafts, call.settled(view)),), "upsample")
    return seen(draft, torch.arange(draft.size).reshape(1, *draft.shape).permute(0, 3, 1, 2))
