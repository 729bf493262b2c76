"""Handlers of sums, differences and products with constants."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from hyq_hls.capture import float_ops
from hyq_hls.capture.advice import unknown_operation
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_constants import as_constant, scale_by, shift_by
from hyq_hls.capture.compute import aligned, apply_function
from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.elementwise import Clamp
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.layouts import seen, shown, whole
from hyq_hls.capture.maximum import Maximum
from hyq_hls.capture.products import multiply


def add(call: Call) -> View:
    """Capture ``self + alpha * other``."""
    return _sum(call, 1.0, float(call.get("alpha")))


def subtract(call: Call) -> View:
    """Capture ``self - alpha * other``."""
    return _sum(call, 1.0, -float(call.get("alpha")))


def subtract_from(call: Call) -> View:
    """Capture ``other - alpha * self``."""
    return _sum(call, -float(call.get("alpha")), 1.0)


def negate(call: Call) -> View:
    """Capture ``-self``."""
    return _times(call, call.pending(call.get("self")), -1.0)


def scale(call: Call) -> View:
    """Capture a product of two tensors, one of which may be constant, or a quotient by a constant.

    One constant for all is kept with the view until a reader needs the product: attention takes
    it into the scale of its scores.
    """
    first, second = call.get("self"), call.get("other")
    if call.operation == "mul" and not isinstance(first, View):
        first, second = second, first
    if call.operation == "mul" and isinstance(second, View):
        return multiply(call, call.pending(first), call.pending(second))
    constant = as_constant(second)
    if not isinstance(first, View) or constant is None or call.get("rounding_mode"):
        raise unknown_operation(call.operation, ())
    constant = constant if call.operation == "mul" else 1.0 / constant
    if constant.numel() == 1:
        return _times(call, call.pending(first), float(constant))
    return scale_by(call, call.as_view(first), constant)


def maximum(call: Call) -> View:
    """Capture the larger of two elements; a constant for all bounds the other from below."""
    first, second = call.get("self"), call.get("other")
    for value, bound in ((first, as_constant(second)), (second, as_constant(first))):
        if bound is not None and bound.numel() == 1:
            return apply_function(call, call.as_view(value), Clamp(float(bound), math.inf))
    return _pair(call, Maximum(), call.as_view(first), call.as_view(second))


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


def _product(call: Call, name: str, factor: float) -> View:
    view = call.pending(call.get(name))
    return call.settled(replace(view, factor=view.factor * factor))


def _sum(call: Call, first: float, second: float) -> View:
    """Capture ``first * self + second * other`` of two tensors, one of which may be constant."""
    factors = {"self": first, "other": second}
    for name, other in (("self", "other"), ("other", "self")):
        constant = as_constant(call.get(other))
        if constant is not None:
            return shift_by(call, _product(call, name, factors[name]), constant * factors[other])
    a, b = (_product(call, name, factor) for name, factor in factors.items())
    return _pair(call, float_ops.Add(), a, b)


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
    drafts, order, axis = aligned(call, [a, b], (1, -1) if len(a.shape) == 4 else (-1,))
    return shown(call.add(op, drafts, name, own=False), order, a, axis)
