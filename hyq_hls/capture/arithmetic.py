"""Handlers of sums, differences and products with constants."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch

from hyq_hls.capture import float_ops
from hyq_hls.capture.advice import unknown_operation
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_constants import as_constant, scale_by, shift_by
from hyq_hls.capture.compute import aligned, apply_function
from hyq_hls.capture.division import inverse
from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.elementwise import Clamp, Power
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.layouts import seen, shown, whole
from hyq_hls.capture.maximum import Maximum
from hyq_hls.capture.products import multiply
from hyq_hls.capture.turning import turned

Value = View | torch.Tensor

_PRODUCTS = ("mul", "multiply")


def add(call: Call) -> Value:
    """Capture ``self + alpha * other``."""
    return _sum(call, call.get("self"), call.get("other"), 1.0, float(call.get("alpha")))


def subtract(call: Call) -> Value:
    """Capture ``self - alpha * other``."""
    return _sum(call, call.get("self"), call.get("other"), 1.0, -float(call.get("alpha")))


def subtract_from(call: Call) -> Value:
    """Capture ``other - alpha * self``."""
    return _sum(call, call.get("self"), call.get("other"), -float(call.get("alpha")), 1.0)


def add_product(call: Call) -> Value:
    """Capture ``self + value * tensor1 * tensor2``."""
    product = _product(call, call.get("tensor1"), call.get("tensor2"))
    return _sum(call, call.get("self"), product, 1.0, float(call.get("value")))


def add_quotient(call: Call) -> Value:
    """Capture ``self + value * tensor1 / tensor2`` with a constant divisor."""
    divisor = as_constant(call.get("tensor2"))
    if divisor is None:
        raise unknown_operation("div", ())
    quotient = _product(call, call.get("tensor1"), 1.0 / divisor)
    return _sum(call, call.get("self"), quotient, 1.0, float(call.get("value")))


def interpolate(call: Call) -> Value:
    """Capture ``self + weight * (end - self)``; a constant weight is a weighted sum."""
    start, end, weight = (call.get(name) for name in ("self", "end", "weight"))
    share = as_constant(weight)
    if share is None:
        difference = _sum(call, end, start, 1.0, -1.0)
        return _sum(call, start, _product(call, difference, weight), 1.0, 1.0)
    if share.numel() == 1:
        return _sum(call, start, end, 1.0 - float(share), float(share))
    parts = _product(call, start, 1.0 - share), _product(call, end, share)
    return _sum(call, *parts, 1.0, 1.0)


def negate(call: Call) -> View:
    """Capture ``-self``."""
    return _times(call, call.pending(call.get("self")), -1.0)


def scale(call: Call) -> Value:
    """Capture a product or a quotient of two tensors or numbers.

    One constant for all is kept with the view until a reader needs the product: attention takes
    it into the scale of its scores.
    """
    first, second = call.get("self"), call.get("other")
    if call.operation in _PRODUCTS:
        return _product(call, first, second)
    divisor = as_constant(second)
    if call.get("rounding_mode"):
        raise unknown_operation(call.operation, ())
    if divisor is None:
        return _product(call, first, inverse(call, call.as_view(second), 1.0))
    return _product(call, first, 1.0 / divisor)


def maximum(call: Call) -> View:
    """Capture the larger of two elements; a constant for all bounds the other from below."""
    first, second = call.get("self"), call.get("other")
    for value, bound in ((first, as_constant(second)), (second, as_constant(first))):
        if bound is not None and bound.numel() == 1:
            return apply_function(call, call.as_view(value), Clamp(float(bound), math.inf))
    return _pair(call, Maximum(), call.as_view(first), call.as_view(second))


def power(call: Call) -> View:
    """Capture a power with a constant exponent, such as a square or a square root."""
    usual = {"square": 2.0, "sqrt": 0.5, "rsqrt": -0.5, "reciprocal": -1.0}
    exponent = as_constant(usual.get(call.operation, call.get("exponent")))
    if exponent is None or exponent.numel() > 1 or float(exponent) == 0:
        raise Unsupported(
            f"{call.operation} with an exponent that is not one number",
            "a constant exponent, the same for all elements",
            "replace the power by a function of single elements, and fine-tune",
        )
    if float(exponent) < 0:
        return inverse(call, call.view("self"), -float(exponent))
    return apply_function(call, call.view("self"), Power(float(exponent)))


def clamp(call: Call) -> View:
    """Capture a clamp with constant bounds, one or both."""
    low, high = (
        as_constant(first if first is not None else call.get(second))
        for first, second in ((call.get("min"), "min_val"), (call.get("max"), "max_val"))
    )
    if any(bound is not None and bound.numel() > 1 for bound in (low, high)):
        raise Unsupported(
            "a clamp whose bounds are tensors", "one bound for all elements", "use numbers"
        )
    op = Clamp(-math.inf if low is None else float(low), math.inf if high is None else float(high))
    return apply_function(call, call.view("self"), op)


def _times(call: Call, view: View, factor: float) -> View:
    return replace(view, factor=view.factor * factor, chain=(*view.chain, call.node.name))


def _product(call: Call, first: Any, second: Any) -> Value:
    """Return the product of two tensors or numbers."""
    if isinstance(first, View) and isinstance(second, View):
        return multiply(call, call.pending(first), call.pending(second))
    for value, other in ((first, second), (second, first)):
        constant = as_constant(other)
        if constant is not None and isinstance(value, View):
            if constant.numel() == 1 and constant.ndim <= len(value.shape):
                return _times(call, call.pending(value), float(constant))
            return scale_by(call, call.as_view(value), constant)
    factors = as_constant(first), as_constant(second)
    assert factors[0] is not None
    assert factors[1] is not None
    return factors[0] * factors[1]


def _sum(call: Call, a: Any, b: Any, first: float, second: float) -> Value:
    """Return ``first * a + second * b`` of two tensors or numbers."""
    constants = as_constant(a), as_constant(b)
    if constants[0] is not None and constants[1] is not None:
        return first * constants[0] + second * constants[1]
    if constants[1] is not None:
        return shift_by(call, _scaled(call, a, first), constants[1] * second)
    if constants[0] is not None:
        return shift_by(call, _scaled(call, b, second), constants[0] * first)
    return _pair(call, float_ops.Add(), _scaled(call, a, first), _scaled(call, b, second))


def _scaled(call: Call, value: Any, factor: float) -> View:
    view = call.pending(value)
    return call.settled(replace(view, factor=view.factor * factor))


def _pair(call: Call, op: FloatOp, a: View, b: View) -> View:
    """Capture an operation on two tensors of one shape, element by element."""
    name = op.kind.lower()
    if a.shape != b.shape:
        raise Unsupported(
            f"{call.operation} of shapes {a.shape} and {b.shape}",
            "two equal shapes",
            "smaller tensors are not broadcast here; expand them with a layer",
        )
    a, b = whole(call.drafts, a), whole(call.drafts, b)
    if a.source.shape == b.source.shape and torch.equal(a.index, b.index):
        draft = call.add(op, (a.source, b.source), name, own=False)
        return seen(draft, a.index, a)
    axes = (1, -1) if len(a.shape) == 4 else (-1,)
    try:
        drafts, order, axis = aligned(call, [a, b], axes)
    except Unsupported:
        # What a layer over positions makes has its channels where others have their positions.
        views = [turned(call.drafts, view, -1) or view for view in (a, b)]
        if views == [a, b]:
            raise
        drafts, order, axis = aligned(call, views, axes)
    return shown(call.add(op, drafts, name, own=False), order, a, axis)
