"""Integer arithmetic from operators of ONNX, in the number type in which it is exact.

A float32 holds every integer up to 2**24 and a float64 every integer up to 2**53, so that sums with
proven bounds are exact in floating point, in any order of their terms. Wider ones are int64.
``ConvInteger`` and ``MatMulInteger`` are not used: on processors without VNNI their kernels
saturate sums of two products to 16 bits.
"""

from __future__ import annotations

import numpy as np

from hyq_hls.graph import Bounds, Quantization
from hyq_hls.graph.requantize import Requantize
from hyq_hls.onnx_export.writer import FLOAT32, FLOAT64, INT64, Number, Value


def exact_type(largest: int) -> Number:
    """Return the smallest number type that holds all integers up to ``largest``."""
    if largest <= 1 << 24:
        return FLOAT32
    return FLOAT64 if largest <= 1 << 53 else INT64


def code_type(quantization: Quantization) -> Number:
    """Return the smallest integer type that holds all codes."""
    bits = 8 if quantization.bits <= 8 else 16
    return np.dtype(f"{'int' if quantization.signed else 'uint'}{bits}")


def floor_divided(value: Value, divisor: Value | np.ndarray | int) -> Value:
    """Return the floors of int64 quotients; ONNX's own division rounds toward zero.

    A divisor is positive. The remainder of ``Mod`` has its sign.
    """
    other = divisor if isinstance(divisor, Value) else np.asarray(divisor, np.int64)
    return (value - value.apply("Mod", other)).apply("Div", other)


def row_sums(value: Value, length: int, largest: int) -> Value:
    """Return the sums over the last axis, which stays with length 1.

    ``ReduceSum`` of onnxruntime adds int64 in float64; a product with ones adds them exactly.

    Args:
        value: the terms.
        length: size of the last axis.
        largest: the largest absolute value of a sum.
    """
    if largest <= 1 << 53:
        return value.sum(-1, keep=True)
    return value.cast(INT64) @ np.ones((length, 1), np.int64)


def integer_root(value: Value) -> Value:
    """Return the exact floors of square roots of int64 from 0 to 2**62 - 1.

    The root of a float64 is at most one off.
    """
    root = value.cast(FLOAT64).apply("Sqrt").cast(INT64)
    root = root - (root * root).greater(value)
    above = root + 1
    return root + value.greater_or_equal(above * above)


def requantized(acc: Value, bounds: Bounds, requantize: Requantize) -> Value:
    """Return codes for accumulators.

    Args:
        acc: accumulators in any number type that holds them, channels last.
        bounds: their bounds, and those of the partial sums that made them.
        requantize: accumulator to code.
    """
    number = exact_type(requantize.reach(bounds.magnitude))
    acc = acc.cast(number)
    code = _shifted(acc, requantize) if number == INT64 else _scaled(acc, requantize)
    q = requantize.quantization
    return code.clip(q.qmin, q.qmax).cast(code_type(q))


def _scaled(acc: Value, requantize: Requantize) -> Value:
    """Return the codes before saturation in floating point, which holds every step."""
    factor, offset = requantize.factor_and_offset()
    if (factor != 1).any():
        acc = acc * factor
    return (acc + offset).apply("Floor")


def _shifted(acc: Value, requantize: Requantize) -> Value:
    """Return the codes before saturation in int64."""
    right, left = np.maximum(requantize.shift, 0), np.maximum(-requantize.shift, 0)
    factor = requantize.multiplier << left
    if (factor != 1).any():
        acc = acc * factor
    if right.any():
        half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
        acc = floor_divided(acc + half, np.int64(1) << right)
    return acc + np.array(requantize.quantization.zero_point, np.int64)
