"""Talking heads: a linear layer over the heads of an attention, at every query and key.

Shazeer et al., arXiv 2003.02436, mix the scores before the softmax, and the probabilities after it.
Here heads become the channels of a linear layer, which stands between two transposes.
"""

from __future__ import annotations

import numpy as np
import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import View
from hyq_hls.capture.float_op import Array
from hyq_hls.capture.float_ops import Linear
from hyq_hls.capture.index_maps import covers
from hyq_hls.capture.layouts import seen
from hyq_hls.capture.transpose import Transpose


def mixed_heads(call: Call, view: View, weight: Array, bias: Array, axis: int) -> View | None:
    """Capture a linear layer along ``axis`` of scores or probabilities, if these are its heads.

    Args:
        call: the call.
        view: scores or probabilities ``(P, N, heads, M)`` in any order.
        weight: ``(O, heads)``.
        bias: ``(O,)``.
        axis: axis of the view.

    Returns:
        The result; None where the axis is not that of the heads.
    """
    source = view.source
    if len(source.shape) != 4:
        return None
    *_, heads, keys = source.shape
    table = view.index.movedim(axis, -1).reshape(-1, view.shape[axis])
    head = table // keys % heads
    place = table // (heads * keys) * keys + table % keys  # of query and key
    if not (covers(head[0], heads) and torch.equal(head, head[:1].expand_as(head))):
        return None
    if not (torch.equal(place, place[:, :1].expand_as(place)) and covers(place[:, 0], len(place))):
        return None
    ordered = np.ascontiguousarray(weight[:, head[0].argsort().numpy()])
    turned = call.add(Transpose(), (source,), "heads", own=False)
    mixed = call.add(Linear(ordered, bias), (turned,), "mix")
    result = call.add(Transpose(), (mixed,), "keys", own=False)
    outputs = result.shape[2]
    first = place[:, 0] // keys * (outputs * keys) + place[:, 0] % keys
    index = first[:, None] + torch.arange(outputs) * keys
    lead = [n for k, n in enumerate(view.shape) if k != axis % len(view.shape)]
    return seen(result, index.reshape(*lead, outputs).movedim(-1, axis), view)
