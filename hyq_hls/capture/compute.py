"""Handlers of single operations: layers, activations, sums and pooling."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch

from hyq_hls.capture import float_ops
from hyq_hls.capture.advice import unknown_operation
from hyq_hls.capture.border import without_border
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.drafts import Draft, Drafts, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.elementwise import FUNCTIONS, Elementwise
from hyq_hls.capture.float_op import Array, FloatOp
from hyq_hls.capture.index_maps import covers, is_identity
from hyq_hls.capture.layouts import (
    feature_map,
    map_with_columns,
    reordered_channels,
    rows,
    rows_with_columns,
    seen,
    shown,
    whole,
)
from hyq_hls.capture.maps import over_maps
from hyq_hls.capture.merging import with_merged_positions
from hyq_hls.capture.patches import find_patches
from hyq_hls.capture.talking_heads import mixed_heads
from hyq_hls.capture.turning import turned

# Functions of single elements by the aten operation that computes them.
FUNCTION_OF = {kind.aten: kind for kind in FUNCTIONS if kind.aten}


def conv2d(call: Call) -> View:
    """Capture a convolution; it is a ``Linear`` when it looks at single positions."""
    view = call.view("input")
    weight = call.array("weight", 0, 0)
    bias = call.array("bias", 0.0, len(weight))
    groups = int(call.get("groups"))
    dilation = _dilation(_pair(call.get("dilation")), weight.shape[2:])
    padding = _padding(call.get("padding"), weight.shape[2:], dilation)
    stride = _within(_pair(call.get("stride")), view.shape[2:], padding)
    if (*weight.shape[2:], *stride, groups, *padding) != (1, 1, 1, 1, 1, 0, 0) and is_vector(view):
        return of_vector(call, view, bias)
    weight = weight.transpose(0, 2, 3, 1)
    return convolved(call, view, float_ops.Conv2d(weight, bias, stride, padding, groups, dilation))


def convolved(call: Call, view: View, op: float_ops.Conv2d) -> View:
    """Return the convolution of maps; it is a ``Linear`` when it looks at single positions."""
    if op.groups not in (1, view.shape[1]) and reordered_channels(view, 1) is not None:
        # Integers have no shuffle of channels, so that zeros stand between the groups.
        op = replace(op, weight=_ungrouped(op.weight, op.groups), groups=1)
    if (*op.weight.shape[1:3], *op.stride, op.groups, *op.padding) == (1, 1, 1, 1, 1, 0, 0):
        return _linear(call, view, (op.weight[:, 0, 0], op.bias), 1)
    return over_maps(call, view, lambda part: _convolution(call, part, op))


def conv1d(call: Call) -> View:
    """Capture a convolution along tokens ``(B, C, N)``, which are a map of height 1."""
    view = call.view("input")
    if len(view.shape) != 3:
        raise Unsupported(
            f"conv1d of a tensor {view.shape}", "tokens (B, C, N)", "add the batch axis"
        )
    weight = call.array("weight", 0, 0)
    bias = call.array("bias", 0.0, len(weight))
    groups = int(call.get("groups"))
    if is_vector(view):
        return of_vector(call, view, bias)
    (stride,), given, kernel = call.get("stride"), call.get("padding"), (1, weight.shape[2])
    dilation = _dilation((1, *call.get("dilation")), kernel)
    padding = _padding(given if isinstance(given, str) else (0, *given), kernel, dilation)
    _, stride = _within((1, stride), (1, view.shape[2]), padding)
    if (weight.shape[2], stride, groups, *padding) == (1, 1, 1, 0, 0):
        return _linear(call, view, (weight[:, :, 0], bias), 1)
    kernels = weight.transpose(0, 2, 1)[:, None]
    op = float_ops.Conv2d(kernels, bias, (1, stride), padding, groups, dilation)
    result = _convolution(call, replace(view, index=view.index.unsqueeze(2)), op)
    return replace(result, index=result.index.squeeze(2))


def is_vector(view: View) -> bool:
    """Return whether a view shows the elements of a vector, each once."""
    return len(view.source.shape) == 1 and covers(view.index, view.source.size)


def of_vector(call: Call, view: View, bias: Array) -> View:
    """Capture a convolution of the elements of a vector, whose result is linear in them.

    The vector lies along the axis of a ``conv1d``, or it is a map of one position, most of whose
    window lies on the border.
    """
    size = view.source.size
    units = (view.index == torch.arange(size).reshape(-1, *[1] * (view.index.ndim - 1))).double()
    parameters = {**call.arguments, "bias": None, "input": units}
    assert callable(call.node.target)
    columns = call.node.target(**parameters)
    weight, bias = columns.flatten(1).T.numpy(), bias.repeat(columns[0, 0].numel())
    op: FloatOp = float_ops.Linear(weight, bias)
    if weight.shape == (size, size) and not np.any(weight - np.diag(weight.diagonal())):
        op = ChannelAffine(weight.diagonal(), bias)
    result = call.add(op, (view.source,), "conv")
    return View(result, torch.arange(result.size).reshape(1, *columns.shape[1:]))


def _within(
    stride: tuple[int, int], size: tuple[int, ...], padding: tuple[int, int]
) -> tuple[int, int]:
    """Return a stride that leaves the map after one window no later than at its end."""
    height, width = (min(s, n + 2 * p) for s, n, p in zip(stride, size, padding, strict=True))
    return height, width


def _dilation(given: Any, kernel: tuple[int, ...]) -> tuple[int, int]:
    """Return the steps from weight to weight; a single weight has none."""
    down, right = (step if size > 1 else 1 for step, size in zip(given, kernel, strict=True))
    return down, right


def _ungrouped(weight: Array, groups: int) -> Array:
    """Return weights ``(O, kh, kw, I)`` of one group that compute what those of groups do."""
    outputs, *kernel, width = weight.shape
    result = np.zeros((outputs, *kernel, groups * width))
    for group, filters in enumerate(np.split(np.arange(outputs), groups)):
        result[filters, ..., group * width : (group + 1) * width] = weight[filters]
    return result


def _convolution(call: Call, view: View, op: float_ops.Conv2d) -> View:
    patches = find_patches(call, view, 1) if op.groups == 1 else None
    if patches is not None and is_identity(patches.rows):
        result = call.add(patches.convolution(op), (patches.draft,), "conv")
        return seen(result, torch.arange(result.size).reshape(1, *result.shape).permute(0, 3, 1, 2))
    source, columns = map_with_columns(call.drafts, view)
    op, source = without_border(op, source)
    shown_at = torch.arange(len(op.weight))
    if covers(columns, source.shape[-1]) and op.groups in (1, source.shape[-1]):
        # Channels in another order, as BGR for RGB, cost nothing: the weights take that order.
        order = columns.argsort().numpy()
        if op.groups == 1:
            op = replace(op, weight=op.weight[..., order])
        else:
            weight, bias = (_by_group(values, op.groups)[order] for values in (op.weight, op.bias))
            op = replace(op, weight=weight.reshape(op.weight.shape), bias=bias.reshape(-1))
            shown_at = shown_at.reshape(op.groups, -1)[columns].reshape(-1)
    elif (part := call.drafts.part(source, columns)) is not None:
        source = part
    elif op.groups == 1:
        op = replace(op, weight=_spread(op.weight, columns, source.shape[-1]))
    else:
        source = call.drafts.select(source, columns)
    draft = call.add(op, (source,), "conv")
    index = torch.arange(draft.size).reshape(1, *draft.shape)
    return seen(draft, index[..., shown_at].permute(0, 3, 1, 2))


def _by_group(values: Array, groups: int) -> Array:
    return values.reshape(groups, len(values) // groups, *values.shape[1:])


def linear(call: Call) -> View:
    """Capture a linear layer on the last axis."""
    weight = call.array("weight", 0, 0)
    bias = call.array("bias", 0.0, len(weight))
    return _linear(call, call.view("input"), (weight, bias), -1)


def matmul_constant(call: Call, view: View, weight: torch.Tensor) -> View:
    """Capture ``view @ weight`` with a constant ``(I, O)``."""
    matrix = weight.double().numpy().T
    return _linear(call, view, (matrix, np.zeros(len(matrix))), -1)


def _linear(call: Call, view: View, parameters: tuple[Array, Array], axis: int) -> View:
    weight, bias = parameters
    mixed = mixed_heads(call, view, weight, bias, axis)
    if mixed is not None:
        return mixed
    patches = find_patches(call, view, axis)
    if patches is not None:
        op = patches.convolution(float_ops.Conv2d(weight[:, None, None], bias))
        return shown(call.add(op, (patches.draft,), "conv"), patches.rows, view, axis)
    view = turned(call.drafts, view, axis) or with_merged_positions(call.drafts, view, axis)
    draft, order, columns = rows_with_columns(call.drafts, view, axis)
    if covers(columns, draft.shape[-1]):
        # Channels in another order cost nothing: the weight's columns take that order.
        weight = weight[:, columns.argsort().numpy()]
    elif (part := call.drafts.part(draft, columns)) is not None:
        draft = part
    else:
        weight = _spread(weight, columns, draft.shape[-1])
    result = call.add(float_ops.Linear(weight, bias), (draft,), "conv" if axis == 1 else "linear")
    return shown(result, order, view, axis)


def _spread(weight: Array, columns: torch.Tensor, channels: int) -> Array:
    """Return weights ``(..., channels)`` of a layer that reads some ``columns`` of the channels."""
    spread: Array = weight @ np.eye(channels)[columns.numpy()]
    return spread


def _pair(value: Any) -> tuple[int, int]:
    values = list(value) * 2 if len(value) == 1 else list(value)
    return int(values[0]), int(values[1])


def _padding(value: Any, kernel: tuple[int, ...], dilation: tuple[int, int]) -> tuple[int, int]:
    if value == "valid":
        return 0, 0
    if value == "same":
        height, width = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
        if height % 2 or width % 2:
            raise Unsupported(
                f"padding 'same' with kernel {kernel} and dilation {dilation}",
                "an odd kernel, or an even dilation",
                "pad both sides equally",
            )
        return height // 2, width // 2
    return _pair(value)


def layer_norm(call: Call) -> View:
    """Capture a normalization over the last axis."""
    view = call.view("input")
    shape = tuple(call.get("normalized_shape"))
    if len(shape) != 1:
        raise Unsupported(
            f"LayerNorm over the axes {shape}",
            "LayerNorm over channels only",
            "normalize the last axis of a channels-last tensor",
        )
    axis = int(call.node.meta.get("axis", -1))  # another one where means were written out
    view = with_merged_positions(call.drafts, view, axis)
    draft, order = rows(call.drafts, view, axis)
    weight, bias = call.array("weight", 1.0, shape[0]), call.array("bias", 0.0, shape[0])
    op = float_ops.LayerNorm(weight, bias, float(call.get("eps")))
    return shown(call.add(op, (draft,), "norm"), order, view, axis)


def apply_function(call: Call, view: View, op: Elementwise) -> View:
    """Apply a function of single elements, which keeps any order of the elements."""
    view = whole(call.drafts, view)
    return seen(call.add(op, (view.source,), op.kind.lower()), view.index, view)


def function(call: Call) -> View:
    """Return the function of single elements that one aten operation computes."""
    kind = FUNCTION_OF[call.operation]
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    assert isinstance(call.node.target, torch._ops.OpOverload)
    first, *others = call.node.target._schema.arguments
    for argument in others:
        given = call.get(argument.name)
        if argument.name not in names and given != argument.default_value:
            raise Unsupported(
                f"activation {call.operation} with {argument.name} = {given}",
                f"{argument.name} = {argument.default_value}",
                "put the factor into the weights before or after it",
            )
    op = kind(**{name: call.get(name) for name in names})
    return apply_function(call, call.view(first.name), op)


def aligned(
    call: Call, views: list[View], axes: tuple[int, ...]
) -> tuple[tuple[Draft, ...], torch.Tensor, int]:
    """Bring drafts to one layout: channels along one of ``axes``, one order of positions."""
    failure: Unsupported | None = None
    # Tokens of a map with few pixels can pass for the map itself; the second way tells them apart.
    for settle in (rows, _map_rows):
        for axis in axes:
            try:
                settled = [settle(call.drafts, view, axis) for view in views]
            except Unsupported as error:
                failure = failure or error
                continue
            (first, order), *others = settled
            if all(
                _positions(draft) == _positions(first) and torch.equal(order, other)
                for draft, other in others
            ):
                return tuple(draft for draft, _ in settled), order, axis
            shapes = " and ".join(f"{view.source.base!r} {view.source.shape}" for view in views)
            failure = LayoutUnsupported(
                f"{call.operation} of {shapes} with their positions in different orders",
                "tensors with the same positions in the same order",
                "bring all to the same layout first",
            )
    assert failure is not None
    raise failure


def _positions(draft: Draft) -> tuple[int, ...]:
    """Return the axes of the positions; a single position may lie on axes of any number."""
    lead = draft.shape[:-1]
    return lead if math.prod(lead) > 1 else ()


def _map_rows(drafts: Drafts, view: View, axis: int) -> tuple[Draft, torch.Tensor]:
    """Do what ``rows`` does, but insist on a map."""
    view = replace(view, index=view.index.movedim(axis, 1)) if len(view.shape) == 4 else view
    draft = feature_map(drafts, view)
    return draft, torch.arange(draft.size // draft.shape[-1])


def softmax(call: Call) -> View:
    """Capture a softmax over the last axis of a node's value."""
    view = whole(call.drafts, call.view("self"))
    axis = int(call.get("dim"))
    draft, order, columns = rows_with_columns(call.drafts, view, axis)
    if not is_identity(columns):
        raise unknown_operation("softmax over a part of the channels", view.shape)
    return shown(call.add(float_ops.Softmax(), (draft,), "softmax"), order, view, axis)
