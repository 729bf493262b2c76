"""Run the whole road of a configuration file: quantize, evaluate, convert, simulate, estimate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output
from hyq_hls.cli.workflow.names import FILE, StepName

EXAMPLES = (
    "hyq-hls build --template > hyq.toml",
    "hyq-hls build",
    "hyq-hls build mine.toml --until estimate",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "configuration", nargs="?", type=sources.path, default=Path(FILE), help="TOML file"
    )
    parser.add_argument("--until", choices=get_args(StepName), help="last step to run")
    parser.add_argument(
        "--force", action="store_true", help="run steps again of which nothing changed"
    )
    parser.add_argument(
        "--template",
        action="store_true",
        help="print a configuration file with every key and its meaning, and do nothing",
    )


def run(options: argparse.Namespace) -> int:
    """Run the steps; returns 1 when levels disagree."""
    from hyq_hls.cli.workflow.configuration import load  # noqa: PLC0415  (hls4ml is slow to import)
    from hyq_hls.cli.workflow.template import template  # noqa: PLC0415  (the same)

    if options.template:
        sys.stdout.write(template())
        return 0
    configuration = load(options.configuration)
    from hyq_hls.cli.workflow.run import build  # noqa: PLC0415  (after the file was read)

    ok = build(configuration, options.until, options.force, Output(options).say)
    return 0 if ok else 1
