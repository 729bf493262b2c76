"""Print what a design takes of a part, node by node: estimated, or synthesized with Yosys."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyq_hls.cli import sources
from hyq_hls.cli.nodes import node_choices
from hyq_hls.cli.output import Output, add_json

EXAMPLES = (
    "hyq-hls estimate net.hyq --part xc7z020 --target-fps 5000",
    "hyq-hls estimate net.hyq --part xczu3eg --share 0.5 --json",
    "hyq-hls estimate build/net --synth",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source", type=sources.path, help=".hyq file, or project folder from hyq-hls convert"
    )
    sources.add_design_arguments(parser)
    parser.add_argument(
        "--synth", action="store_true", help="synthesize every module with Yosys too (minutes)"
    )
    parser.add_argument(
        "--work",
        type=sources.path,
        default=Path("build/estimate"),
        help="folder for the RTL and the results of --synth, of a .hyq file",
    )
    parser.add_argument("--report", type=sources.path, help="write everything to this JSON file")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the estimate and the synthesis; returns 1 when the design does not fit its part."""
    from hyq_hls import convert, load  # noqa: PLC0415
    from hyq_hls.accelerator import Accelerator  # noqa: PLC0415
    from hyq_hls.architecture import Wishes, choose_machine  # noqa: PLC0415
    from hyq_hls.machine.comparison import compared  # noqa: PLC0415
    from hyq_hls.parts import part  # noqa: PLC0415

    output = Output(options)
    sources.check_output(options.report, "--report")
    if options.synth:
        sources.check_folder(options.work, "--work")
    if options.source.is_dir():
        sources.refuse_design_arguments(options)
        accelerator = Accelerator.open(options.source)
        report = accelerator.estimate()
    else:
        network = load(options.source)
        choice = {
            "target_fps": options.target_fps,
            "share": options.share,
            "must_fit": sources.must_fit(options),
            **node_choices(options),
        }
        chosen, clock = options.architecture, options.clock_mhz
        if options.synth:
            accelerator = convert(
                network,
                options.part,
                clock,
                options.work / "net",
                architecture=chosen,
                **choice,
                overwrite=True,
            )
            report = accelerator.estimate()
        else:
            wishes = Wishes(part(options.part), clock, **choice)
            report = choose_machine(network.graph, chosen, wishes).estimate()
    output.result(report)
    reports = [report]
    if options.synth:
        # Converting anew replaces the project; results of synthesis stay.
        cache = None if options.source.is_dir() else options.work / "synthesis"
        report = accelerator.synthesize(cache, progress=output.progress)
        reports.append(report)
        output.result(f"\n{report}")
    if options.source.is_dir() and accelerator.has_vendor_report:
        output.result(f"\n{accelerator.build_report()}")
        reports.append(accelerator.vendor_report())
    if len(reports) > 1:
        output.result(f"\n{compared(reports)}")
    if options.report:
        output.say(f"wrote {report.save(options.report)}")
    output.finish({found.method: found.to_json() for found in reports})
    return 0 if report.fits else 1
