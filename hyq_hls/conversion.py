"""``convert``: from a quantized model to an accelerator on disk, HLS C++ and RTL side by side."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from hyq_hls.accelerator import Accelerator
from hyq_hls.architecture import Architecture, Wishes, choose_machine
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.errors import ConversionError
from hyq_hls.machine.budget import check_clock, check_share
from hyq_hls.parts import Part
from hyq_hls.parts import part as find_part
from hyq_hls.project_file import MARKER
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.stream.flow.names import is_reserved
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.compilers import Compiler, check_compiler
from hyq_hls.stream.rtl.embedded import check_memories
from hyq_hls.support import is_empty, user_path


def convert(
    qmodel: QuantizedModel,
    part: str | os.PathLike[str] = "xc7z020",
    clock_mhz: float = 100.0,
    output_dir: str | os.PathLike[str] = "build/net",
    *,
    architecture: Architecture = "auto",
    target_fps: float | None = None,
    share: float | None = None,
    folding: Mapping[str, Folding] | None = None,
    circuits: Mapping[str, str] | None = None,
    must_fit: bool | str = True,
    project: str = "net",
    hls: str = "vitis",
    memories: str = "files",
    engine: Sizes | None = None,
    overwrite: bool = False,
) -> Accelerator:
    """Write the accelerator of a quantized model: an HLS C++ project, and RTL in ``rtl/``.

    Both describe the same machine. The streaming machine gives every node a circuit of its own;
    the engine computes the nodes one after the other, by a program in DRAM (``docs/engine.md``).

    Args:
        qmodel: from :func:`hyq_hls.quantize` or :func:`hyq_hls.load`.
        part: part, device or board, for example ``xc7z020`` or ``pynq-z2``; or a file ``*.toml``
            that describes a part (``docs/boards.md``).
        clock_mhz: target clock. It must be one that the estimate reaches, where wires take as long
            as logic.
        output_dir: new or empty folder; it appears complete or not at all.
        architecture: "stream" or "engine"; "auto" takes the streaming machine where it fits the
            part, and else the engine.
        target_fps: frames per second at that clock, by the smallest design that reaches them. By
            default about 200 multiply-accumulates per cycle, or what the part has room for. The
            engine is always the fastest that fits.
        share: share of the part that may be used, above 0 and at most 1; without ``target_fps``,
            the fastest design that fits it.
        folding: lanes of some or all nodes by name; the others are chosen as above. Foldings,
            circuits and another HLS compiler are choices of the streaming machine alone.
        circuits: circuits of some nodes, by pattern of their names, such as
            ``{"*.act": "arithmetic"}``; the others get the cheapest of those with the same
            integers.
        must_fit: what the part must have room for: True for the RTL, by its estimate, and the HLS
            C++, by its plan; "rtl" or "hls" where only one of them is built. False writes the
            project also where the part is too small or the clock too fast, for simulation. Of the
            C++, DSP slices and block RAMs count; its LUTs are a sum of operators, which
            ``estimate()`` compares with the part in words.
        project: name of the top function and of the top module.
        hls: HLS compiler that the C++ is written for, ``vitis`` or ``bambu``.
        memories: where the RTL of the streaming machine has its constants from: "files" that
            ``$readmemh`` reads, or "embedded" in a package, so that no tool must find a file.
        engine: sizes of the engine, :class:`hyq_hls.engine.Sizes`, instead of the fastest that
            fits the part.
        overwrite: replace a project that was written here before.

    Raises:
        ConversionError: an argument of another type, unknown part, bad name, clock, frame rate or
            folding, a part that is too small, a clock that the estimate does not reach, a folder
            that is in use or cannot be written, an operation that did not arrive in C++ or RTL, or
            a compiler that does not know the part.
    """
    _check_model(qmodel)
    for name, table, kind in (("folding", folding, Folding), ("circuits", circuits, str)):
        if table is not None:
            _check_table(name, table, kind)
    if engine is not None:
        _check_type("engine", engine, Sizes, "hyq_hls.engine.Sizes")
    target, folder, compiler = check_request(
        part,
        clock_mhz,
        output_dir,
        target_fps=target_fps,
        share=share,
        project=project,
        hls=hls,
        overwrite=overwrite,
    )
    wishes = Wishes(
        target,
        clock_mhz,
        project,
        target_fps=target_fps,
        share=share,
        folding=folding,
        circuits=circuits,
        must_fit=must_fit,
        hls=compiler,
        memories=check_memories(memories),
        sizes=engine,
    )
    machine = choose_machine(qmodel.graph, architecture, wishes)
    return Accelerator.write(folder, qmodel, machine)


def check_request(
    part: str | os.PathLike[str],
    clock_mhz: float,
    output_dir: str | os.PathLike[str],
    *,
    target_fps: float | None,
    share: float | None,
    project: str,
    hls: str,
    overwrite: bool,
) -> tuple[Part, Path, Compiler]:
    """Check what can be checked before a network is there, by the arguments of :func:`convert`.

    Returns:
        The part, the folder and the HLS compiler.

    Raises:
        ConversionError: an argument of another type, unknown part, bad name, clock, share or
            compiler, or a folder that is in use.
    """
    for name, value in (("clock_mhz", clock_mhz), ("target_fps", target_fps), ("share", share)):
        if value is not None or name == "clock_mhz":
            _check_type(name, value, Real, "a number")
    if not isinstance(project, str) or not re.fullmatch(r"[A-Za-z]\w{,63}", project, re.ASCII):
        raise ConversionError(
            f"project name {project!r:.80}: a letter and at most 63 letters, digits and "
            "underscores are wanted"
        )
    if is_reserved(project) or project in ("defines", "parameters"):
        raise ConversionError(
            f"project name {project!r} has a meaning in C++, SystemVerilog or here; give another"
        )
    compiler = check_compiler(hls)
    target = find_part(part)
    check_clock(clock_mhz)
    if share is not None:
        check_share(share)
    folder = user_path(output_dir)
    _check_free(folder, overwrite)
    return target, folder, compiler


def _check_model(value: Any) -> None:
    """Raise :class:`ConversionError` for what is no quantized model, and say how to make one."""
    if isinstance(value, QuantizedModel):
        return
    cure = "quantize the trained module first: convert(quantize(model, images))"
    if isinstance(value, str | os.PathLike):
        cure = "load the file first: convert(load(path))"
    raise ConversionError(f"a QuantizedModel is wanted, found {type(value).__name__}; {cure}")


def _check_type(name: str, value: Any, kind: Any, wanted: str) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ConversionError(f"{name}={value!r}: {wanted} is wanted")


def _check_table(name: str, value: Any, kind: type[Any]) -> None:
    wanted = f"a dict from names of nodes to {kind.__name__}"
    _check_type(name, value, Mapping, wanted)
    if not all(isinstance(k, str) and isinstance(v, kind) for k, v in value.items()):
        raise ConversionError(f"{name}={value!r}: {wanted} is wanted")


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
