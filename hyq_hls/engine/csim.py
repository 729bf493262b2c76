"""C simulation of the engine: its C++ for the sizes of a program, compiled with g++ and run."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Program
from hyq_hls.errors import CompilationError, SimulationError
from hyq_hls.support import load_library, template_dir
from hyq_hls.tools.gxx import build_lib_sh, compile_project
from hyq_hls.version import LICENCE

Codes = NDArray[np.int64]
Bytes = NDArray[np.uint8]
PROJECT = "hyq_engine"
_BANNER = (
    f"Written by hyq_hls: the engine, one kernel that runs a program of docs/engine.md. {LICENCE}"
)
_TOP = """\
// {banner}
#include "{project}.h"

void {project}(
    hyq::engine::beat_t dram[hyq::engine::dram_beats], unsigned program, unsigned length,
    unsigned constants, unsigned input, unsigned output, unsigned scratch, unsigned &status) {{
    HYQ_AXI_MASTER(dram)
    HYQ_AXI_LITE(program)
    HYQ_AXI_LITE(length)
    HYQ_AXI_LITE(constants)
    HYQ_AXI_LITE(input)
    HYQ_AXI_LITE(output)
    HYQ_AXI_LITE(scratch)
    HYQ_AXI_LITE(status)
    HYQ_AXI_LITE(return)
    const unsigned bases[4] = {{constants, input, output, scratch}};
    // P, words of a bank, of weights, parameter groups, softmax length, norm channels, multiplier
    typedef hyq::engine::sizes<{sizes}> sizes_t;
    status = hyq::engine::run<sizes_t>(dram, program, length, bases);
}}
"""
_HEADER = """\
// {banner}
#ifndef HYQ_{guard}_H_
#define HYQ_{guard}_H_

#include "hyq/engine/engine.h"

/// Runs a program; hyq/engine/engine.h explains the ports, which are registers but for the first.
void {project}(
    hyq::engine::beat_t dram[hyq::engine::dram_beats], unsigned program, unsigned length,
    unsigned constants, unsigned input, unsigned output, unsigned scratch, unsigned &status);

#endif
"""
_BRIDGE = """\
// {banner}
#include "firmware/{project}.h"

