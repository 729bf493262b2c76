"""List the parts and boards that are known, with what they have."""

from __future__ import annotations

import argparse

from hyq_hls.cli.output import Output, add_json
from hyq_hls.parts import all_parts, part
from hyq_hls.support import aligned

EXAMPLES = (
    "hyq-hls parts",
    "hyq-hls parts pynq-z2",
    "hyq-hls parts --json",
)
_HEAD = ("part", "family", "LUT", "FF", "DSP", "BRAM36", "URAM", "clock MHz", "device", "boards")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="*", help="part, device or board [all parts]")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print a line for every part."""
    output = Output(options)
    parts = [part(name) for name in options.name] or all_parts()
    rows = [
        (
            *(p.name, p.family, f"{p.luts:,}", f"{p.ffs:,}", f"{p.dsps:,}", f"{p.bram36:,}"),
            *(f"{p.uram:,}", f"{p.min_clock_mhz:g}-{p.max_clock_mhz:g}", p.device),
            ", ".join(p.boards),
        )
        for p in parts
    ]
    output.result("\n".join(aligned([_HEAD, *rows])))
    output.finish({"parts": list(parts)})
    return 0
