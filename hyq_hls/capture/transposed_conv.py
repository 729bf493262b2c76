"""A transposed convolution as convolutions whose results lie side by side.

The rows ``s * t + r`` of the result, for a stride ``s``, see every ``s``-th row of the kernel only.
So each remainder ``r`` has a convolution of stride 1 with a smaller kernel, and together these
multiply as often as the transposed convolution does. Their maps become one by ``Fold``, which
places the pixels of a patch side by side (sub-pixel convolution: Shi et al., arXiv 1609.07009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.compute import convolved, is_vector, of_vector
from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.float_op import Array
from hyq_hls.capture.float_ops import Conv2d
from hyq_hls.capture.layouts import feature_map, seen
from hyq_hls.capture.maps import over_maps
from hyq_hls.capture.positions import ConcatPositions


@dataclass(frozen=True)
class _Remainder:
    """The convolution along one axis that gives the places ``stride * t + r`` of the result.

    Attributes:
        taps: places of the kernel in the order in which they meet the map; -1 where none does.
        padding: zeros on each side of the map.
        start: where the wanted places begin in the result of the convolution.
        count: how many places are wanted.
    """

    taps: list[int]
    padding: int
    start: int
    count: int


def conv_transpose(call: Call) -> View:
    """Capture a transposed convolution of a map, or of tokens ``(B, C, N)``, a map of one row."""
    view, weight = call.view("input"), call.array("weight", 0, 0)
    flat = weight.ndim == 3
    if len(view.shape) != weight.ndim:
        raise Unsupported(
            f"{call.operation} of a tensor {view.shape}",
            "tokens (B, C, N)" if flat else "a feature map (B, C, H, W)",
            "add the batch axis",
        )
    groups = int(call.get("groups"))
    bias = call.array("bias", 0.0, weight.shape[1] * groups)
    if is_vector(view):
        return of_vector(call, view, bias)
    if not flat:
        return _of_maps(call, view, weight, bias)
    view = replace(view, index=view.index.unsqueeze(2))
    result = _of_maps(call, view, weight[:, :, None], bias)
    return replace(result, index=result.index.squeeze(2))


def _of_maps(call: Call, view: View, weight: Array, bias: Array) -> View:
    groups = int(call.get("groups"))
    inputs, outputs, *kernel = weight.shape
    # As those of a convolution: (O, kh, kw, channels of a group).
    weight = weight.reshape(groups, inputs // groups, outputs, *kernel).transpose(0, 2, 3, 4, 1)
    weight = weight.reshape(outputs * groups, *kernel, inputs // groups)
    size = _pair(call.node.meta["val"].shape[2:], 1)
    axes = zip(
        *(kernel, size, view.shape[2:], _pair(call.get("stride"), 1)),
        *(_pair(call.get("padding"), 0), _pair(call.get("dilation"), 1)),
        strict=True,
    )
    rows, columns = ([_remainder(r, *axis) for r in range(min(axis[1], axis[3]))] for axis in axes)
    parts = [(_part(weight, bias, groups, pair), pair) for pair in product(rows, columns)]

    def work(part: View) -> View:
        phases = [_wanted(convolved(call, part, op), pair) for op, pair in parts]
        return _side_by_side(call, phases, (len(rows), len(columns)))

    result = over_maps(call, view, work)
    return replace(result, index=result.index[:, :, : size[0], : size[1]])


def _remainder(
    r: int, kernel: int, wanted: int, given: int, stride: int, padding: int, dilation: int
) -> _Remainder:
    """Find what the places ``stride * t + r`` of the result see, along one axis."""
    count = -(-wanted // stride)
    seen_at = {
        (r + padding - k * dilation) // stride: k
        for k in range(kernel)
        if (r + padding - k * dilation) % stride == 0
    }
    first, last = min(seen_at, default=0), max(seen_at, default=0)
    taps = [seen_at.get(place, -1) for place in range(first, last + 1)]
    # Both sides get the zeros of the one that needs more, and what they give too much is left out.
    around = max(0, -first, count - 1 + last - (given - 1))
    return _Remainder(taps, around, around + first, count)


def _part(weight: Array, bias: Array, groups: int, axes: tuple[_Remainder, _Remainder]) -> Conv2d:
    """Return the convolution of one remainder of both axes."""
    rows, columns = axes
    # A place that no weight meets, and a remainder that meets none at all, have a zero.
    padded = np.pad(weight, ((0, 0), (0, 1), (0, 1), (0, 0)))
    chosen = padded[:, rows.taps][:, :, columns.taps]
    return Conv2d(chosen, bias, padding=(rows.padding, columns.padding), groups=groups)


def _wanted(view: View, axes: tuple[_Remainder, _Remainder]) -> View:
    """Return the rows and columns of the result of a convolution that are wanted."""
    rows, columns = (slice(axis.start, axis.start + axis.count) for axis in axes)
    return replace(view, index=view.index[:, :, rows, columns])


def _side_by_side(call: Call, phases: list[View], patch: tuple[int, int]) -> View:
    """Return the map whose patches have one pixel of each phase, row after row."""
    if len(phases) == 1:
        return phases[0]
    drafts = call.drafts
    height, width = phases[0].shape[2:]
    tokens = [drafts.unfold(feature_map(drafts, phase), (1, 1), phase) for phase in phases]
    joined = tokens[0]
    for part in tokens[1:]:
        joined = call.add(ConcatPositions(0), (joined, part), "concat", own=False)
    size = patch[0] * height, patch[1] * width
    draft = drafts.fold(joined, patch, size, phases[0])
    return seen(draft, torch.arange(draft.size).reshape(1, *draft.shape).permute(0, 3, 1, 2))


def _pair(given: Sequence[int], missing: int) -> tuple[int, int]:
    """Return the numbers for rows and columns; those of tokens have ``missing`` for rows."""
    rows, columns = (missing, *given)[-2:]
    return rows, columns
