"""Blocks of the softmax units, each mapped alone: where their area lies.

    python -m benchmarks.circuits.softmax_blocks --n 64

What the blocks leave to the unit is the shift of the exponentials that are summed up.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.circuits.operation_circuit import template_sources
from benchmarks.circuits.softmax import SIZES, Named, circuits, unit_parameters, unit_sources
from benchmarks.circuits.softmax_circuit import OUT_BITS
from hyq_hls.errors import HyqError
from hyq_hls.support import aligned
from hyq_hls.tools.yosys import Job, synthesize_modules

_EXPONENTIAL = (
    *("Circuit", "IsScaled", "IsFlat", "Bits", "Limit", "Step", "Offset", "Slope", "OctaveBits"),
    *("RemainderBits", "LargestShift", "ValueBits", "ShiftBits", "TableFile"),
)
BLOCKS = ("front", "exponential", "sum", "row buffer", "probability")


def jobs(named: Named, n: int) -> list[Job]:
    """Return the blocks of a circuit in the order of :data:`BLOCKS`."""
    circuit, unit = named.circuit, unit_parameters(named.circuit, n)
    total_bits, value = circuit.total_bits(n), {"ValueBits": circuit.value_bits}
    front = Job(unit_sources(), "softmax_front", {"Bits": circuit.bits, "Beats": n})
    parameters = {name: unit[name] for name in _EXPONENTIAL if name in unit}
    exponential = Job(unit_sources(), "softmax_exponential", parameters, named.dsp)
    term_bits = circuit.exponential_bits + 1
    sizes = {"Lanes": 1, "TermBits": term_bits, "SumBits": total_bits, "Beats": n}
    total = Job(template_sources("hyq_row_sum"), "hyq_row_sum", sizes)
    width = circuit.value_bits + circuit.shift_bits
    buffer = Job(unit_sources(), "softmax_row_buffer", {"Width": width, "Beats": n})
    output = {"TotalBits": total_bits, "OutBits": OUT_BITS}
    if circuit.is_divided:
        sizes = {**value, "ShiftBits": circuit.shift_bits, **output}
        probability = Job(unit_sources(), "softmax_quotient", sizes)
    else:
        sizes = {"Lanes": 1, "MantissaBits": circuit.value_bits}
        sizes |= {"ExponentBits": circuit.shift_bits, **output}
        top = "hyq_log2_probability"
        probability = Job(template_sources(top), top, sizes)
    return [front, exponential, total, buffer, probability]


def main() -> None:
    """Print LUT and FF of every block of every circuit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--n", type=int, choices=SIZES, default=64)
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    arguments = parser.parse_args()
    wanted = [(named, jobs(named, arguments.n)) for named in circuits()]
    mapped = synthesize_modules(
        [job for _, blocks in wanted for job in blocks], arguments.output / "synthesis"
    )
    rows = [("circuit", "regime", *(f"{block}: lut, ff" for block in BLOCKS))]
    for i, (named, blocks) in enumerate(wanted):
        cells = []
        for result in mapped[i * len(blocks) : (i + 1) * len(blocks)]:
            if isinstance(result, HyqError):
                raise SystemExit(f"{named.name}, {named.regime}: {result}")
            cells.append(f"{result.lut}, {result.ff}" + (" + DSP" if result.dsp else ""))
        rows.append((named.name, named.regime, *cells))
    print(*aligned(rows), sep="\n")


if __name__ == "__main__":
    main()
