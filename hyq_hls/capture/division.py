"""Division by a value of the image, and the normalizations without a mean that are built on it.

A quotient is a product with a reciprocal, and a reciprocal is a function of single elements, so a
table holds it. The divisor must not be negative, because a reciprocal has a pole at zero: no step
of integers is fine enough on both sides of it. So the divisor is a root of a sum of squares, or
something that a function keeps above zero.

The same holds for ``functional.normalize`` (the quotient of a tensor and its Euclidean norm), as in
SwiftFormer (arXiv:2303.15446, equation 4), and for RMSNorm (arXiv:1910.07467, equation 4).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from hyq_hls.capture import elementwise as ew
from hyq_hls.capture import float_ops
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.channel_constants import scale_by
from hyq_hls.capture.compute import apply_function
from hyq_hls.capture.drafts import Draft, Unsupported, View
from hyq_hls.capture.layouts import rows, shown
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.pooling import total
from hyq_hls.capture.products import without_copies

#: Functions without negative values, whatever their parameters are.
_NOT_NEGATIVE = (
    *(ew.InversePower, ew.Relu, ew.Relu6, ew.SquaredRelu, ew.Sigmoid, ew.Hardsigmoid),
    *(ew.Softplus, float_ops.Softmax),
)


def inverse(call: Call, view: View, exponent: float) -> View:
    """Capture ``view**-exponent``, for values that cannot be negative.

    Raises:
        Unsupported: the values may be negative.
    """
    view = without_copies(view)
    draft = view.source
    if not _not_negative(draft):
        raise Unsupported(
            f"a division by {draft.base!r}, or a negative power of it, which may be negative",
            "a divisor that is a sum of squares, its root, or bounded by clamp(min=...) above zero",
            "write x / y.clamp(min=1e-6), or use nn.LayerNorm or functional.normalize",
        )
    # The bound of a divisor becomes the floor: one table instead of two. A bound next to zero was
    # captured as ReLU.
    floor = ew.InversePower.floor
    if isinstance(draft.op, ew.Clamp) and draft.op.minimum > 0 and math.isinf(draft.op.maximum):
        floor, view = draft.op.minimum, replace(view, source=draft.inputs[0])
    elif isinstance(draft.op, ew.Relu):
        view = replace(view, source=draft.inputs[0])
    return apply_function(call, view, ew.InversePower(exponent, floor))


def vector_norm(call: Call) -> View:
    """Capture a Euclidean norm over channels, or over all positions of each channel."""
    view, order = call.view("self"), call.get("ord")
    if float(2 if order is None else order) != 2.0:
        raise Unsupported(
            f"a vector norm of order {order}", "the Euclidean norm, order 2", "use order 2"
        )
    square = apply_function(call, view, ew.Power(2.0))
    if len(view.shape) > 1 and call.get("dim") is None:
        call = replace(call, arguments={**call.arguments, "dim": list(range(len(view.shape)))})
    summed = total(replace(call, arguments={**call.arguments, "self": square}))
    return apply_function(call, call.settled(summed), ew.Power(0.5))


def rms_norm(call: Call) -> View:
    """Capture ``x / sqrt(mean(x * x) + eps) * weight`` over the last axis."""
    view, shape = call.view("input"), tuple(call.get("normalized_shape"))
    if len(shape) != 1:
        raise Unsupported(
            f"RMSNorm over the axes {shape}",
            "RMSNorm over channels only",
            "normalize the last axis of a channels-last tensor",
        )
    eps, weight = call.get("eps"), call.get("weight")
    # By default it is that of the model's type; that of double precision is next to zero, and the
    # root of a zero vector would be larger than all others by a factor of a million.
    eps = torch.finfo(torch.float32).eps if eps is None else float(eps)
    draft, order = rows(call.drafts, view, -1)
    square = call.add(ew.Power(2.0), (draft,), "square", own=False)
    mean = float_ops.Linear(np.full((1, shape[0]), 1 / shape[0]), np.array([eps]))
    variance = call.add(mean, (square,), "mean", own=False)
    root = call.add(ew.InversePower(0.5), (variance,), "inverse_root", own=False)
    result = shown(call.add(Multiply(), (draft, root), "norm"), order, view, -1)
    return result if weight is None else scale_by(call, result, weight.double())


def _not_negative(draft: Draft) -> bool:
    """Return whether no value of a draft is negative, as far as its operations tell."""
    op = draft.op
    constants: tuple[float, ...] = (0.0,)
    if isinstance(op, ew.Power):
        # An even power, or a root.
        return bool(op.exponent % 2 != 1) or _not_negative(draft.inputs[0])
    if isinstance(op, Multiply) and draft.inputs[0] is draft.inputs[1]:
        return True
    if isinstance(op, ew.Clamp):
        return op.minimum >= 0
    if isinstance(op, float_ops.Linear):
        constants = (float(op.weight.min()), float(op.bias.min()))
    elif isinstance(op, ChannelAffine):
        constants = (float(op.multiplier.min()), float(op.offset.min()))
    elif not isinstance(op, float_ops.Add | float_ops.GlobalAveragePool | Multiply):
        return isinstance(op, _NOT_NEGATIVE)
    return min(constants) >= 0 and all(map(_not_negative, draft.inputs))
