"""Say what every node of a model would become on every level, before any work."""

from __future__ import annotations

import argparse

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output, add_json

EXAMPLES = (
    "hyq-hls inspect --model model.py:net --image-size 224 --html inspection.html",
    "hyq-hls inspect --model efficientformer_l1 --image-size 224 --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model",
        default=sources.DEFAULT_MODEL,
        help=f"{sources.MODEL_HELP}; or a network of timm by its name, whose weights are random",
    )
    parser.add_argument(
        "--image-size",
        type=sources.image_size,
        help="side of the images, or HEIGHTxWIDTH [what the model says]",
    )
    parser.add_argument("--preset", default="fast", help="recipe of the quantization")
    parser.add_argument("--html", type=sources.path, help="write the report to this HTML file")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the table and what is missing; returns 1 when a node does not reach every level."""
    output = Output(options)
    from hyq_hls import inspect  # noqa: PLC0415  (torch is slow to import)

    sources.check_output(options.html, "--html")
    size = options.image_size
    model = sources.architecture(options.model, size)
    found = inspect(model, sources.known_size(options.model, size), options.preset)
    output.result(found)
    if options.html:
        output.say(f"wrote {found.save(options.html)}")
    output.finish(found.to_json())
    return 0 if found.complete else 1
