"""The C side of a co-simulation: structures and functions of ``cosim_driver.cpp``."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hyq_hls.errors import SimulationError
from hyq_hls.support import load_library
from hyq_hls.support.libraries import Signature
from hyq_hls.tools.verilator.result import Ints

MESSAGE_LENGTH = 1024
#: Seconds per call of the driver: short enough for Ctrl-C and a progress bar.
_SLICE = 0.1
#: Answers of ``hyq_advance``.
RUNNING, DONE, DEADLOCK = 0, 1, 2

_int32, _int64, _double, _name = ctypes.c_int32, ctypes.c_int64, ctypes.c_double, ctypes.c_char_p
_array = ctypes.c_void_p


class CFormat(ctypes.Structure):
    """``hyq::Format``."""

    _fields_ = (
        ("beats", _int64),
        ("lanes", _int32),
        ("lane_bits", _int32),
        ("is_signed", _int32),
    )


class CStreamConfig(ctypes.Structure):
    """``hyq::StreamConfig``."""

    _fields_ = (("name", _name), ("format", CFormat), ("capture", _int32), ("endless", _int32))


class CConfig(ctypes.Structure):
    """``hyq::Config``."""

    _fields_ = (
        ("input", CFormat),
        ("output", CFormat),
        ("streams", ctypes.POINTER(CStreamConfig)),
        ("stream_count", _int64),
        ("frames", _int64),
        ("codes", _array),
        ("outputs", _array),
        ("frame_cycles", _array),
        ("stream_cycles", _array),
        ("idle", _double),
        ("backpressure", _double),
        ("seed", ctypes.c_uint64),
        ("pace", _int64),
        ("deadlock_cycles", _int64),
        ("reset_after", _int64),
        ("activity_cycles", _int64),
        ("statistics", _int32),
        ("last", _int32),
        ("vcd", _name),
        ("vcd_cycles", _int64 * 2),
        ("vcd_frames", _int64 * 2),
    )


class CSummary(ctypes.Structure):
    """``hyq::Summary``."""

    _fields_ = (
        ("cycles", _int64),
        ("sent", _int64),
        ("received", _int64),
        ("frame_errors", _int32),
        ("input_valid", _int32),
        ("input_ready", _int32),
        ("output_valid", _int32),
        ("output_ready", _int32),
    )


class CStreamResult(ctypes.Structure):
    """``hyq::StreamResult``."""

    _fields_ = (
        ("written", _int64),
        ("read", _int64),
        ("max_occupancy", _int64),
        ("stalled", _int64),
        ("starved", _int64),
        ("wr_valid", _int32),
        ("wr_ready", _int32),
        ("rd_valid", _int32),
        ("rd_ready", _int32),
    )


_bench, _size = ctypes.c_void_p, ctypes.c_size_t
_FUNCTIONS: dict[str, Signature] = {
    "hyq_open": (_bench, (ctypes.POINTER(CConfig), _name, _size)),
    "hyq_advance": (_int32, (_bench, _double, _name, _size)),
    "hyq_summary": (None, (_bench, ctypes.POINTER(CSummary))),
    "hyq_stream": (None, (_bench, _int64, ctypes.POINTER(CStreamResult))),
    "hyq_captured_size": (_int64, (_bench, _int64)),
    "hyq_captured": (None, (_bench, _int64, _array)),
    "hyq_activity_size": (_int64, (_bench,)),
    "hyq_activity": (None, (_bench, _int64, _array)),
    "hyq_close": (None, (_bench,)),
}


def load_cosimulation(library: Path) -> ctypes.CDLL:
    """Load a library of :func:`~hyq_hls.tools.verilator.build_cosimulation`."""
    return load_library(library, _FUNCTIONS)


class Bench:
    """One run of the driver, as a context manager that closes it in any case."""

    def __init__(self, library: ctypes.CDLL, config: CConfig) -> None:
        self._library, self._config = library, config
        self._message = ctypes.create_string_buffer(MESSAGE_LENGTH)
        self._bench = library.hyq_open(ctypes.byref(config), self._message, MESSAGE_LENGTH)
        if not self._bench:
            raise SimulationError(f"co-simulation cannot start: {self._text}")

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.hyq_close(self._bench)

    @property
    def _text(self) -> str:
        return self._message.value.decode(errors="replace")

    def run(self, beats: int, progress: Callable[[int], object] | None) -> tuple[int, CSummary]:
        """Go on to the end: DONE or DEADLOCK, and how far the run came.

        Args:
            beats: beats of an output frame.
            progress: called with the number of frames finished since the last call.

        Raises:
            SimulationError: the driver or the design found a fault.
        """
        summary, finished, status = CSummary(), 0, RUNNING
        while status == RUNNING:
            status = self._library.hyq_advance(self._bench, _SLICE, self._message, MESSAGE_LENGTH)
            self._library.hyq_summary(self._bench, ctypes.byref(summary))
            frames = summary.received // beats
            if progress is not None and frames > finished:
                progress(frames - finished)
                finished = frames
        if status not in (DONE, DEADLOCK):
            raise SimulationError(f"co-simulation failed: {self._text}")
        return status, summary

    def stream(self, i: int) -> CStreamResult:
        """Return the counts and handshakes of stream ``i``."""
        result = CStreamResult()
        self._library.hyq_stream(self._bench, i, ctypes.byref(result))
        return result

    def activity(self, i: int) -> Ints:
        """Return the beats per bin of stream ``i``; the input and the output follow the streams."""
        bins = np.empty(self._library.hyq_activity_size(self._bench), np.int64)
        self._library.hyq_activity(self._bench, i, bins.ctypes.data)
        return bins

    def captured(self, i: int, frames: int) -> Ints:
        r"""Return the codes (frames, \*) that were written to stream ``i``."""
        codes = np.empty(self._library.hyq_captured_size(self._bench, i), np.int64)
        self._library.hyq_captured(self._bench, i, codes.ctypes.data)
        return codes.reshape(frames, -1)
