"""C simulation: load a compiled project, run it on integer images."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError, SimulationError
from hyq_hls.graph.types import TensorType
from hyq_hls.support import load_library

_MESSAGE_LENGTH = 512
#: Images per call: small enough for progress, large enough to hide the call.
_CHUNK = 16
_Ints = NDArray[np.int32]
_TEXT = (ctypes.c_char_p,)


class CSimulation:
    """A compiled project in this process; thread-safe, because templates keep no static state.

    Args:
        library: what :func:`hyq_hls.tools.gxx.compile_project` returned.
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
