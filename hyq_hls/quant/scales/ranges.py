"""The choice of scale and zero point from statistics, by an objective."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph.types import Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.traits import ANY_EXPONENT

Array = NDArray[np.float64]
Through = Callable[[Array], Array]

#: Powers of two that are tried below the scale that covers the whole range.
_FINER = 3
#: Shares of the range that the ``mse`` observer tries for real-valued scales (OMSE, 1 % steps).
_SHARES = np.linspace(1.0, 0.3, 36)
#: The same for factors with a pole, whose largest values may be many times those that matter.
_FINER_FOR_POLES = 12
_SHARES_OF_POLES = 2.0 ** -np.arange(0, _FINER_FOR_POLES, 0.25)
#: Scales of channels beside the coarsest of their tensor: the finest, which is where float32 would
#: lose a channel in a sum with that one, and that of a channel of zeros, where the constants of its
#: readers still have many bits.
_FINEST, _OF_ZEROS = 2.0**-24, 2.0**-12
#: A tensor of zeros, or of values too small to matter, still gets a scale.
_TINY = 2.0**-20
#: What logarithms lose by rounding.
_ROUNDED = 1e-9


def observed_range(statistics: TensorStatistics, config: QuantConfig) -> tuple[float, float]:
    """Return both ends of a tensor by the configured observer; zero is always inside."""
    if config.observer == "percentile":
        tail = (100 - config.percentile) / 2
        low, high = np.percentile(statistics.rows, [tail, 100 - tail])
    elif config.observer == "moving_average":
        low, high = statistics.mean_low.min(), statistics.mean_high.max()
    else:
        low, high = statistics.low.min(), statistics.high.max()
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    return (low, high) if high - low >= _TINY else (low, low + _TINY)


def quantization(
    statistics: TensorStatistics,
    config: QuantConfig,
    *,
    base: float | None,
    bits: int | None = None,
    through: Through | None = None,
    exponents: tuple[int, int] = ANY_EXPONENT,
) -> Quantization:
    """Choose the per-tensor quantization of a tensor.

    Args:
        statistics: statistics from calibration.
        config: observer, scheme and bits.
        base: the scale is ``base * 2**k``; None allows any real scale.
        bits: width that replaces ``config.activation_bits``.
        through: a function of rows (n, C), for example the activation that follows. Its error
            counts instead of the tensor's own.
        exponents: smallest and largest k. A real scale outside the powers of two of these exponents
            becomes the nearest of them.
    """
    return best_quantization(
        statistics, config, base=base, bits=bits, through=through, exponents=exponents
    )[0]


def best_quantization(
    statistics: TensorStatistics,
    config: QuantConfig,
    *,
    base: float | None,
    bits: int | None = None,
    through: Through | None = None,
    exponents: tuple[int, int] = ANY_EXPONENT,
) -> tuple[Quantization, float]:
    """Choose as :func:`quantization`; return also the relative squared error.

    The error is relative to the mean square of the exact values.

    Args:
        statistics: statistics from calibration.
        config: observer, scheme and bits.
        base: see :func:`quantization`.
        bits: see :func:`quantization`.
        through: see :func:`quantization`.
        exponents: see :func:`quantization`.
    """
    bits = bits or config.activation_bits
    low, high = observed_range(statistics, config)
    weights, finer = statistics.weights, 1 if config.observer == "minmax" else _FINER
    if weights is not None:
        finer = _FINER_FOR_POLES
        through = partial(np.multiply, np.sqrt(weights))
    if base is not None:
        candidates = _lattice_candidates(low, high, bits, config, base, exponents, finer)
    else:
        shares = _SHARES if config.observer == "mse" else _SHARES[:1]
        if weights is not None:
            shares = _SHARES_OF_POLES
        real = [_real(low * s, high * s, bits, config) for s in shares]
        least, most = (2.0**e for e in exponents)
        candidates = [c for c in real if least <= c.scale[0] <= most]
        candidates = candidates or _lattice_candidates(
            low, high, bits, config, 1.0, exponents, finer
        )
    rows = np.clip(statistics.rows, low, high)
    wanted = rows if through is None else through(rows)
    work = np.empty_like(rows)
    errors = [_error(rows, wanted, c, through, work) for c in candidates]
    best = int(np.argmin(errors))
    return candidates[best], errors[best] / max(float((wanted**2).mean()), _TINY)


def channel_quantization(
    statistics: TensorStatistics, config: QuantConfig, whole: Quantization, *, base: float | None
) -> Quantization:
    """Give each channel its own range; ``whole`` gives the bits.

    A channel that is always zero has none, and one that is almost so has a very fine one. Both take
    a coarser one: the sums in which channels meet would be wide for nothing.
    """
    high = statistics.high
    is_zero = (high - statistics.low < _TINY) & (np.abs(high) < _TINY)
    parts = {
        c: quantization(statistics.channel(c), config, base=base, bits=whole.bits)
        for c in np.flatnonzero(~is_zero).tolist()
    }
    coarsest = max((part.scale[0] for part in parts.values()), default=max(whole.scale))
    scale = np.full(high.size, coarsest * _OF_ZEROS)
    zero_point = np.full(high.size, whole.zero_point[0])
    for c, part in parts.items():
        octaves = np.ceil(np.log2(coarsest * _FINEST / part.scale[0]))
        scale[c] = part.scale[0] * 2.0 ** max(octaves, 0)
        zero_point[c] = part.zero_point[0]
    return Quantization(whole.bits, whole.signed, tuple(scale.tolist()), tuple(zero_point.tolist()))


def channel_factors(statistics: TensorStatistics, base: Quantization, largest: int) -> Quantization:
    """Choose FQ-ViT's power-of-two factors: channel scale ``s * 2**k_c``, one zero point.

    ``s`` is ``base.scale / 2**largest``; k_c in 0..largest minimizes the channel's squared error.
    """
    finest = base.scale[0] / 2**largest
    rows = statistics.rows
    errors = []
    for k in range(largest + 1):
        q = Quantization(base.bits, base.signed, (finest * 2**k,), base.zero_point)
        errors.append(((q.dequantize(q.quantize(rows)) - rows) ** 2).mean(axis=0))
    exponents = np.argmin(errors, axis=0)
    scale = tuple(float(finest * 2.0**k) for k in exponents)
    return Quantization(base.bits, base.signed, scale, base.zero_point)


def _error(
    rows: Array, wanted: Array, q: Quantization, through: Through | None, work: Array
) -> float:
    """Return the mean squared error of a quantization per tensor.

    It is that of ``q.dequantize(q.quantize(rows))``, in the memory ``work``: this is where
    quantizing spends its time.
    """
    scale, zero = q.scale[0], q.zero_point[0]
    np.rint(np.divide(rows, scale, out=work), out=work)
    np.clip(np.add(work, zero, out=work), q.qmin, q.qmax, out=work)
    np.multiply(np.subtract(work, zero, out=work), scale, out=work)
    found = work if through is None else through(work)
    np.subtract(found, wanted, out=work)
    return float(np.square(work, out=work).mean())


def _lattice_candidates(
    low: float,
    high: float,
    bits: int,
    config: QuantConfig,
    base: float,
    exponents: tuple[int, int],
    finer: int,
) -> list[Quantization]:
    signed = config.activation_scheme == "symmetric"
    levels = (1 << bits) - 1
    needed = max(-low, high) / ((1 << (bits - 1)) - 0.5) if signed else (high - low) / levels
    covering = int(covering_exponent(needed / base))
    found: list[Quantization] = []
    for e in dict.fromkeys(int(np.clip(covering - k, *exponents)) for k in range(finer)):
        scale = base * 2.0**e
        if signed:
            found.append(Quantization(bits, True, (scale,), (0,)))
            continue
        # The codes that remain go to the low end, to the high end, or to both.
        ends = [-low / scale, levels - high / scale]
        for z in dict.fromkeys(round(v) for v in (*ends, sum(ends) / 2)):
            found.append(Quantization(bits, False, (scale,), (int(np.clip(z, 0, levels)),)))
    return found


def covering_exponent(ratio: Array | float) -> Array:
    """Return the least exponents with ``2**e >= ratio``, up to the rounding of logarithms."""
    found: Array = np.ceil(np.log2(ratio) - _ROUNDED)
    return found


def _real(low: float, high: float, bits: int, config: QuantConfig) -> Quantization:
    if config.activation_scheme == "symmetric":
        scale = max(-low, high) / ((1 << (bits - 1)) - 1)
        return Quantization(bits, True, (scale,), (0,))
    levels = (1 << bits) - 1
    scale = (high - low) / levels
    return Quantization(bits, False, (scale,), (int(np.clip(round(-low / scale), 0, levels)),))
