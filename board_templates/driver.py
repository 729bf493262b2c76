# SPDX-License-Identifier: Apache-2.0
"""Runs the accelerator on a board with PYNQ: images in, output codes out.

Copy the folder that overlay.tcl wrote (``<project>.bit``, ``<project>.hwh``, ``streams.json`` and
this file) to the board. It needs numpy and pynq 2.7 or later, nothing else:

    from driver import Driver

    with Driver() as accelerator:
        logits = accelerator.predict(images)  # uint8 (B, H, W, C) in, logits (B, classes) out
        codes = accelerator.codes(images)  # the integers that the hardware gives
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # a board's numpy may be older than its module of types
    from numpy.typing import ArrayLike, NDArray

#: Largest transfer of the DMA that overlay.tcl instantiates: its length register has 26 bits.
MAX_TRANSFER = (1 << 26) - 1
#: Registers of the AXI GPIO (PG144): frames of a transfer, and how many transfers were wrong.
FRAMES, TRANSFER_ERRORS = 0x0, 0x8


class Stream:
    """Codes of frames, as the words of a DMA hold them.

    Args:
        shape: of a frame.
        beats: words of a frame.
        lanes: codes of a word; lane 0 has the lowest bytes.
        bits: of a code.
        signed: two's complement.
        code_bytes: 1 or 2 bytes of a code, little-endian, extended above ``bits``.
        word_bytes: bytes of a word; those above the lanes are zero.
    """

    def __init__(
        self,
        shape: Sequence[int],
        beats: int,
        lanes: int,
        bits: int,
        signed: bool,
        code_bytes: int,
        word_bytes: int,
    ) -> None:
        self.shape, self.beats, self.lanes = tuple(shape), beats, lanes
        self.word_bytes = word_bytes
        self.low = -(1 << (bits - 1)) if signed else 0
        self.high = (1 << (bits - signed)) - 1
        self.frame_bytes = beats * word_bytes
        self._dtype = np.dtype(f"<{'i' if signed else 'u'}{code_bytes}")

    def check(self, codes: NDArray[Any]) -> None:
        """Raise TypeError or ValueError unless ``codes`` (B, *shape) are frames in range."""
        if not np.issubdtype(codes.dtype, np.integer):
            raise TypeError(f"integer codes are wanted, found dtype {codes.dtype}")
        if codes.shape[1:] != self.shape or not len(codes):
            wanted = ", ".join(map(str, self.shape))
            raise ValueError(
                f"codes of shape (B, {wanted}) with B >= 1 are wanted, found {codes.shape}"
            )
        if codes.min() < self.low or codes.max() > self.high:
            raise ValueError(
                f"codes in [{codes.min()}, {codes.max()}] leave the range "
                f"[{self.low}, {self.high}] of the stream"
            )

    def to_bytes(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        """Bytes (B, frame_bytes) of codes (B, *shape)."""
        frames = len(codes)
        lanes = np.ascontiguousarray(codes, self._dtype).view(np.uint8)
        lanes = lanes.reshape(frames, self.beats, -1)
        words = np.zeros((frames, self.beats, self.word_bytes), np.uint8)
        words[..., : lanes.shape[-1]] = lanes
        return words.reshape(frames, self.frame_bytes)

    def from_bytes(self, data: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Codes (B, *shape) as int64 of bytes (B, frame_bytes)."""
        frames = len(data)
        words = data.reshape(frames, self.beats, self.word_bytes)
        lanes = np.ascontiguousarray(words[..., : self.lanes * self._dtype.itemsize])
        return lanes.view(self._dtype).astype(np.int64).reshape(frames, *self.shape)


