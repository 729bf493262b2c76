"""Integer nonlinearities of published work, as functions on integers.

They fill tables (:mod:`hyq_hls.quant.lowering.nonlinear`), so that a network can be run exactly
with the softmax and the Swish of another paper, in the circuits of this package. Each function
follows the authors' released code, whose simulation computes the same numbers in float32; here
nothing rounds.

The zero point is subtracted from codes already. ``scale`` is the real size of one step in nats.
Scores of this package are in octaves; their step in nats is ``ln 2`` times as large. Exponentials
are returned in a unit of their own, because only their ratios matter.
"""

from __future__ import annotations

from math import floor

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import QuantizationError

Ints = NDArray[np.int64]

#: All of these codes have this value of ``ln 2``.
_LN2 = 0.6931
#: Line ``a x + b`` through ``exp`` on [-ln 2, 0], divided by 8 (HyQ, ``QIntSoftmax``).
_LINE = (0.08947606, 0.12121466)
#: ``a x**2 + b x + c`` through ``exp`` on [-ln 2, 0] (I-BERT, ``IntSoftmax``).
_POLYNOMIAL = (0.35815147, 0.96963238, 1.0)
#: Products of 8 more bits fit int64.
_MAX_BITS = 53


def hyq_exponential(distance: Ints, scale: float, n: int = 30) -> Ints:
    """Return ``exp(-distance * scale)`` as in HyQ's release (``QIntSoftmax``): an add, a shift.

    With ``x0 = floor(-0.6931 / scale)`` and ``d = max(-distance, n * x0)``::

        k = floor(d / x0),  r = d - x0 * k,  B = floor(b / a / scale)
        e = max(0, (r + B) << (n - k))

    ``x0`` is coarse: at a scale of 0.3 an "octave" is 0.9 nats instead of 0.69. Where ``x0`` is
    fine, the exponential rises by up to 2.4 % from the end of an octave to the next.

    Args:
        distance: int64 of any shape, 0 or more: the distance of a code below the maximum of its
            row.
        scale: real step of a code, in nats.
        n: the largest shift; the exponential falls no further after this number of octaves.

    Raises:
        QuantizationError: at this scale the largest exponential is 0, or needs more than 53 bits.
    """
    _, k, r = _octaves(distance, scale, n)
    offset = floor(_LINE[1] / _LINE[0] / scale)
    _check(offset, n, scale)
    return np.maximum(0, (r + offset) << (n - k))


def polynomial_exponential(distance: Ints, scale: float, n: int = 30) -> Ints:
    """Return ``exp(-distance * scale)`` by I-BERT's second-order polynomial (``int_exp``).

    FQ-ViT's integer softmax has the same. With ``k``, ``r`` as in :func:`hyq_exponential`::

        B = floor(b / a / scale),  C = floor(c / a / scale**2)
        e = max(0, ((r + B) * r + C) << (n - k))

    Arguments and errors are those of :func:`hyq_exponential`. The release has n = 30; 10 to 16 are
    enough for probabilities of few bits.
    """
    _, k, r = _octaves(distance, scale, n)
    a, b, c = _POLYNOMIAL
    linear, constant = floor(b / a / scale), floor(c / a / scale**2)
    _check(constant, n, scale)
    return np.maximum(0, ((r + linear) * r + constant) << (n - k))


def shift_exponential(distance: Ints, scale: float, n: int = 15) -> Ints:
    """Return ``exp(-distance * scale)`` by I-ViT's shifts (``int_exp_shift``, Shiftmax).

    With ``I = -distance``, ``p = I + floor(I / 2) - floor(I / 16)`` (about ``I * log2(e)``) and
    ``x0 = floor(-1 / scale)``::

        p = max(p, n * x0),  k = floor(p / x0),  r = p - x0 * k
        e = max(0, floor((r / 2 - x0) * 2**(n - k)))

    Arguments and errors are those of :func:`hyq_exponential`.
    """
    x0 = floor(-1 / scale)
    _check(-x0, n, scale)
    i = -np.asarray(distance, dtype=np.int64)
    p = np.maximum(i + (i >> 1) - (i >> 4), n * x0)
    k = p // x0
    r = p - x0 * k
    return np.maximum(0, ((r - 2 * x0) << (n - k)) >> 1)


def exact_exponential(distance: Ints, scale: float, bits: int) -> Ints:
    """Return ``exp(-distance * scale)`` in ``bits`` unsigned bits, rounded half to even.

    It is a plain baseline.

    Args:
        distance: int64 of any shape, 0 or more.
        scale: real step of a code, in nats.
        bits: 1 to 53; the exponential of distance 0 is ``2**bits - 1``.
    """
    real = np.exp(-np.asarray(distance, dtype=np.float64) * scale)
    return np.rint(real * ((1 << bits) - 1)).astype(np.int64)


