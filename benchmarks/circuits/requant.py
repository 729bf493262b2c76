"""Requantization of accumulators to 8-bit codes: by shifts or by dyadic multipliers.

``n`` is the width of the accumulators; the problem is one position of 32 channels, a channel per
cycle and lane. ``per_tensor``: one factor, a constant of the circuit; ``per_channel``: a memory of
32. One lane, or where the name says so four. The multiplier of ``dyadic_dsp`` may become DSP
blocks, that of ``dyadic_lut`` not; where it is a constant it is shifts and adds.

Regime ``tight``: multipliers just wide enough (``requant_reference.by_tight_dyadic``) and one shift
for all; ``published``: 32-bit accumulators, 31-bit multipliers and a shift per channel, as I-BERT,
HAWQ-V3 and gemmlowp have them. Registers stand alike in all circuits: four stages.

Errors are in steps of the output, against the same real factors for all. A factor that is not a
power of two is what costs shifts their accuracy; the quantizer of this project chooses scales whose
factors are, and then all circuits are 0.5 off at worst.
"""

from __future__ import annotations

from functools import cache, partial

from benchmarks.circuits.operation_circuit import Circuit, memory_folder, template_sources
from benchmarks.circuits.point import CIRCUITS, Point
from benchmarks.circuits.requant_reference import (
    CHANNELS,
    OUTPUT,
    Scaling,
    by_published_dyadic,
    by_shift,
    by_tight_dyadic,
    errors,
    real_factors,
)
from hyq_hls.stream.arguments import zero_point_rom
from hyq_hls.stream.rtl.memories import memory_shape, memory_text
from hyq_hls.tools.systemverilog import Value

METHODS = ("shift", "dyadic_dsp", "dyadic_lut")
BITS = (16, 20, 24, 32)
#: Width of the accumulators of the rows with four lanes.
WIDE_LANES_BITS = 24
PUBLISHED_ACCUMULATOR_BITS = 32
#: Registers from an accumulator to its code, in all circuits.
STAGES = 4


def points() -> list[Point]:
    """List all circuits, and write their memories."""
    tight = [(bits, 1) for bits in BITS] + [(WIDE_LANES_BITS, 4)]
    rows = [("tight", *row, per_channel) for row in tight for per_channel in (False, True)]
    rows.append(("published", PUBLISHED_ACCUMULATOR_BITS, 1, True))
    return [_point(method, *row) for row in rows for method in METHODS]


@cache
def scaling(method: str, regime: str, bits: int, per_channel: bool) -> Scaling:
    """Return the integers of a row."""
    factors = real_factors(bits, per_channel)
    if method == "shift":
        return by_shift(factors)
    return by_tight_dyadic(factors) if regime == "tight" else by_published_dyadic(factors)


def _point(method: str, regime: str, bits: int, lanes: int, per_channel: bool) -> Point:
    row = scaling(method, regime, bits, per_channel)
    # A constant in LUTs is built as shifts and adds, which Yosys does not do by itself.
    if method == "dyadic_lut" and not per_channel:
        circuit = constant_circuit(row, bits, lanes)
    else:
        circuit = requantize_circuit(row, bits, lanes)
    suffix = f"_{lanes}_lanes" if lanes > 1 else ""
    return Point(
        kind="requant",
        circuit=f"{method}_per_{'channel' if per_channel else 'tensor'}{suffix}",
        regime=regime,
        n=bits,
        sources=circuit.sources,
        top=circuit.top,
        parameters=circuit.parameters,
        cycles=STAGES + CHANNELS // lanes,
        errors=partial(errors, row, real_factors(bits, per_channel)),
        dsp=method == "dyadic_dsp",
    )


def requantize_circuit(row: Scaling, bits: int, lanes: int) -> Circuit:
    """Make hyq_requantize for ``bits``-bit accumulators and zero point 0; write its memories.

    The operation of that name takes codes of at most 16 bits; its module takes any.
    """
    zero_point, entries = zero_point_rom((0,), lanes), row.rom(lanes)
    folder = memory_folder(
        {"zero_point.mem": memory_text(zero_point), "requantize.mem": memory_text(entries)}
    )
    parameters: dict[str, Value] = {
        "Channels": CHANNELS,
        "InLanes": lanes,
        "InBits": bits,
        "InSigned": 1,
        "OutBits": OUTPUT.bits,
        "OutSigned": 0,
        "AccumulatorBits": bits,
        "ZeroPoint": memory_shape(zero_point),
        "ZeroPointFile": str(folder / "zero_point.mem"),
        "Requantize": memory_shape(entries),
        "RequantizeFile": str(folder / "requantize.mem"),
    }
    return Circuit(template_sources("hyq_requantize"), "hyq_requantize", parameters)


def constant_circuit(row: Scaling, bits: int, lanes: int) -> Circuit:
    """Make requant_constant: one multiplier as shifts and adds.

    Trailing zeros of the multiplier are taken off the shift: neither costs anything.
    """
    assert row.multiplier is not None
    factor, shift = int(row.multiplier[0]), int(row.shift[0])
    zeros = (factor & -factor).bit_length() - 1
    factor, shift = factor >> zeros, shift - zeros
    parameters: dict[str, Value] = {
        "InLanes": lanes,
        "InBits": bits,
        "OutBits": OUTPUT.bits,
        "Factor": factor,
        "FactorBits": factor.bit_length(),
        "Shift": shift,
        "OutZero": OUTPUT.zero_point[0],
    }
    templates = template_sources("hyq_constant_product", "hyq_requantize_lanes")
    sources = (*templates, CIRCUITS / "requant_constant.sv")
    return Circuit(sources, "requant_constant", parameters)