class Driver:
    """The accelerator behind an AXI DMA; a context manager that frees its buffers.

    Args:
        bitfile: bitstream of overlay.tcl, with its ``.hwh`` file beside it; by default the one
            beside this file.
        streams: description of the streams; by default ``streams.json`` beside this file.
        batch: most frames of a transfer. More need more memory and save time between transfers.

    Raises:
        ValueError: ``batch`` is not positive, or its buffers exceed the DMA's longest transfer.
    """

    def __init__(
        self,
        bitfile: str | Path | None = None,
        streams: str | Path | None = None,
        batch: int = 64,
    ) -> None:
        from pynq import Overlay, allocate  # noqa: PLC0415  (only boards have it)

        here = Path(__file__).resolve().parent
        description = json.loads(Path(streams or here / "streams.json").read_text("utf-8"))
        self.input = Stream(**description["input"])
        self.output = Stream(**description["output"])
        #: What the network itself does to the bytes of an image.
        self.normalization: str = description["normalization"]
        #: Scale and zero point of the output codes, one or one per channel.
        self.scale, self.zero_point = (np.array(description[k]) for k in ("scale", "zero_point"))
        #: Names of the outputs, where the network has them.
        self.class_names: list[str] | None = description["class_names"]
        # Where the elements of the model's output lie in a frame; None leaves the frame as it is.
        self._output_index = description["output_index"]
        longest = max(self.input.frame_bytes, self.output.frame_bytes)
        if not 1 <= batch <= MAX_TRANSFER // longest:
            raise ValueError(
                f"batch={batch}: 1 to {MAX_TRANSFER // longest} frames of {longest} bytes fit a "
                "transfer"
            )
        self.batch = batch
        overlay = Overlay(str(bitfile or here / f"{description['project']}.bit"))
        self._dma, self._frames = overlay.dma, overlay.frames.mmio
        self._transfer_errors = self._frames.read(TRANSFER_ERRORS)
        self._buffers = [
            allocate(shape=(batch * stream.frame_bytes,), dtype=np.uint8)
            for stream in (self.input, self.output)
        ]

    def predict(self, images: ArrayLike) -> NDArray[np.float64]:
        """Real values of the outputs, usually logits (B, classes): ``(code - zero_point) * scale``.

        Arguments and errors are those of :meth:`codes`.
        """
        return self._arranged((self._output_frames(images) - self.zero_point) * self.scale)

    def codes(self, images: ArrayLike) -> NDArray[np.int64]:
        """Output codes of images.

        Args:
            images: bytes (B, *input shape) as a camera gives them, or one image without the batch
                axis. The network normalizes them itself (see ``normalization``).

        Returns:
            int64 codes in the shape and order of the model's output, those of the emulation.

        Raises:
            TypeError: no integers.
            ValueError: wrong shape, no image, or codes out of range.
            RuntimeError: the driver is closed, or the core found a transfer of another length; the
                next call is not affected.
        """
        return self._arranged(self._output_frames(images))

    def _output_frames(self, images: ArrayLike) -> NDArray[np.int64]:
        codes = np.asarray(images)
        if codes.shape == self.input.shape:
            codes = codes[None]
        self.input.check(codes)
        if not self._buffers:
            raise RuntimeError("this driver is closed; make a new one")
        batches = range(0, len(codes), self.batch)
        return np.concatenate([self._transfer(codes[i : i + self.batch]) for i in batches])

    def _arranged(self, frames: NDArray[Any]) -> NDArray[Any]:
        if self._output_index is None:
            return frames
        return frames.reshape(len(frames), -1)[:, np.asarray(self._output_index)]

    def _transfer(self, codes: NDArray[Any]) -> NDArray[np.int64]:
        """One transfer each way; the output is awaited first, so that the core never waits."""
        frames = len(codes)
        source, sink = self._buffers
        sent, received = frames * self.input.frame_bytes, frames * self.output.frame_bytes
        source[:sent] = self.input.to_bytes(codes).reshape(-1)
        self._frames.write(FRAMES, frames)
        self._dma.recvchannel.transfer(sink, nbytes=received)
        self._dma.sendchannel.transfer(source, nbytes=sent)
        self._dma.sendchannel.wait()
        self._dma.recvchannel.wait()
        errors = self._frames.read(TRANSFER_ERRORS)
        if errors != self._transfer_errors:
            self._transfer_errors = errors
            raise RuntimeError(
                f"the core got a transfer that was not {frames} of its frames, and its results are "
                "lost; check that streams.json belongs to the bitstream"
            )
        return self.output.from_bytes(np.array(sink[:received]).reshape(frames, -1))

    def close(self) -> None:
        """Stop the DMA and free its buffers; the driver cannot be used afterwards."""
        if self._buffers:
            # A transfer that an error left behind must not write to memory that is free.
            self._dma.sendchannel.stop()
            self._dma.recvchannel.stop()
        while self._buffers:
            self._buffers.pop().freebuffer()

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
