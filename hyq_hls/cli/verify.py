"""Compare float, quantized float, integers, emulation and C++, node by node."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyq_hls.cli import sources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("project", type=Path, help="project folder from convert, or a .hyq file")
    parser.add_argument("--images", default="digits-test", help=sources.IMAGES_HELP)
    parser.add_argument("--count", type=int, default=64, help="images for the whole network")
    parser.add_argument("--trace", type=int, default=2, help="images for every node")
    parser.add_argument(
        "--model",
        help="float model for the float levels (default: the one that was quantized, if known); "
        + sources.MODEL_HELP,
    )


def run(options: argparse.Namespace) -> int:
    """Print the levels; returns 1 when they disagree."""
    from hyq_hls import load  # noqa: PLC0415
    from hyq_hls.accelerator import Accelerator  # noqa: PLC0415
    from hyq_hls.verify import verify  # noqa: PLC0415

    accelerator = None
    if options.project.is_dir():
        accelerator = Accelerator.open(options.project)
        qmodel = accelerator.qmodel
        if not accelerator.compiled:
            accelerator.compile()
    else:
        qmodel = load(options.project)
    images, _ = sources.images(options.images)
    spec = options.model or qmodel.graph.metadata.get("source")
    if spec:
        from hyq_hls.quant.pipeline import float_graph_of  # noqa: PLC0415

        qmodel.float_graph, qmodel.capture_report = float_graph_of(
            sources.model(spec), qmodel.graph.input_type.shape
        )
    report = verify(
        qmodel, sources.take(images, options.count), accelerator, trace_images=options.trace
    )
    print(report)
    return 0 if report.ok else 1
