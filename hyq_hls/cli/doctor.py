"""Check compiler, Verilator, Yosys, disk, memory, packages and vendor tools, and say what to do.

Every road is a thing to do, and names what it needs. The exit status is 0 when the base
installation and the roads that are named can be walked, and 1 when something of them is missing.
"""

from __future__ import annotations

import argparse
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import hyq_hls
from hyq_hls.cli import sources
from hyq_hls.cli.output import Output, add_json
from hyq_hls.errors import InputError
from hyq_hls.support import aligned

if TYPE_CHECKING:
    from hyq_hls.cli.checks import Check

BASE = "emulate"
#: Names of hyq_hls.cli.checks.ROADS, which is not imported for ``--help``.
NAMES = (
    *(BASE, "quantize", "hls", "rtl", "synthesis", "digits", "plots", "waveforms"),
    *("report", "onnx", "timm", "notebooks", "completion", "vendor"),
)
EXAMPLES = (
    "hyq-hls doctor",
    "hyq-hls doctor quantize hls rtl",
    "hyq-hls doctor --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "road",
        nargs="*",
        help=f"roads that must be ready, of {', '.join(NAMES)} [{BASE}]",
    )
    parser.add_argument(
        "--folder", type=sources.path, default=Path(), help="where projects will be written"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is there; returns 1 when something that must be ready is not."""
    from hyq_hls.cli.checks import ROADS, checks, versions_are_compared  # noqa: PLC0415

    unknown = set(options.road) - set(ROADS)
    if unknown:
        raise InputError(
            f"unknown road {', '.join(sorted(unknown))}; one of {', '.join(ROADS)} is wanted"
        )
    output = Output(options)
    found = checks(options.folder.absolute())
    ready = {road: all(c.ok for c in found if c.road == road) for road in ROADS}
    system = f"{platform.system()} {platform.machine()}"
    output.result(f"hyq_hls {hyq_hls.__version__} on {system}")
    for road, purpose in ROADS.items():
        output.result(f"\n{road}: {purpose}: {'ready' if ready[road] else 'NOT ready'}")
        own = [c for c in found if c.road == road]
        rows = [("ok" if c.ok else "MISSING", c.name, _found(c), c.purpose) for c in own]
        output.result("\n".join(f"  {line}" for line in aligned(rows)))
        for check in own:
            if not check.ok:
                output.result(f"  -> {check.name}: {check.remedy}")
    if not versions_are_compared():
        output.result(
            "\nversions of packages were not compared: the package packaging, or the metadata of "
            "an installed hyq_hls, is missing"
        )
    wanted = {BASE, *options.road}
    ok = all(ready[road] for road in wanted)
    summary = ", ".join(road for road in ROADS if ready[road]) or "none"
    output.result(f"\nready: {summary}")
    output.finish(
        {
            "version": hyq_hls.__version__,
            "system": system,
            "ok": ok,
            "ready": ready,
            "checks": [{**asdict(c), "ok": c.ok} for c in found],
        }
    )
    return 0 if ok else 1


def _found(check: Check) -> str:
    return f"{check.found} ({check.wanted} is wanted)" if check.wanted else check.found or "-"
