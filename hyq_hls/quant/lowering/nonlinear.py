"""The choice of integer operations for softmax and Swish: a function and its publication."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Operation, Quantization
from hyq_hls.ops import LinearSoftmax, TableSoftmax
from hyq_hls.ops.linear_softmax import softmax_shift_bits
from hyq_hls.ops.table_softmax import MAX_SOFTMAX_TABLE_BITS, SoftmaxOutput
from hyq_hls.quant.config import Exponential
from hyq_hls.quant.lowering.published import (
    exact_exponential,
    hyq_exponential,
    i_bert_swish,
    i_vit_swish,
    polynomial_exponential,
    released_shift_swish,
    shift_exponential,
)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Swishes of publications that a table can hold.
SwishKind = Literal["i_vit", "i_bert", "shift_released"]

#: Each function stands with the shift n that was published.
_EXPONENTIALS: dict[str, tuple[Callable[[Ints, float, int], Ints], int]] = {
    "linear_released": (hyq_exponential, 30),
    "polynomial": (polynomial_exponential, 30),
    "shift": (shift_exponential, 15),
}
#: With a smaller shift there would be too few levels for the published function.
_SMALLEST_SHIFT = 12
_MOST_BITS = 44
#: The sigmoid of ``i_vit`` and ``i_bert`` has this number of bits.
_SIGMOID_BITS = 8


def softmax_operation(
    exponential: Exponential, x: Quantization, bits: int, output: SoftmaxOutput
) -> Operation:
    """Return the softmax over codes of ``x``, whose step is ``x.scale[0]`` octaves.

    A step in nats is ``ln 2`` times as large. The published exponentials keep their published
    shifts (n = 30, 30, 15) where 44 bits hold them. Only the exponential is that of I-BERT's and
    I-ViT's softmax: output ``uniform`` divides and rounds, where their code multiplies by a
    reciprocal and floors twice.

    Args:
        exponential: one of :data:`Exponential`; ``linear`` needs a power-of-two scale of at most 1.
        x: quantization of the scores, per tensor, at most 10 bits unless the exponential is
            ``linear``.
        bits: width of a probability.
        output: output of :class:`hyq_hls.ops.TableSoftmax`; ``linear`` has no ``log2_rounded``.

    Raises:
        QuantizationError: the scores or the output do not suit the exponential.
        GraphError: ``bits`` is out of range.
    """
    if exponential not in get_args(Exponential):
        raise QuantizationError(
            f"unknown exponential {exponential!r}; one of {get_args(Exponential)} is wanted"
        )
    if x.per_channel or x.encoding != "affine":
        raise QuantizationError(
            f"softmax: scores with {len(x.scale)} scales, {len(x.zero_point)} zero points and "
            f"{x.encoding} codes; one affine scale per tensor is wanted"
        )
    if exponential == "linear":
        return _linear(x, bits, output)
    if x.bits > MAX_SOFTMAX_TABLE_BITS:
        raise QuantizationError(
            f"softmax: scores of {x.bits} bits; a table of the {exponential} exponential takes at "
            f"most {MAX_SOFTMAX_TABLE_BITS}; use fewer bits here, or the exponential 'linear'"
        )
    distance, nats = np.arange(1 << x.bits), x.scale[0] * log(2)
    if exponential == "table":
        precision = softmax_shift_bits(bits, "uniform" if output == "uniform" else "log2")
        return TableSoftmax(exact_exponential(distance, nats, precision), bits, output)
    return TableSoftmax(_published(exponential, distance, nats), bits, output)


def _published(exponential: str, distance: Ints, nats: float) -> Ints:
    """Return exponentials with the published shift, or a smaller one.

    The shift is smaller where 44 bits do not hold the exponentials. Otherwise sums of long rows
    would exceed 62 bits. A softmax sees only ratios, and they lose nothing that shows in few output
    bits.
    """
    function, shift = _EXPONENTIALS[exponential]
    for n in range(shift, _SMALLEST_SHIFT, -1):
        try:
            table = function(distance, nats, n)
        except QuantizationError:
            continue  # Some shifts need too many bits; with some scales every shift gives 0.
        if int(table.max()).bit_length() <= _MOST_BITS:
            return table
    return function(distance, nats, _SMALLEST_SHIFT)


def _linear(x: Quantization, bits: int, output: SoftmaxOutput) -> Operation:
    mantissa, exponent = np.frexp(x.scale[0])
    if mantissa != 0.5 or exponent > 1:
        raise QuantizationError(
            f"softmax: a step of the scores is {x.scale[0]} octaves; the exponential 'linear' "
            "needs a power of two up to 1; give the scores such a scale, or use 'linear_released'"
        )
    if output == "log2_rounded":
        raise QuantizationError(
            "softmax: the exponential 'linear' gives log2 or uniform, log2_rounded was asked for; "
            "use 'linear_released', or output 'log2'"
        )
    shift = softmax_shift_bits(bits, output)
    return LinearSoftmax(int(1 - exponent), shift, bits, output)


def swish_values(kind: SwishKind, x: Quantization) -> Array:
    """Return ``x * sigmoid(x)`` of every code of ``x``, as published integers compute it.

    The next quantizer of the publications rounds the value half to even, and so does a table. I-ViT
    subtracts the maximum of a row, which a table cannot know. Here it is the maximum of the code
    and 0, so that the end of I-ViT's range at 23 octaves is not reached. Shift-Swish subtracts the
    maximum of the tensor; here it is the largest code.

    Args:
        kind: one of :data:`SwishKind`.
        x: quantization of the input, per tensor.

    Returns:
        float64 (2**bits,), in ascending order of the input code.

    Raises:
        QuantizationError: the kind is unknown, or the scale does not suit the function.
    """
    codes, scale = x.codes() - x.zero_point[0], x.scale[0]
    if kind == "i_vit":
        # The maximum of a row is not known here; the maximum of the code and 0 is the best for
        # I-ViT.
        rows = np.stack([codes, np.zeros_like(codes)], axis=-1)
        integers, unit = i_vit_swish(rows, scale, _SIGMOID_BITS)[:, 0], 2.0 ** (1 - _SIGMOID_BITS)
    elif kind == "i_bert":
        integers, unit = i_bert_swish(codes, scale, _SIGMOID_BITS), 2.0**-_SIGMOID_BITS
    elif kind == "shift_released":
        return released_shift_swish(codes, scale)
    else:
        raise QuantizationError(f"unknown Swish {kind!r}; one of {get_args(SwishKind)} is wanted")
    return integers.astype(np.float64) * scale * unit
