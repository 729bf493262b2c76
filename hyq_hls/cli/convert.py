"""Write the accelerator of a .hyq file, HLS C++ and RTL, and compile its C simulation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hyq_hls.cli import sources
from hyq_hls.cli.nodes import node_choices
from hyq_hls.cli.output import Output
from hyq_hls.errors import InputError

if TYPE_CHECKING:
    from hyq_hls.quantized_model import QuantizedModel

EXAMPLES = (
    "hyq-hls convert net.hyq --part xc7z020 --output build/net",
    "hyq-hls convert net.hyq --part xczu3eg --target-fps 2000 --clock-mhz 200 --overwrite",
    "hyq-hls convert --model mobilevit_xxs --image-size 256 --output build/xxs",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "network", nargs="?", type=sources.path, help=".hyq file from hyq-hls quantize"
    )
    parser.add_argument(
        "--model",
        help="instead of a .hyq file: quantize this network first, whose weights may be random, as "
        f"for inspect; {sources.MODEL_HELP}; or a network of timm by its name",
    )
    parser.add_argument(
        "--image-size", type=sources.image_size, help="side of its images, or HEIGHTxWIDTH"
    )
    parser.add_argument(
        "--images",
        help="calibration images of --model: a folder of image files; "
        f"{sources.IMAGES_HELP} [noise: size and speed are true, accuracy means nothing]",
    )
    sources.add_design_arguments(parser)
    parser.add_argument(
        "--output", type=sources.path, default=Path("build/net"), help="project folder"
    )
    parser.add_argument("--project", default="net", help="name of the top function")
    parser.add_argument(
        "--hls", choices=("vitis", "bambu"), default="vitis", help="HLS compiler of the C++"
    )
    parser.add_argument(
        "--memories",
        choices=("files", "embedded"),
        default="files",
        help="constants of the RTL: files that the tools must find, or a package",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a project written before")
    parser.add_argument(
        "--size-fifos",
        action="store_true",
        help="shrink the FIFOs of the C++ to what its timed simulation needs",
    )
    parser.add_argument("--no-compile", action="store_true", help="only write the project")


def run(options: argparse.Namespace) -> int:
    """Convert, compile, and print how every node was implemented."""
    output = Output(options)
    _check_source(options)
    from hyq_hls import convert, load  # noqa: PLC0415
    from hyq_hls.conversion import check_request  # noqa: PLC0415

    network = None if options.network is None else load(options.network)
    # Before a model is quantized, which may take minutes.
    check_request(
        options.part,
        options.clock_mhz,
        options.output,
        target_fps=options.target_fps,
        share=options.share,
        project=options.project,
        hls=options.hls,
        overwrite=options.overwrite,
    )
    sources.check_folder(options.output, "--output")
    accelerator = convert(
        network or _quantized(options, output),
        options.part,
        options.clock_mhz,
        options.output,
        architecture=options.architecture,
        target_fps=options.target_fps,
        share=options.share,
        must_fit=sources.must_fit(options),
        project=options.project,
        hls=options.hls,
        memories=options.memories,
        **node_choices(options),
        overwrite=options.overwrite,
    )
    output.result(accelerator)
    if sources.must_fit(options):
        output.result("\n".join(accelerator.estimate().verdict))
    output.say(f"wrote {options.output}; read {accelerator.machine.read_first} in it first")
    if options.size_fifos:
        output.say("compiling the timed C simulation with g++ ...")
        output.result(accelerator.size_hls_fifos())
    if not options.no_compile:
        output.say("compiling the C simulation with g++ ...")
        accelerator.compile()
        output.say(
            f"compiled; next: hyq-hls verify {options.output}, hyq-hls cosim {options.output}"
        )
    return 0


def _check_source(options: argparse.Namespace) -> None:
    """Raise ``InputError`` where the options name no network, or two."""
    if (options.network is None) == (options.model is None):
        raise InputError("one of a .hyq file and --model is wanted; hyq-hls quantize makes a file")
    if options.model is None:
        for name in ("image_size", "images"):
            if getattr(options, name) is not None:
                raise InputError(
                    f"--{name.replace('_', '-')} belongs to --model; a .hyq file is quantized"
                )
    elif options.images is not None:
        sources.check_source(options.images)


def _quantized(options: argparse.Namespace, output: Output) -> QuantizedModel:
    """Return the network that ``--model`` names, quantized."""
    if options.images is None:
        output.say(
            "no --images: calibrated on noise; size and speed are true, accuracy means nothing"
        )
    return sources.untrained_network(options.model, options.image_size, options.images)
