"""Run images through the RTL on Verilator; compare with the emulation and the HLS C++."""

from __future__ import annotations

import argparse

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output, add_json
from hyq_hls.errors import InputError

EXAMPLES = (
    "hyq-hls cosim build/net --images digits-distorted --count 32",
    "hyq-hls cosim build/net --images mine.npy --idle 0.3 --backpressure 0.3 --json",
    "hyq-hls cosim build/net --count 1 --vcd waves.vcd",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("project", type=sources.path, help="project folder from hyq-hls convert")
    parser.add_argument("--images", default="digits-test", help=sources.IMAGES_HELP)
    parser.add_argument("--count", type=int, default=32, help="images to simulate")
    parser.add_argument("--idle", type=float, default=0.0, help="chance of an idle input cycle")
    parser.add_argument(
        "--backpressure", type=float, default=0.0, help="chance per cycle that no output is taken"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random stalls")
    parser.add_argument(
        "--vcd", type=sources.path, help="write waveforms here (take --count 1 or 2)"
    )
    parser.add_argument(
        "--optimize",
        type=int,
        choices=range(4),
        help="level at which g++ optimizes the simulation (default: chosen by the cycles)",
    )
    parser.add_argument(
        "--size-fifos", action="store_true", help="first shrink the FIFOs to what they need"
    )
    parser.add_argument(
        "--report", type=sources.path, help="JSON file (default: cosim.json in the folder)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print equality, cycles and stalls; returns 1 when any code differs."""
    from hyq_hls.accelerator import Accelerator  # noqa: PLC0415

    if options.count < 1:
        raise InputError(f"--count {options.count}: at least one image is wanted")
    for name in ("idle", "backpressure"):
        if not 0 <= getattr(options, name) < 1:
            raise InputError(f"--{name} {getattr(options, name)}: 0 <= p < 1 is wanted")
    for name in ("vcd", "report"):
        sources.check_output(getattr(options, name), f"--{name}")
    output = Output(options)
    accelerator = Accelerator.open(options.project)
    images, _ = sources.images(options.images)
    sources.check_images(accelerator.qmodel, images)
    some = sources.take(images, options.count)
    if not accelerator.compiled:
        output.say("compiling the C simulation with g++ ...")
        accelerator.compile()
    if options.size_fifos:
        output.result(accelerator.size_fifos(some, progress=output.progress))
    output.say("building the RTL with Verilator ...")
    report = accelerator.cosimulate(
        some,
        idle=options.idle,
        backpressure=options.backpressure,
        seed=options.seed,
        vcd=options.vcd,
        activity_cycles=accelerator.machine.activity_cycles,
        optimize=options.optimize,
        progress=output.progress,
    )
    output.result(report)
    saved = report.save(options.report or options.project / "cosim.json")
    output.say(f"wrote {saved}" + (f" and {options.vcd}" if options.vcd else ""))
    output.finish(report.to_json())
    return 0 if report.ok else 1
