"""Attention times values: 4-bit log2 probabilities, which are shifts, or 8-bit uniform ones.

``n`` is the number of tokens; the problem is one head of 16 channels: N queries over N keys. Both
are the template hyq_attention_values with its buffers for the values of two heads, the replay of a
row's probabilities, adder tree, accumulator and requantization. One lane: one product per cycle;
``_4x4``: four keys times four channels. The products of ``uniform_dsp`` may become DSP blocks,
those of ``uniform_lut`` not. Errors are in steps of the output, which has the grid of the values.
"""

from __future__ import annotations

from functools import partial

from benchmarks.circuits.attention_reference import errors, operation, types
from benchmarks.circuits.operation_circuit import operation_circuit
from benchmarks.circuits.point import Point
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding

TOKENS = (16, 64, 256)
FOLDINGS = {"": Folding(1, 1), "_4x4": Folding(4, 4)}
#: Name of a circuit to the encoding of its probabilities.
CIRCUITS = {"log2": "log2", "uniform_dsp": "uniform", "uniform_lut": "uniform"}


def points() -> list[Point]:
    """List all circuits, and write their memories."""
    return [
        _point(circuit, tokens, suffix)
        for suffix in FOLDINGS
        for tokens in TOKENS
        for circuit in CIRCUITS
    ]


def _point(circuit: str, tokens: int, suffix: str) -> Point:
    encoding, folding = CIRCUITS[circuit], FOLDINGS[suffix]
    node, inputs = operation(encoding), types(encoding, tokens)
    module = operation_circuit(node, inputs, folding)
    return Point(
        kind="attention_v",
        circuit=circuit + suffix,
        regime="tight",
        n=tokens,
        sources=module.sources,
        top=module.top,
        parameters=module.parameters,
        cycles=circuit_of(node, *inputs).latency(folding) + 1,
        errors=partial(errors, encoding, tokens),
        dsp=circuit == "uniform_dsp",
    )
