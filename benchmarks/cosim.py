"""Co-simulation speed: our driver beside cocotb on the same RTL, in one run.

    python benchmarks/cosim.py           writes build/benchmarks/cosim.json

Both simulate what `hyq_hls.convert` makes of the default network with the same Verilator. cocotb
drives it by the AXI4-Stream source and sink of cocotbext-axi. Also: how long one waits from
`hyq_hls.convert` to the first frame that is equal to the reference.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from _timing import shortest
from csim import network as convolutions
from numpy.typing import NDArray

from hyq_hls import Accelerator, QuantizedModel, convert, quantize
from hyq_hls.accelerator import RTL_DIR
from hyq_hls.cosim import RtlSimulation
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.rtl.project import MEMORY_DIR

sys.path.append(str(Path(__file__).resolve().parents[1]))  # verif is no part of the package

from verif.cocotb.simulate import CocotbSimulation

Codes = NDArray[np.int64]


def default_network(images: int) -> tuple[QuantizedModel, Codes]:
    """The trained default network, and images."""
    qmodel = quantize(mobilevit_digits(pretrained=True), digits.calibration(256))
    return qmodel, digits.distorted().images[:images].astype(np.int64)


def small_network(images: int) -> tuple[QuantizedModel, Codes]:
    """The convolutions of ``benchmarks/csim.py``, and random codes."""
    rng = np.random.default_rng(1)
    return QuantizedModel(convolutions()), rng.integers(-128, 128, (images, 32, 32, 3))


NETWORKS = {"default": default_network, "convolutions": small_network}


def checked(qmodel: QuantizedModel, simulation: RtlSimulation, codes: Codes) -> int:
    """Clock cycles of a simulation whose outputs are equal to the reference."""
    result = simulation.run(codes.reshape(len(codes), -1))
    wanted = dict(qmodel.graph.reference(codes))[qmodel.graph.output_name]
    if not np.array_equal(result.outputs, wanted.reshape(len(codes), -1)):
        raise SystemExit("the RTL and the reference give different codes: speed means nothing")
    return result.cycles


def first_frame(
    qmodel: QuantizedModel, codes: Codes, folder: Path
) -> tuple[Accelerator, RtlSimulation, dict[str, float]]:
    """The RTL on Verilator, and the seconds from nothing to its first verified frame."""
    times = [time.perf_counter()]
    accelerator = convert(qmodel, output_dir=folder, overwrite=True)
    times.append(time.perf_counter())
    simulation = accelerator.rtl_simulation()
    times.append(time.perf_counter())
    checked(qmodel, simulation, codes[:1])
    times.append(time.perf_counter())
    steps = dict(zip(("convert", "build", "first_frame"), np.diff(times).tolist(), strict=True))
    return accelerator, simulation, steps | {"total": times[-1] - times[0]}


def cocotb_speed(accelerator: Accelerator, codes: Codes, cycles: int, repeats: int) -> float:
    """Cycles per second of the same RTL under cocotb, at its fastest."""
    rtl = accelerator.folder.resolve() / RTL_DIR
    sources = [*sorted((rtl / "hyq").glob("*.sv")), rtl / f"{accelerator.project}.sv"]
    simulation = CocotbSimulation(
        sources, accelerator.project, rtl / "cocotb", {"MemoryDir": str(rtl / MEMORY_DIR)}
    )
    frames = codes.astype(np.uint8).reshape(len(codes), -1)  # codes of both networks are bytes
    return max(simulation.cycles_per_second(frames, cycles) for _ in range(repeats))


def main() -> None:
    """Measure and write the records."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--network", choices=NETWORKS, default="default")
    parser.add_argument("--images", type=int, default=4, help="frames of a run of our driver")
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the fastest counts")
    parser.add_argument("--cocotb-cycles", type=int, help="fewer cycles than our driver's run has")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    qmodel, codes = NETWORKS[options.network](options.images)
    work = options.output / "cosim"

    accelerator, simulation, seconds = first_frame(qmodel, codes, work)
    cycles = checked(qmodel, simulation, codes)
    flat = codes.reshape(len(codes), -1)
    speeds = {
        f"hyq_hls, {name}": cycles
        / shortest(lambda on=on: simulation.run(flat, statistics=on), options.repeats)
        for name, on in (("bare", False), ("with statistics", True))
    }
    cocotb_cycles = min(options.cocotb_cycles or cycles, cycles)
    speeds["cocotb"] = cocotb_speed(accelerator, codes, cocotb_cycles, options.repeats)

    common = {"network": options.network, "images": len(codes)}
    records: list[dict[str, object]] = [
        {
            **common,
            "tool": tool,
            "cycles": cocotb_cycles if tool == "cocotb" else cycles,
            "cycles_per_second": round(speed),
            "ratio_to_cocotb": round(speed / speeds["cocotb"], 1),
        }
        for tool, speed in speeds.items()
    ]
    for r in records:
        print(f"{r['tool']:<26}{r['cycles_per_second']:>12,} cycles/s  {r['ratio_to_cocotb']:>8} x")
    print(", ".join(f"{step} {value:.1f} s" for step, value in seconds.items()))
    records.append(
        {**common, "tool": "hyq_hls, first verified frame"}
        | {f"{step}_seconds": round(value, 1) for step, value in seconds.items()}
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "cosim.json").write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
