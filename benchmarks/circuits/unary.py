"""Unary functions: SiLU of 8-bit codes by Shift-Swish, by tables, and by x times a sigmoid.

``n`` is the number of lanes; the problem is one pass over all 256 codes, n at a time. Errors are in
steps of the output code. All circuits have valid/ready, one beat per cycle, unsigned 8-bit codes
in and out, zero points on both sides, and one simple step of logic between registers.

Circuits that end in ``_dsp`` and ``_lut`` are the same RTL, its multiplier in a DSP block or not.
The regime is ``tight`` throughout: widths are the smallest that lose nothing.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.circuits.operation_circuit import (
    Circuit,
    memory_folder,
    operation_circuit,
    template_sources,
)
from benchmarks.circuits.point import CIRCUITS, Point
from benchmarks.circuits.unary_reference import (
    CODES,
    FRACTION,
    GATED,
    INPUT,
    OUTPUT,
    Codes,
    GatedProduct,
    errors,
    range_entries,
    true_table,
)
from hyq_hls.graph import TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import ShiftSwish, Table
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.memories import memory_text
from hyq_hls.tools.systemverilog import Value

LANES = (1, 4)
#: Fraction bits of the sigmoid of Shift-Swish: the quantizer's default and the least there is.
PRECISIONS = (12, 8)


def swish(precision: int) -> ShiftSwish:
    """Return the Shift-Swish between the two grids of the comparison."""
    shift = np.array([FRACTION + precision - 5])  # OUTPUT has 5 fraction bits
    requantize = Requantize(OUTPUT, shift, np.array([1]))
    return ShiftSwish(FRACTION, INPUT.zero_point[0], precision, requantize)


def codes(circuit: str) -> Codes:
    """Compute the output code (256,) of a circuit for every input code by its reference."""
    if circuit.startswith("shift_swish_table"):
        return swish(PRECISIONS[0]).reference(CODES)
    if circuit.startswith("shift_swish_p"):
        return swish(int(circuit.split("_")[2][1:])).reference(CODES)
    if circuit.startswith("table"):
        return true_table()
    return GATED[circuit.removesuffix("_dsp").removesuffix("_lut")].codes


def points() -> list[Point]:
    """List all circuits with one lane and with four, and write their memories."""
    return [point for lanes in LANES for point in (*_tables(lanes), *_products(lanes))]


def _tables(lanes: int) -> list[Point]:
    x = TensorType((CODES.size // lanes, lanes), INPUT)
    folding = Folding(lanes, lanes)
    lut = operation_circuit(Table(true_table(), OUTPUT), [x], folding)
    block = operation_circuit(Table(true_table(), OUTPUT), [x], folding, "block_table")
    same_parameters = ("InLanes", "InBits", "OutBits", "ValuesFile")
    shared = Circuit(
        (CIRCUITS / "unary_block_table.sv",),
        "unary_block_table",
        {name: lut.parameters[name] for name in same_parameters} | {"ValuesEntries": CODES.size},
    )
    same = operation_circuit(swish(PRECISIONS[0]), [x], folding, "table")
    return [
        _point("table", lut, lanes, 1),
        _point("table_bram", block, lanes, 1),
        _point("table_bram_shared", shared, lanes, 1),
        _point("shift_swish_table", same, lanes, 1),
    ]


def _products(lanes: int) -> list[Point]:
    x = TensorType((CODES.size // lanes, lanes), INPUT)
    folding = Folding(lanes, lanes)
    rows = []
    for precision in PRECISIONS:
        operation = swish(precision)
        arithmetic = circuit_of(operation, x)
        stages = arithmetic.latency(folding) - arithmetic.cycles(folding) + 1
        circuit = operation_circuit(operation, [x], folding)
        rows.append((f"shift_swish_p{precision}", circuit, stages))
    rows += [(n, gated_circuit(p, lanes), p.stages + 5) for n, p in GATED.items()]
    return [
        _point(f"{name}_{kind}", circuit, lanes, stages, dsp=kind == "dsp")
        for name, circuit, stages in rows
        for kind in ("dsp", "lut")
    ]


def gated_circuit(product: GatedProduct, lanes: int) -> Circuit:
    """Make unary_gated_product, and write its table: one word of zeros where it has none."""
    acc, x = product.accumulators, product.centred
    table = Rom("gate", np.zeros(1, np.int64), 1, signed=False)
    if product.gate == "table":
        table = Rom("gate", product.function(x, FRACTION, product.precision), 10, signed=False)
    elif product.gate == "range_table":
        entries = range_entries(1024, product.precision)
        table = Rom("gate", entries, 18, signed=False)  # ap_fixed<18, 8>
    file = memory_folder({"gate.mem": memory_text(table)}) / "gate.mem"
    parameters: dict[str, Value] = {
        "InLanes": lanes,
        "InBits": INPUT.bits,
        "OutBits": OUTPUT.bits,
        "CodeZero": INPUT.zero_point[0],
        "Fraction": FRACTION,
        "Precision": product.precision,
        "CentredBits": Bounds(int(x.min()), int(x.max())).bits,
        "AccumulatorBits": Bounds(int(acc.min()), int(acc.max())).bits,
        "Gate": product.gate,
        "GateStages": product.stages,
        "TableFile": str(file),
        "TableEntries": table.entries,
        "TableBits": table.bits,
        "Shift": product.shift,
        "OutZero": OUTPUT.zero_point[0],
    }
    names = ("gated_product", "hard_sigmoid", "piecewise_sigmoid", "range_table")
    sources = [CIRCUITS / f"unary_{name}.sv" for name in names]
    templates = template_sources("hyq_requantize_lanes", "hyq_rom")
    return Circuit((*templates, *sources), "unary_gated_product", parameters)


def _point(circuit: str, module: Circuit, lanes: int, stages: int, *, dsp: bool = True) -> Point:
    return Point(
        kind="unary",
        circuit=circuit,
        regime="tight",
        n=lanes,
        sources=module.sources,
        top=module.top,
        parameters=module.parameters,
        cycles=stages + CODES.size // lanes,
        errors=partial(errors, codes(circuit)),
        dsp=dsp,
    )