extern "C" unsigned hyq_run(hyq::engine::beat_t *dram, const unsigned *registers) {{
    unsigned status = 0;
    {project}(
        dram, registers[0], registers[1], registers[2], registers[3], registers[4], registers[5],
        status);
    return status;
}}
"""
_FUNCTIONS = {"hyq_run": (ctypes.c_uint, (ctypes.c_void_p, ctypes.c_void_p))}
_ERRORS = {1: "an unknown version", 2: "an unknown queue", 5: "an unknown target"}
#: The memories of the engine are variables of a function; the largest take 15 MB.
_STACK = 64 << 20
#: The size of a stack is a setting of the whole process.
_STACK_LOCK = threading.Lock()
_ALIGNMENT = 64


def write_csim(sizes: Sizes, folder: Path, project: str = PROJECT) -> None:
    """Write the C++ project of a machine: every program for the machine runs on it.

    Args:
        sizes: the machine.
        folder: a new folder.
        project: name of the top function.

    Raises:
        CompilationError: hls4ml, whose open ``ap_int.h`` the C++ includes, is not installed.
    """
    found = importlib.util.find_spec("hls4ml")
    if found is None or found.origin is None:
        raise CompilationError(
            "hls4ml is not installed; its ap_int.h is wanted: pip install hls4ml"
        )
    templates, firmware = template_dir(), folder / "firmware"
    apart = shutil.ignore_patterns("targets", "*.tcl")
    shutil.copytree(templates, firmware / "hyq", ignore=apart)
    types = Path(found.origin).parent / "templates" / "vivado" / "ap_types"
    shutil.copytree(types, firmware / "ap_types")
    shutil.copy(templates / "csim" / "hls_stream.h", firmware / "ap_types")
    values = (
        *(sizes.pixels, sizes.feature_words, sizes.weight_words, sizes.parameter_groups),
        *(sizes.softmax_length, sizes.norm_channels, str(sizes.multiplier).lower()),
    )
    fields = {
        "banner": _BANNER,
        "project": project,
        "guard": project.upper(),
        "sizes": ", ".join(map(str, values)),
    }
    for name, text in (
        (f"firmware/{project}.cpp", _TOP),
        (f"firmware/{project}.h", _HEADER),
        (f"{project}_bridge.cpp", _BRIDGE),
    ):
        (folder / name).write_text(text.format(**fields), encoding="utf-8")
    script = folder / "build_lib.sh"
    script.write_text(build_lib_sh(_BANNER, project), encoding="utf-8")
    script.chmod(0o755)


def compile_csim(folder: Path, flags: tuple[str, ...] = (), project: str = PROJECT) -> CSimulation:
    """Compile what :func:`write_csim` wrote, and load it.

    Args:
        folder: the project.
        flags: more g++ flags, such as ``-DHYQ_BIT_ACCURATE``.
        project: name of the top function.

    Raises:
        CompilationError: g++ is missing or fails.
    """
    return CSimulation(compile_project(folder, project, flags))


class CSimulation:
    """The compiled engine in this process."""

    def __init__(self, library: Path) -> None:
        self._library = load_library(library, _FUNCTIONS)

    def run(self, program: Program, codes: Codes, count: int | None = None) -> tuple[Bytes, ...]:
        r"""Run a frame.

        Args:
            program: a program for the sizes that the library was compiled for.
            codes: one sample (\*input shape).
            count: how many instructions run, from the first on; all when None.

        Returns:
            The bytes behind the base registers: constants, input, output, scratch. Those that
            nobody wrote are 0.

        Raises:
            SimulationError: the engine stopped with an error.
        """
        parts: list[Bytes] = [
            np.frombuffer(program.code, np.uint8),
            program.constants,
            program.input.pack(codes),
            np.zeros(program.output.size, np.uint8),
            np.zeros(program.scratch, np.uint8),
        ]
        starts = [0]
        for part in parts:
            starts.append(starts[-1] + -(-part.size // _ALIGNMENT) * _ALIGNMENT)
        # Beats, so that the memory is aligned as C++ expects it.
        beats = np.zeros(starts[-1] // 8, np.uint64)
        dram = beats.view(np.uint8)
        for start, part in zip(starts, parts, strict=False):
            dram[start : start + part.size] = part
        length = len(program.instructions) if count is None else count
        registers = np.array([starts[0], length, *starts[1:5]], np.uint32)
        status = self._call(beats, registers)
        if status:
            code, index = status & 255, status >> 8
            raise SimulationError(
                f"the engine stopped at instruction {index}: {_ERRORS.get(code, code)}; compile "
                "the graph again"
            )
        return tuple(
            dram[start : start + part.size]
            for start, part in zip(starts[1:], parts[1:], strict=False)
        )

    def output(self, program: Program, codes: Codes) -> Codes:
        r"""Return the codes (rows, pixels, channels) of the last tensor for one sample.

        Args:
            program: as for :meth:`run`.
            codes: one sample (\*input shape).

        Raises:
            SimulationError: the engine stopped with an error.
        """
        return program.output.unpack(self.run(program, codes)[isa.OUTPUT])

    def _call(self, dram: NDArray[np.uint64], registers: NDArray[np.uint32]) -> int:
        """Call the engine in a thread whose stack holds its memories."""
        found: list[int] = []

        def call() -> None:
            found.append(self._library.hyq_run(dram.ctypes.data, registers.ctypes.data))

        with _STACK_LOCK:
            before = threading.stack_size(_STACK)
            try:
                thread = threading.Thread(target=call)
                thread.start()
            finally:
                threading.stack_size(before)
        thread.join()
        return found[0]
