"""Find attention, fused or written out, by the index maps of its products.

A product of two activations is a product over many pairs of matrices. The index maps of its
operands say which pixel of the patch and which head each pair belongs to, however the model has
merged, split and ordered batch, patches and heads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch

from hyq_hls.capture import compute, float_ops
from hyq_hls.capture.advice import unknown_operation
from hyq_hls.capture.assignment import assign, choose
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_constants import as_constant, shift_by
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.drafts import Draft, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.index_maps import covers
from hyq_hls.capture.layouts import fresh, seen, sequences_of
from hyq_hls.capture.scores import (
    additive_mask,
    causal_mask,
    is_scores,
    is_weights,
    with_scale,
)
from hyq_hls.capture.selection import with_shown_positions
from hyq_hls.capture.separable import softmax_over_tokens
from hyq_hls.capture.turning import turned, turned_back, turned_matrices

_FORM = "softmax(scale * q @ k^T) @ v, with q, k, v of shape (..., heads, N, C / heads)"
_ADVICE = "write attention as F.scaled_dot_product_attention(q, k, v)"
#: A masked score of half precision cannot be less than -65504.
_FILLED = -1000.0


@dataclass(frozen=True)
class _Sequences:
    """One operand of a product, as a sequence of matrices.

    Attributes:
        view: the operand.
        movement: makes sequences of the source of the view; None if it is tokens already.
        pixels: number of sequences.
        pixel: pixel of the patch to which each matrix belongs.
        channels: channels of each matrix.
    """

    view: View
    movement: FloatOp | None
    pixels: int
    pixel: torch.Tensor
    channels: torch.Tensor


def scaled_dot_product_attention(call: Call) -> View:
    """Capture fused attention as scores, softmax and values."""
    query, key = operand(call, call.get("query")), call.pending(call.get("key"))
    value = call.view("value")
    _check_options(call)
    scale = call.get("scale")
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    scores = _scores(call, query, replace(key, index=key.index.transpose(-1, -2)), scale)
    mask = causal_mask(*scores.shape[-2:]) if call.get("is_causal") else call.get("attn_mask")
    if mask is not None:
        scores = shift_by(call, scores, additive_mask(mask))
    attention = softmax_of(call, scores, -1, own=False)
    return _values(call, attention, value)


def _check_options(call: Call) -> None:
    if isinstance(call.get("attn_mask"), View):
        raise Unsupported(
            "attention with an attn_mask that is computed from the image",
            "a mask that is the same for every image",
            "make it once in __init__ and keep it as a buffer",
        )
    if call.get("dropout_p"):
        raise Unsupported(
            f"attention with dropout_p = {call.get('dropout_p')} in evaluation mode too",
            "dropout in training only",
            "write dropout_p=p if self.training else 0.0",
        )
    if call.get("enable_gqa"):
        raise Unsupported(
            "attention with enable_gqa",
            "one key for each query head",
            "repeat the heads of keys and values with repeat_interleave",
        )


def masked_fill(call: Call) -> View | torch.Tensor:
    """Capture elements that a constant mask replaces by a number, such as scores that it hides."""
    view = call.get("self")
    if isinstance(view, View) and is_scores(view.source):
        return _filled(call, call.view("self"), call.get("mask"), call.get("value"))
    return assign(call)


def where(call: Call) -> View | torch.Tensor:
    """Capture a choice between two tensors by a constant mask, one of which may hide scores."""
    mask, kept, filled = (call.get(name) for name in ("condition", "self", "other"))
    if isinstance(filled, View) and isinstance(mask, torch.Tensor) and is_scores(filled.source):
        mask, kept, filled = ~mask, filled, kept
    if isinstance(kept, View) and is_scores(kept.source):
        hidden = ~mask if torch.is_tensor(mask) else mask
        return _filled(call, call.as_view(kept), hidden, filled)
    return choose(call, mask, kept, filled)


def _filled(call: Call, view: View, mask: Any, value: Any) -> View:
    number = as_constant(value)
    low = number is not None and number.numel() == 1 and float(number) <= _FILLED
    if not (low and isinstance(mask, torch.Tensor) and is_scores(view.source)):
        raise Unsupported(
            f"{call.operation} of {view.source.base!r}",
            f"scores of an attention, a constant mask, and minus infinity or less than {_FILLED:g}",
            "hide scores from their softmax by a mask that is the same for every image",
        )
    return shift_by(call, view, additive_mask(~mask))


def baddbmm(call: Call) -> View:
    """Capture ``beta * self + alpha * (batch1 @ batch2)``: scores of an attention and a bias."""
    a, b = call.pending(call.get("batch1")), call.pending(call.get("batch2"))
    bias = as_constant(call.get("self"))
    if bias is None:
        raise unknown_operation("baddbmm of three activations", ())
    product = matmul(call, replace(a, factor=a.factor * float(call.get("alpha"))), b)
    return shift_by(call, product, bias * float(call.get("beta")))


def operand(call: Call, value: Any) -> View:
    """Return the first operand of a product; learned queries ``(..., N, D)`` become a constant."""
    if not isinstance(value, torch.Tensor) or value.ndim < 2 or not value.is_floating_point():
        return call.pending(value)
    count, width = value.shape[-2:]
    matrices = value.reshape(-1, count, width)
    tokens = matrices.transpose(0, 1).reshape(1, count, -1)
    draft = call.add(Constant(tokens.double().numpy()), (), "constant", own=False)
    draft.tokens = True
    index = torch.arange(draft.size).reshape(count, -1, width).transpose(0, 1)
    return View(draft, index.reshape(value.shape))


def matmul(call: Call, a: View, b: View) -> View:
    """Capture a product of two activations: scores, or values when one has weights of values."""
    if is_weights(a.source):
        return _values(call, a, b)
    if is_weights(b.source):
        return _transposed(_values(call, _transposed(b), _transposed(a)))
    return _scores(call, a, b, 1.0)


def softmax(call: Call) -> View:
    """Capture a softmax of scores, or of the last axis of any value."""
    view = call.pending(call.get("self"))
    if is_scores(view.source):
        return softmax_of(call, view, int(call.get("dim")), own=True)
    view, axis = call.settled(view), int(call.get("dim"))
    found = softmax_over_tokens(call, view, axis)
    across = turned(call.drafts, view, axis) if found is None else None
    if across is not None:  # of each channel over all positions, as linear attention has it
        return seen(call.add(float_ops.Softmax(), (across.source,), "softmax"), across.index, view)
    return compute.softmax(call) if found is None else found


def softmax_of(call: Call, view: View, axis: int, own: bool) -> View:
    """Capture a softmax of scores over the keys; a constant factor goes into their scale."""
    scores = view.source
    size, keys = view.shape[axis], scores.shape[-1]
    ordered = view.index.movedim(axis, -1).reshape(-1, size)
    if size != keys or not torch.equal(ordered % keys, torch.arange(keys).expand_as(ordered)):
        raise Unsupported(
            f"softmax of scores {view.shape} over axis {axis}",
            "softmax over all keys of a query",
            _ADVICE,
        )
    draft = call.add(float_ops.Softmax(), (with_scale(view).source,), "softmax", own)
    return seen(draft, view.index, view)


def _transposed(view: View) -> View:
    return replace(view, index=view.index.transpose(-1, -2))


def _scores(call: Call, a: View, b: View, scale: float) -> View:
    """Capture the query-key product of ``(..., N, D)`` and ``(..., D, M)``."""
    a, b = (with_shown_positions(call.drafts, view) for view in (a, b))
    lead = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (turned_matrices(call.drafts, view) for view in (a, _transposed(b)))
    queries = _sequences(a, a.index.expand(*lead, *a.shape[-2:]), call.drafts.windows)
    keys = _sequences(b, b.index.expand(*lead, *b.shape[-2:]), call.drafts.windows)
    heads = _heads(queries)
    q = _selected(call, queries, heads, "q")
    k = _selected(call, keys, heads, "k")
    if not torch.equal(queries.pixel, keys.pixel):
        raise _shape_error("queries and keys of different pixels or images in one product")
    count = int(heads.max()) + 1
    op = float_ops.AttentionScores(count, scale * a.factor * b.factor)
    draft = call.add(op, (q, k), "scores", own=False)
    _, n, _, m = draft.shape
    places = queries.pixel[:, None, None] * n + torch.arange(n)[:, None]
    index = (places * count + heads[:, None, None]) * m + torch.arange(m)
    return seen(draft, index.reshape(*lead, n, m))


def _values(call: Call, a: View, b: View) -> View:
    """Capture the product of attention ``(..., N, M)`` and values ``(..., M, D)``."""
    a, b = _of_keys(call, a), call.settled(replace(b, factor=a.factor * b.factor))
    tokens = with_shown_positions(call.drafts, b)
    b = turned_matrices(call.drafts, tokens)
    attention = a.source
    _, n, heads, m = attention.shape
    lead = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    index = a.index.expand(*lead, *a.shape[-2:]).reshape(-1, *a.shape[-2:])
    pixel, head = index[:, 0, 0] // (n * heads * m), index[:, 0, 0] // m % heads
    places = (pixel[:, None, None] * n + torch.arange(n)[:, None]) * heads + head[:, None, None]
    if a.shape[-2:] != (n, m) or not torch.equal(index, places * m + torch.arange(m)):
        raise _shape_error("attention weights whose queries or keys are reordered")
    if not covers(pixel * heads + head, attention.shape[0] * heads):
        raise _shape_error("attention weights of a part of the pixels or heads")
    values = _sequences(b, b.index.expand(*lead, *b.shape[-2:]), call.drafts.windows)
    if not torch.equal(values.pixel, pixel):
        raise _shape_error("attention weights and values of different pixels in one product")
    v = _selected(call, values, head, "v")
    draft = call.add(float_ops.AttentionValues(heads), (attention, v), "values", own=False)
    width = b.shape[-1]
    rows = (pixel[:, None, None] * n + torch.arange(n)[:, None]) * draft.shape[-1]
    shown = rows + head[:, None, None] * width + torch.arange(width)
    result = seen(draft, shown.reshape(*lead, n, width))
    return result if b is tokens else turned_back(call.drafts, result)


def _of_keys(call: Call, view: View) -> View:
    """Return weights of values along the keys; scores along the queries change both of them."""
    op, (pixels, n, heads, m) = view.source.op, view.source.shape
    if view.shape[-1] == m and torch.equal(view.index % m, torch.arange(m).expand(view.shape)):
        return view
    if not isinstance(op, float_ops.AttentionScores):
        return view
    draft = call.add(op, view.source.inputs[::-1], "scores", own=False)
    places = torch.arange(draft.size).reshape(pixels, m, heads, n).permute(0, 3, 2, 1).reshape(-1)
    return replace(view, source=draft, index=places[view.index])


def _sequences(view: View, index: torch.Tensor, windows: bool) -> _Sequences:
    """Read ``index`` ``(..., N, D)`` of a draft as one pixel and D channels a matrix."""
    view = fresh(replace(view, factor=1.0))
    draft = view.source
    width = draft.shape[-1]
    index = index.reshape(-1, *index.shape[-2:])
    channels = index[:, 0] % width
    places = index[:, :, 0] // width
    if not torch.equal(index, places[:, :, None] * width + channels[:, None]):
        raise _shape_error(f"channels of {draft.base!r} that differ from position to position")
    movement, places = sequences_of(view, places, windows)
    pixels = (draft.shape if movement is None else movement.output_shape(draft.shape))[0]
    count = places.shape[1]
    pixel = places[:, 0] // count
    if not torch.equal(places, pixel[:, None] * count + torch.arange(count)):
        raise _shape_error(f"tokens of {draft.base!r} in an order of their own")
    return _Sequences(view, movement, pixels, pixel, channels)


def _heads(sequences: _Sequences) -> torch.Tensor:
    """Number the matrices of each pixel 0, 1, 2, ... in their order: these are the heads."""
    heads = torch.zeros_like(sequences.pixel)
    counts: dict[int, int] = {}
    for place, pixel in enumerate(sequences.pixel.tolist()):
        heads[place] = counts.get(pixel, 0)
        counts[pixel] = counts.get(pixel, 0) + 1
    if sorted(counts) != list(range(sequences.pixels)) or len(set(counts.values())) != 1:
        raise _shape_error("attention over a part of the pixels or heads")
    return heads


def _selected(call: Call, sequences: _Sequences, heads: torch.Tensor, label: str) -> Draft:
    """Return the tokens with the channels of all heads, head after head."""
    table = sequences.channels.new_full((int(heads.max()) + 1, sequences.channels.shape[1]), -1)
    table[heads] = sequences.channels
    if not torch.equal(table[heads], sequences.channels):
        raise _shape_error("heads that take other channels from pixel to pixel")
    draft = call.drafts.select(sequences.view.source, table.reshape(-1), label)
    if sequences.movement is None:
        return draft
    label = "unfold" if isinstance(sequences.movement, float_ops.Unfold) else "windows"
    tokens = call.drafts.layout(sequences.movement, (draft,), sequences.view, label)
    tokens.tokens = True
    return tokens


def _shape_error(found: str) -> LayoutUnsupported:
    return LayoutUnsupported(found, _FORM, _ADVICE)
