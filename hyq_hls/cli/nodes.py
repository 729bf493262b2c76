"""Options that name nodes: ``--folding NODE=8x3`` and ``--circuit PATTERN=NAME``."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from hyq_hls.errors import InputError

if TYPE_CHECKING:
    from hyq_hls.stream.folding import Folding

_LANES = re.compile(r"(\d+)(?:x(\d+))?")


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--folding",
        action="append",
        metavar="NODE=OUTPUTSxINPUTS",
        help="lanes of one node, for example stem.conv=8x3, or head.act=4 for as many of both; may "
        "be repeated; the other nodes are chosen",
    )
    parser.add_argument(
        "--circuit",
        action="append",
        metavar="PATTERN=NAME",
        help="circuit of some nodes that have several, for example '*.act=arithmetic'; may be "
        "repeated",
    )


def node_choices(options: argparse.Namespace) -> dict[str, Any]:
    """Return ``folding`` and ``circuits`` as :func:`hyq_hls.convert` takes them.

    Raises:
        InputError: an option names no node, or gives no lanes.
    """
    folding = dict(_folding(text) for text in options.folding or ())
    circuits = dict(
        _pair("--circuit", text, "such as '*.act=arithmetic'") for text in options.circuit or ()
    )
    return {"folding": folding or None, "circuits": circuits or None}


def _folding(text: str) -> tuple[str, Folding]:
    from hyq_hls.stream.folding import Folding  # noqa: PLC0415

    example = "such as stem.conv=8x3"
    node, lanes = _pair("--folding", text, example)
    found = _LANES.fullmatch(lanes)
    if found is None or 0 in (numbers := [int(n) for n in found.groups() if n is not None]):
        raise InputError(f"--folding {text!r}: lanes {example} are wanted, found {lanes!r}")
    return node, Folding(numbers[0], numbers[-1])


def _pair(option: str, text: str, example: str) -> tuple[str, str]:
    name, separator, value = text.rpartition("=")
    if not (separator and name and value):
        raise InputError(f"{option} {text!r}: the name of a node and a value are wanted, {example}")
    return name, value
