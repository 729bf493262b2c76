"""Published integer nonlinearities: equal to the released algorithms, written again in torch.

The classes below are short transcriptions of the authors' simulations (FQ-ViT/HyQ, I-BERT, I-ViT),
in float64, where every number that they compute is exact; the tests ask for equal integers.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import ceil, floor, log
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import LinearSoftmax, ShiftSwish
from hyq_hls.ops.linear_softmax import line_offset
from hyq_hls.quant.config import Exponential
from hyq_hls.quant.lowering.nonlinear import softmax_operation
from hyq_hls.quant.lowering.published import (
    exact_exponential,
    hyq_exponential,
    i_bert_swish,
    i_vit_swish,
    polynomial_exponential,
    released_shift_swish,
    shift_exponential,
)

Ints = NDArray[np.int64]
Real = NDArray[np.float64]

#: From fine to coarse, powers of two and not; steps of 8-bit scores lie between.
SCALES = (0.0107, 2**-6, 0.02, 0.0333, 0.05, log(2) / 16, 0.08, 0.15, log(2) / 4, 0.3, 0.5, 0.7)
DISTANCES = np.arange(1024)


def plain(values: torch.Tensor) -> Ints:
    """Integers out of a simulation, all of which are whole numbers."""
    assert bool((values == values.round()).all())
    return values.to(torch.int64).numpy()


# -- FQ-ViT and HyQ: models/ptq/layers.py, QIntSoftmax -------------------------------------------


class QIntSoftmax:
    """Integer softmax with a line (HyQ) or a polynomial (FQ-ViT, I-BERT); log2 probabilities."""

    def __init__(self, kind: str, bits: int = 4, n: int = 30) -> None:
        self.kind, self.bits, self.n = kind, bits, n

    def exponential(self, x_int: torch.Tensor, scaling_factor: float) -> torch.Tensor:
        x0_int = floor(-0.6931 / scaling_factor)
        x_int = torch.max(x_int, torch.full_like(x_int, self.n * x0_int))
        q = torch.floor(x_int / x0_int)
        r = x_int - x0_int * q
        if self.kind == "line":
            z = r + floor(0.12121466 / 0.08947606 / scaling_factor)
        else:
            b_int = floor(0.96963238 / 0.35815147 / scaling_factor)
            c_int = floor(1.0 / 0.35815147 / scaling_factor**2)
            z = r * (r + b_int) + c_int
        return torch.clamp(torch.floor(z * 2.0 ** (self.n - q)), min=0)

    def log_round(self, x: torch.Tensor) -> torch.Tensor:
        x_log_floor = x.log2().floor()
        big = x_log_floor
        extra_mask = (x - 2**big) >= 2 ** (big - 1)
        return torch.where(extra_mask, big + 1, big)

    def __call__(self, x_int: torch.Tensor, scaling_factor: float) -> tuple[torch.Tensor, ...]:
        """Levels, and probabilities (0 where the level does not fit the bits)."""
        x_int = x_int - x_int.amax(dim=-1, keepdim=True)
        exp_int = self.exponential(x_int, scaling_factor)
        softmax_out = torch.round(exp_int.sum(dim=-1, keepdim=True) / exp_int)
        rounds = self.log_round(softmax_out)
        mask = rounds >= 2**self.bits
        qlog = torch.clamp(rounds, 0, 2**self.bits - 1)
        return rounds, torch.where(mask, 0.0, 2.0**-qlog)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n", [10, 16, 30])
def test_line_is_that_of_hyq(scale: float, n: int) -> None:
    simulated = QIntSoftmax("line", n=n).exponential(-torch.from_numpy(DISTANCES).double(), scale)
    assert np.array_equal(hyq_exponential(DISTANCES, scale, n), plain(simulated))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n", [10, 16, 30])
def test_polynomial_is_that_of_i_bert(scale: float, n: int) -> None:
    simulated = QIntSoftmax("poly", n=n).exponential(-torch.from_numpy(DISTANCES).double(), scale)
    assert np.array_equal(polynomial_exponential(DISTANCES, scale, n), plain(simulated))


@pytest.mark.parametrize("bits", [3, 4])
@pytest.mark.parametrize(
    ("kind", "exponential"), [("line", "linear_released"), ("poly", "polynomial")]
)
def test_softmax_is_the_released_one(kind: str, exponential: Exponential, bits: int) -> None:
    """Whole rows, at scales that are no powers of two; the code top is told apart."""
    rng, top, at_top, above = np.random.default_rng(0), (1 << bits) - 1, 0, 0
    for octaves in (0.03, 0.0625, 0.11, 0.25, 0.3):
        x = Quantization(8, False, (octaves,), (77,))
        operation = softmax_operation(exponential, x, bits, "log2_rounded")
        q = operation.output_type(TensorType((64,), x)).quantization
        for lanes, spread in ((2, 20), (16, 60), (64, 255), (197, 130)):
            rows = rng.integers(0, spread + 1, (40, lanes))
            codes = torch.from_numpy(rows - 77).double()
            levels, theirs = (v.numpy() for v in QIntSoftmax(kind, bits)(codes, octaves * log(2)))
            found = operation.reference(rows)
            # Ours has no code for 2**-top: it is zero, as what lies above.
            assert np.array_equal(found, np.minimum(levels, top))
            below = levels < top
            assert np.array_equal(q.dequantize(found)[below], theirs[below])
            assert np.all(theirs[levels == top] == 2.0**-top)
            assert np.all(theirs[levels > top] == 0)
            at_top, above = at_top + (levels == top).sum(), above + (levels > top).sum()
    assert at_top > 100
    assert above > 100


@pytest.mark.parametrize("m", range(13))
def test_at_power_of_two_scales_hyq_and_ours_are_one_line(m: int) -> None:
    """``(e_released << n) >> 30`` is our exponential of n shift bits up to 30 octaves, n <= 30.

    Beyond, the released one stays where it is and ours goes on falling, to 0.
    """
    scale, distance = log(2) / 2**m, np.arange(40 << m)
    released, inside = hyq_exponential(distance, scale), distance <= 30 << m
    for n in (4, 17, 30):
        ours = LinearSoftmax(m, n, 4, "log2").exponential(distance)
        assert np.array_equal(ours[inside], released[inside] >> (30 - n))
        assert ours[-1] < max(1, ours[inside].min())
    assert set(released[~inside]) == {line_offset(m)}


@pytest.mark.parametrize("output", ["log2", "uniform"])
@pytest.mark.parametrize("m", [4, 5, 7])
def test_at_power_of_two_scales_the_softmax_is_one(
    m: int, output: Literal["log2", "uniform"]
) -> None:
    """All codes of two implementations, where no row is wider than 30 octaves."""
    x = Quantization(8, False, (2.0**-m,))
    released = softmax_operation("linear_released", x, 5, output)
    rows = np.random.default_rng(m).integers(0, 256, (500, 20))
    assert np.array_equal(released.reference(rows), LinearSoftmax(m, 30, 5, output).reference(rows))


def test_the_released_line_rises_between_octaves() -> None:
    """Why tables need not fall: the step is up to 2.4 %, upwards."""
    e = hyq_exponential(np.arange(500), 0.005)
    steps = e[1:] / e[:-1]
    assert 1.02 < steps.max() < 1.024
    assert np.argmax(steps) + 1 == ceil(0.6931 / 0.005)


# -- I-ViT: models/quantization_utils/quant_modules.py -------------------------------------------


def int_exp_shift(x_int: torch.Tensor, scaling_factor: float, n: int) -> torch.Tensor:
    x_int = x_int + torch.floor(x_int / 2) - torch.floor(x_int / 2**4)
    x0_int = floor(-1.0 / scaling_factor)
    x_int = torch.max(x_int, torch.full_like(x_int, n * x0_int))
    q = torch.floor(x_int / x0_int)
    r = x_int - x0_int * q
    return torch.clamp(torch.floor((r / 2 - x0_int) * 2.0 ** (n - q)), min=0)


def int_gelu(x_int: torch.Tensor, scaling_factor: float, factor: float, bits: int) -> torch.Tensor:
    """``IntGELU``, whose factor is 1.702; 1 makes it a Swish."""
    scaling_factor_sig = scaling_factor * factor
    x_int_max = x_int.amax(dim=-1, keepdim=True)
    exp_int = int_exp_shift(x_int - x_int_max, scaling_factor_sig, 23)
    exp_int_max = int_exp_shift(-x_int_max, scaling_factor_sig, 23)
    exp_int_sum = (exp_int + exp_int_max).clamp(max=2**31 - 1)
    reciprocal = torch.floor((2**31 - 1) / exp_int_sum)
    sigmoid_int = torch.floor(exp_int * reciprocal / 2 ** (31 - bits + 1))
    return x_int * sigmoid_int


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n", [10, 15, 23])
def test_shifts_are_those_of_i_vit(scale: float, n: int) -> None:
    simulated = int_exp_shift(-torch.from_numpy(DISTANCES).double(), scale, n)
    assert np.array_equal(shift_exponential(DISTANCES, scale, n), plain(simulated))


@pytest.mark.parametrize("scale", [0.001, *SCALES])
@pytest.mark.parametrize("bits", [8, 10])
def test_swish_of_i_vit(scale: float, bits: int) -> None:
    """Rows with maxima of their own; at 0.001 the sum is clamped to 31 bits."""
    rows = np.random.default_rng(0).integers(-128, 128, (50, 24))
    rows[:, 0] = np.maximum(rows[:, 0], 0)
    simulated = int_gelu(torch.from_numpy(rows).double(), scale, 1.0, bits)
    assert np.array_equal(i_vit_swish(rows, scale, bits), plain(simulated))


# -- I-BERT's exponentials in a sigmoid ----------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
def test_swish_of_i_bert(scale: float) -> None:
    codes = np.arange(-140, 116)
    expected = []
    for i in codes.tolist():
        pair = torch.tensor([i - max(i, 0), -max(i, 0)], dtype=torch.float64)
        e1, e2 = plain(QIntSoftmax("poly").exponential(pair, scale)).tolist()
        expected.append(i * (256 * e1 // (e1 + e2)))  # Python's integers
    assert i_bert_swish(codes, scale).tolist() == expected


# -- HyQ: models/layers_quant.py, Shift_Swish ----------------------------------------------------


class ShiftSwishReleased:
    """``Shift_Swish`` with its constants; ``M`` is 41 in the released file."""

    def __init__(self, m: int = 41) -> None:
        self.m = m

    def shift_exp(self, i: torch.Tensor, scale: float) -> torch.Tensor:
        i_p = i + i / 2 - i / 2**4
        i_0 = round(1 / scale)
        k = torch.floor(i_p / -i_0)
        r = -(i_p - k * -i_0)
        return (-r / 2 + i_0) * 2 ** (32 - k)

    def __call__(self, i: torch.Tensor, scale: float) -> torch.Tensor:
        maximum = i.max()
        e1, e2 = self.shift_exp(i - maximum, scale), self.shift_exp(-maximum, scale)
        out = torch.floor(2**self.m / (e1 + e2)) * e1 / 2 ** (self.m - 31)
        result: torch.Tensor = i * out * 2**-31 * scale
        return result


@pytest.mark.parametrize("scale", [s for s in SCALES if s < 0.5] + [2 / 3, 1.0])
@pytest.mark.parametrize("m", [41, 48, 60])
def test_shift_swish_is_the_released_one(scale: float, m: int) -> None:
    for codes in (np.arange(-128, 128), np.arange(-30, 226), np.arange(-255, 1)):
        simulated = ShiftSwishReleased(m)(torch.from_numpy(codes).double(), scale)
        assert np.array_equal(released_shift_swish(codes, scale, m), simulated.numpy())


# -- What they are worth -------------------------------------------------------------------------


def swish(x: Real) -> Real:
    result: Real = x / (1 + np.exp(-x))
    return result


def steps_of_a_byte(found: Real, x: Real) -> float:
    """Largest error in steps of an output of 8 bits that spans the true Swish."""
    true = swish(x)
    return float(np.abs(found - true).max() * 255 / (true.max() - true.min()))


@pytest.mark.parametrize(("m", "loss"), [(3, 4), (4, 8), (5, 11), (6, 32)])
def test_the_released_constant_loses_steps_that_m_60_and_our_circuit_keep(
    m: int, loss: int
) -> None:
    """Shift-Swish on 8-bit codes of scale 2**-m: steps of an 8-bit output that M = 41 costs."""
    codes, scale = np.arange(256) - 128, 2.0**-m
    x = codes * np.float64(scale)
    # Nearly the circuit's accumulator itself, of scale 2**-(m + 12), in 16 bits.
    fine = Requantize(Quantization(16, True, (scale / 64,)), np.array([6]), np.array([1]))
    swished = ShiftSwish(m, 128, 12, fine).reference(np.arange(256))
    ours: Real = swished.astype(np.float64) * scale / 64
    assert round(steps_of_a_byte(released_shift_swish(codes, scale), x)) == loss
    assert steps_of_a_byte(released_shift_swish(codes, scale, 60), x) < 1.5
    assert steps_of_a_byte(ours, x) < 2.5


@pytest.mark.parametrize("bits", [4, 17, 30])
def test_exact_exponential_is_rounded_from_the_true_one(bits: int) -> None:
    for scale in SCALES:
        found = exact_exponential(np.arange(300), scale, bits)
        true = [(Decimal(-d) * Decimal(scale)).exp() * (2**bits - 1) for d in range(300)]
        assert found.tolist() == [int(t.to_integral_value()) for t in true]


@pytest.mark.parametrize(
    ("exponential", "error"),
    [(hyq_exponential, 0.04), (polynomial_exponential, 0.005), (shift_exponential, 0.06)],
)
def test_exponentials_at_fine_scales(exponential: Callable[..., Ints], error: float) -> None:
    """HyQ's 3.7 % and I-ViT's 5.9 % are those of a line, I-BERT's 0.4 % of a coarse ln 2."""
    for scale in (0.005, 0.01, 0.02, 0.05):
        e = exponential(np.arange(1000), scale)
        assert np.abs(e / e[0] - np.exp(-np.arange(1000) * scale)).max() < error


# -- What they refuse ----------------------------------------------------------------------------


def test_scales_that_leave_nothing_or_too_much() -> None:
    with pytest.raises(QuantizationError, match=r"of 0 bits, at a scale of 1\.4 .* smaller scale"):
        hyq_exponential(DISTANCES, 1.4)
    with pytest.raises(QuantizationError, match=r"of 0 bits, at a scale of 2 nats"):
        polynomial_exponential(DISTANCES, 2.0)
    with pytest.raises(QuantizationError, match=r"of 59 bits, .*n = 30; .* use a smaller n"):
        polynomial_exponential(DISTANCES, 1e-4)
    assert polynomial_exponential(DISTANCES, 1e-4, 16).max() < 1 << 45
    with pytest.raises(QuantizationError, match=r"1 / 3\.0 rounds to 0"):
        released_shift_swish(DISTANCES, 3.0)
    with pytest.raises(QuantizationError, match="a row of codes up to -1 only"):
        i_vit_swish(np.array([[0, 5], [-9, -1]]), 0.1)
