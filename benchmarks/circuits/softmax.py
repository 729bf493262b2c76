"""Softmax circuits of HyQ, I-BERT, I-ViT and a table, as whole units of one code per cycle.

All have the same interface and give 4-bit log2 probabilities; ``n`` is the number of codes of a
row. Regimes:

``published``: logits are 32-bit integers, as the products of queries and keys are, of scale 2**-10,
that of a product of two 8-bit codes of scale 2**-5.

``published_8bit``: the same algorithms on 8-bit codes of scale 0.05.

``tight``: 8-bit codes, octaves of 16 codes, the smallest widths that are exact. Here
``linear_template`` is the package's own module, with the integers of ``linear``; that of 4 lanes
takes four codes per cycle, and its tests are those of the package.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.circuits.operation_circuit import memory_folder, operation_circuit, template_sources
from benchmarks.circuits.point import CIRCUITS, Point
from benchmarks.circuits.softmax_circuit import OUT_BITS, Function, SoftmaxCircuit, published, tight
from benchmarks.circuits.softmax_errors import softmax_errors
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.ops import LinearSoftmax
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.systemverilog import Value

SIZES = (16, 64, 256)

_FUNCTIONS = {"linear": 0, "shiftmax": 0, "polynomial": 1, "table": 2}
_MODULES = ("unit", "front", "row_buffer", "exponential", "reduction", "value", "quotient")


@dataclass(frozen=True)
class Named:
    """A circuit in the comparison.

    Attributes:
        name: name of the circuit.
        regime: choice of widths.
        circuit: the circuit.
        dsp: whether it may have DSP blocks.
    """

    name: str
    regime: str
    circuit: SoftmaxCircuit
    dsp: bool = True


def circuits() -> list[Named]:
    """Return all circuits of ``softmax_unit``."""
    makers: dict[str, Callable[[Function], SoftmaxCircuit]] = {
        "published": partial(published, bits=32, scale=2.0**-10),
        "published_8bit": partial(published, bits=8, scale=0.05),
        "tight": tight,
    }
    named = []
    for regime, make in makers.items():
        polynomial = make("polynomial")
        named += [
            Named("linear", regime, make("linear")),
            Named("polynomial_dsp", regime, polynomial),
            Named("polynomial_lut", regime, polynomial, dsp=False),
            Named("shiftmax", regime, make("shiftmax")),
            Named("table", regime, make("table")),
        ]
    return named


def points() -> list[Point]:
    """List every circuit with rows of 16, 64 and 256 codes."""
    return [_point(named, n) for named in circuits() for n in SIZES] + [
        _template_point(n, lanes) for lanes in (1, 4) for n in SIZES
    ]


def unit_parameters(circuit: SoftmaxCircuit, n: int) -> dict[str, Value]:
    """Parameters of ``softmax_unit`` for rows of ``n`` codes, 3 or more; writes its table."""
    parameters: dict[str, Value] = {
        "Circuit": _FUNCTIONS[circuit.function],
        "IsScaled": int(circuit.is_scaled),
        "IsFlat": int(circuit.is_flat),
        "Limit": circuit.limit,
        "Step": circuit.step,
        "Offset": circuit.offset,
        "Slope": circuit.slope,
        "OctaveBits": circuit.octaves.bit_length(),
        "RemainderBits": circuit.remainder_bits,
        "LargestShift": circuit.shift,
        "ValueBits": circuit.value_bits,
        "ShiftBits": circuit.shift_bits,
        "IsDivided": int(circuit.is_divided),
        "Beats": n,
        "Bits": circuit.bits,
        "OutBits": OUT_BITS,
        "ExponentialBits": circuit.exponential_bits,
        "TotalBits": circuit.total_bits(n),
    }
    if circuit.table:
        text = "".join(f"{entry:x}\n" for entry in circuit.table)
        parameters["TableFile"] = str(memory_folder({"table.mem": text}) / "table.mem")
    return parameters


@cache
def unit_sources() -> tuple[Path, ...]:
    """Return the SystemVerilog files of ``softmax_unit``."""
    own = [CIRCUITS / f"softmax_{name}.sv" for name in _MODULES]
    text = "".join(path.read_text(encoding="utf-8") for path in own)
    return (*own, *template_sources(*re.findall(r"^ *(hyq_\w+) #", text, re.MULTILINE)))


def _point(named: Named, n: int) -> Point:
    circuit = named.circuit
    return Point(
        kind="softmax",
        circuit=named.name,
        regime=named.regime,
        n=n,
        sources=unit_sources(),
        top="softmax_unit",
        parameters=unit_parameters(circuit, n),
        cycles=circuit.latency(n) + 1,
        errors=partial(softmax_errors, circuit, n),
        dsp=named.dsp,
    )


def _template_point(n: int, lanes: int) -> Point:
    """Make the package's own linear softmax, which takes any number of codes per cycle."""
    circuit = tight("linear")
    operation = LinearSoftmax(circuit.remainder_bits, circuit.shift, OUT_BITS, "log2")
    tensor, folding = TensorType((n,), Quantization(circuit.bits, False)), Folding(lanes, lanes)
    module = operation_circuit(operation, [tensor], folding)
    return Point(
        kind="softmax",
        circuit="linear_template" if lanes == 1 else f"linear_template_{lanes}_lanes",
        regime="tight",
        n=n,
        sources=module.sources,
        top=module.top,
        parameters=module.parameters,
        cycles=circuit_of(operation, tensor).latency(folding) + 1,
        errors=partial(softmax_errors, circuit, n),
    )
