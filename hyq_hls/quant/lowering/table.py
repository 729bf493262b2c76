"""Tables of functions of single elements. Channels may differ behind a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil, inf, isfinite, log2

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.capture.float_op import FloatOp
from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Operation, Quantization
from hyq_hls.graph.types import MAX_BITS, MIN_BITS
from hyq_hls.ops import RequantizeTensor, Table
from hyq_hls.ops.table import MAX_TABLE_BITS
from hyq_hls.quant.factors import requantize
from hyq_hls.quant.scales.homogeneous import scaled

Array = NDArray[np.float64]
#: Real values (2**bits,) of a function for every code of its input, in ascending order.
Values = Callable[[Quantization], Array]

#: Real numbers of both signs that bracket every minimum worth finding.
_PER_OCTAVE = 64
_OCTAVES = 2.0 ** (np.arange(-20 * _PER_OCTAVE, 20 * _PER_OCTAVE + 1) / _PER_OCTAVE)
_SAMPLES: Array = np.concatenate((-_OCTAVES[::-1], [0.0], _OCTAVES))
#: Samples between two neighbours, and number of refinements.
_FINER, _ROUNDS = 1001, 2
#: Digits of a minimum behind the decimal point.
_DIGITS = 8


def values_of(op: FloatOp) -> Values:
    """Return the function that computes values with ``op.forward`` in double precision."""

    def values(x: Quantization) -> Array:
        return _apply(op, x.dequantize(x.codes()))

    return values


def function_table(
    name: str,
    op: FloatOp,
    values: Values,
    x: Quantization,
    y: Quantization,
    *,
    homogeneous: bool = False,
) -> tuple[Operation, ...]:
    """Return a table, and a requantization behind it where channels of ``y`` differ.

    The table of such a function is fine enough for all channels. A homogeneous function has one
    table for channels whose scales differ. Where they differ alike in ``x`` and ``y``, no
    requantization is needed.

    Args:
        name: name of the node, for messages.
        op: the function, whose minimum a table for several channels must reach.
        values: values that the table holds; see :func:`values_of`.
        x: quantization of the input, at most 12 bits; per tensor, unless the function is
            homogeneous, for which channels share a zero point.
        y: quantization of the result.
        homogeneous: whether ``f(s * x) = s * f(x)`` for every ``s > 0``.

    Returns:
        A :class:`~hyq_hls.ops.Table`, followed by a :class:`~hyq_hls.ops.RequantizeTensor` where
        channels of ``y`` differ.

    Raises:
        QuantizationError: no table takes the codes of ``x``, or the published integers do not take
            them.
    """
    scales = 1 if not homogeneous else len(x.scale)
    if x.bits > MAX_TABLE_BITS or len(x.scale) > scales or len(x.zero_point) > 1:
        raise QuantizationError(
            f"{name}: a table of {op.kind} needs an input of at most {MAX_TABLE_BITS} bits and one "
            f"scale, found {x.bits} bits, {len(x.scale)} scales and {len(x.zero_point)} zero "
            "points; lower activation_bits here, or use per-tensor scales"
        )
    # The table speaks of the first channel; the other channels have a factor on both sides of it.
    factors = np.asarray(x.scale) / x.scale[0]
    first = _scaled(y, 1 / factors)
    wide = _wide(op, first) if first.per_channel else first
    codes = wide.quantize(values(replace(x, scale=x.scale[:1])))
    found = _scaled(wide, factors)
    table = Table(codes, found, x.qmin)
    if wide is first:
        return (table,)
    return table, RequantizeTensor(found.zero_point, requantize(found.scale, y))


def _scaled(q: Quantization, factors: Array) -> Quantization:
    """Return the quantization with factors (C,) or (1,) on its scales; equal scales become one."""
    found = scaled(q, factors)
    return replace(found, scale=found.scale[:1]) if len(set(found.scale)) == 1 else found


def minimum(op: FloatOp) -> float:
    """Return the infimum of a function of elements over the reals, or zero if that is smaller.

    It is rounded to 8 decimals. It is minus infinity where the function falls without an end. The
    infimum of SiLU is -0.27846454, at x = -1.27846.
    """
    samples, values = _SAMPLES, _apply(op, _SAMPLES)
    if _falls(*values[::_PER_OCTAVE][2::-1]) or _falls(*values[::-_PER_OCTAVE][2::-1]):
        return -inf
    for _ in range(_ROUNDS):
        best = int(np.argmin(values))
        near = samples[max(best - 1, 0)], samples[min(best + 1, len(samples) - 1)]
        samples = np.linspace(*near, _FINER)
        values = _apply(op, samples)
    return round(min(float(values.min()), 0.0), _DIGITS)


def _falls(near: float, middle: float, far: float) -> bool:
    """Return whether a function that falls between three ends of octaves falls without end.

    Towards an asymptote, such as that of ``-x / (1 + x)``, it falls in an octave half as far as in
    the octave before.
    """
    return far < middle and middle - far > 0.75 * (near - middle)


def _apply(op: FloatOp, x: Array) -> Array:
    found: Array = op.forward(torch.from_numpy(x)).numpy()
    return found


def _wide(op: FloatOp, y: Quantization) -> Quantization:
    """Return codes for all channels of ``y``.

    They are a bit finer than its finest channel, as far as 16 bits allow.
    """
    scale, zero = np.asarray(y.scale), np.asarray(y.zero_point)
    low, high = minimum(op), float(((y.qmax - zero) * scale).max())
    if not isfinite(low):
        low = float(((y.qmin - zero) * scale).min())
    step = min(y.scale) / 2
    while (high - low) / step + 2 > 1 << MAX_BITS:
        step *= 2
    bits = max(MIN_BITS, ceil(log2((high - low) / step + 2)))
    return Quantization(bits, False, (step,), (ceil(-low / step),))
