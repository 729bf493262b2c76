"""convert(): from a quantized model to an accelerator on disk, HLS C++ and RTL side by side."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

import hyq_hls
from hyq_hls.accelerator import GRAPH_FILE, MARKER, RTL_DIR, Accelerator
from hyq_hls.dataflow import Dataflow, plan
from hyq_hls.dataflow.depths import safe_depths
from hyq_hls.dataflow.names import is_reserved
from hyq_hls.errors import ConversionError
from hyq_hls.fold import balance
from hyq_hls.folders import replaced_folder
from hyq_hls.graph import Folding
from hyq_hls.hls.parts import device
from hyq_hls.hls.project import build_model
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.rtl import write_rtl


def convert(
    qmodel: QuantizedModel,
    part: str = "xc7z020",
    clock_mhz: float = 150.0,
    output_dir: str | os.PathLike[str] = "build/net",
    *,
    target_fps: float | None = None,
    folding: Mapping[str, Folding] | None = None,
    project: str = "net",
    overwrite: bool = False,
) -> Accelerator:
    """Write the accelerator of a quantized model: an HLS C++ project, and RTL in ``rtl/``.

    Both describe the same machine: the same streams, words and lanes.

    Args:
        qmodel: from :func:`hyq_hls.quantize` or :func:`hyq_hls.load`.
        part: for example ``xc7z020``.
        clock_mhz: target clock.
        output_dir: new or empty folder; it appears complete or not at all.
        target_fps: frames per second at that clock; every operation gets as much parallelism as
            that needs. By default about 200 multiply-accumulates per cycle.
        folding: lanes of some or all nodes by name; the others are balanced as above.
        project: name of the top function and of the top module.
        overwrite: replace a project that was written here before.

    Raises:
        ConversionError: unknown part, bad name, clock, frame rate or folding, a folder that is in
            use or cannot be written, or an operation that did not arrive in C++ or RTL.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", project, flags=re.ASCII):
        raise ConversionError(f"project name {project!r}: letters, digits, underscores are wanted")
    if is_reserved(project) or project in ("defines", "parameters"):
        raise ConversionError(
            f"project name {project!r} has a meaning in C++, SystemVerilog or here; give another"
        )
    if not 1 <= clock_mhz <= 1000:
        raise ConversionError(f"clock of {clock_mhz} MHz: between 1 and 1000 is wanted")
    full_part = device(part)
    folder = Path(output_dir)
    _check_free(folder, overwrite)
    flow = _folded(qmodel, clock_mhz, target_fps, folding or {})
    with replaced_folder(folder) as draft:
        build_model(flow, draft, project, full_part, clock_mhz).write()
        write_rtl(flow, draft / RTL_DIR, project)
        qmodel.save(draft / GRAPH_FILE)
        marker = {
            "generator": f"hyq_hls {hyq_hls.__version__}",
            "project": project,
            "part": full_part,
            "clock_mhz": clock_mhz,
            "folding": {s.node.name: list(astuple(s.folding)) for s in flow.operations},
            "depths": {s.name: s.depth for s in flow.streams.values()},
        }
        (draft / MARKER).write_text(json.dumps(marker, indent=1))
    return Accelerator(folder, qmodel, project, clock_mhz, flow)


def _folded(
    qmodel: QuantizedModel,
    clock_mhz: float,
    target_fps: float | None,
    folding: Mapping[str, Folding],
) -> Dataflow:
    cycles = None
    if target_fps is not None:
        if not target_fps > 0:
            raise ConversionError(f"target_fps {target_fps}: a positive frame rate is wanted")
        cycles = int(clock_mhz * 1e6 / target_fps)
    chosen = {**balance(qmodel.graph, cycles), **folding}
    flow = plan(qmodel.graph, chosen)
    return flow.with_depths(safe_depths(flow))


def _check_free(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConversionError(f"{folder} is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise ConversionError(f"{folder} is not empty and not a project of ours; give another")
        if not overwrite:
            raise ConversionError(
                f"{folder} holds a project already; give another folder, or overwrite=True"
            )
