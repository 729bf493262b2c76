"""Errors of softmax circuits against the true softmax, over the same rows for all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.circuits.softmax_circuit import TOP, Codes, SoftmaxCircuit

_ROWS = 256  # of each deviation
_DEVIATIONS = (1.0, 3.0)


def logits(n: int) -> NDArray[np.float64]:
    """Draw rows of logits (512, n) with standard deviations 1 and 3."""
    rng = np.random.default_rng(n)
    return np.concatenate([rng.normal(0, sd, (_ROWS, n)) for sd in _DEVIATIONS])


def logit_codes(circuit: SoftmaxCircuit, n: int) -> Codes:
    """Turn rows into codes of ``circuit``: rounded, 0 in the middle, cut off at the ends."""
    codes = np.rint(logits(n) / circuit.scale).astype(np.int64) + (1 << (circuit.bits - 1))
    return np.clip(codes, 0, (1 << circuit.bits) - 1)


def softmax_errors(circuit: SoftmaxCircuit, n: int) -> tuple[float, float]:
    """Return the worst and the mean absolute error of a probability.

    The softmax of the same codes is the truth.
    """
    codes = logit_codes(circuit, n)
    exponentials = np.exp(circuit.scale * (codes - codes.max(axis=-1, keepdims=True)))
    true = exponentials / exponentials.sum(axis=-1, keepdims=True)
    found = circuit.reference(codes)
    errors = np.abs(np.where(found == TOP, 0.0, 0.5**found) - true)
    return float(errors.max()), float(errors.mean())


def exponential_errors(circuit: SoftmaxCircuit) -> tuple[float, float]:
    """Return the worst and the mean relative error of exponentials over the first octave.

    One common factor of all distances does not count: it cancels in the probabilities.
    """
    distances = np.arange(round(np.log(2) / circuit.scale))
    ratio = circuit.exponentials(distances) / np.exp(-circuit.scale * distances)
    errors = np.abs(ratio / np.sqrt(ratio.min() * ratio.max()) - 1)
    return float(errors.max()), float(errors.mean())
