"""Compare float, quantized float, integers, emulation, C++ and RTL, node by node."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output, add_json
from hyq_hls.errors import InputError

if TYPE_CHECKING:
    from hyq_hls.quantized_model import QuantizedModel

EXAMPLES = (
    "hyq-hls verify net.hyq --images digits-test",
    "hyq-hls verify build/net --images mine.npy --count 100 --rtl",
    "hyq-hls verify build/net --model model.py:net --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "project", type=sources.path, help="project folder from convert, or a .hyq file"
    )
    parser.add_argument("--images", default="digits-test", help=sources.IMAGES_HELP)
    parser.add_argument("--count", type=int, default=64, help="images for the whole network")
    parser.add_argument("--rtl", action="store_true", help="every node of the RTL too (Verilator)")
    parser.add_argument("--trace", type=int, default=2, help="images for every node")
    parser.add_argument(
        "--model",
        help="float model for the float levels (default: the one that was quantized, if known); "
        + sources.MODEL_HELP,
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the levels; returns 1 when they disagree."""
    from hyq_hls import load  # noqa: PLC0415
    from hyq_hls.accelerator import Accelerator  # noqa: PLC0415
    from hyq_hls.verify import verify  # noqa: PLC0415

    for name in ("count", "trace"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name} {getattr(options, name)}: at least one image is wanted")
    accelerator = None
    if options.project.is_dir():
        accelerator = Accelerator.open(options.project)
        qmodel = accelerator.qmodel
    elif options.rtl:
        raise InputError("--rtl needs the folder of a converted project, not a .hyq file")
    else:
        qmodel = load(options.project)
    output = Output(options)
    images, _ = sources.images(options.images)
    sources.check_images(qmodel, images)
    restore_float_graph(qmodel, options.model)
    if accelerator is not None and not accelerator.compiled:
        output.say("compiling the C simulation with g++ ...")
        accelerator.compile()
    report = verify(
        qmodel,
        sources.take(images, options.count),
        accelerator,
        trace_images=options.trace,
        rtl=options.rtl,
        progress=output.progress,
    )
    output.result(report)
    output.finish(report.to_json())
    return 0 if report.ok else 1


def restore_float_graph(qmodel: QuantizedModel, given: str | None) -> None:
    """Capture the float model again, which a ``.hyq`` file does not hold.

    Args:
        qmodel: gets its float graph and its module back.
        given: what ``--model`` says; None takes the model that was quantized, if it is remembered.

    Raises:
        InputError: there is no such model, or it is not that of the network.
    """
    remembered = qmodel.graph.metadata.get("source")
    spec = given or remembered
    if not spec:
        return
    from hyq_hls.quant.expected_input import with_normalization  # noqa: PLC0415
    from hyq_hls.quant.pipeline import float_graph_of  # noqa: PLC0415

    try:
        module = sources.model(spec)
    except InputError as error:
        if given:
            raise
        raise InputError(
            f"{error}; {spec} was the model when this network was quantized: verify in the same "
            "folder, or give --model"
        ) from error
    module = with_normalization(module, qmodel.normalization)
    bits = qmodel.graph.metadata.get("config", {}).get("activation_bits", 8)
    graph, report = float_graph_of(module, qmodel.graph.input_type.shape, bits)
    known = {node.name: graph.shape(node.name) for node in graph}
    for name, node in qmodel.graph.nodes.items():
        if known.get(name) != node.type.shape:
            raise InputError(
                f"{spec} is not the model of this network: {name} {node.type.shape} is "
                f"{known.get(name, 'missing')} there; give the model that was quantized"
            )
    qmodel.float_graph, qmodel.capture_report = graph, report
    qmodel.module = module.eval()
