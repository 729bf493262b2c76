"""The timed C simulation: the generated C++ with bounded queues and a clock.

The project's C++ is compiled with ``-DHYQ_TIMED``. It then records in which order every process
(every call in a DATAFLOW function) reads and writes its streams, and how many iterations of
pipelined loops lie between. The record of one frame is run again for many frames, with any depths.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import ConversionError, SimulationError
from hyq_hls.graph import Graph, TensorType
from hyq_hls.support import load_library
from hyq_hls.tools.gxx import compile_project

_FLAGS = ("-O1", "-DHYQ_TIMED")  # It is compiled for one frame.
_MESSAGE_LENGTH = 1 << 16
_POINTER, _LONG = ctypes.c_void_p, ctypes.c_ulong


def timed_library(folder: Path, project: str) -> Path:
    """Return the place of the timed C simulation, beside the plain one."""
    return folder / f"{project}_timed.so"


def compile_timed(folder: Path, project: str) -> Path:
    """Compile the timed C simulation of a written project.

    Raises:
        CompilationError: g++ is missing or fails.
    """
    return compile_project(folder, project, _FLAGS, timed_library(folder, project).name)


@dataclass(frozen=True)
class TimedRun:
    """The times and queues of some frames.

    Attributes:
        frame_ends: cycle of the last output word of every frame.
        peaks: most words that waited in every stream, by name.
    """

    frame_ends: list[int]
    peaks: dict[str, int]

    @property
    def latency_cycles(self) -> int:
        """Cycles from the first input word to the last output word of the first frame."""
        return self.frame_ends[0]

    @property
    def cycles_per_frame(self) -> int:
        """Cycles between the last two frames."""
        return self.frame_ends[-1] - self.frame_ends[-2]


class TimedSimulation:
    r"""One frame of a project, recorded by process, to be run again with any depths.

    Args:
        library: what :func:`compile_timed` returned.
        codes: the frame (1, \*input shape); its values change no time.
        input_type: type of the input codes.
        output_type: type of the output codes.

    Attributes:
        codes: the output codes (1, \*output shape) of the frame.
        depths: depth of every stream in the C++, by name. Streams inside an operation are called
            ``<function>(<input>.<stream>``.
        processes: cycles per frame of every process when it never waits, by name and in the order
            of the C++; the first gives the input, the last takes the output.

    Raises:
        GraphError: the frame has another shape, dtype or range.
        SimulationError: a stream was read while empty, or words were left over.
    """

    def __init__(
        self,
        library: Path,
        codes: NDArray[np.int64],
        input_type: TensorType,
        output_type: TensorType,
    ) -> None:
        input_type.check(codes, "timed csim input")
        self._library = load_library(
            library,
            {
                "hyq_record": (_POINTER, (_POINTER, _POINTER, _POINTER, _LONG)),
                "hyq_forget": (None, (_POINTER,)),
                "hyq_processes": (_LONG, (_POINTER,)),
                "hyq_streams": (_LONG, (_POINTER,)),
                "hyq_process_name": (ctypes.c_char_p, (_POINTER, _LONG)),
                "hyq_process_cycles": (_LONG, (_POINTER, _LONG)),
                "hyq_stream_name": (ctypes.c_char_p, (_POINTER, _LONG)),
                "hyq_stream_depth": (ctypes.c_uint, (_POINTER, _LONG)),
            },
        )
        inputs = np.ascontiguousarray(codes, dtype=np.int32)
        outputs = np.empty((1, *output_type.shape), dtype=np.int32)
        message = ctypes.create_string_buffer(_MESSAGE_LENGTH)
        self._trace = self._library.hyq_record(
            inputs.ctypes.data, outputs.ctypes.data, message, _MESSAGE_LENGTH
        )
        if not self._trace:
            raise SimulationError(f"timed C simulation failed: {message.value.decode()}")
        self.codes = outputs.astype(np.int64)
        ask = self._library
        self.processes = {
            ask.hyq_process_name(self._trace, i).decode(): ask.hyq_process_cycles(self._trace, i)
            for i in range(ask.hyq_processes(self._trace))
        }
        self.depths = {
            ask.hyq_stream_name(self._trace, i).decode(): int(ask.hyq_stream_depth(self._trace, i))
            for i in range(ask.hyq_streams(self._trace))
        }

    @classmethod
    def of_graph(cls, library: Path, graph: Graph) -> TimedSimulation:
        """Record a frame of random codes, and compare the result with the integer reference.

        Raises:
            SimulationError: the codes differ, or a stream ran dry or was not emptied.
        """
        q, shape = graph.input_type.quantization, (1, *graph.input_type.shape)
        codes = np.random.default_rng(0).integers(q.qmin, q.qmax + 1, shape)
        simulation = cls(library, codes, graph.input_type, graph.type(graph.output_name))
        for name, wanted in graph.reference(codes):
            if name == graph.output_name and not np.array_equal(simulation.codes, wanted):
                raise SimulationError(
                    "the timed C simulation gives other codes than the integer reference; run "
                    "hyq_hls.verify to find the first node that differs"
                )
        return simulation

    def __del__(self) -> None:
        if getattr(self, "_trace", None):
            self._library.hyq_forget(self._trace)
            self._trace = None

    def run(
        self,
        frames: int = 6,
        *,
        depths: Mapping[str, int] | None = None,
        latency: int | Sequence[int] = 0,
        pace: int = 0,
    ) -> TimedRun:
        """Run the frame again and again, with bounded queues.

        A process begins the next frame when it has ended one, as in a DATAFLOW region.

        Args:
            frames: number of frames, at least 2.
            depths: words of some streams; the others keep those of the C++.
            latency: cycles from the read to the write of an iteration in a pipelined loop: one for
                all processes, or one for each of :attr:`processes`. A pipeline that waits keeps
                its words; it runs empty at the end of its loop.
            pace: cycles from frame to frame at the input, whose words come at a steady rate; 0
                offers them at once.

        Raises:
            ConversionError: an unknown stream, or a depth below 1.
            SimulationError: a deadlock; every process that waits is named with its stream.
        """
        wanted = self.depths | dict(depths or {})
        wrong = sorted(set(wanted) - set(self.depths)) or [n for n, d in wanted.items() if d < 1]
        if wrong:
            raise ConversionError(
                f"depths of {wrong[:5]}: depths of 1 or more for streams of the C++ are wanted"
            )
        lasts = [latency] * len(self.processes) if isinstance(latency, int) else list(latency)
        lasts[0] = lasts[-1] = 0  # Input and output are outside.
        ends = np.zeros(frames, np.int64)
        peaks = np.zeros(len(wanted), np.uint32)
        message = ctypes.create_string_buffer(_MESSAGE_LENGTH)
        status = self._library.hyq_replay(
            _POINTER(self._trace),
            (ctypes.c_uint * len(wanted))(*wanted.values()),
            (ctypes.c_uint * len(lasts))(*lasts),
            ctypes.c_uint(frames),
            ctypes.c_longlong(pace),
            _POINTER(ends.ctypes.data),
            _POINTER(peaks.ctypes.data),
            message,
            _LONG(_MESSAGE_LENGTH),
        )
        if status:
            raise SimulationError(f"timed C simulation: {message.value.decode()}")
        return TimedRun(ends.tolist(), dict(zip(self.depths, peaks.tolist(), strict=True)))
