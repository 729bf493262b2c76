"""Write one HTML page about a network and its design, which shows what was measured so far.

The estimate is always there. With --images it shows accuracy, SQNR, sensitivity and equality; after
hyq-hls cosim, cycles and FIFOs too. What was not measured is named, with the way to measure it.
"""

from __future__ import annotations

import argparse
import shlex

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output
from hyq_hls.cli.verify import restore_float_graph
from hyq_hls.errors import InputError

EXAMPLES = (
    "hyq-hls report net.hyq --part xc7z020",
    "hyq-hls report build/net --images digits-test",
    "hyq-hls report build/net --images mine.npz --pareto --output mine.html",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source", type=sources.path, help=".hyq file, or project folder from hyq-hls convert"
    )
    parser.add_argument(
        "--images", help=f"images for accuracy and equality: {sources.IMAGES_HELP} [none]"
    )
    parser.add_argument("--count", type=int, default=256, help="images for the whole network")
    parser.add_argument("--trace", type=int, default=2, help="images for every node")
    parser.add_argument(
        "--model",
        help="float model for accuracy and SQNR (default: the one that was quantized, if known); "
        + sources.MODEL_HELP,
    )
    parser.add_argument("--rtl", action="store_true", help="every node of the RTL too (Verilator)")
    parser.add_argument(
        "--pareto", action="store_true", help="search for other designs too (a minute or more)"
    )
    parser.add_argument(
        "--output", type=sources.path, help="HTML file [report.html, in the folder of a project]"
    )
    sources.add_design_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Write the page; it says itself what disagrees or does not fit."""
    from hyq_hls import QuantizedModel, load  # noqa: PLC0415
    from hyq_hls.accelerator import Accelerator  # noqa: PLC0415
    from hyq_hls.architecture import Wishes, choose_machine  # noqa: PLC0415
    from hyq_hls.parts import part  # noqa: PLC0415
    from hyq_hls.report import write_report  # noqa: PLC0415

    for name in ("count", "trace"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name} {getattr(options, name)}: at least one image is wanted")
    if options.images is None and (options.rtl or options.model):
        raise InputError("--rtl and --model compare numbers on images: give --images too")
    sources.check_output(options.output, "--output")
    images, labels = (None, None) if options.images is None else sources.images(options.images)
    if images is not None:
        if labels is not None and len(labels) != len(images):
            raise InputError(
                f"{options.images} has {len(labels)} labels and {len(images)} images; one label "
                "for every image is wanted"
            )
        images = sources.take(images, options.count)
        labels = None if labels is None else sources.take(labels, options.count)
    machine = None
    design: Accelerator | QuantizedModel
    if options.source.is_dir():
        sources.refuse_design_arguments(options)
        design = Accelerator.open(options.source)
        qmodel = design.qmodel
    else:
        design = qmodel = load(options.source)
        wishes = Wishes(
            part(options.part),
            options.clock_mhz,
            target_fps=options.target_fps,
            share=options.share,
            must_fit=sources.must_fit(options),
        )
        machine = choose_machine(qmodel.graph, options.architecture, wishes)
    if images is not None:
        restore_float_graph(qmodel, options.model)
    page = write_report(
        design,
        options.output,
        images,
        labels,
        machine=machine,
        trace_images=options.trace,
        rtl=options.rtl,
        pareto=options.pareto,
        command=_command(options),
    )
    Output(options).say(f"wrote {page.path}")
    return 0


def _command(options: argparse.Namespace) -> str:
    """Return the command with the options that differ from their defaults."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    defaults = vars(parser.parse_args(["."]))
    words = ["hyq-hls", "report", str(options.source)]
    for name, default in defaults.items():
        value = getattr(options, name)
        if name != "source" and value != default:
            words.append(f"--{name.replace('_', '-')}")
            words += [] if value is True else [str(value)]
    return shlex.join(words)
