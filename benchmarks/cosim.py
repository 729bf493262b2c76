"""Co-simulation speed: our driver beside cocotb on the same RTL, in one run.

    python -m benchmarks.cosim           writes build/benchmarks/cosim.json

Both simulate what ``hyq_hls.convert`` makes of the default network with the same Verilator. cocotb
drives it by the AXI4-Stream source and sink of cocotbext-axi. With statistics, both watch every
stream inside: cocotb only counts beats, ours also finds occupancy, stalls and times. Also measured:
how long one waits from ``hyq_hls.convert`` to the first frame that is equal to the reference.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._timing import shortest
from benchmarks.csim import network as convolutions
from hyq_hls import Accelerator, QuantizedModel, convert, quantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.stream.machine import RTL_DIR
from hyq_hls.stream.rtl.project import MEMORY_DIR
from hyq_hls.tools.verilator import RtlSimulation
from verif.cocotb.simulate import CocotbSimulation

Codes = NDArray[np.int64]


def default_network(images: int) -> tuple[QuantizedModel, Codes]:
    """Return the trained default network, and images."""
    qmodel = quantize(mobilevit_digits(pretrained=True), digits.calibration(256), presets.lean())
    return qmodel, digits.distorted().images[:images].astype(np.int64)


def small_network(images: int) -> tuple[QuantizedModel, Codes]:
    """Return the convolutions of ``benchmarks/csim.py``, and random codes."""
    rng = np.random.default_rng(1)
    return QuantizedModel(convolutions()), rng.integers(-128, 128, (images, 32, 32, 3))


NETWORKS = {"default": default_network, "convolutions": small_network}


def checked(qmodel: QuantizedModel, simulation: RtlSimulation, codes: Codes) -> int:
    """Count the clock cycles of a simulation whose outputs are equal to the reference."""
    result = simulation.run(codes.reshape(len(codes), -1))
    wanted = dict(qmodel.graph.reference(codes))[qmodel.graph.output_name]
    if not np.array_equal(result.outputs, wanted.reshape(len(codes), -1)):
        raise SystemExit("the RTL and the reference give different codes: speed means nothing")
    return result.cycles


def first_frame(
    qmodel: QuantizedModel, codes: Codes, folder: Path
) -> tuple[Accelerator, RtlSimulation, dict[str, float]]:
    """Verilate the RTL; return it and the seconds from nothing to its first verified frame."""
    times = [time.perf_counter()]
    accelerator = convert(qmodel, output_dir=folder, overwrite=True)
    times.append(time.perf_counter())
    simulation = accelerator.stream.rtl_simulation(accelerator.folder)
    times.append(time.perf_counter())
    checked(qmodel, simulation, codes[:1])
    times.append(time.perf_counter())
    steps = dict(zip(("convert", "build", "first_frame"), np.diff(times).tolist(), strict=True))
    return accelerator, simulation, steps | {"total": times[-1] - times[0]}


def cocotb_simulation(accelerator: Accelerator) -> CocotbSimulation:
    """Build the same RTL under cocotb, compiled with the same optimization."""
    rtl = accelerator.folder.resolve() / RTL_DIR
    return CocotbSimulation(
        [*sorted((rtl / "hyq").glob("*.sv")), rtl / f"{accelerator.project}.sv"],
        accelerator.project,
        rtl / "cocotb",
        {"MemoryDir": str(rtl / MEMORY_DIR)},
    )


def main() -> None:
    """Measure and write the records."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--network", choices=NETWORKS, default="default")
    parser.add_argument("--images", type=int, default=4, help="frames of a run")
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the fastest counts")
    parser.add_argument(
        "--cocotb-cycles",
        type=int,
        default=4000,
        help="of a run of cocotb with statistics, which would take minutes for all frames",
    )
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    qmodel, codes = NETWORKS[options.network](options.images)

    accelerator, simulation, seconds = first_frame(qmodel, codes, options.output / "cosim")
    cycles = checked(qmodel, simulation, codes)
    flat = codes.reshape(len(codes), -1)
    cocotb = cocotb_simulation(accelerator)
    frames = flat.astype(np.uint8)  # codes of both networks are bytes
    common = {"network": options.network, "images": len(codes)}
    records: list[dict[str, object]] = []
    for on in (False, True):
        ours = cycles / shortest(partial(simulation.run, flat, statistics=on), options.repeats)
        few = min(options.cocotb_cycles, cycles) if on else cycles
        streams = list(accelerator.flow.streams) if on else []
        theirs = max(cocotb.cycles_per_second(frames, few, streams) for _ in range(options.repeats))
        for tool, count, speed in (("hyq_hls", cycles, ours), ("cocotb", few, theirs)):
            records.append(
                {
                    **common,
                    "tool": tool,
                    "statistics": on,
                    "cycles": count,
                    "cycles_per_second": round(speed),
                    "ratio_to_cocotb": round(speed / theirs, 1),
                }
            )
            print(
                f"{tool:<8} statistics {'on ' if on else 'off'} {speed:12,.0f} cycles/s "
                f"{speed / theirs:8.1f} x"
            )
    print(", ".join(f"{step} {value:.1f} s" for step, value in seconds.items()))
    records.append(
        {**common, "tool": "hyq_hls, first verified frame"}
        | {f"{step}_seconds": round(value, 1) for step, value in seconds.items()}
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "cosim.json").write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
