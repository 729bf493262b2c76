"""Means over positions, in one step or in several.

A mean over a part of the positions waits: the means of equally many elements have the mean of all
elements, so ``x.mean(2).mean(2)`` is the mean over a map. A sum is a mean times a count.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from hyq_hls.capture import float_ops
from hyq_hls.capture.advice import unknown_operation
from hyq_hls.capture.average_pool import AveragePool
from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import Draft, Unsupported, View
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.index_maps import covers
from hyq_hls.capture.layouts import feature_map, seen
from hyq_hls.capture.max_pool import MaxPool
from hyq_hls.capture.selection import with_shown_positions
from hyq_hls.capture.separable import context


def mean(call: Call) -> View:
    """Capture a mean over some axes."""
    view = call.pending(call.get("self"))
    return _mean(call, view, _axes(call, view))


def total(call: Call) -> View:
    """Capture a sum over some axes, which is their mean times a constant factor.

    The sum of weighted keys is a context vector instead.
    """
    view = call.pending(call.get("self"))
    axes = _axes(call, view)
    vector = context(call, view, axes)
    if vector is not None:
        return vector
    count = math.prod(view.shape[axis] for axis in axes)
    found = _mean(call, view, axes)
    return View(found.source, found.index, found.factor * count, found.chain)


def pool(call: Call) -> View:
    """Capture an average pooling; one that gives a map is a depthwise convolution."""
    view = call.pending(call.get("self"))
    axes = list(range(len(view.shape)))[-1 if call.operation.endswith("1d") else -2 :]
    size = [view.shape[axis] for axis in axes]
    if call.operation.startswith("adaptive"):
        given = _repeated(call.get("output_size"), len(axes))
        wanted = [full if count is None else count for full, count in zip(size, given, strict=True)]
        if any(full % count for full, count in zip(size, wanted, strict=True)):
            raise Unsupported(
                f"pooling {call.operation} of {tuple(size)} to {tuple(wanted)}, whose windows "
                "differ in size",
                "an output size that divides the size of the map",
                "choose an output size or an image size that divides",
            )
        kernel = [full // count for full, count in zip(size, wanted, strict=True)]
        stride, padding = kernel, [0] * len(axes)
    else:
        kernel, padding = (_repeated(call.get(k), len(axes)) for k in ("kernel_size", "padding"))
        stride = _repeated(call.get("stride") or kernel, len(axes))
        _check_windows(call, size, (kernel, stride, padding))
    if kernel == size and not any(padding):
        return _mean(call, view, axes)
    view = call.settled(view)
    if len(axes) == 2:
        return _pooled_map(call, view, kernel, stride, padding)
    one_row = replace(view, index=view.index.unsqueeze(-2))
    result = _pooled_map(call, one_row, [1, *kernel], [1, *stride], [0, *padding])
    return replace(result, index=result.index.squeeze(-2))


def _pooled_map(
    call: Call, view: View, kernel: list[int], stride: list[int], padding: list[int]
) -> View:
    op = AveragePool(_pair(kernel), _pair(stride), _pair(padding))
    if any(padding) and not call.get("count_include_pad"):
        return _map(call, view, op)
    divisor = call.get("divisor_override") or math.prod(kernel)
    return _depthwise(call, view, op, 1 / divisor)


def max_pool(call: Call) -> View:
    """Capture a max pooling of a map."""
    size = list(call.view("self").shape[-2:])
    dilation, padding = (_repeated(call.get(key), 2) for key in ("dilation", "padding"))
    kernel = _repeated(call.get("kernel_size"), 2)
    stride = _repeated(call.get("stride") or kernel, 2)
    if dilation != [1, 1]:
        raise Unsupported(
            f"pooling {call.operation} with dilation {tuple(dilation)}",
            "dilation 1",
            "use neighbouring positions, and fine-tune",
        )
    _check_windows(call, size, (kernel, stride, padding))
    op = MaxPool(_pair(kernel), _pair(stride), _pair(padding))
    return _map(call, call.settled(call.view("self")), op)


def largest(call: Call) -> View:
    """Capture the maximum of whole maps, or of windows that divide a map."""
    view = call.view("self")
    size = list(view.shape[-2:])
    if call.operation == "amax":
        wanted = [1, 1] if _axes(call, view) == [2, 3] and len(view.shape) == 4 else [0, 0]
    else:
        given = _repeated(call.get("output_size"), 2)
        wanted = [full if count is None else count for full, count in zip(size, given, strict=True)]
    if any(count == 0 or full % count for full, count in zip(size, wanted, strict=True)):
        raise unknown_operation(call.operation, wanted)
    kernel = _pair([full // count for full, count in zip(size, wanted, strict=True)])
    result = _map(call, view, MaxPool(kernel, kernel, (0, 0)))
    shape = call.node.meta["val"].shape if call.operation == "amax" else result.shape
    return View(result.source, result.index.reshape(shape))


def _axes(call: Call, view: View) -> list[int]:
    rank, axes = len(view.shape), call.get("dim")
    return sorted(axis % rank for axis in (axes if axes else range(rank)))


def _repeated(values: list[int] | int, count: int) -> list[int]:
    values = [values] if isinstance(values, int) else list(values)
    return values * count if len(values) == 1 else values


def _pair(values: list[int]) -> tuple[int, int]:
    first, second = values
    return first, second


def _check_windows(
    call: Call, size: list[int], windows: tuple[list[int], list[int], list[int]]
) -> None:
    """Refuse windows that reach further than the padding, or have another count with padding."""
    axes = zip(size, *windows, strict=True)
    beyond = any((n + 2 * p - k) % s for n, k, s, p in axes) and call.get("ceil_mode")
    padded = any(windows[2])
    divided = call.arguments.get("divisor_override") is not None
    if beyond or (divided and padded and not call.get("count_include_pad")):
        raise Unsupported(
            f"pooling {call.operation} whose windows reach beyond the padding, or with a divisor "
            "of its own at the border",
            "windows inside of the padded map",
            "set ceil_mode=False, and no divisor_override",
        )


def _depthwise(call: Call, view: View, pool: AveragePool, weight: float) -> View:
    channels = feature_map(call.drafts, view).shape[-1]
    weights, bias = np.full((channels, *pool.kernel, 1), weight), np.zeros(channels)
    return _map(call, view, float_ops.Conv2d(weights, bias, pool.stride, pool.padding, channels))


def _map(call: Call, view: View, op: FloatOp) -> View:
    result = call.add(op, (feature_map(call.drafts, view),), "pool")
    index = torch.arange(result.size).reshape(1, *result.shape)
    return seen(result, index.permute(0, 3, 1, 2))


def _mean(call: Call, view: View, axes: list[int]) -> View:
    """Return the mean of a view over axes, which waits when it is a mean over some positions."""
    kept = [axis for axis in range(len(view.shape)) if axis not in axes]
    count = math.prod(view.shape[axis] for axis in kept)
    groups = view.index.permute(*kept, *axes).reshape(count, -1)
    source = view.source
    if source.means is not None:
        groups = source.means[groups].reshape(count, -1)
        source = source.inputs[0]
    shape = call.node.meta["val"].shape
    chain = (*view.chain, call.node.name)
    channels = _channels(groups, source)
    if channels is None and _alone(groups, source):
        return _mean_of_channels(call, source, groups, view.factor)
    part = view if channels is not None else with_shown_positions(call.drafts, view)
    if part is not view:
        return _mean(call, part, axes)
    if channels is None and groups.shape[1] == 1:  # over axes of size 1, such as that of the batch
        return View(source, groups.reshape(shape), view.factor, chain)
    if channels is None:
        base, tainted = source.base, source.tainted
        waiting = Draft(None, (source,), (count,), base, call.node.name, False, tainted)
        waiting.means = groups
        index = torch.arange(count).reshape(shape)
        return View(waiting, index, view.factor, chain)
    if not covers(channels, source.shape[-1]):
        try:
            source = call.drafts.select(source, channels)
            channels = torch.arange(count)
        except Unsupported:
            pass  # The pooling takes all channels, and its readers take theirs.
    draft = call.add(float_ops.GlobalAveragePool(), (source,), "pool")
    return View(draft, channels.reshape(shape), view.factor)


def _alone(groups: torch.Tensor, source: Draft) -> bool:
    """Return whether each group holds channels of one position."""
    positions = groups // source.shape[-1]
    return groups.shape[1] > 1 and torch.equal(positions, positions[:, :1].expand_as(positions))


def _mean_of_channels(call: Call, source: Draft, groups: torch.Tensor, factor: float) -> View:
    """Capture means over channels, as of stacked heads, as a linear layer."""
    channels = source.shape[-1]
    members = (groups % channels).sort(dim=1).values
    rows, row = torch.unique(members, dim=0, return_inverse=True)
    weight = np.zeros((len(rows), channels))
    np.add.at(weight, (np.arange(len(rows))[:, None], rows.numpy()), 1 / groups.shape[1])
    draft = call.add(float_ops.Linear(weight, np.zeros(len(rows))), (source,), "mean")
    index = groups[:, 0] // channels * len(rows) + row
    return View(draft, index.reshape(call.node.meta["val"].shape), factor)


def _channels(groups: torch.Tensor, source: Draft) -> torch.Tensor | None:
    """Return the channel of each group that holds all positions of a channel; None otherwise."""
    count = source.shape[-1]
    channels = groups[:, 0] % count
    whole = torch.arange(source.size // count) * count + channels[:, None]
    return channels if torch.equal(groups.sort(dim=1).values, whole) else None
