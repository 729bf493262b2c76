"""``convert``: from a quantized model to an accelerator on disk, HLS C++ and RTL side by side."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from hyq_hls.accelerator import MARKER, Accelerator
from hyq_hls.errors import ConversionError
from hyq_hls.parts import part as find_part
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.stream.choose.design import design
from hyq_hls.stream.flow.names import is_reserved
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.support import is_empty, user_path


def convert(
    qmodel: QuantizedModel,
    part: str = "xc7z020",
    clock_mhz: float = 150.0,
    output_dir: str | os.PathLike[str] = "build/net",
    *,
    target_fps: float | None = None,
    share: float | None = None,
    folding: Mapping[str, Folding] | None = None,
    circuits: Mapping[str, str] | None = None,
    must_fit: bool = True,
    project: str = "net",
    overwrite: bool = False,
) -> Accelerator:
    """Write the accelerator of a quantized model: an HLS C++ project, and RTL in ``rtl/``.

    Both describe the same machine: the same streams, words and lanes.

    Args:
        qmodel: from :func:`hyq_hls.quantize` or :func:`hyq_hls.load`.
        part: part, device or board, for example ``xc7z020`` or ``pynq-z2``.
        clock_mhz: target clock.
        output_dir: new or empty folder; it appears complete or not at all.
        target_fps: frames per second at that clock, by the smallest design that reaches them. By
            default about 200 multiply-accumulates per cycle, or what the part has room for.
        share: share of the part that may be used, above 0 and at most 1; without ``target_fps``,
            the fastest design that fits it.
        folding: lanes of some or all nodes by name; the others are chosen as above.
        circuits: circuits of some nodes, by pattern of their names, such as
            ``{"*.act": "arithmetic"}``; the others get the cheapest of those with the same
            integers.
        must_fit: False writes the project also where the estimate says that the part is too small,
            for simulation.
        project: name of the top function and of the top module.
        overwrite: replace a project that was written here before.

    Raises:
        ConversionError: unknown part, bad name, clock, frame rate or folding, a part that is too
            small, a folder that is in use or cannot be written, or an operation that did not arrive
            in C++ or RTL.
    """
    if not isinstance(project, str) or not re.fullmatch(r"[A-Za-z]\w{,63}", project, re.ASCII):
        raise ConversionError(
            f"project name {project!r:.80}: a letter and at most 63 letters, digits and "
            "underscores are wanted"
        )
    if is_reserved(project) or project in ("defines", "parameters"):
        raise ConversionError(
            f"project name {project!r} has a meaning in C++, SystemVerilog or here; give another"
        )
    target = find_part(part)
    folder = user_path(output_dir)
    _check_free(folder, overwrite)
    flow = design(
        qmodel.graph,
        target,
        clock_mhz,
        target_fps=target_fps,
        share=share,
        folding=folding,
        circuits=circuits,
        must_fit=must_fit,
    )
    machine = StreamMachine(target, clock_mhz, project, flow)
    return Accelerator.write(folder, qmodel, machine)


def _check_free(folder: Path, overwrite: bool) -> None:
    try:
        there = folder.is_dir()
        if folder.exists() and not there:
            raise ConversionError(f"{folder} is a file; give a folder")
        used = there and not is_empty(folder)
    except OSError as error:
        raise ConversionError(
            f"{folder} cannot be used: {error.strerror or error}; give another folder"
        ) from error
    if used:
        if not (folder / MARKER).exists():
            raise ConversionError(f"{folder} is not empty and not a project of ours; give another")
        if not overwrite:
            raise ConversionError(
                f"{folder} holds a project already; give another folder, or overwrite=True"
            )
