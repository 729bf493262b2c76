"""LUTs of single operators, by which the area of the HLS C++ is counted.

    python -m benchmarks.hls_operators      writes verif/area/operators.json

Yosys maps each operator for the 7 series, alone. Inside a circuit synthesis may pack neighbours
into one LUT, so a sum of operators is more than what they take together.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from tqdm import tqdm

from hyq_hls.errors import CompilationError
from hyq_hls.support import write_file
from hyq_hls.tools.yosys import synthesize_modules, yosys_version
from hyq_hls.tools.yosys.mapping import Job
from verif.area.operators import TABLE

WIDTHS = (2, 4, 8, 12, 16, 24, 32, 48)
#: Widths of the amount of a shift.
AMOUNTS = range(1, 7)
#: The operators, as SystemVerilog; ``s`` is the first bit of a third operand.
KINDS = {
    "add": "a + b",
    "compare": "Width'($signed(a) < $signed(b))",
    "equal": "Width'(a == b)",
    "select": "s[0] ? a : b",
    "logic": "a & b",
    **{f"shift{bits}": f"Width'($signed(a) >>> s[{bits - 1}:0])" for bits in AMOUNTS},
}
_MODULE = """module {name} #(
  parameter int unsigned Width = 8
) (
  input  logic [Width-1:0] a,
  input  logic [Width-1:0] b,
  input  logic [5:0]       s,
  output logic [Width-1:0] y
);
  assign y = {expression};
endmodule
"""


def main() -> None:
    """Map the operators and write the table."""
    folder = Path("build/benchmarks/hls_operators")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for kind, expression in KINDS.items():
        source = folder / f"operator_{kind}.sv"
        source.write_text(_MODULE.format(name=source.stem, expression=expression))
        jobs += [Job([source.resolve()], source.stem, {"Width": width}) for width in WIDTHS]
    with tqdm(unit="operator") as bar:
        results = synthesize_modules(jobs, folder / "synthesis", bar)
    found: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    for job, result in zip(jobs, results, strict=True):
        if isinstance(result, CompilationError):
            raise SystemExit(f"{job.top}: {result}")
        kind = job.top.removeprefix("operator_")
        found[kind][str(job.parameters["Width"])] = result.lut
    data = {
        "tool": f"pyosys {yosys_version()}, synth_xilinx -family xc7, out of context",
        "date": date.today().isoformat(),
        "script": "benchmarks/hls_operators.py",
        "lut": found,
    }
    write_file(TABLE, (json.dumps(data, indent=1) + "\n").encode())
    print(f"{len(jobs)} operators in {TABLE}")


if __name__ == "__main__":
    main()
