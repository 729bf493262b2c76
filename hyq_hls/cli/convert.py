"""Write the accelerator of a .hyq file, HLS C++ and RTL, and compile its C simulation."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyq_hls.cli import sources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("network", type=sources.path, help=".hyq file from hyq-hls quantize")
    sources.add_design_arguments(parser)
    parser.add_argument(
        "--output", type=sources.path, default=Path("build/net"), help="project folder"
    )
    parser.add_argument("--project", default="net", help="name of the top function")
    parser.add_argument(
        "--hls", choices=("vitis", "bambu"), default="vitis", help="HLS compiler of the C++"
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
    from hyq_hls import convert, load  # noqa: PLC0415

    accelerator = convert(
        load(options.network),
        options.part,
        options.clock_mhz,
        options.output,
        target_fps=options.target_fps,
        share=options.share,
        must_fit=sources.must_fit(options),
        project=options.project,
        hls=options.hls,
        overwrite=options.overwrite,
    )
    print(accelerator)
    if sources.must_fit(options):
        print("\n".join(accelerator.estimate().hls_lines))
    name = options.project
    print(f"wrote {options.output}; read firmware/{name}.cpp or rtl/{name}.sv in it first")
    if options.size_fifos:
        print("compiling the timed C simulation with g++ ...", flush=True)
        print(accelerator.size_hls_fifos())
    if not options.no_compile:
        print("compiling the C simulation with g++ ...", flush=True)
        accelerator.compile()
        print(f"compiled; next: hyq-hls verify {options.output}, hyq-hls cosim {options.output}")
    return 0