def i_vit_swish(codes: Ints, scale: float, bits: int = 8) -> Ints:
    """Return ``x * sigmoid(x)`` by I-ViT's ShiftGELU without its factor 1.702.

    It is the ``IntGELU`` of the release, n = 23. With ``m = max_row(I)``,
    ``e1 = shift_exp(I - m)`` and ``e2 = shift_exp(-m)``::

        f   = floor((2**31 - 1) / min(e1 + e2, 2**31 - 1))
        sig = floor(e1 * f / 2**(31 - bits + 1)),  y = I * sig

    Args:
        codes: codes ``I``, int64 (..., C), in rows of C.
        scale: real step of a code.
        bits: bits of the sigmoid, with its sign.

    ``f`` has few bits at fine scales (2 to 5 at 0.02), because I-ViT trains its networks with it.
    More than 23 octaves below the maximum the exponential falls no further.

    Returns:
        int64 of the same shape; a step is ``scale * 2**-(bits - 1)``.

    Raises:
        QuantizationError: as for :func:`hyq_exponential`, or a row has no code of 0 or more.
    """
    largest = codes.max(axis=-1, keepdims=True)
    if largest.min() < 0:
        raise QuantizationError(
            f"i_vit_swish: a row of codes up to {largest.min()} only; each must have one of 0 or "
            "more, so that exponentials are of 0 or less"
        )
    e1, e2 = (shift_exponential(d, scale, 23) for d in (largest - codes, largest))
    most = (1 << 31) - 1
    factor = most // np.minimum(e1 + e2, most)
    return codes * ((e1 * factor) >> (31 - bits + 1))


def i_bert_swish(codes: Ints, scale: float, bits: int = 8, n: int = 30) -> Ints:
    """Return ``x * sigmoid(x)`` with the sigmoid ``e1 / (e1 + e2)`` of I-BERT's exponentials.

    I-BERT has no Swish. This is its softmax of ``I`` and 0, whose larger value is subtracted from
    both, as HyQ's first revision (``QIntExp``) makes a sigmoid of its line::

        m = max(I, 0),  e1 = polynomial_exponential(m - I),  e2 = polynomial_exponential(m)
        sig = floor(2**bits * e1 / (e1 + e2)),  y = I * sig

    Args:
        codes: codes ``I``, int64 of any shape.
        scale: real step of a code.
        bits: fraction bits of the sigmoid, up to 8.
        n: see :func:`polynomial_exponential`.

    Returns:
        int64 of the same shape; a step is ``scale * 2**-bits``.
    """
    largest = np.maximum(codes, 0)
    e1, e2 = (polynomial_exponential(d, scale, n) for d in (largest - codes, largest))
    return codes * ((e1 << bits) // (e1 + e2))


def released_shift_swish(codes: Ints, scale: float, m: int = 41) -> NDArray[np.float64]:
    """Return ``x * sigmoid(x)`` by Shift-Swish as in HyQ's code (``Shift_Swish``), M = 41.

    ``m = 41`` leaves few bits of the reciprocal: errors reach 3 steps of an 8-bit output at a scale
    of 0.1, and 20 at 0.02. From ``m = 32 + log2(2 / scale) + 9`` on, only the errors of the
    exponential remain. The released code lacks the floors that integers would need: its
    exponentials are real numbers, and so is the result, here in float64. With
    ``I0 = round(1 / scale)``::

        shift_exp(I): p = I + I/2 - I/16,  k = floor(p / -I0),  r = -(p + k * I0)
                      e = (I0 - r/2) * 2**(32 - k)
        e1 = shift_exp(I - max(I)),  e2 = shift_exp(-max(I))
        sig = floor(2**m / (e1 + e2)) * e1 * 2**-m,  y = I * sig * scale

    Args:
        codes: codes ``I``, int64 of any shape. A table passes all codes, so that the maximum is a
            constant.
        scale: real step of a code, below 2.
        m: numerator bits M of the reciprocal.

    Returns:
        float64 of the same shape: real values.

    Raises:
        QuantizationError: ``1 / scale`` rounds to 0.
    """
    unit = round(1 / scale)
    if unit < 1:
        raise QuantizationError(
            f"released_shift_swish: 1 / {scale} rounds to {unit}, 1 or more is wanted; "
            "use a smaller input scale"
        )

    def shift_exp(i: NDArray[np.float64]) -> NDArray[np.float64]:
        p = i + i / 2 - i / 16
        k = np.floor(p / -unit)
        r = -(p + k * unit)
        return (unit - r / 2) * np.exp2(32 - k)

    real = codes.astype(np.float64)
    largest = real.max()
    e1, e2 = shift_exp(real - largest), shift_exp(-largest)
    sigmoid = np.floor(2.0**m / (e1 + e2)) * e1 * 2.0**-m
    return real * sigmoid * scale


def _octaves(distance: Ints, scale: float, n: int) -> tuple[int, Ints, Ints]:
    """Return ``x0``, octave ``k`` (0 to n) and rest ``r`` (``x0 < r <= 0``) of a distance."""
    x0 = floor(-_LN2 / scale)
    d = np.maximum(-np.asarray(distance, dtype=np.int64), n * x0)
    k = d // x0
    return x0, k, d - x0 * k


def _check(mantissa: int, n: int, scale: float) -> None:
    """Raise unless the largest exponential ``mantissa << n`` is positive and fits 53 bits."""
    bits = (mantissa << n).bit_length()
    if not 0 < bits <= _MAX_BITS:
        cure = "a smaller n" if bits else "a smaller scale (more bits, or a smaller range)"
        raise QuantizationError(
            f"an exponential of {bits} bits, at a scale of {scale:g} nats and n = {n}; 1 to "
            f"{_MAX_BITS} are wanted; use {cure}, or another exponential"
        )
