"""C simulation: compile the project with g++, load it, run it on integer images."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import CompilationError, FileFormatError, GraphError, SimulationError
from hyq_hls.graph.types import TensorType
from hyq_hls.stream.flow import Dataflow
from hyq_hls.support import load_library, write_file
from hyq_hls.support.processes import run

#: C++14 is what Vitis HLS compiles by default. ``-fno-gnu-unique`` lets a library be unloaded.
#: ``-fwrapv``: a sum may leave its range until its bias is added, and wraps as it does in hardware.
CSIM_FLAGS = "-std=c++14 -O3 -fPIC -fwrapv -fno-gnu-unique -Ifirmware -Ifirmware/ap_types"
_BUILD_LIB = """#!/bin/bash
# {banner}
# Usage: ./build_lib.sh [more g++ flags, for example -DHYQ_BIT_ACCURATE]
# HYQ_LIBRARY=name.so gives the library another name.
# Several may run at a time: each builds in a folder of its own, and the library appears complete.
set -e
cd "$(dirname "$0")"
BUILD=$(mktemp -d ./.build-XXXXXX)
trap 'rm -rf "$BUILD"' EXIT
LIBRARY=$BUILD/library.so
# One translation unit: two of them would each read the same headers.
FLAGS="{flags} -include firmware/{project}.cpp"
"${{CXX:-g++}}" $FLAGS "$@" -shared {project}_bridge.cpp -o "$LIBRARY"
# The library is loaded only when it ends with the hash of all before it.
HASH=$( (sha256sum || shasum -a 256) < "$LIBRARY" 2>/dev/null)
printf '\\nhyq  %s\\n' "${{HASH%% *}}" >> "$LIBRARY"
mv -f "$LIBRARY" "${{HYQ_LIBRARY:-{project}.so}}"
"""
_MESSAGE_LENGTH = 512
#: Images per call: small enough for progress, large enough to hide the call.
_CHUNK = 16
_Ints = NDArray[np.int32]
_TEXT = (ctypes.c_char_p,)


def build_lib_sh(flow: Dataflow, project: str) -> str:
    """Return ``build_lib.sh``, whose commands compile the C simulation with g++."""
    return _BUILD_LIB.format(banner=flow.banner, flags=CSIM_FLAGS, project=project)


def compile_project(
    folder: Path, project: str, flags: tuple[str, ...] = (), library: str = ""
) -> Path:
    """Run the project's ``build_lib.sh`` and return the library.

    Args:
        folder: the written project.
        project: name of the top function.
        flags: more g++ flags.
        library: file name of the library; by default ``<project>.so``.

    Raises:
        CompilationError: g++ is missing, or the C++ does not compile; the first errors are shown
            and the whole log lies in ``csim_build.log``.
    """
    compiler = os.environ.get("CXX") or "g++"
    if shutil.which(compiler) is None:
        raise CompilationError(
            f"{compiler} was not found; C simulation needs a C++14 compiler: install g++ "
            "(Debian, Ubuntu: apt install g++) or set CXX"
        )
    script = folder / "build_lib.sh"
    if not script.exists():
        raise CompilationError(f"{folder} has no build_lib.sh; convert the model again")
    log = folder / "csim_build.log"
    built = folder / (library or f"{project}.so")
    try:
        result = run(
            ["./build_lib.sh", *flags],
            cwd=folder,
            # Errors are found by their English name.
            env={**os.environ, "LC_ALL": "C", "HYQ_LIBRARY": built.name},
        )
        if result.returncode:
            built.unlink(missing_ok=True)  # it is not that of these sources
        write_file(log, result.stdout + result.stderr)
    except (OSError, FileFormatError) as error:
        raise CompilationError(f"cannot compile in {folder}: {error}") from error
    if result.returncode:
        lines = result.stderr.splitlines()
        errors = [line for line in lines if "error" in line.lower()] or lines[-5:]
        raise CompilationError("\n".join([f"{compiler} failed, see {log}:", *(errors[:5])]))
    return built


class CSimulation:
    """A compiled project in this process; thread-safe, because templates keep no static state.

    Args:
        library: what :func:`compile_project` returned.
        input_type: type of the input codes.
        output_type: type of the output codes.
        streams: what a trace holds: ``tensor name -> (C++ stream name, type)``.
    """

    def __init__(
        self,
        library: Path,
        input_type: TensorType,
        output_type: TensorType,
        streams: Mapping[str, tuple[str, TensorType]],
    ) -> None:
        self.input_type, self.output_type = input_type, output_type
        self.streams = streams
        self._library = load_library(library, {"hyq_trace_size": (ctypes.c_ulong, _TEXT)})

    def predict(
        self, codes: NDArray[np.integer[Any]], progress: Callable[[int], object] | None = None
    ) -> NDArray[np.int64]:
        r"""Return the output codes (B, \*output shape) of input codes (B, \*input shape).

        Args:
            codes: integers in the range of the input type.
            progress: called with the number of samples after each chunk.

        Raises:
            GraphError: wrong shape, dtype or range.
            SimulationError: a stream was read while empty, or words were left over.
        """
        self.input_type.check(codes, "csim input")
        inputs = np.ascontiguousarray(codes, dtype=np.int32)
        outputs = np.empty((len(codes), *self.output_type.shape), dtype=np.int32)

        def predict(start: int) -> int:
            chunk = slice(start, min(start + _CHUNK, len(inputs)))
            self._call("hyq_predict", inputs[chunk], outputs[chunk])
            return chunk.stop - chunk.start

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                for count in pool.map(predict, range(0, len(inputs), _CHUNK)):
                    if progress is not None:
                        progress(count)
            except BaseException:  # Ctrl-C does not wait for the images that were not begun
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return outputs.astype(np.int64)

    def trace(self, codes: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        r"""Return the codes (1, \*shape) of every tensor of ``streams``, by name.

        Args:
            codes: one sample (1, \*input shape).

        Raises:
            GraphError: wrong shape, dtype or range, or not one sample.
            SimulationError: the simulation failed, or a stream carried another number of codes
                than its type says.
        """
        self.input_type.check(codes, "csim input")
        if len(codes) != 1:
            raise GraphError(f"csim input: one sample is wanted for a trace, found {len(codes)}")
        inputs = np.ascontiguousarray(codes, dtype=np.int32)
        outputs = np.empty((1, *self.output_type.shape), dtype=np.int32)
        self._call("hyq_trace", inputs, outputs, count=False)
        result = {}
        for name, (stream, tensor) in self.streams.items():
            size = self._library.hyq_trace_size(stream.encode())
            if size != tensor.size:
                raise SimulationError(
                    f"{name}: stream {stream} carried {size} codes, {tensor.size} are wanted"
                )
            values = np.empty((1, *tensor.shape), dtype=np.int32)
            self._library.hyq_trace_copy(stream.encode(), _pointer(values))
            result[name] = values.astype(np.int64)
        return result

    def _call(self, function: str, inputs: _Ints, outputs: _Ints, count: bool = True) -> None:
        message = ctypes.create_string_buffer(_MESSAGE_LENGTH)
        samples = [ctypes.c_ulong(len(inputs))] if count else []
        status = getattr(self._library, function)(
            _pointer(inputs), _pointer(outputs), *samples, message, ctypes.c_ulong(_MESSAGE_LENGTH)
        )
        if status:
            raise SimulationError(f"C simulation failed: {message.value.decode()}")


def _pointer(array: _Ints) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)
