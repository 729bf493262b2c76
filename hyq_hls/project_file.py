"""The file that makes a folder a project: it names the machine, its part and its settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hyq_hls.engine.machine import EngineMachine
from hyq_hls.errors import ConversionError, HyqError
from hyq_hls.machine import Machine
from hyq_hls.parts import Part, part
from hyq_hls.parts.file import fields_of_part, part_of_fields
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.support import write_file
from hyq_hls.version import __version__

MARKER = "hyq_project.json"
#: Its entry for a part that the user described in a file.
OWN_PART = "own_part"
#: The machines that a project may hold, by name of their architecture.
MACHINES: dict[str, type[Machine]] = {
    machine.architecture: machine for machine in (StreamMachine, EngineMachine)
}


def write_marker(folder: Path, machine: Machine) -> None:
    """Write the file of a machine into the folder of its project."""
    marker = {
        "generator": f"hyq_hls {__version__}",
        "architecture": machine.architecture,
        "project": machine.project,
        "part": machine.part.device,
        **_own_part(machine.part),
        "clock_mhz": machine.clock_mhz,
        **machine.settings(),
    }
    write_file(folder / MARKER, json.dumps(marker, indent=1))


def _own_part(own: Part) -> dict[str, Any]:
    """Return what a project must keep of a part that stands in no table of ours."""
    try:
        known = part(own.device) == own
    except ConversionError:
        known = False
    return {} if known else {OWN_PART: fields_of_part(own)}


def marked_machine(folder: Path, qmodel: QuantizedModel) -> Machine:
    """Return the machine that the file in a folder describes.

    Args:
        folder: the project.
        qmodel: the model that the machine implements.

    Raises:
        ConversionError: the file is damaged.
    """
    path = folder / MARKER
    try:
        return _machine(qmodel, json.loads(path.read_text(encoding="utf-8")))
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, HyqError
    ) as error:  # fmt: skip
        raise ConversionError(
            f"{path} is damaged ({type(error).__name__}: {error}); convert the model again"
        ) from error


def _machine(qmodel: QuantizedModel, marker: Any) -> Machine:
    """Return the machine that a marker names; without a name it is the streaming machine."""
    if not isinstance(marker, dict):
        raise ConversionError(f"an object is wanted, found {type(marker).__name__}")
    architecture = marker.get("architecture", StreamMachine.architecture)
    if architecture not in MACHINES:
        raise ConversionError(
            f"architecture {architecture!r} is unknown; known are {', '.join(MACHINES)}"
        )
    own = marker.get(OWN_PART)
    found = part(marker["part"]) if own is None else part_of_fields(own)
    return MACHINES[architecture].from_settings(
        qmodel.graph, found, marker["clock_mhz"], marker["project"], marker
    )
