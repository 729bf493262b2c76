"""The HLS C++ of the default network beside its RTL: intervals, FIFOs, memories, cycles.

    python -m benchmarks.hls             writes build/benchmarks/hls.json

No vendor tool runs. Intervals of loops come from the schedule check (``verif/schedule.py``), cycles
and resources from the plan of the C++ (docs/hls.md), FIFO depths from its timed C simulation. The
FIFOs of the RTL are sized by Verilator. Where ``bambu`` is on the PATH, it synthesizes a network of
convolutions, and its Verilog is compared with the integers word by word.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.csim import network
from hyq_hls import Accelerator, QuantizedModel, convert, quantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.stream.cost.plan import plan_hls
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.flow.sizing import fifo_bits
from hyq_hls.support import aligned, write_file
from hyq_hls.tools.yosys import Utilization
from verif.schedule import by_template, check_project

#: Images that size the FIFOs of the RTL.
IMAGES = 8


def whole_tensors(flow: Dataflow) -> Dataflow:
    """Return the machine with a FIFO for a whole tensor on every stream."""
    return flow.with_depths({stream.name: stream.beats for stream in flow.streams.values()})


def planned(name: str, flow: Dataflow) -> dict[str, Any]:
    """Return what the plan says of the C++ with the FIFO depths of ``flow``."""
    plan = plan_hls(flow)
    return record(name, flow, plan.total, plan.cycles_per_frame)


def record(name: str, flow: Dataflow, used: Utilization, cycles: int) -> dict[str, Any]:
    """Return a line of the table of designs."""
    return {
        "design": name,
        "fifo_bits": fifo_bits(flow),
        "bram18": used.bram18,
        "dsp": used.dsp,
        "lut": used.lut,
        "ff": used.ff,
        "cycles_predicted": cycles,
    }


def designs(accelerator: Accelerator) -> list[dict[str, Any]]:
    """Return a record for each choice of FIFO depths: three of the C++, and the RTL."""
    machine = accelerator.stream
    records = [
        planned("C++, whole tensors", whole_tensors(machine.flow)),
        planned("C++, by analysis", machine.hls_flow),
    ]
    accelerator.size_hls_fifos()
    records.append(planned("C++, sized", accelerator.stream.hls_flow))
    accelerator.size_fifos(digits.calibration(IMAGES))
    report, machine = accelerator.estimate(), accelerator.stream
    rtl = record("SystemVerilog, sized", machine.flow, report.total, machine.cycles_per_frame)
    return [*records, rtl]


def bambu_words(folder: Path) -> dict[str, Any]:
    """Return how many words of Bambu's Verilog are equal; None where Bambu is not there."""
    if shutil.which("bambu") is None:
        return {"bambu_equal_words": None, "bambu_words": None}
    accelerator = convert(QuantizedModel(network()), output_dir=folder, hls="bambu", overwrite=True)
    accelerator.build()
    codes = np.random.default_rng(1).integers(-128, 128, (1, 32, 32, 3))
    result = accelerator.cosimulate(codes, rtl="bambu").result
    assert result is not None
    equal = result.outputs == accelerator.qmodel.codes(codes).reshape(result.outputs.shape)
    return {"bambu_equal_words": int(equal.sum()), "bambu_words": equal.size}


def main() -> None:
    """Measure, print the tables and write the records."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mhz", type=float, default=150.0, help="clock of the schedule check")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    work = options.output / "hls"
    model = mobilevit_digits(pretrained=True)
    qmodel = quantize(model, digits.calibration(256), presets.lean())
    accelerator = convert(qmodel, output_dir=work / "net", overwrite=True)

    templates = [
        {"template": t.template, "loops": t.loops, "worst_ii": t.worst_ii, "worst_ns": t.worst_ns}
        for t in by_template(check_project(accelerator.folder, options.mhz))
    ]
    print(table(templates))
    found = designs(accelerator)
    print(table(found))
    bambu = bambu_words(work / "bambu")
    print("\n".join(f"{name}: {'-' if n is None else n}" for name, n in bambu.items()))
    write_file(
        options.output / "hls.json", json.dumps([*templates, *found, bambu], indent=1).encode()
    )
    print(f"{len(templates) + len(found) + 1} records in {options.output / 'hls.json'}")


def table(records: list[dict[str, Any]]) -> str:
    """Return records as aligned text."""
    rows = [[f"{v:,}" if isinstance(v, int) else str(v) for v in r.values()] for r in records]
    return "\n".join([*aligned([list(records[0]), *rows]), ""])


if __name__ == "__main__":
    main()
