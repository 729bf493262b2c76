"""Write a network in a format of other tools: ONNX, which onnxruntime runs with equal integers."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output

EXAMPLES = ("hyq-hls export net.hyq --format onnx --output net.onnx",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("network", type=sources.path, help=".hyq file from hyq-hls quantize")
    parser.add_argument("--format", choices=("onnx",), default="onnx", help="format to write")
    parser.add_argument(
        "--output", type=sources.path, default=Path("net.onnx"), help="file to write"
    )


def run(options: argparse.Namespace) -> int:
    """Export the network and say what was written."""
    from hyq_hls import load  # noqa: PLC0415

    sources.check_output(options.output, "--output")
    network = load(options.network)
    network.export_onnx(options.output)
    Output(options).say(
        f"wrote {options.output}; outputs: codes, equal to the emulation's, and values"
    )
    return 0
